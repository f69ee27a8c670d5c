/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The rules of a chain, in source order. Those that cannot match the chain's packets are left out.
 * Rules in a row that all test one field against constants become a tree over its values: at each
 * leaf stand, in order, the rules that the value may meet, so a thousand addresses cost ten tests.
 * Rules that only drop, or only pass, join a row of their kind from further down.
 */
#include "lang/packet.h"
#include <stdlib.h>
#include <string.h>

#define RUN_LEAST 3 /* rules in a row that are worth a tree */
#define CONJ_MOST 16

/* ---- conditions in parts ---- */

struct conj { /* a && b && … */
	const struct expr *e[CONJ_MOST];
	unsigned n;
	bool no; /* never true here, or too long */
};

static void split(const struct lower *L, const struct expr *e, struct conj *c)
{
	enum lo_tri k = lo_known(L, e);

	if (k == TRI_NO || c->n == CONJ_MOST) {
		c->no = true;
	} else if (e->kind == EX_BINARY && e->u.binary.op == BO_LAND) {
		split(L, e->u.binary.a, c);
		split(L, e->u.binary.b, c);
	} else if (k == TRI_OPEN) {
		c->e[c->n++] = e;
	}
}

/* The part that tests this operand against constants, if none before it has an effect; or -1. */
static int part_on(struct lower *L, const struct conj *c, const struct expr *what, struct lo_test *t)
{
	for (unsigned i = 0; i < c->n; i++) {
		*t = (struct lo_test){0};
		if (lo_test_of(L->a, c->e[i], t) && (!what || lo_same_operand(t->what, what)))
			return (int)i;
		if (lo_has_effect(c->e[i]))
			return -1;
	}
	return -1;
}

static const struct expr *rest_of(struct lower *L, const struct conj *c, int without)
{
	const struct expr *all = NULL;

	for (int i = 0; i < (int)c->n; i++) {
		struct expr *both;

		if (i == without)
			continue;
		if (!all) {
			all = c->e[i];
			continue;
		}
		both = ARENA_NEW(L->a, struct expr);
		*both = (struct expr){.kind = EX_BINARY, .span = c->e[i]->span, .type = all->type};
		both->u.binary.op = BO_LAND;
		both->u.binary.a = (struct expr *)all;
		both->u.binary.b = (struct expr *)c->e[i];
		all = both;
	}
	return all;
}

/* ---- rules in a row ---- */

struct member {
	const struct lo_rule *r;
	const struct expr *rest; /* of its predicate, or NULL */
	struct lo_test test;
};
struct run {
	const struct expr *what;
	VEC(struct member) m;
};

static bool is_member(struct lower *L, const struct lo_rule *r, const struct expr *what,
	struct member *m)
{
	struct conj all = {.n = 0}, *c = &all;
	int part;

	split(L, r->cond, c);
	if (c->no)
		return false;
	m->r = r;
	part = part_on(L, c, what, &m->test);
	/* a loop stands in each chain once: leaves could repeat it */
	if (part < 0 || (r->pred | r->body) & LO_SEARCHES || lo_writes_packet(r->p->body))
		return false;
	m->rest = rest_of(L, c, part);
	return true;
}

/* The chain parts at L4, but has not yet. */
static bool before_parting(const struct lower *L)
{
	return L->net.l4 == L4_ANY && (L->net.l3 == L3_IP4 || L->net.l3 == L3_IP6);
}

/*
 * The rules from i on that test what the first of them tests: those in a row, and behind others those
 * that may change places with all of these. A chain that has not parted yet takes none that looks at L4.
 * Those of a group may all change places. first: rule i is to be the first of them.
 */
static void find_run(struct lower *L, uint32_t i, bool first, struct run *run)
{
	bool whole = !before_parting(L), group = L->net.group.on;
	uint32_t end = group ? L->net.group.end : L->net.nrules;
	int left = 0; /* what those left where they are decide */

	*run = (struct run){.what = NULL};
	for (uint32_t k = i; k < end; k++) {
		const struct lo_rule *r = &L->net.rules[k];
		struct member m;
		int verdict;

		if (L->net.done[k])
			continue;
		if (!r->cond)
			return;
		if (lo_known(L, r->cond) == TRI_NO)
			continue;
		verdict = group || !L->s->count_rules ? lo_verdict_of(r) : 0;
		if (left && verdict != left && !group)
			return;
		if ((whole || !((r->pred | r->body) & L4_LAYERS)) && is_member(L, r, run->what, &m)) {
			if (!run->what)
				run->what = m.test.what;
			vec_push(L->a, &run->m, m);
			continue;
		}
		if (!verdict || (first && k == i))
			return;
		left = verdict;
	}
}

struct edge { /* a value at which the rules that may match change */
	unsigned __int128 at;
	uint32_t member;
	bool on;
};
struct list { /* rules for some values, in order */
	uint32_t *v, n;
	ir_blk to;
};
struct tree {
	VEC(struct edge) edges;
	VEC(struct list) lists;
	VEC(struct lo_leaf) leaves;
};

