/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls: functions of the language; aggregations and kernel functions are passed on. */
#include "lang/check.h"
#include <string.h>

static struct expr *arg(const struct expr *e, uint32_t i)
{
	return i < e->u.call.args.list.n ? e->u.call.args.list.v[i] : NULL;
}

bool count_args(struct check *c, const struct expr *e, uint32_t min, uint32_t max)
{
	const struct builtin *b = builtin_row((enum builtin_id)e->ref.u.builtin);
	uint32_t n = e->u.call.args.list.n;
	const char *want;
	struct diag *d;

	if (n >= min && n <= max)
		return true;
	if (!max)
		want = "no arguments";
	else if (min == max)
		want = arena_printf(c->a, "%u argument%s", max, max == 1 ? "" : "s");
	else if (!min)
		want = arena_printf(c->a, "at most %u argument%s", max, max == 1 ? "" : "s");
	else
		want = arena_printf(c->a, "%u to %u arguments", min, max);
	d = c_error(c, e->span, DIAG_WRONG_ARGS, "%s() takes %s, this has %u", b->name, want, n);
	c_hint(c, d, "write %s(%s)", b->name, b->args);
	return false;
}

/* A whole map as an argument: no key. */
static bool whole_map(struct check *c, const struct expr *e)
{
	struct expr *m = arg(e, 0);
	const char *name = e->u.call.name;
	struct diag *d;

	if (m->kind == EX_MAP && !m->u.map.keys.list.n) {
		check_map(c, m, MAP_WHOLE);
		return true;
	}
	check_expr(c, m);
	d = c_error(c, m->span, DIAG_WRONG_ARGS, "%s() needs a map", name);
	if (m->kind == EX_MAP)
		c_hint(c, d, "without a key: %s(%.60s)", name, m->u.map.name);
	else
		c_hint(c, d, "for instance: %s(@x)", name);
	return false;
}

static void check_whole_map(struct check *c, struct expr *e)
{
	if (count_args(c, e, 1, 1) && whole_map(c, e))
		arg(e, 0)->map->unset = true;
}

/* print(@x), print(@x, 5), print(@x, 5, 1000), print(value) */
static void check_print(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0);
	uint32_t n = e->u.call.args.list.n;

	if (!count_args(c, e, 1, 3))
		return;
	if (a->kind == EX_MAP && !a->u.map.keys.list.n) {
		check_map(c, a, MAP_WHOLE);
		if (n > 1)
			check_const(c, arg(e, 1), "number of entries", 0, INT32_MAX);
		if (n > 2)
			check_const(c, arg(e, 2), "divisor", 1, INT64_MAX);
		return;
	}
	if (a->kind == EX_MAP && n == 1) {
		int errors = c->d->errors;
		struct map_sym *m = check_map(c, a, MAP_READ);

		if (c->d->errors == errors && (m->agg == MA_NONE || agg_is_number(m->agg)))
			check_map_value(c, a);
		return;
	}
	check_expr(c, a);
	if (n > 1)
		c_hint(c,
			c_error(c, arg(e, 1)->span, DIAG_WRONG_ARGS,
				"only print() of a whole map takes further arguments"),
			"a format and its values: printf(\"%%s\\n\", …)");
	else
		is_storable(c, a, "printed");
}

/* has_key(@x, key), has_key(@x, (key, key)) */
static void check_has_key(struct check *c, struct expr *e)
{
	struct expr *m = arg(e, 0), *key = arg(e, 1);
	struct exprs keys = {{0}};
	struct map_sym *sym;

	if (!count_args(c, e, 2, 2) || !whole_map(c, e))
		return;
	e->type = lt_bool();
	sym = m->map;
	if (key->kind == EX_TUPLE)
		keys = key->u.tuple;
	else
		vec_push(c->a, &keys.list, key);
	check_map_keys(c, sym, &keys, key->span);
}

/*
 * As a value, delete() of an entry tells whether there was one. Its key is then looked at twice: one
 * that changes something was kept in a variable before (sugar_delete).
 */
static void delete_value(struct expr *e, const struct exprs *keys)
{
	for (uint32_t i = 0; i < keys->list.n; i++) {
		if (lo_has_effect(keys->list.v[i]))
			return;
	}
	if (keys->list.n)
		e->type = lt_bool();
}

