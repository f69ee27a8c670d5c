/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The library as its users see it: results, messages, lack of memory, a BEGIN that runs. */
#include "driver/driver.h"
#include "skep/load.h"
#include "skep/run.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TARGET "tests/targets/x86_64-6.1.target"

static struct skep *new_for(const char *target)
{
	struct skep_options o = {.target = target};
	struct skep *s;

	assert_int_equal(skep_new(&s, &o), SKEP_OK);
	return s;
}

static int compile(struct skep *s, const char *text)
{
	return skep_compile(s, "t", text, strlen(text), NULL);
}

/* What stands in every script's way is told; nothing is told without a reason. */
static void results(void **state)
{
	struct skep *s = new_for(TARGET);
	const void *object;
	size_t size;

	(void)state;
	assert_int_equal(compile(s, "kprobe:vfs_read { @[comm] = count(); }"), SKEP_OK);
	assert_string_equal(skep_messages(s, false), "");
	object = skep_object(s, &size);
	assert_non_null(object);
	assert_memory_equal(object, "\177ELF", 4);
	skep_free(s);

	s = new_for(TARGET);
	assert_int_equal(compile(s, "kprobe:vfs_read { $a = $b; }"), SKEP_EUSER);
	assert_non_null(strstr(skep_messages(s, false), "t:1:24: error: "));
	assert_null(skep_object(s, &size));
	skep_free(s);
	skep_free(NULL);
}

static void bad_target(void **state)
{
	struct skep_options o = {.target = "tests/targets/none"};
	struct skep *s;

	(void)state;
	assert_int_equal(skep_new(&s, &o), SKEP_EUSER);
	assert_non_null(strstr(skep_messages(s, false), "cannot use the target"));
	skep_free(s);
}

static void same_bytes(void **state)
{
	static const char text[] = "kprobe:vfs_read { @a[comm, pid] = count(); @b = hist(arg2); }"
				   "END { printf(\"%d\\n\", 1); }";
	struct skep *s = new_for(TARGET), *t = new_for(TARGET);
	const void *p, *q;
	size_t n, m;

	(void)state;
	assert_int_equal(compile(s, text), SKEP_OK);
	assert_int_equal(compile(t, text), SKEP_OK);
	p = skep_object(s, &n);
	q = skep_object(t, &m);
	assert_int_equal(n, m);
	assert_memory_equal(p, q, n);
	skep_free(s);
	skep_free(t);
}

/* Every stage gives text, also one after another in the form that can be read again. */
static void stages(void **state)
{
	const char *stage, *text = "kprobe:vfs_read /pid > 5/ { @[comm] = count(); }";

	(void)state;
	for (unsigned i = 0; (stage = skep_stage(i, NULL)); i++) {
		struct skep_compile_options o = {.dump = stage};
		struct skep *s = new_for(TARGET);

		assert_int_equal(skep_compile(s, "t", text, strlen(text), &o), SKEP_OK);
		if (!*skep_dump(s))
			fail_msg("stage %s shows nothing", stage);
		skep_free(s);
	}
}

