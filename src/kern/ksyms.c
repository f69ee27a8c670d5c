/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which functions can be probed. In order of trust: tracefs' available_filter_functions (exactly
 * those the kernel patches), a file like /proc/kallsyms (all text symbols), the BTF's functions.
 * Reading either file costs tens of milliseconds on a real kernel, so a function that BTF knows
 * is taken on its word, and the list is read only for the others and for wildcards.
 */
#include "kern/target.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct function {
	const char *name, *module; /* module "" for the kernel itself */
};
struct function_list {
	struct function *v;
	uint32_t n, cap;
};

static int by_name(const void *x, const void *y)
{
	const struct function *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static int by_name_and_module(const void *x, const void *y)
{
	const struct function *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->module, b->module);
}

/* Placeholders that ftrace shows for functions whose memory is gone or replaced. */
static bool is_placeholder(const char *name)
{
	return !strncmp(name, "__ftrace_invalid_address___", 27);
}

static void add(struct target *t, struct function_list *l, const char *name, const char *module)
{
	struct function f = {name, module};

	if (name[0] && !is_placeholder(name))
		vec_push(t->a, l, f);
}

/* The same from a line that is gone afterwards. Those of a module follow each other: named once. */
static void add_copy(struct target *t, struct function_list *l, const char *name, const char *module)
{
	const char *last = l->n ? l->v[l->n - 1].module : "";

	add(t, l, arena_strdup(t->a, name),
		!*module ? "" : !strcmp(module, last) ? last : arena_strdup(t->a, module));
}

/* "[module]" in what follows a name; cut there. */
static const char *module_in(char *rest)
{
	char *open = strchr(rest, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return "";
	*close = 0;
	return open + 1;
}

/* A line "name" or "name [module]". */
static void from_filter_functions(struct target *t, struct function_list *l, char *line)
{
	char *rest = line + strcspn(line, " \t");
	const char *module = module_in(rest);

	*rest = 0;
	add_copy(t, l, line, module);
}

/* A line "ffffffff81000000 T name" with an optional "\t[module]"; text symbols only. */
static void from_kallsyms(struct target *t, struct function_list *l, char *line)
{
	char *type = strchr(line, ' '), *rest;
	const char *module;

	if (!type || !type[1] || !strchr("tTwW", type[1]) || type[2] != ' ')
		return;
	rest = type + 3 + strcspn(type + 3, " \t");
	module = module_in(rest);
	*rest = 0;
	add_copy(t, l, type + 3, module);
}

/* Line by line: kallsyms has 10 MB, which a small board cannot spare. */
static void from_file(struct target *t, struct function_list *l, const char *path,
	void (*take)(struct target *, struct function_list *, char *line))
{
	FILE *f = fopen(path, "re");
	char line[1024];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		take(t, l, line);
	}
	if (f)
		fclose(f);
}

struct btf_sink {
	struct target *t;
	struct function_list *l;
};

static void from_btf(const char *name, void *arg)
{
	struct btf_sink *s = arg;

	add(s->t, s->l, name, "");
}

static void sort_unique(struct function_list *l)
{
	uint32_t n = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name_and_module);
	for (uint32_t i = 0; i < l->n; i++)
		if (!n || by_name_and_module(&l->v[i], &l->v[n - 1]))
			l->v[n++] = l->v[i];
	l->n = n;
}

/* The list, read once and kept; NULL when there is nothing to look in. */
static const struct function_list *functions(struct target *t)
{
	struct function_list *l = t->functions;

	if (l)
		return l;
	if (!t->tracefs && !t->ksyms && !t->btf)
		return NULL;
	l = t->functions = ARENA_NEW(t->a, struct function_list);
	if (t->tracefs)
		from_file(t, l, arena_printf(t->a, "%s/available_filter_functions", t->tracefs),
			from_filter_functions);
	if (!l->n && t->ksyms)
		from_file(t, l, t->ksyms, from_kallsyms);
	if (!l->n && t->btf)
		kbtf_each_func(t->btf, from_btf, &(struct btf_sink){t, l});
	sort_unique(l);
	return l;
}

int target_has_function(struct target *t, const char *name)
{
	const struct function_list *l;

	if (t->btf && kbtf_func(t->btf, name))
		return 1;
	l = functions(t);
	if (!l || !l->n)
		return -1;
	return bsearch(&(struct function){name, ""}, l->v, l->n, sizeof(*l->v), by_name) != NULL;
}

int target_has_module(struct target *t, const char *module)
{
	const struct function_list *l = NULL;
	bool any = false;

	if (t->host && !access("/sys/module", F_OK))
		return !access(arena_printf(t->a, "/sys/module/%s", module), F_OK);
	if (!t->host)
		l = functions(t);
	for (uint32_t i = 0; l && i < l->n; i++) {
		if (!strcmp(l->v[i].module, module))
			return 1;
		any |= *l->v[i].module != 0;
	}
	return any ? 0 : -1;
}

void target_each_function(struct target *t, void (*fn)(const char *name, void *arg), void *arg)
{
	const struct function_list *l = functions(t);

	for (uint32_t i = 0; l && i < l->n; i++)
		if (!i || by_name(&l->v[i], &l->v[i - 1]))
			fn(l->v[i].name, arg);
}

void target_each_module_function(struct target *t,
	void (*fn)(const char *name, const char *module, void *arg), void *arg)
{
	const struct function_list *l = functions(t);

	for (uint32_t i = 0; l && i < l->n; i++)
		fn(l->v[i].name, l->v[i].module, arg);
}

uint64_t target_symbol(const struct target *t, const char *name)
{
	FILE *f = t->ksyms ? fopen(t->ksyms, "re") : NULL;
	size_t n = strlen(name);
	uint64_t addr = 0;
	char line[1024];

	while (f && !addr && fgets(line, sizeof(line), f)) {
		char *end, *at;
		uint64_t v = strtoull(line, &end, 16);

		at = end[0] == ' ' && end[1] && end[2] == ' ' ? end + 3 : NULL;
		if (at && !strncmp(at, name, n) && strchr("\t\n ", at[n]))
			addr = v;
	}
	if (f)
		fclose(f);
	return addr;
}
