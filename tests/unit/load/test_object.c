/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The object reader against damaged and foreign input: an answer or a diagnostic, never a crash. */
#include "objmake.h"
#include "load/internal.h"
#include <cmocka.h>

/* An object with everything in it that the reader looks at. */
static void rich(struct maker *k)
{
	struct meta_ops o = {.type = "sched_ext_ops", .name = "sched", .map = 5};

	const char *why;

	maker_init(k, false);
	k->t.btf = kbtf_open(&k->a, "tests/targets/mini-6.12-scx.btf", &why);
	if (!k->t.btf)
		fail_msg("%s", why);
	maker_sample(k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	maker_map(k, "sched", MM_STRUCT_OPS, BPF_MAP_TYPE_STRUCT_OPS, 4, 0, 1);
	k->meta.portable = true;
	ir_add_field(&k->m, (struct ir_field){.root = "task_struct", .path = "scx.dsq_vtime",
				    .off = 992, .size = 8, .type = {.kind = IRT_I64}});
	vec_push(&k->a, &k->m.kfuncs, (struct ir_kfunc){"scx_bpf_dsq_insert", 7, 0});
	maker_prog(k, "p1_enqueue", "struct_ops/enqueue", BPF_PROG_TYPE_STRUCT_OPS,
		"r1 = *(u64 *)(r1 + 992)\ncall kfunc 0\nexit\n");
	vec_push(&k->a, &k->code[1].relocs, (struct code_reloc){.kind = CR_FIELD});
	k->meta.progs.v[1].ops = k->meta.progs.v[1].member = 0;
	vec_push(&k->a, &o.members, (struct meta_ops_member){.name = "enqueue", .prog = 1});
	vec_push(&k->a, &o.members,
		(struct meta_ops_member){.name = "name", .prog = META_NONE, .text = "fifo"});
	vec_push(&k->a, &o.members,
		(struct meta_ops_member){.name = "flags", .prog = META_NONE, .value = 2});
	vec_push(&k->a, &k->meta.ops, o);
	assert_int_equal(maker_write(k), 0);
}

struct answer {
	int code;
	int errors;
	bool says_object;
	unsigned relocated; /* programs whose field offsets could be set */
};

/* In its own arena, on a buffer of exactly this size, so that sanitizers see any overrun. */
static struct answer try(const struct maker *k, const void *bytes, size_t n, enum kern_arch arch)
{
	struct arena a;
	struct skep_diags d;
	struct target t = k->t;
	struct loaded l;
	struct answer r = {0};
	void *copy = malloc(n ? n : 1);

	memcpy(copy, bytes, n);
	arena_init(&a, NULL);
	diags_init(&d, &a);
	t.a = &a;
	t.arch = arch;
	r.code = load_open(&l, &a, &t, &d, copy, n);
	r.errors = d.errors;
	r.says_object = d.list.n && d.list.v[0].id == DIAG_BAD_OBJECT;
	for (uint32_t i = 0; !r.code && i < l.meta.progs.n; i++)
		r.relocated += core_relocate(&l, i) == SKEP_OK;
	load_close(&l);
	arena_free(&a);
	free(copy);
	return r;
}

static void assert_refused(struct answer r)
{
	assert_int_equal(r.code, SKEP_EUSER);
	assert_int_equal(r.errors, 1);
	assert_true(r.says_object);
}

static void test_good(void **state)
{
	struct maker k;
	struct loaded l;

	(void)state;
	rich(&k);
	assert_int_equal(try(&k, k.object.p, k.object.n, KERN_X86_64).code, 0);
	assert_int_equal(try(&k, k.object.p, k.object.n, KERN_X86_64).relocated, 2);
	assert_int_equal(load_open(&l, &k.a, &k.t, &k.d, k.object.p, k.object.n), 0);
	assert_int_equal(l.meta.progs.n, 2);
	assert_int_equal(l.meta.maps.n, 6);
	assert_int_equal(l.prog[0].insns, k.code[0].n);
	assert_int_equal(load_probe_count(&l), 1);
	load_close(&l);
	maker_free(&k);
}

static void test_truncated(void **state)
{
	struct maker k;

	(void)state;
	rich(&k);
	for (size_t n = 0; n < k.object.n; n++)
		assert_refused(try(&k, k.object.p, n, KERN_X86_64));
	maker_free(&k);
}

static void test_foreign(void **state)
{
	static const char text[] =
		"kprobe:f { @ = count(); } -- a script, no object at all -- -- --";
	struct maker k;
	char *own;

	(void)state;
	rich(&k);
	assert_refused(try(&k, text, sizeof(text), KERN_X86_64));
	own = malloc(k.object.n);
	memcpy(own, k.object.p, k.object.n);
	own[18] = 62; /* e_machine: x86-64 */
	assert_refused(try(&k, own, k.object.n, KERN_X86_64));
	memcpy(own, k.object.p, k.object.n);
	own[5] = 2; /* big-endian */
	assert_refused(try(&k, own, k.object.n, KERN_X86_64));
	free(own);
	k.meta.target_arch = KERN_ARM64;
	k.object.n = 0;
	assert_int_equal(maker_write(&k), 0);
	assert_refused(try(&k, k.object.p, k.object.n, KERN_X86_64));
	assert_int_equal(try(&k, k.object.p, k.object.n, KERN_ARM64).code, 0);
	maker_free(&k);
}

static uint64_t rnd(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Interesting words at random places: sizes, offsets and counts that lie. */
static void damage(char *p, size_t n, uint64_t *seed)
{
	static const uint64_t words[] = {0, 1, 7, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff,
		0x80000000, 0xfffffffffffffff8, UINT64_MAX, 1ull << 40};
	unsigned times = 1 + (unsigned)(rnd(seed) % 4);

	for (unsigned i = 0; i < times; i++) {
		size_t at = rnd(seed) % n, w = (size_t)1 << rnd(seed) % 4;
		uint64_t v = words[rnd(seed) % (sizeof(words) / sizeof(*words))];

		if (rnd(seed) % 3 == 0)
			v = rnd(seed);
		if (rnd(seed) % 4)
			at &= ~(size_t)3;
		memcpy(p + at, &v, at + w > n ? n - at : w);
	}
}

static void test_damaged(void **state)
{
	struct maker k;
	uint64_t seed = 0x5eed5eed5eed;
	unsigned good = 0, bad = 0;
	char *own;

	(void)state;
	rich(&k);
	own = malloc(k.object.n);
	for (int i = 0; i < 6000; i++) {
		struct answer r;

		memcpy(own, k.object.p, k.object.n);
		damage(own, k.object.n, &seed);
		r = try(&k, own, k.object.n, KERN_X86_64);
		if (r.code)
			assert_refused(r);
		*(r.code ? &bad : &good) += 1;
	}
	assert_true(good > 100 && bad > 1000); /* both ways are taken */
	free(own);
	maker_free(&k);
}

/* Out of memory at any moment: a code comes back, and closing is safe. */
static void test_no_memory(void **state)
{
	struct maker k;
	struct loaded l;
	int code = SKEP_ENOMEM;

	(void)state;
	rich(&k);
	for (long n = 0; code == SKEP_ENOMEM; n++) {
		struct trap trap;
		struct arena a;
		struct skep_diags d;

		memset(&l, 0, sizeof(l));
		arena_init(&a, &trap);
		diags_init(&d, &a);
		a.fail_after = n;
		if (setjmp(trap.env))
			code = trap.code;
		else
			code = load_open(&l, &a, &k.t, &d, k.object.p, k.object.n);
		a.fail_after = -1;
		load_close(&l);
		arena_free(&a);
	}
	assert_int_equal(code, 0);
	maker_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
