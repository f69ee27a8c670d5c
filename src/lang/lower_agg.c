/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Aggregations: updates in place of a per-CPU value. Adds are atomic all the same: a probe may
 * interrupt another on its CPU, and an uncontended atomic add costs one instruction more.
 */
#include "lang/lower.h"

/* Bucket of each number below 256: 1 for 0, else 2 + the position of the highest bit. */
static uint32_t bucket_table(struct lower *L)
{
	uint8_t table[256] = {1};

	if (L->log2_off != META_NONE)
		return L->log2_off;
	for (unsigned i = 1; i < sizeof(table); i++)
		table[i] = (uint8_t)(33 - __builtin_clz(i));
	L->log2_off = lo_rodata(L, table, sizeof(table), 8);
	return L->log2_off;
}

/* The highest byte of a number that is not zero, and how far it is from the lowest bit. */
struct top_byte {
	unsigned byte, shift; /* variables */
	ir_blk done;
};

static void top_byte_is(struct lower *L, ir_val byte, int shift, struct top_byte top)
{
	ir_var_write(L->f, top.byte, byte);
	ir_var_write(L->f, top.shift, ir_const(L->f, shift));
	lo_goto(L, top.done);
}

/*
 * By comparisons, two for most numbers: fewer instructions are executed than without branches, and
 * each comparison is the proof that what is left fits a byte. v is the script's number from bit
 * low on, 0 or 32.
 */
static void find_top_byte(struct lower *L, ir_val v, int low, struct top_byte top)
{
	ir_blk below16 = lo_block(L), from16 = lo_block(L), below8 = lo_block(L), from8 = lo_block(L),
	       below24 = lo_block(L), from24 = lo_block(L), below32, from32;
	ir_val w = lo_bound(L, v, 1u << 16, below16, from16), byte;

	lo_enter(L, below16);
	byte = lo_bound(L, w, 1u << 8, below8, from8);
	lo_enter(L, below8);
	top_byte_is(L, byte, low, top);
	lo_enter(L, from8);
	top_byte_is(L, ir_bini(L->f, IR_LSHR, w, 8), low + 8, top);
	lo_enter(L, from16);
	w = lo_bound(L, v, 1u << 24, below24, from24);
	lo_enter(L, below24);
	top_byte_is(L, ir_bini(L->f, IR_LSHR, w, 16), low + 16, top);
	lo_enter(L, from24);
	byte = ir_bini(L->f, IR_LSHR, v, 24);
	if (low) { /* 32 bits are all there are */
		top_byte_is(L, byte, low + 24, top);
		return;
	}
	below32 = lo_block(L);
	from32 = lo_block(L);
	byte = lo_bound(L, byte, 1u << 8, below32, from32);
	lo_enter(L, below32);
	top_byte_is(L, byte, 24, top);
	lo_enter(L, from32);
	find_top_byte(L, ir_bini(L->f, IR_LSHR, v, 32), 32, top);
}

/* Bucket of a number that is not negative. */
static ir_val positive_bucket(struct lower *L, ir_val v)
{
	struct top_byte top = {ir_var_new(L->f, ir_range(255)), ir_var_new(L->f, IR_I64), lo_block(L)};

	find_top_byte(L, v, 0, top);
	lo_enter(L, top.done);
	v = ir_index(L->f, lo_rodata_addr(L, bucket_table(L)), ir_var_read(L->f, top.byte));
	v = ir_ld(L->f, 1, v, 0);
	return ir_bin(L->f, IR_ADD, v, ir_var_read(L->f, top.shift));
}

/*
 * Each power of two in 2^bits parts of the same width; numbers below 2^bits by themselves. With 0
 * bits that is positive_bucket().
 */
