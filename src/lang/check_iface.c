/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attach points of packet hooks: interfaces, their modes, directions, cgroups. */
#include "lang/check.h"
#include "base/glob.h"
#include <net/if.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Told once: all rules of a file may be for it. */
static void no_interface(struct check *c, const struct attach_point *ap)
{
	const char *name = ap->parts.v[0];
	const char *message = arena_printf(c->a, is_pattern(name) ? "no network interface matches '%.60s'"
			: "no network interface '%.60s'", name);
	struct if_nameindex *all;
	struct suggest s;
	struct diag *e;
	struct buf list;

	for (uint32_t i = 0; i < c->d->list.n; i++) {
		if (!strcmp(c->d->list.v[i].message, message))
			return;
	}
	e = c_error(c, ap->part_spans.v[0], DIAG_NO_SUCH_INTERFACE, "%s", message);
	all = if_nameindex();
	suggest_init(&s, name);
	buf_init(&list, c->a);
	for (struct if_nameindex *i = all; i && i->if_name; i++) {
		suggest_try(&s, i->if_name);
		buf_printf(&list, " %s", i->if_name);
	}
	if (suggest_best(&s))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&s));
	else if (list.n)
		c_hint(c, e, "interfaces here:%s", list.p);
	if (all)
		if_freenameindex(all);
}

/* The word if it is one of the list (any case), as the list has it; else NULL, reported. */
static const char *one_of(struct check *c, struct attach_point *ap, uint32_t part, const char *what,
	const char *const *words)
{
	const char *const *w = words;
	struct suggest s;
	struct diag *e;
	struct buf list;

	buf_init(&list, c->a);
	suggest_init(&s, ap->parts.v[part]);
	for (; *w; w++) {
		if (!strcasecmp(*w, ap->parts.v[part]))
			return *w;
		suggest_try(&s, *w);
		buf_printf(&list, "%s%s", w == words ? "" : w[1] ? ", " : " or ", *w);
	}
	e = c_error(c, ap->part_spans.v[part], DIAG_BAD_PROBE, "'%.60s' is no %s",
		ap->parts.v[part], what);
	if (suggest_best(&s))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, e, "write %s", list.p);
	return NULL;
}

static void canonical(struct check *c, struct attach_point *ap, const char *direction)
{
	const char *kind = kern_probe(ap->kind)->name;

	ap->name = direction ? arena_printf(c->a, "%s:%s:%s", kind, ap->parts.v[0], direction)
			     : arena_printf(c->a, "%s:%s", kind, ap->parts.v[0]);
}

static void check_direction(struct check *c, struct attach_point *ap)
{
	static const char *const directions[] = {"ingress", "egress", NULL};
	const char *d = one_of(c, ap, 1, "direction", directions);

	if (!d)
		return;
	ap->parts.v[1] = d;
	canonical(c, ap, d);
}

/* A path below the root of cgroup v2, or the whole path. */
static void check_cgroup(struct check *c, struct attach_point *ap)
{
	const char *path = ap->parts.v[0];
	struct stat st;
	struct diag *e;

	if (strncmp(path, CGROUP_ROOT, strlen(CGROUP_ROOT)))
		path = arena_printf(c->a, CGROUP_ROOT "%s%s", *path == '/' ? "" : "/", path);
	check_direction(c, ap);
	if (c->s->offline || !c->t->host || (!stat(path, &st) && S_ISDIR(st.st_mode)))
		return;
	e = c_error(c, ap->part_spans.v[0], DIAG_NO_SUCH_TARGET, "there is no cgroup '%.100s'",
		path);
	c_hint(c, e, "paths start at " CGROUP_ROOT ": cgroup_skb:/user.slice:egress");
}

