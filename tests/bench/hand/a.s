# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# comm by two trusted loads, a hash per CPU
map percpu_hash 16 8 10240
prog tracing
call 158 // get_current_task_btf
r1 = *(u64*)(r0+$task_struct.comm)
*(u64*)(r10-16) = r1
r1 = *(u64*)(r0+$task_struct.comm+8)
*(u64*)(r10-8) = r1
r2 = r10
r2 += -16
r1 = map[0] ll
call 1 // map_lookup_elem
if r0 == 0 goto miss
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
w0 = 0
exit
miss:
*(u64*)(r10-24) = 1
r1 = map[0] ll
r2 = r10
r2 += -16
r3 = r10
r3 += -24
w4 = 1
call 2 // map_update_elem
w0 = 0
exit
