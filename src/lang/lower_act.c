/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What packet rules do: verdicts, with a count for drop("reason"); redirect(), rate(), every(),
 * capture(); and lists that come from files.
 */
#include "lang/lower.h"
#include <linux/bpf.h>
#include <string.h>

#define DATA_BYTES 4096u     /* every(): 512 of them */
#define INTERFACES_BYTES 4096u
#define RATE_KEYS 65536u     /* sources that a rate() tells apart; the least recent are forgotten */
#define SECOND 1000000000ull
#define PORTS_BYTES 8192u    /* a bit for each port */
#define CAPTURE_HEAD 24u     /* base/meta.def, ME_CAPTURE */
#define CAPTURE_SMALL 256u   /* most packets that matter are smaller: records are of two sizes */
#define CAPTURE_MOST 2048u
#define RULES_MOST 2000u     /* per-CPU values hold 32 KiB */

/* ---- counts of rules ---- */

static bool same_rule(const struct meta_rule *a, const struct meta_rule *b)
{
	return a->prog == b->prog && !strcmp(a->text, b->text) && (*a->text || a->off == b->off);
}

uint32_t lo_rule_row(struct lower *L, const char *text, struct skep_span at)
{
	struct meta_rule row = {text, L->prog, at.off, at.len};
	struct meta *m = L->m->meta;

	for (uint32_t i = 0; i < m->rules.n; i++) {
		if (same_rule(&m->rules.v[i], &row))
			return i;
	}
	if (m->rules.n == RULES_MOST)
		diag_warn(L->m->diags, at, DIAG_TOO_BIG, "%u rules are counted, this one and others are not",
			RULES_MOST);
	vec_push(L->a, &m->rules, row);
	return m->rules.n - 1;
}

/*
 * Adds to a counter of this CPU. Programs of xdp and tc run with bottom halves off: nothing that counts
 * here comes between the load and the store, and a locked addition costs more than the rest of a rule.
 */
static void count_up(struct lower *L, ir_val p, int64_t off, ir_val by)
{
	if (L->f->ctx != CTX_XDP_MD && L->f->ctx != CTX_SK_BUFF)
		ir_atom(L->f, AT_ADD, 8, p, off, by);
	else
		ir_st(L->f, 8, p, off, ir_bin(L->f, IR_ADD, ir_ld(L->f, 8, p, off), by));
}

static uint32_t rows(const struct lower *L)
{
	return L->m->meta->rules.n < RULES_MOST ? L->m->meta->rules.n : RULES_MOST;
}

/* Row of the counters; or, of rows found when it runs, that number. */
static void count_row(struct lower *L, uint32_t row, ir_val found)
{
	uint32_t map = meta_role_map(L->m->meta, MM_RULES);
	ir_blk have = lo_block(L), done = lo_block(L);
	ir_val args[2], p, bytes;

	if (map == META_NONE)
		map = lo_add_map(L, (struct meta_map){.name = "rules", .kname = "skep_rules",
					    .role = MM_RULES, .type = BPF_MAP_TYPE_PERCPU_ARRAY,
					    .key_size = 4, .max_entries = 1,
					    .present_off = META_NONE});
	L->m->meta->maps.v[map].value_size = 16 * rows(L);
	bytes = lo_net_field(L, net_field_by_name("pkt.len"));
	args[0] = ir_map(L->f, map);
	args[1] = lo_slot(L, 8);
	ir_st(L->f, 4, args[1], 0, ir_const(L->f, 0));
	p = ir_call(L->f, "map_lookup_elem", IR_VOID, 2, args);
	p = lo_some(L, p, have, done);
	lo_enter(L, have);
	if (found)
		p = ir_index(L->f, p, ir_bini(L->f, IR_SHL, found, 4));
	count_up(L, p, 16 * (int64_t)row, ir_const(L->f, 1));
	count_up(L, p, 16 * (int64_t)row + 8, bytes);
	lo_goto(L, done);
	lo_enter(L, done);
	lo_free_slots(L);
}