static ir_val fine_bucket(struct lower *L, ir_val v, uint32_t bits)
{
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_blk small = lo_block(L), large = lo_block(L), done = lo_block(L);
	ir_val group, part;

	lo_if(L, CC_LT, v, ir_const(L->f, (int64_t)1 << bits), small, large);
	lo_enter(L, small);
	ir_var_write(L->f, var, ir_bini(L->f, IR_ADD, v, 1));
	lo_goto(L, done);
	lo_enter(L, large);
	group = positive_bucket(L, v); /* 2 + the position of the highest bit */
	group = ir_bini(L->f, IR_SUB, group, 2 + (int64_t)bits);
	group = ir_bini(L->f, IR_AND, group, 63); /* is; so that the shift is proven */
	part = ir_bin(L->f, IR_LSHR, v, group);
	part = ir_bini(L->f, IR_AND, part, ((int64_t)1 << bits) - 1);
	group = ir_bini(L->f, IR_ADD, group, 1);
	group = ir_bini(L->f, IR_SHL, group, bits);
	part = ir_bin(L->f, IR_ADD, group, part);
	ir_var_write(L->f, var, ir_bini(L->f, IR_ADD, part, 1));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

/* Goes to no where there is no such bucket, which cannot be. */
static ir_val hist_bucket(struct lower *L, ir_val v, uint32_t bits, bool is_signed, ir_blk no)
{
	ir_blk done = lo_block(L), in = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);

	if (is_signed) {
		ir_blk neg = lo_block(L), rest = lo_block(L);

		lo_if(L, CC_SLT, v, ir_const(L->f, 0), neg, rest);
		lo_enter(L, neg);
		ir_var_write(L->f, var, ir_const(L->f, 0));
		lo_goto(L, done);
		lo_enter(L, rest);
	}
	ir_var_write(L->f, var, bits ? fine_bucket(L, v, bits) : positive_bucket(L, v));
	lo_goto(L, done);
	lo_enter(L, done);
	v = lo_bound(L, ir_var_read(L->f, var), meta_hist_words(bits), in, no);
	lo_enter(L, in);
	return v;
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

void lo_add_word(struct lower *L, ir_val p, uint32_t word, ir_val v)
{
	ir_atom(L->f, AT_ADD, 8, p, 8 * (int64_t)word, v);
}

static void add_bucket(struct lower *L, ir_val p, ir_val bucket)
{
	ir_val off = ir_bini(L->f, IR_SHL, bucket, 3);

	lo_add_word(L, ir_index(L->f, p, off), 0, ir_const(L->f, 1));
}

/* min and max: take v when nothing was there or v goes beyond. */
void lo_extreme(struct lower *L, const struct map_sym *m, bool least, ir_val p, ir_val v)
{
	enum ir_cc less = m->agg_signed ? CC_SLT : CC_LT;
	ir_blk compare = lo_block(L), take = lo_block(L), done = lo_block(L);
	ir_val set = ir_ld(L->f, 8, p, 8), old;

	lo_if(L, CC_EQ, set, ir_const(L->f, 0), take, compare);
	lo_enter(L, compare);
	old = ir_ld(L->f, 8, p, 0);
	if (least)
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
		lo_add_word(L, p, 0, ir_const(L->f, 1));
		break;
	case MA_SUM:
		lo_add_word(L, p, 0, v);
		ir_st(L->f, 8, p, 8, ir_const(L->f, 1));
		break;
	case MA_AVG:
	case MA_STATS:
		lo_add_word(L, p, 0, v);
		lo_add_word(L, p, 1, ir_const(L->f, 1));
		break;
	case MA_MIN:
	case MA_MAX:
		lo_extreme(L, m, m->agg == MA_MIN, p, v);
		break;
	default: /* HIST, LHIST: v is the bucket */
		add_bucket(L, p, v);
		break;
	}
}

