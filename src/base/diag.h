/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sources and diagnostics: every message has an identifier (diag.def, one row each), up to three
 * places in the source, and a hint that says what to type instead.
 */
#pragma once
#include "base/arena.h"
#include "skep/diag.h"
#include <stdbool.h>
#include <stdio.h>

#define DIAG_MAX 20   /* further errors are counted, not kept */
#define DIAG_SPANS 3

enum diag_id {
#define D(id, text, what) DIAG_##id,
#include "base/diag.def"
#undef D
	DIAG_COUNT
};

struct source {
	const char *name; /* as the user knows it: file name, or "-e" */
	const char *text; /* NUL-terminated */
	uint32_t base;	  /* offset of its first byte in span space */
	uint32_t len;
};

struct diag {
	enum skep_severity severity;
	enum diag_id id;
	const char *message;
	const char *hint; /* or NULL */
	struct skep_span at[DIAG_SPANS];
	const char *label[DIAG_SPANS]; /* text beside the second and third place, or NULL */
	int nspans;
};

struct skep_diags {
	struct arena *a;
	VEC(struct source) sources;
	VEC(struct diag) list;
	int errors, warnings;
};

#define NO_SPAN ((struct skep_span){0, 0})

void diags_init(struct skep_diags *d, struct arena *a);
/* Adds a source; returns its base offset. The first base is 1, so {0,0} is "no place". */
uint32_t diags_add_source(struct skep_diags *d, const char *name, const char *text, size_t len);

/* Reports; returns the entry so that a hint or a further place can be added. Never NULL. */
struct diag *diag_error(struct skep_diags *d, struct skep_span at, enum diag_id id, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
struct diag *diag_warn(struct skep_diags *d, struct skep_span at, enum diag_id id, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
void diag_hint(struct skep_diags *d, struct diag *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_also(struct skep_diags *d, struct diag *e, struct skep_span at, const char *label);

struct diag_pos {
	const struct source *source; /* NULL when the span has no place */
	uint32_t line, col;	     /* from 1; col counts bytes */
	const char *line_text;
	uint32_t line_len;
};
struct diag_pos diag_locate(const struct skep_diags *d, uint32_t off);

const char *diag_id_text(enum diag_id id); /* "unknown-name" */
void diags_render(const struct skep_diags *d, FILE *out, bool color);
void diags_render_buf(const struct skep_diags *d, struct buf *out, bool color);

/*
 * "Did you mean": feed candidates, then ask. Returns the nearest candidate whose edit distance is
 * small beside its length, or NULL.
 */
struct suggest {
	const char *word;
	const char *best;
	unsigned best_distance;
};
void suggest_init(struct suggest *s, const char *word);
void suggest_try(struct suggest *s, const char *candidate);
const char *suggest_best(const struct suggest *s);
