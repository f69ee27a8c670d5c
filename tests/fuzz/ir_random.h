/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random IR that is hard on register allocation: many values live at once, joins and loops whose
 * parameters change places, calls with everything live across them, ties and constants of all
 * sizes. Decided by the seed alone. Include ir_random.c into the program.
 */
#pragma once
#include "ir/ir.h"

#define IR_RANDOM_MAPS 3 /* two arrays, one with a single entry */
#define IR_RANDOM_PACKET 128
#define IR_RANDOM_ENTRIES 8
#define IR_RANDOM_VALUE 64

struct ir_random {
	uint64_t seed;
	unsigned live;	     /* numbers kept alive, 2 .. 60 */
	unsigned statements; /* at the top level */
	bool calls, memory, loops, small; /* small: i32 operations, too */
};

/* Fills in the knobs from the seed. */
struct ir_random ir_random_knobs(uint64_t seed);
/* The maps are added to m->meta when there are none yet. */
struct ir_fn *ir_random_fn(struct ir_module *m, const struct ir_random *knobs);
