/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/bench/testrun.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REPEAT 50000
#define ROUNDS 21
#define OUT_MAX 8192

static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, /* passes or drops; nobody gets the packet */
	{.code = BPF_JMP | BPF_EXIT},
};

static int load_nothing(uint32_t type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, o,
		.expected_attach_type = type == BPF_PROG_TYPE_CGROUP_SKB ? BPF_CGROUP_INET_EGRESS : 0);

	return bpf_prog_load((enum bpf_prog_type)type, "nothing", "GPL", nothing, 2, &o);
}

/* CPU time of this thread per packet; negative when the kernel refuses. */
static double one_round(int fd, const uint8_t *frame, uint32_t n)
{
	static uint8_t out[OUT_MAX];
	struct timespec a, b;
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = n, .data_out = out,
		.data_size_out = sizeof(out), .repeat = REPEAT);

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	if (bpf_prog_test_run_opts(fd, &o))
		return -1;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / REPEAT;
}

bool testrun(int ours, int theirs, uint32_t type, const uint8_t *frame, uint32_t n,
	struct testrun_ns *ns)
{
	double idle = 1e9, a = 1e9, b = 1e9, t;
	int base = load_nothing(type);
	bool ok = base >= 0;

	for (unsigned i = 0; ok && i < ROUNDS; i++) {
		t = one_round(base, frame, n);
		idle = t < idle ? t : idle;
		ok = t >= 0 && (t = one_round(ours, frame, n)) >= 0;
		a = t < a ? t : a;
		if (ok && theirs >= 0)
			ok = (t = one_round(theirs, frame, n)) >= 0;
		b = t < b ? t : b;
	}
	if (base >= 0)
		close(base);
	if (ok)
		*ns = (struct testrun_ns){a > idle ? a - idle : 0, theirs < 0 ? -1 : b > idle ? b - idle : 0, idle};
	return ok;
}

bool testrun_possible(void)
{
	static const uint8_t frame[64];
	int fd = load_nothing(BPF_PROG_TYPE_XDP);
	bool ok = fd >= 0 && one_round(fd, frame, sizeof(frame)) >= 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

int testrun_load(const char *path)
{
	struct bpf_object *o;
	struct bpf_program *p;
	int fd = -1;

	libbpf_set_print(quiet);
	o = bpf_object__open_file(path, NULL);
	if (!o)
		return -1; /* there is none */
	p = bpf_object__next_program(o, NULL);
	if (p && !bpf_object__load(o))
		fd = dup(bpf_program__fd(p));
	else
		fprintf(stderr, "bench-packets: %s: not loaded: %s\n", path, strerror(errno));
	bpf_object__close(o);
	return fd;
}
