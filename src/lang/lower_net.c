/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packet headers. A program that reads packet fields first finds out where its headers lie: up to
 * two VLAN tags, IPv4 with options, IPv6 with extension headers. What it learns are numbers, which
 * may meet at joins; pointers are made from them and proven where a field is read.
 *
 * A later fragment has no L4 header; what is cut short has no header either.
 *
 * Headers start 14 bytes plus a multiple of 4 into the packet. Offsets are counted in those words and
 * a pointer stands 14 bytes before its header: so the verifier knows the alignment, on which it
 * insists where unaligned loads are slow (riscv64).
 *
 * What was found is kept in a stack object, written byte by byte and read in pairs of bytes: so the
 * verifier forgets how it came about. All ways through the parser then end in one state, and it
 * looks at the rules once instead of once per way (there are thousands).
 */
#include "lang/lower.h"
#include <string.h>

#define RAW16(x) ((int64_t)__builtin_bswap16(x))
#define ETH_LEN 14
#define VLAN_TAGS 2
#define IP6_LEN 40
#define IP6_EXT_MAX 8	   /* extension headers followed */
#define L4_WORDS 1024	   /* further out nothing is looked for; a power of 2 */
#define L3_WORDS 4	   /* likewise */
#define NO_L4 255	   /* reserved by IANA: no header has this protocol number */
#define FRAG_OFFSET4 0x1fff /* of the 16-bit field at 6 */
#define FRAG_OFFSET6 0xfff8 /* of the 16-bit field at 2 of the fragment header */

enum { PROTO_HOPOPTS = 0, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_ICMP6 = 58, PROTO_DSTOPTS = 60 };

/*
 * Numbers of 16 bits in the stack object. L3TYPE: EtherType as it lies in the packet, 0 none.
 * L3, L4: words from ETH_LEN to the header. TAGGED: whether there is a VLAN tag.
 */
enum info { INFO_L3TYPE = 0, INFO_L3 = 2, INFO_TAGGED = 4, INFO_L4 = 6, INFO_L4PROTO = 8,
	INFO_BYTES = 16 };

static void put_info(struct lower *L, enum info at, ir_val v)
{
	ir_val high = ir_bini(L->f, IR_LSHR, v, 8);

	ir_st(L->f, 1, L->net.info, at, v);
	ir_st(L->f, 1, L->net.info, at + 1, high);
}

static void put_info_const(struct lower *L, enum info at, int64_t v)
{
	put_info(L, at, ir_const(L->f, v));
}

static ir_val get_info(struct lower *L, enum info at)
{
	ir_val v = ir_ld(L->f, 2, L->net.info, at);

	return at == INFO_L3 ? ir_bini(L->f, IR_AND, v, L3_WORDS - 1)
	       : at == INFO_L4 ? ir_bini(L->f, IR_AND, v, L4_WORDS - 1) : v;
}

/* ---- loads ---- */

/* Pointer ETH_LEN bytes before the header that starts this many words behind ETH_LEN. */
static ir_val before_header(struct lower *L, ir_val words)
{
	return ir_index(L->f, L->net.data, ir_bini(L->f, IR_SHL, words, 2));
}

/* Load at p+off, p a multiple of 4 from the packet's start; in aligned parts where they must be. */
static ir_val load(struct lower *L, unsigned width, ir_val p, uint32_t off)
{
	unsigned part = width;
	ir_val v, next;

	/* the packet starts 2 bytes behind a multiple of 4: NET_IP_ALIGN */
	while (L->m->target->arch == KERN_RISCV64 && (part > 4 || (off + 2) % part))
		part /= 2;
	v = ir_ld(L->f, part, p, off);
	for (unsigned i = part; i < width; i += part) {
		next = ir_ld(L->f, part, p, off + i);
		next = ir_bini(L->f, IR_SHL, next, 8 * i);
		v = ir_bin(L->f, IR_OR, v, next);
	}
	return v;
}

/* ---- what the rules use ---- */

static unsigned expr_layers(const struct expr *e);

static unsigned list_layers(const struct exprs *l)
{
	unsigned mask = 0;

	for (uint32_t i = 0; i < l->list.n; i++)
		mask |= expr_layers(l->list.v[i]);
	return mask;
}

