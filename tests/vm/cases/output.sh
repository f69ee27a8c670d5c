# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Options about output, objects, and what is reported as lost.
# timeout: 120

skep -f json -e 'BEGIN { printf("a\"b\n"); @x[1, "k"] = 2; @h = hist(5); errorf("bad %d", 3); }' >/tmp/json 2>/tmp/err
t_show /tmp/json
expect_match json_attached '^\{"type": "attached_probes", "count": 1, "data": \{"probes": 1\}\}$' /tmp/json
expect_match json_printf '^\{"type": "printf", "msg": "a\\"b\\n"\}$|^\{"type": "printf", "data": "a\\"b\\n"\}$' /tmp/json
expect_match json_map '^\{"type": "map", "data": \{"@x": \{"1,k": 2\}\}\}$' /tmp/json
expect_match json_errorf '^\{"type": "errorf", "msg": "bad 3", "filename": "-e", "line": 1, "col": 57\}$' /tmp/json
expect_match json_hist '"type": "hist"' /tmp/json

skep -o /tmp/file -e 'BEGIN { printf("to the file\n"); }' >/tmp/out 2>/tmp/err
expect_match o_file '^to the file$' /tmp/file
expect_no_match o_stdout 'to the file' /tmp/out

skep -q -e 'BEGIN { printf("x\n"); }' >/tmp/out 2>/tmp/err
expect_no_match quiet 'Attached' /tmp/err

skep -q -B line -kk -e 'BEGIN { $p = (int32 *)0; @x = *$p; printf("line\n"); }' >/tmp/out 2>/tmp/err
expect_match buffered '^line$' /tmp/out
expect_match failed_read '1 read of memory failed in BEGIN' /tmp/err

skep -v -e 'BEGIN { @x = 1; }' >/tmp/out 2>&1
expect_match verbose 'instruction|insn' /tmp/out

skep build -o /tmp/x.bpf.o -e 'BEGIN { printf("built %d\n", 6 * 7); @m["k"] = 1; }'
expect_equal build $? 0
skep load /tmp/x.bpf.o >/tmp/out 2>/tmp/err
expect_equal load $? 0
expect_match load_printf '^built 42$' /tmp/out
expect_match load_map '^@m\[k\]: 1$' /tmp/out

# a map that is full
skep -e 'config = { max_map_keys = 4 } BEGIN { for ($i : 0..10) { @x[$i] = $i; } }' >/tmp/out 2>/tmp/err
cat /tmp/err
expect_match map_full 'Map full; 6 updates of @x refused: it holds 4 entries' /tmp/err
expect_equal map_kept "$(grep -c '^@x\[' /tmp/out)" 4

# a string longer than its buffer
skep_start /tmp/cut -e 'config = { max_strlen = 8 } tracepoint:syscalls:sys_enter_openat /comm == "cat"/ { printf("%s\n", str(args.filename)); }'
cut_seen() {
	/bin/cat /proc/version >/dev/null
	grep -q '^/proc/v' /tmp/cut
}
wait_for 20 cut_seen
skep_stop
expect_match cut_text '^/proc/v\.\.$' /tmp/cut
expect_match cut_reported 'cut|longer' /tmp/cut.err

# more events than the buffer holds: what is printed and what is reported as lost make the sum
long=$(printf '%0200d' 7)
skep -e "BEGIN { for (\$i : 0..3000) { printf(\"%d some text %s\\n\", \$i, \"$long\"); } }" >/tmp/out 2>/tmp/err
cat /tmp/err
got=$(grep -c 'some text' /tmp/out)
lost=$(sed -n 's/.*[Ll]ost \([0-9]*\) event.*/\1/p' /tmp/err | awk '{ n += $1 } END { print n + 0 }')
expect_equal lost_events $((got + lost)) 3000
if [ "$lost" -gt 0 ]; then t_ok lost_some; else t_fail lost_some "nothing was lost"; fi

# a pipe that closes; nothing stays behind
skep -e 'interval:ms:10 { printf("line\n"); }' 2>/dev/null | head -n 3 >/tmp/out
expect_equal pipe "$(cat /tmp/out | wc -l)" 3
t_check kprobe_events wait_for 20 sh -c '! grep -q . /sys/kernel/tracing/kprobe_events'

# values over time: every one is in its interval, on every CPU, and intervals used again begin afresh
skep -q -f json -c 'dd if=/dev/zero of=/dev/null bs=1 count=2000' -e 'tracepoint:raw_syscalls:sys_enter {
	@n = count(); @s = tseries(1, 50ms, 1000, "sum"); @k[comm] = tseries(1, 50ms, 1000, "sum");
	@one = tseries(1, 50ms, 1, "avg"); @age = tseries(nsecs, 50ms, 2, "min"); }' >/tmp/out 2>/tmp/err
tail -n 3 /tmp/err
grep -v '@k' /tmp/out | cut -c -300
n=$(sed -n 's/.*{"@n": \([0-9]*\)}.*/\1/p' /tmp/out)
for map in s k; do
	sum=$(grep "\"@$map\":" /tmp/out | grep -o '"value":[0-9]*' | awk -F: '{ n += $2 } END { print n + 0 }')
	expect_equal tseries_all_$map "$sum" "$n"
done
expect_match tseries_reused '"@one": \[\{"interval_start":"[0-9-]+ [0-9:]+\.[0-9]+","value":1\}\]' /tmp/out
ages=$(grep '"@age":' /tmp/out | grep -o '"value":"*[0-9]*' | tr -dc '0-9\n' | awk 'NR > 1 && $1 <= last { bad = 1 } { last = $1 } END { print bad + 0 }')
expect_equal tseries_begin_afresh "$ages" 0
