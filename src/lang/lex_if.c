/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The condition of #if and #elif: integers, defined(NAME), #define'd names, LINUX_VERSION_CODE and
 * KERNEL_VERSION(a, b, c), with C's operators. A name that is not defined is 0, as in C. First the
 * names are replaced by what they stand for, then the text is read.
 */
#include "lang/lex.h"
#include <string.h>

#define DEPTH_MAX 40 /* of parentheses, and of definitions that use others */
#define TEXT_MAX 65536

struct pp {
	const struct lexer *l;
	const char *p, *end; /* what is being read */
	unsigned depth;
	bool bad;
};

static int64_t ternary(struct pp *p);

static int at(const struct pp *p, uint32_t n)
{
	return p->p + n < p->end ? (unsigned char)p->p[n] : -1;
}

static void blanks(struct pp *p)
{
	while (at(p, 0) == ' ' || at(p, 0) == '\t')
		p->p++;
}

static bool take(struct pp *p, const char *text)
{
	size_t n = strlen(text);

	blanks(p);
	if ((size_t)(p->end - p->p) < n || memcmp(p->p, text, n) != 0)
		return false;
	p->p += n;
	return true;
}

static int64_t bad(struct pp *p)
{
	p->bad = true;
	p->p = p->end;
	return 0;
}

static int64_t number(struct pp *p)
{
	uint64_t v = 0;
	unsigned base = 10;

	if (at(p, 0) == '0') {
		bool hex = at(p, 1) == 'x' || at(p, 1) == 'X';

		base = hex ? 16 : 8;
		p->p += hex ? 2 : 1;
	}
	while (lex_hex(at(p, 0)) >= 0 && (unsigned)lex_hex(at(p, 0)) < base) {
		v = v * base + (unsigned)lex_hex(at(p, 0));
		p->p++;
	}
	while (at(p, 0) > 0 && strchr("uUlL", at(p, 0)))
		p->p++;
	return lex_is_word(at(p, 0)) ? bad(p) : (int64_t)v;
}

static const char *word(struct pp *p)
{
	const char *start;

	blanks(p);
	start = p->p;
	while (lex_is_word(at(p, 0)))
		p->p++;
	return smap_intern(p->l->names, start, (size_t)(p->p - start));
}

static int64_t defined(struct pp *p)
{
	bool paren = take(p, "(");
	const char *name = word(p);

	if (!*name || (paren && !take(p, ")")))
		return bad(p);
	return lex_defined(p->l, name);
}

/* KERNEL_VERSION(a, b, c), as include/generated/uapi/linux/version.h has it. */
static int64_t kernel_version(struct pp *p)
{
	int64_t v[3] = {0};

	for (int i = 0; i < 3; i++) {
		if (!take(p, i ? "," : "("))
			return bad(p);
		v[i] = ternary(p);
	}
	return take(p, ")") ? (v[0] << 16) + (v[1] << 8) + (v[2] > 255 ? 255 : v[2]) : bad(p);
}

static int64_t name(struct pp *p)
{
	const char *text = word(p);

	if (!strcmp(text, "defined"))
		return defined(p);
	if (!strcmp(text, "LINUX_VERSION_CODE"))
		return p->l->kernel;
	if (!strcmp(text, "KERNEL_VERSION"))
		return kernel_version(p);
	return lex_defined(p->l, text);
}

static int64_t unary(struct pp *p)
{
	int64_t v = 0;

	blanks(p);
	if (p->depth >= DEPTH_MAX)
		return bad(p);
	p->depth++;
	if (take(p, "!"))
		v = !unary(p);
	else if (take(p, "-"))
		v = (int64_t)(0 - (uint64_t)unary(p));
	else if (take(p, "~"))
		v = ~unary(p);
	else if (take(p, "(")) {
		v = ternary(p);
		if (!take(p, ")"))
			v = bad(p);
	} else if (lex_is_digit(at(p, 0)))
		v = number(p);
	else if (lex_is_alpha(at(p, 0)))
		v = name(p);
	else
		v = bad(p);
	p->depth--;
	return v;
}

