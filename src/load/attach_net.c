/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attaches packet programs: XDP, tc, cgroups. By links wherever the kernel has them, so that what is
 * attached ends with its descriptor; before tcx (6.6) tc programs are filters of a clsact qdisc, which
 * are taken away by netlink.
 *
 * Nothing foreign is replaced unless the user asked for it (loaded.attach.replace).
 */
#include "load/internal.h"
#include "load/tc.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* enum bpf_attach_type since 6.6; the C library's headers may be older. */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };
#define CGROUP_ROOT "/sys/fs/cgroup"

static bool is_taken(int err)
{
	return err == EBUSY || err == EEXIST;
}

/* ---- what is on an interface already ---- */

static uint32_t xdp_prog_of(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	if (bpf_xdp_query((int)ifindex, 0, &q))
		return 0;
	return q.prog_id ? q.prog_id
	       : q.drv_prog_id ? q.drv_prog_id
	       : q.skb_prog_id ? q.skb_prog_id : q.hw_prog_id;
}

/* "program 'name' (id 7)"; the name is a help for the eye only. */
static const char *prog_text(struct loaded *l, uint32_t id)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	const char *text = arena_printf(l->a, "program %u", id);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.name[0])
		text = arena_printf(l->a, "program '%s' (id %u)", info.name, id);
	if (fd >= 0)
		close(fd);
	return text;
}

static int taken(struct loaded *l, uint32_t probe, unsigned ifindex)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	uint32_t id = xdp_prog_of(ifindex);
	struct diag *e = diag_error(l->d, load_span(l, p->off, p->len), DIAG_ATTACH,
		"cannot attach to '%s': another XDP program is already there%s%s", p->name,
		id ? ": " : "", id ? prog_text(l, id) : "");

	diag_hint(l->d, e, "--replace puts these rules in its place; `ip link show dev %s` tells more",
		p->arg[0]);
	return SKEP_ESYS;
}

/* Detaches the XDP link that is on the interface, whoever holds it. False when there is none. */
static bool evict_link(unsigned ifindex)
{
	uint32_t id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = {0};
		uint32_t len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		bool found;

		if (fd < 0)
			continue;
		found = !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_LINK_TYPE_XDP &&
			info.xdp.ifindex == ifindex && !bpf_link_detach(fd);
		close(fd);
		if (found)
			return true;
	}
	return false;
}

/* 0 or -errno. A driver's and the generic program may be there at once. */
static int evict(unsigned ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	int err = 0;

	while (evict_link(ifindex))
		;
	if (bpf_xdp_query((int)ifindex, 0, &q))
		return -EBUSY;
	if (q.drv_prog_id)
		err = bpf_xdp_detach((int)ifindex, XDP_FLAGS_DRV_MODE, NULL);
	if (!err && q.skb_prog_id)
		err = bpf_xdp_detach((int)ifindex, XDP_FLAGS_SKB_MODE, NULL);
	if (!err && q.hw_prog_id)
		err = bpf_xdp_detach((int)ifindex, XDP_FLAGS_HW_MODE, NULL);
	return err;
}

/* ---- XDP ---- */

static int link_xdp(struct loaded *l, uint32_t probe, unsigned ifindex, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = flags);
	int fd = bpf_link_create(attach_prog_fd(l, probe), (int)ifindex, BPF_XDP, &o);

	return fd < 0 ? -errno : fd;
}

/*
 * Without a mode the kernel chooses the driver's own XDP when there is one. When the driver refuses
 * (MTU, offloads), the generic one, slower but everywhere.
 */
static int open_xdp(struct loaded *l, uint32_t probe, unsigned ifindex)
{
	const char *mode = l->meta.probes.v[probe].arg[1];
	int fd, again;

	if (!*mode && l->attach.xdp_mode)
		mode = l->attach.xdp_mode;
	if (!strcmp(mode, "native"))
		return link_xdp(l, probe, ifindex, XDP_FLAGS_DRV_MODE);
	if (!strcmp(mode, "generic"))
		return link_xdp(l, probe, ifindex, XDP_FLAGS_SKB_MODE);
	if (!strcmp(mode, "offload"))
		return link_xdp(l, probe, ifindex, XDP_FLAGS_HW_MODE);
	fd = link_xdp(l, probe, ifindex, 0);
	if (fd >= 0 || is_taken(-fd) || fd == -EPERM)
		return fd;
	again = link_xdp(l, probe, ifindex, XDP_FLAGS_SKB_MODE);
	return again >= 0 || is_taken(-again) ? again : fd;
}

