/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Expressions whose value is one number. All arithmetic is in 64 bits. */
#include "lang/lower.h"
#include <linux/bpf.h>

ir_val lo_extend(struct lower *L, ir_val v, uint32_t size, bool is_signed)
{
	switch (size) {
	case 1:
		return ir_un(L->f, is_signed ? IR_SEXT8 : IR_ZEXT8, v);
	case 2:
		return ir_un(L->f, is_signed ? IR_SEXT16 : IR_ZEXT16, v);
	case 4:
		return ir_un(L->f, is_signed ? IR_SEXT32 : IR_ZEXT32, v);
	default:
		return v;
	}
}

/* A value that differs by path: writes 0 or 1 into a variable on the two ways out of a condition. */
ir_val lo_truth(struct lower *L, const struct expr *e)
{
	ir_blk yes = lo_block(L), no = lo_block(L), join = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);

	lo_cond(L, e, yes, no);
	lo_enter(L, yes);
	ir_var_write(L->f, var, ir_const(L->f, 1));
	lo_goto(L, join);
	lo_enter(L, no);
	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_goto(L, join);
	lo_enter(L, join);
	return ir_var_read(L->f, var);
}

static ir_val ternary(struct lower *L, const struct expr *e)
{
	ir_blk yes = lo_block(L), no = lo_block(L), join = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_val value = IR_NONE;

	if (e->u.ternary.yes) {
		lo_cond(L, e->u.ternary.cond, yes, no);
	} else { /* "a ?: b" evaluates a once */
		value = lo_int(L, e->u.ternary.cond);
		lo_if(L, CC_NE, value, ir_const(L->f, 0), yes, no);
	}
	lo_enter(L, yes);
	ir_var_write(L->f, var, value ? value : lo_int(L, e->u.ternary.yes));
	lo_goto(L, join);
	lo_enter(L, no);
	value = lo_int(L, e->u.ternary.no);
	ir_var_write(L->f, var, value);
	lo_goto(L, join);
	lo_enter(L, join);
	return ir_var_read(L->f, var);
}

/* Operation of each arithmetic operator, unsigned and signed. */
static const struct {
	enum ir_op u, s;
} arith[] = {
	[BO_ADD] = {IR_ADD, IR_ADD},
	[BO_SUB] = {IR_SUB, IR_SUB},
	[BO_MUL] = {IR_MUL, IR_MUL},
	[BO_DIV] = {IR_UDIV, IR_SDIV},
	[BO_MOD] = {IR_UMOD, IR_SMOD},
	[BO_AND] = {IR_AND, IR_AND},
	[BO_OR] = {IR_OR, IR_OR},
	[BO_XOR] = {IR_XOR, IR_XOR},
	[BO_SHL] = {IR_SHL, IR_SHL},
	[BO_SHR] = {IR_LSHR, IR_ASHR},
};

enum ir_op lo_arith(enum binop op, bool is_signed)
{
	return is_signed ? arith[op].s : arith[op].u;
}

/* A scheduler's hot path does without, as its C would. */
void lo_note_zero(struct lower *L, enum binop op, const struct expr *by, ir_val v)
{
	ir_blk zero, done;

	if ((op != BO_DIV && op != BO_MOD) || by->is_const || L->ap->op)
		return;
	zero = lo_block(L);
	done = lo_block(L);
	lo_if(L, CC_EQ, v, ir_const(L->f, 0), zero, done);
	lo_enter(L, zero);
	lo_count(L, MC_DIV_ZERO, by->span.off);
	lo_goto(L, done);
	lo_enter(L, done);
}

uint32_t lo_step(const struct lower *L, const struct lt *t)
{
	uint32_t size = t->int_size;

	if (t->kind == LT_PTR && !size && t->btf)
		size = kbtf_size(L->m->target->btf, t->btf);
	return size ? size : 1;
}

static ir_val binary(struct lower *L, const struct expr *e)
{
	ir_val a, b;

	if (e->u.binary.op >= BO_LAND)
		return lo_truth(L, e);
	a = lo_int(L, e->u.binary.a);
	b = lo_int(L, e->u.binary.b);
	if (e->type.kind == LT_PTR)
		b = ir_bini(L->f, IR_MUL, b, lo_step(L, &e->type));
	lo_note_zero(L, e->u.binary.op, e->u.binary.b, b);
	return ir_bin(L->f, lo_arith(e->u.binary.op, e->type.is_signed), a, b);
}

static ir_val unary(struct lower *L, const struct expr *e)
{
	ir_val a;

	if (e->u.unary.op == UO_NOT)
		return lo_truth(L, e);
	if (e->u.unary.op == UO_DEREF)
		return lo_deref(L, e);
	if (e->u.unary.op == UO_ADDR)
		return lo_addr(L, e->u.unary.a);
	a = lo_int(L, e->u.unary.a);
	if (e->u.unary.op == UO_NEG)
		return ir_un(L->f, IR_NEG, a);
	if (e->u.unary.op == UO_BNOT)
		return ir_bini(L->f, IR_XOR, a, -1);
	return a;
}

