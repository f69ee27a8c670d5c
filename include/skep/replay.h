/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packet rules tried on a capture: no kernel, no rights. */
#pragma once
#include "skep/skep.h"
#include <stdint.h>
#include <stdio.h>

struct skep_replay_options {
	const void *capture; /* a pcap or pcapng file's bytes */
	size_t size;
	const char *name;  /* of the capture, for messages */
	const char *hook;  /* which packet probes run ("tc:eth0:egress", * and ?); NULL: see below */
	FILE *passed;	   /* packets that passed, as pcap; or NULL */
	FILE *out, *err;   /* the script's output and the result; warnings */
	bool json;
	bool quiet, verbose; /* verbose: a line for each packet */
};

/*
 * Runs the packet programs of the script that skep_compile (with offline set) has compiled over every
 * packet of the capture, in the interpreter that stands in for the kernel; time is the capture's.
 * Without hook those that see arriving packets run: xdp first, then tc; if there are none, those for
 * leaving ones. All must be of one interface. Prints verdicts, rules' counts and maps.
 * Ownership: the capture's bytes must live until the call returns.
 * Errors: SKEP_EUSER (no packet probes, damaged capture) with messages; SKEP_EBUG; SKEP_ENOMEM.
 */
int skep_replay(struct skep *s, const struct skep_replay_options *o);
