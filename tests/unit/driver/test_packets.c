/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packet rules on crafted frames, cut short at every length, in our interpreter. What they should
 * decide comes from a reader of headers written here in plain C, which shares nothing with the
 * compiler: VLAN tags, IPv4 options and fragments, IPv6 extension headers, ARP, bad lengths.
 */
#include "backend-bpf/interp.h"
#include "driver/driver.h"
#include "lang/lang.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define FRAME_MAX 4608 /* some headers reach beyond what is looked at */
#define CUT_MAX 256   /* lengths up to this one are all tried */

struct frame {
	const char *name;
	uint8_t b[FRAME_MAX];
	uint32_t n;
};

/* ---- frames ---- */

static void put(struct frame *f, const void *p, uint32_t n)
{
	memcpy(f->b + f->n, p, n);
	f->n += n;
}

static void put16(struct frame *f, unsigned v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	put(f, b, 2);
}

static void eth(struct frame *f, const char *name, unsigned type)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	*f = (struct frame){.name = name};
	put(f, macs, 12);
	put16(f, type);
}

static void tag(struct frame *f, unsigned id, unsigned type)
{
	put16(f, id);
	put16(f, type);
}

static void ip4(struct frame *f, unsigned words, unsigned frag, unsigned proto)
{
	static const uint8_t addresses[8] = {10, 1, 2, 3, 192, 168, 0, 9};
	uint8_t h[4] = {(uint8_t)(0x40 | words), 0, 0, 60};

	put(f, h, 4);
	put16(f, 0x1234);
	put16(f, frag);
	h[0] = 64;
	h[1] = (uint8_t)proto;
	put(f, h, 2);
	put16(f, 0);
	put(f, addresses, 8);
	for (unsigned i = 5; i < words; i++)
		put(f, "\1\1\1\1", 4);
}

static void ip6(struct frame *f, unsigned next)
{
	uint8_t h[40] = {0x60, 0, 0, 0, 0, 60, (uint8_t)next, 64, 0x20, 1, 0xd, 0xb8};

	h[23] = 7;
	h[24] = 0xfd;
	h[39] = 9;
	put(f, h, 40);
}

/* Extension header of 8 * (extra + 1) bytes. */
static void ext(struct frame *f, unsigned next, unsigned extra)
{
	uint8_t h[8] = {(uint8_t)next, (uint8_t)extra};

	put(f, h, 8);
	for (unsigned i = 0; i < extra; i++)
		put(f, "\0\0\0\0\0\0\0", 8);
}

static void fragment(struct frame *f, unsigned next, unsigned offset)
{
	uint8_t h[8] = {(uint8_t)next, 0, (uint8_t)(offset >> 8), (uint8_t)offset};

	put(f, h, 8);
}

/* Authentication header: length in words, two not counted. */
static void ah(struct frame *f, unsigned next)
{
	uint8_t h[12] = {(uint8_t)next, 1};

	put(f, h, 12);
}

static void tcp(struct frame *f, unsigned sport, unsigned dport, unsigned flags)
{
	uint8_t h[16] = {0, 0, 0, 1, 0, 0, 0, 0, 0x50, (uint8_t)flags, 0x20};

	put16(f, sport);
	put16(f, dport);
	put(f, h, 16);
	put(f, "data", 4);
}

static void udp(struct frame *f, unsigned sport, unsigned dport)
{
	put16(f, sport);
	put16(f, dport);
	put16(f, 12);
	put16(f, 0);
	put(f, "data", 4);
}

