/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Limits that a script can reach without the compiler being at fault, said where they are reached:
 * loops that run longer than a verifier follows (a rule of the IR), maps of one program.
 */
#include "driver/driver.h"
#include "backend-bpf/backend.h"
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

#define MAPS_MAX 64 /* MAX_USED_MAPS, kernel/bpf/verifier.c; the same from 5.10 to 7.3 */

static struct skep_span span_at(const struct code *code, uint32_t insn)
{
	struct skep_span span = NO_SPAN;

	for (uint32_t i = 0; i < code->lines.n && code->lines.v[i].insn <= insn; i++)
		span = code->lines.v[i].span;
	return span;
}

void limit_maps(struct skep *s, const struct code *code)
{
	bool *used = ARENA_ARRAY(&s->a, bool, s->meta.maps.n + 1);
	uint32_t n = 0, own = 0, over = 0;
	struct diag *e;

	for (uint32_t i = 0; i < code->relocs.n; i++) {
		const struct code_reloc *r = &code->relocs.v[i];

		if ((r->kind != CR_MAP && r->kind != CR_MAP_VALUE) || used[r->index])
			continue;
		used[r->index] = true;
		own += s->meta.maps.v[r->index].role != MM_USER;
		if (++n == MAPS_MAX + 1)
			over = r->insn;
	}
	if (n <= MAPS_MAX)
		return;
	e = diag_error(&s->diags, span_at(code, over), DIAG_TOO_BIG,
		"this probe uses %u maps%s; the kernel allows one program %u", n,
		own ? arena_printf(&s->a, " (%u are skep's own)", own) : "", MAPS_MAX);
	diag_hint(&s->diags, e, "one map with a key holds many values: @x[\"name\"] = …");
}
