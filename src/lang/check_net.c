/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What packet rules read: fields of headers. */
#include "lang/check.h"
#include <string.h>

static void no_net_field(struct check *c, const struct expr *e, const char *name)
{
	const char *layer = e->u.field.base->u.name;
	size_t len = strlen(layer);
	struct diag *d = c_error(c, e->span, DIAG_NO_SUCH_FIELD, "header '%s' has no field '%.60s'",
		layer, e->u.field.name);
	const struct net_field *f;
	struct suggest s;
	struct buf b;

	buf_init(&b, c->a);
	suggest_init(&s, name);
	for (unsigned i = 0; (f = net_field_at(i)); i++) {
		if (strncmp(f->name, layer, len) || f->name[len] != '.')
			continue;
		suggest_try(&s, f->name);
		buf_printf(&b, " %s", f->name + len + 1);
	}
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else if (b.n)
		c_hint(c, d, "it has:%s", b.p);
}

/* What a hook does not have: the mark in xdp, everything before IP in the hook of cgroups. */
static bool in_hook(struct check *c, const struct expr *e, const struct net_field *f)
{
	bool of_skb = !strcmp(f->name, "pkt.mark") || !strcmp(f->name, "pkt.prio");
	bool l2 = f->layer == NET_ETH || f->layer == NET_VLAN || f->layer == NET_VLAN2 ||
		  f->layer == NET_ARP;

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		enum kern_probe_kind k = c->probe->points.v[i].kind;

		if ((k != PROBE_XDP || !of_skb) && (k != PROBE_CGROUP_SKB || !l2))
			continue;
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_PROBE, "'%s' does not exist in %s probes",
				f->name, kern_probe(k)->name),
			"%s", of_skb ? "tc probes have it: tc:eth0:ingress { … }"
				     : "packets start with their IP header there; xdp and tc probes have it");
		return false;
	}
	return true;
}

void check_net_field(struct check *c, struct expr *e)
{
	const char *name =
		arena_printf(c->a, "%s.%.100s", e->u.field.base->u.name, e->u.field.name);
	const struct net_field *f = net_field_by_name(name);

	if (!c_is_packet(c)) {
		for (uint32_t i = 0; i < c->probe->points.n; i++) {
			const struct attach_point *ap = &c->probe->points.v[i];

			if (ap->kind == PROBE_COUNT || kern_is_packet(ap->kind))
				continue;
			c_hint(c,
				c_error(c, e->span, DIAG_WRONG_PROBE,
					"'%s' does not exist in %s probes", name,
					kern_probe(ap->kind)->name),
				"packet fields exist in xdp, tc and cgroup_skb probes: xdp:eth0 { … }");
			return;
		}
		return;
	}
	if (!f) {
		no_net_field(c, e, name);
		return;
	}
	if (!in_hook(c, e, f))
		return;
	e->ref.kind = REF_NET;
	e->ref.u.net = f;
	switch (f->kind) {
	case NK_INET4:
		e->type = lt_of(LT_INET4, 4);
		break;
	case NK_INET6:
		e->type = lt_of(LT_INET6, 16);
		break;
	case NK_MAC:
		e->type = lt_of(LT_MAC, 6);
		break;
	case NK_FLAG:
		e->type = lt_int(1, false);
		break;
	default:
		e->type = lt_int(f->width == 1 || f->width == 2 ? f->width : 4, false);
		break;
	}
}
