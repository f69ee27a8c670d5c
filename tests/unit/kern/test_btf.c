/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The BTF reader: on small texts of our own, on the machine's kernel when it shows its BTF, and
 * on damaged bytes (meant for SAN=1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kern/btf.h"
#include "kern/file.h"
#include "minibtf.h"
#include <elf.h>
#include <unistd.h>

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

static struct kbtf *of_text(const char *text)
{
	struct buf bytes = minibtf(&a, text);
	const char *why = NULL;
	struct kbtf *b = kbtf_from_bytes(&a, bytes.p, bytes.n, &why);

	if (!b)
		fail_msg("%s", why);
	return b;
}

static struct kbtf *of_file(const char *path)
{
	const char *why = NULL;
	struct kbtf *b = kbtf_open(&a, path, &why);

	if (!b)
		fail_msg("%s", why);
	return b;
}

static struct kbtf_member member(const struct kbtf *b, uint32_t id, const char *name)
{
	struct kbtf_member m;

	if (!kbtf_find_member(b, id, name, &m))
		fail_msg("no member %s", name);
	return m;
}

static void lookup(void **state)
{
	struct kbtf *b = of_text(
		"typedef unsigned int u32; typedef u32 __be32;\n"
		"struct s { char c; u32 n; struct s *next; char name[16]; int grid[2][3]; };\n"
		"typedef struct s s_t; typedef struct { long x; } anon_t; union u { long l; char "
		"c; };\n"
		"struct uses { struct fwd *f; };");
	uint32_t s = kbtf_find_struct(b, "s");
	struct kbtf_info info;

	(void)state;
	assert_int_not_equal(s, 0);
	assert_int_equal(kbtf_size(b, s), 56);
	assert_int_equal(kbtf_strip(b, kbtf_find(b, BTF_KIND_TYPEDEF, "s_t")), s);
	assert_int_equal(kbtf_find_struct(b, "s_t"), s);
	assert_int_equal(kbtf_size(b, kbtf_find_struct(b, "anon_t")), 8);
	assert_int_equal(kbtf_size(b, kbtf_find_struct(b, "u")), 8);
	assert_int_equal(kbtf_find_struct(b, "u32"), 0);
	assert_int_equal(kbtf_find_struct(b, "fwd"), 0);
	assert_int_equal(kbtf_find(b, BTF_KIND_STRUCT, "none"), 0);
	assert_int_equal(kbtf_find(b, BTF_KIND_STRUCT, "none"), 0); /* from the cache */
	assert_int_equal(kbtf_find(b, BTF_KIND_STRUCT, ""), 0);
	assert_int_equal(kbtf_find(b, 99, "s"), 0);
	info = kbtf_describe(b, kbtf_find(b, BTF_KIND_TYPEDEF, "__be32"));
	assert_int_equal(info.class, KBTF_INT);
	assert_int_equal(info.size, 4);
	assert_false(info.is_signed);
	info = kbtf_describe(b, member(b, s, "name").type);
	assert_int_equal(info.class, KBTF_ARRAY);
	assert_int_equal(info.nelems, 16);
	assert_int_equal(info.size, 16);
	assert_true(kbtf_describe(b, info.target).is_char);
	assert_int_equal(kbtf_size(b, member(b, s, "grid").type), 24);
	info = kbtf_describe(b, member(b, s, "next").type);
	assert_int_equal(info.class, KBTF_PTR);
	assert_int_equal(kbtf_strip(b, info.target), s);
	assert_int_equal(kbtf_describe(b, 0).class, KBTF_VOID);
	assert_int_equal(kbtf_describe(b, 12345678).class, KBTF_VOID);
	assert_string_equal(kbtf_name(b, 12345678), "");
	assert_string_equal(kbtf_str(b, UINT32_MAX), "");
}

static bool count_member(const struct kbtf_member *m, void *arg)
{
	(void)m;
	return --*(int *)arg > 0;
}

static void members(void **state)
{
	struct kbtf *b =
		of_text("struct s { int a; union { struct { int x; int y; }; long xy; };\n"
			"unsigned f:3, g:5; unsigned h:30; bool ok; struct { int in; } named; };");
	uint32_t s = kbtf_find_struct(b, "s");
	struct kbtf_member m;
	int budget = 100;

	(void)state;
	assert_int_equal(member(b, s, "a").bit_off, 0);
	assert_int_equal(member(b, s, "y").bit_off, 96);
	assert_int_equal(member(b, s, "xy").bit_off, 64);
	m = member(b, s, "g");
	assert_int_equal(m.bit_off, 131);
	assert_int_equal(m.bit_size, 5);
	assert_int_equal(member(b, s, "h").bit_off, 160);
	assert_int_equal(member(b, s, "h").bit_size, 30);
	assert_int_equal(member(b, s, "ok").bit_size, 0);
	assert_true(kbtf_describe(b, member(b, s, "ok").type).is_bool);
	assert_false(kbtf_find_member(b, s, "in", &m)); /* inside a named one */
	assert_false(kbtf_find_member(b, s, "", &m));
	assert_false(kbtf_find_member(b, 0, "a", &m));
	kbtf_each_member(b, s, count_member, &budget);
	assert_int_equal(100 - budget, 9);
	budget = 2;
	kbtf_each_member(b, s, count_member, &budget);
	assert_int_equal(budget, 0);
}

/* Bit-fields as compilers wrote them before the kind flag: a narrow integer with an offset. */
static void old_bit_fields(void **state)
{
	struct {
		struct btf_header h;
		uint32_t i[4], s[3], m[2][3];
		char str[12];
	} raw = {
		.h = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, 52, 52, 12},
		.i = {1, BTF_KIND_INT << 24, 4, 3 << 16 | 5}, /* bits 3..7 of an int */
		.s = {5, BTF_KIND_STRUCT << 24 | 2, 8},
		.m = {{7, 1, 0}, {9, 1, 32}},
		.str = "\0int\0s\0f\0g",
	};
	const char *why = NULL;
	struct kbtf *b = kbtf_from_bytes(&a, &raw, sizeof(raw), &why);
	struct kbtf_member m;

	(void)state;
	assert_non_null(b);
	m = member(b, 2, "g");
	assert_int_equal(m.bit_off, 35);
	assert_int_equal(m.bit_size, 5);
}

