/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Casts, elements of arrays, and what pointers point to. */
#include "lang/check.h"
#include <endian.h>
#include <string.h>

/* ---- type names ---- */

static const struct {
	const char *name;
	uint32_t size;
	bool is_signed;
} int_names[] = {
	{"_Bool", 1, false},
	{"bool", 1, false},
	{"char", 1, true},
	{"int", 4, true},
	{"int16", 2, true},
	{"int16_t", 2, true},
	{"int32", 4, true},
	{"int32_t", 4, true},
	{"int64", 8, true},
	{"int64_t", 8, true},
	{"int8", 1, true},
	{"int8_t", 1, true},
	{"long", 8, true},
	{"s16", 2, true},
	{"s32", 4, true},
	{"s64", 8, true},
	{"s8", 1, true},
	{"short", 2, true},
	{"signed", 4, true},
	{"size_t", 8, false},
	{"u16", 2, false},
	{"u32", 4, false},
	{"u64", 8, false},
	{"u8", 1, false},
	{"uint16", 2, false},
	{"uint16_t", 2, false},
	{"uint32", 4, false},
	{"uint32_t", 4, false},
	{"uint64", 8, false},
	{"uint64_t", 8, false},
	{"uint8", 1, false},
	{"uint8_t", 1, false},
	{"uintptr_t", 8, false},
	{"unsigned", 4, false},
};

/* C's words in any order: "unsigned long long", "long int", "short unsigned int". */
static bool int_words(const char *name, struct lt *t)
{
	uint32_t size = 0;
	bool uns = false, is_signed = false;

	while (*name) {
		size_t n = strcspn(name, " ");

		if (n == 8 && !strncmp(name, "unsigned", n))
			uns = true;
		else if (n == 6 && !strncmp(name, "signed", n))
			is_signed = true;
		else if (n == 4 && !strncmp(name, "long", n))
			size = 8;
		else if (n == 5 && !strncmp(name, "short", n))
			size = 2;
		else if (n == 4 && !strncmp(name, "char", n))
			size = 1;
		else if (n != 3 || strncmp(name, "int", n))
			return false;
		name += n + (name[n] == ' ');
	}
	*t = lt_int(size ? size : 4, is_signed || !uns);
	return true;
}

bool lt_int_name(const char *name, struct lt *t)
{
	for (unsigned i = 0; i < sizeof(int_names) / sizeof(*int_names); i++) {
		if (!strcmp(int_names[i].name, name)) {
			*t = lt_int(int_names[i].size, int_names[i].is_signed);
			t->boolean = !strcmp(name, "bool") || !strcmp(name, "_Bool");
			return true;
		}
	}
	return strchr(name, ' ') && int_words(name, t);
}

/* The nearest name of an integer, for a type without "struct" before it. */
static const char *near_int(struct suggest *s, const struct expr *e, const char *name)
{
	suggest_init(s, name);
	for (unsigned i = 0; name == e->u.cast.type && i < sizeof(int_names) / sizeof(*int_names); i++)
		suggest_try(s, int_names[i].name);
	return suggest_best(s);
}

static void unknown_type(struct check *c, const struct expr *e, const char *name)
{
	struct diag *d = c_error(c, e->u.cast.type_span, DIAG_UNKNOWN_NAME,
		"the target kernel has no type '%.80s'", e->u.cast.type);
	struct suggest s;

	if (!c->final)
		return;
	near_int(&s, e, name);
	for (uint32_t id = 1; c->btf && id <= kbtf_count(c->btf); id++) {
		unsigned k = btf_kind_of(kbtf_type(c->btf, id));

		if (k == BTF_KIND_STRUCT || k == BTF_KIND_UNION || k == BTF_KIND_TYPEDEF)
			suggest_try(&s, kbtf_name(c->btf, id));
	}
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, d, "types come from the kernel's BTF; integers are int8 … uint64");
}

