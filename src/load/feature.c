/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Asks the running kernel for features by trying them: versions lie where distributions backport
 * or leave out. Each question is a system call or two; nothing stays loaded.
 */
#include "load/internal.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#define INSN(c, d, s, o, i)                                                                        \
	((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)})
#define ZERO_R0 INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load_type(enum bpf_prog_type type, const struct bpf_insn *insn, size_t n)
{
	return sys_prog_load(type, NULL, "GPL", insn, n, NULL);
}

/* A program with the instruction loads, or is refused as invalid; other errors say nothing. */
static int takes(const struct bpf_insn *insn, size_t n)
{
	int fd = load_type(BPF_PROG_TYPE_SOCKET_FILTER, insn, n);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 1 : errno == EINVAL ? 0 : -1;
}

static int has_jmp32(void)
{
	const struct bpf_insn p[] = {ZERO_R0, INSN(BPF_JMP32 | BPF_JEQ | BPF_K, 0, 0, 0, 0), EXIT};

	return takes(p, 3);
}

static int has_v4(void)
{
	/* off 8 makes a move sign-extend its low 8 bits, since 6.6 */
	const struct bpf_insn p[] = {ZERO_R0, INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 0, 8, 0), EXIT};

	return takes(p, 3);
}

static int has_loops(void)
{
	const struct bpf_insn p[] = {ZERO_R0, INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_JLT | BPF_K, 0, 0, -2, 4), EXIT};

	return takes(p, 4);
}

static int has_atomics(void)
{
	const struct bpf_insn p[] = {ZERO_R0, INSN(BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 0, -8, BPF_ADD | BPF_FETCH), EXIT};

	return takes(p, 4);
}

/* A bad descriptor is noticed only by kernels that know the attachment. */
static int has_perf_link(void)
{
	const struct bpf_insn p[] = {ZERO_R0, EXIT};
	int fd = load_type(BPF_PROG_TYPE_TRACEPOINT, p, 2), link, err;

	if (fd < 0)
		return -1;
	link = bpf_link_create(fd, -1, BPF_PERF_EVENT, NULL);
	err = errno;
	if (link >= 0)
		close(link);
	close(fd);
	return link < 0 && err == EBADF;
}

static int has_raw_tp_run(void)
{
	const struct bpf_insn p[] = {ZERO_R0, EXIT};
	LIBBPF_OPTS(bpf_test_run_opts, o);
	int fd = load_type(BPF_PROG_TYPE_RAW_TRACEPOINT, p, 2), err;

	if (fd < 0)
		return -1;
	err = bpf_prog_test_run_opts(fd, &o);
	close(fd);
	return !err;
}

static int has_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static const struct row {
	enum kern_feature feature;
	int (*ask)(void);	/* or */
	enum bpf_func_id helper; /* with prog, or */
	enum bpf_prog_type prog;
	enum bpf_map_type map;
} rows[] = {
	{KF_ATOMICS, .ask = has_atomics},
	{KF_ATTACH_COOKIE, .helper = BPF_FUNC_get_attach_cookie, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_BOUNDED_LOOPS, .ask = has_loops},
	{KF_BPF_LOOP, .helper = BPF_FUNC_loop, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_BTF, .ask = has_btf},
	{KF_CPU_V4, .ask = has_v4},
	{KF_DYNPTR, .helper = BPF_FUNC_dynptr_from_mem, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_FOR_EACH_MAP_ELEM, .helper = BPF_FUNC_for_each_map_elem, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_GET_FUNC_IP, .helper = BPF_FUNC_get_func_ip, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_JMP32, .ask = has_jmp32},
	{KF_PERCPU_LOOKUP, .helper = BPF_FUNC_map_lookup_percpu_elem,
		.prog = BPF_PROG_TYPE_KPROBE},
	{KF_PERF_LINK, .ask = has_perf_link},
	{KF_PROBE_READ_KERNEL, .helper = BPF_FUNC_probe_read_kernel, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_RAW_TP_TEST_RUN, .ask = has_raw_tp_run},
	{KF_RINGBUF, .map = BPF_MAP_TYPE_RINGBUF},
	{KF_SNPRINTF, .helper = BPF_FUNC_snprintf, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_STRNCMP, .helper = BPF_FUNC_strncmp, .prog = BPF_PROG_TYPE_KPROBE},
	{KF_TASK_STORAGE, .map = BPF_MAP_TYPE_TASK_STORAGE},
};

/*
 * The verifier says in its log which helper it does not know, or that this kind of program may not call
 * it; what else it dislikes (arguments) comes later. No log: it was not reached.
 */
int load_probe_helper(uint32_t prog, uint32_t helper)
{
	static const char *const no[] = {"invalid func ", "unknown func ", "cannot use helper"};
	const struct bpf_insn p[] = {INSN(BPF_JMP | BPF_CALL, 0, 0, 0, (int32_t)helper), EXIT};
	char log[1024] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, o, .log_buf = log, .log_size = sizeof(log), .log_level = 1);
	int fd = sys_prog_load(prog, NULL, "GPL", p, 2, &o);

	if (fd >= 0) {
		close(fd);
		return 1;
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		if (strstr(log, no[i]))
			return 0;
	}
	return *log ? 1 : -1;
}

static int ask(const struct row *r)
{
	int yes;

	if (r->ask)
		return r->ask();
	if (r->map)
		yes = map_probe(r->map);
	else
		yes = load_probe_helper(r->prog, r->helper);
	return yes < 0 ? -1 : yes;
}

int load_probe_feature(enum kern_feature f)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].feature == f)
			return ask(&rows[i]);
	}
	return -1;
}

void load_probe_features(struct target *t)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int yes = ask(&rows[i]);

		if (yes > 0)
			t->features |= 1ull << rows[i].feature;
		else if (!yes)
			t->features &= ~(1ull << rows[i].feature);
	}
	t->features &= ~t->forgotten;
}
