/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Random programs: generation, packets and evaluation. */
#include "prog.h"
#include <string.h>

/* ---- random numbers: splitmix64, good enough and the same everywhere ---- */
struct rng {
	uint64_t s;
};

static uint64_t rnd(struct rng *r)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static unsigned below(struct rng *r, unsigned n)
{
	return (unsigned)(rnd(r) % n);
}

static bool chance(struct rng *r, unsigned percent)
{
	return below(r, 100) < percent;
}

/* ---- generation ---- */

struct gen {
	struct arena *a;
	struct rng r;
	enum prog_form form;
	unsigned nvars;
	unsigned budget; /* statements left */
	unsigned loop_cost; /* product of the turns around here */
};

static const uint64_t edges[] = {0, 1, 2, 7, 8, 63, 64, 255, 256, 0x7f, 0x80, 0x7fff, 0x8000, 0xffff,
	0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
	0xffffffffffffffff, 0xfffffffffffffffe, 0xffffffff80000000, 0xffffffff7fffffff};

static struct px *new_px(struct gen *g, enum px_kind kind)
{
	struct px *e = ARENA_NEW(g->a, struct px);

	e->kind = kind;
	return e;
}

static struct px *constant(struct gen *g)
{
	struct px *e = new_px(g, PX_CONST);

	if (chance(&g->r, 40))
		e->v = edges[below(&g->r, sizeof(edges) / sizeof(edges[0]))];
	else if (chance(&g->r, 60))
		e->v = below(&g->r, 100);
	else
		e->v = rnd(&g->r) >> below(&g->r, 64);
	return e;
}

static struct px *variable(struct gen *g)
{
	struct px *e = new_px(g, PX_VAR);

	e->v = below(&g->r, g->nvars);
	return e;
}

/* Fields of the TCP segment that scripts read: see prog_packet and print_input. */
static const unsigned char field_size[] = {4, 4, 2, 2, 1, 2, 2};

static struct px *input(struct gen *g)
{
	struct px *e = new_px(g, PX_INPUT);

	if (g->form == PROG_AS_SCRIPT) {
		e->v = below(&g->r, sizeof(field_size));
		e->size = field_size[e->v];
		return e;
	}
	e->size = 1u << below(&g->r, 4);
	e->v = below(&g->r, PROG_PACKET / e->size) * e->size;
	return e;
}

static struct px *expr(struct gen *g, unsigned depth);

static struct px *key(struct gen *g, unsigned depth)
{
	struct px *e = new_px(g, PX_BIN);

	e->op = PO_AND;
	e->a = depth && chance(&g->r, 50) ? expr(g, depth - 1) : variable(g);
	e->b = new_px(g, PX_CONST);
	e->b->v = PROG_KEYS - 1;
	return e;
}

static struct px *leaf(struct gen *g)
{
	struct px *e;
	unsigned n = below(&g->r, 10);

	if (n < 5)
		return variable(g);
	if (n < 7)
		return constant(g);
	if (g->form == PROG_AS_SCRIPT) /* rarely: each is a test of the headers, too */
		return chance(&g->r, 20) ? input(g) : variable(g);
	if (n < 9)
		return input(g);
	e = new_px(g, PX_SLOT);
	e->v = below(&g->r, PROG_WORDS);
	return e;
}

static struct px *binary(struct gen *g, unsigned depth)
{
	bool w32 = g->form == PROG_AS_IR && chance(&g->r, 20);
	struct px *e = new_px(g, w32 ? PX_BIN32 : PX_BIN);

	e->op = (int)below(&g->r, PO_COUNT);
	e->is_signed = chance(&g->r, 50);
	e->a = expr(g, depth - 1);
	e->b = expr(g, depth - 1);
	/* scripts: a constant zero divisor or a constant shift beyond the width is an error */
	if (g->form == PROG_AS_SCRIPT && (e->op == PO_DIV || e->op == PO_MOD))
		e->b = variable(g);
	if (g->form == PROG_AS_SCRIPT && (e->op == PO_SHL || e->op == PO_SHR)) {
		if (chance(&g->r, 50)) {
			e->b = new_px(g, PX_CONST);
			e->b->v = below(&g->r, 64);
		} else {
			e->b = variable(g);
		}
	}
	return e;
}

static struct px *condition(struct gen *g, unsigned depth)
{
	unsigned n = below(&g->r, 10);
	struct px *e;

