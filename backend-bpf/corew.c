/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Local structs for the kernel fields that a portable object uses (CO-RE): each struct has only the
 * members that are used, at the offsets compiled into the code, because a loader checks that the
 * instruction holds what the local struct says before it writes the running kernel's offset.
 * Members are matched by name and kind, so a struct inside a struct needs no name of its own, and
 * may stand at offset 0 with its members at offsets of the outer struct.
 */
#include "backend-bpf/btfw.h"
#include <stdlib.h>
#include <string.h>

struct node {
	const char *name;
	uint32_t field;	 /* row of ir_module.fields that ends here, or META_NONE */
	uint32_t base;	 /* offset in the root struct */
	uint32_t size;
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
	for (uint32_t i = 0; i < n->kids.n; i++) {
		struct node *k = n->kids.v[i];
		const struct ir_field *f =
			k->field == META_NONE ? NULL : &w->m->fields.v[k->field];

		k->base = f ? f->off : n->base;
		k->size = f ? f->size : 0;
		if (k->kids.n)
			put_struct(w, k, "");
		else
			k->type = leaf_type(w, f);
		if (k->base - n->base + k->size > n->size)
			n->size = k->base - n->base + k->size;
	}
	qsort(n->kids.v, n->kids.n, sizeof(struct node *), by_offset);
	n->type = btfw_type(w, name, BTF_KIND_STRUCT, n->kids.n, n->size);
	for (uint32_t i = 0; i < n->kids.n; i++) {
		struct node *k = n->kids.v[i];

		k->index = i;
		btfw_word(w, btfw_str(w, k->name, strlen(k->name)));
		btfw_word(w, k->type);
		btfw_word(w, (k->base - n->base) * 8);
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

/* Bit-fields would need their shifts relocated as well; arrays inside a path their element size. */
static bool relocatable(struct btfw *w, const struct ir_field *f)
{
	struct diag *e;

	if (!f->bit_size && !strchr(f->path, '['))
		return true;
	e = diag_error(w->m->diags, NO_SPAN, DIAG_NOT_SUPPORTED,
		"field '%s' of '%s' cannot be used in an object for other kernels: it is %s",
		f->path, f->root, f->bit_size ? "a bit-field" : "inside an array");
	diag_hint(w->m->diags, e, "compile for one kernel: give its BTF with --btf");
	return false;
}

static void insert(struct btfw *w, struct node *roots, uint32_t i)
{
	const struct ir_field *f = &w->m->fields.v[i];
	struct node *n;
	const char *p = f->path;

	if (!relocatable(w, f))
		return;
	n = kid(w, roots, f->root, strlen(f->root));
	while (*p) {
		size_t len = strcspn(p, ".");

		n = kid(w, n, p, len);
		p += len + (p[len] == '.');
	}
	n->field = i;
	w->fields.v[i].root = 1;
}

/* Loaders refuse code that does not hold the offset it is said to hold. */
static void check_insn(struct btfw *w, uint32_t prog, const struct code_reloc *r)
{
	const struct code *c = &w->code[prog];
	const struct bpf_insn *x;
	uint32_t cls, now;

	if (r->index >= w->m->fields.n || r->insn >= c->n)
		trap_raise(w->m->trap, SKEP_EBUG, "btf: bad field reference in %s",
			w->m->meta->progs.v[prog].name);
	x = &c->insn[r->insn];
	cls = BPF_CLASS(x->code);
	now = cls == BPF_ALU || cls == BPF_ALU64 || x->code == (BPF_LD | BPF_IMM | BPF_DW)
		      ? (uint32_t)x->imm
		      : (uint32_t)x->off;
	if (now != w->m->fields.v[r->index].off)
		trap_raise(w->m->trap, SKEP_EBUG, "btf: %s instruction %u has offset %u, not %s's",
			w->m->meta->progs.v[prog].name, r->insn, now,
			w->m->fields.v[r->index].path);
}

void btfw_core_types(struct btfw *w)
{
	struct node *roots = new_node(w, "");
	uint32_t n = w->m->fields.n;
	bool *used = ARENA_ARRAY(w->a, bool, n + 1);

	for (uint32_t i = 0; i < w->m->meta->progs.n; i++) {
		for (uint32_t k = 0; k < w->code[i].relocs.n; k++) {
			const struct code_reloc *r = &w->code[i].relocs.v[k];

			if (r->kind != CR_FIELD)
				continue;
			check_insn(w, i, r);
			used[r->index] = true;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		vec_push(w->a, &w->fields, (struct btfw_field){0});
		if (used[i])
			insert(w, roots, i);
	}
	for (uint32_t i = 0; i < roots->kids.n; i++)
		put_struct(w, roots->kids.v[i], roots->kids.v[i]->name);
	for (uint32_t i = 0; i < n; i++) {
		struct node *root;

		if (!w->fields.v[i].root)
			continue;
		root = kid(w, roots, w->m->fields.v[i].root, strlen(w->m->fields.v[i].root));
		w->fields.v[i].root = root->type;
		w->fields.v[i].access = access_of(w, root, w->m->fields.v[i].path);
	}
}
