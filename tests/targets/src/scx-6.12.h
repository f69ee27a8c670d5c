/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sched_ext as its types stand in the BTF of Linux 6.12. Input of minibtf.h. */

enum64 scx_public_consts {
	SCX_OPS_NAME_LEN = 128,
	SCX_SLICE_DFL = 20000000,
	SCX_SLICE_INF = 0xffffffffffffffff,
};

enum64 scx_dsq_id_flags {
	SCX_DSQ_FLAG_BUILTIN = 0x8000000000000000,
	SCX_DSQ_FLAG_LOCAL_ON = 0x4000000000000000,
	SCX_DSQ_INVALID = 0x8000000000000000,
	SCX_DSQ_GLOBAL = 0x8000000000000001,
	SCX_DSQ_LOCAL = 0x8000000000000002,
	SCX_DSQ_LOCAL_ON = 0xc000000000000000,
	SCX_DSQ_LOCAL_CPU_MASK = 0xffffffff,
};

enum scx_ent_flags {
	SCX_TASK_QUEUED = 1,
	SCX_TASK_RESET_RUNNABLE_AT = 4,
	SCX_TASK_DEQD_FOR_SLEEP = 8,
	SCX_TASK_STATE_SHIFT = 8,
	SCX_TASK_STATE_BITS = 2,
	SCX_TASK_STATE_MASK = 768,
	SCX_TASK_CURSOR = -2147483648,
};

enum scx_task_state {
	SCX_TASK_NONE = 0,
	SCX_TASK_INIT = 1,
	SCX_TASK_READY = 2,
	SCX_TASK_ENABLED = 3,
	SCX_TASK_NR_STATES = 4,
};

enum scx_consts {
	SCX_DSP_DFL_MAX_BATCH = 32,
	SCX_DSP_MAX_LOOPS = 32,
	SCX_WATCHDOG_MAX_TIMEOUT = 7500,
	SCX_EXIT_BT_LEN = 64,
	SCX_EXIT_MSG_LEN = 1024,
	SCX_EXIT_DUMP_DFL_LEN = 32768,
	SCX_CPUPERF_ONE = 1024,
	SCX_OPS_TASK_ITER_BATCH = 32,
};

enum scx_exit_kind {
	SCX_EXIT_NONE = 0,
	SCX_EXIT_DONE = 1,
	SCX_EXIT_UNREG = 64,
	SCX_EXIT_UNREG_BPF = 65,
	SCX_EXIT_UNREG_KERN = 66,
	SCX_EXIT_SYSRQ = 67,
	SCX_EXIT_ERROR = 1024,
	SCX_EXIT_ERROR_BPF = 1025,
	SCX_EXIT_ERROR_STALL = 1026,
};

enum64 scx_exit_code {
	SCX_ECODE_RSN_HOTPLUG = 0x100000000,
	SCX_ECODE_ACT_RESTART = 0x1000000000000,
};

enum scx_ops_flags {
	SCX_OPS_KEEP_BUILTIN_IDLE = 1,
	SCX_OPS_ENQ_LAST = 2,
	SCX_OPS_ENQ_EXITING = 4,
	SCX_OPS_SWITCH_PARTIAL = 8,
	SCX_OPS_HAS_CGROUP_WEIGHT = 65536,
	SCX_OPS_ALL_FLAGS = 65551,
};

enum scx_cpu_preempt_reason {
	SCX_CPU_PREEMPT_RT = 0,
	SCX_CPU_PREEMPT_DL = 1,
	SCX_CPU_PREEMPT_STOP = 2,
	SCX_CPU_PREEMPT_UNKNOWN = 3,
};

enum scx_wake_flags {
	SCX_WAKE_FORK = 4,
	SCX_WAKE_TTWU = 8,
	SCX_WAKE_SYNC = 16,
};

