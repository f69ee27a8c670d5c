/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Listings that look further than names: typed arguments, files of user space, counters. */
#include "base/glob.h"
#include "driver/list.h"
#include "kern/uelf.h"
#include <string.h>

/* ---- what the kernel's types describe ---- */

static void params(struct listing *l, struct kbtf *b, uint32_t func, uint32_t skip, bool result)
{
	uint32_t proto = kbtf_func_proto(b, func), ret = kbtf_return(b, proto);
	struct kbtf_param p[16];
	uint32_t n = kbtf_params(b, proto, p, 16);

	for (uint32_t i = skip; i < n && i < 16; i++) {
		const char *type = kbtf_spell(b, p[i].type, &l->s->a);

		l->line(arena_printf(&l->s->a, "    %s%s%s", type,
				type[strlen(type) - 1] == '*' ? "" : " ", p[i].name),
			l->arg);
	}
	if (result && ret)
		l->line(arena_printf(&l->s->a, "    %s retval", kbtf_spell(b, ret, &l->s->a)),
			l->arg);
}

static void show(struct listing *l, const char *text, const char *func, uint32_t skip)
{
	uint32_t id;

	l->found++;
	l->line(text, l->arg);
	if (!l->fields)
		return;
	id = kbtf_func(l->s->target.btf, func);
	if (id)
		params(l, l->s->target.btf, id, skip, !strcmp(l->kind, "fexit"));
}

/* A function of a module, "fentry:veth:veth_xmit": listed where the pattern says the module. */
static void module_function(struct listing *l, const char *name, const char *module)
{
	const char *full = arena_printf(&l->s->a, "%s:%s:%s", l->kind, module, name);
	uint32_t id;

	if (l->pattern && !name_matches(l->pattern, full))
		return;
	if (!l->module || strcmp(l->module_name, module) != 0) {
		l->module_name = arena_strdup(&l->s->a, module);
		l->module = kbtf_module(&l->s->a, l->s->target.btf, module);
	}
	id = l->module ? kbtf_func(l->module, name) : 0;
	if (!id || !kbtf_in_module(l->module, id))
		return;
	l->found++;
	l->line(full, l->arg);
	if (l->fields)
		params(l, l->module, id, 0, !strcmp(l->kind, "fexit"));
}

/* "fentry:vmlinux:vfs_read", which "fentry:vfs_*" means, too. */
static void typed_function(const char *name, const char *module, void *arg)
{
	struct listing *l = arg;
	const char *full = arena_printf(&l->s->a, "%s:vmlinux:%s", l->kind, name);
	const char *brief = arena_printf(&l->s->a, "%s:%s", l->kind, name);

	if (*module && l->s->target.host)
		module_function(l, name, module);
	if (*module)
		return;
	if (l->pattern && !name_matches(l->pattern, full) && !name_matches(l->pattern, brief))
		return;
	if (kbtf_func(l->s->target.btf, name))
		show(l, full, name, 0);
}

void list_functions(struct listing *l)
{
	if (l->s->target.btf)
		target_each_module_function(&l->s->target, typed_function, l);
}

static void with_prefix(struct listing *l, const char *func, const char *prefix, uint32_t skip)
{
	size_t n = strlen(prefix);
	const char *text, *full;

	if (strncmp(func, prefix, n) || !func[n])
		return;
	text = arena_printf(&l->s->a, "%s:%s", l->kind, func + n);
	full = arena_printf(&l->s->a, "%s:vmlinux:%s", l->kind, func + n);
	if (!l->pattern || name_matches(l->pattern, text))
		show(l, text, func, skip);
	else if (!strcmp(l->kind, "rawtracepoint") && name_matches(l->pattern, full))
		show(l, full, func, skip);
}

static void raw_tracepoint(const char *name, void *arg)
{
	with_prefix(arg, name, "__traceiter_", 1);
}

static void hook(const char *name, void *arg)
{
	with_prefix(arg, name, "bpf_lsm_", 0);
}

static void iterator(const char *name, void *arg)
{
	if (!strncmp(name, "bpf_iter_", 9) && kern_iterator(name + 9))
		with_prefix(arg, name, "bpf_iter_", 1);
}

void list_typed(struct listing *l, enum probe_parts parts)
{
	if (l->s->target.btf && parts == PP_ITER)
		kbtf_each_func(l->s->target.btf, iterator, l);
	else if (l->s->target.btf)
		kbtf_each_func(l->s->target.btf, parts == PP_LSM ? hook : raw_tracepoint, l);
}

/* ---- counters ---- */

void list_events(struct listing *l, const char *kind)
{
	const struct kern_perf_event *e;

	for (unsigned i = 0; (e = kern_perf_event_at(i)); i++) {
		if (!strcmp(kern_probe(e->kind)->name, kind))
			list_name(e->name, l);
	}
}

/* ---- user space: the pattern has to name a file ---- */

struct in_file {
	struct listing *l;
	const char *path, *pattern, *last;
};

static void user_function(const struct uelf_func *f, void *arg)
{
	struct in_file *x = arg;

	if (!name_matches(x->pattern, f->name) || (x->last && !strcmp(x->last, f->name)))
		return;
	x->last = arena_strdup(&x->l->s->a, f->name);
	x->l->found++;
	x->l->line(arena_printf(&x->l->s->a, "%s:%s:%s", x->l->kind, x->path, f->name), x->l->arg);
}

static void user_probe(const struct uelf_usdt *u, void *arg)
{
	struct in_file *x = arg;
	const char *full = arena_printf(&x->l->s->a, "%s:%s", u->provider, u->name);

	if (!name_matches(x->pattern, u->name) && !name_matches(x->pattern, full))
		return;
	if (x->last && !strcmp(x->last, full))
		return; /* one of several places */
	x->last = full;
	x->l->found++;
	x->l->line(arena_printf(&x->l->s->a, "%s:%s:%s", x->l->kind, x->path, full), x->l->arg);
	if (x->l->fields)
		x->l->line(arena_printf(&x->l->s->a, "    %s", u->args), x->l->arg);
}

/* "uprobe:FILE:PATTERN"; patterns of all kinds name no file to look into. */
void list_user(struct listing *l, enum probe_parts parts)
{
	const char *file = l->pattern ? strchr(l->pattern, ':') : NULL, *rest, *why, **files;
	struct in_file x = {.l = l};
	bool opened = false;

	if (!file || !l->s->target.host || (!strncmp(l->pattern, "*:*", 3) && !l->pid))
		return;
	rest = strchr(++file, ':');
	x.pattern = rest && rest[1] ? rest + 1 : "*";
	if (rest)
		file = arena_strndup(&l->s->a, file, (size_t)(rest - file));
	for (files = ufile_each(&l->s->a, file, l->pid, &why); *files; files++) {
		struct uelf *u = uelf_open(&l->s->a, *files, &why);

		x.path = *files;
		x.last = NULL;
		if (u && parts == PP_USDT)
			uelf_each_usdt(u, user_probe, &x);
		else if (u)
			uelf_each_function(u, user_function, &x);
		uelf_close(u);
		opened |= u != NULL;
	}
	if (!opened)
		diag_error(&l->s->diags, NO_SPAN, DIAG_NO_SUCH_TARGET, "'%.200s': %s", file, why);
}