static unsigned frames_ip4(struct frame *f)
{
	struct frame *first = f;

	eth(f, "tcp 23", 0x800), ip4(f, 5, 0, 6), tcp(f++, 4000, 23, 2);
	eth(f, "tcp 80", 0x800), ip4(f, 5, 0, 6), tcp(f++, 23, 80, 2);
	eth(f, "udp 23", 0x800), ip4(f, 5, 0, 17), udp(f++, 53, 23);
	eth(f, "options", 0x800), ip4(f, 8, 0, 6), tcp(f++, 4000, 23, 0x12);
	eth(f, "most options", 0x800), ip4(f, 15, 0, 6), tcp(f++, 4000, 23, 2);
	eth(f, "header too short", 0x800), ip4(f, 4, 0, 6), tcp(f++, 4000, 23, 2);
	eth(f, "first fragment", 0x800), ip4(f, 5, 0x2000, 6), tcp(f++, 4000, 23, 2);
	eth(f, "later fragment", 0x800), ip4(f, 5, 0x2001, 6), tcp(f++, 4000, 23, 2);
	eth(f, "last fragment", 0x800), ip4(f, 5, 5, 6), tcp(f++, 4000, 23, 2);
	eth(f, "no fragment wanted", 0x800), ip4(f, 5, 0x4000, 6), tcp(f++, 4000, 23, 2);
	eth(f, "protocol 255", 0x800), ip4(f, 5, 0, 255), tcp(f++, 4000, 23, 2);
	eth(f, "version 6 as IPv4", 0x800), ip6(f, 6), tcp(f++, 4000, 23, 2);
	eth(f, "icmp", 0x800), ip4(f, 5, 0, 1), put(f++, "\10\0\0\0\0\1\0\2", 8);
	return (unsigned)(f - first);
}

static unsigned frames_tagged(struct frame *f)
{
	struct frame *first = f;

	eth(f, "vlan", 0x8100), tag(f, 5, 0x800), ip4(f, 5, 0, 6), tcp(f++, 4000, 23, 2);
	eth(f, "qinq", 0x88a8), tag(f, 5, 0x8100), tag(f, 6, 0x800), ip4(f, 6, 0, 6),
		tcp(f++, 4000, 23, 2);
	eth(f, "two 8100", 0x8100), tag(f, 5, 0x8100), tag(f, 6, 0x86dd), ip6(f, 6),
		tcp(f++, 4000, 23, 2);
	eth(f, "three tags", 0x8100), tag(f, 5, 0x8100), tag(f, 6, 0x8100), tag(f, 7, 0x800),
		ip4(f, 5, 0, 6), tcp(f++, 4000, 23, 2);
	eth(f, "vlan arp", 0x8100), tag(f, 5, 0x806), put(f++, (uint8_t[28]){0, 1, 8}, 28);
	eth(f, "arp", 0x806), put(f++, (uint8_t[28]){0, 1, 8, 0, 6, 4, 0, 1}, 28);
	eth(f, "length field", 60), put(f++, (uint8_t[60]){0xaa}, 60);
	return (unsigned)(f - first);
}

static unsigned frames_ip6(struct frame *f)
{
	struct frame *first = f;

	eth(f, "tcp6", 0x86dd), ip6(f, 6), tcp(f++, 4000, 23, 2);
	eth(f, "udp6", 0x86dd), ip6(f, 17), udp(f++, 23, 53);
	eth(f, "hop by hop", 0x86dd), ip6(f, 0), ext(f, 6, 0), tcp(f++, 4000, 23, 2);
	eth(f, "long options", 0x86dd), ip6(f, 60), ext(f, 6, 9), tcp(f++, 4000, 23, 2);
	eth(f, "chain", 0x86dd), ip6(f, 0), ext(f, 43, 1), ext(f, 60, 0), ext(f, 6, 2),
		tcp(f++, 4000, 23, 2);
	eth(f, "ah", 0x86dd), ip6(f, 51), ah(f, 6), tcp(f++, 4000, 23, 2);
	eth(f, "first fragment 6", 0x86dd), ip6(f, 44), fragment(f, 6, 1), tcp(f++, 4000, 23, 2);
	eth(f, "later fragment 6", 0x86dd), ip6(f, 44), fragment(f, 6, 9), tcp(f++, 4000, 23, 2);
	eth(f, "no next header", 0x86dd), ip6(f, 59), tcp(f++, 4000, 23, 2);
	eth(f, "eight extensions", 0x86dd), ip6(f, 0);
	for (unsigned i = 0; i < 7; i++)
		ext(f, 60, 0);
	ext(f, 6, 0), tcp(f++, 4000, 23, 2);
	eth(f, "nine extensions", 0x86dd), ip6(f, 0);
	for (unsigned i = 0; i < 8; i++)
		ext(f, 60, 0);
	ext(f, 6, 0), tcp(f++, 4000, 23, 2);
	eth(f, "far", 0x86dd), ip6(f, 0), ext(f, 60, 255), ext(f, 6, 250), tcp(f++, 4000, 23, 2);
	eth(f, "too far", 0x86dd), ip6(f, 0), ext(f, 60, 255), ext(f, 6, 254), tcp(f++, 4000, 23, 2);
	eth(f, "too far, and back to a header of 23s", 0x86dd), ip6(f, 0);
	ext(f, 60, 255), ext(f, 6, 255);
	memset(f->b + 56, 0, 64), f->b[57] = 23, f->b[67] = 2;
	f->n -= 1024, f++;
	eth(f, "icmp6", 0x86dd), ip6(f, 58), put(f++, "\200\0\0\0\0\1\0\2", 8);
	eth(f, "version 4 as IPv6", 0x86dd), ip4(f, 5, 0, 6), tcp(f++, 4000, 23, 2);
	return (unsigned)(f - first);
}

