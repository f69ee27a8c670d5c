/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The payload: what follows the header of TCP (with its options), UDP, ICMP or ICMPv6. Other packets
 * have none; bytes behind the packet's end make the comparison they stand in false.
 */
#include "lang/lower.h"

#define TCP_LEAST 20
#define CONTAINS_MOST 128 /* bytes that 'contains' looks at */

static struct lo_proof *proven(struct lower *L, uint32_t bytes)
{
	for (uint32_t i = 0; i < L->proofs.n; i++) {
		struct lo_proof *p = &L->proofs.v[i];

		if (p->layer == NET_PAYLOAD && p->bytes >= bytes && lo_dominates(L, p->at))
			return p;
	}
	return NULL;
}

/* Pointer for the payload, as far before it as for every header; *off: what is still to add. */
static ir_val start(struct lower *L, uint32_t *off)
{
	static const enum net_layer layers[] = {[L4_TCP] = NET_TCP, [L4_UDP] = NET_UDP,
		[L4_ICMP] = NET_ICMP, [L4_ICMP6] = NET_ICMP6};
	enum net_layer layer = lo_net_absent(L, NET_PAYLOAD) ? NET_UDP : layers[L->net.l4];
	ir_val p = lo_net_ptr(L, layer), v;
	ir_blk sane;

	*off = net_layer_row(layer)->bytes;
	if (layer != NET_TCP)
		return p;
	*off = 0;
	sane = lo_block(L);
	v = lo_net_load(L, 1, p, L->net.base + 12);
	v = ir_bini(L->f, IR_LSHR, v, 4);
	lo_if(L, CC_GE, v, ir_const(L->f, TCP_LEAST / 4), sane, L->missing);
	lo_enter(L, sane);
	v = ir_bini(L->f, IR_AND, v, 15);
	return ir_index(L->f, p, ir_bini(L->f, IR_SHL, v, 2));
}

/* Pointer with so many bytes of the payload proven; *at: from there to the payload. */
static ir_val payload(struct lower *L, uint32_t bytes, uint32_t *at)
{
	struct lo_proof *have = proven(L, bytes);
	uint32_t off;
	ir_blk ok;
	ir_val p;

	if (have) {
		*at = have->off;
		return have->ptr;
	}
	p = start(L, &off);
	*at = L->net.base + off;
	ok = lo_block(L);
	p = lo_need(L, p, *at + bytes, ok, L->missing);
	lo_enter(L, ok);
	vec_push(L->a, &L->proofs, (struct lo_proof){NET_PAYLOAD, bytes, ok, p, *at});
	return p;
}

static void part(const struct expr *e, uint32_t *off, uint32_t *n)
{
	const struct expr *i = e->u.index.index;

	*n = 1;
	if (i->kind == EX_RANGE) {
		*n = (uint32_t)i->u.range.hi->const_value;
		i = i->u.range.lo;
	}
	*off = (uint32_t)i->const_value;
}

