/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packet rules that cannot be meant as they stand: numbers that a field never has, networks with host
 * bits, elements of a set that others contain, conditions that are never true, rules that no packet
 * reaches because an earlier one decides. Requires: a script without errors, types settled.
 */
#include "lang/check.h"
#include "lang/lower.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_MOST 16
#define L4_KINDS (1u << NET_TCP | 1u << NET_UDP | 1u << NET_ICMP | 1u << NET_ICMP6)
#define L4_ALL (L4_KINDS | 1u << NET_L4 | 1u << NET_PAYLOAD)
#define CHANGES_MOST 24 /* rules of tc that change what a checksum covers, and go on */

/* A part of "a && b && …": true, or false where yes is not set. */
struct fact {
	const struct expr *e;
	bool yes;
	struct lo_test t; /* t.what is NULL: it is no test of one field */
	unsigned layers;  /* headers that must be there; of true ones */
};
struct rule {
	const struct probe *p;
	struct fact f[FACTS_MOST];
	unsigned n;
	bool whole; /* all facts are here */
	bool ends;  /* it decides on every packet that it matches */
};

/* ---- facts ---- */

/* What a condition says about one field; a bare field is not 0. */
static void test_of(struct arena *a, const struct expr *e, struct lo_test *t)
{
	struct expr zero = {.kind = EX_INT, .is_const = true};
	struct expr bare = {.kind = EX_BINARY, .u.binary = {BO_NE, (struct expr *)e, &zero}};

	*t = (struct lo_test){0};
	if (!lo_test_of(a, e->kind == EX_FIELD ? &bare : e, t))
		t->what = NULL;
}

/* Headers without which e is not true. */
static unsigned needed(const struct expr *e)
{
	if (e->kind == EX_BINARY && e->u.binary.op == BO_LAND)
		return needed(e->u.binary.a) | needed(e->u.binary.b);
	if (e->kind == EX_BINARY && e->u.binary.op == BO_LOR)
		return needed(e->u.binary.a) & needed(e->u.binary.b);
	if (e->kind == EX_BINARY && e->u.binary.op >= BO_EQ)
		return needed(e->u.binary.a) | needed(e->u.binary.b);
	if (e->kind == EX_IN)
		return needed(e->u.binary.a);
	if (e->kind == EX_BINARY)
		return needed(e->u.binary.a) | needed(e->u.binary.b);
	return e->kind == EX_FIELD && e->ref.kind == REF_NET ? 1u << e->ref.u.net->layer : 0;
}

static void gather(struct check *c, const struct expr *e, bool yes, struct rule *r)
{
	enum binop both = yes ? BO_LAND : BO_LOR;

	if (e->kind == EX_UNARY && e->u.unary.op == UO_NOT) {
		gather(c, e->u.unary.a, !yes, r);
	} else if (e->kind == EX_BINARY && e->u.binary.op == both) {
		gather(c, e->u.binary.a, yes, r);
		gather(c, e->u.binary.b, yes, r);
	} else if (r->n < FACTS_MOST) {
		struct fact *f = &r->f[r->n++];

		*f = (struct fact){.e = e, .yes = yes, .layers = yes ? needed(e) : 0};
		test_of(c->a, e, &f->t);
	} else {
		r->whole = false;
	}
}

static bool same(const struct expr *a, const struct expr *b);

static bool same_list(const struct exprs *a, const struct exprs *b)
{
	for (uint32_t i = 0; i < a->list.n && i < b->list.n; i++) {
		if (!same(a->list.v[i], b->list.v[i]))
			return false;
	}
	return a->list.n == b->list.n;
}

