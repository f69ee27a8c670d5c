/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* printf(): each conversion against its argument, with the caret inside the format. */
#include "lang/check.h"
#include "base/fmt.h"
#include <string.h>

/* ---- where byte i of a string literal stands in the source ---- */

static const char *source_at(const struct skep_diags *d, uint32_t off, uint32_t *room)
{
	for (uint32_t i = 0; i < d->sources.n; i++) {
		const struct source *s = &d->sources.v[i];

		if (off < s->base || off >= s->base + s->len)
			continue;
		*room = s->base + s->len - off;
		return s->text + (off - s->base);
	}
	return NULL;
}

/* Source bytes of the character or escape at p, and how many bytes of text it makes. */
static uint32_t source_step(const char *p, uint32_t room, uint32_t *bytes)
{
	uint32_t n = 2, max;

	*bytes = 1;
	if (*p != '\\' || room < 2)
		return 1;
	if (p[1] == 'x' || p[1] == 'u') {
		uint32_t v = 0;

		max = p[1] == 'x' ? 4 : 6;
		while (n < max && n < room && strchr("0123456789abcdefABCDEF", p[n])) {
			v = v * 16 + (uint32_t)(p[n] <= '9' ? p[n] - '0' : (p[n] | 32) - 'a' + 10);
			n++;
		}
		if (p[1] == 'u')
			*bytes = v < 0x80 ? 1 : v < 0x800 ? 2 : 3;
	} else if (p[1] >= '0' && p[1] <= '7') {
		while (n < 4 && n < room && p[n] >= '0' && p[n] <= '7')
			n++;
	}
	return n;
}

/* The span of len bytes from byte from of the literal e; e's own when that cannot be said. */
static struct skep_span inside(
	const struct check *c, const struct expr *e, uint32_t from, uint32_t len)
{
	uint32_t room, i = 1, at = 0, bytes, start = 0;
	const char *p = source_at(c->s->d, e->span.off, &room);

	if (!p || *p != '"')
		return e->span;
	if (room > e->span.len)
		room = e->span.len;
	while (i < room && at < from + len) {
		if (at == from)
			start = i;
		i += source_step(p + i, room - i, &bytes);
		at += bytes;
	}
	return start ? (struct skep_span){e->span.off + start, i - start} : e->span;
}

/* ---- conversions ---- */

static bool prints_as_text(const struct lt *t)
{
	return t->kind == LT_INT ? t->enum_id != 0 : t->kind != LT_PTR;
}

/* What %r shows byte by byte. */
static bool is_bytes(const struct lt *t)
{
	return t->kind == LT_BUF || t->kind == LT_STR || t->kind == LT_MAC ||
	       t->kind == LT_INET4 || t->kind == LT_INET6;
}

static const char *quoted_conv(struct check *c, const struct expr *f, const struct fmt_spec *v)
{
	/* "%z %d": what follows a broken conversion is no part of it */
	uint32_t len = v->conv && strchr(" \n\t", v->conv) ? v->len - 1 : v->len;

	return arena_printf(c->a, "%.*s", (int)len, f->u.str.s + v->start);
}

/* The conversion itself. False: reported. */
static bool check_conv(struct check *c, const struct expr *f, const struct fmt_spec *v)
{
	struct skep_span at = inside(c, f, v->start, v->len);
	struct diag *d;

	if (!v->conv || strchr(" \n\t", v->conv)) {
		d = c_error(c, at, DIAG_BAD_FORMAT, "a conversion without its letter");
		c_hint(c, d, "write %%%% for a percent sign");
		return false;
	}
	if (v->star) {
		c_unsupported(c, at, "'*' in formats is", "write the width itself: %10d");
		return false;
	}
	if (fmt_is_known(v->conv))
		return true;
	if (v->conv == 'g' && f->u.str.s[v->start + v->len] == 'r') {
		c_unsupported(c, at, "'%gr', the names of allocation flags, is", "%#x prints the number");
		return false;
	}
	d = c_error(c, at, DIAG_BAD_FORMAT, "unknown conversion '%s'", quoted_conv(c, f, v));
	if (strchr("aAeEfFgG", v->conv))
		c_hint(c, d, "there are no fractions; %%d prints whole numbers");
	else
		c_hint(c, d, "known are %%d %%u %%x %%o %%c %%p %%s %%r; %%%% prints a percent "
				"sign");
	return false;
}

static bool points_to_text(struct check *c, const struct lt *t)
{
	struct kbtf_info i;

	if (t->kind != LT_PTR || !t->btf)
		return t->kind == LT_PTR && t->int_size == 1;
	i = kbtf_describe(c->btf, t->btf);
	return i.class == KBTF_INT && i.size == 1;
}

static void check_conv_arg(
	struct check *c, const struct expr *f, const struct fmt_spec *v, const struct expr *a)
{
	struct skep_span at = inside(c, f, v->start, v->len);
	const char *conv = quoted_conv(c, f, v);
	struct diag *d;

