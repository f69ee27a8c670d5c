/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Expressions, by precedence climbing. C's precedence, with "in" beside the comparisons. */
#include "lang/parse.h"
#include <string.h>

static struct expr *unary(struct parser *p);
static struct expr *binary(struct parser *p, int min);

static struct expr *expr_new(struct parser *p, enum expr_kind kind, uint32_t start)
{
	struct expr *e = ARENA_NEW(p->a, struct expr);
	struct skep_span at = p_since(p, start);

	p_count(p, at.len ? at : p->tok.span);
	*e = (struct expr){.kind = kind, .span = at, .height = 1};
	return e;
}

/* Makes child part of e's height. */
static struct expr *over(struct parser *p, struct expr *e, const struct expr *child)
{
	if (!child || child->height < e->height)
		return e;
	e->height = child->height + 1;
	if (e->height > PARSE_HEIGHT) {
		p_hint(p,
			p_error(p, e->span, DIAG_TOO_DEEP, "expression of more than %d levels",
				PARSE_HEIGHT),
			"keep parts in variables: $x = …");
		p_stop(p);
		e->height = 1;
	}
	return e;
}

struct expr *parse_broken(struct parser *p)
{
	struct expr *e = ARENA_NEW(p->a, struct expr);

	*e = (struct expr){.kind = EX_INT, .span = p->tok.span, .height = 1};
	return e;
}

/* ---- lists ---- */

/* Comma-separated expressions up to (and with) close. */
static void list(struct parser *p, struct exprs *out, struct expr *owner, enum token_kind close,
	const char *what)
{
	while (!p_is(p, close) && !p->panic) {
		struct expr *e = parse_expr(p);

		vec_push(p->a, &out->list, e);
		over(p, owner, e);
		if (!p_accept(p, TOK_COMMA))
			break;
	}
	if (!p->panic)
		p_expect(p, close, what);
}

/* An element of a set: a or a..b. */
static struct expr *range_or(struct parser *p, struct expr *lo)
{
	struct expr *e;

	if (p->panic || !p_accept(p, TOK_DOTDOT))
		return lo;
	e = expr_new(p, EX_RANGE, lo->span.off);
	e->u.range.lo = lo;
	e->u.range.hi = parse_range_bound(p);
	e->span = p_since(p, lo->span.off);
	over(p, e, lo);
	return over(p, e, e->u.range.hi);
}

static struct expr *set(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	struct expr *e = expr_new(p, EX_SET, start);

	p_next(p);
	while (!p_is(p, TOK_RBRACE) && !p->panic) {
		struct expr *item = range_or(p, parse_range_bound(p));

		vec_push(p->a, &e->u.tuple.list, item);
		over(p, e, item);
		if (!p_accept(p, TOK_COMMA))
			break;
	}
	if (!p->panic)
		p_expect(p, TOK_RBRACE, "',' or '}' in a set");
	e->span = p_since(p, start);
	return e;
}

/* ---- casts ---- */

static const char *const c_words[] = {
	"unsigned", "signed", "long", "short", "char", "int", "bool", "void", "const", "volatile"};
static const char *const int_words[] = {"int8", "int16", "int32", "int64", "uint8", "uint16",
	"uint32", "uint64", "size_t", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t",
	"uint16_t", "uint32_t", "uint64_t", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64",
	"uintptr_t"};

static bool in_words(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(s, words[i]))
			return true;
	}
	return false;
}
#define IN(s, words) in_words((s), (words), sizeof(words) / sizeof(*(words)))

static bool is_tag_word(const char *s)
{
	return !strcmp(s, "struct") || !strcmp(s, "union") || !strcmp(s, "enum");
}

static bool starts_operand(const struct token *t)
{
	switch (t->kind) {
	case TOK_IDENT: /* "(a) in b" is no cast */
		return strcmp(t->text, "in") != 0;
	case TOK_INT:
	case TOK_STR:
	case TOK_VAR:
	case TOK_MAP:
	case TOK_POSARG:
		return true;
	default:
		return false;
	}
}

