/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls of kernel functions from schedulers: which kernel name, whether allowed, arguments. */
#include "lang/check.h"
#include <string.h>

#define REG_ARGS_MAX 5
#define FORMAT_ARGS_MAX 12 /* MAX_BPRINTF_VARARGS, include/linux/bpf.h */
#define FORMAT_TEXT_MAX 127

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

		const struct scx_op *op = ap->kind == PROBE_SCHED_TIMER ? scx_timer() : ap->op;

		if (ap->kind == PROBE_COUNT || !op || scx_may_call(op, kfunc, c->t->version))
			continue;
		d = c_error(c, e->u.call.name_span, DIAG_SCHED, "%s() may not be called in %s",
			e->u.call.name, ap->name);
		c_hint(c, d, "operations that may call it: %s", ops_that_may(c, kfunc));
		return false;
	}
	return true;
}

static void wrong_pointer(struct check *c, const struct expr *a, const struct kfunc_arg *p)
{
	struct diag *d = c_error(c, a->span, DIAG_WRONG_TYPE,
		"argument '%s' must be a '%s', this is %s%s", p->name,
		kbtf_spell(c->btf, p->type, c->a),
		a->type.kind == LT_PTR && !a->type.trusted ? "an unproven " : "a value of type ",
		c_type(c, &a->type));

	if (p->to.id && !strcmp(kbtf_name(c->btf, p->to.id), "bpf_cpumask"))
		c_hint(c, d,
			"the kernel's masks are read only; one of your own: $m = bpf_cpumask_create()");
	else
		c_hint(c, d,
			"the kernel takes pointers that it gave itself: args.NAME, what its functions "
			"return, and $variables that hold these");
}

/* Pointers under RCU are good only in programs that cannot sleep: all of this block become such. */
void c_needs_rcu(struct check *c)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++)
		c->probe->points.v[i].rcu = true;
}

static void struct_arg(struct check *c, struct expr *a, const struct kfunc_arg *p)
{
	if (a->is_const && !a->const_value && p->nullable)
		return;
	if (a->type.kind != LT_PTR || !a->type.btf || !a->type.trusted ||
		!kbtf_starts_with(c->btf, a->type.btf, kbtf_name(c->btf, p->to.id))) {
		wrong_pointer(c, a, p);
		return;
	}
	if (a->type.nullable && p->nullable)
		c_unsupported(c, a->span, "handing on a pointer that may be NULL is", NULL);
	if (a->type.rcu)
		c_needs_rcu(c);
}

/* &$x: the function writes it. */
static void out_arg(struct check *c, struct expr *a, const struct kfunc_arg *p)
{
	struct expr value = {.kind = EX_INT, .span = a->span,
		.type = lt_int(8, p->to.size < 8 || p->to.is_signed)};

	if (a->kind != EX_UNARY || a->u.unary.op != UO_ADDR || a->u.unary.a->kind != EX_VAR) {
		c_hint(c,
			c_error(c, a->span, DIAG_WRONG_ARGS,
				"the function writes a result to argument '%s'", p->name),
			"give it a variable: &$%s", p->name);
		return;
	}
	check_var_assign(c, a->u.unary.a, &value);
	a->type = lt_of(LT_NONE, 0);
}

static void one_arg(struct check *c, struct expr *a, const struct kfunc_arg *p)
{
	if (p->kind == KFA_OUT) {
		out_arg(c, a, p);
		return;
	}
	if (a->kind == EX_CALL)
		check_kfunc_nested(c, a);
	else
		check_expr(c, a);
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (p->kind == KFA_STRUCT) {
		struct_arg(c, a, p);
	} else if (p->kind != KFA_INT) {
		c_unsupported(c, a->span,
			arena_printf(c->a, "arguments of type '%s' are",
				kbtf_spell(c->btf, p->type, c->a)),
			NULL);
	} else if (a->type.kind != LT_INT) {
		c_error(c, a->span, DIAG_WRONG_TYPE, "argument '%s' must be a '%s', this is %s",
			p->name, kbtf_spell(c->btf, p->type, c->a), c_type(c, &a->type));
	}
}

