/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the kernel's BTF in place (mapped, never copied): libbpf's own parse of vmlinux costs some
 * 120 million instructions, one linear scan of ours some 17 million.
 * Type ids are the kernel's. Every function bears damaged input: ids out of range give void.
 */
#pragma once
#include "base/arena.h"
#include <linux/btf.h>
#include <stdbool.h>

struct kbtf;

/*
 * Opens BTF from a file (raw BTF as in /sys/kernel/btf/vmlinux, or an ELF file with a .BTF
 * section) or from memory (kept by the caller). NULL and *why set when it cannot be used.
 */
struct kbtf *kbtf_open(struct arena *a, const char *path, const char **why);
struct kbtf *kbtf_from_bytes(struct arena *a, const void *p, size_t n, const char **why);
/* Types that follow those of base, which must outlive them: a module's, or a script's own. */
struct kbtf *kbtf_split(struct arena *a, struct kbtf *base, const void *p, size_t n, const char **why);
/*
 * The types of a module of the running kernel behind those of the kernel itself, which are b or the
 * last base of it. NULL when there are none: no such module, or one without types.
 */
struct kbtf *kbtf_module(struct arena *a, struct kbtf *b, const char *module);
const char *kbtf_module_name(const struct kbtf *b); /* of b or of its base; NULL: of no module */
bool kbtf_in_module(const struct kbtf *b, uint32_t id); /* a type of the module */
/* Ids up to here are the base's; 0 when b has no types of a script. */
uint32_t kbtf_own(const struct kbtf *b);
uint32_t kbtf_str_end(const struct kbtf *b); /* offset of the first string behind all of b's */
void kbtf_close(struct kbtf *b); /* unmaps; the struct itself is the arena's */

uint32_t kbtf_count(const struct kbtf *b); /* ids are 1 .. count */
const struct btf_type *kbtf_type(const struct kbtf *b, uint32_t id); /* void type for bad ids */
const char *kbtf_str(const struct kbtf *b, uint32_t off);
const char *kbtf_name(const struct kbtf *b, uint32_t id);
static inline unsigned btf_kind_of(const struct btf_type *t)
{
	return (t->info >> 24) & 0x1f;
}
static inline unsigned btf_vlen_of(const struct btf_type *t)
{
	return t->info & 0xffff;
}

/* Id of the first type of this kind (BTF_KIND_) and name; 0 when there is none. Cached. */
uint32_t kbtf_find(struct kbtf *b, unsigned kind, const char *name);
/* struct or union, also through typedef ("pid_t"-style names resolve with kbtf_find TYPEDEF). */
uint32_t kbtf_find_struct(struct kbtf *b, const char *name);
/* Follows typedef, const, volatile, restrict, type tags. */
uint32_t kbtf_strip(const struct kbtf *b, uint32_t id);
/* Size in bytes of a value of the type (through modifiers, arrays); 0 when it has none. */
uint32_t kbtf_size(const struct kbtf *b, uint32_t id);

/* What a value of a type is, once modifiers are gone. */
enum kbtf_class {
	KBTF_VOID,
	KBTF_INT,    /* integers, bool, char, enums */
	KBTF_PTR,
	KBTF_STRUCT, /* and union */
	KBTF_ARRAY,
	KBTF_FUNC,
	KBTF_FLOAT,
};
struct kbtf_info {
	enum kbtf_class class;
	uint32_t id;	  /* stripped */
	uint32_t size;	  /* bytes */
	bool is_signed;	  /* KBTF_INT */
	bool is_bool, is_char, is_enum;
	uint32_t target;  /* KBTF_PTR: pointee; KBTF_ARRAY: element (unstripped ids) */
	uint32_t nelems;  /* KBTF_ARRAY */
	bool user;	  /* KBTF_PTR: tagged __user */
	bool percpu;	  /* KBTF_PTR: tagged __percpu: each CPU adds its own offset */
};
struct kbtf_info kbtf_describe(const struct kbtf *b, uint32_t id);

struct kbtf_member {
	const char *name;
	uint32_t type;	   /* unstripped id */
	uint32_t bit_off;  /* from the start of the outer struct */
	uint32_t bit_size; /* 0 unless a bit-field */
};
/* Looks inside anonymous structs and unions too. */
bool kbtf_find_member(const struct kbtf *b, uint32_t struct_id, const char *name,
	struct kbtf_member *out);
/* Calls fn for every named member (anonymous ones expanded) until it returns false. */
void kbtf_each_member(const struct kbtf *b, uint32_t struct_id,
	bool (*fn)(const struct kbtf_member *m, void *arg), void *arg);

/* Enumerator by name, over all enums and enum64s; answers are cached. */
const char *kbtf_enum_owner(struct kbtf *b, const char *name); /* its enum's name; "" none, or a script's own */
bool kbtf_enum_value(struct kbtf *b, const char *name, int64_t *value);
/* Name and value of the i-th enumerator of t, an enum or enum64. */
const char *kbtf_enumerator(
	const struct kbtf *b, const struct btf_type *t, unsigned i, int64_t *value);
uint32_t kbtf_enum_of(struct kbtf *b, const char *name); /* the enum it is of; 0 none */
/* Calls fn with every enumerator name (for "did you mean"). */
void kbtf_each_enumerator(struct kbtf *b, void (*fn)(const char *name, void *arg), void *arg);

/* Functions: FUNC id by name, its prototype id, parameters (without a trailing "..."). */
uint32_t kbtf_func(struct kbtf *b, const char *name);
void kbtf_each_func(struct kbtf *b, void (*fn)(const char *name, void *arg), void *arg);
uint32_t kbtf_func_proto(const struct kbtf *b, uint32_t func_id);
struct kbtf_param {
	const char *name;
	uint32_t type;
};
uint32_t kbtf_params(const struct kbtf *b, uint32_t proto_id, struct kbtf_param *out, uint32_t max);
uint32_t kbtf_return(const struct kbtf *b, uint32_t proto_id); /* type id; 0 void */
/* Type in C syntax for messages: "struct task_struct *". */
const char *kbtf_spell(const struct kbtf *b, uint32_t id, struct arena *a);
/* The same as the declaration of a name of that type: "char comm[16]". */
const char *kbtf_declare(const struct kbtf *b, uint32_t id, const char *name, struct arena *a);
