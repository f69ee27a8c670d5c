/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interpreter's engine: decodes a program once, then runs it. What an operation does follows
 * from its form (one function each, below) and the columns of its row in isa.def.
 * Arithmetic is written anew here, not taken from ir_eval: this is the oracle for that, too.
 */
#include "backend-bpf/interp_int.h"
#include "backend-bpf/backend.h"
#include <stdarg.h>
#include <string.h>

#define POISON 0xbad0bad0bad0bad0u /* registers that the verifier would not let be read */
#define DEFAULT_STEPS 1000000

bool interp_fail(struct interp *in, const char *fmt, ...)
{
	va_list ap;

	if (in->error)
		return false;
	va_start(ap, fmt);
	in->error = arena_vprintf(in->a, fmt, ap);
	va_end(ap);
	in->error_at = in->state->at;
	return false;
}

/* ---- arithmetic: operands and result as the low w bits of 64 ---- */

static int64_t sext(uint64_t v, unsigned w)
{
	return (int64_t)(v << (64 - w)) >> (64 - w);
}

static uint64_t alu_add(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return a + b;
}

static uint64_t alu_sub(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return a - b;
}

static uint64_t alu_mul(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return a * b;
}

static uint64_t alu_div(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return b ? a / b : 0;
}

static uint64_t alu_mod(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return b ? a % b : a;
}

static uint64_t alu_or(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return a | b;
}

static uint64_t alu_and(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return a & b;
}

static uint64_t alu_xor(uint64_t a, uint64_t b, unsigned w)
{
	(void)w;
	return a ^ b;
}

static uint64_t alu_lsh(uint64_t a, uint64_t b, unsigned w)
{
	return a << (b & (w - 1));
}

static uint64_t alu_rsh(uint64_t a, uint64_t b, unsigned w)
{
	return a >> (b & (w - 1));
}

static uint64_t alu_arsh(uint64_t a, uint64_t b, unsigned w)
{
	return (uint64_t)(sext(a, w) >> (b & (w - 1)));
}

static uint64_t alu_sdiv(uint64_t a, uint64_t b, unsigned w)
{
	int64_t sa = sext(a, w), sb = sext(b, w);

	if (sb == 0)
		return 0;
	return sb == -1 ? 0 - a : (uint64_t)(sa / sb); /* least / -1 wraps to least */
}

static uint64_t alu_smod(uint64_t a, uint64_t b, unsigned w)
{
	int64_t sa = sext(a, w), sb = sext(b, w);

	if (sb == 0)
		return a;
	return sb == -1 ? 0 : (uint64_t)(sa % sb);
}

typedef uint64_t alu_fn(uint64_t a, uint64_t b, unsigned w);
static alu_fn *const alu_ops[2][16] = {
	/* by the opcode's upper half; second row: signed, off is 1 */
	{[BPF_ADD >> 4] = alu_add,
		[BPF_SUB >> 4] = alu_sub,
		[BPF_MUL >> 4] = alu_mul,
		[BPF_DIV >> 4] = alu_div,
		[BPF_OR >> 4] = alu_or,
		[BPF_AND >> 4] = alu_and,
		[BPF_LSH >> 4] = alu_lsh,
		[BPF_RSH >> 4] = alu_rsh,
		[BPF_MOD >> 4] = alu_mod,
		[BPF_XOR >> 4] = alu_xor,
		[BPF_ARSH >> 4] = alu_arsh},
	{[BPF_DIV >> 4] = alu_sdiv, [BPF_MOD >> 4] = alu_smod},
};

static uint64_t low(uint64_t v, unsigned w)
{
	return w == 32 ? (uint32_t)v : v;
}

static bool alu(struct interp *in, const struct decoded *d, uint64_t b)
{
	unsigned w = d->row->width;
	alu_fn *fn = alu_ops[d->row->off][BPF_OP(d->row->code) >> 4];
	uint64_t *dst = &in->state->r[d->dst];

	*dst = low(fn(low(*dst, w), low(b, w), w), w);
	return true;
}

static bool run_ALU_RR(struct interp *in, const struct decoded *d)
{
	return alu(in, d, in->state->r[d->src]);
}

static bool run_ALU_RI(struct interp *in, const struct decoded *d)
{
	return alu(in, d, (uint64_t)(int64_t)d->imm);
}

static uint64_t swap_bytes(uint64_t v, unsigned bits)
{
	return bits == 16   ? __builtin_bswap16((uint16_t)v)
	       : bits == 32 ? __builtin_bswap32((uint32_t)v)
			    : __builtin_bswap64(v);
}