/* error("CPU %d", args.cpu): the text, then its values. */
static void format_args(struct check *c, struct expr *e, uint32_t at)
{
	struct expr **v = e->u.call.args.list.v, *text = at < e->u.call.args.list.n ? v[at] : NULL;
	uint32_t n = e->u.call.args.list.n;

	if (!text || text->kind != EX_STR || text->u.str.n > FORMAT_TEXT_MAX ||
		n - at - 1 > FORMAT_ARGS_MAX) {
		c_hint(c,
			c_error(c, text ? text->span : e->span, DIAG_WRONG_ARGS,
				"%s() needs a format of at most %d bytes and at most %d values",
				e->u.call.name, FORMAT_TEXT_MAX, FORMAT_ARGS_MAX),
			"for instance: %s(%s\"CPU %%d has no tasks\", cpu)", e->u.call.name,
			at ? "1, " : "");
		return;
	}
	check_expr(c, text);
	for (uint32_t i = at + 1; i < n; i++) {
		check_expr(c, v[i]);
		if (v[i]->type.kind == LT_STR && v[i]->kind == EX_FIELD && v[i]->ref.kind == REF_MEMBER)
			continue; /* %s of text in the kernel's memory */
		check_number(c, v[i], "a value of the format");
	}
	check_conversions(c, e, at, true);
}

static void wrong_count(struct check *c, struct expr *e, const struct kfunc_arg *p, uint32_t n,
	uint32_t have)
{
	struct diag *d = c_error(c, e->span, DIAG_WRONG_ARGS,
		"%s() takes %u argument%s, this has %u", e->u.call.name, n, n == 1 ? "" : "s", have);
	struct buf b;

	buf_init(&b, c->a);
	for (uint32_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s %s", i ? ", " : "", kbtf_spell(c->btf, p[i].type, c->a),
			p[i].name);
	c_hint(c, d, "write %s(%s)", e->u.call.name, b.n ? b.p : "");
}

/* The iterator of the loop around the call is handed on by itself. */
static bool take_iterator(struct check *c, const struct expr *e, struct kfunc_arg *p, uint32_t *n)
{
	if (!*n || p[0].kind != KFA_ITER)
		return true;
	--*n;
	memmove(p, p + 1, *n * sizeof(*p));
	if (c->dsq_loops)
		return true;
	c_hint(c,
		c_error(c, e->u.call.name_span, DIAG_SCHED,
			"%s() works on the queue that a loop goes through", e->u.call.name),
		"for ($p : dsq(0)) { %s(…); }", e->u.call.name);
	return false;
}

static void check_kfunc_args(struct check *c, struct expr *e, uint32_t proto)
{
	struct kfunc_arg p[KFUNC_ARGS_MAX];
	uint32_t n = kfunc_args(c->btf, proto, p), have = e->u.call.args.list.n, least;

	if (n > REG_ARGS_MAX) {
		c_unsupported(c, e->span, "functions of more than 5 arguments are", NULL);
		return;
	}
	if (!take_iterator(c, e, p, &n))
		return;
	least = n;
	for (uint32_t i = 0; i < n; i++) {
		if (p[i].kind == KFA_INT && strstr(p[i].name, "__sz")) {
			c_unsupported(c, e->span, "memory that a function of the kernel fills is", NULL);
			return;
		}
		if (p[i].kind != KFA_FORMAT)
			continue;
		for (uint32_t k = 0; k < i && k < have; k++)
			one_arg(c, e->u.call.args.list.v[k], &p[k]);
		format_args(c, e, i);
		return;
	}
	while (least && p[least - 1].kind == KFA_OUT)
		least--; /* results that nobody wants may be left out */
	if (have < least || have > n) {
		wrong_count(c, e, p, n, have);
		return;
	}
	for (uint32_t i = 0; i < have; i++)
		one_arg(c, e->u.call.args.list.v[i], &p[i]);
}

/* ---- what comes back ---- */

static bool any_nullable(const struct expr *e)
{
	for (uint32_t i = 0; i < e->u.call.args.list.n; i++) {
		const struct expr *a = e->u.call.args.list.v[i];

		if (a->type.kind == LT_PTR && a->type.nullable)
			return true;
	}
	return false;
}

static void kfunc_result(struct check *c, struct expr *e, const char *kfunc)
{
	uint32_t effects = kfunc_effects(kfunc);

	e->type = lt_from_btf(c, kbtf_return(c->btf, e->ref.u.kfunc.proto), SPACE_KERNEL, true);
	if (e->type.kind != LT_PTR || !e->type.typed)
		return;
	/* of a function without a row nothing is known: a test for NULL does no harm */
	e->type.nullable = effects & KE_NULLABLE || !effects;
	e->type.owned = effects & KE_ACQUIRE;
	e->type.rcu = effects & KE_RCU;
	e->type.trusted = e->type.owned || e->type.rcu;
	if (any_nullable(e))
		c_unsupported(c, e->span,
			"a function that returns a pointer, called with one that may be NULL, is", NULL);
}

