/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Control flow of the folding pass: branches that are decided, jumps to jumps, blocks in a row.
 * Comparisons are never combined (S7), and an edge keeps its proof or stays as it is.
 */
#include "ir/opt.h"
#include "ir/rewrite.h"
#include <string.h>

static bool constant(const struct ir_fn *f, ir_val v, uint64_t *n)
{
	const struct ir_ins *i = ir_ins_of(f, v);

	*n = i->type.kind == IRT_I32 ? (uint32_t)i->imm : (uint64_t)i->imm;
	return i->op == IR_CONST;
}

/* ---- which way a branch goes: 0 first edge, 1 second, -1 open ---- */
static int decided_same(enum ir_cc cc)
{
	switch (cc) {
	case CC_EQ:
	case CC_LE:
	case CC_GE:
	case CC_SLE:
	case CC_SGE: return 0;
	case CC_SET: return -1;
	default: return 1;
	}
}

/* x is at most hi, n a constant. */
static int decided_range(enum ir_cc cc, uint64_t hi, uint64_t n)
{
	switch (cc) {
	case CC_EQ: return n > hi ? 1 : -1;
	case CC_NE: return n > hi ? 0 : -1;
	case CC_LT: return hi < n ? 0 : n == 0 ? 1 : -1;
	case CC_LE: return hi <= n ? 0 : -1;
	case CC_GT: return hi <= n ? 1 : -1;
	case CC_GE: return hi < n ? 1 : n == 0 ? 0 : -1;
	default: return -1;
	}
}

static int decided_if(const struct ir_fn *f, const struct ir_term *t)
{
	struct ir_type x = ir_type_of(f, t->args[0]);
	uint64_t m, n;
	bool cm = constant(f, t->args[0], &m), cn = constant(f, t->args[1], &n);

	if (cm && cn)
		return ir_eval_cc(t->cc, x.kind == IRT_I32, m, n) ? 0 : 1;
	if (t->args[0] == t->args[1])
		return decided_same(t->cc);
	return cn && x.kind == IRT_I64 ? decided_range(t->cc, x.hi, n) : -1;
}

/* Tests whose answer the operand's type already holds. BTF pointers may be NULL all the same. */
static int decided_proof(const struct ir_fn *f, ir_blk b, const struct ir_term *t)
{
	struct ir_type x = ir_type_of(f, t->args[0]);
	uint64_t n;

	switch (t->op) {
	case IRN_SOME:
		return x.kind != IRT_BTF && !(x.flags & IRT_NULLABLE) ? 0 : -1;
	case IRN_NEED:
		return x.n >= (uint64_t)t->imm ? 0 : -1;
	case IRN_LOOP: /* while it bounds a cycle it stays */
		if (ir_ins_of(f, t->args[0])->block == b && ir_ins_of(f, t->args[0])->op == IR_PARAM)
			return -1;
		/* fall through */
	case IRN_BOUND:
		if (constant(f, t->args[0], &n))
			return n < (uint64_t)t->imm ? 0 : 1;
		return x.hi < (uint64_t)t->imm ? 0 : -1;
	default:
		return -1;
	}
}

static bool same_edges(const struct ir_term *t)
{
	return t->edge[0].to == t->edge[1].to && t->edge[0].nargs == t->edge[1].nargs &&
		(!t->edge[0].nargs || !memcmp(t->edge[0].args, t->edge[1].args,
			sizeof(ir_val) * t->edge[0].nargs));
}

/* The argument may go over an edge that proves nothing. */
static bool fits_plain(const struct ir_fn *f, const struct ir_edge *e)
{
	for (uint32_t i = 0; i < e->nargs; i++) {
		if (!ir_type_fits(ir_type_of(f, e->args[i]),
			ir_type_of(f, f->blocks.v[e->to].params.v[i])))
			return false;
	}
	return true;
}

static void become_jump(struct ir_term *t, int way)
{
	*t = (struct ir_term){.op = IRN_JMP, .nedges = 1, .edge = {t->edge[way]}, .span = t->span};
}

static bool decide(struct ir_fn *f, ir_blk b)
{
	struct ir_term *t = &f->blocks.v[b].term;
	uint64_t n;
	int way;

	if (t->nedges != 2)
		return false;
	if (t->op == IRN_IF && constant(f, t->args[0], &n) && !constant(f, t->args[1], &n)) {
		ir_val x = t->args[0];

		t->args[0] = t->args[1];
		t->args[1] = x;
		t->cc = (uint8_t)ir_cc_swap(t->cc);
	}
	way = t->op == IRN_IF ? decided_if(f, t) : decided_proof(f, b, t);
	if (way < 0 && same_edges(t) && t->op != IRN_LOOP)
		way = 1;
	if (way < 0 || !fits_plain(f, &t->edge[way]))
		return false;
	become_jump(t, way);
	return true;
}

/* ---- jumps to jumps ---- */
static void count_uses(const struct ir_fn *f, uint32_t *uses)
{
	for (ir_blk b = 0; b < f->blocks.n; b++)
		IR_EACH_OPERAND(f, b, place, uses[*place]++;);
}