static int by_place(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at ? 1 : x->member < y->member ? -1
	       : x->member > y->member;
}

static void add_edges(struct lower *L, const struct run *run, struct tree *t)
{
	for (uint32_t i = 0; i < run->m.n; i++) {
		const struct lo_test *test = &run->m.v[i].test;

		for (uint32_t k = 0; k < test->spans.n; k++) {
			vec_push(L->a, &t->edges, (struct edge){test->spans.v[k].lo, i, true});
			if (test->spans.v[k].hi + 1)
				vec_push(L->a, &t->edges,
					(struct edge){test->spans.v[k].hi + 1, i, false});
		}
	}
	qsort(t->edges.v, t->edges.n, sizeof(*t->edges.v), by_place);
}

/* The block for these rules: the same for the same rules. */
static ir_blk list_block(struct lower *L, struct tree *t, const uint32_t *v, uint32_t n, ir_blk after)
{
	struct list l = {.n = n};

	if (!n)
		return after;
	for (uint32_t i = 0; i < t->lists.n; i++) {
		if (t->lists.v[i].n == n && !memcmp(t->lists.v[i].v, v, n * sizeof(*v)))
			return t->lists.v[i].to;
	}
	l.v = ARENA_ARRAY(L->a, uint32_t, n);
	memcpy(l.v, v, n * sizeof(*v));
	l.to = lo_block(L);
	vec_push(L->a, &t->lists, l);
	return l.to;
}

/* Keeps the members that may match in order; they are few at any value, or the run is cut. */
static uint32_t change(uint32_t *now, uint32_t n, const struct edge *e)
{
	uint32_t at = 0;

	while (at < n && now[at] < e->member)
		at++;
	if (e->on && (at == n || now[at] != e->member)) {
		memmove(now + at + 1, now + at, (n - at) * sizeof(*now));
		now[at] = e->member;
		return n + 1;
	}
	if (!e->on && at < n && now[at] == e->member) {
		memmove(now + at, now + at + 1, (n - at - 1) * sizeof(*now));
		return n - 1;
	}
	return n;
}

/* False: too many rules stand at too many leaves. */
static bool make_leaves(struct lower *L, const struct run *run, struct tree *t, ir_blk after)
{
	uint64_t most = L->net.inner ? 2ull * run->m.n + 16 : 8ull * run->m.n + 64;
	uint32_t *now = ARENA_ARRAY(L->a, uint32_t, run->m.n + 1), n = 0;
	uint64_t written = 0;

	vec_push(L->a, &t->leaves, (struct lo_leaf){0, after});
	for (uint32_t i = 0; i < t->edges.n;) {
		unsigned __int128 at = t->edges.v[i].at;
		uint32_t lists = t->lists.n;
		ir_blk to;

		for (unsigned on = 0; on < 2; on++) { /* what ends here, then what begins */
			for (uint32_t k = i; k < t->edges.n && t->edges.v[k].at == at; k++) {
				if (t->edges.v[k].on == on)
					n = change(now, n, &t->edges.v[k]);
			}
		}
		while (i < t->edges.n && t->edges.v[i].at == at)
			i++;
		to = list_block(L, t, now, n, after);
		written += t->lists.n > lists ? n : 0;
		if (written > most)
			return false;
		if (!at)
			t->leaves.v[0].to = to;
		else if (t->leaves.v[t->leaves.n - 1].to != to)
			vec_push(L->a, &t->leaves, (struct lo_leaf){at, to});
	}
	return true;
}

static void write_list(struct lower *L, const struct run *run, const struct list *l);
static void in_order(struct lower *L);

/* Ends the block and goes on behind the run. */
static void write_run(struct lower *L, struct run *run)
{
	ir_blk after = lo_block(L);
	struct tree t = {0};

	add_edges(L, run, &t);
	while (!make_leaves(L, run, &t, after)) { /* fewer rules, then: the others come behind */
		run->m.n /= 2;
		t = (struct tree){0};
		add_edges(L, run, &t);
	}
	L->missing = after; /* where the header is not there, no rule of the run matches */
	lo_tree(L, run->what, t.leaves.v, t.leaves.n);
	L->missing = IR_NONE;
	for (uint32_t i = 0; i < run->m.n; i++)
		L->net.done[run->m.v[i].r - L->net.rules] = true;
	for (uint32_t i = 0; i < t.lists.n; i++) {
		lo_enter(L, t.lists.v[i].to);
		write_list(L, run, &t.lists.v[i]);
		lo_goto(L, after);
	}
	lo_enter(L, after);
	lo_group_hide(L);
}

