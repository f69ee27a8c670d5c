# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Schedulers, where the kernel has sched_ext. `make vm-sched` runs it long, in pieces (skep.long=PIECE,…
# on the guest's command line): 20 s and twenty rounds for each script, on 2 and 4 CPUs.
#   core       what follows below up to "scripts"      SCRIPT   scripts/sched-SCRIPT.skep
#   shares     vtime, lottery and slices, 10 s each    wakeups  latency beside fifo
# timeout: 600
# emulator: single x86_64

if ! have_config CONFIG_SCHED_CLASS_EXT; then
	t_skip fifo "this kernel has no sched_ext"
	exit 0
fi
state=/sys/kernel/sched_ext/state
long=${SKEP_GUEST_long:-}
ran=
scripts=/skep/scripts

enabled() {
	grep -q enabled $state
}

disabled() {
	grep -q disabled $state
}

# piece NAME: this one was asked for, or all in short.
piece() {
	case ",${long:-$1}," in
	*",$1,"*) ran="$ran,$1" ;;
	*) return 1 ;;
	esac
}

# one that is only for the long run
long_piece() {
	[ "$long" ] && piece "$1"
}

spin() {
	while :; do :; done
}

# What a machine does all day: loops, sleepers, pipes, many new processes, a task bound to a CPU.
load_start() {
	for _i in 1 2 3; do
		spin &
		load="$load $!"
	done
	taskset 1 sh -c 'while :; do :; done' &
	load="$load $!"
	(while :; do sleep 0.02; done) &
	load="$load $!"
	(while :; do echo x | cat | cat >/dev/null; done) &
	load="$load $!"
	(while :; do for _j in 1 2 3 4 5 6 7 8; do (:) & done; wait; done) &
	load="$load $!"
}

load_stop() {
	kill -9 $load 2>/dev/null
	for _i in $load; do wait $_i 2>/dev/null; done
	load=
}

# A CPU goes, and comes back.
hotplug() {
	_c=/sys/devices/system/cpu/cpu1/online
	[ -w $_c ] || return 0
	echo 0 >$_c
	t_check $1-offline grep -q 0 $_c
	[ -z "$long" ] || sleep 1
	echo 1 >$_c
	t_check $1-online grep -q 1 $_c
}

# Starts a scheduler; its output is in /tmp/s, its messages in /tmp/s.err.
sched() {
	: >/tmp/s
	: >/tmp/s.err # else the last one's is read before this one has begun
	skep "$@" >/tmp/s 2>/tmp/s.err &
	pid=$!
	wait_for 30 grep -q enabled /tmp/s.err
}

sched_end() {
	kill -"${1:-INT}" $pid 2>/dev/null
	wait $pid
	status=$?
	wait_for 20 disabled
}

# try NAME SECONDS ARGUMENTS…: enabled, still there after the load, ends cleanly.
try() {
	_name=$1 _secs=$2
	shift 2
	sched "$@"
	if ! enabled; then
		t_show /tmp/s.err
		t_fail $_name "not enabled"
		kill -9 $pid 2>/dev/null
		return
	fi
	load_start
	if [ "$long" ]; then
		sleep 8
		hotplug $_name
		sleep 4
		hotplug $_name
		sleep 8
	else
		[ $_name != global ] || hotplug global
		sleep $_secs
	fi
	if enabled; then t_ok $_name; else t_show /tmp/s.err; t_fail $_name "ejected"; fi
	load_stop
	sched_end
	[ $status = 0 ] && disabled || { t_show /tmp/s.err; t_fail $_name-end "status $status"; }
}

# No program and no map is left of all that ran so far; the kernel frees late what it frees.
newest=$(bpfcount)
nothing_left() {
	if wait_for 60 bpfcount $newest; then
		t_ok $1-nothing_left
	else
		t_fail $1-nothing_left "$(bpfcount $newest | tr '\n' ';')"
	fi
}

# rounds NAME ARGUMENTS…: loaded and unloaded again and again
rounds() {
	_name=$1 _n=3 _bad=
	shift
	[ -z "$long" ] || _n=20
	for _i in $(seq $_n); do
		skep -q --for 100ms "$@" >/tmp/o 2>&1 && continue
		# the broken one stalls skep, too: it may be thrown out first
		grep -q 'runnable task stall' /tmp/o && [ $_name = broken ] && continue
		t_show /tmp/o
		_bad="$_bad $_i"
	done
	expect_equal $_name-rounds "$_bad" ''
	nothing_left $_name
}

