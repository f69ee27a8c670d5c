/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attaching and detaching on the guest's kernel, without a compiler: programs in assembler text,
 * each counts its events in a variable, which is read before, during and after.
 * timeout: 120
 */
#include "tests/unit/load/objmake.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

/* word 0 of the variable counts; the result is the type's "go on" */
#define COUNT(result)                                                                              \
	"r1 = map[0]+0 ll\nr2 = 1\nlock *(u64 *)(r1 + 0) += r2\nr0 = " #result "\nexit\n"

static int failures;

struct session {
	struct maker k;
	struct loaded l;
};

static void verdict(struct session *s, const char *name, bool ok, const char *why)
{
	printf("%sok %s%s%s\n", ok ? "" : "not ", name, ok ? "" : ": ", ok ? "" : why);
	if (!ok && s)
		diags_render(&s->k.d, stdout, false);
	failures += !ok;
	fflush(stdout);
}

static void start(struct session *s, const char *section, uint32_t type, const char *text,
	const char *kind, const char *arg0, const char *arg1)
{
	memset(s, 0, sizeof(*s));
	maker_init(&s->k, true);
	maker_map(&s->k, "hits", MM_DATA, BPF_MAP_TYPE_ARRAY, 4, 8, 1);
	maker_prog(&s->k, "p0", section, type, text);
	maker_probe(&s->k, arena_printf(&s->k.a, "%s:%s", kind, arg0), kind, arg0, 0);
	s->k.meta.probes.v[0].arg[1] = arg1;
	if (type == BPF_PROG_TYPE_XDP)
		s->k.meta.progs.v[0].attach_type = BPF_XDP;
}

static int load(struct session *s)
{
	int err = maker_write(&s->k);

	if (!err)
		err = load_open(&s->l, &s->k.a, &s->k.t, &s->k.d, s->k.object.p, s->k.object.n);
	return err ? err : load_programs(&s->l, NULL);
}

static void finish(struct session *s)
{
	load_close(&s->l);
	maker_free(&s->k);
}

static uint64_t hits(const struct session *s)
{
	uint64_t v = 0;

	return load_value_get(&s->l, 0, &v) ? UINT64_MAX : v;
}

static void many_getppid(void)
{
	for (int i = 0; i < 50; i++)
		syscall(SYS_getppid);
}

static void many_reads(void)
{
	char c;
	int fd = open("/dev/zero", O_RDONLY);

	for (int i = 0; i < 50; i++) {
		if (read(fd, &c, 1) != 1)
			break;
	}
	close(fd);
}

static void wait_a_bit(void)
{
	struct timespec t = {.tv_nsec = 500000000};

	nanosleep(&t, NULL);
}

static void many_packets(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < 50; i++)
		sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	wait_a_bit();
}

/* Counts while attached, not before, not after. */
static void counts(const char *name, struct session *s, void (*stir)(void), uint64_t least)
{
	uint64_t before, during, after;

	if (load(s)) {
		verdict(s, name, false, "not loaded");
		finish(s);
		return;
	}
	stir();
	before = hits(s);
	if (load_attach(&s->l)) {
		verdict(s, name, false, "not attached");
		finish(s);
		return;
	}
	for (int i = 0; i < 10 && hits(s) < least; i++) /* an emulated CPU may miss the first events */
		stir();
	during = hits(s);
	load_detach(&s->l);
	during = hits(s) > during ? hits(s) : during;
	wait_a_bit();
	stir();
	after = hits(s);
	verdict(s, name, !before && during >= least && during != UINT64_MAX && after == during,
		arena_printf(&s->k.a, "%llu before, %llu while attached, %llu after",
			(unsigned long long)before, (unsigned long long)during,
			(unsigned long long)after));
	finish(s);
}

/* Refused with a diagnostic of this kind, and nothing attached. */
static void refused(const char *name, struct session *s, enum diag_id id)
{
	int err = load(s);

	if (!err)
		err = load_attach(&s->l);
	verdict(s, name, err && s->k.d.list.n && s->k.d.list.v[0].id == id && !s->l.links.n,
		"no such refusal");
	finish(s);
}

static void xdp_twice(void)
{
	struct session a, b;

	start(&a, "xdp", BPF_PROG_TYPE_XDP, COUNT(2), "xdp", "lo", "");
	start(&b, "xdp", BPF_PROG_TYPE_XDP, COUNT(2), "xdp", "lo", "");
	if (load(&a) || load_attach(&a.l)) {
		verdict(&a, "xdp-twice", false, "the first one was not attached");
		finish(&b);
	} else {
		refused("xdp-twice", &b, DIAG_ATTACH);
	}
	finish(&a);
}