static ir_val kprobe_reg(struct lower *L, int off)
{
	return ir_ldctx(L->f, 8, off, IR_I64);
}

static ir_val call0(struct lower *L, const char *helper)
{
	return ir_call(L->f, helper, IR_VOID, 0, NULL);
}

/* The probe's index, its func_id above: see struct meta_probe. */
static ir_val cookie(struct lower *L)
{
	ir_val ctx = ir_ctx(L->f);

	return ir_call(L->f, "get_attach_cookie", IR_VOID, 1, &ctx);
}

static ir_val elapsed(struct lower *L)
{
	uint32_t map = meta_role_map(L->m->meta, MM_START_TIME);
	ir_val start;

	if (map == META_NONE) {
		map = lo_add_map(L, (struct meta_map){.name = "start", .kname = "skep_start",
					    .role = MM_START_TIME, .type = BPF_MAP_TYPE_ARRAY,
					    .key_size = 4, .value_size = 8, .max_entries = 1,
					    .present_off = META_NONE});
	}
	start = ir_ld(L->f, 8, ir_gaddr(L->f, map, 0), 0);
	return ir_bin(L->f, IR_SUB, call0(L, "ktime_get_boot_ns"), start);
}

/* A pointer that the verifier knows, where there is one: its members are loaded without a call. */
static ir_val current_task(struct lower *L)
{
	const struct kern_helper *h = kern_helper_by_name("get_current_task_btf");

	if (L->m->target->btf && h && L->m->target->version >= h->since)
		return call0(L, "get_current_task_btf");
	return call0(L, "get_current_task");
}

static ir_val builtin_value_of(struct lower *L, const struct expr *e)
{
	enum kern_arch arch = L->m->target->arch;
	enum builtin_id id = (enum builtin_id)e->ref.u.builtin;

	switch (id) {
	case BI_PID:
	case BI_TID:
		return lo_task_id(L, id == BI_PID);
	case BI_UID:
		return ir_un(L->f, IR_ZEXT32, call0(L, "get_current_uid_gid"));
	case BI_GID:
		return ir_bini(L->f, IR_LSHR, call0(L, "get_current_uid_gid"), 32);
	case BI_CPU:
		return ir_un(L->f, IR_ZEXT32, call0(L, "get_smp_processor_id"));
	case BI_NSECS:
		return call0(L, "ktime_get_boot_ns");
	case BI_ELAPSED:
		return elapsed(L);
	case BI_RAND:
		return ir_un(L->f, IR_ZEXT32, call0(L, "get_prandom_u32"));
	case BI_CGROUP:
		return call0(L, "get_current_cgroup_id");
	case BI_CURTASK:
		return current_task(L);
	case BI_JIFFIES:
		return call0(L, "jiffies64");
	case BI_PROBE:
		return L->shared ? ir_un(L->f, IR_ZEXT32, cookie(L)) : ir_const(L->f, L->probe_id);
	case BI_FUNC:
		if (e->type.kind == LT_KSYM)
			return lo_func_address(L);
		return L->shared ? ir_bini(L->f, IR_LSHR, cookie(L), 32)
				 : ir_const(L->f, L->func_id);
	case BI_KSTACK:
	case BI_USTACK:
		return lo_stack(L, e);
	case BI_RETVAL:
		if (L->ap->kind == PROBE_FEXIT)
			return lo_traced_retval(L, e);
		return kprobe_reg(L, kern_ret_off(arch));
	default:
		if (id >= BI_ARG0 && id <= BI_ARG5 && L->ap->kind == PROBE_USDT)
			return lo_usdt_arg(L, (unsigned)(id - BI_ARG0));
		if (id >= BI_ARG0 && id <= BI_ARG5 && L->ap->kind == PROBE_RAWTRACEPOINT)
			return lo_raw_arg(L, (unsigned)(id - BI_ARG0));
		if (id >= BI_ARG0 && id <= BI_ARG5)
			return kprobe_reg(L, kern_arg_off(arch, (unsigned)(id - BI_ARG0)));
		return lo_special_value(L, id);
	}
}

static ir_val address(const struct expr *e, struct lower *L)
{
	uint64_t v = 0;

	/* raw order: the bytes as they lie in the packet, in the low end of the number */
	for (unsigned i = e->u.addr.family == 4 ? 4 : 6; i-- > 0;)
		v = v << 8 | e->u.addr.bytes[i];
	return ir_const(L->f, (int64_t)v);
}

