/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes .BTF and .BTF.ext. What has to be in them was found by taking things away from objects
 * that loaded (docs/objects.md).
 *
 * Order matters: first the types that the kernel itself is given (programs and their prototype),
 * then what only loaders read: maps, variables, kfunc prototypes, struct_ops, relocatable structs.
 * Our loader hands the kernel the first part alone, which every kernel with BTF understands.
 */
#include "backend-bpf/btfw.h"
#include <linux/bpf.h>
#include <string.h>

uint32_t btfw_str(struct btfw *w, const char *s, size_t n)
{
	uintptr_t at;
	char *copy;

	if (!n)
		return 0;
	at = (uintptr_t)smap_getn(&w->str_off, s, n);
	if (at)
		return (uint32_t)at - 1;
	copy = arena_strndup(w->a, s, n);
	at = w->strs.n + 1;
	smap_put(&w->str_off, copy, (void *)at);
	buf_put(&w->strs, copy, n + 1);
	return (uint32_t)at - 1;
}

void btfw_word(struct btfw *w, uint32_t v)
{
	buf_put(&w->types, &v, 4);
}

uint32_t btfw_type(struct btfw *w, const char *name, uint32_t kind, uint32_t vlen, uint32_t word)
{
	btfw_word(w, btfw_str(w, name, strlen(name)));
	btfw_word(w, kind << 24 | vlen);
	btfw_word(w, word);
	return ++w->n;
}

uint32_t btfw_int(struct btfw *w, uint32_t size, bool is_signed)
{
	static const char *const names[2][4] = {
		{"unsigned char", "unsigned short", "unsigned int", "unsigned long"},
		{"char", "short", "int", "long"}};
	unsigned lg = size >= 8 ? 3 : size >= 4 ? 2 : size >= 2 ? 1 : 0;
	uint32_t *id = &w->ints[is_signed][lg];

	if (!*id) {
		*id = btfw_type(w, names[is_signed][lg], BTF_KIND_INT, 0, 1u << lg);
		btfw_word(w, (is_signed ? BTF_INT_SIGNED << 24 : 0) | 8u << lg);
	}
	return *id;
}

uint32_t btfw_array(struct btfw *w, uint32_t elem, uint32_t n)
{
	uint32_t index = btfw_int(w, 4, true), id;

	for (uint32_t i = 0; i < w->arrays.n; i++) {
		if (w->arrays.v[i].elem == elem && w->arrays.v[i].nelems == n)
			return w->arrays.v[i].id;
	}
	id = btfw_type(w, "", BTF_KIND_ARRAY, 0, 0);
	btfw_word(w, elem);
	btfw_word(w, index);
	btfw_word(w, n);
	vec_push(w->a, &w->arrays, (struct btfw_array){elem, n, id});
	return id;
}

uint32_t btfw_chars(struct btfw *w, uint32_t n)
{
	return btfw_array(w, btfw_int(w, 1, true), n);
}

/* Functions that helpers call back: the kernel wants them static, and looks no further. */
static void put_subs(struct btfw *w)
{
	static const char *const args[] = {"map", "key", "value", "frame"};
	uint32_t proto = 0;

	w->subs = ARENA_ARRAY(w->a, uint32_t, w->m->meta->progs.n + 1);
	for (uint32_t i = 0; i < w->m->meta->progs.n; i++) {
		const struct code *c = &w->code[i];

		if (c->fns.n && !proto) {
			proto = btfw_type(w, "", BTF_KIND_FUNC_PROTO, 4, btfw_int(w, 8, true));
			for (unsigned k = 0; k < 4; k++) {
				btfw_word(w, btfw_str(w, args[k], strlen(args[k])));
				btfw_word(w, w->ptr_void);
			}
		}
		w->subs[i] = w->n + 1;
		for (uint32_t k = 0; k < c->fns.n; k++)
			btfw_type(w, c->fns.v[k].name, BTF_KIND_FUNC, BTF_FUNC_STATIC, proto);
	}
}

/*
 * Static linkage: of global functions kernels would check the return type and arguments, which
 * says nothing about a program's entry.
 */
