/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names (builtins, constants of the kernel), addresses, and "in". */
#include "lang/check.h"
#include <string.h>

/* ---- names ---- */

static struct lt type_of_builtin(struct check *c, const struct builtin *b, struct skep_span at)
{
	struct lt t = {.kind = LT_UNKNOWN};
	struct diag *e;

	if (!strcmp(b->ret, "u32"))
		return lt_int(4, false);
	if (!strcmp(b->ret, "u64"))
		return lt_int(8, false);
	if (!strcmp(b->ret, "i64"))
		return lt_int(8, true);
	if (!strcmp(b->ret, "str16"))
		return lt_str(16);
	if (!strcmp(b->ret, "probe"))
		return lt_of(LT_PROBE, 8);
	if (!strcmp(b->ret, "func"))
		return lt_of(LT_FUNC, 8);
	if (strcmp(b->ret, "task"))
		return t;
	t = lt_of(LT_PTR, 8);
	t.btf = c->btf ? kbtf_find_struct(c->btf, "task_struct") : 0;
	if (!t.btf) {
		e = c_error(c, at, DIAG_NEED_BTF, "'%s' needs the kernel's type information: %s",
			b->name, c->t->btf_why ? c->t->btf_why : "the target has none");
		c_hint(c, e, "pid, tid and comm need none");
		t.kind = LT_UNKNOWN;
	}
	return t;
}

static void command_pid(struct check *c, struct expr *e)
{
	if (!c->s->cpid) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_PROBE, "'cpid' needs a command"),
			"start one: -c 'COMMAND'");
		return;
	}
	e->ref.kind = REF_CONST;
	e->ref.u.num = (uint64_t)c->s->cpid;
	set_const(e, (uint64_t)c->s->cpid, true);
}

/* "args" alone: a record of all arguments, of the first point; the others must have them, too. */
static void bare_args(struct check *c, struct expr *e)
{
	const char *names[32];
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->probe->points.n && !n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];
		struct kbtf_param p[32];

		for (uint32_t k = 0; ap->tracepoint && k < ap->tracepoint->fields.n && n < 32; k++) {
			names[n] = ap->tracepoint->fields.v[k].name;
			n += ap->tracepoint->fields.v[k].off >= 8; /* no program sees those before */
		}
		if (ap->tracepoint || !ap->proto || ap->missing)
			continue;
		n = kbtf_params(c->btf, ap->proto, p, 32);
		n = n > 32 ? 32 : n;
		n -= ap->proto_skip < n ? ap->proto_skip : n;
		for (uint32_t k = 0; k < n; k++)
			names[k] = p[k + ap->proto_skip].name;
	}
	if (n)
		sugar_args(c, e, names, n);
	else if (!c->probe->points.n || !c->probe->points.v[0].missing)
		c_hint(c, c_error(c, e->span, DIAG_WRONG_TYPE, "'args' alone is no value here"),
			"name one of the arguments: args.NAME");
}

static void suggest_constant(const char *name, void *arg)
{
	suggest_try(arg, name);
}

struct family {
	const char *name;
	size_t n; /* of its letters up to the last underscore */
	struct buf found;
};

static void add_relative(const char *name, void *arg)
{
	struct family *f = arg;

	if (!strncmp(name, f->name, f->n) && f->found.n < 200)
		buf_printf(&f->found, " %s", name);
}

/* A constant of a scheduler with a wrong end: "SCX_SLICE_DEFAULT"; the right ones, or "". */
static const char *relatives(struct check *c, const char *name)
{
	const char *last = strrchr(name, '_');
	struct family f = {.name = name, .n = last ? (size_t)(last + 1 - name) : 0};

	buf_init(&f.found, c->a);
	if (c->btf && !strncmp(name, "SCX_", 4) && f.n > 4)
		kbtf_each_enumerator(c->btf, add_relative, &f);
	return f.found.n ? f.found.p : "";
}

void unknown_flag(struct check *c, const struct expr *e)
{
	struct diag *d = c_error(c, e->span, DIAG_UNKNOWN_NAME, "unknown name '%.60s'", e->u.name);
	const char *all;
	struct suggest s;

	suggest_init(&s, e->u.name);
	if (c->btf)
		kbtf_each_enumerator(c->btf, suggest_constant, &s);
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else if (*(all = relatives(c, "SCX_OPS_")))
		c_hint(c, d, "this kernel has%s", all);
}

/* A word that has a meaning, but not alone or not here. */
static bool known_otherwise(struct check *c, struct diag *d, const char *name)
{
	if (c_named_arg(c, name))
		c_hint(c, d, "arguments start with 'args.': args.%.60s", name);
	else if (elsewhere_find(name))
		c_hint(c, d, "here it is '%s'", elsewhere_find(name));
	else if (builtin_function(name) >= 0 || agg_by_name(name))
		c_hint(c, d, "it is a function: %s(…)", name);
	else if (net_layer_by_name(name) >= 0)
		c_hint(c, d, "name one of its fields, for instance %s",
			!strcmp(name, "ip") ? "ip.src" : "tcp.dport");
	else
		return false;
	return true;
}

