/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the parts of a scheduler have to do with each other: seen when all of the script was read. */
#include "lang/check.h"
#include <string.h>

#define DSQ_BUILTIN (UINT64_C(1) << 63) /* SCX_DSQ_FLAG_BUILTIN: a queue of the kernel's own */
#define SWITCH_PARTIAL 8 /* SCX_OPS_SWITCH_PARTIAL, the same in all kernels */

/* A call that names a queue, in the last round, when constants are known. */
void check_note_queue(struct check *c, const struct expr *e, const char *kfunc)
{
	const struct scx_alias *al = scx_alias_by_name(kfunc);
	bool makes = strstr(kfunc, "create_dsq") != NULL;
	bool takes = al && !strcmp(al->name, "dsq_move_to_local");
	uint32_t at = makes || takes ? 0 : 1;
	const struct expr *id = e->u.call.args.list.n > at ? e->u.call.args.list.v[at] : NULL;

	c->queue_taken |= strstr(kfunc, "dsq_move") || strstr(kfunc, "consume") ||
			  strstr(kfunc, "_from_dsq");
	if (!c->final || !id || !(makes || takes || (al && !strncmp(al->name, "dsq_insert", 10))))
		return;
	if (!id->is_const)
		c->queue_any |= makes;
	else if (!(id->const_value & DSQ_BUILTIN))
		vec_push(c->a, makes ? &c->made : &c->queued, id);
}

static bool is_made(const struct check *c, const struct expr *id)
{
	for (uint32_t i = 0; i < c->made.n; i++) {
		if (c->made.v[i]->const_value == id->const_value)
			return true;
	}
	return c->queue_any;
}

static void check_queue(struct check *c, const struct expr *id)
{
	if (is_made(c, id))
		return;
	c_hint(c,
		diag_warn(c->d, id->span, DIAG_SCHED,
			"nothing makes this queue: the kernel ends a scheduler that uses it"),
		"sched_ext:init { return create_dsq(%llu, -1); }",
		(unsigned long long)id->const_value);
	vec_push(c->a, &c->made, id); /* told once */
}

static void check_disallow(struct check *c)
{
	const char *hint = "sched_ext:init_task { if (!args.args.fork) { args.p.scx.disallow = 1; } return 0; }";

	if (c->disallow_late)
		c_hint(c,
			diag_warn(c->d, c->disallow_late->span, DIAG_SCHED,
				"scx.disallow takes effect in init_task: here it comes too late for this task"),
			"%s", hint);
	else if (c->disallow && !(c->s->config.sched_flags & SWITCH_PARTIAL))
		c_hint(c,
			diag_warn(c->d, c->disallow->span, DIAG_SCHED,
				"this scheduler gets all tasks, whatever their scx.disallow says"),
			"config = { sched_flags = SCX_OPS_SWITCH_PARTIAL; } gives it those of the class "
			"SCHED_EXT, but for these");
}

/* All of it ends in the scheduler being thrown out, but not at once, or has no effect. */
void check_scheduler(struct check *c)
{
	if (c->d->errors)
		return;
	for (uint32_t i = 0; i < c->queued.n; i++)
		check_queue(c, c->queued.v[i]);
	if (c->queued.n && !c->queue_taken)
		c_hint(c,
			diag_warn(c->d, c->queued.v[0]->span, DIAG_SCHED,
				"nothing takes tasks out of this queue: they will never run"),
			"sched_ext:dispatch { dsq_move_to_local(%llu); }",
			(unsigned long long)c->queued.v[0]->const_value);
	check_disallow(c);
}
