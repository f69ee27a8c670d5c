/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A compilation's front half for tests: arena, diagnostics, target, module. Never reads the host.
 */
#pragma once
#include "base/trap.h"
#include "lang/front.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

struct langtest {
	struct arena a;
	struct trap trap;
	struct skep_diags d;
	struct target t;
	struct meta meta;
	struct ir_module m;
	struct script *s;
};

/* target: a name under tests/targets without ".target", or NULL: a kernel 6.12 without anything. */
static inline void langtest_init(struct langtest *t, const char *target)
{
	const char *why = NULL;

	memset(t, 0, sizeof(*t));
	arena_init(&t->a, &t->trap);
	diags_init(&t->d, &t->a);
	meta_init(&t->meta, &t->a);
	if (target) {
		if (target_file(&t->t, &t->a,
			    arena_printf(&t->a, "tests/targets/%s.target", target), &why))
			fail_msg("target %s: %s", target, why);
	} else {
		t->t = (struct target){.a = &t->a,
			.name = "test",
			.arch = KERN_X86_64,
			.isa = 3,
			.version = KV(6, 12),
			.ncpus = 4,
			.btf_why = "none in this test"};
		target_features_by_version(&t->t);
	}
	t->m = (struct ir_module){
		.a = &t->a, .trap = &t->trap, .diags = &t->d, .target = &t->t, .meta = &t->meta};
}

static inline void langtest_free(struct langtest *t)
{
	if (t->t.btf)
		kbtf_close(t->t.btf);
	arena_free(&t->a);
}

static inline void langtest_parse(struct langtest *t, const char *text, size_t len)
{
	uint32_t base = diags_add_source(&t->d, "case", text, len);

	t->s = parse_script(&t->a, &t->d, &t->t, text, len, base);
}

static inline const char *langtest_diags(struct langtest *t)
{
	struct buf out;

	buf_init(&out, &t->a);
	diags_render_buf(&t->d, &out, false);
	return out.n ? out.p : "";
}

/* Lowers what was checked and holds the result to the rules of the IR. */
static inline void langtest_lower(struct langtest *t, const char *who)
{
	struct buf why;

	lower_script(t->s, &t->m);
	for (uint32_t i = 0; i < t->m.fns.n; i++) {
		buf_init(&why, &t->a);
		if (!ir_check(t->m.fns.v[i], &why)) {
			struct buf text;

			buf_init(&text, &t->a);
			ir_print_fn(t->m.fns.v[i], &text);
			fail_msg("%s: lowering breaks the IR:\n%s%s", who, why.p, text.p);
		}
	}
}
