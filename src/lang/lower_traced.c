/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Arguments and results that the kernel hands over as an array of 8 bytes each. */
#include "lang/lower.h"
#include <string.h>

/*
 * Index of the argument that args.NAME means at this point; name NULL: of what follows them all.
 * Structs by value take as many places as they have registers (since Linux 6.1, get_ctx_arg_idx()
 * in kernel/bpf/btf.c; before, such functions cannot be probed).
 */
static int64_t param_index(const struct lower *L, const char *name)
{
	struct kbtf_param p[16];
	uint32_t n = kbtf_params(L->m->target->btf, L->ap->proto, p, 16);
	int64_t at = 0;

	for (uint32_t i = L->ap->proto_skip; i < n && i < 16; i++) {
		uint32_t size = kbtf_size(L->m->target->btf, p[i].type);

		if (name && !strcmp(p[i].name, name))
			return at;
		at += size > 8 ? (size + 7) / 8 : 1;
	}
	if (name)
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: no argument %s", name);
	return at;
}

ir_val lo_traced_arg(struct lower *L, const struct expr *e)
{
	struct kbtf *btf = L->m->target->btf;
	struct ir_type t = IR_I64;
	int64_t index;
	ir_val v;

	if (e->type.kind == LT_PTR && e->type.typed && e->type.btf) {
		uint32_t id = kbtf_strip(btf, e->type.btf);

		t = ir_btf_type(L->m, kbtf_name(btf, id), id, 0);
	}
	index = param_index(L, e->u.field.name);
	if (L->ap->kind == PROBE_ITER && index < LO_OPS_ARGS && L->ops_arg[index].v)
		return L->ops_arg[index].v;
	v = ir_ldctx(L->f, 8, 8 * index, t);
	return e->type.kind == LT_INT ? lo_extend(L, v, e->type.size, e->type.is_signed) : v;
}

/* Pointer to the struct of this name and BTF id 0: the kernel's. */
static struct ir_type pointer_to(struct lower *L, uint32_t type, uint8_t flags)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t id = kbtf_describe(btf, kbtf_describe(btf, type).target).id;

	return ir_btf_type(L->m, kbtf_name(btf, id), id, flags);
}

/* meta->seq: what reading the iterator gives. */
static ir_val seq_file(struct lower *L, ir_val meta, uint32_t type)
{
	struct kbtf *btf = L->m->target->btf;
	struct ir_field f = {.root = "bpf_iter_meta", .path = "seq", .size = 8};
	struct kbtf_member m;

	if (!kbtf_find_member(btf, kbtf_describe(btf, kbtf_describe(btf, type).target).id, "seq", &m))
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: iterators without a file");
	f.off = m.bit_off / 8;
	f.type = pointer_to(L, m.type, 0);
	return ir_ldf(L->f, meta, ir_add_field(L->m, f));
}

/*
 * An iterator calls once more at its end, with NULL for the object: nothing runs then. For each
 * object one byte is written, so that a read ends after as many objects as it asks bytes for, and
 * the events of those can be taken before the next ones come.
 */
ir_blk lo_iter_begin(struct lower *L)
{
	struct kbtf *btf = L->m->target->btf;
	struct kbtf_param p[LO_OPS_ARGS];
	uint32_t n = kbtf_params(btf, L->ap->proto, p, LO_OPS_ARGS);
	ir_blk over = lo_block(L);
	ir_val args[3], slot = lo_slot(L, 8), v;

	args[0] = seq_file(L, ir_ldctx(L->f, 8, 0, pointer_to(L, p[0].type, 0)), p[0].type);
	for (uint32_t i = 1; i < n && i < LO_OPS_ARGS; i++) {
		if (kbtf_describe(btf, p[i].type).class != KBTF_PTR)
			continue;
		v = ir_ldctx(L->f, 8, 8 * (int64_t)i, pointer_to(L, p[i].type, IRT_NULLABLE));
		L->ops_arg[i].v = lo_not_null(L, v, over);
	}
	ir_st(L->f, 8, slot, 0, ir_const(L->f, 0));
	args[1] = slot;
	args[2] = ir_const(L->f, 1);
	ir_call(L->f, "seq_write", IR_VOID, 3, args);
	return over;
}

/* Behind the arguments; a function without a result leaves 0 there to be read. */
ir_val lo_traced_retval(struct lower *L, const struct expr *e)
{
	ir_val v;

	if (!kbtf_return(L->m->target->btf, L->ap->proto))
		return ir_const(L->f, 0);
	v = ir_ldctx(L->f, 8, 8 * param_index(L, NULL), IR_I64);
	return e->type.kind == LT_INT ? lo_extend(L, v, e->type.size, e->type.is_signed) : v;
}

/* argN of a raw tracepoint. */
ir_val lo_raw_arg(struct lower *L, unsigned n)
{
	return ir_ldctx(L->f, 8, 8 * (int64_t)n, IR_I64);
}
