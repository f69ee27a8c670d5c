/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Types of operands and results, accesses within proven sizes, what edges hand over. Names in
 * brackets (P2, F7, …) are programs of docs/verifier-contract.md.
 */
#include "ir/check.h"
#include <linux/bpf.h>
#include <string.h>

static struct ir_type arg_type(const struct check *c, const struct ir_ins *i, unsigned a)
{
	return ir_type_of(c->f, i->args[a]);
}

/* ---- results ---- */
static void check_result(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	const char *why;
	struct ir_type t = ir_infer(c->f, i, &why);

	if (why)
		check_fail(c, b, v, "type", "%s", why);
	else if (i->op != IR_LDCTX && !ir_type_fits(t, i->type))
		check_fail(c, b, v, "type", "the result is %s, not %s", check_type_text(c, t),
			check_type_text(c, i->type));
}

/* ---- numbers ---- */
static void check_binary(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	struct ir_type x = arg_type(c, i, 0), y = arg_type(c, i, 1);
	unsigned width = x.kind == IRT_I32 ? 32 : 64;
	uint64_t n;

	if (!check_num(x) || x.kind != y.kind) {
		check_fail(c, b, v, "type", "two numbers of one width wanted, got %s and %s",
			check_type_text(c, x), check_type_text(c, y));
		return;
	}
	if (!c->f->legal || !ir_is_const(c->f, i->args[1]))
		return;
	/* B1, B2: constants the verifier refuses. Folded by ir_opt_fold, or kept in a register. */
	n = (uint64_t)ir_ins_of(c->f, i->args[1])->imm;
	if (i->op >= IR_UDIV && i->op <= IR_SMOD && !n)
		check_fail(c, b, v, "constant", "division by the constant 0");
	if (i->op >= IR_SHL && i->op <= IR_ASHR && n >= width)
		check_fail(c, b, v, "constant", "shift of %u bits by %llu", width,
			(unsigned long long)n);
}

static void check_unary(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	struct ir_type t = arg_type(c, i, 0);
	bool fits;

	switch (i->op) {
	case IR_ADDR:
		fits = t.kind == IRT_BTF || t.kind == IRT_CTX || t.kind == IRT_PKT ||
			t.kind == IRT_PKTEND;
		break;
	case IR_FRCTX:
		fits = t.kind == IRT_FRAME && t.n >= 8;
		break;
	case IR_WIDE:
		fits = t.kind == IRT_I32;
		break;
	case IR_TRUNC:
	case IR_ZEXT32:
	case IR_SEXT32:
	case IR_BSWAP64:
		fits = t.kind == IRT_I64;
		break;
	default:
		fits = check_num(t);
	}
	if (!fits)
		check_fail(c, b, v, "type", "does not take %s", check_type_text(c, t));
}

static void check_fixed(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	const struct meta_map *map = i->aux < c->m->meta->maps.n ? &c->m->meta->maps.v[i->aux] : NULL;

	if (i->op == IR_CONST && (!check_num(i->type) ||
		(i->type.kind == IRT_I32 && i->imm != (int32_t)i->imm)))
		check_fail(c, b, v, "type", "a constant is a number that fits its type");
	if (i->op == IR_SLOT && (i->imm <= 0 || i->imm > INT32_MAX))
		check_fail(c, b, v, "type", "a stack object of %lld bytes", (long long)i->imm);
	if (i->op == IR_FUNC && i->aux >= c->f->top->subs.n)
		check_fail(c, b, v, "type", "no such function");
	if ((i->op == IR_MAP || i->op == IR_GADDR) && !map)
		check_fail(c, b, v, "type", "no such map");
	/* array_map_direct_value_addr: arrays of one entry only */
	if (i->op == IR_GADDR && map &&
		(map->type != BPF_MAP_TYPE_ARRAY || map->max_entries != 1))
		check_fail(c, b, v, "type", "only the value of an array of one entry has an address");
}

