/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fields: of args, of packet headers, of kernel structs. */
#include "lang/check.h"
#include <stdlib.h>
#include <string.h>

/* ---- types of the kernel ---- */

static struct lt pointer_to(
	struct check *c, const struct kbtf_info *p, enum lt_space space, bool typed)
{
	struct kbtf_info to = kbtf_describe(c->btf, p->target);
	struct lt t = lt_of(LT_PTR, 8);

	t.space = p->user ? SPACE_USER : space;
	switch (to.class) {
	case KBTF_STRUCT:
		t.btf = to.id;
		t.typed = typed;
		break;
	case KBTF_INT:
		t.btf = p->target;
		t.int_size = to.size;
		t.is_signed = to.is_signed;
		break;
	case KBTF_PTR:
	case KBTF_ARRAY:
		t.btf = p->target;
		break;
	default: /* void, functions: an address and no more */
		break;
	}
	return t;
}

struct lt lt_from_btf(struct check *c, uint32_t id, enum lt_space space, bool typed)
{
	struct kbtf_info i = kbtf_describe(c->btf, id), el;
	struct lt t = {.kind = LT_UNKNOWN};

	switch (i.class) {
	case KBTF_INT:
		if (i.size == 1 || i.size == 2 || i.size == 4 || i.size == 8)
			t = lt_int(i.size, i.is_signed && !i.is_bool);
		t.enum_id = i.is_enum ? i.id : 0;
		t.boolean = i.is_bool;
		break;
	case KBTF_PTR:
		return pointer_to(c, &i, space, typed);
	case KBTF_STRUCT:
		t = lt_of(LT_STRUCT, i.size);
		t.btf = i.id;
		t.typed = typed;
		break;
	case KBTF_ARRAY:
		el = kbtf_describe(c->btf, i.target);
		if (el.class == KBTF_INT && el.is_char && i.nelems) {
			t = lt_str(i.nelems);
		} else {
			t = lt_of(LT_ARRAY, i.size);
			t.btf = i.target;
			t.nelems = i.nelems;
			t.typed = typed;
		}
		break;
	case KBTF_VOID:
		t.kind = LT_NONE;
		break;
	default:
		break;
	}
	t.space = space; /* where it was read from */
	return t;
}

/* ---- members ---- */

static bool try_member(const struct kbtf_member *m, void *arg)
{
	suggest_try(arg, m->name);
	return true;
}

/* What a member with that name is called now; NULL: nothing known. */
static const char *renamed(struct check *c, uint32_t id, const char *old)
{
	static const char *const rows[] = {
#define M(text) text,
#include "kern/renamed.def"
	};
	const char *name = arena_printf(c->a, "%s.%s ", kbtf_name(c->btf, id), old);
	struct kbtf_member m;
	size_t n = strlen(name);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *now;

		if (strncmp(rows[i], name, n))
			continue;
		now = rows[i] + n;
		if (kbtf_find_member(
			    c->btf, id, arena_strndup(c->a, now, strcspn(now, ".-")), &m))
			return now;
	}
	return NULL;
}

struct deeper {
	const struct kbtf *btf;
	const char *name, *in;
};

/* A struct that is a member, and has what the outer one has not: sk->skc_daddr. */
static bool try_deeper(const struct kbtf_member *m, void *arg)
{
	struct deeper *d = arg;
	uint32_t id = kbtf_strip(d->btf, m->type);
	struct kbtf_member inner;

	if (m->name[0] && kbtf_describe(d->btf, id).class == KBTF_STRUCT &&
		kbtf_find_member(d->btf, id, d->name, &inner))
		d->in = m->name;
	return !d->in;
}

static void no_member(struct check *c, const struct expr *e, uint32_t id)
{
	struct deeper deep = {c->btf, e->u.field.name, NULL};
	struct suggest s;
	struct diag *d = c_error(c, e->u.field.name_span, DIAG_NO_SUCH_FIELD,
		"%s has no member '%.60s' in the target kernel", kbtf_spell(c->btf, id, c->a),
		e->u.field.name);
	const char *now = renamed(c, id, e->u.field.name);

	if (!c->final)
		return;
	suggest_init(&s, e->u.field.name);
	kbtf_each_member(c->btf, id, try_member, &s);
	kbtf_each_member(c->btf, id, try_deeper, &deep);
	if (now)
		c_hint(c, d, "kernels like this one call it '%s'", now);
	else if (deep.in)
		c_hint(c, d, "it is a member of '%s': %s.%.60s", deep.in, deep.in, e->u.field.name);
	else if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, d,
			"`skep -lv '%s'` lists the members", kbtf_spell(c->btf, id, c->a));
}

