/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A random script as text. Parentheses stand where C's precedence wants them, and elsewhere now and
 * then; what is long is broken into lines.
 */
#include "tests/fuzz/lang.h"
#include <inttypes.h>

struct printer {
	const struct lang *p;
	struct buf *b;
	uint64_t s;
	size_t line; /* where it starts */
	bool no_own;
};

static unsigned toss(struct printer *w, unsigned n)
{
	w->s = w->s * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(w->s >> 33) % n;
}

static const struct {
	const char *text;
	unsigned level; /* as C binds them; ?: is 0 */
} ops[LO_COUNT] = {{"+", 9}, {"-", 9}, {"*", 10}, {"/", 10}, {"%", 10}, {"&", 5}, {"|", 3}, {"^", 4},
	{"<<", 8}, {">>", 8}, {"==", 6}, {"!=", 6}, {"<", 7}, {"<=", 7}, {">", 7}, {">=", 7}};
#define LEVEL_OR 1
#define LEVEL_AND 2
#define LEVEL_UNARY 11
#define LEVEL_POSTFIX 12

static unsigned level(const struct le *e)
{
	switch (e->kind) {
	case LE_COND:
	case LE_ELVIS:
		return 0;
	case LE_OR:
		return LEVEL_OR;
	case LE_AND:
		return LEVEL_AND;
	case LE_BIN:
		return ops[e->n].level;
	case LE_NCMP:
		return ops[LO_EQ].level;
	case LE_CAST:
	case LE_NEG:
	case LE_COM:
	case LE_NOT:
	case LE_TRUTH:
		return LEVEL_UNARY;
	case LE_INC:
		return e->n & 2 ? LEVEL_UNARY : LEVEL_POSTFIX;
	default:
		return LEVEL_POSTFIX;
	}
}

static void expr(struct printer *w, const struct le *e, unsigned least);
static void block(struct printer *w, const struct ls *s, unsigned indent);

static void infix(struct printer *w, const struct le *a, const char *op, const struct le *b,
	unsigned at)
{
	expr(w, a, at);
	if (w->b->n - w->line > 90) {
		buf_puts(w->b, "\n\t\t");
		w->line = w->b->n;
	}
	buf_printf(w->b, " %s ", op);
	expr(w, b, at + 1);
}

static void call(struct printer *w, const char *name, const struct le *a, const struct le *b)
{
	buf_printf(w->b, "%s(", name);
	expr(w, a, 0);
	if (b) {
		buf_puts(w->b, ", ");
		expr(w, b, 0);
	}
}

static void elements(struct printer *w, const struct le *e)
{
	for (unsigned i = 0; i < e->t->n; i++) {
		buf_puts(w->b, i ? ", " : "");
		if (e->t->names)
			buf_printf(w->b, "%c=", 'p' + i);
		expr(w, e->el[i], 0);
	}
}

/* [1, "a"], or [$tuple] */
static void map_at(struct printer *w, uint64_t map, const struct le *key)
{
	buf_printf(w->b, "@m%" PRIu64, map);
	if (!key)
		return;
	buf_putc(w->b, '[');
	if (key->kind == LE_TUPLE && (key->t->n == 1 || toss(w, 4)))
		elements(w, key);
	else
		expr(w, key, 0);
	buf_putc(w->b, ']');
}

static void has_key(struct printer *w, const struct le *e)
{
	buf_printf(w->b, "has_key(@m%" PRIu64 ", ", e->n);
	if (e->a->kind == LE_TUPLE && e->a->t->n == 1)
		expr(w, e->a->el[0], 0);
	else
		expr(w, e->a, 0);
	buf_putc(w->b, ')');
}

static void choice(struct printer *w, const struct le *e)
{
	if (e->kind == LE_COND && toss(w, 4) == 0) {
		buf_puts(w->b, "if (");
		expr(w, e->a, 0);
		buf_puts(w->b, ") { ");
		expr(w, e->b, 0);
		buf_puts(w->b, " } else { ");
		expr(w, e->c, 0);
		buf_puts(w->b, " }");
		return;
	}
	expr(w, e->a, LEVEL_OR);
	if (e->kind == LE_COND) {
		buf_puts(w->b, " ? ");
		expr(w, e->b, 0);
		buf_puts(w->b, " : ");
	} else {
		buf_puts(w->b, " ?: ");
	}
	expr(w, e->c, 0);
}

