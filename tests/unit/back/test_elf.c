/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Objects as files: the same bytes each time, and accepted by other people's tools. */
#include "tests/unit/load/objmake.h"
#include <cmocka.h>
#include <elf.h>
#include <sys/wait.h>

static void write_ok(struct maker *k)
{
	int err = maker_write(k);

	if (err)
		diags_render(&k->d, stderr, false);
	assert_int_equal(err, 0);
}

static const Elf64_Shdr *section(const struct maker *k, const char *name)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)k->object.p;
	const Elf64_Shdr *s = (const Elf64_Shdr *)(k->object.p + h->e_shoff);
	const char *names = k->object.p + s[h->e_shstrndx].sh_offset;

	for (unsigned i = 0; i < h->e_shnum; i++) {
		if (!strcmp(names + s[i].sh_name, name))
			return &s[i];
	}
	return NULL;
}

static void test_deterministic(void **state)
{
	struct maker a, b;

	(void)state;
	maker_init(&a, false);
	maker_init(&b, false);
	maker_sample(&a, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	maker_sample(&b, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	write_ok(&a);
	write_ok(&b);
	assert_int_equal(a.object.n, b.object.n);
	assert_memory_equal(a.object.p, b.object.p, a.object.n);
	maker_free(&a);
	maker_free(&b);
}

static void test_sections(void **state)
{
	struct maker k;
	const Elf64_Shdr *s;

	(void)state;
	maker_init(&k, false);
	maker_sample(&k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	write_ok(&k);
	s = section(&k, "kprobe/vfs_read");
	assert_non_null(s);
	assert_int_equal(s->sh_size, k.code[0].n * 8);
	assert_int_equal(section(&k, ".bss")->sh_type, SHT_NOBITS);
	assert_int_equal(section(&k, ".bss")->sh_size, 4096);
	assert_memory_equal(k.object.p + section(&k, ".rodata")->sh_offset,
		k.meta.maps.v[3].init, 16);
	assert_memory_equal(k.object.p + section(&k, ".data")->sh_offset, k.meta.maps.v[4].init,
		32);
	assert_int_equal(section(&k, ".maps")->sh_size, 80);
	assert_int_equal(section(&k, META_SECTION)->sh_type, SHT_NOTE);
	assert_string_equal(k.object.p + section(&k, "license")->sh_offset, "Dual BSD/GPL");
	maker_free(&k);
}

/* Every addressed map is a section of its own; only one may be .bss. */
static void test_several_data_maps(void **state)
{
	struct maker k;

	(void)state;
	maker_init(&k, false);
	maker_map(&k, "one", MM_USER, BPF_MAP_TYPE_ARRAY, 4, 16, 1);
	maker_map(&k, "two", MM_USER, BPF_MAP_TYPE_ARRAY, 4, 24, 1);
	maker_map(&k, "three", MM_USER, BPF_MAP_TYPE_ARRAY, 4, 32, 1);
	maker_map(&k, "looked", MM_USER, BPF_MAP_TYPE_ARRAY, 4, 32, 1);
	maker_prog(&k, "p0", "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r1 = map[0]+0 ll\nr1 = map[1]+8 ll\nr1 = map[2]+16 ll\nr1 = map[3] ll\n"
		"r0 = 0\nexit\n");
	write_ok(&k);
	assert_int_equal(section(&k, ".bss")->sh_size, 16);
	assert_int_equal(section(&k, ".data")->sh_size, 24);
	assert_int_equal(section(&k, ".data.three")->sh_size, 32);
	assert_int_equal(section(&k, ".maps")->sh_size, 40);
	maker_free(&k);
}

static void test_struct_ops_section(void **state)
{
	struct maker k;
	struct meta_ops o = {.type = "sched_ext_ops", .name = "sched", .map = 0};
	const Elf64_Shdr *s, *r;
	const Elf64_Rel *rel;

	(void)state;
	maker_init(&k, false);
	maker_map(&k, "sched", MM_STRUCT_OPS, BPF_MAP_TYPE_STRUCT_OPS, 4, 0, 1);
	maker_prog(&k, "p0", "struct_ops/enqueue", BPF_PROG_TYPE_STRUCT_OPS, "r0 = 0\nexit\n");
	maker_prog(&k, "p1", "struct_ops.s/init", BPF_PROG_TYPE_STRUCT_OPS, "r0 = 0\nexit\n");
	vec_push(&k.a, &o.members, (struct meta_ops_member){.name = "init", .prog = 1});
	vec_push(&k.a, &o.members,
		(struct meta_ops_member){.name = "name", .prog = META_NONE, .text = "fifo"});
	vec_push(&k.a, &o.members, (struct meta_ops_member){.name = "enqueue", .prog = 0});
	vec_push(&k.a, &k.meta.ops, o);
	write_ok(&k);
	s = section(&k, ".struct_ops.link");
	r = section(&k, ".rel.struct_ops.link");
	assert_non_null(s);
	assert_non_null(r);
	assert_string_equal(k.object.p + s->sh_offset + 8, "fifo");
	assert_int_equal(r->sh_size, 2 * sizeof(Elf64_Rel));
	rel = (const Elf64_Rel *)(k.object.p + r->sh_offset);
	assert_int_equal(rel[0].r_offset, 0);
	assert_int_equal(rel[1].r_offset, 16);
	maker_free(&k);
}

/* Runs a shell script on the object ($OBJ, $DIR); its exit status, 77 for "cannot be done here". */
static int with_file(const struct maker *k, const char *script)
{
	char dir[] = "/tmp/skep-elf-XXXXXX", path[64];
	int status;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/o.bpf.o", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(k->object.p, 1, k->object.n, f), k->object.n);
	fclose(f);
	setenv("DIR", dir, 1);
	setenv("OBJ", path, 1);
	status = system(script);
	unlink(path);
	rmdir(dir);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_objdump(void **state)
{
	struct maker k;
	int r;

	(void)state;
	maker_init(&k, false);
	maker_sample(&k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	write_ok(&k);
	r = with_file(&k,
		"command -v llvm-objdump >/dev/null || exit 77; out=$(llvm-objdump -dr $OBJ 2>&1) "
		"&&"
		"echo \"$out\" | grep -q 'R_BPF_64_64.*counts' &&"
		"echo \"$out\" | grep -q '<p0_sample>:' && echo \"$out\" | grep -q 'call 14'");
	maker_free(&k);
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

/* libbpf loads it: in a mount namespace of its own, so that what it pins goes with it. */
static const char bpftool[] =
	"command -v bpftool >/dev/null && test $(id -u) = 0 || exit 77\n"
	"unshare -m sh -c 'mkdir $DIR/fs && mount -t bpf bpf $DIR/fs || exit 77\n"
	"bpftool prog loadall $OBJ $DIR/fs/x pinmaps $DIR/fs/m >$DIR/log 2>&1; r=$?\n"
	"test $r = 0 && test -e $DIR/fs/x/p0_sample && ls $DIR/fs/m | grep -q rodata || r=1\n"
	"test $r = 0 || cat $DIR/log >&2; exit $r'\n"
	"r=$?; rm -f $DIR/log; rmdir $DIR/fs; exit $r\n";

static void check_bpftool(struct maker *k)
{
	int r;

	write_ok(k);
	r = with_file(k, bpftool);
	maker_free(k);
	if (r == 77)
		skip();
	assert_int_equal(r, 0);
}

static void test_bpftool(void **state)
{
	struct maker k;

	(void)state;
	maker_init(&k, true);
	maker_sample(&k, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE);
	check_bpftool(&k);
}

/* With a kernel function and with fields that libbpf has to find. */
static void test_bpftool_kernel_names(void **state)
{
	static const struct ir_field fields[] = {
		{.root = "task_struct", .path = "comm", .off = 48, .size = 16},
		{.root = "task_struct", .path = "se.vruntime", .off = 56, .size = 8},
		{.root = "task_struct", .path = "real_parent", .off = 8, .size = 8,
			.type = {.kind = IRT_BTF}},
	};
	struct maker k;
	uint32_t prog;

	(void)state;
	maker_init(&k, true);
	if (!k.t.btf || !kbtf_func(k.t.btf, "bpf_rcu_read_lock")) {
		maker_free(&k);
		skip();
	}
	k.meta.portable = true;
	maker_sample(&k, "raw_tp/sched_switch", BPF_PROG_TYPE_RAW_TRACEPOINT);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "bpf_rcu_read_unlock" : "bpf_rcu_read_lock";

		ir_add_kfunc(&k.m, name, 0, kbtf_func_proto(k.t.btf, kbtf_func(k.t.btf, name)));
	}
	prog = maker_prog(&k, "p1_names", "raw_tp/sched_switch", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"call kfunc 0\nr6 = 48\nr6 = 56\nr6 = 8\ncall kfunc 1\nr0 = 0\nexit\n");
	for (uint32_t i = 0; i < 3; i++) {
		ir_add_field(&k.m, fields[i]);
		vec_push(&k.a, &k.code[prog].relocs,
			(struct code_reloc){.kind = CR_FIELD, .insn = 1 + i, .index = i});
	}
	check_bpftool(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_several_data_maps),
		cmocka_unit_test(test_struct_ops_section),
		cmocka_unit_test(test_objdump),
		cmocka_unit_test(test_bpftool),
		cmocka_unit_test(test_bpftool_kernel_names),
	};

	return cmocka_run_group_tests_name("back/elf", tests, NULL, NULL);
}
