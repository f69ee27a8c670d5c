/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How long values live and which registers they may have. What lives over a call must be in
 * r6..r9 (MC_HIGH); the rest is in r0..r5 (MC_LOW) unless promoted. As the pools are disjoint and no
 * more values live in one than it has registers, colouring in dominance order cannot fail.
 */
#include "backend-bpf/spill.h"
#include <string.h>

#define MAX_WEIGHT_DEPTH 6
#define KEEP_PROOF (1u << 20)

uint32_t ranges_weight(const struct ranges *r, ir_blk b)
{
	uint32_t depth = r->cfg->loop_depth[b];

	return 1u << (3 * (depth < MAX_WEIGHT_DEPTH ? depth : MAX_WEIGHT_DEPTH));
}

struct scan { /* of one block, backwards */
	struct ranges *r;
	ir_blk b;
	uint64_t *live;
	uint32_t *to;	  /* value -> last point, valid while live */
	uint32_t *costed; /* value -> 1 + last block that was added to its cost */
};

static void span_end(struct scan *s, ir_val v, uint32_t point)
{
	if (bit_has(s->live, v))
		return;
	bit_add(s->live, v);
	s->to[v] = point;
}

static void span_use(struct scan *s, ir_val v, uint32_t point)
{
	if (s->costed[v] != s->b + 1) {
		s->costed[v] = s->b + 1;
		s->r->cost[v] += ranges_weight(s->r, s->b);
	}
	span_end(s, v, point);
}

static void span_begin(struct scan *s, ir_val v, uint32_t point)
{
	struct ranges *r = s->r;
	struct span sp = {.v = v, .block = s->b, .from = point, .to = s->to[v]};

	if (!bit_has(s->live, v))
		return;
	bit_del(s->live, v);
	sp.next = r->head[v];
	vec_push(ir_scratch(r->f), &r->spans, sp);
	r->head[v] = r->spans.n;
	r->length[v] += sp.to - sp.from + 1;
}

/*
 * The number of a variable offset has been proven small; kernels before 5.16 forget what they know
 * of a number (other than a constant) when it is stored to the stack, so it is spilled last.
 */
static bool proven_offset(const struct ir_ins *ins, unsigned k)
{
	return k == 1 && ins->op == MACH(ADD64_RR) && ir_is_ptr(ins->type);
}

static void scan_ins(struct scan *s, ir_val v, uint32_t i)
{
	const struct ir_fn *f = s->r->f;
	const struct ir_ins *ins = ir_ins_of(f, v);
	unsigned late = mach_late(f, ins);

	if (mach_result(f, v)) {
		if (!mach_calls(ins) && !mach_remat(f, v)) /* written even when nobody reads it */
			span_end(s, v, 2 * i + 1);
		if (!mach_remat(f, v))
			s->r->cost[v] += ranges_weight(s->r, s->b);
		span_begin(s, v, 2 * i + 1);
	}
	for (unsigned k = 0; k < ins->nargs; k++) {
		if (proven_offset(ins, k))
			s->r->cost[ins->args[k]] += KEEP_PROOF;
		if (mach_reads(f, ins, k) && mach_result(f, ins->args[k]))
			span_use(s, ins->args[k], 2 * i + (late >> k & 1));
	}
}

static void scan_term(struct scan *s, uint32_t n)
{
	const struct ir_fn *f = s->r->f;
	const struct ir_term *t = &f->blocks.v[s->b].term;

	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t k = 0; k < t->edge[e].nargs; k++) {
			ir_val v = t->edge[e].args[k];

			if (!mach_floats(f, v) && mach_result(f, v))
				span_use(s, v, 2 * n + 1);
		}
	}
	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, t, k) && mach_result(f, t->args[k]))
			span_use(s, t->args[k], 2 * n);
	}
}

static void each_bit(struct scan *s, const uint64_t *set, void (*fn)(struct scan *, ir_val, uint32_t),
	uint32_t point)
{
	for (uint32_t w = 0; w < s->r->live.words; w++) {
		for (uint64_t bits = set[w]; bits; bits &= bits - 1)
			fn(s, s->r->live.value[w * 64 + (uint32_t)__builtin_ctzll(bits)], point);
	}
}

