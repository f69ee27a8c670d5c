/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Conditions become control flow: BPF has no instruction that sets a register from a comparison,
 * and proofs through arithmetic are refused by the verifier (contract S15).
 *
 * A packet field whose header is missing makes the comparison it stands in false: while a
 * comparison is lowered, L->missing is its "no" target. Under "!" the targets are exchanged, so
 * the comparison inside stays what is false.
 */
#include "lang/lower.h"
#include <string.h>

static const enum ir_cc cc_unsigned[] = {[BO_EQ] = CC_EQ, [BO_NE] = CC_NE, [BO_LT] = CC_LT,
	[BO_LE] = CC_LE, [BO_GT] = CC_GT, [BO_GE] = CC_GE};
static const enum ir_cc cc_signed[] = {[BO_EQ] = CC_EQ, [BO_NE] = CC_NE, [BO_LT] = CC_SLT,
	[BO_LE] = CC_SLE, [BO_GT] = CC_SGT, [BO_GE] = CC_SGE};

static const struct net_field *net_number(const struct expr *e)
{
	bool is = e->kind == EX_FIELD && e->ref.kind == REF_NET &&
		  (e->ref.u.net->kind == NK_NUM || e->ref.u.net->kind == NK_FLAG);

	return is ? e->ref.u.net : NULL;
}

/* Constant in the byte order of the packet, as the raw load gives it. */
static int64_t to_raw(const struct net_field *f, uint64_t host)
{
	return f->width == 2   ? __builtin_bswap16((uint16_t)host)
	       : f->width == 4 ? __builtin_bswap32((uint32_t)host)
			       : (int64_t)host;
}

/*
 * (field & mask) == want: the constants are shifted and swapped when compiling instead of the field
 * when running. mask and want are numbers of the field as the script sees it.
 */
static void net_bits(struct lower *L, const struct net_field *f, uint64_t mask, uint64_t want,
	ir_blk yes, ir_blk no)
{
	uint64_t all = (1ull << (f->bits ? f->bits : 8 * f->width)) - 1;
	bool whole = !f->bits && (mask & all) == all, single;
	ir_val v;

	mask &= all;
	single = mask && !(mask & (mask - 1));
	v = lo_net_raw(L, f); /* goes to L->missing when the header is not there */
	if (want & ~mask) {   /* never */
		lo_goto(L, no);
		return;
	}
	if (!whole && (!want || (single && want == mask))) {
		lo_if(L, CC_SET, v, ir_const(L->f, to_raw(f, mask << f->shift)), want ? yes : no,
			want ? no : yes);
		return;
	}
	if (!whole)
		v = ir_bini(L->f, IR_AND, v, to_raw(f, mask << f->shift));
	lo_if(L, CC_EQ, v, ir_const(L->f, to_raw(f, want << f->shift)), yes, no);
}

/* field, or field & constant */
static const struct net_field *masked(const struct expr *e, uint64_t *mask)
{
	*mask = UINT64_MAX;
	if (e->kind == EX_BINARY && e->u.binary.op == BO_AND) {
		const struct expr *a = e->u.binary.a, *b = e->u.binary.b;

		if (a->is_const)
			b = a, a = e->u.binary.b;
		if (!b->is_const)
			return NULL;
		*mask = b->const_value;
		return net_number(a);
	}
	return net_number(e);
}

static bool net_equality(struct lower *L, enum binop op, const struct expr *a,
	const struct expr *b, ir_blk yes, ir_blk no)
{
	const struct net_field *f;
	uint64_t mask;

	if ((op != BO_EQ && op != BO_NE) || !b->is_const || !(f = masked(a, &mask)))
		return false;
	if (op == BO_EQ)
		net_bits(L, f, mask, b->const_value, yes, no);
	else
		net_bits(L, f, mask, b->const_value, no, yes);
	return true;
}

