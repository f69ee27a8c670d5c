/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments of statically defined probes: a register, a constant, a place in memory. */
#include "lang/lower.h"
#include "kern/usdt.h"

static ir_val reg(struct lower *L, int off)
{
	return ir_ldctx(L->f, 8, off, IR_I64);
}

ir_val lo_usdt_arg(struct lower *L, unsigned n)
{
	struct usdt_arg a;
	const char *why;
	ir_val v;

	if (!usdt_arg_parse(L->m->target->arch, L->ap->usdt_args, n, &a, &why))
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: argument %u of %s: %s", n, L->ap->name,
			why);
	if (a.kind == UA_CONST)
		return ir_const(L->f, a.num);
	v = reg(L, a.reg);
	if (a.kind == UA_MEM) {
		v = ir_bini(L->f, IR_ADD, v, a.num);
		if (a.index >= 0)
			v = ir_bin(L->f, IR_ADD, v,
				ir_bini(L->f, IR_MUL, reg(L, a.index), a.scale));
		v = lo_read_number(L, v, a.size, SPACE_USER);
	}
	return lo_extend(L, v, a.size, a.is_signed);
}
