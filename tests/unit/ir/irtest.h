/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A module to test with, and shortcuts. Included by the programs of this directory. */
#pragma once
#include "ir/ir.h"
#include "skep/diag.h"
#include <linux/bpf.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct irtest {
	struct arena a, scratch;
	struct trap trap;
	struct skep_diags diags;
	struct target target;
	struct meta meta;
	struct ir_module m;
};

static inline void irtest_init(struct irtest *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->a, &t->trap);
	arena_init(&t->scratch, &t->trap);
	diags_init(&t->diags, &t->a);
	meta_init(&t->meta, &t->a);
	t->m = (struct ir_module){.a = &t->a, .scratch = &t->scratch, .trap = &t->trap,
		.diags = &t->diags, .target = &t->target, .meta = &t->meta};
}

static inline void irtest_free(struct irtest *t)
{
	arena_free(&t->scratch);
	arena_free(&t->a);
}

/* The module's text; valid until irtest_free. */
static inline const char *irtest_print(struct irtest *t)
{
	struct buf out;

	buf_init(&out, &t->a);
	ir_print_module(&t->m, &out);
	return out.p ? out.p : "";
}

static inline const char *irtest_print_fns(struct irtest *t)
{
	struct buf out;

	buf_init(&out, &t->a);
	buf_puts(&out, "");
	for (uint32_t i = 0; i < t->m.fns.n; i++) {
		for (uint32_t k = 0; k < t->m.fns.v[i]->subs.n; k++)
			ir_print_fn(t->m.fns.v[i]->subs.v[k], &out);
		ir_print_fn(t->m.fns.v[i], &out);
	}
	return out.p;
}

static inline bool irtest_parse(struct irtest *t, const char *text)
{
	uint32_t base = diags_add_source(&t->diags, "ir", text, strlen(text));

	return ir_parse(&t->m, text, strlen(text), base, NULL);
}

/* What the checker says about all functions; "" when it says nothing. */
static inline const char *irtest_check(struct irtest *t)
{
	struct buf why;

	buf_init(&why, &t->a);
	buf_puts(&why, "");
	for (uint32_t i = 0; i < t->m.fns.n; i++) {
		for (uint32_t k = 0; k < t->m.fns.v[i]->subs.n; k++)
			ir_check(t->m.fns.v[i]->subs.v[k], &why);
		ir_check(t->m.fns.v[i], &why);
	}
	return why.p;
}