/* Byte n of a string; behind its end there are zeroes. */
static ir_val string_byte(struct lower *L, const struct expr *e)
{
	const struct expr *base = e->u.index.base;
	uint64_t at = e->u.index.index->const_value;
	struct lo_mem m;
	ir_val p;

	if (lo_at_address(base)) {
		p = lo_addr(L, base); /* first: compilers differ in the order of arguments */
		p = ir_bin(L->f, IR_ADD, p, lo_int(L, e->u.index.index));
		return lo_extend(L, lo_read_number(L, p, 1, base->type.space), 1, true);
	}
	if (!e->u.index.index->is_const)
		return lo_some_element(L, e);
	m = lo_mem(L, base);
	return at < m.t.size ? lo_extend(L, ir_ld(L->f, 1, m.p, m.off + (int64_t)at), 1, true)
			     : ir_const(L->f, 0);
}

/* Functions whose value is one number. */
static ir_val function_value(struct lower *L, const struct expr *e)
{
	struct expr *const *args = e->u.call.args.list.v;
	ir_val v;

	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_KSTACK:
	case BI_F_USTACK:
		return lo_stack(L, e);
	case BI_F_LEN:
		return args[0]->type.kind == LT_STACK ? lo_stack_len(L, &args[0]->type) : lo_len(L, args[0]);
	case BI_F_HAS_KEY:
		return lo_map_has(L, lo_with_keys(L, args[0], args[1]));
	case BI_F_DELETE:
		v = lo_map_has(L, e->u.call.args.list.n > 1 ? lo_with_keys(L, args[0], args[1])
							    : args[0]);
		lo_call_stmt(L, e);
		return v;
	case BI_F_KSYM:
		return lo_int(L, args[0]);
	case BI_F_STRFTIME:
		return lo_int(L, args[1]);
	default:
		return lo_func(L, e);
	}
}

/* Enumerators of enums that have a name; those without and #defines are part of the kernel's ABI. */
static bool differs_by_kernel(struct lower *L, const struct expr *e)
{
	if (!L->m->meta->portable || !L->m->target->btf)
		return false;
	switch (e->kind) {
	case EX_NAME:
		return e->ref.kind == REF_CONST && *kbtf_enum_owner(L->m->target->btf, e->u.name);
	case EX_UNARY:
		return differs_by_kernel(L, e->u.unary.a);
	case EX_BINARY:
		return differs_by_kernel(L, e->u.binary.a) || differs_by_kernel(L, e->u.binary.b);
	case EX_CAST:
		return differs_by_kernel(L, e->u.cast.a);
	case EX_TERNARY:
		return differs_by_kernel(L, e->u.ternary.cond) ||
		       (e->u.ternary.yes && differs_by_kernel(L, e->u.ternary.yes)) ||
		       differs_by_kernel(L, e->u.ternary.no);
	default:
		return false;
	}
}

/* In an object for other kernels the loader fills it in. */
static ir_val kernel_constant(struct lower *L, const struct expr *e)
{
	struct ir_field f = {.path = e->u.name, .fact = FACT_ENUM, .size = 8,
		.value = (int64_t)e->ref.u.num, .type = IR_I64};

	if (!differs_by_kernel(L, e))
		return ir_const(L->f, f.value);
	f.root = kbtf_enum_owner(L->m->target->btf, e->u.name);
	return ir_fofs(L->f, ir_add_field(L->m, f));
}

static ir_val named(struct lower *L, const struct expr *e)
{
	switch (e->ref.kind) {
	case REF_BUILTIN:
		return builtin_value_of(L, e);
	case REF_CONST:
		return kernel_constant(L, e);
	case REF_TPFIELD:
		return lo_tp_field(L, lo_tp_of(L, e));
	case REF_TRACEDARG:
		return lo_traced_arg(L, e);
	case REF_OPSARG:
		return lo_ops_arg(L, e);
	case REF_NET:
		return lo_net_field(L, e->ref.u.net);
	case REF_MEMBER:
		return lo_member_int(L, e);
	case REF_KFUNC:
		return lo_kfunc_call(L, e);
	case REF_FUNC:
		if (e->ref.u.builtin == BI_F_RATE || e->ref.u.builtin == BI_F_EVERY ||
			e->ref.u.builtin == BI_F_CONTAINS || e->ref.u.builtin == BI_F_DNS_NAME)
			return lo_truth(L, e);
		return function_value(L, e);
	default:
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: expression without a meaning");
	}
}

/* 1 for everything but 0. */
static ir_val is_not_zero(struct lower *L, ir_val v)
{
	ir_blk yes = lo_block(L), join = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);

	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_if(L, CC_NE, v, ir_const(L->f, 0), yes, join);
	lo_enter(L, yes);
	ir_var_write(L->f, var, ir_const(L->f, 1));
	lo_goto(L, join);
	lo_enter(L, join);
	return ir_var_read(L->f, var);
}

