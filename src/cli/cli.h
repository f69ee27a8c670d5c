/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the command line's files share. */
#pragma once
#include "skep/compile.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum option_id {
#define O(id, letter, name, arg, commands, help) OPT_##id,
#include "cli/options.def"
#undef O
	OPT_COUNT
};

enum { CMD_R = 1, CMD_B = 2, CMD_L = 4, CMD_C = 8, CMD_D = 16, CMD_N = 32, CMD_P = 64, CMD_S = 128 };

struct settings {
	const char *program;	      /* argv[0]'s last part */
	const char *value[OPT_COUNT]; /* argument, or "" for one without; NULL when not given */
	const char **args;	      /* what is no option, NULL-terminated */
	unsigned nargs;
	const char **named;	      /* "--name=value" behind "--", for the script's getopt() */
	unsigned nnamed;
	int pid, cpid; /* of -p and -c, for the compiler */
};

/* child.c: the command of -c, stopped behind its exec until child_go. */
int child_start(const char *command); /* its number; -1 after an error has been told */
void child_go(void *pid);
void child_end(int pid); /* ends it if it still runs; <= 0: nothing */

struct command {
	const char *name; /* "" is what runs without a name */
	unsigned mask;	  /* CMD_… */
	int (*run)(struct settings *o);
	const char *usage, *what;
};
extern const struct command commands[]; /* ends with a name of NULL */

int cmd_run(struct settings *o);
int cmd_build(struct settings *o);
int cmd_load(struct settings *o);
int cmd_check(struct settings *o);
int cmd_dump(struct settings *o);
int cmd_list(struct settings *o);
int cmd_replay(struct settings *o);
int cmd_stats(struct settings *o);
int cmd_detach(struct settings *o);
int cmd_confirm(struct settings *o);

/* cmd_load.c */
struct skep_run_options;
bool run_options(const struct settings *o, struct skep_run_options *r); /* false: told */
/* Loads and runs what s holds; frees s. The exit status. */
int run(struct skep *s, const struct settings *o, struct skep_run_options *r);
int cmd_info(const struct settings *o);

/* options.c: false after an error has been told. */
bool options_parse(struct settings *o, const struct command *c, int argc, char **argv);
bool output_format(const struct settings *o, bool *json); /* what -f says */
void options_help(FILE *out, const struct command *c);

/* tell.c */
/* "skep: error: …" with an optional hint; returns 1, the exit status. */
int fail(const char *hint, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool use_color(FILE *out);
/* Prints s's messages to stderr and frees s; status is what the command returns. */
int finish(struct skep *s, int status);
/* A result code as exit status, after the messages. */
int done(struct skep *s, int result);

/* input.c */
struct input {
	const char *name; /* for messages */
	char *text;	  /* from malloc */
	size_t len;
};
/* The whole file, "-" for standard input. False after an error has been told. */
bool input_read(struct input *in, const char *path);
/* The script: -e's argument, or the file that is the first argument, which is taken off. */
bool input_script(struct input *in, struct settings *o);
void input_free(struct input *in);
/* Writes bytes to a new file, which appears complete or not at all. False after an error. */
bool output_write(const char *path, const void *p, size_t n);
/* "500ms", "10s", "2m", "1h", "10" (seconds); false when it is none. */
bool parse_time(const char *text, uint64_t *ms);

struct skep_options target_options(const struct settings *o);
/* New skep for o's target; NULL after an error has been told. */
struct skep *open_skep(const struct settings *o);

/* cmd_check.c */
/* Compiles o's script into s; with -d prints the stage. Result of skep_compile. */
int compile_script(struct skep *s, struct settings *o, bool portable);
bool stages_listed(const struct settings *o); /* -d list: told */
