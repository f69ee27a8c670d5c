/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Does the allocated code read what the selected code meant? Every operand of every instruction is
 * a demand: "register r holds value v here". A demand is followed backwards, through copies, spill
 * slots, block boundaries and parameters, to the instruction that made v; meeting anything else on
 * the way (another definition, a call, the beginning of the program) is an error. Nothing of the
 * allocator's own reasoning is trusted but the origin of remade constants.
 *
 * Looks at code after back_pcopy and at the copy back_spill kept (back_fn.ref).
 */
#include "backend-bpf/mach.h"
#include <string.h>

#define PLACE_SLOT 256 /* places from here on are spill slots; below, registers and IR_NO_REG */

struct demand { /* before instruction `at` of block b, place holds v */
	ir_blk b;
	uint32_t at;
	uint32_t place; /* register, or PLACE_SLOT + the spill slot's value number */
	ir_val v;
};

struct verify {
	const struct ir_fn *f;
	const struct back_fn *back;
	const struct back_ref *ref;
	struct ir_cfg *cfg;
	struct buf *why;
	VEC(struct demand) work;
	struct demand *seen; /* hash set of demands at the end of blocks */
	uint32_t nseen, cap;
	bool ok;
};

static void wrong(struct verify *y, ir_blk b, uint32_t place, ir_val v, const char *what)
{
	if (y->ok) {
		if (place < PLACE_SLOT)
			buf_printf(y->why, "block %u: r%u should hold value %u: %s", b, place, v, what);
		else
			buf_printf(y->why, "block %u: slot %u should hold value %u: %s", b,
				place - PLACE_SLOT, v, what);
	}
	y->ok = false;
}

static bool constant(const struct verify *y, ir_val v)
{
	const struct ir_ins *i = &y->ref->vals[v];

	return mach_form(i, IFORM_MOV_RI) || mach_form(i, IFORM_LD64) ||
		(i->op == MACH(MOV64_RR) && y->ref->vals[i->args[0]].op == IR_SLOT);
}

static bool is_copy(const struct verify *y, const struct ir_ins *i)
{
	return i->op == MACH(MOV64_RR) && !mach_slot(y->f, i->args[0]);
}

/* The spill slot i loads from or stores to, as a place; 0 when it does neither. */
static uint32_t spill_place(const struct verify *y, const struct ir_ins *i)
{
	const struct ir_ins *s;

	if (i->op != MACH(LDX64) && i->op != MACH(STX64))
		return 0;
	s = ir_ins_of(y->f, i->args[0]);
	return s->op == IR_SLOT && s->aux == SLOT_SPILL ? PLACE_SLOT + i->args[0] : 0;
}

static ir_val origin(const struct verify *y, ir_val v)
{
	return v < y->back->origin.n ? y->back->origin.v[v] : IR_NONE;
}

/* Something of the selected code, not a copy, a spill or a constant made again. */
static bool meant(const struct verify *y, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(y->f, v);

	return mach_is(i) && !is_copy(y, i) && !spill_place(y, i) && !mach_remat(y->f, v);
}

/* ---- following demands ---- */

static void push(struct verify *y, ir_blk b, uint32_t at, uint32_t place, ir_val v)
{
	vec_push(ir_scratch(y->f), &y->work, (struct demand){.b = b, .at = at, .place = place, .v = v});
}

static bool insert(struct verify *y, struct demand d);

static void grow(struct verify *y)
{
	struct demand *old = y->seen;
	uint32_t n = y->cap;

	y->cap = n ? n * 2 : 1024;
	y->seen = ARENA_ARRAY(ir_scratch(y->f), struct demand, y->cap);
	y->nseen = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (old[k].v)
			insert(y, old[k]);
	}
}

/* False when d was there already. */
static bool insert(struct verify *y, struct demand d)
{
	uint32_t h = d.b * 2654435761u ^ d.place * 40503u ^ d.v * 2246822519u;

	if (2 * (y->nseen + 1) > y->cap)
		grow(y);
	for (h &= y->cap - 1; y->seen[h].v; h = (h + 1) & (y->cap - 1)) {
		if (y->seen[h].b == d.b && y->seen[h].place == d.place && y->seen[h].v == d.v)
			return false;
	}
	y->seen[h] = d;
	y->nseen++;
	return true;
}

