/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finding the headers, and which rules a packet meets. A program that reads headers first finds out
 * what kind of packet it has; for each kind that the rules tell apart there is a chain of its own,
 * written with what is known there: a rule about IPv6 does not appear in the chain of IPv4, and a
 * header is proven once for all rules of the chain. Chains part at L3 (and at VLAN tags if rules ask
 * for them) when the program starts, and at L4 before the first rule that looks so far.
 *
 * A later fragment has no L4 header; what is cut short has no header either. Up to two VLAN tags,
 * IPv4 with options, IPv6 with extension headers.
 *
 * Headers start 14 bytes plus a multiple of 4 into the packet. A header's pointer stands 14 bytes
 * before it: so the verifier knows the alignment, on which it insists where unaligned loads are slow
 * (riscv64). In the hook of cgroups packets start with L3, and pointers stand at their header.
 */
#include "lang/packet.h"
#include <string.h>

#define LONG_LEN (ETH_LEN + IP4_LEN)
#define PROVEN_LEN (ETH_LEN + IP6_LEN) /* at once: nearly every packet has them */
#define PULL_MOST 256		     /* tc: bytes that headers may take */

/* ---- edges with arguments ---- */

static void pass(struct lower *L, ir_blk from, unsigned edge, const ir_val *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		ir_edge_arg(L->f, from, edge, v[i]);
}

/* ---- L2 and L3 ---- */

struct chains {
	unsigned mask;	  /* layers that the rules read */
	unsigned levels;  /* numbers of VLAN tags that are told apart: 1, 2, 3 */
	ir_blk at[L3_COUNT][LO_TAGS + 1];
	ir_val p3[L3_COUNT][LO_TAGS + 1]; /* first parameter of each */
	ir_val eth[L3_COUNT][LO_TAGS + 1]; /* then, when rules read it: where the frame starts */
	ir_val tag[L3_COUNT][LO_TAGS + 1][LO_TAGS][2];
	bool used[L3_COUNT][LO_TAGS + 1];
};

/* A place in the packet where L3 may start. */
struct place {
	ir_val p;	 /* pointer of L3 */
	ir_val eth;	 /* the frame's start, with the Ethernet header proven */
	ir_val type;	 /* EtherType in network order */
	unsigned tags;	 /* VLAN tags before it */
	unsigned walked; /* of them, how many lie in the packet */
	ir_val tag[LO_TAGS][2];
};

static uint32_t l3_bytes(enum lo_l3 l3)
{
	return l3 == L3_IP4 ? IP4_LEN : l3 == L3_IP6 ? IP6_LEN : ARP_LEN;
}

static bool wanted(const struct chains *c, enum lo_l3 l3)
{
	static const unsigned need[L3_COUNT] = {[L3_IP4] = BIT(IP) | (L4_LAYERS & ~BIT(ICMP6)),
		[L3_IP6] = BIT(IP6) | (L4_LAYERS & ~BIT(ICMP)), [L3_ARP] = BIT(ARP)};

	return (c->mask & need[l3]) != 0;
}

static void make_chains(struct lower *L, struct chains *c)
{
	for (unsigned l3 = L3_IP4; l3 < L3_COUNT; l3++) {
		for (unsigned t = 0; t < c->levels; t++) {
			ir_blk b = c->at[l3][t] = lo_block(L);

			if (l3 != L3_OTHER)
				c->p3[l3][t] = ir_param(L->f, b, ir_ptr(IRT_PKT,
					L->net.base + l3_bytes((enum lo_l3)l3)));
			if (l3 != L3_OTHER && c->mask & BIT(ETH))
				c->eth[l3][t] = ir_param(L->f, b, ir_ptr(IRT_PKT, ETH_LEN));
			for (unsigned k = 0; k < t; k++) {
				c->tag[l3][t][k][0] = ir_param(L->f, b, ir_range(0xffff));
				c->tag[l3][t][k][1] = ir_param(L->f, b, ir_range(0xffff));
			}
		}
	}
}

static unsigned level(const struct chains *c, unsigned tags)
{
	return tags < c->levels ? tags : c->levels - 1;
}

/* The edge just made leads into a chain; its proof, if any, is passed already. */
static void enter_chain(struct lower *L, struct chains *c, enum lo_l3 l3, const struct place *at,
	ir_blk from, unsigned edge)
{
	unsigned t = level(c, at->tags);

	c->used[l3][t] = true;
	if (c->eth[l3][t])
		ir_edge_arg(L->f, from, edge, at->eth);
	for (unsigned k = 0; k < t; k++)
		pass(L, from, edge, at->tag[k], 2);
}

