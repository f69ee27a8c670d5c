# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bpftrace's own tools (Debian's package, files as it has them), all at once: each compiles, loads,
# attaches and prints, or says by name what this kernel or guest lacks.
# emulator: single x86_64
# timeout: 500
# files: tests/vm/cases/corpus.txt
list=/skep/tests/vm/cases/corpus.txt
if ! ls /usr/sbin/*.bt >/dev/null 2>&1; then
	t_skip tools "the package bpftrace is not installed on the host"
	return 0
fi

# Whether the guest has what the tool needs.
has() {
	case $1 in
	-) true ;;
	file:*) [ -e "${1#file:}" ] ;;
	sym:*) grep -Eqx "${1#sym:}" /tmp/syms ;;
	field:*)
		_s=${1#field:}
		skep check -e "BEGIN { print(((struct ${_s%.*} *)1)->${_s#*.}); }" >/dev/null 2>&1
		;;
	event:*) [ -d "/sys/kernel/tracing/events/${1#event:}" ] ;;
	esac
}

case $(uname -m)-$(uname -r) in
x86_64-5.10.* | x86_64-6.12.* | aarch64-* | riscv64-*)
	# a minute of the emulator each; every probe kind and function has its own case there
	t_skip tools "run on x86_64 6.1 and the newest kernel only"
	return 0
	;;
esac
if [ ! -e /sys/kernel/btf/vmlinux ]; then
	t_skip tools "the kernel has no BTF"
	return 0
fi
# the symbols that the list asks for, read once
grep -E " ($(sed -n 's/^[a-z]*|sym:\([^|]*\)|.*$/\1/p' $list | tr '\n' '|')_)( |$)" /proc/kallsyms |
	awk '{ print $3 }' >/tmp/syms
net_ab
serve b 5001
t0=$(cut -d. -f1 /proc/uptime)
start() {
	skep "/usr/sbin/$1.bt" >/tmp/$1.out 2>/tmp/$1.err &
	echo "$1 $!" >>/tmp/tools
}
settled() {
	while read -r n pid; do
		[ ! -e /proc/$pid ] || grep -q '^Attached ' /tmp/$n.err || return 1
	done </tmp/tools
}
# Those that see nearly everything come last: they would slow the start of the others down.
busy=" dcsnoop capable vfscount vfsstat syscount opensnoop runqlat "
for f in /usr/sbin/*.bt; do
	n=${f##*/}
	n=${n%.bt}
	case $busy in *" $n "*) ;; *) start $n ;; esac
done
wait_for 250 settled || echo "not all have attached"
echo "most attached after $(($(cut -d. -f1 /proc/uptime) - t0)) s"
for n in $busy; do
	start $n
	wait_for 60 settled || echo "$n has not attached"
done
echo "attached after $(($(cut -d. -f1 /proc/uptime) - t0)) s"

load() {
	/bin/true corpus
	/bin/cat /no/such/corpus 2>/dev/null
	/bin/cat /etc/passwd >/dev/null
	sleep 100 &
	/bin/kill -USR1 $!
	/bin/sync
	/bin/stat -f / >/dev/null
	connects a 10.0.0.2 5001
	connects a 10.0.0.2 5001 # the first accept() was waiting before it was probed
	i=0
	while [ $i -lt 3000 ]; do i=$((i + 1)); done
}
# until everything that should come has come: an emulated CPU may miss the first events
complete() {
	load
	sleep 1
	grep -q 'PIDs/sec' /tmp/pidpersec.out || return 1
	! grep -q '^Attached' /tmp/tcpconnect.err || grep -q 'nc ' /tmp/tcpconnect.out
}
complete || complete || complete
while read -r n pid; do
	kill -INT "$pid" 2>/dev/null
done </tmp/tools
gone() {
	while read -r n pid; do
		[ ! -e /proc/$pid ] || return 1
	done </tmp/tools
}
wait_for 60 gone || echo "not all have ended"
echo "ended after $(($(cut -d. -f1 /proc/uptime) - t0)) s"

ran=0 refused=0
while IFS='|' read -r n needs regex; do
	case $n in \#* | '') continue ;; esac
	if [ ! -e /tmp/$n.out ]; then
		t_skip "$n" "not in this version of the package"
	elif grep -q '^Attached ' /tmp/$n.err; then
		expect_match "$n" "$regex" /tmp/$n.out
		ran=$((ran + 1))
	elif grep -Eq 'this is a bug in skep|rejected' /tmp/$n.err; then
		t_show /tmp/$n.err
		t_fail "$n" "a bug"
	elif grep -q 'not supported in this version' /tmp/$n.err; then
		t_skip "$n" "$(grep -m 1 'not supported in this version' /tmp/$n.err)"
	elif has "$needs"; then
		t_show /tmp/$n.err
		t_fail "$n" "did not attach"
	else
		t_skip "$n" "no $needs: $(grep -m 1 error: /tmp/$n.err)"
		refused=$((refused + 1))
	fi
done <$list
echo "corpus: $ran tools ran, $refused lack something here"
