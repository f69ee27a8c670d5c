/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The verifier contract: small programs whose acceptance by this kernel is compared with what
 * kernels were measured to say. When a kernel changes its mind, the rule of the IR that rests on
 * the answer is named. Nothing is attached. Include contract.c into the program.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>

struct contract {
	FILE *out; /* lines "ok NAME", "not ok NAME: why", "skip NAME: why" */
	unsigned passed, failed, skipped;
	/* The machine; contract_open fills them from the running kernel. */
	unsigned version; /* KERNEL_VERSION form */
	bool x86;
	const char *btf; /* path */
	bool quick;	 /* leave out the cases that cost the verifier minutes under emulation */
};
void contract_open(struct contract *c, FILE *out);
/* Runs all cases; false when a file cannot be read or makes no sense. */
bool contract_run(struct contract *c, const char *cases, const char *matrix);
