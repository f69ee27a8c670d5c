/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which layers of a packet an expression or a block reads: a bit for each enum net_layer. */
#include "lang/lower.h"

static unsigned of_field(const struct net_field *f)
{
	bool walk = f->kind == NK_OPTION || f->kind == NK_HAS_OPTION;

	return 1u << f->layer | (walk ? LO_SEARCHES : 0);
}

/* Functions that look at the packet as a whole: captured, or its length counted. */
static unsigned of_call(const struct expr *e)
{
	bool whole = e->ref.kind == REF_FUNC && (e->ref.u.builtin == BI_F_CAPTURE ||
							(e->ref.u.builtin == BI_F_DROP &&
								e->u.call.args.list.n));

	if (e->ref.kind == REF_FUNC && e->ref.u.builtin == BI_F_CONTAINS)
		return 1u << NET_PAYLOAD | LO_SEARCHES;
	if (e->ref.kind == REF_FUNC && e->ref.u.builtin == BI_F_DNS_NAME)
		return 1u << NET_UDP | LO_SEARCHES;
	if (e->ref.kind == REF_FUNC && e->ref.u.builtin == BI_F_REFLECT)
		return 1u << NET_ETH | 1u << NET_IP | 1u << NET_IP6 | 1u << NET_L4 | LO_EDITS_OTHER;
	return whole ? 1u << NET_PKT : 0;
}

static unsigned list_layers(const struct exprs *l)
{
	unsigned mask = 0;

	for (uint32_t i = 0; i < l->list.n; i++)
		mask |= lo_expr_layers(l->list.v[i]);
	return mask;
}

unsigned lo_expr_layers(const struct expr *e)
{
	if (!e)
		return 0;
	switch (e->kind) {
	case EX_FIELD:
		return e->ref.kind == REF_NET ? of_field(e->ref.u.net)
					      : lo_expr_layers(e->u.field.base);
	case EX_MAP:
		return list_layers(&e->u.map.keys);
	case EX_CALL:
		return list_layers(&e->u.call.args) | of_call(e);
	case EX_UNARY:
		return lo_expr_layers(e->u.unary.a);
	case EX_BINARY:
	case EX_IN:
		return lo_expr_layers(e->u.binary.a) | lo_expr_layers(e->u.binary.b);
	case EX_TERNARY:
		return lo_expr_layers(e->u.ternary.cond) | lo_expr_layers(e->u.ternary.yes) |
		       lo_expr_layers(e->u.ternary.no);
	case EX_CAST:
		return lo_expr_layers(e->u.cast.a);
	case EX_INDEX:
		if (e->ref.kind == REF_NET)
			return 1u << NET_PAYLOAD;
		return lo_expr_layers(e->u.index.base) | lo_expr_layers(e->u.index.index);
	case EX_TUPLE:
	case EX_RECORD:
	case EX_SET:
		return list_layers(&e->u.tuple);
	case EX_INCDEC:
		return lo_expr_layers(e->u.incdec.target);
	case EX_BLOCK:
		return lo_block_layers(e->u.block.body) | lo_expr_layers(e->u.block.value);
	case EX_RANGE:
		return lo_expr_layers(e->u.range.lo) | lo_expr_layers(e->u.range.hi);
	default:
		return 0;
	}
}

/* A field that is assigned: what it changes, and which headers have a checksum over it. */
static unsigned of_change(const struct net_field *f)
{
	if (f->kind == NK_INET4 || f->kind == NK_INET6)
		return LO_EDITS_ADDRESS | 1u << NET_TCP | 1u << NET_UDP |
		       (f->kind == NK_INET6 ? 1u << NET_ICMP6 : 0);
	return f->layer == NET_TCP || f->layer == NET_UDP ? LO_EDITS_PORT : LO_EDITS_OTHER;
}

unsigned lo_block_layers(const struct block *b)
{
	unsigned mask = 0;

	for (uint32_t i = 0; b && i < b->list.n; i++) {
		const struct stmt *st = b->list.v[i];

		switch (st->kind) {
		case ST_EXPR:
		case ST_RETURN:
			mask |= lo_expr_layers(st->u.expr);
			break;
		case ST_ASSIGN:
		case ST_LET:
			mask |= lo_expr_layers(st->u.assign.target) | lo_expr_layers(st->u.assign.value);
			if (st->u.assign.target->ref.kind == REF_NET)
				mask |= of_change(st->u.assign.target->ref.u.net);
			break;
		case ST_IF:
			for (; stmt_else_if(st); st = stmt_else_if(st))
				mask |= lo_expr_layers(st->u.cond.cond) |
					lo_block_layers(st->u.cond.yes);
			mask |= lo_expr_layers(st->u.cond.cond) | lo_block_layers(st->u.cond.yes) |
				lo_block_layers(st->u.cond.no);
			break;
		case ST_WHILE:
		case ST_UNROLL:
			mask |= lo_expr_layers(st->u.loop.cond) | lo_block_layers(st->u.loop.body);
			break;
		case ST_FOR_RANGE:
		case ST_FOR_MAP:
		case ST_FOR_DSQ:
			mask |= lo_block_layers(st->u.each.body);
			break;
		case ST_BLOCK:
		case ST_BODY:
			mask |= lo_block_layers(st->u.block);
			break;
		default:
			break;
		}
	}
	return mask;
}

bool lo_net_reads(const struct expr *e)
{
	return lo_expr_layers(e) != 0;
}

bool lo_writes_packet(const struct block *b)
{
	return (lo_block_layers(b) & LO_WRITES) != 0;
}
