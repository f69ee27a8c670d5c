/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Whether the whole text matches: * any characters, ? one, [a-z] [!a-z] one of, \ the next itself. */
bool name_matches(const char *pattern, const char *text);

/* Where these bytes stand in those; NULL: nowhere. */
const char *glob_find(const char *in, size_t n, const char *what, size_t len);

struct arena;

/*
 * The paths of the files that match, sorted as strcmp sorts; NULL behind the last. Each part between
 * slashes is a pattern; names that begin with a dot are matched by patterns that do.
 */
const char **file_glob(struct arena *a, const char *pattern);
