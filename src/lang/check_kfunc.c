/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls of kernel functions from schedulers: which kernel name, whether allowed, arguments. */
#include "lang/check.h"
#include <string.h>

#define KFUNC_ARGS_MAX 5

/* The kernel marks functions that BPF may call with a declaration tag. */
static bool has_kfunc_tag(struct check *c, uint32_t func)
{
	for (uint32_t id = 1; id <= kbtf_count(c->btf); id++) {
		const struct btf_type *t = kbtf_type(c->btf, id);

		if (btf_kind_of(t) == BTF_KIND_DECL_TAG && t->type == func &&
			!strcmp(kbtf_name(c->btf, id), "bpf_kfunc"))
			return true;
	}
	return false;
}

static bool in_tables(const char *name)
{
	const struct kern_kfunc *k;

	if (scx_alias_by_name(name) || scx_kfunc_set(name))
		return true;
	for (unsigned i = 0; (k = kern_kfunc_at(i)); i++) {
		if (!strcmp(k->name, name))
			return true;
	}
	return false;
}

bool is_kfunc_name(struct check *c, const char *name)
{
	uint32_t func;

	if (in_tables(name))
		return true;
	func = c->btf ? kbtf_func(c->btf, name) : 0;
	return func && has_kfunc_tag(c, func);
}

/* The kernel's name of a function: for short names the first that the target has; NULL reported. */
static const char *kernel_name(struct check *c, const struct expr *e, const char *name)
{
	const struct scx_alias *al = scx_alias_by_name(name);
	bool is_short = al && !strcmp(al->name, name);
	struct diag *d;

	if (!is_short && kbtf_func(c->btf, name))
		return name;
	for (unsigned i = 0; al && i < 4 && al->kfunc[i]; i++) {
		/* a kernel name that was renamed stands for its other spellings, too */
		if (kbtf_func(c->btf, al->kfunc[i]))
			return al->kfunc[i];
	}
	d = c_error(c, e->u.call.name_span, DIAG_NO_KERNEL_FEATURE,
		"the target kernel has no function %s()", name);
	if (is_short)
		c_hint(c, d, "in kernels that have it, it is called %s", al->kfunc[0]);
	else
		c_hint(c, d, "it came with a later kernel, or is gone from this one");
	return NULL;
}

static const char *ops_that_may(struct check *c, const char *kfunc)
{
	const struct scx_op *op;
	struct buf b;

	buf_init(&b, c->a);
	for (unsigned i = 0; (op = scx_op_at(i)); i++) {
		if (scx_may_call(op, kfunc, c->t->version))
			buf_printf(&b, "%s%s", b.n ? ", " : "", op->name);
	}
	return b.n ? b.p : "none";
}

static bool allowed_here(struct check *c, const struct expr *e, const char *kfunc)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		struct diag *d;

		if (ap->kind == PROBE_COUNT || !ap->op ||
			scx_may_call(ap->op, kfunc, c->t->version))
			continue;
		d = c_error(c, e->u.call.name_span, DIAG_SCHED, "%s() may not be called in %s",
			e->u.call.name, ap->name);
		c_hint(c, d, "operations that may call it: %s", ops_that_may(c, kfunc));
		return false;
	}
	return true;
}

/* A pointer the verifier trusts: an argument of the operation. */
static bool is_trusted(const struct expr *a)
{
	return a->type.typed && a->ref.kind == REF_OPSARG;
}

static bool ends_nullable(const char *name)
{
	size_t len = strlen(name);

	return len > 10 && !strcmp(name + len - 10, "__nullable");
}

static bool may_be_null(struct check *c, const struct expr *a)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		bool nullable = false;
		size_t len;

		if (ap->kind != PROBE_COUNT && ap->op &&
			scx_op_arg(ap->op->name, a->ref.u.index, &len, &nullable) && nullable)
			return true;
	}
	return false;
}

static void wrong_pointer(struct check *c, const struct expr *a, const char *want, const char *name)
{
	struct diag *d = c_error(c, a->span, DIAG_WRONG_TYPE,
		"argument '%s' must be a '%s', this is %s%s", name, want,
		a->type.kind == LT_PTR && !is_trusted(a) ? "an unproven " : "a value of type ",
		c_type(c, &a->type));

	c_hint(c, d, "the kernel takes pointers only as an operation got them: args.NAME");
}

