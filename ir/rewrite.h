/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Replacing values: a pass notes in a table what stands for what, and rewrites all operands once.
 */
#pragma once
#include "ir/ir.h"

struct ir_rewrite {
	struct ir_fn *f;
	ir_val *to; /* per value: its replacement, or IR_NONE */
	uint32_t n;
	bool any;
};

void ir_rewrite_init(struct ir_rewrite *r, struct ir_fn *f);
ir_val ir_rewrite_get(struct ir_rewrite *r, ir_val v);
/* v's uses become with's. False, and nothing noted, when with's type does not fit v's. */
bool ir_rewrite_put(struct ir_rewrite *r, ir_val v, ir_val with);
void ir_rewrite_apply(struct ir_rewrite *r);

/* Calls body for every reachable operand place of a block: instructions, terminator, edges. */
#define IR_EACH_OPERAND(f, b, place, ...)                                                          \
	do {                                                                                       \
		struct ir_block *blk_ = &(f)->blocks.v[b];                                         \
		for (uint32_t i_ = 0; i_ < blk_->ins.n; i_++) {                                    \
			struct ir_ins *ins_ = &(f)->vals.v[blk_->ins.v[i_]];                       \
			for (unsigned a_ = 0; a_ < ins_->nargs; a_++) {                            \
				ir_val *place = &ins_->args[a_];                                   \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
		for (unsigned a_ = 0; a_ < 2; a_++) {                                              \
			ir_val *place = &blk_->term.args[a_];                                      \
			if (*place) {                                                              \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
		for (unsigned e_ = 0; e_ < blk_->term.nedges; e_++) {                              \
			for (uint32_t i_ = 0; i_ < blk_->term.edge[e_].nargs; i_++) {              \
				ir_val *place = &blk_->term.edge[e_].args[i_];                     \
				__VA_ARGS__                                                        \
			}                                                                          \
		}                                                                                  \
	} while (0)

/* Takes out parameters (not the entry's) for which drop is set, and their arguments. */
void ir_remove_params(struct ir_fn *f, const bool *drop);
/* Parameters that always receive one and the same value become that value. */
bool ir_drop_trivial_params(struct ir_fn *f);