static bool run_ALU_R(struct interp *in, const struct decoded *d)
{
	uint64_t *dst = &in->state->r[d->dst];
	unsigned bits = (unsigned)d->row->imm;

	if (BPF_OP(d->row->code) == BPF_NEG)
		*dst = low(0 - *dst, d->row->width);
	else if (BPF_CLASS(d->row->code) == BPF_ALU64 || BPF_SRC(d->row->code) == BPF_TO_BE)
		*dst = swap_bytes(*dst, bits);
	else /* to little-endian, which we are */
		*dst = *dst << (64 - bits) >> (64 - bits);
	return true;
}

static bool run_MOV_RR(struct interp *in, const struct decoded *d)
{
	uint64_t v = in->state->r[d->src];

	if (d->row->off)
		v = (uint64_t)sext(v, (unsigned)d->row->off);
	in->state->r[d->dst] = low(v, d->row->width);
	return true;
}

static bool run_MOV_RI(struct interp *in, const struct decoded *d)
{
	in->state->r[d->dst] = low((uint64_t)(int64_t)d->imm, d->row->width);
	return true;
}

static bool run_LD64(struct interp *in, const struct decoded *d)
{
	in->state->r[d->dst] = d->imm64;
	in->state->pc++;
	return true;
}

/* ---- memory ---- */

static bool run_LDX(struct interp *in, const struct decoded *d)
{
	uint64_t v;

	if (!mem_load(in, in->state->r[d->src] + (uint64_t)(int64_t)d->off, d->row->width / 8, &v))
		return false;
	if (BPF_MODE(d->row->code) == BPF_MEMSX)
		v = (uint64_t)sext(v, d->row->width);
	in->state->r[d->dst] = v;
	return true;
}

static bool run_ST_IMM(struct interp *in, const struct decoded *d)
{
	return mem_store(in, in->state->r[d->dst] + (uint64_t)(int64_t)d->off, d->row->width / 8,
		(uint64_t)(int64_t)d->imm);
}

static bool run_STX(struct interp *in, const struct decoded *d)
{
	return mem_store(in, in->state->r[d->dst] + (uint64_t)(int64_t)d->off, d->row->width / 8,
		in->state->r[d->src]);
}

/* Reads the operand, writes what comes of it; *old is what was there. */
static bool atomic(struct interp *in, const struct decoded *d, uint64_t *old)
{
	uint64_t addr = in->state->r[d->dst] + (uint64_t)(int64_t)d->off;
	unsigned w = d->row->width;
	uint64_t src = low(in->state->r[d->src], w), v;

	if (addr & (w / 8 - 1))
		return interp_fail(in, "atomic operation on an address that is not aligned");
	if (!mem_load(in, addr, w / 8, old))
		return false;
	if (d->row->imm == BPF_XCHG)
		v = src;
	else if (d->row->imm == BPF_CMPXCHG)
		v = *old == low(in->state->r[0], w) ? src : *old;
	else
		v = alu_ops[0][BPF_OP(d->row->imm) >> 4](*old, src, w);
	return mem_store(in, addr, w / 8, v);
}

static bool run_ATOMIC(struct interp *in, const struct decoded *d)
{
	uint64_t old;

	return atomic(in, d, &old);
}

static bool run_FETCH(struct interp *in, const struct decoded *d)
{
	return atomic(in, d, &in->state->r[d->src]);
}

static bool run_CMPXCHG(struct interp *in, const struct decoded *d)
{
	uint64_t old;

	if (!atomic(in, d, &old))
		return false;
	in->state->r[0] = old;
	return true;
}

/* ---- control ---- */

#define CONDITION(name, type, expr)                                                                \
	static bool cond_##name(uint64_t ua, uint64_t ub, unsigned w)                              \
	{                                                                                          \
		type a = (type)sext(ua, w), b = (type)sext(ub, w);                                 \
		return expr;                                                                       \
	}
/* Extending both sides' signs keeps their unsigned order. */
CONDITION(eq, uint64_t, a == b)
CONDITION(ne, uint64_t, a != b)
CONDITION(lt, uint64_t, a < b)
CONDITION(le, uint64_t, a <= b)
CONDITION(gt, uint64_t, a > b)
CONDITION(ge, uint64_t, a >= b)
CONDITION(slt, int64_t, a < b)
CONDITION(sle, int64_t, a <= b)
CONDITION(sgt, int64_t, a > b)
CONDITION(sge, int64_t, a >= b)
CONDITION(set, uint64_t, (a & b) != 0)