/* delete(@x[k]), delete(@x, k), delete(@x) */
static void check_delete(struct check *c, struct expr *e)
{
	struct expr *m = arg(e, 0), *key = arg(e, 1);
	struct exprs keys = {{0}};
	struct map_sym *sym;

	if (!count_args(c, e, 1, 2))
		return;
	if (m->kind != EX_MAP) {
		check_expr(c, m);
		c_hint(c, c_error(c, m->span, DIAG_WRONG_ARGS, "delete() needs a map"),
			"for instance: delete(@x[tid])");
		return;
	}
	sym = check_map(c, m, key ? MAP_PART : MAP_WHOLE);
	sym->unset = true;
	if (!key) {
		delete_value(e, &m->u.map.keys);
		return;
	}
	if (m->u.map.keys.list.n) {
		c_hint(c, c_error(c, key->span, DIAG_WRONG_ARGS, "delete() has two keys here"),
			"write delete(%.60s, key), or delete(%.60s[key]) once for each", sym->name,
			sym->name);
		return;
	}
	if (key->kind == EX_TUPLE)
		keys = key->u.tuple;
	else
		vec_push(c->a, &keys.list, key);
	if (key->kind == EX_MAP && !key->u.map.keys.list.n &&
		smap_get(&c->s->maps, key->u.map.name)) {
		const struct map_sym *other = smap_get(&c->s->maps, key->u.map.name);

		if (other->keyed) {
			c_hint(c,
				c_error(c, key->span, DIAG_WRONG_ARGS,
					"expected a key, found a map"),
				"write delete() once for each map");
			return;
		}
	}
	check_map_keys(c, sym, &keys, key->span);
	delete_value(e, &keys);
}

/* Whether the entry was there is asked: 0 cannot stand for none. Fields are there always. */
static void check_delete_asked(struct expr *e, struct map_sym *m)
{
	m->other_keys = true;
	if (m->of || m->record)
		e->type = lt_of(LT_NONE, 0);
}

static bool is_pointer_like(const struct lt *t)
{
	return t->kind == LT_INT || t->kind == LT_PTR || t->kind == LT_STR ||
	       (t->kind == LT_ARRAY && t->nelems);
}

/*
 * The length does not count the NUL, as in bpftrace, so str(p, 3) has 3 bytes of text. Beyond
 * max_strlen it is cut.
 */
static bool str_length(struct check *c, struct expr *n, uint32_t *size)
{
	check_expr(c, n);
	if (n->type.kind == LT_UNKNOWN || !check_int(c, n, "the length of str()"))
		return false;
	if (!n->is_const)
		return true;
	if (!check_const(c, n, "length of str()", 0, INT32_MAX))
		return false;
	if (n->const_value + 1 < *size)
		*size = (uint32_t)n->const_value + 1;
	return true;
}

/* str($1) is text, also if it looks like a number; str($1 + 2) leaves out the first bytes. */
static void posarg_text(const struct check *c, struct expr *p)
{
	const struct expr *pos = p->kind == EX_BINARY && p->u.binary.op == BO_ADD ? p->u.binary.a : p;
	uint64_t skip = pos == p ? 0 : p->u.binary.b->u.num.v;
	const char *text = "";

	if (pos->kind != EX_POSARG || !pos->u.num.v || (pos != p && p->u.binary.b->kind != EX_INT))
		return;
	if (pos->u.num.v <= c->s->nparams)
		text = c->s->params[pos->u.num.v - 1];
	text += skip < strlen(text) ? skip : strlen(text);
	p->kind = EX_STR;
	p->u.str.s = text;
	p->u.str.n = (uint32_t)strlen(text);
}

static void check_str(struct check *c, struct expr *e)
{
	struct expr *p = arg(e, 0), *n = arg(e, 1);
	uint32_t size = c->s->config.max_strlen;
	struct diag *d;

	if (!count_args(c, e, 1, 2))
		return;
	posarg_text(c, p);
	check_expr(c, p);
	e->type.kind = LT_UNKNOWN;
	if (n && !str_length(c, n, &size))
		return;
	if (p->type.kind == LT_UNKNOWN)
		return;
	if (!is_pointer_like(&p->type)) {
		d = c_error(c, p->span, DIAG_WRONG_TYPE, "str() needs a pointer, this is %s",
			c_type(c, &p->type));
		if (p->type.kind == LT_INET4 || p->type.kind == LT_INET6 || p->type.kind == LT_MAC)
			c_hint(c, d, "addresses print as text by themselves, with %%s");
		return;
	}
	if (p->type.kind == LT_ARRAY && p->type.size < size)
		size = p->type.size + 1;
	if ((p->type.kind == LT_STR || p->type.local) && n && !n->is_const)
		c_unsupported(c, n->span, "cutting a string to a size that is no constant is",
			"for instance: str(text, 5)");
	else
		e->type = lt_str(p->type.kind == LT_STR && p->type.size < size ? p->type.size : size);
}

