/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random programs for the differential fuzzer: a small tree language with its own evaluator in
 * plain C (prog_eval), printed as a script (prog_script) or built as IR (prog_ir). Everything a
 * program does is decided by its seed.
 */
#pragma once
#include "base/arena.h"
#include "ir/ir.h"

#define PROG_VARS 16
#define PROG_PACKET 128
#define PROG_WORDS 8   /* 8-byte words of the stack object */
#define PROG_MAPS 2
#define PROG_KEYS 16   /* keys are 0 .. 15, so maps never fill up */

enum prog_form { PROG_AS_IR, PROG_AS_SCRIPT };

enum px_kind { PX_CONST, PX_VAR, PX_INPUT, PX_SLOT, PX_MAP, PX_BIN, PX_BIN32, PX_CAST, PX_CMP, PX_CMP32,
	PX_NOT, PX_AND, PX_OR, PX_TERNARY };
enum px_op { PO_ADD, PO_SUB, PO_MUL, PO_DIV, PO_MOD, PO_AND, PO_OR, PO_XOR, PO_SHL, PO_SHR, PO_COUNT };
enum px_cmp { PC_EQ, PC_NE, PC_LT, PC_LE, PC_GT, PC_GE, PC_COUNT };

struct px {
	enum px_kind kind;
	int op;		/* enum px_op or px_cmp */
	bool is_signed;
	unsigned size;	/* CAST, INPUT: bytes */
	uint64_t v;	/* CONST; VAR, SLOT, MAP: index; INPUT: offset (IR) or field number (script) */
	struct px *a, *b, *c;
};

enum ps_kind { PS_SET, PS_IF, PS_LOOP, PS_MAP_SET, PS_MAP_ADD, PS_MAP_DELETE, PS_STORE, PS_SLOT,
	PS_RETURN, PS_CALL };
struct ps {
	enum ps_kind kind;
	unsigned which; /* variable, map, word, packet offset */
	unsigned size;	/* STORE: bytes; SET: bytes the value is cut to */
	bool is_signed;
	unsigned turns; /* LOOP */
	struct px *a, *b;
	struct ps *yes, *no; /* IF; LOOP body is yes */
	struct ps *next;
};

struct prog {
	struct arena *a;
	enum prog_form form;
	uint64_t seed;
	unsigned nvars;
	struct ps *body;
};

struct prog_state { /* what a run leaves behind */
	uint64_t result;
	uint8_t packet[PROG_PACKET];
	bool present[PROG_MAPS][PROG_KEYS];
	uint64_t value[PROG_MAPS][PROG_KEYS];
};

struct prog *prog_random(struct arena *a, uint64_t seed, enum prog_form form);
/* Packet for run number n: for scripts a TCP segment whose fields are the inputs. */
void prog_packet(const struct prog *p, unsigned n, uint8_t packet[PROG_PACKET]);
/* The independent evaluation: st->packet is the input, st's maps start empty or as left before. */
void prog_eval(const struct prog *p, struct prog_state *st);
void prog_script(const struct prog *p, struct buf *out);
/* Adds the program to m: two hash maps (u64 to u64) and one XDP function. */
struct ir_fn *prog_ir(const struct prog *p, struct ir_module *m);
