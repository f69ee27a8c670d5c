/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stack objects. Forward: a load of bytes that a store just wrote takes the stored value. Backward:
 * a store whose bytes nobody reads goes; zeroing shrinks to the words that somebody reads.
 * Helpers keep no pointers into the stack, so an object is touched only by its own addresses.
 */
#include "ir/access.h"
#include "ir/opt.h"
#include "ir/rewrite.h"
#include <string.h>

#define KNOWN_MAX 32 /* facts kept on the way; more are forgotten, oldest first */

/* ---- forward ---- */
struct fact { /* bytes [off, off + size) of the object hold val, or zeroes when val is IR_NONE */
	ir_val slot, val;
	int64_t off;
	uint64_t size;
};
struct facts {
	struct fact v[KNOWN_MAX];
	unsigned n;
};

struct forward {
	struct ir_fn *f;
	struct ir_cfg *cfg;
	struct ir_rewrite r;
	struct facts **out; /* per block, at its end */
};

static bool is_slot(const struct ir_fn *f, ir_val v)
{
	return ir_ins_of(f, v)->op == IR_SLOT;
}

static void remember(struct facts *k, struct fact x)
{
	if (k->n == KNOWN_MAX)
		memmove(k->v, k->v + 1, sizeof(*k->v) * --k->n);
	k->v[k->n++] = x;
}

static void forget(struct facts *k, ir_val slot, int64_t off, uint64_t size)
{
	struct facts old = *k;
	int64_t end = off + (int64_t)size;

	k->n = 0;
	for (unsigned i = 0; i < old.n; i++) {
		struct fact x = old.v[i], rest = x;
		int64_t x_end = x.off + (int64_t)x.size;

		if (x.slot != slot || x.off >= end || off >= x_end) {
			remember(k, x);
			continue;
		}
		if (x.val)
			continue;
		/* Of zeroes, what lies before and behind stays known. */
		x.size = off > x.off ? (uint64_t)(off - x.off) : 0;
		rest.off = end;
		rest.size = x_end > end ? (uint64_t)(x_end - end) : 0;
		if (x.size)
			remember(k, x);
		if (rest.size)
			remember(k, rest);
	}
}

static void forget_writes(struct forward *s, struct facts *k, const struct ir_ins *i)
{
	struct ir_access acc[IR_MAX_ARGS];
	unsigned n = ir_accesses(s->f, i, acc);

	for (unsigned a = 0; a < n; a++) {
		struct ir_origin o = ir_origin(s->f, acc[a].ptr);

		if (acc[a].how & (ACC_WRITE | ACC_PART) && is_slot(s->f, o.root))
			forget(k, o.root, o.off + acc[a].off, acc[a].size + o.var);
	}
}

static void learn(struct forward *s, struct facts *k, const struct ir_ins *i)
{
	struct ir_origin o;

	if (i->op != IR_ST && i->op != IR_ZERO)
		return;
	o = ir_origin(s->f, i->args[0]);
	if (o.var || !is_slot(s->f, o.root))
		return;
	remember(k, (struct fact){.slot = o.root, .off = o.off + i->imm,
		.val = i->op == IR_ST ? i->args[1] : IR_NONE,
		.size = i->op == IR_ST ? i->width : i->aux});
}

static const struct fact *known(const struct facts *k, ir_val slot, int64_t off, unsigned width)
{
	for (unsigned i = 0; i < k->n; i++) {
		const struct fact *x = &k->v[i];
		bool within = off >= x->off && off + width <= x->off + (int64_t)x->size;

		if (x->slot == slot && within &&
			(!x->val || (x->off == off && x->size == width)))
			return x;
	}
	return NULL;
}

static enum ir_op narrowing(unsigned width, bool w32)
{
	if (w32)
		return width == 4 ? IR_WIDE : IR_OP_COUNT; /* two operations: not worth it */
	return width == 1 ? IR_ZEXT8 : width == 2 ? IR_ZEXT16 : IR_ZEXT32;
}

