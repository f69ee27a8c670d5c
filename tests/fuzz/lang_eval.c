/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a random script prints, worked out in plain C from docs/language.md alone. */
#include "tests/fuzz/lang.h"
#include <inttypes.h>
#include <string.h>

#define BUCKETS 66 /* of hist(): negatives, 0, 2^0 .. 2^63 */

struct val {
	uint64_t n;
	const char *s;
	struct val *el;
};
struct entry {
	struct val key, value;
	uint64_t count, sum, least, most; /* aggregations */
	uint64_t bucket[BUCKETS];
	bool gone;
};
struct machine {
	const struct lang *p;
	struct buf *out;
	struct val var[LANG_VARS];
	VEC(struct entry *) map[LANG_MAPS];
	const struct le *call; /* of the macro that runs */
	uint64_t zero_divs, result; /* of the function that returns */
	enum { GOES_ON, BREAKS, CONTINUES, RETURNS } way;
};

static struct val eval(struct machine *m, const struct le *e);
static void run(struct machine *m, const struct ls *s);

static bool is_uns(const struct lang_type *t)
{
	return t->kind == LK_UINT;
}

static uint64_t cut(uint64_t v, unsigned size, bool is_signed)
{
	unsigned drop = 64 - 8 * size;

	return is_signed ? (uint64_t)((int64_t)(v << drop) >> drop) : v << drop >> drop;
}

static uint64_t divide(uint64_t a, uint64_t b, bool uns, bool rest)
{
	if (!b)
		return rest ? a : 0;
	if (uns)
		return rest ? a % b : a / b;
	if (b == UINT64_MAX) /* the least number by -1 does not fit */
		return rest ? 0 : 0 - a;
	return (uint64_t)(rest ? (int64_t)a % (int64_t)b : (int64_t)a / (int64_t)b);
}

static bool less(uint64_t a, uint64_t b, bool uns)
{
	return uns ? a < b : (int64_t)a < (int64_t)b;
}

/* uns: of the pair, for shifts of the left side */
static uint64_t arithmetic(unsigned op, uint64_t a, uint64_t b, bool uns)
{
	switch (op) {
	case LO_ADD:
		return a + b;
	case LO_SUB:
		return a - b;
	case LO_MUL:
		return a * b;
	case LO_DIV:
	case LO_MOD:
		return divide(a, b, uns, op == LO_MOD);
	case LO_AND:
		return a & b;
	case LO_OR:
		return a | b;
	case LO_XOR:
		return a ^ b;
	case LO_SHL:
		return a << (b & 63);
	case LO_SHR:
		return uns ? a >> (b & 63) : (uint64_t)((int64_t)a >> (b & 63));
	case LO_EQ:
		return a == b;
	case LO_NE:
		return a != b;
	case LO_LT:
		return less(a, b, uns);
	case LO_LE:
		return !less(b, a, uns);
	case LO_GT:
		return less(b, a, uns);
	default:
		return !less(a, b, uns);
	}
}

static struct val zero_of(struct machine *m, const struct lang_type *t)
{
	struct val v = {.s = ""};

	if (t->kind == LK_TUPLE) {
		v.el = ARENA_ARRAY(m->p->a, struct val, t->n);
		for (unsigned i = 0; i < t->n; i++)
			v.el[i] = zero_of(m, t->el[i]);
	}
	return v;
}

static bool same(const struct lang_type *t, const struct val *a, const struct val *b)
{
	if (t->kind == LK_STR)
		return !strcmp(a->s, b->s);
	if (t->kind != LK_TUPLE)
		return a->n == b->n;
	for (unsigned i = 0; i < t->n; i++) {
		if (!same(t->el[i], &a->el[i], &b->el[i]))
			return false;
	}
	return true;
}

static struct entry *find(struct machine *m, unsigned map, const struct val *key)
{
	const struct lang_type *t = m->p->map[map].key;

	for (uint32_t i = 0; i < m->map[map].n; i++) {
		struct entry *e = m->map[map].v[i];

		if (!e->gone && (!t || same(t, &e->key, key)))
			return e;
	}
	return NULL;
}

static struct entry *entry_of(struct machine *m, unsigned map, const struct le *key)
{
	struct val k = key ? eval(m, key) : (struct val){0};
	struct entry *e = find(m, map, &k);

