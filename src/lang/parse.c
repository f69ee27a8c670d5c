/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Scripts: config block, map declarations, probes; and the token handling of all parse_*.c.
 * Ensures: nesting and height of the tree are bounded, so later walks may recurse.
 */
#include "lang/parse.h"
#include "lang/front.h"
#include <string.h>

/* ---- tokens ---- */

void p_next(struct parser *p)
{
	int errors;

	p->last_end = p->tok.span.off + p->tok.span.len;
	p->before = p->tok.kind == TOK_IDENT ? p->tok.text : NULL;
	errors = p->d->errors;
	p->tok = lex_next(&p->lex);
	if (p->d->errors == errors)
		return;
	p->panic = true; /* one message for one mistake */
	if (p->d->errors >= DIAG_MAX)
		p_stop(p);
	/* at the end that blocks are open, too, is no news */
	if (p->tok.kind == TOK_EOF || p->lex.pos >= p->lex.len)
		p->stopped = true;
}

struct token p_peek(const struct parser *p)
{
	struct lexer ahead = p->lex;

	ahead.mute = true;
	return lex_next(&ahead);
}

struct diag *p_error(struct parser *p, struct skep_span at, enum diag_id id, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (p->panic || p->stopped || p->d->errors >= DIAG_MAX)
		return NULL;
	p->panic = true;
	va_start(ap, fmt);
	text = arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	p->told = diag_error(p->d, at, id, "%s", text);
	return p->told;
}

void p_hint(struct parser *p, struct diag *e, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	text = arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	diag_hint(p->d, e, "%s", text);
}

bool p_did_you_mean(struct parser *p, struct diag *e, const char *word, const char *const *words, unsigned n)
{
	struct suggest s;

	suggest_init(&s, word);
	while (n--)
		suggest_try(&s, words[n]);
	if (!suggest_best(&s) || !s.best_distance || !word[1])
		return false;
	p_hint(p, e, "did you mean '%s'?", s.best);
	return true;
}

/* The current token as messages quote it. */
static const char *found(struct parser *p)
{
	const struct token *t = &p->tok;

	switch (t->kind) {
	case TOK_EOF:
		return "the end of the script";
	case TOK_STR:
		return "a string";
	case TOK_ADDR:
		return "an address";
	case TOK_INT:
		return arena_printf(p->a, "number %llu", (unsigned long long)t->num.v);
	case TOK_IDENT:
	case TOK_MAP:
		return arena_printf(p->a, "'%.60s'", t->text);
	case TOK_VAR:
		return arena_printf(p->a, "'$%.60s'", t->text);
	default:
		return arena_printf(p->a, "'%s'", token_text(t->kind));
	}
}

struct diag *p_expected(struct parser *p, const char *what)
{
	static const char *const tags[] = {"struct", "union", "enum"};
	struct diag *e =
		p_error(p, p->tok.span, DIAG_SYNTAX, "expected %s, found %s", what, found(p));

	if (!e)
		return NULL;
	if (p->tok.kind == TOK_ASSIGN && strchr(what, ']'))
		p_hint(p, e, "close the key with ']'");
	else if (p->tok.kind == TOK_ASSIGN)
		p_hint(p, e, "to compare, write '=='");
	else if (p_is_word(p, "and"))
		p_hint(p, e, "write '&&'");
	else if (p_is_word(p, "or"))
		p_hint(p, e, "write '||'");
	else if (p_is_word(p, "not"))
		p_hint(p, e, "write '!'");
	else if (p_is(p, TOK_IDENT) && p->before && p_did_you_mean(p, e, p->before, tags, 3))
		return e;
	else if (p->tok.kind == TOK_LBRACE && p->tok.span.off == p->last_end && strchr(what, ';'))
		p_hint(p, e, "keys stand between brackets: @x[key]");
	else if (what[1] == ',' && p->tok.kind <= TOK_ADDR && !p_is(p, TOK_EOF))
		p_hint(p, e, "',' stands between two of them");
	else if (p_is(p, TOK_EOF))
		p->stopped = true; /* that blocks are open, too, is no news */
	return e;
}

bool p_is(const struct parser *p, enum token_kind k)
{
	return p->tok.kind == k;
}

bool p_is_word(const struct parser *p, const char *word)
{
	return p->tok.kind == TOK_IDENT && !strcmp(p->tok.text, word);
}

bool p_accept(struct parser *p, enum token_kind k)
{
	if (p->tok.kind != k)
		return false;
	p_next(p);
	return true;
}

bool p_expect(struct parser *p, enum token_kind k, const char *what)
{
	if (p_accept(p, k))
		return true;
	p_expected(p, what);
	return false;
}

