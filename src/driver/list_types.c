/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Types of the target in C syntax: "struct path", "enum pid_type", with their members. */
#include "base/glob.h"
#include "driver/list.h"
#include <linux/btf.h>
#include <string.h>

#define NESTED_MAX 16 /* structs without a name, arrays in each other; damaged BTF may have no end */

static const struct {
	const char *word;
	unsigned kinds[2];
} words[] = {
	{"struct ", {BTF_KIND_STRUCT, BTF_KIND_STRUCT}},
	{"union ", {BTF_KIND_UNION, BTF_KIND_UNION}},
	{"enum ", {BTF_KIND_ENUM, BTF_KIND_ENUM64}},
};

static void line(struct listing *l, unsigned depth, const char *text)
{
	l->line(arena_printf(&l->s->a, "%*s%s", (int)depth * 4, "", text), l->arg);
}

/* The struct without a name that a member, or an array of it, holds in place; 0 none. */
static uint32_t inner_struct(const struct kbtf *b, uint32_t id)
{
	const struct btf_type *t = kbtf_type(b, kbtf_strip(b, id));

	for (unsigned n = 0; n < NESTED_MAX && btf_kind_of(t) == BTF_KIND_ARRAY; n++) {
		id = ((const struct btf_array *)(t + 1))->type;
		t = kbtf_type(b, kbtf_strip(b, id));
	}
	if (btf_kind_of(t) != BTF_KIND_STRUCT && btf_kind_of(t) != BTF_KIND_UNION)
		return 0;
	return *kbtf_str(b, t->name_off) ? 0 : kbtf_strip(b, id);
}

static void members(struct listing *l, uint32_t id, unsigned depth)
{
	const struct kbtf *b = l->s->target.btf;
	const struct btf_type *t = kbtf_type(b, id);
	const struct btf_member *m = (const struct btf_member *)(t + 1);
	struct arena *a = &l->s->a;

	for (unsigned i = 0; i < btf_vlen_of(t); i++) {
		unsigned bits = t->info >> 31 ? m[i].offset >> 24 : 0;
		const char *text = kbtf_declare(b, m[i].type, kbtf_str(b, m[i].name_off), a), *body;
		uint32_t inner = inner_struct(b, m[i].type);

		if (bits)
			text = arena_printf(a, "%s : %u", text, bits);
		body = inner && depth < NESTED_MAX ? strstr(text, "{...}") : NULL;
		if (!body) {
			line(l, depth, arena_printf(a, "%s;", text));
			continue;
		}
		line(l, depth, arena_printf(a, "%.*s{", (int)(body - text), text));
		members(l, inner, depth + 1);
		line(l, depth, arena_printf(a, "}%s;", body + strlen("{...}")));
	}
}

static void enumerators(struct listing *l, const struct btf_type *t)
{
	const struct kbtf *b = l->s->target.btf;

	for (unsigned i = 0; i < btf_vlen_of(t); i++) {
		int64_t value;
		const char *name = kbtf_enumerator(b, t, i, &value);

		line(l, 1, arena_printf(&l->s->a, "%s = %lld,", name, (long long)value));
	}
}

static void show(struct listing *l, const char *text, uint32_t id)
{
	const struct btf_type *t = kbtf_type(l->s->target.btf, id);
	unsigned kind = btf_kind_of(t);

	l->found++;
	if (!l->fields) {
		line(l, 0, text);
		return;
	}
	line(l, 0, arena_printf(&l->s->a, "%s {", text));
	if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
		members(l, id, 1);
	else
		enumerators(l, t);
	line(l, 0, "};");
}

bool list_types(struct listing *l)
{
	struct kbtf *b = l->s->target.btf;
	unsigned w = 0;

	while (w < 3 && (!l->pattern || strncmp(l->pattern, words[w].word, strlen(words[w].word))))
		w++;
	if (w == 3)
		return false;
	for (uint32_t id = 1; b && id <= kbtf_count(b); id++) {
		unsigned kind = btf_kind_of(kbtf_type(b, id));
		const char *text;

		if (kind != words[w].kinds[0] && kind != words[w].kinds[1])
			continue;
		text = kbtf_name(b, id);
		if (!*text || !name_matches(l->pattern + strlen(words[w].word), text))
			continue;
		show(l, arena_printf(&l->s->a, "%s%s", words[w].word, text), id);
	}
	return true;
}
