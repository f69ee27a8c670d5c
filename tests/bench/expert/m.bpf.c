/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"
#include <bpf/bpf_core_read.h>

#define KERNEL __attribute__((preserve_access_index))
struct inode {
	unsigned long i_ino;
} KERNEL;
struct file {
	struct inode *f_inode;
} KERNEL;
struct mm_struct {
	struct file *exe_file;
} KERNEL;
struct task_struct {
	struct mm_struct *mm;
} KERNEL;

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

__u64 last;

SEC("kprobe/vfs_read") int walk(struct pt_regs *ctx)
{
	const void *p = (void *)bpf_get_current_task();
	struct task_struct *t = bpf_rdonly_cast(p, bpf_core_type_id_kernel(struct task_struct));

	last = t->mm->exe_file->f_inode->i_ino;
	return 0;
}