/* ---- pointers ---- */
static bool points_to_memory(struct ir_type t)
{
	return t.kind == IRT_SLOT || t.kind == IRT_MAPV || t.kind == IRT_REC ||
		t.kind == IRT_PKT || t.kind == IRT_FRAME || t.kind == IRT_KEY;
}

/* The base of an access or of pointer arithmetic (N4: none on what may be NULL). */
static bool check_base(struct check *c, ir_blk b, ir_val v)
{
	struct ir_type t = arg_type(c, ir_ins_of(c->f, v), 0);

	if (!points_to_memory(t)) {
		check_fail(c, b, v, "type", "%s is no pointer to memory", check_type_text(c, t));
		return false;
	}
	if (t.flags & IRT_NULLABLE) {
		check_fail(c, b, v, "nullable", "%%%u may be NULL: 'some' has to prove it is not",
			c->num.val[ir_ins_of(c->f, v)->args[0]] - 1);
		return false;
	}
	return true;
}

static void check_bounds(struct check *c, ir_blk b, ir_val v, uint64_t size)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	struct ir_type t = arg_type(c, i, 0);

	if (i->imm < 0 || size > t.n || (uint64_t)i->imm > t.n - size)
		check_fail(c, b, v, "bounds", "%llu bytes at %+lld are outside %s",
			(unsigned long long)size, (long long)i->imm, check_type_text(c, t));
}

/* P4, P14, P15: the verifier loses a packet pointer that may move 2^15 bytes or more. */
static void check_index(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	struct ir_type t = arg_type(c, i, 0), by = arg_type(c, i, 1);

	if (!check_base(c, b, v))
		return;
	if (by.kind != IRT_I64)
		check_fail(c, b, v, "type", "index is %s, not i64", check_type_text(c, by));
	else if (t.kind == IRT_PKT ? by.hi >= 1 << 15 : by.hi > t.n)
		check_fail(c, b, v, "bounds", "index %s is not proven to stay within %s",
			check_type_text(c, by), t.kind == IRT_PKT ? "32767" : check_type_text(c, t));
	/* check_stack_access before 5.12: "variable stack access" */
	if (t.kind == IRT_SLOT && !check_kernel(c, 5, 12))
		check_fail(c, b, v, "kernel",
			"a variable index into the stack needs kernel 5.12; the target is older");
}

static bool width_ok(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

static void check_writable(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	struct ir_type t = arg_type(c, i, 0);
	const struct ir_ins *root = ir_ins_of(c->f, ir_origin(c->f, i->args[0]).root);

	if (t.kind == IRT_KEY)
		check_fail(c, b, v, "readonly", "keys are read-only");
	if (t.kind == IRT_PKT && c->f->ctx != CTX_XDP_MD && c->f->ctx != CTX_SK_BUFF)
		check_fail(c, b, v, "readonly", "packets are written in xdp and tc programs only");
	if (root->op == IR_GADDR && c->m->meta->maps.v[root->aux].role == MM_RODATA)
		check_fail(c, b, v, "readonly", "@%s is read-only",
			c->m->meta->maps.v[root->aux].kname);
}

static void check_stored(struct check *c, ir_blk b, ir_val v, unsigned a)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	struct ir_type t = arg_type(c, i, a);

	if (t.kind == IRT_CTX && i->op == IR_ST && i->width == 8 &&
		ir_ins_of(c->f, i->args[0])->op == IR_SLOT)
		return; /* for the functions that get the frame: it stays what it is */
	if (!check_num(t))
		check_fail(c, b, v, "type", "a number is stored, not %s ('addr' makes one)",
			check_type_text(c, t));
	else if (t.kind == IRT_I32 && i->width > 4)
		check_fail(c, b, v, "type", "8 bytes from an i32");
}

/* tc_cls_act_is_valid_access and cg_skb_is_valid_access, net/core/filter.c, of what is used here. */
static void check_ctx_store(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	const struct kern_ctx_field *f = kern_ctx_field_at(c->f->ctx, (uint32_t)i->imm, i->width);

	if ((c->f->ctx != CTX_SK_BUFF && c->f->ctx != CTX_CGROUP_SKB) || !f ||
		(strcmp(f->name, "mark") != 0 && strcmp(f->name, "priority") != 0))
		check_fail(c, b, v, "context", "only mark and priority of a packet are written");
	check_stored(c, b, v, 1);
}

