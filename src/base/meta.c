/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/meta.h"
#include <string.h>

#define TEXTS(fn, type, count, macro)                                                              \
	const char *fn(enum type k)                                                                \
	{                                                                                          \
		return (unsigned)k < (unsigned)(count) ? macro[k] : "?";                           \
	}

static const char *const kind_text[] = {
#define MK(id, text) text,
#include "base/meta.def"
};
static const char *const agg_text[] = {
#define MA(id, text) text,
#include "base/meta.def"
};
static const char *const event_text[] = {
#define ME(id, text) text,
#include "base/meta.def"
};
static const char *const role_text[] = {
#define MM(id, text) text,
#include "base/meta.def"
};
TEXTS(meta_kind_text, meta_kind, MK_COUNT, kind_text)
TEXTS(meta_agg_text, meta_agg, MA_COUNT_, agg_text)
TEXTS(meta_event_text, meta_event_type, ME_COUNT, event_text)
TEXTS(meta_role_text, meta_map_role, MM_COUNT, role_text)

void meta_init(struct meta *m, struct arena *a)
{
	*m = (struct meta){.a = a};
}

uint32_t meta_add_counter(struct meta *m, enum meta_counter_kind kind, uint32_t ref)
{
	for (uint32_t i = 0; i < m->counters.n; i++) {
		if (m->counters.v[i].kind == kind && m->counters.v[i].ref == ref)
			return i;
	}
	vec_push(m->a, &m->counters, (struct meta_counter){.kind = kind, .ref = ref});
	return m->counters.n - 1;
}

uint32_t meta_hist_words(uint32_t bits)
{
	return 1 + ((65 - bits) << bits);
}

uint64_t meta_lhist_steps(int64_t min, int64_t max, int64_t step)
{
	return ((uint64_t)max - (uint64_t)min) / (uint64_t)step;
}

bool meta_agg_buckets(uint32_t agg)
{
	return agg == MA_HIST || agg == MA_LHIST || agg == MA_TSERIES;
}

uint32_t meta_find_map(const struct meta *m, const char *name)
{
	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (m->maps.v[i].role == MM_USER && !strcmp(m->maps.v[i].name, name))
			return i;
	}
	return META_NONE;
}

uint32_t meta_role_map(const struct meta *m, enum meta_map_role role)
{
	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (m->maps.v[i].role == role)
			return i;
	}
	return META_NONE;
}

/*
 * One description of the serialised form serves both directions: every visit function either
 * writes its field or reads it, so writer and reader cannot drift apart.
 */
struct codec {
	struct buf *out; /* writing when not NULL */
	struct arena *a;
	const uint8_t *p, *end;
	const char *why;
};

static void fail(struct codec *c, const char *why)
{
	if (!c->why)
		c->why = why;
	c->p = c->end;
}

static void visit_u64(struct codec *c, uint64_t *v)
{
	uint8_t b[8];

	if (c->out) {
		for (int i = 0; i < 8; i++)
			b[i] = (uint8_t)(*v >> (8 * i));
		buf_put(c->out, b, 8);
		return;
	}
	*v = 0;
	if (c->end - c->p < 8) {
		fail(c, "it ends too early");
		return;
	}
	for (int i = 0; i < 8; i++)
		*v |= (uint64_t)c->p[i] << (8 * i);
	c->p += 8;
}

static void visit_u32(struct codec *c, uint32_t *v)
{
	uint64_t w = *v;

	visit_u64(c, &w);
	if (w > UINT32_MAX)
		fail(c, "a number is too large");
	*v = (uint32_t)w;
}

static void visit_i64(struct codec *c, int64_t *v)
{
	uint64_t w = (uint64_t)*v;

	visit_u64(c, &w);
	*v = (int64_t)w;
}

static void visit_bool(struct codec *c, bool *v)
{
	uint32_t w = *v;

	visit_u32(c, &w);
	if (w > 1)
		fail(c, "a flag is neither 0 nor 1");
	*v = w == 1;
}

static void visit_bytes(struct codec *c, const uint8_t **v, uint32_t *n)
{
	visit_u32(c, n);
	if (c->out) {
		buf_put(c->out, *v, *n);
		return;
	}
	if ((size_t)(c->end - c->p) < *n) {
		fail(c, "a string runs past the end");
		*n = 0;
	}
	*v = (const uint8_t *)arena_strndup(c->a, (const char *)c->p, *n);
	c->p += *n;
}

