/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Copies that happen at once: on an edge, before a call. copies.c orders them, pcopy.c says which. */
#pragma once
#include "backend-bpf/mach.h"

struct copy {
	ir_val src;   /* in a register, or one that floats (constant, refill) */
	uint8_t reg;  /* destination: a register, or IR_NO_REG and */
	ir_val slot;  /* … a spill slot */
	ir_val result; /* the value now in reg */
	bool done;
};

struct copies {
	struct ir_fn *f;
	struct ir_block *out; /* where instructions go */
	ir_blk block;
	struct skep_span span;
	unsigned live;	 /* registers whose contents must stay */
	uint32_t n;
	struct copy *v; /* room for what the caller adds */
};

/* Appends an instruction that gives what the value `of` of the reference is (0: nothing). */
ir_val copies_emit(struct copies *c, struct ir_ins ins, ir_val of);
/* The value v in register reg, by a copy or made again. */
ir_val copies_move(struct copies *c, ir_val v, unsigned reg);
/* Does all copies of c as if at once. */
void copies_run(struct copies *c);
