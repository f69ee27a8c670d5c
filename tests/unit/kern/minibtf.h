/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * BTF from C declarations, for tests: the small kernels of tests/targets are headers there, and
 * this turns them into the .btf files beside them (test_minibtf.c checks that they agree).
 *
 * Understands: typedef, struct, union, enum, enum64 (an enum with 64-bit values), bit-fields,
 * anonymous members, arrays, pointers, function pointers, const, volatile, __user, prototypes
 * (functions), __kfunc before a prototype (its declaration tag), __aligned(n) behind a member.
 * Layout is that of LP64 targets.
 */
#pragma once
#include "base/arena.h"
#include "base/map.h"
#include <ctype.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mb_item { /* member, parameter or enumerator */
	const char *name;
	uint32_t type, off, bits;
	int64_t value;
};

struct mb_type {
	unsigned kind;
	const char *name;
	uint32_t size, align, ref, nelems, encoding;
	bool flag; /* the kind flag */
	VEC(struct mb_item) items;
};

struct mb {
	struct arena *a;
	const char *p; /* rest of the text */
	const char *tok;
	size_t toklen;
	VEC(struct mb_type) types; /* [0] is void */
};

static _Noreturn void mb_fail(struct mb *m, const char *what)
{
	fprintf(stderr, "minibtf: %s at '%.40s'\n", what, m->tok);
	exit(1);
}

/* ---- tokens ---- */

static void mb_next(struct mb *m)
{
	for (;;) {
		m->p += strspn(m->p, " \t\n");
		if (!strncmp(m->p, "/*", 2)) {
			const char *end = strstr(m->p, "*/");

			m->p = end ? end + 2 : m->p + strlen(m->p);
		} else if (!strncmp(m->p, "//", 2)) {
			m->p += strcspn(m->p, "\n");
		} else {
			break;
		}
	}
	m->tok = m->p;
	if (isalnum((unsigned char)*m->p) || *m->p == '_')
		while (isalnum((unsigned char)*m->p) || *m->p == '_')
			m->p++;
	else if (*m->p)
		m->p++;
	m->toklen = (size_t)(m->p - m->tok);
}

static bool mb_is(const struct mb *m, const char *s)
{
	return m->toklen == strlen(s) && !memcmp(m->tok, s, m->toklen);
}

static bool mb_take(struct mb *m, const char *s)
{
	if (!mb_is(m, s))
		return false;
	mb_next(m);
	return true;
}

static void mb_expect(struct mb *m, const char *s)
{
	if (!mb_take(m, s))
		mb_fail(m, arena_printf(m->a, "expected '%s'", s));
}

static const char *mb_ident(struct mb *m)
{
	const char *s;

	if (!isalpha((unsigned char)*m->tok) && *m->tok != '_')
		return "";
	s = arena_strndup(m->a, m->tok, m->toklen);
	mb_next(m);
	return s;
}

static int64_t mb_number(struct mb *m)
{
	bool minus = mb_take(m, "-");
	int64_t v;

	if (!isdigit((unsigned char)*m->tok))
		mb_fail(m, "expected a number");
	v = (int64_t)strtoull(m->tok, NULL, 0);
	mb_next(m);
	return minus ? -v : v;
}

/* ---- types ---- */

static uint32_t mb_new(struct mb *m, unsigned kind, const char *name, uint32_t ref)
{
	vec_push(m->a, &m->types, (struct mb_type){.kind = kind, .name = name, .ref = ref});
	return m->types.n - 1;
}

/* A derived type, each only once. */
static uint32_t mb_derive(struct mb *m, unsigned kind, const char *name, uint32_t ref, uint32_t n)
{
	uint32_t id;

	for (id = 1; id < m->types.n; id++) {
		const struct mb_type *t = &m->types.v[id];

		if (t->kind == kind && t->ref == ref && t->nelems == n && !strcmp(t->name, name))
			return id;
	}
	id = mb_new(m, kind, name, ref);
	m->types.v[id].nelems = n;
	return id;
}

/* struct, union, enum or typedef by name; struct and union may still be incomplete (FWD). */
static uint32_t mb_named(struct mb *m, unsigned kind, const char *name)
{
	for (uint32_t id = 1; id < m->types.n; id++) {
		const struct mb_type *t = &m->types.v[id];
		bool same = t->kind == kind ||
			    (t->kind == BTF_KIND_FWD && t->flag == (kind == BTF_KIND_UNION));

		if (same && name[0] && !strcmp(t->name, name))
			return id;
	}
	return 0;
}