/* NULL and "" are told apart by storing length + 1. */
static void visit_str(struct codec *c, const char **v)
{
	uint32_t n = c->out && *v ? (uint32_t)strlen(*v) + 1 : 0;
	const uint8_t *p = (const uint8_t *)*v;

	visit_u32(c, &n);
	if (c->out) {
		if (n)
			buf_put(c->out, p, n - 1);
		return;
	}
	*v = NULL;
	if (!n)
		return;
	if ((size_t)(c->end - c->p) < n - 1 || memchr(c->p, 0, n - 1)) {
		fail(c, "a string is damaged");
		*v = "";
		return;
	}
	*v = arena_strndup(c->a, (const char *)c->p, n - 1);
	c->p += n - 1;
}

/* A string that must be there. */
static void visit_name(struct codec *c, const char **v)
{
	visit_str(c, v);
	if (!*v) {
		*v = "";
		fail(c, "a name is missing");
	}
}

/* Rows take at least 8 bytes each, which bounds what a damaged count can make us allocate. */
static uint32_t visit_count(struct codec *c, uint32_t n)
{
	visit_u32(c, &n);
	if (!c->out && n > (size_t)(c->end - c->p) / 8) {
		fail(c, "a table is longer than the file");
		n = 0;
	}
	return n;
}

/* rows is a VEC of rows of that size. */
static void visit_rows(struct codec *c, void *rows, size_t size, void (*one)(struct codec *, void *))
{
	VEC(char) any;
	uint32_t n;

	memcpy(&any, rows, sizeof(any));
	n = visit_count(c, any.n);
	if (!c->out) {
		vec_grow(c->a, rows, n, size);
		memcpy(&any, rows, sizeof(any));
		any.n = n;
		memcpy(rows, &any, sizeof(any));
	}
	for (uint32_t i = 0; i < n; i++)
		one(c, any.v + i * size);
}
#define VISIT_VEC(c, vec, one) visit_rows((c), (vec), sizeof(*(vec)->v), one)

static void check_below(struct codec *c, uint32_t v, uint32_t limit, const char *why)
{
	if (v >= limit)
		fail(c, why);
}

static void visit_field(struct codec *c, void *row)
{
	struct meta_field *f = row;

	visit_u32(c, &f->kind);
	visit_u32(c, &f->off);
	visit_u32(c, &f->size);
	visit_u32(c, &f->ref);
	check_below(c, f->kind, MK_COUNT, "a field has an unknown kind");
}

static void visit_type_member(struct codec *c, void *row)
{
	struct meta_type_member *m = row;

	visit_str(c, &m->name);
	visit_i64(c, &m->value);
	visit_field(c, &m->field);
	visit_u32(c, &m->bit_off);
	visit_u32(c, &m->bit_size);
}

static void visit_type(struct codec *c, void *row)
{
	struct meta_type *t = row;

	visit_u32(c, &t->kind);
	visit_u32(c, &t->n);
	VISIT_VEC(c, &t->members, visit_type_member);
	check_below(c, t->kind, MK_COUNT, "a type has an unknown kind");
}

static void visit_name_row(struct codec *c, void *row)
{
	visit_name(c, row);
}

static void visit_map(struct codec *c, void *row)
{
	struct meta_map *m = row;
	uint32_t init = m->init ? m->value_size : 0;

	visit_name(c, &m->name);
	visit_name(c, &m->kname);
	visit_u32(c, &m->role);
	visit_u32(c, &m->type);
	visit_u32(c, &m->key_size);
	visit_u32(c, &m->value_size);
	visit_u32(c, &m->max_entries);
	visit_u32(c, &m->flags);
	visit_u32(c, &m->cpus);
	visit_u32(c, &m->agg);
	visit_bool(c, &m->scalar);
	visit_u32(c, &m->present_off);
	visit_field(c, &m->value);
	visit_i64(c, &m->lhist_min);
	visit_i64(c, &m->lhist_max);
	visit_i64(c, &m->lhist_step);
	visit_u32(c, &m->hist_bits);
	VISIT_VEC(c, &m->keys, visit_field);
	visit_bytes(c, &m->init, &init);
	VISIT_VEC(c, &m->names, visit_name_row);
	if (!init)
		m->init = NULL;
	else if (init != m->value_size)
		fail(c, "initial data has the wrong size");
	check_below(c, m->role, MM_COUNT, "a map has an unknown role");
	check_below(c, m->agg, MA_COUNT_, "a map has an unknown aggregation");
}

