/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of the loader know of each other. */
#pragma once
#include "load/bpfsys.h"
#include "load/load.h"
#include <linux/bpf.h>

enum obj_ref_kind { REF_MAP, REF_VALUE, REF_KFUNC };
struct obj_ref { /* a relocation: an instruction that names a map or a kernel function */
	enum obj_ref_kind kind;
	uint32_t insn;	  /* index in the program */
	uint32_t map;	  /* MAP VALUE */
	const char *name; /* KFUNC */
};

struct obj_fn { /* a function of a program */
	uint32_t sec, off; /* ELF section, first instruction's byte offset there */
	uint32_t at, n;	   /* its place in obj_prog.insn */
};

struct obj_prog { /* per meta.progs row */
	struct bpf_insn *insn; /* our copy, relocated in place */
	uint32_t n;
	VEC(struct obj_fn) fns; /* the program itself, then what it hands to helpers */
	VEC(struct obj_ref) refs;
	VEC(struct bpf_func_info) funcs;
	VEC(struct bpf_line_info) lines; /* insn_off in instructions of the program */
	VEC(struct bpf_core_relo) core;	 /* the same */
};

struct obj_image {
	struct obj_prog *prog;
	const uint8_t *btf; /* aligned copy of .BTF */
	uint32_t btf_size;
	struct kbtf *local; /* the same, readable; NULL when there is none */
	uint32_t btf_given; /* bytes of types the kernel is given */
	int btf_fd;	    /* -1 not loaded */
	bool btf_tried;
	char license[64];
	uint32_t *src_base; /* per meta.sources row: base in the diagnostics' span space */
	char *log;	    /* verifier log, malloc */
};

static inline struct obj_image *image_of(const struct loaded *l)
{
	return l->image;
}

/* The program's instruction that stands at this place of the object; UINT32_MAX: none of its. */
uint32_t prog_insn_at(const struct obj_prog *p, uint32_t sec, uint64_t off);

/* object.c */
struct skep_span load_span(const struct loaded *l, uint32_t off, uint32_t len); /* meta's to ours */

/*
 * ext.c: function, line and field records of .BTF.ext go to the programs they belong to. Damaged
 * tables are left out, and *why says what is wrong with them.
 */
bool ext_read(struct loaded *l, const uint8_t *ext, size_t size,
	uint32_t (*sec_index)(void *arg, const char *name), void *arg, const char **why);
/* The program's BTF in the kernel; -1 when there is none or the kernel takes none. */
int btf_fd_of(struct loaded *l);

/* core.c: writes the running kernel's field offsets into a program. 0 or SKEP_ESYS. */
void core_names(struct loaded *l); /* the same for the side table */
int core_relocate(struct loaded *l, uint32_t prog);

/* needs.c: 0, or SKEP_ESYS with every missing feature named */
int needs_check(struct loaded *l);
int structops_types(struct loaded *l); /* whether the kernel has the tables of operations; reported */

/* maps.c */
int maps_create(struct loaded *l);
/* Whether this kernel makes ring buffers or task storage; -1: it does not tell us. */
int map_probe(uint32_t type);
void maps_stop_timers(const struct loaded *l);
void maps_close(struct loaded *l);

/* fill.c: lists and interfaces into their maps */
int fill_lists(struct loaded *l);

/* kaddr.c: addresses of the kernel that kaddr() names */
int fill_kaddr(struct loaded *l, uint32_t map);
void free_lists(struct loaded *l);

/* progs.c */
int progs_load(struct loaded *l, const struct load_options *o);

/* attach.c: for the files of one kind of probe */
int attach_prog_fd(const struct loaded *l, uint32_t probe);
/* A diagnostic for the errno; kind as in syserr.def. Returns SKEP_ESYS. */
int attach_error(struct loaded *l, uint32_t probe, const char *kind, int err);
void attach_keep(struct loaded *l, struct loaded_link link);
int attach_again(struct loaded *l, uint32_t probe); /* a packet hook whose interface is back */

