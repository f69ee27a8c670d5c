/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The clsact qdisc: libbpf speaks netlink for us, except for asking what filters there are. */
#include "load/tc.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bpf_tc_hook hook_of(const struct tc_filter *f)
{
	return (struct bpf_tc_hook){.sz = sizeof(struct bpf_tc_hook), .ifindex = (int)f->ifindex,
		.attach_point = f->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS};
}

int tc_attach(struct tc_filter *f, int prog_fd)
{
	struct bpf_tc_hook hook = hook_of(f);
	LIBBPF_OPTS(bpf_tc_opts, o, .prog_fd = prog_fd, .handle = f->handle, .priority = f->priority);
	libbpf_print_fn_t say = libbpf_set_print(NULL); /* our caller tells the user */
	int err = bpf_tc_hook_create(&hook);

	if (!err)
		f->made_qdisc = true;
	if (f->priority)
		o.flags = BPF_TC_F_REPLACE;
	if (!err || err == -EEXIST)
		err = bpf_tc_attach(&hook, &o);
	libbpf_set_print(say);
	if (err)
		return err;
	f->handle = o.handle;
	f->priority = o.priority;
	return 0;
}

int tc_program(const struct tc_filter *f)
{
	struct bpf_tc_hook hook = hook_of(f);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = f->handle, .priority = f->priority);
	libbpf_print_fn_t say = libbpf_set_print(NULL);
	int err = bpf_tc_query(&hook, &o);

	libbpf_set_print(say);
	return err ? err : bpf_prog_get_fd_by_id(o.prog_id);
}

/* Counts filters in one batch of answers; false at the end. */
static bool count_answers(const uint8_t *p, size_t n, unsigned *filters)
{
	while (n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		size_t len;

		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR ||
			h.nlmsg_len < sizeof(h) || h.nlmsg_len > n)
			return false;
		*filters += h.nlmsg_type == RTM_NEWTFILTER;
		len = NLMSG_ALIGN(h.nlmsg_len);
		if (len >= n)
			break;
		p += len;
		n -= len;
	}
	return true;
}

/* Filters of one direction; when asking fails, as if there were one. */
static unsigned count_filters(uint32_t ifindex, uint32_t minor)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg t;
	} ask = {{.nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETTFILTER,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		{.tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor)}};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	uint8_t answer[16384];
	unsigned filters = 0;
	ssize_t n;

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) != (ssize_t)sizeof(ask)) {
		if (fd >= 0)
			close(fd);
		return 1;
	}
	while ((n = recv(fd, answer, sizeof(answer), 0)) > 0) {
		if (!count_answers(answer, (size_t)n, &filters))
			break;
	}
	close(fd);
	return n > 0 ? filters : 1;
}

void tc_detach(const struct tc_filter *f)
{
	struct bpf_tc_hook hook = hook_of(f);
	LIBBPF_OPTS(bpf_tc_opts, o, .handle = f->handle, .priority = f->priority);

	bpf_tc_detach(&hook, &o);
	if (!f->made_qdisc || count_filters(f->ifindex, TC_H_MIN_INGRESS) ||
		count_filters(f->ifindex, TC_H_MIN_EGRESS))
		return;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
}
