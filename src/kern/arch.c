/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Architectures: names, and where registers lie in struct pt_regs (regs.def). */
#include "kern/target.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	enum kern_arch arch;
} arch_names[] = {
	/* the first name of each is the canonical one */
	{"x86_64", KERN_X86_64},
	{"amd64", KERN_X86_64},
	{"x86-64", KERN_X86_64},
	{"arm64", KERN_ARM64},
	{"aarch64", KERN_ARM64},
	{"riscv64", KERN_RISCV64},
};

enum kern_arch kern_arch_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(arch_names); i++)
		if (!strcmp(arch_names[i].name, name))
			return arch_names[i].arch;
	return KERN_ANY;
}

const char *kern_arch_name(enum kern_arch a)
{
	for (size_t i = 0; i < COUNT(arch_names); i++)
		if (arch_names[i].arch == a)
			return arch_names[i].name;
	return "any";
}

static const struct {
	const char *name;
	int16_t off;
	enum kern_arch arch : 8;
} regs[] = {
#define R(arch, name, off) {name, off, KERN_##arch},
#include "kern/regs.def"
};

static const struct {
	enum kern_arch arch;
	unsigned n;
	const char *name;
} args[] = {
#define A(arch, n, name) {KERN_##arch, n, name},
#include "kern/regs.def"
};

static const struct {
	enum kern_arch arch;
	const char *name;
} rets[] = {
#define V(arch, name) {KERN_##arch, name},
#include "kern/regs.def"
};

int kern_reg_off(enum kern_arch a, const char *name)
{
	for (size_t i = 0; i < COUNT(regs); i++)
		if (regs[i].arch == a && !strcmp(regs[i].name, name))
			return regs[i].off;
	return -1;
}

int kern_arg_off(enum kern_arch a, unsigned n)
{
	for (size_t i = 0; i < COUNT(args); i++)
		if (args[i].arch == a && args[i].n == n)
			return kern_reg_off(a, args[i].name);
	return -1;
}

int kern_ret_off(enum kern_arch a)
{
	for (size_t i = 0; i < COUNT(rets); i++)
		if (rets[i].arch == a)
			return kern_reg_off(a, rets[i].name);
	return -1;
}

void kern_each_reg(enum kern_arch a, void (*fn)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i < COUNT(regs); i++)
		if (regs[i].arch == a)
			fn(regs[i].name, arg);
}
