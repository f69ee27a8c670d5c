/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instruction selection: IR operations become rows of isa.def, as isel.def says; constants,
 * offsets and addresses of stack objects go into the instructions that use them. Terminators
 * become plain comparisons: what they prove is in the shape of the code from here on, and in the
 * fact that the parameter holding the proof stays a value of its own.
 *
 * Requires: back_legal. Ensures: machine form (mach.h), dead instructions gone.
 */
#include "backend-bpf/mach.h"
#include <assert.h>

enum pattern { REG, IMM, NEG, LOW32, U32, COUNT, POS, LOG2, MASK, BITS, B8, B16 };

struct sel_row {
	uint16_t op;
	uint8_t width, pattern;
	uint16_t row;
};
static const struct sel_row sel_rows[] = {
#define SEL(op, width, pattern, row) {IR_##op, width, pattern, ISA_##row},
#include "backend-bpf/isel.def"
};

struct isel {
	struct ir_fn *f;
	ir_val *alias;	  /* value -> the value that is the same in a register */
	uint32_t *uses;	  /* of IR values, before selection */
	bool *number;	  /* ADDR whose result must be a number to the verifier, too */
	struct ir_block done; /* instructions of the block at hand */
	ir_blk block;
	struct skep_span span;
	uint32_t nir; /* values there were before: alias and uses end here */
	int isa;
};

static ir_val res(const struct isel *s, ir_val v)
{
	while (v < s->nir && s->alias[v])
		v = s->alias[v];
	return v;
}

/* The constant v is, whether its instruction has been selected already or not. */
static bool constant(const struct isel *s, ir_val v, int64_t *c)
{
	const struct ir_ins *i = ir_ins_of(s->f, res(s, v));
	bool is = i->op == IR_CONST || (mach_is(i) && !i->aux && (mach_form(i, IFORM_MOV_RI) ||
		i->op == MACH(LD64_CONST)));

	if (is)
		*c = i->type.kind == IRT_I32 ? (int64_t)(uint32_t)i->imm : i->imm;
	return is;
}

static bool w32(const struct isel *s, ir_val v)
{
	return ir_type_of(s->f, v).kind == IRT_I32;
}

/* The upper half of v's register is zero. */
static bool upper_zero(const struct isel *s, ir_val v)
{
	struct ir_type t = ir_type_of(s->f, v);
	const struct ir_ins *i = ir_ins_of(s->f, res(s, v));

	if (t.kind == IRT_I32 || (t.kind == IRT_I64 && t.hi <= UINT32_MAX))
		return true;
	if (mach_form(i, IFORM_LDX))
		return mach_row(i)->width < 64 && !ir_is_ptr(i->type);
	return mach_is(i) && mach_row(i)->width == 32 && mach_row(i)->flags & ISAF_DEF;
}

static ir_val emit(struct isel *s, struct ir_ins ins)
{
	ir_val v;

	ins.block = s->block;
	ins.span = s->span;
	v = mach_new(s->f, ins);
	vec_push(s->f->a, &s->done.ins, v);
	return v;
}

/* v as an operand in a register: stack objects get their address computed here. */
static ir_val reg(struct isel *s, ir_val v)
{
	v = res(s, v);
	if (!mach_slot(s->f, v))
		return v;
	return emit(s, (struct ir_ins){.op = MACH(MOV64_RR), .nargs = 1, .args = {v},
		.type = ir_type_of(s->f, v)});
}

/* Base and offset of the address v + off, as far as the offset fits an instruction. */
static ir_val address(const struct isel *s, ir_val v, int64_t *off)
{
	v = res(s, v);
	while (s->f->vals.v[v].op == IR_OFF || (s->f->vals.v[v].op == MACH(ADD64_RI) &&
		ir_is_ptr(ir_type_of(s->f, v)) && !s->f->vals.v[v].aux) ||
		(s->f->vals.v[v].op == MACH(MOV64_RR) && mach_slot(s->f, s->f->vals.v[v].args[0]))) {
		const struct ir_ins *i = ir_ins_of(s->f, v);

		if (!isa_off_ok(*off + i->imm))
			break;
		*off += i->imm;
		v = res(s, i->args[0]);
	}
	return v;
}

