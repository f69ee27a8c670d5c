/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Dead code: what has no effect and no user goes, and parameters nobody reads with their arguments.
 * Parameters that own something stay, they are how it is handed on.
 */
#include "ir/opt.h"
#include "ir/rewrite.h"

bool ir_call_pure(const struct ir_fn *f, const struct ir_ins *i)
{
	const struct kern_helper *h;

	if (i->op == IR_KCALL)
		return kfunc_effects(f->m->kfuncs.v[i->aux].name) & KE_PURE;
	h = i->op == IR_CALL ? kern_helper_by_id(i->aux) : NULL;
	return h && h->effects & KE_PURE;
}

bool ir_call_droppable(const struct ir_fn *f, const struct ir_ins *i)
{
	const struct kern_helper *h = i->op == IR_CALL ? kern_helper_by_id(i->aux) : NULL;
	uint32_t effects = h ? h->effects : 0;

	if (i->op == IR_KCALL)
		effects = kfunc_effects(f->m->kfuncs.v[i->aux].name);
	return effects & (KE_PURE | KE_READ) &&
		!(effects & (KE_ACQUIRE | KE_RELEASE | KE_PKT_INVAL | KE_SLEEP));
}

struct dce {
	struct ir_fn *f;
	bool *live;
	ir_val *work;
	uint32_t n;
	struct ir_cfg *cfg;
};

static void need(struct dce *s, ir_val v)
{
	if (v && !s->live[v]) {
		s->live[v] = true;
		s->work[s->n++] = v;
	}
}

static bool kept(const struct ir_fn *f, const struct ir_ins *i)
{
	if (i->op >= IR_OP_COUNT)
		return true;
	return ir_op_row(i->op)->flags & OF_W && !ir_call_droppable(f, i);
}

static bool owner(struct ir_type t)
{
	return t.kind == IRT_REC || (t.kind == IRT_BTF && t.flags & IRT_OWNED);
}

static void find_roots(struct dce *s)
{
	for (ir_blk b = 0; b < s->f->blocks.n; b++) {
		const struct ir_block *blk = &s->f->blocks.v[b];

		for (uint32_t i = 0; i < blk->params.n; i++) {
			if (b == 0 || owner(ir_type_of(s->f, blk->params.v[i])))
				need(s, blk->params.v[i]);
		}
		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (kept(s->f, ir_ins_of(s->f, blk->ins.v[i])))
				need(s, blk->ins.v[i]);
		}
		need(s, blk->term.args[0]);
		need(s, blk->term.args[1]);
	}
}

/* What a live parameter receives is live. */
static void need_arguments(struct dce *s, ir_val param)
{
	ir_blk b = ir_ins_of(s->f, param)->block;
	const struct ir_block *blk = &s->f->blocks.v[b];
	uint32_t k = 0;

	while (k < blk->params.n && blk->params.v[k] != param)
		k++;
	for (uint32_t p = 0; p < s->cfg->preds[b].n; p++) {
		const struct ir_term *t = &s->f->blocks.v[s->cfg->preds[b].v[p]].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			if (t->edge[e].to == b)
				need(s, t->edge[e].args[k]);
		}
	}
}

static void sweep(struct dce *s)
{
	struct ir_fn *f = s->f;
	bool *drop = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		struct ir_block *blk = &f->blocks.v[b];
		uint32_t n = 0;

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (s->live[blk->ins.v[i]])
				blk->ins.v[n++] = blk->ins.v[i];
		}
		blk->ins.n = n;
		for (uint32_t i = 0; i < blk->params.n; i++)
			drop[blk->params.v[i]] = !s->live[blk->params.v[i]];
	}
	ir_remove_params(f, drop);
}

void ir_opt_dce(struct ir_fn *f)
{
	struct dce s = {.f = f, .live = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n),
		.work = ARENA_ARRAY(ir_scratch(f), ir_val, f->vals.n)};

	ir_drop_unreachable(f);
	s.cfg = ir_cfg_build(f, ir_scratch(f));
	find_roots(&s);
	while (s.n) {
		ir_val v = s.work[--s.n];
		const struct ir_ins *i = ir_ins_of(f, v);

		for (unsigned a = 0; a < i->nargs; a++)
			need(&s, i->args[a]);
		if (i->op == IR_PARAM && i->block)
			need_arguments(&s, v);
	}
	sweep(&s);
}
