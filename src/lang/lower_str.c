/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Strings: where they come from, comparing them. See lower_value.c. */
#include "lang/lower.h"
#include <string.h>

#define COMM_LEN 16 /* TASK_COMM_LEN */

static uint64_t word_of(const char *s, uint32_t n, uint32_t at)
{
	uint64_t w = 0;

	for (uint32_t i = 0; i < 8 && at + i < n; i++)
		w |= (uint64_t)(unsigned char)s[at + i] << (8 * i);
	return w;
}

static void store_literal(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	uint32_t n = e->u.str.n < to->room - 1 ? e->u.str.n : to->room - 1;
	uint32_t end = to->pad ? to->room : (n + 8) & ~7u; /* n and its NUL, rounded up */

	for (uint32_t i = 0; i < end; i += 8) {
		ir_val w = ir_const(L->f, (int64_t)word_of(e->u.str.s, n, i));

		ir_st(L->f, 8, to->p, to->off + i, w);
	}
}

static void store_text(struct lower *L, const char *text, const struct lo_place *to)
{
	struct expr e = {.kind = EX_STR};

	e.u.str.s = text;
	e.u.str.n = (uint32_t)strlen(text);
	store_literal(L, &e, to);
}

void lo_zero_place(struct lower *L, const struct lo_place *to, uint32_t from)
{
	if (to->pad && from < to->room)
		ir_zero(L->f, to->p, to->off + from, to->room - from);
}

/* Ends a string that was cut to the place's room, and counts it if something was lost. */
static void end_cut(struct lower *L, const struct lo_place *to)
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

/*
 * A char array of the kernel may hold anything behind its NUL; where a string is kept it becomes
 * zero, as the words are compared there. Of the bytes that are zero the trick finds the first.
 */
void lo_clean_str(struct lower *L, const struct lo_place *to, uint32_t n)
{
	struct ir_fn *f = L->f;
	ir_val keep = IR_NONE;

	for (uint32_t i = 0; to->pad && i < n; i += 8) {
		ir_val w = ir_ld(f, 8, to->p, to->off + i), nuls, first;

		nuls = ir_bini(f, IR_ADD, w, (int64_t)-0x0101010101010101ull);
		nuls = ir_bin(f, IR_AND, nuls, ir_bini(f, IR_XOR, w, -1));
		nuls = ir_bini(f, IR_AND, nuls, (int64_t)0x8080808080808080ull);
		first = ir_bin(f, IR_AND, nuls, ir_bin(f, IR_SUB, ir_const(f, 0), nuls));
		first = ir_bini(f, IR_ADD, ir_bini(f, IR_LSHR, first, 7), -1);
		w = ir_bin(f, IR_AND, w, first);
		if (keep)
			w = ir_bin(f, IR_AND, w, keep);
		ir_st(f, 8, to->p, to->off + i, w);
		nuls = ir_bini(f, IR_LSHR, ir_bin(f, IR_OR, nuls, ir_bin(f, IR_SUB, ir_const(f, 0), nuls)), 63);
		nuls = ir_bini(f, IR_ADD, nuls, -1); /* all ones when there was none */
		keep = keep ? ir_bin(f, IR_AND, keep, nuls) : nuls;
	}
}

void lo_copy_str(struct lower *L, ir_val src, uint32_t soff, uint32_t have, const struct lo_place *to)
{
	uint32_t n = have < to->room ? have : to->room;

	lo_copy(L, to->p, to->off, src, soff, n);
	lo_zero_place(L, to, n);
	if (have > to->room) /* the last byte may not be the string's NUL any more */
		end_cut(L, to);
}

/* The task's name: nine native instructions by loads, 130 by the helper (facts measured on 6.12). */
static void store_comm(struct lower *L, const struct lo_place *to)
{
	bool fits = to->room >= COMM_LEN; /* not with a small config max_strlen */
	ir_val at, args[2];

	if (fits && lo_loads_task(L)) {
		lo_zero_place(L, to, COMM_LEN);
		for (uint32_t i = 0; i < COMM_LEN; i += 8)
			ir_st(L->f, 8, to->p, to->off + i, lo_task_member(L, "comm", i, 8));
		return;
	}
	at = fits ? ir_off(L->f, to->p, to->off) : lo_slot(L, COMM_LEN);
	lo_zero_place(L, to, COMM_LEN);
	args[0] = at;
	args[1] = ir_const(L->f, COMM_LEN);
	ir_call(L->f, "get_current_comm", IR_VOID, 2, args);
	if (!fits)
		lo_copy_str(L, at, 0, COMM_LEN, to);
}