static bool (*const conditions[16])(uint64_t a, uint64_t b, unsigned w) = {
	[BPF_JEQ >> 4] = cond_eq,
	[BPF_JNE >> 4] = cond_ne,
	[BPF_JLT >> 4] = cond_lt,
	[BPF_JLE >> 4] = cond_le,
	[BPF_JGT >> 4] = cond_gt,
	[BPF_JGE >> 4] = cond_ge,
	[BPF_JSLT >> 4] = cond_slt,
	[BPF_JSLE >> 4] = cond_sle,
	[BPF_JSGT >> 4] = cond_sgt,
	[BPF_JSGE >> 4] = cond_sge,
	[BPF_JSET >> 4] = cond_set,
};

static void go(struct interp *in, int64_t distance)
{
	in->state->pc = (uint32_t)((int64_t)in->state->pc + distance);
}

static bool jump_if(struct interp *in, const struct decoded *d, uint64_t b)
{
	uint64_t a = in->state->r[d->dst];

	if (conditions[BPF_OP(d->row->code) >> 4](a, b, d->row->width))
		go(in, d->off);
	return true;
}

static bool run_JMP_RR(struct interp *in, const struct decoded *d)
{
	return jump_if(in, d, in->state->r[d->src]);
}

static bool run_JMP_RI(struct interp *in, const struct decoded *d)
{
	return jump_if(in, d, (uint64_t)(int64_t)d->imm);
}

static bool run_JA(struct interp *in, const struct decoded *d)
{
	go(in, d->off);
	return true;
}

static bool run_JA_IMM(struct interp *in, const struct decoded *d)
{
	go(in, d->imm);
	return true;
}

static void poison_args(struct interp_state *s)
{
	for (unsigned r = 1; r <= 5; r++)
		s->r[r] = POISON;
}

static bool run_CALL(struct interp *in, const struct decoded *d)
{
	if (!call_helper(in, (uint32_t)d->imm))
		return false;
	poison_args(in->state);
	return true;
}

static bool run_CALL_KFUNC(struct interp *in, const struct decoded *d)
{
	(void)d;
	return interp_fail(in, "kernel functions cannot be called here");
}

static bool enter(struct interp *in, uint32_t pc)
{
	struct interp_state *s = in->state;
	struct frame *f = &s->frame[s->depth];

	if (s->depth + 1 == FRAMES)
		return interp_fail(in, "calls nested deeper than %d", FRAMES);
	f->back = s->pc;
	memcpy(f->saved, &s->r[6], sizeof(f->saved));
	s->depth++;
	memset(s->written[s->depth], 0, FRAME_SIZE);
	s->r[BPF_REG_FRAME] = mem_addr(in, REGION_STACK + s->depth, FRAME_SIZE);
	for (unsigned r = 6; r <= 9; r++)
		s->r[r] = POISON;
	s->pc = pc;
	return true;
}

static bool run_CALL_LOCAL(struct interp *in, const struct decoded *d)
{
	return enter(in, (uint32_t)((int64_t)in->state->pc + d->imm));
}

static bool run_EXIT(struct interp *in, const struct decoded *d)
{
	struct interp_state *s = in->state;

	(void)d;
	if (s->depth == 0) {
		s->done = true;
		return true;
	}
	s->depth--;
	s->pc = s->frame[s->depth].back;
	memcpy(&s->r[6], s->frame[s->depth].saved, sizeof(s->frame[0].saved));
	s->r[BPF_REG_FRAME] = mem_addr(in, REGION_STACK + s->depth, FRAME_SIZE);
	poison_args(s);
	return true;
}

static bool (*const run_form[IFORM_COUNT])(struct interp *in, const struct decoded *d) = {
#define FORM(id, flags, what) [IFORM_##id] = run_##id,
#include "backend-bpf/isa.def"
};

/* ---- decoding and running ---- */

/* What the constant stands for; false when its map does not exist. */
static bool constant(struct interp *in, enum isa_op op, uint32_t at, uint64_t *v)
{
	uint32_t lo = (uint32_t)in->insn[at].imm, hi = (uint32_t)in->insn[at + 1].imm;
	uint32_t nmaps = in->meta ? in->meta->maps.n : 0;
	const struct meta_map *m;

	*v = (uint64_t)hi << 32 | lo;
	if (op == ISA_LD64_FUNC)
		*v = (uint64_t)at + 1 + (uint64_t)(int64_t)(int32_t)lo;
	if (op != ISA_LD64_MAP && op != ISA_LD64_VALUE)
		return true;
	if (lo >= nmaps)
		return interp_fail(in, "map %u does not exist", lo);
	*v = mem_addr(in, REGION_MAPREF, lo);
	if (op == ISA_LD64_MAP)
		return true;
	/* array_map_direct_value_addr, kernel/bpf/arraymap.c */
	m = &in->meta->maps.v[lo];
	if (m->type != BPF_MAP_TYPE_ARRAY || m->max_entries != 1)
		return interp_fail(in, "map %u is no array of one entry", lo);
	if (hi >= m->value_size)
		return interp_fail(in, "offset %u is beyond the value of map %u", hi, lo);
	*v = mem_addr(in, REGION_MAP + lo, hi);
	return true;
}

