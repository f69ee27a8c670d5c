/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the lowering chooses on a kernel, seen in the code that comes out. */
#include "driver/driver.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define K612 "tests/targets/x86_64-6.12.target"
#define ARM "tests/targets/arm64-7.3.target"
#define RISCV "tests/targets/riscv64-7.2.target"
#define K510 "tests/targets/x86_64-5.10-nobtf.target"

struct choice {
	const char *target, *script;
	const char *first, *then; /* in the code, in this order */
	const char *not;	  /* nowhere in it */
};

static const struct choice choices[] = {
	/* numbers of process and thread: loads where the task can be looked into, else the helper */
	{K612, "kprobe:vfs_read { @[pid, tid] = count(); }", "call get_current_task_btf",
		"= *(u32*)(r0+1268)", "get_current_pid_tgid"},
	{K510, "kprobe:vfs_read { @[pid, tid] = count(); }", "call get_current_pid_tgid",
		"call map_lookup_elem", "get_current_task"},
	/* numbers that last are read when the record is there, so no register keeps them */
	{K612, "kprobe:vfs_read /arg0 > 1/ { printf(\"%d %d\", pid, arg0); }", "call ringbuf_reserve",
		"call get_current_task_btf", "r8"},
	/* those that something changes before are read in time */
	{K612, "kprobe:vfs_read { printf(\"%d %d\", @x, @x++); }", "r6 = *(u64*)(r0+0)",
		"call ringbuf_reserve", NULL},
	/* a pointer said to be another's is handed over as it is */
	{K612, "kprobe:vfs_read { $t = (uint64)curtask; @ = ((struct file *)$t)->f_inode; }",
		"call get_current_task_btf", "call kfunc", "= -r"},
	/* unless it is the current task: then there is nothing to say */
	{K612, "kprobe:vfs_read { $t = (uint64)curtask; @ = ((struct task_struct *)$t)->mm; }",
		"call get_current_task_btf", "exit", "call kfunc"},
	/* a map by thread hangs on the tasks where nobody sees what is left */
	{K612, "kprobe:vfs_read { @s[tid] = 1; delete(@s, tid); } END { clear(@s); }",
		"call task_storage_get", "exit", "call map_"},
	{K612, "kprobe:vfs_read { @s[tid] = 1; delete(@s, tid); } END { print(@s); clear(@s); }",
		"call map_update_elem", "call map_delete_elem", "call task_storage_get"},
	/* all fields of a task: one value, asked for once; who changes none makes none */
	{K612, "kprobe:vfs_read { $x = @t[curtask].a; @t[curtask].a = 1; @t[curtask].b = $x; }",
		"p0_vfs_read: 27 instructions", "call task_storage_get", "r4 = 0"},
	{K612, "kprobe:vfs_read { @ = @t[curtask].a; } kprobe:vfs_write { @t[curtask].a++; }",
		"r4 = 0", "call task_storage_get", NULL},
	/* what BEGIN sets first need not say again that it is set */
	{K612, "kprobe:vfs_read { @x = arg0; } BEGIN { @x = 5; }", "p0_vfs_read", "= 1", NULL},
	{K612, "kprobe:vfs_read { @x = arg0; } BEGIN { @x = 5; }", "p0_vfs_read: 6", "exit", NULL},
	/* a number made a pointer points where the probe is: into the program, or the kernel */
	{K612, "u:/bin/a:f { $p = (uint8 *)0x1000; @ = *$p; }", "call probe_read_user", "exit", "kernel"},
	{K612, "u:/bin/a:f { $n = (uint64)arg0; @ = *(int32 *)($n + 8); }", "call probe_read_user", "exit",
		"kernel"},
	{K612, "u:/bin/a:f { @ = ((struct file *)arg0)->f_mode; }", "call probe_read_user", "exit", "kernel"},
	{K612, "kprobe:vfs_read { $p = (uint8 *)0x1000; @ = *$p; }", "call probe_read_kernel", "exit",
		"read_user"},
	{K612, "kprobe:vfs_read { @ = *uptr((uint8 *)arg1); }", "call probe_read_user", "exit", "kernel"},
	/* where the kernel keeps what a probe is called with: struct pt_regs of each machine (ptrace.h), words
	 * of a traced function's arguments, the record of a tracepoint (format) */
	{K612, "kprobe:vfs_read { @ = arg2; }", "= *(u64*)(r1+96)", "exit", NULL},
	{K612, "kretprobe:vfs_read { @ = retval; }", "= *(u64*)(r1+80)", "exit", NULL},
	{K612, "uprobe:/bin/a:f { @ = arg5; }", "= *(u64*)(r1+64)", "exit", NULL},
	{ARM, "kprobe:vfs_read { @ = arg2; }", "= *(u64*)(r1+16)", "exit", NULL},
	{ARM, "kretprobe:vfs_read { @ = retval; }", "= *(u64*)(r1+0)", "exit", NULL},
	{RISCV, "kprobe:vfs_read { @ = arg2; }", "= *(u64*)(r1+96)", "exit", NULL},
	{RISCV, "uprobe:/bin/a:f { @ = arg5; }", "= *(u64*)(r1+120)", "exit", NULL},
	{RISCV, "kretprobe:vfs_read { @ = retval; }", "= *(u64*)(r1+80)", "exit", NULL},
	{K612, "rawtracepoint:sched_switch { @ = arg1; }", "= *(u64*)(r1+8)", "exit", NULL},
	{K612, "fentry:vfs_read { @ = args.count; }", "= *(u64*)(r1+16)", "exit", NULL},
	{K612, "fexit:vfs_read { @ = retval; }", "= *(u64*)(r1+32)", "exit", NULL},
	{K612, "tracepoint:raw_syscalls:sys_enter { @ = args.args[2]; }", "= *(u64*)(r1+32)", "exit", NULL},
	{K612, "tracepoint:signal:signal_generate { @ = args.sig; }", "= *(u32*)(r1+8)", "exit", NULL},
};

static void chosen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct choice *c = &choices[i];
		struct skep_options o = {.target = c->target};
		struct skep_compile_options co = {.dump = "asm"};
		const char *code, *at;
		struct skep *s;

		assert_int_equal(skep_new(&s, &o), SKEP_OK);
		if (skep_compile(s, "t", c->script, strlen(c->script), &co))
			fail_msg("%s: %s", c->script, skep_messages(s, false));
		code = skep_dump(s);
		at = strstr(code, c->first);
		if (!at || !strstr(at, c->then) || (c->not && strstr(code, c->not)))
			fail_msg("%s:\n%s", c->script, code);
		skep_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(chosen)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
