# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# one slot with all four; the least starts as the greatest number, so nothing is tested
map array 4 4096 1
prog tracing
r6 = *(u64*)(r1+88)
call 8 // get_smp_processor_id
r0 <<= 6
r1 = map[0]+0 ll
r0 += r1
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
r1 = *(u64*)(r0+8)
r1 += r6
*(u64*)(r0+8) = r1
r1 = *(u64*)(r0+24)
if r1 >= r6 goto least
*(u64*)(r0+24) = r6
least:
r1 = *(u64*)(r0+16)
if r6 >= r1 goto out
*(u64*)(r0+16) = r6
out:
w0 = 0
exit
