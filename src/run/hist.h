/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Histograms as bpftrace prints them, from the words of a HIST or LHIST value. */
#pragma once
#include "base/meta.h"

uint32_t hist_buckets(const struct meta_map *map); /* words of a value that count something */
/* The rows from the first to the last bucket that is not empty; nothing when all are. */
void hist_text(struct buf *out, const struct meta_map *map, const uint8_t *value, uint64_t div);
void hist_json(struct buf *out, const struct meta_map *map, const uint8_t *value, uint64_t div);
