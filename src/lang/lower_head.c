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
#include "lang/lower.h"
#include <string.h>

#define RAW16(x) ((int64_t)__builtin_bswap16(x))
#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40
#define ARP_LEN 28
#define LONG_LEN (ETH_LEN + IP4_LEN)
#define PROVEN_LEN (ETH_LEN + IP6_LEN) /* at once: nearly every packet has them */
#define IP6_EXT_MAX 8		     /* extension headers followed */
#define L4_WORDS 1024		     /* further from L3 nothing is looked for; a power of 2 */
#define FRAG_OFFSET4 0x1fff	     /* of the 16-bit field at 6 */
#define FRAG_OFFSET6 0xfff8	     /* of the 16-bit field at 2 of the fragment header */
#define PULL_MOST 256		     /* tc: bytes that headers may take */

enum { PROTO_HOPOPTS = 0, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_ICMP6 = 58, PROTO_DSTOPTS = 60 };

#define BIT(layer) (1u << NET_##layer)
#define L4_LAYERS (BIT(TCP) | BIT(UDP) | BIT(ICMP) | BIT(ICMP6) | BIT(L4) | BIT(PAYLOAD))
#define TAG_LAYERS (BIT(VLAN) | BIT(VLAN2))

static unsigned layers_from(const struct lower *L, uint32_t from)
{
	unsigned mask = 0;

	for (uint32_t i = from; i < L->net.nrules; i++) {
		if (!L->net.done || !L->net.done[i])
			mask |= L->net.rules[i].pred | L->net.rules[i].body;
	}
	return mask;
}

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
	} kinds[] = {{L3_IP4, 0x0800}, {L3_IP6, 0x86dd}, {L3_ARP, 0x0806}};
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
		lo_if(L, CC_EQ, at->type, ir_const(L->f, RAW16(0x8100)), tagged, next);
		lo_enter(L, next);
		lo_if(L, CC_EQ, at->type, ir_const(L->f, RAW16(0x88a8)), tagged, other);
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
	lo_if(L, CC_EQ, in.type, ir_const(L->f, RAW16(0x8100)), tagged, other);
	lo_enter(L, other);
	lo_if(L, CC_EQ, in.type, ir_const(L->f, RAW16(0x88a8)), tagged, next);
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

/*
 * tc: headers that are not in the packet's first buffer are brought there; else they would be
 * missed. Packets of one buffer, and those with all headers in the first, are left alone.
 */
static void pull_headers(struct lower *L)
{
	ir_blk most = lo_block(L), pull = lo_block(L), have = lo_block(L);
	unsigned want = ir_var_new(L->f, IR_I64);
	ir_val args[2], len, d, e;

	len = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "len")->off, IR_I64);
	ir_var_write(L->f, want, len);
	d = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data")->off, ir_ptr(IRT_PKT, 0));
	e = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data_end")->off,
		(struct ir_type){.kind = IRT_PKTEND});
	d = ir_bin(L->f, IR_SUB, ir_un(L->f, IR_ADDR, e), ir_un(L->f, IR_ADDR, d));
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

