/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names of addresses. Everything is read when it is first needed: /proc/kallsyms for the kernel,
 * /proc/PID/maps and the files it names for processes. What is known of a process is kept after
 * its end.
 */
#pragma once
#include "base/meta.h"

struct sym;
struct loaded;

struct sym *sym_new(struct arena *a, const struct loaded *l);
void sym_free(struct sym *s); /* closes files; memory is the arena's */

/* A process that user addresses belong to: remembers what lies where in it, while it lives. */
void sym_seen(struct sym *s, uint32_t tgid);

/* Frames of the stack with this number; 0 for the empty one, -1 when it is not known. */
int sym_frames(struct sym *s, const struct meta_field *f, uint64_t number, uint64_t *frames,
	uint32_t *tgid);
#define SYM_FRAMES_MAX META_MAX_FRAMES

/*
 * A stack that no map names any more gives its place back, if it is one of those that are known by
 * a hash. Its frames stay known here until the next round: a program may just be adding to it.
 */
void sym_release_begin(struct sym *s, const struct meta_field *f);
void sym_release(struct sym *s, const struct meta_field *f, uint64_t number);

/* The function at an address; where: the file, for user addresses. False: nobody knows. */
struct sym_name {
	const char *name, *where;
	uint64_t off;
};
bool sym_kernel(struct sym *s, uint64_t addr, struct sym_name *n);
bool sym_user(struct sym *s, uint32_t tgid, uint64_t addr, struct sym_name *n);

/* Text as scripts print it; with s NULL numbers. */
void sym_stack_text(struct sym *s, const struct meta *m, struct buf *out,
	const struct meta_field *f, uint64_t number);
void sym_kernel_text(struct sym *s, struct buf *out, uint64_t addr);
void sym_user_text(struct sym *s, struct buf *out, uint32_t tgid, uint64_t addr);

/* ---- elfsym.c: functions of one file ---- */
struct elf_syms;
/*
 * Takes over the descriptor; the file is read at the first question. debug_dir: where the symbols of
 * stripped files are, by their build ids: "/usr/lib/debug/.build-id".
 */
struct elf_syms *elf_syms_new(struct arena *a, int fd, const char *debug_dir);
void elf_syms_close(struct elf_syms *e);
/* The function at a byte of the file, where a mapping of it shows; NULL none. */
const char *elf_syms_at(struct elf_syms *e, uint64_t file_off, uint64_t *off);

/* ---- ksym.c: functions of the kernel ---- */
struct ksym_table;
struct ksym_table *ksym_load(struct arena *a, const char *path); /* never NULL */
const char *ksym_at(const struct ksym_table *t, uint64_t addr, uint64_t *off); /* NULL none */

/* ---- perfmap.c: functions that a process makes while it runs ---- */
struct perf_map;
struct perf_map *perf_map_new(struct arena *a);
const char *perf_map_at(struct perf_map *m, uint32_t tgid, uint64_t addr, uint64_t *off);
