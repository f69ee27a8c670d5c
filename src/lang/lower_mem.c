/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Kernel and user memory. Pointers the verifier knows (struct_ops arguments) are loaded through
 * directly; everything else is read by a helper that survives bad addresses: then the value is 0.
 */
#include "lang/lower.h"
#include <string.h>

/* ---- members of kernel structs ---- */

/* A way from a pointer down through embedded structs to one member. */
struct path {
	const struct expr *ptr; /* the pointer expression it starts from */
	uint32_t root;		/* BTF id of the struct it points to */
	uint32_t bit_off;
	const char *text; /* "scx.slice" */
};

static bool find_path(struct lower *L, const struct expr *e, struct path *p)
{
	struct path outer = {0};

	if (e->kind != EX_FIELD || e->ref.kind != REF_MEMBER)
		return false;
	if (e->ref.u.m.through_ptr) {
		*p = (struct path){e->u.field.base, e->ref.u.m.owner, e->ref.u.m.member.bit_off,
			e->ref.u.m.member.name};
		return true;
	}
	if (!find_path(L, e->u.field.base, &outer))
		return false;
	*p = outer;
	p->bit_off += e->ref.u.m.member.bit_off;
	p->text = arena_printf(L->a, "%s.%s", outer.text, e->ref.u.m.member.name);
	return true;
}

static ir_val as_number(struct lower *L, ir_val v)
{
	return ir_is_ptr(ir_type_of(L->f, v)) ? ir_un(L->f, IR_ADDR, v) : v;
}

/* ---- objects for other kernels: facts about types are numbers that the loader fills in ---- */

static bool portable(const struct lower *L)
{
	return L->m->meta->portable;
}

static ir_val fact(struct lower *L, struct ir_field f, enum ir_fact what, int64_t value)
{
	f.fact = (uint8_t)what;
	f.value = value;
	f.type = IR_I64;
	return ir_fofs(L->f, ir_add_field(L->m, f));
}

void lo_one_kernel(struct lower *L, struct skep_span span, const char *what)
{
	struct diag *e;

	if (!portable(L))
		return;
	e = diag_error(L->m->diags, span, DIAG_NOT_SUPPORTED,
		"%s cannot be in an object for other kernels", what);
	diag_hint(L->m->diags, e, "run the script itself on that kernel");
}

/* Types without a name cannot be found again on another kernel. */
static const char *named(struct lower *L, uint32_t id, struct skep_span span)
{
	const char *name = kbtf_name(L->m->target->btf, kbtf_strip(L->m->target->btf, id));

	if (*name)
		return name;
	lo_one_kernel(L, span, "members of a struct without a name");
	return "?";
}

/* A type of the script: the same everywhere. */
static bool is_own(const struct lower *L, uint32_t id)
{
	struct kbtf *btf = L->m->target->btf;

	return kbtf_own(btf) && kbtf_strip(btf, id) > kbtf_own(btf);
}

/* Distance of a member from the start of the struct it is in. */
static ir_val member_off(struct lower *L, const struct expr *e, uint32_t root, uint32_t bit_off,
	const char *path)
{
	const struct kbtf_member *m = &e->ref.u.m.member;
	struct ir_field f = {.path = path, .off = bit_off / 8, .type = IR_I64};

	if (!portable(L) || is_own(L, root))
		return ir_const(L->f, f.off);
	f.root = named(L, root, e->span);
	f.size = kbtf_size(L->m->target->btf, m->type);
	f.is_signed = kbtf_describe(L->m->target->btf, m->type).is_signed;
	return ir_fofs(L->f, ir_add_field(L->m, f));
}

/* ---- tracepoints: in a portable object the loader looks the field's place up ---- */

/* The row that says so, none (0) or 1 + its number. */
static uint32_t tp_row(struct lower *L, const struct tp_field *f)
{
	const struct attach_point *ap = L->ap;
	struct ir_field row = {.root = "tracepoint", .off = f->off, .size = f->size,
		.is_signed = f->is_signed, .fact = FACT_TP, .value = f->off, .type = IR_I64};

	if (!portable(L) || ap->parts.n < 2)
		return 0;
	row.path = arena_printf(L->a, "%s.%s.%s", ap->parts.v[0], ap->parts.v[1], f->name);
	return ir_add_field(L->m, row) + 1;
}

