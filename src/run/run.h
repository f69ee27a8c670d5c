/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs a loaded script: BEGIN, events until something ends it, END, maps printed. */
#pragma once
#include "load/load.h"
#include <stdio.h>

enum run_format { RUN_TEXT, RUN_JSON };
struct run_options {
	enum run_format format;
	FILE *out;	/* script output */
	FILE *err;	/* "Attached N probes", warnings */
	bool quiet;	/* -q: no "Attached", no maps' blank lines */
	bool verbose;	/* -v */
	bool dry;	/* nothing is attached or run; with verbose the loaded programs are told */
	bool no_maps_at_exit;
	const volatile int *stop; /* becomes non-zero on SIGINT or SIGTERM */
	const volatile int *hangups; /* a count (SIGHUP); when it grows, out is reopened; may be NULL */
	int (*reopen)(FILE *out, void *arg); /* 0 or -errno; or NULL */
	void *reopen_arg;
	const char *metrics; /* file for Prometheus; NULL */
	uint64_t trial_ms;   /* packet rules are taken away after that unless confirmed; 0 none */
	bool stays_pinned;   /* with l->attach.pin: return when pinned, rules in force */
	enum run_buffer { RUN_BY_EVENT, RUN_BY_BYTE, RUN_BY_LINE, RUN_FULL } buffer; /* of out */
	bool live;	    /* maps are drawn anew while the script runs, on a terminal */
	const char *flame;  /* SVG file for a map keyed by a stack; NULL */
	const volatile int *signals; /* how often SIGUSR1 has come */
	int pid; /* the run ends when this process ends; 0: none */
	void (*attached)(void *arg);
	void *attached_arg;
	uint64_t for_ms; /* end by itself after this many milliseconds; 0 never */
};
/* What a pinned set (load_open_pinned) has counted: its rules and maps, or o->metrics. SKEP_ result. */
int run_stats(struct loaded *l, const struct run_options *o);
/* Exit status for the process: 0, exit(N)'s N, or 1 after diagnostics in l->d. */
int run_script(struct loaded *l, const struct run_options *o);
