/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments of statically defined probes, as .note.stapsdt spells them. */
#pragma once
#include "kern/target.h"

struct usdt_arg {
	enum { UA_CONST, UA_REG, UA_MEM } kind;
	uint32_t size; /* bytes 1 2 4 8 */
	bool is_signed;
	int64_t num;	/* CONST: the value; MEM: distance from the registers */
	int reg, index; /* offsets in pt_regs; index -1: none */
	uint32_t scale; /* MEM: what index counts for */
};
/* Arguments in "8@%rdi -4@$5". */
unsigned usdt_arg_count(const char *args);
/* The n-th of them; false and *why when it is not understood. */
bool usdt_arg_parse(enum kern_arch arch, const char *args, unsigned n, struct usdt_arg *out,
	const char **why);
