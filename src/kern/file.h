/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whole small files. */
#pragma once
#include "base/arena.h"

/*
 * The file's text with a NUL behind it, and its length when len is not NULL. Works for files whose
 * size is not known beforehand (proc, tracefs). NULL and errno set when it cannot be read.
 */
char *file_read(struct arena *a, const char *path, size_t *len);

/*
 * A new file, which appears complete or not at all; links, devices and pipes (/dev/stdout) are written to,
 * never replaced. 0 or an errno.
 */
int file_write(const char *path, const void *p, size_t n);
