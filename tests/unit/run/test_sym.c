/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of addresses: this process, one that has ended, the kernel's list, files that are no ELF. */
#include "run/sym.h"
#include "load/load.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct env {
	struct arena a;
	struct loaded l;
	struct target t;
	struct sym *s;
};

static int setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	arena_init(&e->a, NULL);
	e->l.a = &e->a;
	e->l.target = &e->t;
	meta_init(&e->l.meta, &e->a);
	e->s = sym_new(&e->a, &e->l);
	*state = e;
	return 0;
}

static int teardown(void **state)
{
	struct env *e = *state;

	sym_free(e->s);
	arena_free(&e->a);
	free(e);
	return 0;
}

/* Not static and not inlined, so that .symtab has it. */
__attribute__((noinline)) int function_to_be_found(int x);
int function_to_be_found(int x)
{
	return x + getpid();
}

static uint64_t address_of_it(void)
{
	return (uint64_t)(uintptr_t)&function_to_be_found;
}

static void own_function(void **state)
{
	struct env *e = *state;
	struct sym_name n;

	assert_true(sym_user(e->s, (uint32_t)getpid(), address_of_it() + 3, &n));
	assert_string_equal(n.name, "function_to_be_found");
	assert_int_equal(n.off, 3);
	assert_non_null(strstr(n.where, "test_sym"));
	assert_true(sym_user(e->s, (uint32_t)getpid(), address_of_it(), &n));
	assert_int_equal(n.off, 0);
}

static void library_function(void **state)
{
	struct env *e = *state;
	struct sym_name n;

	assert_true(sym_user(e->s, (uint32_t)getpid(), (uint64_t)(uintptr_t)&qsort + 1, &n));
	assert_non_null(strstr(n.name, "qsort"));
}

/* Seen while it ran, asked for after its end; one that nobody saw is unknown. */
static void ended_process(void **state)
{
	struct env *e = *state;
	struct sym_name n;
	pid_t seen = fork(), unseen;

	if (!seen)
		pause();
	sym_seen(e->s, (uint32_t)seen);
	kill(seen, SIGKILL);
	assert_int_equal(waitpid(seen, NULL, 0), seen);
	assert_true(sym_user(e->s, (uint32_t)seen, address_of_it() + 1, &n));
	assert_string_equal(n.name, "function_to_be_found");
	unseen = fork();
	if (!unseen)
		_exit(0);
	assert_int_equal(waitpid(unseen, NULL, 0), unseen);
	assert_false(sym_user(e->s, (uint32_t)unseen, address_of_it(), &n));
	assert_string_equal(n.where, "[unknown]");
}

static void nowhere(void **state)
{
	struct env *e = *state;
	struct sym_name n;

	assert_false(sym_user(e->s, (uint32_t)getpid(), 0, &n));
	assert_false(sym_user(e->s, (uint32_t)getpid(), UINT64_MAX, &n));
}

