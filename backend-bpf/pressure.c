/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How many values are alive at once in a function that is still in IR form: what the spiller will
 * need at most, give or take what instruction selection changes. What is made again where it is
 * needed (constants, addresses of objects and maps) does not count.
 */
#include "backend-bpf/mach.h"
#include <string.h>

static bool counts(const struct ir_fn *f, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	switch (i->op) {
	case IR_CONST:
	case IR_SLOT:
	case IR_MAP:
	case IR_GADDR:
		return false;
	case IR_OFF:
		return counts(f, i->args[0]);
	default:
		return i->type.kind != IRT_VOID;
	}
}

struct alive {
	const struct ir_fn *f;
	uint64_t *set;
	uint32_t n, most;
};

static void use(struct alive *a, ir_val v)
{
	if (!v || bit_has(a->set, v) || !counts(a->f, v))
		return;
	bit_add(a->set, v);
	if (++a->n > a->most)
		a->most = a->n;
}

static void end(struct alive *a, ir_val v)
{
	if (!bit_has(a->set, v))
		return;
	bit_del(a->set, v);
	a->n--;
}

/* From what is alive at the block's end to what is at its head. */
static void block_back(struct alive *a, ir_blk b)
{
	const struct ir_block *blk = &a->f->blocks.v[b];

	for (unsigned k = 0; k < 2; k++)
		use(a, blk->term.args[k]);
	for (unsigned e = 0; e < blk->term.nedges; e++) {
		for (uint32_t k = 0; k < blk->term.edge[e].nargs; k++)
			use(a, blk->term.edge[e].args[k]);
	}
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		const struct ir_ins *ins = ir_ins_of(a->f, blk->ins.v[i]);

		end(a, blk->ins.v[i]);
		for (unsigned k = 0; k < ins->nargs; k++)
			use(a, ins->args[k]);
	}
	for (uint32_t i = 0; i < blk->params.n; i++)
		end(a, blk->params.v[i]);
}

uint32_t back_pressure(const struct ir_fn *f)
{
	struct arena *scratch = ir_scratch(f);
	struct ir_cfg *c = ir_cfg_build(f, scratch);
	uint32_t words = (f->vals.n + 63) / 64;
	uint64_t *in = ARENA_ARRAY(scratch, uint64_t, (size_t)words * f->blocks.n);
	struct alive a = {.f = f, .set = ARENA_ARRAY(scratch, uint64_t, words)};
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t k = c->nrpo; k-- > 0;) {
			const struct ir_term *t = &f->blocks.v[c->rpo[k]].term;
			uint64_t *at = in + (size_t)words * c->rpo[k];

			memset(a.set, 0, words * sizeof(*a.set));
			for (unsigned e = 0; e < t->nedges; e++) {
				for (uint32_t w = 0; w < words; w++)
					a.set[w] |= in[(size_t)words * t->edge[e].to + w];
			}
			a.n = 0;
			for (uint32_t w = 0; w < words; w++)
				a.n += (uint32_t)__builtin_popcountll(a.set[w]);
			a.most = a.n > a.most ? a.n : a.most;
			block_back(&a, c->rpo[k]);
			if (memcmp(a.set, at, words * sizeof(*at))) {
				memcpy(at, a.set, words * sizeof(*at));
				changed = true;
			}
		}
	}
	return a.most;
}
