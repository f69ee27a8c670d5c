/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs one random script (lang.h) in the interpreter and in the kernel against its evaluation. */
#pragma once
#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

struct lang_result {
	bool ok, in_kernel, complex; /* complex: beyond the verifier's million instructions */
	uint64_t insns;
};
/* False when the place for the input is not to be had. */
bool lang_start(void);
/* why gets what is wrong; text what the script is. */
void lang_run(uint64_t seed, bool kernel, struct lang_result *r, struct buf *text, struct buf *why);