static bool log2_of(uint64_t c, int64_t *log)
{
	if (!c || c & (c - 1))
		return false;
	*log = __builtin_ctzll(c);
	return true;
}

/* Whether constant c suits the pattern; *imm is what the instruction gets. */
static bool pattern_fits(enum pattern p, enum isa_op row, bool is32, int64_t c, int64_t *imm)
{
	int64_t bits = is32 ? 32 : 64;

	*imm = c;
	switch (p) {
	case IMM:
		if (is32)
			*imm = (int32_t)c;
		return isa_imm_ok(row, *imm);
	case NEG:
		*imm = is32 ? (int32_t)(0 - (uint32_t)c) : (int64_t)(0 - (uint64_t)c);
		return isa_imm_ok(row, *imm);
	case LOW32:
		return c == UINT32_MAX;
	case U32:
		*imm = (int32_t)c;
		return c >= 0 && c <= UINT32_MAX;
	case COUNT:
		*imm = c & (bits - 1);
		return true;
	case POS:
		return c > 0 && c <= INT32_MAX;
	case LOG2:
		return log2_of((uint64_t)c, imm);
	case MASK:
		if (!log2_of((uint64_t)c, imm))
			return false;
		*imm = (int64_t)((uint64_t)c - 1);
		return *imm <= INT32_MAX && *imm >= 0;
	default:
		return false;
	}
}

static bool store_bits(unsigned width, int64_t c, int64_t *imm)
{
	*imm = width < 32 ? c & ((1 << width) - 1) : (int32_t)(uint32_t)(uint64_t)c;
	return width < 64 || *imm == c;
}

/* First row for op; b is its last operand or 0. */
static const struct sel_row *select_row(const struct isel *s, unsigned op, unsigned width, ir_val b,
	int64_t *imm)
{
	int64_t c = 0;
	bool is = b && constant(s, b, &c);

	for (unsigned k = 0; k < sizeof(sel_rows) / sizeof(sel_rows[0]); k++) {
		const struct sel_row *r = &sel_rows[k];

		if (r->op != op || r->width != width || isa_row((enum isa_op)r->row)->isa > s->isa)
			continue;
		*imm = r->pattern == B8 ? 0xff : 0xffff;
		if (r->pattern == REG || r->pattern == B8 || r->pattern == B16)
			return r;
		if (is && r->pattern == BITS && store_bits(width, c, imm))
			return r;
		if (is && pattern_fits(r->pattern, (enum isa_op)r->row, width == 32, c, imm))
			return r;
	}
	mach_bug(s->f, "isel", b, ir_op_row((enum ir_op)op)->text);
}

/* Turns the instruction v into row with these operands; it keeps its type and number. */
static void become(struct isel *s, ir_val v, enum isa_op row, unsigned n, ir_val a, ir_val b,
	int64_t imm)
{
	struct ir_ins *i = &s->f->vals.v[v];

	i->op = (uint16_t)(IR_MACHINE + row);
	i->nargs = (uint8_t)n;
	i->args[0] = a;
	i->args[1] = b;
	i->imm = imm;
	i->reg = IR_NO_REG;
	vec_push(s->f->a, &s->done.ins, v);
}

static void sel_const(struct isel *s, ir_val v)
{
	int64_t c = 0;
	bool is = constant(s, v, &c);

	assert(is && "constant");
	s->f->vals.v[v].aux = 0;
	if (isa_imm_ok(ISA_MOV64_RI, c))
		become(s, v, ISA_MOV64_RI, 0, 0, 0, c);
	else if (c >= 0 && c <= UINT32_MAX)
		become(s, v, ISA_MOV32_RI, 0, 0, 0, c);
	else
		become(s, v, ISA_LD64_CONST, 0, 0, 0, c);
}

