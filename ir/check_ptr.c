/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What types do not say about pointers: packet pointers die when a helper may move the packet; how
 * far into the packet a pointer may stand; alignment where the verifier insists on it.
 */
#include "ir/check.h"
#include <string.h>

/* ---- packet pointers and calls that invalidate them (P7) ---- */
struct live {
	struct check *c;
	uint32_t words;
	bits *in;
};

static bool invalidates(const struct ir_ins *i)
{
	return i->op == IR_CALL && kern_helper_by_id(i->aux)->effects & KE_PKT_INVAL;
}

static void live_use(struct live *s, uint64_t *set, ir_val v)
{
	struct ir_type t = ir_type_of(s->c->f, v);

	if (t.kind == IRT_PKT || t.kind == IRT_PKTEND)
		bits_add(set, v);
}

static void live_term(struct live *s, ir_blk b, uint64_t *set)
{
	const struct ir_term *t = &s->c->f->blocks.v[b].term;

	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t w = 0; s->in[t->edge[e].to] && w < s->words; w++)
			set[w] |= s->in[t->edge[e].to][w];
	}
	for (unsigned e = 0; e < t->nedges; e++) {
		for (uint32_t a = 0; a < t->edge[e].nargs; a++)
			live_use(s, set, t->edge[e].args[a]);
	}
	for (int a = 0; a < ir_term_row(t->op)->nargs; a++)
		live_use(s, set, t->args[a]);
}

static void report_live(struct live *s, ir_blk b, ir_val call, const uint64_t *set)
{
	for (ir_val v = 1; v < s->c->f->vals.n; v++) {
		if (bits_has(set, v))
			check_fail(s->c, b, call, "packet",
				"%%%u is used after %s, which may move the packet",
				s->c->num.val[v] - 1,
				kern_helper_by_id(ir_ins_of(s->c->f, call)->aux)->name);
	}
}

/* Leaves in set what is live at the start of b. */
static void live_block(struct live *s, ir_blk b, uint64_t *set, bool tell)
{
	const struct ir_block *blk = &s->c->f->blocks.v[b];

	memset(set, 0, sizeof(*set) * s->words);
	live_term(s, b, set);
	for (uint32_t n = blk->ins.n; n-- > 0;) {
		const struct ir_ins *i = ir_ins_of(s->c->f, blk->ins.v[n]);

		bits_del(set, blk->ins.v[n]);
		if (tell && invalidates(i))
			report_live(s, b, blk->ins.v[n], set);
		for (unsigned a = 0; a < i->nargs; a++)
			live_use(s, set, i->args[a]);
	}
	for (uint32_t p = 0; p < blk->params.n; p++)
		bits_del(set, blk->params.v[p]);
}

static bool any_invalidates(const struct check *c)
{
	for (ir_val v = 1; v < c->f->vals.n; v++) {
		if (c->place[v] != UINT32_MAX && invalidates(ir_ins_of(c->f, v)))
			return true;
	}
	return false;
}

void check_packets(struct check *c)
{
	struct live s = {.c = c, .words = bits_words(c->f->vals.n)};
	uint64_t *set;
	bool changed;

	if (!any_invalidates(c))
		return;
	s.in = ARENA_ARRAY(c->a, bits, c->f->blocks.n);
	for (uint32_t n = 0; n < c->cfg->nrpo; n++)
		s.in[c->cfg->rpo[n]] = ARENA_ARRAY(c->a, uint64_t, s.words);
	set = ARENA_ARRAY(c->a, uint64_t, s.words);
	do {
		changed = false;
		for (uint32_t n = c->cfg->nrpo; n-- > 0;) {
			ir_blk b = c->cfg->rpo[n];

			live_block(&s, b, set, false);
			changed |= memcmp(s.in[b], set, sizeof(*set) * s.words) != 0;
			memcpy(s.in[b], set, sizeof(*set) * s.words);
		}
	} while (changed);
	for (uint32_t n = 0; n < c->cfg->nrpo; n++)
		live_block(&s, c->cfg->rpo[n], set, true);
}

/* ---- alignment and distance ---- */
#define FAR 0x10000u	 /* beyond MAX_PACKET_OFF: the verifier gives up on the pointer */
#define NET_IP_ALIGN 2	 /* where strict alignment counts, the packet starts at 2 mod 4 */
#define ROUNDS 4	 /* a distance that still grows then grows with a loop */
#define MOVES 24	 /* steps from a loop's way back to its head that are followed */

