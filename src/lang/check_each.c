/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loops over the entries of a map. Their body becomes a function of its own: which variables it
 * shares with the code around it is collected here, for each loop that a use is inside of.
 */
#include "lang/check.h"
#include <string.h>

#define EACH_DEPTH 4 /* such loops inside one another: all their stack is 512 bytes */

/* The loop's variable is its own: another type in each loop, and gone behind it. */
static struct var_sym *loop_var(struct check *c, struct stmt *s)
{
	struct expr *e = s->u.each.var;

	if (!e->var) {
		e->var = ARENA_NEW(c->a, struct var_sym);
		*e->var = (struct var_sym){.name = e->u.name, .first = e->span};
	}
	return e->var;
}

/* (key, value); several keys are a tuple themselves. */
static struct lt pair_type(struct check *c, const struct map_sym *m, struct lt value)
{
	struct lt_tuple *t = arena_alloc(c->a, sizeof(*t) + 2 * sizeof(t->el[0]));

	t->n = 2;
	t->el[0] = m->keys.v[0];
	if (m->keys.n > 1) {
		struct lt_tuple *keys = arena_alloc(c->a,
			sizeof(*keys) + m->keys.n * sizeof(keys->el[0]));

		keys->n = m->keys.n;
		memcpy(keys->el, m->keys.v, keys->n * sizeof(keys->el[0]));
		t->el[0] = (struct lt){.kind = LT_TUPLE, .tuple = keys};
	}
	t->el[1] = value;
	return (struct lt){.kind = LT_TUPLE, .tuple = t};
}

/* Whether programs of this kind can go through a map on the target; for what, and a way around. */
static bool has_walks(struct check *c, struct skep_span at, const char *what, const char *old_way,
	const char *packet_way)
{
	struct diag *e;

	if (c_is_packet(c)) {
		c_unsupported(c, at, arena_printf(c->a, "%s in a packet hook is", what), packet_way);
		return false;
	}
	if (target_has(c->t, KF_FOR_EACH_MAP_ELEM))
		return true;
	e = c_error(c, at, DIAG_NO_KERNEL_FEATURE, "not supported: %s needs Linux %u.%u", what,
		kern_feature_since(KF_FOR_EACH_MAP_ELEM) >> 16,
		kern_feature_since(KF_FOR_EACH_MAP_ELEM) >> 8 & 0xff);
	c_hint(c, e, "%s", old_way);
	return false;
}

static bool has_loops(struct check *c, const struct stmt *s)
{
	return has_walks(c, s->span, "a loop over a map",
		arena_printf(c->a, "print(%.60s) prints all of it on every kernel",
			s->u.each.map->u.map.name),
		"keep what it would find in a map of its own, from another probe");
}

/* len(@x) */
void check_len(struct check *c, struct expr *e)
{
	static const char way[] = "count with a map of its own: @n++ where an entry is made";
	struct expr *m;

	e->type = lt_int(8, true);
	if (!count_args(c, e, 1, 1))
		return;
	m = e->u.call.args.list.v[0];
	if (m->kind != EX_MAP) {
		check_expr(c, m);
		if (m->type.kind == LT_STACK && (m->kind == EX_VAR || m->kind == EX_MAP))
			c_unsupported(c, m->span, "the number of frames of a stack that is kept is",
				"take it beside the stack: $n = len(kstack)");
		else if (m->type.kind != LT_STACK)
			c_hint(c, c_error(c, m->span, DIAG_WRONG_ARGS, "len() needs a map"),
				m->type.kind == LT_STR ? "strlen() counts the bytes of a text"
						       : "for instance: len(@x)");
		return;
	}
	if (m->u.map.keys.list.n) {
		check_map(c, m, MAP_READ);
		c_hint(c, c_error(c, m->span, DIAG_WRONG_ARGS, "len() needs a whole map"),
			"without a key: len(%.60s)", m->u.map.name);
		return;
	}
	check_map(c, m, MAP_WHOLE);
	if (m->map->has_key_type && !m->map->keyed) {
		c_hint(c, c_error(c, m->span, DIAG_WRONG_TYPE,
				  "'%.60s' has no keys: there is nothing to count", m->map->name),
			"read %.60s itself", m->map->name);
		return;
	}
	has_walks(c, e->span, "len() of a map", way, way);
}

void check_for_map(struct check *c, struct stmt *s)
{
	struct expr *map = s->u.each.map;
	const char *name = s->u.each.var->u.name;
	struct var_sym *v = loop_var(c, s), *outer = smap_get(&c->vars, name);
	struct var_sym *assigned = smap_get(&c->assigned, name);
	struct each around = {.s = s, .outer = c->each, .depth = c->each ? c->each->depth + 1 : 1};
	struct lt value = check_map_entries(c, map);

	if (!has_loops(c, s))
		value.kind = LT_UNKNOWN;
	if (around.depth > EACH_DEPTH) {
		c_error(c, s->span, DIAG_TOO_BIG, "more than %d loops over maps inside one another",
			EACH_DEPTH);
		return;
	}
	v->type.kind = LT_NONE;
	if (value.kind != LT_UNKNOWN && map->map->keys.n)
		v->type = pair_type(c, map->map, value);
	s->u.each.uses.n = 0;
	smap_put(&c->vars, name, v);
	smap_put(&c->assigned, name, v);
	c->each = &around;
	c->loops++;
	check_block(c, s->u.each.body);
	c->loops--;
	c->each = around.outer;
	smap_put(&c->vars, name, outer);
	smap_put(&c->assigned, name, assigned);
}

/* Its body may become a function, too: what it shares is noted, and what forbids it. */
void check_range_body(struct check *c, struct stmt *s)
{
	struct each around = {.s = s, .outer = c->each, .depth = c->each ? c->each->depth : 0};

	s->u.each.uses.n = 0;
	s->u.each.in_place = false;
	c->each = &around;
	check_var_assign(c, s->u.each.var, s->u.each.lo);
	c->loops++;
	check_block(c, s->u.each.body);
	c->loops--;
	c->each = around.outer;
}

void check_in_place(struct check *c)
{
	for (struct each *x = c->each; x; x = x->outer) {
		if (x->s->kind == ST_FOR_RANGE)
			x->s->u.each.in_place = true;
	}
}

static void share(struct check *c, struct stmt *s, struct var_sym *v, bool written)
{
	for (uint32_t i = 0; i < s->u.each.uses.n; i++) {
		if (s->u.each.uses.v[i].var == v) {
			s->u.each.uses.v[i].written |= written;
			return;
		}
	}
	vec_push(c->a, &s->u.each.uses, ((struct each_use){v, written}));
}

void check_note_var(struct check *c, const struct expr *e, struct var_sym *v, bool written)
{
	bool over_map = false;

	for (const struct each *x = c->each; x; x = x->outer) {
		over_map |= x->s->kind == ST_FOR_MAP;
		if (x->s->kind == ST_FOR_MAP && x->s->u.each.var->var == v) {
			if (written)
				c_error(c, e->span, DIAG_BAD_ASSIGN,
					"'$%.*s' is the loop's: it cannot be assigned", VAR_NAME(v->name));
			return;
		}
		share(c, x->s, v, written);
	}
	if (!c->each || !v->type.trusted)
		return;
	check_in_place(c);
	if (!over_map)
		return;
	c_unsupported(c, e->span, "a kernel object in a variable inside of a loop over a map is",
		"take a number of it before the loop: $pid = $p.pid");
}