/* "x > 0", "x <= 0" and the like: equalities, for which nothing is swapped. */
static bool net_bound(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	const struct net_field *f = net_number(e->u.binary.a);
	struct lo_test t = {0};
	uint64_t most;

	if (!f || f->width == 1 || !lo_test_of(L->a, e, &t) || t.spans.n != 1)
		return false;
	most = (1ull << (f->bits ? f->bits : 8 * f->width)) - 1;
	if (t.spans.v[0].lo == t.spans.v[0].hi)
		net_bits(L, f, UINT64_MAX, (uint64_t)t.spans.v[0].lo, yes, no);
	else if (t.spans.v[0].lo == 1 && t.spans.v[0].hi == most)
		net_bits(L, f, UINT64_MAX, 0, no, yes);
	else if (!t.spans.v[0].lo && t.spans.v[0].hi == most - 1)
		net_bits(L, f, UINT64_MAX, most, no, yes);
	else
		return false;
	return true;
}

/*
 * "rand % n == k", "rand % n < k" and their contraries: of the 2^32 numbers that rand may be, exactly
 * as many are below a bound, and comparing costs less than dividing.
 */
static bool rand_share(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b, *r = a->u.binary.a;
	enum binop op = e->u.binary.op;
	uint64_t n, k, share;

	if (a->kind != EX_BINARY || a->u.binary.op != BO_MOD || !a->u.binary.b->is_const || !b->is_const ||
		r->kind != EX_NAME || r->ref.kind != REF_BUILTIN || r->ref.u.builtin != BI_RAND)
		return false;
	n = a->u.binary.b->const_value;
	k = b->const_value;
	if (n < 2 || n > UINT32_MAX || k >= n)
		return false;
	if (op == BO_EQ || op == BO_NE)
		share = (UINT32_MAX - k) / n + 1;
	else if (k && (op == BO_LT || op == BO_GE))
		share = k * ((1ull << 32) / n) + (k < (1ull << 32) % n ? k : (1ull << 32) % n);
	else
		return false;
	lo_if(L, op == BO_EQ || op == BO_LT ? CC_LT : CC_GE, lo_int(L, r), ir_const(L->f, (int64_t)share),
		yes, no);
	return true;
}

static void pair_equal(struct lower *L, struct lo_pair a, struct lo_pair b, ir_blk eq, ir_blk ne)
{
	ir_blk half = lo_block(L);

	lo_if(L, CC_EQ, a.lo, b.lo, half, ne);
	lo_enter(L, half);
	lo_if(L, CC_EQ, a.hi, b.hi, eq, ne);
}

/* The value that 'probe' or 'func' has where the name is that text; none: one that they never have. */
static int64_t name_value(const struct lower *L, const struct expr *name, const char *text)
{
	for (uint32_t i = 0; i < L->m->meta->probes.n; i++) {
		const struct meta_probe *p = &L->m->meta->probes.v[i];

		if (p->prog == L->prog && !strcmp(name->type.kind == LT_PROBE ? p->name : p->func, text))
			return name->type.kind == LT_PROBE ? i : p->func_id;
	}
	return -1;
}

