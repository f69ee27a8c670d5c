/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop NULL, SYN+FIN, FIN+PSH+URG (xmas) */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t || ip->protocol != IPPROTO_TCP || !FITS(t))
		return XDP_PASS;
	__u8 f = ((__u8 *)t)[13] & 0x3f;
	return f == 0 || (f & 3) == 3 || f == 0x29 ? XDP_DROP : XDP_PASS;
}
