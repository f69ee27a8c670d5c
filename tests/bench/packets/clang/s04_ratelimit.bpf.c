/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* per-source token bucket on TCP SYN: 100/s, burst 20; over the limit: drop */
struct tb {
	__u64 ts;
	__u64 tok;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct tb);
} src SEC(".maps");
#define NS_PER 10000000ull
#define BURST (20 * NS_PER)
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t || ip->protocol != IPPROTO_TCP || !FITS(t) || (((__u8 *)t)[13] & 0x12) != 2)
		return XDP_PASS;
	__u32 k = ip->saddr;
	__u64 now = bpf_ktime_get_ns();
	struct tb *b = bpf_map_lookup_elem(&src, &k);
	if (!b) {
		struct tb n = {now, BURST - NS_PER};
		bpf_map_update_elem(&src, &k, &n, BPF_ANY);
		return XDP_PASS;
	}
	__u64 tok = b->tok + (now - b->ts);
	b->ts = now;
	if (tok > BURST)
		tok = BURST;
	if (tok < NS_PER) {
		b->tok = tok;
		return XDP_DROP;
	}
	b->tok = tok - NS_PER;
	return XDP_PASS;
}
