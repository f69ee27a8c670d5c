/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Creates the maps of an object and reads and writes those that stand for data.
 * RLIMIT_MEMLOCK, which counts before 5.11, is raised by ours.
 * Ensures: after maps_create every row but struct_ops has a descriptor, initial values are in
 * place, read-only data is frozen, and data maps are mapped where the kernel allows it.
 */
#include "load/internal.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LIST_MOST (4u << 20) /* a bound, no memory: tries grow by the entry */
#define RING_DEFAULT (256u * 1024)

/* Maps that stand for variables, not for a container of the script. */
static bool is_data(const struct meta_map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY && m->role != MM_USER && m->role != MM_SCRATCH &&
		m->role != MM_TIMER;
}

/* A power of two, at least a page. */
static uint32_t ring_size(uint32_t want)
{
	uint32_t size = (uint32_t)getpagesize();

	if (!want)
		want = RING_DEFAULT;
	while (size < want && size < 1u << 31)
		size *= 2;
	return size;
}

/* Stacks may be as deep as kernel.perf_event_max_stack says; asking for more is refused. */
static uint32_t stack_bytes(uint32_t want)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_max_stack", "re");
	char text[16] = "";
	uint32_t most;

	if (!f)
		return want;
	most = fgets(text, sizeof(text), f) ? (uint32_t)strtoul(text, NULL, 10) : 0;
	if (most && want / 8 > most)
		want = 8 * most;
	fclose(f);
	return want;
}

#define TIMER_SIZE 16 /* struct bpf_timer, include/uapi/linux/bpf.h */
enum { TYPE_KEY = 1, TYPE_WORDS, TYPE_TIMER, TYPE_TIMED }; /* of what follows */

/*
 * Types for maps that must have some: the key, an int; the value of task storage, an array of it; a
 * value that holds a timer, which the kernel finds by its type's name.
 */
static int own_btf(uint32_t value_size)
{
	struct {
		struct btf_header h;
		struct btf_type key;
		uint32_t bits;
		struct btf_type words;
		struct btf_array array;
		struct btf_type timer, timed;
		struct btf_member member;
		char str[20];
	} b = {.h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(b.h), .str_len = 17},
		.key = {.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4}, .bits = 32,
		.words = {.info = BTF_KIND_ARRAY << 24},
		.array = {TYPE_KEY, TYPE_KEY, value_size / 4},
		.timer = {.name_off = 5, .info = BTF_KIND_STRUCT << 24, .size = TIMER_SIZE},
		.timed = {.info = BTF_KIND_STRUCT << 24 | 1, .size = TIMER_SIZE},
		.member = {.name_off = 15, .type = TYPE_TIMER}, .str = "\0int\0bpf_timer\0t"};

	b.h.type_len = b.h.str_off = (uint32_t)(offsetof(typeof(b), str) - sizeof(b.h));
	return sys_btf_load(&b, (uint32_t)offsetof(typeof(b), str) + b.h.str_len);
}

static int create_typed(const struct meta_map *m, uint32_t value_type)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = m->flags, .btf_key_type_id = TYPE_KEY,
		.btf_value_type_id = value_type);
	int btf = own_btf(m->value_size), fd;

	if (btf < 0)
		return btf;
	o.btf_fd = (uint32_t)btf;
	fd = sys_map_create(m->type, m->kname, 4, m->value_size, m->max_entries, &o);
	close(btf);
	return fd;
}

int map_probe(uint32_t type)
{
	struct meta_map m = {.type = type, .flags = BPF_F_NO_PREALLOC, .value_size = 4};
	int fd = type == BPF_MAP_TYPE_TASK_STORAGE ? create_typed(&m, TYPE_WORDS) :
		 sys_map_create(type, NULL, 0, 0, ring_size(0), NULL);

	if (fd < 0)
		return errno == EPERM ? -1 : 0;
	close(fd);
	return 1;
}

void maps_stop_timers(const struct loaded *l)
{
	const uint8_t none[TIMER_SIZE] = {0};
	uint32_t zero = 0;

	for (uint32_t i = 0; l->map_fd && i < l->meta.maps.n; i++) {
		const struct meta_map *m = &l->meta.maps.v[i];

		/* writing the value cancels the timer in it and forgets its function */
		if (m->role == MM_TIMER && m->value_size == TIMER_SIZE && l->map_fd[i] >= 0)
			bpf_map_update_elem(l->map_fd[i], &zero, none, 0);
	}
}

static int create(const struct loaded *l, const struct meta_map *m, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = flags, .map_ifindex = l->offload);
	uint32_t value = m->role == MM_STACKS ? stack_bytes(m->value_size) : m->value_size;
	uint32_t n = m->max_entries, span;

	if (m->type == BPF_MAP_TYPE_RINGBUF)
		n = ring_size(n);
	else if (m->role == MM_SET && m->type == BPF_MAP_TYPE_LPM_TRIE && n < LIST_MOST)
		n = LIST_MOST;
	else if (m->type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		n = possible_cpus(&span) > 0 ? span : 1;
	return sys_map_create(m->type, m->kname, m->key_size, value, n, &o);
}

