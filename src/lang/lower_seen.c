/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Values of map entries that were read before: "/@start[tid]/ { … nsecs - @start[tid] }" asks the
 * kernel once. Reading an entry twice in a row may always give the same value, whatever other CPUs
 * do meanwhile; so a value holds until this program writes to the map, and only where the block
 * that read it dominates. What a loop's body does happens before the next turn, so nothing read
 * before a loop is used in it.
 * A record on a task stays where it is, so its address, asked for once, serves all fields.
 */
#include "lang/lower.h"
#include <string.h>

#define MAX_KEY_VARS 4

/* A key's $variables must hold the same values: those of SSA form, which say so themselves. */
struct key_vars {
	ir_val v[MAX_KEY_VARS];
	unsigned n;
};

struct lo_seen {
	const struct expr *e; /* EX_MAP */
	ir_val value, where; /* either may be IR_NONE */
	bool made; /* it was made if there was none */
	ir_blk at;
	struct key_vars vars;
};

/* Builtins that stay what they are while a program runs. */
static bool constant_builtin(unsigned id)
{
	switch ((enum builtin_id)id) {
	case BI_PID:
	case BI_TID:
	case BI_UID:
	case BI_GID:
	case BI_COMM:
	case BI_CPU:
	case BI_PROBE:
	case BI_RETVAL:
	case BI_CURTASK:
	case BI_CGROUP:
		return true;
	default:
		return (int)id >= (int)BI_ARG0 && (int)id <= (int)BI_ARG5;
	}
}

bool lo_is_lasting(const struct expr *e)
{
	return e->kind == EX_NAME ? e->ref.kind == REF_BUILTIN && constant_builtin(e->ref.u.builtin)
				  : e->kind == EX_FIELD && e->ref.kind == REF_TPFIELD;
}

/* Whether the key part gives the same value each time; collects its variables. */
static bool is_steady(struct lower *L, const struct expr *e, struct key_vars *vars)
{
	if (e->is_const)
		return true;
	switch (e->kind) {
	case EX_STR:
	case EX_ADDR:
		return true;
	case EX_NAME:
		return e->ref.kind == REF_BUILTIN && constant_builtin(e->ref.u.builtin);
	case EX_FIELD:
		return e->ref.kind == REF_TPFIELD || e->ref.kind == REF_OPSARG;
	case EX_VAR:
		if ((e->type.kind != LT_INT && !e->type.trusted) || vars->n == MAX_KEY_VARS)
			return false;
		vars->v[vars->n++] = ir_var_value(L->f, e->var->ir_var);
		return true;
	case EX_CAST:
		return is_steady(L, e->u.cast.a, vars);
	case EX_UNARY:
		return e->u.unary.op != UO_DEREF && e->u.unary.op != UO_ADDR &&
		       is_steady(L, e->u.unary.a, vars);
	case EX_BINARY:
		if ((e->u.binary.op == BO_DIV || e->u.binary.op == BO_MOD) && !e->u.binary.b->is_const)
			return false; /* divisions by zero are counted */
		return is_steady(L, e->u.binary.a, vars) && is_steady(L, e->u.binary.b, vars);
	default:
		return false;
	}
}

/* Two steady expressions of the same shape. */
static bool same(const struct expr *a, const struct expr *b)
{
	/* constants, too: how they are compared with hangs on their signs */
	if (a->type.kind != b->type.kind || a->type.size != b->type.size ||
		a->type.is_signed != b->type.is_signed || a->type.boolean != b->type.boolean)
		return false;
	if (a->is_const || b->is_const)
		return a->is_const && b->is_const && a->const_value == b->const_value;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case EX_STR:
		return a->u.str.n == b->u.str.n && !memcmp(a->u.str.s, b->u.str.s, a->u.str.n);
	case EX_ADDR:
		return !memcmp(&a->u.addr, &b->u.addr, sizeof(a->u.addr));
	case EX_NAME:
		return a->ref.kind == b->ref.kind && a->ref.u.builtin == b->ref.u.builtin;
	case EX_FIELD:
		return a->ref.kind == b->ref.kind && (a->ref.kind == REF_OPSARG
			? a->ref.u.index == b->ref.u.index : a->ref.u.tp == b->ref.u.tp);
	case EX_VAR:
		return a->var == b->var;
	case EX_CAST:
		return same(a->u.cast.a, b->u.cast.a);
	case EX_UNARY:
		return a->u.unary.op == b->u.unary.op && same(a->u.unary.a, b->u.unary.a);
	case EX_BINARY:
		return a->u.binary.op == b->u.binary.op && same(a->u.binary.a, b->u.binary.a) &&
		       same(a->u.binary.b, b->u.binary.b);
	default:
		return false;
	}
}