	if (a->type.kind == LT_UNKNOWN || !is_storable(c, a, "printed"))
		return;
	if (v->conv == 's' && c->final && points_to_text(c, &a->type))
		c_hint(c,
			diag_warn(c->d, a->span, DIAG_WRONG_TYPE, "this prints the address"),
			"str(…) is the text there, %%p says that the address is meant");
	if (v->conv == 's' || (v->conv == 'r' && is_bytes(&a->type)) ||
		(fmt_is_number(v->conv) && (a->type.kind == LT_INT || a->type.kind == LT_PTR)))
		return;
	d = c_error(c, at, DIAG_BAD_FORMAT, "'%s' does not print a value of type %s", conv,
		c_type(c, &a->type));
	diag_also(c->d, d, a->span, "this argument");
	if (v->conv == 'r')
		c_hint(c, d, "buf(pointer, size) makes bytes of what a pointer points to");
	else if (a->type.kind == LT_PTR)
		c_hint(c, d, "%%p prints the address, str(…) makes a string of what it points to");
	else if (a->type.kind == LT_INT)
		c_hint(c, d, "%%d prints numbers, %%x in hex");
	else
		c_hint(c, d, "%%s prints it");
}

/* What bpf_bprintf_prepare() takes, kernel/bpf/helpers.c: it refuses the whole format otherwise. */
static bool kernel_conv(struct check *c, const struct expr *f, const struct fmt_spec *v,
	const struct expr *arg)
{
	bool text = arg && arg->type.kind == LT_STR;

	if (v->conv && strchr("diuxXcps", v->conv) && (v->conv == 's') == text && !v->alt &&
		v->precision < 0 && (!*v->length || *v->length == 'l'))
		return true;
	c_hint(c,
		c_error(c, inside(c, f, v->start, v->len), DIAG_BAD_FORMAT,
			"the kernel, which prints this, does not take '%s' here", quoted_conv(c, f, v)),
		text ? "%%s prints text" : "%%d, %%u, %%llu and %%x print numbers");
	return false;
}

/* The values of the format, which is argument number at; kernel: it is not skep that prints. */
void check_conversions(struct check *c, struct expr *e, uint32_t at, bool kernel)
{
	struct exprs *args = &e->u.call.args;
	const struct expr *f = args->list.v[at];
	struct fmt_spec v;
	uint32_t pos = 0, n = at + 1;
	struct diag *d;

	while (fmt_next(f->u.str.s, f->u.str.n, &pos, &v)) {
		if (!check_conv(c, f, &v))
			return;
		if (kernel && n < args->list.n && !kernel_conv(c, f, &v, args->list.v[n]))
			return;
		if (n >= args->list.n) {
			d = c_error(c, inside(c, f, v.start, v.len), DIAG_BAD_FORMAT,
				"no argument for '%s'", quoted_conv(c, f, &v));
			c_hint(c, d,
				"each conversion takes one argument; write %%%% for a percent "
				"sign");
			return;
		}
		check_conv_arg(c, f, &v, args->list.v[n++]);
	}
	if (n < args->list.n) {
		d = c_error(c, args->list.v[n]->span, DIAG_BAD_FORMAT,
			"the format has no conversion for this argument");
		diag_also(c->d, d, f->span, NULL);
		c_hint(c, d, "add one: %s", prints_as_text(&args->list.v[n]->type) ? "%s" : "%d");
	}
}

void check_printf(struct check *c, struct expr *e)
{
	struct exprs *args = &e->u.call.args;
	const char *name = e->u.call.name;
	struct expr *f;

	for (uint32_t i = 0; i < args->list.n; i++)
		check_expr(c, args->list.v[i]);
	if (!args->list.n) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS, "%s() without a format", name),
			"for instance: %s(\"%%s %%d\\n\", comm, pid)", name);
		return;
	}
	f = args->list.v[0];
	if (f->kind != EX_STR) {
		c_hint(c,
			c_error(c, f->span, DIAG_WRONG_ARGS,
				"the format must be a string in quotes"),
			"for instance: %s(\"%s\\n\", …)", name,
			prints_as_text(&f->type) ? "%s" : "%d");
		return;
	}
	check_conversions(c, e, 0, false);
}

/* system(): runs a command as who traces, so it has to be allowed. */
void check_system(struct check *c, struct expr *e)
{
	if (!c->s->unsafe) {
		c_hint(c, c_error(c, e->u.call.name_span, DIAG_UNSAFE,
				  "%s() changes the system and is not allowed", e->u.call.name),
			"--unsafe allows it");
		return;
	}
	check_printf(c, e);
}

/* join(argv), join(argv, ",") */
void check_join(struct check *c, struct expr *e)
{
	struct expr **a = e->u.call.args.list.v;
	uint32_t n = e->u.call.args.list.n;

	if (n < 1 || n > 2) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS,
				  "join() takes 1 to 2 arguments, this has %u", n),
			"write join(args.argv) or join(args.argv, \",\")");
		return;
	}
	check_expr(c, a[0]);
	check_number(c, a[0], "the array for join()");
	if (n < 2)
		return;
	check_expr(c, a[1]);
	if (a[1]->kind != EX_STR)
		c_hint(c, c_error(c, a[1]->span, DIAG_WRONG_ARGS,
				  "what stands between the strings must be a string in quotes"),
			"for instance: join(args.argv, \",\")");
}
