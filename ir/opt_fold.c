/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Folding: constants, algebra, cheaper forms of the same number; then branches that are decided
 * (opt_branch.c), which makes more to fold.
 *
 * Never touched: what proves something. A value is replaced only by one whose type says at least
 * as much (ir_rewrite_put), so a mask or minimum that an index relies on stays.
 */
#include "ir/opt.h"
#include "ir/rewrite.h"
#include <linux/bpf.h>
#include <string.h>

#define ROUNDS_MAX 8

struct fold {
	struct ir_fn *f;
	struct ir_rewrite r;
	ir_blk b;
	ir_val *out; /* the block's instructions, rebuilt */
	uint32_t nout, cap;
	bool changed;
};

static const struct ir_ins *def(const struct fold *s, ir_val v)
{
	return ir_ins_of(s->f, v);
}

static bool is_w32(const struct fold *s, ir_val v)
{
	return ir_type_of(s->f, v).kind == IRT_I32;
}

/* The constant as the machine sees it: i32 without its sign's copies. */
static bool constant(const struct fold *s, ir_val v, uint64_t *n)
{
	const struct ir_ins *i = def(s, v);

	*n = i->type.kind == IRT_I32 ? (uint32_t)i->imm : (uint64_t)i->imm;
	return i->op == IR_CONST;
}

static void emit(struct fold *s, ir_val v)
{
	if (s->nout == s->cap) {
		s->out = arena_grow(s->f->a, s->out, sizeof(*s->out) * s->cap,
			sizeof(*s->out) * (s->cap * 2 + 8));
		s->cap = s->cap * 2 + 8;
	}
	s->out[s->nout++] = v;
}

static ir_val new_const(struct fold *s, uint64_t n, bool w32)
{
	ir_val v = ir_new_ins(s->f, (struct ir_ins){.op = IR_CONST, .block = s->b,
		.imm = w32 ? (int32_t)n : (int64_t)n, .type = w32 ? IR_I32 : ir_range(n)});

	emit(s, v);
	return v;
}

/* v becomes the constant n in its place. */
static bool become_const(struct fold *s, ir_val v, uint64_t n)
{
	struct ir_ins *i = &s->f->vals.v[v];
	bool w32 = i->type.kind == IRT_I32;

	i->op = IR_CONST;
	i->nargs = 0;
	i->imm = w32 ? (int32_t)n : (int64_t)n;
	i->type = w32 ? IR_I32 : ir_range(n);
	s->changed = true;
	return true;
}

/* v becomes op of a and b (IR_NONE for one operand), unless its type would say less. */
static bool become(struct fold *s, ir_val v, enum ir_op op, ir_val a, ir_val b)
{
	struct ir_type t = ir_result_type(s->f, op, a, b);
	struct ir_ins *i = &s->f->vals.v[v];

	if (!ir_type_fits(t, i->type))
		return false;
	i->op = (uint16_t)op;
	i->nargs = b ? 2 : 1;
	i->args[0] = a;
	i->args[1] = b;
	i->type = t;
	s->changed = true;
	return true;
}

static bool become_imm(struct fold *s, ir_val v, enum ir_op op, ir_val a, uint64_t n)
{
	ir_val b = new_const(s, n, is_w32(s, a));

	return become(s, v, op, a, b);
}

/* v's users take x instead. */
static bool become_value(struct fold *s, ir_val v, ir_val x)
{
	if (!ir_rewrite_put(&s->r, v, x))
		return false;
	s->changed = true;
	return true;
}

static uint64_t all_ones(bool w32)
{
	return w32 ? UINT32_MAX : UINT64_MAX;
}

static uint64_t bits_of(uint64_t hi)
{
	return hi ? ~(uint64_t)0 >> __builtin_clzll(hi) : 0;
}

static uint64_t greatest(const struct fold *s, ir_val v)
{
	return is_w32(s, v) ? UINT32_MAX : ir_type_of(s->f, v).hi;
}

static bool power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static unsigned log2_of(uint64_t n)
{
	return 63 - (unsigned)__builtin_clzll(n);
}

