/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Encoding: rows of isa.def with registers become instructions, branches get their distances, and
 * places that the loader must fill are noted. A jump that is too far for 16 bits is a diagnostic.
 *
 * Requires: all passes. The order of blocks is back_layout's.
 */
#include "backend-bpf/mach.h"
#include <string.h>

struct jump { /* to be filled when every block has its place */
	uint32_t insn;
	ir_blk to;
};

struct emit {
	const struct ir_fn *f;
	const struct back_fn *back;
	struct code *out;
	VEC(struct bpf_insn) insns;
	VEC(struct jump) jumps;
	uint32_t *start; /* block -> first instruction */
	struct skep_span span;
};

static void put(struct emit *e, struct bpf_insn i)
{
	vec_push(e->f->a, &e->insns, i);
}

static void line(struct emit *e, struct skep_span span)
{
	if (!span.off || (span.off == e->span.off && span.len == e->span.len))
		return;
	e->span = span;
	vec_push(e->f->a, &e->out->lines, (struct code_line){.insn = e->insns.n, .span = span});
}

static void reloc(struct emit *e, enum code_reloc_kind kind, uint32_t index, uint32_t add)
{
	vec_push(e->f->a, &e->out->relocs, (struct code_reloc){.kind = kind, .insn = e->insns.n,
		.index = index, .add = add});
}

static unsigned reg(const struct emit *e, ir_val v)
{
	unsigned r = e->f->vals.v[v].reg;

	if (mach_slot(e->f, v))
		return BPF_REG_FRAME;
	if (r >= MACH_REGS)
		mach_bug(e->f, "emit", v, "operand without a register");
	return r;
}

/* Offset of an access with base v: stack objects add their place in the frame. */
static int offset(const struct emit *e, ir_val v, int64_t off)
{
	if (mach_slot(e->f, v))
		off += e->back->slot_at.v[v];
	if (!isa_off_ok(off))
		mach_bug(e->f, "emit", v, "offset beyond 16 bits");
	return (int)off;
}

static void put_ld64(struct emit *e, const struct ir_ins *i)
{
	enum isa_op op = mach_op(i);
	bool map = op == ISA_LD64_MAP || op == ISA_LD64_VALUE, func = op == ISA_LD64_FUNC;
	uint64_t imm = (uint64_t)i->imm;

	if (map) /* first half names the map, second the place in its value */
		imm = i->aux | (op == ISA_LD64_VALUE ? imm << 32 : 0);
	if (func)
		reloc(e, CR_FUNC, i->aux, 0);
	else if (!map && i->aux)
		reloc(e, CR_FIELD, i->aux - 1, 0);
	if (map)
		reloc(e, op == ISA_LD64_MAP ? CR_MAP : CR_MAP_VALUE, i->aux, (uint32_t)i->imm);
	put(e, isa_insn(op, i->reg, 0, 0, (int32_t)(uint32_t)imm));
	put(e, isa_second((int32_t)(imm >> 32)));
}

static void put_mov(struct emit *e, const struct ir_ins *i)
{
	if (!mach_slot(e->f, i->args[0])) {
		put(e, isa_insn(mach_op(i), i->reg, reg(e, i->args[0]), 0, 0));
		return;
	}
	put(e, isa_insn(ISA_MOV64_RR, i->reg, BPF_REG_FRAME, 0, 0));
	put(e, isa_insn(ISA_ADD64_RI, i->reg, 0, 0, offset(e, i->args[0], i->imm)));
}

static void put_call(struct emit *e, const struct ir_ins *i)
{
	if (mach_op(i) == ISA_CALL_KFUNC) {
		reloc(e, CR_KFUNC, i->aux, 0);
		put(e, isa_insn(ISA_CALL_KFUNC, 0, 0, 0, e->f->m->kfuncs.v[i->aux].btf_id));
	} else {
		put(e, isa_insn(ISA_CALL, 0, 0, 0, i->aux));
	}
}

static void put_ins(struct emit *e, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(e->f, v);
	enum isa_op op = mach_op(i);

	line(e, i->span);
	switch (mach_row(i)->form) {
	case IFORM_ALU_RR:
		put(e, isa_insn(op, i->reg, reg(e, i->args[1]), 0, 0));
		break;
	case IFORM_ALU_RI:
	case IFORM_MOV_RI:
		if (i->aux)
			reloc(e, CR_FIELD, i->aux - 1, 0);
		put(e, isa_insn(op, i->reg, 0, 0, i->imm));
		break;
	case IFORM_ALU_R:
		put(e, isa_insn(op, i->reg, 0, 0, 0));
		break;
	case IFORM_MOV_RR:
		put_mov(e, i);
		break;
	case IFORM_LD64:
		put_ld64(e, i);
		break;
	case IFORM_LDX:
		if (i->aux)
			reloc(e, CR_FIELD, i->aux - 1, 0);
		put(e, isa_insn(op, i->reg, reg(e, i->args[0]), offset(e, i->args[0], i->imm), 0));
		break;
	case IFORM_ST_IMM:
		put(e, isa_insn(op, reg(e, i->args[0]), 0, offset(e, i->args[0], i->imm),
			(int32_t)i->aux));
		break;
	case IFORM_STX:
		if (i->aux)
			reloc(e, CR_FIELD, i->aux - 1, 0);
		/* fall through */
	case IFORM_ATOMIC:
	case IFORM_FETCH:
		put(e, isa_insn(op, reg(e, i->args[0]), reg(e, i->args[1]),
			offset(e, i->args[0], i->imm), 0));
		break;
	case IFORM_CMPXCHG:
		put(e, isa_insn(op, reg(e, i->args[0]), reg(e, i->args[2]),
			offset(e, i->args[0], i->imm), 0));
		break;
	case IFORM_CALL:
	case IFORM_CALL_KFUNC:
		put_call(e, i);
		break;
	default:
		mach_bug(e->f, "emit", v, mach_row(i)->name);
	}
}

