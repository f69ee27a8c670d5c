/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Golden cases: files of sections, each a cmocka test of its own.
 *
 *     # what the case shows
 *     -- WORD REST
 *     text up to the next line that starts with "-- "
 *
 * With SKEP_BLESS=1 golden_expect writes what it got into the file instead of comparing.
 * Programs run in the root of the tree. Failures end the test, as cmocka's assertions do.
 */
#pragma once
#include "base/arena.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

struct golden_section {
	const char *word, *rest; /* of the heading; rest "" when there is none */
	const char *text;	 /* NUL-terminated */
	size_t from, to;	 /* the text's place in the file */
};

struct golden {
	struct arena a;
	const char *path;
	const char *name; /* "opt/fold-add" */
	char *file;
	size_t len;
	VEC(struct golden_section) sections;
};

void golden_read(struct golden *g, const char *path);
void golden_free(struct golden *g);
/* The n-th section of that heading, from 0; NULL. */
const struct golden_section *golden_find(const struct golden *g, const char *word, unsigned n);
/* Fails the test when there is none. */
const struct golden_section *golden_need(const struct golden *g, const char *word);
/* got is the text of this section; else both are printed and the test fails (or is blessed). */
void golden_expect(struct golden *g, const char *word, const char *got);

/*
 * Runs one test for every *.case in the directories under tests/golden, in order of their names.
 * run gets the path as *state. Returns the number of failures. SKEP_CASE=name runs one alone.
 */
int golden_run(const char *group, const char *const *dirs, unsigned ndirs, void (*run)(void **));
