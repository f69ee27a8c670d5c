/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attach points: form of their parts, and whether what they name exists on the target. */
#include "lang/check.h"
#include <stdlib.h>
#include <string.h>

/* How many parts follow the kind, and how a right one looks. */
static const struct {
	uint32_t min, max;
	const char *form;
} forms[] = {
	[PP_NONE] = {0, 0, "%s"},
	[PP_FUNC] = {1, 2, "%s:FUNCTION, for instance %s:vfs_read"},
	[PP_TRACEPOINT] = {2, 2, "%s:CATEGORY:EVENT, for instance %s:syscalls:sys_enter_openat"},
	[PP_INTERVAL] = {1, 2, "%s:UNIT:NUMBER, for instance %s:s:1 or %s:ms:100"},
	[PP_FENTRY] = {1, 2, "%s:FUNCTION, for instance %s:vfs_read"},
	[PP_RAWTP] = {1, 2, "%s:EVENT, for instance %s:sched_switch"},
	[PP_LSM] = {1, 1, "%s:HOOK, for instance %s:file_open"},
	[PP_UFUNC] = {2, 2, "%s:FILE:FUNCTION or %s:FILE:cpp:\"NAMESPACE::FUNCTION\", for instance %s:/bin/bash:readline or %s:libc:malloc"},
	[PP_SIGNAL] = {2, 2, "%s:signal:SIGUSR1"},
	[PP_ITER] = {1, 2, "%s:KIND, for instance %s:task, %s:task_file or %s:task_vma"},
	[PP_WATCH] = {3, 3, "%s:ADDRESS:LENGTH:MODE, for instance %s:0x7f0010:8:rw"},
	[PP_USDT] = {2, 3, "%s:FILE:NAME or %s:FILE:PROVIDER:NAME"},
	[PP_EVENT] = {1, 2, "%s:EVENT or %s:EVENT:COUNT"},
	[PP_IFACE] = {1, 2, "%s:INTERFACE, for instance %s:eth0 or %s:eth0:generic"},
	[PP_IFACE_DIR] = {2, 2, "%s:INTERFACE:DIRECTION, for instance %s:eth0:egress"},
	[PP_CGROUP_DIR] = {2, 2, "%s:PATH:DIRECTION, for instance %s:/user.slice:egress"},
	[PP_OPS] = {1, 1, "%s:OPERATION, for instance %s:enqueue"},
	[PP_OPS_TYPE] = {2, 2, "%s:TYPE:OPERATION, for instance %s:tcp_congestion_ops:init"},
};

const char *point_form(struct check *c, const struct attach_point *ap)
{
	const struct kern_probe *row = kern_probe(ap->kind);
	const char *f = forms[row->parts].form;
	struct buf b;

	buf_init(&b, c->a);
	for (; *f; f++) {
		if (f[0] == '%' && f[1] == 's') {
			buf_puts(&b, row->name);
			f++;
		} else {
			buf_putc(&b, *f);
		}
	}
	return b.p;
}

static bool bad_form(struct check *c, struct attach_point *ap)
{
	const struct kern_probe *row = kern_probe(ap->kind);
	uint32_t n = ap->parts.n;
	const char *what;
	struct diag *e;

	if (row->parts == PP_EVENT && n == 2 && !*ap->parts.v[1]) /* "hardware:cycles:" */
		n = --ap->parts.n;
	if (n < forms[row->parts].min)
		what = "too few parts";
	else if (n > forms[row->parts].max)
		what = "too many parts";
	else
		what = NULL;
	for (uint32_t i = 0; i < n && !what; i++) {
		bool any = i + 1 < n && (row->parts == PP_USDT || row->parts == PP_UFUNC);

		if (!*ap->parts.v[i] && !any)
			what = "an empty part";
	}
	if (!what)
		return false;
	e = c_error(c, ap->span, DIAG_BAD_PROBE, "'%.100s' has %s", ap->kind_text, what);
	c_hint(c, e, "write %s", point_form(c, ap));
	return true;
}