static void sel_bin(struct isel *s, ir_val v)
{
	struct ir_ins i = *ir_ins_of(s->f, v);
	ir_val a = i.args[0], b = i.args[1];
	int64_t c = 0, imm = 0;
	const struct sel_row *r;
	bool is32 = i.type.kind == IRT_I32;

	if (i.op == IR_SUB && constant(s, a, &c) && !constant(s, b, &c)) { /* c - x is -x + c */
		b = emit(s, (struct ir_ins){.op = is32 ? MACH(NEG32) : MACH(NEG64), .nargs = 1,
			.args = {reg(s, b)}, .type = i.type});
		i.op = IR_ADD;
	}
	if (constant(s, a, &c) && (i.op == IR_ADD || i.op == IR_MUL || i.op == IR_AND ||
		i.op == IR_OR || i.op == IR_XOR)) {
		ir_val t = a;

		a = b;
		b = t;
	}
	r = select_row(s, i.op, is32 ? 32 : 64, b, &imm);
	a = reg(s, a);
	if (r->pattern == REG)
		become(s, v, r->row, 2, a, reg(s, b), 0);
	else
		become(s, v, r->row, 1, a, 0, r->pattern == LOW32 ? 0 : imm);
}

static void sel_un(struct isel *s, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(s->f, v);
	ir_val a = i->args[0];
	const struct sel_row *r;
	int64_t imm = 0;

	if (i->op == IR_ADDR && s->number[v]) {
		a = emit(s, (struct ir_ins){.op = MACH(NEG64), .nargs = 1, .args = {reg(s, a)},
			.type = IR_I64});
		become(s, v, ISA_NEG64, 1, a, 0, 0);
		return;
	}
	if (i->op == IR_WIDE || i->op == IR_ADDR ||
		((i->op == IR_ZEXT32 || i->op == IR_TRUNC) && upper_zero(s, a))) {
		s->alias[v] = reg(s, a);
		return;
	}
	r = select_row(s, i->op, i->type.kind == IRT_I32 ? 32 : 64, IR_NONE, &imm);
	become(s, v, r->row, 1, reg(s, a), 0, r->pattern == REG ? 0 : imm);
}

/* An old value that nobody reads need not be fetched. */
static void sel_atomic(struct isel *s, ir_val v, ir_val base, int64_t off)
{
	struct ir_ins i = *ir_ins_of(s->f, v);
	ir_val b = reg(s, i.args[1]);

	if (i.sub >= AT_FADD && i.sub <= AT_FXOR && !s->uses[v]) {
		i.sub = (uint8_t)(i.sub - AT_FADD + AT_ADD);
		s->f->vals.v[v].type = IR_VOID;
	}
	s->f->vals.v[v].sub = 0;
	become(s, v, isa_atomic(i.sub, i.width == 4), 2, base, b, off);
}

static void sel_memory(struct isel *s, ir_val v)
{
	struct ir_ins i = *ir_ins_of(s->f, v);
	int64_t off = i.imm, imm = 0;
	ir_val base = address(s, i.args[0], &off);
	const struct sel_row *r;

	if (!isa_off_ok(off))
		mach_bug(s->f, "isel", v, "offset beyond 16 bits");
	if (i.op == IR_ATOM) {
		sel_atomic(s, v, base, off);
		return;
	}
	r = select_row(s, i.op == IR_LDCTX ? IR_LD : i.op, i.width * 8u,
		i.op == IR_ST && ir_type_of(s->f, i.args[0]).kind != IRT_CTX ? i.args[1] : IR_NONE,
		&imm); /* the verifier takes only registers for the context */
	s->f->vals.v[v].aux = 0;
	if (i.op == IR_LD || i.op == IR_LDCTX) {
		s->f->vals.v[v].aux = i.op == IR_LDCTX ? i.aux : 0;
		become(s, v, r->row, 1, base, 0, off);
	} else if (r->pattern == BITS) {
		s->f->vals.v[v].aux = (uint32_t)(int32_t)imm;
		become(s, v, r->row, 1, base, 0, off);
	} else {
		ir_val b = reg(s, i.args[1]), c = i.op == IR_CAS ? reg(s, i.args[2]) : IR_NONE;

		s->f->vals.v[v].args[2] = c;
		become(s, v, r->row, i.op == IR_CAS ? 3 : 2, base, b, off);
	}
}

static enum isa_op load_row(struct isel *s, unsigned bytes)
{
	int64_t imm;

	return select_row(s, IR_LD, bytes * 8, IR_NONE, &imm)->row;
}

