/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables of operations, conditions, and what constants evaluate to at the edges. */
#include "tests/unit/ir/irtest.h"

#define MIN64 ((uint64_t)1 << 63)
#define MIN32 ((uint64_t)1 << 31)
#define M1 UINT64_MAX

static void test_divisions(void **state)
{
	(void)state;
	assert_int_equal(ir_eval(IR_UDIV, false, 7, 0), 0);
	assert_int_equal(ir_eval(IR_UMOD, false, 7, 0), 7);
	assert_int_equal(ir_eval(IR_SDIV, false, 7, 0), 0);
	assert_int_equal(ir_eval(IR_SMOD, false, (uint64_t)-7, 0), (uint64_t)-7);
	assert_int_equal(ir_eval(IR_SDIV, false, MIN64, M1), MIN64);
	assert_int_equal(ir_eval(IR_SMOD, false, MIN64, M1), 0);
	assert_int_equal(ir_eval(IR_SDIV, false, (uint64_t)-7, 2), (uint64_t)-3);
	assert_int_equal(ir_eval(IR_SMOD, false, (uint64_t)-7, 2), (uint64_t)-1);
	assert_int_equal(ir_eval(IR_SMOD, false, 7, (uint64_t)-2), 1);
	assert_int_equal(ir_eval(IR_UDIV, false, M1, 2), INT64_MAX);
	assert_int_equal(ir_eval(IR_SDIV, true, MIN32, 0xffffffff), MIN32);
	assert_int_equal(ir_eval(IR_SMOD, true, MIN32, 0xffffffff), 0);
	assert_int_equal(ir_eval(IR_SDIV, true, 0xfffffff9, 2), 0xfffffffd);
	assert_int_equal(ir_eval(IR_UDIV, true, 0x100000007, 0x100000000), 0);
	assert_int_equal(ir_eval(IR_UMOD, true, 0x100000007, 0x100000000), 7);
}

static void test_shifts(void **state)
{
	(void)state;
	assert_int_equal(ir_eval(IR_SHL, false, 1, 63), MIN64);
	assert_int_equal(ir_eval(IR_SHL, false, 1, 64), 1);
	assert_int_equal(ir_eval(IR_SHL, true, 1, 32), 1);
	assert_int_equal(ir_eval(IR_SHL, true, 3, 31), MIN32);
	assert_int_equal(ir_eval(IR_LSHR, false, M1, 65), INT64_MAX);
	assert_int_equal(ir_eval(IR_LSHR, true, M1, 33), INT32_MAX);
	assert_int_equal(ir_eval(IR_ASHR, false, MIN64, 63), M1);
	assert_int_equal(ir_eval(IR_ASHR, false, MIN64, 0), MIN64);
	assert_int_equal(ir_eval(IR_ASHR, false, 5, 1), 2);
	assert_int_equal(ir_eval(IR_ASHR, true, MIN32, 31), 0xffffffff);
	assert_int_equal(ir_eval(IR_ASHR, true, MIN32, 32), MIN32);
}

static void test_unary(void **state)
{
	(void)state;
	assert_int_equal(ir_eval(IR_NEG, false, MIN64, 0), MIN64);
	assert_int_equal(ir_eval(IR_NEG, true, 1, 0), 0xffffffff);
	assert_int_equal(ir_eval(IR_BSWAP16, false, 0xaabbccdd11223344, 0), 0x4433);
	assert_int_equal(ir_eval(IR_BSWAP32, false, 0xaabbccdd11223344, 0), 0x44332211);
	assert_int_equal(ir_eval(IR_BSWAP64, false, 0xaabbccdd11223344, 0), 0x44332211ddccbbaa);
	assert_int_equal(ir_eval(IR_SEXT8, false, 0x80, 0), (uint64_t)-128);
	assert_int_equal(ir_eval(IR_SEXT8, true, 0x80, 0), 0xffffff80);
	assert_int_equal(ir_eval(IR_SEXT16, false, 0x18000, 0), (uint64_t)-32768);
	assert_int_equal(ir_eval(IR_SEXT32, false, 0x80000000, 0), 0xffffffff80000000);
	assert_int_equal(ir_eval(IR_ZEXT32, false, M1, 0), 0xffffffff);
	assert_int_equal(ir_eval(IR_TRUNC, false, 0x1ffffffff, 0), 0xffffffff);
	assert_int_equal(ir_eval(IR_WIDE, true, 0xffffffff, 0), 0xffffffff);
}

