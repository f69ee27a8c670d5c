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

/* ---- builtins (builtins.def): values and functions of the language ---- */
enum builtin_id {
#define B(id, name, args, ret, probes, what) BI_##id,
#include "lang/builtins.def"
#undef B
	BI_COUNT
};
struct builtin {
	const char *name;
	const char *args; /* legend at the head of builtins.def; NULL for a value */
	const char *ret;
	const char *probes;
	const char *what;
};
const struct builtin *builtin_row(enum builtin_id id);
int builtin_value(const char *name);	/* id, or -1 */
int builtin_function(const char *name); /* id, or -1 */
