/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What kernels offer, one row a fact: probe kinds, contexts, helpers, kfuncs, packet fields,
 * sched_ext operations. The .def files hold the rows; this header gives them to everybody.
 */
#pragma once
#include "kern/target.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERN_LOOPS_MAX (1 << 23) /* rounds of bpf_loop: BPF_MAX_LOOPS, kernel/bpf/bpf_iter.c */

/* ---- contexts: what a program's first argument points to (ctx.def) ---- */
enum kern_ctx {
#define CTX(id, text, prog_type) CTX_##id,
#define FIELD(ctx, name, off, size, type)
#include "kern/ctx.def"
#undef CTX
#undef FIELD
	CTX_COUNT
};
enum ctx_field_type { CF_SCALAR, CF_PKT, CF_PKTEND, CF_PKTMETA };
struct kern_ctx_field {
	const char *name;
	uint16_t off, size;
	enum kern_ctx ctx : 8;
	enum ctx_field_type type : 8;
};
const char *kern_ctx_name(enum kern_ctx c);
int kern_ctx_by_name(const char *name); /* -1 unknown */
uint32_t kern_ctx_prog_type(enum kern_ctx c);
/* NULL when unknown. Contexts without rows (pt_regs, tracepoint, struct_ops) are read by offset. */
const struct kern_ctx_field *kern_ctx_field(enum kern_ctx c, const char *name);
const struct kern_ctx_field *kern_ctx_field_at(enum kern_ctx c, uint32_t off, uint32_t size);

/* ---- probe kinds (probes.def) ---- */
enum kern_probe_kind {
#define P(id, name, alias, ctx, parts, section, since, what) PROBE_##id,
#include "kern/probes.def"
#undef P
	PROBE_COUNT
};
enum probe_parts { /* what follows the kind in a script */
	PP_NONE,       /* BEGIN */
	PP_FUNC,       /* kprobe:[module:]function[+offset] */
	PP_TRACEPOINT, /* tracepoint:category:event */
	PP_INTERVAL,   /* interval:unit:count, units us ms s hz */
	PP_IFACE,      /* xdp:interface[:mode], modes native generic offload */
	PP_FENTRY,     /* fentry:[module:]function */
	PP_RAWTP,      /* rawtracepoint:[module:]event */
	PP_LSM,	       /* lsm:hook */
	PP_UFUNC,      /* uprobe:file:function[+offset], uprobe:file:address */
	PP_SIGNAL,     /* self:signal:SIGUSR1 */
	PP_ITER,       /* iter:kind */
	PP_WATCH,      /* watchpoint:address:length:mode */
	PP_USDT,       /* usdt:file:[provider:]name */
	PP_EVENT,      /* software:event[:count] */
	PP_OPS,        /* sched_ext:operation */
	PP_OPS_TYPE,   /* struct_ops:type:operation */
	PP_IFACE_DIR,  /* tc:interface:direction, directions ingress egress */
	PP_CGROUP_DIR, /* cgroup_skb:path:direction */
};
struct kern_probe {
	const char *name;  /* canonical spelling */
	const char *alias; /* further spellings, blank-separated */
	const char *section; /* ELF section prefix in libbpf's naming */
	const char *what;    /* one line of documentation */
	uint32_t since;	     /* kernel version */
	enum kern_ctx ctx : 8;
	enum probe_parts parts : 8;
};
bool kern_iterator(const char *name); /* iter:name is known */
const struct kern_probe *kern_probe(enum kern_probe_kind k);
int kern_probe_by_name(const char *name); /* canonical or alias, case-insensitive; -1 unknown */

#define KERN_TRACE_UPROBE_MULTI 48 /* BPF_TRACE_UPROBE_MULTI: build machines have older headers */
bool kern_is_user(enum kern_probe_kind k); /* it is in user space: so are the addresses it sees */

/* ---- packet hooks (verdicts.def) ---- */
#define VERDICT_NONE 0x7fff /* the hook cannot do it */
struct kern_verdicts { /* what a program of the hook returns */
	int16_t pass, drop, tx, redirect;
};
/* NULL when probes of this kind see no packets. */
const struct kern_verdicts *kern_verdicts(enum kern_probe_kind k);
bool kern_is_packet(enum kern_probe_kind k);

/* ---- events of software: and hardware: probes (perf.def) ---- */
struct kern_perf_event {
	const char *name, *alias; /* canonical spelling; another one or "" */
	uint32_t config;
	uint32_t count; /* the probe fires each count-th time when the script does not say */
	enum kern_probe_kind kind : 8;
	uint8_t type; /* PERF_TYPE_ */
};
const struct kern_perf_event *kern_perf_event(enum kern_probe_kind kind, const char *name);
const struct kern_perf_event *kern_perf_event_at(unsigned i); /* NULL past the end */

