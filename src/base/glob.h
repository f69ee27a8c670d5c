/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once
#include <stdbool.h>

/* Whether the whole text matches: * any characters, ? one, [a-z] [!a-z] one of, \ the next itself. */
bool name_matches(const char *pattern, const char *text);
