/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The program: finds the subcommand and hands over. Without one, a script runs. */
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct command commands[] = {
#ifdef SKEP_LOADER
	{"", CMD_L, cmd_load, "skep [OPTION…] FILE",
		"Runs an object that `skep build` made. This skep was built without its compiler."},
	{"load", CMD_L, cmd_load, "skep load [OPTION…] FILE", "The same."},
#else
	{"", CMD_R, cmd_run, "skep [OPTION…] -e 'SCRIPT' | FILE | -  [PARAMETER…]",
		"Compiles a script, runs it in the kernel and prints what comes out."},
	{"build", CMD_B, cmd_build, "skep build -o FILE [OPTION…] -e 'SCRIPT' | FILE  [PARAMETER…]",
		"Compiles a script into an object that `skep load` runs; needs no rights."},
	{"load", CMD_L, cmd_load, "skep load [OPTION…] FILE", "Runs an object that `skep build` made."},
	{"check", CMD_C, cmd_check, "skep check [OPTION…] -e 'SCRIPT' | FILE  [PARAMETER…]",
		"Compiles a script and reports what is wrong with it; needs no rights."},
	{"dump", CMD_D, cmd_dump,
		"skep dump --from=ir --run=PASS,... FILE\n       skep dump --after=STAGE FILE | -e SCRIPT",
		"Looks inside the compiler."},
	{"replay", CMD_P, cmd_replay,
		"skep replay -r CAPTURE [-w PASSED] [OPTION…] -e 'SCRIPT' | FILE  [PARAMETER…]",
		"Runs packet rules on a capture and tells what they would have done; needs no rights."},
#endif
	{"list", CMD_N, cmd_list, "skep list", "Lists the sets of rules that --pin left in force."},
	{"stats", CMD_S, cmd_stats, "skep stats [-f json | --metrics FILE] NAME",
		"Shows the rules, counts and maps of a pinned set."},
	{"detach", CMD_N, cmd_detach, "skep detach NAME", "Takes a pinned set of rules out of force."},
	{"confirm", CMD_N, cmd_confirm, "skep confirm NAME", "Keeps rules that are on --trial."},
	{NULL, 0, NULL, NULL, NULL},
};

static const struct command *find_command(const char *name)
{
	for (const struct command *c = commands + 1; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

/*
 * A standard stream that the caller closed must not become a map or a file of ours, for the next line
 * that is printed to end in. What is opened in its place refuses what it is not for.
 */
static void hold_streams(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd == STDIN_FILENO || fd == STDOUT_FILENO) {
		close(fd);
		fd = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
	if (fd >= 0 && fd < STDERR_FILENO)
		hold_streams();
	else if (fd > STDERR_FILENO)
		close(fd);
}

static void help(const struct command *c)
{
	options_help(stdout, c);
	if (c != commands)
		return;
	puts("\nOther commands, each with its own --help:");
	for (const struct command *p = commands + 1; p->name; p++)
		printf("  skep %-8s %s\n", p->name, p->what);
}

/* The stream knows that it failed, not why: the next byte fails for the same reason. */
static bool output_failed(void)
{
	ssize_t n = write(STDOUT_FILENO, "\n", 1);

	if (n < 0 && errno == EPIPE)
		return false;
	return fail(NULL, "cannot write the output: %s", n < 0 ? strerror(errno) : "a part is missing");
}

int main(int argc, char **argv)
{
	struct settings o = {.program = "skep"};
	const struct command *c = commands, *named;
	int skip = 1, status;

	if (argc > 0 && argv[0])
		o.program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	/* Called as bpftrace there are no subcommands: "build" is then a file. */
	named = argc > 1 && strcmp(o.program, "bpftrace") ? find_command(argv[1]) : NULL;
	if (named) {
		c = named;
		skip = 2;
	}
	hold_streams();
	/* A closed pipe must end a run by way of detaching, not by a signal. */
	signal(SIGPIPE, SIG_IGN);
	if (argc <= 1) {
		options_help(stderr, c);
		return 1;
	}
	if (!options_parse(&o, c, argc - skip, argv + skip)) {
		status = 1;
	} else if (o.value[OPT_HELP]) {
		help(c);
		status = 0;
	} else {
		const char **args = o.args;

		status = c->run(&o);
		o.args = args;
	}
	free(o.args);
	free(o.named);
	if ((fflush(stdout) || ferror(stdout)) && output_failed())
		status = 1;
	return status;
}
