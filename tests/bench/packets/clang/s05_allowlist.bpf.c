/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* default drop; allow: arp; icmp echo; tcp from 10.0.0.0/8 to 22; tcp to 80,443; tcp without SYN
 * (established, stateless); udp from port 53; icmpv6 133..137; tcp6 to 80,443 */
SEC("xdp") int p(struct xdp_md *c)
{
	PKT(c);
	struct ethhdr *e = data;
	if (!FITS(e))
		return XDP_DROP;
	if (e->h_proto == N16(ETH_P_ARP))
		return XDP_PASS;
	void *l4;
	__u8 pr;
	bool lan = false;
	if (e->h_proto == N16(ETH_P_IP)) {
		struct iphdr *ip = (void *)(e + 1);
		l4 = l4_ip4(ip, end);
		if (!l4)
			return XDP_DROP;
		pr = ip->protocol;
		lan = (ip->saddr & N32(0xff000000)) == N32(0x0a000000);
		if (pr == IPPROTO_ICMP) {
			struct icmphdr *ic = l4;
			return FITS(ic) && (ic->type == 8 || ic->type == 0) ? XDP_PASS : XDP_DROP;
		}
	} else if (e->h_proto == N16(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(e + 1);
		if (!FITS(ip))
			return XDP_DROP;
		pr = ip->nexthdr;
		l4 = ip + 1;
		if (pr == IPPROTO_ICMPV6) {
			struct icmp6hdr *ic = l4;
			return FITS(ic) && ic->icmp6_type >= 133 && ic->icmp6_type <= 137
				       ? XDP_PASS
				       : XDP_DROP;
		}
	} else
		return XDP_DROP;
	if (pr == IPPROTO_TCP) {
		struct tcphdr *t = l4;
		if (!FITS(t))
			return XDP_DROP;
		if (!t->syn || t->dest == N16(80) || t->dest == N16(443) ||
			(lan && t->dest == N16(22)))
			return XDP_PASS;
	} else if (pr == IPPROTO_UDP) {
		struct udphdr *u = l4;
		if (FITS(u) && u->source == N16(53))
			return XDP_PASS;
	}
	return XDP_DROP;
}
