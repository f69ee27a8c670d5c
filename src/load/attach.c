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

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/"
#define MANY_PROBES 200 /* from here on the usual limit of 1024 files may not do */

int attach_error(struct loaded *l, uint32_t probe, const char *kind, int err)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];

	return sys_error(l, SYS_ATTACH, kind, load_span(l, p->off, p->len), err,
		"cannot attach to '%s'", p->name);
}

int attach_prog_fd(const struct loaded *l, uint32_t probe)
{
	return l->prog[l->meta.probes.v[probe].prog].fd;
}

void attach_keep(struct loaded *l, struct loaded_link link)
{
	vec_push(l->a, &l->links, link);
}

static void keep(struct loaded *l, uint32_t probe, int fd, const char *tracefs)
{
	attach_keep(l, (struct loaded_link){.fd = fd, .probe = probe, .tracefs = tracefs});
}

/* ---- perf events: kprobes, tracepoints, clocks ---- */

/* All tasks on one CPU: for probes any will do, they fire everywhere. -errno on failure. */
static int perf_open(struct loaded *l, struct perf_event_attr *attr)
{
	uint32_t ncpus = l->target->ncpus ? l->target->ncpus : 1;

	attr->size = sizeof(*attr);
	for (uint32_t cpu = 0;; cpu++) {
		long fd = syscall(SYS_perf_event_open, attr, -1, (int)cpu, -1,
			PERF_FLAG_FD_CLOEXEC);

		if (fd >= 0)
			return (int)fd;
		if (errno != ENODEV || cpu + 1 >= ncpus) /* ENODEV: this CPU is offline */
			return -errno;
	}
}

/*
 * A link where the kernel has them (5.15), else the older ioctl. The link keeps the event alive,
 * so either way one descriptor remains; 0 or -errno, event closed on failure.
 */
static int perf_attach(struct loaded *l, uint32_t probe, int event, const char *tracefs)
{
	bool links = !(l->target->forgotten & 1ull << KF_PERF_LINK);
	int link = links ? bpf_link_create(attach_prog_fd(l, probe), event, BPF_PERF_EVENT, NULL) : -1;
	int err;

	if (link < 0 && ioctl(event, PERF_EVENT_IOC_SET_BPF, attach_prog_fd(l, probe)) < 0) {
		err = -errno;
		close(event);
		return err;
	}
	if (ioctl(event, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		err = -errno;
		if (link >= 0)
			close(link);
		close(event);
		return err;
	}
	if (link >= 0)
		close(event);
	keep(l, probe, link >= 0 ? link : event, tracefs);
	return 0;
}

static long small_number(struct loaded *l, const char *path, const char *prefix)
{
	const char *s = read_small(l->a, path);

	if (!s || strncmp(s, prefix, strlen(prefix)))
		return -1;
	return strtol(s + strlen(prefix), NULL, 10);
}

/* "function" or "module:function". */
static const char *kprobe_symbol(struct loaded *l, const struct meta_probe *p)
{
	return *p->arg[1] ? arena_printf(l->a, "%s:%s", p->arg[0], p->arg[1]) : p->arg[0];
}

/* Through the kprobe PMU (4.17). -ENOENT with *missing when the kernel has no such PMU. */
static int open_kprobe_pmu(struct loaded *l, const struct meta_probe *p, bool ret, bool *missing)
{
	struct perf_event_attr attr = {0};
	long type = small_number(l, KPROBE_PMU "type", "");
	long bit = ret ? small_number(l, KPROBE_PMU "format/retprobe", "config:") : 0;

	*missing = type < 0 || bit < 0 || bit > 63 || l->target->forgotten & 1ull << KF_KPROBE_PMU;
	if (*missing)
		return -ENOENT;
	attr.type = (uint32_t)type;
	attr.config = ret ? 1ull << bit : 0;
	attr.kprobe_func = (uint64_t)(uintptr_t)kprobe_symbol(l, p);
	attr.probe_offset = strtoull(p->arg[2], NULL, 10);
	return perf_open(l, &attr);
}

static int append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static const char *tracefs_path(struct loaded *l, const char *rest)
{
	return arena_printf(l->a, "%s/%s", l->target->tracefs, rest);
}

static int open_tracepoint(struct loaded *l, long id)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .config = (uint64_t)id};

	return perf_open(l, &attr);
}

