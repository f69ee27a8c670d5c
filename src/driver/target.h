/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which machine to compile for, and what the user may do on this one. */
#pragma once
#include "driver/driver.h"

/* Fills s->target; SKEP_EUSER with a diagnostic when the options do not name a usable one. */
int choose_target(struct skep *s, const struct skep_options *o);
/* Whether programs can be loaded at all; a diagnostic says what is missing. */
bool permitted(struct skep *s);
bool may_load(void); /* the same, without a word */
bool has_net_admin(void);
