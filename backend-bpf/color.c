/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers for values, block by block in dominance order. Each value takes a register of its
 * class that no live value has; after back_spill there always is one. Among the free ones the value
 * prefers what saves a copy: the register of the operand it is tied to, of the call argument it
 * will be, of the parameter it flows into.
 *
 * Requires: back_spill. Ensures: ins.reg of every value that needs a register; results of calls
 * that do not live over another call are in r0.
 */
#include "backend-bpf/spill.h"
#include <string.h>

struct friend { /* a value that this one becomes, or comes from, by a copy */
	ir_val v;
	uint32_t weight, next;
};

struct color {
	struct ir_fn *f;
	struct back_fn *back;
	struct ir_cfg *cfg;
	struct live live;
	VEC(struct friend) friends;
	uint32_t *head; /* value -> friend + 1 */
	VEC(struct friend) wants; /* v is a register here */
	uint32_t *want;
	uint64_t *alive;
	uint32_t *dies; /* value -> last use in the block, + 1 */
	unsigned busy; /* mask of registers */
	bool guessed;  /* classes are not back_spill's: code was read back from its text form */
};

static uint32_t weight(const struct color *c, ir_blk b)
{
	uint32_t depth = c->cfg->loop_depth[b];

	return 1u << (3 * (depth < 5 ? depth : 5));
}

static void want(struct color *c, ir_val v, unsigned reg, uint32_t w)
{
	vec_push(ir_scratch(c->f), &c->wants, (struct friend){.v = reg, .weight = w, .next = c->want[v]});
	c->want[v] = c->wants.n;
}

static void befriend(struct color *c, ir_val a, ir_val b, uint32_t w)
{
	vec_push(ir_scratch(c->f), &c->friends, (struct friend){.v = b, .weight = w, .next = c->head[a]});
	c->head[a] = c->friends.n;
	vec_push(ir_scratch(c->f), &c->friends, (struct friend){.v = a, .weight = w, .next = c->head[b]});
	c->head[b] = c->friends.n;
}

static void collect_ins(struct color *c, ir_val v, uint32_t w)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	int tied = mach_tied(i);

	if (i->op == MACH(CMPXCHG64) || i->op == MACH(CMPXCHG32)) {
		static const uint8_t at[] = {1, 0, 2};

		for (unsigned k = 0; k < 3; k++)
			want(c, i->args[k], at[k], w);
	} else if (mach_calls(i)) {
		for (unsigned k = 0; k < i->nargs; k++)
			want(c, i->args[k], k + 1, w);
	} else if (tied >= 0 || mach_form(i, IFORM_MOV_RR)) {
		if (!mach_slot(c->f, i->args[tied > 0]))
			befriend(c, v, i->args[tied > 0], w);
		if (mach_form(i, IFORM_ALU_RR) && mach_row(i)->flags & ISAF_COMM)
			befriend(c, v, i->args[1], w);
	}
}

static void collect(struct color *c)
{
	const struct ir_fn *f = c->f;

	for (uint32_t k = c->cfg->nrpo; k-- > 0;) {
		ir_blk b = c->cfg->rpo[k];
		const struct ir_block *blk = &f->blocks.v[b];
		uint32_t w = weight(c, b);

		for (uint32_t i = 0; i < blk->ins.n; i++)
			collect_ins(c, blk->ins.v[i], w);
		if (blk->term.op == IRN_RET)
			want(c, blk->term.args[0], 0, w);
		for (unsigned e = 0; e < blk->term.nedges; e++) {
			const struct ir_edge *edge = &blk->term.edge[e];

			for (uint32_t j = 0; j < edge->nargs; j++)
				befriend(c, f->blocks.v[edge->to].params.v[j], edge->args[j], w);
		}
	}
}

/* ---- choosing ---- */

static void add_wants(const struct color *c, ir_val v, uint32_t *score, uint32_t share)
{
	for (uint32_t k = c->want[v]; k; k = c->wants.v[k - 1].next)
		score[c->wants.v[k - 1].v] += c->wants.v[k - 1].weight * share;
}

/* Order among equals: what calls take as arguments last, so that arguments find their place. */
static const uint8_t preference[MACH_REGS] = {0, 5, 4, 3, 2, 1, 6, 7, 8, 9};

static unsigned choose(const struct color *c, ir_val v, unsigned free)
{
	uint32_t score[MACH_REGS] = {0};
	unsigned best = MACH_REGS, seen = 0;

	add_wants(c, v, score, 4);
	for (uint32_t k = c->head[v]; k && seen++ < 64; k = c->friends.v[k - 1].next) {
		const struct friend *fr = &c->friends.v[k - 1];
		unsigned reg = c->f->vals.v[fr->v].reg;

		if (reg < MACH_REGS)
			score[reg] += fr->weight * 4;
		else
			add_wants(c, fr->v, score, 2);
	}
	for (unsigned k = 0; k < MACH_REGS; k++) {
		unsigned reg = preference[k];

		if (free >> reg & 1 && (best == MACH_REGS || score[reg] > score[best]))
			best = reg;
	}
	return best;
}

static void assign(struct color *c, ir_val v)
{
	unsigned set = c->back->cls.v[v] == MC_HIGH ? MACH_SAVED : MACH_SCRATCH;
	unsigned reg = choose(c, v, set & ~c->busy);

	if (reg == MACH_REGS && c->guessed)
		reg = choose(c, v, MACH_SAVED & ~c->busy);
	if (reg == MACH_REGS)
		mach_bug(c->f, "color", v, "no register left");
	c->f->vals.v[v].reg = (uint8_t)reg;
	c->busy |= 1u << reg;
}