static void text_call(struct printer *w, const struct le *e)
{
	switch (e->kind) {
	case LE_LEN:
		call(w, "strlen", e->a, NULL);
		break;
	case LE_NCMP:
		call(w, "strncmp", e->a, e->b);
		buf_printf(w->b, ", %" PRIu64 ") == 0", e->n);
		return;
	case LE_CONTAINS:
	case LE_FIND:
		call(w, e->kind == LE_FIND ? "strstr" : "strcontains", e->a, e->b);
		break;
	default:
		call(w, toss(w, 2) && e->n ? "strcap" : "str", e->a, NULL);
		buf_printf(w->b, ", %" PRIu64, e->n);
		break;
	}
	buf_putc(w->b, ')');
}

/* A member, or what is at its address. */
static void field(struct printer *w, const char *name, uint64_t n)
{
	unsigned how = toss(w, 12);

	if (how == 0 && n < LANG_WHOLE_FIELDS)
		buf_printf(w->b, "(&$in->%s)[0]", name);
	else if (how == 1 && name[0] == 'n')
		buf_printf(w->b, "((struct inner *)&$in->n)->%s", name + 2);
	else
		buf_printf(w->b, "%s%s", how % 3 || w->no_own ? "$in->" : "$own.", name);
}

static void reading(struct printer *w, const struct le *e)
{
	unsigned at;

	switch (e->kind) {
	case LE_FIELD:
		field(w, lang_fields[e->n].name, e->n);
		break;
	case LE_ARRAY:
		at = toss(w, 5);
		buf_puts(w->b, !at ? "*(&$in->arr[" : at < 3 || w->no_own ? "$in->arr[" : "$own.arr[");
		expr(w, e->a, 0);
		buf_puts(w->b, at ? "]" : "])");
		break;
	case LE_NAME:
		buf_puts(w->b, toss(w, 2) || w->no_own ? "str($in->name)" : "str($own.name)");
		break;
	case LE_MEMORY:
		buf_printf(w->b, "str($in->text, %" PRIu64 ")", e->n);
		break;
	case LE_VAR:
		buf_printf(w->b, "$%s", w->p->var[e->n].name);
		break;
	case LE_MAP:
		map_at(w, e->n, e->a);
		break;
	case LE_CHAR:
		expr(w, e->a, LEVEL_POSTFIX);
		buf_printf(w->b, "[%" PRIu64 "]", e->n);
		break;
	case LE_AT:
		expr(w, e->a, LEVEL_POSTFIX);
		buf_putc(w->b, '[');
		expr(w, e->b, 0);
		buf_putc(w->b, ']');
		break;
	default: /* LE_ELEM */
		expr(w, e->a, LEVEL_POSTFIX);
		if (e->a->t->names) {
			buf_printf(w->b, ".%c", (int)('p' + e->n));
			break;
		}
		buf_printf(w->b, toss(w, 3) ? ".%" PRIu64 : "[%" PRIu64 "]", e->n);
		break;
	}
}

static void number(struct printer *w, uint64_t n)
{
	buf_printf(w->b, toss(w, 3) ? "%" PRIu64 : "0x%" PRIx64, n);
}

static void special(struct printer *w, const struct le *e)
{
	switch (e->kind) {
	case LE_BYTE:
		buf_printf(w->b, "((%s[%u])", lang_casts[e->n].name, 8 / lang_casts[e->n].size);
		expr(w, e->a, LEVEL_UNARY);
		buf_puts(w->b, ")[");
		expr(w, e->b, 0);
		buf_putc(w->b, ']');
		break;
	case LE_SAME:
		buf_printf(w->b, "((uint8[%" PRIu64 "])", e->n);
		expr(w, e->a, LEVEL_UNARY);
		buf_printf(w->b, " == (uint8[%" PRIu64 "])", e->n);
		expr(w, e->b, LEVEL_UNARY);
		buf_putc(w->b, ')');
		break;
	case LE_INC:
		buf_puts(w->b, e->n & 2 ? e->n & 1 ? "--" : "++" : "");
		expr(w, e->a, LEVEL_POSTFIX);
		buf_puts(w->b, e->n & 2 ? "" : e->n & 1 ? "--" : "++");
		break;
	case LE_BLOCK:
		buf_puts(w->b, "{\n");
		block(w, e->body, 2);
		buf_puts(w->b, "\t\t");
		w->line = w->b->n;
		expr(w, e->a, 0);
		buf_puts(w->b, " }");
		break;
	case LE_CALL:
		buf_printf(w->b, "f%" PRIu64 "(", e->n);
		for (unsigned i = 0; i < w->p->fn[e->n].nparams; i++) {
			buf_puts(w->b, i ? ", " : "");
			expr(w, e->el[i], 0);
		}
		buf_putc(w->b, ')');
		break;
	default:
		reading(w, e);
		break;
	}
}

