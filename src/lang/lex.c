/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tokens other than numbers and addresses; see lex.h. Bears any bytes as input. */
#include "lang/lex.h"
#include <string.h>

static const char *const token_texts[] = {
#define T(id, text) text,
#define S(id, text) text,
#include "lang/token.def"
};

const char *token_text(enum token_kind k)
{
	return token_texts[k];
}

void lex_init(struct lexer *l, struct arena *a, struct skep_diags *d, const char *text, size_t len,
	uint32_t base)
{
	*l = (struct lexer){.a = a, .d = d, .text = text, .len = (uint32_t)len, .base = base};
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		l->pos = 3; /* byte order mark */
	l->names = ARENA_NEW(a, struct smap);
	smap_init(l->names, a);
	l->defines = ARENA_NEW(a, struct smap);
	smap_init(l->defines, a);
}

struct skep_span lex_span(const struct lexer *l, uint32_t start, uint32_t end)
{
	return (struct skep_span){l->base + start, end > start ? end - start : 0};
}

struct diag *lex_error(struct lexer *l, struct skep_span at, enum diag_id id, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (l->mute || l->d->errors >= DIAG_MAX)
		return NULL;
	va_start(ap, fmt);
	text = arena_vprintf(l->a, fmt, ap);
	va_end(ap);
	return diag_error(l->d, at, id, "%s", text);
}

/* Skips a block comment; at its start. */
static void block_comment(struct lexer *l)
{
	uint32_t start = l->pos;
	struct diag *e;

	for (l->pos += 2; l->pos < l->len; l->pos++) {
		if (l->text[l->pos] == '*' && lex_at(l, l->pos + 1) == '/') {
			l->pos += 2;
			return;
		}
	}
	e = lex_error(
		l, lex_span(l, start, start + 2), DIAG_UNTERMINATED, "comment without its end");
	if (e)
		diag_hint(l->d, e, "close it with '*/'");
}

/* Only white space stands between the start of the line and pos. */
static bool first_on_line(const struct lexer *l)
{
	uint32_t p = l->pos;

	while (p && l->text[p - 1] != '\n') {
		if (!lex_is_space((unsigned char)l->text[p - 1]))
			return false;
		p--;
	}
	return true;
}

bool lex_skip(struct lexer *l)
{
	uint32_t start = l->pos;

	while (l->pos < l->len) {
		int c = lex_at(l, l->pos), next = lex_at(l, l->pos + 1);

		if (lex_is_space(c)) {
			l->pos++;
		} else if (c == '\\' && next == '\n' && l->frame) {
			l->pos += 2;
		} else if (c == '/' && next == '/') {
			while (l->pos < l->len && l->text[l->pos] != '\n')
				l->pos++;
		} else if (c == '/' && next == '*') {
			block_comment(l);
		} else if (c == '#' && first_on_line(l)) {
			lex_preprocessor(l);
		} else {
			break;
		}
	}
	return l->pos != start;
}

/* A run of word characters, from l->pos on; the part that is kept when it is too long. */
static const char *word(struct lexer *l, uint32_t start)
{
	uint32_t n;

	while (lex_is_word(lex_at(l, l->pos)))
		l->pos++;
	n = l->pos - start;
	if (n > LEX_NAME_MAX) {
		lex_error(l, lex_span(l, start, l->pos), DIAG_TOO_BIG,
			"name of %u bytes; at most %d are allowed", n, LEX_NAME_MAX);
		n = LEX_NAME_MAX;
	}
	return smap_intern(l->names, l->text + start, n);
}

static uint32_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 63));
	out[2] = (char)(0x80 | (c & 63));
	return 3;
}

/* \x41, \u00e9: digits after the letter, at most max. Returns the number, or -1 without digits. */
static int32_t hex_escape(struct lexer *l, unsigned max)
{
	int32_t v = 0;
	unsigned n = 0;

	while (n < max && lex_hex(lex_at(l, l->pos)) >= 0) {
		v = v * 16 + lex_hex(lex_at(l, l->pos++));
		n++;
	}
	return n ? v : -1;
}

