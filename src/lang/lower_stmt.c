/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Statements. A statement that reads a packet field which is not there is passed over. */
#include "lang/lower.h"
#include <errno.h>

#define MAX_ERRNO 4095 /* include/linux/err.h */

static void assign_var(struct lower *L, const struct stmt *st)
{
	const struct expr *target = st->u.assign.target, *value = st->u.assign.value;
	const struct var_sym *var = target->var;
	ir_val v, old;

	if (lo_in_memory(&var->type)) {
		lo_var_write(L, value, var);
		return;
	}
	if (var->type.kind == LT_PTR && var->type.trusted) {
		v = lo_value(L, value);
		if (var->type.owned) /* one variable holds the reference, here and at the release */
			target->var->ir_var = L->owned.v[L->owned.n - 1].var;
		else
			ir_var_write(L->f, var->ir_var, v);
		return;
	}
	if (lo_is_pair(&var->type)) {
		struct lo_pair p = lo_inet6(L, value);

		ir_var_write(L->f, var->ir_var, p.lo);
		ir_var_write(L->f, var->slot, p.hi);
		return;
	}
	old = st->u.assign.compound ? ir_var_read(L->f, var->ir_var) : IR_NONE;
	v = lo_int(L, value); /* which may change the variable: what it held before counts */
	if (st->u.assign.compound) {
		bool uns = st->u.assign.op == BO_SHR ? !target->type.is_signed
						     : lt_unsigned_pair(target, value);

		lo_note_zero(L, st->u.assign.op, value, v);
		v = ir_bin(L->f, lo_arith(st->u.assign.op, !uns), old, v);
	}
	if (ir_is_ptr(ir_type_of(L->f, v)))
		v = ir_un(L->f, IR_ADDR, v);
	ir_var_write(L->f, var->ir_var, v);
}

static void assign(struct lower *L, const struct stmt *st)
{
	const struct expr *target = st->u.assign.target, *value = st->u.assign.value;

	if (target->kind == EX_VAR) {
		assign_var(L, st);
	} else if (target->kind == EX_MAP && st->u.assign.compound) {
		bool uns = st->u.assign.op == BO_SHR ? !target->type.is_signed
						     : lt_unsigned_pair(target, value);
		ir_val v = lo_int(L, value);
		uint32_t step = lo_step(L, &target->type);

		if (step != 1)
			v = ir_bini(L->f, IR_MUL, v, step);
		lo_note_zero(L, st->u.assign.op, value, v);
		lo_map_update_int(L, target, lo_arith(st->u.assign.op, !uns), v);
	} else if (target->kind == EX_MAP) {
		lo_map_assign(L, target, value);
	} else if (target->ref.kind == REF_NET) {
		lo_net_store(L, st);
	} else {
		ir_val v;

		if (st->u.assign.compound) {
			ir_val old = lo_member_int(L, target);

			v = lo_int(L, value);
			lo_note_zero(L, st->u.assign.op, value, v);
			v = ir_bin(L->f, lo_arith(st->u.assign.op, target->type.is_signed), old, v);
		} else {
			v = lo_int(L, value);
		}
		lo_member_store(L, target, v);
	}
}

static void if_else(struct lower *L, const struct stmt *st)
{
	ir_blk done = lo_block(L), yes, no;

	for (;; st = stmt_else_if(st)) {
		yes = lo_block(L);
		no = st->u.cond.no ? lo_block(L) : done;
		ir_span(L->f, st->span);
		lo_cond(L, st->u.cond.cond, yes, no);
		lo_free_slots(L);
		lo_enter(L, yes);
		lo_block_body(L, st->u.cond.yes);
		lo_goto(L, done);
		if (!st->u.cond.no)
			break;
		lo_enter(L, no);
		if (!stmt_else_if(st))
			break;
	}
	if (st->u.cond.no) {
		lo_block_body(L, st->u.cond.no);
		lo_goto(L, done);
	}
	lo_enter(L, done);
}

/*
 * A security hook allows by 0 and denies by a negative error number; the kernel misreads anything
 * else: what is positive allows, what is no error number denies as EPERM.
 */
static void lsm_return(struct lower *L, ir_val v)
{
	ir_blk allow = lo_block(L), deny = lo_block(L), number = lo_block(L), odd = lo_block(L);

	lo_if(L, CC_SGE, v, ir_const(L->f, 0), allow, deny);
	lo_enter(L, allow);
	ir_ret(L->f, ir_const(L->f, 0));
	lo_enter(L, deny);
	lo_if(L, CC_SGE, v, ir_const(L->f, -MAX_ERRNO), number, odd);
	lo_enter(L, odd);
	ir_ret(L->f, ir_const(L->f, -EPERM));
	lo_enter(L, number);
	ir_ret(L->f, v);
}

