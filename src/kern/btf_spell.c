/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Types in C syntax. C writes a type around the name it declares: what stands between the base
 * type and the outside ("inner": stars, brackets, parameters) grows while we follow the chain.
 */
#include "kern/btf.h"
#include <string.h>

#define DEPTH_MAX 24
#define PARAM_DEPTH 8 /* functions as parameters of functions: three levels, then "..." */
#define PARAM_MAX 32

static const char *spell(
	const struct kbtf *b, uint32_t id, const char *inner, int depth, struct arena *a);

/* Base type and the rest, with a blank between a word and a star. */
static const char *join(struct arena *a, const char *base, const char *inner)
{
	const char *gap = !inner[0] || inner[0] == '[' ? "" : " ";

	return arena_printf(a, "%s%s%s", base, gap, inner);
}

static bool binds_tighter(const struct kbtf *b, uint32_t id)
{
	unsigned kind = btf_kind_of(kbtf_type(b, id));

	return kind == BTF_KIND_ARRAY || kind == BTF_KIND_FUNC_PROTO;
}

static const char *spell_params(
	const struct kbtf *b, const struct btf_type *t, int depth, struct arena *a)
{
	const struct btf_param *p = (const struct btf_param *)(t + 1);
	struct buf text;

	buf_init(&text, a);
	buf_putc(&text, '(');
	for (unsigned i = 0; i < btf_vlen_of(t) && i < PARAM_MAX; i++) {
		buf_puts(&text, i ? ", " : "");
		if (!p[i].type && !p[i].name_off)
			buf_puts(&text, "...");
		else
			buf_puts(&text, spell(b, p[i].type, "", depth + PARAM_DEPTH, a));
	}
	if (!btf_vlen_of(t))
		buf_puts(&text, "void");
	buf_putc(&text, ')');
	return text.p;
}

/* const and its like: before a base type, behind the star of a pointer. */
static const char *qualified(const struct kbtf *b, const struct btf_type *t, const char *word,
	const char *inner, int depth, struct arena *a)
{
	if (btf_kind_of(kbtf_type(b, t->type)) == BTF_KIND_PTR)
		return spell(b, t->type, join(a, word, inner), depth, a);
	return arena_printf(a, "%s %s", word, spell(b, t->type, inner, depth, a));
}

static const char *tagged(
	const struct kbtf *b, uint32_t id, const char *word, const char *inner, struct arena *a)
{
	const char *name = kbtf_name(b, id);

	return join(a, arena_printf(a, "%s %s", word, name[0] ? name : "{...}"), inner);
}

static const char *spell_base(const struct kbtf *b, uint32_t id, const char *inner, struct arena *a)
{
	const struct btf_type *t = kbtf_type(b, id);
	bool flag = t->info >> 31;

	switch (btf_kind_of(t)) {
	case BTF_KIND_STRUCT:
		return tagged(b, id, "struct", inner, a);
	case BTF_KIND_UNION:
		return tagged(b, id, "union", inner, a);
	case BTF_KIND_FWD:
		return tagged(b, id, flag ? "union" : "struct", inner, a);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return tagged(b, id, "enum", inner, a);
	case BTF_KIND_UNKN:
		return join(a, "void", inner);
	default:
		return join(a, kbtf_name(b, id), inner);
	}
}

static const char *spell(
	const struct kbtf *b, uint32_t id, const char *inner, int depth, struct arena *a)
{
	const struct btf_type *t = kbtf_type(b, id);
	const struct btf_array *array = (const struct btf_array *)(t + 1);

	if (depth > DEPTH_MAX)
		return join(a, "...", inner);
	switch (btf_kind_of(t)) {
	case BTF_KIND_PTR:
		inner = arena_printf(a, binds_tighter(b, t->type) ? "(*%s)" : "*%s", inner);
		return spell(b, t->type, inner, depth + 1, a);
	case BTF_KIND_ARRAY:
		inner = arena_printf(a, "%s[%u]", inner, array->nelems);
		return spell(b, array->type, inner, depth + 1, a);
	case BTF_KIND_FUNC_PROTO:
		inner = arena_printf(a, "%s%s", inner, spell_params(b, t, depth, a));
		return spell(b, t->type, inner, depth + 1, a);
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
		return spell(b, t->type, kbtf_name(b, id), depth + 1, a);
	case BTF_KIND_CONST:
		return qualified(b, t, "const", inner, depth + 1, a);
	case BTF_KIND_VOLATILE:
		return qualified(b, t, "volatile", inner, depth + 1, a);
	case BTF_KIND_RESTRICT:
		return qualified(b, t, "restrict", inner, depth + 1, a);
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_DECL_TAG:
		return spell(b, t->type, inner, depth + 1, a);
	default:
		return spell_base(b, id, inner, a);
	}
}

const char *kbtf_declare(const struct kbtf *b, uint32_t id, const char *name, struct arena *a)
{
	return spell(b, id, name, 0, a);
}

const char *kbtf_spell(const struct kbtf *b, uint32_t id, struct arena *a)
{
	return spell(b, id, "", 0, a);
}
