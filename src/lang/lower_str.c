/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values in memory: keys, map values and records. Numbers take 8 bytes, strings a multiple of 8,
 * zero-padded wherever bytes are compared (keys) or kept (values, variables).
 */
#include "lang/lower.h"
#include <string.h>

#define COMM_LEN 16 /* TASK_COMM_LEN */

uint32_t lo_room(const struct lt *t)
{
	switch (t->kind) {
	case LT_STR:
		return (t->size + 7) & ~7u;
	case LT_INET6:
	case LT_USYM:
		return 16;
	default:
		return 8;
	}
}

static struct meta_field field_of(uint32_t kind, uint32_t off, uint32_t size)
{
	return (struct meta_field){.kind = kind, .off = off, .size = size};
}

/* The format of a strftime() value, as a row of its own. */
static uint32_t time_format(struct lower *L, const char *text)
{
	struct meta *m = L->m->meta;

	for (uint32_t i = 0; i < m->formats.n; i++) {
		if (m->formats.v[i].event == ME_TIME && !strcmp(m->formats.v[i].text, text))
			return i;
	}
	vec_push(m->a, &m->formats, (struct meta_format){.event = ME_TIME, .text = text,
					     .size = sizeof(struct meta_event)});
	return m->formats.n - 1;
}

struct meta_field lo_field(struct lower *L, const struct lt *t, uint32_t off)
{
	switch (t->kind) {
	case LT_STR:
		return field_of(MK_STR, off, t->size);
	case LT_INET4:
		return field_of(MK_INET4, off, 4);
	case LT_INET6:
		return field_of(MK_INET6, off, 16);
	case LT_MAC:
		return field_of(MK_MAC, off, 6);
	case LT_PROBE:
		return field_of(MK_PROBE, off, 4);
	case LT_PTR:
		return field_of(MK_PTR, off, 8);
	case LT_STACK:
		return (struct meta_field){.kind = t->stack.user ? MK_USTACK : MK_KSTACK,
			.off = off, .size = 8, .ref = lo_stack_row(L, t)};
	case LT_TIME:
		return (struct meta_field){.kind = MK_TIME, .off = off, .size = 8,
			.ref = time_format(L, t->time_fmt)};
	case LT_KSYM:
		return field_of(MK_KSYM, off, 8);
	case LT_USYM:
		return field_of(MK_USYM, off, 16);
	default:
		return field_of(t->is_signed || t->size < 8 ? MK_INT : MK_UINT, off, 8);
	}
}

void lo_copy(struct lower *L, ir_val dst, uint32_t doff, ir_val src, uint32_t soff, uint32_t n)
{
	for (uint32_t i = 0; i < n;) {
		unsigned w = n - i >= 8 ? 8 : n - i >= 4 ? 4 : n - i >= 2 ? 2 : 1;
		ir_val v = ir_ld(L->f, w, src, soff + i);

		ir_st(L->f, w, dst, doff + i, v);
		i += w;
	}
}

static uint64_t word_of(const char *s, uint32_t n, uint32_t at)
{
	uint64_t w = 0;

	for (uint32_t i = 0; i < 8 && at + i < n; i++)
		w |= (uint64_t)(unsigned char)s[at + i] << (8 * i);
	return w;
}

/* Where a string is put: room bytes at p+off; pad: zero all that the string does not fill. */
struct place {
	ir_val p;
	uint32_t off, room;
	bool pad;
};

static void store_literal(struct lower *L, const struct expr *e, const struct place *to)
{
	uint32_t n = e->u.str.n < to->room - 1 ? e->u.str.n : to->room - 1;
	uint32_t end = to->pad ? to->room : (n + 8) & ~7u; /* n and its NUL, rounded up */

	for (uint32_t i = 0; i < end; i += 8) {
		ir_val w = ir_const(L->f, (int64_t)word_of(e->u.str.s, n, i));

		ir_st(L->f, 8, to->p, to->off + i, w);
	}
}

static void zero_place(struct lower *L, const struct place *to, uint32_t from)
{
	if (to->pad && from < to->room)
		ir_zero(L->f, to->p, to->off + from, to->room - from);
}

