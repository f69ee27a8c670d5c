/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The frame: offsets from r10 for stack objects and spill slots. Everything is 8-aligned; spill
 * slots lie together below the objects, so a helper that writes an object never touches a spilled
 * pointer (contract X4). Spill slots that are never needed at the same time share a place
 * (contract X2); objects never do, as a helper may have been given their address.
 *
 * Requires: back_pcopy. Ensures: f->stack <= 512, or a diagnostic that names the largest objects.
 */
#include "backend-bpf/mach.h"
#include <string.h>

struct frame {
	struct ir_fn *f;
	struct back_fn *back;
	VEC(ir_val) spills;
	uint32_t *index; /* value -> its place in spills + 1 */
	uint32_t words;
	uint64_t *in;	  /* block -> spill slots whose contents are wanted where it begins */
	uint64_t *clash;  /* slot -> slots it cannot share with */
};

static uint32_t align8(int64_t n)
{
	return (uint32_t)((n + 7) & ~(int64_t)7);
}

static uint32_t spill_of(const struct frame *fr, const struct ir_ins *i, bool *write)
{
	if (i->op != MACH(STX64) && i->op != MACH(LDX64))
		return 0;
	*write = i->op == MACH(STX64);
	return fr->index[i->args[0]];
}

/* Backwards through b; with mark, notes which slots are wanted together. */
static void block_back(struct frame *fr, ir_blk b, uint64_t *live, bool mark)
{
	const struct ir_block *blk = &fr->f->blocks.v[b];

	for (unsigned e = 0; e < blk->term.nedges; e++) {
		for (uint32_t w = 0; w < fr->words; w++)
			live[w] |= fr->in[(size_t)fr->words * blk->term.edge[e].to + w];
	}
	for (uint32_t i = blk->ins.n; i-- > 0;) {
		bool write = false;
		uint32_t s = spill_of(fr, ir_ins_of(fr->f, blk->ins.v[i]), &write);

		if (!s)
			continue;
		s--;
		if (!write) {
			bit_add(live, s);
			continue;
		}
		bit_del(live, s);
		for (uint32_t w = 0; mark && w < fr->words; w++)
			fr->clash[(size_t)fr->words * s + w] |= live[w];
	}
}

static void find_clashes(struct frame *fr)
{
	struct ir_fn *f = fr->f;
	struct ir_cfg *c = ir_cfg_build(f, ir_scratch(f));
	uint64_t *live = ARENA_ARRAY(ir_scratch(f), uint64_t, fr->words);
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t k = c->nrpo; k-- > 0;) {
			uint64_t *in = fr->in + (size_t)fr->words * c->rpo[k];

			memset(live, 0, fr->words * sizeof(*live));
			block_back(fr, c->rpo[k], live, false);
			if (memcmp(live, in, fr->words * sizeof(*live))) {
				memcpy(in, live, fr->words * sizeof(*live));
				changed = true;
			}
		}
	}
	for (uint32_t k = 0; k < c->nrpo; k++) {
		memset(live, 0, fr->words * sizeof(*live));
		block_back(fr, c->rpo[k], live, true);
	}
}

/* Gives every spill slot the first place that no clashing slot has; returns how many places. */
static uint32_t share_places(struct frame *fr, uint32_t *place)
{
	uint32_t n = fr->spills.n, used = 0;
	bool *taken = ARENA_ARRAY(ir_scratch(fr->f), bool, n + 1);

	for (uint32_t s = 0; s < n; s++) {
		memset(taken, 0, n + 1);
		for (uint32_t o = 0; o < s; o++) {
			if (bit_has(fr->clash + (size_t)fr->words * s, o) ||
				bit_has(fr->clash + (size_t)fr->words * o, s))
				taken[place[o]] = true;
		}
		while (taken[place[s]])
			place[s]++;
		if (place[s] + 1 > used)
			used = place[s] + 1;
	}
	return used;
}

