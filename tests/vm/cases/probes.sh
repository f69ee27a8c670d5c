# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Every kind of tracing probe, patterns, one program for many.
# emulator: single x86_64
# timeout: 300

reads() {
	/bin/dd if=/proc/version of=/dev/null bs=16
	/bin/cat /etc/passwd
}
feed() {
	skep_feed 60 reads
}

# Without kprobe.multi each is attached by itself, which takes its time in an emulated kernel.
if skep --info | grep -Eq '^kprobe_multi +yes'; then
	multi=y all='vfs_*'
else
	multi= all='vfs_rea*'
fi

# Ends by itself once all of it has happened.
skep_start /tmp/many -e 'kprobe:'"$all"' /comm == "dd"/ { @f[func] = count(); @p[probe] = count(); @func = func; }
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
hundreds() {
	skep_start /tmp/hundreds -v -e 'kprobe:tcp_*, kprobe:vfs_*, kprobe:ip_* { @[func] = count(); }'
	# one by one there would be as many links as functions
	ls -l /proc/$SKEP_PID/fd | grep -c 'bpf.link' >/tmp/links
	expect_match hundreds_at_once '^[1-9]$' /tmp/links
	expect_match hundreds '^Attached [2-9][0-9][0-9] probes$' /tmp/hundreds.err
	kill -9 "$SKEP_PID"
	wait "$SKEP_PID"
	wait_for 20 test ! -s /sys/kernel/tracing/enabled_functions
	if [ -e /sys/kernel/tracing/enabled_functions ]; then
		expect_no_match hundreds_gone '^(tcp|vfs|ip)_' /sys/kernel/tracing/enabled_functions
	fi
}
if [ $multi ]; then hundreds; else t_skip hundreds 'no kprobe.multi'; fi

# What is not there
skep -e 'config = { missing_probes = warn } kprobe:vfs_ridd { @ = 1; } BEGIN { printf("went on\n"); }' >/tmp/missing 2>&1
expect_match missing_warn '^went on$' /tmp/missing
expect_match missing_name "no function 'vfs_ridd'" /tmp/missing
skep -e 'hardware:cycles:1000000 { exit(); }' --for 2s >/tmp/hw 2>&1
if [ $? = 0 ] || grep -q 'does not count this event' /tmp/hw; then t_ok hardware; else t_show /tmp/hw; t_fail hardware "neither works nor says why"; fi

# Functions with typed arguments and results, raw tracepoints by argument
cat >/tmp/traced.bt <<'X'
fentry:vfs_read /comm == "dd"/ { @a[args.count] = count(); @n[func, probe] = count(); @i = args.file->f_inode->i_ino; }
fexit:vfs_read /comm == "dd"/ { @ret[retval > 0] = count(); @c = sum(args.count); @seen++; }
rawtracepoint:sched_switch { @s[args.next->comm] = count(); @prev[args.prev == curtask] = count(); if (args.next->comm == "dd") { @dd = 1; } }
rt:sched_process_exit { @x = arg0 != 0; }
kfunc:vfs_wri* { @w[func] = count(); }
interval:ms:100 { if (@seen > 100 && @x && @dd) { exit(); } }
X
case $(uname -r) in
5.10.*) ;; # args.pos: see below
*) echo 'fentry:vfs_read /comm == "dd"/ { $all = args; @all = args; @whole[$all.count == args.count] = count(); }' >>/tmp/traced.bt ;;
esac
if [ -e /sys/kernel/btf/vmlinux ] && skep check /tmp/traced.bt >/tmp/traced.check 2>&1; then
	skep_start /tmp/traced /tmp/traced.bt
	# One that waits is switched to by this name; those of feed can be through without.
	sleep 0.2 | /bin/dd of=/dev/null 2>/dev/null
	feed
	skep_stop
	expect_equal traced_status $status 0
	expect_match fentry_arg '^@a\[16\]: [1-9]' /tmp/traced
	expect_match fentry_func '^@n\[vfs_read, fentry:vmlinux:vfs_read\]: [1-9]' /tmp/traced
	expect_match fentry_walk '^@i: [1-9]' /tmp/traced
	case $(uname -r) in
	5.10.*)
		skep check -e 'fentry:vfs_read { @all = args; }' >/tmp/whole 2>&1
		expect_match fentry_whole "'args.pos' points to a number: .* since Linux 5.17" /tmp/whole
		;;
	*)
		expect_match fentry_whole '^@all: \{ \.file = 0x[0-9a-f]+, \.buf = 0x[0-9a-f]+, \.count = [0-9]+, \.pos = (0x)?[0-9a-f]+ \}' /tmp/traced
		expect_match fentry_record '^@whole\[true\]: [1-9]' /tmp/traced
		;;
	esac
	expect_match fexit_ret '^@ret\[true\]: [1-9]' /tmp/traced
	expect_match fexit_arg '^@c: [1-9]' /tmp/traced
	expect_match rawtp_arg '^@s\[dd\]: [1-9]' /tmp/traced
	expect_match rawtp_pointer '^@prev\[true\]: [1-9]' /tmp/traced
	expect_match rawtp_raw '^@x: true$' /tmp/traced
	expect_match fentry_pattern '^@w\[vfs_write\]: [1-9]' /tmp/traced
else
	cat /tmp/traced.check 2>/dev/null
	t_skip fentry 'no fentry'
	skep_start /tmp/traced -e 'rawtracepoint:sched_switch { @x = arg1 != 0; @++; } interval:ms:100 { if (@ > 20) { exit(); } }'
	feed
	skep_stop
	expect_match rawtp_raw '^@x: true$' /tmp/traced
fi