static void unknown_name(struct check *c, const struct expr *e)
{
	static const char *const words[] = {"break", "continue", "return", "true", "false"};
	const char *name = e->u.name, *kin;
	struct diag *d = c_error(c, e->span, DIAG_UNKNOWN_NAME, "unknown name '%.60s'", name);
	struct suggest s;

	if (!c->final)
		return;
	if (known_otherwise(c, d, name))
		return;
	suggest_init(&s, name);
	for (int i = 0; i < BI_COUNT; i++)
		suggest_try(&s, builtin_row((enum builtin_id)i)->name);
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		suggest_try(&s, words[i]);
	if (c_is_packet(c)) { /* numbers of fields: icmp.type == echo_request */
		const struct net_name *n;
		const struct net_field *f;

		for (unsigned i = 0; (f = net_field_at(i)); i++) {
			const char *own = strchr(f->name, '.');

			if (own && !strcmp(own + 1, name)) {
				c_hint(c, d, "fields stand behind their header: %s", f->name);
				return;
			}
		}

		for (unsigned i = 0; (n = net_name_at(i)); i++)
			suggest_try(&s, n->name);
	}
	/* names of the kernel are written in capitals */
	if (name[0] >= 'A' && name[0] <= 'Z') {
		if (strlen(name) > 3) /* short ones are all alike */
			kern_each_const(suggest_constant, &s);
		if (c->btf)
			kbtf_each_enumerator(c->btf, suggest_constant, &s);
	}
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else if (smap_get(&c->vars, name))
		c_hint(c, d, "variables start with '$': $%.60s", name);
	else if (smap_get(&c->s->maps, arena_printf(c->a, "@%s", name)))
		c_hint(c, d, "maps start with '@': @%.60s", name);
	else if (*(kin = relatives(c, name)))
		c_hint(c, d, "this kernel has%s", kin);
	else if (!c->btf)
		c_hint(c, d,
			"constants of the kernel need its type information (BTF); "
			"#define %.60s NUMBER defines one",
			name);
	else if (!strncmp(name, "XDP_", 4) || !strncmp(name, "TC_ACT_", 7))
		c_hint(c, d, "drop() and pass() decide what becomes of the packet");
	else if (name[0] >= 'A' && name[0] <= 'Z')
		c_hint(c, d, "#define %.60s NUMBER defines a constant", name);
	else
		c_hint(c, d,
			"text stands between double quotes: \"%.60s\"; "
			"#define %.60s NUMBER defines a constant",
			name, name);
}

bool kernel_const(struct check *c, const char *name, int64_t *v)
{
	return (c->btf && kbtf_enum_value(c->btf, name, v)) || kern_const(c->t->arch, name, v) ||
	       (!strncmp(name, "__NR_", 5) && kern_syscall(c->t->arch, name + 5, v));
}

void check_name(struct check *c, struct expr *e)
{
	const struct unsupported *u;
	int id = builtin_value(e->u.name);
	int64_t v;

	e->type.kind = LT_UNKNOWN;
	if (id >= 0) {
		const struct builtin *b = builtin_row((enum builtin_id)id);

		if (id == BI_ARGS) {
			if (has_args(c, e->span))
				bare_args(c, e);
			return;
		}
		if (!c_has_builtin(c, b, e->span))
			return;
		if (id >= BI_ARG0 && id <= BI_ARG5) {
			c->probe->uses_argn = true;
			if (!check_usdt_arg(c, e, (unsigned)(id - BI_ARG0)))
				return;
		}
		if (id == BI_CPID) {
			command_pid(c, e);
			return;
		}
		c->probe->uses_probe |= id == BI_PROBE || id == BI_FUNC;
		e->ref.kind = REF_BUILTIN;
		e->ref.u.builtin = (unsigned)id;
		if (check_special_value(c, e, (enum builtin_id)id))
			return;
		if (id == BI_KSTACK || id == BI_USTACK)
			e->type = lt_stack(c, id == BI_USTACK);
		else if (id == BI_RETVAL && c_is_kind(c, PP_FENTRY))
			e->type = traced_retval(c, e->span);
		else
			e->type = type_of_builtin(c, b, e->span);
		return;
	}
	if (sugar_stack_arg(c, e))
		return;
	u = unsupported_find(UNSUP_VALUE, e->u.name);
	if (u) {
		c_unsupported(c, e->span, arena_printf(c->a, "'%s' is", u->name), u->hint);
	} else if (kernel_const(c, e->u.name, &v)) {
		e->ref.kind = REF_CONST;
		e->ref.u.num = (uint64_t)v;
		set_const(e, (uint64_t)v, true);
		e->type.enum_id = c->btf ? kbtf_enum_of(c->btf, e->u.name) : 0;
	} else {
		unknown_name(c, e);
	}
}

/* ---- addresses ---- */

static bool is_address(const struct expr *e)
{
	return e->type.kind == LT_INET4 || e->type.kind == LT_INET6 || e->type.kind == LT_MAC;
}

