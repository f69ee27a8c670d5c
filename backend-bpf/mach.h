/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The machine form of a function, shared by the passes of the back end.
 *
 * The container is the IR's: an operation is IR_MACHINE + a row of isa.def. Operands by form:
 *   ALU_RR   a, b: result = a op b, in a's register    ALU_RI   a, imm      ALU_R   a
 *   MOV_RR   a; a stack object as operand means its address plus imm
 *   MOV_RI   imm; aux, when not 0, is 1 + the field whose offset the number is (ADD64_RI, too)
 *   LD64     imm a constant, or aux a map and imm the offset in its value
 *   LDX      a: base, imm the offset; aux as above    STX  a base, imm, b value
 *   ST_IMM   a base, imm the offset, aux the value    ATOMIC, FETCH  as STX; result in b's register
 *   CMPXCHG  a base, b expected, c new                CALL, CALL_KFUNC  args, aux
 * Stack objects stay IR_SLOT instructions: names of places in the frame, never in a register. Those
 * with aux = 1 are spill slots. In terminators a constant operand is in imm, with has_imm.
 *
 * Uses that take a value from anywhere (arguments of calls, results, arguments of edges) need no
 * register for what can be made on the spot: see mach_floats.
 */
#pragma once
#include "backend-bpf/backend.h"
#include "backend-bpf/insn.h"

#define MACH(row) ((uint16_t)(IR_MACHINE + ISA_##row))
#define MACH_REGS 10	    /* r0 .. r9 */
#define MACH_SAVED 0x3c0u   /* r6 .. r9 survive calls */
#define MACH_SCRATCH 0x03fu /* r0 .. r5 do not */
#define SLOT_OBJECT 0
#define SLOT_SPILL 1

/* Two pools of registers; a value lives in one of them for all its life. */
enum mach_class { MC_LOW, MC_HIGH, MC_CLASSES };
static inline unsigned mach_class_regs(enum mach_class c)
{
	return c == MC_HIGH ? 4 : 6;
}

/* The form before spilling, for back_verify_alloc. */
struct back_ref {
	uint32_t nvals, nblocks;
	struct ir_ins *vals;
	struct ir_block *blocks;
};

struct back_fn {
	VEC(uint8_t) cls;     /* by value: enum mach_class */
	VEC(ir_val) origin;   /* by value: the value of ref it holds, 0 itself */
	VEC(int32_t) slot_at; /* by value: stack objects' offset from r10 */
	struct back_ref ref;
	ir_blk *order; /* layout; NULL before */
	uint32_t norder;
	uint32_t spills, reloads;
	ir_val exchange;    /* spill slot that parallel copies borrow; 0 none */
	ir_val exchange2;
};
struct back_fn *back_data(struct ir_fn *f);
/* Bytes that stack objects of f may take; those of functions called back from it go to f->below. */
int64_t back_room(struct ir_fn *f);
/* The order of blocks, n of them. */
const ir_blk *back_order(const struct ir_fn *f, uint32_t *n);

static inline bool mach_is(const struct ir_ins *i)
{
	return i->op >= IR_MACHINE;
}
static inline enum isa_op mach_op(const struct ir_ins *i)
{
	return (enum isa_op)(i->op - IR_MACHINE);
}
static inline const struct isa_row *mach_row(const struct ir_ins *i)
{
	return isa_row(mach_op(i));
}
static inline bool mach_form(const struct ir_ins *i, enum isa_form form)
{
	return mach_is(i) && mach_row(i)->form == form;
}
static inline bool mach_slot(const struct ir_fn *f, ir_val v)
{
	return f->vals.v[v].op == IR_SLOT;
}

/* Leaves nothing in r0..r5 but its result in r0: calls, and cmpxchg, which we treat alike. */
bool mach_calls(const struct ir_ins *i);
/* Has a result that wants a register (dead or not). */
bool mach_result(const struct ir_fn *f, ir_val v);
/* Can be made again anywhere from nothing: constants, maps, addresses of stack objects. */
bool mach_remat(const struct ir_fn *f, ir_val v);
/* No register needed at places that take a value from anywhere: remat, or a refill (sub set). */
bool mach_floats(const struct ir_fn *f, ir_val v);
#define MACH_IN_PLACE 1 /* ins.sub of such a refill, and of the store of a parameter to its slot */
/* Operands that must still be in their registers when the result is written; bit k: args[k]. */
unsigned mach_late(const struct ir_fn *f, const struct ir_ins *i);
/* Index of the operand whose register the result takes, -1 none. */
int mach_tied(const struct ir_ins *i);
static inline bool mach_anywhere(const struct ir_ins *i) /* its operands may be anywhere */
{
	return mach_calls(i);
}
/* args[k] of i is read from a register. */
bool mach_reads(const struct ir_fn *f, const struct ir_ins *i, unsigned k);
/* The result of term's args[k] needs a register of its own choice (all but RET's). */
bool mach_term_reads(const struct ir_fn *f, const struct ir_term *t, unsigned k);

/* New instruction value; grows the tables of back_fn. */
ir_val mach_new(struct ir_fn *f, struct ir_ins ins);
ir_val mach_spill_slot(struct ir_fn *f); /* the caller puts it into the entry block */
void mach_dce(struct ir_fn *f);

/* By value: ADDR instructions whose result must be a number to the verifier, too (isel_addr.c). */
bool *isel_addr_numbers(const struct ir_fn *f, const struct ir_cfg *c);

/* ---- liveness (live.c) ---- */
struct live {
	const struct ir_cfg *cfg;
	uint32_t words;	 /* of a set */
	uint32_t nvals;	 /* values there were; of later ones nothing is known */
	uint32_t *number; /* value -> its bit in the sets; LIVE_LOCAL: no block but its own reads it */
	ir_val *value;	 /* and back */
	uint64_t *in, *out; /* sets by place in cfg->rpo */
};
#define LIVE_LOCAL UINT32_MAX
uint32_t back_pressure(const struct ir_fn *f); /* pressure.c: most values alive at once, in IR form */
void live_build(const struct ir_fn *f, const struct ir_cfg *c, struct arena *a, struct live *l);
static inline bool bit_has(const uint64_t *s, ir_val v)
{
	return s[v / 64] >> (v % 64) & 1;
}
static inline void bit_add(uint64_t *s, ir_val v)
{
	s[v / 64] |= (uint64_t)1 << (v % 64);
}
static inline void bit_del(uint64_t *s, ir_val v)
{
	s[v / 64] &= ~((uint64_t)1 << (v % 64));
}
static inline const uint64_t *live_in(const struct live *l, ir_blk b)
{
	return l->in + (size_t)l->words * l->cfg->order[b];
}
static inline const uint64_t *live_out(const struct live *l, ir_blk b)
{
	return l->out + (size_t)l->words * l->cfg->order[b];
}
static inline bool live_behind(const struct live *l, ir_blk b, ir_val v)
{
	return v < l->nvals && l->number[v] != LIVE_LOCAL && bit_has(live_out(l, b), l->number[v]);
}

/* Raised for broken invariants. */
#define mach_bug(f, pass, v, what)                                                                 \
	trap_raise((f)->m->trap, SKEP_EBUG, "%s: %s: value %%%u: %s", (f)->name, pass, (v), what)
