/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Spilling, on SSA. A spilled value is stored once, where it is defined, into a slot of its own (so
 * a value that carries a proof is stored after the check: contract S3), and refilled where a block
 * first needs it; the refill stays in a register as long as there is room. Constants, maps and
 * addresses of stack objects are made again instead; nothing else is. A spilled parameter lives in
 * its slot alone: the edges write it.
 *
 * What to spill is found by scanning the blocks until no scan finds anything more; each scan but
 * the last only decides, the last one rewrites.
 *
 * Requires: machine form, critical edges split. Ensures: every value has a class, and nowhere do
 * more values of a class live than it has registers.
 */
#include "backend-bpf/spill.h"
#include <assert.h>
#include <string.h>

#define NEVER UINT32_MAX	 /* no further use */
#define OUTSIDE (UINT32_MAX - 1) /* used in other blocks */

struct piece { /* a value in a register, here and now */
	ir_val v;   /* the value it is */
	ir_val cur; /* its name in the rewritten code */
	uint8_t cls;
	bool local;	/* of a spilled value: ends with the block at the latest */
	bool locked;	/* the current instruction needs it */
	uint32_t from;	/* first point */
	uint32_t to;	/* local: last point it may want */
};

struct use { /* of a value in the current block, in order */
	uint32_t at;
	uint32_t next; /* index + 1 */
};

struct spill {
	struct ir_fn *f;
	struct ranges r;
	struct back_fn *back;
	bool rewrite, changed;
	ir_val *slot; /* value -> its spill slot */
	/* the current block */
	ir_blk b;
	uint32_t n;    /* instructions */
	uint32_t i;    /* current instruction */
	uint16_t *here; /* point -> values of MC_HIGH, refills included */
	VEC(struct use) uses;
	uint32_t *use_head; /* value -> use index + 1 */
	uint32_t *use_last; /* value -> last use's position + 1 */
	VEC(struct piece) pieces;
	uint32_t *where; /* value -> piece index + 1 */
	uint32_t count[MC_CLASSES];
	uint32_t *calls; /* instruction -> calls before it */
	VEC(ir_val) touched; /* values with entries in use_head */
	struct ir_block out;
	struct ir_block slots; /* new spill slots, for the head of the entry block */
};

static bool leaves_block(const struct spill *s, ir_val v)
{
	return v < s->r.live.nvals && !s->r.spilled[v] && live_behind(&s->r.live, s->b, v);
}

/* Position of the next use of v at or after the current instruction. */
static uint32_t next_use(struct spill *s, ir_val v, bool after)
{
	while (s->use_head[v] && s->uses.v[s->use_head[v] - 1].at < s->i + after)
		s->use_head[v] = s->uses.v[s->use_head[v] - 1].next;
	if (s->use_head[v])
		return s->uses.v[s->use_head[v] - 1].at;
	return leaves_block(s, v) ? OUTSIDE : NEVER;
}

static void add_use(struct spill *s, ir_val v, uint32_t at)
{
	if (!mach_result(s->f, v))
		return;
	if (!s->use_head[v]) {
		s->use_last[v] = at + 1;
		vec_push(ir_scratch(s->f), &s->touched, v);
	}
	vec_push(ir_scratch(s->f), &s->uses, (struct use){.at = at, .next = s->use_head[v]});
	s->use_head[v] = s->uses.n;
}

static void collect_uses(struct spill *s)
{
	const struct ir_fn *f = s->f;
	const struct ir_block *blk = &f->blocks.v[s->b];

	s->uses.n = 0;
	for (unsigned e = 0; e < blk->term.nedges; e++) {
		for (uint32_t k = 0; k < blk->term.edge[e].nargs; k++) {
			if (!mach_floats(f, blk->term.edge[e].args[k]))
				add_use(s, blk->term.edge[e].args[k], s->n + 1);
		}
	}
	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, &blk->term, k))
			add_use(s, blk->term.args[k], s->n);
	}
	for (uint32_t i = s->n; i-- > 0;) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		for (unsigned k = 0; k < ins->nargs; k++) {
			if (mach_reads(f, ins, k))
				add_use(s, ins->args[k], i);
		}
	}
}

/* Cleans the tables for the next block. */
static void forget_uses(struct spill *s)
{
	while (s->touched.n) {
		ir_val v = s->touched.v[--s->touched.n];

		s->use_head[v] = s->use_last[v] = 0;
	}
}

/* ---- pieces ---- */

static void mark_here(struct spill *s, const struct piece *p, int by)
{
	for (uint32_t k = p->from; p->cls == MC_HIGH && p->local && k <= p->to; k++)
		s->here[k] = (uint16_t)(s->here[k] + by);
}

