/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stacks, as numbers of 64 bits (struct meta_stack), so that they are keys, values and arguments
 * like any other. The kernel's stack trace map gives a number with one helper call, but refuses a
 * stack whose bucket another one holds; such stacks are kept in a hash of their own, under a hash
 * of their frames, so that none is taken for another and none is lost while there is room.
 */
#include "lang/lower.h"
#include <linux/bpf.h>

#define HASH_STEP 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio: spreads neighbours */
#define E_FAULT 14 /* no such stack: a kernel thread's user side */
#define E_EXIST 17
#define SEEN_TASKS 1024
#define FRAMES_OFF 16 /* in the buffer, behind its owner and the process */
#define TABLE_MAX 65536

/* Index of a map made once for a role and a size of its values. */
static uint32_t shared_map(struct lower *L, struct meta_map want)
{
	const struct meta *m = L->m->meta;

	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (m->maps.v[i].role == want.role && m->maps.v[i].value_size == want.value_size)
			return i;
	}
	want.name = meta_role_text((enum meta_map_role)want.role);
	want.kname = arena_printf(L->a, "skep_st%u", m->maps.n);
	want.present_off = META_NONE;
	return lo_add_map(L, want);
}

static uint32_t table_entries(const struct lower *L)
{
	uint32_t n = 64;

	/* half as many as keys: what does not fit goes to the hash beside it */
	while (n < L->s->config.max_map_keys / 2 && n < TABLE_MAX)
		n *= 2;
	return n;
}

uint32_t lo_stack_row(struct lower *L, const struct lt *t)
{
	struct meta *m = L->m->meta;
	uint32_t limit = t->stack.limit, table, spill;

	for (uint32_t i = 0; i < m->stacks.n; i++) {
		if (m->stacks.v[i].mode == t->stack.mode && m->stacks.v[i].limit == limit)
			return i;
	}
	table = shared_map(L, (struct meta_map){.role = MM_STACKS, .type = BPF_MAP_TYPE_STACK_TRACE,
				      .key_size = 4, .value_size = 8 * limit,
				      .max_entries = table_entries(L)});
	spill = shared_map(L, (struct meta_map){.role = MM_STACK_SPILL, .type = BPF_MAP_TYPE_HASH,
				      .key_size = 8, .value_size = 8 + 8 * limit,
				      .max_entries = L->s->config.max_map_keys});
	vec_push(m->a, &m->stacks, (struct meta_stack){t->stack.mode, limit, table, spill});
	return m->stacks.n - 1;
}

static ir_val lookup(struct lower *L, uint32_t map, ir_val key)
{
	ir_val args[2];

	args[0] = ir_map(L->f, map);
	args[1] = key;
	return ir_call(L->f, "map_lookup_elem", IR_VOID, 2, args);
}

/* Goes to found when the key is in the map, else to absent; found may have other ways in. */
static void if_found(struct lower *L, uint32_t map, ir_val key, ir_blk found, ir_blk absent)
{
	ir_blk there = lo_block(L);

	lo_some(L, lookup(L, map, key), there, absent);
	lo_enter(L, there);
	lo_goto(L, found);
}

static ir_val update(struct lower *L, uint32_t map, ir_val key, ir_val value, int64_t flags)
{
	ir_val args[4];

	args[0] = ir_map(L->f, map);
	args[1] = key;
	args[2] = value;
	args[3] = ir_const(L->f, flags);
	return ir_call(L->f, "map_update_elem", IR_VOID, 4, args);
}

/* What one use of a stack works with. */
struct use {
	const struct meta_stack *row;
	bool user;
	ir_val tgid; /* in the upper half; user only */
	unsigned var; /* the number */
	ir_blk done;
};

/*
 * Tells user space of a process before its first user stack is needed: when it has ended by then,
 * nobody knows what lay at its addresses. A process that became another program has another name.
 * Told again at the 2nd, 3rd, 5th, 9th … time, since libraries come while a process starts.
 */