/* ---- helpers (helpers.def) ---- */
enum kern_arg {	 /* what a helper or kfunc wants; ir/check.c enforces it */
	KA_NONE,
	KA_ANY,	 /* scalar */
	KA_CONST, /* scalar known at compile time */
	KA_CTX,
	KA_MAP,
	KA_KEY,	   /* pointer to key_size initialised bytes of the map argument */
	KA_VALUE,  /* pointer to value_size initialised bytes of the map argument */
	KA_MEM_R,  /* pointer to initialised memory; size in the next argument */
	KA_MEM_W,  /* pointer to memory the helper fills; size in the next argument */
	KA_SIZE,   /* constant size of the memory before it, > 0 */
	KA_SIZE0,  /* the same, 0 allowed */
	KA_KADDR,  /* kernel address as a number (probe_read_kernel) */
	KA_UADDR,  /* user address as a number */
	KA_RECORD, /* ring buffer record, taken over by the helper */
	KA_BTF,	   /* typed kernel pointer */
	KA_STRPTR, /* pointer to a constant NUL-terminated string in a read-only map */
	KA_VALUE0, /* as KA_VALUE, or the number 0 */
	KA_VALUE_W, /* pointer to value_size bytes the helper fills */
	KA_LONG,   /* pointer to 8 bytes the helper fills */
	KA_FUNC,   /* address of a function of this program */
	KA_CBCTX,  /* pointer to the stack handed to a callback, or 0 */
	KA_TIMER,  /* struct bpf_timer inside a map value */
};
enum kern_ret {
	KR_VOID,
	KR_SCALAR,
	KR_MAPV,   /* nullable pointer to a value of the map argument */
	KR_RECORD, /* nullable ring buffer record of the size argument; must be submitted or discarded */
	KR_TASK,   /* trusted pointer to task_struct */
	KR_BTF,	   /* kfunc: pointer per its prototype */
};
enum kern_effect {
	KE_PURE = 1,	/* same arguments, same result: may be merged and dropped */
	KE_READ = 2,	/* reads memory that others write: may be dropped, not merged */
	KE_PKT_INVAL = 4, /* invalidates packet pointers */
	KE_ACQUIRE = 8, /* result must be released */
	KE_RELEASE = 16, /* consumes the reference in argument 1 */
	KE_SLEEP = 32,
	KE_NULLABLE = 64, /* result may be NULL */
	KE_ITER = 256, /* next of an iterator: NULL comes at last */
	KE_RCU = 128, /* result is valid in a program that does not sleep */
};
struct kern_helper {
	const char *name; /* without bpf_ */
	uint32_t since;	  /* kernel version */
	uint16_t id, effects;
	enum kern_ret ret : 8;
	uint8_t arg[5]; /* enum kern_arg */
};
const struct kern_helper *kern_helper_by_name(const char *name); /* NULL unknown */
const struct kern_helper *kern_helper_by_id(uint32_t id);
const struct kern_helper *kern_helper_at(unsigned i); /* by number; NULL past the end */

/* ---- what a program needs (needs.c): bits per enum kern_feature ---- */
struct bpf_insn;
/* *helper becomes the id of the called helper that came last, if any came later than it. */
uint64_t kern_code_needs(const struct bpf_insn *x, uint32_t n, uint32_t *helper);
uint64_t kern_map_needs(uint32_t type);	 /* BPF_MAP_TYPE_ */
uint64_t kern_prog_needs(uint32_t type); /* BPF_PROG_TYPE_ */

/* ---- packet fields (net.def) ---- */
enum net_layer { /* the header a field lives in */
#define LAYER(id, name, bytes, what) NET_##id,
#define NET(layer, name, off, width, shift, bits, kind, what)
#include "kern/net.def"
#undef LAYER
#undef NET
	NET_COUNT
};
enum net_kind {
	NK_NUM,
	NK_INET4,
	NK_INET6,
	NK_MAC,
	NK_FLAG,
	NK_SPECIAL,
	NK_OPTION, /* number in an option of TCP: off is the option's kind, width the number's bytes */
	NK_HAS_OPTION, /* is there such an option */
};
struct net_layer_row {
	const char *name;
	uint32_t bytes; /* least header length */
	const char *what;
};
struct net_field {
	const char *name; /* "tcp.dport" */
	const char *what;
	uint8_t layer;	    /* enum net_layer */
	uint8_t off, width; /* bytes from the header's start, load width 1 2 4 6 16 */
	uint8_t shift, bits; /* part of the loaded number in host order; bits 0: all */
	uint8_t kind;	    /* enum net_kind */
};
const struct net_layer_row *net_layer_row(enum net_layer l);
int net_layer_by_name(const char *name); /* -1 unknown */
const struct net_field *net_field_by_name(const char *name); /* NULL unknown */
const struct net_field *net_field_at(unsigned i); /* NULL past the end */
struct net_name { /* a number of a field by its name (net_names.def) */
	const char *field, *name;
	uint32_t value;
};
const struct net_name *net_name_at(unsigned i); /* NULL past the end */