/* The BTF id a type name stands for; 0 reported. */
static uint32_t named_type(struct check *c, const struct expr *e)
{
	const char *name = e->u.cast.type, *blank = strchr(name, ' ');
	uint32_t id = 0;
	struct suggest s;
	struct diag *d;

	if (!c->btf && near_int(&s, e, name)) {
		unknown_type(c, e, name);
		return 0;
	}
	if (!c->btf) {
		d = c_error(c, e->u.cast.type_span, DIAG_NEED_BTF,
			"type '%.80s' needs the kernel's type information: %s", name,
			c->t->btf_why ? c->t->btf_why : "the target has none");
		c_hint(c, d,
			"use a kernel built with CONFIG_DEBUG_INFO_BTF, or give its BTF with "
			"--btf FILE");
		return 0;
	}
	if (!strncmp(name, "struct ", 7) || !strncmp(name, "union ", 6)) {
		id = kbtf_find_struct(c->btf, blank + 1);
	} else if (!strncmp(name, "enum ", 5)) {
		id = kbtf_find(c->btf, BTF_KIND_ENUM, blank + 1);
		if (!id)
			id = kbtf_find(c->btf, BTF_KIND_ENUM64, blank + 1);
	} else {
		id = kbtf_find(c->btf, BTF_KIND_TYPEDEF, name);
		if (!id)
			id = kbtf_find_struct(c->btf, name);
	}
	if (!id)
		unknown_type(c, e, blank ? blank + 1 : name);
	return id;
}

/* ---- casts ---- */

/* An array or text that a cast may take the address of. */
static bool in_memory(const struct expr *a)
{
	return (a->type.kind == LT_ARRAY || a->type.kind == LT_STR) && lt_has_address(a);
}

static struct lt pointer_cast(struct check *c, const struct expr *e)
{
	struct lt t = lt_of(LT_PTR, 8), num;
	struct kbtf_info info;
	uint32_t id;

	if (e->u.cast.a->type.kind == LT_PTR || in_memory(e->u.cast.a))
		t.space = e->u.cast.a->type.space;
	else if (c_in_user(c))
		t.space = SPACE_USER;
	if (e->u.cast.stars > 1) { /* to a pointer: what it points to is an address */
		t.int_size = 8;
		return t;
	}
	if (!strcmp(e->u.cast.type, "void"))
		return t;
	if (lt_int_name(e->u.cast.type, &num)) {
		t.int_size = num.size;
		t.is_signed = num.is_signed;
		return t;
	}
	id = named_type(c, e);
	if (!id) {
		t.kind = LT_UNKNOWN;
		return t;
	}
	info = kbtf_describe(c->btf, id);
	t.btf = info.class == KBTF_STRUCT ? info.id : id;
	if (info.class == KBTF_INT) {
		t.int_size = info.size;
		t.is_signed = info.is_signed;
	}
	/* A proven pointer stays proven when the cast says what it is already. */
	t.typed = e->u.cast.a->type.typed && e->u.cast.a->type.kind == LT_PTR &&
		  e->u.cast.a->type.btf == t.btf;
	if (e->u.cast.a->type.kind == LT_PTR && e->u.cast.a->type.typed && !t.typed) {
		c_unsupported(c, e->span, "casts of a scheduler's typed pointers are",
			"use its members directly");
		t.kind = LT_UNKNOWN;
	}
	return t;
}

static uint64_t truncate_const(uint64_t v, const struct lt *t)
{
	unsigned shift = 64 - 8 * t->size;

	v <<= shift;
	return t->is_signed ? (uint64_t)((int64_t)v >> shift) : v >> shift;
}

static struct lt number_cast(struct check *c, const struct expr *e)
{
	struct lt t = {.kind = LT_UNKNOWN};
	struct diag *d;
	uint32_t id;

