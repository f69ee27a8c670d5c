/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the language says in its own words: bpftrace's standard macros (ppid(task), is_err(), find()
 * …), put into the tree as what they stand for. Everything new has the place of the call, so that
 * messages point there.
 */
#include "lang/check.h"
#include "base/fmt.h"
#include <string.h>

static struct expr *arg(const struct expr *e, uint32_t i)
{
	return i < e->u.call.args.list.n ? e->u.call.args.list.v[i] : NULL;
}

/* ---- building ---- */

static struct expr *new_expr(struct check *c, const struct expr *at, enum expr_kind kind)
{
	struct expr *e = ARENA_NEW(c->a, struct expr);

	*e = (struct expr){.kind = kind, .span = at->span, .height = at->height + 1};
	return e;
}

static struct expr *name_expr(struct check *c, const struct expr *at, const char *name)
{
	struct expr *e = new_expr(c, at, EX_NAME);

	e->u.name = name;
	return e;
}

static struct expr *member_expr(struct check *c, struct expr *base, const char *name)
{
	struct expr *e = new_expr(c, base, EX_FIELD);

	e->u.field.base = base;
	e->u.field.name = name;
	e->u.field.name_span = base->span;
	return e;
}

static struct expr *number_expr(struct check *c, const struct expr *at, uint64_t v)
{
	struct expr *e = new_expr(c, at, EX_INT);

	e->u.num.v = v;
	return e;
}

static struct expr *cast_expr(struct check *c, struct expr *a, const char *type, unsigned stars)
{
	struct expr *e = new_expr(c, a, EX_CAST);

	e->u.cast.type = type;
	e->u.cast.type_span = a->span;
	e->u.cast.stars = stars;
	e->u.cast.a = a;
	return e;
}

static struct expr *binary_expr(struct check *c, enum binop op, struct expr *a, struct expr *b)
{
	struct expr *e = new_expr(c, a->height > b->height ? a : b, EX_BINARY);

	e->span = a->span;
	e->u.binary.op = op;
	e->u.binary.a = a;
	e->u.binary.b = b;
	return e;
}

static struct expr *call_expr(struct check *c, const struct expr *at, const char *name,
	struct expr *a, struct expr *b)
{
	struct expr *e = new_expr(c, at, EX_CALL);

	e->u.call.name = name;
	e->u.call.name_span = at->span;
	vec_push(c->a, &e->u.call.args.list, a);
	if (b)
		vec_push(c->a, &e->u.call.args.list, b);
	return e;
}

/* e becomes what, and is checked as that. */
static void becomes(struct check *c, struct expr *e, const struct expr *what)
{
	struct skep_span at = e->span;

	*e = *what;
	e->span = at;
	check_expr(c, e);
}

/* sarg0 …: what the caller has put on the stack; on x86_64 the return address lies before it. */
bool sugar_stack_arg(struct check *c, struct expr *e)
{
	const char *n = e->u.name;
	struct expr *sp, *at;

	if (strncmp(n, "sarg", 4) != 0 || n[4] < '0' || n[4] > '9' || n[5])
		return false;
	sp = new_expr(c, e, EX_STR);
	sp->u.str.s = "sp";
	sp->u.str.n = 2;
	at = number_expr(c, e, 8 * ((uint64_t)(n[4] - '0') + (c->t->arch == KERN_X86_64)));
	at = binary_expr(c, BO_ADD, call_expr(c, e, "reg", sp, NULL), at);
	sp = new_expr(c, at, EX_UNARY);
	sp->u.unary.op = UO_DEREF;
	sp->u.unary.a = cast_expr(c, at, "uint64", 1);
	becomes(c, e, sp);
	return true;
}

/* ---- members of tasks ---- */

