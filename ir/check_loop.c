/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loops end, and the verifier can see it (L1..L6): every cycle goes through a block that ends in
 * LOOP, whose counter starts at a constant and grows by a constant on every way back. The verifier
 * walks through every round, so what a loop costs it is bounded, too.
 */
#include "ir/check.h"

/*
 * Instructions the verifier may have to walk, of its 1 000 000; ours become about two each, some of
 * that when they are made legal.
 */
#define WALK_MAX 250000
#define LEGAL_WALK_MAX (2 * WALK_MAX)
/* Branches open at once, BPF_COMPLEXITY_LIMIT_JMP_SEQ (8192), less some room. */
#define BRANCH_MAX 8000
/* A function that is called back gets that part of it: it is walked some times, with others. */
#define SUB_SHARE 4
#define SUB_WALKS 12
/*
 * Rounds around a call of a helper that calls back: the verifier forgets a state that was of no use
 * 64 times (is_state_visited, since 6.8), and without it never comes to an end.
 */
#define CALL_ROUNDS_MAX 65 /* the last of them finds the end */

struct loops {
	struct check *c;
	uint64_t *trips; /* by block: rounds of its own LOOP, 1 when it heads none */
	uint64_t **body; /* by head: the blocks of its loop, once asked for */
};

/* x is p, perhaps through parameters that receive nothing else. */
static bool same_value(const struct check *c, ir_val x, ir_val p)
{
	for (int depth = 0; x != p && depth < 8; depth++) {
		const struct ir_ins *i = ir_ins_of(c->f, x);
		const struct ir_block *from;
		ir_val next = IR_NONE;

		if (i->op != IR_PARAM || c->cfg->preds[i->block].n != 1)
			return false;
		from = &c->f->blocks.v[c->cfg->preds[i->block].v[0]];
		for (unsigned e = 0; e < from->term.nedges; e++) {
			const struct ir_block *to = &c->f->blocks.v[i->block];

			for (uint32_t a = 0; from->term.edge[e].to == i->block && a < to->params.n; a++) {
				if (to->params.v[a] == x)
					next = from->term.edge[e].args[a];
			}
		}
		x = next;
	}
	return x == p;
}

/* The constant by which x is greater than p; 0 when it is not p plus a positive constant. */
static uint64_t step_of(const struct check *c, ir_val x, ir_val p)
{
	const struct ir_ins *i = ir_ins_of(c->f, x);

	/* A critical edge split: look through the parameter of the block between. */
	while (i->op == IR_PARAM && c->cfg->preds[i->block].n == 1 && !same_value(c, x, p)) {
		const struct ir_term *t = &c->f->blocks.v[c->cfg->preds[i->block].v[0]].term;
		unsigned e = t->edge[0].to == i->block ? 0 : 1;
		uint32_t a = 0;

		while (c->f->blocks.v[i->block].params.v[a] != x)
			a++;
		x = t->edge[e].args[a];
		i = ir_ins_of(c->f, x);
	}
	if (i->op != IR_ADD || !ir_is_const(c->f, i->args[1]) || !same_value(c, i->args[0], p))
		return 0;
	return ir_ins_of(c->f, i->args[1])->imm > 0 ? (uint64_t)ir_ins_of(c->f, i->args[1])->imm : 0;
}

/* The counter's place among the head's parameters; -1 when it is none of them. */
static int counter_of(const struct check *c, ir_blk head)
{
	const struct ir_block *blk = &c->f->blocks.v[head];

	for (uint32_t i = 0; i < blk->params.n; i++) {
		if (blk->params.v[i] == blk->term.args[0])
			return (int)i;
	}
	return -1;
}

/* Only the edge into the body leads back: behind the other one nothing bounds the rounds. */
static bool through_body(const struct check *c, ir_blk head, ir_blk from, unsigned edge)
{
	ir_blk body = c->f->blocks.v[head].term.edge[0].to;

	if (from == head)
		return edge == 0 && body == head;
	return c->cfg->preds[body].n == 1 && ir_dominates(c->cfg, body, from);
}

