/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What -v tells: every program's size at each stage, what the verifier looked at, every map. */
#include "run/session.h"
#include <string.h>

static const char *probes_of(struct session *s, uint32_t prog)
{
	const struct meta *m = &s->l->meta;
	const char *first = m->progs.v[prog].name;
	unsigned n = 0;

	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (m->probes.v[i].prog == prog && !n++)
			first = m->probes.v[i].name;
	}
	return n > 1 ? arena_printf(&s->scratch, "%s (and %u more)", first, n - 1) : first;
}

static void program_line(struct session *s, uint32_t i)
{
	const struct loaded_prog *p = &s->l->prog[i];

	/* The kernel reports sizes in bytes: 8 an instruction. */
	session_say(s, "  %-32s %5u instructions", probes_of(s, i), p->insns);
	if (p->xlated)
		session_say(s, ", %u in the kernel", p->xlated / 8);
	if (p->jited)
		session_say(s, ", %u bytes of machine code", p->jited);
	if (p->verified)
		session_say(s, ", verifier processed %u", p->verified);
	session_say(s, "\n");
}

void stats_print(struct session *s)
{
	const struct meta *m = &s->l->meta;

	session_say(s, "Programs:\n");
	for (uint32_t i = 0; s->l->prog && i < m->progs.n; i++)
		program_line(s, i);
	session_say(s, "Maps:\n");
	for (uint32_t i = 0; i < m->maps.n; i++) {
		const struct meta_map *map = &m->maps.v[i];

		session_say(s, "  %-16s %-10s key %u, value %u bytes, %u entries\n",
			map->role == MM_USER ? map->name : map->kname,
			map->role == MM_USER
				? meta_agg_text((enum meta_agg)map->agg)
				: meta_role_text((enum meta_map_role)map->role),
			map->key_size, map->value_size, map->max_entries);
	}
}
