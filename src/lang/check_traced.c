/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attach points whose arguments the kernel's types describe: fentry, fexit, rawtracepoint, lsm.
 * Parameters have their names in BTF: a function's own, __traceiter_EVENT of a tracepoint and
 * bpf_lsm_HOOK of a hook (include/linux/tracepoint.h, kernel/bpf/bpf_lsm.c).
 */
#include "lang/check.h"
#include <string.h>

#define ARGS_MAX 12 /* MAX_BPF_FUNC_ARGS, include/linux/bpf.h */

static bool need_types(struct check *c, struct attach_point *ap)
{
	struct diag *e;

	if (c->btf)
		return true;
	e = c_error(c, ap->span, DIAG_NEED_BTF, "%s probes need the kernel's type information: %s",
		kern_probe(ap->kind)->name, c->t->btf_why ? c->t->btf_why : "the target has none");
	if (ap->kind != PROBE_LSM)
		c_hint(c, e, ap->kind == PROBE_FEXIT
				     ? "kretprobe:FUNCTION with retval needs none"
				     : "kprobe:FUNCTION with arg0, arg1, … needs none");
	ap->kind = PROBE_COUNT;
	return false;
}

struct suggest_under {
	struct suggest *s;
	const char *prefix;
};

static void try_under(const char *name, void *arg)
{
	struct suggest_under *x = arg;
	size_t n = strlen(x->prefix);

	if (!strncmp(name, x->prefix, n))
		suggest_try(x->s, name + n);
}

/* FUNC of prefix + the last part; 0: a missing probe, reported. */
static uint32_t find_func(struct check *c, struct attach_point *ap, const char *prefix,
	const char *what)
{
	const char *name = ap->parts.v[ap->parts.n - 1];
	uint32_t id = kbtf_func(c->btf, arena_printf(c->a, "%s%s", prefix, name));
	bool module = ap->parts.n > 1 && strcmp(ap->parts.v[0], "vmlinux") != 0;
	struct suggest s;
	struct diag *e;

	if (id && (!module || kbtf_in_module(c->btf, id)))
		return id;
	e = missing_probe(c, ap, ap->part_spans.v[ap->parts.n - 1],
		arena_printf(c->a, "%s%s's types have no %s '%.100s'",
			module ? "module " : "the kernel", module ? ap->parts.v[0] : "", what, name));
	if (!e)
		return 0;
	suggest_init(&s, name);
	kbtf_each_func(c->btf, try_under, &(struct suggest_under){&s, prefix});
	if (suggest_best(&s))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, e, "`skep -l '%s:*'` lists them", kern_probe(ap->kind)->name);
	return 0;
}

/* "fentry:vfs_read" is "fentry:vmlinux:vfs_read" in full. */
static void full_name(struct check *c, struct attach_point *ap)
{
	const char *func = ap->parts.v[ap->parts.n - 1];

	ap->func = func;
	if (ap->parts.n == 1) {
		ap->parts.v[0] = "vmlinux";
		vec_push(c->a, &ap->parts, func);
		vec_push(c->a, &ap->part_spans, ap->part_spans.v[0]);
	}
	ap->name = point_name(c, ap);
}

static bool takes_struct(struct check *c, uint32_t proto)
{
	struct kbtf_param p[ARGS_MAX + 1];
	uint32_t n = kbtf_params(c->btf, proto, p, ARGS_MAX + 1);

	for (uint32_t i = 0; i < n && i <= ARGS_MAX; i++) {
		if (kbtf_describe(c->btf, p[i].type).class == KBTF_STRUCT)
			return true;
	}
	return false;
}

void check_fentry(struct check *c, struct attach_point *ap)
{
	struct diag *e;
	uint32_t id;

	if (!need_types(c, ap) || !module_types(c, ap))
		return;
	if (!target_has(c->t, KF_FENTRY)) {
		e = missing_probe(c, ap, ap->kind_span, "the target kernel has no fentry and fexit");
		if (e)
			c_hint(c, e, "kprobe:FUNCTION with arg0, arg1, … and kretprobe with retval "
				     "run at the same places");
		return;
	}
	id = find_func(c, ap, "", "function");
	if (!id)
		return;
	full_name(c, ap);
	ap->proto = kbtf_func_proto(c->btf, id);
	if (c->t->version >= KV(6, 1) || !takes_struct(c, ap->proto))
		return;
	ap->missing = true;
	if (!ap->from_pattern)
		missing_probe(c, ap, ap->span,
			arena_printf(c->a, "'%.100s' takes a struct by value: fentry and fexit know such "
					   "functions since Linux 6.1", ap->func));
}

