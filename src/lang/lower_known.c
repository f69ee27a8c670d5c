/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What conditions come to in the packets of a chain, known before any packet comes. */
#include "lang/packet.h"
#include <string.h>

/* Layers of an operand that has no condition of its own inside; 0 otherwise. */
static unsigned plain_layers(const struct expr *e)
{
	switch (e->kind) {
	case EX_FIELD:
		return e->ref.kind == REF_NET ? 1u << e->ref.u.net->layer : 0;
	case EX_BINARY:
		if (e->u.binary.op >= BO_LAND)
			return 0;
		return plain_layers(e->u.binary.a) | plain_layers(e->u.binary.b);
	default:
		return 0;
	}
}

static bool reads_absent(const struct lower *L, unsigned layers)
{
	for (unsigned l = 0; layers >> l; l++) {
		if ((layers >> l & 1) && lo_net_absent(L, (enum net_layer)l))
			return true;
	}
	return false;
}

/* What the field may hold in packets of the chain: n values at most, 0 when anything. */
static unsigned values_of(const struct lo_net *n, const struct net_field *f, unsigned v[3])
{
	static const unsigned types[L3_COUNT] = {[L3_IP4] = TYPE_IP4, [L3_IP6] = TYPE_IP6,
		[L3_ARP] = TYPE_ARP};
	static const unsigned protos[] = {[L4_TCP] = PROTO_TCP, [L4_UDP] = PROTO_UDP,
		[L4_ICMP] = PROTO_ICMP, [L4_NONE] = 0};

	if (f->layer == NET_IP && !strcmp(f->name, "ip.proto") && n->l3 == L3_IP4) {
		v[0] = protos[n->l4];
		return v[0] != 0;
	}
	if (f->layer != NET_ETH || strcmp(f->name, "eth.type") != 0 || !types[n->l3])
		return 0;
	v[0] = types[n->l3], v[1] = TYPE_VLAN, v[2] = TYPE_QINQ;
	return n->tags_known && !n->tags ? 1 : 3;
}

static bool within(const struct lo_test *t, unsigned v)
{
	for (uint32_t i = 0; i < t->spans.n; i++) {
		if (v >= t->spans.v[i].lo && v <= t->spans.v[i].hi)
			return true;
	}
	return false;
}

/* A test of a field of which the chain knows something. */
static enum lo_tri known_value(const struct lower *L, const struct expr *e)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	struct lo_test t = {0};
	unsigned v[3], n, hits = 0;

	if (a->is_const)
		a = b;
	if (a->kind != EX_FIELD || a->ref.kind != REF_NET)
		return TRI_OPEN;
	n = values_of(&L->net, a->ref.u.net, v);
	if (!n || !lo_test_of(L->a, e, &t))
		return TRI_OPEN;
	for (unsigned i = 0; i < n; i++)
		hits += within(&t, v[i]);
	return hits == n ? TRI_YES : hits ? TRI_OPEN : TRI_NO;
}

enum lo_tri lo_known(const struct lower *L, const struct expr *e)
{
	enum lo_tri a, b;

	if (e->is_const)
		return e->const_value ? TRI_YES : TRI_NO;
	if (e->kind == EX_UNARY && e->u.unary.op == UO_NOT) {
		a = lo_known(L, e->u.unary.a);
		return a == TRI_OPEN ? a : a == TRI_NO ? TRI_YES : TRI_NO;
	}
	if (e->kind == EX_BINARY && (e->u.binary.op == BO_LAND || e->u.binary.op == BO_LOR)) {
		enum lo_tri ends = e->u.binary.op == BO_LAND ? TRI_NO : TRI_YES;

		a = lo_known(L, e->u.binary.a);
		if (a == ends)
			return ends;
		b = lo_known(L, e->u.binary.b);
		if (b == ends && !lo_has_effect(e->u.binary.a))
			return ends;
		return a == TRI_OPEN ? a : b;
	}
	if ((e->kind == EX_BINARY && e->u.binary.op >= BO_EQ) || e->kind == EX_IN)
		return reads_absent(L, plain_layers(e->u.binary.a) | plain_layers(e->u.binary.b))
			       ? TRI_NO
			       : known_value(L, e);
	return reads_absent(L, plain_layers(e)) ? TRI_NO : TRI_OPEN;
}
