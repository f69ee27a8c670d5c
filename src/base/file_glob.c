/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Patterns of paths. libc's glob stands on fnmatch: see glob.c. */
#include "base/arena.h"
#include "base/glob.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct paths {
	struct arena *a;
	VEC(const char *) v;
};

static void walk(struct paths *x, const char *dir, const char *rest);

/* dir (with its slash) and a name in it that the part before rest asked for. */
static void into(struct paths *x, const char *dir, const char *name, const char *rest)
{
	const char *path = arena_printf(x->a, "%s%s", dir, name);
	struct stat st;

	if (*rest) {
		if (!stat(path, &st) && S_ISDIR(st.st_mode))
			walk(x, arena_printf(x->a, "%s/", path), rest + strspn(rest, "/"));
	} else if (!lstat(path, &st)) {
		vec_push(x->a, &x->v, path);
	}
}

static void walk(struct paths *x, const char *dir, const char *rest)
{
	size_t n = strcspn(rest, "/");
	char *part = arena_strndup(x->a, rest, n);
	struct dirent *e;
	DIR *d;

	rest += n;
	if (!strpbrk(part, "*?[\\")) {
		into(x, dir, part, rest);
		return;
	}
	d = opendir(*dir ? dir : ".");
	while (d && (e = readdir(d)) != NULL) {
		if ((*e->d_name == '.' && *part != '.') || !name_matches(part, e->d_name))
			continue;
		into(x, dir, e->d_name, rest);
	}
	if (d)
		closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **file_glob(struct arena *a, const char *pattern)
{
	struct paths x = {.a = a};
	size_t root = strspn(pattern, "/");

	walk(&x, root ? "/" : "", pattern + root);
	if (x.v.n)
		qsort(x.v.v, x.v.n, sizeof(*x.v.v), by_name);
	vec_push(a, &x.v, NULL);
	return x.v.v;
}
