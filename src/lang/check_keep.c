/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What maps, keys, variables and tuples keep. All uses together settle the size of strings and the
 * sign of numbers; types only ever grow, so rounds over the script come to an end.
 */
#include "lang/check.h"
#include <string.h>

#define STRUCT_MAX 4096 /* bytes of a struct or array that is kept or printed as a whole */

/* Strings in keys, map values and variables are cut to the kept size. */
static uint32_t kept_size(const struct check *c, uint32_t size)
{
	return size < c->s->config.max_keystr ? size : c->s->config.max_keystr;
}

/* The type a value has once kept: numbers are 64 bits wide, pointers lose what was proven. */
struct lt kept_type(const struct check *c, const struct expr *e)
{
	struct lt t = e->type;

	switch (t.kind) {
	case LT_INT:
		t = lt_int(8, !is_u64(&t) || lt_adapts(e));
		t.enum_id = e->type.enum_id;
		t.boolean = e->type.boolean;
		break;
	case LT_STR:
		t = lt_str(kept_size(c, t.size));
		break;
	case LT_PTR:
		lt_forget(&t);
		t.size = 8;
		break;
	case LT_FUNC: /* "func" of the kernel itself can be an address, too */
		t.typed = e->kind == EX_NAME && !c_in_user(c);
		break;
	case LT_STRUCT:
	case LT_ARRAY:
		t.typed = false;
		t.local = true;
		break;
	default:
		break;
	}
	return t;
}

static bool whole_fits(struct check *c, const struct expr *e, const char *what)
{
	struct diag *d;

	if (e->type.size && e->type.size <= STRUCT_MAX)
		return true;
	d = c_error(c, e->span, DIAG_TOO_BIG, "%s of %u bytes cannot be %s as a whole",
		c_type(c, &e->type), e->type.size, what);
	c_hint(c, d, "take a member or an element of it");
	return false;
}

bool is_storable(struct check *c, const struct expr *e, const char *what)
{
	struct diag *d;

	switch (e->type.kind) {
	case LT_STRUCT:
	case LT_ARRAY:
		return whole_fits(c, e, what);
	case LT_TUPLE:
		if (e->type.tuple)
			return true;
		break;
	case LT_UNKNOWN:
		return false;
	case LT_AGG:
		d = c_error(c, e->span, DIAG_WRONG_TYPE, "an aggregation cannot be %s", what);
		c_hint(c, d, "it is assigned to a map: @x = %s(…)",
			e->kind == EX_CALL ? e->u.call.name : "count");
		return false;
	case LT_NONE:
		c_error(c, e->span, DIAG_WRONG_TYPE, "this has no value and cannot be %s", what);
		return false;
	default:
		return true;
	}
	c_error(c, e->span, DIAG_WRONG_TYPE, "%s cannot be %s", c_type(c, &e->type), what);
	return false;
}

/* A literal is never cut in silence. */
static void literal_fits(struct check *c, const struct expr *e, const char *what)
{
	uint32_t most = c->s->config.max_keystr;

	if (!e || e->type.kind != LT_STR) /* "a ?: b" has no middle */
		return;
	if (e->kind == EX_TERNARY) {
		literal_fits(c, e->u.ternary.yes, what);
		literal_fits(c, e->u.ternary.no, what);
	}
	if (e->kind != EX_STR || e->u.str.n < most)
		return;
	c_hint(c,
		c_error(c, e->span, DIAG_TOO_BIG, "string of %u bytes; at most %u can be %s",
			e->u.str.n, most - 1, what),
		"config = { max_strlen = %u; } makes room", e->u.str.n + 1);
}

bool can_keep(struct check *c, const struct expr *e, const char *what)
{
	literal_fits(c, e, what);
	return is_storable(c, e, what);
}

static bool grow_tuple(struct check *c, struct lt *t, const struct lt *new)
{
	uint32_t n = t->tuple ? t->tuple->n : 0;
	bool changed = c->changed;
	struct lt_tuple *grown;

	if (!t->tuple || !new->tuple || !lt_same_names(t->tuple, new->tuple))
		return false;
	grown = arena_alloc(c->a, sizeof(*grown) + n * sizeof(grown->el[0]));
	grown->n = n;
	grown->names = t->tuple->names;
	c->changed = false;
	for (uint32_t i = 0; i < n; i++) {
		grown->el[i] = t->tuple->el[i];
		if (!lt_grow(c, &grown->el[i], new->tuple->el[lt_named(new->tuple, t->tuple, i)], false)) {
			c->changed = changed;
			return false;
		}
	}
	if (c->changed)
		t->tuple = grown;
	c->changed |= changed;
	return true;
}

/* A variable is trusted while all that it gets is. */
static void grow_trust(struct check *c, struct lt *t, const struct lt *new)
{
	struct lt old = *t;

	if (t->trusted && (!new->trusted || t->btf != new->btf))
		lt_forget(t);
	if (t->trusted) {
		t->rcu |= new->rcu;
		t->nullable |= new->nullable;
		t->owned |= new->owned;
	}
	c->changed |= old.trusted != t->trusted || old.rcu != t->rcu ||
		      old.nullable != t->nullable || old.owned != t->owned;
}

