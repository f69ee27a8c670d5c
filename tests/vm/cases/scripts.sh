# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The ready-made scripts, side by side, over a load that each of them sees something of.
# emulator: single x86_64
# timeout: 240

names="biolat cpuprof execs exits faults irqlat offcpu oomkills opensnoop runqlat signals slowsys
	syscount tcpretrans tcpstates vfslat"

attached() {
	for n in $names; do
		grep -q '^Attached' /tmp/$n.err || kill -0 $(cat /tmp/$n.pid) 2>/dev/null || continue
		grep -q '^Attached' /tmp/$n.err || return 1
	done
}

gone() {
	for n in $names; do ! kill -0 $(cat /tmp/$n.pid) 2>/dev/null || return 1; done
}

for n in $names; do
	args=
	[ $n != slowsys ] || args=100
	skep -B line /skep/scripts/$n.bt $args >/tmp/$n 2>/tmp/$n.err &
	echo $! >/tmp/$n.pid
done
wait_for 90 attached

load_reads 5
nc -ll -p 7070 -e /bin/echo served &
listener=$!
for i in 1 2 3; do
	sh -c 'exit 3'
	/bin/busybox true first second
	timeout 3 nc -w 2 127.0.0.1 7070 </dev/null >/dev/null 2>&1
	sleep 0.3
	/bin/sleep 100 &
	kill -TERM $!
done
kill $listener
sleep 2

for n in $names; do kill -INT $(cat /tmp/$n.pid) 2>/dev/null; done
wait_for 60 gone

sees() { # NAME REGEX
	if ! grep -q '^Attached' /tmp/$1.err; then
		t_show /tmp/$1.err
		t_fail $1 "did not attach"
	else
		expect_match $1 "$2" /tmp/$1
	fi
}
sees execs 'busybox true first second'
sees exits '^[0-9]+ +sh +[0-9]+ +3 +0$'
sees faults '^@tens\[.*\]: [1-9]'
sees irqlat '^@us\[[0-9]+\]:$'
sees offcpu '^, .*\]: [0-9]+$'
sees opensnoop '/etc/passwd$'
sees runqlat '^@us:$'
sees signals ' 15 +[0-9]+ (sh|sleep)$'
sees slowsys '^[0-9]+ +sleep +(clock_)?nanosleep'
sees syscount '^@calls\[read\]: [1-9]'
sees tcpstates '127.0.0.1 +[0-9]+ +127.0.0.1 +7070'
sees vfslat '^@read_ns:$'
sees cpuprof '^, .*\]: [0-9]+$'
# nothing of theirs happens here
for n in biolat oomkills tcpretrans; do
	if grep -q '^Attached' /tmp/$n.err; then
		t_ok $n
	else
		t_show /tmp/$n.err
		t_fail $n "did not attach"
	fi
done
