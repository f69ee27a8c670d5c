/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Value numbering over the dominator tree: a pure operation that a dominating block has done is not
 * done again; within a block a load is not repeated while nothing is written. A test of a pointer
 * or number whose proof a dominating edge already gave becomes a jump with the proven value.
 * Anchors (index, calls with effects) are left alone: their results are provenances (P5, N6).
 */
#include "ir/opt.h"
#include "ir/rewrite.h"
#include <string.h>

#define CHAIN_MAX 32 /* entries looked at: keeps odd programs linear */

struct entry {
	ir_val v;
	uint32_t next; /* + 1 */
	uint32_t epoch; /* 0: for good; else the writes seen before it in its block */
};

struct proof {
	ir_val proven;
	ir_blk at;
	uint32_t next; /* + 1 */
};

struct gvn {
	struct ir_fn *f;
	struct ir_cfg *cfg;
	struct arena *a;
	struct ir_rewrite r;
	VEC(struct entry) entries;
	uint32_t *heads, nheads;
	VEC(struct proof) proofs;
	uint32_t *proof_of; /* value -> newest proof + 1 */
	uint32_t epoch;
};

static uint32_t mix(uint32_t h, uint64_t x)
{
	h = (h ^ (uint32_t)x) * 0x9e3779b1u;
	return ((h ^ (uint32_t)(x >> 32)) * 0x85ebca6bu) ^ h >> 15;
}

static uint32_t hash(const struct ir_ins *i)
{
	uint32_t h = mix(i->op, i->width);

	h = mix(h, i->type.kind);
	h = mix(h, i->aux);
	h = mix(h, (uint64_t)i->imm);
	for (unsigned a = 0; a < i->nargs; a++)
		h = mix(h, i->args[a]);
	return h;
}

static bool equal(const struct ir_ins *x, const struct ir_ins *y)
{
	return x->op == y->op && x->width == y->width && x->aux == y->aux && x->imm == y->imm &&
		x->type.kind == y->type.kind && x->nargs == y->nargs &&
		!memcmp(x->args, y->args, sizeof(*x->args) * x->nargs);
}

static bool pure(const struct ir_fn *f, const struct ir_ins *i)
{
	if (i->op == IR_CALL || i->op == IR_KCALL)
		return ir_call_pure(f, i);
	return ir_op_row(i->op)->flags & OF_P && i->op != IR_SLOT;
}

/* x + y and y + x are one value. */
static void order_operands(struct ir_ins *i)
{
	bool swaps = i->op == IR_ADD || i->op == IR_MUL || i->op == IR_AND || i->op == IR_OR ||
		i->op == IR_XOR;

	if (swaps && i->args[0] > i->args[1]) {
		ir_val x = i->args[0];

		i->args[0] = i->args[1];
		i->args[1] = x;
	}
}

/* The same value already computed where it can be used, or IR_NONE. */
static ir_val find(struct gvn *s, const struct ir_ins *i, uint32_t h, bool load)
{
	uint32_t e = s->heads[h & (s->nheads - 1)];

	for (int n = 0; e && n < CHAIN_MAX; n++) {
		const struct entry *x = &s->entries.v[e - 1];
		const struct ir_ins *j = ir_ins_of(s->f, x->v);
		struct ir_ins probe = *j;

		if (!load)
			order_operands(&probe);
		if (equal(&probe, i) && ir_type_fits(j->type, i->type) &&
			(load ? j->block == i->block && x->epoch == s->epoch :
				ir_dominates(s->cfg, j->block, i->block)))
			return x->v;
		e = x->next;
	}
	return IR_NONE;
}

static void add(struct gvn *s, ir_val v, uint32_t h, bool load)
{
	uint32_t *head = &s->heads[h & (s->nheads - 1)];

	vec_push(s->a, &s->entries, (struct entry){v, *head, load ? s->epoch : 0});
	*head = s->entries.n;
}

/* False: v is replaced and leaves its block. */
static bool number(struct gvn *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v], key;
	bool load = ir_op_row(i->op)->flags & OF_M;
	uint32_t h;
	ir_val same;

	for (unsigned a = 0; a < i->nargs; a++)
		i->args[a] = ir_rewrite_get(&s->r, i->args[a]);
	if (ir_op_row(i->op)->flags & OF_W && !ir_call_droppable(s->f, i))
		s->epoch++;
	if (!load && !pure(s->f, i))
		return true;
	key = *i;
	if (!load)
		order_operands(&key);
	h = hash(&key);
	same = find(s, &key, h, load);
	if (same && ir_rewrite_put(&s->r, v, same))
		return false;
	add(s, v, h, load);
	return true;
}