static unsigned expr_layers(const struct expr *e)
{
	if (!e)
		return 0;
	switch (e->kind) {
	case EX_FIELD:
		return e->ref.kind == REF_NET ? 1u << e->ref.u.net->layer
					      : expr_layers(e->u.field.base);
	case EX_MAP:
		return list_layers(&e->u.map.keys);
	case EX_CALL:
		return list_layers(&e->u.call.args);
	case EX_UNARY:
		return expr_layers(e->u.unary.a);
	case EX_BINARY:
	case EX_IN:
		return expr_layers(e->u.binary.a) | expr_layers(e->u.binary.b);
	case EX_TERNARY:
		return expr_layers(e->u.ternary.cond) | expr_layers(e->u.ternary.yes) |
		       expr_layers(e->u.ternary.no);
	case EX_CAST:
		return expr_layers(e->u.cast.a);
	case EX_INDEX:
		return expr_layers(e->u.index.base) | expr_layers(e->u.index.index);
	case EX_TUPLE:
	case EX_SET:
		return list_layers(&e->u.tuple);
	case EX_INCDEC:
		return expr_layers(e->u.incdec.target);
	case EX_RANGE:
		return expr_layers(e->u.range.lo) | expr_layers(e->u.range.hi);
	default:
		return 0;
	}
}

bool lo_net_reads(const struct expr *e)
{
	return expr_layers(e) != 0;
}

static unsigned block_layers(const struct block *b)
{
	unsigned mask = 0;

	for (uint32_t i = 0; b && i < b->list.n; i++) {
		const struct stmt *st = b->list.v[i];

		switch (st->kind) {
		case ST_EXPR:
		case ST_RETURN:
			mask |= expr_layers(st->u.expr);
			break;
		case ST_ASSIGN:
		case ST_LET:
			mask |= expr_layers(st->u.assign.target) | expr_layers(st->u.assign.value);
			break;
		case ST_IF:
			for (; stmt_else_if(st); st = stmt_else_if(st))
				mask |= expr_layers(st->u.cond.cond) |
					block_layers(st->u.cond.yes);
			mask |= expr_layers(st->u.cond.cond) | block_layers(st->u.cond.yes) |
				block_layers(st->u.cond.no);
			break;
		case ST_WHILE:
		case ST_UNROLL:
			mask |= expr_layers(st->u.loop.cond) | block_layers(st->u.loop.body);
			break;
		case ST_FOR_RANGE:
		case ST_FOR_MAP:
			mask |= block_layers(st->u.each.body);
			break;
		case ST_BLOCK:
			mask |= block_layers(st->u.block);
			break;
		default:
			break;
		}
	}
	return mask;
}

static unsigned rules_layers(const struct lower *L, const struct attach_point *iface)
{
	unsigned mask = 0;

	for (uint32_t i = 0; i < L->s->probes.n; i++) {
		const struct probe *p = &L->s->probes.v[i];

		for (uint32_t k = 0; k < p->points.n; k++) {
			if (p->points.v[k].kind == iface->kind &&
				!strcmp(p->points.v[k].name, iface->name))
				mask |= expr_layers(p->pred) | block_layers(p->body);
		}
	}
	return mask;
}

/* ---- finding the headers ---- */

/* Ethernet and tags: leaves the EtherType of L3 and its offset; goes on in the current block. */
static void parse_l2(struct lower *L, ir_blk cut)
{
	ir_blk ok = lo_block(L), done = lo_block(L);
	ir_val eth = lo_need(L, L->net.data, ETH_LEN, ok, cut), type, p;

	lo_enter(L, ok);
	type = load(L, 2, eth, 12);
	put_info(L, INFO_L3TYPE, type);
	put_info_const(L, INFO_L3, 0);
	for (unsigned tag = 0; tag < VLAN_TAGS; tag++) {
		ir_blk other = lo_block(L), tagged = lo_block(L), have = lo_block(L);
		unsigned off = ETH_LEN + 4 * tag;

		lo_if(L, CC_EQ, type, ir_const(L->f, RAW16(0x8100)), tagged, other);
		lo_enter(L, other);
		lo_if(L, CC_EQ, type, ir_const(L->f, RAW16(0x88a8)), tagged, done);
		lo_enter(L, tagged);
		p = lo_need(L, L->net.data, off + 4, have, cut);
		lo_enter(L, have);
		type = load(L, 2, p, off + 2);
		put_info(L, INFO_L3TYPE, type);
		put_info_const(L, INFO_L3, tag + 1);
		if (!tag)
			put_info_const(L, INFO_TAGGED, 1);
	}
	lo_goto(L, done);
	lo_enter(L, done);
}

