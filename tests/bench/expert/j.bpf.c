/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"
#include <linux/if_ether.h>
#include <linux/ip.h>

struct key {
	__u32 bits;
	__be32 addr;
};
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__type(key, struct key);
	__type(value, __u32);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} bad SEC(".maps");

SEC("xdp") int filter(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct key key = {.bits = 32};
	__u32 *verdict;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	key.addr = ip->saddr;
	verdict = bpf_map_lookup_elem(&bad, &key);
	return verdict ? (int)*verdict : XDP_PASS;
}
