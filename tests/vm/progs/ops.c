/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A scheduler from assembler text: registered, seen by the kernel, taken back, and ejected by the
 * kernel with a reason.
 * needs: CONFIG_SCHED_CLASS_EXT
 * emulator: single
 * timeout: 120
 */
#include "tests/unit/load/objmake.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

static int failures;

struct session {
	struct maker k;
	struct loaded l;
};

static void verdict(struct session *s, const char *name, bool ok, const char *why)
{
	printf("%sok %s%s%s\n", ok ? "" : "not ", name, ok ? "" : ": ", ok ? "" : why);
	if (!ok)
		diags_render(&s->k.d, stdout, false);
	failures += !ok;
	fflush(stdout);
}

/* dsq: where tasks are put; a queue that does not exist makes the kernel eject the scheduler. */
static int start(struct session *s, const char *name, const char *dsq)
{
	struct meta_ops o = {.type = "sched_ext_ops", .name = "skep_sched", .map = 0};
	const char *insert = "scx_bpf_dsq_insert";
	int err;

	memset(s, 0, sizeof(*s));
	maker_init(&s->k, true);
	if (!s->k.t.btf)
		return -1;
	if (!kbtf_func(s->k.t.btf, insert))
		insert = "scx_bpf_dispatch";
	ir_add_kfunc(
		&s->k.m, insert, 0, kbtf_func_proto(s->k.t.btf, kbtf_func(s->k.t.btf, insert)));
	maker_map(&s->k, "skep_sched", MM_STRUCT_OPS, BPF_MAP_TYPE_STRUCT_OPS, 4, 0, 1);
	maker_prog(&s->k, "p0_enqueue", "struct_ops/enqueue", BPF_PROG_TYPE_STRUCT_OPS,
		arena_printf(&s->k.a,
			"r4 = *(u64 *)(r1 + 8)\nr1 = *(u64 *)(r1 + 0)\nr2 = %s ll\n"
			"r3 = 20000000\ncall kfunc 0\nr0 = 0\nexit\n", dsq));
	s->k.meta.progs.v[0].ops = s->k.meta.progs.v[0].member = 0;
	maker_probe(&s->k, "sched_ext:enqueue", "sched_ext", "enqueue", 0);
	vec_push(&s->k.a, &o.members, (struct meta_ops_member){.name = "enqueue", .prog = 0});
	vec_push(&s->k.a, &o.members,
		(struct meta_ops_member){.name = "name", .prog = META_NONE, .text = name});
	vec_push(&s->k.a, &o.members,
		(struct meta_ops_member){.name = "timeout_ms", .prog = META_NONE, .value = 5000});
	vec_push(&s->k.a, &s->k.meta.ops, o);
	err = maker_write(&s->k);
	if (!err)
		err = load_open(&s->l, &s->k.a, &s->k.t, &s->k.d, s->k.object.p, s->k.object.n);
	if (!err)
		err = load_programs(&s->l, NULL);
	return err;
}

static void finish(struct session *s)
{
	load_close(&s->l);
	maker_free(&s->k);
}

static void work(void)
{
	struct timespec t = {.tv_nsec = 300000000};

	for (int i = 0; i < 20; i++) {
		pid_t p = fork();

		if (!p)
			_exit(0);
		waitpid(p, NULL, 0);
	}
	nanosleep(&t, NULL);
}

static void state_is(struct session *s, const char *name, const char *want)
{
	char text[64] = "";
	int fd = open("/sys/kernel/sched_ext/state", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	verdict(s, name, n > 0 && !strncmp(text, want, strlen(want)), text);
}

static void fifo(void)
{
	struct session s;
	struct load_ops_end end;

	if (start(&s, "skep_fifo", "0x8000000000000001") || load_attach(&s.l)) {
		verdict(&s, "fifo", false, "not registered");
		finish(&s);
		return;
	}
	work();
	state_is(&s, "fifo-state", "enabled");
	verdict(&s, "fifo-alive", load_ops_alive(&s.l, &end), "taken for dead");
	load_detach(&s.l);
	work();
	state_is(&s, "fifo-after", "disabled");
	finish(&s);
}

static void ejected(void)
{
	struct session s;
	struct load_ops_end end = {0};

	if (start(&s, "skep_bad", "0x4d2") || load_attach(&s.l)) {
		/* Ejected so early that registering failed is an answer as well, but a rare one. */
		verdict(&s, "ejected", false, "not registered");
		finish(&s);
		return;
	}
	work();
	verdict(&s, "ejected", !load_ops_alive(&s.l, &end), "still alive");
	verdict(&s, "ejected-why", end.why && strstr(end.why, "error") && strstr(end.why, "4d2"),
		end.why ? end.why : "no reason");
	finish(&s);
}

static void second(void)
{
	struct session a, b;

	if (start(&a, "skep_one", "0x8000000000000001") || load_attach(&a.l)) {
		verdict(&a, "second", false, "the first was not registered");
		finish(&a);
		return;
	}
	verdict(&b, "second", !start(&b, "skep_two", "0x8000000000000001") && load_attach(&b.l) &&
			b.k.d.list.v[0].id == DIAG_SCHED, "no such refusal");
	finish(&b);
	finish(&a);
}

int main(void)
{
	fifo();
	second();
	ejected();
	return failures != 0;
}
