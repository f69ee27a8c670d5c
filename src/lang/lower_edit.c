/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Changing packets in place: fields of Ethernet, IPv4, IPv6, TCP and UDP, the kernel's mark and priority.
 * The IPv4 header's checksum follows (RFC 1624). On tc the kernel may hold a sum over the packet
 * (skb->csum): what changes without a checksum that makes up for it is told to the kernel.
 *
 * Checksums of TCP and UDP cover addresses, ports and options. In xdp they follow at once; on tc a packet on
 * its way out may have none yet (CHECKSUM_PARTIAL), which only the kernel knows: what has changed is
 * added up, and l4_csum_replace() told at the end of the rule. No pointer into the packet is valid
 * behind that call, so the rules that follow are there a second time, with headers found anew.
 *
 * Told of an address, l4_csum_replace() takes what the checksum loses from the kernel's own sum:
 * IPv4's header has a checksum that makes up for the address. IPv6 has none, so the kernel's sum is
 * told of the address first. (Since 6.16 BPF_F_IPV6 does the same: net/core/utils.c,
 * inet_proto_csum_replace_by_diff.)
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

/* What a sum of 16-bit words gains when one becomes another; byte order does not matter. */
static ir_val difference(struct lower *L, ir_val old, ir_val new)
{
	return ir_bin(L->f, IR_ADD, ir_bini(L->f, IR_XOR, old, 0xffff), new);
}

/* This checksum after the sum gained so much. */
static ir_val followed(struct lower *L, ir_val checksum, ir_val gain)
{
	ir_val sum = ir_bin(L->f, IR_ADD, ir_bini(L->f, IR_XOR, checksum, 0xffff), gain);

	return ir_bini(L->f, IR_XOR, folded(L, sum), 0xffff);
}

/* The checksum at off of p. */
static void follow(struct lower *L, ir_val p, uint32_t off, ir_val gain)
{
	store(L, 2, p, off, followed(L, lo_net_load(L, 2, p, off), gain));
}

/* tc: the kernel's own sum over the packet, when it keeps one. */
static void tell_kernel(struct lower *L, ir_val gain)
{
	ir_val args[2];

	if (L->f->ctx != CTX_SK_BUFF)
		return;
	args[0] = ir_ctx(L->f);
	args[1] = gain;
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
		follow(L, p, at + 10, difference(L, old, new));
	else
		tell_kernel(L, difference(L, old, new));
}

/* ---- what checksums of TCP and UDP cover ---- */

#define CSUM_PSEUDO 0x10 /* BPF_F_PSEUDO_HDR: addresses, which are in the kernel's sum, too */
#define CSUM_UDP 0x20    /* BPF_F_MARK_MANGLED_0: 0 is no checksum */

/* The L4 header of these packets, if it has a checksum over addresses; *at: from its pointer to that. */
static ir_val checksum_of(struct lower *L, uint32_t *at)
{
	static const struct {
		enum net_layer layer;
		uint32_t at;
	} in[] = {[L4_TCP] = {NET_TCP, 16}, [L4_UDP] = {NET_UDP, 6}, [L4_ICMP6] = {NET_ICMP6, 2}};
	enum lo_l4 l4 = L->net.l4;

	if (l4 >= sizeof(in) / sizeof(*in) || !in[l4].at || lo_net_absent(L, in[l4].layer))
		return IR_NONE;
	*at = L->net.base + in[l4].at;
	return lo_net_ptr(L, in[l4].layer);
}

