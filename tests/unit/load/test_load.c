/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From written object to loaded program and back: maps, values, runs, refusals. Attaches nothing.
 */
#include "objmake.h"
#include "load/internal.h"
#include <cmocka.h>
#include <bpf/bpf.h>
#include <dirent.h>
#include <sys/wait.h>

struct session {
	struct maker k;
	struct loaded l;
};

static int open_session(struct session *s)
{
	int err = maker_write(&s->k);

	if (err)
		diags_render(&s->k.d, stderr, false);
	assert_int_equal(err, 0);
	return load_open(&s->l, &s->k.a, &s->k.t, &s->k.d, s->k.object.p, s->k.object.n);
}

static void loads(struct session *s)
{
	int err = open_session(s);

	if (!err)
		err = load_programs(&s->l, NULL);
	if (err)
		diags_render(&s->k.d, stderr, false);
	assert_int_equal(err, 0);
}

static void end_session(struct session *s)
{
	load_close(&s->l);
	maker_free(&s->k);
}

static void test_kprobe_loads(void **state)
{
	struct session s;
	struct load_options o = {.stats = true};

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&s.k, true);
	maker_sample(&s.k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	assert_int_equal(open_session(&s), 0);
	assert_int_equal(load_programs(&s.l, &o), 0);
	assert_true(s.l.prog[0].fd >= 0);
	assert_int_equal(s.l.prog[0].insns, s.k.code[0].n);
	assert_true(s.l.prog[0].verified > 20);
	assert_true(s.l.prog[0].xlated > 0);
	end_session(&s);
}

/* A program's answer below zero is the kernel's error number for what it tried. */
static void test_run_refused(void **state)
{
	struct session s;

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&s.k, true);
	maker_prog(&s.k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, "r0 = -12\nexit\n");
	loads(&s);
	assert_int_equal(load_run_prog(&s.l, 0), SKEP_ESYS);
	assert_int_equal(s.k.d.list.n, 1);
	assert_non_null(strstr(s.k.d.list.v[0].message, "cannot run 'p0'"));
	end_session(&s);
}

static void test_run_and_read(void **state)
{
	struct session s;
	uint64_t key = (uint64_t)getpid(), v = 0, counters[512], vars[4];

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&s.k, true);
	maker_sample(&s.k, "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT);
	loads(&s);
	assert_int_equal(load_run_prog(&s.l, 0), 0);
	assert_int_equal(load_run_prog(&s.l, 0), 0);
	assert_int_equal(bpf_map_lookup_elem(s.l.map_fd[0], &key, &v), 0);
	assert_int_equal(v, 2);
	assert_non_null(s.l.map_mem[2]);
	assert_int_equal(((uint64_t *)s.l.map_mem[2])[1], 2);
	assert_int_equal(load_value_get(&s.l, 2, counters), 0);
	assert_int_equal(counters[1], 2);
	assert_int_equal(load_value_get(&s.l, 4, vars), 0);
	assert_int_equal(vars[0], 5);
	assert_int_equal(vars[2], 4711); /* from constant data, by the program */
	assert_int_equal(vars[3], 8);
	vars[0] = 99;
	assert_int_equal(load_value_set(&s.l, 4, vars), 0);
	assert_int_equal(((uint64_t *)s.l.map_mem[4])[0], 99);
	assert_true(load_value_set(&s.l, 3, vars) < 0);
	key = 0;
	assert_true(bpf_map_update_elem(s.l.map_fd[3], &key, vars, 0) < 0); /* frozen */
	end_session(&s);
}

/* The last diagnostic, rendered: what the user reads. */
static const char *said(struct session *s)
{
	struct buf b;

	buf_init(&b, &s->k.a);
	diags_render_buf(&s->k.d, &b, false);
	return b.p ? b.p : "";
}

static void assert_says(struct session *s, enum diag_id id, const char *part)
{
	assert_true(s->k.d.list.n > 0);
	if (s->k.d.list.v[0].id != id || !strstr(said(s), part))
		fail_msg("not '%s' but: %s", part, said(s));
}

