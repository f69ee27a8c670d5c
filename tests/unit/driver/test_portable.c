/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Objects for other kernels. Whatever kernel an object was compiled for, once its references are
 * filled in for kernel B its code must be, to the byte, what the compiler makes for B.
 *
 * B is the kernel of tests/targets with everything moved: the test shifts every member of every
 * struct by a word, bit-fields by a bit as well, and every enumerator by 3.
 */
#include "driver/driver.h"
#include "load/internal.h"
#include "kern/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FROM "tests/targets/x86_64-7.3.target"

static char dir[] = "/tmp/skep-portable-XXXXXX";
static char moved[64]; /* target file of B */

struct image { /* a program's instructions */
	struct bpf_insn *insn;
	uint32_t n;
};

static void move_members(struct btf_type *t)
{
	struct btf_member *m = (struct btf_member *)(t + 1);

	t->size += 8;
	for (unsigned i = 0; i < btf_vlen_of(t); i++) {
		uint32_t bits = t->info >> 31 ? m[i].offset >> 24 : 0;

		if (!bits)
			m[i].offset += 64;
		else if (m[i].offset % 32 + 1 + bits <= 32)
			m[i].offset += 65;
		else
			m[i].offset += 64;
	}
}

static uint32_t body_size(const struct btf_type *t)
{
	unsigned n = btf_vlen_of(t);

	switch (btf_kind_of(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * (uint32_t)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return n * 8;
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return n * 12;
	default:
		return 0;
	}
}

static void move_all(uint8_t *p)
{
	const struct btf_header *h = (const struct btf_header *)p;
	uint8_t *at = p + h->hdr_len + h->type_off, *end = at + h->type_len;

	while (at < end) {
		struct btf_type *t = (struct btf_type *)at;
		uint32_t *e = (uint32_t *)(t + 1);
		unsigned kind = btf_kind_of(t);

		if (kind == BTF_KIND_STRUCT)
			move_members(t);
		for (unsigned i = 0; kind == BTF_KIND_ENUM && i < btf_vlen_of(t); i++)
			e[2 * i + 1] += 3;
		at += sizeof(*t) + body_size(t);
	}
}

static void put_file(const char *name, const void *p, size_t n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static const char moved_format[] =
	"name: sched_switch\nID: 314\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:long prev_state;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield:pid_t prev_pid;\toffset:16;\tsize:4;\tsigned:1;\n"
	"\tfield:int prev_prio;\toffset:20;\tsize:4;\tsigned:1;\n"
	"\tfield:char prev_comm[16];\toffset:24;\tsize:16;\tsigned:1;\n"
	"\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:1;\n\n"
	"print fmt: \"\"\n";

static int make_target(void **state)
{
	static const char text[] = "arch = x86_64\nkernel = 7.3.4\ncpus = 4\nbtf = moved.btf\n"
				   "tracefs = tracefs\n";
	struct arena a;
	struct trap trap;
	size_t n;
	char *btf, path[128];
	static const char *const dirs[] = {"/tracefs", "/tracefs/events", "/tracefs/events/sched",
		"/tracefs/events/sched/sched_switch"};

	(void)state;
	arena_init(&a, &trap);
	assert_non_null(mkdtemp(dir));
	btf = file_read(&a, "tests/targets/mini.btf", &n);
	assert_non_null(btf);
	move_all((uint8_t *)btf);
	put_file("moved.btf", btf, n);
	put_file("moved.target", text, sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put_file("tracefs/events/sched/sched_switch/format", moved_format, sizeof(moved_format) - 1);
	snprintf(moved, sizeof(moved), "%s/moved.target", dir);
	arena_free(&a);
	return 0;
}

static int remove_target(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

static struct skep *compiled(const char *target, const char *text)
{
	struct skep_options o = {.target = target};
	struct skep_compile_options co = {.portable = true};
	struct skep *s;

	assert_int_equal(skep_new(&s, &o), SKEP_OK);
	if (skep_compile(s, "t", text, strlen(text), &co))
		fail_msg("%s", skep_messages(s, false));
	return s;
}

/* The object that s holds, as kernel t's loader fills it in; or as it is when t is NULL. */
static struct image image_for(struct skep *s, struct target *t, struct loaded *l)
{
	struct image im;
	size_t size;
	const void *object = skep_object(s, &size);

	assert_int_equal(load_open(l, &s->a, t ? t : &s->target, &s->diags, object, size), SKEP_OK);
	if (t && core_relocate(l, 0))
		fail_msg("%s", skep_messages(s, false));
	im.insn = image_of(l)->prog[0].insn;
	im.n = image_of(l)->prog[0].n;
	return im;
}

static void same(const char *script)
{
	struct skep *a = compiled(FROM, script), *b = compiled(moved, script);
	struct loaded l[3];
	struct image filled = image_for(a, &b->target, &l[0]), native = image_for(b, NULL, &l[1]);
	struct image own = image_for(a, &a->target, &l[2]);

	assert_int_equal(filled.n, native.n);
	assert_memory_equal(filled.insn, native.insn, filled.n * sizeof(*filled.insn));
	assert_int_equal(own.n, filled.n);
	if (!memcmp(own.insn, filled.insn, filled.n * sizeof(*filled.insn)))
		fail_msg("nothing moved in: %s", script);
	for (int i = 0; i < 3; i++)
		load_close(&l[i]);
	skep_free(a);
	skep_free(b);
}

static void fields(void **state)
{
	(void)state;
	same("kprobe:vfs_read { @ = ((struct file *)arg0)->f_inode->i_ino; }");
	same("kprobe:vfs_read { $t = (struct task_struct *)curtask; @[$t->se.load.weight] = $t->pid; }");
	same("kprobe:vfs_read { @ = ((struct task_struct *)curtask)->real_parent->tgid; }");
}

static void bits(void **state)
{
	(void)state;
	same("kprobe:vfs_read { @ = ((struct task_struct *)curtask)->in_execve; }");
	same("kprobe:vfs_read { $t = (struct task_struct *)curtask; @[$t->sched_migrated] = $t->in_iowait; }");
}

/* Elements of arrays of structs: both the place in the struct and the size of an element move. */
static void elements(void **state)
{
	(void)state;
	same("kprobe:vfs_read { @ = ((struct pid *)arg0)->numbers[arg1].nr; }");
	same("kprobe:vfs_read { @ = str(((struct task_struct *)curtask)->comm); }");
}

static void constants(void **state)
{
	(void)state;
	same("kprobe:vfs_read { @ = PIDTYPE_TGID; }");
	same("enum own { mine = 3, PIDTYPE_TGID = 9 };"
	     "kprobe:vfs_read { @[mine] = PIDTYPE_TGID; @[1] = PIDTYPE_SID; }");
	same("kprobe:vfs_read /arg0 == PIDTYPE_SID/ { @ = PIDTYPE_TGID | 64; }");
}

static void tracepoints(void **state)
{
	(void)state;
	same("tracepoint:sched:sched_switch { @[args.prev_comm] = args.prev_pid; }");
	same("tracepoint:sched:sched_switch /args.prev_state/ { @ = count(); }");
	same("tracepoint:sched:sched_switch { @[args.next_comm[args.prev_pid & 7]] = count(); }");
}

static void schedulers(void **state)
{
	(void)state;
	same("sched_ext:enqueue { @[args.p.scx.weight] = args.p.scx.dsq_vtime; }");
	same("sched_ext:enqueue { args.p.scx.slice = args.p.in_iowait; }");
}

/* What is not there is said with its name, and where the script asks for it. */
static void missing(void **state)
{
	struct skep *a = compiled(FROM, "tracepoint:sched:sched_switch { @ = args.next_prio; }");
	struct skep *b = compiled(moved, "BEGIN { }");
	struct loaded l;
	const void *object;
	size_t size;

	(void)state;
	object = skep_object(a, &size);
	assert_int_equal(load_open(&l, &a->a, &b->target, &a->diags, object, size), SKEP_OK);
	assert_int_equal(core_relocate(&l, 0), SKEP_ESYS);
	assert_non_null(strstr(skep_messages(a, false), "t:1:37: error: field 'next_prio'"));
	assert_non_null(strstr(skep_messages(a, false), "is missing on this kernel"));
	load_close(&l);
	skep_free(a);
	skep_free(b);
}

/* Places that follow from a prototype hold for one kernel: no such object is made. */
static void one_kernel_only(void **state)
{
	static const char *const scripts[] = {"fentry:vfs_read { @ = sum(args.count); }",
		"fexit:vfs_read { @ = sum(retval); }"};
	struct skep_options o = {.target = FROM};
	struct skep_compile_options co = {.portable = true};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct skep *s;

		assert_int_equal(skep_new(&s, &o), SKEP_OK);
		assert_int_equal(skep_compile(s, "t", scripts[i], strlen(scripts[i]), &co), SKEP_EUSER);
		assert_non_null(strstr(skep_messages(s, false), "in an object for other kernels"));
		skep_free(s);
	}
}

static uint64_t rnd(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static int relocate_all(struct skep *s, const void *object, size_t size)
{
	struct loaded l;
	int err = load_open(&l, &s->a, &s->target, &s->diags, object, size);

	if (!err)
		core_names(&l);
	for (uint32_t i = 0; !err && i < l.meta.progs.n; i++)
		err = core_relocate(&l, i);
	load_close(&l);
	return err;
}

/* A damaged object is refused with a reason or taken; whatever it says, nothing else happens. */
static void damaged(void **state)
{
	static const char script[] =
		"kprobe:vfs_read { $t = (struct task_struct *)curtask; @[$t->in_iowait, $t->pid] = PIDTYPE_SID;"
		" @n = ((struct pid *)arg0)->numbers[arg1].nr; }"
		"tracepoint:sched:sched_switch { @[args.prev_pid, 0] = 1; printf(\"%s\", args.prev_comm);"
		" @c[args.next_comm[args.prev_pid & 7]] = 1; }";
	struct skep *a = compiled(FROM, script);
	unsigned good = 0, bad = 0;
	uint64_t seed = 0xdeb10;
	const void *object;
	size_t size;
	char *own;

	(void)state;
	object = skep_object(a, &size);
	own = malloc(size);
	for (unsigned i = 0; i < 3000; i++) {
		struct skep_options o = {.target = i % 2 ? moved : FROM};
		struct skep *s;
		int err;

		memcpy(own, object, size);
		for (unsigned k = 0; k <= i % 3; k++) {
			size_t at = rnd(&seed) % size;

			own[at] = (char)(rnd(&seed) % 3 ? own[at] + 1 : (int)rnd(&seed));
		}
		assert_int_equal(skep_new(&s, &o), SKEP_OK);
		if (setjmp(s->trap.env) == 0)
			err = relocate_all(s, own, size);
		else
			err = s->trap.code;
		assert_int_not_equal(err, SKEP_EBUG);
		if (err)
			assert_true(*skep_messages(s, false) != 0);
		*(err ? &bad : &good) += 1;
		skep_free(s);
	}
	assert_true(good > 300 && bad > 300); /* both ways are taken */
	free(own);
	skep_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(bits),
		cmocka_unit_test(elements),
		cmocka_unit_test(constants),
		cmocka_unit_test(tracepoints),
		cmocka_unit_test(schedulers),
		cmocka_unit_test(missing),
		cmocka_unit_test(one_kernel_only),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests_name("driver/portable", tests, make_target, remove_target);
}
