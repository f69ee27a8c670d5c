/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * skep replay: the instructions that the kernel would get run in our interpreter, over a capture.
 * Output goes the way of a real run: records to the session, maps through session_maps.
 */
#include "backend-bpf/interp.h"
#include "base/glob.h"
#include "driver/driver.h"
#include "kern/kern.h"
#include "load/sets.h"
#include "run/capture.h"
#include "run/pcapread.h"
#include "run/rules.h"
#include "skep/replay.h"
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <string.h>

#define PACKET_ROOM (1u << 20)
#define STEPS_MOST 10000000

enum outcome { PASSED, DROPPED, SENT_BACK, REDIRECTED, OUTCOMES };
static const char *const outcome_text[] = {"pass", "drop", "tx", "redirect"};

struct replay {
	struct skep *s;
	const struct skep_replay_options *o;
	struct loaded l; /* side table and messages only */
	struct run_options ro;
	struct session session;
	struct interp in;
	VEC(uint32_t) probes; /* rows of meta.probes, in the order they run */
	uint8_t *packet;
	uint64_t count[OUTCOMES], total, cut, foreign, unknown;
	uint32_t link; /* of the unknown */
};

/* ---- maps ---- */

static void maps_each(void *arg, uint32_t map,
	void (*fn)(void *fn_arg, const void *key, const void *value), void *fn_arg)
{
	struct replay *r = arg;

	interp_map_each(&r->in, map, fn, fn_arg);
}

struct keys {
	struct replay *r;
	const struct meta_map *map;
	VEC(const void *) list;
};

static void take_key(void *arg, const void *key, const void *value)
{
	struct keys *k = arg;
	void *copy = arena_alloc(&k->r->s->a, k->map->key_size + 1);

	(void)value;
	memcpy(copy, key, k->map->key_size);
	vec_push(&k->r->s->a, &k->list, (const void *)copy);
}

static void maps_reset(void *arg, uint32_t map, bool remove)
{
	struct replay *r = arg;
	struct keys k = {.r = r, .map = &r->s->meta.maps.v[map]};

	interp_map_each(&r->in, map, take_key, &k);
	for (uint32_t i = 0; i < k.list.n; i++) {
		void *value = interp_map_lookup(&r->in, map, k.list.v[i]);

		if (remove && !interp_map_delete(&r->in, map, k.list.v[i]))
			continue;
		if (value)
			memset(value, 0, k.map->value_size);
	}
}

static const struct session_maps in_interp = {maps_each, maps_reset};

/* Lists come from their files as for the kernel; interfaces get numbers of no meaning. */
static bool fill(struct replay *r, uint32_t map)
{
	const struct meta_map *m = &r->s->meta.maps.v[map];
	uint64_t one[32] = {1};
	uint32_t zero = 0;
	struct set_data d;
	uint8_t *value;

	if (m->role == MM_IFINDEX) {
		value = interp_map_lookup(&r->in, map, &zero);
		for (uint32_t i = 1; value && i * 4 <= m->value_size; i++)
			memcpy(value + 4 * (i - 1), &i, 4);
		return true;
	}
	if (m->role != MM_SET)
		return true;
	if (!set_read(&r->s->diags, NO_SPAN, m, &d))
		return false;
	value = d.ports ? interp_map_lookup(&r->in, map, &zero) : NULL;
	if (value)
		memcpy(value, d.ports, 8192);
	for (uint32_t i = 0; i < d.n; i++)
		interp_map_update(&r->in, map, d.keys + (size_t)i * m->key_size, one, 0);
	set_free(&d);
	return true;
}

/* ---- programs ---- */

static bool run_program(struct replay *r, uint32_t prog, uint64_t *result)
{
	const struct code *c = &r->s->code[prog];

	r->in.insn = c->insn;
	r->in.n = c->n;
	r->in.prog_type = r->s->meta.progs.v[prog].type;
	r->in.error = NULL;
	if (interp_run(&r->in, result))
		return true;
	diag_error(&r->s->diags, NO_SPAN, DIAG_SYSTEM,
		"packet %" PRIu64 ": program '%s' went wrong at instruction %u: %s", r->total,
		r->s->meta.progs.v[prog].name, r->in.error_at, r->in.error ? r->in.error : "?");
	return false;
}

static bool run_special(struct replay *r, const char *kind)
{
	const struct meta *m = &r->s->meta;
	uint64_t result;

	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (!strcmp(m->probes.v[i].kind, kind) &&
			!run_program(r, m->probes.v[i].prog, &result))
			return false;
	}
	return true;
}

static const struct kern_verdicts *verdicts_of(const struct meta_probe *p)
{
	int kind = kern_probe_by_name(p->kind);

	return kind < 0 ? NULL : kern_verdicts((enum kern_probe_kind)kind);
}

