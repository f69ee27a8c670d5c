/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random functions through all passes: what the interpreter computes from the instructions must be
 * what the IR says, and back_verify_alloc must find nothing. Where the machine allows it, some also
 * run in its kernel. SKEP_STRESS=FIRST:COUNT (and SKEP_STRESS_KERNEL) runs other seeds.
 */
#include "backend-bpf/backend.h"
#include "backend-bpf/interp.h"
#include "tests/fuzz/ir_eval.h"
#include "tests/fuzz/ir_random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/fuzz/ir_eval.c"
#include "tests/fuzz/ir_random.c"
#include "tests/fuzz/kernel.c"

#define RUNS 3

struct stress {
	struct arena a, scratch;
	struct trap trap;
	struct skep_diags diags;
	struct meta meta;
	struct target target;
	struct ir_module m;
	struct ir_fn *f;
	struct code code;
	uint8_t packet[RUNS][IR_RANDOM_PACKET]; /* input */
	uint8_t after[RUNS][IR_RANDOM_PACKET];
	uint64_t result[RUNS];
	uint8_t *maps[RUNS][IR_RANDOM_MAPS];
	char why[256];
	bool too_complex; /* for the kernel's million instructions */
};

static void setup(struct stress *s, uint64_t seed)
{
	arena_init(&s->a, &s->trap);
	arena_init(&s->scratch, &s->trap);
	diags_init(&s->diags, &s->a);
	meta_init(&s->meta, &s->a);
	s->target = (struct target){.a = &s->a, .name = "stress", .arch = KERN_X86_64,
		.isa = seed % 7 == 0 ? 4 : 3, .features = ~0ull};
	s->m = (struct ir_module){.a = &s->a, .scratch = &s->scratch, .trap = &s->trap, .diags = &s->diags,
		.target = &s->target, .meta = &s->meta, .machine = &back_machine_names};
}

static uint32_t entries(uint32_t map)
{
	return map == 2 ? 1 : IR_RANDOM_ENTRIES;
}

static void fill(uint8_t *p, uint32_t n, uint64_t seed)
{
	static const uint8_t some[] = {0, 1, 0x7f, 0x80, 0xff};

	for (uint32_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = seed >> 60 < 6 ? some[(seed >> 40) % sizeof(some)] : (uint8_t)(seed >> 33);
	}
}

static bool evaluate(struct stress *s, uint64_t seed)
{
	uint32_t size = IR_RANDOM_ENTRIES * IR_RANDOM_VALUE;

	for (unsigned r = 0; r < RUNS; r++) {
		struct ir_eval e = {.a = &s->a, .f = s->f, .packet = s->after[r],
			.packet_len = IR_RANDOM_PACKET, .ifindex = 1};

		fill(s->packet[r], IR_RANDOM_PACKET, seed * 4 + r);
		memcpy(s->after[r], s->packet[r], IR_RANDOM_PACKET);
		for (unsigned k = 0; k < IR_RANDOM_MAPS; k++) {
			s->maps[r][k] = e.map[k] = arena_alloc(&s->a, size);
			fill(e.map[k], size, k);
		}
		if (!ir_eval_run(&e, &s->result[r])) {
			snprintf(s->why, sizeof(s->why), "evaluator: %.200s", e.error);
			return false;
		}
	}
	return true;
}

static bool same_maps(struct stress *s, struct interp *in, unsigned r)
{
	for (uint32_t k = 0; k < IR_RANDOM_MAPS; k++) {
		for (uint32_t key = 0; key < entries(k); key++) {
			if (memcmp(interp_map_lookup(in, k, &key),
				s->maps[r][k] + key * IR_RANDOM_VALUE, IR_RANDOM_VALUE)) {
				snprintf(s->why, sizeof(s->why), "run %u: map %u differs", r, k);
				return false;
			}
		}
	}
	return true;
}

static bool interpret(struct stress *s, unsigned r)
{
	uint8_t packet[IR_RANDOM_PACKET], values[IR_RANDOM_ENTRIES * IR_RANDOM_VALUE];
	struct interp in = {.a = &s->a, .insn = s->code.insn, .n = s->code.n, .meta = &s->meta,
		.packet = packet, .packet_len = sizeof(packet), .packet_cap = sizeof(packet),
		.prog_type = BPF_PROG_TYPE_XDP};
	uint64_t r0 = 0;

	memcpy(packet, s->packet[r], sizeof(packet));
	interp_init(&in);
	for (uint32_t k = 0; k < IR_RANDOM_MAPS; k++) {
		fill(values, sizeof(values), k);
		for (uint32_t key = 0; key < entries(k); key++)
			interp_map_update(&in, k, &key, values + key * IR_RANDOM_VALUE, 0);
	}
	if (!interp_run(&in, &r0)) {
		snprintf(s->why, sizeof(s->why), "run %u: instruction %u: %.200s", r, in.error_at,
			in.error);
		return false;
	}
	if (r0 != s->result[r]) {
		snprintf(s->why, sizeof(s->why), "run %u: %#llx instead of %#llx", r,
			(unsigned long long)r0, (unsigned long long)s->result[r]);
		return false;
	}
	if (memcmp(packet, s->after[r], sizeof(packet))) {
		snprintf(s->why, sizeof(s->why), "run %u: packet differs", r);
		return false;
	}
	return same_maps(s, &in, r);
}

static bool checked(struct stress *s)
{
	struct buf why;

	buf_init(&why, &s->a);
	if (ir_check(s->f, &why))
		return true;
	snprintf(s->why, sizeof(s->why), "generator: %.240s", why.p);
	return false;
}

