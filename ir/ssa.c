/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From variables to values while a function is built, after Braun, Buchwald, Hack et al., "Simple
 * and Efficient Construction of Static Single Assignment Form" (2013). A read in a block that does
 * not write the variable asks its predecessors; where several meet, or where not all are known
 * yet, it makes a parameter. ir_finish hands these parameters to their blocks, after which those
 * that only ever receive one value are taken out.
 */
#include "ir/build.h"
#include "ir/rewrite.h"
#include <string.h>

#define SOLE_STEPS 32

/* The variable's value at the end of block b; IR_NONE unknown. */
static ir_val *def_of(struct ir_fn *f, unsigned var, ir_blk b)
{
	struct ir_build *s = ir_building(f);

	if (var >= s->vars.n)
		ir_bug(f, "variable %u does not exist", var);
	if (s->defs_cap < f->blocks.n) {
		uint32_t cap = f->blocks.n * 2;

		for (uint32_t i = 0; i < s->defs.n; i++)
			s->defs.v[i] = arena_grow(f->a, s->defs.v[i],
				sizeof(ir_val) * s->defs_cap, sizeof(ir_val) * cap);
		s->defs_cap = cap;
	}
	return &s->defs.v[var][b];
}

unsigned ir_var_new(struct ir_fn *f, struct ir_type t)
{
	struct ir_build *s = ir_building(f);

	vec_push(f->a, &s->vars, t);
	vec_push(f->a, &s->defs, ARENA_ARRAY(f->a, ir_val, s->defs_cap));
	return s->vars.n - 1;
}

void ir_var_write(struct ir_fn *f, unsigned var, ir_val v)
{
	ir_val *def = def_of(f, var, ir_here(f));

	if (!ir_type_fits(ir_type_of(f, v), f->build->vars.v[var]))
		ir_bug(f, "value %u does not fit variable %u", v, var);
	*def = v;
}

/* Any value the variable has somewhere, for code that is never reached and will be dropped. */
static ir_val any_value(struct ir_fn *f, unsigned var)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		if (*def_of(f, var, b))
			return *def_of(f, var, b);
	}
	return IR_NONE;
}

/* What a variable holds where nobody wrote it: 0, defined in the entry. */
static ir_val unwritten(struct ir_fn *f, unsigned var, ir_blk at)
{
	struct ir_build *s = f->build;
	struct ir_type t = s->vars.v[var];
	struct ir_block *entry = &f->blocks.v[0];
	ir_val v = at && ir_is_ptr(t) ? any_value(f, var) : IR_NONE;

	if (v)
		return v;
	if (ir_is_ptr(t) || t.kind == IRT_VOID)
		ir_bug(f, "variable %u, a pointer, is read before it is written", var);
	v = ir_new_ins(f, (struct ir_ins){.op = IR_CONST,
		.type = t.kind == IRT_I32 ? IR_I32 : ir_range(0)});
	vec_push(f->a, &entry->ins, v);
	memmove(entry->ins.v + s->nslots + 1, entry->ins.v + s->nslots,
		sizeof(*entry->ins.v) * (entry->ins.n - 1 - s->nslots));
	entry->ins.v[s->nslots] = v;
	return v;
}

static uint32_t new_phi(struct ir_fn *f, unsigned var, ir_blk b)
{
	struct ir_build *s = f->build;
	ir_val v = ir_new_ins(f, (struct ir_ins){.op = IR_PARAM, .type = s->vars.v[var],
		.block = b, .span = s->span});

	vec_push(f->a, &s->phis, (struct ir_phi){.block = b, .var = var, .val = v});
	vec_push(f->a, &s->blocks.v[b].phis, s->phis.n - 1);
	*def_of(f, var, b) = v;
	return s->phis.n - 1;
}

static ir_val read_at(struct ir_fn *f, unsigned var, ir_blk b);

