# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# values on the task; 0 instead of deleting
map task_storage
map log2
map array 4 131072 1
prog tracing
call 158 // get_current_task_btf
r2 = r0
r1 = map[0] ll
r3 = 0
w4 = 1
call 156 // task_storage_get
if r0 == 0 goto out
r6 = r0
call 5 // ktime_get_ns
*(u64*)(r6+0) = r0
out:
w0 = 0
exit
prog tracing
call 158
r2 = r0
r1 = map[0] ll
r3 = 0
w4 = 0
call 156
if r0 == 0 goto out
r6 = *(u64*)(r0+0)
if r6 == 0 goto out
*(u64*)(r0+0) = 0
call 5
r0 -= r6
r1 = r0
if r1 > 65535 goto l12
if r1 > 255 goto l11
r2 = map[1]+0 ll
r2 += r1
goto l9
l11:
r1 >>= 8
r2 = map[1]+256 ll
r2 += r1
goto l9
l12:
if r1 > 16777215 goto l13
r1 >>= 16
r2 = map[1]+512 ll
r2 += r1
goto l9
l13:
w3 = -1
if r1 > r3 goto l14
r1 >>= 24
r2 = map[1]+768 ll
r2 += r1
goto l9
l14:
r3 = r1
r3 >>= 32
if r3 > 65535 goto l16
if r3 > 255 goto l15
r2 = map[1]+1024 ll
r2 += r3
goto l9
l15:
r3 >>= 8
r2 = map[1]+1280 ll
r2 += r3
goto l9
l16:
if r3 > 16777215 goto l17
r3 >>= 16
r2 = map[1]+1536 ll
r2 += r3
goto l9
l17:
r3 >>= 24
r2 = map[1]+1792 ll
r2 += r3
l9:
r6 = *(u8*)(r2+0)
call 8 // get_smp_processor_id
r0 <<= 8
r0 += r6
r0 <<= 3
r1 = map[2]+0 ll
r0 += r1
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
out:
w0 = 0
exit