	if (depth && n < 3) {
		e = new_px(g, n == 0 ? PX_NOT : n == 1 ? PX_AND : PX_OR);
		e->a = condition(g, depth - 1);
		if (n)
			e->b = condition(g, depth - 1);
		return e;
	}
	e = new_px(g, g->form == PROG_AS_IR && chance(&g->r, 20) ? PX_CMP32 : PX_CMP);
	e->op = (int)below(&g->r, PC_COUNT);
	e->is_signed = chance(&g->r, 50);
	e->a = depth ? expr(g, depth - 1) : leaf(g);
	e->b = depth && chance(&g->r, 40) ? expr(g, depth - 1) : leaf(g);
	return e;
}

static struct px *expr(struct gen *g, unsigned depth)
{
	unsigned n = below(&g->r, 20);
	struct px *e;

	if (!depth || n < 4)
		return leaf(g);
	if (n < 13)
		return binary(g, depth);
	if (n < 15) {
		e = new_px(g, PX_CAST);
		e->size = 1u << below(&g->r, 4);
		e->is_signed = chance(&g->r, 50);
		e->a = expr(g, depth - 1);
		return e;
	}
	if (n < 16) {
		e = new_px(g, PX_MAP);
		e->v = below(&g->r, PROG_MAPS);
		e->a = key(g, depth - 1);
		return e;
	}
	if (n < 18)
		return condition(g, depth - 1);
	e = new_px(g, PX_TERNARY);
	e->a = condition(g, depth - 1);
	e->b = expr(g, depth - 1);
	e->c = expr(g, depth - 1);
	return e;
}

static struct ps *statements(struct gen *g, unsigned n, unsigned depth);

static void compound(struct gen *g, struct ps *s, unsigned depth)
{
	if (chance(&g->r, 25) && g->loop_cost < 8) {
		s->kind = PS_LOOP;
		s->turns = 1 + below(&g->r, g->form == PROG_AS_IR ? 8 : 4);
		g->loop_cost *= s->turns;
		s->yes = statements(g, 1 + below(&g->r, 3), depth - 1);
		g->loop_cost /= s->turns;
		return;
	}
	s->kind = PS_IF;
	s->a = condition(g, 2);
	s->yes = statements(g, 1 + below(&g->r, 4), depth - 1);
	if (chance(&g->r, 50))
		s->no = statements(g, 1 + below(&g->r, 3), depth - 1);
}

static struct ps *statement(struct gen *g, unsigned depth)
{
	struct ps *s = ARENA_NEW(g->a, struct ps);
	unsigned n = below(&g->r, 100);

	if (depth && n < 25) {
		compound(g, s, depth);
	} else if (n < 65) {
		s->kind = PS_SET;
		s->which = below(&g->r, g->nvars);
		s->size = chance(&g->r, 60) ? 8 : 1u << below(&g->r, 4);
		s->is_signed = chance(&g->r, 50);
		s->a = expr(g, 3);
	} else if (n < 83) {
		s->kind = n < 74 ? PS_MAP_SET : n < 80 ? PS_MAP_ADD : PS_MAP_DELETE;
		s->which = below(&g->r, PROG_MAPS);
		s->a = key(g, 1);
		s->b = expr(g, 2);
	} else if (n < 86) {
		s->kind = PS_CALL;
	} else if (n < 88) {
		s->kind = PS_RETURN;
		s->a = leaf(g);
	} else if (g->form == PROG_AS_IR && n < 94) {
		s->kind = PS_STORE;
		s->size = 1u << below(&g->r, 4);
		s->which = below(&g->r, PROG_PACKET / s->size) * s->size;
		s->a = expr(g, 2);
	} else if (g->form == PROG_AS_IR) {
		s->kind = PS_SLOT;
		s->which = below(&g->r, PROG_WORDS);
		s->a = expr(g, 2);
	} else {
		s->kind = PS_SET;
		s->which = below(&g->r, g->nvars);
		s->size = 8;
		s->a = expr(g, 2);
	}
	return s;
}

static struct ps *statements(struct gen *g, unsigned n, unsigned depth)
{
	struct ps *first = NULL, **last = &first;

	while (n-- && g->budget) {
		g->budget--;
		*last = statement(g, depth);
		last = &(*last)->next;
	}
	return first;
}

struct prog *prog_random(struct arena *a, uint64_t seed, enum prog_form form)
{
	struct gen g = {.a = a, .r = {seed}, .form = form, .loop_cost = 1};
	struct prog *p = ARENA_NEW(a, struct prog);

