# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The guest itself has what the other cases rely on.
# timeout: 90

t_check btf test -s /sys/kernel/btf/vmlinux
t_check tracefs test -d /sys/kernel/tracing/events/syscalls
t_check bpffs sh -c 'mkdir /sys/fs/bpf/x && rmdir /sys/fs/bpf/x'
t_check cgroup2 test -f /sys/fs/cgroup/cgroup.procs
expect_equal jit "$(cat /proc/sys/net/core/bpf_jit_enable)" 1
if have_config CONFIG_SCHED_CLASS_EXT; then
	t_check sched_ext test -f /sys/kernel/sched_ext/state
fi
net_ab
t_check ping wait_for 10 in_ns a ping -c 1 -W 2 10.0.0.2
serve b 8080
t_check tcp wait_for 10 connects a 10.0.0.2 8080
if connects a 10.0.0.2 8081; then
	t_fail refused "a closed port answered"
else
	t_ok refused
fi
