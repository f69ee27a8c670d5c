/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The flame graph's boxes, and what of the maps a terminal shows with --live. */
#include "run/flame.h"
#include "run/live.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

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

#define ADD(f, value, ...)                                                                         \
	flame_add(f, (const char *const[]){__VA_ARGS__},                                           \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), value)

static void has(const struct buf *svg, const char *text)
{
	if (!strstr(svg->p, text))
		fail_msg("no '%s' in\n%s", text, svg->p);
}

/* Equal callers share a box; widths are parts of 1180; callees stand in the order of their names. */
static void boxes(void **state)
{
	struct flame *f = flame_new(&a);
	struct buf svg;

	(void)state;
	ADD(f, 1, "main", "write", "vfs_write");
	ADD(f, 2, "main", "read");
	ADD(f, 1, "main", "write");
	buf_init(&svg, &a);
	flame_svg(f, "@x", &svg);
	has(&svg, "data-x=\"10.00\" data-w=\"1180.00\" data-l=\"0\" data-v=\"4\" data-n=\"all\"");
	has(&svg, "data-x=\"10.00\" data-w=\"1180.00\" data-l=\"1\" data-v=\"4\" data-n=\"main\"");
	has(&svg, "data-x=\"10.00\" data-w=\"590.00\" data-l=\"2\" data-v=\"2\" data-n=\"read\"");
	has(&svg, "data-x=\"600.00\" data-w=\"590.00\" data-l=\"2\" data-v=\"2\" data-n=\"write\"");
	has(&svg, "data-x=\"600.00\" data-w=\"295.00\" data-l=\"3\" data-v=\"1\" data-n=\"vfs_write\"");
	has(&svg, "<title>read (2, 50.00%)</title>");
	has(&svg, ">@x</text>");
	assert_int_equal(strncmp(svg.p + svg.n - 7, "</svg>\n", 7), 0);
}

/* Names are any bytes: nothing of them becomes markup. */
static void names(void **state)
{
	struct flame *f = flame_new(&a);
	struct buf svg;

	(void)state;
	ADD(f, 1, "a<b>&\"c\n\xff");
	buf_init(&svg, &a);
	flame_svg(f, "<&>", &svg);
	has(&svg, "data-n=\"a&lt;b&gt;&amp;&quot;c ?\"");
	has(&svg, ">&lt;&amp;&gt;</text>");
	assert_null(strstr(svg.p, "a<b>"));
	assert_null(strchr(svg.p, '\xff'));
}

static void nothing(void **state)
{
	struct flame *f = flame_new(&a);
	struct buf svg;

	(void)state;
	buf_init(&svg, &a);
	flame_svg(f, "@", &svg);
	has(&svg, "</svg>");
}

static void fit(const char *text, unsigned rows, unsigned columns, unsigned lines, const char *want)
{
	struct buf out;

	buf_init(&out, &a);
	buf_puts(&out, "");
	assert_int_equal(live_fit(&out, text, strlen(text), rows, columns), lines);
	assert_string_equal(out.p, want);
}

static void screen(void **state)
{
	(void)state;
	fit("one\ntwo\nthree\n", 5, 80, 3, "one\ntwo\nthree\n");
	fit("one\ntwo\nthree\n", 2, 80, 2, "two\nthree\n");
	fit("one\ntwo\nthree\n", 3, 2, 3, "on\ntw\nth\n");
	fit("a\tb\n", 3, 80, 1, "a b\n");
	fit("\xc3\xa4\xc3\xb6x\n", 3, 2, 1, "\xc3\xa4\xc3\xb6\n"); /* two letters of two bytes */
	fit("", 3, 80, 0, "");
	fit("\n\n", 1, 80, 1, "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(boxes, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(screen, setup, teardown),
	};

	return cmocka_run_group_tests_name("run/flame", tests, NULL, NULL);
}
