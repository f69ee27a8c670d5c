# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The newest kernel without type information, without tracefs and debugfs, with the old kind of cgroups
# and little memory; in the end locked down.
# timeout: 120
# boot: bare x86_64:newest

# nothing is here that a dynamic program would need
t_check static_only [ -z "$(find / -xdev -type f \( -name '*.so' -o -name '*.so.*' \))" ]

skep --info >/tmp/info 2>&1
t_show /tmp/info
expect_match info_btf '^btf +no +[a-z]' /tmp/info
expect_match info_tracefs '^tracefs +yes' /tmp/info
expect_match info_cgroup2 '^cgroup2 +no' /tmp/info

# 64 MB of address space: what a 32-bit process on a small board has left
(
	ulimit -v 65536
	exec skep --for 3s -e 'BEGIN { printf("uid %d in %d\n", uid, 1); }
		kprobe:vfs_read { @[comm] = count(); @bytes = hist(arg2); @from[kstack(2)] = count(); }
		tracepoint:syscalls:sys_enter_read { @t[args.count > 0] = count(); }
		interval:ms:200 { @i = count(); }'
) >/tmp/bare 2>&1 &
pid=$!
while kill -0 $pid 2>/dev/null; do
	/bin/dd if=/etc/passwd of=/dev/null bs=100 count=1 2>/dev/null
	sleep 0.1
done
wait $pid
expect_equal status $? 0
expect_match begin '^uid 0 in 1$' /tmp/bare
expect_match kprobe '^@\[dd\]: [1-9]' /tmp/bare
expect_match tracepoint '^@t\[(true|1)\]: [1-9]' /tmp/bare
expect_match hist '^@bytes:' /tmp/bare
expect_match stack '^ +vfs_read' /tmp/bare
expect_match interval '^@i: [1-9]' /tmp/bare
t_check tracefs_private sh -c '! grep -q tracefs /proc/mounts'

# what needs more is told, with what would do
skep -e 'kprobe:vfs_read { @ = ((struct file *)arg0)->f_pos; }' >/tmp/told 2>&1
expect_match type_told 'type information' /tmp/told
skep --for 1s -e 'cgroup_skb:/sys/fs/cgroup/pids:ingress { @ = count(); }' >/tmp/told 2>&1
expect_match cgroup_told 'cgroup' /tmp/told

# packet rules need none of it
net_ab
nsenter -t "$NS_b" -n -- skep -e 'xdp:v0 /icmp.type == 8/ { @seen = count(); drop(); }' >/tmp/rules 2>&1 &
pid=$!
wait_for 20 grep -q '^Attached' /tmp/rules
if in_ns a ping -c 1 -W 1 10.0.0.2 >/dev/null; then t_fail rules "not dropped"; else t_ok rules; fi
kill -INT $pid
wait $pid
expect_match rules_map '^@seen: [1-9]' /tmp/rules

# ---- locked down ----
mount -t securityfs none /sys/kernel/security
if ! echo confidentiality >/sys/kernel/security/lockdown; then
	t_skip lockdown "this kernel has no lockdown"
	return 0
fi
skep --info >/tmp/info 2>&1
expect_match locked_info '^unlocked +no +[a-z]' /tmp/info
skep --for 1s -e 'kprobe:vfs_read { @ = count(); }' >/tmp/locked 2>&1
t_show /tmp/locked
expect_match locked_told 'lock' /tmp/locked
skep --for 1s -e 'xdp:lo /tcp.dport == 23/ { drop(); }' >/tmp/lockedx 2>&1
expect_equal locked_rules $? 0