/* ---- proofs ---- */
static void learn(struct gvn *s, ir_blk b)
{
	const struct ir_block *blk = &s->f->blocks.v[b];
	const struct ir_term *t;
	ir_val tested;

	if (s->cfg->preds[b].n != 1 || !blk->params.n)
		return;
	t = &s->f->blocks.v[s->cfg->preds[b].v[0]].term;
	if (t->edge[0].to != b || !ir_proof_edge(t))
		return;
	tested = ir_rewrite_get(&s->r, t->args[0]);
	vec_push(s->a, &s->proofs,
		(struct proof){blk->params.v[0], b, s->proof_of[tested]});
	s->proof_of[tested] = s->proofs.n;
}

static bool enough(const struct ir_term *t, struct ir_type have)
{
	switch (t->op) {
	case IRN_SOME:
		return !(have.flags & IRT_NULLABLE);
	case IRN_NEED:
		return have.kind == IRT_PKT && have.n >= (uint64_t)t->imm;
	default:
		return have.kind == IRT_I64 && have.hi < (uint64_t)t->imm;
	}
}

static ir_val proven(const struct gvn *s, ir_blk b, const struct ir_term *t)
{
	uint32_t p = s->proof_of[t->args[0]];

	for (int n = 0; p && n < CHAIN_MAX; n++) {
		const struct proof *x = &s->proofs.v[p - 1];

		if (enough(t, ir_type_of(s->f, x->proven)) && ir_dominates(s->cfg, x->at, b))
			return x->proven;
		p = x->next;
	}
	return IR_NONE;
}

static bool args_fit(const struct ir_fn *f, const struct ir_edge *e)
{
	for (uint32_t i = 0; i < e->nargs; i++) {
		if (!ir_type_fits(ir_type_of(f, e->args[i]),
			ir_type_of(f, f->blocks.v[e->to].params.v[i])))
			return false;
	}
	return true;
}

static bool reuse_proof(struct gvn *s, ir_blk b)
{
	struct ir_term *t = &s->f->blocks.v[b].term;
	struct ir_edge way = t->edge[0];
	ir_val have;

	if (t->op != IRN_SOME && t->op != IRN_NEED && t->op != IRN_BOUND)
		return false;
	have = proven(s, b, t);
	if (!have)
		return false;
	way.args = ARENA_ARRAY(s->f->a, ir_val, way.nargs);
	for (uint32_t i = 0; i < way.nargs; i++)
		way.args[i] = t->edge[0].args[i] == t->args[0] ? have : t->edge[0].args[i];
	if (!args_fit(s->f, &way))
		return false;
	*t = (struct ir_term){.op = IRN_JMP, .nedges = 1, .edge = {way}, .span = t->span};
	return true;
}

static void resolve_term(struct gvn *s, struct ir_term *t)
{
	for (unsigned a = 0; a < 2; a++)
		t->args[a] = ir_rewrite_get(&s->r, t->args[a]);
	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t i = 0; i < t->edge[e].nargs; i++)
			t->edge[e].args[i] = ir_rewrite_get(&s->r, t->edge[e].args[i]);
	}
}

static bool visit(struct gvn *s, ir_blk b)
{
	struct ir_block *blk = &s->f->blocks.v[b];
	uint32_t n = 0;

	learn(s, b);
	s->epoch++;
	for (uint32_t i = 0; i < blk->ins.n; i++) {
		if (number(s, blk->ins.v[i]))
			blk->ins.v[n++] = blk->ins.v[i];
	}
	blk->ins.n = n;
	resolve_term(s, &blk->term);
	return reuse_proof(s, b);
}

void ir_opt_gvn(struct ir_fn *f)
{
	struct gvn s = {.f = f, .a = ir_scratch(f), .nheads = 64};
	bool jumps = false;

	s.cfg = ir_cfg_build(f, s.a);
	while (s.nheads < f->vals.n)
		s.nheads *= 2;
	s.heads = ARENA_ARRAY(s.a, uint32_t, s.nheads);
	s.proof_of = ARENA_ARRAY(s.a, uint32_t, f->vals.n);
	ir_rewrite_init(&s.r, f);
	for (uint32_t i = 0; i < s.cfg->nrpo; i++)
		jumps |= visit(&s, s.cfg->rpo[i]);
	ir_rewrite_apply(&s.r); /* arguments of ways back */
	if (jumps)
		ir_drop_unreachable(f);
	ir_drop_trivial_params(f);
}
