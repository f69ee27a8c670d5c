/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A rule of the IR that a script can break without the compiler being at fault: loops that run
 * longer than a verifier follows. Such a breach becomes a message at the loop.
 */
#include "driver/driver.h"
#include <inttypes.h>
#include <string.h>

#define RULE "[loop-cost]\n"

/* Every line of the checker's report names that rule. */
static bool only_loop_cost(const char *why)
{
	if (!*why)
		return false;
	while (*why) {
		const char *end = strchr(why, '\n');
		size_t len = end ? (size_t)(end - why) + 1 : 0;

		if (len < strlen(RULE) || memcmp(end + 1 - strlen(RULE), RULE, strlen(RULE)) != 0)
			return false;
		why = end + 1;
	}
	return true;
}

bool limit_reported(struct skep *s, const struct ir_fn *f, const char *why)
{
	const struct ir_term *longest = NULL;
	struct diag *e;

	if (!only_loop_cost(why))
		return false;
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_term *t = &f->blocks.v[b].term;

		if (t->op == IRN_LOOP && (!longest || (uint64_t)t->imm > (uint64_t)longest->imm))
			longest = t;
	}
	if (!longest)
		return false;
	e = diag_error(&s->diags, longest->span, DIAG_TOO_BIG,
		"this loop of up to %" PRIu64 " rounds is more than the kernel's verifier follows",
		(uint64_t)longest->imm);
	diag_hint(&s->diags, e, "fewer rounds, or less in each of them");
	return true;
}
