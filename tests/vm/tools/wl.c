/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wl [NAME]: a load that is the same each time: so many system calls with such sizes, under NAME as
 * the task's name. What two tracers count of it has to agree.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For uprobes: called a known number of times with known arguments. */
long wl_hot(long a, const char *text);
__attribute__((noinline)) long wl_hot(long a, const char *text)
{
	__asm__ volatile("" : : "r"(text) : "memory");
	return a * 2;
}

static int child(void)
{
	_exit(3);
}

static void files(void)
{
	char buf[4096];
	int fd, n = 0;

	for (int i = 0; i < 5; i++) {
		fd = openat(AT_FDCWD, "/tmp/wl.file", O_CREAT | O_RDWR | (i ? 0 : O_TRUNC), 0644);
		for (int size = 1; size <= 256; size *= 4)
			n += (int)write(fd, buf, (size_t)size);
		lseek(fd, 0, SEEK_SET);
		for (int size = 1; size <= 4096; size *= 8)
			n += (int)read(fd, buf, (size_t)size);
		close(fd);
	}
	for (int i = 0; i < 3; i++)
		n += openat(AT_FDCWD, "/no/such/file", O_RDONLY);
	fd = openat(AT_FDCWD, "/dev/zero", O_RDONLY);
	for (int i = 0; i < 20; i++)
		n += (int)read(fd, buf, (size_t)(i * 50));
	n += (int)lseek(fd, -5, SEEK_SET);
	close(fd);
	close(-1);
	mkdir("/tmp/wl.dir", 0755);
	rmdir("/tmp/wl.dir");
	unlinkat(AT_FDCWD, "/tmp/wl.file", 0);
	if (n == 12345)
		puts("never");
}

int main(int argc, char **argv)
{
	struct timespec ms = {0, 1000000};
	struct utsname names;
	long sum = 0;
	int status;

	memset(&names, 0, sizeof(names));
	prctl(PR_SET_NAME, argc > 1 ? argv[1] : "wl");
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
	files();
	kill(getpid(), 0);
	kill(getpid(), 0);
	for (int i = 0; i < 4; i++)
		uname(&names);
	for (long i = 0; i < 7; i++)
		sum += wl_hot(i, i % 2 ? "odd" : "even");
	nanosleep(&ms, NULL);
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (!pid)
			child();
		waitpid(pid, &status, 0);
	}
	return sum == 42 ? 0 : 1;
}
