/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The probes that the target offers, by pattern. */
#include "driver/driver.h"
#include "base/glob.h"
#include <net/if.h>
#include <string.h>

struct listing {
	struct skep *s;
	const char *pattern;
	bool fields;
	void (*line)(const char *text, void *arg);
	void *arg;
	const char *kind; /* prefix of the names at hand */
	unsigned found;
};

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

static void one(const char *name, void *arg)
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

static void interfaces(struct listing *l)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++)
		one(i->if_name, l);
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

static void list_kind(struct listing *l, const struct kern_probe *p)
{
	if (!may_match(l, p->name))
		return;
	switch (p->parts) {
	case PP_NONE:
		one("", l);
		break;
	case PP_FUNC:
		target_each_function(&l->s->target, one, l);
		break;
	case PP_TRACEPOINT:
		target_each_tracepoint(&l->s->target, one, l);
		break;
	case PP_OPS:
		for (unsigned i = 0; scx_op_at(i); i++)
			one(scx_op_at(i)->name, l);
		break;
	case PP_IFACE:
	case PP_IFACE_DIR:
		if (l->s->target.host)
			interfaces(l);
		break;
	default:
		break; /* intervals are the user's choice */
	}
}

static int do_list(struct skep *s, void *arg)
{
	struct listing *l = arg;
	struct diag *e;

	l->pattern = full_pattern(s, l->pattern);
	for (unsigned k = 0; k < PROBE_COUNT; k++)
		list_kind(l, kern_probe((enum kern_probe_kind)k));
	if (l->found)
		return SKEP_OK;
	e = diag_error(&s->diags, NO_SPAN, DIAG_NO_SUCH_TARGET, "no probe matches '%s'", l->pattern);
	if (!s->target.tracefs && may_match(l, kern_probe(PROBE_TRACEPOINT)->name))
		diag_hint(&s->diags, e, "tracepoints are seen once tracefs is mounted: "
					"mount -t tracefs tracefs /sys/kernel/tracing");
	return SKEP_EUSER;
}

int skep_list(struct skep *s, const char *pattern, bool fields,
	void (*probe)(const char *text, void *arg), void *arg)
{
	struct listing l = {.s = s, .pattern = pattern, .fields = fields, .line = probe, .arg = arg};

	return guarded(s, do_list, &l);
}