static void visit_format(struct codec *c, void *row)
{
	struct meta_format *f = row;

	visit_u32(c, &f->event);
	visit_name(c, &f->text);
	visit_u32(c, &f->size);
	VISIT_VEC(c, &f->args, visit_field);
	check_below(c, f->event, ME_COUNT, "a format has an unknown event");
}

static void visit_counter(struct codec *c, void *row)
{
	struct meta_counter *k = row;

	visit_u32(c, &k->kind);
	visit_u32(c, &k->ref);
	visit_u32(c, &k->off);
	visit_u32(c, &k->len);
	check_below(c, k->kind, MC_COUNT, "a counter has an unknown kind");
}

static void visit_rule(struct codec *c, void *row)
{
	struct meta_rule *r = row;

	visit_name(c, &r->text);
	visit_u32(c, &r->prog);
	visit_u32(c, &r->off);
	visit_u32(c, &r->len);
}

static void visit_prog(struct codec *c, void *row)
{
	struct meta_prog *p = row;

	visit_name(c, &p->name);
	visit_name(c, &p->section);
	visit_u32(c, &p->type);
	visit_u32(c, &p->attach_type);
	visit_u32(c, &p->flags);
	visit_u32(c, &p->ops);
	visit_u32(c, &p->member);
}

static void visit_probe(struct codec *c, void *row)
{
	struct meta_probe *p = row;

	visit_name(c, &p->name);
	visit_name(c, &p->kind);
	for (int i = 0; i < 3; i++)
		visit_name(c, &p->arg[i]);
	visit_str(c, &p->func);
	visit_u32(c, &p->func_id);
	visit_u64(c, &p->num[0]);
	visit_u64(c, &p->num[1]);
	visit_u32(c, &p->flags);
	visit_u32(c, &p->prog);
	visit_u32(c, &p->off);
	visit_u32(c, &p->len);
}

static void visit_member(struct codec *c, void *row)
{
	struct meta_ops_member *m = row;

	visit_name(c, &m->name);
	visit_u32(c, &m->prog);
	visit_u64(c, &m->value);
	visit_str(c, &m->text);
}

static void visit_ops(struct codec *c, void *row)
{
	struct meta_ops *o = row;

	visit_name(c, &o->type);
	visit_name(c, &o->name);
	visit_u32(c, &o->map);
	VISIT_VEC(c, &o->members, visit_member);
}

static void visit_source(struct codec *c, void *row)
{
	struct meta_source *s = row;

	visit_name(c, &s->name);
	visit_name(c, &s->text);
	visit_u32(c, &s->base);
}

static void visit_stack(struct codec *c, void *row)
{
	struct meta_stack *s = row;

	visit_u32(c, &s->mode);
	visit_u32(c, &s->limit);
	visit_u32(c, &s->table);
	visit_u32(c, &s->spill);
	check_below(c, s->mode, META_STACK_MODES, "a stack has an unknown mode");
}

static void visit_fixup(struct codec *c, void *row)
{
	struct meta_fixup *f = row;

	visit_u32(c, &f->prog);
	visit_u32(c, &f->insn);
	visit_name(c, &f->category);
	visit_name(c, &f->event);
	visit_name(c, &f->field);
	visit_u32(c, &f->off);
	visit_u32(c, &f->size);
}

static void visit_meta(struct codec *c, struct meta *m)
{
	visit_u32(c, &m->target_arch);
	visit_u64(c, &m->needs);
	visit_u32(c, &m->helper);
	visit_bool(c, &m->portable);
	visit_bool(c, &m->exits_itself);
	visit_bool(c, &m->silent_maps);
	visit_u32(c, &m->cat_bytes);
	VISIT_VEC(c, &m->types, visit_type);
	VISIT_VEC(c, &m->maps, visit_map);
	VISIT_VEC(c, &m->formats, visit_format);
	VISIT_VEC(c, &m->counters, visit_counter);
	VISIT_VEC(c, &m->rules, visit_rule);
	VISIT_VEC(c, &m->progs, visit_prog);
	VISIT_VEC(c, &m->probes, visit_probe);
	VISIT_VEC(c, &m->ops, visit_ops);
	VISIT_VEC(c, &m->sources, visit_source);
	VISIT_VEC(c, &m->fixups, visit_fixup);
	VISIT_VEC(c, &m->stacks, visit_stack);
}

