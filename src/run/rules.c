/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/rules.h"
#include "run/field.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST 60

const struct rule_count *rules_read(struct session *s, struct arena *a, uint32_t *n)
{
	const struct meta *m = &s->l->meta;
	uint32_t map = meta_role_map(m, MM_RULES);
	const struct meta_map *row = map == META_NONE ? NULL : &m->maps.v[map];
	uint32_t words, room;
	struct rule_count *sum;
	uint64_t *raw;

	*n = 0;
	if (!row)
		return NULL;
	room = row->value_size / sizeof(*sum);
	*n = m->rules.n < room ? m->rules.n : room;
	words = (row->value_size + 7) / 8;
	sum = ARENA_ARRAY(a, struct rule_count, *n + 1);
	raw = ARENA_ARRAY(a, uint64_t, (size_t)words * s->ncpus);
	if (!session_value(s, map, raw)) {
		*n = 0;
		return NULL;
	}
	for (uint32_t c = 0; c < s->ncpus; c++) {
		for (uint32_t i = 0; i < *n; i++) {
			sum[i].packets += raw[(size_t)words * c + 2 * i];
			sum[i].bytes += raw[(size_t)words * c + 2 * i + 1];
		}
	}
	return sum;
}

static const struct meta_source *source_of(const struct meta *m, uint32_t off)
{
	for (uint32_t i = 0; off && i < m->sources.n; i++) {
		const struct meta_source *src = &m->sources.v[i];

		if (off >= src->base && off - src->base <= strlen(src->text))
			return src;
	}
	return NULL;
}

const char *rule_place(const struct meta *m, uint32_t i, struct arena *a)
{
	const struct meta_source *src = source_of(m, m->rules.v[i].off);
	uint32_t line = 1;

	if (!src)
		return "?";
	for (const char *p = src->text; p < src->text + (m->rules.v[i].off - src->base); p++)
		line += *p == '\n';
	return arena_printf(a, "%s:%u", src->name, line);
}

/* The source's text on one line, blanks drawn together. */
const char *rule_text(const struct meta *m, uint32_t i, struct arena *a)
{
	const struct meta_rule *r = &m->rules.v[i];
	const struct meta_source *src = source_of(m, r->off);
	const char *p, *end;
	struct buf b;

	if (*r->text || !src)
		return *r->text ? r->text : "?";
	p = src->text + (r->off - src->base);
	end = p + (strlen(p) < r->len ? strlen(p) : r->len);
	buf_init(&b, a);
	buf_puts(&b, "");
	for (; p < end && b.n < TEXT_MOST; p++) {
		bool blank = (unsigned char)*p <= ' ';

		if (!blank)
			buf_putc(&b, *p);
		else if (b.n && b.p[b.n - 1] != ' ')
			buf_putc(&b, ' ');
	}
	if (p < end)
		buf_puts(&b, "…");
	else if (strstr(b.p, " /"))
		buf_putc(&b, '/'); /* the row ends before the slash that ends the predicate */
	return b.p;
}

struct row {
	uint32_t off, i;
};

static int by_place(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->off != y->off ? (x->off < y->off ? -1 : 1) : x->i < y->i ? -1 : x->i > y->i;
}

/* Rows in the order of the source. */
static const struct row *in_order(struct session *s, uint32_t n)
{
	struct row *v = ARENA_ARRAY(&s->scratch, struct row, n + 1);

	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct row){s->l->meta.rules.v[i].off, i};
	qsort(v, n, sizeof(*v), by_place);
	return v;
}

static void print_json(struct session *s, const struct rule_count *v, uint32_t n)
{
	const struct meta *m = &s->l->meta;
	const struct row *order = in_order(s, n);

	buf_puts(&s->out, "{\"type\": \"rules\", \"data\": [");
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = order[k].i;
		const char *text = rule_text(m, i, &s->scratch);
		const char *place = rule_place(m, i, &s->scratch);

		buf_puts(&s->out, k ? ", {\"rule\": " : "{\"rule\": ");
		json_string(&s->out, text, strlen(text));
		buf_puts(&s->out, ", \"place\": ");
		json_string(&s->out, place, strlen(place));
		buf_printf(&s->out, ", \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 "}",
			v[i].packets, v[i].bytes);
	}
	buf_puts(&s->out, "]}\n");
}

void rules_print(struct session *s)
{
	const struct meta *m = &s->l->meta;
	const struct rule_count *v;
	const struct row *order;
	uint32_t n;

	session_flush(s); /* it may empty the scratch arena */
	v = rules_read(s, &s->scratch, &n);
	if (!v || !n)
		return;
	if (s->o->format == RUN_JSON) {
		print_json(s, v, n);
		return;
	}
	buf_printf(&s->out, "%12s %14s  %s\n", "packets", "bytes", "rule");
	order = in_order(s, n);
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = order[k].i;

		buf_printf(&s->out, "%12" PRIu64 " %14" PRIu64 "  %s  (%s)\n", v[i].packets,
			v[i].bytes, rule_text(m, i, &s->scratch), rule_place(m, i, &s->scratch));
	}
	buf_putc(&s->out, '\n');
}

void rules_live(struct session *s, struct rules_last *last, uint64_t ms)
{
	const struct meta *m = &s->l->meta;
	const struct rule_count *v;
	const struct row *order;
	uint32_t n;

	session_flush(s);
	v = rules_read(s, &s->scratch, &n);
	if (!v || !n)
		return;
	if (!last->v)
		last->v = ARENA_ARRAY(s->l->a, struct rule_count, n);
	last->n = n;
	order = in_order(s, n);
	buf_printf(&s->out, "%12s %14s %10s %12s  %s\n", "packets", "bytes", "packets/s", "bytes/s",
		"rule");
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = order[k].i;
		uint64_t p = ms ? (v[i].packets - last->v[i].packets) * 1000 / ms : 0;
		uint64_t b = ms ? (v[i].bytes - last->v[i].bytes) * 1000 / ms : 0;

		buf_printf(&s->out, "%12" PRIu64 " %14" PRIu64 " %10" PRIu64 " %12" PRIu64 "  %s\n",
			v[i].packets, v[i].bytes, p, b, rule_text(m, i, &s->scratch));
		last->v[i] = v[i];
	}
}
