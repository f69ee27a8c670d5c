/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which file a name in a uprobe means. The linker's cache (/etc/ld.so.cache) is glibc's new format,
 * alone or behind the old one: sysdeps/generic/dl-cache.h.
 */
#include "base/glob.h"
#include "kern/file.h"
#include "kern/uelf.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#define CACHE_HEADER 48
#define CACHE_ENTRY 24
#define ENTRY_LIBC6 3

#if defined(__x86_64__)
#define LIB_FLAGS (0x0300 | ENTRY_LIBC6)
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define LIB_FLAGS (0x0a00 | ENTRY_LIBC6)
#define TRIPLET "aarch64-linux-gnu"
#else
#define LIB_FLAGS (0x1000 | ENTRY_LIBC6)
#define TRIPLET "riscv64-linux-gnu"
#endif

/* Whether file name lib ("libc.so.6") is what a script calls name: "libc", "libc.so", "c". */
static bool is_library(const char *lib, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(lib, name, n) &&
	       (!lib[n] || (!strncmp(lib + n, ".so", 3) && (!lib[n + 3] || lib[n + 3] == '.')) ||
		       (lib[n] == '.' && strstr(name, ".so")));
}

static uint32_t word(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static const char *cached(struct arena *a, const char *name)
{
	size_t size;
	const char *text = file_read(a, "/etc/ld.so.cache", &size), *p, *end;
	uint32_t n;

	if (!text)
		return NULL;
	end = text + size;
	p = glob_find(text, size, CACHE_MAGIC, strlen(CACHE_MAGIC));
	if (!p || end - p < CACHE_HEADER)
		return NULL;
	n = word(p + 20);
	for (uint32_t i = 0; i < n && end - p >= CACHE_HEADER + (i + 1ll) * CACHE_ENTRY; i++) {
		const char *e = p + CACHE_HEADER + (size_t)i * CACHE_ENTRY;
		uint32_t key = word(e + 4), value = word(e + 8);

		/* the text has a NUL behind its end: strings that start inside end inside */
		if (word(e) != LIB_FLAGS || key >= end - p || value >= end - p)
			continue;
		if (is_library(p + key, name))
			return arena_strdup(a, p + value);
	}
	return NULL;
}

/* The first file in the usual directories. */
static const char *in_directories(struct arena *a, const char *name)
{
	static const char *const dirs[] = {"/lib/" TRIPLET, "/usr/lib/" TRIPLET, "/lib64",
		"/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"};
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && !found; i++) {
		const char **g = file_glob(a, arena_printf(a, "%s/%s*", dirs[i], name));

		for (; *g && !found; g++) {
			if (is_library(strrchr(*g, '/') + 1, name))
				found = *g;
		}
	}
	return found;
}

static const char *in_path(struct arena *a, const char *name)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");
		const char *file = arena_printf(a, "%.*s/%s", (int)n, n ? path : ".", name);

		if (!access(file, X_OK))
			return file;
		path += n + (path[n] == ':');
	}
	return NULL;
}

/* A library that the process has mapped. */
static const char *mapped(struct arena *a, const char *name, int pid)
{
	char *text = file_read(a, arena_printf(a, "/proc/%d/maps", pid), NULL);

	for (char *end; text && *text; text = end ? end : text + strlen(text)) {
		char *path;

		end = strchr(text, '\n');
		if (end)
			*end++ = 0;
		path = strchr(text, '/');
		if (path && is_library(strrchr(path, '/') + 1, name))
			return path;
	}
	return NULL;
}

/* Where this process sees a path of that one's: they may live in different mount namespaces. */
static const char *from_here(struct arena *a, const char *path, int pid)
{
	char here[PATH_MAX], there[PATH_MAX];
	const char *root;
	ssize_t n, m;

	if (pid <= 0)
		return path;
	n = readlink("/proc/self/ns/mnt", here, sizeof(here) - 1);
	m = readlink(arena_printf(a, "/proc/%d/ns/mnt", pid), there, sizeof(there) - 1);
	root = arena_printf(a, "/proc/%d/root%s", pid, path);
	if (n > 0 && m == n && !memcmp(here, there, (size_t)n))
		return path;
	return access(root, R_OK) ? path : root;
}

/* Without symbolic links and the like: as the kernel names the open file. False: there is none. */
static bool real_path(const char *path, char real[PATH_MAX])
{
	char fd_path[sizeof("/proc/self/fd/") + 10];
	int fd = open(path, O_PATH | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	n = readlink(fd_path, real, PATH_MAX - 1);
	close(fd);
	real[n > 0 ? n : 0] = 0;
	return n > 0;
}

const char *ufile_find(struct arena *a, const char *name, int pid, const char **why)
{
	char real[PATH_MAX];
	const char *file = NULL;

	*why = "no such file";
	if (strchr(name, '/')) {
		file = from_here(a, real_path(name, real) ? arena_strdup(a, real) : name, pid);
		return access(file, R_OK) ? NULL : file;
	}
	if (pid > 0)
		file = mapped(a, name, pid);
	if (file)
		return from_here(a, file, pid);
	if (!strncmp(name, "lib", 3) || strstr(name, ".so"))
		file = cached(a, name);
	if (!file && (!strncmp(name, "lib", 3) || strstr(name, ".so")))
		file = in_directories(a, name);
	if (!file)
		file = in_path(a, name);
	if (file && real_path(file, real))
		file = arena_strdup(a, real);
	*why = "neither a library of this system nor a program in PATH";
	return file;
}

/* Programs and libraries that the process runs: files of its memory that hold code. */
static const char **running(struct arena *a, int pid)
{
	char *text = file_read(a, arena_printf(a, "/proc/%d/maps", pid), NULL), *end;
	VEC(const char *) v = {NULL, 0, 0};

	for (; text && *text; text = end) {
		const char *path, *perms = strchr(text, ' ');

		end = text + strcspn(text, "\n");
		if (*end)
			*end++ = 0;
		path = strchr(text, '/');
		if (path && perms && perms[3] == 'x')
			vec_push(a, &v, from_here(a, path, pid));
	}
	vec_push(a, &v, NULL);
	return v.v;
}

/* Without what is one file by another name: libx.so and libx.so.1. */
static const char **each_once(struct arena *a, const char **v)
{
	unsigned n = 0, k;
	char real[PATH_MAX];

	for (const char **p = v; *p; p++) {
		if (!real_path(*p, real))
			continue; /* deleted */
		for (k = 0; k < n && strcmp(v[k], real) != 0; k++)
			;
		if (k == n)
			v[n++] = arena_strdup(a, real);
	}
	v[n] = NULL;
	return v;
}

const char **ufile_each(struct arena *a, const char *name, int pid, const char **why)
{
	const char **one;

	if (!*name || !strcmp(name, "*")) {
		*why = "say which process runs it: -p PID or -c 'COMMAND'";
		return pid > 0 ? each_once(a, running(a, pid)) : ARENA_NEW(a, const char *);
	}
	*why = "no such file";
	if (strpbrk(name, "*?["))
		return each_once(a, file_glob(a, name));
	one = ARENA_ARRAY(a, const char *, 2);
	one[0] = ufile_find(a, name, pid, why);
	return one;
}
