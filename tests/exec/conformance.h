/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instruction conformance: small programs with their results, run in the interpreter and, where
 * the machine allows it, in the kernel. Include conformance.c into the program.
 *
 * A .case file is a list of sections "-- word rest":
 *   -- case NAME     opens a case; what follows belongs to it
 *   -- asm           lines of a function: r1 points to 64 bytes of memory, r2 is 64
 *   -- op TEXT       stands for asm that loads r0 and r2 from the first two words, does TEXT
 *   -- if TEXT       stands for asm whose result is whether r3 and r2, loaded so, compare
 *   -- mem HEX       the memory of the runs that follow (the rest is zero)
 *   -- run A B = R   one run with words A and B … as memory (none: as -- mem says), result R
 *   -- error WORDS   the program must be refused: by the interpreter with these words, by the
 *                    kernel at loading
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct tally {
	unsigned passed, failed, skipped;
};
struct conformance {
	FILE *out;
	bool all;	       /* print "ok" lines, too */
	bool kernel;	       /* run in the kernel as well */
	const char *no_kernel; /* why not */
	int kernel_isa;	       /* level of the instruction set it takes */
	bool kernel_atomics;   /* fetching and exchanging ones */
	struct tally t;	       /* a run counts once for the interpreter and once for the kernel */
};
/* Asks the kernel what it allows. */
void conformance_open(struct conformance *c, FILE *out);
/* False when the file cannot be read. */
bool conformance_file(struct conformance *c, const char *path);