/* Conditions that are true for the same packets because they are written alike. */
static bool same(const struct expr *a, const struct expr *b)
{
	if (a->is_const && b->is_const)
		return a->const_value == b->const_value;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case EX_STR:
		return a->u.str.n == b->u.str.n && !memcmp(a->u.str.s, b->u.str.s, a->u.str.n);
	case EX_ADDR:
		return a->u.addr.family == b->u.addr.family && a->u.addr.prefix == b->u.addr.prefix &&
		       !memcmp(a->u.addr.bytes, b->u.addr.bytes, sizeof(a->u.addr.bytes));
	case EX_FIELD:
		return a->ref.kind == REF_NET && b->ref.kind == REF_NET && a->ref.u.net == b->ref.u.net;
	case EX_UNARY:
		return a->u.unary.op == b->u.unary.op && same(a->u.unary.a, b->u.unary.a);
	case EX_IN:
	case EX_BINARY:
		return a->u.binary.op == b->u.binary.op && same(a->u.binary.a, b->u.binary.a) &&
		       same(a->u.binary.b, b->u.binary.b);
	case EX_RANGE:
		return same(a->u.range.lo, b->u.range.lo) && same(a->u.range.hi, b->u.range.hi);
	case EX_SET:
		return same_list(&a->u.tuple, &b->u.tuple);
	case EX_NAME:
		return !strcmp(a->u.name, b->u.name) && !strcmp(a->u.name, "payload");
	case EX_INDEX:
		return a->ref.kind == REF_NET && same(a->u.index.base, b->u.index.base) &&
		       same(a->u.index.index, b->u.index.index);
	case EX_CALL:
		return a->ref.kind == REF_FUNC && b->ref.kind == REF_FUNC &&
		       a->ref.u.builtin == b->ref.u.builtin &&
		       (a->ref.u.builtin == BI_F_CONTAINS || a->ref.u.builtin == BI_F_DNS_NAME) &&
		       same_list(&a->u.call.args, &b->u.call.args);
	default:
		return false;
	}
}

static bool one_field(const struct fact *a, const struct fact *b)
{
	return a->t.what && b->t.what && lo_same_operand(a->t.what, b->t.what);
}

/* Each span of a lies in one of b; spans are in order and apart. */
static bool inside(const struct lo_test *a, const struct lo_test *b)
{
	for (uint32_t i = 0, k = 0; i < a->spans.n; i++) {
		while (k < b->spans.n && b->spans.v[k].hi < a->spans.v[i].lo)
			k++;
		if (k == b->spans.n || a->spans.v[i].lo < b->spans.v[k].lo ||
			a->spans.v[i].hi > b->spans.v[k].hi)
			return false;
	}
	return true;
}

static bool apart(const struct lo_test *a, const struct lo_test *b)
{
	for (uint32_t i = 0, k = 0; i < a->spans.n; i++) {
		while (k < b->spans.n && b->spans.v[k].hi < a->spans.v[i].lo)
			k++;
		if (k < b->spans.n && b->spans.v[k].lo <= a->spans.v[i].hi)
			return false;
	}
	return true;
}

/* Where a holds, so does b. A field that is missing makes its test false. */
static bool implies(const struct fact *a, const struct fact *b)
{
	if (a->yes == b->yes && same(a->e, b->e))
		return true;
	if (!one_field(a, b))
		return false;
	if (a->yes)
		return b->yes ? inside(&a->t, &b->t) : apart(&a->t, &b->t);
	return !b->yes && inside(&b->t, &a->t);
}

/* ---- what is never true ---- */

static bool exclusive(unsigned l)
{
	unsigned l4 = l & L4_KINDS;

	return (l4 & (l4 - 1)) || ((l >> NET_L4 & 1) && (l >> NET_ICMP & 1 || l >> NET_ICMP6 & 1)) ||
	       ((l >> NET_IP & 1) && (l >> NET_IP6 & 1 || l >> NET_ICMP6 & 1)) ||
	       ((l >> NET_IP6 & 1) && (l >> NET_ICMP & 1)) ||
	       ((l >> NET_ARP & 1) && (l & (L4_ALL | 1u << NET_IP | 1u << NET_IP6)));
}

/* ip.proto says that the header which the other one needs is not there. */
static bool other_proto(const struct fact *a, const struct fact *b)
{
	static const struct {
		unsigned layer, proto;
	} protos[] = {{NET_TCP, 6}, {NET_UDP, 17}, {NET_ICMP, 1}};
	struct lo_test t = {0};
	struct lo_span span;

	if (!a->yes || !a->t.what || strcmp(a->t.what->ref.u.net->name, "ip.proto"))
		return false;
	t.spans.v = &span;
	t.spans.n = 1;
	for (unsigned i = 0; i < 3; i++) {
		span = (struct lo_span){protos[i].proto, protos[i].proto};
		if ((b->layers >> protos[i].layer & 1) && apart(&a->t, &t))
			return true;
	}
	return false;
}

static bool rules_out(const struct fact *a, const struct fact *b)
{
	struct fact other;

	if (a->yes && b->yes)
		return one_field(a, b) && apart(&a->t, &b->t);
	if (!a->yes && !b->yes)
		return false;
	other = a->yes ? *b : *a;
	other.yes = true;
	return implies(a->yes ? a : b, &other);
}

