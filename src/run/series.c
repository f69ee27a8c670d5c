/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The form is bpftrace 0.27's: a line for each interval, a point 53 wide between the least and the
 * greatest value, a dot where 0 lies between them. Places are whole numbers, rounded down: bpftrace's
 * are single precision, which is one column off at most, and only for spans beyond 2^17.
 */
#include "run/series.h"
#include "run/field.h"
#include "run/fmt.h"
#include "run/names.h"
#include <inttypes.h>
#include <string.h>

#define WIDE 53
#define LEFT 21 /* columns of the least value, above and below the picture */

struct bucket {
	uint64_t value, extra, number;
};

static struct bucket bucket_at(const struct meta_map *map, const uint8_t *value, uint64_t i)
{
	struct bucket b;

	_Static_assert(sizeof(b) == 8 * META_SERIES_WORDS, "a bucket");
	memcpy(&b, value + i % (uint64_t)map->lhist_max * sizeof(b), sizeof(b));
	b.number &= INT64_MAX; /* is; a loop up to it ends */
	return b;
}

static bool less(const struct meta_map *map, uint64_t a, uint64_t b)
{
	return table_signed(map) ? (int64_t)a < (int64_t)b : a < b;
}

static void join(const struct meta_map *map, struct bucket *b, const struct bucket *f)
{
	bool take = f->number > b->number;

	if (f->number == b->number) {
		switch (map->hist_bits) {
		case MA_SUM:
		case MA_AVG:
			b->value += f->value;
			b->extra += f->extra;
			break;
		case MA_MIN:
			take = less(map, f->value, b->value);
			break;
		case MA_MAX:
			take = less(map, b->value, f->value);
			break;
		default:
			take = f->extra > b->extra;
			break;
		}
	}
	if (take)
		*b = *f;
}

void series_merge(const struct meta_map *map, uint8_t *into, const uint8_t *from)
{
	for (uint64_t i = 0; i < (uint64_t)map->lhist_max; i++) {
		struct bucket b = bucket_at(map, into, i), f = bucket_at(map, from, i);

		join(map, &b, &f);
		memcpy(into + i * sizeof(b), &b, sizeof(b));
	}
}

uint64_t series_last(const struct meta_map *map, const uint8_t *value)
{
	uint64_t last = 0;

	for (uint64_t i = 0; i < (uint64_t)map->lhist_max; i++) {
		struct bucket b = bucket_at(map, value, i);

		last = b.number > last ? b.number : last;
	}
	return last;
}

/* The value of an interval; false: it has none. */
static bool value_of(const struct meta_map *map, const uint8_t *value, uint64_t number, uint64_t *v)
{
	struct bucket b = bucket_at(map, value, number);

	if (!number || b.number != number)
		return false;
	*v = b.value;
	if (map->hist_bits == MA_AVG && b.extra)
		*v = table_signed(map) && (int64_t)b.value < 0 ? 0 - (0 - b.value) / b.extra
							       : b.value / b.extra;
	return true;
}

/* From the first interval with a value that is not too old to the last of all entries. */
struct rows {
	uint64_t first, last; /* no rows: last < first */
	uint64_t min, max;
};

static struct rows rows_of(const struct table *t, const uint8_t *value)
{
	const struct meta_map *map = t->map;
	uint64_t n = (uint64_t)map->lhist_max, v;
	struct rows r = {.first = 0};

	for (uint32_t i = 0; i < t->entries.n; i++) {
		uint64_t last = series_last(map, t->entries.v[i].value);

		r.last = last > r.last ? last : r.last;
	}
	for (uint64_t i = r.last >= n ? r.last - n + 1 : 1; i <= r.last; i++) {
		if (!value_of(map, value, i, &v))
			continue;
		if (!r.first) {
			r.first = i;
			r.min = r.max = v;
		}
		r.min = less(map, v, r.min) ? v : r.min;
		r.max = less(map, r.max, v) ? v : r.max;
	}
	if (!r.first)
		r.first = r.last + 1;
	return r;
}

static struct timespec start_of(const struct table *t, uint64_t number)
{
	const struct meta_map *map = t->map;
	uint64_t ns = (number - 1) * (uint64_t)map->lhist_step;

