/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Builders: one function per operation, which give the result its type. They do not judge what
 * they build (check.c does), but calls that cannot mean anything are bugs of the caller.
 */
#include "ir/build.h"
#include "skep/diag.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Noreturn void ir_bug(const struct ir_fn *f, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	trap_raise(f->m->trap, SKEP_EBUG, "ir: %s: %s", f->name, text);
}

struct ir_build *ir_building(struct ir_fn *f)
{
	if (!f->build)
		f->build = ARENA_NEW(f->a, struct ir_build);
	while (f->build->blocks.n < f->blocks.n)
		vec_push(f->a, &f->build->blocks, (struct ir_build_block){0});
	return f->build;
}

ir_val ir_new_ins(struct ir_fn *f, struct ir_ins ins)
{
	ins.reg = IR_NO_REG;
	vec_push(f->a, &f->vals, ins);
	return f->vals.n - 1;
}

struct ir_fn *ir_fn_blank(struct ir_module *m, const char *name, enum kern_ctx ctx)
{
	struct ir_fn *f = ARENA_NEW(m->a, struct ir_fn);

	f->m = m;
	f->a = m->a;
	f->name = arena_strdup(m->a, name);
	f->ctx = ctx;
	f->top = f;
	vec_push(f->a, &f->vals, (struct ir_ins){.reg = IR_NO_REG});
	ir_block_new(f);
	f->blocks.v[0].sealed = true;
	return f;
}

struct ir_fn *ir_fn_new(struct ir_module *m, const char *name, enum kern_ctx ctx)
{
	struct ir_fn *f = ir_fn_blank(m, name, ctx);

	vec_push(m->a, &m->fns, f);
	f->ctx_val = ir_param(f, 0, ir_ptr(IRT_CTX, ctx));
	ir_at(f, 0);
	return f;
}

struct ir_fn *ir_sub_new(struct ir_fn *top, const char *name, uint32_t map, uint32_t frame)
{
	struct ir_fn *f = ir_fn_blank(top->m, name, top->ctx);
	const struct meta_map *row = map == META_NONE ? NULL : &top->m->meta->maps.v[map];

	f->top = top;
	ir_param(f, 0, row ? ir_ptr(IRT_MAP, 0) : IR_I64);
	if (row) {
		ir_param(f, 0, ir_ptr(IRT_KEY, row->key_size));
		ir_param(f, 0, ir_ptr(IRT_MAPV, row->value_size));
	}
	if (frame)
		ir_param(f, 0, ir_ptr(IRT_FRAME, frame));
	ir_at(f, 0);
	f->ctx_val = frame ? ir_un(f, IR_FRCTX, ir_frame(f)) : IR_NONE;
	return f;
}

/* Addresses made before claim too much, as the frame did. */
void ir_sub_frame(struct ir_fn *f, uint32_t bytes)
{
	ir_val frame = ir_frame(f);
	uint32_t excess = f->vals.v[frame].type.n - bytes;

	f->vals.v[frame].type.n = bytes;
	for (ir_val v = 1; v < f->vals.n; v++) {
		struct ir_ins *i = &f->vals.v[v];

		if ((i->op == IR_OFF || i->op == IR_INDEX) && i->type.kind == IRT_FRAME)
			i->type.n -= excess;
	}
}

ir_val ir_arg(const struct ir_fn *f, unsigned n)
{
	return f->blocks.v[0].params.v[n];
}

ir_val ir_frame(const struct ir_fn *f)
{
	return ir_arg(f, f->blocks.v[0].params.n - 1);
}

ir_val ir_ctx(const struct ir_fn *f)
{
	return f->ctx_val;
}

ir_blk ir_block_new(struct ir_fn *f)
{
	vec_push(f->a, &f->blocks, (struct ir_block){0});
	if (f->build)
		ir_building(f);
	return f->blocks.n - 1;
}

ir_val ir_param(struct ir_fn *f, ir_blk b, struct ir_type t)
{
	ir_val v = ir_new_ins(f, (struct ir_ins){.op = IR_PARAM, .type = t, .block = b,
		.span = f->build ? f->build->span : NO_SPAN});

	vec_push(f->a, &f->blocks.v[b].params, v);
	return v;
}

void ir_at(struct ir_fn *f, ir_blk b)
{
	struct ir_build *s = ir_building(f);

	s->here = b;
	s->open = f->blocks.v[b].term.op == IRN_NONE;
}

