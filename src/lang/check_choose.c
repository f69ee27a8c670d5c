/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which maps may be kept on the tasks themselves: a third of the cost of a hash, and no limit on
 * their number. "@start[tid]" qualifies when nobody can tell the difference: every key is tid, the
 * value a number, and the script ends by clearing the map, or prints none, so that what is left is
 * never seen. An entry that holds 0 and none at all read the same, so delete() may store 0.
 * And which scalars need not say that they were set.
 */
#include "lang/check.h"

#define SINCE KV(6, 2) /* lookups that do not fail inside another one (bpf_task_storage_get_recur) */

static bool is_tid(const struct expr *e)
{
	return e->kind == EX_NAME && e->ref.kind == REF_BUILTIN && e->ref.u.builtin == BI_TID;
}

/* Probes whose programs have a current task that is the one meant, and the helper. */
static bool traces(const struct check *c)
{
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct kern_probe *row = kern_probe(c->probe->points.v[i].kind);

		if (!row || row->parts == PP_NONE || (row->ctx != CTX_PT_REGS && row->ctx != CTX_TRACEPOINT &&
						     row->ctx != CTX_RAW_TP))
			return false;
	}
	return true;
}

void check_note_keys(struct check *c, struct map_sym *m, const struct exprs *keys)
{
	if (c->final && (keys->list.n != 1 || !is_tid(keys->list.v[0]) || !traces(c)))
		m->other_keys = true;
}

void check_note_whole(struct check *c, struct map_sym *m)
{
	m->wholes += c->final;
}

static bool is_end(const struct probe *p)
{
	return p->points.n == 1 && p->points.v[0].kind == PROBE_END && !p->pred;
}

static bool is_call(const struct expr *e, enum builtin_id id)
{
	return e && e->kind == EX_CALL && e->ref.kind == REF_FUNC && e->ref.u.builtin == id;
}

/* How often END clears the map whatever happens. */
static uint32_t cleared_at_end(const struct script *s, const struct map_sym *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->probes.n; i++) {
		const struct block *b = s->probes.v[i].body;

		for (uint32_t k = 0; is_end(&s->probes.v[i]) && k < b->list.n; k++) {
			const struct expr *e =
				b->list.v[k]->kind == ST_EXPR ? b->list.v[k]->u.expr : NULL;

			if (b->list.v[k]->kind == ST_RETURN || is_call(e, BI_F_EXIT))
				break;
			n += is_call(e, BI_F_CLEAR) && e->u.call.args.list.v[0]->map == m;
		}
	}
	return n;
}

static bool may_hang_on_tasks(const struct check *c, const struct map_sym *m)
{
	uint32_t clears = cleared_at_end(c->s, m);

	return m->keyed && !m->decl && !m->task && m->agg == MA_NONE && !m->other_keys &&
	       (m->value.kind == LT_INT || (m->value.kind == LT_PTR && !m->value.trusted)) &&
	       m->wholes == clears && (clears || !c->s->config.print_maps_on_exit);
}

/*
 * From 6.18 on the kernel makes such values with kmalloc_nolock(), which wants a 16-byte
 * compare-and-exchange (mm/slub.c): riscv64 has none, and x86-64 without cx16.
 */
static bool can_make(const struct target *t)
{
	return t->version < KV(6, 18) || (t->arch != KERN_RISCV64 && !t->no_cx16);
}

/* Statements that BEGIN goes through whatever happens: @x = 1, printf("text"). */
static bool goes_on(const struct stmt *st)
{
	if (st->kind == ST_ASSIGN)
		return st->u.assign.value->kind == EX_INT || st->u.assign.value->kind == EX_STR;
	return st->kind == ST_EXPR && is_call(st->u.expr, BI_F_PRINTF) &&
	       st->u.expr->u.call.args.list.n == 1;
}

/*
 * A scalar says of itself whether it was ever given a value: only then it is printed. What the
 * first statements of BEGIN set, before any other probe runs, has one for good.
 */
static void note_set_first(const struct probe *p)
{
	const struct block *b = p->body;

	if (p->points.n != 1 || p->points.v[0].kind != PROBE_BEGIN || p->pred)
		return;
	for (uint32_t i = 0; i < b->list.n && goes_on(b->list.v[i]); i++) {
		const struct stmt *st = b->list.v[i];
		const struct expr *to = st->kind == ST_ASSIGN ? st->u.assign.target : NULL;

		if (to && to->kind == EX_MAP && !to->map->keyed)
			to->map->set_first = !to->map->unset;
	}
}

void check_choose(struct check *c)
{
	for (uint32_t i = 0; i < c->s->probes.n; i++)
		note_set_first(&c->s->probes.v[i]);
	if (!c->btf || !can_make(c->t) || c->t->version < SINCE || !target_has(c->t, KF_TASK_STORAGE) || c->s->portable)
		return;
	for (uint32_t i = 0; i < c->s->maps.entries.n; i++) {
		struct map_sym *m = c->s->maps.entries.v[i].value;

		if (may_hang_on_tasks(c, m))
			m->task = m->by_tid = true;
	}
}
