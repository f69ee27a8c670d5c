/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What each kind of ring buffer record makes user space do: one row of a table per kind. */
#include "run/capture.h"
#include "run/field.h"
#include "run/fmt.h"
#include "run/session.h"
#include "run/sym.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASS_ON_MOST ((size_t)16 << 20) /* bytes of a file or a command's output */

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

static void add_entry(void *table, const void *key, const void *value)
{
	table_add(table, key, value);
}

void session_read_map(struct session *s, uint32_t id, struct table *t)
{
	table_init(t, &s->scratch, &s->l->meta, &s->l->meta.maps.v[id], s->ncpus);
	if (s->maps)
		s->maps->each(s->maps_arg, id, add_entry, t);
	else if (map_fd(s, id) >= 0)
		map_trouble(s, id, "read", table_read(t, map_fd(s, id)));
	if (!t->entries.n && s->zeroed && s->zeroed[id])
		table_add_zero(t);
	table_sort(t);
}

/* Zeroes in a scalar that was set are its value; in one that was cleared they are none. */
static void note_zeroed(struct session *s, uint32_t id, bool zeroed)
{
	if (!s->l->meta.maps.v[id].scalar)
		return;
	if (!s->zeroed)
		s->zeroed = ARENA_ARRAY(s->l->a, bool, s->l->meta.maps.n);
	s->zeroed[id] = zeroed;
}

void session_print_map(struct session *s, uint32_t map, uint64_t top, uint64_t div)
{
	struct table t;

	session_read_map(s, map, &t);
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
	const struct meta_map *map = user_map(s, r->id);
	uint64_t word[2] = {0, 1};
	struct table t;

	if (!map)
		return false;
	if (r->size >= sizeof(struct meta_event) + sizeof(word))
		memcpy(word, r->bytes + sizeof(struct meta_event), sizeof(word));
	session_read_map(s, r->id, &t);
	/* who asks for a scalar gets one: bpftrace prints 0 for what was never set */
	if (!t.entries.n && map->scalar && !meta_agg_buckets(map->agg))
		table_add_zero(&t);
	table_top(&t, word[0]);
	s->form->map(&s->out, &t, word[1]);
	return true;
}

struct wanted_entry {
	struct table *t;
	const uint8_t *key;
};

static void add_wanted(void *arg, const void *key, const void *value)
{
	const struct wanted_entry *w = arg;

	if (!memcmp(key, w->key, w->t->map->key_size))
		table_add(w->t, key, value);
}

static bool on_print_entry(struct session *s, const struct record *r)
{
	const struct meta_map *map = user_map(s, r->id);
	struct table t;

	if (!map || r->size < sizeof(struct meta_event) + map->key_size)
		return false;
	table_init(&t, &s->scratch, &s->l->meta, map, s->ncpus);
	if (s->maps)
		s->maps->each(s->maps_arg, r->id, add_wanted,
			&(struct wanted_entry){&t, r->bytes + sizeof(struct meta_event)});
	else if (map_fd(s, r->id) >= 0)
		map_trouble(s, r->id, "read",
			table_read_entry(&t, map_fd(s, r->id), r->bytes + sizeof(struct meta_event)));
	if (t.entries.n)
		s->form->entry(&s->out, &t);
	return true;
}

static bool of_stack(const struct meta *m, const struct meta_field *f, uint32_t spill)
{
	return (f->kind == MK_KSTACK || f->kind == MK_USTACK) && f->ref < m->stacks.n &&
	       m->stacks.v[f->ref].spill == spill;
}

/* How many places of the script keep or print stacks of that kind. */
static uint32_t uses_of(const struct meta *m, uint32_t spill)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->maps.n; i++) {
		for (uint32_t k = 0; k < m->maps.v[i].keys.n; k++)
			n += of_stack(m, &m->maps.v[i].keys.v[k], spill);
		n += of_stack(m, &m->maps.v[i].value, spill);
	}
	for (uint32_t i = 0; i < m->formats.n; i++) {
		for (uint32_t k = 0; k < m->formats.v[i].args.n; k++)
			n += of_stack(m, &m->formats.v[i].args.v[k], spill);
	}
	for (uint32_t i = 0; i < m->types.n; i++) {
		for (uint32_t k = 0; k < m->types.v[i].members.n; k++)
			n += of_stack(m, &m->types.v[i].members.v[k].field, spill);
	}
	return n;
}

/*
 * A map that is cleared again and again would fill the room for stacks. What its keys named is free
 * when nothing else can name it.
 */
static void release_stacks(struct session *s, const struct table *t)
{
	const struct meta *m = &s->l->meta;

	for (uint32_t k = 0; m->sym && k < t->map->keys.n; k++) {
		const struct meta_field *f = &t->map->keys.v[k];
		uint64_t number;

		if ((f->kind != MK_KSTACK && f->kind != MK_USTACK) || f->ref >= m->stacks.n ||
			uses_of(m, m->stacks.v[f->ref].spill) != 1)
			continue;
		sym_release_begin(m->sym, f);
		for (uint32_t i = 0; i < t->entries.n; i++) {
			memcpy(&number, t->entries.v[i].key + f->off, 8);
			sym_release(m->sym, f, number);
		}
	}
}