	if (lt_int_name(e->u.cast.type, &t))
		return t;
	id = strcmp(e->u.cast.type, "void") ? named_type(c, e) : 0;
	if (!id && strcmp(e->u.cast.type, "void"))
		return t;
	if (id)
		t = lt_from_btf(c, id, SPACE_KERNEL, false);
	if (t.kind == LT_INT || t.kind == LT_PTR)
		return t;
	d = c_error(
		c, e->u.cast.type_span, DIAG_WRONG_TYPE, "cannot cast to '%.80s'", e->u.cast.type);
	c_hint(c, d, "cast to a pointer to it: (%.80s *)", e->u.cast.type);
	t.kind = LT_UNKNOWN;
	return t;
}

/* ---- arrays ---- */

static void bad_array_cast(struct check *c, struct expr *e, const char *hint)
{
	c_hint(c,
		c_error(c, e->span, DIAG_WRONG_TYPE, "cannot cast %s to an array of %s%s%s",
			c_type(c, &e->u.cast.a->type), e->u.cast.type, e->u.cast.stars ? " *" : "",
			e->u.cast.nelems ? arena_printf(c->a, "[%u]", e->u.cast.nelems) : ""),
		"%s", hint);
	e->type.kind = LT_UNKNOWN;
}

/* (uint8[4])x: the bytes of a number, a string or an array, as they lie in memory. */
static void array_cast(struct check *c, struct expr *e)
{
	const struct expr *a = e->u.cast.a;
	uint32_t n = e->u.cast.nelems, have = a->type.kind == LT_INT ? check_written_size(a) : a->type.size;
	struct lt el;

	e->type.kind = LT_UNKNOWN;
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (a->type.kind == LT_ARRAY && e->u.cast.stars && (!n || n == a->type.nelems)) {
		e->type = a->type; /* let $x : struct foo *[2] = …: what it is already */
		e->type.local = true;
		return;
	}
	if (e->u.cast.stars || (a->type.kind != LT_INT && a->type.kind != LT_STR &&
				       a->type.kind != LT_ARRAY)) {
		bad_array_cast(c, e, "numbers and text become arrays of numbers: (uint8[4])x");
		return;
	}
	el = number_cast(c, e);
	if (el.kind != LT_INT || (!n && have % el.size)) {
		if (el.kind != LT_UNKNOWN)
			bad_array_cast(c, e, "write the number of elements");
		return;
	}
	n = n ? n : have / el.size;
	if (n * el.size > (a->type.kind == LT_INT ? 8 : have) && !(a->is_const && !a->const_value)) {
		bad_array_cast(c, e, "an array has at most as many bytes as what it is made of");
		return;
	}
	e->type = lt_of(LT_ARRAY, n * el.size);
	e->type.nelems = n;
	e->type.int_size = el.size;
	e->type.is_signed = el.is_signed;
	e->type.boolean = el.boolean;
	e->type.local = true;
}

/* (uint32)$array */
static void array_to_number(struct check *c, struct expr *e)
{
	if (e->u.cast.a->type.size == e->type.size)
		return;
	c_hint(c,
		c_error(c, e->span, DIAG_WRONG_TYPE, "cannot cast %u bytes to %s",
			e->u.cast.a->type.size, c_type(c, &e->type)),
		"take elements of it, or a number that has as many bytes");
	e->type.kind = LT_UNKNOWN;
}

/* What a variable that was declared with a type of numbers holds, and else the value's type. */
static struct lt type_of(struct check *c, struct expr *of)
{
	const struct expr *cast = of->kind == EX_VAR && of->var ? of->var->cast : NULL;

	if (cast && of->type.kind == LT_INT && !cast->u.cast.of && !cast->u.cast.array)
		return number_cast(c, cast);
	return of->type;
}

static bool is_type_name(struct check *c, const struct expr *e)
{
	int64_t v;

	return e->kind == EX_NAME && builtin_value(e->u.name) < 0 && !kernel_const(c, e->u.name, &v);
}

static bool same_type(struct check *c, struct lt t, struct lt a)
{
	bool changed = c->changed, same = t.kind == a.kind && lt_grow(c, &t, a, false);

	c->changed = changed; /* t is a copy: that it grows is no news */
	return same;
}

