/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Local structs for the kernel fields that a portable object uses (CO-RE): each struct has only the
 * members that are used, at the offsets compiled into the code, because a loader checks that the
 * instruction holds what the local struct says before it writes the running kernel's offset.
 * Local enumerations for kernel constants, the same way. Facts of tracepoints are no types': they
 * are in the side table.
 * Members are matched by name and kind, so a struct inside a struct needs no name of its own, and
 * may stand at offset 0 with its members at offsets of the outer struct.
 */
#include "backend-bpf/btfw.h"
#include <stdlib.h>
#include <string.h>

#define KIND_FLAG (1u << 31) /* of struct btf_type.info */
#define KIND_ENUM64 19	     /* not in the headers of 2022 */

struct node {
	const char *name;
	uint32_t field;	 /* row of ir_module.fields that ends here, or META_NONE */
	uint32_t base;	 /* offset in the root struct */
	uint32_t size;
	uint32_t bit_off, bit_size; /* a bit-field: from base on; 0 otherwise */
	uint32_t index;	 /* position among the members of its parent */
	uint32_t type;
	VEC(struct node *) kids;
};

static struct node *new_node(struct btfw *w, const char *name)
{
	struct node *n = ARENA_NEW(w->a, struct node);

	n->name = name;
	n->field = META_NONE;
	return n;
}

static struct node *kid(struct btfw *w, struct node *n, const char *name, size_t len)
{
	struct node *k;

	for (uint32_t i = 0; i < n->kids.n; i++) {
		k = n->kids.v[i];
		if (strlen(k->name) == len && !memcmp(k->name, name, len))
			return k;
	}
	k = new_node(w, arena_strndup(w->a, name, len));
	vec_push(w->a, &n->kids, k);
	return k;
}

static uint32_t array_type(struct btfw *w, struct kbtf_info elem, uint32_t bytes)
{
	uint32_t n = elem.size ? bytes / elem.size : 0, type;

	if (elem.class == KBTF_PTR)
		type = w->ptr_void;
	else if (elem.class == KBTF_INT && !elem.is_enum)
		type = btfw_int(w, elem.size, elem.is_signed);
	else
		type = btfw_type(w, "", elem.is_enum ? BTF_KIND_ENUM : BTF_KIND_STRUCT, 0,
			elem.size);
	return btfw_array(w, type, n);
}

/* What the running kernel's type will be compared with: same kind, sizes may differ. */
static uint32_t leaf_type(struct btfw *w, const struct ir_field *f)
{
	struct kbtf *b = w->m->target ? w->m->target->btf : NULL;
	uint32_t id = b ? kbtf_find_struct(b, f->root) : 0;
	const char *p = f->path;
	struct kbtf_member km = {.type = id};
	struct kbtf_info d = {.class = KBTF_VOID};

	while (id && *p) {
		size_t n = strcspn(p, ".");

		if (!kbtf_find_member(b, id, arena_strndup(w->a, p, n), &km))
			break;
		p += n + (p[n] == '.');
		id = kbtf_strip(b, km.type);
		if (!*p)
			d = kbtf_describe(b, id);
	}
	if (d.class == KBTF_PTR || (d.class == KBTF_VOID && f->type.kind == IRT_BTF))
		return w->ptr_void;
	if (d.class == KBTF_INT && d.is_enum)
		return btfw_type(w, "", BTF_KIND_ENUM, 0, d.size);
	if (d.class == KBTF_STRUCT)
		return btfw_type(w, "", btf_kind_of(kbtf_type(b, d.id)), 0, f->size);
	if (d.class == KBTF_ARRAY)
		return array_type(w, kbtf_describe(b, d.target), f->size);
	if (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8)
		return btfw_int(w, f->size, f->is_signed);
	return btfw_chars(w, f->size);
}

static int by_offset(const void *x, const void *y)
{
	const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;

	if (a->base != b->base)
		return a->base < b->base ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Sets base, size and type of the tree below n, children first. */
static void put_struct(struct btfw *w, struct node *n, const char *name)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < n->kids.n; i++) {
		struct node *k = n->kids.v[i];
		const struct ir_field *f =
			k->field == META_NONE ? NULL : &w->m->fields.v[k->field];

		k->base = f ? f->off : n->base;
		k->size = f ? f->size : 0;
		bits |= k->bit_size;
		if (k->kids.n)
			put_struct(w, k, "");
		else
			k->type = k->bit_size ? btfw_int(w, f->size, f->is_signed) : leaf_type(w, f);
		if (k->base - n->base + k->size > n->size)
			n->size = k->base - n->base + k->size;
	}
	qsort(n->kids.v, n->kids.n, sizeof(struct node *), by_offset);
	/* with the flag, offsets carry widths */
	n->type = btfw_type(w, name, BTF_KIND_STRUCT, n->kids.n | (bits ? KIND_FLAG : 0), n->size);
	for (uint32_t i = 0; i < n->kids.n; i++) {
		struct node *k = n->kids.v[i];

		k->index = i;
		btfw_word(w, btfw_str(w, k->name, strlen(k->name)));
		btfw_word(w, k->type);
		btfw_word(w, ((k->base - n->base) * 8 + k->bit_off) | k->bit_size << 24);
	}
}

