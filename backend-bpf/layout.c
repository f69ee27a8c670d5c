/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The order of blocks. Blocks that do nothing are passed by, equal ends are merged, and traces are
 * laid so that the way that goes on falls through: into loops, along proofs, away from blocks that
 * only end the program. Conditions are turned round where that makes the second edge fall through.
 *
 * Requires: back_pcopy. Ensures: back_fn.order; edge[1] of a comparison is the next block where
 * possible. Blocks that are not in the order are unreachable.
 */
#include "backend-bpf/mach.h"
#include <string.h>

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

/* Sets r0 to a constant and ends: then *value is the constant. */
static bool constant_end(const struct ir_fn *f, ir_blk b, int64_t *value)
{
	const struct ir_block *blk = &f->blocks.v[b];
	const struct ir_ins *i;

	if (blk->term.op != IRN_RET || blk->ins.n != 1)
		return false;
	i = ir_ins_of(f, blk->ins.v[0]);
	*value = i->imm;
	return i->op == MACH(MOV64_RI) && i->reg == 0 && !i->aux;
}

static void merge_ends(struct ir_fn *f, ir_blk *same)
{
	VEC(ir_blk) ends = {0};

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		int64_t value, other;

		same[b] = b;
		if (b == 0 || !constant_end(f, b, &value))
			continue;
		for (uint32_t k = 0; k < ends.n && same[b] == b; k++) {
			if (constant_end(f, ends.v[k], &other) && other == value)
				same[b] = ends.v[k];
		}
		if (same[b] == b)
			vec_push(f->a, &ends, b);
	}
}

static void shorten(struct ir_fn *f)
{
	ir_blk *same = ARENA_ARRAY(f->a, ir_blk, f->blocks.n);

	merge_ends(f, same);
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		struct ir_term *t = &f->blocks.v[b].term;

		for (unsigned e = 0; e < t->nedges; e++)
			t->edge[e].to = same[through(f, t->edge[e].to)];
		if (t->nedges == 2 && t->edge[0].to == t->edge[1].to)
			*t = (struct ir_term){.op = IRN_JMP, .nedges = 1, .edge = {t->edge[0]},
				.span = t->span};
	}
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

/* The block to lay after b; UINT32_MAX when all of its successors are laid. */
static ir_blk next_block(const struct layout *l, ir_blk b)
{
	const struct ir_term *t = &l->f->blocks.v[b].term;
	ir_blk best = UINT32_MAX;

	for (unsigned e = 0; e < t->nedges; e++) {
		ir_blk to = t->edge[e].to;

		if (l->placed[to])
			continue;
		if (best == UINT32_MAX || appeal(l, to) > appeal(l, best))
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
	l.cfg = ir_cfg_build(f, f->a);
	l.placed = ARENA_ARRAY(f->a, bool, f->blocks.n);
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
