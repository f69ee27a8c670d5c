/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The side table: everything user space must know about a compiled script that is not code. The
 * front end fills it, the back end writes it into the object (section ".skep", SHT_NOTE so that
 * other loaders pass over it), the loader and the runtime read it. Indices are array positions.
 */
#pragma once
#include "base/arena.h"
#include <stdbool.h>

#define META_MAGIC 0x70656b73u /* "skep" */
#define META_VERSION 4
#define META_SECTION ".skep"
#define META_NONE 0xffffffffu
#define META_MAX_KEYS 16
#define META_MAX_FRAMES 1024

#define MK(id, text) MK_##id,
enum meta_kind {
#include "base/meta.def"
	MK_COUNT
};
#define MA(id, text) MA_##id,
enum meta_agg {
#include "base/meta.def"
	MA_COUNT_
};
#define ME(id, text) ME_##id,
enum meta_event_type {
#include "base/meta.def"
	ME_COUNT
};
#define MC(id, text) MC_##id,
enum meta_counter_kind {
#include "base/meta.def"
	MC_COUNT
};
#define MM(id, text) MM_##id,
enum meta_map_role {
#include "base/meta.def"
	MM_COUNT
};

/* Head of a ring buffer record. */
struct meta_event {
	uint32_t type; /* enum meta_event_type */
	uint32_t id;
};

/* One piece of data inside a key, a value or a record. */
struct meta_field {
	uint32_t kind; /* enum meta_kind */
	uint32_t off;  /* bytes from the start of key, value or record */
	uint32_t size; /* bytes */
	uint32_t ref;  /* KSTACK, USTACK: index into stacks; TIME: into formats; TUPLE STRUCT ARRAY
			* ENUM: 1 + index into types; STR: 1 when what fills it was cut; else 0 */
};

/* More about a field than its kind says. Members refer to types before this one only. */
struct meta_type_member {
	const char *name;	/* STRUCT, ENUM; NULL in tuples and arrays */
	int64_t value;		/* ENUM */
	struct meta_field field; /* offset within the tuple, struct or array */
	uint32_t bit_off, bit_size; /* STRUCT: bit-field within the bytes of field; size 0: none */
};
struct meta_type {
	uint32_t kind;	  /* enum meta_kind of the fields that use it */
	uint32_t n;	  /* ARRAY: elements, one behind the other */
	VEC(struct meta_type_member) members;
};

struct meta_map {
	const char *name;  /* as in the script: "@", "@x"; otherwise the kernel name */
	const char *kname; /* unique, [A-Za-z0-9_], at most 15: the kernel's and the ELF symbol's name */
	uint32_t role;	   /* enum meta_map_role */
	uint32_t type;	   /* BPF_MAP_TYPE_ */
	uint32_t key_size, value_size, max_entries, flags;
	/*
	 * An array whose one value has a part for each CPU, beside each other, value_size / cpus
	 * bytes each: programs address theirs without asking the kernel for it. 0: not so.
	 */
	uint32_t cpus;
	uint32_t agg; /* enum meta_agg */
	bool scalar;  /* no key in the script; the kernel map is an array of one */
	/*
	 * Scalar arrays exist from the start, so the value holds a u64 that is non-zero once the
	 * script has set it; META_NONE for keyed maps. For count it is the count itself.
	 */
	uint32_t present_off;
	struct meta_field value; /* MA_NONE: the value; other: signedness (MK_INT or MK_UINT) */
	int64_t lhist_min, lhist_max, lhist_step; /* TSERIES: min is what was added to the time since
						   * boot, 0: nothing */
	uint32_t hist_bits; /* HIST: each power of two is cut into 2^bits buckets; TSERIES: what
			     * becomes of several values in an interval, enum meta_agg, NONE: the last */
	VEC(struct meta_field) keys; /* empty for scalars */
	const uint8_t *init;	     /* RODATA, DATA: value_size bytes, or NULL for zeroes */
	VEC(const char *) names;     /* SET: its file; IFINDEX: interfaces; KADDR: symbols */
};

/* How a stack is printed: bpftrace's modes. */
enum meta_stack_mode { META_STACK_BPFTRACE, META_STACK_PERF, META_STACK_RAW, META_STACK_MODES };

/*
 * One kind of stack that a script takes. A stack is known by a number of 64 bits (META_STACK_*
 * below); its frames are in one of two maps: table (stack trace map, by id) where the kernel found
 * an empty bucket, spill (hash, by the number itself) where another stack sat in the bucket.
 */
struct meta_stack {
	uint32_t mode; /* enum meta_stack_mode */
	uint32_t limit; /* frames at most */
	uint32_t table, spill; /* indices into maps */
};
#define META_STACK_SPILL (UINT64_C(1) << 63) /* in spill; value: u64 tgid, u64 frame[limit] */
#define META_STACK_EMPTY 0
#define META_STACK_LOST UINT64_C(0x7fffffffffffffff) /* both maps were full */
/* Otherwise: tgid << 32 | id in table + 1; tgid 0 for the kernel's. */

struct meta_format {
	uint32_t event;	  /* enum meta_event_type it belongs to: ME_PRINTF, ME_TIME, ME_PRINT_VALUE */
	const char *text; /* escapes already resolved */
	uint32_t size;	  /* bytes of the record, struct meta_event included */
	VEC(struct meta_field) args;
};

struct meta_counter {
	uint32_t kind; /* enum meta_counter_kind */
	uint32_t ref;
	uint32_t off, len; /* span in the source, 0 when none */
};

