/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The syntax tree, and what the checker writes into it. The parser fills the first part of each
 * node; check.c fills the fields marked "checked"; lowering only reads.
 */
#pragma once
#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/meta.h"
#include "kern/kern.h"

/* ---- types of the language ---- */
enum lt_kind {
	LT_NONE,   /* no value (statements, void functions) */
	LT_INT,	   /* size 1 2 4 8, signedness; arithmetic is in 64 bits */
	LT_STR,	   /* size bytes at most, NUL included */
	LT_PTR,	   /* to BTF type btf (0: opaque, or an integer of int_size) */
	LT_STRUCT, /* kernel struct or union in memory: only its members are used */
	LT_ARRAY,  /* array in memory: element type btf, nelems */
	LT_INET4,
	LT_INET6,
	LT_MAC,
	LT_TUPLE, /* elements in lt.tuple; without it: the right side of "in" */
	LT_INET,  /* an address that says its family: ntop(); 20 bytes in memory */
	LT_BUF,	  /* bytes with their number before them; size bytes at most, the number excluded */
	LT_CODED, /* a number that prints as something else: lt.coded */
	LT_PROBE, /* the probe's name, a u32 index at run time */
	LT_FUNC,  /* the name of the function the probe is on, a u32 index at run time */
	LT_AGG,	  /* result of count(), hist() …: only assignable to a map */
	LT_STACK, /* a stack, by its number: stack says which */
	LT_KSYM,  /* kernel address that prints as its symbol */
	LT_USYM,  /* user address and process */
	LT_TIME,  /* moment that prints by the format time_fmt */
	LT_UNKNOWN, /* an error was reported; lowering never sees it */
};
enum lt_space { SPACE_KERNEL, SPACE_USER };
struct lt_tuple;
struct lt {
	enum lt_kind kind;
	uint32_t size;	     /* bytes of the value in keys and records */
	bool is_signed;	     /* LT_INT */
	enum lt_space space; /* LT_PTR: where it points; LT_STRUCT, LT_ARRAY: where it lies */
	bool typed;	     /* LT_PTR, LT_STRUCT: the verifier knows the type; loads go straight */
	/* LT_PTR that is typed: */
	bool trusted;	     /* kernel functions take it */
	bool rcu;	     /* valid only in programs that do not sleep */
	bool nullable;	     /* may be NULL */
	bool owned;	     /* a reference: given back at the end of the block */
	uint32_t btf;	     /* LT_PTR: pointee; LT_STRUCT: struct; LT_ARRAY: element (BTF type ids) */
	uint32_t nelems;     /* LT_ARRAY */
	struct {
		bool user;
		uint8_t mode;	/* enum meta_stack_mode */
		uint16_t limit; /* frames */
	} stack;		/* LT_STACK */
	const char *time_fmt; /* LT_TIME */
	uint32_t int_size;   /* LT_PTR, LT_ARRAY of integers that have no BTF ("int32 *"): bytes */
	uint32_t enum_id;    /* LT_INT: BTF id of the enum it prints as; 0 none */
	bool boolean;	     /* LT_INT: prints as true or false */
	bool local;	     /* LT_STRUCT, LT_ARRAY: kept by the script, not at an address */
	const struct lt_tuple *tuple; /* LT_TUPLE */
	enum meta_kind coded;	      /* LT_CODED */
};
struct lt_tuple {
	const char *const *names; /* of the elements: a record; NULL: a tuple */
	uint32_t n;
	struct lt el[];
};

