/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the instruction set or the kernel lacks, said in operations they have: signed division and
 * sign extension below level 4, ZERO as stores, far offsets, stack objects that do not fit the
 * frame. Critical edges are split here, so the passes after may put copies on every edge.
 *
 * Requires: checked IR. Ensures: IR whose every operation has a row in isel.def; f->legal.
 */
#include "backend-bpf/mach.h"

#define OBJECTS_FEW 64 /* bytes that stay on the stack in any case */
#define SPILLS_PLANNED (2 * IR_STACK_RESERVE) /* what back_room leaves for spills, at least */

struct legal {
	struct ir_fn *f;
	struct ir_block out;
	ir_blk block;
	struct skep_span span;
	int isa;
};

static ir_val add(struct legal *l, struct ir_ins ins)
{
	ir_val v;

	ins.block = l->block;
	ins.span = l->span;
	ins.reg = IR_NO_REG;
	v = ir_new_ins(l->f, ins);
	vec_push(l->f->a, &l->out.ins, v);
	return v;
}

static ir_val constant(struct legal *l, int64_t c, bool w32)
{
	return add(l, (struct ir_ins){.op = IR_CONST, .imm = c, .type = w32 ? IR_I32 : IR_I64});
}

static ir_val bin(struct legal *l, enum ir_op op, ir_val a, ir_val b)
{
	bool w32 = ir_type_of(l->f, a).kind == IRT_I32;

	return add(l, (struct ir_ins){.op = (uint16_t)op, .nargs = 2, .args = {a, b},
		.type = w32 ? IR_I32 : IR_I64});
}

/* v becomes op a, b and takes its place in the block. */
static void become(struct legal *l, ir_val v, enum ir_op op, ir_val a, ir_val b)
{
	struct ir_ins *i = &l->f->vals.v[v];

	i->op = (uint16_t)op;
	i->nargs = 2;
	i->args[0] = a;
	i->args[1] = b;
	i->imm = 0;
	vec_push(l->f->a, &l->out.ins, v);
}

/* All ones when v is negative, otherwise zero. */
static ir_val sign(struct legal *l, ir_val v)
{
	bool w32 = ir_type_of(l->f, v).kind == IRT_I32;

	return bin(l, IR_ASHR, v, constant(l, w32 ? 31 : 63, w32));
}

static ir_val magnitude(struct legal *l, ir_val v, ir_val s)
{
	return bin(l, IR_SUB, bin(l, IR_XOR, v, s), s);
}

static bool never_negative(const struct legal *l, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(l->f, v);

	if (i->op == IR_CONST)
		return i->type.kind == IRT_I32 ? (int32_t)i->imm >= 0 : i->imm >= 0;
	return i->type.kind == IRT_I64 && i->type.hi <= INT64_MAX;
}

/*
 * Signed division on magnitudes. Exact without branches: the least number has itself as unsigned
 * magnitude, and the unsigned operation's answers for zero (0, the dividend) are the signed ones.
 */
static void signed_division(struct legal *l, ir_val v)
{
	struct ir_ins i = *ir_ins_of(l->f, v);
	enum ir_op op = i.op == IR_SDIV ? IR_UDIV : IR_UMOD;
	bool apos = never_negative(l, i.args[0]), bpos = never_negative(l, i.args[1]);
	ir_val sa = IR_NONE, sb = IR_NONE, ua = i.args[0], ub = i.args[1], s, q;

	if (apos && bpos) {
		become(l, v, op, ua, ub);
		return;
	}
	if (!apos) {
		sa = sign(l, ua);
		ua = magnitude(l, ua, sa);
	}
	if (!bpos) {
		sb = sign(l, ub);
		ub = magnitude(l, ub, sb);
	}
	q = bin(l, op, ua, ub);
	if (op == IR_UMOD)
		s = sa;
	else
		s = sa && sb ? bin(l, IR_XOR, sa, sb) : sa ? sa : sb;
	if (!s)
		become(l, v, IR_OR, q, constant(l, 0, i.type.kind == IRT_I32));
	else
		become(l, v, IR_SUB, bin(l, IR_XOR, q, s), s);
}

static void sign_extension(struct legal *l, ir_val v)
{
	struct ir_ins i = *ir_ins_of(l->f, v);
	bool w32 = i.type.kind == IRT_I32;
	int bits = i.op == IR_SEXT8 ? 8 : i.op == IR_SEXT16 ? 16 : 32;
	ir_val count = constant(l, (w32 ? 32 : 64) - bits, w32);

	become(l, v, IR_ASHR, bin(l, IR_SHL, i.args[0], count), count);
}