void meta_write(const struct meta *m, struct buf *out)
{
	struct codec c = {.out = out, .a = m->a};
	uint32_t magic = META_MAGIC, version = META_VERSION;
	struct meta copy = *m; /* visit functions take writable rows, but only read when writing */

	visit_u32(&c, &magic);
	visit_u32(&c, &version);
	visit_str(&c, &copy.maker);
	visit_str(&c, &copy.target);
	visit_meta(&c, &copy);
}

/* The runtime reads their values into a buffer of limit frames. */
static bool stack_maps_ok(const struct meta_map *table, const struct meta_map *spill, uint32_t limit)
{
	enum { HASH = 1, STACK_TRACE = 7 }; /* BPF_MAP_TYPE_ */

	return table->role == MM_STACKS && table->type == STACK_TRACE &&
	       table->value_size == 8 * limit && spill->role == MM_STACK_SPILL &&
	       spill->type == HASH && spill->value_size == 8 + 8 * limit && spill->key_size == 8;
}

/* Indices of a table read from a file must point into the tables. */
static bool refs_ok(const struct meta *m)
{
	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (m->probes.v[i].prog >= m->progs.n || m->probes.v[i].func_id >= m->probes.n)
			return false;
	}
	for (uint32_t i = 0; i < m->fixups.n; i++) {
		if (m->fixups.v[i].prog >= m->progs.n)
			return false;
	}
	for (uint32_t i = 0; i < m->progs.n; i++) {
		const struct meta_prog *p = &m->progs.v[i];

		if (p->ops != META_NONE && (p->ops >= m->ops.n ||
						p->member >= m->ops.v[p->ops].members.n))
			return false;
	}
	for (uint32_t i = 0; i < m->ops.n; i++) {
		const struct meta_ops *o = &m->ops.v[i];

		if (o->map >= m->maps.n)
			return false;
		for (uint32_t k = 0; k < o->members.n; k++) {
			if (o->members.v[k].prog != META_NONE &&
				o->members.v[k].prog >= m->progs.n)
				return false;
		}
	}
	for (uint32_t i = 0; i < m->stacks.n; i++) {
		const struct meta_stack *s = &m->stacks.v[i];

		if (s->table >= m->maps.n || s->spill >= m->maps.n || s->limit > META_MAX_FRAMES ||
			!stack_maps_ok(&m->maps.v[s->table], &m->maps.v[s->spill], s->limit))
			return false;
	}
	return true;
}

/* Kinds whose fields are described by a row of meta.types. */
static bool has_type(uint32_t kind)
{
	return kind == MK_TUPLE || kind == MK_STRUCT || kind == MK_ARRAY || kind == MK_ENUM;
}

/* ntypes: rows of meta.types that the field may refer to. */
static bool field_ok(const struct meta *m, const struct meta_field *f, uint32_t room, uint32_t ntypes)
{
	static const uint8_t fixed[MK_COUNT] = {[MK_INET4] = 4, [MK_INET6] = 16, [MK_MAC] = 6,
		[MK_PROBE] = 4, [MK_INET] = 20, [MK_USERNAME] = 8,
		[MK_STRERROR] = 8, [MK_SYSCALL] = 8, [MK_SIGNAL] = 8,
		[MK_KSTACK] = 8, [MK_USTACK] = 8, [MK_KSYM] = 8, [MK_USYM] = 16, [MK_TIME] = 8,
		[MK_FUNC] = 4, [MK_CGROUP_PATH] = 8};
	bool number = f->kind == MK_INT || f->kind == MK_UINT || f->kind == MK_PTR ||
		      f->kind == MK_BOOL || f->kind == MK_ENUM;

	if (f->kind == MK_NONE)
		return true;
	if (number && f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8)
		return false;
	if (fixed[f->kind] && f->size != fixed[f->kind])
		return false;
	if (f->kind == MK_LBUF && f->size < 4)
		return false;
	if (has_type(f->kind) &&
		(!f->ref || f->ref > ntypes || m->types.v[f->ref - 1].kind != f->kind))
		return false;
	return f->off <= room && f->size <= room - f->off;
}

