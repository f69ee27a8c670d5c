/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lists of prefixes or ports from text files: one a line, '#' and ';' start comments.
 *   10.0.0.0/8   192.0.2.1   2001:db8::/32      prefixes; bits behind the prefix do not matter
 *   22   8000-8080                              ports
 */
#pragma once
#include "base/arena.h"
#include "base/diag.h"
#include "base/meta.h"

struct set_data { /* what a row of role MM_SET is filled with; memory from malloc */
	uint8_t *keys; /* sorted and unique, map->key_size bytes each */
	uint32_t n, cap;
	uint8_t *ports; /* of a list of ports: the map's value */
	uint32_t ranges; /* of ports, as many as lines */
};

/*
 * Reads the map's file. Of prefixes, those of the other family are left out: they are another
 * map's. False with a diagnostic at the file's line (at is where the script names the file).
 */
bool set_read(struct skep_diags *d, struct skep_span at, const struct meta_map *map,
	struct set_data *out);
void set_free(struct set_data *s);