/* Inserts v among the largest objects. */
static void rank(const struct ir_fn *f, ir_val *most, ir_val v)
{
	if (f->vals.v[v].aux != SLOT_OBJECT)
		return;
	for (unsigned k = 0; k < DIAG_SPANS && v; k++) {
		if (!most[k] || f->vals.v[most[k]].imm < f->vals.v[v].imm) {
			ir_val t = most[k];

			most[k] = v;
			v = t;
		}
	}
}

/* Where the message stands when spilled values alone take the space. */
static struct skep_span first_place(const struct ir_fn *f)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b].ins.n; i++) {
			if (f->vals.v[f->blocks.v[b].ins.v[i]].span.off)
				return f->vals.v[f->blocks.v[b].ins.v[i]].span;
		}
	}
	return NO_SPAN;
}

static void too_big(struct frame *fr)
{
	struct ir_fn *f = fr->f;
	ir_val most[DIAG_SPANS] = {0};
	const char *why = "";
	struct skep_span at;
	struct diag *d;

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b].ins.n; i++) {
			if (mach_slot(f, f->blocks.v[b].ins.v[i]))
				rank(f, most, f->blocks.v[b].ins.v[i]);
		}
	}
	if (f->below)
		why = arena_printf(f->a, ", %u of them for what its loops call", f->below);
	at = most[0] && f->vals.v[most[0]].span.off ? f->vals.v[most[0]].span : first_place(f);
	d = diag_error(f->m->diags, at, DIAG_TOO_BIG,
		"program '%s' needs %u bytes of stack%s, the kernel gives %u (%u values do not fit "
		"registers)", f->name, f->stack + f->below, why, BACK_STACK_MAX, fr->spills.n);
	for (unsigned k = 1; k < DIAG_SPANS; k++) {
		const struct ir_ins *o = &f->vals.v[most[k]];

		if (most[k] && o->span.off)
			diag_also(f->m->diags, d, o->span,
				arena_printf(f->a, "%u bytes here", (unsigned)o->imm));
	}
	diag_hint(f->m->diags, d, "use shorter strings or fewer variables, or split the probe");
}

static void place_object(struct frame *fr, ir_val v)
{
	struct ir_fn *f = fr->f;

	if (f->vals.v[v].aux == SLOT_SPILL) {
		vec_push(ir_scratch(f), &fr->spills, v);
		fr->index[v] = fr->spills.n;
		return;
	}
	f->stack += align8(f->vals.v[v].imm);
	fr->back->slot_at.v[v] = -(int32_t)f->stack;
}

void back_frame(struct ir_fn *f)
{
	struct frame fr = {.f = f, .back = back_data(f)};
	uint32_t *place, places;

	fr.index = ARENA_ARRAY(ir_scratch(f), uint32_t, f->vals.n);
	fr.back->slot_at.n = 0;
	vec_reserve(f->a, &fr.back->slot_at, f->vals.n);
	fr.back->slot_at.n = f->vals.n;
	f->stack = 0;
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b].ins.n; i++) {
			if (mach_slot(f, f->blocks.v[b].ins.v[i]))
				place_object(&fr, f->blocks.v[b].ins.v[i]);
		}
	}
	fr.words = (fr.spills.n + 63) / 64;
	fr.in = ARENA_ARRAY(ir_scratch(f), uint64_t, (size_t)fr.words * f->blocks.n);
	fr.clash = ARENA_ARRAY(ir_scratch(f), uint64_t, (size_t)fr.words * fr.spills.n);
	place = ARENA_ARRAY(ir_scratch(f), uint32_t, fr.spills.n);
	find_clashes(&fr);
	places = share_places(&fr, place);
	for (uint32_t s = 0; s < fr.spills.n; s++)
		fr.back->slot_at.v[fr.spills.v[s]] = -(int32_t)(f->stack + 8 * (place[s] + 1));
	f->stack += 8 * places;
	if (((f->stack + 31) & ~31u) + f->below > BACK_STACK_MAX)
		too_big(&fr);
}
