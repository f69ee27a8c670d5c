/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A set of copies done as if at once. A copy may be done when nobody waits for what its destination
 * holds; when only cycles are left, one is opened by moving a value aside: to a free register, or
 * to a slot of the frame when there is none. Never by exclusive or: pointers do not survive that.
 */
#include "backend-bpf/pcopy.h"

#define BORROWED 9 /* register saved and restored when memory must move without a free one */

ir_val copies_emit(struct copies *c, struct ir_ins ins, ir_val of)
{
	struct back_fn *back = back_data(c->f);
	uint8_t reg = ins.reg;
	ir_val v;

	ins.block = c->block;
	ins.span = c->span;
	v = mach_new(c->f, ins);
	c->f->vals.v[v].reg = reg;
	while (back->origin.n <= v)
		vec_push(c->f->a, &back->origin, IR_NONE);
	back->origin.v[v] = of;
	vec_push(c->f->a, &c->out->ins, v);
	return v;
}

static ir_val origin(const struct copies *c, ir_val v)
{
	struct back_fn *back = back_data(c->f);

	return v < back->origin.n ? back->origin.v[v] : IR_NONE;
}

/*
 * The register v is read from, or IR_NO_REG when it is made on the spot. What floats is always
 * made: a register that it may have for other uses need not hold it here.
 */
static unsigned source(const struct copies *c, ir_val v)
{
	return mach_floats(c->f, v) ? IR_NO_REG : c->f->vals.v[v].reg;
}

ir_val copies_move(struct copies *c, ir_val v, unsigned reg)
{
	struct ir_ins ins = *ir_ins_of(c->f, v);

	if (source(c, v) == reg)
		return v;
	if (mach_floats(c->f, v)) {
		ins.sub = 0;
	} else if (ins.reg == IR_NO_REG) {
		mach_bug(c->f, "pcopy", v, "copied but nowhere");
	} else {
		ins = (struct ir_ins){.op = MACH(MOV64_RR), .nargs = 1, .args = {v}, .type = ins.type};
	}
	ins.reg = (uint8_t)reg;
	return copies_emit(c, ins, origin(c, v));
}

static void store(struct copies *c, ir_val slot, ir_val v)
{
	copies_emit(c, (struct ir_ins){.op = MACH(STX64), .nargs = 2, .args = {slot, v}, .width = 8,
		.type = IR_VOID, .reg = IR_NO_REG}, IR_NONE);
}

/* The spill slot that v is to be loaded from, or 0. */
static ir_val source_slot(const struct copies *c, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);

	return mach_floats(c->f, v) && i->op == MACH(LDX64) ? i->args[0] : IR_NONE;
}

static bool same_source(const struct copies *c, ir_val a, ir_val b)
{
	unsigned ra = source(c, a), rb = source(c, b);

	if (ra != IR_NO_REG || rb != IR_NO_REG)
		return ra == rb;
	return source_slot(c, a) && source_slot(c, a) == source_slot(c, b);
}

static bool waited_for(const struct copies *c, const struct copy *m)
{
	for (uint32_t k = 0; k < c->n; k++) {
		const struct copy *o = &c->v[k];

		if (o->done || o == m)
			continue;
		if (m->reg != IR_NO_REG ? source(c, o->src) == m->reg :
			source_slot(c, o->src) == m->slot)
			return true;
	}
	return false;
}

/* A register that holds nothing of interest now; MACH_REGS when there is none. */
static unsigned spare(const struct copies *c)
{
	unsigned used = c->live;

	for (uint32_t k = 0; k < c->n; k++) {
		unsigned src = source(c, c->v[k].src);

		if (c->v[k].done && c->v[k].reg != IR_NO_REG)
			used |= 1u << c->v[k].reg;
		if (!c->v[k].done && src != IR_NO_REG)
			used |= 1u << src;
	}
	for (unsigned r = 0; r < MACH_REGS; r++) {
		if (!(used >> r & 1))
			return r;
	}
	return MACH_REGS;
}

static ir_val exchange_slot(struct copies *c, ir_val *slot)
{
	if (!*slot)
		*slot = mach_spill_slot(c->f);
	return *slot;
}

/* A value that stands for what is in BORROWED, whatever that is. */
static ir_val borrowed(struct copies *c)
{
	ir_val v = ir_new_ins(c->f, (struct ir_ins){.op = IR_PARAM, .type = IR_I64, .block = c->block});
	struct back_fn *back = back_data(c->f);

	c->f->vals.v[v].reg = BORROWED;
	while (back->origin.n <= v)
		vec_push(c->f->a, &back->origin, IR_NONE);
	return v;
}

static void to_memory(struct copies *c, ir_val slot, ir_val src)
{
	struct back_fn *back = back_data(c->f);
	unsigned reg;
	ir_val aside;

	if (source(c, src) != IR_NO_REG) {
		store(c, slot, src);
		return;
	}
	reg = spare(c);
	if (reg < MACH_REGS) {
		store(c, slot, copies_move(c, src, reg));
		return;
	}
	aside = exchange_slot(c, &back->exchange2);
	store(c, aside, borrowed(c));
	store(c, slot, copies_move(c, src, BORROWED));
	copies_emit(c, (struct ir_ins){.op = MACH(LDX64), .nargs = 1, .args = {aside}, .width = 8,
		.type = IR_I64, .reg = BORROWED}, IR_NONE);
}

static void do_copy(struct copies *c, struct copy *m)
{
	m->done = true;
	if (m->reg != IR_NO_REG)
		m->result = copies_move(c, m->src, m->reg);
	else if (source_slot(c, m->src) != m->slot)
		to_memory(c, m->slot, m->src);
}

/* Moves the source of m aside, so that what overwrites it can go on. */
static void open_cycle(struct copies *c, struct copy *m)
{
	struct back_fn *back = back_data(c->f);
	ir_val src = m->src, aside;
	unsigned reg = spare(c);

	if (reg < MACH_REGS) {
		aside = copies_move(c, src, reg);
	} else {
		ir_val slot = exchange_slot(c, &back->exchange);

		to_memory(c, slot, src);
		aside = copies_emit(c, (struct ir_ins){.op = MACH(LDX64), .nargs = 1, .args = {slot},
			.width = 8, .type = ir_type_of(c->f, src), .reg = IR_NO_REG,
			.sub = MACH_IN_PLACE}, origin(c, src));
		c->out->ins.n--; /* made where it is wanted */
	}
	for (uint32_t k = 0; k < c->n; k++) {
		if (!c->v[k].done && (c->v[k].src == src || same_source(c, c->v[k].src, src)))
			c->v[k].src = aside;
	}
}

void copies_run(struct copies *c)
{
	bool progress = true, left = true;

	for (uint32_t k = 0; k < c->n; k++) {
		struct copy *m = &c->v[k];

		if (m->reg != IR_NO_REG && source(c, m->src) == m->reg) {
			m->done = true;
			m->result = m->src;
		}
	}
	while (left) {
		struct copy *stuck = NULL;

		progress = left = false;
		for (uint32_t k = 0; k < c->n; k++) {
			struct copy *m = &c->v[k];

			if (m->done)
				continue;
			left = true;
			if (waited_for(c, m)) {
				stuck = m;
				continue;
			}
			do_copy(c, m);
			progress = true;
		}
		if (!progress && stuck)
			open_cycle(c, stuck);
	}
}
