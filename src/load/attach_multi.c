/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Many functions, one link. The kernel refuses all of them when it refuses one, so a refused half
 * is halved again until what is wrong stands alone.
 */
#include "load/internal.h"
#include "kern/kern.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

struct multi {
	struct loaded *l;
	const char **syms;
	__u64 *cookies;
	uint32_t *probes;
	uint32_t n;
	bool ret;
};

static int link_range(struct multi *x, uint32_t from, uint32_t n)
{
	LIBBPF_OPTS(bpf_link_create_opts, o);
	int fd;

	o.kprobe_multi.syms = x->syms + from;
	o.kprobe_multi.cookies = x->cookies + from;
	o.kprobe_multi.cnt = n;
	o.kprobe_multi.flags = x->ret ? BPF_F_KPROBE_MULTI_RETURN : 0;
	fd = bpf_link_create(attach_prog_fd(x->l, x->probes[from]), 0, BPF_TRACE_KPROBE_MULTI, &o);
	return fd < 0 ? -errno : fd;
}

static int attach_range(struct multi *x, uint32_t from, uint32_t n)
{
	int fd = link_range(x, from, n), err;

	if (fd >= 0) {
		keep_link(x->l, x->probes[from], fd, NULL);
		return SKEP_OK;
	}
	if (n == 1 || fd == -EPERM || fd == -EMFILE || fd == -ENOMEM)
		return attach_error(x->l, x->probes[from], "kprobe", fd == -ESRCH ? ENOENT : -fd);
	err = attach_range(x, from, n / 2);
	return err ? err : attach_range(x, from + n / 2, n - n / 2);
}

/* The kernel has no kprobe.multi after all: each by itself, with the program as they want it. */
static int attach_each(struct multi *x)
{
	struct loaded *l = x->l;
	uint32_t prog = l->meta.probes.v[x->probes[0]].prog;
	int err;

	l->meta.progs.v[prog].attach_type = 0;
	err = prog_again(l, prog);
	for (uint32_t i = 0; i < x->n && !err; i++)
		err = x->ret ? attach_kretprobe(l, x->probes[i]) : attach_kprobe(l, x->probes[i]);
	return err;
}

static void collect(struct multi *x, uint32_t prog)
{
	const struct meta *m = &x->l->meta;

	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (m->probes.v[i].prog != prog)
			continue;
		x->syms[x->n] = m->probes.v[i].arg[0];
		x->cookies[x->n] = probe_cookie(x->l, i);
		x->probes[x->n++] = i;
	}
}

int attach_multi(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct multi x = {.l = l, .ret = kern_probe_by_name(p->kind) == PROBE_KRETPROBE};
	int fd;

	x.syms = ARENA_ARRAY(l->a, const char *, l->meta.probes.n);
	x.cookies = ARENA_ARRAY(l->a, __u64, l->meta.probes.n);
	x.probes = ARENA_ARRAY(l->a, uint32_t, l->meta.probes.n);
	collect(&x, p->prog);
	if (x.probes[0] != probe)
		return SKEP_OK; /* the first one has brought it along */
	fd = l->target->forgotten & 1ull << KF_KPROBE_MULTI ? -EOPNOTSUPP : link_range(&x, 0, x.n);
	if (fd >= 0) {
		keep_link(l, probe, fd, NULL);
		return SKEP_OK;
	}
	if (fd == -EOPNOTSUPP || fd == -ENOSYS || fd == -524)
		return attach_each(&x);
	return attach_range(&x, 0, x.n);
}
