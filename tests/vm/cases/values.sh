# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What values are on a live kernel: members through pointers, strings, registers, names.
# timeout: 240
# emulator: single x86_64

cat >/tmp/values.bt <<'E'
config = { missing_probes = ignore; }
kprobe:vfs_read /comm == "dd" && arg2 == 123/ {
	$f = (struct file *)arg0;
	@name[str($f->f_path.dentry->d_name.name)] = count();
	@mode[$f->f_path.dentry->d_inode->i_mode & 0170000] = count();
	@same[$f->f_inode == $f->f_path.dentry->d_inode, $f->f_path.dentry->d_name.len] = count();
	@whole = $f->f_path;
	@t = (comm, username, uid, ppid > 0, pcomm);
	@ip[reg("ip") > 0, usermode, probetype, func] = count();
	@sp[sarg1 == *(uint64 *)(reg("sp") + 16), sarg0 != 0 || 1] = count();
	@user[str(uptr(arg1), 4)] = count();
	@nodes[numaid < ncpus, pid(curr_ns) == pid, nsecs(monotonic) > 0] = count();
	@k[kaddr("vfs_read") > 4096] = count();
	@rq[((struct rq *)percpu_kaddr("runqueues"))->cpu == cpu] = count();
	@rq0[((struct rq *)percpu_kaddr("runqueues", 0))->cpu, percpu_kaddr("runqueues", 9999) == 0] = count();
}
fentry:filp_close /comm == "dd"/ { @path[path(args.filp.f_path)] = count(); @cut[path(args.filp.f_path, 6)] = count(); }
kprobe:vfs_read /comm == "dd" && arg2 == 123/ { @n++; }
fentry:filp_close /comm == "dd"/ { @closed++; }
interval:ms:100 { if (@n > 200 && @calls > 200 && @closed LEAST) { exit(); } }
BEGIN { @fn[0] = ksym(0); }
kprobe:vfs_read,kprobe:vfs_writ[e] /comm == "dd"/ { @fn[arg2] = func; }
tracepoint:raw_syscalls:sys_enter /comm == "dd" && args.args[2] == 123/ { @sys[syscall_name(args.id)] = count(); @calls++; }
E
case $(uname -m) in
x86_64) sed -i 's/LEAST/> 2/' /tmp/values.bt ;;
*) sed -i 's/reg("ip")/reg("pc")/; s/"sp") + 16/"sp") + 8/; s/LEAST/>= 0/' /tmp/values.bt ;;
esac
skep_start /tmp/values /tmp/values.bt
skep_feed 60 /bin/dd if=/dev/zero of=/dev/null bs=123 count=200
skep_stop
expect_match member_string '^@name\[zero\]: [1-9]' /tmp/values
expect_match member_mode '^@mode\[8192\]: [1-9]' /tmp/values
expect_match member_chain '^@same\[(1|true), 4\]: [1-9]' /tmp/values
expect_match whole_struct '^@whole: \{ \.mnt = 0x[0-9a-f]+, \.dentry = 0x[0-9a-f]+ \}' /tmp/values
expect_match tuple '^@t: \(dd, [a-z0-9]+, 0, (1|true), [a-z]+\)' /tmp/values
expect_match registers '^@ip\[(1|true), 0, kprobe, vfs_read\]: [1-9]' /tmp/values
expect_match stack_args '^@sp\[(1|true), (1|true)\]: [1-9]' /tmp/values
expect_match user_string '^@user\[\]: [1-9]' /tmp/values
expect_match numbers '^@nodes\[(1|true), (1|true), (1|true)\]: [1-9]' /tmp/values
expect_match kaddr '^@k\[(1|true)\]: [1-9]' /tmp/values
expect_match func_address '^@fn\[123\]: vfs_(read|write)$' /tmp/values
case $(uname -m) in
x86_64) expect_match path '^@path\[/dev/null\]: [1-9]' /tmp/values ;;
esac
expect_match percpu '^@rq\[(1|true)\]: [1-9]' /tmp/values
expect_match percpu_of '^@rq0\[0, (1|true)\]: [1-9]' /tmp/values
expect_match syscall_name '^@sys\[read\]: [1-9]' /tmp/values

# ---- types of a module, and its functions ----
if [ -e /sys/kernel/btf/veth ]; then
	cat >/tmp/module.bt <<'E2'
fentry:veth:veth_dellink {
	$p = (struct veth_priv *)((uint64)args.dev + ((sizeof(struct net_device) + 31) & ~31));
	printf("del %s %d %s\n", str(args.dev->name), $p->peer->mtu, func);
}
kprobe:veth:veth_dellink { printf("k %s\n", str(((struct net_device *)arg0)->name)); }
fexit:veth:veth_xmi* { @x = count(); }
E2
	skep_start /tmp/module /tmp/module.bt
	ip link add v7 type veth
	ip link set v7 mtu 1400
	ip link del v7
	wait_for 10 grep -q '^k v7' /tmp/module
	skep_stop
	expect_match module_types '^del v7 1500 veth_dellink$' /tmp/module
	expect_match module_kprobe '^k v7$' /tmp/module
	skep -lv 'fentry:veth:veth_dell*' >/tmp/module.list
	expect_match module_list '^    struct net_device .*dev$' /tmp/module.list
