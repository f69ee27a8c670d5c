/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tree as text: one statement a line, expressions in prefix form. With types, each expression
 * is followed by ":type" and the maps and variables are listed at the end of their scope.
 */
#include "lang/front.h"
#include <stdio.h>

struct dump {
	const struct script *s;
	struct buf *out;
	bool types;
};

static void expr(struct dump *d, const struct expr *e);

static void quoted(struct buf *out, const char *s, uint32_t n)
{
	buf_putc(out, '"');
	for (uint32_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)s[i];

		if (ch == '\n')
			buf_puts(out, "\\n");
		else if (ch == '"' || ch == '\\')
			buf_printf(out, "\\%c", ch);
		else if (ch < 32 || ch >= 127)
			buf_printf(out, "\\x%02x", ch);
		else
			buf_putc(out, (char)ch);
	}
	buf_putc(out, '"');
}

static void address(struct buf *out, const struct expr *e)
{
	const uint8_t *b = e->u.addr.bytes;
	unsigned n = e->u.addr.family == 4 ? 4 : e->u.addr.family == 6 ? 16 : 6;

	for (unsigned i = 0; i < n; i++) {
		if (n == 4)
			buf_printf(out, "%s%u", i ? "." : "", b[i]);
		else if (n == 6)
			buf_printf(out, "%s%02x", i ? ":" : "", b[i]);
		else
			buf_printf(out, "%s%02x", i && i % 2 == 0 ? ":" : "", b[i]);
	}
	if (e->u.addr.prefix != n * 8)
		buf_printf(out, "/%u", e->u.addr.prefix);
}

static void list(struct dump *d, const struct exprs *l, const char *between)
{
	for (uint32_t i = 0; i < l->list.n; i++) {
		buf_puts(d->out, i ? between : "");
		expr(d, l->list.v[i]);
	}
}

static void two(struct dump *d, const char *op, const struct expr *a, const struct expr *b)
{
	buf_printf(d->out, "(%s ", op);
	expr(d, a);
	if (b) {
		buf_putc(d->out, ' ');
		expr(d, b);
	}
	buf_putc(d->out, ')');
}

static void call(struct dump *d, const struct expr *e)
{
	buf_printf(d->out, "%s(", e->u.call.name);
	list(d, &e->u.call.args, ", ");
	buf_putc(d->out, ')');
}

static void cast(struct dump *d, const struct expr *e)
{
	buf_printf(d->out, "(cast \"%s%s", e->u.cast.type, e->u.cast.stars ? " " : "");
	for (unsigned i = 0; i < e->u.cast.stars; i++)
		buf_putc(d->out, '*');
	if (e->u.cast.array)
		buf_printf(d->out, "[%u]", e->u.cast.nelems);
	buf_puts(d->out, "\" ");
	if (e->u.cast.of) {
		expr(d, e->u.cast.of);
		buf_putc(d->out, ' ');
	}
	expr(d, e->u.cast.a);
	buf_putc(d->out, ')');
}

static void incdec(struct dump *d, const struct expr *e)
{
	const char *op = e->u.incdec.dec ? "--" : "++";

	buf_printf(d->out, "(%s%s ", e->u.incdec.prefix ? "pre" : "post", op);
	expr(d, e->u.incdec.target);
	buf_putc(d->out, ')');
}

static void ternary(struct dump *d, const struct expr *e)
{
	buf_puts(d->out, "(? ");
	expr(d, e->u.ternary.cond);
	buf_putc(d->out, ' ');
	if (e->u.ternary.yes) {
		expr(d, e->u.ternary.yes);
		buf_putc(d->out, ' ');
	}
	expr(d, e->u.ternary.no);
	buf_putc(d->out, ')');
}

