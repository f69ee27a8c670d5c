/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Types: equality, when one value may stand for another, and the ranges that operations give.
 *
 * A range in a type is what the kernel's verifier can derive too, on every kernel since 5.10, not
 * all that is mathematically true: it decides whether an INDEX will be accepted. So quotients,
 * remainders, swapped bytes and signed results have no range (adjust_scalar_min_max_vals knows
 * none), and OR, XOR, MUL and shifts have one only when the second operand is a constant (before
 * 6.10 the verifier gives up when src is not known).
 */
#include "ir/ir.h"
#include <string.h>

struct ir_type ir_range(uint64_t hi)
{
	return (struct ir_type){.kind = IRT_I64, .hi = hi};
}

struct ir_type ir_ptr(enum ir_tkind kind, uint32_t n)
{
	return (struct ir_type){.kind = (uint8_t)kind, .n = n};
}

struct ir_type ir_nullable(struct ir_type t)
{
	t.flags |= IRT_NULLABLE;
	return t;
}

static uint32_t find_btf_id(const struct ir_module *m, const char *name)
{
	if (!m->target || !m->target->btf)
		return 0;
	return kbtf_find_struct(m->target->btf, name);
}

struct ir_type ir_btf_type(struct ir_module *m, const char *name, uint32_t id, uint8_t flags)
{
	uint32_t i;

	for (i = 0; i < m->btf.n; i++) {
		const struct ir_btf *b = &m->btf.v[i];

		if (!strcmp(b->name, name) && (!id || !b->id || b->id == id))
			break;
	}
	if (i == m->btf.n)
		vec_push(m->a, &m->btf, (struct ir_btf){arena_strdup(m->a, name), id});
	if (!m->btf.v[i].id)
		m->btf.v[i].id = id ? id : find_btf_id(m, name);
	return (struct ir_type){.kind = IRT_BTF, .flags = flags, .n = i};
}

bool ir_type_eq(struct ir_type a, struct ir_type b)
{
	return a.kind == b.kind && a.flags == b.flags && a.n == b.n && a.hi == b.hi;
}

bool ir_type_fits(struct ir_type from, struct ir_type to)
{
	if (from.kind != to.kind || (from.flags & ~IRT_NULLABLE) != (to.flags & ~IRT_NULLABLE))
		return false;
	if ((from.flags & IRT_NULLABLE) && !(to.flags & IRT_NULLABLE))
		return false;
	switch (from.kind) {
	case IRT_I64:
		return from.hi <= to.hi;
	case IRT_SLOT:
	case IRT_MAPV:
	case IRT_REC:
	case IRT_PKT:
	case IRT_FRAME:
	case IRT_KEY:
		return from.n >= to.n;
	default:
		return from.n == to.n;
	}
}

bool ir_is_ptr(struct ir_type t)
{
	return t.kind != IRT_VOID && t.kind != IRT_I32 && t.kind != IRT_I64;
}

struct ir_type ir_proven(enum ir_term_op op, struct ir_type t, int64_t imm)
{
	switch (op) {
	case IRN_SOME:
		t.flags &= (uint8_t)~IRT_NULLABLE;
		break;
	case IRN_NEED:
		if ((int64_t)t.n < imm)
			t.n = (uint32_t)imm;
		break;
	case IRN_BOUND:
	case IRN_LOOP:
		if (t.kind == IRT_I64 && imm && t.hi > (uint64_t)imm - 1)
			t.hi = (uint64_t)imm - 1;
		break;
	default:
		break;
	}
	return t;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Greatest number with as many bits as x has. */
static uint64_t all_bits(uint64_t x)
{
	return x ? ~(uint64_t)0 >> __builtin_clzll(x) : 0;
}

static uint64_t shl_range(uint64_t hi, uint64_t n)
{
	n &= 63;
	return hi > (~(uint64_t)0 >> n) >> 1 ? IR_ANY_RANGE : hi << n;
}

/* b_const: the second operand is a constant, its value is bv. */
static uint64_t bin_range(enum ir_op op, uint64_t a, uint64_t b, bool b_const, uint64_t bv)
{
	uint64_t r;

	switch (op) {
	case IR_ADD:
		return __builtin_add_overflow(a, b, &r) ? IR_ANY_RANGE : r;
	case IR_AND:
		return min_u64(a, b);
	case IR_OR:
	case IR_XOR:
		return b_const ? all_bits(a | b) : IR_ANY_RANGE;
	case IR_MUL:
		return !b_const || a > UINT32_MAX || b > UINT32_MAX ? IR_ANY_RANGE : a * b;
	case IR_SHL:
		return b_const ? shl_range(a, bv) : IR_ANY_RANGE;
	case IR_LSHR:
		return b_const ? a >> (bv & 63) : IR_ANY_RANGE;
	default:
		return IR_ANY_RANGE;
	}
}

struct ir_type ir_result_type(const struct ir_fn *f, enum ir_op op, ir_val a, ir_val b)
{
	struct ir_type ta = ir_type_of(f, a), tb = b ? ir_type_of(f, b) : IR_VOID;
	bool b_const = b && ir_is_const(f, b);

	switch (op) {
	case IR_TRUNC:
		return IR_I32;
	case IR_WIDE:
		return ir_range(UINT32_MAX);
	case IR_ADDR:
	case IR_HIDE:
		return IR_I64;
	case IR_FRCTX:
		return ir_ptr(IRT_CTX, f->ctx);
	default:
		break;
	}
	if (ta.kind == IRT_I32)
		return IR_I32;
	switch (op) {
	case IR_ZEXT8:
		return ir_range(min_u64(ta.hi, UINT8_MAX));
	case IR_ZEXT16:
		return ir_range(min_u64(ta.hi, UINT16_MAX));
	case IR_ZEXT32:
		return ir_range(ta.hi <= UINT32_MAX ? ta.hi : UINT32_MAX);
	default:
		return ir_range(bin_range(op, ta.hi, tb.hi, b_const,
			b_const ? (uint64_t)ir_ins_of(f, b)->imm : 0));
	}
}
