# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What runs away from where it was made: objects compiled on the host for a kernel that does not exist,
# run by the program without a compiler; kernels without this or that; users without root.
# timeout: 170
# files: tests/vm/objects/same.out

# dd by this shell until COMMAND succeeds, at most TRIES times.
reads_until() {
	_tries=$1
	shift
	while [ $_tries -gt 0 ] && ! "$@" >/dev/null 2>&1; do
		/bin/dd if=/etc/passwd of=/dev/null bs=100 count=1 2>/dev/null
		_tries=$((_tries - 1))
		sleep 0.1
	done
}

# The same while a background command runs.
reads_while() {
	while kill -0 "$1" 2>/dev/null; do
		/bin/dd if=/etc/passwd of=/dev/null bs=100 count=1 2>/dev/null
		sleep 0.1
	done
	wait "$1"
}

# ---- objects, with the loader alone ----
(
	skep() { exec skep-load "$@"; }
	me=$(exec sh -c 'echo $PPID')
	skep_start /tmp/moved -v /skep/objects/moved.o
	reads_until 60 grep -q '^tid' /tmp/moved
	# the scheduler goes to one that had to wait
	for _i in 1 2 3 4 5; do sleep 0.2 | /bin/dd of=/dev/null 2>/dev/null; done
	skep_stop
	expect_equal object_status $status 0
	# pids and the inode as the system tells them; the parent of dd is this subshell
	expect_match object_fields \
		"^tid 1 pid 1 parent $me exec 0 inode $(stat -c %i /etc/passwd)\$" /tmp/moved
	expect_match object_enum '^enum 3$' /tmp/moved
	expect_match object_tracepoint '^@switched\[(1|true)\]: [1-9]' /tmp/moved
	expect_match object_hist '^@bytes:' /tmp/moved
	expect_match object_end '^end$' /tmp/moved
	grep -A1 '^@stack\[' /tmp/moved >/tmp/stack
	expect_match object_stack '^ +vfs_read\+' /tmp/stack
	# what it printed where it was made
	skep-load -q /skep/objects/same.o >/tmp/same 2>&1
	tail -n +2 /skep/tests/vm/objects/same.out >/tmp/same.out
	if cmp -s /tmp/same /tmp/same.out; then
		t_ok object_same
	else
		diff /tmp/same /tmp/same.out
		t_fail object_same "another output than where it was compiled"
	fi
	skep-load -e 'BEGIN { }' 2>/tmp/nocc
	expect_match loader_only 'has no compiler' /tmp/nocc
)

# A script's text and objects of another machine are told apart before the kernel is asked.
skep-load /skep/objects/foreign.o >/tmp/foreign 2>&1
expect_match foreign 'this object is for .*, but this machine is' /tmp/foreign

# Made for an architecture, with tracepoints as they were where it was made.
if [ -f /skep/objects/next.o ]; then
	skep-load -q --for 30s /skep/objects/next.o >/tmp/next 2>&1
	expect_match object_next '^next [1-9][0-9]* [^ ]' /tmp/next
else
	t_skip object_next "it was made without root, who alone sees tracefs"
fi

# What follows is the same on every kernel: the oldest and the newest show it.
case $(uname -r) in
6.1.* | 6.12.*) return 0 ;;
esac

# ---- objects of packet rules and of a scheduler ----
(
	net_ab
	skep() { exec nsenter -t "$NS_b" -n -- skep-load "$@"; }
	skep_start /tmp/rules /skep/objects/rules.o
	in_ns a netsend udp 10.0.0.2 4444 5
	in_ns a netsend udp 10.0.0.2 4445 5
	t_check object_passes wait_for 10 in_ns a ping -c 1 -W 2 10.0.0.2
	skep_stop
	expect_equal object_rules_status $status 0
	expect_match object_rules '^@dropped\[10.0.0.1\]: 5$' /tmp/rules
)
if have_config CONFIG_SCHED_CLASS_EXT && [ "$(uname -m)" = riscv64 ]; then
	skep-load --for 2s /skep/objects/fifo.o >/tmp/fifo 2>&1
	expect_match object_sched_told "cannot run this operation" /tmp/fifo
elif have_config CONFIG_SCHED_CLASS_EXT; then
	skep-load --for 2s /skep/objects/fifo.o >/tmp/fifo 2>&1 &
	t_check object_sched wait_for 20 grep -q enabled /sys/kernel/sched_ext/state
	wait $!
	expect_equal object_sched_status $? 0
	expect_match object_sched_map '^@started\[0\]: [1-9]' /tmp/fifo
