/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps, rules and losses in Prometheus' text exposition format. */
#pragma once
#include "run/session.h"

void metrics_text(struct session *s, struct buf *out);
/* Writes them to o->metrics: a new file, renamed into place. False when that failed (told once). */
bool metrics_write(struct session *s);
