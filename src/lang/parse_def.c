/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * C definitions: struct, union, enum, typedef. They end with the ';' as current token; as in bpftrace
 * it may be missing after the last brace of one.
 */
#include "lang/front.h"
#include "lang/parse.h"
#include <string.h>

#define DIM_MAX (1u << 20)

static struct cdef *definition_body(struct parser *p, enum cdef_kind kind, const char *name);

static bool is_tag(const char *s)
{
	return !strcmp(s, "struct") || !strcmp(s, "union") || !strcmp(s, "enum");
}

static bool is_base_word(const char *s)
{
	static const char *const words[] = {
		"unsigned", "signed", "long", "short", "char", "int", "void", "bool", "_Bool"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(s, words[i]))
			return true;
	}
	return false;
}

/* __attribute__((…)) */
static void attributes(struct parser *p, bool *packed)
{
	while (p_is_word(p, "__attribute__")) {
		unsigned depth = 0;

		for (p_next(p); !p_is(p, TOK_EOF); p_next(p)) {
			if (p_is_word(p, "packed") || p_is_word(p, "__packed__"))
				*packed = true;
			if (p_is(p, TOK_LPAREN))
				depth++;
			if (p_is(p, TOK_RPAREN) && !--depth)
				break;
		}
		p_next(p);
	}
}

/* "struct x", "struct x {…}", "struct {…}": type or inner. */
static void tagged_type(struct parser *p, struct cmember *m)
{
	const char *tag = p->tok.text, *name = NULL;

	p_next(p);
	if (p_is(p, TOK_IDENT) && !p_is_word(p, "__attribute__")) {
		name = p->tok.text;
		p_next(p);
	}
	if (p_is(p, TOK_LBRACE))
		m->inner = definition_body(p, !strcmp(tag, "struct")  ? CDEF_STRUCT
						: !strcmp(tag, "union") ? CDEF_UNION
									 : CDEF_ENUM,
			name);
	else if (name)
		m->type = arena_printf(p->a, "%s %s", tag, name);
	else
		p_expected(p, "the name of a type");
}

static void base_type(struct parser *p, struct cmember *m)
{
	struct buf b;

	buf_init(&b, p->a);
	while (p_is(p, TOK_IDENT)) {
		if (p_is_word(p, "const") || p_is_word(p, "volatile")) {
			p_next(p);
			continue;
		}
		if (!b.n && is_tag(p->tok.text)) {
			tagged_type(p, m);
			break;
		}
		if (b.n && !is_base_word(p->tok.text))
			break;
		if (b.n)
			buf_putc(&b, ' ');
		buf_puts(&b, p->tok.text);
		p_next(p);
		if (!is_base_word(b.p + (strrchr(b.p, ' ') ? strrchr(b.p, ' ') + 1 - b.p : 0)))
			break; /* the name of a type stands alone */
	}
	while (p_is_word(p, "const") || p_is_word(p, "volatile"))
		p_next(p);
	if (b.n)
		m->type = b.p;
	else if (!m->type && !m->inner)
		p_expected(p, "the type of a member");
}

static void skip_parameters(struct parser *p)
{
	unsigned depth = 0;

	do {
		if (p_is(p, TOK_LPAREN))
			depth++;
		if (p_is(p, TOK_RPAREN))
			depth--;
		p_next(p);
	} while (depth && !p_is(p, TOK_EOF));
}

static uint32_t constant(struct parser *p, const char *what, uint64_t max)
{
	uint64_t v = p->tok.num.v;

	if (!p_is(p, TOK_INT) || v > max) {
		p_expected(p, what);
		return 0;
	}
	p_next(p);
	return (uint32_t)v;
}

