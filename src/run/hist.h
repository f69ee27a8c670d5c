/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Histograms as bpftrace prints them, from the words of a HIST or LHIST value. */
#pragma once
#include "base/meta.h"

uint32_t hist_buckets(const struct meta_map *map); /* words of a value that count something */
/* The rows from the first to the last bucket that is not empty; nothing when all are. */
void hist_text(struct buf *out, const struct meta_map *map, const uint8_t *value, uint64_t div);
/*
 * Every bucket from the first to the last that is not empty: the last value in it (has_end false: it
 * has none; negative: that value is signed) and its count.
 */
void hist_each(const struct meta_map *map, const uint8_t *value,
	void (*each)(void *arg, bool has_end, bool negative, uint64_t last, uint64_t count), void *arg);
void hist_json(struct buf *out, const struct meta_map *map, const uint8_t *value, uint64_t div);
