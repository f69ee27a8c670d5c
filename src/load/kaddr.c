/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Addresses of the kernel's symbols. They differ from boot to boot, so an object has names, and the
 * running kernel's list says where they are.
 */
#include "load/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KALLSYMS "/proc/kallsyms"

/* Lines "ffffffff81000000 D name" with an optional "\t[module]"; of equal names the first counts. */
static void find_all(FILE *f, const struct meta_map *m, uint64_t *value, bool *found)
{
	char line[1024]; /* names have up to 512 bytes, those of modules up to 56 */

	while (fgets(line, sizeof(line), f)) {
		char *name = strchr(line, ' ');

		if (!name || !name[1] || name[2] != ' ')
			continue;
		name += 3;
		name[strcspn(name, " \t\n")] = 0;
		for (uint32_t i = 0; i < m->names.n; i++) {
			if (found[i] || strcmp(m->names.v[i], name) != 0)
				continue;
			found[i] = true;
			value[i] = strtoull(line, NULL, 16);
		}
	}
}

static int missing(struct loaded *l, const char *name, bool found)
{
	if (found)
		diag_hint(l->d,
			diag_error(l->d, NO_SPAN, DIAG_NO_PERMISSION,
				"kaddr(\"%.80s\"): the kernel does not show addresses", name),
			"sysctl kernel.kptr_restrict=1 shows them to root");
	else
		diag_hint(l->d,
			diag_error(l->d, NO_SPAN, DIAG_NO_SUCH_TARGET,
				"kaddr(): the kernel has no symbol '%.80s'", name),
			KALLSYMS " lists all");
	return SKEP_EUSER;
}

int fill_kaddr(struct loaded *l, uint32_t map)
{
	const struct meta_map *m = &l->meta.maps.v[map];
	uint64_t *value = arena_alloc(l->a, m->value_size + 8);
	bool *found = ARENA_ARRAY(l->a, bool, m->names.n + 1);
	FILE *f = fopen(KALLSYMS, "re");

	if (f) {
		find_all(f, m, value, found);
		fclose(f);
	}
	for (uint32_t i = 0; i < m->names.n; i++) {
		if (!value[i])
			return missing(l, m->names.v[i], found[i]);
	}
	return load_value_set(l, map, value) ? SKEP_ESYS : SKEP_OK;
}
