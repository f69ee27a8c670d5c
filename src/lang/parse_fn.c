/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of the script: fn name($a : int64, …) : int64 { statements; return value; }. A call
 * reads the function anew, with variables of its own, as a use of a macro does: parameters are
 * variables that get the arguments, cast to their types, and the result is one, too. So a function
 * costs no call, may read what the probe has, and cannot call itself.
 */
#include "lang/parse_use.h"
#include <string.h>

static struct stmt *let_of(struct parser *p, struct expr *var, struct expr *type, struct expr *value)
{
	struct stmt *s = ARENA_NEW(p->a, struct stmt);

	*s = (struct stmt){.kind = ST_LET, .span = value ? value->span : var->span};
	s->u.assign.target = var;
	s->u.assign.type = type;
	s->u.assign.value = value;
	return s;
}

/* The type of a parameter or result: something that 'let' takes. */
static struct expr *type_of(struct parser *p, const char *what)
{
	if (!p_expect(p, TOK_COLON, what))
		return NULL;
	return parse_let_type(p);
}

/* A text variable keeps what an earlier call left unless it is set: a number's 'let' sets it. */
static struct expr *first_value(struct parser *p, const struct expr *type, struct skep_span at)
{
	struct expr *e;

	if (type->kind == EX_CAST)
		return NULL;
	e = ARENA_NEW(p->a, struct expr);
	*e = (struct expr){.kind = EX_STR, .span = at, .height = 1, .u.str = {.s = ""}};
	return e;
}

static void parameters(struct parser *p, struct block *b, const struct exprs *args)
{
	uint32_t n = 0;

	p_expect(p, TOK_LPAREN, "'(' after the name of the function");
	while (!p->panic && !p_is(p, TOK_RPAREN)) {
		struct expr *var, *type;

		if (!p_is(p, TOK_VAR)) {
			p_hint(p, p_expected(p, "a parameter"), "for instance: fn twice($n : int64) : "
				"int64 { return 2 * $n; }");
			return;
		}
		var = parse_variable(p);
		type = type_of(p, "':' and the parameter's type");
		if (!p->panic && args && n < args->list.n)
			vec_push(p->a, &b->list, let_of(p, var, type, args->list.v[n]));
		n++;
		if (!p->panic && !p_accept(p, TOK_COMMA))
			break;
	}
	if (!p->panic)
		p_expect(p, TOK_RPAREN, "',' or ')' after a parameter");
	if (!p->panic && args && n != args->list.n)
		p_error(p, b->span, DIAG_WRONG_ARGS, "function '%.60s' takes %u argument%s, this has %u",
			p->use->macro->name, n, n == 1 ? "" : "s", args->list.n);
}

static void result(struct parser *p, struct block *b, struct macro_use *use)
{
	struct expr *type;

	if (p->panic || !p_is(p, TOK_COLON))
		return;
	p_next(p);
	if (p_is_word(p, "void")) {
		p_next(p);
		return;
	}
	type = parse_let_type(p);
	if (p->panic)
		return;
	use->ret = ARENA_NEW(p->a, struct expr);
	*use->ret = (struct expr){.kind = EX_VAR, .span = type->span, .height = 1,
		.u.name = macro_variable(p, "return")};
	vec_push(p->a, &b->list,
		let_of(p, use->ret, type, first_value(p, type, type->span)));
}

/* At the '(' of its definition. NULL: it was reported. */
static struct expr *read_fn(struct parser *p, struct macro_use *use, const struct exprs *args,
	struct skep_span at)
{
	struct expr *e = ARENA_NEW(p->a, struct expr);
	struct block *b = ARENA_NEW(p->a, struct block);
	struct stmt *body = ARENA_NEW(p->a, struct stmt);

	b->span = at;
	parameters(p, b, args);
	result(p, b, use);
	if (!p->panic && !p_is(p, TOK_LBRACE))
		p_hint(p, p_expected(p, "'{'"),
			"for instance: fn twice($n : int64) : int64 { return 2 * $n; }");
	if (p->panic)
		return NULL;
	*body = (struct stmt){.kind = ST_BODY, .span = at};
	body->u.block = parse_block(p);
	vec_push(p->a, &b->list, body);
	*e = (struct expr){.kind = EX_BLOCK, .span = at, .height = 2};
	e->u.block.body = b;
	e->u.block.fn = use->macro->name;
	if (use->ret) {
		e->u.block.value = ARENA_NEW(p->a, struct expr);
		*e->u.block.value = *use->ret;
		e->u.block.value->span = at;
	}
	return e;
}

