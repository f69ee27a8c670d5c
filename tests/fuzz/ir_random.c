/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/fuzz/ir_random.h"
#include <linux/bpf.h>
#include <string.h>

#define MAX_LIVE 64
#define MAX_DEPTH 3

struct gen {
	struct ir_fn *f;
	const struct ir_random *k;
	uint64_t state;
	ir_val pool[MAX_LIVE]; /* numbers alive; all i64 but those of type i32 */
	unsigned n;
	ir_val packet, slot, key;
	unsigned depth, work; /* statements times loop turns still allowed */
	unsigned turns;
	ir_blk left; /* by go_to, last */
};

static uint64_t rnd(struct gen *g)
{
	g->state ^= g->state << 13;
	g->state ^= g->state >> 7;
	g->state ^= g->state << 17;
	return g->state * 0x2545f4914f6cdd1dull >> 8;
}

static unsigned less(struct gen *g, unsigned n)
{
	return (unsigned)(rnd(g) % n);
}

static int64_t number(struct gen *g)
{
	static const int64_t some[] = {0, 1, -1, 2, 8, 31, 32, 63, 64, 255, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, -0x80000000ll, -0x80000001ll, INT64_MAX, INT64_MIN};

	switch (less(g, 4)) {
	case 0:
		return some[less(g, sizeof(some) / sizeof(some[0]))];
	case 1:
		return (int64_t)less(g, 200) - 100;
	case 2:
		return (int32_t)rnd(g);
	default:
		return (int64_t)(rnd(g) << 8 ^ rnd(g));
	}
}

static bool is32(struct gen *g, ir_val v)
{
	return ir_type_of(g->f, v).kind == IRT_I32;
}

static ir_val wide(struct gen *g, ir_val v)
{
	return is32(g, v) ? ir_un(g->f, IR_WIDE, v) : v;
}

static ir_val pick(struct gen *g)
{
	return g->pool[less(g, g->n)];
}

/* An operand of the same width as like. */
static ir_val partner(struct gen *g, ir_val like)
{
	ir_val v = pick(g);

	if (less(g, 4) == 0)
		return is32(g, like) ? ir_const32(g->f, (int32_t)number(g)) : ir_const(g->f, number(g));
	if (is32(g, v) == is32(g, like))
		return v;
	return is32(g, v) ? ir_un(g->f, IR_WIDE, v) : ir_un(g->f, IR_TRUNC, v);
}

static void keep(struct gen *g, ir_val v)
{
	g->pool[less(g, g->n)] = v;
}

/* ---- statements ---- */

static void arithmetic(struct gen *g)
{
	static const uint8_t ops[] = {IR_ADD, IR_ADD, IR_SUB, IR_SUB, IR_SUB, IR_MUL, IR_UDIV, IR_UMOD,
		IR_SDIV, IR_SMOD, IR_AND, IR_OR, IR_XOR, IR_SHL, IR_LSHR, IR_ASHR};
	ir_val a = pick(g), b = partner(g, a);
	enum ir_op op = ops[less(g, sizeof(ops))];

	if (less(g, 8) == 0)
		keep(g, ir_bin(g->f, op, b, a));
	else
		keep(g, ir_bin(g->f, op, a, b));
}

static void gen_unary(struct gen *g)
{
	static const uint8_t wides[] = {IR_NEG, IR_BSWAP16, IR_BSWAP32, IR_BSWAP64, IR_ZEXT8, IR_ZEXT16,
		IR_ZEXT32, IR_SEXT8, IR_SEXT16, IR_SEXT32, IR_TRUNC};
	static const uint8_t halves[] = {IR_NEG, IR_SEXT8, IR_SEXT16, IR_WIDE, IR_ZEXT8, IR_ZEXT16};
	ir_val a = pick(g);

	if (is32(g, a))
		keep(g, ir_un(g->f, halves[less(g, sizeof(halves))], a));
	else
		keep(g, ir_un(g->f, wides[less(g, sizeof(wides) - !g->k->small)], a));
}

static unsigned width(struct gen *g)
{
	return 1u << less(g, 4);
}

static void gen_memory(struct gen *g)
{
	unsigned w = width(g), off = less(g, 64 / w) * w;
	ir_val base = less(g, 2) ? g->packet : g->slot;

	switch (less(g, 8)) {
	case 0:
	case 1:
	case 2:
		keep(g, ir_ld(g->f, w, base, off));
		break;
	case 3:
	case 4:
		ir_st(g->f, w, base, off, wide(g, pick(g)));
		break;
	case 5:
		ir_st(g->f, w, base, off, ir_const(g->f, number(g)));
		break;
	case 6:
		ir_zero(g->f, g->slot, off, 1 + less(g, 64 - off));
		break;
	default:
		keep(g, ir_ld(g->f, w, ir_off(g->f, base, off), 0));
	}
}

