/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Statements. */
#include "lang/check.h"

#define UNROLL_MAX 100
#define ROUNDS_UNCALLED 1000000 /* BPF_COMPLEXITY_LIMIT_INSNS: a round has an instruction */

static struct expr *binary_of(struct check *c, enum binop op, struct expr *a, struct expr *b)
{
	struct expr *e = ARENA_NEW(c->a, struct expr);

	*e = (struct expr){.kind = EX_BINARY, .span = b->span,
		.height = (a->height > b->height ? a->height : b->height) + 1};
	e->u.binary.op = op;
	e->u.binary.a = a;
	e->u.binary.b = b;
	return e;
}

/* The value of an assignment to a $variable that was declared with a type, cast to that type. */
static struct expr *cast_value(struct check *c, struct stmt *s)
{
	const struct expr *cast = check_var_cast(c, s->u.assign.target);
	struct expr *v = s->u.assign.value, *e;

	if (!cast || (v->kind == EX_CAST && v->u.cast.type == cast->u.cast.type))
		return v; /* done in an earlier round, or written so */
	if (s->u.assign.compound) {
		v = binary_of(c, s->u.assign.op, s->u.assign.target, v);
		s->u.assign.compound = false;
	}
	e = ARENA_NEW(c->a, struct expr);
	*e = *cast;
	e->span = v->span;
	e->height = v->height + 1;
	e->u.cast.a = v;
	s->u.assign.value = e;
	return e;
}

static enum map_change change_of(const struct stmt *s)
{
	if (!s->u.assign.compound)
		return MAP_SET;
	return s->u.assign.op == BO_ADD || s->u.assign.op == BO_SUB ? MAP_ADD : MAP_OP;
}

/* $p += n: as $p = $p + n, by as many elements. */
static struct expr *pointer_step(struct check *c, struct stmt *s, struct expr *value)
{
	if (change_of(s) != MAP_ADD || s->u.assign.target->type.kind != LT_PTR)
		return value;
	value = binary_of(c, s->u.assign.op, s->u.assign.target, value);
	s->u.assign.value = value;
	s->u.assign.compound = false;
	check_expr(c, value);
	return value;
}

/* Fields that are addresses take addresses. False: it is no such field. */
static bool check_address(struct check *c, const struct stmt *s)
{
	const struct expr *target = s->u.assign.target, *value = s->u.assign.value;
	enum lt_kind kind = target->type.kind;

	if (kind != LT_MAC && kind != LT_INET4 && kind != LT_INET6)
		return false;
	if (value->type.kind != LT_UNKNOWN &&
		(value->type.kind != kind || s->u.assign.compound))
		c_hint(c,
			c_error(c, value->span, DIAG_WRONG_TYPE, "%s.%.60s becomes another address with '='",
				target->u.field.base->u.name, target->u.field.name),
			"for instance: %s", kind == LT_MAC     ? "eth.dst = 02:00:00:00:00:01"
						: kind == LT_INET4 ? "ip.dst = 10.0.0.1"
								   : "ip6.dst = 2001:db8::1");
	else if (value->kind == EX_ADDR && value->u.addr.prefix != 8 * target->type.size)
		c_hint(c, c_error(c, value->span, DIAG_WRONG_TYPE, "a network is no address"),
			"leave out the '/'");
	return true;
}

static void check_assign(struct check *c, struct stmt *s)
{
	struct expr *target = s->u.assign.target, *value = s->u.assign.value;
	struct diag *e;

	check_task_field(c, target);
	if (target->kind == EX_MAP) {
		if (is_agg_call(value) && !s->u.assign.compound)
			check_agg_assign(c, target, value);
		else
			check_map_assign(c, target, value, change_of(s));
		if (s->u.assign.compound)
			check_arith(c, NULL, s->u.assign.op, target, value);
		return;
	}
	if (target->kind == EX_VAR)
		value = cast_value(c, s);
	if (target->kind == EX_VAR && value->kind == EX_CALL && !s->u.assign.compound)
		check_kfunc_nested(c, value);
	else if (target->kind != EX_FIELD)
		check_expr(c, value);
	if (target->kind == EX_VAR) {
		if (s->u.assign.compound) {
			check_var(c, target); /* must have a value */
			if (target->var)
				check_note_var(c, target, target->var, true);
			value = pointer_step(c, s, value);
		}
		if (s->u.assign.compound && check_int(c, target, "the left side") &&
			check_int(c, value, "the right side"))
			check_arith(c, NULL, s->u.assign.op, target, value);
		else if (!s->u.assign.compound)
			check_var_assign(c, target, value);
		return;
	}
	if (target->kind == EX_FIELD) {
		check_expr(c, target);
		field_is_assignable(c, target);
		check_net_names(c, target, value);
		check_expr(c, value);
		if (check_address(c, s))
			return;
		check_int(c, value, "the value");
		if (s->u.assign.compound)
			check_arith(c, NULL, s->u.assign.op, target, value);
		else if (target->ref.kind == REF_NET)
			check_net_range(c, target->ref.u.net, value);
		return;
	}
	e = c_error(c, target->span, DIAG_BAD_ASSIGN, "this cannot be assigned");
	if (target->kind == EX_NAME)
		c_hint(c, e, "variables start with '$', maps with '@': $%.60s = …", target->u.name);
	else if (target->kind == EX_INDEX && target->u.index.base->kind == EX_MAP)
		c_hint(c, e, "several keys stand between one pair of brackets: @x[a, b]");
	else
		c_hint(c, e, "$variables and @maps can be assigned; '==' compares");
}

