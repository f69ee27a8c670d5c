/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What passes ask about machine operations: answers come from the columns of isa.def. */
#include "backend-bpf/mach.h"
#include "ir/rewrite.h"
#include <assert.h>

struct back_fn *back_data(struct ir_fn *f)
{
	if (!f->back)
		f->back = ARENA_NEW(f->a, struct back_fn);
	return f->back;
}

const ir_blk *back_order(const struct ir_fn *f, uint32_t *n)
{
	struct back_fn *back = f->back;

	if (!back->order) { /* code read back from its text form is in its order there */
		back->order = ARENA_ARRAY(f->a, ir_blk, f->blocks.n);
		for (ir_blk b = 0; b < f->blocks.n; b++) {
			if (f->blocks.v[b].term.op != IRN_NONE)
				back->order[back->norder++] = b;
		}
	}
	*n = back->norder;
	return back->order;
}

bool mach_calls(const struct ir_ins *i)
{
	return mach_is(i) && mach_row(i)->flags & (ISAF_CALL | ISAF_R0);
}

bool mach_result(const struct ir_fn *f, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	if (i->op == IR_PARAM)
		return true;
	if (!mach_is(i))
		return false;
	if (mach_row(i)->flags & (ISAF_DEF | ISAF_DEF_SRC | ISAF_R0))
		return true;
	return mach_row(i)->flags & ISAF_CALL && i->type.kind != IRT_VOID;
}

bool mach_remat(const struct ir_fn *f, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	if (mach_form(i, IFORM_MOV_RI) || mach_form(i, IFORM_LD64))
		return true;
	return i->op == MACH(MOV64_RR) && mach_slot(f, i->args[0]);
}

bool mach_floats(const struct ir_fn *f, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	return mach_remat(f, v) || (i->op == MACH(LDX64) && i->sub == MACH_IN_PLACE);
}

unsigned mach_late(const struct ir_fn *f, const struct ir_ins *i)
{
	if (!mach_is(i))
		return 0;
	if (mach_form(i, IFORM_FETCH)) /* the result takes b's register while a is the address */
		return mach_slot(f, i->args[0]) || i->args[0] == i->args[1] ? 0 : 1;
	/* Pointer plus number may also be made in the number's register: all kernels take that. */
	if (mach_form(i, IFORM_ALU_RR) && i->args[0] != i->args[1] &&
		!(mach_row(i)->flags & ISAF_COMM))
		return 2;
	return 0;
}

int mach_tied(const struct ir_ins *i)
{
	if (!mach_is(i))
		return -1;
	if (mach_row(i)->flags & ISAF_DEF_SRC)
		return 1;
	return (mach_row(i)->flags & (ISAF_DEF | ISAF_USE_DST)) == (ISAF_DEF | ISAF_USE_DST) ? 0 : -1;
}

bool mach_reads(const struct ir_fn *f, const struct ir_ins *i, unsigned k)
{
	ir_val v = i->args[k];

	if (!v || mach_slot(f, v))
		return false;
	if (i->sub == MACH_IN_PLACE && i->op == MACH(STX64)) /* a parameter that lives in its slot */
		return false;
	return !(mach_anywhere(i) && mach_floats(f, v));
}

bool mach_term_reads(const struct ir_fn *f, const struct ir_term *t, unsigned k)
{
	ir_val v = t->args[k];

	if (k >= (unsigned)ir_term_row(t->op)->nargs || !v || (t->has_imm && k == 1))
		return false;
	return !(t->op == IRN_RET && mach_floats(f, v));
}

ir_val mach_new(struct ir_fn *f, struct ir_ins ins)
{
	return ir_new_ins(f, ins); /* reg: none */
}

ir_val mach_spill_slot(struct ir_fn *f)
{
	struct ir_ins ins = {.op = IR_SLOT, .type = ir_ptr(IRT_SLOT, 8), .imm = 8, .aux = SLOT_SPILL,
		.reg = IR_NO_REG};

	return ir_new_ins(f, ins);
}

/* ---- dead code ---- */

struct dce {
	struct ir_fn *f;
	struct ir_cfg *cfg;
	bool *used;
	VEC(ir_val) work;
};

static void mark(struct dce *d, ir_val v)
{
	if (!v || d->used[v])
		return;
	d->used[v] = true;
	vec_push(ir_scratch(d->f), &d->work, v);
}

static bool has_effect(const struct ir_ins *i)
{
	return mach_is(i) && mach_row(i)->flags & (ISAF_WRITE | ISAF_CALL | ISAF_R0);
}

static void mark_param(struct dce *d, ir_val p)
{
	const struct ir_fn *f = d->f;
	ir_blk b = f->vals.v[p].block;
	uint32_t at = 0;

	while (f->blocks.v[b].params.v[at] != p)
		at++;
	for (uint32_t k = 0; k < d->cfg->preds[b].n; k++) {
		const struct ir_term *t = &f->blocks.v[d->cfg->preds[b].v[k]].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			if (t->edge[e].to == b)
				mark(d, t->edge[e].args[at]);
		}
	}
}

static void mark_roots(struct dce *d)
{
	const struct ir_fn *f = d->f;

	for (uint32_t k = 0; k < f->blocks.n; k++) {
		const struct ir_block *b = &f->blocks.v[k];

		for (uint32_t i = 0; i < b->ins.n; i++) {
			if (has_effect(ir_ins_of(f, b->ins.v[i])))
				mark(d, b->ins.v[i]);
		}
		for (int i = 0; i < ir_term_row(b->term.op)->nargs; i++)
			mark(d, b->term.has_imm && i == 1 ? IR_NONE : b->term.args[i]);
	}
}

/* Drops what nobody uses, parameters and their arguments included. */
void mach_dce(struct ir_fn *f)
{
	struct dce d = {.f = f, .cfg = ir_cfg_build(f, ir_scratch(f))};
	bool *drop = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);

	d.used = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);
	mark_roots(&d);
	while (d.work.n) {
		ir_val v = d.work.v[--d.work.n];
		const struct ir_ins *i = ir_ins_of(f, v);

		if (i->op == IR_PARAM && i->block != 0)
			mark_param(&d, v);
		for (unsigned k = 0; k < i->nargs; k++)
			mark(&d, i->args[k]);
	}
	for (ir_blk k = 0; k < f->blocks.n; k++) {
		struct ir_block *b = &f->blocks.v[k];
		uint32_t n = 0;

		for (uint32_t i = 0; i < b->ins.n; i++) {
			if (d.used[b->ins.v[i]])
				b->ins.v[n++] = b->ins.v[i];
		}
		b->ins.n = n;
	}
	for (ir_val v = 1; v < f->vals.n; v++)
		drop[v] = f->vals.v[v].op == IR_PARAM && !d.used[v];
	ir_remove_params(f, drop);
}