/* How far v is from the start of its object, as far as constants tell. */
static int64_t known_offset(const struct ir_fn *f, ir_val v)
{
	int64_t off = 0;

	for (; f->vals.v[v].op == IR_OFF; v = f->vals.v[v].args[0])
		off += f->vals.v[v].imm;
	return off;
}

static void zero(struct legal *l, ir_val v)
{
	struct ir_ins i = *ir_ins_of(l->f, v);
	int64_t at = known_offset(l->f, i.args[0]) + i.imm, end = at + i.aux;
	ir_val c = i.aux ? constant(l, 0, false) : IR_NONE;

	while (at < end) { /* aligned: the verifier wants that of the stack everywhere */
		unsigned w = 8;

		while (at % w || at + w > end)
			w /= 2;
		add(l, (struct ir_ins){.op = IR_ST, .width = (uint8_t)w, .nargs = 2,
			.args = {i.args[0], c}, .imm = i.imm + (int64_t)i.aux - (end - at), .type = IR_VOID});
		at += w;
	}
}

/* Fetching and bitwise atomics came with Linux 5.12; there is nothing that could stand for them. */
static void atomic(struct legal *l, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(l->f, v);
	const struct target *t = l->f->m->target;

	if (t && !target_has(t, KF_ATOMICS) && !(i->op == IR_ATOM && i->sub == AT_ADD))
		diag_error(l->f->m->diags, i->span, DIAG_NO_KERNEL_FEATURE,
			"this needs %s, which the target kernel lacks (Linux %u.%u has them)",
			kern_feature_what(KF_ATOMICS), kern_feature_since(KF_ATOMICS) >> 16,
			kern_feature_since(KF_ATOMICS) >> 8 & 0xff);
	vec_push(l->f->a, &l->out.ins, v);
}

static void near_offset(struct legal *l, ir_val v)
{
	struct ir_ins i = *ir_ins_of(l->f, v);

	if (i.op != IR_LDCTX && !isa_off_ok(i.imm)) {
		struct ir_type t = ir_type_of(l->f, i.args[0]);
		ir_val p;

		t.n -= (uint32_t)i.imm;
		p = add(l, (struct ir_ins){.op = IR_OFF, .nargs = 1, .args = {i.args[0]}, .imm = i.imm,
			.type = t});
		l->f->vals.v[v].args[0] = p;
		l->f->vals.v[v].imm = 0;
	}
	if (i.op == IR_ATOM || i.op == IR_CAS)
		atomic(l, v);
	else
		vec_push(l->f->a, &l->out.ins, v);
}

/*
 * Constants the verifier refuses as immediates although the operation is defined: a divisor 0, a
 * shift by the width or more. Folding leaves none, but a pass after it may find a constant.
 */
static bool odd_constant(struct legal *l, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(l->f, v);
	bool w32 = i->type.kind == IRT_I32;
	uint64_t width = w32 ? 32 : 64, n;

	if (i->nargs != 2 || !ir_is_const(l->f, i->args[1]))
		return false;
	n = (uint64_t)ir_ins_of(l->f, i->args[1])->imm;
	switch (i->op) {
	case IR_SHL:
	case IR_LSHR:
	case IR_ASHR:
		if (n < width)
			return false;
		become(l, v, (enum ir_op)i->op, i->args[0],
			constant(l, (int64_t)(n & (width - 1)), w32));
		return true;
	case IR_UDIV:
	case IR_SDIV:
	case IR_UMOD:
	case IR_SMOD:
		if (w32 ? (uint32_t)n : n)
			return false;
		become(l, v, i->op == IR_UDIV || i->op == IR_SDIV ? IR_AND : IR_OR, i->args[0],
			constant(l, 0, w32));
		return true;
	default:
		return false;
	}
}

static void legal_ins(struct legal *l, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(l->f, v);

	l->span = i->span;
	if (odd_constant(l, v))
		return;
	switch (i->op) {
	case IR_SDIV:
	case IR_SMOD:
		if (l->isa < 4) {
			signed_division(l, v);
			return;
		}
		break;
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
		if (l->isa < 4) {
			sign_extension(l, v);
			return;
		}
		break;
	case IR_ZERO:
		zero(l, v);
		return;
	case IR_LD:
	case IR_LDCTX:
	case IR_ST:
	case IR_ATOM:
	case IR_CAS:
		near_offset(l, v);
		return;
	default:
		break;
	}
	vec_push(l->f->a, &l->out.ins, v);
}

