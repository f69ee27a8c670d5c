/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Objects for tests of the writer and the loader: programs as assembler text, in which map[N] and
 * map[N]+OFF name rows of the side table. Header only: each test is one program. The guests' test
 * programs use it, too, so it does without cmocka.
 */
#pragma once
#include "backend-bpf/backend.h"
#include "load/load.h"
#include "skep/diag.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SRC_NAME "t.skep"
#define SRC_TEXT "kprobe:vfs_read\n{ @[pid] = count(); printf(\"hello\"); }\n"

struct maker {
	struct arena a;
	struct trap trap;
	struct skep_diags d;
	struct target t;
	struct meta meta;
	struct ir_module m;
	struct code code[16];
	struct buf object;
};

static inline void maker_init(struct maker *k, bool host)
{
	memset(k, 0, sizeof(*k));
	arena_init(&k->a, &k->trap);
	diags_init(&k->d, &k->a);
	meta_init(&k->meta, &k->a);
	if (host)
		target_host(&k->t, &k->a, NULL);
	else
		k->t = (struct target){.a = &k->a, .name = "test", .arch = KERN_X86_64, .isa = 3};
	k->m = (struct ir_module){.a = &k->a, .trap = &k->trap, .diags = &k->d, .target = &k->t,
		.meta = &k->meta};
	vec_push(&k->a, &k->meta.sources, (struct meta_source){SRC_NAME, SRC_TEXT, 1});
	buf_init(&k->object, &k->a);
}

static inline void maker_free(struct maker *k)
{
	if (k->t.btf)
		kbtf_close(k->t.btf);
	arena_free(&k->a);
}

static inline uint32_t maker_map(struct maker *k, const char *kname, enum meta_map_role role,
	uint32_t type, uint32_t key, uint32_t value, uint32_t entries)
{
	vec_push(&k->a, &k->meta.maps,
		(struct meta_map){.name = kname, .kname = kname, .role = role, .type = type,
			.key_size = key, .value_size = value, .max_entries = entries,
			.present_off = META_NONE, .value = {.kind = MK_UINT, .size = value < 8 ? value : 8}});
	return k->meta.maps.n - 1;
}

/* Adds a program; "call kfunc N" is row N of the module's kfuncs. */
static inline uint32_t maker_prog(struct maker *k, const char *name, const char *section,
	uint32_t type, const char *text)
{
	struct code *c = &k->code[k->meta.progs.n];
	struct asm_code as = {0};
	uint32_t base = diags_add_source(&k->d, "asm", text, strlen(text));

	if (!asm_parse(text, strlen(text), base, &k->d, &k->a, &as)) {
		diags_render(&k->d, stderr, false);
		abort();
	}
	c->insn = as.insns.v;
	c->n = as.insns.n;
	for (uint32_t i = 0; i < c->n; i++) {
		struct bpf_insn *x = &c->insn[i];
		struct code_reloc r = {.insn = i};

		if (x->code == (BPF_LD | BPF_IMM | BPF_DW) && x->src_reg) {
			r.kind = x->src_reg == BPF_PSEUDO_MAP_FD ? CR_MAP : CR_MAP_VALUE;
			r.index = (uint32_t)x->imm;
			r.add = (uint32_t)x[1].imm;
		} else if (x->code == (BPF_JMP | BPF_CALL) && x->src_reg == BPF_PSEUDO_KFUNC_CALL) {
			r.kind = CR_KFUNC;
			r.index = (uint32_t)x->imm;
		} else {
			continue;
		}
		vec_push(&k->a, &c->relocs, r);
	}
	/* "@[pid]" for the first half, "printf" for the rest. */
	vec_push(&k->a, &c->lines, (struct code_line){0, {19, 6}});
	if (c->n > 2 && c->insn[c->n / 2].code)
		vec_push(&k->a, &c->lines, (struct code_line){c->n / 2, {37, 6}});
	vec_push(&k->a, &k->meta.progs,
		(struct meta_prog){.name = name, .section = section, .type = type,
			.ops = META_NONE, .member = META_NONE});
	return k->meta.progs.n - 1;
}

