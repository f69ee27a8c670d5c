/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Nothing is lost silently: what the programs counted as lost, refused or cut is told here. */
#include "run/session.h"
#include <inttypes.h>
#include <string.h>

/* Values of all counters, CPUs added; NULL when the script has none. */
static const uint64_t *read_counters(struct session *s)
{
	const struct meta *m = &s->l->meta;
	uint32_t map = meta_role_map(m, MM_COUNTERS), n = m->counters.n;
	const struct meta_map *row = map == META_NONE ? NULL : &m->maps.v[map];
	uint64_t *sum, *raw;
	uint32_t cpus;

	if (!row || !n || row->value_size / 8 < n)
		return NULL;
	sum = ARENA_ARRAY(&s->scratch, uint64_t, n);
	if (s->l->map_mem && s->l->map_mem[map] && !table_per_cpu(row)) {
		memcpy(sum, s->l->map_mem[map], n * sizeof(*sum));
		return sum;
	}
	cpus = table_per_cpu(row) ? s->ncpus : 1;
	raw = arena_alloc(&s->scratch, table_raw_size(row, s->ncpus));
	if (!session_value(s, map, raw))
		return NULL;
	for (uint32_t c = 0; c < cpus; c++) {
		for (uint32_t i = 0; i < n; i++)
			sum[i] += raw[(row->value_size + 7) / 8 * c + i];
	}
	return sum;
}

uint64_t counters_lost(struct session *s)
{
	const struct meta *m = &s->l->meta;
	const uint64_t *value = read_counters(s);
	uint64_t lost = 0;

	for (uint32_t i = 0; value && i < m->counters.n; i++) {
		if (m->counters.v[i].kind == MC_LOST_EVENT)
			lost += value[i];
	}
	return lost;
}

void counters_report_lost(struct session *s)
{
	const struct meta *m = &s->l->meta;
	const uint64_t *value;
	uint64_t lost = 0;

	session_flush(s); /* before anything is taken from the scratch arena, which it may empty */
	value = read_counters(s);
	for (uint32_t i = 0; value && i < m->counters.n; i++) {
		if (m->counters.v[i].kind == MC_LOST_EVENT)
			lost += value[i];
	}
	if (lost <= s->lost_told)
		return;
	session_announce(s, s->form->lost, lost - s->lost_told);
	s->lost_told = lost;
}

static const char *probe_of(const struct meta *m, uint32_t prog)
{
	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (m->probes.v[i].prog == prog)
			return m->probes.v[i].name;
	}
	return prog < m->progs.n ? m->progs.v[prog].name : "the script";
}

static const struct meta_map *map_of(const struct meta *m, uint32_t map)
{
	static const struct meta_map unknown = {.name = "?"};

	return map < m->maps.n ? &m->maps.v[map] : &unknown;
}

static void say_full(struct session *s, const struct meta_counter *c, uint64_t n)
{
	const struct meta_map *map = map_of(&s->l->meta, c->ref);

	if (map->role == MM_TASK) {
		session_say(s,
			"WARNING: the kernel had no memory for %" PRIu64 " value%s of %s, kept per task\n",
			n, n == 1 ? "" : "s", map->name);
		return;
	}
	session_say(s,
		"WARNING: Map full; %" PRIu64 " update%s of %s refused: it holds %u entries"
		" (its let, or config = { max_map_keys = N }, sets that)\n",
		n, n == 1 ? "" : "s", map->name, map->max_entries);
}

/* "file:line:column" of a place in the script's text, which the side table carries; "" unknown. */
static const char *place(struct session *s, uint32_t off)
{
	const struct meta *m = &s->l->meta;

	for (uint32_t i = 0; off && i < m->sources.n; i++) {
		const struct meta_source *src = &m->sources.v[i];
		uint32_t line = 1, col = 1;

		if (off < src->base || off - src->base > strlen(src->text))
			continue;
		for (const char *c = src->text; c < src->text + (off - src->base); c++) {
			line += *c == '\n';
			col = *c == '\n' ? 1 : col + 1;
		}
		return arena_printf(s->l->a, " (%s:%u:%u)", src->name, line, col);
	}
	return "";
}