/* Ends the current block; writes protocol and place of L4 where there is one. */
static void parse_ip4(struct lower *L, ir_blk done)
{
	ir_blk have = lo_block(L), v4 = lo_block(L), sane = lo_block(L), first = lo_block(L);
	ir_val l3 = get_info(L, INFO_L3), p, v, words, proto;

	p = before_header(L, l3);
	p = lo_need(L, p, ETH_LEN + 20, have, done);
	lo_enter(L, have);
	v = load(L, 1, p, ETH_LEN);
	words = ir_bini(L->f, IR_AND, v, 15);
	v = ir_bini(L->f, IR_LSHR, v, 4);
	lo_if(L, CC_EQ, v, ir_const(L->f, 4), v4, done);
	lo_enter(L, v4);
	lo_if(L, CC_GE, words, ir_const(L->f, 5), sane, done);
	lo_enter(L, sane);
	v = load(L, 2, p, ETH_LEN + 6);
	v = ir_bini(L->f, IR_AND, v, RAW16(FRAG_OFFSET4));
	lo_if(L, CC_EQ, v, ir_const(L->f, 0), first, done);
	lo_enter(L, first);
	proto = load(L, 1, p, ETH_LEN + 9);
	put_info(L, INFO_L4PROTO, proto);
	put_info(L, INFO_L4, ir_bin(L->f, IR_ADD, l3, words));
	lo_goto(L, done);
}

/* Moves L4 behind the extension header at p; to done when a later fragment follows. */
static void skip_ext(struct lower *L, ir_val p, ir_val l4, ir_val nh, ir_blk next, ir_blk done)
{
	static const int plain[] = {PROTO_HOPOPTS, PROTO_ROUTING, PROTO_DSTOPTS};
	ir_blk eights = lo_block(L), fours = lo_block(L), frag = lo_block(L), first = lo_block(L);
	ir_val n = load(L, 1, p, ETH_LEN + 1), v;

	for (unsigned i = 0; i < 3; i++) {
		ir_blk other = lo_block(L);

		lo_if(L, CC_EQ, nh, ir_const(L->f, plain[i]), eights, other);
		lo_enter(L, other);
	}
	lo_if(L, CC_EQ, nh, ir_const(L->f, PROTO_FRAGMENT), frag, fours);
	lo_enter(L, eights); /* RFC 8200: length in 8 bytes, the first not counted */
	v = ir_bini(L->f, IR_SHL, n, 1);
	v = ir_bini(L->f, IR_ADD, v, 2);
	put_info(L, INFO_L4, ir_bin(L->f, IR_ADD, l4, v));
	lo_goto(L, next);
	lo_enter(L, fours); /* AH, RFC 4302: length in 4 bytes, two not counted */
	v = ir_bini(L->f, IR_ADD, n, 2);
	put_info(L, INFO_L4, ir_bin(L->f, IR_ADD, l4, v));
	lo_goto(L, next);
	lo_enter(L, frag);
	v = load(L, 2, p, ETH_LEN + 2);
	v = ir_bini(L->f, IR_AND, v, RAW16(FRAG_OFFSET6));
	lo_if(L, CC_EQ, v, ir_const(L->f, 0), first, done);
	lo_enter(L, first);
	put_info(L, INFO_L4, ir_bini(L->f, IR_ADD, l4, 2));
	lo_goto(L, next);
}

/* Is nh one of the headers to walk over? */
static void is_ext(struct lower *L, ir_val nh, ir_blk yes, ir_blk no)
{
	static const int known[] = {PROTO_HOPOPTS, PROTO_ROUTING, PROTO_DSTOPTS, PROTO_FRAGMENT,
		PROTO_AH};

	for (unsigned i = 0; i < 5; i++) {
		ir_blk next = i < 4 ? lo_block(L) : no;

		lo_if(L, CC_EQ, nh, ir_const(L->f, known[i]), yes, next);
		if (i < 4)
			lo_enter(L, next);
	}
}