static bool one(struct stress *s, uint64_t seed)
{
	struct ir_random k = ir_random_knobs(seed);

	if (setjmp(s->trap.env)) {
		snprintf(s->why, sizeof(s->why), "trap: %.240s", s->trap.message);
		return false;
	}
	s->f = ir_random_fn(&s->m, &k);
	if (!checked(s) || !evaluate(s, seed))
		return false;
	back_compile_fn(s->f, &s->code);
	if (s->diags.errors) /* more values than the frame has room for */
		return s->code.n == 0;
	for (unsigned r = 0; r < RUNS; r++) {
		if (!interpret(s, r))
			return false;
	}
	return true;
}

static void test_random(void **state)
{
	unsigned long first = 1, count = 1500, bad = 0, insns = 0, too_big = 0, spills = 0;
	const char *env = getenv("SKEP_STRESS");

	(void)state;
	if (env)
		sscanf(env, "%lu:%lu", &first, &count);
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct stress *s = calloc(1, sizeof(*s));

		setup(s, seed);
		if (!one(s, seed)) {
			if (bad++ < 10)
				print_error("seed %llu: %s\n", (unsigned long long)seed, s->why);
		}
		too_big += s->code.n == 0;
		insns += s->code.n;
		spills += s->code.spills;
		arena_free(&s->scratch);
		arena_free(&s->a);
		free(s);
	}
	if (env)
		print_message("%lu functions, %lu instructions, %lu spills, %lu too big\n", count,
			insns, spills, too_big);
	assert_int_equal(bad, 0);
	assert_true(too_big <= count / 10);
}

/* ---- the same in this machine's kernel ---- */

static bool fill_kernel_maps(struct kernel_prog *k)
{
	uint8_t values[IR_RANDOM_ENTRIES * IR_RANDOM_VALUE];

	for (uint32_t m = 0; m < IR_RANDOM_MAPS; m++) {
		fill(values, sizeof(values), m);
		for (uint32_t key = 0; key < entries(m); key++) {
			if (bpf_map_update_elem(k->map_fd[m], &key, values + key * IR_RANDOM_VALUE, 0))
				return false;
		}
	}
	return true;
}

static bool same_kernel_maps(struct stress *s, struct kernel_prog *k, unsigned r)
{
	uint8_t value[IR_RANDOM_VALUE];

	for (uint32_t m = 0; m < IR_RANDOM_MAPS; m++) {
		for (uint32_t key = 0; key < entries(m); key++) {
			if (bpf_map_lookup_elem(k->map_fd[m], &key, value) ||
				memcmp(value, s->maps[r][m] + key * IR_RANDOM_VALUE, sizeof(value))) {
				snprintf(s->why, sizeof(s->why), "kernel run %u: map %u differs", r, m);
				return false;
			}
		}
	}
	return true;
}

static bool run_in_kernel(struct stress *s, struct kernel_prog *k, unsigned r)
{
	uint8_t packet[IR_RANDOM_PACKET];
	uint32_t size = sizeof(packet), retval = 0;

	memcpy(packet, s->packet[r], sizeof(packet));
	if (!fill_kernel_maps(k) || kernel_run(k, packet, &size, sizeof(packet), &retval)) {
		snprintf(s->why, sizeof(s->why), "kernel run %u: %.200s", r, k->log);
		return false;
	}
	if (retval != (uint32_t)s->result[r] || memcmp(packet, s->after[r], sizeof(packet))) {
		snprintf(s->why, sizeof(s->why), "kernel run %u: %#x instead of %#x, or the packet", r,
			retval, (uint32_t)s->result[r]);
		return false;
	}
	return same_kernel_maps(s, k, r);
}

static bool one_in_kernel(struct stress *s, uint64_t seed)
{
	struct kernel_prog k = {.a = &s->a, .meta = &s->meta, .type = BPF_PROG_TYPE_XDP};
	bool ok = true;
	int err;

	if (!one(s, seed))
		return false;
	if (!s->code.n)
		return true;
	err = kernel_load(&k, s->code.insn, s->code.n);
	/* Ways through the program double at every diamond; then the log may overflow first. */
	if (err == -E2BIG || (err == -ENOSPC && seed % 16 == 15)) {
		s->too_complex = true;
	} else if (err) {
		size_t n = strlen(k.log);

		snprintf(s->why, sizeof(s->why), "kernel: error %d: %.220s", err, n > 220 ? k.log + n - 220 : k.log);
		ok = false;
	}
	for (unsigned r = 0; r < RUNS && ok && !err; r++)
		ok = run_in_kernel(s, &k, r);
	kernel_close(&k);
	return ok;
}

static void test_kernel(void **state)
{
	unsigned long first = 1, count = 150, bad = 0, too_complex = 0;
	const char *env = getenv("SKEP_STRESS_KERNEL"), *why = NULL;

	(void)state;
	if (!kernel_allowed(BPF_PROG_TYPE_XDP, &why)) {
		print_message("skipped: %s\n", why);
		skip();
	}
	if (env)
		sscanf(env, "%lu:%lu", &first, &count);
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct stress *s;

		if (seed % 16 == 15 && !env) /* the large ones take the verifier seconds */
			continue;
		s = calloc(1, sizeof(*s));

		setup(s, seed);
		if (s->target.isa == 4 && !kernel_takes_isa(4))
			s->target.isa = 3;
		if (!one_in_kernel(s, seed) && bad++ < 10)
			print_error("seed %llu: %s\n", (unsigned long long)seed, s->why);
		too_complex += s->too_complex;
		arena_free(&s->scratch);
		arena_free(&s->a);
		free(s);
	}
	assert_int_equal(bad, 0);
	assert_true(too_complex < count / 10 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_kernel)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