static struct piece *piece_of(struct spill *s, ir_val v)
{
	return s->where[v] ? &s->pieces.v[s->where[v] - 1] : NULL;
}

/* Takes the piece out of its register; it no longer occupies it from point on. */
static void release(struct spill *s, struct piece *p, uint32_t point)
{
	struct piece rest = *p;
	uint32_t at = (uint32_t)(p - s->pieces.v);

	if (rest.from < point)
		rest.from = point;
	mark_here(s, &rest, -1);
	s->count[p->cls]--;
	s->where[p->v] = 0;
	*p = s->pieces.v[--s->pieces.n];
	if (at < s->pieces.n)
		s->where[p->v] = at + 1;
}

static bool room_high(const struct spill *s, uint32_t from, uint32_t to)
{
	for (uint32_t p = from; p <= to; p++) {
		if (s->here[p] >= mach_class_regs(MC_HIGH))
			return false;
	}
	return true;
}

/* Moves v, which is not spilled, to r6..r9 for all its life, if there is room all along. */
static bool promote(struct spill *s, ir_val v)
{
	const struct span *sp;

	if (!ranges_promote(&s->r, v, s->b, s->here))
		return false;
	s->changed = true;
	for (uint32_t q = s->r.head[v]; q; q = sp->next) {
		sp = &s->r.spans.v[q - 1];
		for (uint32_t at = sp->from; sp->block == s->b && at <= sp->to; at++)
			s->here[at]++;
	}
	return true;
}

/* Makes room among r0..r5 by moving one of their values to r6..r9, if there is any that fits. */
static bool promote_one(struct spill *s)
{
	for (uint32_t k = 0; k < s->pieces.n; k++) {
		struct piece *p = &s->pieces.v[k];

		if (p->cls != MC_LOW)
			continue;
		if (p->local && !room_high(s, p->from, p->to))
			continue;
		if (!p->local && !promote(s, p->v))
			continue;
		p->cls = MC_HIGH;
		if (p->local) {
			mark_here(s, p, 1);
			if (s->rewrite)
				s->back->cls.v[p->cur] = MC_HIGH;
		}
		s->count[MC_LOW]--;
		s->count[MC_HIGH]++;
		return true;
	}
	return false;
}

static uint64_t victim_score(struct spill *s, const struct piece *p)
{
	uint32_t next = next_use(s, p->v, true);
	uint64_t dist = next == OUTSIDE || next - s->i > 1000 ? 1000 : next - s->i;
	uint64_t cost = p->local ? ranges_weight(&s->r, s->b) * 2 : s->r.cost[p->v] * 2ull;

	if (mach_remat(s->f, p->v))
		cost /= 2;
	return (cost << 12) / (1 + dist);
}

/* Frees a register of r0..r5 at this point. */
static void evict(struct spill *s, uint32_t point)
{
	struct piece *best = NULL;
	uint64_t best_score = 0;

	if (promote_one(s))
		return;
	for (uint32_t k = 0; k < s->pieces.n; k++) {
		struct piece *p = &s->pieces.v[k];
		uint64_t score;

		if (p->cls != MC_LOW || p->locked)
			continue;
		score = victim_score(s, p);
		if (!best || score < best_score) {
			best = p;
			best_score = score;
		}
	}
	if (!best)
		mach_bug(s->f, "spill", s->i, "no register to free");
	if (!best->local) {
		s->r.spilled[best->v] = true;
		s->changed = true;
	}
	release(s, best, point);
}

/* Puts v into a register of class cls from point on; cur is its name there. */
static struct piece *hold(struct spill *s, ir_val v, ir_val cur, enum mach_class cls, uint32_t point)
{
	struct piece p = {.v = v, .cur = cur, .cls = cls, .from = point};

	p.local = s->r.spilled[v];
	p.to = s->use_last[v] ? 2 * (s->use_last[v] - 1) + 1 : point;
	if (p.to > 2 * s->n + 1)
		p.to = 2 * s->n + 1;
	if (p.to < point)
		p.to = point;
	mark_here(s, &p, 1);
	s->count[cls]++;
	vec_push(ir_scratch(s->f), &s->pieces, p);
	s->where[v] = s->pieces.n;
	if (s->rewrite)
		s->back->cls.v[cur] = cls;
	return &s->pieces.v[s->pieces.n - 1];
}