static inline void maker_probe(
	struct maker *k, const char *name, const char *kind, const char *arg0, uint32_t prog)
{
	vec_push(&k->a, &k->meta.probes,
		(struct meta_probe){.name = name, .kind = kind, .arg = {arg0, "", ""}, .prog = prog,
			.off = 1, .len = 6});
}

static inline int maker_write(struct maker *k)
{
	if (setjmp(k->trap.env)) {
		fprintf(stderr, "trap: %s\n", k->trap.message);
		return -1000;
	}
	return elf_write(&k->m, k->code, &k->object);
}

/* bpf() may be used here at all: else tests of the kernel's answers are skipped, and counted so. */
static inline bool kernel_allows(void)
{
	return geteuid() == 0 && load_probe_feature(KF_RINGBUF) == 1;
}

#define HASH_COUNT                                                                                 \
	"r6 = r1\n"                                                                                \
	"call 14\n" /* get_current_pid_tgid */                                                     \
	"r0 >>= 32\n"                                                                              \
	"*(u64 *)(r10 - 8) = r0\n"                                                                 \
	"r2 = r10\n"                                                                               \
	"r2 += -8\n"                                                                               \
	"r1 = map[0] ll\n"                                                                         \
	"call 1\n"                                                                                 \
	"if r0 == 0 goto miss\n"                                                                   \
	"r1 = 1\n"                                                                                 \
	"lock *(u64 *)(r0 + 0) += r1\n"                                                            \
	"goto event\n"                                                                             \
	"miss: *(u64 *)(r10 - 16) = 1\n"                                                           \
	"r3 = r10\n"                                                                               \
	"r3 += -16\n"                                                                              \
	"r2 = r10\n"                                                                               \
	"r2 += -8\n"                                                                               \
	"r1 = map[0] ll\n"                                                                         \
	"r4 = 0\n"                                                                                 \
	"call 2\n"                                                                                 \
	"event: r1 = map[1] ll\n"                                                                  \
	"r2 = 16\n"                                                                                \
	"r3 = 0\n"                                                                                 \
	"call 131\n" /* ringbuf_reserve */                                                         \
	"if r0 == 0 goto out\n"                                                                    \
	"*(u64 *)(r0 + 0) = 4\n"                                                                   \
	"*(u64 *)(r0 + 8) = 7\n"                                                                   \
	"r1 = r0\n"                                                                                \
	"r2 = 0\n"                                                                                 \
	"call 132\n" /* ringbuf_submit */                                                          \
	"out: r1 = map[2]+8 ll\n"                                                                  \
	"r2 = 1\n"                                                                                 \
	"lock *(u64 *)(r1 + 0) += r2\n"                                                            \
	"r3 = map[3]+4 ll\n"                                                                       \
	"r3 = *(u32 *)(r3 + 0)\n"                                                                  \
	"r1 = map[4]+16 ll\n"                                                                      \
	"*(u64 *)(r1 + 0) = r3\n"                                                                  \
	"r0 = 0\n"                                                                                 \
	"exit\n"

/* Hash and ring buffer, counters, constant and writable data; the body above as given type. */
static inline void maker_sample(struct maker *k, const char *section, uint32_t type)
{
	static const uint32_t constants[4] = {1, 4711, 3, 4};
	static const uint64_t initial[4] = {5, 6, 7, 8};

	maker_map(k, "counts", MM_USER, BPF_MAP_TYPE_HASH, 8, 8, 128);
	k->meta.maps.v[0].agg = MA_COUNT;
	maker_map(k, "events", MM_RING, BPF_MAP_TYPE_RINGBUF, 0, 0, 64 * 1024);
	maker_map(k, "counters", MM_COUNTERS, BPF_MAP_TYPE_ARRAY, 4, 4096, 1);
	maker_map(k, "consts", MM_RODATA, BPF_MAP_TYPE_ARRAY, 4, sizeof(constants), 1);
	k->meta.maps.v[3].init = (const uint8_t *)constants;
	maker_map(k, "vars", MM_DATA, BPF_MAP_TYPE_ARRAY, 4, sizeof(initial), 1);
	k->meta.maps.v[4].init = (const uint8_t *)initial;
	maker_prog(k, "p0_sample", section, type, HASH_COUNT);
	maker_probe(k, "kprobe:vfs_read", "kprobe", "vfs_read", 0);
}
