# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Rules that change packets, in both directions, with connections over them: receivers drop what has a wrong
# checksum. Senders count theirs behind our rules (at first those of tc have none yet).
# timeout: 200

net_ab
for ns in a b; do
	in_ns $ns netsend nosum v0 || t_skip sums "the interface counts checksums itself"
done
in_ns b ip addr add 10.0.0.9/24 dev v0
in_ns a ip -6 route add fd00:9::/64 via fd00::2
in_ns b sh -c 'echo 1 >/proc/sys/net/ipv4/fwmark_reflect'
serve b 8080

# start NS NAME ARGS…: skep there, in the background
start() {
	eval "_pid=\$NS_$1"
	_name=$2
	shift 2
	: >/tmp/$_name.err
	nsenter -t "$_pid" -n -- skep "$@" >/tmp/$_name 2>/tmp/$_name.err </dev/null &
	eval "pid_$_name=$!"
	wait_for 20 grep -q '^Attached\|error' /tmp/$_name.err || cat /tmp/$_name.err
}

# Nobody listens at 10.0.0.9:80: what comes there is sent to 10.0.0.2:8080, and its answers back. Nobody has
# fd00:9::1: it is another name of fd00::2.
start b there -e 'tc:v0:ingress /icmp.type == echo_request/ { ip.dscp = 10; pkt.mark = 7; }
	tc:v0:ingress /ip.dst == 10.0.0.9 && tcp.dport == 80/ { ip.dst = 10.0.0.2; tcp.dport = 8080; @in = count(); }
	tc:v0:ingress /ip.dst == 10.0.0.2 && tcp.dport == 8080/ { @next = count(); }
	tc:v0:egress /icmp.type == echo_reply/ { @reply[pkt.mark, ip.dscp] = count(); ip.dscp = ef; }
	tc:v0:egress /ip.src == 10.0.0.2 && tcp.sport == 8080 && tcp.dport != 9/ {
		if (tcp.mss > 1000) { tcp.mss = 1000; }
		ip.src = 10.0.0.9; tcp.sport = 80;
	}
	tc:v0:ingress /ip6.dst == fd00:9::1/ { ip6.dst = fd00::2; @in6[ip6.dst] = count(); }
	tc:v0:egress /ip6.src == fd00::2 && (icmp6.type == 129 || tcp.sport == 8080)/ { ip6.src = fd00:9::1; }'
start a here -e 'xdp:v0 /icmp.type == echo_reply && ip.dscp == ef/ { @ef = count(); }
	xdp:v0 /tcp.sport == 80 && tcp.mss == 1000 && ip.src == 10.0.0.9/ { @clamped = count(); }'
t_check ping in_ns a ping -c 1 -W 2 10.0.0.2
t_check connects wait_for 10 connects a 10.0.0.9 80
t_check ping6 wait_for 10 in_ns a ping -6 -c 1 -W 2 fd00:9::1
t_check connects6 wait_for 10 connects a fd00:9::1 8080
kill -INT $pid_there $pid_here
wait $pid_there $pid_here
t_show /tmp/there
t_show /tmp/here
expect_match changed_in '^@in: [1-9]' /tmp/there
expect_match next_rule '^@next: [1-9]' /tmp/there
expect_match mark_and_dscp '^@reply\[7, 10\]: [1-9]' /tmp/there
expect_match dscp_out '^@ef: [1-9]' /tmp/here
expect_match changed_in6 '^@in6\[fd00::2\]: [1-9]' /tmp/there
expect_match mss '^@clamped: [1-9]' /tmp/here

# The same natively, before the kernel has seen the packet.
start b there -e 'xdp:v0 /ip.dst == 10.0.0.9 && tcp.dport == 80/ { ip.dst = 10.0.0.2; tcp.dport = 8080; }
	tc:v0:egress /ip.src == 10.0.0.2 && tcp.sport == 8080 && tcp.syn && tcp.mss > 500/ { tcp.mss = 500; ip.src = 10.0.0.9; tcp.sport = 80; }
	tc:v0:egress /ip.src == 10.0.0.2 && tcp.sport == 8080/ { ip.src = 10.0.0.9; tcp.sport = 80; }
	xdp:v0 /ip6.dst == fd00:9::1/ { ip6.dst = fd00::2; }
	tc:v0:egress /icmp6.type == 129/ { ip6.src = fd00:9::1; }
	tc:v0:egress /ip6.src == fd00::2 && tcp.sport == 8080/ { ip6.src = fd00:9::1; }'
t_check xdp_connects wait_for 10 connects a 10.0.0.9 80
t_check xdp_ping6 wait_for 10 in_ns a ping -6 -c 1 -W 2 fd00:9::1
t_check xdp_connects6 wait_for 10 connects a fd00:9::1 8080
kill -INT $pid_there
wait $pid_there
expect_equal status $? 0
# Without rules there is nobody.
if connects a 10.0.0.9 80; then t_fail without "somebody answers"; else t_ok without; fi
if connects a fd00:9::1 8080; then t_fail without6 "somebody answers"; else t_ok without6; fi
