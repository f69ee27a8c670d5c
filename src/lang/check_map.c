/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Maps and variables: their types come from use. The first use in the script settles the kind, all
 * uses together the rest (check_keep.c).
 */
#include "lang/check.h"
#include <string.h>

/* ---- finding ---- */

struct map_sym *check_map_sym(struct check *c, const struct expr *e)
{
	struct map_sym *m = smap_get(&c->s->maps, e->u.map.name);

	if (m)
		return m;
	m = ARENA_NEW(c->a, struct map_sym);
	*m = (struct map_sym){.name = e->u.map.name,
		.first = e->span,
		.agg = MA_NONE,
		.max_entries = c->s->config.max_map_keys};
	for (uint32_t i = 0; i < c->s->decls.n; i++) {
		const struct map_decl *d = &c->s->decls.v[i];

		if (strcmp(d->map, m->name))
			continue;
		m->decl = d;
		if (d->size && d->size->is_const)
			m->max_entries = (uint32_t)d->size->const_value;
		m->task = !strcmp(d->type, "task");
	}
	if (smap_get(&c->s->with_fields, m->name)) { /* itself it has no value */
		m->record = m->task = m->has_key_type = m->keyed = m->written = true;
		m->value = lt_int(8, true);
	}
	smap_put(&c->s->maps, m->name, m);
	c->changed = true;
	return m;
}

static void never_written(struct check *c, const struct expr *e, bool list)
{
	struct diag *d = c_error(
		c, e->span, DIAG_UNKNOWN_MAP, "map '%.60s' is never written", e->u.map.name);
	const struct map_sym *m = e->map;
	struct suggest s;

	suggest_init(&s, e->u.map.name);
	for (uint32_t i = 0; i < c->s->maps.entries.n; i++) {
		const struct map_sym *other = c->s->maps.entries.v[i].value;

		if (other->written && other->of == m->of)
			suggest_try(&s, other->name);
	}
	if (suggest_best(&s) && e->u.map.name[1] && e->u.map.name[2])
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else if (list)
		c_hint(c, d, "before the rules: let %.60s = prefixes(\"FILE\");", e->u.map.name);
	else if (m->of)
		c_hint(c, d, "write to it somewhere: %.60s[…].%.60s = …", m->of->name, task_field_name(m));
	else
		c_hint(c, d, "write to it somewhere: %.60s%s = …", e->u.map.name,
			m->task ? "[args.p]" : e->u.map.keys.list.n ? "[key]" : "");
}

/* ---- keys ---- */

static void key_mismatch(struct check *c, const struct map_sym *m, struct skep_span at,
	const char *here, const char *there)
{
	struct diag *e =
		c_error(c, at, DIAG_KEY_MISMATCH, "map '%.60s' has %s here", m->name, here);

	diag_also(c->d, e, m->key_at, there);
}

/* The kinds of all keys, "comm" for "int64, string[16]". */
static const char *keys_text(struct check *c, const struct lt *v, uint32_t n)
{
	struct buf b;

	buf_init(&b, c->a);
	for (uint32_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "",
			v[i].kind == LT_STR ? "string" : c_type(c, &v[i]));
	return b.n ? b.p : "";
}

void check_map_keys(struct check *c, struct map_sym *m, struct exprs *keys, struct skep_span at)
{
	uint32_t n = keys->list.n;
	struct lt types[META_MAX_KEYS];

	if (m->task) {
		check_task_key(c, m, keys, at);
		return;
	}
	if (n > META_MAX_KEYS) {
		c_error(c, at, DIAG_TOO_BIG, "more than %d parts of a key", META_MAX_KEYS);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		check_expr(c, keys->list.v[i]);
		if (!can_keep(c, keys->list.v[i], "a key"))
			return;
		types[i] = kept_type(c, keys->list.v[i]);
	}
	check_note_keys(c, m, keys);
	if (n == 1 && types[0].kind == LT_TUPLE && !types[0].tuple->names) { /* @x[$t] is @x[$t.0, $t.1] */
		const struct lt_tuple *t = types[0].tuple;

		if (t->n > META_MAX_KEYS || !t->n) {
			c_error(c, at, DIAG_TOO_BIG, "a key of %u parts", t->n);
			return;
		}
		n = t->n;
		memcpy(types, t->el, n * sizeof(types[0]));
	}
	if (!m->has_key_type) {
		m->has_key_type = c->changed = true;
		m->keyed = n > 0;
		m->key_at = at;
		for (uint32_t i = 0; i < n; i++)
			vec_push(c->a, &m->keys, types[i]);
		return;
	}
	if (m->keyed != (n > 0)) {
		key_mismatch(c, m, at, n ? "a key" : "no key", n ? "none here" : "a key here");
		return;
	}
	if (n != m->keys.n) {
		key_mismatch(c, m, at, arena_printf(c->a, "%u key%s", n, n == 1 ? "" : "s"),
			arena_printf(c->a, "%u here", m->keys.n));
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		bool whole = keys->list.n != n;

		if (lt_grow(c, &m->keys.v[i], types[i], !whole && keys->list.v[i]->is_const)) {
			if (!whole)
				check_kept_as(keys->list.v[i], &m->keys.v[i]);
			continue;
		}
		key_mismatch(c, m, keys->list.v[whole ? 0 : i]->span,
			arena_printf(c->a, "the key '%s'", keys_text(c, types, n)),
			arena_printf(c->a, "the key '%s' here", keys_text(c, m->keys.v, n)));
		return;
	}
}

