# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What values are on a live kernel: members through pointers, strings, registers, names.
# timeout: 100

cat >/tmp/values.bt <<'E'
kprobe:vfs_read /comm == "dd" && arg2 == 123/ {
	$f = (struct file *)arg0;
	@name[str($f->f_path.dentry->d_name.name)] = count();
	@mode[$f->f_path.dentry->d_inode->i_mode & 0170000] = count();
	@same[$f->f_inode == $f->f_path.dentry->d_inode, $f->f_path.dentry->d_name.len] = count();
	@whole = $f->f_path;
	@t = (comm, username, uid, ppid > 0, pcomm);
	@ip[reg("ip") > 0, usermode, probetype, func] = count();
	@user[str(uptr(arg1), 4)] = count();
	@nodes[numaid < ncpus, pid(curr_ns) == pid, nsecs(monotonic) > 0] = count();
	@k[kaddr("vfs_read") > 4096] = count();
}
tracepoint:raw_syscalls:sys_enter /comm == "dd" && args.args[2] == 123/ { @sys[syscall_name(args.id)] = count(); }
E
case $(uname -m) in x86_64) ;; *) sed -i 's/reg("ip")/reg("pc")/' /tmp/values.bt ;; esac
skep_start /tmp/values /tmp/values.bt
for i in 1 2 3 4 5; do
	/bin/dd if=/dev/zero of=/dev/null bs=123 count=200 2>/dev/null
done
skep_stop
expect_match member_string '^@name\[zero\]: [1-9]' /tmp/values
expect_match member_mode '^@mode\[8192\]: [1-9]' /tmp/values
expect_match member_chain '^@same\[1, 4\]: [1-9]' /tmp/values
expect_match whole_struct '^@whole: \{ \.mnt = 0x[0-9a-f]+, \.dentry = 0x[0-9a-f]+ \}' /tmp/values
expect_match tuple '^@t: \(dd, [a-z0-9]+, 0, 1, [a-z]+\)' /tmp/values
expect_match registers '^@ip\[1, 0, kprobe, vfs_read\]: [1-9]' /tmp/values
expect_match user_string '^@user\[\]: [1-9]' /tmp/values
expect_match numbers '^@nodes\[1, 1, 1\]: [1-9]' /tmp/values
expect_match kaddr '^@k\[1\]: [1-9]' /tmp/values
expect_match syscall_name '^@sys\[read\]: [1-9]' /tmp/values
