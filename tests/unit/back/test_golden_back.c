/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tests/golden/legal, isel, spill, color, emit: one pass of the back end per case.
 *   -- isa N       level of the instruction set, otherwise 3
 *   -- kernel 5.10 a target without what came later, otherwise 6.12 with everything
 *   -- ir          the text
 *   -- run PASS…   names of back_passes; "emit" last gives instructions instead of IR
 *   -- expect      what comes out
 *   -- error       the first diagnostic, instead
 * Up to back_legal the IR checker runs before and after; after pcopy back_verify_alloc does. What
 * comes out is read and printed again.
 */
#include "backend-bpf/backend.h"
#include "tests/golden/cases.h"
#include "tests/unit/ir/irtest.h"
#include <stdlib.h>

static void set_target(struct irtest *t, struct golden *g)
{
	const struct golden_section *isa = golden_find(g, "isa", 0);
	const struct golden_section *kernel = golden_find(g, "kernel", 0);
	unsigned major = 0, minor = 0;

	t->m.machine = &back_machine_names;
	t->target = (struct target){.a = &t->a, .name = "test", .arch = KERN_X86_64,
		.isa = isa ? atoi(isa->rest) : 3, .version = 0x060c00, .features = ~0ull};
	if (!kernel)
		return;
	if (sscanf(kernel->rest, "%u.%u", &major, &minor) != 2)
		fail_msg("%s: bad kernel", g->path);
	t->target.version = major << 16 | minor << 8;
	target_features_by_version(&t->target);
}

static void must_check(struct golden *g, const struct ir_fn *f, const char *after)
{
	struct buf why;

	buf_init(&why, &g->a);
	buf_puts(&why, "");
	if (!f->machine && !ir_check(f, &why))
		fail_msg("%s: after %s:\n%s", g->path, after, why.p);
	if (f->machine && !strcmp(after, "pcopy") && !back_verify_alloc(f, &why))
		fail_msg("%s: %s", g->path, why.p);
}

static void emit(struct irtest *t, struct ir_fn *f, struct buf *out)
{
	struct code code;

	back_emit(f, &code);
	disasm_text(code.insn, code.n, &t->a, out);
	for (uint32_t k = 0; k < code.relocs.n; k++) {
		static const char *const names[] = {"map", "value", "kfunc", "field", "func"};
		const struct code_reloc *r = &code.relocs.v[k];

		buf_printf(out, "; %u: %s %u+%u\n", r->insn, names[r->kind], r->index, r->add);
	}
}

static void run_passes(struct irtest *t, struct golden *g, struct ir_fn *f, struct buf *out)
{
	char *list = arena_strdup(&g->a, golden_need(g, "run")->rest), *save = NULL, *name;

	must_check(g, f, "reading");
	for (name = strtok_r(list, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		unsigned k = 0;

		if (!strcmp(name, "emit")) {
			emit(t, f, out);
			return;
		}
		while (k < back_npasses && strcmp(back_passes[k].name, name))
			k++;
		if (k == back_npasses)
			fail_msg("%s: no pass '%s'", g->path, name);
		back_passes[k].run(f);
		arena_free(&t->scratch);
		must_check(g, f, name);
	}
	ir_print_fn(f, out);
}

/* What was printed reads and prints the same again, with the declarations before it. */
static void round_trip(struct irtest *t, struct golden *g)
{
	struct buf once, twice;
	struct irtest again;

	buf_init(&once, &t->a);
	buf_init(&twice, &t->a);
	ir_print_module(&t->m, &once);
	irtest_init(&again);
	set_target(&again, g);
	if (setjmp(again.trap.env))
		fail_msg("%s: %s", g->path, again.trap.message);
	if (!ir_parse(&again.m, once.p, once.n, diags_add_source(&again.diags, "ir", once.p, once.n),
		&back_machine_names))
		fail_msg("%s: does not parse: %s\n%s", g->path, again.diags.list.v[0].message, once.p);
	ir_print_module(&again.m, &twice);
	if (strcmp(once.p, twice.p))
		fail_msg("%s: printing again differs:\n%s---\n%s", g->path, once.p, twice.p);
	irtest_free(&again);
}

static void run_case(void **state)
{
	const struct golden_section *ir;
	struct irtest t;
	struct golden g;
	struct buf out;

	golden_read(&g, *state);
	irtest_init(&t);
	set_target(&t, &g);
	buf_init(&out, &t.a);
	buf_puts(&out, "");
	if (setjmp(t.trap.env))
		fail_msg("%s: %s", g.path, t.trap.message);
	ir = golden_need(&g, "ir");
	if (!ir_parse(&t.m, ir->text, strlen(ir->text),
		diags_add_source(&t.diags, "ir", ir->text, strlen(ir->text)), &back_machine_names))
		fail_msg("%s: %s", g.path, t.diags.list.v[0].message);
	for (uint32_t i = 0; i < t.m.fns.n; i++) {
		for (uint32_t k = 0; k < t.m.fns.v[i]->subs.n; k++)
			run_passes(&t, &g, t.m.fns.v[i]->subs.v[k], &out);
		run_passes(&t, &g, t.m.fns.v[i], &out);
	}
	if (golden_find(&g, "error", 0)) {
		assert_true(t.diags.list.n > 0);
		golden_expect(&g, "error", arena_printf(&t.a, "%s\n", t.diags.list.v[0].message));
	} else {
		assert_int_equal(t.diags.list.n, 0);
		golden_expect(&g, "expect", out.p);
		round_trip(&t, &g);
	}
	irtest_free(&t);
	golden_free(&g);
}

int main(void)
{
	static const char *const dirs[] = {"legal", "isel", "spill", "color", "emit"};

	return golden_run("golden_back", dirs, 5, run_case);
}