/* ---- the reference ---- */

struct parsed {
	int l3, l4; /* offsets, -1 none */
	unsigned type, proto;
	bool tagged;
};

static unsigned get16(const struct frame *f, int at)
{
	return (unsigned)f->b[at] << 8 | f->b[at + 1];
}

static void parse6(const struct frame *f, int n, struct parsed *p)
{
	int at = p->l3 + 40;
	unsigned next = f->b[p->l3 + 6];

	for (int i = 0; i < 9; i++) { /* eight are walked, and what follows is looked at */
		bool eights = next == 0 || next == 43 || next == 60;

		if (at - 14 >= 4096)
			return; /* further out nothing is looked for */
		if (!eights && next != 44 && next != 51) {
			p->l4 = at;
			p->proto = next;
			return;
		}
		if (at + 8 > n || (next == 44 && get16(f, at + 2) & 0xfff8))
			return;
		int len = eights ? (f->b[at + 1] + 1) * 8 : next == 51 ? (f->b[at + 1] + 2) * 4 : 8;

		next = f->b[at];
		at += len;
	}
}

static struct parsed parse(const struct frame *f, int n)
{
	struct parsed p = {.l3 = -1, .l4 = -1};
	int at = 14;
	unsigned type;

	if (n < 14)
		return p;
	type = get16(f, 12);
	for (int i = 0; i < 2 && (type == 0x8100 || type == 0x88a8); i++) {
		if (n < at + 4)
			return p;
		p.tagged = true;
		type = get16(f, at + 2);
		at += 4;
	}
	p.type = type;
	p.l3 = at;
	if (type == 0x86dd && n >= at + 40 && f->b[at] >> 4 == 6)
		parse6(f, n, &p);
	if (type != 0x800 || n < at + 20 || f->b[at] >> 4 != 4 || (f->b[at] & 15) < 5 ||
		get16(f, at + 6) & 0x1fff)
		return p;
	p.l4 = at + 4 * (f->b[at] & 15);
	p.proto = f->b[at + 9];
	return p;
}

static bool has(const struct parsed *p, int n, unsigned proto, int bytes)
{
	return p->l4 >= 0 && p->proto == proto && n >= p->l4 + bytes;
}

static bool has_l3(const struct parsed *p, int n, unsigned type, int bytes)
{
	return p->l3 >= 0 && p->type == type && n >= p->l3 + bytes;
}

static bool want_dport(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && get16(f, p->l4 + 2) == 23;
}

static bool want_not_dport(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && get16(f, p->l4 + 2) != 23;
}

static bool want_negated(const struct frame *f, const struct parsed *p, int n)
{
	return !want_dport(f, p, n);
}

static bool want_l4(const struct frame *f, const struct parsed *p, int n)
{
	return (has(p, n, 6, 4) || has(p, n, 17, 4)) &&
	       (get16(f, p->l4) == 23 || get16(f, p->l4 + 2) == 23);
}

static bool want_source(const struct frame *f, const struct parsed *p, int n)
{
	return has_l3(p, n, 0x800, 20) && f->b[p->l3 + 12] == 10 && f->b[p->l3 + 13] == 1;
}

