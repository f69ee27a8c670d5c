/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop ip saddr in a 100000-address set */
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 131072); __type(key, __u32); __type(value, __u32); } hash4 SEC(".maps");
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	if (!FITS(ip))
		return XDP_PASS;
	__u32 k = ip->saddr;
	return bpf_map_lookup_elem(&hash4, &k) ? XDP_DROP : XDP_PASS;
}
