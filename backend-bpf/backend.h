/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The back end's face: passes from checked IR to eBPF code, and from code to an object file.
 * The order of the passes is src/driver/compile.c's business alone.
 */
#pragma once
#include "ir/ir.h"
#include <linux/bpf.h>

#define BACK_STACK_MAX 512 /* bytes, the kernel's MAX_BPF_STACK */

/*
 * Passes on one function, in order. Up to and including back_legal operations are the IR's, from
 * back_isel on the machine's (isa.def). Each leaves what its file's head comment promises.
 */
void back_legal(struct ir_fn *f); /* ISA level and kernel features: sdiv, zero, big stack objects */
void back_isel(struct ir_fn *f);
void back_spill(struct ir_fn *f); /* at most 10 values live anywhere, 4 over calls */
void back_color(struct ir_fn *f); /* every value has a register */
void back_pcopy(struct ir_fn *f); /* out of SSA: copies on edges, arguments of calls to r1..r5 */
void back_frame(struct ir_fn *f); /* stack objects and spill slots have offsets */
void back_layout(struct ir_fn *f); /* block order, fall-through, branch inversion */
void back_peep(struct ir_fn *f);

struct back_pass {
	const char *name;
	void (*run)(struct ir_fn *f);
};
extern const struct back_pass back_passes[]; /* the above, in order */
extern const unsigned back_npasses;
struct code;
/* All of them, and back_emit; for tests. After an error of the user's out is empty. */
void back_compile_fn(struct ir_fn *f, struct code *out);

/*
 * Checks the code after back_pcopy against the form back_spill started from: every instruction
 * reads the values it should. False when they differ, and why says where. Always true when there
 * is nothing to compare with (the text form was read back in between).
 */
bool back_verify_alloc(const struct ir_fn *f, struct buf *why);

enum code_reloc_kind {
	CR_MAP,	  /* ld_imm64: map index; imm of the second half unused */
	CR_MAP_VALUE, /* ld_imm64: map index, offset in .add */
	CR_KFUNC, /* call: kfunc index of the module */
	CR_FIELD, /* instruction whose off (load, store) or imm (number) is a kernel field's offset */
	CR_FUNC,  /* ld_imm64: function index of the program */
};
struct code_reloc {
	uint32_t kind;	/* enum code_reloc_kind */
	uint32_t insn;	/* index */
	uint32_t index; /* map, kfunc or field */
	uint32_t add;
};
struct code_line { /* from this instruction on, this place in the script */
	uint32_t insn;
	struct skep_span span;
};
struct code_fn { /* a function behind the program's own */
	const char *name;
	uint32_t start; /* instruction */
};
struct code { /* one program */
	struct bpf_insn *insn;
	uint32_t n;
	VEC(struct code_fn) fns; /* those that helpers call back */
	VEC(struct code_reloc) relocs;
	VEC(struct code_line) lines;
	uint32_t spills, reloads; /* for -v and the bench */
	uint32_t stack;
};
void back_emit(const struct ir_fn *f, struct code *out);
/* Puts the functions of a program behind it, in their order in f->subs, and joins them. */
void back_join(const struct ir_fn *f, struct code *out, const struct code *subs);

/* Names of machine operations for the IR's text form. */
extern const struct ir_machine_names back_machine_names;

/*
 * Writes the object: ELF64, EM_BPF, sections in libbpf's conventions, BTF and line information,
 * the side table in META_SECTION. code[i] belongs to m->meta->progs.v[i]. When meta->sources is
 * empty it is filled from the sources of m->diags.
 * out must be empty. 0 or a negative errno; why is in m->diags.
 */
int elf_write(struct ir_module *m, const struct code *code, struct buf *out);
/* A load of a tracepoint's field goes into the side table; other references stay in BTF. */
void back_fixup(struct ir_module *m, uint32_t prog, const struct code_reloc *r);
/* The BTF section alone (dump stage "btf"). */
void btfw_build(struct ir_module *m, const struct code *code, struct buf *btf, struct buf *btf_ext);

/* ---- text form of eBPF code (asm.c, disasm.c): clang's BPF assembler syntax ---- */
/* "r1 = *(u32*)(r2+8)"; labels "name:"; false and a DIAG_IR diagnostic on errors. */
struct asm_code {
	VEC(struct bpf_insn) insns;
};
bool asm_parse(const char *text, size_t len, uint32_t base, struct skep_diags *d, struct arena *a,
	struct asm_code *out);
/*
 * The instruction i[at] of a program of n (two slots for ld_imm64: returns slots used). What is no
 * row of isa.def comes as ".raw" with its eight bytes, so any bytes survive the round trip.
 */
unsigned disasm_one(const struct bpf_insn *i, uint32_t at, uint32_t n, struct buf *out);
/* The program, one instruction a line, jump targets as labels: asm_parse gives the same bytes. */
void disasm_text(const struct bpf_insn *i, uint32_t n, struct arena *scratch, struct buf *out);
