/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* drop tcp dport 23 and log every dropped packet: time, rule, length, ifindex, first 64 bytes */
struct ev {
	__u64 ts;
	__u32 rule, len, ifi, cap;
	__u8 d[64];
};
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} rb SEC(".maps");
__u64 lost;
SEC("xdp") int p(struct xdp_md *c)
{
	ETH(c);
	if (e->h_proto != N16(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(e + 1);
	struct tcphdr *t = l4_ip4(ip, end);
	if (!t || ip->protocol != IPPROTO_TCP || !FITS(t) || t->dest != N16(23))
		return XDP_PASS;
	struct ev *v = bpf_ringbuf_reserve(&rb, sizeof(*v), 0);
	if (!v) {
		__sync_fetch_and_add(&lost, 1);
		return XDP_DROP;
	}
	__u32 len = end - data;
	v->ts = bpf_ktime_get_ns();
	v->rule = 1;
	v->len = len;
	v->ifi = c->ingress_ifindex;
	v->cap = len < 64 ? len : 64;
	if (data + 64 <= end) {
#ifdef TUNED
		for (int i = 0; i < 8; i++)
			((__u64 *)v->d)[i] = ((__u64 *)data)[i];
#else
		__builtin_memcpy(v->d, data, 64);
#endif
	}
	bpf_ringbuf_submit(v, BPF_RB_NO_WAKEUP);
	return XDP_DROP;
}
