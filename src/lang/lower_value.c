/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values in memory: keys, map values, records, variables. Numbers take 8 bytes there, everything
 * else a multiple of 8, zero-padded wherever bytes are compared (keys) or kept (values, variables).
 * A tuple is its elements side by side, so the key @x[a, b] is the tuple (a, b). Structs and arrays
 * keep the layout they have in the kernel.
 */
#include "lang/lower.h"
#include <string.h>

#define INET_BYTES 20 /* u32 family, 16 bytes of address */

bool lo_in_memory(const struct lt *t)
{
	switch (t->kind) {
	case LT_STR:
	case LT_TUPLE:
	case LT_INET:
	case LT_BUF:
	case LT_STRUCT:
	case LT_ARRAY:
		return true;
	default:
		return false;
	}
}

static uint32_t tuple_off(const struct lt *t, uint32_t n)
{
	uint32_t off = 0;

	for (uint32_t i = 0; i < n; i++)
		off += lo_room(&t->tuple->el[i]);
	return off;
}

uint32_t lo_room(const struct lt *t)
{
	uint32_t n;

	switch (t->kind) {
	case LT_STR:
	case LT_STRUCT:
	case LT_ARRAY:
		return (t->size + 7) & ~7u;
	case LT_BUF:
		return (t->size + 4 + 7) & ~7u;
	case LT_INET:
		return 24;
	case LT_INET6:
	case LT_USYM:
		return 16;
	case LT_TUPLE:
		n = tuple_off(t, t->tuple->n);
		return n ? n : 8;
	default:
		return 8;
	}
}

void lo_copy(struct lower *L, ir_val dst, uint32_t doff, ir_val src, uint32_t soff, uint32_t n)
{
	for (uint32_t i = 0; i < n;) {
		unsigned w = 8;
		ir_val v;

		while (w > n - i || (doff + i) % w || (soff + i) % w)
			w /= 2;
		v = ir_ld(L->f, w, src, soff + i);
		ir_st(L->f, w, dst, doff + i, v);
		i += w;
	}
}

void lo_read(struct lower *L, ir_val addr, enum lt_space space, uint32_t n, ir_val p, uint32_t off)
{
	ir_val args[3];

	args[0] = ir_off(L->f, p, off);
	args[1] = ir_const(L->f, n);
	args[2] = addr;
	ir_call(L->f, space == SPACE_USER ? "probe_read_user" : "probe_read_kernel", IR_VOID, 3, args);
}

/* ---- parts of values ---- */

bool lo_is_part(const struct expr *e)
{
	if (e->kind != EX_FIELD && e->kind != EX_INDEX)
		return false;
	if (e->ref.kind == REF_ELEMENT)
		return true;
	if (e->kind == EX_INDEX)
		return e->u.index.base->type.kind == LT_ARRAY && e->u.index.base->type.local;
	return e->ref.kind == REF_MEMBER && !e->ref.u.m.through_ptr && e->u.field.base->type.local;
}

/* A struct, array or text that is to be read from an address: p->member, *p, p->array[i]. */
bool lo_at_address(const struct expr *e)
{
	bool member = e->kind == EX_FIELD && e->ref.kind == REF_MEMBER;

	return lo_in_memory(&e->type) && !lo_is_part(e) &&
	       (member || e->kind == EX_UNARY || (e->kind == EX_INDEX && e->ref.kind == REF_NONE));
}

/* Moves m to the element of a kept array; check_index wants a constant index. */
static void array_part(const struct expr *e, struct lo_mem *m)
{
	const struct expr *i = e->u.index.index;
	uint32_t size = e->type.kind == LT_STR || lo_in_memory(&e->type) ? e->type.size : 0;

	if (!size)
		size = e->type.kind == LT_INT && e->type.size ? e->type.size : 8;
	m->off += (uint32_t)i->const_value * size;
}

static struct lo_mem part(struct lower *L, const struct expr *e)
{
	struct lo_mem m = lo_mem(L, e->kind == EX_FIELD ? e->u.field.base : e->u.index.base);

	if (e->ref.kind == REF_ELEMENT) {
		m.off += tuple_off(&m.t, e->ref.u.index);
		m.t = m.t.tuple->el[e->ref.u.index];
		return m;
	}
	m.packed = true;
	if (e->kind == EX_FIELD) {
		lo_one_kernel(L, e->span, "members of a kernel struct that the script keeps as a value");
		m.off += e->ref.u.m.member.bit_off / 8;
	}
	else
		array_part(e, &m);
	m.t = e->type;
	return m;
}

