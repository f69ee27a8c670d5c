/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The type an instruction's result has by its operation and operands: what the builders give it,
 * what the parser fills in, and what the checker holds a written type against.
 */
#include "ir/ir.h"

static struct ir_type no(const char **why, const char *text)
{
	*why = text;
	return IR_VOID;
}

static struct ir_type loaded(unsigned width)
{
	return width >= 8 ? IR_I64 : ir_range(((uint64_t)1 << width * 8) - 1);
}

static struct ir_type infer_const(const struct ir_ins *i)
{
	return i->type.kind == IRT_I32 ? IR_I32 : ir_range((uint64_t)i->imm);
}

static struct ir_type infer_off(const struct ir_fn *f, const struct ir_ins *i, const char **why)
{
	struct ir_type t = ir_type_of(f, i->args[0]);

	if (i->imm < 0 || i->imm > t.n)
		return no(why, "pointer moved out of its proven size");
	t.n -= (uint32_t)i->imm;
	return t;
}

static struct ir_type infer_index(const struct ir_fn *f, const struct ir_ins *i)
{
	struct ir_type t = ir_type_of(f, i->args[0]), by = ir_type_of(f, i->args[1]);

	t.n = t.kind == IRT_PKT || by.kind != IRT_I64 || by.hi > t.n ? 0 : t.n - (uint32_t)by.hi;
	return t;
}

static struct ir_type infer_gaddr(const struct ir_fn *f, const struct ir_ins *i, const char **why)
{
	uint32_t size;

	if (i->aux >= f->m->meta->maps.n)
		return no(why, "no such map");
	size = f->m->meta->maps.v[i->aux].value_size;
	if (i->imm < 0 || i->imm >= size)
		return no(why, "address outside the map's value");
	return ir_ptr(IRT_MAPV, size - (uint32_t)i->imm);
}

static struct ir_type infer_ldctx(const struct ir_fn *f, const struct ir_ins *i)
{
	const struct kern_ctx_field *row = kern_ctx_field_at(f->ctx, (uint32_t)i->imm, i->width);

	if (row && row->type == CF_PKT)
		return ir_ptr(IRT_PKT, 0);
	if (row && row->type == CF_PKTEND)
		return ir_ptr(IRT_PKTEND, 0);
	return loaded(i->width);
}

static struct ir_type infer_ldf(const struct ir_fn *f, const struct ir_ins *i, const char **why)
{
	const struct ir_field *d;
	struct ir_type t;

	if (i->aux >= f->m->fields.n)
		return no(why, "no such field");
	d = &f->m->fields.v[i->aux];
	t = d->type;
	if (t.kind == IRT_BTF)
		t.flags |= ir_type_of(f, i->args[0]).flags & IRT_UNTRUSTED;
	else if (t.kind == IRT_I64 && !d->is_signed && d->size < 8 && t.hi > loaded(d->size).hi)
		t = loaded(d->size);
	return t;
}

static struct ir_type infer_fofs(const struct ir_fn *f, const struct ir_ins *i, const char **why)
{
	const struct ir_field *d;

	if (i->aux >= f->m->fields.n)
		return no(why, "no such field");
	d = &f->m->fields.v[i->aux];
	switch ((enum ir_fact)d->fact) {
	case FACT_ENUM:
		return IR_I64;
	case FACT_SIZE: /* loaders refuse what grew beyond */
		return ir_range((uint64_t)d->value);
	case FACT_LSHIFT:
	case FACT_RSHIFT:
		return ir_range(63);
	default:
		return ir_range(INT32_MAX);
	}
}

static struct ir_type infer_map_value(const struct ir_fn *f, const struct kern_helper *h,
	const struct ir_ins *i, const char **why)
{
	for (unsigned n = 0; n < i->nargs; n++) {
		const struct ir_ins *a = ir_ins_of(f, i->args[n]);

		if (h->arg[n] == KA_MAP && a->op == IR_MAP && a->aux < f->m->meta->maps.n)
			return ir_nullable(
				ir_ptr(IRT_MAPV, f->m->meta->maps.v[a->aux].value_size));
	}
	return no(why, "no map among the arguments");
}

static struct ir_type infer_record(const struct ir_fn *f, const struct kern_helper *h,
	const struct ir_ins *i, const char **why)
{
	for (unsigned n = 0; n < i->nargs; n++) {
		if (h->arg[n] == KA_CONST && ir_is_const(f, i->args[n]))
			return ir_nullable(
				ir_ptr(IRT_REC, (uint32_t)ir_ins_of(f, i->args[n])->imm));
	}
	return no(why, "no constant size among the arguments");
}

static struct ir_type infer_call(const struct ir_fn *f, const struct ir_ins *i, const char **why)
{
	const struct kern_helper *h = kern_helper_by_id(i->aux);

	if (!h)
		return no(why, "no such helper");
	switch (h->ret) {
	case KR_VOID:
		return IR_VOID;
	case KR_MAPV:
		return infer_map_value(f, h, i, why);
	case KR_RECORD:
		return infer_record(f, h, i, why);
	case KR_TASK:
		return ir_btf_type(f->m, "task_struct", 0, 0);
	case KR_BTF:
		return i->type.kind == IRT_BTF ? i->type : no(why, "the result's type must be given");
	default:
		return IR_I64;
	}
}

struct ir_type ir_infer(const struct ir_fn *f, const struct ir_ins *i, const char **why)
{
	*why = NULL;
	switch (ir_op_row(i->op)->form) {
	case FORM_CONST:
		return infer_const(i);
	case FORM_BIN:
		return ir_result_type(f, i->op, i->args[0], i->args[1]);
	case FORM_UN:
		return ir_result_type(f, i->op, i->args[0], IR_NONE);
	case FORM_SLOT:
		return ir_ptr(IRT_SLOT, (uint32_t)i->imm);
	case FORM_MAPREF:
		return ir_ptr(IRT_MAP, 0);
	case FORM_FUNC:
		return ir_ptr(IRT_FUNC, 0);
	case FORM_GADDR:
		return infer_gaddr(f, i, why);
	case FORM_OFF:
		return infer_off(f, i, why);
	case FORM_INDEX:
		return infer_index(f, i);
	case FORM_LD:
		return i->op == IR_LDCTX ? infer_ldctx(f, i) : loaded(i->width);
	case FORM_ATOM:
		return i->sub >= AT_FADD ? loaded(i->width) : IR_VOID;
	case FORM_CAS:
		return loaded(i->width);
	case FORM_LDF:
		return infer_ldf(f, i, why);
	case FORM_FOFS:
		return infer_fofs(f, i, why);
	case FORM_CALL:
		return i->op == IR_CALL ? infer_call(f, i, why) : i->type;
	default:
		return i->op == IR_PARAM ? i->type : IR_VOID;
	}
}