static bool is_egress(const struct meta_probe *p)
{
	return !strcmp(p->arg[1], "egress");
}

/* Requires: hook given, or a direction to take. */
static void choose(struct replay *r, bool egress)
{
	const struct meta *m = &r->s->meta;

	for (unsigned tc = 0; tc < 2; tc++) {
		for (uint32_t i = 0; i < m->probes.n; i++) {
			const struct meta_probe *p = &m->probes.v[i];

			if (!verdicts_of(p) || (strcmp(p->kind, "xdp") != 0) != tc)
				continue;
			if (r->o->hook ? name_matches(r->o->hook, p->name) : is_egress(p) == egress)
				vec_push(&r->s->a, &r->probes, i);
		}
	}
}

static bool choose_probes(struct replay *r)
{
	struct skep_diags *d = &r->s->diags;
	const struct meta_probe *first, *p;

	choose(r, false);
	if (!r->probes.n && !r->o->hook)
		choose(r, true);
	if (!r->probes.n) {
		diag_hint(d,
			diag_error(d, NO_SPAN, DIAG_BAD_OPTION,
				r->o->hook ? "no packet probe of the script matches '%s'"
					   : "the script has no packet rules to replay%s",
				r->o->hook ? r->o->hook : ""),
			r->o->hook ? "--hook takes a probe's name: xdp:eth0, or a pattern: 'tc:*:egress'"
				   : "packet rules are xdp:eth0 { … }, tc:eth0:ingress { … }");
		return false;
	}
	first = &r->s->meta.probes.v[r->probes.v[0]];
	for (uint32_t i = 1; i < r->probes.n; i++) {
		p = &r->s->meta.probes.v[r->probes.v[i]];
		if (!strcmp(p->arg[0], first->arg[0]))
			continue;
		diag_hint(d,
			diag_error(d, NO_SPAN, DIAG_BAD_OPTION,
				"the rules are for several interfaces, and a capture is from one"),
			"choose with --hook %s", first->name);
		return false;
	}
	return true;
}

/* ---- packets ---- */

static enum outcome outcome_of(const struct kern_verdicts *v, int result)
{
	if (result == v->drop)
		return DROPPED;
	if (result == v->tx)
		return SENT_BACK;
	return result == v->redirect ? REDIRECTED : PASSED;
}

static void tell_packet(struct replay *r, enum outcome what, const struct pcap_packet *p)
{
	if (!r->o->verbose)
		return;
	if (r->o->json)
		buf_printf(&r->session.out,
			"{\"type\": \"packet\", \"data\": {\"number\": %" PRIu64
			", \"bytes\": %u, \"verdict\": \"%s\"}}\n",
			r->total, p->len, outcome_text[what]);
	else
		buf_printf(&r->session.out, "%6" PRIu64 " %6u bytes  %s\n", r->total, p->len,
			outcome_text[what]);
}

static bool one_packet(struct replay *r, const struct pcap_packet *p)
{
	enum outcome what = PASSED;
	uint64_t result = 0;
	uint32_t n = 0, hidden = 0;

	r->total++;
	r->cut += p->have < p->len;
	r->in.now_ns = p->ns;
	for (uint32_t i = 0; what == PASSED && i < r->probes.n; i++) {
		const struct meta_probe *k = &r->s->meta.probes.v[r->probes.v[i]];
		bool ip = !strcmp(k->kind, "cgroup_skb");

		hidden = ip ? ETH_HLEN : 0; /* which the interpreter keeps from it, as the kernel does */
		if (!i || ip)
			n = ip ? pcap_to_ip(p, r->packet, PACKET_ROOM)
			       : pcap_to_ethernet(p, r->packet, PACKET_ROOM);
		else
			n = r->in.packet_len;
		if (!n) {
			if (pcap_link_known(p->link)) {
				r->foreign++;
			} else {
				r->unknown++;
				r->link = p->link;
			}
			break;
		}
		r->in.packet = r->packet;
		r->in.packet_len = n;
		r->in.packet_cap = n + 64;
		if (!run_program(r, k->prog, &result))
			return false;
		what = outcome_of(verdicts_of(k), (int)result);
		n = r->in.packet_len;
	}
	r->count[what]++;
	tell_packet(r, what, p);
	if (what == PASSED && r->o->passed && n > hidden)
		pcap_packet(r->o->passed, p->ns, r->packet + hidden, n - hidden,
			n - hidden + (p->len - p->have));
	if (r->session.out.n > 65536)
		session_flush(&r->session);
	return true;
}

