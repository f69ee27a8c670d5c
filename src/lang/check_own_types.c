/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The script's own types, written as BTF behind the kernel's (split BTF), so that everybody finds
 * them in the same way. Layout as C compilers make it on 64-bit machines.
 */
#include "lang/check.h"
#include <linux/btf.h>
#include <string.h>

struct rec {
	struct buf bytes;
};
struct types {
	struct check *c;
	struct kbtf *base;
	uint32_t first, str_base; /* id and string offset of the first of ours */
	VEC(struct rec) recs;
	struct buf strs;
};

struct layout {
	uint32_t id, size, align;
};

static uint32_t string(struct types *t, const char *s)
{
	uint32_t off = t->str_base + (uint32_t)t->strs.n;

	if (!s || !*s)
		return 0;
	buf_put(&t->strs, s, strlen(s) + 1);
	return off;
}

static uint32_t reserve(struct types *t)
{
	struct rec r = {{0}};

	buf_init(&r.bytes, t->c->a);
	vec_push(t->c->a, &t->recs, r);
	return t->first + t->recs.n - 1;
}

static struct buf *bytes_of(struct types *t, uint32_t id)
{
	return &t->recs.v[id - t->first].bytes;
}

static void head(struct types *t, uint32_t id, const char *name, unsigned kind, uint32_t vlen,
	bool flag, uint32_t size_or_type)
{
	struct btf_type h = {.name_off = string(t, name),
		.info = kind << 24 | (flag ? 1u << 31 : 0) | (vlen & 0xffff), .size = size_or_type};

	buf_put(bytes_of(t, id), &h, sizeof(h));
}

static uint32_t simple(struct types *t, const char *name, unsigned kind, uint32_t size_or_type)
{
	uint32_t id = reserve(t);

	head(t, id, name, kind, 0, false, size_or_type);
	return id;
}

static struct layout integer(struct types *t, const char *name, const struct lt *i)
{
	uint32_t id = simple(t, name, BTF_KIND_INT, i->size);
	uint32_t data = i->size * 8 | (i->is_signed ? BTF_INT_SIGNED << 24 : 0);

	if (!strcmp(name, "bool") || !strcmp(name, "_Bool"))
		data |= BTF_INT_BOOL << 24;
	buf_put(bytes_of(t, id), &data, sizeof(data));
	return (struct layout){id, i->size, i->size};
}

/* ---- what the kernel has ---- */

struct most {
	struct types *t;
	uint32_t align;
	int depth;
};

static uint32_t align_of(struct types *t, uint32_t id, int depth);

static bool more_align(const struct kbtf_member *m, void *arg)
{
	struct most *s = arg;
	uint32_t a = align_of(s->t, m->type, s->depth + 1);

	if (a > s->align)
		s->align = a;
	return true;
}

static uint32_t align_of(struct types *t, uint32_t id, int depth)
{
	struct kbtf_info i = kbtf_describe(t->base, id);
	struct most s = {t, 1, depth};

	if (depth > 16)
		return 1;
	if (i.class == KBTF_ARRAY)
		return align_of(t, i.target, depth + 1);
	if (i.class != KBTF_STRUCT)
		return i.size ? i.size : 1;
	kbtf_each_member(t->base, i.id, more_align, &s);
	return s.align;
}

static struct layout kernels(struct types *t, uint32_t id)
{
	return (struct layout){id, kbtf_size(t->base, id), align_of(t, id, 0)};
}

/* ---- names ---- */

static struct cdef *own(struct types *t, enum cdef_kind kind, const char *name, bool any)
{
	for (uint32_t i = 0; i < t->c->s->cdefs.n; i++) {
		struct cdef *d = t->c->s->cdefs.v[i];

		if (d->name && !strcmp(d->name, name) && (any || d->kind == kind))
			return d;
	}
	return NULL;
}

/* The type that a member's words name; size 0: known by name only. id 0: unknown. */
static struct layout by_name(struct types *t, const char *name)
{
	const char *blank = strchr(name, ' ');
	struct layout none = {0, 0, 1};
	struct cdef *d = NULL;
	struct lt i;
	uint32_t id;