static void take_block(struct legal *l, ir_blk b)
{
	struct ir_block *blk = &l->f->blocks.v[b];

	blk->ins.v = l->out.ins.v;
	blk->ins.n = l->out.ins.n;
	blk->ins.cap = l->out.ins.cap;
	l->out = (struct ir_block){0};
}

/* ---- objects too large for the stack ---- */

static uint32_t scratch_map(struct ir_module *m)
{
	uint32_t i = meta_role_map(m->meta, MM_SCRATCH);
	struct meta_map map = {.name = "scratch", .kname = "skep_scratch", .role = MM_SCRATCH,
		.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .max_entries = 1,
		.present_off = META_NONE};

	if (i != META_NONE)
		return i;
	vec_push(m->meta->a, &m->meta->maps, map);
	return m->meta->maps.n - 1;
}

/* Objects whose address goes to functions that are called back: those have to be on the stack. */
static void keep_frames(const struct ir_fn *f, bool *keep)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = &f->blocks.v[b];

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			const struct ir_ins *in = ir_ins_of(f, blk->ins.v[i]);
			const struct kern_helper *h = in->op == IR_CALL ? kern_helper_by_id(in->aux)
									 : NULL;

			for (unsigned a = 0; h && a < in->nargs; a++) {
				if (h->arg[a] == KA_CBCTX)
					keep[in->args[a]] = true;
			}
		}
	}
}

/* What the objects may take where so many values are alive that the room for spills is too little. */
static int64_t room_for_objects(struct ir_fn *f, int64_t total)
{
	int64_t room = back_room(f), spills;

	if (total <= OBJECTS_FEW)
		return room;
	spills = 16 * (int64_t)back_pressure(f); /* bytes, twice what it says */
	if (spills > SPILLS_PLANNED)
		room -= spills - SPILLS_PLANNED;
	return room > OBJECTS_FEW ? room : OBJECTS_FEW;
}

/* Chooses the largest objects until the rest fits; true when there are any. */
static bool choose_moved(struct ir_fn *f, bool *moved)
{
	const struct ir_block *entry = &f->blocks.v[0];
	int64_t total = 0, most;
	bool any = false, *keep = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);

	if (f->top->subs.n)
		keep_frames(f, keep);

	for (uint32_t i = 0; i < entry->ins.n; i++) {
		const struct ir_ins *s = ir_ins_of(f, entry->ins.v[i]);

		if (s->op == IR_SLOT)
			total += (s->imm + 7) & ~7;
	}
	most = room_for_objects(f, total);
	while (total > most) {
		ir_val best = IR_NONE;

		for (uint32_t i = 0; i < entry->ins.n; i++) {
			ir_val v = entry->ins.v[i];
			const struct ir_ins *s = ir_ins_of(f, v);

			if (s->op == IR_SLOT && !moved[v] && !keep[v] &&
				(!best || s->imm > f->vals.v[best].imm))
				best = v;
		}
		if (!best)
			break;
		moved[best] = any = true;
		total -= (f->vals.v[best].imm + 7) & ~7;
	}
	return any;
}

/* Pointers made from moved objects now point into a map value. */
static void retype(struct ir_fn *f)
{
	struct ir_cfg *c = ir_cfg_build(f, ir_scratch(f));

	for (uint32_t k = 0; k < c->nrpo; k++) {
		const struct ir_block *b = &f->blocks.v[c->rpo[k]];

		for (uint32_t i = 0; i < b->ins.n; i++) {
			struct ir_ins *ins = &f->vals.v[b->ins.v[i]];

			if ((ins->op == IR_OFF || ins->op == IR_INDEX) && ins->type.kind == IRT_SLOT)
				ins->type.kind = ir_type_of(f, ins->args[0]).kind;
		}
	}
}

/*
 * The moved objects of all programs lie side by side in one value per CPU, as programs may run
 * inside one another but never inside themselves.
 */