/* Ends a string that was cut to the place's room, and counts it if something was lost. */
static void end_cut(struct lower *L, const struct place *to)
{
	ir_blk cut = lo_block(L), done = lo_block(L);
	ir_val last = ir_ld(L->f, 1, to->p, to->off + to->room - 1);

	lo_if(L, CC_NE, last, ir_const(L->f, 0), cut, done);
	lo_enter(L, cut);
	ir_st(L->f, 1, to->p, to->off + to->room - 1, ir_const(L->f, 0));
	lo_count(L, MC_STR_CUT, L->prog);
	lo_goto(L, done);
	lo_enter(L, done);
}

static void copy_str(struct lower *L, ir_val src, uint32_t have, const struct place *to)
{
	uint32_t n = have < to->room ? have : to->room;

	lo_copy(L, to->p, to->off, src, 0, n);
	zero_place(L, to, n);
	if (have > to->room) /* the last byte may not be the string's NUL any more */
		end_cut(L, to);
}

/* The name's offset where two loads from the task do what the helper does; 0 where they may not. */
static uint32_t comm_off(const struct lower *L)
{
	struct kbtf *btf = L->m->target->btf;
	struct kbtf_member m;
	uint32_t task;

	/* Before 5.17 a shorter name left the rest of the longer one behind its end. */
	if (L->m->meta->portable || !btf || !target_has(L->m->target, KF_TASK_COMM) ||
		kern_is_packet(L->ap->kind))
		return 0;
	task = kbtf_find_struct(btf, "task_struct");
	if (!task || !kbtf_find_member(btf, task, "comm", &m) || m.bit_off % 64)
		return 0;
	return m.bit_off / 8;
}

static void load_comm(struct lower *L, uint32_t off, const struct place *to)
{
	ir_val task = ir_call(L->f, "get_current_task_btf", IR_VOID, 0, NULL), v;

	for (uint32_t i = 0; i < COMM_LEN; i += 8) {
		v = ir_ldf(L->f, task, ir_add_field(L->m, (struct ir_field){.root = "task_struct",
						.path = "comm", .off = off + i, .size = 8,
						.type = IR_I64}));
		ir_st(L->f, 8, to->p, to->off + i, v);
	}
}

/* The task's name: nine native instructions by loads, 130 by the helper (facts measured on 6.12). */
static void store_comm(struct lower *L, const struct place *to)
{
	bool fits = to->room >= COMM_LEN; /* not with a small config max_strlen */
	uint32_t off = comm_off(L);
	ir_val at, args[2];

	if (fits && off) {
		zero_place(L, to, COMM_LEN);
		load_comm(L, off, to);
		return;
	}
	at = fits ? ir_off(L->f, to->p, to->off) : lo_slot(L, COMM_LEN);
	zero_place(L, to, COMM_LEN);
	args[0] = at;
	args[1] = ir_const(L->f, COMM_LEN);
	ir_call(L->f, "get_current_comm", IR_VOID, 2, args);
	if (!fits)
		copy_str(L, at, COMM_LEN, to);
}

/*
 * The space of an untyped number is unknown: the old helper tells user and kernel addresses apart
 * itself, on every architecture skep runs on (CONFIG_ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE). Only
 * tracing programs have it (bpf_tracing_func_proto); packets and schedulers know the kernel alone.
 */
static const char *read_str_helper(const struct lower *L, const struct lt *t)
{
	bool typed = t->kind == LT_PTR || t->kind == LT_ARRAY;

	if (typed && t->space == SPACE_USER)
		return "probe_read_user_str";
	return typed || kern_is_packet(L->ap->kind) || L->f->ctx == CTX_STRUCT_OPS
		       ? "probe_read_kernel_str"
		       : "probe_read_str";
}