struct stmt *parse_return(struct parser *p, struct stmt *s)
{
	const struct macro_use *u = p->use;
	struct stmt *outer, *set;
	struct expr *var;

	while (u && !u->macro->fn)
		u = u->up;
	if (!u || p->panic)
		return s;
	s->in_fn = true;
	if (u->ret && !s->u.expr)
		p_hint(p, p_error(p, s->span, DIAG_SYNTAX, "function '%.60s' returns a value",
			u->macro->name), "return VALUE;");
	else if (!u->ret && s->u.expr)
		p_hint(p, p_error(p, s->u.expr->span, DIAG_SYNTAX, "function '%.60s' returns nothing",
			u->macro->name), "say what: fn %.60s(…) : int64 { … }", u->macro->name);
	if (!u->ret || !s->u.expr || p->panic)
		return s;
	var = ARENA_NEW(p->a, struct expr);
	*var = *u->ret;
	set = ARENA_NEW(p->a, struct stmt);
	*set = (struct stmt){.kind = ST_ASSIGN, .span = s->u.expr->span};
	set->u.assign.target = var;
	set->u.assign.value = s->u.expr;
	s->u.expr = NULL;
	outer = ARENA_NEW(p->a, struct stmt);
	*outer = (struct stmt){.kind = ST_BLOCK, .span = s->span, .ended = s->ended};
	outer->u.block = ARENA_NEW(p->a, struct block);
	vec_push(p->a, &outer->u.block->list, parse_spread(p, set));
	vec_push(p->a, &outer->u.block->list, s);
	return outer;
}

/* Its text is read once for its errors. */
static void try_body(struct parser *p, struct macro *m)
{
	struct macro_use *use = macro_begin(p, m, m->span);
	int errors = p->d->errors;

	p->use = use;
	read_fn(p, use, NULL, m->span);
	p->use = use->up;
	m->broken = p->d->errors > errors;
}

void parse_fn(struct parser *p)
{
	struct macro *m = ARENA_NEW(p->a, struct macro), *old;

	p_next(p); /* "fn" */
	p_next(p);
	m->fn = true;
	m->name = p->tok.text;
	m->span = p->tok.span;
	if (p_is(p, TOK_IDENT))
		p_next(p);
	else
		p_expected(p, "the name of the function");
	m->body = here(p);
	if (!p->panic) {
		old = smap_get(p->macros, m->name);
		if (old)
			diag_also(p->d,
				p_error(p, m->span, DIAG_DUPLICATE, "'%.60s' is defined twice", m->name),
				old->span, "first here");
		else
			smap_put(p->macros, m->name, m);
	}
	if (!p->panic)
		try_body(p, m);
	if (p->panic && !p->stopped) {
		p->panic = false;
		go(p, &m->body);
		p_skip_braces(p);
	}
	p->panic = false;
	if (p_is(p, TOK_EOF) && !m->broken)
		p_hint(p, p_error(p, m->span, DIAG_UNTERMINATED, "function without its end"),
			"close it with '}'");
}

struct expr *fn_use(struct parser *p, const struct macro *m, struct skep_span at)
{
	struct macro_use *use = macro_begin(p, m, at);
	bool in_pred = p->in_pred;
	struct exprs args = {{0}};
	struct expr *e = NULL;
	struct place back;

	p_next(p); /* '(' */
	while (!p->panic && !p_is(p, TOK_RPAREN)) {
		vec_push(p->a, &args.list, parse_expr(p));
		if (!p->panic && !p_accept(p, TOK_COMMA))
			break;
	}
	if (!p->panic)
		p_expect(p, TOK_RPAREN, "',' or ')' after an argument");
	back = here(p);
	if (!p->panic && !m->broken && p_enter(p, at)) {
		go(p, &m->body);
		p->use = use;
		p->in_pred = false;
		e = read_fn(p, use, &args, at);
		if (!p->stopped)
			go(p, &back);
		p->in_pred = in_pred;
		p_leave(p);
	}
	return e ? e : parse_broken(p);
}
