/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets and bytes per packet rule (MM_RULES): read, told at the end and live. */
#pragma once
#include "run/session.h"

/* One row per counted rule, in the arena; NULL and *n = 0 when the script counts none. */
const struct rule_count *rules_read(struct session *s, struct arena *a, uint32_t *n);
/* "blocked: telnet" or the rule's text, and where it is: "fw.skep:3". */
const char *rule_text(const struct meta *m, uint32_t i, struct arena *a);
const char *rule_place(const struct meta *m, uint32_t i, struct arena *a);
/* The table at the end, or its JSON object. */
void rules_print(struct session *s);
/*
 * One screen of --live: totals, and packets and bytes a second since the last call, ms ago. last
 * is the caller's and zero at first.
 */
void rules_live(struct session *s, struct rules_last *last, uint64_t ms);
