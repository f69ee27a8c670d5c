/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/names.h"
#include <pwd.h>
#include <signal.h>
#include <string.h>

/* Objects are loaded where they were compiled for, so the numbers are this machine's. */
#if defined(__x86_64__)
#define NUMBER(x86_64, generic) (x86_64)
#else
#define NUMBER(x86_64, generic) (generic)
#endif

static const struct {
	const char *name;
	int number;
} syscalls[] = {
#define S(name, x86_64, generic) {name, NUMBER(x86_64, generic)},
#include "kern/syscalls.def"
};

static const char *const signals[] = {
	[SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
	[SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS", [SIGFPE] = "SIGFPE",
	[SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV",
	[SIGUSR2] = "SIGUSR2", [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM",
	[SIGTERM] = "SIGTERM", [SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",
	[SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP",
	[SIGTTIN] = "SIGTTIN", [SIGTTOU] = "SIGTTOU", [SIGURG] = "SIGURG",
	[SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ", [SIGVTALRM] = "SIGVTALRM",
	[SIGPROF] = "SIGPROF", [SIGWINCH] = "SIGWINCH", [SIGIO] = "SIGIO", [SIGPWR] = "SIGPWR",
	[SIGSYS] = "SIGSYS"};

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
	for (size_t i = 0; i < sizeof(syscalls) / sizeof(*syscalls); i++) {
		if (syscalls[i].number >= 0 && (uint64_t)syscalls[i].number == number) {
			buf_puts(out, syscalls[i].name);
			return true;
		}
	}
	return false;
}

bool name_of_signal(struct buf *out, uint64_t number)
{
	if (number >= sizeof(signals) / sizeof(*signals) || !signals[number])
		return false;
	buf_puts(out, signals[number]);
	return true;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t = {0};

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct timespec time_of_boot_ns(uint64_t ns)
{
	int64_t since_boot = clock_ns(CLOCK_BOOTTIME);
	int64_t at = clock_ns(CLOCK_REALTIME) - since_boot + (int64_t)ns, sec = at / 1000000000;

	if (at % 1000000000 < 0)
		sec--;
	return (struct timespec){.tv_sec = sec, .tv_nsec = (long)(at - sec * 1000000000)};
}
