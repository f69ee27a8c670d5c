/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Options of TCP. They are walked from the first one on, as a receiver does; the first of its kind
 * counts. Where the next one starts is read back from the stack: so the verifier does not learn
 * from each turn how long the options are, and looks at what follows once, as in lo_contains().
 *
 * Sources: RFC 9293, 3.1 (kinds 0 and 1 are single bytes, all others have a length behind the kind).
 */
#include "lang/lower.h"

#define TCP_LEAST 20
#define OPTIONS_MOST 40	 /* bytes, and so turns */
#define PLACE_MASK 63	 /* places are below 60 */
enum { OPTION_END = 0, OPTION_NOP = 1 };

struct walk {
	ir_val tcp, end, place; /* end: of the header, from its start; place: a slot */
	ir_blk none;
};

static void put_place(struct lower *L, const struct walk *w, ir_val v)
{
	ir_st(L->f, 1, w->place, 0, v);
	ir_st(L->f, 1, w->place, 1, ir_const(L->f, 0)); /* two bytes are not seen through by passes */
}

/* Where the header ends; packets without options leave for none. */
static ir_val options_end(struct lower *L, const struct walk *w)
{
	ir_blk some = lo_block(L);
	ir_val v = lo_net_load(L, 1, w->tcp, L->net.base + 12);

	v = ir_bini(L->f, IR_LSHR, v, 4);
	lo_if(L, CC_GT, v, ir_const(L->f, TCP_LEAST / 4), some, w->none);
	lo_enter(L, some);
	return ir_bini(L->f, IR_SHL, v, 2);
}

/* The option here has so many bytes: goes on with the one behind it, if there is room for one. */
static void behind(struct lower *L, const struct walk *w, ir_val here, ir_val bytes, ir_blk next)
{
	ir_val v = ir_bin(L->f, IR_ADD, here, bytes);
	ir_blk more = lo_block(L);

	lo_if(L, CC_LT, v, w->end, more, w->none);
	lo_enter(L, more);
	put_place(L, w, v);
	lo_goto(L, next);
}

/* The byte at p, proven for it. */
static ir_val byte(struct lower *L, const struct walk *w, ir_val p, uint32_t at)
{
	ir_blk have = lo_block(L);
	ir_val q = lo_need(L, p, L->net.base + at + 1, have, w->none);

	lo_enter(L, have);
	return ir_ld(L->f, 1, q, L->net.base + at);
}

/* One turn: to next, to none; goes on in this block when the option is the one looked for. */
static struct lo_option step(struct lower *L, const struct walk *w, const struct net_field *f, ir_blk next)
{
	ir_blk other = lo_block(L), longer = lo_block(L), single = lo_block(L), sane = lo_block(L),
	       skip = lo_block(L), this = lo_block(L), whole = lo_block(L), have = lo_block(L);
	struct lo_option o = {.at = L->net.base + 2};
	ir_val p, kind, len;

	o.place = ir_bini(L->f, IR_AND, ir_ld(L->f, 2, w->place, 0), PLACE_MASK);
	p = ir_index(L->f, w->tcp, o.place);
	kind = byte(L, w, p, 0);
	lo_if(L, CC_EQ, kind, ir_const(L->f, OPTION_NOP), single, other);
	lo_enter(L, single);
	behind(L, w, o.place, ir_const(L->f, 1), next);
	lo_enter(L, other);
	lo_if(L, CC_EQ, kind, ir_const(L->f, OPTION_END), w->none, longer);
	lo_enter(L, longer);
	len = byte(L, w, p, 1);
	lo_if(L, CC_GE, len, ir_const(L->f, 2), sane, w->none);
	lo_enter(L, sane);
	lo_if(L, CC_EQ, kind, ir_const(L->f, f->off), this, skip);
	lo_enter(L, skip);
	behind(L, w, o.place, len, next);
	lo_enter(L, this);
	lo_if(L, CC_LE, ir_bin(L->f, IR_ADD, o.place, len), w->end, whole, w->none);
	lo_enter(L, whole);
	if (f->kind == NK_HAS_OPTION)
		return o;
	lo_if(L, CC_GE, len, ir_const(L->f, 2 + f->width), have, w->none);
	lo_enter(L, have);
	have = lo_block(L);
	o.p = lo_need(L, p, o.at + f->width, have, w->none);
	lo_enter(L, have);
	return o;
}

struct lo_option lo_find_option(struct lower *L, const struct net_field *f, ir_blk none)
{
	struct walk w = {.none = none};
	ir_blk head, body, next, found, from;
	struct lo_option o;
	ir_val i, q;

	w.tcp = lo_net_ptr(L, NET_TCP);
	w.end = options_end(L, &w);
	w.place = lo_slot(L, 8);
	put_place(L, &w, ir_const(L->f, TCP_LEAST));
	head = lo_block(L);
	i = ir_param(L->f, head, IR_I64);
	q = ir_const(L->f, 0);
	from = ir_here(L->f);
	lo_goto(L, head);
	ir_edge_arg(L->f, from, 0, q);
	ir_at(L->f, head);
	body = lo_block(L);
	i = lo_loop(L, i, OPTIONS_MOST, body, none);
	lo_enter(L, body);
	next = lo_block(L), found = lo_block(L);
	o = step(L, &w, f, next);
	lo_goto(L, found);
	lo_enter(L, next);
	q = ir_bini(L->f, IR_ADD, i, 1);
	from = ir_here(L->f);
	lo_goto(L, head);
	ir_edge_arg(L->f, from, 0, q);
	ir_seal(L->f, head);
	lo_enter(L, found);
	return o;
}

/* In network order, as every field; bytes lie anywhere. */
ir_val lo_option_number(struct lower *L, const struct lo_option *o, unsigned width)
{
	unsigned part = L->m->target->arch == KERN_RISCV64 ? 1 : width;
	ir_val v = ir_ld(L->f, part, o->p, o->at), next;

	for (unsigned i = part; i < width; i += part) {
		next = ir_bini(L->f, IR_SHL, ir_ld(L->f, part, o->p, o->at + i), 8 * i);
		v = ir_bin(L->f, IR_OR, v, next);
	}
	return v;
}

ir_val lo_option_raw(struct lower *L, const struct net_field *f)
{
	struct lo_option o;
	unsigned has;
	ir_blk none;

	if (f->kind == NK_OPTION) {
		o = lo_find_option(L, f, L->missing);
		return lo_option_number(L, &o, f->width);
	}
	has = ir_var_new(L->f, ir_range(1));
	none = lo_block(L);
	lo_net_ptr(L, NET_TCP);
	ir_var_write(L->f, has, ir_const(L->f, 0));
	lo_find_option(L, f, none);
	ir_var_write(L->f, has, ir_const(L->f, 1));
	lo_goto(L, none);
	lo_enter(L, none);
	return ir_var_read(L->f, has);
}
