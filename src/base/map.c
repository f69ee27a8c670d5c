/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/map.h"
#include <string.h>

void smap_init(struct smap *m, struct arena *a)
{
	*m = (struct smap){.a = a};
}

static uint32_t hash_bytes(const char *s, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

static struct smap_entry *find(const struct smap *m, const char *key, size_t len, uint32_t hash)
{
	if (!m->nslots)
		return NULL;
	for (uint32_t i = hash & (m->nslots - 1);; i = (i + 1) & (m->nslots - 1)) {
		struct smap_entry *e;

		if (!m->slots[i])
			return NULL;
		e = &m->entries.v[m->slots[i] - 1];
		if (e->hash == hash && e->len == len && !memcmp(e->key, key, len))
			return e;
	}
}

static void rehash(struct smap *m)
{
	m->nslots = m->nslots ? m->nslots * 2 : 16;
	m->slots = ARENA_ARRAY(m->a, uint32_t, m->nslots);
	for (uint32_t n = 0; n < m->entries.n; n++) {
		uint32_t i = m->entries.v[n].hash & (m->nslots - 1);

		while (m->slots[i])
			i = (i + 1) & (m->nslots - 1);
		m->slots[i] = n + 1;
	}
}

static struct smap_entry *insert(struct smap *m, const char *key, size_t len, void *value)
{
	uint32_t hash = hash_bytes(key, len), i;
	struct smap_entry *e = find(m, key, len, hash);

	if (e) {
		e->value = value;
		return e;
	}
	if ((m->entries.n + 1) * 2 > m->nslots)
		rehash(m);
	vec_push(m->a, &m->entries,
		(struct smap_entry){arena_strndup(m->a, key, len), (uint32_t)len, hash, value});
	i = hash & (m->nslots - 1);
	while (m->slots[i])
		i = (i + 1) & (m->nslots - 1);
	m->slots[i] = m->entries.n;
	return &m->entries.v[m->entries.n - 1];
}

void *smap_getn(const struct smap *m, const char *key, size_t len)
{
	struct smap_entry *e = find(m, key, len, hash_bytes(key, len));

	return e ? e->value : NULL;
}

void *smap_get(const struct smap *m, const char *key)
{
	return smap_getn(m, key, strlen(key));
}

void smap_put(struct smap *m, const char *key, void *value)
{
	insert(m, key, strlen(key), value);
}

const char *smap_intern(struct smap *m, const char *s, size_t len)
{
	struct smap_entry *e = find(m, s, len, hash_bytes(s, len));

	return (e ? e : insert(m, s, len, NULL))->key;
}
