/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes records out of the ring buffers, or the buffers per CPU, by libbpf's consumer or ours. */
#include "run/perfbuf.h"
#include "run/session.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_AT ((size_t)64 * 1024)
/* Records between two looks at clock and signals: programs may write faster than we read, without end. */
#define BATCH 4096
#define PERF_BYTES ((size_t)64 * 1024) /* for each CPU */

static int on_record(void *arg, void *data, size_t size)
{
	struct session *s = arg;

	if (!session_event(s, data, size) && s->l->d)
		diag_warn(s->l->d, NO_SPAN, DIAG_BAD_OBJECT,
			"an event of %zu bytes does not fit the object's side table", size);
	if (s->out.n >= FLUSH_AT)
		session_flush(s);
	/* A negative answer stops the consumer after this record; a busy script must be stoppable. */
	if (s->draining)
		return 0;
	if (s->exited || s->write_error || (s->o->stop && *s->o->stop))
		return -EINTR;
	/* buffers per CPU are read in turn, each up to where it was full when we came */
	if (s->ring && ++s->batch >= BATCH) {
		s->batch = 0;
		return -EINTR;
	}
	return 0;
}

/* A power of two of pages, whatever their size. */
static size_t perf_pages(void)
{
	size_t page = (size_t)getpagesize(), n = 1;

	while (n * page < PERF_BYTES)
		n *= 2;
	return n;
}

static int open_one(struct session *s, uint32_t map)
{
	int fd = s->l->map_fd[map];

	if (s->l->meta.maps.v[map].type == BPF_MAP_TYPE_PERF_EVENT_ARRAY) {
		if (s->perf)
			return -EEXIST; /* no compiler of ours makes two */
		s->perf = perf_buffers_new(s->l->a, fd, (int)s->cpu_span, perf_pages(), on_record, s);
		return s->perf ? 0 : -errno;
	}
	if (s->ring)
		return ring_buffer__add(s->ring, fd, on_record, s);
	s->ring = ring_buffer__new(fd, on_record, s, NULL);
	return s->ring ? 0 : -errno;
}

int ring_open(struct session *s)
{
	const struct meta *m = &s->l->meta;

	for (uint32_t i = 0; i < m->maps.n; i++) {
		int err = m->maps.v[i].role == MM_RING ? open_one(s, i) : 0;

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
	perf_buffers_free(s->perf);
	s->ring = NULL;
	s->perf = NULL;
}

void ring_drain(struct session *s)
{
	if (s->ring)
		ring_buffer__consume(s->ring);
	if (s->perf)
		perf_buffers_read(s->perf, 0);
	session_flush(s);
}

void ring_wait(struct session *s, int timeout_ms)
{
	/* All come back early on a signal; the caller looks at its stop flag. Who asks who sleeps is not told of us. */
	if (s->ring)
		ring_buffer__poll(s->ring, timeout_ms);
	else if (s->perf)
		perf_buffers_read(s->perf, timeout_ms);
	else
		poll(NULL, 0, timeout_ms);
	/* Records may wait without a wake-up when the programs ask for fewer of them. */
	if (!s->exited && !(s->o->stop && *s->o->stop))
		ring_drain(s);
	session_flush(s);
}