static void check_memory(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	bool atomic = i->op == IR_ATOM || i->op == IR_CAS;

	if (i->op == IR_ST && arg_type(c, i, 0).kind == IRT_CTX) {
		check_ctx_store(c, b, v);
		return;
	}
	if (!check_base(c, b, v))
		return;
	if (i->op != IR_ZERO && (!width_ok(i->width) || (atomic && i->width < 4)))
		check_fail(c, b, v, "width", "%u bytes at once", i->width);
	if (i->op == IR_ZERO && !i->aux)
		check_fail(c, b, v, "width", "0 bytes");
	check_bounds(c, b, v, i->op == IR_ZERO ? i->aux : i->width);
	if (i->op != IR_LD)
		check_writable(c, b, v);
	for (unsigned a = 1; a < i->nargs; a++)
		check_stored(c, b, v, a);
	if (atomic && arg_type(c, i, 0).kind == IRT_PKT)
		check_fail(c, b, v, "type", "no atomic operation on packets");
}

/* ---- context ---- */
static bool ctx_has_rows(enum kern_ctx ctx)
{
	static const enum kern_ctx of[] = {
#define FIELD(c, name, off, size, type) CTX_##c,
#include "kern/ctx.def"
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++) {
		if (of[i] == ctx)
			return true;
	}
	return false;
}

/* C2: the offset stays in the instruction. Rows say what may be read, and what it is. */
static void check_ldctx(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	const struct kern_ctx_field *row = kern_ctx_field_at(c->f->ctx, (uint32_t)i->imm, i->width);
	const char *why;
	struct ir_type t = ir_infer(c->f, i, &why);
	bool args = c->f->ctx == CTX_RAW_TP || c->f->ctx == CTX_STRUCT_OPS ||
		    c->f->ctx == CTX_TRACING || c->f->ctx == CTX_LSM;

	if (arg_type(c, i, 0).kind != IRT_CTX)
		check_fail(c, b, v, "type", "%s is not the context",
			check_type_text(c, arg_type(c, i, 0)));
	else if (!width_ok(i->width) || i->imm < 0 || i->imm > 0x7fff || i->imm % i->width)
		check_fail(c, b, v, "context", "%u bytes at %lld", i->width, (long long)i->imm);
	else if (ctx_has_rows(c->f->ctx) && (!row || row->type == CF_PKTMETA))
		check_fail(c, b, v, "context", "ctx<%s> has no readable field of %u bytes at %lld",
			kern_ctx_name(c->f->ctx), i->width, (long long)i->imm);
	else if (args && i->width != 8)
		check_fail(c, b, v, "context", "arguments are read as 8 bytes");
	else if (args && i->type.kind == IRT_BTF && i->type.flags & IRT_OWNED)
		check_fail(c, b, v, "type", "arguments are not owned");
	else if (!(args && i->type.kind == IRT_BTF) && !ir_type_fits(t, i->type))
		check_fail(c, b, v, "type", "the result is %s, not %s", check_type_text(c, t),
			check_type_text(c, i->type));
}