static void seen(const char *name, void *arg)
{
	if (!strcmp(name, "B"))
		++*(int *)arg;
}

static void enumerators(void **state)
{
	struct kbtf *b = of_text(
		"enum e { A, B = 7, C }; enum n { MINUS = -3 };\n"
		"enum64 big { BIG = 0x8000000000000002, SMALL = 5 }; enum u { TOP = 0xffffffff };");
	struct kbtf_info info = kbtf_describe(b, kbtf_find(b, BTF_KIND_ENUM, "n"));
	int64_t v = 99;
	int n = 0;

	(void)state;
	assert_true(kbtf_enum_value(b, "C", &v));
	assert_int_equal(v, 8);
	assert_true(kbtf_enum_value(b, "MINUS", &v));
	assert_int_equal(v, -3);
	assert_true(kbtf_enum_value(b, "BIG", &v));
	assert_int_equal((uint64_t)v, 0x8000000000000002);
	assert_true(kbtf_enum_value(b, "BIG", &v)); /* from the cache */
	assert_true(kbtf_enum_value(b, "TOP", &v));
	assert_int_equal(v, 0xffffffff);
	v = 1;
	assert_false(kbtf_enum_value(b, "D", &v));
	assert_false(kbtf_enum_value(b, "D", &v));
	assert_false(kbtf_enum_value(b, "", &v));
	assert_int_equal(v, 1);
	assert_true(info.is_enum && info.is_signed);
	assert_int_equal(kbtf_describe(b, kbtf_find(b, BTF_KIND_ENUM64, "big")).size, 8);
	kbtf_each_enumerator(b, seen, &n);
	assert_int_equal(n, 1);
}