struct where {
	uint32_t far; /* greatest distance from the packet's start */
	uint32_t in, step; /* parameters of loops: far when it begins, and so much more each round */
	uint8_t mod;  /* address is rem modulo mod: 1 2 4 8; 0 not known yet */
	uint8_t rem;
};

struct pointers {
	struct check *c;
	struct where *at; /* by value */
};

static uint8_t low_bit(uint64_t x)
{
	return !x || x % 8 == 0 ? 8 : x % 4 == 0 ? 4 : x % 2 == 0 ? 2 : 1;
}

/* Power of two that surely divides a number, as the verifier's tnum knows it. */
static uint8_t multiple_of(const struct ir_fn *f, ir_val v, int depth)
{
	const struct ir_ins *i = ir_ins_of(f, v);
	const struct ir_ins *by = i->nargs == 2 ? ir_ins_of(f, i->args[1]) : NULL;
	uint8_t x, y;

	if (i->op == IR_CONST)
		return low_bit((uint64_t)i->imm);
	if (depth == 0 || !by)
		return 1;
	if (by->op == IR_CONST) {
		if (i->op == IR_AND || i->op == IR_MUL)
			return low_bit((uint64_t)by->imm);
		if (i->op == IR_SHL)
			return by->imm >= 3 ? 8 : (uint8_t)(1 << by->imm);
	}
	if (i->op != IR_ADD && i->op != IR_SUB)
		return 1;
	x = multiple_of(f, i->args[0], depth - 1);
	y = multiple_of(f, i->args[1], depth - 1);
	return x < y ? x : y;
}

static struct where moved(struct where w, uint64_t by)
{
	w.far = by > FAR || w.far + by > FAR ? FAR : w.far + (uint32_t)by;
	w.rem = (uint8_t)((w.rem + by) % w.mod);
	return w;
}

static struct where indexed(const struct ir_fn *f, struct where w, ir_val by)
{
	uint8_t m = multiple_of(f, by, 4);
	uint64_t hi = ir_type_of(f, by).hi;

	w.far = hi > FAR || w.far + hi > FAR ? FAR : w.far + (uint32_t)hi;
	w.mod = m < w.mod ? m : w.mod;
	w.rem %= w.mod;
	return w;
}

static struct where locate(const struct pointers *s, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(s->c->f, v);

	switch (i->op) {
	case IR_OFF:
		return moved(s->at[i->args[0]], (uint64_t)i->imm);
	case IR_INDEX:
		return indexed(s->c->f, s->at[i->args[0]], i->args[1]);
	case IR_GADDR:
		return moved((struct where){.mod = 8}, (uint64_t)i->imm);
	default:
		return (struct where){.mod = 8, .rem = i->type.kind == IRT_PKT ? NET_IP_ALIGN : 0};
	}
}

/* What a parameter may be, once w comes in, too. */
static bool join(struct where *p, struct where w, bool widen)
{
	struct where old = *p;

	if (!p->mod) {
		p->far = w.far, p->mod = w.mod, p->rem = w.rem;
		return true;
	}
	if (w.far > p->far)
		p->far = widen ? FAR : w.far;
	if (w.mod < p->mod)
		p->mod = w.mod;
	while (p->mod > 1 && p->rem % p->mod != w.rem % p->mod)
		p->mod /= 2;
	p->rem %= p->mod;
	return p->far != old.far || p->mod != old.mod || p->rem != old.rem;
}

/* v is the parameter p of a loop's head, moved: by no other loop, and nothing else comes in. */
static bool is_moved(const struct check *c, ir_val v, ir_val p, int depth)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);

	if (v == p || depth == 0)
		return v == p;
	if (i->op == IR_OFF || i->op == IR_INDEX)
		return is_moved(c, i->args[0], p, depth - 1);
	if (i->op != IR_PARAM || c->f->blocks.v[i->block].term.op == IRN_LOOP)
		return false;
	for (uint32_t k = 0; k < c->cfg->preds[i->block].n; k++) {
		const struct ir_term *t = &c->f->blocks.v[c->cfg->preds[i->block].v[k]].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			const struct ir_block *to = &c->f->blocks.v[i->block];

			for (uint32_t a = 0; t->edge[e].to == i->block && a < to->params.n; a++) {
				if (to->params.v[a] == v && !is_moved(c, t->edge[e].args[a], p, depth - 1))
					return false;
			}
		}
	}
	return true;
}