/*
 * At '(': is this a cast? (struct x …), (uint64), (name *) and (name)operand are; (name) before
 * anything else is an expression in parentheses.
 */
static bool is_cast(const struct parser *p)
{
	struct lexer ahead = p->lex;
	struct token t, after;

	ahead.mute = true;
	t = lex_next(&ahead);
	if (t.kind != TOK_IDENT)
		return false;
	if (is_tag_word(t.text) || IN(t.text, c_words) || IN(t.text, int_words) ||
		!strcmp(t.text, "typeof"))
		return true;
	after = lex_next(&ahead);
	if (after.kind == TOK_RPAREN) {
		after = lex_next(&ahead);
		return starts_operand(&after);
	}
	if (after.kind != TOK_STAR)
		return false;
	while (after.kind == TOK_STAR)
		after = lex_next(&ahead);
	return after.kind == TOK_RPAREN;
}

static bool at_type(const struct parser *p);

/* typeof(TYPE), typeof(value): a type stands for itself. */
static void type_of(struct parser *p, struct expr *e)
{
	p_next(p);
	p_next(p);
	if (at_type(p)) {
		struct expr *type = parse_cast_type(p);

		e->u.cast = type->u.cast;
	} else {
		e->u.cast.of = parse_expr(p);
		over(p, e, e->u.cast.of);
	}
	if (!p->panic)
		p_expect(p, TOK_RPAREN, "')' of typeof()");
}

/* The type between the parentheses of a cast; its words joined by single blanks. */
static void cast_type(struct parser *p, struct expr *e)
{
	uint32_t start = p->tok.span.off;
	bool tag = false;
	struct buf b;

	if (p_is_word(p, "typeof") && p_peek(p).kind == TOK_LPAREN) {
		e->u.cast.type = "typeof()";
		type_of(p, e);
		e->u.cast.type_span = p_since(p, start);
		return;
	}
	buf_init(&b, p->a);
	while (p_is(p, TOK_IDENT)) {
		bool skip = !strcmp(p->tok.text, "const") || !strcmp(p->tok.text, "volatile");

		if (!skip && b.n && !tag && !IN(p->tok.text, c_words))
			break;
		if (!skip) {
			if (b.n)
				buf_putc(&b, ' ');
			buf_puts(&b, p->tok.text);
			tag = is_tag_word(p->tok.text);
		}
		p_next(p);
	}
	if (!b.n || tag)
		p_expected(p, "the name of a type");
	e->u.cast.type = b.n ? b.p : "";
	e->u.cast.type_span = p_since(p, start);
	while (p_is(p, TOK_STAR)) {
		e->u.cast.stars++;
		p_next(p);
	}
	if (!p_accept(p, TOK_LBRACKET))
		return;
	e->u.cast.array = true;
	if (p_is(p, TOK_INT) && p->tok.num.v <= UINT16_MAX) {
		e->u.cast.nelems = (uint32_t)p->tok.num.v;
		p_next(p);
	}
	p_expect(p, TOK_RBRACKET, "the number of elements and ']'");
}

struct expr *parse_cast_type(struct parser *p)
{
	struct expr *e = expr_new(p, EX_CAST, p->tok.span.off);

	cast_type(p, e);
	e->span = e->u.cast.type_span;
	return e;
}

static struct expr *cast(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	struct expr *e = expr_new(p, EX_CAST, start);

	p_next(p);
	cast_type(p, e);
	if (!p->panic)
		p_expect(p, TOK_RPAREN, "')' after the type");
	e->u.cast.a = p->panic ? parse_broken(p) : unary(p);
	e->span = p_since(p, start);
	return over(p, e, e->u.cast.a);
}

/* ---- primaries ---- */

