/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bpftrace's macros: macro name($var, @map, expression) { statements; value }. A use reads the body
 * anew, at the place of the use: a $var or @map that is a parameter stands for the one that was
 * given, a parameter without sign for the expression that was given, which is read again, too. Other
 * $variables of the body are its own.
 */
#include "lang/parse_use.h"
#include <string.h>

/* ---- definitions ---- */

static void parameters(struct parser *p, struct macro *m)
{
	while (!p_is(p, TOK_RPAREN) && !p->panic) {
		struct param one = {p->tok.text, p->tok.kind};

		if (one.kind != TOK_VAR && one.kind != TOK_MAP && one.kind != TOK_IDENT) {
			p_expected(p, "a parameter: $variable, @map or a name");
			return;
		}
		vec_push(p->a, &m->params, one);
		p_next(p);
		if (!p_accept(p, TOK_COMMA))
			break;
	}
	if (!p->panic)
		p_expect(p, TOK_RPAREN, "',' or ')' after a parameter");
}

void parse_macro(struct parser *p)
{
	struct macro *m = ARENA_NEW(p->a, struct macro), *old;

	p_next(p); /* "macro" */
	p_next(p);
	m->name = p->tok.text;
	m->span = p->tok.span;
	if (!p_is(p, TOK_IDENT))
		p_expected(p, "the name of the macro");
	else
		p_next(p);
	if (!p->panic && p_accept(p, TOK_LPAREN))
		parameters(p, m);
	if (!p->panic && !p_is(p, TOK_LBRACE))
		p_hint(p, p_expected(p, "'{'"), "for instance: macro twice(x) { x * 2 }");
	m->body = here(p);
	if (!p->panic) {
		old = smap_get(p->macros, m->name);
		if (old)
			diag_also(p->d,
				p_error(p, m->span, DIAG_DUPLICATE, "macro '%.60s' is defined twice",
					m->name),
				old->span, "first here");
		else
			smap_put(p->macros, m->name, m);
	}
	p->panic = false;
	p_skip_braces(p);
	if (p_is(p, TOK_EOF))
		p_hint(p, p_error(p, m->span, DIAG_UNTERMINATED, "macro without its end"),
			"close it with '}'");
}

/* ---- uses ---- */

static const struct param *param_of(const struct parser *p, enum token_kind kind, const char *name,
	unsigned *index)
{
	const struct macro *m = p->use ? p->use->macro : NULL;

	for (*index = 0; m && *index < m->params.n; (*index)++) {
		const struct param *one = &m->params.v[*index];

		if (one->kind == kind && !strcmp(one->name, name))
			return one;
	}
	return NULL;
}

const char *macro_variable(struct parser *p, const char *name)
{
	unsigned i;

	if (!p->use)
		return name;
	if (param_of(p, TOK_VAR, name, &i))
		return p->use->names[i];
	return smap_intern(p->lex.names, arena_printf(p->a, "%s'%u", name, p->use->number),
		strlen(arena_printf(p->a, "%s'%u", name, p->use->number)));
}

const char *macro_map(struct parser *p, const char *name)
{
	unsigned i;

	return param_of(p, TOK_MAP, name, &i) ? p->use->names[i] : name;
}

struct expr *macro_argument(struct parser *p, const char *name)
{
	struct place back;
	struct expr *e;
	unsigned i;

	if (!param_of(p, TOK_IDENT, name, &i) || !p_enter(p, p->tok.span))
		return NULL;
	back = here(p);
	go(p, &p->use->args[i]);
	e = parse_expr(p);
	if (!p->stopped)
		go(p, &back);
	p_leave(p);
	return e;
}

/* One argument: read once for its errors and its end, and kept to be read again. */
static void argument(struct parser *p, const struct param *want, struct place *at, const char **name)
{
	struct expr *e;

	*at = here(p);
	e = parse_expr(p);
	if (p->panic || want->kind == TOK_IDENT)
		return;
	if (e->kind == (want->kind == TOK_VAR ? EX_VAR : EX_MAP) &&
		(e->kind == EX_VAR || !e->u.map.keys.list.n)) {
		*name = e->kind == EX_VAR ? e->u.name : e->u.map.name;
		return;
	}
	p_hint(p,
		p_error(p, e->span, DIAG_WRONG_ARGS, "this macro wants a %s here",
			want->kind == TOK_VAR ? "$variable" : "map without a key"),
		want->kind == TOK_VAR ? "keep the value in one first: $x = …"
				      : "give the map itself: @x");
}

