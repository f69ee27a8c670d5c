/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Formats: draft-gharris-opsawg-pcap (pcap), draft-ietf-opsawg-pcapng (pcapng),
 * www.tcpdump.org/linktypes.html.
 */
#include "run/pcapread.h"
#include "base/fmt.h"
#include <inttypes.h>
#include <string.h>

#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define NG_SECTION 0x0a0d0d0au /* reads the same in both orders */
#define NG_ORDER 0x1a2b3c4du
#define PACKET_MOST (1u << 20)
#define ETH_LEN 14

enum { NG_IFACE = 1, NG_PACKET_OLD = 2, NG_SIMPLE = 3, NG_PACKET = 6, OPT_TSRESOL = 9 };
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113,
	LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276 };

static uint16_t get16(const struct pcap_reader *r, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return r->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct pcap_reader *r, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return r->swapped ? __builtin_bswap32(v) : v;
}

static int damaged(struct pcap_reader *r, const char *what)
{
	r->why = arena_printf(r->a, "%s at byte %zu", what, (size_t)(r->p - r->start));
	return -1;
}

static size_t left(const struct pcap_reader *r)
{
	return (size_t)(r->end - r->p);
}

/* Whole seconds and a rest, so that nothing overflows. */
static uint64_t to_ns(uint64_t stamp, uint64_t per_second)
{
	uint64_t rest = stamp % per_second;

	return stamp / per_second * 1000000000u +
	       fmt_share(rest, 1000000000u, per_second);
}

/* ---- pcap ---- */

static bool open_plain(struct pcap_reader *r)
{
	uint32_t magic;

	if (left(r) < 24) {
		damaged(r, "the file header is cut short");
		return false;
	}
	memcpy(&magic, r->p, 4);
	r->swapped = magic != MAGIC_US && magic != MAGIC_NS;
	magic = get32(r, r->p);
	r->plain.per_second = magic == MAGIC_NS ? 1000000000u : 1000000u;
	r->plain.snaplen = get32(r, r->p + 16);
	r->plain.link = get32(r, r->p + 20) & 0xffff;
	if (get16(r, r->p + 4) != 2) {
		r->why = arena_printf(r->a, "it is of version %u, and only 2 is known",
			get16(r, r->p + 4));
		return false;
	}
	r->p += 24;
	return true;
}

static int next_plain(struct pcap_reader *r, struct pcap_packet *p)
{
	uint32_t frac;

	if (!left(r))
		return 0;
	if (left(r) < 16)
		return damaged(r, "a packet's header is cut short");
	frac = get32(r, r->p + 4);
	*p = (struct pcap_packet){.have = get32(r, r->p + 8), .len = get32(r, r->p + 12),
		.link = r->plain.link, .bytes = r->p + 16};
	p->ns = get32(r, r->p) * UINT64_C(1000000000) + to_ns(frac, r->plain.per_second);
	if (p->have > PACKET_MOST)
		return damaged(r, "a packet of more than a megabyte");
	if (p->have > left(r) - 16)
		return damaged(r, "a packet is cut short");
	if (p->len < p->have)
		p->len = p->have;
	r->p += 16 + p->have;
	return 1;
}

/* ---- pcapng ---- */

/* if_tsresol: a power of ten, or of two when the highest bit is set. */
static uint64_t resolution(uint8_t v)
{
	uint64_t n = 1;

	if (v & 0x80)
		return (v & 0x7f) < 63 ? UINT64_C(1) << (v & 0x7f) : UINT64_C(1) << 62;
	for (unsigned i = 0; i < v && i < 18; i++)
		n *= 10;
	return n;
}

static int add_iface(struct pcap_reader *r, const uint8_t *b, uint32_t n)
{
	struct pcap_iface i = {.per_second = 1000000};

	if (n < 8)
		return damaged(r, "a block of an interface is too short");
	i.link = get16(r, b);
	i.snaplen = get32(r, b + 4);
	for (uint32_t at = 8; n - at >= 4;) {
		uint32_t code = get16(r, b + at), len = get16(r, b + at + 2);

		if (!code || len > n - at - 4)
			break;
		if (code == OPT_TSRESOL && len)
			i.per_second = resolution(b[at + 4]);
		at += 4 + ((len + 3) & ~3u);
		if (at > n)
			break;
	}
	if (r->ifaces.n > 65535)
		return damaged(r, "more than 65536 interfaces");
	vec_push(r->a, &r->ifaces, i);
	return 0;
}

/* Enhanced packet block and the one before it: interface, time stamp, lengths, bytes. */
static int packet_block(struct pcap_reader *r, const uint8_t *b, uint32_t n, bool old,
	struct pcap_packet *p)
{
	uint32_t id;

	if (n < 20)
		return damaged(r, "a packet's block is too short");
	id = old ? get16(r, b) : get32(r, b);
	if (id >= r->ifaces.n)
		return damaged(r, "a packet names an interface that is not there");
	*p = (struct pcap_packet){.have = get32(r, b + 12), .len = get32(r, b + 16),
		.link = r->ifaces.v[id].link, .bytes = b + 20};
	p->ns = to_ns((uint64_t)get32(r, b + 4) << 32 | get32(r, b + 8), r->ifaces.v[id].per_second);
	if (p->have > n - 20)
		return damaged(r, "a packet is longer than its block");
	return 1;
}

static int simple_block(struct pcap_reader *r, const uint8_t *b, uint32_t n, struct pcap_packet *p)
{
	uint32_t snaplen;

	if (n < 4 || !r->ifaces.n)
		return damaged(r, "a simple packet without its interface");
	snaplen = r->ifaces.v[0].snaplen;
	*p = (struct pcap_packet){.len = get32(r, b), .link = r->ifaces.v[0].link, .bytes = b + 4};
	p->have = snaplen && p->len > snaplen ? snaplen : p->len;
	if (p->have > n - 4)
		return damaged(r, "a packet is longer than its block");
	return 1;
}

