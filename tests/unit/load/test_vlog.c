/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Verifier logs as kernels write them, and errnos: the words and the place that come out. */
#include "objmake.h"
#include "load/internal.h"
#include <cmocka.h>

struct session {
	struct maker k;
	struct loaded l;
};

static void start(struct session *s)
{
	maker_init(&s->k, false);
	maker_prog(&s->k, "p0", "kprobe/f", BPF_PROG_TYPE_KPROBE,
		"r0 = 0\nr0 = 1\nr0 = 2\nr0 = 3\nr0 = 4\nexit\n");
	maker_probe(&s->k, "sched_ext:dispatch", "sched_ext", "dispatch", 0);
	assert_int_equal(maker_write(&s->k), 0);
	assert_int_equal(load_open(&s->l, &s->k.a, &s->k.t, &s->k.d, s->k.object.p, s->k.object.n),
		0);
}

static void end(struct session *s)
{
	load_close(&s->l);
	maker_free(&s->k);
}

static const struct {
	const char *log;
	const char *cause, *hint; /* parts of the message; hint NULL: a bug report is asked for */
	uint32_t line, col;
} cases[] = {
	{"0: R1=ctx() R10=fp0\n; text @ t.skep:2\n0: (79) r6 = *(u64 *)(r1 +0)\n"
	 "5: (bf) r3 = r8\nR8 !read_ok\n"
	 "processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0\n",
		"never set on some path (kernel: \"R8 !read_ok\"", NULL, 2, 21},
	{"func#0 @0\nPrivate stack not supported by jit\nprocessed 0 insns (limit 1000000)\n",
		"private stack", "built-in queues", 1, 1},
	{"0: (b7) r1 = 0                        ; R1=0\n1: (85) call "
	 "scx_bpf_dsq_move_to_local#98598\n"
	 "calling kernel function scx_bpf_dsq_move_to_local is not allowed\nprocessed 2 insns\n",
		"may not be called from this operation", "calls each operation allows", 2, 3},
	{"5: (05) goto pc-3\ninfinite loop detected at insn 3\ncur state: R1=ctx() R10=fp0\n"
	 "old state: R1=ctx() R10=fp0\nprocessed 13 insns\n",
		"loop that does not end", "bound", 2, 21},
	{"1: (b7) r1 = 0\n; p.scx.weight = 0 @ demo.sched:2\n2: (63) *(u32 *)(r6 +100) = r1\n"
	 "processed 3 insns (limit 1000000)\n",
		"2: (63) *(u32 *)(r6 +100) = r1", NULL, 2, 3},
	{"7: (85) call f#1\nR1 is odd in a new way\n\nVerification failed: Call Type Safety: x\n\n"
	 "Reason:\n  The first argument (R1) to f\n  is not what it wants.\n\nAt:\n  p0\n"
	 "  >>> 7 | (85) call\n\nSuggestion:\n  Pass something else.\n\nprocessed 7 insns\n",
		"The first argument (R1) to f is not what it wants.", NULL, 2, 21},
	/* what writers of schedulers get wrong, as 6.12, 7.2 and 7.3 say it */
	{"0: (79) r6 = *(u64 *)(r1 +8)          ; R1=ctx() R6_w=trusted_ptr_or_null_task_struct(id=1)\n"
	 "; let x = prev.flags @ demo.sched:2\n5: (79) r1 = *(u64 *)(r6 +0)\n"
	 "R6 invalid mem access 'trusted_ptr_or_null_'\nprocessed 2 insns (limit 1000000)\n",
		"may be NULL without a check", NULL, 2, 21},
	{"9: (85) call bpf_map_lookup_elem#1\n; c = c + 1 @ demo.sched:3\n"
	 "2: (79) r1 = *(u64 *)(r0 +0)\nR0 invalid mem access 'map_value_or_null'\n\n"
	 "Verification failed: Memory Safety: x\n\nReason:\n  R0 may be NULL here.\n\nprocessed 9\n",
		"may be NULL without a check", NULL, 2, 3},
	{"1: (b7) r1 = 0                        ; R1=0\n; p.scx.weight = 0 @ demo.sched:2\n"
	 "2: (63) *(u32 *)(r6 +892) = r1\nR6 cannot write into ptr_task_struct at off=892 size=4\n"
	 "processed 3 insns (limit 1000000)\n",
		"does not let programs write this field", "scx.slice", 2, 3},
	{"1: (b4) w2 = -1                       ; R2_w=0xffffffff\n"
	 "5: (85) call scx_bpf_create_dsq#64\n"
	 "program must be sleepable to call sleepable kfunc scx_bpf_create_dsq\nprocessed 3 insns\n",
		"may sleep, and this operation may not", "init", 2, 21},
	{"0: (85) call scx_bpf_get_idle_cpumask#105878\n; } @ demo.sched:2\n5: (95) exit\n"
	 "Unreleased reference id=1 alloc_insn=0\n"
	 "BPF_EXIT instruction in main prog would lead to reference leak\nprocessed 3 insns\n",
		"is not given back on some path", NULL, 2, 21},
	{"4: (bf) r4 = r7\n5: (85) call scx_bpf_dispatch#60\n"
	 "arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar\n"
	 "processed 7 insns (limit 1000000)\n",
		"wants a kernel pointer", NULL, 2, 21},
	{"2: (95) exit\n5: (15) if r0 == 0x0 goto pc+19 BPF program is too large. Processed 1000001 insn\n"
	 "processed 1000001 insns (limit 1000000)\n",
		"too long for the verifier", "shorten its loops", 2, 21},
	{"doesn't have 4-th argument\n", "fewer arguments", NULL, 1, 1},
	{"", "does not allow", NULL, 1, 1},
	{"\n\n\n", "does not allow", NULL, 1, 1},
	{"\033[31m evil \007 0: (", "\"?[31m evil ? 0: (\"", NULL, 1, 1},
};

