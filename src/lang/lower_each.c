/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * for ($kv : @map): the loop's body is a function of its own, which the kernel calls for each entry
 * (bpf_for_each_map_elem); so it is where a range has more rounds than the verifier would follow
 * (bpf_loop, whose rounds it does not). Variables that the body shares with the code around it go through a
 * stack object, the frame: the context at 0, at 8 how the body was left, then the variables. Numbers
 * are read from it when the body begins and written when it ends; strings and tuples stay there.
 *
 * What the body may have written is hidden from the verifier on its way in and out (docs/ir.md).
 */
#include "lang/lower.h"
#include <stddef.h>
#include <string.h>

#define FRAME_MOST 4096 /* until the size is known */
#define FRAME_ROOM 400u /* of the 512 bytes of stack */

#define SUBS_MOST 255   /* BPF_MAX_SUBPROGS, with the program */

/* How the body was left for good, in the frame's second word. */
enum { LEFT_NOT, LEFT_PROGRAM, LEFT_PROBE, LEFT_RESULT, LEFT_FN, LEFT_WAYS };

struct place { /* of a variable: here, and around the loop */
	unsigned ir_var, slot;
	uint32_t off, room; /* in the frame */
};

struct lo_each {
	const struct stmt *st;
	struct place *at; /* per use */
	uint32_t size;	  /* of the frame so far */
	uint32_t start;	  /* where the first number of a range is; 0: a loop over a map */
	uint32_t result;  /* where 'return' puts a value; 0: there is none */
	unsigned ways;	  /* 1 << LEFT_… of those that occur */
	unsigned code;	  /* variable: what is returned to the kernel */
	ir_blk out;	  /* writes the variables back and returns that */
	struct ir_fn *around_fn; /* with its state: */
	char around[sizeof(struct lower) - offsetof(struct lower, each)];
};

static bool is_number(const struct var_sym *v)
{
	return !lo_in_memory(&v->type) && !lo_is_pair(&v->type);
}

static void swap_place(struct var_sym *v, struct place *p)
{
	struct place here = {.ir_var = v->ir_var, .slot = v->slot, .off = p->off, .room = p->room};

	v->ir_var = p->ir_var;
	v->slot = p->slot;
	*p = here;
}

/* ---- inside ---- */

/* The state of the function being written is put aside; what belongs to the program stays. */
static void begin_body(struct lower *L, struct lo_each *x)
{
	struct ir_fn *top = L->f->top;
	const char *name = arena_printf(L->a, "%s_each%u", top->name, L->nsubs++);
	struct lower in = *L;

	x->around_fn = L->f;
	memcpy(x->around, &L->each, sizeof(x->around));
	memset(&L->each, 0, sizeof(x->around));
	L->f = ir_sub_new(top, name, x->start ? META_NONE : x->st->u.each.map->map->meta, FRAME_MOST);
	L->depth = in.depth + 1;
	L->each = x;
	L->prog = in.prog;
	L->probe_id = in.probe_id;
	L->func_id = in.func_id;
	L->shared = in.shared;
	L->probe = in.probe;
	L->ap = in.ap;
	L->fall_off = in.fall_off;
	vec_push(L->a, &L->dom, (struct lo_dom){0});
	ir_span(L->f, x->st->span);
	x->out = lo_block(L);
	x->code = ir_var_new(L->f, ir_range(1));
}

static void read_frame(struct lower *L, struct lo_each *x)
{
	ir_val frame = ir_frame(L->f);

	for (uint32_t i = 0; i < x->st->u.each.uses.n; i++) {
		struct var_sym *v = x->st->u.each.uses.v[i].var;
		struct place *p = &x->at[i];

		p->off = x->size;
		p->room = lo_room(&v->type);
		x->size += p->room;
		swap_place(v, p);
		if (lo_in_memory(&v->type)) {
			v->slot = ir_off(L->f, frame, p->off);
			continue;
		}
		v->ir_var = ir_var_new(L->f, IR_I64);
		ir_var_write(L->f, v->ir_var, ir_ld(L->f, 8, frame, p->off));
		if (is_number(v))
			continue;
		v->slot = ir_var_new(L->f, IR_I64);
		ir_var_write(L->f, v->slot, ir_ld(L->f, 8, frame, p->off + 8));
	}
}

