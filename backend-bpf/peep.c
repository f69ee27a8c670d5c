/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Small improvements on code with registers, block by block: copies are looked through, copies that
 * give a register what it has are dropped, and so is what nobody reads. Refills are never replaced
 * by the register that was stored: the slot may hold a checked value (contract S3).
 *
 * Requires: back_layout. Ensures: the same results from the same memory accesses and calls.
 */
#include "backend-bpf/mach.h"
#include <string.h>

static unsigned reg_bit(const struct ir_fn *f, ir_val v)
{
	unsigned r = v ? f->vals.v[v].reg : IR_NO_REG;

	return r < MACH_REGS ? 1u << r : 0;
}

static unsigned reads_of(const struct ir_fn *f, const struct ir_ins *i)
{
	unsigned mask = 0;

	for (unsigned k = 0; k < i->nargs; k++)
		mask |= reg_bit(f, i->args[k]);
	if (mach_is(i) && mach_row(i)->flags & ISAF_R0)
		mask |= 1;
	return mask;
}

static unsigned writes_of(const struct ir_ins *i)
{
	unsigned mask = i->reg < MACH_REGS ? 1u << i->reg : 0;

	if (mach_is(i) && mach_row(i)->flags & ISAF_CALL)
		mask |= MACH_SCRATCH;
	if (mach_is(i) && mach_row(i)->flags & ISAF_R0)
		mask |= 1;
	return mask;
}

static unsigned term_reads(const struct ir_fn *f, const struct ir_term *t)
{
	unsigned mask = t->op == IRN_RET && !f->no_result ? 1 : 0;

	for (unsigned k = 0; k < 2; k++)
		mask |= reg_bit(f, t->args[k]);
	return mask;
}

static bool droppable(const struct ir_ins *i)
{
	return mach_is(i) && !(mach_row(i)->flags & (ISAF_WRITE | ISAF_CALL | ISAF_R0));
}

static bool is_copy(const struct ir_fn *f, const struct ir_ins *i)
{
	return i->op == MACH(MOV64_RR) && !mach_slot(f, i->args[0]);
}

static unsigned block_back(const struct ir_fn *f, ir_blk b, unsigned live)
{
	const struct ir_block *blk = &f->blocks.v[b];

	live |= term_reads(f, &blk->term);
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		live = (live & ~writes_of(ins)) | reads_of(f, ins);
	}
	return live;
}

static void live_registers(const struct ir_fn *f, uint16_t *in)
{
	uint32_t n;
	const ir_blk *order = back_order(f, &n);
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t k = n; k-- > 0;) {
			ir_blk b = order[k];
			const struct ir_term *t = &f->blocks.v[b].term;
			unsigned live = 0;

			for (unsigned e = 0; e < t->nedges; e++)
				live |= in[t->edge[e].to];
			live = block_back(f, b, live);
			changed |= live != in[b];
			in[b] = (uint16_t)live;
		}
	}
}

/* Reads go to the register a copy was made from, as long as both still hold it. */
static void forward_copies(struct ir_fn *f, ir_blk b)
{
	struct ir_block *blk = &f->blocks.v[b];
	ir_val from[MACH_REGS] = {0}; /* register -> value in another register that it copies */

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		struct ir_ins *ins = &f->vals.v[blk->ins.v[i]];
		int tied = mach_tied(ins);
		unsigned writes = writes_of(ins);
		ir_val src = IR_NONE;

		for (unsigned k = 0; k < ins->nargs; k++) {
			unsigned r = f->vals.v[ins->args[k]].reg;

			if (r < MACH_REGS && from[r] && (int)k != tied && !mach_calls(ins))
				ins->args[k] = from[r];
		}
		if (is_copy(f, ins))
			src = ins->args[0];
		for (unsigned r = 0; r < MACH_REGS; r++) {
			if (writes >> r & 1 || (from[r] && reg_bit(f, from[r]) & writes))
				from[r] = IR_NONE;
		}
		if (src && ins->reg < MACH_REGS && f->vals.v[src].reg != ins->reg)
			from[ins->reg] = src;
	}
	for (unsigned k = 0; k < 2; k++) {
		ir_val v = blk->term.op == IRN_RET ? IR_NONE : blk->term.args[k];
		unsigned r = v ? f->vals.v[v].reg : IR_NO_REG;

		if (r < MACH_REGS && from[r])
			blk->term.args[k] = from[r];
	}
}

static void drop_dead(struct ir_fn *f, ir_blk b, const uint16_t *in)
{
	struct ir_block *blk = &f->blocks.v[b];
	unsigned live = term_reads(f, &blk->term);
	uint32_t n = 0;

	for (unsigned e = 0; e < blk->term.nedges; e++)
		live |= in[blk->term.edge[e].to];
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		ir_val v = blk->ins.v[i];
		const struct ir_ins *ins = ir_ins_of(f, v);
		bool useless = is_copy(f, ins) && f->vals.v[ins->args[0]].reg == ins->reg;

		if (droppable(ins) && (useless || !(writes_of(ins) & live))) {
			blk->ins.v[i] = IR_NONE;
			continue;
		}
		live = (live & ~writes_of(ins)) | reads_of(f, ins);
	}
	for (uint32_t i = 0; i < blk->ins.n; i++) {
		if (blk->ins.v[i])
			blk->ins.v[n++] = blk->ins.v[i];
	}
	blk->ins.n = n;
}

void back_peep(struct ir_fn *f)
{
	uint16_t *in = ARENA_ARRAY(ir_scratch(f), uint16_t, f->blocks.n);
	const ir_blk *order;
	uint32_t n;

	back_data(f);
	order = back_order(f, &n);
	for (uint32_t k = 0; k < n && f->no_result; k++) {
		struct ir_term *t = &f->blocks.v[order[k]].term;

		if (t->op == IRN_RET)
			t->args[0] = IR_NONE;
	}
	for (uint32_t k = 0; k < n; k++)
		forward_copies(f, order[k]);
	live_registers(f, in);
	for (uint32_t k = 0; k < n; k++)
		drop_dead(f, order[k], in);
}
