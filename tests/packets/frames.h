/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Crafted frames: VLAN tags, IPv4 options and fragments, IPv6 extension headers, ARP, options of TCP, bad
 * lengths. For the unit tests and, as a tool in guests, for the kernel's own packet filter.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FRAME_MAX 4608 /* some headers reach beyond what is looked at */
#define FRAMES_MOST 256

struct frame {
	const char *name;
	uint8_t b[FRAME_MAX];
	uint32_t n;
};

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

/* A SYN with these bytes of options: n is a multiple of 4. */
static void syn(struct frame *f, const void *options, uint32_t n)
{
	tcp(f, 4000, 23, 2);
	f->n -= 4; /* no data */
	f->b[f->n - 8] = (uint8_t)((5 + n / 4) << 4);
	put(f, options, n);
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
	eth(f, "farther", 0x86dd), ip6(f, 0), ext(f, 60, 255), ext(f, 6, 254), tcp(f++, 4000, 23, 2);
	eth(f, "farther, and cut", 0x86dd), ip6(f, 0);
	ext(f, 60, 255), ext(f, 6, 255);
	memset(f->b + 56, 0, 64), f->b[57] = 23, f->b[67] = 2;
	f->n -= 1024, f++;
	eth(f, "icmp6", 0x86dd), ip6(f, 58), put(f++, "\200\0\0\0\0\1\0\2", 8);
	/* EtherType says what a packet is */
	eth(f, "version 4 as IPv6", 0x86dd), ip4(f, 5, 0, 6), tcp(f++, 4000, 23, 2);
	return (unsigned)(f - first);
}

static unsigned frames_more(struct frame *f)
{
	struct frame *first = f;

	eth(f, "version 5 as IPv6", 0x86dd), ip6(f, 6), tcp(f, 4000, 23, 2), f->b[14] = 0x50, f++;
	eth(f, "icmp over IPv6", 0x86dd), ip6(f, 1), put(f++, "\10\0\0\0\0\1\0\2", 8);
	eth(f, "icmp6 over IPv4", 0x800), ip4(f, 5, 0, 58), put(f++, "\200\0\0\0\0\1\0\2", 8);
	eth(f, "vlan options", 0x8100), tag(f, 100, 0x800), ip4(f, 9, 0, 17), udp(f++, 53, 5353);
	eth(f, "qinq extensions", 0x88a8), tag(f, 7, 0x8100), tag(f, 100, 0x86dd), ip6(f, 0);
	ext(f, 43, 1), ext(f, 60, 0), ext(f, 17, 0), udp(f++, 53, 5353);
	eth(f, "vlan fragment", 0x8100), tag(f, 100, 0x86dd), ip6(f, 44), fragment(f, 17, 1);
	udp(f++, 53, 5353);
	eth(f, "routing first", 0x86dd), ip6(f, 43), ext(f, 17, 1), udp(f++, 53, 5353);
	eth(f, "ah then options", 0x86dd), ip6(f, 51), ah(f, 60), put(f, "\0\0\0\0", 0);
	ext(f, 17, 0), udp(f++, 53, 5353);
	eth(f, "a later fragment like a port", 0x800), ip4(f, 5, 0x00b9, 17), udp(f++, 53, 5353);
	eth(f, "tcp options", 0x800), ip4(f, 5, 0, 6), tcp(f, 4000, 23, 0x18);
	f->b[46] = 0x60, put(f, "GET / HTTP/1.1\r\n", 16), f++;
	eth(f, "tcp header too short", 0x800), ip4(f, 5, 0, 6), tcp(f, 4000, 23, 0x18);
	f->b[46] = 0x40, f++;
	eth(f, "tcp header beyond the end", 0x800), ip4(f, 5, 0, 6), tcp(f, 4000, 23, 0x18);
	f->b[46] = 0xf0, f++;
	eth(f, "all flags", 0x800), ip4(f, 5, 0, 6), tcp(f++, 4000, 23, 0xff);
	eth(f, "no flags", 0x86dd), ip6(f, 6), tcp(f++, 4000, 23, 0);
	eth(f, "vlan alone", 0x8100), put(f++, "\0\5\x88\xcc", 4);
	eth(f, "two tags alone", 0x88a8), put(f++, "\0\7\x81\0\0\5\x88\xcc", 8);
	eth(f, "sctp", 0x800), ip4(f, 5, 0, 132), tcp(f++, 4000, 23, 2);
	eth(f, "esp", 0x86dd), ip6(f, 50), ext(f, 6, 0), tcp(f++, 4000, 23, 2);
	return (unsigned)(f - first);
}

