/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Maps of the script. Which kernel map a script's map becomes:
 *   keyed, plain value      hash, shared by all CPUs
 *   keyed, aggregation      per-CPU hash: no CPU waits for another
 *   scalar, plain value     array of one, addressed directly, with a word that says it is set
 *   scalar, aggregation     array of one with a part for each CPU, addressed directly; a per-CPU
 *                           array of one where the number of CPUs is not known
 *   declared task()         task storage, see lower_task.c
 */
#include "lang/lower.h"
#include <ctype.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#define CACHE_LINE 64u
#define PARTS_MAX (1u << 20) /* bytes of all CPUs' parts together */

static uint32_t agg_words(const struct map_sym *m)
{
	switch (m->agg) {
	case MA_COUNT:
		return 1;
	case MA_HIST:
		return meta_hist_words(m->hist_bits);
	case MA_LHIST:
		return (uint32_t)meta_lhist_steps(m->lhist_min, m->lhist_max, m->lhist_step) + 2;
	case MA_TSERIES:
		return META_SERIES_WORDS * (uint32_t)m->lhist_max;
	default:
		return 2;
	}
}

static const char *kernel_name(struct lower *L, const struct map_sym *m)
{
	char clean[11];
	size_t n = 0;

	for (const char *c = m->name + 1; *c && n < sizeof(clean) - 1; c++)
		clean[n++] = isalnum((unsigned char)*c) ? *c : '_';
	clean[n] = 0;
	return arena_printf(L->a, "at%u_%s", L->m->meta->maps.n % 100, clean);
}

static void add_keys(struct lower *L, const struct map_sym *m, struct meta_map *map)
{
	for (uint32_t i = 0; i < m->keys.n; i++) {
		vec_push(L->a, &map->keys, lo_field(L, &m->keys.v[i], map->key_size));
		map->key_size += lo_room(&m->keys.v[i]);
	}
}

/*
 * Gives each CPU its part of one value, a cache line apart so that CPUs do not wait for each other.
 * The parts are a power of two: a number masked to that is proven to lie inside. An object that
 * may go to another machine does not know its CPUs.
 */
static void divide(struct lower *L, struct meta_map *map)
{
	uint32_t part = (map->value_size + CACHE_LINE - 1) & ~(CACHE_LINE - 1), cpus = 1;

	while (cpus < L->m->target->cpu_span)
		cpus *= 2;
	if (L->m->meta->portable || !L->m->target->cpu_span || (uint64_t)part * cpus > PARTS_MAX)
		return;
	map->type = BPF_MAP_TYPE_ARRAY;
	map->flags = BPF_F_MMAPABLE;
	map->cpus = cpus;
	map->value_size = part * cpus;
}

/*
 * What a probe reads must be one number for all CPUs, so these are not kept per CPU: adding to them
 * is atomic anyway. The least and the greatest cannot be: each CPU has its part of one value, and
 * who reads goes through the parts.
 */
static void make_readable(struct lower *L, const struct map_sym *m, struct meta_map *map)
{
	if (m->agg != MA_MIN && m->agg != MA_MAX)
		return;
	for (map->cpus = 1; map->cpus < L->m->target->cpu_span;)
		map->cpus *= 2;
	map->value_size *= map->cpus;
}

void lo_make_map(struct lower *L, struct map_sym *m)
{
	bool agg = m->agg != MA_NONE, per_cpu = agg && !m->agg_read;
	struct meta_map map = {.name = m->name, .kname = kernel_name(L, m), .role = MM_USER,
		.agg = m->agg, .scalar = !m->keyed, .lhist_min = m->lhist_min,
		.lhist_max = m->lhist_max, .lhist_step = m->lhist_step, .hist_bits = m->hist_bits, .max_entries = 1,
		.present_off = META_NONE};

	if (m->decl && m->decl->list) {
		lo_make_list(L, m);
		return;
	}
	if (m->of) { /* made before: checked first */
		m->meta = m->of->meta;
		return;
	}
	if (m->agg == MA_TSERIES)
		m->lhist_min = map.lhist_min = lo_series_shift(L);
	map.value = agg ? (struct meta_field){.kind = m->agg_signed ? MK_INT : MK_UINT, .size = 8}
			: lo_field(L, &m->value, 0);
	map.value_size = agg ? agg_words(m) * 8 : lo_room(&m->value);
	if (m->task) {
		if (m->fields)
			map.value_size = 8 * m->fields;
		map.role = MM_TASK;
		map.type = BPF_MAP_TYPE_TASK_STORAGE;
		map.key_size = 4;
		map.max_entries = 0;
		map.flags = BPF_F_NO_PREALLOC;
	} else if (m->keyed) {
		map.type = per_cpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH;
		if (m->decl && m->decl->hidden)
			map.role = MM_RATE;
		if (m->decl && m->decl->lru)
			map.type = per_cpu ? BPF_MAP_TYPE_LRU_PERCPU_HASH : BPF_MAP_TYPE_LRU_HASH;
		map.max_entries = m->max_entries ? m->max_entries : L->s->config.max_map_keys;
		add_keys(L, m, &map);
	} else {
		map.type = per_cpu ? BPF_MAP_TYPE_PERCPU_ARRAY : BPF_MAP_TYPE_ARRAY;
		map.key_size = 4;
		if (m->agg == MA_COUNT) {
			map.present_off = 0;
		} else if (agg && !meta_agg_buckets(m->agg)) {
			map.present_off = 8;
		} else {
			map.present_off = map.value_size;
			map.value_size += 8;
		}
		if (per_cpu)
			divide(L, &map);
	}
	if (m->agg_read)
		make_readable(L, m, &map);
	m->meta = lo_add_map(L, map);
}

