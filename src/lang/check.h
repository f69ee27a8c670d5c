/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside the checker. The script is walked several times: in the first rounds messages go nowhere
 * and maps and variables settle (a map may be read before the line that writes it); the last round
 * speaks. LT_UNKNOWN is the type of what is not settled yet or was reported: it fits everywhere.
 */
#pragma once
#include "lang/front.h"

#define MAX_STRLEN_MOST 32000 /* what max_strlen may be set to */

struct each { /* a loop over a map or a range, around the statement at hand */
	struct stmt *s;
	struct each *outer;
	unsigned depth; /* of loops over maps */
};

struct check {
	struct script *s;
	struct arena *a;
	struct skep_diags *d; /* the script's, or nowhere in the early rounds */
	struct target *t;
	struct kbtf *btf; /* NULL: the target has none */
	struct probe *probe;
	struct smap files; /* path -> struct uelf *, programs and libraries that were looked into */
	const struct block *block; /* the innermost around the statement */
	struct smap vars;     /* all variables of the probe: name -> struct var_sym */
	struct smap assigned; /* those assigned so far, in source order */
	bool no_scx;	      /* it was told that the target has no sched_ext */
	bool final;	      /* the last round: everything is settled */
	bool changed;	      /* something settled in this round */
	unsigned loops;	      /* loops around the current statement */
	unsigned dead;	      /* conditions around it that are known not to hold */
	bool raw_text;	      /* the literal here is compared with a payload */
	const struct expr *compared; /* the left side of the comparison that is looked at */
	struct each *each;    /* the innermost loop over a map or range; NULL */
	VEC(const struct expr *) queued, made; /* queues of known numbers: with tasks put there; made */
	bool queue_any, queue_taken; /* one of some number is made; dsq_move_to_local(), dsq_move() … */
	const struct expr *disallow, *disallow_late; /* scx.disallow is written: in init_task; elsewhere */
	unsigned kept;	      /* variables that keep what is needed twice */
	unsigned dsq_loops;   /* those of them over queues of a scheduler */
};