/* The way back of a loop whose rounds are counted: so many times the distance of one. */
static bool join_back(struct pointers *s, ir_blk head, ir_val param, ir_val v, bool widen)
{
	const struct ir_term *t = &s->c->f->blocks.v[head].term;
	struct where *p = &s->at[param], w = s->at[v];
	uint64_t far, old = p->far;

	if (w.far <= old || t->op != IRN_LOOP || !is_moved(s->c, v, param, MOVES))
		return join(p, w, widen);
	if (w.far - old > p->step)
		p->step = w.far - (uint32_t)old;
	far = p->step * (uint64_t)t->imm;
	far = t->imm >= FAR || far >= FAR ? FAR : p->in + far;
	w.far = p->far = far > FAR ? FAR : (uint32_t)far;
	return join(p, w, widen) || p->far != old;
}

static bool join_edge(struct pointers *s, ir_blk from, const struct ir_edge *e, uint32_t a, bool widen)
{
	ir_val param = s->c->f->blocks.v[e->to].params.v[a];
	struct where *p = &s->at[param], w = s->at[e->args[a]];

	if (ir_dominates(s->c->cfg, e->to, from))
		return join_back(s, e->to, param, e->args[a], widen);
	if (w.far > p->in)
		p->in = w.far;
	return join(p, w, widen);
}

static bool follow(struct pointers *s, bool widen)
{
	const struct ir_fn *f = s->c->f;
	bool changed = false;

	for (uint32_t n = 0; n < s->c->cfg->nrpo; n++) {
		const struct ir_block *blk = &f->blocks.v[s->c->cfg->rpo[n]];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (ir_is_ptr(ir_type_of(f, blk->ins.v[i])))
				s->at[blk->ins.v[i]] = locate(s, blk->ins.v[i]);
		}
		for (unsigned e = 0; e < blk->term.nedges; e++) {
			const struct ir_edge *edge = &blk->term.edge[e];

			for (uint32_t a = 0; a < edge->nargs; a++) {
				if (ir_is_ptr(ir_type_of(f, edge->args[a])))
					changed |= join_edge(s, s->c->cfg->rpo[n], edge, a, widen);
			}
		}
	}
	return changed;
}

static void check_aligned(struct pointers *s, ir_blk b, ir_val v, ir_val p, int64_t off,
	unsigned width, bool always)
{
	const struct target *t = s->c->m->target;
	struct where w = s->at[p];
	/* riscv64 does not promise efficient unaligned access (a Kconfig choice): all is checked. */
	bool strict = always || (t && t->arch == KERN_RISCV64) ||
		ir_type_of(s->c->f, p).kind == IRT_SLOT || ir_type_of(s->c->f, p).kind == IRT_FRAME;

	if (strict && (w.mod < width || (w.rem + (uint64_t)off) % width))
		check_fail(s->c, b, v, "align", "%u bytes at %+lld are not surely aligned", width,
			(long long)off);
}

static void check_access(struct pointers *s, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(s->c->f, v);

	switch (i->op) {
	case IR_LD:
	case IR_ST:
		check_aligned(s, b, v, i->args[0], i->imm, i->width, false);
		break;
	case IR_ATOM:
	case IR_CAS:
		check_aligned(s, b, v, i->args[0], i->imm, i->width, true);
		break;
	case IR_CALL:
		for (unsigned a = 0; a < i->nargs; a++) {
			if (kern_helper_by_id(i->aux)->arg[a] == KA_LONG)
				check_aligned(s, b, v, i->args[a], 0, 8, true);
		}
		break;
	default:
		break;
	}
}

static void check_need(struct pointers *s, ir_blk b)
{
	const struct ir_term *t = &s->c->f->blocks.v[b].term;

	if (t->op == IRN_NEED && s->at[t->args[0]].far + (uint64_t)t->imm >= FAR)
		check_fail(s->c, b, IR_NONE, "packet",
			"%%%u may stand 65536 bytes or more into the packet (moved in a loop?)",
			s->c->num.val[t->args[0]] - 1);
}

void check_pointers(struct check *c)
{
	struct pointers s = {.c = c, .at = ARENA_ARRAY(c->a, struct where, c->f->vals.n)};

	for (uint32_t i = 0; i < c->f->blocks.v[0].params.n; i++)
		s.at[c->f->blocks.v[0].params.v[i]].mod = 8;
	for (int round = 0; follow(&s, round >= ROUNDS); round++)
		;
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		ir_blk b = c->cfg->rpo[n];

		for (uint32_t i = 0; i < c->f->blocks.v[b].ins.n; i++)
			check_access(&s, b, c->f->blocks.v[b].ins.v[i]);
		check_need(&s, b);
	}
}
