/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Relocates programs and gives them to the kernel.
 * Requires: maps exist. Ensures: every program has a descriptor, or nothing is loaded and a
 * diagnostic says why.
 *
 * A program is loaded without a log first, since writing one is slow; only a refusal is repeated
 * with it.
 */
#include "load/internal.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_LEAST (64u * 1024)
#define LOG_MOST (16u * 1024 * 1024 - 1) /* what kernels before 5.2 take at most */
#define LOG_LEVEL_STATS 4		 /* BPF_LOG_STATS, since 5.2 */

/* The id the compiler found holds when the same function has it here. */
static uint32_t kfunc_id(struct loaded *l, const struct obj_ref *r, int32_t compiled)
{
	struct kbtf *b = l->target->btf;
	uint32_t id = compiled > 0 ? (uint32_t)compiled : 0;

	if (!b)
		return 0;
	if (id && id <= kbtf_count(b) && btf_kind_of(kbtf_type(b, id)) == BTF_KIND_FUNC &&
		!strcmp(kbtf_name(b, id), r->name))
		return id;
	return kbtf_func(b, r->name);
}

static int relocate_kfunc(struct loaded *l, uint32_t prog, const struct obj_ref *r)
{
	struct bpf_insn *x = &image_of(l)->prog[prog].insn[r->insn];
	uint32_t id = kfunc_id(l, r, x->imm);

	if (!id) {
		diag_error(l->d, prog_span(l, prog, r->insn), DIAG_NO_KERNEL_FEATURE,
			l->target->btf
				? "this kernel has no function '%s' for BPF programs"
				: "'%s' needs the kernel's type information, and there is none",
			r->name);
		return SKEP_ESYS;
	}
	x->src_reg = BPF_PSEUDO_KFUNC_CALL;
	x->imm = (int32_t)id;
	x->off = 0;
	return SKEP_OK;
}

static int relocate(struct loaded *l, uint32_t prog)
{
	struct obj_prog *p = &image_of(l)->prog[prog];
	int err = core_relocate(l, prog);

	for (uint32_t i = 0; !err && i < p->refs.n; i++) {
		const struct obj_ref *r = &p->refs.v[i];
		struct bpf_insn *x = &p->insn[r->insn];

		if (r->kind == REF_KFUNC) {
			err = relocate_kfunc(l, prog, r);
			continue;
		}
		x->src_reg = r->kind == REF_MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		x[1].imm = r->kind == REF_MAP ? 0 : x->imm; /* offset in the value */
		x->imm = l->map_fd[r->map];
	}
	return err;
}

/* One load; lines and function are left out when the kernel took no BTF. */
static int load_call(struct loaded *l, uint32_t prog, struct bpf_prog_load_opts *o)
{
	const struct meta_prog *row = &l->meta.progs.v[prog];
	struct obj_image *im = image_of(l);
	struct obj_prog *p = &im->prog[prog];
	int btf = p->funcs.n ? btf_fd_of(l) : -1, fd, types = traced_types(l, prog);

	o->attach_btf_obj_fd = types < 0 ? 0 : (uint32_t)types;
	if (btf >= 0) {
		o->prog_btf_fd = (uint32_t)btf;
		o->func_info = p->funcs.v;
		o->func_info_cnt = p->funcs.n;
		o->func_info_rec_size = sizeof(*p->funcs.v);
		o->line_info = p->lines.v;
		o->line_info_cnt = p->lines.n;
		o->line_info_rec_size = sizeof(*p->lines.v);
	}
	fd = sys_prog_load(row->type, row->name, im->license, p->insn, p->n, o);
	if (fd < 0)
		fd = -errno;
	if (types >= 0)
		close(types);
	return fd;
}

