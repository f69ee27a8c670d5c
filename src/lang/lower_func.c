/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions and builtins whose value is one number. */
#include "lang/lower.h"
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define KADDR_BYTES 4096u /* 512 symbols */

static struct expr *arg(const struct expr *e, uint32_t i)
{
	return i < e->u.call.args.list.n ? e->u.call.args.list.v[i] : NULL;
}

static ir_val call0(struct lower *L, const char *helper)
{
	return ir_call(L->f, helper, IR_VOID, 0, NULL);
}

static ir_val swap(struct lower *L, const struct expr *e)
{
	ir_val v = lo_int(L, arg(e, 0));

	switch (e->type.size) {
	case 2:
		return ir_un(L->f, IR_BSWAP16, v);
	case 4:
		return ir_un(L->f, IR_BSWAP32, v);
	case 8:
		return ir_un(L->f, IR_BSWAP64, v);
	default:
		return lo_extend(L, v, 1, false);
	}
}

ir_val lo_reg(struct lower *L, const char *name)
{
	return ir_ldctx(L->f, 8, kern_reg_off(L->m->target->arch, name), IR_I64);
}

/*
 * 1 in user mode, where there are registers to see it in: x86 has the privilege level in cs, arm64 the
 * exception level, riscv SPP.
 */
static ir_val usermode(struct lower *L)
{
	enum kern_ctx ctx = kern_probe(L->ap->kind)->ctx;
	ir_val v;

	if (ctx != CTX_PT_REGS && ctx != CTX_PERF_EVENT) /* kernel code, or skep itself: BEGIN */
		return ir_const(L->f, kern_probe(L->ap->kind)->parts == PP_NONE);
	switch (L->m->target->arch) {
	case KERN_X86_64:
		v = ir_bini(L->f, IR_LSHR, lo_reg(L, "cs"), 1); /* 3 in user mode, 0 in the kernel */
		return ir_bini(L->f, IR_AND, v, 1);
	case KERN_RISCV64:
		v = ir_bini(L->f, IR_LSHR, lo_reg(L, "status"), 8); /* SR_SPP */
		return ir_bini(L->f, IR_XOR, ir_bini(L->f, IR_AND, v, 1), 1);
	default:
		/* PSR_MODE_EL0t is 0, EL1 is 4 or 5, EL2 8 or 9 */
		v = ir_bini(L->f, IR_AND, lo_reg(L, "pstate"), 15);
		v = ir_bini(L->f, IR_ADD, v, 15);
		v = ir_bini(L->f, IR_LSHR, v, 4);
		return ir_bini(L->f, IR_XOR, ir_bini(L->f, IR_AND, v, 1), 1);
	}
}

static ir_val clock_now(struct lower *L, uint64_t clock)
{
	static const char *const helpers[] = {
		"ktime_get_boot_ns", "ktime_get_ns", "ktime_get_tai_ns"};
	struct timespec tai, boot;

	if (clock < 3)
		return call0(L, helpers[clock]);
	/* sw_tai: how far the two are apart when the script starts */
	clock_gettime(CLOCK_TAI, &tai);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return ir_bini(L->f, IR_ADD, call0(L, helpers[0]),
		(tai.tv_sec - boot.tv_sec) * 1000000000ll + tai.tv_nsec - boot.tv_nsec);
}

/* pid and tid as this process's namespace counts; 0 for processes that it does not see. */
static ir_val namespace_id(struct lower *L, bool tgid)
{
	ir_val slot = lo_slot(L, 8), args[4];
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		st = (struct stat){0};
	ir_zero(L->f, slot, 0, 8);
	args[0] = ir_const(L->f, (int64_t)st.st_dev);
	args[1] = ir_const(L->f, (int64_t)st.st_ino);
	args[2] = slot;
	args[3] = ir_const(L->f, 8);
	ir_call(L->f, "get_ns_current_pid_tgid", IR_VOID, 4, args);
	return ir_ld(L->f, 4, slot, tgid ? 4 : 0); /* struct bpf_pidns_info: pid, tgid */
}

static ir_val task_id(struct lower *L, const struct expr *e)
{
	bool tgid = e->ref.u.builtin == BI_F_PID;

	return e->const_value ? namespace_id(L, tgid) : lo_task_id(L, tgid);
}

/* The 6 bytes of macaddr(), as they lie in memory. */
static ir_val mac_address(struct lower *L, const struct expr *a)
{
	ir_val slot;

	if (a->type.kind == LT_MAC)
		return lo_int(L, a);
	slot = lo_slot(L, 8);
	ir_zero(L->f, slot, 0, 8);
	if (lo_in_memory(&a->type)) {
		struct lo_mem m = lo_bytes(L, a);

		lo_copy(L, slot, 0, m.p, m.off, 6);
	} else {
		lo_read(L, lo_int(L, a), a->type.space, 6, slot, 0);
	}
	return ir_ld(L->f, 8, slot, 0);
}