static const struct {
	enum builtin_id id;
	const char *way[2];
} of_task[] = {
	{BI_LEADER_COMM, {"group_leader", "comm"}},
	{BI_LEADER_TID, {"group_leader", "pid"}},
	{BI_PCOMM, {"real_parent", "comm"}},
	{BI_PPID, {"real_parent", "tgid"}},
};

/* ppid, ppid(task): of the running task, or of the one given. */
bool sugar_task(struct check *c, struct expr *e, enum builtin_id id)
{
	struct expr *task = e->kind == EX_CALL ? arg(e, 0) : NULL;

	for (unsigned i = 0; i < sizeof(of_task) / sizeof(*of_task); i++) {
		if (of_task[i].id != id)
			continue;
		if (!task)
			task = name_expr(c, e, "curtask");
		task = member_expr(c, task, of_task[i].way[0]);
		becomes(c, e, member_expr(c, task, of_task[i].way[1]));
		return true;
	}
	return false;
}

/* args: (name = args.name, …) */
void sugar_args(struct check *c, struct expr *e, const char *const *names, uint32_t n)
{
	struct expr *r = new_expr(c, e, EX_RECORD);

	r->u.record.names = ARENA_ARRAY(c->a, const char *, n);
	for (uint32_t i = 0; i < n; i++) {
		r->u.record.names[i] = arena_strdup(c->a, names[i]);
		vec_push(c->a, &r->u.record.values.list,
			member_expr(c, name_expr(c, e, "args"), names[i]));
	}
	becomes(c, e, r);
}

/* ---- pointers ---- */

/* is_err(p): an error number in the place of an address, as the kernel's IS_ERR(). */
static void sugar_is_err(struct check *c, struct expr *e)
{
	struct expr *p;

	if (!count_args(c, e, 1, 1))
		return;
	p = cast_expr(c, arg(e, 0), "uint64", 0);
	becomes(c, e, binary_expr(c, BO_GE, p, cast_expr(c, number_expr(c, e, -4095ull), "uint64", 0)));
}

/* container_of(p, TYPE, member): the TYPE that p's target is a part of. */
static void sugar_container_of(struct check *c, struct expr *e)
{
	struct expr *type = arg(e, 1), *off, *p;

	if (!count_args(c, e, 3, 3))
		return;
	if (type->kind == EX_NAME) {
		type = cast_expr(c, type, type->u.name, 0);
	} else if (type->kind != EX_CAST) {
		c_hint(c, c_error(c, type->span, DIAG_WRONG_ARGS, "container_of() needs a type here"),
			"for instance: container_of(p, struct task_struct, thread)");
		return;
	}
	/* offsetof() knows a type by its span: see size_of_arg() */
	type->span.off = type->u.cast.type_span.off;
	off = call_expr(c, e, "offsetof", type, arg(e, 2));
	p = cast_expr(c, arg(e, 0), "uint64", 0);
	p = cast_expr(c, binary_expr(c, BO_SUB, p, off), type->u.cast.type, 1);
	p->u.cast.type_span = type->u.cast.type_span;
	becomes(c, e, p);
}

/*
 * percpu_kaddr("x"[, cpu]): each CPU's copy lies __per_cpu_offset[cpu] from the symbol's address
 * (SHIFT_PERCPU_PTR, include/linux/percpu-defs.h); NULL behind the last CPU.
 */
