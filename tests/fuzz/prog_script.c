/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A random program as a script: every operand gets a cast, so that the tree says what is meant. */
#include "prog.h"

static const char *const fields[] = {"tcp.seq", "tcp.ackseq", "tcp.sport", "tcp.dport", "ip.ttl",
	"ip.id", "tcp.window"};
static const char *const ops[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
static const char *const cmps[] = {"==", "!=", "<", "<=", ">", ">="};
static const char *const maps[] = {"@out", "@m"};

static void expr(const struct px *e, struct buf *b);

static void operand(const struct px *e, bool is_signed, struct buf *b)
{
	buf_puts(b, is_signed ? "(int64)" : "(uint64)");
	expr(e, b);
}

static void infix(const struct px *e, const char *op, struct buf *b)
{
	operand(e->a, e->is_signed, b);
	buf_printf(b, " %s ", op);
	operand(e->b, e->is_signed, b);
}

static void expr(const struct px *e, struct buf *b)
{
	buf_putc(b, '(');
	switch (e->kind) {
	case PX_CONST:
		buf_printf(b, "0x%llx", (unsigned long long)e->v);
		break;
	case PX_VAR:
		buf_printf(b, "$v%u", (unsigned)e->v);
		break;
	case PX_INPUT:
		buf_puts(b, fields[e->v]);
		break;
	case PX_MAP:
		buf_printf(b, "%s[", maps[e->v]);
		operand(e->a, false, b);
		buf_putc(b, ']');
		break;
	case PX_BIN:
		infix(e, ops[e->op], b);
		break;
	case PX_CAST:
		buf_printf(b, "(%sint%u)", e->is_signed ? "" : "u", e->size * 8);
		expr(e->a, b);
		break;
	case PX_CMP:
		infix(e, cmps[e->op], b);
		break;
	case PX_NOT:
		buf_putc(b, '!');
		expr(e->a, b);
		break;
	case PX_AND:
	case PX_OR:
		expr(e->a, b);
		buf_puts(b, e->kind == PX_AND ? " && " : " || ");
		expr(e->b, b);
		break;
	case PX_TERNARY:
		expr(e->a, b);
		buf_puts(b, " ? ");
		operand(e->b, false, b);
		buf_puts(b, " : ");
		operand(e->c, false, b);
		break;
	default: /* not generated for scripts */
		break;
	}
	buf_putc(b, ')');
}

static void block(const struct ps *s, unsigned indent, unsigned *loops, struct buf *b);

static void map_statement(const struct ps *s, struct buf *b)
{
	if (s->kind == PS_MAP_DELETE)
		buf_puts(b, "delete(");
	buf_printf(b, "%s[", maps[s->which]);
	operand(s->a, false, b);
	buf_putc(b, ']');
	if (s->kind == PS_MAP_DELETE) {
		buf_puts(b, ");\n");
		return;
	}
	buf_puts(b, s->kind == PS_MAP_SET ? " = " : " += ");
	operand(s->b, false, b);
	buf_puts(b, ";\n");
}

static bool has_loop(const struct ps *s)
{
	for (; s; s = s->next) {
		if (s->kind == PS_LOOP || (s->kind == PS_IF && (has_loop(s->yes) || has_loop(s->no))))
			return true;
	}
	return false;
}

/*
 * The same rounds in three forms. Those without a constant end are bounded by what the verifier
 * follows, so only loops without another inside get them: their few rounds are always within it.
 */
static void loop_head(const struct ps *s, unsigned n, unsigned indent, struct buf *b)
{
	unsigned form = has_loop(s->yes) ? 0 : n % 3;

	if (form == 1)
		buf_printf(b, "$w%u = (uint64)0;\n%*swhile ($w%u < (uint64)%u) {\n%*s$w%u += 1;\n", n,
			(int)(indent * 2), "", n, s->turns, (int)(indent * 2 + 2), "", n);
	else if (form == 2)
		buf_printf(b, "$e%u = %u;\n%*sfor ($i%u : 0..$e%u) {\n", n, s->turns,
			(int)(indent * 2), "", n, n);
	else
		buf_printf(b, "for ($i%u : 0..%u) {\n", n, s->turns);
}

static void statement(const struct ps *s, unsigned indent, unsigned *loops, struct buf *b)
{
	buf_printf(b, "%*s", (int)(indent * 2), "");
	switch (s->kind) {
	case PS_SET:
		buf_printf(b, "$v%u = (uint64)(%sint%u)", s->which, s->is_signed ? "" : "u", s->size * 8);
		expr(s->a, b);
		buf_puts(b, ";\n");
		break;
	case PS_IF:
		buf_puts(b, "if ");
		expr(s->a, b);
		buf_puts(b, " {\n");
		block(s->yes, indent + 1, loops, b);
		if (s->no) {
			buf_printf(b, "%*s} else {\n", (int)(indent * 2), "");
			block(s->no, indent + 1, loops, b);
		}
		buf_printf(b, "%*s}\n", (int)(indent * 2), "");
		break;
	case PS_LOOP:
		loop_head(s, (*loops)++, indent, b);
		block(s->yes, indent + 1, loops, b);
		buf_printf(b, "%*s}\n", (int)(indent * 2), "");
		break;
	case PS_RETURN:
		buf_puts(b, "return;\n");
		break;
	case PS_CALL:
		buf_puts(b, "@calls = nsecs;\n");
		break;
	default:
		map_statement(s, b);
		break;
	}
}

static void block(const struct ps *s, unsigned indent, unsigned *loops, struct buf *b)
{
	for (; s; s = s->next)
		statement(s, indent, loops, b);
}

void prog_script(const struct prog *p, struct buf *b)
{
	unsigned loops = 0;

	buf_puts(b, "xdp:eth0 {\n");
	for (unsigned i = 0; i < p->nvars; i++)
		buf_printf(b, "  $v%u = (uint64)%s + %u;\n", i, fields[i % 7], i);
	block(p->body, 1, &loops, b);
	for (unsigned i = 0; i < p->nvars; i++)
		buf_printf(b, "  @out[(uint64)%u] = (uint64)$v%u;\n", i, i);
	/* both maps are written somewhere, whatever the body does */
	buf_puts(b, "  if (tcp.seq != tcp.seq) { @m[(uint64)0] = (uint64)0; }\n}\n");
}
