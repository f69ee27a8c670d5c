/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the programs an expert would write in C; see tests/bench/README.md. */
#pragma once
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define PERCPU_ARRAY(name, val_t, n) \
	struct { \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__type(key, __u32); \
		__type(value, val_t); \
		__uint(max_entries, n); \
	} name SEC(".maps")
#define HASH(name, kind, key_t, val_t) \
	struct { \
		__uint(type, kind); \
		__type(key, key_t); \
		__type(value, val_t); \
		__uint(max_entries, 10240); \
	} name SEC(".maps")

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* floor(log2(v)) by bit tests */
static __always_inline __u32 log2_32(__u32 v)
{
	__u32 r, shift;

	r = (v > 0xffff) << 4;
	v >>= r;
	shift = (v > 0xff) << 3;
	v >>= shift;
	r |= shift;
	shift = (v > 0xf) << 2;
	v >>= shift;
	r |= shift;
	shift = (v > 0x3) << 1;
	v >>= shift;
	return r | shift | v >> 1;
}

static __always_inline __u32 log2_64(__u64 v)
{
	__u32 high = v >> 32;

	return high ? log2_32(high) + 32 : log2_32(v);
}
