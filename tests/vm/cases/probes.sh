# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Every kind of tracing probe, patterns, one program for many.
# timeout: 150

# Reads until skep has seen enough: an emulated CPU may miss first events.
feed() {
	_n=60
	while [ $_n -gt 0 ] && kill -0 "$SKEP_PID" 2>/dev/null; do
		/bin/dd if=/proc/version of=/dev/null bs=16 2>/dev/null
		/bin/cat /etc/passwd >/dev/null
		_n=$((_n - 1))
	done
}

# Ends by itself once all of it has happened.
skep_start /tmp/many -e 'kprobe:vfs_* /comm == "dd"/ { @f[func] = count(); @p[probe] = count(); @func = func; }
	kretprobe:vfs_rea*, kretprobe:vfs_write /comm == "dd"/ { @r[probe, func] = count(); }
	tracepoint:syscalls:sys_enter_rea*, t:syscalls:sys_enter_write /comm == "dd"/ { @t[probe] = count(); }
	tracepoint:syscalls:sys_enter_openat, tracepoint:sched:sched_process_exit { @o = count(); }
	Profile:hz:50 { @prof[cpu] = count(); }
	software:cs:1 { @cs = count(); } s:page-faults:1 { @pf = count(); }
	interval:hz:5 { @i++; } i:200000us { @j++; } interval:100ms { @k++; }
	interval:ms:100 { if (@i > 2 && @j > 2 && @k > 2 && @seen > 100) { exit(); } }
	kprobe:vfs_read /comm == "dd"/ { @seen++; }'
feed
skep_stop
expect_equal many_status $status 0
expect_match many_attached '^Attached [0-9][0-9] probes$|^Attached [1-9][0-9][0-9] probes$' /tmp/many.err
expect_match many_func '^@f\[vfs_read\]: [1-9]' /tmp/many
expect_match many_func_kept '^@func: vfs_' /tmp/many
expect_match many_probe '^@p\[kprobe:vfs_read\]: [1-9]' /tmp/many
expect_match many_ret '^@r\[kretprobe:vfs_read, vfs_read\]: [1-9]' /tmp/many
expect_no_match many_ret_names '^@r\[kprobe' /tmp/many
expect_match many_tracepoint '^@t\[tracepoint:syscalls:sys_enter_read\]: [1-9]' /tmp/many
expect_match many_two '^@o: [1-9]' /tmp/many
expect_match profile '^@prof\[0\]: [1-9]' /tmp/many
expect_match profile_each_cpu '^@prof\[1\]: [1-9]' /tmp/many
expect_match switches '^@cs: [1-9]' /tmp/many
expect_match faults '^@pf: [1-9]' /tmp/many
n=$(sed -n 's/^@f\[vfs_read\]: //p' /tmp/many)
expect_match many_same "^@p\[kprobe:vfs_read\]: ${n:-none}\$" /tmp/many

# Hundreds in one link; the kernel forgets them when skep is killed.
t0=$(cut -d' ' -f1 /proc/uptime)
skep_start /tmp/hundreds -v -e 'kprobe:tcp_*, kprobe:vfs_*, kprobe:ip_* { @[func] = count(); }'
t1=$(cut -d' ' -f1 /proc/uptime)
echo "attached after $t0 .. $t1"
expect_match hundreds '^Attached [2-9][0-9][0-9] probes$' /tmp/hundreds.err
kill -9 "$SKEP_PID"
wait "$SKEP_PID"
wait_for 20 test ! -s /sys/kernel/tracing/enabled_functions
if [ -e /sys/kernel/tracing/enabled_functions ]; then
	expect_no_match hundreds_gone '^(tcp|vfs|ip)_' /sys/kernel/tracing/enabled_functions
fi

# What is not there
skep -e 'config = { missing_probes = warn } kprobe:vfs_ridd { @ = 1; } BEGIN { printf("went on\n"); }' >/tmp/missing 2>&1
expect_match missing_warn '^went on$' /tmp/missing
expect_match missing_name "no function 'vfs_ridd'" /tmp/missing
skep -e 'hardware:cycles:1000000 { exit(); }' --for 2s >/tmp/hw 2>&1
if [ $? = 0 ] || grep -q 'does not count this event' /tmp/hw; then t_ok hardware; else t_show /tmp/hw; t_fail hardware "neither works nor says why"; fi