static void write_frame(struct lower *L, const struct lo_each *x)
{
	ir_val frame = ir_frame(L->f);

	for (uint32_t i = 0; i < x->st->u.each.uses.n; i++) {
		const struct each_use *u = &x->st->u.each.uses.v[i];

		if (!u->written || lo_in_memory(&u->var->type))
			continue;
		ir_st(L->f, 8, frame, x->at[i].off, ir_var_read(L->f, u->var->ir_var));
		if (!is_number(u->var))
			ir_st(L->f, 8, frame, x->at[i].off + 8, ir_var_read(L->f, u->var->slot));
	}
}

/* The loop's variable: the tuple (key, value). */
static void make_pair(struct lower *L, const struct lo_each *x)
{
	struct var_sym *kv = x->st->u.each.var->var;
	const struct map_sym *m = x->st->u.each.map->map;
	ir_val key = ir_arg(L->f, EACH_KEY), value = ir_arg(L->f, EACH_VALUE);
	uint32_t room = L->m->meta->maps.v[m->meta].key_size;

	kv->slot = ir_slot(L->f, lo_room(&kv->type));
	kv->slot_of = L->f;
	lo_copy(L, kv->slot, 0, key, 0, room);
	if (m->agg != MA_NONE)
		ir_st(L->f, 8, kv->slot, room, lo_agg_at(L, m, value));
	else
		lo_copy(L, kv->slot, room, value, 0, lo_room(&m->value));
}

static void make_number(struct lower *L, const struct lo_each *x)
{
	ir_val v = ir_ld(L->f, 8, ir_frame(L->f), x->start);

	ir_var_write(L->f, x->st->u.each.var->var->ir_var,
		ir_bin(L->f, IR_ADD, v, ir_arg(L->f, ROUND_NUMBER)));
}

/* Ends the block: back to the kernel, which goes on with the next entry or, with 1, ends the loop. */
static void leave(struct lower *L, int code)
{
	if (!ir_open(L->f))
		return;
	ir_var_write(L->f, L->each->code, ir_const(L->f, code));
	lo_goto(L, L->each->out);
}

static void leave_for_good(struct lower *L, int how)
{
	if (!ir_open(L->f))
		return;
	L->each->ways |= 1u << how;
	ir_st(L->f, 8, ir_frame(L->f), 8, ir_const(L->f, how));
	leave(L, 1);
}

void lo_each_end(struct lower *L)
{
	leave_for_good(L, LEFT_PROGRAM);
}

void lo_each_return(struct lower *L, ir_val v)
{
	struct lo_each *x = L->each;

	if (v && !x->result) {
		x->result = x->size;
		x->size += 8;
	}
	if (v)
		ir_st(L->f, 8, ir_frame(L->f), x->result, v);
	leave_for_good(L, v ? LEFT_RESULT : LEFT_PROBE);
}

static struct ir_fn *write_body(struct lower *L, struct lo_each *x)
{
	struct ir_fn *sub;

	begin_body(L, x);
	read_frame(L, x);
	if (x->start)
		make_number(L, x);
	else
		make_pair(L, x);
	L->after_probe = lo_block(L);
	L->loop_break = lo_block(L);
	L->loop_continue = lo_block(L);
	L->fn_done = lo_block(L);
	lo_block_body(L, x->st->u.each.body);
	leave(L, 0);
	if (L->dom.v[L->loop_continue].npreds) {
		lo_enter(L, L->loop_continue);
		leave(L, 0);
	}
	if (L->dom.v[L->loop_break].npreds) {
		lo_enter(L, L->loop_break);
		leave(L, 1);
	}
	if (L->dom.v[L->after_probe].npreds) {
		lo_enter(L, L->after_probe);
		leave_for_good(L, LEFT_PROBE);
	}
	if (L->dom.v[L->fn_done].npreds) {
		lo_enter(L, L->fn_done);
		leave_for_good(L, LEFT_FN);
	}
	lo_enter(L, x->out);
	write_frame(L, x);
	ir_ret(L->f, ir_var_read(L->f, x->code));
	ir_finish(L->f);
	if (L->open_loops.n)
		ir_fit_loops(L->f, L->open_loops.v, L->open_loops.n, LO_ROUNDS_MAX);
	ir_sub_frame(L->f, x->size);
	sub = L->f;
	L->f = x->around_fn;
	memcpy(&L->each, x->around, sizeof(x->around));
	for (uint32_t i = 0; i < x->st->u.each.uses.n; i++)
		swap_place(x->st->u.each.uses.v[i].var, &x->at[i]);
	return sub;
}

