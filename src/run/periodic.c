/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/periodic.h"
#include "load/netwatch.h"
#include "load/pin.h"
#include "run/capture.h"
#include "run/metrics.h"
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

/* What went wrong is in the diagnostics, which are shown at the end: a running script tells it now. */
static void say_last(struct session *s, uint32_t before)
{
	const struct skep_diags *d = s->l->d;

	for (uint32_t i = before; i < d->list.n; i++) {
		struct diag_pos at = diag_locate(d, d->list.v[i].at[0].off);

		if (d->list.v[i].nspans && at.source)
			session_say(s, "WARNING: %s:%u: %s\n", at.source->name, at.line,
				d->list.v[i].message);
		else
			session_say(s, "WARNING: %s\n", d->list.v[i].message);
	}
}

static void reload_lists(struct session *s)
{
	int errors = s->l->d->errors;
	uint32_t before = s->l->d->list.n, entries;

	if (!load_lists_again(s->l, &entries)) {
		session_say(s, "Lists read again: %u entries\n", entries);
		return;
	}
	say_last(s, before);
	session_say(s, "WARNING: the lists stay as they were\n");
	s->l->d->errors = errors; /* the script goes on, and may end well */
	s->l->d->list.n = before;
}

static void say_interface(void *arg, const char *text)
{
	session_say(arg, "%s\n", text);
}

static void watch(struct session *s)
{
	bool first = !s->watching; /* something may have changed since the rules were attached */

	if (first)
		s->watch_fd = load_watch_open(s->l);
	s->watching = true;
	if (s->watch_fd >= 0 && (load_watch_changed(s->watch_fd) || first))
		load_watch_update(s->l, say_interface, s);
}

void periodic(struct session *s, uint64_t now_ms)
{
	watch(s);
	if (s->o->hangups && *s->o->hangups != s->lists_read && load_has_lists(&s->l->meta)) {
		s->lists_read = *s->o->hangups;
		reload_lists(s);
	}
	capture_flush(s);
	if (s->o->metrics && now_ms >= s->metrics_at) {
		metrics_write(s);
		s->metrics_at = now_ms + METRICS_MS;
	}
}

void periodic_end(struct session *s)
{
	if (s->o->metrics)
		metrics_write(s);
	if (s->watching && s->watch_fd >= 0)
		close(s->watch_fd);
	s->watching = false;
}

/* ---- trials ---- */

void trial_begin(struct session *s, uint64_t now_ms)
{
	s->trial_fd = s->l->attach.pin ? load_trial_open(s->l) : -1;
	s->trial_end = now_ms + s->o->trial_ms;
	session_say(s, "On trial for %" PRIu64 " s: press Enter%s%s%s to keep the rules\n",
		s->o->trial_ms / 1000, s->trial_fd >= 0 ? ", or run `skep confirm " : "",
		s->trial_fd >= 0 ? s->l->attach.pin : "", s->trial_fd >= 0 ? "`," : "");
}

/* A line on the terminal; a closed standard input confirms nothing. */
static bool entered(struct session *s)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char c;

	while (!s->trial_closed && poll(&p, 1, 0) == 1) {
		if (read(STDIN_FILENO, &c, 1) != 1)
			s->trial_closed = true;
		else if (c == '\n')
			return true;
	}
	return false;
}

int trial_check(struct session *s, uint64_t now_ms)
{
	if (entered(s) || load_trial_confirmed(s->trial_fd)) {
		session_say(s, "Confirmed\n");
		return 1;
	}
	if (now_ms < s->trial_end)
		return 0;
	diag_hint(s->l->d,
		diag_error(s->l->d, NO_SPAN, DIAG_ATTACH,
			"nobody confirmed the rules within %" PRIu64 " s: they are taken away again",
			s->o->trial_ms / 1000),
		"press Enter while they are on trial, or run `skep confirm NAME` for --pin NAME");
	return -1;
}

void trial_end(struct session *s)
{
	load_trial_close(s->l, s->trial_fd);
	s->trial_fd = -1;
}
