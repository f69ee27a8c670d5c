# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# a table behind a tree of comparisons, all buckets in the slot of the CPU
map log2
map array 4 131072 1
prog tracing
r1 = *(u64*)(r1+80)
if r1 > 65535 goto l12
if r1 > 255 goto l11
r2 = map[0]+0 ll
r2 += r1
goto l9
l11:
r1 >>= 8
r2 = map[0]+256 ll
r2 += r1
goto l9
l12:
if r1 > 16777215 goto l13
r1 >>= 16
r2 = map[0]+512 ll
r2 += r1
goto l9
l13:
w3 = -1
if r1 > r3 goto l14
r1 >>= 24
r2 = map[0]+768 ll
r2 += r1
goto l9
l14:
r3 = r1
r3 >>= 32
if r3 > 65535 goto l16
if r3 > 255 goto l15
r2 = map[0]+1024 ll
r2 += r3
goto l9
l15:
r3 >>= 8
r2 = map[0]+1280 ll
r2 += r3
goto l9
l16:
if r3 > 16777215 goto l17
r3 >>= 16
r2 = map[0]+1536 ll
r2 += r3
goto l9
l17:
r3 >>= 24
r2 = map[0]+1792 ll
r2 += r3
l9:
r6 = *(u8*)(r2+0)
call 8 // get_smp_processor_id
r0 <<= 8
r0 += r6
r0 <<= 3
r1 = map[1]+0 ll
r0 += r1
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
w0 = 0
exit
