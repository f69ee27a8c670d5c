/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Look-ups in scx_args.def. */
#include "kern/kern.h"
#include <stdio.h>
#include <string.h>

static const struct {
	const char *op, *args;
} rows[] = {
#define OPARGS(operation, args) {operation, args},
#include "kern/scx_args.def"
};

const char *scx_op_arg(const char *op, unsigned index, size_t *len, bool *nullable)
{
	const char *s = NULL;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(rows[i].op, op))
			s = rows[i].args;
	}
	if (!s)
		return NULL;
	while (*s && index--) {
		s += strcspn(s, " ");
		s += *s == ' ';
	}
	*len = strcspn(s, " ?");
	*nullable = s[*len] == '?';
	return *s ? s : NULL;
}

static bool marked_nullable(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len > 10 && !strcmp(name + len - 10, "__nullable");
}

/* The prototype of the operation's stub in the kernel carries the mark. */
bool scx_op_arg_nullable(struct kbtf *btf, const char *op, unsigned index)
{
	struct kbtf_param params[8];
	char stub[80];
	bool nullable = false;
	uint32_t func, n;
	size_t len;

	if (scx_op_arg(op, index, &len, &nullable) && nullable)
		return true;
	snprintf(stub, sizeof(stub), "sched_ext_ops__%.60s", op);
	func = kbtf_func(btf, stub);
	n = func ? kbtf_params(btf, kbtf_func_proto(btf, func), params, 8) : 0;
	return index < n && index < 8 && marked_nullable(params[index].name);
}