/*
 * Resolves the escape at l->pos (after the backslash) into out; returns bytes written.
 * quote is the sign that ends the literal.
 */
static uint32_t escape(struct lexer *l, char *out)
{
	static const char from[] = "nrtabfv0\\\"'e", to[] = "\n\r\t\a\b\f\v\0\\\"'\033";
	uint32_t start = l->pos - 1;
	int c = lex_at(l, l->pos);
	const char *at = c > 0 ? strchr(from, c) : NULL;
	int32_t v = -1;
	struct diag *e;

	if (c >= '0' && c <= '7') {
		v = 0;
		for (int n = 0; n < 3 && lex_at(l, l->pos) >= '0' && lex_at(l, l->pos) <= '7'; n++)
			v = v * 8 + (l->text[l->pos++] - '0');
		if (v < 256) {
			out[0] = (char)v;
			return 1;
		}
	} else if (c == 'x' || c == 'u') {
		l->pos++;
		v = hex_escape(l, c == 'x' ? 2 : 4);
		if (v >= 0 && c == 'u')
			return utf8_put(out, (uint32_t)v);
		if (v >= 0) {
			out[0] = (char)v;
			return 1;
		}
	} else if (at) {
		l->pos++;
		out[0] = to[at - from];
		return 1;
	} else if (l->pos < l->len) {
		l->pos++;
	}
	e = lex_error(l, lex_span(l, start, l->pos), DIAG_BAD_ESCAPE, "unknown escape in a string");
	if (e)
		diag_hint(l->d, e,
			"known are \\n \\t \\r \\\\ \\\" \\0 \\ooo (octal) \\xhh (hex); "
			"for a backslash itself write \\\\");
	return 0;
}

/* A written zero byte ends the text, as in C; one that is the last has no effect. */
static void cut_at_zero(struct lexer *l, struct token *t, uint32_t start)
{
	uint32_t n = (uint32_t)strnlen(t->str.s, t->str.n), rest = n;

	while (rest < t->str.n && !t->str.s[rest])
		rest++;
	if (rest < t->str.n && !l->mute)
		diag_warn(l->d, lex_span(l, start, l->pos), DIAG_UNUSED,
			"the text ends at its zero byte: what follows is left out");
	t->str.n = n;
}

/* One that stands in the file itself is a mistake. */
static void zero_byte(struct lexer *l, uint32_t from)
{
	struct diag *e = lex_error(l, lex_span(l, from, l->pos), DIAG_BAD_CHAR,
		"zero byte in a string");

	if (e)
		diag_hint(l->d, e, "text ends where its zero byte is: leave out what follows");
}

/* Behind "contains", "] ==" or "] !=": what a payload is compared with may hold zeroes; the checker looks. */
static bool after_bytes(const struct lexer *l, uint32_t at)
{
	static const char word[] = "contains";
	const char *s = l->text;

	while (at && (unsigned char)s[at - 1] <= ' ')
		at--;
	if (at > sizeof(word) && !memcmp(s + at - (sizeof(word) - 1), word, sizeof(word) - 1))
		return true;
	if (at < 3 || s[at - 1] != '=' || (s[at - 2] != '=' && s[at - 2] != '!'))
		return false;
	for (at -= 2; at && (unsigned char)s[at - 1] <= ' ';)
		at--;
	return at && s[at - 1] == ']';
}

/* At the opening quote. An unterminated string ends at the end of its line. */
static void string(struct lexer *l, struct token *t)
{
	uint32_t start = l->pos++, limit = l->pos;
	bool bytes = after_bytes(l, start), nul = bytes; /* reported already, or allowed */
	char *out;

	while (limit < l->len && l->text[limit] != '"') {
		limit += l->text[limit] == '\\' ? 2 : 1;
	}
	if (limit > l->len)
		limit = l->len;
	out = arena_alloc(l->a, limit - l->pos + 4);
	t->kind = TOK_STR;
	t->str.s = out;
	while (l->pos < l->len && l->text[l->pos] != '"') {
		uint32_t from = l->pos;
		char c = l->text[l->pos++];

		if (c == '\\') {
			t->str.n += escape(l, out + t->str.n);
			continue;
		}
		out[t->str.n++] = c;
		if (!c && !nul)
			zero_byte(l, from);
		nul |= !c;
	}
	if (!bytes && !nul)
		cut_at_zero(l, t, start);
	if (l->pos < l->len) {
		l->pos++;
	} else {
		struct diag *e;
		const char *nl = memchr(l->text + start, '\n', l->len - start);

		e = lex_error(l, lex_span(l, start, start + 1), DIAG_UNTERMINATED,
			"string without its end");
		if (e)
			diag_hint(l->d, e, "close it with '\"'");
		/* The next line can still be read as a script. */
		if (nl)
			l->pos = (uint32_t)(nl - l->text);
	}
}