static bool want_source6(const struct frame *f, const struct parsed *p, int n)
{
	(void)f;
	return has_l3(p, n, 0x86dd, 40) && get16(f, p->l3 + 8) == 0x2001;
}

static bool want_vlan(const struct frame *f, const struct parsed *p, int n)
{
	return p->tagged && n >= 18 && (get16(f, 14) & 0xfff) == 5;
}

static bool want_syn(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && (f->b[p->l4 + 13] & 0x12) == 2 && get16(f, p->l4) > 1023;
}

static bool want_frag(const struct frame *f, const struct parsed *p, int n)
{
	return has_l3(p, n, 0x800, 20) && get16(f, p->l3 + 6) & 0x3fff;
}

static bool want_icmp(const struct frame *f, const struct parsed *p, int n)
{
	return (has(p, n, 1, 8) && f->b[p->l4] == 8) || (has(p, n, 58, 8) && f->b[p->l4] == 128);
}

static bool want_ports_any(const struct frame *f, const struct parsed *p, int n)
{
	return want_l4(f, p, n) || has(p, n, 1, 8);
}

/* The port of TCP, else that of UDP, both through choices. */
static bool want_port_choice(const struct frame *f, const struct parsed *p, int n)
{
	bool udp_23 = has(p, n, 17, 8) && get16(f, p->l4) == 23;

	return want_dport(f, p, n) || udp_23;
}

static bool want_not_tcp_23(const struct frame *f, const struct parsed *p, int n)
{
	return want_source(f, p, n) && !want_dport(f, p, n);
}

static bool want_mac(const struct frame *f, const struct parsed *p, int n)
{
	(void)p;
	return n >= 14 && f->b[5] == 1 && f->b[11] == 2;
}

static bool want_ip6_pair(const struct frame *f, const struct parsed *p, int n)
{
	return has_l3(p, n, 0x86dd, 40) && f->b[p->l3 + 23] == 7 && f->b[p->l3 + 39] == 9;
}

/* A statement that reads what is not there is passed over; those around it are not. */
static bool want_sum(const struct frame *f, const struct parsed *p, int n)
{
	unsigned x = 1;

	x += has(p, n, 6, 20) ? get16(f, p->l4 + 2) : 0;
	x += has_l3(p, n, 0x800, 20) ? f->b[p->l3 + 8] : 0;
	return x > 23 && x < 100;
}

static bool want_always(const struct frame *f, const struct parsed *p, int n)
{
	(void)f, (void)p, (void)n;
	return true;
}