static int options_for(struct loaded *l, uint32_t prog, struct bpf_prog_load_opts *o)
{
	const struct meta_prog *row = &l->meta.progs.v[prog];
	uint32_t type_id = 0, member = 0;
	int err;

	memset(o, 0, sizeof(*o));
	o->sz = sizeof(*o);
	o->prog_flags = row->flags;
	o->prog_ifindex = row->type == BPF_PROG_TYPE_XDP ? l->offload : 0;
	o->expected_attach_type = row->attach_type;
	if (traced_prog(row)) {
		err = traced_id(l, prog, &type_id);
		o->attach_btf_id = type_id;
		return err;
	}
	if (row->type != BPF_PROG_TYPE_STRUCT_OPS)
		return SKEP_OK;
	err = structops_prog_ids(l, prog, &type_id, &member);
	o->attach_btf_id = type_id;
	o->expected_attach_type = member;
	return err;
}

/* Loads again for the log; it grows until the log fits. Level 2 tells of every state. */
static int load_for_log(struct loaded *l, uint32_t prog, char **log)
{
	struct obj_image *im = image_of(l);
	struct bpf_prog_load_opts o;

	for (uint32_t size = LOG_LEAST * 16;; size = LOG_MOST) {
		int fd, err = options_for(l, prog, &o);

		free(im->log);
		im->log = err ? NULL : malloc(size);
		if (!im->log)
			return err ? err : -ENOMEM;
		im->log[0] = 0;
		o.log_buf = im->log;
		o.log_size = size;
		o.log_level = 1;
		fd = load_call(l, prog, &o);
		*log = im->log;
		if (fd != -ENOSPC || size == LOG_MOST)
			return fd;
	}
}

/* "processed 20 insns (limit ...)" */
static uint32_t verified_of(const char *log)
{
	const char *p = strstr(log, "processed ");

	return p ? (uint32_t)strtoul(p + 10, NULL, 10) : 0;
}

static void note_sizes(struct loaded_prog *p)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(p->fd, &info, &len))
		return;
	p->xlated = info.xlated_prog_len;
	p->jited = info.jited_prog_len;
}

/* The kernel never runs a program over itself on one CPU; it counts such events since 5.12. */
int load_measure(void)
{
	int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

	return fd < 0 ? -errno : fd;
}

void load_prog_cost(const struct loaded *l, uint32_t prog, uint64_t *runs, uint64_t *ns)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (l->prog[prog].fd < 0 || bpf_obj_get_info_by_fd(l->prog[prog].fd, &info, &len))
		return;
	*runs = info.run_cnt;
	*ns = info.run_time_ns;
}

uint64_t load_prog_misses(const struct loaded *l, uint32_t prog)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (l->prog[prog].fd < 0 || bpf_obj_get_info_by_fd(l->prog[prog].fd, &info, &len))
		return 0;
	return info.recursion_misses;
}

static int refused(struct loaded *l, uint32_t prog, int err)
{
	const struct meta_prog *row = &l->meta.progs.v[prog];
	const char *kind = row->type == BPF_PROG_TYPE_STRUCT_OPS ? "struct_ops" : l->offload ? "offload" : "";
	char *log = NULL;
	int fd;

	if (err == -EPERM)
		return sys_error(l, SYS_PROG, kind, NO_SPAN, EPERM, "cannot load program '%s'",
			row->name);
	fd = load_for_log(l, prog, &log);
	if (fd >= 0) { /* a moment ago it was refused: memory, or another limit of the moment */
		l->prog[prog].fd = fd;
		return SKEP_OK;
	}
	if (log && *log)
		vlog_report(l, prog, log, -fd);
	else
		sys_error(l, SYS_PROG, kind, NO_SPAN, -err, "cannot load program '%s'", row->name);
	return SKEP_ESYS;
}