/* (typeof(x))y. False: e is something else now, or has no type yet. */
static bool typeof_cast(struct check *c, struct expr *e)
{
	struct expr *of = e->u.cast.of, *a = e->u.cast.a;
	struct skep_span at = e->span;

	e->type.kind = LT_UNKNOWN;
	if (is_type_name(c, of)) {
		e->u.cast.type = of->u.name;
		e->u.cast.of = NULL;
		e->type = number_cast(c, e);
		return true;
	}
	check_expr(c, of);
	if (of->kind == EX_VAR && of->var && of->var->type.kind == LT_NONE)
		c_error(c, of->span, DIAG_UNKNOWN_VARIABLE,
			"variable '$%.*s' has no type yet", VAR_NAME(of->u.name));
	if (of->type.kind == LT_UNKNOWN || a->type.kind == LT_UNKNOWN)
		return false;
	if (of->type.kind == LT_INT || of->type.kind == LT_PTR) {
		e->type = type_of(c, of);
		lt_forget(&e->type);
		of->type = e->type; /* lowering asks it */
		return true;
	}
	if (of->type.kind == LT_STR && a->kind == EX_INT && !a->u.num.v) { /* let $x : typeof("text"); */
		a->kind = EX_STR;
		a->u.str.s = "";
		a->u.str.n = 0;
		check_expr(c, a);
	}
	if (of->type.kind == LT_ARRAY && of->type.int_size && a->kind == EX_INT && !a->u.num.v) {
		e->u.cast.type = of->type.boolean ? "bool" : arena_printf(c->a, "%sint%u",
			of->type.is_signed ? "" : "u", of->type.int_size * 8);
		e->u.cast.of = NULL;
		e->u.cast.array = true;
		e->u.cast.nelems = of->type.nelems;
		array_cast(c, e);
	} else if (same_type(c, of->type, a->type)) {
		*e = *a;
		e->span = at;
	} else {
		c_error(c, at, DIAG_WRONG_TYPE, "cannot cast %s to %s", c_type(c, &a->type),
			c_type(c, &of->type));
	}
	return false;
}

void check_cast(struct check *c, struct expr *e)
{
	struct expr *a = e->u.cast.a;

	check_expr(c, a);
	if (e->u.cast.of && !typeof_cast(c, e))
		return;
	if (e->u.cast.array) {
		array_cast(c, e);
		return;
	}
	if (strcmp(e->u.cast.type, "typeof()"))
		e->type = e->u.cast.stars ? pointer_cast(c, e) : number_cast(c, e);
	if (e->type.kind == LT_PTR && in_memory(a))
		return; /* where it lies, as in C */
	if (a->type.kind == LT_ARRAY && e->type.kind == LT_INT) {
		array_to_number(c, e);
		return;
	}
	if (a->kind == EX_ADDR && a->u.addr.family == 4 && e->type.kind == LT_INT) {
		uint32_t bytes; /* as they lie in memory, so in network order */

		memcpy(&bytes, a->u.addr.bytes, sizeof(bytes));
		set_const(a, le32toh(bytes), false);
	}
	if (a->type.kind == LT_STR) {
		c_error(c, a->span, DIAG_WRONG_TYPE, "a string cannot be cast");
		e->type.kind = LT_UNKNOWN;
		return;
	}
	if (a->type.kind == LT_UNKNOWN || e->type.kind == LT_UNKNOWN ||
		!check_number(c, a, "what is cast")) {
		e->type.kind = LT_UNKNOWN;
		return;
	}
	if (a->is_const && e->type.kind == LT_INT) {
		e->is_const = true;
		e->const_value = lt_bool_cast(e) ? a->const_value != 0
						 : truncate_const(a->const_value, &e->type);
	}
}

/* ---- a[i], *p ---- */

/* Type of what a pointer points to or of an array's element. */
static struct lt element(struct check *c, const struct lt *t)
{
	struct lt el = {.kind = LT_UNKNOWN};