static void functions(void **state)
{
	struct kbtf *b = of_text("struct task_struct; typedef int s32;\n"
				 "s32 f(struct task_struct *p, const char __user *name, ...); "
				 "__kfunc void k(void);");
	uint32_t f = kbtf_func(b, "f"), proto = kbtf_func_proto(b, f);
	struct kbtf_param p[8];

	(void)state;
	assert_int_equal(kbtf_params(b, proto, p, 8), 2);
	assert_string_equal(p[1].name, "name");
	assert_true(kbtf_describe(b, p[1].type).user);
	assert_false(kbtf_describe(b, p[0].type).user);
	assert_int_equal(kbtf_params(b, proto, p, 0), 2);
	assert_string_equal(kbtf_name(b, kbtf_return(b, proto)), "s32");
	assert_int_equal(kbtf_params(b, kbtf_func_proto(b, kbtf_func(b, "k")), p, 8), 0);
	assert_int_equal(kbtf_return(b, kbtf_func_proto(b, kbtf_func(b, "k"))), 0);
	assert_int_equal(kbtf_func(b, "g"), 0);
	assert_int_equal(kbtf_func_proto(b, 0), 0);
	assert_int_equal(kbtf_params(b, f, p, 8), 0);
}

static void spelling(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{"a", "int"},
		{"b", "struct s *"},
		{"c", "const char *"},
		{"d", "char[16]"},
		{"e", "int[2][3]"},
		{"f", "void (*)(struct s *, int)"},
		{"g", "char **"},
		{"h", "char *[4]"},
		{"i", "const struct s *const *"},
		{"j", "union {...}"},
		{"k", "enum e"},
		{"l", "long long unsigned int"},
		{"m", "struct w *"},
		{"n", "int (*)(void)"},
		{"o", "volatile int"},
		{"p", "const char *"},
		{"q", "void *"},
		{"r", "u32"},
		{"t", "int (*)(const char *, ...)"},
	};
	struct kbtf *b =
		of_text("enum e { E }; typedef unsigned int u32; struct s { int a; struct s *b;\n"
			"const char *c; char d[16]; int e[2][3]; void (*f)(struct s *, int); char "
			"**g; char *h[4];\n"
			"const struct s *const *i; union { int x; } j; enum e k; unsigned long "
			"long l; struct w *m;\n"
			"int (*n)(void); volatile int o; const char __user *p; void *q; u32 r;\n"
			"int (*t)(const char *, ...); };");
	uint32_t s = kbtf_find_struct(b, "s");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			kbtf_spell(b, member(b, s, cases[i].name).type, &a), cases[i].text);
	assert_string_equal(kbtf_spell(b, s, &a), "struct s");
	assert_string_equal(kbtf_spell(b, 0, &a), "void");
}

/* Types made of themselves end the walk instead of the program. */
static void cycles(void **state)
{
	struct {
		struct btf_header h;
		uint32_t t[3], u[3], s[3], m[2][3], p[3], q[2][2], arr[3], x[3];
		char str[4];
	} raw = {
		.h = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, 112, 112, 4},
		.t = {1, BTF_KIND_TYPEDEF << 24, 2},
		.u = {0, BTF_KIND_CONST << 24, 1},
		.s = {1, BTF_KIND_STRUCT << 24 | 2, 8}, /* two anonymous members: itself */
		.m = {{0, 3, 0}, {0, 3, 0}},
		.p = {0, BTF_KIND_FUNC_PROTO << 24 | 2, 4},
		.q = {{1, 4}, {1, 4}},
		.arr = {0, BTF_KIND_ARRAY << 24, 0},
		.x = {5, 5, 100000},
		.str = "\0t",
	};
	const char *why = NULL;
	struct kbtf *b = kbtf_from_bytes(&a, &raw, sizeof(raw), &why);
	struct kbtf_member m;

	(void)state;
	if (!b)
		fail_msg("%s", why);
	assert_int_equal(kbtf_count(b), 5);
	assert_int_equal(kbtf_strip(b, 1), 0);
	assert_int_equal(kbtf_size(b, 1), 0);
	assert_int_equal(kbtf_size(b, 5), 0);
	assert_int_equal(kbtf_describe(b, 1).class, KBTF_VOID);
	assert_false(kbtf_find_member(b, 3, "x", &m));
	assert_non_null(kbtf_spell(b, 1, &a));
	assert_non_null(kbtf_spell(b, 4, &a));
	assert_non_null(kbtf_spell(b, 5, &a));
}

