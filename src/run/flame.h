/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --flame: a flame graph of a map that is keyed by a stack, as one SVG file that needs no other. */
#pragma once
#include "run/session.h"

/* Before anything is attached: 0, or SKEP_ESYS with a diagnostic when o->flame cannot be written. */
int flame_begin(struct session *s);
/* Writes o->flame; tells what was drawn. */
void flame_write(struct session *s);

/* The drawing: frames of the same callers lie in one box. */
struct flame;
struct flame *flame_new(struct arena *a);
/* One stack, outermost frame first. */
void flame_add(struct flame *f, const char *const *frames, unsigned n, uint64_t value);
void flame_svg(struct flame *f, const char *title, struct buf *out);
