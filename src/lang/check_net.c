/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What packet rules read: fields of headers. */
#include "lang/check.h"
#include <ctype.h>
#include <string.h>

/*
 * The verifier keeps some 8000 branches open: a search of 128 bytes leaves 600 and more of them, a walk
 * over TCP's options 300.
 */
#define SEARCHES_MOST 36

/* Loops over packets add up: each leads into all that follow. */
static void add_search(struct check *c, const struct expr *e, unsigned cost, const char *hint)
{
	if (!c->final || (c->s->searches += cost) <= SEARCHES_MOST)
		return;
	c_hint(c,
		c_error(c, e->span, DIAG_TOO_BIG,
			"more searches in packets than kernels take in one program"),
		"%s", hint);
}

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
	if (f->kind == NK_OPTION || f->kind == NK_HAS_OPTION)
		add_search(c, e, 2, "read the option once: $mss = tcp.mss;");
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
	case NK_HAS_OPTION:
		e->type = lt_int(1, false);
		break;
	default:
		e->type = lt_int(f->width == 1 || f->width == 2 ? f->width : 4, false);
		break;
	}
}

/* ---- names of numbers ---- */

/* The field whose names hold on the other side of a comparison: a, a & b, … */
static const struct net_field *named_field(const struct expr *e)
{
	const struct net_field *f;

	if (e->kind == EX_FIELD && e->ref.kind == REF_NET)
		return e->ref.u.net;
	if (e->kind != EX_BINARY || (e->u.binary.op != BO_AND && e->u.binary.op != BO_OR))
		return NULL;
	f = named_field(e->u.binary.a);
	return f ? f : named_field(e->u.binary.b);
}

static void name_to_number(const struct net_field *f, struct expr *e)
{
	const struct net_name *n;

	for (unsigned i = 0; (n = net_name_at(i)); i++) {
		if (strcmp(n->field, f->name) != 0 || strcmp(n->name, e->u.name) != 0)
			continue;
		e->kind = EX_INT;
		e->u.num.v = n->value;
		e->u.num.is_unsigned = false;
		return;
	}
}

/* echo-request, as nft has it, is echo_request. */
static void joined_name(struct check *c, const struct net_field *f, struct expr *e)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	struct expr whole = *e;

	if (e->u.binary.op != BO_SUB || a->kind != EX_NAME || b->kind != EX_NAME)
		return;
	whole.kind = EX_NAME;
	whole.u.name = arena_printf(c->a, "%s_%s", a->u.name, b->u.name);
	name_to_number(f, &whole);
	if (whole.kind == EX_INT)
		*e = whole;
}

static void names_in(struct check *c, const struct net_field *f, struct expr *e)
{
	switch (e->kind) {
	case EX_NAME:
		name_to_number(f, e);
		break;
	case EX_BINARY:
		joined_name(c, f, e);
		if (e->kind != EX_BINARY)
			break;
		names_in(c, f, e->u.binary.a);
		names_in(c, f, e->u.binary.b);
		break;
	case EX_UNARY:
		names_in(c, f, e->u.unary.a);
		break;
	case EX_RANGE:
		names_in(c, f, e->u.range.lo);
		names_in(c, f, e->u.range.hi);
		break;
	case EX_SET:
		for (uint32_t i = 0; i < e->u.tuple.list.n; i++)
			names_in(c, f, e->u.tuple.list.v[i]);
		break;
	default:
		break;
	}
}

void check_net_names(struct check *c, const struct expr *a, struct expr *b)
{
	const struct net_field *f = named_field(a);

	if (f)
		names_in(c, f, b);
}

/* ---- payload ---- */

static bool is_payload(const struct expr *e)
{
	return e->kind == EX_NAME && !strcmp(e->u.name, "payload");
}

static bool payload_here(struct check *c, const struct expr *e)
{
	if (c_is_packet(c))
		return true;
	if (c->probe->points.n && c->probe->points.v[0].kind != PROBE_COUNT)
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_PROBE, "'payload' does not exist in %s probes",
				kern_probe(c->probe->points.v[0].kind)->name),
			"it exists in xdp, tc and cgroup_skb probes");
	return false;
}

static void only_compared(struct check *c, struct skep_span at, unsigned bytes)
{
	c_hint(c,
		c_error(c, at, DIAG_WRONG_TYPE, "%u bytes of the payload compare with a text only",
			bytes),
		"payload[0:9] == \"text with\"; up to 8 bytes are a number: payload[0:8]");
}

/* payload[o] is a byte, payload[o:n] a number of n bytes, or n bytes to compare with a text. */
bool check_payload(struct check *c, struct expr *e)
{
	struct expr *at = e->u.index.index, *n = NULL;
	bool compared = c->compared == e;
	uint64_t bytes = 1;

	if (!is_payload(e->u.index.base))
		return false;
	e->type.kind = LT_UNKNOWN;
	if (!payload_here(c, e->u.index.base))
		return true;
	if (at->kind == EX_RANGE) {
		n = at->u.range.hi;
		at = at->u.range.lo;
	}
	if (!check_const(c, at, "offset", 0, PAYLOAD_MOST - 1) ||
		(n && !check_const(c, n, "number of bytes", 1, PAYLOAD_PART)))
		return true;
	if (n)
		bytes = n->const_value;
	if (bytes > 8 && !compared) {
		only_compared(c, e->span, (unsigned)bytes);
		return true;
	}
	e->ref.kind = REF_NET;
	e->ref.u.net = net_field_by_name("payload");
	e->type = bytes > 8 ? lt_str((uint32_t)bytes + 1) : lt_int(bytes == 1 ? 1 : 8, false);
	return true;
}

