/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Bytes of stack objects: set before they are read, on every path. Two bits a byte: "set" is what
 * the verifier wants, "defined" is more: bytes behind the end of a copied string are set, but
 * nobody knows to what, and as part of a key they would tell equal strings apart (S10, S11: the
 * verifier does not protect a privileged program from that).
 */
#include "ir/check.h"
#include <string.h>

struct init {
	struct check *c;
	uint32_t *first; /* value (SLOT) -> its first byte */
	uint32_t nbytes, words;
	bits *in;	 /* per block: set, then defined, words each; NULL not reached yet */
};

static void find_slots(struct init *s)
{
	const struct ir_fn *f = s->c->f;

	s->first = ARENA_ARRAY(s->c->a, uint32_t, f->vals.n);
	for (uint32_t n = 0; n < s->c->cfg->nrpo; n++) {
		const struct ir_block *blk = &f->blocks.v[s->c->cfg->rpo[n]];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			const struct ir_ins *ins = ir_ins_of(f, blk->ins.v[i]);

			if (ins->op != IR_SLOT)
				continue;
			s->first[blk->ins.v[i]] = s->nbytes;
			s->nbytes += (uint32_t)ins->imm;
		}
	}
	s->words = bits_words(s->nbytes);
}

static void mark(uint64_t *set, uint64_t from, uint64_t size)
{
	for (uint64_t i = from; i < from + size; i++)
		bits_add(set, (uint32_t)i);
}

static int64_t first_clear(const uint64_t *set, uint64_t from, uint64_t size)
{
	for (uint64_t i = from; i < from + size; i++) {
		if (!bits_has(set, (uint32_t)i))
			return (int64_t)i;
	}
	return -1;
}

static void report(struct init *s, ir_blk b, ir_val v, const struct ir_access *acc, int64_t byte,
	const char *what)
{
	const struct ir_ins *i = ir_ins_of(s->c->f, v);
	ir_val slot = ir_origin(s->c->f, acc->ptr).root;

	if (i->op == IR_CALL)
		check_fail(s->c, b, v, "uninit", "%s: argument %u: byte %lld of %%%u %s",
			kern_helper_by_id(i->aux)->name, acc->arg + 1,
			(long long)(byte - s->first[slot]), s->c->num.val[slot] - 1, what);
	else
		check_fail(s->c, b, v, "uninit", "byte %lld of %%%u %s",
			(long long)(byte - s->first[slot]), s->c->num.val[slot] - 1, what);
}

static void one_access(struct init *s, ir_blk b, ir_val v, const struct ir_access *acc,
	uint64_t *state, bool tell)
{
	struct ir_origin o = ir_origin(s->c->f, acc->ptr);
	const struct ir_ins *slot = ir_ins_of(s->c->f, o.root);
	uint64_t *defined = state + s->words, from, size, end;
	int64_t byte;

	if (slot->op != IR_SLOT)
		return;
	end = s->first[o.root] + (uint64_t)slot->imm;
	from = s->first[o.root] + (uint64_t)(o.off + acc->off);
	size = acc->size + o.var;
	if (from + size > end)
		size = end - from; /* an index's full range; its bounds are checked elsewhere */
	if (tell && acc->how & ACC_READ) {
		byte = first_clear(state, from, size);
		if (byte >= 0)
			report(s, b, v, acc, byte, "is read, but not set on every path");
		else if (acc->how & ACC_WHOLE && (byte = first_clear(defined, from, size)) >= 0)
			report(s, b, v, acc, byte, "may be left over from before (behind a string)");
	}
	if (acc->how & ACC_WRITE && !o.var) {
		mark(state, from, size);
		if (!(acc->how & ACC_STR))
			mark(defined, from, size);
	}
}

static void run_block(struct init *s, ir_blk b, uint64_t *state, bool tell)
{
	const struct ir_block *blk = &s->c->f->blocks.v[b];
	struct ir_access acc[IR_MAX_ARGS];

	for (uint32_t i = 0; i < blk->ins.n; i++) {
		const struct ir_ins *ins = ir_ins_of(s->c->f, blk->ins.v[i]);
		unsigned n = ir_accesses(s->c->f, ins, acc);

		/* All reads of an instruction come before its writes. */
		for (unsigned k = 0; k < n; k++) {
			struct ir_access read = acc[k];

			read.how &= ~(unsigned)ACC_WRITE;
			one_access(s, b, blk->ins.v[i], &read, state, tell);
		}
		for (unsigned k = 0; k < n; k++) {
			acc[k].how &= ACC_WRITE | ACC_STR;
			one_access(s, b, blk->ins.v[i], &acc[k], state, false);
		}
	}
}

/* What holds at the end of from holds in to only as far as it holds on to's other ways in. */
static bool meet(struct init *s, ir_blk to, const uint64_t *state)
{
	bool changed = !s->in[to];

	if (changed) {
		s->in[to] = ARENA_ARRAY(s->c->a, uint64_t, s->words * 2);
		memcpy(s->in[to], state, sizeof(*state) * s->words * 2);
		return true;
	}
	for (uint32_t w = 0; w < s->words * 2; w++) {
		uint64_t both = s->in[to][w] & state[w];

		changed |= both != s->in[to][w];
		s->in[to][w] = both;
	}
	return changed;
}

void check_init(struct check *c)
{
	struct init s = {.c = c};
	uint64_t *state;
	bool changed;

	find_slots(&s);
	if (!s.nbytes)
		return;
	s.in = ARENA_ARRAY(c->a, bits, c->f->blocks.n);
	state = ARENA_ARRAY(c->a, uint64_t, s.words * 2);
	s.in[0] = ARENA_ARRAY(c->a, uint64_t, s.words * 2);
	do {
		changed = false;
		for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
			const struct ir_term *t = &c->f->blocks.v[c->cfg->rpo[n]].term;

			memcpy(state, s.in[c->cfg->rpo[n]], sizeof(*state) * s.words * 2);
			run_block(&s, c->cfg->rpo[n], state, false);
			for (unsigned e = 0; e < t->nedges; e++)
				changed |= meet(&s, t->edge[e].to, state);
		}
	} while (changed);
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		memcpy(state, s.in[c->cfg->rpo[n]], sizeof(*state) * s.words * 2);
		run_block(&s, c->cfg->rpo[n], state, true);
	}
}
