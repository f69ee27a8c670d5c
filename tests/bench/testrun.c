/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/bench/testrun.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define REPEAT 50000
#define ROUNDS 21
#define RECORD_MOST 256 /* bytes that a packet takes in a ring buffer */
#define OUT_MAX 8192

static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, /* passes or drops; nobody gets the packet */
	{.code = BPF_JMP | BPF_EXIT},
};

static int load_nothing(uint32_t type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, o,
		.expected_attach_type = type == BPF_PROG_TYPE_CGROUP_SKB ? BPF_CGROUP_INET_EGRESS : 0);

	return bpf_prog_load((enum bpf_prog_type)type, "nothing", "GPL", nothing, 2, &o);
}

/* The program's ring buffer: its descriptor and size; -1 when it has none. */
static int ring_of(int prog, uint32_t *size)
{
	uint32_t ids[16], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.nr_map_ids = 16, .map_ids = (uint64_t)(uintptr_t)ids};

	if (prog < 0 || bpf_obj_get_info_by_fd(prog, &info, &len))
		return -1;
	for (uint32_t i = 0; i < info.nr_map_ids && i < 16; i++) {
		struct bpf_map_info map = {0};
		uint32_t map_len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &map_len) &&
			map.type == BPF_MAP_TYPE_RINGBUF) {
			*size = map.max_entries;
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* Whatever is in the buffer counts as read. */
static void empty_ring(int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile uint64_t *read, *written;

	if (fd < 0)
		return;
	read = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	written = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (read != MAP_FAILED && written != MAP_FAILED)
		*read = *written;
	if (read != MAP_FAILED)
		munmap((void *)(uintptr_t)read, page);
	if (written != MAP_FAILED)
		munmap((void *)(uintptr_t)written, page);
}

/* CPU time of this thread per packet; negative when the kernel refuses. */
static double one_round(int fd, const uint8_t *frame, uint32_t n, int repeat)
{
	static uint8_t out[OUT_MAX];
	struct timespec a, b;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = n, .data_out = out,
		.data_size_out = sizeof(out), .repeat = repeat);

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	if (bpf_prog_test_run_opts(fd, &o))
		return -1;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / repeat;
}

bool testrun(int ours, int theirs, uint32_t type, const uint8_t *frame, uint32_t n,
	struct testrun_ns *ns)
{
	double idle = 1e9, a = 1e9, b = 1e9, t;
	uint32_t size = UINT32_MAX, other = UINT32_MAX;
	int base = load_nothing(type), ring = ring_of(ours, &size), their_ring = ring_of(theirs, &other);
	uint32_t room = (size < other ? size : other) / RECORD_MOST;
	int repeat = room < REPEAT ? (int)room : REPEAT;
	bool ok = base >= 0;

	for (unsigned i = 0; ok && i < ROUNDS; i++) {
		empty_ring(ring);
		empty_ring(their_ring);
		t = one_round(base, frame, n, repeat);
		idle = t < idle ? t : idle;
		ok = t >= 0 && (t = one_round(ours, frame, n, repeat)) >= 0;
		a = t < a ? t : a;
		if (ok && theirs >= 0)
			ok = (t = one_round(theirs, frame, n, repeat)) >= 0;
		b = t < b ? t : b;
	}
	if (base >= 0)
		close(base);
	if (ring >= 0)
		close(ring);
	if (their_ring >= 0)
		close(their_ring);
	if (ok)
		*ns = (struct testrun_ns){a > idle ? a - idle : 0, theirs < 0 ? -1 : b > idle ? b - idle : 0, idle};
	return ok;
}

bool testrun_possible(void)
{
	static const uint8_t frame[64];
	int fd = load_nothing(BPF_PROG_TYPE_XDP);
	bool ok = fd >= 0 && one_round(fd, frame, sizeof(frame), 10) >= 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static void fill(struct bpf_object *o, const struct testrun_nets *nets)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o, "lpm4");
	bool hash = !m;
	uint32_t one = 1;

	if (hash)
		m = bpf_object__find_map_by_name(o, "hash4");
	for (uint32_t i = 0; m && i < nets->n; i++)
		bpf_map_update_elem(bpf_map__fd(m),
			hash ? (const void *)&nets->v[i].addr : (const void *)&nets->v[i], &one, 0);
}

int testrun_load(const char *path, const struct testrun_nets *nets)
{
	struct bpf_object *o;
	struct bpf_program *p;
	int fd = -1;

	libbpf_set_print(quiet);
	o = bpf_object__open_file(path, NULL);
	if (!o)
		return -1; /* there is none */
	p = bpf_object__next_program(o, NULL);
	if (p && !bpf_object__load(o)) {
		fill(o, nets);
		fd = dup(bpf_program__fd(p));
	} else {
		fprintf(stderr, "bench-packets: %s: not loaded: %s\n", path, strerror(errno));
	}
	bpf_object__close(o);
	return fd;
}
