# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# one way for nearly all packets: no tag, no options, TCP; the other does everything
map array 4 4096 1
prog xdp
r2 = *(u32*)(r1+0)
r3 = *(u32*)(r1+4)
r4 = r2
r4 += 54
if r4 > r3 goto slow
w4 = *(u32*)(r2+12)
w4 &= 0xffffff
if w4 != 0x450008 goto slow
w4 = *(u32*)(r2+20)
w4 &= 0xff00ff1f
if w4 != 0x06000000 goto slow
w1 = *(u16*)(r2+36)
have:
if w1 != 0x5000 goto other
call 8 // get_smp_processor_id
r0 <<= 6
r1 = map[0]+0 ll
r0 += r1
r1 = *(u64*)(r0+8)
r1 += 1
*(u64*)(r0+8) = r1
w0 = 1
exit
other:
call 8
r0 <<= 6
r1 = map[0]+0 ll
r0 += r1
r1 = *(u64*)(r0+0)
r1 += 1
*(u64*)(r0+0) = r1
w0 = 2
exit
slow:
r4 = r2
r4 += 14
if r4 > r3 goto pass
w5 = *(u16*)(r2+12)
r2 += 14
if w5 == 0x81 goto tag
if w5 != 0xa888 goto l3
tag:
r4 += 4
if r4 > r3 goto pass
w5 = *(u16*)(r2+2)
r2 += 4
l3:
if w5 == 0xdd86 goto ip6
if w5 != 8 goto pass
r4 += 20
if r4 > r3 goto pass
w5 = *(u8*)(r2+9)
if w5 != 6 goto pass
w5 = *(u16*)(r2+6)
w5 &= 0xff1f
if w5 != 0 goto pass
w5 = *(u8*)(r2+0)
w5 &= 15
if w5 < 5 goto pass
w5 <<= 2
r2 += r5
goto l4
ip6:
r4 += 40
if r4 > r3 goto pass
w5 = *(u8*)(r2+6)
if w5 != 6 goto pass
r2 += 40
l4:
r4 = r2
r4 += 20
if r4 > r3 goto pass
w1 = *(u16*)(r2+2)
goto have
pass:
w0 = 2
exit
