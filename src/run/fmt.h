/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* printf and strftime of scripts: the format is the side table's, the arguments are a record's bytes. */
#pragma once
#include "base/meta.h"
#include <time.h>

/*
 * One conversion of a format: %[-+ 0#][width][.precision][length]letters. The front end checks
 * formats with it, too, so both sides agree on what takes an argument.
 */
struct fmt_spec {
	const char *start; /* at the % */
	size_t len;
	bool left, plus, space, zero, alt;
	int width, precision; /* -1 when absent; "*" counts as absent and takes no argument */
	char length[3];	      /* "", "hh", "h", "l", "ll", "j", "z", "t", "L" */
	char conv;	      /* d i u x X o p c s r, % for a literal one; 0: not a conversion */
	char variant;	      /* r: h or x, else 0 */
};

/* Parses the conversion at s (a %), at most up to end. conv is 0 when it is none. */
struct fmt_spec fmt_parse(const char *s, const char *end);

/* Appends the text; a missing or unreadable argument prints as nothing. */
void fmt_record(struct buf *out, const struct meta *m, const struct meta_format *f,
	const uint8_t *record, size_t len);
/* strftime with %f for microseconds. */
void fmt_time(struct buf *out, const char *text, struct timespec at);
