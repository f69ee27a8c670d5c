/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What this machine calls its numbers. False: it has no name. */
#pragma once
#include "base/meta.h"
#include <stdbool.h>
#include <time.h>

bool name_of_user(struct buf *out, uint64_t uid);
bool name_of_error(struct buf *out, uint64_t number); /* 13 or -13: "Permission denied" */
bool name_of_syscall(struct buf *out, uint64_t number);
bool name_of_cgroup(struct buf *out, uint64_t id);
bool name_of_signal(struct buf *out, uint64_t number); /* 9: "SIGKILL" */
struct timespec time_of_ns(const struct meta *m, uint64_t ns); /* time of day of a moment */
