/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The order of blocks. Blocks that do nothing are passed by, equal ones are merged, and traces are
 * laid so that the way that goes on falls through: into loops, along proofs, away from blocks that
 * only end the program. Conditions are turned round where that makes the second edge fall through.
 *
 * Requires: back_pcopy. Ensures: back_fn.order; edge[1] of a comparison is the next block where
 * possible. Blocks that are not in the order are unreachable.
 */
#include "backend-bpf/mach.h"
#include <string.h>

#define BUCKETS 256
#define ROUNDS 8

struct layout {
	struct ir_fn *f;
	struct back_fn *back;
	struct ir_cfg *cfg;
	bool *placed;
};

static bool code_in(const struct ir_fn *f, ir_blk b)
{
	const struct ir_block *blk = &f->blocks.v[b];

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		if (!mach_slot(f, blk->ins.v[i]))
			return true;
	}
	return false;
}

/* Where control really goes when it goes to b. */
static ir_blk through(const struct ir_fn *f, ir_blk b)
{
	for (uint32_t steps = 0; steps < f->blocks.n; steps++) {
		if (f->blocks.v[b].term.op != IRN_JMP || code_in(f, b))
			return b;
		b = f->blocks.v[b].term.edge[0].to;
	}
	return b;
}

/* ---- blocks that do the same are one: the verifier follows ways, not places ---- */

static bool same_operand(const struct ir_fn *f, ir_val a, ir_val b)
{
	if (a == b)
		return true;
	return a && b && !mach_slot(f, a) && !mach_slot(f, b) &&
		f->vals.v[a].reg == f->vals.v[b].reg;
}

static bool same_ins(const struct ir_fn *f, ir_val a, ir_val b)
{
	const struct ir_ins *i = ir_ins_of(f, a), *j = ir_ins_of(f, b);

	if (i->op != j->op || i->reg != j->reg || i->imm != j->imm || i->aux != j->aux ||
		i->sub != j->sub || i->width != j->width || i->nargs != j->nargs ||
		mach_slot(f, a) || mach_slot(f, b))
		return false;
	for (unsigned k = 0; k < i->nargs; k++) {
		if (!same_operand(f, i->args[k], j->args[k]))
			return false;
	}
	return true;
}

static bool same_end(const struct ir_fn *f, const struct ir_term *t, const struct ir_term *u)
{
	if (t->op != u->op || t->cc != u->cc || t->imm != u->imm || t->has_imm != u->has_imm ||
		t->w32 != u->w32 || t->nedges != u->nedges)
		return false;
	for (unsigned e = 0; e < t->nedges; e++) {
		if (t->edge[e].to != u->edge[e].to)
			return false;
	}
	/* What RET gives is in r0, whatever its name. */
	for (unsigned k = 0; k < 2 && t->op != IRN_RET; k++) {
		if (!(k && t->has_imm) && !same_operand(f, t->args[k], u->args[k]))
			return false;
	}
	return true;
}

static bool same_block(const struct ir_fn *f, ir_blk a, ir_blk b)
{
	const struct ir_block *x = &f->blocks.v[a], *y = &f->blocks.v[b];

	if (x->ins.n != y->ins.n || !same_end(f, &x->term, &y->term))
		return false;
	for (uint32_t i = 0; i < x->ins.n; i++) {
		if (!same_ins(f, x->ins.v[i], y->ins.v[i]))
			return false;
	}
	return true;
}

static uint32_t block_hash(const struct ir_fn *f, ir_blk b)
{
	const struct ir_block *blk = &f->blocks.v[b];
	uint32_t h = blk->ins.n * 31 + blk->term.op;

	if (blk->term.nedges)
		h = h * 31 + blk->term.edge[0].to;
	if (blk->ins.n)
		h = h * 31 + ir_ins_of(f, blk->ins.v[0])->op + (uint32_t)ir_ins_of(f, blk->ins.v[0])->imm;
	return h % BUCKETS;
}