static void sugar_percpu(struct check *c, struct expr *e)
{
	struct expr *name = arg(e, 0), *cpu = arg(e, 1), *p, *offsets, *at, *pick;

	if (!count_args(c, e, 1, 2))
		return;
	if (name->kind != EX_STR) {
		c_hint(c, c_error(c, name->span, DIAG_WRONG_ARGS,
				  "percpu_kaddr() takes a name in quotes"),
			"for instance: percpu_kaddr(\"runqueues\")");
		return;
	}
	at = new_expr(c, e, EX_STR);
	at->u.str.s = "__per_cpu_offset";
	at->u.str.n = (uint32_t)strlen(at->u.str.s);
	offsets = call_expr(c, e, "kaddr", at, NULL);
	offsets = cast_expr(c, cast_expr(c, offsets, "uint64", 0), "uint64", 1);
	p = new_expr(c, cpu ? cpu : e, EX_INDEX);
	p->u.index.base = offsets;
	p->u.index.index = cpu ? cpu : name_expr(c, e, "cpu");
	p = binary_expr(c, BO_ADD, call_expr(c, e, "kaddr", name, NULL), p);
	if (cpu) {
		pick = new_expr(c, p, EX_TERNARY);
		pick->u.ternary.cond = binary_expr(
			c, BO_LT, cast_expr(c, cpu, "uint64", 0), name_expr(c, e, "ncpus"));
		pick->u.ternary.yes = p;
		pick->u.ternary.no = cast_expr(c, number_expr(c, e, 0), "uint64", 0);
		p = pick;
	}
	becomes(c, e, cast_expr(c, p, "uint64", 1));
}

/* ---- questions about types ---- */

static void sugar_is(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0);
	const struct lt *t;
	bool yes = false;

	e->type.kind = LT_UNKNOWN;
	if (!count_args(c, e, 1, 1))
		return;
	if (a->kind == EX_MAP && !a->u.map.keys.list.n && e->ref.u.builtin == BI_F_IS_MAP) {
		check_map(c, a, MAP_WHOLE);
		set_const(e, 1, true);
		e->type = lt_bool();
		return;
	}
	check_expr(c, a);
	t = &a->type;
	if (t->kind == LT_UNKNOWN)
		return;
	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_IS_ARRAY:
		yes = t->kind == LT_ARRAY;
		break;
	case BI_F_IS_INTEGER:
		yes = t->kind == LT_INT;
		break;
	case BI_F_IS_UNSIGNED_INTEGER:
		yes = t->kind == LT_INT && !t->is_signed;
		break;
	case BI_F_IS_LITERAL:
		yes = a->kind == EX_INT || a->kind == EX_STR;
		break;
	case BI_F_IS_PTR:
		yes = t->kind == LT_PTR;
		break;
	case BI_F_IS_STR:
		yes = t->kind == LT_STR;
		break;
	default:
		break;
	}
	set_const(e, yes, true);
	e->type = lt_bool();
}

/* kfunc_exist("name"): whether the kernel has that function for programs. */
static void sugar_kfunc_exist(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0);

	e->type.kind = LT_UNKNOWN;
	if (!count_args(c, e, 1, 1))
		return;
	if (a->kind != EX_STR) {
		c_error(c, a->span, DIAG_WRONG_ARGS, "kfunc_exist() takes a name in quotes");
		return;
	}
	if (c->s->portable) {
		c_error(c, e->span, DIAG_NOT_SUPPORTED,
			"kfunc_exist() cannot be in an object for other kernels");
		return;
	}
	set_const(e, c->btf && kbtf_func(c->btf, a->u.str.s), true);
	e->type = lt_bool();
}

static void sugar_static_assert(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0), *text = arg(e, 1);

	if (!count_args(c, e, 2, 2))
		return;
	check_expr(c, a);
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (!a->is_const || text->kind != EX_STR)
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_ARGS,
				"static_assert() needs a condition that is known before the script runs, "
				"and a text"),
			"assert(condition, \"text\") asks while it runs");
	else if (!a->const_value && c->final)
		c_error(c, e->span, DIAG_CONST_RANGE, "static_assert: %.200s", text->u.str.s);
}

