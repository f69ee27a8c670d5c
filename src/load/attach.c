/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attaches programs: one function per probe kind, all or nothing. What an attachment holds is a
 * descriptor whose end ends the attachment, so nothing outlives this process.
 */
#include "load/internal.h"
#include "kern/kern.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MANY_PROBES 200 /* from here on the usual limit of 1024 files may not do */

/* A probe that may be missing: the message becomes a warning, or nothing. */
static bool left_out(struct loaded *l, uint32_t probe, const char *why)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];

	if (!(p->flags & META_PROBE_OPTIONAL))
		return false;
	l->left_out++;
	if (!(p->flags & META_PROBE_QUIET))
		diag_warn(l->d, load_span(l, p->off, p->len), DIAG_NO_SUCH_TARGET,
			"'%s' was left out: %s", p->name, why);
	return true;
}

int attach_error(struct loaded *l, uint32_t probe, const char *kind, int err)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];

	/* rights and limits are no property of the probe */
	if (err != EPERM && err != EACCES && err != EMFILE && err != ENOMEM &&
		left_out(l, probe, sys_cause(SYS_ATTACH, kind, err)))
		return SKEP_OK;
	return sys_error(l, SYS_ATTACH, kind, load_span(l, p->off, p->len), err,
		"cannot attach to '%s'", p->name);
}

int probe_missing(struct loaded *l, uint32_t probe, const char *why, const char *hint)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];

	if (left_out(l, probe, why))
		return SKEP_OK;
	diag_hint(l->d,
		diag_error(l->d, load_span(l, p->off, p->len), DIAG_NO_SUCH_TARGET,
			"cannot attach to '%s': %s", p->name, why),
		"%s", hint);
	return SKEP_ESYS;
}

/* What a program that serves several probes is told: see struct meta_probe. */
uint64_t probe_cookie(const struct loaded *l, uint32_t probe)
{
	return (uint64_t)l->meta.probes.v[probe].func_id << 32 | probe;
}

int attach_prog_fd(const struct loaded *l, uint32_t probe)
{
	return l->prog[l->meta.probes.v[probe].prog].fd;
}

void attach_keep(struct loaded *l, struct loaded_link link)
{
	vec_push(l->a, &l->links, link);
}

void keep_link(struct loaded *l, uint32_t probe, int fd, const char *tracefs)
{
	attach_keep(l, (struct loaded_link){.fd = fd, .probe = probe, .tracefs = tracefs});
}


/* ---- all of them ---- */

static const struct attach_row {
	int (*attach)(struct loaded *l, uint32_t probe);
	bool elsewhere; /* run on demand, or attached as a whole */
} rows[PROBE_COUNT] = {
	[PROBE_BEGIN] = {.elsewhere = true},
	[PROBE_END] = {.elsewhere = true},
	[PROBE_SCHED_EXT] = {.elsewhere = true},
	[PROBE_SCHED_TIMER] = {.elsewhere = true},
	[PROBE_STRUCT_OPS] = {.elsewhere = true},
	[PROBE_KPROBE] = {.attach = attach_kprobe},
	[PROBE_KRETPROBE] = {.attach = attach_kretprobe},
	[PROBE_TRACEPOINT] = {.attach = attach_tracepoint},
	[PROBE_INTERVAL] = {.attach = attach_interval},
	[PROBE_FENTRY] = {.attach = attach_traced},
	[PROBE_FEXIT] = {.attach = attach_traced},
	[PROBE_RAWTRACEPOINT] = {.attach = attach_traced},
	[PROBE_ITER] = {.attach = attach_iter},
	[PROBE_LSM] = {.attach = attach_traced},
	[PROBE_UPROBE] = {.attach = attach_uprobe},
	[PROBE_SELF] = {.elsewhere = true},
	[PROBE_WATCHPOINT] = {.attach = attach_watchpoint},
	[PROBE_USDT] = {.attach = attach_usdt},
	[PROBE_URETPROBE] = {.attach = attach_uprobe},
	[PROBE_PROFILE] = {.attach = attach_profile},
	[PROBE_SOFTWARE] = {.attach = attach_event},
	[PROBE_HARDWARE] = {.attach = attach_event},
	[PROBE_XDP] = {.attach = attach_xdp},
	[PROBE_TC] = {.attach = attach_tc},
	[PROBE_CGROUP_SKB] = {.attach = attach_cgroup_skb},
};

