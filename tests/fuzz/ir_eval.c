/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/fuzz/ir_eval.h"
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#define BYTE_ALIGNED(n) (((n) + 7) & ~7u)

static bool refuse(struct ir_eval *e, ir_val v, const char *what)
{
	if (!e->error[0])
		snprintf(e->error, sizeof(e->error), "%%%u: %s", v, what);
	return false;
}

/* ---- numbers ---- */

static int64_t as_signed(uint64_t v, unsigned bits)
{
	return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static uint64_t cut(uint64_t v, unsigned bits)
{
	return bits == 64 ? v : v & (((uint64_t)1 << bits) - 1);
}

static uint64_t divide(enum ir_op op, uint64_t a, uint64_t b, unsigned bits)
{
	int64_t sa = as_signed(a, bits), sb = as_signed(b, bits);

	switch (op) {
	case IR_UDIV:
		return b ? a / b : 0;
	case IR_UMOD:
		return b ? a % b : a;
	case IR_SDIV:
		return sb == 0 ? 0 : sb == -1 ? 0 - (uint64_t)sa : (uint64_t)(sa / sb);
	default:
		return sb == 0 ? (uint64_t)sa : sb == -1 ? 0 : (uint64_t)(sa % sb);
	}
}

static uint64_t swap(uint64_t v, unsigned bytes)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < bytes; i++)
		r = r << 8 | (v >> 8 * i & 0xff);
	return r;
}

static uint64_t binary(enum ir_op op, uint64_t a, uint64_t b, unsigned bits)
{
	unsigned count = (unsigned)(b & (bits - 1));

	switch (op) {
	case IR_ADD:
		return a + b;
	case IR_SUB:
		return a - b;
	case IR_MUL:
		return a * b;
	case IR_AND:
		return a & b;
	case IR_OR:
		return a | b;
	case IR_XOR:
		return a ^ b;
	case IR_SHL:
		return a << count;
	case IR_LSHR:
		return a >> count;
	case IR_ASHR:
		return (uint64_t)(as_signed(a, bits) >> count);
	default:
		return divide(op, a, b, bits);
	}
}

static uint64_t unary(enum ir_op op, uint64_t a)
{
	switch (op) {
	case IR_NEG:
		return 0 - a;
	case IR_BSWAP16:
		return swap(a, 2);
	case IR_BSWAP32:
		return swap(a, 4);
	case IR_BSWAP64:
		return swap(a, 8);
	case IR_ZEXT8:
		return cut(a, 8);
	case IR_ZEXT16:
		return cut(a, 16);
	case IR_SEXT8:
		return (uint64_t)as_signed(a, 8);
	case IR_SEXT16:
		return (uint64_t)as_signed(a, 16);
	case IR_SEXT32:
		return (uint64_t)as_signed(a, 32);
	case IR_ZEXT32:
	case IR_TRUNC:
	case IR_WIDE:
		return cut(a, 32);
	default: /* ADDR */
		return a;
	}
}

static bool compare(enum ir_cc cc, uint64_t a, uint64_t b, unsigned bits)
{
	int64_t sa = as_signed(a, bits), sb = as_signed(b, bits);

	switch (cc) {
	case CC_EQ:
		return a == b;
	case CC_NE:
		return a != b;
	case CC_LT:
		return a < b;
	case CC_LE:
		return a <= b;
	case CC_GT:
		return a > b;
	case CC_GE:
		return a >= b;
	case CC_SLT:
		return sa < sb;
	case CC_SLE:
		return sa <= sb;
	case CC_SGT:
		return sa > sb;
	case CC_SGE:
		return sa >= sb;
	default:
		return (a & b) != 0;
	}
}

/* ---- memory ---- */

static bool within(const uint8_t *p, unsigned n, const uint8_t *start, uint64_t size)
{
	return start && p >= start && p + n <= start + size;
}

static bool accessible(const struct ir_eval *e, const uint8_t *p, unsigned n)
{
	const struct meta *meta = e->f->m->meta;

	if (within(p, n, e->packet, e->packet_len))
		return true;
	for (uint32_t k = 0; k < meta->maps.n && k < IR_EVAL_MAPS; k++) {
		const struct meta_map *m = &meta->maps.v[k];

		if (within(p, n, e->map[k], (uint64_t)m->value_size * m->max_entries))
			return true;
	}
	for (ir_val v = 1; v < e->f->vals.n; v++) {
		if (e->slot[v] && within(p, n, e->slot[v], (uint64_t)e->f->vals.v[v].imm))
			return true;
	}
	return false;
}