static void test_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct session s;
		struct diag_pos pos;
		const struct diag *e;

		start(&s);
		vlog_report(&s.l, 0, cases[i].log, 13);
		assert_int_equal(s.k.d.list.n, 1);
		e = &s.k.d.list.v[0];
		if (!strstr(e->message, cases[i].cause))
			fail_msg("case %zu: '%s' not in: %s", i, cases[i].cause, e->message);
		assert_non_null(strstr(e->message, "sched_ext:dispatch"));
		if (!strstr(e->hint, cases[i].hint ? cases[i].hint : "please report"))
			fail_msg("case %zu: hint is %s", i, e->hint);
		for (const char *c = e->message; *c; c++)
			assert_true((unsigned char)*c >= 32);
		pos = diag_locate(&s.k.d, e->at[0].off);
		assert_int_equal(pos.line, cases[i].line);
		assert_int_equal(pos.col, cases[i].col);
		end(&s);
	}
}

/* The word at the place is marked, not the rest of the line. */
static void test_span(void **state)
{
	struct session s;

	(void)state;
	start(&s);
	assert_int_equal(prog_span(&s.l, 0, 0).len, 1); /* "@" of "@[pid]" */
	assert_int_equal(prog_span(&s.l, 0, 5).len, 6); /* "printf" */
	assert_int_equal(diag_locate(&s.k.d, prog_span(&s.l, 0, 5).off).col, 21);
	end(&s);
}

static const struct {
	enum sys_what what;
	const char *kind;
	int err;
	enum diag_id id;
	const char *part;
} errnos[] = {
	{SYS_MAP, "", EPERM, DIAG_NO_PERMISSION, "CAP_BPF"},
	{SYS_MAP, "ringbuf", EINVAL, DIAG_NO_KERNEL_FEATURE, "5.8"},
	{SYS_PROG, "", 524, DIAG_NO_KERNEL_FEATURE, "bpf_jit_enable"},
	{SYS_ATTACH, "cgroup_skb", EBADF, DIAG_NO_SUCH_TARGET, "cgroup2"},
	{SYS_ATTACH, "kprobe", ENOENT, DIAG_NO_SUCH_TARGET, "no such function"},
	{SYS_ATTACH, "xdp", ENODEV, DIAG_NO_SUCH_INTERFACE, "no such interface"},
	{SYS_ATTACH, "interval", EPERM, DIAG_NO_PERMISSION, "perf_event_paranoid"},
	{SYS_OPS, "", EBUSY, DIAG_SCHED, "another scheduler"},
	{SYS_OPS, "", EINVAL, DIAG_SCHED, "refuses its settings"},
	{SYS_OPS, "", E2BIG, DIAG_SCHED, "30000 at most"},
	{SYS_OPS, "", EIO, DIAG_ATTACH, "Input/output error"},
	{SYS_RUN, "", EIO, DIAG_SYSTEM, "Input/output error"},
};

static void test_errnos(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(*errnos); i++) {
		struct session s;
		struct buf b;

		start(&s);
		assert_int_equal(sys_error(&s.l, errnos[i].what, errnos[i].kind, NO_SPAN,
					 errnos[i].err, "cannot do '%s'", "it"),
			SKEP_ESYS);
		buf_init(&b, &s.k.a);
		diags_render_buf(&s.k.d, &b, false);
		assert_int_equal(s.k.d.list.v[0].id, errnos[i].id);
		if (!strstr(b.p, errnos[i].part) || !strstr(b.p, "cannot do 'it'"))
			fail_msg("'%s' not in: %s", errnos[i].part, b.p);
		end(&s);
	}
}

#define X(what, kind, err, id, cause, hint) {what, kind, err},
static const struct {
	enum sys_what what;
	const char *kind;
	int err;
} table[] = {
#include "load/syserr.def"
};
#undef X

/* A row behind one that takes everything it would take is never used. */
static void test_no_dead_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		for (size_t k = 0; k < i; k++) {
			bool hides = table[k].what == table[i].what &&
				     table[k].err == table[i].err &&
				     (!*table[k].kind || !strcmp(table[k].kind, table[i].kind));

			if (hides)
				fail_msg("row %zu of syserr.def is hidden by row %zu", i, k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_errnos),
		cmocka_unit_test(test_no_dead_rows),
	};

	return cmocka_run_group_tests_name("vlog", tests, NULL, NULL);
}
