/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop udp dport 5353 over IPv6, walking up to 6 extension headers */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IPV6))
		return XDP_PASS;
	struct ipv6hdr *ip = (void *)(e + 1);
	if (!FITS(ip))
		return XDP_PASS;
	__u8 nh = ip->nexthdr;
	__u32 off = sizeof(*e) + sizeof(*ip);
	for (int i = 0; i < 6; i++) {
		__u8 *x;
		switch (nh) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case 135:
			x = data + off;
			if ((void *)(x + 2) > end)
				return XDP_PASS;
			nh = x[0];
			off += (x[1] + 1) * 8;
			continue;
		case IPPROTO_AH:
			x = data + off;
			if ((void *)(x + 2) > end)
				return XDP_PASS;
			nh = x[0];
			off += (x[1] + 2) * 4;
			continue;
		case IPPROTO_FRAGMENT:
			x = data + off;
			if ((void *)(x + 8) > end || ((x[2] << 8 | x[3]) & 0xfff8))
				return XDP_PASS;
			nh = x[0];
			off += 8;
			continue;
		}
		break;
	}
	if (nh != IPPROTO_UDP)
		return XDP_PASS;
	struct udphdr *u = data + off;
	return FITS(u) && u->dest == N16(5353) ? XDP_DROP : XDP_PASS;
}