static void plain(struct printer *w, const struct le *e)
{
	switch (e->kind) {
	case LE_NUM:
		number(w, e->n);
		break;
	case LE_TEXT:
		buf_printf(w->b, "\"%s\"", e->s);
		break;
	case LE_CAST:
		buf_printf(w->b, "(%s)", lang_casts[e->n].name);
		expr(w, e->a, LEVEL_UNARY);
		break;
	case LE_NEG: /* two of them would be -- */
		buf_putc(w->b, '-');
		expr(w, e->a, e->a->kind == LE_NEG || e->a->kind == LE_INC ? LEVEL_POSTFIX + 1 : LEVEL_UNARY);
		break;
	case LE_COM:
	case LE_NOT:
		buf_putc(w->b, e->kind == LE_COM ? '~' : '!');
		expr(w, e->a, LEVEL_UNARY);
		break;
	case LE_TRUTH:
		buf_puts(w->b, "(bool)");
		expr(w, e->a, LEVEL_UNARY);
		break;
	case LE_BIN:
		infix(w, e->a, ops[e->n].text, e->b, ops[e->n].level);
		break;
	case LE_AND:
		infix(w, e->a, "&&", e->b, LEVEL_AND);
		break;
	case LE_OR:
		infix(w, e->a, "||", e->b, LEVEL_OR);
		break;
	case LE_COND:
	case LE_ELVIS:
		choice(w, e);
		break;
	case LE_LEN:
	case LE_NCMP:
	case LE_CONTAINS:
	case LE_FIND:
	case LE_CUT:
		text_call(w, e);
		break;
	case LE_HAS:
		has_key(w, e);
		break;
	case LE_MACRO:
		buf_printf(w->b, "macro%" PRIu64, e->n);
		call(w, "", e->a, e->b);
		buf_putc(w->b, ')');
		break;
	case LE_PARAM:
		buf_puts(w->b, e->n ? "y" : "x");
		break;
	case LE_TUPLE:
		buf_putc(w->b, '(');
		elements(w, e);
		buf_puts(w->b, e->t->n == 1 ? ",)" : ")");
		break;
	default:
		special(w, e);
		break;
	}
}

static void expr(struct printer *w, const struct le *e, unsigned least)
{
	/* where a statement may stand a brace begins one */
	bool wrap = level(e) < least || (e->kind == LE_BLOCK && least) || (level(e) < LEVEL_POSTFIX && !toss(w, 4));

	buf_puts(w->b, wrap ? "(" : "");
	plain(w, e);
	buf_puts(w->b, wrap ? ")" : "");
}

/* ---- statements ---- */

static void start_line(struct printer *w, unsigned indent)
{
	w->line = w->b->n;
	buf_printf(w->b, "%.*s", (int)indent, "\t\t\t\t\t\t\t\t");
}

static void body(struct printer *w, const struct ls *s, unsigned indent)
{
	buf_puts(w->b, " {\n");
	block(w, s, indent + 1);
	start_line(w, indent);
	buf_putc(w->b, '}');
}

