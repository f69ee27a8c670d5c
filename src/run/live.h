/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --live: on a terminal the maps stand below the script's output and are drawn anew every second. */
#pragma once
#include "run/session.h"

/* Draws when it is time to; does nothing unless the output is text on a terminal. */
void live_draw(struct session *s, uint64_t now_ms);
/* Takes the drawing away, before something else is written. */
void live_erase(struct session *s);
/*
 * The lines of text that fit a screen: the last ones, since maps are sorted upwards, each cut to
 * columns. Returns how many.
 */
unsigned live_fit(struct buf *out, const char *text, size_t n, unsigned rows, unsigned columns);
