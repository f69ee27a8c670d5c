/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random scripts: what they say. Types are right by construction; see lang.h. */
#include "tests/fuzz/lang_gen.h"
#include <stdio.h>
#include <string.h>

const struct lang_type lang_int = {.kind = LK_INT}, lang_uint = {.kind = LK_UINT},
		       lang_str = {.kind = LK_STR}, lang_bool = {.kind = LK_BOOL};
const struct lang_cast lang_casts[LANG_CASTS] = {{"int8", 1, true}, {"uint8", 1, false},
	{"int16", 2, true}, {"uint16", 2, false}, {"int32", 4, true}, {"uint32", 4, false},
	{"int64", 8, true}, {"uint64", 8, false}};
const struct lang_field lang_fields[LANG_FIELDS] = {{"i8", false}, {"u8", false}, {"i16", false},
	{"u16", false}, {"i32", false}, {"u32", false}, {"i64", false}, {"u64", true}, {"n.a", false},
	{"n.b", false}, {"n.c", false}, {"f1", false}, {"f2", false}, {"p.b", false}, {"p.d", false}, {"p.e", true},
	{"p.z", false}, {"g1", false}, {"g2", true}, {"g3", false}, {"g4", false}};
const int64_t lang_lhist[3] = {-20, 100, 15};

