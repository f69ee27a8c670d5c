/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interpreter's maps. Arrays are one block; hashes, LRU hashes and prefix tries are one table
 * of entries with hash chains and a list in order of age (the LRU's order of eviction).
 * An update puts the value into a new entry and frees the old one, as kernel/bpf/hashtab.c does
 * (per-CPU hashes excepted): a pointer from an earlier lookup keeps seeing the old value.
 */
#include "backend-bpf/interp_int.h"
#include <errno.h>
#include <string.h>

struct entry {
	uint32_t next;	       /* in the chain, or in the list of free entries */
	uint32_t older, newer; /* by age */
};

struct interp_map {
	const struct meta_map *row;
	const struct map_kind *kind;
	uint32_t index; /* of the map: its region is REGION_MAP + index */
	uint32_t count; /* entries in use */
	uint32_t stride;
	/* tables only */
	VEC(struct entry) entries;
	uint8_t *keys;
	uint32_t key_cap, nbuckets;
	uint32_t *buckets;
	uint32_t free, oldest, newest;
	uint32_t lengths[129]; /* prefix tries: entries of each prefix length */
};

struct map_kind {
	uint32_t type;
	bool table, lru, lpm;
	bool in_place; /* an update overwrites */
	void *(*lookup)(struct interp *in, struct interp_map *m, const void *key);
	int (*update)(struct interp *in, struct interp_map *m, const void *key, const void *value,
		uint64_t flags);
	int (*remove)(struct interp_map *m, const void *key);
};

static struct region *map_region(const struct interp *in, const struct interp_map *m)
{
	return &in->state->regions.v[REGION_MAP + m->index];
}

static uint8_t *value_at(const struct interp *in, const struct interp_map *m, uint32_t at)
{
	return map_region(in, m)->p + (size_t)at * m->stride;
}

static const uint8_t *key_at(const struct interp_map *m, uint32_t at)
{
	return m->keys + (size_t)at * m->row->key_size;
}

/* ---- arrays ---- */

static void *array_lookup(struct interp *in, struct interp_map *m, const void *key)
{
	uint32_t at;

	memcpy(&at, key, sizeof(at));
	return at < m->row->max_entries ? value_at(in, m, at) : NULL;
}

static int array_update(
	struct interp *in, struct interp_map *m, const void *key, const void *value, uint64_t flags)
{
	uint8_t *p = array_lookup(in, m, key);

	if (!p)
		return -E2BIG;
	if (flags == BPF_NOEXIST)
		return -EEXIST;
	memmove(p, value, m->row->value_size);
	return 0;
}

static int array_delete(struct interp_map *m, const void *key)
{
	(void)m;
	(void)key;
	return -EINVAL;
}

/* ---- tables: keys ---- */

static uint32_t lpm_len(const void *key)
{
	uint32_t n;

	memcpy(&n, key, sizeof(n));
	return n;
}

static uint32_t lpm_max(const struct interp_map *m)
{
	return (m->row->key_size - 4) * 8;
}

/* Byte i of a prefix of len bits, bits beyond it zero. */
static uint8_t lpm_byte(const uint8_t *data, uint32_t len, uint32_t i)
{
	uint32_t bits = len > i * 8 ? len - i * 8 : 0;

	return bits >= 8 ? data[i] : (uint8_t)(data[i] & ~(0xffu >> bits));
}

static uint32_t hash_byte(uint32_t h, uint8_t b)
{
	return (h ^ b) * 16777619u; /* FNV-1a */
}

/* len: prefix tries, the length to look at instead of the key's own. */
static uint32_t hash_key(const struct interp_map *m, const uint8_t *key, uint32_t len)
{
	uint32_t h = 2166136261u;

	if (!m->kind->lpm) {
		for (uint32_t i = 0; i < m->row->key_size; i++)
			h = hash_byte(h, key[i]);
		return h;
	}
	for (uint32_t i = 0; i < (len + 7) / 8; i++)
		h = hash_byte(h, lpm_byte(key + 4, len, i));
	return hash_byte(h, (uint8_t)len);
}

static bool same_key(const struct interp_map *m, const uint8_t *a, const uint8_t *b, uint32_t len)
{
	if (!m->kind->lpm)
		return !memcmp(a, b, m->row->key_size);
	if (lpm_len(a) != len)
		return false;
	for (uint32_t i = 0; i < (len + 7) / 8; i++) {
		if (lpm_byte(a + 4, len, i) != lpm_byte(b + 4, len, i))
			return false;
	}
	return true;
}

static uint32_t key_len(const struct interp_map *m, const void *key)
{
	return m->kind->lpm ? lpm_len(key) : 0;
}

/* The link with the entry's number: a bucket or an entry's next; it holds NO_ENTRY if none. */
static uint32_t *find_link(struct interp_map *m, const void *key, uint32_t len)
{
	uint32_t *link = &m->buckets[hash_key(m, key, len) & (m->nbuckets - 1)];

	while (*link != NO_ENTRY && !same_key(m, key_at(m, *link), key, len))
		link = &m->entries.v[*link].next;
	return link;
}

/* ---- tables: entries ---- */

static void age_unlink(struct interp_map *m, uint32_t at)
{
	struct entry *e = &m->entries.v[at];

	*(e->older == NO_ENTRY ? &m->oldest : &m->entries.v[e->older].newer) = e->newer;
	*(e->newer == NO_ENTRY ? &m->newest : &m->entries.v[e->newer].older) = e->older;
}

static void age_newest(struct interp_map *m, uint32_t at)
{
	struct entry *e = &m->entries.v[at];

	e->older = m->newest;
	e->newer = NO_ENTRY;
	*(m->newest == NO_ENTRY ? &m->oldest : &m->entries.v[m->newest].newer) = at;
	m->newest = at;
}

static void table_remove(struct interp_map *m, uint32_t *link)
{
	uint32_t at = *link;

	*link = m->entries.v[at].next;
	age_unlink(m, at);
	if (m->kind->lpm)
		m->lengths[lpm_len(key_at(m, at))]--;
	m->entries.v[at].next = m->free;
	m->free = at;
	m->count--;
}

static void rehash(struct interp *in, struct interp_map *m)
{
	m->nbuckets *= 2;
	m->buckets = ARENA_ARRAY(in->a, uint32_t, m->nbuckets);
	memset(m->buckets, 0xff, sizeof(*m->buckets) * m->nbuckets);
	for (uint32_t at = m->oldest; at != NO_ENTRY; at = m->entries.v[at].newer) {
		uint32_t h = hash_key(m, key_at(m, at), key_len(m, key_at(m, at)));
		uint32_t *head = &m->buckets[h & (m->nbuckets - 1)];

		m->entries.v[at].next = *head;
		*head = at;
	}
}

/* Memory for one entry more: addresses stay, since they name entries by number. */
static void table_grow(struct interp *in, struct interp_map *m)
{
	struct region *r = map_region(in, m);

	if (m->entries.n == m->key_cap) {
		uint32_t cap = m->key_cap ? m->key_cap * 2 : 16;

		m->keys = arena_grow(in->a, m->keys, (size_t)m->key_cap * m->row->key_size,
			(size_t)cap * m->row->key_size);
		r->p = arena_grow(
			in->a, r->p, (size_t)m->key_cap * m->stride, (size_t)cap * m->stride);
		m->key_cap = cap;
	}
	vec_push(in->a, &m->entries, (struct entry){.next = m->free});
	m->free = m->entries.n - 1;
	r->count = m->entries.n;
	if (m->entries.n > m->nbuckets)
		rehash(in, m);
}

static void table_insert(
	struct interp *in, struct interp_map *m, const void *key, const void *value)
{
	uint32_t at, *link;

	if (m->free == NO_ENTRY)
		table_grow(in, m);
	link = find_link(m, key, key_len(m, key));
	at = m->free;
	m->free = m->entries.v[at].next;
	m->entries.v[at].next = NO_ENTRY;
	*link = at;
	memcpy(m->keys + (size_t)at * m->row->key_size, key, m->row->key_size);
	memmove(value_at(in, m, at), value, m->row->value_size);
	age_newest(m, at);
	m->count++;
	if (m->kind->lpm)
		m->lengths[lpm_len(key)]++;
}

static uint32_t table_find(struct interp_map *m, const void *key)
{
	uint32_t max, at;

	if (!m->kind->lpm)
		return *find_link(m, key, 0);
	max = lpm_len(key) < lpm_max(m) ? lpm_len(key) : lpm_max(m);
	for (uint32_t len = max + 1; len-- > 0;) {
		if (m->lengths[len] && (at = *find_link(m, key, len)) != NO_ENTRY)
			return at;
	}
	return NO_ENTRY;
}

static void *table_lookup(struct interp *in, struct interp_map *m, const void *key)
{
	uint32_t at = table_find(m, key);

	if (at == NO_ENTRY)
		return NULL;
	if (m->kind->lru) {
		age_unlink(m, at);
		age_newest(m, at);
	}
	return value_at(in, m, at);
}

/* Makes room for a new key: 0, or the kernel's errno for a full map of this kind. */
static int make_room(struct interp_map *m)
{
	if (m->count < m->row->max_entries)
		return 0;
	if (m->kind->lpm)
		return -ENOSPC;
	if (!m->kind->lru)
		return -E2BIG;
	table_remove(m, find_link(m, key_at(m, m->oldest), 0));
	return 0;
}

static int table_update(
	struct interp *in, struct interp_map *m, const void *key, const void *value, uint64_t flags)
{
	uint32_t *link, old;
	int err;

	if (m->kind->lpm && lpm_len(key) > lpm_max(m))
		return -EINVAL;
	link = find_link(m, key, key_len(m, key));
	old = *link;
	if (flags == BPF_NOEXIST && old != NO_ENTRY)
		return -EEXIST;
	if (flags == BPF_EXIST && old == NO_ENTRY)
		return -ENOENT;
	if (old != NO_ENTRY && m->kind->in_place) {
		memmove(value_at(in, m, old), value, m->row->value_size);
		return 0;
	}
	err = old == NO_ENTRY ? make_room(m) : 0;
	if (err)
		return err;
	/* The new entry must not be the old one: grow before the old one is free. */
	if (m->free == NO_ENTRY)
		table_grow(in, m);
	if (old != NO_ENTRY) {
		uint32_t fresh = m->free;

		m->free = m->entries.v[fresh].next;
		table_remove(m, find_link(m, key, key_len(m, key)));
		m->entries.v[fresh].next = m->free;
		m->free = fresh;
	}
	table_insert(in, m, key, value);
	return 0;
}

static int table_delete(struct interp_map *m, const void *key)
{
	uint32_t *link;

	if (m->kind->lpm && lpm_len(key) > lpm_max(m))
		return -EINVAL;
	link = find_link(m, key, key_len(m, key));
	if (*link == NO_ENTRY)
		return -ENOENT;
	table_remove(m, link);
	return 0;
}

/* ---- kinds ---- */

#define ARRAY_FNS .lookup = array_lookup, .update = array_update, .remove = array_delete
#define TABLE_FNS                                                                                  \
	.table = true, .lookup = table_lookup, .update = table_update, .remove = table_delete
static const struct map_kind kinds[] = {
	{BPF_MAP_TYPE_ARRAY, ARRAY_FNS},
	{BPF_MAP_TYPE_PERCPU_ARRAY, ARRAY_FNS},
	{BPF_MAP_TYPE_HASH, TABLE_FNS},
	{BPF_MAP_TYPE_PERCPU_HASH, .in_place = true, TABLE_FNS},
	{BPF_MAP_TYPE_LRU_HASH, .lru = true, TABLE_FNS},
	{BPF_MAP_TYPE_LRU_PERCPU_HASH, .lru = true, .in_place = true, TABLE_FNS},
	{BPF_MAP_TYPE_LPM_TRIE, .lpm = true, TABLE_FNS},
};

static const struct map_kind *kind_of(const struct meta_map *row)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (kinds[k].type == row->type)
			return row->value_size ? &kinds[k] : NULL;
	}
	return NULL; /* ring buffers and what only the kernel can do */
}