/* Class for a piece of a spilled value that starts here. */
static enum mach_class local_class(struct spill *s, ir_val v, uint32_t point)
{
	uint32_t next = next_use(s, v, true);
	uint32_t last = s->use_last[v] ? 2 * (s->use_last[v] - 1) + 1 : point;
	bool crosses = next < OUTSIDE && s->calls[next < s->n ? next : s->n] > s->calls[s->i + 1];

	if (last > 2 * s->n + 1)
		last = 2 * s->n + 1;
	if (last < point)
		last = point;
	if ((crosses || s->count[MC_LOW] >= mach_class_regs(MC_LOW)) && room_high(s, point, last))
		return MC_HIGH;
	return MC_LOW;
}

/* ---- rewriting ---- */

static ir_val new_value(struct spill *s, struct ir_ins ins, ir_val of)
{
	struct back_fn *back = s->back;
	ir_val v = mach_new(s->f, ins);

	while (back->cls.n <= v)
		vec_push(s->f->a, &back->cls, MC_LOW);
	while (back->origin.n <= v)
		vec_push(s->f->a, &back->origin, IR_NONE);
	back->origin.v[v] = of;
	vec_push(s->f->a, &s->out.ins, v);
	return v;
}

static ir_val slot_of(struct spill *s, ir_val v)
{
	if (!s->slot[v]) {
		s->slot[v] = mach_spill_slot(s->f);
		vec_push(s->f->a, &s->slots.ins, s->slot[v]);
	}
	return s->slot[v];
}

/* The instruction that gives v again: its own, or a load from its slot. */
static ir_val refill(struct spill *s, ir_val v, bool in_place)
{
	struct ir_ins ins = *ir_ins_of(s->f, v);

	if (!s->rewrite)
		return v;
	if (!mach_remat(s->f, v)) {
		ins = (struct ir_ins){.op = MACH(LDX64), .nargs = 1, .args = {slot_of(s, v)},
			.type = ins.type, .block = s->b, .span = ins.span, .width = 8,
			.sub = in_place ? MACH_IN_PLACE : 0};
		s->back->reloads++;
	}
	ins.block = s->b;
	ins.reg = IR_NO_REG;
	return new_value(s, ins, v);
}

static void store(struct spill *s, ir_val v, ir_val cur, bool in_place)
{
	if (!s->rewrite)
		return;
	new_value(s, (struct ir_ins){.op = MACH(STX64), .nargs = 2, .args = {slot_of(s, v), cur},
		.type = IR_VOID, .block = s->b, .width = 8, .span = ir_ins_of(s->f, v)->span,
		.sub = in_place ? MACH_IN_PLACE : 0}, IR_NONE);
	s->back->spills++;
}

/* ---- the scan ---- */

static void make_room(struct spill *s, enum mach_class cls, uint32_t point)
{
	while (cls == MC_LOW && s->count[MC_LOW] >= mach_class_regs(MC_LOW))
		evict(s, point);
	if (s->count[cls] >= mach_class_regs(cls))
		mach_bug(s->f, "spill", s->i, "too many values live over calls");
}

/* v in a register, refilled if need be; returns its name. */
static ir_val fetch(struct spill *s, ir_val v)
{
	struct piece *p = piece_of(s, v);
	enum mach_class cls;

	if (!p) {
		if (!s->r.spilled[v])
			mach_bug(s->f, "spill", v, "neither in a register nor spilled");
		cls = local_class(s, v, 2 * s->i);
		make_room(s, cls, 2 * s->i);
		p = hold(s, v, refill(s, v, false), cls, 2 * s->i);
	}
	p->locked = true;
	return p->cur;
}

/* v for a place that takes it from anywhere. */
static ir_val fetch_anywhere(struct spill *s, ir_val v)
{
	struct piece *p = piece_of(s, v);

	if (p) {
		p->locked = true;
		return p->cur;
	}
	return refill(s, v, true);
}

static void unlock(struct spill *s)
{
	for (uint32_t k = 0; k < s->pieces.n; k++)
		s->pieces.v[k].locked = false;
}

/* Those of args in mask that have no further use leave their registers at this point. */
static void release_dead(struct spill *s, const ir_val *args, unsigned n, unsigned mask,
	uint32_t point)
{
	for (unsigned k = 0; k < n; k++) {
		struct piece *p = mask >> k & 1 ? piece_of(s, args[k]) : NULL;

		if (p && next_use(s, args[k], true) == NEVER)
			release(s, p, point);
	}
}

/* A call leaves nothing in r0..r5. */
static void cross_call(struct spill *s)
{
	for (uint32_t k = s->pieces.n; k-- > 0;) {
		struct piece *p = &s->pieces.v[k];

		if (p->cls != MC_LOW)
			continue;
		if (!p->local)
			mach_bug(s->f, "spill", p->v, "lives over a call in r0..r5");
		release(s, p, 2 * s->i + 1);
	}
}

