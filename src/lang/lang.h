/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The front end's face: script text in; checked IR and side table out. */
#pragma once
#include "ir/ir.h"

struct lang_options {
	const char *const *params; /* positional parameters $1… */
	unsigned nparams;
	int pid;  /* only events of this process; 0 all */
	int cpid; /* what 'cpid' is; 0: there is no command */
	bool unsafe; /* --unsafe: functions that change the system */
	bool check_reads; /* -kk: failed reads are counted */
	bool offline; /* interfaces and cgroups need not be there, patterns stay as they are */
	bool count_rules; /* packets and bytes of every packet rule */
	bool live; /* a scheduler also counts what --live shows of it */
	const char *const *named; /* named parameters, "--name=value" */
	unsigned nnamed;
	const char *const *settings; /* "max_strlen=200", over the script's config block; or NULL */
	const char *dump; /* "ast" or "types": append that dump to dump_out */
	struct buf *dump_out;
};

/*
 * Parses, checks and lowers. m must have a, trap, diags, target and an initialised meta; it gets
 * fns, fields, kfuncs, btf and the tables of meta. 0, or SKEP_EUSER with diagnostics in m->diags.
 */
int lang_compile(struct ir_module *m, const char *name, const char *text, size_t len,
	const struct lang_options *o);