	if (e)
		return e;
	e = ARENA_NEW(m->p->a, struct entry);
	e->key = k;
	e->value = zero_of(m, m->p->map[map].value);
	vec_push(m->p->a, &m->map[map], e);
	return e;
}

/* uns: of the numbers */
static uint64_t agg_number(enum lang_agg agg, const struct entry *e, bool uns)
{
	switch (agg) {
	case LA_COUNT:
		return e->count;
	case LA_SUM:
		return e->sum;
	case LA_MIN:
		return e->least;
	case LA_MAX:
		return e->most;
	default:
		return divide(e->sum, e->count, uns, false);
	}
}

static struct val map_value(struct machine *m, const struct le *e)
{
	const struct lang_map *map = &m->p->map[e->n];
	struct val k = e->a ? eval(m, e->a) : (struct val){0};
	struct entry *x = find(m, (unsigned)e->n, &k);

	if (!x)
		return zero_of(m, map->value);
	return map->agg == LA_NONE ? x->value : (struct val){.n = agg_number(map->agg, x, is_uns(map->value))};
}

static const char *cut_text(struct machine *m, const char *s, uint64_t n)
{
	return arena_printf(m->p->a, "%.*s", (int)n, s);
}

static uint64_t odd_field(const struct lang_input *in, uint64_t n)
{
	switch (n) {
	case 13:
		return in->p.b;
	case 14:
		return (uint64_t)(int64_t)in->p.d;
	case 15:
		return in->p.e;
	case 16:
		return (uint64_t)in->p.z;
	case 17:
		return (uint64_t)(int64_t)in->g1;
	case 18:
		return in->g2;
	case 19:
		return (uint64_t)(int64_t)in->g3;
	default:
		return in->g4;
	}
}

static uint64_t field(const struct lang_input *in, uint64_t n)
{
	switch (n) {
	case 0:
		return (uint64_t)in->i8;
	case 1:
		return in->u8;
	case 2:
		return (uint64_t)in->i16;
	case 3:
		return in->u16;
	case 4:
		return (uint64_t)in->i32;
	case 5:
		return in->u32;
	case 6:
		return (uint64_t)in->i64;
	case 7:
		return in->u64;
	case 8:
		return (uint64_t)in->n.a;
	case 9:
		return in->n.b;
	case 10:
		return (uint64_t)in->n.c;
	case 11:
		return in->f1;
	case 12:
		return (uint64_t)in->f2;
	default:
		return odd_field(in, n);
	}
}

/* A macro's expressions are read where their names stand, as often as that is. */
static struct val macro(struct machine *m, const struct le *e)
{
	const struct le *outer = m->call;
	struct val v;

	m->call = e;
	v = eval(m, m->p->macro[e->n]);
	m->call = outer;
	return v;
}

static struct val parameter(struct machine *m, const struct le *e)
{
	const struct le *call = m->call;
	struct val v;

	m->call = NULL; /* no macro's body calls another */
	v = eval(m, e->n ? call->b : call->a);
	m->call = call;
	return v;
}

static uint64_t about_text(struct machine *m, const struct le *e)
{
	const char *a = eval(m, e->a).s, *b = e->b ? eval(m, e->b).s : "", *at;

	switch (e->kind) {
	case LE_LEN:
		return strlen(a);
	case LE_NCMP:
		return !strncmp(a, b, e->n);
	case LE_CHAR:
		return e->n < strlen(a) ? (uint8_t)a[e->n] : 0;
	default:
		at = strstr(a, b);
		return e->kind == LE_CONTAINS ? at != NULL : at ? (uint64_t)(at - a) : UINT64_MAX;
	}
}

static uint64_t operation(struct machine *m, unsigned op, uint64_t a, uint64_t b, bool uns)
{
	m->zero_divs += (op == LO_DIV || op == LO_MOD) && !b && m->way == GOES_ON;
	return arithmetic(op, a, b, uns);
}

static uint64_t binary(struct machine *m, const struct le *e)
{
	struct val a = eval(m, e->a), b = eval(m, e->b);
	bool shift = e->n == LO_SHL || e->n == LO_SHR;

	if (e->a->t->kind == LK_STR)
		return !strcmp(a.s, b.s) == (e->n == LO_EQ);
	return operation(m, (unsigned)e->n, a.n, b.n,
		e->a->t->kind == LK_UINT || (!shift && e->b->t->kind == LK_UINT));
}