/* Two blocks of one packet hook are one program: it is attached once. */
static bool attached_before(const struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];

	for (uint32_t i = 0; i < probe; i++) {
		const struct meta_probe *q = &l->meta.probes.v[i];

		if (q->prog == p->prog && !strcmp(q->name, p->name))
			return kern_is_packet((enum kern_probe_kind)kern_probe_by_name(q->kind));
	}
	return false;
}

static int attach_one(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	int kind = kern_probe_by_name(p->kind);

	if (kind >= 0 && rows[kind].elsewhere)
		return SKEP_OK;
	if (kind < 0 || !rows[kind].attach) {
		diag_error(l->d, load_span(l, p->off, p->len), DIAG_ATTACH,
			"this skep cannot attach probes of kind '%s'", p->kind);
		return SKEP_ESYS;
	}
	if (attached_before(l, probe))
		return SKEP_OK;
	if (l->meta.progs.v[p->prog].attach_type == BPF_TRACE_KPROBE_MULTI)
		return attach_multi(l, probe);
	if (l->meta.progs.v[p->prog].attach_type == KERN_TRACE_UPROBE_MULTI)
		return attach_uprobe_multi(l, probe);
	return rows[kind].attach(l, probe);
}

int attach_again(struct loaded *l, uint32_t probe)
{
	int kind = kern_probe_by_name(l->meta.probes.v[probe].kind);

	return kind >= 0 && rows[kind].attach ? rows[kind].attach(l, probe) : SKEP_ESYS;
}

static void raise_files(const struct loaded *l)
{
	struct rlimit r;

	if (l->meta.probes.n < MANY_PROBES || getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Events of clocks and counters are one on each CPU. */
static uint32_t links_most(const struct loaded *l)
{
	uint32_t n = l->meta.probes.n + l->meta.ops.n;

	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		if (l->meta.progs.v[l->meta.probes.v[i].prog].type == BPF_PROG_TYPE_PERF_EVENT)
			n += l->target->ncpus;
	}
	return n;
}

/* Operations tables last: a scheduler starts when everything that watches it is in place. */
int load_attach(struct loaded *l)
{
	int err = SKEP_OK;

	raise_files(l);
	vec_reserve(l->a, &l->links, links_most(l)); /* so that keeping cannot fail */
	l->left_out = 0;
	for (uint32_t i = 0; !err && i < l->meta.probes.n; i++) {
		err = attach_one(l, i);
		if (!err && l->progress && !l->progress(l->progress_arg, i + 1, l->meta.probes.n))
			return SKEP_OK;
	}
	for (uint32_t i = 0; !err && i < l->meta.ops.n; i++)
		err = structops_attach(l, i);
	if (err)
		load_detach(l);
	return err;
}

/* What was taken over from a pinned set runs its own program again. */
static void give_back(struct loaded_link *k)
{
	if (k->clsact)
		tc_attach(&k->tc, k->old_prog);
	else
		bpf_link_update(k->fd, k->old_prog, NULL);
}

void load_detach(struct loaded *l)
{
	uint32_t zero = 0;

	maps_stop_timers(l);
	for (uint32_t i = l->links.n; i-- > 0;) {
		struct loaded_link *k = &l->links.v[i];

		if (k->old_prog > 0) {
			give_back(k);
			close(k->old_prog);
		} else if (k->clsact && !k->stays) {
			tc_detach(&k->tc);
		}
		if (k->unregister)
			bpf_map_delete_elem(k->fd, &zero);
		if (k->fd >= 0)
			close(k->fd);
		if (k->tracefs)
			append_text(tracefs_path(l, "kprobe_events"),
				arena_printf(l->a, "-:%s\n", k->tracefs));
	}
	l->links.n = 0;
}

unsigned load_probe_count(const struct loaded *l)
{
	return l->meta.probes.n - l->left_out;
}
