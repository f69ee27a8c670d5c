/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

PERCPU_ARRAY(hist, __u64, 102);

/* 0: below 0, 1 .. 100: tens, 101: 1000 and above */
SEC("kprobe/vfs_read") int BPF_KPROBE(count, void *file, void *to, long want, long size)
{
	__u32 slot;
	__u64 *n;

	if (size < 0)
		slot = 0;
	else if (size >= 1000)
		slot = 101;
	else
		slot = (__u64)size / 10 + 1;
	n = bpf_map_lookup_elem(&hist, &slot);
	if (n)
		*n += 1;
	return 0;
}
