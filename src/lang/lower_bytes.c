/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions that give bytes: buf(), ntop(); and str() with a length that is known at run time. */
#include "lang/lower.h"
#include <sys/socket.h>

static struct expr *arg(const struct expr *e, uint32_t i)
{
	return i < e->u.call.args.list.n ? e->u.call.args.list.v[i] : NULL;
}

/* Compared as unsigned numbers, so -1 is more than any limit. */
ir_val lo_at_most(struct lower *L, ir_val n, uint32_t limit)
{
	ir_blk in = lo_block(L), out = lo_block(L), done = lo_block(L);
	unsigned var = ir_var_new(L->f, ir_range(limit));

	n = lo_bound(L, n, limit, in, out);
	lo_enter(L, in);
	ir_var_write(L->f, var, n);
	lo_goto(L, done);
	lo_enter(L, out);
	ir_var_write(L->f, var, ir_const(L->f, limit));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

/* The space of a plain number is unknown: see read_str_helper in lower_str.c. */
const char *lo_read_helper(const struct lower *L, const struct lt *t)
{
	if (t->kind != LT_INT && t->space == SPACE_USER)
		return "probe_read_user";
	return t->kind != LT_INT || kern_is_packet(L->ap->kind) || L->f->ctx == CTX_STRUCT_OPS
		       ? "probe_read_kernel"
		       : "probe_read";
}

static void store_buf(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	const struct expr *a = arg(e, 0), *n = arg(e, 1);
	uint32_t size = e->type.size;
	ir_val len, args[3];

	len = n && !n->is_const ? lo_at_most(L, lo_int(L, n), size) : ir_const(L->f, size);
	if (n && n->is_const && !n->const_value)
		len = ir_const(L->f, 0);
	if (lo_in_memory(&a->type) && !lo_at_address(a)) {
		struct lo_mem m = lo_mem(L, a);

		lo_zero_place(L, to, 0);
		lo_copy(L, to->p, to->off + 4, m.p, m.off, size);
	} else {
		args[2] = lo_in_memory(&a->type) ? lo_addr(L, a) : lo_int(L, a);
		lo_zero_place(L, to, 0);
		args[0] = ir_off(L->f, to->p, to->off + 4);
		args[1] = len;
		ir_call(L->f, lo_read_helper(L, &a->type), IR_VOID, 3, args);
	}
	ir_st(L->f, 4, to->p, to->off, len);
}

/* ---- ntop() ---- */

static void store_inet_bytes(struct lower *L, const struct expr *a, const struct lo_place *to,
	uint32_t n)
{
	if (a->type.kind == LT_ARRAY && a->ref.kind == REF_TPFIELD) {
		lo_tp_bytes(L, lo_tp_of(L, a), to->p, to->off + 4, n);
	} else if (lo_in_memory(&a->type) && !lo_at_address(a)) {
		struct lo_mem m = lo_mem(L, a);

		lo_copy(L, to->p, to->off + 4, m.p, m.off, n);
	} else {
		lo_read(L, lo_in_memory(&a->type) ? lo_addr(L, a) : lo_int(L, a), a->type.space, n,
			to->p, to->off + 4);
	}
}

/* Address a as family and bytes; af: its family, or NULL. */
static void store_inet(struct lower *L, const struct expr *a, const struct expr *af,
	const struct lo_place *to)
{
	ir_val family, v = IR_NONE;
	struct lo_pair pair;
	uint32_t size = 4;

	if (a->type.kind == LT_INET) {
		lo_store(L, a, &a->type, to->p, to->off, to->pad);
		return;
	}
	if (lo_in_memory(&a->type) && a->type.size == 16)
		size = 16;
	if (a->type.kind == LT_INET6 ||
		(a->type.kind == LT_PTR && af && af->is_const && af->const_value == AF_INET6))
		size = 16;
	family = af ? lo_int(L, af) : ir_const(L->f, size == 16 ? AF_INET6 : AF_INET);
	if (a->type.kind == LT_INT || a->type.kind == LT_INET4)
		v = lo_int(L, a);
	ir_zero(L->f, to->p, to->off, 24);
	ir_st(L->f, 4, to->p, to->off, family);
	if (v) {
		ir_st(L->f, 4, to->p, to->off + 4, v);
	} else if (a->type.kind == LT_INET6) {
		pair = lo_inet6(L, a);
		for (unsigned i = 0; i < 16; i += 4) { /* the bytes lie at an odd word */
			v = i < 8 ? pair.lo : pair.hi;
			v = ir_bini(L->f, IR_LSHR, v, i % 8 * 8);
			ir_st(L->f, 4, to->p, to->off + 4 + i, v);
		}
	} else {
		store_inet_bytes(L, a, to, size);
	}
}

void lo_inet_cmp(struct lower *L, const struct expr *a, const struct expr *b, ir_blk eq, ir_blk ne)
{
	struct lo_place pa = {lo_slot(L, 24), 0, 24, true}, pb = {lo_slot(L, 24), 0, 24, true};

	store_inet(L, a, NULL, &pa);
	store_inet(L, b, NULL, &pb);
	for (uint32_t i = 0; i < 24; i += 8) {
		ir_blk same = i < 16 ? lo_block(L) : eq;
		ir_val x = ir_ld(L->f, 8, pa.p, i), y = ir_ld(L->f, 8, pb.p, i);

		lo_if(L, CC_EQ, x, y, same, ne);
		if (same != eq)
			lo_enter(L, same);
	}
}

void lo_func_store(struct lower *L, const struct expr *e, const struct lo_place *to)
{
	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_BUF:
		store_buf(L, e, to);
		break;
	case BI_F_NTOP:
		store_inet(L, arg(e, e->u.call.args.list.n - 1), arg(e, 1) ? arg(e, 0) : NULL, to);
		break;
	default:
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: function %s has no code",
			e->u.call.name);
	}
}