	rnd(&g.r);
	g.nvars = 2 + below(&g.r, PROG_VARS - 1);
	g.budget = 4 + below(&g.r, form == PROG_AS_IR ? 40 : 20);
	*p = (struct prog){.a = a, .form = form, .seed = seed, .nvars = g.nvars};
	p->body = statements(&g, g.budget, 3);
	return p;
}

/* ---- packets ---- */

void prog_packet(const struct prog *p, unsigned n, uint8_t packet[PROG_PACKET])
{
	struct rng r = {p->seed * 31 + n};

	for (unsigned i = 0; i < PROG_PACKET; i += 8) {
		uint64_t v = chance(&r, 40) ? edges[below(&r, sizeof(edges) / sizeof(edges[0]))] : rnd(&r);

		memcpy(packet + i, &v, 8);
	}
	if (p->form == PROG_AS_IR)
		return;
	packet[12] = 8; /* EtherType IPv4 */
	packet[13] = 0;
	packet[14] = 0x45; /* IPv4, 20-byte header */
	packet[16] = 0;	   /* total length */
	packet[17] = PROG_PACKET - 14;
	packet[20] = 0; /* no fragment */
	packet[21] = 0;
	packet[23] = 6; /* TCP */
	packet[46] = 0x50; /* TCP header of 20 bytes */
}

/* Offsets in the packet of the fields in print_input's order; network byte order. */
static const unsigned char field_off[] = {38, 42, 34, 36, 22, 18, 48};

static uint64_t read_input(const struct prog *p, const struct px *e, const uint8_t *packet)
{
	uint64_t v = 0;

	if (p->form == PROG_AS_IR) {
		memcpy(&v, packet + e->v, e->size);
		return v;
	}
	for (unsigned i = 0; i < e->size; i++)
		v = v << 8 | packet[field_off[e->v] + i];
	return v;
}

/* ---- evaluation ---- */

struct eval {
	const struct prog *p;
	struct prog_state *st;
	uint64_t var[PROG_VARS], word[PROG_WORDS];
	bool returned;
};

static uint64_t cut(uint64_t v, unsigned size, bool is_signed)
{
	unsigned drop = 64 - 8 * size;

	if (!drop)
		return v;
	return is_signed ? (uint64_t)((int64_t)(v << drop) >> drop) : v << drop >> drop;
}

