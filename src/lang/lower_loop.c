/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loops. The verifier follows every round, so each loop has a bound it can see. Where the script
 * gives no constant, the bound is as great as the rule about the cost of loops allows
 * (ir_fit_loops, at the end of the program); a loop that is left there although its condition still
 * holds is counted and reported.
 */
#include "lang/lower.h"

struct turns {
	struct lo_rounds r;
	ir_blk latch, done;
	ir_blk outer_break, outer_continue;
	uint32_t outer_owned;
};

static void enter_loop(struct lower *L, struct turns *t, ir_blk on_break, ir_blk on_continue)
{
	t->outer_break = L->loop_break;
	t->outer_continue = L->loop_continue;
	t->outer_owned = L->loop_owned;
	L->loop_break = on_break;
	L->loop_continue = on_continue;
	L->loop_owned = L->owned.n;
}

static void leave_loop(struct lower *L, const struct turns *t)
{
	L->loop_break = t->outer_break;
	L->loop_continue = t->outer_continue;
	L->loop_owned = t->outer_owned;
}

struct lo_rounds lo_rounds_begin(struct lower *L, uint64_t most, ir_blk over)
{
	ir_blk from = ir_here(L->f), body;
	struct lo_rounds r;
	ir_val start;

	r.head = lo_block(L);
	r.counter = ir_param(L->f, r.head, IR_I64);
	start = ir_const(L->f, 0);
	lo_goto(L, r.head);
	ir_edge_arg(L->f, from, 0, start);
	ir_at(L->f, r.head); /* sealed when the way back is known */
	body = lo_block(L);
	r.i = lo_loop(L, r.counter, most, body, over);
	lo_enter(L, body);
	return r;
}

void lo_rounds_end(struct lower *L, const struct lo_rounds *r)
{
	ir_val i = ir_bini(L->f, IR_ADD, r->i, 1);
	ir_blk from = ir_here(L->f);

	lo_goto(L, r->head);
	ir_edge_arg(L->f, from, 0, i);
	ir_seal(L->f, r->head);
}

/* The way back of a loop that can be continued. */
static void end_turns(struct lower *L, const struct turns *t)
{
	lo_goto(L, t->latch);
	lo_enter(L, t->latch);
	lo_rounds_end(L, &t->r);
	lo_forget(L, NULL);
}

static void unroll(struct lower *L, const struct stmt *st)
{
	ir_blk done = lo_block(L);
	struct turns t;

	enter_loop(L, &t, done, IR_NONE);
	for (uint64_t i = 0; i < st->u.loop.cond->const_value; i++) {
		ir_blk next = lo_block(L);

		L->loop_continue = next;
		lo_block_body(L, st->u.loop.body);
		lo_goto(L, next);
		lo_enter(L, next);
	}
	lo_goto(L, done);
	leave_loop(L, &t);
	lo_enter(L, done);
}

/* for ($i : a..b) with constant ends: the one loop form whose end the verifier sees at once. */
static void constant_range(struct lower *L, const struct stmt *st)
{
	uint64_t rounds = L->rounds ? L->rounds : 1;
	int64_t lo = (int64_t)st->u.each.lo->const_value, hi = (int64_t)st->u.each.hi->const_value;
	ir_blk done = lo_block(L);
	struct turns t;

	if (lo >= hi) {
		lo_goto(L, done);
		lo_enter(L, done);
		return;
	}
	/* counts from 0 so that negative ends work, too */
	t.r = lo_rounds_begin(L, (uint64_t)(hi - lo), done);
	t.latch = lo_block(L);
	enter_loop(L, &t, done, t.latch);
	ir_var_write(L->f, st->u.each.var->var->ir_var, ir_bini(L->f, IR_ADD, t.r.i, lo));
	L->rounds = rounds * (uint64_t)(hi - lo);
	lo_block_body(L, st->u.each.body);
	L->rounds = rounds;
	end_turns(L, &t);
	leave_loop(L, &t);
	lo_enter(L, done);
}

/* Behind the bound: counted, unless the loop would have ended there by itself. */
static void begin_open(struct lower *L, struct turns *t, ir_blk *over)
{
	t->done = lo_block(L);
	*over = lo_block(L);
	t->r = lo_rounds_begin(L, LO_ROUNDS_MAX, *over);
	vec_push(L->a, &L->open_loops, t->r.head);
	t->latch = lo_block(L);
	enter_loop(L, t, t->done, t->latch);
}

