/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Schedulers: the table of operations, and why the kernel ended one. */
#include "lang/lower.h"
#include <linux/bpf.h>
#include <string.h>

#define EXIT_REASON_OFF 16
#define EXIT_REASON_LEN 128
#define EXIT_MSG_OFF (EXIT_REASON_OFF + EXIT_REASON_LEN)
#define EXIT_MSG_LEN 1024
#define EXIT_DUMP_OFF (EXIT_MSG_OFF + EXIT_MSG_LEN)
#define EXIT_DUMP_LEN 32768 /* SCX_EXIT_DUMP_DFL_LEN, what the kernel keeps unless told otherwise */

/* ---- why it ended ---- */

static ir_val exit_field(struct lower *L, ir_val ei, const char *name)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t id = kbtf_find_struct(btf, "scx_exit_info");
	struct kbtf_member mem;
	struct ir_field f = {.root = "scx_exit_info", .path = name, .type = IR_I64};

	if (!kbtf_find_member(btf, id, name, &mem))
		return ir_const(L->f, 0);
	f.off = mem.bit_off / 8;
	f.size = kbtf_size(btf, mem.type);
	return ir_ldf(L->f, ei, ir_add_field(L->m, f));
}

static void exit_text(struct lower *L, ir_val ei, const char *name, ir_val info, uint32_t off,
	uint32_t size)
{
	ir_val args[3], addr = exit_field(L, ei, name);

	args[0] = ir_off(L->f, info, off);
	args[1] = ir_const(L->f, size);
	args[2] = addr;
	ir_call(L->f, "probe_read_kernel_str", IR_VOID, 3, args);
}

/* At the head of the exit operation: kind, code, reason, message, dump into a map for user space. */
void lo_scx_exit_info(struct lower *L)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t id = kbtf_find_struct(btf, "scx_exit_info");
	uint32_t dump = L->s->config.sched_exit_dump_len ? L->s->config.sched_exit_dump_len : EXIT_DUMP_LEN;
	uint32_t map = lo_add_map(L, (struct meta_map){.name = "exit", .kname = "skep_exit",
						.role = MM_EXIT_INFO, .type = BPF_MAP_TYPE_ARRAY,
						.key_size = 4, .max_entries = 1,
						.value_size = EXIT_DUMP_OFF + ((dump + 7) & ~7u),
						.present_off = META_NONE});
	ir_val ei, info, v;

	if (!id)
		return;
	ei = ir_ldctx(L->f, 8, 0, ir_btf_type(L->m, "scx_exit_info", id, 0));
	info = ir_gaddr(L->f, map, 0);
	v = exit_field(L, ei, "exit_code");
	ir_st(L->f, 8, info, 8, v);
	exit_text(L, ei, "reason", info, EXIT_REASON_OFF, EXIT_REASON_LEN);
	exit_text(L, ei, "msg", info, EXIT_MSG_OFF, EXIT_MSG_LEN);
	exit_text(L, ei, "dump", info, EXIT_DUMP_OFF, dump);
	/* last: whoever sees it not zero finds the rest */
	v = exit_field(L, ei, "kind");
	ir_st(L->f, 8, info, 0, v);
}

/* ---- when a task appears ---- */

bool lo_scx_task_maps(const struct lower *L)
{
	for (uint32_t i = 0; i < L->m->meta->maps.n; i++) {
		if (L->m->meta->maps.v[i].role == MM_TASK)
			return true;
	}
	return false;
}

/*
 * At the head of init_task, which may sleep: makes the values kept per task. Later, with locks held,
 * the kernel may not always find memory for them.
 */
void lo_scx_init_task(struct lower *L)
{
	uint32_t id = kbtf_find_struct(L->m->target->btf, "task_struct");
	ir_val args[4];

	for (uint32_t i = 0; i < L->m->meta->maps.n; i++) {
		if (L->m->meta->maps.v[i].role != MM_TASK)
			continue;
		args[0] = ir_map(L->f, i);
		args[1] = ir_ldctx(L->f, 8, 0, ir_btf_type(L->m, "task_struct", id, 0));
		args[2] = ir_const(L->f, 0);
		args[3] = ir_const(L->f, BPF_LOCAL_STORAGE_GET_F_CREATE);
		ir_call(L->f, "task_storage_get", IR_VOID, 4, args);
	}
}

/* ---- timers ---- */

#define TIMER_SIZE 16 /* struct bpf_timer */
#define CLOCK_MONO 1 /* CLOCK_MONOTONIC */

struct lo_timer lo_timer_new(struct lower *L, const struct attach_point *ap)
{
	struct lo_timer t = {.ns = ap->num[0]};

