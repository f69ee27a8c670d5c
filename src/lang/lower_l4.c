/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where L4 starts, and a chain of rules for each of its protocols: behind IPv4 with options and IPv6
 * with extension headers. A later fragment has no L4 header. (Chains and L3: lower_head.c.)
 */
#include "lang/packet.h"

#define IP6_EXT_MAX 8	     /* extension headers followed */
#define FRAG_OFFSET4 0x1fff  /* of the 16-bit field at 6 */
#define FRAG_OFFSET6 0xfff8  /* of the 16-bit field at 2 of the fragment header */

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

/* One protocol: what has another is done without a look at the header's length. */
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
	ir_blk head = lo_block(L), body, many = lo_block(L), from = ir_here(L->f);
	ir_val i = ir_param(L->f, head, IR_I64), zero = ir_const(L->f, 0), next;
	struct ext x = {.p = ir_param(L->f, head, ir_ptr(IRT_PKT, 0)), .kind = kind, .none = none};

	lo_goto(L, head);
	ir_edge_arg(L->f, from, 0, zero);
	ir_edge_arg(L->f, from, 0, p);
	ir_at(L->f, head);
	body = lo_block(L);
	i = lo_loop(L, i, IP6_EXT_MAX + 1, body, many); /* the last turn finds what follows */
	lo_enter(L, many);
	lo_count(L, MC_HEADERS, IP6_EXT_MAX);
	lo_goto(L, none);
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
	struct l4s s = {.from = from, .mask = lo_layers_from(L, from), .none = lo_block(L)};
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
