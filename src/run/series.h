/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Values of tseries(): one number for each interval of time. */
#pragma once
#include "run/table.h"

/* Joins one CPU's value into the sum so far. */
void series_merge(const struct meta_map *map, uint8_t *into, const uint8_t *from);
/* The last interval that has a value; 0 none. */
uint64_t series_last(const struct meta_map *map, const uint8_t *value);
/* Rows end at the last interval of any entry. */
void series_text(struct buf *out, const struct table *t, const uint8_t *value);
void series_json(struct buf *out, const struct table *t, const uint8_t *value);
