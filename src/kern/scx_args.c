/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Look-ups in scx_args.def. */
#include "kern/kern.h"
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
