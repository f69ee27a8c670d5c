/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the driver's files share: the state behind the public struct skep. */
#pragma once
#include "backend-bpf/backend.h"
#include "base/trap.h"
#include "load/load.h"
#include "skep/compile.h"

struct skep {
	struct arena a;
	struct trap trap;
	struct skep_diags diags;
	struct target target;
	struct meta meta;
	struct ir_module *m; /* being compiled */
	struct code *code;   /* of meta.progs, once compiled */
	/* Where the compiler is, for messages about broken invariants. */
	const struct ir_fn *fn;
	const char *pass;
	const char *broken; /* what the IR checker said */
	struct buf object, dump;
	const void *image; /* what skep_load loads: the object, or skep_open's bytes */
	size_t image_size;
	struct loaded loaded;
	bool opened;
	bool dead;	 /* out of memory or a bug: only messages and freeing work */
	char *bug;	 /* from malloc: it must outlive a broken arena */
	char *rendered; /* the same, skep_messages' answer */
};

/*
 * Calls fn with the trap set: bugs and lack of memory come back here and become SKEP_EBUG or
 * SKEP_ENOMEM. Every public function that allocates goes through this.
 */
int guarded(struct skep *s, int (*fn)(struct skep *s, void *arg), void *arg);
/* Text for the user who met a bug of ours: pass, program, its IR. Never fails. */
char *bug_report(struct skep *s);

struct ir_module *module_new(struct skep *s);

/* compile.c: the passes, in order */
struct pass {
	const char *name;
	void (*run)(struct ir_fn *f);
	enum { IR_FORM, MACHINE } takes; /* whose operations it works on */
	bool (*check)(const struct ir_fn *f, struct buf *why); /* what it promises; or NULL */
	const char *what;
};
extern const struct pass passes[];
extern const unsigned npasses;
void run_pass(struct skep *s, const struct pass *p, struct ir_fn *f);

/* limits.c: whether what the checker found is the script's fault; then it has been reported. */
bool limit_reported(struct skep *s, const struct ir_fn *f, const char *why);
struct code;
void limit_maps(struct skep *s, const struct code *code); /* reports a program with too many maps */

/* dump.c */
void dump_fn(struct skep *s, const char *stage, const struct ir_fn *f);
void dump_code(struct skep *s, const char *name, const struct bpf_insn *insn, uint32_t n);
void dump_btf(struct skep *s, const void *btf, size_t size);