/* Without the PMU: a kprobe event made in tracefs, which is then a tracepoint. */
static int open_kprobe_tracefs(struct loaded *l, uint32_t probe, bool ret, const char **name)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	const char *events, *path;
	int err, fd;

	if (!l->target->tracefs)
		return -EOPNOTSUPP;
	events = tracefs_path(l, "kprobe_events");
	*name = arena_printf(l->a, "skep_%d/p%u", (int)getpid(), probe);
	err = append(events, arena_printf(l->a, "%c:%s %s+%llu\n", ret ? 'r' : 'p', *name,
				     kprobe_symbol(l, p), strtoull(p->arg[2], NULL, 10)));
	if (err)
		return err;
	path = tracefs_path(l, arena_printf(l->a, "events/%s/id", *name));
	fd = open_tracepoint(l, small_number(l, path, ""));
	if (fd < 0)
		append(events, arena_printf(l->a, "-:%s\n", *name));
	return fd;
}

static int attach_kprobe_kind(struct loaded *l, uint32_t probe, bool ret)
{
	const char *name = NULL;
	bool missing;
	int fd = open_kprobe_pmu(l, &l->meta.probes.v[probe], ret, &missing), err;

	if (missing)
		fd = open_kprobe_tracefs(l, probe, ret, &name);
	err = fd < 0 ? fd : perf_attach(l, probe, fd, name);
	if (err && fd >= 0 && name)
		append(tracefs_path(l, "kprobe_events"), arena_printf(l->a, "-:%s\n", name));
	return err ? attach_error(l, probe, "kprobe", -err) : SKEP_OK;
}

static int attach_kprobe(struct loaded *l, uint32_t probe)
{
	return attach_kprobe_kind(l, probe, false);
}

static int attach_kretprobe(struct loaded *l, uint32_t probe)
{
	return attach_kprobe_kind(l, probe, true);
}

static int attach_tracepoint(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	const char *why = "no such tracepoint";
	long id = -1;
	int fd, err;

	if (l->target->tracefs)
		id = small_number(l,
			tracefs_path(
				l, arena_printf(l->a, "events/%s/%s/id", p->arg[0], p->arg[1])),
			"");
	else
		why = "tracefs is not mounted";
	if (id <= 0) {
		struct diag *e = diag_error(l->d, load_span(l, p->off, p->len),
			DIAG_NO_SUCH_TARGET, "cannot attach to '%s': %s", p->name, why);

		diag_hint(l->d, e, l->target->tracefs
					   ? "`skep -l 'tracepoint:*'` lists tracepoints"
					   : "mount -t tracefs tracefs /sys/kernel/tracing");
		return SKEP_ESYS;
	}
	fd = open_tracepoint(l, id);
	err = fd < 0 ? fd : perf_attach(l, probe, fd, NULL);
	return err ? attach_error(l, probe, "tracepoint", -err) : SKEP_OK;
}

/* A software clock that overflows every so many nanoseconds of one CPU's time. */
static int attach_interval(struct loaded *l, uint32_t probe)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = strtoull(l->meta.probes.v[probe].arg[0], NULL, 10)};
	int fd, err;

	if (!attr.sample_period)
		return attach_error(l, probe, "interval", EINVAL);
	fd = perf_open(l, &attr);
	err = fd < 0 ? fd : perf_attach(l, probe, fd, NULL);
	return err ? attach_error(l, probe, "interval", -err) : SKEP_OK;
}

/* ---- all of them ---- */

static const struct attach_row {
	int (*attach)(struct loaded *l, uint32_t probe);
	bool elsewhere; /* run on demand, or attached as a whole */
} rows[PROBE_COUNT] = {
	[PROBE_BEGIN] = {.elsewhere = true},
	[PROBE_END] = {.elsewhere = true},
	[PROBE_SCHED_EXT] = {.elsewhere = true},
	[PROBE_STRUCT_OPS] = {.elsewhere = true},
	[PROBE_KPROBE] = {.attach = attach_kprobe},
	[PROBE_KRETPROBE] = {.attach = attach_kretprobe},
	[PROBE_TRACEPOINT] = {.attach = attach_tracepoint},
	[PROBE_INTERVAL] = {.attach = attach_interval},
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
	return attached_before(l, probe) ? SKEP_OK : rows[kind].attach(l, probe);
}

static void raise_files(const struct loaded *l)
{
	struct rlimit r;

	if (l->meta.probes.n < MANY_PROBES || getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Operations tables last: a scheduler starts when everything that watches it is in place. */
int load_attach(struct loaded *l)
{
	int err = SKEP_OK;

	raise_files(l);
	vec_reserve(l->a, &l->links,
		l->meta.probes.n + l->meta.ops.n); /* so that keeping cannot fail */
	for (uint32_t i = 0; !err && i < l->meta.probes.n; i++)
		err = attach_one(l, i);
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
			append(tracefs_path(l, "kprobe_events"),
				arena_printf(l->a, "-:%s\n", k->tracefs));
	}
	l->links.n = 0;
}

unsigned load_probe_count(const struct loaded *l)
{
	return l->meta.probes.n;
}
