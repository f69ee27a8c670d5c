/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Script text to an eBPF object file. Needs no rights and no kernel. */
#pragma once
#include "skep/skep.h"
#include <stdint.h>

struct skep_compile_options {
	const char *const *params; /* $1 … */
	unsigned nparams;
	int pid;	  /* only events of this process; 0: all */
	int cpid;	  /* the process that 'cpid' means; 0: none */
	bool unsafe;	  /* allow functions that change the system */
	bool check_reads; /* count and report reads of memory that fail */
	bool offline;	  /* for skep_replay: interfaces need not be there */
	bool count_rules; /* packets and bytes of every packet rule, not only of drop("reason") */
	bool live;	  /* a scheduler also counts what --live shows of it */
	bool portable;	  /* relocate kernel fields when loading (CO-RE) instead of now */
	const char *const *named; /* "--name=value" for getopt() */
	unsigned nnamed;
	/* "name=value", NULL-terminated: over what the script's config says; unknown ones are passed over */
	const char *const *settings;
	const char *dump; /* collect the state after this stage, "all" for every one; or NULL */
};

/*
 * Compiles one script. name stands in messages. May be called once for each s.
 * Ownership: text is copied; options' strings must live until the call returns.
 * Errors: SKEP_EUSER with messages; SKEP_EBUG; SKEP_ENOMEM.
 * Kernel: not needed; what the target lacks is an error of the script's.
 */
int skep_compile(struct skep *s, const char *name, const char *text, size_t len,
	const struct skep_compile_options *o);

/*
 * Reads the files of prefixes() and ports() that a compiled script names, as skep_load does.
 * Errors: SKEP_EUSER with messages when a file cannot be read or a line is wrong; SKEP_ENOMEM.
 */
int skep_check_lists(struct skep *s);

/*
 * A script made of a filter in tcpdump's language: at the hook ("xdp:eth0"), what the filter matches
 * is dropped ("drop"), passed while all else is dropped ("only"), counted ("count") or also written
 * to a file ("capture", file; else NULL). Ownership and errors: as skep_compile; places in messages are
 * the filter's.
 */
int skep_compile_pcap(struct skep *s, const char *filter, const char *hook, const char *action,
	const char *file, const struct skep_compile_options *o);

/* The object made by skep_compile, s's own; NULL when there is none. */
const void *skep_object(const struct skep *s, size_t *size);

/*
 * Calls probe with the name of every probe of the script that skep_compile has compiled, patterns
 * replaced by what they found. Errors: SKEP_ENOMEM.
 */
int skep_list_script(struct skep *s, void (*probe)(const char *text, void *arg), void *arg);

/* What was asked for with dump, "" when nothing; also after errors. s's own. */
const char *skep_dump(const struct skep *s);

/* Name of the i-th stage and what it does; NULL past the last. */
const char *skep_stage(unsigned i, const char **what);

/*
 * Runs passes (names as skep_stage gives them, separated by commas) on the text form of the IR; the
 * result, in the same form, is what skep_dump returns. The last may be "asm". For debugging passes.
 * Errors: as skep_compile.
 */
int skep_run_passes(struct skep *s, const char *name, const char *text, size_t len,
	const char *passes);
