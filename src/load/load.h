/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Brings an object made by skep into the kernel: maps, programs, attachments. Reads object images
 * only, so a saved object needs no compiler. System calls through libbpf's low-level functions:
 * its object loader would parse vmlinux BTF, which costs more than everything else together.
 */
#pragma once
#include "base/arena.h"
#include "base/diag.h"
#include "base/meta.h"
#include "kern/target.h"
#include "load/tc.h"

struct loaded_prog {
	int fd; /* -1 until loaded */
	uint32_t insns, xlated, jited; /* instructions in the object; bytes after the kernel's rewriting */
	uint32_t verified; /* instructions the verifier processed; 0 unknown */
};
struct loaded_link {
	int fd;		 /* link or perf event; closed to detach. struct_ops before 6.4: the map */
	uint32_t probe;	 /* index into meta.probes; META_NONE for struct_ops */
	const char *tracefs; /* kprobe made through tracefs, to be removed by this name; else NULL */
	bool unregister; /* struct_ops before 6.4: detached by deleting the map's entry */
	unsigned ifindex; /* packet hooks of interfaces: which one it was */
	bool clsact;	 /* no link: the filter tc, fd -1 */
	struct tc_filter tc;
	bool pinned;	 /* in the BPF file system */
	bool stays;	 /* remains in force when this process ends */
	int old_prog;	 /* > 0: what it ran before it was taken over; given back by load_detach */
};

/* How load_attach goes about packet hooks. Set by the caller before. */
struct attach_options {
	const char *xdp_mode; /* of probes that name none: "native", "generic", "offload"; NULL any */
	bool replace; /* take the place of foreign XDP programs */
	const char *pin; /* take over what is pinned under this name (load/pin.h); NULL */
};

struct loaded {
	struct arena *a;
	struct skep_diags *d;
	struct target *target;
	struct meta meta;
	int *map_fd;		   /* per meta.maps row; -1 none */
	void **map_mem;		   /* mmap of DATA, RODATA and COUNTERS maps, else NULL */
	struct loaded_prog *prog;  /* per meta.progs row */
	VEC(struct loaded_link) links;
	struct attach_options attach;
	unsigned offload; /* the interface whose card runs the XDP program and holds the maps; 0 none */
	int cpid; /* the command that was started; 0 none */
	int pid; /* only this process is watched where that can be said; 0 all */
	uint32_t left_out; /* probes that could not be attached and need not be */
	/* Called as probes are attached; may be NULL. False: no more of them, the user has had enough. */
	bool (*progress)(void *arg, uint32_t done, uint32_t of);
	void *progress_arg;
	VEC(const char *) newcomers; /* interfaces the user was told of (load/netwatch.h) */
	struct set_data *sets;	   /* per meta.maps row: what a list holds now (load/sets.h) */
	void *image;		   /* load/object.c's own: sections, relocations */
};

struct load_options {
	bool stats;	 /* fill loaded_prog.verified (asks the verifier for its statistics) */
	bool verify_only; /* load, attach nothing */
	bool offload;	  /* into the network card, for XDP probes that name no mode */
};

/* Parses the image (kept by the caller until load_close). 0, SKEP_EUSER/SKEP_ESYS with diagnostics. */
int load_open(struct loaded *l, struct arena *a, struct target *t, struct skep_diags *d,
	const void *elf, size_t size);
/* Creates maps, loads programs. A verifier rejection becomes a DIAG_VERIFIER at the script's line. */
int load_programs(struct loaded *l, const struct load_options *o);
/* Attaches every probe except BEGIN and END, in source order. All or nothing. */
int load_attach(struct loaded *l);
/* Runs a program once in the kernel without an event (BEGIN, END). */
int load_run_prog(struct loaded *l, uint32_t prog);
/* A descriptor whose reading runs the probe's program for each object; below 0: errno says why. */
int load_iter_open(const struct loaded *l, uint32_t probe);
struct load_ops_end { /* how a scheduler ended; texts in the arena */
	const char *why;  /* NULL unknown */
	const char *dump; /* the kernel's report of its state; NULL none */
	bool itself;	  /* it asked for its end, with this code */
	int64_t code;
};
/* sched_ext and other struct_ops: still attached? When not, why. */
bool load_ops_alive(struct loaded *l, struct load_ops_end *end);
/*
 * The value of an array map of one entry (data, counters, scalars): value_size bytes, from the
 * mapping when there is one. 0 or -errno.
 */
int load_value_get(const struct loaded *l, uint32_t map, void *value);
int load_value_set(const struct loaded *l, uint32_t map, const void *value);
/*
 * Asks the running kernel for a feature (it may have been patched in, or switched off, so versions
 * do not tell): 1 yes, 0 no, -1 cannot say. A system call or two each.
 */
int load_probe_feature(enum kern_feature f);
/* The same for a helper in a kind of program (BPF_PROG_TYPE_). */
int load_probe_helper(uint32_t prog, uint32_t helper);
/* Corrects t->features for every feature that can be asked for. */
void load_probe_features(struct target *t);
/* Events that found a program still busy on their CPU, so that it did not run for them. */
uint64_t load_prog_misses(const struct loaded *l, uint32_t prog);
bool load_has_lists(const struct meta *m);
/* Reads the files of all lists again; what stays is never out. Entries of prefix lists in all. */
int load_lists_again(struct loaded *l, uint32_t *entries);
/*
 * Lets the kernel count runs and their time of all programs while the descriptor is open (since
 * 5.8); -errno where it cannot.
 */
int load_measure(void);
void load_prog_cost(const struct loaded *l, uint32_t prog, uint64_t *runs, uint64_t *ns);
void load_detach(struct loaded *l); /* links only; maps stay readable */
void load_close(struct loaded *l);
unsigned load_probe_count(const struct loaded *l); /* as "Attached N probes" counts: BEGIN and END included */