static void end_open(struct lower *L, struct turns *t, ir_blk lost, const struct stmt *st)
{
	leave_loop(L, t);
	lo_enter(L, lost);
	ir_span(L->f, st->span);
	lo_count(L, MC_LOOP_BOUND, st->span.off);
	lo_goto(L, t->done);
	lo_enter(L, t->done);
}

static void while_loop(struct lower *L, const struct stmt *st)
{
	ir_blk over, inner, lost;
	struct turns t;

	begin_open(L, &t, &over);
	inner = lo_block(L);
	lo_cond(L, st->u.loop.cond, inner, t.done);
	lo_free_slots(L);
	lo_enter(L, inner);
	lo_block_body(L, st->u.loop.body);
	end_turns(L, &t);
	lo_enter(L, over);
	lost = lo_block(L);
	ir_span(L->f, st->u.loop.cond->span);
	lo_cond(L, st->u.loop.cond, lost, t.done);
	lo_free_slots(L);
	end_open(L, &t, lost, st);
}

/* Both ends are read once, before the first turn. */
static void open_range(struct lower *L, const struct stmt *st)
{
	const struct expr *from = st->u.each.lo, *to = st->u.each.hi;
	enum ir_cc below = lt_unsigned_pair(from, to) ? CC_LT : CC_SLT;
	ir_val lo = lo_int(L, from), hi = lo_int(L, to), i;
	ir_blk over, inner, lost;
	struct turns t;

	lo_free_slots(L);
	begin_open(L, &t, &over);
	inner = lo_block(L);
	i = ir_bin(L->f, IR_ADD, t.r.i, lo);
	lo_if(L, below, i, hi, inner, t.done);
	lo_enter(L, inner);
	ir_var_write(L->f, st->u.each.var->var->ir_var, i);
	lo_block_body(L, st->u.each.body);
	end_turns(L, &t);
	lo_enter(L, over);
	lost = lo_block(L);
	i = ir_bin(L->f, IR_ADD, t.r.counter, lo);
	lo_if(L, below, i, hi, lost, t.done);
	end_open(L, &t, lost, st);
}

#define ITER_BYTES 48 /* struct bpf_iter_scx_dsq: six words since it came */

/*
 * Tasks of a queue. The kernel's iterator, on the stack until the loop is left, says when it ends,
 * so no bound is needed.
 */
static void queue_loop(struct lower *L, const struct stmt *st)
{
	const struct var_sym *task = st->u.each.var->var;
	uint32_t type = kbtf_strip(L->m->target->btf, task->type.btf);
	ir_blk head = lo_block(L), body, done;
	struct turns t;
	ir_val args[3], p;

	args[1] = lo_int(L, st->u.each.lo);
	lo_free_slots(L);
	args[0] = ir_slot(L->f, ITER_BYTES);
	ir_zero(L->f, args[0], 0, ITER_BYTES);
	args[2] = ir_const(L->f, 0);
	lo_kfunc(L, "bpf_iter_scx_dsq_new", IR_I64, 3, args);
	vec_push(L->a, &L->owned,
		(struct lo_own){.slot = args[0], .release = "bpf_iter_scx_dsq_destroy"});
	lo_forget(L, NULL);
	lo_goto(L, head);
	ir_at(L->f, head); /* sealed when the way back is known */
	body = lo_block(L);
	done = lo_block(L);
	p = lo_kfunc(L, "bpf_iter_scx_dsq_next",
		ir_nullable(ir_btf_type(L->m, "task_struct", type, 0)), 1, args);
	p = lo_some(L, p, body, done);
	enter_loop(L, &t, done, head);
	lo_enter(L, body);
	ir_var_write(L->f, task->ir_var, p);
	lo_block_body(L, st->u.each.body);
	lo_goto(L, head);
	ir_seal(L->f, head);
	leave_loop(L, &t);
	lo_forget(L, NULL);
	lo_enter(L, done);
	lo_release(L, L->owned.n - 1);
	L->owned.n--;
}

void lo_loop_stmt(struct lower *L, const struct stmt *st)
{
	switch (st->kind) {
	case ST_UNROLL:
		unroll(L, st);
		break;
	case ST_WHILE:
		while_loop(L, st);
		break;
	case ST_FOR_DSQ:
		queue_loop(L, st);
		break;
	default:
		if (lo_for_calls(L, st))
			lo_for_range(L, st);
		else if (st->u.each.lo->is_const && st->u.each.hi->is_const)
			constant_range(L, st);
		else
			open_range(L, st);
		break;
	}
}
