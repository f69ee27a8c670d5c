/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The intermediate representation: SSA with block parameters, and proofs as values (docs/ir.md).
 *
 * A function is a list of blocks; a block has parameters, instructions and one terminator whose
 * edges carry arguments for the parameters of their target. Values are indices into fn->vals: each
 * entry is an instruction (also one without result) or a block parameter. Value 0 and block 0:
 * value 0 is "none"; block 0 is the entry, whose only parameter is the context.
 *
 * Rules that ir/check.c enforces after every pass:
 *   - a definition dominates its uses; types are as ops.def says; edge arguments fit parameters;
 *   - an access lies within the bytes its pointer's type proves;
 *   - slot pointers are never parameters, so the object behind one is always known;
 *   - bytes that a helper reads from a slot (keys, values, memory) are initialised on every path;
 *   - packet pointers do not live across calls that invalidate them;
 *   - what is acquired (rec, own btf) is given back exactly once on every path;
 *   - functions that a helper calls back belong to one program, and end in 0 or 1;
 *   - every cycle goes through a LOOP terminator; stack objects fit the budget.
 */
#pragma once
#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/meta.h"
#include "base/trap.h"
#include "kern/kern.h"

typedef uint32_t ir_val;
typedef uint32_t ir_blk;
#define IR_NONE 0u

enum ir_tkind {
#define T(id, text, what) IRT_##id,
#include "ir/types.def"
#undef T
	IRT_COUNT
};

enum ir_op {
#define O(id, text, form, nargs, flags, what) IR_##id,
#include "ir/ops.def"
#undef O
	IR_OP_COUNT,
	/* From here on machine operations, backend-bpf/isa.def: IR_MACHINE + their index. */
	IR_MACHINE = 256
};

enum ir_term_op {
#define N(id, text, nargs, nedges, what) IRN_##id,
#include "ir/terms.def"
#undef N
	IRN_COUNT
};

enum ir_cc { CC_EQ, CC_NE, CC_LT, CC_LE, CC_GT, CC_GE, CC_SLT, CC_SLE, CC_SGT, CC_SGE, CC_SET, CC_COUNT };
enum ir_atomic { AT_ADD, AT_OR, AT_AND, AT_XOR, AT_FADD, AT_FOR, AT_FAND, AT_FXOR, AT_XCHG, AT_COUNT };

enum ir_tflag {
	IRT_NULLABLE = 1,  /* MAPV REC BTF */
	IRT_UNTRUSTED = 2, /* BTF: loads may fault (and then give 0); no kfunc takes it */
	IRT_OWNED = 4,	   /* BTF: acquired; REC is always owned */
};

#define IR_ANY_RANGE UINT64_MAX
struct ir_type {
	uint8_t kind;  /* enum ir_tkind */
	uint8_t flags; /* enum ir_tflag */
	uint32_t n;    /* SLOT MAPV REC PKT FRAME KEY: bytes; CTX: enum kern_ctx; BTF: index into module's btf */
	uint64_t hi;   /* I64: greatest value, unsigned; IR_ANY_RANGE when unknown. Others 0 */
};

struct ir_edge {
	ir_blk to;
	uint32_t nargs;
	ir_val *args;
};

struct ir_term {
	uint8_t op; /* enum ir_term_op */
	uint8_t cc; /* IF: enum ir_cc */
	uint8_t nedges;
	bool w32;   /* machine form of IF: compare 32 bits */
	bool has_imm; /* machine form of IF: second operand is imm */
	ir_val args[2];
	int64_t imm;
	struct ir_edge edge[2];
	struct skep_span span;
};

#define IR_MAX_ARGS 5
#define IR_NO_REG 0xff
struct ir_ins {
	uint16_t op;   /* enum ir_op, or IR_MACHINE + isa row */
	uint8_t width; /* LD ST ATOM CAS LDCTX: bytes 1 2 4 8 */
	uint8_t sub;   /* ATOM: enum ir_atomic */
	uint8_t nargs;
	uint8_t reg;   /* after colouring: register of the result; else IR_NO_REG */
	ir_blk block;  /* where it stands; meaningful for parameters, too */
	struct ir_type type;
	ir_val args[IR_MAX_ARGS];
	int64_t imm; /* CONST of type i32: sign-extended */
	uint32_t aux; /* MAP GADDR: map index; FUNC: index in top->subs; ZERO: bytes; CALL: helper id; KCALL: kfunc index;
		       * LDF STF FOFS: field index; LDCTX: 1 + the field (TP), 0 none */
	struct skep_span span;
};