static void loop(struct printer *w, const struct ls *s, unsigned indent)
{
	const char *name = w->p->var[s->which].name;
	int64_t end = s->from + s->turns;

	switch (s->kind) {
	case LS_FOR:
		buf_printf(w->b, "for ($%s : %" PRId64 "..%" PRId64 ")", name, s->from, end);
		break;
	case LS_OPEN:
		buf_printf(w->b, "$e%s = %" PRId64 ";\n", name, end);
		start_line(w, indent);
		buf_printf(w->b, "for ($%s : %" PRId64 "..$e%s)", name, s->from, name);
		break;
	case LS_WHILE: /* counts before its body, as the other loops do */
		buf_printf(w->b, "$%s = %" PRId64 ";\n", name, s->from - 1);
		start_line(w, indent);
		buf_printf(w->b, "while ($%s < %" PRId64 ") {\n", name, end - 1);
		start_line(w, indent + 1);
		buf_printf(w->b, "$%s++;\n", name);
		block(w, s->yes, indent + 1);
		start_line(w, indent);
		buf_puts(w->b, "}\n");
		return;
	default:
		buf_printf(w->b, "$%s = %" PRId64 ";\n", name, s->from - 1);
		start_line(w, indent);
		buf_printf(w->b, "unroll (%u) {\n", s->turns);
		start_line(w, indent + 1);
		buf_printf(w->b, "$%s++;\n", name);
		block(w, s->yes, indent + 1);
		start_line(w, indent);
		buf_puts(w->b, "}\n");
		return;
	}
	body(w, s->yes, indent);
	buf_putc(w->b, '\n');
}

/* a NULL: of $z */
static void aggregate(struct printer *w, const struct lang_map *m, const struct le *a)
{
	enum lang_agg agg = m->agg;

	static const char *const names[] = {"", "count", "sum", "min", "max", "avg", "stats", "hist", "lhist"};

	buf_printf(w->b, " = %s(", names[agg]);
	if (a)
		expr(w, a, 0);
	else if (agg != LA_COUNT)
		buf_puts(w->b, m->value == &lang_uint ? "(uint64)$z" : "$z");
	if (agg == LA_LHIST)
		buf_printf(w->b, ", %" PRId64 ", %" PRId64 ", %" PRId64, lang_lhist[0], lang_lhist[1],
			lang_lhist[2]);
	buf_puts(w->b, ");\n");
}

static void output(struct printer *w, const struct ls *s)
{
	buf_puts(w->b, s->kind == LS_PRINT ? "print(" : "printf(\"");
	for (unsigned i = 0; i < s->nargs && s->kind == LS_PRINTF; i++) {
		enum lang_kind k = s->arg[i]->t->kind;

		buf_puts(w->b, k == LK_INT ? "%d|" : k == LK_UINT ? "%u|" : "%s|");
	}
	buf_puts(w->b, s->kind == LS_PRINT ? "" : "\\n\", ");
	for (unsigned i = 0; i < s->nargs; i++) {
		buf_puts(w->b, i ? ", " : "");
		expr(w, s->arg[i], 0);
	}
	buf_puts(w->b, ");\n");
}

/* @map, key */
static void map_and_key(struct printer *w, unsigned map, const struct le *key)
{
	buf_printf(w->b, "@m%u, ", map);
	if (key->kind == LE_TUPLE && key->t->n == 1)
		expr(w, key->el[0], 0);
	else
		expr(w, key, 0);
}

static void if_else(struct printer *w, const struct ls *s, unsigned indent)
{
	buf_puts(w->b, "if (");
	if (s->kind == LS_FIND) {
		buf_puts(w->b, "find(");
		map_and_key(w, s->which, s->key);
		buf_printf(w->b, ", $%s)", w->p->var[s->var].name);
	} else {
		expr(w, s->a, 0);
	}
	buf_putc(w->b, ')');
	body(w, s->yes, indent);
	if (s->no) {
		buf_puts(w->b, " else");
		body(w, s->no, indent);
	}
	buf_putc(w->b, '\n');
}

/* What the body shares with the code around it lies on the stack: $own is too long for that. */
static void each(struct printer *w, const struct ls *s, unsigned indent)
{
	bool outer = w->no_own;

	w->no_own = true;
	buf_printf(w->b, "for ($%s : @m%u)", w->p->var[s->var].name, s->which);
	body(w, s->yes, indent);
	buf_putc(w->b, '\n');
	w->no_own = outer;
}

static void deletion(struct printer *w, const struct ls *s)
{
	if (toss(w, 2)) {
		buf_puts(w->b, "delete(");
		map_at(w, s->which, s->key);
		buf_puts(w->b, ");\n");
		return;
	}
	buf_puts(w->b, "delete(");
	map_and_key(w, s->which, s->key);
	buf_puts(w->b, ");\n");
}

