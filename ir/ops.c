/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Properties of operations, terminators and conditions (tables from the .def files), and what the
 * pure operations compute: exactly what the kernel's interpreter and JITs do, so that folding at
 * compile time and running give the same number.
 */
#include "ir/ir.h"
#include <assert.h>

static const struct ir_op_row ops[] = {
#define O(id, text, form, nargs, flags, what) {text, what, FORM_##form, nargs, flags},
#define P OF_P
#define R OF_R
#define A OF_A
#define M OF_M
#define W OF_W
#include "ir/ops.def"
#undef P
#undef R
#undef A
#undef M
#undef W
#undef O
};

static const struct ir_term_row terms[] = {
#define N(id, text, nargs, nedges, what) {text, nargs, nedges, what},
#include "ir/terms.def"
#undef N
};

static const struct {
	const char *text;
	enum ir_cc not, swap; /* itself: none */
} ccs[] = {
	[CC_EQ] = {"eq", CC_NE, CC_EQ},
	[CC_NE] = {"ne", CC_EQ, CC_NE},
	[CC_LT] = {"lt", CC_GE, CC_GT},
	[CC_LE] = {"le", CC_GT, CC_GE},
	[CC_GT] = {"gt", CC_LE, CC_LT},
	[CC_GE] = {"ge", CC_LT, CC_LE},
	[CC_SLT] = {"slt", CC_SGE, CC_SGT},
	[CC_SLE] = {"sle", CC_SGT, CC_SGE},
	[CC_SGT] = {"sgt", CC_SLE, CC_SLT},
	[CC_SGE] = {"sge", CC_SLT, CC_SLE},
	[CC_SET] = {"set", CC_SET, CC_SET},
};

static const char *const atomics[] = {
	[AT_ADD] = "add",
	[AT_OR] = "or",
	[AT_AND] = "and",
	[AT_XOR] = "xor",
	[AT_FADD] = "fadd",
	[AT_FOR] = "for",
	[AT_FAND] = "fand",
	[AT_FXOR] = "fxor",
	[AT_XCHG] = "xchg",
};

const struct ir_op_row *ir_op_row(enum ir_op op)
{
	assert(op < IR_OP_COUNT);
	return &ops[op];
}

const struct ir_term_row *ir_term_row(enum ir_term_op op)
{
	assert(op < IRN_COUNT);
	return &terms[op];
}

const char *ir_cc_text(enum ir_cc cc)
{
	assert(cc < CC_COUNT);
	return ccs[cc].text;
}

enum ir_cc ir_cc_not(enum ir_cc cc)
{
	assert(cc < CC_SET && "no branch on 'no bit set'");
	return ccs[cc].not;
}

enum ir_cc ir_cc_swap(enum ir_cc cc)
{
	assert(cc < CC_COUNT);
	return ccs[cc].swap;
}

const char *ir_atomic_text(enum ir_atomic a)
{
	assert(a < AT_COUNT);
	return atomics[a];
}

static int64_t sdiv64(int64_t a, int64_t b)
{
	if (b == 0)
		return 0;
	return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static int64_t smod64(int64_t a, int64_t b)
{
	if (b == 0)
		return a;
	return b == -1 ? 0 : a % b;
}

static uint64_t ashr64(uint64_t a, unsigned n)
{
	uint64_t fill = a >> 63 ? ~(~(uint64_t)0 >> n) : 0;

	return a >> n | fill;
}

static uint64_t eval64(enum ir_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case IR_ADD: return a + b;
	case IR_SUB: return a - b;
	case IR_MUL: return a * b;
	case IR_UDIV: return b ? a / b : 0;
	case IR_UMOD: return b ? a % b : a;
	case IR_SDIV: return (uint64_t)sdiv64((int64_t)a, (int64_t)b);
	case IR_SMOD: return (uint64_t)smod64((int64_t)a, (int64_t)b);
	case IR_AND: return a & b;
	case IR_OR: return a | b;
	case IR_XOR: return a ^ b;
	case IR_SHL: return a << (b & 63);
	case IR_LSHR: return a >> (b & 63);
	case IR_ASHR: return ashr64(a, b & 63);
	case IR_NEG: return 0 - a;
	case IR_BSWAP16: return __builtin_bswap16((uint16_t)a);
	case IR_BSWAP32: return __builtin_bswap32((uint32_t)a);
	case IR_BSWAP64: return __builtin_bswap64(a);
	case IR_ZEXT8: return (uint8_t)a;
	case IR_ZEXT16: return (uint16_t)a;
	case IR_ZEXT32:
	case IR_TRUNC:
	case IR_WIDE: return (uint32_t)a;
	case IR_SEXT8: return (uint64_t)(int64_t)(int8_t)a;
	case IR_SEXT16: return (uint64_t)(int64_t)(int16_t)a;
	case IR_SEXT32: return (uint64_t)(int64_t)(int32_t)a;
	default: assert(!"operation on constants"); return 0;
	}
}

static uint32_t eval32(enum ir_op op, uint32_t a, uint32_t b)
{
	switch (op) {
	case IR_SDIV: return (uint32_t)sdiv64((int32_t)a, (int32_t)b);
	case IR_SMOD: return (uint32_t)smod64((int32_t)a, (int32_t)b);
	case IR_SHL: return a << (b & 31);
	case IR_LSHR: return a >> (b & 31);
	case IR_ASHR: return (uint32_t)ashr64((uint64_t)(int64_t)(int32_t)a, b & 31);
	default: return (uint32_t)eval64(op, a, b);
	}
}

uint64_t ir_eval(enum ir_op op, bool w32, uint64_t a, uint64_t b)
{
	return w32 ? eval32(op, (uint32_t)a, (uint32_t)b) : eval64(op, a, b);
}

bool ir_eval_cc(enum ir_cc cc, bool w32, uint64_t a, uint64_t b)
{
	int64_t sa = w32 ? (int32_t)a : (int64_t)a, sb = w32 ? (int32_t)b : (int64_t)b;

	if (w32) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (cc) {
	case CC_EQ: return a == b;
	case CC_NE: return a != b;
	case CC_LT: return a < b;
	case CC_LE: return a <= b;
	case CC_GT: return a > b;
	case CC_GE: return a >= b;
	case CC_SLT: return sa < sb;
	case CC_SLE: return sa <= sb;
	case CC_SGT: return sa > sb;
	case CC_SGE: return sa >= sb;
	case CC_SET: return (a & b) != 0;
	default: assert(!"condition"); return false;
	}
}
