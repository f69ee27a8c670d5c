/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cases of tests/golden/cli: the program as users call it, without kernel and rights. Sections:
 *
 *   -- args              one argument a line
 *   -- as NAME           argv[0]; default skep
 *   -- stdin             what it reads
 *   -- stdout, -- stderr what it writes, whole; missing: nothing
 *   -- stdout has        every line must be part of it
 *   -- exit N            default 0
 *   -- gone              nobody reads stdout any more
 *   -- user nobody       run without rights (skipped when the tests themselves have none to drop)
 *   -- needs bpf         skipped where programs cannot be loaded; nothing may be attached
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR_CASES "tests/golden/cli"
#define MAX_ARGS 32

enum section { NONE, ARGS, IN, OUT, ERR, SECTIONS };
struct golden {
	char *text[SECTIONS];
	bool part[SECTIONS];
	const char *as;
	int exit;
	bool needs_bpf, nobody, gone;
};

static char program[PATH_MAX];

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size, n;
	FILE *copy;
	char b[4096];

	assert_non_null(f);
	copy = open_memstream(&text, &size);
	while ((n = fread(b, 1, sizeof(b), f)))
		fwrite(b, 1, n, copy);
	fclose(copy);
	fclose(f);
	return text;
}

static enum section heading(struct golden *g, char *line)
{
	static const char *const names[] = {"", "args", "stdin", "stdout", "stderr"};
	char *word = strtok(line + 3, " "), *more = strtok(NULL, "");

	if (!strcmp(word, "exit")) {
		g->exit = atoi(more);
		return NONE;
	}
	if (!strcmp(word, "needs")) {
		g->needs_bpf = true;
		return NONE;
	}
	if (!strcmp(word, "user")) {
		g->nobody = true;
		return NONE;
	}
	if (!strcmp(word, "gone")) {
		g->gone = true;
		return NONE;
	}
	if (!strcmp(word, "as")) {
		g->as = more; /* in the case's text, which outlives g */
		return NONE;
	}
	for (int i = ARGS; i < SECTIONS; i++) {
		if (!strcmp(word, names[i])) {
			g->part[i] = more && !strcmp(more, "has");
			return (enum section)i;
		}
	}
	fail_msg("unknown section '%s'", word);
	return NONE;
}

static void parse_case(struct golden *g, char *text)
{
	enum section at = NONE;
	char *line;

	*g = (struct golden){.as = "skep"};
	for (int i = 0; i < SECTIONS; i++)
		g->text[i] = calloc(1, strlen(text) + 1);
	while ((line = strsep(&text, "\n"))) {
		if (!strncmp(line, "-- ", 3)) {
			at = heading(g, line);
		} else if (at && text) { /* text is NULL after the file's last newline */
			strcat(g->text[at], line);
			strcat(g->text[at], "\n");
		}
	}
}

static int temp_file(const char *text)
{
	char path[] = "/tmp/skep-test-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int pipe_without_reader(void)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	close(fd[0]);
	return fd[1];
}

static char *read_fd(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	lseek(fd, 0, SEEK_SET);
	return read_file(path);
}

static void compare(const char *name, const struct golden *g, enum section s, char *got)
{
	char *want = g->text[s], *line;

	if (!g->part[s] && strcmp(got, want) != 0)
		fail_msg("%s: %s\n--- expected\n%s--- got\n%s", name,
			s == OUT ? "stdout" : "stderr", want, got);
	while (g->part[s] && (line = strsep(&want, "\n"))) {
		if (!strstr(got, line))
			fail_msg("%s: '%s' is not in\n%s", name, line, got);
	}
}

/* Whether an empty map can be made; programs need the same rights. */
static bool bpf_allowed(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1};
	int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void run_case(void **state)
{
	char path[512], *argv[MAX_ARGS] = {NULL}, *save, *text;
	struct golden g;
	char *out, *err;
	int fd[3], n = 0, status;
	pid_t pid;

	snprintf(path, sizeof(path), DIR_CASES "/%s", (char *)*state);
	text = read_file(path);
	parse_case(&g, text);
	if ((g.needs_bpf && !bpf_allowed()) || (g.nobody && geteuid()))
		skip();
	argv[n++] = (char *)(uintptr_t)g.as;
	for (char *a = strtok_r(g.text[ARGS], "\n", &save); a && n < MAX_ARGS - 1;
		a = strtok_r(NULL, "\n", &save))
		argv[n++] = a;
	fd[0] = temp_file(g.text[IN]);
	fd[1] = temp_file("");
	fd[2] = temp_file("");
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 3; i++)
			dup2(i == 1 && g.gone ? pipe_without_reader() : fd[i], i);
		setenv("TZ", "UTC", 1);
		if (g.nobody && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
			_exit(126);
		execv(program, argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	err = read_fd(fd[2]);
	compare(*state, &g, ERR, err);
	out = read_fd(fd[1]);
	compare(*state, &g, OUT, out);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), g.exit);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	free(out);
	free(err);
	free(text);
	for (int i = 0; i < SECTIONS; i++)
		free(g.text[i]);
}

int main(void)
{
	struct CMUnitTest tests[256] = {0};
	struct dirent **names;
	int n = scandir(DIR_CASES, &names, NULL, alphasort), count = 0, status;
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (len < 0)
		return 1;
	program[len] = 0;
	/* build/V/tests/cli/test_cli -> build/V/skep */
	for (int i = 0; i < 3; i++)
		*strrchr(program, '/') = 0;
	strcat(program, "/skep");
	for (int i = 0; i < n && count < 256; i++) {
		if (names[i]->d_name[0] == '.')
			continue;
		tests[count].name = names[i]->d_name;
		tests[count].test_func = run_case;
		tests[count++].initial_state = names[i]->d_name;
	}
	if (!count)
		return 1;
	status = _cmocka_run_group_tests("golden/cli", tests, (size_t)count, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return status;
}
