/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ir/access.h"
#include <string.h>

struct ir_origin ir_origin(const struct ir_fn *f, ir_val p)
{
	struct ir_origin o = {.root = p};

	for (;;) {
		const struct ir_ins *i = ir_ins_of(f, o.root);

		if (i->op == IR_OFF)
			o.off += i->imm;
		else if (i->op == IR_INDEX)
			o.var = __builtin_add_overflow(o.var, ir_type_of(f, i->args[1]).hi, &o.var) ?
				UINT64_MAX : o.var;
		else
			return o;
		o.root = i->args[0];
	}
}

/* The map argument of a helper, or NULL. */
static const struct meta_map *map_of(const struct ir_fn *f, const struct ir_ins *i,
	const struct kern_helper *h)
{
	for (unsigned a = 0; a < i->nargs; a++) {
		const struct ir_ins *m = ir_ins_of(f, i->args[a]);

		if (h->arg[a] == KA_MAP && m->op == IR_MAP && m->aux < f->m->meta->maps.n)
			return &f->m->meta->maps.v[m->aux];
	}
	return NULL;
}

/* Helpers that copy a string and leave what is behind its end as it was. */
static bool copies_string(const struct kern_helper *h)
{
	size_t n = strlen(h->name);

	return (n > 4 && !strcmp(h->name + n - 4, "_str")) || !strncmp(h->name, "snprintf", 8) ||
		!strcmp(h->name, "d_path");
}

static uint64_t greatest(const struct ir_fn *f, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	if (i->op == IR_CONST)
		return (uint64_t)i->imm;
	return i->type.kind == IRT_I64 ? i->type.hi : UINT32_MAX;
}

/* A number that is constant when the program is loaded. */
bool ir_is_fixed(const struct ir_fn *f, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	return i->op == IR_CONST || (i->op == IR_FOFS && f->m->fields.v[i->aux].fact == FACT_SIZE);
}

/* What the function before the frame looks at of it. */
static uint64_t frame_size(const struct ir_fn *f, const struct ir_ins *i, unsigned a)
{
	const struct ir_ins *func = a ? ir_ins_of(f, i->args[a - 1]) : NULL;
	const struct ir_fn *sub;

	if (!func || func->op != IR_FUNC || func->aux >= f->top->subs.n)
		return ir_type_of(f, i->args[a]).n;
	sub = f->top->subs.v[func->aux];
	return sub->blocks.v[0].params.n ? ir_type_of(sub, ir_frame(sub)).n : 0;
}

/* Size and use of memory argument a of a helper; how 0 when it is no pointer to memory. */
static void helper_access(const struct ir_fn *f, const struct ir_ins *i,
	const struct kern_helper *h, unsigned a, struct ir_access *acc)
{
	const struct meta_map *map = map_of(f, i, h);
	bool sized = a + 1 < i->nargs;
	bool fixed = sized && ir_is_fixed(f, i->args[a + 1]);

	switch (h->arg[a]) {
	case KA_KEY:
		acc->how = ACC_READ | ACC_WHOLE;
		acc->size = map ? map->key_size : 0;
		break;
	case KA_VALUE:
	case KA_VALUE0:
		acc->how = ACC_READ | ACC_WHOLE;
		acc->size = map ? map->value_size : 0;
		break;
	case KA_VALUE_W:
		acc->how = ACC_WRITE;
		acc->size = map ? map->value_size : 0;
		break;
	case KA_MEM_R:
		acc->how = ACC_READ | ACC_WHOLE;
		acc->size = sized ? greatest(f, i->args[a + 1]) : 0;
		break;
	case KA_MEM_W:
		/* With a size that varies the verifier wants the memory set before (raw mode off). */
		acc->how = fixed ? ACC_WRITE : ACC_READ | ACC_PART;
		if (copies_string(h))
			acc->how |= ACC_STR;
		acc->size = sized ? greatest(f, i->args[a + 1]) : 0;
		break;
	case KA_LONG: /* before 6.12 the verifier wants it set */
		acc->how = ACC_READ | ACC_WRITE;
		acc->size = 8;
		break;
	case KA_CBCTX:
		acc->how = ACC_READ | ACC_PART;
		acc->size = frame_size(f, i, a);
		break;
	case KA_RECORD:
	case KA_STRPTR:
	case KA_TIMER:
	default:
		break;
	}
	if (!ir_is_ptr(ir_type_of(f, i->args[a])))
		acc->how = 0; /* the number 0 in place of a pointer */
}

static unsigned call_accesses(const struct ir_fn *f, const struct ir_ins *i, struct ir_access *out)
{
	const struct kern_helper *h = i->op == IR_CALL ? kern_helper_by_id(i->aux) : NULL;
	unsigned n = 0;

	for (unsigned a = 0; a < i->nargs; a++) {
		struct ir_type t = ir_type_of(f, i->args[a]);
		struct ir_access acc = {.ptr = i->args[a], .arg = a};

		if (h)
			helper_access(f, i, h, a, &acc);
		else if (t.kind == IRT_SLOT || t.kind == IRT_MAPV || t.kind == IRT_REC ||
			t.kind == IRT_FRAME) {
			/* A kfunc may read and write all it can reach. */
			acc.how = ACC_READ | ACC_PART;
			acc.size = t.n;
		}
		if (acc.how)
			out[n++] = acc;
	}
	return n;
}

unsigned ir_accesses(const struct ir_fn *f, const struct ir_ins *i, struct ir_access *out)
{
	if (i->op >= IR_OP_COUNT)
		return 0;
	*out = (struct ir_access){.ptr = i->args[0], .off = i->imm, .size = i->width};
	switch (ir_op_row(i->op)->form) {
	case FORM_LD:
		out->how = ACC_READ;
		return i->op == IR_LD;
	case FORM_ST:
		out->how = ACC_WRITE;
		return 1;
	case FORM_ZERO:
		out->how = ACC_WRITE;
		out->size = i->aux;
		return 1;
	case FORM_ATOM:
	case FORM_CAS:
		out->how = ACC_READ | ACC_WRITE;
		return 1;
	case FORM_CALL:
		return call_accesses(f, i, out);
	default:
		return 0;
	}
}
