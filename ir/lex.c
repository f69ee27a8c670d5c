/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tokens of the IR's text. Lines matter (a statement ends with its line); ";" starts a comment. */
#include "ir/parse.h"
#include <stdarg.h>
#include <string.h>

void parse_fail(struct parse *p, const char *fmt, ...)
{
	char *message;
	va_list ap;

	if (p->failed)
		return;
	p->failed = true;
	va_start(ap, fmt);
	message = arena_vprintf(p->m->a, fmt, ap);
	va_end(ap);
	if (p->m->diags)
		diag_error(p->m->diags,
			(struct skep_span){p->base + p->tok.off, p->tok.len ? p->tok.len : 1},
			DIAG_IR, "%s", message);
	p->tok.kind = TOK_END;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c);
}

static char at(const struct parse *p, uint32_t ahead)
{
	return p->pos + ahead < p->len ? p->text[p->pos + ahead] : 0;
}

static bool skip_blank(struct parse *p)
{
	bool line = p->pos == 0;

	for (;; p->pos++) {
		char c = at(p, 0);

		if (c == ';') {
			while (p->pos < p->len && at(p, 0) != '\n')
				p->pos++;
			c = at(p, 0);
		}
		if (c == '\n')
			line = true;
		else if (c != ' ' && c != '\t' && c != '\r')
			return line;
	}
}

static int digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static void lex_number(struct parse *p)
{
	bool minus = at(p, 0) == '-';
	int radix = 10;
	uint64_t n = 0;

	if (minus || at(p, 0) == '+')
		p->pos++;
	if (at(p, 0) == '0' && at(p, 1) == 'x') {
		radix = 16;
		p->pos += 2;
	}
	if (digit_of(at(p, 0)) >= radix)
		parse_fail(p, "number without digits");
	for (; digit_of(at(p, 0)) < radix; p->pos++) {
		if (__builtin_mul_overflow(n, (uint64_t)radix, &n) ||
			__builtin_add_overflow(n, (uint64_t)digit_of(at(p, 0)), &n))
			parse_fail(p, "number of more than 64 bits");
	}
	if (is_word(at(p, 0)))
		parse_fail(p, "digit '%c' in a number", at(p, 0));
	if (minus && n > (uint64_t)INT64_MAX + 1)
		parse_fail(p, "number of more than 64 bits");
	p->tok.kind = p->failed ? TOK_END : TOK_NUM;
	p->tok.num = (int64_t)(minus ? 0 - n : n);
}

/* Dots belong to a word when a word character follows: if.ne, but not 0..5. */
static void lex_name(struct parse *p, enum tok_kind kind, bool dots)
{
	p->tok.kind = kind;
	while (is_word(at(p, 0)) || (dots && at(p, 0) == '.' && is_word(at(p, 1))))
		p->pos++;
}

static void lex_sigil(struct parse *p, enum tok_kind kind)
{
	p->pos++;
	p->tok.s++;
	lex_name(p, kind, false);
	if (p->text + p->pos == p->tok.s)
		parse_fail(p, "name expected after '%c'", p->tok.s[-1]);
}

void ir_lex_next(struct parse *p)
{
	uint32_t before = p->pos;
	char c, d;

	if (p->failed)
		return;
	p->tok = (struct tok){.line_start = skip_blank(p)};
	p->tok.joined = p->pos == before;
	p->tok.off = p->pos;
	p->tok.s = p->text + p->pos;
	c = at(p, 0);
	d = at(p, 1);
	if (p->pos >= p->len) {
		p->tok.kind = TOK_END;
	} else if (c == '%') {
		lex_sigil(p, TOK_VALUE);
	} else if (c == '^') {
		lex_sigil(p, TOK_BLOCK);
	} else if (c == '@') {
		lex_sigil(p, TOK_AT);
	} else if (is_word_start(c)) {
		lex_name(p, TOK_WORD, true);
	} else if (is_digit(c) || ((c == '-' || c == '+') && is_digit(d))) {
		lex_number(p);
	} else if ((c == '-' && d == '>') || (c == '.' && d == '.')) {
		p->tok.kind = c == '-' ? TOK_ARROW : TOK_DOTS;
		p->pos += 2;
	} else {
		p->tok.kind = TOK_PUNCT;
		p->tok.punct = c;
		p->pos++;
	}
	p->tok.len = (uint32_t)(p->text + p->pos - p->tok.s);
}

bool tok_is(const struct parse *p, const char *word)
{
	return p->tok.kind == TOK_WORD && strlen(word) == p->tok.len &&
		!memcmp(p->tok.s, word, p->tok.len);
}

bool tok_punct(const struct parse *p, char c)
{
	return p->tok.kind == TOK_PUNCT && p->tok.punct == c;
}

bool take_word(struct parse *p, const char *word)
{
	bool is = tok_is(p, word);

	if (is)
		ir_lex_next(p);
	return is;
}

bool take_punct(struct parse *p, char c)
{
	bool is = tok_punct(p, c);

	if (is)
		ir_lex_next(p);
	return is;
}

void want_punct(struct parse *p, char c)
{
	if (!take_punct(p, c))
		parse_fail(p, "'%c' expected", c);
}

int64_t want_num(struct parse *p)
{
	int64_t n = p->tok.num;

	if (p->tok.kind != TOK_NUM) {
		parse_fail(p, "number expected");
		return 0;
	}
	ir_lex_next(p);
	return n;
}

uint32_t want_u32(struct parse *p)
{
	if (p->tok.kind == TOK_NUM && (p->tok.num < 0 || p->tok.num > UINT32_MAX))
		parse_fail(p, "number from 0 to 4294967295 expected");
	return (uint32_t)want_num(p);
}

const char *want_name(struct parse *p, enum tok_kind kind, const char *what)
{
	const char *s;

	if (p->tok.kind != kind) {
		parse_fail(p, "%s expected", what);
		return "";
	}
	s = arena_strndup(p->m->a, p->tok.s, p->tok.len);
	ir_lex_next(p);
	return s;
}