static void gen_atomic(struct gen *g)
{
	unsigned w = less(g, 2) ? 8 : 4, off = less(g, 8) * 8;
	enum ir_atomic op = (enum ir_atomic)less(g, AT_COUNT);
	ir_val v;

	if (less(g, 4) == 0) {
		v = ir_cas(g->f, w, g->slot, off, wide(g, pick(g)), wide(g, pick(g)));
	} else {
		v = ir_atom(g->f, op, w, g->slot, off, wide(g, pick(g)));
	}
	if (v)
		keep(g, v);
}

/* A global; its address is a constant that may be made again anywhere. */
static void global(struct gen *g)
{
	ir_val p = ir_gaddr(g->f, 2, less(g, 8) * 8);

	switch (less(g, 3)) {
	case 0:
		keep(g, ir_ld(g->f, 8, p, 0));
		break;
	case 1:
		ir_st(g->f, 8, p, 0, wide(g, pick(g)));
		break;
	default:
		ir_atom(g->f, AT_ADD, 8, p, 0, wide(g, pick(g)));
	}
}

/* Blocks after a branch: everything alive becomes a parameter, or stays as it is. */
static ir_blk join_block(struct gen *g, bool *param)
{
	ir_blk b = ir_block_new(g->f);

	for (unsigned i = 0; i < g->n; i++) {
		param[i] = less(g, 3) != 0;
		if (param[i])
			ir_param(g->f, b, is32(g, g->pool[i]) ? IR_I32 : IR_I64);
	}
	return b;
}

/* Goes to b with a random arrangement of what is alive; types must fit. */
static void go_to(struct gen *g, ir_blk b, const bool *param, const ir_val *like)
{
	ir_val args[MAX_LIVE];
	unsigned n = 0;
	ir_blk from;

	for (unsigned i = 0; i < g->n; i++) {
		ir_val v = less(g, 2) ? pick(g) : g->pool[i];

		if (!param[i])
			continue;
		if (less(g, 10) == 0)
			v = is32(g, like[i]) ? ir_const32(g->f, 7) : ir_const(g->f, number(g));
		else if (is32(g, v) != is32(g, like[i]))
			v = ir_un(g->f, is32(g, v) ? IR_WIDE : IR_TRUNC, v);
		args[n++] = v;
	}
	from = g->left = ir_here(g->f);
	ir_jmp(g->f, b);
	for (unsigned i = 0; i < n; i++)
		ir_edge_arg(g->f, from, 0, args[i]);
}

/* The pool after entering b: parameters where there are some, old values elsewhere. */
static void enter_join(struct gen *g, ir_blk b, const bool *param, const ir_val *before)
{
	unsigned at = 0;

	ir_at(g->f, b);
	for (unsigned i = 0; i < g->n; i++)
		g->pool[i] = param[i] ? g->f->blocks.v[b].params.v[at++] : before[i];
}

static void statements(struct gen *g, unsigned n);

static void gen_branch(struct gen *g, ir_blk yes, ir_blk no)
{
	ir_val a = pick(g), b = partner(g, a);

	if (less(g, 4) == 0 && !is32(g, a))
		ir_bound(g->f, a, 1 + less(g, 1000), yes, no);
	else
		ir_if(g->f, (enum ir_cc)less(g, CC_COUNT), a, b, yes, no);
}

static void diamond(struct gen *g)
{
	ir_val before[MAX_LIVE];
	bool param[MAX_LIVE];
	ir_blk yes = ir_block_new(g->f), no = ir_block_new(g->f), join;

	gen_branch(g, yes, no);
	memcpy(before, g->pool, sizeof(before));
	join = join_block(g, param);
	ir_at(g->f, yes);
	if (g->f->blocks.v[yes].params.n && less(g, 2))
		keep(g, g->f->blocks.v[yes].params.v[0]);
	statements(g, less(g, 5));
	go_to(g, join, param, before);
	memcpy(g->pool, before, sizeof(before));
	ir_at(g->f, no);
	statements(g, less(g, 5));
	go_to(g, join, param, before);
	enter_join(g, join, param, before);
}

