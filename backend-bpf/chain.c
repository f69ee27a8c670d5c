/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of one program that call each other through helpers share its 512 bytes of stack: the
 * verifier adds up the frames of each chain, each rounded up to 32 (check_max_stack_depth).
 */
#include "backend-bpf/mach.h"

#define FRAME_UNIT 32
#define SPILL_ROOM (2 * IR_STACK_RESERVE)

static uint32_t frame_bytes(const struct ir_fn *f)
{
	return f->stack ? (f->stack + FRAME_UNIT - 1) & ~(FRAME_UNIT - 1u) : FRAME_UNIT;
}

/* Functions in the longest chain from f on; *below the bytes of those after it, compiled before. */
static unsigned chain(const struct ir_fn *f, uint32_t *below)
{
	unsigned longest = 0;

	*below = 0;
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b].ins.n; i++) {
			const struct ir_ins *in = ir_ins_of(f, f->blocks.v[b].ins.v[i]);
			bool func = in->op == IR_FUNC || in->op == MACH(LD64_FUNC);
			const struct ir_fn *sub = func ? f->top->subs.v[in->aux] : NULL;
			uint32_t under;
			unsigned n = sub && sub != f ? chain(sub, &under) : 0;

			if (!n)
				continue;
			longest = n > longest ? n : longest;
			if (frame_bytes(sub) + under > *below)
				*below = frame_bytes(sub) + under;
		}
	}
	return longest + 1;
}

int64_t back_room(struct ir_fn *f)
{
	uint32_t unused, share;
	unsigned n;

	if (!f->top->subs.n)
		return IR_STACK_MAX - SPILL_ROOM;
	chain(f, &f->below);
	if (!ir_is_sub(f))
		return f->below + 2 * SPILL_ROOM < IR_STACK_MAX
			       ? (int64_t)IR_STACK_MAX - f->below - SPILL_ROOM
			       : SPILL_ROOM;
	n = chain(f->top, &unused);
	share = IR_STACK_MAX / n & ~(FRAME_UNIT - 1u);
	return share > 2 * IR_STACK_RESERVE ? share - IR_STACK_RESERVE : IR_STACK_RESERVE;
}
