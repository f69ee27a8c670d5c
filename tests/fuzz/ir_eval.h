/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What IR means, by walking it: an oracle for the back end that shares nothing with it. Functions
 * of context xdp_md, array maps, and the few helpers such tests use. Pointers are the host's own;
 * each access is checked against the object it must lie in.
 * Used by the stress test of the back end: include ir_eval.c into the program.
 */
#pragma once
#include "ir/ir.h"

#define IR_EVAL_MAPS 4

struct ir_eval {
	struct arena *a;
	const struct ir_fn *f;
	uint8_t *packet;
	uint32_t packet_len;
	uint8_t *map[IR_EVAL_MAPS]; /* array maps: max_entries values of value_size bytes */
	uint32_t ifindex, cpu;
	uint64_t max_steps; /* 0: one million */
	/* the run */
	uint64_t *val;	 /* per value */
	uint8_t **slot;	 /* per SLOT instruction: its object */
	char error[160]; /* "" when all went well */
};

/* False with error set when f does something that no checked program does. */
bool ir_eval_run(struct ir_eval *e, uint64_t *result);
