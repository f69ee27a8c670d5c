/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inputs that would exhaust the stack, memory or patience of a careless parser. */
#include "tests/unit/lang/langtest.h"
#include <stdio.h>
#include <stdlib.h>

#define MB10 (10u << 20)

/* head, then unit repeated up to size bytes, then tail */
static char *make_text(const char *head, const char *unit, const char *tail, size_t size)
{
	size_t n = strlen(head), u = strlen(unit);
	char *text = malloc(size + n + u + strlen(tail) + 1);

	assert_non_null(text);
	memcpy(text, head, n);
	for (; n < size; n += u)
		memcpy(text + n, unit, u);
	strcpy(text + n, tail);
	return text;
}

/* Parsed and, if sound, checked. */
static void compile_text(struct langtest *t, const char *text)
{
	langtest_init(t, NULL);
	if (setjmp(t->trap.env))
		fail_msg("%.60s: %s", text, t->trap.message);
	langtest_parse(t, text, strlen(text));
	if (!t->d.errors)
		check_script(t->s);
}

static void compile(
	struct langtest *t, const char *head, const char *unit, const char *tail, size_t size)
{
	char *text = make_text(head, unit, tail, size);

	compile_text(t, text);
	free(text);
}

/* The first message has this id; 0 errors when id is DIAG_COUNT. */
static void expect(
	const char *head, const char *unit, const char *tail, size_t size, enum diag_id id)
{
	struct langtest t;

	compile(&t, head, unit, tail, size);
	if (id == DIAG_COUNT && t.d.errors)
		fail_msg("'%.30s': %s", unit, t.d.list.v[0].message);
	if (id != DIAG_COUNT && (!t.d.errors || t.d.list.v[0].id != id))
		fail_msg("'%.30s': expected %s, got %s", unit, diag_id_text(id),
			t.d.errors ? t.d.list.v[0].message : "nothing");
	langtest_free(&t);
}

static void deep_nesting(void **state)
{
	static const char *const units[] = {"(", "!", "- ", "{", "if (1) {", "@x[", "f(", "1 ? ",
		"1 ? 1 : ", "(uint64)", "(a, ", "*", "++", "a[", "(1 + ", "unroll (2) {",
		"if 1 { } else { "};

	(void)state;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		expect("BEGIN { ", units[i], "1 }", 1u << 20, DIAG_TOO_DEEP);
}

static void long_chains(void **state)
{
	static const char *const units[] = {" + 1", ".b", "->b", "[1]", " && a", " in {1}", " - a"};

	(void)state;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		expect("BEGIN { @ = a", units[i], " }", 1u << 20, DIAG_TOO_DEEP);
}

static void deep_enough(void **state)
{
	(void)state;
	expect("BEGIN { @ = 1", " + 1", "; }", 300 * 4, DIAG_COUNT);
	expect("BEGIN { ", "if 1 { } else ", "{ } }", 14 * 20000, DIAG_COUNT);
	expect("BEGIN { @ = ", "(", "1 ))))))))))))))))))))))))))))))))))))))) }", 12 + 39,
		DIAG_COUNT);
	expect("BEGIN { ", "if (1) { ", "} } } } } } } } } } }", 8 + 9 * 10, DIAG_COUNT);
}

static void ten_megabytes(void **state)
{
	(void)state;
	expect("BEGIN { @ = 1 } //", "x", "", MB10, DIAG_COUNT);
	expect("BEGIN { @ = 1 } /*", "* /", "*/", 1u << 20, DIAG_COUNT);
	expect("BEGIN { @ = 1 }", " ", "", 1u << 20, DIAG_COUNT);
	expect("BEGIN { @ = 1 }", ";", "", 1u << 20, DIAG_COUNT);
	expect("BEGIN { @ = \"", "x", "\" }", 1u << 20, DIAG_TOO_BIG);
	expect("BEGIN { @ = ", "1", " }", 1u << 20, DIAG_BAD_NUMBER);
	expect("BEGIN { @", "x", " = 1 }", 1u << 20, DIAG_TOO_BIG);
	expect("BEGIN { ", "@x = 1; ", "}", MB10, DIAG_TOO_BIG);
	expect("BEGIN { f(", "1, ", "1) }", 1u << 20, DIAG_TOO_BIG);
	expect("", "BEGIN { @ = 1 } ", "", 1u << 20, DIAG_COUNT);
	expect("kprobe:", "x", " { }", 1u << 20, DIAG_COUNT);
	expect("kprobe:a", ",kprobe:a", " { }", 1u << 20, DIAG_COUNT);
	expect("", "\n#define A 1", "\nBEGIN { @ = A }", 1u << 20, DIAG_COUNT);
	expect("", "\n#if 0", "", 1u << 20, DIAG_UNTERMINATED);
}

static void megabytes_of_nonsense(void **state)
{
	static const char *const units[] = {"`@", "\"", "\\\"\n", "\x01", "\xff", "'", "{", "}",
		"/", "@x=;", "$", "#", "kprobe:a ", ":", "x", "0x", "1.1.1.1", "::", "BEGIN{",
		"BEGIN{`}", "/**/(", "\"\\"};

	(void)state;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++) {
		struct langtest t;

		compile(&t, "", units[i], "", 1u << 20);
		if (!t.d.errors)
			fail_msg("'%s' was accepted", units[i]);
		langtest_free(&t);
		compile(&t, "BEGIN { ", units[i], "", 1u << 20);
		if (!t.d.errors)
			fail_msg("'BEGIN { %s' was accepted", units[i]);
		langtest_free(&t);
	}
}

/* Every use doubles: only a budget ends this. */
static void define_doubling(void **state)
{
	char text[4096];
	int n = 0;
	struct langtest t;

	(void)state;
	for (int i = 0; i < 30; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "#define A%d (A%d + A%d)\n", i,
			i + 1, i + 1);
	snprintf(text + n, sizeof(text) - (size_t)n, "#define A30 1\nBEGIN { @ = A0 }");
	compile_text(&t, text);
	assert_true(t.d.errors > 0);
	assert_int_equal(t.d.list.v[0].id, DIAG_TOO_BIG);
	langtest_free(&t);
}

/* Types that settle one map a round, against the order of the script. */
static void type_chain(int length, int errors)
{
	char text[16384];
	int n = snprintf(text, sizeof(text), "BEGIN { ");
	struct langtest t;

	for (int i = 0; i < length; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "@a%d = @a%d; ", i, i + 1);
	snprintf(text + n, sizeof(text) - (size_t)n, "@a%d = comm }", length);
	compile_text(&t, text);
	assert_int_equal(t.d.errors, errors);
	if (errors)
		assert_int_equal(t.d.list.v[0].id, DIAG_TOO_BIG);
	langtest_free(&t);
}

static void long_type_chain(void **state)
{
	(void)state;
	type_chain(50, 0);
	type_chain(400, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_nesting),
		cmocka_unit_test(long_chains),
		cmocka_unit_test(deep_enough),
		cmocka_unit_test(ten_megabytes),
		cmocka_unit_test(megabytes_of_nonsense),
		cmocka_unit_test(define_doubling),
		cmocka_unit_test(long_type_chain),
	};

	return cmocka_run_group_tests_name("lang limits", tests, NULL, NULL);
}
