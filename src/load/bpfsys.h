/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Descriptors of new maps, programs and types, as libbpf's functions give them: -1 and errno. */
#pragma once
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_prog_load_opts;
struct bpf_map_create_opts;

/* Of the options, those that are set in src/load; o may be NULL. */
int sys_prog_load(uint32_t type, const char *name, const char *license, const struct bpf_insn *insn,
	size_t n, const struct bpf_prog_load_opts *o);
int sys_map_create(uint32_t type, const char *name, uint32_t key, uint32_t value, uint32_t n,
	const struct bpf_map_create_opts *o);
int sys_btf_load(const void *btf, uint32_t size);
