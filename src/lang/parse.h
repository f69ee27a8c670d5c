/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside the parser: what parse.c, parse_probe.c, parse_stmt.c and parse_expr.c share. */
#pragma once
#include "lang/ast.h"
#include "lang/lex.h"

#define PARSE_DEPTH 200	   /* nesting of blocks and expressions: each costs C stack */
#define PARSE_HEIGHT 400   /* height of an expression: a + b + c … nests without parentheses */
#define PARSE_NODES 300000 /* nodes; a BPF program has at most a million instructions */

struct parser {
	struct arena *a;
	struct skep_diags *d;
	struct script *s;
	struct lexer lex;
	struct token tok;  /* current */
	uint32_t last_end; /* span offset behind the last token that was taken */
	const char *before; /* the last token that was taken, when it was a word; else NULL */
	struct diag *told;  /* the last report */
	unsigned depth, nodes;
	bool panic;   /* an error was reported: be silent until the parser is in step again */
	bool stopped; /* nothing more is read or reported */
	struct smap *macros; /* by name; parse_macro.c */
	const struct macro_use *use; /* the macro being read; NULL: the script itself */
	unsigned uses;
	bool in_pred; /* a '/' before '{' ends the predicate */
};

/* parse.c */
void p_next(struct parser *p);
struct token p_peek(const struct parser *p); /* the token after the current one */
/* Reports unless in panic, and enters it. NULL when nothing was reported. */
struct diag *p_error(struct parser *p, struct skep_span at, enum diag_id id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void p_hint(struct parser *p, struct diag *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Asks whether the nearest of n words was meant; false when none is near. */
bool p_did_you_mean(struct parser *p, struct diag *e, const char *word, const char *const *words, unsigned n);
/* "expected WHAT, found …" at the current token. */
struct diag *p_expected(struct parser *p, const char *what);
bool p_is(const struct parser *p, enum token_kind k);
bool p_is_word(const struct parser *p, const char *word);
bool p_accept(struct parser *p, enum token_kind k);
bool p_expect(struct parser *p, enum token_kind k, const char *what);
struct skep_span p_since(const struct parser *p, uint32_t start); /* from start to the last token */
bool p_enter(struct parser *p, struct skep_span at); /* counts depth; false: too deep, reported */
void p_leave(struct parser *p);
bool p_count(struct parser *p, struct skep_span at); /* counts a node */
/* Skips to the end of the text. */
void p_stop(struct parser *p);
/* At '{' or before: skips tokens up to the '}' that closes the first '{' met. */
void p_skip_braces(struct parser *p);

/* parse_expr.c */
struct expr *parse_expr(struct parser *p);
struct expr *parse_variable(struct parser *p); /* at a $variable */
void parse_note_field(struct parser *p, const struct expr *target); /* of an assignment */
struct expr *parse_cast_type(struct parser *p); /* EX_CAST without what is cast */
struct expr *parse_range_bound(struct parser *p); /* binds tighter than '..' */

struct expr *parse_broken(struct parser *p); /* stands for what could not be read */

/* parse_def.c */
void parse_definition(struct parser *p); /* a C definition, up to its ';' */

/* parse_macro.c */
void parse_macro(struct parser *p); /* before the word "macro"; leaves the current token at the '}' */
/* The name was taken: the macro's value, or NULL when it is no macro. */
struct expr *macro_use(struct parser *p, const char *name, struct skep_span at);
/* What stands for a name inside a macro; outside, the name itself or NULL. */
const char *macro_variable(struct parser *p, const char *name);
const char *macro_map(struct parser *p, const char *name);
struct expr *macro_argument(struct parser *p, const char *name);
/* At '{': a block whose last expression, when no ';' follows it, is its value. */
struct expr *parse_block_value(struct parser *p, struct skep_span at);

/* parse_fn.c */
void parse_fn(struct parser *p); /* before the word "fn"; leaves the current token at the '}' */
struct stmt *parse_return(struct parser *p, struct stmt *s); /* inside a function: ends that */

/* parse_stmt.c */
struct expr *parse_let_type(struct parser *p); /* what follows the ':' of a 'let' */
struct stmt *parse_spread(struct parser *p, struct stmt *s); /* a block as value of a statement */
/* At '{'; leaves the current token at the '}', so that raw text may follow. */
struct block *parse_block(struct parser *p);

/* parse_probe.c: raw text at lex.pos */
void parse_probe(struct parser *p);
