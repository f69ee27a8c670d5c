/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The checker: what it accepts, the verifier of every supported kernel accepts. Rules come from
 * measured programs (docs/verifier-contract.md); each message ends with its rule's name in
 * brackets, docs/ir.md explains them.
 *
 * Here: structure and dominance, which all other rules build on. The machine form is checked for
 * structure only; its meaning is back_verify_alloc's business.
 */
#include "ir/check.h"
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>

#define CHECK_MAX 20 /* messages */

void check_fail(struct check *c, ir_blk b, ir_val v, const char *rule, const char *fmt, ...)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	va_list ap;

	if (c->errors++ >= CHECK_MAX)
		return;
	buf_printf(c->why, "^%u: ", c->num.blk[b] - 1);
	if (v && c->num.val[v])
		buf_printf(c->why, "%%%u = ", c->num.val[v] - 1);
	if (v)
		buf_printf(c->why, "%s: ",
			i->op < IR_OP_COUNT ? ir_op_row(i->op)->text : "machine");
	else
		buf_printf(c->why, "%s: ", ir_term_row(c->f->blocks.v[b].term.op)->text);
	va_start(ap, fmt);
	buf_vprintf(c->why, fmt, ap);
	va_end(ap);
	buf_printf(c->why, " [%s]\n", rule);
}

const char *check_type_text(struct check *c, struct ir_type t)
{
	struct buf text;

	buf_init(&text, c->a);
	ir_print_type(c->m, t, &text);
	return text.p;
}

bool check_kernel(const struct check *c, unsigned major, unsigned minor)
{
	return c->m->target && c->m->target->version >= (major << 16 | minor << 8);
}

/* ---- structure ---- */
static bool bad_ref(const struct check *c, ir_val v)
{
	return v == IR_NONE || v >= c->f->vals.n;
}

/* What bpf_for_each_map_elem gives, or bpf_loop; timers give no frame. */
static bool is_called_back(const struct check *c, const struct ir_block *e)
{
	static const uint8_t each[EACH_PARAMS] = {IRT_MAP, IRT_KEY, IRT_MAPV, IRT_FRAME};
	static const uint8_t round[ROUND_PARAMS] = {IRT_I64, IRT_FRAME};
	const uint8_t *kinds = e->params.n == ROUND_PARAMS ? round : each;

	for (unsigned i = 0; i < e->params.n && i < EACH_PARAMS; i++) {
		struct ir_type t = bad_ref(c, e->params.v[i]) ? IR_VOID : ir_type_of(c->f, e->params.v[i]);

		if (t.kind != kinds[i] || t.flags || (t.kind == IRT_I64 && t.hi != IR_ANY_RANGE))
			return false;
	}
	return e->params.n >= ROUND_PARAMS && e->params.n <= EACH_PARAMS;
}

static void check_entry(struct check *c)
{
	const struct ir_block *e = &c->f->blocks.v[0];

	if (ir_is_sub(c->f) && !is_called_back(c, e))
		check_fail(c, 0, IR_NONE, "entry", "the entry's parameters are no map, key<N>, "
			"mapv<N> (, frame<N>) and no i64, frame<N>");
	else if (!ir_is_sub(c->f) && (e->params.n != 1 || bad_ref(c, e->params.v[0]) ||
		!ir_type_eq(ir_type_of(c->f, e->params.v[0]), ir_ptr(IRT_CTX, c->f->ctx))))
		check_fail(c, 0, IR_NONE, "entry", "the entry's parameter is not the context");
	if (c->cfg->preds[0].n)
		check_fail(c, 0, IR_NONE, "entry", "the entry has a predecessor");
}

/* Notes where v stands; a value stands in one place only. */
static void place(struct check *c, ir_blk b, ir_val v, uint32_t at)
{
	if (bad_ref(c, v)) {
		check_fail(c, b, IR_NONE, "structure", "value %u does not exist", v);
		return;
	}
	if (c->place[v] != UINT32_MAX)
		check_fail(c, b, v, "structure", "stands in two places");
	if (ir_ins_of(c->f, v)->block != b)
		check_fail(c, b, v, "structure", "is noted for another block");
	if ((ir_ins_of(c->f, v)->op == IR_PARAM) != (at == 0))
		check_fail(c, b, v, "structure", "parameters stand at the head, only there");
	if (ir_ins_of(c->f, v)->op < IR_MACHINE && ir_ins_of(c->f, v)->op >= IR_OP_COUNT)
		check_fail(c, b, v, "structure", "operation %u does not exist",
			ir_ins_of(c->f, v)->op);
	c->place[v] = at;
}

