/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sets of constants: what conditions say about one packet field as ranges of numbers, and the search
 * tree that finds the range of a value. Addresses are numbers in host order, so a network is a range.
 */
#include "lang/lower.h"
#include <stdlib.h>

#define TREE_LEAST 5 /* constants; fewer are tested one after the other */

typedef unsigned __int128 num;

/* ---- conditions as ranges ---- */

bool lo_same_operand(const struct expr *a, const struct expr *b)
{
	return a->ref.u.net == b->ref.u.net;
}

/* A header field whose values are numbers of at most 128 bits. */
static bool is_operand(const struct expr *e)
{
	return e->kind == EX_FIELD && e->ref.kind == REF_NET && e->ref.u.net->kind != NK_MAC &&
	       e->ref.u.net->kind != NK_SPECIAL;
}

static num greatest(const struct expr *e)
{
	const struct net_field *f = e->ref.u.net;
	unsigned bits = f->bits ? f->bits : f->width * 8;

	return bits == 128 ? ~(num)0 : ((num)1 << bits) - 1;
}

static void add(struct arena *a, struct lo_test *t, num lo, num hi)
{
	num most = greatest(t->what);

	if (hi > most)
		hi = most;
	if (lo <= hi)
		vec_push(a, &t->spans, (struct lo_span){lo, hi});
}

static bool constant(const struct expr *e, num *v)
{
	if (e->kind == EX_ADDR) {
		*v = 0;
		for (unsigned i = 0; i < (e->u.addr.family == 4 ? 4u : 16u); i++)
			*v = *v << 8 | e->u.addr.bytes[i];
		return e->u.addr.family != 0;
	}
	*v = e->const_value;
	return e->is_const && (int64_t)e->const_value >= 0;
}

static bool element(struct arena *a, const struct expr *one, struct lo_test *t)
{
	unsigned bits, host;
	num lo, hi;

	if (one->kind == EX_RANGE) {
		if (!constant(one->u.range.lo, &lo) || !constant(one->u.range.hi, &hi))
			return false;
		add(a, t, lo, hi);
		return true;
	}
	if (!constant(one, &lo))
		return false;
	hi = lo;
	if (one->kind == EX_ADDR) {
		bits = one->u.addr.family == 4 ? 32 : 128;
		host = bits - one->u.addr.prefix;
		hi = host == 128 ? ~(num)0 : lo | (((num)1 << host) - 1);
		lo = host == 128 ? 0 : lo >> host << host;
	}
	add(a, t, lo, hi);
	return true;
}

static bool comparison(struct arena *a, enum binop op, num v, struct lo_test *t)
{
	num most = greatest(t->what);

	switch (op) {
	case BO_EQ:
		add(a, t, v, v);
		return true;
	case BO_NE:
		if (v)
			add(a, t, 0, v - 1);
		if (v < most)
			add(a, t, v + 1, most);
		return true;
	case BO_LT:
		if (v)
			add(a, t, 0, v - 1);
		return true;
	case BO_LE:
		add(a, t, 0, v);
		return true;
	case BO_GT:
		if (v < most)
			add(a, t, v + 1, most);
		return true;
	case BO_GE:
		add(a, t, v, most);
		return true;
	default:
		return false;
	}
}

static enum binop mirrored(enum binop op)
{
	return op == BO_LT ? BO_GT : op == BO_GT ? BO_LT : op == BO_LE ? BO_GE : op == BO_GE ? BO_LE : op;
}

static bool test_in(struct arena *a, const struct expr *e, struct lo_test *t)
{
	const struct expr *set = e->u.binary.b;

	if (!is_operand(e->u.binary.a))
		return false;
	t->what = e->u.binary.a;
	if (set->kind != EX_SET)
		return set->kind != EX_MAP && element(a, set, t);
	for (uint32_t i = 0; i < set->u.tuple.list.n; i++) {
		if (!element(a, set->u.tuple.list.v[i], t))
			return false;
	}
	return true;
}

