/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An object into the kernel: maps created, programs verified, nothing attached yet. */
#pragma once
#include "skep/skep.h"

struct skep_load_options {
	bool stats; /* ask the verifier how much it looked at, for -v */
	bool offload; /* XDP programs that name no mode go into the network card (its driver must know how) */
};

/*
 * Takes an object file that skep built, instead of compiling a script.
 * Ownership: the bytes stay the caller's and must live until skep_free.
 * Errors: SKEP_EUSER with messages when it is damaged or foreign; SKEP_ENOMEM.
 */
int skep_open(struct skep *s, const void *object, size_t size);

/*
 * Loads what skep_compile made or skep_open took.
 * Errors: SKEP_ESYS with messages (missing rights, missing kernel feature, verifier rejection);
 * SKEP_EUSER; SKEP_EBUG; SKEP_ENOMEM.
 * Kernel: 5.10 or newer; needs CAP_BPF and CAP_PERFMON, CAP_NET_ADMIN for packet hooks.
 */
int skep_load(struct skep *s, const struct skep_load_options *o);
