/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's functions, from a file like /proc/kallsyms: "ffffffff81000000 T name\t[module]". */
#include "run/sym.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)64 * 1024)
#define LAST_SIZE (1u << 16) /* how far the last symbol is believed to reach */

#define EXPECTED (1u << 17) /* functions of a common kernel: room at once, none thrown away while growing */
#define LOCAL (1u << 31)

/* 130 000 of them are read for one stack, so they are small, and names lie close together. */
struct ksym {
	uint64_t addr;
	/* Where the name lies, in the order of the file; LOCAL makes it come after global ones at the address. */
	uint32_t name;
};

struct ksym_table {
	struct arena *a;
	VEC(struct ksym) v;
	VEC(char *) blocks; /* of names, CHUNK bytes each */
	size_t used;	    /* of the last */
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t keep_name(struct ksym_table *t, const char *name, size_t n)
{
	char *to;

	if (!t->blocks.n || t->used + n >= CHUNK) {
		vec_push(t->a, &t->blocks, arena_alloc(t->a, CHUNK));
		t->used = 0;
	}
	to = t->blocks.v[t->blocks.n - 1] + t->used;
	memcpy(to, name, n);
	to[n] = '\0';
	t->used += n + 1;
	return (uint32_t)((t->blocks.n - 1) * CHUNK + (t->used - n - 1));
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
	vec_push(t->a, &t->v, (struct ksym){addr, keep_name(t, name, n) | (global ? 0 : LOCAL)});
}

static int compare(const void *x, const void *y)
{
	const struct ksym *a = x, *b = y;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

struct ksym_table *ksym_load(struct arena *a, const char *path)
{
	struct ksym_table *t = ARENA_NEW(a, struct ksym_table);
	char *chunk = arena_alloc(a, CHUNK);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t have = 0, n = 0;
	ssize_t got;

	*t = (struct ksym_table){.a = a};
	if (fd >= 0)
		vec_reserve(a, &t->v, EXPECTED);
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
	uint32_t lo = 0, hi = t->v.n, name;

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
	name = t->v.v[lo - 1].name & ~LOCAL;
	return t->blocks.v[name / CHUNK] + name % CHUNK;
}
