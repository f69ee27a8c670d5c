/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Arguments of statically defined probes: SIZE@OPERAND each, operands as the assembler writes them.
 *
 *   x86-64   %rax  $5  -8(%rbp)  8(%rdi,%rsi,4)
 *   arm64    x0  w1  5  [sp]  [x0, 16]  [x0, x1]
 *   riscv64  a0  5  -24(s0)
 *
 * Source: sys/sdt.h of systemtap and what gcc prints for its operands.
 */
#include "kern/usdt.h"
#include <stdlib.h>
#include <string.h>

/* End of the argument that starts at s: blanks inside brackets belong to it. */
static const char *arg_end(const char *s)
{
	int depth = 0;

	for (; *s && (depth > 0 || *s != ' '); s++)
		depth += (*s == '[' || *s == '(') - (*s == ']' || *s == ')');
	return s;
}

unsigned usdt_arg_count(const char *args)
{
	unsigned n = 0;

	for (args += strspn(args, " "); *args; n++) {
		args = arg_end(args);
		args += strspn(args, " ");
	}
	return n;
}

/* Names of one register by its parts: rax eax ax al are "ax"; r8d is "r8". */
static int x86_reg(const char *name)
{
	static const char *const legacy[] = {"ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"};
	char plain[8];
	size_t n = strlen(name);

	if (n >= sizeof(plain))
		return -1;
	if (name[0] == 'r' && name[1] >= '0' && name[1] <= '9') {
		memcpy(plain, name, n + 1);
		if (strchr("dwb", plain[n - 1]))
			plain[n - 1] = 0;
		return kern_reg_off(KERN_X86_64, plain);
	}
	for (size_t i = 0; i < sizeof(legacy) / sizeof(*legacy); i++) {
		const char *l = legacy[i];
		bool wide = n == 3 && strchr("re", name[0]) && !strcmp(name + 1, l);
		bool low = name[n - 1] == 'l' &&
			   ((n == 2 && l[1] == 'x' && name[0] == l[0]) ||
				   (n == 3 && l[1] != 'x' && !strncmp(name, l, 2)));

		if (wide || low || !strcmp(name, l))
			return kern_reg_off(KERN_X86_64, l);
	}
	return -1;
}

static int arm64_reg(const char *name)
{
	char plain[8] = "r";

	if (!strcmp(name, "sp"))
		return kern_reg_off(KERN_ARM64, "sp");
	if ((name[0] != 'x' && name[0] != 'w') || strlen(name) > 3)
		return -1;
	strcat(plain, name + 1);
	return kern_reg_off(KERN_ARM64, plain);
}

static int reg_off(enum kern_arch arch, const char *name)
{
	if (!*name)
		return -1;
	switch (arch) {
	case KERN_X86_64:
		return name[0] == '%' && name[1] ? x86_reg(name + 1) : -1;
	case KERN_ARM64:
		return arm64_reg(name);
	default:
		return kern_reg_off(arch, name);
	}
}

static bool number(const char *s, int64_t *v)
{
	char *end;

	*v = strtoll(s, &end, 0);
	return end != s && !*end;
}

/* NUM(BASE), NUM(BASE,INDEX,SCALE): cut at its commas. */
static bool parens(enum kern_arch arch, char *s, struct usdt_arg *a)
{
	char *open = strchr(s, '('), *close = strchr(s, ')'), *index, *scale;
	int64_t n = 1;

	if (!open || !close || close < open || close[1])
		return false;
	*open = *close = 0;
	index = strchr(open + 1, ',');
	scale = index ? strchr(index + 1, ',') : NULL;
	if (index)
		*index++ = 0;
	if (scale)
		*scale++ = 0;
	a->kind = UA_MEM;
	a->num = 0;
	if ((*s && !number(s, &a->num)) || (scale && (!number(scale, &n) || n < 1 || n > 8)))
		return false;
	a->scale = (uint32_t)n;
	a->reg = reg_off(arch, open + 1);
	a->index = index ? reg_off(arch, index) : -1;
	return a->reg >= 0 && (!index || a->index >= 0);
}

/* [BASE], [BASE, NUM], [BASE, INDEX] */
static bool brackets(enum kern_arch arch, char *s, struct usdt_arg *a)
{
	char *close = strchr(s, ']'), *comma = strchr(s, ',');

	if (!close || close[1])
		return false;
	*close = 0;
	if (comma)
		*comma++ = 0;
	a->kind = UA_MEM;
	a->scale = 1;
	a->num = 0;
	a->index = -1;
	a->reg = reg_off(arch, s + 1);
	if (a->reg < 0 || !comma)
		return a->reg >= 0;
	comma += strspn(comma, " #");
	if (number(comma, &a->num))
		return true;
	a->num = 0;
	a->index = reg_off(arch, comma);
	return a->index >= 0;
}

static bool operand(enum kern_arch arch, char *s, struct usdt_arg *a)
{
	a->index = -1;
	a->scale = 1;
	a->kind = UA_CONST;
	if (number(s + (*s == '$'), &a->num))
		return true;
	a->kind = UA_REG;
	a->reg = reg_off(arch, s);
	if (a->reg >= 0)
		return true;
	return *s == '[' ? brackets(arch, s, a) : parens(arch, s, a);
}

bool usdt_arg_parse(enum kern_arch arch, const char *args, unsigned n, struct usdt_arg *out,
	const char **why)
{
	const char *end;
	char text[64], *at;
	int64_t size;

	for (args += strspn(args, " "); n && *args; n--) {
		args = arg_end(args);
		args += strspn(args, " ");
	}
	end = arg_end(args);
	*why = "it has no such argument";
	if (!*args)
		return false;
	*why = "the argument is not spelled as known";
	if ((size_t)(end - args) >= sizeof(text))
		return false;
	memcpy(text, args, (size_t)(end - args));
	text[end - args] = 0;
	at = strchr(text, '@');
	if (!at)
		return false;
	*at = 0;
	*why = "arguments of this size are not supported";
	if (!number(text, &size))
		return false;
	out->is_signed = size < 0;
	out->size = (uint32_t)(size < 0 ? -size : size);
	if (out->size != 1 && out->size != 2 && out->size != 4 && out->size != 8)
		return false;
	*why = "the argument is not spelled as known";
	return operand(arch, at + 1, out);
}