static bool all_packets(struct replay *r)
{
	struct pcap_reader in;
	struct pcap_packet p;
	int got = 0;
	bool ok;

	ok = pcap_open(&in, &r->s->a, r->o->capture, r->o->size);
	while (ok && !r->session.exited && (got = pcap_next(&in, &p)) > 0) {
		if (!one_packet(r, &p))
			return false;
	}
	if (ok && got >= 0)
		return true;
	diag_hint(&r->s->diags,
		diag_error(&r->s->diags, NO_SPAN, DIAG_BAD_OBJECT, "'%s' is %s: %s", r->o->name,
			ok ? "damaged or cut short" : "no capture", in.why),
		ok ? "what stands before was replayed"
		   : "`tcpdump -w FILE` writes captures; pcap and pcapng are read");
	return false;
}

static void result_text(struct replay *r)
{
	struct buf *out = &r->session.out;

	if (r->o->json) {
		buf_printf(out, "{\"type\": \"verdicts\", \"data\": {\"packets\": %" PRIu64, r->total);
		for (unsigned i = 0; i < OUTCOMES; i++)
			buf_printf(out, ", \"%s\": %" PRIu64, outcome_text[i], r->count[i]);
		buf_puts(out, "}}\n");
	} else {
		buf_printf(out, "%" PRIu64 " packets: %" PRIu64 " passed, %" PRIu64 " dropped", r->total,
			r->count[PASSED], r->count[DROPPED]);
		if (r->count[SENT_BACK])
			buf_printf(out, ", %" PRIu64 " sent back", r->count[SENT_BACK]);
		if (r->count[REDIRECTED])
			buf_printf(out, ", %" PRIu64 " redirected", r->count[REDIRECTED]);
		buf_puts(out, "\n\n");
	}
	rules_print(&r->session);
	session_print_maps(&r->session);
	session_flush(&r->session);
	counters_report(&r->session);
	if (r->cut)
		session_say(&r->session,
			"WARNING: %" PRIu64 " packets were cut when captured: rules saw what is left\n",
			r->cut);
	if (r->unknown)
		session_say(&r->session,
			"WARNING: %" PRIu64 " packets have headers that are not read (link type %u): they "
			"count as passed\n",
			r->unknown, r->link);
	if (r->foreign)
		session_say(&r->session,
			"WARNING: %" PRIu64 " packets are of a kind that never reaches these rules; "
			"they count as passed\n",
			r->foreign);
}

static void on_record(void *arg, const void *data, uint32_t size)
{
	struct replay *r = arg;

	if (!session_event(&r->session, data, size))
		diag_warn(&r->s->diags, NO_SPAN, DIAG_BAD_OBJECT,
			"an event of %u bytes does not fit the side table", size);
}

static bool replay(struct replay *r)
{
	struct skep *s = r->s;

	r->packet = arena_alloc(&s->a, PACKET_ROOM + 64);
	r->in = (struct interp){.a = &s->a, .meta = &s->meta, .max_steps = STEPS_MOST,
		.on_record = on_record, .arg = r, .random_state = 1};
	interp_init(&r->in);
	for (uint32_t i = 0; i < s->meta.maps.n; i++) {
		if (!fill(r, i))
			return false;
	}
	for (uint32_t i = 0; i < s->m->fns.n; i++)
		interp_link(&s->code[i]);
	if (r->o->passed)
		pcap_start(r->o->passed, !strcmp(s->meta.probes.v[r->probes.v[0]].kind, "cgroup_skb")
						 ? CAPTURE_RAW_IP : CAPTURE_ETHERNET);
	if (!run_special(r, "BEGIN") || !all_packets(r))
		return false;
	r->session.muted = false;
	return run_special(r, "END");
}

static int do_replay(struct skep *s, void *options)
{
	struct replay *r = ARENA_NEW(&s->a, struct replay);
	bool ok;

	r->s = s;
	r->o = options;
	s->meta.times_of_day = true;
	r->l = (struct loaded){.a = &s->a, .d = &s->diags, .target = &s->target, .meta = s->meta};
	r->ro = (struct run_options){.format = r->o->json ? RUN_JSON : RUN_TEXT, .out = r->o->out,
		.err = r->o->err, .quiet = r->o->quiet};
	if (!choose_probes(r))
		return SKEP_EUSER;
	session_init(&r->session, &r->l, &r->ro);
	r->session.maps = &in_interp;
	r->session.maps_arg = r;
	ok = replay(r);
	if (ok || r->total)
		result_text(r);
	session_flush(&r->session);
	session_free(&r->session);
	return !ok ? SKEP_EUSER : r->session.failed ? SKEP_ESYS : SKEP_OK;
}

int skep_replay(struct skep *s, const struct skep_replay_options *o)
{
	return guarded(s, do_replay, (void *)(uintptr_t)o);
}
