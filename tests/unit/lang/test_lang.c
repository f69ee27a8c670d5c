/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables of the language, printf formats, lang_compile, and what goldens cannot show. */
#include "base/fmt.h"
#include "lang/check.h"
#include "tests/unit/lang/langtest.h"
#include <dirent.h>
#include <stdio.h>

/* ---- tables ---- */

static void builtins_are_sorted(void **state)
{
	(void)state;
	for (int i = 1; i < BI_COUNT; i++) {
		const struct builtin *a = builtin_row((enum builtin_id)(i - 1)),
				     *b = builtin_row((enum builtin_id)i);

		/* values first, then functions */
		if (!a->args == !b->args && strcmp(a->name, b->name) >= 0)
			fail_msg("'%s' stands before '%s'", a->name, b->name);
		assert_false(a->args && !b->args);
	}
}

static void unsupported_is_sorted_and_new(void **state)
{
	const struct unsupported *a, *b;

	(void)state;
	for (unsigned i = 0; (a = unsupported_at(i)); i++) {
		b = unsupported_at(i + 1);
		if (b && a->kind == b->kind && strcmp(a->name, b->name) >= 0)
			fail_msg("'%s' stands before '%s'", a->name, b->name);
		if (a->kind == UNSUP_PROBE)
			assert_int_equal(kern_probe_by_name(a->name), -1);
		if (a->kind == UNSUP_VALUE)
			assert_int_equal(builtin_value(a->name), -1);
		if (a->kind == UNSUP_FUNC)
			assert_true(builtin_function(a->name) < 0 && !agg_by_name(a->name));
	}
}

static void aggs_match_meta(void **state)
{
	const struct agg *g;
	unsigned n = 0;

	(void)state;
	for (; (g = agg_at(n)); n++)
		assert_string_equal(g->name, meta_agg_text(g->id));
	assert_int_equal(n, MA_COUNT_ - 1); /* all but MA_NONE */
}

static void builtin_probes_exist(void **state)
{
	(void)state;
	for (int i = 0; i < BI_COUNT; i++) {
		const char *s = builtin_row((enum builtin_id)i)->probes;

		for (s += *s == '!'; *s;) {
			size_t n = strcspn(s, " ");
			char name[32] = "";

			assert_true(n < sizeof(name));
			memcpy(name, s, n);
			if (kern_probe_by_name(name) < 0)
				fail_msg("'%s' has the unknown probe kind '%s'",
					builtin_row((enum builtin_id)i)->name, name);
			s += n + (s[n] == ' ');
		}
	}
	assert_true(builtin_in_probe(builtin_row(BI_ARG0), "kprobe"));
	assert_false(builtin_in_probe(builtin_row(BI_ARG0), "kretprobe"));
	assert_false(builtin_in_probe(builtin_row(BI_COMM), "xdp"));
	assert_true(builtin_in_probe(builtin_row(BI_COMM), "kprobe"));
}

/* ---- formats ---- */

static void formats(void **state)
{
	static const struct {
		const char *text;
		uint32_t start, len;
		char conv;
		int width, precision;
	} cases[] = {
		{"%d", 0, 2, 'd', -1, -1},
		{"a%%b%sc", 4, 2, 's', -1, -1},
		{"%-16s|", 0, 5, 's', 16, -1},
		{"%08llx", 0, 6, 'x', 8, -1},
		{"%5.3d", 0, 5, 'd', 5, 3},
		{"%.s", 0, 3, 's', -1, 0},
		{"%\n%%%d%", 4, 2, 'd', -1, -1},
		{"%5", 0, 2, 0, 5, -1},
		{"%rx", 0, 3, 'r', -1, -1},
		{"%999999999999d", 0, 14, 'd', 4096, -1},
		{"%hhd", 0, 4, 'd', -1, -1},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t pos = 0, n = (uint32_t)strlen(cases[i].text);
		struct fmt_spec v;

		assert_true(fmt_next(cases[i].text, n, &pos, &v));
		assert_int_equal(v.start, cases[i].start);
		assert_int_equal(v.len, cases[i].len);
		assert_int_equal(v.conv, cases[i].conv);
		assert_int_equal(v.width, cases[i].width);
		assert_int_equal(v.precision, cases[i].precision);
		assert_false(fmt_next(cases[i].text, n, &pos, &v));
		assert_int_equal(pos, n);
	}
}

