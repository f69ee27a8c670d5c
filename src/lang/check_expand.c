/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Patterns in attach points: one point becomes one for each name on the target that matches. What
 * a script named itself and the target lacks is treated as config's missing_probes says.
 */
#include "lang/check.h"
#include "base/glob.h"
#include <string.h>

bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

struct expand {
	struct check *c;
	struct probe *p;
	struct attach_point pattern;
	uint32_t n;	  /* names that matched */
	const char *prefix; /* of the functions that each_typed looks for */
	const char *last; /* name before this one: lists are sorted */
};

/* One more point with these parts; NULL is left out. */
static void found(struct expand *x, const char *a, const char *b)
{
	struct attach_point ap = x->pattern;
	const char *const parts[] = {a, b};

	ap.parts.v = NULL;
	ap.part_spans.v = NULL;
	ap.parts.n = ap.parts.cap = ap.part_spans.n = ap.part_spans.cap = 0;
	ap.from_pattern = true;
	for (unsigned i = 0; i < 2; i++) {
		if (!parts[i])
			continue;
		vec_push(x->c->a, &ap.parts, parts[i]);
		vec_push(x->c->a, &ap.part_spans, x->pattern.part_spans.v[0]);
	}
	if (x->n++ < x->c->s->config.max_probes)
		vec_push(x->c->a, &x->p->points, ap);
}

static void function(const char *name, const char *module, void *arg)
{
	struct expand *x = arg;
	const struct attach_point *p = &x->pattern;
	bool in_module = p->parts.n == 2;

	if (!name_matches(p->parts.v[p->parts.n - 1], name))
		return;
	if (!*module)
		module = "vmlinux";
	if (in_module && !name_matches(p->parts.v[0], module))
		return;
	if (!in_module && x->last && !strcmp(x->last, name))
		return;
	/* fentry needs types, which modules have of their own */
	if (p->kind != PROBE_KPROBE && p->kind != PROBE_KRETPROBE && !in_module &&
		(strcmp(module, "vmlinux") || !x->c->btf || !kbtf_func(x->c->btf, name)))
		return;
	x->last = name;
	found(x, in_module ? module : name, in_module ? name : NULL);
}

static void tracepoint(const char *name, void *arg)
{
	struct expand *x = arg;
	const char *colon = strchr(name, ':');
	const char *category;

	if (!colon || !name_matches(x->pattern.parts.v[1], colon + 1))
		return;
	category = arena_strndup(x->c->a, name, (size_t)(colon - name));
	if (name_matches(x->pattern.parts.v[0], category))
		found(x, category, arena_strdup(x->c->a, colon + 1));
}

/* Functions of the kernel's types whose names are prefix and a name. */
static void typed_name(const char *name, void *arg)
{
	struct expand *x = arg;
	size_t n = strlen(x->prefix);
	const struct attach_point *p = &x->pattern;

	if (!strncmp(name, x->prefix, n) && name_matches(p->parts.v[p->parts.n - 1], name + n))
		found(x, name + n, NULL);
}

static void each_typed(struct expand *x, const char *prefix)
{
	x->prefix = prefix;
	if (x->c->btf)
		kbtf_each_func(x->c->btf, typed_name, x);
}

static void user_function(const char *path, const char *name, void *arg)
{
	found(arg, path, name);
}

static void nothing_matches(struct expand *x)
{
	struct check *c = x->c;
	struct attach_point *ap = &x->pattern;
	struct diag *e = NULL;

	if (!ap->missing) /* else it has been reported: there is no such file */
		e = missing_probe(c, ap, ap->span,
			arena_printf(c->a, "nothing on the target matches '%.100s'",
				point_name(c, ap)));
	if (e && ap->cpp)
		c_hint(c, e, "templates and operators are written as `nm` shows them: _ZN…");
	else if (e && !c->t->host)
		c_hint(c, e, TARGET_HINT);
	else if (e)
		c_hint(c, e, "`skep -l '%s'` lists what matches a pattern", point_name(c, ap));
	/* the body still has to mean something: as if the name existed */
	vec_push(c->a, &x->p->points, *ap);
}

