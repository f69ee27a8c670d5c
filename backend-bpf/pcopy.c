/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Out of SSA: block parameters become copies on the edges, arguments of calls copies to r1..r5,
 * results of operations are made in the register of the operand they are tied to. From here on the
 * registers of operands say what is read; their names only help the reader.
 *
 * An edge from a block with two successors is copied at the head of its target (which has no other
 * predecessor), so after the check that the edge stands for; other edges at the end of their block.
 *
 * Requires: back_color, critical edges split. Ensures: no edge has arguments (parameters stay, as
 * names of registers that are set when their block begins); every instruction is one machine
 * instruction (the address of a stack object: two).
 */
#include "backend-bpf/pcopy.h"
#include <string.h>

struct pcopy {
	struct ir_fn *f;
	struct ir_cfg *cfg;
	struct live live;
	ir_val *memory; /* parameter -> the spill slot it lives in, or 0 */
	uint16_t *after; /* instruction of the block -> registers live after it */
	struct copies c;
};

static unsigned regs_of(const struct pcopy *p, const uint64_t *set)
{
	unsigned mask = 0;

	for (uint32_t w = 0; w < p->live.words; w++) {
		for (uint64_t bits = set[w]; bits; bits &= bits - 1) {
			unsigned r = p->f->vals.v[p->live.value[w * 64 + (uint32_t)__builtin_ctzll(bits)]].reg;

			if (r != IR_NO_REG)
				mask |= 1u << r;
		}
	}
	return mask;
}

static void find_live_after(struct pcopy *p, ir_blk b)
{
	const struct ir_fn *f = p->f;
	const struct ir_block *blk = &f->blocks.v[b];
	unsigned mask = regs_of(p, live_out(&p->live, b));

	for (unsigned k = 0; k < 2; k++) {
		if (mach_term_reads(f, &blk->term, k))
			mask |= 1u << f->vals.v[blk->term.args[k]].reg;
	}
	p->after = ARENA_ARRAY(ir_scratch(f), uint16_t, blk->ins.n + 1);
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

		if (ins->reg != IR_NO_REG)
			mask &= ~(1u << ins->reg);
		p->after[i] = (uint16_t)mask;
		for (unsigned k = 0; k < ins->nargs; k++) {
			if (mach_reads(f, ins, k))
				mask |= 1u << f->vals.v[ins->args[k]].reg;
		}
	}
}

static void start(struct pcopy *p, unsigned live, uint32_t room, struct skep_span span)
{
	p->c.live = live;
	p->c.n = 0;
	p->c.v = ARENA_ARRAY(ir_scratch(p->f), struct copy, room);
	p->c.span = span;
}

static struct copy *add(struct pcopy *p, ir_val src, unsigned reg, ir_val slot)
{
	struct copy *m = &p->c.v[p->c.n++];

	*m = (struct copy){.src = src, .reg = (uint8_t)reg, .slot = slot};
	return m;
}

static void edge_copies(struct pcopy *p, const struct ir_edge *e, struct skep_span span)
{
	const struct ir_block *to = &p->f->blocks.v[e->to];

	start(p, regs_of(p, live_in(&p->live, e->to)), e->nargs, span);
	for (uint32_t k = 0; k < e->nargs; k++) {
		ir_val param = to->params.v[k];
		unsigned reg = p->f->vals.v[param].reg;

		if (p->memory[param] || reg != IR_NO_REG)
			add(p, e->args[k], p->memory[param] ? IR_NO_REG : reg, p->memory[param]);
	}
	copies_run(&p->c);
}

/* The result of a call, r0, where v is wanted. */
static void call_result(struct pcopy *p, ir_val v)
{
	struct ir_ins call = *ir_ins_of(p->f, v);
	unsigned reg = call.reg;
	ir_val made;

	if (reg == IR_NO_REG || reg == 0) {
		vec_push(p->f->a, &p->c.out->ins, v);
		return;
	}
	call.reg = 0;
	made = copies_emit(&p->c, call, v);
	p->f->vals.v[v] = (struct ir_ins){.op = MACH(MOV64_RR), .nargs = 1, .args = {made},
		.type = call.type, .reg = (uint8_t)reg, .block = call.block, .span = call.span};
	vec_push(p->f->a, &p->c.out->ins, v);
}

