/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What skep says when something is wrong. The library never prints and never exits: it collects
 * diagnostics, and the caller renders them (skep_diags_render gives the text the program prints).
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Results of library calls: 0, one of these, or a negative errno from the kernel. */
enum skep_result {
	SKEP_OK = 0,
	SKEP_EUSER = 1,	  /* the script is wrong; see the diagnostics */
	SKEP_ESYS = 2,	  /* the system said no; see the diagnostics */
	SKEP_EBUG = 3,	  /* a broken invariant in skep itself; please report */
	SKEP_ENOMEM = 4,  /* out of memory */
};

enum skep_severity { SKEP_ERROR, SKEP_WARNING, SKEP_NOTE };

/* A piece of source text: byte offset and length within the compilation's sources, concatenated. */
struct skep_span {
	uint32_t off, len;
};

struct skep_diags; /* opaque collection, see base/diag.h inside the project */