static void put_progs(struct btfw *w)
{
	uint32_t ret = btfw_int(w, 4, true), proto;

	w->ptr_void = btfw_type(w, "", BTF_KIND_PTR, 0, 0);
	proto = btfw_type(w, "", BTF_KIND_FUNC_PROTO, 1, ret);
	btfw_word(w, btfw_str(w, "ctx", 3));
	btfw_word(w, w->ptr_void);
	for (uint32_t i = 0; i < w->m->meta->progs.n; i++)
		w->func[i] = btfw_type(w, w->m->meta->progs.v[i].name, BTF_KIND_FUNC,
			BTF_FUNC_STATIC, proto);
	put_subs(w);
}

static uint32_t put_var(struct btfw *w, const char *name, uint32_t type)
{
	uint32_t id = btfw_type(w, name, BTF_KIND_VAR, 0, type);

	btfw_word(w, BTF_VAR_GLOBAL_ALLOCATED);
	return id;
}

struct secinfo {
	uint32_t type, off, size;
};

static void put_datasec(struct btfw *w, const char *name, uint32_t size, const struct secinfo *v,
	uint32_t n)
{
	btfw_type(w, name, BTF_KIND_DATASEC, n, size);
	for (uint32_t i = 0; i < n; i++) {
		btfw_word(w, v[i].type);
		btfw_word(w, v[i].off);
		btfw_word(w, v[i].size);
	}
}

/* Task storage wants to know the types of keys and values, other maps their sizes. */
static uint32_t map_attr(struct btfw *w, const struct meta_map *r, unsigned i, const char **name)
{
	const char *const names[] = {"type", "key_size", "value_size", "max_entries", "map_flags"};
	const uint32_t values[] = {r->type, r->key_size, r->value_size, r->max_entries, r->flags};
	bool typed = r->type == BPF_MAP_TYPE_TASK_STORAGE && (i == 1 || i == 2);

	*name = typed ? (i == 1 ? "key" : "value") : names[i];
	return typed && i == 1 ? btfw_int(w, 4, true) : btfw_chars(w, values[i]);
}

/* An attribute is a pointer to an array whose length is the number (libbpf's __uint). */
static uint32_t put_map(struct btfw *w, const struct meta_map *r)
{
	const char *name[5];
	uint32_t ptr[5], id;

	for (unsigned i = 0; i < 5; i++) {
		uint32_t to = map_attr(w, r, i, &name[i]);

		ptr[i] = btfw_type(w, "", BTF_KIND_PTR, 0, to);
	}
	id = btfw_type(w, "", BTF_KIND_STRUCT, 5, OBJ_MAP_BYTES);
	for (unsigned i = 0; i < 5; i++) {
		btfw_word(w, btfw_str(w, name[i], strlen(name[i])));
		btfw_word(w, ptr[i]);
		btfw_word(w, i * 64);
	}
	return id;
}

static void put_maps(struct btfw *w)
{
	const struct meta *meta = w->m->meta;
	struct secinfo *v = ARENA_ARRAY(w->a, struct secinfo, meta->maps.n + 1);

	for (uint32_t s = 0; s < w->l.secs.n; s++) {
		const struct obj_sec *sec = &w->l.secs.v[s];
		uint32_t n = 0;

		if (sec->kind == OBJ_CODE || sec->kind == OBJ_TEXT || sec->kind == OBJ_OPS)
			continue;
		for (uint32_t i = 0; i < meta->maps.n; i++) {
			const struct meta_map *r = &meta->maps.v[i];
			uint32_t type;

			if (w->l.map_sec[i] != s)
				continue;
			type = sec->kind == OBJ_MAPS ? put_map(w, r)
						     : btfw_chars(w, r->value_size);
			v[n].type = put_var(w, r->kname, type);
			v[n].off = w->l.map_off[i];
			v[n++].size = sec->kind == OBJ_MAPS ? OBJ_MAP_BYTES : r->value_size;
		}
		put_datasec(w, sec->name, sec->size, v, n);
	}
}

/*
 * A kernel type as libbpf must find it in our prototype: the same kinds through pointers; structs
 * count by kind alone. Depth bounds pointer chains and damaged BTF.
 */
static uint32_t copy_type(struct btfw *w, const struct kbtf *b, uint32_t id, int depth);

