/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* printf and strftime of scripts: the format is the side table's, the arguments are a record's bytes. */
#pragma once
#include "base/fmt.h"
#include "base/meta.h"
#include <time.h>

/* Appends the text; a missing or unreadable argument prints as nothing. */
void fmt_record(struct buf *out, const struct meta *m, const struct meta_format *f,
	const uint8_t *record, size_t len);
/* strftime with %f for microseconds. */
void fmt_time(struct buf *out, const char *text, struct timespec at);
