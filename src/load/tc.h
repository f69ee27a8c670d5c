/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Filters of the clsact qdisc, for kernels without tcx. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tc_filter {
	uint32_t ifindex;
	bool egress;
	bool made_qdisc; /* clsact was not there before */
	uint32_t handle, priority;
};

/*
 * Adds a program as a filter before the others, fills handle and priority; with both given, puts
 * the program in the place of the filter that has them, without a moment in which there is none.
 * 0 or -errno.
 */
int tc_attach(struct tc_filter *f, int prog_fd);
/* Descriptor of the program a filter runs; -errno. */
int tc_program(const struct tc_filter *f);
/* Takes the filter away, and the qdisc if it was made for it and nothing else uses it. */
void tc_detach(const struct tc_filter *f);
