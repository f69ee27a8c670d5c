/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/session.h"
#include "run/capture.h"
#include "run/live.h"
#include "run/sym.h"
#include "base/trap.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define SCRATCH_KEEP ((size_t)1 << 20) /* beyond, memory goes back between batches */

static void scratch_reset(struct session *s)
{
	arena_init(&s->scratch, s->l->a->trap);
	buf_init(&s->out, &s->scratch);
}

void session_init(struct session *s, struct loaded *l, const struct run_options *o)
{
	*s = (struct session){.l = l, .o = o, .costs_fd = -1, .ncpus = 1, .pidfd = -1};
	if (l->map_fd)
		l->meta.sym = sym_new(l->a, l);
	s->form = o->format == RUN_JSON ? &emit_json : &emit_text;
	scratch_reset(s);
}

void session_free(struct session *s)
{
	capture_close(s);
	sym_free(s->l->meta.sym);
	s->l->meta.sym = NULL;
	arena_free(&s->scratch);
}

void session_flush(struct session *s)
{
	if (s->out.n && !s->write_error) {
		errno = 0;
		live_erase(s);
		if (fwrite(s->out.p, 1, s->out.n, s->o->out) < s->out.n ||
			(s->o->buffer <= RUN_BY_BYTE && fflush(s->o->out)))
			s->write_error = errno ? errno : EIO;
	}
	s->out.n = 0;
	if (s->scratch.total > SCRATCH_KEEP) {
		arena_free(&s->scratch);
		scratch_reset(s);
	}
}

void session_hangup(struct session *s)
{
	int err;

	if (!s->o->hangups || *s->o->hangups == s->hangups)
		return;
	s->hangups = *s->o->hangups;
	session_flush(s);
	err = s->o->reopen ? s->o->reopen(s->o->out, s->o->reopen_arg) : 0;
	if (err && !s->write_error)
		s->write_error = -err;
}

void session_cannot_write(struct session *s, const char *path, int err)
{
	session_say(s, "WARNING: cannot write '%s': %s\n", path, strerror(err));
	s->failed = true;
}

struct one_value {
	void *raw;
	size_t size;
};

static void take_value(void *arg, const void *key, const void *value)
{
	const struct one_value *v = arg;

	(void)key;
	memcpy(v->raw, value, v->size);
}

bool session_value(struct session *s, uint32_t map, void *raw)
{
	struct one_value v = {raw, s->l->meta.maps.v[map].value_size};
	uint32_t zero = 0;

	if (s->maps) {
		s->maps->each(s->maps_arg, map, take_value, &v);
		return true;
	}
	return s->l->map_fd && s->l->map_fd[map] >= 0 &&
	       !bpf_map_lookup_elem(s->l->map_fd[map], &zero, raw);
}

void session_say(struct session *s, const char *fmt, ...)
{
	va_list ap;

	/* Keep the order between the script's lines and ours when both go to one terminal. */
	session_flush(s);
	live_erase(s);
	if (s->o->buffer > RUN_BY_BYTE)
		fflush(s->o->out);
	va_start(ap, fmt);
	vfprintf(s->o->err, fmt, ap);
	va_end(ap);
	fflush(s->o->err);
}

void session_announce(struct session *s, void (*form)(struct buf *, uint64_t), uint64_t n)
{
	struct buf text;

	session_flush(s);
	if (s->form->announce_to_out) {
		form(&s->out, n);
		session_flush(s);
		return;
	}
	buf_init(&text, &s->scratch);
	form(&text, n);
	fwrite(text.p, 1, text.n, s->o->err);
	fflush(s->o->err);
}