static bool read_mem(struct ir_eval *e, ir_val v, uint64_t at, unsigned n, uint64_t *out)
{
	*out = 0;
	if (!accessible(e, (const uint8_t *)(uintptr_t)at, n))
		return refuse(e, v, "reads outside of every object");
	memcpy(out, (const void *)(uintptr_t)at, n);
	return true;
}

static bool write_mem(struct ir_eval *e, ir_val v, uint64_t at, unsigned n, uint64_t val)
{
	if (!accessible(e, (const uint8_t *)(uintptr_t)at, n))
		return refuse(e, v, "writes outside of every object");
	memcpy((void *)(uintptr_t)at, &val, n);
	return true;
}

static bool atomic(struct ir_eval *e, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(e->f, v);
	uint64_t at = e->val[i->args[0]] + (uint64_t)i->imm, old, b = e->val[i->args[1]], new;

	if (!read_mem(e, v, at, i->width, &old))
		return false;
	switch (i->sub) {
	case AT_ADD:
	case AT_FADD:
		new = old + b;
		break;
	case AT_OR:
	case AT_FOR:
		new = old | b;
		break;
	case AT_AND:
	case AT_FAND:
		new = old & b;
		break;
	case AT_XOR:
	case AT_FXOR:
		new = old ^ b;
		break;
	default:
		new = b;
	}
	e->val[v] = old;
	return write_mem(e, v, at, i->width, new);
}

static bool compare_exchange(struct ir_eval *e, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(e->f, v);
	uint64_t at = e->val[i->args[0]] + (uint64_t)i->imm, old;

	if (!read_mem(e, v, at, i->width, &old))
		return false;
	e->val[v] = old;
	if (old != cut(e->val[i->args[1]], i->width * 8u))
		return true;
	return write_mem(e, v, at, i->width, e->val[i->args[2]]);
}

static bool context(struct ir_eval *e, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(e->f, v);
	const struct kern_ctx_field *row = kern_ctx_field_at(CTX_XDP_MD, (uint32_t)i->imm, i->width);

	if (!row)
		return refuse(e, v, "no such context field");
	if (row->type == CF_PKT)
		e->val[v] = (uintptr_t)e->packet;
	else if (row->type == CF_PKTEND)
		e->val[v] = (uintptr_t)e->packet + e->packet_len;
	else
		e->val[v] = strcmp(row->name, "ingress_ifindex") ? 0 : e->ifindex;
	return true;
}

/* ---- helpers ---- */

static uint8_t *map_value(struct ir_eval *e, ir_val map, uint64_t key_at, bool *ok)
{
	const struct ir_ins *i = ir_ins_of(e->f, map);
	const struct meta_map *m = &e->f->m->meta->maps.v[i->aux];
	uint64_t key;

	*ok = read_mem(e, map, key_at, 4, &key);
	if (!*ok || key >= m->max_entries)
		return NULL;
	return e->map[i->aux] + key * m->value_size;
}

static bool call(struct ir_eval *e, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(e->f, v);
	uint64_t flags;
	uint8_t *value;
	bool ok = true;

	switch (i->aux) {
	case BPF_FUNC_map_lookup_elem:
		e->val[v] = (uintptr_t)map_value(e, i->args[0], e->val[i->args[1]], &ok);
		return ok;
	case BPF_FUNC_map_update_elem: /* kernel/bpf/arraymap.c, array_map_update_elem */
		value = map_value(e, i->args[0], e->val[i->args[1]], &ok);
		flags = e->val[i->args[3]];
		e->val[v] = 0;
		if (flags > BPF_EXIST)
			e->val[v] = (uint64_t)-EINVAL;
		else if (!value)
			e->val[v] = (uint64_t)-E2BIG;
		else if (flags & BPF_NOEXIST)
			e->val[v] = (uint64_t)-EEXIST;
		else
			memmove(value, (void *)(uintptr_t)e->val[i->args[2]],
				e->f->m->meta->maps.v[ir_ins_of(e->f, i->args[0])->aux].value_size);
		return ok;
	case BPF_FUNC_get_smp_processor_id:
		e->val[v] = e->cpu;
		return true;
	default:
		return refuse(e, v, "helper that the evaluator does not know");
	}
}

