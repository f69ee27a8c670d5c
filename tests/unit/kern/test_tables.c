/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The .def files: order, uniqueness, and agreement with the installed kernel headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kern/kern.h"
#include <linux/bpf.h>
#include <string.h>

/* ---- helpers ---- */

static const char *const uapi_helpers[] = {
#define FN(x) #x
	__BPF_FUNC_MAPPER(FN)
#undef FN
};
#define UAPI_COUNT (sizeof(uapi_helpers) / sizeof(uapi_helpers[0]))

static void helper_numbers(void **state)
{
	const struct kern_helper *h, *last = NULL;
	unsigned known = 0;

	(void)state;
	for (unsigned i = 0; (h = kern_helper_at(i)); last = h, i++) {
		assert_true(!last || last->id < h->id);
		assert_ptr_equal(kern_helper_by_id(h->id), h);
		assert_ptr_equal(kern_helper_by_name(h->name), h);
		assert_true(h->since >= KV(3, 19));
		if (h->id < UAPI_COUNT) {
			assert_string_equal(h->name, uapi_helpers[h->id]);
			known++;
		}
	}
	assert_true(known > 100);
	assert_null(kern_helper_by_id(0));
	assert_null(kern_helper_by_name("no_such_helper"));
}

/* What ir/check.c relies on: sizes follow memory, keys and values follow a map, effects fit. */
static void helper_shapes(void **state)
{
	const struct kern_helper *h;

	(void)state;
	for (unsigned i = 0; (h = kern_helper_at(i)); i++) {
		bool map = false;

		for (int k = 0; k < 5; k++) {
			enum kern_arg arg = h->arg[k], next = k < 4 ? h->arg[k + 1] : KA_NONE;
			bool memory = arg == KA_MEM_R || arg == KA_MEM_W;

			map |= arg == KA_MAP;
			if (memory && next != KA_SIZE && next != KA_SIZE0)
				fail_msg("%s: memory without size", h->name);
			if ((arg == KA_KEY || arg == KA_VALUE || arg == KA_VALUE0) && !map)
				fail_msg("%s: key or value before the map", h->name);
			if (arg == KA_NONE && next != KA_NONE)
				fail_msg("%s: gap in the arguments", h->name);
			if ((arg == KA_MEM_W || arg == KA_VALUE_W || arg == KA_LONG) &&
				(h->effects & (KE_PURE | KE_READ)))
				fail_msg("%s: fills memory, may not be dropped", h->name);
		}
		if (h->ret == KR_MAPV || h->ret == KR_RECORD)
			assert_true(h->effects & KE_NULLABLE);
		assert_false((h->effects & KE_PURE) && (h->effects & KE_READ));
	}
}

/* ---- contexts ---- */