/* $1 in a part is the parameter of the command line. */
static void substitute(struct check *c, struct attach_point *ap)
{
	for (uint32_t i = 0; i < ap->parts.n; i++) {
		const char *p = ap->parts.v[i], *d = strchr(p, '$');
		char *end;
		unsigned long n;

		if (!d)
			continue;
		n = strtoul(d + 1, &end, 10);
		if (end == d + 1 || !n) {
			c_error(c, ap->part_spans.v[i], DIAG_BAD_PROBE, "'$' without a number");
		} else if (n > c->s->nparams) {
			c_hint(c,
				c_error(c, ap->part_spans.v[i], DIAG_BAD_PROBE,
					"parameter $%lu is not given", n),
				"give it behind the script on the command line");
		} else {
			ap->parts.v[i] = arena_printf(
				c->a, "%.*s%s%s", (int)(d - p), p, c->s->params[n - 1], end);
			i--; /* there may be another one; parameters with '$' end at the text */
			if (strchr(c->s->params[n - 1], '$'))
				i++;
		}
	}
}

static void try_name(const char *name, void *arg)
{
	suggest_try(arg, name);
}

/* ---- functions ---- */

/* function+offset: the number goes to num[0], the part keeps the name. */
static bool split_offset(struct check *c, struct attach_point *ap, uint32_t i)
{
	const char *part = ap->parts.v[i], *plus = strchr(part, '+');
	struct diag *e;
	char *end;

	if (!plus)
		return true;
	ap->num[0] = strtoull(plus + 1, &end, 0);
	ap->parts.v[i] = arena_strndup(c->a, part, (size_t)(plus - part));
	if (end != plus + 1 && !*end && plus[1] != '-' && plus[1] != '+' && ap->num[0] < 1u << 24) {
		if (ap->kind != PROBE_KRETPROBE || !ap->num[0])
			return true;
		e = c_error(c, ap->part_spans.v[i], DIAG_BAD_PROBE,
			"a return probe has no offset into the function");
		c_hint(c, e, "write kretprobe:%.100s", ap->parts.v[i]);
		return false;
	}
	e = c_error(c, ap->part_spans.v[i], DIAG_BAD_PROBE, "'%.60s' is no offset", plus);
	c_hint(c, e, "offsets are numbers of bytes: kprobe:vfs_read+16");
	return false;
}

struct near_function {
	struct suggest s;
	const char *part; /* finish_task_switch.isra.0 */
};

static void try_function(const char *name, void *arg)
{
	struct near_function *f = arg;
	size_t n = strlen(f->s.word);

	suggest_try(&f->s, name);
	if (!strncmp(name, f->s.word, n) && name[n] == '.')
		f->part = name;
}

/* Functions that compilers cut have a suffix; system calls have a prefix of the architecture since 4.17. */
static void suggest_function(struct check *c, struct diag *e, const char *func)
{
	static const char *const archs[] = {
		[KERN_ANY] = "", [KERN_X86_64] = "x64", [KERN_ARM64] = "arm64", [KERN_RISCV64] = "riscv"};
	struct near_function f = {.part = NULL};
	const char *call;

	suggest_init(&f.s, func);
	target_each_function(c->t, try_function, &f);
	if (!strncasecmp(func, "sys_", 4)) {
		call = arena_printf(c->a, "__%s_sys_%s", archs[c->t->arch], func + 4);
		f.part = target_has_function(c->t, call) == 1 ? call : f.part;
	}
	if (f.part || suggest_best(&f.s))
		c_hint(c, e, "did you mean '%s'?", f.part ? f.part : suggest_best(&f.s));
	else
		c_hint(c, e,
			"/sys/kernel/tracing/available_filter_functions lists all; inlined "
			"functions cannot be probed");
}

