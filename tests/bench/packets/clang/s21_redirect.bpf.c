/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* udp dport 7777: redirect through a devmap */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} devs SEC(".maps");
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct udphdr *u = l4_ip4(ip, end);
	if (!u || ip->protocol != IPPROTO_UDP || !FITS(u) || u->dest != N16(7777))
		return XDP_PASS;
	return bpf_redirect_map(&devs, 0, XDP_PASS);
}
