/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
struct vh {
	__be16 tci, proto;
};
/* drop (innermost) vlan id 100, tcp dport 23; up to two tags */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	__be16 pr = e->h_proto;
	struct vh *v = (void *)(e + 1);
	__u16 id = 0;
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (pr != N16(ETH_P_8021Q) && pr != N16(ETH_P_8021AD))
			break;
		if (!FITS(v))
			return XDP_PASS;
		id = v->tci & N16(0xfff);
		pr = v->proto;
		v++;
	}
	if (id != N16(100) || pr != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)v;
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t || ip->protocol != IPPROTO_TCP || !FITS(t))
		return XDP_PASS;
	return t->dest == N16(23) ? XDP_DROP : XDP_PASS;
}