static void read_string(struct lower *L, const char *helper, ir_val addr, uint32_t size,
	const struct place *to)
{
	ir_blk cut = lo_block(L), done = lo_block(L);
	ir_val args[3], got;

	zero_place(L, to, 0);
	if (size > to->room)
		size = to->room;
	args[0] = ir_off(L->f, to->p, to->off);
	args[1] = ir_const(L->f, size);
	args[2] = addr;
	got = ir_call(L->f, helper, IR_VOID, 3, args);
	lo_if(L, CC_EQ, got, ir_const(L->f, size), cut, done);
	lo_enter(L, cut);
	lo_count(L, MC_STR_CUT, L->prog);
	lo_goto(L, done);
	lo_enter(L, done);
}

static void store_str_call(struct lower *L, const struct expr *e, const struct place *to)
{
	const struct expr *ptr = e->u.call.args.list.v[0];
	ir_val addr;

	if (ptr->type.kind == LT_STR) { /* str() of what is a string already */
		lo_store(L, ptr, &ptr->type, to->p, to->off, to->pad);
		return;
	}
	addr = ptr->type.kind == LT_ARRAY ? lo_addr(L, ptr) : lo_int(L, ptr);
	if (ir_is_ptr(ir_type_of(L->f, addr)))
		addr = ir_un(L->f, IR_ADDR, addr);
	read_string(L, read_str_helper(L, &ptr->type), addr, e->type.size, to);
}

static void store_map_str(struct lower *L, const struct expr *e, const struct place *to)
{
	uint32_t room = lo_room(&e->map->value);
	ir_blk there, absent, done;
	ir_val p;

	if (!e->map->keyed) { /* never set: all zero, the empty string */
		copy_str(L, ir_gaddr(L->f, e->map->meta, 0), room, to);
		return;
	}
	p = lo_map_lookup(L, e);
	there = lo_block(L);
	absent = lo_block(L);
	done = lo_block(L);
	p = lo_some(L, p, there, absent);
	lo_enter(L, there);
	copy_str(L, p, room, to);
	lo_goto(L, done);
	lo_enter(L, absent);
	if (to->pad)
		zero_place(L, to, 0);
	else
		ir_st(L->f, 8, to->p, to->off, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, done);
}

static void store_str(struct lower *L, const struct expr *e, const struct place *to);

static void store_either(struct lower *L, const struct expr *e, const struct place *to)
{
	ir_blk yes = lo_block(L), no = lo_block(L), done = lo_block(L);

	lo_cond(L, e->u.ternary.cond, yes, no);
	lo_enter(L, yes);
	store_str(L, e->u.ternary.yes, to);
	lo_goto(L, done);
	lo_enter(L, no);
	store_str(L, e->u.ternary.no, to);
	lo_goto(L, done);
	lo_enter(L, done);
}

static void store_member_str(struct lower *L, const struct expr *e, const struct place *to)
{
	read_string(L, e->type.space == SPACE_USER ? "probe_read_user_str" : "probe_read_kernel_str",
		lo_addr(L, e), e->type.size, to);
}

static void store_tp_str(struct lower *L, const struct tp_field *f, uint32_t size,
	const struct place *to)
{
	if (f->data_loc) {
		read_string(L, "probe_read_kernel_str", lo_tp_data(L, f), size, to);
		return;
	}
	zero_place(L, to, f->size);
	lo_tp_bytes(L, f, to->p, to->off, f->size < to->room ? f->size : to->room);
	if (f->size > to->room)
		end_cut(L, to);
}

static void store_str(struct lower *L, const struct expr *e, const struct place *to)
{
	ir_span(L->f, e->span);
	if (e->kind == EX_STR)
		store_literal(L, e, to);
	else if (e->kind == EX_VAR)
		copy_str(L, e->var->slot, lo_room(&e->var->type), to);
	else if (e->kind == EX_MAP)
		store_map_str(L, e, to);
	else if (e->kind == EX_TERNARY)
		store_either(L, e, to);
	else if (e->ref.kind == REF_FUNC)
		store_str_call(L, e, to);
	else if (e->ref.kind == REF_BUILTIN)
		store_comm(L, to);
	else if (e->ref.kind == REF_TPFIELD)
		store_tp_str(L, e->ref.u.tp, e->type.size, to);
	else
		store_member_str(L, e, to);
}