static ir_blk chain(const struct chains *c, enum lo_l3 l3, const struct place *at)
{
	return c->at[l3][level(c, at->tags)];
}

static void to_other(struct lower *L, struct chains *c, const struct place *at)
{
	ir_blk from = ir_here(L->f);

	lo_goto(L, chain(c, L3_OTHER, at));
	enter_chain(L, c, L3_OTHER, at, from, 0);
}

/* Goes to the chain of l3 if its header is all there, else to that of other packets. */
static void to_l3(struct lower *L, struct chains *c, enum lo_l3 l3, const struct place *at)
{
	uint32_t bytes = L->net.base + l3_bytes(l3);
	ir_blk from = ir_here(L->f);

	if (ir_type_of(L->f, at->p).n >= bytes) {
		lo_goto(L, chain(c, l3, at));
		ir_edge_arg(L->f, from, 0, at->p);
		enter_chain(L, c, l3, at, from, 0);
		return;
	}
	lo_need(L, at->p, bytes, chain(c, l3, at), chain(c, L3_OTHER, at));
	enter_chain(L, c, l3, at, from, 0);
	enter_chain(L, c, L3_OTHER, at, from, 1);
}

static bool tags_matter(const struct chains *c)
{
	return wanted(c, L3_IP4) || wanted(c, L3_IP6) || wanted(c, L3_ARP) || c->levels > 1;
}

static void by_type(struct lower *L, struct chains *c, const struct place *at);

/* A VLAN tag follows in the packet: at->p has it proven. */
static void walk_tag(struct lower *L, struct chains *c, const struct place *at)
{
	struct place in = *at;
	uint32_t off = L->net.base;

	in.type = lo_net_load(L, 2, at->p, off + 2);
	if (at->tags < LO_TAGS) {
		in.tag[at->tags][0] = lo_net_load(L, 2, at->p, off);
		in.tag[at->tags][1] = in.type;
		in.tags++;
	}
	in.walked++;
	in.p = ir_off(L->f, at->p, 4);
	by_type(L, c, &in);
}

/* By the EtherType to the chains; at->p has as many bytes proven as two tags and a type take. */
static void by_type(struct lower *L, struct chains *c, const struct place *at)
{
	static const struct {
		enum lo_l3 l3;
		unsigned type;
	} kinds[] = {{L3_IP4, TYPE_IP4}, {L3_IP6, TYPE_IP6}, {L3_ARP, TYPE_ARP}};
	ir_blk maybe, tagged, other, next;

	for (unsigned i = 0; i < 3; i++) {
		ir_blk hit;

		if (!wanted(c, kinds[i].l3))
			continue;
		hit = lo_block(L);
		next = lo_block(L);
		lo_if(L, CC_EQ, at->type, ir_const(L->f, RAW16(kinds[i].type)), hit, next);
		lo_enter(L, hit);
		to_l3(L, c, kinds[i].l3, at);
		lo_enter(L, next);
	}
	if (at->walked < LO_TAGS && tags_matter(c)) {
		maybe = lo_block(L), tagged = lo_block(L), next = lo_block(L);
		other = lo_block(L);
		lo_if(L, CC_SET, at->type, ir_const(L->f, RAW16(0x8000)), maybe, other);
		lo_enter(L, maybe);
		lo_if(L, CC_EQ, at->type, ir_const(L->f, RAW16(TYPE_VLAN)), tagged, next);
		lo_enter(L, next);
		lo_if(L, CC_EQ, at->type, ir_const(L->f, RAW16(TYPE_QINQ)), tagged, other);
		lo_enter(L, tagged);
		walk_tag(L, c, at);
		lo_enter(L, other);
	}
	to_other(L, c, at);
}

/*
 * tc: a tag that the network card or the kernel took off the packet stands in the context. Leaves
 * what is known then in *in, with the block that goes on; false where the hook has no such thing.
 */
static bool tag_of_context(struct lower *L, const struct chains *c, const struct place *at,
	struct place *in, ir_blk *none)
{
	ir_blk has;
	ir_val v;

