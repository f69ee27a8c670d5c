/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs and libraries of user space, as uprobes see them: functions, where they lie in the
 * file, statically defined probes, and where a name is found. Reads ELF64 of this machine's byte
 * order; damaged files give nothing, never a crash.
 */
#pragma once
#include "base/arena.h"
#include <stdbool.h>

struct uelf; /* one open file */

struct uelf *uelf_open(struct arena *a, const char *path, const char **why); /* NULL and *why */
void uelf_close(struct uelf *u); /* unmaps; names got from it are copied before */

struct uelf_func {
	const char *name; /* without a version ("@@GLIBC_2.2.5"); valid until uelf_close */
	uint64_t addr, size; /* in the file's own addresses */
};
/* Functions of .symtab and .dynsym; a name may come twice. */
void uelf_each_function(struct uelf *u, void (*fn)(const struct uelf_func *f, void *arg), void *arg);
bool uelf_find(struct uelf *u, const char *name, struct uelf_func *out);
bool uelf_find_object(struct uelf *u, const char *name, struct uelf_func *out); /* a variable */
/* It is loaded at another place in each process: its own addresses say nothing. */
bool uelf_moves(const struct uelf *u);
/* Where in the file an address lies; false when it is in no loaded piece. */
bool uelf_file_offset(const struct uelf *u, uint64_t addr, uint64_t *off);

struct uelf_usdt { /* one place of a statically defined probe: .note.stapsdt */
	const char *provider, *name, *args; /* args: "8@%rax -4@$5" */
	uint64_t off;	/* of the instruction in the file */
	uint64_t semaphore; /* of its counter in the file; 0 none */
};
void uelf_each_usdt(struct uelf *u, void (*fn)(const struct uelf_usdt *p, void *arg), void *arg);

/*
 * The file that a script's name means: a path as it is, "libc" or "libssl.so.3" through the
 * linker's cache and the usual directories, "bash" through PATH. pid > 0: as that process sees it,
 * libraries it has loaded first. NULL and *why when there is none.
 */
const char *ufile_find(struct arena *a, const char *name, int pid, const char **why);
/*
 * All files that a part of a probe means, NULL behind the last: those that match a pattern, the one
 * of a name; "" and "*": the program and the libraries of process pid. None: *why.
 */
const char **ufile_each(struct arena *a, const char *name, int pid, const char **why);