static bool on_clear_map(struct session *s, const struct record *r)
{
	const struct meta_map *map = user_map(s, r->id);
	struct table t;

	if (!map)
		return false;
	note_zeroed(s, r->id, false);
	if (s->l->meta.stacks.n)
		session_read_map(s, r->id, &t);
	if (s->maps)
		s->maps->reset(s->maps_arg, r->id, true);
	else if (map_fd(s, r->id) >= 0)
		map_trouble(s, r->id, "clear",
			table_clear(map, &s->scratch, map_fd(s, r->id), s->ncpus));
	if (s->l->meta.stacks.n && !s->maps)
		release_stacks(s, &t);
	return true;
}

static bool on_zero_map(struct session *s, const struct record *r)
{
	const struct meta_map *map = user_map(s, r->id);
	struct table t;

	if (!map)
		return false;
	session_read_map(s, r->id, &t);
	note_zeroed(s, r->id, t.entries.n > 0);
	if (s->maps)
		s->maps->reset(s->maps_arg, r->id, false);
	else if (map_fd(s, r->id) >= 0)
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

/* The format's text with the record's arguments; NULL when it is no record for this event. */
static const char *formatted(struct session *s, const struct record *r, enum meta_event_type type)
{
	const struct meta_format *f = format_of(s, r, type);
	struct buf text;

	if (!f)
		return NULL;
	buf_init(&text, &s->scratch);
	buf_puts(&text, "");
	fmt_record(&text, &s->l->meta, f, r->bytes, r->size);
	return text.p;
}

static bool on_join(struct session *s, const struct record *r)
{
	const struct meta_format *f = format_of(s, r, ME_JOIN);
	struct buf text;
	uint64_t n;

	if (!f || !f->args.n || !field_number(&f->args.v[0], r->bytes, r->size, &n))
		return false;
	buf_init(&text, &s->scratch);
	buf_puts(&text, "");
	for (uint32_t i = 1; i < f->args.n && i <= n; i++) {
		if (i > 1)
			buf_puts(&text, f->text);
		field_text(&text, &s->l->meta, &f->args.v[i], r->bytes, r->size);
	}
	if (!s->form->announce_to_out)
		buf_putc(&text, '\n');
	s->form->chars(&s->out, "join", text.p, text.n);
	return true;
}

/* What a stream gives, up to its end, as output of that type. */
static void pass_on(struct session *s, FILE *f, const char *type, size_t most)
{
	struct buf text;
	char piece[4096];
	size_t n;

	buf_init(&text, &s->scratch);
	buf_puts(&text, "");
	while (text.n < PASS_ON_MOST && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&text, piece, n);
	if (most && text.n > most)
		text.n = most;
	s->form->chars(&s->out, type, text.p, text.n);
}

/*
 * A line for the user, behind what the script has written so far. The record is formatted after
 * that is out, since writing may empty the scratch arena.
 */
static void tell(struct session *s, const struct record *r, enum meta_event_type type,
	const char *before, const char *between)
{
	int err = errno;

	session_flush(s);
	fprintf(s->o->err, "%s%s%s%s", before, formatted(s, r, type), between,
		*between ? strerror(err) : "");
	if (*between)
		fputc('\n', s->o->err);
	fflush(s->o->err);
}

static bool on_cat(struct session *s, const struct record *r)
{
	const char *path = formatted(s, r, ME_CAT);
	FILE *f;

	if (!path)
		return false;
	f = fopen(path, "re");
	if (!f) {
		tell(s, r, ME_CAT, "WARNING: cat(): cannot open '", "': ");
		return true;
	}
	pass_on(s, f, "cat", s->l->meta.cat_bytes);
	fclose(f);
	return true;
}

/* What popen(command, "re") does, whose libc brings posix_spawn() along. */
static FILE *start_shell(const char *command, pid_t *pid)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return NULL;
	*pid = fork();
	if (!*pid) {
		dup2(p[1], STDOUT_FILENO);
		execv("/bin/sh", (char **)argv);
		_exit(127);
	}
	close(p[1]);
	if (*pid < 0) {
		close(p[0]);
		return NULL;
	}
	return fdopen(p[0], "r");
}

static bool on_system(struct session *s, const struct record *r)
{
	const char *command;
	pid_t pid;
	FILE *f;

	session_flush(s); /* what the command writes itself comes after what we wrote before */
	command = formatted(s, r, ME_SYSTEM);
	if (!command)
		return false;
	f = start_shell(command, &pid);
	if (!f) {
		tell(s, r, ME_SYSTEM, "WARNING: system(): cannot run '", "': ");
		return true;
	}
	pass_on(s, f, "syscall", 0);
	fclose(f);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

static bool told(struct session *s, const struct record *r, enum meta_event_type type)
{
	const char *text = formatted(s, r, type);

	if (!text)
		return false;
	if (s->form->told)
		s->form->told(&s->out, meta_event_text(type), text);
	else
		tell(s, r, type, "", "");
	return true;
}

static bool on_errorf(struct session *s, const struct record *r)
{
	return told(s, r, ME_ERRORF);
}

static bool on_warnf(struct session *s, const struct record *r)
{
	return told(s, r, ME_WARNF);
}

static bool on_debugf(struct session *s, const struct record *r)
{
	return told(s, r, ME_DEBUGF);
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
	[ME_JOIN] = on_join,
	[ME_CAT] = on_cat,
	[ME_SYSTEM] = on_system,
	[ME_ERRORF] = on_errorf,
	[ME_WARNF] = on_warnf,
	[ME_DEBUGF] = on_debugf,
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