static uint8_t window_shift(uint32_t size)
{
	uint8_t shift = 4;

	while (((uint64_t)1 << shift) < 2 * (uint64_t)size)
		shift++;
	return shift;
}

static void init_map(struct interp *in, struct interp_map *m)
{
	struct region *r = map_region(in, m);

	if (!m->kind)
		return;
	m->stride = (m->row->value_size + 7) & ~7u;
	*r = (struct region){.base = ADDR_BASE,
		.elem = m->row->value_size,
		.stride = m->stride,
		.shift = window_shift(m->stride)};
	/* RODATA is read-only to programs, as frozen maps are. */
	r->read_only = m->row->role == MM_RODATA;
	if (!m->kind->table) {
		r->count = m->row->max_entries;
		r->p = arena_alloc(in->a, (size_t)m->stride * r->count);
		if (m->row->init)
			memcpy(r->p, m->row->init, m->row->value_size);
		return;
	}
	m->free = m->oldest = m->newest = NO_ENTRY;
	m->nbuckets = 8;
	rehash(in, m);
}

void maps_init(struct interp *in)
{
	uint32_t n = in->meta ? in->meta->maps.n : 0;

	in->maps = ARENA_ARRAY(in->a, struct interp_map *, n);
	for (uint32_t k = 0; k < n; k++) {
		struct interp_map *m = ARENA_NEW(in->a, struct interp_map);

		m->row = &in->meta->maps.v[k];
		m->kind = kind_of(m->row);
		m->index = k;
		in->maps[k] = m;
		init_map(in, m);
	}
}

