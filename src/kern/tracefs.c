/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tracepoints as tracefs describes them: events/CATEGORY/NAME/format, whose lines read
 *	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
 * Source: f_show() in kernel/trace/trace_events.c.
 */
#include "kern/file.h"
#include "kern/target.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sizes of the element types whose array lengths the kernel may print as a macro's name. */
static const struct {
	const char *type;
	uint32_t size;
} element_sizes[] = {
	{"char", 1},
	{"signed char", 1},
	{"unsigned char", 1},
	{"u8", 1},
	{"s8", 1},
	{"__u8", 1},
	{"__s8", 1},
	{"uint8_t", 1},
	{"bool", 1},
	{"short", 2},
	{"unsigned short", 2},
	{"u16", 2},
	{"s16", 2},
	{"__u16", 2},
	{"__be16", 2},
	{"uint16_t", 2},
	{"int", 4},
	{"unsigned int", 4},
	{"u32", 4},
	{"s32", 4},
	{"__u32", 4},
	{"__be32", 4},
	{"uint32_t", 4},
	{"long", 8},
	{"unsigned long", 8},
	{"u64", 8},
	{"s64", 8},
	{"__u64", 8},
	{"uint64_t", 8},
};

static uint32_t element_size(const char *type)
{
	for (size_t i = 0; i < sizeof(element_sizes) / sizeof(element_sizes[0]); i++)
		if (!strcmp(element_sizes[i].type, type))
			return element_sizes[i].size;
	return type[0] && type[strlen(type) - 1] == '*' ? 8 : 1;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Takes the keyword from the front of the declaration. */
static bool take_prefix(char **decl, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*decl, word, n) || is_word((*decl)[n]))
		return false;
	*decl += n;
	*decl += strspn(*decl, " ");
	return true;
}

/* Splits "const char * filename", "char comm[16]" or "char[] name" into type, name and brackets. */
static bool split_declaration(char *decl, char **type, char **name, char **brackets)
{
	char *end = decl + strlen(decl), *p;

	*type = *name = *brackets = NULL;
	while (end > decl && end[-1] == ' ')
		*--end = 0;
	if (end > decl && end[-1] == ']') {
		p = strrchr(decl, '[');
		if (!p)
			return false;
		*brackets = p + 1;
		end[-1] = 0;
		*p = 0;
		end = p;
		while (end > decl && end[-1] == ' ')
			*--end = 0;
	}
	p = end;
	while (p > decl && is_word(p[-1]))
		p--;
	if (p == decl || p == end)
		return false;
	*name = p;
	*type = decl;
	return true;
}

/* "char[16]" as a type (old formats put the brackets there): cuts and returns what they hold. */
static char *type_brackets(char *type)
{
	char *open = strchr(type, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return NULL;
	*open = *close = 0;
	return open + 1;
}

static void trim_end(char *s)
{
	size_t n = strlen(s);

	while (n && s[n - 1] == ' ')
		s[--n] = 0;
}

static uint32_t array_length(const struct tp_field *f, const char *brackets)
{
	char *end;
	unsigned long n = strtoul(brackets, &end, 0);

	if (end != brackets && !*end && n && n <= f->size)
		return (uint32_t)n;
	/* A macro or sizeof() whose value only the size tells. */
	return f->size / element_size(f->type);
}

/* The number after "key:" in the rest of a field's line. */
static bool number_after(const char *s, const char *key, uint32_t *out)
{
	const char *p = strstr(s, key);
	char *end;

	if (!p)
		return false;
	p += strlen(key);
	*out = (uint32_t)strtoul(p, &end, 10);
	return end != p && *end == ';';
}

/* A line that starts with "field:"; false when it is not understood. */
static bool parse_field(struct arena *a, const char *line, struct tp_field *f)
{
	const char *semi = strchr(line, ';');
	char *decl, *type, *name, *brackets;
	uint32_t is_signed;

	if (!semi || !number_after(semi, "offset:", &f->off) ||
		!number_after(semi, "size:", &f->size) ||
		!number_after(semi, "signed:", &is_signed))
		return false;
	f->is_signed = is_signed;
	decl = arena_strndup(a, line, (size_t)(semi - line));
	f->data_loc = take_prefix(&decl, "__data_loc");
	f->rel_loc = !f->data_loc && take_prefix(&decl, "__rel_loc");
	f->data_loc |= f->rel_loc;
	if (!split_declaration(decl, &type, &name, &brackets))
		return false;
	f->name = arena_strdup(a, name);
	*name = 0;
	trim_end(type);
	if (f->data_loc) { /* "char[]": the elements' type is told, their number is in the record */
		f->type = type;
		return true;
	}
	if (!brackets)
		brackets = type_brackets(type);
	trim_end(type);
	f->type = type;
	if (brackets)
		f->array_size = array_length(f, brackets);
	return true;
}

const char *tracepoint_parse(struct tracepoint *tp, struct arena *a, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = arena_strndup(a, text, len);

		text += len;
		text += *text == '\n';
		line += strspn(line, " \t");
		if (!strncmp(line, "ID:", 3))
			tp->id = (uint32_t)strtoul(line + 3, NULL, 10);
		if (!strncmp(line, "print fmt:", 10))
			break;
		if (!strncmp(line, "field:", 6)) {
			struct tp_field f = {0};

			if (!parse_field(a, line + 6, &f))
				return arena_printf(
					a, "line of the format not understood: %s", line);
			vec_push(a, &tp->fields, f);
		}
	}
	return tp->fields.n ? NULL : "its format file has no fields";
}

