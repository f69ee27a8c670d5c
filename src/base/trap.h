/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way out for what is nobody's fault but ours (a broken invariant) or the machine's (no memory):
 * one jump back to the library's entry point, which frees the arenas and returns a code.
 * User errors never take this way; they are diagnostics (diag.h).
 */
#pragma once
#include <setjmp.h>

struct trap {
	jmp_buf env;
	int code;	   /* SKEP_EBUG or SKEP_ENOMEM, see skep/diag.h */
	char message[256]; /* for SKEP_EBUG: pass and value concerned */
};

/* Jumps to t->env with t->code set. Does not return; aborts when t is NULL. */
_Noreturn void trap_raise(struct trap *t, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