static void contradiction(struct check *c, const struct fact *a, const struct fact *b)
{
	unsigned ports = 1u << NET_TCP | 1u << NET_UDP;
	struct diag *d = NULL;

	if (a->yes && b->yes && (exclusive(a->layers | b->layers) || other_proto(a, b) || other_proto(b, a))) {
		d = diag_warn(c->d, b->e->span, DIAG_UNUSED,
			"this is never true: no packet has the headers of both conditions");
		diag_hint(c->d, d, "'||' joins alternatives%s",
			((a->layers | b->layers) & ports) == ports ? "; l4.dport is a port of either" : "");
	} else if (rules_out(a, b)) {
		d = diag_warn(c->d, b->e->span, DIAG_UNUSED,
			"this is never true: the condition before rules it out");
		diag_hint(c->d, d, "'||' joins alternatives, 'in {…}' lists them");
	}
	if (d)
		diag_also(c->d, d, a->e->span, "this one");
}

static void conjunction(struct check *c, const struct expr *e, bool yes)
{
	struct rule r = {.n = 0};
	int before = c->d->warnings;

	gather(c, e, yes, &r);
	for (unsigned i = 0; i < r.n; i++) {
		if (r.f[i].yes && exclusive(r.f[i].layers))
			diag_warn(c->d, r.f[i].e->span, DIAG_UNUSED,
				"this is never true: no packet has all headers of this condition");
		else if (r.f[i].yes && r.f[i].t.what && !r.f[i].t.spans.n)
			diag_warn(c->d, r.f[i].e->span, DIAG_UNUSED, "this is never true");
		for (unsigned k = 0; k < i && c->d->warnings == before; k++)
			contradiction(c, &r.f[k], &r.f[i]);
	}
}

/* ---- constants ---- */

static const struct net_field *number_field(const struct expr *e)
{
	bool is = e->kind == EX_FIELD && e->ref.kind == REF_NET &&
		  (e->ref.u.net->kind == NK_NUM || e->ref.u.net->kind == NK_FLAG ||
			  e->ref.u.net->kind == NK_OPTION || e->ref.u.net->kind == NK_HAS_OPTION);

	return is ? e->ref.u.net : NULL;
}

void check_net_range(struct check *c, const struct net_field *f, const struct expr *v)
{
	uint64_t most = (1ull << (f->bits ? f->bits : 8 * f->width)) - 1;

	if (v->kind == EX_RANGE) {
		check_net_range(c, f, v->u.range.lo);
		check_net_range(c, f, v->u.range.hi);
	} else if (v->is_const && v->const_value > most) {
		c_error(c, v->span, DIAG_CONST_RANGE, "%s is between 0 and %llu", f->name,
			(unsigned long long)most);
	}
}

/* (field & mask) == number with bits that the mask takes away. */
static void masked(struct check *c, const struct expr *e)
{
	const struct expr *a = e->u.binary.a, *v = e->u.binary.b, *mask;

	if (a->kind != EX_BINARY || a->u.binary.op != BO_AND || !v->is_const)
		return;
	mask = a->u.binary.b->is_const ? a->u.binary.b : a->u.binary.a;
	if (mask->is_const && v->const_value & ~mask->const_value)
		diag_warn(c->d, e->span, DIAG_UNUSED,
			"this is never equal: the number has bits that '&' takes away");
}

static const char *network(struct check *c, const struct expr *e, bool *host_bits)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t v[16];
	unsigned bytes = e->u.addr.family == 4 ? 4 : 16;

	memcpy(v, e->u.addr.bytes, sizeof(v));
	for (unsigned i = e->u.addr.prefix; i < 8 * bytes; i++)
		v[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	*host_bits = memcmp(v, e->u.addr.bytes, bytes) != 0;
	inet_ntop(bytes == 4 ? AF_INET : AF_INET6, v, text, sizeof(text));
	return arena_printf(c->a, "%s/%u", text, e->u.addr.prefix);
}

static void host_bits(struct check *c, const struct expr *e)
{
	const char *net;
	bool has;

	if (e->kind != EX_ADDR || !e->u.addr.family)
		return;
	net = network(c, e, &has);
	if (has)
		c_hint(c,
			diag_warn(c->d, e->span, DIAG_CONST_RANGE,
				"bits of this address lie behind its prefix of %u: they do not count",
				e->u.addr.prefix),
			"the network is %s; for one address leave out the '/'", net);
}

struct element {
	struct lo_span s;
	const struct expr *e;
};

static int by_place(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	if (x->s.lo != y->s.lo)
		return x->s.lo < y->s.lo ? -1 : 1;
	return x->s.hi != y->s.hi ? (x->s.hi > y->s.hi ? -1 : 1) : x->e->span.off > y->e->span.off ? 1 : -1;
}