/* UDP's checksum, where there is one, never becomes 0. */
static void follow_udp(struct lower *L, ir_val p, uint32_t at, ir_val gain)
{
	ir_blk has = lo_block(L), zero = lo_block(L), plain = lo_block(L), done = lo_block(L);
	ir_val v = lo_net_load(L, 2, p, at);

	lo_if(L, CC_NE, v, ir_const(L->f, 0), has, done);
	lo_enter(L, has);
	v = followed(L, v, gain);
	lo_if(L, CC_EQ, v, ir_const(L->f, 0), zero, plain);
	lo_enter(L, zero);
	store(L, 2, p, at, ir_const(L->f, 0xffff));
	lo_goto(L, done);
	lo_enter(L, plain);
	store(L, 2, p, at, v);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* Nothing makes up for a port in UDP without a checksum. */
static void tell_port(struct lower *L, ir_val p, uint32_t at, ir_val gain)
{
	ir_blk none = lo_block(L), done = lo_block(L);

	lo_if(L, CC_EQ, lo_net_load(L, 2, p, at), ir_const(L->f, 0), none, done);
	lo_enter(L, none);
	tell_kernel(L, gain);
	lo_goto(L, done);
	lo_enter(L, done);
}

static void l4_gains(struct lower *L, ir_val gain, bool address)
{
	unsigned var = L->edit.gain[address];
	uint32_t at;
	ir_val p = checksum_of(L, &at);

	if (!p)
		return;
	if (L->f->ctx != CTX_SK_BUFF) {
		if (L->net.l4 == L4_UDP)
			follow_udp(L, p, at, gain);
		else
			follow(L, p, at, gain);
		return;
	}
	if (!L->edit.on)
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: a changed packet outside a rule");
	if (!address && L->net.l4 == L4_UDP)
		tell_port(L, p, at, gain);
	ir_var_write(L->f, var, ir_bin(L->f, IR_ADD, ir_var_read(L->f, var), gain));
	ir_var_write(L->f, L->edit.changed, ir_const(L->f, 1));
}

void lo_edit_begin(struct lower *L, const struct block *b)
{
	unsigned what = lo_block_layers(b) & LO_EDITS_L4;

	L->edit = (struct lo_edit){.ports = what & LO_EDITS_PORT, .addresses = what & LO_EDITS_ADDRESS};
	L->edit.on = L->f->ctx == CTX_SK_BUFF && what;
	if (!L->edit.on)
		return;
	L->edit.changed = ir_var_new(L->f, ir_range(1));
	ir_var_write(L->f, L->edit.changed, ir_const(L->f, 0));
	for (unsigned i = 0; i < 2; i++) {
		L->edit.gain[i] = ir_var_new(L->f, IR_I64);
		ir_var_write(L->f, L->edit.gain[i], ir_const(L->f, 0));
	}
}

void lo_edit_tell(struct lower *L)
{
	ir_val args[5], p;
	uint32_t at;

	if (!L->edit.on || !(p = checksum_of(L, &at)))
		return;
	p = ir_bin(L->f, IR_SUB, ir_un(L->f, IR_ADDR, p), ir_un(L->f, IR_ADDR, L->net.data));
	p = ir_bini(L->f, IR_ADD, p, at);
	for (unsigned address = 0; address < 2; address++) {
		if (!(address ? L->edit.addresses : L->edit.ports))
			continue;
		args[0] = ir_ctx(L->f);
		args[1] = p;
		args[2] = ir_const(L->f, 0);
		args[3] = ir_var_read(L->f, L->edit.gain[address]);
		args[4] = ir_const(L->f, (address ? CSUM_PSEUDO : 0) | (L->net.l4 == L4_UDP ? CSUM_UDP : 0));
		ir_call(L->f, "l4_csum_replace", IR_VOID, 5, args);
	}
}

/* Where the rules behind this one are, for packets that it has changed. */
static ir_blk next_rules(struct lower *L)
{
	for (uint32_t i = 0; i < L->nrules; i++) {
		if (L->rules[i].p == L->probe && L->rules[i].ap == L->ap) {
			L->again[i].used = true;
			return L->again[i].at;
		}
	}
	trap_raise(L->m->trap, SKEP_EBUG, "lowering: a rule that is not the program's");
}

void lo_edit_end(struct lower *L)
{
	ir_blk tell, on;
	uint32_t at;

	if (!L->edit.on || !ir_open(L->f) || !checksum_of(L, &at))
		return;
	tell = lo_block(L), on = lo_block(L);
	lo_if(L, CC_NE, ir_var_read(L->f, L->edit.changed), ir_const(L->f, 0), tell, on);
	lo_enter(L, tell);
	lo_edit_tell(L);
	lo_goto(L, next_rules(L));
	lo_enter(L, on);
}

static void store_inet4(struct lower *L, const struct net_field *f, ir_val v)
{
	ir_val p = lo_net_ptr(L, f->layer), old, gain;
	uint32_t at = lo_net_at(L, f->layer);

	old = lo_net_load(L, 4, p, at + f->off);
	store(L, 4, p, at + f->off, v);
	gain = difference(L, ir_bini(L->f, IR_AND, old, 0xffff), ir_bini(L->f, IR_AND, v, 0xffff));
	old = ir_bini(L->f, IR_LSHR, old, 16);
	v = ir_bini(L->f, IR_AND, ir_bini(L->f, IR_LSHR, v, 16), 0xffff);
	gain = ir_bin(L->f, IR_ADD, gain, difference(L, old, v));
	follow(L, p, at + 10, gain);
	l4_gains(L, gain, true);
}

static void store_inet6(struct lower *L, const struct net_field *f, struct lo_pair v)
{
	ir_val p = lo_net_ptr(L, f->layer), gain = ir_const(L->f, 4 * (int64_t)UINT32_MAX);
	uint32_t at = lo_net_at(L, f->layer) + f->off;

	for (unsigned i = 0; i < 16; i += 4)
		gain = ir_bin(L->f, IR_SUB, gain, lo_net_load(L, 4, p, at + i));
	store(L, 8, p, at, v.lo);
	store(L, 8, p, at + 8, v.hi);
	for (unsigned i = 0; i < 16; i += 4)
		gain = ir_bin(L->f, IR_ADD, gain, lo_net_load(L, 4, p, at + i));
	gain = folded(L, gain);
	tell_kernel(L, gain);
	l4_gains(L, gain, true);
}

static void store_port(struct lower *L, const struct net_field *f, ir_val v)
{
	ir_val p = lo_net_ptr(L, f->layer), old;
	uint32_t off = lo_net_at(L, f->layer) + f->off;

	old = lo_net_load(L, 2, p, off);
	v = ir_un(L->f, IR_BSWAP16, ir_bini(L->f, IR_AND, v, 0xffff));
	store(L, 2, p, off, v);
	l4_gains(L, difference(L, old, v), false);
}

/* tcp.mss, where there is one; at an odd place its bytes belong to two words of the sum. */
static void store_mss(struct lower *L, const struct net_field *f, ir_val v)
{
	ir_blk odd = lo_block(L), even = lo_block(L), done = lo_block(L);
	struct lo_option o = lo_find_option(L, f, L->missing);
	unsigned gain = ir_var_new(L->f, IR_I64);
	ir_val old = lo_option_number(L, &o, 2), turned;

	turned = ir_bini(L->f, IR_AND, v, 0xffff);
	v = ir_un(L->f, IR_BSWAP16, turned);
	for (unsigned i = 0; i < 2; i++)
		ir_st(L->f, 1, o.p, o.at + i, i ? ir_bini(L->f, IR_LSHR, v, 8) : v);
	lo_if(L, CC_SET, o.place, ir_const(L->f, 1), odd, even);
	lo_enter(L, odd);
	ir_var_write(L->f, gain, difference(L, ir_un(L->f, IR_BSWAP16, old), turned));
	lo_goto(L, done);
	lo_enter(L, even);
	ir_var_write(L->f, gain, difference(L, old, v));
	lo_goto(L, done);
	lo_enter(L, done);
	l4_gains(L, ir_var_read(L->f, gain), false);
}

/* ---- stores ---- */

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
		tell_kernel(L, difference(L, old, new));
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
	ir_val v;

	if (f->kind == NK_INET6) {
		store_inet6(L, f, lo_inet6(L, value));
		return;
	}
	v = lo_int(L, value);
	lo_note_zero(L, st->u.assign.compound ? st->u.assign.op : BO_ADD, value, v);
	if (st->u.assign.compound)
		v = ir_bin(L->f, lo_arith(st->u.assign.op, false), lo_net_field(L, f), v);
	if (f->kind == NK_SPECIAL)
		ir_st(L->f, 4, ir_ctx(L->f),
			kern_ctx_field(L->f->ctx, !strcmp(f->name, "pkt.mark") ? "mark" : "priority")->off,
			v);
	else if (f->kind == NK_MAC)
		store_mac(L, f, v);
	else if (f->kind == NK_INET4)
		store_inet4(L, f, v);
	else if (f->kind == NK_OPTION)
		store_mss(L, f, v);
	else if (f->layer == NET_TCP || f->layer == NET_UDP)
		store_port(L, f, v);
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
