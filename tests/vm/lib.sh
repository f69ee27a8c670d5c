# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What test cases in tests/vm/cases/ use. Sourced by busybox's sh in the guest, in a
# fresh process per case: T_CASE is the case's name; /skep holds skep and the files.
#
# Verdicts: every case gives at least one.
#   t_ok NAME   t_fail NAME WHY   t_skip NAME WHY
#   t_check NAME COMMAND…             ok when the command succeeds
#   expect_match NAME REGEX FILE      ok when a line of FILE matches (extended regex)
#   expect_no_match NAME REGEX FILE
#   expect_equal NAME GOT WANT
#   t_prog NAME ARGS…                 runs a test program, passes its verdicts on
# Running skep:
#   skep_start OUT ARGS…              in the background; returns when it is attached
#   skep_stop [SIG]                   SIGINT (or SIG), waits; sets $status
#   skep_feed TIMES COMMAND…          the command until skep has ended by itself; an emulated CPU may miss
#                                     the first events
#   skep_run OUT SECONDS ARGS…        the three steps in one: start, wait, stop
# Surroundings:
#   wait_for SECONDS COMMAND…         until the command succeeds: ten tries a second, if each is quick, but
#                                     no longer than three times as long
#   net_ab                            namespaces a (10.0.0.1) and b (10.0.0.2), a veth pair v0 in each
#   in_ns a COMMAND…                  runs there        traffic a 10.0.0.2 PORT SECONDS
#   load_reads SECONDS                busy reads and opens, in the background
#   have_config CONFIG_X              the running kernel has it

_note() {
	echo "@@skep $*"
}

t_ok() {
	_note "ok $T_CASE/$1"
}

t_fail() {
	_name=$1
	shift
	_note "fail $T_CASE/$_name $*"
}

t_skip() {
	_name=$1
	shift
	_note "skip $T_CASE/$_name $*"
}

t_check() {
	_name=$1
	shift
	if "$@"; then t_ok "$_name"; else t_fail "$_name" "failed: $*"; fi
}

# Shows FILE in the log, so that a failure can be read there.
t_show() {
	echo "--- $1"
	head -c 20000 "$1"
	echo "---"
}

expect_match() {
	if grep -Eq -e "$2" "$3"; then
		t_ok "$1"
	else
		t_show "$3"
		t_fail "$1" "no line matches: $2"
	fi
}

expect_no_match() {
	if grep -Eq -e "$2" "$3"; then
		t_show "$3"
		t_fail "$1" "a line matches: $2"
	else
		t_ok "$1"
	fi
}

expect_equal() {
	if [ "$2" = "$3" ]; then t_ok "$1"; else t_fail "$1" "got '$2', want '$3'"; fi
}

have_config() {
	grep -q "^$1=[ym]" /skep/config
}

wait_for() {
	read -r _up _ </proc/uptime
	_until=$((${_up%.*} + 3 * $1)) _tries=$(($1 * 10))
	shift
	while [ $_tries -gt 0 ] && [ "${_up%.*}" -le $_until ]; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
		_tries=$((_tries - 1))
		read -r _up _ </proc/uptime
	done
	return 1
}

# Lines "ok NAME", "not ok NAME WHY", "skip NAME WHY"; anything else is only logged.
t_prog() {
	_prog=$1
	shift
	_out=/tmp/prog.$$
	"/skep/progs/$_prog" "$@" >$_out 2>&1
	_status=$?
	cat $_out
	while read -r _w _x _y; do
		case $_w in
		ok) t_ok "$_x" ;;
		not) t_fail "${_y%% *}" "${_y#* }" ;;
		skip) t_skip "$_x" "$_y" ;;
		esac
	done <$_out
	grep -Eq '^(ok|not ok|skip) ' $_out || [ $_status != 0 ] || t_fail verdict "no verdict"
	[ $_status = 0 ] || grep -q '^not ok ' $_out || t_fail exit "exit status $_status"
	rm -f $_out
}

# skep says "Attached N probes" when they are.
_skep_attached() {
	kill -0 "$SKEP_PID" 2>/dev/null || return 0
	grep -q '^Attached ' "$SKEP_READY" "$SKEP_READY.err"
}

skep_start() {
	SKEP_READY=$1
	shift
	: >"$SKEP_READY"
	: >"$SKEP_READY.err"
	skep "$@" >"$SKEP_READY" 2>"$SKEP_READY.err" &
	SKEP_PID=$!
	wait_for 60 _skep_attached || echo "skep did not say that it is attached"
}

skep_stop() {
	kill "-${1:-INT}" "$SKEP_PID" 2>/dev/null
	_n=300
	while [ $_n -gt 0 ] && kill -0 "$SKEP_PID" 2>/dev/null; do
		sleep 0.1
		_n=$((_n - 1))
	done
	kill -9 "$SKEP_PID" 2>/dev/null && echo "skep did not stop by itself"
	wait "$SKEP_PID"
	status=$?
	cat "$SKEP_READY.err"
}

skep_feed() {
	_n=$1
	shift
	while [ $_n -gt 0 ] && kill -0 "$SKEP_PID" 2>/dev/null; do
		"$@" >/dev/null 2>&1
		_n=$((_n - 1))
	done
}

skep_run() {
	_o=$1 _s=$2
	shift 2
	skep_start "$_o" "$@"
	sleep "$_s"
	skep_stop
}

# busybox has no "ip netns": a sleeping process holds each namespace.
_ns() {
	unshare -n sleep 100000 &
	eval "NS_$1=$!"
	wait_for 5 _ns_apart $!
}

_ns_apart() {
	[ "$(readlink /proc/$1/ns/net)" != "$(readlink /proc/self/ns/net)" ]
}

in_ns() {
	eval "_pid=\$NS_$1"
	shift
	nsenter -t "$_pid" -n -- "$@"
}

net_ab() {
	_ns a
	_ns b
	# busybox's ip cannot name the peer: the kernel calls it veth0.
	in_ns a ip link add v0 type veth
	in_ns a ip link set veth0 netns "$NS_b"
	in_ns b ip link set veth0 name v0
	in_ns a ip addr add 10.0.0.1/24 dev v0
	in_ns b ip addr add 10.0.0.2/24 dev v0
	in_ns a ip addr add fd00::1/64 dev v0
	in_ns b ip addr add fd00::2/64 dev v0
	for _i in a b; do
		in_ns $_i sh -c 'echo 0 >/proc/sys/net/ipv6/conf/v0/accept_dad'
		in_ns $_i ip link set lo up
		in_ns $_i ip link set v0 up
	done
	wait_for 5 in_ns a ping -c 1 -W 1 10.0.0.2
}

# A listener in NS that answers each connection with one line.
serve() {
	in_ns "$1" nc -ll -p "$2" -e /bin/echo served &
	sleep 0.5
}

# One connection from NS: true when it is answered.
connects() {
	[ "$(in_ns "$1" timeout 3 nc -w 2 "$2" "$3" </dev/null 2>/dev/null)" = served ]
}

traffic() {
	(
		_end=$(($(date +%s) + $4))
		while [ "$(date +%s)" -lt $_end ]; do
			in_ns "$1" timeout 1 nc -w 1 "$2" "$3" </dev/null >/dev/null 2>&1
		done
	) &
}

load_reads() {
	(
		_end=$(($(date +%s) + $1))
		while [ "$(date +%s)" -lt $_end ]; do
			# busybox's cat reads by sendfile, its dd by read.
			/bin/cat /etc/passwd >/dev/null
			/bin/dd if=/proc/version of=/dev/null bs=16 2>/dev/null
		done
	) &
}
