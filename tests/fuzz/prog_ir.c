/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A random program as IR, through the builders: variables become SSA on the way. */
#include "prog.h"
#include <linux/bpf.h>

struct out {
	const struct prog *p;
	struct ir_fn *f;
	ir_val packet, words, key, val;
	unsigned var[PROG_VARS];
	ir_blk end;
	unsigned result;
};

static const enum ir_op unsigned_op[] = {IR_ADD, IR_SUB, IR_MUL, IR_UDIV, IR_UMOD, IR_AND, IR_OR,
	IR_XOR, IR_SHL, IR_LSHR};
static const enum ir_op signed_op[] = {IR_ADD, IR_SUB, IR_MUL, IR_SDIV, IR_SMOD, IR_AND, IR_OR, IR_XOR,
	IR_SHL, IR_ASHR};
static const enum ir_cc unsigned_cc[] = {CC_EQ, CC_NE, CC_LT, CC_LE, CC_GT, CC_GE};
static const enum ir_cc signed_cc[] = {CC_EQ, CC_NE, CC_SLT, CC_SLE, CC_SGT, CC_SGE};

static ir_val value(struct out *o, const struct px *e);

static void enter(struct out *o, ir_blk b)
{
	ir_seal(o->f, b);
	ir_at(o->f, b);
}

static void condition(struct out *o, const struct px *e, ir_blk yes, ir_blk no)
{
	ir_blk mid;
	ir_val a, b;

	switch (e->kind) {
	case PX_NOT:
		condition(o, e->a, no, yes);
		return;
	case PX_AND:
	case PX_OR:
		mid = ir_block_new(o->f);
		condition(o, e->a, e->kind == PX_AND ? mid : yes, e->kind == PX_AND ? no : mid);
		enter(o, mid);
		condition(o, e->b, yes, no);
		return;
	case PX_CMP:
	case PX_CMP32:
		a = value(o, e->a);
		b = value(o, e->b);
		if (e->kind == PX_CMP32) {
			a = ir_un(o->f, IR_TRUNC, a);
			b = ir_un(o->f, IR_TRUNC, b);
		}
		ir_if(o->f, (e->is_signed ? signed_cc : unsigned_cc)[e->op], a, b, yes, no);
		return;
	default:
		a = value(o, e);
		b = ir_const(o->f, 0);
		ir_if(o->f, CC_NE, a, b, yes, no);
	}
}

static ir_val either(struct out *o, const struct px *cond, const struct px *a, const struct px *b)
{
	ir_blk yes = ir_block_new(o->f), no = ir_block_new(o->f), join = ir_block_new(o->f);
	unsigned var = ir_var_new(o->f, IR_I64);
	ir_val v;

	condition(o, cond, yes, no);
	enter(o, yes);
	v = a ? value(o, a) : ir_const(o->f, 1);
	ir_var_write(o->f, var, v);
	ir_jmp(o->f, join);
	enter(o, no);
	v = b ? value(o, b) : ir_const(o->f, 0);
	ir_var_write(o->f, var, v);
	ir_jmp(o->f, join);
	enter(o, join);
	return ir_var_read(o->f, var);
}

static ir_val extend(struct out *o, ir_val v, unsigned size, bool is_signed)
{
	static const enum ir_op sext[] = {[1] = IR_SEXT8, [2] = IR_SEXT16, [4] = IR_SEXT32};
	static const enum ir_op zext[] = {[1] = IR_ZEXT8, [2] = IR_ZEXT16, [4] = IR_ZEXT32};

	return size == 8 ? v : ir_un(o->f, (is_signed ? sext : zext)[size], v);
}

static ir_val lookup(struct out *o, unsigned map, ir_val k)
{
	ir_val args[2];

	ir_st(o->f, 8, o->key, 0, k);
	args[0] = ir_map(o->f, map);
	args[1] = o->key;
	return ir_call(o->f, "map_lookup_elem", IR_VOID, 2, args);
}

static ir_val map_get(struct out *o, const struct px *e)
{
	ir_blk there = ir_block_new(o->f), done = ir_block_new(o->f);
	unsigned var = ir_var_new(o->f, IR_I64);
	ir_val k = value(o, e->a), p, v;

	v = ir_const(o->f, 0);
	ir_var_write(o->f, var, v);
	p = lookup(o, (unsigned)e->v, k);
	p = ir_some(o->f, p, there, done);
	enter(o, there);
	v = ir_ld(o->f, 8, p, 0);
	ir_var_write(o->f, var, v);
	ir_jmp(o->f, done);
	enter(o, done);
	return ir_var_read(o->f, var);
}