/* ---- one constant operand, the second ---- */
static bool fold_div(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	enum ir_op op = def(s, v)->op;
	bool is_mod = op == IR_UMOD || op == IR_SMOD;
	bool w32 = is_w32(s, a);

	if (n == 0) /* the verifier refuses the constant; the result is what the machine gives */
		return is_mod ? become_value(s, v, a) : become_const(s, v, 0);
	if (n == 1)
		return is_mod ? become_const(s, v, 0) : become_value(s, v, a);
	if (n == all_ones(w32) && op == IR_SMOD)
		return become_const(s, v, 0);
	if (n == all_ones(w32) && op == IR_SDIV)
		return become(s, v, IR_NEG, a, IR_NONE);
	if (op == IR_UDIV && power_of_two(n))
		return become_imm(s, v, IR_LSHR, a, log2_of(n));
	if (op == IR_UMOD && power_of_two(n))
		return become_imm(s, v, IR_AND, a, n - 1);
	return false;
}

static bool fold_mul(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	if (n == 0)
		return become_const(s, v, 0);
	if (n == 1)
		return become_value(s, v, a);
	return power_of_two(n) && become_imm(s, v, IR_SHL, a, log2_of(n));
}

/* (x << n) >> n keeps low bits; worth it when the mask is a cheap one. */
static bool fold_shift_pair(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	const struct ir_ins *inner = def(s, a);
	uint64_t m;

	if (def(s, v)->op != IR_LSHR || inner->op != IR_SHL || is_w32(s, a) || n < 32 ||
		!constant(s, inner->args[1], &m) || m != n)
		return false;
	if (n == 32)
		return become(s, v, IR_ZEXT32, inner->args[0], IR_NONE);
	return become_imm(s, v, IR_AND, inner->args[0], UINT64_MAX >> n);
}

static bool fold_shift(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	enum ir_op op = def(s, v)->op;
	unsigned width = is_w32(s, a) ? 32 : 64;

	if (n >= width) /* the count is taken modulo the width; the verifier refuses it as it is */
		return become_imm(s, v, op, a, n % width);
	if (n == 0)
		return become_value(s, v, a);
	if (op == IR_ASHR && greatest(s, a) <= (is_w32(s, a) ? INT32_MAX : INT64_MAX))
		return become_imm(s, v, IR_LSHR, a, n);
	if (op == IR_LSHR && n < 64 && greatest(s, a) >> n == 0)
		return become_const(s, v, 0);
	return fold_shift_pair(s, v, a, n);
}

static bool fold_bits(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	enum ir_op op = def(s, v)->op;
	bool w32 = is_w32(s, a);
	uint64_t known = bits_of(greatest(s, a));

	if (op == IR_AND && (n & known) == 0)
		return become_const(s, v, 0);
	if (op == IR_AND && (n & known) == known)
		return become_value(s, v, a);
	if (op == IR_AND && n == UINT32_MAX && !w32)
		return become(s, v, IR_ZEXT32, a, IR_NONE);
	if (op == IR_OR && n == all_ones(w32))
		return become_const(s, v, n);
	return op != IR_AND && n == 0 && become_value(s, v, a);
}

/* op(op(x, m), n): one constant for two. */
static bool fold_chain(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	const struct ir_ins *inner = def(s, a);
	enum ir_op op = def(s, v)->op;
	unsigned width = is_w32(s, a) ? 32 : 64;
	uint64_t m;

	if (inner->op != op || !constant(s, inner->args[1], &m))
		return false;
	switch (op) {
	case IR_ADD: return become_imm(s, v, op, inner->args[0], m + n);
	case IR_AND: return become_imm(s, v, op, inner->args[0], m & n);
	case IR_OR: return become_imm(s, v, op, inner->args[0], m | n);
	case IR_XOR: return become_imm(s, v, op, inner->args[0], m ^ n);
	case IR_SHL:
	case IR_LSHR:
		return m < width && n < width && m + n < width &&
			become_imm(s, v, op, inner->args[0], m + n);
	default: return false;
	}
}

static bool fold_with_const(struct fold *s, ir_val v, ir_val a, uint64_t n)
{
	enum ir_op op = def(s, v)->op;

	switch (op) {
	case IR_ADD:
		if (n == 0)
			return become_value(s, v, a);
		break;
	case IR_SUB: /* sums only: chains and loop counters are recognised in one form */
		return n == 0 ? become_value(s, v, a) : become_imm(s, v, IR_ADD, a, 0 - n);
	case IR_MUL:
		return fold_mul(s, v, a, n);
	case IR_UDIV:
	case IR_UMOD:
	case IR_SDIV:
	case IR_SMOD:
		return fold_div(s, v, a, n);
	case IR_SHL:
	case IR_LSHR:
	case IR_ASHR:
		if (fold_shift(s, v, a, n))
			return true;
		break;
	case IR_AND:
	case IR_OR:
	case IR_XOR:
		if (fold_bits(s, v, a, n))
			return true;
		break;
	default:
		return false;
	}
	return fold_chain(s, v, a, n);
}

