/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tests/golden/irparse, ircheck, opt: one test per file.
 *   -- target KERNEL ARCH   6.12 or 5.10 …; riscv64 …; both optional, as is the section
 *   -- ir                   the text
 *   -- run PASS…            fold gvn slot dce; the checker runs before and after each
 *   -- expect               the functions printed (irparse: the whole module)
 *   -- error                what the parser or the checker says; ircheck without it: accepted
 */
#include "tests/unit/ir/irtest.h"
#include "tests/golden/cases.h"
#include <stdlib.h>

static const struct {
	const char *name;
	void (*run)(struct ir_fn *f);
} passes[] = {
	{"fold", ir_opt_fold},
	{"gvn", ir_opt_gvn},
	{"slot", ir_opt_slot},
	{"dce", ir_opt_dce},
};

static void set_target(struct irtest *t, struct golden *g)
{
	const struct golden_section *s = golden_find(g, "target", 0);
	unsigned major, minor;
	char arch[32] = "";

	if (!s)
		return;
	if (sscanf(s->rest, "%u.%u %31s", &major, &minor, arch) < 2)
		fail_msg("%s: bad target", g->path);
	t->target.version = major << 16 | minor << 8;
	t->target.arch = kern_arch_by_name(arch);
}

static const char *parse_errors(struct irtest *t)
{
	struct buf out;

	buf_init(&out, &t->a);
	for (uint32_t i = 0; i < t->diags.list.n; i++) {
		struct diag_pos at = diag_locate(&t->diags, t->diags.list.v[i].at[0].off);

		buf_printf(&out, "%u:%u: %s\n", at.line, at.col, t->diags.list.v[i].message);
	}
	return out.p ? out.p : "";
}

/* Whatever was read and printed reads and prints the same again. */
static void round_trip(struct irtest *t, const char *path)
{
	const char *once = irtest_print(t), *twice;
	struct irtest again;

	irtest_init(&again);
	if (!irtest_parse(&again, once))
		fail_msg("%s: printed text does not parse:\n%s%s", path, once, parse_errors(&again));
	twice = irtest_print(&again);
	if (strcmp(once, twice))
		fail_msg("%s: printing again differs:\n%s---\n%s", path, once, twice);
	irtest_free(&again);
}

static void run_pass(struct irtest *t, struct golden *g, const char *name)
{
	const char *why;

	for (size_t p = 0; p < sizeof(passes) / sizeof(*passes); p++) {
		if (strcmp(passes[p].name, name))
			continue;
		for (uint32_t i = 0; i < t->m.fns.n; i++) {
			struct ir_fn *f = t->m.fns.v[i];

			for (uint32_t k = 0; k < f->subs.n; k++)
				passes[p].run(f->subs.v[k]);
			passes[p].run(f);
		}
		why = irtest_check(t);
		if (*why)
			fail_msg("%s: after %s:\n%s%s", g->path, name, why, irtest_print(t));
		return;
	}
	fail_msg("%s: no pass '%s'", g->path, name);
}

static void run_passes(struct irtest *t, struct golden *g, const struct golden_section *s)
{
	char *list = arena_strdup(&g->a, s->rest), *save, *name;
	const char *why = irtest_check(t);

	if (*why)
		fail_msg("%s: before the passes:\n%s", g->path, why);
	for (name = strtok_r(list, " ", &save); name; name = strtok_r(NULL, " ", &save))
		run_pass(t, g, name);
}

static void run_case(void **state)
{
	const struct golden_section *ir, *run;
	struct irtest t;
	struct golden g;
	bool parsed, expect, error;

	golden_read(&g, *state);
	irtest_init(&t);
	set_target(&t, &g);
	if (setjmp(t.trap.env))
		fail_msg("%s: %s", g.path, t.trap.message);
	ir = golden_need(&g, "ir");
	run = golden_find(&g, "run", 0);
	expect = golden_find(&g, "expect", 0) != NULL;
	error = golden_find(&g, "error", 0) != NULL;
	parsed = irtest_parse(&t, ir->text);
	if (!parsed && !error)
		fail_msg("%s: %s", g.path, parse_errors(&t));
	if (parsed)
		round_trip(&t, g.path);
	if (parsed && run)
		run_passes(&t, &g, run);
	if (!parsed)
		golden_expect(&g, "error", parse_errors(&t));
	else if (error)
		golden_expect(&g, "error", irtest_check(&t));
	else if (!run && *irtest_check(&t) && strstr(g.path, "/ircheck/"))
		fail_msg("%s: not accepted:\n%s", g.path, irtest_check(&t));
	if (parsed && expect)
		golden_expect(&g, "expect", run ? irtest_print_fns(&t) : irtest_print(&t));
	irtest_free(&t);
	golden_free(&g);
}

int main(void)
{
	static const char *const dirs[] = {"irparse", "ircheck", "opt"};

	return golden_run("golden_ir", dirs, 3, run_case);
}
