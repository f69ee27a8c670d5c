/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usdt:FILE:NAME, usdt:FILE:PROVIDER:NAME: one point for each place in the file where such a probe
 * stands, since each place has its arguments somewhere else.
 */
#include "base/glob.h"
#include "lang/check.h"
#include "kern/uelf.h"
#include "kern/usdt.h"
#include <string.h>

struct places {
	struct check *c;
	struct attach_point *ap;
	struct probe *p;
	const char *path;
	const char *provider, *name; /* patterns; provider NULL: any */
	uint32_t n;
	struct suggest near;
};

static void place(const struct uelf_usdt *u, void *arg)
{
	struct places *x = arg;
	struct attach_point ap = *x->ap;
	struct check *c = x->c;

	suggest_try(&x->near, u->name);
	if (!name_matches(x->name, u->name))
		return;
	if (x->provider && !name_matches(x->provider, u->provider))
		return;
	ap.parts.v = NULL;
	ap.parts.n = ap.parts.cap = 0;
	vec_push(c->a, &ap.parts, x->path);
	vec_push(c->a, &ap.parts, arena_strdup(c->a, u->provider));
	vec_push(c->a, &ap.parts, arena_strdup(c->a, u->name));
	ap.num[0] = u->off;
	ap.num[1] = u->semaphore;
	ap.usdt_args = arena_strdup(c->a, u->args);
	ap.from_pattern = is_pattern(x->name) || (x->provider && is_pattern(x->provider));
	vec_push(c->a, &x->p->points, ap);
	x->n++;
}

static void no_place(struct places *x)
{
	struct check *c = x->c;
	const char *part = x->ap->parts.v[0];
	struct diag *e;

	if (!*part || *part == '*')
		x->path = "*";
	e = missing_probe(c, x->ap, x->ap->span,
		arena_printf(c->a, "'%.200s' has no statically defined probe '%s%s%.100s'", x->path,
			x->provider ? x->provider : "", x->provider ? ":" : "", x->name));

	if (e && suggest_best(&x->near))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&x->near));
	else if (e)
		c_hint(c, e, "`skep -l 'usdt:%s:*'` lists them", x->path);
}

/* Puts the point's places into p->points; the point itself when there are none (reported). */
void expand_usdt(struct check *c, struct probe *p, struct attach_point *ap)
{
	bool three = ap->parts.n == 3;
	struct places x = {.c = c, .ap = ap, .p = p,
		.provider = three && *ap->parts.v[1] ? ap->parts.v[1] : NULL,
		.name = ap->parts.v[ap->parts.n - 1]};

	suggest_init(&x.near, x.name);
	if (!c->t->host) {
		c_hint(c,
			c_error(c, ap->span, DIAG_BAD_PROBE,
				"statically defined probes are found in files of the machine itself"),
			"compile the script on the machine where it runs");
		ap->kind = PROBE_COUNT;
	} else {
		for (const char **file = find_files(c, ap); *file; file++) {
			struct uelf *u = open_file(c, ap, *file);

			x.path = *file;
			if (u)
				uelf_each_usdt(u, place, &x);
		}
		if (!ap->missing && !x.n)
			no_place(&x);
	}
	if (!x.n)
		vec_push(c->a, &p->points, *ap);
}

/* argN of all places of the probe; false: reported. */
bool check_usdt_arg(struct check *c, const struct expr *e, unsigned n)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		struct usdt_arg a;
		const char *why;

		if (ap->kind != PROBE_USDT || ap->missing || !ap->usdt_args ||
			usdt_arg_parse(c->t->arch, ap->usdt_args, n, &a, &why))
			continue;
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_PROBE, "arg%u of %s: %s", n, ap->name, why),
			"its arguments are: %s", *ap->usdt_args ? ap->usdt_args : "none");
		return false;
	}
	return true;
}
