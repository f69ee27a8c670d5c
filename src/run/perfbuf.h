/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of kernels without ring buffers: a perf buffer for each CPU. */
#pragma once
#include "base/arena.h"
#include <stdbool.h>

struct perf_buffers;

/* A negative answer stops reading behind this record. */
typedef int (*perf_record_fn)(void *arg, void *data, size_t size);

/* One buffer of that many pages (a power of two) for each CPU that is on, in map's slots. NULL, errno. */
struct perf_buffers *perf_buffers_new(struct arena *a, int map, int cpus, size_t pages,
	perf_record_fn record, void *arg);
void perf_buffers_free(struct perf_buffers *b);

/* Hands over what is there, after waiting for it; a signal ends the waiting. 0: does not wait. */
void perf_buffers_read(struct perf_buffers *b, int timeout_ms);