struct skep_span p_since(const struct parser *p, uint32_t start)
{
	return (struct skep_span){start, p->last_end > start ? p->last_end - start : 0};
}

void p_stop(struct parser *p)
{
	lex_leave(&p->lex);
	p->lex.pos = p->lex.len;
	p->tok = (struct token){.span = lex_span(&p->lex, p->lex.len, p->lex.len)};
	p->panic = p->stopped = true;
}

bool p_enter(struct parser *p, struct skep_span at)
{
	if (++p->depth <= PARSE_DEPTH)
		return true;
	p_hint(p, p_error(p, at, DIAG_TOO_DEEP, "nested more than %d levels deep", PARSE_DEPTH),
		"keep parts in variables: $x = …");
	p_stop(p);
	return false;
}

void p_leave(struct parser *p)
{
	p->depth--;
}

bool p_count(struct parser *p, struct skep_span at)
{
	if (++p->nodes <= PARSE_NODES)
		return true;
	p_error(p, at, DIAG_TOO_BIG, "script of more than %d parts: no kernel takes such a program",
		PARSE_NODES);
	p_stop(p);
	return false;
}

void p_skip_braces(struct parser *p)
{
	unsigned depth = 0;

	for (; !p_is(p, TOK_EOF); p_next(p)) {
		if (p_is(p, TOK_LBRACE))
			depth++;
		else if (p_is(p, TOK_RBRACE) && depth <= 1)
			return;
		else if (p_is(p, TOK_RBRACE))
			depth--;
	}
}

/* ---- config = { key = value; … } ---- */

static void config_entry(struct parser *p)
{
	struct config_entry c = {.key = p->tok.text, .key_span = p->tok.span};

	if (!p_is(p, TOK_IDENT)) {
		p_expected(p, "the name of a setting");
		return;
	}
	p_next(p);
	if (!p_expect(p, TOK_ASSIGN, "'='"))
		return;
	c.value = parse_expr(p);
	if (!p->panic)
		vec_push(p->a, &p->s->config_entries, c);
	if (!p_is(p, TOK_RBRACE) && !p_accept(p, TOK_COMMA))
		p_expect(p, TOK_SEMI, "';'");
}

static void config_block(struct parser *p)
{
	struct skep_span open;

	p_next(p);
	p_accept(p, TOK_ASSIGN);
	open = p->tok.span;
	if (!p_expect(p, TOK_LBRACE, "'{'")) {
		p_skip_braces(p);
		p->panic = false;
		return;
	}
	while (!p_is(p, TOK_RBRACE) && !p_is(p, TOK_EOF)) {
		config_entry(p);
		while (p->panic && !p_is(p, TOK_SEMI) && !p_is(p, TOK_RBRACE) && !p_is(p, TOK_EOF))
			p_next(p);
		if (p->panic)
			p_accept(p, TOK_SEMI);
		p->panic = false;
	}
	if (p_is(p, TOK_EOF))
		p_hint(p, p_error(p, open, DIAG_UNTERMINATED, "config block without its end"),
			"close it with '}'");
	p->panic = false;
}

/* ---- let @m = hash(100); ---- */

static void map_decl_body(struct parser *p, struct map_decl *m)
{
	p_next(p);
	m->map = p->tok.text;
	p_next(p);
	if (!p_expect(p, TOK_ASSIGN, "'='"))
		return;
	m->type = p->tok.text;
	if (!p_is(p, TOK_IDENT)) {
		p_expected(p, "a map type such as hash or lruhash");
		return;
	}
	p_next(p);
	if (!p_expect(p, TOK_LPAREN, "'('"))
		return;
	if (!p_is(p, TOK_RPAREN))
		m->size = parse_expr(p);
	if (m->size && m->size->kind == EX_STR) { /* prefixes("file"[, size]) */
		m->file = m->size;
		m->size = NULL;
		if (!p->panic && p_is(p, TOK_COMMA)) {
			p_next(p);
			m->size = parse_expr(p);
		}
	}
	p_expect(p, TOK_RPAREN, "')'");
}

static void map_decl(struct parser *p)
{
	struct map_decl m = {.span = p->tok.span};

	map_decl_body(p, &m);
	m.span = p_since(p, m.span.off);
	if (!p->panic && !p_is(p, TOK_SEMI))
		p_expected(p, "';' after the declaration");
	if (!p->panic)
		vec_push(p->a, &p->s->decls, m);
	while (!p_is(p, TOK_SEMI) && !p_is(p, TOK_EOF))
		p_next(p);
	p->panic = false;
}