static uint32_t copy_proto(struct btfw *w, const struct kbtf *b, uint32_t proto, int depth)
{
	struct kbtf_param p[16];
	uint32_t type[16], ret, id, n = kbtf_params(b, proto, p, 16);

	if (n > 16)
		n = 16;
	ret = copy_type(w, b, kbtf_return(b, proto), depth);
	for (uint32_t i = 0; i < n; i++)
		type[i] = copy_type(w, b, p[i].type, depth);
	id = btfw_type(w, "", BTF_KIND_FUNC_PROTO, n, ret);
	for (uint32_t i = 0; i < n; i++) {
		char name[8] = {'a', (char)('a' + i), 0};

		btfw_word(w, btfw_str(w, name, 2));
		btfw_word(w, type[i]);
	}
	return id;
}

static uint32_t copy_type(struct btfw *w, const struct kbtf *b, uint32_t id, int depth)
{
	uint32_t bare = kbtf_strip(b, id), inner;
	const struct btf_type *t = kbtf_type(b, bare);
	struct kbtf_info d = kbtf_describe(b, bare);

	switch (btf_kind_of(t)) {
	case BTF_KIND_PTR:
		inner = depth < 3 ? copy_type(w, b, t->type, depth + 1) : 0;
		return inner ? btfw_type(w, "", BTF_KIND_PTR, 0, inner) : w->ptr_void;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return btfw_type(w, kbtf_name(b, bare), btf_kind_of(t), 0, 0);
	case BTF_KIND_FWD:
		return btfw_type(w, kbtf_name(b, bare), BTF_KIND_FWD, 0, 0);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return btfw_type(w, "", BTF_KIND_ENUM, 0, d.size);
	case BTF_KIND_FUNC_PROTO:
		return depth < 3 ? copy_proto(w, b, bare, depth + 1) : 0;
	case BTF_KIND_INT:
		return btfw_int(w, d.size, d.is_signed);
	default:
		return 0;
	}
}

static void put_kfuncs(struct btfw *w)
{
	const struct kbtf *b = w->m->target ? w->m->target->btf : NULL;
	uint32_t n = w->m->kfuncs.n;
	struct secinfo *v = ARENA_ARRAY(w->a, struct secinfo, n + 1);

	for (uint32_t i = 0; i < n; i++) {
		const struct ir_kfunc *k = &w->m->kfuncs.v[i];
		uint32_t proto;

		if (b && k->proto)
			proto = copy_proto(w, b, k->proto, 0);
		else
			proto = btfw_type(w, "", BTF_KIND_FUNC_PROTO, 0, 0);
		v[i].type = btfw_type(w, k->name, BTF_KIND_FUNC, BTF_FUNC_EXTERN, proto);
	}
	if (n)
		put_datasec(w, ".ksyms", 0, v, n);
}

/* One void (void) stands for every callback: libbpf looks no further than "pointer to function". */
static uint32_t put_ops(struct btfw *w, const struct meta_ops *o, uint32_t callback, uint32_t *size)
{
	struct obj_member *v;
	uint32_t *type = ARENA_ARRAY(w->a, uint32_t, o->members.n + 1), id;

	*size = obj_ops_layout(w->m, o, w->a, &v);
	for (uint32_t i = 0; i < o->members.n; i++) {
		if (v[i].kind == BTF_KIND_PTR)
			type[i] = callback;
		else if (v[i].kind == BTF_KIND_ARRAY)
			type[i] = btfw_chars(w, v[i].size);
		else
			type[i] = btfw_int(w, v[i].size, v[i].is_signed);
	}
	id = btfw_type(w, o->type, BTF_KIND_STRUCT, o->members.n, *size);
	for (uint32_t i = 0; i < o->members.n; i++) {
		btfw_word(w, btfw_str(w, o->members.v[i].name, strlen(o->members.v[i].name)));
		btfw_word(w, type[i]);
		btfw_word(w, v[i].off * 8);
	}
	return put_var(w, o->name, id);
}

static void put_struct_ops(struct btfw *w)
{
	const struct meta *meta = w->m->meta;
	struct secinfo *v = ARENA_ARRAY(w->a, struct secinfo, meta->ops.n + 1);
	uint32_t proto, callback, end = 0;

	if (!meta->ops.n)
		return;
	proto = btfw_type(w, "", BTF_KIND_FUNC_PROTO, 0, 0);
	callback = btfw_type(w, "", BTF_KIND_PTR, 0, proto);
	for (uint32_t i = 0; i < meta->ops.n; i++) {
		v[i].off = w->l.ops_off[i];
		v[i].type = put_ops(w, &meta->ops.v[i], callback, &v[i].size);
		end = v[i].off + v[i].size;
	}
	put_datasec(w, ".struct_ops.link", end, v, meta->ops.n);
}