struct lo_mem lo_mem(struct lower *L, const struct expr *e)
{
	struct lo_mem m = {.t = e->type};

	if (e->kind == EX_VAR) {
		m.t = e->var->type;
		m.p = e->var->slot;
		return m;
	}
	if (lo_is_part(e))
		return part(L, e);
	m.p = lo_slot(L, lo_room(&m.t));
	lo_store(L, e, &m.t, m.p, 0, true);
	return m;
}

/* A number of size bytes at any offset. */
static ir_val load_any(struct lower *L, const struct lo_mem *m, uint32_t size)
{
	ir_val v, byte;

	if (m->off % size == 0)
		return ir_ld(L->f, size, m->p, m->off);
	v = ir_ld(L->f, 1, m->p, m->off);
	for (uint32_t i = 1; i < size; i++) {
		byte = ir_ld(L->f, 1, m->p, m->off + i);
		byte = ir_bini(L->f, IR_SHL, byte, 8 * (int64_t)i);
		v = ir_bin(L->f, IR_OR, v, byte);
	}
	return v;
}

ir_val lo_mem_bytes(struct lower *L, const struct expr *e)
{
	struct lo_mem m = lo_mem(L, e);

	return load_any(L, &m, e->type.size);
}

ir_val lo_some_element(struct lower *L, const struct expr *e)
{
	struct lo_mem m = lo_mem(L, e->u.index.base);
	uint32_t size = e->type.kind == LT_INT ? e->type.size : 8, n;
	ir_blk in = lo_block(L), out = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_val i = lo_int(L, e->u.index.index), p;

	n = m.t.kind == LT_STR ? m.t.size : m.t.nelems;
	ir_var_write(L->f, var, ir_const(L->f, 0));
	if (n > 16 && L->m->target->version >= KV(5, 12)) {
		i = lo_bound(L, i, n, in, out);
		lo_enter(L, in);
		p = ir_off(L->f, m.p, m.off - m.off % size);
		m.p = ir_index(L->f, p, ir_bini(L->f, IR_MUL, i, size));
		m.off %= size; /* packed: byte by byte */
		ir_var_write(L->f, var, load_any(L, &m, size));
		lo_goto(L, out);
	} else {
		/*
		 * One after another: before 5.12 no stack address may vary, and 6.18 refused some
		 * of a few elements ("invalid size of register fill", fuzz seed 7412).
		 */
		for (uint32_t k = 0; k < n; k++, m.off += size, in = lo_block(L)) {
			ir_blk next = lo_block(L);

			lo_if(L, CC_EQ, i, ir_const(L->f, k), in, next);
			lo_enter(L, in);
			ir_var_write(L->f, var, load_any(L, &m, size));
			lo_goto(L, out);
			lo_enter(L, next);
		}
		lo_goto(L, out);
	}
	lo_enter(L, out);
	return lo_extend(L, ir_var_read(L->f, var), size,
		e->type.kind == LT_INT && e->type.is_signed);
}

bool lo_number_array(const struct expr *e)
{
	return e->kind == EX_CAST && e->u.cast.array && !lo_in_memory(&e->u.cast.a->type) &&
	       e->type.size <= 8;
}

/* ((uint8[4])x)[i] is a part of x: nothing goes to memory. */
static ir_val part_of_number(struct lower *L, const struct expr *e)
{
	const struct expr *at = e->u.index.index;
	uint32_t size = e->type.size, n = e->u.index.base->type.nelems;
	ir_val v = lo_int(L, e->u.index.base->u.cast.a), i;
	ir_blk in, out;
	unsigned var;

	if (at->is_const)
		return lo_extend(L, ir_bini(L->f, IR_LSHR, v, 8 * size * (int64_t)at->const_value), size,
			e->type.is_signed);
	i = lo_int(L, at);
	in = lo_block(L);
	out = lo_block(L);
	var = ir_var_new(L->f, IR_I64);
	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_if(L, CC_LT, i, ir_const(L->f, n), in, out);
	lo_enter(L, in);
	i = ir_bini(L->f, IR_MUL, i, 8 * size);
	ir_var_write(L->f, var, ir_bin(L->f, IR_LSHR, v, i));
	lo_goto(L, out);
	lo_enter(L, out);
	return lo_extend(L, ir_var_read(L->f, var), size, e->type.is_signed);
}