static void check_function(struct check *c, struct attach_point *ap)
{
	uint32_t i = ap->parts.n - 1;
	struct diag *e;
	bool right = split_offset(c, ap, i);

	ap->func = ap->parts.v[i];
	if (is_number_part(ap->func)) {
		ap->num[0] = strtoull(ap->func, NULL, 0); /* the loader knows it by its digits */
		if (!c->s->unsafe)
			c_hint(c,
				c_error(c, ap->part_spans.v[i], DIAG_UNSAFE,
					"a probe at an address may break the kernel"),
				"--unsafe allows it");
		return;
	}
	if (!right || ap->from_pattern)
		return;
	if (i && strcmp(ap->parts.v[0], "vmlinux") && !target_has_module(c->t, ap->parts.v[0])) {
		e = missing_probe(c, ap, ap->part_spans.v[0],
			arena_printf(c->a, "module '%.100s' is not loaded", ap->parts.v[0]));
		if (e)
			c_hint(c, e, "/proc/modules lists them; functions of the kernel itself need "
				     "none: %s:%.100s", kern_probe(ap->kind)->name, ap->func);
		return;
	}
	/* with --unsafe it is the kernel's word that counts: it may have functions no list has */
	if (c->s->unsafe || target_has_function(c->t, ap->func) != 0)
		return;
	e = missing_probe(c, ap, ap->part_spans.v[i],
		arena_printf(c->a, "the kernel has no function '%.100s' that can be probed",
			ap->func));
	if (!e)
		return;
	suggest_function(c, e, ap->func);
}

/* ---- tracepoints ---- */

static void check_tracepoint(struct check *c, struct attach_point *ap)
{
	const char *why = NULL;
	struct suggest s;
	struct diag *e;

	ap->tracepoint = target_tracepoint(c->t, ap->parts.v[0], ap->parts.v[1], &why);
	if (ap->tracepoint)
		return;
	e = missing_probe(c, ap, ap->span,
		arena_printf(c->a, "tracepoint '%.60s:%.60s': %s", ap->parts.v[0], ap->parts.v[1],
			why ? why : "not found"));
	if (!e)
		return;
	suggest_init(&s, arena_printf(c->a, "%s:%s", ap->parts.v[0], ap->parts.v[1]));
	target_each_tracepoint(c->t, try_name, &s);
	if (suggest_best(&s))
		c_hint(c, e, "did you mean 'tracepoint:%s'?", suggest_best(&s));
	else if (!c->t->tracefs && !c->t->host)
		c_hint(c, e, TARGET_HINT);
	else if (!c->t->tracefs)
		c_hint(c, e, "%s", kern_tracefs_hint());
	else
		c_hint(c, e, "`skep -l 'tracepoint:*'` lists all");
}

/* ---- sched_ext ---- */

static void unknown_op(struct check *c, const struct attach_point *ap)
{
	struct diag *e = c_error(c, ap->part_spans.v[0], DIAG_NO_SUCH_TARGET,
		"sched_ext has no operation '%.60s'", ap->parts.v[0]);
	const struct scx_op *op;
	struct suggest s;

	suggest_init(&s, ap->parts.v[0]);
	for (unsigned i = 0; (op = scx_op_at(i)); i++)
		suggest_try(&s, op->name);
	if (suggest_best(&s))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, e,
			"most schedulers need select_cpu, enqueue, dispatch, init; "
			"`skep -lv 'sched_ext:*'` lists all, each has a block of its own");
}

/* Told once: nothing of a scheduler can be right there. */
static bool have_sched_ext(struct check *c, const struct attach_point *ap)
{
	struct diag *e;

	if (c->no_scx)
		return false;
	if (!c->btf) {
		c->no_scx = true;
		e = c_error(c, ap->span, DIAG_NEED_BTF,
			"schedulers need the kernel's type information: %s",
			c->t->btf_why ? c->t->btf_why : "the target has none");
		c_hint(c, e,
			"use a kernel built with CONFIG_DEBUG_INFO_BTF, or give its BTF with "
			"--btf FILE");
		return false;
	}
	if (kbtf_find_struct(c->btf, "sched_ext_ops"))
		return true;
	c->no_scx = true;
	e = c_error(c, ap->span, DIAG_NO_KERNEL_FEATURE, "the target kernel has no sched_ext");
	c_hint(c, e, "it needs Linux 6.12 or newer, built with CONFIG_SCHED_CLASS_EXT");
	return false;
}