/* ---- control ---- */

static bool step(struct ir_eval *e, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(e->f, v);
	unsigned bits = i->type.kind == IRT_I32 ? 32 : 64;
	const uint64_t *val = e->val;

	switch (ir_op_row(i->op)->form) {
	case FORM_CONST:
		e->val[v] = cut((uint64_t)i->imm, bits);
		return true;
	case FORM_BIN:
		e->val[v] = cut(binary(i->op, val[i->args[0]], val[i->args[1]], bits), bits);
		return true;
	case FORM_UN:
		e->val[v] = cut(unary(i->op, val[i->args[0]]), bits);
		return true;
	case FORM_SLOT:
		if (!e->slot[v]) {
			e->slot[v] = arena_alloc(e->a, (size_t)i->imm);
			memset(e->slot[v], 0xa5, (size_t)i->imm);
		}
		e->val[v] = (uintptr_t)e->slot[v];
		return true;
	case FORM_MAPREF:
		return true;
	case FORM_GADDR:
		e->val[v] = (uintptr_t)e->map[i->aux] + (uint64_t)i->imm;
		return true;
	case FORM_OFF:
		e->val[v] = val[i->args[0]] + (uint64_t)i->imm;
		return true;
	case FORM_INDEX:
		e->val[v] = val[i->args[0]] + val[i->args[1]];
		return true;
	case FORM_LD:
		if (i->op == IR_LDCTX)
			return context(e, v);
		return read_mem(e, v, val[i->args[0]] + (uint64_t)i->imm, i->width, &e->val[v]);
	case FORM_ST:
		return write_mem(e, v, val[i->args[0]] + (uint64_t)i->imm, i->width, val[i->args[1]]);
	case FORM_ZERO:
		for (uint32_t k = 0; k < i->aux; k++) {
			if (!write_mem(e, v, val[i->args[0]] + (uint64_t)i->imm + k, 1, 0))
				return false;
		}
		return true;
	case FORM_ATOM:
		return atomic(e, v);
	case FORM_CAS:
		return compare_exchange(e, v);
	case FORM_CALL:
		return i->op == IR_CALL ? call(e, v) : refuse(e, v, "kernel function");
	default:
		return refuse(e, v, "operation that the evaluator does not know");
	}
}

/* Which edge the terminator takes. */
static unsigned choose(const struct ir_eval *e, const struct ir_term *t)
{
	unsigned bits = ir_type_of(e->f, t->args[0]).kind == IRT_I32 ? 32 : 64;
	uint64_t a = e->val[t->args[0]], b = e->val[t->args[1]];

	switch (t->op) {
	case IRN_IF:
		return !compare(t->cc, a, b, bits);
	case IRN_SOME:
		return !a;
	case IRN_NEED:
		return a + (uint64_t)t->imm > b;
	case IRN_BOUND:
	case IRN_LOOP:
		return a >= (uint64_t)t->imm;
	default:
		return 0;
	}
}

static void follow(struct ir_eval *e, const struct ir_edge *edge)
{
	const struct ir_block *to = &e->f->blocks.v[edge->to];
	uint64_t now[256];

	for (uint32_t k = 0; k < edge->nargs && k < 256; k++)
		now[k] = e->val[edge->args[k]];
	for (uint32_t k = 0; k < edge->nargs && k < 256; k++)
		e->val[to->params.v[k]] = now[k];
}

bool ir_eval_run(struct ir_eval *e, uint64_t *result)
{
	uint64_t left = e->max_steps ? e->max_steps : 1000000;
	ir_blk b = 0;

	e->val = ARENA_ARRAY(e->a, uint64_t, e->f->vals.n);
	e->slot = ARENA_ARRAY(e->a, uint8_t *, e->f->vals.n);
	e->error[0] = 0;
	for (;;) {
		const struct ir_block *blk = &e->f->blocks.v[b];
		const struct ir_edge *edge;

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (left-- == 0)
				return refuse(e, blk->ins.v[i], "too many steps");
			if (!step(e, blk->ins.v[i]))
				return false;
		}
		if (blk->term.op == IRN_RET) {
			*result = e->val[blk->term.args[0]];
			return true;
		}
		if (blk->term.op == IRN_NONE)
			return refuse(e, 0, "block without an end");
		edge = &blk->term.edge[choose(e, &blk->term)];
		follow(e, edge);
		b = edge->to;
	}
}
