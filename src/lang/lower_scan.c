/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Looking through strings and bytes. Strings are zero-padded here, so equal beginnings are equal
 * words, and the length is where the zeroes start.
 */
#include "lang/lower.h"
#include <string.h>

/* ---- strlen() ---- */

/*
 * Bytes in use of the last word: a one for each that is not 0, added up. Without branches: the verifier
 * would go on eight times, each time with a length that it knows.
 */
static ir_val used_bytes(struct lower *L, ir_val word)
{
	int64_t low = 0x7f7f7f7f7f7f7f7f, ones = 0x0101010101010101;
	ir_val v = ir_bini(L->f, IR_ADD, ir_bini(L->f, IR_AND, word, low), low);

	v = ir_bini(L->f, IR_LSHR, ir_bin(L->f, IR_OR, v, word), 7);
	v = ir_bini(L->f, IR_MUL, ir_bini(L->f, IR_AND, v, ones), ones);
	return ir_bini(L->f, IR_LSHR, v, 56);
}

ir_val lo_strlen(struct lower *L, const struct expr *e)
{
	unsigned base = ir_var_new(L->f, IR_I64), word = ir_var_new(L->f, IR_I64);
	ir_blk tail = lo_block(L);
	uint32_t size;
	ir_val p = lo_str(L, e, &size), v;

	for (uint32_t i = 0; i < size; i += 8) {
		ir_blk next = i + 8 < size ? lo_block(L) : tail;

		v = ir_ld(L->f, 8, p, i);
		ir_var_write(L->f, base, ir_const(L->f, i));
		ir_var_write(L->f, word, v);
		if (next == tail) {
			lo_goto(L, tail);
			break;
		}
		lo_if(L, CC_NE, ir_bini(L->f, IR_LSHR, v, 56), ir_const(L->f, 0), next, tail);
		lo_enter(L, next);
	}
	lo_enter(L, tail);
	v = used_bytes(L, ir_var_read(L->f, word));
	return ir_bin(L->f, IR_ADD, ir_var_read(L->f, base), v);
}

/* ---- strncmp(), memcmp() ---- */

static ir_val word_at(struct lower *L, ir_val p, uint32_t size, uint32_t i, uint32_t n)
{
	ir_val v;

	if (i >= size)
		return ir_const(L->f, 0);
	v = ir_ld(L->f, 8, p, i);
	return n < 8 ? ir_bini(L->f, IR_AND, v, (int64_t)((1ull << (8 * n)) - 1)) : v;
}

