/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Targets, their features, tracepoint formats, function names and registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kern/kern.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGETS "tests/targets/"

static struct arena a;

static int setup(void **state)
{
	(void)state;
	arena_init(&a, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&a);
	return 0;
}

static struct target load(const char *file)
{
	const char *why = NULL;
	struct target t;

	if (target_file(&t, &a, file, &why))
		fail_msg("%s", why);
	return t;
}

static void all_target_files_load(void **state)
{
	static const struct {
		const char *file;
		enum kern_arch arch;
		uint32_t version;
		bool scx, multi, btf;
	} files[] = {
		{"x86_64-5.10-nobtf", KERN_X86_64, 0x050af0, false, false, false},
		{"x86_64-6.1", KERN_X86_64, 0x0601b0, false, false, true},
		{"x86_64-6.12", KERN_X86_64, 0x060c6b, false, true, true},
		{"x86_64-6.12-scx", KERN_X86_64, 0x060c75, true, true, true},
		{"x86_64-7.3", KERN_X86_64, 0x070304, true, true, true},
		{"arm64-7.3", KERN_ARM64, 0x070304, true, true, true},
		{"riscv64-7.2", KERN_RISCV64, 0x07020d, true, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct target t = load(arena_printf(&a, TARGETS "%s.target", files[i].file));

		assert_int_equal(t.arch, files[i].arch);
		assert_int_equal(t.version, files[i].version);
		assert_int_equal(t.isa, 3);
		assert_false(t.host);
		assert_int_equal(target_has(&t, KF_SCHED_EXT), files[i].scx);
		assert_int_equal(target_has(&t, KF_KPROBE_MULTI), files[i].multi);
		assert_int_equal(t.btf != NULL, files[i].btf);
		assert_int_equal(t.btf_why == NULL, files[i].btf);
		assert_int_equal(target_has(&t, KF_BTF), files[i].btf);
		assert_true(target_has(&t, KF_RINGBUF));
		target_close(&t);
	}
}

static void wrong_target_files(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{"archh = x86_64\n", "unknown key 'archh'"},
		{"arch = sparc\n", "unknown architecture 'sparc'"},
		{"# fine\n\nkernel = newest\n", ":3: 'newest' is no kernel version"},
		{"isa = 5\n", "'5' is not a number from 1 to 4"},
		{"cpus = 4x\n", "'4x' is not a number"},
		{"feature = magic\n", "unknown feature 'magic'"},
		{"arch x86_64\n", "expected 'key = value'"},
		{"btf = no-such.btf\n", "No such file"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char path[] = "/tmp/skep-target-XXXXXX";
		const char *why = NULL;
		struct target t;
		int fd = mkstemp(path);

		assert_true(fd >= 0);
		assert_int_equal(
			write(fd, wrong[i].text, strlen(wrong[i].text)), strlen(wrong[i].text));
		close(fd);
		assert_int_equal(target_file(&t, &a, path, &why), -EINVAL);
		unlink(path);
		if (!strstr(why, wrong[i].why))
			fail_msg("'%s' does not say '%s'", why, wrong[i].why);
	}
	{
		const char *why = NULL;
		struct target t;

		assert_int_equal(target_file(&t, &a, "/no/such/file", &why), -ENOENT);
		assert_non_null(why);
	}
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(kern_version_parse("6.12.3", "#1 SMP", NULL), 0x060c03);
	assert_int_equal(kern_version_parse("6.1.0-18-amd64",
				 "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)", NULL),
		0x06014c);
	assert_int_equal(kern_version_parse("5.15.0-92-generic", "#102-Ubuntu SMP",
				 "Ubuntu 5.15.0-92.102-generic 5.15.131\n"),
		0x050f83);
	assert_int_equal(kern_version_parse("6.18-rc1", "", NULL), 0x061200);
	assert_int_equal(kern_version_parse("5.10.300", "", NULL), 0x050aff);
	assert_int_equal(kern_version_parse("what", NULL, NULL), 0);
}

static void cpu_lists(void **state)
{
	(void)state;
	uint32_t span;

	assert_int_equal(kern_cpu_count("0\n", &span), 1);
	assert_int_equal(span, 1);
	assert_int_equal(kern_cpu_count("0-3\n", &span), 4);
	assert_int_equal(kern_cpu_count("0-3,8,10-11\n", &span), 7);
	assert_int_equal(span, 12);
	assert_int_equal(kern_cpu_count("", &span), 0);
	assert_int_equal(kern_cpu_count("3-1", &span), 0);
	assert_int_equal(span, 0);
}

static void features_by_arch(void **state)
{
	struct target t = {.a = &a, .version = KV(6, 1), .arch = KERN_X86_64};

	(void)state;
	target_features_by_version(&t);
	assert_true(target_has(&t, KF_FENTRY));
	t.arch = KERN_ARM64;
	target_features_by_version(&t);
	assert_false(target_has(&t, KF_FENTRY));
	assert_false(target_has(&t, KF_BTF)); /* none given */
	t.version = 0;
	target_features_by_version(&t);
	assert_true(target_has(&t, KF_RINGBUF));
	assert_false(target_has(&t, KF_BPF_LOOP));
	for (int f = 0; f < KF_COUNT; f++)
		assert_int_equal(kern_feature_by_name(kern_feature_text((enum kern_feature)f)), f);
}

static void host_never_fails(void **state)
{
	struct target t;

	(void)state;
	target_host(&t, &a, NULL);
	assert_true(t.host);
	assert_true(t.ncpus > 0 || access("/sys/devices/system/cpu/possible", R_OK));
	assert_true(t.btf || t.btf_why);
	target_close(&t);
	target_host(&t, &a, "/no/such/btf");
	assert_null(t.btf);
	assert_non_null(strstr(t.btf_why, "/no/such/btf"));
}

/* ---- tracepoints ---- */

static const struct tp_field *field(const struct tracepoint *tp, const char *name)
{
	for (uint32_t i = 0; i < tp->fields.n; i++)
		if (!strcmp(tp->fields.v[i].name, name))
			return &tp->fields.v[i];
	fail_msg("no field %s", name);
	return NULL;
}

static void check_field(const struct tracepoint *tp, struct tp_field want)
{
	const struct tp_field *f = field(tp, want.name);

	assert_string_equal(f->type, want.type);
	assert_int_equal(f->off, want.off);
	assert_int_equal(f->size, want.size);
	assert_int_equal(f->is_signed, want.is_signed);
	assert_int_equal(f->array_size, want.array_size);
	assert_int_equal(f->data_loc, want.data_loc);
	assert_int_equal(f->rel_loc, want.rel_loc);
}

static void formats_of_files(void **state)
{
	struct target t = load(TARGETS "x86_64-6.1.target");
	const struct tracepoint *tp;
	const char *why = NULL;

	(void)state;
	tp = target_tracepoint(&t, "syscalls", "sys_enter_openat", &why);
	assert_non_null(tp);
	assert_int_equal(tp->id, 0); /* not this machine's */
	assert_int_equal(tp->fields.n, 9);
	check_field(tp, (struct tp_field){"common_pid", "int", 4, 4, true, 0, false, false});
	check_field(tp, (struct tp_field){"__syscall_nr", "int", 8, 4, true, 0, false, false});
	check_field(
		tp, (struct tp_field){"filename", "const char *", 24, 8, false, 0, false, false});
	check_field(tp, (struct tp_field){"mode", "umode_t", 40, 8, false, 0, false, false});
	tp = target_tracepoint(&t, "sched", "sched_switch", &why);
	check_field(tp, (struct tp_field){"prev_comm", "char", 8, 16, true, 16, false, false});
	check_field(tp, (struct tp_field){"prev_state", "long", 32, 8, true, 0, false, false});
	tp = target_tracepoint(&t, "sched", "sched_process_exec", &why);
	check_field(tp, (struct tp_field){"filename", "char[]", 8, 4, true, 0, true, false});
	tp = target_tracepoint(&t, "raw_syscalls", "sys_enter", &why);
	check_field(tp, (struct tp_field){"args", "unsigned long", 16, 48, false, 6, false, false});
	assert_null(target_tracepoint(&t, "sched", "sched_swich", &why));
	assert_string_equal(why, "no such tracepoint");
	assert_null(target_tracepoint(&t, "..", "sched", &why));
	assert_null(target_tracepoint(&t, "sched", "../sched/sched_switch", &why));
	target_close(&t);
	t.tracefs = NULL;
	assert_null(target_tracepoint(&t, "sched", "sched_switch", &why));
	assert_non_null(strstr(why, "tracefs"));
}

/* Shapes of declarations seen in real kernels' formats. */
static void formats_of_lines(void **state)
{
	static const char text[] =
		"name: x\nID: 77\nformat:\n"
		"\tfield:char uuid[UUID_SIZE];\toffset:8;\tsize:36;\tsigned:0;\n"
		"\tfield:unsigned char addr[sizeof(struct "
		"sockaddr_in6)];\toffset:44;\tsize:28;\tsigned:0;\n"
		"\tfield:u32 words[WORDS];\toffset:72;\tsize:16;\tsigned:0;\n"
		"\tfield:__rel_loc u8[] data;\toffset:88;\tsize:4;\tsigned:0;\n"
		"\tfield:__data_loc cpumask_t mask;\toffset:92;\tsize:4;\tsigned:0;\n"
		"\tfield:char[16] old;\toffset:96;\tsize:16;\tsigned:1;\n"
		"\tfield:struct list_head *head;\toffset:112;\tsize:8;\tsigned:0;\n"
		"\tfield:const char *const * argv;\toffset:120;\tsize:8;\tsigned:0;\n"
		"\tfield:enum foo reason;\toffset:128;\tsize:4;\tsigned:0;\n"
		"\nprint fmt: \"field:char not_me;\toffset:1;\"\n";
	struct tracepoint tp = {0};

	(void)state;
	assert_null(tracepoint_parse(&tp, &a, text));
	assert_int_equal(tp.id, 77);
	assert_int_equal(tp.fields.n, 9);
	check_field(&tp, (struct tp_field){"uuid", "char", 8, 36, false, 36, false, false});
	check_field(
		&tp, (struct tp_field){"addr", "unsigned char", 44, 28, false, 28, false, false});
	check_field(&tp, (struct tp_field){"words", "u32", 72, 16, false, 4, false, false});
	check_field(&tp, (struct tp_field){"data", "u8[]", 88, 4, false, 0, true, true});
	check_field(&tp, (struct tp_field){"mask", "cpumask_t", 92, 4, false, 0, true, false});
	check_field(&tp, (struct tp_field){"old", "char", 96, 16, true, 16, false, false});
	check_field(&tp,
		(struct tp_field){"head", "struct list_head *", 112, 8, false, 0, false, false});
	check_field(&tp,
		(struct tp_field){"argv", "const char *const *", 120, 8, false, 0, false, false});
	check_field(&tp, (struct tp_field){"reason", "enum foo", 128, 4, false, 0, false, false});
}

static void damaged_formats(void **state)
{
	static const char *const texts[] = {
		"",
		"field:",
		"field:int x;",
		"field:;\toffset:0;\tsize:4;\tsigned:0;",
		"field:x;\toffset:0;\tsize:4;\tsigned:0;",
		"field:int ];\toffset:0;\tsize:4;\tsigned:0;",
		"field:int x;\toffset:;\tsize:4;\tsigned:0;",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tracepoint tp = {0};

		assert_non_null(tracepoint_parse(&tp, &a, texts[i]));
	}
}

struct list {
	unsigned n;
	char last[128];
	bool sorted;
};

static void collect(const char *name, void *arg)
{
	struct list *l = arg;

	l->sorted = l->sorted && (!l->n || strcmp(l->last, name) < 0);
	snprintf(l->last, sizeof(l->last), "%s", name);
	l->n++;
}

static void lists(void **state)
{
	struct target t = load(TARGETS "x86_64-6.1.target");
	struct list l = {.sorted = true};

	(void)state;
	target_each_tracepoint(&t, collect, &l);
	assert_true(l.n >= 20 && l.sorted);
	assert_string_equal(l.last, "syscalls:sys_exit_write");
	l = (struct list){.sorted = true};
	target_each_function(&t, collect, &l);
	assert_true(l.n >= 20 && l.sorted);
	assert_int_equal(target_has_function(&t, "vfs_read"), 1);
	assert_int_equal(target_has_function(&t, "finish_task_switch.isra.0"), 1);
	assert_int_equal(target_has_function(&t, "veth_xmit"), 1); /* of a module */
	assert_int_equal(target_has_function(&t, "jiffies"), 0);   /* data */
	assert_int_equal(target_has_function(&t, "vfs_raed"), 0);
	assert_int_equal(target_has_module(&t, "veth"), 1);
	assert_int_equal(target_has_module(&t, "nonsense"), 0);
	target_close(&t);
	t = load(TARGETS "x86_64-5.10-nobtf.target");
	assert_int_equal(target_has_function(&t, "vfs_read"), -1);
	assert_int_equal(target_has_module(&t, "veth"), -1);
}

static void registers(void **state)
{
	(void)state;
	assert_int_equal(kern_arg_off(KERN_X86_64, 0), 112);
	assert_int_equal(kern_arg_off(KERN_X86_64, 3), 88);
	assert_int_equal(kern_arg_off(KERN_X86_64, 5), 64);
	assert_int_equal(kern_arg_off(KERN_X86_64, 6), -1);
	assert_int_equal(kern_ret_off(KERN_X86_64), 80);
	assert_int_equal(kern_reg_off(KERN_X86_64, "ip"), 128);
	assert_int_equal(kern_reg_off(KERN_X86_64, "nip"), -1);
	assert_int_equal(kern_arg_off(KERN_ARM64, 7), 56);
	assert_int_equal(kern_ret_off(KERN_ARM64), 0);
	assert_int_equal(kern_reg_off(KERN_ARM64, "sp"), 248);
	assert_int_equal(kern_arg_off(KERN_RISCV64, 0), 80);
	assert_int_equal(kern_arg_off(KERN_RISCV64, 7), 136);
	assert_int_equal(kern_ret_off(KERN_RISCV64), 80);
	assert_int_equal(kern_ret_off(KERN_ANY), -1);
	assert_int_equal(kern_arch_by_name("aarch64"), KERN_ARM64);
	assert_int_equal(kern_arch_by_name("mips"), KERN_ANY);
	assert_string_equal(kern_arch_name(KERN_RISCV64), "riscv64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_target_files_load),
		cmocka_unit_test(wrong_target_files),
		cmocka_unit_test(versions),
		cmocka_unit_test(cpu_lists),
		cmocka_unit_test(features_by_arch),
		cmocka_unit_test(host_never_fails),
		cmocka_unit_test(formats_of_files),
		cmocka_unit_test(formats_of_lines),
		cmocka_unit_test(damaged_formats),
		cmocka_unit_test(lists),
		cmocka_unit_test(registers),
	};

	return cmocka_run_group_tests_name("kern/target", tests, setup, teardown);
}
