/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scx [BTF]: the table of short names and rules (kern/scx.def) against the kernel's own types: every
 * short name means something there, every function of sched_ext has a rule, every operation a row.
 */
#include "kern/kern.h"
#include <stdio.h>
#include <string.h>

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
	kbtf_close(s.b);
	arena_free(&a);
	return failed;
}