/* The longer of two operators that start alike comes first. */
static const struct {
	const char *text;
	int prec;
	char op;
} ops[] = {
	{"||", 1, 'o'}, {"&&", 2, 'a'}, {"==", 6, '='}, {"!=", 6, 'n'}, {"<<", 8, 'l'},
	{">>", 8, 'r'}, {"<=", 7, 'm'}, {">=", 7, 'g'}, {"<", 7, '<'}, {">", 7, '>'},
	{"|", 3, '|'}, {"^", 4, '^'}, {"&", 5, '&'}, {"+", 9, '+'}, {"-", 9, '-'},
	{"*", 10, '*'}, {"/", 10, '/'}, {"%", 10, '%'},
};

static int64_t apply(struct pp *p, char op, int64_t a, int64_t b)
{
	uint64_t ua = (uint64_t)a, ub = (uint64_t)b;

	switch (op) {
	case 'o': return a || b;
	case 'a': return a && b;
	case '=': return a == b;
	case 'n': return a != b;
	case 'l': return (int64_t)(ua << (ub & 63));
	case 'r': return a >> (ub & 63);
	case 'm': return a <= b;
	case 'g': return a >= b;
	case '<': return a < b;
	case '>': return a > b;
	case '|': return a | b;
	case '^': return a ^ b;
	case '&': return a & b;
	case '+': return (int64_t)(ua + ub);
	case '-': return (int64_t)(ua - ub);
	case '*': return (int64_t)(ua * ub);
	default:
		if (!b || (a == INT64_MIN && b == -1))
			return bad(p);
		return op == '/' ? a / b : a % b;
	}
}

static int64_t binary(struct pp *p, int min)
{
	int64_t a = unary(p);

	while (!p->bad) {
		unsigned i = 0, n = sizeof(ops) / sizeof(*ops);

		blanks(p);
		while (i < n && ((size_t)(p->end - p->p) < strlen(ops[i].text) ||
					memcmp(p->p, ops[i].text, strlen(ops[i].text))))
			i++;
		if (i == n || ops[i].prec < min)
			break;
		p->p += strlen(ops[i].text);
		a = apply(p, ops[i].op, a, binary(p, ops[i].prec + 1));
	}
	return a;
}

static int64_t ternary(struct pp *p)
{
	int64_t cond = binary(p, 1), yes, no;

	if (p->bad || !take(p, "?"))
		return cond;
	if (++p->depth >= DEPTH_MAX)
		return bad(p);
	yes = ternary(p);
	if (!take(p, ":"))
		return bad(p);
	no = ternary(p);
	p->depth--;
	return cond ? yes : no;
}

/* The text with what its names stand for; false when it grows beyond bounds. */
static bool expand(const struct lexer *l, uint32_t pos, uint32_t end, const struct define **outer,
	unsigned depth, struct buf *out)
{
	bool keep = false; /* the name behind "defined" */

	while (pos < end && out->n < TEXT_MAX) {
		int c = (unsigned char)l->text[pos];
		uint32_t start = pos;
		const struct define *m;

		if (c == '/' && (lex_at(l, pos + 1) == '/' || lex_at(l, pos + 1) == '*'))
			return true; /* a comment: nothing of the condition follows */
		if (!lex_is_word(c)) {
			buf_putc(out, c == '\\' || lex_is_space(c) ? ' ' : (char)c);
			pos++;
			continue;
		}
		while (pos < end && lex_is_word((unsigned char)l->text[pos]))
			pos++;
		m = keep ? NULL : smap_getn(l->defines, l->text + start, pos - start);
		keep = pos - start == 7 && !memcmp(l->text + start, "defined", 7);
		for (unsigned i = 0; m && i < depth; i++) {
			if (outer[i] == m)
				m = NULL;
		}
		if (!m || m->params) {
			buf_put(out, l->text + start, pos - start);
			continue;
		}
		outer[depth] = m;
		if (depth + 1 >= DEPTH_MAX || !expand(l, m->start, m->end, outer, depth + 1, out))
			return false;
	}
	return out->n < TEXT_MAX;
}

bool lex_condition(struct lexer *l, uint32_t end, bool *yes)
{
	const struct define *outer[DEPTH_MAX];
	struct pp p = {.l = l};
	struct buf text;
	int64_t v;

	buf_init(&text, l->a);
	if (!expand(l, l->pos, end, outer, 0, &text) || !text.n)
		return false;
	p.p = text.p;
	p.end = text.p + text.n;
	v = ternary(&p);
	blanks(&p);
	*yes = v != 0;
	return !p.bad && p.p >= p.end;
}