struct ir_block {
	VEC(ir_val) params;
	VEC(ir_val) ins;
	struct ir_term term;
	bool sealed; /* build.c: all predecessors known */
};

/* What FOFS gives; all but the first are in value. Shifts take a field out of 8 loaded bytes. */
enum ir_fact { FACT_OFF, FACT_SIZE, FACT_LSHIFT, FACT_RSHIFT, FACT_TYPE_SIZE, FACT_ENUM, FACT_TP, FACTS };
/* Facts about a kernel field, for LDF, STF and FOFS: resolved now, relocatable in a saved object. */
struct ir_field {
	const char *root;   /* struct the path starts from: "task_struct" */
	const char *path;   /* "scx.dsq_vtime" */
	uint32_t off, size; /* bytes, on the target; size 1 2 4 8 */
	uint32_t bit_off, bit_size; /* bit-field: from off's byte on; 0 otherwise */
	bool is_signed;
	uint8_t fact; /* enum ir_fact */
	/*
	 * Other facts: SIZE LSHIFT RSHIFT of the field; TYPE_SIZE of root, path ""; ENUM root's
	 * enumerator path; TP (for LDCTX, too) the offset of field path of the tracepoint root.
	 */
	int64_t value;
	struct ir_type type; /* I64, or BTF for pointers */
};
struct ir_kfunc {
	const char *name;
	uint32_t btf_id, proto; /* target's ids; 0 when compiled without BTF (tests) */
};
struct ir_btf { /* a kernel type that values point to */
	const char *name; /* "task_struct" */
	uint32_t id;	  /* target's id; 0 in tests without BTF */
};

struct ir_module {
	struct arena *a;
	struct trap *trap;
	struct skep_diags *diags;
	const struct target *target;
	struct meta *meta; /* maps are known by their index here */
	VEC(struct ir_fn *) fns; /* fns.v[i] is the code of meta->progs.v[i] */
	VEC(struct ir_field) fields;
	VEC(struct ir_kfunc) kfuncs;
	VEC(struct ir_btf) btf;
	const struct ir_machine_names *machine; /* names of machine operations; NULL before the back end */
	struct arena *scratch; /* for checks and passes, emptied by the driver; NULL: a serves */
};

#define IR_STACK_MAX 512    /* the kernel's MAX_BPF_STACK */
#define IR_STACK_RESERVE 64 /* kept free for spills: 8 slots; objects get the rest */

struct ir_fn {
	struct ir_module *m;
	struct arena *a;
	const char *name;
	enum kern_ctx ctx;
	VEC(struct ir_ins) vals; /* [0] unused */
	VEC(struct ir_block) blocks;
	uint32_t stack; /* after frame layout: bytes used */
	uint32_t below; /* bytes of stack of the functions called back from here */
	bool machine;	/* operations are the machine's */
	bool half_result; /* of what it returns only the low 32 bits count */
	bool no_result; /* nobody looks at what it returns (operations of struct_ops that give nothing) */
	struct ir_fn *top; /* the program it belongs to; itself when it is one */
	VEC(struct ir_fn *) subs; /* of a program: functions that helpers call back, inner first */
	uint64_t walk, branches; /* what going through a sub costs the verifier: ir_sub_cost */
	ir_val ctx_val; /* while it is built: the context */
	bool legal;	/* back_legal is done: the stack budget and constant divisors are checked */
	struct ir_build *build; /* build.c's bookkeeping, NULL when done */
	void *back;	/* backend's own data about this function */
};

