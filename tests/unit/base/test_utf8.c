/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every sequence of up to three bytes: what is taken for a character is what libc takes. */
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

static void same(struct buf *b, const char *s, size_t n)
{
	mbstate_t state = {0};
	wchar_t wide = 0;
	size_t want = n && *s ? mbrtowc(&wide, s, n, &state) : 1, took;

	if (wide > 0x10ffff || (wide & ~0x7ff) == 0xd800) /* libc goes beyond Unicode */
		want = (size_t)-1;
	b->n = 0;
	took = buf_utf8(b, s, n);
	if (want >= (size_t)-2) {
		assert_int_equal(took, 1);
		assert_int_equal(b->n, 3);
		assert_memory_equal(b->p, "\xef\xbf\xbd", 3);
	} else {
		assert_int_equal(took, want);
		assert_int_equal(b->n, want);
		assert_memory_equal(b->p, s, want);
	}
}

static void sequences(void **state)
{
	struct arena a;
	struct buf b;
	char s[4] = {0};

	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	arena_init(&a, NULL);
	buf_init(&b, &a);
	for (unsigned i = 0; i < 1u << 16; i++) {
		memcpy(s, (char[]){(char)(i >> 8), (char)i, (char)0xbf}, 3);
		same(&b, s, 1);
		same(&b, s, 2);
		same(&b, s, 3);
		s[2] = 'x';
		same(&b, s, 3);
		memcpy(s, (char[]){(char)(0xf0 | i >> 12), (char)(i >> 4), (char)0x80, (char)(i << 4)}, 4);
		same(&b, s, 4);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sequences)};

	return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
