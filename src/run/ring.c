/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes records out of the ring buffers, through libbpf's consumer. */
#include "run/session.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define FLUSH_AT ((size_t)64 * 1024)

static int on_record(void *arg, void *data, size_t size)
{
	struct session *s = arg;

	if (!session_event(s, data, size) && s->l->d)
		diag_warn(s->l->d, NO_SPAN, DIAG_BAD_OBJECT,
			"an event of %zu bytes does not fit the object's side table", size);
	if (s->out.n >= FLUSH_AT)
		session_flush(s);
	/* A negative answer stops the consumer after this record; a busy script must be stoppable. */
	if (!s->draining && (s->exited || s->write_error || (s->o->stop && *s->o->stop)))
		return -EINTR;
	return 0;
}

int ring_open(struct session *s)
{
	const struct meta *m = &s->l->meta;

	for (uint32_t i = 0; i < m->maps.n; i++) {
		int err = 0;

		if (m->maps.v[i].role != MM_RING)
			continue;
		if (!s->ring) {
			s->ring = ring_buffer__new(s->l->map_fd[i], on_record, s, NULL);
			err = s->ring ? 0 : -errno;
		} else {
			err = ring_buffer__add(s->ring, s->l->map_fd[i], on_record, s);
		}
		if (err) {
			diag_error(s->l->d, NO_SPAN, DIAG_SYSTEM, "cannot read the ring buffer: %s",
				strerror(-err));
			return err;
		}
	}
	return 0;
}

void ring_close(struct session *s)
{
	ring_buffer__free(s->ring);
	s->ring = NULL;
}

void ring_drain(struct session *s)
{
	if (s->ring)
		ring_buffer__consume(s->ring);
	session_flush(s);
}

void ring_wait(struct session *s, int timeout_ms)
{
	struct timespec pause = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};

	/* Both come back early on a signal; the caller looks at its stop flag. */
	if (s->ring)
		ring_buffer__poll(s->ring, timeout_ms);
	else
		nanosleep(&pause, NULL);
	/* Records may wait without a wake-up when the programs ask for fewer of them. */
	if (!s->exited && !(s->o->stop && *s->o->stop))
		ring_drain(s);
	session_flush(s);
}