static struct val tuple(struct machine *m, const struct le *e)
{
	struct val v = {.el = ARENA_ARRAY(m->p->a, struct val, e->t->n)};

	for (unsigned i = 0; i < e->t->n; i++)
		v.el[i] = eval(m, e->el[i]);
	return v;
}

static struct val text(struct machine *m, const struct le *e)
{
	switch (e->kind) {
	case LE_TEXT:
		return (struct val){.s = e->s};
	case LE_NAME:
		return (struct val){.s = cut_text(m, m->p->in.name, sizeof(m->p->in.name))};
	case LE_MEMORY:
		return (struct val){.s = cut_text(m, m->p->in.long_text, e->n)};
	default:
		return (struct val){.s = cut_text(m, eval(m, e->a).s, e->n)};
	}
}

static uint64_t as_type(int let, uint64_t n)
{
	return let < 0 ? n : cut(n, lang_casts[let].size, lang_casts[let].is_signed);
}

static uint64_t as_declared(const struct machine *m, unsigned var, uint64_t n)
{
	return as_type(m->p->var[var].let, n);
}

/* ++ and -- as values */
static uint64_t step(struct machine *m, const struct le *e)
{
	uint64_t by = e->n & 1 ? UINT64_MAX : 1, old, new;
	unsigned which = (unsigned)e->a->n;
	struct entry *x;

	if (m->way != GOES_ON)
		return 0;
	x = e->a->kind == LE_MAP ? entry_of(m, which, e->a->a) : NULL;
	old = x ? x->value.n : m->var[which].n;
	new = x ? old + by : as_declared(m, which, old + by);
	if (x)
		x->value.n = new;
	else
		m->var[which].n = new;
	return e->n & 2 ? new : old;
}

/* return; a NULL: without a value */
static void leave(struct machine *m, const struct le *a)
{
	uint64_t v = a ? eval(m, a).n : 0;

	if (m->way != GOES_ON)
		return;
	m->result = v;
	m->way = RETURNS;
}

/* Arguments are all read before the function begins. */
static uint64_t call(struct machine *m, const struct le *e)
{
	const struct lang_fn *fn = &m->p->fn[e->n];
	uint64_t arg[LANG_KEYS];

	for (unsigned i = 0; i < fn->nparams; i++)
		arg[i] = eval(m, e->el[i]).n;
	if (m->way != GOES_ON)
		return 0;
	for (unsigned i = 0; i < fn->nvars; i++)
		m->var[fn->first + i].n = as_declared(m, fn->first + i, i < fn->nparams ? arg[i] : i);
	run(m, fn->body);
	if (m->way == GOES_ON)
		leave(m, fn->value);
	m->way = GOES_ON;
	return as_type((int)fn->result, m->result);
}

/* Elements and equality of arrays that are made of numbers. */
static uint64_t of_array(struct machine *m, const struct le *e)
{
	uint64_t a = eval(m, e->a).n, b = eval(m, e->b).n;
	unsigned size = e->kind == LE_BYTE ? lang_casts[e->n].size : (unsigned)e->n;

	if (e->kind == LE_SAME)
		return !((a ^ b) << (64 - 8 * size));
	return b < 8 / size ? cut(a >> (8 * size * b), size, lang_casts[e->n].is_signed) : 0;
}

static uint64_t number(struct machine *m, const struct le *e)
{
	struct val v;
	uint64_t n;

	switch (e->kind) {
	case LE_NUM:
		return e->n;
	case LE_FIELD:
		return field(&m->p->in, e->n);
	case LE_ARRAY:
		return m->p->in.arr[eval(m, e->a).n];
	case LE_CAST:
		return cut(eval(m, e->a).n, lang_casts[e->n].size, lang_casts[e->n].is_signed);
	case LE_BYTE:
	case LE_SAME:
		return of_array(m, e);
	case LE_NEG:
		return 0 - eval(m, e->a).n;
	case LE_COM:
		return ~eval(m, e->a).n;
	case LE_NOT:
		return !eval(m, e->a).n;
	case LE_TRUTH:
		return eval(m, e->a).n != 0;
	case LE_BIN:
		return binary(m, e);
	case LE_AND:
		return eval(m, e->a).n && eval(m, e->b).n;
	case LE_OR:
		return eval(m, e->a).n || eval(m, e->b).n;
	case LE_INC:
		return step(m, e);
	case LE_CALL:
		return call(m, e);
	case LE_AT:
		v = eval(m, e->a);
		n = eval(m, e->b).n;
		return n < strlen(v.s) ? (uint8_t)v.s[n] : 0;
	case LE_HAS:
		v = eval(m, e->a);
		return find(m, (unsigned)e->n, &v) != NULL;
	default:
		return about_text(m, e);
	}
}