	if (L->f->ctx != CTX_SK_BUFF || c->levels < 2)
		return false;
	has = lo_block(L);
	*none = lo_block(L);
	*in = *at;
	v = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "vlan_present")->off, IR_I64);
	lo_if(L, CC_NE, v, ir_const(L->f, 0), has, *none);
	lo_enter(L, has);
	v = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "vlan_tci")->off, IR_I64);
	v = ir_un(L->f, IR_BSWAP16, v);
	in->tag[0][0] = ir_bini(L->f, IR_AND, v, 0xffff);
	in->tag[0][1] = at->type;
	in->tags = 1;
	return true;
}

/* Frames too short for IPv4 and all behind: only VLAN tags are looked for, the type at off. */
static void short_tag(struct lower *L, struct chains *c, const struct place *at, uint32_t off)
{
	ir_blk have, cut, tagged, other, next;
	struct place in = *at;
	ir_val p;

	if (at->tags + 1 >= c->levels) {
		to_other(L, c, at);
		return;
	}
	have = lo_block(L), cut = lo_block(L), tagged = lo_block(L), other = lo_block(L);
	next = lo_block(L);
	p = lo_need(L, L->net.data, off + 6, have, cut);
	lo_enter(L, cut);
	to_other(L, c, at);
	lo_enter(L, have);
	in.type = lo_net_load(L, 2, p, off);
	lo_if(L, CC_EQ, in.type, ir_const(L->f, RAW16(TYPE_VLAN)), tagged, other);
	lo_enter(L, other);
	lo_if(L, CC_EQ, in.type, ir_const(L->f, RAW16(TYPE_QINQ)), tagged, next);
	lo_enter(L, next);
	to_other(L, c, at);
	lo_enter(L, tagged);
	in.tag[in.tags][0] = lo_net_load(L, 2, p, off + 2);
	in.tag[in.tags][1] = lo_net_load(L, 2, p, off + 4);
	in.tags++;
	short_tag(L, c, &in, off + 4);
}

static void short_frame(struct lower *L, struct chains *c)
{
	struct place at = {0}, in;
	ir_blk have = lo_block(L), cut = lo_block(L), none;
	ir_val p;

	p = lo_need(L, L->net.data, ETH_LEN, have, cut);
	lo_enter(L, cut);
	to_other(L, c, &at);
	lo_enter(L, have);
	at.type = lo_net_load(L, 2, p, ETH_LEN - 2);
	if (tag_of_context(L, c, &at, &in, &none)) {
		short_tag(L, c, &in, ETH_LEN - 2);
		lo_enter(L, none);
	}
	short_tag(L, c, &at, ETH_LEN - 2);
}

/* A frame with so much of it proven. */
static void frame(struct lower *L, struct chains *c, struct place *at)
{
	struct place in;
	ir_blk none;

	at->type = lo_net_load(L, 2, at->p, ETH_LEN - 2);
	at->eth = at->p;
	if (tag_of_context(L, c, at, &in, &none)) {
		by_type(L, c, &in);
		lo_enter(L, none);
	}
	by_type(L, c, at);
}

static void find_l3_eth(struct lower *L, struct chains *c)
{
	ir_blk is_short = lo_block(L), is_long, none;
	struct place at = {0};

	if (wanted(c, L3_IP6)) {
		is_long = lo_block(L), none = lo_block(L);
		at.p = lo_need(L, L->net.data, PROVEN_LEN, is_long, none);
		lo_enter(L, is_long);
		frame(L, c, &at);
		lo_enter(L, none);
	}
	is_long = lo_block(L);
	at.p = lo_need(L, L->net.data, LONG_LEN, is_long, is_short);
	lo_enter(L, is_long);
	frame(L, c, &at);
	lo_enter(L, is_short);
	if (c->levels > 1)
		short_frame(L, c);
	else
		to_other(L, c, &(struct place){0});
}

/* The hook of cgroups sees packets from L3 on; the context knows the EtherType. */
static void find_l3_cgroup(struct lower *L, struct chains *c)
{
	struct place at = {.p = L->net.data, .walked = LO_TAGS};

	at.type = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "protocol")->off, IR_I64);
	by_type(L, c, &at);
}

/* ---- the chains ---- */