static bool steady_keys(struct lower *L, const struct expr *e, struct key_vars *vars)
{
	vars->n = 0;
	for (uint32_t i = 0; i < e->u.map.keys.list.n; i++) {
		if (!is_steady(L, e->u.map.keys.list.v[i], vars))
			return false;
	}
	return true;
}

static bool same_entry(const struct lo_seen *s, const struct expr *e, const struct key_vars *vars)
{
	if (s->e->u.map.keys.list.n != e->u.map.keys.list.n ||
		s->vars.n != vars->n || memcmp(s->vars.v, vars->v, vars->n * sizeof(*vars->v)))
		return false;
	for (uint32_t i = 0; i < e->u.map.keys.list.n; i++) {
		if (!same(s->e->u.map.keys.list.v[i], e->u.map.keys.list.v[i]))
			return false;
	}
	return true;
}

static bool fits(const struct lo_seen *s, const struct expr *e, bool at, bool made)
{
	return at ? s->where && s->e->map->meta == e->map->meta && (s->made || !made)
		  : s->value && s->e->map == e->map;
}

static const struct lo_seen *find(struct lower *L, const struct expr *e, bool at, bool made)
{
	struct key_vars vars;

	if (!L->seen.n || !steady_keys(L, e, &vars))
		return NULL;
	for (uint32_t i = L->seen.n; i-- > 0;) {
		const struct lo_seen *s = L->seen.v[i];

		if (fits(s, e, at, made) && same_entry(s, e, &vars) && lo_dominates(L, s->at))
			return s;
	}
	return NULL;
}

ir_val lo_seen(struct lower *L, const struct expr *e)
{
	const struct lo_seen *s = find(L, e, false, false);

	return s ? s->value : IR_NONE;
}

ir_val lo_seen_at(struct lower *L, const struct expr *e, bool made)
{
	const struct lo_seen *s = find(L, e, true, made);

	return s ? s->where : IR_NONE;
}

static void see(struct lower *L, const struct expr *e, ir_val value, ir_val where, bool made)
{
	struct lo_seen *s = ARENA_NEW(L->a, struct lo_seen);

	*s = (struct lo_seen){
		.e = e, .value = value, .where = where, .made = made, .at = ir_here(L->f)};
	if (steady_keys(L, e, &s->vars))
		vec_push(L->a, &L->seen, s);
}

void lo_see(struct lower *L, const struct expr *e, ir_val value, ir_val where)
{
	see(L, e, value, where, false);
}

/* Keeps what is seen but for values of m, and for addresses of absent records of that map. */
static void keep(struct lower *L, const struct map_sym *m, uint32_t absent)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < L->seen.n; i++) {
		struct lo_seen *s = L->seen.v[i];

		if (s->value || !s->where ? s->e->map != m : s->made || s->e->map->meta != absent)
			L->seen.v[kept++] = s;
	}
	L->seen.n = kept;
}

void lo_forget(struct lower *L, const struct map_sym *m)
{
	if (m)
		keep(L, m, META_NONE);
	else
		L->seen.n = 0;
}

void lo_see_at(struct lower *L, const struct expr *e, ir_val where, bool made)
{
	if (made) /* those that were not there may be now */
		keep(L, NULL, e->map->meta);
	see(L, e, IR_NONE, where, made);
}
