/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Patterns of names. libc's fnmatch brings tables for all of Unicode's letters with it, a tenth of
 * the loader's size.
 */
#include "base/glob.h"
#include <string.h>

/* "[a-c]", "[!xy]" at p: whether c is in it; *next is behind it. NULL when it does not end. */
static const char *in_class(const char *p, char c, bool *in)
{
	bool not = p[1] == '!' || p[1] == '^', found = false;
	const char *first = p += 1 + not;

	for (; *p && (*p != ']' || p == first); p++) {
		if (p[1] == '-' && p[2] && p[2] != ']') {
			found |= (unsigned char)*p <= (unsigned char)c &&
				 (unsigned char)c <= (unsigned char)p[2];
			p += 2;
		} else {
			found |= *p == c;
		}
	}
	*in = found != not;
	return *p ? p + 1 : NULL;
}

/* One character of text by one element of the pattern; where the pattern goes on, NULL: no match. */
static const char *one(const char *p, char c)
{
	const char *next;
	bool in = false;

	if (*p == '[') {
		next = in_class(p, c, &in);
		if (next)
			return in ? next : NULL;
	}
	if (*p == '?')
		return p + 1;
	if (*p == '\\' && p[1])
		p++;
	return *p == c ? p + 1 : NULL;
}

bool name_matches(const char *p, const char *text)
{
	const char *star = NULL, *again = NULL, *next;

	while (*text) {
		if (*p == '*') {
			star = ++p;
			again = text;
			continue;
		}
		next = *p ? one(p, *text) : NULL;
		if (next) {
			p = next;
			text++;
		} else if (star) { /* the last star takes one more */
			p = star;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

/* memmem(), whose tables are a kilobyte in one C library. */
const char *glob_find(const char *in, size_t n, const char *what, size_t len)
{
	for (const char *end = in + n; len && (size_t)(end - in) >= len; in++) {
		in = memchr(in, *what, (size_t)(end - in) - len + 1);
		if (!in)
			return NULL;
		if (!memcmp(in, what, len))
			return in;
	}
	return NULL;
}
