/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scx [BTF]: the table of short names and rules (kern/scx.def) against the kernel's own types: every
 * short name means something there, every function of sched_ext has a rule, every operation a row.
 * Without BTF also against the kernel itself: which operation may call what.
 * timeout: 120
 */
#include "kern/kern.h"
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static int failed;

static void verdict(const char *name, unsigned bad)
{
	printf(bad ? "not ok %s %u names\n" : "ok %s\n", name, bad);
	failed |= bad != 0;
}

static unsigned short_names(struct kbtf *b)
{
	const struct scx_alias *al;
	unsigned bad = 0;

	for (unsigned i = 0; (al = scx_alias_at(i)); i++) {
		bool there = !strcmp(al->name, "cpu_rq"); /* gone in 7.3 */

		for (unsigned k = 0; k < 4 && al->kfunc[k]; k++)
			there |= kbtf_func(b, al->kfunc[k]) != 0;
		if (!there)
			printf("%s means nothing here\n", al->name);
		bad += !there;
	}
	return bad;
}

struct rules {
	struct kbtf *b;
	unsigned bad;
};

/* The kernel marks what programs may call by a declaration tag. */
static bool is_kfunc(struct kbtf *b, const char *name)
{
	uint32_t func = kbtf_func(b, name);

	for (uint32_t id = 1; id <= kbtf_count(b); id++) {
		const struct btf_type *t = kbtf_type(b, id);

		if (btf_kind_of(t) == BTF_KIND_DECL_TAG && t->type == func &&
			!strcmp(kbtf_name(b, id), "bpf_kfunc"))
			return true;
	}
	return false;
}

static void one_function(const char *name, void *arg)
{
	struct rules *r = arg;
	size_t n = strlen(name);

	if (strncmp(name, "scx_bpf_", 8) && strncmp(name, "__scx_bpf_", 10))
		return;
	if ((n > 5 && !strcmp(name + n - 5, "_impl")) || scx_kfunc_set(name) || !is_kfunc(r->b, name))
		return;
	printf("%s has no rule\n", name);
	r->bad++;
}

static bool one_operation(const struct kbtf_member *m, void *arg)
{
	struct rules *s = arg;
	struct kbtf_info t = kbtf_describe(s->b, m->type);

	if (t.class != KBTF_PTR || kbtf_describe(s->b, t.target).class != KBTF_FUNC)
		return true;
	if (scx_op_by_name(m->name))
		return true;
	printf("%s has no row\n", m->name);
	s->bad++;
	return true;
}

/* ---- who may call what ---- */

struct calls {
	struct kbtf *b;
	uint32_t ops, member, version;
	const struct scx_op *op;
	struct {
		const char *name;
		uint32_t func, set;
	} fn[200];
	unsigned n, tried, bad;
};

enum verdict { ALLOWED, REFUSED, NO_ANSWER };

/* A call without arguments is wrong in any case; what the kernel says of it tells whose fault it is. */
static enum verdict ask(const struct calls *c, uint32_t func)
{
	struct bpf_insn x[] = {{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL,
				       .imm = (int)func},
		{.code = BPF_JMP | BPF_EXIT}};
	char log[4096] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, o, .log_buf = log, .log_size = sizeof(log), .log_level = 1,
		.attach_btf_id = c->ops, .expected_attach_type = c->member,
		.prog_flags = c->op->sleepable ? BPF_F_SLEEPABLE : 0);
	int fd = bpf_prog_load(BPF_PROG_TYPE_STRUCT_OPS, "rules", "GPL", x, 2, &o);

	if (fd >= 0)
		close(fd);
	if (strstr(log, "is not allowed"))
		return REFUSED;
	/* it has come as far as to the arguments, or to the end */
	return fd >= 0 || strstr(log, "!read_ok") || strstr(log, "reference") ? ALLOWED : NO_ANSWER;
}

static void collect(const char *name, void *arg)
{
	struct calls *c = arg;

	if (c->n == sizeof(c->fn) / sizeof(*c->fn) || !scx_kfunc_set(name) || !is_kfunc(c->b, name))
		return;
	c->fn[c->n].name = name;
	c->fn[c->n].func = kbtf_func(c->b, name);
	c->fn[c->n++].set = scx_kfunc_set(name);
}

static void one_call(struct calls *c, unsigned i)
{
	enum verdict v;
	bool may;

	/* what may be called everywhere is tried in one operation only; dump() the kernel judges later */
	if (c->fn[i].set & SCX_DUMP || (c->fn[i].set & (SCX_ANY | SCX_IDLE) && strcmp(c->op->name, "running")))
		return;
	v = ask(c, c->fn[i].func);
	if (v == NO_ANSWER)
		return;
	c->tried++;
	may = scx_may_call(c->op, c->fn[i].name, c->version);
	if (may == (v == ALLOWED))
		return;
	printf("%s in %s: the table says %s\n", c->fn[i].name, c->op->name, may ? "yes" : "no");
	c->bad++;
}

/* Kernels before 7.0 load what they abort later. */
static void rules_hold(struct kbtf *b)
{
	struct calls c = {.b = b, .ops = kbtf_find_struct(b, "sched_ext_ops")};
	const struct btf_type *t = kbtf_type(b, c.ops);
	const struct btf_member *m = (const struct btf_member *)(t + 1);
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2 || major < 7) {
		printf("skip calls this kernel does not tell when loading\n");
		return;
	}
	c.version = KV(major, minor);
	kbtf_each_func(b, collect, &c);
	for (; c.member < btf_vlen_of(t); c.member++) {
		c.op = scx_op_by_name(kbtf_str(b, m[c.member].name_off));
		for (unsigned i = 0; c.op && c.op->since && i < c.n; i++)
			one_call(&c, i);
	}
	printf("%u calls tried\n", c.tried);
	verdict("calls", c.tried < 300 ? 1 : c.bad);
}

int main(int argc, char **argv)
{
	const char *why = NULL;
	struct arena a;
	struct rules s = {0};

	arena_init(&a, NULL);
	s.b = kbtf_open(&a, argc > 1 ? argv[1] : "/sys/kernel/btf/vmlinux", &why);
	if (!s.b || !kbtf_find_struct(s.b, "sched_ext_ops")) {
		printf("skip tables %s\n", s.b ? "this kernel has no sched_ext" : why);
		return 0;
	}
	verdict("short-names", short_names(s.b));
	kbtf_each_func(s.b, one_function, &s);
	verdict("rules", s.bad);
	s.bad = 0;
	kbtf_each_member(s.b, kbtf_find_struct(s.b, "sched_ext_ops"), one_operation, &s);
	verdict("operations", s.bad);
	if (argc < 2)
		rules_hold(s.b);
	kbtf_close(s.b);
	arena_free(&a);
	return failed;
}