/* An element of an array lies on the way: such members are read by address, whole bytes only. */
static bool through_element(const struct expr *e)
{
	for (;;) {
		if (e->kind == EX_INDEX || e->kind == EX_UNARY)
			return true;
		if (e->kind != EX_FIELD || e->ref.kind != REF_MEMBER || e->ref.u.m.through_ptr)
			return false;
		e = e->u.field.base;
	}
}

static void struct_field(struct check *c, struct expr *e);

/* p->a[1].bits: (&p->a[1])->bits, whose word is read by itself. */
static void behind_address(struct check *c, struct expr *e)
{
	struct expr *p = ARENA_NEW(c->a, struct expr), *base = e->u.field.base;

	*p = (struct expr){.kind = EX_UNARY, .span = base->span, .height = base->height + 1};
	p->u.unary.op = UO_ADDR;
	p->u.unary.a = base;
	e->u.field.base = p;
	e->type.kind = LT_UNKNOWN;
	struct_field(c, e);
}

static void member(struct check *c, struct expr *e, uint32_t id, enum lt_space space, bool typed)
{
	struct kbtf_member *m = &e->ref.u.m.member;
	bool through_ptr = e->u.field.base->type.kind == LT_PTR;

	if (!kbtf_find_member(c->btf, id, e->u.field.name, m)) {
		no_member(c, e, id);
		return;
	}
	e->ref.kind = REF_MEMBER;
	e->ref.u.m.owner = id;
	e->ref.u.m.through_ptr = through_ptr;
	e->type = lt_from_btf(c, m->type, space, typed);
	e->type.local = !through_ptr && e->u.field.base->type.local;
	if (e->type.typed && e->type.kind == LT_PTR && through_ptr)
		e->type.trusted = e->type.rcu = e->u.field.base->type.trusted &&
						kern_member_trusted(kbtf_name(c->btf, id), m->name);
	if (e->type.kind == LT_UNKNOWN || e->type.kind == LT_NONE) {
		c_unsupported(c, e->u.field.name_span,
			arena_printf(c->a, "members of type '%s' are",
				kbtf_spell(c->btf, m->type, c->a)),
			NULL);
		e->type.kind = LT_UNKNOWN;
	} else if (m->bit_size && !through_ptr && !e->type.local && through_element(e->u.field.base)) {
		behind_address(c, e);
	}
}

static void no_fields(struct check *c, const struct expr *e)
{
	const struct expr *base = e->u.field.base;
	struct diag *d = c_error(c, e->u.field.name_span, DIAG_WRONG_TYPE,
		"a value of type %s has no fields", c_type(c, &base->type));

	if (base->type.kind == LT_INT)
		c_hint(c, d, "cast it to a pointer: ((struct task_struct *)…)%s%.60s",
			e->u.field.arrow ? "->" : ".", e->u.field.name);
}

static void struct_field(struct check *c, struct expr *e)
{
	struct expr *base = e->u.field.base;

	/* (*p).x is p->x */
	if (base->kind == EX_UNARY && base->u.unary.op == UO_DEREF) {
		base = base->u.unary.a;
		e->u.field.base = base;
	}
	check_expr(c, base);
	if (base->type.kind == LT_UNKNOWN)
		return;
	if (base->type.kind == LT_PTR && base->type.btf &&
		kbtf_describe(c->btf, base->type.btf).class == KBTF_STRUCT) {
		member(c, e, kbtf_strip(c->btf, base->type.btf), base->type.space,
			base->type.typed);
	} else if (base->type.kind == LT_STRUCT) {
		member(c, e, base->type.btf, base->type.space, base->type.typed);
	} else if (base->type.kind == LT_TUPLE && base->type.tuple && base->type.tuple->names) {
		check_named_element(c, e);
	} else {
		no_fields(c, e);
	}
}

/* ---- args ---- */