else
	skep-load --for 2s /skep/objects/fifo.o >/tmp/fifo 2>&1
	expect_match object_sched_told "schedulers need Linux 6.12" /tmp/fifo
fi

# ---- without ring buffer, links, kprobe PMU ----
skep_start /tmp/old --no-feature=ringbuf,perf_link,kprobe_pmu \
	-e 'kprobe:vfs_read /comm == "dd" && arg2 == 77/ { printf("read %d\n", arg2); @n = count(); }'
/bin/dd if=/dev/zero of=/dev/null bs=77 count=1000 2>/dev/null &
/bin/dd if=/dev/zero of=/dev/null bs=77 count=1000 2>/dev/null
wait $!
skep_stop
sum=$(awk '/^read 77$/ { n++ } /^Lost / { n += $2 } /Lost/ && !/^Lost / { for (i = 1; i < NF; i++) if ($i == "Lost") n += $(i + 1) } END { print n + 0 }' /tmp/old /tmp/old.err)
count=$(sed -n 's/^@n: //p' /tmp/old)
expect_equal perf_buffer "$sum" "${count:-none}"
[ "$(cat /sys/kernel/tracing/kprobe_events | wc -l)" = 0 ] && t_ok tracefs_clean || t_fail tracefs_clean "a kprobe event is left"

# ---- no type information ----
unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec skep --for 2s -e "
	BEGIN { printf(\"no btf\\n\"); } kprobe:vfs_read { @k = count(); } interval:ms:100 { @i = count(); }
	tracepoint:syscalls:sys_enter_read { @t[args.count > 0] = count(); }"' >/tmp/nobtf 2>&1 &
reads_while $!
expect_match btf_hidden '^@k: [1-9]' /tmp/nobtf
expect_match btf_hidden_tracepoint '^@t\[(true|false|[01])\]: [1-9]' /tmp/nobtf
unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf
	skep check -e "kprobe:vfs_read { @ = ((struct file *)arg0)->f_pos; }"
	skep-load --dry-run /skep/objects/moved.o' >/tmp/nobtf2 2>&1
expect_match btf_hidden_told 'type information' /tmp/nobtf2

# ---- neither root nor tracefs: three capabilities ----
mkdir -p /tmp/log && chmod 777 /tmp/log
# Debian's kernels ask for CAP_SYS_ADMIN from 3 on
echo 2 >/proc/sys/kernel/perf_event_paranoid
drop skep --for 2s -o /tmp/log/user -e 'BEGIN { printf("uid %d\n", uid); }
	kprobe:vfs_read { @[comm] = count(); } interval:ms:200 { @i = count(); }' >/tmp/user 2>&1 &
reads_while $!
expect_match user_begin '^uid 1000$' /tmp/log/user
grep -q '^@' /tmp/log/user || t_show /tmp/user
expect_match user_kprobe '^@\[.*\]: [1-9]' /tmp/log/user
drop skep --dry-run -e 'xdp:lo /tcp.dport == 23/ { drop(); }' >/tmp/userx 2>&1
expect_equal user_xdp $? 0

# ---- unattended ----
skep_start /tmp/hup -o /tmp/log/hup -e 'interval:ms:100 { printf("tick\n"); }'
SKEP_READY=/tmp/log/hup
wait_for 20 grep -q tick /tmp/log/hup
mv /tmp/log/hup /tmp/log/hup.1
kill -HUP "$SKEP_PID"
wait_for 20 grep -q tick /tmp/log/hup
expect_match rotated '^tick$' /tmp/log/hup
SKEP_READY=/tmp/hup
skep_stop
expect_equal rotated_status $status 0
# Each event makes skep itself open a file, which makes more events: it never finds the buffer empty, and heeds
# the clock all the same.
start=$(date +%s)
timeout 30 skep -q --for 1s -o /tmp/log/busy -e 'tracepoint:syscalls:sys_enter_open* {
	cat("/etc/group"); @n = count(); }' >/tmp/busy 2>&1 &
reads_while $!
took=$(($(date +%s) - start))
expect_match busy '^@n: [0-9]{3}' /tmp/log/busy
[ $took -lt 25 ] && t_ok busy_ends || t_fail busy_ends "--for 1s took $took s"
skep --info -f json >/tmp/info
expect_match info '"ringbuf": \{"have": true\}.*\}\}$' /tmp/info