static bool offered(const char *name)
{
	char text[1024] = "";
	int fd = open("/proc/sys/net/ipv4/tcp_available_congestion_control", O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strstr(text, name);
}

/* A congestion control stands for every operations table, also where links do not exist yet. */
static void tcp_ops(void)
{
	static const char *const ops[] = {"ssthresh", "undo_cwnd", "cong_avoid"};
	struct meta_ops o = {.type = "tcp_congestion_ops", .name = "skep_cc", .map = 0};
	struct session s = {0};
	bool before, during, after;
	int err;

	maker_init(&s.k, true);
	if (!s.k.t.btf || !kbtf_find_struct(s.k.t.btf, "bpf_struct_ops_tcp_congestion_ops")) {
		printf("skip struct_ops: no tcp_congestion_ops for programs in this kernel\n");
		maker_free(&s.k);
		return;
	}
	maker_map(&s.k, "skep_cc", MM_STRUCT_OPS, BPF_MAP_TYPE_STRUCT_OPS, 4, 0, 1);
	for (uint32_t i = 0; i < 3; i++) {
		maker_prog(&s.k, ops[i], arena_printf(&s.k.a, "struct_ops/%s", ops[i]),
			BPF_PROG_TYPE_STRUCT_OPS, "r0 = 2\nexit\n");
		s.k.meta.progs.v[i].ops = 0;
		s.k.meta.progs.v[i].member = i;
		vec_push(&s.k.a, &o.members, (struct meta_ops_member){.name = ops[i], .prog = i});
	}
	vec_push(&s.k.a, &o.members,
		(struct meta_ops_member){.name = "name", .prog = META_NONE, .text = "skep_cc"});
	vec_push(&s.k.a, &s.k.meta.ops, o);
	err = load(&s);
	before = offered("skep_cc");
	if (!err)
		err = load_attach(&s.l);
	during = offered("skep_cc");
	load_detach(&s.l);
	wait_a_bit();
	after = offered("skep_cc");
	verdict(&s, "struct_ops", !err && !before && during && !after,
		"not registered as it should");
	finish(&s);
}

static void begin_runs(void)
{
	struct session s;
	bool ok;

	start(&s, "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, COUNT(0), "BEGIN", "", "");
	ok = !load(&s) && !load_run_prog(&s.l, 0) && hits(&s) == 1;
	verdict(&s, "begin", ok, "did not run once");
	finish(&s);
}

/* An object for any kernel: the field's offset is looked up here. */
static void portable(void)
{
	struct session s;
	struct kbtf_member m;
	bool ok;

	start(&s, "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT,
		"r1 = map[0]+0 ll\nr2 = 12\n*(u64 *)(r1 + 0) = r2\nr0 = 0\nexit\n", "BEGIN", "",
		"");
	if (!s.k.t.btf) {
		printf("skip portable: no BTF\n");
		maker_free(&s.k);
		return;
	}
	s.k.meta.portable = true;
	ir_add_field(&s.k.m, (struct ir_field){.root = "task_struct", .path = "comm", .off = 12,
				     .size = 16});
	vec_push(&s.k.a, &s.k.code[0].relocs, (struct code_reloc){.kind = CR_FIELD, .insn = 2});
	ok = kbtf_find_member(s.k.t.btf, kbtf_find_struct(s.k.t.btf, "task_struct"), "comm", &m) &&
	     !load(&s) && !load_run_prog(&s.l, 0) && hits(&s) == m.bit_off / 8;
	verdict(&s, "portable", ok, "wrong offset");
	finish(&s);
}

int main(void)
{
	struct session s;

	begin_runs();
	portable();
	start(&s, "kprobe/vfs_read", BPF_PROG_TYPE_KPROBE, COUNT(0), "kprobe", "vfs_read", "");
	counts("kprobe", &s, many_reads, 50);
	start(&s, "kretprobe/vfs_read", BPF_PROG_TYPE_KPROBE, COUNT(0), "kretprobe", "vfs_read",
		"");
	counts("kretprobe", &s, many_reads, 50);
	start(&s, "tracepoint/syscalls/sys_enter_getppid", BPF_PROG_TYPE_TRACEPOINT, COUNT(0),
		"tracepoint", "syscalls", "sys_enter_getppid");
	counts("tracepoint", &s, many_getppid, 50);
	start(&s, "perf_event", BPF_PROG_TYPE_PERF_EVENT, COUNT(0), "interval", "10ms", "");
	s.k.meta.probes.v[0].num[0] = 10000000; /* nanoseconds */
	counts("interval", &s, wait_a_bit, 10);
	start(&s, "xdp", BPF_PROG_TYPE_XDP, COUNT(2), "xdp", "lo", "");
	counts("xdp", &s, many_packets, 50);
	xdp_twice();
	start(&s, "kprobe/x", BPF_PROG_TYPE_KPROBE, COUNT(0), "kprobe", "no_such_function", "");
	refused("no-function", &s, DIAG_NO_SUCH_TARGET);
	start(&s, "tracepoint/a/b", BPF_PROG_TYPE_TRACEPOINT, COUNT(0), "tracepoint", "sched",
		"no");
	refused("no-tracepoint", &s, DIAG_NO_SUCH_TARGET);
	start(&s, "xdp", BPF_PROG_TYPE_XDP, COUNT(2), "xdp", "nope0", "");
	refused("no-interface", &s, DIAG_NO_SUCH_INTERFACE);
	tcp_ops();
	return failures != 0;
}
