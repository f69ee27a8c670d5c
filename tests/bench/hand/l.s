# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# typed loads; a fault gives 0, so nothing is tested
map array 4 8 1
prog tracing
call 158 // get_current_task_btf
r1 = *(u64*)(r0+$task_struct.mm)
r1 = *(u64*)(r1+$mm_struct.exe_file)
r1 = *(u64*)(r1+$file.f_path.dentry)
r1 = *(u64*)(r1+$dentry.d_inode)
r1 = *(u64*)(r1+$inode.i_ino)
r2 = map[0]+0 ll
*(u64*)(r2+0) = r1
w0 = 0
exit
