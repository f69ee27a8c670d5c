/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop ip saddr in a 100000-prefix blocklist */
struct k4 {
	__u32 len;
	__u32 a;
};
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct k4);
	__type(value, __u32);
} lpm4 SEC(".maps");
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	if (!FITS(ip))
		return XDP_PASS;
	struct k4 k = {32, ip->saddr};
	return bpf_map_lookup_elem(&lpm4, &k) ? XDP_DROP : XDP_PASS;
}
