/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What --live adds to a scheduler: a script of our own, parsed behind the user's. */
#include "lang/front.h"
#include "lang/live.h"
#include <string.h>

/*
 * Queues made by scripts are small numbers nearly always; one that there is not gives an error. The
 * tracepoints see every task, also those that the scheduler hands straight to a CPU.
 */
static const char text[] =
	"let @live_woken = lruhash(16384);\n"
	"tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new {\n"
	"	@live_woken[args.pid] = nsecs;\n"
	"}\n"
	"tracepoint:sched:sched_switch {\n"
	"	if (args.next_pid == 0) { return; }\n"
	"	@live_dispatches[cpu] = count();\n"
	"	$since = @live_woken[args.next_pid];\n"
	"	if ($since) {\n"
	"		@live_wait_us = hist((nsecs - $since) / 1000);\n"
	"		delete(@live_woken[args.next_pid]);\n"
	"	}\n"
	"}\n"
	"sched_ext:timer:ms:200 {\n"
	"	for ($queue : 0..64) {\n"
	"		$n = dsq_nr_queued($queue);\n"
	"		if ($n >= 0) { @live_queued[$queue] = $n; }\n"
	"	}\n"
	"	for ($cpu : 0..nr_cpu_ids()) {\n"
	"		@live_local[$cpu] = dsq_nr_queued(SCX_DSQ_LOCAL_ON | $cpu);\n"
	"	}\n"
	"}\n";

static bool is_scheduler(const struct script *s)
{
	for (uint32_t i = 0; i < s->probes.n; i++) {
		for (uint32_t k = 0; k < s->probes.v[i].points.n; k++) {
			if (s->probes.v[i].points.v[k].kind == PROBE_SCHED_EXT)
				return true;
		}
	}
	return false;
}

void live_probes(struct script *s)
{
	const size_t len = sizeof(text) - 1;
	struct script *own;

	if (!is_scheduler(s) || !s->target->btf ||
		!kbtf_find_struct(s->target->btf, "sched_ext_ops"))
		return; /* not one, or one that this kernel cannot run: reported */
	own = parse_script(s->a, s->d, s->target, text, len,
		diags_add_source(s->d, "--live", text, len));
	for (uint32_t i = 0; i < own->decls.n; i++) {
		own->decls.v[i].hidden = true;
		vec_push(s->a, &s->decls, own->decls.v[i]);
	}
	for (uint32_t i = 0; i < own->probes.n; i++)
		vec_push(s->a, &s->probes, own->probes.v[i]);
}