/* The loader writes the addresses; see src/load/kaddr.c. */
static ir_val kaddr(struct lower *L, const char *name)
{
	uint32_t map = meta_role_map(L->m->meta, MM_KADDR), i = 0;
	struct meta_map *m;

	if (map == META_NONE)
		map = lo_add_map(L, (struct meta_map){.name = "kaddr", .kname = "skep_kaddr",
					    .role = MM_KADDR, .type = BPF_MAP_TYPE_ARRAY,
					    .key_size = 4, .value_size = KADDR_BYTES,
					    .max_entries = 1, .present_off = META_NONE});
	m = &L->m->meta->maps.v[map];
	while (i < m->names.n && strcmp(m->names.v[i], name) != 0)
		i++;
	if (i == m->names.n)
		vec_push(L->a, &m->names, name);
	if (i >= KADDR_BYTES / 8)
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: kaddr() of %u symbols", i);
	return ir_ld(L->f, 8, ir_gaddr(L->f, map, 0), 8 * (int64_t)i);
}

/* Of the function that the probe is on. */
ir_val lo_func_address(struct lower *L)
{
	ir_val ctx;

	if (!L->shared)
		return kaddr(L, L->ap->func);
	ctx = ir_ctx(L->f);
	return ir_call(L->f, "get_func_ip", IR_VOID, 1, &ctx);
}

static void one_arg_call(struct lower *L, const char *helper, ir_val ctx, const struct expr *a)
{
	ir_val args[2];
	unsigned n = 0;

	if (ctx)
		args[n++] = ctx;
	args[n++] = a->kind == EX_STR ? ir_const(L->f, (int64_t)a->const_value) : lo_int(L, a);
	ir_call(L->f, helper, IR_VOID, n, args);
}

bool lo_func_stmt(struct lower *L, const struct expr *e)
{
	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_SIGNAL:
		one_arg_call(L, "send_signal", IR_NONE, arg(e, 0));
		return true;
	case BI_F_SIGNAL_THREAD:
		one_arg_call(L, "send_signal_thread", IR_NONE, arg(e, 0));
		return true;
	case BI_F_OVERRIDE:
		one_arg_call(L, "override_return", ir_ctx(L->f), arg(e, 0));
		return true;
	default:
		return false;
	}
}

ir_val lo_func(struct lower *L, const struct expr *e)
{
	ir_val v;

	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_BSWAP:
	case BI_F_HTONL:
	case BI_F_HTONS:
	case BI_F_NTOHL:
	case BI_F_NTOHS:
		return swap(L, e);
	case BI_F_STRERROR:
	case BI_F_SYSCALL_NAME:
	case BI_F_SIGNAL_NAME:
	case BI_F_CGROUP_PATH:
	case BI_F_KPTR:
	case BI_F_UPTR:
		return lo_int(L, arg(e, 0));
	case BI_F_KADDR:
		return kaddr(L, arg(e, 0)->u.str.s);
	case BI_F_REG:
		return lo_reg(L, arg(e, 0)->u.str.s);
	case BI_F_NSECS:
		return clock_now(L, e->const_value);
	case BI_F_PID:
	case BI_F_TID:
		return task_id(L, e);
	case BI_F_MACADDR:
		return mac_address(L, arg(e, 0));
	case BI_F_STRLEN:
		return lo_strlen(L, arg(e, 0));
	case BI_F_STRNCMP:
		return lo_strncmp(L, e);
	case BI_F_STRCONTAINS:
	case BI_F_STRSTR:
		return lo_strstr(L, e);
	case BI_F_MEMCMP:
		return lo_memcmp(L, e);
	case BI_F_SOCKET_COOKIE:
		v = lo_int(L, arg(e, 0));
		return ir_call(L->f, "get_socket_cookie", IR_VOID, 1, &v);
	default:
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: function %s has no code",
			e->u.call.name);
	}
}

ir_val lo_special_value(struct lower *L, enum builtin_id id)
{
	switch (id) {
	case BI_USERNAME:
		return ir_un(L->f, IR_ZEXT32, call0(L, "get_current_uid_gid"));
	case BI_NUMAID:
		return ir_un(L->f, IR_ZEXT32, call0(L, "get_numa_node_id"));
	case BI_USERMODE:
		return usermode(L);
	case BI_CTX:
		return ir_un(L->f, IR_ADDR, ir_ctx(L->f));
	default:
		trap_raise(L->m->trap, SKEP_EBUG, "lowering: builtin %s has no code",
			builtin_row(id)->name);
	}
}