static const struct meta_map *meta_of(const struct lower *L, const struct expr *e)
{
	return &L->m->meta->maps.v[e->map->meta];
}

/* @x[$t]: one expression gives all parts of the key. */
static bool is_tuple_key(const struct expr *e)
{
	const struct expr *key = e->u.map.keys.list.n == 1 ? e->u.map.keys.list.v[0] : NULL;

	return key && key->type.kind == LT_TUPLE && !key->type.tuple->names;
}

static struct lt key_tuple(struct lower *L, const struct map_sym *m)
{
	struct lt_tuple *t = arena_alloc(L->a, sizeof(*t) + m->keys.n * sizeof(t->el[0]));

	t->n = m->keys.n;
	memcpy(t->el, m->keys.v, t->n * sizeof(t->el[0]));
	return (struct lt){.kind = LT_TUPLE, .tuple = t};
}

ir_val lo_map_key(struct lower *L, const struct expr *e)
{
	const struct map_sym *m = e->map;
	uint32_t off = 0;
	ir_val slot;

	if (!m->keyed) {
		slot = lo_slot(L, 8);
		ir_st(L->f, 4, slot, 0, ir_const(L->f, 0));
		return slot;
	}
	slot = lo_slot(L, meta_of(L, e)->key_size);
	if (is_tuple_key(e)) {
		struct lt t = key_tuple(L, m);

		lo_store(L, e->u.map.keys.list.v[0], &t, slot, 0, true);
		return slot;
	}
	for (uint32_t i = 0; i < m->keys.n; i++) {
		lo_store(L, e->u.map.keys.list.v[i], &m->keys.v[i], slot, off, true);
		off += lo_room(&m->keys.v[i]);
	}
	return slot;
}

static ir_val lookup_key(struct lower *L, const struct expr *e, ir_val key)
{
	ir_val args[2];

	ir_span(L->f, e->span);
	args[0] = ir_map(L->f, e->map->meta);
	args[1] = key;
	return ir_call(L->f, "map_lookup_elem", IR_VOID, 2, args);
}

ir_val lo_map_lookup(struct lower *L, const struct expr *e)
{
	return lookup_key(L, e, lo_map_key(L, e));
}

static bool direct(const struct expr *e)
{
	return !e->map->keyed && e->map->agg == MA_NONE;
}

static ir_val direct_addr(struct lower *L, const struct expr *e)
{
	return ir_gaddr(L->f, e->map->meta, 0);
}

static void set_present(struct lower *L, const struct expr *e, ir_val p)
{
	if (!e->map->set_first || L->ap->kind == PROBE_BEGIN)
		ir_st(L->f, 8, p, meta_of(L, e)->present_off, ir_const(L->f, 1));
}

struct lo_maybe lo_maybe_begin(struct lower *L)
{
	struct lo_maybe m = {ir_var_new(L->f, IR_I64), lo_block(L)};

	ir_var_write(L->f, m.var, ir_const(L->f, 0));
	return m;
}

ir_val lo_maybe_at(struct lower *L, const struct lo_maybe *m, ir_val p)
{
	ir_blk there = lo_block(L);

	p = lo_some(L, p, there, m->done);
	lo_enter(L, there);
	return p;
}

ir_val lo_maybe_end(struct lower *L, const struct lo_maybe *m, ir_val v)
{
	ir_var_write(L->f, m->var, v);
	lo_goto(L, m->done);
	lo_enter(L, m->done);
	return ir_var_read(L->f, m->var);
}