/* One turn of the walk over extension headers; nh is the kind of the header that comes next. */
static ir_val step_ext(struct lower *L, ir_val nh, ir_blk done)
{
	ir_blk known = lo_block(L), step = lo_block(L), have = lo_block(L), near = lo_block(L),
	       next = lo_block(L);
	ir_val p, l4, kind;

	l4 = ir_ld(L->f, 2, L->net.info, INFO_L4);
	l4 = lo_bound(L, l4, L4_WORDS, near, done);
	lo_enter(L, near);
	is_ext(L, nh, step, known);
	lo_enter(L, known);
	put_info(L, INFO_L4PROTO, nh);
	lo_goto(L, done);
	lo_enter(L, step);
	p = before_header(L, l4);
	p = lo_need(L, p, ETH_LEN + 8, have, done);
	lo_enter(L, have);
	kind = load(L, 1, p, ETH_LEN);
	skip_ext(L, p, l4, nh, next, done);
	lo_enter(L, next);
	return kind;
}

static void parse_ip6(struct lower *L, ir_blk done)
{
	ir_blk have = lo_block(L), v6 = lo_block(L), head, body, from;
	ir_val p, v, i, zero, l3 = get_info(L, INFO_L3);
	unsigned nh = ir_var_new(L->f, ir_range(255));

	p = before_header(L, l3);
	p = lo_need(L, p, ETH_LEN + IP6_LEN, have, done);
	lo_enter(L, have);
	v = load(L, 1, p, ETH_LEN);
	v = ir_bini(L->f, IR_LSHR, v, 4);
	lo_if(L, CC_EQ, v, ir_const(L->f, 6), v6, done);
	lo_enter(L, v6);
	ir_var_write(L->f, nh, load(L, 1, p, ETH_LEN + 6));
	put_info(L, INFO_L4, ir_bini(L->f, IR_ADD, l3, IP6_LEN / 4));
	head = lo_block(L);
	i = ir_param(L->f, head, IR_I64);
	zero = ir_const(L->f, 0);
	from = ir_here(L->f);
	lo_goto(L, head);
	ir_edge_arg(L->f, from, 0, zero);
	ir_at(L->f, head);
	body = lo_block(L);
	i = lo_loop(L, i, IP6_EXT_MAX + 1, body, done); /* the last turn finds what follows */
	lo_enter(L, body);
	v = step_ext(L, ir_var_read(L->f, nh), done);
	ir_var_write(L->f, nh, v);
	i = ir_bini(L->f, IR_ADD, i, 1);
	from = ir_here(L->f);
	lo_goto(L, head);
	ir_edge_arg(L->f, from, 0, i);
	ir_seal(L->f, head);
}

static void parse_l4(struct lower *L, ir_blk done)
{
	ir_blk ip4 = lo_block(L), other = lo_block(L), ip6 = lo_block(L);
	ir_val type = get_info(L, INFO_L3TYPE);

	lo_if(L, CC_EQ, type, ir_const(L->f, RAW16(0x0800)), ip4, other);
	lo_enter(L, other);
	lo_if(L, CC_EQ, type, ir_const(L->f, RAW16(0x86dd)), ip6, done);
	lo_enter(L, ip4);
	parse_ip4(L, done);
	lo_enter(L, ip6);
	parse_ip6(L, done);
}

void lo_net_begin(struct lower *L, const struct attach_point *iface)
{
	unsigned mask = rules_layers(L, iface);
	unsigned l4 = 1u << NET_TCP | 1u << NET_UDP | 1u << NET_ICMP | 1u << NET_ICMP6 | 1u << NET_L4;
	unsigned l3 = 1u << NET_IP | 1u << NET_IP6 | 1u << NET_ARP | 1u << NET_VLAN;
	struct lo_net *n = &L->net;
	ir_blk done;

	if (!mask)
		return;
	n->used = true;
	n->data = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data")->off, ir_ptr(IRT_PKT, 0));
	n->end = ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "data_end")->off,
		(struct ir_type){.kind = IRT_PKTEND});
	if (!(mask & (l3 | l4)))
		return;
	n->info = ir_slot(L->f, INFO_BYTES);
	ir_zero(L->f, n->info, 0, INFO_BYTES);
	put_info_const(L, INFO_L4PROTO, NO_L4);
	done = lo_block(L);
	parse_l2(L, done);
	if (mask & l4)
		parse_l4(L, done);
	else
		lo_goto(L, done);
	lo_enter(L, done);
}