/* Without a value the probe ends; the program may hold others behind it. */
void lo_give_back(struct lower *L, ir_val v)
{
	lo_release(L, 0);
	if (L->each)
		lo_each_return(L, v);
	else if (v && L->ap->kind == PROBE_LSM)
		lsm_return(L, v);
	else if (v)
		ir_ret(L->f, v);
	else
		lo_goto(L, L->after_probe);
}

static void expr_stmt(struct lower *L, const struct expr *e)
{
	if (e->kind == EX_BLOCK)
		lo_block_value(L, e);
	else if (e->kind == EX_INCDEC && e->u.incdec.target->kind == EX_MAP)
		lo_map_update_int(L, e->u.incdec.target, e->u.incdec.dec ? IR_SUB : IR_ADD,
			ir_const(L->f, lo_step(L, &e->u.incdec.target->type)));
	else if (e->kind == EX_CALL && (e->ref.kind == REF_FUNC || e->ref.kind == REF_KFUNC))
		lo_call_stmt(L, e);
	else if (e->type.kind == LT_INT || e->type.kind == LT_PTR)
		lo_int(L, e);
}

/* A function of the script, in the place of its call. */
static void fn_body(struct lower *L, const struct stmt *st)
{
	ir_blk done = lo_block(L), outer = L->fn_done, on_break = L->loop_break,
	       on_continue = L->loop_continue;
	uint32_t owned = L->fn_owned;

	L->fn_done = done;
	L->fn_owned = L->owned.n;
	L->loop_break = L->loop_continue = IR_NONE;
	lo_block_body(L, st->u.block);
	lo_goto(L, done);
	lo_enter(L, done);
	L->fn_done = outer;
	L->fn_owned = owned;
	L->loop_break = on_break;
	L->loop_continue = on_continue;
}

const struct expr *lo_block_value(struct lower *L, const struct expr *e)
{
	for (; e && e->kind == EX_BLOCK; e = e->u.block.value) { /* the value may be one, too */
		ir_blk never = lo_block(L);

		L->slot_level++;
		lo_block_body(L, e->u.block.body);
		L->slot_level--;
		if (!ir_open(L->f)) /* it has left the probe; what follows is dropped */
			lo_enter(L, never);
	}
	return e;
}

static void return_stmt(struct lower *L, const struct stmt *st)
{
	bool value = st->u.expr && !st->drops;
	ir_val v;

	if (st->in_fn) {
		lo_release(L, L->fn_owned);
		lo_goto(L, L->fn_done);
		return;
	}
	v = value ? lo_int(L, st->u.expr) : IR_NONE;

	if (st->drops)
		expr_stmt(L, st->u.expr);
	lo_give_back(L, v);
}

static void one(struct lower *L, const struct stmt *st)
{
	switch (st->kind) {
	case ST_EXPR:
		expr_stmt(L, st->u.expr);
		break;
	case ST_LET:
		if (!st->u.assign.value)
			break;
		/* fall through */
	case ST_ASSIGN:
		assign(L, st);
		break;
	case ST_IF:
		if_else(L, st);
		break;
	case ST_FOR_RANGE:
	case ST_UNROLL:
	case ST_WHILE:
	case ST_FOR_DSQ:
		lo_loop_stmt(L, st);
		break;
	case ST_FOR_MAP:
		lo_for_map(L, st);
		break;
	case ST_BLOCK:
		lo_block_body(L, st->u.block);
		break;
	case ST_BODY:
		fn_body(L, st);
		break;
	case ST_RETURN:
		return_stmt(L, st);
		break;
	case ST_BREAK:
		lo_release(L, L->loop_owned);
		lo_goto(L, L->loop_break);
		break;
	case ST_CONTINUE:
		lo_release(L, L->loop_owned);
		lo_goto(L, L->loop_continue);
		break;
	default:
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: statement without code");
	}
}

static void lo_stmt(struct lower *L, const struct stmt *st)
{
	ir_blk outer = L->missing, after;

	ir_span(L->f, st->span);
	if (!L->net.used) {
		one(L, st);
		lo_free_slots(L);
		return;
	}
	after = lo_block(L);
	L->missing = after;
	one(L, st);
	L->missing = outer;
	lo_goto(L, after);
	lo_enter(L, after);
	lo_free_slots(L);
}

void lo_block_body(struct lower *L, const struct block *b)
{
	uint32_t held = L->owned.n;

	for (uint32_t i = 0; i < b->list.n && ir_open(L->f); i++)
		lo_stmt(L, b->list.v[i]);
	lo_release(L, held);
	L->owned.n = held;
}
