/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* printf formats: one conversion at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct fmt_conv {
	uint32_t start, len; /* bytes of the text, '%' included */
	bool minus, zero, plus, space, alt;
	int width, precision; /* -1: not given */
	char length[3];	      /* "", "h", "hh", "l", "ll", "j", "z", "t", "L" */
	char conv;	      /* 'd', 's' …; 0: the text ends within the conversion */
	bool star;	      /* '*' as width or precision */
};

/*
 * The next conversion at or after *pos ("%%" is text and passed over); false at the end. *pos
 * moves behind it.
 */
bool fmt_next(const char *text, uint32_t n, uint32_t *pos, struct fmt_conv *out);
