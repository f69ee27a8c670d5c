/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
	__uint(max_entries, 16384);
} stacks SEC(".maps");
HASH(counts, BPF_MAP_TYPE_HASH, __u32, __u64);

SEC("kprobe/vfs_read") int count(struct pt_regs *ctx)
{
	int id = bpf_get_stackid(ctx, &stacks, 0);
	__u64 one = 1, *n;
	__u32 key = id;

	if (id < 0)
		return 0;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_NOEXIST);
	return 0;
}