/* Shifts that leave bits [at, at + n) of a 64-bit value, with their sign or not. */
static void bit_field(struct isel *s, ir_val v, ir_val raw, unsigned at, unsigned n, bool sign)
{
	ir_val up = raw;

	if (at + n < 64)
		up = emit(s, (struct ir_ins){.op = MACH(LSH64_RI), .nargs = 1, .args = {raw},
			.imm = 64 - (int64_t)at - (int64_t)n, .type = IR_I64});
	become(s, v, sign ? ISA_ARSH64_RI : ISA_RSH64_RI, 1, up, 0, 64 - (int64_t)n);
}

/* Address of a kernel field: base and offset, the offset marked for relocation. */
static ir_val field_base(struct isel *s, ir_val base, uint32_t field, int64_t *off)
{
	*off = s->f->m->fields.v[field].off;
	if (isa_off_ok(*off))
		return base;
	base = emit(s, (struct ir_ins){.op = MACH(ADD64_RI), .nargs = 1, .args = {base}, .imm = *off,
		.aux = field + 1, .type = ir_type_of(s->f, base)});
	*off = 0;
	return base;
}

static void sel_field(struct isel *s, ir_val v)
{
	struct ir_ins i = *ir_ins_of(s->f, v);
	const struct ir_field *fld = &s->f->m->fields.v[i.aux];
	int64_t off = 0;
	ir_val base;

	s->f->vals.v[v].aux = i.aux + 1;
	if (i.op == IR_FOFS) {
		/* enumerators take 64 bits on some kernels */
		become(s, v, fld->fact == FACT_ENUM ? ISA_LD64_CONST : ISA_MOV64_RI, 0, 0, 0,
			fld->fact ? fld->value : fld->off);
		return;
	}
	base = field_base(s, reg(s, i.args[0]), i.aux, &off);
	if (off != fld->off)
		s->f->vals.v[v].aux = 0;
	if (i.op == IR_STF) {
		int64_t imm;
		unsigned bits = fld->size * 8;
		ir_val b = reg(s, i.args[1]);

		become(s, v, select_row(s, IR_ST, bits, IR_NONE, &imm)->row, 2, base, b, off);
		return;
	}
	if (!fld->bit_size && (!fld->is_signed || fld->size == 8)) {
		become(s, v, load_row(s, fld->size), 1, base, 0, off);
		return;
	}
	base = emit(s, (struct ir_ins){.op = (uint16_t)(IR_MACHINE + load_row(s, fld->size)),
		.nargs = 1, .args = {base}, .imm = off, .aux = s->f->vals.v[v].aux, .type = IR_I64});
	s->f->vals.v[v].aux = 0;
	bit_field(s, v, base, fld->bit_off, fld->bit_size ? fld->bit_size : fld->size * 8,
		fld->is_signed);
}

static void sel_call(struct isel *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	bool kfunc = i->op == IR_KCALL;

	for (unsigned k = 0; k < i->nargs; k++) {
		ir_val a = reg(s, s->f->vals.v[v].args[k]);

		i = &s->f->vals.v[v];
		i->args[k] = a;
	}
	i->op = kfunc ? MACH(CALL_KFUNC) : MACH(CALL);
	i->reg = IR_NO_REG;
	vec_push(s->f->a, &s->done.ins, v);
}

static void sel_off(struct isel *s, ir_val v)
{
	int64_t off = s->f->vals.v[v].imm;
	ir_val base = res(s, s->f->vals.v[v].args[0]);

	base = address(s, base, &off);
	s->f->vals.v[v].aux = 0;
	become(s, v, mach_slot(s->f, base) ? ISA_MOV64_RR : ISA_ADD64_RI, 1, base, 0, off);
	if (!isa_imm_ok(ISA_ADD64_RI, off))
		mach_bug(s->f, "isel", v, "offset beyond 32 bits");
}

/*
 * Twice the same exclusive or changes nothing, but the verifier forgets the number: before 6.7 it
 * takes a function that is called back to run exactly once, and what it wrote to be there.
 */
static void sel_hide(struct isel *s, ir_val v)
{
	ir_val a = reg(s, s->f->vals.v[v].args[0]), b = reg(s, s->f->vals.v[v].args[1]);

	a = emit(s, (struct ir_ins){.op = MACH(XOR64_RR), .nargs = 2, .args = {a, b},
		.type = IR_I64});
	become(s, v, ISA_XOR64_RR, 2, a, b, 0);
}

