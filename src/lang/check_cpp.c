/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of C++ by their own names: uprobe:FILE:cpp:"ns::class::function". The parameters are
 * left out; templates, operators and lambdas have no plain name and are written as the linker knows
 * them. Source: the Itanium C++ ABI, 5.1 (external names).
 */
#include "lang/check.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void take_language(struct attach_point *ap)
{
	if (ap->parts.n == 3 && !strcmp(ap->parts.v[1], "cpp")) {
		ap->parts.v[1] = ap->parts.v[2];
		ap->part_spans.v[1] = ap->part_spans.v[2];
		ap->parts.n--;
		ap->cpp = true;
	} else if (ap->parts.n == 2) {
		ap->cpp = strstr(ap->parts.v[1], "::") != NULL;
	}
}

/* One piece at *p, after "::" unless it is the first; last is the piece before. False: not plain. */
static bool piece(struct buf *b, const char **p, const char **last, size_t *len)
{
	const char *s = *p;
	char *end;
	size_t n;

	if (b->n)
		buf_puts(b, "::");
	if ((*s == 'C' || *s == 'D') && isdigit((unsigned char)s[1]) && *len) {
		buf_puts(b, *s == 'D' ? "~" : "");
		buf_put(b, *last, *len);
		*p += 2;
		return true;
	}
	n = isdigit((unsigned char)*s) ? strtoul(s, &end, 10) : 0;
	if (!n || n > strlen(end))
		return false;
	buf_put(b, end, n);
	*last = end;
	*len = n;
	*p = end + n;
	return true;
}

const char *cpp_name(struct arena *a, const char *s)
{
	const char *last = NULL;
	size_t len = 0;
	struct buf b;
	bool nested;

	if (strncmp(s, "_Z", 2))
		return NULL;
	s += 2;
	nested = *s == 'N';
	s += nested ? 1 + strspn(s + 1, "rVKRO") : 0; /* of methods: const and the like */
	buf_init(&b, a);
	if (!strncmp(s, "St", 2)) {
		buf_puts(&b, "std");
		s += 2;
	}
	s += *s == 'L'; /* static */
	do {
		if (!piece(&b, &s, &last, &len))
			return NULL;
	} while (nested && *s && *s != 'E');
	return *s == 'I' || (nested && !*s) ? NULL : b.p;
}