/* The first element that others make needless, or that shares values with another. */
static void overlaps(struct check *c, const struct expr *in)
{
	const struct exprs *set = &in->u.binary.b->u.tuple;
	struct element *v = ARENA_ARRAY(c->a, struct element, set->list.n + 1), *last = v;
	struct expr one = *in;
	uint32_t n = 0;
	struct diag *d;

	for (uint32_t i = 0; i < set->list.n; i++) {
		struct lo_test t = {0};

		one.u.binary.b = set->list.v[i];
		if (lo_test_of(c->a, &one, &t) && t.spans.n)
			v[n++] = (struct element){t.spans.v[0], set->list.v[i]};
	}
	if (n)
		qsort(v, n, sizeof(*v), by_place);
	for (uint32_t i = 1; i < n; i++) {
		if (v[i].s.lo <= last->s.hi) {
			bool all = v[i].s.hi <= last->s.hi;

			d = diag_warn(c->d, v[i].e->span, DIAG_UNUSED, "the set has %s of this already",
				all ? "all" : "part");
			diag_also(c->d, d, last->e->span, "here");
			c_hint(c, d, all ? "leave it out" : "one range for both says the same");
			return;
		}
		last = &v[i];
	}
}

static void comparison(struct check *c, const struct expr *e)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	const struct net_field *f = number_field(a);

	if (e->kind == EX_IN && b->kind == EX_SET) {
		for (uint32_t i = 0; i < b->u.tuple.list.n; i++) {
			host_bits(c, b->u.tuple.list.v[i]);
			if (f)
				check_net_range(c, f, b->u.tuple.list.v[i]);
		}
		overlaps(c, e);
		return;
	}
	if (e->kind == EX_IN)
		host_bits(c, b);
	if (e->kind == EX_IN || e->u.binary.op == BO_EQ || e->u.binary.op == BO_NE) {
		if (f)
			check_net_range(c, f, b);
		else if (number_field(b))
			check_net_range(c, number_field(b), a);
		else if (e->kind == EX_BINARY)
			masked(c, e);
	}
}

/* Every condition inside e; top: it is not part of a conjunction that was looked at. */
static void condition(struct check *c, const struct expr *e, bool yes, bool top)
{
	enum binop both = yes ? BO_LAND : BO_LOR;
	int errors = c->d->errors;

	if (e->kind == EX_UNARY && e->u.unary.op == UO_NOT) {
		condition(c, e->u.unary.a, !yes, false);
	} else if (e->kind == EX_BINARY && (e->u.binary.op == BO_LAND || e->u.binary.op == BO_LOR)) {
		condition(c, e->u.binary.a, yes, e->u.binary.op != both);
		condition(c, e->u.binary.b, yes, e->u.binary.op != both);
	} else if (e->kind == EX_IN || (e->kind == EX_BINARY && e->u.binary.op >= BO_EQ)) {
		comparison(c, e);
	}
	if (top && c->d->errors == errors)
		conjunction(c, e, yes);
}

static void conditions_in(struct check *c, const struct block *b)
{
	for (uint32_t i = 0; b && i < b->list.n; i++) {
		const struct stmt *st = b->list.v[i];

		for (; st->kind == ST_IF && stmt_else_if(st); st = stmt_else_if(st)) {
			condition(c, st->u.cond.cond, true, true);
			conditions_in(c, st->u.cond.yes);
		}
		if (st->kind == ST_IF) {
			condition(c, st->u.cond.cond, true, true);
			conditions_in(c, st->u.cond.yes);
			conditions_in(c, st->u.cond.no);
		} else if (st->kind == ST_BLOCK) {
			conditions_in(c, st->u.block);
		}
	}
}

/* ---- rules that nothing reaches ---- */

static bool is_verdict(const struct expr *e)
{
	return e->kind == EX_CALL && e->ref.kind == REF_FUNC &&
	       (e->ref.u.builtin == BI_F_DROP || e->ref.u.builtin == BI_F_PASS ||
		       e->ref.u.builtin == BI_F_TX || e->ref.u.builtin == BI_F_REDIRECT);
}

static bool decides(const struct block *b)
{
	for (uint32_t i = 0; i < b->list.n; i++) {
		const struct stmt *st = b->list.v[i];

		if (st->kind == ST_EXPR && is_verdict(st->u.expr))
			return true;
		if (st->kind != ST_EXPR && st->kind != ST_ASSIGN && st->kind != ST_LET)
			return false; /* perhaps with a 'return' inside */
	}
	return false;
}

