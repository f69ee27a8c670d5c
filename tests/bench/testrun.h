/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How long packet programs take: BPF_PROG_TEST_RUN on this machine, our program and another in turns,
 * less what a program takes that does nothing. Nothing is attached.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct testrun_ns {
	double ours, theirs; /* nanoseconds a packet; theirs < 0 when there is no such program */
	double idle;	     /* of the program that does nothing, taken off from both */
};

struct testrun_net { /* a key of an LPM trie; a hash takes the address alone */
	uint32_t bits, addr;
};
struct testrun_nets {
	const struct testrun_net *v;
	uint32_t n;
};

/* Whether this kernel runs packet programs for us. */
bool testrun_possible(void);
/*
 * Loads the first program of an object file; -1 and a note on stderr when that fails. Its map of
 * addresses or networks, if it has one, holds these.
 */
int testrun_load(const char *path, const struct testrun_nets *nets);
/* The least of some rounds, in turns, with ring buffers emptied before each; theirs may be -1. False: the kernel does not run it. */
bool testrun(int ours, int theirs, uint32_t type, const uint8_t *frame, uint32_t n,
	struct testrun_ns *ns);