/* Mapping data is a convenience: without it (before 5.5) values go through system calls. */
static int create_data(const struct loaded *l, const struct meta_map *m)
{
	uint32_t flags = m->flags | (m->role == MM_RODATA ? BPF_F_RDONLY_PROG : 0);
	int fd = create(l, m, flags | BPF_F_MMAPABLE);

	return fd >= 0 || errno != EINVAL ? fd : create(l, m, flags);
}

static void *map_memory(const struct meta_map *m, int fd)
{
	int prot = m->role == MM_RODATA ? PROT_READ : PROT_READ | PROT_WRITE;
	void *p = mmap(NULL, m->value_size, prot, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool wants_memory(const struct meta_map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY && m->max_entries == 1 && m->value_size &&
	       (is_data(m) || (m->flags & BPF_F_MMAPABLE));
}

static int fill(struct loaded *l, uint32_t i)
{
	const struct meta_map *m = &l->meta.maps.v[i];
	uint32_t zero = 0;

	if (m->init && bpf_map_update_elem(l->map_fd[i], &zero, m->init, 0))
		return -errno;
	if (m->role == MM_RODATA && bpf_map_freeze(l->map_fd[i]) && errno != EINVAL)
		return -errno;
	return 0;
}

/* What the rest of the loader relies on; a damaged side table may say otherwise. */
static bool row_ok(const struct meta_map *m)
{
	if (m->init && (m->max_entries != 1 || m->key_size != 4))
		return false;
	return !is_data(m) || (m->max_entries == 1 && m->key_size == 4 && m->value_size);
}

static int create_one(struct loaded *l, uint32_t i)
{
	const struct meta_map *m = &l->meta.maps.v[i];
	const char *kind = l->offload ? "offload" : m->type == BPF_MAP_TYPE_RINGBUF ? "ringbuf" : "";
	int fd, err = 0;

	if (m->role == MM_STRUCT_OPS)
		return structops_create(l, i);
	if (!row_ok(m)) {
		diag_error(l->d, NO_SPAN, DIAG_BAD_OBJECT, "map '%s' of the object is damaged",
			m->name);
		return SKEP_EUSER;
	}
	if (m->cpus && m->cpus < l->target->cpu_span) {
		diag_error(l->d, NO_SPAN, DIAG_BAD_OBJECT,
			"the object was compiled for a machine with at most %u CPUs; this one has %u",
			m->cpus, l->target->cpu_span);
		return SKEP_EUSER;
	}
	if (m->type == BPF_MAP_TYPE_TASK_STORAGE)
		fd = create_typed(m, TYPE_WORDS);
	else if (m->role == MM_TIMER)
		fd = create_typed(m, TYPE_TIMED);
	else
		fd = is_data(m) ? create_data(l, m) : create(l, m, m->flags);
	if (fd < 0)
		return sys_error(l, SYS_MAP, kind, NO_SPAN, errno,
			"cannot create map '%s' (%u entries of %u + %u bytes)", m->name,
			m->max_entries, m->key_size, m->value_size);
	l->map_fd[i] = fd;
	err = fill(l, i);
	if (err)
		return sys_error(l, SYS_MAP, kind, NO_SPAN, -err, "cannot fill map '%s'", m->name);
	if (wants_memory(m))
		l->map_mem[i] = map_memory(m, fd);
	return SKEP_OK;
}

/* The moment that elapsed counts from: the clock of bpf_ktime_get_boot_ns. */
static void set_start_time(struct loaded *l)
{
	uint32_t map = meta_role_map(&l->meta, MM_START_TIME);
	struct timespec t;
	uint64_t ns[1];

	if (map == META_NONE || l->meta.maps.v[map].value_size != sizeof(*ns) ||
		clock_gettime(CLOCK_BOOTTIME, &t))
		return;
	ns[0] = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	load_value_set(l, map, ns);
}

int maps_create(struct loaded *l)
{
	for (uint32_t i = 0; i < l->meta.maps.n; i++) {
		int err = create_one(l, i);

		if (err)
			return err;
	}
	set_start_time(l);
	return SKEP_OK;
}

void maps_close(struct loaded *l)
{
	for (uint32_t i = 0; l->map_fd && i < l->meta.maps.n; i++) {
		if (l->map_mem[i])
			munmap(l->map_mem[i], l->meta.maps.v[i].value_size);
		if (l->map_fd[i] >= 0)
			close(l->map_fd[i]);
		l->map_mem[i] = NULL;
		l->map_fd[i] = -1;
	}
}

static bool one_value(const struct loaded *l, uint32_t map)
{
	return map < l->meta.maps.n && l->map_fd[map] >= 0 &&
	       l->meta.maps.v[map].type == BPF_MAP_TYPE_ARRAY;
}

int load_value_get(const struct loaded *l, uint32_t map, void *value)
{
	uint32_t zero = 0;

	if (!one_value(l, map))
		return -EINVAL;
	if (l->map_mem[map]) {
		memcpy(value, l->map_mem[map], l->meta.maps.v[map].value_size);
		return 0;
	}
	return bpf_map_lookup_elem(l->map_fd[map], &zero, value) ? -errno : 0;
}

int load_value_set(const struct loaded *l, uint32_t map, const void *value)
{
	uint32_t zero = 0;

	if (!one_value(l, map) || l->meta.maps.v[map].role == MM_RODATA)
		return -EINVAL;
	return bpf_map_update_elem(l->map_fd[map], &zero, value, 0) ? -errno : 0;
}