ir_blk ir_here(const struct ir_fn *f)
{
	return f->build ? f->build->here : 0;
}

bool ir_open(const struct ir_fn *f)
{
	return f->build && f->build->open;
}

void ir_span(struct ir_fn *f, struct skep_span s)
{
	ir_building(f)->span = s;
}

static ir_val put(struct ir_fn *f, struct ir_ins ins)
{
	struct ir_build *s = ir_building(f);
	const char *why = NULL;
	ir_val v;

	if (!s->open)
		ir_bug(f, "'%s' built outside a block",
			ins.op < IR_OP_COUNT ? ir_op_row(ins.op)->text : "machine operation");
	if (ins.op < IR_OP_COUNT && ins.type.kind == IRT_VOID)
		ins.type = ir_infer(f, &ins, &why);
	if (why)
		ir_bug(f, "'%s': %s", ir_op_row(ins.op)->text, why);
	ins.block = s->here;
	ins.span = s->span;
	v = ir_new_ins(f, ins);
	vec_push(f->a, &f->blocks.v[s->here].ins, v);
	return v;
}

/* ---- numbers ---- */
ir_val ir_const(struct ir_fn *f, int64_t v)
{
	return put(f, (struct ir_ins){.op = IR_CONST, .imm = v});
}

ir_val ir_const32(struct ir_fn *f, int32_t v)
{
	return put(f, (struct ir_ins){.op = IR_CONST, .type = IR_I32, .imm = v});
}

ir_val ir_bin(struct ir_fn *f, enum ir_op op, ir_val a, ir_val b)
{
	if (ir_op_row(op)->form != FORM_BIN)
		ir_bug(f, "'%s' takes not two numbers", ir_op_row(op)->text);
	return put(f, (struct ir_ins){.op = (uint16_t)op, .nargs = 2, .args = {a, b}});
}

ir_val ir_bini(struct ir_fn *f, enum ir_op op, ir_val a, int64_t imm)
{
	bool w32 = ir_type_of(f, a).kind == IRT_I32;
	ir_val b = w32 ? ir_const32(f, (int32_t)imm) : ir_const(f, imm);

	return ir_bin(f, op, a, b);
}

ir_val ir_un(struct ir_fn *f, enum ir_op op, ir_val a)
{
	if (ir_op_row(op)->form != FORM_UN)
		ir_bug(f, "'%s' takes not one number", ir_op_row(op)->text);
	return put(f, (struct ir_ins){.op = (uint16_t)op, .nargs = 1, .args = {a}});
}

/* ---- addresses ---- */
ir_val ir_slot(struct ir_fn *f, uint32_t size)
{
	struct ir_build *s = ir_building(f);
	struct ir_block *entry = &f->blocks.v[0];
	ir_val v = ir_new_ins(f, (struct ir_ins){.op = IR_SLOT, .type = ir_ptr(IRT_SLOT, size),
		.imm = size, .span = s->span});
	uint32_t at = s->nslots++;

	vec_push(f->a, &entry->ins, v);
	memmove(entry->ins.v + at + 1, entry->ins.v + at,
		sizeof(*entry->ins.v) * (entry->ins.n - 1 - at));
	entry->ins.v[at] = v;
	return v;
}

ir_val ir_map(struct ir_fn *f, uint32_t map)
{
	return put(f, (struct ir_ins){.op = IR_MAP, .aux = map});
}

ir_val ir_func(struct ir_fn *f, struct ir_fn *sub)
{
	struct ir_fn *top = f->top;
	uint32_t n = 0;

	while (n < top->subs.n && top->subs.v[n] != sub)
		n++;
	if (n == top->subs.n) {
		ir_sub_cost(sub);
		vec_push(f->a, &top->subs, sub);
	}
	return put(f, (struct ir_ins){.op = IR_FUNC, .aux = n});
}

ir_val ir_gaddr(struct ir_fn *f, uint32_t map, uint32_t off)
{
	return put(f, (struct ir_ins){.op = IR_GADDR, .aux = map, .imm = off});
}

ir_val ir_off(struct ir_fn *f, ir_val p, int64_t off)
{
	return put(f, (struct ir_ins){.op = IR_OFF, .nargs = 1, .args = {p}, .imm = off});
}