static void test_refused_at_the_line(void **state)
{
	struct session s;

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&s.k, true);
	maker_map(&s.k, "counts", MM_USER, BPF_MAP_TYPE_HASH, 8, 8, 128);
	maker_prog(&s.k, "p0_bad", "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE,
		"*(u64 *)(r10 - 8) = 1\nr2 = r10\nr2 += -8\nr1 = map[0] ll\ncall 1\n"
		"r0 = *(u64 *)(r0 + 0)\nexit\n");
	maker_probe(&s.k, "kprobe:vfs_read", "kprobe", "vfs_read", 0);
	assert_int_equal(open_session(&s), 0);
	assert_int_equal(load_programs(&s.l, NULL), SKEP_ESYS);
	assert_says(&s, DIAG_VERIFIER,
		"the kernel refused 'kprobe:vfs_read': it uses a pointer that "
		"may be NULL");
	assert_says(&s, DIAG_VERIFIER, "t.skep:2:3");
	assert_int_equal(s.l.prog[0].fd, -1);
	assert_int_equal(s.l.map_fd[0], -1); /* nothing stays */
	end_session(&s);
}

static void test_unknown_map_type(void **state)
{
	struct session s;

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&s.k, true);
	maker_map(&s.k, "odd", MM_USER, 12345, 8, 8, 128);
	maker_prog(&s.k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, "r0 = 0\nexit\n");
	assert_int_equal(open_session(&s), 0);
	assert_int_equal(load_programs(&s.l, NULL), SKEP_ESYS);
	assert_says(&s, DIAG_NO_KERNEL_FEATURE, "cannot create map 'odd'");
	end_session(&s);
}

static void test_without_permission(void **state)
{
	struct session s;
	int status;
	pid_t pid;

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&s.k, true);
	maker_sample(&s.k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	assert_int_equal(open_session(&s), 0);
	pid = fork();
	if (!pid) {
		bool ok = !setresuid(65534, 65534, 65534) &&
			  load_programs(&s.l, NULL) == SKEP_ESYS && s.k.d.list.n == 1 &&
			  s.k.d.list.v[0].id == DIAG_NO_PERMISSION && s.k.d.list.v[0].hint;

		if (!ok)
			diags_render(&s.k.d, stderr, false);
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	end_session(&s);
}

static void test_kfunc_by_name(void **state)
{
	struct session s;

	(void)state;
	maker_init(&s.k, true);
	if (!kernel_allows() || !s.k.t.btf || !kbtf_func(s.k.t.btf, "bpf_rcu_read_lock"))
		skip();
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "bpf_rcu_read_unlock" : "bpf_rcu_read_lock";
		uint32_t id = kbtf_func(s.k.t.btf, name);

		/* The second one's id is wrong, as if compiled elsewhere. */
		vec_push(&s.k.a, &s.k.m.kfuncs,
			(struct ir_kfunc){name, i ? id + 77 : id,
				kbtf_func_proto(s.k.t.btf, id)});
	}
	maker_prog(&s.k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"call kfunc 0\ncall kfunc 1\nr0 = 0\nexit\n");
	loads(&s);
	assert_int_equal(load_run_prog(&s.l, 0), 0);
	end_session(&s);
}

static void test_kfunc_missing(void **state)
{
	struct session s;

	(void)state;
	maker_init(&s.k, true);
	if (!kernel_allows() || !s.k.t.btf)
		skip();
	vec_push(&s.k.a, &s.k.m.kfuncs, (struct ir_kfunc){"scx_bpf_no_such", 0, 0});
	maker_prog(&s.k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"call kfunc 0\nr0 = 0\nexit\n");
	assert_int_equal(open_session(&s), 0);
	assert_int_equal(load_programs(&s.l, NULL), SKEP_ESYS);
	assert_says(&s, DIAG_NO_KERNEL_FEATURE, "no function 'scx_bpf_no_such'");
	end_session(&s);
}