static void scan_block(struct scan *s, ir_blk b)
{
	struct ranges *r = s->r;
	const struct ir_block *blk = &r->f->blocks.v[b];

	s->b = b;
	memset(s->live, 0, (r->f->vals.n + 63) / 64 * sizeof(uint64_t));
	for (uint32_t k = 0; k < blk->term.nedges; k++)
		each_bit(s, live_in(&r->live, blk->term.edge[k].to), span_end, 2 * blk->ins.n + 1);
	scan_term(s, blk->ins.n);
	for (uint32_t i = blk->ins.n; i-- > 0;)
		scan_ins(s, blk->ins.v[i], i);
	for (uint32_t i = 0; i < blk->params.n; i++) {
		r->cost[blk->params.v[i]] += ranges_weight(r, b);
		span_begin(s, blk->params.v[i], 0);
	}
	each_bit(s, live_in(&r->live, b), span_begin, 0);
}

void ranges_build(struct ir_fn *f, struct ranges *r)
{
	struct scan s = {.r = r};
	uint32_t points = 0;

	*r = (struct ranges){.f = f, .cfg = ir_cfg_build(f, ir_scratch(f))};
	live_build(f, r->cfg, ir_scratch(f), &r->live);
	r->first = ARENA_ARRAY(ir_scratch(f), uint32_t, f->blocks.n + 1);
	r->point = ARENA_ARRAY(ir_scratch(f), uint32_t, f->blocks.n + 1);
	r->head = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	r->cost = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	r->length = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	r->spilled = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);
	r->no_room = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);
	s.live = ARENA_ARRAY(ir_scratch(f), uint64_t, (f->vals.n + 63) / 64);
	s.to = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	s.costed = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		r->first[b] = r->spans.n;
		r->point[b] = points;
		points += 2 * (f->blocks.v[b].ins.n + 1);
		if (r->cfg->order[b] != UINT32_MAX)
			scan_block(&s, b);
	}
	r->first[f->blocks.n] = r->spans.n;
	r->high = ARENA_ARRAY(ir_scratch(f), uint16_t, points);
}

/* ---- classes ---- */

static void occupy(struct ranges *r, ir_val v, int by)
{
	for (uint32_t k = r->head[v]; k; k = r->spans.v[k - 1].next) {
		const struct span *sp = &r->spans.v[k - 1];
		uint16_t *high = r->high + r->point[sp->block];

		for (uint32_t p = sp->from; p <= sp->to; p++)
			high[p] = (uint16_t)(high[p] + by);
	}
}

/* Marks what lives over a call of this block. */
static void mark_crossing(struct ranges *r, ir_blk b, bool *crossing)
{
	const struct ir_block *blk = &r->f->blocks.v[b];
	uint32_t *before = ARENA_ARRAY(ir_scratch(r->f), uint32_t, blk->ins.n + 3);

	for (uint32_t i = 0; i < blk->ins.n; i++)
		before[i + 1] = before[i] + mach_calls(ir_ins_of(r->f, blk->ins.v[i]));
	before[blk->ins.n + 1] = before[blk->ins.n];
	before[blk->ins.n + 2] = before[blk->ins.n];
	if (!before[blk->ins.n])
		return;
	for (uint32_t k = r->first[b]; k < r->first[b + 1]; k++) {
		const struct span *sp = &r->spans.v[k];

		if (before[(sp->to + 1) / 2] > before[(sp->from + 1) / 2])
			crossing[sp->v] = true;
	}
}

static uint32_t spill_score(const struct ranges *r, ir_val v)
{
	uint64_t score = ((uint64_t)r->cost[v] << 12) / (r->length[v] + 1);

	return score > UINT32_MAX ? UINT32_MAX : (uint32_t)score;
}

/* Spills until no point of b has more values of MC_HIGH than registers. */
static void relieve(struct ranges *r, ir_blk b)
{
	struct back_fn *back = back_data(r->f);
	uint32_t points = 2 * (r->f->blocks.v[b].ins.n + 1);
	const uint16_t *high = r->high + r->point[b];

	for (uint32_t p = 0; p < points; p++) {
		while (high[p] > mach_class_regs(MC_HIGH)) {
			ir_val best = IR_NONE;

			for (uint32_t k = r->first[b]; k < r->first[b + 1]; k++) {
				const struct span *sp = &r->spans.v[k];

				if (sp->from > p || sp->to < p || r->spilled[sp->v] ||
					back->cls.v[sp->v] != MC_HIGH)
					continue;
				if (!best || spill_score(r, sp->v) < spill_score(r, best))
					best = sp->v;
			}
			r->spilled[best] = true;
			occupy(r, best, -1);
		}
	}
}