/* An operation that only the target's BTF knows: nothing is known of it but its prototype. */
static const struct scx_op *new_op(struct check *c, const char *name)
{
	struct scx_op *op = ARENA_NEW(c->a, struct scx_op);

	*op = (struct scx_op){.name = name, .allowed = SCX_ANY | SCX_IDLE, .what = ""};
	return op;
}

static void missing_op(struct check *c, struct attach_point *ap)
{
	struct diag *e;

	if (ap->optional) {
		ap->kind = PROBE_COUNT; /* drop_missing takes it out */
		return;
	}
	if (!ap->op->since) {
		c_unsupported(c, ap->part_spans.v[0],
			arena_printf(c->a,
				"'%s', which only schedulers by compact CPU numbers have, is",
				ap->op->name),
			"number CPUs as the kernel does");
		return;
	}
	e = c_error(c, ap->part_spans.v[0], DIAG_NO_KERNEL_FEATURE,
		"the target kernel's sched_ext has no operation '%s'", ap->op->name);
	c_hint(c, e, "Linux %u.%u has it; 'sched_ext?:%s' passes over it where it is missing",
		ap->op->since >> 16, ap->op->since >> 8 & 0xff, ap->op->name);
}

static void check_ops(struct check *c, struct attach_point *ap)
{
	uint32_t table = c->btf ? kbtf_find_struct(c->btf, "sched_ext_ops") : 0;
	struct kbtf_info ptr = {.class = KBTF_VOID};
	struct kbtf_member m;
	bool there;

	ap->op = scx_op_by_name(ap->parts.v[0]);
	there = table && kbtf_find_member(c->btf, table, ap->parts.v[0], &m);
	if (there)
		ptr = kbtf_describe(c->btf, m.type);
	if (ptr.class != KBTF_PTR || kbtf_describe(c->btf, ptr.target).class != KBTF_FUNC)
		there = false; /* flags, name: config sets them */
	if (ap->op && !ap->op->since)
		there = false;
	if (!ap->op && !there) {
		unknown_op(c, ap);
		return;
	}
	if (!have_sched_ext(c, ap))
		return;
	if (!there) {
		missing_op(c, ap);
		return;
	}
	if (!ap->op)
		ap->op = new_op(c, ap->parts.v[0]);
	ap->ops_proto = kbtf_strip(c->btf, ptr.target);
	ap->ops_ret = kbtf_return(c->btf, ap->ops_proto);
}

static bool is_missing(const struct attach_point *ap)
{
	return ap->kind == PROBE_COUNT && ap->optional && ap->op;
}

void check_drop_missing(struct check *c)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < c->s->probes.n; i++) {
		struct probe p = c->s->probes.v[i];
		uint32_t n = 0;

		for (uint32_t k = 0; k < p.points.n; k++) {
			if (!is_missing(&p.points.v[k]))
				p.points.v[n++] = p.points.v[k];
		}
		p.points.n = n;
		if (n)
			c->s->probes.v[left++] = p;
	}
	c->s->probes.n = left;
}

/* ---- all ---- */

static void check_point(struct check *c, struct attach_point *ap)
{
	if (ap->kind == PROBE_COUNT)
		return;
	ap->name = point_name(c, ap);
	if (ap->missing)
		return;
	if (ap->optional && kern_probe(ap->kind)->parts != PP_OPS) {
		c_hint(c,
			c_error(c, ap->kind_span, DIAG_BAD_PROBE,
				"only operations of schedulers can be optional"),
			"write '%s' without '?'", kern_probe(ap->kind)->name);
		ap->kind = PROBE_COUNT;
		return;
	}
	switch (kern_probe(ap->kind)->parts) {
	case PP_NONE:
		break;
	case PP_FUNC:
		check_function(c, ap);
		break;
	case PP_TRACEPOINT:
		check_tracepoint(c, ap);
		break;
	case PP_INTERVAL:
		check_interval(c, ap);
		break;
	case PP_FENTRY:
		check_fentry(c, ap);
		break;
	case PP_RAWTP:
		check_rawtp(c, ap);
		break;
	case PP_LSM:
		check_lsm(c, ap);
		break;
	case PP_UFUNC:
		check_ufunc(c, ap);
		break;
	case PP_SIGNAL:
		check_own_signal(c, ap);
		break;
	case PP_ITER:
		check_iter(c, ap);
		break;
	case PP_WATCH:
		check_watchpoint(c, ap);
		break;
	case PP_USDT:
		break; /* found when it was expanded */
	case PP_EVENT:
		check_event(c, ap);
		break;
	case PP_IFACE:
	case PP_IFACE_DIR:
	case PP_CGROUP_DIR:
		check_packet_point(c, ap);
		break;
	case PP_OPS:
		check_ops(c, ap);
		break;
	case PP_OPS_TYPE:
		c_unsupported(c, ap->span, "struct_ops probes of any type are",
			"sched_ext:OPERATION is the form for schedulers");
		ap->kind = PROBE_COUNT;
		break;
	}
}