/* The elements of a dimension: numbers, sums and products of some. */
static uint32_t dimension(struct parser *p)
{
	const char *what = "the size of the array";
	uint64_t sum = 0, v;
	bool minus = false;

	do {
		v = constant(p, what, DIM_MAX);
		while (p_accept(p, TOK_STAR) && v <= DIM_MAX)
			v *= constant(p, what, DIM_MAX);
		sum = minus ? sum - v : sum + v;
		minus = p_is(p, TOK_MINUS);
	} while (sum <= DIM_MAX && (p_accept(p, TOK_PLUS) || p_accept(p, TOK_MINUS)));
	if (sum <= DIM_MAX)
		return (uint32_t)sum;
	p_expected(p, "a smaller array");
	return 0;
}

/* "*name[2][3]", "name : 3", "(*name)(…)", or nothing. */
static void declarator(struct parser *p, struct cmember *m)
{
	m->bits = -1;
	m->span = p->tok.span;
	while (p_is(p, TOK_STAR) || p_is_word(p, "const")) {
		m->stars += p_is(p, TOK_STAR);
		p_next(p);
	}
	if (p_is(p, TOK_LPAREN)) {
		p_next(p);
		p_expect(p, TOK_STAR, "'*' of a pointer to a function");
		m->type = "void";
		m->inner = NULL;
		m->stars = 1;
		m->name = p_is(p, TOK_IDENT) ? p->tok.text : NULL;
		p_next(p);
		p_expect(p, TOK_RPAREN, "')'");
		if (p_is(p, TOK_LPAREN))
			skip_parameters(p);
		return;
	}
	if (p_is(p, TOK_IDENT)) {
		m->name = p->tok.text;
		p_next(p);
	}
	while (!p->panic && p_is(p, TOK_LBRACKET)) {
		p_next(p);
		if (m->ndims == 4) {
			p_expected(p, "an array of at most 4 dimensions");
			return;
		}
		m->dims[m->ndims++] = p_is(p, TOK_RBRACKET) ? 0 : dimension(p);
		p_expect(p, TOK_RBRACKET, "']'");
	}
	if (!p->panic && p_accept(p, TOK_COLON))
		m->bits = (int)constant(p, "the width of the bit-field", 64);
}

/* One line: "int a, *b;" */
static void members(struct parser *p, struct cdef *d)
{
	struct cmember base = {0};
	bool ignored = false;

	base_type(p, &base);
	while (!p->panic) {
		struct cmember m = base;

		declarator(p, &m);
		attributes(p, &ignored);
		if (!m.name && !m.inner && m.bits < 0 && !p->panic)
			p_expected(p, "the name of the member");
		vec_push(p->a, &d->members, m);
		if (!p_accept(p, TOK_COMMA))
			break;
	}
}

static bool named_constant(const struct cdef *d, const char *name, int64_t *v)
{
	for (uint32_t i = 0; i < d->names.n; i++) {
		if (!strcmp(d->names.v[i], name)) {
			*v = d->values.v[i];
			return true;
		}
	}
	return false;
}

/* Numbers, constants of this and earlier enums, operators. */
static bool constant_value(const struct parser *p, const struct cdef *d, const struct expr *e, int64_t *v)
{
	bool known;
	int64_t b;

	switch (e->kind) {
	case EX_INT:
		*v = (int64_t)e->u.num.v;
		return true;
	case EX_NAME:
		known = named_constant(d, e->u.name, v);
		for (uint32_t i = p->s->cdefs.n; !known && i-- > 0;)
			known = named_constant(p->s->cdefs.v[i], e->u.name, v);
		return known;
	case EX_UNARY:
		if (!constant_value(p, d, e->u.unary.a, &b))
			return false;
		*v = e->u.unary.op == UO_NEG ? (int64_t)(0 - (uint64_t)b) : e->u.unary.op == UO_BNOT ? ~b : !b;
		return e->u.unary.op == UO_NEG || e->u.unary.op == UO_BNOT || e->u.unary.op == UO_NOT;
	case EX_BINARY:
		if (!constant_value(p, d, e->u.binary.a, v) || !constant_value(p, d, e->u.binary.b, &b) ||
			(!b && (e->u.binary.op == BO_DIV || e->u.binary.op == BO_MOD)))
			return false;
		*v = (int64_t)expr_fold(e->u.binary.op, false, (uint64_t)*v, (uint64_t)b);
		return true;
	default:
		return false;
	}
}

