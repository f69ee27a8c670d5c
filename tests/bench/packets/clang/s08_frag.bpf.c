/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop every fragment (IPv4: MF or offset; IPv6: a fragment header right after the fixed header) */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto == N16(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);
		if (FITS(ip) && (ip->frag_off & N16(0x3fff)))
			return XDP_DROP;
	} else if (e->h_proto == N16(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(e + 1);
		if (FITS(ip) && ip->nexthdr == IPPROTO_FRAGMENT)
			return XDP_DROP;
	}
	return XDP_PASS;
}