static void tell_task(struct lower *L, const struct use *u)
{
	static const uint64_t one = 1;
	uint32_t seen = shared_map(L, (struct meta_map){.role = MM_SEEN_TASKS,
					      .type = BPF_MAP_TYPE_LRU_HASH, .key_size = 24,
					      .value_size = 8, .max_entries = SEEN_TASKS});
	ir_blk known = lo_block(L), first = lo_block(L), tell = lo_block(L), done = lo_block(L);
	ir_val key = lo_slot(L, 24), args[2], p, n, rest;

	ir_st(L->f, 8, key, 0, u->tgid);
	args[0] = ir_off(L->f, key, 8);
	args[1] = ir_const(L->f, 16);
	ir_call(L->f, "get_current_comm", IR_VOID, 2, args);
	p = lo_some(L, lookup(L, seen, key), known, first);
	lo_enter(L, known);
	n = ir_ld(L->f, 8, p, 0);
	ir_st(L->f, 8, p, 0, ir_bini(L->f, IR_ADD, n, 1));
	rest = ir_bin(L->f, IR_AND, n, ir_bini(L->f, IR_SUB, n, 1));
	lo_if(L, CC_EQ, rest, ir_const(L->f, 0), tell, done);
	lo_enter(L, first);
	update(L, seen, key, lo_rodata_addr(L, lo_rodata(L, &one, sizeof(one), 8)), BPF_ANY);
	lo_goto(L, tell);
	lo_enter(L, tell);
	lo_event_plain(L, ME_SEEN_TASK, ir_bini(L->f, IR_LSHR, u->tgid, 32));
	lo_goto(L, done);
	lo_enter(L, done);
}

