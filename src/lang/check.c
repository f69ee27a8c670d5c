/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The checker's frame: rounds over the script until maps and variables have settled, then one that
 * reports. Requires: a tree from parse_script. Ensures (when no error was reported): every field of
 * ast.h marked "checked" is set, and no type is LT_UNKNOWN.
 */
#include "lang/check.h"
#include "base/trap.h"
#include <string.h>

#define ROUNDS_MAX 100 /* each settles at least one map or variable; scripts need two or three */

struct diag *c_error(struct check *c, struct skep_span at, enum diag_id id, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(c->a, fmt, ap);
	va_end(ap);
	/* One mistake, one message: what follows from it at the same place is not shown. */
	for (uint32_t i = 0; at.off && i < c->d->list.n; i++) {
		const struct diag *e = &c->d->list.v[i];

		if (e->severity == SKEP_ERROR && !memcmp(&e->at[0], &at, sizeof(at))) {
			struct diag *unseen = ARENA_NEW(c->a, struct diag);

			unseen->nspans = 1;
			return unseen;
		}
	}
	return diag_error(c->d, at, id, "%s", text);
}

void c_hint(struct check *c, struct diag *e, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(c->a, fmt, ap);
	va_end(ap);
	diag_hint(c->d, e, "%s", text);
}

void c_unsupported(struct check *c, struct skep_span at, const char *what, const char *hint)
{
	struct diag *e = c_error(
		c, at, DIAG_NOT_SUPPORTED, "%s not supported in this version of skep", what);

	if (hint && *hint)
		c_hint(c, e, "%s", hint);
}

bool c_needs_unsafe(struct check *c, const struct expr *e)
{
	if (c->s->unsafe)
		return true;
	c_hint(c,
		c_error(c, e->span, DIAG_NEED_UNSAFE, "%s() changes the system: it needs --unsafe",
			e->u.call.name),
		"skep --unsafe … if you mean it");
	return false;
}

const char *c_type(struct check *c, const struct lt *t)
{
	return lt_text(c->s, t);
}

bool c_in_user(const struct check *c)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		if (!kern_is_user(c->probe->points.v[i].kind))
			return false;
	}
	return c->probe->points.n > 0;
}

bool c_is_kind(const struct check *c, enum probe_parts parts)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		if (ap->kind == PROBE_COUNT || kern_probe(ap->kind)->parts != parts)
			return false;
	}
	return c->probe->points.n > 0;
}

bool c_is_packet(const struct check *c)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		if (!kern_is_packet(c->probe->points.v[i].kind))
			return false;
	}
	return c->probe->points.n > 0;
}

/* "kprobe, kretprobe": the kinds that have the builtin. */
static const char *kinds_with(struct check *c, const struct builtin *b)
{
	struct buf out;

	buf_init(&out, c->a);
	for (unsigned k = 0; k < PROBE_COUNT; k++) {
		const char *name = kern_probe((enum kern_probe_kind)k)->name;

		if (builtin_in_probe(b, name))
			buf_printf(&out, "%s%s", out.n ? ", " : "", name);
	}
	return out.n ? out.p : "";
}

static const char *other_way(const struct builtin *b, const char *kind)
{
	if (!strcmp(kind, "sched_ext") && b == builtin_row(BI_COMM))
		return "; here, use args.p.comm";
	if (!strcmp(kind, "kretprobe") && !strncmp(b->name, "arg", 3))
		return "; keep it in a map there: @arg[tid] = arg0";
	if (!strcmp(kind, "kprobe") && b == builtin_row(BI_ARGS))
		return "; here, arguments are arg0, arg1 …";
	if (!strncmp(b->name, "arg", 3) && builtin_in_probe(builtin_row(BI_ARGS), kind))
		return "; here, arguments are args.NAME";
	return "";
}

bool c_has_builtin(struct check *c, const struct builtin *b, struct skep_span at)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		const char *kind;
		struct diag *e;

		if (ap->kind == PROBE_COUNT)
			continue;
		kind = kern_probe(ap->kind)->name;
		if (builtin_in_probe(b, kind))
			continue;
		e = c_error(c, at, DIAG_WRONG_PROBE, "'%s%s' does not exist in %s probes", b->name,
			b->args ? "()" : "", kind);
		c_hint(c, e, "probes that have it: %s%s", kinds_with(c, b), other_way(b, kind));
		return false;
	}
	return true;
}

