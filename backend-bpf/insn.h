/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * BPF machine operations: the rows of isa.def, and instructions made from and matched to them.
 * Which instructions a kernel takes is a matter of rows, never of code elsewhere.
 */
#pragma once
#include "ir/ir.h"
#include <linux/bpf.h>

/* Constants newer than the oldest uapi headers we build with (bookworm's are 6.1's). */
#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* with BPF_LDX: load with sign; include/uapi/linux/bpf.h, since 6.6 */
#endif

#define BPF_REGS 11	 /* r0 .. r10 */
#define BPF_REG_FRAME 10 /* read-only frame pointer */

enum isa_op {
#define I(id, text, code, src, off, imm, form, width, isa, lim, flags) ISA_##id,
#include "backend-bpf/isa.def"
	ISA_COUNT
};

enum isa_form {
#define FORM(id, flags, what) IFORM_##id,
#include "backend-bpf/isa.def"
	IFORM_COUNT
};

enum isa_flag {
	ISAF_DEF = 1,	  /* writes dst */
	ISAF_USE_DST = 2, /* reads dst; with DEF: two-address, dst is tied to the first operand */
	ISAF_USE_SRC = 4, /* reads src */
	ISAF_DEF_SRC = 8, /* writes src (atomic fetch) */
	ISAF_R0 = 16,	  /* reads and writes r0 (cmpxchg) */
	ISAF_OFF = 32,	  /* off is an operand: address or jump */
	ISAF_IMM = 64,	  /* imm is an operand */
	ISAF_IMM64 = 128, /* takes two slots */
	ISAF_READ = 256,  /* reads memory */
	ISAF_WRITE = 512, /* writes memory */
	ISAF_JUMP = 1024, /* may go elsewhere than to the next instruction */
	ISAF_COND = 2048, /* … and may go on */
	ISAF_CALL = 4096, /* reads r1-r5, writes r0, leaves r1-r5 undefined */
	ISAF_COMM = 8192, /* dst and src may change places */
};

enum isa_limit { ISAL_NONE, ISAL_S32, ISAL_SHIFT, ISAL_NONZERO };

struct isa_row {
	const char *name; /* "ADD64_RR": the IR's text form of machine code */
	const char *text; /* assembler syntax, see isa.def */
	uint8_t code;
	uint8_t src; /* fixed fields */
	int16_t off;
	int32_t imm;
	uint8_t form;	/* enum isa_form */
	uint8_t width;	/* bits */
	uint8_t isa;	/* least level */
	uint8_t lim;	/* enum isa_limit */
	uint32_t flags; /* enum isa_flag, the form's included */
};
const struct isa_row *isa_row(enum isa_op op);

/*
 * The instruction; fields that are no operands of the row come from the row. For LD64 rows this is
 * the first slot, the second is isa_second. imm is taken as the low 32 bits: callers check
 * isa_imm_ok first (and isa_off_ok).
 */
struct bpf_insn isa_insn(enum isa_op op, unsigned dst, unsigned src, int off, int64_t imm);
struct bpf_insn isa_second(int32_t imm_hi);

/*
 * Whether imm may be the row's immediate and means itself: sign-extended 32 bits for 64-bit
 * operations (and 8-byte stores), any 32 bits for narrower ones, counts within the width,
 * divisors not zero.
 */
bool isa_imm_ok(enum isa_op op, int64_t imm);
static inline bool isa_off_ok(int64_t off)
{
	return off >= INT16_MIN && off <= INT16_MAX;
}

/* The row this instruction is an instance of, fixed and unused fields included; -1 none. */
int isa_find(const struct bpf_insn *i);
/* NULL, or why the verifier would refuse this instruction whatever is around it. */
const char *isa_illegal(const struct bpf_insn *i);

/* Rows by the IR's enumerations. */
enum isa_op isa_jcc(enum ir_cc cc, bool w32, bool imm);
enum isa_op isa_atomic(enum ir_atomic at, bool w32);
/* Row by name; -1 unknown. */
int isa_by_name(const char *name);