/* A hash over the frames at p+FRAMES_OFF, up to the first that is 0. */
static ir_val hash_frames(struct lower *L, ir_val p, uint32_t limit, ir_val seed)
{
	ir_blk done = lo_block(L), more;
	unsigned var = ir_var_new(L->f, IR_I64);
	struct lo_rounds r;
	ir_val w, h;

	ir_var_write(L->f, var, seed);
	r = lo_rounds_begin(L, limit, done);
	more = lo_block(L);
	w = ir_ld(L->f, 8, ir_index(L->f, p, ir_bini(L->f, IR_SHL, r.i, 3)), FRAMES_OFF);
	lo_if(L, CC_NE, w, ir_const(L->f, 0), more, done);
	lo_enter(L, more);
	h = ir_bin(L->f, IR_XOR, ir_var_read(L->f, var), w);
	h = ir_bini(L->f, IR_MUL, h, (int64_t)HASH_STEP);
	w = ir_bini(L->f, IR_LSHR, h, 29);
	ir_var_write(L->f, var, ir_bin(L->f, IR_XOR, h, w));
	lo_rounds_end(L, &r);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

static void give(struct lower *L, const struct use *u, ir_val v)
{
	ir_var_write(L->f, u->var, v);
	lo_goto(L, u->done);
}

static void lost(struct lower *L, const struct use *u)
{
	lo_count(L, MC_STACK_LOST, u->row->spill);
	give(L, u, ir_const(L->f, (int64_t)META_STACK_LOST));
}

/*
 * The buffer is the CPU's; a program that interrupts this one on its CPU finds it taken. Without
 * atomic exchange two instructions do: an interrupt ends before what it interrupts goes on.
 */
static ir_val take_buffer(struct lower *L, ir_val buf)
{
	ir_val one = ir_const(L->f, 1), old;

	if (target_has(L->m->target, KF_ATOMICS))
		return ir_atom(L->f, AT_XCHG, 8, buf, 0, one);
	old = ir_ld(L->f, 8, buf, 0);
	ir_st(L->f, 8, buf, 0, one);
	return old;
}

static ir_val get_frames(struct lower *L, ir_val to, uint32_t limit, bool user)
{
	ir_val args[4];

	args[0] = ir_ctx(L->f);
	args[1] = to;
	args[2] = ir_const(L->f, 8 * (int64_t)limit);
	args[3] = ir_const(L->f, user ? BPF_F_USER_STACK : 0);
	return ir_call(L->f, "get_stack", IR_VOID, 4, args);
}

/* A buffer of this CPU; goes to none where there is none. */
static ir_val stack_buffer(struct lower *L, uint32_t size, ir_blk none)
{
	uint32_t map = shared_map(L, (struct meta_map){.role = MM_STACK_BUF,
					     .type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4,
					     .value_size = size, .max_entries = 1});
	ir_blk there = lo_block(L);
	ir_val key = lo_slot(L, 8), buf;

	ir_st(L->f, 4, key, 0, ir_const(L->f, 0));
	buf = lo_some(L, lookup(L, map, key), there, none);
	lo_enter(L, there);
	return buf;
}

/* Nobody reads the frames: its size makes the buffer another one than those of stacks that are kept. */
ir_val lo_stack_len(struct lower *L, const struct lt *t)
{
	struct lo_maybe m = lo_maybe_begin(L);
	ir_val buf = stack_buffer(L, 8 * t->stack.limit + 4, m.done), n;
	ir_blk some = lo_block(L);

	n = get_frames(L, buf, t->stack.limit, t->stack.user);
	lo_if(L, CC_SGT, n, ir_const(L->f, 0), some, m.done);
	lo_enter(L, some);
	return lo_maybe_end(L, &m, ir_bini(L->f, IR_LSHR, n, 3));
}

static void fill_spill(struct lower *L, const struct use *u, ir_val buf)
{
	ir_blk hashed = lo_block(L), none = lo_block(L), known = lo_block(L), new = lo_block(L),
	       refused = lo_block(L), full = lo_block(L);
	ir_val got, h, key, r;

	got = get_frames(L, ir_off(L->f, buf, FRAMES_OFF), u->row->limit, u->user);
	lo_if(L, CC_SGT, got, ir_const(L->f, 0), hashed, none);
	lo_enter(L, none);
	ir_st(L->f, 8, buf, 0, ir_const(L->f, 0));
	give(L, u, ir_const(L->f, META_STACK_EMPTY));
	lo_enter(L, hashed);
	h = u->user ? ir_bini(L->f, IR_LSHR, u->tgid, 32) : ir_const(L->f, 0);
	ir_st(L->f, 8, buf, 8, h);
	h = hash_frames(L, buf, u->row->limit, h);
	h = ir_bini(L->f, IR_OR, h, (int64_t)META_STACK_SPILL);
	key = lo_slot(L, 8);
	ir_st(L->f, 8, key, 0, h);
	if_found(L, u->row->spill, key, known, new);
	lo_enter(L, new);
	r = update(L, u->row->spill, key, ir_off(L->f, buf, 8), BPF_NOEXIST);
	lo_if(L, CC_EQ, r, ir_const(L->f, 0), known, refused);
	lo_enter(L, refused);
	lo_if(L, CC_EQ, r, ir_const(L->f, -E_EXIST), known, full);
	lo_enter(L, full);
	ir_st(L->f, 8, buf, 0, ir_const(L->f, 0));
	lost(L, u);
	lo_enter(L, known);
	ir_st(L->f, 8, buf, 0, ir_const(L->f, 0));
	give(L, u, h);
}

/* The bucket was another stack's. */
static void spill(struct lower *L, const struct use *u)
{
	ir_blk mine = lo_block(L), busy = lo_block(L);
	ir_val buf = stack_buffer(L, FRAMES_OFF + 8 * u->row->limit, busy), old;

	old = take_buffer(L, buf);
	lo_if(L, CC_EQ, old, ir_const(L->f, 0), mine, busy);
	lo_enter(L, busy);
	lost(L, u);
	lo_enter(L, mine);
	fill_spill(L, u, buf);
}

ir_val lo_stack(struct lower *L, const struct expr *e)
{
	ir_blk ok = lo_block(L), refused = lo_block(L), other = lo_block(L), empty = lo_block(L);
	struct use u = {.user = e->type.stack.user};
	uint32_t row = lo_stack_row(L, &e->type);
	ir_val args[3], id, v;

	u.row = &L->m->meta->stacks.v[row];
	u.var = ir_var_new(L->f, IR_I64);
	u.done = lo_block(L);
	if (u.user) {
		u.tgid = ir_bini(L->f, IR_SHL, lo_task_id(L, true), 32);
		tell_task(L, &u);
	}
	args[0] = ir_ctx(L->f);
	args[1] = ir_map(L->f, u.row->table);
	args[2] = ir_const(L->f, u.user ? BPF_F_USER_STACK : 0);
	id = ir_call(L->f, "get_stackid", IR_VOID, 3, args);
	lo_if(L, CC_SGE, id, ir_const(L->f, 0), ok, refused);
	lo_enter(L, ok);
	v = ir_bini(L->f, IR_ADD, id, 1); /* 0 is the empty stack, and what is in no map */
	give(L, &u, u.user ? ir_bin(L->f, IR_OR, u.tgid, v) : v);
	lo_enter(L, refused);
	lo_if(L, CC_EQ, id, ir_const(L->f, -E_FAULT), empty, other);
	lo_enter(L, empty);
	give(L, &u, ir_const(L->f, META_STACK_EMPTY));
	lo_enter(L, other);
	spill(L, &u);
	lo_enter(L, u.done);
	return ir_var_read(L->f, u.var);
}

/* Address and process of usym(). */
struct lo_pair lo_usym(struct lower *L, const struct expr *e)
{
	struct use u = {.user = true};
	struct lo_pair p;

	p.lo = lo_int(L, e->u.call.args.list.v[0]);
	p.hi = lo_task_id(L, true);
	u.tgid = ir_bini(L->f, IR_SHL, p.hi, 32);
	tell_task(L, &u);
	return p;
}