/* A section starts: its byte order, and no interfaces yet. */
static int section(struct pcap_reader *r)
{
	uint32_t order;

	if (left(r) < 28)
		return damaged(r, "the head of a section is cut short");
	memcpy(&order, r->p + 8, 4);
	if (order != NG_ORDER && order != __builtin_bswap32(NG_ORDER))
		return damaged(r, "a section without a byte order");
	r->swapped = order != NG_ORDER;
	r->ifaces.n = 0;
	if (get16(r, r->p + 12) != 1)
		return damaged(r, "a section of an unknown version");
	return 0;
}

static int next_ng(struct pcap_reader *r, struct pcap_packet *p)
{
	while (left(r)) {
		uint32_t type, len;
		const uint8_t *b;
		int found = 0;

		if (left(r) < 12)
			return damaged(r, "a block is cut short");
		memcpy(&type, r->p, 4);
		if (type == NG_SECTION && section(r) < 0)
			return -1;
		type = get32(r, r->p);
		len = get32(r, r->p + 4);
		if (len < 12 || len % 4 || len > left(r))
			return damaged(r, "a block of impossible length");
		b = r->p + 8;
		if (type == NG_IFACE)
			found = add_iface(r, b, len - 12);
		else if (type == NG_PACKET || type == NG_PACKET_OLD)
			found = packet_block(r, b, len - 12, type == NG_PACKET_OLD, p);
		else if (type == NG_SIMPLE)
			found = simple_block(r, b, len - 12, p);
		if (found < 0)
			return -1;
		if (found && p->have > PACKET_MOST)
			return damaged(r, "a packet of more than a megabyte");
		r->p += len;
		if (!found)
			continue;
		if (p->len < p->have)
			p->len = p->have;
		return 1;
	}
	return 0;
}

bool pcap_open(struct pcap_reader *r, struct arena *a, const void *bytes, size_t n)
{
	uint32_t magic = 0;

	*r = (struct pcap_reader){.a = a, .start = bytes, .p = bytes,
		.end = (const uint8_t *)bytes + n};
	if (n >= 4)
		memcpy(&magic, bytes, 4);
	if (magic == NG_SECTION) {
		r->ng = true;
		return true;
	}
	if (magic == MAGIC_US || magic == MAGIC_NS || magic == __builtin_bswap32(MAGIC_US) ||
		magic == __builtin_bswap32(MAGIC_NS))
		return open_plain(r);
	r->why = n ? "it does not start like a pcap or pcapng file" : "it is empty";
	return false;
}

int pcap_next(struct pcap_reader *r, struct pcap_packet *p)
{
	return r->ng ? next_ng(r, p) : next_plain(r, p);
}

/* ---- links ---- */

/* Bytes of the link's header, and the EtherType it tells; type 0: as the version of IP says. */
static bool link_head(const struct pcap_packet *p, uint32_t *bytes, uint32_t *type)
{
	*type = 0;
	switch (p->link) {
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		*bytes = 0;
		return true;
	case LINK_NULL:
	case LINK_LOOP:
		*bytes = 4;
		return p->have >= 4;
	case LINK_SLL:
		*bytes = 16;
		*type = p->have >= 16 ? (uint32_t)p->bytes[14] << 8 | p->bytes[15] : 0;
		return p->have >= 16;
	case LINK_SLL2:
		*bytes = 20;
		*type = p->have >= 20 ? (uint32_t)p->bytes[0] << 8 | p->bytes[1] : 0;
		return p->have >= 20;
	default:
		return false;
	}
}

bool pcap_link_known(uint32_t link)
{
	static const uint8_t zeroes[20];
	struct pcap_packet p = {.link = link, .bytes = zeroes, .have = sizeof(zeroes)};
	uint32_t head, type;

	return link == LINK_ETHERNET || link_head(&p, &head, &type);
}

uint32_t pcap_to_ethernet(const struct pcap_packet *p, uint8_t *out, uint32_t room)
{
	uint32_t head, type, n;

	if (p->link == LINK_ETHERNET) {
		n = p->have < room ? p->have : room;
		memcpy(out, p->bytes, n);
		return n;
	}
	if (!link_head(p, &head, &type) || room < ETH_LEN)
		return 0;
	n = p->have - head < room - ETH_LEN ? p->have - head : room - ETH_LEN;
	if (!type && n)
		type = p->bytes[head] >> 4 == 6 ? 0x86dd : 0x0800;
	memset(out, 0, ETH_LEN);
	out[12] = (uint8_t)(type >> 8);
	out[13] = (uint8_t)type;
	memcpy(out + ETH_LEN, p->bytes + head, n);
	return ETH_LEN + n;
}

uint32_t pcap_to_ip(const struct pcap_packet *p, uint8_t *out, uint32_t room)
{
	uint32_t n = pcap_to_ethernet(p, out, room), at = 12, type;

	while (at + 2 <= n) {
		type = (uint32_t)out[at] << 8 | out[at + 1];
		if (type == 0x0800 || type == 0x86dd) {
			memmove(out + ETH_LEN, out + at + 2, n - at - 2);
			out[12] = (uint8_t)(type >> 8);
			out[13] = (uint8_t)type;
			return n - at - 2 + ETH_LEN;
		}
		if (type != 0x8100 && type != 0x88a8)
			break;
		at += 4;
	}
	return 0;
}