static int load_one(struct loaded *l, uint32_t prog, const struct load_options *opt)
{
	struct loaded_prog *p = &l->prog[prog];
	struct bpf_prog_load_opts o;
	char stats[4096] = "";
	int fd, err = relocate(l, prog);

	if (!err)
		err = options_for(l, prog, &o);
	if (err)
		return err;
	if (opt->stats) {
		o.log_level = LOG_LEVEL_STATS;
		o.log_buf = stats;
		o.log_size = sizeof(stats);
	}
	fd = load_call(l, prog, &o);
	if (fd < 0 && opt->stats && (fd == -EINVAL || fd == -ENOSPC)) {
		options_for(l, prog, &o); /* before 5.2 there are no statistics */
		fd = load_call(l, prog, &o);
	}
	if (fd < 0 && fd != -EPERM && traced_optional(l, prog))
		return SKEP_OK; /* attaching leaves it out */
	if (fd < 0)
		err = refused(l, prog, fd);
	else
		p->fd = fd;
	if (!err && opt->stats) {
		p->verified = verified_of(stats);
		note_sizes(p);
	}
	return err;
}

/* Maps and fields were put in when it was first loaded. */
int prog_again(struct loaded *l, uint32_t prog)
{
	struct bpf_prog_load_opts o;
	int err = options_for(l, prog, &o), fd;

	if (err)
		return err;
	fd = load_call(l, prog, &o);
	if (fd < 0)
		return refused(l, prog, fd);
	close(l->prog[prog].fd);
	l->prog[prog].fd = fd;
	return SKEP_OK;
}

int progs_load(struct loaded *l, const struct load_options *o)
{
	int result = SKEP_OK;

	for (uint32_t i = 0; i < l->meta.progs.n; i++) {
		int err = load_one(l, i, o);

		/* The verifier's answers for further programs are worth having; other errors
		 * repeat. */
		if (err && (l->d->list.n == 0 ||
				   l->d->list.v[l->d->list.n - 1].id != DIAG_VERIFIER))
			return err;
		if (err)
			result = err;
	}
	return result;
}

static void forget_programs(struct loaded *l)
{
	for (uint32_t i = 0; l->prog && i < l->meta.progs.n; i++) {
		if (l->prog[i].fd >= 0)
			close(l->prog[i].fd);
		l->prog[i].fd = -1;
	}
}

/* A program is made for one card, and its maps lie there. */
static void find_offload(struct loaded *l, const struct load_options *o)
{
	for (uint32_t i = 0; i < l->meta.probes.n && !l->offload; i++) {
		const struct meta_probe *p = &l->meta.probes.v[i];

		if (!strcmp(p->kind, "xdp") && (*p->arg[1] ? !strcmp(p->arg[1], "offload") : o && o->offload))
			l->offload = if_nametoindex(p->arg[0]);
	}
}

int load_programs(struct loaded *l, const struct load_options *o)
{
	static const struct load_options none;
	int err = needs_check(l);

	core_names(l);
	find_offload(l, o);
	if (!err)
		err = maps_create(l);
	if (!err)
		err = fill_lists(l);
	if (!err)
		err = progs_load(l, o ? o : &none);
	if (err) {
		forget_programs(l);
		maps_close(l);
	}
	return err;
}

int load_run_prog(struct loaded *l, uint32_t prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, o);
	int err;

	if (prog >= l->meta.progs.n || l->prog[prog].fd < 0)
		return sys_error(l, SYS_RUN, "", NO_SPAN, EBADF, "cannot run program %u", prog);
	err = bpf_prog_test_run_opts(l->prog[prog].fd, &o) ? errno : 0;

	if (!err && (int32_t)o.retval < 0)
		err = -(int32_t)o.retval; /* the kernel's answer to what it did */
	return err ? sys_error(l, SYS_RUN, "", NO_SPAN, err, "cannot run '%s'",
			     l->meta.progs.v[prog].name)
		   : SKEP_OK;
}

void load_close(struct loaded *l)
{
	struct obj_image *im = image_of(l);

	load_detach(l);
	free_lists(l);
	forget_programs(l);
	maps_close(l);
	if (!im)
		return;
	if (im->btf_fd >= 0)
		close(im->btf_fd);
	im->btf_fd = -1;
	free(im->log);
	im->log = NULL;
}