void check_rawtp(struct check *c, struct attach_point *ap)
{
	const char *event = ap->parts.v[ap->parts.n - 1];
	uint32_t id;

	ap->name = arena_printf(c->a, "rawtracepoint:%s", event);
	if (!c->btf)
		return; /* arg0, arg1, … work; attaching tells whether it exists */
	if (!module_types(c, ap))
		return;
	id = find_func(c, ap, "__traceiter_", "tracepoint");
	if (!id)
		return;
	ap->proto = kbtf_func_proto(c->btf, id);
	ap->proto_skip = 1; /* void *__data */
}

/* The names of active security modules, from securityfs. */
static bool bpf_is_active(struct check *c, const struct attach_point *ap)
{
	char text[512] = "";
	FILE *f = fopen("/sys/kernel/security/lsm", "re");

	if (!f && ap != &c->probe->points.v[0])
		return true; /* told already */
	if (!f) {
		diag_hint(c->d,
			diag_warn(c->d, ap->kind_span, DIAG_NO_KERNEL_FEATURE,
				"whether the security module 'bpf' is active cannot be seen: where it "
				"is not, the hook is never called"),
			"mount -t securityfs none /sys/kernel/security");
		return true;
	}
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	return !*text || strstr(text, "bpf");
}

void check_lsm(struct check *c, struct attach_point *ap)
{
	struct diag *e;
	uint32_t id;

	if (!need_types(c, ap))
		return;
	if (!target_has(c->t, KF_FENTRY) || (c->t->host && !bpf_is_active(c, ap))) {
		e = missing_probe(c, ap, ap->kind_span,
			target_has(c->t, KF_FENTRY)
				? "the security module 'bpf' is not active in this kernel"
				: "the target kernel cannot run programs at security hooks");
		if (e)
			c_hint(c, e, "start the kernel with lsm=…,bpf on its command line; it must be "
				     "built with CONFIG_BPF_LSM");
		return;
	}
	id = find_func(c, ap, "bpf_lsm_", "hook");
	if (!id)
		return;
	ap->func = ap->parts.v[0];
	ap->proto = kbtf_func_proto(c->btf, id);
	ap->proto_ret = kbtf_return(c->btf, ap->proto);
}

/* Programs of iterators take what bpf_iter_KIND takes (kernel/bpf/task_iter.c). */
void check_iter(struct check *c, struct attach_point *ap)
{
	const char *kind = ap->parts.v[0];
	struct diag *e;
	uint32_t id;

	if (!need_types(c, ap))
		return;
	if (ap->parts.n > 1)
		c_unsupported(c, ap->part_spans.v[1], "pinning iterators is",
			"leave the name out: skep reads the iterator itself");
	id = kern_iterator(kind) ? kbtf_func(c->btf, arena_printf(c->a, "bpf_iter_%s", kind)) : 0;
	if (!id && kbtf_func(c->btf, arena_printf(c->a, "bpf_iter_%s", kind))) {
		c_unsupported(c, ap->part_spans.v[0], arena_printf(c->a, "the iterator '%.60s' is", kind),
			"iterators are task, task_file and task_vma");
		ap->missing = true;
		return;
	}
	if (!id) {
		e = missing_probe(c, ap, ap->part_spans.v[0],
			arena_printf(c->a, "the target kernel has no iterator '%.60s'", kind));
		if (e)
			c_hint(c, e, "iter:task and iter:task_file came with Linux 5.8, "
				     "iter:task_vma with 5.12");
		return;
	}
	ap->proto = kbtf_func_proto(c->btf, id);
}

/* ---- args.NAME and retval ---- */

static void no_param(struct check *c, const struct expr *e, const struct attach_point *ap,
	const struct kbtf_param *p, uint32_t n)
{
	struct diag *d = c_error(c, e->span, DIAG_NO_SUCH_FIELD,
		"'args.%.60s' is not an argument of %s", e->u.field.name, ap->name);
	struct buf b;

	buf_init(&b, c->a);
	for (uint32_t i = ap->proto_skip; i < n; i++)
		buf_printf(&b, " args.%s", p[i].name);
	if (b.n)
		c_hint(c, d, "it has:%s", b.p);
	else
		c_hint(c, d, "it has no arguments");
}

/* Index of the argument in the program's context; -1: there is none. p holds ARGS_MAX + 1. */
static int param_at(struct check *c, const struct attach_point *ap, const char *name,
	struct kbtf_param *p, uint32_t *n)
{
	*n = kbtf_params(c->btf, ap->proto, p, ARGS_MAX + 1);
	*n = *n > ARGS_MAX + 1 ? ARGS_MAX + 1 : *n;
	for (uint32_t i = ap->proto_skip; i < *n; i++) {
		if (!strcmp(p[i].name, name))
			return (int)(i - ap->proto_skip);
	}
	return -1;
}

bool traced_has_param(struct check *c, const struct attach_point *ap, const char *name)
{
	struct kbtf_param p[ARGS_MAX + 1];
	uint32_t n;

	return param_at(c, ap, name, p, &n) >= 0;
}

