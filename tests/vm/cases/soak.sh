# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A busy probe for long: skep's memory stays flat, and every event was received or is told as lost.
# `make soak` runs it, for an hour or SOAK_MIN minutes; not part of the suite.
# timeout: 60
# emulator: single x86_64
if [ -z "${SKEP_GUEST_soak:-}" ]; then
	t_skip soak "make soak runs it"
	return 0
fi
seconds=$((SKEP_GUEST_soak * 60))

# Reads without end, and processes that come and go (their addresses are looked up while they live).
/bin/dd if=/dev/zero of=/dev/null bs=77 2>/dev/null &
reader=$!
while :; do /bin/true; done &
spawner=$!

mkdir -p /tmp/soak
skep -q -o /tmp/soak/out -e 'kprobe:vfs_read /comm == "dd"/ { @read = count(); printf("r %d %d %s\n", cpu, nsecs, comm); }
	tracepoint:syscalls:sys_enter_exit_group { @gone = count(); @by[pid] = count(); printf("x %d %s\n", pid, ustack(2)); }' 2>/tmp/soak/err &
SKEP_PID=$!
wait_for 30 test -s /tmp/soak/out

# Takes the output away as logrotate does, and counts the lines of the events in it.
received=0 late=0
rotate() {
	mv /tmp/soak/out /tmp/soak/old
	kill -HUP $SKEP_PID
	until wait_for 20 test -e /tmp/soak/out; do late=$((late + 1)); done
	count
}
count() {
	n=$(grep -c '^[rx] [0-9]' /tmp/soak/old)
	received=$((received + n))
	rm /tmp/soak/old
}
memory() {
	awk '/^VmRSS:/ { print $2 }' /proc/$SKEP_PID/status
}

start=$(date +%s) warm=0 most=0
while [ $(($(date +%s) - start)) -lt $seconds ]; do
	sleep 2
	rotate
	now=$(memory)
	# what is kept for good (names of functions, buffers) is there after a third of the time
	if [ $(($(date +%s) - start)) -lt $((seconds / 3)) ]; then
		[ "$now" -le $warm ] || warm=$now
	else
		[ "$now" -le $most ] || most=$now
	fi
done
kill $reader $spawner
kill -INT $SKEP_PID
wait $SKEP_PID
expect_equal status $? 0
mv /tmp/soak/out /tmp/soak/old
read_=$(sed -n 's/^@read: //p' /tmp/soak/old)
gone=$(sed -n 's/^@gone: //p' /tmp/soak/old)
grep -h Lost /tmp/soak/old /tmp/soak/err >/tmp/soak/lost
count
lost=$(sed 's/.*Lost \([0-9]*\).*/\1/' /tmp/soak/lost | awk '{ n += $1 } END { printf "%d", n }')
_note "note soak: $seconds s, $((read_ + gone)) events, $received received, $lost lost, memory $warm .. $most KB"
expect_equal accounted $((received + lost)) $((read_ + gone))
[ $((read_ + gone)) -gt $((seconds * 50)) ] && t_ok busy || t_fail busy "$((read_ + gone)) events in $seconds s"
expect_equal rotated_in_time $late 0
[ $warm -gt 0 ] && [ $most -le $((warm + warm / 10)) ] && t_ok flat || t_fail flat "from $warm to $most KB"