static void enumerators(struct parser *p, struct cdef *d)
{
	int64_t next = 0;

	while (!p->panic && !p_is(p, TOK_RBRACE)) {
		const char *name = p_is(p, TOK_IDENT) ? p->tok.text : "";
		const struct expr *value;

		if (!p_expect(p, TOK_IDENT, "the name of a constant"))
			return;
		if (p_accept(p, TOK_ASSIGN)) {
			value = parse_expr(p);
			if (!p->panic && !constant_value(p, d, value, &next))
				p_hint(p, p_error(p, value->span, DIAG_SYNTAX, "this is no constant"),
					"numbers, constants that stand before, and operators are taken");
		}
		vec_push(p->a, &d->names, name);
		vec_push(p->a, &d->values, next);
		next++;
		if (!p_accept(p, TOK_COMMA))
			break;
	}
}

/* At '{'; behind the '}' and its attributes afterwards. */
static struct cdef *definition_body(struct parser *p, enum cdef_kind kind, const char *name)
{
	struct cdef *d = ARENA_NEW(p->a, struct cdef);

	*d = (struct cdef){.kind = kind, .name = name, .span = p->tok.span};
	if (!p_enter(p, p->tok.span))
		return d;
	p_next(p);
	if (kind == CDEF_ENUM) {
		enumerators(p, d);
	} else {
		while (!p->panic && !p_is(p, TOK_RBRACE) && !p_is(p, TOK_EOF)) {
			members(p, d);
			if (!p->panic && !p_is(p, TOK_RBRACE)) /* bpftrace does without the last */
				p_expect(p, TOK_SEMI, "';' after a member");
		}
	}
	p_leave(p);
	if (!p->panic)
		p_expect(p, TOK_RBRACE, "'}'");
	attributes(p, &d->packed);
	return d;
}

/* typedef struct {…} name; typedef unsigned int name; */
static void type_name(struct parser *p)
{
	struct cdef *d = ARENA_NEW(p->a, struct cdef);
	struct cmember m = {0};

	*d = (struct cdef){.kind = CDEF_TYPEDEF, .span = p->tok.span};
	p_next(p);
	base_type(p, &m);
	if (m.inner && m.inner->name) {
		vec_push(p->a, &p->s->cdefs, m.inner);
		m.type = arena_printf(p->a, "%s %s",
			m.inner->kind == CDEF_STRUCT  ? "struct"
			: m.inner->kind == CDEF_UNION ? "union"
						      : "enum",
			m.inner->name);
		m.inner = NULL;
	}
	if (!p->panic)
		declarator(p, &m);
	d->name = m.name;
	if (!m.name && !p->panic)
		p_expected(p, "the new name of the type");
	vec_push(p->a, &d->members, m);
	if (!p->panic)
		vec_push(p->a, &p->s->cdefs, d);
}

/* At the first word, which is struct, union, enum or typedef. */
void parse_definition(struct parser *p)
{
	struct cmember m = {0};
	bool ignored = false;

	if (p_is_word(p, "typedef")) {
		type_name(p);
	} else {
		tagged_type(p, &m);
		if (m.inner && m.inner->name)
			vec_push(p->a, &p->s->cdefs, m.inner);
		else if (m.inner && m.inner->kind == CDEF_ENUM)
			vec_push(p->a, &p->s->cdefs, m.inner);
		attributes(p, &ignored);
	}
	if (p->panic || p_is(p, TOK_SEMI))
		return;
	if (m.inner && !p->lex.frame && !p_is(p, TOK_EOF))
		p->lex.pos = p->tok.span.off - p->lex.base; /* a probe's text is read raw */
	else
		p_expected(p, "';' after a definition");
}
