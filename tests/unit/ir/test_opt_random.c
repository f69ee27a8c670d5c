/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random functions through the optimiser: after every pass the checker has nothing to say and the
 * function still computes what it did (result, packet, maps). Text: printed, read and printed again
 * it is the same; and the same seed gives the same text. SKEP_STRESS=FIRST:COUNT for other seeds.
 */
#include "tests/unit/ir/irtest.h"
#include "tests/fuzz/ir_eval.h"
#include "tests/fuzz/ir_random.h"
#include <stdlib.h>

#include "tests/fuzz/ir_eval.c"
#include "tests/fuzz/ir_random.c"

#define RUNS 3
#define MAP_BYTES (IR_RANDOM_ENTRIES * IR_RANDOM_VALUE)

struct outcome {
	uint64_t result;
	uint8_t packet[IR_RANDOM_PACKET];
	uint8_t map[IR_RANDOM_MAPS][MAP_BYTES];
};

static const struct {
	const char *name;
	void (*run)(struct ir_fn *f);
} passes[] = {
	{"fold", ir_opt_fold},
	{"gvn", ir_opt_gvn},
	{"slot", ir_opt_slot},
	{"dce", ir_opt_dce},
};

static void fill(uint8_t *p, uint32_t n, uint64_t seed)
{
	static const uint8_t some[] = {0, 1, 0x7f, 0x80, 0xff};

	for (uint32_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = seed >> 60 < 6 ? some[(seed >> 40) % sizeof(some)] : (uint8_t)(seed >> 33);
	}
}

static void evaluate(const struct ir_fn *f, uint64_t seed, struct outcome *out)
{
	struct arena a;
	struct ir_eval e = {.a = &a, .f = f, .packet = out->packet, .packet_len = IR_RANDOM_PACKET,
		.ifindex = 1};

	arena_init(&a, NULL);
	fill(out->packet, sizeof(out->packet), seed);
	for (unsigned k = 0; k < IR_RANDOM_MAPS; k++) {
		e.map[k] = out->map[k];
		fill(out->map[k], MAP_BYTES, k + 1);
	}
	if (!ir_eval_run(&e, &out->result))
		fail_msg("seed %llu: %s", (unsigned long long)seed / RUNS, e.error);
	arena_free(&a);
}

static void same_outcome(struct irtest *t, uint64_t seed, const char *pass, const struct outcome *want)
{
	for (unsigned r = 0; r < RUNS; r++) {
		struct outcome got = {0};

		evaluate(t->m.fns.v[0], seed * RUNS + r, &got);
		if (memcmp(&got, &want[r], sizeof(got)))
			fail_msg("seed %llu, run %u: %s changed the outcome\n%s",
				(unsigned long long)seed, r, pass, irtest_print(t));
	}
}

static void check(struct irtest *t, uint64_t seed, const char *after)
{
	const char *why = irtest_check(t);

	if (*why)
		fail_msg("seed %llu, after %s:\n%s%s", (unsigned long long)seed, after, why,
			irtest_print(t));
}

/*
 * Few bytes, many accesses of all widths that overlap, branches and loops between: what a wrong
 * alias or a forgotten write would spoil. The generator above spreads its accesses too thinly.
 */
struct memory {
	struct ir_fn *f;
	uint64_t state;
	ir_val packet, slot, other;
	unsigned sum;
};

static unsigned dice(struct memory *g, unsigned n)
{
	g->state = g->state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(g->state >> 33) % n;
}

static void mix_in(struct memory *g, ir_val v)
{
	ir_val sum = ir_var_read(g->f, g->sum);

	sum = ir_bini(g->f, IR_MUL, sum, 31);
	sum = ir_bin(g->f, IR_ADD, sum, v);
	ir_var_write(g->f, g->sum, sum);
}

static void access_memory(struct memory *g)
{
	unsigned width = 1u << dice(g, 4), off = dice(g, 16 / width) * width, where = dice(g, 4);
	ir_val p = where == 0 ? g->packet : where == 1 ? g->other : g->slot, v;

	switch (dice(g, 6)) {
	case 0:
	case 1:
		v = ir_var_read(g->f, g->sum);
		ir_st(g->f, width, p, off, v);
		break;
	case 2:
		v = ir_bini(g->f, IR_XOR, ir_var_read(g->f, g->sum), -1);
		ir_st(g->f, width, p, off, v);
		break;
	case 3:
		ir_zero(g->f, p, off, 1 + dice(g, 16 - off));
		break;
	default:
		v = ir_ld(g->f, width, p, off);
		mix_in(g, v);
	}
}

static void some_accesses(struct memory *g)
{
	for (unsigned n = 1 + dice(g, 12); n; n--)
		access_memory(g);
}

