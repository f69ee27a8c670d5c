/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop udp payload that starts with ff ff ff ff "getstatus" (13 bytes); __builtin_memcmp of 13
 * bytes becomes a call to an extern memcmp with clang 14 and does not load (n11_payload_memcmp.c),
 * so: 8 + 4 + 1 */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct udphdr *u = l4_ip4(ip, end);
	if (!u || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	__u8 *b = (void *)(u + 1);
	if ((void *)(b + 13) > end)
		return XDP_PASS;
	return *(__u64 *)b == 0x73746567ffffffffull && *(__u32 *)(b + 8) == 0x75746174 &&
			       b[12] == 's'
		       ? XDP_DROP
		       : XDP_PASS;
}
