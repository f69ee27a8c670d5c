/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stacks, symbols of addresses, and moments: values that get their text when they are printed. */
#include "lang/check.h"
#include <string.h>

#define FRAMES_DEFAULT 127 /* kernel.perf_event_max_stack unless somebody changed it */

static const char *const modes[META_STACK_MODES] = {
	[META_STACK_BPFTRACE] = "bpftrace", [META_STACK_PERF] = "perf", [META_STACK_RAW] = "raw"};

int stack_mode_by_name(const char *name)
{
	for (int i = 0; i < META_STACK_MODES; i++) {
		if (!strcmp(modes[i], name))
			return i;
	}
	return -1;
}

struct lt lt_stack(const struct check *c, bool user)
{
	struct lt t = lt_of(LT_STACK, 8);

	t.stack.user = user;
	t.stack.mode = (uint8_t)c->s->config.stack_mode;
	t.stack.limit = FRAMES_DEFAULT;
	return t;
}

static void check_mode(struct check *c, const struct expr *e, struct lt *t)
{
	int mode = stack_mode_by_name(e->u.name);
	struct suggest s;
	struct diag *d;

	if (mode >= 0) {
		t->stack.mode = (uint8_t)mode;
		return;
	}
	if (!strcmp(e->u.name, "build_id")) {
		c_unsupported(c, e->span, "the mode 'build_id' is", "modes are bpftrace, perf, raw");
		return;
	}
	d = c_error(c, e->span, DIAG_WRONG_ARGS, "unknown way to print a stack: '%.60s'", e->u.name);
	suggest_init(&s, e->u.name);
	for (int i = 0; i < META_STACK_MODES; i++)
		suggest_try(&s, modes[i]);
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, d, "modes are bpftrace, perf, raw");
}

/* kstack(), kstack(perf), kstack(5), kstack(perf, 5) */
void check_stack(struct check *c, struct expr *e)
{
	const char *name = e->u.call.name;
	uint32_t n = e->u.call.args.list.n, i = 0;
	struct expr **a = e->u.call.args.list.v;
	int64_t constant;

	e->type = lt_stack(c, name[0] == 'u');
	if (n && a[0]->kind == EX_NAME &&
		!(c->btf && kbtf_enum_value(c->btf, a[0]->u.name, &constant)))
		check_mode(c, a[i++], &e->type);
	if (i < n && check_const(c, a[i], "number of frames", 1, FRAMES_DEFAULT))
		e->type.stack.limit = (uint16_t)a[i]->const_value;
	if (i + 1 >= n)
		return;
	c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS, "%s() has too many arguments", name),
		"write %s(), %s(5), %s(perf) or %s(perf, 5)", name, name, name, name);
}

static bool one_address(struct check *c, struct expr *e)
{
	const char *name = e->u.call.name;
	struct expr *a;

	if (e->u.call.args.list.n != 1) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS, "%s() takes 1 argument, this has %u",
				  name, e->u.call.args.list.n),
			"write %s(address)", name);
		return false;
	}
	a = e->u.call.args.list.v[0];
	check_expr(c, a);
	return check_number(c, a, arena_printf(c->a, "the address for %s()", name));
}

void check_ksym(struct check *c, struct expr *e)
{
	e->type = one_address(c, e) ? lt_of(LT_KSYM, 8) : lt_of(LT_UNKNOWN, 0);
}

void check_usym(struct check *c, struct expr *e)
{
	e->type = one_address(c, e) ? lt_of(LT_USYM, 16) : lt_of(LT_UNKNOWN, 0);
}

/* strftime("%H:%M:%S", nsecs) */
void check_strftime(struct check *c, struct expr *e)
{
	struct expr **a = e->u.call.args.list.v;

	e->type = lt_of(LT_UNKNOWN, 0);
	if (e->u.call.args.list.n != 2) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS,
				  "strftime() takes 2 arguments, this has %u",
				  e->u.call.args.list.n),
			"write strftime(\"%%H:%%M:%%S\", nsecs)");
		return;
	}
	check_expr(c, a[0]);
	check_expr(c, a[1]);
	if (a[0]->kind != EX_STR) {
		c_hint(c, c_error(c, a[0]->span, DIAG_WRONG_ARGS,
				  "the format must be a string in quotes"),
			"for instance: strftime(\"%%H:%%M:%%S\", nsecs)");
		return;
	}
	if (!check_int(c, a[1], "the moment"))
		return;
	e->type = lt_of(LT_TIME, 8);
	e->type.time_fmt = a[0]->u.str.s;
}

/* kaddr("avenrun"): where the kernel has it, now. */
void check_kaddr(struct check *c, struct expr *e)
{
	struct expr *a = e->u.call.args.list.n == 1 ? e->u.call.args.list.v[0] : NULL;
	uint64_t addr;

	e->type = lt_of(LT_UNKNOWN, 0);
	if (!a || a->kind != EX_STR) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS, "kaddr() takes a name in quotes"),
			"for instance: kaddr(\"avenrun\")");
		return;
	}
	if (c->s->portable) { /* the loader finds it: src/load/kaddr.c */
		e->type = lt_int(8, false);
		return;
	}
	addr = target_symbol(c->t, a->u.str.s);
	if (addr) {
		set_const(e, addr, false);
		return;
	}
	c_hint(c, c_error(c, a->span, DIAG_NO_SUCH_TARGET, "the kernel has no symbol '%.80s'",
			  a->u.str.s),
		"/proc/kallsyms lists them; without root it hides their addresses");
}