/* Offsets that were right elsewhere are replaced by this kernel's. */
static void test_portable_fields(void **state)
{
	static const struct ir_field fields[] = {
		{.root = "task_struct", .path = "real_parent", .off = 8, .size = 8,
			.type = {.kind = IRT_BTF}},
		{.root = "task_struct", .path = "se.vruntime", .off = 40, .size = 8,
			.type = {.kind = IRT_I64}},
		{.root = "task_struct", .path = "comm", .off = 48, .size = 16,
			.type = {.kind = IRT_I64}},
		{.root = "task_struct", .path = "se.sum_exec_runtime", .off = 64, .size = 8,
			.type = {.kind = IRT_I64}},
	};
	struct session s;
	uint64_t got[4];

	(void)state;
	maker_init(&s.k, true);
	if (!kernel_allows() || !s.k.t.btf)
		skip();
	s.k.meta.portable = true;
	for (int i = 0; i < 4; i++)
		ir_add_field(&s.k.m, fields[i]);
	maker_map(&s.k, "vars", MM_DATA, BPF_MAP_TYPE_ARRAY, 4, sizeof(got), 1);
	maker_prog(&s.k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r1 = map[0]+0 ll\nr2 = 8\n*(u64 *)(r1 + 0) = r2\nr2 = 40\n*(u64 *)(r1 + 8) = r2\n"
		"r2 = 48\n*(u64 *)(r1 + 16) = r2\nr2 = 64\n*(u64 *)(r1 + 24) = r2\n"
		"r0 = 0\nexit\n");
	for (uint32_t i = 0; i < 4; i++)
		vec_push(&s.k.a, &s.k.code[0].relocs,
			(struct code_reloc){.kind = CR_FIELD, .insn = 2 + 2 * i, .index = i});
	loads(&s);
	assert_int_equal(load_run_prog(&s.l, 0), 0);
	assert_int_equal(load_value_get(&s.l, 0, got), 0);
	for (int i = 0; i < 4; i++) {
		struct kbtf_member m, n = {0};
		const char *dot = strchr(fields[i].path, '.');
		uint32_t task = kbtf_find_struct(s.k.t.btf, "task_struct");

		assert_true(kbtf_find_member(s.k.t.btf, task, dot ? "se" : fields[i].path, &m));
		if (dot)
			assert_true(kbtf_find_member(s.k.t.btf, kbtf_strip(s.k.t.btf, m.type),
				dot + 1, &n));
		assert_int_equal(got[i], (m.bit_off + n.bit_off) / 8);
	}
	end_session(&s);
}

static void test_portable_field_missing(void **state)
{
	struct session s;

	(void)state;
	maker_init(&s.k, true);
	if (!kernel_allows() || !s.k.t.btf)
		skip();
	s.k.meta.portable = true;
	ir_add_field(&s.k.m, (struct ir_field){.root = "task_struct", .path = "no_such_field",
				     .off = 8, .size = 8, .type = {.kind = IRT_I64}});
	maker_prog(&s.k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, "r0 = 8\nexit\n");
	vec_push(&s.k.a, &s.k.code[0].relocs,
		(struct code_reloc){.kind = CR_FIELD, .insn = 0, .index = 0});
	assert_int_equal(open_session(&s), 0);
	assert_int_equal(load_programs(&s.l, NULL), SKEP_ESYS);
	assert_says(&s, DIAG_NO_SUCH_FIELD, "'struct task_struct' has no field 'no_such_field'");
	end_session(&s);
}

/* Loaded and filled, never registered. */
static void test_struct_ops(void **state)
{
	static const char *const ops[] = {"ssthresh", "undo_cwnd", "cong_avoid"};
	struct session s;
	struct meta_ops o = {.type = "tcp_congestion_ops", .name = "skep_test", .map = 0};

	(void)state;
	maker_init(&s.k, true);
	if (!kernel_allows() || !s.k.t.btf ||
		!kbtf_find_struct(s.k.t.btf, "bpf_struct_ops_tcp_congestion_ops"))
		skip();
	maker_map(&s.k, "skep_test", MM_STRUCT_OPS, BPF_MAP_TYPE_STRUCT_OPS, 4, 0, 1);
	for (uint32_t i = 0; i < 3; i++) {
		maker_prog(&s.k, ops[i], arena_printf(&s.k.a, "struct_ops/%s", ops[i]),
			BPF_PROG_TYPE_STRUCT_OPS, "r0 = 2\nexit\n");
		s.k.meta.progs.v[i].ops = 0;
		s.k.meta.progs.v[i].member = i;
		vec_push(&s.k.a, &o.members, (struct meta_ops_member){.name = ops[i], .prog = i});
	}
	vec_push(&s.k.a, &o.members,
		(struct meta_ops_member){.name = "name", .prog = META_NONE, .text = "skep_test"});
	vec_push(&s.k.a, &s.k.meta.ops, o);
	loads(&s);
	for (int i = 0; i < 3; i++)
		assert_true(s.l.prog[i].fd >= 0);
	assert_int_equal(structops_fill(&s.l, 0), 0);
	end_session(&s);
}

