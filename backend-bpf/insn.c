/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instructions from rows of isa.def and rows from instructions. Nothing here knows an operation by
 * name: what differs between operations is a column.
 */
#include "backend-bpf/insn.h"
#include "backend-bpf/backend.h"
#include <assert.h>
#include <string.h>

#define DEF ISAF_DEF
#define USE_DST ISAF_USE_DST
#define USE_SRC ISAF_USE_SRC
#define DEF_SRC ISAF_DEF_SRC
#define R0 ISAF_R0
#define OFF ISAF_OFF
#define IMM ISAF_IMM
#define IMM64 ISAF_IMM64
#define READ ISAF_READ
#define WRITE ISAF_WRITE
#define JUMP ISAF_JUMP
#define COND ISAF_COND
#define CALL ISAF_CALL
#define COMM ISAF_COMM

enum form_flags {
#define FORM(id, flags, what) FF_##id = (flags),
#include "backend-bpf/isa.def"
};

static const struct isa_row rows[ISA_COUNT] = {
#define I(id, text, code, src, off, imm, form, width, isa, lim, flags)                             \
	[ISA_##id] = {#id, text, code, src, off, imm, IFORM_##form, width, isa, ISAL_##lim,        \
		(uint32_t)FF_##form | (flags)},
#include "backend-bpf/isa.def"
};

/* The first of the rows of each condition; the four follow each other (RR64 RI64 RR32 RI32). */
static const uint16_t jcc_row[CC_COUNT] = {
#define JCC(cc, id, op, code, isa) [cc] = ISA_##id##64_RR,
#include "backend-bpf/isa.def"
};

static const uint16_t atomic_row[AT_COUNT] = {
#define ATOM(at, id, op, imm, isa) [at] = ISA_##id##64,
#define FETCH(at, id, fn64, fn32, imm) [at] = ISA_##id##64,
#include "backend-bpf/isa.def"
};

const struct isa_row *isa_row(enum isa_op op)
{
	assert(op < ISA_COUNT && "machine operation");
	return &rows[op];
}

struct bpf_insn isa_insn(enum isa_op op, unsigned dst, unsigned src, int off, int64_t imm)
{
	const struct isa_row *r = isa_row(op);
	struct bpf_insn i = {.code = r->code, .off = r->off, .imm = r->imm};

	assert(dst < BPF_REGS && src < BPF_REGS && isa_off_ok(off) && "operands");
	if (r->flags & (DEF | USE_DST))
		i.dst_reg = dst & 0xf;
	i.src_reg = r->flags & USE_SRC ? src & 0xf : r->src & 0xf;
	if (r->flags & OFF)
		i.off = (int16_t)off;
	if (r->flags & IMM)
		i.imm = (int32_t)(uint32_t)imm;
	return i;
}

struct bpf_insn isa_second(int32_t imm_hi)
{
	return (struct bpf_insn){.imm = imm_hi};
}

bool isa_imm_ok(enum isa_op op, int64_t imm)
{
	const struct isa_row *r = isa_row(op);
	int64_t max = r->width < 64 ? UINT32_MAX : INT32_MAX;

	if (imm < INT32_MIN || imm > max)
		return false;
	if (r->lim == ISAL_SHIFT)
		return imm >= 0 && imm < r->width;
	if (r->lim == ISAL_NONZERO)
		return imm != 0;
	return true;
}

static bool row_matches(const struct isa_row *r, const struct bpf_insn *i)
{
	if (i->code != r->code)
		return false;
	if (!(r->flags & (DEF | USE_DST)) && i->dst_reg != 0)
		return false;
	if (!(r->flags & USE_SRC) && i->src_reg != r->src)
		return false;
	if (!(r->flags & OFF) && i->off != r->off)
		return false;
	return (r->flags & IMM) || i->imm == r->imm;
}

int isa_find(const struct bpf_insn *i)
{
	if (i->dst_reg >= BPF_REGS)
		return -1;
	for (unsigned k = 0; k < ISA_COUNT; k++) {
		if (row_matches(&rows[k], i))
			return rows[k].flags & USE_SRC && i->src_reg >= BPF_REGS ? -1 : (int)k;
	}
	return -1;
}

const char *isa_illegal(const struct bpf_insn *i)
{
	int op = isa_find(i);
	const struct isa_row *r;

	if (op < 0)
		return "unknown instruction";
	r = isa_row((enum isa_op)op);
	if (r->flags & DEF && i->dst_reg == BPF_REG_FRAME)
		return "writes the frame pointer";
	if (r->flags & DEF_SRC && i->src_reg == BPF_REG_FRAME)
		return "writes the frame pointer";
	if (r->lim == ISAL_SHIFT && (i->imm < 0 || i->imm >= r->width))
		return "shift count beyond the width";
	if (r->lim == ISAL_NONZERO && i->imm == 0)
		return "division by zero";
	return NULL;
}

enum isa_op isa_jcc(enum ir_cc cc, bool w32, bool imm)
{
	assert(cc < CC_COUNT && "condition");
	return (enum isa_op)(jcc_row[cc] + 2 * w32 + imm);
}

enum isa_op isa_atomic(enum ir_atomic at, bool w32)
{
	assert(at < AT_COUNT && "atomic operation");
	return (enum isa_op)(atomic_row[at] + w32);
}

int isa_by_name(const char *name)
{
	for (unsigned k = 0; k < ISA_COUNT; k++) {
		if (!strcmp(rows[k].name, name))
			return (int)k;
	}
	return -1;
}

static const char *machine_name(unsigned i)
{
	return i < ISA_COUNT ? rows[i].name : NULL;
}

const struct ir_machine_names back_machine_names = {ISA_COUNT, machine_name};
