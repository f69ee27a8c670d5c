/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What packet rules do: drop("reason"), redirect, capture, every, rate; lists from files. */
#include "lang/check.h"
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define RATE_MOST 1000000000 /* a nanosecond each */
#define CAPTURE_MOST 2048
#define LIST_MOST (1 << 26)
#define LIST_DEFAULT (1u << 20)

static struct expr *arg(const struct expr *e, uint32_t i)
{
	return i < e->u.call.args.list.n ? e->u.call.args.list.v[i] : NULL;
}

/* A string in quotes, not empty; else reported. */
static bool literal(struct check *c, struct expr *e, const char *what, const char *example)
{
	check_expr(c, e);
	if (e->kind == EX_STR && e->u.str.n)
		return true;
	if (e->kind == EX_STR || e->type.kind != LT_UNKNOWN)
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS, "%s must be a text in quotes", what),
			"for instance: %s", example);
	return false;
}

void check_drop(struct check *c, struct expr *e)
{
	if (count_args(c, e, 0, 1) && arg(e, 0))
		literal(c, arg(e, 0), "the reason", "drop(\"port scan\")");
}

void check_redirect(struct check *c, struct expr *e)
{
	const struct expr *name;
	struct if_nameindex *all;
	struct suggest s;
	struct diag *d;

	if (!count_args(c, e, 1, 1) ||
		!literal(c, arg(e, 0), "the interface", "redirect(\"eth1\")"))
		return;
	name = arg(e, 0);
	if (!c->final || c->s->offline || !c->t->host || if_nametoindex(name->u.str.s))
		return;
	d = c_error(c, name->span, DIAG_NO_SUCH_INTERFACE, "no network interface '%.60s'",
		name->u.str.s);
	suggest_init(&s, name->u.str.s);
	all = if_nameindex();
	for (struct if_nameindex *i = all; i && i->if_name; i++)
		suggest_try(&s, i->if_name);
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	if (all)
		if_freenameindex(all);
}

void check_capture(struct check *c, struct expr *e)
{
	if (!count_args(c, e, 1, 2) ||
		!literal(c, arg(e, 0), "the file", "capture(\"dropped.pcap\")"))
		return;
	if (arg(e, 1))
		check_const(c, arg(e, 1), "number of bytes", 1, CAPTURE_MOST);
	if (!target_has(c->t, KF_RINGBUF))
		c_hint(c,
			c_error(c, e->span, DIAG_NO_KERNEL_FEATURE,
				"capture() needs ring buffers, which the target kernel does not have"),
			"Linux 5.8 does");
}

void check_every(struct check *c, struct expr *e)
{
	if (count_args(c, e, 1, 1))
		check_const(c, arg(e, 0), "number", 1, INT64_MAX);
	e->type = lt_bool();
}

void check_rate(struct check *c, struct expr *e)
{
	struct exprs *keys;

	e->type = lt_bool();
	if (!count_args(c, e, 2, 3))
		return;
	if (arg(e, 0)->kind == EX_TUPLE) {
		keys = &arg(e, 0)->u.tuple;
		for (uint32_t i = 0; i < keys->list.n; i++) {
			check_expr(c, keys->list.v[i]);
			is_storable(c, keys->list.v[i], "a key");
		}
	} else {
		check_expr(c, arg(e, 0));
		is_storable(c, arg(e, 0), "a key");
	}
	check_const(c, arg(e, 1), "number per second", 1, RATE_MOST);
	if (arg(e, 2))
		check_const(c, arg(e, 2), "burst", 1, 1 << 30);
}

/* ---- lists ---- */

bool check_list_decl(struct check *c, struct map_decl *m)
{
	if (!m->list && m->file)
		c_hint(c,
			c_error(c, m->file->span, DIAG_WRONG_TYPE, "a map of type '%.60s' has no file",
				m->type),
			"lists have: let %.60s = prefixes(\"blocklist.txt\");", m->map);
	else if (m->list && (!m->file || !m->file->u.str.n))
		c_hint(c,
			c_error(c, m->span, DIAG_WRONG_ARGS, "%s() needs the name of a file", m->type),
			"for instance: let %.60s = %s(\"list.txt\");", m->map, m->type);
	else if (m->list && c->t->host && !c->s->portable && access(m->file->u.str.s, R_OK))
		c_hint(c,
			c_error(c, m->file->span, DIAG_NO_SUCH_TARGET, "cannot read the list '%.200s': %s",
				m->file->u.str.s, strerror(errno)),
			"paths of lists are relative to where skep is started");
	else if (m->list && m->size)
		check_const(c, m->size, "number of entries", 1, LIST_MOST);
	return m->list || m->file;
}

static void in_list(struct check *c, const struct expr *a, const struct expr *b)
{
	struct map_sym *m = b->map;
	bool fits = m->decl->list == LIST_PORTS
			    ? a->type.kind == LT_INT
			    : a->type.kind == LT_INET4 || a->type.kind == LT_INET6;

	if (!m->decl->size)
		m->max_entries = LIST_DEFAULT;
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (!fits) {
		c_hint(c,
			c_error(c, a->span, DIAG_WRONG_TYPE, "'%.60s' is a list of %s, this is %s",
				m->name, m->decl->type, c_type(c, &a->type)),
			m->decl->list == LIST_PORTS ? "for instance: tcp.dport in %.60s"
						    : "for instance: ip.src in %.60s",
			m->name);
		return;
	}
	m->families |= a->type.kind == LT_INET6 ? 2 : 1;
}

void check_in_map(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	struct map_sym *m = check_map(c, b, MAP_IN);
	struct exprs keys = {{0}};

	if (m->decl && m->decl->list) {
		in_list(c, a, b);
		return;
	}
	if (b->u.map.keys.list.n && b->u.map.keys.list.v[0] != a) { /* else an earlier round's */
		c_hint(c, c_error(c, b->span, DIAG_WRONG_TYPE, "'in' takes a map without a key"),
			"write: in %.60s", m->name);
		return;
	}
	vec_push(c->a, &keys.list, a);
	b->u.map.keys = keys;
	check_map_keys(c, m, &b->u.map.keys, a->span);
}