/* The load v gives what fact x says; false when that cannot be put in one operation. */
static bool forward_load(struct forward *s, ir_val v, const struct fact *x)
{
	struct ir_ins *i = &s->f->vals.v[v];
	struct ir_type t = ir_type_of(s->f, x->val);
	enum ir_op op;

	if (!x->val) {
		*i = (struct ir_ins){.op = IR_CONST, .type = ir_range(0), .block = i->block,
			.reg = IR_NO_REG, .span = i->span};
		return false;
	}
	if (t.kind == IRT_I64 && ir_rewrite_put(&s->r, v, x->val))
		return true;
	op = narrowing(i->width, t.kind == IRT_I32);
	if (op == IR_OP_COUNT || i->width == 8 ||
		!ir_type_fits(ir_result_type(s->f, op, x->val, IR_NONE), i->type))
		return false;
	*i = (struct ir_ins){.op = (uint16_t)op, .nargs = 1, .args = {x->val}, .block = i->block,
		.type = ir_result_type(s->f, op, x->val, IR_NONE), .reg = IR_NO_REG,
		.span = i->span};
	return false;
}

static bool forward_ins(struct forward *s, struct facts *k, ir_val v)
{
	struct ir_ins *i = &s->f->vals.v[v];
	struct ir_origin o;
	const struct fact *x;

	for (unsigned a = 0; a < i->nargs; a++)
		i->args[a] = ir_rewrite_get(&s->r, i->args[a]);
	if (i->op == IR_LD) {
		o = ir_origin(s->f, i->args[0]);
		x = o.var || !is_slot(s->f, o.root) ? NULL :
			known(k, o.root, o.off + i->imm, i->width);
		return !x || !forward_load(s, v, x);
	}
	forget_writes(s, k, i);
	learn(s, k, i);
	return true;
}

static void forward_block(struct forward *s, ir_blk b)
{
	struct ir_block *blk = &s->f->blocks.v[b];
	struct facts *k = ARENA_NEW(ir_scratch(s->f), struct facts);
	uint32_t n = 0;

	if (s->cfg->preds[b].n == 1)
		*k = *s->out[s->cfg->preds[b].v[0]];
	for (uint32_t i = 0; i < blk->ins.n; i++) {
		if (forward_ins(s, k, blk->ins.v[i]))
			blk->ins.v[n++] = blk->ins.v[i];
	}
	blk->ins.n = n;
	s->out[b] = k;
}

static void forward(struct ir_fn *f, struct ir_cfg *cfg)
{
	struct forward s = {.f = f, .cfg = cfg};

	s.out = ARENA_ARRAY(ir_scratch(f), struct facts *, f->blocks.n);
	ir_rewrite_init(&s.r, f);
	for (uint32_t n = 0; n < cfg->nrpo; n++)
		forward_block(&s, cfg->rpo[n]);
	ir_rewrite_apply(&s.r);
}

/* ---- backward ---- */
struct backward {
	struct ir_fn *f;
	struct ir_cfg *cfg;
	uint32_t *first; /* SLOT value -> its first byte */
	uint32_t nbytes, words;
	uint64_t **in; /* per block: bytes that are read later, at its start */
	uint64_t *set; /* the same, at the place being looked at */
};

static void number_bytes(struct backward *s)
{
	s->first = ARENA_ARRAY(ir_scratch(s->f), uint32_t, s->f->vals.n);
	for (uint32_t n = 0; n < s->cfg->nrpo; n++) {
		const struct ir_block *blk = &s->f->blocks.v[s->cfg->rpo[n]];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (!is_slot(s->f, blk->ins.v[i]))
				continue;
			s->first[blk->ins.v[i]] = s->nbytes;
			s->nbytes += (uint32_t)ir_ins_of(s->f, blk->ins.v[i])->imm;
		}
	}
	s->words = (s->nbytes + 63) / 64;
}

static bool get(const struct backward *s, uint64_t i)
{
	return s->set[i / 64] >> (i % 64) & 1;
}

static void put(struct backward *s, uint64_t from, uint64_t n, bool on)
{
	for (uint64_t i = from; i < from + n; i++) {
		if (on)
			s->set[i / 64] |= (uint64_t)1 << (i % 64);
		else
			s->set[i / 64] &= ~((uint64_t)1 << (i % 64));
	}
}

/* Bytes of an access, clipped to its object; false when it is not one of ours. */
static bool bytes_of(const struct backward *s, const struct ir_access *acc, uint64_t *from,
	uint64_t *n, bool *exact)
{
	struct ir_origin o = ir_origin(s->f, acc->ptr);
	uint64_t size, at;

	if (!is_slot(s->f, o.root))
		return false;
	size = (uint64_t)ir_ins_of(s->f, o.root)->imm;
	at = (uint64_t)(o.off + acc->off);
	*from = s->first[o.root] + at;
	*n = acc->size > size - at || o.var > size - at - acc->size ? size - at : acc->size + o.var;
	*exact = !o.var;
	return true;
}