static void say_cut(struct session *s, const struct meta_counter *c, uint64_t n)
{
	session_say(s, "WARNING: %" PRIu64 " string%s filled the buffer and may be cut%s\n", n,
		n == 1 ? "" : "s", place(s, c->off));
}

static void say_fault(struct session *s, const struct meta_counter *c, uint64_t n)
{
	session_say(s, "WARNING: %" PRIu64 " read%s of memory failed in %s and gave 0\n", n,
		n == 1 ? "" : "s", probe_of(&s->l->meta, c->ref));
}

static void say_error(struct session *s, const struct meta_counter *c, uint64_t n)
{
	session_say(s, "WARNING: %" PRIu64 " operation%s on map %s failed\n", n, n == 1 ? "" : "s",
		map_of(&s->l->meta, c->ref)->name);
}

static void say_stack(struct session *s, const struct meta_counter *c, uint64_t n)
{
	const struct meta *m = &s->l->meta;
	const struct meta_map *map = map_of(m, c->ref);
	uint32_t places = 0;

	for (uint32_t i = 0; i < m->stacks.n; i++) {
		if (m->stacks.v[i].spill == c->ref)
			places = m->maps.v[m->stacks.v[i].table].max_entries;
	}
	session_say(s,
		"WARNING: Stacks full; %" PRIu64 " stack%s not recorded: there is room for %u, and for "
		"%u that share a place (config = { max_map_keys = N } sets that)\n",
		n, n == 1 ? " was" : "s were", places, map->max_entries);
}

static void say_bound(struct session *s, const struct meta_counter *c, uint64_t n)
{
	session_say(s,
		"WARNING: a loop was left %" PRIu64 " time%s before its end%s: the kernel runs no "
		"loop without a bound\n",
		n, n == 1 ? "" : "s", place(s, c->ref));
}

static void say_zero(struct session *s, const struct meta_counter *c, uint64_t n)
{
	session_say(s,
		"WARNING: %" PRIu64 " division%s by zero%s: the quotient is 0, the rest the dividend\n",
		n, n == 1 ? "" : "s", place(s, c->ref));
}

static void say_headers(struct session *s, const struct meta_counter *c, uint64_t n)
{
	session_say(s,
		"WARNING: %" PRIu64 " packet%s had more than %u IPv6 extension headers: what follows them "
		"(TCP, UDP, their ports) was seen by no rule\n",
		n, n == 1 ? "" : "s", c->ref);
}

static void (*const say[MC_COUNT])(struct session *, const struct meta_counter *, uint64_t) = {
	[MC_MAP_FULL] = say_full,
	[MC_STR_CUT] = say_cut,
	[MC_READ_FAULT] = say_fault,
	[MC_MAP_ERROR] = say_error,
	[MC_STACK_LOST] = say_stack,
	[MC_LOOP_BOUND] = say_bound,
	[MC_DIV_ZERO] = say_zero,
	[MC_HEADERS] = say_headers,
};

/* Not lost by us, but not seen either: the kernel passes over a program that is busy. */
static void report_misses(struct session *s)
{
	for (uint32_t i = 0; s->l->prog && i < s->l->meta.progs.n; i++) {
		uint64_t n = load_prog_misses(s->l, i);

		if (n)
			session_say(s,
				"WARNING: Missed %" PRIu64 " event%s of %s: they came while a "
				"program was running on that CPU\n",
				n, n == 1 ? "" : "s", probe_of(&s->l->meta, i));
	}
}

void counters_report(struct session *s)
{
	const struct meta *m = &s->l->meta;
	const uint64_t *now;
	uint64_t *value;

	report_misses(s);
	now = read_counters(s);
	if (!now)
		return;
	/* session_say may empty the scratch arena. */
	value = ARENA_ARRAY(s->l->a, uint64_t, m->counters.n);
	memcpy(value, now, m->counters.n * sizeof(*value));
	for (uint32_t i = 0; i < m->counters.n; i++) {
		const struct meta_counter *c = &m->counters.v[i];

		if (value[i] && c->kind < MC_COUNT && say[c->kind])
			say[c->kind](s, c, value[i]);
	}
}