ir_val lo_map_read(struct lower *L, const struct expr *e)
{
	struct lo_maybe m;
	ir_val p, v;

	if (e->map->agg != MA_NONE)
		return lo_agg_read(L, e);
	if (direct(e))
		return ir_ld(L->f, 8, direct_addr(L, e), 0);
	v = lo_seen(L, e);
	if (v)
		return v;
	if (lo_is_task_map(e))
		return lo_task_read(L, e);
	p = lo_map_lookup(L, e);
	m = lo_maybe_begin(L);
	p = lo_maybe_at(L, &m, p);
	v = lo_maybe_end(L, &m, ir_ld(L->f, 8, p, 0));
	lo_see(L, e, v, IR_NONE);
	return v;
}

struct lo_pair lo_map_read_pair(struct lower *L, const struct expr *e)
{
	struct lo_pair v;
	struct lo_maybe m;
	unsigned hi;
	ir_val p;

	if (direct(e)) {
		p = direct_addr(L, e);
		v.lo = ir_ld(L->f, 8, p, 0);
		v.hi = ir_ld(L->f, 8, p, 8);
		return v;
	}
	p = lo_map_lookup(L, e);
	hi = ir_var_new(L->f, IR_I64);
	ir_var_write(L->f, hi, ir_const(L->f, 0));
	m = lo_maybe_begin(L);
	p = lo_maybe_at(L, &m, p);
	ir_var_write(L->f, hi, ir_ld(L->f, 8, p, 8));
	v.lo = lo_maybe_end(L, &m, ir_ld(L->f, 8, p, 0));
	v.hi = ir_var_read(L->f, hi);
	return v;
}

/* bpf_map_update_elem; counts the map as full when the kernel refuses. */
static void update(struct lower *L, const struct expr *e, ir_val key, ir_val value)
{
	ir_blk refused = lo_block(L), done = lo_block(L);
	ir_val args[4], r;

	lo_forget(L, e->map);
	args[0] = ir_map(L->f, e->map->meta);
	args[1] = key;
	args[2] = value;
	args[3] = ir_const(L->f, BPF_ANY);
	r = ir_call(L->f, "map_update_elem", IR_VOID, 4, args);
	lo_if(L, CC_NE, r, ir_const(L->f, 0), refused, done);
	lo_enter(L, refused);
	lo_count(L, MC_MAP_FULL, e->map->meta);
	lo_goto(L, done);
	lo_enter(L, done);
}

void lo_map_assign(struct lower *L, const struct expr *target, const struct expr *value)
{
	const struct lt *t = &target->map->value;
	ir_val slot, key;

	if (value->kind == EX_CALL && value->ref.kind == REF_AGG) {
		lo_agg(L, target, value);
		return;
	}
	if (lo_is_task_map(target)) {
		lo_task_assign(L, target, value);
		return;
	}
	if (direct(target)) {
		/* evaluated first: the expression may read the map it is assigned to */
		slot = lo_slot(L, lo_room(t));
		lo_store(L, value, t, slot, 0, true);
		ir_span(L->f, target->span);
		lo_copy(L, direct_addr(L, target), 0, slot, 0, lo_room(t));
		set_present(L, target, direct_addr(L, target));
		return;
	}
	slot = lo_slot(L, lo_room(t));
	lo_store(L, value, t, slot, 0, true);
	key = lo_map_key(L, target);
	ir_span(L->f, target->span);
	update(L, target, key, slot);
}

/* Not there yet: inserts zeroes and looks again; another CPU may have been faster, which is fine. */
static void insert_zero(struct lower *L, const struct expr *e, ir_val key, ir_blk have, ir_blk absent)
{
	ir_blk full = lo_block(L);
	uint32_t zero = lo_zeroes(L, meta_of(L, e)->value_size);
	ir_val args[4], p;

	args[0] = ir_map(L->f, e->map->meta);
	args[1] = key;
	args[2] = lo_rodata_addr(L, zero);
	args[3] = ir_const(L->f, BPF_NOEXIST);
	ir_call(L->f, "map_update_elem", IR_VOID, 4, args);
	p = lookup_key(L, e, key);
	lo_some(L, p, have, full);
	lo_enter(L, full);
	lo_count(L, MC_MAP_FULL, e->map->meta);
	lo_goto(L, absent);
}

/* This CPU's part of the value. */
static ir_val part_addr(struct lower *L, const struct expr *e, ir_val all)
{
	const struct meta_map *map = meta_of(L, e);
	ir_val cpu = ir_call(L->f, "get_smp_processor_id", IR_VOID, 0, NULL);

	cpu = ir_bini(L->f, IR_AND, cpu, map->cpus - 1);
	cpu = ir_bini(L->f, IR_MUL, cpu, map->value_size / map->cpus);
	return ir_index(L->f, all, cpu);
}

