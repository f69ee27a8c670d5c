/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Portable objects: kernel field offsets are written into the instructions at load time, found by
 * name in the running kernel's BTF (CO-RE, kind "field byte offset").
 *
 * Ensures: every instruction that holds a field's offset holds this kernel's, and loads as many
 * bytes as the field has here; or the load is refused with the field's name.
 */
#include "load/internal.h"
#include <stdlib.h>
#include <string.h>

struct field { /* a field as the object sees it */
	const char *root; /* name of the outermost struct */
	const char *path[16];
	unsigned n;
	uint32_t type; /* local id */
};

static int refuse(struct loaded *l, uint32_t prog, uint32_t insn, enum diag_id id, const char *text)
{
	struct diag *e = diag_error(l->d, prog_span(l, prog, insn), id, "%s", text);

	if (id == DIAG_NO_SUCH_FIELD)
		diag_hint(l->d, e, "compile the script on this kernel, or with its BTF (--btf)");
	return SKEP_ESYS;
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
static bool find_field(struct kbtf *b, const struct field *f, uint32_t *off, struct kbtf_info *info)
{
	uint32_t id = kbtf_find_struct(b, f->root), bits = 0;
	struct kbtf_member m = {0};

	for (unsigned i = 0; i < f->n; i++) {
		if (!id || !kbtf_find_member(b, id, f->path[i], &m))
			return false;
		bits += m.bit_off;
		id = kbtf_strip(b, m.type);
	}
	if (m.bit_size || bits % 8)
		return false;
	*off = bits / 8;
	*info = kbtf_describe(b, id);
	return true;
}

/* Which part of an instruction holds the offset. */
static bool insn_holds_off(const struct bpf_insn *x)
{
	uint32_t cls = BPF_CLASS(x->code);

	return cls == BPF_LDX || cls == BPF_ST || cls == BPF_STX;
}

static bool insn_holds_imm(const struct bpf_insn *x)
{
	uint32_t cls = BPF_CLASS(x->code);

	if (x->code == (BPF_LD | BPF_IMM | BPF_DW))
		return true;
	return (cls == BPF_ALU || cls == BPF_ALU64) && BPF_SRC(x->code) == BPF_K;
}

/* A load follows the field when it grew or shrank, as long as it is an unsigned number. */
static bool fit_size(struct bpf_insn *x, const struct kbtf_info *want, const struct kbtf_info *have)
{
	static const uint8_t code[9] = {[1] = BPF_B, [2] = BPF_H, [4] = BPF_W, [8] = BPF_DW};

	if (want->class == KBTF_STRUCT || want->class == KBTF_ARRAY)
		return have->class == want->class && have->size >= want->size;
	if (want->class != KBTF_INT)
		return have->size == want->size;
	if (have->class == KBTF_INT && want->size == have->size)
		return true;
	if (have->class != KBTF_INT || want->is_signed || have->is_signed || have->size > 8 ||
		!code[have->size] || BPF_CLASS(x->code) != BPF_LDX)
		return false;
	x->code = (uint8_t)(BPF_LDX | BPF_MODE(x->code) | code[have->size]);
	return true;
}

static int relocate_one(struct loaded *l, uint32_t prog, const struct bpf_core_relo *r)
{
	struct obj_image *im = image_of(l);
	struct kbtf_info want, have;
	struct field f;
	uint32_t off, at = r->insn_off;
	struct bpf_insn *x = &im->prog[prog].insn[at];
	const char *last;

	if (r->kind != BPF_CORE_FIELD_BYTE_OFFSET || !read_access(im, r, &f))
		return refuse(l, prog, at, DIAG_BAD_OBJECT,
			"the object has a kernel field reference that skep cannot read");
	last = f.path[f.n - 1];
	if (!find_field(l->target->btf, &f, &off, &have))
		return refuse(l, prog, at, DIAG_NO_SUCH_FIELD,
			arena_printf(l->a,
				"this kernel's 'struct %s' has no field '%s' as the object "
				"needs it",
				f.root, last));
	want = kbtf_describe(im->local, f.type);
	if (!fit_size(x, &want, &have))
		return refuse(l, prog, at, DIAG_NO_SUCH_FIELD,
			arena_printf(l->a,
				"field '%s' of 'struct %s' has another type on this kernel", last,
				f.root));
	if (insn_holds_off(x) && off <= INT16_MAX)
		x->off = (int16_t)off;
	else if (insn_holds_imm(x) && off <= INT32_MAX)
		x->imm = (int32_t)off;
	else
		return refuse(l, prog, at, DIAG_BAD_OBJECT,
			arena_printf(l->a,
				"the offset of field '%s' of 'struct %s' does not fit its "
				"instruction",
				last, f.root));
	return SKEP_OK;
}

int core_relocate(struct loaded *l, uint32_t prog)
{
	struct obj_prog *p = &image_of(l)->prog[prog];

	if (!p->core.n)
		return SKEP_OK;
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
	return SKEP_OK;
}