static void check_way_in(struct loops *s, ir_blk head, ir_blk from, unsigned edge, int k,
	uint64_t *start, uint64_t *step)
{
	struct check *c = s->c;
	ir_val x = c->f->blocks.v[from].term.edge[edge].args[k];
	uint64_t by;

	if (!ir_dominates(c->cfg, head, from)) {
		if (!ir_is_const(c->f, x))
			check_fail(c, from, IR_NONE, "loop", "the counter of ^%u has to start at a constant",
				c->num.blk[head] - 1);
		else if ((uint64_t)ir_ins_of(c->f, x)->imm < *start)
			*start = (uint64_t)ir_ins_of(c->f, x)->imm;
		return;
	}
	by = step_of(c, x, c->f->blocks.v[head].params.v[k]);
	if (!by)
		check_fail(c, from, IR_NONE, "loop", "%%%u is not the counter of ^%u plus a constant",
			c->num.val[x] - 1, c->num.blk[head] - 1);
	else if (by < *step)
		*step = by;
	if (!through_body(c, head, from, edge))
		check_fail(c, from, IR_NONE, "loop", "the way back to ^%u does not come from its body",
			c->num.blk[head] - 1);
}

/* What the verifier goes through of a loop over an iterator until its state repeats. */
#define ITER_TRIPS 8

/* The head asks an iterator for the next element and goes into the body when there is one. */
static bool is_iterator(const struct check *c, ir_blk head)
{
	const struct ir_term *t = &c->f->blocks.v[head].term;
	const struct ir_ins *next;

	if (t->op != IRN_SOME)
		return false;
	next = ir_ins_of(c->f, t->args[0]);
	return next->op == IR_KCALL && next->block == head && next->aux < c->m->kfuncs.n &&
	       kfunc_effects(c->m->kfuncs.v[next->aux].name) & KE_ITER;
}

static void check_iterator(struct loops *s, ir_blk head)
{
	struct check *c = s->c;

	for (uint32_t p = 0; p < c->cfg->preds[head].n; p++) {
		ir_blk from = c->cfg->preds[head].v[p];

		if (ir_dominates(c->cfg, head, from) && !through_body(c, head, from, 0))
			check_fail(c, from, IR_NONE, "loop",
				"the way back to ^%u does not come from its body",
				c->num.blk[head] - 1);
	}
	s->trips[head] = ITER_TRIPS;
}