/* What a variable that was declared with a type of numbers gets, cast to that type. */
static ir_val as_declared(struct lower *L, const struct var_sym *var, ir_val v)
{
	struct expr cast;

	if (!var->cast || var->cast->u.cast.stars)
		return v;
	cast = *var->cast;
	if (cast.u.cast.of)
		cast.type = cast.u.cast.of->type;
	else if (!lt_int_name(cast.u.cast.type, &cast.type))
		return v;
	return lt_bool_cast(&cast) ? is_not_zero(L, v)
				   : lo_extend(L, v, cast.type.size, cast.type.is_signed);
}

static ir_val incdec(struct lower *L, const struct expr *e)
{
	const struct expr *t = e->u.incdec.target;
	int64_t by = lo_step(L, &t->type);
	ir_val old, new;

	if (t->kind == EX_MAP)
		return lo_map_incdec(L, e);
	old = ir_var_read(L->f, t->var->ir_var);
	new = as_declared(L, t->var, ir_bini(L->f, IR_ADD, old, e->u.incdec.dec ? -by : by));
	ir_var_write(L->f, t->var->ir_var, new);
	return e->u.incdec.prefix ? new : old;
}

static ir_val cast(struct lower *L, const struct expr *e)
{
	ir_val v;

	if (e->type.kind != LT_INT && lo_in_memory(&e->u.cast.a->type)) {
		if (e->u.cast.a->ref.kind == REF_TPFIELD)
			lo_one_kernel(L, e->span, "the address of a tracepoint's array");
		return lo_addr(L, e->u.cast.a);
	}
	if (e->type.kind != LT_INT)
		return lo_value(L, e->u.cast.a);
	v = lo_in_memory(&e->u.cast.a->type) ? lo_mem_bytes(L, e->u.cast.a) : lo_int(L, e->u.cast.a);
	return lt_bool_cast(e) ? is_not_zero(L, v) : lo_extend(L, v, e->type.size, e->type.is_signed);
}

ir_val lo_int(struct lower *L, const struct expr *e)
{
	ir_val v = lo_value(L, e);

	/* a pointer that the verifier knows is no number until it is said to be one */
	return ir_is_ptr(ir_type_of(L->f, v)) ? ir_un(L->f, IR_ADDR, v) : v;
}

ir_val lo_value(struct lower *L, const struct expr *e)
{
	ir_span(L->f, e->span);
	if (e->is_const && !differs_by_kernel(L, e))
		return ir_const(L->f, (int64_t)e->const_value);
	if (lo_is_part(e))
		return lo_mem_int(L, e);
	switch (e->kind) {
	case EX_INT:
		return ir_const(L->f, (int64_t)e->u.num.v);
	case EX_ADDR:
		return address(e, L);
	case EX_VAR:
		return ir_var_read(L->f, e->var->ir_var);
	case EX_MAP:
		return lo_map_read(L, e);
	case EX_UNARY:
		return unary(L, e);
	case EX_BINARY:
		return binary(L, e);
	case EX_IN:
		return lo_truth(L, e);
	case EX_TERNARY:
		return ternary(L, e);
	case EX_CAST:
		return cast(L, e);
	case EX_INCDEC:
		return incdec(L, e);
	case EX_BLOCK:
		return lo_value(L, lo_block_value(L, e));
	case EX_INDEX:
		if (e->ref.kind == REF_NET)
			return lo_payload(L, e);
		if (e->u.index.base->type.kind == LT_STR)
			return string_byte(L, e);
		return lo_deref(L, e);
	default:
		return named(L, e);
	}
}

struct lo_pair lo_inet6(struct lower *L, const struct expr *e)
{
	uint64_t w[2] = {0, 0};

	ir_span(L->f, e->span);
	while (e->kind == EX_BLOCK)
		e = lo_block_value(L, e);
	if (e->kind == EX_VAR)
		return (struct lo_pair){ir_var_read(L->f, e->var->ir_var),
			ir_var_read(L->f, e->var->slot)};
	if (e->kind == EX_MAP)
		return lo_map_read_pair(L, e);
	if (e->ref.kind == REF_FUNC)
		return lo_usym(L, e);
	if (lo_is_part(e)) {
		struct lo_mem m = lo_mem(L, e);
		ir_val first = ir_ld(L->f, 8, m.p, m.off);

		return (struct lo_pair){first, ir_ld(L->f, 8, m.p, m.off + 8)};
	}
	if (e->kind != EX_ADDR)
		return lo_net_pair(L, e->ref.u.net);
	for (unsigned i = 16; i-- > 0;)
		w[i / 8] = w[i / 8] << 8 | e->u.addr.bytes[i];
	return (struct lo_pair){ir_const(L->f, (int64_t)w[0]), ir_const(L->f, (int64_t)w[1])};
}
