/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What -v tells: every program's size at each stage, what the verifier looked at, every map. */
#include "run/session.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

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

/* ---- costs ---- */

void costs_begin(struct session *s)
{
	s->costs_fd = load_measure();
	if (s->costs_fd < 0)
		session_say(s, "Costs are not measured: %s\n", strerror(-s->costs_fd));
}

void costs_print(struct session *s)
{
	const struct meta *m = &s->l->meta;

	if (s->costs_fd < 0)
		return;
	session_say(s, "Costs:\n");
	for (uint32_t i = 0; s->l->prog && i < m->progs.n; i++) {
		uint64_t runs = 0, ns = 0;

		load_prog_cost(s->l, i, &runs, &ns);
		session_say(s, "  %-32s %10" PRIu64 " run%s", probes_of(s, i), runs,
			runs == 1 ? "" : "s");
		if (runs)
			session_say(s, ", %" PRIu64 " ns each, %" PRIu64 ".%03u ms in all",
				ns / runs, ns / 1000000, (unsigned)(ns / 1000 % 1000));
		session_say(s, "\n");
	}
}

void costs_end(struct session *s)
{
	if (s->costs_fd >= 0)
		close(s->costs_fd);
	s->costs_fd = -1;
}
