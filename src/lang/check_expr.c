/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Types and constants of expressions. Arithmetic is done in 64 bits: unsigned when lt_unsigned_pair
 * says so, else signed; narrower numbers are widened first.
 */
#include "lang/check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void set_const(struct expr *e, uint64_t v, bool is_signed)
{
	e->is_const = true;
	e->const_value = v;
	e->type = lt_int(8, is_signed);
}

static void set_truth(struct expr *e, uint64_t v)
{
	set_const(e, v, true);
	e->type = lt_bool();
}

/* ---- what a place in the script wants ---- */

static void not_a_number(
	struct check *c, const struct expr *e, const char *what, const char *wanted)
{
	struct diag *d;

	d = c_error(c, e->span, DIAG_WRONG_TYPE, "%s must be %s, this is %s%s", what, wanted,
		e->type.kind == LT_NONE ? "" : "a value of type ", c_type(c, &e->type));
	if (e->type.kind == LT_STR && strchr(what, '~'))
		c_hint(c, d, "strcontains(text, part) looks for a part");
	else if (e->type.kind == LT_STR && strchr(what, '+'))
		c_hint(c, d, "printf(\"%%s%%s\", …) prints one after the other");
	else if (e->type.kind == LT_STR && (strpbrk(what, "!&|") || strstr(what, "condition")))
		c_hint(c, d, "compare strings with == or !=");
	else if (e->type.kind == LT_STRUCT)
		c_hint(c, d, "take a member of it");
	else if (e->kind == EX_RECORD)
		c_hint(c, d, "to compare, write '==': (a = b) is a record");
	else if (e->type.kind == LT_PTR)
		c_hint(c, d, "(uint64) makes a number of it, '*' and '->' read what it points to");
	else if (e->type.kind == LT_INET4 || e->type.kind == LT_INET6 || e->type.kind == LT_MAC)
		c_hint(c, d, "compare addresses with ==, != or in");
}

bool check_int(struct check *c, struct expr *e, const char *what)
{
	if (e->type.kind == LT_INT || e->type.kind == LT_UNKNOWN)
		return true;
	not_a_number(c, e, what, "a number");
	return false;
}

bool check_number(struct check *c, struct expr *e, const char *what)
{
	if (e->type.kind == LT_PTR)
		return true;
	if (e->type.kind == LT_INT || e->type.kind == LT_UNKNOWN)
		return true;
	not_a_number(c, e, what, "a number or a pointer");
	return false;
}

void check_condition(struct check *c, struct expr *e)
{
	check_expr(c, e);
	check_number(c, e, "a condition");
}

bool check_const(struct check *c, struct expr *e, const char *what, int64_t lo, int64_t hi)
{
	struct diag *d;

	check_expr(c, e);
	if (e->type.kind == LT_UNKNOWN)
		return false;
	if (!e->is_const) {
		d = c_error(c, e->span, DIAG_WRONG_TYPE, "the %s must be a constant number", what);
		c_hint(c, d, "write the number itself, or #define it");
		return false;
	}
	if ((int64_t)e->const_value >= lo && (int64_t)e->const_value <= hi &&
		!(is_u64(&e->type) && e->const_value > INT64_MAX))
		return true;
	c_error(c, e->span, DIAG_CONST_RANGE, "the %s must be between %lld and %lld", what,
		(long long)lo, (long long)hi);
	return false;
}

/* ---- folding ---- */

static uint64_t fold_div(enum binop op, bool uns, uint64_t a, uint64_t b)
{
	if (uns)
		return op == BO_DIV ? a / b : a % b;
	if ((int64_t)b == -1) /* the one quotient that overflows wraps */
		return op == BO_DIV ? 0 - a : 0;
	return op == BO_DIV ? (uint64_t)((int64_t)a / (int64_t)b)
			    : (uint64_t)((int64_t)a % (int64_t)b);
}

uint64_t expr_fold(enum binop op, bool uns, uint64_t a, uint64_t b)
{
	int64_t sa = (int64_t)a, sb = (int64_t)b;

	switch (op) {
	case BO_ADD:
		return a + b;
	case BO_SUB:
		return a - b;
	case BO_MUL:
		return a * b;
	case BO_DIV:
	case BO_MOD:
		return fold_div(op, uns, a, b);
	case BO_AND:
		return a & b;
	case BO_OR:
		return a | b;
	case BO_XOR:
		return a ^ b;
	case BO_SHL:
		return a << (b & 63);
	case BO_SHR:
		return uns ? a >> (b & 63) : (uint64_t)(sa >> (b & 63));
	case BO_LAND:
		return a && b;
	case BO_LOR:
		return a || b;
	case BO_EQ:
		return a == b;
	case BO_NE:
		return a != b;
	case BO_LT:
		return uns ? a < b : sa < sb;
	case BO_LE:
		return uns ? a <= b : sa <= sb;
	case BO_GT:
		return uns ? a > b : sa > sb;
	case BO_GE:
		return uns ? a >= b : sa >= sb;
	}
	return 0;
}

