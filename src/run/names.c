/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/names.h"
#include "kern/target.h"
#include <dirent.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool name_of_user(struct buf *out, uint64_t uid)
{
	char room[4096];
	struct passwd pw, *found = NULL;

	if (getpwuid_r((uid_t)uid, &pw, room, sizeof(room), &found) || !found)
		return false;
	buf_puts(out, pw.pw_name);
	return true;
}

bool name_of_error(struct buf *out, uint64_t number)
{
	int64_t n = (int32_t)number;

	n = n < 0 ? -n : n;
	if (n > 4095) /* MAX_ERRNO, include/linux/err.h */
		return false;
	buf_puts(out, strerror((int)n));
	return true;
}

bool name_of_syscall(struct buf *out, uint64_t number)
{
	/* objects are loaded where they were compiled for, so the numbers are this machine's */
	const char *name = kern_syscall_name(number);

	if (name)
		buf_puts(out, name);
	return name != NULL;
}

bool name_of_signal(struct buf *out, uint64_t number)
{
	static const char names[] =
#define S(number, what) what "\0"
#include "kern/signals.def"
		;
	const char *name = names;

	for (uint64_t n = number; --n && *name;)
		name += strlen(name) + 1;
	if (number && *name)
		buf_puts(out, name);
	else if (number > 64)
		buf_puts(out, "N/A");
	else
		buf_printf(out, number < 34 ? "Unknown signal %d" : "Real-time signal %d",
			(int)number - (number < 34 ? 0 : 34));
	return true;
}

struct search {
	char path[4096];
	ino_t want;
	unsigned left; /* directories that are still looked into */
};

/* A cgroup's number is that of its directory. */
static bool find_directory(struct search *s, size_t len)
{
	DIR *d = s->left ? opendir(s->path) : NULL;
	const struct dirent *e;
	bool found = false;

	if (!d)
		return false;
	s->left--;
	while (!found && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || len + n + 2 > sizeof(s->path))
			continue;
		s->path[len] = '/';
		memcpy(s->path + len + 1, e->d_name, n + 1);
		found = e->d_ino == s->want || find_directory(s, len + 1 + n);
		if (!found)
			s->path[len] = 0;
	}
	closedir(d);
	return found;
}

bool name_of_cgroup(struct buf *out, uint64_t id)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct search s = {.want = (ino_t)id, .left = 10000};
	struct stat st;

	for (unsigned i = 0; i < 2; i++) {
		size_t n = strlen(roots[i]);

		memcpy(s.path, roots[i], n + 1);
		if (stat(s.path, &st) || access(arena_printf(out->a, "%s/cgroup.procs", s.path), F_OK))
			continue;
		if (st.st_ino == s.want || find_directory(&s, n)) {
			buf_printf(out, "unified:%s", s.path[n] ? s.path + n : "/");
			return true;
		}
	}
	return false;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t = {0};

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct timespec time_of_ns(const struct meta *m, uint64_t ns)
{
	int64_t since_boot = clock_ns(CLOCK_BOOTTIME);
	int64_t boot = m->times_of_day ? 0 : clock_ns(CLOCK_REALTIME) - since_boot;
	int64_t at = boot + (int64_t)ns, sec = at / 1000000000;

	if (at % 1000000000 < 0)
		sec--;
	return (struct timespec){.tv_sec = sec, .tv_nsec = (long)(at - sec * 1000000000)};
}