/* (a = 1, b = 2): behind the parenthesis */
static struct expr *record(struct parser *p, uint32_t start)
{
	struct expr *e = expr_new(p, EX_RECORD, start), *value;
	VEC(const char *) names = {0};

	while (!p_is(p, TOK_RPAREN) && !p->panic) {
		if (!p_is(p, TOK_IDENT) || p_peek(p).kind != TOK_ASSIGN) {
			p_hint(p, p_expected(p, "the name of a field and '='"),
				"all fields of a record have names: (a = 1, b = 2)");
			break;
		}
		for (uint32_t i = 0; i < names.n; i++) {
			if (!strcmp(names.v[i], p->tok.text))
				p_error(p, p->tok.span, DIAG_WRONG_ARGS,
					"the record has two fields '%.60s'", names.v[i]);
		}
		vec_push(p->a, &names, p->tok.text);
		p_next(p);
		p_next(p);
		value = parse_expr(p);
		vec_push(p->a, &e->u.record.values.list, value);
		over(p, e, value);
		if (!p_accept(p, TOK_COMMA))
			break;
	}
	e->u.record.names = names.v;
	if (!p->panic)
		p_expect(p, TOK_RPAREN, "',' or ')'");
	e->span = p_since(p, start);
	return e;
}

/* (e), (a, b), (), (a = 1, b = 2) */
static struct expr *parenthesised(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	struct expr *e, *tuple;

	p_next(p);
	if (p_is(p, TOK_RPAREN)) {
		p_next(p);
		return expr_new(p, EX_TUPLE, start);
	}
	if (p_is(p, TOK_IDENT) && p_peek(p).kind == TOK_ASSIGN)
		return record(p, start);
	e = parse_expr(p);
	if (p->panic)
		return e;
	if (p_accept(p, TOK_RPAREN)) {
		e->span = p_since(p, start);
		return e;
	}
	if (!p_is(p, TOK_COMMA)) {
		p_expected(p, "')'");
		return e;
	}
	p_next(p);
	tuple = expr_new(p, EX_TUPLE, start);
	vec_push(p->a, &tuple->u.tuple.list, e);
	over(p, tuple, e);
	list(p, &tuple->u.tuple, tuple, TOK_RPAREN, "',' or ')'");
	tuple->span = p_since(p, start);
	return tuple;
}

/* Functions whose arguments are types: their text is skipped, check.c says they are missing. */
static bool takes_types(const char *name)
{
	return !strcmp(name, "sizeof") || !strcmp(name, "offsetof") || !strcmp(name, "typeof") ||
	       !strcmp(name, "typeinfo") || !strcmp(name, "container_of");
}

/*
 * sizeof(struct x), offsetof(struct x, member): a type first, when it looks like one; the name of a
 * type alone is taken as an expression, and the checker finds out what it is.
 */
static bool at_type(const struct parser *p)
{
	return p_is(p, TOK_IDENT) &&
	       (is_tag_word(p->tok.text) || IN(p->tok.text, c_words) ||
		       IN(p->tok.text, int_words) || p_peek(p).kind == TOK_STAR ||
		       !strcmp(p->tok.text, "typeof"));
}

static void type_and_list(struct parser *p, struct expr *e)
{
	struct expr *type;

	if (at_type(p)) {
		type = parse_cast_type(p);
		type->u.cast.a = parse_broken(p);
		vec_push(p->a, &e->u.call.args.list, type);
		over(p, e, type);
		if (!p_accept(p, TOK_COMMA)) {
			p_expect(p, TOK_RPAREN, "')' after the type");
			return;
		}
	}
	list(p, &e->u.call.args, e, TOK_RPAREN, "',' or ')' after an argument");
}

static struct expr *call(struct parser *p, const char *name, struct skep_span at)
{
	struct expr *e = expr_new(p, EX_CALL, at.off);

