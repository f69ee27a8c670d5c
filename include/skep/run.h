/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attach, collect, print. */
#pragma once
#include "skep/skep.h"
#include <stdio.h>

struct skep_run_options {
	FILE *out; /* the script's output */
	FILE *err; /* "Attached N probes", warnings */
	bool json; /* output as one JSON object a line */
	bool quiet, verbose;
	bool dry; /* attach and run nothing; with verbose tell what was loaded */
	const volatile int *stop; /* the run ends once this is non-zero; may be NULL */
	const char *xdp_mode;	  /* native, generic or offload for probes that say none; or NULL */
	bool replace;		  /* takes the place of other XDP programs */
	const char *pin;	  /* leaves what is attached in force under this name; or NULL */
	bool stays;		  /* with pin: runs on as without; else it returns when pinned */
	uint64_t trial_ms;	  /* takes packet rules away after that unless confirmed; 0: none */
	const char *metrics;	  /* file for Prometheus, written anew every few seconds; or NULL */
	const char *buffer;	  /* "none", "line" or "full"; NULL: written after each batch of events */
	bool live;		  /* on a terminal, maps are drawn anew every second */
	const char *flame;	  /* SVG file: flame graph of a map keyed by a stack; or NULL */
	uint64_t for_ms;	  /* ends by itself after so many milliseconds; 0 never */
	int pid; /* only this process is watched, and the run ends when it ends; 0: all */
	int cpid; /* the run ends when this process ends; 0: none */
	void (*attached)(void *arg); /* called once all probes are attached; may be NULL */
	void *attached_arg;
	const volatile int *signals; /* a count; when it grows, self:signal:SIGUSR1 runs; may be NULL */
	const volatile int *hangups; /* a count; when it grows, reopen is called; may be NULL */
	int (*reopen)(FILE *out, void *arg); /* makes out write to a new file: 0 or -errno */
	void *reopen_arg;
};

/* Whether the script reads lists, so that a hangup means to read them again. */
bool skep_has_lists(const struct skep *s);

/*
 * Runs the loaded script until exit(), *stop, for_ms or a failed write. Nothing stays attached but
 * what pin asks for.
 * *status is what a program should return: exit()'s argument, 0, or 1 after an error.
 * A closed pipe as output (EPIPE; ignore SIGPIPE) ends the run without an error.
 * Errors: SKEP_ESYS with messages; SKEP_ENOMEM; SKEP_EBUG.
 * Kernel: as skep_load; 6.12 for schedulers.
 */
int skep_run(struct skep *s, const struct skep_run_options *o, int *status);