static bool grow_pointer(struct check *c, struct lt *t, const struct lt *new)
{
	grow_trust(c, t, new);
	if ((!t->btf && !t->int_size) || (t->btf == new->btf && t->int_size == new->int_size &&
						 t->space == new->space))
		return true;
	if (new->btf || new->int_size)
		return false;
	t->btf = t->int_size = 0; /* one of them points to nothing known */
	c->changed = true;
	return true;
}

/* Names of functions among ksym()s are kept as addresses. */
static bool grow_func(struct check *c, struct lt *t, const struct lt *new)
{
	if (t->kind == LT_KSYM && new->kind == LT_FUNC)
		return new->typed;
	if (t->kind != LT_FUNC || !t->typed || new->kind != LT_KSYM)
		return false;
	*t = *new;
	c->changed = true;
	return true;
}

/* The value of a place whose type is t: "func" is given as an address where that holds them. */
void check_kept_as(struct expr *value, const struct lt *t)
{
	if (value && t->kind == LT_KSYM && value->type.kind == LT_FUNC)
		value->type = *t;
}

/*
 * Makes *t hold values of type new, too. False when the kinds do not go together. is_const: the new
 * value is a constant number, which also stands for a pointer (0, -1).
 */
bool lt_grow(struct check *c, struct lt *t, struct lt new, bool is_const)
{
	if (t->kind == LT_NONE) {
		*t = new;
		c->changed = true;
		return true;
	}
	if (t->kind == LT_PTR && new.kind == LT_INT && is_const) {
		grow_trust(c, t, &new);
		return true;
	}
	if (t->kind != new.kind)
		return grow_func(c, t, &new);
	switch (t->kind) {
	case LT_INT:
		if (t->is_signed && !new.is_signed) {
			t->is_signed = false;
			c->changed = true;
		}
		if (t->boolean && !new.boolean) {
			t->boolean = false;
			c->changed = true;
		}
		if (t->enum_id && t->enum_id != new.enum_id && !is_const) {
			t->enum_id = 0;
			c->changed = true;
		}
		return true;
	case LT_STR:
	case LT_BUF:
		if (t->size < new.size) {
			t->size = new.size;
			c->changed = true;
		}
		return true;
	case LT_PTR:
		return grow_pointer(c, t, &new);
	case LT_TUPLE:
		return grow_tuple(c, t, &new);
	case LT_STRUCT:
	case LT_ARRAY:
		return t->btf == new.btf && t->nelems == new.nelems && t->int_size == new.int_size &&
		       t->is_signed == new.is_signed && t->boolean == new.boolean;
	case LT_FUNC:
		c->changed |= t->typed && !new.typed;
		t->typed &= new.typed;
		return true;
	case LT_CODED:
		return t->coded == new.coded;
	case LT_STACK:
		return t->stack.user == new.stack.user && t->stack.mode == new.stack.mode &&
		       t->stack.limit == new.stack.limit;
	case LT_TIME:
		return !strcmp(t->time_fmt, new.time_fmt);
	default:
		return true;
	}
}

/* (a, b), (x = a, y = b) as values: their elements are kept values. */
void check_tuple(struct check *c, struct expr *e)
{
	const struct exprs *list = &e->u.tuple;
	struct lt_tuple *t =
		arena_alloc(c->a, sizeof(*t) + list->list.n * sizeof(t->el[0]));
	bool ok = true;

	t->n = list->list.n;
	t->names = e->kind == EX_RECORD ? e->u.record.names : NULL;
	for (uint32_t i = 0; i < t->n; i++) {
		check_expr(c, list->list.v[i]);
		ok &= can_keep(c, list->list.v[i], "part of a tuple");
		t->el[i] = kept_type(c, list->list.v[i]);
	}
	e->type = lt_of(ok ? LT_TUPLE : LT_UNKNOWN, 0);
	e->type.tuple = t;
}

/* $t.1, $t[1] */
void check_element_of(struct check *c, struct expr *e, const struct expr *base, uint64_t index,
	struct skep_span at)
{
	e->type.kind = LT_UNKNOWN;
	if (index >= base->type.tuple->n) {
		c_hint(c,
			c_error(c, at, DIAG_NO_SUCH_FIELD, "the %s has %u element%s, this is number %llu",
				base->type.tuple->names ? "record" : "tuple", base->type.tuple->n, base->type.tuple->n == 1 ? "" : "s",
				(unsigned long long)index),
			"they are counted from 0");
		return;
	}
	e->ref.kind = REF_ELEMENT;
	e->ref.u.index = (unsigned)index;
	e->type = base->type.tuple->el[index];
}

/* $r.a */
void check_named_element(struct check *c, struct expr *e)
{
	const struct expr *base = e->u.field.base;
	const struct lt_tuple *t = base->type.tuple;
	struct suggest s;
	struct diag *d;

	suggest_init(&s, e->u.field.name);
	for (uint32_t i = 0; i < t->n; i++) {
		if (!strcmp(t->names[i], e->u.field.name)) {
			check_element_of(c, e, base, i, e->u.field.name_span);
			return;
		}
		suggest_try(&s, t->names[i]);
	}
	e->type.kind = LT_UNKNOWN;
	d = c_error(c, e->u.field.name_span, DIAG_NO_SUCH_FIELD, "the record has no field '%.60s'",
		e->u.field.name);
	c_hint(c, d, suggest_best(&s) ? "did you mean '%s'?" : "it is %s",
		suggest_best(&s) ? suggest_best(&s) : c_type(c, &base->type));
}