static void loop(struct gen *g)
{
	ir_val before[MAX_LIVE], counter, start, next;
	bool param[MAX_LIVE];
	unsigned turns = 1 + less(g, 4), old = g->turns;
	ir_blk head, body = ir_block_new(g->f), done = ir_block_new(g->f), from;

	if (g->turns * turns > 12) /* keeps runs short */
		return;
	g->turns *= turns;
	memcpy(before, g->pool, sizeof(before));
	head = join_block(g, param);
	counter = ir_param(g->f, head, IR_I64);
	start = ir_const(g->f, 0);
	from = ir_here(g->f);
	go_to(g, head, param, before);
	ir_edge_arg(g->f, from, 0, start);
	enter_join(g, head, param, before);
	memcpy(before, g->pool, sizeof(before));
	ir_loop(g->f, counter, turns, body, done);
	ir_at(g->f, body);
	statements(g, 1 + less(g, 5));
	next = ir_bini(g->f, IR_ADD, counter, 1);
	from = ir_here(g->f);
	go_to(g, head, param, before);
	ir_edge_arg(g->f, from, 0, next);
	g->turns = old;
	memcpy(g->pool, before, sizeof(before));
	ir_at(g->f, done);
	if (less(g, 2))
		keep(g, counter);
}

static void lookup(struct gen *g)
{
	ir_val before[MAX_LIVE], args[2], p, q, at;
	bool param[MAX_LIVE];
	ir_blk yes = ir_block_new(g->f), no = ir_block_new(g->f), join;

	ir_st(g->f, 4, g->key, 0, less(g, 2) ? ir_const(g->f, less(g, IR_RANDOM_ENTRIES + 1)) :
		ir_bini(g->f, IR_AND, wide(g, pick(g)), IR_RANDOM_ENTRIES * 2 - 1));
	args[0] = ir_map(g->f, less(g, 2));
	args[1] = g->key;
	p = ir_call(g->f, "map_lookup_elem", IR_VOID, 2, args);
	if (less(g, 2))
		statements(g, less(g, 3));
	q = ir_some(g->f, p, yes, no);
	memcpy(before, g->pool, sizeof(before));
	join = join_block(g, param);
	ir_at(g->f, yes);
	statements(g, less(g, 3));
	keep(g, ir_ld(g->f, 8, q, less(g, 8) * 8));
	at = ir_index(g->f, q, ir_bini(g->f, IR_AND, wide(g, pick(g)), 56));
	if (less(g, 2))
		keep(g, ir_ld(g->f, 8, at, 0));
	ir_st(g->f, 8, at, 0, wide(g, pick(g)));
	if (less(g, 2))
		ir_atom(g->f, AT_ADD, 8, q, less(g, 8) * 8, wide(g, pick(g)));
	go_to(g, join, param, before);
	memcpy(g->pool, before, sizeof(before));
	ir_at(g->f, no);
	go_to(g, join, param, before);
	enter_join(g, join, param, before);
}

/* More of the packet, or not, with the end loaded anew; the pointer itself goes to the join. */
static void more_packet(struct gen *g)
{
	ir_val before[MAX_LIVE], p, q, end, which;
	bool param[MAX_LIVE];
	ir_blk yes = ir_block_new(g->f), no = ir_block_new(g->f), join;

	p = ir_index(g->f, ir_ldctx(g->f, 4, 0, ir_ptr(IRT_PKT, 0)),
		ir_bini(g->f, IR_AND, wide(g, pick(g)), 127));
	end = ir_ldctx(g->f, 4, 4, ir_ptr(IRT_PKTEND, 0));
	if (less(g, 2))
		statements(g, less(g, 3));
	q = ir_need(g->f, p, end, 8, yes, no);
	memcpy(before, g->pool, sizeof(before));
	join = join_block(g, param);
	which = ir_param(g->f, join, ir_ptr(IRT_PKT, 8));
	ir_at(g->f, yes);
	statements(g, less(g, 3));
	go_to(g, join, param, before);
	ir_edge_arg(g->f, g->left, 0, q);
	memcpy(g->pool, before, sizeof(before));
	ir_at(g->f, no);
	statements(g, less(g, 2));
	go_to(g, join, param, before);
	ir_edge_arg(g->f, g->left, 0, g->packet);
	enter_join(g, join, param, before);
	keep(g, ir_ld(g->f, 8, which, 0));
}

static void update(struct gen *g)
{
	ir_val args[4];

	ir_st(g->f, 4, g->key, 0, ir_bini(g->f, IR_AND, wide(g, pick(g)), IR_RANDOM_ENTRIES * 2 - 1));
	args[0] = ir_map(g->f, less(g, 2));
	args[1] = g->key;
	args[2] = less(g, 2) ? g->slot : g->packet;
	args[3] = less(g, 2) ? ir_const(g->f, 0) : ir_bini(g->f, IR_AND, wide(g, pick(g)), 3);
	keep(g, ir_call(g->f, "map_update_elem", IR_VOID, 4, args));
}

