/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The command of -c: started at once, so that its number is known to the script, and held behind
 * its exec until the probes are attached. A tracer's death ends it, so none is left half started.
 */
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Next word of a command line; quotes and backslashes as in a shell, nothing else. Cut in place. *line is
 * NULL behind a quote that is never closed.
 */
static char *next_word(char **line)
{
	char *p = *line + strspn(*line, " \t\n"), *word = p, *to = p, quote = 0;

	if (!*p)
		return NULL;
	for (; *p && (quote || !strchr(" \t\n", *p)); p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? 0 : *p;
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		*to++ = *p;
	}
	*line = quote ? NULL : *p ? p + 1 : p;
	*to = 0;
	return word;
}

/* *open: a quote is never closed. */
static char **split(char *line, bool *open)
{
	size_t room = strlen(line) / 2 + 2, n = 0;
	char **argv = calloc(room, sizeof(*argv)), *word;

	while (argv && line && (word = next_word(&line)))
		argv[n++] = word;
	*open = !line;
	return argv;
}

/* In the child: never returns. */
static void become(char **argv, int tell)
{
	int err;

	signal(SIGPIPE, SIG_DFL);
	if (!ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		execvp(argv[0], argv);
	err = errno;
	if (write(tell, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* Waits for the stop behind exec. 0 or errno. */
static int wait_for_exec(int pid, int told)
{
	int err = 0, status;

	if (read(told, &err, sizeof(err)) == (ssize_t)sizeof(err)) {
		waitpid(pid, NULL, 0);
		return err;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSTOPPED(status))
		return ECHILD;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(long)PTRACE_O_EXITKILL);
	return 0;
}

int child_start(const char *command)
{
	bool open = false;
	char *line = strdup(command), **argv = line ? split(line, &open) : NULL;
	int pipes[2], pid = -1, err = ENOMEM;

	if (open) {
		fail(NULL, "the command of -c has a quote that is never closed: %s", command);
	} else if (!argv || !argv[0]) {
		fail("-c 'sleep 1'", argv ? "the command of -c is empty" : "out of memory");
	} else if (pipe2(pipes, O_CLOEXEC)) {
		fail(NULL, "cannot start '%s': %s", argv[0], strerror(errno));
	} else {
		pid = fork();
		err = errno;
		if (!pid)
			become(argv, pipes[1]);
		close(pipes[1]);
		if (pid > 0)
			err = wait_for_exec(pid, pipes[0]);
		close(pipes[0]);
		if (err && pid)
			fail(NULL, "cannot start '%s': %s", argv[0], strerror(err));
		pid = err ? -1 : pid;
	}
	free(argv);
	free(line);
	return pid;
}

void child_go(void *pid)
{
	ptrace(PTRACE_DETACH, *(int *)pid, NULL, NULL);
}

/* It may take two seconds to end, then it is killed. */
void child_end(int pid)
{
	if (pid <= 0 || waitpid(pid, NULL, WNOHANG))
		return;
	kill(pid, SIGTERM);
	ptrace(PTRACE_DETACH, pid, NULL, NULL); /* if it was never let go */
	kill(pid, SIGCONT);
	for (int i = 0; i < 100; i++) {
		usleep(20000);
		if (waitpid(pid, NULL, WNOHANG))
			return;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