static ir_val binary(struct out *o, const struct px *e)
{
	ir_val a = value(o, e->a), b = value(o, e->b), v;
	enum ir_op op = (e->is_signed ? signed_op : unsigned_op)[e->op];

	if (e->kind == PX_BIN)
		return ir_bin(o->f, op, a, b);
	a = ir_un(o->f, IR_TRUNC, a);
	b = ir_un(o->f, IR_TRUNC, b);
	v = ir_bin(o->f, op, a, b);
	return ir_un(o->f, IR_WIDE, v);
}

static ir_val value(struct out *o, const struct px *e)
{
	ir_val v;

	switch (e->kind) {
	case PX_CONST:
		return ir_const(o->f, (int64_t)e->v);
	case PX_VAR:
		return ir_var_read(o->f, o->var[e->v]);
	case PX_INPUT:
		return ir_ld(o->f, e->size, o->packet, (int64_t)e->v);
	case PX_SLOT:
		return ir_ld(o->f, 8, o->words, (int64_t)e->v * 8);
	case PX_MAP:
		return map_get(o, e);
	case PX_BIN:
	case PX_BIN32:
		return binary(o, e);
	case PX_CAST:
		v = value(o, e->a);
		return extend(o, v, e->size, e->is_signed);
	case PX_TERNARY:
		return either(o, e->a, e->b, e->c);
	default:
		return either(o, e, NULL, NULL);
	}
}

static void body(struct out *o, const struct ps *s);

static void loop(struct out *o, const struct ps *s)
{
	ir_blk head = ir_block_new(o->f), inside = ir_block_new(o->f), done = ir_block_new(o->f);
	ir_blk from = ir_here(o->f);
	ir_val i = ir_param(o->f, head, IR_I64), zero = ir_const(o->f, 0);

	ir_jmp(o->f, head);
	ir_edge_arg(o->f, from, 0, zero);
	ir_at(o->f, head);
	i = ir_loop(o->f, i, s->turns, inside, done);
	enter(o, inside);
	body(o, s->yes);
	if (ir_open(o->f)) {
		i = ir_bini(o->f, IR_ADD, i, 1);
		from = ir_here(o->f);
		ir_jmp(o->f, head);
		ir_edge_arg(o->f, from, 0, i);
	}
	ir_seal(o->f, head);
	enter(o, done);
}

static void if_else(struct out *o, const struct ps *s)
{
	ir_blk yes = ir_block_new(o->f), no = ir_block_new(o->f), join = ir_block_new(o->f);

	condition(o, s->a, yes, no);
	enter(o, yes);
	body(o, s->yes);
	if (ir_open(o->f))
		ir_jmp(o->f, join);
	enter(o, no);
	body(o, s->no);
	if (ir_open(o->f))
		ir_jmp(o->f, join);
	enter(o, join);
}

static void map_write(struct out *o, unsigned map, ir_val k, ir_val v)
{
	ir_val args[4];

	ir_st(o->f, 8, o->key, 0, k);
	ir_st(o->f, 8, o->val, 0, v);
	args[0] = ir_map(o->f, map);
	args[1] = o->key;
	args[2] = o->val;
	args[3] = ir_const(o->f, BPF_ANY);
	ir_call(o->f, "map_update_elem", IR_VOID, 4, args);
}

static void map_add(struct out *o, const struct ps *s)
{
	ir_blk there = ir_block_new(o->f), absent = ir_block_new(o->f), done = ir_block_new(o->f);
	ir_val v = value(o, s->b), k = value(o, s->a), p;

	p = lookup(o, s->which, k);
	p = ir_some(o->f, p, there, absent);
	enter(o, there);
	ir_atom(o->f, AT_ADD, 8, p, 0, v);
	ir_jmp(o->f, done);
	enter(o, absent);
	map_write(o, s->which, k, v);
	ir_jmp(o->f, done);
	enter(o, done);
}

static void map_delete(struct out *o, const struct ps *s)
{
	ir_val args[2], k = value(o, s->a);

	ir_st(o->f, 8, o->key, 0, k);
	args[0] = ir_map(o->f, s->which);
	args[1] = o->key;
	ir_call(o->f, "map_delete_elem", IR_VOID, 2, args);
}

