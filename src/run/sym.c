/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Processes and what lies in them; stacks by number; the text of both. */
#include "run/sym.h"
#include "load/load.h"
#include <bpf/bpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>

#define KEPT_OPEN 200 /* files; further ones are read at once */
#define STACK_INDENT 8

struct file {
	dev_t dev;
	uint64_t ino;
	const char *path;
	struct elf_syms *syms; /* NULL: could not be opened */
};

struct mapping {
	uint64_t start, end, off;
	struct file *file;
};

struct process {
	uint32_t tgid;
	VEC(struct mapping) maps; /* the newest last: it wins */
	struct perf_map *jitted;
};

/* Stacks of one kind that were released in the last round. Buffers are used again. */
struct kept {
	VEC(uint64_t *) v; /* number, then the value as in the spill map */
	uint32_t n;
};

struct sym {
	struct arena *a;
	struct kept *kept; /* per row of meta.stacks; NULL until needed */
	const struct loaded *l;
	struct ksym_table *kernel;
	VEC(struct process *) processes;
	VEC(struct file *) files;
	uint32_t open;
	uint64_t *frames; /* one value of a stack map */
};

struct sym *sym_new(struct arena *a, const struct loaded *l)
{
	struct sym *s = ARENA_NEW(a, struct sym);

	*s = (struct sym){.a = a, .l = l};
	s->frames = ARENA_ARRAY(a, uint64_t, SYM_FRAMES_MAX + 1);
	return s;
}

void sym_free(struct sym *s)
{
	for (uint32_t i = 0; s && i < s->files.n; i++) {
		if (s->files.v[i]->syms)
			elf_syms_close(s->files.v[i]->syms);
	}
}

/* ---- processes ---- */

/* By its mapping, which also works when the path leads elsewhere by now; else by the path. */
static int open_mapped(struct sym *s, uint32_t tgid, const struct mapping *m, const char *path)
{
	char name[80];
	int fd;

	snprintf(name, sizeof(name), "/proc/%u/map_files/%" PRIx64 "-%" PRIx64, tgid, m->start,
		m->end);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = open(arena_printf(s->a, "/proc/%u/root%s", tgid, path), O_RDONLY | O_CLOEXEC);
	return fd < 0 ? open(path, O_RDONLY | O_CLOEXEC) : fd;
}

static struct file *file_of(struct sym *s, uint32_t tgid, const struct mapping *m, dev_t dev,
	uint64_t ino, const char *path)
{
	struct file *f;
	uint64_t off;
	int fd;

	for (uint32_t i = 0; i < s->files.n; i++) {
		if (s->files.v[i]->dev == dev && s->files.v[i]->ino == ino)
			return s->files.v[i];
	}
	f = ARENA_NEW(s->a, struct file);
	*f = (struct file){.dev = dev, .ino = ino, .path = arena_strdup(s->a, path)};
	vec_push(s->a, &s->files, f);
	fd = open_mapped(s, tgid, m, path);
	if (fd < 0)
		return f;
	f->syms = elf_syms_new(s->a, fd, "/usr/lib/debug/.build-id");
	if (++s->open > KEPT_OPEN)
		elf_syms_at(f->syms, 0, &off);
	return f;
}

static struct process *process_of(struct sym *s, uint32_t tgid)
{
	for (uint32_t i = s->processes.n; i-- > 0;) {
		if (s->processes.v[i]->tgid == tgid)
			return s->processes.v[i];
	}
	return NULL;
}

static bool has_mapping(const struct process *p, const struct mapping *m)
{
	for (uint32_t i = 0; i < p->maps.n; i++) {
		const struct mapping *o = &p->maps.v[i];

		if (o->start == m->start && o->end == m->end && o->off == m->off &&
			o->file == m->file)
			return true;
	}
	return false;
}