static void check_time(struct check *c, struct expr *e)
{
	struct expr *f = arg(e, 0);

	if (!count_args(c, e, 0, 1) || !f)
		return;
	check_expr(c, f);
	if (f->kind != EX_STR)
		c_hint(c,
			c_error(c, f->span, DIAG_WRONG_ARGS,
				"the format must be a string in quotes"),
			"for instance: time(\"%%H:%%M:%%S\\n\")");
}

static void check_exit(struct check *c, struct expr *e)
{
	if (!count_args(c, e, 0, 1) || !arg(e, 0))
		return;
	check_expr(c, arg(e, 0));
	check_int(c, arg(e, 0), "the exit code");
	if (arg(e, 0)->is_const && arg(e, 0)->const_value > 255)
		c_hint(c, c_error(c, arg(e, 0)->span, DIAG_CONST_RANGE,
				  "a process ends with a code from 0 to 255"),
			"exit(1) says that something failed");
}

static void no_args(struct check *c, struct expr *e)
{
	count_args(c, e, 0, 0);
}

static check_fn checker_of(enum builtin_id id)
{
	check_fn fn = check_value_func(id);

	switch (id) {
	case BI_F_JOIN:
		return check_join;
	case BI_F_SYSTEM:
		return check_system;
	case BI_F_CAT:
	case BI_F_DEBUGF:
	case BI_F_ERRORF:
	case BI_F_WARNF:
	case BI_F_PRINTF:
		return check_printf;
	case BI_F_PRINT:
		return check_print;
	case BI_F_STR:
		return check_str;
	case BI_F_EXIT:
		return check_exit;
	case BI_F_CLEAR:
	case BI_F_ZERO:
		return check_whole_map;
	case BI_F_DELETE:
		return check_delete;
	case BI_F_HAS_KEY:
		return check_has_key;
	case BI_F_LEN:
		return check_len;
	case BI_F_GETOPT:
		return check_getopt;
	case BI_F_TIME:
		return check_time;
	case BI_F_DROP:
		return check_drop;
	case BI_F_REDIRECT:
		return check_redirect;
	case BI_F_CAPTURE:
		return check_capture;
	case BI_F_EVERY:
		return check_every;
	case BI_F_RATE:
		return check_rate;
	case BI_F_CONTAINS:
		return check_contains;
	case BI_F_DNS_NAME:
		return check_dns_name;
	case BI_F_KSTACK:
	case BI_F_USTACK:
		return check_stack;
	case BI_F_UADDR:
		return check_uaddr;
	case BI_F_KADDR:
		return check_kaddr;
	case BI_F_KSYM:
		return check_ksym;
	case BI_F_USYM:
		return check_usym;
	case BI_F_STRFTIME:
		return check_strftime;
	default:
		return fn ? fn : no_args;
	}
}

/* ---- names nobody knows ---- */

static void unknown_function(struct check *c, const struct expr *e)
{
	const char *name = e->u.call.name, *end = strrchr(name, '_'), *kin = NULL, *tail, *same = NULL;
	struct diag *d = c_error(
		c, e->u.call.name_span, DIAG_UNKNOWN_NAME, "unknown function '%.60s'", name);
	const struct scx_alias *al;
	const struct agg *g;
	struct suggest s;

	suggest_init(&s, name);
	for (int i = BI_COUNT; i-- > 0;) { /* backwards: "prinf" is printf rather than print */
		if (builtin_row((enum builtin_id)i)->args)
			suggest_try(&s, builtin_row((enum builtin_id)i)->name);
	}
	for (unsigned i = 0; (g = agg_at(i)); i++)
		suggest_try(&s, g->name);
	for (uint32_t i = 0; i < c->s->macros->entries.n; i++)
		suggest_try(&s, c->s->macros->entries.v[i].key);
	for (unsigned i = 0; c_is_kind(c, PP_OPS) && (al = scx_alias_at(i)); i++) {
		suggest_try(&s, al->name);
		for (unsigned k = 0; k < 4 && al->kfunc[k]; k++) {
			suggest_try(&s, al->kfunc[k]);
			tail = strstr(al->kfunc[k], name);
			if (tail > al->kfunc[k] && tail[-1] == '_' && !tail[strlen(name)])
				same = al->name; /* insert: scx_bpf_dsq_insert */
			if (tail || (!kin && end && end[1] && strstr(al->kfunc[k], end)))
				kin = al->name; /* dsq_consume: scx_bpf_consume */
		}
	}
	if (smap_get(c->s->macros, name))
		c_hint(c, d, "it is defined further down: functions and macros stand before their uses");
	else if (elsewhere_find(name))
		c_hint(c, d, "here it is %s()", elsewhere_find(name));
	else if (!strcmp(name, "strcmp"))
		c_hint(c, d, "texts are compared with == and !=");
	else if (check_is_decl(name))
		c_hint(c, d, "outside of probes: let @name = %s(…);", name);
	else if (same || suggest_best(&s) || kin)
		c_hint(c, d, "did you mean '%s'?", same ? same : suggest_best(&s) ? suggest_best(&s) : kin);
	else if (c_is_kind(c, PP_OPS))
		c_hint(c, d,
			"kernel functions are called by their kernel names, for instance "
			"scx_bpf_dsq_insert()");
	else if (c_is_packet(c))
		c_hint(c, d, "drop(\"reason\") and pass() decide what becomes of the packet");
	else
		c_hint(c, d,
			"functions are printf print str time exit clear delete zero, and for maps "
			"count sum min max avg stats hist lhist");
}

