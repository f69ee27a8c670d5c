/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files that are written whole: new ones replace old ones; what is no file is never replaced. */
#include "kern/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void holds(const char *path, const char *want)
{
	struct arena a;
	char *text;

	arena_init(&a, NULL);
	text = file_read(&a, path, NULL);
	assert_non_null(text);
	assert_string_equal(text, want);
	arena_free(&a);
}

static mode_t mode(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

static void writes(void **state)
{
	char dir[] = "/tmp/skep-file-XXXXXX", got[8] = "";
	struct dirent **names;
	int fd, n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(file_write("f", "old", 3), 0);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_write("f", "new", 3), 0);
	holds("f", "new");
	assert_int_equal(mode("f"), S_IFREG | 0644);
	assert_int_equal(read(fd, got, 8), 3); /* who reads the old one reads it to its end */
	assert_string_equal(got, "old");
	close(fd);

	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(file_write("link", "x", 1), 0);
	assert_true(S_ISLNK(mode("link")));
	holds("f", "x");

	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(file_write("pipe", "through", 7), 0);
	assert_true(S_ISFIFO(mode("pipe")));
	assert_int_equal(read(fd, got, 8), 7);
	assert_memory_equal(got, "through", 7);
	close(fd);

	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(file_write("d", "", 0), EISDIR);
	assert_int_equal(file_write("no/f", "", 0), ENOENT);
	n = scandir(".", &names, NULL, alphasort);
	assert_int_equal(n, 6); /* nothing lies beside: . .. d f link pipe */
	while (n--) {
		unlink(names[n]->d_name);
		free(names[n]);
	}
	free(names);
	rmdir("d");
	assert_int_equal(chdir("/"), 0);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(writes)};

	return cmocka_run_group_tests_name("kern/file", tests, NULL, NULL);
}
