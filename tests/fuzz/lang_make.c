/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random scripts: what they say. Types are right by construction; see lang.h. */
#include "tests/fuzz/lang.h"
#include <stdio.h>
#include <string.h>

const struct lang_type lang_int = {.kind = LK_INT}, lang_uint = {.kind = LK_UINT},
		       lang_str = {.kind = LK_STR}, lang_bool = {.kind = LK_BOOL};
const struct lang_cast lang_casts[LANG_CASTS] = {{"int8", 1, true}, {"uint8", 1, false},
	{"int16", 2, true}, {"uint16", 2, false}, {"int32", 4, true}, {"uint32", 4, false},
	{"int64", 8, true}, {"uint64", 8, false}};
const struct lang_field lang_fields[LANG_FIELDS] = {{"i8", false}, {"u8", false}, {"i16", false},
	{"u16", false}, {"i32", false}, {"u32", false}, {"i64", false}, {"u64", true}, {"n.a", false},
	{"n.b", false}, {"n.c", false}, {"f1", false}, {"f2", false}};
const int64_t lang_lhist[3] = {-20, 100, 15};

struct gen {
	struct lang *p;
	uint64_t s;
	const struct lang_type *tuple[4];
	unsigned ntuples, base; /* variables that are no loops' */
	unsigned live[4], nlive; /* of the loops around here */
	unsigned budget, cost, searches, reads, loops;
	bool pure; /* inside a macro: only parameters and literals */
};