static bool is_inet(const struct expr *e)
{
	return lt_is(e, LT_INET) || lt_is(e, LT_INET4) || lt_is(e, LT_INET6);
}

static unsigned address_bits(const struct expr *e)
{
	return e->type.kind == LT_INET4 ? 32 : e->type.kind == LT_INET6 ? 128 : 48;
}

bool net_comparable(struct check *c, struct expr *e, enum binop op, struct expr *a, struct expr *b)
{
	struct expr *addr = b->kind == EX_ADDR ? b : a;

	if ((lt_is(a, LT_INET) || lt_is(b, LT_INET)) && is_inet(a) && is_inet(b) &&
		(op == BO_EQ || op == BO_NE))
		return false;
	if (!is_address(a) && !is_address(b))
		return true;
	if (a->type.kind != b->type.kind) {
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_TYPE, "cannot compare %s with %s",
				c_type(c, &a->type), c_type(c, &b->type)),
			"for instance: ip.src == 10.0.0.1, ip6.src == fe80::1, "
			"eth.src == 00:11:22:33:44:55");
	} else if (op != BO_EQ && op != BO_NE) {
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_TYPE, "addresses have no order: '%s'",
				binop_text(op)),
			"ranges of addresses are written as prefixes: ip.src in 10.0.0.0/8");
	} else if (addr->kind == EX_ADDR && addr->u.addr.prefix != address_bits(addr)) {
		c_hint(c, c_error(c, addr->span, DIAG_WRONG_TYPE, "a network is no address"),
			"write 'in' instead of '%s'", binop_text(op));
	}
	return false;
}

/* ---- in ---- */

/* One element of the right side: reported when it does not fit the left. */
static void check_element(struct check *c, const struct expr *a, struct expr *one)
{
	struct expr *lo = one, *hi = one;

	if (one->kind == EX_RANGE) {
		lo = one->u.range.lo;
		hi = one->u.range.hi;
		check_expr(c, hi);
		one->type = lt_int(8, true);
	}
	check_expr(c, lo);
	if (a->type.kind == LT_UNKNOWN || lo->type.kind == LT_UNKNOWN ||
		hi->type.kind == LT_UNKNOWN)
		return;
	if (lo->type.kind != a->type.kind || hi->type.kind != a->type.kind) {
		c_hint(c,
			c_error(c, one->span, DIAG_WRONG_TYPE, "%s among values of type %s",
				c_type(c, lo->type.kind != a->type.kind ? &lo->type : &hi->type),
				c_type(c, &a->type)),
			"all elements must be of the type of the left side");
		return;
	}
	if (lo == hi)
		return;
	if (is_address(a)) {
		c_unsupported(
			c, one->span, "ranges of addresses are", "write a prefix: 10.0.0.0/24");
	} else if (lt_unsigned_pair(a, lo) != lt_unsigned_pair(a, hi)) {
		c_error(c, one->span, DIAG_WRONG_TYPE,
			"one end of the range is compared as signed, the other as unsigned");
	} else if (c->final && lo->is_const && hi->is_const &&
		   (lt_unsigned_pair(a, lo)
				   ? lo->const_value > hi->const_value
				   : (int64_t)lo->const_value > (int64_t)hi->const_value)) {
		c_hint(c, diag_warn(c->d, one->span, DIAG_UNUSED, "the range is empty"),
			"ranges go from the lesser to the greater number");
	}
}

void check_in(struct check *c, struct expr *e)
{
	struct expr *a = e->u.binary.a, *b = e->u.binary.b;
	enum lt_kind k;

	check_expr(c, a);
	check_net_names(c, a, b);
	e->type = lt_bool();
	k = a->type.kind;
	if (k == LT_STR) {
		c_unsupported(c, a->span, "'in' for strings is", "write x == \"a\" || x == \"b\"");
		return;
	}
	if (k != LT_INT && k != LT_UNKNOWN && !is_address(a)) {
		c_error(c, a->span, DIAG_WRONG_TYPE, "'in' takes numbers and addresses, this is %s",
			c_type(c, &a->type));
		return;
	}
	if (b->kind == EX_MAP) {
		check_in_map(c, e);
	} else if (b->kind == EX_SET) {
		b->type = lt_of(LT_TUPLE, 0);
		if (!b->u.tuple.list.n)
			c_error(c, b->span, DIAG_WRONG_TYPE, "the set is empty");
		for (uint32_t i = 0; i < b->u.tuple.list.n; i++)
			check_element(c, a, b->u.tuple.list.v[i]);
	} else {
		if (b->kind != EX_RANGE && !(b->kind == EX_ADDR)) {
			check_expr(c, b);
			c_hint(c,
				c_error(c, b->span, DIAG_WRONG_TYPE,
					"'in' needs a set, a range or a network on its right"),
				b->kind == EX_STR ? "a list in a file: let @list = prefixes(\"FILE\"); "
						    "before the rules, then: in @list"
						  : "for instance: {22, 80}, 8000..8080, 10.0.0.0/8");
			return;
		}
		check_element(c, a, b);
	}
}
