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
#include <unistd.h>

static const char *place(const struct meta_probe *p)
{
	return *p->arg[1] ? p->arg[1] : p->arg[0];
}

static const struct meta_probe *probe_of(const struct loaded *l, uint32_t prog)
{
	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		if (l->meta.probes.v[i].prog == prog)
			return &l->meta.probes.v[i];
	}
	return NULL;
}

/* The module that has it; NULL: the kernel itself. */
static const char *module_of(const struct meta_prog *row, const struct meta_probe *p)
{
	return row->type == BPF_PROG_TYPE_TRACING && *p->arg[1] && strcmp(p->arg[0], "vmlinux") != 0
		       ? p->arg[0]
		       : NULL;
}

static uint32_t find_id(struct loaded *l, const struct meta_prog *row, const struct meta_probe *p)
{
	const char *name = place(p), *module = module_of(row, p);
	struct kbtf *b = l->target->btf;
	uint32_t id;

	if (module && (!kbtf_module_name(b) || strcmp(kbtf_module_name(b), module) != 0))
		b = kbtf_module(l->a, b, module);
	if (!b)
		return 0;
	if (module) {
		id = row->attach_type == BPF_TRACE_RAW_TP
			     ? kbtf_find(b, BTF_KIND_TYPEDEF, arena_printf(l->a, "btf_trace_%s", name))
			     : kbtf_func(b, name);
		return kbtf_in_module(b, id) ? id : 0;
	}
	if (row->attach_type == BPF_TRACE_ITER)
		return kbtf_func(b, arena_printf(l->a, "bpf_iter_%s", name));
	if (row->type == BPF_PROG_TYPE_LSM)
		return kbtf_func(b, arena_printf(l->a, "bpf_lsm_%s", name));
	if (row->attach_type == BPF_TRACE_RAW_TP)
		return kbtf_find(b, BTF_KIND_TYPEDEF, arena_printf(l->a, "btf_trace_%s", name));
	return kbtf_func(b, name);
}

/* The kernel's types of a module, by its name: a descriptor, or below 0. */
static int module_fd(const char *module)
{
	struct bpf_btf_info info;
	uint32_t id = 0, len;
	char name[64];
	int fd;

	while (!bpf_btf_get_next_id(id, &id)) {
		fd = bpf_btf_get_fd_by_id(id);
		if (fd < 0)
			continue;
		info = (struct bpf_btf_info){.name = (uintptr_t)name, .name_len = sizeof(name)};
		len = sizeof(info);
		name[0] = 0;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.kernel_btf && !strcmp(name, module))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

int traced_types(const struct loaded *l, uint32_t prog)
{
	const struct meta_probe *p = probe_of(l, prog);
	const char *module = p ? module_of(&l->meta.progs.v[prog], p) : NULL;

	return module ? module_fd(module) : -1;
}

bool traced_prog(const struct meta_prog *row)
{
	return row->type == BPF_PROG_TYPE_TRACING || row->type == BPF_PROG_TYPE_LSM;
}

/* What the program is for, as an id of the kernel's types. */
int traced_id(struct loaded *l, uint32_t prog, uint32_t *id)
{
	const struct meta_probe *p = probe_of(l, prog);
	struct diag *e;

	*id = p && l->target->btf ? find_id(l, &l->meta.progs.v[prog], p) : 0;
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

/* Nothing runs yet: reading it does. */
int attach_iter(struct loaded *l, uint32_t probe)
{
	int fd;

	if (attach_prog_fd(l, probe) < 0)
		return probe_missing(l, probe, "the kernel does not take a program there", "");
	fd = bpf_link_create(attach_prog_fd(l, probe), 0, BPF_TRACE_ITER, NULL);
	if (fd < 0)
		return attach_error(l, probe, "iter", errno);
	keep_link(l, probe, fd, NULL);
	return SKEP_OK;
}

int load_iter_open(const struct loaded *l, uint32_t probe)
{
	for (uint32_t i = 0; i < l->links.n; i++) {
		if (l->links.v[i].probe == probe)
			return bpf_iter_create(l->links.v[i].fd);
	}
	return -1;
}
