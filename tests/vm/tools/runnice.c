/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* runnice NICE COMMAND…: Debian's busybox has no nice. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3 || setpriority(PRIO_PROCESS, 0, atoi(argv[1]))) {
		perror("runnice");
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