void lo_count_rule(struct lower *L, const char *text, struct skep_span at)
{
	uint32_t row = lo_rule_row(L, text, at);

	if (row < RULES_MOST)
		count_row(L, row, IR_NONE);
}

void lo_count_found(struct lower *L, ir_val row)
{
	ir_blk in = lo_block(L), out = lo_block(L);

	row = lo_bound(L, row, rows(L), in, out);
	lo_enter(L, in);
	count_row(L, 0, row);
	lo_goto(L, out);
	lo_enter(L, out);
}

/* ---- verdicts ---- */

void lo_verdict(struct lower *L, const struct expr *e)
{
	const struct kern_verdicts *has = kern_verdicts(L->ap->kind);
	unsigned id = e->ref.u.builtin;

	if (e->u.call.args.list.n) /* drop("reason") */
		lo_count_rule(L, e->u.call.args.list.v[0]->u.str.s, e->span);
	if (id != BI_F_DROP)
		lo_edit_tell(L);
	ir_ret(L->f, ir_const(L->f, id == BI_F_DROP ? has->drop : id == BI_F_TX ? has->tx : has->pass));
}

void lo_redirect(struct lower *L, const struct expr *e)
{
	const char *name = e->u.call.args.list.v[0]->u.str.s;
	uint32_t map = meta_role_map(L->m->meta, MM_IFINDEX), i = 0;
	struct meta_map *m;
	ir_val args[2];

	if (map == META_NONE)
		map = lo_add_map(L, (struct meta_map){.name = "interfaces",
					    .kname = "skep_ifindex", .role = MM_IFINDEX,
					    .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
					    .value_size = INTERFACES_BYTES, .max_entries = 1,
					    .present_off = META_NONE});
	m = &L->m->meta->maps.v[map];
	while (i < m->names.n && strcmp(m->names.v[i], name) != 0)
		i++;
	if (i == m->names.n)
		vec_push(L->a, &m->names, name);
	if (i >= INTERFACES_BYTES / 4)
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: redirect() to %u interfaces", i);
	lo_edit_tell(L);
	args[0] = ir_ld(L->f, 4, ir_gaddr(L->f, map, 0), 4 * (int64_t)i);
	args[1] = ir_const(L->f, 0);
	ir_ret(L->f, ir_call(L->f, "redirect", IR_VOID, 2, args));
}

/* ---- every(N) ---- */

static uint32_t site_of(struct lower *L, const struct expr *e)
{
	uint32_t i = 0;

	while (i < L->sites.n && L->sites.v[i] != e)
		i++;
	if (i == L->sites.n)
		vec_push(L->a, &L->sites, e);
	return i;
}

void lo_every(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	uint64_t n = e->u.call.args.list.v[0]->const_value;
	uint32_t site = site_of(L, e);
	ir_val p, v;

	if (L->every == META_NONE)
		L->every = lo_add_map(L, (struct meta_map){.name = "every", .kname = "skep_every",
						 .role = MM_DATA, .type = BPF_MAP_TYPE_ARRAY,
						 .key_size = 4, .value_size = DATA_BYTES,
						 .max_entries = 1, .present_off = META_NONE});
	if (site >= DATA_BYTES / 8)
		site = DATA_BYTES / 8 - 1; /* reported when checked */
	p = ir_gaddr(L->f, L->every, site * 8);
	if (target_has(L->m->target, KF_ATOMICS)) {
		v = ir_atom(L->f, AT_FADD, 8, p, 0, ir_const(L->f, 1));
	} else { /* two CPUs at the same instant may both take it for theirs */
		v = ir_ld(L->f, 8, p, 0);
		ir_atom(L->f, AT_ADD, 8, p, 0, ir_const(L->f, 1));
	}
	v = ir_bini(L->f, IR_UMOD, v, (int64_t)n);
	lo_if(L, CC_EQ, v, ir_const(L->f, (int64_t)n - 1), yes, no);
}

/* ---- rate(KEY, N[, BURST]) ---- */

