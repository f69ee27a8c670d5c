/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Assembler: bytes of known instructions, labels, tolerance of spelling, places of errors. */
#include "backend-bpf/backend.h"
#include "backend-bpf/insn.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct world {
	struct arena a;
	struct skep_diags d;
	struct asm_code code;
};

static void open_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	arena_init(&w->a, NULL);
	diags_init(&w->d, &w->a);
}

static bool assemble(struct world *w, const char *text)
{
	uint32_t base = diags_add_source(&w->d, "t.s", text, strlen(text));

	return asm_parse(text, strlen(text), base, &w->d, &w->a, &w->code);
}

static const struct {
	const char *text;
	const char *bytes; /* as clang 14's assembler gives them, where it knows the instruction */
} known[] = {
	{"r1 += r2", "0f21000000000000"},
	{"r1 += -2", "07010000feffffff"},
	{"w1 += w2", "0c21000000000000"},
	{"w1 &= 0xffffffff", "54010000ffffffff"},
	{"r3 s>>= 63", "c70300003f000000"},
	{"r3 %= 7", "9703000007000000"},
	{"r3 s/= r4", "3f43010000000000"},
	{"w3 s%= 7", "9403010007000000"},
	{"r1 = -r1", "8701000000000000"},
	{"w1 = -w1", "8401000000000000"},
	{"r1 = be16 r1", "dc01000010000000"},
	{"r1 = le64 r1", "d401000040000000"},
	{"r1 = bswap32 r1", "d701000020000000"},
	{"r1 = r10", "bfa1000000000000"},
	{"w1 = -1", "b4010000ffffffff"},
	{"r1 = (s8)r2", "bf21080000000000"},
	{"w1 = (s16)w2", "bc21100000000000"},
	{"r1 = 0x1122334455667788 ll", "18010000887766550000000044332211"},
	{"r1 = -1 ll", "18010000ffffffff00000000ffffffff"},
	{"r1 = map[3] ll", "18110000030000000000000000000000"},
	{"r1 = map[3]+16 ll", "18210000030000000000000010000000"},
	{"r1 = *(u8*)(r2+8)", "7121080000000000"},
	{"r1 = *(u64 *)(r10 - 8)", "79a1f8ff00000000"},
	{"w1 = *(u32 *)(r2 + 0)", "6121000000000000"},
	{"r1 = *(s16*)(r2+2)", "8921020000000000"},
	{"*(u8*)(r1+1) = 255", "72010100ff000000"},
	{"*(u64*)(r10-16) = -1", "7a0af0ffffffffff"},
	{"*(u32 *)(r10 - 4) = w0", "630afcff00000000"},
	{"*(u64*)(r10-8) = r0", "7b0af8ff00000000"},
	{"lock *(u64*)(r1+0) += r2", "db21000000000000"},
	{"lock *(u32*)(r1+4) ^= w2", "c3210400a0000000"},
	{"r2 = atomic_fetch_add((u64*)(r1+0), r2)", "db21000001000000"},
	{"w2 = atomic_fetch_or((u32 *)(r1 + 0), w2)", "c321000041000000"},
	{"r2 = xchg_64(r1+0, r2)", "db210000e1000000"},
	{"r0 = cmpxchg_64(r1 + 8, r0, r2)", "db210800f1000000"},
	{"w0 = cmpxchg32_32(r1+8, w0, w2)", "c3210800f1000000"},
	{"if r1 s> -1 goto +3", "65010300ffffffff"},
	{"if w1 & w2 goto -1", "4e21ffff00000000"},
	{"if r1 <= r2 goto pc+1", "bd21010000000000"},
	{"goto +5", "0500050000000000"},
	{"gotol -70000", "0600000090eefeff"},
	{"call 1", "8500000001000000"},
	{"call bpf_map_update_elem", "8500000002000000"},
	{"call map_update_elem", "8500000002000000"},
	{"call kfunc 77", "852000004d000000"},
	{"call -3", "85100000fdffffff"},
	{"exit", "9500000000000000"},
	{".raw 0x0123456789abcdef", "efcdab8967452301"},
};

static void known_bytes(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		struct world w;
		char hex[64] = "";

		open_world(&w);
		if (!assemble(&w, known[k].text)) {
			diags_render(&w.d, stderr, false);
			fail_msg("%s", known[k].text);
		}
		for (uint32_t i = 0; i < w.code.insns.n * sizeof(struct bpf_insn); i++)
			sprintf(hex + 2 * i, "%02x", ((const uint8_t *)w.code.insns.v)[i]);
		if (strcmp(hex, known[k].bytes))
			fail_msg("%s: %s, not %s", known[k].text, hex, known[k].bytes);
		arena_free(&w.a);
	}
}

static void labels(void **state)
{
	struct world w;
	const char *text = "start: again:\n"
			   "  r0 = 1 ll # two slots\n"
			   "  if r0 == 0 goto start; if r0 != 1 goto end\n"
			   "  call f // local\n"
			   "  r1 = func f ll\n"
			   "  gotol again\n"
			   "end: exit\n"
			   "f:\n"
			   "  exit";

	(void)state;
	open_world(&w);
	assert_true(assemble(&w, text));
	assert_int_equal(w.code.insns.n, 10);
	assert_int_equal(w.code.insns.v[2].off, -3);
	assert_int_equal(w.code.insns.v[3].off, 4);
	assert_int_equal(w.code.insns.v[4].imm, 4);
	assert_int_equal(w.code.insns.v[4].src_reg, BPF_PSEUDO_CALL);
	assert_int_equal(w.code.insns.v[5].imm, 3);
	assert_int_equal(w.code.insns.v[5].src_reg, BPF_PSEUDO_FUNC);
	assert_int_equal(w.code.insns.v[7].imm, -8);
	arena_free(&w.a);
}