/* The widest load for what is left. */
static unsigned step(uint32_t left)
{
	return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

static ir_val swapped(struct lower *L, ir_val v, unsigned width)
{
	return width == 8   ? ir_un(L->f, IR_BSWAP64, v)
	       : width == 4 ? ir_un(L->f, IR_BSWAP32, v)
	       : width == 2 ? ir_un(L->f, IR_BSWAP16, v)
			    : v;
}

ir_val lo_payload(struct lower *L, const struct expr *e)
{
	uint32_t off, n, at, w;
	ir_val p, v = IR_NONE, next;

	part(e, &off, &n);
	p = payload(L, off + n, &at);
	for (uint32_t i = 0; i < n; i += w) {
		w = step(n - i);
		next = swapped(L, lo_net_load(L, w, p, at + off + i), w);
		v = v ? ir_bin(L->f, IR_OR, ir_bini(L->f, IR_SHL, v, 8 * w), next) : next;
	}
	return v;
}

static uint64_t raw_bytes(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

/* n bytes at p+at against constants, in loads of at most so many bytes. */
static void same_bytes(struct lower *L, ir_val p, uint32_t at, const uint8_t *want, uint32_t n,
	unsigned most, ir_blk eq, ir_blk ne)
{
	unsigned w;

	for (uint32_t i = 0; i < n; i += w) {
		ir_blk next = i + (w = step(n - i) < most ? step(n - i) : most) < n ? lo_block(L) : eq;
		ir_val v = most == 1 ? ir_ld(L->f, 1, p, at + i) : lo_net_load(L, w, p, at + i);

		lo_if(L, CC_EQ, v, ir_const(L->f, (int64_t)raw_bytes(want + i, w)), next, ne);
		if (next != eq)
			lo_enter(L, next);
	}
}

void lo_payload_equal(struct lower *L, const struct expr *a, const struct expr *b, ir_blk eq, ir_blk ne)
{
	uint8_t number[8];
	uint32_t off, n, at;
	ir_val p;

	part(a, &off, &n);
	p = payload(L, off + n, &at);
	if (b->kind == EX_STR) {
		same_bytes(L, p, at + off, (const uint8_t *)b->u.str.s, n, 8, eq, ne);
		return;
	}
	if (n < 8 && b->const_value >> (8 * n)) { /* more than n bytes hold */
		lo_goto(L, ne);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		number[i] = (uint8_t)(b->const_value >> (8 * (n - 1 - i)));
	same_bytes(L, p, at + off, number, n, 8, eq, ne);
}

/* ---- names of the DNS ---- */

#define DNS_HEADER 12
#define DNS_NAME 255  /* RFC 1035: bytes of a name at most */
#define DNS_LABEL 63
#define DNS_LABELS 128

/* n bytes against the name in the packet's form; letters of either case are one. */
static void same_name(struct lower *L, ir_val p, uint32_t at, const uint8_t *want, uint32_t n,
	unsigned most, ir_blk eq, ir_blk ne)
{
	unsigned w;

	for (uint32_t i = 0; i < n; i += w) {
		uint64_t fold = 0;
		ir_blk next;
		ir_val v;

		w = step(n - i) < most ? step(n - i) : most;
		for (unsigned k = 0; k < w; k++)
			fold |= want[i + k] >= 'a' ? 0x20ull << (8 * k) : 0; /* lengths are less */
		next = i + w < n ? lo_block(L) : eq;
		v = most == 1 ? ir_ld(L->f, 1, p, at + i) : lo_net_load(L, w, p, at + i);
		if (fold)
			v = ir_bini(L->f, IR_OR, v, (int64_t)fold);
		lo_if(L, CC_EQ, v, ir_const(L->f, (int64_t)raw_bytes(want + i, w)), next, ne);
		if (next != eq)
			lo_enter(L, next);
	}
}

/* "example.com" as packets have it: the length before each label, and 0 at the end. */
static uint32_t wire_name(const struct expr *text, uint8_t *to)
{
	uint32_t n = text->u.str.n, length = 0;

	n -= text->u.str.s[n - 1] == '.';
	for (uint32_t i = 0; i <= n; i++) {
		char ch = i < n ? text->u.str.s[i] : '.';

		to[i + 1] = (uint8_t)(ch >= 'A' && ch <= 'Z' ? ch + 'a' - 'A' : ch);
		if (ch != '.')
			continue;
		to[length] = (uint8_t)(i - length);
		length = i + 1;
	}
	to[n + 1] = 0;
	return n + 2;
}

/* From label to label of the question: is what stands there to its end the name? */
void lo_dns_name(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	unsigned place = ir_var_new(L->f, IR_I64);
	uint8_t want[DNS_NAME + 2];
	uint32_t n = wire_name(e->u.call.args.list.v[0], want);
	uint32_t at = L->net.base + net_layer_row(NET_UDP)->bytes + DNS_HEADER;
	ir_val p = lo_net_ptr(L, NET_UDP), q, v;
	ir_blk near = lo_block(L), have = lo_block(L), other = lo_block(L), more = lo_block(L);
	struct lo_rounds r;

	ir_var_write(L->f, place, ir_const(L->f, 0));
	r = lo_rounds_begin(L, DNS_LABELS, no);
	lo_if(L, CC_LE, ir_var_read(L->f, place), ir_const(L->f, DNS_NAME), near, no);
	lo_enter(L, near);
	q = ir_index(L->f, p, ir_bini(L->f, IR_AND, ir_var_read(L->f, place), DNS_NAME));
	q = lo_need(L, q, at + n, have, no);
	lo_enter(L, have);
	same_name(L, q, at, want, n, L->m->target->arch == KERN_RISCV64 ? 1 : 8, yes, other);
	lo_enter(L, other);
	v = ir_ld(L->f, 1, q, at);
	lo_if(L, CC_LT, ir_bini(L->f, IR_SUB, v, 1), ir_const(L->f, DNS_LABEL), more, no);
	lo_enter(L, more);
	v = ir_bini(L->f, IR_ADD, v, 1);
	ir_var_write(L->f, place, ir_bin(L->f, IR_ADD, ir_var_read(L->f, place), v));
	lo_rounds_end(L, &r);
}

/* ---- texts ---- */

/*
 * Tries every place; riscv64 loads single bytes where nothing is known of the alignment. The place is
 * read back from the stack: so the verifier does not learn from each try how long the packet
 * is, and looks at what follows once instead of once per place.
 */
void lo_contains(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	const struct expr *text = e->u.call.args.list.v[1];
	const uint8_t *want = (const uint8_t *)text->u.str.s;
	uint32_t n = text->u.str.n, off, at;
	ir_val p, q, place = lo_slot(L, 8);
	struct lo_rounds r;
	ir_blk have, next;

	p = start(L, &off);
	at = L->net.base + off;
	r = lo_rounds_begin(L, CONTAINS_MOST - n + 1, no);
	have = lo_block(L), next = lo_block(L);
	ir_st(L->f, 1, place, 0, r.i);
	ir_st(L->f, 1, place, 1, ir_const(L->f, 0)); /* two bytes are not seen through by passes */
	q = ir_bini(L->f, IR_AND, ir_ld(L->f, 2, place, 0), CONTAINS_MOST - 1);
	q = lo_need(L, ir_index(L->f, p, q), at + n, have, no);
	lo_enter(L, have);
	same_bytes(L, q, at, want, n, L->m->target->arch == KERN_RISCV64 ? 1 : 8, yes, next);
	lo_enter(L, next);
	lo_rounds_end(L, &r);
}
