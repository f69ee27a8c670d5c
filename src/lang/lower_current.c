/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who runs: members of the current task, loaded where the kernel trusts the pointer, for a fraction
 * of what the helpers cost (native instructions measured on 6.12: a process number 9 by loads, 13 by
 * the helper; a user's 15 and 105).
 */
#include "lang/lower.h"

static ir_val call0(struct lower *L, const char *helper)
{
	return ir_call(L->f, helper, IR_VOID, 0, NULL);
}

/*
 * Before 5.17 a shorter name left the rest of the longer one behind its end: that version stands for
 * all of them. Packet programs have no such pointer; a script may define a task_struct of its own.
 */
bool lo_loads_task(const struct lower *L)
{
	struct kbtf *btf = L->m->target->btf;
	struct kbtf_member m;
	uint32_t task;

	if (L->m->meta->portable || !btf || !target_has(L->m->target, KF_TASK_COMM) ||
		kern_is_packet(L->ap->kind))
		return false;
	task = kbtf_find_struct(btf, "task_struct");
	return task && !(kbtf_own(btf) && task > kbtf_own(btf)) &&
	       kbtf_find_member(btf, task, "comm", &m) && m.bit_off % 64 == 0;
}

ir_val lo_task_member(struct lower *L, const char *name, uint32_t more, uint32_t size)
{
	struct kbtf *btf = L->m->target->btf;
	struct ir_field f = {.root = "task_struct", .path = name, .size = size, .type = IR_I64};
	struct kbtf_member m;

	if (!kbtf_find_member(btf, kbtf_find_struct(btf, "task_struct"), name, &m))
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: task_struct without %s", name);
	f.off = m.bit_off / 8 + more;
	return ir_ldf(L->f, call0(L, "get_current_task_btf"), ir_add_field(L->m, f));
}

ir_val lo_task_id(struct lower *L, bool process)
{
	ir_val v;

	if (lo_loads_task(L))
		return lo_task_member(L, process ? "tgid" : "pid", 0, 4);
	v = call0(L, "get_current_pid_tgid");
	return process ? ir_bini(L->f, IR_LSHR, v, 32) : ir_un(L->f, IR_ZEXT32, v);
}