/* The same; -1: reported. */
static int find_param(struct check *c, const struct expr *e, const struct attach_point *ap,
	uint32_t *type)
{
	struct kbtf_param p[ARGS_MAX + 1];
	uint32_t n;
	int i = param_at(c, ap, e->u.field.name, p, &n);

	if (i < 0)
		no_param(c, e, ap, p, n);
	else
		*type = p[(uint32_t)i + ap->proto_skip].type;
	return i;
}

/* Functions' arguments may be read straight; tracepoints' may be NULL, so reads are made safe. */
static struct lt value_type(struct check *c, const struct attach_point *ap, uint32_t id)
{
	struct lt t = lt_from_btf(c, id, SPACE_KERNEL, ap->kind != PROBE_RAWTRACEPOINT);

	if (t.kind != LT_INT && t.kind != LT_PTR)
		t.kind = LT_UNKNOWN;
	return t;
}

/* Before Linux 5.17 programs may read pointers to structs, void and text only (btf_ctx_access()). */
static bool unreadable_pointer(struct check *c, uint32_t id)
{
	struct kbtf_info t = kbtf_describe(c->btf, id);

	return c->t->version < KV(5, 17) && t.class == KBTF_PTR &&
	       kbtf_describe(c->btf, t.target).class == KBTF_INT && kbtf_size(c->btf, t.target) > 1;
}

/* Where an argument or a result lies follows from the prototype: other kernels may have another. */
static void not_portable(struct check *c, struct skep_span at, const char *what)
{
	if (c->s->portable)
		c_hint(c,
			c_error(c, at, DIAG_NOT_SUPPORTED,
				"%s of this probe cannot be in an object for other kernels", what),
			"kprobe and kretprobe have arg0, arg1, … and retval in registers; or run the script "
			"itself on that kernel");
}

void traced_arg(struct check *c, struct expr *e)
{
	const struct attach_point *first = NULL;
	bool missing = false;
	struct lt type = lt_int(8, false);

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		struct lt t;
		uint32_t id;

		missing |= ap->missing;
		if (ap->kind == PROBE_COUNT || ap->missing || !ap->proto)
			continue;
		if (find_param(c, e, ap, &id) < 0)
			return;
		t = value_type(c, ap, id);
		if (t.kind == LT_UNKNOWN) {
			c_unsupported(c, e->span, "arguments of this type are",
				"kprobe has structs by value in registers: reg(…)");
			return;
		}
		if (unreadable_pointer(c, id)) {
			c_hint(c,
				c_error(c, e->span, DIAG_NO_KERNEL_FEATURE,
					"'args.%.60s' points to a number: %s may read such arguments since "
					"Linux 5.17", e->u.field.name, ap->name),
				"kprobe has it in arg0, arg1, …");
			return;
		}
		if (first && (t.kind != type.kind || t.btf != type.btf || t.size != type.size)) {
			c_hint(c,
				c_error(c, e->span, DIAG_NOT_SUPPORTED,
					"'args.%.60s' has another type in %s than in %s: one block for "
					"both is not supported in this version of skep",
					e->u.field.name, ap->name, first->name),
				"write a block for each");
			return;
		}
		first = first ? first : ap;
		type = t;
	}
	if (!first && !missing) {
		if (c_is_kind(c, PP_RAWTP) && !c->btf)
			c_hint(c,
				c_error(c, e->span, DIAG_NEED_BTF,
					"names of arguments need the kernel's type information"),
				"arg0, arg1, … are the same without names");
		return;
	}
	if (!first)
		return; /* nothing is known of it, and no code is made for it */
	not_portable(c, e->span, "args");
	e->ref.kind = REF_TRACEDARG;
	e->type = type;
}

/* The result of a function that fexit sees: a number, or a pointer with what it points to. */
struct lt traced_retval(struct check *c, struct skep_span at)
{
	struct lt type = lt_int(8, true);
	const char *other = NULL;

	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		struct lt t;

		if (!ap->proto || ap->kind != PROBE_FEXIT)
			continue;
		if (!other)
			not_portable(c, at, "retval");
		t = lt_from_btf(c, kbtf_return(c->btf, ap->proto), SPACE_KERNEL, false);
		if (t.kind == LT_NONE && !ap->from_pattern) {
			c_error(c, at, DIAG_WRONG_PROBE, "%s returns no value", ap->func);
			t.kind = LT_UNKNOWN;
			return t;
		}
		if (t.kind != LT_INT && t.kind != LT_PTR)
			t = lt_int(8, true);
		if (other && (t.kind != type.kind || t.btf != type.btf || t.size != type.size))
			t = lt_int(8, true);
		other = ap->name;
		type = t;
	}
	return type;
}