/* Narrows a ZERO to the 8-byte words that have a byte somebody reads. */
static void shrink(struct backward *s, struct ir_ins *i, uint64_t from, uint64_t n)
{
	uint64_t base = from - (uint64_t)(ir_origin(s->f, i->args[0]).off + i->imm);
	uint64_t lo = from, hi = from + n;

	while (lo < hi && !get(s, lo))
		lo++;
	while (hi > lo && !get(s, hi - 1))
		hi--;
	lo -= (lo - base) % 8;
	hi += (8 - (hi - base) % 8) % 8;
	lo = lo < from ? from : lo;
	hi = hi > from + n ? from + n : hi;
	i->imm += (int64_t)(lo - from);
	i->aux = (uint32_t)(hi - lo);
}

/* False: the store writes what nobody reads. */
static bool needed(struct backward *s, struct ir_ins *i, bool change)
{
	struct ir_access acc[IR_MAX_ARGS];
	unsigned n = ir_accesses(s->f, i, acc);
	uint64_t from, size;
	bool exact, some = false;

	if ((i->op == IR_ST || i->op == IR_ZERO) && bytes_of(s, &acc[0], &from, &size, &exact)) {
		for (uint64_t b = from; b < from + size; b++)
			some |= get(s, b);
		if (!some)
			return false;
		if (change && i->op == IR_ZERO && exact)
			shrink(s, i, from, size);
	}
	for (unsigned a = 0; a < n; a++) {
		if (acc[a].how & ACC_WRITE && !(acc[a].how & ACC_STR) &&
			bytes_of(s, &acc[a], &from, &size, &exact) && exact)
			put(s, from, size, false);
	}
	for (unsigned a = 0; a < n; a++) {
		if (acc[a].how & ACC_READ && bytes_of(s, &acc[a], &from, &size, &exact))
			put(s, from, size, true);
	}
	return true;
}

static void backward_block(struct backward *s, ir_blk b, bool change)
{
	struct ir_block *blk = &s->f->blocks.v[b];
	uint32_t keep = blk->ins.n;

	memset(s->set, 0, sizeof(*s->set) * s->words);
	for (unsigned e = 0; e < blk->term.nedges; e++) {
		for (uint32_t w = 0; w < s->words; w++)
			s->set[w] |= s->in[blk->term.edge[e].to][w];
	}
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		ir_val v = blk->ins.v[i];

		if (needed(s, &s->f->vals.v[v], change) || !change)
			blk->ins.v[--keep] = v;
	}
	if (keep) /* an empty block has no array */
		memmove(blk->ins.v, blk->ins.v + keep, sizeof(*blk->ins.v) * (blk->ins.n - keep));
	blk->ins.n -= keep;
}

static void backward(struct ir_fn *f, struct ir_cfg *cfg)
{
	struct backward s = {.f = f, .cfg = cfg};
	bool changed;

	number_bytes(&s);
	if (!s.nbytes)
		return;
	s.in = ARENA_ARRAY(ir_scratch(f), uint64_t *, f->blocks.n);
	for (uint32_t n = 0; n < cfg->nrpo; n++)
		s.in[cfg->rpo[n]] = ARENA_ARRAY(ir_scratch(f), uint64_t, s.words);
	s.set = ARENA_ARRAY(ir_scratch(f), uint64_t, s.words);
	do {
		changed = false;
		for (uint32_t n = cfg->nrpo; n-- > 0;) {
			ir_blk b = cfg->rpo[n];

			backward_block(&s, b, false);
			changed |= memcmp(s.in[b], s.set, sizeof(*s.set) * s.words) != 0;
			memcpy(s.in[b], s.set, sizeof(*s.set) * s.words);
		}
	} while (changed);
	for (uint32_t n = 0; n < cfg->nrpo; n++)
		backward_block(&s, cfg->rpo[n], true);
}

void ir_opt_slot(struct ir_fn *f)
{
	struct ir_cfg *cfg = ir_cfg_build(f, ir_scratch(f));

	forward(f, cfg);
	backward(f, cfg);
}
