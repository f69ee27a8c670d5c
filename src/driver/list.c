/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The probes that the target offers, by pattern. */
#include "base/glob.h"
#include "driver/list.h"
#include <net/if.h>
#include <string.h>

static void tracepoint_fields(struct listing *l, const char *name)
{
	char *category = arena_strdup(&l->s->a, name), *colon = strchr(category, ':');
	const struct tracepoint *tp = NULL;
	const char *why = NULL;

	if (colon) {
		*colon = 0;
		tp = target_tracepoint(&l->s->target, category, colon + 1, &why);
	}
	for (uint32_t i = 0; tp && i < tp->fields.n; i++) {
		const struct tp_field *f = &tp->fields.v[i];
		const char *bracket = strchr(f->type, '[');
		char array[16] = "";

		if (f->array_size && !bracket)
			snprintf(array, sizeof(array), "[%u]", f->array_size);
		l->line(arena_printf(&l->s->a, "    %s%s%s%s", f->type,
				*f->type && f->type[strlen(f->type) - 1] == '*' ? "" : " ",
				f->name, array),
			l->arg);
	}
}

void list_name(const char *name, void *arg)
{
	struct listing *l = arg;
	char small[512];
	int n = snprintf(small, sizeof(small), "%s%s%s", l->kind, *name ? ":" : "", name);

	if (n < 0 || (size_t)n >= sizeof(small))
		return;
	if (l->pattern && !name_matches(l->pattern, small))
		return;
	l->found++;
	l->line(small, l->arg);
	if (l->fields && !strcmp(l->kind, "tracepoint"))
		tracepoint_fields(l, name);
}

static void with_module(const char *name, const char *module, void *arg)
{
	struct listing *l = arg;

	list_name(arena_printf(&l->s->a, "%s:%s", *module ? module : "vmlinux", name), l);
}

static void interfaces(struct listing *l)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++)
		list_name(i->if_name, l);
	if (all)
		if_freenameindex(all);
}

/* Whether names of this kind can match, so that 50 000 functions are not gone through in vain. */
static bool may_match(struct listing *l, const char *kind)
{
	size_t n = l->pattern ? strcspn(l->pattern, ":*?[") : 0;

	l->kind = kind;
	if (!l->pattern)
		return true;
	return !strncmp(l->pattern, kind, n) && (l->pattern[n] != ':' || !kind[n]);
}

/* "k:vfs_*" means "kprobe:vfs_*". */
static const char *full_pattern(struct skep *s, const char *pattern)
{
	const char *colon = pattern ? strchr(pattern, ':') : NULL;
	char kind[32];
	int k;

	if (!colon || (size_t)(colon - pattern) >= sizeof(kind))
		return pattern;
	memcpy(kind, pattern, (size_t)(colon - pattern));
	kind[colon - pattern] = 0;
	k = kern_probe_by_name(kind);
	return k < 0 ? pattern
		     : arena_printf(&s->a, "%s%s", kern_probe((enum kern_probe_kind)k)->name,
			       colon);
}

static const char *const units[] = {"hz:", "ms:", "s:", "us:"};

static void list_kind(struct listing *l, const struct kern_probe *p)
{
	if (!may_match(l, p->name))
		return;
	switch (p->parts) {
	case PP_NONE:
		list_name("", l);
		break;
	case PP_FUNC:
		target_each_function(&l->s->target, list_name, l);
		if (l->pattern && strchr(l->pattern, ':') != strrchr(l->pattern, ':'))
			target_each_module_function(&l->s->target, with_module, l);
		break;
	case PP_SIGNAL:
		list_name("signal:SIGUSR1", l);
		break;
	case PP_WATCH:
		list_name("ADDRESS:LENGTH:MODE", l);
		break;
	case PP_TRACEPOINT:
		target_each_tracepoint(&l->s->target, list_name, l);
		break;
	case PP_OPS:
		list_ops(l);
		break;
	case PP_IFACE:
	case PP_IFACE_DIR:
		if (l->s->target.host)
			interfaces(l);
		break;
	case PP_FENTRY:
		list_functions(l);
		break;
	case PP_RAWTP:
	case PP_LSM:
	case PP_ITER:
		list_typed(l, p->parts);
		break;
	case PP_EVENT:
		list_events(l, p->name);
		break;
	case PP_UFUNC:
	case PP_USDT:
		list_user(l, p->parts);
		break;
	case PP_INTERVAL:
		for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
			list_name(units[i], l);
		break;
	default:
		break; /* paths and operations of any type are the user's choice */
	}
}

/* One of the patterns between commas. */
static void list_pattern(struct listing *l, const char *pattern)
{
	unsigned before = l->found;
	int errors = l->s->diags.errors;
	struct diag *e;
	bool types;

	l->pattern = full_pattern(l->s, pattern);
	types = list_types(l);
	for (unsigned k = 0; k < PROBE_COUNT && !types; k++)
		list_kind(l, kern_probe((enum kern_probe_kind)k));
	if (l->found > before || l->s->diags.errors > errors)
		return;
	if (types && !l->s->target.btf) {
		diag_error(&l->s->diags, NO_SPAN, DIAG_NEED_BTF, "'%s' needs the kernel's type information: %s",
			l->pattern,
			l->s->target.btf_why ? l->s->target.btf_why : "the target has none");
		return;
	}
	e = diag_error(&l->s->diags, NO_SPAN, DIAG_NO_SUCH_TARGET, "no %s matches '%s'",
		types ? "type" : "probe", l->pattern);
	if (!l->s->target.tracefs && !types && may_match(l, kern_probe(PROBE_TRACEPOINT)->name))
		diag_hint(&l->s->diags, e, "for tracepoints, %s", kern_tracefs_hint());
	if (l->pattern && !strncmp(l->pattern, "sched_ext:", 10) && !list_ops_any(l))
		diag_hint(&l->s->diags, e,
			"the target has no sched_ext: it needs Linux 6.12 or newer, built with "
			"CONFIG_SCHED_CLASS_EXT");
}

static int do_list(struct skep *s, void *arg)
{
	struct listing *l = arg;
	const char *at = l->pattern;

	if (!at) {
		list_pattern(l, NULL);
		return SKEP_OK;
	}
	for (;; at++) {
		size_t n = strcspn(at, ",");

		list_pattern(l, arena_strndup(&s->a, at, n));
		at += n;
		if (!*at)
			break;
	}
	return l->found ? SKEP_OK : SKEP_EUSER;
}

static int do_list_script(struct skep *s, void *arg)
{
	struct listing *l = arg;
	const char *last = "";

	for (uint32_t i = 0; i < s->meta.probes.n; i++) {
		const char *name = s->meta.probes.v[i].name;

		if (strcmp(name, last)) /* several blocks may stand one after the other */
			l->line(name, l->arg);
		last = name;
	}
	return SKEP_OK;
}

int skep_list_script(struct skep *s, void (*probe)(const char *text, void *arg), void *arg)
{
	struct listing l = {.s = s, .line = probe, .arg = arg};

	return guarded(s, do_list_script, &l);
}

int skep_list(struct skep *s, const char *pattern, int pid, bool fields,
	void (*probe)(const char *text, void *arg), void *arg)
{
	struct listing l = {.s = s, .pattern = pattern, .pid = pid, .fields = fields, .line = probe, .arg = arg};

	return guarded(s, do_list, &l);
}
