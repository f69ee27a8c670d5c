/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instructions and terminators of the text form. Where a number stands for a value, a CONST
 * instruction is put before; it takes the width of the other operand, 64 bits otherwise.
 */
#include "ir/parse.h"
#include <string.h>

/* An operand read: a value, or a number whose constant is still to be made. */
struct operand {
	ir_val v;
	int64_t num;
	bool is_num;
};

struct operands {
	struct operand v[IR_MAX_ARGS];
	unsigned n;
};

static struct operand operand(struct parse *p)
{
	struct operand o = {.is_num = p->tok.kind == TOK_NUM};

	if (o.is_num)
		o.num = want_num(p);
	else
		o.v = parse_value(p);
	return o;
}

static void add_operand(struct parse *p, struct operands *os)
{
	if (os->n == IR_MAX_ARGS)
		parse_fail(p, "more than %d operands", IR_MAX_ARGS);
	else
		os->v[os->n++] = operand(p);
}

static void operand_list(struct parse *p, struct operands *os)
{
	want_punct(p, '(');
	if (take_punct(p, ')'))
		return;
	do {
		add_operand(p, os);
	} while (take_punct(p, ','));
	want_punct(p, ')');
}

static ir_val constant(struct parse *p, int64_t n, bool w32)
{
	ir_val v;

	if (w32 && (n < INT32_MIN || n > UINT32_MAX))
		parse_fail(p, "number of more than 32 bits");
	v = parse_define(p, NULL, (struct ir_ins){.op = IR_CONST,
		.imm = w32 ? (int32_t)n : n, .type = w32 ? IR_I32 : ir_range((uint64_t)n)});
	if (!p->failed)
		vec_push(p->f->a, &p->f->blocks.v[p->here].ins, v);
	return v;
}

/* Makes values of all operands; beside an i32 a number is an i32. */
static void settle(struct parse *p, struct operands *os, ir_val *args)
{
	bool w32 = false;

	for (unsigned i = 0; i < os->n; i++)
		w32 |= !os->v[i].is_num && ir_type_of(p->f, os->v[i].v).kind == IRT_I32;
	for (unsigned i = 0; i < os->n && !p->failed; i++)
		args[i] = os->v[i].is_num ? constant(p, os->v[i].num, w32) : os->v[i].v;
}

/* ---- names of operations ---- */
struct op_word {
	char name[48];
	const char *dot[2]; /* what follows the dots, from the left; or NULL */
};

static void split_word(const struct parse *p, struct op_word *w)
{
	uint32_t n = p->tok.len < sizeof(w->name) ? p->tok.len : sizeof(w->name) - 1;

	*w = (struct op_word){0};
	memcpy(w->name, p->tok.s, n);
	for (unsigned i = 0; i < 2; i++) {
		char *dot = strchr(i ? w->dot[i - 1] : w->name, '.');

		if (!dot)
			break;
		*dot = 0;
		w->dot[i] = dot + 1;
	}
}

static bool has_width(enum ir_form form)
{
	return form == FORM_LD || form == FORM_ST || form == FORM_ATOM || form == FORM_CAS;
}

static uint8_t width_of(struct parse *p, const char *text)
{
	static const char *const names[] = {[1] = "u8", [2] = "u16", [4] = "u32", [8] = "u64"};

	for (uint8_t w = 1; text && w <= 8; w = (uint8_t)(w * 2)) {
		if (!strcmp(names[w], text))
			return w;
	}
	parse_fail(p, "width u8, u16, u32 or u64 expected after the operation");
	return 0;
}

static void atomic_of(struct parse *p, const char *text, struct ir_ins *ins)
{
	for (unsigned a = 0; text && a < AT_COUNT; a++) {
		if (!strcmp(ir_atomic_text(a), text)) {
			ins->sub = (uint8_t)a;
			return;
		}
	}
	parse_fail(p, "atomic operation expected, like atom.add.u64");
}