void check_packet_point(struct check *c, struct attach_point *ap)
{
	static const char *const modes[] = {"native", "generic", "offload", NULL};
	const char *mode;

	if (kern_probe(ap->kind)->parts == PP_CGROUP_DIR) {
		check_cgroup(c, ap);
		return;
	}
	if (!c->s->offline && c->t->host && !if_nametoindex(ap->parts.v[0]))
		no_interface(c, ap);
	if (kern_probe(ap->kind)->parts == PP_IFACE_DIR) {
		check_direction(c, ap);
	} else if (ap->parts.n > 1) {
		mode = one_of(c, ap, 1, "mode of XDP", modes);
		if (mode)
			ap->parts.v[1] = mode;
		canonical(c, ap, NULL);
	}
}

/* One point with a pattern becomes one for each interface that matches; true when it did. */
static bool expand(struct check *c, struct probe *p, uint32_t at)
{
	struct attach_point pattern = p->points.v[at];
	struct if_nameindex *all = if_nameindex();
	uint32_t n = 0;

	for (struct if_nameindex *i = all; i && i->if_name; i++) {
		struct attach_point ap = pattern;

		/* Rules for "any interface" are about the network, not about the machine itself. */
		if (!name_matches(pattern.parts.v[0], i->if_name) ||
			(!strcmp(pattern.parts.v[0], "*") && !strcmp(i->if_name, "lo")))
			continue;
		ap.pattern = pattern.parts.v[0];
		ap.parts.v = NULL;
		ap.parts.n = ap.parts.cap = 0;
		vec_push(c->a, &ap.parts, (const char *)arena_strdup(c->a, i->if_name));
		for (uint32_t k = 1; k < pattern.parts.n; k++)
			vec_push(c->a, &ap.parts, pattern.parts.v[k]);
		if (n++)
			vec_push(c->a, &p->points, ap);
		else
			p->points.v[at] = ap;
	}
	if (all)
		if_freenameindex(all);
	return n;
}

void expand_interfaces(struct check *c, struct probe *p)
{
	uint32_t n = c->s->offline ? 0 : p->points.n;

	for (uint32_t i = 0; i < n; i++) {
		struct attach_point *ap = &p->points.v[i];

		if (ap->kind == PROBE_COUNT || !ap->parts.n || !is_pattern(ap->parts.v[0]) ||
			(kern_probe(ap->kind)->parts != PP_IFACE &&
				kern_probe(ap->kind)->parts != PP_IFACE_DIR))
			continue;
		if (!c->t->host) {
			c_hint(c,
				c_error(c, ap->part_spans.v[0], DIAG_BAD_PROBE,
					"which interfaces match '%.60s' is known on the machine "
					"itself only",
					ap->parts.v[0]),
				"name them one by one: xdp:eth0, xdp:eth1 { … }");
		} else if (expand(c, p, i)) {
			continue;
		} else {
			no_interface(c, ap);
		}
		p->points.v[i].kind = PROBE_COUNT;
	}
}

/* The mode of an interface's program: what one of its blocks says. */
static const struct attach_point *mode_of(const struct script *s, const char *name)
{
	for (uint32_t i = 0; i < s->probes.n; i++) {
		for (uint32_t k = 0; k < s->probes.v[i].points.n; k++) {
			const struct attach_point *ap = &s->probes.v[i].points.v[k];

			if (ap->kind == PROBE_XDP && ap->parts.n > 1 && !strcmp(ap->name, name))
				return ap;
		}
	}
	return NULL;
}

/* All blocks of an interface are one program, so they have one mode. */
void check_modes(struct check *c)
{
	for (uint32_t i = 0; i < c->s->probes.n; i++) {
		for (uint32_t k = 0; k < c->s->probes.v[i].points.n; k++) {
			struct attach_point *ap = &c->s->probes.v[i].points.v[k];
			const struct attach_point *first;

			if (ap->kind != PROBE_XDP || !(first = mode_of(c->s, ap->name)))
				continue;
			if (ap->parts.n < 2)
				vec_push(c->a, &ap->parts, first->parts.v[1]);
			else if (strcmp(ap->parts.v[1], first->parts.v[1]))
				diag_also(c->d,
					c_error(c, ap->span, DIAG_BAD_PROBE,
						"'%.60s' has two modes, '%s' and '%s'", ap->name,
						first->parts.v[1], ap->parts.v[1]),
					first->span, "the other is here");
		}
	}
}
