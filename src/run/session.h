/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is shared while a script runs: where output goes, what has ended it, what was lost. The
 * parts that need no kernel (events from bytes) are used by tests without one: then l has a side
 * table and no descriptors.
 */
#pragma once
#include "run/emit.h"
#include "run/run.h"

struct ring_buffer;
struct perf_buffers;

struct capture_file;

/* Where maps are when they are not in the kernel (replay). */
struct session_maps {
	/* Every entry; per-CPU maps have one CPU. */
	void (*each)(void *arg, uint32_t map,
		void (*fn)(void *fn_arg, const void *key, const void *value), void *fn_arg);
	/* Removes all entries, or sets their values to zero. */
	void (*reset)(void *arg, uint32_t map, bool remove);
};

struct rule_count {
	uint64_t packets, bytes;
};
/* What rules_live saw last. */
struct rules_last {
	struct rule_count *v;
	uint32_t n;
};

struct session {
	struct loaded *l;
	const struct run_options *o;
	const struct emit_form *form;
	struct arena scratch; /* emptied between batches of events */
	struct buf out;	      /* output not yet written; lives in scratch */
	const struct session_maps *maps; /* NULL: l->map_fd */
	void *maps_arg;
	struct ring_buffer *ring;
	struct perf_buffers *perf; /* instead of it, on kernels without ring buffers */
	uint32_t ncpus;
	uint32_t cpu_span; /* the greatest number of a possible CPU, plus 1 */
	int write_error; /* errno of the first failed write; EPIPE ends quietly */
	bool exited;	 /* the script called exit() */
	bool muted;	 /* events after exit() are dropped until END runs */
	bool draining;	 /* nothing produces any more: read to the end whatever happens */
	uint32_t batch;	 /* records since the consumer was stopped: ring.c */
	int exit_code;
	int signals;	    /* of *o->signals, already handled */
	int pidfd;	    /* of o->pid; -1 none */
	uint64_t told_at;   /* when the user was last told how far attaching is */
	bool *zeroed; /* per map: zero() of a value that has no word to say that it is set */
	unsigned live_lines; /* of --live on the terminal */
	uint64_t live_at;    /* when they are drawn next */
	int costs_fd;	     /* keeps the kernel's statistics on; -1 */
	uint64_t lost_told; /* lost events already reported */
	int hangups;	    /* already heeded */
	VEC(struct capture_file) captures; /* run/capture.h */
	int lists_read;		     /* hangups after which the lists were read */
	bool watching;		     /* interfaces, with */
	int watch_fd;		     /* load/netwatch.h */
	struct rules_last rules_last;
	uint64_t rules_at; /* when */
	uint64_t metrics_at;	     /* when metrics are written next */
	bool metrics_failed;	     /* and it has been told */
	bool failed;		     /* another file could not be written, which has been told */
	int trial_fd;		     /* load/pin.h */
	uint64_t trial_end;
	bool pinned_only; /* pinned, and nothing to wait for */
	bool trial_closed; /* standard input has ended */
	uint64_t clock_offset; /* of CLOCK_REALTIME from CLOCK_MONOTONIC in ns, once needed */
};

void session_init(struct session *s, struct loaded *l, const struct run_options *o);
void session_free(struct session *s);
/* Writes what has been collected; keeps the first error. */
void session_flush(struct session *s);
/* After a hangup: what follows goes to a new file. */
void session_hangup(struct session *s);
/* Lines for the user rather than for the script's output. */
void session_cannot_write(struct session *s, const char *path, int err);
void session_say(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number that goes to the user as text and into the output as JSON. */
void session_announce(struct session *s, void (*form)(struct buf *, uint64_t), uint64_t n);

/* One ring buffer record; false when the bytes are no record of this script. */
bool session_event(struct session *s, const void *data, size_t size);
/* What is in a map now, sorted. */
void session_read_map(struct session *s, uint32_t id, struct table *t);
void session_print_map(struct session *s, uint32_t map, uint64_t top, uint64_t div);
/* Every user map that is not empty, in name order. */
void session_print_maps(struct session *s);

/* ring.c: 0 or -errno with a diagnostic. */
int ring_open(struct session *s);
void ring_close(struct session *s);
/* Waits at most timeout_ms for events and handles all there are. */
void ring_wait(struct session *s, int timeout_ms);
void ring_drain(struct session *s); /* handles what is there, without waiting */

/* The value of an array of one, all CPUs' copies behind each other, into raw; false: not to be had. */
bool session_value(struct session *s, uint32_t map, void *raw);

/* counters.c */
uint64_t counters_lost(struct session *s); /* events lost so far */
void counters_report_lost(struct session *s); /* what was lost since the last report */
void counters_report(struct session *s);      /* the others, at the end */

/* stats.c: what -v tells about programs and maps. */
void stats_print(struct session *s);
void costs_begin(struct session *s); /* the kernel measures its programs from now on */
void costs_print(struct session *s);
void costs_end(struct session *s);