	if (t->int_size) {
		el = lt_int(t->int_size, t->is_signed);
		el.space = t->space;
		el.boolean = t->kind == LT_ARRAY && t->boolean;
	} else if (t->btf) {
		el = lt_from_btf(c, t->btf, t->space, false);
	}
	el.local = t->kind == LT_ARRAY && t->local;
	return el;
}

static void bad_element(struct check *c, const struct expr *e, const struct lt *t)
{
	struct diag *d = c_error(c, e->span, DIAG_WRONG_TYPE, "a value of type %s %s", c_type(c, t),
		e->kind == EX_INDEX ? "has no elements" : "does not point to a value");

	if (t->kind == LT_INT)
		c_hint(c, d, "cast it to a pointer first: %s(uint64 *)…%s",
			e->kind == EX_INDEX ? "(" : "*", e->kind == EX_INDEX ? ")[i]" : "");
	else if (t->kind == LT_PTR)
		c_hint(c, d, "cast it to a pointer that says what it points to");
}

static void tuple_index(struct check *c, struct expr *e)
{
	struct expr *i = e->u.index.index;

	if (i->is_const)
		check_element_of(c, e, e->u.index.base, i->const_value, i->span);
	else
		c_hint(c,
			c_error(c, i->span, DIAG_WRONG_TYPE,
				"the index of a tuple must be a constant number"),
			"for instance: $t[0]");
}

/* One byte of a string, a char. */
static void string_index(struct check *c, struct expr *e)
{
	const struct expr *base = e->u.index.base, *i = e->u.index.index;

	if (!i->is_const && base->type.size > 64 && c->t->version < KV(5, 12)) {
		c_unsupported(c, i->span,
			"indices that are not constant, of long strings, on kernels before 5.12 are",
			"say how long it is: str(pointer, 32)");
		return;
	}
	if (i->is_const && i->const_value >= base->type.size) {
		c_error(c, i->span, DIAG_CONST_RANGE, "the string has at most %u bytes",
			base->type.size);
		return;
	}
	e->type = lt_int(1, true);
	if (base->kind == EX_STR && i->is_const)
		set_const(e, i->const_value < base->u.str.n
				     ? (uint64_t)(int64_t)(signed char)base->u.str.s[i->const_value]
				     : 0,
			true);
}

void check_index(struct check *c, struct expr *e)
{
	struct expr *base = e->u.index.base, *i = e->u.index.index;

	e->type.kind = LT_UNKNOWN;
	if (base->kind == EX_NAME && !strcmp(base->u.name, "payload")) {
		c_unsupported(c, e->span, "payload[…] is", "fields of headers are: tcp.dport");
		return;
	}
	check_expr(c, base);
	if (i->kind == EX_RANGE) {
		c_error(c, i->span, DIAG_WRONG_TYPE, "expected one index");
		return;
	}
	check_expr(c, i);
	if (!check_int(c, i, "an index") || base->type.kind == LT_UNKNOWN ||
		i->type.kind == LT_UNKNOWN)
		return;
	if (base->kind == EX_ADDR && i->is_const && base->type.kind != LT_MAC &&
		i->const_value < (base->u.addr.family == 6 ? 16 : 4)) { /* pton("::1")[0] */
		set_const(e, base->u.addr.bytes[i->const_value], false);
		return;
	}
	if (base->type.kind == LT_TUPLE && base->type.tuple) {
		tuple_index(c, e);
		return;
	}
	if (base->type.kind == LT_STR) {
		string_index(c, e);
		return;
	}
	if (base->type.kind == LT_PTR || base->type.kind == LT_ARRAY)
		e->type = element(c, &base->type);
	if (e->type.kind == LT_UNKNOWN || e->type.kind == LT_NONE) {
		bad_element(c, e, &base->type);
		e->type.kind = LT_UNKNOWN;
	} else if (base->type.kind == LT_ARRAY && base->type.nelems && i->is_const &&
		   i->const_value >= base->type.nelems) {
		c_error(c, i->span, DIAG_CONST_RANGE, "the array has %u elements, from 0",
			base->type.nelems);
	} else if (base->type.local && !i->is_const && e->type.kind != LT_INT &&
		   e->type.kind != LT_PTR) {
		c_unsupported(c, i->span,
			"indices that are not constant, of kept arrays of more than numbers, are",
			"take the element where the array is read");
		e->type.kind = LT_UNKNOWN;
	} else if (base->type.local && !i->is_const && base->type.nelems > 64 &&
		   c->t->version < KV(5, 12)) {
		c_unsupported(c, i->span,
			"indices that are not constant, of long kept arrays, on kernels before 5.12 are",
			"take the element where the array is read");
		e->type.kind = LT_UNKNOWN;
	}
}