static bool find_op(struct parse *p, struct ir_ins *ins)
{
	struct op_word w;

	split_word(p, &w);
	for (unsigned op = 1; op < IR_OP_COUNT; op++) {
		const struct ir_op_row *row = ir_op_row(op);

		if (strcmp(row->text, w.name))
			continue;
		ins->op = (uint16_t)op;
		if (op == IR_ATOM)
			atomic_of(p, w.dot[0], ins);
		if (op == IR_LDCTX && !w.dot[0])
			ins->width = 0; /* by the field's name */
		else if (has_width(row->form))
			ins->width = width_of(p, w.dot[op == IR_ATOM]);
		else if (w.dot[0])
			parse_fail(p, "'%s' has no width", row->text);
		return !p->failed;
	}
	return false;
}

/* ---- instructions of the IR ---- */
static void address(struct parse *p, struct ir_ins *ins, struct operands *os)
{
	add_operand(p, os);
	if (os->n && os->v[os->n - 1].is_num)
		parse_fail(p, "%%pointer expected");
	if (p->tok.kind == TOK_NUM && p->tok.joined)
		ins->imm = want_num(p);
}

static void ctx_field(struct parse *p, struct ir_ins *ins)
{
	const struct kern_ctx_field *row;
	struct tok tok = p->tok;
	const char *name = want_name(p, TOK_WORD, "field of the context");

	row = kern_ctx_field(p->f->ctx, name);
	if (!row && !p->failed) {
		p->tok = tok;
		parse_fail(p, "ctx<%s> has no field '%s'", kern_ctx_name(p->f->ctx), name);
	}
	if (!row)
		return;
	ins->imm = row->off;
	ins->width = (uint8_t)row->size;
}

static void callee(struct parse *p, struct ir_ins *ins)
{
	struct tok tok = p->tok;
	const char *name = want_name(p, TOK_WORD, "function");

	if (ins->op == IR_CALL) {
		const struct kern_helper *h = kern_helper_by_name(name);

		if (h) {
			ins->aux = h->id;
			return;
		}
	}
	for (uint32_t i = 0; ins->op == IR_KCALL && i < p->m->kfuncs.n; i++) {
		if (!strcmp(p->m->kfuncs.v[i].name, name)) {
			ins->aux = i;
			return;
		}
	}
	if (!p->failed) {
		p->tok = tok;
		parse_fail(p, ins->op == IR_CALL ? "no helper '%s'" : "kfunc %s is not declared",
			name);
	}
}

static void comma_operand(struct parse *p, struct operands *os)
{
	want_punct(p, ',');
	add_operand(p, os);
}

static void operands_of_form(struct parse *p, struct ir_ins *ins, struct operands *os)
{
	switch (ir_op_row(ins->op)->form) {
	case FORM_CONST:
	case FORM_SLOT:
		ins->imm = want_num(p);
		if (take_word(p, "aux"))
			ins->aux = want_u32(p);
		break;
	case FORM_BIN:
	case FORM_INDEX:
		add_operand(p, os);
		comma_operand(p, os);
		break;
	case FORM_UN:
		add_operand(p, os);
		break;
	case FORM_MAPREF:
	case FORM_GADDR:
		ins->aux = parse_map_name(p);
		if (ins->op == IR_GADDR && p->tok.kind == TOK_NUM && p->tok.joined)
			ins->imm = want_num(p);
		break;
	case FORM_FUNC:
		ins->aux = parse_func_name(p);
		break;
	case FORM_OFF:
	case FORM_LD:
		address(p, ins, os);
		if (ins->op == IR_LDCTX && !ins->width) {
			want_punct(p, ',');
			ctx_field(p, ins);
		}
		if (ins->op == IR_LDCTX && take_punct(p, ','))
			ins->aux = parse_field_name(p) + 1;
		break;
	case FORM_ST:
	case FORM_ATOM:
	case FORM_CAS:
		address(p, ins, os);
		comma_operand(p, os);
		if (ins->op == IR_CAS)
			comma_operand(p, os);
		break;
	case FORM_ZERO:
		address(p, ins, os);
		want_punct(p, ',');
		ins->aux = want_u32(p);
		break;
	case FORM_LDF:
	case FORM_STF:
		add_operand(p, os);
		want_punct(p, ',');
		ins->aux = parse_field_name(p);
		if (ins->op == IR_STF)
			comma_operand(p, os);
		break;
	case FORM_FOFS:
		ins->aux = parse_field_name(p);
		break;
	case FORM_CALL:
		callee(p, ins);
		operand_list(p, os);
		break;
	default:
		parse_fail(p, "'%s' is not written as an instruction", ir_op_row(ins->op)->text);
	}
}

