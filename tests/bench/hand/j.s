# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
map lpm_trie 8 4 1024 1
prog xdp
r2 = *(u32*)(r1+0)
r3 = *(u32*)(r1+4)
r4 = r2
r4 += 34
if r4 > r3 goto pass
w1 = *(u16*)(r2+12)
if w1 != 8 goto pass
w1 = *(u32*)(r2+26)
*(u32*)(r10-4) = r1
*(u32*)(r10-8) = 32
r2 = r10
r2 += -8
r1 = map[0] ll
call 1 // map_lookup_elem
if r0 == 0 goto pass
w0 = *(u32*)(r0+0)
exit
pass:
w0 = 2
exit
