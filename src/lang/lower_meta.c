/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the side table says about a value: its kind, and for compound ones a row of meta.types. */
#include "lang/lower.h"
#include <string.h>

static struct meta_field field_of(uint32_t kind, uint32_t off, uint32_t size, uint32_t ref)
{
	return (struct meta_field){.kind = kind, .off = off, .size = size, .ref = ref};
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_type(const struct meta_type *a, const struct meta_type *b)
{
	if (a->kind != b->kind || a->n != b->n || a->members.n != b->members.n)
		return false;
	for (uint32_t i = 0; i < a->members.n; i++) {
		const struct meta_type_member *x = &a->members.v[i], *y = &b->members.v[i];

		if (!same_text(x->name, y->name) || x->value != y->value ||
			x->field.kind != y->field.kind || x->field.off != y->field.off ||
			x->field.size != y->field.size || x->field.ref != y->field.ref ||
			x->bit_off != y->bit_off || x->bit_size != y->bit_size)
			return false;
	}
	return true;
}

/* 1 + index of the row, which is added if there is none like it. */
static uint32_t add_type(struct lower *L, struct meta_type t)
{
	struct meta *m = L->m->meta;

	for (uint32_t i = 0; i < m->types.n; i++) {
		if (same_type(&m->types.v[i], &t))
			return i + 1;
	}
	vec_push(L->a, &m->types, t);
	return m->types.n;
}

/* ---- types of the kernel ---- */

static void add_enumerator(struct lower *L, struct meta_type *t, const char *name, int64_t value)
{
	struct meta_type_member m = {.name = name, .value = value};

	vec_push(L->a, &t->members, m);
}

static uint32_t enum_type(struct lower *L, uint32_t id)
{
	struct kbtf *btf = L->m->target->btf;
	const struct btf_type *bt = kbtf_type(btf, kbtf_strip(btf, id));
	struct meta_type t = {.kind = MK_ENUM};

	for (unsigned i = 0; i < btf_vlen_of(bt); i++) {
		int64_t value;
		const char *name = kbtf_enumerator(btf, bt, i, &value);

		add_enumerator(L, &t, name, value);
	}
	return add_type(L, t);
}

#define NESTED_MAX 16 /* structs in structs; damaged BTF may have no end */

static struct meta_field btf_field(struct lower *L, uint32_t id, uint32_t off, unsigned depth);

struct members {
	struct lower *L;
	struct meta_type t;
	unsigned depth;
};

static bool add_member(const struct kbtf_member *m, void *arg)
{
	struct members *s = arg;
	struct meta_type_member mb = {.name = m->name};

	mb.field = btf_field(s->L, m->type, m->bit_off / 8, s->depth);
	if (m->bit_size && mb.field.size) {
		mb.field.off = m->bit_off / (8 * mb.field.size) * mb.field.size;
		mb.bit_off = m->bit_off - 8 * mb.field.off;
		mb.bit_size = m->bit_size;
	}
	vec_push(s->L->a, &s->t.members, mb);
	return true;
}

static uint32_t struct_type(struct lower *L, uint32_t id, unsigned depth)
{
	struct members s = {.L = L, .depth = depth + 1, .t = {.kind = MK_STRUCT}};

	lo_one_kernel(L, L->probe ? L->probe->span : NO_SPAN, "a kernel struct as a value");
	kbtf_each_member(L->m->target->btf, id, add_member, &s);
	return add_type(L, s.t);
}

static uint32_t array_type(struct lower *L, uint32_t n, struct meta_field element)
{
	struct meta_type t = {.kind = MK_ARRAY, .n = n};
	struct meta_type_member m = {.field = element};

	vec_push(L->a, &t.members, m);
	return add_type(L, t);
}

static struct meta_field btf_field(struct lower *L, uint32_t id, uint32_t off, unsigned depth)
{
	struct kbtf *btf = L->m->target->btf;
	struct kbtf_info i = kbtf_describe(btf, id), el;
	bool number = i.size == 1 || i.size == 2 || i.size == 4 || i.size == 8;