/* fail("format", …): an error where it can be reached. Its arguments are known before anything runs. */
static void sugar_fail(struct check *c, struct expr *e)
{
	const struct exprs *args = &e->u.call.args;
	const struct expr *f = arg(e, 0);
	uint32_t pos = 0, from = 0, n = 1;
	struct fmt_spec v;
	struct buf text;

	check_printf(c, e);
	if (!c->final || c->dead || !f || f->kind != EX_STR)
		return;
	buf_init(&text, c->a);
	while (fmt_next(f->u.str.s, f->u.str.n, &pos, &v) && n < args->list.n) {
		const struct expr *a = args->list.v[n++];

		buf_put(&text, f->u.str.s + from, v.start - from);
		from = pos;
		if (a->kind == EX_STR)
			buf_put(&text, a->u.str.s, a->u.str.n);
		else if (a->is_const)
			buf_printf(&text, "%lld", (long long)a->const_value);
		else
			buf_puts(&text, "?");
	}
	buf_puts(&text, f->u.str.s + from);
	c_error(c, e->span, DIAG_CONST_RANGE, "%.400s", text.p);
}

/* As a statement it became an "if": see sugar_stmt(). */
static void sugar_assert_alone(struct check *c, struct expr *e)
{
	count_args(c, e, 2, 2);
}

static void sugar_find_alone(struct check *c, struct expr *e)
{
	e->type.kind = LT_UNKNOWN;
	if (count_args(c, e, 3, 3))
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_ARGS,
				"find() takes a map without its key, a key and a $variable, and stands in "
				"the condition of an if"),
			"for instance: if (find(@x, tid, $v)) { … }");
}

check_fn sugar_func(enum builtin_id id)
{
	switch (id) {
	case BI_F_ASSERT:
		return sugar_assert_alone;
	case BI_F_FIND:
		return sugar_find_alone;
	case BI_F_CONTAINER_OF:
		return sugar_container_of;
	case BI_F_IS_ARRAY:
	case BI_F_IS_INTEGER:
	case BI_F_IS_LITERAL:
	case BI_F_IS_MAP:
	case BI_F_IS_PTR:
	case BI_F_IS_STR:
	case BI_F_IS_UNSIGNED_INTEGER:
		return sugar_is;
	case BI_F_IS_ERR:
		return sugar_is_err;
	case BI_F_KFUNC_EXIST:
		return sugar_kfunc_exist;
	case BI_F_PERCPU_KADDR:
		return sugar_percpu;
	case BI_F_FAIL:
		return sugar_fail;
	case BI_F_STATIC_ASSERT:
		return sugar_static_assert;
	default:
		return NULL;
	}
}

/* ---- statements ---- */

static struct stmt *expr_stmt(struct check *c, struct expr *e)
{
	struct stmt *s = ARENA_NEW(c->a, struct stmt);

	*s = (struct stmt){.kind = ST_EXPR, .ended = true, .span = e->span};
	s->u.expr = e;
	return s;
}

static struct block *new_block(struct check *c, const struct expr *at)
{
	struct block *b = ARENA_NEW(c->a, struct block);

	*b = (struct block){.span = at->span};
	return b;
}

static void make_if(struct stmt *s, struct expr *cond, struct block *yes, struct block *no)
{
	s->kind = ST_IF;
	s->u.cond.cond = cond;
	s->u.cond.yes = yes;
	s->u.cond.no = no;
}

/* spread: the statements of a macro, whose value nobody wanted yet (parse_spread). */
static struct expr *side_value(struct check *c, struct block *b, bool spread)
{
	struct stmt *last = b->list.n ? b->list.v[b->list.n - 1] : NULL;
	struct expr *value, *e;

	if (!last || last->ended || (last->drops && !spread) || last->kind != ST_EXPR)
		value = sugar_block_value(c, b);
	else
		value = last->u.expr, b->list.n--;
	if (!value || !b->list.n)
		return value;
	e = new_expr(c, value, EX_BLOCK);
	e->u.block.body = b;
	e->u.block.value = value;
	return e;
}

struct expr *sugar_block_value(struct check *c, struct block *b)
{
	struct stmt *last = b->list.n ? b->list.v[b->list.n - 1] : NULL;
	struct expr *e;

