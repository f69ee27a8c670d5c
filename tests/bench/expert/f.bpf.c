/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

struct event {
	__u32 pid, flags;
	char comm[16];
	char name[64];
};
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

struct sys_enter { /* syscalls:sys_enter_openat */
	__u64 head;
	__s64 nr;
	__u64 args[6];
};

SEC("tracepoint/syscalls/sys_enter_openat") int event(struct sys_enter *ctx)
{
	__u32 flags = (__u32)ctx->args[2];
	struct event *e;

	if (!(flags & 0x40))
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->pid = (__u32)(bpf_get_current_pid_tgid() >> 32);
	e->flags = flags;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_probe_read_user_str(e->name, sizeof(e->name), (void *)ctx->args[1]);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