void lo_net_begin(struct lower *L, const struct lo_rule *rules, uint32_t nrules)
{
	struct lo_net *n = &L->net;
	struct chains c = {.levels = 1};

	*n = (struct lo_net){.rules = rules, .nrules = nrules, .l3 = L3_ANY};
	c.mask = layers_from(L, 0);
	if (!c.mask) {
		lo_rules(L, 0);
		return;
	}
	n->used = true;
	n->base = L->f->ctx == CTX_CGROUP_SKB ? 0 : ETH_LEN;
	if (L->f->ctx == CTX_SK_BUFF && c.mask != BIT(PKT))
		pull_headers(L);
	n->data = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data")->off, ir_ptr(IRT_PKT, 0));
	n->end = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data_end")->off,
		(struct ir_type){.kind = IRT_PKTEND});
	if (!(c.mask & ~(BIT(ETH) | BIT(PKT)))) {
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

/* ---- L4 ---- */

static const struct {
	enum lo_l4 l4;
	enum net_layer layer;
	int proto;
	enum lo_l3 only; /* L3_ANY: over both */
} protos[] = {
	{L4_TCP, NET_TCP, PROTO_TCP, L3_ANY},
	{L4_UDP, NET_UDP, PROTO_UDP, L3_ANY},
	{L4_ICMP, NET_ICMP, PROTO_ICMP, L3_IP4},
	{L4_ICMP6, NET_ICMP6, PROTO_ICMP6, L3_IP6},
};
#define PROTOS (sizeof(protos) / sizeof(*protos))

struct l4s {
	uint32_t from;
	unsigned mask;
	ir_blk at[PROTOS], none;
	ir_val p4[PROTOS];
};

static bool wants_l4(const struct l4s *s, unsigned i)
{
	return s->at[i] != 0;
}

/* Makes the chains of the protocols that some rule tells from others. */
static unsigned make_l4(struct lower *L, struct l4s *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PROTOS; i++) {
		unsigned mask = 1u << protos[i].layer | BIT(PAYLOAD) | (i < 2 ? BIT(L4) : 0);

		L->net.l4 = protos[i].l4;
		if ((protos[i].only == L3_ANY || protos[i].only == L->net.l3) &&
			lo_rules_read(L, s->from, mask)) {
			s->at[i] = lo_block(L);
			s->p4[i] = ir_param(L->f, s->at[i], ir_ptr(IRT_PKT, 0));
			n++;
		}
	}
	L->net.l4 = L4_ANY;
	return n;
}

static void to_l4(struct lower *L, ir_blk to, ir_val p4)
{
	ir_blk from = ir_here(L->f);

	lo_goto(L, to);
	ir_edge_arg(L->f, from, 0, p4);
}

/*
 * The pointer p, made from base and a number that the verifier does not know: what follows is looked
 * at once then, not once for each way here (extension headers, and for loops over the payload VLAN
 * tags and options of IPv4).
 */
static ir_val forget_way(struct lower *L, ir_val base, ir_val p)
{
	ir_val from = ir_un(L->f, IR_ADDR, base), off;

	off = ir_bin(L->f, IR_SUB, ir_un(L->f, IR_ADDR, p), from);
	return ir_index(L->f, base, ir_bini(L->f, IR_AND, off, 0x7ffc));
}

/* Where L4 starts, of a packet whose protocol is known. */
enum start { START_HERE, START_BEHIND_IP6, START_WALKED /* over extension headers */ };

static ir_val start_of(struct lower *L, ir_val p, enum start how)
{
	return how == START_HERE     ? p
	       : how == START_WALKED ? forget_way(L, L->net.p3, p)
				     : ir_off(L->f, p, IP6_LEN);
}

/* To the chain of the protocol, or to next. */
static void by_proto(struct lower *L, struct l4s *s, ir_val proto, unsigned shift, ir_val p,
	enum start how, ir_blk next)
{
	for (unsigned i = 0; i < PROTOS; i++) {
		ir_blk hit, other;

		if (!wants_l4(s, i))
			continue;
		hit = lo_block(L), other = lo_block(L);
		lo_if(L, CC_EQ, proto, ir_const(L->f, (int64_t)protos[i].proto << shift), hit, other);
		lo_enter(L, hit);
		to_l4(L, s->at[i], start_of(L, p, how));
		lo_enter(L, other);
	}
	lo_goto(L, next);
}

/* Goes on with the pointer of what follows the IPv4 header. */
static void skip_ip4(struct lower *L, const struct l4s *s, ir_blk to)
{
	ir_blk plain = lo_block(L), options = lo_block(L), v4 = lo_block(L), sane = lo_block(L);
	ir_val v = lo_net_load(L, 1, L->net.p3, L->net.base), q;

	lo_if(L, CC_EQ, v, ir_const(L->f, 0x45), plain, options);
	lo_enter(L, plain);
	to_l4(L, to, ir_off(L->f, L->net.p3, IP4_LEN));
	lo_enter(L, options);
	q = ir_bini(L->f, IR_LSHR, v, 4);
	lo_if(L, CC_EQ, q, ir_const(L->f, 4), v4, s->none);
	lo_enter(L, v4);
	v = ir_bini(L->f, IR_AND, v, 15);
	lo_if(L, CC_GE, v, ir_const(L->f, 5), sane, s->none);
	lo_enter(L, sane);
	to_l4(L, to, ir_index(L->f, L->net.p3, ir_bini(L->f, IR_SHL, v, 2)));
}