	p_next(p);
	e->u.call.name = name;
	e->u.call.name_span = at;
	if (!strcmp(name, "container_of") && !p_is(p, TOK_RPAREN)) { /* the type comes second */
		vec_push(p->a, &e->u.call.args.list, parse_expr(p));
		over(p, e, e->u.call.args.list.v[0]);
		if (p_accept(p, TOK_COMMA))
			type_and_list(p, e);
		else
			p_expect(p, TOK_RPAREN, "',' and a type after the pointer");
	} else if (takes_types(name))
		type_and_list(p, e);
	else
		list(p, &e->u.call.args, e, TOK_RPAREN, "',' or ')' after an argument");
	e->span = p_since(p, at.off);
	return e;
}

/* { statements; value } */
static struct expr *braced(struct parser *p)
{
	bool in_pred = p->in_pred;
	int errors = p->d->errors;
	struct expr *e;

	p->in_pred = false;
	e = parse_block_value(p, p->tok.span);
	p->in_pred = in_pred;
	if (p_is(p, TOK_RBRACE))
		p_next(p);
	return p->d->errors == errors ? e : parse_broken(p);
}

/* if (c) { a } else { b } where a value is wanted: c ? a : b */
static struct expr *if_value(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	struct expr *e = expr_new(p, EX_TERNARY, start);

	p_next(p);
	e->u.ternary.cond = parse_expr(p);
	if (!p->panic && !p_is(p, TOK_LBRACE))
		p_expected(p, "'{' after the condition");
	e->u.ternary.yes = p->panic ? parse_broken(p) : braced(p);
	if (!p->panic && !p_is_word(p, "else"))
		p_hint(p, p_expected(p, "'else'"), "an 'if' that is a value has both: if (c) { a } else { b }");
	if (!p->panic)
		p_next(p);
	e->u.ternary.no = p->panic ? parse_broken(p) : unary(p);
	e->span = p_since(p, start);
	over(p, e, e->u.ternary.cond);
	over(p, e, e->u.ternary.yes);
	return over(p, e, e->u.ternary.no);
}

static struct expr *name(struct parser *p)
{
	struct skep_span at = p->tok.span;
	const char *text = p->tok.text;
	struct expr *e;

	if (!strcmp(text, "if"))
		return if_value(p);
	p_next(p);
	e = p->use ? macro_argument(p, text) : NULL;
	e = e ? e : macro_use(p, text, at);
	if (!strncmp(text, "__builtin_", 10) && text[10])
		text += 10; /* bpftrace's standard macros call builtins so */
	if (e)
		return e;
	if (p_is(p, TOK_LPAREN))
		return call(p, text, at);
	if (is_tag_word(text)) {
		p_hint(p, p_error(p, at, DIAG_SYNTAX, "expected a value, found '%s'", text),
			"a type stands in a cast: (struct task_struct *)arg0");
		return parse_broken(p);
	}
	if (!strcmp(text, "true") || !strcmp(text, "false")) {
		e = expr_new(p, EX_INT, at.off);
		e->u.num.v = text[0] == 't';
		e->is_bool = true;
		return e;
	}
	e = expr_new(p, EX_NAME, at.off);
	e->u.name = text;
	return e;
}

static struct expr *map(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	const char *text = p->tok.text;
	struct expr *e;

	text = macro_map(p, text);
	p_next(p);
	e = expr_new(p, EX_MAP, start);
	e->u.map.name = text;
	if (!p_is(p, TOK_LBRACKET))
		return e;
	p_next(p);
	if (p_is(p, TOK_RBRACKET)) {
		p_hint(p, p_expected(p, "a key"), "without a key, write '%.60s'", text);
		return e;
	}
	list(p, &e->u.map.keys, e, TOK_RBRACKET, "',' or ']' after a key");
	/* @x[(a, b)] is @x[a, b]. */
	if (e->u.map.keys.list.n == 1 && e->u.map.keys.list.v[0]->kind == EX_TUPLE)
		e->u.map.keys = e->u.map.keys.list.v[0]->u.tuple;
	e->span = p_since(p, start);
	return e;
}