/* "7f00-7f10 r-xp 00001000 08:01 1234   /path with blanks" */
static void map_line(struct sym *s, struct process *p, char *text)
{
	struct mapping m = {0};
	unsigned major, minor;
	char *at = text, *perms;
	uint64_t ino;

	m.start = strtoull(at, &at, 16);
	if (*at != '-')
		return;
	m.end = strtoull(at + 1, &at, 16);
	perms = at + strspn(at, " ");
	at = perms + strcspn(perms, " ");
	if (at - perms < 4 || perms[2] != 'x')
		return;
	m.off = strtoull(at, &at, 16);
	major = (unsigned)strtoul(at, &at, 16);
	minor = (unsigned)strtoul(at + (*at == ':'), &at, 16);
	ino = strtoull(at, &at, 10);
	at += strspn(at, " ");
	if (!ino || *at != '/')
		return;
	at[strcspn(at, "\n")] = 0;
	m.file = file_of(s, p->tgid, &m, makedev(major, minor), ino, at);
	if (!has_mapping(p, &m))
		vec_push(s->a, &p->maps, m);
}

void sym_seen(struct sym *s, uint32_t tgid)
{
	struct process *p = process_of(s, tgid);
	char name[32], line[4400];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%u/maps", tgid);
	f = fopen(name, "re");
	if (!f)
		return;
	if (!p) {
		p = ARENA_NEW(s->a, struct process);
		*p = (struct process){.tgid = tgid};
		vec_push(s->a, &s->processes, p);
	}
	while (fgets(line, sizeof(line), f))
		map_line(s, p, line);
	fclose(f);
}

static const struct mapping *mapping_at(const struct process *p, uint64_t addr)
{
	for (uint32_t i = p ? p->maps.n : 0; i-- > 0;) {
		if (addr >= p->maps.v[i].start && addr < p->maps.v[i].end)
			return &p->maps.v[i];
	}
	return NULL;
}

/* What lies in no file. */
static bool jitted(struct sym *s, uint32_t tgid, uint64_t addr, struct sym_name *n)
{
	struct process *p = process_of(s, tgid);

	if (!p)
		return false;
	if (!p->jitted)
		p->jitted = perf_map_new(s->a);
	n->name = perf_map_at(p->jitted, tgid, addr, &n->off);
	return n->name != NULL;
}

bool sym_user(struct sym *s, uint32_t tgid, uint64_t addr, struct sym_name *n)
{
	const struct mapping *m = mapping_at(process_of(s, tgid), addr);

	*n = (struct sym_name){.where = "[unknown]"};
	if (!m) { /* not seen yet, or mapped since */
		sym_seen(s, tgid);
		m = mapping_at(process_of(s, tgid), addr);
	}
	if (!m)
		return jitted(s, tgid, addr, n);
	n->where = m->file->path;
	if (m->file->syms)
		n->name = elf_syms_at(m->file->syms, addr - m->start + m->off, &n->off);
	return n->name != NULL;
}

bool sym_kernel(struct sym *s, uint64_t addr, struct sym_name *n)
{
	*n = (struct sym_name){.where = "[kernel]"};
	if (!s->kernel)
		s->kernel = ksym_load(s->a, s->l->target ? s->l->target->ksyms : NULL);
	n->name = ksym_at(s->kernel, addr, &n->off);
	return n->name != NULL;
}

/* ---- stacks ---- */

static bool kept_frames(struct sym *s, uint32_t row, uint64_t number)
{
	const struct kept *k = s->kept ? &s->kept[row] : NULL;

	for (uint32_t i = 0; k && i < k->n; i++) {
		if (k->v.v[i][0] != number)
			continue;
		memcpy(s->frames, k->v.v[i] + 1,
			(s->l->meta.stacks.v[row].limit + 1) * sizeof(*s->frames));
		return true;
	}
	return false;
}

void sym_release_begin(struct sym *s, const struct meta_field *f)
{
	if (!s->kept)
		s->kept = ARENA_ARRAY(s->a, struct kept, s->l->meta.stacks.n + 1);
	if (f->ref < s->l->meta.stacks.n)
		s->kept[f->ref].n = 0;
}