/* ---- kernel fields ---- */
static void check_field(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	const struct ir_field *d = i->aux < c->m->fields.n ? &c->m->fields.v[i->aux] : NULL;
	struct ir_type t = i->nargs ? arg_type(c, i, 0) : IR_VOID;

	if (!d) {
		check_fail(c, b, v, "field", "no such field");
		return;
	}
	if (i->op == IR_FOFS)
		return;
	/* F7: the width is the field's, whole bytes of one load. */
	if (!width_ok(d->size) || d->bit_off + d->bit_size > d->size * 8)
		check_fail(c, b, v, "field", "a field of %u bytes", d->size);
	if (d->type.kind == IRT_BTF ? d->size != 8 || d->type.flags & IRT_OWNED :
				      d->type.kind != IRT_I64)
		check_fail(c, b, v, "field", "a field that is %s", check_type_text(c, d->type));
	if (t.kind != IRT_BTF || strcmp(c->m->btf.v[t.n].name, d->root))
		check_fail(c, b, v, "type", "%s is no pointer to %s", check_type_text(c, t), d->root);
	else if (t.flags & IRT_NULLABLE)
		check_fail(c, b, v, "nullable", "%%%u may be NULL: 'some' has to prove it is not",
			c->num.val[i->args[0]] - 1);
	if (i->op != IR_STF)
		return;
	if (c->f->ctx != CTX_STRUCT_OPS)
		check_fail(c, b, v, "readonly", "kernel fields are written by struct_ops programs only");
	if (t.flags & IRT_UNTRUSTED)
		check_fail(c, b, v, "type", "no store through an untrusted pointer");
	if (d->bit_size || d->type.kind != IRT_I64)
		check_fail(c, b, v, "field", "only whole numbers are stored");
	if (!check_num(arg_type(c, i, 1)) || (arg_type(c, i, 1).kind == IRT_I32 && d->size == 8))
		check_fail(c, b, v, "type", "a number is stored, not %s",
			check_type_text(c, arg_type(c, i, 1)));
}

static void check_ins(struct check *c, ir_blk b, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v);
	unsigned before = c->errors;

	if (i->op >= IR_OP_COUNT) {
		check_fail(c, b, v, "structure", "machine operation outside the machine form");
		return;
	}
	if (ir_op_row(i->op)->nargs >= 0 ? i->nargs != ir_op_row(i->op)->nargs :
					   i->nargs > IR_MAX_ARGS) {
		check_fail(c, b, v, "structure", "%u operands", i->nargs);
		return;
	}
	switch (ir_op_row(i->op)->form) {
	case FORM_BIN: check_binary(c, b, v); break;
	case FORM_UN: check_unary(c, b, v); break;
	case FORM_CONST:
	case FORM_SLOT:
	case FORM_MAPREF:
	case FORM_FUNC:
	case FORM_GADDR: check_fixed(c, b, v); break;
	case FORM_OFF: check_base(c, b, v); break;
	case FORM_INDEX: check_index(c, b, v); break;
	case FORM_LD:
		if (i->op == IR_LDCTX) {
			check_ldctx(c, b, v);
			break;
		}
		/* fall through */
	case FORM_ST:
	case FORM_ZERO:
	case FORM_ATOM:
	case FORM_CAS: check_memory(c, b, v); break;
	case FORM_LDF:
	case FORM_STF:
	case FORM_FOFS: check_field(c, b, v); break;
	case FORM_CALL: ir_check_call(c, b, v); break;
	default: break;
	}
	if (c->errors == before)
		check_result(c, b, v);
}

/* ---- terminators ---- */
static void check_proof(struct check *c, ir_blk b, const struct ir_term *t, struct ir_type x)
{
	if (t->op == IRN_SOME) { /* M1..M4: the only form of a null check */
		if (x.kind != IRT_MAPV && x.kind != IRT_REC && x.kind != IRT_BTF)
			check_fail(c, b, IR_NONE, "type", "%s is never NULL", check_type_text(c, x));
	} else if (t->op == IRN_NEED) { /* P8, P9: pointer + constant against the end */
		struct ir_type end = ir_type_of(c->f, t->args[1]);

		if (x.kind != IRT_PKT || end.kind != IRT_PKTEND)
			check_fail(c, b, IR_NONE, "type", "packet pointer and end wanted, got %s and %s",
				check_type_text(c, x), check_type_text(c, end));
		if (t->imm <= 0 || t->imm > 0xffff)
			check_fail(c, b, IR_NONE, "bounds", "%lld bytes", (long long)t->imm);
	} else { /* S6: compared with all its 64 bits */
		if (x.kind != IRT_I64)
			check_fail(c, b, IR_NONE, "type", "i64 wanted, got %s",
				check_type_text(c, x));
		if (!t->imm)
			check_fail(c, b, IR_NONE, "bounds", "nothing is below 0");
	}
}