/* 'c': one character, a number. */
static void char_literal(struct lexer *l, struct token *t)
{
	uint32_t start = l->pos++, n = 1;
	char out[4] = {0};
	struct diag *e;
	int c = lex_at(l, l->pos);

	t->kind = TOK_INT;
	if (c == '\\') {
		l->pos++;
		n = escape(l, out);
	} else if (c >= 0 && c != '\n' && c != '\'') {
		out[0] = (char)c;
		l->pos++;
	} else {
		n = 0;
	}
	t->num.v = (unsigned char)out[0];
	if (n <= 1 && lex_at(l, l->pos) == '\'') {
		l->pos++;
		if (n)
			return;
	}
	for (uint32_t end = l->pos; lex_at(l, end) > ' '; end++) { /* 'text' is one mistake */
		if (lex_at(l, end) == '\'') {
			l->pos = end + 1;
			break;
		}
	}
	e = lex_error(l, lex_span(l, start, l->pos), DIAG_BAD_CHAR,
		"not a character between single quotes");
	if (e)
		diag_hint(l->d, e,
			"strings stand between double quotes: \"text\"; 'c' is one "
			"character");
}

/* $name, $1, $# */
static void dollar(struct lexer *l, struct token *t)
{
	uint32_t start = l->pos++;
	int c = lex_at(l, l->pos);
	struct diag *e;

	if (lex_is_alpha(c)) {
		t->kind = TOK_VAR;
		t->text = word(l, l->pos);
		return;
	}
	t->kind = TOK_POSARG;
	if (c == '#') {
		l->pos++;
		return;
	}
	while (lex_is_digit(lex_at(l, l->pos))) {
		t->num.v = t->num.v * 10 + (uint64_t)(l->text[l->pos++] - '0');
		if (t->num.v > 1000000)
			t->num.v = 1000000;
	}
	if (t->num.v)
		return;
	e = lex_error(l, lex_span(l, start, l->pos), DIAG_SYNTAX, "'$' without a name");
	if (e)
		diag_hint(l->d, e,
			"variables are $name, arguments of the command line $1, $2, … "
			"and their number $#");
	t->num.v = 1;
}

/* A run of bytes that start no token: one message for all of them. */
static void bad_chars(struct lexer *l)
{
	uint32_t start = l->pos;
	int c = lex_at(l, start);
	struct diag *e;

	/* \"text\" is one mistake; the rest of its line is not looked at. */
	if (c == '\\' && lex_at(l, start + 1) == '"') {
		e = lex_error(l, lex_span(l, start, start + 2), DIAG_BAD_CHAR, "'\\' before a quote");
		if (e)
			diag_hint(l->d, e, "in a script quotes are written without it: \"text\"");
		while (l->pos < l->len && l->text[l->pos] != '\n')
			l->pos++;
		return;
	}
	while (l->pos < l->len) {
		int x = lex_at(l, l->pos);

		/* A sign that could not start a token, or whatever is no text at all. */
		if (l->pos > start && !(x >= 0x80 || x < 32 || x == 127) && x != c)
			break;
		if (lex_is_space(x))
			break;
		l->pos++;
	}
	if (c >= 0x80) {
		e = lex_error(l, lex_span(l, start, l->pos), DIAG_BAD_CHAR,
			"characters outside ASCII may stand in strings and comments only");
		if (e)
			diag_hint(l->d, e, "type quotes, dashes and blanks that were copied from a page anew");
	} else if (c < 32 || c == 127)
		lex_error(l, lex_span(l, start, l->pos), DIAG_BAD_CHAR,
			"control character (byte 0x%02x)", (unsigned)c);
	else if ((e = lex_error(l, lex_span(l, start, l->pos), DIAG_BAD_CHAR,
			  "'%c' has no meaning here", c)) &&
		 c == '#')
		diag_hint(l->d, e, "comments start with '//'");
}

