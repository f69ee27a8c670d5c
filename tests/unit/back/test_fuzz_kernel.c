/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The harness that compares kernel and interpreter: the same program with the same packet must give
 * the same verdict, packet, maps and records in both; a difference must be seen.
 */
#include "tests/unit/back/interp_world.h"
#include "tests/fuzz/kernel.c"

struct records {
	struct buf all;
	unsigned n;
};

static void take(void *arg, const void *data, uint32_t size)
{
	struct records *r = arg;

	buf_put(&r->all, data, size);
	r->n++;
}

static void fill(uint8_t *packet)
{
	memset(packet, 0, sizeof(((struct world *)NULL)->packet));
	for (int k = 12; k < 64; k++)
		packet[k] = (uint8_t)(k * 7);
	packet[12] = 0x08;
	packet[13] = 0x00;
}

/* Runs text twice on both sides; 0 when all agrees, else *why. */
static int both(struct world *w, const char *text, struct buf *why)
{
	struct kernel_prog k = {.a = &w->a, .meta = &w->meta, .type = w->in.prog_type};
	struct records ours = {0}, theirs = {0};
	uint8_t packet[sizeof(w->packet)];
	uint32_t ring = meta_role_map(&w->meta, MM_RING);
	uint32_t retval = 0, size = 0;
	int err;

	buf_init(&ours.all, &w->a);
	buf_init(&theirs.all, &w->a);
	w->in.on_record = take;
	w->in.arg = &ours;
	world_code(w, text);
	interp_init(&w->in);
	err = kernel_load(&k, w->in.insn, w->in.n);
	if (err) {
		buf_puts(why, k.log);
		kernel_close(&k);
		return err;
	}
	for (int round = 0; round < 2; round++) {
		uint64_t r0 = 0;

		fill(packet);
		fill(w->packet);
		size = w->in.packet_len = 64;
		err = kernel_run(&k, packet, &size, sizeof(packet), &retval);
		if (err)
			buf_printf(why, "test run: %s\n", strerror(-err));
		if (!interp_run(&w->in, &r0))
			buf_printf(why, "interpreter, %u: %s\n", w->in.error_at, w->in.error);
		if ((uint32_t)r0 != retval)
			buf_printf(
				why, "result: kernel %u, interpreter %u\n", retval, (uint32_t)r0);
		if (size != w->in.packet_len || memcmp(packet, w->packet, size))
			buf_printf(why, "packet: kernel %u bytes, interpreter %u\n", size,
				w->in.packet_len);
	}
	kernel_same_maps(&k, &w->in, why);
	if (ring != META_NONE &&
		(kernel_records(&k, ring, take, &theirs) != (int)ours.n ||
			ours.all.n != theirs.all.n ||
			(ours.all.n && memcmp(ours.all.p, theirs.all.p, ours.all.n))))
		buf_printf(why, "records: kernel %u, interpreter %u\n", theirs.n, ours.n);
	kernel_close(&k);
	return why->n ? -1 : 0;
}

static void all_maps(struct world *w)
{
	world_map(w, BPF_MAP_TYPE_HASH, 4, 8, 16, 0);
	world_map(w, BPF_MAP_TYPE_ARRAY, 4, 16, 4, 0);
	world_map(w, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 2, 0);
	world_map(w, BPF_MAP_TYPE_PERCPU_HASH, 4, 12, 16, 0);
	world_map(w, BPF_MAP_TYPE_LRU_HASH, 4, 8, 16, 0);
	world_map(w, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 16, BPF_F_NO_PREALLOC);
	w->meta.maps.v[world_map(w, BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0)].role = MM_RING;
	world_map(w, BPF_MAP_TYPE_ARRAY, 4, 24, 1, 0);
}

/* key in r10-4, value in r10-24; map n */
#define LOOKUP(n) "r1 = map[" n "] ll; r2 = r10; r2 += -4; call map_lookup_elem\n"
#define STORE(n, key, value)                                                                       \
	"*(u64*)(r10-24) = " value "; *(u64*)(r10-16) = 1; *(u32*)(r10-4) = " key "; r4 = 0\n"     \
	"r1 = map[" n "] ll; r2 = r10; r2 += -4; r3 = r10; r3 += -24; call map_update_elem\n"