/* ---- files ---- */

/* A relocatable object that holds nothing but .BTF, at an odd offset. */
static struct buf elf_with(const void *btf, size_t n, unsigned shift)
{
	static const char names[] = "\0.shstrtab\0.BTF";
	Elf64_Ehdr eh = {.e_ident = ELFMAG,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 1};
	Elf64_Shdr sh[3] = {{0}};
	struct buf out;

	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_shoff = sizeof(eh) + shift + n + sizeof(names);
	sh[1] = (Elf64_Shdr){.sh_name = 1,
		.sh_type = SHT_STRTAB,
		.sh_size = sizeof(names),
		.sh_offset = sizeof(eh) + shift + n};
	sh[2] = (Elf64_Shdr){.sh_name = 11,
		.sh_type = SHT_PROGBITS,
		.sh_size = n,
		.sh_offset = sizeof(eh) + shift};
	buf_init(&out, &a);
	buf_put(&out, &eh, sizeof(eh));
	for (unsigned i = 0; i < shift; i++)
		buf_putc(&out, 'x');
	buf_put(&out, btf, n);
	buf_put(&out, names, sizeof(names));
	buf_put(&out, sh, sizeof(sh));
	return out;
}

static void elf_files(void **state)
{
	struct buf btf = minibtf(&a, "struct s { int a; };");
	const char *why = NULL;

	(void)state;
	for (unsigned shift = 0; shift < 4; shift++) {
		struct buf elf = elf_with(btf.p, btf.n, shift);
		struct kbtf *b = kbtf_from_bytes(&a, elf.p, elf.n, &why);

		if (!b)
			fail_msg("%s", why);
		assert_int_equal(kbtf_size(b, kbtf_find_struct(b, "s")), 4);
		for (size_t n = 0; n < elf.n; n += 7)
			kbtf_from_bytes(&a, elf.p, n, &why);
		elf.p[EI_CLASS] = ELFCLASS32;
		assert_null(kbtf_from_bytes(&a, elf.p, elf.n, &why));
	}
}

static void refusals(void **state)
{
	struct buf btf = minibtf(&a, "struct s { int a; };");
	const char *why = NULL;

	(void)state;
	assert_null(kbtf_open(&a, "/no/such/file", &why));
	assert_non_null(strstr(why, "/no/such/file"));
	assert_null(kbtf_open(&a, "Makefile", &why));
	assert_non_null(strstr(why, "not BTF"));
	assert_null(kbtf_open(&a, "src", &why));
	btf.p[0] = (char)0xeb, btf.p[1] = (char)0x9f;
	assert_null(kbtf_from_bytes(&a, btf.p, btf.n, &why));
	assert_string_equal(why, "BTF of the other byte order");
}

/* ---- damage ---- */

static bool touch_member(const struct kbtf_member *m, void *arg)
{
	*(size_t *)arg += strlen(m->name);
	return true;
}

static void touch_name(const char *name, void *arg)
{
	*(size_t *)arg += strlen(name);
}

/* Everything one can ask about every type. */
static size_t ask_all(struct kbtf *b, struct arena *scratch)
{
	struct kbtf_param p[16];
	size_t sum = 0;
	int64_t v;

	for (uint32_t id = 0; id <= kbtf_count(b) + 1; id++) {
		struct kbtf_info info = kbtf_describe(b, id);

		sum += info.size + kbtf_size(b, id) + strlen(kbtf_name(b, id));
		sum += kbtf_params(b, kbtf_func_proto(b, id), p, 16);
		sum += kbtf_return(b, id);
		if (info.class == KBTF_STRUCT)
			kbtf_each_member(b, id, touch_member, &sum);
		if (id < 200)
			sum += strlen(kbtf_spell(b, id, scratch));
	}
	kbtf_each_enumerator(b, touch_name, &sum);
	kbtf_each_func(b, touch_name, &sum);
	sum += kbtf_find_struct(b, "task_struct") + kbtf_func(b, "vfs_read");
	sum += kbtf_enum_value(b, "SCX_SLICE_DFL", &v);
	return sum;
}

