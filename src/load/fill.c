/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fills the maps that stand for lists (MM_SET) and for interfaces (MM_IFINDEX), and lists again when
 * their files have changed: first all are read, so that a mistake changes none; then comes what is new,
 * then goes what is gone, so what is in both is never out.
 */
#include "load/internal.h"
#include "load/sets.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 4096

/* LPM tries take batches since 5.13 or so; else one by one. -errno. */
static int add_keys(int fd, const struct meta_map *m, const uint8_t *keys,
	uint32_t n)
{
	uint64_t *ones = malloc(BATCH * sizeof(*ones)); /* the arena would keep them, each time */
	bool batches = m->value_size == sizeof(*ones);
	int err = ones ? 0 : -ENOMEM;

	for (uint32_t i = 0; ones && i < BATCH; i++)
		ones[i] = 1;
	for (uint32_t i = 0; !err && i < n;) {
		LIBBPF_OPTS(bpf_map_batch_opts, o);
		uint32_t count = n - i < BATCH ? n - i : BATCH;
		const uint8_t *key = keys + (size_t)i * m->key_size;

		if (batches && !bpf_map_update_batch(fd, key, ones, &count, &o)) {
			i += count;
			continue;
		}
		if (batches && (errno == ENOSPC || errno == ENOMEM))
			err = -errno;
		batches = false;
		if (!err && bpf_map_update_elem(fd, key, ones, BPF_ANY))
			err = -errno;
		i++;
	}
	free(ones);
	return err;
}

/* Both sorted: what only the old one has goes. */
static void take_out(int fd, uint32_t size, const struct set_data *old, const struct set_data *new)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < old->n; i++) {
		const uint8_t *key = old->keys + (size_t)i * size;

		while (k < new->n && memcmp(new->keys + (size_t)k * size, key, size) < 0)
			k++;
		if (k == new->n || memcmp(new->keys + (size_t)k * size, key, size))
			bpf_map_delete_elem(fd, key);
	}
}

/* Takes what next holds. */
static int fill_set(struct loaded *l, uint32_t map, struct set_data *next)
{
	const struct meta_map *m = &l->meta.maps.v[map];
	struct set_data *now = &l->sets[map], old;
	int fd = l->map_fd[map], err;

	err = next->ports ? load_value_set(l, map, next->ports) : add_keys(fd, m, next->keys, next->n);
	if (err) { /* not all of it found room */
		if (!next->ports)
			take_out(fd, m->key_size, next, now);
		return sys_error(l, SYS_MAP, "", NO_SPAN, -err, "cannot fill the list '%s'", m->name);
	}
	if (!next->ports)
		take_out(fd, m->key_size, now, next);
	old = *now;
	*now = *next;
	*next = old;
	return SKEP_OK;
}

static int fill_ifindex(struct loaded *l, uint32_t map)
{
	const struct meta_map *m = &l->meta.maps.v[map];
	uint32_t *value = arena_alloc(l->a, m->value_size + 8);

	for (uint32_t i = 0; i < m->names.n && (i + 1) * sizeof(*value) <= m->value_size; i++) {
		value[i] = if_nametoindex(m->names.v[i]);
		if (!value[i]) {
			diag_hint(l->d,
				diag_error(l->d, NO_SPAN, DIAG_NO_SUCH_INTERFACE,
					"redirect(): no network interface '%.60s'", m->names.v[i]),
				"`ip link` lists the interfaces");
			return SKEP_EUSER;
		}
	}
	return load_value_set(l, map, value) ? SKEP_ESYS : SKEP_OK;
}

int fill_lists(struct loaded *l)
{
	uint32_t n = l->meta.maps.n;
	struct set_data *next = ARENA_ARRAY(l->a, struct set_data, n + 1);
	int err = SKEP_OK;

	if (!l->sets)
		l->sets = ARENA_ARRAY(l->a, struct set_data, n + 1);
	for (uint32_t i = 0; i < n && !err; i++) {
		const struct meta_map *m = &l->meta.maps.v[i];

		if (m->role == MM_SET)
			err = set_read(l->d, NO_SPAN, m, &next[i]) ? SKEP_OK : SKEP_EUSER;
		else if (m->role == MM_IFINDEX)
			err = fill_ifindex(l, i);
		else if (m->role == MM_KADDR)
			err = fill_kaddr(l, i);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!err && l->meta.maps.v[i].role == MM_SET)
			err = fill_set(l, i, &next[i]);
		set_free(&next[i]);
	}
	return err;
}

void free_lists(struct loaded *l)
{
	for (uint32_t i = 0; l->sets && i < l->meta.maps.n; i++)
		set_free(&l->sets[i]);
}

bool load_has_lists(const struct meta *m)
{
	return meta_role_map(m, MM_SET) != META_NONE;
}

int load_lists_again(struct loaded *l, uint32_t *entries)
{
	int err = fill_lists(l);

	*entries = 0;
	for (uint32_t i = 0; i < l->meta.maps.n; i++)
		*entries += l->sets[i].n + l->sets[i].ranges;
	return err;
}