/* let $x : string[16]: as long as it says, at least. */
static void let_string(struct check *c, struct stmt *s)
{
	struct expr *type = s->u.assign.type;
	const struct config *cfg = &c->s->config;
	uint32_t size = cfg->max_strlen < cfg->max_keystr ? cfg->max_strlen : cfg->max_keystr;
	struct expr *n = type->kind == EX_INDEX ? type->u.index.index : NULL;

	if (n) {
		check_expr(c, n);
		if (!check_const(c, n, "size of the string", 1, MAX_STRLEN_MOST))
			return;
		size = cfg->max_keystr;
		if (n->const_value > size) {
			c_hint(c,
				c_error(c, n->span, DIAG_TOO_BIG,
					"strings of at most %u bytes can be kept in a variable",
					size),
				"config = { max_strlen = %u; } makes room",
				(unsigned)n->const_value);
			return;
		}
		size = (uint32_t)n->const_value;
	}
	check_var_declare(c, s->u.assign.target, lt_str(size), NULL);
}

/*
 * let $x; declares without a value: the type comes with the first assignment. With a type every
 * value is cast to it, and 0 is the first.
 */
static void check_let(struct check *c, struct stmt *s)
{
	struct expr *type = s->u.assign.type, *zero, *value;

	if (type && type->kind != EX_CAST) {
		let_string(c, s);
	} else if (type) {
		check_var_declare(c, s->u.assign.target, lt_of(LT_NONE, 0), type);
		if (!s->u.assign.value) {
			zero = ARENA_NEW(c->a, struct expr);
			*zero = (struct expr){.kind = EX_INT, .height = 1, .span = type->span};
			s->u.assign.value = zero;
		}
	}
	if (!type && !s->u.assign.value)
		s->u.assign.value = check_var_zero(c, s->u.assign.target);
	if (!s->u.assign.value)
		return;
	value = cast_value(c, s);
	if (value->kind == EX_CALL)
		check_kfunc_nested(c, value);
	else
		check_expr(c, value);
	check_var_assign(c, s->u.assign.target, value);
}

static void check_unroll(struct check *c, struct stmt *s)
{
	check_expr(c, s->u.loop.cond);
	check_const(c, s->u.loop.cond, "number of rounds", 1, UNROLL_MAX);
	c->loops++;
	check_block(c, s->u.loop.body);
	c->loops--;
}

static void check_for_range(struct check *c, struct stmt *s)
{
	struct expr *lo = s->u.each.lo, *hi = s->u.each.hi;
	int64_t most = target_has(c->t, KF_BPF_LOOP) && !c_is_packet(c) ? KERN_LOOPS_MAX
									  : ROUNDS_UNCALLED;

	check_expr(c, lo);
	check_expr(c, hi);
	if (check_int(c, lo, "the start of the range") &&
		check_int(c, hi, "the end of the range") && lo->type.kind != LT_UNKNOWN &&
		hi->type.kind != LT_UNKNOWN) {
		if (lo->is_const && hi->is_const &&
			((is_u64(&hi->type) && hi->const_value > INT64_MAX) ||
				((int64_t)hi->const_value > (int64_t)lo->const_value &&
					hi->const_value - lo->const_value > (uint64_t)most)))
			c_error(c, hi->span, DIAG_CONST_RANGE,
				"the loop has more than %d rounds: the kernel takes no more here",
				(int)most);
	}
	check_range_body(c, s);
}