static void expand_call(struct pcopy *p, ir_val v, uint32_t i)
{
	static const uint8_t cmpxchg_at[] = {1, 0, 2};
	struct ir_ins ins = *ir_ins_of(p->f, v);
	unsigned keep = ins.reg == IR_NO_REG ? p->after[i] : p->after[i] & ~(1u << ins.reg);
	struct copy *m[IR_MAX_ARGS] = {0};
	bool call = mach_row(&ins)->flags & ISAF_CALL;

	start(p, keep & MACH_SAVED, ins.nargs, ins.span);
	for (unsigned k = 0; k < ins.nargs; k++) {
		if (!mach_slot(p->f, ins.args[k]))
			m[k] = add(p, ins.args[k], call ? k + 1 : cmpxchg_at[k], IR_NONE);
	}
	copies_run(&p->c);
	for (unsigned k = 0; k < ins.nargs; k++) {
		if (m[k])
			p->f->vals.v[v].args[k] = m[k]->result;
	}
	call_result(p, v);
}

static void expand_tied(struct pcopy *p, ir_val v, unsigned tied)
{
	struct ir_ins *ins = &p->f->vals.v[v];
	const struct ir_fn *f = p->f;
	unsigned reg = ins->reg;
	bool rr = mach_form(ins, IFORM_ALU_RR);

	if (rr && f->vals.v[ins->args[0]].reg != reg && f->vals.v[ins->args[1]].reg == reg) {
		ir_val t = ins->args[0];

		if (!(mach_row(ins)->flags & ISAF_COMM))
			mach_bug(f, "pcopy", v, "second operand in the way of the result");
		ins->args[0] = ins->args[1];
		ins->args[1] = t;
	}
	p->c.span = ins->span;
	if (f->vals.v[ins->args[tied]].reg != reg) {
		ir_val moved = copies_move(&p->c, ins->args[tied], reg);

		p->f->vals.v[v].args[tied] = moved;
	}
	vec_push(f->a, &p->c.out->ins, v);
}

static void expand_ins(struct pcopy *p, ir_val v, uint32_t i)
{
	const struct ir_ins *ins = ir_ins_of(p->f, v);
	int tied = mach_tied(ins);

	if (!mach_is(ins)) {
		vec_push(p->f->a, &p->c.out->ins, v);
		return;
	}
	if (ins->reg == IR_NO_REG && mach_floats(p->f, v))
		return; /* made where it is wanted */
	if (ins->sub == MACH_IN_PLACE && ins->op == MACH(STX64))
		return; /* the edges store it */
	if (mach_calls(ins))
		expand_call(p, v, i);
	else if (tied >= 0 && ins->reg != IR_NO_REG)
		expand_tied(p, v, (unsigned)tied);
	else
		vec_push(p->f->a, &p->c.out->ins, v);
}

/* The parameter k of the entry under another name, in the register it comes in. */
static ir_val arrives(struct pcopy *p, uint32_t k)
{
	ir_val param = p->f->blocks.v[0].params.v[k], v;
	struct ir_ins ins = *ir_ins_of(p->f, param);

	ins.reg = (uint8_t)(k + 1);
	v = copies_emit(&p->c, ins, param);
	p->c.out->ins.n--; /* a parameter, not an instruction */
	return v;
}

/* The value that m made takes the parameter's name. */
static void take_name(struct pcopy *p, const struct copy *m, ir_val param)
{
	struct ir_block *out = p->c.out;
	uint32_t i = out->ins.n;

	while (i-- > 0 && out->ins.v[i] != m->result)
		;
	if (i == UINT32_MAX)
		return;
	out->ins.v[i] = param;
	p->f->vals.v[param] = p->f->vals.v[m->result];
}

/* What helpers give the functions they call back, in r1 and up, to where it is wanted. */
static void enter_sub(struct pcopy *p)
{
	const struct ir_block *blk = &p->f->blocks.v[0];
	struct copy *m[IR_MAX_ARGS] = {0};
	ir_val from[IR_MAX_ARGS] = {0};
	unsigned live = 0;

	for (uint32_t k = 0; k < blk->params.n; k++) {
		uint8_t reg = p->f->vals.v[blk->params.v[k]].reg;

		live |= reg == IR_NO_REG ? 0 : 1u << reg;
	}
	start(p, live, blk->params.n, NO_SPAN);
	for (uint32_t k = 0; k < p->f->blocks.v[0].params.n && k < IR_MAX_ARGS; k++) {
		ir_val param = p->f->blocks.v[0].params.v[k];
		uint8_t reg = p->f->vals.v[param].reg;

		if (reg == k + 1 || (reg == IR_NO_REG && !p->memory[param]))
			continue;
		from[k] = arrives(p, k);
		m[k] = add(p, from[k], p->memory[param] ? IR_NO_REG : reg, p->memory[param]);
	}
	copies_run(&p->c);
	for (uint32_t k = 0; k < IR_MAX_ARGS; k++) {
		if (!m[k])
			continue;
		if (m[k]->reg != IR_NO_REG)
			take_name(p, m[k], p->f->blocks.v[0].params.v[k]);
		p->f->blocks.v[0].params.v[k] = from[k];
	}
}

