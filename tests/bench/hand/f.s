# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# trusted loads, the record written in place, no wake-up
map ringbuf 0 0 262144
prog tracing
r6 = *(u64*)(r1+32)
if r6 & 64 goto take
w0 = 0
exit
take:
r8 = *(u64*)(r1+24)
r1 = map[0] ll
w2 = 88
w3 = 0
call 131 // ringbuf_reserve
if r0 == 0 goto out
r7 = r0
*(u32*)(r7+4) = r6
call 158 // get_current_task_btf
r1 = *(u32*)(r0+$task_struct.tgid)
*(u32*)(r7+0) = r1
r1 = *(u64*)(r0+$task_struct.comm)
*(u64*)(r7+8) = r1
r1 = *(u64*)(r0+$task_struct.comm+8)
*(u64*)(r7+16) = r1
r1 = r7
r1 += 24
w2 = 64
r3 = r8
call 114 // probe_read_user_str
r1 = r7
w2 = 1
call 132 // ringbuf_submit
out:
w0 = 0
exit
