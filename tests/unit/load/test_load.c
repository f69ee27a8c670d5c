/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From written object to loaded program and back: maps, values, runs, refusals. Attaches nothing. */
#include "objmake.h"
#include <bpf/bpf.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kprobe_loads),
		cmocka_unit_test(test_run_and_read),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
