/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which values are in registers where blocks begin and end. A parameter is defined at the head of
 * its block, not live into it; an argument of an edge is used at the end of the block it leaves,
 * unless it can be made on the spot.
 */
#include "backend-bpf/mach.h"
#include <string.h>

static void use(const struct ir_fn *f, uint64_t *set, ir_val v)
{
	if (mach_result(f, v))
		bit_add(set, v);
}

static void edge_uses(const struct ir_fn *f, const struct ir_term *t, uint64_t *set)
{
	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t k = 0; k < t->edge[e].nargs; k++) {
			if (!mach_floats(f, t->edge[e].args[k]))
				use(f, set, t->edge[e].args[k]);
		}
	}
}

/* From what is live out of the block to what is live in. */
static void block_back(const struct ir_fn *f, ir_blk b, uint64_t *set)
{
	const struct ir_block *blk = &f->blocks.v[b];

	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, &blk->term, k))
			use(f, set, blk->term.args[k]);
	}
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		bit_del(set, blk->ins.v[i]);
		for (unsigned k = 0; k < ins->nargs; k++) {
			if (mach_reads(f, ins, k))
				use(f, set, ins->args[k]);
		}
	}
	for (uint32_t i = 0; i < blk->params.n; i++)
		bit_del(set, blk->params.v[i]);
}

void live_build(const struct ir_fn *f, const struct ir_cfg *c, struct arena *a, struct live *l)
{
	uint64_t *tmp;
	bool changed = true;

	l->words = (f->vals.n + 63) / 64;
	l->in = ARENA_ARRAY(a, uint64_t, (size_t)l->words * f->blocks.n);
	l->out = ARENA_ARRAY(a, uint64_t, (size_t)l->words * f->blocks.n);
	tmp = ARENA_ARRAY(a, uint64_t, l->words);
	for (uint32_t k = 0; k < c->nrpo; k++)
		edge_uses(f, &f->blocks.v[c->rpo[k]].term, l->out + (size_t)l->words * c->rpo[k]);
	while (changed) {
		changed = false;
		for (uint32_t k = c->nrpo; k-- > 0;) {
			ir_blk b = c->rpo[k];
			const struct ir_term *t = &f->blocks.v[b].term;
			uint64_t *out = l->out + (size_t)l->words * b;
			uint64_t *in = l->in + (size_t)l->words * b;

			for (unsigned e = 0; e < t->nedges; e++) {
				const uint64_t *succ = l->in + (size_t)l->words * t->edge[e].to;

				for (uint32_t w = 0; w < l->words; w++)
					out[w] |= succ[w];
			}
			memcpy(tmp, out, l->words * sizeof(*tmp));
			block_back(f, b, tmp);
			if (memcmp(tmp, in, l->words * sizeof(*tmp))) {
				memcpy(in, tmp, l->words * sizeof(*tmp));
				changed = true;
			}
		}
	}
}