/* ---- what bpftrace has here and we do not ---- */

static bool is_word_at(const struct parser *p, const char *word)
{
	size_t n = strlen(word);
	const struct lexer *l = &p->lex;

	return l->len - l->pos >= n && !memcmp(l->text + l->pos, word, n) &&
	       !lex_is_word(lex_at(l, l->pos + (uint32_t)n));
}

/* Skips a C definition up to its ';', or a function up to its '}'. */
static void skip_definition(struct parser *p, bool to_semicolon)
{
	unsigned depth = 0;

	for (; !p_is(p, TOK_EOF); p_next(p)) {
		if (p_is(p, TOK_LBRACE))
			depth++;
		if (p_is(p, TOK_RBRACE) && depth && !--depth && !to_semicolon)
			return;
		if (p_is(p, TOK_SEMI) && !depth)
			return;
	}
}

static bool unsupported_definition(struct parser *p)
{
	static const struct {
		const char *word, *what, *hint;
		bool to_semicolon;
	} rows[] = {
		{"import", "imports are", "copy what you need into the script", true},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!is_word_at(p, rows[i].word))
			continue;
		p_next(p);
		p_hint(p,
			p_error(p, p->tok.span, DIAG_NOT_SUPPORTED,
				"%s not supported in this version of skep", rows[i].what),
			"%s", rows[i].hint);
		skip_definition(p, rows[i].to_semicolon);
		p->panic = false;
		return true;
	}
	return false;
}

/* "config" or "let" as a first word; both may also be the start of a probe nobody knows. */
static bool c_definition(struct parser *p)
{
	static const char *const words[] = {"struct", "union", "enum", "typedef"};

	for (unsigned i = 0; i < 4; i++) {
		if (!is_word_at(p, words[i]))
			continue;
		p_next(p);
		parse_definition(p);
		if (p->panic)
			skip_definition(p, true);
		p->panic = false;
		return true;
	}
	return false;
}

static bool declaration(struct parser *p)
{
	struct lexer ahead = p->lex;
	struct token after;

	ahead.mute = true;
	if (is_word_at(p, "config")) {
		lex_next(&ahead);
		after = lex_next(&ahead);
		if (after.kind != TOK_ASSIGN && after.kind != TOK_LBRACE)
			return false;
		p_next(p);
		config_block(p);
		return true;
	}
	if (is_word_at(p, "fn") || is_word_at(p, "subprog")) {
		parse_fn(p);
		return true;
	}
	if (is_word_at(p, "macro")) {
		parse_macro(p);
		return true;
	}
	if (!is_word_at(p, "let"))
		return false;
	lex_next(&ahead);
	after = lex_next(&ahead);
	p_next(p);
	if (after.kind == TOK_MAP) {
		map_decl(p);
		return true;
	}
	p_hint(p,
		p_error(p, p->tok.span, DIAG_SYNTAX,
			"expected a map after 'let', outside of probes"),
		"for instance: let @recent = lruhash(1000);");
	skip_definition(p, true);
	p->panic = false;
	return true;
}

static void skip_semicolons(struct parser *p)
{
	lex_skip(&p->lex);
	while (lex_at(&p->lex, p->lex.pos) == ';') {
		p->lex.pos++;
		lex_skip(&p->lex);
	}
}

struct script *parse_script(struct arena *a, struct skep_diags *d, struct target *t,
	const char *text, size_t len, uint32_t base)
{
	struct script *s = ARENA_NEW(a, struct script);
	struct parser *p = ARENA_NEW(a, struct parser);

	*s = (struct script){.a = a, .d = d, .target = t};
	*p = (struct parser){.a = a, .d = d, .s = s, .macros = ARENA_NEW(a, struct smap)};
	smap_init(p->macros, a);
	s->macros = p->macros;
	smap_init(&s->with_fields, a);
	lex_init(&p->lex, a, d, text, len, base);
	p->lex.have_btf = t && t->btf;
	p->lex.kernel = t ? t->version : 0;
	for (;;) {
		lex_leave(&p->lex);
		skip_semicolons(p);
		if (p->lex.pos >= p->lex.len || d->errors >= DIAG_MAX)
			break;
		p->panic = false;
		if (!unsupported_definition(p) && !declaration(p) && !c_definition(p))
			parse_probe(p);
	}
	lex_end(&p->lex);
	if (!s->probes.n && !d->errors) {
		struct diag *e = diag_error(
			d, (struct skep_span){base, 1}, DIAG_SYNTAX, "the script has no probe");

		diag_hint(d, e, "for instance: kprobe:vfs_read { @[comm] = count(); }");
	}
	return s;
}
