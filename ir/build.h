/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Inside build.c and ssa.c: what a function needs only while it is being built. */
#pragma once
#include "ir/ir.h"

struct ir_pred { /* one edge into a block */
	ir_blk from;
	unsigned edge;
};

/* A parameter in the making: one argument per edge into its block, in the order of the edges. */
struct ir_phi {
	ir_blk block;
	unsigned var;
	ir_val val;
	VEC(ir_val) args;
};

struct ir_build_block {
	VEC(struct ir_pred) preds;
	VEC(uint32_t) phis; /* indices into ir_build.phis */
};

struct ir_build {
	ir_blk here;
	bool open;
	struct skep_span span;
	uint32_t nslots; /* SLOT instructions at the head of the entry */
	VEC(struct ir_build_block) blocks;
	VEC(struct ir_phi) phis;
	VEC(struct ir_type) vars;
	VEC(ir_val *) defs; /* per variable: value at the end of each block, defs_cap entries */
	uint32_t defs_cap;
};

struct ir_fn *ir_fn_blank(struct ir_module *m, const char *name, enum kern_ctx ctx);
struct ir_build *ir_building(struct ir_fn *f); /* makes it when a finished function is changed */
void ir_add_pred(struct ir_fn *f, ir_blk from, unsigned edge);
_Noreturn void ir_bug(const struct ir_fn *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