static void check_probe(struct check *c, struct probe *p)
{
	c->probe = p;
	c->loops = c->dsq_loops = 0;
	c->each = NULL;
	smap_init(&c->vars, c->a);
	smap_init(&c->assigned, c->a);
	for (uint32_t i = 0; i < p->vars.n; i++)
		smap_put(&c->vars, p->vars.v[i]->name, p->vars.v[i]);
	if (p->pred)
		check_condition(c, p->pred);
	check_block(c, p->body);
}

static void round_over(struct check *c)
{
	c->changed = false;
	for (uint32_t i = 0; i < c->s->probes.n; i++)
		check_probe(c, &c->s->probes.v[i]);
}

/*
 * Maps that nothing settled, as in "@x = @x + 1", hold numbers. True when there was one, so that
 * another round is due.
 */
static bool settle_rest(struct check *c)
{
	bool any = false;

	for (uint32_t i = 0; i < c->s->maps.entries.n; i++) {
		struct map_sym *m = c->s->maps.entries.v[i].value;

		if (!m->has_key_type) {
			m->has_key_type = m->keyed = any = true;
			vec_push(c->a, &m->keys, lt_int(8, true));
		}
		if (!m->written || m->agg != MA_NONE || m->value.kind != LT_NONE)
			continue;
		m->value = lt_int(8, true);
		m->value_at = m->first;
		any = true;
	}
	return any;
}

/* No code is made for it; what its arguments are, nobody knows. */
static bool all_missing(const struct probe *p)
{
	for (uint32_t i = 0; i < p->points.n; i++) {
		if (!p->points.v[i].missing)
			return false;
	}
	return true;
}

/* What lowering relies on; an unsettled type without a message is our fault. */
static void check_settled(const struct check *c)
{
	const struct script *s = c->s;

	for (uint32_t i = 0; i < s->maps.entries.n; i++) {
		const struct map_sym *m = s->maps.entries.v[i].value;

		if (!m->has_key_type || (m->agg == MA_NONE && m->value.kind == LT_NONE))
			trap_raise(s->a->trap, SKEP_EBUG, "check: map %s has no type", m->name);
	}
	for (uint32_t i = 0; i < s->probes.n; i++) {
		for (uint32_t k = 0; k < s->probes.v[i].vars.n; k++) {
			const struct var_sym *v = s->probes.v[i].vars.v[k];

			if (v->type.kind == LT_NONE && !all_missing(&s->probes.v[i]))
				trap_raise(s->a->trap, SKEP_EBUG, "check: variable $%s has no type",
					v->name);
		}
	}
}

void check_script(struct script *s)
{
	struct skep_diags nowhere;
	struct check *c = ARENA_NEW(s->a, struct check);

	*c = (struct check){.s = s, .a = s->a, .d = s->d, .t = s->target, .btf = s->target->btf};
	smap_init(&s->maps, s->a);
	smap_init(&c->files, s->a);
	smap_init(&s->options, s->a);
	check_module(c);
	check_own_types(c);
	check_config(c);
	check_decls(c);
	for (uint32_t i = 0; i < s->probes.n; i++)
		check_points(c, &s->probes.v[i]);
	check_drop_missing(c);
	check_duplicates(c);
	check_any_probe(c);
	check_modes(c);
	if (c->no_scx) {
		check_close_files(c);
		return;
	}
	c->d = &nowhere;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		diags_init(&nowhere, s->a);
		round_over(c);
		if (!c->changed && !(c->changed = settle_rest(c)))
			break;
	}
	c->d = s->d;
	if (c->changed) {
		c_error(c, s->probes.v[0].span, DIAG_TOO_BIG,
			"types of maps and variables depend on each other over more than %d steps",
			ROUNDS_MAX);
		check_close_files(c);
		return;
	}
	c->final = true;
	round_over(c);
	check_close_files(c);
	check_decl_uses(c);
	check_scheduler(c);
	check_named(c);
	if (s->d->errors)
		return;
	check_settled(c);
	check_rules(c);
	check_choose(c);
}
