/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables of the .def files, and look-ups in them. */
#include "kern/kern.h"
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- contexts ---- */

static const struct {
	const char *name;
	uint32_t prog_type;
} contexts[] = {
#define CTX(id, text, prog_type) {text, prog_type},
#include "kern/ctx.def"
};

static const struct kern_ctx_field ctx_fields[] = {
#define FIELD(ctx, name, off, size, type) {name, off, size, CTX_##ctx, type},
#include "kern/ctx.def"
};

const char *kern_ctx_name(enum kern_ctx c)
{
	return c < CTX_COUNT ? contexts[c].name : "?";
}

int kern_ctx_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(contexts); i++)
		if (!strcmp(contexts[i].name, name))
			return (int)i;
	return -1;
}

uint32_t kern_ctx_prog_type(enum kern_ctx c)
{
	return c < CTX_COUNT ? contexts[c].prog_type : BPF_PROG_TYPE_UNSPEC;
}

const struct kern_ctx_field *kern_ctx_field(enum kern_ctx c, const char *name)
{
	for (size_t i = 0; i < COUNT(ctx_fields); i++)
		if (ctx_fields[i].ctx == c && !strcmp(ctx_fields[i].name, name))
			return &ctx_fields[i];
	return NULL;
}

const struct kern_ctx_field *kern_ctx_field_at(enum kern_ctx c, uint32_t off, uint32_t size)
{
	for (size_t i = 0; i < COUNT(ctx_fields); i++)
		if (ctx_fields[i].ctx == c && ctx_fields[i].off == off &&
			ctx_fields[i].size == size)
			return &ctx_fields[i];
	return NULL;
}

/* ---- probes ---- */

static const struct kern_probe probes[] = {
#define P(id, name, alias, ctx, parts, section, since, what)                                       \
	{name, alias, section, what, since, CTX_##ctx, parts},
#include "kern/probes.def"
};

bool kern_iterator(const char *name)
{
	return !strcmp(name, "task") || !strcmp(name, "task_file") || !strcmp(name, "task_vma");
}

const struct kern_probe *kern_probe(enum kern_probe_kind k)
{
	return k < PROBE_COUNT ? &probes[k] : NULL;
}

/* Whether the blank-separated list has this word. */
static bool list_has(const char *list, const char *word,
	int (*compare)(const char *, const char *, size_t))
{
	size_t n = strlen(word);

	while (n && *list) {
		size_t len = strcspn(list, " ");

		if (len == n && !compare(list, word, n))
			return true;
		list += len;
		list += strspn(list, " ");
	}
	return false;
}

int kern_probe_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(probes); i++)
		if (list_has(probes[i].alias, name, strncmp)) /* "U" is usdt, "u" uprobe */
			return (int)i;
	for (size_t i = 0; i < COUNT(probes); i++)
		if (!strcasecmp(probes[i].name, name) ||
			list_has(probes[i].alias, name, strncasecmp))
			return (int)i;
	return -1;
}

bool kern_is_user(enum kern_probe_kind k)
{
	return k == PROBE_UPROBE || k == PROBE_URETPROBE || k == PROBE_USDT;
}

/* ---- packet hooks ---- */

static const struct {
	struct kern_verdicts v;
	bool packets;
} verdicts[PROBE_COUNT] = {
#define V(kind, pass, drop, tx, redirect) [PROBE_##kind] = {{pass, drop, tx, redirect}, true},
#include "kern/verdicts.def"
};

const struct kern_verdicts *kern_verdicts(enum kern_probe_kind k)
{
	return kern_is_packet(k) ? &verdicts[k].v : NULL;
}

bool kern_is_packet(enum kern_probe_kind k)
{
	return k < PROBE_COUNT && verdicts[k].packets;
}

/* ---- perf events ---- */

static const struct kern_perf_event perf_events[] = {
#define E(kind, name, alias, type, config, count)                                                  \
	{name, alias, config, count, PROBE_##kind, type},
#include "kern/perf.def"
};

const struct kern_perf_event *kern_perf_event_at(unsigned i)
{
	return i < COUNT(perf_events) ? &perf_events[i] : NULL;
}

const struct kern_perf_event *kern_perf_event(enum kern_probe_kind kind, const char *name)
{
	for (size_t i = 0; i < COUNT(perf_events); i++) {
		const struct kern_perf_event *e = &perf_events[i];

		if (e->kind == kind && (!strcmp(e->name, name) || !strcmp(e->alias, name)) && *name)
			return e;
	}
	return NULL;
}

/* ---- helpers ---- */

static const struct kern_helper helpers[] = {
#define H(id, name, ret, a1, a2, a3, a4, a5, effects, since)                                       \
	{name, since, id, effects, KR_##ret, {KA_##a1, KA_##a2, KA_##a3, KA_##a4, KA_##a5}},
#include "kern/helpers.def"
};

const struct kern_helper *kern_helper_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(helpers); i++)
		if (!strcmp(helpers[i].name, name))
			return &helpers[i];
	return NULL;
}