static uint64_t rnd(struct gen *g)
{
	uint64_t z = (g->s += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

unsigned gen_below(struct gen *g, unsigned n)
{
	return (unsigned)(rnd(g) % n);
}

bool gen_chance(struct gen *g, unsigned percent)
{
	return gen_below(g, 100) < percent;
}

static const uint64_t edges[] = {0, 1, 2, 7, 8, 63, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0xffffffffffffffff, 0xfffffffffffffffe,
	0xffffffff80000000};

static uint64_t number(struct gen *g)
{
	if (gen_chance(g, 35))
		return edges[gen_below(g, sizeof(edges) / sizeof(*edges))];
	return gen_chance(g, 60) ? gen_below(g, 100) : rnd(g) >> (1 + gen_below(g, 63));
}

struct le *gen_node(struct gen *g, enum le_kind kind, const struct lang_type *t)
{
	struct le *e = ARENA_NEW(g->p->a, struct le);

	e->kind = kind;
	e->t = t;
	return e;
}

struct le *gen_literal(struct gen *g, uint64_t n)
{
	struct le *e = gen_node(g, LE_NUM, n > INT64_MAX ? &lang_uint : &lang_int);

	e->n = n;
	return e;
}

/* Few letters, so that texts are often alike; lengths around words, and long ones. */
static char *some_text(struct gen *g)
{
	static const unsigned char lens[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 63, 64, 65, 100,
		LANG_TEXT_MAX};
	unsigned n = gen_chance(g, 60) ? gen_below(g, 10) : lens[gen_below(g, sizeof(lens))];
	char *s = arena_alloc(g->p->a, n + 1);

	for (unsigned i = 0; i < n; i++)
		s[i] = (char)('a' + gen_below(g, 3));
	s[n] = 0;
	return s;
}

bool gen_is_num(const struct lang_type *t)
{
	return t->kind == LK_INT || t->kind == LK_UINT;
}

static bool same_type(const struct lang_type *a, const struct lang_type *b)
{
	return a == b || (gen_is_num(a) && gen_is_num(b));
}

/* A variable of this type that may be read here; NULL: none. to: that may be written. */
struct le *gen_variable(struct gen *g, const struct lang_type *t, bool to)
{
	unsigned found[LANG_VARS + GEN_LIVE], n = 0;
	struct le *e;

	for (unsigned i = g->from; i < g->base; i++) {
		if (same_type(g->p->var[i].t, t))
			found[n++] = i;
	}
	for (unsigned i = 0; i < g->nlive && !to && gen_is_num(t); i++)
		found[n++] = g->live[i];
	if (!n || g->pure || g->frozen || (g->in_each && !gen_is_num(t)))
		return NULL;
	e = gen_node(g, LE_VAR, NULL);
	e->n = found[gen_below(g, n)];
	e->t = g->p->var[e->n].t;
	return e;
}

static struct le *cast(struct gen *g, unsigned to, struct le *a)
{
	struct le *e = gen_node(g, LE_CAST, to == 7 ? &lang_uint : &lang_int);

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
	case LE_TRUTH:
		return true;
	default:
		return false;
	}
}

/* As t exactly: what is kept must not change a place's sign. */
static struct le *exactly(struct gen *g, const struct lang_type *t, struct le *e)
{
	if (!gen_is_num(t) || (e->t == t && !is_bool(e) && (t != &lang_uint || e->kind != LE_NUM)))
		return e;
	return cast(g, t == &lang_uint ? 7 : 6, e);
}

struct le *gen_keep(struct gen *g, const struct lang_type *t, unsigned depth)
{
	return exactly(g, t, gen_expr(g, t, depth));
}

static struct le *tuple(struct gen *g, const struct lang_type *t, unsigned depth)
{
	struct le *e = gen_node(g, LE_TUPLE, t);

	for (unsigned i = 0; i < t->n; i++)
		e->el[i] = gen_keep(g, t->el[i], depth ? depth - 1 : 0);
	return e;
}

/* Numbers in keys are few, texts mostly. */
static struct le *key_part(struct gen *g, const struct lang_type *t)
{
	struct le *e;

	if (t->kind == LK_INT) {
		e = gen_node(g, LE_BIN, &lang_int);
		e->n = LO_AND;
		e->a = gen_keep(g, t, 1);
		e->b = gen_literal(g, 3);
		return gen_chance(g, 40) ? gen_literal(g, gen_below(g, 4)) : e;
	}
	if (t->kind == LK_STR && gen_chance(g, 60)) {
		static const char *const names[] = {"a", "b", "ab", "abcabcabc", ""};

		e = gen_node(g, LE_TEXT, t);
		e->s = names[gen_below(g, 5)];
		return e;
	}
	return gen_keep(g, t, 1);
}

struct le *gen_key(struct gen *g, const struct lang_map *m)
{
	struct le *e, *v = NULL;
	unsigned dear = g->searches + g->reads + g->calls;

	if (!m->key || m->only)
		return m->only;
	if ((e = gen_key_again(g, m)))
		return e;
	g->in_key++;
	if (m->key->n > 1 && gen_chance(g, 30))
		v = gen_variable(g, m->key, false);
	e = v ? v : gen_node(g, LE_TUPLE, m->key);
	for (unsigned i = 0; !v && i < m->key->n; i++)
		e->el[i] = m->key->el[i]->kind == LK_TUPLE ? tuple(g, m->key->el[i], 1)
							  : key_part(g, m->key->el[i]);
	g->in_key--;
	if (dear == g->searches + g->reads + g->calls)
		gen_key_keep(g, m, e);
	return e;
}

static bool readable(const struct gen *g, const struct lang_map *m, const struct lang_type *t)
{
	if (m->agg == LA_NONE)
		return same_type(m->value, t);
	if (m->agg == LA_MIN || m->agg == LA_MAX)
		return gen_is_num(t) && g->p->extremes && g->reads < 3 && g->cost < 3;
	return gen_is_num(t) && m->agg <= LA_AVG;
}

static struct le *map_read(struct gen *g, const struct lang_type *t)
{
	unsigned at = gen_below(g, g->p->nmaps);
	struct lang_map *m;
	struct le *e;

	for (unsigned i = 0; i < g->p->nmaps; i++, at++) {
		m = &g->p->map[at % g->p->nmaps];
		if (g->pure || g->frozen || !readable(g, m, t))
			continue;
		g->reads += m->agg == LA_MIN || m->agg == LA_MAX;
		e = gen_node(g, LE_MAP, m->value);
		e->n = at % g->p->nmaps;
		e->a = gen_key(g, m);
		return e;
	}
	return NULL;
}

/* ---- texts ---- */

static struct le *text_expr(struct gen *g, unsigned depth)
{
	unsigned n = gen_below(g, 12);
	struct le *e = depth ? gen_special(g, &lang_str, depth) : NULL;

	if (e)
		return e;
	if (n < 4)
		e = gen_variable(g, &lang_str, false);
	else if (n < 5 && depth)
		e = map_read(g, &lang_str);
	else if (n < 6)
		e = gen_node(g, gen_chance(g, 60) ? LE_NAME : LE_MEMORY, &lang_str);
	if (e) {
		if (e->kind == LE_MEMORY)
			e->n = gen_below(g, 120) + 1;
		return e;
	}
	if (n < 9 && depth) {
		e = gen_node(g, n < 8 ? LE_COND : LE_CUT, &lang_str);
		e->a = n < 8 ? gen_expr(g, &lang_int, depth - 1) : text_expr(g, depth - 1);
		e->b = n < 8 ? text_expr(g, depth - 1) : NULL;
		e->c = n < 8 ? text_expr(g, depth - 1) : NULL;
		e->n = gen_below(g, gen_chance(g, 70) ? 12 : LANG_TEXT_MAX);
		return e;
	}
	e = gen_node(g, LE_TEXT, &lang_str);
	e->s = some_text(g);
	return e;
}

/* Numbers out of texts. */
static struct le *about_text(struct gen *g, unsigned depth)
{
	static const enum le_kind kinds[] = {LE_LEN, LE_NCMP, LE_CONTAINS, LE_FIND, LE_CHAR, LE_BIN, LE_BIN};
	struct le *e = gen_node(g, kinds[gen_below(g, 7)], &lang_int);

	if ((e->kind == LE_CONTAINS || e->kind == LE_FIND) &&
		(!g->p->extremes || g->cost > 1 || g->searches++ > 1))
		e->kind = LE_LEN;
	e->a = text_expr(g, depth);
	if (e->kind != LE_LEN && e->kind != LE_CHAR)
		e->b = text_expr(g, depth);
	if (e->kind == LE_LEN) { /* the one function here whose number has no sign, unless constant */
		e->t = &lang_uint;
		if (e->a->kind == LE_TEXT)
			e->a = gen_node(g, LE_NAME, &lang_str);
	}
	e->n = e->kind == LE_BIN ? LO_EQ + gen_below(g, 2) : gen_below(g, 40);
	if (e->kind == LE_CHAR) { /* an index beyond the greatest length is an error */
		e->a = gen_node(g, LE_MEMORY, &lang_str);
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
	case LE_INC:
	case LE_CALL:
	case LE_AT:
		return false;
	case LE_MACRO:
		return true;
	default:
		return maybe_const(e->a) && maybe_const(e->b) && maybe_const(e->c);
	}
}

/* A constant: small, or by its sign and width an odd one. */
static struct le *divisor(struct gen *g)
{
	struct le *e = gen_literal(g, 1 + gen_below(g, 300));

	if (gen_chance(g, 25))
		e->n = edges[1 + gen_below(g, 16)];
	if (gen_chance(g, 25)) {
		struct le *minus = gen_node(g, LE_NEG, &lang_int);

		minus->a = e;
		return minus;
	}
	return e;
}

static struct le *binary(struct gen *g, unsigned depth)
{
	struct le *e = gen_node(g, LE_BIN, &lang_int);
	bool shift;

	e->n = gen_below(g, LO_COUNT);
	e->a = gen_expr(g, &lang_int, depth - 1);
	e->b = gen_expr(g, &lang_int, depth - 1);
	shift = e->n == LO_SHL || e->n == LO_SHR;
	if ((shift || e->n == LO_DIV || e->n == LO_MOD) && maybe_const(e->b))
		e->b = shift ? gen_literal(g, gen_below(g, 64)) : divisor(g);
	if (e->n < LO_EQ && (e->a->t == &lang_uint || (!shift && e->b->t == &lang_uint)))
		e->t = &lang_uint;
	return e;
}

static struct le *has(struct gen *g)
{
	unsigned at = gen_below(g, g->p->nmaps);
	struct le *e;

	if (g->pure || g->frozen || !g->p->map[at].key)
		return NULL;
	e = gen_node(g, LE_HAS, &lang_int);
	e->n = at;
	e->a = gen_key(g, &g->p->map[at]);
	return e;
}

static struct le *element(struct gen *g)
{
	const struct lang_type *t = g->tuple[gen_below(g, g->ntuples)];
	struct le *v = gen_variable(g, t, false), *e;

	if (!v)
		return NULL;
	for (;;) {
		e = gen_node(g, LE_ELEM, NULL);
		e->n = gen_below(g, v->t->n);
		e->a = v;
		e->t = v->t->el[e->n];
		if (e->t->kind != LK_TUPLE)
			break;
		v = e;
	}
	if (gen_is_num(e->t))
		return e;
	v = gen_node(g, LE_LEN, &lang_uint);
	v->a = e;
	return v;
}

static struct le *leaf(struct gen *g)
{
	unsigned n = gen_below(g, 12);
	struct le *e = NULL;

	if (g->each && !g->pure && gen_chance(g, 40) && (e = gen_of_pair(g, &lang_int)))
		return e;
	if (g->pure) {
		e = gen_node(g, LE_PARAM, &lang_int);
		e->n = gen_below(g, 2);
		return n < 8 ? cast(g, 6 + gen_below(g, 2), e) : gen_literal(g, number(g));
	}
	if (n < 6) {
		e = gen_variable(g, &lang_int, false);
	} else if (n < 8) {
		e = gen_node(g, LE_FIELD, &lang_int);
		e->n = gen_below(g, LANG_FIELDS);
		e->t = lang_fields[e->n].is_u64 ? &lang_uint : &lang_int;
	} else if (n < 9) {
		e = element(g);
	}
	return e ? e : gen_literal(g, number(g));
}

static struct le *choice(struct gen *g, unsigned depth)
{
	struct le *e = gen_node(g, gen_chance(g, 80) ? LE_COND : LE_ELVIS, &lang_int);

	e->a = gen_expr(g, &lang_int, depth - 1);
	e->b = e->kind == LE_COND ? gen_expr(g, &lang_int, depth - 1) : e->a;
	e->c = gen_expr(g, &lang_int, depth - 1);
	if (e->b->t == &lang_uint || e->c->t == &lang_uint)
		e->t = &lang_uint;
	return e;
}

static struct le *unary(struct gen *g, unsigned depth)
{
	static const enum le_kind kinds[] = {LE_NEG, LE_COM, LE_NOT, LE_TRUTH};
	struct le *e = gen_node(g, kinds[gen_below(g, 4)], &lang_int);

	e->a = gen_expr(g, &lang_int, depth - 1);
	if (e->kind != LE_NOT && e->kind != LE_TRUTH)
		e->t = e->a->t;
	return e;
}

/* ((int16[4])a)[b], (uint8[4])a == (uint8[4])b: n is the type of the elements, the bytes. */
static struct le *array(struct gen *g, unsigned depth)
{
	struct le *e = gen_node(g, gen_chance(g, 70) ? LE_BYTE : LE_SAME, &lang_int);

	e->a = gen_expr(g, &lang_int, depth - 1);
	e->n = e->kind == LE_BYTE ? gen_below(g, 6) : 1 + gen_below(g, 8);
	e->b = e->kind == LE_BYTE && gen_chance(g, 50) ? leaf(g) : gen_expr(g, &lang_int, depth - 1);
	if (e->kind == LE_BYTE && maybe_const(e->b)) /* behind the end it would be refused */
		e->b = gen_literal(g, gen_below(g, 8 / lang_casts[e->n].size));
	return e;
}

static struct le *num_expr(struct gen *g, unsigned depth)
{
	unsigned n = gen_below(g, 41);
	struct le *e = NULL;

	if (!depth || n < 6)
		return leaf(g);
	if ((e = gen_special(g, &lang_int, depth)))
		return e;
	if (n < 20)
		return binary(g, depth);
	if (n < 24)
		return cast(g, gen_below(g, LANG_CASTS), gen_expr(g, &lang_int, depth - 1));
	if (n < 27)
		return unary(g, depth);
	if (n < 30 || (n < 31 && g->pure)) {
		e = gen_node(g, n & 1 ? LE_AND : LE_OR, &lang_int);
		e->a = gen_expr(g, &lang_int, depth - 1);
		e->b = gen_expr(g, &lang_int, depth - 1);
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
		e = gen_node(g, LE_MACRO, NULL);
		e->n = gen_below(g, LANG_MACROS);
		e->t = g->p->macro[e->n]->t;
		e->a = gen_expr(g, &lang_int, depth > 2 ? 1 : depth - 1);
		e->b = gen_expr(g, &lang_int, 0);
	} else {
		e = gen_node(g, LE_ARRAY, &lang_int);
		e->a = gen_node(g, LE_BIN, &lang_int);
		e->a->n = LO_AND;
		e->a->a = gen_expr(g, &lang_int, 0);
		e->a->b = gen_literal(g, 7);
		e->a->t = e->a->a->t;
	}
	return e ? e : leaf(g);
}

struct le *gen_expr(struct gen *g, const struct lang_type *t, unsigned depth)
{
	struct le *e = NULL;

	if (gen_is_num(t))
		return num_expr(g, depth);
	if (t->kind == LK_STR)
		return text_expr(g, depth);
	if (depth)
		e = gen_special(g, t, depth);
	if (e)
		return e;
	if (gen_chance(g, 40))
		e = gen_variable(g, t, false);
	else if (gen_chance(g, 20))
		e = map_read(g, t);
	else if (depth && gen_chance(g, 20)) {
		e = gen_node(g, LE_COND, t);
		e->a = gen_expr(g, &lang_int, depth - 1);
		e->b = gen_expr(g, t, depth - 1);
		e->c = gen_expr(g, t, depth - 1);
	}
	return e ? e : tuple(g, t, depth);
}

/* ---- statements ---- */

static unsigned expr_depth(struct gen *g)
{
	if (g->cost == 1 && gen_chance(g, 4))
		return 7; /* twenty lines of it */
	return 1 + gen_below(g, 3);
}

static bool has_loop(const struct ls *s)
{
	for (; s; s = s->next) {
		if ((s->kind >= LS_FOR && s->kind <= LS_UNROLL) ||
			s->kind == LS_EACH ||
			((s->kind == LS_IF || s->kind == LS_FIND) && (has_loop(s->yes) || has_loop(s->no))))
			return true;
	}
	return false;
}

static void loop(struct gen *g, struct ls *s, unsigned depth)
{
	struct lang_var *v = &g->p->var[g->p->nvars];

	s->turns = 1 + gen_below(g, 4);
	s->from = (int64_t)gen_below(g, 5) - 2;
	s->which = g->p->nvars++;
	v->t = &lang_int;
	v->let = -1;
	snprintf(v->name, sizeof(v->name), "i%u", g->loops++);
	g->cost *= s->turns;
	g->live[g->nlive++] = s->which;
	s->kind = LS_FOR;
	s->yes = gen_statements(g, 1 + gen_below(g, 4), depth - 1, true);
	g->nlive--;
	g->cost /= s->turns;
	/* those without a constant end are bounded by what the verifier follows */
	if (!has_loop(s->yes))
		s->kind = LS_FOR + gen_below(g, 4);
}

static void map_statement(struct gen *g, struct ls *s)
{
	const struct lang_map *m;

	s->which = gen_below(g, g->p->nmaps);
	m = &g->p->map[s->which];
	s->key = gen_key(g, m);
	if (m->key && gen_chance(g, 10)) {
		s->kind = LS_DELETE;
		return;
	}
	if (m->agg != LA_NONE) {
		s->kind = LS_AGG;
		s->a = m->agg == LA_COUNT ? NULL : gen_keep(g, m->value, 2);
		return;
	}
	s->kind = !gen_is_num(m->value) || gen_chance(g, 60) ? LS_MSET : gen_chance(g, 60) ? LS_MOP : LS_MINC;
	s->op = gen_below(g, 2);
	if (s->kind == LS_MOP) {
		s->op = gen_below(g, LO_EQ);
		s->a = gen_keep(g, m->value, 2);
		if (s->op == LO_DIV || s->op == LO_MOD || s->op >= LO_SHL)
			s->a = maybe_const(s->a) ? gen_literal(g, 1 + gen_below(g, 60)) : s->a;
	} else if (s->kind == LS_MSET) {
		s->a = gen_keep(g, m->value, 2);
	}
}

static void assignment(struct gen *g, struct ls *s)
{
	const struct lang_var *v;

	do
		s->which = g->from + gen_below(g, g->base - g->from);
	while (g->in_each && !gen_is_num(g->p->var[s->which].t)); /* make_vars sees that there is one */
	v = &g->p->var[s->which];
	if (!gen_is_num(v->t) || gen_chance(g, 75)) {
		s->kind = LS_SET;
		s->a = gen_keep(g, v->t, expr_depth(g));
	} else if (gen_chance(g, 25)) {
		s->kind = LS_INC;
		s->op = gen_below(g, 2);
	} else {
		s->kind = LS_OP;
		s->op = gen_below(g, LO_EQ);
		s->a = gen_keep(g, v->t, 2);
		if ((s->op == LO_DIV || s->op == LO_MOD || s->op >= LO_SHL) && maybe_const(s->a))
			s->a = gen_literal(g, 1 + gen_below(g, 60));
	}
}

/* Prints as it is. */
static struct le *truth(struct gen *g)
{
	struct le *e = gen_node(g, LE_BIN, &lang_bool);

	e->n = LO_EQ + gen_below(g, 6);
	e->a = gen_expr(g, &lang_int, 2);
	e->b = gen_expr(g, &lang_int, 1);
	return e;
}

static void output(struct gen *g, struct ls *s)
{
	const struct lang_type *const types[] = {&lang_int, &lang_uint, &lang_str,
		g->tuple[gen_below(g, g->ntuples)]};

	s->kind = gen_chance(g, 30) ? LS_PRINT : LS_PRINTF;
	s->nargs = s->kind == LS_PRINT ? 1 : 1 + gen_below(g, 4);
	for (unsigned i = 0; i < s->nargs; i++)
		s->arg[i] = gen_chance(g, 10) ? truth(g) : gen_keep(g, types[gen_below(g, 4)], expr_depth(g));
	if (s->arg[0]->kind == LE_MAP && !s->arg[0]->a) /* print(@m) prints the map as a map */
		s->kind = LS_PRINTF;
}

struct ls gen_jump(struct gen *g, bool in_loop)
{
	struct ls s = {.kind = !in_loop || gen_chance(g, 20) ? LS_RETURN : gen_chance(g, 50) ? LS_BREAK : LS_CONTINUE};

	if (s.kind == LS_RETURN && g->in_fn)
		s.a = gen_keep(g, &lang_int, 1);
	return s;
}

static struct ls *statement(struct gen *g, unsigned depth, bool in_loop)
{
	struct ls *s = ARENA_NEW(g->p->a, struct ls);
	unsigned n = gen_below(g, 100);

	if (depth && n < 5 && gen_map_loop(g, s, depth, in_loop))
		return s;
	if (depth && n < 12 && g->cost < 6 && g->p->nvars < LANG_VARS && g->nlive < GEN_LIVE) {
		loop(g, s, depth);
	} else if (depth && n < 30) {
		s->kind = LS_IF;
		s->a = gen_expr(g, &lang_int, 2);
		s->yes = gen_statements(g, 1 + gen_below(g, 4), depth - 1, in_loop);
		if (gen_chance(g, 60))
			s->no = gen_statements(g, 1 + gen_below(g, 3), depth - 1, in_loop);
	} else if (n < 34) {
		s->kind = LS_IF;
		s->a = gen_expr(g, &lang_int, 2);
		s->yes = ARENA_NEW(g->p->a, struct ls);
		*s->yes = gen_jump(g, in_loop);
	} else if (n < 60) {
		assignment(g, s);
	} else if (n < 84) {
		map_statement(g, s);
	} else {
		output(g, s);
	}
	return s;
}

struct ls *gen_statements(struct gen *g, unsigned n, unsigned depth, bool in_loop)
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
	t->n = 2 + gen_below(g, 2);
	t->names = gen_chance(g, 30);
	for (unsigned i = 0; i < t->n; i++)
		t->el[i] = nested && gen_chance(g, 30) ? make_tuple(g, false)
			   : gen_chance(g, 45)	   ? &lang_str
						   : &lang_int;
	return t;
}