static void at_end(struct verify *y, ir_blk b, uint32_t place, ir_val v)
{
	struct demand d = {.b = b, .place = place, .v = v};

	if (insert(y, d))
		push(y, b, y->f->blocks.v[b].ins.n, place, v);
}

static void at_head(struct verify *y, const struct demand *d)
{
	const struct ir_block *ref = &y->ref->blocks[d->b];
	uint32_t param = 0;

	while (param < ref->params.n && ref->params.v[param] != d->v)
		param++;
	if (d->b == 0) {
		if (param == ref->params.n || d->place != param + 1)
			wrong(y, d->b, d->place, d->v, "not set on the way from the start");
		return;
	}
	for (uint32_t k = 0; k < y->cfg->preds[d->b].n; k++) {
		ir_blk from = y->cfg->preds[d->b].v[k];
		const struct ir_term *t = &y->ref->blocks[from].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			if (t->edge[e].to == d->b)
				at_end(y, from, d->place,
					param < ref->params.n ? t->edge[e].args[param] : d->v);
		}
	}
}

/*
 * At the head of a block with one predecessor the copies of the edge come first: there a demand for
 * a parameter is settled by a constant that is the argument. IR_NONE when d is no such demand.
 */
static ir_val argument(const struct verify *y, const struct demand *d)
{
	const struct ir_block *ref = &y->ref->blocks[d->b];
	const struct ir_term *t;

	if (d->b == 0 || y->cfg->preds[d->b].n != 1)
		return IR_NONE;
	t = &y->ref->blocks[y->cfg->preds[d->b].v[0]].term;
	for (uint32_t k = 0; t->nedges == 2 && k < ref->params.n; k++) {
		ir_val v = t->edge[t->edge[1].to == d->b].args[k];

		if (ref->params.v[k] == d->v && constant(y, v))
			return v;
	}
	return IR_NONE;
}

/* What instruction x makes of the demand: true when it is settled, one way or the other. */
static bool step(struct verify *y, struct demand *d, ir_val x)
{
	const struct ir_ins *i = ir_ins_of(y->f, x);
	uint32_t slot = spill_place(y, i);
	bool store = i->op == MACH(STX64);

	if (slot && store && slot == d->place) {
		d->place = y->f->vals.v[i->args[1]].reg;
		return false;
	}
	if (d->place < MACH_REGS && i->reg == d->place && mach_is(i)) {
		if (slot && !store) {
			d->place = slot;
			return false;
		}
		if (is_copy(y, i)) {
			d->place = y->f->vals.v[i->args[0]].reg;
			return false;
		}
		if (origin(y, x) != d->v && origin(y, x) != argument(y, d))
			wrong(y, d->b, d->place, d->v, "holds something else");
		return true;
	}
	if (mach_calls(i) && mach_row(i)->flags & ISAF_CALL && d->place < 6) {
		wrong(y, d->b, d->place, d->v, "lost in a call");
		return true;
	}
	if (meant(y, x) && origin(y, x) == d->v && !constant(y, d->v)) {
		wrong(y, d->b, d->place, d->v, "holds an older instance");
		return true;
	}
	return false;
}

static void follow(struct verify *y, struct demand d)
{
	const struct ir_block *blk = &y->f->blocks.v[d.b];

	if (d.place == IR_NO_REG) {
		wrong(y, d.b, d.place, d.v, "is in no register");
		return;
	}
	while (d.at-- > 0) {
		if (step(y, &d, blk->ins.v[d.at]))
			return;
		if (d.place == IR_NO_REG) {
			wrong(y, d.b, d.place, d.v, "comes from no register");
			return;
		}
	}
	at_head(y, &d);
}

/* ---- raising demands ---- */