enum64 scx_enq_flags {
	SCX_ENQ_WAKEUP = 1,
	SCX_ENQ_HEAD = 16,
	SCX_ENQ_CPU_SELECTED = 1024,
	SCX_ENQ_PREEMPT = 0x100000000,
	SCX_ENQ_REENQ = 0x10000000000,
	SCX_ENQ_LAST = 0x20000000000,
	SCX_ENQ_CLEAR_OPSS = 0x100000000000000,
	SCX_ENQ_DSQ_PRIQ = 0x200000000000000,
};

enum64 scx_deq_flags {
	SCX_DEQ_SLEEP = 1,
	SCX_DEQ_CORE_SCHED_EXEC = 0x100000000,
};

enum scx_pick_idle_cpu_flags {
	SCX_PICK_IDLE_CORE = 1,
};

enum scx_kick_flags {
	SCX_KICK_IDLE = 1,
	SCX_KICK_PREEMPT = 2,
	SCX_KICK_WAIT = 4,
};

enum scx_ops_enable_state {
	SCX_OPS_ENABLING = 0,
	SCX_OPS_ENABLED = 1,
	SCX_OPS_DISABLING = 2,
	SCX_OPS_DISABLED = 3,
};

enum scx_dsq_iter_flags {
	SCX_DSQ_ITER_REV = 65536,
};

struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *, s32, u64);
	void (*enqueue)(struct task_struct *, u64);
	void (*dequeue)(struct task_struct *, u64);
	void (*dispatch)(s32, struct task_struct *);
	void (*tick)(struct task_struct *);
	void (*runnable)(struct task_struct *, u64);
	void (*running)(struct task_struct *);
	void (*stopping)(struct task_struct *, bool);
	void (*quiescent)(struct task_struct *, u64);
	bool (*yield)(struct task_struct *, struct task_struct *);
	bool (*core_sched_before)(struct task_struct *, struct task_struct *);
	void (*set_weight)(struct task_struct *, u32);
	void (*set_cpumask)(struct task_struct *, const struct cpumask *);
	void (*update_idle)(s32, bool);
	void (*cpu_acquire)(s32, struct scx_cpu_acquire_args *);
	void (*cpu_release)(s32, struct scx_cpu_release_args *);
	s32 (*init_task)(struct task_struct *, struct scx_init_task_args *);
	void (*exit_task)(struct task_struct *, struct scx_exit_task_args *);
	void (*enable)(struct task_struct *);
	void (*disable)(struct task_struct *);
	void (*dump)(struct scx_dump_ctx *);
	void (*dump_cpu)(struct scx_dump_ctx *, s32, bool);
	void (*dump_task)(struct scx_dump_ctx *, struct task_struct *);
	s32 (*cgroup_init)(struct cgroup *, struct scx_cgroup_init_args *);
	void (*cgroup_exit)(struct cgroup *);
	s32 (*cgroup_prep_move)(struct task_struct *, struct cgroup *, struct cgroup *);
	void (*cgroup_move)(struct task_struct *, struct cgroup *, struct cgroup *);
	void (*cgroup_cancel_move)(struct task_struct *, struct cgroup *, struct cgroup *);
	void (*cgroup_set_weight)(struct cgroup *, u32);
	void (*cpu_online)(s32);
	void (*cpu_offline)(s32);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *);
	u32 dispatch_max_batch;
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	u64 hotplug_seq;
	char name[128];
};

struct bpf_struct_ops_common_value {
	refcount_t refcnt;
	enum bpf_struct_ops_state state;
};

struct bpf_struct_ops_sched_ext_ops {
	struct bpf_struct_ops_common_value common;
	struct sched_ext_ops data __aligned(64);
};

struct scx_init_task_args {
	bool fork;
	struct cgroup *cgroup;
};

struct scx_exit_task_args {
	bool cancelled;
};

struct scx_cpu_acquire_args {
};

struct scx_cpu_release_args {
	enum scx_cpu_preempt_reason reason;
	struct task_struct *task;
};

