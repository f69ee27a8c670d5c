/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The passes in their order, for tests that want them all. The program's list is driver/compile.c. */
#include "backend-bpf/mach.h"

const struct back_pass back_passes[] = {
	{"legal", back_legal},
	{"isel", back_isel},
	{"spill", back_spill},
	{"color", back_color},
	{"pcopy", back_pcopy},
	{"frame", back_frame},
	{"layout", back_layout},
	{"peep", back_peep},
};
const unsigned back_npasses = sizeof(back_passes) / sizeof(back_passes[0]);

static void compile_one(struct ir_fn *f, struct code *out)
{
	*out = (struct code){0};
	for (unsigned i = 0; i < back_npasses; i++) {
		back_passes[i].run(f);
		if (f->m->scratch)
			arena_free(f->m->scratch);
		if (f->m->diags->errors)
			return;
	}
	back_emit(f, out);
}

void back_compile_fn(struct ir_fn *f, struct code *out)
{
	struct code *subs = ARENA_ARRAY(f->a, struct code, f->subs.n + 1);

	for (uint32_t k = 0; k < f->subs.n; k++)
		compile_one(f->subs.v[k], &subs[k]);
	compile_one(f, out);
	if (!f->m->diags->errors)
		back_join(f, out, subs);
}