/* ---- around ---- */

static bool uses_ctx(const struct ir_fn *f)
{
	for (ir_blk b = 0; b < f->blocks.n; b++) {
		for (uint32_t i = 0; i < f->blocks.v[b].ins.n; i++) {
			const struct ir_ins *in = ir_ins_of(f, f->blocks.v[b].ins.v[i]);

			for (unsigned a = 0; a < in->nargs; a++) {
				if (in->args[a] == f->ctx_val)
					return true;
			}
		}
	}
	return false;
}

static void put_var(struct lower *L, const struct each_use *u, const struct place *p, ir_val frame,
	ir_val unknown)
{
	for (uint32_t w = 0; w < p->room; w += 8) {
		ir_val v;

		if (lo_in_memory(&u->var->type))
			v = ir_ld(L->f, 8, u->var->slot, w);
		else
			v = ir_var_read(L->f, w ? u->var->slot : u->var->ir_var);
		if (u->written)
			v = ir_bin(L->f, IR_HIDE, v, unknown);
		ir_st(L->f, 8, frame, p->off + w, v);
	}
}

static void take_var(struct lower *L, const struct each_use *u, const struct place *p, ir_val frame,
	ir_val unknown)
{
	for (uint32_t w = 0; u->written && w < p->room; w += 8) {
		ir_val v = ir_ld(L->f, 8, frame, p->off + w);

		v = ir_bin(L->f, IR_HIDE, v, unknown);
		if (lo_in_memory(&u->var->type))
			ir_st(L->f, 8, u->var->slot, w, v);
		else
			ir_var_write(L->f, w ? u->var->slot : u->var->ir_var, v);
	}
}

/* Some statement of the body ended more than the loop. */
static void go_on_leaving(struct lower *L, const struct lo_each *x, ir_val frame, ir_val unknown)
{
	ir_val how = ir_ld(L->f, 8, frame, 8);

	how = ir_bin(L->f, IR_HIDE, how, unknown);
	for (int w = LEFT_NOT + 1; w < LEFT_WAYS; w++) {
		ir_blk yes, no;

		if (!(x->ways >> w & 1))
			continue;
		yes = lo_block(L);
		no = lo_block(L);
		lo_if(L, CC_EQ, how, ir_const(L->f, w), yes, no);
		lo_enter(L, yes);
		if (w == LEFT_PROGRAM) {
			lo_release(L, 0);
			lo_end(L);
		} else if (w == LEFT_FN) {
			lo_release(L, L->fn_owned);
			lo_goto(L, L->fn_done);
		} else {
			ir_val v = IR_NONE;

			if (w == LEFT_RESULT) {
				v = ir_ld(L->f, 8, frame, x->result);
				v = ir_bin(L->f, IR_HIDE, v, unknown);
			}
			lo_give_back(L, v);
		}
		lo_enter(L, no);
	}
}

/* One for all loops of a function: no two of them run at a time. */
static ir_val frame_of(struct lower *L, uint32_t size)
{
	struct ir_ins *slot;

	if (!L->frame)
		L->frame = ir_slot(L->f, size);
	slot = &L->f->vals.v[L->frame];
	if (slot->imm < size) {
		slot->imm = size;
		slot->type.n = size;
	}
	return L->frame;
}

static void too_much(struct lower *L, const struct lo_each *x)
{
	diag_hint(L->m->diags,
		diag_error(L->m->diags, x->st->span, DIAG_TOO_BIG,
			"the loop shares %u bytes of variables with the code around it, at most %u fit",
			x->size, FRAME_ROOM),
		"keep texts in maps, or say how short they are: config = { max_strlen = 32; }");
}

