/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the optimiser's files. */
#pragma once
#include "ir/ir.h"

/* Decided branches, jumps to jumps, blocks in a row, parameters of one value. True: changed. */
bool ir_opt_branches(struct ir_fn *f);
/* The term's first edge hands its tested operand on as first argument: the proof. */
static inline bool ir_proof_edge(const struct ir_term *t)
{
	return (t->op == IRN_SOME || t->op == IRN_NEED || t->op == IRN_BOUND || t->op == IRN_LOOP) &&
		t->edge[0].nargs && t->edge[0].args[0] == t->args[0];
}
/* The call has no effect but its result. */
bool ir_call_droppable(const struct ir_fn *f, const struct ir_ins *i);
bool ir_call_pure(const struct ir_fn *f, const struct ir_ins *i);
