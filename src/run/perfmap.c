/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions made while a program runs (Java, Node.js …) lie in no file. Their runtimes write them to
 * /tmp/perf-PID.map, a line each: start and size in hex, then the name. Anybody can write to /tmp,
 * so the file has to be the process's user's, or root's.
 */
#include "run/sym.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MOST 4096

struct jitted {
	uint64_t start, size;
	const char *name;
};

struct perf_map {
	struct arena *a;
	VEC(struct jitted) v;
	off_t read; /* bytes of the file so far: runtimes only add to it */
};

struct perf_map *perf_map_new(struct arena *a)
{
	struct perf_map *m = ARENA_NEW(a, struct perf_map);

	*m = (struct perf_map){.a = a};
	return m;
}

static FILE *open_map(struct arena *a, uint32_t tgid)
{
	struct stat process, file;
	FILE *f;

	if (stat(arena_printf(a, "/proc/%u", tgid), &process))
		return NULL;
	f = fopen(arena_printf(a, "/proc/%u/root/tmp/perf-%u.map", tgid, tgid), "re");
	if (f && !fstat(fileno(f), &file) && S_ISREG(file.st_mode) &&
		(file.st_uid == process.st_uid || !file.st_uid))
		return f;
	if (f)
		fclose(f);
	return NULL;
}

/* Adds what was written since the last time. */
static void read_more(struct perf_map *m, uint32_t tgid)
{
	FILE *f = open_map(m->a, tgid);
	char line[LINE_MOST];

	if (!f || fseeko(f, m->read, SEEK_SET)) {
		if (f)
			fclose(f);
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		struct jitted j = {0};
		char *size, *name;

		if (!strchr(line, '\n')) /* still being written, or no line of such a file */
			break;
		m->read = ftello(f);
		j.start = strtoull(line, &size, 16);
		j.size = strtoull(size, &name, 16);
		if (size == line || name == size || *name != ' ')
			continue;
		name += strspn(name, " ");
		j.name = arena_strndup(m->a, name, strcspn(name, "\n"));
		vec_push(m->a, &m->v, j);
	}
	fclose(f);
}

/* The last line that has the address: code may have moved to where other code was. */
static const struct jitted *find(const struct perf_map *m, uint64_t addr)
{
	for (uint32_t i = m->v.n; i-- > 0;) {
		if (addr - m->v.v[i].start < m->v.v[i].size)
			return &m->v.v[i];
	}
	return NULL;
}

const char *perf_map_at(struct perf_map *m, uint32_t tgid, uint64_t addr, uint64_t *off)
{
	const struct jitted *j = find(m, addr);

	if (!j) {
		read_more(m, tgid);
		j = find(m, addr);
	}
	if (!j)
		return NULL;
	*off = addr - j->start;
	return j->name;
}
