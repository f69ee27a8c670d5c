/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random scripts: blocks and steps as values, functions, loops over maps; see lang.h. */
#include "tests/fuzz/lang_gen.h"
#include <stdio.h>

/* ---- values ---- */

/* x++ and the like, of a variable or a map's number. */
static struct le *step(struct gen *g)
{
	unsigned at = gen_below(g, g->p->nmaps);
	const struct lang_map *m = &g->p->map[at];
	struct le *e, *a = NULL;

	if (gen_chance(g, 60)) {
		a = gen_variable(g, &lang_int, true);
	} else if (m->agg == LA_NONE && gen_is_num(m->value)) {
		a = gen_node(g, LE_MAP, m->value);
		a->n = at;
		a->a = gen_key(g, m);
	}
	if (!a)
		return NULL;
	e = gen_node(g, LE_INC, a->t);
	e->n = gen_below(g, 4);
	e->a = a;
	return e;
}

/* { statements; value } */
static struct le *block(struct gen *g, const struct lang_type *t, unsigned depth)
{
	struct le *e = gen_node(g, LE_BLOCK, t);

	g->blocks++;
	e->body = gen_statements(g, 1 + gen_below(g, 2), depth > 1 && g->cost == 1, false);
	e->a = gen_keep(g, t == &lang_int && gen_chance(g, 20) ? &lang_uint : t, depth - 1);
	e->t = e->a->t;
	g->blocks--;
	return e;
}

static struct le *call(struct gen *g, unsigned depth)
{
	struct le *e = gen_node(g, LE_CALL, NULL);
	const struct lang_fn *fn;

	e->n = gen_below(g, LANG_FNS);
	fn = &g->p->fn[e->n];
	if (g->cost > 1 && fn->loops)
		return NULL;
	g->calls++;
	for (unsigned i = 0; i < fn->nparams; i++)
		e->el[i] = gen_expr(g, &lang_int, depth - 1);
	e->t = fn->result == 7 ? &lang_uint : &lang_int;
	return e;
}

/* text[index]: the index must be no constant, which would be refused behind the end. */
static struct le *byte_at(struct gen *g)
{
	struct le *e = gen_node(g, LE_AT, &lang_int);

	e->a = gen_variable(g, &lang_str, false);
	if (!e->a)
		e->a = gen_node(g, LE_NAME, &lang_str);
	e->b = gen_node(g, LE_FIELD, &lang_int);
	e->b->n = gen_below(g, 4);
	return e;
}

struct le *gen_special(struct gen *g, const struct lang_type *t, unsigned depth)
{
	unsigned n = gen_below(g, 100);

	if (g->pure || g->frozen)
		return NULL;
	if (n < 3 && g->budget > 2 && !g->in_key && g->blocks < 2 && g->cost < 6)
		return block(g, t, depth);
	if (t->kind == LK_STR && g->each && n < 20)
		return gen_of_pair(g, t);
	if (!gen_is_num(t))
		return NULL;
	if (n < 8)
		return step(g);
	if (n < 11 && !g->in_fn && !g->in_each && g->calls < 3 && g->cost < 3)
		return call(g, depth);
	return n < 13 && !g->in_each && g->p->extremes ? byte_at(g) : NULL;
}

struct le *gen_of_pair(struct gen *g, const struct lang_type *t)
{
	for (int n = 0; n < 6; n++) {
		struct le *e = gen_node(g, LE_VAR, g->p->var[g->each].t), *part;

		e->n = g->each;
		while (e->t->kind == LK_TUPLE) {
			part = gen_node(g, LE_ELEM, NULL);
			part->n = gen_below(g, e->t->n);
			part->a = e;
			part->t = e->t->el[part->n];
			e = part;
		}
		if (e->t == t || (gen_is_num(t) && gen_is_num(e->t)))
			return e;
	}
	return NULL;
}

struct le *gen_constant(struct gen *g, const struct lang_type *t)
{
	struct le *e;

