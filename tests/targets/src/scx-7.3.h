/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sched_ext as its types stand in the BTF of Linux 7.3. Input of minibtf.h. */

enum scx_consts {
	SCX_DSP_DFL_MAX_BATCH = 32,
	SCX_DSP_MAX_LOOPS = 32,
	SCX_WATCHDOG_MAX_TIMEOUT = 7500,
	SCX_RESCUE_DFL_BW_PPT = 20,
	SCX_RESCUE_MAX_BW_PPT = 250,
	SCX_RESCUE_DISABLE = 0xffffffff,
	SCX_RESCUE_DFL_QUANTUM_US = 5000,
	SCX_RESCUE_MIN_QUANTUM_US = 1000,
	SCX_RESCUE_MAX_QUANTUM_US = 100000,
	SCX_RESCUE_MIN_SLICE_US = 1000,
	SCX_RESCUE_OVERLOAD_MULT = 16,
	SCX_RESCUE_MIN_OVERLOAD_MS = 1000,
	SCX_RESCUE_MAX_OVERLOAD_MS = 15000,
	SCX_TID_CHUNK = 1024,
	SCX_EXIT_BT_LEN = 64,
	SCX_EXIT_MSG_LEN = 1024,
	SCX_EXIT_DUMP_DFL_LEN = 32768,
	SCX_CPUPERF_ONE = 1024,
	SCX_TASK_ITER_BATCH = 32,
	SCX_BYPASS_HOST_NTH = 2,
	SCX_BYPASS_LB_DFL_INTV_US = 500000,
	SCX_BYPASS_LB_DONOR_PCT = 125,
	SCX_BYPASS_LB_MIN_DELTA_DIV = 4,
	SCX_BYPASS_LB_BATCH = 256,
	SCX_REENQ_MAX_REPEAT = 256,
	SCX_SUB_MAX_DEPTH = 4,
};

enum scx_cpu_preempt_reason {
	SCX_CPU_PREEMPT_RT = 0,
	SCX_CPU_PREEMPT_DL = 1,
	SCX_CPU_PREEMPT_STOP = 2,
	SCX_CPU_PREEMPT_UNKNOWN = 3,
};

enum64 scx_deq_flags {
	SCX_DEQ_SLEEP = 1,
	SCX_DEQ_CORE_SCHED_EXEC = 0x100000000,
	SCX_DEQ_SCHED_CHANGE = 0x200000000,
};

enum scx_dsp_verdict {
	SCX_DSP_NONE = 0,
	SCX_DSP_LOCAL = 1,
	SCX_DSP_PREV = 2,
	SCX_DSP_RETRY = 3,
};

enum64 scx_dsq_id_flags {
	SCX_DSQ_FLAG_BUILTIN = 0x8000000000000000,
	SCX_DSQ_FLAG_LOCAL_ON = 0x4000000000000000,
	SCX_DSQ_INVALID = 0x8000000000000000,
	SCX_DSQ_GLOBAL = 0x8000000000000001,
	SCX_DSQ_LOCAL = 0x8000000000000002,
	SCX_DSQ_BYPASS = 0x8000000000000003,
	SCX_DSQ_REJECT = 0x8000000000000004,
	SCX_DSQ_RESCUE = 0x8000000000000005,
	SCX_DSQ_LOCAL_ON = 0xc000000000000000,
	SCX_DSQ_LOCAL_CPU_MASK = 0xffffffff,
};

enum scx_dsq_iter_flags {
	SCX_DSQ_ITER_REV = 65536,
};

enum scx_enable_state {
	SCX_ENABLING = 0,
	SCX_ENABLED = 1,
	SCX_DISABLING = 2,
	SCX_DISABLED = 3,
};

enum64 scx_enq_flags {
	SCX_ENQ_WAKEUP = 1,
	SCX_ENQ_HEAD = 65536,
	SCX_ENQ_CPU_SELECTED = 1048576,
	SCX_ENQ_PREEMPT = 0x100000000,
	SCX_ENQ_IMMED = 0x200000000,
	SCX_ENQ_RESCUE = 0x400000000,
	SCX_ENQ_REENQ = 0x10000000000,
	SCX_ENQ_LAST = 0x20000000000,
	SCX_ENQ_CLEAR_OPSS = 0x100000000000000,
	SCX_ENQ_DSQ_PRIQ = 0x200000000000000,
	SCX_ENQ_NESTED = 0x400000000000000,
	SCX_ENQ_GDSQ_FALLBACK = 0x800000000000000,
	SCX_ENQ_IGNORE_CAPS = 0x1000000000000000,
	SCX_ENQ_APPLY_SLICE = 0x2000000000000000,
	SCX_ENQ_SLICE_DFL = 0x4000000000000000,
};

