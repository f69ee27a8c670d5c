/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* the same, by parsing the packet (cgroup_skb data starts at L3) */
SEC("cgroup_skb/egress") int p(struct __sk_buff *s)
{
	PKT(s);
	struct iphdr *ip = data;
	if (s->protocol != N16(ETH_P_IP))
		return 1;
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t || ip->protocol != IPPROTO_TCP || !FITS(t))
		return 1;
	return t->dest != N16(80);
}