	/* objects know maps by their name */
	t.map = lo_add_map(L, (struct meta_map){.name = "timer",
					.kname = arena_printf(L->a, "skep_timer%u", L->prog),
					.role = MM_TIMER, .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
					.value_size = TIMER_SIZE, .max_entries = 1,
					.present_off = META_NONE});
	return t;
}

static ir_val timer_start(struct lower *L, const struct lo_timer *t, ir_val timer)
{
	ir_val args[3] = {timer, ir_const(L->f, (int64_t)t->ns), ir_const(L->f, 0)};

	return ir_call(L->f, "timer_start", IR_I64, 3, args);
}

void lo_timer_again(struct lower *L, const struct lo_timer *t)
{
	timer_start(L, t, ir_arg(L->f, EACH_VALUE));
}

/* The kernel may have no memory for a timer: its answer is the program's. */
void lo_timer_start(struct lower *L, const struct lo_timer *t, struct ir_fn *block)
{
	ir_blk there = lo_block(L), made = lo_block(L), bad = lo_block(L), done = lo_block(L);
	ir_val err;
	ir_val args[3], key = ir_slot(L->f, 8);

	ir_st(L->f, 4, key, 0, ir_const(L->f, 0));
	args[0] = ir_map(L->f, t->map);
	args[1] = key;
	args[0] = lo_some(L, ir_call(L->f, "map_lookup_elem", IR_VOID, 2, args), there, done);
	lo_enter(L, there);
	args[1] = ir_map(L->f, t->map);
	args[2] = ir_const(L->f, CLOCK_MONO);
	err = ir_call(L->f, "timer_init", IR_I64, 3, args);
	lo_if(L, CC_EQ, err, ir_const(L->f, 0), made, bad);
	lo_enter(L, bad);
	ir_ret(L->f, err);
	lo_enter(L, made);
	args[1] = ir_func(L->f, block);
	ir_call(L->f, "timer_set_callback", IR_VOID, 2, args);
	ir_ret(L->f, timer_start(L, t, args[0]));
	lo_enter(L, done);
}

/* ---- the table of operations ---- */

static void add_value(struct lower *L, struct meta_ops *ops, const char *name, uint64_t value)
{
	if (value)
		vec_push(L->a, &ops->members,
			(struct meta_ops_member){.name = name, .prog = META_NONE, .value = value});
}

static void add_callbacks(struct lower *L, struct meta_ops *ops)
{
	struct meta *meta = L->m->meta;

	for (uint32_t i = 0; i < meta->probes.n; i++) {
		const struct meta_probe *p = &meta->probes.v[i];
		struct meta_prog *prog = &meta->progs.v[p->prog];

		if (strcmp(p->kind, "sched_ext"))
			continue;
		prog->ops = meta->ops.n;
		prog->member = ops->members.n;
		vec_push(L->a, &ops->members,
			(struct meta_ops_member){.name = p->arg[0], .prog = p->prog});
	}
}

static void add_own(struct lower *L, struct meta_ops *ops)
{
	for (uint32_t i = 0; i < L->own_ops.n; i++) {
		const struct lo_op *op = &L->own_ops.v[i];
		struct meta_prog *prog = &L->m->meta->progs.v[op->prog];

		prog->ops = L->m->meta->ops.n;
		prog->member = ops->members.n;
		vec_push(L->a, &ops->members,
			(struct meta_ops_member){.name = op->name, .prog = op->prog});
	}
}

void lo_scx_ops(struct lower *L)
{
	const struct config *c = &L->s->config;
	struct meta_ops ops = {.type = "sched_ext_ops", .name = "skep_ops"};
	const char *name = c->sched_name ? c->sched_name : "skep";

	add_callbacks(L, &ops);
	if (!ops.members.n)
		return;
	add_own(L, &ops);
	vec_push(L->a, &ops.members,
		(struct meta_ops_member){.name = "name", .prog = META_NONE, .text = name});
	add_value(L, &ops, "flags", c->sched_flags);
	add_value(L, &ops, "timeout_ms", c->sched_timeout_ms);
	add_value(L, &ops, "dispatch_max_batch", c->sched_dispatch_max_batch);
	add_value(L, &ops, "exit_dump_len", c->sched_exit_dump_len);
	ops.map = lo_add_map(L, (struct meta_map){.name = "skep_ops", .kname = "skep_ops",
					.role = MM_STRUCT_OPS, .type = BPF_MAP_TYPE_STRUCT_OPS,
					.key_size = 4, .max_entries = 1, .present_off = META_NONE});
	vec_push(L->a, &L->m->meta->ops, ops);
}