/* ---- check.c ---- */
struct diag *c_error(struct check *c, struct skep_span at, enum diag_id id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void c_hint(struct check *c, struct diag *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define TARGET_HINT                                                                                \
	"for another machine, names come from --target FILE: 'tracefs = DIRECTORY' and "           \
	"'ksyms = FILE' in it"
/* "… is not supported in this version of skep"; hint may be NULL. */
void c_unsupported(struct check *c, struct skep_span at, const char *what, const char *hint);
bool c_named_arg(struct check *c, const char *name); /* an argument of this probe has that name */
const char *c_type(struct check *c, const struct lt *t);
/* The probe's kinds all satisfy the row; else reported. */
bool c_has_builtin(struct check *c, const struct builtin *b, struct skep_span at);
bool c_in_user(const struct check *c); /* a number is an address of user space there */
bool c_is_kind(const struct check *c, enum probe_parts parts); /* every point is of that form */
bool c_is_packet(const struct check *c); /* every point sees packets */

/* ---- check_module.c: types of the kernel's modules ---- */
void check_module(struct check *c); /* takes those of the module that the script's probes name */
bool module_types(struct check *c, struct attach_point *ap); /* else reported, or not there */

/* ---- check_own_types.c: the script's own types ---- */
void check_own_types(struct check *c);

/* ---- check_config.c ---- */
void check_config(struct check *c);
void check_decls(struct check *c);
void check_decl_uses(struct check *c);
void check_has_task_maps(struct check *c, struct skep_span at, const char *name); /* the kernel has */

/* ---- check_probe.c: attach points, once ---- */
void check_points(struct check *c, struct probe *p);
void check_duplicates(struct check *c);
void check_drop_missing(struct check *c); /* optional operations that the kernel has not */
void check_any_probe(struct check *c); /* reports a script that has none left */

/* ---- check_iface.c: attach points of packet hooks ---- */
void expand_interfaces(struct check *c, struct probe *p); /* xdp:eth* into one point each */
void check_packet_point(struct check *c, struct attach_point *ap);
void check_modes(struct check *c); /* native, generic: one for each interface */

const char *point_form(struct check *c, const struct attach_point *ap); /* how a right one looks */

/* ---- check_expand.c: patterns, and what the target lacks ---- */
bool is_pattern(const char *name);
void expand_patterns(struct check *c, struct probe *p);
struct diag *missing_probe(
	struct check *c, struct attach_point *ap, struct skep_span at, const char *text);
const char *point_name(struct check *c, const struct attach_point *ap);

/* ---- check_traced.c ---- */
void check_fentry(struct check *c, struct attach_point *ap);
void check_rawtp(struct check *c, struct attach_point *ap);
void check_lsm(struct check *c, struct attach_point *ap);
void check_iter(struct check *c, struct attach_point *ap);
void traced_arg(struct check *c, struct expr *e); /* args.NAME */
struct lt traced_retval(struct check *c, struct skep_span at);
bool traced_has_param(struct check *c, const struct attach_point *ap, const char *name);

/* ---- check_watch.c ---- */
void check_own_signal(struct check *c, struct attach_point *ap);
void check_watchpoint(struct check *c, struct attach_point *ap);

/* ---- check_ufunc.c ---- */
void check_ufunc(struct check *c, struct attach_point *ap);
void expand_ufunc(struct check *c, struct attach_point *ap,
	void (*found)(const char *path, const char *name, void *arg), void *arg);
bool is_number_part(const char *s);
void check_close_files(struct check *c);
/* The files a part means, in full; none: a missing probe, reported. */
const char **find_files(struct check *c, struct attach_point *ap);
struct uelf;
void check_uaddr(struct check *c, struct expr *e);
struct uelf *open_file(struct check *c, struct attach_point *ap, const char *path);

/* ---- check_cpp.c ---- */
void take_language(struct attach_point *ap); /* FILE:cpp:"NAME" becomes FILE:NAME and ap->cpp */
const char *cpp_name(struct arena *a, const char *symbol); /* "ns::f" for _ZN2ns1fEv; NULL: none */

/* ---- check_usdt.c ---- */
void expand_usdt(struct check *c, struct probe *p, struct attach_point *ap);
bool check_usdt_arg(struct check *c, const struct expr *e, unsigned n);

/* ---- check_clock.c ---- */
void check_interval(struct check *c, struct attach_point *ap);
void check_event(struct check *c, struct attach_point *ap);
/* ---- check_param.c ---- */
void check_getopt(struct check *c, struct expr *e);
void check_named(struct check *c);

/* ---- check_stmt.c ---- */
void check_block(struct check *c, struct block *b);

/* ---- check_each.c: loops over maps ---- */
void check_for_map(struct check *c, struct stmt *s);
void check_range_body(struct check *c, struct stmt *s);
void check_in_place(struct check *c); /* what is here has to stay in the probe's own code */
void check_note_var(struct check *c, const struct expr *e, struct var_sym *v, bool written);

/* ---- check_expr.c ---- */
void check_expr(struct check *c, struct expr *e);		      /* any value */
bool check_int(struct check *c, struct expr *e, const char *what);    /* a number; else reported */
bool check_number(struct check *c, struct expr *e, const char *what); /* a number or pointer */
void check_condition(struct check *c, struct expr *e);
/* A number known at compile time within lo..hi; else reported. */
bool check_const(struct check *c, struct expr *e, const char *what, int64_t lo, int64_t hi);
void set_const(struct expr *e, uint64_t v, bool is_signed);
/* A pointer of that type is moved by elements: their size must be known. */
void check_step(struct check *c, struct skep_span at, const struct lt *t);
/* Folds and types e = a op b, both checked and numbers. */
void check_arith(struct check *c, struct expr *e, enum binop op, struct expr *a, struct expr *b);

/* ---- check_name.c: names and addresses ---- */
void check_name(struct check *c, struct expr *e);
/* A constant of the kernel: an enumerator of its BTF, or one that headers define. */
void unknown_flag(struct check *c, const struct expr *e); /* reports a name in sched_flags */
bool kernel_const(struct check *c, const char *name, int64_t *v);
void check_in(struct check *c, struct expr *e);
bool net_comparable(struct check *c, struct expr *e, enum binop op, struct expr *a, struct expr *b);

/* ---- check_field.c: fields, casts, memory ---- */
void check_field(struct check *c, struct expr *e);
bool has_args(struct check *c, struct skep_span at); /* the probe has 'args'; else reported */
void check_cast(struct check *c, struct expr *e);
void check_index(struct check *c, struct expr *e);
void check_deref(struct check *c, struct expr *e);
void check_addr(struct check *c, struct expr *e); /* &a, a checked */
struct lt lt_from_btf(struct check *c, uint32_t id, enum lt_space space, bool typed);
void field_is_assignable(struct check *c, struct expr *e);

/* ---- check_net.c: packets ---- */
#define PAYLOAD_MOST 1024 /* offsets into the payload are below */
#define PAYLOAD_PART 64	  /* bytes of it in one comparison, at most */
void check_net_field(struct check *c, struct expr *e);
void check_net_names(struct check *c, const struct expr *a, struct expr *b); /* b is compared with a */
bool check_payload(struct check *c, struct expr *e);	    /* false: it is something else */
bool check_payload_text(struct check *c, struct expr *e);   /* the same of a comparison */
#define DNS_NAME_MOST 63 /* bytes of a name that is looked for */
void check_contains(struct check *c, struct expr *e);
void check_dns_name(struct check *c, struct expr *e);
bool net_field_writable(struct check *c, const struct expr *e); /* else reported */

/* ---- check_act.c: what packet rules do ---- */
bool check_list_decl(struct check *c, struct map_decl *m); /* false: it is no list */
bool check_is_decl(const char *name); /* it stands outside of probes: let @x = NAME(…) */
void check_in_map(struct check *c, struct expr *e);	   /* x in @map */
void check_drop(struct check *c, struct expr *e);
void check_redirect(struct check *c, struct expr *e);
void check_capture(struct check *c, struct expr *e);
void check_every(struct check *c, struct expr *e);
void check_rate(struct check *c, struct expr *e);
bool count_args(struct check *c, const struct expr *e, uint32_t min, uint32_t max);
/* ---- check_func.c: functions that give values ---- */
typedef void (*check_fn)(struct check *c, struct expr *e);
check_fn check_value_func(enum builtin_id id); /* NULL: another file's */
/* Values whose type is "auto"; false: another's. */
bool check_special_value(struct check *c, struct expr *e, enum builtin_id id);
/* The call changes the system: only with --unsafe; else reported. */
bool c_needs_unsafe(struct check *c, const struct expr *e);

/* ---- check_sugar.c: what stands for something else of the language ---- */
void sugar_args(struct check *c, struct expr *e, const char *const *names, uint32_t n);
bool sugar_task(struct check *c, struct expr *e, enum builtin_id id); /* ppid, ppid(task) … */
bool sugar_stack_arg(struct check *c, struct expr *e); /* sarg0 … */
check_fn sugar_func(enum builtin_id id); /* NULL: another file's */
/* The 'if' at the end of a block, whose sides end in values, as one value; or NULL. */
struct expr *sugar_block_value(struct check *c, struct block *b);
bool sugar_stmt(struct check *c, struct stmt *s); /* true: it is an "if" now */
void sugar_find(struct check *c, struct stmt *s); /* if (find(…)) */
bool sugar_delete(struct check *c, struct expr *e); /* true: it is a block now */
bool sugar_tuple_equal(struct check *c, struct expr *e);

/* ---- check_sched.c ---- */
void check_note_queue(struct check *c, const struct expr *e, const char *kfunc);
void check_scheduler(struct check *c);

/* ---- check_call.c, check_print.c, check_kfunc.c ---- */
void check_call(struct check *c, struct expr *e, bool as_statement);
void check_system(struct check *c, struct expr *e);
void check_join(struct check *c, struct expr *e);
void check_printf(struct check *c, struct expr *e);
void check_conversions(struct check *c, struct expr *e, uint32_t at, bool kernel);
void check_kfunc(struct check *c, struct expr *e, const char *name);
/* The same for a call whose value may be a reference: assigned, or handed to another function. */
void check_kfunc_nested(struct check *c, struct expr *e);
void check_for_dsq(struct check *c, struct stmt *s);
void c_needs_rcu(struct check *c); /* the probe uses pointers that sleeping makes invalid */
bool is_kfunc_name(struct check *c, const char *name);
bool is_agg_call(const struct expr *e);

/* ---- check_stack.c ---- */
struct lt lt_stack(const struct check *c, bool user);
int stack_mode_by_name(const char *name); /* enum meta_stack_mode; -1 unknown */
void check_stack(struct check *c, struct expr *e);
void check_ksym(struct check *c, struct expr *e);
void check_usym(struct check *c, struct expr *e);
void check_strftime(struct check *c, struct expr *e);
void check_kaddr(struct check *c, struct expr *e);

/* ---- check_map.c ---- */
enum map_use { MAP_READ, MAP_WRITE, MAP_WHOLE, MAP_PART /* its key stands apart */, MAP_IN /* x in @map */ };
/* Finds the map, checks its keys and settles their types. */
struct map_sym *check_map(struct check *c, struct expr *e, enum map_use use);
void check_len(struct check *c, struct expr *e);
struct lt check_map_entries(struct check *c, struct expr *e); /* all of them: what they hold */
bool agg_is_number(enum meta_agg agg); /* its value is one number */
void check_map_value(struct check *c, struct expr *e); /* EX_MAP as a value */
/* '=', what pointers take as well as numbers (+= -= ++ --), what only numbers do (*= …). */
enum map_change { MAP_SET, MAP_ADD, MAP_OP };
void check_map_assign(
	struct check *c, struct expr *target, struct expr *value, enum map_change change);
void check_agg_assign(struct check *c, struct expr *target, struct expr *call);
void check_map_keys(struct check *c, struct map_sym *m, struct exprs *keys, struct skep_span at);
struct map_sym *check_map_sym(struct check *c, const struct expr *e); /* found by name, or new */

/* ---- check_task.c: values kept on tasks ---- */
void check_task_key(struct check *c, struct map_sym *m, struct exprs *keys, struct skep_span at);
/* Of @x[task].f, where fields of @x are assigned, makes the map that f is; leaves others alone. */
void check_task_field(struct check *c, struct expr *e);
bool check_task_use(struct check *c, struct expr *e, enum map_use use);
const char *task_field_name(const struct map_sym *m);

/* ---- check_map.c: variables ---- */
/* For "%.*s": without the number that tells variables of macros and functions apart. */
#define VAR_NAME(name) (int)strcspn(name, "'"), name
void check_var(struct check *c, struct expr *e); /* EX_VAR as a value */
void check_var_assign(struct check *c, struct expr *target, struct expr *value);
/* let $x : type; type LT_NONE: cast says it. */
void check_var_declare(
	struct check *c, struct expr *target, struct lt type, const struct expr *cast);
uint32_t check_written_size(const struct expr *e); /* bytes of a number, of what a $variable got */
struct expr *check_var_zero(struct check *c, const struct expr *target); /* its first value, or NULL */
const struct expr *check_var_cast(struct check *c, const struct expr *target); /* or NULL */

/* ---- check_rules.c: packet rules that cannot be meant so ---- */
void check_rules(struct check *c);
/* The constant v, or both ends of a range, is a number that the field may have; else reported. */
void check_net_range(struct check *c, const struct net_field *f, const struct expr *v);

/* ---- check_choose.c: which kernel object a map becomes ---- */
void check_note_keys(struct check *c, struct map_sym *m, const struct exprs *keys);
void check_note_whole(struct check *c, struct map_sym *m);
void check_choose(struct check *c);

/* ---- check_keep.c: what maps, keys, variables and tuples keep ---- */
bool is_storable(struct check *c, const struct expr *e, const char *what);
bool can_keep(struct check *c, const struct expr *e, const char *what);
struct lt kept_type(const struct check *c, const struct expr *e);
void check_kept_as(struct expr *value, const struct lt *t);
bool lt_grow(struct check *c, struct lt *t, struct lt new, bool is_const);
void check_tuple(struct check *c, struct expr *e);
void check_named_element(struct check *c, struct expr *e);
void check_element_of(struct check *c, struct expr *e, const struct expr *base, uint64_t index,
	struct skep_span at);

/* ---- types.c, check_cast.c ---- */
void check_sizeof(struct check *c, struct expr *e);
void check_offsetof(struct check *c, struct expr *e);
struct lt lt_int(uint32_t size, bool is_signed);
struct lt lt_bool(void); /* 0 or 1, and prints as such */
struct lt lt_str(uint32_t size);
struct lt lt_of(enum lt_kind kind, uint32_t size);
static inline bool lt_is(const struct expr *e, enum lt_kind k)
{
	return e->type.kind == k;
}
/* A pointer about which nothing is proven any more. */
static inline void lt_forget(struct lt *t)
{
	t->typed = t->trusted = t->rcu = t->nullable = t->owned = false;
}
static inline bool is_u64(const struct lt *t)
{
	return t->kind == LT_INT && t->size == 8 && !t->is_signed;
}
