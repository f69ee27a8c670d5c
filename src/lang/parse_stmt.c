/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Statements and blocks. After an error the parser goes on behind the next ';' or at the '}'. */
#include "lang/front.h"
#include "lang/parse.h"
#include <string.h>

static struct stmt *stmt_new(struct parser *p, enum stmt_kind kind)
{
	struct stmt *s = ARENA_NEW(p->a, struct stmt);

	p_count(p, p->tok.span);
	*s = (struct stmt){.kind = kind, .span = p->tok.span};
	return s;
}

/* Skips to the end of a broken statement: behind its ';', or to the '}' of its block. */
static void recover(struct parser *p)
{
	unsigned depth = 0;

	for (; !p_is(p, TOK_EOF); p_next(p)) {
		if (p_is(p, TOK_LBRACE)) {
			depth++;
		} else if (p_is(p, TOK_RBRACE)) {
			if (!depth)
				break;
			if (!--depth) {
				p_next(p);
				break;
			}
		} else if (p_is(p, TOK_SEMI) && !depth) {
			p_next(p);
			break;
		}
	}
	p->panic = false;
}

/* A block in the middle of statements: its '}' is taken, too. */
static struct block *inner_block(struct parser *p, const char *after)
{
	struct block *b;

	if (!p_is(p, TOK_LBRACE)) {
		p_hint(p, p_expected(p, arena_printf(p->a, "'{' after %s", after)),
			"braces are needed around one statement, too");
		return ARENA_NEW(p->a, struct block);
	}
	b = parse_block(p);
	if (p_is(p, TOK_RBRACE))
		p_next(p);
	return b;
}

/* A chain of "else if" may be long: it is read, and later walked, without recursion. */
static struct stmt *if_stmt(struct parser *p)
{
	struct stmt *first = stmt_new(p, ST_IF), *s = first;

	for (;;) {
		struct stmt *next;

		p_next(p);
		s->u.cond.cond = parse_expr(p);
		s->u.cond.yes = ARENA_NEW(p->a, struct block);
		if (!p->panic)
			s->u.cond.yes = inner_block(p, "the condition");
		if (p->panic || !p_is_word(p, "else"))
			return first;
		p_next(p);
		if (!p_is_word(p, "if")) {
			s->u.cond.no = inner_block(p, "'else'");
			return first;
		}
		next = stmt_new(p, ST_IF);
		s->u.cond.no = ARENA_NEW(p->a, struct block);
		s->u.cond.no->span = next->span;
		vec_push(p->a, &s->u.cond.no->list, next);
		s = next;
	}
}

static struct stmt *loop_stmt(struct parser *p, enum stmt_kind kind)
{
	struct stmt *s = stmt_new(p, kind);

	p_next(p);
	s->u.loop.cond = parse_expr(p);
	s->u.loop.body = ARENA_NEW(p->a, struct block);
	if (!p->panic)
		s->u.loop.body =
			inner_block(p, kind == ST_WHILE ? "the condition" : "the number of rounds");
	return s;
}

static bool is_dsq(const struct expr *e)
{
	return e->kind == EX_CALL && !strcmp(e->u.call.name, "dsq") && e->u.call.args.list.n == 1;
}

/* for ($i : 0..10) { }, for ($kv : @m) { }; parentheses are optional. */
static struct stmt *for_stmt(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_FOR_RANGE);
	bool paren;

	p_next(p);
	s->u.each.body = ARENA_NEW(p->a, struct block);
	paren = p_accept(p, TOK_LPAREN);
	s->u.each.var = parse_range_bound(p);
	if (!p->panic && s->u.each.var->kind != EX_VAR) {
		p_hint(p,
			p_error(p, s->u.each.var->span, DIAG_SYNTAX,
				"expected a $variable after 'for'"),
			"for instance: for ($i : 0..10) { … }");
		return s;
	}
	if (!p_is(p, TOK_COLON)) {
		p_hint(p, p_expected(p, "':' after the loop's variable"),
			"for instance: for ($i : 0..10) { … }");
		/* the semicolons of C's "for" end no statement */
		while (!p_is(p, TOK_LBRACE) && !p_is(p, TOK_RBRACE) && !p_is(p, TOK_EOF))
			p_next(p);
		return s;
	}
	p_next(p);
	s->u.each.lo = parse_range_bound(p);
	if (p_accept(p, TOK_DOTDOT)) {
		s->u.each.hi = parse_range_bound(p);
	} else if (!p->panic && s->u.each.lo->kind == EX_MAP) {
		s->kind = ST_FOR_MAP;
		s->u.each.map = s->u.each.lo;
		s->u.each.lo = NULL;
	} else if (!p->panic && is_dsq(s->u.each.lo)) {
		s->kind = ST_FOR_DSQ;
		s->u.each.lo = s->u.each.lo->u.call.args.list.v[0];
	} else if (!p->panic) {
		p_expected(p, "'..' and the end of the range");
	}
	if (paren && !p->panic)
		p_expect(p, TOK_RPAREN, "')'");
	if (!p->panic)
		s->u.each.body = inner_block(p, "the range");
	return s;
}