static void make_vars(struct gen *g)
{
	unsigned n = gen_chance(g, 20) ? 20 + gen_below(g, 24) : 4 + gen_below(g, 10);

	for (unsigned i = 0; i < n; i++) {
		struct lang_var *v = &g->p->var[i];
		unsigned k = gen_below(g, 10);

		v->t = k < 5 ? &lang_int : k < 7 ? &lang_uint : k < 9 ? &lang_str : g->tuple[gen_below(g, g->ntuples)];
		v->let = k == 0 ? (int)gen_below(g, 7) : -1; /* uint64's are lang_uint */
		snprintf(v->name, sizeof(v->name), "v%u", i);
	}
	g->p->var[0].t = &lang_int;
	g->p->nvars = g->base = n;
}

static const struct lang_type *make_key(struct gen *g)
{
	struct lang_type *t;

	if (gen_chance(g, 15))
		return NULL;
	if (gen_chance(g, 25)) {
		t = (struct lang_type *)g->tuple[gen_below(g, g->ntuples)];
		if (!t->names)
			return t;
	}
	t = ARENA_NEW(g->p->a, struct lang_type);
	t->kind = LK_TUPLE;
	t->n = 1 + gen_below(g, 3);
	for (unsigned i = 0; i < t->n; i++)
		t->el[i] = gen_chance(g, 60) ? &lang_int : gen_chance(g, 80) ? &lang_str
			   : g->tuple[gen_below(g, g->ntuples)];
	if (t->n == 1 && t->el[0]->kind == LK_TUPLE && !t->el[0]->names) /* @x[(a, b)] is @x[a, b] */
		t->el[0] = &lang_str;
	return t;
}

