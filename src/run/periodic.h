/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What goes on beside events while a script runs: lists, metrics, captures, interfaces, trials. */
#pragma once
#include "run/session.h"

#define METRICS_MS 5000 /* a collector asks every 15 s or less often */

/* After each wait; now_ms is of CLOCK_MONOTONIC. */
void periodic(struct session *s, uint64_t now_ms);
/* At the end, before the maps are gone. */
void periodic_end(struct session *s);

/*
 * A trial: rules are in force until the user confirms them with Enter or `skep confirm`, or the time
 * is over. trial_begin tells the user; trial_check is 1 once confirmed, 0 as long as it goes on,
 * -1 when the time is over (with a diagnostic).
 */
void trial_begin(struct session *s, uint64_t now_ms);
int trial_check(struct session *s, uint64_t now_ms);
void trial_end(struct session *s);