/* { …; if (c) { a } else { b } }, { …; { …; a } }: the checker makes a value of it. */
static bool ends_in_block(const struct expr *e)
{
	const struct block *b = e->u.block.body;
	const struct stmt *last = b->list.n ? b->list.v[b->list.n - 1] : NULL;

	return !e->u.block.value && last && (last->kind == ST_IF || (last->kind == ST_BLOCK && !last->ended));
}

/* $x = { …; e } is { …; $x = e }, and a block that stands alone is one of statements. */
struct stmt *parse_spread(struct parser *p, struct stmt *s)
{
	struct expr **at = s->kind == ST_EXPR ? &s->u.expr : &s->u.assign.value, *e = *at;
	struct stmt *outer;

	if (p->panic || !e || e->kind != EX_BLOCK || (s->kind != ST_EXPR && ends_in_block(e)))
		return s;
	if (s->kind == ST_ASSIGN && s->u.assign.compound && e->u.block.value)
		return s; /* what the target held before the block counts */
	outer = stmt_new(p, ST_BLOCK);
	outer->span = s->span = e->span;
	outer->u.block = e->u.block.body;
	*at = e->u.block.value;
	if (*at)
		vec_push(p->a, &outer->u.block->list, s);
	else if (s->kind != ST_EXPR && e->u.block.fn)
		p_hint(p, p_error(p, e->span, DIAG_SYNTAX, "function '%.60s' returns nothing",
				  e->u.block.fn),
			"call it as a statement, or let it return a value");
	else if (s->kind != ST_EXPR)
		p_hint(p, p_error(p, e->span, DIAG_SYNTAX, "the block has no value"),
			"its last expression, without ';', is its value");
	if (s->kind == ST_EXPR)
		s->drops = true;
	return outer;
}

/* A type, and behind "string" its size. */
struct expr *parse_let_type(struct parser *p)
{
	bool text = p_is_word(p, "string");
	struct expr *type;

	if (!text)
		return parse_cast_type(p);
	type = parse_range_bound(p);
	if (!p->panic && type->kind != EX_NAME && type->kind != EX_INDEX)
		p_error(p, type->span, DIAG_SYNTAX, "expected a type, for instance string[16]");
	return type;
}

static struct stmt *let_stmt(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_LET);

	p_next(p);
	if (!p_is(p, TOK_VAR)) {
		p_hint(p, p_expected(p, "a $variable after 'let'"), "for instance: let $x = 1;");
		return s;
	}
	s->u.assign.target = parse_variable(p);
	if (p_accept(p, TOK_COLON))
		s->u.assign.type = parse_let_type(p);
	if (p_accept(p, TOK_ASSIGN))
		s->u.assign.value = parse_expr(p);
	return parse_spread(p, s);
}

static const struct {
	enum token_kind tok;
	enum binop op;
} assign_ops[] = {
	{TOK_ADD_ASSIGN, BO_ADD},
	{TOK_SUB_ASSIGN, BO_SUB},
	{TOK_MUL_ASSIGN, BO_MUL},
	{TOK_DIV_ASSIGN, BO_DIV},
	{TOK_MOD_ASSIGN, BO_MOD},
	{TOK_AND_ASSIGN, BO_AND},
	{TOK_OR_ASSIGN, BO_OR},
	{TOK_XOR_ASSIGN, BO_XOR},
	{TOK_SHL_ASSIGN, BO_SHL},
	{TOK_SHR_ASSIGN, BO_SHR},
};