	if (!map->lhist_min)
		return time_of_ns(t->meta, ns);
	return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

static const char *number_text(struct arena *a, const struct meta_map *map, uint64_t v)
{
	return arena_printf(a, table_signed(map) ? "%" PRId64 : "%" PRIu64, v);
}

/* The ends of the scale, above and below. */
static void scale(struct buf *out, const struct meta_map *map, const struct rows *r, int indent)
{
	buf_printf(out, "%*s%-*s%*s\n", indent, "", LEFT,
		number_text(out->a, map, r->min), WIDE - LEFT,
		number_text(out->a, map, r->max));
}

/* How far v is between the ends, in columns of width. */
static int place(const struct rows *r, uint64_t v, int width)
{
	int at = (int)fmt_share(v - r->min, (uint32_t)width, r->max - r->min);

	return at > WIDE - 1 ? WIDE - 1 : at;
}

static void row(struct buf *out, const struct meta_map *map, const uint8_t *value,
	const struct rows *r, uint64_t number)
{
	char line[WIDE + 1];
	uint64_t v;
	bool has = value_of(map, value, number, &v);
	int zero = 0;

	memset(line, ' ', WIDE);
	line[WIDE] = 0;
	line[0] = line[WIDE - 1] = '|';
	if (table_signed(map) && (int64_t)r->min < 0 && (int64_t)r->max > 0)
		zero = place(r, 0, WIDE);
	if (zero)
		line[zero] = '.';
	if (has)
		line[place(r, v, WIDE - 1)] = '*';
	buf_printf(out, " %s %s\n", line, has ? number_text(out->a, map, v) : "-");
}

/* One value only: a little room on both sides. */
static void widen(const struct meta_map *map, struct rows *r)
{
	bool is_signed = table_signed(map);

	if (r->min != r->max)
		return;
	r->min -= r->min != (is_signed ? (uint64_t)INT64_MIN : 0);
	r->max += r->max != (is_signed ? (uint64_t)INT64_MAX : UINT64_MAX);
}

void series_text(struct buf *out, const struct table *t, const uint8_t *value)
{
	static const struct {
		uint64_t least; /* interval in ns */
		const char *name;
		int digits; /* of the seconds' fraction */
	} units[] = {{1000000000, "hh:mm:ss", 0}, {1000000, "hh:mm:ss.ms", 3},
		{1000, "hh:mm:ss.\xce\xbcs", 6}, {0, "hh:mm:ss.ns", 9}};
	const struct meta_map *map = t->map;
	struct rows r = rows_of(t, value);
	unsigned k = 0;
	int digits, indent;
	char bar[WIDE - 1];

	if (r.last < r.first) {
		buf_puts(out, "<no data>");
		return;
	}
	widen(map, &r);
	memset(bar, '_', WIDE - 2);
	bar[WIDE - 2] = 0;
	while (units[k].least > (r.first < r.last ? (uint64_t)map->lhist_step : 0))
		k++;
	digits = units[k].digits;
	indent = 9 + (digits ? digits + 1 : 0);
	scale(out, map, &r, indent);
	buf_printf(out, "%-*s|%s|\n", indent, units[k].name, bar);
	for (uint64_t i = r.first; i <= r.last; i++) {
		struct timespec at = start_of(t, i);

		fmt_time(out, "%H:%M:%S", at);
		if (digits)
			buf_printf(out, ".%.*s", digits, arena_printf(out->a, "%09ld", at.tv_nsec));
		row(out, map, value, &r, i);
	}
	buf_printf(out, "%*sv%sv\n", indent, "", bar);
	scale(out, map, &r, indent);
}

void series_json(struct buf *out, const struct table *t, const uint8_t *value)
{
	struct rows r = rows_of(t, value);
	const char *comma = "";
	uint64_t v;

	buf_putc(out, '[');
	for (uint64_t i = r.first; i <= r.last; i++) {
		struct timespec at = start_of(t, i);
		char day[32];
		struct tm tm;

		if (!value_of(t->map, value, i, &v) || !gmtime_r(&at.tv_sec, &tm))
			continue;
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
		buf_printf(out, "%s{\"interval_start\":\"%s.%09ld\",\"value\":", comma, day, at.tv_nsec);
		table_signed(t->map) ? json_int(out, (int64_t)v) : json_uint(out, v);
		buf_putc(out, '}');
		comma = ",";
	}
	buf_putc(out, ']');
}