static void each_event(struct expand *x)
{
	const struct attach_point *p = &x->pattern;
	const struct kern_perf_event *e;

	for (unsigned i = 0; (e = kern_perf_event_at(i)); i++) {
		if (e->kind == p->kind && name_matches(p->parts.v[0], e->name))
			found(x, e->name, p->parts.n > 1 ? p->parts.v[1] : NULL);
	}
}

static bool has_pattern(const struct attach_point *ap)
{
	if (ap->kind == PROBE_COUNT)
		return false;
	switch (kern_probe(ap->kind)->parts) {
	case PP_USDT:
		return true; /* it may stand in many places */
	case PP_FUNC:
	case PP_FENTRY:
	case PP_RAWTP:
	case PP_LSM:
	case PP_UFUNC:
	case PP_TRACEPOINT:
	case PP_EVENT:
		break;
	default:
		return false;
	}
	for (uint32_t i = 0; i < ap->parts.n; i++) {
		if (is_pattern(ap->parts.v[i]) || !*ap->parts.v[i])
			return true;
	}
	return ap->cpp;
}

static void expand(struct expand *x)
{
	uint32_t limit = x->c->s->config.max_probes;

	if (kern_probe(x->pattern.kind)->parts == PP_TRACEPOINT)
		target_each_tracepoint(x->c->t, tracepoint, x);
	else if (kern_probe(x->pattern.kind)->parts == PP_UFUNC)
		expand_ufunc(x->c, &x->pattern, user_function, x);
	else if (kern_probe(x->pattern.kind)->parts == PP_EVENT)
		each_event(x);
	else if (kern_probe(x->pattern.kind)->parts == PP_RAWTP)
		each_typed(x, "__traceiter_");
	else if (kern_probe(x->pattern.kind)->parts == PP_LSM)
		each_typed(x, "bpf_lsm_");
	else
		target_each_module_function(x->c->t, function, x);
	if (!x->n)
		nothing_matches(x);
	if (x->n > limit)
		c_hint(x->c,
			c_error(x->c, x->pattern.span, DIAG_TOO_BIG,
				"'%.100s' matches %u probes; the limit is %u",
				point_name(x->c, &x->pattern), x->n, limit),
			"write a narrower pattern, or config = { max_probes = %u; }", x->n);
}

void expand_patterns(struct check *c, struct probe *p)
{
	struct probe all = *p;
	bool any = false;

	for (uint32_t i = 0; i < all.points.n; i++)
		any |= has_pattern(&all.points.v[i]);
	if (!any)
		return;
	p->points.v = NULL;
	p->points.n = p->points.cap = 0;
	for (uint32_t i = 0; i < all.points.n; i++) {
		struct expand x = {.c = c, .p = p, .pattern = all.points.v[i]};

		if (has_pattern(&x.pattern) && x.pattern.kind == PROBE_USDT)
			expand_usdt(c, p, &x.pattern);
		else if (has_pattern(&x.pattern))
			expand(&x);
		else
			vec_push(c->a, &p->points, x.pattern);
	}
}

/*
 * A probe that the target does not have: an error, a warning or nothing. The point stays, so that
 * its body can be checked, and no code is made for it. The message, for a hint; NULL for none.
 */
struct diag *missing_probe(
	struct check *c, struct attach_point *ap, struct skep_span at, const char *text)
{
	ap->missing = true;
	switch (c->s->config.missing_probes) {
	case MISSING_IGNORE:
		return NULL;
	case MISSING_DEFAULT:
		if (c->probe->written < 2)
			break;
		/* fall through */
	case MISSING_WARN:
		return diag_warn(c->d, at, DIAG_NO_SUCH_TARGET, "%s", text);
	case MISSING_ERROR:
		break;
	}
	return c_error(c, at, DIAG_NO_SUCH_TARGET, "%s", text);
}

/* "kprobe:vfs_read": the canonical name of a point. */
const char *point_name(struct check *c, const struct attach_point *ap)
{
	struct buf name;

	buf_init(&name, c->a);
	buf_puts(&name, kern_probe(ap->kind)->name);
	for (uint32_t i = 0; i < ap->parts.n; i++)
		buf_printf(&name, ":%s", ap->parts.v[i]);
	return name.p;
}
