# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# a slot for each CPU in one value; the result of a raw tracepoint is ignored
map array 4 4096 1
prog tracing
call 8 // get_smp_processor_id
r0 <<= 6
r1 = map[0]+0 ll
r0 += r1
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
exit