static void check_edges(struct check *c, ir_blk b)
{
	const struct ir_term *t = &c->f->blocks.v[b].term;

	if (t->op == IRN_NONE || t->op >= IRN_COUNT) {
		check_fail(c, b, IR_NONE, "structure", "the block does not end");
		return;
	}
	if (t->nedges != ir_term_row(t->op)->nedges)
		check_fail(c, b, IR_NONE, "structure", "%u edges", t->nedges);
	for (unsigned e = 0; e < t->nedges; e++) {
		const struct ir_edge *edge = &t->edge[e];

		if (edge->nargs != c->f->blocks.v[edge->to].params.n)
			check_fail(c, b, IR_NONE, "edge", "%u arguments for the %u parameters of ^%u",
				edge->nargs, c->f->blocks.v[edge->to].params.n,
				c->num.blk[edge->to] - 1);
	}
}

static void check_structure(struct check *c)
{
	const struct ir_fn *f = c->f;

	check_entry(c);
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = &f->blocks.v[b];

		if (c->cfg->order[b] == UINT32_MAX) {
			if (blk->params.n || blk->ins.n || blk->term.op != IRN_NONE)
				check_fail(c, b, IR_NONE, "unreachable", "nothing leads here");
			continue;
		}
		for (uint32_t i = 0; i < blk->params.n; i++)
			place(c, b, blk->params.v[i], 0);
		for (uint32_t i = 0; i < blk->ins.n; i++)
			place(c, b, blk->ins.v[i], i + 1);
		check_edges(c, b);
	}
}

/* ---- dominance ---- */
static void check_use(struct check *c, ir_blk b, ir_val user, uint32_t at, ir_val v)
{
	ir_blk def;

	if (bad_ref(c, v) || c->place[v] == UINT32_MAX) {
		check_fail(c, b, user, "dominance", "operand %u is defined nowhere", v);
		return;
	}
	if (ir_type_of(c->f, v).kind == IRT_VOID) {
		check_fail(c, b, user, "dominance", "operand without a result");
		return;
	}
	def = ir_ins_of(c->f, v)->block;
	if (def == b ? c->place[v] >= at && c->place[v] : !ir_dominates(c->cfg, def, b))
		check_fail(c, b, user, "dominance", "%%%u is not defined on every path to here",
			c->num.val[v] - 1);
}

static void check_dominance(struct check *c)
{
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		ir_blk b = c->cfg->rpo[n];
		const struct ir_block *blk = &c->f->blocks.v[b];
		const struct ir_term *t = &blk->term;

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			const struct ir_ins *ins = ir_ins_of(c->f, blk->ins.v[i]);

			for (unsigned a = 0; a < ins->nargs && a < IR_MAX_ARGS; a++)
				check_use(c, b, blk->ins.v[i], i + 1, ins->args[a]);
		}
		for (int a = 0; a < ir_term_row(t->op)->nargs; a++)
			check_use(c, b, IR_NONE, UINT32_MAX, t->args[a]);
		for (unsigned e = 0; e < t->nedges; e++) {
			for (uint32_t i = 0; i < t->edge[e].nargs; i++)
				check_use(c, b, IR_NONE, UINT32_MAX, t->edge[e].args[i]);
		}
	}
}

/* ---- stack ---- */
static void check_stack(struct check *c)
{
	uint64_t sum = 0;

	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		const struct ir_block *blk = &c->f->blocks.v[c->cfg->rpo[n]];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			const struct ir_ins *ins = ir_ins_of(c->f, blk->ins.v[i]);

			if (ins->op == IR_SLOT)
				sum += ((uint64_t)ins->imm + 7) & ~(uint64_t)7;
		}
	}
	if (c->f->legal && sum > IR_STACK_MAX - IR_STACK_RESERVE)
		check_fail(c, 0, IR_NONE, "stack", "%llu bytes of stack objects, at most %d fit",
			(unsigned long long)sum, IR_STACK_MAX - IR_STACK_RESERVE);
}

static bool edges_in_range(const struct ir_fn *f, struct buf *why)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_term *t = &f->blocks.v[b].term;

		for (unsigned e = 0; e < t->nedges; e++) {
			if (t->nedges > 2 || t->edge[e].to >= f->blocks.n) {
				buf_printf(why, "block %u: bad edge [structure]\n", b);
				return false;
			}
		}
	}
	return true;
}

bool ir_check(const struct ir_fn *f, struct buf *why)
{
	struct check c = {.f = f, .m = f->m, .a = ir_scratch(f), .why = why};

	if (!edges_in_range(f, why))
		return false;
	c.cfg = ir_cfg_build(f, c.a);
	c.num = ir_number(f, c.a);
	c.place = ARENA_ARRAY(c.a, uint32_t, f->vals.n);
	for (uint32_t v = 0; v < f->vals.n; v++)
		c.place[v] = UINT32_MAX;
	check_structure(&c);
	if (c.errors || f->machine)
		return !c.errors;
	check_dominance(&c);
	if (c.errors)
		return false;
	check_types(&c);
	check_stack(&c);
	check_loops(&c);
	if (c.errors) /* what follows relies on types */
		return false;
	check_init(&c);
	check_owned(&c);
	check_packets(&c);
	check_pointers(&c);
	return !c.errors;
}