static void check_kfunc_arg(struct check *c, struct expr *a, const struct kbtf_param *p)
{
	struct kbtf_info want = kbtf_describe(c->btf, p->type), to;
	const char *name = p->name ? p->name : "?", *spelled = kbtf_spell(c->btf, p->type, c->a);

	check_expr(c, a);
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (want.class == KBTF_INT) {
		if (a->type.kind != LT_INT)
			c_error(c, a->span, DIAG_WRONG_TYPE,
				"argument '%s' must be a '%s', this is %s", name, spelled,
				c_type(c, &a->type));
		return;
	}
	to = kbtf_describe(c->btf, want.target);
	if (want.class != KBTF_PTR || to.class != KBTF_STRUCT) {
		c_unsupported(c, a->span, arena_printf(c->a, "arguments of type '%s' are", spelled),
			NULL);
		return;
	}
	if (a->is_const && !a->const_value && ends_nullable(name))
		return;
	if (a->type.kind == LT_PTR && a->type.btf && is_trusted(a) &&
		!strcmp(kbtf_name(c->btf, kbtf_strip(c->btf, a->type.btf)),
			kbtf_name(c->btf, to.id))) {
		if (may_be_null(c, a) && !ends_nullable(name))
			c_unsupported(
				c, a->span, "handing on an argument that may be NULL is", NULL);
		return;
	}
	wrong_pointer(c, a, spelled, name);
}

static void check_kfunc_args(struct check *c, struct expr *e, uint32_t proto)
{
	struct kbtf_param params[8];
	uint32_t n = kbtf_params(c->btf, proto, params, 8), have = e->u.call.args.list.n;
	struct diag *d;
	struct buf b;

	if (n > KFUNC_ARGS_MAX) {
		c_unsupported(c, e->span, "functions of more than 5 arguments are", NULL);
		return;
	}
	if (have != n) {
		d = c_error(c, e->span, DIAG_WRONG_ARGS, "%s() takes %u argument%s, this has %u",
			e->u.call.name, n, n == 1 ? "" : "s", have);
		buf_init(&b, c->a);
		for (uint32_t i = 0; i < n; i++)
			buf_printf(&b, "%s%s %s", i ? ", " : "",
				kbtf_spell(c->btf, params[i].type, c->a), params[i].name);
		c_hint(c, d, "write %s(%s)", e->u.call.name, b.n ? b.p : "");
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		check_kfunc_arg(c, e->u.call.args.list.v[i], &params[i]);
}

void check_kfunc(struct check *c, struct expr *e, const char *name)
{
	const char *kfunc;
	uint32_t func;

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		if (ap->kind == PROBE_COUNT || (ap->op && !ap->ops_proto))
			return; /* reported */
		if (kern_probe(ap->kind)->parts == PP_OPS)
			continue;
		c_hint(c,
			c_error(c, e->u.call.name_span, DIAG_WRONG_PROBE,
				"%s() does not exist in %s probes", name,
				kern_probe(ap->kind)->name),
			"functions of the kernel can be called in sched_ext probes");
		return;
	}
	if (!c->btf || !c_is_kind(c, PP_OPS))
		return; /* check_ops reported it */
	kfunc = kernel_name(c, e, name);
	if (!kfunc || !allowed_here(c, e, kfunc))
		return;
	if (kfunc_effects(kfunc) & (KE_ACQUIRE | KE_RELEASE)) {
		c_unsupported(c, e->span,
			arena_printf(c->a, "%s(), which takes or gives back a reference, is", name),
			NULL);
		return;
	}
	func = kbtf_func(c->btf, kfunc);
	e->ref.kind = REF_KFUNC;
	e->ref.u.kfunc = (struct kfunc_ref){kfunc, func, kbtf_func_proto(c->btf, func)};
	check_kfunc_args(c, e, e->ref.u.kfunc.proto);
	e->type = lt_from_btf(c, kbtf_return(c->btf, e->ref.u.kfunc.proto), SPACE_KERNEL, true);
}
