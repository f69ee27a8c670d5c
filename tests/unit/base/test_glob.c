/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Patterns of names: as libc's fnmatch answers, over random patterns and texts. */
#include "base/glob.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_as_libc),
	};

	return cmocka_run_group_tests_name("base/glob", tests, NULL, NULL);
}
