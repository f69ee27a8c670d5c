/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random scripts over the whole language, for the differential fuzzer: numbers of all widths, texts,
 * tuples, own structs read from memory, maps, aggregations, loops, macros. lang_make decides by the
 * seed, lang_text prints, lang_eval says in plain C what the script prints. What the fuzzer cannot
 * know (memory) is in struct lang_input, which lies at a fixed address of this process.
 */
#pragma once
#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

#define LANG_INPUT 0x5eed0000ull /* address of struct lang_input */
#define LANG_TEXT_MAX 126	 /* what fills a variable's room prints with .. behind it */
#define LANG_KEYS 3

/* As the script declares it (lang_text.c); the C compiler lays this one out. */
struct lang_inner {
	int8_t a;
	uint16_t b;
	int32_t c;
};
struct lang_packed { /* d lies in two words */
	uint8_t a;
	uint16_t c;
	uint32_t b : 20;
	int32_t d : 20;
	uint64_t e : 40;
	int8_t z;
} __attribute__((packed));
struct lang_input {
	int8_t i8;
	uint8_t u8;
	int16_t i16;
	uint16_t u16;
	int32_t i32;
	uint32_t u32;
	int64_t i64;
	uint64_t u64;
	struct lang_inner n;
	uint16_t arr[8];
	char name[24];
	unsigned int f1 : 3;
	int f2 : 5;
	struct lang_packed p;
	int64_t g1 : 40;
	uint64_t g2 : 24;
	int16_t g3 : 9;
	uint16_t g4 : 7;
	uint64_t text; /* address of long_text */
	char long_text[256];
};

enum lang_kind { LK_INT, LK_UINT, LK_STR, LK_TUPLE, LK_BOOL };
struct lang_type {
	enum lang_kind kind;
	unsigned n;
	bool names; /* a record: its elements are p, q, r */
	const struct lang_type *el[LANG_KEYS];
};
extern const struct lang_type lang_int, lang_uint, lang_str, lang_bool; /* bool: only printed */

enum le_kind { LE_NUM, LE_TEXT, LE_VAR, LE_FIELD, LE_ARRAY, LE_NAME, LE_MEMORY, LE_CAST, LE_NEG, LE_COM,
	LE_NOT, LE_BIN, LE_AND, LE_OR, LE_COND, LE_ELVIS, LE_LEN, LE_NCMP, LE_CONTAINS, LE_FIND, LE_CHAR,
	LE_CUT, LE_MAP, LE_HAS, LE_MACRO, LE_PARAM, LE_TUPLE, LE_ELEM,
	LE_BYTE, LE_SAME, LE_INC, LE_BLOCK, LE_CALL, LE_AT, LE_TRUTH };
enum lang_op { LO_ADD, LO_SUB, LO_MUL, LO_DIV, LO_MOD, LO_AND, LO_OR, LO_XOR, LO_SHL, LO_SHR, LO_EQ, LO_NE,
	LO_LT, LO_LE, LO_GT, LO_GE, LO_COUNT };

struct le {
	enum le_kind kind;
	const struct lang_type *t;
	uint64_t n; /* NUM; number of variable, field, macro, function, parameter, map, element, type;
			op; length; INC: 1 down, 2 before it is read */
	const char *s; /* TEXT */
	struct le *a, *b, *c;
	struct le *el[LANG_KEYS]; /* TUPLE */
	struct ls *body;	  /* BLOCK: before its value a */
};

enum ls_kind { LS_SET, LS_OP, LS_INC, LS_IF, LS_FOR, LS_OPEN, LS_WHILE, LS_UNROLL, LS_BREAK, LS_CONTINUE,
	LS_RETURN, LS_MSET, LS_MOP, LS_MINC, LS_DELETE, LS_AGG, LS_PRINT, LS_PRINTF,
	LS_EACH, LS_FIND };
struct ls {
	enum ls_kind kind;
	unsigned which; /* variable or map; WHILE, OPEN: number of its own variable */
	unsigned var;	/* EACH, FIND: its variable */
	unsigned op, turns;
	int64_t from; /* FOR, OPEN */
	struct le *a, *key, *arg[6];
	unsigned nargs;
	struct ls *yes, *no, *next; /* bodies */
};

enum lang_agg { LA_NONE, LA_COUNT, LA_SUM, LA_MIN, LA_MAX, LA_AVG, LA_STATS, LA_HIST, LA_LHIST, LA_KINDS };
struct lang_map {
	const struct lang_type *key; /* NULL none, else a tuple of its parts */
	const struct lang_type *value;
	enum lang_agg agg;
	struct le *only; /* the one key it ever has */
};
#define LANG_FNS 2
struct lang_fn {
	unsigned first, nparams, nvars; /* of its variables; the parameters first, all declared by let */
	unsigned result;		/* of lang_casts */
	bool loops;
	struct ls *body;
	struct le *value; /* at its end */
};
struct lang_var {
	const struct lang_type *t;
	char name[12];
	int let; /* declared with this type of lang_casts; -1 */
};

#define LANG_VARS 80
#define LANG_MAPS 12
#define LANG_MACROS 3
#define LANG_PROBES 3 /* BEGIN, BEGIN, END */
#define LANG_CASTS 8
struct lang {
	struct arena *a;
	uint64_t seed;
	bool extremes; /* min() and max() may be read, long texts searched: not on old kernels */
	struct lang_var var[LANG_VARS];
	unsigned nvars;
	struct lang_map map[LANG_MAPS];
	unsigned nmaps;
	struct le *macro[LANG_MACROS];
	struct lang_fn fn[LANG_FNS];
	struct ls *body[LANG_PROBES];
	struct lang_input in;
};

struct lang_cast {
	const char *name;
	unsigned size;
	bool is_signed;
};
extern const struct lang_cast lang_casts[LANG_CASTS];
struct lang_field {
	const char *name;
	bool is_u64;
};
#define LANG_FIELDS 21
#define LANG_WHOLE_FIELDS 11 /* no bit-fields: they have addresses */
extern const struct lang_field lang_fields[LANG_FIELDS];
extern const int64_t lang_lhist[3]; /* least, greatest, step */

/* native: for this kernel, whose number of CPUs is known. */
struct lang *lang_make(struct arena *a, uint64_t seed, bool native);
void lang_text(const struct lang *p, struct buf *out);
/* What it prints; then, behind a line of "--", its maps in any order. How often it divides by zero. */
void lang_eval(const struct lang *p, struct buf *out, uint64_t *zero_divs);