/* ---- sched_ext (scx.def): operations, kfuncs' short names, which may be called where ---- */
enum scx_set { /* kfunc sets of kernel/sched/ext.c */
	SCX_ANY = 1,
	SCX_IDLE = 2,
	SCX_SELECT_CPU = 4,
	SCX_ENQUEUE = 8,
	SCX_DISPATCH = 16,
	SCX_UNLOCKED = 32,
	SCX_CPU_RELEASE = 64,
	SCX_INIT_CIDS = 128,
	SCX_DUMP = 256, /* no set of the kernel, which ends a scheduler that calls it elsewhere */
};
struct scx_op {
	const char *name;
	const char *what;
	uint32_t since;	  /* oldest kernel known to have it; 0: not in this form of schedulers */
	uint16_t allowed; /* enum scx_set mask */
	bool sleepable;
	bool may_return; /* has a return value */
};
const struct scx_op *scx_op_by_name(const char *name);
const struct scx_op *scx_op_at(unsigned i);
const struct scx_op *scx_timer(void); /* what a timer may do */

/*
 * Name of the operation's argument number index (scx_args.def): len bytes, no NUL behind them; NULL
 * past the end, or when no names are known.
 */
const char *scx_op_arg(const char *op, unsigned index, size_t *len, bool *nullable);
/* Whether it may be NULL: by the kernel's own mark, or the table where BTF has none. */
bool scx_op_arg_nullable(struct kbtf *btf, const char *op, unsigned index);

struct scx_alias { /* short name -> kernel names, the first that the target's BTF has wins */
	const char *name;
	const char *kfunc[4]; /* newest spelling first; NULL ends */
	uint32_t set;	      /* enum scx_set it belongs to */
};
const struct scx_alias *scx_alias_by_name(const char *name); /* short or any kernel name */
const struct scx_alias *scx_alias_at(unsigned i);
uint32_t scx_kfunc_set(const char *kfunc); /* 0 unknown */
/*
 * Whether the operation may call the kfunc on a kernel of this version (0: the newest). True for
 * functions that are no sched_ext kfuncs and do not sleep. 6.12 loads a wrong call and aborts when it runs.
 */
bool scx_may_call(const struct scx_op *op, const char *kfunc, uint32_t version);

/* ---- kfuncs (kfuncs.def; kfunc_args.c) ---- */
#define KFUNC_ARGS_MAX 8
enum kfunc_arg_kind {
	KFA_INT,
	KFA_STRUCT,	/* a kernel object of type to */
	KFA_OUT,	/* a number of type to that the function writes */
	KFA_FORMAT,	/* text of a printf-like format, with the next two: its values, their bytes */
	KFA_DATA,
	KFA_DATA_SIZE,
	KFA_ITER,	/* the loop over a queue that the call stands in; not written in scripts */
	KFA_OTHER,
};
struct kfunc_arg {
	enum kfunc_arg_kind kind;
	const char *name;
	uint32_t type;
	struct kbtf_info to; /* what a pointer points to */
	bool nullable;	     /* takes NULL */
};
/* Fills at most KFUNC_ARGS_MAX; returns how many there are. */
unsigned kfunc_args(const struct kbtf *b, uint32_t proto, struct kfunc_arg *out);
/* The struct is, or begins with, one of this name. */
bool kbtf_starts_with(const struct kbtf *b, uint32_t id, const char *want);
struct kern_kfunc {
	const char *name;
	uint32_t effects;
};
uint32_t kfunc_effects(const char *kfunc); /* enum kern_effect mask; 0 when it has no row */
const struct kern_kfunc *kern_kfunc_at(unsigned i); /* sorted by name; NULL past the end */
const char *kfunc_release(const char *acquire); /* gives back what that one acquires; NULL none */
/* The member of a trusted struct is a pointer that the verifier trusts, too (under RCU). */
bool kern_member_trusted(const char *owner, const char *member);