void sym_release(struct sym *s, const struct meta_field *f, uint64_t number)
{
	const struct meta_stack *row;
	struct kept *k;

	if (!(number & META_STACK_SPILL) || f->ref >= s->l->meta.stacks.n || !s->l->map_fd)
		return;
	row = &s->l->meta.stacks.v[f->ref];
	k = &s->kept[f->ref];
	if (k->n == k->v.n)
		vec_push(s->a, &k->v, ARENA_ARRAY(s->a, uint64_t, row->limit + 2));
	k->v.v[k->n][0] = number;
	if (bpf_map_lookup_elem(s->l->map_fd[row->spill], &number, k->v.v[k->n] + 1))
		return;
	k->n++;
	bpf_map_delete_elem(s->l->map_fd[row->spill], &number);
}

int sym_frames(struct sym *s, const struct meta_field *f, uint64_t number, uint64_t *frames,
	uint32_t *tgid)
{
	const struct meta_stack *row;
	bool spilled = number & META_STACK_SPILL;
	uint32_t id = (uint32_t)number - 1, n = 0;
	int fd;

	*tgid = (uint32_t)(number >> 32);
	if (number == META_STACK_EMPTY)
		return 0;
	if (number == META_STACK_LOST || f->ref >= s->l->meta.stacks.n || !s->l->map_fd)
		return -1;
	row = &s->l->meta.stacks.v[f->ref];
	fd = s->l->map_fd[spilled ? row->spill : row->table];
	memset(s->frames, 0, (SYM_FRAMES_MAX + 1) * sizeof(*s->frames));
	if (fd < 0 || (bpf_map_lookup_elem(fd, spilled ? (void *)&number : (void *)&id, s->frames) &&
			      !kept_frames(s, f->ref, number)))
		return -1;
	if (spilled)
		*tgid = (uint32_t)s->frames[0];
	for (; n < row->limit && s->frames[n + spilled]; n++)
		frames[n] = s->frames[n + spilled];
	return (int)n;
}

void sym_kernel_text(struct sym *s, struct buf *out, uint64_t addr)
{
	struct sym_name n;

	if (s && sym_kernel(s, addr, &n))
		buf_puts(out, n.name);
	else
		buf_printf(out, "0x%" PRIx64, addr);
}

void sym_user_text(struct sym *s, struct buf *out, uint32_t tgid, uint64_t addr)
{
	struct sym_name n;

	if (s && sym_user(s, tgid, addr, &n))
		buf_puts(out, n.name);
	else
		buf_printf(out, "0x%" PRIx64, addr);
}

static void frame_text(struct sym *s, struct buf *out, bool user, uint32_t tgid, uint64_t addr,
	uint32_t mode)
{
	struct sym_name n;
	bool known;

	if (mode == META_STACK_RAW) {
		buf_printf(out, "%" PRIx64 "\n", addr);
		return;
	}
	known = user ? sym_user(s, tgid, addr, &n) : sym_kernel(s, addr, &n);
	if (mode == META_STACK_PERF)
		buf_printf(out, "\t%" PRIx64 " ", addr);
	else
		buf_printf(out, "%*s", STACK_INDENT, "");
	if (known)
		buf_printf(out, "%s+%" PRIu64, n.name, n.off);
	else
		buf_printf(out, "0x%" PRIx64, addr);
	if (user && mode == META_STACK_PERF)
		buf_printf(out, " (%s)", n.where);
	buf_putc(out, '\n');
}

void sym_stack_text(struct sym *s, const struct meta *m, struct buf *out,
	const struct meta_field *f, uint64_t number)
{
	uint64_t frames[SYM_FRAMES_MAX];
	uint32_t tgid, mode;
	int n;

	if (!s || f->ref >= m->stacks.n) {
		buf_printf(out, "%" PRIu64, number);
		return;
	}
	mode = m->stacks.v[f->ref].mode;
	buf_putc(out, '\n');
	n = sym_frames(s, f, number, frames, &tgid);
	if (n < 0)
		buf_printf(out, "%*s[lost]\n", STACK_INDENT, "");
	for (int i = 0; i < n; i++)
		frame_text(s, out, f->kind == MK_USTACK, tgid, frames[i], mode);
}
