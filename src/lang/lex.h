/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The lexer: tokens on demand, because attach points are read as raw text between them. Comments
 * and preprocessor lines (lex_pp.c) are skipped here; #define'd names are kept for the parser.
 */
#pragma once
#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"

#define LEX_NAME_MAX 128 /* bytes of a name; the kernel's longest symbols have 512, ksyms 128 */

enum token_kind {
#define T(id, text) TOK_##id,
#define S(id, text) TOK_##id,
#include "lang/token.def"
	TOK_COUNT
};

struct token {
	enum token_kind kind;
	struct skep_span span;
	bool spaced;	  /* white space or a comment stands before it */
	const char *text; /* IDENT, VAR (without $), MAP (with @): interned */
	struct {
		const char *s;
		uint32_t n;
	} str; /* STR: escapes resolved */
	struct {
		uint64_t v; /* INT, POSARG */
		bool is_unsigned;
	} num;
	struct {
		uint8_t bytes[16], family, prefix;
	} addr;
};

#define LEX_EXPAND 10000 /* uses of #define'd names */

/* A #define: the place of its value in the text. */
struct define {
	uint32_t start, end;
	bool params; /* #define NAME(…): refused where it is used */
};

/* A #define'd name being read: its value stands in the place of the name, as in C. */
struct lex_frame {
	const struct define *m;
	uint32_t pos, len;    /* of the lexer, behind the name */
	struct skep_span at;  /* of the name as the script has it: that of all its tokens */
	const struct lex_frame *up;
};

struct lexer {
	struct arena *a;
	struct skep_diags *d;
	const char *text;
	uint32_t pos, len;    /* len may be lowered to the end of a #define's value */
	uint32_t base;	      /* span offset of text[0] */
	bool mute;	      /* looking ahead: errors will be found again */
	bool have_btf;	      /* BPFTRACE_HAVE_BTF is defined */
	uint32_t kernel;      /* LINUX_VERSION_CODE; 0 unknown */
	struct smap *names;   /* interned; shared by copies that look ahead */
	struct smap *defines; /* likewise */
	const struct lex_frame *frame; /* NULL: the script itself is read */
	unsigned expansions;
	unsigned if_depth;    /* open #if lines */
	uint32_t if_start[16];
};

void lex_init(struct lexer *l, struct arena *a, struct skep_diags *d, const char *text, size_t len,
	uint32_t base);
struct token lex_next(struct lexer *l);
/* Back from #define'd names into the script; what is left of them is skipped. */
void lex_leave(struct lexer *l);
/* Skips white space, comments and preprocessor lines. True when there was any. */
bool lex_skip(struct lexer *l);
void lex_preprocessor(struct lexer *l); /* at '#', first on its line (lex_pp.c) */
bool lex_defined(const struct lexer *l, const char *name);
/* The condition of an #if from pos to end (lex_if.c). False: it cannot be told. */
bool lex_condition(struct lexer *l, uint32_t end, bool *yes);
void lex_end(struct lexer *l);		/* at the end of the text: reports an open #if */

/* Numbers and addresses (lex_num.c). */
bool lex_address(struct lexer *l, struct token *t); /* false: no address stands here */
void lex_number(struct lexer *l, struct token *t);
/*
 * Digits of this base with '_' between them, behind decimal ones a power of ten (1_000, 1e6). What follows
 * them: s itself when there are none. over: they do not fit 64 bits.
 */
const char *lex_digits(const char *s, const char *end, unsigned base, uint64_t *v, bool *over);

struct skep_span lex_span(const struct lexer *l, uint32_t start, uint32_t end);
/* As diag_error; NULL while looking ahead. */
struct diag *lex_error(struct lexer *l, struct skep_span at, enum diag_id id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
const char *token_text(enum token_kind k);

static inline int lex_at(const struct lexer *l, uint32_t pos)
{
	return pos < l->len ? (unsigned char)l->text[pos] : -1;
}
static inline bool lex_is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool lex_is_digit(int c)
{
	return c >= '0' && c <= '9';
}
static inline bool lex_is_word(int c)
{
	return lex_is_alpha(c) || lex_is_digit(c);
}
static inline bool lex_is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline int lex_hex(int c)
{
	if (lex_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
