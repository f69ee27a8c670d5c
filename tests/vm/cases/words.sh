# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Words of the language that no other case uses (scripts/check-tested asks for each), and what can be
# said about files, processes and addresses in the parts of a probe.
# timeout: 200

cat >/tmp/words.bt <<'X'
struct own { int a; char b; uint16 c[3]; };
macro twice(x) { x * 2 }
BEGIN {
	static_assert(sizeof(struct own) == 12, "size"); if (sizeof(struct own) != 12) { fail("size %d", 12); }
	assert(offsetof(struct own, c) == 6, "offset");
	printf("order %x %x %x %x %x\n", bswap((uint32)0x11223344), htons(0x1234), ntohs(0x1234),
		htonl(0x11223344), ntohl(0x11223344));
	$s = "hello world";
	printf("text %d %d %d %s %d %s\n", strlen($s), strstr($s, "wor"), strcontains($s, "lo w"),
		strcap($s, 5), memcmp("abc", "abc", 3), strerror(2));
	printf("names %s %s %s %s\n", signal_name(9), macaddr("\x01\x02\x03\x04\x05\xff"),
		ntop(pton("10.0.0.1")), ntop(pton("fe80::1")));
	printf("kinds %d %d %d %d %d %d %d\n", is_array(curtask->comm), is_integer(1), is_literal(2),
		is_map(@m), is_ptr(curtask), is_str($s), is_unsigned_integer((uint8)1));
	@m[2] = 20; @m[3] = 30; @z[1] = 9; @z[2] = 8;
	if (find(@m, 2, $v)) { printf("found %d %d %d\n", $v, len(@m), has_key(@m, 4)); }
	zero(@z);
	$p = (uint64)curtask + offsetof(struct task_struct, pid);
	printf("task %d %d %d %d\n", container_of((int32 *)$p, struct task_struct, pid)->tgid == pid,
		((struct task_struct *)kptr((uint64)curtask))->pid == tid, is_err(curtask), tid() == tid);
	printf("option %d %d %d\n", getopt("n", 5), getopt("yes"), getopt("none"));
	printf("lead %s %d %d %d %d %d\n", leader_comm, leader_tid == pid, gid, has_cpid, elapsed < 60s, jiffies > 0);
	printf("cgroup %d %s\n", cgroupid("/sys/fs/cgroup") > 0, cgroup_path(cgroupid("/sys/fs/cgroup")));
	printf("kernel %d %d %d %r\n", kfunc_exist("no_such_kfunc"), twice(21), strncmp("abc", "abd", 2), buf("a\x01", 2));
	warnf("warned"); debugf("debugged"); errorf("errors");
	clear(@m);
}
X
cat >/tmp/words.want <<'X'
order 44332211 3412 3412 44332211 44332211
text 11 6 1 hello 0 No such file or directory
names Killed 01:02:03:04:05:FF 10.0.0.1 fe80::1
kinds 0 1 1 1 1 1 1
found 20 2 0
task 1 1 0 1
option 7 1 0
lead skep 1 0 0 1 1
cgroup 1 unified:/
kernel 0 42 0 a\x01
@z[1]: 0
@z[2]: 0
X
case $(uname -r) in
5.10.*)
	skep --dry-run /tmp/words.bt >/tmp/len 2>&1
	expect_match len_refused 'len\(\) of a map needs Linux 5\.13' /tmp/len
	sed -i 's/len(@m)/2/' /tmp/words.bt
	;;
esac
mkdir -p /sys/fs/cgroup
grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup
skep -q /tmp/words.bt -- --n=7 --yes >/tmp/words.out 2>/tmp/words.err
expect_equal words_status $? 0
grep . /tmp/words.out >/tmp/words
if cmp -s /tmp/words /tmp/words.want; then t_ok words; else t_show /tmp/words; t_show /tmp/words.err; t_fail words "not what it should print"; fi
expect_match warnf 'WARNING: warned$' /tmp/words.err
expect_match debugf 'DEBUG: debugged$' /tmp/words.err
expect_match errorf 'ERROR: errors$' /tmp/words.err

