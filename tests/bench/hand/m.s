# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
map array 4 8 1
prog tracing
call 35 // get_current_task
r1 = r0
r2 = $type:task_struct
call kfunc $kfunc:bpf_rdonly_cast
r1 = *(u64*)(r0+$task_struct.mm)
r1 = *(u64*)(r1+$mm_struct.exe_file)
r1 = *(u64*)(r1+$file.f_inode)
r1 = *(u64*)(r1+$inode.i_ino)
r2 = map[0]+0 ll
*(u64*)(r2+0) = r1
w0 = 0
exit
