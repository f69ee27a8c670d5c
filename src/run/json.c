/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One JSON object a line, in bpftrace's schema. Keys are strings; parts of a tuple join with ",". */
#include "run/emit.h"
#include "run/field.h"
#include "run/hist.h"
#include "run/series.h"
#include <inttypes.h>
#include <string.h>

static void head(struct buf *out, const char *type)
{
	buf_printf(out, "{\"type\": \"%s\", \"data\": ", type);
}

static void json_attached(struct buf *out, uint64_t probes)
{
	buf_printf(out,
		"{\"type\": \"attached_probes\", \"count\": %" PRIu64
		", \"data\": {\"probes\": %" PRIu64 "}}\n",
		probes, probes);
}

static void json_lost(struct buf *out, uint64_t events)
{
	buf_printf(out,
		"{\"type\": \"lost_events\", \"count\": %" PRIu64 ", \"data\": {\"events\": %" PRIu64
		"}}\n",
		events, events);
}

static void chars(struct buf *out, const char *type, const char *text, size_t n)
{
	head(out, type);
	json_string(out, text, n);
	buf_puts(out, "}\n");
}

/* Where the last part of text up to end begins, behind a ':'. */
static const char *last_part(const char *text, const char *end)
{
	while (end > text && end[-1] != ':')
		end--;
	return end;
}

static void json_told(struct buf *out, const char *type, const char *line)
{
	const char *msg = strstr(line, "ERROR: "), *col, *row, *other = strstr(line, "WARNING: ");

	if (!msg || (other && other < msg))
		msg = other;
	col = msg && msg - line > 2 ? last_part(line, msg - 2) : line;
	row = col > line ? last_part(line, col - 1) : line;
	if (row == line) {
		chars(out, type, line, strlen(line));
		return;
	}
	msg = strchr(msg, ' ') + 1;
	buf_printf(out, "{\"type\": \"%s\", \"msg\": ", type);
	json_string(out, msg, strlen(msg) - 1); /* without the line's end */
	buf_puts(out, ", \"filename\": ");
	json_string(out, line, (size_t)(row - 1 - line));
	buf_printf(out, ", \"line\": %.*s, \"col\": %.*s}\n", (int)strcspn(row, ":"), row,
		(int)strcspn(col, "-"), col);
}

static void json_printf(struct buf *out, const char *text, size_t n)
{
	chars(out, "printf", text, n);
}

static void json_time(struct buf *out, const char *text, size_t n)
{
	chars(out, "time", text, n);
}

static void json_value(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len)
{
	head(out, "value");
	field_json(out, m, f, base, len);
	buf_puts(out, "}\n");
}

static void json_before_maps(struct buf *out)
{
	(void)out; /* a blank line would be no JSON */
}

static void number(struct buf *out, bool is_signed, uint64_t v, uint64_t div)
{
	if (is_signed && (int64_t)v < 0)
		json_int(out, (int64_t)(0 - (0 - v) / div));
	else
		json_uint(out, v / div);
}

static void map_value(struct buf *out, const struct table *t, const uint8_t *value, uint64_t div)
{
	const struct meta_map *map = t->map;
	bool is_signed = table_signed(map) && map->agg != MA_COUNT;
	bool plain_number = map->value.kind == MK_INT || map->value.kind == MK_UINT;

	if (map->agg == MA_HIST || map->agg == MA_LHIST) {
		hist_json(out, map, value, div);
	} else if (map->agg == MA_TSERIES) {
		series_json(out, t, value);
	} else if (map->agg == MA_NONE && !(plain_number && div > 1)) {
		field_json(out, t->meta, &map->value, value, map->value_size);
	} else if (map->agg == MA_STATS) {
		buf_printf(out, "{\"count\": %" PRIu64 ", \"average\": ", table_word(map, value, 1));
		number(out, is_signed, table_number(map, value), div);
		buf_puts(out, ", \"total\": ");
		number(out, is_signed, table_word(map, value, 0), 1); /* as bpftrace */
		buf_putc(out, '}');
	} else {
		number(out, is_signed, table_number(map, value), div);
	}
}

static void map_key(struct buf *out, const struct table *t, const struct table_entry *e)
{
	struct buf text;

	buf_init(&text, out->a);
	for (uint32_t k = 0; k < t->map->keys.n; k++) {
		if (k)
			buf_putc(&text, ',');
		field_text(&text, t->meta, &t->map->keys.v[k], e->key, t->map->key_size);
	}
	json_string(out, text.p, text.n);
}

static const char *map_type(const struct meta_map *map)
{
	if (map->agg == MA_HIST || map->agg == MA_LHIST)
		return "hist";
	if (map->agg == MA_TSERIES)
		return "tseries";
	return map->agg == MA_AVG || map->agg == MA_STATS ? "stats" : "map";
}

static void json_map(struct buf *out, const struct table *t, uint64_t div)
{
	if (!t->entries.n)
		return;
	div = div ? div : 1;
	head(out, map_type(t->map));
	buf_putc(out, '{');
	json_string(out, t->map->name, strlen(t->map->name));
	buf_puts(out, ": ");
	if (!t->entries.v[0].key) {
		map_value(out, t, t->entries.v[0].value, div);
	} else {
		for (uint32_t i = 0; i < t->entries.n; i++) {
			buf_puts(out, i ? ", " : "{");
			map_key(out, t, &t->entries.v[i]);
			buf_puts(out, ": ");
			map_value(out, t, t->entries.v[i].value, div);
		}
		buf_putc(out, '}');
	}
	buf_puts(out, "}}\n");
}

static void json_entry(struct buf *out, const struct table *t)
{
	head(out, "value");
	map_value(out, t, t->entries.v[0].value, 1);
	buf_puts(out, "}\n");
}

const struct emit_form emit_json = {
	.announce_to_out = true,
	.attached = json_attached,
	.lost = json_lost,
	.map = json_map,
	.entry = json_entry,
	.printf = json_printf,
	.chars = chars,
	.told = json_told,
	.time = json_time,
	.value = json_value,
	.before_maps = json_before_maps,
};
