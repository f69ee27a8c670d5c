/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kern/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read(struct arena *a, const char *path, size_t *len)
{
	size_t cap = 4096, have = 0;
	struct stat st;
	char *p;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size > 0)
		cap = (size_t)st.st_size + 1;
	p = arena_alloc(a, cap);
	for (;;) {
		ssize_t n;

		if (have + 1 >= cap) {
			p = arena_grow(a, p, cap, cap * 2);
			cap *= 2;
		}
		n = read(fd, p + have, cap - have - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int e = errno;

			close(fd);
			errno = e;
			return NULL;
		}
		if (!n)
			break;
		have += (size_t)n;
	}
	close(fd);
	p[have] = 0;
	if (len)
		*len = have;
	return p;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? errno : EIO;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int file_write(const char *path, const void *p, size_t n)
{
	struct stat st;
	char *temp = NULL;
	bool replace = lstat(path, &st) || S_ISREG(st.st_mode);
	int fd = -1, err = 0;

	if (replace && asprintf(&temp, "%s.XXXXXX", path) < 0)
		return ENOMEM;
	fd = replace ? mkostemp(temp, O_CLOEXEC) : open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		free(temp);
		return err;
	}
	err = write_all(fd, p, n);
	if (!err && replace && fchmod(fd, 0644))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	if (!err && replace && rename(temp, path))
		err = errno;
	if (err && replace)
		unlink(temp);
	free(temp);
	return err;
}
