/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Function calls as statements: what goes to user space through the ring buffer, verdicts, the end
 * of the script. No formatting happens in the kernel: a record is an id and raw arguments, written
 * in place into reserved space.
 */
#include "lang/lower.h"
#include <linux/bpf.h>
#include <string.h>

/* Notes about tasks are no events of the script; they are made again. */
static void event_lost(struct lower *L, enum meta_event_type type, ir_blk done)
{
	if (type != ME_SEEN_TASK)
		lo_count(L, MC_LOST_EVENT, L->prog);
	lo_goto(L, done);
}

static void event_head(struct lower *L, ir_val rec, enum meta_event_type type, ir_val id)
{
	ir_st(L->f, 4, rec, 0, ir_const(L->f, (int64_t)type));
	ir_st(L->f, 4, rec, 4, id);
}

struct lo_event lo_event_begin(struct lower *L, enum meta_event_type type, ir_val id, uint32_t size)
{
	struct lo_event ev = {.type = type, .size = size};
	ir_blk space, lost;
	ir_val args[3];

	if (!lo_has_ring(L)) {
		ev.rec = lo_slot(L, size);
		ir_zero(L->f, ev.rec, 0, size); /* all of it is copied */
		event_head(L, ev.rec, type, id);
		return ev;
	}
	space = lo_block(L);
	lost = lo_block(L);
	ev.done = lo_block(L);
	args[0] = ir_map(L->f, lo_ring(L));
	args[1] = ir_const(L->f, size);
	args[2] = ir_const(L->f, 0);
	ev.rec = ir_call(L->f, "ringbuf_reserve", IR_VOID, 3, args);
	ev.rec = lo_some(L, ev.rec, space, lost);
	lo_enter(L, lost);
	event_lost(L, type, ev.done);
	lo_enter(L, space);
	event_head(L, ev.rec, type, id);
	return ev;
}

/* The answer tells of a full buffer (since 5.1), so what is lost is counted as with a ring buffer. */
static void perf_event_end(struct lower *L, struct lo_event ev)
{
	ir_blk lost = lo_block(L);
	ir_val args[5], answer;

	ev.done = lo_block(L);
	args[0] = ir_ctx(L->f);
	args[1] = ir_map(L->f, lo_ring(L));
	args[2] = ir_const(L->f, (int64_t)BPF_F_CURRENT_CPU);
	args[3] = ev.rec;
	args[4] = ir_const(L->f, ev.size);
	answer = ir_call(L->f, "perf_event_output", IR_VOID, 5, args);
	lo_if(L, CC_EQ, answer, ir_const(L->f, 0), ev.done, lost);
	lo_enter(L, lost);
	event_lost(L, ev.type, ev.done);
	lo_enter(L, ev.done);
}

void lo_event_end(struct lower *L, struct lo_event ev)
{
	ir_val args[2];

	if (!lo_has_ring(L)) {
		perf_event_end(L, ev);
		return;
	}
	args[0] = ev.rec;
	args[1] = ir_const(L->f, 0);
	ir_call(L->f, "ringbuf_submit", IR_VOID, 2, args);
	lo_goto(L, ev.done);
	lo_enter(L, ev.done);
}

void lo_event_plain(struct lower *L, enum meta_event_type type, ir_val id)
{
	lo_event_end(L, lo_event_begin(L, type, id, sizeof(struct meta_event)));
}

static void plain_event(struct lower *L, enum meta_event_type type, uint32_t id)
{
	lo_event_plain(L, type, ir_const(L->f, id));
}

/*
 * An argument evaluated before space is reserved. Strings are written straight into the record,
 * except those that read the packet: where a header is missing the statement ends, and a record
 * would never be given back. When an argument changes something, all are evaluated in order.
 */
struct arg {
	const struct expr *e;
	struct meta_field field;
	ir_val v, second;
};

bool lo_has_effect(const struct expr *e)
{
	const struct exprs *list = NULL;

	if (!e)
		return false;
	switch (e->kind) {
	case EX_INCDEC:
	case EX_BLOCK:
		return true;
	case EX_NAME: /* another one each time */
		return !strcmp(e->u.name, "rand");
	case EX_CALL:
		if (e->ref.kind == REF_FUNC &&
			(e->ref.u.builtin == BI_F_RATE || e->ref.u.builtin == BI_F_EVERY ||
				e->ref.u.builtin == BI_F_DELETE))
			return true;
		list = &e->u.call.args;
		break;
	case EX_MAP:
		list = &e->u.map.keys;
		break;
	case EX_UNARY:
		return lo_has_effect(e->u.unary.a);
	case EX_BINARY:
	case EX_IN:
		return lo_has_effect(e->u.binary.a) || lo_has_effect(e->u.binary.b);
	case EX_TERNARY:
		return lo_has_effect(e->u.ternary.cond) || lo_has_effect(e->u.ternary.yes) ||
		       lo_has_effect(e->u.ternary.no);
	case EX_CAST:
		return lo_has_effect(e->u.cast.a);
	case EX_FIELD:
		return lo_has_effect(e->u.field.base);
	case EX_INDEX:
		return lo_has_effect(e->u.index.base) || lo_has_effect(e->u.index.index);
	case EX_SET:
	case EX_TUPLE:
	case EX_RECORD:
		list = &e->u.tuple;
		break;
	default:
		break;
	}
	for (uint32_t i = 0; list && i < list->list.n; i++) {
		if (lo_has_effect(list->list.v[i]))
			return true;
	}
	return e->ref.kind == REF_KFUNC;
}