/* The result's type depends on what the operands are. */
static bool type_by_operands(const struct ir_ins *ins)
{
	enum ir_form form = ir_op_row(ins->op)->form;
	const struct kern_helper *h = ins->op == IR_CALL ? kern_helper_by_id(ins->aux) : NULL;

	return form == FORM_BIN || form == FORM_UN || form == FORM_OFF || form == FORM_INDEX ||
		form == FORM_LDF || (h && (h->ret == KR_MAPV || h->ret == KR_RECORD));
}

/* A result whose type is not written gets the one its operands give. */
static void infer(struct parse *p, struct ir_ins *ins)
{
	const char *why = NULL;

	for (unsigned a = 0; type_by_operands(ins) && a < ins->nargs; a++) {
		ir_val v = ins->args[a];

		if (v < p->pending.n && p->pending.v[v]) {
			parse_fail(p, "the result's type must be written: an operand comes later");
			return;
		}
	}
	ins->type = ir_infer(p->f, ins, &why);
	if (why)
		parse_fail(p, "%s", why);
}

static void parse_ir_ins(struct parse *p, struct ir_ins *ins, bool typed)
{
	struct operands os = {0};

	ir_lex_next(p);
	operands_of_form(p, ins, &os);
	if (p->failed)
		return;
	if (ins->op == IR_CONST && ins->type.kind == IRT_I32)
		ins->imm = (int32_t)ins->imm;
	settle(p, &os, ins->args);
	ins->nargs = (uint8_t)os.n;
	if (!typed && !p->failed)
		infer(p, ins);
}

/* ---- instructions of the machine ---- */
static bool suffix(char *name, char letter, uint8_t *out)
{
	char *dot = strrchr(name, '.');

	if (!dot || dot[1] != letter || !dot[2] || strspn(dot + 2, "0123456789") != strlen(dot + 2))
		return false;
	*out = 0;
	for (const char *s = dot + 2; *s; s++)
		*out = (uint8_t)(*out * 10 + (*s - '0'));
	*dot = 0;
	return true;
}

static bool find_machine_op(struct parse *p, struct ir_ins *ins)
{
	char *name = arena_strndup(p->m->a, p->tok.s, p->tok.len);

	if (!p->machine || !p->f->machine)
		return false;
	suffix(name, 's', &ins->sub);
	suffix(name, 'w', &ins->width);
	for (unsigned i = 0; i < p->machine->count; i++) {
		if (!strcmp(p->machine->name(i), name)) {
			ins->op = (uint16_t)(IR_MACHINE + i);
			return true;
		}
	}
	ins->sub = ins->width = 0;
	return false;
}

static void parse_machine_ins(struct parse *p, struct ir_ins *ins)
{
	ir_lex_next(p);
	while (p->tok.kind == TOK_VALUE && !p->tok.line_start) {
		if (ins->nargs == IR_MAX_ARGS) {
			parse_fail(p, "more than %d operands", IR_MAX_ARGS);
			return;
		}
		ins->args[ins->nargs++] = parse_value(p);
		if (!take_punct(p, ','))
			break;
	}
	if (!p->tok.line_start && take_word(p, "imm"))
		ins->imm = want_num(p);
	if (!p->tok.line_start && take_word(p, "aux"))
		ins->aux = want_u32(p);
}

/* ---- terminators ---- */
static void parse_edge(struct parse *p, struct ir_edge *e)
{
	VEC(ir_val) args = {0};

	e->to = parse_block_name(p);
	if (!take_punct(p, '('))
		return;
	do {
		struct operand o = operand(p);

		if (p->failed)
			return;
		vec_push(p->f->a, &args, o.is_num ? constant(p, o.num, false) : o.v);
	} while (take_punct(p, ','));
	want_punct(p, ')');
	e->args = args.v;
	e->nargs = args.n;
}