static void make_maps(struct gen *g)
{
	g->p->nmaps = 3 + gen_below(g, LANG_MAPS - 2);
	for (unsigned i = 0; i < g->p->nmaps; i++) {
		struct lang_map *m = &g->p->map[i];
		unsigned k = gen_below(g, 10);

		m->key = make_key(g);
		m->value = k < 4 ? &lang_int : k < 6 ? &lang_uint : k < 8 ? &lang_str
								      : g->tuple[gen_below(g, g->ntuples)];
		if (m->key && gen_chance(g, 20))
			m->only = gen_constant(g, m->key);
		if (gen_chance(g, 45)) {
			m->agg = (enum lang_agg)(1 + gen_below(g, LA_KINDS - 1));
			m->value = m->agg == LA_COUNT || (m->agg <= LA_AVG && gen_chance(g, 30)) ? &lang_uint : &lang_int;
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
	in->name[gen_below(g, 24)] = 0;
	n = gen_chance(g, 50) ? gen_below(g, 20) : gen_below(g, LANG_TEXT_MAX + 1);
	for (unsigned i = 0; i < n; i++)
		in->long_text[i] = (char)('a' + gen_below(g, 3));
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
	g.ntuples = 1 + gen_below(&g, 3);
	for (unsigned i = 0; i < g.ntuples; i++)
		g.tuple[i] = make_tuple(&g, true);
	make_vars(&g);
	make_maps(&g);
	make_input(&g);
	g.pure = true;
	for (unsigned i = 0; i < LANG_MACROS; i++)
		p->macro[i] = gen_expr(&g, &lang_int, 2);
	g.pure = false;
	gen_functions(&g);
	for (unsigned i = 0; i < LANG_PROBES; i++) {
		g.calls = 0;
		g.budget = i ? 4 + gen_below(&g, 10) : 8 + gen_below(&g, 25);
		g.searches = g.reads = 0;
		p->body[i] = gen_statements(&g, g.budget, 3, false);
	}
	return p;
}