static void define(struct spill *s, ir_val v)
{
	const struct ir_ins *ins = ir_ins_of(s->f, v);
	uint32_t point = 2 * s->i + 1;
	bool spilled = s->r.spilled[v], used = next_use(s, v, true) != NEVER;
	struct piece *p;
	enum mach_class cls;

	if (!used && !spilled && mach_calls(ins))
		return;
	cls = spilled ? local_class(s, v, point) : s->back->cls.v[v];
	if (!spilled && cls == MC_LOW && s->count[MC_LOW] >= mach_class_regs(MC_LOW) && promote(s, v))
		cls = MC_HIGH;
	make_room(s, cls, point);
	p = hold(s, v, v, cls, point);
	if (spilled)
		store(s, v, v, false);
	if (!used)
		release(s, p, point + 1);
}

static void spill_ins(struct spill *s, ir_val v)
{
	const struct ir_ins *ins = ir_ins_of(s->f, v);
	unsigned late = mach_late(s->f, ins), nargs = ins->nargs, reads = 0;
	ir_val old[IR_MAX_ARGS];
	bool calls = mach_calls(ins), remat = mach_remat(s->f, v);

	memcpy(old, ins->args, sizeof(old));
	for (unsigned k = 0; k < nargs; k++) {
		struct piece *p = NULL;

		if (mach_reads(s->f, ins, k)) {
			reads |= 1u << k;
			p = piece_of(s, old[k]);
		}
		if (p)
			p->locked = true;
	}
	for (unsigned k = 0; k < nargs; k++) {
		if (reads >> k & 1) {
			ir_val cur = calls ? fetch_anywhere(s, old[k]) : fetch(s, old[k]);

			s->f->vals.v[v].args[k] = cur;
		}
	}
	if (s->rewrite)
		vec_push(s->f->a, &s->out.ins, v);
	else
		memcpy(s->f->vals.v[v].args, old, sizeof(old));
	release_dead(s, old, nargs, reads & ~late, 2 * s->i + 1);
	if (calls)
		cross_call(s);
	if (mach_result(s->f, v) && !(remat && (s->r.spilled[v] || next_use(s, v, true) == NEVER)))
		define(s, v);
	release_dead(s, old, nargs, reads & late, 2 * s->i + 2);
	unlock(s);
}

static void spill_term(struct spill *s)
{
	struct ir_term *t = &s->f->blocks.v[s->b].term;
	bool ret = t->op == IRN_RET;

	s->i = s->n;
	for (unsigned k = 0; k < 2; k++) {
		ir_val cur;

		if (!mach_term_reads(s->f, t, k))
			continue;
		cur = ret ? fetch_anywhere(s, t->args[k]) : fetch(s, t->args[k]);
		if (s->rewrite)
			t->args[k] = cur;
	}
	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t k = 0; k < t->edge[e].nargs; k++) {
			ir_val v = t->edge[e].args[k];

			if (mach_floats(s->f, v))
				continue;
			v = fetch_anywhere(s, v);
			if (s->rewrite)
				t->edge[e].args[k] = v;
		}
	}
}

/* What is in registers where the block begins. */
static void enter_block(struct spill *s)
{
	const struct ir_block *blk = &s->f->blocks.v[s->b];
	const uint64_t *in = live_in(&s->r.live, s->b);

	for (uint32_t w = 0; w < s->r.live.words; w++) {
		for (uint64_t bits = in[w]; bits; bits &= bits - 1) {
			ir_val v = s->r.live.value[w * 64 + (uint32_t)__builtin_ctzll(bits)];

			if (!s->r.spilled[v])
				hold(s, v, v, s->back->cls.v[v], 0);
		}
	}
	for (uint32_t k = 0; k < blk->params.n; k++) {
		ir_val p = blk->params.v[k];

		if (s->b == 0) {
			if (next_use(s, p, false) != NEVER || s->r.spilled[p])
				hold(s, p, p, s->r.spilled[p] ? MC_LOW : s->back->cls.v[p], 0);
		} else if (!s->r.spilled[p] && next_use(s, p, false) != NEVER) {
			hold(s, p, p, s->back->cls.v[p], 0);
		}
		if (s->r.spilled[p])
			store(s, p, p, s->b != 0);
	}
	while (s->count[MC_LOW] > mach_class_regs(MC_LOW))
		evict(s, 0);
	if (s->count[MC_HIGH] > mach_class_regs(MC_HIGH))
		mach_bug(s->f, "spill", s->b, "too many values of r6..r9 at a block's head");
}

