/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ADDR is a pointer taken as a number. To the verifier it is still a pointer, and arithmetic on it
 * is refused ("pointer arithmetic with >>= operator prohibited"), also after a trip over the stack.
 * Negated twice it is a number to every kernel, for two instructions. Where the pointer itself
 * will do, it costs nothing:
 *   - as an argument that a helper takes as a number, also with a constant added (BTF pointers),
 *     or that a kernel function takes without looking at it;
 *   - in the difference of two packet pointers, no call between;
 *   - stored into a map value or a record.
 */
#include "backend-bpf/mach.h"
#include <string.h>

struct addr {
	const struct ir_fn *f;
	ir_val *root;  /* value -> the ADDR it is, or is a constant away from */
	uint32_t *era; /* ADDR -> calls seen before it, with its block */
	uint32_t calls;
	bool *number;
};

static struct ir_type pointer(const struct addr *s, ir_val root)
{
	return ir_type_of(s->f, ir_ins_of(s->f, root)->args[0]);
}

static bool packet(const struct addr *s, ir_val root)
{
	struct ir_type t = pointer(s, root);

	return t.kind == IRT_PKT || t.kind == IRT_PKTEND;
}

/* bpf_rdonly_cast's parameter is obj__ign: the verifier looks at nothing there. */
static bool ignored_argument(const struct addr *s, const struct ir_ins *i, unsigned k)
{
	return i->op == IR_KCALL && k == 0 &&
		!strcmp(s->f->m->kfuncs.v[i->aux].name, "bpf_rdonly_cast");
}

static bool number_argument(const struct addr *s, const struct ir_ins *i, unsigned k)
{
	const struct kern_helper *h = i->op == IR_CALL ? kern_helper_by_id(i->aux) : NULL;

	if (ignored_argument(s, i, k))
		return true;
	return h && (h->arg[k] == KA_ANY || h->arg[k] == KA_KADDR || h->arg[k] == KA_UADDR) &&
		!packet(s, s->root[i->args[k]]);
}

/* A constant distance from a kernel pointer that is not NULL is such a pointer, too. */
static bool constant_step(const struct addr *s, const struct ir_ins *i, unsigned k)
{
	struct ir_type t = pointer(s, s->root[i->args[k]]);
	uint16_t by = i->nargs == 2 ? ir_ins_of(s->f, i->args[!k])->op : IR_PARAM;

	return i->op == IR_ADD && t.kind == IRT_BTF && !(t.flags & IRT_NULLABLE) &&
		(by == IR_CONST || by == IR_FOFS);
}

static bool difference(const struct addr *s, const struct ir_ins *i)
{
	ir_val a = i->args[0], b = i->args[1];

	return i->op == IR_SUB && s->root[a] == a && s->root[b] == b && packet(s, a) &&
		packet(s, b) && s->era[a] == s->calls && s->era[b] == s->calls;
}

static bool stored(const struct addr *s, const struct ir_ins *i, unsigned k)
{
	struct ir_type t = ir_type_of(s->f, i->args[0]);

	return i->op == IR_ST && k == 1 && i->width == 8 && !packet(s, s->root[i->args[1]]) &&
		(t.kind == IRT_MAPV || t.kind == IRT_REC);
}

static void use(struct addr *s, ir_val v, unsigned k)
{
	const struct ir_ins *i = ir_ins_of(s->f, v);
	ir_val root = s->root[i->args[k]];

	if (!root)
		return;
	if (constant_step(s, i, k))
		s->root[v] = root;
	else if (!number_argument(s, i, k) && !difference(s, i) && !stored(s, i, k))
		s->number[root] = true;
}

static void block(struct addr *s, const struct ir_block *blk)
{
	s->calls++;
	for (uint32_t n = 0; n < blk->ins.n; n++) {
		ir_val v = blk->ins.v[n];
		const struct ir_ins *i = ir_ins_of(s->f, v);

		for (unsigned k = 0; k < i->nargs; k++)
			use(s, v, k);
		if (i->op == IR_CALL || i->op == IR_KCALL)
			s->calls++;
		if (i->op == IR_ADDR) {
			s->root[v] = v;
			s->era[v] = s->calls;
		}
	}
	for (unsigned k = 0; k < (unsigned)ir_term_row(blk->term.op)->nargs; k++)
		s->number[s->root[blk->term.args[k]]] = true;
	for (unsigned e = 0; e < blk->term.nedges; e++) {
		for (uint32_t k = 0; k < blk->term.edge[e].nargs; k++)
			s->number[s->root[blk->term.edge[e].args[k]]] = true;
	}
}

/* Of a difference both sides are pointers, or both are numbers. */
static bool settle_differences(struct addr *s, const struct ir_block *blk)
{
	bool changed = false;

	for (uint32_t n = 0; n < blk->ins.n; n++) {
		const struct ir_ins *i = ir_ins_of(s->f, blk->ins.v[n]);
		ir_val a = s->root[i->args[0]], b = s->root[i->args[1]];

		if (i->op != IR_SUB || !a || !b || s->number[a] == s->number[b])
			continue;
		s->number[a] = s->number[b] = changed = true;
	}
	return changed;
}

bool *isel_addr_numbers(const struct ir_fn *f, const struct ir_cfg *c)
{
	struct arena *a = ir_scratch(f);
	struct addr s = {.f = f, .root = ARENA_ARRAY(a, ir_val, f->vals.n),
		.era = ARENA_ARRAY(a, uint32_t, f->vals.n),
		.number = ARENA_ARRAY(a, bool, f->vals.n)};

	for (uint32_t n = 0; n < c->nrpo; n++)
		block(&s, &f->blocks.v[c->rpo[n]]);
	for (bool again = true; again;) {
		again = false;
		for (uint32_t n = 0; n < c->nrpo; n++)
			again |= settle_differences(&s, &f->blocks.v[c->rpo[n]]);
	}
	return s.number;
}