void check_deref(struct check *c, struct expr *e)
{
	struct expr *a = e->u.unary.a;

	check_expr(c, a);
	e->type.kind = LT_UNKNOWN;
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (is_u64(&a->type) && a->kind != EX_CAST && !a->is_const) { /* as from kaddr() */
		a = ARENA_NEW(c->a, struct expr);
		*a = (struct expr){.kind = EX_CAST, .span = e->u.unary.a->span,
			.height = e->u.unary.a->height + 1};
		a->u.cast.type = "uint64";
		a->u.cast.type_span = a->span;
		a->u.cast.stars = 1;
		a->u.cast.a = e->u.unary.a;
		e->u.unary.a = a;
		check_expr(c, a);
	}
	if (a->kind == EX_CALL && a->type.kind == LT_PTR && !a->type.btf && !a->type.int_size)
		a->type.int_size = 8; /* *uptr(number) */
	if (a->type.kind == LT_PTR)
		e->type = element(c, &a->type);
	if (e->type.kind == LT_UNKNOWN || e->type.kind == LT_NONE) {
		bad_element(c, e, &a->type);
		e->type.kind = LT_UNKNOWN;
	}
}

/* &p->member */
void check_addr(struct check *c, struct expr *e)
{
	const struct expr *a = e->u.unary.a, *in = a;

	e->type.kind = LT_UNKNOWN;
	if (a->type.kind == LT_UNKNOWN)
		return;
	if (!lt_has_address(a)) {
		c_unsupported(c, e->span, "'&' of anything but a member or an element is",
			"for instance: &$p->member");
		return;
	}
	if (a->type.kind == LT_PTR) /* its space is where it points */
		in = a->kind == EX_UNARY ? a->u.unary.a
		     : a->kind == EX_FIELD ? a->u.field.base : a->u.index.base;
	e->type = lt_of(LT_PTR, 8);
	e->type.space = in->type.space;
	e->type.is_signed = a->type.is_signed || a->type.kind == LT_STR;
	if (a->type.kind == LT_STRUCT || a->type.kind == LT_ARRAY)
		e->type.btf = a->type.btf;
	e->type.int_size = a->type.kind == LT_STR ? 1 : a->type.kind == LT_ARRAY ? a->type.int_size
			   : a->type.kind == LT_STRUCT ? 0 : a->type.size;
}

/* ---- sizeof(), offsetof() ---- */

/* Bytes of a value; tuples and records as structs of C. */
static uint32_t value_size(const struct lt *t, uint32_t *align)
{
	uint32_t n = t->boolean ? 1 : t->size ? t->size : 8, al;

	*align = t->kind == LT_STR ? 1 : t->kind == LT_INT ? n : 8;
	if (t->kind != LT_TUPLE)
		return n;
	*align = 1;
	n = 0;
	for (uint32_t i = 0; i < t->tuple->n; i++) {
		uint32_t size = value_size(&t->tuple->el[i], &al);

		n = (n + al - 1) / al * al + size;
		*align = al > *align ? al : *align;
	}
	return n ? (n + *align - 1) / *align * *align : 1;
}