/* A list from a file has no other use than 'in'. */
static void list_use(struct check *c, struct expr *e, enum map_use use)
{
	struct map_sym *m = e->map;

	m->written = m->has_key_type = m->keyed = true;
	e->type.kind = LT_UNKNOWN;
	if (use != MAP_IN)
		diag_also(c->d,
			c_error(c, e->span, DIAG_WRONG_TYPE,
				"'%.60s' is a list from a file: only 'in' looks at it", m->name),
			m->decl->span, "declared here");
}

struct map_sym *check_map(struct check *c, struct expr *e, enum map_use use)
{
	struct map_sym *m = check_map_sym(c, e);

	e->map = m;
	if (m->decl && m->decl->list) {
		list_use(c, e, use);
		return m;
	}
	if (use == MAP_WRITE && !m->written)
		m->written = c->changed = true;
	if (c->final && !m->written)
		never_written(c, e, use == MAP_IN);
	if (!check_task_use(c, e, use))
		return m;
	if (use == MAP_WHOLE && m->task && !e->u.map.keys.list.n)
		c_unsupported(c, e->span, "taking all values of a task() map is",
			"[args.p] is one, 0 until it is written; a map by number can be gone through: "
			"[args.p.pid]");
	if (use == MAP_READ || use == MAP_WRITE || e->u.map.keys.list.n)
		check_map_keys(c, m, &e->u.map.keys, e->span);
	else if (use != MAP_PART)
		check_note_whole(c, m);
	e->type = m->agg != MA_NONE ? lt_of(LT_AGG, 8) : m->value;
	if (m->agg == MA_NONE && m->value.kind == LT_NONE)
		e->type.kind = LT_UNKNOWN;
	return m;
}

#define EXTREME_CPUS 1024 /* whose parts of a value are gone through by a loop */

bool agg_is_number(enum meta_agg agg)
{
	return !meta_agg_buckets(agg) && agg != MA_STATS;
}

static void unreadable(struct check *c, const struct expr *e, const struct map_sym *m)
{
	struct diag *d = c_error(c, e->span, DIAG_WRONG_TYPE,
		"%s() is no number that could be read inside a probe", meta_agg_text(m->agg));

	c_hint(c, d, "print(%.60s) prints it; count(), sum(), min(), max() and avg() can be read",
		m->name);
}

/* An aggregation counts as the number it stands for. */
static void read_agg(struct check *c, struct expr *e, struct map_sym *m)
{
	bool extreme = m->agg == MA_MIN || m->agg == MA_MAX;

	e->type.kind = LT_UNKNOWN;
	if (!agg_is_number(m->agg)) {
		unreadable(c, e, m);
		return;
	}
	if (extreme && (c->s->portable || !c->t->cpu_span || c->t->cpu_span > EXTREME_CPUS)) {
		c_hint(c, c_error(c, e->span, DIAG_NOT_SUPPORTED,
				  "reading %s() inside a probe needs a target with a known number of "
				  "CPUs, at most %d", meta_agg_text(m->agg), EXTREME_CPUS),
			"a plain map holds it, too: if (x > %.60s) { %.60s = x; }", m->name,
			m->name);
		return;
	}
	if (!m->agg_read)
		m->agg_read = c->changed = true;
	e->type = lt_int(8, m->agg_signed);
}

