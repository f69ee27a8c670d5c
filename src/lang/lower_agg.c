/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Aggregations: updates in place of a per-CPU value. Adds are atomic all the same: a probe may
 * interrupt another on its CPU, and an uncontended atomic add costs one instruction more.
 */
#include "lang/lower.h"

#define DEBRUIJN 0x03f79d71b4cb0a89ull /* every 6-bit window of it is different */

/* Position of the highest bit for each window of the product; computed, not copied. */
static uint32_t log2_table(struct lower *L)
{
	uint8_t table[64] = {0};

	if (L->log2_off != META_NONE)
		return L->log2_off;
	for (unsigned i = 0; i < 64; i++) {
		uint64_t smeared = i == 63 ? ~0ull : (2ull << i) - 1;

		table[(smeared * DEBRUIJN) >> 58] = (uint8_t)i;
	}
	L->log2_off = lo_rodata(L, table, sizeof(table), 8);
	return L->log2_off;
}

/* floor(log2(v)) + 2 for v > 0: no branches, so that the verifier sees one path. */
static ir_val log2_bucket(struct lower *L, ir_val v)
{
	static const int steps[] = {1, 2, 4, 8, 16, 32};
	ir_val t, p;

	for (unsigned i = 0; i < 6; i++) {
		t = ir_bini(L->f, IR_LSHR, v, steps[i]);
		v = ir_bin(L->f, IR_OR, v, t);
	}
	v = ir_bini(L->f, IR_MUL, v, (int64_t)DEBRUIJN);
	v = ir_bini(L->f, IR_LSHR, v, 58);
	p = lo_rodata_addr(L, log2_table(L));
	v = ir_ld(L->f, 1, ir_index(L->f, p, v), 0);
	v = ir_bini(L->f, IR_AND, v, 63);
	return ir_bini(L->f, IR_ADD, v, 2);
}

