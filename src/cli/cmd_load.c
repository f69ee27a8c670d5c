/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Running what is compiled: signals, where the output goes, objects built before. */
#include "cli/cli.h"
#include "skep/load.h"
#include "skep/run.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The things a signal handler may touch. */
static volatile int stop, hangups, user_signals;

static void on_signal(int number)
{
	if (number == SIGHUP)
		hangups++;
	else if (number == SIGUSR1)
		user_signals++;
	else
		stop = 1;
}

/*
 * Without SA_RESTART, so that waiting ends at once; the second signal ends the program. A hangup
 * means "write to a new file" when there is one, and "read the lists again" when there are, else it
 * ends a program whose terminal is gone.
 */
static void catch_signals(bool file)
{
	struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	a.sa_flags = 0;
	sigaction(SIGUSR1, &a, NULL);
	if (file)
		sigaction(SIGHUP, &a, NULL);
}

/* After a log has been moved away: the same stream, a new file. */
static int reopen_output(FILE *out, void *path)
{
	int err;

	if (freopen(path, "ae", out))
		return 0;
	err = -errno;
	/* a failed freopen has closed the stream, which others still hold */
	return freopen("/dev/null", "we", out) ? err : -EIO;
}

bool run_options(const struct settings *o, struct skep_run_options *r)
{
	*r = (struct skep_run_options){.out = stdout, .err = stderr, .stop = &stop,
		.hangups = &hangups, .signals = &user_signals};
	r->quiet = o->value[OPT_QUIET] != NULL;
	r->verbose = o->value[OPT_VERBOSE] != NULL;
	r->dry = o->value[OPT_DRY] != NULL;
	if (!output_format(o, &r->json))
		return false;
	r->replace = o->value[OPT_REPLACE] != NULL;
	r->xdp_mode = o->value[OPT_XDP];
	if (r->xdp_mode && strcmp(r->xdp_mode, "native") && strcmp(r->xdp_mode, "generic") &&
		strcmp(r->xdp_mode, "offload"))
		return fail("--xdp native, --xdp generic or --xdp offload", "no mode of XDP: '%s'", r->xdp_mode),
		       false;
	r->pin = o->value[OPT_PIN];
	r->metrics = o->value[OPT_METRICS];
	r->stays = o->value[OPT_FOR] || o->value[OPT_LIVE] || r->metrics;
	if (o->value[OPT_TRIAL] && !parse_time(o->value[OPT_TRIAL], &r->trial_ms))
		return fail("--trial 30s", "not a time: '%s'", o->value[OPT_TRIAL]), false;
	r->live = o->value[OPT_LIVE] != NULL;
	r->flame = o->value[OPT_FLAME];
	r->buffer = o->value[OPT_BUFFER];
	if (r->buffer && strcmp(r->buffer, "none") && strcmp(r->buffer, "line") &&
		strcmp(r->buffer, "full"))
		return fail("-B none, -B line or -B full", "unknown buffering '%s'", r->buffer),
		       false;
	if (o->value[OPT_FOR] && !parse_time(o->value[OPT_FOR], &r->for_ms))
		return fail("--for 500ms, 10s, 2m or 1h", "not a time: '%s'", o->value[OPT_FOR]), false;
	return true;
}

/* What was said since before, which is freed; then s is. */
static int finish_after(struct skep *s, char *before, int status)
{
	const char *all = skep_messages(s, use_color(stderr));
	size_t n = before ? strlen(before) : 0;

	fputs(n && !strncmp(all, before, n) ? all + n : all, stderr);
	free(before);
	skep_free(s);
	return status;
}

int run(struct skep *s, const struct settings *o, struct skep_run_options *r)
{
	struct skep_load_options lo = {.stats = r->verbose,
		.offload = r->xdp_mode && *r->xdp_mode == 'o'};
	const char *path = o->value[OPT_OUTPUT];
	int status = 1, err = skep_load(s, &lo);
	char *warnings;

	if (err)
		return done(s, err);
	if (path && !r->dry) {
		r->out = fopen(path, "we");
		if (!r->out) {
			fail(NULL, "cannot write '%s': %s", path, strerror(errno));
			return finish(s, 1);
		}
		r->reopen = reopen_output;
		r->reopen_arg = (void *)(uintptr_t)path;
	}
	catch_signals(r->reopen || skep_has_lists(s));
	warnings = strdup(skep_messages(s, use_color(stderr)));
	if (warnings && !o->value[OPT_NO_WARNINGS])
		fputs(warnings, stderr);
	skep_run(s, r, &status);
	if (r->out != stdout && fclose(r->out) && !status)
		status = fail(NULL, "cannot write '%s': %s", path, strerror(errno));
	return finish_after(s, warnings, status);
}

static void print_line(const char *text, void *out)
{
	fprintf(out, "%s\n", text);
}

int cmd_info(const struct settings *o)
{
	struct skep_run_options r;
	struct skep *s;

	if (!run_options(o, &r))
		return 1;
	s = open_skep(o);
	if (!s)
		return 1;
	skep_info(s, r.json, print_line, stdout);
	return finish(s, 0);
}

int cmd_load(struct settings *o)
{
	struct skep_run_options r;
	struct input in;
	struct skep *s;
	int status;

	if (o->value[OPT_VERSION])
		return printf("%s %s\n", o->program, skep_version()) < 0;
	if (o->value[OPT_INFO])
		return cmd_info(o);
	if (!o->nargs)
		return fail("skep load probe.bpf.o", "there is no object to load");
	if (o->nargs > 1)
		return fail("skep build -o probe.bpf.o probe.bt PARAMETER…",
			"'%s': an object has the parameters it was built with", o->args[1]);
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
