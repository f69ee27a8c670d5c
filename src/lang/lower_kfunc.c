/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls of kernel functions, and the references they give. A call with a pointer that is NULL is
 * passed over, its result is 0. A reference is given back at the end of the block whose variable
 * holds it, or behind the call it was made for; whoever leaves a block early does it there.
 */
#include "lang/lower.h"
#include <string.h>

/* Who takes 4 bytes does not look at the upper half: the JIT extends where the machine wants it. */
ir_val lo_low_half(struct lower *L, ir_val v, uint32_t size)
{
	const struct ir_ins *i = ir_ins_of(L->f, v);

	return size == 4 && (i->op == IR_SEXT32 || i->op == IR_ZEXT32) ? i->args[0] : v;
}

/* ---- references ---- */

static uint32_t own(struct lower *L, ir_val v, const char *acquire)
{
	struct lo_own o = {.var = ir_var_new(L->f, ir_type_of(L->f, v)), .release = kfunc_release(acquire)};

	if (!o.release)
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: nothing releases %s()", acquire);
	ir_var_write(L->f, o.var, v);
	vec_push(L->a, &L->owned, o);
	return o.var;
}

/* The variable that keeps this reference; false when p is none. */
static bool owner(struct lower *L, ir_val p, uint32_t *var)
{
	if (!(ir_type_of(L->f, p).flags & IRT_OWNED))
		return false;
	for (uint32_t i = 0; i < L->owned.n; i++) {
		*var = L->owned.v[i].var;
		if (!L->owned.v[i].slot && ir_var_read(L->f, *var) == p)
			return true;
	}
	trap_raise(L->m->trap, SKEP_EBUG, "lowering: a reference that nobody holds");
}

ir_val lo_not_null(struct lower *L, ir_val p, ir_blk none)
{
	ir_blk there = lo_block(L);
	uint32_t var;
	bool owned = owner(L, p, &var);

	p = lo_some(L, p, there, none);
	lo_enter(L, there);
	if (owned)
		ir_var_write(L->f, var, p); /* the proven pointer holds the reference from here on */
	return p;
}

ir_val lo_kfunc(struct lower *L, const char *name, struct ir_type t, unsigned n, const ir_val *args)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t id = kbtf_func(btf, name);

	return ir_kcall(L->f, ir_add_kfunc(L->m, name, id, kbtf_func_proto(btf, id)), t, n, args);
}

static void release(struct lower *L, const struct lo_own *o)
{
	ir_blk done;
	ir_val p;

	if (o->slot) {
		lo_kfunc(L, o->release, IR_VOID, 1, &o->slot);
		return;
	}
	p = ir_var_read(L->f, o->var);
	done = lo_block(L);

	if (ir_type_of(L->f, p).flags & IRT_NULLABLE) {
		ir_blk there = lo_block(L);

		p = lo_some(L, p, there, done);
		lo_enter(L, there);
	}
	lo_kfunc(L, o->release, IR_VOID, 1, &p);
	lo_goto(L, done);
	lo_enter(L, done);
}

void lo_release(struct lower *L, uint32_t from)
{
	for (uint32_t i = L->owned.n; ir_open(L->f) && i-- > from;)
		release(L, &L->owned.v[i]);
}

/* ---- arguments ---- */

struct kcall {
	ir_val args[IR_MAX_ARGS];
	uint32_t n;
	uint32_t first; /* of those that the script writes */
	ir_blk none;	/* where a pointer that is NULL leads; IR_NONE: not needed yet */
};

static ir_val pointer_arg(struct lower *L, struct kcall *k, const struct expr *a, bool nullable)
{
	ir_val p;

	if (a->is_const)
		return ir_const(L->f, 0);
	p = lo_value(L, a);
	if (!(ir_type_of(L->f, p).flags & IRT_NULLABLE) || nullable)
		return p;
	if (!k->none)
		k->none = lo_block(L);
	return lo_not_null(L, p, k->none);
}

static void zero_output(struct lower *L, const struct expr *a)
{
	if (a)
		ir_var_write(L->f, a->u.unary.a->var->ir_var, ir_const(L->f, 0));
}

static ir_val output_arg(struct lower *L)
{
	ir_val slot = lo_slot(L, 8);

	ir_zero(L->f, slot, 0, 8);
	return slot;
}

/* Copies the format to the stack: the kernel wants memory that could be written. */
static ir_val format_text(struct lower *L, const struct expr *text)
{
	uint32_t size = (text->u.str.n + 1 + 7) & ~7u;
	ir_val slot = lo_slot(L, size);

	for (uint32_t at = 0; at < size; at += 8) {
		uint64_t word = 0;
		uint32_t left = text->u.str.n + 1 > at ? text->u.str.n + 1 - at : 0;

		memcpy(&word, text->u.str.s + at, left > 8 ? 8 : left);
		ir_st(L->f, 8, slot, at, ir_const(L->f, (int64_t)word));
	}
	return slot;
}

