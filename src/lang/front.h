/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Steps of the front end, in order. Each reports to s->d; go on while s->d->errors is 0. */
#pragma once
#include "lang/ast.h"
#include "lang/lang.h"

/* Text to tree. Recovers at statement and probe ends, so several errors are found at once. */
struct script *parse_script(struct arena *a, struct skep_diags *d, struct target *t, const char *text,
	size_t len, uint32_t base);
/* Resolves names, gives every expression its type, folds constants, settles maps and variables. */
void check_script(struct script *s);
/* Checked tree to IR and side table. */
void lower_script(const struct script *s, struct ir_module *m);

void dump_ast(const struct script *s, struct buf *out);
void dump_types(const struct script *s, struct buf *out);

/* ---- types (types.c) ---- */
/*
 * Whether a comparison or division of these two integers or pointers is unsigned: C's usual
 * conversions done in 64 bits. A non-negative constant adapts to the other side.
 */
bool lt_adapts(const struct expr *e); /* a constant that takes the other side's sign */
bool lt_unsigned_pair(const struct expr *a, const struct expr *b);
/* (bool)x: 0 or 1, not the low byte. */
bool lt_same_names(const struct lt_tuple *a, const struct lt_tuple *b); /* in whatever order; as many, too */
uint32_t lt_named(const struct lt_tuple *t, const struct lt_tuple *of, uint32_t i); /* of's element i in t */
bool lt_bool_cast(const struct expr *e);
bool lt_has_address(const struct expr *e); /* it lies at one, which '&' or a cast may take */
bool lt_int_name(const char *name, struct lt *t); /* "unsigned long", "uint8" */
/* The type as messages show it: "int64", "string[16]", "struct task_struct *". */
const char *lt_text(const struct script *s, const struct lt *t);
const char *binop_text(enum binop op);
const char *unop_text(enum unop op);

/* ---- builtins (builtins.def): values and functions of the language ---- */
enum builtin_id {
#define B(id, name, args, ret, probes, what) BI_##id,
#include "lang/builtins.def"
	BI_COUNT
};
struct builtin {
	const char *name;
	const char *args; /* legend at the head of builtins.def; NULL for a value */
	const char *ret;
	const char *probes;
}; /* what it is for stands in the table alone */
const struct builtin *builtin_row(enum builtin_id id);
int builtin_value(const char *name);	/* id, or -1 */
int builtin_function(const char *name); /* id, or -1 */
/* Whether probes of this kind ("kprobe") have it. */
bool builtin_in_probe(const struct builtin *b, const char *kind);

/* ---- aggregations (aggs.def) ---- */
struct agg {
	enum meta_agg id;
	const char *name, *args;
	unsigned min_args, max_args;
};
const struct agg *agg_by_name(const char *name); /* NULL unknown */
const struct agg *agg_at(unsigned i);		 /* NULL past the end */

/* ---- what bpftrace has and skep has not yet (unsupported.def) ---- */
enum unsupported_kind { UNSUP_PROBE, UNSUP_VALUE, UNSUP_FUNC };
struct unsupported {
	enum unsupported_kind kind;
	const char *name;
	const char *hint; /* "" when there is nothing to say */
};
const struct unsupported *unsupported_find(enum unsupported_kind kind, const char *name);
const char *elsewhere_find(const char *name); /* what says the same here; NULL (elsewhere.def) */
const struct unsupported *unsupported_at(unsigned i); /* NULL past the end */

/* ---- check_expr.c ---- */
uint64_t expr_fold(enum binop op, bool uns, uint64_t a, uint64_t b); /* b is not 0 where that divides */

/* ---- lower_event.c ---- */
bool lo_has_effect(const struct expr *e); /* evaluating it changes something: order is seen */

/* ---- net_uses.c ---- */
bool lo_writes_packet(const struct block *b);
