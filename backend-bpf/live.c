/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which values are in registers where blocks begin and end. A parameter is defined at the head of
 * its block, not live into it; an argument of an edge is used at the end of the block it leaves,
 * unless it can be made on the spot.
 */
#include "backend-bpf/mach.h"
#include <string.h>

static void use(const struct ir_fn *f, const struct live *l, uint64_t *set, ir_val v)
{
	if (l->number[v] != LIVE_LOCAL && mach_result(f, v))
		bit_add(set, l->number[v]);
}

static void gone(const struct live *l, uint64_t *set, ir_val v)
{
	if (l->number[v] != LIVE_LOCAL)
		bit_del(set, l->number[v]);
}

static void edge_uses(const struct ir_fn *f, const struct live *l, const struct ir_term *t, uint64_t *set)
{
	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t k = 0; k < t->edge[e].nargs; k++) {
			if (!mach_floats(f, t->edge[e].args[k]))
				use(f, l, set, t->edge[e].args[k]);
		}
	}
}

/* From what is live out of the block to what is live in. */
static void block_back(const struct ir_fn *f, const struct live *l, ir_blk b, uint64_t *set)
{
	const struct ir_block *blk = &f->blocks.v[b];

	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, &blk->term, k))
			use(f, l, set, blk->term.args[k]);
	}
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		gone(l, set, blk->ins.v[i]);
		for (unsigned k = 0; k < ins->nargs; k++) {
			if (mach_reads(f, ins, k))
				use(f, l, set, ins->args[k]);
		}
	}
	for (uint32_t i = 0; i < blk->params.n; i++)
		gone(l, set, blk->params.v[i]);
}

/* ---- which values the sets are about: most are read only in the block that makes them ---- */

static void count_in(struct live *l, uint32_t *n, ir_val v)
{
	if (l->number[v] == LIVE_LOCAL) {
		l->number[v] = *n;
		l->value[(*n)++] = v;
	}
}

/* home: by value, the block that makes it, + 1 */
static void count_block(const struct ir_fn *f, struct live *l, const uint32_t *home, ir_blk b, uint32_t *n)
{
	const struct ir_block *blk = &f->blocks.v[b];

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		for (unsigned k = 0; k < ins->nargs; k++) {
			if (mach_reads(f, ins, k) && home[ins->args[k]] != b + 1)
				count_in(l, n, ins->args[k]);
		}
	}
	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, &blk->term, k) && home[blk->term.args[k]] != b + 1)
			count_in(l, n, blk->term.args[k]);
	}
	for (unsigned e = 0; e < blk->term.nedges; e++) {
		for (uint32_t k = 0; k < blk->term.edge[e].nargs; k++)
			count_in(l, n, blk->term.edge[e].args[k]);
	}
}

static void number_values(const struct ir_fn *f, const struct ir_cfg *c, struct arena *a, struct live *l)
{
	uint32_t *home = ARENA_ARRAY(a, uint32_t, f->vals.n), n = 0;

	l->number = ARENA_ARRAY(a, uint32_t, f->vals.n);
	l->value = ARENA_ARRAY(a, ir_val, f->vals.n);
	memset(l->number, 0xff, f->vals.n * sizeof(*l->number));
	for (uint32_t k = 0; k < c->nrpo; k++) {
		const struct ir_block *blk = &f->blocks.v[c->rpo[k]];

		for (uint32_t i = 0; i < blk->ins.n; i++)
			home[blk->ins.v[i]] = c->rpo[k] + 1;
		for (uint32_t i = 0; i < blk->params.n; i++)
			home[blk->params.v[i]] = c->rpo[k] + 1;
	}
	for (uint32_t k = 0; k < c->nrpo; k++)
		count_block(f, l, home, c->rpo[k], &n);
	l->words = (n + 63) / 64;
}

void live_build(const struct ir_fn *f, const struct ir_cfg *c, struct arena *a, struct live *l)
{
	uint64_t *tmp;
	bool changed = true;

	l->cfg = c;
	l->nvals = f->vals.n;
	number_values(f, c, a, l);
	l->in = ARENA_ARRAY(a, uint64_t, (size_t)l->words * c->nrpo);
	l->out = ARENA_ARRAY(a, uint64_t, (size_t)l->words * c->nrpo);
	tmp = ARENA_ARRAY(a, uint64_t, l->words);
	for (uint32_t k = 0; k < c->nrpo; k++)
		edge_uses(f, l, &f->blocks.v[c->rpo[k]].term, l->out + (size_t)l->words * k);
	while (changed) {
		changed = false;
		for (uint32_t k = c->nrpo; k-- > 0;) {
			const struct ir_term *t = &f->blocks.v[c->rpo[k]].term;
			uint64_t *out = l->out + (size_t)l->words * k;
			uint64_t *in = l->in + (size_t)l->words * k;

			for (unsigned e = 0; e < t->nedges; e++) {
				const uint64_t *succ = live_in(l, t->edge[e].to);

				for (uint32_t w = 0; w < l->words; w++)
					out[w] |= succ[w];
			}
			memcpy(tmp, out, l->words * sizeof(*tmp));
			block_back(f, l, c->rpo[k], tmp);
			if (memcmp(tmp, in, l->words * sizeof(*tmp))) {
				memcpy(in, tmp, l->words * sizeof(*tmp));
				changed = true;
			}
		}
	}
}
