# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The rule files of scripts/packets on real traffic over a veth pair: every rule must have counted in the
# kernel what it counts in `skep replay` of the same packets. Odd ones run natively and even ones generic on
# some kernels, and the other way round on the others.
# timeout: 300
# files: scripts/packets tests/packets/frames.pcap

net_ab
for i in a b; do
	in_ns $i sh -c 'echo 1 >/proc/sys/net/ipv6/conf/v0/disable_ipv6'
	in_ns $i ip link set v0 arp off
done
# Of more than one frame per neighbour nothing answers: the captured addresses are not these hosts'.
in_ns b ip addr flush dev v0
in_ns b ip link add eth1 type veth 2>/dev/null
in_ns b ip link set eth1 up 2>/dev/null
in_ns b ip link set veth0 up 2>/dev/null
in_ns b sh -c 'echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6; echo 1 >/proc/sys/net/ipv6/conf/veth0/disable_ipv6'
cd /tmp || exit
printf '192.0.2.0/24\n10.9.0.0/16 # another\n2001:db8:bad::/48\n' >blocklist.txt
frames=/skep/tests/packets/frames.pcap

# counts FILE: the table of rules
counts() {
	grep -E '^ +[0-9]+ +[0-9]+  .*\(/skep/' "$1"
}

# column N of a's interface: 2 frames received, 10 frames sent, which natively are those that b has looked at
frames_at_a() {
	in_ns a cat /proc/net/dev | sed -n 's/^ *v0: */v0 /p' | awk -v n=$(($1 + 1)) '{ print $n }'
}
frames_seen() {
	[ "$(frames_at_a 10)" -ge "$1" ]
}

# live FILE MODE TIMES: the rules in b, the frames from a
live() {
	_seen=$(($(frames_at_a 10) + 40 * $3))
	: >/tmp/live.err # else the last one's is read before this one has begun
	nsenter -t "$NS_b" -n -- skep --counts --xdp $2 "$1" v0 >/tmp/live 2>/tmp/live.err </dev/null &
	_live=$!
	wait_for 20 grep -q '^Attached\|error' /tmp/live.err
	_n=$3
	while [ $_n -gt 0 ]; do
		in_ns a netsend pcap v0 $frames
		_n=$((_n - 1))
	done
	skep replay -r $frames "$1" v0 >/tmp/replayed 2>/tmp/replay.err || cat /tmp/replay.err
	wait_for 5 frames_seen $_seen || _note note "$1: not all frames were seen"
	kill -INT $_live
	wait $_live || cat /tmp/live.err
}

# Frames that came to the other end of eth1.
went_out() {
	in_ns b cat /proc/net/dev | sed -n 's/^ *veth0: *[0-9]* *\([0-9]*\) .*/\1/p'
}

case $(uname -r)-$(uname -m) in
6.1.* | 7.*-x86_64 | *-riscv64) mode=generic ;;
*) mode=native ;;
esac
for f in /skep/scripts/packets/*.skep; do
	name=$(basename "$f" .skep)
	case $name in
	22-*) continue ;; # a cgroup's own traffic: see hooks.sh
	04-* | 13-*) times=5 ;;
	*) times=1 ;;
	esac
	back=$(frames_at_a 2) out=$(went_out)
	live "$f" $mode $times
	counts /tmp/live >/tmp/live.counts
	# natively veth sends only to where a program waits, too
	case $name-$mode in
	20-*-generic) t_check ${name}_comes_back [ "$(frames_at_a 2)" -gt "$back" ] ;;
	21-*-generic) t_check ${name}_goes_out [ "$(went_out)" -gt "$out" ] ;;
	esac
	counts /tmp/replayed >/tmp/replay.counts
	case $name in
	04-*) expect_match $name '^ +[1-9][0-9]* +[0-9]+  too many' /tmp/live ;;
	13-*) expect_match $name '^ +1 +[0-9]+  every third' /tmp/live ;;
	14-*) expect_match $name '^ +[0-9]+ +[0-9]+  xdp' /tmp/live ;;
	*)
		if [ -s /tmp/replay.counts ] && cmp -s /tmp/live.counts /tmp/replay.counts; then
			t_ok $name
		else
			t_show /tmp/live.err
			t_show /tmp/live
			t_show /tmp/replayed
			t_fail $name "the kernel counted otherwise than replay"
		fi
		;;
	esac
	[ $mode = native ] && mode=generic || mode=native
done

# What 16 captured are the packets it saw.
skep replay -r telnet.pcap -e 'xdp:v0 /tcp.dport == 23/ { drop("telnet"); }' >/tmp/telnet.txt
expect_match captured '^5 packets: 0 passed, 5 dropped' /tmp/telnet.txt

# A list that changes while its rules are in force.
: >/tmp/live.err
nsenter -t "$NS_b" -n -- skep /skep/scripts/packets/17-prefix-list.skep v0 >/tmp/live 2>/tmp/live.err </dev/null &
live=$!
wait_for 20 grep -q '^Attached\|error' /tmp/live.err
in_ns a netsend pcap v0 $frames
printf '10.0.0.0/8\n' >blocklist.txt
kill -HUP $live
t_check reload wait_for 10 grep -q '^Lists read again: 1 entr' /tmp/live.err
_seen=$(($(frames_at_a 10) + 40))
in_ns a netsend pcap v0 $frames
printf '10.0.0.0/8\nnonsense\n' >blocklist.txt
kill -HUP $live
t_check reload_wrong wait_for 10 grep -q 'blocklist.txt:2: .nonsense. is no prefix' /tmp/live.err
wait_for 5 frames_seen $_seen
kill -INT $live
wait $live
expect_match reload_counts '^ +2[0-9] +[0-9]+  on the list' /tmp/live
