/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interpreter beyond single instructions (tests/exec/conformance has those): packets, contexts,
 * helpers, ring buffers, limits. Maps: test_interp_map.c.
 */
#include "tests/unit/back/interp_world.h"
#include "backend-bpf/insn.h"
#include <errno.h>

/* A frame, the packet checked for 14 bytes in r2, end in r3. */
#define PACKET                                                                                     \
	"r6 = r1; r2 = *(u32*)(r1+0); r3 = *(u32*)(r1+4); r4 = r2; r4 += 14\n"                     \
	"if r4 > r3 goto out\n"

static void xdp_packet(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	w.packet[12] = 0x08;
	assert_int_equal(world_run(&w, PACKET "r0 = *(u16*)(r2+12)\nexit\nout: r0 = 99\nexit"), 8);
	assert_int_equal(
		world_run(&w, "r0 = *(u32*)(r1+4); r2 = *(u32*)(r1+0); r0 -= r2; exit"), 64);
	world_run(&w, PACKET "*(u8*)(r2+3) = 77\nout: r0 = 0\nexit");
	assert_int_equal(w.packet[3], 77);
	w.in.packet_len = 10;
	assert_int_equal(world_run(&w, PACKET "r0 = *(u16*)(r2+12)\nexit\nout: r0 = 99\nexit"), 99);
	world_wrong(&w, "r2 = *(u32*)(r1+0); r0 = *(u16*)(r2+12); exit", "out of bounds");
	world_wrong(&w, "r0 = *(u16*)(r1+0); exit", "'data' is read with 4 bytes");
	world_wrong(&w, "r0 = *(u64*)(r1+0); exit", "'data' is read with 4 bytes");
	world_wrong(&w, "*(u32*)(r1+0) = 0; exit", "not writable");
	arena_free(&w.a);
}

static void skb_context(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	w.in.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	w.packet[12] = 0x86;
	w.packet[13] = 0xdd;
	assert_int_equal(world_run(&w, "r0 = *(u32*)(r1+0); exit"), 64);
	assert_int_equal(world_run(&w, "r0 = *(u32*)(r1+16); exit"), 0xdd86);
	assert_int_equal(world_run(&w, "*(u32*)(r1+8) = 5; r0 = *(u32*)(r1+8); exit"), 5);
	assert_int_equal(
		world_run(&w, "r0 = *(u32*)(r1+80); r2 = *(u32*)(r1+76); r0 -= r2; exit"), 64);
	world_wrong(&w, "*(u32*)(r1+16) = 5; exit", "not writable");
	w.in.prog_type = BPF_PROG_TYPE_CGROUP_SKB;
	world_wrong(&w, "r2 = *(u32*)(r1+76); *(u8*)(r2+0) = 5; exit", "read-only");
	arena_free(&w.a);
}

static void plain_context(void **state)
{
	struct world w;
	uint64_t args[3] = {11, 22, 33};

	(void)state;
	world_open(&w);
	w.in.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	w.in.ctx = (uint8_t *)args;
	w.in.ctx_len = sizeof(args);
	assert_int_equal(world_run(&w, "r0 = *(u64*)(r1+16); exit"), 33);
	world_wrong(&w, "r0 = *(u64*)(r1+24); exit", "out of bounds");
	world_wrong(&w, "*(u64*)(r1+0) = 0; exit", "read-only");
	arena_free(&w.a);
}

static void environment(void **state)
{
	struct world w;
	uint64_t first;

	(void)state;
	world_open(&w);
	w.in.now_ns = 123456789012;
	w.in.pid_tgid = 5ull << 32 | 7;
	w.in.uid_gid = 1000ull << 32 | 1001;
	w.in.cpu = 3;
	strcpy(w.in.comm, "a-long-process");
	w.in.random_state = 42;
	assert_int_equal(world_run(&w, "call ktime_get_ns; exit"), 123456789012);
	assert_int_equal(world_run(&w, "call get_current_pid_tgid; exit"), 5ull << 32 | 7);
	assert_int_equal(world_run(&w, "call get_current_uid_gid; exit"), 1000ull << 32 | 1001);
	assert_int_equal(world_run(&w, "call get_smp_processor_id; exit"), 3);
	assert_int_equal(world_run(&w, "r1 = r10; r1 += -8; r2 = 8; call get_current_comm\n"
				       "r0 = *(u64*)(r10-8); exit"),
		0x002d676e6f6c2d61); /* "a-long-" */
	first = world_run(&w, "call get_prandom_u32; exit");
	assert_true(first <= UINT32_MAX);
	assert_int_not_equal(world_run(&w, "call get_prandom_u32; exit"), first);
	w.in.random_state = 42;
	assert_int_equal(world_run(&w, "call get_prandom_u32; exit"), first);
	arena_free(&w.a);
}

static bool known_memory(void *arg, uint64_t addr, void *dst, uint32_t size)
{
	static const char text[] = "kernel string";

	(void)arg;
	if (addr < 0xffff888000000000 || addr + size > 0xffff888000000000 + sizeof(text))
		return false;
	memcpy(dst, text + (addr - 0xffff888000000000), size);
	return true;
}

