/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The machine a script is compiled for. The compiler learns about kernels from here alone, so the
 * same input gives the same object anywhere; target_host fills it from the running machine,
 * target_file from a description (tests, cross builds).
 */
#pragma once
#include "base/arena.h"
#include "kern/btf.h"

#define KV(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor) << 8) /* kernel version */

enum kern_arch { KERN_ANY, KERN_X86_64, KERN_ARM64, KERN_RISCV64 };

/* Kernel features the compiler or the loader may ask for: features.def, one row each. */
enum kern_feature {
#define F(id, text, since, what, cost) KF_##id,
#include "kern/features.def"
#undef F
	KF_COUNT
};

struct tp_field { /* one field of a tracepoint's format */
	const char *name;
	const char *type; /* C spelling from the format file */
	uint32_t off, size;
	bool is_signed;
	uint32_t array_size; /* elements; 0 for a scalar */
	bool data_loc;	     /* __data_loc: u32, length << 16 | offset; type is "char[]" */
	bool rel_loc;	     /* then: the offset counts from the end of this field (__rel_loc) */
};
struct tracepoint {
	const char *category, *name;
	uint32_t id; /* 0 when the target is not this machine */
	VEC(struct tp_field) fields;
};

struct target {
	struct arena *a;
	const char *name;	 /* "host", or the file it came from */
	enum kern_arch arch;
	uint32_t version;	 /* KERNEL_VERSION form: 6.12.3 is 0x060c03; 0 unknown */
	uint32_t ncpus;		 /* possible CPUs; 0 unknown */
	uint32_t cpu_span;	 /* the greatest number of one, plus 1; 0 unknown */
	int isa;		 /* BPF instruction set level 1 .. 4; default 3 */
	uint64_t features;	 /* bit per enum kern_feature */
	uint64_t forgotten;	 /* the same: not to be used even where the kernel has them */
	struct kbtf *btf;	 /* NULL when there is none */
	const char *btf_why;	 /* then: why, in words */
	bool host;		 /* names may be looked up on this machine */
	bool no_cx16;		 /* x86-64: the processor has no 16-byte compare-and-exchange */
	const char *tracefs;	 /* mounted tracefs, or a directory with the same layout; or NULL */
	int tracefs_mount;	 /* 1 + descriptor of one mounted for us alone; 0 none */
	const char *formats;	 /* without it: another machine's, where single tracepoints are looked up */
	const char *ksyms;	 /* file in the format of /proc/kallsyms, or NULL */
	struct function_list *functions; /* ksyms.c's own, NULL until needed */
};

/* The running machine. btf_path NULL: /sys/kernel/btf/vmlinux. Never fails: what is missing is NULL. */
void target_host(struct target *t, struct arena *a, const char *btf_path);
/* Key = value lines: arch, kernel, isa, cpus, btf, tracefs, ksyms, feature, no-feature. 0 or -errno. */
int target_file(struct target *t, struct arena *a, const char *path, const char **why);
/* The formats of a target without tracefs are this machine's: what loads the object compares them. */
void target_borrow_formats(struct target *t);
void target_close(struct target *t); /* unmaps the BTF; the rest is the arena's */
bool target_has(const struct target *t, enum kern_feature f);
/* Sets features from version, architecture and presence of BTF; version 0 counts as 5.10. */
void target_features_by_version(struct target *t);
enum kern_arch kern_arch_by_name(const char *name); /* x86_64 amd64 arm64 aarch64 riscv64; KERN_ANY unknown */
const char *kern_arch_name(enum kern_arch a);
const char *kern_feature_text(enum kern_feature f); /* as in target files: "ringbuf" */
const char *kern_feature_what(enum kern_feature f); /* for messages: "ring buffers" */
const char *kern_feature_cost(enum kern_feature f); /* what its lack costs; "" nothing */
int kern_feature_by_name(const char *text);	    /* -1 unknown */
uint32_t kern_feature_since(enum kern_feature f); /* version as in target.version */

/* Version from uname -r, uname -v and /proc/version_signature (NULL: none); 0 unknown. */
uint32_t kern_version_parse(const char *release, const char *version, const char *signature);
/* CPUs in "0-3,8" (5), and the greatest number of one plus 1 (9); 0 when it is no such list. */
uint32_t kern_cpu_count(const char *list, uint32_t *span);
/* The running kernel's possible CPUs, and the greatest number of one plus 1; -errno. */
int possible_cpus(uint32_t *span);

/* Where registers of a function call live in struct pt_regs (bytes); -1 beyond the registers. */
int kern_arg_off(enum kern_arch a, unsigned n);
int kern_ret_off(enum kern_arch a);
/* A constant that kernel headers #define (consts.def). False: no such name. */
bool kern_const(enum kern_arch a, const char *name, int64_t *value);
/* System calls, of this machine: false and NULL when there is none, or the target is of another kind. */
bool kern_syscall(enum kern_arch arch, const char *name, int64_t *number);
const char *kern_syscall_name(uint64_t number);
void kern_each_const(void (*fn)(const char *name, void *arg), void *arg);
/* Register by name for reg("ip"); -1 unknown. */
int kern_reg_off(enum kern_arch a, const char *name);
void kern_each_reg(enum kern_arch a, void (*fn)(const char *name, void *arg), void *arg);

/* What to do when this machine's tracefs is not seen. */
const char *kern_tracefs_hint(void);
/* The tracepoint's format, from tracefs; NULL and *why ("no such tracepoint", "no tracefs", …). */
const struct tracepoint *target_tracepoint(struct target *t, const char *category, const char *name,
	const char **why);
/* The same from the text of a format file; what is wrong with it, or NULL. */
const char *tracepoint_parse(struct tracepoint *tp, struct arena *a, const char *text);
/* Calls fn with "category:name" of every tracepoint, sorted. */
void target_each_tracepoint(struct target *t, void (*fn)(const char *name, void *arg), void *arg);

/* Address of a kernel symbol, functions and data; 0 when there is none, or nothing to look in. */
uint64_t target_symbol(const struct target *t, const char *name);

/* Whether a kprobe can be put on this function: 1 yes, 0 no, -1 unknown (nothing to look in). */
int target_has_function(struct target *t, const char *name);
int target_has_module(struct target *t, const char *module); /* it is loaded; -1: nobody knows */
/* Calls fn with the name of every such function, sorted, each once. */
void target_each_function(struct target *t, void (*fn)(const char *name, void *arg), void *arg);
/* The same with the module it is in, "" for the kernel itself; a name once per module. */
void target_each_module_function(struct target *t,
	void (*fn)(const char *name, const char *module, void *arg), void *arg);
