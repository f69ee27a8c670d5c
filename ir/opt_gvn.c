/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Value numbering over the dominator tree: a pure operation that a dominating block has done is not
 * done again; neither is a load that dominates, while on no way between them anything is called or
 * stored where it may lie. A test of a pointer or number whose proof a dominating edge already gave
 * becomes a jump with the proven value, and so does a comparison whose answer such an edge gave.
 * Anchors (index, calls with effects) are left alone: their results are provenances (P5, N6).
 */
#include "ir/opt.h"
#include "ir/rewrite.h"
#include <string.h>

#define CHAIN_MAX 32 /* entries looked at: keeps odd programs linear */

/* Memory that stores into another kind do not touch. */
enum place { PL_STACK, PL_CTX, PL_PACKET, PL_RECORD, PL_OTHER, PL_COUNT };

struct entry {
	ir_val v;
	uint32_t next; /* + 1 */
	uint32_t epoch; /* 0: for good; else the number of the last write before it to its place */
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
	uint32_t epoch[PL_COUNT], writes; /* last write to each; their number */
	uint32_t (*end)[PL_COUNT]; /* per block: epochs at its end */
};

static enum place place_of(const struct ir_fn *f, const struct ir_ins *i)
{
	switch (ir_type_of(f, i->args[0]).kind) {
	case IRT_SLOT:
		return PL_STACK;
	case IRT_CTX:
		return PL_CTX;
	case IRT_PKT:
		return PL_PACKET;
	case IRT_REC:
		return PL_RECORD;
	default:
		return PL_OTHER;
	}
}

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

/*
 * The entry is what the load i would give. In other blocks only where loading again costs more than
 * a register kept, or a spill can load again: not from the stack and from values of maps. Not from
 * packets either: the verifier remembers what comparisons told of a value as long as it is used, and
 * goes through all that follows once for each such story; a thousand rules take minutes then.
 */
static bool load_holds(const struct gvn *s, const struct entry *x, const struct ir_ins *i)
{
	enum place p = place_of(s->f, i);
	ir_blk from = ir_ins_of(s->f, x->v)->block;

	if (x->epoch != s->epoch[p])
		return false;
	if (i->op != IR_LDCTX && i->op != IR_LDF)
		return from == i->block;
	return ir_dominates(s->cfg, from, i->block);
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
			(load ? load_holds(s, x, i) : ir_dominates(s->cfg, j->block, i->block)))
			return x->v;
		e = x->next;
	}
	return IR_NONE;
}

static void add(struct gvn *s, ir_val v, uint32_t h, bool load)
{
	uint32_t *head = &s->heads[h & (s->nheads - 1)];

	vec_push(s->a, &s->entries,
		(struct entry){v, *head,
			load ? s->epoch[place_of(s->f, ir_ins_of(s->f, v))] : 0});
	*head = s->entries.n;
}

/* Calls may write anything. */
static void note_write(struct gvn *s, const struct ir_ins *i)
{
	bool call = i->op == IR_CALL || i->op == IR_KCALL;

	s->writes++;
	for (unsigned p = 0; p < PL_COUNT; p++) {
		if (call || p == place_of(s->f, i))
			s->epoch[p] = s->writes;
	}
}

/* What is known of loads where all ways here say the same; ways back (end 0) are not known yet. */
static void enter_epochs(struct gvn *s, ir_blk b)
{
	uint32_t n = s->cfg->preds[b].n;

	s->writes++;
	for (unsigned p = 0; p < PL_COUNT; p++) {
		uint32_t same = n ? s->end[s->cfg->preds[b].v[0]][p] : 0;

		for (uint32_t i = 1; i < n; i++) {
			if (s->end[s->cfg->preds[b].v[i]][p] != same)
				same = 0;
		}
		s->epoch[p] = same ? same : s->writes;
	}
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
		note_write(s, i);
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

/* Whether the comparison t holds (1) or not (0) behind this edge of another; -1: it does not say. */
static int implied(const struct ir_term *known, unsigned edge, const struct ir_term *t)
{
	if (known->op != IRN_IF || known->args[0] != t->args[0] || known->args[1] != t->args[1])
		return -1;
	if (known->cc == t->cc)
		return !edge;
	if (known->cc == CC_SET || t->cc == CC_SET || ir_cc_not((enum ir_cc)known->cc) != t->cc)
		return -1;
	return edge != 0;
}

/* A comparison that a dominating edge answers becomes a jump. */
static bool decide(struct gvn *s, ir_blk b)
{
	struct ir_term *t = &s->f->blocks.v[b].term;
	ir_blk at = b;

	for (int n = 0; t->op == IRN_IF && at && n < CHAIN_MAX; n++, at = s->cfg->idom[at]) {
		const struct ir_term *k;
		int answer = -1;

		if (s->cfg->preds[at].n != 1)
			continue;
		k = &s->f->blocks.v[s->cfg->preds[at].v[0]].term;
		if (k->op == IRN_IF && k->edge[0].to != k->edge[1].to)
			answer = implied(k, k->edge[1].to == at, t);
		if (answer < 0)
			continue;
		*t = (struct ir_term){.op = IRN_JMP, .nedges = 1, .edge = {t->edge[!answer]},
			.span = t->span};
		return true;
	}
	return false;
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
	enter_epochs(s, b);
	for (uint32_t i = 0; i < blk->ins.n; i++) {
		if (number(s, blk->ins.v[i]))
			blk->ins.v[n++] = blk->ins.v[i];
	}
	blk->ins.n = n;
	memcpy(s->end[b], s->epoch, sizeof(s->epoch));
	resolve_term(s, &blk->term);
	return reuse_proof(s, b) || decide(s, b);
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
	s.end = arena_alloc(s.a, f->blocks.n * sizeof(*s.end));
	ir_rewrite_init(&s.r, f);
	for (uint32_t i = 0; i < s.cfg->nrpo; i++)
		jumps |= visit(&s, s.cfg->rpo[i]);
	ir_rewrite_apply(&s.r); /* arguments of ways back */
	if (jumps)
		ir_drop_unreachable(f);
	ir_drop_trivial_params(f);
}
