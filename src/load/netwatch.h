/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Interfaces that come and go while packet rules are in force. */
#pragma once
#include "load/load.h"

/* A socket that becomes readable when interfaces change; -1 when there is none. */
int load_watch_open(const struct loaded *l);
/* Whether something has changed since the last call. */
bool load_watch_changed(int fd);
/*
 * Attaches rules to interfaces that are back, forgets those that are gone, and tells about both and
 * about new interfaces that match a pattern of the script.
 */
void load_watch_update(struct loaded *l, void (*say)(void *arg, const char *text), void *arg);
