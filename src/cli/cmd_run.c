/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep without a subcommand: runs a script, or lists probes. */
#include "cli/cli.h"
#include "skep/run.h"

static void print_line(const char *text, void *out)
{
	fprintf(out, "%s\n", text);
}

static int list(const struct settings *o)
{
	struct skep *s = open_skep(o);

	if (!s)
		return 1;
	return done(s, skep_list(s, o->nargs ? o->args[0] : NULL, o->value[OPT_VERBOSE] != NULL,
			       print_line, stdout));
}

static int refuse_later(const struct settings *o)
{
	if (o->value[OPT_PID])
		return fail("write the predicate /pid == N/ instead", "-p is not supported yet");
	if (o->value[OPT_CMD])
		return fail("start the command in another shell, or in the background first",
			"-c is not supported yet");
	if (o->value[OPT_TARGET] || o->value[OPT_KERNEL])
		return fail("`skep build` compiles for another machine, `skep check` tries it",
			"a script runs on this machine: --%s makes no sense here",
			o->value[OPT_TARGET] ? "target" : "kernel");
	return 0;
}

int cmd_run(struct settings *o)
{
	struct skep_run_options r;
	struct skep *s;
	int err;

	if (o->value[OPT_VERSION])
		return printf("%s %s\n", o->program, skep_version()) < 0;
	if (o->value[OPT_INFO])
		return cmd_info(o);
	if (o->value[OPT_LIST])
		return list(o);
	if (stages_listed(o))
		return 0;
	if (o->value[OPT_DUMP])
		return cmd_check(o);
	if (refuse_later(o) || !run_options(o, &r))
		return 1;
	s = open_skep(o);
	if (!s)
		return 1;
	err = compile_script(s, o, false);
	return err ? done(s, err) : run(s, o, &r);
}
