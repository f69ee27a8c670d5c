/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text output in bpftrace 0.27's form. */
#include "run/emit.h"
#include "run/field.h"
#include "run/hist.h"
#include "run/series.h"
#include <inttypes.h>

static void text_attached(struct buf *out, uint64_t probes)
{
	buf_printf(out, "Attached %" PRIu64 " probe%s\n", probes, probes == 1 ? "" : "s");
}

static void text_lost(struct buf *out, uint64_t events)
{
	buf_printf(out, "WARNING: Lost %" PRIu64 " events\n", events);
}

static void text_chars(struct buf *out, const char *text, size_t n)
{
	buf_put(out, text, n);
}

static void text_typed(struct buf *out, const char *type, const char *text, size_t n)
{
	(void)type;
	buf_put(out, text, n);
}

static void text_value(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len)
{
	field_text(out, m, f, base, len);
	buf_putc(out, '\n');
}

static void text_before_maps(struct buf *out)
{
	buf_puts(out, "\n\n");
}

static void number(struct buf *out, bool is_signed, uint64_t v, uint64_t div)
{
	if (is_signed && (int64_t)v < 0)
		buf_printf(out, "%s%" PRIu64, (0 - v) / div ? "-" : "", (0 - v) / div);
	else
		buf_printf(out, "%" PRIu64, v / div);
}

static void one_line(struct buf *out, const struct table *t, const uint8_t *value, uint64_t div)
{
	const struct meta_map *map = t->map;
	bool is_signed = table_signed(map) && map->agg != MA_COUNT;
	bool plain_number = map->value.kind == MK_INT || map->value.kind == MK_UINT;

	if (map->agg == MA_NONE && !(plain_number && div > 1)) {
		field_text(out, t->meta, &map->value, value, map->value_size);
	} else if (map->agg == MA_STATS) {
		buf_printf(out, "{ .count = %" PRIu64 ", .average = ", table_word(map, value, 1));
		number(out, is_signed, table_number(map, value), div);
		buf_puts(out, ", .total = ");
		number(out, is_signed, table_word(map, value, 0), 1); /* as bpftrace */
		buf_puts(out, " }");
	} else {
		number(out, is_signed, table_number(map, value), div);
	}
}

static void buckets(struct buf *out, const struct table *t, const uint8_t *value, uint64_t div)
{
	if (t->map->agg == MA_TSERIES)
		series_text(out, t, value);
	else
		hist_text(out, t->map, value, div);
}

static void text_map(struct buf *out, const struct table *t, uint64_t div)
{
	const struct meta_map *map = t->map;
	bool many = meta_agg_buckets(map->agg);

	for (uint32_t i = 0; i < t->entries.n; i++) {
		const struct table_entry *e = &t->entries.v[i];

		buf_puts(out, map->name);
		for (uint32_t k = 0; e->key && k < map->keys.n; k++) {
			buf_puts(out, k ? ", " : "[");
			field_text(out, t->meta, &map->keys.v[k], e->key, map->key_size);
		}
		buf_puts(out, e->key && map->keys.n ? "]:" : ":");
		buf_putc(out, many ? '\n' : ' ');
		if (many)
			buckets(out, t, e->value, div);
		else
			one_line(out, t, e->value, div ? div : 1);
		buf_putc(out, '\n');
	}
}

static void text_entry(struct buf *out, const struct table *t)
{
	if (meta_agg_buckets(t->map->agg))
		buckets(out, t, t->entries.v[0].value, 1);
	else
		one_line(out, t, t->entries.v[0].value, 1);
	buf_putc(out, '\n');
}

const struct emit_form emit_text = {
	.attached = text_attached,
	.lost = text_lost,
	.map = text_map,
	.entry = text_entry,
	.printf = text_chars,
	.chars = text_typed,
	.time = text_chars,
	.value = text_value,
	.before_maps = text_before_maps,
};