void check_map_value(struct check *c, struct expr *e)
{
	struct map_sym *m = check_map(c, e, MAP_READ);

	if (m->agg != MA_NONE)
		read_agg(c, e, m);
}

struct lt check_map_entries(struct check *c, struct expr *e)
{
	bool one = e->u.map.keys.list.n;
	struct map_sym *m = check_map(c, e, MAP_WHOLE);
	struct diag *d;

	if (m->decl && m->decl->list)
		return e->type;
	if (one || (m->has_key_type && !m->keyed)) {
		d = c_error(c, e->span, DIAG_WRONG_TYPE,
			one ? "this is one entry of '%.60s': a loop goes through all"
			    : "'%.60s' has no keys: there is nothing to go through", m->name);
		c_hint(c, d, one ? "for ($kv : %.60s) { … }" : "read %.60s itself", m->name);
		return lt_of(LT_UNKNOWN, 0);
	}
	if (m->agg != MA_NONE)
		read_agg(c, e, m);
	return e->type;
}

/* ---- values ---- */

static void value_mismatch(
	struct check *c, const struct map_sym *m, struct skep_span at, const char *what)
{
	const char *have = m->agg != MA_NONE ? arena_printf(c->a, "%s()", meta_agg_text(m->agg))
					     : c_type(c, &m->value);
	struct diag *e =
		c_error(c, at, DIAG_VALUE_MISMATCH, "map '%.60s' gets %s here", m->name, what);

	diag_also(c->d, e, m->value_at, arena_printf(c->a, "%s here", have));
}

/*
 * As in C, 'op=' leaves the sign of what is kept alone: where '=' gave a signed number and none that
 * is unsigned, the map is signed, whichever comes first in the script.
 */
static void settle_sign(struct check *c, struct map_sym *m, const struct expr *value, struct lt *t,
	bool compound)
{
	if (t->kind != LT_INT)
		return;
	if (compound) {
		t->is_signed |= m->set_signed;
		return;
	}
	if (!t->is_signed)
		m->set_unsigned = true;
	else if (!(value->is_const && (int64_t)value->const_value >= 0) && !m->set_signed)
		m->set_signed = c->changed = true;
	if (m->set_signed && !m->set_unsigned && m->value.kind == LT_INT && !m->value.is_signed)
		m->value.is_signed = c->changed = true;
}

/* target = value; value NULL for ++ and --; when it is changed the map must hold numbers. */
void check_map_assign(
	struct check *c, struct expr *target, struct expr *value, enum map_change change)
{
	bool compound = change != MAP_SET;
	struct map_sym *m;
	struct lt t;

	if (value)
		check_expr(c, value);
	m = check_map(c, target, MAP_WRITE);
	if (m->record)
		return;
	if (compound && value && !check_int(c, value, "the right side"))
		return;
	if (change == MAP_ADD && m->value.kind == LT_PTR) {
		check_step(c, target->span, &m->value);
		target->type = m->value;
		return;
	}
	if (value && !can_keep(c, value, "kept in a map"))
		return;
	t = value ? kept_type(c, value) : lt_int(8, true);
	if (m->agg != MA_NONE) {
		value_mismatch(c, m, value ? value->span : target->span,
			value ? c_type(c, &t) : "a number");
		return;
	}
	if (m->task && t.kind != LT_INT && t.kind != LT_PTR) {
		c_unsupported(c, value->span, "anything but numbers kept on a task is",
			"a map by the task's number keeps it: @name[args.p.pid] = …");
		return;
	}
	c->probe->sets_fields |= m->of != NULL;
	settle_sign(c, m, value, &t, compound);
	if (m->value.kind == LT_NONE)
		m->value_at = target->span;
	if ((compound && m->value.kind != LT_NONE && m->value.kind != LT_INT) ||
		!lt_grow(c, &m->value, t, value && value->is_const)) {
		value_mismatch(c, m, value ? value->span : target->span,
			value ? c_type(c, &t) : "a number");
		return;
	}
	check_kept_as(value, &m->value);
	target->type = m->value;
}

/* ---- aggregations ---- */

bool is_agg_call(const struct expr *e)
{
	return e->kind == EX_CALL && agg_by_name(e->u.call.name);
}

#define LHIST_BUCKETS 1000

