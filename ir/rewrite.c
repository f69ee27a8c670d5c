/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ir/rewrite.h"
#include <assert.h>

void ir_rewrite_init(struct ir_rewrite *r, struct ir_fn *f)
{
	*r = (struct ir_rewrite){.f = f, .n = f->vals.n,
		.to = ARENA_ARRAY(ir_scratch(f), ir_val, f->vals.n)};
}

ir_val ir_rewrite_get(struct ir_rewrite *r, ir_val v)
{
	ir_val end = v;

	while (end < r->n && r->to[end])
		end = r->to[end];
	while (v < r->n && r->to[v]) {
		ir_val next = r->to[v];

		r->to[v] = end;
		v = next;
	}
	return end;
}

bool ir_rewrite_put(struct ir_rewrite *r, ir_val v, ir_val with)
{
	assert(v < r->n && !r->to[v] && "value replaced twice");
	with = ir_rewrite_get(r, with);
	if (with == v || !ir_type_fits(ir_type_of(r->f, with), ir_type_of(r->f, v)))
		return false;
	r->to[v] = with;
	r->any = true;
	return true;
}

void ir_rewrite_apply(struct ir_rewrite *r)
{
	struct ir_fn *f = r->f;

	if (!r->any)
		return;
	for (ir_blk b = 0; b < f->blocks.n; b++)
		IR_EACH_OPERAND(f, b, place, *place = ir_rewrite_get(r, *place););
}

static void compact_edge(struct ir_fn *f, struct ir_edge *e, const bool *drop)
{
	const struct ir_block *to = &f->blocks.v[e->to];
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->nargs; i++) {
		if (!drop[to->params.v[i]])
			e->args[n++] = e->args[i];
	}
	e->nargs = n;
}

void ir_remove_params(struct ir_fn *f, const bool *drop)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		struct ir_term *t = &f->blocks.v[b].term;

		for (unsigned e = 0; e < t->nedges; e++)
			compact_edge(f, &t->edge[e], drop);
	}
	for (ir_blk b = 1; b < f->blocks.n; b++) {
		struct ir_block *blk = &f->blocks.v[b];
		uint32_t n = 0;

		for (uint32_t i = 0; i < blk->params.n; i++) {
			if (!drop[blk->params.v[i]])
				blk->params.v[n++] = blk->params.v[i];
		}
		blk->params.n = n;
	}
}

/* Notes in only[param] the one value it receives, IR_NONE for none so far, itself for several. */
static void note_edge(struct ir_rewrite *r, const struct ir_edge *e, ir_val *only)
{
	const struct ir_block *to = &r->f->blocks.v[e->to];

	for (uint32_t i = 0; i < e->nargs; i++) {
		ir_val p = to->params.v[i], v = ir_rewrite_get(r, e->args[i]);

		if (v == p || only[p] == p || only[p] == v)
			continue;
		only[p] = only[p] ? p : v;
	}
}

static bool trivial_once(struct ir_rewrite *r, bool *drop, ir_val *only)
{
	struct ir_fn *f = r->f;
	bool changed = false;

	for (ir_val v = 0; v < r->n; v++)
		only[v] = IR_NONE;
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (unsigned e = 0; e < f->blocks.v[b].term.nedges; e++)
			note_edge(r, &f->blocks.v[b].term.edge[e], only);
	}
	for (ir_blk b = 1; b < f->blocks.n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b].params.n; i++) {
			ir_val p = f->blocks.v[b].params.v[i];

			if (drop[p] || !only[p] || only[p] == p)
				continue;
			if (ir_rewrite_put(r, p, only[p]))
				changed = drop[p] = true;
		}
	}
	return changed;
}

bool ir_drop_trivial_params(struct ir_fn *f)
{
	struct ir_rewrite r;
	bool *drop = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);
	ir_val *only = ARENA_ARRAY(ir_scratch(f), ir_val, f->vals.n);

	ir_rewrite_init(&r, f);
	while (trivial_once(&r, drop, only))
		;
	if (!r.any)
		return false;
	ir_rewrite_apply(&r);
	ir_remove_params(f, drop);
	return true;
}