static void out_of_memory(void **state)
{
	static const char text[] =
		"tracepoint:syscalls:sys_enter_openat { @n[str(args.filename)] = count();"
		" if (pid == 1) { printf(\"%s\\n\", comm); } }";
	int err = SKEP_ENOMEM, failures = 0;

	(void)state;
	for (long n = 0; err == SKEP_ENOMEM; n++) {
		struct skep *s = new_for(TARGET);

		s->a.fail_after = n;
		err = compile(s, text);
		if (err == SKEP_ENOMEM) {
			failures++;
			assert_string_equal(skep_messages(s, false), "skep: error: out of memory\n");
			/* Nothing works any more, and nothing crashes. */
			assert_int_equal(compile(s, text), SKEP_ENOMEM);
			assert_int_equal(skep_load(s, NULL), SKEP_ENOMEM);
		}
		skep_free(s);
	}
	assert_int_equal(err, SKEP_OK);
	assert_true(failures > 0);
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Whenever memory ends while loading and running: a code, and nothing left open. */
static void out_of_memory_loading(void **state)
{
	static const char text[] = "BEGIN { printf(\"%d\\n\", 1); @x[comm] = hist(5); @y = count(); }";
	int err = SKEP_ENOMEM, before = open_descriptors();
	FILE *null = fopen("/dev/null", "w");

	(void)state;
	for (long n = 0; err == SKEP_ENOMEM; n++) {
		struct skep_run_options o = {.out = null, .err = null};
		struct skep *s;
		int status;

		assert_int_equal(skep_new(&s, NULL), SKEP_OK);
		assert_int_equal(compile(s, text), SKEP_OK);
		s->a.fail_after = n;
		err = skep_load(s, NULL);
		if (!err)
			err = skep_run(s, &o, &status);
		s->a.fail_after = -1;
		if (err == SKEP_ESYS && strstr(skep_messages(s, false), "[permission]"))
			err = SKEP_OK;
		skep_free(s);
	}
	fclose(null);
	assert_int_equal(err, SKEP_OK);
	assert_int_equal(open_descriptors(), before);
}

static int broken(struct skep *s, void *fn)
{
	s->fn = fn;
	s->pass = "test";
	trap_raise(&s->trap, SKEP_EBUG, "value %d", 7);
}

static void bug(void **state)
{
	struct skep *s = new_for(TARGET);

	(void)state;
	assert_int_equal(guarded(s, broken, NULL), SKEP_EBUG);
	assert_non_null(strstr(skep_messages(s, false), "this is a bug in skep: value 7"));
	assert_non_null(strstr(skep_messages(s, false), "pass: test"));
	assert_int_equal(compile(s, "BEGIN { }"), SKEP_EBUG);
	skep_free(s);
}

static void passes_on_text(void **state)
{
	struct skep_compile_options o = {.dump = "ir"};
	const char *text = "kprobe:vfs_read /pid > 5/ { @[comm] = count(); }";
	struct skep *s = new_for(TARGET), *t = new_for(TARGET), *u = new_for(TARGET);

	(void)state;
	assert_int_equal(skep_compile(s, "t", text, strlen(text), &o), SKEP_OK);
	assert_int_equal(skep_run_passes(t, "x.ir", "nonsense", 8, "fold"), SKEP_EUSER);
	assert_int_equal(skep_run_passes(u, "x.ir", "", 0, "nopass"), SKEP_EUSER);
	assert_non_null(strstr(skep_messages(u, false), "no pass 'nopass'"));
	skep_free(s);
	skep_free(t);
	skep_free(u);
}

static void garbage_objects(void **state)
{
	static const char not_elf[] = "#!/bin/sh\n";
	struct skep *s = new_for(TARGET);
	char *copy;
	const void *object;
	size_t size;

	(void)state;
	assert_int_equal(compile(s, "kprobe:vfs_read { @[comm] = count(); }"), SKEP_OK);
	object = skep_object(s, &size);
	for (size_t n = 0; n < size; n += 1 + size / 97) {
		struct skep *t = new_for(TARGET);

		copy = malloc(n ? n : 1); /* exactly that large: reading on is seen */
		memcpy(copy, object, n);
		assert_int_equal(skep_open(t, copy, n), SKEP_EUSER);
		assert_non_null(strstr(skep_messages(t, false), "error"));
		skep_free(t);
		free(copy);
	}
	skep_free(s);
	s = new_for(TARGET);
	assert_int_equal(skep_open(s, not_elf, sizeof(not_elf)), SKEP_EUSER);
	skep_free(s);
}

/* Runs a script without events in the kernel; NULL where that is not allowed. */
static char *run_here(const char *text, bool json, int *status, size_t *size)
{
	struct skep *s;
	struct skep_run_options o = {.json = json, .err = fopen("/dev/null", "w")};
	char *out = NULL;
	int err;

	assert_int_equal(skep_new(&s, NULL), SKEP_OK);
	err = compile(s, text);
	if (err)
		fail_msg("%s", skep_messages(s, false));
	err = skep_load(s, NULL);
	if (err && strstr(skep_messages(s, false), "[permission]")) {
		fclose(o.err);
		skep_free(s);
		return NULL;
	}
	if (err)
		fail_msg("%s", skep_messages(s, false));
	o.out = open_memstream(&out, size);
	err = skep_run(s, &o, status);
	fclose(o.out);
	fclose(o.err);
	if (err)
		fail_msg("%s", skep_messages(s, false));
	skep_free(s);
	return out;
}

static void expect_run(const char *text, bool json, int want_status, const char *want)
{
	int status;
	size_t size;
	char *got = run_here(text, json, &status, &size);

	if (!got)
		skip();
	assert_string_equal(got, want);
	assert_int_equal(status, want_status);
	free(got);
}

static void runs(void **state)
{
	(void)state;
	expect_run("BEGIN { printf(\"hello %d\\n\", 42); }", false, 0, "hello 42\n\n\n");
	expect_run("BEGIN { @x = 3; @y[1, 2] = 4; } END { printf(\"bye\\n\"); }", false, 0,
		"bye\n\n\n@x: 3\n@y[1, 2]: 4\n");
	expect_run("BEGIN { @s = sum(5); @s = sum(-7); @c = count(); @a = avg(3); @a = avg(4);"
		   " @m = min(-2); @x = max(9); }",
		false, 0, "\n\n@a: 3\n@c: 1\n@m: -2\n@s: -2\n@x: 9\n");
	expect_run("BEGIN { $r = (a=1, b=\"hi\", c=(2, 3)); print($r); @x[$r] = (ok=true); }", true, 0,
		"{\"type\": \"value\", \"data\": {\"a\": 1, \"b\": \"hi\", \"c\": [2,3]}}\n"
		"{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n"
		"{\"type\": \"map\", \"data\": {\"@x\": {\"{ .a = 1, .b = hi, .c = (2, 3) }\":"
		" {\"ok\": true}}}}\n");
	expect_run("BEGIN { @h = hist(5); @h = hist(6); @h = hist(-1); @h = hist(0); }", true, 0,
		"{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n"
		"{\"type\": \"hist\", \"data\": {\"@h\": [{\"max\": -1, \"count\": 1},"
		"{\"min\": 0, \"max\": 0, \"count\": 1},{\"min\": 1, \"max\": 1, \"count\": 0},"
		"{\"min\": 2, \"max\": 3, \"count\": 0},{\"min\": 4, \"max\": 7, \"count\": 2}]}}\n");
}

static void exits(void **state)
{
	(void)state;
	expect_run("BEGIN { printf(\"a\\n\"); exit(3); printf(\"b\\n\"); } END { printf(\"c\\n\"); }",
		false, 3, "a\nc\n\n\n");
	/* What user space does comes after the program: print() and clear() see both. */
	expect_run("BEGIN { @[1] = 5; print(@); clear(@); @[2] = 6; }", false, 0,
		"@[1]: 5\n@[2]: 6\n\n\n");
}

__attribute__((used)) uint32_t skep_test_object = 5;

/* This program as one that is loaded where it says, or anywhere; the script's answer about it. */
static void address_in(unsigned char e_type, const char *body, const char *want)
{
	char path[] = "/tmp/skep-uaddr.XXXXXX", script[256];
	FILE *exe = fopen("/proc/self/exe", "re"), *to = fdopen(mkstemp(path), "w");
	struct skep *s;
	size_t n = 0;
	int c, err;

	while ((c = getc(exe)) != EOF)
		putc(n++ == 16 ? e_type : c, to);
	fclose(exe);
	fclose(to);
	snprintf(script, sizeof(script), "uprobe:%s:main { %s }", path, body);
	assert_int_equal(skep_new(&s, NULL), SKEP_OK);
	err = skep_compile(s, "t", script, strlen(script), NULL);
	unlink(path);
	if (!want) {
		assert_string_equal(skep_messages(s, false), "");
		assert_int_equal(err, SKEP_OK);
	} else {
		assert_int_equal(err, SKEP_EUSER);
		assert_non_null(strstr(skep_messages(s, false), want));
	}
	skep_free(s);
}

static void addresses(void **state)
{
	(void)state;
	address_in(2, "static_assert(sizeof(*uaddr(\"skep_test_object\")) == 4, \"size\"); "
		      "@ = *uaddr(\"skep_test_object\"); @p = uaddr(\"main\");", NULL);
	address_in(2, "@ = uaddr(\"skep_no_object\");", "has no symbol 'skep_no_object'");
	address_in(3, "@ = uaddr(\"skep_test_object\");", "loaded anywhere");
	address_in(2, "@ = uaddr(1);", "takes a name in quotes");
}

/* Built once, opened by another: the same output, with no compiler in between. */
static void build_and_load(void **state)
{
	static const char text[] = "BEGIN { printf(\"%s\\n\", \"kept\"); @x[1] = 2; }";
	struct skep_compile_options co = {.portable = true};
	struct skep_run_options o = {.err = fopen("/dev/null", "w")};
	struct skep *s, *t;
	const void *object;
	char *out = NULL;
	size_t size, n;
	int status;

	(void)state;
	assert_int_equal(skep_new(&s, NULL), SKEP_OK);
	assert_int_equal(skep_compile(s, "t", text, strlen(text), &co), SKEP_OK);
	object = skep_object(s, &size);
	assert_int_equal(skep_new(&t, NULL), SKEP_OK);
	assert_int_equal(skep_open(t, object, size), SKEP_OK);
	if (!skep_load(t, NULL)) {
		o.out = open_memstream(&out, &n);
		assert_int_equal(skep_run(t, &o, &status), SKEP_OK);
		fclose(o.out);
		assert_string_equal(out, "kept\n\n\n@x[1]: 2\n");
		free(out);
	} else {
		assert_non_null(strstr(skep_messages(t, false), "[permission]"));
	}
	fclose(o.err);
	skep_free(t);
	skep_free(s);
}

/* `skep … | head`: the reader has gone, and that is no error. */
static void closed_pipe(void **state)
{
	static const char text[] = "BEGIN { printf(\"x\\n\"); } END { printf(\"y\\n\"); }";
	struct skep_run_options o = {.err = fopen("/dev/null", "w")};
	struct skep *s;
	int fd[2], status;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	o.out = fdopen(fd[1], "w");
	assert_int_equal(skep_new(&s, NULL), SKEP_OK);
	assert_int_equal(compile(s, text), SKEP_OK);
	if (!skep_load(s, NULL)) {
		assert_int_equal(skep_run(s, &o, &status), SKEP_OK);
		assert_int_equal(status, 0);
		assert_string_equal(skep_messages(s, false), "");
	}
	skep_free(s);
	fclose(o.out);
	fclose(o.err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(bad_target),
		cmocka_unit_test(same_bytes),
		cmocka_unit_test(stages),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(out_of_memory_loading),
		cmocka_unit_test(bug),
		cmocka_unit_test(passes_on_text),
		cmocka_unit_test(garbage_objects),
		cmocka_unit_test(runs),
		cmocka_unit_test(exits),
		cmocka_unit_test(build_and_load),
		cmocka_unit_test(addresses),
		cmocka_unit_test(closed_pipe),
	};

	return cmocka_run_group_tests_name("driver/skep", tests, NULL, NULL);
}