static void check_head(struct loops *s, ir_blk head)
{
	struct check *c = s->c;
	const struct ir_term *t = &c->f->blocks.v[head].term;
	uint64_t start = UINT64_MAX, step = UINT64_MAX, bound = (uint64_t)t->imm;
	int k;

	if (is_iterator(c, head)) {
		check_iterator(s, head);
		return;
	}
	if (t->op != IRN_LOOP) {
		check_fail(c, head, IR_NONE, "loop", "a cycle without 'loop' at its head");
		return;
	}
	k = counter_of(c, head);
	if (k < 0) {
		check_fail(c, head, IR_NONE, "loop", "the counter is no parameter of this block");
		return;
	}
	for (uint32_t p = 0; p < c->cfg->preds[head].n; p++) {
		ir_blk from = c->cfg->preds[head].v[p];
		bool seen = false;

		for (uint32_t q = 0; q < p; q++)
			seen |= c->cfg->preds[head].v[q] == from;
		for (unsigned e = 0; !seen && e < c->f->blocks.v[from].term.nedges; e++) {
			if (c->f->blocks.v[from].term.edge[e].to == head)
				check_way_in(s, head, from, e, k, &start, &step);
		}
	}
	if (start < bound)
		s->trips[head] = (bound - start - 1) / step + 2; /* one more round to see the end */
	if (bound > INT64_MAX)
		check_fail(c, head, IR_NONE, "loop", "the bound is beyond 2^63");
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

/* The blocks from which the loop's head is reached again without leaving through it. */
static void gather_body(const struct loops *s, ir_blk head)
{
	const struct ir_cfg *g = s->c->cfg;
	uint64_t *in = s->body[head] = ARENA_ARRAY(s->c->a, uint64_t, bits_words(g->nblocks));
	ir_blk *todo = ARENA_ARRAY(s->c->a, ir_blk, g->nblocks + 1);
	uint32_t n = 0;

	bits_add(in, head);
	todo[n++] = head;
	while (n > 0) {
		ir_blk b = todo[--n];

		for (uint32_t p = 0; p < g->preds[b].n; p++) {
			ir_blk from = g->preds[b].v[p];

			if (bits_has(in, from) || !ir_dominates(g, head, from))
				continue;
			bits_add(in, from);
			todo[n++] = from;
		}
	}
}

static bool in_loop(const struct loops *s, ir_blk head, ir_blk b)
{
	if (s->trips[head] <= 1)
		return false;
	if (!s->body[head])
		gather_body(s, head);
	return bits_has(s->body[head], b);
}

/* Rounds of a block: product over the loops it is in, innermost first. */
static uint64_t rounds_of(const struct loops *s, ir_blk b)
{
	uint64_t n = 1;

	for (ir_blk h = b;; h = s->c->cfg->idom[h]) {
		if (in_loop(s, h, b))
			n = times(n, s->trips[h]);
		if (h == 0)
			return n;
	}
}

/* Head of the outermost loop that contains b. */
static ir_blk outermost(const struct loops *s, ir_blk b)
{
	ir_blk out = b;

	for (ir_blk h = b;; h = s->c->cfg->idom[h]) {
		if (in_loop(s, h, b))
			out = h;
		if (h == 0)
			return out;
	}
}

/* The greatest sum of what loops on one way through the program leave open; open is per head. */
static uint64_t most_on_a_way(const struct loops *s, const uint64_t *open)
{
	const struct ir_cfg *g = s->c->cfg;
	uint64_t *at = ARENA_ARRAY(s->c->a, uint64_t, s->c->f->blocks.n), most = 0;

	for (uint32_t n = 0; n < g->nrpo; n++) {
		ir_blk b = g->rpo[n];

		for (uint32_t p = 0; p < g->preds[b].n; p++) {
			ir_blk from = g->preds[b].v[p];

			if (g->order[from] < n && at[from] > at[b])
				at[b] = at[from];
		}
		if (__builtin_add_overflow(at[b], open[b], &at[b]))
			at[b] = UINT64_MAX;
		most = at[b] > most ? at[b] : most;
	}
	return most;
}

/* Instructions that back_legal makes of one, for instruction sets without it: at most. */
static unsigned weight_of(const struct check *c, const struct ir_ins *i)
{
	bool level4 = c->m->target && c->m->target->isa >= 4;

	if (c->f->legal)
		return 1;
	switch (i->op) {
	case IR_SDIV:
	case IR_SMOD:
		return level4 ? 1 : 12;
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
		return level4 ? 1 : 3;
	case IR_ZERO:
		return i->aux / 8 + 7; /* words, and up to 6 parts of words at both ends */
	default:
		return 1;
	}
}

/*
 * What going through a block costs. A block that only leads on costs nothing: one on a critical
 * edge must not make a program too long that the front end has fitted.
 */
static uint64_t block_cost(const struct check *c, const struct ir_block *blk)
{
	uint64_t n = blk->ins.n || blk->term.nedges != 1;

	for (uint32_t i = 0; i < blk->ins.n; i++)
		n += weight_of(c, ir_ins_of(c->f, blk->ins.v[i]));
	return n;
}

/* What the verifier walks for functions that are called back from here, and leaves open in them. */
static uint64_t sub_walk(const struct ir_fn *f, const struct ir_block *blk, uint64_t *branches)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		const struct ir_ins *in = ir_ins_of(f, blk->ins.v[i]);

		if (in->op != IR_FUNC || in->aux >= f->top->subs.n)
			continue;
		n += f->top->subs.v[in->aux]->walk;
		*branches += f->top->subs.v[in->aux]->branches;
	}
	return n * SUB_WALKS;
}