/* ---- expressions ---- */
enum expr_kind {
	EX_INT,	   /* 1, 0x10, 1e6, 1_000, 10ms, 'c' */
	EX_STR,	   /* "text" */
	EX_ADDR,   /* 10.0.0.1, 10.0.0.0/8, 2001:db8::/32, 00:11:22:33:44:55 */
	EX_NAME,   /* comm, SCX_SLICE_DFL, args */
	EX_VAR,	   /* $x */
	EX_POSARG, /* $1; $# is index 0 */
	EX_MAP,	   /* @x[keys] */
	EX_CALL,   /* f(args) */
	EX_UNARY,  /* ! ~ - * & */
	EX_BINARY,
	EX_IN, /* x in {…}, x in 10.0.0.0/8, x in a..b */
	EX_TERNARY,
	EX_CAST,   /* (type)x */
	EX_FIELD,  /* a.b, a->b */
	EX_INDEX,  /* a[i] */
	EX_TUPLE,  /* (a, b) */
	EX_RECORD, /* (a = 1, b = 2) */
	EX_INCDEC, /* x++ ++x x-- --x */
	EX_RANGE,  /* a..b inside a set */
	EX_SET,	   /* {a, b, c..d} */
	EX_BLOCK,  /* { statements; value }: a macro, a call of a function */
};
enum binop {
	BO_ADD, BO_SUB, BO_MUL, BO_DIV, BO_MOD, BO_AND, BO_OR, BO_XOR, BO_SHL, BO_SHR,
	BO_LAND, BO_LOR, BO_EQ, BO_NE, BO_LT, BO_LE, BO_GT, BO_GE,
};
enum unop { UO_NOT, UO_BNOT, UO_NEG, UO_PLUS, UO_DEREF, UO_ADDR };

/* What a name, field or call turned out to be (checked). */
enum ref_kind {
	REF_NONE,
	REF_BUILTIN, /* ref.builtin: row of builtins.def */
	REF_CONST,   /* ref.num: enum constant or table constant */
	REF_ARGS,    /* "args" itself */
	REF_TPFIELD, /* args.f of a tracepoint: ref.tp, of the first of them; see lo_tp_of */
	REF_OPSARG,  /* args.p of a struct_ops operation: ref.index */
	REF_TRACEDARG, /* args.x of a function or raw tracepoint: by name, see lo_traced_arg */
	REF_NET,     /* tcp.dport: ref.net */
	REF_ELEMENT, /* $t.1, $t[1]: element ref.index of a tuple */
	REF_MEMBER,  /* member of the struct that base is or points to: ref.member, ref.owner */
	REF_FUNC,    /* call of a builtin function: ref.builtin */
	REF_KFUNC,   /* call of a kernel function: ref.kfunc */
	REF_AGG,     /* call of an aggregation: ref.agg */
};
struct kfunc_ref {
	const char *name; /* the kernel's */
	uint32_t btf_id, proto;
};

struct expr;
struct exprs {
	VEC(struct expr *) list;
};
struct expr {
	enum expr_kind kind;
	uint32_t height; /* of the tree below, bounded by the parser: walks may recurse */
	struct skep_span span;
	union {
		struct {
			uint64_t v;
			bool is_unsigned; /* does not fit int64_t, or has a u suffix */
		} num; /* EX_INT; EX_POSARG: v is the index */
		struct {
			const char *s; /* escapes resolved */
			uint32_t n;
		} str; /* EX_STR */
		struct {
			uint8_t bytes[16]; /* network order */
			uint8_t family;	   /* 4, 6, or 0 for a MAC address */
			uint8_t prefix;	   /* bits; 32, 128, 48 for a single address */
		} addr;			   /* EX_ADDR */
		const char *name;	   /* EX_NAME; EX_VAR without '$' */
		struct {
			const char *name; /* "@" or "@x" */
			struct exprs keys; /* a single tuple is spread over several keys */
		} map;
		struct {
			const char *name;
			struct skep_span name_span;
			struct exprs args;
		} call;
		struct {
			enum unop op;
			struct expr *a;
		} unary;
		struct {
			enum binop op;
			struct expr *a, *b;
		} binary; /* EX_IN: b is EX_SET, EX_RANGE, EX_ADDR, EX_MAP; op unused */
		struct {
			struct expr *cond, *yes, *no; /* yes NULL: cond's value ("a ?: b") */
		} ternary;
		struct {
			const char *type; /* as written: "struct sock", "uint64" */
			unsigned stars;
			struct expr *a;
			struct skep_span type_span;
			struct expr *of;      /* typeof(of); or NULL */
			bool array;	      /* (type[nelems]) */
			uint32_t nelems;      /* 0: as many as the value has */
		} cast;
		struct {
			struct expr *base;
			const char *name;
			struct skep_span name_span;
			bool arrow; /* written -> */
		} field;
		struct {
			struct expr *base, *index;
		} index;
		struct exprs tuple; /* EX_TUPLE, EX_SET, EX_RECORD */
		struct {
			struct exprs values; /* the same as tuple */
			const char **names;
		} record; /* EX_RECORD */
		struct {
			struct expr *target; /* EX_VAR or EX_MAP */
			bool prefix, dec;
		} incdec;
		struct {
			struct expr *lo, *hi; /* inclusive */
		} range;
		struct {
			struct block *body;
			struct expr *value; /* or NULL */
			const char *fn; /* the function it is a call of; or NULL */
		} block;
	} u;
	/* checked */
	struct lt type;
	bool is_bool;  /* EX_INT: written true or false */
	bool is_const; /* its value is num, known at compile time (integers) */
	uint64_t const_value;
	struct {
		enum ref_kind kind;
		union {
			unsigned builtin; /* enum builtin_id */
			unsigned agg;	  /* enum meta_agg */
			unsigned index;	  /* REF_OPSARG, REF_ELEMENT */
			uint64_t num;
			const struct tp_field *tp;
			const struct net_field *net;
			struct {
				struct kbtf_member member;
				uint32_t owner; /* struct's BTF id */
				bool through_ptr; /* base is a pointer that is followed here */
			} m;
			struct kfunc_ref kfunc;
		} u;
	} ref;
	struct map_sym *map; /* EX_MAP */
	struct var_sym *var; /* EX_VAR */
};