static void format_arg(struct lower *L, struct kcall *k, struct expr *const *v, uint32_t nvalues)
{
	ir_val data = lo_slot(L, nvalues ? nvalues * 8 : 8);

	ir_zero(L->f, data, 0, nvalues ? nvalues * 8 : 8);
	for (uint32_t i = 0; i < nvalues; i++) {
		const struct expr *e = v[1 + i];

		ir_st(L->f, 8, data, 8 * (int64_t)i,
			e->type.kind == LT_STR ? lo_addr(L, e) : lo_int(L, e));
	}
	k->args[k->n++] = format_text(L, v[0]);
	k->args[k->n++] = data;
	k->args[k->n++] = ir_const(L->f, 8 * (int64_t)nvalues);
}

/* ---- calls ---- */

/* Result type of a kernel function, from its prototype. */
static struct ir_type kfunc_type(struct lower *L, const struct expr *e, struct kbtf_info *ret)
{
	struct kbtf *btf = L->m->target->btf;
	struct kbtf_info to;
	uint8_t flags = 0;

	*ret = kbtf_describe(btf, kbtf_return(btf, e->ref.u.kfunc.proto));
	if (ret->class == KBTF_VOID)
		return IR_VOID;
	if (ret->class != KBTF_PTR)
		return IR_I64;
	to = kbtf_describe(btf, ret->target);
	if (to.class != KBTF_STRUCT)
		return IR_I64;
	flags |= e->type.nullable ? IRT_NULLABLE : 0;
	flags |= e->type.owned ? IRT_OWNED : 0;
	return ir_btf_type(L->m, kbtf_name(btf, to.id), to.id, flags);
}

static void all_args(struct lower *L, struct kcall *k, const struct expr *e,
	const struct kfunc_arg *p, uint32_t n)
{
	struct expr *const *v = e->u.call.args.list.v;
	uint32_t have = e->u.call.args.list.n;

	for (uint32_t i = 0; i < n && k->n < IR_MAX_ARGS; i++) {
		if (p[i].kind == KFA_FORMAT) {
			format_arg(L, k, v + i, have - i - 1);
			return;
		}
		if (p[i].kind == KFA_OUT)
			k->args[k->n] = output_arg(L);
		else if (p[i].kind == KFA_STRUCT)
			k->args[k->n] = pointer_arg(L, k, v[i], p[i].nullable);
		else
			k->args[k->n] = lo_low_half(L, lo_int(L, v[i]), kbtf_size(L->m->target->btf, p[i].type));
		k->n++;
	}
}

/* The iterator of the innermost loop over a queue, which the script does not write. */
static ir_val iterator(struct lower *L)
{
	for (uint32_t i = L->owned.n; i-- > 0;) {
		if (L->owned.v[i].slot)
			return L->owned.v[i].slot;
	}
	trap_raise(L->m->trap, SKEP_EBUG, "lowering: no loop over a queue");
}

static void take_output(struct lower *L, const struct kcall *k, const struct expr *e,
	const struct kfunc_arg *p, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < e->u.call.args.list.n; i++) {
		ir_val v;

		if (p[i].kind != KFA_OUT)
			continue;
		v = ir_ld(L->f, p[i].to.size, k->args[k->first + i], 0);
		v = lo_extend(L, v, p[i].to.size, p[i].to.is_signed && !p[i].to.is_bool);
		ir_var_write(L->f, e->u.call.args.list.v[i]->u.unary.a->var->ir_var, v);
	}
}

/* The two ways meet: what is not there gave 0. */
static ir_val join(struct lower *L, const struct kcall *k, ir_val v, bool has_value)
{
	ir_blk done = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);

	if (has_value)
		ir_var_write(L->f, var, v);
	lo_goto(L, done);
	lo_enter(L, k->none);
	if (has_value)
		ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, done);
	return has_value ? ir_var_read(L->f, var) : ir_const(L->f, 0);
}

ir_val lo_kfunc_call(struct lower *L, const struct expr *e)
{
	const struct kfunc_ref *ref = &e->ref.u.kfunc;
	struct kfunc_arg p[KFUNC_ARGS_MAX];
	uint32_t n = kfunc_args(L->m->target->btf, ref->proto, p), held = L->owned.n;
	struct kcall k = {0};
	struct kbtf_info ret;
	struct ir_type t = kfunc_type(L, e, &ret);
	ir_val v;

	if (n && p[0].kind == KFA_ITER) {
		k.args[k.n++] = iterator(L);
		memmove(p, p + 1, --n * sizeof(*p));
	}
	k.first = k.n;
	for (uint32_t i = 0; i < n && i < e->u.call.args.list.n; i++)
		zero_output(L, p[i].kind == KFA_OUT ? e->u.call.args.list.v[i] : NULL);
	all_args(L, &k, e, p, n);
	ir_span(L->f, e->span);
	v = ir_kcall(L->f, ir_add_kfunc(L->m, ref->name, ref->btf_id, ref->proto), t, k.n, k.args);
	if (t.kind == IRT_I64 && ret.class == KBTF_INT)
		v = lo_extend(L, v, ret.size, ret.is_signed && !ret.is_bool);
	take_output(L, &k, e, p, n);
	if (k.none)
		v = join(L, &k, v, t.kind != IRT_VOID);
	/* references made for this call alone */
	lo_release(L, held);
	L->owned.n = held;
	if (t.flags & IRT_OWNED)
		return ir_var_read(L->f, own(L, v, ref->name));
	return t.kind == IRT_VOID ? ir_const(L->f, 0) : v;
}