	if (last && !last->ended && last->kind == ST_BLOCK) {
		e = side_value(c, last->u.block, true);
		b->list.n -= e != NULL;
		return e;
	}
	if (!last || last->ended || last->kind != ST_IF || !last->u.cond.no)
		return NULL;
	e = new_expr(c, last->u.cond.cond, EX_TERNARY);
	e->u.ternary.cond = last->u.cond.cond;
	e->u.ternary.yes = side_value(c, last->u.cond.yes, false);
	e->u.ternary.no = side_value(c, last->u.cond.no, false);
	if (!e->u.ternary.yes || !e->u.ternary.no)
		return NULL;
	b->list.n--;
	return e;
}

/* assert(condition, "text") */
static bool sugar_assert(struct check *c, struct stmt *s)
{
	struct expr *e = s->u.expr, *not_so, *format, *n;
	struct block *b;

	if (e->u.call.args.list.n != 2)
		return false;
	b = new_block(c, e);
	not_so = new_expr(c, arg(e, 0), EX_UNARY);
	not_so->u.unary.op = UO_NOT;
	not_so->u.unary.a = arg(e, 0);
	format = new_expr(c, e, EX_STR);
	format->u.str.s = "assert failed: %s";
	format->u.str.n = (uint32_t)strlen(format->u.str.s);
	vec_push(c->a, &b->list, expr_stmt(c, call_expr(c, e, "errorf", format, arg(e, 1))));
	n = number_expr(c, e, 1);
	vec_push(c->a, &b->list, expr_stmt(c, call_expr(c, e, "exit", n, NULL)));
	make_if(s, not_so, b, NULL);
	return true;
}

/* c ? f() : g() as a statement: what stands there need not have a value. */
bool sugar_stmt(struct check *c, struct stmt *s)
{
	struct expr *e = s->u.expr;
	struct block *yes, *no;

	if (e->kind == EX_CALL && !strcmp(e->u.call.name, "assert"))
		return sugar_assert(c, s);
	if (e->kind != EX_TERNARY || !e->u.ternary.yes || e->u.ternary.yes->kind != EX_CALL ||
		e->u.ternary.no->kind != EX_CALL)
		return false;
	yes = new_block(c, e);
	no = new_block(c, e);
	vec_push(c->a, &yes->list, expr_stmt(c, e->u.ternary.yes));
	vec_push(c->a, &no->list, expr_stmt(c, e->u.ternary.no));
	make_if(s, e->u.ternary.cond, yes, no);
	return true;
}

/*
 * What is needed twice and changes something, a key for instance: { $k = key; …, where the result
 * stands for it.
 */
static struct expr *kept(struct check *c, struct expr *key, struct block **body)
{
	struct stmt *set = ARENA_NEW(c->a, struct stmt);
	struct expr *k = new_expr(c, key, EX_VAR);

	*body = *body ? *body : new_block(c, key);
	k->u.name = arena_printf(c->a, "kept %u", c->kept++);
	*set = (struct stmt){.kind = ST_ASSIGN, .ended = true, .span = key->span};
	set->u.assign.target = k;
	set->u.assign.value = key;
	vec_push(c->a, &(*body)->list, set);
	return k;
}

static struct expr *block_expr(struct check *c, struct block *body, struct expr *value)
{
	struct expr *e = new_expr(c, value, EX_BLOCK);

	e->u.block.body = body;
	e->u.block.value = value;
	return e;
}

/* The value of delete(): { $k = key; delete(@x, $k) } where the key changes something. */
bool sugar_delete(struct check *c, struct expr *e)
{
	struct expr *m = arg(e, 0), *key = arg(e, 1);
	struct block *body = NULL;

	if (!m || m->kind != EX_MAP || (key && m->u.map.keys.list.n))
		return false;
	if (!key && m->u.map.keys.list.n == 1) {
		key = m->u.map.keys.list.v[0];
	} else if (!key) {
		key = new_expr(c, m, EX_TUPLE);
		key->u.tuple = m->u.map.keys;
	}
	if (!lo_has_effect(key))
		return false;
	m->u.map.keys = (struct exprs){{0}};
	key = kept(c, key, &body);
	becomes(c, e, block_expr(c, body, call_expr(c, e, "delete", m, key)));
	return true;
}

