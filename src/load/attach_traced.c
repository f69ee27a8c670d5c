/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs that name their place by a type of the kernel: fentry, fexit, typed raw tracepoints,
 * security hooks; and raw tracepoints by name. meta_probe: the last arg is the function or event.
 */
#include "load/internal.h"
#include "kern/kern.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static const char *place(const struct meta_probe *p)
{
	return *p->arg[1] ? p->arg[1] : p->arg[0];
}

static uint32_t find_id(struct loaded *l, const struct meta_prog *row, const char *name)
{
	struct kbtf *b = l->target->btf;

	if (row->type == BPF_PROG_TYPE_LSM)
		return kbtf_func(b, arena_printf(l->a, "bpf_lsm_%s", name));
	if (row->attach_type == BPF_TRACE_RAW_TP)
		return kbtf_find(b, BTF_KIND_TYPEDEF, arena_printf(l->a, "btf_trace_%s", name));
	return kbtf_func(b, name);
}

bool traced_prog(const struct meta_prog *row)
{
	return row->type == BPF_PROG_TYPE_TRACING || row->type == BPF_PROG_TYPE_LSM;
}

static const struct meta_probe *probe_of(const struct loaded *l, uint32_t prog)
{
	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		if (l->meta.probes.v[i].prog == prog)
			return &l->meta.probes.v[i];
	}
	return NULL;
}

/* What the program is for, as an id of the kernel's types. */
int traced_id(struct loaded *l, uint32_t prog, uint32_t *id)
{
	const struct meta_probe *p = probe_of(l, prog);
	struct diag *e;

	*id = p && l->target->btf ? find_id(l, &l->meta.progs.v[prog], place(p)) : 0;
	if (*id || (p && p->flags & META_PROBE_OPTIONAL))
		return SKEP_OK;
	e = diag_error(l->d, p ? load_span(l, p->off, p->len) : NO_SPAN, DIAG_NO_SUCH_TARGET,
		"cannot attach to '%s': %s", p ? p->name : "?",
		l->target->btf ? "the kernel's types do not have it"
			       : "this kernel has no type information");
	diag_hint(l->d, e, "`skep -l '%s:*'` lists what this kernel has", p ? p->kind : "fentry");
	return SKEP_ESYS;
}

/* A program that a pattern asked for and the kernel does not take is left out. */
bool traced_optional(const struct loaded *l, uint32_t prog)
{
	const struct meta_probe *p = probe_of(l, prog);

	return traced_prog(&l->meta.progs.v[prog]) && p && p->flags & META_PROBE_OPTIONAL;
}

int attach_traced(struct loaded *l, uint32_t probe)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	bool by_name = l->meta.progs.v[p->prog].type == BPF_PROG_TYPE_RAW_TRACEPOINT;
	int fd;

	if (attach_prog_fd(l, probe) < 0)
		return probe_missing(l, probe, "the kernel does not take a program there", "");
	fd = bpf_raw_tracepoint_open(by_name ? place(p) : NULL, attach_prog_fd(l, probe));
	if (fd < 0)
		return attach_error(l, probe, p->kind, errno);
	keep_link(l, probe, fd, NULL);
	return SKEP_OK;
}
