/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reading packets: fields of headers that the chain of rules has found (lower_head.c). */
#include "lang/lower.h"
#include <string.h>

bool lo_net_whole(const struct lower *L, unsigned width, uint32_t off)
{
	/* the packet starts 2 bytes behind a multiple of 4: NET_IP_ALIGN */
	return L->m->target->arch != KERN_RISCV64 || (width <= 4 && (off + 2) % width == 0);
}

/* Load at p+off, p a multiple of 4 from the packet's start; in aligned parts where they must be. */
ir_val lo_net_load(struct lower *L, unsigned width, ir_val p, uint32_t off)
{
	unsigned part = width;
	ir_val v, next;

	while (!lo_net_whole(L, part, off))
		part /= 2;
	v = ir_ld(L->f, part, p, off);
	for (unsigned i = part; i < width; i += part) {
		next = ir_ld(L->f, part, p, off + i);
		next = ir_bini(L->f, IR_SHL, next, 8 * i);
		v = ir_bin(L->f, IR_OR, v, next);
	}
	return v;
}

uint32_t lo_net_at(const struct lower *L, enum net_layer layer)
{
	return layer == NET_ETH ? 0 : L->net.base;
}

static bool absent_l4(const struct lo_net *n, enum net_layer layer)
{
	if (n->l4 == L4_ANY)
		return n->l3 == L3_IP4 ? layer == NET_ICMP6 : n->l3 == L3_IP6 ? layer == NET_ICMP : false;
	switch (layer) {
	case NET_TCP:
		return n->l4 != L4_TCP || n->cut;
	case NET_UDP:
		return n->l4 != L4_UDP || n->cut;
	case NET_ICMP:
		return n->l4 != L4_ICMP;
	case NET_ICMP6:
		return n->l4 != L4_ICMP6;
	case NET_L4:
		return n->l4 != L4_TCP && n->l4 != L4_UDP;
	default: /* payload */
		return n->l4 == L4_NONE || n->cut;
	}
}

bool lo_net_absent(const struct lower *L, enum net_layer layer)
{
	const struct lo_net *n = &L->net;

	switch (layer) {
	case NET_ETH:
	case NET_PKT:
		return false;
	case NET_VLAN:
		return n->tags < 1;
	case NET_VLAN2:
		return n->tags < 2;
	case NET_ARP:
		return n->l3 != L3_ANY && n->l3 != L3_ARP;
	case NET_IP:
		return n->l3 != L3_ANY && n->l3 != L3_IP4;
	case NET_IP6:
		return n->l3 != L3_ANY && n->l3 != L3_IP6;
	default:
		return absent_l4(n, layer);
	}
}

/* Not in these packets: leaves where missing fields lead; what is written from here on never runs. */
static void give_up(struct lower *L)
{
	ir_blk dead = lo_block(L);

	lo_goto(L, L->missing);
	lo_enter(L, dead);
}

ir_val lo_net_ptr(struct lower *L, enum net_layer layer)
{
	uint32_t bytes = lo_net_at(L, layer) + net_layer_row(layer)->bytes;
	ir_val p = L->net.data;
	ir_blk ok;

	if (L->net.at[layer])
		return L->net.at[layer];
	for (uint32_t i = 0; i < L->proofs.n; i++) {
		if (L->proofs.v[i].layer == layer && lo_dominates(L, L->proofs.v[i].at))
			return L->proofs.v[i].ptr;
	}
	if (layer != NET_ETH)
		give_up(L); /* the others are proven when the chain begins */
	ok = lo_block(L);
	p = lo_need(L, p, bytes, ok, L->missing);
	lo_enter(L, ok);
	if (layer == NET_ETH)
		vec_push(L->a, &L->proofs, (struct lo_proof){layer, bytes, ok, p, 0});
	return p;
}

static ir_val vlan(struct lower *L, const struct net_field *f)
{
	unsigned tag = f->layer == NET_VLAN2;

	if (!lo_net_absent(L, f->layer))
		return L->net.tag[tag][f->off / 2];
	give_up(L);
	return ir_const(L->f, 0);
}

ir_val lo_net_raw(struct lower *L, const struct net_field *f)
{
	ir_val p, low, high;
	uint32_t at = lo_net_at(L, f->layer) + f->off;

	if (f->layer == NET_VLAN || f->layer == NET_VLAN2)
		return vlan(L, f);
	if (f->kind == NK_OPTION || f->kind == NK_HAS_OPTION)
		return lo_option_raw(L, f);
	p = lo_net_ptr(L, f->layer);
	if (f->width != 6)
		return lo_net_load(L, f->width, p, at);
	low = lo_net_load(L, 4, p, at);
	high = lo_net_load(L, 2, p, at + 4);
	high = ir_bini(L->f, IR_SHL, high, 32);
	return ir_bin(L->f, IR_OR, low, high);
}

static ir_val of_context(struct lower *L, const char *name)
{
	return ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, name)->off, IR_I64);
}

static ir_val special(struct lower *L, const struct net_field *f)
{
	bool xdp = L->f->ctx == CTX_XDP_MD;
	ir_val a, b;

	if (!strcmp(f->name, "pkt.ifindex"))
		return of_context(L, xdp ? "ingress_ifindex" : "ifindex");
	if (!strcmp(f->name, "pkt.mark"))
		return of_context(L, "mark");
	if (!strcmp(f->name, "pkt.prio"))
		return of_context(L, "priority");
	if (strcmp(f->name, "pkt.len"))
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: packet field %s has no code", f->name);
	if (!xdp)
		return of_context(L, "len");
	a = ir_un(L->f, IR_ADDR, L->net.end);
	b = ir_un(L->f, IR_ADDR, L->net.data);
	return ir_bin(L->f, IR_SUB, a, b);
}

ir_val lo_net_field(struct lower *L, const struct net_field *f)
{
	ir_val v;

	if (f->kind == NK_SPECIAL)
		return special(L, f);
	v = lo_net_raw(L, f);
	if (f->kind == NK_INET4 || f->kind == NK_MAC)
		return v;
	if (f->width == 2)
		v = ir_un(L->f, IR_BSWAP16, v);
	else if (f->width == 4)
		v = ir_un(L->f, IR_BSWAP32, v);
	if (f->shift)
		v = ir_bini(L->f, IR_LSHR, v, f->shift);
	if (f->bits)
		v = ir_bini(L->f, IR_AND, v, (int64_t)((1u << f->bits) - 1));
	return v;
}

struct lo_pair lo_net_pair(struct lower *L, const struct net_field *f)
{
	uint32_t at = lo_net_at(L, f->layer) + f->off;
	ir_val p = lo_net_ptr(L, f->layer);
	struct lo_pair v;

	v.lo = lo_net_load(L, 8, p, at);
	v.hi = lo_net_load(L, 8, p, at + 8);
	return v;
}