/* Writes the body and calls it by this helper, which says how many rounds there were. */
static ir_val call_body(struct lower *L, struct lo_each *x, const char *helper, ir_val first, ir_val start)
{
	const struct stmt *st = x->st;
	ir_val frame, unknown, args[4] = {first};
	struct ir_fn *sub;

	x->at = ARENA_ARRAY(L->a, struct place, st->u.each.uses.n + 1);
	sub = write_body(L, x);
	lo_forget(L, NULL);
	ir_span(L->f, st->span);
	if (L->nsubs == SUBS_MOST + 1)
		diag_hint(L->m->diags, diag_error(L->m->diags, st->span, DIAG_TOO_BIG,
			"more than %d loops of this probe would be functions of their own", SUBS_MOST),
			"unroll() writes its body down that often: 'for' does not");
	if (x->size > FRAME_ROOM) {
		too_much(L, x);
		x->size = FRAME_ROOM;
	}
	frame = frame_of(L, x->size);
	unknown = ir_call(L->f, "ktime_get_ns", IR_VOID, 0, NULL);
	ir_st(L->f, 8, frame, 0, uses_ctx(sub) ? ir_ctx(L->f) : ir_const(L->f, 0));
	ir_st(L->f, 8, frame, 8, ir_const(L->f, LEFT_NOT));
	if (x->start)
		ir_st(L->f, 8, frame, x->start, start);
	if (x->result)
		ir_st(L->f, 8, frame, x->result, ir_const(L->f, 0));
	for (uint32_t i = 0; i < st->u.each.uses.n; i++)
		put_var(L, &st->u.each.uses.v[i], &x->at[i], frame, unknown);
	args[1] = ir_func(L->f, sub);
	args[2] = frame;
	args[3] = ir_const(L->f, 0);
	unknown = ir_call(L->f, helper, IR_VOID, 4, args);
	lo_forget(L, NULL);
	for (uint32_t i = 0; i < st->u.each.uses.n; i++)
		take_var(L, &st->u.each.uses.v[i], &x->at[i], frame, unknown);
	if (x->ways)
		go_on_leaving(L, x, frame, unknown);
	return unknown;
}

void lo_for_map(struct lower *L, const struct stmt *st)
{
	struct lo_each *x = ARENA_NEW(L->a, struct lo_each);

	x->st = st;
	x->size = 16;
	call_body(L, x, "for_each_map_elem", ir_map(L->f, st->u.each.map->map->meta), IR_NONE);
}

/* The helper says how many entries it called the function for: all, since that never ends the walk. */
ir_val lo_len(struct lower *L, const struct expr *map)
{
	const char *name = arena_printf(L->a, "%s_each%u", L->f->top->name, L->nsubs++);
	struct ir_fn *sub = ir_sub_new(L->f->top, name, map->map->meta, FRAME_MOST);
	ir_val args[4];

	ir_span(sub, map->span);
	ir_ret(sub, ir_const(sub, 0));
	ir_finish(sub);
	ir_sub_frame(sub, 16);
	args[0] = ir_map(L->f, map->map->meta);
	args[1] = ir_func(L->f, sub);
	args[2] = frame_of(L, 16);
	args[3] = ir_const(L->f, 0);
	ir_st(L->f, 8, args[2], 0, args[3]);
	ir_st(L->f, 8, args[2], 8, args[3]);
	return ir_call(L->f, "for_each_map_elem", IR_VOID, 4, args);
}

/* ---- ranges ---- */

#define ROUNDS_FOLLOWED 2048 /* of constant loops inside one another, that the verifier may follow */
#define DEPTH_MOST 4

#define RANGE_FRAME 160	     /* bytes of stack that a called range may share with the code around it */
#define ROUNDS_AROUND 64     /* of constant loops in place: see CALL_ROUNDS_MAX */
#define ROUNDS_OPEN 64	     /* what a loop without constant ends counts as, inside another */

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t range_rounds(const struct stmt *st)
{
	const struct expr *lo = st->u.each.lo, *hi = st->u.each.hi;

	if (!lo->is_const || !hi->is_const)
		return ROUNDS_OPEN;
	return (int64_t)lo->const_value < (int64_t)hi->const_value ? hi->const_value - lo->const_value
								   : 1;
}