static ir_val tp_load(struct lower *L, const struct tp_field *f, unsigned width, uint32_t at)
{
	ir_val v = ir_ldctx(L->f, width, f->off + at, IR_I64);

	L->f->vals.v[v].aux = tp_row(L, f);
	return v;
}

/* Where a field lies in memory. */
static ir_val tp_addr(struct lower *L, const struct tp_field *f)
{
	uint32_t row = tp_row(L, f);
	ir_val off = row ? ir_fofs(L->f, row - 1) : ir_const(L->f, f->off);

	return ir_bin(L->f, IR_ADD, ir_un(L->f, IR_ADDR, ir_ctx(L->f)), off);
}

static ir_val elem_size(struct lower *L, const struct expr *array)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t size = array->type.int_size;
	struct ir_field f = {.path = "", .size = 8};

	if (size || array->type.kind == LT_STR)
		return ir_const(L->f, size ? size : 1);
	size = kbtf_size(btf, array->type.btf);
	if (!portable(L) || is_own(L, array->type.btf) || kbtf_describe(btf, array->type.btf).class != KBTF_STRUCT)
		return ir_const(L->f, size);
	f.root = named(L, array->type.btf, array->span);
	return fact(L, f, FACT_TYPE_SIZE, size);
}

ir_val lo_addr(struct lower *L, const struct expr *e)
{
	ir_val base, index;
	struct path p;

	ir_span(L->f, e->span);
	if (e->kind == EX_BLOCK)
		return lo_addr(L, lo_block_value(L, e));
	if (e->kind == EX_UNARY && e->u.unary.op == UO_DEREF)
		return as_number(L, lo_int(L, e->u.unary.a));
	if (e->kind == EX_INDEX) {
		const struct expr *b = e->u.index.base;

		base = lo_in_memory(&b->type) ? lo_addr(L, b) : as_number(L, lo_int(L, b));
		index = lo_int(L, e->u.index.index);
		index = ir_bin(L->f, IR_MUL, index, elem_size(L, b));
		return ir_bin(L->f, IR_ADD, base, index);
	}
	if (e->ref.kind == REF_TPFIELD && lo_in_memory(&e->type)) {
		const struct tp_field *f = lo_tp_of(L, e);

		return f->data_loc ? lo_tp_data(L, f) : tp_addr(L, f);
	}
	if (e->kind != EX_FIELD || e->ref.kind != REF_MEMBER)
		return as_number(L, lo_int(L, e));
	if (find_path(L, e, &p)) {
		base = as_number(L, lo_int(L, p.ptr));
	} else {
		base = lo_addr(L, e->u.field.base);
		p = (struct path){NULL, e->ref.u.m.owner, e->ref.u.m.member.bit_off,
			e->ref.u.m.member.name};
	}
	return ir_bin(L->f, IR_ADD, base, member_off(L, e, p.root, p.bit_off, p.text));
}

/* One number from memory that may not be there: 0 then. */
ir_val lo_read_number(struct lower *L, ir_val addr, uint32_t size, enum lt_space space)
{
	ir_val slot = lo_slot(L, 8), args[3];

	args[0] = slot;
	args[1] = ir_const(L->f, size);
	args[2] = addr;
	lo_check_read(L, ir_call(L->f, space == SPACE_USER ? "probe_read_user" : "probe_read_kernel",
			       IR_VOID, 3, args));
	return ir_ld(L->f, size, slot, 0);
}

ir_val lo_packed_bits(struct lower *L, ir_val p, uint32_t at, uint32_t bits, bool is_signed)
{
	int64_t up = -(int64_t)(at % 8);
	ir_val v = ir_const(L->f, 0), b;

	for (uint32_t i = at / 8; i <= (at + bits - 1) / 8; i++, up += 8) {
		b = ir_ld(L->f, 1, p, i);
		b = ir_bini(L->f, up < 0 ? IR_LSHR : IR_SHL, b, up < 0 ? -up : up);
		v = ir_bin(L->f, IR_OR, v, b);
	}
	v = ir_bini(L->f, IR_SHL, v, 64 - bits);
	return ir_bini(L->f, is_signed ? IR_ASHR : IR_LSHR, v, 64 - bits);
}

