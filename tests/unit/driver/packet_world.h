/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A packet script compiled in memory, ready for the interpreter and for the kernel. */
#pragma once
#include "backend-bpf/interp.h"
#include "driver/driver.h"
#include "lang/lang.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define PACKET_MAX 4608

struct compiled {
	struct arena a;
	struct trap trap;
	struct skep_diags diags;
	struct target target;
	struct meta meta;
	struct ir_module m;
	struct code code;
	struct interp in;
	uint8_t packet[PACKET_MAX];
};

static void passes_of(struct compiled *c)
{
	struct ir_fn *f = c->m.fns.v[0];
	struct buf why;

	buf_init(&why, &c->a);
	for (unsigned i = 0; i < npasses; i++) {
		if (!f->machine && !ir_check(f, &why))
			fail_msg("%s: %s", passes[i].name, why.p);
		passes[i].run(f);
	}
	back_emit(f, &c->code);
	for (uint32_t i = 0; i < c->code.relocs.n; i++) {
		const struct code_reloc *r = &c->code.relocs.v[i];

		c->code.insn[r->insn].src_reg =
			r->kind == CR_MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		c->code.insn[r->insn].imm = (int32_t)r->index;
		c->code.insn[r->insn + 1].imm = r->kind == CR_MAP ? 0 : (int32_t)r->add;
	}
}

static uint32_t hook_of(const char *script)
{
	return strstr(script, "cgroup_skb:") ? BPF_PROG_TYPE_CGROUP_SKB
	       : strstr(script, "tc:")	     ? BPF_PROG_TYPE_SCHED_CLS
					     : BPF_PROG_TYPE_XDP;
}

/* counted: packets and bytes of each rule. */
static void compile_as(struct compiled *c, const char *script, enum kern_arch arch, bool counted)
{
	struct lang_options o = {.count_rules = counted};
	struct buf text;

	memset(c, 0, sizeof(*c));
	arena_init(&c->a, &c->trap);
	if (setjmp(c->trap.env))
		fail_msg("%s: %s", script, c->trap.message);
	diags_init(&c->diags, &c->a);
	meta_init(&c->meta, &c->a);
	c->target = (struct target){.a = &c->a, .name = "test", .arch = arch, .version = 0x060100,
		.isa = 3, .features = ~0ull};
	c->m = (struct ir_module){.a = &c->a, .trap = &c->trap, .diags = &c->diags,
		.target = &c->target, .meta = &c->meta};
	if (lang_compile(&c->m, "test", script, strlen(script), &o) || c->diags.errors) {
		buf_init(&text, &c->a);
		diags_render_buf(&c->diags, &text, false);
		fail_msg("%s", text.p);
	}
	passes_of(c);
	c->in = (struct interp){.a = &c->a, .insn = c->code.insn, .n = c->code.n, .meta = &c->meta,
		.packet = c->packet, .packet_cap = PACKET_MAX, .prog_type = hook_of(script)};
	interp_init(&c->in);
}

static void compile(struct compiled *c, const char *script, enum kern_arch arch)
{
	compile_as(c, script, arch, false);
}