/* What MM_RULES counts packets and bytes for. */
struct meta_rule {
	const char *text;  /* of drop("text"); "" for a block that is counted as such */
	uint32_t prog;	   /* of the first program that has it */
	uint32_t off, len; /* in the source: the call, or the attach points and the predicate */
};

struct meta_prog {
	const char *name;    /* function symbol, at most 15, unique */
	const char *section; /* ELF section, libbpf's naming */
	uint32_t type;	     /* BPF_PROG_TYPE_ */
	uint32_t attach_type;
	uint32_t flags;	     /* BPF_F_SLEEPABLE, … for load */
	uint32_t ops, member; /* struct_ops: index into ops and its progs, else META_NONE */
};

#define META_PROBE_OPTIONAL 1u /* may be missing when attached: one of a pattern's, or config says so */
#define META_PROBE_QUIET 2u    /* then nothing is said */

/* One attach point; several may share a program, which knows them by the attach cookie: the index
 * of the probe in its low half, func_id in its high half. */
struct meta_probe {
	const char *name; /* full and canonical: "kprobe:vfs_read" */
	const char *kind; /* row of probes.def: "kprobe" */
	const char *arg[3]; /* parts after the kind, "" when absent */
	const char *func;   /* what the value 'func' prints for it, "" for none */
	uint32_t func_id;   /* first probe with the same func: the value of 'func' */
	uint64_t num[2];    /* numbers that the kind needs: attach.c says which */
	uint32_t flags;	    /* META_PROBE_ */
	uint32_t prog;
	uint32_t off, len; /* where the script names it */
};

struct meta_ops_member {
	const char *name;  /* member of the kernel struct */
	uint32_t prog;	   /* callback; META_NONE for a plain member */
	uint64_t value;	   /* plain number */
	const char *text;  /* char array member, or NULL */
};

/* One struct_ops map: all callbacks of one scheduler. */
struct meta_ops {
	const char *type; /* "sched_ext_ops" */
	const char *name; /* variable and map name */
	uint32_t map;
	VEC(struct meta_ops_member) members;
};

/* Where the text of a program came from, for verifier messages. */
struct meta_source {
	const char *name, *text;
	uint32_t base;
};

struct sym; /* run/sym.h */

/* Portable objects: a load of a tracepoint's field, whose offset is in tracefs. */
struct meta_fixup {
	uint32_t prog, insn;
	const char *category, *event, *field;
	uint32_t off, size; /* where the compiler found it */
};

struct meta {
	struct arena *a;
	struct sym *sym; /* names of addresses, set by the runtime; NULL: they print as numbers */
	uint32_t target_arch; /* enum kern_arch of kern/target.h; 0 any */
	bool portable;	      /* no offset of a particular kernel was compiled in */
	VEC(struct meta_type) types;
	VEC(struct meta_map) maps;
	VEC(struct meta_format) formats;
	VEC(struct meta_counter) counters;
	VEC(struct meta_rule) rules;
	VEC(struct meta_prog) progs;
	VEC(struct meta_probe) probes;
	VEC(struct meta_ops) ops;
	VEC(struct meta_source) sources;
	VEC(struct meta_fixup) fixups;
	const char *maker;  /* "skep 0.1.0"; NULL unknown */
	const char *target; /* what it was compiled for, in words; NULL unknown */
	uint64_t needs;	    /* bit per enum kern_feature of kern/target.h: code depends on it */
	uint32_t helper;    /* id of the helper that came last of all that are called; 0 none */
	VEC(struct meta_stack) stacks;
	bool exits_itself; /* only BEGIN, END and iterators: nothing to wait for */
	bool silent_maps;  /* config print_maps_on_exit = false */
	bool times_of_day;  /* moments are none since boot: those of a capture */
	uint32_t cat_bytes; /* what cat() prints of a file at most; 0: no limit of the script's */
};

void meta_init(struct meta *m, struct arena *a);
uint32_t meta_add_counter(struct meta *m, enum meta_counter_kind kind, uint32_t ref);
/* Words of a HIST value: negatives, then 2^bits numbers one by one, then each power of two in parts. */
#define META_HIST_BITS_MAX 5
#define META_SERIES_MOST 1000 /* intervals: the kernel gives 32 KB to a value per CPU */
#define META_SERIES_WORDS 3
uint32_t meta_hist_words(uint32_t bits);
/*
 * Whole steps between min and max of lhist(): the buckets between the lowest and the highest, which
 * takes the rest of a last step that is not whole, too (so does bpftrace).
 */
uint64_t meta_lhist_steps(int64_t min, int64_t max, int64_t step);
uint32_t meta_find_map(const struct meta *m, const char *name); /* by script name; META_NONE */
uint32_t meta_role_map(const struct meta *m, enum meta_map_role role); /* first one; META_NONE */

/* Serialised form: little-endian u32/u64 words and length-prefixed strings, versioned. */
void meta_write(const struct meta *m, struct buf *out);
/* False and *why set when the bytes are no valid side table; never reads past size. */
bool meta_read(struct meta *m, struct arena *a, const void *bytes, size_t size, const char **why);

/* Its value is many counts or values, each in a bucket of its own. */
bool meta_agg_buckets(uint32_t agg);

const char *meta_kind_text(enum meta_kind k);
const char *meta_agg_text(enum meta_agg k);
const char *meta_event_text(enum meta_event_type k);
const char *meta_role_text(enum meta_map_role k);