static void compound(struct dump *d, const struct expr *e)
{
	switch (e->kind) {
	case EX_CALL:
		call(d, e);
		break;
	case EX_UNARY:
		two(d, unop_text(e->u.unary.op), e->u.unary.a, NULL);
		break;
	case EX_BINARY:
		two(d, binop_text(e->u.binary.op), e->u.binary.a, e->u.binary.b);
		break;
	case EX_IN:
		two(d, "in", e->u.binary.a, e->u.binary.b);
		break;
	case EX_TERNARY:
		ternary(d, e);
		break;
	case EX_CAST:
		cast(d, e);
		break;
	case EX_FIELD:
		expr(d, e->u.field.base);
		buf_printf(d->out, ".%s", e->u.field.name);
		break;
	case EX_INDEX:
		two(d, "index", e->u.index.base, e->u.index.index);
		break;
	case EX_RANGE:
		two(d, "..", e->u.range.lo, e->u.range.hi);
		break;
	case EX_RECORD:
		for (uint32_t i = 0; i < e->u.tuple.list.n; i++) {
			buf_printf(d->out, "%s%s=", i ? ", " : "(", e->u.record.names[i]);
			expr(d, e->u.tuple.list.v[i]);
		}
		buf_putc(d->out, ')');
		break;
	case EX_SET:
	case EX_TUPLE:
		buf_putc(d->out, e->kind == EX_SET ? '{' : '(');
		list(d, &e->u.tuple, ", ");
		buf_putc(d->out, e->kind == EX_SET ? '}' : ')');
		break;
	default:
		incdec(d, e);
		break;
	}
}

static void expr(struct dump *d, const struct expr *e)
{
	switch (e->kind) {
	case EX_INT:
		buf_printf(d->out, "%llu%s", (unsigned long long)e->u.num.v,
			e->u.num.is_unsigned ? "u" : "");
		break;
	case EX_STR:
		quoted(d->out, e->u.str.s, e->u.str.n);
		break;
	case EX_ADDR:
		address(d->out, e);
		break;
	case EX_NAME:
		buf_puts(d->out, e->u.name);
		break;
	case EX_VAR:
		buf_printf(d->out, "$%s", e->u.name);
		break;
	case EX_POSARG:
		if (e->u.num.v)
			buf_printf(d->out, "$%llu", (unsigned long long)e->u.num.v);
		else
			buf_puts(d->out, "$#");
		break;
	case EX_MAP:
		buf_puts(d->out, e->u.map.name);
		if (e->u.map.keys.list.n) {
			buf_putc(d->out, '[');
			list(d, &e->u.map.keys, ", ");
			buf_putc(d->out, ']');
		}
		break;
	default:
		compound(d, e);
		break;
	}
	if (d->types && e->is_const && e->kind != EX_INT)
		buf_printf(d->out, "=%lld", (long long)e->const_value);
	if (d->types && e->kind != EX_INT && e->kind != EX_STR && e->type.kind != LT_NONE)
		buf_printf(d->out, ":%s", lt_text(d->s, &e->type));
}

/* ---- statements ---- */

static void block(struct dump *d, const struct block *b, unsigned indent);

static void line(struct dump *d, unsigned indent, const char *word, const struct expr *e)
{
	buf_printf(d->out, "%*s%s%s", indent * 2, "", word, e && *word ? " " : "");
	if (e)
		expr(d, e);
	buf_putc(d->out, '\n');
}

static void assign(struct dump *d, const struct stmt *s, unsigned indent)
{
	buf_printf(d->out, "%*s%s", indent * 2, "", s->kind == ST_LET ? "let " : "");
	expr(d, s->u.assign.target);
	if (s->u.assign.value) {
		buf_printf(d->out, " %s= ", s->u.assign.compound ? binop_text(s->u.assign.op) : "");
		expr(d, s->u.assign.value);
	}
	buf_putc(d->out, '\n');
}

static void for_stmt(struct dump *d, const struct stmt *s, unsigned indent)
{
	buf_printf(d->out, "%*sfor ", indent * 2, "");
	expr(d, s->u.each.var);
	buf_puts(d->out, " : ");
	if (s->kind == ST_FOR_MAP) {
		expr(d, s->u.each.map);
	} else if (s->kind == ST_FOR_DSQ) {
		buf_puts(d->out, "dsq ");
		expr(d, s->u.each.lo);
	} else {
		expr(d, s->u.each.lo);
		buf_puts(d->out, " .. ");
		expr(d, s->u.each.hi);
	}
	buf_putc(d->out, '\n');
	block(d, s->u.each.body, indent + 1);
}

