/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

HASH(start, BPF_MAP_TYPE_HASH, __u32, __u64);
PERCPU_ARRAY(hist, __u64, 64);

SEC("kprobe/vfs_read") int begin(struct pt_regs *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_boot_ns();

	bpf_map_update_elem(&start, &tid, &now, BPF_ANY);
	return 0;
}

SEC("kretprobe/vfs_read") int end(struct pt_regs *ctx)
{
	__u32 slot, tid = (__u32)bpf_get_current_pid_tgid();
	__u64 *then = bpf_map_lookup_elem(&start, &tid), *n, taken;

	if (!then)
		return 0;
	taken = bpf_ktime_get_boot_ns() - *then;
	bpf_map_delete_elem(&start, &tid);
	slot = log2_64(taken);
	if (slot > 63)
		slot = 63;
	n = bpf_map_lookup_elem(&hist, &slot);
	if (n)
		*n += 1;
	return 0;
}
