/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stackprog N: reads a file N times, a few milliseconds apart, from two functions deep, and ends.
 * Its stacks have names that tests look for.
 */
#pragma GCC optimize("O1", "no-omit-frame-pointer", "no-optimize-sibling-calls")
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) int inner_reader(int fd);
__attribute__((noinline)) int outer_reader(int fd);

int inner_reader(int fd)
{
	char c[77];

	return (int)pread(fd, c, sizeof(c), 0) + fd;
}

int outer_reader(int fd)
{
	return inner_reader(fd) + 1;
}

int main(int argc, char **argv)
{
	int fd = open("/proc/version", O_RDONLY | O_CLOEXEC), sum = 0;

	for (int i = argc > 1 ? atoi(argv[1]) : 1; i > 0; i--) {
		sum += outer_reader(fd);
		usleep(3000);
	}
	return sum < 0;
}
