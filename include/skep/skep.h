/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * libskep: from script text to a running eBPF program. One struct skep is one script's way through
 * it; nothing is shared between two of them, so each may live in a thread of its own.
 *
 *	struct skep *s;
 *	if (skep_new(&s, NULL) == SKEP_OK &&
 *	    skep_compile(s, "-e", text, strlen(text), NULL) == SKEP_OK &&
 *	    skep_load(s, NULL) == SKEP_OK)
 *		skep_run(s, &(struct skep_run_options){.out = stdout, .err = stderr}, &status);
 *	fputs(skep_messages(s, false), stderr);
 *	skep_free(s);
 */
#pragma once
#include "skep/diag.h"
#include <stdbool.h>
#include <stddef.h>

#define SKEP_VERSION "0.1.0"

struct skep;

/* The machine to compile for. All NULL (or no options): the running one. */
struct skep_options {
	const char *target; /* description file, or the name of an architecture */
	const char *btf;    /* kernel types: a BTF or ELF file */
	const char *kernel; /* version, as "6.12" */
	const char *no_features; /* not to be used though they are there: "ringbuf,perf_link" */
};

/* "0.1.0" */
const char *skep_version(void);

/*
 * Makes the object all other calls work on.
 * Ownership: the caller frees *out with skep_free; it is set unless the result is SKEP_ENOMEM, so
 * that the reason can be read. The options' strings must live as long.
 * Errors: SKEP_EUSER (unusable target), SKEP_ENOMEM.
 */
int skep_new(struct skep **out, const struct skep_options *o);

/* Detaches everything, closes all descriptors, frees all memory. s may be NULL. */
void skep_free(struct skep *s);

/*
 * Everything there is to say so far, as the program prints it; "" when nothing.
 * Ownership: s's; valid until the next call with s.
 */
const char *skep_messages(struct skep *s, bool color);

/*
 * Calls line with each line of a description of the target: kernel, architecture, what is there and
 * what each missing piece costs; json: with one line, an object. The running kernel is asked for
 * its features where the rights suffice.
 */
void skep_info(struct skep *s, bool json, void (*line)(const char *text, void *arg), void *arg);

/*
 * Calls probe with the name of every probe that matches the pattern (* and ?; NULL: all), and with
 * fields, too, calls it with each of a tracepoint's fields, indented. A pattern that starts with
 * "struct ", "union " or "enum " is one of types: with fields, their definitions in C.
 * pid (or 0): the process whose program and libraries "uprobe:*:main" looks into.
 * Errors: SKEP_EUSER when nothing matches, SKEP_ENOMEM.
 */
int skep_list(struct skep *s, const char *pattern, int pid, bool fields,
	void (*probe)(const char *text, void *arg), void *arg);
