/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The BTF that goes into objects, read back by our own reader of kernel BTF. */
#include "tests/unit/load/objmake.h"
#include <cmocka.h>

struct result {
	struct buf btf, ext;
	struct kbtf *b;
};

static struct result build(struct maker *k)
{
	struct result r;
	const char *why;

	buf_init(&r.btf, &k->a);
	buf_init(&r.ext, &k->a);
	if (setjmp(k->trap.env))
		fail_msg("%s", k->trap.message);
	btfw_build(&k->m, k->code, &r.btf, &r.ext);
	r.b = kbtf_from_bytes(&k->a, r.btf.p, r.btf.n, &why);
	if (!r.b)
		fail_msg("%s", why);
	return r;
}

static uint32_t word(const struct buf *b, size_t at)
{
	uint32_t v;

	assert_true(at + 4 <= b->n);
	memcpy(&v, b->p + at, 4);
	return v;
}

/* Start of a table of .BTF.ext: 0 functions, 1 lines, 2 fields; its length in *len. */
static size_t table(const struct buf *ext, int which, uint32_t *len)
{
	*len = word(ext, 12 + 8 * (size_t)which);
	return word(ext, 4) + word(ext, 8 + 8 * (size_t)which);
}

/* What the kernel is given comes first and refers to nothing later. */
static void test_programs_first(void **state)
{
	struct maker k;
	struct result r;
	uint32_t f;

	(void)state;
	maker_init(&k, false);
	maker_sample(&k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	r = build(&k);
	f = kbtf_find(r.b, BTF_KIND_FUNC, "p0_sample");
	assert_int_equal(f, 4);
	for (uint32_t id = 1; id <= f; id++) {
		unsigned kind = btf_kind_of(kbtf_type(r.b, id));

		assert_true(kind == BTF_KIND_INT || kind == BTF_KIND_PTR ||
			    kind == BTF_KIND_FUNC_PROTO || kind == BTF_KIND_FUNC);
		assert_true(kind == BTF_KIND_INT || kbtf_type(r.b, id)->type < id);
	}
	assert_int_equal(btf_vlen_of(kbtf_type(r.b, f)), BTF_FUNC_STATIC);
	maker_free(&k);
}

/* libbpf's form of a map: pointers to arrays whose lengths are the attributes. */
static void test_map_attributes(void **state)
{
	static const struct {
		const char *name;
		uint32_t value;
	} want[] = {{"type", BPF_MAP_TYPE_HASH}, {"key_size", 8}, {"value_size", 8},
		{"max_entries", 128}, {"map_flags", BPF_F_NO_PREALLOC}};
	struct maker k;
	struct result r;
	uint32_t var, id;

	(void)state;
	maker_init(&k, false);
	maker_sample(&k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	k.meta.maps.v[0].flags = BPF_F_NO_PREALLOC;
	r = build(&k);
	var = kbtf_find(r.b, BTF_KIND_VAR, "counts");
	assert_true(var);
	id = kbtf_type(r.b, var)->type;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		struct kbtf_member m;
		struct kbtf_info p;

		assert_true(kbtf_find_member(r.b, id, want[i].name, &m));
		assert_int_equal(m.bit_off, 64 * i);
		p = kbtf_describe(r.b, m.type);
		assert_int_equal(p.class, KBTF_PTR);
		assert_int_equal(kbtf_describe(r.b, p.target).nelems, want[i].value);
	}
	assert_true(kbtf_find(r.b, BTF_KIND_DATASEC, ".maps"));
	assert_true(kbtf_find(r.b, BTF_KIND_DATASEC, ".bss"));
	assert_int_equal(kbtf_type(r.b, kbtf_find(r.b, BTF_KIND_DATASEC, ".rodata"))->size, 16);
	maker_free(&k);
}

/* The first record of a program is its first instruction; none points into a wide one's half. */
static void test_lines(void **state)
{
	static const struct code_line lines[] = {{3, {19, 6}}, {3, {37, 6}}, {2, {37, 6}},
		{7, {37, 6}}, {10, {37, 6}}, {11, {37, 6}}, {12, {0, 0}}, {13, {19, 6}},
		{9999, {19, 6}}};
	static const struct {
		uint32_t insn, col;
	} want[] = {{0, 3}, {3, 3}, {10, 21}, {13, 3}};
	struct maker k;
	struct result r;
	size_t at;
	uint32_t len;

	(void)state;
	maker_init(&k, false);
	maker_sample(&k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	k.code[0].lines.n = 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		vec_push(&k.a, &k.code[0].lines, lines[i]);
	assert_int_equal(k.code[0].insn[7].code, 0); /* second half of a wide instruction */
	r = build(&k);
	at = table(&r.ext, 1, &len);
	assert_int_equal(word(&r.ext, at), sizeof(struct bpf_line_info));
	assert_string_equal(kbtf_str(r.b, word(&r.ext, at + 4)), "kprobe/vfs_read");
	assert_int_equal(word(&r.ext, at + 8), 4);
	assert_int_equal(len, 12 + 4 * sizeof(struct bpf_line_info));
	for (size_t i = 0; i < 4; i++) {
		size_t rec = at + 12 + i * sizeof(struct bpf_line_info);

		assert_int_equal(word(&r.ext, rec), want[i].insn * 8);
		assert_string_equal(kbtf_str(r.b, word(&r.ext, rec + 4)), SRC_NAME);
		assert_string_equal(kbtf_str(r.b, word(&r.ext, rec + 8)),
			"{ @[pid] = count(); printf(\"hello\"); }");
		assert_int_equal(word(&r.ext, rec + 12), 2 << 10 | want[i].col);
	}
	maker_free(&k);
}

/* Programs that share a section have records at their own offsets in it. */
static void test_shared_section(void **state)
{
	struct maker k;
	struct result r;
	size_t at;
	uint32_t len;

	(void)state;
	maker_init(&k, false);
	maker_prog(&k, "p0", "xdp", BPF_PROG_TYPE_XDP, "r0 = 2\nexit\n");
	maker_prog(&k, "p1", "xdp", BPF_PROG_TYPE_XDP, "r0 = 1\nexit\n");
	r = build(&k);
	at = table(&r.ext, 0, &len);
	assert_int_equal(len, 12 + 2 * 8);
	assert_int_equal(word(&r.ext, at + 12), 0);
	assert_string_equal(kbtf_name(r.b, word(&r.ext, at + 16)), "p0");
	assert_int_equal(word(&r.ext, at + 20), 16);
	assert_string_equal(kbtf_name(r.b, word(&r.ext, at + 24)), "p1");
	maker_free(&k);
}

static void add_field(struct maker *k, const char *root, const char *path, uint32_t off,
	uint32_t size, uint32_t insn)
{
	uint32_t i = ir_add_field(&k->m, (struct ir_field){.root = root, .path = path, .off = off,
					     .size = size, .type = {.kind = IRT_I64}});

	vec_push(&k->a, &k->code[0].relocs,
		(struct code_reloc){.kind = CR_FIELD, .insn = insn, .index = i});
}

/* The local structs say what the instructions hold, in the order of offsets. */
static void test_fields(void **state)
{
	struct maker k;
	struct result r;
	struct kbtf_member m;
	size_t at;
	uint32_t len, id;

	(void)state;
	maker_init(&k, false);
	k.meta.portable = true;
	maker_prog(&k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r2 = *(u64 *)(r1 + 1992)\nr2 = *(u32 *)(r1 + 1500)\nr2 = *(u64 *)(r1 + 8)\n"
		"r3 = *(u64 *)(r1 + 992)\nr0 = 0\nexit\n");
	add_field(&k, "task_struct", "scx.dsq_vtime", 1992, 8, 0);
	add_field(&k, "task_struct", "pid", 1500, 4, 1);
	add_field(&k, "file", "f_inode", 8, 8, 2);
	add_field(&k, "task_struct", "scx.slice", 992, 8, 3);
	r = build(&k);
	at = table(&r.ext, 2, &len);
	assert_int_equal(len, 12 + 4 * sizeof(struct bpf_core_relo));
	assert_int_equal(word(&r.ext, at + 12), 0);
	id = word(&r.ext, at + 16);
	assert_string_equal(kbtf_name(r.b, id), "task_struct");
	assert_string_equal(kbtf_str(r.b, word(&r.ext, at + 20)), "0:0:1");
	assert_string_equal(kbtf_str(r.b, word(&r.ext, at + 12 + 16 + 8)), "0:1");
	assert_string_equal(kbtf_str(r.b, word(&r.ext, at + 12 + 48 + 8)), "0:0:0");
	assert_int_equal(kbtf_size(r.b, id), 2000);
	assert_true(kbtf_find_member(r.b, id, "pid", &m));
	assert_int_equal(m.bit_off, 1500 * 8);
	assert_true(kbtf_find_member(r.b, id, "scx", &m));
	assert_int_equal(m.bit_off, 0);
	assert_true(kbtf_find_member(r.b, m.type, "dsq_vtime", &m));
	assert_int_equal(m.bit_off, 1992 * 8);
	maker_free(&k);
}

/* Without the promise to be portable nothing is relocated. */
static void test_fixed_fields(void **state)
{
	struct maker k;
	struct result r;
	uint32_t len;

	(void)state;
	maker_init(&k, false);
	maker_prog(&k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r2 = *(u64 *)(r1 + 8)\nr0 = 0\nexit\n");
	add_field(&k, "file", "f_inode", 8, 8, 0);
	r = build(&k);
	table(&r.ext, 2, &len);
	assert_int_equal(len, 0);
	assert_int_equal(kbtf_find(r.b, BTF_KIND_STRUCT, "file"), 0);
	maker_free(&k);
}

static void test_wrong_offset_is_a_bug(void **state)
{
	struct maker k;
	struct buf a, b;

	(void)state;
	maker_init(&k, false);
	k.meta.portable = true;
	maker_prog(&k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r2 = *(u64 *)(r1 + 16)\nr0 = 0\nexit\n");
	add_field(&k, "file", "f_inode", 8, 8, 0);
	buf_init(&a, &k.a);
	buf_init(&b, &k.a);
	if (!setjmp(k.trap.env)) {
		btfw_build(&k.m, k.code, &a, &b);
		fail_msg("no trap");
	}
	assert_int_equal(k.trap.code, SKEP_EBUG);
	assert_non_null(strstr(k.trap.message, "f_inode"));
	maker_free(&k);
}

/* A bit-field keeps its bits in the local struct, and one record a fact that is asked. */
static void test_bit_field(void **state)
{
	struct kbtf_member m;
	struct result r;
	struct maker k;
	uint32_t len;
	size_t at;

	(void)state;
	maker_init(&k, false);
	k.meta.portable = true;
	maker_prog(&k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r2 = *(u32 *)(r1 + 8)\nr2 <<= 60\nr0 = 0\nexit\n");
	add_field(&k, "task_struct", "in_execve", 8, 4, 0);
	add_field(&k, "task_struct", "in_execve", 12, 4, 1);
	k.m.fields.v[1].off = 8;
	k.m.fields.v[1].bit_off = 3;
	k.m.fields.v[1].bit_size = 1;
	k.m.fields.v[1].fact = FACT_LSHIFT;
	k.m.fields.v[1].value = 60;
	r = build(&k);
	at = table(&r.ext, 2, &len);
	assert_int_equal(len, 12 + 2 * sizeof(struct bpf_core_relo));
	assert_int_equal(word(&r.ext, at + 12 + 12), BPF_CORE_FIELD_BYTE_OFFSET);
	assert_int_equal(word(&r.ext, at + 12 + 16 + 12), BPF_CORE_FIELD_LSHIFT_U64);
	assert_true(kbtf_find_member(r.b, word(&r.ext, at + 16), "in_execve", &m));
	assert_int_equal(m.bit_off, 8 * 8 + 3);
	assert_int_equal(m.bit_size, 1);
	maker_free(&k);
}

/* kfunc prototypes keep the kernel's kinds: that is what libbpf compares. */
static void test_kfunc_proto(void **state)
{
	struct maker k;
	struct result r;
	struct kbtf_param mine[8], theirs[8];
	uint32_t id, proto, n;
	const char *why;

	(void)state;
	maker_init(&k, false);
	k.t.btf = kbtf_open(&k.a, "tests/targets/mini-7.2.btf", &why);
	if (!k.t.btf)
		fail_msg("%s", why);
	id = kbtf_func(k.t.btf, "scx_bpf_dsq_insert");
	assert_true(id);
	proto = kbtf_func_proto(k.t.btf, id);
	vec_push(&k.a, &k.m.kfuncs, (struct ir_kfunc){"scx_bpf_dsq_insert", id, proto});
	maker_prog(
		&k, "p0", "struct_ops/enqueue", BPF_PROG_TYPE_STRUCT_OPS, "call kfunc 0\nexit\n");
	r = build(&k);
	id = kbtf_find(r.b, BTF_KIND_FUNC, "scx_bpf_dsq_insert");
	assert_int_equal(btf_vlen_of(kbtf_type(r.b, id)), BTF_FUNC_EXTERN);
	n = kbtf_params(r.b, kbtf_func_proto(r.b, id), mine, 8);
	assert_int_equal(n, kbtf_params(k.t.btf, proto, theirs, 8));
	assert_int_equal(n, 4);
	for (uint32_t i = 0; i < n; i++) {
		struct kbtf_info a = kbtf_describe(r.b, mine[i].type);
		struct kbtf_info b = kbtf_describe(k.t.btf, theirs[i].type);

		assert_int_equal(a.class, b.class);
		assert_int_equal(a.size, b.size);
		assert_true(*mine[i].name);
	}
	assert_string_equal(kbtf_name(r.b, kbtf_describe(r.b, mine[0].type).target), "task_struct");
	assert_true(kbtf_find(r.b, BTF_KIND_DATASEC, ".ksyms"));
	maker_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs_first),
		cmocka_unit_test(test_map_attributes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_shared_section),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_fixed_fields),
		cmocka_unit_test(test_wrong_offset_is_a_bug),
		cmocka_unit_test(test_bit_field),
		cmocka_unit_test(test_kfunc_proto),
	};

	return cmocka_run_group_tests_name("back/btfw", tests, NULL, NULL);
}