/* ---- types (type.c) ---- */
#define IR_VOID ((struct ir_type){.kind = IRT_VOID})
#define IR_I32 ((struct ir_type){.kind = IRT_I32})
#define IR_I64 ((struct ir_type){.kind = IRT_I64, .hi = IR_ANY_RANGE})
struct ir_type ir_range(uint64_t hi); /* i64<0..hi> */
struct ir_type ir_ptr(enum ir_tkind kind, uint32_t n);
struct ir_type ir_nullable(struct ir_type t);
struct ir_type ir_btf_type(struct ir_module *m, const char *name, uint32_t id, uint8_t flags);
bool ir_type_eq(struct ir_type a, struct ir_type b);
/* A value of type from may be used where to is wanted: wider proof, smaller range, not nullable. */
bool ir_type_fits(struct ir_type from, struct ir_type to);
bool ir_is_ptr(struct ir_type t);
/* The type after SOME, NEED imm or BOUND imm succeeded on a value of type t. */
struct ir_type ir_proven(enum ir_term_op op, struct ir_type t, int64_t imm);
/* The best type the operands allow for a pure operation (ranges). */
struct ir_type ir_result_type(const struct ir_fn *f, enum ir_op op, ir_val a, ir_val b);
/* The type of an instruction's result by its operands; VOID and *why when it makes no sense. */
struct ir_type ir_infer(const struct ir_fn *f, const struct ir_ins *i, const char **why);

/* ---- building (build.c) ---- */
struct ir_fn *ir_fn_new(struct ir_module *m, const char *name, enum kern_ctx ctx);
/*
 * A function that bpf_for_each_map_elem calls for each entry of map: its parameters are the map,
 * key<N>, mapv<N>, frame<N>. Without a map (META_NONE) bpf_loop's: the number of the round, frame<N>.
 * What the caller hands on lies in the frame, the context at 0. Or, with frame 0, one that a timer in
 * map calls: it has neither a frame nor a context.
 */
struct ir_fn *ir_sub_new(struct ir_fn *top, const char *name, uint32_t map, uint32_t frame);
void ir_sub_frame(struct ir_fn *f, uint32_t bytes); /* once it is known how many there are */
enum ir_each { EACH_MAP, EACH_KEY, EACH_VALUE, EACH_FRAME, EACH_PARAMS }; /* those parameters */
enum ir_round { ROUND_NUMBER, ROUND_FRAME, ROUND_PARAMS };
ir_val ir_arg(const struct ir_fn *f, unsigned n);
ir_val ir_frame(const struct ir_fn *f); /* the last of them */
ir_val ir_ctx(const struct ir_fn *f); /* the context */
ir_val ir_func(struct ir_fn *f, struct ir_fn *sub); /* sub is finished */
static inline bool ir_is_sub(const struct ir_fn *f)
{
	return f->top != f;
}
ir_blk ir_block_new(struct ir_fn *f);
ir_val ir_param(struct ir_fn *f, ir_blk b, struct ir_type t); /* appends a parameter */

/*
 * The cursor: instructions go to the end of the current block. Every builder takes the span from
 * f's current span. After a terminator there is no current block until ir_at.
 */
void ir_at(struct ir_fn *f, ir_blk b);
ir_blk ir_here(const struct ir_fn *f);
bool ir_open(const struct ir_fn *f); /* there is a current block without terminator */
void ir_span(struct ir_fn *f, struct skep_span s);