/* Options of TCP, well formed and not. */
static unsigned frames_options(struct frame *f)
{
	static const struct {
		const char *name;
		uint32_t n;
		const char *b;
	} syns[] = {
		{"Linux's", 20, "\2\4\5\xb4\4\2\x8\xa\0\1\2\3\0\0\0\0\1\3\3\7"},
		{"mss", 4, "\2\4\1\x90"},
		{"mss at an odd place", 8, "\1\2\4\1\x90\0\0\0"},
		{"mss behind the end", 8, "\0\0\0\0\2\4\1\x90"},
		{"mss too short", 4, "\2\3\1\x90"},
		{"mss of no bytes", 4, "\2\0\1\x90"},
		{"mss of one byte", 8, "\2\1\1\x90\2\4\1\x90"},
		{"mss beyond the header", 4, "\1\2\4\1"},
		{"an option beyond the header", 8, "\x8\xa\0\1\2\4\1\x90"},
		{"an unknown option first", 8, "\xfe\4xy\2\4\1\x90"},
		{"two mss", 8, "\2\4\1\x90\2\4\5\xb4"},
		{"back to the start", 8, "\xfe\xff\1\1\2\4\1\x90"},
		{"most options", 40,
			"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\2\4\1\x90"},
		{"nothing but padding", 40,
			"\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"},
	};
	struct frame *first = f;

	for (unsigned i = 0; i < sizeof(syns) / sizeof(*syns); i++) {
		eth(f, syns[i].name, i % 3 ? 0x800 : 0x86dd);
		i % 3 ? ip4(f, i % 2 ? 5 : 7, 0, 6) : ip6(f, 6);
		syn(f++, syns[i].b, syns[i].n);
	}
	eth(f, "zeroes", 0x800), ip4(f, 5, 0, 1), put(f++, "\10\0\0\0\0\1\0\2\0\1\0\2\0", 13);
	eth(f, "mss under tags", 0x88a8), tag(f, 5, 0x8100), tag(f, 100, 0x86dd), ip6(f, 60);
	ext(f, 6, 0), syn(f++, "\2\4\1\x90", 4);
	return (unsigned)(f - first);
}

/* Questions to the DNS. */
static unsigned frames_dns(struct frame *f)
{
	static const struct {
		const char *name;
		uint32_t n;
		const char *b;
	} names[] = {
		{"the name", 17, "\7example\3com\0\0\1\0\1"},
		{"below it", 21, "\3BAD\7Example\3cOm\0\0\1\0\1"},
		{"far below it", 37, "\1a\2bc\1a\1a\1a\1a\1a\1a\1a\7EXAMPLE\3COM\0\0\1\0\1"},
		{"its end is other", 20, "\7example\3com\2de\0\0\1\0\1"},
		{"a longer label", 18, "\x8xexample\3com\0\0\1\0\1"},
		{"a label that holds it", 19, "\x11x\7example\3com\0\0\0\1"},
		{"no labels", 5, "\0\0\1\0\1"},
		{"a label too long", 17, "\xff\7example\3com\0\0\1"},
		{"a label of 64 bytes", 82, "\x40" "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
			"\7example\3com\0\0\1\0\1"},
	};
	struct frame *first = f;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		eth(f, names[i].name, i % 3 ? 0x800 : 0x86dd);
		i % 3 ? ip4(f, i % 2 ? 5 : 7, 0, 17) : ip6(f, 17);
		udp(f, 4000, 53), f->n -= 4;
		put(f, "\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
		put(f++, names[i].b, names[i].n);
	}
	return (unsigned)(f - first);
}

/* What an L3 header may be, with what it leads to. */
static void any_l3(struct frame *f, unsigned kind, unsigned proto)
{
	unsigned proto6 = proto == 1 ? 58 : proto;

	switch (kind) {
	case 0:
	case 1:
		ip4(f, kind ? 10 : 5, 0x4000, proto);
		break;
	case 2:
	case 3: /* a later fragment that lies over the first, where the ports were */
		ip4(f, 5, kind == 2 ? 0x2000 : 0x2001, proto);
		break;
	case 4: /* lengths that are too great, and none at all */
	case 5:
		ip4(f, 6, 0, proto);
		f->b[f->n - 22] = kind == 4 ? 0xff : 0, f->b[f->n - 21] = 0;
		break;
	case 6:
		ip6(f, proto6);
		break;
	case 7:
		ip6(f, 60), ext(f, 43, 1), ext(f, 51, 0), ah(f, proto6);
		break;
	case 8:
	case 9: /* as above: a fragment over the first */
		ip6(f, 0), ext(f, 44, 0), fragment(f, proto6, kind == 8 ? 1 : 8);
		break;
	case 10: /* no length, and headers whose length is odd */
		ip6(f, 43), f->b[f->n - 35] = 0, ext(f, 51, 0), ah(f, proto6);
		f->b[f->n - 11] = 0, f->n -= 4;
		break;
	default: /* a fragment header that says it is long */
		ip6(f, 44), fragment(f, 60, 1), f->b[f->n - 7] = 77, ext(f, proto6, 0);
	}
}
#define L3_KINDS 12

static void any_l4(struct frame *f, unsigned proto, bool six)
{
	if (proto == 6)
		tcp(f, 4000, 23, 2);
	else if (proto == 17)
		udp(f, 53, 5353);
	else
		put(f, six ? "\200\0\0\0\0\1\0\2" : "\10\0\0\0\0\1\0\2", 8);
}

/* Every L3 under no tag to three, with every L4. */
static unsigned frames_combined(struct frame *f)
{
	static const unsigned protos[] = {6, 17, 1};
	struct frame *first = f;

	for (unsigned tags = 0; tags < 4; tags++) {
		for (unsigned l3 = 0; l3 < L3_KINDS; l3++) {
			unsigned type = l3 < 6 ? 0x800 : 0x86dd, proto = protos[(l3 + tags) % 3];

			eth(f, "combined", tags ? tags % 2 ? 0x8100 : 0x88a8 : type);
			for (unsigned t = 1; t <= tags; t++)
				tag(f, t == 1 ? 100 : t + 4, t < tags ? 0x8100 : type);
			any_l3(f, l3, proto);
			any_l4(f++, proto, l3 >= 6);
		}
	}
	return (unsigned)(f - first);
}

static unsigned all_frames(struct frame *f)
{
	unsigned n = frames_ip4(f);

	n += frames_tagged(f + n);
	n += frames_ip6(f + n);
	n += frames_more(f + n);
	n += frames_options(f + n);
	n += frames_dns(f + n);
	return n + frames_combined(f + n);
}