/* if (find(@x, key, $v)): if (has_key(@x, key)) { $v = @x[key]; … } */
void sugar_find(struct check *c, struct stmt *s)
{
	struct expr *e = s->u.cond.cond, *value, *key;
	struct block *b, *old = s->u.cond.yes, *before = NULL;
	struct stmt *set;

	if (e->kind != EX_CALL || strcmp(e->u.call.name, "find") != 0 ||
		e->u.call.args.list.n != 3 || arg(e, 0)->kind != EX_MAP ||
		arg(e, 0)->u.map.keys.list.n || arg(e, 2)->kind != EX_VAR)
		return;
	value = new_expr(c, e, EX_MAP);
	value->u.map.name = arg(e, 0)->u.map.name;
	key = arg(e, 1);
	if (lo_has_effect(key))
		key = kept(c, key, &before);
	if (key->kind == EX_TUPLE)
		value->u.map.keys = key->u.tuple;
	else
		vec_push(c->a, &value->u.map.keys.list, key);
	set = ARENA_NEW(c->a, struct stmt);
	*set = (struct stmt){.kind = ST_ASSIGN, .ended = true, .span = e->span};
	set->u.assign.target = arg(e, 2);
	set->u.assign.value = value;
	b = new_block(c, e);
	vec_push(c->a, &b->list, set);
	for (uint32_t i = 0; i < old->list.n; i++)
		vec_push(c->a, &b->list, old->list.v[i]);
	b->span = old->span;
	s->u.cond.cond = call_expr(c, e, "has_key", arg(e, 0), key);
	if (before)
		s->u.cond.cond = block_expr(c, before, s->u.cond.cond);
	s->u.cond.yes = b;
}

/* ---- tuples ---- */

static struct expr *element(struct check *c, struct expr *t, uint32_t i)
{
	struct expr *e;

	if (t->kind == EX_TUPLE || t->kind == EX_RECORD)
		return t->u.tuple.list.v[i];
	e = new_expr(c, t, EX_INDEX);
	e->u.index.base = t;
	e->u.index.index = number_expr(c, t, i);
	return e;
}

static bool is_tuple(const struct expr *e)
{
	return e->type.kind == LT_TUPLE && e->type.tuple &&
	       (e->kind == EX_TUPLE || e->kind == EX_RECORD || e->kind == EX_VAR || e->ref.kind == REF_ELEMENT);
}

/* a == b of tuples: all their elements are equal. False: it is something else. */
bool sugar_tuple_equal(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b, *all = NULL, *one;
	bool equal = e->u.binary.op == BO_EQ;

	if ((!equal && e->u.binary.op != BO_NE) || !is_tuple(a) || !is_tuple(b) ||
		!lt_same_names(a->type.tuple, b->type.tuple) || !a->type.tuple->n)
		return false;
	if (lo_has_effect(e)) { /* all of both, though the first elements may differ */
		struct block *body = NULL;

		a = kept(c, a, &body);
		b = kept(c, b, &body);
		becomes(c, e, block_expr(c, body, binary_expr(c, e->u.binary.op, a, b)));
		return true;
	}
	for (uint32_t i = 0; i < a->type.tuple->n; i++) {
		one = binary_expr(c, e->u.binary.op, element(c, a, i),
			element(c, b, lt_named(b->type.tuple, a->type.tuple, i)));
		all = all ? binary_expr(c, equal ? BO_LAND : BO_LOR, all, one) : one;
	}
	becomes(c, e, all);
	return true;
}