static bool operations_only(struct check *c, const struct expr *e, const char *name)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		if (ap->kind == PROBE_COUNT || (ap->op && !ap->ops_proto))
			return false; /* reported */
		if (kern_probe(ap->kind)->parts == PP_OPS || ap->kind == PROBE_SCHED_TIMER)
			continue;
		c_hint(c,
			c_error(c, e->u.call.name_span, DIAG_WRONG_PROBE,
				"%s() does not exist in %s probes", name,
				kern_probe(ap->kind)->name),
			"functions of the kernel can be called in sched_ext probes: sched_ext:timer:ms:10 "
			"{ … } is one that comes every 10 ms");
		return false;
	}
	if (!c->btf)
		c_error(c, e->span, DIAG_NEED_BTF,
			"functions of the kernel need its type information (BTF)");
	return c->btf != NULL;
}

static bool releases_itself(struct check *c, const struct expr *e, const char *kfunc)
{
	if (!(kfunc_effects(kfunc) & KE_RELEASE))
		return false;
	c_hint(c,
		c_error(c, e->u.call.name_span, DIAG_SCHED, "%s() is not called by hand",
			e->u.call.name),
		"skep gives a reference back at the end of the block that holds it");
	return true;
}

static void note_sleep(struct check *c, const struct expr *e, const char *kfunc)
{
	if (!(kfunc_effects(kfunc) & KE_SLEEP))
		return;
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		struct attach_point *ap = &c->probe->points.v[i];

		if (!c->final || !ap->rcu)
			continue;
		c_hint(c,
			c_error(c, e->u.call.name_span, DIAG_SCHED,
				"%s() may sleep, but %s hands on pointers that sleeping would "
				"make invalid",
				e->u.call.name, ap->name),
			"take cpus_ptr, real_parent and the like in another operation");
	}
}

static void check_any_kfunc(struct check *c, struct expr *e, const char *name)
{
	const char *kfunc;
	uint32_t func;

	if (!operations_only(c, e, name))
		return;
	kfunc = kernel_name(c, e, name);
	if (!kfunc || !allowed_here(c, e, kfunc) || releases_itself(c, e, kfunc))
		return;
	func = kbtf_func(c->btf, kfunc);
	e->ref.kind = REF_KFUNC;
	e->ref.u.kfunc = (struct kfunc_ref){kfunc, func, kbtf_func_proto(c->btf, func)};
	check_kfunc_args(c, e, e->ref.u.kfunc.proto);
	kfunc_result(c, e, kfunc);
	note_sleep(c, e, kfunc);
	check_note_queue(c, e, kfunc);
}

void check_kfunc(struct check *c, struct expr *e, const char *name)
{
	check_any_kfunc(c, e, name);
	if (e->type.kind != LT_PTR || !e->type.owned)
		return;
	c_hint(c,
		c_error(c, e->span, DIAG_SCHED, "%s() gives a reference, which must be kept", name),
		"$x = %s(…), or hand it to another function of the kernel", name);
	e->type.kind = LT_UNKNOWN;
}

void check_kfunc_nested(struct check *c, struct expr *e)
{
	const char *name = e->u.call.name;

	e->is_const = false;
	e->ref.kind = REF_NONE;
	if (builtin_function(name) >= 0 || agg_by_name(name) || !is_kfunc_name(c, name)) {
		check_call(c, e, false);
		return;
	}
	e->type = lt_of(LT_UNKNOWN, 0);
	check_any_kfunc(c, e, name);
}

static bool c_is_timer(const struct check *c)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		if (c->probe->points.v[i].kind != PROBE_SCHED_TIMER)
			return false;
	}
	return c->probe->points.n > 0;
}

/* for ($p : dsq(0)): tasks that wait in a queue, in its order. */
void check_for_dsq(struct check *c, struct stmt *s)
{
	struct expr *id = s->u.each.lo, task = {.kind = EX_NAME, .span = s->u.each.var->span};
	const struct block *outer = c->block;

	check_in_place(c);
	check_expr(c, id);
	check_int(c, id, "the number of the queue");
	if (!c->btf || (!c_is_kind(c, PP_OPS) && !c_is_timer(c)) ||
		!kbtf_func(c->btf, "bpf_iter_scx_dsq_new")) {
		c_error(c, s->span, DIAG_WRONG_PROBE,
			"only schedulers can go through the tasks of a queue");
		return;
	}
	task.type = lt_of(LT_PTR, 8);
	task.type.btf = kbtf_find_struct(c->btf, "task_struct");
	task.type.typed = task.type.trusted = task.type.rcu = true;
	c_needs_rcu(c);
	c->block = s->u.each.body;
	check_var_assign(c, s->u.each.var, &task);
	c->block = outer;
	c->loops++;
	c->dsq_loops++;
	check_block(c, s->u.each.body);
	c->dsq_loops--;
	c->loops--;
}
