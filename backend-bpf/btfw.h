/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* BTF under construction: types get ids 1, 2, … in the order they are put. For btfw.c, corew.c. */
#pragma once
#include "backend-bpf/objsec.h"

struct btfw_array {
	uint32_t elem, nelems, id;
};
struct btfw_field {
	uint32_t root;	    /* type of the struct the path starts from; 0: nobody refers to it */
	const char *access; /* "0:1:2" */
};

struct btfw {
	struct arena *a;
	struct ir_module *m;
	const struct code *code;
	struct obj_layout l;
	struct buf types, strs;
	struct smap str_off; /* text -> offset + 1 */
	uint32_t n;	     /* types so far */
	uint32_t ints[2][4]; /* by sign and log2 of bytes; 0 not yet */
	uint32_t ptr_void;
	uint32_t *func;	     /* per program: its FUNC */
	uint32_t *subs;	     /* per program: FUNC of the first of its functions, the others follow */
	VEC(struct btfw_array) arrays;
	VEC(struct btfw_field) fields; /* per ir_module.fields row */
	struct btfw_line {	       /* the script's line looked up last; places mostly go forward */
		const struct meta_source *source;
		uint32_t start, end, line; /* bytes into the text; counted from 1 */
		uint32_t file, text;	   /* as strings of the BTF */
	} at;
};

uint32_t btfw_str(struct btfw *w, const char *s, size_t n);
/* Head of a type: name, kind, vlen, size or type. What follows it is put with btfw_word. */
uint32_t btfw_type(struct btfw *w, const char *name, uint32_t kind, uint32_t vlen, uint32_t word);
void btfw_word(struct btfw *w, uint32_t v);
uint32_t btfw_int(struct btfw *w, uint32_t size, bool is_signed);
uint32_t btfw_array(struct btfw *w, uint32_t elem, uint32_t n);
uint32_t btfw_chars(struct btfw *w, uint32_t n); /* char[n] */

/* corew.c: local structs for the kernel fields of a portable object; fills w->fields. */
void btfw_core_types(struct btfw *w);