static void place(struct printer *w, const struct ls *s)
{
	if (s->kind == LS_SET || s->kind == LS_OP || s->kind == LS_INC)
		buf_printf(w->b, "$%s", w->p->var[s->which].name);
	else
		map_at(w, s->which, s->key);
}

static void statement(struct printer *w, const struct ls *s, unsigned indent)
{
	start_line(w, indent);
	switch (s->kind) {
	case LS_SET:
	case LS_MSET:
	case LS_OP:
	case LS_MOP:
		place(w, s);
		buf_printf(w->b, " %s= ", s->kind == LS_OP || s->kind == LS_MOP ? ops[s->op].text : "");
		expr(w, s->a, 0);
		buf_puts(w->b, ";\n");
		break;
	case LS_INC:
	case LS_MINC:
		if (toss(w, 2)) {
			buf_puts(w->b, s->op ? "--" : "++");
			place(w, s);
		} else {
			place(w, s);
			buf_puts(w->b, s->op ? "--" : "++");
		}
		buf_puts(w->b, ";\n");
		break;
	case LS_IF:
	case LS_FIND:
		if_else(w, s, indent);
		break;
	case LS_EACH:
		each(w, s, indent);
		break;
	case LS_BREAK:
	case LS_CONTINUE:
	case LS_RETURN:
		buf_puts(w->b, s->kind == LS_BREAK ? "break" : s->kind == LS_RETURN ? "return" : "continue");
		buf_putc(w->b, s->a ? ' ' : ';');
		if (s->a) {
			expr(w, s->a, 0);
			buf_putc(w->b, ';');
		}
		buf_putc(w->b, '\n');
		break;
	case LS_DELETE:
		deletion(w, s);
		break;
	case LS_AGG:
		place(w, s);
		aggregate(w, &w->p->map[s->which], s->a);
		break;
	case LS_PRINT:
	case LS_PRINTF:
		output(w, s);
		break;
	default:
		loop(w, s, indent);
		break;
	}
}

static void block(struct printer *w, const struct ls *s, unsigned indent)
{
	for (; s; s = s->next)
		statement(w, s, indent);
}

/* ---- the whole ---- */

static void first_value(struct printer *w, const struct lang_type *t, unsigned i)
{
	static const char *const texts[] = {"", "a", "ab", "abcabcab", "abcabcabc"};

	if (t->kind == LK_STR) {
		buf_printf(w->b, "\"%s\"", texts[i % 5]);
	} else if (t->kind == LK_TUPLE) {
		buf_putc(w->b, '(');
		for (unsigned k = 0; k < t->n; k++) {
			buf_puts(w->b, k ? ", " : "");
			if (t->names)
				buf_printf(w->b, "%c=", 'p' + k);
			first_value(w, t->el[k], i + k);
		}
		buf_putc(w->b, ')');
	} else {
		buf_printf(w->b, "%s$in->%s", t->kind == LK_UINT ? "(uint64)" : lang_fields[i % LANG_FIELDS].is_u64 ? "(int64)" : "",
			lang_fields[i % LANG_FIELDS].name);
	}
}

static void probe(struct printer *w, unsigned n)
{
	buf_printf(w->b, "%s {\n\t$in = (struct in *)uptr(0x%llx);\n\t$own = *$in;\n",
		n + 1 < LANG_PROBES ? "BEGIN" : "END", LANG_INPUT);
	for (unsigned i = 0; i < w->p->nvars; i++) {
		const struct lang_var *v = &w->p->var[i];

		if (v->name[0] != 'v')
			continue;
		buf_puts(w->b, v->let >= 0 ? "\tlet " : "\t");
		buf_printf(w->b, "$%s%s%s = ", v->name, v->let >= 0 ? " : " : "",
			v->let >= 0 ? lang_casts[v->let].name : "");
		first_value(w, v->t, i + n);
		buf_puts(w->b, ";\n");
	}
	block(w, w->p->body[n], 1);
	buf_puts(w->b, "}\n");
}

static void zero_of(struct printer *w, const struct lang_type *t);