static uint32_t mb_int(struct mb *m, const char *name, uint32_t size, uint32_t encoding)
{
	uint32_t id = mb_named(m, BTF_KIND_INT, name);

	if (!id) {
		id = mb_new(m, BTF_KIND_INT, name, 0);
		m->types.v[id].size = m->types.v[id].align = size;
		m->types.v[id].encoding = encoding;
	}
	return id;
}

static void mb_measure(const struct mb *m, uint32_t id, uint32_t *size, uint32_t *align)
{
	const struct mb_type *t = &m->types.v[id];

	switch (t->kind) {
	case BTF_KIND_PTR:
		*size = *align = 8;
		break;
	case BTF_KIND_ARRAY:
		mb_measure(m, t->ref, size, align);
		*size *= t->nelems;
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_TYPE_TAG:
		mb_measure(m, t->ref, size, align);
		break;
	default:
		*size = t->size;
		*align = t->align ? t->align : 1;
	}
}

static uint32_t mb_base(struct mb *m);
static const char *mb_declarator(struct mb *m, uint32_t *type);

static void mb_members(struct mb *m, uint32_t id)
{
	uint32_t bits = 0, max = 0, align = 1;
	bool is_union = m->types.v[id].kind == BTF_KIND_UNION;

	mb_expect(m, "{");
	while (!mb_take(m, "}")) {
		uint32_t base = mb_base(m);

		do {
			struct mb_item it = {.type = base};
			uint32_t size, al, width;

			it.name = mb_declarator(m, &it.type);
			it.bits = mb_take(m, ":") ? (uint32_t)mb_number(m) : 0;
			mb_measure(m, it.type, &size, &al);
			if (mb_take(m, "__aligned")) {
				mb_expect(m, "(");
				al = (uint32_t)mb_number(m);
				mb_expect(m, ")");
			}
			width = it.bits ? it.bits : size * 8;
			if (is_union)
				bits = 0;
			if (!it.bits || bits % (size * 8) + width > size * 8)
				bits = (bits + al * 8 - 1) / (al * 8) * (al * 8);
			it.off = bits;
			bits += width;
			max = bits > max ? bits : max;
			align = al > align ? al : align;
			m->types.v[id].flag |= it.bits != 0;
			vec_push(m->a, &m->types.v[id].items, it);
		} while (mb_take(m, ","));
		mb_expect(m, ";");
	}
	m->types.v[id].align = align;
	m->types.v[id].size = ((max + 7) / 8 + align - 1) / align * align;
}

static uint32_t mb_struct(struct mb *m, unsigned kind)
{
	const char *name = mb_ident(m);
	uint32_t id = mb_named(m, kind, name);

	if (!id) {
		id = mb_new(m, BTF_KIND_FWD, name, 0);
		m->types.v[id].flag = kind == BTF_KIND_UNION;
	}
	if (mb_is(m, "{")) {
		if (m->types.v[id].kind != BTF_KIND_FWD)
			mb_fail(m, "defined twice");
		m->types.v[id].kind = kind;
		m->types.v[id].flag = false;
		mb_members(m, id);
	}
	return id;
}

static uint32_t mb_enum(struct mb *m, unsigned kind)
{
	const char *name = mb_ident(m);
	uint32_t id = mb_named(m, kind, name);
	int64_t value = 0;

	if (!mb_take(m, "{"))
		return id ? id : (mb_fail(m, "unknown enum"), 0);
	id = mb_new(m, kind, name, 0);
	m->types.v[id].size = m->types.v[id].align = kind == BTF_KIND_ENUM64 ? 8 : 4;
	while (!mb_take(m, "}")) {
		struct mb_item it = {.name = mb_ident(m)};

		if (mb_take(m, "="))
			value = mb_number(m);
		if (value < 0 && kind == BTF_KIND_ENUM)
			m->types.v[id].flag = true;
		it.value = value++;
		vec_push(m->a, &m->types.v[id].items, it);
		mb_take(m, ",");
	}
	return id;
}