static void write_chains(struct lower *L, const struct chains *c)
{
	struct lo_net outer = L->net;

	for (unsigned l3 = L3_IP4; l3 < L3_COUNT; l3++) {
		for (unsigned t = 0; t < c->levels; t++) {
			struct lo_net *n = &L->net;

			if (!c->used[l3][t])
				continue;
			*n = outer;
			n->l3 = (enum lo_l3)l3;
			n->l4 = l3 == L3_IP4 || l3 == L3_IP6 ? L4_ANY : L4_NONE;
			n->tags = t;
			memcpy(n->tag, c->tag[l3][t], sizeof(n->tag));
			n->tags_known = c->levels > 1;
			n->p3 = c->p3[l3][t];
			n->at[NET_ETH] = c->eth[l3][t];
			n->at[l3 == L3_IP4 ? NET_IP : l3 == L3_IP6 ? NET_IP6 : NET_ARP] = n->p3;
			L->proofs.n = 0;
			lo_enter(L, c->at[l3][t]);
			lo_rules(L, 0);
		}
	}
	L->net = outer;
}

void lo_net_ends(struct lower *L)
{
	L->net.data = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data")->off, ir_ptr(IRT_PKT, 0));
	L->net.end = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data_end")->off,
		(struct ir_type){.kind = IRT_PKTEND});
}

/*
 * tc: headers that are not in the packet's first buffer are brought there; else they would be
 * missed. Packets of one buffer, and those with all headers in the first, are left alone.
 */
static void pull_headers(struct lower *L)
{
	ir_blk most = lo_block(L), pull = lo_block(L), have = lo_block(L);
	unsigned want = ir_var_new(L->f, IR_I64);
	ir_val args[2], len, d;

	len = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "len")->off, IR_I64);
	ir_var_write(L->f, want, len);
	lo_net_ends(L);
	d = ir_bin(L->f, IR_SUB, ir_un(L->f, IR_ADDR, L->net.end), ir_un(L->f, IR_ADDR, L->net.data));
	lo_if(L, CC_GE, d, len, have, most);
	lo_enter(L, most);
	lo_if(L, CC_GE, d, ir_const(L->f, PULL_MOST), have, pull);
	lo_enter(L, pull);
	{
		ir_blk cut = lo_block(L), call = lo_block(L);

		lo_if(L, CC_GT, len, ir_const(L->f, PULL_MOST), cut, call);
		lo_enter(L, cut);
		ir_var_write(L->f, want, ir_const(L->f, PULL_MOST));
		lo_goto(L, call);
		lo_enter(L, call);
	}
	args[0] = ir_ctx(L->f);
	args[1] = ir_var_read(L->f, want);
	ir_call(L->f, "skb_pull_data", IR_VOID, 2, args);
	lo_goto(L, have);
	lo_enter(L, have);
}

static void write_rules(struct lower *L, const struct lo_rule *rules, uint32_t nrules, bool again)
{
	struct lo_net *n = &L->net;
	struct chains c = {.levels = 1};
	bool plain;

	*n = (struct lo_net){.rules = rules, .nrules = nrules, .l3 = L3_ANY};
	c.mask = lo_layers_from(L, 0);
	if (!c.mask) {
		lo_rules(L, 0);
		return;
	}
	n->used = true;
	n->base = L->f->ctx == CTX_CGROUP_SKB ? 0 : ETH_LEN;
	if (L->f->ctx == CTX_SK_BUFF && c.mask != BIT(PKT) && !again)
		pull_headers(L);
	plain = !(c.mask & ~(BIT(ETH) | BIT(PKT)));
	n->late = plain && nrules == 1 && rules->cond && !rules->pred;
	if (!n->late)
		lo_net_ends(L);
	if (plain) {
		lo_rules(L, 0);
		return;
	}
	c.levels = c.mask & BIT(VLAN2) ? 3 : c.mask & BIT(VLAN) ? 2 : 1;
	make_chains(L, &c);
	if (n->base)
		find_l3_eth(L, &c);
	else
		find_l3_cgroup(L, &c);
	write_chains(L, &c);
}

void lo_net_begin(struct lower *L, const struct lo_rule *rules, uint32_t nrules)
{
	L->rules = rules;
	L->nrules = nrules;
	L->again = ARENA_ARRAY(L->a, struct lo_again, nrules + 1);
	for (uint32_t i = 0; i < nrules && L->f->ctx == CTX_SK_BUFF; i++) {
		if (lo_block_layers(rules[i].p->body) & LO_EDITS_L4)
			L->again[i].at = lo_block(L);
	}
	write_rules(L, rules, nrules, false);
	for (uint32_t i = 0; i < nrules; i++) { /* each may lead to the next ones only */
		if (!L->again[i].used)
			continue;
		lo_enter(L, L->again[i].at);
		L->proofs.n = 0;
		write_rules(L, rules + i + 1, nrules - i - 1, true);
	}
}