static const struct rule {
	const char *script;
	bool (*drop)(const struct frame *f, const struct parsed *p, int n);
} rules[] = {
	{"xdp:v0 /tcp.dport == 23/ { drop(); }", want_dport},
	{"xdp:v0 /tcp.dport != 23/ { drop(); }", want_not_dport},
	{"xdp:v0 /!(tcp.dport == 23)/ { drop(); }", want_negated},
	{"xdp:v0 { if (tcp.dport > 22 && tcp.dport < 24) { drop(); } }", want_dport},
	{"xdp:v0 /tcp.dport in {7, 20..23}/ { drop(); }", want_dport},
	{"xdp:v0 /l4.sport == 23 || l4.dport == 23/ { drop(); }", want_l4},
	{"xdp:v0 /ip.src in 10.1.0.0/16/ { drop(); }", want_source},
	{"xdp:v0 { $a = ip.src; if ($a == 10.1.2.3) { drop(); } }", want_source},
	{"xdp:v0 /ip6.src in 2001:db8::/32/ { drop(); }", want_source6},
	{"xdp:v0 /ip6.src == 2001:db8::7/ { drop(); }", want_source6},
	{"xdp:v0 /vlan.id == 5/ { drop(); }", want_vlan},
	{"xdp:v0 /tcp.syn && !tcp.ack && tcp.sport > 1023/ { drop(); }", want_syn},
	{"xdp:v0 /ip.frag != 0/ { drop(); }", want_frag},
	{"xdp:v0 { $d = tcp.dport == 23; if ($d) { drop(); } }", want_dport},
	{"xdp:v0 { $x = tcp.dport == 23 ? 1 : 0; if ($x == 1) { drop(); } }", want_dport},
	{"xdp:v0 /(tcp.dport == 23 ? 1 : udp.sport == 23 ? 2 : 0) in {1, 2}/ { drop(); }",
		want_port_choice},
	{"xdp:v0 { if (tcp.dport == 23) { drop(); } else if (udp.sport == 23) { drop(); } }",
		want_port_choice},
	{"xdp:v0 { if (ip.src in 10.0.0.0/8) { if (tcp.dport == 23) { pass(); } drop(); } }",
		want_not_tcp_23},
	{"xdp:v0 { if (tcp.dport == 23) { return; } if (ip.src == 10.1.2.3) { drop(); } }",
		want_not_tcp_23},
	{"xdp:v0 { if (tcp.dport == 23) { return; } } xdp:v0 { drop(); }", want_always},
	{"xdp:v0 { return; } xdp:v0 /tcp.dport == 23/ { $p = 1; return; drop(); }"
	 " xdp:v0 { if (pkt.len == 0) { $p = 2; } if (tcp.dport == 23 && $p == 0) { drop(); } }",
		want_dport},
	{"xdp:v0 { for ($i : 20..25) { if (tcp.dport == $i) { if ($i == 23) { drop(); } } } }",
		want_dport},
	{"xdp:v0 { $n = 0; for ($i : 0..4) { if ($i == 2) { continue; } $n += tcp.dport; }"
	 " if ($n == 69) { drop(); } }", want_dport},
	{"xdp:v0 { unroll(3) { if (l4.sport == 23) { break; } if (l4.dport == 23) { drop(); } }"
	 " if (l4.sport == 23 || icmp.type >= 0) { drop(); } }", want_ports_any},
	{"xdp:v0 { $m = eth.dst; $k = eth.src; if ($m == 02:00:00:00:00:01 &&"
	 " $k in {02:00:00:00:00:07, 02:00:00:00:00:02}) { drop(); } }", want_mac},
	{"xdp:v0 { $m = eth.src; $m = pkt.len > 0 ? eth.dst : eth.src;"
	 " if ($m == 02:00:00:00:00:01 && $m != eth.src) { drop(); } }", want_mac},
	{"xdp:v0 { $a = ip6.src; $b = ip6.dst; $c = $b; if ($c == fd00::9 && $a != $c &&"
	 " $a in 2001:db8::/64 && $a == 2001:db8::7) { drop(); } }", want_ip6_pair},
	{"xdp:v0 { $a = ip6.src; if (ip6.next != 255) { for ($i : 0..2) { if ($i == 1) {"
	 " $a = ip6.dst; } } } if ($a == fd00::9) { drop(); } }", want_ip6_pair},
	{"xdp:v0 { @s[1] = ip6.src; @d = ip6.dst; $a = @s[1]; @k[@d, ip6.next] = 1; if ($a == 2001:db8::7"
	 " && @d in fd00::/8 && @d == ip6.dst && @k[ip6.dst, ip6.next] == 1) { drop(); }"
	 " delete(@s[1]); delete(@d); delete(@k[ip6.dst, ip6.next]); }", want_ip6_pair},
	{"xdp:v0 { @p[tcp.dport] += 1; if (@p[tcp.dport] == 1) { $r = 1; } delete(@p[tcp.dport]);"
	 " if (@p[23] == 0 && tcp.dport == 23 && $r) { drop(); } }", want_dport},
	{"xdp:v0 { @m[eth.dst] = tcp.dport; $p = @m[02:00:00:00:00:01]; delete(@m[eth.dst]);"
	 " if ($p == 23) { drop(); } }", want_dport},
	{"xdp:v0 { @i[ip.src] = ip.dst; @n = @i[10.1.2.3]; $n = @n; delete(@n);"
	 " delete(@i[10.1.2.3]); if ($n == 192.168.0.9) { drop(); } }", want_source},
	{"xdp:v0 { $x = 1; $x += tcp.dport; $x += ip.ttl; if ($x > 23 && $x < 100) { drop(); } }",
		want_sum},
	{"xdp:v0 { $x = 1; { $x += tcp.dport; } if (1) { $x += ip.ttl; $y = $x; }"
	 " if ($x in 24..99) { drop(); } }", want_sum},
	{"xdp:v0 /icmp.type == 8 || icmp6.type == 128/ { drop(); }", want_icmp},
};

