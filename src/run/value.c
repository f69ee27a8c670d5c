/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/value.h"
#include "run/field.h"
#include "run/fmt.h"
#include "run/names.h"
#include <inttypes.h>
#include <string.h>

const struct meta_type *value_type(const struct meta *m, const struct meta_field *f)
{
	return f->ref && f->ref <= m->types.n ? &m->types.v[f->ref - 1] : NULL;
}

bool value_is_compound(const struct meta_field *f)
{
	return f->kind == MK_TUPLE || f->kind == MK_STRUCT || f->kind == MK_ARRAY;
}

/* Field number i of a compound value, moved to where it lies from base on. */
static struct meta_field part(const struct meta_type *t, const struct meta_field *f, uint32_t i)
{
	struct meta_field p = t->members.v[t->kind == MK_ARRAY ? 0 : i].field;

	p.off += f->off + (t->kind == MK_ARRAY ? i * p.size : 0);
	return p;
}

static uint32_t parts(const struct meta_type *t)
{
	return t->kind == MK_ARRAY ? t->n : t->members.n;
}

/* Bit-fields become numbers of their own; everything else is a field. */
static bool bits_of(const struct meta_type *t, uint32_t i, const struct meta_field *p,
	const uint8_t *base, size_t len, uint64_t *v)
{
	const struct meta_type_member *mb = &t->members.v[t->kind == MK_ARRAY ? 0 : i];
	uint64_t at = 8ull * p->off + mb->bit_off;
	uint32_t n = mb->bit_size;

	if (!n || n > 64 || at + n > 8ull * len)
		return false;
	for (*v = 0; n-- > 0;) /* in a packed struct they may lie in two words */
		*v = *v << 1 | (base[(at + n) / 8] >> (at + n) % 8 & 1);
	if (p->kind == MK_INT && *v >> (mb->bit_size - 1))
		*v |= -1ull << (mb->bit_size - 1);
	return true;
}

typedef void (*print_fn)(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len);

static void one_part(struct buf *out, const struct meta *m, const struct meta_type *t, uint32_t i,
	const struct meta_field *f, const uint8_t *base, size_t len, print_fn print)
{
	struct meta_field p = part(t, f, i);
	uint64_t v;

	if (!bits_of(t, i, &p, base, len, &v))
		print(out, m, &p, base, len);
	else if (p.kind == MK_INT)
		buf_printf(out, "%" PRId64, (int64_t)v);
	else
		buf_printf(out, "%" PRIu64, v);
}

bool value_name(struct buf *out, const struct meta *m, const struct meta_field *f, uint64_t v)
{
	const struct meta_type *t = value_type(m, f);

	switch ((enum meta_kind)f->kind) {
	case MK_ENUM:
		for (uint32_t i = 0; t && i < t->members.n; i++) {
			if (t->members.v[i].value == (int64_t)v) {
				buf_puts(out, t->members.v[i].name);
				return true;
			}
		}
		return false;
	case MK_USERNAME:
		return name_of_user(out, v);
	case MK_STRERROR:
		return name_of_error(out, v);
	case MK_SYSCALL:
		return name_of_syscall(out, v);
	case MK_SIGNAL:
		return name_of_signal(out, v);
	case MK_CGROUP_PATH:
		return name_of_cgroup(out, v);
	default:
		return false;
	}
}

static void compound_text(struct buf *out, const struct meta *m, const struct meta_type *t,
	const struct meta_field *f, const uint8_t *base, size_t len)
{
	bool array = t->kind == MK_ARRAY, tuple = t->kind == MK_TUPLE;

	buf_puts(out, array ? "[" : tuple ? "(" : "{ ");
	for (uint32_t i = 0; i < parts(t); i++) {
		if (i)
			buf_puts(out, array ? "," : ", ");
		if (t->kind == MK_STRUCT)
			buf_printf(out, ".%s = ", t->members.v[i].name);
		one_part(out, m, t, i, f, base, len, field_text);
	}
	if (tuple && t->members.n == 1)
		buf_putc(out, ',');
	buf_puts(out, array ? "]" : tuple ? ")" : " }");
}

static void inet_text(struct buf *out, const uint8_t *p)
{
	struct meta_field f = {.kind = p[0] == 2 ? MK_INET4 : MK_INET6, .size = p[0] == 2 ? 4 : 16};

	field_text(out, NULL, &f, p + 4, 16);
}

static void lbuf_text(struct buf *out, const uint8_t *p, uint32_t size)
{
	uint32_t n;

	memcpy(&n, p, 4);
	text_escaped(out, p + 4, n < size - 4 ? n : size - 4);
}

void value_text(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len)
{
	const struct meta_type *t = m ? value_type(m, f) : NULL;
	uint64_t v = 0;

	if (!field_inside(f, len))
		return;
	if (f->size == 8)
		memcpy(&v, base + f->off, 8);
	if (f->kind == MK_INET && f->size == 20)
		inet_text(out, base + f->off);
	else if (f->kind == MK_LBUF && f->size >= 4)
		lbuf_text(out, base + f->off, f->size);
	else if (f->kind == MK_TIME && m && f->ref < m->formats.n)
		fmt_time(out, m->formats.v[f->ref].text, time_of_ns(m, v));
	else if (value_is_compound(f) && t && t->kind == f->kind)
		compound_text(out, m, t, f, base, len);
	else if (f->kind >= MK_USERNAME && f->kind <= MK_CGROUP_PATH && !value_name(out, m, f, v))
		buf_printf(out, "%" PRIu64, v);
}

static void compound_json(struct buf *out, const struct meta *m, const struct meta_type *t,
	const struct meta_field *f, const uint8_t *base, size_t len)
{
	bool named = t->kind == MK_STRUCT;

	buf_putc(out, named ? '{' : '[');
	for (uint32_t i = 0; i < parts(t); i++) {
		if (i)
			buf_puts(out, named ? ", " : ",");
		if (named) {
			json_string(out, t->members.v[i].name, strlen(t->members.v[i].name));
			buf_puts(out, ": ");
		}
		one_part(out, m, t, i, f, base, len, field_json);
	}
	buf_putc(out, named ? '}' : ']');
}

void value_json(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len)
{
	const struct meta_type *t = value_type(m, f);
	struct buf text;

	if (value_is_compound(f) && t && t->kind == f->kind && field_inside(f, len)) {
		compound_json(out, m, t, f, base, len);
		return;
	}
	buf_init(&text, out->a);
	value_text(&text, m, f, base, len);
	json_string(out, text.p, text.n);
}

int value_compare(const struct meta *m, const struct meta_field *f, const uint8_t *a,
	const uint8_t *b, size_t len)
{
	const struct meta_type *t = value_type(m, f);

	if (!field_inside(f, len) || !t || t->kind != f->kind)
		return 0;
	for (uint32_t i = 0; i < parts(t); i++) {
		struct meta_field p = part(t, f, i);
		int c = field_compare(m, &p, a, b, len);

		if (c)
			return c;
	}
	return 0;
}