/* The part of a loaded number that a bit-field takes. */
static ir_val take_bits(struct lower *L, ir_val v, uint32_t shift, uint32_t bits, bool is_signed)
{
	v = ir_bini(L->f, IR_SHL, v, 64 - shift - bits);
	return ir_bini(L->f, is_signed ? IR_ASHR : IR_LSHR, v, 64 - bits);
}

static struct ir_field field_of(struct lower *L, const struct expr *e, const struct path *p)
{
	struct kbtf *btf = L->m->target->btf;
	struct kbtf_info info = kbtf_describe(btf, e->ref.u.m.member.type);
	struct ir_field f = {.root = kbtf_name(btf, p->root), .path = p->text, .size = info.size,
		.is_signed = info.is_signed, .type = IR_I64};
	uint8_t flags = e->type.trusted ? 0 : IRT_UNTRUSTED;

	f.off = p->bit_off / 8;
	if (e->ref.u.m.member.bit_size) { /* the aligned unit that holds the bits */
		f.off = p->bit_off / (8 * f.size) * f.size;
		f.bit_off = p->bit_off - 8 * f.off;
		f.bit_size = e->ref.u.m.member.bit_size;
	}
	if (info.class == KBTF_PTR) {
		struct kbtf_info to = kbtf_describe(btf, info.target);

		if (to.class == KBTF_STRUCT && !info.user && !info.percpu)
			f.type = ir_btf_type(L->m, kbtf_name(btf, to.id), to.id, flags);
	}
	return f;
}

static ir_val finish_number(struct lower *L, ir_val v, const struct ir_field *f)
{
	if (f->bit_size)
		return take_bits(L, v, f->bit_off, f->bit_size, f->is_signed);
	if (f->is_signed && f->size < 8 && f->type.kind == IRT_I64)
		return lo_extend(L, v, f->size, true);
	return v;
}

/* A pointer that the verifier knows, to this struct: a cast may have made it another's. */
static bool points_to(const struct lower *L, ir_val v, uint32_t id)
{
	struct ir_type t = ir_type_of(L->f, v);

	return t.kind == IRT_BTF && L->m->btf.v[t.n].id == id;
}

/*
 * A number said to be the address of a kernel struct, where the kernel lets programs say so (since
 * 6.2): loads through it that fault give 0, as reads by the helper do, at a tenth of the price.
 */
static ir_val said_to_point(struct lower *L, ir_val v, uint32_t id)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t cast = btf && target_has(L->m->target, KF_KFUNC) ? kbtf_func(btf, "bpf_rdonly_cast") : 0;
	struct ir_type t;
	ir_val args[2];

	if (!cast || kbtf_in_module(btf, id) || L->m->meta->portable || kern_is_packet(L->ap->kind) || !*kbtf_name(btf, id))
		return v;
	t = ir_btf_type(L->m, kbtf_name(btf, id), id, IRT_UNTRUSTED);
	args[0] = as_number(L, v);
	args[1] = ir_const(L->f, id);
	return ir_kcall(L->f, ir_add_kfunc(L->m, "bpf_rdonly_cast", cast, kbtf_func_proto(btf, cast)),
		t, 2, args);
}

/* What lies in 8 loaded bytes, whose place and sign the loader knows. */
static ir_val take_field(struct lower *L, ir_val v, const struct ir_field *f)
{
	uint32_t bits = f->bit_size ? f->bit_size : f->size * 8;
	int64_t up = 64 - (int64_t)f->bit_off - (int64_t)bits;

	v = ir_bin(L->f, IR_SHL, v, fact(L, *f, FACT_LSHIFT, up));
	return ir_bin(L->f, f->is_signed ? IR_ASHR : IR_LSHR, v, fact(L, *f, FACT_RSHIFT, 64 - bits));
}

/* As read_number, of a field whose place, size and bits differ between kernels. */
static ir_val read_field(struct lower *L, ir_val base, const struct ir_field *f, enum lt_space space)
{
	ir_val slot = lo_slot(L, 8), args[3], v;
	bool number = f->type.kind == IRT_I64;
	struct ir_field off = *f;

	off.type = IR_I64;
	ir_st(L->f, 8, slot, 0, ir_const(L->f, 0));
	args[0] = slot;
	args[1] = number ? fact(L, *f, FACT_SIZE, f->size) : ir_const(L->f, f->size);
	args[2] = ir_bin(L->f, IR_ADD, base, ir_fofs(L->f, ir_add_field(L->m, off)));
	lo_check_read(L, ir_call(L->f, space == SPACE_USER ? "probe_read_user" : "probe_read_kernel",
			       IR_VOID, 3, args));
	v = ir_ld(L->f, 8, slot, 0);
	return f->bit_size || (f->is_signed && f->size < 8) ? take_field(L, v, f) : v;
}