static bool decode_one(struct interp *in, uint32_t *at)
{
	const struct bpf_insn *i = &in->insn[*at];
	struct decoded *d = &in->state->code[*at];
	const char *why = isa_illegal(i);
	int op = isa_find(i);

	in->state->at = *at;
	if (why)
		return interp_fail(in, "%s", why);
	*d = (struct decoded){.row = isa_row((enum isa_op)op),
		.dst = i->dst_reg,
		.src = i->src_reg,
		.off = i->off,
		.imm = i->imm};
	d->run = run_form[d->row->form];
	if (!(d->row->flags & ISAF_IMM64))
		return true;
	if (*at + 1 >= in->n)
		return interp_fail(in, "half of a 64-bit constant");
	in->state->code[++*at] = (struct decoded){0};
	return constant(in, (enum isa_op)op, *at - 1, &d->imm64);
}

static bool decode(struct interp *in)
{
	struct interp_state *s = in->state;

	if (s->decoded_n == in->n && s->decoded &&
		!memcmp(s->decoded, in->insn, sizeof(*in->insn) * in->n))
		return true;
	if (in->n > s->code_cap) {
		s->code = ARENA_ARRAY(in->a, struct decoded, in->n);
		s->decoded = ARENA_ARRAY(in->a, struct bpf_insn, in->n);
		s->code_cap = in->n;
	}
	s->decoded_n = 0;
	for (uint32_t at = 0; at < in->n; at++) {
		if (!decode_one(in, &at))
			return false;
	}
	if (in->n)
		memcpy(s->decoded, in->insn, sizeof(*in->insn) * in->n);
	s->decoded_n = in->n;
	return true;
}

/* Until the program ends or, in a callback, until its frame is left. */
static bool run_until(struct interp *in, uint32_t depth)
{
	struct interp_state *s = in->state;
	uint64_t max = in->max_steps ? in->max_steps : DEFAULT_STEPS;

	while (!s->done && s->depth >= depth) {
		const struct decoded *d;

		s->at = s->pc;
		if (s->pc >= in->n || !s->code[s->pc].row)
			return interp_fail(in, "went to %u, where no instruction starts", s->pc);
		if (s->steps++ >= max)
			return interp_fail(
				in, "still running after %llu steps", (unsigned long long)max);
		d = &s->code[s->pc++];
		if (!d->run(in, d))
			return false;
	}
	return true;
}

bool interp_callback(struct interp *in, uint32_t pc, const uint64_t args[4], uint64_t *r0)
{
	struct interp_state *s = in->state;

	if (!enter(in, pc))
		return false;
	memcpy(&s->r[1], args, 4 * sizeof(args[0]));
	if (!run_until(in, s->depth))
		return false;
	*r0 = s->r[0];
	return true;
}

void interp_link(struct code *c)
{
	for (uint32_t i = 0; i < c->relocs.n; i++) {
		const struct code_reloc *k = &c->relocs.v[i];
		struct bpf_insn *x = &c->insn[k->insn];

		if (k->kind != CR_MAP && k->kind != CR_MAP_VALUE)
			continue;
		x->src_reg = k->kind == CR_MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		x->imm = (int32_t)k->index;
		x[1].imm = k->kind == CR_MAP ? 0 : (int32_t)k->add;
	}
}

void interp_init(struct interp *in)
{
	in->state = ARENA_NEW(in->a, struct interp_state);
	mem_init(in);
	maps_init(in);
}

bool interp_run(struct interp *in, uint64_t *r0)
{
	struct interp_state *s = in->state;

	in->error = NULL;
	s->at = s->pc = s->depth = 0;
	s->steps = 0;
	s->run++;
	s->done = false;
	if (!decode(in) || !mem_start(in))
		return false;
	for (unsigned r = 0; r < BPF_REGS; r++)
		s->r[r] = POISON;
	s->r[1] = mem_addr(in, REGION_CTX, 0);
	s->r[BPF_REG_FRAME] = mem_addr(in, REGION_STACK, FRAME_SIZE);
	if (!run_until(in, 0))
		return false;
	if (mem_record_leaked(in))
		return interp_fail(in, "a ring buffer record was not given back");
	*r0 = s->r[0];
	return mem_finish(in);
}