/* Number, string, address, $variable, $1: one token. */
static struct expr *leaf(struct parser *p, enum expr_kind kind)
{
	struct token t = p->tok;
	struct expr *e;

	p_next(p);
	e = expr_new(p, kind, t.span.off);
	switch (kind) {
	case EX_STR:
		e->u.str.s = t.str.s;
		e->u.str.n = t.str.n;
		break;
	case EX_ADDR:
		memcpy(e->u.addr.bytes, t.addr.bytes, sizeof(e->u.addr.bytes));
		e->u.addr.family = t.addr.family;
		e->u.addr.prefix = t.addr.prefix;
		break;
	case EX_VAR:
		e->u.name = macro_variable(p, t.text);
		break;
	default:
		e->u.num.v = t.num.v;
		e->u.num.is_unsigned = t.num.is_unsigned;
		break;
	}
	return e;
}

struct expr *parse_variable(struct parser *p)
{
	return leaf(p, EX_VAR);
}

static struct expr *primary(struct parser *p)
{
	switch (p->tok.kind) {
	case TOK_INT:
		return leaf(p, EX_INT);
	case TOK_STR:
		return leaf(p, EX_STR);
	case TOK_ADDR:
		return leaf(p, EX_ADDR);
	case TOK_VAR:
		return leaf(p, EX_VAR);
	case TOK_POSARG:
		return leaf(p, EX_POSARG);
	case TOK_MAP:
		return map(p);
	case TOK_IDENT:
		return name(p);
	case TOK_LPAREN:
		return parenthesised(p);
	case TOK_LBRACE:
		return braced(p);
	default:
		p_expected(p, "a value");
		return parse_broken(p);
	}
}

/* ---- postfix, unary ---- */

static struct expr *field(struct parser *p, struct expr *base)
{
	struct expr *e;
	bool arrow = p_is(p, TOK_ARROW);
	char digits[24];

	p_next(p);
	if (!p_is(p, TOK_IDENT) && !p_is(p, TOK_INT)) {
		p_expected(p,
			arrow ? "the name of a field after '->'" : "the name of a field after '.'");
		return base;
	}
	e = expr_new(p, EX_FIELD, base->span.off);
	e->u.field.base = base;
	e->u.field.name = p->tok.text;
	if (p_is(p, TOK_INT)) { /* .0 of a tuple */
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)p->tok.num.v);
		e->u.field.name = arena_strdup(p->a, digits);
	}
	e->u.field.name_span = p->tok.span;
	e->u.field.arrow = arrow;
	p_next(p);
	e->span = p_since(p, base->span.off);
	return over(p, e, base);
}

static struct expr *subscript(struct parser *p, struct expr *base)
{
	struct expr *e = expr_new(p, EX_INDEX, base->span.off);

	p_next(p);
	e->u.index.base = base;
	e->u.index.index = parse_expr(p);
	if (!p->panic && p_is(p, TOK_COLON)) { /* payload[offset:bytes] */
		struct expr *r = expr_new(p, EX_RANGE, e->u.index.index->span.off);

		p_next(p);
		r->u.range.lo = e->u.index.index;
		r->u.range.hi = parse_expr(p);
		r->span = p_since(p, r->u.range.lo->span.off);
		over(p, r, r->u.range.lo);
		e->u.index.index = over(p, r, r->u.range.hi);
	}
	if (!p->panic)
		p_expect(p, TOK_RBRACKET, "']'");
	e->span = p_since(p, base->span.off);
	over(p, e, base);
	return over(p, e, e->u.index.index);
}

/* @x[task].f = …: only maps whose values hang on tasks have fields that change one by one. */
void parse_note_field(struct parser *p, const struct expr *target)
{
	const struct expr *map = target->kind == EX_FIELD ? target->u.field.base : NULL;

	while (map && map->kind == EX_FIELD)
		map = map->u.field.base;
	if (map && map->kind == EX_MAP && map->u.map.keys.list.n)
		smap_put(&p->s->with_fields, map->u.map.name, p);
}

