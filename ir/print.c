/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The canonical text form (docs/ir.md has the grammar). Values and blocks are numbered in the order
 * they are printed, so two equal functions print the same whatever their indices are.
 */
#include "ir/text.h"
#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>

static const struct {
	uint32_t type;
	const char *text;
} map_types[] = {
#define M(t, text) {BPF_MAP_TYPE_##t, text},
#include "ir/maptypes.def"
};

const char *ir_map_type_text(uint32_t type)
{
	for (size_t i = 0; i < sizeof(map_types) / sizeof(*map_types); i++) {
		if (map_types[i].type == type)
			return map_types[i].text;
	}
	return NULL;
}

int ir_map_type_by_text(const char *text)
{
	for (size_t i = 0; i < sizeof(map_types) / sizeof(*map_types); i++) {
		if (!strcmp(map_types[i].text, text))
			return (int)map_types[i].type;
	}
	return -1;
}

/* ---- types ---- */
void ir_print_type(const struct ir_module *m, struct ir_type t, struct buf *out)
{
	static const char *const names[] = {
#define T(id, text, what) text,
#include "ir/types.def"
#undef T
	};

	if (t.flags & IRT_OWNED)
		buf_puts(out, "own ");
	buf_puts(out, names[t.kind]);
	switch (t.kind) {
	case IRT_I64:
		if (t.hi != IR_ANY_RANGE)
			buf_printf(out, "<0..%" PRIu64 ">", t.hi);
		break;
	case IRT_CTX:
		buf_printf(out, "<%s>", kern_ctx_name(t.n));
		break;
	case IRT_SLOT:
	case IRT_MAPV:
	case IRT_REC:
	case IRT_PKT:
	case IRT_FRAME:
	case IRT_KEY:
		buf_printf(out, "<%u>", t.n);
		break;
	case IRT_BTF:
		buf_printf(out, "%s<%s>", t.flags & IRT_UNTRUSTED ? "u" : "", m->btf.v[t.n].name);
		break;
	default:
		break;
	}
	if (t.flags & IRT_NULLABLE)
		buf_putc(out, '?');
}

/* ---- one function ---- */
struct printer {
	const struct ir_fn *f;
	const struct ir_module *m;
	struct buf *out;
	struct ir_numbers num;
};

static bool shown(const struct ir_fn *f, ir_blk b)
{
	const struct ir_block *blk = &f->blocks.v[b];

	return b == 0 || blk->params.n || blk->ins.n || blk->term.op != IRN_NONE;
}

struct ir_numbers ir_number(const struct ir_fn *f, struct arena *a)
{
	struct ir_numbers n = {ARENA_ARRAY(a, uint32_t, f->vals.n + 1),
		ARENA_ARRAY(a, uint32_t, f->blocks.n + 1)};
	uint32_t nvals = 0, nblks = 0;

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = &f->blocks.v[b];

		if (!shown(f, b))
			continue;
		n.blk[b] = ++nblks;
		for (uint32_t i = 0; i < blk->params.n; i++)
			n.val[blk->params.v[i]] = ++nvals;
		for (uint32_t i = 0; i < blk->ins.n; i++) {
			if (ir_type_of(f, blk->ins.v[i]).kind != IRT_VOID)
				n.val[blk->ins.v[i]] = ++nvals;
		}
	}
	return n;
}

static void print_val(struct printer *p, ir_val v)
{
	if (v >= p->f->vals.n || !p->num.val[v])
		buf_printf(p->out, "%%?%u", v); /* a broken function can still be looked at */
	else
		buf_printf(p->out, "%%%u", p->num.val[v] - 1);
}

static void print_def(struct printer *p, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(p->f, v);

	print_val(p, v);
	if (i->reg != IR_NO_REG)
		buf_printf(p->out, "@r%u", i->reg);
	buf_puts(p->out, ": ");
	ir_print_type(p->m, i->type, p->out);
}

static void print_span(struct printer *p, struct skep_span s)
{
	struct diag_pos at;

	if (!s.off || !p->m->diags)
		return;
	at = diag_locate(p->m->diags, s.off);
	if (at.source)
		buf_printf(p->out, " !%u:%u", at.line, at.col);
}

static void print_list(struct printer *p, const ir_val *v, uint32_t n)
{
	buf_putc(p->out, '(');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			buf_puts(p->out, ", ");
		print_val(p, v[i]);
	}
	buf_putc(p->out, ')');
}

static void print_off(struct printer *p, ir_val v, int64_t off)
{
	print_val(p, v);
	buf_printf(p->out, "%+" PRId64, off);
}

void ir_print_field(const struct ir_module *m, uint32_t field, struct buf *out)
{
	const struct ir_field *d = &m->fields.v[field];
	unsigned same = 1;

	for (uint32_t i = 0; i < field; i++)
		same += !strcmp(m->fields.v[i].root, d->root) && !strcmp(m->fields.v[i].path, d->path);
	buf_printf(out, "%s.%s", d->root, d->path);
	if (same > 1)
		buf_printf(out, "#%u", same);
}