static uint64_t divide(uint64_t a, uint64_t b, bool is_signed, bool rest)
{
	if (!b)
		return rest ? a : 0;
	if (!is_signed)
		return rest ? a % b : a / b;
	if (b == ~0ull) /* avoids the overflow of least / -1 */
		return rest ? 0 : 0 - a;
	return rest ? (uint64_t)((int64_t)a % (int64_t)b) : (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t arithmetic(int op, bool is_signed, uint64_t a, uint64_t b)
{
	switch (op) {
	case PO_ADD:
		return a + b;
	case PO_SUB:
		return a - b;
	case PO_MUL:
		return a * b;
	case PO_DIV:
		return divide(a, b, is_signed, false);
	case PO_MOD:
		return divide(a, b, is_signed, true);
	case PO_AND:
		return a & b;
	case PO_OR:
		return a | b;
	case PO_XOR:
		return a ^ b;
	case PO_SHL:
		return a << (b & 63);
	default:
		return is_signed ? (uint64_t)((int64_t)a >> (b & 63)) : a >> (b & 63);
	}
}

static uint64_t arithmetic32(int op, bool is_signed, uint64_t a, uint64_t b)
{
	if (op == PO_SHL || op == PO_SHR)
		b &= 31;
	/* sign- or zero-extended operands give the right 32 low bits in 64-bit arithmetic */
	a = cut(a, 4, is_signed);
	b = cut(b, 4, is_signed);
	return (uint32_t)arithmetic(op, is_signed, a, b);
}

static bool compare(int op, bool is_signed, uint64_t a, uint64_t b)
{
	bool less = is_signed ? (int64_t)a < (int64_t)b : a < b;

	switch (op) {
	case PC_EQ:
		return a == b;
	case PC_NE:
		return a != b;
	case PC_LT:
		return less;
	case PC_LE:
		return less || a == b;
	case PC_GT:
		return !less && a != b;
	default:
		return !less;
	}
}

static uint64_t value(struct eval *v, const struct px *e)
{
	uint64_t a, b;

	switch (e->kind) {
	case PX_CONST:
		return e->v;
	case PX_VAR:
		return v->var[e->v];
	case PX_INPUT:
		return read_input(v->p, e, v->st->packet);
	case PX_SLOT:
		return v->word[e->v];
	case PX_MAP:
		a = value(v, e->a);
		return v->st->present[e->v][a] ? v->st->value[e->v][a] : 0;
	case PX_BIN:
	case PX_BIN32:
		a = value(v, e->a);
		b = value(v, e->b);
		return e->kind == PX_BIN ? arithmetic(e->op, e->is_signed, a, b)
					 : arithmetic32(e->op, e->is_signed, a, b);
	case PX_CAST:
		return cut(value(v, e->a), e->size, e->is_signed);
	case PX_CMP:
	case PX_CMP32:
		a = value(v, e->a);
		b = value(v, e->b);
		if (e->kind == PX_CMP32) {
			a = cut(a, 4, e->is_signed);
			b = cut(b, 4, e->is_signed);
		}
		return compare(e->op, e->is_signed, a, b);
	case PX_NOT:
		return !value(v, e->a);
	case PX_AND:
		return value(v, e->a) && value(v, e->b);
	case PX_OR:
		return value(v, e->a) || value(v, e->b);
	default:
		return value(v, e->a) ? value(v, e->b) : value(v, e->c);
	}
}

static void run(struct eval *v, const struct ps *s);

static void store(struct eval *v, const struct ps *s)
{
	uint64_t x = value(v, s->a);

	memcpy(v->st->packet + s->which, &x, s->size);
}

static void map_statement(struct eval *v, const struct ps *s)
{
	bool *present;
	uint64_t x = 0, k;

	/* value first, then key: the order the language documents */
	if (s->kind != PS_MAP_DELETE)
		x = value(v, s->b);
	k = value(v, s->a);
	present = &v->st->present[s->which][k];
	if (s->kind == PS_MAP_DELETE)
		*present = false;
	else if (s->kind == PS_MAP_SET)
		v->st->value[s->which][k] = x;
	else
		v->st->value[s->which][k] = (*present ? v->st->value[s->which][k] : 0) + x;
	if (s->kind != PS_MAP_DELETE)
		*present = true;
}

static void run_one(struct eval *v, const struct ps *s)
{
	switch (s->kind) {
	case PS_SET:
		v->var[s->which] = cut(value(v, s->a), s->size, s->is_signed);
		break;
	case PS_IF:
		run(v, value(v, s->a) ? s->yes : s->no);
		break;
	case PS_LOOP:
		for (unsigned i = 0; i < s->turns && !v->returned; i++)
			run(v, s->yes);
		break;
	case PS_STORE:
		store(v, s);
		break;
	case PS_SLOT:
		v->word[s->which] = value(v, s->a);
		break;
	case PS_RETURN:
		v->st->result = value(v, s->a);
		v->returned = true;
		break;
	case PS_CALL:
		break;
	default:
		map_statement(v, s);
		break;
	}
}

static void run(struct eval *v, const struct ps *s)
{
	for (; s && !v->returned; s = s->next)
		run_one(v, s);
}

/* Variables start from packet fields so that nothing folds away. */
static const struct px first_inputs[] = {
	{.kind = PX_INPUT, .v = 0, .size = 8}, {.kind = PX_INPUT, .v = 8, .size = 4},
	{.kind = PX_INPUT, .v = 16, .size = 8}, {.kind = PX_INPUT, .v = 26, .size = 2},
};

static uint64_t first_value(const struct prog *p, unsigned i, const uint8_t *packet)
{
	struct px e = first_inputs[i % 4];

	if (p->form == PROG_AS_SCRIPT) {
		e.v = i % sizeof(field_size);
		e.size = field_size[e.v];
	}
	return read_input(p, &e, packet);
}

void prog_eval(const struct prog *p, struct prog_state *st)
{
	struct eval v = {.p = p, .st = st};

	for (unsigned i = 0; i < p->nvars; i++)
		v.var[i] = first_value(p, i, st->packet) + i;
	run(&v, p->body);
	if (v.returned) {
		st->result = p->form == PROG_AS_SCRIPT ? 2 : st->result & 0xffffffff;
		return;
	}
	st->result = 2;
	for (unsigned i = 0; i < p->nvars; i++) {
		st->present[0][i] = true;
		st->value[0][i] = v.var[i];
	}
	if (p->form == PROG_AS_IR) {
		for (unsigned i = 0; i < PROG_WORDS; i++)
			st->result = st->result * 31 + v.word[i];
		st->result &= 0xffffffff;
	}
}