else
	t_skip module_types "the kernel has no types of the module veth"
fi

# ---- iterators: they end by themselves ----
cat >/tmp/iter.bt <<'E2'
config = { missing_probes = ignore; }
iter:task { @tasks = count(); if (ctx.task.pid <= 2) { printf("task %s:%d\n", ctx.task.comm, ctx.task.pid); } }
iter:task_file /ctx.task.comm == "skep"/ { @fds[ctx.fd < 3] = count(); PATH $f = ctx.file; @mode[$f->f_mode & 3] = 1; }
iter:task_vma /ctx.task->comm == "skep"/ { @vma[ctx.vma.vm_start < ctx.vma.vm_end] = count(); }
END { printf("end %d\n", @tasks > 10); clear(@tasks); }
E2
case $(uname -r) in
5.*) _path= ;; # from 5.12 on the kernel lets iterators ask for paths
*) _path='@name[path(ctx.file.f_path)] = 1;' ;;
esac
sed "s|PATH|$_path|" /tmp/iter.bt >/tmp/iter1.bt
timeout 100 skep /tmp/iter1.bt >/tmp/iter 2>&1
expect_match iter_task '^task [a-z]+:1$' /tmp/iter
expect_match iter_task2 '^task kthreadd:2$' /tmp/iter
expect_match iter_file '^@fds\[(true|1)\]: [1-9]' /tmp/iter
if [ -n "$_path" ]; then
	expect_match iter_path '^@name\[/dev/console\]: 1|^@name\[/tmp/iter\]: 1' /tmp/iter
else
	t_skip iter_path "the kernel lets iterators ask for no paths"
fi
expect_match iter_end '^end 1$' /tmp/iter
if [ "$(uname -r | cut -d. -f1)" -ge 6 ]; then
	expect_match iter_vma '^@vma\[(true|1)\]: [1-9]' /tmp/iter
else
	t_skip iter_vma "the kernel has no iterator task_vma"
fi

# Loops over maps are functions that the kernel calls back: what they share with the code around them
# is read and written, and what the verifier (before 6.7: of one round) concludes of it does not count.
cat >/tmp/each.bt <<'E2'
fn half($n : int64) : int64 { if ($n < 0) { return 0; } return $n / 2; }
BEGIN {
	@a["x"] = 1; @a["yy"] = 22; @a["zzz"] = 333; @two["k", 5] = 50; @want[123] = "reads"; @want[124] = "none";
	$n = 0; $sum = 0; $max = 0; $name = "none"; $seen = "before"; $first = 0; $empty = "unchanged";
	for ($kv : @a) {
		$n++; $sum += half($kv.1);
		if ($kv.1 > $max) { $max = $kv.1; $name = $kv.0; }
		if ($kv.0 == "yy") { $seen = "constant"; continue; }
		for ($t : @two) { if ($t.0.1 == 5) { @inner += $t.1; break; } }
	}
	for ($kv : @none) { $first = 1; $empty = "wrong"; }
	if ($first == 0 && $empty == "unchanged") { printf("each %d %d %s %d %s %d\n", $n, $sum, $name, $max, $seen, @inner); }
	for ($kv : @a) { if ($first == 0) { @once++; } else { @again++; } $first = 7; }
	printf("rounds %d %d\n", @once, @again);
	$r = 0; for ($i : 0..$n * 30000) { $r += $i & 1; }
	printf("range %d %d\n", $r, $i);
	for ($kv : @a) { printf("leaves\n"); return; }
	printf("stays\n");
}
END { @none[1] = 1; clear(@none); }
kprobe:vfs_read /comm == "dd" && arg2 == 123/ { for ($kv : @want) { if (arg2 == $kv.0) { @hit[$kv.1] = count(); } } @n++; }
interval:ms:100 /@n > 20/ { for ($kv : @hit) { printf("live %s %d\n", $kv.0, $kv.1 > 20); } exit(); }
E2
case $(uname -r) in
5.10.*)
	skep --dry-run /tmp/each.bt >/tmp/each 2>&1
	expect_match each_refused 'a loop over a map needs Linux 5\.13' /tmp/each
	;;
*)
	skep_start /tmp/each /tmp/each.bt
	skep_feed 60 /bin/dd if=/dev/zero of=/dev/null bs=123 count=200
	skep_stop
	expect_match each_shared '^each 3 177 zzz 333 constant 100$' /tmp/each
	expect_match each_rounds '^rounds 1 2$' /tmp/each
	expect_match each_left '^leaves$' /tmp/each
	expect_match range_long '^range 45000 89999$' /tmp/each
	expect_no_match each_return '^stays$' /tmp/each
	expect_match each_context '^live reads 1$' /tmp/each
	;;
esac
