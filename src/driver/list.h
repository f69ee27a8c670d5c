/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of the listing share. */
#pragma once
#include "driver/driver.h"
#include "kern/kern.h"

struct listing {
	struct kbtf *module; /* types of the module that was looked at last; or NULL */
	const char *module_name;
	struct skep *s;
	const char *pattern;
	bool fields;
	int pid; /* of the process whose files "*" means; 0 none */
	void (*line)(const char *text, void *arg);
	void *arg;
	const char *kind; /* prefix of the names at hand */
	unsigned found;
};

void list_name(const char *name, void *listing); /* kind:name, when it matches */

/* list_types.c: when the pattern starts with struct, union or enum; false: it is one of probes */
bool list_types(struct listing *l);

/* list_more.c */
void list_functions(struct listing *l); /* fentry, fexit */
void list_typed(struct listing *l, enum probe_parts parts); /* rawtracepoint, lsm */
void list_events(struct listing *l, const char *kind);
void list_user(struct listing *l, enum probe_parts parts); /* uprobe, uretprobe, usdt */

/* list_ops.c */
void list_ops(struct listing *l); /* sched_ext */
bool list_ops_any(struct listing *l); /* the target's kernel has it */
