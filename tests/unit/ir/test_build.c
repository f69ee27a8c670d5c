/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Builders and SSA construction: what comes out is compared as text. */
#include "tests/unit/ir/irtest.h"

static struct ir_fn *start(struct irtest *t)
{
	irtest_init(t);
	return ir_fn_new(&t->m, "p", CTX_PT_REGS);
}

static void finish(struct irtest *t, struct ir_fn *f, const char *want)
{
	ir_finish(f);
	assert_string_equal(irtest_check(t), "");
	assert_string_equal(irtest_print_fns(t), want);
	irtest_free(t);
}

static void test_straight(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	ir_val x, y;

	(void)state;
	x = ir_ldctx(f, 8, 112, IR_I64);
	y = ir_bini(f, IR_AND, x, 63);
	ir_ret(f, y);
	assert_false(ir_open(f));
	finish(&t, f,
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: i64 = ldctx.u64 %0+112\n"
		"  %2: i64<0..63> = const 63\n"
		"  %3: i64<0..63> = and %1, %2\n"
		"  ret %3\n"
		"}\n");
}

/* What a load of the context can hold hangs on its width. */
static void test_widths(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);

	(void)state;
	assert_true(ir_type_of(f, ir_ldctx(f, 1, 0, IR_I64)).hi == 0xff);
	assert_true(ir_type_of(f, ir_ldctx(f, 2, 0, IR_I64)).hi == 0xffff);
	assert_true(ir_type_of(f, ir_ldctx(f, 4, 0, IR_I64)).hi == 0xffffffff);
	assert_true(ir_type_of(f, ir_ldctx(f, 8, 0, IR_I64)).hi == IR_ANY_RANGE);
	irtest_free(&t);
}

/* if (x) v = 1; return v; where v was 0 and w never changes: one parameter. */
static void test_if(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	unsigned v = ir_var_new(f, IR_I64), w = ir_var_new(f, IR_I64);
	ir_blk then = ir_block_new(f), join = ir_block_new(f);
	ir_val x, zero, one, sum;

	(void)state;
	x = ir_ldctx(f, 8, 112, IR_I64);
	zero = ir_const(f, 0);
	ir_var_write(f, v, zero);
	ir_var_write(f, w, x);
	ir_if(f, CC_NE, x, zero, then, join);
	ir_seal(f, then);
	ir_at(f, then);
	one = ir_const(f, 1);
	ir_var_write(f, v, one);
	ir_jmp(f, join);
	ir_seal(f, join);
	ir_at(f, join);
	x = ir_var_read(f, v);
	zero = ir_var_read(f, w);
	sum = ir_bin(f, IR_ADD, x, zero);
	ir_ret(f, sum);
	finish(&t, f,
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: i64 = ldctx.u64 %0+112\n"
		"  %2: i64<0..0> = const 0\n"
		"  if.ne %1, %2 -> ^1, ^2(%2)\n"
		"^1:\n"
		"  %3: i64<0..1> = const 1\n"
		"  jmp ^2(%3)\n"
		"^2(%4: i64):\n"
		"  %5: i64 = add %4, %1\n"
		"  ret %5\n"
		"}\n");
}

/* for (i = 0; i < 10; i++) sum += i; the head is read before its ways back are known. */
static void test_loop(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	unsigned i = ir_var_new(f, IR_I64), sum = ir_var_new(f, IR_I64), same = ir_var_new(f, IR_I64);
	ir_blk head = ir_block_new(f), body = ir_block_new(f), done = ir_block_new(f);
	ir_val x, y, z;

	(void)state;
	x = ir_const(f, 0);
	ir_var_write(f, i, x);
	ir_var_write(f, sum, x);
	x = ir_ldctx(f, 8, 112, IR_I64);
	ir_var_write(f, same, x);
	ir_jmp(f, head);
	ir_at(f, head);
	x = ir_var_read(f, i);
	ir_loop(f, x, 10, body, done);
	ir_seal(f, body);
	ir_at(f, body);
	x = ir_var_read(f, sum);
	y = ir_var_read(f, i);
	z = ir_var_read(f, same);
	x = ir_bin(f, IR_ADD, x, z);
	ir_var_write(f, sum, x);
	y = ir_bini(f, IR_ADD, y, 1);
	ir_var_write(f, i, y);
	ir_jmp(f, head);
	ir_seal(f, head);
	ir_seal(f, done);
	ir_at(f, done);
	x = ir_var_read(f, sum);
	ir_ret(f, x);
	finish(&t, f,
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: i64<0..0> = const 0\n"
		"  %2: i64 = ldctx.u64 %0+112\n"
		"  jmp ^1(%1, %1)\n"
		"^1(%3: i64, %4: i64):\n"
		"  loop %3, 10 -> ^2(%3), ^3\n"
		"^2(%5: i64<0..9>):\n"
		"  %6: i64 = add %4, %2\n"
		"  %7: i64<0..1> = const 1\n"
		"  %8: i64 = add %3, %7\n"
		"  jmp ^1(%8, %6)\n"
		"^3:\n"
		"  ret %4\n"
		"}\n");
}

/* A variable nobody wrote on one way is 0 there. */
static void test_unwritten(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	unsigned v = ir_var_new(f, IR_I64);
	ir_blk then = ir_block_new(f), join = ir_block_new(f);
	ir_val x, nil;

	(void)state;
	x = ir_ldctx(f, 8, 112, IR_I64);
	nil = ir_const(f, 7);
	ir_if(f, CC_EQ, x, nil, then, join);
	ir_seal(f, then);
	ir_at(f, then);
	ir_var_write(f, v, x);
	ir_jmp(f, join);
	ir_seal(f, join);
	ir_at(f, join);
	x = ir_var_read(f, v);
	ir_ret(f, x);
	finish(&t, f,
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: i64<0..0> = const 0\n"
		"  %2: i64 = ldctx.u64 %0+112\n"
		"  %3: i64<0..7> = const 7\n"
		"  if.eq %2, %3 -> ^1, ^2(%1)\n"
		"^1:\n"
		"  jmp ^2(%2)\n"
		"^2(%4: i64):\n"
		"  ret %4\n"
		"}\n");
}

