/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A reader of headers in plain C for the crafted frames, which shares nothing with the compiler. */
#pragma once
#include "tests/packets/frames.h"
#include "tests/unit/driver/packet_world.h"

#define CUT_MAX 256 /* lengths up to this one are all tried */

/* ---- the reference ---- */

struct parsed {
	int l3, l4; /* offsets, -1 none */
	unsigned type, proto;
	bool tagged;
	unsigned tags, tci[2];
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
		p.tci[p.tags++] = get16(f, at);
		type = get16(f, at + 2);
		at += 4;
	}
	p.type = type;
	p.l3 = at;
	if (type == 0x86dd && n >= at + 40)
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
	if ((proto == 1 && p->type != 0x800) || (proto == 58 && p->type != 0x86dd))
		return false;
	return p->l4 >= 0 && p->proto == proto && n >= p->l4 + bytes;
}

/* Where the payload starts; -1 none. */
static inline int payload_at(const struct frame *f, const struct parsed *p, int n)
{
	if (has(p, n, 6, 20))
		return f->b[p->l4 + 12] >> 4 < 5 ? -1 : p->l4 + 4 * (f->b[p->l4 + 12] >> 4);
	return has(p, n, 17, 8) || has(p, n, 1, 8) || has(p, n, 58, 8) ? p->l4 + 8 : -1;
}

/* Where an option of TCP starts, with so many bytes of a number in it; -1 none. */
static int option_at(const struct frame *f, const struct parsed *p, int n, int kind, int bytes)
{
	int at = p->l4 + 20, end;

	if (!has(p, n, 6, 20))
		return -1;
	end = p->l4 + 4 * (f->b[p->l4 + 12] >> 4);
	while (at < end && at < n && f->b[at]) {
		if (f->b[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= n || f->b[at + 1] < 2)
			return -1;
		if (f->b[at] == kind)
			return at + f->b[at + 1] <= end && f->b[at + 1] >= 2 + bytes &&
					       at + 2 + bytes <= n ? at : -1;
		at += f->b[at + 1];
	}
	return -1;
}

static bool has_l3(const struct parsed *p, int n, unsigned type, int bytes)
{
	return p->l3 >= 0 && p->type == type && n >= p->l3 + bytes;
}

