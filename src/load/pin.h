/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sets of rules that stay in force without a process: pinned in the BPF file system, one directory
 * each, PIN_ROOT/NAME:
 *   link:PROBE   what attaches each probe ('.', '/' and '%' of its name as %XX)
 *   map:NAME     every map
 *   meta         array of one: the side table
 *   tc           array: the filters of kernels without tcx, which are no links
 *   trial        array of one: u32, set to 1 by a user who confirms a trial
 */
#pragma once
#include "load/load.h"

#define PIN_ROOT "/sys/fs/bpf/skep"

/* Letters, digits, '-' and '_', at most 64; else a diagnostic. */
bool pin_name_ok(struct skep_diags *d, const char *name);
/*
 * Leaves what is attached in force under l->attach.pin and forgets what the name had before. From
 * then on load_detach detaches nothing. SKEP_ESYS with a diagnostic when something cannot be pinned.
 */
int load_pin(struct loaded *l);
/* The set as if it had been loaded: meta, maps, links; no programs. SKEP_EUSER when there is none. */
int load_open_pinned(struct loaded *l, struct arena *a, struct target *t, struct skep_diags *d,
	const char *name);
/* What is to be said of a link of such a set: its interface has another name now, or is gone; "". */
const char *load_moved(const struct loaded *l, uint32_t link);
/* Takes the rules out of force and the name away. */
int load_unpin(struct arena *a, struct skep_diags *d, const char *name);
/* Calls each with the name of every set. */
int load_each_pinned(struct skep_diags *d, void (*each)(const char *name, void *arg), void *arg);

/* A trial: the map that `skep confirm` writes to; -1 when it cannot be made. */
int load_trial_open(struct loaded *l);
bool load_trial_confirmed(int fd);
void load_trial_close(struct loaded *l, int fd);
/* SKEP_EUSER when the set is not on trial. */
int load_trial_confirm(struct arena *a, struct skep_diags *d, const char *name);
