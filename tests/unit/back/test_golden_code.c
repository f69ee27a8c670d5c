/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tests/golden/code: the instructions that a function in IR becomes, one test per file.
 *   -- ir     the text; optimised as it stands
 *   -- asm    expected
 */
#include "backend-bpf/backend.h"
#include "tests/golden/cases.h"
#include "tests/unit/ir/irtest.h"

static void compile(struct irtest *t, struct golden *g)
{
	struct code code;
	struct buf why, out;

	buf_init(&out, &t->a);
	buf_init(&why, &t->a);
	buf_puts(&why, "");
	for (uint32_t i = 0; i < t->m.fns.n; i++) {
		if (!ir_check(t->m.fns.v[i], &why))
			fail_msg("%s: not accepted:\n%s", g->path, why.p);
		back_compile_fn(t->m.fns.v[i], &code);
		assert_int_equal(t->diags.errors, 0);
		disasm_text(code.insn, code.n, &t->a, &out);
	}
	golden_expect(g, "asm", out.p);
}

static void run_case(void **state)
{
	struct irtest t;
	struct golden g;

	golden_read(&g, *state);
	irtest_init(&t);
	t.m.machine = &back_machine_names;
	t.target = (struct target){.a = &t.a, .name = "test", .arch = KERN_X86_64, .isa = 3,
		.features = ~0ull};
	if (setjmp(t.trap.env))
		fail_msg("%s: %s", g.path, t.trap.message);
	if (!irtest_parse(&t, golden_need(&g, "ir")->text))
		fail_msg("%s: %s", g.path, t.diags.list.v[0].message);
	compile(&t, &g);
	irtest_free(&t);
	golden_free(&g);
}

int main(void)
{
	static const char *const dirs[] = {"code"};

	return golden_run("golden_code", dirs, 1, run_case);
}