/* "0:1:2": dereference of the root, then member positions. */
static const char *access_of(struct btfw *w, struct node *n, const char *path)
{
	struct buf b;

	buf_init(&b, w->a);
	buf_puts(&b, "0");
	while (*path) {
		size_t len = strcspn(path, ".");

		n = kid(w, n, path, len);
		buf_printf(&b, ":%u", n->index);
		path += len + (path[len] == '.');
	}
	return b.p;
}

static struct node *path_node(struct btfw *w, struct node *n, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, ".");

		n = kid(w, n, path, len);
		path += len + (path[len] == '.');
	}
	return n;
}

static void insert(struct btfw *w, struct node *roots, uint32_t i)
{
	const struct ir_field *f = &w->m->fields.v[i];
	struct node *n = kid(w, roots, f->root, strlen(f->root));

	w->fields.v[i].root = 1;
	if (f->fact == FACT_TYPE_SIZE) {
		if (n->size < (uint32_t)f->value)
			n->size = (uint32_t)f->value;
		return;
	}
	n = path_node(w, n, f->path);
	/* Rows of one field differ in what they ask for; those with bits know most. */
	if (n->field == META_NONE || f->bit_size) {
		n->field = i;
		n->bit_off = f->bit_off;
		n->bit_size = f->bit_size;
	}
}

static void insert_enum(struct btfw *w, struct node *enums, uint32_t i)
{
	const struct ir_field *f = &w->m->fields.v[i];
	struct node *n = kid(w, kid(w, enums, f->root, strlen(f->root)), f->path, strlen(f->path));

	w->fields.v[i].root = 1;
	n->field = i;
}

static void put_enum(struct btfw *w, struct node *n)
{
	n->type = btfw_type(w, n->name, KIND_ENUM64, n->kids.n, 8);
	for (uint32_t i = 0; i < n->kids.n; i++) {
		struct node *k = n->kids.v[i];
		uint64_t v = (uint64_t)w->m->fields.v[k->field].value;

		k->index = i;
		btfw_word(w, btfw_str(w, k->name, strlen(k->name)));
		btfw_word(w, (uint32_t)v);
		btfw_word(w, (uint32_t)(v >> 32));
	}
}

/* Loaders refuse code that does not hold the number it is said to hold. */
static void check_insn(struct btfw *w, uint32_t prog, const struct code_reloc *r)
{
	const struct code *c = &w->code[prog];
	const struct ir_field *f;
	const struct bpf_insn *x;
	uint32_t cls;
	int64_t now, want;

	if (r->index >= w->m->fields.n || r->insn >= c->n)
		trap_raise(w->m->trap, SKEP_EBUG, "btf: bad field reference in %s",
			w->m->meta->progs.v[prog].name);
	f = &w->m->fields.v[r->index];
	x = &c->insn[r->insn];
	cls = BPF_CLASS(x->code);
	now = cls == BPF_ALU || cls == BPF_ALU64 ? x->imm : x->off;
	if (x->code == (BPF_LD | BPF_IMM | BPF_DW) && r->insn + 1 < c->n)
		now = (int64_t)((uint64_t)(uint32_t)x[1].imm << 32 | (uint32_t)x->imm);
	want = f->fact ? f->value : f->off;
	if (f->fact == FACT_TP ? now < want || now >= want + f->size : now != want)
		trap_raise(w->m->trap, SKEP_EBUG, "btf: %s instruction %u has %lld, not %s's",
			w->m->meta->progs.v[prog].name, r->insn, (long long)now, f->path);
}

static bool *used_fields(struct btfw *w)
{
	bool *used = ARENA_ARRAY(w->a, bool, w->m->fields.n + 1);

	for (uint32_t i = 0; i < w->m->meta->progs.n; i++) {
		for (uint32_t k = 0; k < w->code[i].relocs.n; k++) {
			const struct code_reloc *r = &w->code[i].relocs.v[k];

			if (r->kind != CR_FIELD)
				continue;
			check_insn(w, i, r);
			used[r->index] = true;
		}
	}
	return used;
}

/* Type and access string of one row, now that the types are written. */
static void settle(struct btfw *w, struct node *roots, struct node *enums, uint32_t i)
{
	const struct ir_field *f = &w->m->fields.v[i];
	bool number = f->fact == FACT_ENUM;
	struct node *root = kid(w, number ? enums : roots, f->root, strlen(f->root));

	w->fields.v[i].root = root->type;
	w->fields.v[i].access =
		number ? arena_printf(w->a, "%u", kid(w, root, f->path, strlen(f->path))->index)
		       : access_of(w, root, f->path);
}

void btfw_core_types(struct btfw *w)
{
	struct node *roots = new_node(w, ""), *enums = new_node(w, "");
	uint32_t n = w->m->fields.n;
	bool *used = used_fields(w);

	for (uint32_t i = 0; i < n; i++) {
		uint8_t fact = w->m->fields.v[i].fact;

		vec_push(w->a, &w->fields, (struct btfw_field){0});
		if (used[i] && fact == FACT_ENUM)
			insert_enum(w, enums, i);
		else if (used[i] && fact != FACT_TP)
			insert(w, roots, i);
	}
	for (uint32_t i = 0; i < roots->kids.n; i++)
		put_struct(w, roots->kids.v[i], roots->kids.v[i]->name);
	for (uint32_t i = 0; i < enums->kids.n; i++)
		put_enum(w, enums->kids.v[i]);
	for (uint32_t i = 0; i < n; i++) {
		if (w->fields.v[i].root)
			settle(w, roots, enums, i);
	}
}
