/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/table.h"
#include "run/field.h"
#include "run/hist.h"
#include "run/series.h"
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

bool table_per_cpu(const struct meta_map *map)
{
	return map->cpus || map->type == BPF_MAP_TYPE_PERCPU_HASH || map->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* Bytes of one value, that of one CPU or of all of them merged. */
static uint32_t value_bytes(const struct meta_map *map)
{
	return map->cpus ? map->value_size / map->cpus : map->value_size;
}

/* The kernel rounds each CPU's value up to 8 bytes, and so do we. */
static size_t stride(const struct meta_map *map)
{
	return (value_bytes(map) + (size_t)7) & ~(size_t)7;
}

static uint32_t cpus_of(const struct meta_map *map, uint32_t ncpus)
{
	return map->cpus ? map->cpus : table_per_cpu(map) ? ncpus : 1;
}

size_t table_raw_size(const struct meta_map *map, uint32_t ncpus)
{
	return table_per_cpu(map) ? stride(map) * cpus_of(map, ncpus) : map->value_size;
}

void table_init(struct table *t, struct arena *a, const struct meta *meta,
	const struct meta_map *map, uint32_t ncpus)
{
	*t = (struct table){.a = a, .meta = meta, .map = map, .ncpus = ncpus ? ncpus : 1};
}

static uint64_t word_at(const uint8_t *p, uint32_t i)
{
	uint64_t v;

	memcpy(&v, p + (size_t)i * 8, 8);
	return v;
}

uint64_t table_word(const struct meta_map *map, const uint8_t *value, uint32_t i)
{
	return i < value_bytes(map) / 8 ? word_at(value, i) : 0;
}

bool table_signed(const struct meta_map *map)
{
	return map->value.kind == MK_INT;
}

/* Whether a is nearer than b to what the map keeps: the least or the greatest. */
static bool better(const struct meta_map *map, uint64_t a, uint64_t b)
{
	bool less = table_signed(map) ? (int64_t)a < (int64_t)b : a < b;

	return map->agg == MA_MIN ? less : !less;
}

/* Joins one CPU's value into the sum so far; layouts are in base/meta.def. */
static void merge(const struct meta_map *map, uint8_t *into, const uint8_t *from)
{
	bool extreme = map->agg == MA_MIN || map->agg == MA_MAX;

	if (map->agg == MA_TSERIES) {
		series_merge(map, into, from);
		return;
	}
	if (map->agg == MA_NONE)
		return; /* a plain value has no meaning of its own per CPU: the first one stands */
	if (extreme && !table_word(map, from, 1))
		return;
	if (extreme && table_word(map, into, 1)) {
		if (better(map, word_at(from, 0), word_at(into, 0)))
			memcpy(into, from, 8);
		return;
	}
	for (uint32_t i = 0; i < value_bytes(map) / 8; i++) {
		uint64_t v = word_at(into, i) + word_at(from, i);

		/* Flags: any CPU's sets it. */
		if (map->agg == MA_SUM && i)
			v = word_at(into, i) | word_at(from, i);
		memcpy(into + (size_t)i * 8, extreme ? from + (size_t)i * 8 : (uint8_t *)&v, 8);
	}
}

/* One CPU's value. Elements of arrays exist from the start: a flag tells whether the script set it. */
static bool is_set(const struct meta_map *map, const uint8_t *value)
{
	uint64_t v;

	if (!map->scalar)
		return true;
	if (map->present_off != META_NONE && map->present_off + (size_t)8 <= value_bytes(map)) {
		memcpy(&v, value + map->present_off, 8);
		/* programs leave it out where a bucket says the same; zero() sets it */
		if (v || !meta_agg_buckets(map->agg))
			return v != 0;
	}
	for (uint32_t i = 0; i < value_bytes(map); i++) {
		if (value[i])
			return true;
	}
	return false;
}

bool table_is_set(const struct meta_map *map, const void *raw, uint32_t ncpus)
{
	for (uint32_t c = 0; c < cpus_of(map, ncpus); c++) {
		if (is_set(map, (const uint8_t *)raw + stride(map) * c))
			return true;
	}
	return false;
}

void table_add(struct table *t, const void *key, const void *raw)
{
	const struct meta_map *map = t->map;
	struct table_entry e = {0};
	uint8_t *value;

	if (!table_is_set(map, raw, t->ncpus))
		return;
	value = arena_alloc(t->a, value_bytes(map));
	memcpy(value, raw, value_bytes(map));
	for (uint32_t c = 1; c < cpus_of(map, t->ncpus); c++)
		merge(map, value, (const uint8_t *)raw + stride(map) * c);
	e.value = value;
	if (!map->scalar && key)
		e.key = (const uint8_t *)arena_strndup(t->a, key, map->key_size);
	vec_push(t->a, &t->entries, e);
}

void table_add_zero(struct table *t)
{
	struct table_entry e = {.value = arena_alloc(t->a, value_bytes(t->map))};

	vec_push(t->a, &t->entries, e);
}

static uint64_t total_count(const struct meta_map *map, const uint8_t *value)
{
	uint32_t n = hist_buckets(map);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += table_word(map, value, i);
	return sum;
}

uint64_t table_number(const struct meta_map *map, const uint8_t *value)
{
	uint64_t total = table_word(map, value, 0), n = table_word(map, value, 1), v;

	switch ((enum meta_agg)map->agg) {
	case MA_NONE:
		return field_number(&map->value, value, map->value_size, &v) ? v : 0;
	case MA_AVG:
	case MA_STATS:
		if (!n)
			return 0;
		if (table_signed(map) && (int64_t)total < 0) /* n is a count: never negative */
			return 0 - (0 - total) / n;
		return total / n;
	case MA_HIST:
	case MA_LHIST:
		return total_count(map, value);
	case MA_TSERIES:
		return series_last(map, value);
	default:
		return total;
	}
}

static int compare_keys(const struct table *t, const struct table_entry *a,
	const struct table_entry *b)
{
	const struct meta_map *map = t->map;

	if (!a->key || !b->key)
		return 0;
	for (uint32_t i = 0; i < map->keys.n; i++) {
		int c = field_compare(t->meta, &map->keys.v[i], a->key, b->key, map->key_size);

		if (c)
			return c;
	}
	return memcmp(a->key, b->key, map->key_size);
}

static int compare(const void *x, const void *y, void *arg)
{
	const struct table *t = arg;
	const struct meta_map *map = t->map;
	const struct table_entry *a = x, *b = y;
	bool hist = meta_agg_buckets(map->agg);
	bool number = map->agg != MA_NONE || field_is_number(&map->value);
	uint64_t u, v;

	if (!number)
		return compare_keys(t, a, b);
	u = table_number(map, a->value);
	v = table_number(map, b->value);
	if (u == v)
		return compare_keys(t, a, b);
	if (!hist && map->agg != MA_COUNT && table_signed(map))
		return (int64_t)u < (int64_t)v ? -1 : 1;
	return u < v ? -1 : 1;
}

void table_sort(struct table *t)
{
	/* Equal values come in key order, so the same contents always print the same. */
	if (t->entries.n > 1)
		qsort_r(t->entries.v, t->entries.n, sizeof(*t->entries.v), compare,
			t);
}

void table_top(struct table *t, uint64_t n)
{
	if (!n || n >= t->entries.n)
		return;
	t->entries.v += t->entries.n - n;
	t->entries.n = (uint32_t)n;
}