static void check_return(struct check *c, struct stmt *s)
{
	struct expr *v = s->u.expr;
	struct diag *e;

	if (!v)
		return;
	check_expr(c, v);
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		if (ap->kind == PROBE_COUNT || (ap->op && (!ap->ops_proto || ap->ops_ret)) ||
			ap->proto_ret || (ap->missing && ap->kind == PROBE_LSM))
			continue;
		if (!kern_is_packet(ap->kind) && !ap->op) { /* bpftrace takes one, and nobody sees it */
			s->drops = true;
			return;
		}
		e = c_error(c, v->span, DIAG_WRONG_PROBE, "%s returns no value", ap->name);
		if (kern_is_packet(ap->kind))
			c_hint(c, e, "drop() and pass() decide what becomes of the packet");
		else
			c_hint(c, e, "'return;' alone ends the probe");
		return;
	}
	check_int(c, v, "the returned value");
}

static void check_loop_jump(struct check *c, const struct stmt *s)
{
	if (!c->loops)
		c_hint(c,
			c_error(c, s->span, DIAG_SYNTAX, "'%s' outside of a loop",
				s->kind == ST_BREAK ? "break" : "continue"),
			"'return' ends the block of a probe");
}

/* A call may stand alone; other expressions only if they change something. */
static void check_expr_stmt(struct check *c, struct stmt *s)
{
	struct expr *e = s->u.expr;
	struct diag *d;

	if (e->kind == EX_CALL) {
		check_call(c, e, true);
		return;
	}
	check_expr(c, e);
	if (e->kind == EX_INCDEC || e->type.kind == LT_UNKNOWN || e->type.kind == LT_NONE ||
		s->drops || !c->final)
		return;
	d = diag_warn(c->d, e->span, DIAG_UNUSED, "this value is not used");
	if (e->kind == EX_BINARY && e->u.binary.op == BO_EQ)
		c_hint(c, d, "'=' assigns, '==' compares");
	else if (c_is_packet(c) && e->kind == EX_NAME)
		c_hint(c, d, "drop() and pass() decide what becomes of the packet");
}

static void check_if(struct check *c, struct stmt *s)
{
	unsigned dead = c->dead;

	for (;; s = stmt_else_if(s)) {
		const struct expr *cond = s->u.cond.cond;
		bool no, yes;

		sugar_find(c, s);
		check_condition(c, s->u.cond.cond);
		no = cond->is_const && !cond->const_value;
		yes = cond->is_const && cond->const_value;
		c->dead += no;
		check_block(c, s->u.cond.yes);
		c->dead += yes - no; /* what follows */
		if (!stmt_else_if(s))
			break;
	}
	if (s->u.cond.no)
		check_block(c, s->u.cond.no);
	c->dead = dead;
}

/* Loops around the call are no loops of the function. */
static void check_body(struct check *c, struct stmt *s)
{
	unsigned loops = c->loops;

	c->loops = 0;
	check_block(c, s->u.block);
	c->loops = loops;
}

static void check_stmt(struct check *c, struct stmt *s)
{
	switch (s->kind) {
	case ST_EXPR:
		if (sugar_stmt(c, s))
			check_if(c, s);
		else
			check_expr_stmt(c, s);
		break;
	case ST_ASSIGN:
		check_assign(c, s);
		break;
	case ST_LET:
		check_let(c, s);
		break;
	case ST_IF:
		check_if(c, s);
		break;
	case ST_WHILE:
		check_condition(c, s->u.loop.cond);
		c->loops++;
		check_block(c, s->u.loop.body);
		c->loops--;
		break;
	case ST_FOR_RANGE:
		check_for_range(c, s);
		break;
	case ST_FOR_DSQ:
		check_for_dsq(c, s);
		break;
	case ST_FOR_MAP:
		check_for_map(c, s);
		break;
	case ST_UNROLL:
		check_unroll(c, s);
		break;
	case ST_BLOCK:
		check_block(c, s->u.block);
		break;
	case ST_BODY:
		check_body(c, s);
		break;
	case ST_RETURN:
		check_return(c, s);
		break;
	case ST_BREAK:
	case ST_CONTINUE:
		check_loop_jump(c, s);
		break;
	}
}

/* Pointers that the verifier trusts are known on every way only where they were assigned. */
static void end_scope(struct check *c, const struct block *b)
{
	for (uint32_t i = 0; i < c->probe->vars.n; i++) {
		struct var_sym *v = c->probe->vars.v[i];

		if (v->type.trusted && v->scope == b)
			smap_put(&c->assigned, v->name, NULL);
	}
}

void check_block(struct check *c, struct block *b)
{
	const struct block *outer = c->block;

	c->block = b;
	for (uint32_t i = 0; i < b->list.n; i++)
		check_stmt(c, b->list.v[i]);
	end_scope(c, b);
	c->block = outer;
}