static void check_lhist(struct check *c, struct map_sym *m, struct expr *call)
{
	struct expr **a = call->u.call.args.list.v;
	int64_t min, max, step;
	struct diag *d;

	if (!check_const(c, a[1], "least value of lhist()", INT64_MIN, INT64_MAX) ||
		!check_const(c, a[2], "greatest value of lhist()", INT64_MIN, INT64_MAX) ||
		!check_const(c, a[3], "step of lhist()", 1, INT64_MAX))
		return;
	min = (int64_t)a[1]->const_value;
	max = (int64_t)a[2]->const_value;
	step = (int64_t)a[3]->const_value;
	if (min >= max) {
		c_hint(c,
			c_error(c, a[2]->span, DIAG_CONST_RANGE,
				"the greatest value of lhist() must be above the least"),
			"lhist(value, min, max, step)");
		return;
	}
	if (meta_lhist_steps(min, max, step) > LHIST_BUCKETS) {
		c_hint(c,
			c_error(c, a[3]->span, DIAG_TOO_BIG, "lhist() of more than %d buckets",
				LHIST_BUCKETS),
			"take a greater step or a smaller range");
		return;
	}
	if (m->agg == MA_LHIST &&
		(m->lhist_min != min || m->lhist_max != max || m->lhist_step != step)) {
		d = c_error(c, call->span, DIAG_VALUE_MISMATCH,
			"map '%.60s' has other buckets here", m->name);
		diag_also(c->d, d, m->value_at, "than here");
		return;
	}
	m->lhist_min = min;
	m->lhist_max = max;
	m->lhist_step = step;
}

/* hist(x, bits): the same everywhere. */
static void check_hist_bits(struct check *c, struct map_sym *m, const struct expr *call)
{
	const struct exprs *a = &call->u.call.args;
	uint32_t bits = a->list.n > 1 ? (uint32_t)a->list.v[1]->const_value : 0;

	if (m->agg == MA_HIST && m->hist_bits != bits)
		diag_also(c->d,
			c_error(c, call->span, DIAG_VALUE_MISMATCH,
				"map '%.60s' has other buckets here", m->name),
			m->value_at, "than here");
	else
		m->hist_bits = bits;
}

static void check_series(struct check *c, struct map_sym *m, const struct expr *call)
{
	static const enum meta_agg known[] = {MA_AVG, MA_MAX, MA_MIN, MA_SUM};
	struct expr **a = call->u.call.args.list.v, *how = call->u.call.args.list.n > 3 ? a[3] : NULL;
	uint32_t agg = MA_NONE;

	if (!check_const(c, a[1], "length of an interval of tseries()", 1, INT64_MAX) ||
		!check_const(c, a[2], "number of intervals of tseries()", 1, META_SERIES_MOST))
		return;
	for (unsigned i = 0; how && how->kind == EX_STR && i < 4; i++) {
		if (!strcmp(how->u.str.s, meta_agg_text(known[i])))
			agg = known[i];
	}
	if (how && !agg) {
		c_hint(c,
			c_error(c, how->span, DIAG_WRONG_ARGS,
				"tseries() joins the values of an interval in another way"),
			"\"avg\", \"max\", \"min\" or \"sum\"; without, the last one stands");
		return;
	}
	if (m->agg == MA_TSERIES && (m->lhist_max != (int64_t)a[2]->const_value ||
		m->lhist_step != (int64_t)a[1]->const_value || m->hist_bits != agg)) {
		diag_also(c->d,
			c_error(c, call->span, DIAG_VALUE_MISMATCH,
				"map '%.60s' has other intervals here", m->name),
			m->value_at, "than here");
		return;
	}
	m->lhist_step = (int64_t)a[1]->const_value;
	m->lhist_max = (int64_t)a[2]->const_value;
	m->hist_bits = agg;
}

static bool check_agg_args(struct check *c, const struct agg *g, struct expr *call)
{
	uint32_t n = call->u.call.args.list.n;
	struct expr *v;
	struct diag *d;

	if (n < g->min_args || n > g->max_args) {
		d = c_error(c, call->span, DIAG_WRONG_ARGS,
			"%s() takes %s%u argument%s, this has %u", g->name,
			g->min_args < g->max_args ? "up to " : "", g->max_args,
			g->max_args == 1 ? "" : "s", n);
		c_hint(c, d, "write %s(%s)", g->name, g->args);
		return false;
	}
	if (!n)
		return true;
	v = call->u.call.args.list.v[0];
	check_expr(c, v);
	if (g->id == MA_HIST && n == 2 &&
		!check_const(c, call->u.call.args.list.v[1], "number of bits of hist()", 0,
			META_HIST_BITS_MAX))
		return false;
	return check_int(c, v, arena_printf(c->a, "the argument of %s()", g->name));
}