/* pin.c: the pinned set of l->attach.pin */
/* Gives the new program to the link that the set has for this probe; false when there is none. */
bool attach_over_pinned(struct loaded *l, uint32_t probe, unsigned ifindex);
/* Handle and priority of the set's filter in this place; false when there is none. */
bool attach_filter_over_pinned(struct loaded *l, struct tc_filter *f);

/* attach_net.c: packet hooks */
int attach_xdp(struct loaded *l, uint32_t probe);
/* What runs on the interface runs in this mode; "" is any. */
bool xdp_mode_fits(unsigned ifindex, const char *mode);
int attach_tc(struct loaded *l, uint32_t probe);
int attach_cgroup_skb(struct loaded *l, uint32_t probe);

/* structops.c */
int structops_create(struct loaded *l, uint32_t map);
int structops_prog_ids(struct loaded *l, uint32_t prog, uint32_t *type_id, uint32_t *member);
int structops_fill(struct loaded *l, uint32_t ops); /* program descriptors into the map */
int structops_attach(struct loaded *l, uint32_t ops);

/* progs.c: loads a program again after meta.progs changed what it is attached as. */
int prog_again(struct loaded *l, uint32_t prog);

/* attach.c: what the attach functions share; 0 or SKEP_ESYS with a diagnostic */
int probe_missing(struct loaded *l, uint32_t probe, const char *why, const char *hint);
uint64_t probe_cookie(const struct loaded *l, uint32_t probe);
void keep_link(struct loaded *l, uint32_t probe, int fd, const char *tracefs);

/* attach_perf.c */
int attach_kprobe(struct loaded *l, uint32_t probe);
int attach_kretprobe(struct loaded *l, uint32_t probe);
int attach_tracepoint(struct loaded *l, uint32_t probe);
int attach_interval(struct loaded *l, uint32_t probe);
int attach_profile(struct loaded *l, uint32_t probe);
int attach_event(struct loaded *l, uint32_t probe);
int attach_watchpoint(struct loaded *l, uint32_t probe);
int append_text(const char *path, const char *text); /* 0 or -errno */
const char *tracefs_path(struct loaded *l, const char *rest);

int perf_attach(struct loaded *l, uint32_t probe, int event, const char *tracefs);

/* attach_traced.c */
bool traced_prog(const struct meta_prog *row); /* loaded for one place, by an id of BTF */
int traced_id(struct loaded *l, uint32_t prog, uint32_t *id);
/* The module's types that the id is of, opened for the caller; below 0: the kernel's own. */
int traced_types(const struct loaded *l, uint32_t prog);
bool traced_optional(const struct loaded *l, uint32_t prog);
int attach_traced(struct loaded *l, uint32_t probe);
int attach_iter(struct loaded *l, uint32_t probe);

/* attach_uprobe.c */
int attach_uprobe(struct loaded *l, uint32_t probe);
int attach_usdt(struct loaded *l, uint32_t probe);
int attach_uprobe_multi(struct loaded *l, uint32_t probe);

/* attach_multi.c: all probes of this one's program at once */
int attach_multi(struct loaded *l, uint32_t probe);

/* vlog.c: a diagnostic from the verifier's log; err is the errno of the load. */
/* Where an instruction came from; NO_SPAN when the object has no lines. */
struct skep_span prog_span(const struct loaded *l, uint32_t prog, uint32_t insn);
void vlog_report(struct loaded *l, uint32_t prog, const char *log, int err);

/* syserr.c: what an errno of a system call means, in words with a hint. Returns SKEP_ESYS. */
enum sys_what { SYS_MAP, SYS_PROG, SYS_ATTACH, SYS_RUN, SYS_OPS };
const char *sys_cause(enum sys_what what, const char *kind, int err); /* "the kernel has no …" */
int sys_error(struct loaded *l, enum sys_what what, const char *kind, struct skep_span at, int err,
	const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Whole small file as a string in the arena; NULL when it cannot be read. */
const char *read_small(struct arena *a, const char *path);
