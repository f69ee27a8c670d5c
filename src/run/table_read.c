/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads, clears and zeroes the kernel's side of a script map. Programs may change the map
 * meanwhile: batches give every bucket whole (since 5.6); the key-by-key way is for map types
 * without batches and may then meet a key twice, which is noticed.
 */
#include "base/map.h"
#include "run/table.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#define BATCH_FIRST 256

/* A walk over keys: fn gets key and the kernel's value bytes. */
struct walk {
	const struct meta_map *map;
	struct arena *a;
	int fd;
	uint32_t ncpus;
	void (*fn)(void *arg, const void *key, const void *raw);
	void *arg;
};

/* Where a walk by batches stands. */
struct position {
	uint8_t *token, *next; /* the kernel's: a bucket number, or a key */
	size_t size;
	bool started;
};

/* One pass with room for n entries a batch. -ENOSPC: a bucket did not fit, nothing of it was read. */
static int walk_batches(struct walk *w, uint32_t n, struct position *at)
{
	size_t key_size = w->map->key_size, raw = table_raw_size(w->map, w->ncpus);
	uint8_t *keys = arena_alloc(w->a, key_size * n), *values = arena_alloc(w->a, raw * n);
	int err;

	do {
		uint32_t count = n;

		err = bpf_map_lookup_batch(w->fd, at->started ? at->token : NULL, at->next, keys,
			values, &count, NULL);
		if (err && err != -ENOENT)
			return err;
		for (uint32_t i = 0; i < count && i < n; i++)
			w->fn(w->arg, keys + key_size * i, values + raw * i);
		memcpy(at->token, at->next, at->size);
		at->started = true;
	} while (!err);
	return 0;
}

static int walk_keys(struct walk *w)
{
	uint8_t *key = arena_alloc(w->a, w->map->key_size);
	uint8_t *next = arena_alloc(w->a, w->map->key_size);
	uint8_t *raw = arena_alloc(w->a, table_raw_size(w->map, w->ncpus));
	struct smap seen;
	int err;

	smap_init(&seen, w->a);
	err = bpf_map_get_next_key(w->fd, NULL, next);
	for (uint64_t i = 0; !err && i < 2 * (uint64_t)w->map->max_entries; i++) {
		uint32_t known = seen.entries.n;

		memcpy(key, next, w->map->key_size);
		smap_intern(&seen, (char *)key, w->map->key_size);
		if (seen.entries.n > known && !bpf_map_lookup_elem(w->fd, key, raw))
			w->fn(w->arg, key, raw);
		err = bpf_map_get_next_key(w->fd, key, next);
	}
	return err == -ENOENT ? 0 : err;
}

static int walk(struct walk *w)
{
	size_t size = w->map->key_size > 8 ? w->map->key_size : 8;
	struct position at = {arena_alloc(w->a, size), arena_alloc(w->a, size), size, false};
	int err = -ENOSPC;

	if (w->fd < 0)
		return -EBADF;
	for (uint64_t n = BATCH_FIRST; err == -ENOSPC && n <= 1u << 20; n *= 2) {
		err = walk_batches(w, (uint32_t)n, &at);
		if (n > w->map->max_entries)
			break;
	}
	/* Not there before 5.6; kernels since then say ENOTSUPP (524) for types without batches. */
	if (err && !at.started)
		return walk_keys(w);
	return err;
}

static void add_entry(void *arg, const void *key, const void *raw)
{
	table_add(arg, key, raw);
}

int table_read(struct table *t, int fd)
{
	struct walk w = {t->map, t->a, fd, t->ncpus, add_entry, t};
	uint32_t zero = 0;
	void *raw;
	int err;

	if (!t->map->scalar)
		return walk(&w);
	if (fd < 0)
		return -EBADF;
	raw = arena_alloc(t->a, table_raw_size(t->map, t->ncpus));
	err = bpf_map_lookup_elem(fd, &zero, raw);
	if (!err)
		table_add(t, NULL, raw);
	return err;
}

int table_read_entry(struct table *t, int fd, const void *key)
{
	void *raw = arena_alloc(t->a, table_raw_size(t->map, t->ncpus));
	int err = bpf_map_lookup_elem(fd, key, raw);

	if (!err)
		table_add(t, key, raw);
	return err == -ENOENT ? 0 : err;
}

/* Keys are collected first: a walk over a map that loses keys would start again and again. */
struct key_list {
	struct arena *a;
	uint32_t key_size;
	VEC(const void *) keys;
};

static void keep_key(void *arg, const void *key, const void *raw)
{
	struct key_list *l = arg;

	(void)raw;
	vec_push(l->a, &l->keys, arena_strndup(l->a, key, l->key_size));
}

static int each_key(const struct meta_map *map, struct arena *a, int fd, uint32_t ncpus,
	const void *zeroes)
{
	struct key_list l = {.a = a, .key_size = map->key_size};
	struct walk w = {map, a, fd, ncpus, keep_key, &l};
	int err = walk(&w);

	for (uint32_t i = 0; i < l.keys.n; i++) {
		int e = zeroes ? bpf_map_update_elem(fd, l.keys.v[i], zeroes, BPF_EXIST)
			       : bpf_map_delete_elem(fd, l.keys.v[i]);

		if (e && e != -ENOENT && !err)
			err = e;
	}
	return err;
}

int table_clear(const struct meta_map *map, struct arena *a, int fd, uint32_t ncpus)
{
	uint32_t zero = 0;

	if (!map->scalar)
		return each_key(map, a, fd, ncpus, NULL);
	return bpf_map_update_elem(fd, &zero, arena_alloc(a, table_raw_size(map, ncpus)), 0);
}

static bool keeps_flag(const struct meta_map *map)
{
	return map->agg == MA_NONE || map->agg == MA_SUM || meta_agg_buckets(map->agg);
}

int table_zero(const struct meta_map *map, struct arena *a, int fd, uint32_t ncpus)
{
	uint8_t *raw = arena_alloc(a, table_raw_size(map, ncpus));
	uint32_t zero = 0;
	uint64_t yes = 1;

	if (!map->scalar)
		return each_key(map, a, fd, ncpus, raw);
	if (bpf_map_lookup_elem(fd, &zero, raw) || !table_is_set(map, raw, ncpus))
		return 0; /* what does not exist stays so */
	memset(raw, 0, table_raw_size(map, ncpus));
	/*
	 * A zeroed scalar is set, to zero. Where the flag is the count itself it cannot be, and a
	 * least or greatest value starts afresh.
	 */
	if (keeps_flag(map) && map->present_off != META_NONE)
		memcpy(raw + map->present_off, &yes, 8);
	return bpf_map_update_elem(fd, &zero, raw, 0);
}