void lo_store(struct lower *L, const struct expr *e, const struct lt *t, ir_val p, uint32_t off,
	bool pad)
{
	struct place to = {p, off, lo_room(t), pad};
	struct lo_pair pair;
	ir_val v;

	if (t->kind == LT_STR) {
		store_str(L, e, &to);
		return;
	}
	if (lo_is_pair(t)) {
		pair = lo_inet6(L, e);
		ir_st(L->f, 8, p, off, pair.lo);
		ir_st(L->f, 8, p, off + 8, pair.hi);
		return;
	}
	v = lo_int(L, e);
	if (ir_is_ptr(ir_type_of(L->f, v)))
		v = ir_un(L->f, IR_ADDR, v);
	ir_st(L->f, 8, p, off, v);
}

ir_val lo_str(struct lower *L, const struct expr *e, uint32_t *size)
{
	ir_val slot;

	*size = lo_room(&e->type);
	if (e->kind == EX_VAR) {
		*size = lo_room(&e->var->type);
		return e->var->slot;
	}
	slot = lo_slot(L, *size);
	lo_store(L, e, &e->type, slot, 0, true);
	return slot;
}

void lo_str_var_write(struct lower *L, const struct expr *e, const struct var_sym *v)
{
	/* Through a copy of the variable's size: the expression may read the variable it changes. */
	uint32_t room = lo_room(&v->type);
	struct place to = {v->slot, 0, room, true};
	ir_val tmp;

	if (e->kind == EX_VAR) {
		if (e->var != v)
			copy_str(L, e->var->slot, lo_room(&e->var->type), &to);
		return;
	}
	tmp = lo_slot(L, room);
	lo_store(L, e, &v->type, tmp, 0, true);
	copy_str(L, tmp, room, &to);
}

/* Words a and b from some load; goes to ne when they differ, falls through otherwise. */
static void word_equal(struct lower *L, ir_val a, ir_val b, ir_blk ne)
{
	ir_blk same = lo_block(L);

	lo_if(L, CC_EQ, a, b, same, ne);
	lo_enter(L, same);
}

static void cmp_literal(struct lower *L, const struct expr *e, const struct expr *lit, ir_blk eq,
	ir_blk ne)
{
	uint32_t n = lit->u.str.n + 1, have;
	ir_val p;

	if (n > e->type.size && e->kind != EX_VAR) { /* longer than the string can ever be */
		lo_goto(L, ne);
		return;
	}
	p = lo_str(L, e, &have);
	if (n > have) {
		lo_goto(L, ne);
		return;
	}
	for (uint32_t i = 0; i < n;) {
		unsigned w = n - i >= 8 ? 8 : n - i >= 4 ? 4 : n - i >= 2 ? 2 : 1;
		uint64_t want = word_of(lit->u.str.s, lit->u.str.n, i);
		ir_val v = ir_ld(L->f, w, p, i);

		if (w < 8)
			want &= (1ull << (8 * w)) - 1;
		word_equal(L, v, ir_const(L->f, (int64_t)want), ne);
		i += w;
	}
	lo_goto(L, eq);
}

void lo_str_cmp(struct lower *L, const struct expr *a, const struct expr *b, ir_blk eq, ir_blk ne)
{
	uint32_t na, nb;
	ir_val pa, pb;

	if (b->kind == EX_STR) {
		cmp_literal(L, a, b, eq, ne);
		return;
	}
	if (a->kind == EX_STR) {
		cmp_literal(L, b, a, eq, ne);
		return;
	}
	pa = lo_str(L, a, &na);
	pb = lo_str(L, b, &nb);
	for (uint32_t i = 0; i < na || i < nb; i += 8) { /* both zero-padded */
		ir_val va = i < na ? ir_ld(L->f, 8, pa, i) : ir_const(L->f, 0);
		ir_val vb = i < nb ? ir_ld(L->f, 8, pb, i) : ir_const(L->f, 0);

		word_equal(L, va, vb, ne);
	}
	lo_goto(L, eq);
}