/* ---- what goldens cannot show ---- */

static void no_such_interface(void **state)
{
	static const char text[] = "xdp:nosuchif0x { drop(); }";
	struct langtest t;

	(void)state;
	langtest_init(&t, NULL);
	t.t.host = true; /* only then are interfaces looked up */
	langtest_parse(&t, text, strlen(text));
	check_script(t.s);
	assert_int_equal(t.d.errors, 1);
	assert_int_equal(t.d.list.v[0].id, DIAG_NO_SUCH_INTERFACE);
	assert_int_equal(t.d.list.v[0].at[0].len, strlen("nosuchif0x"));
	langtest_free(&t);
}

/* Every message of the language has a golden case. */
static void every_id_has_a_case(void **state)
{
	static const enum diag_id not_here[] = {DIAG_NO_SUCH_INTERFACE /* above */,
		DIAG_NO_PERMISSION, DIAG_VERIFIER, DIAG_ATTACH, DIAG_SYSTEM, DIAG_BAD_OBJECT,
		DIAG_BAD_OPTION, DIAG_IR, DIAG_BAD_LIST /* unit/load/test_sets */};
	static char all[1u << 20];
	struct dirent *e;
	size_t n = 0;
	DIR *d = opendir("tests/golden/diag");

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		char path[512];
		FILE *f;

		snprintf(path, sizeof(path), "tests/golden/diag/%s", e->d_name);
		f = strstr(path, ".case") ? fopen(path, "rb") : NULL;
		if (f) {
			n += fread(all + n, 1, sizeof(all) - 1 - n, f);
			fclose(f);
		}
	}
	closedir(d);
	for (unsigned id = 0; id < DIAG_COUNT; id++) {
		char text[64];
		bool skip = false;

		for (unsigned i = 0; i < sizeof(not_here) / sizeof(*not_here); i++)
			skip |= not_here[i] == id;
		snprintf(text, sizeof(text), " [%s]\n", diag_id_text((enum diag_id)id));
		if (!skip && !strstr(all, text))
			fail_msg("no case in tests/golden/diag gives%s", text);
	}
}

static void compile_all_steps(void **state)
{
	static const char text[] = "kprobe:vfs_read { @[comm] = count(); }";
	struct lang_options o = {.dump = "types"};
	struct langtest t;
	struct buf out;

	(void)state;
	langtest_init(&t, NULL);
	if (setjmp(t.trap.env))
		fail_msg("%s", t.trap.message);
	buf_init(&out, &t.a);
	o.dump_out = &out;
	assert_int_equal(lang_compile(&t.m, "-e", text, strlen(text), &o), SKEP_OK);
	assert_non_null(strstr(out.p, "# @[string[16]]: count"));
	assert_int_equal(t.m.fns.n, 1);
	assert_int_equal(lang_compile(&t.m, "-e", "oops", 4, &o), SKEP_EUSER);
	langtest_free(&t);
}

static void environment_wins(void **state)
{
	static const char text[] =
		"config = { max_strlen = 64; max_map_keys = 7 }\nBEGIN { @[1] = 1 }";
	static const char *const settings[] = {"max_strlen=200", "no_such=1", "missing_probes=error",
		"print_maps_on_exit=false", "max_map_keys=", NULL};
	struct langtest t;

	(void)state;
	langtest_init(&t, NULL);
	langtest_parse(&t, text, strlen(text));
	t.s->settings = settings;
	check_script(t.s);
	assert_int_equal(t.d.errors, 0);
	assert_int_equal(t.s->config.max_strlen, 200);
	assert_int_equal(t.s->config.max_keystr, 200);
	assert_int_equal(t.s->config.max_map_keys, 7);
	assert_false(t.s->config.print_maps_on_exit);
	langtest_free(&t);
}