static void parse_cc(struct parse *p, const struct op_word *w, struct ir_term *t)
{
	t->w32 = w->dot[1] && !strcmp(w->dot[1], "w32");
	for (unsigned cc = 0; w->dot[0] && cc < CC_COUNT; cc++) {
		if (!strcmp(ir_cc_text(cc), w->dot[0])) {
			t->cc = (uint8_t)cc;
			return;
		}
	}
	parse_fail(p, "condition expected, like if.eq");
}

static void term_operands(struct parse *p, struct ir_term *t)
{
	struct operands os = {0};
	ir_val args[IR_MAX_ARGS] = {0};
	int nargs = ir_term_row(t->op)->nargs;

	for (int a = 0; a < nargs; a++) {
		if (t->op == IRN_RET && (p->tok.line_start || tok_punct(p, '}') || tok_punct(p, '!')))
			break; /* the machine's: the result is in r0 */
		if (a)
			want_punct(p, ',');
		if (a && p->f->machine && p->tok.kind == TOK_NUM) {
			t->has_imm = true;
			t->imm = want_num(p);
			break;
		}
		add_operand(p, &os);
		if (!a && (t->op == IRN_NEED || t->op == IRN_BOUND || t->op == IRN_LOOP)) {
			want_punct(p, ',');
			t->imm = want_num(p);
		}
	}
	if (p->failed)
		return;
	settle(p, &os, args);
	t->args[0] = args[0];
	t->args[1] = args[1];
}

static bool parse_term(struct parse *p)
{
	struct ir_term t = {0};
	struct op_word w;

	split_word(p, &w);
	for (unsigned op = 0; op < IRN_COUNT; op++) {
		if (op != IRN_NONE && !strcmp(ir_term_row(op)->text, w.name))
			t.op = (uint8_t)op;
	}
	if (t.op == IRN_NONE)
		return false;
	if (t.op == IRN_IF)
		parse_cc(p, &w, &t);
	ir_lex_next(p);
	term_operands(p, &t);
	t.nedges = (uint8_t)ir_term_row(t.op)->nedges;
	for (unsigned e = 0; e < t.nedges && !p->failed; e++) {
		if (e) {
			want_punct(p, ',');
		} else if (t.op != IRN_JMP) {
			if (p->tok.kind != TOK_ARROW)
				parse_fail(p, "'->' expected");
			ir_lex_next(p);
		}
		parse_edge(p, &t.edge[e]);
	}
	parse_span(p, &t.span);
	p->f->blocks.v[p->here].term = t;
	return true;
}

void parse_statement(struct parse *p)
{
	struct ir_ins ins = {0};
	const char *name = NULL;
	uint8_t reg = IR_NO_REG;
	bool typed = false;
	ir_val v;

	if (p->tok.kind == TOK_VALUE) {
		struct tok tok = p->tok;

		name = want_name(p, TOK_VALUE, "%result");
		if (parse_is_defined(p, name)) {
			p->tok = tok;
			parse_fail(p, "%%%s is defined twice", name);
		}
		reg = parse_reg(p);
		typed = take_punct(p, ':');
		if (typed)
			ins.type = parse_type(p);
		want_punct(p, '=');
	} else if (p->tok.kind == TOK_WORD && parse_term(p)) {
		return;
	}
	if (p->tok.kind == TOK_WORD && find_machine_op(p, &ins))
		parse_machine_ins(p, &ins);
	else if (p->tok.kind == TOK_WORD && find_op(p, &ins))
		parse_ir_ins(p, &ins, typed);
	else
		parse_fail(p, "operation expected");
	parse_span(p, &ins.span);
	if (p->failed)
		return;
	if (name && ins.type.kind == IRT_VOID) {
		parse_fail(p, "'%s' gives no result",
			ins.op < IR_OP_COUNT ? ir_op_row(ins.op)->text : "this operation");
		return;
	}
	v = parse_define(p, name, ins);
	p->f->vals.v[v].reg = reg;
	vec_push(p->f->a, &p->f->blocks.v[p->here].ins, v);
}