/* ---- statements ---- */
enum stmt_kind {
	ST_EXPR,
	ST_ASSIGN, /* target op= value */
	ST_LET,	   /* let $x = e; target is the EX_VAR, value may be NULL */
	ST_IF,
	ST_WHILE,
	ST_FOR_RANGE, /* for ($i : a..b), b exclusive */
	ST_FOR_MAP,   /* for ($kv : @m) */
	ST_FOR_DSQ,   /* for ($p : dsq(id)): tasks of a dispatch queue; lo is the id */
	ST_UNROLL,
	ST_BLOCK,
	ST_BODY, /* of a function: a block that 'return' in it ends */
	ST_RETURN,
	ST_BREAK,
	ST_CONTINUE,
};
struct stmt;
struct each_use { /* a variable of the code around a loop over a map, used in its body */
	struct var_sym *var;
	bool written;
};
struct block {
	VEC(struct stmt *) list;
	struct skep_span span;
};
struct stmt {
	enum stmt_kind kind;
	bool ended; /* by a ";" */
	bool in_fn; /* ST_RETURN: of a function, ends its ST_BODY; has no expr */
	bool drops; /* ST_EXPR: "_ = e"; ST_RETURN, checked: the probe returns nothing */
	struct skep_span span;
	union {
		struct expr *expr; /* ST_EXPR; ST_RETURN (or NULL) */
		struct {
			struct expr *target; /* EX_VAR, EX_MAP or EX_FIELD */
			struct expr *value;
			struct expr *type; /* let $x : type: EX_CAST, "string", string[N]; or NULL */
			bool compound;
			enum binop op; /* when compound */
		} assign;
		struct {
			struct expr *cond;
			struct block *yes, *no; /* no may be NULL; "else if" is a block of one */
		} cond;
		struct {
			struct expr *cond; /* ST_WHILE; ST_UNROLL: the count */
			struct block *body;
		} loop;
		struct {
			struct expr *var;
			struct expr *lo, *hi; /* ST_FOR_RANGE */
			struct expr *map;     /* ST_FOR_MAP */
			VEC(struct each_use) uses; /* ST_FOR_MAP, ST_FOR_RANGE: checked */
			bool in_place; /* ST_FOR_RANGE, checked: the body cannot be a function */
			struct block *body;
		} each;
		struct block *block;
	} u;
};