static void test_struct_ops_refusals(void **state)
{
	struct session s;
	struct meta_ops o = {.type = "sched_ext_ops", .name = "sched", .map = 0};

	(void)state;
	maker_init(&s.k, true);
	if (!kernel_allows() || !s.k.t.btf || kbtf_find_struct(s.k.t.btf, "sched_ext_ops"))
		skip(); /* for kernels without schedulers only */
	maker_map(&s.k, "sched", MM_STRUCT_OPS, BPF_MAP_TYPE_STRUCT_OPS, 4, 0, 1);
	maker_prog(&s.k, "p0", "struct_ops/enqueue", BPF_PROG_TYPE_STRUCT_OPS, "r0 = 0\nexit\n");
	s.k.meta.progs.v[0].ops = s.k.meta.progs.v[0].member = 0;
	vec_push(&s.k.a, &o.members, (struct meta_ops_member){.name = "enqueue", .prog = 0});
	vec_push(&s.k.a, &s.k.meta.ops, o);
	assert_int_equal(open_session(&s), 0);
	assert_int_equal(load_programs(&s.l, NULL), SKEP_ESYS);
	assert_says(&s, DIAG_NO_KERNEL_FEATURE, "this kernel has no 'sched_ext_ops'");
	end_session(&s);
}

static void test_features(void **state)
{
	struct maker k;

	(void)state;
	if (!kernel_allows())
		skip();
	maker_init(&k, true);
	load_probe_features(&k.t);
	assert_true(target_has(&k.t, KF_RINGBUF));
	assert_int_equal(load_probe_feature(KF_RAW_TP_TEST_RUN), 1);
	assert_int_equal(load_probe_feature(KF_BTF), k.t.btf ? 1 : 0);
	/* What came later implies what came earlier. */
	if (load_probe_feature(KF_CPU_V4) == 1)
		assert_int_equal(load_probe_feature(KF_ATOMICS), 1);
	assert_int_equal(load_probe_feature(KF_SCHED_EXT), -1);
	maker_free(&k);
}

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Out of memory at any moment of loading: everything taken from the kernel is given back. */
static void test_no_memory(void **state)
{
	struct session s;
	unsigned files = 0;
	int code = SKEP_ENOMEM;

	(void)state;
	if (!kernel_allows())
		skip();
	for (long n = 0; code == SKEP_ENOMEM; n++) {
		maker_init(&s.k, false);
		maker_sample(&s.k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
		assert_int_equal(maker_write(&s.k), 0);
		memset(&s.l, 0, sizeof(s.l));
		files = open_files();
		if (setjmp(s.k.trap.env)) {
			code = s.k.trap.code;
		} else {
			s.k.a.fail_after = n;
			code = load_open(&s.l, &s.k.a, &s.k.t, &s.k.d, s.k.object.p,
				s.k.object.n);
			if (!code)
				code = load_programs(&s.l, NULL);
		}
		s.k.a.fail_after = -1;
		if (!code)
			assert_true(open_files() > files);
		load_close(&s.l);
		assert_int_equal(open_files(), files);
		maker_free(&s.k);
	}
	assert_int_equal(code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kprobe_loads),
		cmocka_unit_test(test_run_and_read),
		cmocka_unit_test(test_run_refused),
		cmocka_unit_test(test_refused_at_the_line),
		cmocka_unit_test(test_unknown_map_type),
		cmocka_unit_test(test_without_permission),
		cmocka_unit_test(test_kfunc_by_name),
		cmocka_unit_test(test_kfunc_missing),
		cmocka_unit_test(test_portable_fields),
		cmocka_unit_test(test_portable_field_missing),
		cmocka_unit_test(test_struct_ops),
		cmocka_unit_test(test_struct_ops_refusals),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
