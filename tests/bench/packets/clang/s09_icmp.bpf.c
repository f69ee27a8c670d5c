/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop ICMP echo-request and ICMPv6 router-advertisement */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto == N16(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);
		struct icmphdr *ic = l4_ip4(ip, end);
		if (ic && ip->protocol == IPPROTO_ICMP && FITS(ic) && ic->type == ICMP_ECHO)
			return XDP_DROP;
	} else if (e->h_proto == N16(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(e + 1);
		struct icmp6hdr *ic = (void *)(ip + 1);
		if (FITS(ic) && ip->nexthdr == IPPROTO_ICMPV6 && ic->icmp6_type == 134)
			return XDP_DROP;
	}
	return XDP_PASS;
}