static ir_val number(struct lower *L, const struct expr *e)
{
	ir_val v = lo_int(L, e);

	return ir_is_ptr(ir_type_of(L->f, v)) ? ir_un(L->f, IR_ADDR, v) : v;
}

static struct arg eval_arg(struct lower *L, const struct expr *e, uint32_t off, bool at_once)
{
	struct arg a = {.e = e, .field = lo_field(L, &e->type, off)};

	if (e->kind == EX_STR)
		a.field.ref = 0; /* all of it is there, also when it fills max_strlen */
	if (lo_is_pair(&e->type)) {
		struct lo_pair p = lo_inet6(L, e);

		a.v = p.lo;
		a.second = p.hi;
	} else if (lo_in_memory(&e->type)) {
		if (at_once || lo_net_reads(e)) {
			a.v = lo_slot(L, lo_room(&e->type));
			lo_store(L, e, &e->type, a.v, 0, true);
		}
	} else if (!lo_is_lasting(e)) { /* else when it is written: no register keeps it until then */
		a.v = number(L, e);
	}
	return a;
}

static void put_arg(struct lower *L, const struct arg *a, ir_val rec)
{
	if (!a->v && !lo_in_memory(&a->e->type)) {
		ir_st(L->f, 8, rec, a->field.off, number(L, a->e));
		return;
	}
	if (lo_in_memory(&a->e->type) && a->v) {
		lo_copy(L, rec, a->field.off, a->v, 0, lo_room(&a->e->type));
		return;
	}
	if (lo_in_memory(&a->e->type)) {
		lo_store(L, a->e, &a->e->type, rec, a->field.off, false);
		return;
	}
	ir_st(L->f, 8, rec, a->field.off, a->v);
	if (a->second)
		ir_st(L->f, 8, rec, a->field.off + 8, a->second);
}

/* A record of one format row with these arguments. */
static void formatted(struct lower *L, enum meta_event_type type, const char *text,
	struct expr *const *args, uint32_t n)
{
	struct meta_format fmt = {.event = type, .text = text, .size = sizeof(struct meta_event)};
	struct arg *evaluated = ARENA_ARRAY(L->a, struct arg, n + 1);
	struct lo_event ev;
	uint32_t id;
	bool at_once = false;

	for (uint32_t i = 0; i < n; i++)
		at_once |= lo_has_effect(args[i]); /* one alone may leave the probe, too */
	for (uint32_t i = 0; i < n; i++) {
		evaluated[i] = eval_arg(L, args[i], fmt.size, at_once);
		vec_push(L->a, &fmt.args, evaluated[i].field);
		fmt.size += lo_room(&args[i]->type);
	}
	id = L->m->meta->formats.n; /* arguments may have formats of their own */
	vec_push(L->a, &L->m->meta->formats, fmt);
	ev = lo_event_begin(L, type, ir_const(L->f, id), fmt.size);
	for (uint32_t i = 0; i < n; i++)
		put_arg(L, &evaluated[i], ev.rec);
	lo_event_end(L, ev);
}

/* errorf() and its like: bpftrace's form of a message, "file:line:first-last: ERROR: text". */
static void told(struct lower *L, const struct expr *e, enum meta_event_type type, const char *what)
{
	struct diag_pos at = diag_locate(L->s->d, e->span.off);
	struct exprs args = e->u.call.args;
	struct buf text;

	buf_init(&text, L->a);
	for (const char *c = at.source ? at.source->name : "script"; *c; c++)
		buf_printf(&text, *c == '%' ? "%%%%" : "%c", *c);
	buf_printf(&text, ":%u:%u-%u: %s: %s\n", at.line, at.col, at.col + e->span.len, what,
		args.list.v[0]->u.str.s);
	formatted(L, type, text.p, args.list.v + 1, args.list.n - 1);
}