static void die(struct color *c, ir_val v)
{
	unsigned reg = c->f->vals.v[v].reg;

	if (!bit_has(c->alive, v))
		return;
	bit_del(c->alive, v);
	if (reg < MACH_REGS)
		c->busy &= ~(1u << reg);
}

/* For every value used in b and not live out: where it is used last. */
static void find_deaths(struct color *c, ir_blk b)
{
	const struct ir_block *blk = &c->f->blocks.v[b];
	const struct ir_fn *f = c->f;

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		c->dies[blk->ins.v[i]] = 0;
		for (unsigned k = 0; k < ins->nargs; k++) {
			if (mach_reads(f, ins, k))
				c->dies[ins->args[k]] = i + 1;
		}
	}
	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, &blk->term, k))
			c->dies[blk->term.args[k]] = blk->ins.n + 1;
	}
}

static bool ends_here(const struct color *c, ir_blk b, ir_val v, uint32_t i)
{
	return c->dies[v] == i + 1 && !live_behind(&c->live, b, v);
}

static void color_ins(struct color *c, ir_blk b, ir_val v, uint32_t i)
{
	const struct ir_ins *ins = ir_ins_of(c->f, v);
	unsigned late = mach_late(c->f, ins);
	bool result = mach_result(c->f, v);
	bool lives = result && (c->dies[v] || live_behind(&c->live, b, v));

	for (unsigned k = 0; k < ins->nargs; k++) {
		if (mach_reads(c->f, ins, k) && !(late >> k & 1) && ends_here(c, b, ins->args[k], i))
			die(c, ins->args[k]);
	}
	if (result && (lives || !(mach_calls(ins) || mach_floats(c->f, v)))) {
		if (mach_calls(ins) && c->back->cls.v[v] == MC_LOW) {
			if (c->busy & MACH_SCRATCH)
				mach_bug(c->f, "color", v, "values in r0..r5 live over a call");
			c->f->vals.v[v].reg = 0;
			c->busy |= 1;
		} else {
			assign(c, v);
		}
		bit_add(c->alive, v);
		if (!lives)
			die(c, v);
	}
	for (unsigned k = 0; k < ins->nargs; k++) {
		if (mach_reads(c->f, ins, k) && late >> k & 1 && ends_here(c, b, ins->args[k], i))
			die(c, ins->args[k]);
	}
}

static bool has_colored_friend(const struct color *c, ir_val v)
{
	for (uint32_t k = c->head[v]; k; k = c->friends.v[k - 1].next) {
		if (c->f->vals.v[c->friends.v[k - 1].v].reg != IR_NO_REG)
			return true;
	}
	return false;
}

static void color_block(struct color *c, ir_blk b)
{
	const struct ir_block *blk = &c->f->blocks.v[b];
	const uint64_t *in = live_in(&c->live, b);

	memset(c->alive, 0, (c->f->vals.n + 63) / 64 * sizeof(uint64_t));
	c->busy = 0;
	for (uint32_t w = 0; w < c->live.words; w++) {
		for (uint64_t bits = in[w]; bits; bits &= bits - 1) {
			ir_val v = c->live.value[w * 64 + (uint32_t)__builtin_ctzll(bits)];

			bit_add(c->alive, v);
			c->busy |= 1u << c->f->vals.v[v].reg;
		}
	}
	for (uint32_t k = 0; k < blk->params.n; k++)
		c->dies[blk->params.v[k]] = 0;
	find_deaths(c, b);
	for (uint32_t k = 0; b == 0 && k < blk->params.n; k++)
		want(c, blk->params.v[k], k + 1, 1u << 20); /* where the kernel puts them */
	for (unsigned hinted = 2; hinted-- > 0;) { /* first those that have a register to inherit */
		for (uint32_t k = 0; k < blk->params.n; k++) {
			ir_val p = blk->params.v[k];

			if (c->f->vals.v[p].reg != IR_NO_REG || (!c->dies[p] && !live_behind(&c->live, b, p)) ||
				(hinted && !has_colored_friend(c, p)))
				continue;
			assign(c, p);
			bit_add(c->alive, p);
		}
	}
	for (uint32_t i = 0; i < blk->ins.n; i++)
		color_ins(c, b, blk->ins.v[i], i);
}

void back_color(struct ir_fn *f)
{
	struct color c = {.f = f, .back = back_data(f), .cfg = ir_cfg_build(f, ir_scratch(f))};

	if (c.back->cls.n < f->vals.n) {
		struct ranges r;

		ranges_build(f, &r);
		ranges_classify(&r);
		c.guessed = true;
	}
	live_build(f, c.cfg, ir_scratch(f), &c.live);
	c.head = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	c.want = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	c.dies = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	c.alive = ARENA_ARRAY(ir_scratch(f), uint64_t, (f->vals.n + 63) / 64);
	for (ir_val v = 0; v < f->vals.n; v++)
		f->vals.v[v].reg = IR_NO_REG;
	collect(&c);
	for (uint32_t k = 0; k < c.cfg->nrpo; k++)
		color_block(&c, c.cfg->rpo[k]);
}
