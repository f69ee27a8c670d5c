/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where things stand in an object: programs in code sections, maps in data sections. The writers
 * of BTF (btfw.c) and of ELF (elf.c) both ask here, so their offsets cannot disagree.
 */
#pragma once
#include "backend-bpf/backend.h"

#define OBJ_MAP_BYTES 40 /* an entry of .maps: five pointers, one per attribute */

enum obj_sec_kind {
	OBJ_CODE,
	OBJ_MAPS,  /* .maps: what helpers are given */
	OBJ_BSS,   /* the rest: values that instructions address directly, one map a section */
	OBJ_DATA,
	OBJ_RODATA,
	OBJ_OPS,   /* .struct_ops.link */
	OBJ_TEXT,  /* .text: functions that programs hand to helpers */
};

struct obj_sec {
	const char *name;
	enum obj_sec_kind kind;
	uint32_t size; /* bytes */
	uint32_t map;  /* BSS DATA RODATA: the map; else META_NONE */
};

struct obj_layout {
	VEC(struct obj_sec) secs; /* code first, in order of first use */
	uint32_t *prog_sec, *prog_off; /* per program; bytes */
	uint32_t text; /* section .text; META_NONE when there is none */
	uint32_t *text_off; /* per program: its first function there */
	uint32_t *map_sec, *map_off;   /* per map; META_NONE for struct_ops maps */
	uint32_t *ops_off;	       /* per meta.ops row, in .struct_ops.link */
};

/* Bytes of the local struct of a struct_ops variable: 8 a callback or number, text as it is. */
struct obj_member {
	uint32_t off, size;
	uint32_t kind; /* BTF_KIND_INT, _PTR (callback), _ARRAY (text) */
	bool is_signed;
};
uint32_t obj_ops_layout(const struct ir_module *m, const struct meta_ops *o, struct arena *a,
	struct obj_member **members);

/* Instructions of the program itself: the functions it hands to helpers lie behind. */
static inline uint32_t code_main(const struct code *c)
{
	return c->fns.n ? c->fns.v[0].start : c->n;
}
/* Where instruction insn of program i is: its section, and the offset there in *off. */
uint32_t obj_place(const struct obj_layout *l, const struct code *code, uint32_t i, uint32_t insn,
	uint32_t *off);

void obj_layout(const struct ir_module *m, const struct code *code, struct obj_layout *l);