/* A value written like a call: comm() is comm. */
static bool value_as_call(struct check *c, struct expr *e, int id)
{
	const char *name = e->u.call.name;

	if (e->u.call.args.list.n == 1 && sugar_task(c, e, (enum builtin_id)id))
		return true;
	if (e->u.call.args.list.n) {
		c_unsupported(c, e->span, arena_printf(c->a, "arguments of '%s' are", name),
			arena_printf(c->a, "write '%s' alone", name));
		return false;
	}
	e->kind = EX_NAME;
	e->u.name = name;
	check_name(c, e);
	return true;
}

static void not_a_builtin(struct check *c, struct expr *e)
{
	const char *name = e->u.call.name;
	const struct unsupported *u = unsupported_find(UNSUP_FUNC, name);
	int id = builtin_value(name);

	for (uint32_t i = 0; i < e->u.call.args.list.n; i++) {
		/* their own errors matter even if the call is unknown; whole maps are no values */
		if (e->u.call.args.list.v[i]->kind != EX_MAP)
			check_expr(c, e->u.call.args.list.v[i]);
	}
	if (id >= 0)
		value_as_call(c, e, id);
	else if (u)
		c_unsupported(c, e->span, arena_printf(c->a, "%s() is", name), u->hint);
	else if (unsupported_find(UNSUP_VALUE, name))
		c_unsupported(c, e->span, arena_printf(c->a, "%s() is", name),
			unsupported_find(UNSUP_VALUE, name)->hint);
	else
		unknown_function(c, e);
}

static void check_agg_alone(struct check *c, struct expr *e)
{
	struct diag *d = c_error(
		c, e->span, DIAG_WRONG_TYPE, "%s() can only be assigned to a map", e->u.call.name);

	c_hint(c, d, "@ = %s(…), or with a key: @[comm] = %s(…)", e->u.call.name, e->u.call.name);
	e->type.kind = LT_UNKNOWN;
}

void check_call(struct check *c, struct expr *e, bool as_statement)
{
	const char *name = e->u.call.name;
	int id = builtin_function(name), errors = c->d->errors;
	const struct builtin *b;

	e->ref.kind = REF_NONE;
	e->is_const = false;
	e->type = lt_of(LT_UNKNOWN, 0);
	if (id >= 0) {
		b = builtin_row((enum builtin_id)id);
		e->ref.kind = REF_FUNC;
		e->ref.u.builtin = (unsigned)id;
		if (!c_has_builtin(c, b, e->u.call.name_span))
			return;
		if (!as_statement && id == BI_F_DELETE && sugar_delete(c, e))
			return;
		e->type = lt_of(LT_NONE, 0);
		for (uint32_t i = 0; i < e->u.call.args.list.n; i++)
			check_task_field(c, arg(e, i));
		checker_of((enum builtin_id)id)(c, e);
		if (e->kind != EX_CALL) /* a constant now */
			return;
		if (!as_statement && id == BI_F_DELETE && arg(e, 0)->map)
			check_delete_asked(e, arg(e, 0)->map);
		if (!as_statement && e->type.kind == LT_NONE) {
			if (c->d->errors == errors)
				c_hint(c, c_error(c, e->span, DIAG_WRONG_TYPE, "%s() has no value", name),
					"write it as a statement of its own");
			e->type.kind = LT_UNKNOWN;
		}
	} else if (agg_by_name(name)) {
		check_agg_alone(c, e);
	} else if (is_kfunc_name(c, name)) {
		check_kfunc(c, e, name);
	} else {
		not_a_builtin(c, e);
	}
}
