/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What code, maps and programs need of a kernel: written into objects, checked before loading. */
#include "kern/kern.h"
#include <linux/bpf.h>

#define BIT(f) (1ull << (f))

static uint64_t alu_needs(const struct bpf_insn *x)
{
	unsigned op = BPF_OP(x->code);

	/* off selects the signed forms; byte swaps of 64-bit class came with them */
	if (x->off || (BPF_CLASS(x->code) == BPF_ALU64 && op == BPF_END))
		return BIT(KF_CPU_V4);
	return 0;
}

static uint64_t insn_needs(const struct bpf_insn *x)
{
	switch (BPF_CLASS(x->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		return alu_needs(x);
	case BPF_JMP32:
		return x->code == (BPF_JMP32 | BPF_JA) ? BIT(KF_CPU_V4) : BIT(KF_JMP32);
	case BPF_JMP:
		return x->code == (BPF_JMP | BPF_CALL) && x->src_reg == BPF_PSEUDO_KFUNC_CALL
			       ? BIT(KF_KFUNC)
			       : 0;
	case BPF_LDX:
		return BPF_MODE(x->code) == 0x80 ? BIT(KF_CPU_V4) : 0; /* BPF_MEMSX */
	case BPF_STX:
		return BPF_MODE(x->code) == BPF_ATOMIC && x->imm != BPF_ADD ? BIT(KF_ATOMICS) : 0;
	default:
		return 0;
	}
}

uint64_t kern_code_needs(const struct bpf_insn *x, uint32_t n, uint32_t *helper)
{
	uint64_t needs = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct kern_helper *h, *last = kern_helper_by_id(*helper);
		bool call = x[i].code == (BPF_JMP | BPF_CALL) && !x[i].src_reg;

		needs |= insn_needs(&x[i]);
		h = call ? kern_helper_by_id((uint32_t)x[i].imm) : NULL;
		if (h && (!last || h->since > last->since))
			*helper = h->id;
		i += x[i].code == (BPF_LD | BPF_IMM | BPF_DW); /* two slots */
	}
	return needs;
}

uint64_t kern_map_needs(uint32_t type)
{
	switch (type) {
	case BPF_MAP_TYPE_RINGBUF:
		return BIT(KF_RINGBUF);
	case BPF_MAP_TYPE_TASK_STORAGE:
		return BIT(KF_TASK_STORAGE);
	case BPF_MAP_TYPE_STRUCT_OPS:
		return BIT(KF_STRUCT_OPS) | BIT(KF_BTF);
	default:
		return 0;
	}
}

uint64_t kern_prog_needs(uint32_t type)
{
	switch (type) {
	case BPF_PROG_TYPE_RAW_TRACEPOINT: /* BEGIN and END */
		return BIT(KF_RAW_TP_TEST_RUN);
	case BPF_PROG_TYPE_TRACING:
		return BIT(KF_BTF);
	default:
		return 0;
	}
}