#define READ(helper, size, from)                                                                   \
	"r1 = r10; r1 += -16; r2 = " size "; r3 = " from "; call " helper "\n"

static void probe_reads(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(
		world_run(&w, "*(u64*)(r10-8) = 5; *(u64*)(r10-16) = 7\n" READ("probe_read_kernel",
				      "8", "r10; r3 += -8") "r0 = *(u64*)(r10-16); exit"),
		5);
	assert_int_equal(
		world_run(&w, READ("probe_read_kernel", "8", "0x1234") "exit"), (uint64_t)-EFAULT);
	assert_int_equal(
		world_run(&w, READ("probe_read_user", "8", "0x1234") "r0 = *(u64*)(r10-16); exit"),
		0);
	w.in.read_mem = known_memory;
	assert_int_equal(
		world_run(&w, READ("probe_read_kernel_str", "16", "0xffff888000000000 ll") "exit"),
		14);
	assert_int_equal(
		world_run(&w, READ("probe_read_kernel_str", "4", "0xffff888000000000 ll") "exit"),
		4);
	assert_int_equal(
		world_run(&w, READ("probe_read_kernel_str", "4",
				      "0xffff888000000000 ll") "r0 = *(u32*)(r10-16); exit"),
		0x0072656b); /* "ker" */
	assert_int_equal(world_run(&w, READ("probe_read_str", "0", "0x1234") "exit"), 0);
	world_wrong(&w, READ("probe_read_kernel", "24", "0x1234") "exit", "out of bounds");
	arena_free(&w.a);
}

static void strict_stack(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_wrong(&w, "r0 = *(u64*)(r10-8); exit", "never written");
	world_wrong(&w, "*(u32*)(r10-8) = 0; r0 = *(u64*)(r10-8); exit", "never written");
	world_run(&w, "*(u64*)(r10-8) = 0; r0 = *(u64*)(r10-8); exit");
	world_wrong(&w, "r0 = *(u64*)(r10-8); exit", "never written"); /* not from the last run */
	world_wrong(&w,
		"call f; call g; exit; f: *(u64*)(r10-8) = 1; r0 = 0; exit\n"
		"g: r0 = *(u64*)(r10-8); exit",
		"never written");
	w.in.strict_stack = false;
	world_run(&w, "r0 = *(u64*)(r10-8); exit");
	arena_free(&w.a);
}

struct seen {
	unsigned n;
	uint8_t data[64];
	uint32_t size;
};

static void on_record(void *arg, const void *data, uint32_t size)
{
	struct seen *s = arg;

	s->n++;
	s->size = size;
	memcpy(s->data, data, size);
}

#define RESERVE(size) "r1 = map[0] ll; r2 = " size "; r3 = 0; call ringbuf_reserve\n"

static void ring_buffer(void **state)
{
	struct seen seen = {0};
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	w.in.on_record = on_record;
	w.in.arg = &seen;
	world_run(&w, RESERVE("16") "if r0 == 0 goto out; *(u64*)(r0+0) = 5; *(u64*)(r0+8) = 6\n"
				    "r1 = r0; r2 = 0; call ringbuf_submit; out: r0 = 0; exit");
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.size, 16);
	assert_int_equal(seen.data[8], 6);
	world_run(&w, RESERVE("16") "r1 = r0; r2 = 0; call ringbuf_discard; exit");
	assert_int_equal(seen.n, 1);
	world_run(&w, "*(u64*)(r10-8) = 9; r1 = map[0] ll; r2 = r10; r2 += -8; r3 = 8; r4 = 0\n"
		      "call ringbuf_output; exit");
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.data[0], 9);
	assert_int_equal(world_run(&w, RESERVE("4096") "exit"), 0); /* no room with its head */
	world_wrong(&w, RESERVE("16") "r0 = 0; exit", "not given back");
	world_wrong(&w, RESERVE("16") "*(u64*)(r0+16) = 1; exit", "out of bounds");
	world_wrong(&w,
		RESERVE("16") "r6 = r0; r1 = r0; r2 = 0; call ringbuf_submit\n"
			      "*(u64*)(r6+0) = 1; exit",
		"out of bounds");
	world_wrong(&w,
		RESERVE("16") "r6 = r0; r1 = r0; r2 = 0; call ringbuf_submit\n"
			      "r1 = r6; r2 = 0; call ringbuf_submit; exit",
		"no ring buffer record");
	arena_free(&w.a);
}

