/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions of ELF files: this program itself, and damaged copies of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/trap.h"
#include "kern/uelf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((used)) uint16_t uelf_object[2] = {1, 2};
int uelf_marker(int x);
__attribute__((noinline, used)) int uelf_marker(int x)
{
	return x * 3;
}

struct seen {
	unsigned n, marker;
};

static void note(const struct uelf_func *f, void *arg)
{
	struct seen *s = arg;

	s->n++;
	s->marker += !strcmp(f->name, "uelf_marker");
	assert_null(strchr(f->name, '@'));
}

static void own_program(void **state)
{
	struct trap trap;
	struct arena a;
	const char *why;
	struct uelf *u;
	struct uelf_func f, o;
	struct seen s = {0};
	uint64_t off;

	(void)state;
	arena_init(&a, &trap);
	u = uelf_open(&a, "/proc/self/exe", &why);
	assert_non_null(u);
	uelf_each_function(u, note, &s);
	assert_true(s.n > 10);
	assert_true(s.marker >= 1);
	assert_true(uelf_find(u, "uelf_marker", &f));
	assert_true(f.size > 0);
	assert_true(uelf_file_offset(u, f.addr, &off));
	assert_false(uelf_file_offset(u, UINT64_MAX - 10, &off));
	assert_true(uelf_find_object(u, "uelf_object", &o));
	assert_int_equal(o.size, sizeof(uelf_object));
	assert_true(o.addr - f.addr == (uint64_t)(uintptr_t)uelf_object - (uint64_t)(uintptr_t)uelf_marker);
	assert_true(uelf_moves(u) || o.addr == (uint64_t)(uintptr_t)uelf_object);
	assert_false(uelf_find_object(u, "uelf_marker", &f));
	assert_false(uelf_find(u, "uelf_object", &f));
	assert_false(uelf_find(u, "no_such_function", &f));
	uelf_close(u);
	assert_null(uelf_open(&a, "/etc/passwd", &why));
	assert_null(uelf_open(&a, "/nonexistent", &why));
	assert_null(uelf_open(&a, "/etc", &why));
	arena_free(&a);
}

static void ignore_usdt(const struct uelf_usdt *p, void *arg)
{
	unsigned *n = arg;

	*n += (unsigned)(strlen(p->provider) + strlen(p->name) + strlen(p->args));
}

/* Headers and tables with random bytes in them: anything may come out, nothing may crash. */
static void damaged(void **state)
{
	char path[] = "/tmp/uelf.XXXXXX";
	int fd = mkstemp(path);
	struct trap trap;
	struct arena a;
	static char bytes[1 << 16];
	FILE *exe = fopen("/proc/self/exe", "re");
	size_t n = fread(bytes, 1, sizeof(bytes), exe);
	unsigned seed = 1;

	(void)state;
	fclose(exe);
	for (int round = 0; round < 300; round++) {
		char copy[sizeof(bytes)];
		struct seen s = {0};
		const char *why;
		struct uelf *u;
		unsigned total = 0;
		size_t size = round % 3 ? n : (size_t)rand_r(&seed) % n;

		memcpy(copy, bytes, sizeof(copy));
		for (int k = 0; k < 1 + round % 40; k++)
			copy[(size_t)rand_r(&seed) % (k % 2 ? 512 : n)] = (char)rand_r(&seed);
		memcpy(copy, bytes, 20); /* still an ELF file */
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, copy, size, 0), (ssize_t)size);
		arena_init(&a, &trap);
		u = uelf_open(&a, path, &why);
		if (u) {
			struct uelf_func f;

			uelf_each_function(u, note, &s);
			uelf_find_object(u, "none", &f);
			uelf_each_usdt(u, ignore_usdt, &total);
			uelf_close(u);
		}
		arena_free(&a);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_program),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