/* The rules of a leaf, without what the tree has asked: they may be runs again. */
static void write_list(struct lower *L, const struct run *run, const struct list *l)
{
	struct lo_net outer = L->net;
	struct lo_rule *rules = ARENA_ARRAY(L->a, struct lo_rule, l->n);

	for (uint32_t k = 0; k < l->n; k++) {
		const struct member *m = &run->m.v[l->v[k]];

		rules[k] = *m->r;
		rules[k].cond = m->rest;
	}
	L->net.rules = rules;
	L->net.nrules = l->n;
	L->net.done = ARENA_ARRAY(L->a, bool, l->n);
	L->net.inner = true;
	L->net.group.end = l->n;
	in_order(L);
	L->net = outer;
}

unsigned lo_layers_from(const struct lower *L, uint32_t from)
{
	unsigned mask = 0;

	for (uint32_t i = from; i < L->net.nrules; i++) {
		if (!L->net.done || !L->net.done[i])
			mask |= L->net.rules[i].pred | L->net.rules[i].body;
	}
	return mask;
}

bool lo_rules_read(const struct lower *L, uint32_t from, unsigned layers)
{
	for (uint32_t i = from; i < L->net.nrules; i++) {
		const struct lo_rule *r = &L->net.rules[i];

		if (!L->net.done[i] && (r->pred | r->body) & layers &&
			!(r->cond && lo_known(L, r->cond) == TRI_NO))
			return true;
	}
	return false;
}

/*
 * The last rule that looks at L4: what its condition asks before that is asked first, and packets that
 * fail it go on without their L4 ever being looked for. True when there is such a part.
 */
static bool before_l4(struct lower *L, uint32_t i)
{
	const struct lo_rule *r = &L->net.rules[i], *rules = L->net.rules;
	struct lo_rule *changed;
	struct conj c = {.n = 0}, head, tail;
	ir_blk yes, no;
	unsigned k = 0;

	if (!r->cond || lo_rules_read(L, i + 1, L4_LAYERS))
		return false;
	split(L, r->cond, &c);
	while (!c.no && k < c.n && !(lo_expr_layers(c.e[k]) & L4_LAYERS))
		k++;
	if (!k || k == c.n)
		return false;
	head = c, tail = c;
	head.n = k;
	memmove(tail.e, c.e + k, (c.n - k) * sizeof(*c.e));
	tail.n = c.n - k;
	changed = ARENA_ARRAY(L->a, struct lo_rule, L->net.nrules);
	memcpy(changed, rules, L->net.nrules * sizeof(*rules));
	changed[i].cond = rest_of(L, &tail, -1);
	yes = lo_block(L), no = lo_block(L);
	lo_cond(L, rest_of(L, &head, -1), yes, no);
	lo_free_slots(L);
	lo_enter(L, yes);
	L->net.rules = changed;
	lo_split_l4(L, i);
	L->net.rules = rules;
	lo_enter(L, no);
	lo_rules(L, i + 1);
	return true;
}

/* The rule, or those that it is in a row with. */
static void write_rule(struct lower *L, uint32_t i)
{
	const struct lo_rule *r = &L->net.rules[i];
	struct run run;

	find_run(L, i, true, &run);
	if (run.m.n >= RUN_LEAST) {
		write_run(L, &run);
		return;
	}
	lo_group_rule(L, r);
	lo_rule(L, r->p, r->ap, r->cond);
	if (!L->net.inner)
		lo_group_hide(L);
}

/* Rules at which no chain parts. */
static void in_order(struct lower *L)
{
	for (uint32_t i = 0; i < L->net.nrules && ir_open(L->f); i++) {
		const struct lo_rule *r = &L->net.rules[i];

		if (!L->net.done[i] && !(r->cond && lo_known(L, r->cond) == TRI_NO))
			write_rule(L, i);
	}
}

/* What does not need L4 and may come before rule i, that does: it is written once then. */
static void hoist(struct lower *L, uint32_t i)
{
	struct run run;

	for (find_run(L, i, false, &run); run.m.n >= RUN_LEAST; find_run(L, i, false, &run))
		write_run(L, &run);
}

void lo_rules(struct lower *L, uint32_t from)
{
	struct lo_group group = L->net.group; /* another chain may go on with it */
	bool *outer = L->net.done;

	L->net.done = ARENA_ARRAY(L->a, bool, L->net.nrules + 1);
	if (outer)
		memcpy(L->net.done, outer, L->net.nrules * sizeof(*outer));
	for (uint32_t i = from; i < L->net.nrules && ir_open(L->f); i++) {
		const struct lo_rule *r = &L->net.rules[i];

		if (L->net.group.on && i >= L->net.group.end)
			lo_group_end(L);
		if (L->net.done[i] || (r->cond && lo_known(L, r->cond) == TRI_NO))
			continue;
		lo_group_begin(L, i);
		if ((r->pred | r->body) & L4_LAYERS && before_parting(L)) {
			hoist(L, i);
			if (!before_l4(L, i))
				lo_split_l4(L, i);
			break;
		}
		write_rule(L, i);
	}
	if (ir_open(L->f)) {
		lo_group_end(L);
		lo_end(L);
	}
	L->net.done = outer;
	L->net.group = group;
}
