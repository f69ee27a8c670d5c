/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Limits of code: jumps of more than 16 bits, full frames, line records, time for large functions. */
#include "backend-bpf/backend.h"
#include "tests/unit/ir/irtest.h"
#include <time.h>

static void setup(struct irtest *t)
{
	irtest_init(t);
	t->m.machine = &back_machine_names;
	t->target = (struct target){.a = &t->a, .name = "test", .arch = KERN_X86_64, .isa = 3,
		.version = 0x060c00, .features = ~0ull};
}

/* A branch over n additions, each of which needs its own instruction. */
static void branch_over(struct irtest *t, unsigned n, struct code *code)
{
	struct ir_fn *f;
	ir_val x;
	ir_blk far, near;

	if (setjmp(t->trap.env))
		fail_msg("%s", t->trap.message);
	f = ir_fn_new(&t->m, "far", CTX_PT_REGS);
	far = ir_block_new(f);
	near = ir_block_new(f);
	x = ir_ldctx(f, 8, 0, IR_I64);
	ir_if(f, CC_EQ, x, ir_const(f, 0), far, near);
	ir_at(f, near);
	for (unsigned i = 0; i < n; i++)
		x = ir_bini(f, i & 1 ? IR_ADD : IR_MUL, x, 3);
	ir_ret(f, x);
	ir_at(f, far);
	ir_ret(f, ir_const(f, 5));
	ir_finish(f);
	back_compile_fn(f, code);
}

static void test_jump_distance(void **state)
{
	struct irtest t;
	struct code code;

	(void)state;
	setup(&t);
	branch_over(&t, 32000, &code);
	assert_int_equal(t.diags.errors, 0);
	assert_true(code.n > 32000);
	irtest_free(&t);

	setup(&t);
	branch_over(&t, 33000, &code);
	assert_int_equal(t.diags.errors, 1);
	assert_int_equal(t.diags.list.v[0].id, DIAG_TOO_BIG);
	irtest_free(&t);
}

/* n numbers from the context, all wanted after a call. */
static void keep_over_call(struct irtest *t, unsigned n, struct code *code)
{
	struct ir_fn *f;
	ir_val v[80], sum;

	if (setjmp(t->trap.env))
		fail_msg("%s", t->trap.message);
	f = ir_fn_new(&t->m, "keep", CTX_PT_REGS);
	for (unsigned i = 0; i < n; i++)
		v[i] = ir_ldctx(f, 8, 8 * i, IR_I64);
	sum = ir_call(f, "ktime_get_ns", IR_VOID, 0, NULL);
	for (unsigned i = 0; i < n; i++)
		sum = ir_bin(f, IR_ADD, sum, v[i]);
	ir_ret(f, sum);
	ir_finish(f);
	back_compile_fn(f, code);
}

static void test_full_frame(void **state)
{
	struct irtest t;
	struct code code;

	(void)state;
	setup(&t);
	keep_over_call(&t, 4 + 64, &code);
	assert_int_equal(t.diags.errors, 0);
	assert_int_equal(code.stack, 512);
	assert_int_equal(code.spills, 64);
	irtest_free(&t);

	setup(&t);
	keep_over_call(&t, 4 + 65, &code);
	assert_int_equal(t.diags.errors, 1);
	assert_int_equal(t.diags.list.v[0].id, DIAG_TOO_BIG);
	assert_non_null(t.diags.list.v[0].hint);
	assert_int_equal(code.n, 0);
	irtest_free(&t);
}

static void test_lines(void **state)
{
	static const char text[] = "one two three";
	struct irtest t;
	struct code code;
	uint32_t base;
	struct ir_fn *f;
	ir_val x;

	(void)state;
	setup(&t);
	base = diags_add_source(&t.diags, "script", text, strlen(text));
	f = ir_fn_new(&t.m, "lines", CTX_PT_REGS);
	ir_span(f, (struct skep_span){base, 3});
	x = ir_ldctx(f, 8, 0, IR_I64);
	ir_span(f, (struct skep_span){base + 4, 3});
	x = ir_bini(f, IR_ADD, x, 1);
	x = ir_bini(f, IR_MUL, x, 3);
	ir_span(f, (struct skep_span){base + 8, 5});
	ir_ret(f, x);
	ir_finish(f);
	back_compile_fn(f, &code);
	assert_int_equal(code.lines.n, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(code.lines.v[i].span.off, base + 4 * i);
	assert_int_equal(code.lines.v[0].insn, 0);
	assert_int_equal(code.lines.v[1].insn, 1);
	assert_int_equal(code.lines.v[2].insn, 3);
	irtest_free(&t);
}

/* 40 numbers alive through 5 000 instructions with a call every 16. */
static void test_time(void **state)
{
	clock_t start = clock();
	struct irtest t;
	struct code code;
	struct ir_fn *f;
	ir_val v[40];

	(void)state;
	setup(&t);
	if (setjmp(t.trap.env))
		fail_msg("%s", t.trap.message);
	f = ir_fn_new(&t.m, "large", CTX_PT_REGS);
	for (unsigned i = 0; i < 40; i++)
		v[i] = ir_ldctx(f, 8, 8 * i, IR_I64);
	for (unsigned i = 0; i < 5000; i++) {
		v[i % 40] = ir_bin(f, IR_ADD, v[(i + 39) % 40], v[i % 40]);
		if (i % 16 == 0)
			ir_call(f, "ktime_get_ns", IR_VOID, 0, NULL);
	}
	for (unsigned i = 1; i < 40; i++)
		v[0] = ir_bin(f, IR_XOR, v[0], v[i]);
	ir_ret(f, v[0]);
	ir_finish(f);
	back_compile_fn(f, &code);
	assert_int_equal(t.diags.errors, 0);
	/* a tenth of this is usual; sanitizers are slow */
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	irtest_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jump_distance),
		cmocka_unit_test(test_full_frame),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