static bool fold_same(struct fold *s, ir_val v, ir_val a)
{
	switch (def(s, v)->op) {
	case IR_SUB:
	case IR_XOR:
		return become_const(s, v, 0);
	case IR_AND:
	case IR_OR:
		return become_value(s, v, a);
	default:
		return false;
	}
}

static bool commutes(enum ir_op op)
{
	return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR;
}

static bool fold_bin(struct fold *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	ir_val a = i->args[0], b = i->args[1];
	uint64_t m, n;
	bool ca = constant(s, a, &m), cb = constant(s, b, &n);

	if (ca && cb)
		return become_const(s, v, ir_eval(i->op, is_w32(s, a), m, n));
	if (ca && commutes(i->op))
		return become(s, v, i->op, b, a);
	if (ca && m == 0 && i->op != IR_SUB) /* 0 / x, 0 << x …: 0 */
		return become_const(s, v, 0);
	if (cb)
		return fold_with_const(s, v, a, n);
	return a == b && fold_same(s, v, a);
}

/* ---- one operand ---- */
static uint64_t keeps(enum ir_op op) /* values up to here pass unchanged */
{
	switch (op) {
	case IR_ZEXT8: return UINT8_MAX;
	case IR_ZEXT16: return UINT16_MAX;
	case IR_ZEXT32: return UINT32_MAX;
	case IR_SEXT8: return INT8_MAX;
	case IR_SEXT16: return INT16_MAX;
	case IR_SEXT32: return INT32_MAX;
	default: return 0;
	}
}

static unsigned low_bits(enum ir_op op) /* bits of the operand that matter */
{
	switch (op) {
	case IR_ZEXT8:
	case IR_SEXT8: return 8;
	case IR_ZEXT16:
	case IR_SEXT16:
	case IR_BSWAP16: return 16;
	case IR_ZEXT32:
	case IR_SEXT32:
	case IR_BSWAP32:
	case IR_TRUNC: return 32;
	default: return 64;
	}
}

/* An operand that only extends x at or above the bits we look at: look at x itself. */
static bool fold_through(struct fold *s, ir_val v, const struct ir_ins *inner)
{
	enum ir_op op = def(s, v)->op;
	bool extends = inner->op == IR_ZEXT8 || inner->op == IR_ZEXT16 || inner->op == IR_ZEXT32 ||
		inner->op == IR_SEXT8 || inner->op == IR_SEXT16 || inner->op == IR_SEXT32;

	return extends && low_bits(op) <= low_bits(inner->op) &&
		become(s, v, op, inner->args[0], IR_NONE);
}

static bool fold_un(struct fold *s, ir_val v)
{
	enum ir_op op = def(s, v)->op;
	ir_val a = def(s, v)->args[0];
	const struct ir_ins *inner = def(s, a);
	uint64_t n;

	if (op == IR_ADDR)
		return false;
	if (constant(s, a, &n))
		return become_const(s, v, ir_eval(op, is_w32(s, a), n, 0));
	if (keeps(op) && greatest(s, a) <= keeps(op))
		return become_value(s, v, a);
	if ((op == IR_NEG || op == IR_BSWAP64) && inner->op == op)
		return become_value(s, v, inner->args[0]);
	if ((op == IR_BSWAP16 || op == IR_BSWAP32) && inner->op == op &&
		greatest(s, inner->args[0]) <= (op == IR_BSWAP16 ? UINT16_MAX : UINT32_MAX))
		return become_value(s, v, inner->args[0]);
	if (op == IR_TRUNC && inner->op == IR_WIDE)
		return become_value(s, v, inner->args[0]);
	if (op == IR_WIDE && inner->op == IR_TRUNC)
		return become(s, v, IR_ZEXT32, inner->args[0], IR_NONE);
	return fold_through(s, v, inner);
}

/* ---- addresses ---- */
#define OFF_MAX 32767 /* what fits the instruction */

/* Constant steps go into what uses the address. */
static bool fold_address(struct fold *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	const struct ir_ins *p = def(s, i->args[0]);

	if (p->op != IR_OFF || i->imm < 0 || i->imm + p->imm > OFF_MAX)
		return false;
	i->imm += p->imm;
	i->args[0] = p->args[0];
	s->changed = true;
	return true;
}

