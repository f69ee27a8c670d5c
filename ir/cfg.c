/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Control flow: order of blocks, predecessors, dominators (Cooper, Harvey, Kennedy: "A simple,
 * fast dominance algorithm"), loop depth; and the two changes passes need, dropping unreachable
 * blocks and splitting critical edges. Nothing here looks at instructions.
 */
#include "ir/opt.h"
#include <string.h>

#define UNREACHED UINT32_MAX

struct visit {
	ir_blk block;
	unsigned next; /* edge to follow */
};

/* Depth-first from the entry without recursion; the second edge first, so that the first one, the
 * likely or proven way, comes right behind its block in the reverse postorder. */
static void number_blocks(const struct ir_fn *f, struct ir_cfg *c, struct arena *a)
{
	struct visit *stack = ARENA_ARRAY(a, struct visit, c->nblocks + 1);
	bool *seen = ARENA_ARRAY(a, bool, c->nblocks + 1);
	uint32_t depth = 0, n = 0;

	stack[depth++] = (struct visit){0, 0};
	seen[0] = true;
	while (depth) {
		struct visit *top = &stack[depth - 1];
		const struct ir_term *t = &f->blocks.v[top->block].term;
		ir_blk to;

		if (top->next == t->nedges) {
			c->rpo[n++] = top->block;
			depth--;
			continue;
		}
		to = t->edge[t->nedges - 1 - top->next++].to;
		if (!seen[to]) {
			seen[to] = true;
			stack[depth++] = (struct visit){to, 0};
		}
	}
	c->nrpo = n;
	for (uint32_t i = 0; i < n / 2; i++) {
		ir_blk b = c->rpo[i];

		c->rpo[i] = c->rpo[n - 1 - i];
		c->rpo[n - 1 - i] = b;
	}
	for (uint32_t i = 0; i < n; i++)
		c->order[c->rpo[i]] = i;
}

static void find_preds(const struct ir_fn *f, struct ir_cfg *c, struct arena *a)
{
	c->preds = (void *)arena_alloc(a, sizeof(*c->preds) * (c->nblocks + 1));
	for (uint32_t i = 0; i < c->nrpo; i++) {
		const struct ir_term *t = &f->blocks.v[c->rpo[i]].term;

		for (unsigned e = 0; e < t->nedges; e++)
			vec_push(a, &c->preds[t->edge[e].to], c->rpo[i]);
	}
}

static ir_blk common_dominator(const struct ir_cfg *c, ir_blk a, ir_blk b)
{
	while (a != b) {
		while (c->order[a] > c->order[b])
			a = c->idom[a];
		while (c->order[b] > c->order[a])
			b = c->idom[b];
	}
	return a;
}

static bool dominate_once(struct ir_cfg *c, bool *known)
{
	bool changed = false;

	for (uint32_t i = 1; i < c->nrpo; i++) {
		ir_blk b = c->rpo[i], dom = 0;
		bool first = true;

		for (uint32_t p = 0; p < c->preds[b].n; p++) {
			ir_blk pred = c->preds[b].v[p];

			if (!known[pred])
				continue;
			dom = first ? pred : common_dominator(c, dom, pred);
			first = false;
		}
		if (!known[b] || c->idom[b] != dom) {
			known[b] = true;
			c->idom[b] = dom;
			changed = true;
		}
	}
	return changed;
}

/* Numbers the dominator tree so that a dominates b when b's interval lies within a's. */
static void number_dominators(struct ir_cfg *c, struct arena *a)
{
	uint32_t *size = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);
	uint32_t *next = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);

	c->dom_in = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);
	c->dom_out = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);
	for (uint32_t i = c->nrpo; i-- > 0;) {
		ir_blk b = c->rpo[i];

		size[b]++;
		if (i)
			size[c->idom[b]] += size[b];
	}
	for (uint32_t i = 0; i < c->nrpo; i++) {
		ir_blk b = c->rpo[i];

		if (i) {
			c->dom_in[b] = next[c->idom[b]];
			next[c->idom[b]] += size[b];
		}
		next[b] = c->dom_in[b] + 1;
		c->dom_out[b] = c->dom_in[b] + size[b];
	}
}

/* Every block of the natural loop of a back edge gets one level deeper. */
static void mark_loop(struct ir_cfg *c, ir_blk head, uint32_t *mark, uint32_t id, ir_blk *work)
{
	uint32_t n = 0;

	mark[head] = id;
	c->loop_depth[head]++;
	for (uint32_t p = 0; p < c->preds[head].n; p++) {
		ir_blk u = c->preds[head].v[p];

		if (ir_dominates(c, head, u) && mark[u] != id) {
			mark[u] = id;
			work[n++] = u;
		}
	}
	while (n) {
		ir_blk b = work[--n];

		c->loop_depth[b]++;
		for (uint32_t p = 0; p < c->preds[b].n; p++) {
			ir_blk u = c->preds[b].v[p];

			if (mark[u] != id) {
				mark[u] = id;
				work[n++] = u;
			}
		}
	}
}