dispatch=yes
if [ "$(uname -m)" = riscv64 ]; then
	if ! skep --dry-run $scripts/sched-vtime.skep >/tmp/s 2>/tmp/s.err; then
		dispatch=
		expect_match riscv64_explained 'sched_ext:dispatch.*private stack' /tmp/s.err
	fi
fi

# Queues of the kernel's own: everything but dispatch works on every architecture.
cat >/tmp/global.skep <<'X'
config = { sched_name = "global"; sched_timeout_ms = 10000; sched_exit_dump_len = 4096; }
let @runs = task();
sched_ext:select_cpu {
	$cpu = select_cpu_dfl(args.p, args.prev_cpu, args.wake_flags, &$idle);
	if ($idle) { @idle = count(); dsq_insert(args.p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0); }
	return $cpu;
}
sched_ext:enqueue {
	dsq_insert(args.p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, args.enq_flags);
	$mask = get_idle_cpumask();
	$one = bpf_task_from_pid(1);
	if ($one.pid == 1) { @init_found = count(); }
	if (bpf_cpumask_empty($mask)) { @none_idle = count(); return; }
	$no = bpf_task_from_pid(0x3ffff);
	if ($no) { @nobody = count(); }
}
sched_ext:running {
	@runs[args.p]++;
	if (@runs[args.p] > 1) { @again = count(); }
	if (!@runs[args.p]) { @lost = count(); }
	@t[args.p].runs++;
	@t[args.p].twice = 2 * @t[args.p].runs;
	if (@t[args.p].twice != 2 * @runs[args.p]) { @differs = count(); }
}
sched_ext:tick { if (args.p.scx.slice > 1000) { args.p.scx.slice--; @ticks = count(); } }
sched_ext?:sub_caps_updated { @never = count(); }
sched_ext:init_task { if (args.args.fork) { @forks = count(); } }
sched_ext:timer:ms:50 { @timer = count(); @cpus = nr_cpu_ids(); @running = dsq_nr_queued(SCX_DSQ_GLOBAL); }
tracepoint:sched:sched_switch { @switches = count(); }
X

runs() {
	try global 2 --live /tmp/global.skep
	for _m in idle init_found again ticks forks switches timer cpus 'live_dispatches\[[01]\]'; do
		expect_match global_${_m%%\\*} "^@$_m: [1-9]" /tmp/s
	done
	expect_match global_local '^@live_local\[1\]: [0-9]' /tmp/s
	expect_match global_wait '^@live_wait_us:' /tmp/s
	expect_no_match global_wrong '^@(nobody|lost|differs|never)' /tmp/s
	expect_match says_how_to_stop 'Scheduler "global" enabled in place of the kernel.*Ctrl-C' /tmp/s.err
}

# One at a time; SIGTERM and --for end it, too. Killed outright: the kernel takes the machine back.
ends() {
	sched /tmp/global.skep
	skep $scripts/sched-broken.skep >/tmp/o 2>&1
	expect_equal second_status $? 1
	expect_match second_refused "another scheduler is active: 'global'" /tmp/o
	sched_end TERM
	expect_equal term_status $status 0
	skep --for 1s /tmp/global.skep >/tmp/o 2>&1
	expect_equal for_status $? 0
	t_check for_off disabled
	sched /tmp/global.skep
	kill -9 $pid
	wait $pid 2>/dev/null
	t_check killed_off wait_for 20 disabled
}

