/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop ip saddr 192.0.2.0/24 ; drop ip6 saddr 2001:db8:bad::/48 */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto == N16(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);
		if (FITS(ip) && (ip->saddr & N32(0xffffff00)) == N32(0xc0000200))
			return XDP_DROP;
	} else if (e->h_proto == N16(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(e + 1);
		if (FITS(ip) && ip->saddr.s6_addr32[0] == N32(0x20010db8) &&
			ip->saddr.s6_addr16[2] == N16(0x0bad))
			return XDP_DROP;
	}
	return XDP_PASS;
}
