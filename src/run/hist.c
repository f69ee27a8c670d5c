/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The form is bpftrace 0.27's: label 16 wide, count 8 wide, a bar of at most 52 marks cut off
 * downwards. Powers of two from 1024 on are written 1K, 2K …, with more bits those of buckets that are
 * 1K, 2K … wide; linear buckets only when the step is a multiple of 1024, in K and M.
 */
#include "run/hist.h"
#include "base/fmt.h"
#include "run/field.h"
#include "run/table.h"
#include <inttypes.h>
#include <string.h>

#define BAR 52

struct bucket {
	bool has_lo, has_hi; /* lo <= v < hi; an open end is missing */
	bool top;	     /* hi is 2^64, which no variable holds */
	bool negative;	     /* the value's sign matters: linear buckets */
	uint64_t lo, hi;
	uint64_t count;
};

uint32_t hist_buckets(const struct meta_map *map)
{
	if (map->agg == MA_HIST)
		return meta_hist_words(map->hist_bits);
	return (uint32_t)meta_lhist_steps(map->lhist_min, map->lhist_max, map->lhist_step) + 2;
}

static struct bucket log2_bucket(const struct meta_map *map, uint32_t i)
{
	uint32_t bits = map->hist_bits, shift;
	struct bucket b = {.has_lo = true, .has_hi = true};

	if (i == 0)
		return (struct bucket){.has_hi = true, .hi = 0};
	i--;
	if (i >> bits == 0) {
		b.lo = i;
		b.hi = i + 1;
		return b;
	}
	shift = (i >> bits) - 1;
	b.lo = ((UINT64_C(1) << bits) + (i & ((1u << bits) - 1))) << shift;
	b.hi = b.lo + (UINT64_C(1) << shift);
	b.top = !b.hi;
	return b;
}

static struct bucket linear_bucket(const struct meta_map *map, uint32_t i, uint32_t n)
{
	uint64_t min = (uint64_t)map->lhist_min, step = (uint64_t)map->lhist_step;
	struct bucket b = {.negative = true, .has_lo = i > 0, .has_hi = i + 1 < n};

	b.lo = min + (i - 1) * step;
	b.hi = min + i * step;
	return b;
}

static struct bucket bucket_at(const struct meta_map *map, const uint8_t *value, uint32_t i,
	uint64_t div)
{
	struct bucket b = map->agg == MA_HIST ? log2_bucket(map, i)
					      : linear_bucket(map, i, hist_buckets(map));

	/* bpftrace divides the counts of hist() only */
	b.count = table_word(map, value, i) / (div && map->agg == MA_HIST ? div : 1);
	return b;
}

/* First and last bucket with a count; false when there is none. */
static bool used_range(const struct meta_map *map, const uint8_t *value, uint32_t *first,
	uint32_t *last)
{
	uint32_t n = hist_buckets(map);
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		if (!table_word(map, value, i))
			continue;
		*first = any ? *first : i;
		*last = i;
		any = true;
	}
	return any;
}

static void power_label(struct buf *out, uint64_t v, unsigned bits, unsigned most)
{
	static const char suffix[] = {0, 'K', 'M', 'G', 'T', 'P', 'E'};
	unsigned k = 0;

	while (v >> bits >= 1024 && v % 1024 == 0 && k < most) {
		v /= 1024;
		k++;
	}
	buf_printf(out, "%" PRIu64, v);
	if (suffix[k])
		buf_putc(out, suffix[k]);
}

static void bound(struct buf *out, const struct meta_map *map, const struct bucket *b, uint64_t v)
{
	if (b->top && v == b->hi)
		buf_puts(out, "16E");
	else if (!b->negative)
		power_label(out, v, map->hist_bits, 6);
	else if (map->lhist_step % 1024)
		buf_printf(out, "%" PRId64, (int64_t)v);
	else if ((int64_t)v < 0) {
		buf_putc(out, '-');
		power_label(out, 0 - v, 0, 2);
	} else {
		power_label(out, v, 0, 2);
	}
}

static void label(struct buf *out, const struct meta_map *map, const struct bucket *b)
{
	if (!b->has_lo) {
		buf_puts(out, "(..., ");
		bound(out, map, b, b->hi);
		buf_putc(out, ')');
		return;
	}
	buf_putc(out, '[');
	bound(out, map, b, b->lo);
	if (!b->has_hi) {
		buf_puts(out, ", ...)");
	} else if (b->hi == b->lo + 1) {
		buf_putc(out, ']');
	} else {
		buf_puts(out, ", ");
		bound(out, map, b, b->hi);
		buf_putc(out, ')');
	}
}

static void bar(struct buf *out, uint64_t count, uint64_t max)
{
	unsigned marks = max ? (unsigned)fmt_share(count, BAR, max) : 0;

	buf_puts(out, " |");
	for (unsigned i = 0; i < BAR; i++)
		buf_putc(out, i < marks ? '@' : ' ');
	buf_puts(out, "|\n");
}

void hist_each(const struct meta_map *map, const uint8_t *value,
	void (*each)(void *arg, bool has_end, bool negative, uint64_t last, uint64_t count), void *arg)
{
	uint32_t first = 0, last = 0;

	if (!used_range(map, value, &first, &last))
		return;
	for (uint32_t i = first; i <= last; i++) {
		struct bucket b = bucket_at(map, value, i, 1);

		each(arg, b.has_hi && !b.top, b.negative || !b.has_lo, b.hi - 1, b.count);
	}
}

void hist_text(struct buf *out, const struct meta_map *map, const uint8_t *value, uint64_t div)
{
	uint32_t first = 0, last = 0;
	uint64_t max = 0;

	if (!used_range(map, value, &first, &last))
		return;
	for (uint32_t i = first; i <= last; i++) {
		uint64_t count = bucket_at(map, value, i, div).count;

		max = count > max ? count : max;
	}
	for (uint32_t i = first; i <= last; i++) {
		struct bucket b = bucket_at(map, value, i, div);
		size_t start = out->n;

		label(out, map, &b);
		while (out->n - start < 16)
			buf_putc(out, ' ');
		buf_printf(out, "%8" PRIu64, b.count);
		bar(out, b.count, max);
	}
}

void hist_json(struct buf *out, const struct meta_map *map, const uint8_t *value, uint64_t div)
{
	uint32_t first = 0, last = 0;

	bool any = used_range(map, value, &first, &last);

	buf_putc(out, '[');
	for (uint32_t i = first; any && i <= last; i++) {
		struct bucket b = bucket_at(map, value, i, div);

		buf_puts(out, i > first ? ",{" : "{");
		if (b.has_lo) {
			buf_puts(out, "\"min\": ");
			b.negative ? json_int(out, (int64_t)b.lo) : json_uint(out, b.lo);
			buf_puts(out, ", ");
		}
		if (b.has_hi) {
			buf_puts(out, "\"max\": ");
			b.top ? json_uint(out, b.hi - 1) : json_int(out, (int64_t)(b.hi - 1));
			buf_puts(out, ", ");
		}
		buf_printf(out, "\"count\": %" PRIu64 "}", b.count);
	}
	buf_putc(out, ']');
}
