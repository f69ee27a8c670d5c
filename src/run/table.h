/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contents of one script map, merged over CPUs and sorted as bpftrace sorts: numbers by value
 * ascending, histograms by their total count, strings by key.
 */
#pragma once
#include "base/meta.h"

struct table_entry {
	const uint8_t *key;   /* map->key_size bytes; NULL for scalars */
	const uint8_t *value; /* map->value_size bytes, CPUs merged */
};

struct table {
	struct arena *a;
	const struct meta *meta;
	const struct meta_map *map;
	uint32_t ncpus; /* values per entry in a per-CPU map */
	VEC(struct table_entry) entries;
};

bool table_per_cpu(const struct meta_map *map);
/* Bytes of one entry's value as the kernel hands it out. */
size_t table_raw_size(const struct meta_map *map, uint32_t ncpus);

void table_init(struct table *t, struct arena *a, const struct meta *meta,
	const struct meta_map *map, uint32_t ncpus);
/* Adds an entry from the kernel's bytes; a scalar that was never set is left out. */
void table_add(struct table *t, const void *key, const void *raw);
/* A value of zeroes, for what zero() has left. Requires: a scalar. */
void table_add_zero(struct table *t);
bool table_is_set(const struct meta_map *map, const void *raw, uint32_t ncpus);
void table_sort(struct table *t);
/* Keeps the n greatest; 0 keeps all. Requires: sorted. */
void table_top(struct table *t, uint64_t n);

/* Word i of a value; 0 past its end. */
uint64_t table_word(const struct meta_map *map, const uint8_t *value, uint32_t i);
/* What a value is sorted by and, unless it is a histogram, printed as. Signed when the map is. */
uint64_t table_number(const struct meta_map *map, const uint8_t *value);
bool table_signed(const struct meta_map *map);

/* Kernel side: read all entries, remove all, set all values to zero. 0 or -errno. */
int table_read(struct table *t, int fd);
int table_read_entry(struct table *t, int fd, const void *key);
int table_clear(const struct meta_map *map, struct arena *a, int fd, uint32_t ncpus);
int table_zero(const struct meta_map *map, struct arena *a, int fd, uint32_t ncpus);