/* As signed as what it is given: numbers that fit either kind leave it to the others. */
static void agg_sign(struct check *c, struct map_sym *m, const struct expr *v)
{
	bool is_signed;

	if (v->type.kind != LT_INT)
		return;
	m->set_unsigned |= is_u64(&v->type) && !lt_adapts(v);
	m->set_signed |= v->type.is_signed && !lt_adapts(v);
	is_signed = m->set_signed || !m->set_unsigned;
	c->changed |= is_signed != m->agg_signed;
	m->agg_signed = is_signed;
}

void check_agg_assign(struct check *c, struct expr *target, struct expr *call)
{
	const struct agg *g = agg_by_name(call->u.call.name);
	bool ok = check_agg_args(c, g, call);
	struct map_sym *m = check_map(c, target, MAP_WRITE);

	call->ref.kind = REF_AGG;
	call->ref.u.agg = g->id;
	call->type = lt_of(LT_AGG, 8);
	if (!ok)
		return;
	if (m->value.kind != LT_NONE || (m->agg != MA_NONE && m->agg != g->id)) {
		value_mismatch(c, m, call->span, arena_printf(c->a, "%s()", g->name));
		return;
	}
	if (m->task) {
		c_unsupported(c, call->span, "an aggregation in a task() map is",
			"++ and += count and sum per task");
		return;
	}
	if (g->id == MA_LHIST)
		check_lhist(c, m, call);
	if (g->id == MA_HIST)
		check_hist_bits(c, m, call);
	if (g->id == MA_TSERIES)
		check_series(c, m, call);
	if (m->agg == MA_NONE) {
		m->agg = g->id;
		m->value_at = target->span;
		c->changed = true;
	}
	if (g->id != MA_COUNT) /* which counts up from 0 */
		agg_sign(c, m, call->u.call.args.list.v[0]);
	target->type = lt_of(LT_AGG, 8);
}

/* ---- $variables ---- */

static struct var_sym *var_sym(struct check *c, const struct expr *e)
{
	struct var_sym *v = smap_get(&c->vars, e->u.name);

	if (v)
		return v;
	v = ARENA_NEW(c->a, struct var_sym);
	*v = (struct var_sym){.name = e->u.name, .first = e->span};
	vec_push(c->a, &c->probe->vars, v);
	smap_put(&c->vars, v->name, v);
	c->changed = true;
	return v;
}

void check_var(struct check *c, struct expr *e)
{
	struct var_sym *v = smap_get(&c->assigned, e->u.name);
	struct suggest s;
	struct diag *d;

	e->type.kind = LT_UNKNOWN;
	if (v) {
		e->var = v;
		check_note_var(c, e, v, false);
		if (v->type.kind != LT_NONE)
			e->type = v->type;
		return;
	}
	v = smap_get(&c->vars, e->u.name);
	if (v && v->type.trusted && v->scope) {
		d = c_error(c, e->span, DIAG_UNKNOWN_VARIABLE,
			"'$%.*s' has a pointer of the kernel only up to the end of the block it "
			"was assigned in",
			VAR_NAME(e->u.name));
		diag_also(c->d, d, v->first, "assigned here");
		return;
	}
	if (v) {
		d = c_error(c, e->span, DIAG_UNKNOWN_VARIABLE,
			"variable '$%.*s' is used before it is assigned", VAR_NAME(e->u.name));
		diag_also(c->d, d, v->first, "assigned here");
		return;
	}
	d = c_error(c, e->span, DIAG_UNKNOWN_VARIABLE,
		"variable '$%.*s' is not assigned in this probe", VAR_NAME(e->u.name));
	suggest_init(&s, e->u.name);
	for (uint32_t i = 0; i < c->probe->vars.n; i++)
		suggest_try(&s, c->probe->vars.v[i]->name);
	if (suggest_best(&s) && e->u.name[1]) /* one letter is near to every other */
		c_hint(c, d, "did you mean '$%s'?", suggest_best(&s));
	else
		c_hint(c, d, "variables live in one probe; maps (@%.60s) are seen by all",
			e->u.name);
}