static void compare(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	enum binop op = e->u.binary.op;
	bool equality = op == BO_EQ || op == BO_NE;
	const enum ir_cc *cc = lt_unsigned_pair(a, b) ? cc_unsigned : cc_signed;
	ir_val va, vb;

	if (a->kind == EX_INDEX && a->ref.kind == REF_NET && equality &&
		(b->kind == EX_STR || b->is_const)) {
		lo_payload_equal(L, a, b, op == BO_EQ ? yes : no, op == BO_EQ ? no : yes);
		return;
	}
	if (lo_number_array(a) && lo_number_array(b)) { /* of one size: the checker saw to that */
		va = lo_int(L, a->u.cast.a);
		vb = lo_int(L, b->u.cast.a);
		va = ir_bin(L->f, IR_XOR, va, vb);
		va = ir_bini(L->f, IR_SHL, va, 64 - 8 * a->type.size);
		lo_if(L, CC_EQ, va, ir_const(L->f, 0), op == BO_EQ ? yes : no, op == BO_EQ ? no : yes);
		return;
	}
	if ((a->type.kind == LT_PROBE || a->type.kind == LT_FUNC) && b->kind == EX_STR) {
		lo_if(L, cc[op], lo_int(L, a), ir_const(L->f, name_value(L, a, b->u.str.s)), yes, no);
		return;
	}
	if (a->type.kind == LT_STR || b->type.kind == LT_STR || a->type.kind == LT_ARRAY ||
		a->type.kind == LT_BUF) {
		lo_str_cmp(L, a, b, op == BO_EQ ? yes : no, op == BO_EQ ? no : yes);
		return;
	}
	if (a->type.kind == LT_INET || b->type.kind == LT_INET) {
		lo_inet_cmp(L, a, b, op == BO_EQ ? yes : no, op == BO_EQ ? no : yes);
		return;
	}
	if (a->type.kind == LT_INET6) {
		struct lo_pair pa = lo_inet6(L, a), pb = lo_inet6(L, b);

		pair_equal(L, pa, pb, op == BO_EQ ? yes : no, op == BO_EQ ? no : yes);
		return;
	}
	if (net_equality(L, op, a, b, yes, no) || net_equality(L, op, b, a, yes, no))
		return;
	if (net_bound(L, e, yes, no) || rand_share(L, e, yes, no))
		return;
	va = lo_int(L, a);
	vb = lo_int(L, b);
	ir_span(L->f, e->span);
	if (!equality && a->type.kind == LT_INET4) { /* order of addresses is that of host numbers */
		va = ir_un(L->f, IR_BSWAP32, va);
		vb = ir_un(L->f, IR_BSWAP32, vb);
	}
	lo_if(L, cc[op], va, vb, yes, no);
}

/* Bits of the network part, as a mask over the raw number. */
static uint64_t raw_mask4(unsigned prefix)
{
	uint32_t host = prefix ? ~0u << (32 - prefix) : 0;

	return __builtin_bswap32(host);
}

static uint64_t raw_mask8(unsigned prefix)
{
	uint64_t host = prefix == 0 ? 0 : prefix >= 64 ? ~0ull : ~0ull << (64 - prefix);

	return __builtin_bswap64(host);
}

