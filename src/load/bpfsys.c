/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Three ways into the bpf system call. libbpf's bring with them questions to the kernel (does it take
 * names? whose memory is it?) that every kernel since 5.10 answers alike but for one, at several
 * programs loaded for each start; and all it needs to ask them.
 */
#include "load/bpfsys.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 5 /* a signal makes the verifier stop with EAGAIN */

static int sys(int command, union bpf_attr *attr)
{
	int tries = TRIES, fd;

	do
		fd = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
	while (fd < 0 && errno == EAGAIN && --tries);
	return fd;
}

/* Before 5.11 maps and programs are locked memory, of which a process may have 64 KB. */
static int sys_or_more(int command, union bpf_attr *attr)
{
	struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
	int fd = sys(command, attr);

	if (fd >= 0 || errno != EPERM)
		return fd;
	if (setrlimit(RLIMIT_MEMLOCK, &r) && !getrlimit(RLIMIT_MEMLOCK, &r)) {
		r.rlim_cur = r.rlim_max; /* what we may without root */
		setrlimit(RLIMIT_MEMLOCK, &r);
	}
	return sys(command, attr);
}

static void name_it(char to[BPF_OBJ_NAME_LEN], const char *name)
{
	if (name)
		memcpy(to, name, strnlen(name, BPF_OBJ_NAME_LEN - 1));
}

int sys_prog_load(uint32_t type, const char *name, const char *license, const struct bpf_insn *insn,
	size_t n, const struct bpf_prog_load_opts *o)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.prog_type = type;
	a.insns = (uint64_t)(uintptr_t)insn;
	a.insn_cnt = (uint32_t)n;
	a.license = (uint64_t)(uintptr_t)license;
	name_it(a.prog_name, name);
	if (o) {
		a.prog_flags = o->prog_flags;
		a.prog_ifindex = o->prog_ifindex;
		a.expected_attach_type = o->expected_attach_type;
		a.attach_btf_id = o->attach_btf_id;
		a.attach_btf_obj_fd = o->attach_btf_obj_fd;
		a.prog_btf_fd = o->prog_btf_fd;
		a.func_info = (uint64_t)(uintptr_t)o->func_info;
		a.func_info_cnt = o->func_info_cnt;
		a.func_info_rec_size = o->func_info_rec_size;
		a.line_info = (uint64_t)(uintptr_t)o->line_info;
		a.line_info_cnt = o->line_info_cnt;
		a.line_info_rec_size = o->line_info_rec_size;
		a.log_level = o->log_level;
		a.log_size = o->log_size;
		a.log_buf = (uint64_t)(uintptr_t)o->log_buf;
	}
	return sys_or_more(BPF_PROG_LOAD, &a);
}

int sys_map_create(uint32_t type, const char *name, uint32_t key, uint32_t value, uint32_t n,
	const struct bpf_map_create_opts *o)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_type = type;
	a.key_size = key;
	a.value_size = value;
	a.max_entries = n;
	name_it(a.map_name, name);
	if (o) {
		a.map_flags = o->map_flags;
		a.map_ifindex = o->map_ifindex;
		a.btf_fd = o->btf_fd;
		a.btf_key_type_id = o->btf_key_type_id;
		a.btf_value_type_id = o->btf_value_type_id;
		a.btf_vmlinux_value_type_id = o->btf_vmlinux_value_type_id;
	}
	return sys_or_more(BPF_MAP_CREATE, &a);
}

int sys_btf_load(const void *btf, uint32_t size)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.btf = (uint64_t)(uintptr_t)btf;
	a.btf_size = size;
	return sys_or_more(BPF_BTF_LOAD, &a);
}