/* One protocol: what has another is done without a look at the header's length. */
/*
 * The protocol, in a number that is no protocol's in fragments after the first: where the packet
 * allows it the offset of fragments is loaded with it. *shift: how far up it stands.
 */
static ir_val first_proto(struct lower *L, struct l4s *s, unsigned *shift)
{
	uint32_t at = L->net.base + 6;
	ir_blk first;
	ir_val v;

	if (lo_net_whole(L, 4, at)) {
		*shift = 24;
		v = lo_net_load(L, 4, L->net.p3, at);
		return ir_bini(L->f, IR_AND, v, RAW16(FRAG_OFFSET4) | 0xff000000);
	}
	*shift = 0;
	first = lo_block(L);
	v = lo_net_load(L, 2, L->net.p3, at);
	lo_if(L, CC_SET, v, ir_const(L->f, RAW16(FRAG_OFFSET4)), s->none, first);
	lo_enter(L, first);
	return lo_net_load(L, 1, L->net.p3, at + 3);
}

static void find_l4_ip4(struct lower *L, struct l4s *s, unsigned n)
{
	ir_blk join = lo_block(L), right;
	unsigned i = 0, shift;
	ir_val p4, v = first_proto(L, s, &shift);

	if (n == 1) {
		while (!wants_l4(s, i))
			i++;
		right = lo_block(L);
		lo_if(L, CC_EQ, v, ir_const(L->f, (int64_t)protos[i].proto << shift), right, s->none);
		lo_enter(L, right);
		skip_ip4(L, s, s->at[i]);
		return;
	}
	p4 = ir_param(L->f, join, ir_ptr(IRT_PKT, 0));
	skip_ip4(L, s, join);
	lo_enter(L, join);
	by_proto(L, s, v, shift, p4, START_HERE, s->none);
}

/* ---- IPv6 extension headers ---- */

/* A turn of the walk over extension headers. */
struct ext {
	ir_val p;      /* of the header */
	unsigned kind; /* variable: what it is, and then what follows it */
	ir_blk next;   /* behind it; with the pointer */
	ir_blk none;
};

static void step_ext(struct lower *L, const struct ext *x, int proto)
{
	uint32_t at = L->net.base;
	ir_blk have = lo_block(L), first;
	ir_val p = lo_need(L, x->p, at + 8, have, x->none), v;

	lo_enter(L, have);
	ir_var_write(L->f, x->kind, lo_net_load(L, 1, p, at));
	if (proto == PROTO_FRAGMENT) {
		v = lo_net_load(L, 2, p, at + 2);
		first = lo_block(L);
		lo_if(L, CC_SET, v, ir_const(L->f, RAW16(FRAG_OFFSET6)), x->none, first);
		lo_enter(L, first);
		p = ir_off(L->f, p, 8);
	} else { /* RFC 8200: in 8 bytes, the first not counted; RFC 4302: in words, two not counted */
		v = lo_net_load(L, 1, p, at + 1);
		v = ir_bini(L->f, IR_SHL, v, proto == PROTO_AH ? 2 : 3);
		p = ir_index(L->f, ir_off(L->f, p, 8), v);
	}
	to_l4(L, x->next, p);
}

/* What comes next is an extension header or, in found, something else. */
static void by_kind(struct lower *L, const struct ext *x, ir_blk found)
{
	static const int kinds[] = {PROTO_HOPOPTS, PROTO_DSTOPTS, PROTO_ROUTING, PROTO_FRAGMENT, PROTO_AH};
	ir_blk eights = lo_block(L), own[2] = {lo_block(L), lo_block(L)}, low = lo_block(L);
	ir_val kind = ir_var_read(L->f, x->kind);

	for (unsigned i = 0; i < 5; i++) {
		ir_blk other = lo_block(L);

		if (i == 1) { /* most of what is no extension is below the others: TCP, UDP */
			lo_if(L, CC_LT, kind, ir_const(L->f, PROTO_ROUTING), low, other);
			lo_enter(L, other);
			other = lo_block(L);
		}
		lo_if(L, CC_EQ, kind, ir_const(L->f, kinds[i]), i < 3 ? eights : own[i - 3], other);
		lo_enter(L, other);
	}
	lo_goto(L, low);
	lo_enter(L, low);
	to_l4(L, found, x->p);
	for (unsigned i = 2; i < 5; i++) {
		lo_enter(L, i == 2 ? eights : own[i - 3]);
		step_ext(L, x, kinds[i]);
	}
}