/*
 * The space of an untyped number is unknown: the old helper tells user and kernel addresses apart
 * itself, on every architecture skep runs on (CONFIG_ARCH_HAS_NON_OVERLAPPING_ADDRESS_SPACE). Only
 * tracing programs have it (bpf_tracing_func_proto); packets and schedulers know the kernel alone.
 */
static const char *read_str_helper(const struct lower *L, const struct lt *t)
{
	bool typed = t->kind == LT_PTR || t->kind == LT_ARRAY;

	if (typed ? t->space == SPACE_USER : kern_is_user(L->ap->kind))
		return "probe_read_user_str";
	return typed || kern_is_packet(L->ap->kind) || L->f->ctx == CTX_STRUCT_OPS
		       ? "probe_read_kernel_str"
		       : "probe_read_str";
}

/* limit: bytes the script asked for, or IR_NONE; what it did not ask for is not counted as lost. */
static void read_string(struct lower *L, const char *helper, ir_val addr, uint32_t size,
	ir_val limit, const struct lo_place *to)
{
	ir_blk cut, done;
	ir_val args[3], got;
	bool whole = size <= to->room;

	lo_zero_place(L, to, 0);
	if (!whole)
		size = to->room;
	args[0] = ir_off(L->f, to->p, to->off);
	args[1] = limit && !ir_is_const(L->f, limit)
			  ? lo_at_most(L, ir_bini(L->f, IR_ADD, limit, 1), size)
			  : ir_const(L->f, size);
	args[2] = addr;
	got = ir_call(L->f, helper, IR_VOID, 3, args);
	lo_check_read(L, got);
	if (limit && whole)
		return;
	cut = lo_block(L);
	done = lo_block(L);
	lo_if(L, CC_EQ, got, ir_const(L->f, size), cut, done);
	lo_enter(L, cut);
	lo_count(L, MC_STR_CUT, L->prog);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* The first size - 1 bytes of a string and a NUL. */
static void store_cut(struct lower *L, const struct expr *e, uint32_t size, const struct lo_place *to)
{
	uint32_t have, room = (size + 7) & ~7u, last = size - 1;
	ir_val p, v;

	if (e->type.size <= size && lo_room(&e->type) <= to->room) {
		lo_store(L, e, &e->type, to->p, to->off, to->pad);
		lo_zero_place(L, to, lo_room(&e->type));
		return;
	}
	p = lo_str(L, e, &have);
	if (e->type.size <= size || room > to->room) { /* the place is what cuts it */
		lo_copy_str(L, p, 0, have, to);
		return;
	}
	lo_zero_place(L, to, 0);
	lo_copy(L, to->p, to->off, p, 0, room);
	v = ir_ld(L->f, 8, p, last & ~7u); /* the word with the new end: nothing behind it */
	v = ir_bini(L->f, IR_AND, v, (int64_t)((1ull << (last % 8 * 8)) - 1));
	ir_st(L->f, 8, to->p, to->off + (last & ~7u), v);
}

/* The first n bytes of an array that the script keeps, up to the first zero. */
static void array_text(struct lower *L, const struct expr *e, uint32_t n, const struct lo_place *to)
{
	struct lo_place padded = {to->p, to->off, to->room, true};
	struct lo_mem m = lo_mem(L, e);

	n = n < e->type.size ? n : e->type.size;
	lo_copy_str(L, m.p, m.off, n, &padded);
	lo_clean_str(L, &padded, n < to->room ? n : to->room);
}

static void store_str_call(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	const struct expr *ptr = e->u.call.args.list.v[0];
	const struct expr *n = e->u.call.args.list.n > 1 ? e->u.call.args.list.v[1] : NULL;
	ir_val addr, limit = IR_NONE;

	if (ptr->type.kind == LT_STR) { /* str() of what is a string already */
		store_cut(L, ptr, e->type.size, to);
		return;
	}
	if (ptr->type.kind == LT_ARRAY && ptr->type.local) {
		array_text(L, ptr, e->type.size - 1, to);
		return;
	}
	if (n)
		limit = lo_int(L, n);
	else if (ptr->type.kind == LT_ARRAY)
		limit = ir_const(L->f, ptr->type.size);
	addr = ptr->type.kind == LT_ARRAY ? lo_addr(L, ptr) : lo_int(L, ptr);
	if (ir_is_ptr(ir_type_of(L->f, addr)))
		addr = ir_un(L->f, IR_ADDR, addr);
	read_string(L, read_str_helper(L, &ptr->type), addr, e->type.size, limit, to);
}

static void store_member_str(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	read_string(L, e->type.space == SPACE_USER ? "probe_read_user_str" : "probe_read_kernel_str",
		lo_addr(L, e), e->type.size, ir_const(L->f, e->type.size), to);
}

static void store_tp_str(struct lower *L, const struct tp_field *f, uint32_t size,
	const struct lo_place *to)
{
	if (f->data_loc) {
		read_string(L, "probe_read_kernel_str", lo_tp_data(L, f), size, IR_NONE, to);
		return;
	}
	lo_zero_place(L, to, f->size);
	lo_tp_bytes(L, f, to->p, to->off, f->size < to->room ? f->size : to->room);
	lo_clean_str(L, to, f->size < to->room ? f->size : to->room);
	if (f->size > to->room)
		end_cut(L, to);
}

/* The first n bytes of a path that lies in a slot; what the helper left behind them is no text. */
static void copy_path(struct lower *L, ir_val slot, uint32_t room, ir_val n, const struct lo_place *to)
{
	uint32_t most = room < to->room ? room : to->room;
	ir_blk done = lo_block(L);
	ir_val v, bits;

	for (uint32_t i = 0; i < most; i += 8) {
		ir_blk more = lo_block(L), whole = lo_block(L), part = lo_block(L);

		lo_if(L, CC_SGT, n, ir_const(L->f, i), more, done);
		lo_enter(L, more);
		v = ir_ld(L->f, 8, slot, i);
		lo_if(L, CC_SGE, n, ir_const(L->f, i + 8), whole, part);
		lo_enter(L, part);
		bits = ir_bini(L->f, IR_SHL, ir_bini(L->f, IR_AND, n, 7), 3);
		bits = ir_bin(L->f, IR_SHL, ir_const(L->f, 1), bits);
		bits = ir_bin(L->f, IR_AND, v, ir_bini(L->f, IR_ADD, bits, -1));
		ir_st(L->f, 8, to->p, to->off + i, bits);
		lo_goto(L, done);
		lo_enter(L, whole);
		ir_st(L->f, 8, to->p, to->off + i, v);
	}
	lo_goto(L, done);
	lo_enter(L, done);
	if (room > to->room)
		end_cut(L, to);
}

static void store_path(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	const struct expr *path = e->u.call.args.list.v[0];
	uint32_t size = e->type.size, room = (size + 7) & ~7u;
	ir_blk none = lo_block(L), got = lo_block(L), done = lo_block(L);
	bool direct = !to->pad && size <= to->room;
	ir_val args[3], n;

	args[0] = path->type.kind == LT_PTR ? lo_int(L, path) : lo_addr(L, path);
	args[1] = direct ? ir_off(L->f, to->p, to->off) : lo_slot(L, room);
	args[2] = ir_const(L->f, size);
	if (!direct) {
		ir_zero(L->f, args[1], 0, room);
		lo_zero_place(L, to, 0);
	}
	n = ir_call(L->f, "d_path", IR_VOID, 3, args);
	lo_if(L, CC_SLT, n, ir_const(L->f, 0), none, got);
	lo_enter(L, got);
	if (!direct)
		copy_path(L, args[1], room, n, to);
	lo_goto(L, done);
	lo_enter(L, none); /* it does not fit */
	ir_st(L->f, 8, to->p, to->off, ir_const(L->f, 0));
	lo_count(L, MC_STR_CUT, L->prog);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* As bpftrace says it: what no event of the system runs is "special". */
static const char *probe_type(const struct kern_probe *p)
{
	return p->parts == PP_NONE || p->parts == PP_SIGNAL ? "special" : p->name;
}

void lo_store_str(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	if (e->kind == EX_STR)
		store_literal(L, e, to);
	else if (e->ref.kind == REF_FUNC && e->ref.u.builtin == BI_F_PATH)
		store_path(L, e, to);
	else if (e->ref.kind == REF_FUNC)
		store_str_call(L, e, to);
	else if (e->ref.kind == REF_BUILTIN && e->ref.u.builtin == BI_PROBETYPE)
		store_text(L, probe_type(kern_probe(L->ap->kind)), to);
	else if (e->ref.kind == REF_BUILTIN)
		store_comm(L, to);
	else if (e->ref.kind == REF_TPFIELD)
		store_tp_str(L, lo_tp_of(L, e), e->type.size, to);
	else
		store_member_str(L, e, to);
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

	if (n > e->type.size && e->kind == EX_NAME) { /* longer than comm can ever be */
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
	pa = lo_str_kept(L, a, b, &na);
	pb = lo_str(L, b, &nb);
	for (uint32_t i = 0; i < na || i < nb; i += 8) { /* both zero-padded */
		ir_val va = i < na ? ir_ld(L->f, 8, pa, i) : ir_const(L->f, 0);
		ir_val vb = i < nb ? ir_ld(L->f, 8, pb, i) : ir_const(L->f, 0);

		word_equal(L, va, vb, ne);
	}
	lo_goto(L, eq);
}
