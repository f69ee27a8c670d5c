/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Running: a script given now, or an object built before. */
#include "cli/cli.h"
#include "skep/load.h"
#include "skep/run.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

/* The one thing a signal handler may touch. */
static volatile int stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Without SA_RESTART, so that waiting ends at once; the second signal ends the program. */
static void catch_signals(void)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

static bool run_options(const struct settings *o, struct skep_run_options *r)
{
	const char *format = o->value[OPT_FORMAT];

	*r = (struct skep_run_options){.out = stdout, .err = stderr, .stop = &stop};
	r->quiet = o->value[OPT_QUIET] != NULL;
	r->verbose = o->value[OPT_VERBOSE] != NULL;
	r->dry = o->value[OPT_DRY] != NULL;
	r->json = format && !strcmp(format, "json");
	if (format && !r->json && strcmp(format, "text") != 0)
		return fail("-f text or -f json", "Invalid output format \"%s\"", format), false;
	if (o->value[OPT_FOR] && !parse_time(o->value[OPT_FOR], &r->for_ms))
		return fail("--for 500ms, 10s, 2m or 1h", "not a time: '%s'", o->value[OPT_FOR]), false;
	return true;
}

/* Loads and runs what s holds. */
static int run(struct skep *s, const struct settings *o, struct skep_run_options *r)
{
	struct skep_load_options lo = {.stats = r->verbose};
	const char *path = o->value[OPT_OUTPUT];
	int status = 1, err = skep_load(s, &lo);

	if (err)
		return done(s, err);
	if (path && !r->dry) {
		r->out = fopen(path, "we");
		if (!r->out) {
			fail(NULL, "cannot write '%s': %s", path, strerror(errno));
			return finish(s, 1);
		}
	}
	catch_signals();
	skep_run(s, r, &status);
	if (r->out != stdout && fclose(r->out) && !status)
		status = fail(NULL, "cannot write '%s': %s", path, strerror(errno));
	return finish(s, status);
}

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

static int info(const struct settings *o)
{
	struct skep *s = open_skep(o);

	if (!s)
		return 1;
	skep_info(s, print_line, stdout);
	return finish(s, 0);
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
		return info(o);
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

int cmd_load(struct settings *o)
{
	struct skep_run_options r;
	struct input in;
	struct skep *s;
	int status;

	if (!o->nargs)
		return fail("skep load probe.bpf.o", "there is no object to load");
	if (!run_options(o, &r))
		return 1;
	s = open_skep(o);
	if (!s)
		return 1;
	if (!input_read(&in, o->args[0]))
		return finish(s, 1);
	if (skep_open(s, in.text, in.len))
		status = finish(s, 1);
	else
		status = run(s, o, &r);
	input_free(&in);
	return status;
}
