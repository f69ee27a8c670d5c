/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* UDP port 7777: swap MACs, IPs, ports; send back (checksums unchanged by a swap) */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct udphdr *u = l4_ip4(ip, end);
	if (!u || ip->protocol != IPPROTO_UDP || !FITS(u))
		return XDP_PASS;
	if (u->dest != N16(7777) &&
		u->source != N16(7777)) /* the second test keeps the test-run loop on the path: the
					   packet is swapped in place */
		return XDP_PASS;
#ifdef TUNED
	for (int i = 0; i < 3; i++) {
		__u16 m = e->h_dest[i];
		e->h_dest[i] = e->h_source[i];
		e->h_source[i] = m;
	}
#else
	__u8 m[6];
	__builtin_memcpy(m, e->h_dest, 6);
	__builtin_memcpy(e->h_dest, e->h_source, 6);
	__builtin_memcpy(e->h_source, m, 6);
#endif
	__be32 a = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = a;
	__be16 q = u->source;
	u->source = u->dest;
	u->dest = q;
	return XDP_TX;
}