ir_val ir_index(struct ir_fn *f, ir_val p, ir_val n)
{
	return put(f, (struct ir_ins){.op = IR_INDEX, .nargs = 2, .args = {p, n}});
}

/* ---- memory ---- */
ir_val ir_ld(struct ir_fn *f, unsigned width, ir_val p, int64_t off)
{
	return put(f, (struct ir_ins){.op = IR_LD, .width = (uint8_t)width, .nargs = 1, .args = {p},
		.imm = off});
}

void ir_st(struct ir_fn *f, unsigned width, ir_val p, int64_t off, ir_val v)
{
	put(f, (struct ir_ins){.op = IR_ST, .width = (uint8_t)width, .nargs = 2, .args = {p, v},
		.imm = off});
}

void ir_zero(struct ir_fn *f, ir_val p, int64_t off, uint32_t bytes)
{
	put(f, (struct ir_ins){.op = IR_ZERO, .nargs = 1, .args = {p}, .imm = off, .aux = bytes});
}

ir_val ir_atom(struct ir_fn *f, enum ir_atomic op, unsigned width, ir_val p, int64_t off, ir_val v)
{
	bool old = op >= AT_FADD;
	ir_val r = put(f, (struct ir_ins){.op = IR_ATOM, .sub = (uint8_t)op, .width = (uint8_t)width,
		.nargs = 2, .args = {p, v}, .imm = off});

	return old ? r : IR_NONE;
}

ir_val ir_cas(struct ir_fn *f, unsigned width, ir_val p, int64_t off, ir_val expect, ir_val v)
{
	return put(f, (struct ir_ins){.op = IR_CAS, .width = (uint8_t)width, .nargs = 3,
		.args = {p, expect, v}, .imm = off});
}

ir_val ir_ldctx(struct ir_fn *f, unsigned width, int64_t off, struct ir_type t)
{
	if (t.kind == IRT_I64 && width < 8 && t.hi >> (width * 8))
		t.hi = ((uint64_t)1 << (width * 8)) - 1;
	return put(f, (struct ir_ins){.op = IR_LDCTX, .width = (uint8_t)width, .nargs = 1,
		.args = {ir_ctx(f)}, .imm = off, .type = t});
}

/* ---- kernel fields ---- */
ir_val ir_ldf(struct ir_fn *f, ir_val p, uint32_t field)
{
	return put(f, (struct ir_ins){.op = IR_LDF, .nargs = 1, .args = {p}, .aux = field});
}

void ir_stf(struct ir_fn *f, ir_val p, uint32_t field, ir_val v)
{
	put(f, (struct ir_ins){.op = IR_STF, .nargs = 2, .args = {p, v}, .aux = field});
}

ir_val ir_fofs(struct ir_fn *f, uint32_t field)
{
	return put(f, (struct ir_ins){.op = IR_FOFS, .aux = field});
}

static bool same_field(const struct ir_field *a, const struct ir_field *b)
{
	return !strcmp(a->root, b->root) && !strcmp(a->path, b->path) && a->off == b->off &&
		a->size == b->size && a->bit_off == b->bit_off && a->bit_size == b->bit_size &&
		a->is_signed == b->is_signed && a->fact == b->fact && a->value == b->value &&
		ir_type_eq(a->type, b->type);
}

uint32_t ir_add_field(struct ir_module *m, struct ir_field fld)
{
	for (uint32_t i = 0; i < m->fields.n; i++) {
		if (same_field(&m->fields.v[i], &fld))
			return i;
	}
	fld.root = arena_strdup(m->a, fld.root);
	fld.path = arena_strdup(m->a, fld.path);
	vec_push(m->a, &m->fields, fld);
	return m->fields.n - 1;
}

uint32_t ir_add_kfunc(struct ir_module *m, const char *name, uint32_t btf_id, uint32_t proto)
{
	for (uint32_t i = 0; i < m->kfuncs.n; i++) {
		if (!strcmp(m->kfuncs.v[i].name, name))
			return i;
	}
	vec_push(m->a, &m->kfuncs,
		(struct ir_kfunc){arena_strdup(m->a, name), btf_id, proto});
	return m->kfuncs.n - 1;
}