/* a.b++ as a statement is a.b += 1. */
static struct stmt *member_incdec(struct parser *p, struct stmt *s)
{
	struct expr *e = s->u.expr, *one = ARENA_NEW(p->a, struct expr);

	*one = (struct expr){.kind = EX_INT, .span = e->span, .u.num.v = 1};
	s->kind = ST_ASSIGN;
	s->u.assign.compound = true;
	s->u.assign.op = e->u.incdec.dec ? BO_SUB : BO_ADD;
	s->u.assign.target = e->u.incdec.target;
	s->u.assign.value = one;
	return s;
}

static struct block *block_of(struct parser *p, struct expr *e)
{
	struct block *b = ARENA_NEW(p->a, struct block);
	struct stmt *s = stmt_new(p, ST_EXPR);

	s->u.expr = e;
	s->span = b->span = e->span;
	vec_push(p->a, &b->list, s);
	return b;
}

/* cond ? printf("a") : printf("b"); chooses what is done: its sides need no value. */
static struct stmt *either(struct parser *p, struct stmt *s)
{
	struct expr *e = s->u.expr;

	s->kind = ST_IF;
	s->u.cond.cond = e->u.ternary.cond;
	s->u.cond.yes = block_of(p, e->u.ternary.yes);
	s->u.cond.no = block_of(p, e->u.ternary.no);
	return s;
}

static struct stmt *expr_stmt(struct parser *p)
{
	struct stmt *s = stmt_new(p, ST_EXPR);
	struct expr *e = parse_expr(p);

	s->u.expr = e;
	if (p->panic)
		return s;
	if (e->kind == EX_INCDEC && e->u.incdec.target->kind == EX_FIELD)
		return member_incdec(p, s);
	for (unsigned i = 0; i < sizeof(assign_ops) / sizeof(*assign_ops); i++) {
		if (p_is(p, assign_ops[i].tok)) {
			s->kind = ST_ASSIGN;
			s->u.assign.compound = true;
			s->u.assign.op = assign_ops[i].op;
		}
	}
	if (p_is(p, TOK_ASSIGN)) {
		s->kind = ST_ASSIGN;
		s->u.assign.compound = false;
	}
	if (s->kind != ST_ASSIGN && e->kind == EX_TERNARY && e->u.ternary.yes &&
		e->u.ternary.yes->kind == EX_CALL && e->u.ternary.no->kind == EX_CALL)
		return either(p, s);
	if (s->kind != ST_ASSIGN)
		return parse_spread(p, s);
	p_next(p);
	s->u.assign.target = e;
	parse_note_field(p, e);
	s->u.assign.value = parse_expr(p);
	/* "_ = e;" is bpftrace's way to drop a value. */
	if (e->kind == EX_NAME && !strcmp(e->u.name, "_") && !s->u.assign.compound) {
		struct expr *v = s->u.assign.value;

		s->kind = ST_EXPR;
		s->drops = true;
		s->u.expr = v;
	}
	return parse_spread(p, s);
}

/* Statements that end with a block need no ';'. */
static bool ends_with_block(const struct stmt *s)
{
	switch (s->kind) {
	case ST_IF:
	case ST_WHILE:
	case ST_FOR_RANGE:
	case ST_FOR_MAP:
	case ST_FOR_DSQ:
	case ST_UNROLL:
	case ST_BLOCK:
	case ST_BODY:
		return true;
	default:
		return false;
	}
}

static struct stmt *word_stmt(struct parser *p, enum stmt_kind kind)
{
	struct stmt *s = stmt_new(p, kind);

	p_next(p);
	if (kind == ST_RETURN && !p_is(p, TOK_SEMI) && !p_is(p, TOK_RBRACE))
		s->u.expr = parse_expr(p);
	return kind == ST_RETURN ? parse_return(p, s) : s;
}

static struct stmt *any_stmt(struct parser *p)
{
	struct stmt *s;