static bool is_file_name(const char *s)
{
	return s[0] && s[0] != '.' && !strchr(s, '/');
}

const struct tracepoint *target_tracepoint(
	struct target *t, const char *category, const char *name, const char **why)
{
	struct tracepoint *tp = ARENA_NEW(t->a, struct tracepoint);
	const char *ignored, *text, *root = t->tracefs ? t->tracefs : t->formats;

	if (!why)
		why = &ignored;
	if (!root) {
		*why = !t->host	   ? "the target has no tracefs directory"
		       : geteuid() ? "tracefs cannot be read"
				   : "tracefs is not mounted";
		return NULL;
	}
	*why = "no such tracepoint";
	if (!is_file_name(category) || !is_file_name(name))
		return NULL;
	text = file_read(t->a,
		arena_printf(t->a, "%s/events/%s/%s/format", root, category, name), NULL);
	if (!text) {
		if (errno != ENOENT)
			*why = arena_printf(t->a, "its format cannot be read: %s", strerror(errno));
		return NULL;
	}
	tp->category = arena_strdup(t->a, category);
	tp->name = arena_strdup(t->a, name);
	*why = tracepoint_parse(tp, t->a, text);
	if (*why)
		return NULL;
	if (!t->host)
		tp->id = 0;
	return tp;
}

/* ---- listing ---- */

struct names {
	struct arena *a;
	VEC(char *) list;
};

static int by_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* Names in a directory, without "." and "..", sorted. */
static struct names dir_names(struct arena *a, const char *path)
{
	struct names n = {.a = a};
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return n;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			vec_push(a, &n.list, arena_strdup(a, e->d_name));
	closedir(d);
	if (n.list.n)
		qsort(n.list.v, n.list.n, sizeof(char *), by_text);
	return n;
}

/* By walking the directories: slower, but a plain copy of them will do. */
static struct names events_of_dirs(struct target *t)
{
	const char *root = arena_printf(t->a, "%s/events", t->tracefs);
	struct names all = {.a = t->a}, categories = dir_names(t->a, root);

	for (uint32_t i = 0; i < categories.list.n; i++) {
		const char *category = categories.list.v[i];
		struct names events = dir_names(t->a, arena_printf(t->a, "%s/%s", root, category));

		for (uint32_t j = 0; j < events.list.n; j++) {
			/* "enable" and "filter" are files of the category, not events */
			if (!strcmp(events.list.v[j], "enable") ||
				!strcmp(events.list.v[j], "filter"))
				continue;
			vec_push(t->a, &all.list,
				arena_printf(t->a, "%s:%s", category, events.list.v[j]));
		}
	}
	return all;
}

static struct names events_of_list(struct target *t, char *text)
{
	struct names all = {.a = t->a};

	for (char *end; text && *text; text = end) {
		end = strchr(text, '\n');
		if (end)
			*end++ = 0;
		if (strchr(text, ':'))
			vec_push(t->a, &all.list, text);
	}
	return all;
}

void target_each_tracepoint(struct target *t, void (*fn)(const char *name, void *arg), void *arg)
{
	struct names all;
	char *text;

	if (!t->tracefs)
		return;
	text = file_read(t->a, arena_printf(t->a, "%s/available_events", t->tracefs), NULL);
	all = text ? events_of_list(t, text) : events_of_dirs(t);
	if (all.list.n)
		qsort(all.list.v, all.list.n, sizeof(char *), by_text);
	for (uint32_t i = 0; i < all.list.n; i++)
		fn(all.list.v[i], arg);
}