enum scx_ent_flags {
	SCX_TASK_QUEUED = 1,
	SCX_TASK_IN_CUSTODY = 2,
	SCX_TASK_RESET_RUNNABLE_AT = 4,
	SCX_TASK_DEQD_FOR_SLEEP = 8,
	SCX_TASK_SUB_INIT = 16,
	SCX_TASK_IMMED = 32,
	SCX_TASK_PROTECTED = 64,
	SCX_TASK_STATE_SHIFT = 8,
	SCX_TASK_STATE_BITS = 3,
	SCX_TASK_STATE_MASK = 1792,
	SCX_TASK_NONE = 0,
	SCX_TASK_INIT_BEGIN = 256,
	SCX_TASK_INIT = 512,
	SCX_TASK_READY = 768,
	SCX_TASK_ENABLED = 1024,
	SCX_TASK_DEAD = 1280,
	SCX_TASK_REENQ_REASON_SHIFT = 12,
	SCX_TASK_REENQ_REASON_BITS = 3,
	SCX_TASK_REENQ_REASON_MASK = 28672,
	SCX_TASK_REENQ_NONE = 0,
	SCX_TASK_REENQ_KFUNC = 4096,
	SCX_TASK_REENQ_IMMED = 8192,
	SCX_TASK_REENQ_PREEMPTED = 12288,
	SCX_TASK_REENQ_CAP = 16384,
	SCX_TASK_CURSOR = -2147483648,
};

enum64 scx_exit_code {
	SCX_ECODE_RSN_HOTPLUG = 0x100000000,
	SCX_ECODE_RSN_CGROUP_OFFLINE = 0x200000000,
	SCX_ECODE_ACT_RESTART = 0x1000000000000,
};

enum scx_exit_flags {
	SCX_EFLAG_INITIALIZED = 1,
};

enum scx_exit_kind {
	SCX_EXIT_NONE = 0,
	SCX_EXIT_DONE = 1,
	SCX_EXIT_UNREG = 64,
	SCX_EXIT_UNREG_BPF = 65,
	SCX_EXIT_UNREG_KERN = 66,
	SCX_EXIT_SYSRQ = 67,
	SCX_EXIT_PARENT = 68,
	SCX_EXIT_PARENT_KILL = 69,
	SCX_EXIT_ERROR = 1024,
	SCX_EXIT_ERROR_BPF = 1025,
	SCX_EXIT_ERROR_STALL = 1026,
	SCX_EXIT_ERROR_REENQ = 1027,
	SCX_EXIT_ERROR_RESCUE = 1028,
};

enum scx_kick_flags {
	SCX_KICK_IDLE = 1,
	SCX_KICK_PREEMPT = 2,
	SCX_KICK_WAIT = 4,
};

enum64 scx_ops_flags {
	SCX_OPS_KEEP_BUILTIN_IDLE = 1,
	SCX_OPS_ENQ_LAST = 2,
	SCX_OPS_ENQ_EXITING = 4,
	SCX_OPS_SWITCH_PARTIAL = 8,
	SCX_OPS_ENQ_MIGRATION_DISABLED = 16,
	SCX_OPS_ALLOW_QUEUED_WAKEUP = 32,
	SCX_OPS_BUILTIN_IDLE_PER_NODE = 64,
	SCX_OPS_ALWAYS_ENQ_IMMED = 128,
	SCX_OPS_TID_TO_TASK = 256,
	SCX_OPS_ALL_FLAGS = 511,
	SCX_OPS_HAS_CPU_PREEMPT = 0x100000000000000,
};

enum scx_pick_idle_cpu_flags {
	SCX_PICK_IDLE_CORE = 1,
	SCX_PICK_IDLE_IN_NODE = 2,
};

enum64 scx_public_consts {
	SCX_OPS_NAME_LEN = 128,
	SCX_SLICE_DFL = 20000000,
	SCX_SLICE_BYPASS = 5000000,
	SCX_SLICE_INF = 0xffffffffffffffff,
};