bool ranges_promote(struct ranges *r, ir_val v, ir_blk at, const uint16_t *here)
{
	struct back_fn *back = back_data(r->f);

	if (r->no_room[v] || r->spilled[v] || back->cls.v[v] == MC_HIGH)
		return false;
	for (uint32_t k = r->head[v]; k; k = r->spans.v[k - 1].next) {
		const struct span *sp = &r->spans.v[k - 1];
		const uint16_t *high = r->high + r->point[sp->block];

		for (uint32_t p = sp->from; p <= sp->to; p++) {
			unsigned n = here && sp->block == at ? here[p] : high[p];

			if (n >= mach_class_regs(MC_HIGH)) {
				r->no_room[v] = true;
				return false;
			}
		}
	}
	back->cls.v[v] = MC_HIGH;
	occupy(r, v, 1);
	return true;
}

/* Values that become one another on an edge should share a register, so a pool. */
static void promote_related(struct ranges *r)
{
	struct ir_fn *f = r->f;
	struct back_fn *back = back_data(f);

	for (uint32_t k = 0; k < r->cfg->nrpo; k++) {
		const struct ir_term *t = &f->blocks.v[r->cfg->rpo[k]].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			const struct ir_block *to = &f->blocks.v[t->edge[e].to];

			for (uint32_t j = 0; j < t->edge[e].nargs; j++) {
				ir_val p = to->params.v[j], v = t->edge[e].args[j];

				if (mach_floats(f, v) || back->cls.v[p] == back->cls.v[v] ||
					r->spilled[p] || r->spilled[v])
					continue;
				ranges_promote(r, back->cls.v[p] == MC_HIGH ? v : p, 0, NULL);
			}
		}
	}
}

/* Whether v is used last by instruction i of block b. */
static bool dies_at(const struct ranges *r, ir_val v, ir_blk b, uint32_t i)
{
	for (uint32_t k = r->head[v]; k; k = r->spans.v[k - 1].next) {
		const struct span *sp = &r->spans.v[k - 1];

		if (sp->block == b && sp->from <= 2 * i && sp->to >= 2 * i)
			return sp->to == 2 * i;
	}
	return false;
}

/* The operand whose register the result takes should be in the result's pool, or the other way. */
static void promote_tied(struct ranges *r, ir_blk b, uint32_t i)
{
	const struct ir_fn *f = r->f;
	ir_val v = f->blocks.v[b].ins.v[i], a;
	const struct ir_ins *ins = ir_ins_of(f, v);
	const struct back_fn *back = f->back;
	int tied = mach_tied(ins);

	if (tied < 0 || !mach_result(f, v) || mach_calls(ins))
		return;
	a = ins->args[tied];
	if (mach_form(ins, IFORM_ALU_RR) && mach_row(ins)->flags & ISAF_COMM && !dies_at(r, a, b, i))
		a = ins->args[1];
	if (mach_floats(f, a) || mach_slot(f, a) || back->cls.v[a] == back->cls.v[v] ||
		r->spilled[a] || r->spilled[v] || !dies_at(r, a, b, i))
		return;
	if (back->cls.v[a] == MC_HIGH)
		ranges_promote(r, v, 0, NULL);
	else if (!mach_calls(ir_ins_of(f, a))) /* what is in r0 is copied in any case */
		ranges_promote(r, a, 0, NULL);
}

/* Backwards for chains that end in MC_HIGH, then forwards for those that begin there. */
static void promote_chains(struct ranges *r)
{
	const struct ir_cfg *c = r->cfg;

	for (uint32_t k = c->nrpo; k-- > 0;) {
		for (uint32_t i = r->f->blocks.v[c->rpo[k]].ins.n; i-- > 0;)
			promote_tied(r, c->rpo[k], i);
	}
	for (uint32_t k = 0; k < c->nrpo; k++) {
		for (uint32_t i = 0; i < r->f->blocks.v[c->rpo[k]].ins.n; i++)
			promote_tied(r, c->rpo[k], i);
	}
}

void ranges_classify(struct ranges *r)
{
	struct ir_fn *f = r->f;
	struct back_fn *back = back_data(f);
	bool *crossing = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);

	for (ir_blk b = 0; b < f->blocks.n; b++)
		mark_crossing(r, b, crossing);
	back->cls.n = 0;
	for (ir_val v = 0; v < f->vals.n; v++) {
		vec_push(f->a, &back->cls, MC_LOW);
		if (!crossing[v])
			continue;
		back->cls.v[v] = MC_HIGH;
		r->spilled[v] = mach_remat(f, v);
		if (!r->spilled[v])
			occupy(r, v, 1);
	}
	for (ir_blk b = 0; b < f->blocks.n; b++)
		relieve(r, b);
	promote_related(r);
	promote_chains(r);
}