# A security hook denies; everybody else goes on.
echo secret >/tmp/secret
mount -t securityfs none /sys/kernel/security 2>/dev/null
skep_start /tmp/lsm -e 'lsm:file_open { if (comm == "lsmcat") { @denied = count(); return -13; } return 0; }'
if grep -q '^Attached' /tmp/lsm.err; then
	cp /bin/busybox /tmp/lsmcat
	for _i in 1 2 3 4 5 6 7 8; do # an emulated CPU may miss the first calls
		(exec -a cat /tmp/lsmcat cat /tmp/secret) >/tmp/lsm.cat 2>&1 || break
	done
	skep_stop
	expect_match lsm_denied '[Pp]ermission denied' /tmp/lsm.cat
	expect_match lsm_count '^@denied: [1-9]' /tmp/lsm
else
	skep_stop
	expect_match lsm_explains 'security module|security hooks|type information' /tmp/lsm.err
	t_skip lsm 'not active'
fi

# Functions of user space: a program of our own, by name, pattern, address; only one process with -p
skep_start /tmp/user -e 'uprobe:/skep/bin/utarget:utarget_add { @[arg0, arg1] = count(); @n[func] = count(); }
	uretprobe:/skep/bin/utarget:utarget_add { @r[retval] = count(); @seen++; }
	uprobe:/skep/bin/utarget:utarget_*, uretprobe:/skep/bin/utarget:utarget_say { @all[probe] = count(); }
	u:/skep/bin/utarget:utarget_say { @s = str(arg0); @said++; }
	interval:ms:100 { if (@seen > 20 && @said > 2) { exit(); } }'
skep_feed 100 utarget 5
skep_stop
expect_equal uprobe_status $status 0
expect_match uprobe_args '^@\[3, 4\]: [1-9]' /tmp/user
expect_match uprobe_func '^@n\[utarget_add\]: [1-9]' /tmp/user
expect_match uretprobe '^@r\[7\]: [1-9]' /tmp/user
expect_match uprobe_pattern '^@all\[uprobe:/skep/bin/utarget:utarget_say\]: [1-9]' /tmp/user
expect_match uprobe_mixed '^@all\[uretprobe:/skep/bin/utarget:utarget_say\]: [1-9]' /tmp/user
expect_match uprobe_str '^@s: hello from user space$' /tmp/user

# Built-in probes: arguments in registers, a semaphore that is counted up while somebody looks
utarget 3000 20 >/dev/null &
U=$!
skep_start /tmp/usdt -p $U -e 'usdt:/skep/bin/utarget:utarget:sum { @sum[arg0, arg1, str(arg2)] = count(); @pid[pid] = count(); }
	U:/skep/bin/utarget:sai* { @said[arg0, arg1] = count(); @s = str(arg2); @p = probe; @seen++; }
	uprobe:/skep/bin/utarget:utarget_add { @add++; }
	kprobe:vfs_read { @others = count(); }
	interval:ms:100 { if (@seen > 5 && @add > 5) { exit(); } }'
utarget 50 10 >/dev/null
wait_for 60 sh -c "! kill -0 $SKEP_PID"
skep_stop
expect_equal usdt_status $status 0
expect_match usdt_args '^@sum\[(-7|18446744073709551609), 4, text of a probe\]: [1-9]' /tmp/usdt
expect_match usdt_semaphore '^@said\[1, 2\]: [1-9]' /tmp/usdt
expect_match usdt_str '^@s: hello from user space$' /tmp/usdt
expect_match usdt_probe '^@p: usdt:/skep/bin/utarget:utarget:said$' /tmp/usdt
expect_match pid_only "^@pid\[$U\]: [1-9]" /tmp/usdt
expect_equal pid_others "$(grep -c '^@pid' /tmp/usdt)" 1
expect_no_match pid_filter '^@others' /tmp/usdt
skep_start /tmp/pidend -p $U -e 'kprobe:vfs_read { @ = count(); }'
kill $U
wait_for 60 sh -c "! kill -0 $SKEP_PID"
t_check pid_ends sh -c "! kill -0 $SKEP_PID"
skep_stop

# A command: held until the probes are there, and the end of the run
skep -c '/skep/bin/utarget 30 1' -e 'u:/skep/bin/utarget:utarget_add /pid == cpid/ { @n++; @first = arg0; } END { printf("ended\n"); }' >/tmp/cmd 2>&1
expect_match cmd_all '^@n: 30$' /tmp/cmd
expect_match cmd_output '^240$' /tmp/cmd
expect_match cmd_end '^ended$' /tmp/cmd

# A signal to skep; memory that a program writes (where the emulated processor can watch it)
skep_start /tmp/self -e 'self:signal:SIGUSR1 { @sig++; if (@sig > 1) { exit(); } } interval:s:1 { @i++; }'
kill -USR1 $SKEP_PID
sleep 1
_n=60
while [ $_n -gt 0 ] && kill -USR1 $SKEP_PID 2>/dev/null; do
	sleep 0.5
	_n=$((_n - 1))
done
skep_stop
expect_match self_signal '^@sig: [2-9]' /tmp/self
addr=$(utarget 0 0 address)
skep -c '/skep/bin/utarget 20 1' -e "watchpoint:$addr:4:w { @w = count(); } END { printf(\"end\n\"); }" >/tmp/watch 2>&1
if grep -q 'cannot attach' /tmp/watch; then
	expect_match watch_says 'cannot watch|debug register' /tmp/watch
	t_skip watchpoint 'the machine cannot watch memory'
else
	expect_match watch_end '^end$' /tmp/watch
	if grep -q '^@w: 20$' /tmp/watch; then t_ok watchpoint; else t_show /tmp/watch; t_skip watchpoint 'the emulated processor did not stop'; fi
fi
