/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * printf formats, one conversion at a time: %[flags][width][.precision][length]letter. The front
 * end checks formats and the runtime follows them with the same eyes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FMT_WIDTH_MAX 4096 /* a damaged format must not ask for gigabytes */

struct fmt_spec {
	uint32_t start, len; /* bytes of the text, '%' included */
	bool left, plus, space, zero, alt;
	int width, precision; /* -1 when absent */
	bool star;	      /* '*' as width or precision */
	char length[3];	      /* "", "hh", "h", "l", "ll", "j", "z", "t", "L" */
	char conv;	      /* what stands in the letter's place; 0: the text ends there */
	char variant;	      /* of r: h or x, else 0 */
};

/*
 * The next conversion at or after *pos; false at the end. *pos moves behind it. "%%" is passed over:
 * it is text.
 */
/* Bytes of a percent sign that begins no conversion: "%%", or alone at the end of a line; 0: it does. */
unsigned fmt_percent(const char *s, size_t n);
bool fmt_next(const char *text, size_t n, uint32_t *pos, struct fmt_spec *out);
/* a * b / c, rounded down, for a <= c: no sum on the way is wider than 64 bits. */
uint64_t fmt_share(uint64_t a, uint32_t b, uint64_t c);
bool fmt_is_number(char conv); /* d i u o x X c p */
bool fmt_is_known(char conv);  /* these, s and r */