ir_val lo_strncmp(struct lower *L, const struct expr *e)
{
	struct expr *const *args = e->u.call.args.list.v;
	uint32_t na, nb, n = (uint32_t)args[2]->const_value;
	ir_val a = lo_str_kept(L, args[0], args[1], &na), b = lo_str(L, args[1], &nb);
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_blk done = lo_block(L);

	ir_var_write(L->f, var, ir_const(L->f, 1));
	for (uint32_t i = 0; i < n && (i < na || i < nb); i += 8) {
		ir_blk same = lo_block(L);
		ir_val x = word_at(L, a, na, i, n - i), y = word_at(L, b, nb, i, n - i);

		lo_if(L, CC_EQ, x, y, same, done);
		lo_enter(L, same);
	}
	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

/* n bytes of what e is or points to, in memory of ours. */
static struct lo_mem bytes_of(struct lower *L, const struct expr *e, uint32_t n, const struct expr *then)
{
	struct lo_mem m = {.t = e->type};

	if (lo_in_memory(&e->type))
		return e->kind == EX_VAR || lo_is_part(e) ? lo_mem_kept(L, e, then) : lo_bytes(L, e);
	m.p = lo_slot(L, n);
	ir_zero(L->f, m.p, 0, (n + 7) & ~7u);
	lo_read(L, lo_int(L, e), e->type.space, n, m.p, 0);
	return m;
}

ir_val lo_memcmp(struct lower *L, const struct expr *e)
{
	struct expr *const *args = e->u.call.args.list.v;
	uint32_t n = (uint32_t)args[2]->const_value;
	struct lo_mem a = bytes_of(L, args[0], n, args[1]), b = bytes_of(L, args[1], n, NULL);
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_blk done = lo_block(L);
	ir_val x, y;

	for (uint32_t i = 0; i < n; i++) {
		ir_blk same = lo_block(L);

		x = ir_ld(L->f, 1, a.p, a.off + i);
		y = ir_ld(L->f, 1, b.p, b.off + i);
		ir_var_write(L->f, var, ir_bin(L->f, IR_SUB, x, y));
		lo_if(L, CC_EQ, x, y, same, done);
		lo_enter(L, same);
	}
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

/* ---- strstr(), strcontains() ---- */

struct part { /* what is looked for */
	ir_val p;
	uint32_t n; /* bytes of it, with zeroes behind the text */
	const struct expr *lit; /* a text that is written there, and not empty; or NULL */
};

/* What differs between the part and the text from p on; 0: nothing does. */
static ir_val difference(struct lower *L, ir_val p, const struct part *part)
{
	ir_val all = ir_const(L->f, 0);

	for (uint32_t i = 0; i < (part->lit ? part->lit->u.str.n : part->n); i++) {
		ir_val v = ir_ld(L->f, 1, p, i), c, in;

		if (part->lit) {
			v = ir_bini(L->f, IR_XOR, v, (unsigned char)part->lit->u.str.s[i]);
			all = i ? ir_bin(L->f, IR_OR, all, v) : v;
			continue;
		}
		c = ir_ld(L->f, 1, part->p, i);
		in = ir_un(L->f, IR_NEG, c); /* behind the part's end everything fits */
		in = ir_bini(L->f, IR_ASHR, in, 63);
		v = ir_bin(L->f, IR_AND, ir_bin(L->f, IR_XOR, v, c), in);
		all = ir_bin(L->f, IR_OR, all, v);
	}
	return all;
}

/* The text with as many zeroes behind it as the part is long: any place may be looked at. */
static ir_val padded(struct lower *L, const struct expr *e, uint32_t more, uint32_t *size)
{
	ir_val slot;

	*size = lo_room(&e->type);
	slot = lo_slot(L, *size + more);
	lo_store(L, e, &e->type, slot, 0, true);
	ir_zero(L->f, slot, *size, more);
	return slot;
}

/* Goes to found with the place in var, or falls through. */
static void search_unrolled(struct lower *L, ir_val text, uint32_t size, const struct part *part,
	unsigned var, ir_blk found)
{
	for (uint32_t i = 0; i < size; i++) {
		ir_blk next = lo_block(L);
		ir_val d = difference(L, ir_off(L->f, text, i), part);

		ir_var_write(L->f, var, ir_const(L->f, i));
		lo_if(L, CC_EQ, d, ir_const(L->f, 0), found, next);
		lo_enter(L, next);
	}
}

static void search_loop(struct lower *L, ir_val text, uint32_t size, const struct part *part,
	unsigned var, ir_blk found)
{
	ir_blk done = lo_block(L), latch;
	struct lo_rounds r = lo_rounds_begin(L, size, done);
	ir_val d = difference(L, ir_index(L->f, text, r.i), part);

	latch = lo_block(L);
	ir_var_write(L->f, var, r.i);
	lo_if(L, CC_EQ, d, ir_const(L->f, 0), found, latch);
	lo_enter(L, latch);
	lo_rounds_end(L, &r);
	lo_enter(L, done);
}

ir_val lo_strstr(struct lower *L, const struct expr *e)
{
	struct expr *const *args = e->u.call.args.list.v;
	bool contains = e->ref.u.builtin == BI_F_STRCONTAINS;
	bool indexed = L->m->target->version >= KV(5, 12); /* the stack by variable index */
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_blk found = lo_block(L), end = lo_block(L);
	struct part part = {0};
	uint32_t size, n;
	ir_val text;

	part.n = lo_room(args[1]->kind == EX_VAR ? &args[1]->var->type : &args[1]->type);
	text = padded(L, args[0], part.n, &size);
	n = args[1]->kind == EX_STR ? args[1]->u.str.n : 0;
	if (n && strlen(args[1]->u.str.s) == n) {
		part.lit = args[1];
		size = size > n ? size - n + 1 : 1; /* behind that it does not fit */
	} else {
		part.p = lo_str(L, args[1], &part.n);
	}
	(indexed ? search_loop : search_unrolled)(L, text, size, &part, var, found);
	ir_var_write(L->f, var, ir_const(L->f, contains ? 0 : -1));
	lo_goto(L, end);
	lo_enter(L, found);
	if (contains)
		ir_var_write(L->f, var, ir_const(L->f, 1));
	lo_goto(L, end);
	lo_enter(L, end);
	return ir_var_read(L->f, var);
}
