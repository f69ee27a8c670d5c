# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Packet rules on a veth pair with real traffic.
# timeout: 300

net_ab
serve b 8080
serve b 9090
t_check before wait_for 10 connects a 10.0.0.2 8080
wait_for 10 connects a 10.0.0.2 9090

# skep in namespace b, in the background
rules() {
	: >/tmp/rules
	: >/tmp/rules.err
	nsenter -t "$NS_b" -n -- skep "$@" >/tmp/rules 2>/tmp/rules.err &
	rules_pid=$!
	wait_for 20 grep -q '^Attached' /tmp/rules.err
	cat /tmp/rules.err
}

rules_end() {
	# nsenter became skep: the pid is its own
	kill -INT $rules_pid
	wait $rules_pid
	status=$?
	t_show /tmp/rules
}

rules -e 'xdp:v0 /tcp.dport == 8080/ { @dropped[ip.src] = count(); drop(); }'
if connects a 10.0.0.2 8080; then t_fail blocked "8080 answers"; else t_ok blocked; fi
t_check other_port wait_for 5 connects a 10.0.0.2 9090
t_check ping wait_for 5 in_ns a ping -c 1 -W 2 10.0.0.2
rules_end
expect_equal status $status 0
expect_match counted '^@dropped\[10\.0\.0\.1\]: [1-9]' /tmp/rules
t_check after wait_for 5 connects a 10.0.0.2 8080

rules -e 'xdp:v0 /ip.src in 10.0.0.0/8 && tcp.dport in {22, 9000..9099}/ { @[tcp.dport, ip.ttl] = count(); drop(); }
	xdp:v0 /ip.proto == 1/ { @icmp = count(); @len = hist(ip.len); }
	xdp:v0 { @all++; }'
if connects a 10.0.0.2 9090; then t_fail set_blocked "9090 answers"; else t_ok set_blocked; fi
t_check set_other wait_for 5 connects a 10.0.0.2 8080
in_ns a ping -c 3 -W 2 10.0.0.2 >/dev/null
rules_end
expect_match set_counted '^@\[9090, 64\]: [1-9]' /tmp/rules
expect_match icmp_counted '^@icmp: [3-9]' /tmp/rules
expect_match all_counted '^@all: [1-9]' /tmp/rules

# a list with rules of all kinds: no kernel's verifier may get lost in it
i=0
while [ $i -lt 250 ]; do
	case $((i % 5)) in
	0) echo "xdp:v0 /tcp.dport in {$((20000 + i)), $((30000 + i * 7)), $((40000 + i))..$((40003 + i))}/" ;;
	1) echo "xdp:v0 /ip.src in 11.$i.0.0/$((16 + i % 9)) && udp.dport == $((20000 + i))/" ;;
	2) echo "xdp:v0 /ip6.src in 2001:db8:$i::/$((33 + i % 16))/" ;;
	3) echo "xdp:v0 /ip.dst in 12.$i.0.0/$((12 + i % 13))/" ;;
	*) echo "xdp:v0 /tcp.dport == $((50000 + i)) && !(ip.src in 13.$i.0.0/16)/" ;;
	esac
	if [ $((i % 4)) = 0 ]; then echo "{ pass(); }"; else echo "{ drop(); }"; fi
	i=$((i + 1))
done >/tmp/list.skep
rules /tmp/list.skep
t_check list_passes wait_for 5 connects a 10.0.0.2 8080
rules_end
expect_equal list_status $status 0

rules -e 'xdp:v0 /udp.dport == 53 || tcp.syn && !tcp.ack/ { printf("%s -> %s\n", ip.src, ip.dst); pass(); }'
t_check passes wait_for 5 connects a 10.0.0.2 8080
wait_for 20 grep -q '^10' /tmp/rules
rules_end
expect_match addresses '^10\.0\.0\.1 -> 10\.0\.0\.2$' /tmp/rules

rules -e 'xdp:v0 /ip6.src in fd00::/16 && icmp6.type == 128/ { @six[ip6.src] = count(); drop(); }'
if in_ns a ping -6 -c 1 -W 2 fd00::2 >/dev/null; then t_fail six_blocked "answers"; else t_ok six_blocked; fi
t_check six_v4 wait_for 5 in_ns a ping -c 1 -W 2 10.0.0.2
rules_end
expect_match six_counted '^@six\[fd00::1\]: [1-9]' /tmp/rules