static bool covers_points(const struct probe *a, const struct probe *b)
{
	for (uint32_t i = 0; i < b->points.n; i++) {
		uint32_t k = 0;

		while (k < a->points.n && (a->points.v[k].kind != b->points.v[i].kind ||
						  strcmp(a->points.v[k].name, b->points.v[i].name)))
			k++;
		if (k == a->points.n)
			return false;
	}
	return true;
}

/* a, earlier, decides on all packets that b matches. */
static bool shadows(const struct rule *a, const struct rule *b)
{
	if (!a->ends || !a->whole)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		unsigned k = 0;

		while (k < b->n && !implies(&b->f[k], &a->f[i]))
			k++;
		if (k == b->n)
			return false;
	}
	return covers_points(a->p, b->p);
}

static struct skep_span head_of(const struct probe *p)
{
	return p->pred ? p->pred->span : p->points.v[0].span;
}

static void unreached(struct check *c, const struct rule *v, uint32_t n)
{
	uint32_t from = 0; /* rules before it saw other packets: one has changed them */

	for (uint32_t i = 1; i < n; i++) {
		struct diag *d;
		uint32_t k;

		if (lo_writes_packet(v[i - 1].p->body))
			from = i - 1;
		for (k = from; k < i && !shadows(&v[k], &v[i]);)
			k++;
		if (k == i)
			continue;
		d = diag_warn(c->d, head_of(v[i].p), DIAG_UNUSED, "no packet reaches this rule");
		diag_also(c->d, d, head_of(v[k].p), "this one decides on all that it matches");
		diag_hint(c->d, d, "rules apply from top to bottom: put the narrower one first");
	}
}

/*
 * tc: behind such a rule the program has all that follow once more (lower_edit.c), so its size grows with
 * their number squared.
 */
static bool goes_on_changed(const struct rule *r)
{
	return !r->ends && lo_block_layers(r->p->body) & LO_EDITS_L4 && r->p->points.v[0].kind == PROBE_TC;
}

static void changes(struct check *c, const struct rule *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t before = 0;

		for (uint32_t k = 0; k < i && goes_on_changed(&v[i]); k++)
			before += goes_on_changed(&v[k]) && covers_points(v[k].p, v[i].p);
		if (before != CHANGES_MOST)
			continue;
		diag_hint(c->d,
			diag_error(c->d, head_of(v[i].p), DIAG_TOO_BIG,
				"more than %d rules of tc change addresses, ports or the MSS and go on",
				CHANGES_MOST),
			"end such rules with pass(); or drop(); the rules behind then need not follow");
		return;
	}
}

/* Without ARP the hosts around forget this one, and it them, minutes after the rules were tried. */
static void neighbours(struct check *c, const struct rule *v, uint32_t n)
{
	const struct config *cfg = &c->s->config;
	const struct probe *first = NULL;

	if (!cfg->default_verdict || strcmp(cfg->default_verdict, "drop"))
		return;
	for (uint32_t i = 0; i < n; i++) {
		enum kern_probe_kind k = v[i].p->points.v[0].kind;

		if ((lo_expr_layers(v[i].p->pred) | lo_block_layers(v[i].p->body)) &
				(1u << NET_ETH | 1u << NET_ARP) ||
			(!v[i].p->pred && v[i].ends))
			return;
		if (!first && k != PROBE_CGROUP_SKB)
			first = v[i].p;
	}
	if (first)
		diag_hint(c->d,
			diag_warn(c->d, head_of(first), DIAG_BAD_CONFIG,
				"what no rule passes is dropped, and none passes ARP: neighbours will be lost"),
			"a rule for it: %s /arp.op in 1..2 || icmp6.type in 133..137/ { pass(); }",
			first->points.v[0].name);
}

static bool is_packet_probe(const struct probe *p)
{
	for (uint32_t i = 0; i < p->points.n; i++) {
		if (p->points.v[i].kind == PROBE_COUNT || !kern_is_packet(p->points.v[i].kind))
			return false;
	}
	return p->points.n > 0;
}

void check_rules(struct check *c)
{
	struct rule *v = ARENA_ARRAY(c->a, struct rule, c->s->probes.n + 1);
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->s->probes.n; i++) {
		const struct probe *p = &c->s->probes.v[i];
		struct rule *r = &v[n];

		if (!is_packet_probe(p))
			continue;
		n++;
		*r = (struct rule){.p = p, .whole = true, .ends = decides(p->body)};
		if (p->pred) {
			gather(c, p->pred, true, r);
			condition(c, p->pred, true, true);
		}
		conditions_in(c, p->body);
	}
	unreached(c, v, n);
	changes(c, v, n);
	neighbours(c, v, n);
}