/* Bits of a field, by shifts that the loader sets. */
static ir_val load_bits(struct lower *L, ir_val p, const struct ir_field *f)
{
	struct ir_field raw = *f;

	raw.bit_off = raw.bit_size = 0;
	raw.is_signed = false;
	return take_field(L, ir_ldf(L->f, p, ir_add_field(L->m, raw)), f);
}

/* A bit-field of a packed struct that lies in two words. */
static ir_val read_packed(struct lower *L, const struct expr *e, const struct path *p, const struct ir_field *f)
{
	uint32_t first = p->bit_off % 8, bytes = (first + f->bit_size + 7) / 8;
	ir_val base = as_number(L, lo_value(L, p->ptr)), slot = lo_slot(L, 16);

	if (!is_own(L, p->root))
		lo_one_kernel(L, e->span, "a bit-field in two words");
	lo_read(L, ir_bini(L->f, IR_ADD, base, p->bit_off / 8), p->ptr->type.space, bytes, slot, 0);
	return lo_packed_bits(L, slot, first, f->bit_size, f->is_signed);
}

/* Loads through a pointer that may be NULL: 0 then. */
static ir_val load_field(struct lower *L, ir_val p, const struct ir_field *f)
{
	bool bits = portable(L) && f->bit_size;
	uint32_t field = bits ? 0 : ir_add_field(L->m, *f);
	ir_blk none, done;
	unsigned var;
	ir_val v;

	if (!(ir_type_of(L->f, p).flags & IRT_NULLABLE))
		return bits ? load_bits(L, p, f) : ir_ldf(L->f, p, field);
	none = lo_block(L);
	done = lo_block(L);
	var = ir_var_new(L->f, IR_I64);
	p = lo_not_null(L, p, none);
	v = bits ? load_bits(L, p, f) : as_number(L, ir_ldf(L->f, p, field));
	ir_var_write(L->f, var, v);
	lo_goto(L, done);
	lo_enter(L, none);
	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

/* Member of a struct that is an element of an array; the checker refuses bit-fields there. */
static ir_val element_member(struct lower *L, const struct expr *e)
{
	uint32_t size = e->type.size ? e->type.size : 8;
	ir_val v = lo_read_number(L, lo_addr(L, e), size, e->type.space);

	return lo_extend(L, v, e->type.kind == LT_INT ? size : 8, e->type.is_signed);
}

ir_val lo_member_int(struct lower *L, const struct expr *e)
{
	struct path p;
	struct ir_field f;
	ir_val base, v;

	if (!find_path(L, e, &p))
		return element_member(L, e);
	f = field_of(L, e, &p);
	if (f.bit_off + f.bit_size > 8 * f.size)
		return read_packed(L, e, &p, &f);
	base = lo_value(L, p.ptr);
	ir_span(L->f, e->span);
	if (!points_to(L, base, p.root) && p.ptr->type.space == SPACE_KERNEL && !is_own(L, p.root))
		base = said_to_point(L, base, p.root);
	if (points_to(L, base, p.root))
		return load_field(L, base, &f); /* sign and bits taken there */
	if (portable(L) && !is_own(L, p.root)) {
		f.root = named(L, p.root, e->span);
		return read_field(L, as_number(L, base), &f, p.ptr->type.space);
	}
	base = ir_bini(L->f, IR_ADD, as_number(L, base), f.off);
	v = lo_read_number(L, base, f.size, p.ptr->type.space);
	f.type = IR_I64;
	return finish_number(L, v, &f);
}

void lo_member_store(struct lower *L, const struct expr *target, ir_val v)
{
	struct path p;
	struct ir_field f;
	ir_blk none = IR_NONE;
	ir_val base;

	if (!find_path(L, target, &p))
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: store to something that is no member");
	f = field_of(L, target, &p);
	base = lo_value(L, p.ptr);
	ir_span(L->f, target->span);
	if (ir_type_of(L->f, base).flags & IRT_NULLABLE) {
		none = lo_block(L);
		base = lo_not_null(L, base, none);
	}
	ir_stf(L->f, base, ir_add_field(L->m, f), v);
	if (none) {
		lo_goto(L, none);
		lo_enter(L, none);
	}
}

/* An element of an array in the tracepoint's record whose place is known. */
static bool tp_element(struct lower *L, const struct expr *e, uint32_t size, ir_val *v)
{
	const struct expr *b = e->kind == EX_INDEX ? e->u.index.base : NULL;
	const struct tp_field *f;
	uint64_t at;

	if (!b || b->ref.kind != REF_TPFIELD || b->type.kind != LT_ARRAY || !e->u.index.index->is_const)
		return false;
	f = lo_tp_of(L, b);
	at = e->u.index.index->const_value * size;
	if ((f->off + at) % size)
		return false;
	*v = tp_load(L, f, size, (uint32_t)at);
	return true;
}

ir_val lo_deref(struct lower *L, const struct expr *e)
{
	uint32_t size = e->type.kind == LT_INT && e->type.size ? e->type.size : 8;
	ir_val v;

	if (!tp_element(L, e, size, &v))
		v = lo_read_number(L, lo_addr(L, e), size, e->type.space);
	return lo_extend(L, v, size, e->type.kind == LT_INT && e->type.is_signed);
}

const struct tp_field *lo_tp_of(const struct lower *L, const struct expr *e)
{
	const struct tracepoint *tp = L->ap->tracepoint;

	for (uint32_t i = 0; i < tp->fields.n; i++) {
		if (!strcmp(tp->fields.v[i].name, e->u.field.name))
			return &tp->fields.v[i];
	}
	return e->ref.u.tp;
}

ir_val lo_tp_field(struct lower *L, const struct tp_field *f)
{
	ir_val v = tp_load(L, f, f->size, 0);

	return f->is_signed ? lo_extend(L, v, f->size, true) : v;
}

/*
 * __data_loc fields say where in the record the text lies; the offset is a run-time number, and
 * context pointers take none, so the bytes are read by address.
 */
ir_val lo_tp_data(struct lower *L, const struct tp_field *f)
{
	ir_val loc = tp_load(L, f, 4, 0), base;

	loc = ir_bini(L->f, IR_AND, loc, 0xffff);
	base = ir_un(L->f, IR_ADDR, ir_ctx(L->f));
	return ir_bin(L->f, IR_ADD, base, loc);
}

/* The first n bytes of a field that lies in the record itself. */
void lo_tp_bytes(struct lower *L, const struct tp_field *f, ir_val dst, uint32_t off, uint32_t n)
{
	for (uint32_t i = 0; i < n;) { /* loads from the context and stores must be aligned */
		unsigned w = 8;
		ir_val v;

		while (w > n - i || (f->off + i) % w || (off + i) % w)
			w /= 2;
		v = tp_load(L, f, w, i);
		ir_st(L->f, w, dst, off + i, v);
		i += w;
	}
}

/* ---- arguments of struct_ops operations ---- */

/* The context of an operation does not change: what was read holds wherever that place leads. */
static ir_val load_ops_arg(struct lower *L, unsigned index, struct ir_type t)
{
	struct lo_arg *a = index < LO_OPS_ARGS ? &L->ops_arg[index] : NULL;

	if (a && a->v && lo_dominates(L, a->at) && ir_type_eq(ir_type_of(L->f, a->v), t))
		return a->v;
	if (!a)
		return ir_ldctx(L->f, 8, 8 * (int64_t)index, t);
	a->v = ir_ldctx(L->f, 8, 8 * (int64_t)index, t);
	a->at = ir_here(L->f);
	return a->v;
}

ir_val lo_ops_arg(struct lower *L, const struct expr *e)
{
	unsigned index = e->ref.u.index;
	struct kbtf *btf = L->m->target->btf;
	struct ir_type t = IR_I64;
	ir_val v;

	if (e->type.kind == LT_PTR && e->type.typed) {
		uint32_t id = kbtf_strip(btf, e->type.btf);
		uint8_t flags = e->type.nullable ? IRT_NULLABLE : 0;

		t = ir_btf_type(L->m, kbtf_name(btf, id), id, flags);
	}
	v = load_ops_arg(L, index, t);
	return e->type.kind == LT_INT ? lo_extend(L, v, e->type.size, e->type.is_signed) : v;
}