	if (t->kind == LK_STR) {
		e = gen_node(g, LE_TEXT, t);
		e->s = gen_chance(g, 50) ? "only" : "";
		return e;
	}
	if (t->kind != LK_TUPLE)
		return gen_literal(g, gen_below(g, 4));
	e = gen_node(g, LE_TUPLE, t);
	for (unsigned i = 0; i < t->n; i++)
		e->el[i] = gen_constant(g, t->el[i]);
	return e;
}

/* ---- keys ---- */

/* What is in force here; keys are said again only where nothing of that has changed. */
static unsigned scope(const struct gen *g)
{
	return g->from | g->nlive << 8 | (g->nlive ? g->live[g->nlive - 1] : 0) << 12 | g->each << 20 |
	       (unsigned)g->in_each << 28 | (unsigned)g->in_fn << 29;
}

void gen_key_keep(struct gen *g, const struct lang_map *m, struct le *key)
{
	g->key[m - g->p->map] = (struct gen_key){key, scope(g), g->cost};
}

/* (x & 3) with x cast, or compared as a number of the other sign. */
static struct le *nearly(struct gen *g, const struct le *part)
{
	struct le *e = gen_node(g, LE_BIN, part->t), *a = part->a, *c;

	*e = *part;
	e->a = c = gen_node(g, gen_chance(g, 30) ? LE_TRUTH : LE_CAST, &lang_int);
	c->n = gen_below(g, 7);
	while (a->kind == LE_CAST)
		a = a->a;
	c->a = a;
	if (a->kind == LE_BIN && a->n >= LO_LT && a->b->kind == LE_NUM && a->b->t == &lang_int) {
		c->a = gen_node(g, LE_BIN, a->t);
		*c->a = *a;
		c->a->b = gen_node(g, LE_CAST, &lang_uint);
		c->a->b->n = 7;
		c->a->b->a = a->b;
	}
	return e;
}

struct le *gen_key_again(struct gen *g, const struct lang_map *m)
{
	const struct gen_key *k = &g->key[m - g->p->map];
	struct le *e;

	if (!k->e || k->scope != scope(g) || g->cost > k->cost || g->frozen || g->in_key || gen_chance(g, 60))
		return NULL;
	if (k->e->kind != LE_TUPLE || gen_chance(g, 50))
		return k->e;
	e = gen_node(g, LE_TUPLE, k->e->t);
	for (unsigned i = 0; i < e->t->n; i++) {
		e->el[i] = k->e->el[i];
		if (e->el[i]->kind == LE_BIN && e->el[i]->n == LO_AND && e->el[i]->t == &lang_int)
			e->el[i] = nearly(g, e->el[i]);
	}
	return e;
}

/* ---- loops over maps ---- */

static unsigned new_variable(struct gen *g, const struct lang_type *t)
{
	struct lang_var *v = &g->p->var[g->p->nvars];

	v->t = t;
	v->let = -1;
	snprintf(v->name, sizeof(v->name), "i%u", g->loops++);
	return g->p->nvars++;
}

static const struct lang_type *pair_type(struct gen *g, const struct lang_map *m)
{
	struct lang_type *t = ARENA_NEW(g->p->a, struct lang_type);

	t->kind = LK_TUPLE;
	t->n = 2;
	t->el[0] = m->key->n == 1 ? m->key->el[0] : m->key;
	t->el[1] = m->value;
	return t;
}

/* Statements that give the same in any order. */
static struct ls *any_order(struct gen *g, unsigned n, unsigned map)
{
	struct ls *first = NULL, **last = &first;

	for (; n--; last = &(*last)->next) {
		struct ls *s = *last = ARENA_NEW(g->p->a, struct ls);
		unsigned at = gen_below(g, g->p->nmaps);
		const struct lang_map *m = &g->p->map[at];
		struct le *v;

		if (gen_chance(g, 20) && n) {
			s->kind = LS_IF;
			s->a = gen_expr(g, &lang_int, 2);
			s->yes = ARENA_NEW(g->p->a, struct ls);
			s->yes->kind = LS_CONTINUE;
			continue;
		}
		if (m->agg != LA_NONE && at != map && gen_chance(g, 60)) {
			s->kind = LS_AGG;
			s->which = at;
			s->key = gen_key(g, m);
			s->a = m->agg == LA_COUNT ? NULL : gen_keep(g, m->value, 2);
			continue;
		}
		g->frozen = false;
		v = gen_variable(g, &lang_int, true);
		g->frozen = true;
		s->kind = LS_OP;
		s->which = (unsigned)v->n;
		s->op = gen_chance(g, 50) ? LO_ADD : LO_SUB;
		s->a = gen_keep(g, v->t, 2);
	}
	return first;
}

