/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Portable objects: what the instructions hold of kernel types and tracepoints is written into them
 * at load time, found by name in the running kernel's BTF (CO-RE) and in tracefs.
 *
 * Ensures: every instruction that holds a field's offset, size or bits, a type's size or an
 * enumerator holds this kernel's, and loads as many bytes as the field has here; or the load is
 * refused with the field's name.
 */
#include "load/internal.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct field { /* a field as the object sees it */
	const char *root; /* name of the outermost struct */
	const char *path[16];
	unsigned n;
	uint32_t type; /* local id */
};

struct place { /* the same field on this kernel; bits: what to take of the loaded unit */
	uint32_t off, bit_off, bit_size;
	struct kbtf_info info;
};

struct reloc {
	struct loaded *l;
	uint32_t prog;
	const struct bpf_core_relo *r;
	struct bpf_insn *x;
};

static int refuse(const struct reloc *c, enum diag_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int refuse(const struct reloc *c, enum diag_id id, const char *fmt, ...)
{
	struct diag *e;
	struct buf b;
	va_list ap;

	buf_init(&b, c->l->a);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	e = diag_error(c->l->d, prog_span(c->l, c->prog, c->r->insn_off), id, "%s", b.p);
	if (id == DIAG_NO_SUCH_FIELD)
		diag_hint(c->l->d, e, "compile the script on this kernel, or with its BTF (--btf)");
	return SKEP_ESYS;
}

static int unreadable(const struct reloc *c)
{
	return refuse(c, DIAG_BAD_OBJECT, "the object has a kernel field reference that skep cannot read");
}

/* Resolves "0:1:2" in the object's own structs to member names. */
static bool read_access(struct obj_image *im, const struct bpf_core_relo *r, struct field *f)
{
	const char *s = kbtf_str(im->local, r->access_str_off);
	uint32_t id = kbtf_strip(im->local, r->type_id);

	*f = (struct field){.root = kbtf_name(im->local, id)};
	if (*s++ != '0' || !*f->root)
		return false;
	while (*s == ':') {
		char *end;
		unsigned long k = strtoul(s + 1, &end, 10);
		const struct btf_type *t = kbtf_type(im->local, id);
		const struct btf_member *m = (const struct btf_member *)(t + 1);

		if (end == s + 1 || btf_kind_of(t) != BTF_KIND_STRUCT || k >= btf_vlen_of(t) ||
			f->n == 16)
			return false;
		f->path[f->n++] = kbtf_str(im->local, m[k].name_off);
		id = kbtf_strip(im->local, m[k].type);
		s = end;
	}
	f->type = id;
	return !*s && f->n > 0;
}

/* Walks the same names in the kernel's BTF. */
static bool find_field(struct kbtf *b, const struct field *f, struct place *p)
{
	uint32_t id = kbtf_find_struct(b, f->root), bits = 0, unit;
	struct kbtf_member m = {0};

	for (unsigned i = 0; i < f->n; i++) {
		if (!id || !kbtf_find_member(b, id, f->path[i], &m))
			return false;
		bits += m.bit_off;
		id = kbtf_strip(b, m.type);
	}
	*p = (struct place){.info = kbtf_describe(b, id), .bit_size = m.bit_size};
	unit = m.bit_size ? p->info.size : 1;
	if (!unit || (!m.bit_size && bits % 8))
		return false;
	p->off = bits / (8 * unit) * unit; /* of the aligned unit that holds the bits */
	p->bit_off = bits - 8 * p->off;
	return p->bit_off + p->bit_size <= 8 * unit || !m.bit_size;
}

static bool set_width(struct bpf_insn *x, uint32_t size)
{
	if (BPF_CLASS(x->code) != BPF_LDX || (size != 1 && size != 2 && size != 4 && size != 8))
		return false;
	x->code = (uint8_t)(BPF_LDX | BPF_MODE(x->code) |
			    (size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW));
	return true;
}

/* The program asks for the field's size as well: then it may be another. */
static bool size_is_asked(const struct reloc *c)
{
	const struct obj_prog *p = &image_of(c->l)->prog[c->prog];

	for (uint32_t i = 0; i < p->core.n; i++) {
		const struct bpf_core_relo *o = &p->core.v[i];

		if (o->kind == BPF_CORE_FIELD_BYTE_SIZE && o->type_id == c->r->type_id &&
			o->access_str_off == c->r->access_str_off)
			return true;
	}
	return false;
}

/* A load follows the field when it grew or shrank, as long as it is an unsigned number. */
static bool fit_size(const struct reloc *c, const struct kbtf_info *want, const struct place *p)
{
	const struct kbtf_info *have = &p->info;

	if (want->class == KBTF_STRUCT || want->class == KBTF_ARRAY)
		return have->class == want->class && have->size >= want->size;
	if (want->class != KBTF_INT)
		return have->size == want->size;
	if (have->class != KBTF_INT)
		return false;
	if (p->bit_size)
		return BPF_CLASS(c->x->code) == BPF_LDX ? set_width(c->x, have->size) : size_is_asked(c);
	if (want->size == have->size)
		return true;
	if (BPF_CLASS(c->x->code) != BPF_LDX)
		return size_is_asked(c);
	return !want->is_signed && !have->is_signed && set_width(c->x, have->size);
}

/* Puts the number where the instruction has one. */
static bool put_number(const struct reloc *c, int64_t v)
{
	const struct obj_prog *p = &image_of(c->l)->prog[c->prog];
	struct bpf_insn *x = c->x;
	uint32_t cls = BPF_CLASS(x->code);

	if (x->code == (BPF_LD | BPF_IMM | BPF_DW)) {
		if (c->r->insn_off + 1 >= p->n || x->src_reg)
			return false;
		x[0].imm = (int32_t)(uint32_t)v;
		x[1].imm = (int32_t)(uint32_t)((uint64_t)v >> 32);
		return true;
	}
	if (cls == BPF_LDX || cls == BPF_ST || cls == BPF_STX) {
		if (v < INT16_MIN || v > INT16_MAX)
			return false;
		x->off = (int16_t)v;
		return true;
	}
	if ((cls != BPF_ALU && cls != BPF_ALU64) || BPF_SRC(x->code) != BPF_K || v < INT32_MIN ||
		v > INT32_MAX)
		return false;
	x->imm = (int32_t)v;
	return true;
}

static int relocate_field(const struct reloc *c)
{
	struct obj_image *im = image_of(c->l);
	struct kbtf_info want;
	struct place p;
	struct field f;
	const char *last;
	uint32_t bits;
	int64_t v;

	if (!read_access(im, c->r, &f))
		return unreadable(c);
	last = f.path[f.n - 1];
	if (!find_field(c->l->target->btf, &f, &p))
		return refuse(c, DIAG_NO_SUCH_FIELD,
			"this kernel's 'struct %s' has no field '%s' as the object needs it", f.root,
			last);
	want = kbtf_describe(im->local, f.type);
	bits = p.bit_size ? p.bit_size : 8 * p.info.size;
	if (c->r->kind == BPF_CORE_FIELD_BYTE_OFFSET ? !fit_size(c, &want, &p)
						     : p.info.class != want.class || bits > 64 || !bits)
		return refuse(c, DIAG_NO_SUCH_FIELD,
			"field '%s' of 'struct %s' has another type on this kernel", last, f.root);
	if (c->r->kind == BPF_CORE_FIELD_BYTE_OFFSET)
		v = p.off;
	else if (c->r->kind == BPF_CORE_FIELD_BYTE_SIZE)
		v = p.info.size;
	else if (c->r->kind == BPF_CORE_FIELD_LSHIFT_U64)
		v = 64 - (int64_t)p.bit_off - (int64_t)bits;
	else
		v = 64 - (int64_t)bits;
	if (!put_number(c, v))
		return refuse(c, DIAG_BAD_OBJECT,
			"what is known of field '%s' of 'struct %s' does not fit its instruction", last,
			f.root);
	return SKEP_OK;
}

static int relocate_type_size(const struct reloc *c)
{
	const char *name = kbtf_name(image_of(c->l)->local, c->r->type_id);
	uint32_t id = *name ? kbtf_find_struct(c->l->target->btf, name) : 0;
	uint32_t size = id ? kbtf_size(c->l->target->btf, id) : 0;

	if (!size)
		return refuse(c, DIAG_NO_SUCH_FIELD, "this kernel has no 'struct %s'", name);
	return put_number(c, size) ? SKEP_OK : unreadable(c);
}

#define KIND_ENUM64 19 /* not in the headers of 2022 */

static int relocate_enum(const struct reloc *c)
{
	struct kbtf *local = image_of(c->l)->local;
	const struct btf_type *t = kbtf_type(local, c->r->type_id);
	const uint32_t *rows = (const uint32_t *)(t + 1); /* name, low half, high half */
	unsigned long k = strtoul(kbtf_str(local, c->r->access_str_off), NULL, 10);
	const char *name;
	int64_t v;

	if (btf_kind_of(t) != KIND_ENUM64 || k >= btf_vlen_of(t))
		return unreadable(c);
	name = kbtf_str(local, rows[3 * k]);
	if (!kbtf_enum_value(c->l->target->btf, name, &v))
		return refuse(c, DIAG_NO_SUCH_FIELD, "this kernel has no constant '%s'", name);
	return put_number(c, v) ? SKEP_OK : unreadable(c);
}

static int relocate_one(struct loaded *l, uint32_t prog, const struct bpf_core_relo *r)
{
	struct reloc c = {l, prog, r, &image_of(l)->prog[prog].insn[r->insn_off]};

	switch (r->kind) {
	case BPF_CORE_FIELD_BYTE_OFFSET:
	case BPF_CORE_FIELD_BYTE_SIZE:
	case BPF_CORE_FIELD_LSHIFT_U64:
	case BPF_CORE_FIELD_RSHIFT_U64:
		return relocate_field(&c);
	case BPF_CORE_TYPE_SIZE:
		return relocate_type_size(&c);
	case BPF_CORE_ENUMVAL_VALUE:
		return relocate_enum(&c);
	default:
		return unreadable(&c);
	}
}

/* Names of enumerators, for printing: their numbers are this kernel's. */
static void renumber(struct loaded *l)
{
	for (uint32_t i = 0; i < l->meta.types.n; i++) {
		struct meta_type *t = &l->meta.types.v[i];

		for (uint32_t k = 0; t->kind == MK_ENUM && k < t->members.n; k++) {
			int64_t v;

			if (kbtf_enum_value(l->target->btf, t->members.v[k].name, &v))
				t->members.v[k].value = v;
		}
	}
}

void core_names(struct loaded *l)
{
	if (l->meta.portable && l->target->btf)
		renumber(l);
}

/* ---- tracepoints: their records' layout is in tracefs ---- */

static const struct tp_field *tp_field_named(const struct tracepoint *tp, const char *name)
{
	for (uint32_t i = 0; i < tp->fields.n; i++) {
		if (!strcmp(tp->fields.v[i].name, name))
			return &tp->fields.v[i];
	}
	return NULL;
}

static int fixup_one(struct loaded *l, const struct meta_fixup *f)
{
	struct obj_prog *p = &image_of(l)->prog[f->prog];
	struct skep_span at = prog_span(l, f->prog, f->insn);
	const char *why = NULL;
	const struct tracepoint *tp;
	const struct tp_field *have;
	struct bpf_insn *x;
	bool load;
	int64_t off;

	x = f->insn < p->n ? &p->insn[f->insn] : NULL;
	load = x && BPF_CLASS(x->code) == BPF_LDX;
	if (!load && (!x || x->code != (BPF_ALU64 | BPF_MOV | BPF_K))) {
		diag_error(l->d, at, DIAG_BAD_OBJECT,
			"the object has a tracepoint field reference that skep cannot read");
		return SKEP_ESYS;
	}
	tp = target_tracepoint(l->target, f->category, f->event, &why);
	if (!tp) {
		diag_error(l->d, at, DIAG_NO_SUCH_TARGET, "tracepoint '%s:%s': %s", f->category,
			f->event, why ? why : "not found");
		return SKEP_ESYS;
	}
	have = tp_field_named(tp, f->field);
	off = have ? (int64_t)(load ? x->off : x->imm) + (int64_t)have->off - (int64_t)f->off : -1;
	if (!have || have->size != f->size || off < 0 || off > INT16_MAX) {
		diag_error(l->d, at, DIAG_NO_SUCH_FIELD,
			"field '%s' of tracepoint '%s:%s' is %s on this kernel", f->field, f->category,
			f->event, have ? "another" : "missing");
		return SKEP_ESYS;
	}
	if (load)
		x->off = (int16_t)off;
	else
		x->imm = (int32_t)off;
	return SKEP_OK;
}

static int fixup(struct loaded *l, uint32_t prog)
{
	for (uint32_t i = 0; i < l->meta.fixups.n; i++) {
		int err = l->meta.fixups.v[i].prog == prog ? fixup_one(l, &l->meta.fixups.v[i]) : 0;

		if (err)
			return err;
	}
	return SKEP_OK;
}

int core_relocate(struct loaded *l, uint32_t prog)
{
	struct obj_prog *p = &image_of(l)->prog[prog];

	if (!p->core.n)
		return fixup(l, prog);
	if (!l->target->btf) {
		diag_error(l->d, NO_SPAN, DIAG_NEED_BTF,
			"'%s' uses kernel fields, but this kernel has no type information: %s",
			l->meta.progs.v[prog].name,
			l->target->btf_why ? l->target->btf_why : "none found");
		return SKEP_ESYS;
	}
	for (uint32_t i = 0; i < p->core.n; i++) {
		int err = relocate_one(l, prog, &p->core.v[i]);

		if (err)
			return err;
	}
	return fixup(l, prog);
}