static void no_tp_field(struct check *c, const struct expr *e, const struct attach_point *ap)
{
	struct suggest s;
	struct diag *d = c_error(c, e->span, DIAG_NO_SUCH_FIELD,
		"'args.%.60s' is not a field of %s", e->u.field.name, ap->name);

	suggest_init(&s, e->u.field.name);
	for (uint32_t i = 0; i < ap->tracepoint->fields.n; i++)
		suggest_try(&s, ap->tracepoint->fields.v[i].name);
	if (suggest_best(&s))
		c_hint(c, d, "did you mean 'args.%s'? `skep -lv %s` lists all fields",
			suggest_best(&s), ap->name);
	else
		c_hint(c, d, "`skep -lv %s` lists all fields", ap->name);
}

static const struct tp_field *tp_field(const struct tracepoint *tp, const char *name)
{
	for (uint32_t i = 0; i < tp->fields.n; i++) {
		if (!strcmp(tp->fields.v[i].name, name))
			return &tp->fields.v[i];
	}
	return NULL;
}

/* The pointer in a field: typed when BTF knows the struct its C spelling names. */
static struct lt tp_pointer(struct check *c, const struct tracepoint *tp, const char *ctype)
{
	struct lt t = lt_of(LT_PTR, 8);
	const char *tag = strstr(ctype, "struct "), *star = strchr(ctype, '*');

	/* arguments of system calls are the caller's; other tracepoints pass the kernel's */
	t.space = !strcmp(tp->category, "syscalls") ? SPACE_USER : SPACE_KERNEL;
	if (star && strchr(star + 1, '*')) {
		t.int_size = 8; /* argv: an array of addresses */
	} else if (tag && star && c->btf) {
		tag += 7;
		t.btf = kbtf_find_struct(c->btf, arena_strndup(c->a, tag, strcspn(tag, " *")));
	} else if (strstr(ctype, "char *")) {
		t.int_size = 1;
		t.is_signed = true;
	}
	return t;
}

/* Numbers side by side in the record: u8 saddr[4], unsigned long args[6]. */
static struct lt tp_array(const struct tp_field *f)
{
	uint32_t size = f->size / f->array_size;
	struct lt t = {.kind = LT_UNKNOWN};

	if (f->size % f->array_size || (size != 1 && size != 2 && size != 4 && size != 8))
		return t;
	t = lt_of(LT_ARRAY, f->size);
	t.nelems = f->array_size;
	t.int_size = size;
	t.is_signed = f->is_signed;
	return t;
}

static struct lt type_of_tp_field(
	struct check *c, const struct tracepoint *tp, const struct tp_field *f)
{
	struct lt t = {.kind = LT_UNKNOWN};

	if (f->data_loc)
		return strstr(f->type, "char") ? lt_str(c->s->config.max_strlen) : t;
	if (f->array_size && strstr(f->type, "char") && !strstr(f->type, "unsigned char"))
		return lt_str(f->size);
	if (f->array_size)
		return tp_array(f);
	if (strchr(f->type, '*') && f->size == 8)
		return tp_pointer(c, tp, f->type);
	if (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8)
		return lt_int(f->size, f->is_signed);
	return t;
}

/*
 * Type of a field that several tracepoints have: each program reads its own tracepoint's, so
 * places may differ, and numbers of different size become the larger. False: no common type.
 */
static bool common_type(struct lt *t, const struct lt *other)
{
	if (t->kind != other->kind || t->kind == LT_UNKNOWN)
		return false;
	if (t->kind == LT_INT && t->is_signed != other->is_signed) {
		t->size = 8;
		t->is_signed = true;
	} else if ((t->kind == LT_INT || t->kind == LT_STR) && other->size > t->size) {
		t->size = other->size;
	} else if (t->kind == LT_PTR && t->btf != other->btf) {
		t->btf = t->int_size = 0;
	} else if (t->kind == LT_ARRAY || t->kind == LT_STRUCT) {
		return t->size == other->size && t->btf == other->btf && t->nelems == other->nelems;
	}
	return t->kind != LT_PTR || t->space == other->space;
}

static void differs(struct check *c, const struct expr *e, const char *a, const char *b)
{
	c_hint(c,
		c_error(c, e->span, DIAG_NOT_SUPPORTED,
			"'args.%.60s' has another type in %s than in %s: one block for both is not "
			"supported in this version of skep",
			e->u.field.name, a, b),
		"write a block for each");
}