static bool sign(struct lexer *l, struct token *t)
{
	for (unsigned k = TOK_SHL_ASSIGN; k < TOK_COUNT; k++) {
		const char *s = token_texts[k];
		size_t n = strlen(s);

		if (n <= l->len - l->pos && !memcmp(l->text + l->pos, s, n)) {
			t->kind = (enum token_kind)k;
			l->pos += (uint32_t)n;
			return true;
		}
	}
	return false;
}

static bool token_at(struct lexer *l, struct token *t)
{
	int c = lex_at(l, l->pos);

	if (c < 0) {
		t->kind = TOK_EOF;
	} else if (lex_address(l, t)) {
		t->kind = TOK_ADDR;
	} else if (lex_is_alpha(c)) {
		t->kind = TOK_IDENT;
		t->text = word(l, l->pos);
	} else if (lex_is_digit(c)) {
		lex_number(l, t);
	} else if (c == '"') {
		string(l, t);
	} else if (c == '\'') {
		char_literal(l, t);
	} else if (c == '$') {
		dollar(l, t);
	} else if (c == '@') {
		t->kind = TOK_MAP;
		l->pos++;
		t->text = word(l, l->pos - 1);
	} else if (!sign(l, t)) {
		bad_chars(l);
		return false;
	}
	return true;
}

void lex_leave(struct lexer *l)
{
	for (; l->frame; l->frame = l->frame->up) {
		l->pos = l->frame->pos;
		l->len = l->frame->len;
	}
}

/* Whether the name at hand stands for something; a name inside its own value is just a name. */
static const struct define *definition(struct lexer *l, const struct token *t)
{
	const struct define *m = t->kind == TOK_IDENT ? smap_get(l->defines, t->text) : NULL;
	struct diag *e;

	for (const struct lex_frame *f = l->frame; m && f; f = f->up) {
		if (f->m == m)
			return NULL;
	}
	if (!m || !m->params)
		return m;
	e = lex_error(l, l->frame ? l->frame->at : t->span, DIAG_NOT_SUPPORTED,
		"#define with parameters is not supported in this version of skep");
	if (e)
		diag_hint(l->d, e, "write out what '%.60s' stands for", t->text);
	return NULL;
}

static void enter(struct lexer *l, const struct define *m, struct skep_span at)
{
	struct lex_frame *f = ARENA_NEW(l->a, struct lex_frame);

	*f = (struct lex_frame){.m = m, .pos = l->pos, .len = l->len, .up = l->frame,
		.at = l->frame ? l->frame->at : at};
	l->frame = f;
	l->pos = m->start;
	l->len = m->end;
	if (++l->expansions <= LEX_EXPAND)
		return;
	lex_error(l, f->at, DIAG_TOO_BIG, "more than %d uses of #define'd names", LEX_EXPAND);
	lex_leave(l);
	l->pos = l->len;
}

static struct token plain(struct lexer *l)
{
	struct token t;
	bool spaced = false;

	do {
		t = (struct token){0};
		spaced |= lex_skip(l);
		t.span = lex_span(l, l->pos, l->pos);
		t.spaced = spaced;
	} while (!token_at(l, &t) && (spaced = true));
	t.span.len = l->base + l->pos - t.span.off;
	return t;
}

struct token lex_next(struct lexer *l)
{
	const struct define *m;
	struct token t;

	for (;;) {
		t = plain(l);
		m = definition(l, &t);
		if (m) {
			enter(l, m, t.span);
		} else if (t.kind == TOK_EOF && l->frame) {
			l->pos = l->frame->pos;
			l->len = l->frame->len;
			l->frame = l->frame->up;
		} else {
			break;
		}
	}
	if (l->frame)
		t.span = l->frame->at;
	return t;
}