static char *write_file(const char *text, size_t n)
{
	char *path = strdup("/tmp/skep-sym-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	return path;
}

static void kernel(void **state)
{
	static const char text[] = "ffffffff81000000 t local_alias\n"
				   "ffffffff81000000 T first\n"
				   "ffffffff81000200 T third\t[module]\n"
				   "ffffffff81000100 t second\n"
				   "ffffffff81000180 D data\n"
				   "0000000000000000 T hidden\n"
				   "no line at all\n"
				   "ffffffff81000300 T without_newline";
	struct env *e = *state;
	struct sym_name n;

	e->t.ksyms = write_file(text, sizeof(text) - 1);
	assert_true(sym_kernel(e->s, 0xffffffff81000010, &n));
	assert_string_equal(n.name, "first");
	assert_int_equal(n.off, 0x10);
	assert_true(sym_kernel(e->s, 0xffffffff81000190, &n));
	assert_string_equal(n.name, "second");
	assert_int_equal(n.off, 0x90);
	assert_true(sym_kernel(e->s, 0xffffffff81000200, &n));
	assert_string_equal(n.name, "third");
	assert_false(sym_kernel(e->s, 0xffffffff80ffffff, &n));
	assert_false(sym_kernel(e->s, 0xffffffffff000000, &n));
	assert_false(sym_kernel(e->s, 0, &n));
	unlink(e->t.ksyms);
	free((char *)(uintptr_t)e->t.ksyms);
}

/* Every length of a real file's beginning, and bytes of it changed: nothing may be read elsewhere. */
static void damaged_elf(void **state)
{
	struct env *e = *state;
	unsigned char head[4096];
	FILE *self = fopen("/proc/self/exe", "re");
	size_t n = fread(head, 1, sizeof(head), self);
	uint64_t off;

	fclose(self);
	for (size_t i = 0; i < 200; i++) {
		unsigned char copy[4096];
		char *path;
		struct elf_syms *syms;

		memcpy(copy, head, n);
		if (i < 64)
			memset(copy + i, 0xff, 8);
		path = write_file((char *)copy, i < 64 ? n : i * 4);
		self = fopen(path, "re");
		syms = elf_syms_new(&e->a, dup(fileno(self)), "/nowhere");
		fclose(self);
		elf_syms_at(syms, 100, &off);
		elf_syms_close(syms);
		unlink(path);
		free(path);
	}
}

/* The build id of a file in memory, as the path that its symbols have. */
static void debug_path(const unsigned char *p, char *out, size_t room)
{
	const Elf64_Ehdr *h = (const void *)p;
	const Elf64_Shdr *sh = (const void *)(p + h->e_shoff);

	for (unsigned i = 0; i < h->e_shnum; i++) {
		const unsigned char *note = p + sh[i].sh_offset;
		int n;

		if (sh[i].sh_type != SHT_NOTE || memcmp(note + 8, "\3\0\0\0GNU", 8))
			continue;
		n = snprintf(out, room, "%02x", note[16]);
		out[n++] = '/';
		for (unsigned k = 1; k < note[4]; k++)
			n += snprintf(out + n, room - (size_t)n, "%02x", note[16 + k]);
		snprintf(out + n, room - (size_t)n, ".debug");
		return;
	}
	fail_msg("this program has no build id");
}

/* One function of several names, as malloc is: the one without underscores is printed. */
int zz_work(void);
int __lib_zz_work(void) __attribute__((alias("zz_work")));
int _a_zz_work(void) __attribute__((alias("zz_work")));
int zz_work(void)
{
	return 3;
}

static void name_without_underscores(void **state)
{
	extern const char __executable_start[];
	uint64_t at = (uint64_t)((uintptr_t)&zz_work - (uintptr_t)__executable_start), off = 1;
	struct env *e = *state;
	int fd = open("/proc/self/exe", O_RDONLY);

	assert_string_equal(elf_syms_at(elf_syms_new(&e->a, fd, "/nowhere"), at, &off), "zz_work");
	assert_int_equal(off, 0);
}

/* A file without .symtab: its functions are found in the one that its build id names. */
static void separate_symbols(void **state)
{
	extern const char __executable_start[];
	uint64_t at = (uint64_t)((uintptr_t)&separate_symbols - (uintptr_t)__executable_start), off = 1;
	struct env *e = *state;
	char dir[] = "/tmp/skep-debug-XXXXXX", name[128], *path, *link, *folder;
	FILE *self = fopen("/proc/self/exe", "re");
	static unsigned char bytes[64 << 20];
	size_t n = fread(bytes, 1, sizeof(bytes), self);
	Elf64_Shdr *sh = (void *)(bytes + ((Elf64_Ehdr *)(void *)bytes)->e_shoff);
	struct elf_syms *syms = elf_syms_new(&e->a, dup(fileno(self)), "/nowhere");

	fclose(self);
	assert_string_equal(elf_syms_at(syms, at, &off), "separate_symbols");
	debug_path(bytes, name, sizeof(name));
	for (unsigned i = 0; i < ((Elf64_Ehdr *)(void *)bytes)->e_shnum; i++) {
		if (sh[i].sh_type == SHT_SYMTAB)
			sh[i].sh_type = SHT_NULL;
	}
	path = write_file((char *)bytes, n);
	assert_non_null(mkdtemp(dir));
	assert_true(asprintf(&folder, "%s/%.2s", dir, name) > 0 && asprintf(&link, "%s/%s", dir, name) > 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	syms = elf_syms_new(&e->a, open(path, O_RDONLY), dir);
	assert_null(elf_syms_at(syms, at, &off)); /* not there yet */
	assert_int_equal(symlink("/proc/self/exe", link), 0);
	syms = elf_syms_new(&e->a, open(path, O_RDONLY), dir);
	off = 1;
	assert_string_equal(elf_syms_at(syms, at, &off), "separate_symbols");
	assert_int_equal(off, 0);
	unlink(path), unlink(link), rmdir(folder), rmdir(dir);
	free(path), free(link), free(folder);
}

static void numbers_without_symbols(void **state)
{
	struct env *e = *state;
	struct meta_field f = {.kind = MK_KSTACK, .size = 8};
	struct buf out;

	buf_init(&out, &e->a);
	sym_stack_text(NULL, &e->l.meta, &out, &f, 77);
	sym_kernel_text(NULL, &out, 0x10);
	sym_user_text(NULL, &out, 1, 0x20);
	assert_string_equal(out.p, "770x100x20");
}

/* The list of a runtime that makes code as it goes; it grows, and later lines win. */
static void jitted_function(void **state)
{
	struct env *e = *state;
	struct sym_name n;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("1000 20 Lmain;::run with blanks\nno line\n1020 10 other\n1000 4 half a li", f);
	fclose(f);
	assert_true(sym_user(e->s, (uint32_t)getpid(), 0x1005, &n));
	assert_string_equal(n.name, "Lmain;::run with blanks");
	assert_int_equal(n.off, 5);
	assert_true(sym_user(e->s, (uint32_t)getpid(), 0x102f, &n));
	assert_string_equal(n.name, "other");
	assert_false(sym_user(e->s, (uint32_t)getpid(), 0x1030, &n));
	f = fopen(path, "ae");
	fputs("ne\n1030 8 new\n", f);
	fclose(f);
	assert_true(sym_user(e->s, (uint32_t)getpid(), 0x1030, &n));
	assert_string_equal(n.name, "new");
	assert_true(sym_user(e->s, (uint32_t)getpid(), 0x1001, &n));
	assert_string_equal(n.name, "half a line");
	unlink(path);
}

/* A side table with one kind of stack, written and read again. */
static bool survives(struct env *e, uint32_t limit, uint32_t table_bytes, uint32_t spill_type)
{
	struct meta_map table = {.name = "t", .kname = "t", .role = MM_STACKS, .type = 7,
		.key_size = 4, .value_size = table_bytes, .max_entries = 1,
		.present_off = META_NONE};
	struct meta_map spill = {.name = "s", .kname = "s", .role = MM_STACK_SPILL,
		.type = spill_type, .key_size = 8, .value_size = 8 + 8 * limit, .max_entries = 1,
		.present_off = META_NONE};
	struct meta_stack row = {META_STACK_PERF, limit, 0, 1};
	struct meta m, back;
	const char *why;
	struct buf bytes;
	bool ok;

	meta_init(&m, &e->a);
	vec_push(&e->a, &m.maps, table);
	vec_push(&e->a, &m.maps, spill);
	vec_push(&e->a, &m.stacks, row);
	buf_init(&bytes, &e->a);
	meta_write(&m, &bytes);
	ok = meta_read(&back, &e->a, bytes.p, bytes.n, &why);
	if (ok) {
		assert_int_equal(back.stacks.n, 1);
		assert_memory_equal(&back.stacks.v[0], &row, sizeof(row));
	}
	return ok;
}

static void stack_rows(void **state)
{
	struct env *e = *state;

	assert_true(survives(e, 5, 40, 1));
	assert_false(survives(e, 5, 48, 1));	  /* more frames than said */
	assert_false(survives(e, 5, 40, 5));	  /* a value for each CPU */
	assert_false(survives(e, 2000, 16000, 1)); /* more than any buffer has */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(own_function, setup, teardown),
		cmocka_unit_test_setup_teardown(library_function, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_process, setup, teardown),
		cmocka_unit_test_setup_teardown(nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(name_without_underscores, setup, teardown),
		cmocka_unit_test_setup_teardown(separate_symbols, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_elf, setup, teardown),
		cmocka_unit_test_setup_teardown(jitted_function, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_without_symbols, setup, teardown),
	};

	return cmocka_run_group_tests_name("run/sym", tests, NULL, NULL);
}
