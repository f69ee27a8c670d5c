# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# a multiplication for the division, all buckets in the slot of the CPU
map array 4 65536 1
prog tracing
r1 = *(u64*)(r1+88)
r6 = r1
if r6 >= 1000 goto high
r6 *= 6554
r6 >>= 16
have:
call 8 // get_smp_processor_id
r0 <<= 7
r0 += r6
r0 <<= 3
r1 = map[0]+0 ll
r0 += r1
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
w0 = 0
exit
high:
r6 = 101
if r1 s>= 0 goto have
r6 = 100
goto have
