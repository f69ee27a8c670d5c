/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

PERCPU_ARRAY(hist, __u64, 64);

SEC("kprobe/vfs_read") int BPF_KPROBE(count, void *file, void *to, long want, __u64 size)
{
	__u32 slot = log2_64(size);
	__u64 *n;

	if (slot > 63)
		slot = 63;
	n = bpf_map_lookup_elem(&hist, &slot);
	if (n)
		*n += 1;
	return 0;
}