/* Blocks that turned out to have no predecessor disappear with their edges. */
static void test_dead_block(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	unsigned v = ir_var_new(f, IR_I64);
	ir_blk dead = ir_block_new(f), end = ir_block_new(f);
	ir_val x;

	(void)state;
	x = ir_const(f, 3);
	ir_var_write(f, v, x);
	ir_jmp(f, end);
	ir_seal(f, dead);
	ir_at(f, dead);
	x = ir_const(f, 4);
	ir_var_write(f, v, x);
	ir_jmp(f, end);
	ir_seal(f, end);
	ir_at(f, end);
	x = ir_var_read(f, v);
	ir_ret(f, x);
	finish(&t, f,
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: i64<0..3> = const 3\n"
		"  jmp ^1\n"
		"^1:\n"
		"  ret %1\n"
		"}\n");
}

/* A long chain of ifs: construction must not recurse per block. */
static void test_long(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	unsigned v = ir_var_new(f, IR_I64);
	ir_blk end = ir_block_new(f);
	ir_val x;

	(void)state;
	x = ir_ldctx(f, 8, 112, IR_I64);
	ir_var_write(f, v, x);
	for (int i = 0; i < 20000; i++) {
		ir_blk next = ir_block_new(f);
		ir_val n = ir_const(f, i);

		ir_if(f, CC_EQ, x, n, end, next);
		ir_seal(f, next);
		ir_at(f, next);
	}
	x = ir_var_read(f, v);
	ir_ret(f, x);
	ir_seal(f, end);
	ir_at(f, end);
	x = ir_var_read(f, v);
	ir_ret(f, x);
	ir_finish(f);
	assert_string_equal(irtest_check(&t), "");
	assert_int_equal(f->blocks.v[end].params.n, 0);
	irtest_free(&t);
}

/* Lookup, null check, record: results get their types from helpers.def. */
static void test_calls(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	ir_blk yes = ir_block_new(f), no = ir_block_new(f);
	ir_val key, args[3], p, q;

	(void)state;
	vec_push(&t.a, &t.meta.maps, (struct meta_map){.kname = "m", .type = BPF_MAP_TYPE_HASH,
		.key_size = 4, .value_size = 24});
	args[0] = ir_map(f, 0);
	key = ir_slot(f, 4);
	ir_zero(f, key, 0, 4);
	args[1] = key;
	p = ir_call(f, "map_lookup_elem", IR_VOID, 2, args);
	assert_true(ir_type_eq(ir_type_of(f, p), ir_nullable(ir_ptr(IRT_MAPV, 24))));
	q = ir_some(f, p, yes, no);
	assert_true(ir_type_eq(ir_type_of(f, q), ir_ptr(IRT_MAPV, 24)));
	ir_seal(f, yes);
	ir_at(f, yes);
	p = ir_off(f, q, 8);
	assert_int_equal(ir_type_of(f, p).n, 16);
	assert_int_equal(ir_call(f, "set_hash_invalid", IR_VOID, 1, (ir_val[]){ir_ctx(f)}), IR_NONE);
	p = ir_ld(f, 2, p, 0);
	ir_ret(f, p);
	ir_seal(f, no);
	ir_at(f, no);
	p = ir_call(f, "get_current_task_btf", IR_VOID, 0, NULL);
	assert_int_equal(ir_type_of(f, p).kind, IRT_BTF);
	assert_string_equal(t.m.btf.v[ir_type_of(f, p).n].name, "task_struct");
	p = ir_const(f, 0);
	ir_ret(f, p);
	finish(&t, f,
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: slot<4> = slot 4\n"
		"  %2: map = map @m\n"
		"  zero %1+0, 4\n"
		"  %3: mapv<24>? = call map_lookup_elem(%2, %1)\n"
		"  some %3 -> ^1(%3), ^2\n"
		"^1(%4: mapv<24>):\n"
		"  %5: mapv<16> = off %4+8\n"
		"  call set_hash_invalid(%0)\n"
		"  %6: i64<0..65535> = ld.u16 %5+0\n"
		"  ret %6\n"
		"^2:\n"
		"  %7: btf<task_struct> = call get_current_task_btf()\n"
		"  %8: i64<0..0> = const 0\n"
		"  ret %8\n"
		"}\n");
}

/* What cannot mean anything is our bug, and says where. */
static void test_bug(void **state)
{
	struct irtest t;
	struct ir_fn *f = start(&t);
	ir_val volatile x = ir_const(f, 0);

	(void)state;
	ir_ret(f, x);
	if (!setjmp(t.trap.env)) {
		ir_const(f, 1);
		fail_msg("an instruction behind the terminator");
	}
	assert_int_equal(t.trap.code, SKEP_EBUG);
	assert_non_null(strstr(t.trap.message, "p: 'const' built outside a block"));
	if (!setjmp(t.trap.env)) {
		ir_at(f, ir_block_new(f));
		ir_call(f, "no_such_helper", IR_VOID, 0, NULL);
		fail_msg("an unknown helper");
	}
	assert_non_null(strstr(t.trap.message, "no_such_helper"));
	irtest_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_if),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_unwritten),
		cmocka_unit_test(test_dead_block),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_bug),
	};

	return cmocka_run_group_tests_name("ir_build", tests, NULL, NULL);
}