/* same[b]: the first block that does what b does. True when some block is not its own. */
static bool find_same(struct ir_fn *f, const struct ir_cfg *c, ir_blk *same)
{
	ir_blk *bucket = ARENA_ARRAY(f->a, ir_blk, BUCKETS); /* 0: the entry is nobody's twin */
	ir_blk *next = ARENA_ARRAY(f->a, ir_blk, f->blocks.n);
	bool any = false;

	for (ir_blk b = 0; b < f->blocks.n; b++)
		same[b] = b;
	for (uint32_t k = 1; k < c->nrpo; k++) {
		ir_blk b = c->rpo[k], *at = &bucket[block_hash(f, b)];

		for (ir_blk o = *at; o && same[b] == b; o = next[o]) {
			if (same_block(f, o, b))
				same[b] = o;
		}
		any |= same[b] != b;
		if (same[b] == b) {
			next[b] = *at;
			*at = b;
		}
	}
	return any;
}

static void redirect(struct ir_fn *f, const ir_blk *same)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		struct ir_term *t = &f->blocks.v[b].term;

		for (unsigned e = 0; e < t->nedges; e++)
			t->edge[e].to = through(f, same[through(f, t->edge[e].to)]);
		if (t->nedges == 2 && t->edge[0].to == t->edge[1].to)
			*t = (struct ir_term){.op = IRN_JMP, .nedges = 1, .edge = {t->edge[0]},
				.span = t->span};
	}
}

/* Blocks that lead to the same become the same, so again. */
static void shorten(struct ir_fn *f)
{
	ir_blk *same = ARENA_ARRAY(f->a, ir_blk, f->blocks.n);

	for (ir_blk b = 0; b < f->blocks.n; b++)
		same[b] = b;
	redirect(f, same);
	for (int round = 0; round < ROUNDS && find_same(f, ir_cfg_build(f, ir_scratch(f)), same); round++)
		redirect(f, same);
}

static void turn(struct ir_term *t)
{
	struct ir_edge e = t->edge[0];

	t->edge[0] = t->edge[1];
	t->edge[1] = e;
	t->cc = (uint8_t)ir_cc_not(t->cc);
}

/* How much it is worth that b comes right after its predecessor. */
static unsigned appeal(const struct layout *l, ir_blk b)
{
	const struct ir_block *blk = &l->f->blocks.v[b];

	return 2 * l->cfg->loop_depth[b] + (blk->term.op != IRN_RET || blk->ins.n > 2);
}

/* No block that comes before b, and is still to be laid, leads to it. */
static bool ready(const struct layout *l, ir_blk b)
{
	for (uint32_t p = 0; p < l->cfg->preds[b].n; p++) {
		ir_blk from = l->cfg->preds[b].v[p];

		if (!l->placed[from] && l->cfg->order[from] < l->cfg->order[b])
			return false;
	}
	return true;
}

/*
 * The block to lay after b; UINT32_MAX when all of its successors are laid. A bit test cannot be
 * turned round, so its second edge falls through.
 */
static ir_blk next_block(const struct layout *l, ir_blk b)
{
	const struct ir_term *t = &l->f->blocks.v[b].term;
	ir_blk best = UINT32_MAX;

	if (t->nedges == 2 && t->cc == CC_SET && !l->placed[t->edge[1].to])
		return t->edge[1].to;
	for (unsigned e = 0; e < t->nedges; e++) {
		ir_blk to = t->edge[e].to;

		if (l->placed[to])
			continue;
		if (best == UINT32_MAX || appeal(l, to) > appeal(l, best) ||
			(appeal(l, to) == appeal(l, best) && ready(l, to) && !ready(l, best)))
			best = to;
	}
	return best;
}

static void lay_trace(struct layout *l, ir_blk b)
{
	while (b != UINT32_MAX && !l->placed[b]) {
		l->placed[b] = true;
		l->back->order[l->back->norder++] = b;
		b = next_block(l, b);
	}
}

void back_layout(struct ir_fn *f)
{
	struct layout l = {.f = f, .back = back_data(f)};

	shorten(f);
	l.cfg = ir_cfg_build(f, ir_scratch(f));
	l.placed = ARENA_ARRAY(ir_scratch(f), bool, f->blocks.n);
	l.back->order = ARENA_ARRAY(f->a, ir_blk, f->blocks.n);
	l.back->norder = 0;
	for (uint32_t k = 0; k < l.cfg->nrpo; k++)
		lay_trace(&l, l.cfg->rpo[k]);
	for (uint32_t k = 0; k + 1 < l.back->norder; k++) {
		struct ir_term *t = &f->blocks.v[l.back->order[k]].term;

		if (t->nedges == 2 && t->edge[0].to == l.back->order[k + 1] && t->cc != CC_SET)
			turn(t);
	}
}
