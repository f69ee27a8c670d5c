/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop ip ttl < 5 ; drop ip dscp ef */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto == N16(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);
		if (FITS(ip) && (ip->ttl < 5 || ip->tos >> 2 == 46))
			return XDP_DROP;
	} else if (e->h_proto == N16(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(e + 1);
		if (FITS(ip) && (ip->hop_limit < 5 || (bpf_ntohs(*(__be16 *)ip) >> 6 & 63) == 46))
			return XDP_DROP;
	}
	return XDP_PASS;
}