/* ---- compiling and running ---- */

struct compiled {
	struct arena a;
	struct trap trap;
	struct skep_diags diags;
	struct target target;
	struct meta meta;
	struct ir_module m;
	struct code code;
	struct interp in;
	uint8_t packet[FRAME_MAX];
};

static void passes_of(struct compiled *c)
{
	struct ir_fn *f = c->m.fns.v[0];
	struct buf why;

	buf_init(&why, &c->a);
	for (unsigned i = 0; i < npasses; i++) {
		if (!f->machine && !ir_check(f, &why))
			fail_msg("%s: %s", passes[i].name, why.p);
		passes[i].run(f);
	}
	back_emit(f, &c->code);
	for (uint32_t i = 0; i < c->code.relocs.n; i++) {
		const struct code_reloc *r = &c->code.relocs.v[i];

		c->code.insn[r->insn].src_reg =
			r->kind == CR_MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		c->code.insn[r->insn].imm = (int32_t)r->index;
		c->code.insn[r->insn + 1].imm = r->kind == CR_MAP ? 0 : (int32_t)r->add;
	}
}

static void compile(struct compiled *c, const char *script, enum kern_arch arch)
{
	struct lang_options o = {0};
	struct buf text;

	memset(c, 0, sizeof(*c));
	arena_init(&c->a, &c->trap);
	if (setjmp(c->trap.env))
		fail_msg("%s: %s", script, c->trap.message);
	diags_init(&c->diags, &c->a);
	meta_init(&c->meta, &c->a);
	c->target = (struct target){.a = &c->a, .name = "test", .arch = arch, .version = 0x060100,
		.isa = 3, .features = ~0ull};
	c->m = (struct ir_module){.a = &c->a, .trap = &c->trap, .diags = &c->diags,
		.target = &c->target, .meta = &c->meta};
	if (lang_compile(&c->m, "test", script, strlen(script), &o) || c->diags.errors) {
		buf_init(&text, &c->a);
		diags_render_buf(&c->diags, &text, false);
		fail_msg("%s", text.p);
	}
	passes_of(c);
	c->in = (struct interp){.a = &c->a, .insn = c->code.insn, .n = c->code.n, .meta = &c->meta,
		.packet = c->packet, .packet_cap = FRAME_MAX, .prog_type = BPF_PROG_TYPE_XDP};
	interp_init(&c->in);
}

static void try_frame(struct compiled *c, const struct rule *rule, const struct frame *f)
{
	for (uint32_t n = 0; n <= f->n; n += n < CUT_MAX || n >= f->n - 32 ? 1 : 61) {
		struct parsed p = parse(f, (int)n);
		uint64_t want = rule->drop(f, &p, (int)n) ? 1 : 2, got = 0;

		memcpy(c->packet, f->b, n);
		c->in.packet_len = n;
		if (!interp_run(&c->in, &got))
			fail_msg("%s: %s, %u bytes: %s at %u", rule->script, f->name, n, c->in.error,
				c->in.error_at);
		if (got != want)
			fail_msg("%s: %s, %u bytes: verdict %llu, expected %llu", rule->script, f->name,
				n, (unsigned long long)got, (unsigned long long)want);
	}
}

static void run_rules(enum kern_arch arch)
{
	static struct frame frames[64];
	static struct compiled c;
	unsigned n = frames_ip4(frames);

	n += frames_tagged(frames + n);
	n += frames_ip6(frames + n);
	for (unsigned r = 0; r < sizeof(rules) / sizeof(*rules); r++) {
		compile(&c, rules[r].script, arch);
		for (unsigned i = 0; i < n; i++)
			try_frame(&c, &rules[r], &frames[i]);
		arena_free(&c.a);
	}
}

static void test_verdicts(void **state)
{
	(void)state;
	run_rules(KERN_X86_64);
}

/* Loads are split there: the verifier wants alignment. */
static void test_verdicts_aligned(void **state)
{
	(void)state;
	run_rules(KERN_RISCV64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_verdicts_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
