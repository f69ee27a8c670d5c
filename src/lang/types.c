/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Types of the language: making them, comparing signedness, spelling them. */
#include "lang/check.h"
#include <string.h>

/* Never inlined: clearing and copying a type at each of the hundred places takes more than a call. */
#define OUTLINED __attribute__((noinline))

OUTLINED struct lt lt_of(enum lt_kind kind, uint32_t size)
{
	return (struct lt){.kind = kind, .size = size};
}

OUTLINED struct lt lt_int(uint32_t size, bool is_signed)
{
	return (struct lt){.kind = LT_INT, .size = size, .is_signed = is_signed};
}

OUTLINED struct lt lt_bool(void)
{
	return (struct lt){.kind = LT_INT, .size = 8, .is_signed = true, .boolean = true};
}

OUTLINED struct lt lt_str(uint32_t size)
{
	return (struct lt){.kind = LT_STR, .size = size};
}

static bool side_adapts(const struct expr *e)
{
	return !is_u64(&e->type) || lt_adapts(e);
}

/*
 * A constant whose type the kernel chose (enumerators) and which a signed number holds as well. Who
 * writes a cast means it.
 */
bool lt_adapts(const struct expr *e)
{
	if (!e->is_const || (int64_t)e->const_value < 0)
		return false;
	switch (e->kind) {
	case EX_CAST:
		return false;
	case EX_UNARY:
		return side_adapts(e->u.unary.a);
	case EX_BINARY:
		return side_adapts(e->u.binary.a) && side_adapts(e->u.binary.b);
	case EX_TERNARY:
		return side_adapts(e->u.ternary.yes ? e->u.ternary.yes : e->u.ternary.cond) &&
		       side_adapts(e->u.ternary.no);
	default:
		return true;
	}
}

/* Forces its operation to be unsigned: 8 bytes, unsigned, and no constant that fits the other side.
 */
static bool is_unsigned_side(const struct expr *e)
{
	if (e->type.kind == LT_PTR)
		return true;
	return is_u64(&e->type) && !lt_adapts(e);
}

bool lt_unsigned_pair(const struct expr *a, const struct expr *b)
{
	return is_unsigned_side(a) || is_unsigned_side(b);
}

bool lt_bool_cast(const struct expr *e)
{
	return e->kind == EX_CAST && e->type.boolean;
}

bool lt_has_address(const struct expr *e)
{
	const struct expr *b;

	if (e->type.local)
		return false;
	switch (e->kind) {
	case EX_FIELD:
		if (e->ref.kind == REF_MEMBER)
			return !e->ref.u.m.member.bit_size;
		return e->ref.kind == REF_TPFIELD && (e->type.kind == LT_ARRAY || e->type.kind == LT_STR);
	case EX_INDEX:
		b = e->u.index.base;
		return b->type.kind == LT_PTR || ((b->type.kind == LT_ARRAY || b->type.kind == LT_STR) &&
							 lt_has_address(b));
	case EX_UNARY:
		return e->u.unary.op == UO_DEREF;
	default:
		return false;
	}
}

uint32_t lt_named(const struct lt_tuple *t, const struct lt_tuple *of, uint32_t i)
{
	for (uint32_t k = 0; t->names && k < t->n; k++) {
		if (!strcmp(t->names[k], of->names[i]))
			return k;
	}
	return i;
}

bool lt_same_names(const struct lt_tuple *a, const struct lt_tuple *b)
{
	if (a->n != b->n || !a->names != !b->names)
		return false;
	for (uint32_t i = 0; a->names && i < a->n; i++) {
		if (strcmp(a->names[lt_named(a, b, i)], b->names[i]))
			return false;
	}
	return true;
}

static const char *pointer_text(const struct script *s, const struct lt *t)
{
	if (t->btf && s->target->btf)
		return arena_printf(s->a, "%s *", kbtf_spell(s->target->btf, t->btf, s->a));
	if (t->int_size == 1 && t->is_signed)
		return "char *";
	if (t->int_size)
		return arena_printf(s->a, "%sint%u *", t->is_signed ? "" : "u", t->int_size * 8);
	return "void *";
}

static const char *tuple_text(const struct script *s, const struct lt_tuple *t)
{
	struct buf b;

	buf_init(&b, s->a);
	buf_putc(&b, '(');
	for (uint32_t i = 0; i < t->n; i++)
		buf_printf(&b, "%s%s%s%s", i ? "," : "", t->names ? t->names[i] : "",
			t->names ? "=" : "", lt_text(s, &t->el[i]));
	buf_putc(&b, ')');
	return b.p;
}

const char *lt_text(const struct script *s, const struct lt *t)
{
	switch (t->kind) {
	case LT_NONE:
		return "nothing";
	case LT_INT:
		if (t->boolean)
			return "bool";
		return arena_printf(s->a, "%sint%u", t->is_signed ? "" : "u", t->size * 8);
	case LT_STR:
		return arena_printf(s->a, "string[%u]", t->size);
	case LT_PTR:
		return pointer_text(s, t);
	case LT_STRUCT:
		return s->target->btf ? kbtf_spell(s->target->btf, t->btf, s->a) : "struct";
	case LT_ARRAY:
		return arena_printf(s->a, "array of %u", t->nelems);
	case LT_INET4:
		return "IPv4 address";
	case LT_INET6:
		return "IPv6 address";
	case LT_MAC:
		return "MAC address";
	case LT_TUPLE:
		return t->tuple ? tuple_text(s, t->tuple) : "tuple";
	case LT_INET:
		return "IP address";
	case LT_BUF:
		return arena_printf(s->a, "buffer[%u]", t->size);
	case LT_CODED:
		return meta_kind_text(t->coded);
	case LT_PROBE:
		return "probe name";
	case LT_FUNC:
		return "function name";
	case LT_AGG:
		return "aggregation";
	case LT_STACK:
		return arena_printf(s->a, "%s stack of %u frames",
			t->stack.user ? "user" : "kernel", t->stack.limit);
	case LT_KSYM:
		return "kernel symbol";
	case LT_USYM:
		return "user symbol";
	case LT_TIME:
		return "time";
	case LT_UNKNOWN:
		break;
	}
	return "unknown type";
}

static const char *const binop_texts[] = {
	[BO_ADD] = "+",
	[BO_SUB] = "-",
	[BO_MUL] = "*",
	[BO_DIV] = "/",
	[BO_MOD] = "%",
	[BO_AND] = "&",
	[BO_OR] = "|",
	[BO_XOR] = "^",
	[BO_SHL] = "<<",
	[BO_SHR] = ">>",
	[BO_LAND] = "&&",
	[BO_LOR] = "||",
	[BO_EQ] = "==",
	[BO_NE] = "!=",
	[BO_LT] = "<",
	[BO_LE] = "<=",
	[BO_GT] = ">",
	[BO_GE] = ">=",
};
static const char *const unop_texts[] = {
	[UO_NOT] = "!",
	[UO_BNOT] = "~",
	[UO_NEG] = "-",
	[UO_PLUS] = "+",
	[UO_DEREF] = "*",
	[UO_ADDR] = "&",
};

const char *binop_text(enum binop op)
{
	return binop_texts[op];
}

const char *unop_text(enum unop op)
{
	return unop_texts[op];
}