ir_val ir_const(struct ir_fn *f, int64_t v);
ir_val ir_const32(struct ir_fn *f, int32_t v);
ir_val ir_bin(struct ir_fn *f, enum ir_op op, ir_val a, ir_val b);
ir_val ir_bini(struct ir_fn *f, enum ir_op op, ir_val a, int64_t imm);
ir_val ir_un(struct ir_fn *f, enum ir_op op, ir_val a);
ir_val ir_slot(struct ir_fn *f, uint32_t size); /* put into the entry block, wherever we are */
ir_val ir_map(struct ir_fn *f, uint32_t map);
ir_val ir_gaddr(struct ir_fn *f, uint32_t map, uint32_t off);
ir_val ir_off(struct ir_fn *f, ir_val p, int64_t off);
ir_val ir_index(struct ir_fn *f, ir_val p, ir_val n);
ir_val ir_ld(struct ir_fn *f, unsigned width, ir_val p, int64_t off);
void ir_st(struct ir_fn *f, unsigned width, ir_val p, int64_t off, ir_val v);
void ir_zero(struct ir_fn *f, ir_val p, int64_t off, uint32_t bytes);
/* AT_F* and AT_XCHG give the old value, the others IR_NONE. */
ir_val ir_atom(struct ir_fn *f, enum ir_atomic op, unsigned width, ir_val p, int64_t off, ir_val v);
ir_val ir_cas(struct ir_fn *f, unsigned width, ir_val p, int64_t off, ir_val expect, ir_val v);
ir_val ir_ldctx(struct ir_fn *f, unsigned width, int64_t off, struct ir_type t);
ir_val ir_ldf(struct ir_fn *f, ir_val p, uint32_t field);
void ir_stf(struct ir_fn *f, ir_val p, uint32_t field, ir_val v);
ir_val ir_fofs(struct ir_fn *f, uint32_t field);
/* name as in helpers.def; result type from its row (IR_NONE for void). t overrides it when kind != VOID. */
ir_val ir_call(struct ir_fn *f, const char *name, struct ir_type t, unsigned n, const ir_val *args);
ir_val ir_kcall(struct ir_fn *f, uint32_t kfunc, struct ir_type t, unsigned n, const ir_val *args);

uint32_t ir_add_field(struct ir_module *m, struct ir_field fld); /* finds an equal one first */
uint32_t ir_add_kfunc(struct ir_module *m, const char *name, uint32_t btf_id, uint32_t proto);

/* Terminators. Edges without arguments; ir_edge_arg appends one. */
void ir_jmp(struct ir_fn *f, ir_blk to);
void ir_if(struct ir_fn *f, enum ir_cc cc, ir_val a, ir_val b, ir_blk yes, ir_blk no);
/*
 * Proofs: the blocks must be new (no predecessors yet) or have a fitting first parameter. The
 * parameter that carries the proof is added to yes when it has none, and returned.
 */
ir_val ir_some(struct ir_fn *f, ir_val p, ir_blk yes, ir_blk no);
ir_val ir_need(struct ir_fn *f, ir_val pkt, ir_val end, uint32_t bytes, ir_blk yes, ir_blk no);
ir_val ir_bound(struct ir_fn *f, ir_val x, uint64_t below, ir_blk in, ir_blk out);
ir_val ir_loop(struct ir_fn *f, ir_val counter, uint64_t below, ir_blk body, ir_blk done);
void ir_ret(struct ir_fn *f, ir_val v);
void ir_edge_arg(struct ir_fn *f, ir_blk from, unsigned edge, ir_val v);

/*
 * Variables on the way to SSA (Braun et al. 2013): write and read by number, seal a block once all
 * its predecessors exist; parameters appear where they are needed. Reading a variable that is
 * never written on some path gives the constant 0. All values of a variable have one type.
 */
unsigned ir_var_new(struct ir_fn *f, struct ir_type t);
void ir_var_write(struct ir_fn *f, unsigned var, ir_val v);
ir_val ir_var_read(struct ir_fn *f, unsigned var);
/* The same, to be compared: equal values are the same more often. */
ir_val ir_var_value(struct ir_fn *f, unsigned var);
void ir_seal(struct ir_fn *f, ir_blk b);
/* Seals what is open, drops unreachable blocks and trivial parameters. Call once per function. */
void ir_finish(struct ir_fn *f);

static inline const struct ir_ins *ir_ins_of(const struct ir_fn *f, ir_val v)
{
	return &f->vals.v[v];
}
static inline struct ir_type ir_type_of(const struct ir_fn *f, ir_val v)
{
	return f->vals.v[v].type;
}
static inline bool ir_is_const(const struct ir_fn *f, ir_val v)
{
	return f->vals.v[v].op == IR_CONST;
}
static inline struct arena *ir_scratch(const struct ir_fn *f)
{
	return f->m->scratch ? f->m->scratch : f->a;
}
/* New instruction value, not yet in a block (passes insert it themselves). */
ir_val ir_new_ins(struct ir_fn *f, struct ir_ins ins);

