/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is acquired (ring buffer records, owned kernel pointers) is given back exactly once on every
 * path. The state is the set of values that hold something; an argument of an edge hands it to
 * the parameter, a release takes it, at a return nothing may be left. Where ways meet, all must
 * bring the same set. A pointer proven NULL holds nothing and may be handed to a parameter that may
 * be NULL: the second half of the state are those.
 */
#include "ir/check.h"
#include <string.h>

struct owned {
	struct check *c;
	uint32_t *id; /* value -> position in the set + 1 */
	ir_val *val;  /* and back */
	uint32_t n, words; /* words of one half of a state */
	bits *in; /* per block; NULL not reached yet */
};

static bool may_own(struct ir_type t)
{
	return t.kind == IRT_REC || (t.kind == IRT_BTF && t.flags & IRT_OWNED);
}

static void find_owners(struct owned *s)
{
	const struct ir_fn *f = s->c->f;

	s->id = ARENA_ARRAY(s->c->a, uint32_t, f->vals.n);
	s->val = ARENA_ARRAY(s->c->a, ir_val, f->vals.n + 1);
	for (ir_val v = 1; v < f->vals.n; v++) {
		const struct ir_ins *i = ir_ins_of(f, v);

		if (s->c->place[v] == UINT32_MAX || !may_own(i->type))
			continue;
		if (i->op == IR_OFF || i->op == IR_INDEX)
			continue; /* points into what its base owns */
		s->val[s->n] = v;
		s->id[v] = ++s->n;
	}
	s->words = bits_words(s->n);
}

static bool holds(const struct owned *s, const uint64_t *state, ir_val v)
{
	return s->id[v] && bits_has(state, s->id[v] - 1);
}

static uint32_t number_of(const struct owned *s, ir_val v)
{
	return s->c->num.val[v] - 1;
}

static void use(struct owned *s, ir_blk b, ir_val user, ir_val v, const uint64_t *state)
{
	ir_val root;

	if (!may_own(ir_type_of(s->c->f, v)))
		return;
	root = ir_origin(s->c->f, v).root;
	if (!holds(s, state, root))
		check_fail(s->c, b, user, "owned", "%%%u has been given back or handed on",
			number_of(s, root));
}

/* Operand that the call takes over; -1 none. */
static int consumed(const struct owned *s, const struct ir_ins *i)
{
	if (i->op == IR_KCALL)
		return kfunc_effects(s->c->m->kfuncs.v[i->aux].name) & KE_RELEASE ? 0 : -1;
	if (i->op == IR_CALL && kern_helper_by_id(i->aux)->effects & KE_RELEASE)
		return 0;
	return -1;
}

static void run_ins(struct owned *s, ir_blk b, ir_val v, uint64_t *state)
{
	const struct ir_ins *i = ir_ins_of(s->c->f, v);
	int gone = consumed(s, i);

	for (unsigned a = 0; a < i->nargs; a++)
		use(s, b, v, i->args[a], state);
	if (gone >= 0 && i->nargs) {
		ir_val x = i->args[gone];

		if (s->id[x])
			bits_del(state, s->id[x] - 1);
		else
			check_fail(s->c, b, v, "owned", "%%%u is not what was acquired",
				number_of(s, x));
	}
	if (s->id[v])
		bits_add(state, s->id[v] - 1);
}

/* On the edge where the pointer is NULL there is nothing to give back. */
static void drop_null(struct owned *s, const struct ir_term *t, unsigned edge, uint64_t *state)
{
	ir_val x = t->args[0];

	if (t->op == IRN_SOME && edge == 1 && ir_type_of(s->c->f, x).flags & IRT_NULLABLE &&
		s->id[x]) {
		bits_del(state, s->id[x] - 1);
		bits_add(state + s->words, s->id[x] - 1);
	}
}

static void hand_over(struct owned *s, ir_blk b, const struct ir_edge *e, uint64_t *state)
{
	const struct ir_block *to = &s->c->f->blocks.v[e->to];

	for (uint32_t a = 0; a < e->nargs; a++) {
		ir_val x = e->args[a];

		if (!may_own(ir_type_of(s->c->f, to->params.v[a])))
			continue;
		if (s->id[x] && bits_has(state + s->words, s->id[x] - 1) &&
			ir_type_of(s->c->f, to->params.v[a]).flags & IRT_NULLABLE)
			continue;
		if (!holds(s, state, x))
			check_fail(s->c, b, IR_NONE, "owned", "%%%u owns nothing to hand to ^%u",
				number_of(s, x), s->c->num.blk[e->to] - 1);
		else
			bits_del(state, s->id[x] - 1);
	}
	for (uint32_t a = 0; a < e->nargs; a++) {
		if (s->id[to->params.v[a]])
			bits_add(state, s->id[to->params.v[a]] - 1);
	}
}

static void arrive(struct owned *s, ir_blk b, ir_blk to, const uint64_t *state)
{
	if (!s->in[to]) {
		s->in[to] = ARENA_ARRAY(s->c->a, uint64_t, 2 * s->words);
		memcpy(s->in[to], state, sizeof(*state) * 2 * s->words);
		return;
	}
	for (uint32_t w = s->words; w < 2 * s->words; w++)
		s->in[to][w] &= state[w];
	for (uint32_t i = 0; i < s->n; i++) {
		if (bits_has(s->in[to], i) == bits_has(state, i))
			continue;
		check_fail(s->c, b, IR_NONE, "owned",
			"%%%u is held on some ways to ^%u, not on all", number_of(s, s->val[i]),
			s->c->num.blk[to] - 1);
		return;
	}
}

static void leave(struct owned *s, ir_blk b, const uint64_t *state)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (bits_has(state, i))
			check_fail(s->c, b, IR_NONE, "owned", "%%%u is not given back on this path",
				number_of(s, s->val[i]));
	}
}

void check_owned(struct check *c)
{
	struct owned s = {.c = c};
	uint64_t *state, *way;

	find_owners(&s);
	s.in = ARENA_ARRAY(c->a, bits, c->f->blocks.n);
	state = ARENA_ARRAY(c->a, uint64_t, 2 * s.words);
	way = ARENA_ARRAY(c->a, uint64_t, 2 * s.words);
	s.in[0] = ARENA_ARRAY(c->a, uint64_t, 2 * s.words);
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		ir_blk b = c->cfg->rpo[n];
		const struct ir_block *blk = &c->f->blocks.v[b];

		memcpy(state, s.in[b], sizeof(*state) * 2 * s.words);
		for (uint32_t i = 0; i < blk->ins.n; i++)
			run_ins(&s, b, blk->ins.v[i], state);
		for (unsigned e = 0; e < blk->term.nedges; e++) {
			memcpy(way, state, sizeof(*state) * 2 * s.words);
			drop_null(&s, &blk->term, e, way);
			hand_over(&s, b, &blk->term.edge[e], way);
			arrive(&s, b, blk->term.edge[e].to, way);
		}
		if (blk->term.nedges == 0)
			leave(&s, b, state);
	}
}