const struct kern_helper *kern_helper_by_id(uint32_t id)
{
	size_t lo = 0, hi = COUNT(helpers);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (helpers[mid].id == id)
			return &helpers[mid];
		if (helpers[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct kern_helper *kern_helper_at(unsigned i)
{
	return i < COUNT(helpers) ? &helpers[i] : NULL;
}

/* ---- packet fields ---- */

static const struct net_layer_row net_layers[] = {
#define LAYER(id, name, bytes, what) {name, bytes, what},
#include "kern/net.def"
};

static const struct net_field net_fields[] = {
#define NET(layer, name, off, width, shift, bits, kind, what)                                      \
	{name, what, NET_##layer, off, width, shift, bits, kind},
#include "kern/net.def"
};

const struct net_layer_row *net_layer_row(enum net_layer l)
{
	return l < NET_COUNT ? &net_layers[l] : NULL;
}

int net_layer_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(net_layers); i++)
		if (!strcmp(net_layers[i].name, name))
			return (int)i;
	return -1;
}

const struct net_field *net_field_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(net_fields); i++)
		if (!strcmp(net_fields[i].name, name))
			return &net_fields[i];
	return NULL;
}

static const struct net_name net_names[] = {
#define N(field, name, value) {field, name, value},
#include "kern/net_names.def"
};

const struct net_name *net_name_at(unsigned i)
{
	return i < sizeof(net_names) / sizeof(net_names[0]) ? &net_names[i] : NULL;
}

const struct net_field *net_field_at(unsigned i)
{
	return i < COUNT(net_fields) ? &net_fields[i] : NULL;
}

/* ---- sched_ext ---- */

static const struct scx_op scx_ops[] = {
#define OP(name, allowed, sleepable, may_return, since, what)                                      \
	{name, what, since, SCX_ANY | SCX_IDLE | (allowed), sleepable, may_return},
#include "kern/scx.def"
};

static const struct scx_alias scx_aliases[] = {
#define ALIAS(name, set, k1, k2, k3, k4) {name, {k1, k2, k3, k4}, set},
#include "kern/scx.def"
};

static const struct {
	const char *name;
	uint32_t set;
} scx_sets[] = {
#define KSET(kfunc, set) {kfunc, set},
#include "kern/scx.def"
};

const struct scx_op *scx_op_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(scx_ops); i++)
		if (!strcmp(scx_ops[i].name, name))
			return &scx_ops[i];
	return NULL;
}

const struct scx_op *scx_timer(void)
{
	static const struct scx_op timer = {"timer", "every so often", KV(6, 12),
		SCX_ANY | SCX_IDLE | SCX_UNLOCKED, false, false};

	return &timer;
}

const struct scx_op *scx_op_at(unsigned i)
{
	return i < COUNT(scx_ops) ? &scx_ops[i] : NULL;
}

static bool alias_has_kfunc(const struct scx_alias *a, const char *kfunc)
{
	for (size_t i = 0; i < COUNT(a->kfunc) && a->kfunc[i]; i++)
		if (!strcmp(a->kfunc[i], kfunc))
			return true;
	return false;
}

const struct scx_alias *scx_alias_by_name(const char *name)
{
	for (size_t i = 0; i < COUNT(scx_aliases); i++)
		if (!strcmp(scx_aliases[i].name, name) || alias_has_kfunc(&scx_aliases[i], name))
			return &scx_aliases[i];
	return NULL;
}

const struct scx_alias *scx_alias_at(unsigned i)
{
	return i < COUNT(scx_aliases) ? &scx_aliases[i] : NULL;
}

uint32_t scx_kfunc_set(const char *kfunc)
{
	for (size_t i = 0; i < COUNT(scx_aliases); i++)
		if (alias_has_kfunc(&scx_aliases[i], kfunc))
			return scx_aliases[i].set;
	for (size_t i = 0; i < COUNT(scx_sets); i++)
		if (!strcmp(scx_sets[i].name, kfunc))
			return scx_sets[i].set;
	return 0;
}

bool scx_may_call(const struct scx_op *op, const char *kfunc, uint32_t version)
{
	uint32_t set = scx_kfunc_set(kfunc);

	if (kfunc_effects(kfunc) & KE_SLEEP && !op->sleepable)
		return false;
	if (!set)
		return true;
	/* select_cpu only, until scx_bpf_select_cpu_and() opened it (kernel/sched/ext_idle.c, 6.17)
	 */
	if (version && version < KV(6, 17) && (set & SCX_SELECT_CPU))
		return !strcmp(op->name, "select_cpu");
	return op->allowed & set;
}

/* ---- kfuncs ---- */

static const struct kern_kfunc kfuncs[] = {
#define KFUNC(name, effects) {name, effects},
#include "kern/kfuncs.def"
};

uint32_t kfunc_effects(const char *kfunc)
{
	size_t lo = 0, hi = COUNT(kfuncs);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(kfuncs[mid].name, kfunc);

		if (!c)
			return kfuncs[mid].effects;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

static const struct {
	const char *acquire, *release;
} releases[] = {
#define RELEASE(acquire, release) {acquire, release},
#include "kern/kfuncs.def"
};

const char *kfunc_release(const char *acquire)
{
	for (size_t i = 0; i < COUNT(releases); i++)
		if (!strcmp(releases[i].acquire, acquire))
			return releases[i].release;
	return NULL;
}

static const struct {
	const char *owner, *member;
} trusted[] = {
#define TRUSTED(owner, member) {owner, member},
#include "kern/kfuncs.def"
};

bool kern_member_trusted(const char *owner, const char *member)
{
	for (size_t i = 0; i < COUNT(trusted); i++)
		if (!strcmp(trusted[i].owner, owner) && !strcmp(trusted[i].member, member))
			return true;
	return false;
}

const struct kern_kfunc *kern_kfunc_at(unsigned i)
{
	return i < COUNT(kfuncs) ? &kfuncs[i] : NULL;
}