static const struct exprs *rate_keys(const struct expr *e, struct exprs *one, struct arena *a)
{
	struct expr *key = e->u.call.args.list.v[0];

	if (key->kind == EX_TUPLE)
		return &key->u.tuple;
	vec_push(a, &one->list, key);
	return one;
}

static uint32_t rate_map(struct lower *L, const struct expr *e, const struct exprs *keys)
{
	struct meta_map map = {.name = "rate()", .role = MM_RATE, .type = BPF_MAP_TYPE_LRU_HASH,
		.value_size = 8, .max_entries = RATE_KEYS, .present_off = META_NONE};

	for (uint32_t i = 0; i < L->rates.n; i++) {
		if (L->rates.v[i].e == e)
			return L->rates.v[i].map;
	}
	map.kname = arena_printf(L->a, "skep_rate%u", L->rates.n % 1000);
	map.value = (struct meta_field){.kind = MK_UINT, .size = 8};
	for (uint32_t i = 0; i < keys->list.n; i++) {
		vec_push(L->a, &map.keys, lo_field(L, &keys->list.v[i]->type, map.key_size));
		map.key_size += lo_room(&keys->list.v[i]->type);
	}
	vec_push(L->a, &L->rates, (struct lo_rate){e, lo_add_map(L, map)});
	return L->rates.v[L->rates.n - 1].map;
}

/*
 * What is kept is the moment up to which the events so far use up the allowance, one every 1/N
 * second. It may lie BURST of them ahead; an event that would move it further exceeds the rate, and
 * does not count. Adding is atomic: no event within the allowance is lost between CPUs.
 */
void lo_rate(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	struct expr *const *arg = e->u.call.args.list.v;
	uint64_t n = arg[1]->const_value, step = SECOND / n;
	uint64_t burst = e->u.call.args.list.n > 2 ? arg[2]->const_value : n;
	ir_blk have = lo_block(L), fresh = lo_block(L), idle = lo_block(L), busy = lo_block(L),
	       count = lo_block(L), refused = lo_block(L);
	struct exprs one = {{0}};
	const struct exprs *keys = rate_keys(e, &one, L->a);
	uint32_t map = rate_map(L, e, keys), off = 0;
	ir_val key = lo_slot(L, L->m->meta->maps.v[map].key_size), value, now, p, used, args[4];

	for (uint32_t i = 0; i < keys->list.n; i++) {
		lo_store(L, keys->list.v[i], &keys->list.v[i]->type, key, off, true);
		off += lo_room(&keys->list.v[i]->type);
	}
	now = ir_call(L->f, "ktime_get_ns", IR_VOID, 0, NULL);
	args[0] = ir_map(L->f, map);
	args[1] = key;
	p = lo_some(L, ir_call(L->f, "map_lookup_elem", IR_VOID, 2, args), have, fresh);
	lo_enter(L, fresh);
	value = lo_slot(L, 8);
	ir_st(L->f, 8, value, 0, ir_bini(L->f, IR_ADD, now, (int64_t)step));
	args[0] = ir_map(L->f, map);
	args[2] = value;
	args[3] = ir_const(L->f, BPF_ANY);
	used = ir_call(L->f, "map_update_elem", IR_VOID, 4, args);
	lo_if(L, CC_NE, used, ir_const(L->f, 0), refused, no);
	lo_enter(L, refused);
	lo_count(L, MC_MAP_FULL, map);
	lo_goto(L, no);
	lo_enter(L, have);
	used = ir_ld(L->f, 8, p, 0);
	lo_if(L, CC_LT, used, now, idle, busy);
	lo_enter(L, idle);
	ir_st(L->f, 8, p, 0, ir_bini(L->f, IR_ADD, now, (int64_t)step));
	lo_goto(L, no);
	lo_enter(L, busy);
	used = ir_bin(L->f, IR_SUB, used, now);
	lo_if(L, CC_GT, used, ir_const(L->f, (int64_t)((burst - 1) * step)), yes, count);
	lo_enter(L, count);
	ir_atom(L->f, AT_ADD, 8, p, 0, ir_const(L->f, (int64_t)step));
	lo_goto(L, no);
}