ir_val lo_mem_int(struct lower *L, const struct expr *e)
{
	struct lo_mem m;
	uint32_t size, bits, at;
	ir_val v;

	if (e->kind == EX_INDEX && e->ref.kind != REF_ELEMENT && lo_number_array(e->u.index.base))
		return part_of_number(L, e);
	if (e->kind == EX_INDEX && e->ref.kind != REF_ELEMENT && !e->u.index.index->is_const)
		return lo_some_element(L, e);
	m = lo_mem(L, e);
	size = e->type.kind == LT_INT && m.packed ? e->type.size : 8;
	if (e->kind != EX_FIELD || e->ref.kind != REF_MEMBER || !e->ref.u.m.member.bit_size) {
		v = load_any(L, &m, size);
		return e->type.kind == LT_INT ? lo_extend(L, v, size, e->type.is_signed) : v;
	}
	bits = e->ref.u.m.member.bit_size;
	at = 8 * m.off + e->ref.u.m.member.bit_off % 8;
	if (at % (8 * size) + bits > 8 * size)
		return lo_packed_bits(L, m.p, at, bits, e->type.is_signed);
	m.off = at / (8 * size) * size; /* the aligned unit that holds the bits */
	v = load_any(L, &m, size);
	v = ir_bini(L->f, IR_SHL, v, 64 - (at - 8 * m.off) - bits);
	return ir_bini(L->f, e->type.is_signed ? IR_ASHR : IR_LSHR, v, 64 - bits);
}

/* ---- moving ---- */

static void move_tuple(struct lower *L, const struct lo_mem *from, const struct lt *t,
	const struct lo_place *to)
{
	struct lo_mem part = *from;
	struct lo_place at = *to;

	for (uint32_t i = 0; i < t->tuple->n; i++) {
		uint32_t k = lt_named(from->t.tuple, t->tuple, i);

		part.t = from->t.tuple->el[k];
		part.off = from->off + tuple_off(&from->t, k);
		at.room = lo_room(&t->tuple->el[i]);
		lo_move(L, &part, &t->tuple->el[i], &at);
		at.off += at.room;
	}
	if (!t->tuple->n)
		lo_zero_place(L, to, 0);
}

/* Makes the value of from, which may have shorter strings in it, one of type t. */
void lo_move(struct lower *L, const struct lo_mem *from, const struct lt *t, const struct lo_place *to)
{
	uint32_t n = from->packed ? from->t.size : lo_room(&from->t);

	switch (t->kind) {
	case LT_STR:
		lo_copy_str(L, from->p, from->off, n, to);
		if (from->packed)
			lo_clean_str(L, to, n < to->room ? n : to->room);
		break;
	case LT_TUPLE:
		move_tuple(L, from, t, to);
		break;
	default:
		n = n < to->room ? n : to->room;
		lo_copy(L, to->p, to->off, from->p, from->off, n);
		lo_zero_place(L, to, n);
		break;
	}
}

static void store_value(struct lower *L, const struct expr *e, const struct lt *t,
	const struct lo_place *to);

static void store_map(struct lower *L, const struct expr *e, const struct lt *t,
	const struct lo_place *to)
{
	struct lo_mem m = {.t = e->map->value};
	ir_blk there, absent, done;

	if (!e->map->keyed) { /* never set: all zero, the empty string */
		m.p = ir_gaddr(L->f, e->map->meta, 0);
		lo_move(L, &m, t, to);
		return;
	}
	m.p = lo_map_lookup(L, e);
	there = lo_block(L);
	absent = lo_block(L);
	done = lo_block(L);
	m.p = lo_some(L, m.p, there, absent);
	lo_enter(L, there);
	lo_move(L, &m, t, to);
	lo_goto(L, done);
	lo_enter(L, absent);
	if (to->pad || t->kind != LT_STR)
		ir_zero(L->f, to->p, to->off, to->room);
	else
		ir_st(L->f, 8, to->p, to->off, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, done);
}

static void store_either(struct lower *L, const struct expr *e, const struct lt *t,
	const struct lo_place *to)
{
	ir_blk yes = lo_block(L), no = lo_block(L), done = lo_block(L);

	lo_cond(L, e->u.ternary.cond, yes, no);
	lo_enter(L, yes);
	store_value(L, e->u.ternary.yes, t, to);
	lo_goto(L, done);
	lo_enter(L, no);
	store_value(L, e->u.ternary.no, t, to);
	lo_goto(L, done);
	lo_enter(L, done);
}

static void store_tuple(struct lower *L, const struct expr *e, const struct lt *t,
	const struct lo_place *to)
{
	for (uint32_t i = 0; i < t->tuple->n; i++) {
		uint32_t k = lt_named(t->tuple, e->type.tuple, i);

		lo_store(L, e->u.tuple.list.v[i], &t->tuple->el[k], to->p, to->off + tuple_off(t, k), to->pad);
	}
	if (!t->tuple->n)
		lo_zero_place(L, to, 0);
}

