# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Stacks of the kernel and of a process that has ended, symbols, flame graphs, costs.
# emulator: single x86_64
# timeout: 240

skep_start /tmp/st -v --flame /tmp/flame.svg -e 'kprobe:vfs_read /comm == "stackprog" && arg2 == 77/ {
	@k[kstack] = count(); @u[ustack] = count(); @one[kstack(1), ustack(2), comm] = count();
	@raw[kstack(raw, 2)] = count(); @p[kstack(perf, 1)] = count(); @up[ustack(perf)] = count();
	@kept = kstack(1); @n = count(); @sym[usym(arg1)] = count();
	if (@n == 3) { printf("here%sand%s", kstack(2), ustack); }
}'
for _i in 1 2 3; do # an emulated CPU may miss the first events
	stackprog 60
	wait_for 5 grep -q and /tmp/st && break
done
skep_stop
n=$(sed -n 's/^@n: //p' /tmp/st)
if [ "${n:-0}" -lt 3 ]; then
	t_show /tmp/st
	t_fail events "only '$n' of 60 reads were seen"
else
	t_ok events
fi
t_show /tmp/st
expect_match kernel_frame '^        vfs_read\+[0-9]+$' /tmp/st
# riscv64 enters by do_trap_ecall_u
expect_match kernel_deeper '^        [a-z_0-9.]*(sys|ecall)[a-z_0-9.]*\+[0-9]+$' /tmp/st
# The reading function of libc keeps no frame: on riscv64 its caller is not in the kernel's chain.
caller=outer_reader
[ "$(uname -m)" != riscv64 ] || caller=main
expect_match user_ended "^        $caller\\+[0-9]+\$" /tmp/st
expect_match user_main '^        main\+[0-9]+$' /tmp/st
expect_match value '^@kept: $' /tmp/st
expect_match key_parts '^, stackprog\]: [0-9]+$' /tmp/st
expect_match raw '^[89a-f][0-9a-f]{15}$' /tmp/st
expect_match perf "^$(printf '\t')[89a-f][0-9a-f]{15} vfs_read\\+[0-9]+\$" /tmp/st
expect_match perf_user "^$(printf '\t')[0-9a-f]+ $caller\\+[0-9]+ \\(.*/stackprog\\)\$" /tmp/st
expect_match printed '^here$' /tmp/st
# every event is in exactly one entry of each map
sum=$(awk '/^@k\[/ { in_k = 1 } /^\]: / && in_k { s += $2; in_k = 0 } END { print s + 0 }' /tmp/st)
expect_equal kernel_exact "$sum" "$n"
sum=$(awk '/^@u\[/ { in_u = 1 } /^\]: / && in_u { s += $2; in_u = 0 } END { print s + 0 }' /tmp/st)
expect_equal user_exact "$sum" "$n"
expect_match costs 'kprobe:vfs_read +[0-9]+ runs, [0-9]+ ns each' /tmp/st.err
expect_match flame 'data-n="vfs_read"' /tmp/flame.svg
expect_match flame_end '</svg>' /tmp/flame.svg

# more different stacks than the table has places: the rest goes to the hash, none is lost; what a
# cleared map has named makes room
skep -q -e 'config = { max_map_keys = 60 } BEGIN { unroll(60) { @[kstack(2)] = count(); } clear(@); }
	END { unroll(60) { @[kstack(2)] = count(); } }' >/tmp/many 2>/tmp/err
cat /tmp/err
expect_equal many_entries "$(grep -c '^\]: 1$' /tmp/many)" 60
expect_no_match many_lost 'lost|full' /tmp/many
# and with room for fewer, what is missing is told
skep -q -e 'config = { max_map_keys = 5 } BEGIN { unroll(90) { @[kstack(2)] = count(); } }' >/tmp/few 2>/tmp/err
expect_match few_told 'Stacks full; [0-9]+ stack|Map full; [0-9]+ update' /tmp/err
expect_equal few_kept "$(grep -c '^\]: ' /tmp/few)" 5

# what prints beside maps
skep_start /tmp/j --unsafe -e 'tracepoint:syscalls:sys_enter_execve { join(args.argv); join(args.argv, ","); }
	interval:ms:200 { @n++; if (@n == 1) { system("echo from %s", "system"); cat("/proc/%s", "version"); } }'
wait_for 10 grep -q '^from system' /tmp/j
_n=0
until grep -q '^.bin.dd,if' /tmp/j || [ $_n -ge 10 ]; do # an emulated CPU may miss the first event
	/bin/dd if=/dev/null of=/dev/null bs=3
	sleep 0.3
	_n=$((_n + 1))
done
skep_stop
expect_match join '^/bin/dd if=/dev/null of=/dev/null bs=3$' /tmp/j
expect_match join_between '^/bin/dd,if=/dev/null,of=/dev/null,bs=3$' /tmp/j
expect_match system '^from system$' /tmp/j
expect_match cat '^Linux version' /tmp/j
skep -f json --unsafe -e 'BEGIN { system("echo a b c"); cat("/proc/sys/kernel/ostype"); print(strftime("%Y", nsecs)); errorf("e"); }' >/tmp/json 2>/tmp/err
t_show /tmp/json
expect_match json_system '^\{"type": "syscall", "data": "a b c\\n"\}$' /tmp/json
expect_match json_cat '^\{"type": "cat", "data": "Linux\\n"\}$' /tmp/json
expect_match json_strftime '^\{"type": "value", "data": "20[0-9][0-9]"\}$' /tmp/json

skep -q -e 'BEGIN { printf("%s at %p\n", ksym(kaddr("vfs_read") + 1), kaddr("vfs_read")); }' >/tmp/ksym 2>&1
expect_match ksym '^vfs_read at 0x[89a-f][0-9a-f]{15}$' /tmp/ksym

# --live without a terminal draws nothing: the maps come once, at the end
skep --live -e 'interval:ms:50 { @n++; @ticks = count(); if (@n == 30) { exit(); } }' >/tmp/live 2>/tmp/err
expect_equal live_status $? 0
cat /tmp/live /tmp/err
expect_equal live_once "$(grep -c '^@n: ' /tmp/live)" 1
expect_no_match live_escapes "$(printf '\033')" /tmp/live

# kinds of programs that take stacks another way
if skep --dry-run -e 'fentry:vfs_read { @[kstack, ustack] = count(); }' >/tmp/fentry 2>&1; then
	t_ok fentry
elif grep -q 'kernel-feature\|not-supported\|needs-btf' /tmp/fentry; then
	t_skip fentry "$(head -n 1 /tmp/fentry)"
else
	t_show /tmp/fentry
	t_fail fentry "does not load"
fi