static void statement(struct out *o, const struct ps *s)
{
	ir_val v, k;

	switch (s->kind) {
	case PS_SET:
		v = value(o, s->a);
		v = extend(o, v, s->size, s->is_signed);
		ir_var_write(o->f, o->var[s->which], v);
		break;
	case PS_IF:
		if_else(o, s);
		break;
	case PS_LOOP:
		loop(o, s);
		break;
	case PS_STORE:
		v = value(o, s->a);
		ir_st(o->f, s->size, o->packet, s->which, v);
		break;
	case PS_SLOT:
		v = value(o, s->a);
		ir_st(o->f, 8, o->words, s->which * 8, v);
		break;
	case PS_RETURN:
		v = value(o, s->a);
		ir_var_write(o->f, o->result, v);
		ir_jmp(o->f, o->end);
		break;
	case PS_CALL: /* clobbers r0 .. r5; its result is different from run to run */
		ir_call(o->f, "ktime_get_ns", IR_VOID, 0, NULL);
		break;
	case PS_MAP_ADD:
		map_add(o, s);
		break;
	case PS_MAP_DELETE:
		map_delete(o, s);
		break;
	default:
		v = value(o, s->b);
		k = value(o, s->a);
		map_write(o, s->which, k, v);
		break;
	}
}

static void body(struct out *o, const struct ps *s)
{
	for (; s && ir_open(o->f); s = s->next)
		statement(o, s);
}

static void start(struct out *o)
{
	static const struct {
		unsigned size, off;
	} first[] = {{8, 0}, {4, 8}, {8, 16}, {2, 26}};
	ir_blk ok = ir_block_new(o->f), cut = ir_block_new(o->f);
	ir_val data = ir_ldctx(o->f, 4, 0, ir_ptr(IRT_PKT, 0)), end, v;

	end = ir_ldctx(o->f, 4, 4, (struct ir_type){.kind = IRT_PKTEND});
	o->packet = ir_need(o->f, data, end, PROG_PACKET, ok, cut);
	enter(o, cut);
	v = ir_const(o->f, 99);
	ir_ret(o->f, v);
	enter(o, ok);
	o->words = ir_slot(o->f, PROG_WORDS * 8);
	o->key = ir_slot(o->f, 8);
	o->val = ir_slot(o->f, 8);
	for (unsigned i = 0; i < PROG_WORDS; i++) {
		v = ir_const(o->f, 0);
		ir_st(o->f, 8, o->words, i * 8, v);
	}
	for (unsigned i = 0; i < o->p->nvars; i++) {
		o->var[i] = ir_var_new(o->f, IR_I64);
		v = ir_ld(o->f, first[i % 4].size, o->packet, first[i % 4].off);
		v = ir_bini(o->f, IR_ADD, v, i);
		ir_var_write(o->f, o->var[i], v);
	}
}

static void finish(struct out *o)
{
	ir_val sum, v;

	if (ir_open(o->f)) {
		for (unsigned i = 0; i < o->p->nvars; i++) {
			ir_val k = ir_const(o->f, i);

			v = ir_var_read(o->f, o->var[i]);
			map_write(o, 0, k, v);
		}
		sum = ir_const(o->f, 2);
		for (unsigned i = 0; i < PROG_WORDS; i++) {
			sum = ir_bini(o->f, IR_MUL, sum, 31);
			v = ir_ld(o->f, 8, o->words, i * 8);
			sum = ir_bin(o->f, IR_ADD, sum, v);
		}
		ir_var_write(o->f, o->result, sum);
		ir_jmp(o->f, o->end);
	}
	enter(o, o->end);
	v = ir_var_read(o->f, o->result);
	v = ir_un(o->f, IR_ZEXT32, v);
	ir_ret(o->f, v);
}

struct ir_fn *prog_ir(const struct prog *p, struct ir_module *m)
{
	struct out o = {.p = p};

	for (unsigned i = 0; i < PROG_MAPS; i++) {
		struct meta_map map = {.name = i ? "@m" : "@out", .kname = i ? "m" : "out",
			.role = MM_USER, .type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8,
			.max_entries = 64, .present_off = META_NONE, .value = {.kind = MK_UINT, .size = 8}};

		vec_push(m->a, &map.keys, (struct meta_field){.kind = MK_UINT, .size = 8});
		vec_push(m->a, &m->meta->maps, map);
	}
	vec_push(m->a, &m->meta->progs,
		(struct meta_prog){.name = "fuzz", .section = "xdp", .type = BPF_PROG_TYPE_XDP,
			.attach_type = BPF_XDP, .ops = META_NONE, .member = META_NONE});
	o.f = ir_fn_new(m, "fuzz", CTX_XDP_MD);
	vec_push(m->a, &m->fns, o.f);
	ir_seal(o.f, 0);
	ir_at(o.f, 0);
	o.end = ir_block_new(o.f);
	o.result = ir_var_new(o.f, IR_I64);
	start(&o);
	body(&o, p->body);
	finish(&o);
	ir_finish(o.f);
	return o.f;
}