/* ---- programs ---- */
struct attach_point {
	enum kern_probe_kind kind; /* PROBE_COUNT when unknown (an error was reported) */
	const char *kind_text;	   /* as written */
	VEC(const char *) parts;   /* after the kind, without quotes; may hold wildcards */
	VEC(struct skep_span) part_spans;
	struct skep_span span, kind_span;
	bool optional; /* "sched_ext?:op": passed over where the kernel has no such operation */
	/* checked */
	const char *name;		    /* canonical full name */
	const struct tracepoint *tracepoint; /* PP_TRACEPOINT */
	const struct scx_op *op;	    /* PP_OPS */
	uint32_t ops_proto;		    /* PP_OPS: BTF id of the operation's prototype; 0 none */
	uint32_t ops_ret;		    /* PP_OPS: BTF id of its return type */
	bool rcu;			    /* PP_OPS: uses pointers that need a program without sleep */
	uint32_t proto;	  /* BTF id of what it takes: PP_FENTRY PP_RAWTP PP_LSM; 0 unknown */
	uint32_t proto_skip; /* parameters that the program does not get */
	uint32_t proto_ret;  /* BTF id of what the program returns; 0 nothing */
	const char *usdt_args; /* PP_USDT: "8@%rdi -4@$5"; NULL unknown */
	const char *func; /* what 'func' prints; NULL: the kind has none */
	uint64_t num[2];  /* what the kind needs: as in struct meta_probe */
	const char *pattern; /* interfaces: what it was written as; or NULL */
	bool cpp;	  /* a name of C++: "ns::f" */
	bool from_pattern; /* one of those that a pattern found: it need not attach */
	bool missing;	  /* not on the target: checked, but no code is made for it */
};
struct probe {
	VEC(struct attach_point) points;
	struct expr *pred; /* or NULL */
	struct block *body;
	uint32_t written; /* checked: points as the script has them, patterns not expanded */
	struct skep_span span;
	/* checked */
	enum kern_ctx ctx;
	bool uses_probe; /* its code depends on which of its points it runs for */
	bool uses_args; /* args.NAME */
	bool sets_fields; /* @x[task].f = … */
	bool uses_argn; /* arg0, arg1 … */
	VEC(struct var_sym *) vars;
};
/* The "if" that alone makes up an else branch; chains of them are walked in a loop. */
static inline struct stmt *stmt_else_if(const struct stmt *s)
{
	const struct block *no = s->u.cond.no;

	return no && no->list.n == 1 && no->list.v[0]->kind == ST_IF ? no->list.v[0] : NULL;
}
struct config_entry {
	const char *key;
	struct expr *value; /* EX_INT, EX_STR or EX_NAME */
	struct skep_span key_span;
};
enum list_kind { LIST_NONE, LIST_PREFIXES, LIST_PORTS };
struct map_decl { /* let @m = hash(100); */
	const char *map, *type;
	struct expr *size; /* or NULL */
	struct expr *file; /* of a list: prefixes("file"), prefixes("file", size); or NULL */
	struct skep_span span;
	bool hidden; /* skep's own: not printed */
	bool lru, percpu; /* checked */
	enum list_kind list; /* checked */
};

/* checked: one per map of the script */
struct map_sym {
	const char *name; /* "@", "@x" */
	struct skep_span first; /* where it was first used */
	struct skep_span key_at, value_at; /* where its types were settled, for messages */
	bool keyed, has_key_type, written;
	bool task; /* declared task(), or with fields: a value per task, hung on the task */
	bool record;	 /* task, and its value is fields, each a map_sym, "@t[].f", with its own type */
	uint32_t fields; /* how many */
	struct map_sym *of; /* a field's record; else NULL */
	uint32_t off;	    /* of the field, in its record */
	bool by_tid; /* the same, chosen by check_choose.c: every key is tid, the rest is never seen */
	bool other_keys;  /* than tid in a tracing probe */
	uint32_t wholes;  /* uses of the map as a whole */
	bool unset;	  /* something takes values away: delete(), clear(), zero() */
	bool set_first;	  /* BEGIN gives it a value and nothing takes it away: it has one from then on */
	VEC(struct lt) keys;
	bool set_signed, set_unsigned; /* it was given a number of that kind, not a constant that adapts */
	struct lt value; /* LT_NONE until known; LT_AGG never: see agg */
	enum meta_agg agg;
	bool agg_signed;
	bool agg_read; /* its value is read inside a probe */
	int64_t lhist_min, lhist_max, lhist_step;
	uint32_t hist_bits;
	const struct map_decl *decl;
	uint32_t max_entries;
	unsigned families; /* of a list of prefixes: 1 looked up for IPv4, 2 for IPv6 */
	uint32_t meta; /* lowering: index into meta.maps */
	uint32_t list[2]; /* lowering: maps of a list: IPv4 or ports, IPv6 */
};
/* checked: one per $variable and probe */
struct var_sym {
	const char *name;
	struct lt type;
	struct skep_span first;
	const struct block *scope; /* trusted pointers: visible to its end */
	uint32_t int_size; /* bytes of the widest number it got, constants aside; 0 none */
	const struct expr *cast; /* let $x : type: what every value is cast to; or NULL */
	unsigned ir_var; /* lowering */
	unsigned slot;	 /* lowering: strings and the like */
	const void *slot_of; /* lowering: the function that has it */
};

