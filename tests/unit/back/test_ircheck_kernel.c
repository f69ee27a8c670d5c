/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * "If it compiles, it loads": every program of tests/golden/ircheck that the checker accepts, and
 * every one of tests/golden/opt before and after all optimiser passes, goes through the back end
 * and into this machine's kernel. Skipped where the machine does not allow that, and for programs
 * that need something to attach to (struct_ops) or kfuncs.
 */
#include "backend-bpf/backend.h"
#include "backend-bpf/interp.h"
#include "tests/golden/cases.h"
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/kernel.c"

struct world {
	struct arena a, scratch;
	struct trap trap;
	struct skep_diags diags;
	struct target target;
	struct meta meta;
	struct ir_module m;
};

static void world_init(struct world *w, const struct golden *g)
{
	const struct golden_section *t = golden_find(g, "target", 0);
	unsigned major, minor;

	memset(w, 0, sizeof(*w));
	arena_init(&w->a, &w->trap);
	arena_init(&w->scratch, &w->trap);
	diags_init(&w->diags, &w->a);
	meta_init(&w->meta, &w->a);
	w->target = (struct target){.a = &w->a, .name = "case", .arch = KERN_X86_64, .isa = 3,
		.features = ~(uint64_t)0};
	if (t && sscanf(t->rest, "%u.%u", &major, &minor) == 2)
		w->target.version = major << 16 | minor << 8;
	w->m = (struct ir_module){.a = &w->a, .scratch = &w->scratch, .trap = &w->trap,
		.diags = &w->diags, .target = &w->target, .meta = &w->meta,
		.machine = &back_machine_names};
}

static void world_free(struct world *w)
{
	arena_free(&w->scratch);
	arena_free(&w->a);
}

static void optimise(struct ir_fn *f)
{
	ir_opt_fold(f);
	ir_opt_gvn(f);
	ir_opt_slot(f);
	ir_opt_fold(f);
	ir_opt_gvn(f);
	ir_opt_dce(f);
}

/* Lookups in read-only maps and the like need only the map, not its contents. */
static void load(struct world *w, const struct golden *g, uint32_t type, const char *how)
{
	struct kernel_prog k = {.a = &w->a, .meta = &w->meta, .type = type};
	struct code code = {0};
	int err;

	back_compile_fn(w->m.fns.v[0], &code);
	if (w->diags.errors || !code.n)
		fail_msg("%s (%s): %s", g->path, how,
			w->diags.list.n ? w->diags.list.v[0].message : "no code");
	err = kernel_load(&k, code.insn, code.n);
	kernel_close(&k);
	if (err)
		fail_msg("%s (%s): error %d\n%s", g->path, how, err, k.log);
}

/* False when this kernel cannot be asked. */
static bool one(const struct golden *g, const char *text, bool opt)
{
	const char *why = NULL;
	struct world w;
	struct buf out;
	uint32_t type, base;

	world_init(&w, g);
	if (setjmp(w.trap.env))
		fail_msg("%s: %s", g->path, w.trap.message);
	base = diags_add_source(&w.diags, "ir", text, strlen(text));
	buf_init(&out, &w.a);
	if (!ir_parse(&w.m, text, strlen(text), base, NULL))
		fail_msg("%s does not parse", g->path);
	type = w.meta.progs.v[0].type;
	if (w.m.kfuncs.n || type == BPF_PROG_TYPE_STRUCT_OPS || !kernel_allowed(type, &why)) {
		world_free(&w);
		return false;
	}
	for (uint32_t k = 0; k <= w.m.fns.v[0]->subs.n; k++) {
		struct ir_fn *f = w.m.fns.v[0];

		if (k < f->subs.n)
			f = f->subs.v[k];
		if (opt)
			optimise(f);
		if (!ir_check(f, &out))
			fail_msg("%s: %s", g->path, out.p);
	}
	load(&w, g, type, opt ? "optimised" : "as written");
	world_free(&w);
	return true;
}

static void run_case(void **state)
{
	const struct golden_section *ir;
	struct golden g;
	bool asked = true;

	golden_read(&g, *state);
	ir = golden_need(&g, "ir");
	if (!golden_find(&g, "error", 0))
		asked = one(&g, ir->text, false) && one(&g, ir->text, true);
	golden_free(&g);
	if (!asked)
		skip();
}

int main(void)
{
	static const char *const dirs[] = {"ircheck", "opt"};

	return golden_run("ircheck_kernel", dirs, 2, run_case);
}
