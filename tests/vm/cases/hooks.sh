# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Where packet rules can be, and how they stay there: tc, cgroups, modes of XDP, pinned sets, trials.
# timeout: 240

net_ab

# Runs skep in namespace b (or $1's) in the background until rules_end.
rules() {
	: >/tmp/rules.err
	eval "_pid=\$NS_$1"
	shift
	nsenter -t "$_pid" -n -- skep "$@" >/tmp/rules 2>/tmp/rules.err </dev/null &
	rules_pid=$!
	wait_for 20 grep -q '^Attached\|error' /tmp/rules.err
}

rules_end() {
	kill -0 $rules_pid 2>/dev/null || echo "skep has ended by itself"
	kill -INT $rules_pid
	wait $rules_pid
	status=$?
	cat /tmp/rules.err
	t_show /tmp/rules
}

pings() {
	in_ns a ping -c 1 -W 2 10.0.0.2 >/dev/null
}

blocked() {
	! in_ns a ping -c 1 -W 1 10.0.0.2 >/dev/null
}

t_check before wait_for 5 pings

rules b -e 'tc:v0:ingress /icmp.type == 8/ { @in = count(); drop(); } tc:v0:egress { @out = count(); }'
t_check tc_ingress blocked
in_ns b ping -c 1 -W 2 10.0.0.1 >/dev/null
rules_end
expect_equal tc_status $status 0
expect_match tc_in '^@in: [1-9]' /tmp/rules
expect_match tc_out '^@out: [1-9]' /tmp/rules
t_check tc_after wait_for 5 pings

rules a -e 'tc:v0:egress /icmp.type == 8/ { drop(); }'
t_check tc_egress blocked
rules_end
for mode in native generic; do
	rules b -e "xdp:v0:$mode /icmp.type == 8/ { @ = count(); drop(); }"
	t_check $mode blocked
	rules_end
	expect_match ${mode}_count '^@: [1-9]' /tmp/rules
done

in_ns b skep --xdp offload -e 'xdp:v0 /icmp.type == 8/ { drop(); }' >/tmp/out 2>/tmp/err
expect_match offload 'the network card or its driver runs no programs' /tmp/err
in_ns b skep -e 'xdp:v0:offload /icmp.type == 8/ { @ = count(); drop(); }' >/tmp/out 2>/tmp/err
expect_match offload_map 'the network card or its driver holds no maps' /tmp/err

mkdir -p /tmp/cg /sys/fs/cgroup
grep -q ' /sys/fs/cgroup cgroup2 ' /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/t
rules a -e 'cgroup_skb:/t:egress { @ = count(); drop(); }'
(
	echo 0 >/sys/fs/cgroup/t/cgroup.procs
	blocked
)
t_check cgroup_blocked [ $? = 0 ]
t_check cgroup_others wait_for 5 pings
rules_end
expect_match cgroup_count '^@: [1-9]' /tmp/rules
rules a --counts /skep/scripts/packets/22-cgroup.skep /t
(
	echo 0 >/sys/fs/cgroup/t/cgroup.procs
	in_ns a timeout 10 nc -w 5 10.0.0.2 8080 </dev/null
	in_ns a timeout 10 nc -w 1 10.0.0.2 22 </dev/null
)
rules_end
expect_match cgroup_scenario '^ +[1-9][0-9]* +[0-9]+  not its business' /tmp/rules
expect_match cgroup_scenario_passes '^ +[1-9][0-9]* +[0-9]+  cgroup_skb:.1:egress /tcp.dport' /tmp/rules

# A pinned set stays when skep is gone, and is exchanged in place.
in_ns b skep --pin fw -e 'xdp:v0 /icmp.type == 8/ { @seen = count(); drop(); } tc:v0:egress { @out = count(); }' >/tmp/out 2>/tmp/err
expect_equal pin_status $? 0
t_show /tmp/err
expect_match pin_said '^Pinned as .fw.' /tmp/err
t_check pin_blocks blocked
skep list >/tmp/out
expect_match pin_list '^fw +xdp:v0 tc:v0:egress' /tmp/out
skep stats fw >/tmp/out 2>&1
expect_match pin_stats '^@seen: [1-9]' /tmp/out
skep stats --metrics /tmp/prom fw
expect_match pin_metrics '^skep_map\{map="@seen",key=""\} [1-9]' /tmp/prom
in_ns b skep -e 'xdp:v0 { pass(); }' >/tmp/out 2>/tmp/err
expect_match busy 'another XDP program is already there: program ' /tmp/err
in_ns b skep --pin fw -e 'xdp:v0 /tcp.dport == 9/ { drop(); }' >/tmp/out 2>/tmp/err
expect_equal repin_status $? 0
t_check repin_passes wait_for 5 pings
skep list >/tmp/out
expect_match repin_list '^fw +xdp:v0$' /tmp/out
# Not confirmed: the pinned set is as before.
in_ns b skep --pin fw --trial 1s -e 'xdp:v0 { drop(); }' </dev/null >/tmp/out 2>/tmp/err
[ $? != 0 ] && t_ok trial_status || t_fail trial_status "exit status 0"
expect_match trial_said 'nobody confirmed the rules' /tmp/err
t_check trial_over wait_for 5 pings
# Confirmed by another process.
in_ns b skep --pin fw --trial 30s -e 'xdp:v0 /icmp.type == 8/ { drop(); }' </dev/null >/tmp/out 2>/tmp/err &
trial_pid=$!
wait_for 20 skep confirm fw || cat /tmp/err
wait $trial_pid
expect_equal confirm_status $? 0
t_check confirm_blocks blocked
skep detach fw
expect_equal detach_status $? 0
t_check detached wait_for 5 pings
rules b --replace -e 'xdp:v0 /icmp.type == 8/ { drop(); }'
in_ns b skep --replace -e 'xdp:v0 { @ = count(); exit(); }' >/tmp/out 2>/tmp/err &
t_check replaced wait_for 10 pings
rules_end

# An interface that vanishes and comes back.
in_ns b ip link add x0 type veth
rules b -e 'xdp:x* { @ = count(); } tc:x0:ingress { @t = count(); }'
in_ns b ip link del x0
t_check gone wait_for 10 grep -q "interface 'x0' is gone, and with it the rules of xdp:x0" /tmp/rules.err
in_ns b ip link add x0 type veth
t_check back wait_for 10 grep -q "interface 'x0' is back: tc:x0:ingress has its rules again" /tmp/rules.err
in_ns b ip link add x7 type veth
t_check newcomer wait_for 10 grep -q "interface 'x7' appeared and matches xdp:x\*" /tmp/rules.err
in_ns b ip link set x0 name y0
t_check renamed wait_for 10 grep -q "'x0' is called 'y0' now: it keeps the rules of tc:x0:ingress" /tmp/rules.err
rules_end
expect_equal watch_status $status 0
in_ns b skep --pin moved -e 'xdp:y0 { drop(); }' >/tmp/out 2>&1
in_ns b ip link set y0 name z0
in_ns b skep list >/tmp/out
expect_match list_renamed '^moved +xdp:y0 \(interface [0-9]+, here called z0\)$' /tmp/out
in_ns b ip link del z0
in_ns b skep list >/tmp/out
expect_match list_gone '^moved +xdp:y0 \(gone\)$' /tmp/out
skep detach moved
