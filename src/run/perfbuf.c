/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What bpf_perf_event_output writes: include/uapi/linux/perf_event.h tells how the pages are shared. The
 * kernel moves data_head behind a record when it is whole, we move data_tail behind what was read.
 */
#include "run/perfbuf.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct perf_buffers {
	struct arena *a;
	perf_record_fn record;
	void *arg;
	size_t page, bytes; /* of data, behind the first page */
	struct pollfd *poll;
	void **map;
	uint32_t n;
	VEC(uint64_t) whole; /* a record that wraps around */
};

static int open_cpu(struct perf_buffers *b, int map, int cpu)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_BPF_OUTPUT, .sample_period = 1, .wakeup_events = 1,
		.sample_type = PERF_SAMPLE_RAW};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	void *p;

	if (fd < 0)
		return errno == ENODEV ? 0 : -errno; /* switched off */
	p = mmap(NULL, b->page + b->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	b->poll[b->n] = (struct pollfd){.fd = fd, .events = POLLIN};
	b->map[b->n++] = p;
	if (bpf_map_update_elem(map, &cpu, &fd, BPF_ANY) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

struct perf_buffers *perf_buffers_new(struct arena *a, int map, int cpus, size_t pages,
	perf_record_fn record, void *arg)
{
	struct perf_buffers *b = ARENA_NEW(a, struct perf_buffers);

	b->a = a;
	b->record = record;
	b->arg = arg;
	b->page = (size_t)getpagesize();
	b->bytes = pages * b->page;
	b->poll = ARENA_ARRAY(a, struct pollfd, cpus);
	b->map = ARENA_ARRAY(a, void *, cpus);
	for (int cpu = 0; cpu < cpus; cpu++) {
		int err = open_cpu(b, map, cpu);

		if (err) {
			perf_buffers_free(b);
			errno = -err;
			return NULL;
		}
	}
	return b;
}

void perf_buffers_free(struct perf_buffers *b)
{
	for (uint32_t i = 0; b && i < b->n; i++) {
		munmap(b->map[i], b->page + b->bytes);
		close(b->poll[i].fd);
	}
}

/* The bytes at that place, put together when they go on at the buffer's start. */
static uint8_t *bytes_at(struct perf_buffers *b, uint8_t *data, uint64_t at, size_t size)
{
	size_t from = (size_t)at & (b->bytes - 1), first = b->bytes - from;

	if (size <= first)
		return data + from;
	vec_reserve(b->a, &b->whole, size / 8 + 1);
	memcpy(b->whole.v, data + from, first);
	memcpy((uint8_t *)b->whole.v + first, data, size - first);
	return (uint8_t *)b->whole.v;
}

static int read_one(struct perf_buffers *b, struct perf_event_mmap_page *p)
{
	uint64_t head = __atomic_load_n(&p->data_head, __ATOMIC_ACQUIRE), tail = p->data_tail;
	uint8_t *data = (uint8_t *)p + b->page;
	int err = 0;

	while (tail != head && !err) {
		struct perf_event_header h;
		uint32_t size;
		uint8_t *r;

		/* headers are 8 bytes at multiples of 8: none wraps */
		memcpy(&h, bytes_at(b, data, tail, sizeof(h)), sizeof(h));
		if (h.size < sizeof(h) || h.size > head - tail)
			return -EPROTO;
		r = bytes_at(b, data, tail, h.size) + sizeof(h);
		tail += h.size;
		/* PERF_RECORD_LOST: the programs have counted those, from the helper's answer */
		if (h.type == PERF_RECORD_SAMPLE && h.size >= sizeof(h) + sizeof(size)) {
			memcpy(&size, r, sizeof(size));
			if (size <= h.size - sizeof(h) - sizeof(size))
				err = b->record(b->arg, r + sizeof(size), size);
		}
		__atomic_store_n(&p->data_tail, tail, __ATOMIC_RELEASE);
	}
	return err;
}

void perf_buffers_read(struct perf_buffers *b, int timeout_ms)
{
	if (timeout_ms && poll(b->poll, b->n, timeout_ms) <= 0)
		return;
	for (uint32_t i = 0; i < b->n; i++) {
		if (read_one(b, b->map[i]))
			return;
	}
}
