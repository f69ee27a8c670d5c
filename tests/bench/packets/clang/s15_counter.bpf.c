/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* three rules, each with packet and byte counters; the third matches */
struct cnt {
	__u64 p, b;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct cnt);
} cnt SEC(".maps");
static __always_inline int hit(struct xdp_md *c, __u32 k, int v)
{
	struct cnt *x = bpf_map_lookup_elem(&cnt, &k);
	if (x) {
		x->p++;
		x->b += c->data_end - c->data;
	}
	return v;
}
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return hit(c, 3, XDP_PASS);
	struct iphdr *ip = (void *)(e + 1);
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t)
		return hit(c, 3, XDP_PASS);
	if ((ip->saddr & N32(0xffffff00)) == N32(0xc0000200))
		return hit(c, 0, XDP_DROP);
	if (ip->protocol != IPPROTO_TCP || !FITS(t))
		return hit(c, 3, XDP_PASS);
	if (t->dest == N16(25))
		return hit(c, 1, XDP_DROP);
	if (t->dest == N16(23))
		return hit(c, 2, XDP_DROP);
	return hit(c, 3, XDP_PASS);
}
