/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* join(): the strings that an array of pointers, ended by NULL, points to (argv). */
#include "lang/lower.h"

#define JOIN_MOST 16   /* strings, as bpftrace takes them */
#define JOIN_BYTES 1024u
#define JOIN_BYTES_COPIED 64u /* without ring buffers records are copied, and small */

struct join {
	const char *read, *read_str; /* helpers */
	ir_val array;
	uint32_t bytes;
};

static ir_val pointer_at(struct lower *L, const struct join *j, uint32_t i)
{
	ir_val slot = lo_slot(L, 8), args[3];

	ir_st(L->f, 8, slot, 0, ir_const(L->f, 0));
	args[0] = slot;
	args[1] = ir_const(L->f, 8);
	args[2] = ir_bini(L->f, IR_ADD, j->array, 8 * (int64_t)i);
	ir_call(L->f, j->read, IR_VOID, 3, args);
	return ir_ld(L->f, 8, slot, 0);
}

static void count_cut(struct lower *L, enum ir_cc cc, ir_val a, ir_val b)
{
	ir_blk cut = lo_block(L), done = lo_block(L);

	lo_if(L, cc, a, b, cut, done);
	lo_enter(L, cut);
	lo_count(L, MC_STR_CUT, L->prog);
	lo_goto(L, done);
	lo_enter(L, done);
}

/* String i, when there is one; else goes to end. */
static void one_string(struct lower *L, const struct join *j, ir_val rec, uint32_t i, ir_blk end)
{
	ir_val p = pointer_at(L, j, i), args[3], got;
	ir_blk there = lo_block(L);

	lo_if(L, CC_NE, p, ir_const(L->f, 0), there, end);
	lo_enter(L, there);
	args[0] = ir_off(L->f, rec, (int64_t)sizeof(struct meta_event) + 8 + i * j->bytes);
	args[1] = ir_const(L->f, j->bytes);
	args[2] = p;
	got = ir_call(L->f, j->read_str, IR_VOID, 3, args);
	count_cut(L, CC_EQ, got, args[1]);
	ir_st(L->f, 8, rec, sizeof(struct meta_event), ir_const(L->f, i + 1));
}

static uint32_t add_format(struct lower *L, const char *delimiter, uint32_t bytes)
{
	struct meta_format fmt = {.event = ME_JOIN, .text = delimiter};
	struct meta *m = L->m->meta;
	struct meta_field f = {.kind = MK_UINT, .off = sizeof(struct meta_event), .size = 8};

	vec_push(L->a, &fmt.args, f); /* how many there are */
	for (uint32_t i = 0; i < JOIN_MOST; i++) {
		f = (struct meta_field){.kind = MK_STR, .size = bytes,
			.off = (uint32_t)sizeof(struct meta_event) + 8 + i * bytes};
		vec_push(L->a, &fmt.args, f);
	}
	fmt.size = f.off + bytes;
	vec_push(L->a, &m->formats, fmt);
	return m->formats.n - 1;
}

void lo_join(struct lower *L, const struct expr *e)
{
	const struct expr *argv = e->u.call.args.list.v[0];
	const struct expr *delimiter = e->u.call.args.list.n > 1 ? e->u.call.args.list.v[1] : NULL;
	bool kernel = argv->type.kind == LT_PTR && argv->type.space == SPACE_KERNEL;
	struct join j = {.read = kernel ? "probe_read_kernel" : "probe_read_user",
		.read_str = kernel ? "probe_read_kernel_str" : "probe_read_user_str",
		.bytes = lo_has_ring(L) ? JOIN_BYTES : JOIN_BYTES_COPIED};
	uint32_t id = add_format(L, delimiter ? delimiter->u.str.s : " ", j.bytes);
	struct lo_event ev;
	ir_blk end;

	j.array = lo_int(L, argv);
	ev = lo_event_begin(L, ME_JOIN, ir_const(L->f, id), L->m->meta->formats.v[id].size);
	ir_st(L->f, 8, ev.rec, sizeof(struct meta_event), ir_const(L->f, 0));
	end = lo_block(L);
	for (uint32_t i = 0; i < JOIN_MOST; i++)
		one_string(L, &j, ev.rec, i, end);
	count_cut(L, CC_NE, pointer_at(L, &j, JOIN_MOST), ir_const(L->f, 0));
	lo_goto(L, end);
	lo_enter(L, end);
	lo_event_end(L, ev);
}
