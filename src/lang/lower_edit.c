/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Changing packets in place: fields of Ethernet, IPv4 and IPv6, the kernel's mark and priority. The
 * IPv4 header's checksum follows (RFC 1624). On tc the kernel may hold a sum over the packet (skb->csum):
 * what changes without a checksum that makes up for it is told to the kernel.
 */
#include "lang/lower.h"
#include <string.h>

/* Store in aligned parts where they must be, as lo_net_load. */
static void store(struct lower *L, unsigned width, ir_val p, uint32_t off, ir_val v)
{
	unsigned part = width;

	while (L->m->target->arch == KERN_RISCV64 && (part > 4 || (off + 2) % part))
		part /= 2;
	for (unsigned i = 0; i < width; i += part)
		ir_st(L->f, part, p, off + i, i ? ir_bini(L->f, IR_LSHR, v, 8 * i) : v);
}

/* Adds the carries of a sum of 16-bit words; twice is enough for three of them. */
static ir_val folded(struct lower *L, ir_val sum)
{
	for (unsigned i = 0; i < 2; i++) {
		ir_val high = ir_bini(L->f, IR_LSHR, sum, 16);

		sum = ir_bin(L->f, IR_ADD, ir_bini(L->f, IR_AND, sum, 0xffff), high);
	}
	return sum;
}

/* The checksum at off of p, after a 16-bit word became another; byte order does not matter. */
static void follow(struct lower *L, ir_val p, uint32_t off, ir_val old, ir_val new)
{
	ir_val sum = lo_net_load(L, 2, p, off);

	sum = ir_bini(L->f, IR_XOR, sum, 0xffff);
	sum = ir_bin(L->f, IR_ADD, sum, ir_bini(L->f, IR_XOR, old, 0xffff));
	sum = folded(L, ir_bin(L->f, IR_ADD, sum, new));
	store(L, 2, p, off, ir_bini(L->f, IR_XOR, sum, 0xffff));
}

/* tc: the kernel's own sum over the packet, when it keeps one. */
static void tell_kernel(struct lower *L, ir_val old, ir_val new)
{
	ir_val args[2];

	if (L->f->ctx != CTX_SK_BUFF)
		return;
	args[0] = ir_ctx(L->f);
	args[1] = ir_bin(L->f, IR_ADD, ir_bini(L->f, IR_XOR, old, 0xffff), new);
	ir_call(L->f, "csum_update", IR_VOID, 2, args);
}

/* The field's value inside the 16-bit word that holds it, in network order. */
static ir_val placed(struct lower *L, const struct net_field *f, ir_val v, uint64_t *mask)
{
	*mask = (f->bits ? (1ull << f->bits) - 1 : (1ull << (8 * f->width)) - 1);
	v = ir_bini(L->f, IR_AND, v, (int64_t)*mask);
	*mask <<= f->shift;
	if (f->shift)
		v = ir_bini(L->f, IR_SHL, v, f->shift);
	if (f->width == 1 && f->off % 2) {
		*mask <<= 8;
		return ir_bini(L->f, IR_SHL, v, 8);
	}
	if (f->width == 2) {
		*mask = __builtin_bswap16((uint16_t)*mask);
		v = ir_un(L->f, IR_BSWAP16, v);
	}
	return v;
}

static void store_word(struct lower *L, const struct net_field *f, ir_val v)
{
	ir_val p = lo_net_ptr(L, f->layer), old, new;
	uint32_t at = lo_net_at(L, f->layer), off = at + (f->off & ~1u);
	uint64_t mask;

	v = placed(L, f, v, &mask);
	old = lo_net_load(L, 2, p, off);
	new = ir_bini(L->f, IR_AND, old, (int64_t)(0xffff & ~mask));
	new = ir_bin(L->f, IR_OR, new, v);
	store(L, 2, p, off, new);
	if (f->layer == NET_IP)
		follow(L, p, at + 10, old, new);
	else
		tell_kernel(L, old, new);
}

/* 20 bits in the first word of IPv6, as two halves. */
static void store_flow(struct lower *L, const struct net_field *f, ir_val v)
{
	ir_val p = lo_net_ptr(L, f->layer), old, new, part;
	uint32_t at = lo_net_at(L, f->layer);

	for (unsigned half = 0; half < 2; half++) {
		int64_t mask = half ? 0xffff : __builtin_bswap16(0x000f);

		part = half ? v : ir_bini(L->f, IR_LSHR, v, 16);
		part = ir_bini(L->f, IR_AND, ir_un(L->f, IR_BSWAP16, part), mask);
		old = lo_net_load(L, 2, p, at + 2 * half);
		new = ir_bini(L->f, IR_AND, old, 0xffff & ~mask);
		new = ir_bin(L->f, IR_OR, new, part);
		store(L, 2, p, at + 2 * half, new);
		tell_kernel(L, old, new);
	}
}

static void store_mac(struct lower *L, const struct net_field *f, ir_val v)
{
	ir_val p = lo_net_ptr(L, f->layer);

	store(L, 4, p, f->off, v);
	store(L, 2, p, f->off + 4, ir_bini(L->f, IR_LSHR, v, 32));
}

void lo_net_store(struct lower *L, const struct stmt *st)
{
	const struct expr *target = st->u.assign.target, *value = st->u.assign.value;
	const struct net_field *f = target->ref.u.net;
	ir_val v = lo_int(L, value);

	lo_note_zero(L, st->u.assign.compound ? st->u.assign.op : BO_ADD, value, v);
	if (st->u.assign.compound)
		v = ir_bin(L->f, lo_arith(st->u.assign.op, false), lo_net_field(L, f), v);
	if (f->kind == NK_SPECIAL)
		ir_st(L->f, 4, ir_ctx(L->f),
			kern_ctx_field(L->f->ctx, !strcmp(f->name, "pkt.mark") ? "mark" : "priority")->off,
			v);
	else if (f->kind == NK_MAC)
		store_mac(L, f, v);
	else if (f->width == 4)
		store_flow(L, f, v);
	else
		store_word(L, f, v);
}

/* ---- reflect() ---- */

/* Exchanges n bytes at a and b. No checksum changes: all of them are sums. */
static void swap(struct lower *L, ir_val p, uint32_t a, uint32_t b, uint32_t n)
{
	unsigned w;

	for (uint32_t i = 0; i < n; i += w) {
		ir_val x, y;

		w = n - i >= 8 ? 8 : n - i >= 4 ? 4 : 2;
		x = lo_net_load(L, w, p, a + i);
		y = lo_net_load(L, w, p, b + i);
		store(L, w, p, a + i, y);
		store(L, w, p, b + i, x);
	}
}

void lo_reflect(struct lower *L)
{
	uint32_t at = L->net.base;

	swap(L, lo_net_ptr(L, NET_ETH), 0, 6, 6);
	if (L->net.l3 == L3_IP4)
		swap(L, lo_net_ptr(L, NET_IP), at + 12, at + 16, 4);
	else if (L->net.l3 == L3_IP6)
		swap(L, lo_net_ptr(L, NET_IP6), at + 8, at + 24, 16);
	if (!lo_net_absent(L, NET_L4))
		swap(L, lo_net_ptr(L, NET_L4), at, at + 2, 2);
}
