/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The front end's entry: parse, check, lower, with dumps between. */
#include "lang/lang.h"
#include "lang/front.h"
#include "lang/live.h"
#include <string.h>

#define SOURCE_MAX (64u << 20) /* spans are 32-bit offsets over all sources */

static void dump(const struct lang_options *o, const char *stage, const struct script *s,
	void (*fn)(const struct script *, struct buf *))
{
	if (o->dump && o->dump_out && !strcmp(o->dump, stage))
		fn(s, o->dump_out);
}

int lang_compile(struct ir_module *m, const char *name, const char *text, size_t len,
	const struct lang_options *o)
{
	/* Look-ups fill caches inside the target; what it says does not change. */
	struct target *t = (struct target *)(uintptr_t)m->target;
	struct skep_diags *d = m->diags;
	int errors = d->errors;
	struct script *s;
	uint32_t base;

	if (len > SOURCE_MAX) {
		diag_error(d, NO_SPAN, DIAG_TOO_BIG, "'%s' is larger than %u MB", name,
			SOURCE_MAX >> 20);
		return SKEP_EUSER;
	}
	base = diags_add_source(d, name, text, len);
	s = parse_script(m->a, d, t, text, len, base);
	s->params = o->params;
	s->nparams = o->nparams;
	s->unsafe = o->unsafe;
	s->check_reads = o->check_reads;
	s->pid = o->pid;
	s->cpid = o->cpid;
	s->portable = m->meta->portable;
	s->count_rules = o->count_rules;
	s->offline = o->offline;
	s->named = o->named;
	s->nnamed = o->nnamed;
	s->settings = o->settings;
	dump(o, "ast", s, dump_ast);
	if (d->errors != errors)
		return SKEP_EUSER;
	if (o->live)
		live_probes(s);
	check_script(s);
	if (d->errors != errors)
		return SKEP_EUSER;
	dump(o, "types", s, dump_types);
	lower_script(s, m);
	return d->errors == errors ? SKEP_OK : SKEP_EUSER;
}
