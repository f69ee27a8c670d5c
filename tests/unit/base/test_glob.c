/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Patterns of names and paths, and what else libc has: as its fnmatch, glob and memmem answer. */
#include "base/arena.h"
#include "base/fmt.h"
#include "base/glob.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_names(void **state)
{
	(void)state;
	assert_true(name_matches("vfs_*", "vfs_read"));
	assert_true(name_matches("*read*", "vfs_readv"));
	assert_true(name_matches("v?s_[a-r]ead", "vfs_read"));
	assert_true(name_matches("[!x]fs", "vfs"));
	assert_true(name_matches("*", ""));
	assert_false(name_matches("vfs_?", "vfs_"));
	assert_false(name_matches("vfs", "vfs_read"));
	assert_false(name_matches("[a", "a"));
	assert_true(name_matches("a\\*", "a*"));
}

static uint64_t rnd(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void random_text(char *to, uint64_t *x)
{
	static const char letters[] = "ab*?]!-c_";
	size_t n = rnd(x) % 8;

	for (; n; n--)
		*to++ = letters[rnd(x) % (sizeof(letters) - 1)];
	*to = 0;
}

static void test_as_libc(void **state)
{
	uint64_t x = 88172645463325252u;
	char pattern[9], text[9];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		random_text(pattern, &x);
		random_text(text, &x);
		if (name_matches(pattern, text) != !fnmatch(pattern, text, 0))
			fail_msg("'%s' and '%s'", pattern, text);
	}
}

static void test_find_as_libc(void **state)
{
	uint64_t x = 88172645463325252u;
	char text[9], what[9];

	(void)state;
	for (int i = 0; i < 300000; i++) {
		size_t n, len;

		random_text(text, &x);
		random_text(what, &x);
		n = strlen(text);
		len = strlen(what) > 3 ? strlen(what) - 3 : 1;
		assert_ptr_equal(glob_find(text, n, what, len), memmem(text, n, what, len));
	}
}

static void test_shares(void **state)
{
	uint64_t x = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint64_t c = (rnd(&x) >> rnd(&x) % 64) + 1, a = rnd(&x) % 8 ? rnd(&x) % c : c;
		uint32_t b = (uint32_t)rnd(&x) >> rnd(&x) % 32;

		assert_int_equal(fmt_share(a, b, c), (uint64_t)((unsigned __int128)a * b / c));
	}
	assert_int_equal(fmt_share(UINT64_MAX, UINT32_MAX, UINT64_MAX), UINT32_MAX);
	assert_int_equal(fmt_share(UINT64_MAX - 1, 2, UINT64_MAX), 1);
}

static void test_files_as_libc(void **state)
{
	static const char *const patterns[] = {"%s/*", "%s/?", "%s/*/*", "%s/*/lib[a-c]*.so*", "%s/d*/",
		"%s/d1/.h*", "%s/*h*", "%s/no", "%s/no*/x", "%s/d1/liba.so", "%s/a/*", "%s/d?/../a",
		"%s/\\a", "%s/d1/lib\\a.so", "%s/.*", "/*", "%s/*/libd*/*"};
	static const char *const files[] = {"a", "b", "d1/liba.so", "d1/libb.so.1", "d1/.hidden",
		"d2/libc.so", "d2/libd.so/x"};
	static const char *const dirs[] = {"d1", "d2", "d2/libd.so"};
	char dir[] = "/tmp/skep-glob-XXXXXX";
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		assert_int_equal(mkdir(arena_printf(&a, "%s/%s", dir, dirs[i]), 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		fclose(fopen(arena_printf(&a, "%s/%s", dir, files[i]), "w"));
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		char *pattern = arena_alloc(&a, 200);
		const char **got;
		glob_t g = {0};

		strcat(pattern, strncmp(patterns[i], "%s", 2) ? patterns[i] : dir);
		if (!strncmp(patterns[i], "%s", 2))
			strcat(pattern, patterns[i] + 2);
		got = file_glob(&a, pattern);
		setenv("LC_ALL", "C", 1);
		glob(pattern, 0, NULL, &g);
		for (size_t k = 0; k < g.gl_pathc; k++)
			assert_string_equal(got[k] ? got[k] : "(end)", g.gl_pathv[k]);
		assert_null(got[g.gl_pathc]);
		globfree(&g);
	}
	for (size_t i = sizeof(files) / sizeof(*files); i-- > 0;)
		unlink(arena_printf(&a, "%s/%s", dir, files[i]));
	for (size_t i = sizeof(dirs) / sizeof(*dirs); i-- > 0;)
		rmdir(arena_printf(&a, "%s/%s", dir, dirs[i]));
	assert_int_equal(rmdir(dir), 0);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_find_as_libc),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_as_libc),
		cmocka_unit_test(test_files_as_libc),
	};

	return cmocka_run_group_tests_name("base/glob", tests, NULL, NULL);
}
