/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
/* pass everything; copy the first 64 bytes of 1% of the packets to user space */
struct ev { __u64 ts; __u32 len, cap; __u8 d[64]; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 22); } rb SEC(".maps");
SEC("xdp") int p(struct xdp_md *c)
{
	if (bpf_get_prandom_u32() > 42949672u)
		return XDP_PASS;
	PKT(c);
	struct ev *v = bpf_ringbuf_reserve(&rb, sizeof(*v), 0);
	if (!v)
		return XDP_PASS;
	__u32 len = end - data;
	v->ts = bpf_ktime_get_ns(); v->len = len; v->cap = len < 64 ? len : 64;
	if (data + 64 <= end) {
#ifdef TUNED
		for (int i = 0; i < 8; i++)
			((__u64 *)v->d)[i] = ((__u64 *)data)[i];
#else
		__builtin_memcpy(v->d, data, 64);
#endif
	}
	bpf_ringbuf_submit(v, 0);
	return XDP_PASS;
}