void ir_sub_cost(struct ir_fn *sub)
{
	const struct check c = {.f = sub, .m = sub->m};

	for (ir_blk b = 0; b < sub->blocks.n; b++) {
		const struct ir_block *blk = &sub->blocks.v[b];
		uint64_t inner = 0;

		sub->walk += block_cost(&c, blk) + sub_walk(sub, blk, &inner);
		sub->branches += inner + (blk->term.nedges == 2);
	}
}

static bool calls_back(const struct ir_fn *f, const struct ir_block *blk)
{
	for (uint32_t i = 0; i < blk->ins.n; i++) {
		if (ir_ins_of(f, blk->ins.v[i])->op == IR_FUNC)
			return true;
	}
	return false;
}

/* The most rounds that loops make around a call that calls back. */
static uint64_t call_rounds(const struct loops *s)
{
	const struct check *c = s->c;
	uint64_t most = 0, n;

	for (uint32_t i = 0; c->f->top->subs.n && i < c->cfg->nrpo; i++) {
		ir_blk b = c->cfg->rpo[i];

		n = c->cfg->loop_depth[b] && calls_back(c->f, &c->f->blocks.v[b]) ? rounds_of(s, b) : 0;
		most = n > most ? n : most;
	}
	return most;
}

/* What the verifier has to walk, and the branches it may have open at once. */
static void cost_of(const struct loops *s, uint64_t *walk, uint64_t *branches)
{
	const struct check *c = s->c;
	uint64_t *open = ARENA_ARRAY(c->a, uint64_t, c->f->blocks.n);

	*walk = 0;
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		ir_blk b = c->cfg->rpo[n];
		const struct ir_block *blk = &c->f->blocks.v[b];
		uint64_t rounds, inside = 0, n_inside;

		if (!c->cfg->loop_depth[b])
			continue;
		rounds = rounds_of(s, b);
		n_inside = sub_walk(c->f, blk, &inside);
		if (__builtin_add_overflow(*walk, times(rounds, block_cost(c, blk) + n_inside), walk))
			*walk = UINT64_MAX;
		inside += blk->term.nedges == 2 && blk->term.op != IRN_LOOP;
		if (inside) {
			uint64_t *o = &open[outermost(s, b)];

			if (__builtin_add_overflow(*o, times(rounds, inside), o))
				*o = UINT64_MAX;
		}
	}
	*branches = most_on_a_way(s, open);
}

static uint64_t share(const struct loops *s, uint64_t n)
{
	return ir_is_sub(s->c->f) ? n / SUB_SHARE : n;
}

static void check_cost(struct loops *s)
{
	uint64_t walk, branches, open = share(s, BRANCH_MAX);
	uint64_t most = share(s, s->c->f->legal ? LEGAL_WALK_MAX : WALK_MAX);

	cost_of(s, &walk, &branches);
	if (walk > most)
		check_fail(s->c, 0, IR_NONE, "loop-cost",
			"loops make the verifier walk %llu instructions, at most %llu are sure to be taken",
			(unsigned long long)walk, (unsigned long long)most);
	if (branches > open)
		check_fail(s->c, 0, IR_NONE, "loop-cost",
			"loops leave the verifier %llu open branches, at most %llu are sure to be taken",
			(unsigned long long)branches, (unsigned long long)open);
	if (call_rounds(s) > CALL_ROUNDS_MAX)
		check_fail(s->c, 0, IR_NONE, "loop-cost",
			"loops call what calls back %llu times, at most %d are sure to be taken",
			(unsigned long long)call_rounds(s), CALL_ROUNDS_MAX);
}