static void label_hides_helper(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_true(assemble(&w, "call redirect\nexit\nredirect:\nexit"));
	assert_int_equal(w.code.insns.v[0].src_reg, BPF_PSEUDO_CALL);
	assert_int_equal(w.code.insns.v[0].imm, 1);
	arena_free(&w.a);
}

static const struct {
	const char *text;
	uint32_t line, col;
	const char *says;
} wrong[] = {
	{"r0 = 0\nr1 += r11\nexit", 2, 7,
		"expected a register r0..r10 or a number that fits the operation"},
	{"r0 = 0x123456789", 1, 17, "expected 'll'"},
	{"r1 += 0x80000000", 1, 7, "a number that fits the operation"},
	{"r1 = *(u64*)(r2+40000)", 1, 14, "expected an address like r1+8"},
	{"goto nowhere", 1, 6, "no label 'nowhere'"},
	{"a:\na:\nexit", 2, 1, "label 'a' stands twice"},
	{"exit now", 1, 6, "expected the end of the statement"},
	{"r1 = be16 r2", 1, 11, "expected a register"},
	{"call frobnicate", 1, 6, "expected a helper's number or name"},
	{"if r1 === 3 goto +1", 1, 9, "expected a register"},
	{"   frob r1", 1, 4, "no instruction reads like this"},
	{"*(u64*)(r1+0) = w2", 1, 17, "or a register r0..r10"},
	{".raw 12345x", 1, 6, "expected a 64-bit number"},
	{"r1 = 18446744073709551616 ll", 1, 6, "no instruction reads like this"},
};

static void wrong_places(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
		struct world w;
		struct diag_pos at;

		open_world(&w);
		assert_false(assemble(&w, wrong[k].text));
		assert_true(w.d.list.n >= 1);
		at = diag_locate(&w.d, w.d.list.v[0].at[0].off);
		if (at.line != wrong[k].line || at.col != wrong[k].col ||
			!strstr(w.d.list.v[0].message, wrong[k].says))
			fail_msg("%s: %u:%u: %s", wrong[k].text, at.line, at.col,
				w.d.list.v[0].message);
		arena_free(&w.a);
	}
}

static void too_far(void **state)
{
	struct world w;
	struct buf text;

	(void)state;
	open_world(&w);
	buf_init(&text, &w.a);
	buf_puts(&text, "goto end\n");
	for (int k = 0; k < 32768; k++)
		buf_puts(&text, "r0 = 0\n");
	buf_puts(&text, "end: exit");
	assert_false(assemble(&w, text.p));
	assert_non_null(strstr(w.d.list.v[0].message, "too far away"));
	arena_free(&w.a);
}

static void limits(void **state)
{
	(void)state;
	assert_true(isa_imm_ok(ISA_ADD64_RI, INT32_MIN));
	assert_false(isa_imm_ok(ISA_ADD64_RI, (int64_t)INT32_MAX + 1));
	assert_true(isa_imm_ok(ISA_ADD32_RI, UINT32_MAX));
	assert_false(isa_imm_ok(ISA_ADD32_RI, (int64_t)UINT32_MAX + 1));
	assert_true(isa_imm_ok(ISA_LSH64_RI, 63));
	assert_false(isa_imm_ok(ISA_LSH64_RI, 64));
	assert_false(isa_imm_ok(ISA_LSH32_RI, 32));
	assert_false(isa_imm_ok(ISA_DIV64_RI, 0));
	assert_true(isa_off_ok(INT16_MIN));
	assert_false(isa_off_ok(INT16_MAX + 1));
	assert_int_equal(isa_by_name("FADD32"), ISA_FADD32);
	assert_int_equal(isa_by_name("NO_SUCH"), -1);
	assert_int_equal(isa_jcc(CC_SGE, true, true), ISA_JSGE32_RI);
	assert_int_equal(isa_jcc(CC_EQ, false, false), ISA_JEQ64_RR);
	assert_int_equal(isa_atomic(AT_XCHG, true), ISA_XCHG32);
	assert_string_equal(back_machine_names.name(ISA_EXIT), "EXIT");
}

static void illegal(void **state)
{
	struct bpf_insn i = isa_insn(ISA_MOV64_RI, BPF_REG_FRAME, 0, 0, 1);

	(void)state;
	assert_non_null(isa_illegal(&i));
	i = isa_insn(ISA_FADD64, 1, BPF_REG_FRAME, 0, 0);
	assert_non_null(isa_illegal(&i));
	i = isa_insn(ISA_RSH32_RI, 1, 0, 0, 32);
	assert_non_null(isa_illegal(&i));
	i = isa_insn(ISA_MOD64_RI, 1, 0, 0, 0);
	assert_non_null(isa_illegal(&i));
	i = isa_insn(ISA_EXIT, 0, 0, 0, 0);
	assert_null(isa_illegal(&i));
	i.off = 1;
	assert_non_null(isa_illegal(&i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_bytes),
		cmocka_unit_test(labels),
		cmocka_unit_test(label_hides_helper),
		cmocka_unit_test(wrong_places),
		cmocka_unit_test(too_far),
		cmocka_unit_test(limits),
		cmocka_unit_test(illegal),
	};

	return cmocka_run_group_tests_name("back/asm", tests, NULL, NULL);
}