/* ---- capture("file"[, bytes]) ---- */

static uint32_t capture_format(struct lower *L, const char *file)
{
	struct meta_format f = {.event = ME_CAPTURE, .text = file, .size = CAPTURE_HEAD};
	struct meta *m = L->m->meta;

	if (L->f->ctx == CTX_CGROUP_SKB)
		vec_push(L->a, &f.args, (struct meta_field){.kind = MK_NONE});
	for (uint32_t i = 0; i < m->formats.n; i++) {
		const struct meta_format *g = &m->formats.v[i];

		if (g->event == ME_CAPTURE && g->args.n == f.args.n && !strcmp(g->text, file))
			return i;
	}
	vec_push(L->a, &m->formats, f);
	return m->formats.n - 1;
}

/* The packet's first bytes, size of them (at most room, not 0), to rec+CAPTURE_HEAD. */
static void copy_packet(struct lower *L, ir_val rec, ir_val size)
{
	ir_val args[4];

	if (L->f->ctx == CTX_XDP_MD) {
		args[0] = ir_off(L->f, rec, CAPTURE_HEAD);
		args[1] = size;
		args[2] = ir_un(L->f, IR_ADDR, L->net.data);
		ir_call(L->f, "probe_read_kernel", IR_VOID, 3, args);
		return;
	}
	args[0] = ir_ctx(L->f);
	args[1] = ir_const(L->f, 0);
	args[2] = ir_off(L->f, rec, CAPTURE_HEAD);
	args[3] = size;
	ir_call(L->f, "skb_load_bytes", IR_VOID, 4, args);
}

/* A record with room for so many bytes of the packet. */
static void capture(struct lower *L, uint32_t id, ir_val now, ir_val len, ir_val size, uint32_t room)
{
	struct lo_event ev = lo_event_begin(L, ME_CAPTURE, ir_const(L->f, id), CAPTURE_HEAD + room);

	ir_st(L->f, 8, ev.rec, 8, now);
	ir_st(L->f, 4, ev.rec, 16, len);
	ir_st(L->f, 4, ev.rec, 20, size);
	copy_packet(L, ev.rec, size);
	lo_event_end(L, ev);
}