	if (depth > NESTED_MAX)
		return field_of(MK_BUF, off, 0, 0);
	if (i.class == KBTF_INT && number && i.is_enum)
		return field_of(MK_ENUM, off, i.size, enum_type(L, i.id));
	if (i.class == KBTF_INT && number)
		return field_of(i.is_bool ? MK_BOOL : i.is_signed ? MK_INT : MK_UINT, off, i.size, 0);
	if (i.class == KBTF_PTR)
		return field_of(MK_PTR, off, 8, 0);
	if (i.class == KBTF_STRUCT)
		return field_of(MK_STRUCT, off, i.size, struct_type(L, i.id, depth));
	if (i.class == KBTF_ARRAY) {
		el = kbtf_describe(btf, i.target);
		if (el.class == KBTF_INT && el.is_char)
			return field_of(MK_STR, off, i.nelems, 0);
		return field_of(MK_ARRAY, off, i.size,
			array_type(L, i.nelems, btf_field(L, i.target, 0, depth + 1)));
	}
	return field_of(MK_BUF, off, i.size, 0);
}

/* ---- types of the language ---- */

static uint32_t tuple_type(struct lower *L, const struct lt_tuple *tuple)
{
	struct meta_type t = {.kind = tuple->names ? MK_STRUCT : MK_TUPLE};
	uint32_t off = 0;

	for (uint32_t i = 0; i < tuple->n; i++) {
		struct meta_type_member m = {.field = lo_field(L, &tuple->el[i], off)};

		m.name = tuple->names ? tuple->names[i] : NULL;
		vec_push(L->a, &t.members, m);
		off += lo_room(&tuple->el[i]);
	}
	return add_type(L, t);
}

static struct meta_field array_field(struct lower *L, const struct lt *t, uint32_t off)
{
	struct meta_field el;

	if (t->int_size)
		el = field_of(t->boolean ? MK_BOOL : t->is_signed ? MK_INT : MK_UINT, 0, t->int_size, 0);
	else
		el = btf_field(L, t->btf, 0, 0);
	return field_of(MK_ARRAY, off, t->size, array_type(L, t->nelems, el));
}

/* The format of a strftime() value, as a row of its own. */
static uint32_t time_format(struct lower *L, const char *text)
{
	struct meta *m = L->m->meta;

	for (uint32_t i = 0; i < m->formats.n; i++) {
		if (m->formats.v[i].event == ME_TIME && !strcmp(m->formats.v[i].text, text))
			return i;
	}
	vec_push(m->a, &m->formats, (struct meta_format){.event = ME_TIME, .text = text,
					     .size = sizeof(struct meta_event)});
	return m->formats.n - 1;
}

/* As long as a setting lets it be: when it fills its room, more was probably there. */
static bool may_be_cut(const struct lower *L, const struct lt *t)
{
	const struct config *cfg = &L->s->config;

	return !cfg->no_trailer && (t->size == cfg->max_strlen || t->size == cfg->max_keystr);
}

struct meta_field lo_field(struct lower *L, const struct lt *t, uint32_t off)
{
	switch (t->kind) {
	case LT_STR:
		return field_of(MK_STR, off, t->size, may_be_cut(L, t));
	case LT_INET4:
		return field_of(MK_INET4, off, 4, 0);
	case LT_INET6:
		return field_of(MK_INET6, off, 16, 0);
	case LT_MAC:
		return field_of(MK_MAC, off, 6, 0);
	case LT_PROBE:
		return field_of(MK_PROBE, off, 4, 0);
	case LT_FUNC:
		return field_of(MK_FUNC, off, 4, 0);
	case LT_PTR:
		return field_of(MK_PTR, off, 8, 0);
	case LT_STACK:
		return field_of(t->stack.user ? MK_USTACK : MK_KSTACK, off, 8, lo_stack_row(L, t));
	case LT_TIME:
		return field_of(MK_TIME, off, 8, time_format(L, t->time_fmt));
	case LT_KSYM:
		return field_of(MK_KSYM, off, 8, 0);
	case LT_USYM:
		return field_of(MK_USYM, off, 16, 0);
	case LT_INET:
		return field_of(MK_INET, off, 20, 0);
	case LT_BUF:
		return field_of(MK_LBUF, off, t->size + 4, 0);
	case LT_CODED:
		return field_of(t->coded, off, 8, 0);
	case LT_TUPLE:
		return field_of(t->tuple->names ? MK_STRUCT : MK_TUPLE, off, lo_room(t),
			tuple_type(L, t->tuple));
	case LT_STRUCT:
		return field_of(MK_STRUCT, off, t->size, struct_type(L, t->btf, 0));
	case LT_ARRAY:
		return array_field(L, t, off);
	default:
		break;
	}
	if (t->enum_id)
		return field_of(MK_ENUM, off, 8, enum_type(L, t->enum_id));
	if (t->boolean)
		return field_of(MK_BOOL, off, 8, 0);
	return field_of(t->is_signed || t->size < 8 ? MK_INT : MK_UINT, off, 8, 0);
}