static void print_ctx_load(struct printer *p, const struct ir_ins *i)
{
	const struct kern_ctx_field *row =
		kern_ctx_field_at(p->f->ctx, (uint32_t)i->imm, i->width);

	if (row) {
		buf_puts(p->out, "ldctx ");
		print_val(p, i->args[0]);
		buf_printf(p->out, ", %s", row->name);
	} else {
		buf_printf(p->out, "ldctx.u%u ", i->width * 8);
		print_off(p, i->args[0], i->imm);
	}
	if (i->aux) {
		buf_puts(p->out, ", ");
		ir_print_field(p->m, i->aux - 1, p->out);
	}
}

static void print_call(struct printer *p, const struct ir_ins *i)
{
	if (i->op == IR_KCALL) {
		buf_printf(p->out, "kcall %s", p->m->kfuncs.v[i->aux].name);
	} else {
		const struct kern_helper *h = kern_helper_by_id(i->aux);

		if (h)
			buf_printf(p->out, "call %s", h->name);
		else
			buf_printf(p->out, "call %u", i->aux);
	}
	print_list(p, i->args, i->nargs);
}

static void print_operands(struct printer *p, const struct ir_ins *i, unsigned from)
{
	for (unsigned a = from; a < i->nargs; a++) {
		if (a)
			buf_puts(p->out, ", ");
		print_val(p, i->args[a]);
	}
}

static void print_ins_of_form(struct printer *p, const struct ir_ins *i)
{
	const struct ir_op_row *row = ir_op_row(i->op);
	struct buf *out = p->out;

	if (i->op == IR_LDCTX) {
		print_ctx_load(p, i);
		return;
	}
	if (row->form == FORM_CALL) {
		print_call(p, i);
		return;
	}
	buf_puts(out, row->text);
	if (i->op == IR_ATOM)
		buf_printf(out, ".%s", ir_atomic_text(i->sub));
	if (row->form == FORM_LD || row->form == FORM_ST || row->form == FORM_ATOM ||
		row->form == FORM_CAS)
		buf_printf(out, ".u%u", i->width * 8);
	buf_putc(out, ' ');
	switch (row->form) {
	case FORM_CONST:
	case FORM_SLOT:
		buf_printf(out, "%" PRId64, i->imm);
		break;
	case FORM_MAPREF:
		buf_printf(out, "@%s", p->m->meta->maps.v[i->aux].kname);
		break;
	case FORM_FUNC:
		buf_printf(out, "@%s", p->f->top->subs.v[i->aux]->name);
		break;
	case FORM_GADDR:
		buf_printf(out, "@%s%+" PRId64, p->m->meta->maps.v[i->aux].kname, i->imm);
		break;
	case FORM_OFF:
	case FORM_LD:
	case FORM_ST:
	case FORM_ATOM:
	case FORM_CAS:
	case FORM_ZERO:
		print_off(p, i->args[0], i->imm);
		print_operands(p, i, 1);
		if (row->form == FORM_ZERO)
			buf_printf(out, ", %u", i->aux);
		break;
	case FORM_FOFS:
		ir_print_field(p->m, i->aux, out);
		break;
	case FORM_LDF:
	case FORM_STF:
		print_val(p, i->args[0]);
		buf_puts(out, ", ");
		ir_print_field(p->m, i->aux, out);
		print_operands(p, i, 1);
		break;
	default:
		print_operands(p, i, 0);
	}
}

/* Machine operations: NAME[.wW][.sS] operands [imm N] [aux N]; zero fields are left out. */
static void print_machine(struct printer *p, const struct ir_ins *i)
{
	const struct ir_machine_names *names = p->m->machine;
	unsigned index = i->op - IR_MACHINE;

	if (names && index < names->count)
		buf_puts(p->out, names->name(index));
	else
		buf_printf(p->out, "op%u", index);
	if (i->width)
		buf_printf(p->out, ".w%u", i->width);
	if (i->sub)
		buf_printf(p->out, ".s%u", i->sub);
	if (i->nargs)
		buf_putc(p->out, ' ');
	print_operands(p, i, 0);
	if (i->imm)
		buf_printf(p->out, " imm %" PRId64, i->imm);
	if (i->aux)
		buf_printf(p->out, " aux %u", i->aux);
}

static void print_ins(struct printer *p, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(p->f, v);

	buf_puts(p->out, "  ");
	if (i->type.kind != IRT_VOID) {
		print_def(p, v);
		buf_puts(p->out, " = ");
	}
	if (i->op >= IR_MACHINE)
		print_machine(p, i);
	else
		print_ins_of_form(p, i);
	if (i->op == IR_SLOT && i->aux) /* back end: a spill slot */
		buf_printf(p->out, " aux %u", i->aux);
	print_span(p, i->span);
	buf_putc(p->out, '\n');
}

