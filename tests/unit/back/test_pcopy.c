/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Parallel copies, exhaustively: every way to fill four places (registers and spill slots) from
 * four places or a constant, with spare registers and without, is run on a model of the machine.
 */
#include "backend-bpf/pcopy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define PLACES 4
#define SOURCES (PLACES + 1) /* the last one is a constant */
#define CONSTANT 777

struct model {
	struct arena a;
	struct trap trap;
	struct skep_diags diags;
	struct meta meta;
	struct ir_module m;
	struct ir_fn *f;
	struct ir_block out;
	struct copies c;
	ir_val place[PLACES]; /* value in the register, or the slot */
	bool in_slot[PLACES];
	uint64_t reg[MACH_REGS];
	bool junk[MACH_REGS]; /* not to be read */
	uint64_t slot[256];
	bool stored[256];
};

static ir_val new_ins(struct model *x, struct ir_ins ins, unsigned reg)
{
	ir_val v;

	ins.type = IR_I64;
	v = mach_new(x->f, ins);
	x->f->vals.v[v].reg = (uint8_t)reg;
	return v;
}

static void setup(struct model *x, unsigned slots, unsigned live)
{
	memset(x, 0, sizeof(*x));
	arena_init(&x->a, &x->trap);
	diags_init(&x->diags, &x->a);
	meta_init(&x->meta, &x->a);
	x->m = (struct ir_module){.a = &x->a, .trap = &x->trap, .diags = &x->diags,
		.meta = &x->meta};
	x->f = ir_fn_new(&x->m, "copies", CTX_XDP_MD);
	for (unsigned i = 0; i < PLACES; i++) {
		x->in_slot[i] = slots >> i & 1;
		if (x->in_slot[i])
			x->place[i] = mach_spill_slot(x->f);
		else
			x->place[i] = new_ins(x, (struct ir_ins){.op = IR_PARAM}, i);
	}
	for (unsigned r = 0; r < MACH_REGS; r++) {
		x->reg[r] = 1000 + r;
		x->junk[r] = !(live >> r & 1) && r >= PLACES;
	}
	for (unsigned i = 0; i < PLACES; i++) {
		if (x->in_slot[i]) {
			x->slot[x->place[i]] = 100 + i;
			x->stored[x->place[i]] = true;
			x->junk[i] = !(live >> i & 1);
		} else {
			x->reg[i] = 100 + i;
		}
	}
	x->c = (struct copies){.f = x->f, .out = &x->out, .live = live,
		.v = ARENA_ARRAY(&x->a, struct copy, PLACES)};
}

static ir_val source(struct model *x, unsigned from)
{
	if (from == PLACES)
		return new_ins(x, (struct ir_ins){.op = MACH(LD64_CONST), .imm = CONSTANT}, IR_NO_REG);
	if (!x->in_slot[from])
		return x->place[from];
	return new_ins(x, (struct ir_ins){.op = MACH(LDX64), .nargs = 1, .args = {x->place[from]},
		.sub = MACH_IN_PLACE}, IR_NO_REG);
}

static bool execute(struct model *x)
{
	for (uint32_t i = 0; i < x->out.ins.n; i++) {
		const struct ir_ins *ins = ir_ins_of(x->f, x->out.ins.v[i]);
		ir_val a = ins->nargs ? ins->args[0] : 0;
		unsigned from = ins->nargs ? x->f->vals.v[ins->args[ins->nargs - 1]].reg : 0;

		if (ins->op == MACH(LD64_CONST)) {
			x->reg[ins->reg] = (uint64_t)ins->imm;
		} else if (ins->op == MACH(LDX64)) {
			if (!x->stored[a])
				return false;
			x->reg[ins->reg] = x->slot[a];
		} else if (x->junk[from]) {
			return false;
		} else if (ins->op == MACH(STX64)) {
			x->slot[a] = x->reg[from];
			x->stored[a] = true;
		} else if (ins->op == MACH(MOV64_RR)) {
			x->reg[ins->reg] = x->reg[from];
		} else {
			return false;
		}
		if (ins->reg < MACH_REGS)
			x->junk[ins->reg] = false;
	}
	return true;
}

/* How: four digits, the source of each place; slots: which places are slots. */
static bool works(unsigned how, unsigned slots, unsigned live)
{
	unsigned from[PLACES];
	struct model x;
	bool ok;

	setup(&x, slots, live);
	for (unsigned i = 0; i < PLACES; i++, how /= SOURCES) {
		from[i] = how % SOURCES;
		x.c.v[x.c.n++] = (struct copy){.src = source(&x, from[i]),
			.reg = x.in_slot[i] ? IR_NO_REG : (uint8_t)i,
			.slot = x.in_slot[i] ? x.place[i] : IR_NONE};
	}
	copies_run(&x.c);
	ok = execute(&x);
	for (unsigned i = 0; i < PLACES; i++) {
		uint64_t want = from[i] == PLACES ? CONSTANT : 100 + from[i];

		ok = ok && (x.in_slot[i] ? x.slot[x.place[i]] : x.reg[i]) == want;
	}
	for (unsigned r = 0; r < MACH_REGS; r++) {
		if (live >> r & 1)
			ok = ok && x.reg[r] == 1000 + r;
	}
	arena_free(&x.a);
	return ok;
}

static void all(unsigned live_of_others)
{
	unsigned total = SOURCES * SOURCES * SOURCES * SOURCES;

	for (unsigned slots = 0; slots < 1u << PLACES; slots++) {
		/* registers of places that are slots are as free as the others */
		unsigned live = live_of_others | (live_of_others ? slots : 0);

		for (unsigned how = 0; how < total; how++) {
			if (!works(how, slots, live))
				fail_msg("copies %u, slots %u, live %#x", how, slots, live);
		}
	}
}

static void test_spare_registers(void **state)
{
	(void)state;
	all(0);
}

static void test_no_spare_register(void **state)
{
	(void)state;
	all(0x3f0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spare_registers),
		cmocka_unit_test(test_no_spare_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
