/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See kernel.h. Of libbpf only the wrappers of system calls and the ring buffer reader. */
#include "tests/fuzz/kernel.h"
#include "backend-bpf/insn.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_SIZE (256 * 1024)
#define MAX_CPUS 4096

bool kernel_allowed(uint32_t prog_type, const char **why)
{
	const struct bpf_insn prog[] = {
		isa_insn(ISA_MOV64_RI, 0, 0, 0, 0),
		isa_insn(ISA_EXIT, 0, 0, 0, 0),
	};
	int fd = bpf_prog_load((enum bpf_prog_type)prog_type, NULL, "GPL", prog, 2, NULL);

	if (fd >= 0) {
		close(fd);
		return true;
	}
	*why = strerror(-fd);
	return false;
}

bool kernel_takes_isa(int isa)
{
	/* an instruction that came with each level */
	static const enum isa_op sample[] = {
		ISA_ADD64_RI, ISA_JLT64_RI, ISA_JLT32_RI, ISA_SDIV64_RI};
	const struct bpf_insn prog[] = {
		isa_insn(ISA_MOV64_RI, 0, 0, 0, 0),
		isa_insn(sample[isa - 1], 0, 0, 0, 1),
		isa_insn(ISA_EXIT, 0, 0, 0, 0),
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, NULL, "GPL", prog, 3, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int create_map(struct kernel_prog *k, uint32_t at)
{
	const struct meta_map *m = &k->meta->maps.v[at];
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = m->flags);
	uint32_t zero = 0;
	int err, fd = bpf_map_create((enum bpf_map_type)m->type, m->kname, m->key_size,
			 m->value_size, m->max_entries, &o);

	k->map_fd[at] = fd;
	if (fd < 0) {
		k->log = arena_printf(k->a, "map %s: %s", m->kname, strerror(-fd));
		return fd;
	}
	if (!m->init)
		return 0;
	err = bpf_map_update_elem(fd, &zero, m->init, BPF_ANY);
	if (!err && m->role == MM_RODATA)
		err = bpf_map_freeze(fd);
	if (err)
		k->log = arena_printf(k->a, "map %s: %s", m->kname, strerror(-err));
	return err;
}

static int create_maps(struct kernel_prog *k)
{
	uint32_t n = k->meta ? k->meta->maps.n : 0;

	k->map_fd = ARENA_ARRAY(k->a, int, n);
	for (uint32_t at = 0; at < n; at++)
		k->map_fd[at] = -1;
	for (uint32_t at = 0; at < n; at++) {
		int err = create_map(k, at);

		if (err)
			return err;
	}
	return 0;
}

/* Map indices to file descriptors. */
static int patch(struct kernel_prog *k, struct bpf_insn *insn, uint32_t n)
{
	uint32_t nmaps = k->meta ? k->meta->maps.n : 0;

	for (uint32_t at = 0; at < n; at++) {
		struct bpf_insn *i = &insn[at];

		if (i->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		at++;
		if (i->src_reg != BPF_PSEUDO_MAP_FD && i->src_reg != BPF_PSEUDO_MAP_VALUE)
			continue;
		if ((uint32_t)i->imm >= nmaps) {
			k->log = "instruction names a map that does not exist";
			return -EINVAL;
		}
		i->imm = k->map_fd[i->imm];
	}
	return 0;
}

/* Starts of the program and of what it hands to helpers, in order; how many. */
static uint32_t find_functions(struct kernel_prog *k, const struct bpf_insn *insn, uint32_t n,
	struct bpf_func_info *f)
{
	bool *start = ARENA_ARRAY(k->a, bool, n + 1);
	uint32_t count = 0;

	start[0] = true;
	for (uint32_t at = 0; at < n; at++) {
		if (insn[at].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn[at].src_reg == BPF_PSEUDO_FUNC)
			start[at + 1 + (uint32_t)insn[at].imm] = true;
		at++;
	}
	for (uint32_t at = 0; at < n; at++) {
		if (start[at])
			f[count++] = (struct bpf_func_info){.insn_off = at, .type_id = 3};
	}
	return count;
}

/* [1] int, [2] int (void), [3] static function of that type: for code of several functions. */
static int load_btf(void)
{
	static const char strings[] = "\0int\0f";
	static const uint32_t types[] = {1, BTF_KIND_INT << 24, 4, BTF_INT_SIGNED << 24 | 32,
		0, BTF_KIND_FUNC_PROTO << 24, 1, 5, BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC, 2};
	struct {
		struct btf_header h;
		uint32_t types[10];
		char strings[sizeof(strings)];
	} b = {.h = {.magic = 0xeb9f, .version = 1, .hdr_len = sizeof(struct btf_header),
		.type_len = sizeof(types), .str_off = sizeof(types), .str_len = sizeof(strings)}};

	memcpy(b.types, types, sizeof(types));
	memcpy(b.strings, strings, sizeof(strings));
	return bpf_btf_load(&b, sizeof(b.h) + sizeof(types) + sizeof(strings), NULL);
}

int kernel_load(struct kernel_prog *k, const struct bpf_insn *insn, uint32_t n)
{
	struct bpf_insn *copy = ARENA_ARRAY(k->a, struct bpf_insn, n);
	char *log = arena_alloc(k->a, LOG_SIZE);
	/* any alignment: riscv64 takes then what the other architectures always take */
	LIBBPF_OPTS(bpf_prog_load_opts, o, .log_buf = log, .log_size = LOG_SIZE,
		.expected_attach_type = (enum bpf_attach_type)k->expected_attach_type,
		.attach_btf_id = k->attach_btf_id, .prog_flags = k->flags | BPF_F_ANY_ALIGNMENT);
	int err, btf;

	k->fd = -1;
	k->log = "";
	k->judged = false;
	if (n)
		memcpy(copy, insn, sizeof(*insn) * n);
	err = create_maps(k);
	if (!err)
		err = patch(k, copy, n);
	if (err)
		return err;
	o.func_info = ARENA_ARRAY(k->a, struct bpf_func_info, n + 1);
	o.func_info_cnt = find_functions(k, copy, n, (struct bpf_func_info *)o.func_info);
	btf = o.func_info_cnt > 1 ? load_btf() : -1;
	if (btf < 0)
		o.func_info_cnt = 0;
	o.func_info_rec_size = o.func_info_cnt ? sizeof(struct bpf_func_info) : 0;
	o.prog_btf_fd = btf < 0 ? 0 : (uint32_t)btf;
	k->fd = bpf_prog_load((enum bpf_prog_type)k->type, "skep_test", "GPL", copy, n, &o);
	if (btf >= 0)
		close(btf);
	if (k->fd >= 0)
		return 0;
	k->judged = log[0] != 0;
	k->log = k->judged ? log : strerror(-k->fd);
	return k->fd;
}

void kernel_close(struct kernel_prog *k)
{
	if (k->fd >= 0)
		close(k->fd);
	for (uint32_t at = 0; k->meta && k->map_fd && at < k->meta->maps.n; at++) {
		if (k->map_fd[at] >= 0)
			close(k->map_fd[at]);
	}
	k->fd = -1;
	k->map_fd = NULL;
}

static bool has_packet(uint32_t type)
{
	return type == BPF_PROG_TYPE_XDP || type == BPF_PROG_TYPE_SCHED_CLS ||
	       type == BPF_PROG_TYPE_SCHED_ACT || type == BPF_PROG_TYPE_CGROUP_SKB ||
	       type == BPF_PROG_TYPE_SOCKET_FILTER;
}

int kernel_run(struct kernel_prog *k, uint8_t *data, uint32_t *size, uint32_t cap, uint32_t *retval)
{
	LIBBPF_OPTS(bpf_test_run_opts, o);
	cpu_set_t before, cpu0;
	uint8_t *out = arena_alloc(k->a, cap);
	int err;

	if (has_packet(k->type)) {
		o.data_in = data;
		o.data_size_in = *size;
		o.data_out = out;
		o.data_size_out = cap;
		o.repeat = 1;
		o.flags = k->run_flags;
	} else {
		o.ctx_in = data;
		o.ctx_size_in = *size;
	}
	CPU_ZERO(&cpu0);
	CPU_SET(0, &cpu0);
	if (sched_getaffinity(0, sizeof(before), &before) ||
		sched_setaffinity(0, sizeof(cpu0), &cpu0))
		return -errno;
	err = bpf_prog_test_run_opts(k->fd, &o);
	if (sched_setaffinity(0, sizeof(before), &before))
		return -errno;
	if (err)
		return err;
	*retval = o.retval;
	if (has_packet(k->type)) {
		*size = o.data_size_out;
		memcpy(data, out, *size < cap ? *size : cap);
	}
	return 0;
}

static bool is_percpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

int kernel_map_each(struct kernel_prog *k, uint32_t map,
	void (*fn)(void *arg, const void *key, const void *value), void *arg)
{
	const struct meta_map *m = &k->meta->maps.v[map];
	size_t slot = (m->value_size + 7) & ~7u;
	uint8_t *key = arena_alloc(k->a, m->key_size), *next = arena_alloc(k->a, m->key_size);
	uint8_t *value = arena_alloc(k->a, slot * (is_percpu(m->type) ? MAX_CPUS : 1));
	const uint8_t *from = NULL;

	if (m->type == BPF_MAP_TYPE_RINGBUF)
		return 0;
	for (;;) {
		int err = bpf_map_get_next_key(k->map_fd[map], from, next);

		if (err)
			return err == -ENOENT ? 0 : err;
		err = bpf_map_lookup_elem(k->map_fd[map], next, value);
		if (err)
			return err;
		fn(arg, next, value); /* CPU 0's comes first */
		memcpy(key, next, m->key_size);
		from = key;
	}
}

struct record_sink {
	void (*fn)(void *arg, const void *data, uint32_t size);
	void *arg;
};

static int one_record(void *ctx, void *data, size_t size)
{
	const struct record_sink *s = ctx;

	s->fn(s->arg, data, (uint32_t)size);
	return 0;
}

int kernel_records(struct kernel_prog *k, uint32_t map,
	void (*fn)(void *arg, const void *data, uint32_t size), void *arg)
{
	struct record_sink s = {fn, arg};
	struct ring_buffer *rb = ring_buffer__new(k->map_fd[map], one_record, &s, NULL);
	int n;

	if (!rb)
		return -errno;
	n = ring_buffer__consume(rb);
	ring_buffer__free(rb);
	return n;
}

/* ---- comparison ---- */

struct comparison {
	struct interp *in;
	const struct meta_map *m;
	uint32_t map, entries;
	struct buf *why;
	bool same;
};

static void hex(struct buf *out, const void *p, size_t n)
{
	for (size_t k = 0; k < n; k++)
		buf_printf(out, "%02x", ((const uint8_t *)p)[k]);
}

static void compare_entry(void *arg, const void *key, const void *value)
{
	struct comparison *c = arg;
	const void *ours = interp_map_lookup(c->in, c->map, key);

	c->entries++;
	if (ours && !memcmp(ours, value, c->m->value_size))
		return;
	c->same = false;
	buf_printf(c->why, "map %s [", c->m->kname);
	hex(c->why, key, c->m->key_size);
	buf_puts(c->why, "]: kernel ");
	hex(c->why, value, c->m->value_size);
	buf_puts(c->why, ", interpreter ");
	if (ours)
		hex(c->why, ours, c->m->value_size);
	buf_puts(c->why, ours ? "\n" : "has none\n");
}

static void count_entry(void *arg, const void *key, const void *value)
{
	uint32_t *n = arg;

	(void)key;
	(void)value;
	++*n;
}

bool kernel_same_maps(struct kernel_prog *k, struct interp *in, struct buf *why)
{
	bool same = true;

	for (uint32_t map = 0; k->meta && map < k->meta->maps.n; map++) {
		struct comparison c = {in, &k->meta->maps.v[map], map, 0, why, true};
		uint32_t ours = 0;
		int err = kernel_map_each(k, map, compare_entry, &c);

		if (err) {
			buf_printf(why, "map %s: %s\n", c.m->kname, strerror(-err));
			same = false;
		}
		interp_map_each(in, map, count_entry, &ours);
		if (c.m->type != BPF_MAP_TYPE_RINGBUF && ours != c.entries) {
			buf_printf(why, "map %s: kernel has %u entries, interpreter %u\n",
				c.m->kname, c.entries, ours);
			same = false;
		}
		same &= c.same;
	}
	return same;
}