int attach_xdp(struct loaded *l, uint32_t probe)
{
	unsigned ifindex = if_nametoindex(l->meta.probes.v[probe].arg[0]);
	int fd;

	if (!ifindex)
		return attach_error(l, probe, "xdp", ENODEV);
	if (attach_over_pinned(l, probe, ifindex))
		return SKEP_OK;
	fd = open_xdp(l, probe, ifindex);
	if (fd < 0 && is_taken(-fd)) {
		if (!l->attach.replace)
			return taken(l, probe, ifindex);
		fd = evict(ifindex);
		if (!fd)
			fd = open_xdp(l, probe, ifindex);
	}
	if (fd < 0)
		return attach_error(l, probe, "xdp", -fd);
	attach_keep(l, (struct loaded_link){.fd = fd, .probe = probe, .ifindex = ifindex});
	return SKEP_OK;
}

bool xdp_mode_fits(unsigned ifindex, const char *mode)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);

	if (!*mode)
		return true;
	if (bpf_xdp_query((int)ifindex, 0, &q))
		return false;
	return q.attach_mode == (*mode == 'n' ? XDP_ATTACHED_DRV : *mode == 'g' ? XDP_ATTACHED_SKB
									 : XDP_ATTACHED_HW);
}

/* ---- tc ---- */

static int open_tcx(struct loaded *l, uint32_t probe, unsigned ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_link_create_opts, o);
	int fd = bpf_link_create(attach_prog_fd(l, probe), (int)ifindex,
		(enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS), &o);

	return fd < 0 ? -errno : fd;
}

int attach_tc(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	unsigned ifindex = if_nametoindex(p->arg[0]);
	bool egress = !strcmp(p->arg[1], "egress");
	struct loaded_link k = {.fd = -1, .probe = probe, .ifindex = ifindex};
	int err = 0;

	if (!ifindex)
		return attach_error(l, probe, "tc", ENODEV);
	if (attach_over_pinned(l, probe, ifindex))
		return SKEP_OK;
	k.fd = open_tcx(l, probe, ifindex, egress);
	/* EINVAL, EOPNOTSUPP: a kernel without tcx */
	if (k.fd < 0 && (k.fd == -EINVAL || k.fd == -EOPNOTSUPP)) {
		k.clsact = true;
		k.tc = (struct tc_filter){.ifindex = ifindex, .egress = egress};
		if (attach_filter_over_pinned(l, &k.tc))
			k.old_prog = tc_program(&k.tc);
		err = tc_attach(&k.tc, attach_prog_fd(l, probe));
		k.fd = -1;
	} else if (k.fd < 0) {
		err = k.fd;
	}
	if (err)
		return attach_error(l, probe, "tc", -err);
	attach_keep(l, k);
	return SKEP_OK;
}

/* ---- cgroups ---- */

int attach_cgroup_skb(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	const char *path = p->arg[0];
	int dir, fd;

	if (attach_over_pinned(l, probe, 0))
		return SKEP_OK;
	if (strncmp(path, CGROUP_ROOT, strlen(CGROUP_ROOT)))
		path = arena_printf(l->a, CGROUP_ROOT "%s%s", *path == '/' ? "" : "/", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return attach_error(l, probe, "cgroup_skb", errno);
	fd = bpf_link_create(attach_prog_fd(l, probe), dir,
		(enum bpf_attach_type)l->meta.progs.v[p->prog].attach_type, NULL);
	if (fd < 0) {
		fd = -errno;
		close(dir);
		return attach_error(l, probe, "cgroup_skb", -fd);
	}
	close(dir);
	attach_keep(l, (struct loaded_link){.fd = fd, .probe = probe});
	return SKEP_OK;
}