static void try_bytes(const char *p, size_t n)
{
	const char *why = NULL;
	struct arena own;
	struct kbtf *b;
	void *copy;

	arena_init(&own, NULL);
	copy = malloc(n ? n : 1); /* of the exact size, for the sanitizer */
	assert_non_null(copy);
	memcpy(copy, p, n);
	b = kbtf_from_bytes(&own, copy, n, &why);
	if (b)
		ask_all(b, &own);
	else
		assert_non_null(why);
	free(copy);
	arena_free(&own);
}

static void truncation(void **state)
{
	struct buf btf = minibtf(&a,
		"typedef int t; struct s { t a:3; struct s *n; char c[4]; };\n"
		"enum e { A }; enum64 f { B }; int g(struct s *p, ...); __kfunc void k(void);");

	(void)state;
	for (size_t n = 0; n <= btf.n; n++)
		try_bytes(btf.p, n);
}

static void corruption(void **state)
{
	static const uint8_t values[] = {0, 1, 4, 0x7f, 0x80, 0xff};
	struct buf btf = minibtf(&a,
		"typedef int t; struct s { t a:3; struct s *n; char c[4]; };\n"
		"enum e { A }; enum64 f { B }; int g(struct s *p, ...); __kfunc void k(void);\n"
		"struct task_struct { union { struct s s; const t *p; }; void (*fn)(struct s *, "
		"t); };");

	(void)state;
	for (size_t i = 0; i < btf.n; i++) {
		char old = btf.p[i];

		for (size_t v = 0; v < sizeof(values); v++) {
			btf.p[i] = (char)values[v];
			try_bytes(btf.p, btf.n);
		}
		btf.p[i] = old;
	}
}

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* Several bytes at once, in the small kernel of the front end's tests. */
static void random_damage(void **state)
{
	const char *env = getenv("SKEP_FUZZ_N");
	long rounds = env ? atol(env) : 60;
	uint32_t x = 20240229;
	size_t n = 0;
	char *p = file_read(&a, "tests/targets/mini.btf", &n), *copy = arena_alloc(&a, n);

	(void)state;
	for (long r = 0; r < rounds; r++) {
		memcpy(copy, p, n);
		for (unsigned k = 0; k < 1 + r % 8; k++)
			copy[next_random(&x) % n] = (char)next_random(&x);
		try_bytes(copy, n);
	}
}

/* ---- real ---- */

static void running_kernel(void **state)
{
	struct kbtf_member m;
	struct kbtf *b;
	struct arena own;
	uint32_t task;
	int64_t v = 0;

	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	b = of_file("/sys/kernel/btf/vmlinux");
	assert_true(kbtf_count(b) > 20000);
	task = kbtf_find_struct(b, "task_struct");
	assert_true(kbtf_size(b, task) > 1000);
	assert_true(kbtf_find_member(b, task, "comm", &m));
	assert_string_equal(kbtf_spell(b, m.type, &a), "char[16]");
	assert_true(kbtf_find_member(b, task, "real_parent", &m));
	assert_int_equal(kbtf_strip(b, kbtf_describe(b, m.type).target), task);
	assert_true(kbtf_enum_value(b, "TCP_ESTABLISHED", &v));
	assert_int_equal(v, 1);
	assert_int_equal(kbtf_params(b, kbtf_func_proto(b, kbtf_func(b, "vfs_read")), NULL, 0), 4);
	arena_init(&own, NULL);
	assert_true(ask_all(b, &own) > 0);
	arena_free(&own);
	kbtf_close(b);
	assert_int_equal(kbtf_count(b), 0); /* closed: empty, but safe */
	assert_string_equal(kbtf_name(b, task), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookup),
		cmocka_unit_test(members),
		cmocka_unit_test(old_bit_fields),
		cmocka_unit_test(enumerators),
		cmocka_unit_test(functions),
		cmocka_unit_test(spelling),
		cmocka_unit_test(cycles),
		cmocka_unit_test(elf_files),
		cmocka_unit_test(refusals),
		cmocka_unit_test(truncation),
		cmocka_unit_test(corruption),
		cmocka_unit_test(random_damage),
		cmocka_unit_test(running_kernel),
	};

	return cmocka_run_group_tests_name("kern/btf", tests, setup, teardown);
}
