/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop tcp dport 23, IPv4 and IPv6 */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	struct tcphdr *t;
	if (e->h_proto == N16(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);
		t = l4_ip4(ip, end);
		if (!t || ip->protocol != IPPROTO_TCP)
			return XDP_PASS;
	} else if (e->h_proto == N16(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(e + 1);
		if (!FITS(ip) || ip->nexthdr != IPPROTO_TCP)
			return XDP_PASS;
		t = (void *)(ip + 1);
	} else
		return XDP_PASS;
	if (!FITS(t))
		return XDP_PASS;
	return t->dest == N16(23) ? XDP_DROP : XDP_PASS;
}