static const struct meta_ops_member *member_of(const struct meta_ops *o, const char *name)
{
	for (uint32_t i = 0; i < o->members.n; i++) {
		if (!strcmp(o->members.v[i].name, name))
			return &o->members.v[i];
	}
	fail_msg("the table of operations has no '%s'", name);
	return NULL;
}

/* The kernel's table: what the script sets, and the operations that skep adds. */
static void scheduler_table(void **state)
{
	static const char text[] = "config = { sched_flags = SCX_OPS_ENQ_LAST | SCX_OPS_ENQ_EXITING"
		" | 0x100; sched_timeout_ms = 7; sched_dispatch_max_batch = 8;"
		" sched_exit_dump_len = 9; sched_name = \"a.b\"; }\n"
		"sched_ext:cpu_online { @ = count(); }";
	struct langtest t;
	const struct meta_ops *o;

	(void)state;
	langtest_init(&t, "x86_64-7.3");
	langtest_parse(&t, text, strlen(text));
	check_script(t.s);
	assert_string_equal(langtest_diags(&t), "");
	langtest_lower(&t, "scheduler_table");
	assert_int_equal(t.meta.ops.n, 1);
	o = &t.meta.ops.v[0];
	assert_string_equal(o->type, "sched_ext_ops");
	assert_int_equal(member_of(o, "flags")->value, 2 | 4 | 0x100);
	assert_int_equal(member_of(o, "timeout_ms")->value, 7);
	assert_int_equal(member_of(o, "dispatch_max_batch")->value, 8);
	assert_int_equal(member_of(o, "exit_dump_len")->value, 9);
	assert_string_equal(member_of(o, "name")->text, "a.b");
	assert_int_not_equal(member_of(o, "cpu_online")->prog, META_NONE);
	assert_int_not_equal(member_of(o, "cpu_offline")->prog, META_NONE);
	assert_int_not_equal(member_of(o, "exit")->prog, META_NONE);
	assert_int_equal(t.meta.progs.n, 3);
	langtest_free(&t);
}

/* What c++filt says without its parameters; what has no plain name has none. */
static void names_of_cpp(void **state)
{
	static const struct {
		const char *symbol, *name;
	} cases[] = {
		{"_Z5plaini", "plain"},
		{"_ZN2ns1fEi", "ns::f"},
		{"_ZN2ns6Server3runEi", "ns::Server::run"},
		{"_ZNK2ns6Server6handleEi", "ns::Server::handle"},
		{"_ZN2ns6ServerC1Ev", "ns::Server::Server"},
		{"_ZN2ns6ServerD2Ev", "ns::Server::~Server"},
		{"_ZSt4moveii", "std::move"},
		{"_ZNSt6thread4joinEv", "std::thread::join"},
		{"_ZL3fooi", "foo"},
		{"_ZN2ns2ttIiEET_S1_", NULL},
		{"_Z2ttIiET_S0_", NULL},
		{"_ZN2nsplERKS_", NULL},
		{"_ZN9", NULL},
		{"_ZN2ns1f", NULL},
		{"_ZC1Ev", NULL},
		{"_ZN99999999999999999999999ab", NULL},
		{"_Z", NULL},
		{"main", NULL},
		{"", NULL},
	};
	struct arena a;
	struct trap trap;

	(void)state;
	arena_init(&a, &trap);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *name = cpp_name(&a, cases[i].symbol);

		if (cases[i].name)
			assert_string_equal(name ? name : "none", cases[i].name);
		else
			assert_null(name);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builtins_are_sorted),
		cmocka_unit_test(unsupported_is_sorted_and_new),
		cmocka_unit_test(aggs_match_meta),
		cmocka_unit_test(builtin_probes_exist),
		cmocka_unit_test(formats),
		cmocka_unit_test(no_such_interface),
		cmocka_unit_test(every_id_has_a_case),
		cmocka_unit_test(compile_all_steps),
		cmocka_unit_test(environment_wins),
		cmocka_unit_test(names_of_cpp),
		cmocka_unit_test(scheduler_table),
	};

	return cmocka_run_group_tests_name("lang", tests, NULL, NULL);
}