/* A struct or array that lies at an address or in the tracepoint's record. */
static void store_whole(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	uint32_t n = e->type.size < to->room ? e->type.size : to->room;

	if (n % 8)
		ir_zero(L->f, to->p, to->off + (n & ~7u), 8);
	if (e->ref.kind == REF_TPFIELD)
		lo_tp_bytes(L, lo_tp_of(L, e), to->p, to->off, n);
	else
		lo_read(L, lo_addr(L, e), e->type.space, n, to->p, to->off);
}

/* All bytes of e in memory of ours: those of a char array, too, which as a text ends at its zero. */
struct lo_mem lo_bytes(struct lower *L, const struct expr *e)
{
	struct lo_mem m = {.t = e->type};
	struct lo_place to = {.room = lo_room(&m.t), .pad = true};

	if (e->type.kind != LT_STR || !lo_at_address(e))
		return lo_mem(L, e);
	m.p = to.p = lo_slot(L, to.room);
	store_whole(L, e, &to);
	return m;
}

/* The bytes of a number, a text or an array as an array. */
static void store_array_cast(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	const struct expr *a = e->u.cast.a;
	uint32_t n = e->type.size < to->room ? e->type.size : to->room;
	struct lo_mem m;
	ir_val v;

	ir_zero(L->f, to->p, to->off, to->room);
	if (lo_in_memory(&a->type)) {
		m = lo_bytes(L, a);
		lo_copy(L, to->p, to->off, m.p, m.off, n);
		return;
	}
	v = lo_int(L, a);
	if (n < 8)
		v = ir_bini(L->f, IR_AND, v, (1ll << (8 * n)) - 1);
	ir_st(L->f, 8, to->p, to->off, v);
}

static void store_value(struct lower *L, const struct expr *e, const struct lt *t,
	const struct lo_place *to)
{
	struct lo_mem m;

	ir_span(L->f, e->span);
	while (e->kind == EX_BLOCK)
		e = lo_block_value(L, e);
	if (e->kind == EX_VAR || lo_is_part(e)) {
		m = lo_mem(L, e);
		lo_move(L, &m, t, to);
	} else if (e->kind == EX_MAP) {
		store_map(L, e, t, to);
	} else if (e->kind == EX_TERNARY) {
		store_either(L, e, t, to);
	} else if (e->kind == EX_TUPLE || e->kind == EX_RECORD) {
		store_tuple(L, e, t, to);
	} else if (t->kind == LT_STR) {
		lo_store_str(L, e, to);
	} else if (e->kind == EX_CAST) {
		store_array_cast(L, e, to);
	} else if (e->ref.kind == REF_FUNC) {
		lo_func_store(L, e, to);
	} else {
		store_whole(L, e, to);
	}
}

void lo_store(struct lower *L, const struct expr *e, const struct lt *t, ir_val p, uint32_t off,
	bool pad)
{
	struct lo_place to = {p, off, lo_room(t), pad};
	struct lo_pair pair;
	ir_val v;

	if (lo_in_memory(t)) {
		store_value(L, e, t, &to);
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

struct lo_mem lo_mem_kept(struct lower *L, const struct expr *e, const struct expr *then)
{
	struct lo_mem m = {.t = e->kind == EX_VAR ? e->var->type : e->type};

	if (!lo_has_effect(then))
		return lo_mem(L, e);
	m.p = lo_slot(L, lo_room(&m.t));
	lo_store(L, e, &m.t, m.p, 0, true);
	return m;
}

ir_val lo_str_kept(struct lower *L, const struct expr *e, const struct expr *then, uint32_t *size)
{
	struct lo_mem m;

	if (e->kind != EX_VAR)
		return lo_str(L, e, size);
	m = lo_mem_kept(L, e, then);
	*size = lo_room(&m.t);
	return m.p;
}

void lo_var_write(struct lower *L, const struct expr *e, const struct var_sym *v)
{
	/* Through a copy of the variable's size: the expression may read the variable it changes. */
	struct lo_place to = {v->slot, 0, lo_room(&v->type), true};
	struct lo_mem m = {.t = v->type};

	if (e->kind == EX_VAR) {
		m = lo_mem(L, e);
		if (e->var != v)
			lo_move(L, &m, &v->type, &to);
		return;
	}
	m.p = lo_slot(L, to.room);
	lo_store(L, e, &v->type, m.p, 0, true);
	lo_move(L, &m, &v->type, &to);
}
