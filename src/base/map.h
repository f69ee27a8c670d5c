/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* String-keyed hash map and string interning, on an arena. Iteration is in insertion order. */
#pragma once
#include "base/arena.h"

struct smap_entry {
	const char *key;
	uint32_t len;
	uint32_t hash;
	void *value;
};

struct smap {
	struct arena *a;
	VEC(struct smap_entry) entries; /* insertion order */
	uint32_t *slots;		/* index + 1 into entries, 0 empty */
	uint32_t nslots;
};

void smap_init(struct smap *m, struct arena *a);
void *smap_get(const struct smap *m, const char *key);
void *smap_getn(const struct smap *m, const char *key, size_t len);
/* Sets the value for key (copied into the arena); replaces an older value. */
void smap_put(struct smap *m, const char *key, void *value);
/* The one copy of this text in m: equal texts give equal pointers. */
const char *smap_intern(struct smap *m, const char *s, size_t len);