static struct val eval(struct machine *m, const struct le *e)
{
	struct val v;

	switch (e->kind) {
	case LE_VAR:
		return m->var[e->n];
	case LE_MAP:
		return map_value(m, e);
	case LE_COND:
		return eval(m, eval(m, e->a).n ? e->b : e->c);
	case LE_ELVIS:
		v = eval(m, e->a);
		return v.n ? v : eval(m, e->c);
	case LE_MACRO:
		return macro(m, e);
	case LE_PARAM:
		return parameter(m, e);
	case LE_TUPLE:
		return tuple(m, e);
	case LE_BLOCK:
		run(m, e->body);
		return eval(m, e->a);
	case LE_ELEM:
		return eval(m, e->a).el[e->n];
	case LE_TEXT:
	case LE_NAME:
	case LE_MEMORY:
	case LE_CUT:
		return text(m, e);
	default:
		return (struct val){.n = number(m, e)};
	}
}

/* ---- printing ---- */

static void show(struct buf *b, const struct lang_type *t, const struct val *v)
{
	if (t->kind == LK_STR) {
		buf_puts(b, v->s);
	} else if (t->kind == LK_BOOL) {
		buf_puts(b, v->n ? "true" : "false");
	} else if (t->kind != LK_TUPLE) {
		buf_printf(b, t->kind == LK_INT ? "%" PRId64 : "%" PRIu64, v->n);
	} else {
		buf_puts(b, t->names ? "{ " : "(");
		for (unsigned i = 0; i < t->n; i++) {
			buf_puts(b, i ? ", " : "");
			if (t->names)
				buf_printf(b, ".%c = ", 'p' + i);
			show(b, t->el[i], &v->el[i]);
		}
		buf_puts(b, t->names ? " }" : ")");
	}
}

static void power(struct buf *b, unsigned exponent)
{
	buf_printf(b, "%u", 1u << exponent % 10);
	if (exponent >= 10)
		buf_putc(b, "KMGTPE"[exponent / 10 - 1]);
}

static void label(struct buf *b, enum lang_agg agg, unsigned i)
{
	int64_t at = lang_lhist[0] + ((int64_t)i - 1) * lang_lhist[2];
	bool last = at + lang_lhist[2] > lang_lhist[1];

	if (agg == LA_LHIST && !i)
		buf_printf(b, "(..., %" PRId64 ")", lang_lhist[0]);
	else if (agg == LA_LHIST && last)
		buf_printf(b, "[%" PRId64 ", ...)", at);
	else if (agg == LA_LHIST)
		buf_printf(b, "[%" PRId64 ", %" PRId64 ")", at, at + lang_lhist[2]);
	else if (i < 3)
		buf_puts(b, i == 0 ? "(..., 0)" : i == 1 ? "[0]" : "[1]");
	else {
		buf_putc(b, '[');
		power(b, i - 2);
		buf_puts(b, ", ");
		if (i == 65)
			buf_puts(b, "16E");
		else
			power(b, i - 1);
		buf_putc(b, ')');
	}
}

static unsigned bucket_of(enum lang_agg agg, int64_t v)
{
	unsigned i = 1, steps = (unsigned)((lang_lhist[1] - lang_lhist[0]) / lang_lhist[2]);

	if (agg == LA_LHIST) {
		if (v < lang_lhist[0])
			return 0;
		if (v >= lang_lhist[1] || (v - lang_lhist[0]) / lang_lhist[2] >= steps)
			return steps + 1;
		return 1 + (unsigned)((v - lang_lhist[0]) / lang_lhist[2]);
	}
	if (v < 0)
		return 0;
	while (v) {
		i++;
		v >>= 1;
	}
	return i;
}

