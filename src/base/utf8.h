/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text of any bytes in files that have to be UTF-8 (JSON, Prometheus, SVG). */
#pragma once
#include "base/arena.h"

/* Puts the character that starts at s, n > 0 bytes before the end, or U+FFFD for a byte that starts none;
 * the bytes taken. */
size_t buf_utf8(struct buf *out, const char *s, size_t n);
