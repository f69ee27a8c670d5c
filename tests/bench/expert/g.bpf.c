/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

struct stats {
	__u64 n, sum, min, max;
};
PERCPU_ARRAY(stats, struct stats, 1);

SEC("kprobe/vfs_read") int BPF_KPROBE(count, void *file, void *to, long want, __u64 size)
{
	__u32 zero = 0;
	struct stats *s = bpf_map_lookup_elem(&stats, &zero);

	if (!s)
		return 0;
	if (!s->n || size < s->min)
		s->min = size;
	if (size > s->max)
		s->max = size;
	s->n++;
	s->sum += size;
	return 0;
}