/* Constants that an operation cannot take. False: reported. */
static bool check_right_const(struct check *c, enum binop op, const struct expr *b)
{
	if (!b->is_const)
		return true;
	if ((op == BO_DIV || op == BO_MOD) && !b->const_value) {
		c_hint(c, c_error(c, b->span, DIAG_DIV_ZERO, "division by zero"),
			"when running, x / 0 gives 0 and x %% 0 gives x");
		return false;
	}
	if ((op == BO_SHL || op == BO_SHR) && b->const_value > 63) {
		c_hint(c,
			c_error(c, b->span, DIAG_CONST_RANGE,
				"numbers have 64 bits: cannot shift by %lld",
				(long long)b->const_value),
			"shift by 0 to 63");
		return false;
	}
	return true;
}

void check_arith(struct check *c, struct expr *e, enum binop op, struct expr *a, struct expr *b)
{
	bool shift = op == BO_SHL || op == BO_SHR;
	bool uns = shift ? is_u64(&a->type) : lt_unsigned_pair(a, b);

	if (!check_right_const(c, op, b)) {
		if (e)
			e->type.kind = LT_UNKNOWN;
		return;
	}
	if (!e)
		return; /* compound assignment: only the checks */
	e->type = lt_int(8, !uns);
	if (a->is_const && b->is_const)
		set_const(e, expr_fold(op, uns, a->const_value, b->const_value), !uns);
}

/* ---- comparisons ---- */

static bool is_order(enum binop op)
{
	return op == BO_LT || op == BO_LE || op == BO_GT || op == BO_GE;
}

static void warn_negative(struct check *c, const struct expr *a, const struct expr *b)
{
	struct diag *d;

	if (!c->final || !b->is_const || b->ref.kind == REF_CONST || (int64_t)b->const_value >= 0 ||
		is_u64(&b->type) || a->is_const || !lt_unsigned_pair(a, a))
		return;
	d = diag_warn(c->d, b->span, DIAG_WRONG_TYPE,
		"negative constant compared with an unsigned 64-bit value: it counts as %llu",
		(unsigned long long)b->const_value);
	c_hint(c, d, "(int64) makes the other side signed");
}

/* Arrays of one kind, and buf()s: all bytes are equal, or not. False: it is something else. */
static bool bytes_comparable(struct check *c, struct expr *e)
{
	const struct lt *a = &e->u.binary.a->type, *b = &e->u.binary.b->type;

	if (a->kind != b->kind || (a->kind != LT_ARRAY && a->kind != LT_BUF))
		return false;
	if (is_order(e->u.binary.op))
		c_error(c, e->span, DIAG_WRONG_TYPE, "arrays have no order: '%s'",
			binop_text(e->u.binary.op));
	else if (a->kind == LT_ARRAY && (a->size != b->size || a->nelems != b->nelems))
		c_hint(c, c_error(c, e->span, DIAG_WRONG_TYPE,
				  "arrays of %u and of %u elements are never equal", a->nelems,
				  b->nelems),
			"memcmp(a, b, bytes) compares the first bytes");
	return true;
}

/* probe == "kprobe:f", func == "f": names of the block's own points. False: it is something else. */
static bool name_comparable(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *text = e->u.binary.b;
	const char *name = "";

	if (lt_is(text, LT_PROBE) || lt_is(text, LT_FUNC)) { /* the name comes first */
		e->u.binary.a = text;
		e->u.binary.b = a;
		a = text, text = e->u.binary.b;
	}
	if ((!lt_is(a, LT_PROBE) && !lt_is(a, LT_FUNC)) || a->ref.kind != REF_BUILTIN ||
		text->kind != EX_STR || is_order(e->u.binary.op))
		return false;
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		name = lt_is(a, LT_PROBE) ? ap->name : ap->func ? ap->func : "";
		if (!strcmp(name, text->u.str.s))
			return true;
	}
	c_hint(c, diag_warn(c->d, text->span, DIAG_UNUSED, "no probe of this block has that name"),
		"here it is, for instance, \"%s\"", name);
	return true;
}