/* ---- reading fields ---- */

/* Guard: goes on in a new block when value == want, else to L->missing. */
static void demand(struct lower *L, ir_val v, int64_t want)
{
	ir_blk ok = lo_block(L);

	lo_if(L, CC_EQ, v, ir_const(L->f, want), ok, L->missing);
	lo_enter(L, ok);
}

static void demand_proto(struct lower *L, int proto)
{
	demand(L, get_info(L, INFO_L4PROTO), proto);
}

/* Makes sure the layer is there; gives the words from ETH_LEN to its header. */
static ir_val layer_words(struct lower *L, enum net_layer layer)
{
	static const int protos[NET_COUNT] = {[NET_TCP] = PROTO_TCP, [NET_UDP] = PROTO_UDP,
		[NET_ICMP] = PROTO_ICMP, [NET_ICMP6] = PROTO_ICMP6};
	static const int types[NET_COUNT] = {[NET_IP] = 0x0800, [NET_IP6] = 0x86dd,
		[NET_ARP] = 0x0806};
	ir_blk ok, other;
	ir_val v;

	if (layer == NET_VLAN) {
		demand(L, get_info(L, INFO_TAGGED), 1);
		return ir_const(L->f, 0);
	}
	if (types[layer]) {
		demand(L, get_info(L, INFO_L3TYPE), RAW16((uint16_t)types[layer]));
		return get_info(L, INFO_L3);
	}
	if (layer == NET_L4) { /* TCP or UDP */
		v = get_info(L, INFO_L4PROTO);
		ok = lo_block(L);
		other = lo_block(L);
		lo_if(L, CC_EQ, v, ir_const(L->f, PROTO_TCP), ok, other);
		lo_enter(L, other);
		lo_if(L, CC_EQ, v, ir_const(L->f, PROTO_UDP), ok, L->missing);
		lo_enter(L, ok);
	} else {
		demand_proto(L, protos[layer]);
	}
	return get_info(L, INFO_L4);
}

/* Where a layer's header starts from the pointer that layer_ptr gives. */
static uint32_t header_at(enum net_layer layer)
{
	return layer == NET_ETH ? 0 : ETH_LEN;
}

/* Pointer for a layer, its header proven to be there. */
static ir_val layer_ptr(struct lower *L, enum net_layer layer)
{
	uint32_t bytes = header_at(layer) + net_layer_row(layer)->bytes;
	ir_val p = L->net.data;
	ir_blk ok;

	for (uint32_t i = 0; i < L->proofs.n; i++) {
		if (L->proofs.v[i].layer == layer && lo_dominates(L, L->proofs.v[i].at))
			return L->proofs.v[i].ptr;
	}
	if (layer != NET_ETH)
		p = before_header(L, layer_words(L, layer));
	ok = lo_block(L);
	p = lo_need(L, p, bytes, ok, L->missing);
	lo_enter(L, ok);
	vec_push(L->a, &L->proofs, (struct lo_proof){layer, bytes, ok, p});
	return p;
}

ir_val lo_net_raw(struct lower *L, const struct net_field *f)
{
	ir_val p = layer_ptr(L, f->layer), low, high;
	uint32_t at = header_at(f->layer) + f->off;

	if (f->width != 6)
		return load(L, f->width, p, at);
	low = load(L, 4, p, at);
	high = load(L, 2, p, at + 4);
	high = ir_bini(L->f, IR_SHL, high, 32);
	return ir_bin(L->f, IR_OR, low, high);
}

static ir_val special(struct lower *L, const struct net_field *f)
{
	ir_val a, b;

	if (!strcmp(f->name, "pkt.ifindex"))
		return ir_ldctx(L->f, 4, kern_ctx_field(L->f->ctx, "ingress_ifindex")->off, IR_I64);
	if (strcmp(f->name, "pkt.len"))
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: packet field %s has no code", f->name);
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
	uint32_t at = header_at(f->layer) + f->off;
	ir_val p = layer_ptr(L, f->layer);
	struct lo_pair v;

	v.lo = load(L, 8, p, at);
	v.hi = load(L, 8, p, at + 8);
	return v;
}