static void put_jump(struct emit *e, struct bpf_insn i, ir_blk to)
{
	vec_push(e->f->a, &e->jumps, (struct jump){.insn = e->insns.n, .to = to});
	put(e, i);
}

static void put_goto(struct emit *e, ir_blk to, ir_blk next)
{
	if (to != next)
		put_jump(e, isa_insn(ISA_JA, 0, 0, 0, 0), to);
}

/*
 * The other way of a branch: a jump where it does not lie next; behind a bit test, which cannot be
 * turned round, the end itself where that is short (one more instruction, one less on the way).
 */
static void put_other(struct emit *e, const struct ir_term *t, ir_blk next)
{
	ir_blk to = t->edge[1].to;
	const struct ir_block *b = &e->f->blocks.v[to];

	if (to == next || t->cc != CC_SET || b->term.op != IRN_RET || b->ins.n != 1 || mach_slot(e->f, b->ins.v[0])) {
		put_goto(e, to, next);
		return;
	}
	put_ins(e, b->ins.v[0]);
	line(e, b->term.span);
	put(e, isa_insn(ISA_EXIT, 0, 0, 0, 0));
}

static void put_term(struct emit *e, const struct ir_term *t, ir_blk next)
{
	enum isa_op op;

	line(e, t->span);
	switch (t->op) {
	case IRN_RET:
		put(e, isa_insn(ISA_EXIT, 0, 0, 0, 0));
		break;
	case IRN_JMP:
		put_goto(e, t->edge[0].to, next);
		break;
	case IRN_IF:
		op = isa_jcc(t->cc, t->w32, t->has_imm);
		put_jump(e, isa_insn(op, reg(e, t->args[0]), t->has_imm ? 0 : reg(e, t->args[1]), 0,
			t->imm), t->edge[0].to);
		put_other(e, t, next);
		break;
	default:
		mach_bug(e->f, "emit", 0, "terminator that is no machine's");
	}
}

static void fill_jumps(struct emit *e)
{
	for (uint32_t k = 0; k < e->jumps.n; k++) {
		const struct jump *j = &e->jumps.v[k];
		int64_t off = (int64_t)e->start[j->to] - j->insn - 1;

		if (!isa_off_ok(off)) {
			struct diag *d = diag_error(e->f->m->diags, NO_SPAN, DIAG_TOO_BIG,
				"program '%s' has %u instructions: a jump of %lld does not fit 16 bits",
				e->f->name, e->insns.n, (long long)off);

			diag_hint(e->f->m->diags, d, "split the probe");
			return;
		}
		e->insns.v[j->insn].off = (int16_t)off;
	}
}

void back_emit(const struct ir_fn *f, struct code *out)
{
	struct emit e = {.f = f, .back = f->back, .out = out};
	uint32_t n;
	const ir_blk *order = back_order(f, &n);

	*out = (struct code){.spills = e.back->spills, .reloads = e.back->reloads, .stack = f->stack};
	e.start = ARENA_ARRAY(f->a, uint32_t, f->blocks.n);
	for (uint32_t k = 0; k < n; k++) {
		ir_blk b = order[k];
		const struct ir_block *blk = &f->blocks.v[b];

		e.start[b] = e.insns.n;
		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (!mach_slot(f, blk->ins.v[i]))
				put_ins(&e, blk->ins.v[i]);
		}
		put_term(&e, &blk->term, k + 1 < n ? order[k + 1] : UINT32_MAX);
	}
	fill_jumps(&e);
	out->insn = e.insns.v;
	out->n = e.insns.n;
}

static void append(struct code *out, const struct code *sub, struct bpf_insn *insn, struct arena *a)
{
	uint32_t at = out->n;

	memcpy(insn + at, sub->insn, sub->n * sizeof(*insn));
	for (uint32_t i = 0; i < sub->relocs.n; i++) {
		struct code_reloc r = sub->relocs.v[i];

		r.insn += at;
		vec_push(a, &out->relocs, r);
	}
	for (uint32_t i = 0; i < sub->lines.n; i++) {
		struct code_line l = sub->lines.v[i];

		l.insn += at;
		vec_push(a, &out->lines, l);
	}
	out->spills += sub->spills;
	out->reloads += sub->reloads;
	out->n += sub->n;
}

void back_join(const struct ir_fn *f, struct code *out, const struct code *subs)
{
	struct bpf_insn *insn;
	uint32_t n = out->n;

	if (!f->subs.n)
		return;
	for (uint32_t k = 0; k < f->subs.n; k++)
		n += subs[k].n;
	insn = ARENA_ARRAY(f->a, struct bpf_insn, n);
	memcpy(insn, out->insn, out->n * sizeof(*insn));
	for (uint32_t k = 0; k < f->subs.n; k++) {
		vec_push(f->a, &out->fns, (struct code_fn){f->subs.v[k]->name, out->n});
		append(out, &subs[k], insn, f->a);
	}
	for (uint32_t i = 0; i < out->relocs.n; i++) {
		const struct code_reloc *r = &out->relocs.v[i];

		if (r->kind == CR_FUNC)
			insn[r->insn].imm = (int32_t)(out->fns.v[r->index].start - r->insn - 1);
	}
	out->insn = insn;
}