static void sel_ins(struct isel *s, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(s->f, v);

	s->span = i->span;
	switch (ir_op_row(i->op)->form) {
	case FORM_CONST:
		sel_const(s, v);
		return;
	case FORM_BIN:
	case FORM_INDEX:
		if (i->op == IR_HIDE)
			sel_hide(s, v);
		else
			sel_bin(s, v);
		return;
	case FORM_UN:
		if (i->op == IR_FRCTX) /* a load */
			become(s, v, ISA_LDX64, 1, reg(s, i->args[0]), 0, 0);
		else
			sel_un(s, v);
		return;
	case FORM_SLOT:
		s->f->vals.v[v].aux = SLOT_OBJECT;
		vec_push(s->f->a, &s->done.ins, v);
		return;
	case FORM_FUNC:
		become(s, v, ISA_LD64_FUNC, 0, 0, 0, 0);
		return;
	case FORM_MAPREF:
	case FORM_GADDR:
		become(s, v, i->op == IR_MAP ? ISA_LD64_MAP : ISA_LD64_VALUE, 0, 0, 0, i->imm);
		return;
	case FORM_OFF:
		sel_off(s, v);
		return;
	case FORM_LD:
	case FORM_ST:
	case FORM_ATOM:
	case FORM_CAS:
		sel_memory(s, v);
		return;
	case FORM_LDF:
	case FORM_STF:
	case FORM_FOFS:
		sel_field(s, v);
		return;
	case FORM_CALL:
		sel_call(s, v);
		return;
	default:
		mach_bug(s->f, "isel", v, "operation without rows");
	}
}

/* ---- terminators ---- */

/* `if.ne (a & b), 0` whose sum nobody else wants tests the bits directly. */
static void fuse_test(struct isel *s, struct ir_term *t)
{
	const struct ir_ins *i = ir_ins_of(s->f, t->args[0]);
	bool imm = mach_is(i) && (i->op == MACH(AND64_RI) || i->op == MACH(AND32_RI));
	bool rr = mach_is(i) && (i->op == MACH(AND64_RR) || i->op == MACH(AND32_RR));
	struct ir_edge e = t->edge[0];

	if (!t->has_imm || t->imm != 0 || (t->cc != CC_EQ && t->cc != CC_NE) || !(imm || rr))
		return;
	if (t->args[0] >= s->nir || s->uses[t->args[0]] != 1)
		return;
	if (imm && i->op == MACH(AND32_RI) && !t->w32 && i->imm < 0)
		return; /* the mask of a 64-bit test would be sign-extended */
	t->w32 = t->w32 || (i->op == MACH(AND32_RR));
	if (t->cc == CC_EQ) {
		t->edge[0] = t->edge[1];
		t->edge[1] = e;
	}
	t->cc = CC_SET;
	t->args[0] = i->args[0];
	t->args[1] = rr ? i->args[1] : IR_NONE;
	t->imm = imm ? i->imm : 0;
	t->has_imm = imm;
}

/* A number that is cut to 32 bits for this test alone is not cut: the test looks at 32 bits. */
static void fuse_cut(struct isel *s, struct ir_term *t)
{
	const struct ir_ins *i = ir_ins_of(s->f, t->args[0]);

	if (t->args[0] >= s->nir || s->uses[t->args[0]] != 1 || !mach_is(i) || i->op != MACH(MOV32_RR))
		return;
	if (!t->w32 && (!t->has_imm || t->imm < 0 || (t->cc >= CC_SLT && t->cc <= CC_SGE)))
		return;
	t->w32 = true;
	t->args[0] = i->args[0];
}

static void compare(struct isel *s, struct ir_term *t, ir_val a, ir_val b, int64_t c, bool is)
{
	bool is32 = w32(s, a);
	int64_t imm = is32 ? (int32_t)c : c;

	t->w32 = is32;
	t->args[0] = reg(s, a);
	t->has_imm = is && isa_imm_ok(isa_jcc(t->cc, is32, true), imm);
	t->imm = t->has_imm ? imm : 0;
	if (t->has_imm)
		t->args[1] = IR_NONE;
	else if (b)
		t->args[1] = reg(s, b);
	else {
		t->args[1] = emit(s, (struct ir_ins){.op = MACH(LD64_CONST), .imm = c,
			.type = IR_I64});
	}
	t->op = IRN_IF;
}

