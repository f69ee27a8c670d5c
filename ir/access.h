/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which memory an instruction touches, and where a pointer comes from. Shared by the checker and
 * the slot optimisation so that they cannot disagree.
 */
#pragma once
#include "ir/ir.h"

enum ir_access_how {
	ACC_READ = 1,
	ACC_WHOLE = 2, /* with READ: bytes go to the kernel, so all must be defined, not just set */
	ACC_WRITE = 4, /* sets all size bytes */
	ACC_PART = 8,  /* may set any of the size bytes, surely none */
	ACC_STR = 16,  /* with WRITE: a string; bytes behind its NUL are set, not defined */
};

struct ir_access {
	ir_val ptr;
	int64_t off;
	uint64_t size; /* greatest possible */
	unsigned how;
	unsigned arg; /* operand number of ptr */
};

/* At most IR_MAX_ARGS entries. */
unsigned ir_accesses(const struct ir_fn *f, const struct ir_ins *i, struct ir_access *out);

bool ir_is_fixed(const struct ir_fn *f, ir_val v); /* constant when the program is loaded */
struct ir_origin {
	ir_val root;  /* the pointer before any OFF or INDEX */
	int64_t off;  /* sum of constant offsets */
	uint64_t var; /* greatest sum of the variable ones; 0: off is exact */
};
struct ir_origin ir_origin(const struct ir_fn *f, ir_val p);
