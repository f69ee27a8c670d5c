/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hot path of a scheduler by virtual time. The fields' places are the 7.3 target's. */
#include "common.h"

typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define false 0

#define SLICE 20000000ull
#define LOCAL 0x8000000000000002ull

struct sched_ext_entity {
	u32 weight;
	u64 slice, dsq_vtime;
} __attribute__((preserve_access_index));

struct task_struct {
	struct sched_ext_entity scx;
} __attribute__((preserve_access_index));

extern s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev, u64 flags, bool *idle) __ksym;
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq, u64 slice, u64 flags) __ksym;
extern void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq, u64 slice, u64 vtime, u64 flags) __ksym;
extern bool scx_bpf_dsq_move_to_local(u64 dsq) __ksym;

static u64 now;

SEC("struct_ops/select_cpu")
s32 v_select_cpu(u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, (s32)ctx[1], ctx[2], &idle);

	if (idle)
		scx_bpf_dsq_insert(p, LOCAL, SLICE, 0);
	return cpu;
}

SEC("struct_ops/enqueue")
void v_enqueue(u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];
	u64 v = p->scx.dsq_vtime;

	if ((s64)(v - now) < -(s64)SLICE)
		v = now - SLICE;
	scx_bpf_dsq_insert_vtime(p, 0, SLICE, v, ctx[1]);
}

SEC("struct_ops/dispatch")
void v_dispatch(u64 *ctx)
{
	scx_bpf_dsq_move_to_local(0);
}

SEC("struct_ops/running")
void v_running(u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];

	if ((s64)(p->scx.dsq_vtime - now) > 0)
		now = p->scx.dsq_vtime;
}

SEC("struct_ops/stopping")
void v_stopping(u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];

	p->scx.dsq_vtime += (SLICE - p->scx.slice) * 100 / p->scx.weight;
}