void lo_agg(struct lower *L, const struct expr *target, const struct expr *call)
{
	const struct map_sym *m = target->map;
	const struct expr *arg = call->u.call.args.list.n ? call->u.call.args.list.v[0] : NULL;
	ir_val v = arg ? lo_int(L, arg) : IR_NONE, p;
	ir_blk done;

	if (v != IR_NONE && ir_is_ptr(ir_type_of(L->f, v)))
		v = ir_un(L->f, IR_ADDR, v);
	done = lo_block(L);
	if (m->agg == MA_HIST)
		v = hist_bucket(L, v, m->hist_bits, arg->type.kind == LT_INT && arg->type.is_signed, done);
	else if (m->agg == MA_LHIST)
		v = lhist_bucket(L, m, v, arg->type.kind == LT_INT && arg->type.is_signed);
	p = lo_map_ensure(L, target, done);
	ir_span(L->f, call->span);
	if (m->agg == MA_TSERIES)
		lo_series(L, m, p, v, done);
	else
		apply(L, m, p, v);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* ---- reading inside a probe ---- */

/* Takes one CPU's least or greatest value, when there is one, into var; *any says whether there was. */
static void take_extreme(struct lower *L, const struct map_sym *m, ir_val p, unsigned var,
	unsigned any)
{
	enum ir_cc less = m->agg_signed ? CC_SLT : CC_LT;
	ir_blk is_set = lo_block(L), compare = lo_block(L), take = lo_block(L), done = lo_block(L);
	ir_val set = ir_ld(L->f, 8, p, 8), v, old;

	lo_if(L, CC_NE, set, ir_const(L->f, 0), is_set, done);
	lo_enter(L, is_set);
	v = ir_ld(L->f, 8, p, 0);
	lo_if(L, CC_EQ, ir_var_read(L->f, any), ir_const(L->f, 0), take, compare);
	lo_enter(L, compare);
	old = ir_var_read(L->f, var);
	if (m->agg == MA_MIN)
		lo_if(L, less, v, old, take, done);
	else
		lo_if(L, less, old, v, take, done);
	lo_enter(L, take);
	ir_var_write(L->f, var, v);
	ir_var_write(L->f, any, ir_const(L->f, 1));
	lo_goto(L, done);
	lo_enter(L, done);
}

/* Of the entry of e, or without e of the parts at all. */
static ir_val read_extreme(struct lower *L, const struct map_sym *m, const struct expr *e, ir_val all)
{
	const struct meta_map *meta = &L->m->meta->maps.v[m->meta];
	unsigned var = ir_var_new(L->f, IR_I64), any = ir_var_new(L->f, IR_I64);
	ir_blk out = lo_block(L);
	struct lo_rounds r;
	ir_val p;

	ir_var_write(L->f, var, ir_const(L->f, 0));
	ir_var_write(L->f, any, ir_const(L->f, 0));
	if (e)
		all = lo_map_parts(L, e, out);
	r = lo_rounds_begin(L, meta->cpus, out);
	p = ir_bini(L->f, IR_MUL, r.i, meta->value_size / meta->cpus);
	take_extreme(L, m, ir_index(L->f, all, p), var, any);
	lo_rounds_end(L, &r);
	lo_enter(L, out);
	return ir_var_read(L->f, var);
}

static ir_val read_sum(struct lower *L, const struct map_sym *m, ir_val p)
{
	ir_val v = ir_ld(L->f, 8, p, 0), n;

	if (m->agg != MA_AVG)
		return v;
	n = ir_ld(L->f, 8, p, 8);
	return ir_bin(L->f, m->agg_signed ? IR_SDIV : IR_UDIV, v, n);
}

ir_val lo_agg_at(struct lower *L, const struct map_sym *m, ir_val p)
{
	if (m->agg == MA_MIN || m->agg == MA_MAX)
		return read_extreme(L, m, NULL, p);
	return read_sum(L, m, p);
}

ir_val lo_agg_read(struct lower *L, const struct expr *e)
{
	const struct map_sym *m = e->map;
	struct lo_maybe r;
	ir_val p;

	if (m->agg == MA_MIN || m->agg == MA_MAX)
		return read_extreme(L, m, e, IR_NONE);
	p = lo_map_lookup(L, e);
	r = lo_maybe_begin(L);
	p = lo_maybe_at(L, &r, p);
	return lo_maybe_end(L, &r, read_sum(L, m, p));
}