static struct expr *incdec(
	struct parser *p, struct expr *target, uint32_t start, bool prefix, bool dec)
{
	struct expr *e = expr_new(p, EX_INCDEC, start);

	e->u.incdec.target = target;
	e->u.incdec.prefix = prefix;
	e->u.incdec.dec = dec;
	parse_note_field(p, target);
	if (!p->panic && target->kind != EX_VAR && target->kind != EX_MAP &&
		target->kind != EX_FIELD)
		p_hint(p,
			p_error(p, target->span, DIAG_BAD_ASSIGN, "'%s' needs a $variable or a map",
				dec ? "--" : "++"),
			"write for instance @x%s", dec ? "--" : "++");
	return over(p, e, target);
}

static struct expr *postfix(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	struct expr *e = primary(p);

	while (!p->panic) {
		bool dec = p_is(p, TOK_DEC);

		if (p_is(p, TOK_DOT) || p_is(p, TOK_ARROW)) {
			e = field(p, e);
		} else if (p_is(p, TOK_LBRACKET)) {
			e = subscript(p, e);
		} else if (p_is(p, TOK_INC) || dec) {
			p_next(p);
			e = incdec(p, e, start, false, dec);
		} else {
			break;
		}
	}
	return e;
}

static struct expr *unary_op(struct parser *p, enum unop op)
{
	uint32_t start = p->tok.span.off;
	struct expr *e = expr_new(p, EX_UNARY, start);

	p_next(p);
	e->u.unary.op = op;
	e->u.unary.a = unary(p);
	e->span = p_since(p, start);
	return over(p, e, e->u.unary.a);
}

static struct expr *prefix_incdec(struct parser *p)
{
	uint32_t start = p->tok.span.off;
	bool dec = p_is(p, TOK_DEC);
	struct expr *e;

	p_next(p);
	e = incdec(p, unary(p), start, true, dec);
	e->span = p_since(p, start);
	return e;
}

static struct expr *unary_here(struct parser *p)
{
	switch (p->tok.kind) {
	case TOK_NOT:
		return unary_op(p, UO_NOT);
	case TOK_TILDE:
		return unary_op(p, UO_BNOT);
	case TOK_MINUS:
		return unary_op(p, UO_NEG);
	case TOK_PLUS:
		return unary_op(p, UO_PLUS);
	case TOK_STAR:
		return unary_op(p, UO_DEREF);
	case TOK_AMP:
		return unary_op(p, UO_ADDR);
	case TOK_INC:
	case TOK_DEC:
		return prefix_incdec(p);
	case TOK_LPAREN:
		return is_cast(p) ? cast(p) : postfix(p);
	default:
		return postfix(p);
	}
}

static struct expr *unary(struct parser *p)
{
	struct expr *e = NULL;

	if (p_enter(p, p->tok.span))
		e = unary_here(p);
	p_leave(p);
	return e ? e : parse_broken(p);
}

/* ---- binary ---- */

#define PREC_IN 7
#define PREC_RANGE 8 /* what may stand beside '..' */

static const struct {
	enum token_kind tok;
	int prec;
	enum binop op;
} binops[] = {
	{TOK_LOR, 1, BO_LOR},
	{TOK_LAND, 2, BO_LAND},
	{TOK_PIPE, 3, BO_OR},
	{TOK_CARET, 4, BO_XOR},
	{TOK_AMP, 5, BO_AND},
	{TOK_EQ, 6, BO_EQ},
	{TOK_NE, 6, BO_NE},
	{TOK_LT, 7, BO_LT},
	{TOK_LE, 7, BO_LE},
	{TOK_GT, 7, BO_GT},
	{TOK_GE, 7, BO_GE},
	{TOK_SHL, 8, BO_SHL},
	{TOK_SHR, 8, BO_SHR},
	{TOK_PLUS, 9, BO_ADD},
	{TOK_MINUS, 9, BO_SUB},
	{TOK_STAR, 10, BO_MUL},
	{TOK_SLASH, 10, BO_DIV},
	{TOK_PERCENT, 10, BO_MOD},
};

