/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What each kind of ring buffer record makes user space do: one row of a table per kind. */
#include "run/capture.h"
#include "run/fmt.h"
#include "run/session.h"
#include "run/sym.h"
#include <stdlib.h>
#include <string.h>

struct record {
	uint32_t id;
	const uint8_t *bytes; /* struct meta_event included, as offsets in formats count */
	size_t size;
};

/* The record's format, when it is one for this event and the record is long enough for it. */
static const struct meta_format *format_of(struct session *s, const struct record *r,
	enum meta_event_type type)
{
	const struct meta *m = &s->l->meta;

	if (r->id >= m->formats.n)
		return NULL;
	if (m->formats.v[r->id].event != type || r->size < m->formats.v[r->id].size)
		return NULL;
	return &m->formats.v[r->id];
}

static const struct meta_map *user_map(struct session *s, uint32_t id)
{
	const struct meta *m = &s->l->meta;

	return id < m->maps.n && m->maps.v[id].role == MM_USER ? &m->maps.v[id] : NULL;
}

static int map_fd(const struct session *s, uint32_t id)
{
	return s->l->map_fd ? s->l->map_fd[id] : -1;
}

static void map_trouble(struct session *s, uint32_t id, const char *what, int err)
{
	if (err && s->l->d)
		diag_warn(s->l->d, NO_SPAN, DIAG_SYSTEM, "cannot %s map %s: %s", what,
			s->l->meta.maps.v[id].name, strerror(-err));
}

static void read_map(struct session *s, uint32_t id, struct table *t)
{
	table_init(t, &s->scratch, &s->l->meta, &s->l->meta.maps.v[id], s->ncpus);
	if (map_fd(s, id) >= 0)
		map_trouble(s, id, "read", table_read(t, map_fd(s, id)));
	table_sort(t);
}

void session_print_map(struct session *s, uint32_t map, uint64_t top, uint64_t div)
{
	struct table t;

	read_map(s, map, &t);
	table_top(&t, top);
	s->form->map(&s->out, &t, div);
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct meta *m = arg;

	return strcmp(m->maps.v[*(const uint32_t *)a].name, m->maps.v[*(const uint32_t *)b].name);
}

void session_print_maps(struct session *s)
{
	struct meta *m = &s->l->meta;
	uint32_t *order = ARENA_ARRAY(&s->scratch, uint32_t, m->maps.n);
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (m->maps.v[i].role == MM_USER)
			order[n++] = i;
	}
	if (n > 1)
		qsort_r(order, n, sizeof(*order), by_name, m);
	for (uint32_t i = 0; i < n; i++)
		session_print_map(s, order[i], 0, 1);
}

static bool on_printf(struct session *s, const struct record *r)
{
	const struct meta_format *f = format_of(s, r, ME_PRINTF);
	struct buf text;

	if (!f)
		return false;
	buf_init(&text, &s->scratch);
	fmt_record(&text, &s->l->meta, f, r->bytes, r->size);
	s->form->printf(&s->out, text.p, text.n);
	return true;
}

static bool on_print_map(struct session *s, const struct record *r)
{
	uint64_t word[2] = {0, 1};

	if (!user_map(s, r->id))
		return false;
	if (r->size >= sizeof(struct meta_event) + sizeof(word))
		memcpy(word, r->bytes + sizeof(struct meta_event), sizeof(word));
	session_print_map(s, r->id, word[0], word[1]);
	return true;
}

static bool on_print_entry(struct session *s, const struct record *r)
{
	const struct meta_map *map = user_map(s, r->id);
	struct table t;

	if (!map || r->size < sizeof(struct meta_event) + map->key_size)
		return false;
	table_init(&t, &s->scratch, &s->l->meta, map, s->ncpus);
	if (map_fd(s, r->id) >= 0)
		map_trouble(s, r->id, "read",
			table_read_entry(&t, map_fd(s, r->id), r->bytes + sizeof(struct meta_event)));
	if (t.entries.n)
		s->form->entry(&s->out, &t);
	return true;
}

static bool on_clear_map(struct session *s, const struct record *r)
{
	const struct meta_map *map = user_map(s, r->id);

	if (!map)
		return false;
	if (map_fd(s, r->id) >= 0)
		map_trouble(s, r->id, "clear",
			table_clear(map, &s->scratch, map_fd(s, r->id), s->ncpus));
	return true;
}

static bool on_zero_map(struct session *s, const struct record *r)
{
	const struct meta_map *map = user_map(s, r->id);

	if (!map)
		return false;
	if (map_fd(s, r->id) >= 0)
		map_trouble(s, r->id, "zero",
			table_zero(map, &s->scratch, map_fd(s, r->id), s->ncpus));
	return true;
}

static bool on_exit_call(struct session *s, const struct record *r)
{
	s->exited = true;
	s->muted = true;
	s->exit_code = (int)r->id;
	return true;
}

static bool on_time(struct session *s, const struct record *r)
{
	const struct meta_format *f = format_of(s, r, ME_TIME);
	struct timespec now;
	struct buf text;

	if (!f)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	buf_init(&text, &s->scratch);
	fmt_time(&text, f->text, now);
	s->form->time(&s->out, text.p, text.n);
	return true;
}

static bool on_value(struct session *s, const struct record *r)
{
	const struct meta_format *f = format_of(s, r, ME_PRINT_VALUE);

	if (!f || !f->args.n)
		return false;
	s->form->value(&s->out, &s->l->meta, &f->args.v[0], r->bytes, r->size);
	return true;
}

static bool on_seen_task(struct session *s, const struct record *r)
{
	if (s->l->meta.sym)
		sym_seen(s->l->meta.sym, r->id);
	return true;
}

static bool on_capture(struct session *s, const struct record *r)
{
	return capture_record(s, r->id, r->bytes + sizeof(struct meta_event),
		r->size - sizeof(struct meta_event));
}

static bool (*const handlers[ME_COUNT])(struct session *, const struct record *) = {
	[ME_PRINTF] = on_printf,
	[ME_PRINT_MAP] = on_print_map,
	[ME_PRINT_ENTRY] = on_print_entry,
	[ME_CLEAR_MAP] = on_clear_map,
	[ME_ZERO_MAP] = on_zero_map,
	[ME_EXIT] = on_exit_call,
	[ME_TIME] = on_time,
	[ME_PRINT_VALUE] = on_value,
	[ME_SEEN_TASK] = on_seen_task,
	[ME_CAPTURE] = on_capture,
};

bool session_event(struct session *s, const void *data, size_t size)
{
	struct meta_event head;
	struct record r = {.bytes = data, .size = size};

	if (size < sizeof(head))
		return false;
	memcpy(&head, data, sizeof(head));
	r.id = head.id;
	if (head.type >= ME_COUNT || !handlers[head.type])
		return false;
	return (s->muted && head.type != ME_SEEN_TASK) || handlers[head.type](s, &r);
}