static void fill_phi(struct ir_fn *f, uint32_t phi)
{
	struct ir_build *s = f->build;
	ir_blk b = s->phis.v[phi].block;

	for (uint32_t i = 0; i < s->blocks.v[b].preds.n; i++) {
		ir_val v = read_at(f, s->phis.v[phi].var, s->blocks.v[b].preds.v[i].from);

		vec_push(f->a, &s->phis.v[phi].args, v);
	}
}

static ir_val read_at(struct ir_fn *f, unsigned var, ir_blk b)
{
	struct ir_build *s = ir_building(f);
	ir_blk at = b;
	ir_val v;

	/* Up through blocks with one predecessor, without recursion: scripts make long chains. */
	while (!*def_of(f, var, at) && f->blocks.v[at].sealed && s->blocks.v[at].preds.n == 1)
		at = s->blocks.v[at].preds.v[0].from;
	v = *def_of(f, var, at);
	if (!v && f->blocks.v[at].sealed && !s->blocks.v[at].preds.n)
		v = unwritten(f, var, at);
	if (!v) {
		uint32_t phi = new_phi(f, var, at);

		v = s->phis.v[phi].val;
		if (f->blocks.v[at].sealed)
			fill_phi(f, phi);
	}
	*def_of(f, var, at) = v;
	while (b != at) {
		*def_of(f, var, b) = v;
		b = s->blocks.v[b].preds.v[0].from;
	}
	return v;
}

ir_val ir_var_read(struct ir_fn *f, unsigned var)
{
	return read_at(f, var, ir_here(f));
}

/* A parameter that gets the same value from everywhere is that value. */
static ir_val sole_value(struct ir_fn *f, ir_val v)
{
	struct ir_build *s = f->build;
	ir_blk b = f->vals.v[v].block;

	if (f->vals.v[v].op != IR_PARAM || !f->blocks.v[b].sealed)
		return v;
	for (uint32_t i = 0; i < s->blocks.v[b].phis.n; i++) {
		const struct ir_phi *phi = &s->phis.v[s->blocks.v[b].phis.v[i]];
		uint32_t n = phi->val == v ? phi->args.n : 0;

		while (n && phi->args.v[n - 1] == phi->args.v[0])
			n--;
		if (phi->val == v && phi->args.n && !n)
			return phi->args.v[0];
	}
	return v;
}

ir_val ir_var_value(struct ir_fn *f, unsigned var)
{
	ir_val v = ir_var_read(f, var);

	for (unsigned i = 0; i < SOLE_STEPS; i++) /* in code never reached they may go in a circle */
		v = sole_value(f, v);
	return v;
}

void ir_add_pred(struct ir_fn *f, ir_blk from, unsigned edge)
{
	ir_blk to = f->blocks.v[from].term.edge[edge].to;

	if (f->blocks.v[to].sealed)
		ir_bug(f, "edge from block %u into sealed block %u", from, to);
	vec_push(f->a, &f->build->blocks.v[to].preds, (struct ir_pred){from, edge});
}

void ir_seal(struct ir_fn *f, ir_blk b)
{
	struct ir_build *s = ir_building(f);

	if (f->blocks.v[b].sealed)
		return;
	f->blocks.v[b].sealed = true;
	for (uint32_t i = 0; i < s->blocks.v[b].phis.n; i++)
		fill_phi(f, s->blocks.v[b].phis.v[i]);
}

void ir_finish(struct ir_fn *f)
{
	struct ir_build *s = ir_building(f);

	for (ir_blk b = 0; b < f->blocks.n; b++)
		ir_seal(f, b);
	for (uint32_t i = 0; i < s->phis.n; i++) {
		const struct ir_phi *phi = &s->phis.v[i];

		vec_push(f->a, &f->blocks.v[phi->block].params, phi->val);
		for (uint32_t p = 0; p < phi->args.n; p++) {
			struct ir_pred from = s->blocks.v[phi->block].preds.v[p];

			ir_edge_arg(f, from.from, from.edge, phi->args.v[p]);
		}
	}
	f->build = NULL;
	ir_drop_unreachable(f);
	ir_drop_trivial_params(f);
}
