/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's functions, from a file like /proc/kallsyms: "ffffffff81000000 T name\t[module]". */
#include "run/sym.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)64 * 1024)
#define LAST_SIZE (1u << 16) /* how far the last symbol is believed to reach */

struct ksym {
	uint64_t addr;
	const char *name;
	uint32_t order; /* in the file; global names come before local ones at the same address */
};

struct ksym_table {
	struct arena *a;
	VEC(struct ksym) v;
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void line(struct ksym_table *t, const char *s, const char *end)
{
	uint64_t addr = 0;
	const char *name;
	bool global;
	size_t n;

	for (; s < end && hex(*s) >= 0; s++)
		addr = addr << 4 | (unsigned)hex(*s);
	if (!addr || end - s < 4 || s[0] != ' ' || !strchr("tTwW", s[1]) || s[2] != ' ')
		return;
	global = s[1] != 't';
	name = s += 3;
	while (s < end && *s != '\t' && *s != ' ')
		s++;
	n = (size_t)(s - name);
	vec_push(t->a, &t->v, (struct ksym){addr, arena_strndup(t->a, name, n),
				      t->v.n + (global ? 0 : UINT32_MAX / 2)});
}

static int compare(const void *x, const void *y)
{
	const struct ksym *a = x, *b = y;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

struct ksym_table *ksym_load(struct arena *a, const char *path)
{
	struct ksym_table *t = ARENA_NEW(a, struct ksym_table);
	char *chunk = arena_alloc(a, CHUNK);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t have = 0, n = 0;
	ssize_t got;

	*t = (struct ksym_table){.a = a};
	while (fd >= 0 && (got = read(fd, chunk + have, CHUNK - have)) > 0) {
		char *s = chunk, *end = chunk + have + got, *nl;

		for (; (nl = memchr(s, '\n', (size_t)(end - s))); s = nl + 1)
			line(t, s, nl);
		have = (size_t)(end - s);
		if (have == CHUNK) /* no line is that long */
			break;
		memmove(chunk, s, have);
	}
	if (fd >= 0)
		close(fd);
	if (t->v.n)
		qsort(t->v.v, t->v.n, sizeof(*t->v.v), compare);
	for (uint32_t i = 0; i < t->v.n; i++) { /* one name an address: the first */
		if (!i || t->v.v[i].addr != t->v.v[n - 1].addr)
			t->v.v[n++] = t->v.v[i];
	}
	t->v.n = (uint32_t)n;
	return t;
}

const char *ksym_at(const struct ksym_table *t, uint64_t addr, uint64_t *off)
{
	uint32_t lo = 0, hi = t->v.n;

	while (lo < hi) { /* the first that lies behind addr */
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->v.v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || (lo == t->v.n && addr - t->v.v[lo - 1].addr >= LAST_SIZE))
		return NULL;
	*off = addr - t->v.v[lo - 1].addr;
	return t->v.v[lo - 1].name;
}