static void zeros(struct printer *w, const struct lang_type *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		buf_puts(w->b, i ? ", " : "");
		if (t->names)
			buf_printf(w->b, "%c=", 'p' + i);
		zero_of(w, t->el[i]);
	}
}

static void zero_of(struct printer *w, const struct lang_type *t)
{
	if (t->kind != LK_TUPLE) {
		buf_puts(w->b, t->kind == LK_STR ? "\"\"" : t->kind == LK_UINT ? "(uint64)$z" : "$z");
		return;
	}
	buf_putc(w->b, '(');
	zeros(w, t);
	buf_putc(w->b, ')');
}

static void function(struct printer *w, unsigned n)
{
	static const char type[] = " : ";
	const struct lang_fn *fn = &w->p->fn[n];

	buf_printf(w->b, "fn f%u(", n);
	for (unsigned i = 0; i < fn->nvars; i++) {
		const struct lang_var *v = &w->p->var[fn->first + i];

		if (i == fn->nparams)
			buf_printf(w->b, ")%s%s {\n\t$in = (struct in *)uptr(0x%llx);\n", type,
				lang_casts[fn->result].name, LANG_INPUT);
		buf_printf(w->b, "%s$%s : %s", i < fn->nparams ? i ? ", " : "" : "\tlet ", v->name,
			lang_casts[v->let].name);
		if (i >= fn->nparams)
			buf_printf(w->b, " = %u;\n", i);
	}
	if (fn->nvars == fn->nparams)
		buf_printf(w->b, ")%s%s {\n\t$in = (struct in *)uptr(0x%llx);\n", type,
			lang_casts[fn->result].name, LANG_INPUT);
	w->no_own = true;
	block(w, fn->body, 1);
	buf_puts(w->b, "\treturn ");
	expr(w, fn->value, 0);
	buf_puts(w->b, ";\n}\n");
	w->no_own = false;
}

/* Every map is written somewhere, whatever the rest says, with its types; it never comes to that. */
static void types_of_maps(struct printer *w)
{
	buf_printf(w->b, "BEGIN {\n\t$z = (int64)*(int32 *)uptr(0x%llx);\n\tif ($z == $z + 1) {\n", LANG_INPUT);
	for (unsigned i = 0; i < w->p->nmaps; i++) {
		const struct lang_map *m = &w->p->map[i];

		buf_printf(w->b, "\t\t@m%u%s", i, m->key ? "[" : "");
		if (m->key)
			zeros(w, m->key);
		buf_puts(w->b, m->key ? "]" : "");
		if (m->agg != LA_NONE) {
			aggregate(w, m, NULL);
			continue;
		}
		buf_puts(w->b, " = ");
		zero_of(w, m->value);
		buf_puts(w->b, ";\n");
	}
	buf_puts(w->b, "\t}\n}\n");
}

void lang_text(const struct lang *p, struct buf *out)
{
	struct printer w = {.p = p, .b = out, .s = p->seed};

	buf_puts(out, "struct inner { int8 a; uint16 b; int32 c; };\n"
		      "struct packed { uint8 a; uint16 c; uint32 b : 20; int32 d : 20; uint64 e : 40; int8 z; } "
		      "__attribute__((packed));\n"
		      "struct in {\n\tint8 i8; uint8 u8; int16 i16; uint16 u16; int32 i32; uint32 u32;\n"
		      "\tint64 i64; uint64 u64; struct inner n; uint16 arr[8]; char name[24];\n"
		      "\tunsigned int f1 : 3; int f2 : 5; struct packed p;\n"
		      "\tint64 g1 : 40; uint64 g2 : 24; int16 g3 : 9; uint16 g4 : 7; uint64 text; char long_text[256];\n};\n");
	for (unsigned i = 0; i < LANG_MACROS; i++) {
		buf_printf(out, "macro macro%u(x, y) { ", i);
		w.line = out->n;
		expr(&w, p->macro[i], 0);
		buf_puts(out, " }\n");
	}
	for (unsigned i = 0; i < LANG_FNS; i++)
		function(&w, i);
	types_of_maps(&w);
	for (unsigned i = 0; i < LANG_PROBES; i++)
		probe(&w, i);
	/* behind this line only maps are printed */
	buf_puts(out, "END { printf(\"--\\n\"); }\n");
}