static bool fold_index(struct fold *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	struct ir_type t = ir_type_of(s->f, i->args[0]);
	uint64_t n;

	if (!constant(s, i->args[1], &n) || n > t.n || n > OFF_MAX)
		return false;
	t.n -= (uint32_t)n;
	i->op = IR_OFF;
	i->nargs = 1;
	i->imm = (int64_t)n;
	i->type = t;
	s->changed = true;
	return true;
}

static bool fold_off(struct fold *s, ir_val v)
{
	if (def(s, v)->imm == 0)
		return become_value(s, v, def(s, v)->args[0]);
	return fold_address(s, v);
}

/*
 * A field read through the number of the current task, cast back to what it is: the kernel's own
 * pointer will do. It is never NULL, and stays the current task's.
 */
static bool fold_cast(struct fold *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	const struct ir_ins *cast = def(s, i->args[0]), *number, *task;

	if (cast->op != IR_KCALL || strcmp(s->f->m->kfuncs.v[cast->aux].name, "bpf_rdonly_cast"))
		return false;
	number = def(s, cast->args[0]);
	task = number->op == IR_ADDR ? def(s, number->args[0]) : number;
	if (task->op != IR_CALL || task->aux != BPF_FUNC_get_current_task_btf ||
		task->type.kind != IRT_BTF || task->type.n != cast->type.n)
		return false;
	i->args[0] = number->args[0];
	s->changed = true;
	return true;
}

static bool fold_one(struct fold *s, ir_val v)
{
	bool pure = ir_op_row(def(s, v)->op)->flags & OF_P;

	if (def(s, v)->op == IR_LDF)
		return fold_cast(s, v);
	switch (ir_op_row(def(s, v)->op)->form) {
	case FORM_BIN: return pure && fold_bin(s, v);
	case FORM_UN: return pure && fold_un(s, v);
	case FORM_OFF: return fold_off(s, v);
	case FORM_INDEX: return fold_index(s, v);
	case FORM_LD:
	case FORM_ST:
	case FORM_ZERO:
	case FORM_ATOM:
	case FORM_CAS: return fold_address(s, v);
	default: return false;
	}
}

/* Operands may have become narrower: so may the result. */
static void refresh_type(struct fold *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	enum ir_form form = ir_op_row(i->op)->form;
	const char *why;
	struct ir_type t;

	if (form != FORM_BIN && form != FORM_UN)
		return;
	t = ir_infer(s->f, i, &why);
	if (!why && ir_type_fits(t, i->type))
		i->type = t;
}

static void fold_ins(struct fold *s, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];

	for (unsigned a = 0; a < i->nargs; a++)
		i->args[a] = ir_rewrite_get(&s->r, i->args[a]);
	refresh_type(s, v);
	/* Each step leaves something simpler; the bound only guards against a mistake here. */
	for (int n = 0; n < 16 && v < s->r.n && !s->r.to[v] && fold_one(s, v); n++)
		;
	if (v >= s->r.n || !s->r.to[v])
		emit(s, v);
}

static void fold_block(struct fold *s, ir_blk b)
{
	struct ir_block *blk = &s->f->blocks.v[b];
	uint32_t n = blk->ins.n;
	ir_val *ins = blk->ins.v;

	s->b = b;
	s->out = NULL;
	s->nout = s->cap = 0;
	for (uint32_t i = 0; i < n; i++)
		fold_ins(s, ins[i]);
	blk->ins.v = s->out;
	blk->ins.n = s->nout;
	blk->ins.cap = s->cap;
}

/* What only widens a result of which the low half counts. */
static void narrow_results(struct ir_fn *f, const struct ir_cfg *cfg)
{
	for (uint32_t i = 0; i < cfg->nrpo; i++) {
		struct ir_term *t = &f->blocks.v[cfg->rpo[i]].term;
		const struct ir_ins *v = ir_ins_of(f, t->args[0]);

		if (t->op == IRN_RET && (v->op == IR_SEXT32 || v->op == IR_ZEXT32))
			t->args[0] = v->args[0];
	}
}

void ir_opt_fold(struct ir_fn *f)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		struct fold s = {.f = f};
		struct ir_cfg *cfg = ir_cfg_build(f, ir_scratch(f));

		ir_rewrite_init(&s.r, f);
		for (uint32_t i = 0; i < cfg->nrpo; i++)
			fold_block(&s, cfg->rpo[i]);
		ir_rewrite_apply(&s.r);
		if (f->half_result)
			narrow_results(f, cfg);
		s.changed |= ir_opt_branches(f);
		if (!s.changed)
			return;
	}
}
