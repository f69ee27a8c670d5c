/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by parse_macro.c and parse_fn.c: what is read anew at each of its uses. */
#pragma once
#include "lang/parse.h"

#define EXPAND_MAX 10000 /* uses of macros and functions */

/* Where the parser stands; going back there reads the same again. */
struct place {
	struct lexer lex;
	struct token tok;
	uint32_t last_end;
	const struct macro_use *use;
};

struct param {
	const char *name;
	enum token_kind kind; /* VAR, MAP or IDENT */
};

struct macro {
	const char *name;
	struct skep_span span;
	struct place body; /* at its '{' */
	VEC(struct param) params;
	bool fn;     /* a function: its parameters are read anew at each use, too, from '(' on */
	bool broken; /* it was reported */
};

/* A macro or function being read for one of its uses. */
struct macro_use {
	const struct macro *macro;
	const struct macro_use *up;
	unsigned number; /* tells the variables of uses apart */
	struct place *args;
	const char **names; /* of the variable or map given */
	struct expr *ret; /* of a function: what it returns; NULL nothing */
};

static inline struct place here(const struct parser *p)
{
	return (struct place){p->lex, p->tok, p->last_end, p->use};
}

/* What the lexer counted on the way counts on. */
static inline void go(struct parser *p, const struct place *to)
{
	unsigned expansions = p->lex.expansions;

	p->lex = to->lex;
	p->lex.expansions = expansions;
	p->tok = to->tok;
	p->last_end = to->last_end;
	p->use = to->use;
}

/* A new use; reported when there are too many, or when it is used by itself. */
struct macro_use *macro_begin(struct parser *p, const struct macro *m, struct skep_span at);
struct expr *fn_use(struct parser *p, const struct macro *m, struct skep_span at);