/* "unsigned long long int" and the like; 0 when the token starts no such type. */
static uint32_t mb_builtin(struct mb *m)
{
	int longs = 0, shorts = 0;
	bool is_unsigned = false, is_char = false, any = false;

	if (mb_take(m, "bool"))
		return mb_int(m, "_Bool", 1, BTF_INT_BOOL);
	for (;; any = true) {
		if (mb_take(m, "unsigned"))
			is_unsigned = true;
		else if (mb_take(m, "long"))
			longs++;
		else if (mb_take(m, "short"))
			shorts++;
		else if (mb_take(m, "char"))
			is_char = true;
		else if (!mb_take(m, "int") && !mb_take(m, "signed"))
			break;
	}
	if (!any)
		return 0;
	if (is_char)
		return is_unsigned ? mb_int(m, "unsigned char", 1, 0)
				   : mb_int(m, "char", 1, BTF_INT_SIGNED);
	if (shorts)
		return is_unsigned ? mb_int(m, "short unsigned int", 2, 0)
				   : mb_int(m, "short int", 2, BTF_INT_SIGNED);
	if (longs > 1)
		return is_unsigned ? mb_int(m, "long long unsigned int", 8, 0)
				   : mb_int(m, "long long int", 8, BTF_INT_SIGNED);
	if (longs)
		return is_unsigned ? mb_int(m, "long unsigned int", 8, 0)
				   : mb_int(m, "long int", 8, BTF_INT_SIGNED);
	return is_unsigned ? mb_int(m, "unsigned int", 4, 0) : mb_int(m, "int", 4, BTF_INT_SIGNED);
}

/* Type before the declarators: qualifiers and a base type. */
static uint32_t mb_base(struct mb *m)
{
	bool is_const = false, is_volatile = false, is_user = false;
	uint32_t id = 0;

	for (bool have = false;;) {
		if (mb_take(m, "const"))
			is_const = true;
		else if (mb_take(m, "volatile"))
			is_volatile = true;
		else if (mb_take(m, "__user"))
			is_user = true;
		else if (have)
			break;
		else {
			have = true;
			if (mb_take(m, "struct"))
				id = mb_struct(m, BTF_KIND_STRUCT);
			else if (mb_take(m, "union"))
				id = mb_struct(m, BTF_KIND_UNION);
			else if (mb_take(m, "enum"))
				id = mb_enum(m, BTF_KIND_ENUM);
			else if (mb_take(m, "enum64"))
				id = mb_enum(m, BTF_KIND_ENUM64);
			else if (!mb_take(m, "void") && !(id = mb_builtin(m)) &&
				 !(id = mb_named(m, BTF_KIND_TYPEDEF, mb_ident(m))))
				mb_fail(m, "unknown type before this");
		}
	}
	if (is_const)
		id = mb_derive(m, BTF_KIND_CONST, "", id, 0);
	if (is_volatile)
		id = mb_derive(m, BTF_KIND_VOLATILE, "", id, 0);
	if (is_user)
		id = mb_derive(m, BTF_KIND_TYPE_TAG, "user", id, 0);
	return id;
}

static uint32_t mb_params(struct mb *m, uint32_t ret)
{
	uint32_t id = mb_new(m, BTF_KIND_FUNC_PROTO, "", ret);

	if (mb_take(m, ")"))
		return id;
	do {
		struct mb_item it = {.name = "", .type = 0};

		if (mb_is(m, ".")) {
			while (mb_take(m, "."))
				;
		} else {
			it.type = mb_base(m);
			it.name = mb_declarator(m, &it.type);
			if (!it.type && !it.name[0]) /* (void) */
				continue;
		}
		vec_push(m->a, &m->types.v[id].items, it);
	} while (mb_take(m, ","));
	mb_expect(m, ")");
	return id;
}

static uint32_t mb_arrays(struct mb *m, uint32_t type)
{
	uint32_t n = 0;

	if (!mb_take(m, "["))
		return type;
	if (!mb_is(m, "]"))
		n = (uint32_t)mb_number(m);
	mb_expect(m, "]");
	mb_int(m, "int", 4, BTF_INT_SIGNED); /* the index type */
	return mb_derive(m, BTF_KIND_ARRAY, "", mb_arrays(m, type), n);
}

/* Stars, name, brackets, or a function pointer; completes the type and returns the name. */
static const char *mb_declarator(struct mb *m, uint32_t *type)
{
	const char *name;

	while (mb_take(m, "*")) {
		*type = mb_derive(m, BTF_KIND_PTR, "", *type, 0);
		if (mb_take(m, "const"))
			*type = mb_derive(m, BTF_KIND_CONST, "", *type, 0);
	}
	if (mb_take(m, "(")) {
		mb_expect(m, "*");
		name = mb_ident(m);
		mb_expect(m, ")");
		mb_expect(m, "(");
		*type = mb_derive(m, BTF_KIND_PTR, "", mb_params(m, *type), 0);
		return name;
	}
	name = mb_ident(m);
	*type = mb_arrays(m, *type);
	return name;
}