bool check_payload_text(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	uint32_t bytes;

	if (a->kind != EX_INDEX || a->ref.kind != REF_NET)
		return false;
	bytes = a->u.index.index->kind == EX_RANGE
			? (uint32_t)a->u.index.index->u.range.hi->const_value
			: 1;
	if (b->kind != EX_STR) {
		if (bytes <= 8)
			return false;
		if (b->type.kind != LT_UNKNOWN)
			only_compared(c, b->span, bytes);
	} else if (e->u.binary.op != BO_EQ && e->u.binary.op != BO_NE) {
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_TYPE, "texts have no order: '%s'",
				binop_text(e->u.binary.op)),
			"compare them with == or !=");
	} else if (b->u.str.n != bytes) {
		c_hint(c,
			c_error(c, b->span, DIAG_WRONG_TYPE,
				"%u bytes are compared with a text of %u: never equal", bytes,
				b->u.str.n),
			"write payload[%llu:%u]",
			(unsigned long long)(a->u.index.index->kind == EX_RANGE
						     ? a->u.index.index->u.range.lo->const_value
						     : a->u.index.index->const_value),
			b->u.str.n);
	}
	e->type = lt_bool();
	return true;
}

void check_contains(struct check *c, struct expr *e)
{
	struct expr *const *arg = e->u.call.args.list.v;

	e->type = lt_bool();
	if (!count_args(c, e, 2, 2))
		return;
	if (!is_payload(arg[0])) {
		check_expr(c, arg[0]);
		if (arg[0]->type.kind != LT_UNKNOWN)
			c_hint(c,
				c_error(c, arg[0]->span, DIAG_WRONG_TYPE,
					"'contains' looks into the payload of packets only"),
				"for instance: payload contains \"GET \"");
		return;
	}
	payload_here(c, arg[0]);
	c->raw_text = true;
	check_expr(c, arg[1]);
	c->raw_text = false;
	if (arg[1]->type.kind == LT_UNKNOWN)
		return;
	if (arg[1]->kind != EX_STR || !arg[1]->u.str.n || arg[1]->u.str.n > PAYLOAD_PART)
		c_hint(c,
			c_error(c, arg[1]->span, DIAG_WRONG_TYPE,
				"what the payload may contain is a text of 1 to %d bytes",
				PAYLOAD_PART),
			"for instance: payload contains \"\\x07example\\x03com\"");
	else
		add_search(c, e, 3 + arg[1]->u.str.n / 8,
			"payload[offset:bytes] == \"text\" looks at one place and costs little");
}

/* Labels of 1 to 63 letters, digits, '-' and '_', with a dot between; one at the end says nothing. */
static bool is_dns_name(const char *s, uint32_t n)
{
	uint32_t label = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool dot = s[i] == '.';

		if (dot ? !label : !isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
		label = dot ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return n && n <= DNS_NAME_MOST;
}

void check_dns_name(struct check *c, struct expr *e)
{
	struct expr *const *arg = e->u.call.args.list.v;

	e->type = lt_bool();
	if (!count_args(c, e, 1, 1))
		return;
	check_expr(c, arg[0]);
	if (arg[0]->type.kind == LT_UNKNOWN)
		return;
	if (arg[0]->kind != EX_STR || !is_dns_name(arg[0]->u.str.s, arg[0]->u.str.n))
		c_hint(c, c_error(c, arg[0]->span, DIAG_WRONG_TYPE, "this is no name of the DNS"),
			"for instance: udp.dport == 53 && dns_name(\"example.com\")");
	else
		add_search(c, e, 3 + arg[0]->u.str.n / 8, "several rules can share one: if (…) { … }");
}

/* ---- changing packets ---- */

/* Fields whose checksums can follow. */
bool net_field_writable(struct check *c, const struct expr *e)
{
	static const char can[] = "these can: eth.dst eth.src ip.dscp ip.ecn ip.tos ip.ttl ip.id ip6.dscp ip6.ecn "
		"ip6.flow ip6.hops ip.src ip.dst ip6.src ip6.dst tcp.sport tcp.dport tcp.mss udp.sport "
		"udp.dport pkt.mark pkt.prio";
	const char *name = e->ref.u.net->name, *at;

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		if (c->probe->points.v[i].kind != PROBE_CGROUP_SKB || !strncmp(name, "pkt.", 4))
			continue;
		c_hint(c,
			c_error(c, e->span, DIAG_BAD_ASSIGN,
				"programs of a cgroup cannot change packets"),
			"xdp and tc programs can; pkt.mark can be set here");
		return false;
	}
	at = strstr(can, arena_printf(c->a, " %s", name));
	if (at && (unsigned char)at[1 + strlen(name)] <= ' ')
		return true;
	c_hint(c, c_error(c, e->span, DIAG_BAD_ASSIGN, "'%s' cannot be changed", name), "%s", can);
	return false;
}
