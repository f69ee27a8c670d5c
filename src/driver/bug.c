/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a user sees when an invariant of the compiler breaks, and can send us. */
#include "driver/driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The broken function's text, in an arena of its own; NULL when even that fails. */
static char *print_fn(const struct ir_fn *f)
{
#ifdef SKEP_LOADER
	(void)f; /* there is no compiler that could have one */
	return NULL;
#else
	struct trap trap;
	struct arena a;
	struct buf b;
	char *volatile text = NULL;

	arena_init(&a, &trap);
	if (setjmp(trap.env) == 0) {
		buf_init(&b, &a);
		buf_puts(&b, "");
		ir_print_fn(f, &b);
		text = strdup(b.p);
	}
	arena_free(&a);
	return text;
#endif
}

static bool unfinished_line(const char *text)
{
	return text && *text && text[strlen(text) - 1] != '\n';
}

char *bug_report(struct skep *s)
{
	char *ir = s->fn ? print_fn(s->fn) : NULL, *text = NULL;
	int n = asprintf(&text,
		"skep: error: this is a bug in skep: %s\n"
		"%s%s%s%s%s%s%s"
		"Please report it with the script and the text above.\n",
		s->trap.message, s->pass ? "pass: " : "", s->pass ? s->pass : "",
		s->pass ? "\n" : "", s->broken ? s->broken : "",
		unfinished_line(s->broken) ? "\n" : "", ir ? "program:\n" : "", ir ? ir : "");

	free(ir);
	return n < 0 ? NULL : text;
}