static bool each(struct gen *g, struct ls *s, unsigned depth)
{
	unsigned at = gen_below(g, g->p->nmaps);
	const struct lang_map *m = &g->p->map[at];
	bool extreme = m->agg == LA_MIN || m->agg == LA_MAX;

	if (!g->p->extremes || g->in_each || g->in_key || g->blocks || g->cost > 3 || !m->key || m->agg >= LA_STATS ||
		g->p->nvars == LANG_VARS || (extreme && g->reads > 1))
		return false;
	g->reads += extreme;
	s->kind = LS_EACH;
	s->which = at;
	s->var = g->each = new_variable(g, pair_type(g, m));
	g->in_each = true;
	if (m->only) {
		s->yes = gen_statements(g, 1 + gen_below(g, 4), depth - 1, true);
	} else {
		g->frozen = true;
		s->yes = any_order(g, 1 + gen_below(g, 3), at);
		g->frozen = false;
	}
	g->in_each = false;
	g->each = 0;
	return true;
}

static bool found(struct gen *g, struct ls *s, unsigned depth, bool in_loop)
{
	unsigned at = gen_below(g, g->p->nmaps);
	const struct lang_map *m = &g->p->map[at];

	if (!m->key || m->agg != LA_NONE || !gen_is_num(m->value) || g->p->nvars == LANG_VARS ||
		g->nlive == GEN_LIVE || g->in_key)
		return false;
	s->kind = LS_FIND;
	s->which = at;
	s->key = gen_key(g, m);
	s->var = new_variable(g, m->value);
	g->live[g->nlive++] = s->var;
	s->yes = gen_statements(g, 1 + gen_below(g, 3), depth - 1, in_loop);
	g->nlive--;
	if (gen_chance(g, 50))
		s->no = gen_statements(g, 1 + gen_below(g, 2), depth - 1, in_loop);
	return true;
}

bool gen_map_loop(struct gen *g, struct ls *s, unsigned depth, bool in_loop)
{
	return gen_chance(g, 70) ? each(g, s, depth) : found(g, s, depth, in_loop);
}

/* ---- functions ---- */

static void function(struct gen *g, unsigned n)
{
	struct lang_fn *fn = &g->p->fn[n];

	fn->first = g->from = g->p->nvars;
	fn->nparams = 1 + gen_below(g, LANG_KEYS);
	fn->nvars = fn->nparams + gen_below(g, 3);
	fn->result = gen_below(g, LANG_CASTS);
	for (unsigned i = 0; i < fn->nvars; i++) {
		struct lang_var *v = &g->p->var[g->p->nvars++];
		unsigned let = gen_below(g, LANG_CASTS);

		v->let = (int)let;
		v->t = let == 7 ? &lang_uint : &lang_int;
		snprintf(v->name, sizeof(v->name), "a%u", i);
	}
	g->base = g->p->nvars;
	g->budget = 2 + gen_below(g, 5);
	fn->body = gen_statements(g, g->budget, 2, false);
	fn->value = gen_keep(g, &lang_int, 2);
}

void gen_functions(struct gen *g)
{
	unsigned base = g->base, loops;

	g->in_fn = true;
	g->cost = 2; /* they stand wherever they are called */
	for (unsigned i = 0; i < LANG_FNS; i++) {
		loops = g->loops;
		function(g, i);
		g->p->fn[i].loops = g->loops > loops;
	}
	g->in_fn = false;
	g->cost = 1;
	g->from = 0;
	g->base = base;
}