static void tracepoint_arg(struct check *c, struct expr *e)
{
	const struct attach_point *first = NULL;
	struct lt type = {.kind = LT_UNKNOWN}, t;

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		const struct tp_field *f;

		if (ap->kind == PROBE_COUNT || !ap->tracepoint)
			continue;
		f = tp_field(ap->tracepoint, e->u.field.name);
		if (!f) {
			no_tp_field(c, e, ap);
			return;
		}
		t = type_of_tp_field(c, ap->tracepoint, f);
		if (t.kind == LT_UNKNOWN) {
			c_unsupported(c, e->span,
				arena_printf(c->a, "fields of type '%s' are", f->type), NULL);
			return;
		}
		if (!first) {
			first = ap;
			type = t;
			e->ref.u.tp = f;
		} else if (!common_type(&type, &t)) {
			differs(c, e, ap->name, first->name);
			return;
		}
	}
	if (!first)
		return; /* reported, or missing: nothing is known of it, and no code is made for it */
	e->ref.kind = REF_TPFIELD;
	e->type = type;
}

/* Name of an operation's argument: from the table, or argN when that has none. */
static const char *ops_arg_name(struct check *c, const struct attach_point *ap, unsigned i)
{
	bool nullable;
	size_t len;
	const char *s = scx_op_arg(ap->op->name, i, &len, &nullable);

	return s ? arena_strndup(c->a, s, len) : arena_printf(c->a, "arg%u", i);
}

static int param_index(struct check *c, const struct attach_point *ap, const char *name, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!strcmp(ops_arg_name(c, ap, i), name))
			return (int)i;
	}
	return -1;
}

bool c_named_arg(struct check *c, const char *name)
{
	const struct attach_point *ap = c->probe->points.n ? &c->probe->points.v[0] : NULL;
	struct kbtf_param params[8];

	if (!ap || ap->kind == PROBE_COUNT)
		return false;
	if (ap->tracepoint)
		return tp_field(ap->tracepoint, name) != NULL;
	if (ap->proto)
		return traced_has_param(c, ap, name);
	return ap->ops_proto &&
	       param_index(c, ap, name, kbtf_params(c->btf, ap->ops_proto, params, 8)) >= 0;
}

static void no_ops_arg(
	struct check *c, const struct expr *e, const struct attach_point *ap, uint32_t n)
{
	struct diag *d = c_error(c, e->span, DIAG_NO_SUCH_FIELD,
		"'args.%.60s' is not an argument of %s", e->u.field.name, ap->name);
	struct buf b;

	buf_init(&b, c->a);
	for (uint32_t i = 0; i < n; i++)
		buf_printf(&b, " args.%s", ops_arg_name(c, ap, i));
	if (b.n)
		c_hint(c, d, "it has:%s", b.p);
	else
		c_hint(c, d, "it has no arguments");
}

static void ops_arg(struct check *c, struct expr *e)
{
	int index = -1;
	uint32_t type = 0;

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		struct kbtf_param params[8];
		uint32_t n;
		int at;

		if (ap->kind == PROBE_COUNT || !ap->ops_proto)
			continue;
		n = kbtf_params(c->btf, ap->ops_proto, params, 8);
		n = n > 8 ? 8 : n;
		at = param_index(c, ap, e->u.field.name, n);
		if (at < 0) {
			no_ops_arg(c, e, ap, n);
			return;
		}
		if (index >= 0 && at != index) {
			c_hint(c,
				c_error(c, e->span, DIAG_NOT_SUPPORTED,
					"'args.%.60s' stands at different places in these "
					"operations: one block for both is not supported in this "
					"version of skep",
					e->u.field.name),
				"write a block for each");
			return;
		}
		index = at;
		type = params[at].type;
	}
	if (index < 0)
		return;
	e->ref.kind = REF_OPSARG;
	e->ref.u.index = (unsigned)index;
	e->type = lt_from_btf(c, type, SPACE_KERNEL, true);
	if (e->type.kind != LT_INT && e->type.kind != LT_PTR) {
		c_unsupported(c, e->span, "arguments of this type are", NULL);
		e->type.kind = LT_UNKNOWN;
	}
	if (!e->type.typed)
		return;
	e->type.trusted = true;
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		e->type.nullable |= ap->op && scx_op_arg_nullable(c->btf, ap->op->name, e->ref.u.index);
	}
}

bool has_args(struct check *c, struct skep_span at)
{
	if (!c_is_kind(c, PP_UFUNC) || !c->probe->points.n)
		return c_has_builtin(c, builtin_row(BI_ARGS), at);
	c_unsupported(c, at, "names of arguments from the debug information of programs are",
		"arg0 to arg5 are the same without names");
	return false;
}

