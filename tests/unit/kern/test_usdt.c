/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments of statically defined probes on each architecture, and text that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kern/usdt.h"
#include <string.h>

static struct usdt_arg parse(enum kern_arch arch, const char *args, unsigned n)
{
	const char *why = NULL;
	struct usdt_arg a = {0};

	if (!usdt_arg_parse(arch, args, n, &a, &why))
		fail_msg("'%s' %u: %s", args, n, why);
	return a;
}

static void is_reg(enum kern_arch arch, const char *args, unsigned n, const char *reg, int size)
{
	struct usdt_arg a = parse(arch, args, n);

	assert_int_equal(a.kind, UA_REG);
	assert_int_equal(a.reg, kern_reg_off(arch, reg));
	assert_int_equal(a.is_signed ? -(int)a.size : (int)a.size, size);
}

static void is_mem(enum kern_arch arch, const char *args, unsigned n, const char *reg, int64_t num,
	const char *index, uint32_t scale)
{
	struct usdt_arg a = parse(arch, args, n);

	assert_int_equal(a.kind, UA_MEM);
	assert_int_equal(a.reg, kern_reg_off(arch, reg));
	assert_int_equal(a.num, num);
	assert_int_equal(a.index, index ? kern_reg_off(arch, index) : -1);
	if (index)
		assert_int_equal(a.scale, scale);
}

static void x86(void **state)
{
	static const char args[] =
		"8@%rdi -4@%eax 2@%r8w -1@%sil 1@%bl -4@$-5 8@-8(%rbp) 4@16(%rsp) "
		"8@(%rdi,%rsi,4) 8@%r15 4@%r10d";

	(void)state;
	assert_int_equal(usdt_arg_count(args), 11);
	is_reg(KERN_X86_64, args, 0, "di", 8);
	is_reg(KERN_X86_64, args, 1, "ax", -4);
	is_reg(KERN_X86_64, args, 2, "r8", 2);
	is_reg(KERN_X86_64, args, 3, "si", -1);
	is_reg(KERN_X86_64, args, 4, "bx", 1);
	assert_int_equal(parse(KERN_X86_64, args, 5).kind, UA_CONST);
	assert_int_equal(parse(KERN_X86_64, args, 5).num, -5);
	is_mem(KERN_X86_64, args, 6, "bp", -8, NULL, 0);
	is_mem(KERN_X86_64, args, 7, "sp", 16, NULL, 0);
	is_mem(KERN_X86_64, args, 8, "di", 0, "si", 4);
	is_reg(KERN_X86_64, args, 9, "r15", 8);
	is_reg(KERN_X86_64, args, 10, "r10", 4);
}

static void arm64(void **state)
{
	static const char args[] = "8@x0 -4@w19 4@5 8@[sp] -4@[sp, 16] 8@[x0, x1]";

	(void)state;
	assert_int_equal(usdt_arg_count(args), 6);
	is_reg(KERN_ARM64, args, 0, "r0", 8);
	is_reg(KERN_ARM64, args, 1, "r19", -4);
	assert_int_equal(parse(KERN_ARM64, args, 2).num, 5);
	is_mem(KERN_ARM64, args, 3, "sp", 0, NULL, 0);
	is_mem(KERN_ARM64, args, 4, "sp", 16, NULL, 0);
	is_mem(KERN_ARM64, args, 5, "r0", 0, "r1", 1);
}

static void riscv64(void **state)
{
	static const char args[] = "8@a0 -4@s1 4@5 -4@-24(s0) 8@8(sp)";

	(void)state;
	is_reg(KERN_RISCV64, args, 0, "a0", 8);
	is_reg(KERN_RISCV64, args, 1, "s1", -4);
	assert_int_equal(parse(KERN_RISCV64, args, 2).num, 5);
	is_mem(KERN_RISCV64, args, 3, "s0", -24, NULL, 0);
	is_mem(KERN_RISCV64, args, 4, "sp", 8, NULL, 0);
}

static void nonsense(void **state)
{
	static const char *const bad[] = {"", " ", "8", "8@", "@%rax", "3@%rax", "8@%zmm", "8@(%rax",
		"8@)(", "8@[x0", "8@%rax(", "8f@%xmm0", "8@foo(%rip)", "8@%", "8@(%rax,%rbx,99)",
		"8@(,)", "4@[,]", "-@%rax", "8@$", "8@[]", "8@()",
		"8@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	const enum kern_arch arches[] = {KERN_X86_64, KERN_ARM64, KERN_RISCV64};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		for (int k = 0; k < 3; k++) {
			const char *why = NULL;
			struct usdt_arg a;

			if (usdt_arg_parse(arches[k], bad[i], 0, &a, &why))
				fail_msg("'%s' was taken", bad[i]);
			assert_non_null(why);
		}
	}
	assert_int_equal(usdt_arg_count(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86),
		cmocka_unit_test(arm64),
		cmocka_unit_test(riscv64),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