/* The type an argument names, or the type of its value; of_target: a pointer's target. 0: reported. */
static uint32_t size_of_arg(struct check *c, struct expr *a, uint32_t *btf, bool of_target)
{
	struct expr cast = *a;
	struct lt t;
	uint32_t n;

	*btf = 0;
	if (is_type_name(c, a)) {
		cast.kind = EX_CAST;
		cast.u.cast.type = a->u.name;
		cast.u.cast.type_span = a->span;
		cast.u.cast.stars = 0;
	} else if (a->kind != EX_CAST || a->span.off != a->u.cast.type_span.off) {
		/* a cast starts with its parenthesis, a type alone with its name */
		check_expr(c, a);
		*btf = a->type.kind == LT_STRUCT || (of_target && a->type.kind == LT_PTR) ? a->type.btf
											  : 0;
		return a->type.kind == LT_UNKNOWN ? 0 : value_size(&a->type, &n);
	}
	n = cast.u.cast.array ? cast.u.cast.nelems : 1;
	if (cast.u.cast.of) {
		check_expr(c, cast.u.cast.of);
		t = type_of(c, cast.u.cast.of);
		*btf = t.kind == LT_STRUCT ? t.btf : 0;
		return t.kind == LT_UNKNOWN ? 0 : value_size(&t, &n);
	}
	if (cast.u.cast.stars)
		return 8 * n;
	if (lt_int_name(cast.u.cast.type, &t))
		return t.size * n;
	*btf = named_type(c, &cast);
	return *btf ? kbtf_size(c->btf, *btf) * n : 0;
}

/* What is said of a kernel's type holds for that kernel only. */
static void one_kernel(struct check *c, const struct expr *e, uint32_t btf)
{
	uint32_t own = c->btf ? kbtf_own(c->btf) : 0;

	if (c->s->portable && btf && !(own && kbtf_strip(c->btf, btf) > own))
		c_hint(c,
			c_error(c, e->span, DIAG_NOT_SUPPORTED,
				"%s() of a kernel's type cannot be in an object for other kernels",
				e->u.call.name),
			"run the script itself on that kernel");
}

void check_sizeof(struct check *c, struct expr *e)
{
	uint32_t btf, size;

	e->type.kind = LT_UNKNOWN;
	if (!count_args(c, e, 1, 1))
		return;
	size = size_of_arg(c, e->u.call.args.list.v[0], &btf, false);
	one_kernel(c, e, btf);
	if (size)
		set_const(e, size, false);
}

/* a.b.c from the type on: bits, or false when it is reported. */
static bool member_path(struct check *c, const struct expr *path, uint32_t *btf, uint32_t *bits)
{
	const char *name = path->kind == EX_NAME ? path->u.name : path->u.field.name;
	struct kbtf_member m;

	if (path->kind == EX_FIELD && !member_path(c, path->u.field.base, btf, bits))
		return false;
	if (!kbtf_find_member(c->btf, kbtf_strip(c->btf, *btf), name, &m)) {
		c_error(c, path->span, DIAG_NO_SUCH_FIELD, "%s has no member '%.60s'",
			kbtf_spell(c->btf, *btf, c->a), name);
		return false;
	}
	*bits += m.bit_off;
	*btf = m.type;
	return true;
}

void check_offsetof(struct check *c, struct expr *e)
{
	const struct expr *path, *p;
	uint32_t btf = 0, bits = 0;

	e->type.kind = LT_UNKNOWN;
	if (!count_args(c, e, 2, 2))
		return;
	path = p = e->u.call.args.list.v[1];
	while (p->kind == EX_FIELD)
		p = p->u.field.base;
	if (!size_of_arg(c, e->u.call.args.list.v[0], &btf, true))
		return;
	one_kernel(c, e, btf);
	if (!btf || p->kind != EX_NAME) {
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_ARGS,
				"offsetof() needs a struct and one of its members"),
			"for instance: offsetof(struct task_struct, pid)");
		return;
	}
	if (member_path(c, path, &btf, &bits))
		set_const(e, bits / 8, false);
}
