/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs a program in this machine's kernel by BPF_PROG_TEST_RUN, with its maps, so that the answer
 * can be compared with the interpreter's. Nothing is attached to anything.
 * Used by the fuzzer, the conformance and the contract suite: include kernel.c into the program.
 */
#pragma once
#include "backend-bpf/interp.h"

struct kernel_prog {
	struct arena *a;
	const struct meta *meta; /* NULL: no maps */
	uint32_t type;		 /* BPF_PROG_TYPE_ */
	/* optional, for kernel_load */
	uint32_t expected_attach_type, attach_btf_id, flags;
	uint32_t run_flags; /* for kernel_run: BPF_F_TEST_ */
	/* results */
	int fd;
	int *map_fd;	 /* per meta->maps row, -1 none */
	const char *log; /* verifier's, or what failed; "" when all went well */
	bool judged;	 /* the verifier saw the program: log is its */
};

/* Whether programs of this type may be loaded at all; otherwise why not, in words. */
bool kernel_allowed(uint32_t prog_type, const char **why);
/* Whether this kernel takes instruction set level isa (1 .. 4). */
bool kernel_takes_isa(int isa);
/*
 * Creates the maps and loads the program; map references are indices, as the interpreter's.
 * 0 or -errno with k->log; after either kernel_close.
 */
int kernel_load(struct kernel_prog *k, const struct bpf_insn *insn, uint32_t n);
void kernel_close(struct kernel_prog *k);
/*
 * Runs once on CPU 0. data: packet, or the context of programs without one; *size is its length
 * and then the packet's afterwards (at most cap). 0 or -errno.
 */
int kernel_run(
	struct kernel_prog *k, uint8_t *data, uint32_t *size, uint32_t cap, uint32_t *retval);
/* Every entry of a map; per-CPU maps: CPU 0's value. 0 or -errno. */
int kernel_map_each(struct kernel_prog *k, uint32_t map,
	void (*fn)(void *arg, const void *key, const void *value), void *arg);
/* Takes the records of a ring buffer. Their number or -errno. */
int kernel_records(struct kernel_prog *k, uint32_t map,
	void (*fn)(void *arg, const void *data, uint32_t size), void *arg);
/* Whether all maps hold the same as the interpreter's; why gets a line per difference. */
bool kernel_same_maps(struct kernel_prog *k, struct interp *in, struct buf *why);