static void test_conditions(void **state)
{
	static const uint64_t x[] = {0, 1, 2, MIN32, 0xffffffff, 0x100000000, INT64_MAX, MIN64, M1};

	(void)state;
	for (size_t i = 0; i < sizeof(x) / sizeof(*x); i++) {
		for (size_t j = 0; j < sizeof(x) / sizeof(*x); j++) {
			for (unsigned k = 0; k < 2 * CC_COUNT; k++) {
				enum ir_cc cc = k / 2;
				bool w32 = k & 1, is = ir_eval_cc(cc, w32, x[i], x[j]);

				assert_int_equal(is, ir_eval_cc(ir_cc_swap(cc), w32, x[j], x[i]));
				if (cc != CC_SET)
					assert_int_equal(is, !ir_eval_cc(ir_cc_not(cc), w32, x[i], x[j]));
			}
		}
	}
	assert_true(ir_eval_cc(CC_SLT, true, 0xffffffff, 0));
	assert_false(ir_eval_cc(CC_SLT, false, 0xffffffff, 0));
	assert_true(ir_eval_cc(CC_EQ, true, 0x100000000, 0));
	assert_false(ir_eval_cc(CC_SET, true, 0x100000000, 0x100000000));
	assert_true(ir_eval_cc(CC_SET, false, 6, 2));
}

/* Rows are in the order of the enum and say something. */
static void test_tables(void **state)
{
	(void)state;
	assert_string_equal(ir_op_row(IR_KCALL)->text, "kcall");
	assert_string_equal(ir_op_row(IR_ADD)->text, "add");
	assert_string_equal(ir_term_row(IRN_RET)->text, "ret");
	assert_string_equal(ir_cc_text(CC_SGE), "sge");
	assert_string_equal(ir_atomic_text(AT_XCHG), "xchg");
	for (unsigned op = 0; op < IR_OP_COUNT; op++) {
		const struct ir_op_row *row = ir_op_row(op);

		assert_true(row->flags & (OF_P | OF_A | OF_M | OF_W));
		for (unsigned other = 0; other < op; other++)
			assert_string_not_equal(row->text, ir_op_row(other)->text);
	}
}

static void test_types(void **state)
{
	struct ir_type m8 = ir_ptr(IRT_MAPV, 8), m16 = ir_ptr(IRT_MAPV, 16);

	(void)state;
	assert_true(ir_type_fits(m16, m8));
	assert_false(ir_type_fits(m8, m16));
	assert_true(ir_type_fits(m8, ir_nullable(m8)));
	assert_false(ir_type_fits(ir_nullable(m8), m8));
	assert_true(ir_type_fits(ir_range(7), IR_I64));
	assert_false(ir_type_fits(IR_I64, ir_range(UINT64_MAX - 1)));
	assert_false(ir_type_fits(IR_I32, IR_I64));
	assert_false(ir_type_fits(ir_ptr(IRT_REC, 16), m8));
	assert_int_equal(ir_proven(IRN_NEED, ir_ptr(IRT_PKT, 20), 14).n, 20);
	assert_int_equal(ir_proven(IRN_NEED, ir_ptr(IRT_PKT, 0), 14).n, 14);
	assert_int_equal(ir_proven(IRN_BOUND, IR_I64, 64).hi, 63);
	assert_int_equal(ir_proven(IRN_BOUND, ir_range(9), 64).hi, 9);
	assert_true(ir_type_eq(ir_proven(IRN_SOME, ir_nullable(m8), 0), m8));
}

/* Whatever the operands, the result lies in the range the type gives. */
static void test_ranges(void **state)
{
	static const uint64_t his[] = {0, 1, 5, 63, 64, 255, 0xffffffff, 0x100000000, MIN64, M1};
	static const enum ir_op ops[] = {IR_ADD, IR_SUB, IR_MUL, IR_UDIV, IR_UMOD, IR_SDIV, IR_SMOD,
		IR_AND, IR_OR, IR_XOR, IR_SHL, IR_LSHR, IR_ASHR};
	const size_t n = sizeof(his) / sizeof(*his);
	struct irtest t;
	struct ir_fn *f;

	(void)state;
	irtest_init(&t);
	f = ir_fn_new(&t.m, "ranges", CTX_PT_REGS);
	for (size_t k = 0; k < sizeof(ops) / sizeof(*ops); k++) {
		for (size_t i = 0; i < n * n; i++) {
			uint64_t x = his[i / n], y = his[i % n];
			ir_val a = ir_new_ins(f, (struct ir_ins){.op = IR_PARAM, .type = ir_range(x)});
			ir_val b = ir_new_ins(f, (struct ir_ins){.op = IR_PARAM, .type = ir_range(y)});
			ir_val c = ir_const(f, (int64_t)y);
			uint64_t free = ir_result_type(f, ops[k], a, b).hi;
			uint64_t fixed = ir_result_type(f, ops[k], a, c).hi;

			for (size_t j = 0; j < n * n; j++) {
				uint64_t p = his[j / n], q = his[j % n];

				if (p <= x && q <= y)
					assert_true(ir_eval(ops[k], false, p, q) <= free);
				if (p <= x)
					assert_true(ir_eval(ops[k], false, p, y) <= fixed);
			}
		}
	}
	irtest_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_divisions),
		cmocka_unit_test(test_shifts),
		cmocka_unit_test(test_unary),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_ranges),
	};

	return cmocka_run_group_tests_name("ir_ops", tests, NULL, NULL);
}