#define PKT(n) "r7 = *(u32*)(r1+0); r8 = *(u32*)(r1+4); r2 = r7; r2 += " n "; if r2 > r8 goto out\n"
#define END "out: r0 = 2; exit\n"

static const struct {
	const char *name;
	uint32_t type;
	const char *text;
} programs[] = {
	{"hash_count", BPF_PROG_TYPE_XDP,
		"*(u32*)(r10-4) = 9\n" LOOKUP(
			"0") "if r0 == 0 goto add; r1 = 1\n"
			     "lock *(u64*)(r0+0) += r1; goto out; add: " STORE("0", "9", "1") END},
	{"update_old_pointer", BPF_PROG_TYPE_XDP,
		STORE("0", "9", "5") LOOKUP("0") "if r0 == 0 goto out; r6 = r0\n" STORE(
			"0", "9", "6") "r1 = 7; lock *(u64*)(r6+0) += r1\n" END},
	{"delete", BPF_PROG_TYPE_XDP,
		STORE("0", "1", "5")
			STORE("0", "2", "5") "*(u32*)(r10-4) = 1; r1 = map[0] ll\n"
					     "r2 = r10; r2 += -4; call map_delete_elem; exit"},
	{"array_value", BPF_PROG_TYPE_XDP,
		"r1 = map[7]+8 ll; r2 = 3; lock *(u64*)(r1+0) += r2\n" STORE(
			"1", "3", "77") "exit"},
	{"array_past_end", BPF_PROG_TYPE_XDP, STORE("1", "4", "77") "exit"},
	{"percpu", BPF_PROG_TYPE_XDP,
		"*(u32*)(r10-4) = 1\n" LOOKUP("2") "if r0 == 0 goto out; r1 = *(u64*)(r0+0)\n"
						   "r1 += 5; *(u64*)(r0+0) = r1\n" STORE(
							   "3", "8", "1") END},
	{"lru", BPF_PROG_TYPE_XDP,
		STORE("4", "1", "1") STORE("4", "2", "2") STORE("4", "1", "3") END},
	{"lpm", BPF_PROG_TYPE_XDP,
		"*(u32*)(r10-8) = 8; *(u32*)(r10-4) = 0x0101010a; *(u64*)(r10-16) = 44\n"
		"r1 = map[5] ll; r2 = r10; r2 += -8; r3 = r10; r3 += -16; r4 = 0\n"
		"call map_update_elem; *(u32*)(r10-8) = 32; *(u32*)(r10-4) = 0x0909090a\n"
		"r1 = map[5] ll; r2 = r10; r2 += -8; call map_lookup_elem; if r0 == 0 goto out\n"
		"r0 = *(u64*)(r0+0); exit\n" END},
	{"ring", BPF_PROG_TYPE_XDP,
		"r1 = map[6] ll; r2 = 16; r3 = 0; call ringbuf_reserve; if r0 == 0 goto out\n"
		"*(u64*)(r0+0) = 5; *(u64*)(r0+8) = -1; r1 = r0; r2 = 0; call ringbuf_submit\n"
		"*(u64*)(r10-8) = 3; r1 = map[6] ll; r2 = r10; r2 += -8; r3 = 5; r4 = 0\n"
		"call ringbuf_output\n" END},
	{"packet_write", BPF_PROG_TYPE_XDP,
		PKT("20") "r0 = *(u8*)(r7+15); r0 &= 3; r7 += r0; r2 = r7; r2 += 17\n"
			  "if r2 > r8 goto out; *(u8*)(r7+16) = 99; r0 = 1; exit\n" END},
	{"head_tail", BPF_PROG_TYPE_XDP,
		"r6 = r1; r2 = -8; call xdp_adjust_head; r1 = r6; r2 = 9; call xdp_adjust_tail\n"
		"r1 = r6\n" PKT("8") "*(u64*)(r7+0) = 0x55; r0 = 3; exit\n" END},
	{"tail_too_far", BPF_PROG_TYPE_XDP, "r2 = 3457; call xdp_adjust_tail; exit"},
	{"tail_short", BPF_PROG_TYPE_XDP, "r2 = -50; call xdp_adjust_tail; exit"},
	{"tail_too_short", BPF_PROG_TYPE_XDP, "r2 = -51; call xdp_adjust_tail; exit"},
	{"head_room", BPF_PROG_TYPE_XDP, "r2 = -216; call xdp_adjust_head; exit"},
	{"head_no_room", BPF_PROG_TYPE_XDP, "r2 = -217; call xdp_adjust_head; exit"},
	{"load_bytes", BPF_PROG_TYPE_XDP,
		"r2 = 30; r3 = r10; r3 += -8; r4 = 8; call xdp_load_bytes; r0 = *(u32*)(r10-8); "
		"exit"},
	{"csum_diff", BPF_PROG_TYPE_SCHED_CLS,
		"*(u64*)(r10-8) = 0x12345678; *(u64*)(r10-16) = 0x2bcdef01; r1 = r10; r1 += -8\n"
		"r2 = 8; r3 = r10; r3 += -16; r4 = 8; r5 = 77; call csum_diff; exit"},
	{"csum_diff_one_side", BPF_PROG_TYPE_SCHED_CLS,
		"*(u64*)(r10-8) = -2; r1 = 0; r2 = 0; r3 = r10; r3 += -8; r4 = 8; r5 = 1\n"
		"call csum_diff; exit"},
	{"xdp_interface", BPF_PROG_TYPE_XDP, "r0 = *(u32*)(r1+12); exit"},
	{"skb_len", BPF_PROG_TYPE_SCHED_CLS, "r0 = *(u32*)(r1+0); exit"},
	{"skb_type", BPF_PROG_TYPE_SCHED_CLS, "r0 = *(u32*)(r1+4); exit"},
	{"skb_protocol", BPF_PROG_TYPE_SCHED_CLS, "r0 = *(u32*)(r1+16); exit"},
	{"skb_ifindex", BPF_PROG_TYPE_SCHED_CLS, "r0 = *(u32*)(r1+40); exit"},
	{"skb_ingress", BPF_PROG_TYPE_SCHED_CLS, "r0 = *(u32*)(r1+36); exit"},
	{"skb_mark", BPF_PROG_TYPE_SCHED_CLS,
		"*(u32*)(r1+8) = 0x1234; *(u32*)(r1+52) = 1; r0 = *(u16*)(r1+8); exit"},
	{"skb_packet", BPF_PROG_TYPE_SCHED_CLS,
		"r7 = *(u32*)(r1+76); r8 = *(u32*)(r1+80); r2 = r7; r2 += 14; if r2 > r8 goto out\n"
		"*(u8*)(r7+0) = 5; r0 = *(u16*)(r7+12); exit\n" END},
	{"skb_load_bytes", BPF_PROG_TYPE_SCHED_CLS,
		"r2 = 60; r3 = r10; r3 += -8; r4 = 8; call skb_load_bytes; r1 = *(u64*)(r10-8)\n"
		"r0 += r1; exit"},
	{"redirect", BPF_PROG_TYPE_SCHED_CLS, "r1 = 1; r2 = 2; call redirect; exit"},
	/* sum of keys and values, in a frame; the entry 2 is deleted on the way, or was before */
	{"for_each", BPF_PROG_TYPE_XDP,
		STORE("0", "1", "10") STORE("0", "2", "20") STORE("0", "3", "30")
		"*(u64*)(r10-40) = 0; *(u64*)(r10-32) = 5; r1 = map[0] ll; r2 = func f ll\n"
		"r3 = r10; r3 += -40; r4 = 0; call for_each_map_elem; r6 = r0\n"
		"r0 = *(u64*)(r10-40); r0 += r6; exit\n"
		"f: r5 = *(u32*)(r2+0); r0 = *(u64*)(r3+0); r5 += r0; r0 = *(u64*)(r4+0); r5 += r0\n"
		"*(u64*)(r4+0) = r5; r0 = *(u64*)(r4+8); *(u64*)(r3+0) = r0; r0 = 0; exit"},
	{"for_each_delete", BPF_PROG_TYPE_XDP,
		STORE("0", "1", "10") STORE("0", "2", "20")
		"*(u64*)(r10-40) = 0; r1 = map[0] ll; r2 = func f ll\n"
		"r3 = r10; r3 += -40; r4 = 0; call for_each_map_elem; r0 = *(u64*)(r10-40); exit\n"
		"f: r6 = r4; call map_delete_elem; r1 = *(u64*)(r6+0); r1 += 1\n"
		"*(u64*)(r6+0) = r1; r0 = 0; exit"},
	{"for_each_array_stop", BPF_PROG_TYPE_XDP,
		"r1 = map[1] ll; r2 = func f ll; r3 = 0; r4 = 0; call for_each_map_elem; exit\n"
		"f: r0 = 0; r1 = *(u32*)(r2+0); if r1 != 2 goto l; r0 = 1; l: exit"},
	{"for_each_percpu", BPF_PROG_TYPE_XDP,
		STORE("3", "8", "77") "r1 = map[3] ll; r2 = func f ll; r3 = r10; r3 += -40\n"
		"*(u64*)(r10-40) = 0; r4 = 0; call for_each_map_elem; r0 = *(u64*)(r10-40); exit\n"
		"f: r0 = *(u64*)(r3+0); *(u64*)(r4+0) = r0; r0 = 0; exit"},
	{"clobbered_halves", BPF_PROG_TYPE_XDP,
		"r0 = -1 ll; r6 = *(u32*)(r1+12); w0 += w6; w0 >>= 1; exit"},
};

