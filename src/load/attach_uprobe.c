/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attaches to functions of programs and libraries. Where a function lies in its file is found when
 * the probe is attached: a saved object may meet another build of the library.
 *
 * meta_probe: arg[0] path, arg[1] function or address; num[0] offset into it.
 */
#include "load/internal.h"
#include "kern/kern.h"
#include "kern/uelf.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UPROBE_PMU "/sys/bus/event_source/devices/uprobe/"

/* The file that was looked into last stays open: the probes of a pattern share it. */
struct ufile {
	const char *path;
	struct uelf *u;
};

static struct uelf *open_once(struct loaded *l, struct ufile *file, const char *path,
	const char **why)
{
	if (file->u && !strcmp(file->path, path))
		return file->u;
	uelf_close(file->u);
	file->path = path;
	file->u = uelf_open(l->a, path, why);
	return file->u;
}

static bool is_return(const struct meta_probe *p)
{
	return kern_probe_by_name(p->kind) == PROBE_URETPROBE;
}

/* Offset of the probe in its file; *why when there is none. */
static bool file_offset(struct loaded *l, uint32_t probe, struct ufile *file, uint64_t *off,
	const char **why)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct uelf *u = open_once(l, file, p->arg[0], why);
	struct uelf_func f;
	char *end;

	if (!u)
		return false;
	f.addr = strtoull(p->arg[1], &end, 0);
	*why = arena_printf(l->a, "'%s' has no such function", p->arg[0]);
	if ((*end || end == p->arg[1]) && !uelf_find(u, p->arg[1], &f))
		return false;
	*why = "its address is in no loaded part of the file";
	return uelf_file_offset(u, f.addr + p->num[0], off);
}

/* Bit of a PMU's format file: "config:0", "config:32-63". */
static int format_bit(struct loaded *l, const char *file)
{
	const char *s = read_small(l->a, file);

	return s && !strncmp(s, "config:", 7) ? atoi(s + 7) : -1;
}