ir_val lo_map_parts(struct lower *L, const struct expr *e, ir_blk absent)
{
	ir_blk there;
	ir_val p;

	if (!e->map->keyed)
		return direct_addr(L, e);
	p = lo_map_lookup(L, e);
	there = lo_block(L);
	p = lo_some(L, p, there, absent);
	lo_enter(L, there);
	return p;
}

ir_val lo_map_ensure(struct lower *L, const struct expr *target, ir_blk absent)
{
	ir_blk have, insert;
	ir_val key, p;

	if (direct(target))
		return direct_addr(L, target);
	if (meta_of(L, target)->cpus && !target->map->keyed)
		return part_addr(L, target, direct_addr(L, target));
	if (lo_is_task_map(target))
		return lo_task_ensure(L, target, absent);
	key = lo_map_key(L, target);
	lo_forget(L, target->map); /* after its keys, which may read the map */
	have = lo_block(L);
	p = lookup_key(L, target, key);
	if (!target->map->keyed) { /* an array has its entry */
		p = lo_some(L, p, have, absent);
		lo_enter(L, have);
		return p;
	}
	insert = lo_block(L);
	p = lo_some(L, p, have, insert);
	lo_enter(L, insert);
	insert_zero(L, target, key, have, absent);
	lo_enter(L, have);
	return meta_of(L, target)->cpus ? part_addr(L, target, p) : p;
}

void lo_map_update_int(struct lower *L, const struct expr *target, enum ir_op op, ir_val v)
{
	ir_blk done = lo_block(L);
	ir_val p = lo_map_ensure(L, target, done), old;

	if (op == IR_SUB) {
		op = IR_ADD;
		v = ir_un(L->f, IR_NEG, v);
	}
	if (op == IR_ADD) { /* no update is lost when CPUs meet */
		ir_atom(L->f, AT_ADD, 8, p, 0, v);
	} else {
		old = ir_ld(L->f, 8, p, 0);
		ir_st(L->f, 8, p, 0, ir_bin(L->f, op, old, v));
	}
	if (direct(target))
		set_present(L, target, p);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* Atomic fetch-and-add where the instruction set has it (KF_ATOMICS), else a load beside the add. */
static ir_val fetch_add(struct lower *L, ir_val p, int64_t by)
{
	ir_val old;

	if (target_has(L->m->target, KF_ATOMICS))
		return ir_atom(L->f, AT_FADD, 8, p, 0, ir_const(L->f, by));
	old = ir_ld(L->f, 8, p, 0);
	ir_atom(L->f, AT_ADD, 8, p, 0, ir_const(L->f, by));
	return old;
}

ir_val lo_map_incdec(struct lower *L, const struct expr *e)
{
	const struct expr *t = e->u.incdec.target;
	int64_t step = lo_step(L, &t->type), by = e->u.incdec.dec ? -step : step;
	ir_blk done = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);
	ir_val p, v;

	ir_var_write(L->f, var, ir_const(L->f, 0));
	p = lo_map_ensure(L, t, done);
	v = fetch_add(L, p, by);
	if (e->u.incdec.prefix)
		v = ir_bini(L->f, IR_ADD, v, by);
	ir_var_write(L->f, var, v);
	if (direct(t))
		set_present(L, t, p);
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

const struct expr *lo_with_keys(struct lower *L, const struct expr *map, struct expr *key)
{
	struct expr *e = ARENA_NEW(L->a, struct expr);

	*e = *map;
	e->u.map.keys = (struct exprs){{0}};
	if (key->kind == EX_TUPLE)
		e->u.map.keys = key->u.tuple;
	else
		vec_push(L->a, &e->u.map.keys.list, key);
	return e;
}

ir_val lo_map_has(struct lower *L, const struct expr *e)
{
	struct lo_maybe m = lo_maybe_begin(L);

	lo_maybe_at(L, &m, lo_is_task_map(e) ? lo_task_lookup(L, e, &m.done) : lo_map_lookup(L, e));
	return lo_maybe_end(L, &m, ir_const(L->f, 1));
}

void lo_map_delete(struct lower *L, const struct expr *e)
{
	ir_val args[2];

	if (direct(e)) {
		ir_zero(L->f, direct_addr(L, e), 0, meta_of(L, e)->value_size);
		return;
	}
	if (lo_is_task_map(e)) {
		lo_task_delete(L, e);
		return;
	}
	args[1] = lo_map_key(L, e);
	lo_forget(L, e->map);
	args[0] = ir_map(L->f, e->map->meta);
	ir_call(L->f, "map_delete_elem", IR_VOID, 2, args);
}
