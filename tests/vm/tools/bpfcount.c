/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bpfcount: the newest BPF program's and map's number, as "PROGRAM MAP".
 * bpfcount PROGRAM MAP: lists what is newer; ends with 1 when there is any. Numbers are not given
 * twice, and what others left may go at any time: counting all would mix both up.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(__NR_bpf, cmd, a, sizeof(*a));
}

static void show(int prog, __u32 id)
{
	struct bpf_prog_info p = {0};
	struct bpf_map_info m = {0};
	union bpf_attr a;
	int fd;

	memset(&a, 0, sizeof(a));
	a.prog_id = id;
	fd = bpf(prog ? BPF_PROG_GET_FD_BY_ID : BPF_MAP_GET_FD_BY_ID, &a);
	memset(&a, 0, sizeof(a));
	a.info.bpf_fd = (__u32)fd;
	a.info.info_len = prog ? sizeof(p) : sizeof(m);
	a.info.info = (__u64)(unsigned long)(prog ? (void *)&p : (void *)&m);
	if (fd >= 0 && !bpf(BPF_OBJ_GET_INFO_BY_FD, &a))
		printf("%s %u of type %u: %s\n", prog ? "program" : "map", id,
			prog ? p.type : m.type, prog ? p.name : m.name);
	else
		printf("%s %u: %s\n", prog ? "program" : "map", id, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Lists those after *last, which becomes the newest; how many there were. */
static int after(int prog, __u32 *last, int list)
{
	union bpf_attr a;
	int n = 0;

	memset(&a, 0, sizeof(a));
	a.start_id = *last;
	while (!bpf(prog ? BPF_PROG_GET_NEXT_ID : BPF_MAP_GET_NEXT_ID, &a)) {
		*last = a.start_id = a.next_id;
		if (list)
			show(prog, *last);
		n++;
	}
	if (errno != ENOENT) {
		perror("bpfcount");
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	__u32 p = argc > 2 ? (__u32)atoi(argv[1]) : 0, m = argc > 2 ? (__u32)atoi(argv[2]) : 0;

	if (argc > 2)
		return after(1, &p, 1) + after(0, &m, 1) > 0;
	after(1, &p, 0);
	after(0, &m, 0);
	return printf("%u %u\n", p, m) < 0;
}