/* From p, where a header of that kind starts, to found with the first that is no extension. */
static void walk_ext(struct lower *L, ir_val p, unsigned kind, ir_blk found, ir_blk none)
{
	ir_blk head = lo_block(L), body, from = ir_here(L->f);
	ir_val i = ir_param(L->f, head, IR_I64), zero = ir_const(L->f, 0), next;
	struct ext x = {.p = ir_param(L->f, head, ir_ptr(IRT_PKT, 0)), .kind = kind, .none = none};

	lo_goto(L, head);
	ir_edge_arg(L->f, from, 0, zero);
	ir_edge_arg(L->f, from, 0, p);
	ir_at(L->f, head);
	body = lo_block(L);
	i = lo_loop(L, i, IP6_EXT_MAX + 1, body, none); /* the last turn finds what follows */
	lo_enter(L, body);
	x.next = lo_block(L);
	next = ir_param(L->f, x.next, ir_ptr(IRT_PKT, 0));
	by_kind(L, &x, found);
	lo_enter(L, x.next);
	i = ir_bini(L->f, IR_ADD, i, 1);
	to_l4(L, head, i);
	ir_edge_arg(L->f, x.next, 0, next);
	ir_seal(L->f, head);
}

static void find_l4_ip6(struct lower *L, struct l4s *s)
{
	ir_blk other = lo_block(L), found = lo_block(L);
	unsigned kind = ir_var_new(L->f, ir_range(255));
	ir_val nh, p4 = ir_param(L->f, found, ir_ptr(IRT_PKT, 0));

	nh = lo_net_load(L, 1, L->net.p3, L->net.base + 6);
	ir_var_write(L->f, kind, nh);
	by_proto(L, s, nh, 0, L->net.p3, START_BEHIND_IP6, other);
	lo_enter(L, other);
	walk_ext(L, ir_off(L->f, L->net.p3, IP6_LEN), kind, found, s->none);
	lo_enter(L, found);
	by_proto(L, s, ir_var_read(L->f, kind), 0, p4, START_WALKED, s->none);
}

/* The chain of one protocol: with all of its header, and with less. */
static void write_l4(struct lower *L, const struct l4s *s, unsigned i)
{
	uint32_t bytes = L->net.base + net_layer_row(protos[i].layer)->bytes;
	ir_blk whole = lo_block(L), cut = i < 2 && s->mask & BIT(L4) ? lo_block(L) : s->none;
	struct lo_net outer = L->net;
	ir_val p, p4 = s->mask & LO_SEARCHES ? forget_way(L, L->net.data, s->p4[i]) : s->p4[i];

	p = lo_need(L, p4, bytes, whole, cut);
	lo_enter(L, whole);
	L->net.l4 = protos[i].l4;
	L->net.at[protos[i].layer] = p;
	if (i < 2)
		L->net.at[NET_L4] = p;
	lo_rules(L, s->from);
	if (cut != s->none) {
		ir_blk ports = lo_block(L);

		lo_enter(L, cut);
		p = lo_need(L, p4, L->net.base + net_layer_row(NET_L4)->bytes, ports, s->none);
		lo_enter(L, ports);
		L->net.cut = true;
		L->net.at[protos[i].layer] = IR_NONE;
		L->net.at[NET_L4] = p;
		lo_rules(L, s->from);
	}
	L->net = outer;
}

void lo_split_l4(struct lower *L, uint32_t from)
{
	struct l4s s = {.from = from, .mask = layers_from(L, from), .none = lo_block(L)};
	struct lo_net outer = L->net;
	unsigned n;

	n = make_l4(L, &s);
	if (!n)
		lo_goto(L, s.none);
	else if (L->net.l3 == L3_IP4)
		find_l4_ip4(L, &s, n);
	else
		find_l4_ip6(L, &s);
	for (unsigned i = 0; i < PROTOS; i++) {
		if (!wants_l4(&s, i))
			continue;
		lo_enter(L, s.at[i]);
		write_l4(L, &s, i);
	}
	lo_enter(L, s.none);
	L->net = outer;
	L->net.l4 = L4_NONE;
	lo_rules(L, from);
	L->net = outer;
}
