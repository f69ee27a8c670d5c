/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by parse.c, parse_ins.c and lex.c: reading the IR's text. */
#pragma once
#include "ir/text.h"

enum tok_kind {
	TOK_END,
	TOK_WORD,  /* add, if.ne, task_struct.pid */
	TOK_NUM,   /* 12, -1, 0x10, +8 */
	TOK_VALUE, /* %name */
	TOK_BLOCK, /* ^name */
	TOK_AT,	   /* @name */
	TOK_ARROW, /* -> */
	TOK_DOTS,  /* .. */
	TOK_PUNCT, /* one character */
};

struct tok {
	enum tok_kind kind;
	const char *s; /* without %, ^ and @ */
	uint32_t len;
	char punct;
	bool line_start; /* first on its line */
	bool joined;	 /* nothing between it and the token before */
	int64_t num;
	uint32_t off; /* in the text */
};

struct parse {
	struct ir_module *m;
	struct ir_fn *f;
	const char *text;
	uint32_t len, pos, base;
	struct tok tok; /* the one at hand */
	bool failed;	/* after the first error every token is TOK_END */
	struct smap values, blocks; /* of this function: name -> index + 1 */
	VEC(uint32_t) pending; /* values used before their definition: offsets by value index */
	ir_blk here;
	const struct ir_machine_names *machine;
	struct ir_fn *top; /* of the 'sub's read, whose 'prog' is still to come */
};

/* ---- lex.c ---- */
void ir_lex_next(struct parse *p);
void parse_fail(struct parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool tok_is(const struct parse *p, const char *word);
bool tok_punct(const struct parse *p, char c);
bool take_word(struct parse *p, const char *word); /* takes it when it is there */
bool take_punct(struct parse *p, char c);
void want_punct(struct parse *p, char c);
int64_t want_num(struct parse *p);
uint32_t want_u32(struct parse *p);
const char *want_name(struct parse *p, enum tok_kind kind, const char *what);

/* ---- parse.c ---- */
struct ir_type parse_type(struct parse *p);
ir_val parse_value(struct parse *p); /* %name, also one defined further down */
ir_blk parse_block_name(struct parse *p);
uint32_t parse_map_name(struct parse *p);
uint32_t parse_func_name(struct parse *p);
uint32_t parse_field_name(struct parse *p);
uint8_t parse_reg(struct parse *p); /* @rN when there, else IR_NO_REG */
void parse_span(struct parse *p, struct skep_span *s);
bool parse_is_defined(const struct parse *p, const char *name);
/* Fills v, which a use further up may have announced, or makes a new one; name NULL: unnamed. */
ir_val parse_define(struct parse *p, const char *name, struct ir_ins ins);

/* ---- parse_ins.c ---- */
void parse_statement(struct parse *p); /* an instruction or the terminator */