static void check_compare(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	enum binop op = e->u.binary.op;
	struct diag *d;

	e->type = lt_bool();
	if (a->type.kind == LT_UNKNOWN || b->type.kind == LT_UNKNOWN) {
		e->type.kind = LT_UNKNOWN;
		return;
	}
	if (name_comparable(c, e))
		return;
	if (lt_is(a, LT_STR) && lt_is(b, LT_STR)) {
		if (is_order(op))
			c_hint(c,
				c_error(c, e->span, DIAG_WRONG_TYPE, "strings have no order: '%s'",
					binop_text(op)),
				"compare strings with == or !=");
		return;
	}
	if (!net_comparable(c, e, op, a, b) || sugar_tuple_equal(c, e) || bytes_comparable(c, e))
		return;
	if (a->type.kind != b->type.kind && !(lt_is(a, LT_INT) && lt_is(b, LT_PTR)) &&
		!(lt_is(a, LT_PTR) && lt_is(b, LT_INT))) {
		d = c_error(c, e->span, DIAG_WRONG_TYPE, "cannot compare %s with %s",
			c_type(c, &a->type), c_type(c, &b->type));
		if (lt_is(a, LT_STR) || lt_is(b, LT_STR))
			c_hint(c, d, "strings compare with strings: \"%s\"",
				lt_is(a, LT_PTR) || lt_is(b, LT_PTR) ? "text\" and str(pointer)"
								     : "text");
		return;
	}
	if (!check_number(c, a, "what is compared") || !check_number(c, b, "what is compared"))
		return;
	if (is_order(op)) {
		warn_negative(c, a, b);
		warn_negative(c, b, a);
	}
	if (a->is_const && b->is_const)
		set_truth(e, expr_fold(op, lt_unsigned_pair(a, b), a->const_value, b->const_value));
}

void check_step(struct check *c, struct skep_span at, const struct lt *t)
{
	if (c->s->portable && t->btf && !t->int_size)
		c_unsupported(c, at,
			"sums of a pointer to a kernel's type in an object for other kernels are",
			"(uint64) makes a number of the pointer");
}

/* pointer + n, n + pointer, pointer - n: by as many elements, as in C. */
static bool check_pointer_sum(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	enum binop op = e->u.binary.op;

	if (op == BO_ADD && lt_is(a, LT_INT) && lt_is(b, LT_PTR)) {
		e->u.binary.a = b;
		e->u.binary.b = a;
		return check_pointer_sum(c, e);
	}
	if ((op != BO_ADD && op != BO_SUB) || !lt_is(a, LT_PTR) || !lt_is(b, LT_INT))
		return false;
	e->type = a->type;
	lt_forget(&e->type);
	check_step(c, e->span, &a->type);
	return true;
}

static void check_binary(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	enum binop op = e->u.binary.op;
	const char *what;

	c->compared = op >= BO_EQ ? a : NULL;
	check_expr(c, a);
	check_net_names(c, a, b);
	c->raw_text = a->kind == EX_INDEX && a->ref.kind == REF_NET;
	check_expr(c, b);
	c->raw_text = false;
	if (op >= BO_EQ) {
		if (!check_payload_text(c, e))
			check_compare(c, e);
		return;
	}
	e->type = lt_bool();
	if (op == BO_LAND || op == BO_LOR) {
		what = arena_printf(c->a, "an operand of '%s'", binop_text(op));
		check_number(c, a, what);
		check_number(c, b, what);
		if (a->is_const && b->is_const)
			set_truth(e, expr_fold(op, false, a->const_value, b->const_value));
		return;
	}
	if (a->type.kind == LT_UNKNOWN || b->type.kind == LT_UNKNOWN) {
		e->type.kind = LT_UNKNOWN;
		return;
	}
	if (check_pointer_sum(c, e))
		return;
	what = arena_printf(c->a, "an operand of '%s'", binop_text(op));
	if (!check_int(c, a, what) || !check_int(c, b, what)) {
		e->type.kind = LT_UNKNOWN;
		return;
	}
	check_arith(c, e, op, a, b);
}

/* ---- the others ---- */

