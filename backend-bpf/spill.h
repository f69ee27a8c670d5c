/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the two halves of the spiller share: range.c measures, spill.c decides and rewrites. */
#pragma once
#include "backend-bpf/mach.h"

/*
 * Points of a block with n instructions: 2i where instruction i reads, 2i+1 where it writes (and
 * its late operands still live); the terminator is instruction n. A value occupies its register
 * from .from to .to, both included.
 */
struct span {
	ir_val v;
	ir_blk block;
	uint32_t from, to;
	uint32_t next; /* of the same value: index into spans + 1, 0 ends */
};

struct ranges {
	struct ir_fn *f;
	struct ir_cfg *cfg;
	struct live live;
	VEC(struct span) spans; /* by block */
	uint32_t *first; /* block -> its first span; nblocks + 1 entries */
	uint32_t *head;	 /* value -> its first span + 1 */
	uint32_t *point; /* block -> number of its point 0 in a numbering of all */
	uint16_t *high; /* point -> values of class MC_HIGH there */
	uint32_t *cost;	 /* value -> what spilling it costs, weighted by loop depth */
	uint32_t *length; /* value -> points it occupies */
	bool *spilled;
	bool *no_room; /* value was refused by ranges_promote */
};

void ranges_build(struct ir_fn *f, struct ranges *r);
/* Classes: values live over calls are MC_HIGH; too many of them, and some are marked spilled. */
void ranges_classify(struct ranges *r);
uint32_t ranges_weight(const struct ranges *r, ir_blk b);
/* Moves v to MC_HIGH when there is room all along; here: extra use of block `at` alone, or NULL. */
bool ranges_promote(struct ranges *r, ir_val v, ir_blk at, const uint16_t *here);
