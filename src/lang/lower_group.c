/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Many rules in a row that do nothing but decide, some drop() and some pass(). The first that matches
 * decides, so they may not change places; but they may be looked at in any order when each that
 * matches only says its place, and the least place decides in the end. So a tree for each field does,
 * however often the verdict changes from rule to rule. Where each rule is counted, the one that
 * decides is, in the end.
 *
 * What was found is a number of which the verifier must know nothing, or it would go through the rest
 * once for every rule: hidden behind a part of the header.
 */
#include "lang/packet.h"

#define GROUP_LEAST 24 /* rules: fewer are as fast one after the other */
#define TURNS_LEAST 4 /* of the verdict among them */
#define FOUND_NONE INT32_MAX

/*
 * What a rule does that does nothing but decide, by a condition without effect: two that decide the
 * same may change places, unless they are counted.
 */
int lo_verdict_of(const struct lo_rule *r)
{
	const struct block *b = r->p->body;
	const struct expr *e;

	if (!b || b->list.n != 1 || b->list.v[0]->kind != ST_EXPR ||
		lo_has_effect(r->cond))
		return 0;
	e = b->list.v[0]->u.expr;
	if (e->kind != EX_CALL || e->ref.kind != REF_FUNC || e->u.call.args.list.n)
		return 0;
	return e->ref.u.builtin == BI_F_DROP || e->ref.u.builtin == BI_F_PASS ? (int)e->ref.u.builtin : 0;
}

/* Begins a group at this rule when it and enough behind it make one. */
void lo_group_begin(struct lower *L, uint32_t from)
{
	struct lo_group g = {.on = true, .end = from};
	unsigned n = 0, turns = 0;
	int last = 0;

	if (L->net.group.on || L->net.inner || (L->net.l3 != L3_IP4 && L->net.l3 != L3_IP6))
		return;
	for (; g.end < L->net.nrules; g.end++) {
		const struct lo_rule *r = &L->net.rules[g.end];
		int verdict;

		if (L->net.done[g.end] || (r->cond && lo_known(L, r->cond) == TRI_NO))
			continue;
		verdict = r->cond ? lo_verdict_of(r) : 0;
		if (!verdict)
			break;
		g.call[verdict == BI_F_PASS] = r->p->body->list.v[0]->u.expr;
		turns += last && verdict != last;
		last = verdict;
		n++;
	}
	if (n < GROUP_LEAST || (turns < TURNS_LEAST && !L->s->count_rules))
		return;
	g.best = ir_var_new(L->f, IR_I64);
	ir_var_write(L->f, g.best, ir_const(L->f, FOUND_NONE));
	L->net.group = g;
	lo_group_hide(L);
}

void lo_group_rule(struct lower *L, const struct lo_rule *r)
{
	if (L->net.group.on)
		L->net.group.code = 2 * (int64_t)r->order + (lo_verdict_of(r) == BI_F_PASS);
}

void lo_group_found(struct lower *L)
{
	const struct lo_group *g = &L->net.group;
	ir_blk first = lo_block(L), after = lo_block(L);

	lo_if(L, CC_GT, ir_var_read(L->f, g->best), ir_const(L->f, g->code), first, after);
	lo_enter(L, first);
	ir_var_write(L->f, g->best, ir_const(L->f, g->code));
	lo_goto(L, after);
	lo_enter(L, after);
}

void lo_group_hide(struct lower *L)
{
	ir_val v;

	if (!L->net.group.on)
		return;
	v = ir_var_read(L->f, L->net.group.best);
	v = ir_bin(L->f, IR_HIDE, v, lo_net_load(L, 4, L->net.p3, L->net.base + 4));
	ir_var_write(L->f, L->net.group.best, v);
}

/* The rule found decides; without one it goes on behind the group. */
void lo_group_end(struct lower *L)
{
	const struct lo_group g = L->net.group;
	ir_blk on, found, way[2];
	ir_val best;

	if (!g.on)
		return;
	L->net.group.on = false;
	on = lo_block(L);
	best = ir_var_read(L->f, g.best);
	found = lo_block(L);
	lo_if(L, CC_EQ, best, ir_const(L->f, FOUND_NONE), on, found);
	lo_enter(L, found);
	if (L->s->count_rules)
		lo_count_found(L, ir_bini(L->f, IR_LSHR, best, 1));
	way[0] = lo_block(L), way[1] = lo_block(L);
	if (!g.call[0] || !g.call[1]) /* all of them decide the same */
		lo_goto(L, way[!g.call[0]]);
	else
		lo_if(L, CC_SET, best, ir_const(L->f, 1), way[1], way[0]);
	for (unsigned i = 0; i < 2; i++) {
		if (!g.call[i])
			continue;
		lo_enter(L, way[i]);
		ir_span(L->f, g.call[i]->span);
		lo_verdict(L, g.call[i]);
	}
	lo_enter(L, on);
}