/* Members lie within what has the type; how much that is, its users say. */
static bool type_ok(const struct meta *m, uint32_t index)
{
	const struct meta_type *t = &m->types.v[index];

	if (t->kind == MK_ARRAY && (t->members.n != 1 || t->n > 1u << 20))
		return false;
	for (uint32_t i = 0; i < t->members.n; i++) {
		const struct meta_type_member *mb = &t->members.v[i];

		if (t->kind == MK_ENUM ? !mb->name : !field_ok(m, &mb->field, 1u << 20, index))
			return false;
		if (t->kind == MK_STRUCT && (!mb->name || mb->bit_off > 63 || mb->bit_size > 64 - mb->bit_off))
			return false;
	}
	return true;
}

/* The runtime trusts sizes from here on, so every field must lie inside its key, value or record. */
static bool map_ok(const struct meta *all, const struct meta_map *m)
{
	uint32_t size = m->cpus ? m->value_size / m->cpus : m->value_size; /* of one CPU */
	uint64_t words = size / 8, need = 1;

	if (m->role == MM_SET)
		return m->names.n == 1 && m->keys.n == 1 &&
		       field_ok(all, &m->keys.v[0], m->key_size, all->types.n);
	if (m->role == MM_IFINDEX)
		return m->value_size / 4 >= m->names.n;
	if (m->role == MM_KADDR)
		return m->value_size / 8 >= m->names.n;
	if (m->role == MM_RULES)
		return m->value_size >= 16;
	if (m->cpus && m->value_size % (8ull * m->cpus))
		return false;
	if (m->role != MM_USER)
		return true;
	if (m->value_size > 1u << 20 || m->key_size > 1u << 16 || m->keys.n > META_MAX_KEYS)
		return false;
	for (uint32_t i = 0; i < m->keys.n; i++) {
		if (!field_ok(all, &m->keys.v[i], m->key_size, all->types.n))
			return false;
	}
	if (m->present_off != META_NONE &&
		(m->present_off > size || size - m->present_off < 8))
		return false;
	if (m->agg == MA_NONE)
		return field_ok(all, &m->value, m->value_size, all->types.n);
	if (m->agg == MA_HIST && m->hist_bits > META_HIST_BITS_MAX)
		return false;
	if (m->agg == MA_HIST)
		need = meta_hist_words(m->hist_bits);
	else if (m->agg != MA_COUNT)
		need = 2;
	if (m->agg == MA_LHIST) {
		if (m->lhist_step <= 0 || m->lhist_max <= m->lhist_min)
			return false;
		need = ((uint64_t)m->lhist_max - (uint64_t)m->lhist_min) / (uint64_t)m->lhist_step + 2;
	}
	if (m->agg == MA_TSERIES) {
		if (m->lhist_step <= 0 || m->lhist_max <= 0 || m->lhist_max > META_SERIES_MOST)
			return false;
		need = META_SERIES_WORDS * (uint64_t)m->lhist_max;
	}
	return words >= need;
}

static bool sizes_ok(const struct meta *m)
{
	for (uint32_t i = 0; i < m->types.n; i++) {
		if (!type_ok(m, i))
			return false;
	}
	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (!map_ok(m, &m->maps.v[i]))
			return false;
	}
	for (uint32_t i = 0; i < m->formats.n; i++) {
		const struct meta_format *f = &m->formats.v[i];

		if (f->size < sizeof(struct meta_event))
			return false;
		for (uint32_t k = 0; k < f->args.n; k++) {
			if (!field_ok(m, &f->args.v[k], f->size, m->types.n))
				return false;
		}
	}
	return true;
}

bool meta_read(struct meta *m, struct arena *a, const void *bytes, size_t size, const char **why)
{
	struct codec c = {.a = a, .p = bytes, .end = (const uint8_t *)bytes + size};
	uint32_t magic = 0, version = 0;

	meta_init(m, a);
	visit_u32(&c, &magic);
	visit_u32(&c, &version);
	if (!c.why && magic != META_MAGIC)
		fail(&c, "it was not made by skep");
	visit_str(&c, &m->maker); /* here in every version */
	visit_str(&c, &m->target);
	if (!c.why && version != META_VERSION)
		fail(&c, arena_printf(a, "%.64s made it, whose objects have version %u; this skep reads %u",
				   m->maker && *m->maker ? m->maker : "another skep", version, META_VERSION));
	visit_meta(&c, m);
	if (!c.why && c.p != c.end)
		fail(&c, "bytes follow its end");
	if (!c.why && !refs_ok(m))
		fail(&c, "an index points outside its table");
	if (!c.why && !sizes_ok(m))
		fail(&c, "a field lies outside its data");
	*why = c.why;
	return !c.why;
}