	if (!strcmp(name, "void"))
		return none;
	if (!strncmp(name, "struct ", 7) || !strncmp(name, "union ", 6) ||
		!strncmp(name, "enum ", 5)) {
		d = own(t, name[0] == 's' ? CDEF_STRUCT : name[0] == 'u' ? CDEF_UNION : CDEF_ENUM,
			blank + 1, false);
		id = d ? 0
		     : name[0] == 'e' ? kbtf_find(t->base, BTF_KIND_ENUM, blank + 1)
				      : kbtf_find_struct(t->base, blank + 1);
	} else {
		d = own(t, CDEF_TYPEDEF, name, true);
		id = d ? 0 : kbtf_find(t->base, BTF_KIND_TYPEDEF, name);
		if (!d && !id && lt_int_name(name, &i))
			return integer(t, name, &i);
		if (!d && !id)
			id = kbtf_find_struct(t->base, name);
	}
	if (d)
		return (struct layout){d->id, d->size, d->align ? d->align : 1};
	return id ? kernels(t, id) : none;
}

/* ---- definitions ---- */

static void define(struct types *t, struct cdef *d);

static struct layout member_type(struct types *t, struct cmember *m)
{
	struct layout l;

	if (m->inner) {
		if (!m->inner->id) {
			m->inner->id = reserve(t);
			define(t, m->inner);
		}
		l = (struct layout){m->inner->id, m->inner->size, m->inner->align};
	} else {
		l = by_name(t, m->type);
	}
	for (unsigned i = 0; i < m->stars; i++)
		l = (struct layout){simple(t, NULL, BTF_KIND_PTR, l.id), 8, 8};
	if (!l.size && (!l.id || t->c->btf == NULL || m->inner == NULL))
		c_hint(t->c,
			c_error(t->c, m->span, DIAG_UNKNOWN_NAME, "type '%.80s' is not known here",
				m->type ? m->type : "struct"),
			"define it before it is used, or use a pointer to it");
	for (uint32_t i = m->ndims; i-- > 0;) {
		struct btf_array a = {.type = l.id, .index_type = l.id, .nelems = m->dims[i]};
		uint32_t id = simple(t, NULL, BTF_KIND_ARRAY, 0);

		buf_put(bytes_of(t, id), &a, sizeof(a));
		l = (struct layout){id, l.size * m->dims[i], l.align};
	}
	return l;
}

static uint64_t align_up(uint64_t v, uint64_t to)
{
	return to ? (v + to - 1) / to * to : v;
}

/* Where a member goes, in bits; *end moves behind it. */
static uint64_t place(const struct cdef *d, const struct cmember *m, const struct layout *l,
	uint64_t *end)
{
	uint64_t unit = 8ull * l->size, at = d->kind == CDEF_UNION ? 0 : *end, size = unit;

	if (m->bits > 0) {
		size = (uint64_t)m->bits;
		if (unit && at / unit != (at + size - 1) / unit && !d->packed)
			at = align_up(at, unit);
	} else if (m->bits == 0) {
		at = align_up(at, unit);
		size = 0;
	} else {
		at = align_up(at, d->packed ? 8 : 8ull * l->align);
	}
	if (d->kind != CDEF_UNION || at + size > *end)
		*end = at + size;
	return at;
}

static void define_struct(struct types *t, struct cdef *d)
{
	struct buf list;
	uint64_t end = 0;
	uint32_t n = 0;

	buf_init(&list, t->c->a);
	d->align = 1;
	for (uint32_t i = 0; i < d->members.n; i++) {
		struct cmember *m = &d->members.v[i];
		struct layout l = member_type(t, m);
		uint64_t at = place(d, m, &l, &end);
		struct btf_member b = {.type = l.id,
			.offset = (uint32_t)at | (m->bits > 0 ? (uint32_t)m->bits << 24 : 0)};

		if (at >= 1u << 24) {
			c_error(t->c, m->span, DIAG_TOO_BIG, "a struct of more than 2 megabytes");
			break;
		}
		/* bit-fields without a name align the whole on arm64 alone (AAPCS64, "Bit-fields") */
		if (l.align > d->align && !d->packed &&
			(m->name || m->bits < 0 || t->c->t->arch == KERN_ARM64))
			d->align = l.align;
		if (!m->name && !m->inner)
			continue;
		b.name_off = string(t, m->name);
		buf_put(&list, &b, sizeof(b));
		n++;
	}
	d->size = (uint32_t)(align_up(end, 8ull * d->align) / 8);
	head(t, d->id, d->name, d->kind == CDEF_STRUCT ? BTF_KIND_STRUCT : BTF_KIND_UNION, n, true,
		d->size);
	buf_put(bytes_of(t, d->id), list.p, list.n);
}