static void move_objects(struct ir_fn *f, const bool *moved)
{
	struct legal l = {.f = f};
	uint32_t map = scratch_map(f->m), n = f->blocks.v[0].ins.n, off;
	ir_blk body = ir_block_new(f), fail = ir_block_new(f);
	struct ir_block rest = {0}, *entry = &f->blocks.v[0];
	ir_val key, args[2], p, all, none;

	off = f->m->meta->maps.v[map].value_size;
	all = ir_param(f, body, IR_VOID);
	for (uint32_t i = 0; i < n; i++) {
		ir_val v = entry->ins.v[i];
		struct ir_ins *ins = &f->vals.v[v];

		if (ins->op == IR_SLOT && !moved[v]) {
			vec_push(f->a, &l.out.ins, v);
			continue;
		}
		if (ins->op == IR_SLOT) {
			uint32_t size = ((uint32_t)ins->imm + 7) & ~7u;

			*ins = (struct ir_ins){.op = IR_OFF, .nargs = 1, .args = {all}, .imm = off,
				.type = ir_ptr(IRT_MAPV, (uint32_t)ins->imm), .span = ins->span,
				.reg = IR_NO_REG};
			off += size;
		}
		ins->block = body;
		vec_push(f->a, &rest.ins, v);
	}
	f->m->meta->maps.v[map].value_size = off;
	f->vals.v[all].type = ir_ptr(IRT_MAPV, off);
	key = add(&l, (struct ir_ins){.op = IR_SLOT, .imm = 4, .type = ir_ptr(IRT_SLOT, 4)});
	none = constant(&l, 0, false);
	add(&l, (struct ir_ins){.op = IR_ST, .width = 4, .nargs = 2, .args = {key, none}});
	args[0] = add(&l, (struct ir_ins){.op = IR_MAP, .aux = map, .type = ir_ptr(IRT_MAP, 0)});
	args[1] = key;
	p = add(&l, (struct ir_ins){.op = IR_CALL, .nargs = 2, .args = {args[0], args[1]},
		.aux = BPF_FUNC_map_lookup_elem, .type = ir_nullable(ir_ptr(IRT_MAPV, off))});
	f->blocks.v[body].ins.v = rest.ins.v;
	f->blocks.v[body].ins.n = rest.ins.n;
	f->blocks.v[body].ins.cap = rest.ins.cap;
	f->blocks.v[body].term = f->blocks.v[0].term;
	take_block(&l, 0);
	f->blocks.v[0].term = (struct ir_term){.op = IRN_SOME, .nedges = 2, .args = {p},
		.edge = {{.to = body}, {.to = fail}}};
	ir_edge_arg(f, 0, 0, p);
	l.block = fail;
	none = add(&l, (struct ir_ins){.op = IR_CONST, .type = ir_range(0)});
	take_block(&l, fail);
	f->blocks.v[fail].term = (struct ir_term){.op = IRN_RET, .args = {none}};
	f->blocks.v[body].sealed = f->blocks.v[fail].sealed = true;
	retype(f);
}

/* All stack objects to the head of the entry block, where passes look for them. */
static void gather_objects(struct ir_fn *f)
{
	struct ir_block head = {0};

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		struct ir_block *blk = &f->blocks.v[b];
		uint32_t n = 0;

		for (uint32_t i = 0; i < blk->ins.n; i++) {
			struct ir_ins *ins = &f->vals.v[blk->ins.v[i]];

			if (ins->op != IR_SLOT) {
				blk->ins.v[n++] = blk->ins.v[i];
				continue;
			}
			ins->block = 0;
			vec_push(f->a, &head.ins, blk->ins.v[i]);
		}
		blk->ins.n = n;
	}
	for (uint32_t i = 0; i < f->blocks.v[0].ins.n; i++)
		vec_push(f->a, &head.ins, f->blocks.v[0].ins.v[i]);
	f->blocks.v[0].ins.v = head.ins.v;
	f->blocks.v[0].ins.n = head.ins.n;
	f->blocks.v[0].ins.cap = head.ins.cap;
}

void back_legal(struct ir_fn *f)
{
	struct legal l = {.f = f, .isa = f->m->target ? f->m->target->isa : 3};
	bool *moved = ARENA_ARRAY(ir_scratch(f), bool, f->vals.n);

	for (ir_blk b = 0; b < f->blocks.n; b++) {
		const struct ir_block *blk = &f->blocks.v[b];

		l.block = b;
		for (uint32_t i = 0; i < blk->ins.n; i++)
			legal_ins(&l, f->blocks.v[b].ins.v[i]);
		take_block(&l, b);
	}
	gather_objects(f);
	if (choose_moved(f, moved))
		move_objects(f, moved);
	ir_split_critical_edges(f);
	f->legal = true;
}
