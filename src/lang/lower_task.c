/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values kept per task: let @start = task(); @start[args.p] = nsecs. The kernel hangs them on the
 * task itself (task storage): no hashing, no limit on their number, and they go with the task. The
 * fields of a record, @x[args.p].start = nsecs, lie in one such value, which a program asks for once:
 * where it changes a field it makes the record also for a field that it reads.
 * Maps that check_choose.c found fit for it are kept so, too: there 0 stands for no entry, and the
 * value stays where it is once it was made, so that its address can be used again.
 */
#include "lang/lower.h"
#include <linux/bpf.h>

bool lo_is_task_map(const struct expr *e)
{
	return e->map->task;
}

/* The key: a pointer that the verifier trusts; to none (IR_NONE: not made yet) when it is NULL. */
static ir_val task_of(struct lower *L, const struct expr *e, ir_blk *none)
{
	const struct expr *key = e->u.map.keys.list.v[0];
	ir_val p;

	ir_span(L->f, key->span);
	if (key->kind == EX_NAME && key->ref.kind == REF_BUILTIN)
		return ir_call(L->f, "get_current_task_btf", IR_VOID, 0, NULL);
	p = lo_value(L, key);
	if (!(ir_type_of(L->f, p).flags & IRT_NULLABLE))
		return p;
	if (!*none)
		*none = lo_block(L);
	return lo_not_null(L, p, *none);
}

static ir_val get(struct lower *L, const struct expr *e, ir_val task, uint64_t flags)
{
	ir_val args[4];

	ir_span(L->f, e->span);
	args[0] = ir_map(L->f, e->map->meta);
	args[1] = task;
	args[2] = ir_const(L->f, 0);
	args[3] = ir_const(L->f, (int64_t)flags);
	return ir_call(L->f, "task_storage_get", IR_VOID, 4, args);
}

/* Where the value is, nullable; none: as for task_of(). */
static ir_val find(struct lower *L, const struct expr *e, ir_blk *none, bool make)
{
	bool record = e->map->of || e->map->record;
	ir_val where = record ? lo_seen_at(L, e, make) : IR_NONE;

	if (where)
		return where;
	make |= record && L->probe->sets_fields;
	where = task_of(L, e, none);
	where = get(L, e, where, make ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (record)
		lo_see_at(L, e, where, make);
	return where;
}

ir_val lo_task_lookup(struct lower *L, const struct expr *e, ir_blk *none)
{
	return find(L, e, none, false);
}

ir_val lo_task_read(struct lower *L, const struct expr *e)
{
	struct lo_maybe m = lo_maybe_begin(L);
	ir_val where = find(L, e, &m.done, false), p, v;

	p = lo_maybe_at(L, &m, where);
	v = lo_maybe_end(L, &m, ir_ld(L->f, 8, p, e->map->off));
	lo_see(L, e, v, e->map->by_tid ? where : IR_NONE);
	return v;
}

ir_val lo_task_ensure(struct lower *L, const struct expr *e, ir_blk absent)
{
	ir_val p = find(L, e, &absent, true);
	ir_blk have, full;

	lo_forget(L, e->map);
	have = lo_block(L);
	full = lo_block(L);
	p = lo_some(L, p, have, full);
	lo_enter(L, full);
	lo_count(L, MC_MAP_FULL, e->map->meta);
	lo_goto(L, absent);
	lo_enter(L, have);
	return e->map->off ? ir_off(L->f, p, e->map->off) : p;
}

void lo_task_assign(struct lower *L, const struct expr *target, const struct expr *value)
{
	ir_blk done = lo_block(L);
	ir_val v = lo_int(L, value), p;

	p = lo_task_ensure(L, target, done);
	ir_st(L->f, 8, p, 0, v);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* Stores 0 where there is a value, or in all fields of a record. */
static void unset(struct lower *L, const struct expr *e)
{
	ir_val p = e->map->by_tid ? lo_seen_at(L, e, false) : IR_NONE;
	ir_blk there, done = lo_block(L);

	if (!p && e->map->by_tid)
		p = get(L, e, ir_call(L->f, "get_current_task_btf", IR_VOID, 0, NULL), 0);
	else if (!p)
		p = find(L, e, &done, false);
	lo_forget(L, e->map->record ? NULL : e->map);
	there = lo_block(L);
	p = lo_some(L, p, there, done);
	lo_enter(L, there);
	if (e->map->record)
		ir_zero(L->f, p, 0, 8 * e->map->fields);
	else
		ir_st(L->f, 8, p, e->map->off, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, done);
}

void lo_task_delete(struct lower *L, const struct expr *e)
{
	ir_blk done;
	ir_val args[2];

	if (e->map->by_tid || e->map->of || e->map->record) {
		unset(L, e);
		return;
	}
	lo_forget(L, e->map);
	done = lo_block(L);
	args[1] = task_of(L, e, &done);
	args[0] = ir_map(L->f, e->map->meta);
	ir_call(L->f, "task_storage_delete", IR_VOID, 2, args);
	lo_goto(L, done);
	lo_enter(L, done);
}