# Thrown out: by the watchdog, by an error of the script; it may also end itself.
thrown_out() {
	skep $scripts/sched-broken.skep >/tmp/o 2>&1
	expect_equal broken_status $? 1
	expect_match broken_why 'the kernel has ended the scheduler: runnable task stall' /tmp/o
	expect_match broken_dump 'R .*\[[0-9]+\]|CPU states' /tmp/o
	# without a select_cpu of the script's own, few tasks of an idle machine come to enqueue
	_head='sched_ext:select_cpu { return args.prev_cpu; }
		sched_ext:enqueue { dsq_insert(args.p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, args.enq_flags); @n++; '
	skep -e "$_head"'if (@n > 20) { error("seen %d, %s", @n, args.p.comm); } }
		sched_ext:dump { dump("my own state: %d", @n); }' >/tmp/o 2>&1
	expect_equal error_status $? 1
	expect_match error_text 'scx_bpf_error: seen [0-9]+, [a-z]' /tmp/o
	expect_match error_dump 'my own state: [0-9]' /tmp/o
	skep -e "$_head"'if (@n > 20) { scx_exit(0, "enough"); } }' >/tmp/o 2>&1
	expect_equal itself_status $? 0
	expect_match itself_text 'has ended itself.*enough' /tmp/o
	skep -e 'sched_ext:init { return create_dsq(SCX_DSQ_GLOBAL, -1); } sched_ext:tick { }' >/tmp/o 2>&1
	expect_equal init_status $? 1
	expect_match init_why 'ended the scheduler.*init' /tmp/o
	expect_no_match init_not_enabled 'enabled in place' /tmp/o
}

# Timers are the kernel's: they come also while a scheduler lets nobody run, skep neither.
stalled() {
	cat >/tmp/stalled.skep <<'X'
config = { sched_name = "stalled"; sched_timeout_ms = 1000; }
sched_ext:init { return create_dsq(0, -1); }
sched_ext:enqueue { dsq_insert(args.p, 0, SCX_SLICE_DFL, args.enq_flags); }
sched_ext:timer:ms:10 {
	for ($cpu : 0..nr_cpu_ids()) {
		$t = cpu_curr($cpu);
		if ($t) { @runs[$cpu] = count(); }
	}
	if (dsq_nr_queued(0) > 0) { @waiting = count(); } // not any more when the kernel has ended it
}
X
	# No CPU is idle at first, so all who wake up have to wait in the queue. Later all CPUs may be: whoever
	# was last on each has gone to sleep.
	for _i in 1 2 3; do
		spin &
		load="$load $!"
	done
	skep --for 20s /tmp/stalled.skep >/tmp/o 2>&1
	expect_equal stalled_status $? 1
	load_stop
	expect_match stalled_timer '^@runs\[1\]: [1-9]' /tmp/o
	expect_match stalled_waiting '^@waiting: [1-9]' /tmp/o
}

# Every operation that this kernel has can be written, and print all of its arguments.
# riscv64 refuses cgroup_set_bandwidth as it does dispatch: too many arguments for its trampoline.
operations() {
	_no=sub_
	[ "$(uname -m)" != riscv64 ] || _no=cgroup_set_bandwidth
	[ "$dispatch" ] || _no="$_no -e :dispatch"
	skep -lv 'sched_ext:*' | awk '
		/^sched_ext:/ { if (op) print op " }"; op = $1; sub(":", "?:", op); op = op " {" }
		/^  *[^ \/]/ && $NF != "retval" {
			n = $NF
			sub("^[*]*", "", n)
			op = op " @[\"" n "\"] = " (/[*]/ ? "(uint64)" : "") "args." n ";"
			if (/task_struct/) op = op " @pid[args." n ".comm] = args." n ".pid;"
		}
		END { print op " }" }' | grep -v -e :sub_ -e $_no >/tmp/all.skep
	skep --dry-run /tmp/all.skep >/tmp/o 2>&1
	status=$?
	[ $status = 0 ] || t_show /tmp/o
	expect_equal all_operations "$status $(grep -c . /tmp/all.skep | sed 's/^3[0-9]$/many/')" '0 many'
}

if piece core; then
	runs
	ends
	rounds global /tmp/global.skep
	thrown_out
	stalled
	operations
fi

# ---- scripts ----

# script NAME ARGUMENTS…: those that are measured below run here only in the long run
script() {
	_file=$scripts/sched-$1.skep
	_script=$1
	shift
	try script_$_script 1 --live $_file "$@"
	[ -z "$long" ] || rounds $_script $_file "$@"
}

# ticks PID…: CPU time of these processes
ticks() {
	_n=0
	for _p; do
		set -- $(sed 's/.*) //' /proc/$_p/stat)
		_n=$((_n + ${12} + ${13}))
	done
	echo $_n
}

# weights NAME LEAST MOST: loops on one CPU, three of nice 0 and three of nice 5, whose weights are 100
# and 33: 303 in a hundred. Three, since the one that ran last is not in the queue when the next is
# chosen: two would always take turns. 10 s are enough; where the host has no time for the guest, each
# turn is long, so that they are few, and up to three times as long is measured.
weights() {
	sched $scripts/sched-$1.skep
	_a= _b=
	for _i in 1 2 3; do
		taskset 2 sh -c 'while :; do :; done' &
		_a="$_a $!"
		runnice 5 taskset 2 sh -c 'while :; do :; done' &
		_b="$_b $!"
	done
	sleep 1
	_a0=$(ticks $_a) _b0=$(ticks $_b)
	for _i in 1 2 3; do
		if [ "$long" ]; then sleep 10; else sleep 3; fi
		_a1=$(($(ticks $_a) - _a0)) _b1=$(($(ticks $_b) - _b0))
		ratio=$((_a1 * 100 / (_b1 + 1)))
		echo "$1: $_a1 and $_b1 ticks, ratio $ratio"
		! within $2 $3 || break
	done
	kill -9 $_a $_b
	wait $_a $_b 2>/dev/null
	t_check script_$1 enabled
	sched_end
}

# within LEAST MOST: in the short run the bounds are wider
within() {
	_least=$1 _most=$2
	[ "$long" ] || _least=$((_least * 3 / 4)) _most=$((_most * 4 / 3))
	[ $ratio -ge $_least ] && [ $ratio -le $_most ]
}

# These need no dispatch: one lacks it, one gives the kernel's own queue shares. Long enough to be thrown
# out the broken one is above.
long_piece broken && rounds broken $scripts/sched-broken.skep
! long_piece slices || script slices
if [ "$long" ] && piece shares || [ -z "$dispatch$long" ]; then
	# ticks, and a busy host, lengthen each turn by as much: by more of it where it is short
	weights slices 160 400
	within 160 400 && t_ok slices || t_fail slices "ratio $ratio, wanted up to 303"
fi
if [ -z "$dispatch" ]; then
	for _s in central users pin-cgroup fifo vtime lottery latency wakeups; do
		! long_piece $_s || t_skip $_s "the kernel refuses dispatch on this machine"
	done
	exit 0
fi

in_background() {
	mkdir -p /sys/fs/cgroup/bg
	spin &
	load=$!
	echo $load >/sys/fs/cgroup/bg/cgroup.procs
	script pin-cgroup "$(stat -c %i /sys/fs/cgroup/bg)" 1 1
	expect_match pinned '^@pinned: [1-9]' /tmp/s
}

for _s in central users; do
	piece $_s || continue
	script $_s
	expect_match script_$_s-queue '^@live_queued\[0\]: [0-9]' /tmp/s
done
! piece pin-cgroup || in_background
for _s in fifo vtime lottery latency; do
	! long_piece $_s || script $_s
done

# ---- shares and latency ----

# wakeups NAME: how late, in ms, who sleeps wakes up while others compute
wakeups() {
	sched $scripts/sched-$1.skep
	for _i in $(seq $(($(nproc) * 3))); do
		spin &
		load="$load $!"
	done
	sleep 1
	late=$(naps 12)
	load_stop
	t_check script_$1 enabled
	sched_end
	echo "$1: $late ms late"
}

if piece shares; then
	weights vtime 272 334
	within 272 334 && t_ok weights || t_fail weights "ratio $ratio, wanted 303"
	# 247 for whoever ran last stays out of the draw
	weights lottery 200 400
	within 200 400 && t_ok lottery || t_fail lottery "ratio $ratio, wanted 247 to 303"
fi
if piece wakeups; then
	wakeups fifo
	fifo=$late
	wakeups latency
	[ $((late * 2)) -lt $fifo ] && t_ok latency ||
		t_fail latency "$late ms late with latency, $fifo with fifo"
fi
[ "$long" ] || nothing_left all
[ -z "$long" ] || expect_equal pieces "$(echo ",$long" | tr ',' '\n' | sort)" "$(echo "$ran" | tr ',' '\n' | sort -u)"