struct interp_map *map_by_addr(const struct interp *in, uint64_t addr)
{
	uint64_t n = in->meta ? in->meta->maps.n : 0;
	uint64_t off = addr - mem_addr(in, REGION_MAPREF, 0);

	return off < n ? in->maps[off] : NULL;
}

const struct meta_map *map_row(const struct interp_map *m)
{
	return m->row;
}

uint64_t map_lookup_addr(struct interp *in, struct interp_map *m, const void *key)
{
	const struct region *r = map_region(in, m);
	uint8_t *p = m->kind ? m->kind->lookup(in, m, key) : NULL;

	return p ? mem_addr(in, REGION_MAP + m->index,
			   ((uint64_t)(p - r->p) / m->stride) << r->shift)
		 : 0;
}

int map_update(
	struct interp *in, struct interp_map *m, const void *key, const void *value, uint64_t flags)
{
	if (!m->kind || flags > BPF_EXIST)
		return -EINVAL;
	return m->kind->update(in, m, key, value, flags);
}

int map_delete(struct interp_map *m, const void *key)
{
	return m->kind ? m->kind->remove(m, key) : -EINVAL;
}

int64_t map_keys(struct interp *in, const struct interp_map *m, uint8_t **keys)
{
	uint32_t size = m->row->key_size, n = 0;

	if (!m->kind || m->kind->lpm)
		return -EINVAL;
	if (!m->kind->table) {
		*keys = arena_alloc(in->a, (size_t)m->row->max_entries * size + 1);
		for (uint32_t at = 0; at < m->row->max_entries; at++)
			memcpy(*keys + (size_t)at * size, &at, sizeof(at));
		return m->row->max_entries;
	}
	*keys = arena_alloc(in->a, (size_t)m->count * size + 1);
	for (uint32_t at = m->oldest; at != NO_ENTRY; at = m->entries.v[at].newer)
		memcpy(*keys + (size_t)n++ * size, key_at(m, at), size);
	return n;
}

/* ---- for the caller ---- */

void interp_map_each(const struct interp *in, uint32_t map,
	void (*fn)(void *arg, const void *key, const void *value), void *arg)
{
	const struct interp_map *m = in->maps[map];

	if (!m->kind)
		return;
	if (!m->kind->table) {
		for (uint32_t at = 0; at < m->row->max_entries; at++)
			fn(arg, &at, value_at(in, m, at));
		return;
	}
	for (uint32_t at = m->oldest; at != NO_ENTRY; at = m->entries.v[at].newer)
		fn(arg, key_at(m, at), value_at(in, m, at));
}

void *interp_map_lookup(struct interp *in, uint32_t map, const void *key)
{
	struct interp_map *m = in->maps[map];

	return m->kind ? m->kind->lookup(in, m, key) : NULL;
}

int interp_map_update(
	struct interp *in, uint32_t map, const void *key, const void *value, uint64_t flags)
{
	return map_update(in, in->maps[map], key, value, flags);
}

int interp_map_delete(struct interp *in, uint32_t map, const void *key)
{
	return map_delete(in->maps[map], key);
}