static void enter(struct pcopy *p, ir_blk b)
{
	struct ir_block *blk = &p->f->blocks.v[b];
	ir_val ctx = b == 0 && blk->params.n ? blk->params.v[0] : IR_NONE;
	const struct ir_term *t;

	if (b == 0 && blk->params.n > 1) {
		enter_sub(p);
		return;
	}
	if (ctx && p->f->vals.v[ctx].reg != 1) {
		struct ir_ins ins = *ir_ins_of(p->f, ctx);
		uint8_t reg = ins.reg;
		ir_val arrives;

		if (reg == IR_NO_REG)
			return;
		ins.reg = 1;
		arrives = copies_emit(&p->c, ins, ctx);
		p->c.out->ins.n--; /* a parameter, not an instruction */
		blk = &p->f->blocks.v[b];
		blk->params.v[0] = arrives;
		p->f->vals.v[ctx] = (struct ir_ins){.op = MACH(MOV64_RR), .nargs = 1,
			.args = {arrives}, .type = ins.type, .reg = reg, .block = b};
		vec_push(p->f->a, &p->c.out->ins, ctx);
	}
	if (p->cfg->preds[b].n != 1)
		return;
	t = &p->f->blocks.v[p->cfg->preds[b].v[0]].term;
	if (t->nedges == 2)
		edge_copies(p, &t->edge[t->edge[1].to == b], t->span);
}

static void leave(struct pcopy *p, ir_blk b)
{
	struct ir_term *t = &p->f->blocks.v[b].term;

	p->c.span = t->span;
	if (t->nedges == 1)
		edge_copies(p, &t->edge[0], t->span);
	if (t->op == IRN_RET)
		t->args[0] = copies_move(&p->c, t->args[0], 0);
}

static void find_memory_params(struct pcopy *p)
{
	struct ir_fn *f = p->f;

	p->memory = ARENA_ARRAY(ir_scratch(f), ir_val, f->vals.n);
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = &f->blocks.v[b];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

			if (ins->op == MACH(STX64) && ins->sub == MACH_IN_PLACE)
				p->memory[ins->args[1]] = ins->args[0];
		}
	}
}

/* A wrong program in the kernel costs more than this check. */
static void must_mean_the_same(const struct ir_fn *f)
{
	struct buf why;

	buf_init(&why, ir_scratch(f));
	if (!back_verify_alloc(f, &why))
		trap_raise(f->m->trap, SKEP_EBUG, "%s: register allocation: %.160s", f->name, why.p);
}

void back_pcopy(struct ir_fn *f)
{
	struct pcopy p = {.f = f, .cfg = ir_cfg_build(f, ir_scratch(f)), .c = {.f = f}};
	struct back_fn *back = back_data(f);

	live_build(f, p.cfg, ir_scratch(f), &p.live);
	find_memory_params(&p);
	for (uint32_t k = 0; k < p.cfg->nrpo; k++) {
		ir_blk b = p.cfg->rpo[k];
		struct ir_block out = {0}, *blk;
		uint32_t n = f->blocks.v[b].ins.n;

		p.c.out = &out;
		p.c.block = b;
		find_live_after(&p, b);
		enter(&p, b);
		for (uint32_t i = 0; i < n; i++)
			expand_ins(&p, f->blocks.v[b].ins.v[i], i);
		leave(&p, b);
		blk = &f->blocks.v[b];
		blk->ins.v = out.ins.v;
		blk->ins.n = out.ins.n;
		blk->ins.cap = out.ins.cap;
	}
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		struct ir_block *blk = &f->blocks.v[b];

		uint32_t n = 0;

		for (unsigned e = 0; e < blk->term.nedges; e++)
			blk->term.edge[e].nargs = 0;
		for (uint32_t k = 0; k < blk->params.n; k++) {
			if (b == 0 || f->vals.v[blk->params.v[k]].reg != IR_NO_REG)
				blk->params.v[n++] = blk->params.v[k];
		}
		blk->params.n = n;
	}
	for (unsigned k = 0; k < 2; k++) {
		ir_val slot = k ? back->exchange2 : back->exchange;

		if (slot)
			vec_push(f->a, &f->blocks.v[0].ins, slot);
	}
	must_mean_the_same(f);
}