static void check_unary(struct check *c, struct expr *e)
{
	struct expr *a = e->u.unary.a;
	enum unop op = e->u.unary.op;
	const char *what = arena_printf(c->a, "the operand of '%s'", unop_text(op));

	if (op == UO_DEREF) {
		check_deref(c, e);
		return;
	}
	check_expr(c, a);
	if (op == UO_ADDR) {
		check_addr(c, e);
		return;
	}
	e->type = op == UO_NOT ? lt_bool() : lt_int(8, !is_u64(&a->type));
	if (a->type.kind == LT_UNKNOWN ||
		!(op == UO_NOT ? check_number(c, a, what) : check_int(c, a, what))) {
		e->type.kind = LT_UNKNOWN;
		return;
	}
	if (!a->is_const)
		return;
	switch (op) {
	case UO_NOT:
		set_truth(e, !a->const_value);
		break;
	case UO_BNOT:
		set_const(e, ~a->const_value, e->type.is_signed);
		break;
	case UO_NEG: /* 9223372036854775808 as written has no sign; with a minus it is the least signed number */
		set_const(e, 0 - a->const_value, e->type.is_signed ||
			(a->kind == EX_INT && a->const_value == 1ull << 63));
		break;
	default:
		set_const(e, a->const_value, e->type.is_signed);
		break;
	}
}

static void check_ternary(struct check *c, struct expr *e)
{
	struct expr *cond = e->u.ternary.cond, *yes = e->u.ternary.yes, *no = e->u.ternary.no;
	struct expr *first = yes ? yes : cond;
	bool changed;

	check_condition(c, cond);
	if (yes)
		check_expr(c, yes);
	check_expr(c, no);
	e->type = first->type;
	if (first->type.kind == LT_UNKNOWN || no->type.kind == LT_UNKNOWN) {
		e->type.kind = LT_UNKNOWN;
		return;
	}
	if (first->type.kind != no->type.kind) {
		diag_also(c->d,
			c_error(c, first->span, DIAG_WRONG_TYPE,
				"both values of '? :' must have one type: this is %s",
				c_type(c, &first->type)),
			no->span, arena_printf(c->a, "this is %s", c_type(c, &no->type)));
		e->type.kind = LT_UNKNOWN;
		return;
	}
	switch (e->type.kind) {
	case LT_INT:
		e->type = lt_int(8, !lt_unsigned_pair(first, no));
		if (cond->is_const && first->is_const && no->is_const)
			set_const(e, cond->const_value ? first->const_value : no->const_value,
				e->type.is_signed);
		e->type.boolean = first->type.boolean && no->type.boolean;
		e->type.enum_id = first->type.enum_id == no->type.enum_id ? no->type.enum_id : 0;
		break;
	case LT_STR:
		e->type =
			lt_str(first->type.size > no->type.size ? first->type.size : no->type.size);
		break;
	case LT_PTR:
		lt_forget(&e->type);
		if (first->type.btf != no->type.btf)
			e->type.btf = e->type.int_size = 0;
		break;
	case LT_INET4:
	case LT_MAC:
	case LT_PROBE:
	case LT_INET:
	case LT_CODED:
	case LT_FUNC:
		break;
	case LT_TUPLE:
	case LT_BUF:
	case LT_ARRAY:
	case LT_STRUCT:
		e->type.local = true;
		e->type.typed = false;
		changed = c->changed; /* the type is made anew in each round: that it grows is no news */
		if (yes && lt_grow(c, &e->type, no->type, false)) {
			c->changed = changed;
			break;
		}
		/* fall through */
	default:
		c_error(c, e->span, DIAG_WRONG_TYPE,
			"'? :' cannot choose between values of type %s", c_type(c, &e->type));
		e->type.kind = LT_UNKNOWN;
	}
}

static void check_incdec(struct check *c, struct expr *e)
{
	struct expr *t = e->u.incdec.target;

	e->type = lt_int(8, true);
	check_task_field(c, t);
	if (t->kind == EX_MAP) {
		check_map_assign(c, t, NULL, MAP_ADD);
		if (t->map)
			e->type = t->type;
		return;
	}
	if (t->kind == EX_FIELD) {
		check_expr(c, t);
		c_hint(c,
			c_error(c, e->span, DIAG_BAD_ASSIGN,
				"'%s' of a member has no value", e->u.incdec.dec ? "--" : "++"),
			"write it as a statement of its own");
		e->type.kind = LT_UNKNOWN;
		return;
	}
	check_var(c, t);
	if (t->var)
		check_note_var(c, t, t->var, true);
	if (lt_is(t, LT_PTR) && !t->type.trusted) {
		check_step(c, e->span, &t->type);
		e->type = t->type;
		return;
	}
	if (check_int(c, t, e->u.incdec.dec ? "the operand of '--'" : "the operand of '++'"))
		e->type = t->type;
}