static void adjust_packet(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	for (int k = 0; k < 64; k++)
		w.packet[k] = (uint8_t)k;
	assert_int_equal(world_run(&w, "r2 = 14; call xdp_adjust_head; exit"), 0);
	assert_int_equal(w.in.packet_len, 50);
	assert_int_equal(w.packet[0], 14);
	assert_int_equal(
		world_run(&w, "r6 = r1; r2 = -20; call xdp_adjust_head; r1 = r6\n"
			      "r2 = *(u32*)(r1+0); r3 = 0; *(u64*)(r2+0) = r3; r0 = 0; exit"),
		0);
	assert_int_equal(w.in.packet_len, 70);
	assert_int_equal(w.packet[20], 14);
	assert_int_equal(world_run(&w, "r2 = -30; call xdp_adjust_tail; exit"), 0);
	assert_int_equal(w.in.packet_len, 40);
	assert_int_equal(world_run(&w, "r2 = 8; call xdp_adjust_tail; exit"), 0);
	assert_int_equal(w.packet[47], 0);
	assert_int_equal(world_run(&w, "r2 = 35; call xdp_adjust_head; exit"), (uint64_t)-EINVAL);
	assert_int_equal(world_run(&w, "r2 = -257; call xdp_adjust_head; exit"), (uint64_t)-EINVAL);
	world_wrong(&w, "r6 = *(u32*)(r1+0); r2 = 0; call xdp_adjust_head; r0 = *(u8*)(r6+0); exit",
		"out of bounds"); /* the old pointer is dead */
	world_wrong(&w, "r2 = 1000; call xdp_adjust_tail; exit", "more than its buffer has");
	arena_free(&w.a);
}

static void packet_helpers(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	w.packet[20] = 0xab;
	assert_int_equal(world_run(&w, "r2 = 20; r3 = r10; r3 += -8; r4 = 8; call xdp_load_bytes\n"
				       "r0 = *(u64*)(r10-8); exit"),
		0xab);
	assert_int_equal(world_run(&w, "r2 = 60; r3 = r10; r3 += -8; r4 = 8; call xdp_load_bytes\n"
				       "exit"),
		(uint64_t)-EINVAL);
	assert_int_equal(world_run(&w, "call xdp_get_buff_len; exit"), 64);
	assert_int_equal(world_run(&w, "r1 = 2; r2 = 0; call redirect; exit"), XDP_REDIRECT);
	assert_int_equal(world_run(&w, "r1 = 2; r2 = 1; call redirect; exit"), XDP_ABORTED);
	/* 0x0102 0x0304 against zero: the sum is 0x0406 in memory order */
	assert_int_equal(
		world_run(&w, "*(u32*)(r10-4) = 0x04030201; r1 = 0; r2 = 0; r3 = r10; r3 += -4\n"
			      "r4 = 4; r5 = 0; call csum_diff; exit"),
		0x0604);
	assert_int_equal(
		world_run(&w, "*(u32*)(r10-4) = 5; r1 = r10; r1 += -4; r2 = 4; r3 = r1; r4 = 4\n"
			      "r5 = 0; call csum_diff; exit"),
		0xffff);
	assert_int_equal(
		world_run(&w, "r1 = 0; r2 = 3; r3 = 0; r4 = 0; r5 = 0; call csum_diff; exit"),
		(uint64_t)-EINVAL);
	arena_free(&w.a);
}

static void loops_and_limits(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(
		world_run(&w, "*(u64*)(r10-8) = 0; r1 = 10; r2 = func f ll; r3 = r10; r3 += -8\n"
			      "r4 = 0; call loop; r1 = *(u64*)(r10-8); r0 += r1; exit\n"
			      "f: r3 = *(u64*)(r2+0); r3 += r1; *(u64*)(r2+0) = r3; r0 = 0; exit"),
		55);
	assert_int_equal(world_run(&w, "r1 = 10; r2 = func f ll; r3 = 0; r4 = 0; call loop; exit\n"
				       "f: r0 = 0; if r1 != 3 goto out; r0 = 1; out: exit"),
		4);
	w.in.max_steps = 1000;
	world_wrong(&w, "again: goto again", "still running after 1000 steps");
	assert_int_equal(w.in.error_at, 0);
	world_wrong(&w, "r0 = 0\ncall kfunc 5\nexit", "kernel functions");
	assert_int_equal(w.in.error_at, 1);
	world_wrong(&w, "call 100000; exit", "cannot be called here");
	world_wrong(&w, "call override_return; exit", "helper 58 (override_return)");
	arena_free(&w.a);
}

/* A program in the same buffer, changed, is another program. */
static void changed_in_place(void **state)
{
	struct world w;
	uint64_t r0;

	(void)state;
	world_open(&w);
	assert_int_equal(world_run(&w, "r0 = 1; exit"), 1);
	w.code.insns.v[0].imm = 2;
	assert_true(interp_run(&w.in, &r0));
	assert_int_equal(r0, 2);
	w.code.insns.v[0].code = 0xef;
	assert_false(interp_run(&w.in, &r0));
	w.code.insns.v[0] = isa_insn(ISA_MOV64_RI, 0, 0, 0, 3);
	assert_true(interp_run(&w.in, &r0));
	assert_int_equal(r0, 3);
	arena_free(&w.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xdp_packet),
		cmocka_unit_test(skb_context),
		cmocka_unit_test(plain_context),
		cmocka_unit_test(environment),
		cmocka_unit_test(probe_reads),
		cmocka_unit_test(strict_stack),
		cmocka_unit_test(ring_buffer),
		cmocka_unit_test(adjust_packet),
		cmocka_unit_test(packet_helpers),
		cmocka_unit_test(loops_and_limits),
		cmocka_unit_test(changed_in_place),
	};

	return cmocka_run_group_tests_name("back/interp", tests, NULL, NULL);
}
