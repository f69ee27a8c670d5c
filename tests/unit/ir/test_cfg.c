/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Order, dominators, loop depth against slow definitions; splitting; spans in text. */
#include "tests/unit/ir/irtest.h"

static struct ir_fn *parse(struct irtest *t, const char *text)
{
	irtest_init(t);
	assert_true(irtest_parse(t, text));
	return t->m.fns.v[0];
}

static const char *const nested =
	"prog @p pt_regs {\n"
	"^0(%c: ctx<pt_regs>):\n  %x = ldctx.u64 %c+8\n  jmp ^1(0)\n"
	"^1(%i: i64):\n  loop %i, 10 -> ^2(%i), ^6\n"
	"^2(%j: i64<0..9>):\n  jmp ^3(0)\n"
	"^3(%k: i64):\n  loop %k, 20 -> ^4(%k), ^5\n"
	"^4(%l: i64<0..19>):\n  %m = add %k, 2\n  if.eq %x, %l -> ^3(%m), ^7\n"
	"^5:\n  %n = add %i, 1\n  jmp ^1(%n)\n"
	"^6:\n  ret 0\n"
	"^7:\n  ret 1\n"
	"}\n";

static void test_nested(void **state)
{
	static const uint32_t depth[] = {0, 1, 1, 2, 2, 1, 0, 0};
	static const ir_blk idom[] = {0, 0, 1, 2, 3, 3, 1, 4};
	struct irtest t;
	struct ir_fn *f = parse(&t, nested);
	struct ir_cfg *c = ir_cfg_build(f, &t.a);

	(void)state;
	assert_int_equal(c->nrpo, 8);
	for (ir_blk b = 0; b < 8; b++) {
		assert_int_equal(c->loop_depth[b], depth[b]);
		assert_int_equal(c->idom[b], idom[b]);
		assert_int_equal(c->rpo[c->order[b]], b);
	}
	assert_int_equal(c->preds[3].n, 2);
	assert_string_equal(irtest_check(&t), "");
	irtest_free(&t);
}

/* Reference: a dominates b when b cannot be reached without a. */
static bool reaches(const struct ir_fn *f, ir_blk from, ir_blk to, ir_blk without, bool *seen)
{
	if (from == without || seen[from])
		return false;
	if (from == to)
		return true;
	seen[from] = true;
	for (unsigned e = 0; e < f->blocks.v[from].term.nedges; e++) {
		if (reaches(f, f->blocks.v[from].term.edge[e].to, to, without, seen))
			return true;
	}
	return false;
}

static uint32_t next_random(uint64_t *x)
{
	*x = *x * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*x >> 33);
}

/* Random graphs, also with unreachable parts and irreducible cycles. */
static void test_random(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct irtest t;
		struct ir_fn *f;
		struct ir_cfg *c;
		uint32_t n = 2 + next_random(&seed) % 10;

		irtest_init(&t);
		f = ir_fn_new(&t.m, "p", CTX_PT_REGS);
		for (uint32_t b = 1; b < n; b++)
			ir_block_new(f);
		for (uint32_t b = 0; b < n; b++) {
			struct ir_term *term = &f->blocks.v[b].term;

			term->nedges = (uint8_t)(next_random(&seed) % 3);
			term->op = term->nedges == 2 ? IRN_IF : term->nedges ? IRN_JMP : IRN_RET;
			term->edge[0].to = 1 + next_random(&seed) % (n - 1);
			term->edge[1].to = 1 + next_random(&seed) % (n - 1);
		}
		c = ir_cfg_build(f, &t.a);
		for (uint32_t i = 0; i < n * n; i++) {
			bool seen[16] = {0}, again[16] = {0};
			ir_blk a = i / n, b = i % n;
			bool live = reaches(f, 0, b, UINT32_MAX, seen);
			bool want = live && !reaches(f, 0, b, a, again);

			assert_int_equal(c->order[b] != UINT32_MAX, live);
			assert_int_equal(ir_dominates(c, a, b), want);
		}
		irtest_free(&t);
	}
}

static void test_split(void **state)
{
	struct irtest t;
	struct ir_fn *f = parse(&t, nested);
	struct ir_cfg *c;

	(void)state;
	ir_split_critical_edges(f);
	assert_string_equal(irtest_check(&t), "");
	c = ir_cfg_build(f, &t.a);
	for (uint32_t i = 0; i < c->nrpo; i++) {
		const struct ir_term *term = &f->blocks.v[c->rpo[i]].term;

		for (unsigned e = 0; term->nedges == 2 && e < 2; e++)
			assert_int_equal(c->preds[term->edge[e].to].n, 1);
	}
	assert_int_equal(c->nrpo, 9);
	irtest_free(&t);
}

/* !line:col names a place in the script, which is the first source. */
static void test_spans(void **state)
{
	static const char script[] = "kprobe:f\n{ @ = count(); }\n";
	static const char text[] =
		"prog @p pt_regs {\n"
		"^0(%0: ctx<pt_regs>):\n"
		"  %1: i64<0..1> = const 1 !2:3\n"
		"  ret %1 !1:1\n"
		"}\n";
	struct irtest t;
	struct ir_ins *i;

	(void)state;
	irtest_init(&t);
	diags_add_source(&t.diags, "-e", script, strlen(script));
	assert_true(irtest_parse(&t, text));
	assert_string_equal(irtest_print(&t), text);
	i = &t.m.fns.v[0]->vals.v[2];
	assert_int_equal(i->span.off, 1 + 9 + 2);
	irtest_free(&t);
}

static const char *machine_name(unsigned i)
{
	static const char *const names[] = {"MOV64_RR", "ADD64_RI", "JMP"};

	return names[i];
}

/* The machine form: registers, fields that are not 0, comparisons with constants. */
static void test_machine(void **state)
{
	static const struct ir_machine_names names = {3, machine_name};
	static const char text[] =
		"prog @p pt_regs machine {\n"
		"^0(%0@r1: ctx<pt_regs>):\n"
		"  %1: slot<8> = slot 8 aux 1\n"
		"  %2@r6: i64 = MOV64_RR %0 imm 8\n"
		"  %3@r0: i64 = ADD64_RI.w8.s2 %2 imm -7 aux 3\n"
		"  JMP %3, %2\n"
		"  if.slt.w32 %3, -5 -> ^1, ^2(%3)\n"
		"^1:\n"
		"  ret %3\n"
		"^2(%4@r0: i64):\n"
		"  ret\n"
		"}\n";
	struct irtest t;
	uint32_t base;

	(void)state;
	irtest_init(&t);
	base = diags_add_source(&t.diags, "ir", text, strlen(text));
	if (!ir_parse(&t.m, text, strlen(text), base, &names))
		fail_msg("%s", t.diags.list.v[0].message);
	assert_string_equal(irtest_print(&t), text);
	assert_string_equal(irtest_check(&t), "");
	assert_int_equal(t.m.fns.v[0]->vals.v[4].op, IR_MACHINE + 1);
	assert_int_equal(t.m.fns.v[0]->vals.v[4].reg, 0);
	assert_true(t.m.fns.v[0]->blocks.v[0].term.has_imm);
	irtest_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests_name("ir_cfg", tests, NULL, NULL);
}