enum scx_wake_flags {
	SCX_WAKE_FORK = 4,
	SCX_WAKE_TTWU = 8,
	SCX_WAKE_SYNC = 16,
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
	void (*cgroup_set_bandwidth)(struct cgroup *, u64, u64, u64);
	void (*cgroup_set_idle)(struct cgroup *, bool);
	s32 (*sub_attach)(struct scx_sub_attach_args *);
	void (*sub_detach)(struct scx_sub_detach_args *);
	void (*sub_caps_updated)(const struct scx_cmask *, u64);
	void (*sub_ecaps_updated)(s32, u64, u64);
	void (*cpu_online)(s32);
	void (*cpu_offline)(s32);
	s32 (*init_cids)(void);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *);
	u32 dispatch_max_batch;
	u64 flags;
	u32 timeout_ms;
	u32 exit_dump_len;
	u64 hotplug_seq;
	u32 cid_shard_size;
	u32 rescue_bandwidth_ppt;
	u32 rescue_quantum_us;
	u64 sub_cgroup_id;
	char name[128];
	void *priv;
	void (*cpu_acquire)(s32, struct scx_cpu_acquire_args *);
	void (*cpu_release)(s32, struct scx_cpu_release_args *);
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
	u64 bw_period_us;
	u64 bw_quota_us;
	u64 bw_burst_us;
	bool sched_idle;
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
	s32 exit_cpu;
	s64 exit_code;
	u64 flags;
	const char *reason;
	long unsigned int *bt;
	u32 bt_len;
	char *msg;
	char *dump;
};

struct sched_ext_entity {
	struct scx_sched *sched;
	struct scx_dispatch_q *dsq;
	atomic_long_t ops_state;
	u64 ddsp_dsq_id;
	u64 ddsp_enq_flags;
	u64 ddsp_slice;
	u64 ddsp_vtime;
	struct scx_dsq_list_node dsq_list;
	struct rb_node dsq_priq;
	u32 dsq_seq;
	u32 dsq_flags;
	u32 flags;
	u32 weight;
	u32 reenq_cnt;
	s32 sticky_cpu;
	s32 holding_cpu;
	s32 selected_cpu;
	s32 runnable_cpu;
	u32 ops_qseq;
	struct task_struct *kf_tasks[2];
	struct list_head runnable_node;
	long unsigned int runnable_at;
	long unsigned int rescue_at;
	u64 tid;
	struct rhash_head tid_hash_node;
	u64 slice;
	u64 dsq_vtime;
	atomic64_t slice_oob;
	u64 reenq_reason_caps;
	s32 reenq_reason_cid;
	bool disallow;
	struct cgroup *cgrp_moving_from;
	struct list_head tasks_node;
};

struct bpf_iter_scx_dsq {
	u64 __opaque[6];
};

struct scx_bpf_select_cpu_and_args {
	s32 prev_cpu;
	u64 wake_flags;
	u64 flags;
};

struct scx_bpf_dsq_insert_vtime_args {
	u64 dsq_id;
	u64 slice;
	u64 vtime;
	u64 enq_flags;
};