static void args_field(struct check *c, struct expr *e)
{
	c->probe->uses_args = true;
	if (!has_args(c, e->u.field.base->span))
		return;
	if (c_is_kind(c, PP_TRACEPOINT))
		tracepoint_arg(c, e);
	else if (c_is_kind(c, PP_OPS))
		ops_arg(c, e);
	else if (c_is_kind(c, PP_FENTRY) || c_is_kind(c, PP_RAWTP) || c_is_kind(c, PP_LSM) ||
		 c_is_kind(c, PP_ITER))
		traced_arg(c, e);
	else
		for (uint32_t i = 0; i < c->probe->points.n; i++)
			if (c->probe->points.v[i].kind == PROBE_COUNT)
				return; /* reported */
	if (e->type.kind == LT_UNKNOWN && e->ref.kind == REF_NONE && !c_is_kind(c, PP_TRACEPOINT) &&
		!c_is_kind(c, PP_OPS) && !c_is_kind(c, PP_FENTRY) && !c_is_kind(c, PP_RAWTP) &&
		!c_is_kind(c, PP_LSM) && !c_is_kind(c, PP_ITER))
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_PROBE,
				"'args' means different things in these probes"),
			"write a block for each kind of probe");
}

/* $t.1 */
static void tuple_field(struct check *c, struct expr *e)
{
	struct expr *base = e->u.field.base;

	check_expr(c, base);
	if (base->type.kind == LT_UNKNOWN)
		return;
	if (base->type.kind == LT_TUPLE && base->type.tuple)
		check_element_of(c, e, base, strtoull(e->u.field.name, NULL, 10),
			e->u.field.name_span);
	else
		c_hint(c,
			c_error(c, e->u.field.name_span, DIAG_WRONG_TYPE,
				"a value of type %s has no elements", c_type(c, &base->type)),
			"tuples have: $t = (1, 2); $t.0");
}

void check_field(struct check *c, struct expr *e)
{
	const struct expr *base = e->u.field.base;

	e->type.kind = LT_UNKNOWN;
	if (base->kind == EX_NAME && (!strcmp(base->u.name, "args") ||
					     (c_is_kind(c, PP_ITER) && !strcmp(base->u.name, "ctx"))))
		args_field(c, e);
	else if (base->kind == EX_NAME && net_layer_by_name(base->u.name) >= 0)
		check_net_field(c, e);
	else if (e->u.field.name[0] >= '0' && e->u.field.name[0] <= '9')
		tuple_field(c, e);
	else
		struct_field(c, e);
}

/*
 * Members of a task that the kernel lets a scheduler write: bpf_scx_btf_struct_access,
 * kernel/sched/ext.c. Everything else is rejected by the verifier.
 */
static bool scx_writable(struct check *c, const struct expr *e)
{
	const struct expr *task = e->u.field.base;
	const char *name = e->u.field.name;

	if (e->ref.kind != REF_MEMBER || !c_is_kind(c, PP_OPS) || e->ref.u.m.through_ptr ||
		strcmp(kbtf_name(c->btf, e->ref.u.m.owner), "sched_ext_entity") != 0)
		return false;
	if (strcmp(name, "slice") && strcmp(name, "dsq_vtime") && strcmp(name, "disallow"))
		return false;
	if (c->final && !strcmp(name, "disallow")) {
		const struct scx_op *op = c->probe->points.v[0].op;

		*(op && !strcmp(op->name, "init_task") ? &c->disallow : &c->disallow_late) = e;
	}
	return task->kind == EX_FIELD && task->ref.kind == REF_MEMBER &&
	       task->ref.u.m.through_ptr && task->u.field.base->type.trusted;
}

void field_is_assignable(struct check *c, struct expr *e)
{
	struct diag *d;

	if (e->type.kind == LT_UNKNOWN || scx_writable(c, e))
		return;
	if (e->ref.kind == REF_NET) {
		net_field_writable(c, e);
		return;
	}
	d = c_error(c, e->span, DIAG_BAD_ASSIGN, "this field cannot be assigned");
	if (e->ref.kind == REF_ELEMENT)
		c_hint(c, d, "tuples and records are assigned as a whole");
	else if (c_is_kind(c, PP_OPS))
		c_hint(c, d,
			"a scheduler may write scx.slice, scx.dsq_vtime and scx.disallow of a task: "
			"args.p.scx.slice = …");
	else
		c_hint(c, d,
			"the kernel's memory is read only; keep the value in a $variable or @map");
}
