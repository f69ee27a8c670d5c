/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Does back_verify_alloc notice? Allocated code is damaged at random: an operand or result gets
 * another register or slot, or an instruction is dropped. What the verifier still accepts must
 * compute what the IR says (some damage does none: two registers may hold the same).
 */
#include "backend-bpf/interp.h"
#include "backend-bpf/mach.h"
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

#define SEEDS 400

struct subject {
	struct arena a;
	struct trap trap;
	struct skep_diags diags;
	struct meta meta;
	struct target target;
	struct ir_module m;
	struct ir_fn *f;
	uint8_t packet[IR_RANDOM_PACKET], after[IR_RANDOM_PACKET];
	uint64_t result, random;
	bool damaged, refused, right;
};

static unsigned chance(struct subject *s, unsigned n)
{
	s->random = s->random * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)((s->random >> 33) % n);
}

static void setup(struct subject *s, uint64_t seed)
{
	arena_init(&s->a, &s->trap);
	diags_init(&s->diags, &s->a);
	meta_init(&s->meta, &s->a);
	s->target = (struct target){.a = &s->a, .isa = 3, .features = ~0ull};
	s->m = (struct ir_module){.a = &s->a, .trap = &s->trap, .diags = &s->diags,
		.target = &s->target, .meta = &s->meta, .machine = &back_machine_names};
	s->random = seed;
	for (unsigned i = 0; i < sizeof(s->packet); i++)
		s->packet[i] = (uint8_t)chance(s, 256);
	memcpy(s->after, s->packet, sizeof(s->after));
}

static bool evaluate(struct subject *s)
{
	struct ir_eval e = {.a = &s->a, .f = s->f, .packet = s->after,
		.packet_len = IR_RANDOM_PACKET, .ifindex = 1};

	for (unsigned k = 0; k < IR_RANDOM_MAPS; k++)
		e.map[k] = arena_alloc(&s->a, IR_RANDOM_ENTRIES * IR_RANDOM_VALUE);
	return ir_eval_run(&e, &s->result);
}

/* Another value whose register the operand may name instead. */
static ir_val other(struct subject *s, ir_val v)
{
	struct ir_ins ins = *ir_ins_of(s->f, v);
	ir_val w;

	if (mach_slot(s->f, v)) {
		w = 1 + chance(s, s->f->vals.n - 1);
		return mach_slot(s->f, w) && s->f->vals.v[w].aux == ins.aux ? w : v;
	}
	w = ir_new_ins(s->f, ins);
	s->f->vals.v[w].reg = (uint8_t)chance(s, MACH_REGS);
	return w;
}

static void drop(struct ir_block *b, uint32_t at)
{
	for (uint32_t i = at; i + 1 < b->ins.n; i++)
		b->ins.v[i] = b->ins.v[i + 1];
	b->ins.n--;
}

static void damage(struct subject *s)
{
	struct ir_block *b = &s->f->blocks.v[chance(s, s->f->blocks.n)];
	uint32_t at;
	ir_val v;

	if (!b->ins.n)
		return;
	at = chance(s, b->ins.n);
	v = b->ins.v[at];
	if (!mach_is(ir_ins_of(s->f, v)))
		return;
	if (chance(s, 3) == 0) {
		drop(b, at);
		s->damaged = true;
	} else if (s->f->vals.v[v].nargs) {
		unsigned k = chance(s, s->f->vals.v[v].nargs);
		ir_val was = s->f->vals.v[v].args[k], now = other(s, was);

		s->f->vals.v[v].args[k] = now;
		s->damaged = was != now && (mach_slot(s->f, now) ||
			s->f->vals.v[was].reg != s->f->vals.v[now].reg);
	}
}

static bool computes(struct subject *s)
{
	struct interp in = {.a = &s->a, .meta = &s->meta, .packet = s->packet,
		.packet_len = IR_RANDOM_PACKET, .packet_cap = IR_RANDOM_PACKET,
		.prog_type = BPF_PROG_TYPE_XDP};
	struct code code;
	uint64_t r0 = 0;

	back_frame(s->f);
	back_layout(s->f);
	back_peep(s->f);
	back_emit(s->f, &code);
	if (s->diags.errors)
		return true;
	in.insn = code.insn;
	in.n = code.n;
	interp_init(&in);
	return interp_run(&in, &r0) && r0 == s->result &&
		!memcmp(s->packet, s->after, sizeof(s->after));
}

static void one(struct subject *s, uint64_t seed)
{
	struct ir_random k = ir_random_knobs(seed);
	struct buf why;

	if (setjmp(s->trap.env))
		fail_msg("seed %llu: %s", (unsigned long long)seed, s->trap.message);
	s->f = ir_random_fn(&s->m, &k);
	if (!evaluate(s))
		fail_msg("seed %llu: evaluator", (unsigned long long)seed);
	back_legal(s->f);
	back_isel(s->f);
	back_spill(s->f);
	back_color(s->f);
	back_pcopy(s->f);
	buf_init(&why, &s->a);
	assert_true(back_verify_alloc(s->f, &why));
	for (int i = 0; i < 20 && !s->damaged; i++)
		damage(s);
	if (!s->damaged)
		return;
	s->refused = !back_verify_alloc(s->f, &why);
	if (!s->refused)
		s->right = computes(s);
}

static void test_damage(void **state)
{
	unsigned damaged = 0, refused = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct subject *s = calloc(1, sizeof(*s));

		setup(s, seed);
		one(s, seed);
		damaged += s->damaged;
		refused += s->refused;
		if (s->damaged && !s->refused && !s->right)
			fail_msg("seed %llu: damaged code accepted", (unsigned long long)seed);
		arena_free(&s->a);
		free(s);
	}
	assert_true(damaged > SEEDS * 9 / 10);
	assert_true(refused > damaged * 8 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