static int by_low(const void *a, const void *b)
{
	const struct lo_span *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* In order, none touching the next: elements of sets may overlap. */
static void merge(struct lo_test *t)
{
	uint32_t n = 0;

	if (t->spans.n)
		qsort(t->spans.v, t->spans.n, sizeof(*t->spans.v), by_low);
	for (uint32_t i = 0; i < t->spans.n; i++) {
		struct lo_span *last = n ? &t->spans.v[n - 1] : NULL, *s = &t->spans.v[i];

		if (last && (s->lo <= last->hi || s->lo == last->hi + 1))
			last->hi = s->hi > last->hi ? s->hi : last->hi;
		else
			t->spans.v[n++] = *s;
	}
	t->spans.n = n;
}

static bool any_test(struct arena *a, const struct expr *e, struct lo_test *t);

bool lo_test_of(struct arena *a, const struct expr *e, struct lo_test *t)
{
	if (!any_test(a, e, t))
		return false;
	merge(t);
	return true;
}

static bool any_test(struct arena *a, const struct expr *e, struct lo_test *t)
{
	const struct expr *x, *y;
	num v;

	if (e->kind == EX_IN)
		return test_in(a, e, t);
	if (e->kind != EX_BINARY)
		return false;
	x = e->u.binary.a;
	y = e->u.binary.b;
	if (e->u.binary.op == BO_LOR) { /* of one field */
		struct lo_test second = {0};

		if (!any_test(a, x, t) || !any_test(a, y, &second) ||
			!lo_same_operand(t->what, second.what))
			return false;
		for (uint32_t i = 0; i < second.spans.n; i++)
			vec_push(a, &t->spans, second.spans.v[i]);
		return true;
	}
	if (is_operand(x) && constant(y, &v)) {
		t->what = x;
		return comparison(a, e->u.binary.op, v, t);
	}
	if (is_operand(y) && constant(x, &v)) {
		t->what = y;
		return comparison(a, mirrored(e->u.binary.op), v, t);
	}
	return false;
}

/* ---- trees ---- */

struct search {
	struct lower *L;
	const struct lo_leaf *leaf;
	ir_val hi, lo; /* the value; hi only for IPv6 */
	bool wide;
};

static ir_val word(struct search *s, num v)
{
	return ir_const(s->L->f, (int64_t)(uint64_t)v);
}

static void less(struct search *s, num pivot, ir_blk yes, ir_blk no)
{
	ir_blk above, same;

	if (!s->wide) {
		lo_if(s->L, CC_LT, s->lo, word(s, pivot), yes, no);
		return;
	}
	if (!(uint64_t)pivot) {
		lo_if(s->L, CC_LT, s->hi, word(s, pivot >> 64), yes, no);
		return;
	}
	above = lo_block(s->L), same = lo_block(s->L);
	lo_if(s->L, CC_LT, s->hi, word(s, pivot >> 64), yes, above);
	lo_enter(s->L, above);
	lo_if(s->L, CC_EQ, s->hi, word(s, pivot >> 64), same, no);
	lo_enter(s->L, same);
	lo_if(s->L, CC_LT, s->lo, word(s, pivot), yes, no);
}

static void equal(struct search *s, num v, ir_blk yes, ir_blk no)
{
	if (s->wide) {
		ir_blk same = lo_block(s->L);

		lo_if(s->L, CC_EQ, s->hi, word(s, v >> 64), same, no);
		lo_enter(s->L, same);
	}
	lo_if(s->L, CC_EQ, s->lo, word(s, v), yes, no);
}

/* Among leaves from..to-1: ends the block. */
static void node(struct search *s, uint32_t from, uint32_t to)
{
	uint32_t mid = from + (to - from) / 2;
	ir_blk left, right;

	if (to - from == 1) {
		lo_goto(s->L, s->leaf[from].to);
		return;
	}
	if (to - from == 3 && s->leaf[from].to == s->leaf[from + 2].to &&
		s->leaf[from + 1].from + 1 == s->leaf[from + 2].from) {
		equal(s, s->leaf[from + 1].from, s->leaf[from + 1].to, s->leaf[from].to);
		return;
	}
	left = mid - from == 1 ? s->leaf[from].to : lo_block(s->L);
	right = to - mid == 1 ? s->leaf[mid].to : lo_block(s->L);
	less(s, s->leaf[mid].from, left, right);
	if (mid - from > 1) {
		lo_enter(s->L, left);
		node(s, from, mid);
	}
	if (to - mid > 1) {
		lo_enter(s->L, right);
		node(s, mid, to);
	}
}

void lo_tree(struct lower *L, const struct expr *what, const struct lo_leaf *leaf, uint32_t n)
{
	struct search s = {.L = L, .leaf = leaf};

	ir_span(L->f, what->span);
	if (what->ref.u.net->kind == NK_INET6) {
		struct lo_pair p = lo_net_pair(L, what->ref.u.net);

		s.hi = ir_un(L->f, IR_BSWAP64, p.lo);
		s.lo = ir_un(L->f, IR_BSWAP64, p.hi);
		s.wide = true;
	} else {
		s.lo = lo_net_field(L, what->ref.u.net);
		if (what->ref.u.net->kind == NK_INET4)
			s.lo = ir_un(L->f, IR_BSWAP32, s.lo);
	}
	node(&s, 0, n);
}

bool lo_in_tree(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	struct lo_test t = {0};
	VEC(struct lo_leaf) leaves = {0};

	if (!lo_test_of(L->a, e, &t) || t.spans.n < TREE_LEAST)
		return false;
	vec_push(L->a, &leaves, (struct lo_leaf){0, no});
	for (uint32_t i = 0; i < t.spans.n; i++) {
		num lo = t.spans.v[i].lo, hi = t.spans.v[i].hi;

		if (!lo)
			leaves.v[0].to = yes;
		else
			vec_push(L->a, &leaves, (struct lo_leaf){lo, yes});
		if (hi < greatest(t.what))
			vec_push(L->a, &leaves, (struct lo_leaf){hi + 1, no});
	}
	lo_tree(L, t.what, leaves.v, leaves.n);
	return true;
}