# Arguments beyond the third, a variable of the program, a function of C++, signals to the process and
# to the thread. An emulated CPU may miss the first calls.
ln -s /skep/bin/utarget /tmp/uthread
vfs_read=$(sed -n 's/^\([0-9a-f]*\) T vfs_read$/0x\1/p' /proc/kallsyms)
case $(uname -m) in # where instructions begin, one of them; what is no beginning is left out
x86_64) offs="4 5 8 9 12" ;;
riscv64) offs="12 14 16 18" ;;
*) offs="16 20" ;;
esac
offs=$(for _o in $offs; do printf ', kprobe:vfs_read+%s' $_o; done)
skep_start /tmp/live --unsafe -e 'uprobe:/skep/bin/utarget:utarget_six { @six[arg3, arg4, arg5] = count(); @var = *uaddr("utarget_watched") >= 0;
		if (comm == "uthread") { signal_thread(9); } else { signal("USR1"); } }
	uprobe:/skep/bin/utarget:cpp:"ns::Server::h*" { @cpp[func] = count(); }
	kprobe:'$vfs_read' /comm == "dd"/ { @addr = count(); }
	'"${offs#, }"' /comm == "dd"/ { @off[probe] = count(); }
	software:minor-fault? { @faults[probe] = count(); }'
killed() { # PROGRAM STATUS
	_n=40
	while [ $_n -gt 0 ]; do
		"$1" 3 >/dev/null 2>&1
		[ $? != "$2" ] || return 0
		_n=$((_n - 1))
	done
	return 1
}
t_check signal killed utarget 138
t_check signal_thread killed /tmp/uthread 137
for _i in 1 2 3 4 5 6 7 8 9 10; do /bin/dd if=/proc/version of=/dev/null bs=16 2>/dev/null; done
skep_stop
expect_match late_arguments '^@six\[4, 5, 6\]: [1-9]' /tmp/live
expect_match uaddr '^@var: (1|true)$' /tmp/live
expect_match cpp '^@cpp\[_ZNK2ns6Server6handleEi\]: [1-9]' /tmp/live
expect_match kprobe_address '^@addr: [1-9]' /tmp/live
expect_match kprobe_offset '^@off\[kprobe:vfs_read\+[0-9]+\]: [1-9]' /tmp/live
expect_match event_pattern '^@faults\[software:minor-faults.*\]: [1-9]' /tmp/live

# What a kernel need not have
feature() { # NAME SCRIPT: loads, or is refused by name
	skep --dry-run --unsafe -e "$2" >/tmp/feature 2>&1 && t_ok $1 && return
	expect_match $1 'kernel-feature|no-such-target|needs-btf|not-supported|kernel (does not allow|lacks) a helper' /tmp/feature
	t_skip $1 "$(head -n 1 /tmp/feature)"
}
feature override 'kprobe:vfs_read /comm == "nobody"/ { override(-5); }'
feature socket_cookie 'fentry:tcp_connect { @[socket_cookie(args.sk)] = count(); }'
feature struct_by_value 'fexit:from_kuid_munged { @[args.targ->level] = sum(retval); }'

# Files of a process; lists
utarget 3000 20 >/dev/null &
U=$!
skep -l -p $U 'usdt:*,uprobe:*:utarget_a*' >/tmp/list 2>&1
expect_match list_usdt '^usdt:/skep/bin/utarget:utarget:sum$' /tmp/list
expect_match list_uprobe '^uprobe:/skep/bin/utarget:utarget_add$' /tmp/list
skep -p $U -e 'usdt::utarget:sum { @n++; if (@n > 3) { exit(); } } uprobe:*:utarget_ad? { @u++; }' >/tmp/mine 2>&1
expect_match usdt_of_process '^@n: [1-9]' /tmp/mine
expect_match uprobe_of_process '^@u: [1-9]' /tmp/mine
kill $U
skep -l 'kprobe:*:vfs_rea*,kretprobe:vfs_rea*,fentry:vfs_rea*,lsm:file_ope?,rawtracepoint:vmlinux:sched_sw*,software:minor*,hardware:cpu-c*,self:*,profile:*,iter:task,t:sched:sched_swi*,xdp:lo,sched_ext:enqueue' >/tmp/list 2>&1
t_show /tmp/list
for _l in kprobe:vmlinux:vfs_read kretprobe:vfs_readv software:minor-faults hardware:cpu-cycles self:signal:SIGUSR1 profile:hz: tracepoint:sched:sched_switch xdp:lo; do
	expect_match "list_${_l%%:*}" "^$_l\$" /tmp/list
done
skep -e 'kprobe:nosuch:vfs_read { @ = 1; }' >/tmp/missing 2>&1
expect_match no_module "module 'nosuch' is not loaded" /tmp/missing