static int open_event(struct loaded *l, const struct meta_probe *p, uint64_t off, uint64_t ref_ctr)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	const char *type = read_small(l->a, UPROBE_PMU "type");
	int ret_bit = format_bit(l, UPROBE_PMU "format/retprobe");
	int ref_bit = format_bit(l, UPROBE_PMU "format/ref_ctr_offset");
	int pid = l->pid > 0 ? l->pid : -1;
	long fd;

	if (!type || ret_bit < 0 || (ref_ctr && ref_bit < 0))
		return -EOPNOTSUPP;
	attr.type = (uint32_t)atoi(type);
	attr.config = is_return(p) ? 1ull << ret_bit : 0;
	attr.config |= ref_ctr ? ref_ctr << ref_bit : 0;
	attr.uprobe_path = (uint64_t)(uintptr_t)p->arg[0];
	attr.probe_offset = off;
	fd = syscall(SYS_perf_event_open, &attr, pid, pid > 0 ? -1 : 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

static int attach_at(struct loaded *l, uint32_t probe, uint64_t off, uint64_t ref_ctr)
{
	int fd = open_event(l, &l->meta.probes.v[probe], off, ref_ctr);
	int err = fd < 0 ? fd : perf_attach(l, probe, fd, NULL);

	return err ? attach_error(l, probe, "uprobe", -err) : SKEP_OK;
}

int attach_uprobe(struct loaded *l, uint32_t probe)
{
	struct ufile file = {0};
	const char *why = NULL;
	uint64_t off;
	bool found = file_offset(l, probe, &file, &off, &why);

	uelf_close(file.u);
	if (!found)
		return probe_missing(l, probe, why, "`skep -l 'uprobe:FILE:*'` lists functions");
	return attach_at(l, probe, off, 0);
}

/* ---- statically defined probes ---- */

struct same_place {
	const struct meta_probe *p;
	bool found;
};

static void is_same(const struct uelf_usdt *u, void *arg)
{
	struct same_place *x = arg;

	x->found |= u->off == x->p->num[0] && u->semaphore == x->p->num[1] &&
		    !strcmp(u->provider, x->p->arg[1]) && !strcmp(u->name, x->p->arg[2]);
}

/* The kernel counts in the probe's semaphore while it is attached, so that programs see it. */
int attach_usdt(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct same_place same = {p, false};
	const char *why = NULL;
	struct uelf *u = uelf_open(l->a, p->arg[0], &why);

	if (u)
		uelf_each_usdt(u, is_same, &same);
	uelf_close(u);
	if (!same.found)
		return probe_missing(l, probe, u ? "the file has changed" : why,
			"compile the script again");
	return attach_at(l, probe, p->num[0], p->num[1]);
}

/* ---- many in one link ---- */

/* bpf_attr.link_create with its part for uprobe.multi, include/uapi/linux/bpf.h of 6.6 */
struct link_attr {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid, pad;
};

struct umulti {
	struct loaded *l;
	uint64_t *offs;
	uint64_t *cookies;
	uint32_t *probes;
	uint32_t n;
};

static int link_range(struct umulti *x, uint32_t from, uint32_t n)
{
	const struct meta_probe *p = &x->l->meta.probes.v[x->probes[from]];
	struct link_attr attr = {
		.prog_fd = (uint32_t)attach_prog_fd(x->l, x->probes[from]),
		.attach_type = KERN_TRACE_UPROBE_MULTI,
		.path = (uintptr_t)p->arg[0],
		.offsets = (uintptr_t)(x->offs + from),
		.cookies = (uintptr_t)(x->cookies + from),
		.cnt = n,
		.multi_flags = is_return(p),
		.pid = x->l->pid > 0 ? (uint32_t)x->l->pid : 0,
	};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

/* As kprobes of attach_multi.c: a refused half is halved until what is wrong stands alone. */
static int attach_range(struct umulti *x, uint32_t from, uint32_t n)
{
	int fd = link_range(x, from, n), err;

	if (fd >= 0) {
		keep_link(x->l, x->probes[from], fd, NULL);
		return SKEP_OK;
	}
	if (n == 1 || fd == -EPERM || fd == -EMFILE || fd == -ENOMEM)
		return attach_error(x->l, x->probes[from], "uprobe", -fd);
	err = attach_range(x, from, n / 2);
	return err ? err : attach_range(x, from + n / 2, n - n / 2);
}

/* The probes of the program that are in one file, with their places. */
static int collect(struct umulti *x, uint32_t prog, const char *path)
{
	const struct meta *m = &x->l->meta;
	struct ufile file = {0};
	int err = SKEP_OK;

	x->n = 0;
	for (uint32_t i = 0; i < m->probes.n && !err; i++) {
		const char *why = NULL;
		uint64_t off;

		if (m->probes.v[i].prog != prog || strcmp(m->probes.v[i].arg[0], path))
			continue;
		if (!file_offset(x->l, i, &file, &off, &why)) {
			err = probe_missing(x->l, i, why, "`skep -l 'uprobe:FILE:*'` lists functions");
			continue;
		}
		x->offs[x->n] = off;
		x->cookies[x->n] = probe_cookie(x->l, i);
		x->probes[x->n++] = i;
	}
	uelf_close(file.u);
	return err;
}

/* Whether an earlier probe of the program is in the same file. */
static bool file_done(const struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];

	for (uint32_t i = 0; i < probe; i++) {
		const struct meta_probe *q = &l->meta.probes.v[i];

		if (q->prog == p->prog && !strcmp(q->arg[0], p->arg[0]))
			return true;
	}
	return false;
}

int attach_uprobe_multi(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct umulti x = {.l = l};
	int err, fd;

	if (file_done(l, probe))
		return SKEP_OK;
	x.offs = ARENA_ARRAY(l->a, uint64_t, l->meta.probes.n);
	x.cookies = ARENA_ARRAY(l->a, uint64_t, l->meta.probes.n);
	x.probes = ARENA_ARRAY(l->a, uint32_t, l->meta.probes.n);
	err = collect(&x, p->prog, p->arg[0]);
	if (err || !x.n)
		return err;
	fd = l->target->forgotten & 1ull << KF_UPROBE_MULTI ? -EOPNOTSUPP : link_range(&x, 0, x.n);
	if (fd >= 0) {
		keep_link(l, x.probes[0], fd, NULL);
		return SKEP_OK;
	}
	if (fd != -EOPNOTSUPP && fd != -ENOSYS && fd != -524)
		return attach_range(&x, 0, x.n);
	/* The kernel has none after all: each by itself, with the program as they want it. */
	l->meta.progs.v[p->prog].attach_type = 0;
	err = prog_again(l, p->prog);
	for (uint32_t i = 0; i < x.n && !err; i++)
		err = attach_at(l, x.probes[i], x.offs[i], 0);
	return err;
}