/* The '/' at hand is the one before '{' that ends the predicate. */
static bool ends_predicate(const struct parser *p)
{
	struct lexer ahead = p->lex;
	int c;

	if (!p->in_pred || !p_is(p, TOK_SLASH) || p->lex.frame)
		return false;
	ahead.mute = true;
	lex_skip(&ahead);
	c = lex_at(&ahead, ahead.pos);
	return c == '{' || c < 0;
}

static struct expr *in(struct parser *p, struct expr *a)
{
	struct expr *e = expr_new(p, EX_IN, a->span.off);

	p_next(p);
	e->u.binary.a = a;
	e->u.binary.b = p_is(p, TOK_LBRACE) ? set(p) : range_or(p, parse_range_bound(p));
	e->span = p_since(p, a->span.off);
	over(p, e, a);
	return over(p, e, e->u.binary.b);
}

/* a contains "text" is contains(a, "text") */
static struct expr *contains(struct parser *p, struct expr *a)
{
	struct expr *e = expr_new(p, EX_CALL, a->span.off), *text;

	e->u.call.name = "contains";
	e->u.call.name_span = p->tok.span;
	p_next(p);
	text = unary(p);
	vec_push(p->a, &e->u.call.args.list, a);
	vec_push(p->a, &e->u.call.args.list, text);
	e->span = p_since(p, a->span.off);
	over(p, e, a);
	return over(p, e, text);
}

static struct expr *binary(struct parser *p, int min)
{
	struct expr *a = unary(p);

	while (!p->panic) {
		struct expr *e;
		unsigned i = 0;

		if (p_is_word(p, "in") && PREC_IN >= min) {
			a = in(p, a);
			continue;
		}
		if (p_is_word(p, "contains") && PREC_IN >= min) {
			a = contains(p, a);
			continue;
		}
		while (i < sizeof(binops) / sizeof(*binops) && binops[i].tok != p->tok.kind)
			i++;
		if (i == sizeof(binops) / sizeof(*binops) || binops[i].prec < min ||
			ends_predicate(p))
			break;
		p_next(p);
		e = expr_new(p, EX_BINARY, a->span.off);
		e->u.binary.op = binops[i].op;
		e->u.binary.a = a;
		e->u.binary.b = binary(p, binops[i].prec + 1);
		e->span = p_since(p, a->span.off);
		over(p, e, a);
		a = over(p, e, e->u.binary.b);
	}
	return a;
}

struct expr *parse_range_bound(struct parser *p)
{
	struct expr *e = NULL;

	if (p_enter(p, p->tok.span))
		e = binary(p, PREC_RANGE);
	p_leave(p);
	return e ? e : parse_broken(p);
}

static struct expr *ternary(struct parser *p)
{
	struct expr *cond = binary(p, 1), *e;

	if (p->panic || !p_is(p, TOK_QUESTION))
		return cond;
	e = expr_new(p, EX_TERNARY, cond->span.off);
	p_next(p);
	e->u.ternary.cond = cond;
	if (!p_is(p, TOK_COLON))
		e->u.ternary.yes = parse_expr(p);
	if (!p->panic)
		p_expect(p, TOK_COLON, "':' of '? :'");
	e->u.ternary.no = p->panic ? parse_broken(p) : parse_expr(p);
	e->span = p_since(p, cond->span.off);
	over(p, e, cond);
	over(p, e, e->u.ternary.yes);
	return over(p, e, e->u.ternary.no);
}

struct expr *parse_expr(struct parser *p)
{
	struct expr *e = NULL;

	if (p_enter(p, p->tok.span))
		e = ternary(p);
	p_leave(p);
	return e ? e : parse_broken(p);
}
