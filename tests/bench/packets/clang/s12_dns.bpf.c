/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop DNS queries (udp dport 53) whose name is example.com or ends in .example.com, case-blind, up to 16 labels.
 * The straightforward version (n12_dns_natural.c) is refused by the verifier. */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct udphdr *u = l4_ip4(ip, end);
	if (!u || ip->protocol != IPPROTO_UDP || !FITS(u) || u->dest != N16(53))
		return XDP_PASS;
	__u8 *q = (void *)(u + 1) + 12;
	__u32 o = 0;
	for (int i = 0; i < 16; i++) {
		if (o > 255)
			return XDP_PASS;
		__u8 *x = q + o;
		if ((void *)(x + 13) > end)
			return XDP_PASS;
		if ((*(__u64 *)x | 0x2020202020202000ull) == 0x656c706d61786507ull && (*(__u32 *)(x + 8) | 0x20202000u) == 0x6d6f6303u && !x[12])
			return XDP_DROP;
		__u8 l = *x;
		if (!l)
			return XDP_PASS;
		o += l + 1;
	}
	return XDP_PASS;
}