/* $1 becomes what the command line gives: a number if it looks like one, else a string. */
static void check_posarg(struct check *c, struct expr *e)
{
	uint64_t i = e->u.num.v;
	const char *text = i && i <= c->s->nparams ? c->s->params[i - 1] : "0";
	char *end;
	uint64_t v;

	if (!i) { /* $# */
		e->kind = EX_INT;
		e->u.num.v = c->s->nparams;
		e->u.num.is_unsigned = false;
		check_expr(c, e);
		return;
	}
	errno = 0;
	v = text[0] == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (*text > ' ' && !*end && errno != ERANGE) {
		set_const(e, v, text[0] == '-' || v <= INT64_MAX);
		e->kind = EX_INT;
		e->u.num.v = v;
		e->u.num.is_unsigned = !e->type.is_signed;
		return;
	}
	e->kind = EX_STR;
	e->u.str.s = text;
	e->u.str.n = (uint32_t)strlen(text);
	check_expr(c, e);
}

static void check_leaf(struct check *c, struct expr *e)
{
	switch (e->kind) {
	case EX_INT:
		if (e->is_bool)
			set_truth(e, e->u.num.v);
		else
			set_const(e, e->u.num.v, !e->u.num.is_unsigned);
		break;
	case EX_STR:
		e->type = lt_str(e->u.str.n + 1);
		if (!c->raw_text && memchr(e->u.str.s, 0, e->u.str.n))
			c_hint(c, c_error(c, e->span, DIAG_BAD_CHAR, "zero byte in a string"),
				"text ends where its zero byte is; payloads of packets may hold some");
		if (e->u.str.n >= MAX_STRLEN_MOST) {
			c_hint(c, c_error(c, e->span, DIAG_TOO_BIG,
				"string of %u bytes; at most %d fit", e->u.str.n, MAX_STRLEN_MOST - 1),
				"print it in parts");
			e->type.kind = LT_UNKNOWN;
		}
		break;
	case EX_ADDR:
		e->type = e->u.addr.family == 4	  ? lt_of(LT_INET4, 4)
			  : e->u.addr.family == 6 ? lt_of(LT_INET6, 16)
						  : lt_of(LT_MAC, 6);
		break;
	default:
		break;
	}
}

/* Statements with a value, inside an expression. */
static void check_inner_block(struct check *c, struct expr *e)
{
	struct expr *v = e->u.block.value;

	if (!v && !e->u.block.fn)
		v = e->u.block.value = sugar_block_value(c, e->u.block.body);
	check_block(c, e->u.block.body);
	e->type.kind = LT_UNKNOWN;
	if (v) {
		check_expr(c, v);
		e->type = v->type;
		if (c_is_packet(c) && lo_writes_packet(e->u.block.body))
			c_unsupported(c, e->span, "changing a packet inside an expression is",
				"assign the value first: $x = …;");
	} else if (e->u.block.fn) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_TYPE, "function '%.60s' returns nothing",
				  e->u.block.fn),
			"call it as a statement, or let it return a value");
	} else {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_TYPE, "the block has no value"),
			"its last expression, without ';', is its value");
	}
}

void check_expr(struct check *c, struct expr *e)
{
	e->is_const = false; /* an earlier round may have known less */
	e->ref.kind = REF_NONE;
	check_task_field(c, e);
	switch (e->kind) {
	case EX_INT:
	case EX_STR:
	case EX_ADDR:
		check_leaf(c, e);
		break;
	case EX_POSARG:
		check_posarg(c, e);
		break;
	case EX_NAME:
		check_name(c, e);
		break;
	case EX_VAR:
		check_var(c, e);
		break;
	case EX_MAP:
		check_map_value(c, e);
		break;
	case EX_CALL:
		check_call(c, e, false);
		break;
	case EX_UNARY:
		check_unary(c, e);
		break;
	case EX_BINARY:
		check_binary(c, e);
		break;
	case EX_IN:
		check_in(c, e);
		break;
	case EX_TERNARY:
		check_ternary(c, e);
		break;
	case EX_BLOCK:
		check_inner_block(c, e);
		break;
	case EX_CAST:
		check_cast(c, e);
		break;
	case EX_FIELD:
		check_field(c, e);
		break;
	case EX_INDEX:
		if (check_payload(c, e))
			break;
		check_index(c, e);
		break;
	case EX_INCDEC:
		check_incdec(c, e);
		break;
	case EX_TUPLE:
	case EX_RECORD:
		check_tuple(c, e);
		break;
	case EX_RANGE:
	case EX_SET:
		c_hint(c, c_error(c, e->span, DIAG_WRONG_TYPE, "a set or range is no value"),
			"write: x in {1, 2, 5..9}");
		e->type.kind = LT_UNKNOWN;
		break;
	}
}