static void define_enum(struct types *t, struct cdef *d)
{
	bool is_signed = false;

	for (uint32_t i = 0; i < d->values.n; i++)
		is_signed |= d->values.v[i] < 0;
	d->size = d->align = 4;
	head(t, d->id, d->name, BTF_KIND_ENUM, d->names.n, is_signed, 4);
	for (uint32_t i = 0; i < d->names.n; i++) {
		int64_t v = d->values.v[i];

		if (v < INT32_MIN || v > (is_signed ? INT32_MAX : UINT32_MAX))
			c_error(t->c, d->span, DIAG_CONST_RANGE, "'%.60s' does not fit the 32 bits of an enum",
				d->names.v[i]);
	}
	for (uint32_t i = 0; i < d->names.n; i++) {
		struct btf_enum e = {string(t, d->names.v[i]), (int32_t)d->values.v[i]};

		buf_put(bytes_of(t, d->id), &e, sizeof(e));
	}
}

static void define(struct types *t, struct cdef *d)
{
	struct layout l;

	switch (d->kind) {
	case CDEF_STRUCT:
	case CDEF_UNION:
		define_struct(t, d);
		break;
	case CDEF_ENUM:
		define_enum(t, d);
		break;
	case CDEF_TYPEDEF:
		l = member_type(t, &d->members.v[0]);
		d->size = l.size;
		d->align = l.align;
		head(t, d->id, d->name, BTF_KIND_TYPEDEF, 0, false, l.id);
		break;
	}
}

/* BTF without types: what the script's follow where the kernel has none. */
static struct kbtf *empty(struct check *c)
{
	struct btf_header *h = arena_alloc(c->t->a, sizeof(*h) + 1);

	*h = (struct btf_header){.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(*h),
		.str_len = 1};
	return kbtf_from_bytes(c->t->a, h, sizeof(*h) + 1, NULL);
}

static void defined_twice(struct check *c)
{
	struct smap seen;

	smap_init(&seen, c->a);
	for (uint32_t i = 0; i < c->s->cdefs.n; i++) {
		struct cdef *d = c->s->cdefs.v[i], *first;

		if (!d->name || d->kind == CDEF_TYPEDEF)
			continue;
		first = smap_get(&seen, d->name);
		if (first)
			diag_also(c->d, c_error(c, d->span, DIAG_DUPLICATE, "type '%.60s' is defined twice", d->name),
				first->span, "first here");
		else
			smap_put(&seen, d->name, d);
	}
}

void check_own_types(struct check *c)
{
	struct types *t = ARENA_NEW(c->a, struct types);
	struct btf_header h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h)};
	struct buf out;
	struct kbtf *all;
	uint8_t *keep;

	if (!c->s->cdefs.n)
		return;
	defined_twice(c);
	*t = (struct types){.c = c, .base = c->btf ? c->btf : empty(c)};
	t->first = kbtf_count(t->base) + 1;
	t->str_base = kbtf_str_end(t->base);
	buf_init(&t->strs, c->a);
	buf_putc(&t->strs, 0); /* offset 0 of ours is never used: 0 means no name */
	for (uint32_t i = 0; i < c->s->cdefs.n; i++)
		c->s->cdefs.v[i]->id = reserve(t);
	for (uint32_t i = 0; i < c->s->cdefs.n; i++)
		define(t, c->s->cdefs.v[i]);
	for (uint32_t i = 0; i < t->recs.n; i++)
		h.type_len += (uint32_t)t->recs.v[i].bytes.n;
	h.str_off = h.type_len;
	h.str_len = (uint32_t)t->strs.n;
	buf_init(&out, c->a);
	buf_put(&out, &h, sizeof(h));
	for (uint32_t i = 0; i < t->recs.n; i++)
		buf_put(&out, t->recs.v[i].bytes.p, t->recs.v[i].bytes.n);
	buf_put(&out, t->strs.p, t->strs.n);
	keep = arena_alloc(c->t->a, out.n); /* the target keeps it */
	memcpy(keep, out.p, out.n);
	all = kbtf_split(c->t->a, t->base, keep, out.n, NULL);
	if (all)
		c->btf = c->t->btf = all;
}
