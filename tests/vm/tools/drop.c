/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * drop COMMAND…: runs it as user 1000 with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN and no other right.
 * Memory may be locked, as a service manager would arrange it: kernels before 5.11 count maps.
 */
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USER 1000

static const unsigned caps[] = {12, 38, 39}; /* CAP_NET_ADMIN CAP_PERFMON CAP_BPF, linux/capability.h */

int main(int argc, char **argv)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	for (unsigned i = 0; i < sizeof(caps) / sizeof(*caps); i++)
		data[caps[i] / 32].permitted |= 1u << (caps[i] % 32);
	data[0].effective = data[0].inheritable = data[0].permitted;
	data[1].effective = data[1].inheritable = data[1].permitted;
	if (argc < 2 || setrlimit(RLIMIT_MEMLOCK, &all) || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ||
		setgroups(0, NULL) || setgid(USER) || setuid(USER) ||
		syscall(SYS_capset, &head, data)) {
		perror("drop");
		return 1;
	}
	for (unsigned i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, caps[i], 0, 0)) {
			perror("drop: ambient");
			return 1;
		}
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