static void print_term(struct printer *p, const struct ir_term *t)
{
	unsigned nargs = (unsigned)ir_term_row(t->op)->nargs;

	buf_printf(p->out, "  %s", ir_term_row(t->op)->text);
	if (t->op == IRN_IF)
		buf_printf(p->out, ".%s%s", ir_cc_text(t->cc), t->w32 ? ".w32" : "");
	for (unsigned a = 0; a < nargs; a++) {
		if (!t->args[a] && !(a && t->has_imm))
			break;
		buf_puts(p->out, a ? ", " : " ");
		if (a == 1 && t->has_imm)
			buf_printf(p->out, "%" PRId64, t->imm);
		else
			print_val(p, t->args[a]);
		if (!a && (t->op == IRN_NEED || t->op == IRN_BOUND || t->op == IRN_LOOP))
			buf_printf(p->out, ", %" PRIu64, (uint64_t)t->imm);
	}
	for (unsigned e = 0; e < t->nedges; e++) {
		buf_puts(p->out, e ? ", " : t->op == IRN_JMP ? " " : " -> ");
		buf_printf(p->out, "^%u", p->num.blk[t->edge[e].to] - 1);
		if (t->edge[e].nargs)
			print_list(p, t->edge[e].args, t->edge[e].nargs);
	}
	print_span(p, t->span);
	buf_putc(p->out, '\n');
}

static void print_block(struct printer *p, ir_blk b)
{
	const struct ir_block *blk = &p->f->blocks.v[b];

	buf_printf(p->out, "^%u", p->num.blk[b] - 1);
	for (uint32_t i = 0; i < blk->params.n; i++) {
		buf_puts(p->out, i ? ", " : "(");
		print_def(p, blk->params.v[i]);
	}
	buf_puts(p->out, blk->params.n ? "):\n" : ":\n");
	for (uint32_t i = 0; i < blk->ins.n; i++)
		print_ins(p, blk->ins.v[i]);
	print_term(p, &blk->term);
}

void ir_print_fn(const struct ir_fn *f, struct buf *out)
{
	struct printer p = {.f = f, .m = f->m, .out = out, .num = ir_number(f, ir_scratch(f))};

	buf_printf(out, "%s @%s %s%s%s {\n", ir_is_sub(f) ? "sub" : "prog", f->name,
		kern_ctx_name(f->ctx),
		f->machine ? " machine" : "", f->legal && !f->machine ? " legal" : "");
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		if (shown(f, b))
			print_block(&p, b);
	}
	buf_puts(out, "}\n");
}

/* ---- declarations ---- */
static void print_map(const struct meta_map *map, struct buf *out)
{
	const char *type = ir_map_type_text(map->type);

	buf_printf(out, "map @%s ", map->kname);
	if (type)
		buf_puts(out, type);
	else
		buf_printf(out, "%u", map->type);
	buf_printf(out, " key %u value %u entries %u", map->key_size, map->value_size,
		map->max_entries);
	if (map->flags)
		buf_printf(out, " flags %u", map->flags);
	if (map->role != MM_USER)
		buf_printf(out, " role %s", meta_role_text(map->role));
	if (map->init) {
		buf_puts(out, " init ");
		for (uint32_t i = 0; i < map->value_size; i++)
			buf_printf(out, "%02x", map->init[i]);
	}
	buf_putc(out, '\n');
}

static void print_field_decl(const struct ir_module *m, uint32_t field, struct buf *out)
{
	const struct ir_field *d = &m->fields.v[field];

	buf_puts(out, "field ");
	ir_print_field(m, field, out);
	buf_printf(out, " off %u size %u", d->off, d->size);
	if (d->bit_size)
		buf_printf(out, " bits %u %u", d->bit_off, d->bit_size);
	if (d->is_signed)
		buf_puts(out, " signed");
	if (d->fact)
		buf_printf(out, " fact %u value %lld", d->fact, (long long)d->value);
	buf_puts(out, ": ");
	ir_print_type(m, d->type, out);
	buf_putc(out, '\n');
}

void ir_print_decls(const struct ir_module *m, struct buf *out)
{
	for (uint32_t i = 0; i < m->meta->maps.n; i++)
		print_map(&m->meta->maps.v[i], out);
	for (uint32_t i = 0; i < m->btf.n; i++) {
		if (m->btf.v[i].id)
			buf_printf(out, "btf %s id %u\n", m->btf.v[i].name, m->btf.v[i].id);
	}
	for (uint32_t i = 0; i < m->fields.n; i++)
		print_field_decl(m, i, out);
	for (uint32_t i = 0; i < m->kfuncs.n; i++) {
		const struct ir_kfunc *k = &m->kfuncs.v[i];

		buf_printf(out, "kfunc %s", k->name);
		if (k->btf_id || k->proto)
			buf_printf(out, " id %u proto %u", k->btf_id, k->proto);
		buf_putc(out, '\n');
	}
}

void ir_print_module(const struct ir_module *m, struct buf *out)
{
	ir_print_decls(m, out);
	for (uint32_t i = 0; i < m->fns.n; i++) {
		for (uint32_t k = 0; k < m->fns.v[i]->subs.n; k++)
			ir_print_fn(m->fns.v[i]->subs.v[k], out);
		ir_print_fn(m->fns.v[i], out);
	}
}
