/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by print.c and parse.c. */
#pragma once
#include "ir/ir.h"

const char *ir_map_type_text(uint32_t type);	/* NULL unknown */
int ir_map_type_by_text(const char *text);	/* -1 unknown */
/* "task_struct.pid"; "#2" for the second field of that name (another type, say). */
void ir_print_field(const struct ir_module *m, uint32_t field, struct buf *out);

/* Numbers as the text form gives them, + 1; 0: not shown. */
struct ir_numbers {
	uint32_t *val, *blk;
};
struct ir_numbers ir_number(const struct ir_fn *f, struct arena *a);