/* ---- .BTF.ext: per section of code, records sorted by offset ---- */

struct fn { /* one function: its instructions, and where they are in the object */
	const struct code *c;
	uint32_t from, to, sec, off, type;
};

/* The program i, or with k above 0 one of the functions behind it. */
static struct fn fn_of(const struct btfw *w, uint32_t i, uint32_t k)
{
	const struct code *c = &w->code[i];
	struct fn f = {.c = c, .from = k ? c->fns.v[k - 1].start : 0,
		.to = k < c->fns.n ? c->fns.v[k].start : c->n,
		.type = k ? w->subs[i] + k - 1 : w->func[i]};

	f.sec = obj_place(&w->l, w->code, i, f.from, &f.off);
	return f;
}

struct place {
	uint32_t file, line_text, line, col;
};

/* Makes w->at the line that holds byte off of this source. */
static void find_line(struct btfw *w, const struct meta_source *s, uint32_t off)
{
	struct btfw_line *l = &w->at;
	const char *next;

	if (l->source == s && off >= l->start && off <= l->end)
		return;
	if (l->source != s || off < l->start)
		*l = (struct btfw_line){
			.source = s, .line = 1, .file = btfw_str(w, s->name, strlen(s->name))};
	while ((next = memchr(s->text + l->start, '\n', off - l->start))) {
		l->start = (uint32_t)(next - s->text) + 1;
		l->line++;
	}
	l->end = l->start + (uint32_t)strcspn(s->text + l->start, "\n");
	l->text = btfw_str(w, s->text + l->start, l->end - l->start);
}

/* Line and column of an offset in span space, with the texts the verifier prints. */
static struct place locate(struct btfw *w, uint32_t off)
{
	const struct meta *meta = w->m->meta;

	for (uint32_t i = 0; off && i < meta->sources.n; i++) {
		const struct meta_source *s = &meta->sources.v[i];

		if (off < s->base || off - s->base > strlen(s->text))
			continue;
		find_line(w, s, off - s->base);
		return (struct place){.file = w->at.file, .line_text = w->at.text,
			.line = w->at.line, .col = off - s->base - w->at.start + 1};
	}
	return (struct place){0};
}

static void put_line(struct buf *out, uint32_t off, struct place p)
{
	uint32_t col = p.col < 1023 ? p.col : 1023, line = p.line < 1u << 22 ? p.line : 0;
	struct bpf_line_info r = {.insn_off = off, .file_name_off = p.file,
		.line_off = p.line_text, .line_col = line << 10 | col};

	buf_put(out, &r, sizeof(r));
}

/*
 * The kernel wants a record at a program's first instruction, growing offsets, and none at the
 * second half of a 16-byte instruction.
 */
static uint32_t put_fn_lines(struct btfw *w, struct buf *out, const struct fn *f)
{
	const struct code *c = f->c;
	struct place now = {0};
	uint32_t n = 0, last = 0;

	for (uint32_t i = 0; i < c->lines.n; i++) {
		const struct code_line *l = &c->lines.v[i];
		struct place p = locate(w, l->span.off);

		if (l->insn < f->from)
			continue;
		if (!p.line || l->insn >= f->to || (n && l->insn <= last) || !c->insn[l->insn].code)
			continue;
		if (n && p.line == now.line && p.col == now.col && p.file == now.file)
			continue;
		if (!n && l->insn > f->from) {
			put_line(out, f->off, p);
			n++;
		}
		put_line(out, f->off + (l->insn - f->from) * 8, p);
		n++;
		last = l->insn;
		now = p;
	}
	if (!n && w->m->meta->sources.n) {
		put_line(out, f->off, now);
		n++;
	}
	return n;
}

static uint32_t put_fn_func(struct btfw *w, struct buf *out, const struct fn *f)
{
	struct bpf_func_info r = {.insn_off = f->off, .type_id = f->type};

	(void)w;
	buf_put(out, &r, sizeof(r));
	return 1;
}

