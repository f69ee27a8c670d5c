# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The kernel's own packet filter, nft, judges the crafted frames beside our rules: natively before it, as
# one sees a frame, the other does. Each rule keeps the senders' addresses, which number the frames, so
# answers are compared frame by frame. Where nft does not speak, the case says so by name.
# timeout: 60

if [ ! -x /usr/sbin/nft ] || [ ! -f /modules/nft.order ]; then
	t_skip oracle "no nft for this kernel (tests/vm/fetch-kernel, Debian's package nftables)"
	return 0
fi
while read -r m; do
	insmod "/modules/$m"
done </modules/nft.order
net_ab
cd /tmp || exit
for i in a b; do
	in_ns $i sh -c 'echo 1 >/proc/sys/net/ipv6/conf/v0/disable_ipv6'
	in_ns $i ip link set v0 arp off
done

# NAME%nft's rule%ours
cat >list <<'END'
port%tcp dport 23%tcp.dport == 23
no_port%tcp dport != 23%tcp.dport != 23
ports%tcp dport { 21, 23, 80-90 }%tcp.dport in {21, 23, 80..90}
udp%udp dport 5353%udp.dport == 5353
udp_source%udp sport { 23, 53 }%udp.sport in {23, 53}
source%ip saddr 10.1.0.0/16%ip.src in 10.1.0.0/16
source6%ip6 saddr 2001:db8::/32%ip6.src in 2001:db8::/32
proto%ip protocol 17%ip.proto == 17
ttl%ip ttl < 65%ip.ttl < 65
next%ip6 nexthdr 44%ip6.next == 44
frag%ip frag-off & 0x3fff != 0%ip.frag != 0
icmp%icmp type echo-request%icmp.type == echo_request
icmp6%icmpv6 type echo-request%icmp6.type == echo_request
syn%tcp flags & (syn | ack) == syn%tcp.syn && !tcp.ack
syn_fin%tcp flags & (syn | fin) == (syn | fin)%tcp.syn && tcp.fin
no_flags%tcp flags == 0%tcp.flags == 0
vlan%vlan id 5%vlan.id == 5
arp%ether type arp%eth.type == arp
mss%tcp option maxseg size < 500%tcp.mss < 500
sack%tcp option sack-perm exists%tcp.sackok
END
{
	echo 'table netdev t {'
	while IFS=% read -r name theirs ours; do
		echo "set s_$name { type ether_addr; size 1000; flags dynamic; }"
	done <list
	echo 'chain c { type filter hook ingress device v0 priority 0; policy accept;'
	while IFS=% read -r name theirs ours; do
		echo "$theirs add @s_$name { ether saddr } counter"
	done <list
	echo '}'
	echo '}'
} >rules.nft
while IFS=% read -r name theirs ours; do
	echo "xdp:v0 /$ours/ { @$name[eth.src] = count(); }"
done <list >rules.skep
in_ns b nft -f rules.nft
expect_equal loaded $? 0
nsenter -t "$NS_b" -n -- skep --xdp native rules.skep >ours.out 2>ours.err </dev/null &
pid=$!
wait_for 20 grep -q '^Attached\|error' ours.err
in_ns a netcraft send v0
sleep 0.5
in_ns b nft list table netdev t >theirs.out
kill -INT $pid
wait $pid
cat ours.err
netcraft list >names

# "RULE FRAME", sorted
sed -n 's/^@\(.*\)\[02:FE:00:00:\(..:..\)\]: 1$/\1 02:fe:00:00:\2/p' ours.out | tr A-F a-f | sort >ours
awk '
	/^\tset s_/ { set = substr($2, 3) }
	/^\tchain/ { set = "" }
	set { n = split($0, w, /[^0-9a-f:]+/); for (i = 1; i <= n; i++) if (w[i] ~ /^02:fe:/) print set, w[i] }
' theirs.out | sort >theirs
# What Linux 6.12's nft does not see, and we do: headers behind a second tag, behind AH, and behind an
# IPv4 header of a wrong length. What it sees that is none: ports in fragments after the first.
allowed='^(-[^ ]+ (tags|ah|length) |[+][^ ]+ later )'
# By frame: IPv6 by its EtherType though its version is 5 (ours; hosts drop it); nft follows more than eight
# extension headers, and options of TCP behind their end and behind one of a wrong length, as no host does.
known='^(-.* version 5 as IPv6|[+].* nine extensions|[+](mss|sack) .* mss (behind the end|of one byte))$'
diff ours theirs | grep '^[-+][a-z]' | while read -r rule frame; do
	echo "$rule $(sed -n "s/^$frame //p" names)"
done >differ
grep -Ev "$allowed" differ | grep -Ev "$known" >wrong
wc -l ours theirs differ
if [ -s wrong ]; then
	t_show wrong
	t_fail agrees "$(wc -l <wrong) answers are not nft's"
else
	t_ok agrees
fi
# Both have seen what there was to see, rule by rule.
while IFS=% read -r name theirs ours; do
	n=$(grep -c "^$name " theirs)
	[ "$n" -gt 0 ] || t_fail "$name" "nft has seen no such frame"
done <list