static void mb_declaration(struct mb *m)
{
	bool is_typedef = mb_take(m, "typedef"), is_kfunc = mb_take(m, "__kfunc");
	uint32_t type = mb_base(m);
	const char *name;

	if (mb_take(m, ";"))
		return;
	name = mb_declarator(m, &type);
	if (is_typedef) {
		mb_new(m, BTF_KIND_TYPEDEF, name, type);
	} else {
		uint32_t func;

		mb_expect(m, "(");
		type = mb_params(m, type);
		func = mb_new(m, BTF_KIND_FUNC, name, type);
		if (is_kfunc)
			mb_new(m, BTF_KIND_DECL_TAG, "bpf_kfunc", func);
	}
	mb_expect(m, ";");
}

/* ---- writing ---- */

struct mb_strings {
	struct buf text;
	struct smap seen; /* text -> offset + 1 */
};

static uint32_t mb_string(struct mb_strings *s, const char *text)
{
	uintptr_t at = (uintptr_t)smap_get(&s->seen, text);

	if (!text[0])
		return 0;
	if (!at) {
		at = s->text.n + 1;
		buf_put(&s->text, text, strlen(text) + 1);
		smap_put(&s->seen, text, (void *)at);
	}
	return (uint32_t)at - 1;
}

static void mb_u32(struct buf *out, uint32_t v)
{
	buf_put(out, &v, sizeof(v));
}

static void mb_write_item(
	const struct mb_type *t, const struct mb_item *it, struct buf *out, struct mb_strings *s)
{
	mb_u32(out, mb_string(s, it->name));
	switch (t->kind) {
	case BTF_KIND_ENUM:
		mb_u32(out, (uint32_t)it->value);
		break;
	case BTF_KIND_ENUM64:
		mb_u32(out, (uint32_t)it->value);
		mb_u32(out, (uint32_t)((uint64_t)it->value >> 32));
		break;
	case BTF_KIND_FUNC_PROTO:
		mb_u32(out, it->type);
		break;
	default:
		mb_u32(out, it->type);
		mb_u32(out, t->flag ? it->bits << 24 | it->off : it->off);
	}
}

static void mb_write_type(
	struct mb *m, const struct mb_type *t, struct buf *out, struct mb_strings *s)
{
	bool sized = t->kind == BTF_KIND_INT || t->kind == BTF_KIND_STRUCT ||
		     t->kind == BTF_KIND_UNION || t->kind == BTF_KIND_ENUM ||
		     t->kind == BTF_KIND_ENUM64;
	uint32_t vlen = t->kind == BTF_KIND_FUNC ? 1 /* global */ : t->items.n;

	mb_u32(out, mb_string(s, t->name));
	mb_u32(out, (uint32_t)t->flag << 31 | t->kind << 24 | vlen);
	mb_u32(out, sized ? t->size : t->kind == BTF_KIND_ARRAY ? 0 : t->ref);
	if (t->kind == BTF_KIND_INT)
		mb_u32(out, t->encoding << 24 | t->size * 8);
	if (t->kind == BTF_KIND_DECL_TAG)
		mb_u32(out, 0xffffffff); /* the function itself, no parameter */
	if (t->kind == BTF_KIND_ARRAY) {
		mb_u32(out, t->ref);
		mb_u32(out, mb_named(m, BTF_KIND_INT, "int"));
		mb_u32(out, t->nelems);
	}
	for (uint32_t i = 0; i < t->items.n; i++)
		mb_write_item(t, &t->items.v[i], out, s);
}

/* The BTF of all declarations in the text. Errors in it end the program. */
static inline struct buf minibtf(struct arena *a, const char *text)
{
	struct mb m = {.a = a, .p = text};
	struct btf_header h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h)};
	struct mb_strings s;
	struct buf types, out;

	mb_new(&m, BTF_KIND_UNKN, "", 0);
	mb_next(&m);
	while (m.toklen)
		mb_declaration(&m);
	buf_init(&types, a);
	buf_init(&s.text, a);
	smap_init(&s.seen, a);
	buf_putc(&s.text, 0);
	for (uint32_t id = 1; id < m.types.n; id++)
		mb_write_type(&m, &m.types.v[id], &types, &s);
	h.type_len = h.str_off = (uint32_t)types.n;
	h.str_len = (uint32_t)s.text.n;
	buf_init(&out, a);
	buf_put(&out, &h, sizeof(h));
	buf_put(&out, types.p, types.n);
	buf_put(&out, s.text.p, s.text.n);
	return out;
}
