/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The operations of schedulers that the target's types have, with their arguments. */
#include "base/glob.h"
#include "driver/list.h"
#include <linux/btf.h>
#include <string.h>

#define ARGS_MAX 8

/* A function pointer that programs may stand for; else 0. The prototype's arguments have no names. */
static uint32_t prototype(const struct kbtf *b, uint32_t member_type)
{
	struct kbtf_info ptr = kbtf_describe(b, member_type);

	if (ptr.class != KBTF_PTR || kbtf_describe(b, ptr.target).class != KBTF_FUNC)
		return 0;
	return kbtf_strip(b, ptr.target);
}

static void arguments(struct listing *l, const char *op, uint32_t proto)
{
	const struct kbtf *b = l->s->target.btf;
	struct kbtf_param p[ARGS_MAX];
	uint32_t n = kbtf_params(b, proto, p, ARGS_MAX);
	struct arena *a = &l->s->a;

	for (uint32_t i = 0; i < n && i < ARGS_MAX; i++) {
		bool nullable;
		size_t len;
		const char *name = scx_op_arg(op, i, &len, &nullable);

		name = name ? arena_strndup(a, name, len) : arena_printf(a, "arg%u", i);
		l->line(arena_printf(a, "    %s", kbtf_declare(b, p[i].type, name, a)), l->arg);
	}
	if (kbtf_return(b, proto))
		l->line(arena_printf(a, "    %s retval", kbtf_spell(b, kbtf_return(b, proto), a)),
			l->arg);
}

static uint32_t table_of(struct listing *l)
{
	return l->s->target.btf ? kbtf_find_struct(l->s->target.btf, "sched_ext_ops") : 0;
}

bool list_ops_any(struct listing *l)
{
	return table_of(l) != 0;
}

void list_ops(struct listing *l)
{
	const struct kbtf *b = l->s->target.btf;
	uint32_t table = table_of(l);
	const struct btf_type *t = table ? kbtf_type(b, table) : NULL;
	const struct btf_member *m = (const struct btf_member *)(t + 1);

	for (unsigned i = 0; t && i < btf_vlen_of(t); i++) {
		const char *name = kbtf_str(b, m[i].name_off);
		const struct scx_op *op = scx_op_by_name(name);
		uint32_t proto = prototype(b, m[i].type);
		unsigned before = l->found;

		/* "since" 0: only for schedulers by compact CPU numbers, which are not made here */
		if (!proto || (op && !op->since))
			continue;
		list_name(name, l);
		if (l->found == before || !l->fields)
			continue;
		if (op)
			l->line(arena_printf(&l->s->a, "    // %s", op->what), l->arg);
		arguments(l, name, proto);
	}
}