static void statement(struct gen *g)
{
	unsigned what = less(g, 32);

	if (g->work == 0)
		return;
	g->work--;
	if (what < 12) {
		arithmetic(g);
	} else if (what < 16) {
		gen_unary(g);
	} else if (what < 21) {
		if (g->k->memory && less(g, 5) == 0)
			global(g);
		else if (g->k->memory)
			gen_memory(g);
	} else if (what < 23) {
		if (g->k->memory)
			gen_atomic(g);
	} else if (what < 25) {
		keep(g, ir_const(g->f, number(g)));
	} else if (what < 27 && g->k->calls) {
		if (less(g, 3))
			update(g);
		else
			keep(g, ir_call(g->f, "get_smp_processor_id", IR_VOID, 0, NULL));
	} else if (g->depth < MAX_DEPTH) {
		g->depth++;
		if (what < 28 && g->k->calls)
			lookup(g);
		else if (what == 28 && g->k->memory)
			more_packet(g);
		else if (what < 30 && g->k->loops)
			loop(g);
		else
			diamond(g);
		g->depth--;
	}
}

static void statements(struct gen *g, unsigned n)
{
	while (n--)
		statement(g);
}

/* ---- whole functions ---- */

struct ir_random ir_random_knobs(uint64_t seed)
{
	struct gen g = {.state = seed * 0x9e3779b97f4a7c15ull + 1};
	struct ir_random k = {.seed = seed};

	for (int i = 0; i < 8; i++)
		rnd(&g);
	k.live = 2 + less(&g, less(&g, 2) ? 12 : 40);
	k.statements = 4 + less(&g, 40);
	k.calls = less(&g, 2);
	k.memory = less(&g, 4) != 0;
	k.loops = less(&g, 2);
	k.small = less(&g, 2);
	if (seed % 16 == 15) { /* now and then a large one */
		k.live = 30 + less(&g, 32);
		k.statements = 50 + less(&g, 200);
	}
	return k;
}

static void add_maps(struct ir_module *m)
{
	while (m->meta->maps.n < IR_RANDOM_MAPS) {
		static const char *const names[] = {"a", "b", "global"};
		bool global = m->meta->maps.n == 2;
		struct meta_map map = {.name = names[m->meta->maps.n], .kname = names[m->meta->maps.n],
			.role = global ? MM_DATA : MM_USER, .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
			.value_size = IR_RANDOM_VALUE, .max_entries = global ? 1 : IR_RANDOM_ENTRIES,
			.present_off = META_NONE};

		vec_push(m->meta->a, &m->meta->maps, map);
	}
}

static void finish(struct gen *g)
{
	ir_val sum = wide(g, g->pool[0]);

	for (unsigned i = 1; i < g->n; i++) {
		sum = ir_bini(g->f, IR_MUL, sum, 31);
		sum = ir_bin(g->f, IR_ADD, sum, wide(g, g->pool[i]));
	}
	ir_st(g->f, 8, g->packet, 64, sum);
	ir_ret(g->f, sum);
}

struct ir_fn *ir_random_fn(struct ir_module *m, const struct ir_random *knobs)
{
	struct gen g = {.k = knobs, .state = knobs->seed * 0xd1342543de82ef95ull + 7, .work = 400 + knobs->statements * 4,
		.turns = 1};
	ir_blk ok, no;
	ir_val data, end;

	add_maps(m);
	g.f = ir_fn_new(m, "random", CTX_XDP_MD);
	g.n = knobs->live < MAX_LIVE ? knobs->live : MAX_LIVE;
	ok = ir_block_new(g.f);
	no = ir_block_new(g.f);
	for (int i = 0; i < 8; i++)
		rnd(&g);
	data = ir_ldctx(g.f, 4, 0, ir_ptr(IRT_PKT, 0));
	end = ir_ldctx(g.f, 4, 4, ir_ptr(IRT_PKTEND, 0));
	g.packet = ir_need(g.f, data, end, IR_RANDOM_PACKET, ok, no);
	ir_at(g.f, no);
	ir_ret(g.f, ir_const(g.f, 0));
	ir_at(g.f, ok);
	g.slot = ir_slot(g.f, 64);
	g.key = ir_slot(g.f, 4);
	ir_zero(g.f, g.slot, 0, 64);
	for (unsigned i = 0; i < g.n; i++)
		g.pool[i] = less(&g, 8) ? ir_ld(g.f, width(&g), g.packet, less(&g, 8) * 8) :
			ir_const(g.f, number(&g));
	statements(&g, knobs->statements);
	finish(&g);
	ir_finish(g.f);
	return g.f;
}
