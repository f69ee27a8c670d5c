# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Schedulers, where the kernel has sched_ext.
# timeout: 240

if ! have_config CONFIG_SCHED_CLASS_EXT; then
	t_skip fifo "this kernel has no sched_ext"
	exit 0
fi
ops=/sys/kernel/sched_ext/root/ops
state=/sys/kernel/sched_ext/state

enabled() {
	grep -q enabled $state
}

disabled() {
	grep -q disabled $state
}

busy() {
	for _i in 1 2 3 4; do
		(n=0; while [ $n -lt 3000 ]; do n=$((n + 1)); done) &
		_pids="$_pids $!"
	done
	for _i in $_pids; do wait $_i; done
	_pids=
}

sched() {
	: >/tmp/s
	skep "$@" >/tmp/s 2>/tmp/s.err &
	pid=$!
	wait_for 20 enabled
}

sched_end() {
	kill -INT $pid
	wait $pid
	status=$?
	t_show /tmp/s
	t_show /tmp/s.err
	wait_for 10 disabled
}

# Queues of the kernel's own: works on every architecture.
sched -e 'config = { sched_name = "global"; }
	sched_ext:enqueue { dsq_insert(args.p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, args.enq_flags); @n = count(); }'
t_check global_enabled enabled
expect_equal global_name "$(cat $ops)" global
busy
t_check global_still enabled
sched_end
expect_equal global_status $status 0
t_check global_off disabled
expect_match global_counted '^@n: [1-9]' /tmp/s

dispatch=yes
if [ "$(uname -m)" = riscv64 ]; then
	skep /skep/scripts/sched-fifo.skep >/tmp/s 2>/tmp/s.err
	status=$?
	cat /tmp/s.err
	if [ $status = 0 ]; then
		t_ok fifo_riscv64
	else
		dispatch=
		expect_match riscv64_explained 'sched_ext:dispatch.*private stack' /tmp/s.err
	fi
fi
if [ $dispatch ]; then
	sched /skep/scripts/sched-fifo.skep
	t_check fifo_enabled enabled
	expect_equal fifo_name "$(cat $ops)" fifo
	busy
	t_check fifo_still enabled
	sched_end
	t_check fifo_off disabled

	sched -e 'config = { sched_name = "vtime"; sched_timeout_ms = 5000; }
	sched_ext:init { return create_dsq(0, -1); }
	sched_ext:enqueue { dsq_insert_vtime(args.p, 0, SCX_SLICE_DFL, args.p.scx.dsq_vtime, args.enq_flags); }
	sched_ext:dispatch { dsq_move_to_local(0); }
	sched_ext:stopping { args.p.scx.dsq_vtime += (SCX_SLICE_DFL - args.p.scx.slice) * 100 / args.p.scx.weight; }
	sched_ext:enable { args.p.scx.dsq_vtime = 0; }'
	t_check vtime_enabled enabled
	busy
	t_check vtime_still enabled
	sched_end
	t_check vtime_off disabled
fi

# Ejected: the reason is shown, the status says so.
skep -e 'config = { sched_name = "broken"; }
	sched_ext:enqueue { dsq_insert(args.p, 1234, SCX_SLICE_DFL, args.enq_flags); }' >/tmp/s 2>/tmp/s.err &
pid=$!
sleep 4
kill -INT $pid 2>/dev/null
wait $pid
status=$?
t_show /tmp/s.err
expect_match ejected_reason 'non-existent DSQ|runtime error' /tmp/s.err
[ $status != 0 ] && t_ok ejected_status || t_fail ejected_status "exit status 0"

# Killed outright: the kernel takes the machine back.
sched -e 'config = { sched_name = "killed"; }
	sched_ext:enqueue { dsq_insert(args.p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, args.enq_flags); }'
kill -9 $pid
wait $pid 2>/dev/null
t_check killed_off wait_for 10 disabled