static void arguments(struct parser *p, const struct macro *m, struct macro_use *use,
	struct skep_span at)
{
	unsigned n = 0;

	if (p_accept(p, TOK_LPAREN)) {
		while (!p_is(p, TOK_RPAREN) && !p->panic) {
			static const struct param more = {"", TOK_IDENT};
			struct place nowhere;
			bool known = n < m->params.n;

			argument(p, known ? &m->params.v[n] : &more, known ? &use->args[n] : &nowhere,
				known ? &use->names[n] : NULL);
			n++;
			if (!p_accept(p, TOK_COMMA))
				break;
		}
		if (!p->panic)
			p_expect(p, TOK_RPAREN, "',' or ')' after an argument");
	}
	if (!p->panic && n != m->params.n)
		p_error(p, at, DIAG_WRONG_ARGS, "macro '%.60s' takes %u argument%s, this has %u",
			m->name, m->params.n, m->params.n == 1 ? "" : "s", n);
}

struct expr *parse_block_value(struct parser *p, struct skep_span at)
{
	struct block *b = parse_block(p);
	struct stmt *last = b->list.n ? b->list.v[b->list.n - 1] : NULL;
	struct expr *e, *value = NULL;

	if (last && last->kind == ST_EXPR && !last->drops && !last->ended) {
		value = last->u.expr;
		b->list.n--;
	}
	if (value && !b->list.n)
		return value;
	e = ARENA_NEW(p->a, struct expr);
	*e = (struct expr){.kind = EX_BLOCK, .span = at, .height = value ? value->height + 1 : 1};
	e->u.block.body = b;
	e->u.block.value = value;
	return e;
}

static bool uses_itself(const struct parser *p, const struct macro *m)
{
	for (const struct macro_use *u = p->use; u; u = u->up) {
		if (u->macro == m)
			return true;
	}
	return false;
}

struct macro_use *macro_begin(struct parser *p, const struct macro *m, struct skep_span at)
{
	struct macro_use *use = ARENA_NEW(p->a, struct macro_use);
	const char *what = m->fn ? "function" : "macro";

	*use = (struct macro_use){.macro = m, .up = p->use, .number = ++p->uses,
		.args = ARENA_ARRAY(p->a, struct place, m->params.n + 1),
		.names = ARENA_ARRAY(p->a, const char *, m->params.n + 1)};
	if (p->uses > EXPAND_MAX) {
		p_error(p, at, DIAG_TOO_BIG, "more than %d uses of macros and functions", EXPAND_MAX);
		p_stop(p);
	} else if (uses_itself(p, m)) {
		p_hint(p, p_error(p, at, DIAG_TOO_DEEP, "%s '%.60s' uses itself", what, m->name),
			m->fn ? "the kernel has no room for recursion: write a loop"
			      : "a macro stands for its text, which would have no end");
	}
	return use;
}

struct expr *macro_use(struct parser *p, const char *name, struct skep_span at)
{
	const struct macro *m = smap_get(p->macros, name);
	struct macro_use *use;
	struct place back;
	bool in_pred = p->in_pred;
	struct expr *e = NULL;

	if (m && !m->fn && p_is(p, TOK_NOT) && p_peek(p).kind == TOK_LPAREN)
		p_next(p); /* name!(…) is name(…) */
	if (!m || ((m->params.n || m->fn) && !p_is(p, TOK_LPAREN)))
		return NULL;
	if (m->fn)
		return fn_use(p, m, at);
	use = macro_begin(p, m, at);
	arguments(p, m, use, at);
	back = here(p);
	if (!p->panic && p_enter(p, at)) {
		go(p, &m->body);
		p->use = use;
		p->in_pred = false;
		e = parse_block_value(p, at);
		if (!p->stopped)
			go(p, &back);
		p->in_pred = in_pred;
		p_leave(p);
	}
	return e ? e : parse_broken(p);
}
