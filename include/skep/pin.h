/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rules that stay in force without a process: sets pinned by name (skep_run_options.pin).
 * Ownership: names are the caller's; lines are valid during the call of line.
 * Errors: with messages (skep_messages). Kernel: as skep_load, with a bpffs at /sys/fs/bpf; needs root.
 */
#pragma once
#include "skep/skep.h"
#include <stdio.h>

/*
 * Calls line with a line for each set: its name and what it is attached to.
 * Errors: SKEP_ESYS when this user may not look; SKEP_ENOMEM. No sets are no error.
 */
int skep_pinned(struct skep *s, void (*line)(const char *text, void *arg), void *arg);

/*
 * Writes a set's rules with their counts and its maps to out, what was lost to err; with metrics (a file's
 * name) set, writes them there in Prometheus' form instead. NULL: not.
 * Errors: SKEP_EUSER when there is no such set; SKEP_ESYS, SKEP_ENOMEM.
 */
int skep_pinned_stats(struct skep *s, const char *name, bool json, const char *metrics, FILE *out,
	FILE *err);

/* Takes a set's rules out of force. Errors: SKEP_EUSER when there is no such set; SKEP_ESYS; SKEP_ENOMEM. */
int skep_unpin(struct skep *s, const char *name);

/* Keeps rules that are on trial. Errors: SKEP_EUSER when there are none of this name; SKEP_ENOMEM. */
int skep_confirm(struct skep *s, const char *name);
