/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * native FILE…: machine instructions that an event costs, helpers and map code included; for
 * `make bench`, in a guest whose emulator counts instructions as nanoseconds (run-guest -i).
 * Scripts are compiled for the running kernel; files that end in .o were made by clang, and those
 * that end in .s are the limits, written by hand.
 *
 * Nothing is attached. Tracing programs are loaded as raw tracepoints, which BPF_PROG_TEST_RUN
 * runs: what they read of their context, below 96 bytes, it hands to them. The difference to a
 * program that does nothing, over a thousand runs, is exact. A line "KEY native" for each file: all
 * of its programs, one after the other.
 */
#include "tests/bench/native.h"
#include "skep/load.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_MAX 65536
#define RUNS 1000
#define ROUNDS 5
#define TRIE_PREFIXES 1000

static const char file_name[64] = "/etc/ld.so.cache";

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int empty_program(bool packet)
{
	static const struct bpf_insn code[] = {{.code = BPF_ALU | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT}};

	return bpf_prog_load(packet ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL",
		code, 2, NULL);
}

/* A TCP segment to port 80, from an address that fill_trie() knows. */
static void make_frame(uint8_t *f)
{
	static const uint8_t ip[20] = {0x45, 0, 0, 50, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 5, 1, 10, 0, 0, 2};

	memset(f, 0, 64);
	f[12] = 8;
	memcpy(f + 14, ip, sizeof(ip));
	f[37] = 80;
	f[46] = 0x50;
}

/* One program once. What it reads: the name at 24, the flags at 32, numbers at 80 and 88. */
static int run_once(int fd, bool packet)
{
	static uint8_t frame[64], out[512];
	uint64_t words[12] = {[3] = (uintptr_t)file_name, [4] = 0x40, [10] = 1000, [11] = 777};
	LIBBPF_OPTS(bpf_test_run_opts, o);

	if (packet) {
		make_frame(frame);
		o.data_in = frame;
		o.data_size_in = sizeof(frame);
		o.data_out = out;
		o.data_size_out = sizeof(out);
		o.repeat = 1;
	} else {
		o.ctx_in = words;
		o.ctx_size_in = sizeof(words);
	}
	return bpf_prog_test_run_opts(fd, &o);
}

static void drain(const struct set *s)
{
	if (s->consumed)
		__atomic_store_n(s->consumed, __atomic_load_n(s->produced, __ATOMIC_ACQUIRE),
			__ATOMIC_RELEASE);
}

/* Nanoseconds of a round of all programs; empty >= 0: that one instead of each. */
static uint64_t round_of(const struct set *s, int empty)
{
	uint64_t start, best = UINT64_MAX;

	for (unsigned k = 0; k < ROUNDS; k++) {
		drain(s);
		start = now();
		for (unsigned i = 0; i < RUNS; i++) {
			for (unsigned p = 0; p < s->n; p++)
				run_once(empty >= 0 ? empty : s->fd[p], s->packet);
		}
		start = now() - start;
		best = start < best ? start : best;
	}
	return best;
}

static void measure(const char *path, const struct set *s)
{
	const char *base = strrchr(path, '/');
	int empty = empty_program(s->packet);
	uint64_t with, without;

	base = base ? base + 1 : path;
	if (empty < 0 || run_once(s->fd[0], s->packet)) {
		printf("%s: cannot run: %s\n", path, strerror(errno));
		return;
	}
	with = round_of(s, -1);
	without = round_of(s, empty);
	printf("@@native %.*s %lld\n", (int)strcspn(base, "_."), base,
		((long long)with - (long long)without + RUNS / 2) / RUNS);
	close(empty);
}

void map_ring(struct set *s, int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	void *c, *p;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.type != BPF_MAP_TYPE_RINGBUF)
		return;
	c = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (c == MAP_FAILED || p == MAP_FAILED)
		return;
	s->consumed = c;
	s->produced = p;
}

void fill_trie(int fd, uint32_t key_size, uint32_t value_size)
{
	uint8_t key[32] = {0}, value[32] = {2}; /* XDP_PASS */
	uint32_t bits = 24;

	if (key_size != 8 || value_size > sizeof(value)) /* IPv6's */
		return;
	memcpy(key, &bits, sizeof(bits));
	for (unsigned i = 0; i < TRIE_PREFIXES; i++) {
		key[4] = 10;
		key[5] = (uint8_t)(i >> 8);
		key[6] = (uint8_t)i;
		bpf_map_update_elem(fd, key, value, BPF_ANY);
	}
}

static bool has_end(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n > m && !strcmp(path + n - m, end);
}

static int measure_script(const char *path)
{
	struct skep_options o = {0};
	const struct skep_compile_options co = {0};
	char *text = calloc(1, SCRIPT_MAX);
	FILE *f = fopen(path, "re");
	struct set s = {.n = 0};
	struct skep *k = NULL;
	struct loaded *l;
	bool hand = has_end(path, ".s");
	size_t len;

	if (!text || !f || skep_new(&k, &o))
		return 1;
	len = fread(text, 1, SCRIPT_MAX, f);
	fclose(f);
	if (hand) {
		if (!load_hand(k, path, text, &s))
			return 1;
		measure(path, &s);
		return 0;
	}
	l = &k->loaded;
	if (skep_compile(k, path, text, len, &co) ||
		load_open(l, &k->a, &k->target, &k->diags, k->image, k->image_size))
		goto failed;
	for (uint32_t i = 0; i < l->meta.progs.n; i++) {
		s.packet = l->meta.progs.v[i].type == BPF_PROG_TYPE_XDP;
		if (!s.packet)
			l->meta.progs.v[i].type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	}
	if (load_programs(l, NULL))
		goto failed;
	for (uint32_t i = 0; i < l->meta.progs.n && s.n < PROGS_MAX; i++)
		s.fd[s.n++] = l->prog[i].fd;
	for (uint32_t i = 0; i < l->meta.maps.n; i++) {
		const struct meta_map *m = &l->meta.maps.v[i];

		map_ring(&s, l->map_fd[i]);
		if (m->type == BPF_MAP_TYPE_LPM_TRIE)
			fill_trie(l->map_fd[i], m->key_size, m->value_size);
	}
	measure(path, &s);
	skep_free(k);
	free(text);
	return 0;
failed:
	printf("%s: %s\n", path, skep_messages(k, false));
	skep_free(k);
	free(text);
	return 1;
}

static int measure_object(const char *path)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	struct set s = {.n = 0};
	struct bpf_program *p;
	struct bpf_map *m;

	if (!o)
		return 1;
	bpf_object__for_each_program(p, o) {
		s.packet = bpf_program__type(p) == BPF_PROG_TYPE_XDP;
		if (!s.packet)
			bpf_program__set_type(p, BPF_PROG_TYPE_RAW_TRACEPOINT);
	}
	if (bpf_object__load(o)) {
		printf("%s: not loaded: %s\n", path, strerror(errno));
		return 1;
	}
	bpf_object__for_each_program(p, o) {
		if (s.n < PROGS_MAX)
			s.fd[s.n++] = bpf_program__fd(p);
	}
	bpf_object__for_each_map(m, o) {
		map_ring(&s, bpf_map__fd(m));
		if (bpf_map__type(m) == BPF_MAP_TYPE_LPM_TRIE)
			fill_trie(bpf_map__fd(m), bpf_map__key_size(m), bpf_map__value_size(m));
	}
	measure(path, &s);
	bpf_object__close(o);
	return 0;
}

int main(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		bad |= has_end(argv[i], ".o") ? measure_object(argv[i]) : measure_script(argv[i]);
		fflush(stdout);
	}
	return bad;
}