static void histogram(struct buf *b, enum lang_agg agg, const struct entry *e)
{
	unsigned first = BUCKETS, last = 0;
	uint64_t most = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		if (!e->bucket[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = most > e->bucket[i] ? most : e->bucket[i];
	}
	for (unsigned i = first; i <= last; i++) {
		size_t from = b->n;
		unsigned bar = (unsigned)(e->bucket[i] * 52 / most);

		label(b, agg, i);
		while (b->n < from + 16)
			buf_putc(b, ' ');
		buf_printf(b, "%8" PRIu64 " |", e->bucket[i]);
		for (unsigned k = 0; k < 52; k++)
			buf_putc(b, k < bar ? '@' : ' ');
		buf_puts(b, "|\n");
	}
}

static void show_entry(struct machine *m, unsigned map, const struct entry *e)
{
	const struct lang_map *t = &m->p->map[map];
	struct val v = {.n = t->agg == LA_NONE ? 0 : agg_number(t->agg, e, is_uns(t->value))};

	buf_printf(m->out, "@m%u%s", map, t->key ? "[" : "");
	for (unsigned i = 0; t->key && i < t->key->n; i++) {
		buf_puts(m->out, i ? ", " : "");
		show(m->out, t->key->el[i], &e->key.el[i]);
	}
	buf_puts(m->out, t->key ? "]:" : ":");
	if (t->agg == LA_HIST || t->agg == LA_LHIST) {
		buf_putc(m->out, '\n');
		histogram(m->out, t->agg, e);
		return;
	}
	buf_putc(m->out, ' ');
	if (t->agg == LA_STATS)
		buf_printf(m->out, "{ .count = %" PRIu64 ", .average = %" PRId64 ", .total = %" PRId64 " }",
			e->count, divide(e->sum, e->count, false, false), e->sum);
	else
		show(m->out, t->value, t->agg == LA_NONE ? &e->value : &v);
	buf_putc(m->out, '\n');
}

/* ---- statements ---- */

static void assign(struct machine *m, const struct ls *s)
{
	struct val *v = &m->var[s->which], new = {.n = 1};
	bool uns = is_uns(m->p->var[s->which].t);
	uint64_t old = v->n; /* before the value changes it */

	if (s->kind != LS_INC)
		new = eval(m, s->a);
	if (m->way != GOES_ON)
		return;
	if (s->kind != LS_SET)
		new.n = operation(m, s->kind == LS_OP ? s->op : s->op ? LO_SUB : LO_ADD, old, new.n, uns);
	new.n = as_declared(m, s->which, new.n);
	*v = new;
}

static void count_in(struct entry *e, const struct lang_map *map, uint64_t v)
{
	if (!e->count || less(v, e->least, is_uns(map->value)))
		e->least = v;
	if (!e->count || less(e->most, v, is_uns(map->value)))
		e->most = v;
	e->count++;
	e->sum += v;
	if (map->agg == LA_HIST || map->agg == LA_LHIST)
		e->bucket[bucket_of(map->agg, (int64_t)v)]++;
}

/* The value first, then the key. */
static void map_statement(struct machine *m, const struct ls *s)
{
	const struct lang_map *map = &m->p->map[s->which];
	struct val v = s->a ? eval(m, s->a) : (struct val){.n = 1}, k;
	struct entry *e;

	if (s->kind == LS_DELETE) {
		k = eval(m, s->key);
		e = find(m, s->which, &k);
		if (e)
			e->gone = true;
		return;
	}
	if (m->way != GOES_ON)
		return;
	e = entry_of(m, s->which, s->key);
	if (s->kind == LS_AGG)
		count_in(e, map, v.n);
	else if (s->kind == LS_MSET)
		e->value = v;
	else
		e->value.n = operation(m, s->kind == LS_MOP ? s->op : s->op ? LO_SUB : LO_ADD, e->value.n, v.n,
			is_uns(map->value));
}

static void output(struct machine *m, const struct ls *s)
{
	struct val v[6];

	for (unsigned i = 0; i < s->nargs; i++)
		v[i] = eval(m, s->arg[i]);
	if (m->way != GOES_ON)
		return;
	for (unsigned i = 0; i < s->nargs; i++) {
		show(m->out, s->arg[i]->t, &v[i]);
		if (s->kind == LS_PRINTF)
			buf_putc(m->out, '|');
	}
	buf_putc(m->out, '\n');
}

/* The key, one value or a tuple, and the value. */
static struct val pair(struct machine *m, const struct lang_map *map, const struct entry *e)
{
	struct val v = {.el = ARENA_ARRAY(m->p->a, struct val, 2)};

	v.el[0] = map->key->n == 1 ? e->key.el[0] : e->key;
	v.el[1] = e->value;
	if (map->agg != LA_NONE)
		v.el[1].n = agg_number(map->agg, e, is_uns(map->value));
	return v;
}

static void each(struct machine *m, const struct ls *s)
{
	uint32_t n = m->map[s->which].n;

	for (uint32_t i = 0; i < n && m->way == GOES_ON; i++) {
		struct entry *e = m->map[s->which].v[i];

		if (e->gone)
			continue;
		m->var[s->var] = pair(m, &m->p->map[s->which], e);
		run(m, s->yes);
		if (m->way == CONTINUES)
			m->way = GOES_ON;
	}
	if (m->way == BREAKS)
		m->way = GOES_ON;
}

static void find_and_run(struct machine *m, const struct ls *s)
{
	struct val k = eval(m, s->key);
	struct entry *e = find(m, s->which, &k);

	if (e)
		m->var[s->var] = e->value;
	run(m, e ? s->yes : s->no);
}

static void loop(struct machine *m, const struct ls *s)
{
	for (unsigned i = 0; i < s->turns && m->way == GOES_ON; i++) {
		m->var[s->which].n = (uint64_t)(s->from + (int64_t)i);
		run(m, s->yes);
		if (m->way == CONTINUES)
			m->way = GOES_ON;
	}
	if (m->way == BREAKS)
		m->way = GOES_ON;
}

static void run_one(struct machine *m, const struct ls *s)
{
	switch (s->kind) {
	case LS_SET:
	case LS_OP:
	case LS_INC:
		assign(m, s);
		break;
	case LS_IF:
		run(m, eval(m, s->a).n ? s->yes : s->no);
		break;
	case LS_BREAK:
		m->way = BREAKS;
		break;
	case LS_CONTINUE:
		m->way = CONTINUES;
		break;
	case LS_RETURN:
		leave(m, s->a);
		break;
	case LS_EACH:
		each(m, s);
		break;
	case LS_FIND:
		find_and_run(m, s);
		break;
	case LS_PRINT:
	case LS_PRINTF:
		output(m, s);
		break;
	case LS_FOR:
	case LS_OPEN:
	case LS_WHILE:
	case LS_UNROLL:
		loop(m, s);
		break;
	default:
		map_statement(m, s);
		break;
	}
}

static void run(struct machine *m, const struct ls *s)
{
	for (; s && m->way == GOES_ON; s = s->next)
		run_one(m, s);
}

/* As lang_text writes them at the head of each probe. */
static struct val first_value(struct machine *m, const struct lang_type *t, unsigned i)
{
	static const char *const texts[] = {"", "a", "ab", "abcabcab", "abcabcabc"};
	struct val v = zero_of(m, t);

	if (t->kind == LK_STR)
		v.s = texts[i % 5];
	else if (t->kind != LK_TUPLE)
		v.n = field(&m->p->in, i % LANG_FIELDS);
	for (unsigned k = 0; t->kind == LK_TUPLE && k < t->n; k++)
		v.el[k] = first_value(m, t->el[k], i + k);
	return v;
}

void lang_eval(const struct lang *p, struct buf *out, uint64_t *zero_divs)
{
	struct machine *m = ARENA_NEW(p->a, struct machine);

	m->p = p;
	m->out = out;
	for (unsigned probe = 0; probe < LANG_PROBES; probe++) {
		for (unsigned i = 0; i < p->nvars; i++) {
			m->var[i] = first_value(m, p->var[i].t, i + probe);
			m->var[i].n = as_declared(m, i, m->var[i].n);
		}
		m->way = GOES_ON;
		run(m, p->body[probe]);
	}
	buf_puts(out, "--\n");
	for (unsigned i = 0; i < p->nmaps; i++) {
		for (uint32_t k = 0; k < m->map[i].n; k++) {
			if (!m->map[i].v[k]->gone)
				show_entry(m, i, m->map[i].v[k]);
		}
	}
	*zero_divs = m->zero_divs;
}