static void find_loops(struct ir_cfg *c, struct arena *a)
{
	uint32_t *mark = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);
	ir_blk *work = ARENA_ARRAY(a, ir_blk, c->nblocks + 1);

	c->loop_depth = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);
	for (uint32_t i = 0; i < c->nrpo; i++) {
		ir_blk b = c->rpo[i];

		for (uint32_t p = 0; p < c->preds[b].n; p++) {
			if (ir_dominates(c, b, c->preds[b].v[p])) {
				mark_loop(c, b, mark, b + 1, work);
				break;
			}
		}
	}
}

struct ir_cfg *ir_cfg_build(const struct ir_fn *f, struct arena *a)
{
	struct ir_cfg *c = ARENA_NEW(a, struct ir_cfg);
	bool *known;

	c->nblocks = f->blocks.n;
	c->rpo = ARENA_ARRAY(a, ir_blk, c->nblocks + 1);
	c->order = ARENA_ARRAY(a, uint32_t, c->nblocks + 1);
	c->idom = ARENA_ARRAY(a, ir_blk, c->nblocks + 1);
	memset(c->order, 0xff, sizeof(*c->order) * (c->nblocks + 1));
	number_blocks(f, c, a);
	find_preds(f, c, a);
	known = ARENA_ARRAY(a, bool, c->nblocks + 1);
	known[0] = true;
	while (dominate_once(c, known))
		;
	number_dominators(c, a);
	find_loops(c, a);
	return c;
}

bool ir_dominates(const struct ir_cfg *c, ir_blk a, ir_blk b)
{
	if (c->order[a] == UNREACHED || c->order[b] == UNREACHED)
		return false;
	return c->dom_in[a] <= c->dom_in[b] && c->dom_out[b] <= c->dom_out[a];
}

void ir_drop_unreachable(struct ir_fn *f)
{
	struct arena *a = ir_scratch(f);
	bool *seen = ARENA_ARRAY(a, bool, f->blocks.n + 1);
	ir_blk *work = ARENA_ARRAY(a, ir_blk, f->blocks.n + 1);
	uint32_t n = 0;

	seen[0] = true;
	work[n++] = 0;
	while (n) {
		const struct ir_term *t = &f->blocks.v[work[--n]].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			if (!seen[t->edge[e].to]) {
				seen[t->edge[e].to] = true;
				work[n++] = t->edge[e].to;
			}
		}
	}
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		if (!seen[b])
			f->blocks.v[b] = (struct ir_block){.sealed = true};
	}
}

/*
 * A block of its own on the edge. A proof is handed over by the first half, so it needs a parameter
 * there; the other arguments, available in from, stay as they are on the second.
 */
static void split_edge(struct ir_fn *f, ir_blk from, unsigned edge)
{
	ir_blk mid = ir_block_new(f);
	struct ir_term *t = &f->blocks.v[from].term;
	struct ir_edge *e = &t->edge[edge], on = *e;
	bool proof = edge == 0 && ir_proof_edge(t);

	on.args = ARENA_ARRAY(f->a, ir_val, on.nargs);
	for (uint32_t i = 0; i < on.nargs; i++)
		on.args[i] = e->args[i];
	e->to = mid;
	e->nargs = 0;
	if (proof) {
		ir_val to = f->blocks.v[on.to].params.v[0], p = ir_param(f, mid, ir_type_of(f, to));

		f->blocks.v[from].term.edge[edge].nargs = 1;
		on.args[0] = p;
	}
	f->blocks.v[mid].term = (struct ir_term){
		.op = IRN_JMP, .nedges = 1, .edge = {on}, .span = f->blocks.v[from].term.span};
	f->blocks.v[mid].sealed = true;
}

void ir_split_critical_edges(struct ir_fn *f)
{
	uint32_t *npreds = ARENA_ARRAY(ir_scratch(f), uint32_t, f->blocks.n + 1);
	ir_blk n = f->blocks.n;

	for (ir_blk b = 0; b < n; b++) {
		for (unsigned e = 0; e < f->blocks.v[b].term.nedges; e++)
			npreds[f->blocks.v[b].term.edge[e].to]++;
	}
	for (ir_blk b = 0; b < n; b++) {
		for (unsigned e = 0; f->blocks.v[b].term.nedges == 2 && e < 2; e++) {
			if (npreds[f->blocks.v[b].term.edge[e].to] > 1)
				split_edge(f, b, e);
		}
	}
}
