/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop tcp dport { 16 ports } as a switch */
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t || ip->protocol != IPPROTO_TCP || !FITS(t))
		return XDP_PASS;
	switch (t->dest) {
	case N16(21):
	case N16(23):
	case N16(25):
	case N16(110):
	case N16(135):
	case N16(139):
	case N16(143):
	case N16(445):
	case N16(1433):
	case N16(1521):
	case N16(3306):
	case N16(3389):
	case N16(5432):
	case N16(6379):
	case N16(8443):
	case N16(27017):
		return XDP_DROP;
	}
	return XDP_PASS;
}
