/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* kfuncs of kernel/bpf since 6.4 or so. Input of minibtf.h. */

struct bpf_cpumask {
	cpumask_t cpumask;
	refcount_t usage;
};

struct bpf_iter_num {
	__u64 __opaque[1];
};

__kfunc struct task_struct *bpf_task_acquire(struct task_struct *p);
__kfunc void bpf_task_release(struct task_struct *p);
__kfunc struct task_struct *bpf_task_from_pid(s32 pid);
__kfunc void bpf_rcu_read_lock(void);
__kfunc void bpf_rcu_read_unlock(void);
__kfunc struct cgroup *bpf_cgroup_acquire(struct cgroup *cgrp);
__kfunc void bpf_cgroup_release(struct cgroup *cgrp);
__kfunc struct cgroup *bpf_cgroup_from_id(u64 cgid);
__kfunc struct bpf_cpumask *bpf_cpumask_create(void);
__kfunc struct bpf_cpumask *bpf_cpumask_acquire(struct bpf_cpumask *cpumask);
__kfunc void bpf_cpumask_release(struct bpf_cpumask *cpumask);
__kfunc u32 bpf_cpumask_first(const struct cpumask *cpumask);
__kfunc bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask);
__kfunc bool bpf_cpumask_empty(const struct cpumask *cpumask);
__kfunc u32 bpf_cpumask_weight(const struct cpumask *cpumask);
__kfunc void bpf_cpumask_set_cpu(u32 cpu, struct bpf_cpumask *cpumask);
__kfunc int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end);
__kfunc int *bpf_iter_num_next(struct bpf_iter_num *it);
__kfunc void bpf_iter_num_destroy(struct bpf_iter_num *it);
__kfunc void *bpf_rdonly_cast(const void *obj__ign, u32 btf_id__k);