static void spill_block(struct spill *s, ir_blk b)
{
	struct ir_block *blk = &s->f->blocks.v[b];
	uint32_t points = 2 * (blk->ins.n + 1);

	s->b = b;
	s->n = blk->ins.n;
	s->i = 0;
	s->here = ARENA_ARRAY(ir_scratch(s->f), uint16_t, points);
	memcpy(s->here, s->r.high + s->r.point[b], points * sizeof(*s->here));
	s->calls = ARENA_ARRAY(ir_scratch(s->f), uint32_t, s->n + 2);
	for (uint32_t i = 0; i < s->n; i++)
		s->calls[i + 1] = s->calls[i] + mach_calls(ir_ins_of(s->f, blk->ins.v[i]));
	s->calls[s->n + 1] = s->calls[s->n];
	s->out = (struct ir_block){0};
	collect_uses(s);
	enter_block(s);
	for (; s->i < s->n; s->i++)
		spill_ins(s, s->f->blocks.v[b].ins.v[s->i]);
	spill_term(s);
	forget_uses(s);
	while (s->pieces.n) {
		s->where[s->pieces.v[--s->pieces.n].v] = 0;
		s->count[s->pieces.v[s->pieces.n].cls]--;
	}
}

static void scan_blocks(struct spill *s)
{
	s->changed = false;
	for (uint32_t k = 0; k < s->r.cfg->nrpo; k++) {
		ir_blk b = s->r.cfg->rpo[k];

		spill_block(s, b);
		if (s->rewrite) {
			struct ir_block *blk = &s->f->blocks.v[b];

			blk->ins.v = s->out.ins.v;
			blk->ins.n = s->out.ins.n;
			blk->ins.cap = s->out.ins.cap;
		}
	}
}

static void keep_reference(struct ir_fn *f)
{
	struct back_ref *ref = &back_data(f)->ref;

	ref->nvals = f->vals.n;
	ref->vals = ARENA_ARRAY(f->a, struct ir_ins, f->vals.n);
	memcpy(ref->vals, f->vals.v, f->vals.n * sizeof(*ref->vals));
	ref->nblocks = f->blocks.n;
	ref->blocks = ARENA_ARRAY(f->a, struct ir_block, f->blocks.n);
	for (uint32_t b = 0; b < f->blocks.n; b++) {
		const struct ir_block *from = &f->blocks.v[b];
		struct ir_block *to = &ref->blocks[b];

		to->term = from->term;
		for (uint32_t k = 0; k < from->params.n; k++)
			vec_push(f->a, &to->params, from->params.v[k]);
		for (uint32_t k = 0; k < from->ins.n; k++)
			vec_push(f->a, &to->ins, from->ins.v[k]);
		for (unsigned e = 0; e < from->term.nedges; e++) {
			struct ir_edge *edge = &to->term.edge[e];

			edge->args = ARENA_ARRAY(f->a, ir_val, edge->nargs);
			for (uint32_t k = 0; k < edge->nargs; k++)
				edge->args[k] = from->term.edge[e].args[k];
		}
	}
}

void back_spill(struct ir_fn *f)
{
	struct spill s = {.f = f, .back = back_data(f)};
	uint32_t n = f->vals.n;
	struct ir_block *entry;

	keep_reference(f);
	s.back->origin.n = 0;
	for (ir_val v = 0; v < n; v++)
		vec_push(f->a, &s.back->origin, v);
	ranges_build(f, &s.r);
	ranges_classify(&s.r);
	s.slot = ARENA_ARRAY(ir_scratch(f), ir_val, n);
	s.use_head = ARENA_ARRAY(ir_scratch(f), uint32_t, n);
	s.use_last = ARENA_ARRAY(ir_scratch(f), uint32_t, n);
	s.where = ARENA_ARRAY(ir_scratch(f), uint32_t, n);
	do {
		scan_blocks(&s);
	} while (s.changed);
	s.rewrite = true;
	scan_blocks(&s);
	entry = &f->blocks.v[0];
	for (uint32_t k = 0; k < entry->ins.n; k++)
		vec_push(f->a, &s.slots.ins, entry->ins.v[k]);
	entry->ins.v = s.slots.ins.v;
	entry->ins.n = s.slots.ins.n;
	entry->ins.cap = s.slots.ins.cap;
	while (s.back->cls.n < f->vals.n)
		vec_push(f->a, &s.back->cls, MC_LOW);
	assert(!s.changed && "the last scan decides nothing");
}