/* The block only jumps on, and its parameters go nowhere else. */
static bool passes_on(const struct ir_fn *f, ir_blk b, const uint32_t *uses)
{
	const struct ir_block *blk = &f->blocks.v[b];
	const struct ir_edge *e = &blk->term.edge[0];

	if (b == 0 || blk->ins.n || blk->term.op != IRN_JMP || e->to == b)
		return false;
	for (uint32_t p = 0; p < blk->params.n; p++) {
		uint32_t here = 0;

		for (uint32_t i = 0; i < e->nargs; i++)
			here += e->args[i] == blk->params.v[p];
		if (here != uses[blk->params.v[p]])
			return false;
	}
	return true;
}

/* The argument as seen from before the block. */
static ir_val before(const struct ir_fn *f, const struct ir_edge *in, ir_val v)
{
	const struct ir_block *mid = &f->blocks.v[in->to];

	for (uint32_t i = 0; i < in->nargs; i++) {
		if (mid->params.v[i] == v)
			return in->args[i];
	}
	return v;
}

/* Sends edge e of block b past the empty block it leads to. */
static bool thread(struct ir_fn *f, ir_blk b, unsigned e, uint32_t *uses)
{
	struct ir_term *t = &f->blocks.v[b].term, try = *t;
	const struct ir_edge *in = &t->edge[e], *on;

	if (!passes_on(f, in->to, uses))
		return false;
	on = &f->blocks.v[in->to].term.edge[0];
	try.edge[e] = (struct ir_edge){.to = on->to, .nargs = on->nargs,
		.args = ARENA_ARRAY(f->a, ir_val, on->nargs)};
	for (uint32_t i = 0; i < on->nargs; i++)
		try.edge[e].args[i] = before(f, in, on->args[i]);
	for (uint32_t i = 0; i < on->nargs; i++) {
		struct ir_type have = ir_type_of(f, try.edge[e].args[i]);

		if (e == 0 && i == 0 && ir_proof_edge(&try))
			have = ir_proven(t->op, have, t->imm);
		if (!ir_type_fits(have, ir_type_of(f, f->blocks.v[on->to].params.v[i])))
			return false;
	}
	for (uint32_t i = 0; i < in->nargs; i++)
		uses[in->args[i]]--;
	for (uint32_t i = 0; i < on->nargs; i++)
		uses[try.edge[e].args[i]]++;
	*t = try;
	return true;
}

static bool thread_all(struct ir_fn *f)
{
	uint32_t *uses = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	bool changed = false;

	count_uses(f, uses);
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (unsigned e = 0; e < f->blocks.v[b].term.nedges; e++) {
			/* The body of a loop stays a block of its own: check_loop.c finds it there. */
			if (f->blocks.v[b].term.op == IRN_LOOP && e == 0)
				continue;
			for (int n = 0; n < 64 && thread(f, b, e, uses); n++)
				changed = true;
		}
	}
	return changed;
}

/* ---- blocks in a row ---- */
static void append(struct ir_fn *f, struct ir_rewrite *r, ir_blk b)
{
	struct ir_block *blk = &f->blocks.v[b], *next = &f->blocks.v[blk->term.edge[0].to];

	for (uint32_t i = 0; i < next->params.n; i++)
		ir_rewrite_put(r, next->params.v[i], blk->term.edge[0].args[i]);
	for (uint32_t i = 0; i < next->ins.n; i++) {
		f->vals.v[next->ins.v[i]].block = b;
		vec_push(f->a, &blk->ins, next->ins.v[i]);
	}
	blk->term = next->term;
	*next = (struct ir_block){.sealed = true};
}

static bool can_append(const struct ir_fn *f, struct ir_rewrite *r, ir_blk b, const uint32_t *npreds)
{
	const struct ir_term *t = &f->blocks.v[b].term;

	if (t->op != IRN_JMP || t->edge[0].to == b || t->edge[0].to == 0 ||
		npreds[t->edge[0].to] != 1)
		return false;
	for (uint32_t i = 0; i < t->edge[0].nargs; i++) {
		ir_val p = f->blocks.v[t->edge[0].to].params.v[i];

		if (!ir_type_fits(ir_type_of(f, ir_rewrite_get(r, t->edge[0].args[i])),
			ir_type_of(f, p)))
			return false;
	}
	return true;
}

static bool merge_all(struct ir_fn *f)
{
	uint32_t *npreds = ARENA_ARRAY(ir_scratch(f), uint32_t, f->blocks.n);
	struct ir_rewrite r;
	bool changed = false;

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (unsigned e = 0; e < f->blocks.v[b].term.nedges; e++)
			npreds[f->blocks.v[b].term.edge[e].to]++;
	}
	ir_rewrite_init(&r, f);
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		while (can_append(f, &r, b, npreds)) {
			append(f, &r, b);
			changed = true;
		}
	}
	ir_rewrite_apply(&r);
	return changed;
}

bool ir_opt_branches(struct ir_fn *f)
{
	bool changed = false;

	for (ir_blk b = 0; b < f->blocks.n; b++)
		changed |= decide(f, b);
	changed |= thread_all(f);
	ir_drop_unreachable(f);
	changed |= ir_drop_trivial_params(f);
	changed |= merge_all(f);
	return changed;
}
