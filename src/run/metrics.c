/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * https://prometheus.io/docs/instrumenting/exposition_formats/: text format 0.0.4. One metric name
 * for all maps, the map's name and key as labels: a script's maps come and go, dashboards stay.
 * Written beside the file and renamed, so a reader (node_exporter's textfile collector) never sees
 * half of it.
 */
#include "run/metrics.h"
#include "base/utf8.h"
#include "kern/file.h"
#include "run/field.h"
#include "run/hist.h"
#include "run/rules.h"
#include "run/table.h"
#include <inttypes.h>
#include <string.h>

struct metrics {
	struct session *s;
	struct buf *out;
	const struct table *t;
	const struct table_entry *e;
	uint64_t total;
};

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label(struct buf *out, const char *text, size_t n)
{
	for (size_t i = 0, took; i < n; i += took) {
		took = 1;
		if (text[i] == '\n')
			buf_puts(out, "\\n");
		else if (text[i] == '"' || text[i] == '\\')
			buf_printf(out, "\\%c", text[i]);
		else
			took = buf_utf8(out, text + i, n - i);
	}
}

static void map_labels(struct metrics *k)
{
	const struct meta_map *map = k->t->map;
	struct buf key;

	buf_init(&key, &k->s->scratch);
	buf_puts(&key, "");
	for (uint32_t i = 0; k->e->key && i < map->keys.n; i++) {
		buf_puts(&key, i ? "," : "");
		field_text(&key, k->t->meta, &map->keys.v[i], k->e->key, map->key_size);
	}
	buf_puts(k->out, "map=\"");
	label(k->out, map->name, strlen(map->name));
	buf_puts(k->out, "\",key=\"");
	label(k->out, key.p, key.n);
	buf_putc(k->out, '"');
}

static void number(struct buf *out, const struct meta_map *map, uint64_t v)
{
	if (table_signed(map) && map->agg != MA_COUNT)
		buf_printf(out, "%" PRId64 "\n", (int64_t)v);
	else
		buf_printf(out, "%" PRIu64 "\n", v);
}

static void bucket(void *arg, bool has_end, bool negative, uint64_t last, uint64_t count)
{
	struct metrics *k = arg;

	k->total += count;
	if (!has_end)
		return;
	buf_puts(k->out, "skep_histogram_bucket{");
	map_labels(k);
	buf_printf(k->out, negative ? ",le=\"%" PRId64 "\"} %" PRIu64 "\n" : ",le=\"%" PRIu64 "\"} %" PRIu64 "\n",
		last, k->total);
}

static void histogram(struct metrics *k)
{
	k->total = 0;
	hist_each(k->t->map, k->e->value, bucket, k);
	buf_puts(k->out, "skep_histogram_bucket{");
	map_labels(k);
	buf_printf(k->out, ",le=\"+Inf\"} %" PRIu64 "\nskep_histogram_count{", k->total);
	map_labels(k);
	buf_printf(k->out, "} %" PRIu64 "\n", k->total);
}

static bool is_hist(const struct meta_map *m)
{
	return m->agg == MA_HIST || m->agg == MA_LHIST;
}

static bool has_number(const struct meta_map *m)
{
	return m->agg != MA_NONE ? m->agg != MA_TSERIES : field_is_number(&m->value);
}

static void maps(struct metrics *k, bool hists)
{
	const struct meta *m = &k->s->l->meta;
	struct table t;

	for (uint32_t i = 0; i < m->maps.n; i++) {
		const struct meta_map *map = &m->maps.v[i];

		if (map->role != MM_USER || is_hist(map) != hists || !has_number(map))
			continue;
		session_read_map(k->s, i, &t);
		k->t = &t;
		for (uint32_t e = 0; e < t.entries.n; e++) {
			k->e = &t.entries.v[e];
			if (hists) {
				histogram(k);
				continue;
			}
			buf_puts(k->out, "skep_map{");
			map_labels(k);
			buf_puts(k->out, "} ");
			number(k->out, map, table_number(map, k->e->value));
		}
	}
}

static void rules(struct metrics *k)
{
	const struct meta *m = &k->s->l->meta;
	uint32_t n;
	const struct rule_count *v = rules_read(k->s, &k->s->scratch, &n);

	for (int bytes = 0; v && n && bytes < 2; bytes++) {
		const char *name = bytes ? "skep_rule_bytes_total" : "skep_rule_packets_total";

		head(k->out, name, "counter",
			bytes ? "Bytes of the packets a rule matched." : "Packets a rule matched.");
		for (uint32_t i = 0; i < n; i++) {
			const char *text = rule_text(m, i, &k->s->scratch);
			const char *place = rule_place(m, i, &k->s->scratch);

			buf_printf(k->out, "%s{rule=\"", name);
			label(k->out, text, strlen(text));
			buf_puts(k->out, "\",place=\"");
			label(k->out, place, strlen(place));
			buf_printf(k->out, "\"} %" PRIu64 "\n", bytes ? v[i].bytes : v[i].packets);
		}
	}
}

void metrics_text(struct session *s, struct buf *out)
{
	struct metrics k = {.s = s, .out = out};

	head(out, "skep_map", "gauge", "Value of a map of the script.");
	maps(&k, false);
	head(out, "skep_histogram", "histogram", "Values a histogram of the script has counted.");
	maps(&k, true);
	rules(&k);
	head(out, "skep_lost_events_total", "counter", "Events that found the ring buffer full.");
	buf_printf(out, "skep_lost_events_total %" PRIu64 "\n", counters_lost(s));
}

bool metrics_write(struct session *s)
{
	struct buf text;
	int err;

	session_flush(s); /* it may empty the scratch arena */
	buf_init(&text, &s->scratch);
	metrics_text(s, &text);
	err = file_write(s->o->metrics, text.p, text.n);
	if (err && !s->metrics_failed)
		session_say(s, "WARNING: cannot write '%s': %s\n", s->o->metrics, strerror(err));
	s->metrics_failed = err != 0;
	return !err;
}