static void check_ret(struct check *c, ir_blk b, ir_val v)
{
	struct ir_type t = ir_type_of(c->f, v);

	if (!check_num(t))
		check_fail(c, b, IR_NONE, "type", "the result is a number, not %s",
			check_type_text(c, t));
	/* check_func_call: what a callback returns is in 0..1 */
	else if (ir_is_sub(c->f) && (t.kind != IRT_I64 || t.hi > 1))
		check_fail(c, b, IR_NONE, "result", "a function that is called back returns 0 or 1");
	/* check_return_code: fentry and fexit programs return 0 */
	else if (!ir_is_sub(c->f) && c->f->ctx == CTX_RAW_TP && !(ir_is_const(c->f, v) && !ir_ins_of(c->f, v)->imm))
		check_fail(c, b, IR_NONE, "result", "these programs return the constant 0");
}

static void check_term(struct check *c, ir_blk b)
{
	const struct ir_term *t = &c->f->blocks.v[b].term;
	struct ir_type x = ir_type_of(c->f, t->args[0]), y = ir_type_of(c->f, t->args[1]);

	switch (t->op) {
	case IRN_IF:
		if (t->cc >= CC_COUNT || !check_num(x) || x.kind != y.kind)
			check_fail(c, b, IR_NONE, "type",
				"two numbers of one width wanted, got %s and %s",
				check_type_text(c, x), check_type_text(c, y));
		break;
	case IRN_SOME:
	case IRN_NEED:
	case IRN_BOUND:
	case IRN_LOOP:
		check_proof(c, b, t, x);
		break;
	case IRN_RET:
		check_ret(c, b, t->args[0]);
		break;
	default:
		break;
	}
}

static bool proves(const struct ir_term *t, unsigned edge, uint32_t arg)
{
	return edge == 0 && arg == 0 && t->edge[0].args[0] == t->args[0] &&
		(t->op == IRN_SOME || t->op == IRN_NEED || t->op == IRN_BOUND || t->op == IRN_LOOP);
}

static void check_edge_types(struct check *c, ir_blk b)
{
	const struct ir_term *t = &c->f->blocks.v[b].term;

	for (unsigned e = 0; e < t->nedges; e++) {
		const struct ir_block *to = &c->f->blocks.v[t->edge[e].to];

		for (uint32_t a = 0; a < t->edge[e].nargs; a++) {
			struct ir_type have = ir_type_of(c->f, t->edge[e].args[a]);
			struct ir_type want = ir_type_of(c->f, to->params.v[a]);

			if (proves(t, e, a))
				have = ir_proven(t->op, have, t->imm);
			if (!ir_type_fits(have, want))
				check_fail(c, b, IR_NONE, "edge", "%%%u is %s, but ^%u takes %s",
					c->num.val[t->edge[e].args[a]] - 1, check_type_text(c, have),
					c->num.blk[t->edge[e].to] - 1, check_type_text(c, want));
		}
	}
}

/* C5, F6c: one provenance for what a block takes; a stack object behind a pointer is known. */
static void check_params(struct check *c, ir_blk b)
{
	const struct ir_block *blk = &c->f->blocks.v[b];

	for (uint32_t i = 0; b && i < blk->params.n; i++) {
		struct ir_type t = ir_type_of(c->f, blk->params.v[i]);

		if (t.kind == IRT_SLOT || t.kind == IRT_MAP || t.kind == IRT_CTX)
			check_fail(c, b, blk->params.v[i], "parameter", "%s cannot be a parameter",
				check_type_text(c, t));
	}
}

void check_types(struct check *c)
{
	for (uint32_t n = 0; n < c->cfg->nrpo; n++) {
		ir_blk b = c->cfg->rpo[n];
		const struct ir_block *blk = &c->f->blocks.v[b];

		check_params(c, b);
		for (uint32_t i = 0; i < blk->ins.n; i++)
			check_ins(c, b, blk->ins.v[i]);
		check_term(c, b);
		check_edge_types(c, b);
	}
}
