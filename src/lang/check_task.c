/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values kept on tasks: let @x = task() declares one for each task; a map whose fields are assigned,
 * @x[task].f = …, is a record of numbers on each task. A field is a map of its own to the rest of the
 * checker, called "@x[].f": it has its own type, found as that of a map.
 */
#include "lang/check.h"
#include <string.h>

/* Since Linux 5.11; without a declaration, which says so: at the first use. */
static void since(struct check *c, const struct map_sym *m, struct skep_span at)
{
	const struct map_sym *whole = m->of ? m->of : m;

	if (c->final && !whole->decl && whole->first.off == at.off)
		check_has_task_maps(c, at, whole->name);
}

/* The key: a task that the verifier knows to be one. */
void check_task_key(struct check *c, struct map_sym *m, struct exprs *keys, struct skep_span at)
{
	struct expr *k = keys->list.n == 1 ? keys->list.v[0] : NULL;
	bool current = k && k->kind == EX_NAME && !strcmp(k->u.name, "curtask"), ok = false;
	struct diag *d;

	for (uint32_t i = 0; i < keys->list.n; i++)
		check_expr(c, keys->list.v[i]);
	if (k && k->type.kind == LT_UNKNOWN)
		return;
	if (k && k->type.kind == LT_PTR && k->type.btf)
		ok = (current || k->type.trusted) &&
		     !strcmp(kbtf_name(c->btf, kbtf_strip(c->btf, k->type.btf)), "task_struct");
	if (!ok && m->of) {
		d = c_error(c, k ? k->span : at, DIAG_KEY_MISMATCH,
			"fields that are assigned hang on a task: the key of '%.60s' is one", m->of->name);
		c_hint(c, d, "%.60s[args.p].%.60s in schedulers, [curtask] in other probes; by another "
			"key each value has a map of its own: @%.60s[key] = …", m->of->name,
			task_field_name(m), task_field_name(m));
		return;
	}
	if (!ok) {
		c_hint(c,
			c_error(c, k ? k->span : at, DIAG_KEY_MISMATCH,
				"the key of '%.60s', declared task(), is one task", m->name),
			"%.60s[args.p] in schedulers, %.60s[curtask] in other probes", m->name, m->name);
		return;
	}
	since(c, m, at);
	if (k->type.rcu)
		c_needs_rcu(c);
	if (m->has_key_type)
		return;
	m->keyed = m->has_key_type = c->changed = true;
	m->key_at = at;
	vec_push(c->a, &m->keys, k->type);
}

/* "f" of "@x[].f" */
const char *task_field_name(const struct map_sym *m)
{
	return strrchr(m->name, '.') + 1;
}

void check_task_field(struct check *c, struct expr *e)
{
	struct expr *map = e->kind == EX_FIELD ? e->u.field.base : NULL;
	struct map_sym *record, *m;
	const char *name;

	if (!map || map->kind != EX_MAP || !map->u.map.keys.list.n ||
		!smap_get(&c->s->with_fields, map->u.map.name))
		return;
	record = check_map_sym(c, map);
	name = arena_printf(c->a, "%s[].%s", record->name, e->u.field.name);
	m = smap_get(&c->s->maps, name);
	if (!m) {
		m = ARENA_NEW(c->a, struct map_sym);
		*m = (struct map_sym){.name = name, .first = e->span, .agg = MA_NONE, .task = true,
			.of = record, .off = 8 * record->fields++};
		smap_put(&c->s->maps, name, m);
		c->changed = true;
	}
	e->kind = EX_MAP;
	e->u.map.keys = map->u.map.keys;
	e->u.map.name = name;
}

/* delete() takes a record; else there are its fields only. */
bool check_task_use(struct check *c, struct expr *e, enum map_use use)
{
	const struct map_sym *m = e->map;

	if (!m->record || (use != MAP_READ && use != MAP_WRITE))
		return true;
	e->type = lt_of(LT_UNKNOWN, 0);
	c_hint(c,
		c_error(c, e->span, DIAG_WRONG_TYPE,
			"'%.60s' has fields, which are assigned one by one: it is no value itself", m->name),
		"%.60s[…].name is one; where no field is assigned, %.60s[key] = (a = 1, b = 2) keeps "
		"records", m->name, m->name);
	return false;
}