/* What becomes of a probe that the target does not have. */
/* The default warns, as old bpftrace did, where a block has several probes and others exist. */
enum missing { MISSING_ERROR, MISSING_WARN, MISSING_IGNORE, MISSING_DEFAULT };

struct config { /* checked: values of the config block and of the environment */
	uint32_t max_strlen;	/* bytes, NUL included */
	uint32_t max_keystr;	/* the same for keys, map values and $variables */
	uint32_t max_map_keys;
	uint32_t max_probes; /* that one pattern may match */
	uint32_t max_cat_bytes; /* 0: all of a file */
	uint32_t perf_rb_pages; /* of 4096 bytes: the buffer of events; 0: RING_BYTES */
	enum missing missing_probes;
	const char *sched_name;
	uint32_t sched_timeout_ms; /* 0: the kernel's */
	uint64_t sched_flags;
	uint32_t sched_dispatch_max_batch, sched_exit_dump_len;
	bool print_maps_on_exit;
	bool no_trailer; /* cut strings print without ".." */
	const char *default_verdict; /* of packet rules: "pass", "drop"; NULL: pass */
	uint32_t stack_mode; /* enum meta_stack_mode */
};

/* A C definition of the script: struct, union, enum, typedef. */
enum cdef_kind { CDEF_STRUCT, CDEF_UNION, CDEF_ENUM, CDEF_TYPEDEF };
struct cmember {
	const char *name;   /* NULL: anonymous struct or union */
	const char *type;   /* as in casts: "struct sock", "unsigned int"; NULL: inner */
	struct cdef *inner; /* defined in place */
	unsigned stars;	    /* a pointer to a function is one star of void */
	uint32_t dims[4], ndims;
	int bits; /* -1: no bit-field */
	struct skep_span span;
};
struct cdef {
	enum cdef_kind kind;
	const char *name; /* NULL when it has none */
	VEC(struct cmember) members; /* of a typedef: one; of an enum: none */
	VEC(const char *) names;     /* enumerators */
	VEC(int64_t) values;
	bool packed;
	struct skep_span span;
	/* checked */
	uint32_t id, size, align; /* BTF id */
};

struct script {
	const struct smap *macros; /* and functions, by name */
	struct smap with_fields; /* names of maps whose fields are assigned: @x[task].f = … */
	VEC(struct cdef *) cdefs;
	struct arena *a;
	struct skep_diags *d;
	struct target *target;
	VEC(struct config_entry) config_entries;
	VEC(struct map_decl) decls;
	VEC(struct probe) probes;
	/* checked */
	struct config config;
	struct smap maps; /* name -> struct map_sym */
	const char *const *params; /* positional parameters $1… */
	unsigned nparams;
	const char *const *named; /* "--name=value" for getopt() */
	unsigned nnamed;
	const char *const *settings; /* "name=value" over the config block, NULL-terminated; or NULL */
	struct smap options; /* names getopt() asks for */
	bool unsafe;
	bool check_reads; /* count reads of memory that fail */
	int pid; /* only events of this process; 0 all */
	int cpid; /* the command that skep started; 0 none */
	bool portable; /* the object may run on another machine */
	bool offline;
	unsigned searches; /* checked: what the loops of 'contains' cost the verifier */
	bool count_rules;
};
