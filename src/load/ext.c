/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * .BTF.ext: which function each program is, which line each instruction came from, which
 * instructions hold kernel field offsets. And the program's own BTF on its way into the kernel.
 *
 * Only the types up to the last program's FUNC are given to the kernel: the writer puts those
 * first, they refer to nothing later, and what follows (maps, kfunc prototypes, struct_ops, local
 * structs) has kinds that older kernels refuse and no kernel needs.
 */
#include "load/internal.h"
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, func_off, func_len, line_off, line_len, core_off, core_len;
};

struct ext {
	struct loaded *l;
	const uint8_t *p, *end; /* the table being read */
	uint32_t (*sec_index)(void *arg, const char *name);
	void *arg;
};

static void take_func(struct loaded *l, struct obj_prog *p, uint32_t at, const void *rec)
{
	struct bpf_func_info r;

	memcpy(&r, rec, sizeof(r));
	for (uint32_t i = 0; i < p->fns.n; i++) {
		if (at != p->fns.v[i].at || p->funcs.n >= p->fns.n)
			continue;
		r.insn_off = at;
		vec_push(l->a, &p->funcs, r);
	}
}

static void take_line(struct loaded *l, struct obj_prog *p, uint32_t at, const void *rec)
{
	struct bpf_line_info r;

	memcpy(&r, rec, sizeof(r));
	r.insn_off = at;
	if (p->fns.n > 1 || !p->lines.n || r.insn_off > p->lines.v[p->lines.n - 1].insn_off)
		vec_push(l->a, &p->lines, r);
}

static void take_core(struct loaded *l, struct obj_prog *p, uint32_t at, const void *rec)
{
	struct bpf_core_relo r;

	memcpy(&r, rec, sizeof(r));
	r.insn_off = at;
	vec_push(l->a, &p->core, r);
}

static int by_place(const void *a, const void *b)
{
	uint32_t x, y; /* the first word of either record */

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Functions may have come in another order than they stand in the object. */
static void sort_records(struct obj_prog *p)
{
	uint32_t n = 0;

	if (p->fns.n <= 1)
		return;
	if (p->funcs.n)
		qsort(p->funcs.v, p->funcs.n, sizeof(*p->funcs.v), by_place);
	if (p->lines.n)
		qsort(p->lines.v, p->lines.n, sizeof(*p->lines.v), by_place);
	for (uint32_t i = 0; i < p->lines.n; i++) {
		if (!n || p->lines.v[i].insn_off > p->lines.v[n - 1].insn_off)
			p->lines.v[n++] = p->lines.v[i];
	}
	p->lines.n = n;
}

static bool word(struct ext *x, uint32_t *v)
{
	if (x->end - x->p < 4)
		return false;
	memcpy(v, x->p, 4);
	x->p += 4;
	return true;
}

/* Hands each record, whose first word is a byte offset in the section, to its program. */
static bool read_table(struct ext *x, uint32_t least,
	void (*take)(struct loaded *l, struct obj_prog *p, uint32_t at, const void *rec))
{
	struct obj_image *im = image_of(x->l);
	uint32_t rec_size, name, n, off;

	if (x->p == x->end)
		return true;
	if (!word(x, &rec_size) || rec_size < least || rec_size > 256)
		return false;
	while (x->p < x->end) {
		uint32_t sec;

		if (!word(x, &name) || !word(x, &n) || n > (size_t)(x->end - x->p) / rec_size)
			return false;
		sec = x->sec_index(x->arg, kbtf_str(im->local, name));
		for (uint32_t k = 0; k < n; k++, x->p += rec_size) {
			memcpy(&off, x->p, 4);
			for (uint32_t i = 0; sec && i < x->l->meta.progs.n; i++) {
				struct obj_prog *p = &im->prog[i];

				uint32_t at = prog_insn_at(p, sec, off);

				if (at != UINT32_MAX)
					take(x->l, p, at, x->p);
			}
		}
	}
	return true;
}

/* Types that end with the last program's FUNC: their bytes. 0 when there is none. */
static uint32_t given_types(const struct loaded *l)
{
	const struct obj_image *im = image_of(l);
	uint32_t last = 0;

	for (uint32_t i = 0; i < l->meta.progs.n; i++) {
		const struct obj_prog *p = &im->prog[i];

		for (uint32_t k = 0; k < p->funcs.n; k++) {
			uint32_t f = p->funcs.v[k].type_id;

			if (f > last && btf_kind_of(kbtf_type(im->local, f)) == BTF_KIND_FUNC)
				last = f;
		}
	}
	if (!last)
		return 0;
	return (uint32_t)((const uint8_t *)(kbtf_type(im->local, last) + 1) -
			  (im->btf + sizeof(struct btf_header)));
}

bool ext_read(struct loaded *l, const uint8_t *ext, size_t size,
	uint32_t (*sec_index)(void *arg, const char *name), void *arg, const char **why)
{
	struct ext x = {.l = l, .sec_index = sec_index, .arg = arg};
	struct ext_header h = {0};
	struct {
		uint32_t off, len, least;
		void (*take)(struct loaded *l, struct obj_prog *p, uint32_t at, const void *rec);
	} t[3];

	*why = "its .BTF.ext is damaged";
	if (size < 24)
		return false;
	memcpy(&h, ext, size < sizeof(h) ? size : sizeof(h));
	if (h.magic != BTF_MAGIC || h.version != BTF_VERSION || h.hdr_len < 24 || h.hdr_len > size)
		return false;
	if (h.hdr_len < sizeof(h))
		h.core_len = 0;
	t[0].off = h.func_off, t[0].len = h.func_len, t[0].take = take_func;
	t[1].off = h.line_off, t[1].len = h.line_len, t[1].take = take_line;
	t[2].off = h.core_off, t[2].len = h.core_len, t[2].take = take_core;
	t[0].least = sizeof(struct bpf_func_info);
	t[1].least = sizeof(struct bpf_line_info);
	t[2].least = sizeof(struct bpf_core_relo);
	size -= h.hdr_len;
	for (int i = 0; i < 3; i++) {
		if (t[i].len && (t[i].off > size || t[i].len > size - t[i].off))
			return false;
		x.p = ext + h.hdr_len + (t[i].len ? t[i].off : 0);
		x.end = x.p + t[i].len;
		if (!read_table(&x, t[i].least, t[i].take))
			return false;
	}
	for (uint32_t i = 0; i < l->meta.progs.n; i++)
		sort_records(&image_of(l)->prog[i]);
	image_of(l)->btf_given = given_types(l);
	*why = NULL;
	return true;
}

/* Header, the first types, all strings: they hold the source lines. */
static int load_given(struct loaded *l)
{
	struct obj_image *im = image_of(l);
	struct btf_header h;
	struct buf out;

	memcpy(&h, im->btf, sizeof(h));
	buf_init(&out, l->a);
	buf_put(&out, &h, sizeof(h));
	buf_put(&out, im->btf + h.hdr_len, im->btf_given);
	buf_put(&out, im->btf + h.hdr_len + h.str_off, h.str_len);
	h.type_len = im->btf_given;
	h.str_off = im->btf_given;
	memcpy(out.p, &h, sizeof(h));
	return sys_btf_load(out.p, out.n);
}

int btf_fd_of(struct loaded *l)
{
	struct obj_image *im = image_of(l);

	if (im->btf_tried)
		return im->btf_fd;
	im->btf_tried = true;
	if (im->local && im->btf_given)
		im->btf_fd = load_given(l);
	if (im->btf_fd < 0)
		im->btf_fd = -1;
	return im->btf_fd;
}