/* ---- properties (ops.c) ---- */
enum ir_form {
	FORM_PARAM, FORM_CONST, FORM_BIN, FORM_UN, FORM_SLOT, FORM_MAPREF, FORM_GADDR, FORM_OFF,
	FORM_INDEX, FORM_FUNC, FORM_LD, FORM_ST, FORM_ZERO, FORM_ATOM, FORM_CAS, FORM_LDF, FORM_STF, FORM_FOFS,
	FORM_CALL
};
enum ir_oflag { OF_P = 1, OF_R = 2, OF_A = 4, OF_M = 8, OF_W = 16 };
struct ir_op_row {
	const char *text, *what;
	enum ir_form form : 8;
	int8_t nargs;
	uint16_t flags;
};
const struct ir_op_row *ir_op_row(enum ir_op op);
struct ir_term_row {
	const char *text;
	int nargs, nedges;
	const char *what;
};
const struct ir_term_row *ir_term_row(enum ir_term_op op);
const char *ir_cc_text(enum ir_cc cc);
enum ir_cc ir_cc_not(enum ir_cc cc);  /* CC_SET has no opposite: asserts */
enum ir_cc ir_cc_swap(enum ir_cc cc); /* operands exchanged */
const char *ir_atomic_text(enum ir_atomic a);
/* Evaluates a pure binary or unary operation on constants, with the width of type t. */
uint64_t ir_eval(enum ir_op op, bool w32, uint64_t a, uint64_t b);
bool ir_eval_cc(enum ir_cc cc, bool w32, uint64_t a, uint64_t b);

/* ---- control flow (cfg.c); all recomputed on demand, arena-allocated ---- */
struct ir_cfg {
	uint32_t nblocks;
	ir_blk *rpo;	 /* reachable blocks in reverse postorder */
	uint32_t nrpo;
	uint32_t *order; /* block -> position in rpo; UINT32_MAX unreachable */
	ir_blk *idom;
	uint32_t *dom_in, *dom_out; /* dominator tree in depth-first numbers; ir_dominates */
	VEC(ir_blk) *preds;
	uint32_t *loop_depth;
};
struct ir_cfg *ir_cfg_build(const struct ir_fn *f, struct arena *a);
bool ir_dominates(const struct ir_cfg *c, ir_blk a, ir_blk b);
void ir_drop_unreachable(struct ir_fn *f); /* empties them; indices stay */
void ir_split_critical_edges(struct ir_fn *f);

/* ---- text (print.c, parse.c): print then parse is the identity ---- */
void ir_print_module(const struct ir_module *m, struct buf *out);
void ir_print_decls(const struct ir_module *m, struct buf *out); /* what the functions name */
void ir_print_fn(const struct ir_fn *f, struct buf *out);
void ir_print_type(const struct ir_module *m, struct ir_type t, struct buf *out);
/*
 * Reads functions (and map declarations) into m; errors become diagnostics of kind DIAG_IR.
 * The machine form is parsed, too, when ops is given: names of machine operations by index.
 */
struct ir_machine_names {
	unsigned count;
	const char *(*name)(unsigned i);
};
bool ir_parse(struct ir_module *m, const char *text, size_t len, uint32_t base,
	const struct ir_machine_names *machine);

/* ---- checking (check.c) ---- */
/* True when f keeps the rules above; otherwise why gets one line per broken rule. */
bool ir_check(const struct ir_fn *f, struct buf *why);

void ir_sub_cost(struct ir_fn *sub); /* once, when it is finished */

/*
 * Gives each of the loops with these heads a bound, up to most, as great as the rule about the cost
 * of loops allows; 1 when it allows none. What they have must be at least most.
 */
void ir_fit_loops(struct ir_fn *f, const ir_blk *heads, uint32_t nheads, uint64_t most);

/* ---- passes: each keeps ir_check true ---- */
void ir_opt_fold(struct ir_fn *f); /* constants, algebra, branches on constants, jump threading */
void ir_opt_gvn(struct ir_fn *f);  /* equal pure operations; reuse of a dominating proof */
void ir_opt_slot(struct ir_fn *f); /* store-to-load forwarding in slots, dead stores */
void ir_opt_dce(struct ir_fn *f);  /* what nobody uses; unreachable blocks; unused parameters */