static void print_map(struct lower *L, const struct expr *e)
{
	struct expr *const *args = e->u.call.args.list.v;
	uint32_t n = e->u.call.args.list.n;
	ir_val top = ir_const(L->f, n > 1 ? (int64_t)args[1]->const_value : 0);
	ir_val div = ir_const(L->f, n > 2 ? (int64_t)args[2]->const_value : 1);
	ir_val id = ir_const(L->f, args[0]->map->meta);
	struct lo_event ev = lo_event_begin(L, ME_PRINT_MAP, id, sizeof(struct meta_event) + 16);

	ir_st(L->f, 8, ev.rec, 8, top);
	ir_st(L->f, 8, ev.rec, 16, div);
	lo_event_end(L, ev);
}

/* One entry that is no number: user space reads it, by the key in the record. */
static void print_entry(struct lower *L, const struct expr *e)
{
	const struct meta_map *map = &L->m->meta->maps.v[e->map->meta];
	ir_val id = ir_const(L->f, e->map->meta), key = lo_map_key(L, e);
	struct lo_event ev = lo_event_begin(L, ME_PRINT_ENTRY, id,
		(uint32_t)sizeof(struct meta_event) + map->key_size);

	lo_copy(L, ev.rec, sizeof(struct meta_event), key, 0, map->key_size);
	lo_event_end(L, ev);
}

/* print(@x) prints the map; print(@x[k]) and print(1) a value. */
static void print(struct lower *L, const struct expr *e)
{
	const struct expr *what = e->u.call.args.list.v[0];

	if (what->kind == EX_MAP && !what->u.map.keys.list.n)
		print_map(L, e);
	else if (what->kind == EX_MAP && what->type.kind == LT_AGG)
		print_entry(L, what);
	else
		formatted(L, ME_PRINT_VALUE, "", e->u.call.args.list.v, 1);
}

static void end_script(struct lower *L, const struct expr *e)
{
	ir_val code = e->u.call.args.list.n ? lo_int(L, e->u.call.args.list.v[0]) : ir_const(L->f, 0);

	lo_event_end(L, lo_event_begin(L, ME_EXIT, code, sizeof(struct meta_event)));
	lo_release(L, 0);
	lo_end(L);
}

/* delete(@x[k]) and bpftrace's newer delete(@x, k). */
static void delete(struct lower *L, const struct expr *e)
{
	const struct expr *map = e->u.call.args.list.v[0], *with_key = map;

	if (e->u.call.args.list.n > 1)
		with_key = lo_with_keys(L, map, e->u.call.args.list.v[1]);
	if ((map->map->keyed && !with_key->u.map.keys.list.n) ||
		(!map->map->keyed && map->map->agg != MA_NONE))
		plain_event(L, ME_CLEAR_MAP, map->map->meta);
	else
		lo_map_delete(L, with_key);
}

void lo_call_stmt(struct lower *L, const struct expr *e)
{
	struct expr *const *args = e->u.call.args.list.v;
	uint32_t n = e->u.call.args.list.n;

	ir_span(L->f, e->span);
	if (e->ref.kind == REF_KFUNC) {
		lo_kfunc_call(L, e);
		return;
	}
	if (lo_func_stmt(L, e))
		return;
	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_PRINTF:
		formatted(L, ME_PRINTF, args[0]->u.str.s, args + 1, n - 1);
		break;
	case BI_F_CAT:
		formatted(L, ME_CAT, args[0]->u.str.s, args + 1, n - 1);
		break;
	case BI_F_SYSTEM:
		formatted(L, ME_SYSTEM, args[0]->u.str.s, args + 1, n - 1);
		break;
	case BI_F_ERRORF:
		told(L, e, ME_ERRORF, "ERROR");
		break;
	case BI_F_WARNF:
		told(L, e, ME_WARNF, "WARNING");
		break;
	case BI_F_DEBUGF:
		told(L, e, ME_DEBUGF, "DEBUG");
		break;
	case BI_F_JOIN:
		lo_join(L, e);
		break;
	case BI_F_TIME:
		formatted(L, ME_TIME, n ? args[0]->u.str.s : "%H:%M:%S\n", NULL, 0);
		break;
	case BI_F_PRINT:
		print(L, e);
		break;
	case BI_F_CLEAR:
		if (args[0]->map->by_tid) /* at the end: nobody sees what is left */
			break;
		plain_event(L, ME_CLEAR_MAP, args[0]->map->meta);
		break;
	case BI_F_ZERO:
		plain_event(L, ME_ZERO_MAP, args[0]->map->meta);
		break;
	case BI_F_DELETE:
		delete(L, e);
		break;
	case BI_F_EXIT:
		end_script(L, e);
		break;
	case BI_F_DROP:
	case BI_F_PASS:
	case BI_F_TX:
		lo_verdict(L, e);
		break;
	case BI_F_REDIRECT:
		lo_redirect(L, e);
		break;
	case BI_F_REFLECT:
		lo_reflect(L);
		break;
	case BI_F_CAPTURE:
		lo_capture(L, e);
		break;
	default: /* a value nobody uses */
		break;
	}
}