#define SAME(ctx, st, field)                                                                       \
	do {                                                                                       \
		const struct kern_ctx_field *f_ = kern_ctx_field(ctx, #field);                     \
		assert_non_null(f_);                                                               \
		assert_int_equal(f_->off, offsetof(struct st, field));                             \
		assert_int_equal(f_->size, sizeof(((struct st *)0)->field));                       \
		assert_ptr_equal(kern_ctx_field_at(ctx, f_->off, f_->size), f_);                   \
	} while (0)

static void context_offsets(void **state)
{
	(void)state;
	SAME(CTX_XDP_MD, xdp_md, data);
	SAME(CTX_XDP_MD, xdp_md, data_end);
	SAME(CTX_XDP_MD, xdp_md, data_meta);
	SAME(CTX_XDP_MD, xdp_md, ingress_ifindex);
	SAME(CTX_XDP_MD, xdp_md, rx_queue_index);
	SAME(CTX_XDP_MD, xdp_md, egress_ifindex);
	SAME(CTX_SK_BUFF, __sk_buff, len);
	SAME(CTX_SK_BUFF, __sk_buff, pkt_type);
	SAME(CTX_SK_BUFF, __sk_buff, mark);
	SAME(CTX_SK_BUFF, __sk_buff, queue_mapping);
	SAME(CTX_SK_BUFF, __sk_buff, protocol);
	SAME(CTX_SK_BUFF, __sk_buff, vlan_present);
	SAME(CTX_SK_BUFF, __sk_buff, vlan_tci);
	SAME(CTX_SK_BUFF, __sk_buff, vlan_proto);
	SAME(CTX_SK_BUFF, __sk_buff, priority);
	SAME(CTX_SK_BUFF, __sk_buff, ingress_ifindex);
	SAME(CTX_SK_BUFF, __sk_buff, ifindex);
	SAME(CTX_SK_BUFF, __sk_buff, tc_index);
	SAME(CTX_SK_BUFF, __sk_buff, hash);
	SAME(CTX_SK_BUFF, __sk_buff, tc_classid);
	SAME(CTX_SK_BUFF, __sk_buff, data);
	SAME(CTX_SK_BUFF, __sk_buff, data_end);
	SAME(CTX_SK_BUFF, __sk_buff, napi_id);
	SAME(CTX_SK_BUFF, __sk_buff, data_meta);
	SAME(CTX_SK_BUFF, __sk_buff, tstamp);
	SAME(CTX_SK_BUFF, __sk_buff, wire_len);
	SAME(CTX_SK_BUFF, __sk_buff, gso_segs);
	SAME(CTX_SK_BUFF, __sk_buff, gso_size);
	assert_null(kern_ctx_field(CTX_PT_REGS, "data"));
}

static void context_names(void **state)
{
	(void)state;
	for (int c = 0; c < CTX_COUNT; c++)
		assert_int_equal(kern_ctx_by_name(kern_ctx_name((enum kern_ctx)c)), c);
	assert_int_equal(kern_ctx_by_name("nothing"), -1);
	assert_int_equal(kern_ctx_prog_type(CTX_XDP_MD), BPF_PROG_TYPE_XDP);
}

/* ---- probes ---- */

static void probe_names(void **state)
{
	(void)state;
	for (int k = 0; k < PROBE_COUNT; k++)
		assert_int_equal(kern_probe_by_name(kern_probe((enum kern_probe_kind)k)->name), k);
	assert_int_equal(kern_probe_by_name("k"), PROBE_KPROBE);
	assert_int_equal(kern_probe_by_name("kr"), PROBE_KRETPROBE);
	assert_int_equal(kern_probe_by_name("t"), PROBE_TRACEPOINT);
	assert_int_equal(kern_probe_by_name("i"), PROBE_INTERVAL);
	assert_int_equal(kern_probe_by_name("begin"), PROBE_BEGIN);
	assert_int_equal(kern_probe_by_name(""), -1);
	assert_int_equal(kern_probe_by_name("kp"), -1);
	assert_int_equal(kern_probe_by_name("k kr"), -1);
}

/* ---- packet fields ---- */

static void net_rows(void **state)
{
	const struct net_field *f;

	(void)state;
	for (unsigned i = 0; (f = net_field_at(i)); i++) {
		const struct net_layer_row *l = net_layer_row(f->layer);
		size_t n = strlen(l->name);

		assert_ptr_equal(net_field_by_name(f->name), f);
		assert_memory_equal(f->name, l->name, n);
		assert_true(f->name[n] == '.' || !f->name[n]);
		if (f->kind == NK_SPECIAL)
			continue;
		if (f->kind == NK_OPTION || f->kind == NK_HAS_OPTION) {
			assert_int_equal(f->layer, NET_TCP);
			continue;
		}
		if (f->off + f->width > l->bytes)
			fail_msg("%s lies outside its header", f->name);
		assert_true(f->width == 1 || f->width == 2 || f->width == 4 || f->width == 6 ||
			    f->width == 16);
		assert_true(f->shift + f->bits <= f->width * 8);
		assert_true(f->bits || !f->shift);
		assert_true(f->kind != NK_FLAG || f->bits == 1);
		assert_true(f->kind != NK_MAC || f->width == 6);
		assert_true(f->kind != NK_INET4 || f->width == 4);
		assert_true(f->kind != NK_INET6 || f->width == 16);
	}
	for (int l = 0; l < NET_COUNT; l++)
		assert_int_equal(net_layer_by_name(net_layer_row((enum net_layer)l)->name), l);
	assert_int_equal(net_field_by_name("tcp.dport")->off, 2);
	assert_null(net_field_by_name("tcp.dprt"));
}

/* ---- kfuncs and sched_ext ---- */

static void kfunc_rows(void **state)
{
	const struct kern_kfunc *k, *last = NULL;

	(void)state;
	for (unsigned i = 0; (k = kern_kfunc_at(i)); last = k, i++) {
		if (last && strcmp(last->name, k->name) >= 0)
			fail_msg("%s stands in the wrong place", k->name);
		assert_int_equal(kfunc_effects(k->name), k->effects);
	}
	assert_int_equal(kfunc_effects("nothing"), 0);
	assert_int_equal(kfunc_effects("bpf_task_acquire"), KE_ACQUIRE | KE_NULLABLE);
	assert_int_equal(kfunc_effects("scx_bpf_create_dsq"), KE_SLEEP);
}

static void scx_rows(void **state)
{
	const struct scx_alias *al;
	const struct scx_op *op;

	(void)state;
	for (unsigned i = 0; (op = scx_op_at(i)); i++) {
		assert_ptr_equal(scx_op_by_name(op->name), op);
		assert_true(op->allowed & SCX_ANY && op->allowed & SCX_IDLE);
	}
	for (unsigned i = 0; (al = scx_alias_at(i)); i++) {
		assert_ptr_equal(scx_alias_by_name(al->name), al);
		for (int k = 0; k < 4 && al->kfunc[k]; k++) {
			assert_ptr_equal(scx_alias_by_name(al->kfunc[k]), al);
			assert_int_equal(scx_kfunc_set(al->kfunc[k]), al->set);
		}
	}
	assert_string_equal(scx_alias_by_name("dsq_insert")->kfunc[0], "scx_bpf_dsq_insert");
	assert_string_equal(scx_alias_by_name("dsq_insert")->kfunc[1], "scx_bpf_dispatch");
}

static bool may(const char *op, const char *kfunc, uint32_t version)
{
	return scx_may_call(scx_op_by_name(op), kfunc, version);
}

static void scx_calls(void **state)
{
	(void)state;
	assert_true(may("dispatch", "scx_bpf_dsq_move_to_local", 0));
	assert_false(may("enqueue", "scx_bpf_dsq_move_to_local", 0));
	assert_true(may("enqueue", "scx_bpf_dsq_insert_vtime", 0));
	assert_true(may("select_cpu", "scx_bpf_dispatch", KV(6, 12)));
	assert_false(may("running", "scx_bpf_dsq_insert", 0));
	assert_true(may("running", "scx_bpf_kick_cpu", 0));
	assert_true(may("init", "scx_bpf_create_dsq", 0));
	assert_false(may("enqueue", "scx_bpf_create_dsq", 0));
	assert_true(may("enqueue", "scx_bpf_select_cpu_dfl", KV(7, 3)));
	assert_false(may("enqueue", "scx_bpf_select_cpu_dfl", KV(6, 12)));
	assert_true(may("select_cpu", "scx_bpf_select_cpu_dfl", KV(6, 12)));
	assert_false(may("dump", "scx_bpf_create_dsq", 0));
	assert_false(may("tick", "scx_bpf_dump_bstr", 0));
	assert_true(may("dump_task", "scx_bpf_dump_bstr", 0));
	assert_false(may("tick", "bpf_copy_from_user_str", 0));
	assert_true(may("init", "bpf_copy_from_user_str", 0));
	assert_true(may("tick", "bpf_rcu_read_lock", 0));
}

/* Operations and kfuncs of the mini kernels, which hold those of the real ones. */
struct op_search {
	unsigned missing;
	char name[64];
	struct kbtf *b;
};

static bool op_known(const struct kbtf_member *m, void *arg)
{
	struct op_search *s = arg;
	struct kbtf_info info = kbtf_describe(s->b, m->type);

	if (info.class == KBTF_PTR && kbtf_describe(s->b, info.target).class == KBTF_FUNC &&
		!scx_op_by_name(m->name)) {
		s->missing++;
		strncpy(s->name, m->name, sizeof(s->name) - 1);
	}
	return true;
}

static void kfunc_known(const char *name, void *arg)
{
	(void)arg;
	if (strstr(name, "scx_") && !scx_kfunc_set(name))
		fail_msg("kfunc %s has no set in scx.def", name);
}

static void scx_tables_are_whole(void **state)
{
	static const char *const files[] = {"mini.btf", "mini-7.2.btf", "mini-6.12-scx.btf"};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (int i = 0; i < 3; i++) {
		const char *why = NULL;
		struct kbtf *b =
			kbtf_open(&a, arena_printf(&a, "tests/targets/%s", files[i]), &why);
		struct op_search s = {.b = b};

		if (!b)
			fail_msg("%s", why);
		kbtf_each_member(b, kbtf_find_struct(b, "sched_ext_ops"), op_known, &s);
		if (s.missing)
			fail_msg("%s: operation %s has no row", files[i], s.name);
		kbtf_each_func(b, kfunc_known, NULL);
		kbtf_close(b);
	}
	arena_free(&a);
}

/* Whether an operation returns something, as its prototype says. */
static void scx_returns(void **state)
{
	struct arena a;
	const char *why = NULL;
	const struct scx_op *op;
	struct kbtf *b;
	uint32_t ops;

	(void)state;
	arena_init(&a, NULL);
	b = kbtf_open(&a, "tests/targets/mini.btf", &why);
	assert_non_null(b);
	ops = kbtf_find_struct(b, "sched_ext_ops");
	for (unsigned i = 0; (op = scx_op_at(i)); i++) {
		struct kbtf_member m;

		if (!kbtf_find_member(b, ops, op->name, &m))
			fail_msg("no operation %s", op->name);
		if (op->may_return != !!kbtf_return(b, kbtf_describe(b, m.type).target))
			fail_msg("%s: may_return is wrong", op->name);
	}
	kbtf_close(b);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(helper_numbers),
		cmocka_unit_test(helper_shapes),
		cmocka_unit_test(context_offsets),
		cmocka_unit_test(context_names),
		cmocka_unit_test(probe_names),
		cmocka_unit_test(net_rows),
		cmocka_unit_test(kfunc_rows),
		cmocka_unit_test(scx_rows),
		cmocka_unit_test(scx_calls),
		cmocka_unit_test(scx_tables_are_whole),
		cmocka_unit_test(scx_returns),
	};

	return cmocka_run_group_tests_name("kern/tables", tests, NULL, NULL);
}