static void diamond_or_loop(struct memory *g)
{
	ir_blk a = ir_block_new(g->f), b = ir_block_new(g->f), c = ir_block_new(g->f);
	unsigned counter = ir_var_new(g->f, IR_I64);
	bool loops = dice(g, 2);
	ir_val i;

	if (loops) {
		i = ir_const(g->f, 0);
		ir_var_write(g->f, counter, i);
		ir_jmp(g->f, a);
		ir_at(g->f, a);
		i = ir_var_read(g->f, counter);
		ir_loop(g->f, i, 2 + dice(g, 2), b, c);
	} else {
		i = ir_bini(g->f, IR_AND, ir_var_read(g->f, g->sum), 1);
		ir_if(g->f, CC_EQ, i, ir_const(g->f, 0), a, b);
		ir_seal(g->f, a);
		ir_at(g->f, a);
		some_accesses(g);
		ir_jmp(g->f, c);
	}
	ir_seal(g->f, b);
	ir_at(g->f, b);
	some_accesses(g);
	if (loops) {
		i = ir_bini(g->f, IR_ADD, ir_var_read(g->f, counter), 1);
		ir_var_write(g->f, counter, i);
	}
	ir_jmp(g->f, loops ? a : c);
	ir_seal(g->f, a);
	ir_seal(g->f, c);
	ir_at(g->f, c);
}

static void make_memory(struct irtest *t, uint64_t seed)
{
	struct memory g = {.f = ir_fn_new(&t->m, "memory", CTX_XDP_MD), .state = seed};
	ir_blk in, out;
	ir_val end;

	g.sum = ir_var_new(g.f, IR_I64);
	g.slot = ir_slot(g.f, 16);
	g.other = ir_slot(g.f, 16);
	ir_zero(g.f, g.slot, 0, 16);
	ir_zero(g.f, g.other, 0, 16);
	g.packet = ir_ldctx(g.f, 4, 0, IR_VOID);
	end = ir_ldctx(g.f, 4, 4, IR_VOID);
	in = ir_block_new(g.f);
	out = ir_block_new(g.f);
	g.packet = ir_need(g.f, g.packet, end, 16, in, out);
	ir_seal(g.f, in);
	ir_at(g.f, in);
	mix_in(&g, ir_ld(g.f, 8, g.packet, 0));
	for (unsigned n = 2 + dice(&g, 4); n; n--) {
		some_accesses(&g);
		diamond_or_loop(&g);
	}
	some_accesses(&g);
	ir_jmp(g.f, out);
	ir_seal(g.f, out);
	ir_at(g.f, out);
	ir_ret(g.f, ir_var_read(g.f, g.sum));
	ir_finish(g.f);
}

static void make(struct irtest *t, uint64_t seed, bool memory)
{
	struct ir_random k = ir_random_knobs(seed);

	irtest_init(t);
	t->target.version = 6 << 16 | 1 << 8;
	if (setjmp(t->trap.env))
		fail_msg("seed %llu: %s", (unsigned long long)seed, t->trap.message);
	if (memory)
		make_memory(t, seed);
	else
		ir_random_fn(&t->m, &k);
}

static void read_back(struct irtest *t, uint64_t seed, const struct outcome *want)
{
	const char *text = irtest_print(t);
	struct irtest again;

	irtest_init(&again);
	again.target = t->target;
	if (!irtest_parse(&again, text))
		fail_msg("seed %llu: %s\n%s", (unsigned long long)seed,
			again.diags.list.v[0].message, text);
	assert_string_equal(irtest_print(&again), text);
	check(&again, seed, "reading");
	same_outcome(&again, seed, "reading", want);
	irtest_free(&again);
}

static void one_seed(uint64_t seed, bool memory)
{
	struct outcome want[RUNS] = {0};
	uint64_t order = seed * 0x9e3779b97f4a7c15u;
	struct irtest t, twin;

	make(&t, seed, memory);
	make(&twin, seed, memory);
	check(&t, seed, "building");
	for (unsigned r = 0; r < RUNS; r++)
		evaluate(t.m.fns.v[0], seed * RUNS + r, &want[r]);
	read_back(&t, seed, want);
	for (int n = 0; n < 8; n++, order >>= 2) {
		unsigned p = order & 3;

		passes[p].run(t.m.fns.v[0]);
		passes[p].run(twin.m.fns.v[0]);
		check(&t, seed, passes[p].name);
		same_outcome(&t, seed, passes[p].name, want);
	}
	assert_string_equal(irtest_print(&t), irtest_print(&twin));
	read_back(&t, seed, want);
	irtest_free(&t);
	irtest_free(&twin);
}

static void seeds(bool memory, unsigned long count)
{
	const char *range = getenv("SKEP_STRESS");
	unsigned long first = 1;

	if (range)
		sscanf(range, "%lu:%lu", &first, &count);
	for (unsigned long i = 0; i < count; i++)
		one_seed(first + i, memory);
}

static void test_random(void **state)
{
	(void)state;
	seeds(false, 250);
}

static void test_memory(void **state)
{
	(void)state;
	seeds(true, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("ir_opt_random", tests, NULL, NULL);
}