/* Trusted pointers live to the end of the block, references in one variable each. */
static bool keep_pointer(struct check *c, const struct expr *target, struct var_sym *v,
	const struct lt *t)
{
	struct diag *d;

	if (t->kind != LT_PTR || !t->trusted)
		t = &v->type;
	if (!t->trusted)
		return true;
	if (!smap_get(&c->assigned, v->name)) {
		v->scope = c->block;
		return true;
	}
	if (!t->owned)
		return true;
	d = c_error(c, target->span, DIAG_BAD_ASSIGN,
		"'$%.*s' holds a reference to the end of its block", VAR_NAME(v->name));
	diag_also(c->d, d, v->first, "assigned here");
	c_hint(c, d, "take another variable");
	return false;
}

/* $variables hold 64 bits; bswap() turns round what they were given, as where the type is kept. */
uint32_t check_written_size(const struct expr *e)
{
	if (e->kind == EX_VAR && e->var && e->var->int_size)
		return e->var->int_size;
	return e->type.size;
}

static void note_size(struct check *c, struct var_sym *v, const struct expr *value)
{
	uint32_t size = check_written_size(value);

	if (value->type.kind != LT_INT || lt_adapts(value) || size <= v->int_size)
		return;
	v->int_size = size;
	c->changed = true;
}

void check_var_assign(struct check *c, struct expr *target, struct expr *value)
{
	struct var_sym *v;
	struct diag *d;
	struct lt t;

	if (value->type.kind != LT_UNKNOWN && !can_keep(c, value, "kept in a variable"))
		return;
	v = var_sym(c, target);
	target->var = v;
	check_note_var(c, target, v, true);
	t = value->type.kind == LT_PTR && value->type.trusted ? value->type : kept_type(c, value);
	if (!keep_pointer(c, target, v, &t))
		return;
	smap_put(&c->assigned, v->name, v);
	if (value->type.kind == LT_UNKNOWN)
		return;
	if (lt_grow(c, &v->type, t, value->is_const)) {
		note_size(c, v, value);
		check_kept_as(value, &v->type);
		target->type = v->type;
		return;
	}
	d = c_error(c, value->span, DIAG_VALUE_MISMATCH, "variable '$%.*s' gets %s here", VAR_NAME(v->name),
		c_type(c, &t));
	diag_also(c->d, d, v->first, arena_printf(c->a, "%s here", c_type(c, &v->type)));
}

void check_var_declare(
	struct check *c, struct expr *target, struct lt type, const struct expr *cast)
{
	struct var_sym *v = var_sym(c, target);

	target->var = v;
	check_note_var(c, target, v, true);
	smap_put(&c->assigned, v->name, v);
	if (v->cast && cast && v->cast != cast &&
		(strcmp(v->cast->u.cast.type, cast->u.cast.type) != 0 ||
			v->cast->u.cast.stars != cast->u.cast.stars)) {
		diag_also(c->d,
			c_error(c, target->span, DIAG_DUPLICATE,
				"variable '$%.*s' has another type here", VAR_NAME(v->name)),
			v->first, "declared here");
		return;
	}
	if (cast && !v->cast)
		v->cast = cast;
	if (type.kind != LT_NONE && !lt_grow(c, &v->type, type, false))
		diag_also(c->d,
			c_error(c, target->span, DIAG_VALUE_MISMATCH,
				"variable '$%.*s' is a string here", VAR_NAME(v->name)),
			v->first, arena_printf(c->a, "%s here", c_type(c, &v->type)));
}

/* let $x; 0, or the empty text, once it is known what it will hold. */
struct expr *check_var_zero(struct check *c, const struct expr *target)
{
	const struct var_sym *v = smap_get(&c->vars, target->u.name);
	struct expr *e;

	if (!v || v->type.trusted ||
		(v->type.kind != LT_INT && v->type.kind != LT_PTR && v->type.kind != LT_STR))
		return NULL;
	e = ARENA_NEW(c->a, struct expr);
	*e = (struct expr){.kind = v->type.kind == LT_STR ? EX_STR : EX_INT, .span = target->span,
		.height = 1, .is_bool = v->type.boolean};
	if (e->kind == EX_STR)
		e->u.str.s = "";
	return e;
}

const struct expr *check_var_cast(struct check *c, const struct expr *target)
{
	const struct var_sym *v = smap_get(&c->vars, target->u.name);

	return v ? v->cast : NULL;
}