static ir_val hist_bucket(struct lower *L, ir_val v, bool is_signed)
{
	ir_blk zero = lo_block(L), some = lo_block(L), done = lo_block(L);
	unsigned var = ir_var_new(L->f, ir_range(65));

	if (is_signed) {
		ir_blk neg = lo_block(L), rest = lo_block(L);

		lo_if(L, CC_SLT, v, ir_const(L->f, 0), neg, rest);
		lo_enter(L, neg);
		ir_var_write(L->f, var, ir_const(L->f, 0));
		lo_goto(L, done);
		lo_enter(L, rest);
	}
	lo_if(L, CC_EQ, v, ir_const(L->f, 0), zero, some);
	lo_enter(L, zero);
	ir_var_write(L->f, var, ir_const(L->f, 1));
	lo_goto(L, done);
	lo_enter(L, some);
	ir_var_write(L->f, var, log2_bucket(L, v));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

static ir_val lhist_bucket(struct lower *L, const struct map_sym *m, ir_val v, bool is_signed)
{
	/* bounds are int64: a large unsigned value is above them, and none is below a negative one */
	enum ir_cc below = is_signed ? CC_SLT : CC_LT, above = is_signed ? CC_SGE : CC_GE;
	int64_t least = !is_signed && m->lhist_min < 0 ? 0 : m->lhist_min;
	uint64_t inner = meta_lhist_steps(m->lhist_min, m->lhist_max, m->lhist_step);
	int64_t last = (int64_t)((uint64_t)m->lhist_min + inner * (uint64_t)m->lhist_step);
	int64_t end = !is_signed && last < 0 ? 0 : last;
	ir_blk low = lo_block(L), rest = lo_block(L), high = lo_block(L), mid = lo_block(L),
	       in = lo_block(L), done = lo_block(L);
	unsigned var = ir_var_new(L->f, ir_range(inner + 1));
	ir_val i;

	lo_if(L, below, v, ir_const(L->f, least), low, rest);
	lo_enter(L, low);
	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, rest);
	lo_if(L, above, v, ir_const(L->f, end), high, mid);
	lo_enter(L, mid);
	i = ir_bini(L->f, IR_SUB, v, m->lhist_min);
	i = ir_bini(L->f, IR_UDIV, i, m->lhist_step);
	i = lo_bound(L, i, inner ? inner : 1, in, high); /* holds by arithmetic; said so that it is proven */
	lo_enter(L, in);
	ir_var_write(L->f, var, ir_bini(L->f, IR_ADD, i, 1));
	lo_goto(L, done);
	lo_enter(L, high);
	ir_var_write(L->f, var, ir_const(L->f, (int64_t)inner + 1));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

static void add_word(struct lower *L, ir_val p, uint32_t word, ir_val v)
{
	ir_atom(L->f, AT_ADD, 8, p, 8 * (int64_t)word, v);
}

static void add_bucket(struct lower *L, ir_val p, ir_val bucket)
{
	ir_val off = ir_bini(L->f, IR_SHL, bucket, 3);

	add_word(L, ir_index(L->f, p, off), 0, ir_const(L->f, 1));
}

/* min and max: take v when nothing was there or v goes beyond. */
static void extreme(struct lower *L, const struct map_sym *m, ir_val p, ir_val v)
{
	enum ir_cc less = m->agg_signed ? CC_SLT : CC_LT;
	ir_blk compare = lo_block(L), take = lo_block(L), done = lo_block(L);
	ir_val set = ir_ld(L->f, 8, p, 8), old;

	lo_if(L, CC_EQ, set, ir_const(L->f, 0), take, compare);
	lo_enter(L, compare);
	old = ir_ld(L->f, 8, p, 0);
	if (m->agg == MA_MIN)
		lo_if(L, less, v, old, take, done);
	else
		lo_if(L, less, old, v, take, done);
	lo_enter(L, take);
	ir_st(L->f, 8, p, 0, v);
	ir_st(L->f, 8, p, 8, ir_const(L->f, 1));
	lo_goto(L, done);
	lo_enter(L, done);
}

static void apply(struct lower *L, const struct map_sym *m, ir_val p, ir_val v)
{
	switch (m->agg) {
	case MA_COUNT:
		add_word(L, p, 0, ir_const(L->f, 1));
		break;
	case MA_SUM:
		add_word(L, p, 0, v);
		ir_st(L->f, 8, p, 8, ir_const(L->f, 1));
		break;
	case MA_AVG:
	case MA_STATS:
		add_word(L, p, 0, v);
		add_word(L, p, 1, ir_const(L->f, 1));
		break;
	case MA_MIN:
	case MA_MAX:
		extreme(L, m, p, v);
		break;
	default: /* HIST, LHIST: v is the bucket */
		add_bucket(L, p, v);
		break;
	}
}

void lo_agg(struct lower *L, const struct expr *target, const struct expr *call)
{
	const struct map_sym *m = target->map;
	const struct meta_map *meta = &L->m->meta->maps.v[m->meta];
	const struct expr *arg = call->u.call.args.list.n ? call->u.call.args.list.v[0] : NULL;
	ir_val v = arg ? lo_int(L, arg) : IR_NONE, p;
	ir_blk done;

	if (v != IR_NONE && ir_is_ptr(ir_type_of(L->f, v)))
		v = ir_un(L->f, IR_ADDR, v);
	if (m->agg == MA_HIST)
		v = hist_bucket(L, v, arg->type.kind == LT_INT && arg->type.is_signed);
	else if (m->agg == MA_LHIST)
		v = lhist_bucket(L, m, v, arg->type.kind == LT_INT && arg->type.is_signed);
	done = lo_block(L);
	p = lo_map_ensure(L, target, done);
	ir_span(L->f, call->span);
	apply(L, m, p, v);
	if (meta->scalar && (m->agg == MA_HIST || m->agg == MA_LHIST))
		ir_st(L->f, 8, p, meta->present_off, ir_const(L->f, 1));
	lo_goto(L, done);
	lo_enter(L, done);
}
