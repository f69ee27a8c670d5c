/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A small eBPF interpreter: the oracle of the tests and the engine of packet replay. Memory is
 * checked at every access; a program that steps outside gives an error, not a crash.
 */
#pragma once
#include "base/arena.h"
#include "base/meta.h"
#include <linux/bpf.h>

struct code;
struct interp_map; /* array, per-CPU array, hash, per-CPU hash, LRU hash, LPM trie, ring buffer */

struct interp {
	struct arena *a;
	const struct bpf_insn *insn;
	uint32_t n;
	const struct meta
		*meta; /* maps: ld_imm64 names them by index when src_reg is 1, 2 (value) */
	struct interp_map **maps; /* one per meta->maps row; made by interp_init */
	/* Packet programs: ctx is an xdp_md or __sk_buff made from this. */
	uint8_t *packet;
	uint32_t packet_len, packet_cap;
	uint32_t prog_type; /* BPF_PROG_TYPE_ */
	uint8_t *ctx;	    /* other programs: bytes of the context */
	uint32_t ctx_len;
	/* What the environment answers: fixed so that runs repeat. */
	uint64_t now_ns, pid_tgid, uid_gid, random_state;
	uint32_t cpu;
	char comm[16];
	uint64_t max_steps;					       /* 0: one million */
	void (*on_record)(void *arg, const void *data, uint32_t size); /* ring buffer output */
	void *arg;
	/* Memory behind numbers that programs pass to probe_read helpers; NULL: none, -EFAULT. */
	bool (*read_mem)(void *arg, uint64_t addr, void *dst, uint32_t size);
	/* Reading stack bytes that were never written is an error (the kernel lets root do it). */
	bool strict_stack;
	const char *error; /* set when interp_run returns false */
	uint32_t error_at;
	struct interp_state *state; /* interp_init's */
};

/*
 * Fill a, insn, n, meta and the environment, then call once: makes the maps. Between runs insn, n,
 * packet, ctx and the environment may change; maps keep their contents.
 * Per-CPU maps have the one CPU. Pointers are numbers of our own, in no relation to real addresses.
 */
void interp_init(struct interp *in);
/* Names the maps of a program that back_emit made by their rows, as the interpreter wants them. */
void interp_link(struct code *c);
/* False on an illegal access or instruction, with error and error_at (instruction index). */
bool interp_run(struct interp *in, uint64_t *r0);
/* Map contents for comparison: calls fn for every entry (all bytes; per-CPU: CPU 0's value). */
void interp_map_each(const struct interp *in, uint32_t map,
	void (*fn)(void *arg, const void *key, const void *value), void *arg);
/* The value's bytes, valid until the next update of the map; NULL without entry. */
void *interp_map_lookup(struct interp *in, uint32_t map, const void *key);
/* 0 or -errno as the kernel's. */
int interp_map_update(
	struct interp *in, uint32_t map, const void *key, const void *value, uint64_t flags);
int interp_map_delete(struct interp *in, uint32_t map, const void *key);