static bool fits(const struct loops *s)
{
	uint64_t walk, branches;

	cost_of(s, &walk, &branches);
	/* passes may make a little more of some blocks: what is fitted must not be refused then */
	return walk <= share(s, WALK_MAX - WALK_MAX / 16) && branches <= share(s, BRANCH_MAX) &&
	       call_rounds(s) <= CALL_ROUNDS_MAX;
}

/* One step more for a loop of n rounds, if everything still fits. */
static bool raise(struct loops *s, ir_blk head, uint64_t most)
{
	uint64_t had = s->trips[head], n = had - 1;
	static const unsigned fourths[] = {8, 6, 5};

	for (unsigned i = 0; i < sizeof(fourths) / sizeof(*fourths) && n < most; i++) {
		uint64_t next = (n * fourths[i] + 3) / 4;

		s->trips[head] = (next < most ? next : most) + 1;
		if (fits(s))
			return true;
		s->trips[head] = had;
	}
	return false;
}

/*
 * Whose bound is raised next, the least: up to 64 each on its own, so that loops inside others get
 * them, then by all their rounds, so that those leave something for the rest.
 */
static uint64_t turn_of(const struct loops *s, ir_blk head)
{
	uint64_t rounds = rounds_of(s, head);

	return s->trips[head] <= 64 ? s->trips[head] : rounds < 65 ? 65 : rounds;
}

void ir_fit_loops(struct ir_fn *f, const ir_blk *heads, uint32_t nheads, uint64_t most)
{
	struct buf why;
	struct check c = {.f = f, .m = f->m, .a = ir_scratch(f), .why = &why};
	struct loops s = {.c = &c, .trips = ARENA_ARRAY(c.a, uint64_t, f->blocks.n),
		.body = ARENA_ARRAY(c.a, uint64_t *, f->blocks.n)};
	bool more = true, *stuck = ARENA_ARRAY(c.a, bool, nheads);

	buf_init(&why, c.a);
	c.cfg = ir_cfg_build(f, c.a);
	c.num = ir_number(f, c.a);
	for (uint32_t n = 0; n < c.cfg->nrpo; n++) {
		ir_blk b = c.cfg->rpo[n];

		s.trips[b] = 1;
		for (uint32_t p = 0; p < c.cfg->preds[b].n; p++) {
			if (c.cfg->order[c.cfg->preds[b].v[p]] >= n) {
				check_head(&s, b);
				break;
			}
		}
	}
	for (uint32_t i = 0; i < nheads; i++)
		s.trips[heads[i]] = 2;
	while (more) {
		uint32_t least = nheads;

		for (uint32_t i = 0; i < nheads; i++) {
			if (!stuck[i] && (least == nheads ||
						 turn_of(&s, heads[i]) < turn_of(&s, heads[least])))
				least = i;
		}
		more = least < nheads;
		if (more)
			stuck[least] = !raise(&s, heads[least], most);
	}
	for (uint32_t i = 0; i < nheads; i++)
		f->blocks.v[heads[i]].term.imm = (int64_t)s.trips[heads[i]] - 1;
}

void check_loops(struct check *c)
{
	struct loops s = {.c = c, .trips = ARENA_ARRAY(c->a, uint64_t, c->f->blocks.n),
		.body = ARENA_ARRAY(c->a, uint64_t *, c->f->blocks.n)};
	bool any = false;

	for (uint32_t n = 0; n < c->cfg->nrpo; n++)
		s.trips[c->cfg->rpo[n]] = 1;
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		ir_blk head = c->cfg->rpo[n];
		bool back = false, odd = false;

		for (uint32_t p = 0; p < c->cfg->preds[head].n; p++) {
			ir_blk from = c->cfg->preds[head].v[p];

			if (c->cfg->order[from] < n)
				continue;
			back = true;
			odd |= !ir_dominates(c->cfg, head, from);
		}
		if (odd)
			check_fail(c, head, IR_NONE, "loop", "a cycle with more than one way in");
		else if (back)
			check_head(&s, head);
		any |= back;
	}
	if (any && !c->errors)
		check_cost(&s);
}