/* A probe or two that this kernel lacks is an old script; all of them is a mistake. */
static void none_left(struct check *c, struct probe *p)
{
	if (c->s->config.missing_probes != MISSING_DEFAULT || p->written < 2)
		return;
	for (uint32_t i = 0; i < p->points.n; i++) {
		if (!p->points.v[i].missing)
			return;
	}
	c_hint(c,
		c_error(c, p->points.v[0].span, DIAG_NO_SUCH_TARGET,
			"none of the probes of this block exists"),
		"config = { missing_probes = warn; } goes on with the other blocks");
}

void check_points(struct check *c, struct probe *p)
{
	const struct attach_point *first = NULL;

	c->probe = p;
	p->written = p->points.n;
	for (uint32_t i = 0; i < p->points.n; i++) {
		struct attach_point *ap = &p->points.v[i];

		if (ap->kind == PROBE_COUNT)
			continue;
		substitute(c, ap);
		if (kern_probe(ap->kind)->parts == PP_UFUNC)
			take_language(ap);
		if (bad_form(c, ap))
			ap->kind = PROBE_COUNT;
	}
	expand_interfaces(c, p);
	expand_patterns(c, p);
	for (uint32_t i = 0; i < p->points.n; i++) {
		struct attach_point *ap = &p->points.v[i];

		check_point(c, ap);
		if (ap->kind == PROBE_COUNT)
			continue;
		if (!first) {
			first = ap;
			p->ctx = kern_probe(ap->kind)->ctx;
		} else if (!first->ops_ret != !ap->ops_ret) {
			diag_also(c->d,
				c_error(c, ap->span, DIAG_SCHED,
					"'%s' and '%s' differ in whether they return a "
					"value",
					first->name, ap->name),
				first->span, "write two blocks");
		}
	}
	none_left(c, p);
}

/* A scheduler has each operation once. */
void check_duplicates(struct check *c)
{
	struct smap seen;

	smap_init(&seen, c->a);
	for (uint32_t i = 0; i < c->s->probes.n; i++) {
		for (uint32_t k = 0; k < c->s->probes.v[i].points.n; k++) {
			struct attach_point *ap = &c->s->probes.v[i].points.v[k], *first;

			if (ap->kind == PROBE_COUNT || !ap->op)
				continue;
			first = smap_get(&seen, ap->op->name);
			if (first)
				diag_also(c->d,
					c_error(c, ap->span, DIAG_DUPLICATE,
						"operation '%s' is written twice", ap->op->name),
					first->span, "first here");
			else
				smap_put(&seen, ap->op->name, ap);
		}
	}
}

void check_any_probe(struct check *c)
{
	const struct probe *last = NULL;

	for (uint32_t i = 0; i < c->s->probes.n; i++) {
		last = &c->s->probes.v[i];
		for (uint32_t k = 0; k < last->points.n; k++) {
			if (!last->points.v[k].missing)
				return;
		}
	}
	if (last && !c->d->errors)
		c_error(c, last->span, DIAG_NO_SUCH_TARGET,
			"none of the script's probes exists on the target");
}