__kfunc bool __scx_bpf_dsq_insert_vtime(struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args);
__kfunc s32 __scx_bpf_select_cpu_and(struct task_struct *p, const struct cpumask *cpus_allowed, struct scx_bpf_select_cpu_and_args *args);
__kfunc void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it);
__kfunc int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags);
__kfunc struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it);
__kfunc struct task_struct *scx_bpf_cid_curr(s32 cid);
__kfunc s32 scx_bpf_cid_to_cpu(s32 cid);
__kfunc void scx_bpf_cid_topo(s32 cid, struct scx_cid_topo *out, size_t out__sz);
__kfunc u32 scx_bpf_cidperf_cap(s32 cid);
__kfunc u32 scx_bpf_cidperf_cur(s32 cid);
__kfunc s32 scx_bpf_cidperf_set(s32 cid, u32 perf);
__kfunc struct task_struct *scx_bpf_cpu_curr(s32 cpu);
__kfunc s32 scx_bpf_cpu_node(s32 cpu);
__kfunc s32 scx_bpf_cpu_to_cid(s32 cpu);
__kfunc u32 scx_bpf_cpuperf_cap(s32 cpu);
__kfunc u32 scx_bpf_cpuperf_cur(s32 cpu);
__kfunc void scx_bpf_cpuperf_set(s32 cpu, u32 perf);
__kfunc s32 scx_bpf_create_dsq(u64 dsq_id, s32 node);
__kfunc void scx_bpf_destroy_dsq(u64 dsq_id);
__kfunc void scx_bpf_dispatch_cancel(void);
__kfunc u32 scx_bpf_dispatch_nr_slots(void);
__kfunc void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
__kfunc bool scx_bpf_dsq_insert___v2(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags);
__kfunc void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags);
__kfunc bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags);
__kfunc void scx_bpf_dsq_move_set_slice(struct bpf_iter_scx_dsq *it__iter, u64 slice);
__kfunc void scx_bpf_dsq_move_set_vtime(struct bpf_iter_scx_dsq *it__iter, u64 vtime);
__kfunc bool scx_bpf_dsq_move_to_local(u64 dsq_id);
__kfunc bool scx_bpf_dsq_move_to_local___v2(u64 dsq_id, u64 enq_flags);
__kfunc bool scx_bpf_dsq_move_vtime(struct bpf_iter_scx_dsq *it__iter, struct task_struct *p, u64 dsq_id, u64 enq_flags);
__kfunc s32 scx_bpf_dsq_nr_queued(u64 dsq_id);
__kfunc struct task_struct *scx_bpf_dsq_peek(u64 dsq_id);
__kfunc void scx_bpf_dsq_reenq(u64 dsq_id, u64 reenq_flags);
__kfunc void scx_bpf_dump_bstr(char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc void scx_bpf_error_bstr(char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc void scx_bpf_events(struct scx_event_stats *events, size_t events__sz);
__kfunc void scx_bpf_exit_bstr(s64 exit_code, char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc const struct cpumask *scx_bpf_get_idle_cpumask(void);
__kfunc const struct cpumask *scx_bpf_get_idle_cpumask_node(s32 node);
__kfunc const struct cpumask *scx_bpf_get_idle_smtmask(void);
__kfunc const struct cpumask *scx_bpf_get_idle_smtmask_node(s32 node);
__kfunc const struct cpumask *scx_bpf_get_online_cpumask(void);
__kfunc const struct cpumask *scx_bpf_get_possible_cpumask(void);
__kfunc void scx_bpf_kick_cid(s32 cid, u64 flags);
__kfunc void scx_bpf_kick_cpu(s32 cpu, u64 flags);
__kfunc struct rq *scx_bpf_locked_rq(void);
__kfunc u64 scx_bpf_now(void);
__kfunc u32 scx_bpf_nr_cids(void);
__kfunc u32 scx_bpf_nr_cpu_ids(void);
__kfunc u32 scx_bpf_nr_node_ids(void);
__kfunc u32 scx_bpf_nr_online_cids(void);
__kfunc s32 scx_bpf_pick_any_cpu(const struct cpumask *cpus_allowed, u64 flags);
__kfunc s32 scx_bpf_pick_any_cpu_node(const struct cpumask *cpus_allowed, s32 node, u64 flags);
__kfunc s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags);
__kfunc s32 scx_bpf_pick_idle_cpu_node(const struct cpumask *cpus_allowed, s32 node, u64 flags);
__kfunc void scx_bpf_put_cpumask(const struct cpumask *cpumask);
__kfunc void scx_bpf_put_idle_cpumask(const struct cpumask *idle_mask);
__kfunc u32 scx_bpf_reenqueue_local(void);
__kfunc void scx_bpf_reenqueue_local___v2(void);
__kfunc s32 scx_bpf_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags, const struct cpumask *cpus_allowed, u64 flags);
__kfunc s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle);
__kfunc bool scx_bpf_sub_dispatch(u64 cgroup_id);
__kfunc s32 scx_bpf_sub_kill_bstr(u64 cgroup_id, char *fmt, long long unsigned int *data, u32 data__sz);
__kfunc struct cgroup *scx_bpf_task_cgroup(struct task_struct *p);
__kfunc s32 scx_bpf_task_cid(const struct task_struct *p);
__kfunc s32 scx_bpf_task_cpu(const struct task_struct *p);
__kfunc bool scx_bpf_task_running(const struct task_struct *p);
__kfunc bool scx_bpf_task_set_dsq_vtime(struct task_struct *p, u64 vtime);
__kfunc bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice);
__kfunc bool scx_bpf_test_and_clear_cpu_idle(s32 cpu);
__kfunc s32 scx_bpf_this_cid(void);
__kfunc struct task_struct *scx_bpf_tid_to_task(u64 tid);