/* ---- calls ---- */
static ir_val put_call(struct ir_fn *f, enum ir_op op, uint32_t aux, struct ir_type t, unsigned n,
	const ir_val *args)
{
	struct ir_ins ins = {.op = (uint16_t)op, .aux = aux, .type = t, .nargs = (uint8_t)n};
	ir_val v;

	if (n > IR_MAX_ARGS)
		ir_bug(f, "call with %u arguments", n);
	if (n)
		memcpy(ins.args, args, sizeof(*args) * n);
	v = put(f, ins);
	return ir_type_of(f, v).kind == IRT_VOID ? IR_NONE : v;
}

ir_val ir_call(struct ir_fn *f, const char *name, struct ir_type t, unsigned n, const ir_val *args)
{
	const struct kern_helper *h = kern_helper_by_name(name);

	if (!h)
		ir_bug(f, "no helper '%s'", name);
	return put_call(f, IR_CALL, h->id, t, n, args);
}

ir_val ir_kcall(struct ir_fn *f, uint32_t kfunc, struct ir_type t, unsigned n, const ir_val *args)
{
	return put_call(f, IR_KCALL, kfunc, t, n, args);
}

/* ---- terminators ---- */
static void terminate(struct ir_fn *f, struct ir_term t)
{
	struct ir_build *s = ir_building(f);

	if (!s->open)
		ir_bug(f, "second terminator '%s'", ir_term_row(t.op)->text);
	t.nedges = (uint8_t)ir_term_row(t.op)->nedges;
	t.span = s->span;
	f->blocks.v[s->here].term = t;
	s->open = false;
	for (unsigned e = 0; e < t.nedges; e++)
		ir_add_pred(f, s->here, e);
}

void ir_edge_arg(struct ir_fn *f, ir_blk from, unsigned edge, ir_val v)
{
	struct ir_edge *e = &f->blocks.v[from].term.edge[edge];

	e->args = arena_grow(f->a, e->args, sizeof(*e->args) * e->nargs,
		sizeof(*e->args) * (e->nargs + 1));
	e->args[e->nargs++] = v;
}

void ir_jmp(struct ir_fn *f, ir_blk to)
{
	terminate(f, (struct ir_term){.op = IRN_JMP, .edge = {{.to = to}}});
}

void ir_if(struct ir_fn *f, enum ir_cc cc, ir_val a, ir_val b, ir_blk yes, ir_blk no)
{
	terminate(f, (struct ir_term){.op = IRN_IF, .cc = (uint8_t)cc, .args = {a, b},
		.edge = {{.to = yes}, {.to = no}}});
}

static ir_val prove(struct ir_fn *f, struct ir_term t)
{
	ir_blk from = ir_here(f), yes = t.edge[0].to;
	struct ir_type proven = ir_proven(t.op, ir_type_of(f, t.args[0]), t.imm);

	terminate(f, t);
	if (!f->blocks.v[yes].params.n) {
		if (f->build->blocks.v[yes].preds.n > 1)
			ir_bug(f, "proof into block %u, which has other predecessors", yes);
		ir_param(f, yes, proven);
	}
	ir_edge_arg(f, from, 0, t.args[0]);
	return f->blocks.v[yes].params.v[0];
}

ir_val ir_some(struct ir_fn *f, ir_val p, ir_blk yes, ir_blk no)
{
	return prove(f, (struct ir_term){.op = IRN_SOME, .args = {p},
		.edge = {{.to = yes}, {.to = no}}});
}

ir_val ir_need(struct ir_fn *f, ir_val pkt, ir_val end, uint32_t bytes, ir_blk yes, ir_blk no)
{
	return prove(f, (struct ir_term){.op = IRN_NEED, .args = {pkt, end}, .imm = bytes,
		.edge = {{.to = yes}, {.to = no}}});
}

ir_val ir_bound(struct ir_fn *f, ir_val x, uint64_t below, ir_blk in, ir_blk out)
{
	return prove(f, (struct ir_term){.op = IRN_BOUND, .args = {x}, .imm = (int64_t)below,
		.edge = {{.to = in}, {.to = out}}});
}

ir_val ir_loop(struct ir_fn *f, ir_val counter, uint64_t below, ir_blk body, ir_blk done)
{
	return prove(f, (struct ir_term){.op = IRN_LOOP, .args = {counter}, .imm = (int64_t)below,
		.edge = {{.to = body}, {.to = done}}});
}

void ir_ret(struct ir_fn *f, ir_val v)
{
	terminate(f, (struct ir_term){.op = IRN_RET, .args = {v}});
}