/* Rounds of the loops in a block, inside one another. */
static uint64_t inner_rounds(const struct block *b)
{
	uint64_t most = 1, n;

	for (uint32_t i = 0; b && i < b->list.n; i++) {
		const struct stmt *st = b->list.v[i];

		switch (st->kind) {
		case ST_IF:
			n = inner_rounds(st->u.cond.yes);
			most = n > most ? n : most;
			n = inner_rounds(st->u.cond.no);
			break;
		case ST_FOR_RANGE:
			n = times(range_rounds(st), inner_rounds(st->u.each.body));
			break;
		case ST_FOR_MAP:
		case ST_FOR_DSQ:
			n = times(ROUNDS_OPEN, inner_rounds(st->u.each.body));
			break;
		case ST_WHILE:
			n = times(ROUNDS_OPEN, inner_rounds(st->u.loop.body));
			break;
		case ST_UNROLL:
			n = times(st->u.loop.cond->const_value, inner_rounds(st->u.loop.body));
			break;
		case ST_BLOCK:
		case ST_BODY:
			n = inner_rounds(st->u.block);
			break;
		default:
			n = 1;
		}
		most = n > most ? n : most;
	}
	return most;
}

static uint32_t frame_size(const struct stmt *st, uint32_t first)
{
	for (uint32_t i = 0; i < st->u.each.uses.n; i++)
		first += lo_room(&st->u.each.uses.v[i].var->type);
	return first;
}

/*
 * Objects for other kernels keep to what those of 5.10 have, while that does. What the body shares with
 * the code around it lies on the stack, where it must leave room for the rest.
 */
bool lo_for_calls(const struct lower *L, const struct stmt *st)
{
	const struct expr *lo = st->u.each.lo, *hi = st->u.each.hi;
	uint64_t all;

	if (!target_has(L->m->target, KF_BPF_LOOP) || st->u.each.in_place || L->depth >= DEPTH_MOST ||
		kern_is_packet(L->ap->kind) || L->rounds > ROUNDS_AROUND ||
		frame_size(st, 24) > (L->depth ? RANGE_FRAME / 2 : RANGE_FRAME))
		return false;
	if (!lo->is_const || !hi->is_const)
		return !L->m->meta->portable;
	if ((int64_t)lo->const_value >= (int64_t)hi->const_value)
		return false;
	all = times(range_rounds(st), L->rounds ? L->rounds : 1);
	return times(all, inner_rounds(st->u.each.body)) > ROUNDS_FOLLOWED;
}

/* How many rounds: none when the end is not behind the start. */
static ir_val count_rounds(struct lower *L, const struct stmt *st, ir_val from, ir_val to)
{
	enum ir_cc below = lt_unsigned_pair(st->u.each.lo, st->u.each.hi) ? CC_LT : CC_SLT;
	ir_blk some = lo_block(L), done = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);

	ir_var_write(L->f, var, ir_const(L->f, 0));
	lo_if(L, below, from, to, some, done);
	lo_enter(L, some);
	ir_var_write(L->f, var, ir_bin(L->f, IR_SUB, to, from));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

/* The kernel does no more than so many. */
static ir_val at_most(struct lower *L, ir_val n)
{
	ir_blk many = lo_block(L), done = lo_block(L);
	unsigned var = ir_var_new(L->f, IR_I64);

	ir_var_write(L->f, var, n);
	lo_if(L, CC_GT, n, ir_const(L->f, KERN_LOOPS_MAX), many, done);
	lo_enter(L, many);
	ir_var_write(L->f, var, ir_const(L->f, KERN_LOOPS_MAX));
	lo_goto(L, done);
	lo_enter(L, done);
	return ir_var_read(L->f, var);
}

void lo_for_range(struct lower *L, const struct stmt *st)
{
	struct lo_each *x = ARENA_NEW(L->a, struct lo_each);
	ir_val from = lo_int(L, st->u.each.lo), to = lo_int(L, st->u.each.hi), n, did;
	ir_blk many, lost, done;

	lo_free_slots(L);
	x->st = st;
	x->start = 16;
	x->size = 24;
	n = count_rounds(L, st, from, to);
	did = call_body(L, x, "loop", at_most(L, n), from);
	many = lo_block(L);
	lost = lo_block(L);
	done = lo_block(L);
	lo_if(L, CC_GT, n, ir_const(L->f, KERN_LOOPS_MAX), many, done);
	lo_enter(L, many);
	lo_if(L, CC_EQ, did, ir_const(L->f, KERN_LOOPS_MAX), lost, done);
	lo_enter(L, lost);
	ir_span(L->f, st->span);
	lo_count(L, MC_LOOP_BOUND, st->span.off);
	lo_goto(L, done);
	lo_enter(L, done);
}