void lo_capture(struct lower *L, const struct expr *e)
{
	struct expr *const *arg = e->u.call.args.list.v;
	uint32_t id = capture_format(L, arg[0]->u.str.s), most = CAPTURE_MOST;
	uint32_t small = CAPTURE_SMALL;
	ir_blk little = lo_block(L), large = lo_block(L), all = lo_block(L), cut = lo_block(L),
	       done = lo_block(L), some = lo_block(L);
	ir_val len, now, size;

	if (e->u.call.args.list.n > 1)
		most = (uint32_t)arg[1]->const_value;
	if (small > most)
		small = most;
	now = ir_call(L->f, "ktime_get_ns", IR_VOID, 0, NULL);
	len = lo_net_field(L, net_field_by_name("pkt.len"));
	lo_if(L, CC_NE, len, ir_const(L->f, 0), some, done);
	lo_enter(L, some);
	/* one less is bounded, so that one more is seen not to be 0 */
	size = lo_bound(L, ir_bini(L->f, IR_SUB, len, 1), small, little, large);
	lo_enter(L, little);
	capture(L, id, now, len, ir_bini(L->f, IR_ADD, size, 1), small);
	lo_goto(L, done);
	lo_enter(L, large);
	size = lo_bound(L, ir_bini(L->f, IR_SUB, len, 1), most, all, cut);
	lo_enter(L, all);
	capture(L, id, now, len, ir_bini(L->f, IR_ADD, size, 1), most);
	lo_goto(L, done);
	lo_enter(L, cut);
	capture(L, id, now, len, ir_const(L->f, most), most);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* ---- lists ---- */

static struct meta_map list_map(const struct map_sym *m, struct arena *a, const char *kname)
{
	struct meta_map map = {.name = m->name, .kname = kname, .role = MM_SET,
		.present_off = META_NONE, .max_entries = 1, .key_size = 4};

	map.value = (struct meta_field){.kind = MK_UINT, .size = 8};
	vec_push(a, &map.names, m->decl->file->u.str.s);
	return map;
}

void lo_make_list(struct lower *L, struct map_sym *m)
{
	for (unsigned six = 0; six < 2; six++) {
		const char *kname = arena_printf(L->a, "list%u_%u", L->m->meta->maps.n, six ? 6u : 4u);
		struct meta_map map = list_map(m, L->a, kname);

		if (m->decl->list == LIST_PORTS) {
			map.type = BPF_MAP_TYPE_ARRAY;
			map.value_size = PORTS_BYTES;
			vec_push(L->a, &map.keys, (struct meta_field){.kind = MK_UINT, .size = 2});
			m->list[0] = lo_add_map(L, map);
			return;
		}
		if (!(m->families & (six ? 2u : 1u)))
			continue;
		map.type = BPF_MAP_TYPE_LPM_TRIE;
		map.flags = BPF_F_NO_PREALLOC;
		map.key_size = six ? 20 : 8;
		map.value_size = 8;
		map.max_entries = m->max_entries;
		vec_push(L->a, &map.keys, (struct meta_field){.kind = six ? MK_INET6 : MK_INET4,
						  .off = 4, .size = six ? 16 : 4});
		m->list[six] = lo_add_map(L, map);
	}
}

static void in_ports(struct lower *L, const struct expr *port, uint32_t map, ir_blk yes, ir_blk no)
{
	ir_blk in = lo_block(L);
	ir_val v = lo_bound(L, lo_int(L, port), 65536, in, no), p, bit;

	lo_enter(L, in);
	p = ir_bini(L->f, IR_AND, ir_bini(L->f, IR_LSHR, v, 3), PORTS_BYTES - 1);
	p = ir_index(L->f, ir_gaddr(L->f, map, 0), p);
	bit = ir_bin(L->f, IR_SHL, ir_const(L->f, 1), ir_bini(L->f, IR_AND, v, 7));
	lo_if(L, CC_SET, ir_ld(L->f, 1, p, 0), bit, yes, no);
}

/* Others may lead to yes, too, so the proof goes to a block of its own. */
static void if_found(struct lower *L, ir_val entry, ir_blk yes, ir_blk no)
{
	ir_blk there = lo_block(L);

	lo_some(L, entry, there, no);
	lo_enter(L, there);
	lo_goto(L, yes);
}

/* Is the left side of 'in' in the list, or a key of the map? */
void lo_in_map(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no)
{
	const struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	ir_val key, args[2];

	if (!b->map->decl || !b->map->decl->list) {
		if_found(L, lo_map_lookup(L, b), yes, no);
		return;
	}
	if (b->map->decl->list == LIST_PORTS) {
		in_ports(L, a, b->map->list[0], yes, no);
		return;
	}
	key = lo_slot(L, 24);
	if (a->type.kind == LT_INET6) {
		struct lo_pair v = lo_inet6(L, a);

		ir_st(L->f, 4, key, 0, ir_const(L->f, 128));
		ir_st(L->f, 4, key, 4, v.lo);
		ir_st(L->f, 4, key, 8, ir_bini(L->f, IR_LSHR, v.lo, 32));
		ir_st(L->f, 4, key, 12, v.hi);
		ir_st(L->f, 4, key, 16, ir_bini(L->f, IR_LSHR, v.hi, 32));
	} else {
		ir_val v = lo_int(L, a);

		ir_st(L->f, 4, key, 0, ir_const(L->f, 32));
		ir_st(L->f, 4, key, 4, v);
	}
	args[0] = ir_map(L->f, b->map->list[a->type.kind == LT_INET6]);
	args[1] = key;
	if_found(L, ir_call(L->f, "map_lookup_elem", IR_VOID, 2, args), yes, no);
}
