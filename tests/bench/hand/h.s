# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# the stack's number is an index already
map stack_trace 4 1016 16384
map array 4 131072 1
prog tracing
r2 = map[0] ll
w3 = 0
call 27 // get_stackid
if r0 s< 0 goto out
r0 &= 16383
r0 <<= 3
r2 = map[1]+0 ll
r2 += r0
w1 = 1
lock *(u64*)(r2+0) += r1
out:
w0 = 0
exit
