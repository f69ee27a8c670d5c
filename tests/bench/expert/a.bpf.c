/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

struct key {
	char comm[16];
};
HASH(counts, BPF_MAP_TYPE_PERCPU_HASH, struct key, __u64);

SEC("kprobe/vfs_read") int count(struct pt_regs *ctx)
{
	struct key key = {};
	__u64 one = 1, *n;

	bpf_get_current_comm(key.comm, sizeof(key.comm));
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		*n += 1;
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_NOEXIST);
	return 0;
}