static void operand(struct verify *y, ir_blk b, uint32_t at, ir_val have, ir_val want)
{
	if (!want || y->ref->vals[want].op == IR_SLOT) {
		if (have != want)
			wrong(y, b, 0, want, "another stack object");
		return;
	}
	push(y, b, at, y->f->vals.v[have].reg, want);
}

static void operands(struct verify *y, ir_blk b, uint32_t at, ir_val x)
{
	const struct ir_ins *i = ir_ins_of(y->f, x), *ref = &y->ref->vals[origin(y, x)];
	bool swap = false;

	if (i->op != ref->op || i->nargs != ref->nargs || i->imm != ref->imm ||
		i->aux != ref->aux || i->sub != ref->sub) {
		wrong(y, b, 0, origin(y, x), "the instruction has changed");
		return;
	}
	if (mach_form(i, IFORM_ALU_RR) && mach_row(i)->flags & ISAF_COMM)
		swap = origin(y, i->args[0]) == ref->args[1] && origin(y, i->args[1]) == ref->args[0];
	for (unsigned k = 0; k < i->nargs; k++) {
		operand(y, b, at, i->args[k], ref->args[swap ? 1 - k : k]);
		if (mach_row(i)->flags & ISAF_CALL && y->f->vals.v[i->args[k]].reg != k + 1)
			wrong(y, b, k + 1, ref->args[k], "argument in another register");
	}
	if (mach_tied(i) >= 0 && y->f->vals.v[i->args[mach_tied(i)]].reg != i->reg &&
		!(mach_row(i)->flags & ISAF_R0))
		wrong(y, b, i->reg, x, "result not in its operand's register");
}

static void check_term(struct verify *y, ir_blk b)
{
	const struct ir_block *blk = &y->f->blocks.v[b];
	const struct ir_term *t = &blk->term, *ref = &y->ref->blocks[b].term;

	if (t->op != ref->op || t->cc != ref->cc || t->imm != ref->imm || t->w32 != ref->w32) {
		wrong(y, b, 0, 0, "the terminator has changed");
		return;
	}
	for (unsigned k = 0; k < (unsigned)ir_term_row(t->op)->nargs; k++) {
		if (k == 1 && t->has_imm)
			continue;
		if (t->op == IRN_RET && y->f->vals.v[t->args[k]].reg != 0)
			wrong(y, b, 0, ref->args[k], "result not in r0");
		operand(y, b, blk->ins.n, t->args[k], ref->args[k]);
	}
}

static void check_block(struct verify *y, ir_blk b)
{
	const struct ir_block *blk = &y->f->blocks.v[b], *ref = &y->ref->blocks[b];
	uint32_t at = 0;

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		ir_val x = blk->ins.v[i];

		if (!meant(y, x))
			continue;
		while (at < ref->ins.n && (constant(y, ref->ins.v[at]) ||
			y->ref->vals[ref->ins.v[at]].op == IR_SLOT))
			at++;
		if (at == ref->ins.n || ref->ins.v[at] != origin(y, x)) {
			wrong(y, b, 0, origin(y, x), "out of order");
			return;
		}
		at++;
		operands(y, b, i, x);
	}
	for (; at < ref->ins.n; at++) {
		if (!constant(y, ref->ins.v[at]) && y->ref->vals[ref->ins.v[at]].op != IR_SLOT)
			wrong(y, b, 0, ref->ins.v[at], "the instruction is missing");
	}
	check_term(y, b);
}

bool back_verify_alloc(const struct ir_fn *f, struct buf *why)
{
	const struct back_fn *back = f->back;
	struct verify y = {.f = f, .back = back, .why = why, .ok = true};

	if (!back || !back->ref.nvals)
		return true;
	y.ref = &back->ref;
	y.cfg = ir_cfg_build(f, ir_scratch(f));
	for (uint32_t k = 0; k < y.cfg->nrpo && y.ok; k++) {
		check_block(&y, y.cfg->rpo[k]);
		while (y.work.n && y.ok)
			follow(&y, y.work.v[--y.work.n]);
	}
	return y.ok;
}