	if (p_is(p, TOK_LBRACE)) {
		s = stmt_new(p, ST_BLOCK);
		s->u.block = inner_block(p, "");
		return s;
	}
	if (p_is_word(p, "if"))
		return if_stmt(p);
	if (p_is_word(p, "while"))
		return loop_stmt(p, ST_WHILE);
	if (p_is_word(p, "unroll"))
		return loop_stmt(p, ST_UNROLL);
	if (p_is_word(p, "for"))
		return for_stmt(p);
	if (p_is_word(p, "let"))
		return let_stmt(p);
	if (p_is_word(p, "return"))
		return word_stmt(p, ST_RETURN);
	if (p_is_word(p, "break"))
		return word_stmt(p, ST_BREAK);
	if (p_is_word(p, "continue"))
		return word_stmt(p, ST_CONTINUE);
	if (p_is_word(p, "else")) {
		p_error(p, p->tok.span, DIAG_SYNTAX, "'else' without 'if'");
		return stmt_new(p, ST_EXPR);
	}
	return expr_stmt(p);
}

/* A statement that went wrong begins with a word: is it nearly a keyword, or a probe behind a missing '}'? */
static void first_word(struct parser *p, const struct token *t)
{
	static const char *const words[] = {"break", "continue", "else", "for", "if", "let", "return",
		"unroll", "while"};

	if ((p_is(p, TOK_LBRACE) || p_is(p, TOK_COLON)) && kern_probe_by_name(t->text) >= 0) {
		p_hint(p, p->told, "is a '}' missing before the probe '%.60s'?", t->text);
		p_stop(p);
	} else if (builtin_function(t->text) < 0 && builtin_value(t->text) < 0 && !smap_get(p->macros, t->text))
		p_did_you_mean(p, p->told, t->text, words, sizeof(words) / sizeof(*words));
}

static struct stmt *statement(struct parser *p)
{
	struct token first = p->tok;
	uint32_t start = first.span.off;
	int errors = p->d->errors;
	struct stmt *s = any_stmt(p);
	struct diag *e;

	if (p->panic && p->d->errors == errors + 1 && first.kind == TOK_IDENT && s->kind == ST_EXPR)
		first_word(p, &first);
	s->span = p_since(p, start);
	if (p->panic || p_is(p, TOK_RBRACE))
		return s;
	s->ended = p_accept(p, TOK_SEMI);
	if (s->ended || ends_with_block(s))
		return s;
	if (p_is(p, TOK_EOF))
		return s; /* parse_block reports the missing '}' */
	e = p_expected(p, "';' or '}' after the statement");
	if (e && s->kind == ST_ASSIGN && p_is(p, TOK_ASSIGN))
		p_hint(p, e, "an assignment has no value: assign one after the other");
	else if (e && !e->hint && s->kind == ST_EXPR && s->u.expr->kind == EX_NAME &&
		(p_is(p, TOK_IDENT) || p_is(p, TOK_VAR)))
		p_hint(p, e, "variables need no type: $x = …");
	else if (e && !e->hint && p_is(p, TOK_LBRACE))
		p_hint(p, e, "blocks stand behind if, else if, else, while, for and unroll");
	else if (e && !e->hint)
		p_hint(p, e, "statements are separated by ';'");
	if (e && first.kind == TOK_IDENT && s->kind == ST_EXPR)
		first_word(p, &first);
	return s;
}

struct block *parse_block(struct parser *p)
{
	struct block *b = ARENA_NEW(p->a, struct block);
	struct skep_span open = p->tok.span;

	if (p_enter(p, open))
		p_next(p);
	while (!p_is(p, TOK_RBRACE) && !p_is(p, TOK_EOF)) {
		struct stmt *s;

		if (p_accept(p, TOK_SEMI))
			continue;
		s = statement(p);
		if (p->panic)
			recover(p);
		else
			vec_push(p->a, &b->list, s);
	}
	if (p_is(p, TOK_EOF)) {
		p_hint(p, p_error(p, open, DIAG_UNTERMINATED, "block without its end"),
			"close it with '}'");
		p_stop(p); /* one message, not one for each block around it */
	}
	b->span = (struct skep_span){open.off, p->tok.span.off + p->tok.span.len - open.off};
	p_leave(p);
	return b;
}