static void stmt(struct dump *d, const struct stmt *s, unsigned indent)
{
	switch (s->kind) {
	case ST_EXPR:
		line(d, indent, "", s->u.expr);
		break;
	case ST_ASSIGN:
	case ST_LET:
		assign(d, s, indent);
		break;
	case ST_IF:
		for (const char *word = "if";; word = "else if", s = stmt_else_if(s)) {
			line(d, indent, word, s->u.cond.cond);
			block(d, s->u.cond.yes, indent + 1);
			if (!stmt_else_if(s))
				break;
		}
		if (!s->u.cond.no)
			break;
		line(d, indent, "else", NULL);
		block(d, s->u.cond.no, indent + 1);
		break;
	case ST_WHILE:
	case ST_UNROLL:
		line(d, indent, s->kind == ST_WHILE ? "while" : "unroll", s->u.loop.cond);
		block(d, s->u.loop.body, indent + 1);
		break;
	case ST_FOR_RANGE:
	case ST_FOR_MAP:
	case ST_FOR_DSQ:
		for_stmt(d, s, indent);
		break;
	case ST_BLOCK:
		line(d, indent, "block", NULL);
		block(d, s->u.block, indent + 1);
		break;
	case ST_BODY:
		line(d, indent, "body", NULL);
		block(d, s->u.block, indent + 1);
		break;
	case ST_RETURN:
		line(d, indent, "return", s->u.expr);
		break;
	case ST_BREAK:
		line(d, indent, "break", NULL);
		break;
	case ST_CONTINUE:
		line(d, indent, "continue", NULL);
		break;
	}
}

static void block(struct dump *d, const struct block *b, unsigned indent)
{
	for (uint32_t i = 0; i < b->list.n; i++)
		stmt(d, b->list.v[i], indent);
}

static void probe(struct dump *d, const struct probe *p)
{
	for (uint32_t i = 0; i < p->points.n; i++) {
		const struct attach_point *ap = &p->points.v[i];

		buf_printf(d->out, "%s%s", i ? ", " : "", ap->kind_text);
		for (uint32_t k = 0; k < ap->parts.n; k++)
			buf_printf(d->out, ":%s", ap->parts.v[k]);
	}
	buf_putc(d->out, '\n');
	if (p->pred)
		line(d, 1, "/", p->pred);
	block(d, p->body, 1);
	for (uint32_t i = 0; d->types && i < p->vars.n; i++)
		buf_printf(d->out, "  # $%s: %s\n", p->vars.v[i]->name,
			lt_text(d->s, &p->vars.v[i]->type));
}

static void map_line(struct dump *d, const struct map_sym *m)
{
	buf_printf(d->out, "# %s", m->name);
	for (uint32_t i = 0; i < m->keys.n; i++)
		buf_printf(d->out, "%s%s", i ? ", " : "[", lt_text(d->s, &m->keys.v[i]));
	buf_printf(d->out, "%s: ", m->keys.n ? "]" : "");
	if (m->agg == MA_NONE)
		buf_printf(d->out, "%s%s%s\n", lt_text(d->s, &m->value),
			m->by_tid ? ", kept on tasks" : "", m->set_first ? ", set first" : "");
	else
		buf_printf(d->out, "%s%s\n", meta_agg_text(m->agg), m->agg_signed ? " signed" : "");
}

static void dump(struct dump *d)
{
	for (uint32_t i = 0; i < d->s->config_entries.n; i++) {
		buf_printf(d->out, "config %s = ", d->s->config_entries.v[i].key);
		expr(d, d->s->config_entries.v[i].value);
		buf_putc(d->out, '\n');
	}
	for (uint32_t i = 0; i < d->s->decls.n; i++) {
		buf_printf(d->out, "let %s = %s ", d->s->decls.v[i].map, d->s->decls.v[i].type);
		if (d->s->decls.v[i].size)
			expr(d, d->s->decls.v[i].size);
		buf_putc(d->out, '\n');
	}
	for (uint32_t i = 0; i < d->s->probes.n; i++)
		probe(d, &d->s->probes.v[i]);
	for (uint32_t i = 0; d->types && i < d->s->maps.entries.n; i++)
		map_line(d, d->s->maps.entries.v[i].value);
}

void dump_ast(const struct script *s, struct buf *out)
{
	struct dump d = {s, out, false};

	dump(&d);
}

void dump_types(const struct script *s, struct buf *out)
{
	struct dump d = {s, out, true};

	dump(&d);
}
