/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep without a subcommand: runs a script, or lists probes. */
#include "cli/cli.h"
#include "skep/run.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_line(const char *text, void *out)
{
	fprintf(out, "%s\n", text);
}

/* The probes of a script, given as such or as a file; else those that match a pattern. */
static int list(struct settings *o, const struct skep_run_options *r)
{
	struct skep *s = open_skep(o);
	int err;

	if (!s)
		return 1;
	o->pid = r->pid;
	if (o->value[OPT_EXPR] || (o->nargs && !access(o->args[0], R_OK))) {
		err = compile_script(s, o, false);
		return done(s, err ? err : skep_list_script(s, print_line, stdout));
	}
	return done(s, skep_list(s, o->nargs ? o->args[0] : NULL, o->pid,
			       o->value[OPT_VERBOSE] != NULL, print_line, stdout));
}

static int refuse_later(const struct settings *o)
{
	if (o->value[OPT_TARGET] || o->value[OPT_KERNEL])
		return fail("`skep build` compiles for another machine, `skep check` tries it",
			"a script runs on this machine: --%s makes no sense here",
			o->value[OPT_TARGET] ? "target" : "kernel");
	return 0;
}

/* What -p and -c say. False after an error has been told. */
static bool processes(const struct settings *o, struct skep_run_options *r)
{
	const char *pid = o->value[OPT_PID];
	char *end = NULL;
	long n;

	if (pid) {
		n = strtol(pid, &end, 10);
		if (end == pid || *end || n <= 0 || n > INT_MAX)
			return fail("-p 1234", "'%s' is no number of a process", pid), false;
		if (kill((int)n, 0) && errno == ESRCH)
			return fail(NULL, "there is no process %ld", n), false;
		r->pid = (int)n;
	}
	if (!o->value[OPT_CMD] || r->dry)
		return true;
	if (pid)
		return fail("leave one of them out", "-p and -c say different things"), false;
	r->cpid = child_start(o->value[OPT_CMD]);
	r->attached = child_go;
	r->attached_arg = &r->cpid;
	return r->cpid > 0;
}

static int end_with(const struct skep_run_options *r, int status)
{
	child_end(r->cpid);
	return status;
}

int cmd_run(struct settings *o)
{
	struct skep_run_options r;
	struct skep *s;
	int err;

	if (o->value[OPT_VERSION])
		return printf("%s %s\n", o->program, skep_version()) < 0;
	if ((o->value[OPT_INFO] || o->value[OPT_LIST] || o->value[OPT_DUMP]) && o->value[OPT_OUTPUT] &&
		!freopen(o->value[OPT_OUTPUT], "we", stdout))
		return fail(NULL, "cannot write '%s': %s", o->value[OPT_OUTPUT], strerror(errno));
	if (o->value[OPT_INFO])
		return cmd_info(o);
	if (o->value[OPT_LIST])
		return run_options(o, &r) && processes(o, &r) ? end_with(&r, list(o, &r)) : 1;
	if (stages_listed(o))
		return 0;
	if (o->value[OPT_DUMP])
		return cmd_check(o);
	if (refuse_later(o) || !run_options(o, &r) || !processes(o, &r))
		return 1;
	s = open_skep(o);
	if (!s)
		return end_with(&r, 1);
	o->pid = r.pid;
	o->cpid = r.cpid;
	err = compile_script(s, o, false);
	return end_with(&r, err ? done(s, err) : run(s, o, &r));
}
