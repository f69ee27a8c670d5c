/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments and results that the kernel hands over as an array of 8 bytes each. */
#include "lang/lower.h"
#include <string.h>

/* Index of the argument that args.NAME means at this point. */
static int64_t param_index(const struct lower *L, const char *name)
{
	struct kbtf_param p[16];
	uint32_t n = kbtf_params(L->m->target->btf, L->ap->proto, p, 16);

	for (uint32_t i = L->ap->proto_skip; i < n && i < 16; i++) {
		if (!strcmp(p[i].name, name))
			return i - L->ap->proto_skip;
	}
	trap_raise(L->m->trap, SKEP_EBUG, "lowering: no argument %s", name);
}

ir_val lo_traced_arg(struct lower *L, const struct expr *e)
{
	struct kbtf *btf = L->m->target->btf;
	struct ir_type t = IR_I64;
	ir_val v;

	if (e->type.kind == LT_PTR && e->type.typed && e->type.btf) {
		uint32_t id = kbtf_strip(btf, e->type.btf);

		t = ir_btf_type(L->m, kbtf_name(btf, id), id, 0);
	}
	v = ir_ldctx(L->f, 8, 8 * param_index(L, e->u.field.name), t);
	return e->type.kind == LT_INT ? lo_extend(L, v, e->type.size, e->type.is_signed) : v;
}

/* Behind the arguments; a function without a result leaves 0 there to be read. */
ir_val lo_traced_retval(struct lower *L, const struct expr *e)
{
	struct kbtf_param p[16];
	uint32_t n = kbtf_params(L->m->target->btf, L->ap->proto, p, 16);
	ir_val v;

	if (!kbtf_return(L->m->target->btf, L->ap->proto))
		return ir_const(L->f, 0);
	v = ir_ldctx(L->f, 8, 8 * (int64_t)n, IR_I64);
	return e->type.kind == LT_INT ? lo_extend(L, v, e->type.size, e->type.is_signed) : v;
}

/* argN of a raw tracepoint. */
ir_val lo_raw_arg(struct lower *L, unsigned n)
{
	return ir_ldctx(L->f, 8, 8 * (int64_t)n, IR_I64);
}
