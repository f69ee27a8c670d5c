/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text and bytes are equal: every row of isa.def and random bytes survive disasm then asm. */
#include "backend-bpf/backend.h"
#include "backend-bpf/insn.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 32;
}

/* Disassembles, assembles, compares; leaves the text in *text when the caller wants it. */
static void round_trip(const struct bpf_insn *i, uint32_t n)
{
	struct arena a;
	struct skep_diags d;
	struct asm_code out = {0};
	struct buf text, again;

	arena_init(&a, NULL);
	diags_init(&d, &a);
	buf_init(&text, &a);
	disasm_text(i, n, &a, &text);
	if (!asm_parse(text.p, text.n, diags_add_source(&d, "t", text.p, text.n), &d, &a, &out)) {
		diags_render(&d, stderr, false);
		fail_msg("does not assemble:\n%s", text.p);
	}
	if (out.insns.n != n || memcmp(out.insns.v, i, n * sizeof(*i))) {
		buf_init(&again, &a);
		disasm_text(out.insns.v, out.insns.n, &a, &again);
		fail_msg("\n%sbecame\n%s", text.p, again.p);
	}
	arena_free(&a);
}

static int32_t random_imm(uint64_t *rnd)
{
	static const int32_t edges[] = {0, 1, -1, 7, 63, 64, INT32_MAX, INT32_MIN, 255, 32768};

	if (next_random(rnd) % 2)
		return edges[next_random(rnd) % (sizeof(edges) / sizeof(edges[0]))];
	return (int32_t)next_random(rnd);
}

static void every_row(void **state)
{
	uint64_t rnd = 1;

	(void)state;
	for (unsigned op = 0; op < ISA_COUNT; op++) {
		for (int k = 0; k < 50; k++) {
			struct bpf_insn i[2];
			uint32_t n = 1;

			i[0] = isa_insn((enum isa_op)op, next_random(&rnd) % BPF_REGS,
				next_random(&rnd) % BPF_REGS, (int16_t)next_random(&rnd),
				random_imm(&rnd));
			assert_int_equal(isa_find(&i[0]), op);
			if (isa_row((enum isa_op)op)->flags & ISAF_IMM64)
				i[n++] = isa_second(random_imm(&rnd));
			round_trip(i, n);
		}
	}
}

static void random_bytes(void **state)
{
	uint64_t rnd = 2;

	(void)state;
	for (int k = 0; k < 3000; k++) {
		struct bpf_insn i[5];
		uint8_t *p = (uint8_t *)i;

		for (size_t b = 0; b < sizeof(i); b++)
			p[b] = (uint8_t)(next_random(&rnd) % 3 ? 0 : next_random(&rnd));
		for (int j = 0; j < 5; j++) /* mostly opcodes that exist */
			i[j].code = isa_row((enum isa_op)(next_random(&rnd) % ISA_COUNT))->code;
		round_trip(i, 5);
	}
}

/* Programs with jumps among rows: targets become labels and find back. */
static void random_jumps(void **state)
{
	uint64_t rnd = 3;

	(void)state;
	for (int k = 0; k < 2000; k++) {
		struct bpf_insn i[12];

		for (int j = 0; j < 12; j++)
			i[j] = isa_insn((enum isa_op)(next_random(&rnd) % ISA_COUNT), 1, 2,
				(int)(next_random(&rnd) % 24) - 12,
				(int)(next_random(&rnd) % 24) - 12);
		round_trip(i, 12);
	}
}

/* What one row prints no other row may read first: the table has no ambiguous texts. */
static void one_line(void **state)
{
	static const struct bpf_insn prog[] = {
		{.code = 0x18, .dst_reg = 1, .imm = 0x55667788},
		{.imm = 0x11223344},
		{.code = 0x55, .dst_reg = 1, .off = -3, .imm = 0},
		{.code = 0x85, .imm = 1},
		{.code = 0x85, .imm = 999999},
		{.code = 0x95},
	};
	const char *want = "L0:\n\tr1 = 0x1122334455667788 ll\n\tif r1 != 0 goto L0\n"
			   "\tcall map_lookup_elem\n\tcall 999999\n\texit\n";
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, &a);
	disasm_text(prog, 6, &a, &out);
	assert_string_equal(out.p, want);
	buf_init(&out, &a);
	assert_int_equal(disasm_one(prog, 0, 6, &out), 2);
	assert_int_equal(disasm_one(prog, 2, 6, &out), 1);
	assert_string_equal(out.p, "r1 = 0x1122334455667788 llif r1 != 0 goto -3");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(random_jumps),
		cmocka_unit_test(one_line),
	};

	return cmocka_run_group_tests_name("back/disasm", tests, NULL, NULL);
}
