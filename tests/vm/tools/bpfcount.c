/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bpfcount: how many BPF programs and maps the kernel holds, as "PROGRAMS MAPS". */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int count(int cmd)
{
	union bpf_attr a;
	int n = 0;

	memset(&a, 0, sizeof(a));
	while (!syscall(__NR_bpf, cmd, &a, sizeof(a))) {
		a.start_id = a.next_id;
		n++;
	}
	return errno == ENOENT ? n : -1;
}

int main(void)
{
	return printf("%d %d\n", count(BPF_PROG_GET_NEXT_ID), count(BPF_MAP_GET_NEXT_ID)) < 0;
}
