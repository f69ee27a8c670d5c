/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attaches through perf events: kprobes, tracepoints, clocks, counters. */
#include "load/internal.h"
#include "kern/kern.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/"

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
int perf_attach(struct loaded *l, uint32_t probe, int event, const char *tracefs)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .perf_event.bpf_cookie = probe_cookie(l, probe));
	bool links = !(l->target->forgotten & 1ull << KF_PERF_LINK);
	int link = links ? bpf_link_create(attach_prog_fd(l, probe), event, BPF_PERF_EVENT, &o) : -1;
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
	keep_link(l, probe, link >= 0 ? link : event, tracefs);
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
	if (!*p->arg[1])
		return p->arg[0];
	/* the kernel itself is no module */
	return strcmp(p->arg[0], "vmlinux") ? arena_printf(l->a, "%s:%s", p->arg[0], p->arg[1])
					    : p->arg[1];
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
	if (*p->arg[0] < '0' || *p->arg[0] > '9') /* else num[0] is the address itself */
		attr.kprobe_func = (uint64_t)(uintptr_t)kprobe_symbol(l, p);
	attr.probe_offset = p->num[0];
	return perf_open(l, &attr);
}

int append_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

const char *tracefs_path(struct loaded *l, const char *rest)
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
	err = append_text(events, arena_printf(l->a, "%c:%s %s+%llu\n", ret ? 'r' : 'p', *name,
				     kprobe_symbol(l, p), (unsigned long long)p->num[0]));
	if (err)
		return err;
	path = tracefs_path(l, arena_printf(l->a, "events/%s/id", *name));
	fd = open_tracepoint(l, small_number(l, path, ""));
	if (fd < 0)
		append_text(events, arena_printf(l->a, "-:%s\n", *name));
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
		append_text(tracefs_path(l, "kprobe_events"), arena_printf(l->a, "-:%s\n", name));
	return err ? attach_error(l, probe, "kprobe", -err) : SKEP_OK;
}

int attach_kprobe(struct loaded *l, uint32_t probe)
{
	return attach_kprobe_kind(l, probe, false);
}

int attach_kretprobe(struct loaded *l, uint32_t probe)
{
	return attach_kprobe_kind(l, probe, true);
}

int attach_tracepoint(struct loaded *l, uint32_t probe)
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
	if (id <= 0)
		return probe_missing(l, probe, why,
			l->target->tracefs ? "`skep -l 'tracepoint:*'` lists tracepoints"
					   : "mount -t tracefs tracefs /sys/kernel/tracing");
	fd = open_tracepoint(l, id);
	err = fd < 0 ? fd : perf_attach(l, probe, fd, NULL);
	return err ? attach_error(l, probe, "tracepoint", -err) : SKEP_OK;
}

/* ---- clocks and counters ---- */

/*
 * One event on each CPU, all for the same program. Offline CPUs have none; a CPU that comes later
 * is not watched.
 */
static int attach_each_cpu(struct loaded *l, uint32_t probe, struct perf_event_attr *attr)
{
	uint32_t ncpus = l->target->ncpus ? l->target->ncpus : 1, n = 0;
	int err = 0;

	attr->size = sizeof(*attr);
	for (uint32_t cpu = 0; cpu < ncpus && !err; cpu++) {
		long fd = syscall(SYS_perf_event_open, attr, -1, (int)cpu, -1,
			PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 && errno == ENODEV)
			continue;
		err = fd < 0 ? -errno : perf_attach(l, probe, (int)fd, NULL);
		n += !err;
	}
	return err ? err : n ? 0 : -ENODEV;
}

/* The clock of a CPU: a period in ns, or so many times a second. */
static struct perf_event_attr clock_attr(const struct meta_probe *p)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK};

	attr.freq = p->num[1] != 0;
	attr.sample_period = p->num[1] ? p->num[1] : p->num[0]; /* a union with sample_freq */
	return attr;
}

int attach_interval(struct loaded *l, uint32_t probe)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = l->meta.probes.v[probe].num[0]};
	int fd, err;

	if (!attr.sample_period)
		return attach_error(l, probe, "interval", EINVAL);
	fd = perf_open(l, &attr);
	err = fd < 0 ? fd : perf_attach(l, probe, fd, NULL);
	return err ? attach_error(l, probe, "interval", -err) : SKEP_OK;
}

int attach_profile(struct loaded *l, uint32_t probe)
{
	struct perf_event_attr attr = clock_attr(&l->meta.probes.v[probe]);
	int err = attr.sample_period ? attach_each_cpu(l, probe, &attr) : -EINVAL;

	return err ? attach_error(l, probe, "interval", -err) : SKEP_OK;
}

int attach_event(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct perf_event_attr attr = {.type = (uint32_t)(p->num[0] >> 32),
		.config = (uint32_t)p->num[0],
		.sample_period = p->num[1]};
	int err = attr.sample_period ? attach_each_cpu(l, probe, &attr) : -EINVAL;

	return err ? attach_error(l, probe, p->kind, -err) : SKEP_OK;
}

/* One of the processor's few debug registers, for one process or on every CPU. */
int attach_watchpoint(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct perf_event_attr attr = {.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.bp_type = (uint32_t)(p->num[1] & 0xff),
		.bp_addr = p->num[0],
		.bp_len = p->num[1] >> 8};
	int pid = l->pid > 0 ? l->pid : l->cpid, err;
	long fd;

	if (attr.bp_type == HW_BREAKPOINT_X)
		attr.bp_len = sizeof(long);
	if (pid <= 0) {
		err = attach_each_cpu(l, probe, &attr);
	} else {
		fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
		err = fd < 0 ? -errno : perf_attach(l, probe, (int)fd, NULL);
	}
	return err ? attach_error(l, probe, "watchpoint", -err) : SKEP_OK;
}
