/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Preprocessor lines. Old scripts carry them for kernel headers: with BTF no header is needed, so
 * #include is skipped; #define NAME value is kept as a named constant; #if and its kin choose
 * (BPFTRACE_HAVE_BTF is defined when the target has BTF).
 */
#include "lang/lex.h"
#include <string.h>

static void skip_line(struct lexer *l)
{
	while (l->pos < l->len && l->text[l->pos] != '\n')
		l->pos += l->text[l->pos] == '\\' && lex_at(l, l->pos + 1) == '\n' ? 2 : 1;
	if (l->pos > l->len)
		l->pos = l->len;
}

static void skip_blanks(struct lexer *l)
{
	while (lex_at(l, l->pos) == ' ' || lex_at(l, l->pos) == '\t')
		l->pos++;
}

/* The word at pos; empty when there is none. */
static const char *pp_word(struct lexer *l)
{
	uint32_t start;

	skip_blanks(l);
	start = l->pos;
	while (lex_is_word(lex_at(l, l->pos)))
		l->pos++;
	return smap_intern(l->names, l->text + start, l->pos - start);
}

/* Where the value of a #define ends: before a comment that goes to the end of the line or beyond it. */
static uint32_t value_end(const char *text, uint32_t at, uint32_t end)
{
	bool quoted = false;

	for (; at + 1 < end; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '"')
			quoted = !quoted;
		else if (!quoted && text[at] == '/' && text[at + 1] == '/')
			return at;
		else if (!quoted && text[at] == '/' && text[at + 1] == '*') {
			const char *close = memmem(text + at + 2, end - at - 2, "*/", 2);

			if (!close)
				return at;
			at = (uint32_t)(close + 1 - text);
		}
	}
	return end;
}

static void define(struct lexer *l, struct skep_span at)
{
	const char *name = pp_word(l);
	struct define *m;

	if (!*name) {
		lex_error(l, at, DIAG_SYNTAX, "#define without a name");
		skip_line(l);
		return;
	}
	m = ARENA_NEW(l->a, struct define);
	m->params = lex_at(l, l->pos) == '(';
	skip_blanks(l);
	m->start = l->pos;
	skip_line(l);
	m->end = value_end(l->text, m->start, l->pos);
	if (m->end < l->pos && l->text[m->end + 1] == '*')
		l->pos = m->end; /* a comment that goes on in the next line */
	smap_put(l->defines, name, m);
}

bool lex_defined(const struct lexer *l, const char *name)
{
	return smap_get(l->defines, name) || (l->have_btf && !strcmp(name, "BPFTRACE_HAVE_BTF"));
}

/* The condition behind #if, #ifdef, #ifndef, #elif; the rest of the line is taken. */
static bool condition(struct lexer *l, const char *kind, uint32_t start)
{
	uint32_t from, end;
	bool yes = false;

	if (!strcmp(kind, "ifdef") || !strcmp(kind, "ifndef")) {
		yes = lex_defined(l, pp_word(l)) == !strcmp(kind, "ifdef");
		skip_line(l);
		return yes;
	}
	skip_blanks(l);
	from = l->pos;
	skip_line(l);
	end = l->pos;
	l->pos = from;
	if (!lex_condition(l, end, &yes)) {
		struct diag *e = lex_error(l, lex_span(l, start, end), DIAG_NOT_SUPPORTED,
			"this condition of #%s cannot be told", kind);

		if (e)
			diag_hint(l->d, e,
				"numbers, defined(NAME), LINUX_VERSION_CODE and operators of C are "
				"understood");
	}
	l->pos = end;
	return yes;
}

/*
 * Skips to the line that ends this branch: #elif whose condition holds or #else of the same depth
 * (when another branch may be taken) or #endif. Nested conditions are passed over. Leaves pos after
 * that line.
 */
static void skip_branch(struct lexer *l, bool take_other)
{
	unsigned depth = 0;

	while (l->pos < l->len) {
		uint32_t start;
		const char *w;

		skip_line(l);
		if (l->pos < l->len)
			l->pos++;
		skip_blanks(l);
		start = l->pos;
		if (lex_at(l, l->pos) != '#')
			continue;
		l->pos++;
		w = pp_word(l);
		if (!strncmp(w, "if", 2)) {
			depth++;
		} else if (!strcmp(w, "endif")) {
			if (!depth) {
				l->if_depth--;
				break;
			}
			depth--;
		} else if (!depth && take_other &&
			   (!strcmp(w, "else") || (!strcmp(w, "elif") && condition(l, w, start)))) {
			break;
		}
	}
	skip_line(l);
}

/* #if…: takes the branch or skips it. */
static void begin_if(struct lexer *l, const char *kind, uint32_t start)
{
	bool yes = condition(l, kind, start);

	if (l->if_depth == sizeof(l->if_start) / sizeof(*l->if_start)) {
		lex_error(l, lex_span(l, start, l->pos), DIAG_TOO_DEEP, "#if nested too deeply");
		l->pos = l->len;
		return;
	}
	l->if_start[l->if_depth++] = start;
	if (!yes)
		skip_branch(l, true);
}

static bool is_skipped(const char *w)
{
	static const char *const words[] = {"include", "pragma", "line", ""};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(w, words[i]))
			return true;
	}
	return false;
}

void lex_preprocessor(struct lexer *l)
{
	uint32_t start = l->pos++;
	struct skep_span at;
	const char *w;

	if (lex_at(l, l->pos) == '!') { /* #!/usr/bin/env skep */
		skip_line(l);
		return;
	}
	w = pp_word(l);
	at = lex_span(l, start, l->pos);
	if (!strcmp(w, "define")) {
		define(l, at);
	} else if (!strcmp(w, "if") || !strcmp(w, "ifdef") || !strcmp(w, "ifndef")) {
		begin_if(l, w, start);
	} else if (!strcmp(w, "else") || !strcmp(w, "elif") || !strcmp(w, "endif")) {
		if (!l->if_depth)
			lex_error(l, at, DIAG_SYNTAX, "#%s without #if", w);
		else if (*(w + 1) == 'l')
			skip_branch(l, false);
		else
			l->if_depth--;
		skip_line(l);
	} else if (!strcmp(w, "undef")) {
		smap_put(l->defines, pp_word(l), NULL);
		skip_line(l);
	} else if (is_skipped(w)) {
		skip_line(l);
	} else {
		struct diag *e = lex_error(l, at, DIAG_SYNTAX, "unknown directive '#%.40s'", w);

		if (e)
			diag_hint(l->d, e, "comments start with '//'");
		skip_line(l);
	}
}

void lex_end(struct lexer *l)
{
	if (l->if_depth)
		lex_error(l,
			lex_span(l, l->if_start[l->if_depth - 1], l->if_start[l->if_depth - 1] + 1),
			DIAG_UNTERMINATED, "#if without #endif");
}