static uint32_t put_fn_core(struct btfw *w, struct buf *out, const struct fn *f)
{
	const struct code *c = f->c;
	static const enum bpf_core_relo_kind kinds[FACTS] = {
		[FACT_OFF] = BPF_CORE_FIELD_BYTE_OFFSET, [FACT_SIZE] = BPF_CORE_FIELD_BYTE_SIZE,
		[FACT_LSHIFT] = BPF_CORE_FIELD_LSHIFT_U64, [FACT_RSHIFT] = BPF_CORE_FIELD_RSHIFT_U64,
		[FACT_TYPE_SIZE] = BPF_CORE_TYPE_SIZE, [FACT_ENUM] = BPF_CORE_ENUMVAL_VALUE};
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->relocs.n; i++) {
		const struct code_reloc *r = &c->relocs.v[i];
		const struct btfw_field *field;
		struct bpf_core_relo rec = {.insn_off = f->off + (r->insn - f->from) * 8};

		if (r->insn < f->from || r->insn >= f->to)
			continue;
		if (r->kind != CR_FIELD || r->index >= w->fields.n)
			continue;
		field = &w->fields.v[r->index];
		if (!field->root)
			continue;
		rec.kind = kinds[w->m->fields.v[r->index].fact];
		rec.type_id = field->root;
		rec.access_str_off = btfw_str(w, field->access, strlen(field->access));
		buf_put(out, &rec, sizeof(rec));
		n++;
	}
	return n;
}

/* A table of .BTF.ext: record size, then per section its name, count and records; empty if none. */
static void put_table(struct btfw *w, struct buf *out, uint32_t rec_size,
	uint32_t (*put)(struct btfw *w, struct buf *out, const struct fn *f))
{
	for (uint32_t s = 0; s < w->l.secs.n; s++) {
		struct buf recs;
		uint32_t head[2] = {0, 0};

		if (w->l.secs.v[s].kind != OBJ_CODE && w->l.secs.v[s].kind != OBJ_TEXT)
			continue;
		buf_init(&recs, w->a);
		for (uint32_t i = 0; i < w->m->meta->progs.n; i++) {
			for (uint32_t k = 0; k <= w->code[i].fns.n; k++) {
				struct fn f = fn_of(w, i, k);

				if (f.sec == s)
					head[1] += put(w, &recs, &f);
			}
		}
		if (!head[1])
			continue;
		if (!out->n)
			buf_put(out, &rec_size, 4);
		head[0] = btfw_str(w, w->l.secs.v[s].name, strlen(w->l.secs.v[s].name));
		buf_put(out, head, 8);
		buf_put(out, recs.p, recs.n);
	}
}

struct ext_header { /* struct btf_ext_header of libbpf's btf.h, which is not installed whole */
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len, func_off, func_len, line_off, line_len, core_off, core_len;
};

static void put_ext(struct btfw *w, struct buf *out)
{
	struct ext_header h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h)};
	struct buf func, line, core;

	buf_init(&func, w->a);
	buf_init(&line, w->a);
	buf_init(&core, w->a);
	put_table(w, &func, sizeof(struct bpf_func_info), put_fn_func);
	put_table(w, &line, sizeof(struct bpf_line_info), put_fn_lines);
	put_table(w, &core, sizeof(struct bpf_core_relo), put_fn_core);
	h.func_len = (uint32_t)func.n;
	h.line_off = h.func_len;
	h.line_len = (uint32_t)line.n;
	h.core_off = h.line_off + h.line_len;
	h.core_len = (uint32_t)core.n;
	buf_put(out, &h, sizeof(h));
	buf_put(out, func.p, func.n);
	buf_put(out, line.p, line.n);
	buf_put(out, core.p, core.n);
}

void btfw_build(struct ir_module *m, const struct code *code, struct buf *btf, struct buf *btf_ext)
{
	struct btfw w = {.a = m->a, .m = m, .code = code};
	struct btf_header h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h)};

	buf_init(&w.types, m->a);
	buf_init(&w.strs, m->a);
	buf_putc(&w.strs, 0);
	smap_init(&w.str_off, m->a);
	obj_layout(m, code, &w.l);
	w.func = ARENA_ARRAY(m->a, uint32_t, m->meta->progs.n + 1);
	put_progs(&w);
	put_maps(&w);
	put_kfuncs(&w);
	put_struct_ops(&w);
	if (m->meta->portable)
		btfw_core_types(&w);
	put_ext(&w, btf_ext);
	h.type_len = (uint32_t)w.types.n;
	h.str_off = h.type_len;
	h.str_len = (uint32_t)w.strs.n;
	buf_put(btf, &h, sizeof(h));
	buf_put(btf, w.types.p, w.types.n);
	buf_put(btf, w.strs.p, w.strs.n);
}