struct scx_cgroup_init_args {
	u32 weight;
};

struct scx_dump_ctx {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	u64 at_ns;
	u64 at_jiffies;
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	long unsigned int *bt;
	u32 bt_len;
	char *msg;
	char *dump;
};

struct sched_ext_entity {
	struct scx_dispatch_q *dsq;
	struct scx_dsq_list_node dsq_list;
	struct rb_node dsq_priq;
	u32 dsq_seq;
	u32 dsq_flags;
	u32 flags;
	u32 weight;
	s32 sticky_cpu;
	s32 holding_cpu;
	u32 kf_mask;
	u32 ops_qseq;
	struct task_struct *kf_tasks[2];
	atomic_long_t ops_state;
	struct list_head runnable_node;
	long unsigned int runnable_at;
	u64 ddsp_dsq_id;
	u64 ddsp_enq_flags;
	u64 slice;
	u64 dsq_vtime;
	bool disallow;
	struct cgroup *cgrp_moving_from;
	struct list_head tasks_node;
};

struct bpf_iter_scx_dsq {
	u64 __opaque[6];
};

__kfunc void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it);
__kfunc int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags);
__kfunc struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it);
__kfunc bool scx_bpf_consume(u64 dsq_id);
__kfunc struct rq *scx_bpf_cpu_rq(s32 cpu);
__kfunc u32 scx_bpf_cpuperf_cap(s32 cpu);
__kfunc u32 scx_bpf_cpuperf_cur(s32 cpu);
__kfunc void scx_bpf_cpuperf_set(s32 cpu, u32 perf);
__kfunc s32 scx_bpf_create_dsq(u64 dsq_id, s32 node);
__kfunc void scx_bpf_destroy_dsq(u64 dsq_id);
__kfunc void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
__kfunc void scx_bpf_dispatch_cancel(void);
__kfunc bool scx_bpf_dispatch_from_dsq(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags);
__kfunc void scx_bpf_dispatch_from_dsq_set_slice(struct bpf_iter_scx_dsq *it__iter, u64 slice);
__kfunc void scx_bpf_dispatch_from_dsq_set_vtime(struct bpf_iter_scx_dsq *it__iter, u64 vtime);
__kfunc u32 scx_bpf_dispatch_nr_slots(void);
__kfunc void scx_bpf_dispatch_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags);
__kfunc bool scx_bpf_dispatch_vtime_from_dsq(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags);
__kfunc s32 scx_bpf_dsq_nr_queued(u64 dsq_id);
__kfunc void scx_bpf_dump_bstr(char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc void scx_bpf_error_bstr(char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc void scx_bpf_exit_bstr(s64 exit_code, char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc const struct cpumask *scx_bpf_get_idle_cpumask(void);
__kfunc const struct cpumask *scx_bpf_get_idle_smtmask(void);
__kfunc const struct cpumask *scx_bpf_get_online_cpumask(void);
__kfunc const struct cpumask *scx_bpf_get_possible_cpumask(void);
__kfunc void scx_bpf_kick_cpu(s32 cpu, u64 flags);
__kfunc u32 scx_bpf_nr_cpu_ids(void);
__kfunc s32 scx_bpf_pick_any_cpu(const struct cpumask *cpus_allowed, u64 flags);
__kfunc s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags);
__kfunc void scx_bpf_put_cpumask(const struct cpumask *cpumask);
__kfunc void scx_bpf_put_idle_cpumask(const struct cpumask *idle_mask);
__kfunc u32 scx_bpf_reenqueue_local(void);
__kfunc s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle);
__kfunc struct cgroup *scx_bpf_task_cgroup(struct task_struct *p);
__kfunc s32 scx_bpf_task_cpu(const struct task_struct *p);
__kfunc bool scx_bpf_task_running(const struct task_struct *p);
__kfunc bool scx_bpf_test_and_clear_cpu_idle(s32 cpu);
