/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The limits: programs written by hand in our assembler's syntax (hand/), loaded as they are.
 *
 *   map TYPE KEY VALUE ENTRIES [FLAGS]   the next map: map[0], map[1] …
 *   map log2                             2048 bytes: for each byte of a number, floor(log2) of it
 *   map task_storage                     8 bytes a task
 *   prog tracing|xdp                     a program follows
 *
 * $struct.member.member+N is an offset in the kernel's types, $type:struct an id, $kfunc:name one.
 */
#include "tests/bench/native.h"
#include "backend-bpf/backend.h"
#include "kern/btf.h"
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 8
#define LOG_SIZE 65536

struct hand {
	struct skep *k;
	const char *path;
	int map[MAPS_MAX];
	unsigned nmaps;
};

static int log2_map(void)
{
	uint32_t zero = 0;
	uint8_t table[2048];
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "log2", 4, sizeof(table), 1, NULL);

	for (unsigned i = 0; i < sizeof(table); i++)
		table[i] = (uint8_t)(i / 256 * 8 + (i % 256 ? 31u - (unsigned)__builtin_clz(i % 256) : 0));
	bpf_map_update_elem(fd, &zero, table, 0);
	return fd;
}

/* Values of 8 bytes on tasks: the kernel wants to know their types. */
static int storage_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *types = btf__new_empty();
	int fd;

	o.btf_key_type_id = (uint32_t)btf__add_int(types, "int", 4, BTF_INT_SIGNED);
	o.btf_value_type_id = (uint32_t)btf__add_int(types, "long", 8, BTF_INT_SIGNED);
	btf__load_into_kernel(types);
	o.btf_fd = (uint32_t)btf__fd(types);
	fd = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "hand", 4, 8, 0, &o);
	btf__free(types);
	return fd;
}

static bool make_map(struct hand *h, char *line)
{
	static const struct {
		const char *name;
		enum bpf_map_type type;
	} types[] = {{"array", BPF_MAP_TYPE_ARRAY}, {"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH},
		{"hash", BPF_MAP_TYPE_HASH}, {"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY}, {"lpm_trie", BPF_MAP_TYPE_LPM_TRIE},
		{"ringbuf", BPF_MAP_TYPE_RINGBUF}, {"stack_trace", BPF_MAP_TYPE_STACK_TRACE}};
	unsigned key = 0, value = 0, entries = 0, flags = 0;
	LIBBPF_OPTS(bpf_map_create_opts, o);
	char name[32] = "";
	int fd = -1;

	if (h->nmaps == MAPS_MAX || sscanf(line, "map %31s %u %u %u %u", name, &key, &value, &entries,
			&flags) < 1)
		return false;
	if (!strcmp(name, "log2"))
		fd = log2_map();
	if (!strcmp(name, "task_storage"))
		fd = storage_map();
	o.map_flags = flags;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(name, types[i].name))
			fd = bpf_map_create(types[i].type, "hand", key, value, entries, &o);
	}
	if (!strcmp(name, "lpm_trie"))
		fill_trie(fd, key, value);
	h->map[h->nmaps++] = fd;
	return fd >= 0;
}

/* Offset of "struct.member.member". */
static bool member_offset(struct kbtf *btf, char *path, uint32_t *off)
{
	char *save = NULL, *part = strtok_r(path, ".", &save);
	uint32_t id = kbtf_find_struct(btf, part);
	struct kbtf_member m;

	*off = 0;
	while (id && (part = strtok_r(NULL, ".", &save))) {
		if (!kbtf_find_member(btf, id, part, &m))
			return false;
		*off += m.bit_off / 8;
		id = kbtf_strip(btf, m.type);
	}
	return id != 0;
}

/* What "$NAME" stands for; *text goes behind it. */
static bool number_of(struct hand *h, char **text, uint32_t *v)
{
	struct kbtf *btf = h->k->target.btf;
	char name[96] = "", *p = *text + 1;
	size_t n = 0;

	while (n + 1 < sizeof(name) && (isalnum((unsigned char)p[n]) || strchr("_.:", p[n])) && p[n])
		n++;
	memcpy(name, p, n);
	*text = p + n;
	if (!strncmp(name, "type:", 5))
		return (*v = kbtf_find_struct(btf, name + 5)) != 0;
	if (!strncmp(name, "kfunc:", 6))
		return (*v = kbtf_func(btf, name + 6)) != 0;
	if (!member_offset(btf, name, v))
		return false;
	if (**text == '+')
		*v += (uint32_t)strtoul(*text + 1, text, 10);
	return true;
}

static bool resolve(struct hand *h, char *text, struct buf *out)
{
	while (*text) {
		size_t plain = strcspn(text, "$");
		uint32_t v;

		buf_put(out, text, plain);
		text += plain;
		if (!*text)
			break;
		if (!number_of(h, &text, &v))
			return false;
		buf_printf(out, "%u", v);
	}
	return true;
}

static bool load_prog(struct hand *h, bool packet, char *text, struct set *s)
{
	static char log[LOG_SIZE];
	LIBBPF_OPTS(bpf_prog_load_opts, o, .log_buf = log, .log_size = sizeof(log)); /* when refused */
	struct asm_code code = {0};
	struct buf b;
	int fd;

	buf_init(&b, &h->k->a);
	if (!h->k->target.btf || !resolve(h, text, &b)) {
		printf("%s: this kernel's types are others\n", h->path);
		return false;
	}
	if (!asm_parse(b.p, b.n, diags_add_source(&h->k->diags, h->path, b.p, b.n), &h->k->diags,
		&h->k->a, &code)) {
		printf("%s\n", skep_messages(h->k, false));
		return false;
	}
	for (uint32_t i = 0; i < code.insns.n; i++) {
		struct bpf_insn *x = &code.insns.v[i];

		if (x->code == (BPF_LD | BPF_IMM | BPF_DW) && x->src_reg && (unsigned)x->imm < h->nmaps)
			x->imm = h->map[x->imm];
		i += x->code == (BPF_LD | BPF_IMM | BPF_DW);
	}
	fd = bpf_prog_load(packet ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_RAW_TRACEPOINT, "hand", "GPL",
		code.insns.v, code.insns.n, &o);
	if (fd < 0 || s->n == PROGS_MAX) {
		printf("%s: not loaded: %s\n%s\n", h->path, strerror(errno), log);
		return false;
	}
	s->packet = packet;
	s->fd[s->n++] = fd;
	return true;
}

bool load_hand(struct skep *k, const char *path, const char *text, struct set *s)
{
	struct hand h = {.k = k, .path = path};
	char *copy = arena_strdup(&k->a, text), *save = NULL, *kind = NULL;
	struct buf body;

	buf_init(&body, &k->a);
	buf_puts(&body, "");
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(l, "map ", 4)) {
			if (!make_map(&h, l)) {
				printf("%s: %s: %s\n", path, l, strerror(errno));
				return false;
			}
			continue;
		}
		if (strncmp(l, "prog ", 5)) {
			buf_printf(&body, "%s\n", l);
			continue;
		}
		if (kind && !load_prog(&h, !strcmp(kind, "xdp"), body.p, s))
			return false;
		kind = l + 5;
		buf_init(&body, &k->a);
		buf_puts(&body, "");
	}
	if (!kind || !load_prog(&h, !strcmp(kind, "xdp"), body.p, s))
		return false;
	for (unsigned i = 0; i < h.nmaps; i++)
		map_ring(s, h.map[i]);
	return true;
}
