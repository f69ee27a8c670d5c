/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "common.h"

/* Only what is used; the loader finds the members in the running kernel. */
#define KERNEL __attribute__((preserve_access_index))
struct inode {
	unsigned long i_ino;
} KERNEL;
struct dentry {
	struct inode *d_inode;
} KERNEL;
struct path {
	struct dentry *dentry;
} KERNEL;
struct file {
	struct path f_path;
} KERNEL;
struct mm_struct {
	struct file *exe_file;
} KERNEL;
struct task_struct {
	struct mm_struct *mm;
} KERNEL;

__u64 last;

SEC("kprobe/vfs_read") int walk(struct pt_regs *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct mm_struct *mm = t->mm;
	struct file *f;

	if (!mm)
		return 0;
	f = mm->exe_file;
	if (!f)
		return 0;
	last = f->f_path.dentry->d_inode->i_ino;
	return 0;
}