static void sel_if(struct isel *s, struct ir_term *t)
{
	ir_val a = t->args[0], b = t->args[1];
	int64_t c = 0;
	bool is;

	if (constant(s, a, &c) && !constant(s, b, &c)) {
		ir_val x = a;

		a = b;
		b = x;
		t->cc = (uint8_t)ir_cc_swap(t->cc);
	}
	is = constant(s, b, &c);
	compare(s, t, a, b, c, is);
	fuse_test(s, t);
	fuse_cut(s, t);
}

static void sel_need(struct isel *s, struct ir_term *t)
{
	struct ir_edge yes = t->edge[0];
	ir_val p = reg(s, t->args[0]);

	t->args[0] = emit(s, (struct ir_ins){.op = MACH(ADD64_RI), .nargs = 1, .args = {p},
		.imm = t->imm, .type = ir_type_of(s->f, p)});
	t->args[1] = reg(s, t->args[1]);
	t->op = IRN_IF;
	t->cc = CC_GT; /* only pointer + constant > end proves (contract P8, P9) */
	t->w32 = t->has_imm = false;
	t->imm = 0;
	t->edge[0] = t->edge[1];
	t->edge[1] = yes;
}

static void sel_term(struct isel *s, struct ir_term *t)
{
	s->span = t->span;
	switch (t->op) {
	case IRN_IF:
		sel_if(s, t);
		break;
	case IRN_SOME:
		t->cc = CC_NE;
		compare(s, t, t->args[0], IR_NONE, 0, true);
		break;
	case IRN_BOUND:
	case IRN_LOOP:
		t->cc = CC_LT;
		compare(s, t, t->args[0], IR_NONE, t->imm, true);
		break;
	case IRN_NEED:
		sel_need(s, t);
		break;
	case IRN_RET:
		t->args[0] = reg(s, t->args[0]);
		break;
	default:
		break;
	}
	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t k = 0; k < t->edge[e].nargs; k++)
			t->edge[e].args[k] = reg(s, t->edge[e].args[k]);
	}
}

static void count_uses(struct isel *s)
{
	const struct ir_fn *f = s->f;

	for (uint32_t b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = &f->blocks.v[b];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

			for (unsigned k = 0; k < ins->nargs; k++)
				s->uses[ins->args[k]]++;
		}
		for (unsigned k = 0; k < (unsigned)ir_term_row(blk->term.op)->nargs; k++)
			s->uses[blk->term.args[k]]++;
		for (unsigned e = 0; e < blk->term.nedges; e++) {
			for (uint32_t k = 0; k < blk->term.edge[e].nargs; k++)
				s->uses[blk->term.edge[e].args[k]]++;
		}
	}
}

void back_isel(struct ir_fn *f)
{
	struct ir_cfg *c = ir_cfg_build(f, ir_scratch(f));
	struct isel s = {.f = f, .nir = f->vals.n};
	uint32_t n = f->vals.n;

	/* Selection makes at most a few values per instruction; aliases exist for the IR's only. */
	s.isa = f->m->target && f->m->target->isa > 3 ? f->m->target->isa : 3;
	s.alias = ARENA_ARRAY(ir_scratch(f), ir_val, n);
	s.uses = ARENA_ARRAY(ir_scratch(f), uint32_t, n);
	count_uses(&s);
	s.number = isel_addr_numbers(f, c);
	for (uint32_t k = 0; k < c->nrpo; k++) {
		struct ir_block *b = &f->blocks.v[c->rpo[k]];
		uint32_t nins = b->ins.n;
		ir_val *ins = b->ins.v;

		s.block = c->rpo[k];
		s.done = (struct ir_block){0};
		for (uint32_t i = 0; i < nins; i++)
			sel_ins(&s, ins[i]);
		sel_term(&s, &b->term);
		b->ins.v = s.done.ins.v;
		b->ins.n = s.done.ins.n;
		b->ins.cap = s.done.ins.cap;
	}
	f->machine = true;
	mach_dce(f);
}