static uint64_t rnd(struct gen *g)
{
	uint64_t z = (g->s += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static unsigned below(struct gen *g, unsigned n)
{
	return (unsigned)(rnd(g) % n);
}

static bool chance(struct gen *g, unsigned percent)
{
	return below(g, 100) < percent;
}

static const uint64_t edges[] = {0, 1, 2, 7, 8, 63, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0xffffffffffffffff, 0xfffffffffffffffe,
	0xffffffff80000000};

static uint64_t number(struct gen *g)
{
	if (chance(g, 35))
		return edges[below(g, sizeof(edges) / sizeof(*edges))];
	return chance(g, 60) ? below(g, 100) : rnd(g) >> (1 + below(g, 63));
}

static struct le *node(struct gen *g, enum le_kind kind, const struct lang_type *t)
{
	struct le *e = ARENA_NEW(g->p->a, struct le);

	e->kind = kind;
	e->t = t;
	return e;
}

static struct le *literal(struct gen *g, uint64_t n)
{
	struct le *e = node(g, LE_NUM, n > INT64_MAX ? &lang_uint : &lang_int);

	e->n = n;
	return e;
}

/* Few letters, so that texts are often alike; lengths around words, and long ones. */
static char *some_text(struct gen *g)
{
	static const unsigned char lens[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 63, 64, 65, 100,
		LANG_TEXT_MAX};
	unsigned n = chance(g, 60) ? below(g, 10) : lens[below(g, sizeof(lens))];
	char *s = arena_alloc(g->p->a, n + 1);

	for (unsigned i = 0; i < n; i++)
		s[i] = (char)('a' + below(g, 3));
	s[n] = 0;
	return s;
}

static struct le *expr(struct gen *g, const struct lang_type *t, unsigned depth);

static bool is_num(const struct lang_type *t)
{
	return t->kind == LK_INT || t->kind == LK_UINT;
}

static bool same_type(const struct lang_type *a, const struct lang_type *b)
{
	return a == b || (is_num(a) && is_num(b));
}

/* A variable of this type that may be read here; NULL: none. to: that may be written. */
static struct le *variable(struct gen *g, const struct lang_type *t, bool to)
{
	unsigned found[LANG_VARS + 4], n = 0;
	struct le *e;

	for (unsigned i = 0; i < g->base; i++) {
		if (same_type(g->p->var[i].t, t))
			found[n++] = i;
	}
	for (unsigned i = 0; i < g->nlive && !to && is_num(t); i++)
		found[n++] = g->live[i];
	if (!n || g->pure)
		return NULL;
	e = node(g, LE_VAR, NULL);
	e->n = found[below(g, n)];
	e->t = g->p->var[e->n].t;
	return e;
}

static struct le *cast(struct gen *g, unsigned to, struct le *a)
{
	struct le *e = node(g, LE_CAST, to == 7 ? &lang_uint : &lang_int);

	e->n = to;
	e->a = a;
	return e;
}

/* Whether it prints as true or false, or may. */
static bool is_bool(const struct le *e)
{
	switch (e->kind) {
	case LE_BIN:
		return e->n >= LO_EQ;
	case LE_COND:
	case LE_ELVIS:
		return is_bool(e->b) || is_bool(e->c);
	case LE_NOT:
	case LE_AND:
	case LE_OR:
	case LE_NCMP:
	case LE_CONTAINS:
	case LE_HAS:
	case LE_MACRO:
	case LE_SAME:
		return true;
	default:
		return false;
	}
}

/* As t exactly: what is kept must not change a place's sign. */
static struct le *exactly(struct gen *g, const struct lang_type *t, struct le *e)
{
	if (!is_num(t) || (e->t == t && !is_bool(e) && (t != &lang_uint || e->kind != LE_NUM)))
		return e;
	return cast(g, t == &lang_uint ? 7 : 6, e);
}

static struct le *keep(struct gen *g, const struct lang_type *t, unsigned depth)
{
	return exactly(g, t, expr(g, t, depth));
}

static struct le *tuple(struct gen *g, const struct lang_type *t, unsigned depth)
{
	struct le *e = node(g, LE_TUPLE, t);

	for (unsigned i = 0; i < t->n; i++)
		e->el[i] = keep(g, t->el[i], depth ? depth - 1 : 0);
	return e;
}

/* Numbers in keys are few, texts mostly. */
static struct le *key_part(struct gen *g, const struct lang_type *t)
{
	struct le *e;

	if (t->kind == LK_INT) {
		e = node(g, LE_BIN, &lang_int);
		e->n = LO_AND;
		e->a = keep(g, t, 1);
		e->b = literal(g, 3);
		return chance(g, 40) ? literal(g, below(g, 4)) : e;
	}
	if (t->kind == LK_STR && chance(g, 60)) {
		static const char *const names[] = {"a", "b", "ab", "abcabcabc", ""};

		e = node(g, LE_TEXT, t);
		e->s = names[below(g, 5)];
		return e;
	}
	return keep(g, t, 1);
}

static struct le *key(struct gen *g, const struct lang_map *m)
{
	struct le *e, *v = NULL;

	if (!m->key)
		return NULL;
	if (m->key->n > 1 && chance(g, 30))
		v = variable(g, m->key, false);
	if (v)
		return v;
	e = node(g, LE_TUPLE, m->key);
	for (unsigned i = 0; i < m->key->n; i++)
		e->el[i] = m->key->el[i]->kind == LK_TUPLE ? tuple(g, m->key->el[i], 1)
							  : key_part(g, m->key->el[i]);
	return e;
}

static bool readable(const struct gen *g, const struct lang_map *m, const struct lang_type *t)
{
	if (m->agg == LA_NONE)
		return same_type(m->value, t);
	if (m->agg == LA_MIN || m->agg == LA_MAX)
		return is_num(t) && g->p->extremes && g->reads < 3 && g->cost < 3;
	return is_num(t) && m->agg <= LA_AVG;
}

static struct le *map_read(struct gen *g, const struct lang_type *t)
{
	unsigned at = below(g, g->p->nmaps);
	struct lang_map *m;
	struct le *e;

	for (unsigned i = 0; i < g->p->nmaps; i++, at++) {
		m = &g->p->map[at % g->p->nmaps];
		if (g->pure || !readable(g, m, t))
			continue;
		g->reads += m->agg == LA_MIN || m->agg == LA_MAX;
		e = node(g, LE_MAP, m->value);
		e->n = at % g->p->nmaps;
		e->a = key(g, m);
		return e;
	}
	return NULL;
}

/* ---- texts ---- */

static struct le *text_expr(struct gen *g, unsigned depth)
{
	unsigned n = below(g, 12);
	struct le *e = NULL;

	if (n < 4)
		e = variable(g, &lang_str, false);
	else if (n < 5 && depth)
		e = map_read(g, &lang_str);
	else if (n < 6)
		e = node(g, chance(g, 60) ? LE_NAME : LE_MEMORY, &lang_str);
	if (e) {
		if (e->kind == LE_MEMORY)
			e->n = below(g, 120) + 1;
		return e;
	}
	if (n < 9 && depth) {
		e = node(g, n < 8 ? LE_COND : LE_CUT, &lang_str);
		e->a = n < 8 ? expr(g, &lang_int, depth - 1) : text_expr(g, depth - 1);
		e->b = n < 8 ? text_expr(g, depth - 1) : NULL;
		e->c = n < 8 ? text_expr(g, depth - 1) : NULL;
		e->n = below(g, chance(g, 70) ? 12 : LANG_TEXT_MAX);
		return e;
	}
	e = node(g, LE_TEXT, &lang_str);
	e->s = some_text(g);
	return e;
}

/* Numbers out of texts. */
static struct le *about_text(struct gen *g, unsigned depth)
{
	static const enum le_kind kinds[] = {LE_LEN, LE_NCMP, LE_CONTAINS, LE_FIND, LE_CHAR, LE_BIN, LE_BIN};
	struct le *e = node(g, kinds[below(g, 7)], &lang_int);

	if ((e->kind == LE_CONTAINS || e->kind == LE_FIND) &&
		(!g->p->extremes || g->cost > 1 || g->searches++ > 1))
		e->kind = LE_LEN;
	e->a = text_expr(g, depth);
	if (e->kind != LE_LEN && e->kind != LE_CHAR)
		e->b = text_expr(g, depth);
	if (e->kind == LE_LEN) { /* the one function here whose number has no sign, unless constant */
		e->t = &lang_uint;
		if (e->a->kind == LE_TEXT)
			e->a = node(g, LE_NAME, &lang_str);
	}
	e->n = e->kind == LE_BIN ? LO_EQ + below(g, 2) : below(g, 40);
	if (e->kind == LE_CHAR) { /* an index beyond the greatest length is an error */
		e->a = node(g, LE_MEMORY, &lang_str);
		e->a->n = e->n + 1;
	}
	return e;
}

/* ---- numbers ---- */

/* What the compiler may know before it runs: constants are refused as divisors that are 0. */
static bool maybe_const(const struct le *e)
{
	if (!e)
		return true;
	switch (e->kind) {
	case LE_VAR:
	case LE_FIELD:
	case LE_ARRAY:
	case LE_MAP:
	case LE_HAS:
	case LE_ELEM:
	case LE_NAME:
	case LE_MEMORY:
		return false;
	case LE_MACRO:
		return true;
	default:
		return maybe_const(e->a) && maybe_const(e->b) && maybe_const(e->c);
	}
}

static struct le *binary(struct gen *g, unsigned depth)
{
	struct le *e = node(g, LE_BIN, &lang_int);
	bool shift;

	e->n = below(g, LO_COUNT);
	e->a = expr(g, &lang_int, depth - 1);
	e->b = expr(g, &lang_int, depth - 1);
	shift = e->n == LO_SHL || e->n == LO_SHR;
	if ((shift || e->n == LO_DIV || e->n == LO_MOD) && maybe_const(e->b))
		e->b = literal(g, shift ? below(g, 64) : 1 + below(g, 300));
	if (e->n < LO_EQ && (e->a->t == &lang_uint || (!shift && e->b->t == &lang_uint)))
		e->t = &lang_uint;
	return e;
}

static struct le *has(struct gen *g)
{
	unsigned at = below(g, g->p->nmaps);
	struct le *e;

	if (g->pure || !g->p->map[at].key)
		return NULL;
	e = node(g, LE_HAS, &lang_int);
	e->n = at;
	e->a = key(g, &g->p->map[at]);
	return e;
}

static struct le *element(struct gen *g)
{
	const struct lang_type *t = g->tuple[below(g, g->ntuples)];
	struct le *v = variable(g, t, false), *e;

	if (!v)
		return NULL;
	for (;;) {
		e = node(g, LE_ELEM, NULL);
		e->n = below(g, v->t->n);
		e->a = v;
		e->t = v->t->el[e->n];
		if (e->t->kind != LK_TUPLE)
			break;
		v = e;
	}
	if (is_num(e->t))
		return e;
	v = node(g, LE_LEN, &lang_uint);
	v->a = e;
	return v;
}

static struct le *leaf(struct gen *g)
{
	unsigned n = below(g, 12);
	struct le *e = NULL;

	if (g->pure) {
		e = node(g, LE_PARAM, &lang_int);
		e->n = below(g, 2);
		return n < 8 ? cast(g, 6 + below(g, 2), e) : literal(g, number(g));
	}
	if (n < 6) {
		e = variable(g, &lang_int, false);
	} else if (n < 8) {
		e = node(g, LE_FIELD, &lang_int);
		e->n = below(g, LANG_FIELDS);
		e->t = lang_fields[e->n].is_u64 ? &lang_uint : &lang_int;
	} else if (n < 9) {
		e = element(g);
	}
	return e ? e : literal(g, number(g));
}

static struct le *choice(struct gen *g, unsigned depth)
{
	struct le *e = node(g, chance(g, 80) ? LE_COND : LE_ELVIS, &lang_int);

	e->a = expr(g, &lang_int, depth - 1);
	e->b = e->kind == LE_COND ? expr(g, &lang_int, depth - 1) : e->a;
	e->c = expr(g, &lang_int, depth - 1);
	if (e->b->t == &lang_uint || e->c->t == &lang_uint)
		e->t = &lang_uint;
	return e;
}

static struct le *unary(struct gen *g, unsigned depth)
{
	static const enum le_kind kinds[] = {LE_NEG, LE_COM, LE_NOT};
	struct le *e = node(g, kinds[below(g, 3)], &lang_int);

	e->a = expr(g, &lang_int, depth - 1);
	if (e->kind != LE_NOT)
		e->t = e->a->t;
	return e;
}

/* ((int16[4])a)[b], (uint8[4])a == (uint8[4])b: n is the type of the elements, the bytes. */
static struct le *array(struct gen *g, unsigned depth)
{
	struct le *e = node(g, chance(g, 70) ? LE_BYTE : LE_SAME, &lang_int);

	e->a = expr(g, &lang_int, depth - 1);
	e->n = e->kind == LE_BYTE ? below(g, 6) : 1 + below(g, 8);
	e->b = e->kind == LE_BYTE && chance(g, 50) ? leaf(g) : expr(g, &lang_int, depth - 1);
	if (e->kind == LE_BYTE && maybe_const(e->b)) /* behind the end it would be refused */
		e->b = literal(g, below(g, 8 / lang_casts[e->n].size));
	return e;
}

static struct le *num_expr(struct gen *g, unsigned depth)
{
	unsigned n = below(g, 41);
	struct le *e = NULL;

	if (!depth || n < 6)
		return leaf(g);
	if (n < 20)
		return binary(g, depth);
	if (n < 24)
		return cast(g, below(g, LANG_CASTS), expr(g, &lang_int, depth - 1));
	if (n < 27)
		return unary(g, depth);
	if (n < 30 || (n < 31 && g->pure)) {
		e = node(g, n & 1 ? LE_AND : LE_OR, &lang_int);
		e->a = expr(g, &lang_int, depth - 1);
		e->b = expr(g, &lang_int, depth - 1);
		return e;
	}
	if (n >= 40)
		return array(g, depth);
	if (n < 33 || g->pure)
		return choice(g, depth);
	if (n < 35)
		return about_text(g, depth - 1);
	if (n < 37)
		e = map_read(g, &lang_int);
	else if (n < 38)
		e = has(g);
	else if (n < 39) {
		e = node(g, LE_MACRO, NULL);
		e->n = below(g, LANG_MACROS);
		e->t = g->p->macro[e->n]->t;
		e->a = expr(g, &lang_int, depth > 2 ? 1 : depth - 1);
		e->b = expr(g, &lang_int, 0);
	} else {
		e = node(g, LE_ARRAY, &lang_int);
		e->a = node(g, LE_BIN, &lang_int);
		e->a->n = LO_AND;
		e->a->a = expr(g, &lang_int, 0);
		e->a->b = literal(g, 7);
		e->a->t = e->a->a->t;
	}
	return e ? e : leaf(g);
}

static struct le *expr(struct gen *g, const struct lang_type *t, unsigned depth)
{
	struct le *e = NULL;

	if (is_num(t))
		return num_expr(g, depth);
	if (t->kind == LK_STR)
		return text_expr(g, depth);
	if (chance(g, 40))
		e = variable(g, t, false);
	else if (chance(g, 20))
		e = map_read(g, t);
	else if (depth && chance(g, 20)) {
		e = node(g, LE_COND, t);
		e->a = expr(g, &lang_int, depth - 1);
		e->b = expr(g, t, depth - 1);
		e->c = expr(g, t, depth - 1);
	}
	return e ? e : tuple(g, t, depth);
}

/* ---- statements ---- */

static struct ls *statements(struct gen *g, unsigned n, unsigned depth, bool in_loop);

static unsigned expr_depth(struct gen *g)
{
	if (g->cost == 1 && chance(g, 4))
		return 7; /* twenty lines of it */
	return 1 + below(g, 3);
}

static bool has_loop(const struct ls *s)
{
	for (; s; s = s->next) {
		if ((s->kind >= LS_FOR && s->kind <= LS_UNROLL) ||
			(s->kind == LS_IF && (has_loop(s->yes) || has_loop(s->no))))
			return true;
	}
	return false;
}

static void loop(struct gen *g, struct ls *s, unsigned depth)
{
	struct lang_var *v = &g->p->var[g->p->nvars];

	s->turns = 1 + below(g, 4);
	s->from = (int64_t)below(g, 5) - 2;
	s->which = g->p->nvars++;
	v->t = &lang_int;
	v->let = -1;
	snprintf(v->name, sizeof(v->name), "i%u", g->loops++);
	g->cost *= s->turns;
	g->live[g->nlive++] = s->which;
	s->kind = LS_FOR;
	s->yes = statements(g, 1 + below(g, 4), depth - 1, true);
	g->nlive--;
	g->cost /= s->turns;
	/* those without a constant end are bounded by what the verifier follows */
	if (!has_loop(s->yes))
		s->kind = LS_FOR + below(g, 4);
}

static void map_statement(struct gen *g, struct ls *s)
{
	const struct lang_map *m;

	s->which = below(g, g->p->nmaps);
	m = &g->p->map[s->which];
	s->key = key(g, m);
	if (m->key && chance(g, 10)) {
		s->kind = LS_DELETE;
		return;
	}
	if (m->agg != LA_NONE) {
		s->kind = LS_AGG;
		s->a = m->agg == LA_COUNT ? NULL : keep(g, &lang_int, 2);
		return;
	}
	s->kind = !is_num(m->value) || chance(g, 60) ? LS_MSET : chance(g, 60) ? LS_MOP : LS_MINC;
	s->op = below(g, 2);
	if (s->kind == LS_MOP) {
		s->op = below(g, LO_EQ);
		s->a = keep(g, m->value, 2);
		if (s->op == LO_DIV || s->op == LO_MOD || s->op >= LO_SHL)
			s->a = maybe_const(s->a) ? literal(g, 1 + below(g, 60)) : s->a;
	} else if (s->kind == LS_MSET) {
		s->a = keep(g, m->value, 2);
	}
}

static void assignment(struct gen *g, struct ls *s)
{
	const struct lang_var *v;

	s->which = below(g, g->base);
	v = &g->p->var[s->which];
	if (!is_num(v->t) || chance(g, 75)) {
		s->kind = LS_SET;
		s->a = keep(g, v->t, expr_depth(g));
	} else if (chance(g, 25)) {
		s->kind = LS_INC;
		s->op = below(g, 2);
	} else {
		s->kind = LS_OP;
		s->op = below(g, LO_EQ);
		s->a = keep(g, v->t, 2);
		if ((s->op == LO_DIV || s->op == LO_MOD || s->op >= LO_SHL) && maybe_const(s->a))
			s->a = literal(g, 1 + below(g, 60));
	}
}

/* Prints as it is. */
static struct le *truth(struct gen *g)
{
	struct le *e = node(g, LE_BIN, &lang_bool);

	e->n = LO_EQ + below(g, 6);
	e->a = expr(g, &lang_int, 2);
	e->b = expr(g, &lang_int, 1);
	return e;
}

static void output(struct gen *g, struct ls *s)
{
	const struct lang_type *const types[] = {&lang_int, &lang_uint, &lang_str,
		g->tuple[below(g, g->ntuples)]};

	s->kind = chance(g, 30) ? LS_PRINT : LS_PRINTF;
	s->nargs = s->kind == LS_PRINT ? 1 : 1 + below(g, 4);
	for (unsigned i = 0; i < s->nargs; i++)
		s->arg[i] = chance(g, 10) ? truth(g) : keep(g, types[below(g, 4)], expr_depth(g));
	if (s->arg[0]->kind == LE_MAP && !s->arg[0]->a) /* print(@m) prints the map as a map */
		s->kind = LS_PRINTF;
}

static struct ls *statement(struct gen *g, unsigned depth, bool in_loop)
{
	struct ls *s = ARENA_NEW(g->p->a, struct ls);
	unsigned n = below(g, 100);

	if (depth && n < 12 && g->cost < 6 && g->p->nvars < LANG_VARS) {
		loop(g, s, depth);
	} else if (depth && n < 30) {
		s->kind = LS_IF;
		s->a = expr(g, &lang_int, 2);
		s->yes = statements(g, 1 + below(g, 4), depth - 1, in_loop);
		if (chance(g, 60))
			s->no = statements(g, 1 + below(g, 3), depth - 1, in_loop);
	} else if (n < 34) {
		s->kind = LS_IF;
		s->a = expr(g, &lang_int, 2);
		s->yes = ARENA_NEW(g->p->a, struct ls);
		s->yes->kind = !in_loop || chance(g, 20) ? LS_RETURN : chance(g, 50) ? LS_BREAK : LS_CONTINUE;
	} else if (n < 60) {
		assignment(g, s);
	} else if (n < 84) {
		map_statement(g, s);
	} else {
		output(g, s);
	}
	return s;
}

static struct ls *statements(struct gen *g, unsigned n, unsigned depth, bool in_loop)
{
	struct ls *first = NULL, **last = &first;

	while (n-- && g->budget) {
		g->budget--;
		*last = statement(g, depth, in_loop);
		last = &(*last)->next;
	}
	return first;
}

/* ---- the whole ---- */

static const struct lang_type *make_tuple(struct gen *g, bool nested)
{
	struct lang_type *t = ARENA_NEW(g->p->a, struct lang_type);

	t->kind = LK_TUPLE;
	t->n = 2 + below(g, 2);
	for (unsigned i = 0; i < t->n; i++)
		t->el[i] = nested && chance(g, 30) ? make_tuple(g, false)
			   : chance(g, 45)	   ? &lang_str
						   : &lang_int;
	return t;
}

static void make_vars(struct gen *g)
{
	unsigned n = chance(g, 20) ? 20 + below(g, 24) : 4 + below(g, 10);

	for (unsigned i = 0; i < n; i++) {
		struct lang_var *v = &g->p->var[i];
		unsigned k = below(g, 10);

		v->t = k < 5 ? &lang_int : k < 7 ? &lang_uint : k < 9 ? &lang_str : g->tuple[below(g, g->ntuples)];
		v->let = k == 0 ? (int)below(g, 7) : -1; /* uint64's are lang_uint */
		snprintf(v->name, sizeof(v->name), "v%u", i);
	}
	g->p->nvars = g->base = n;
}

static const struct lang_type *make_key(struct gen *g)
{
	struct lang_type *t;

	if (chance(g, 15))
		return NULL;
	if (chance(g, 25))
		return g->tuple[below(g, g->ntuples)];
	t = ARENA_NEW(g->p->a, struct lang_type);
	t->kind = LK_TUPLE;
	t->n = 1 + below(g, 3);
	for (unsigned i = 0; i < t->n; i++)
		t->el[i] = chance(g, 60) ? &lang_int : &lang_str;
	return t;
}

static void make_maps(struct gen *g)
{
	g->p->nmaps = 3 + below(g, LANG_MAPS - 2);
	for (unsigned i = 0; i < g->p->nmaps; i++) {
		struct lang_map *m = &g->p->map[i];
		unsigned k = below(g, 10);

		m->key = make_key(g);
		m->value = k < 4 ? &lang_int : k < 6 ? &lang_uint : k < 8 ? &lang_str
								      : g->tuple[below(g, g->ntuples)];
		if (chance(g, 45)) {
			m->agg = (enum lang_agg)(1 + below(g, LA_KINDS - 1));
			m->value = m->agg == LA_COUNT ? &lang_uint : &lang_int;
		}
	}
}

static void make_input(struct gen *g)
{
	struct lang_input *in = &g->p->in;
	unsigned n;

	for (size_t i = 0; i < sizeof(*in); i++)
		((uint8_t *)in)[i] = (uint8_t)rnd(g);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t v = number(g);

		memcpy(i < 7 ? (void *)&in->i64 : (void *)&in->u64, &v, 8);
		if (i < 4)
			memcpy(&in->i32, &v, 4 + 4 * (i & 1));
	}
	strcpy(in->name, "aabbccabcabc");
	in->name[below(g, 24)] = 0;
	n = chance(g, 50) ? below(g, 20) : below(g, LANG_TEXT_MAX + 1);
	for (unsigned i = 0; i < n; i++)
		in->long_text[i] = (char)('a' + below(g, 3));
	in->long_text[n] = 0;
	in->text = LANG_INPUT + offsetof(struct lang_input, long_text);
}

struct lang *lang_make(struct arena *a, uint64_t seed, bool native)
{
	struct lang *p = ARENA_NEW(a, struct lang);
	struct gen g = {.p = p, .s = seed * 0x9e3779b97f4a7c15ull, .cost = 1};

	p->a = a;
	p->seed = seed;
	p->extremes = native;
	g.ntuples = 1 + below(&g, 3);
	for (unsigned i = 0; i < g.ntuples; i++)
		g.tuple[i] = make_tuple(&g, true);
	make_vars(&g);
	make_maps(&g);
	make_input(&g);
	g.pure = true;
	for (unsigned i = 0; i < LANG_MACROS; i++)
		p->macro[i] = expr(&g, &lang_int, 2);
	g.pure = false;
	for (unsigned i = 0; i < LANG_PROBES; i++) {
		g.budget = i ? 4 + below(&g, 10) : 8 + below(&g, 25);
		g.searches = g.reads = 0;
		p->body[i] = statements(&g, g.budget, 3, false);
	}
	return p;
}