static uint64_t raw_bytes(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static void in_prefix4(struct lower *L, ir_val v, const struct expr *net, ir_blk yes, ir_blk no)
{
	uint64_t mask = raw_mask4(net->u.addr.prefix);
	uint64_t want = raw_bytes(net->u.addr.bytes, 4) & mask;

	if (mask != 0xffffffff)
		v = ir_bini(L->f, IR_AND, v, (int64_t)mask);
	lo_if(L, CC_EQ, v, ir_const(L->f, (int64_t)want), yes, no);
}

static void in_prefix6(struct lower *L, struct lo_pair v, const struct expr *net, ir_blk yes,
	ir_blk no)
{
	unsigned prefix = net->u.addr.prefix;
	uint64_t m0 = raw_mask8(prefix > 64 ? 64 : prefix), m1 = raw_mask8(prefix > 64 ? prefix - 64 : 0);
	struct lo_pair want = {ir_const(L->f, (int64_t)(raw_bytes(net->u.addr.bytes, 8) & m0)),
		ir_const(L->f, (int64_t)(raw_bytes(net->u.addr.bytes + 8, 8) & m1))};

	v.lo = ir_bini(L->f, IR_AND, v.lo, (int64_t)m0);
	v.hi = ir_bini(L->f, IR_AND, v.hi, (int64_t)m1);
	pair_equal(L, v, want, yes, no);
}

/* One member of a set: a number, an address or prefix, or a range of numbers (both ends in). */
static void in_one(struct lower *L, const struct expr *what, ir_val v, struct lo_pair pair,
	const struct expr *one, ir_blk yes, ir_blk no)
{
	if (one->kind == EX_ADDR && one->u.addr.family == 6) {
		in_prefix6(L, pair, one, yes, no);
	} else if (one->kind == EX_ADDR && one->u.addr.family == 4) {
		in_prefix4(L, v, one, yes, no);
	} else if (one->kind == EX_RANGE) {
		const enum ir_cc *cc = lt_unsigned_pair(what, one->u.range.lo) ? cc_unsigned : cc_signed;
		ir_blk above = lo_block(L);

		lo_if(L, cc[BO_GE], v, lo_int(L, one->u.range.lo), above, no);
		lo_enter(L, above);
		lo_if(L, cc[BO_LE], v, lo_int(L, one->u.range.hi), yes, no);
	} else {
		lo_if(L, CC_EQ, v, lo_int(L, one), yes, no);
	}
}

static void in_set(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	struct lo_pair pair = {IR_NONE, IR_NONE};
	ir_val v = IR_NONE;

	if (lo_in_tree(L, e, yes, no))
		return;
	if (a->type.kind == LT_INET6)
		pair = lo_inet6(L, a);
	else
		v = lo_int(L, a);
	if (b->kind != EX_SET) {
		in_one(L, a, v, pair, b, yes, no);
		return;
	}
	for (uint32_t i = 0; i < b->u.tuple.list.n; i++) {
		ir_blk next = i + 1 < b->u.tuple.list.n ? lo_block(L) : no;

		in_one(L, a, v, pair, b->u.tuple.list.v[i], yes, next);
		if (next != no)
			lo_enter(L, next);
	}
}

static bool is_call(const struct expr *e, unsigned id)
{
	return e->kind == EX_CALL && e->ref.kind == REF_FUNC && e->ref.u.builtin == id;
}

/* A single test: everything that is not &&, || or !. */
static void test(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	ir_blk outer = L->missing;
	bool outer_used = L->missing_used;
	uint64_t mask;

	L->missing = no;
	if (e->kind == EX_BINARY && e->u.binary.op >= BO_EQ) {
		compare(L, e, yes, no);
	} else if (e->kind == EX_IN && e->u.binary.b->kind == EX_MAP) {
		lo_in_map(L, e, yes, no);
	} else if (e->kind == EX_IN) {
		in_set(L, e, yes, no);
	} else if (is_call(e, BI_F_CONTAINS)) {
		lo_contains(L, e, yes, no);
	} else if (is_call(e, BI_F_DNS_NAME)) {
		lo_dns_name(L, e, yes, no);
	} else if (is_call(e, BI_F_RATE)) {
		lo_rate(L, e, yes, no);
	} else if (is_call(e, BI_F_EVERY)) {
		lo_every(L, e, yes, no);
	} else if (masked(e, &mask)) {
		net_bits(L, masked(e, &mask), mask, 0, no, yes);
	} else {
		ir_val v = lo_int(L, e);

		lo_if(L, CC_NE, v, ir_const(L->f, 0), yes, no);
	}
	L->missing = outer;
	L->missing_used = outer_used;
}

void lo_cond(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	ir_blk mid;

	ir_span(L->f, e->span);
	if (e->is_const) {
		lo_goto(L, e->const_value ? yes : no);
	} else if (e->kind == EX_UNARY && e->u.unary.op == UO_NOT) {
		lo_cond(L, e->u.unary.a, no, yes);
	} else if (e->kind == EX_BINARY && (e->u.binary.op == BO_LAND || e->u.binary.op == BO_LOR)) {
		bool both = e->u.binary.op == BO_LAND;

		mid = lo_block(L);
		lo_cond(L, e->u.binary.a, both ? mid : yes, both ? no : mid);
		lo_enter(L, mid);
		lo_cond(L, e->u.binary.b, yes, no);
	} else {
		test(L, e, yes, no);
	}
}
