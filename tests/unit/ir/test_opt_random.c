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
	uint8_t map[2][MAP_BYTES];
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
		.ifindex = 1, .map = {out->map[0], out->map[1]}};

	arena_init(&a, NULL);
	fill(out->packet, sizeof(out->packet), seed);
	fill(out->map[0], MAP_BYTES, 1);
	fill(out->map[1], MAP_BYTES, 2);
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

static void make(struct irtest *t, uint64_t seed)
{
	struct ir_random k = ir_random_knobs(seed);

	irtest_init(t);
	t->target.version = 6 << 16 | 1 << 8;
	if (setjmp(t->trap.env))
		fail_msg("seed %llu: %s", (unsigned long long)seed, t->trap.message);
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

static void one_seed(uint64_t seed)
{
	struct outcome want[RUNS] = {0};
	uint64_t order = seed * 0x9e3779b97f4a7c15u;
	struct irtest t, twin;

	make(&t, seed);
	make(&twin, seed);
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

static void test_random(void **state)
{
	const char *range = getenv("SKEP_STRESS");
	unsigned long first = 1, count = 250;

	(void)state;
	if (range)
		sscanf(range, "%lu:%lu", &first, &count);
	for (unsigned long i = 0; i < count; i++)
		one_seed(first + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests_name("ir_opt_random", tests, NULL, NULL);
}
