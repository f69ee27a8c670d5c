/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tseries(): a bucket for each interval of time, used again when as many intervals have gone by. The
 * layout is in base/meta.def. Intervals begin at round times of day where the code runs on the
 * machine that compiled it, else at multiples of their length since boot.
 */
#include "lang/lower.h"
#include <time.h>

int64_t lo_series_shift(struct lower *L)
{
	struct timespec day, boot;

	if (!L->m->target->host || L->m->meta->portable || L->s->offline)
		return 0;
	clock_gettime(CLOCK_REALTIME, &day);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (day.tv_sec - boot.tv_sec) * 1000000000ll + day.tv_nsec - boot.tv_nsec;
}

/*
 * The bucket was another interval's: takes away what is in the words that count up. Not by storing 0,
 * where the instruction set allows: a probe that interrupts this one may have begun the interval
 * already, and added to it.
 */
static void begin_interval(struct lower *L, ir_val p, ir_val now, unsigned first, unsigned last)
{
	ir_blk stale = lo_block(L), mine = lo_block(L), done = lo_block(L);
	bool atomics = target_has(L->m->target, KF_ATOMICS);
	ir_val old[2], was;

	lo_if(L, CC_NE, ir_ld(L->f, 8, p, 16), now, stale, done);
	lo_enter(L, stale);
	for (unsigned i = first; i <= last; i++)
		old[i] = ir_ld(L->f, 8, p, 8 * i);
	if (atomics) {
		was = ir_atom(L->f, AT_XCHG, 8, p, 16, now);
		lo_if(L, CC_NE, was, now, mine, done);
	} else {
		ir_st(L->f, 8, p, 16, now);
		lo_goto(L, mine);
	}
	lo_enter(L, mine);
	for (unsigned i = first; i <= last; i++)
		lo_add_word(L, p, i, ir_un(L->f, IR_NEG, old[i]));
	lo_goto(L, done);
	lo_enter(L, done);
}

void lo_series(struct lower *L, const struct map_sym *m, ir_val p, ir_val v, ir_blk no)
{
	ir_val ns = ir_call(L->f, "ktime_get_boot_ns", IR_VOID, 0, NULL), now, i;
	ir_blk in = lo_block(L);

	ns = ir_bini(L->f, IR_ADD, ns, m->lhist_min);
	now = ir_bini(L->f, IR_ADD, ir_bini(L->f, IR_UDIV, ns, m->lhist_step), 1);
	i = lo_bound(L, ir_bini(L->f, IR_UMOD, now, m->lhist_max), (uint64_t)m->lhist_max, in, no);
	lo_enter(L, in);
	p = ir_index(L->f, p, ir_bini(L->f, IR_MUL, i, 8 * META_SERIES_WORDS));
	switch (m->hist_bits) {
	case MA_SUM:
		begin_interval(L, p, now, 0, 0);
		lo_add_word(L, p, 0, v);
		break;
	case MA_AVG:
		begin_interval(L, p, now, 0, 1);
		lo_add_word(L, p, 0, v);
		lo_add_word(L, p, 1, ir_const(L->f, 1));
		break;
	case MA_MIN:
	case MA_MAX:
		begin_interval(L, p, now, 1, 1);
		lo_extreme(L, m, m->hist_bits == MA_MIN, p, v);
		break;
	default:
		ir_st(L->f, 8, p, 0, v);
		ir_st(L->f, 8, p, 8, ns);
		ir_st(L->f, 8, p, 16, now);
		break;
	}
}