static void agree(void **state)
{
	const char *no;
	int failed = 0;

	(void)state;
	if (!kernel_allowed(BPF_PROG_TYPE_XDP, &no)) {
		print_message("programs may not be loaded: %s\n", no);
		skip();
	}
	for (size_t k = 0; k < sizeof(programs) / sizeof(programs[0]); k++) {
		struct world w;
		struct buf why;

		world_open(&w);
		all_maps(&w);
		buf_init(&why, &w.a);
		w.in.prog_type = programs[k].type;
		if (both(&w, programs[k].text, &why)) {
			print_message("%s: %s\n", programs[k].name, why.p);
			failed++;
		}
		arena_free(&w.a);
	}
	assert_int_equal(failed, 0);
}

/* Random numbers differ between the two, so they must be seen to. */
static void differ(void **state)
{
	struct world w;
	struct buf why;
	const char *no;

	(void)state;
	if (!kernel_allowed(BPF_PROG_TYPE_XDP, &no))
		skip();
	world_open(&w);
	all_maps(&w);
	buf_init(&why, &w.a);
	both(&w,
		"call get_prandom_u32; r0 |= 1; r6 = r0\n" STORE("0", "9", "1")
			LOOKUP("0") "if r0 == 0 goto out; *(u64*)(r0+0) = r6; out: r0 = r6; exit",
		&why);
	assert_non_null(strstr(why.p, "result: kernel"));
	assert_non_null(strstr(why.p, "map m0 [09000000]: kernel"));
	arena_free(&w.a);
}

static void refused(void **state)
{
	struct world w;
	struct kernel_prog k;
	const char *no;

	(void)state;
	if (!kernel_allowed(BPF_PROG_TYPE_XDP, &no))
		skip();
	world_open(&w);
	world_code(&w, "r0 = *(u64*)(r1+4096); exit");
	k = (struct kernel_prog){.a = &w.a, .meta = &w.meta, .type = BPF_PROG_TYPE_XDP};
	assert_true(kernel_load(&k, w.in.insn, w.in.n) < 0);
	assert_true(k.judged);
	assert_non_null(strstr(k.log, "invalid bpf_context access"));
	kernel_close(&k);
	world_code(&w, "r1 = map[3] ll; r0 = 0; exit");
	assert_true(kernel_load(&k, w.in.insn, w.in.n) < 0);
	assert_false(k.judged);
	kernel_close(&k);
	world_map(&w, 9999, 4, 8, 1, 0);
	assert_true(kernel_load(&k, w.in.insn, w.in.n) < 0);
	assert_non_null(strstr(k.log, "map m0"));
	kernel_close(&k);
	arena_free(&w.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agree),
		cmocka_unit_test(differ),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("back/fuzz_kernel", tests, NULL, NULL);
}
