/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

PERCPU_ARRAY(counts, __u64, 2); /* passed, dropped */

struct vlan {
	__be16 tag, proto;
};

static __always_inline struct tcphdr *find_tcp(void *p, void *end)
{
	struct ethhdr *eth = p;
	__be16 proto;

	if ((void *)(eth + 1) > end)
		return NULL;
	proto = eth->h_proto;
	p = eth + 1;
	if (proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD)) {
		struct vlan *v = p;

		if ((void *)(v + 1) > end)
			return NULL;
		proto = v->proto;
		p = v + 1;
	}
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = p;

		if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_TCP || ip->ihl < 5 ||
			ip->frag_off & bpf_htons(0x1fff))
			return NULL;
		return p + ip->ihl * 4;
	}
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = p;

		if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_TCP)
			return NULL;
		return (void *)(ip + 1);
	}
	return NULL;
}

SEC("xdp") int filter(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct tcphdr *tcp = find_tcp((void *)(long)ctx->data, end);
	__u32 drop;
	__u64 *n;

	if (!tcp || (void *)(tcp + 1) > end)
		return XDP_PASS;
	drop = tcp->dest == bpf_htons(80);
	n = bpf_map_lookup_elem(&counts, &drop);
	if (n)
		*n += 1;
	return drop ? XDP_DROP : XDP_PASS;
}
