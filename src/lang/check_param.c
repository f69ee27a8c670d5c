/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* getopt("name"[, default[, "what"]]): named parameters of the script, given behind "--". */
#include "lang/check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The text behind "--name=", "" for "--name" alone, NULL when it was not given. The last counts. */
static const char *given(struct script *s, const char *name)
{
	size_t n = strlen(name);
	const char *text = NULL;

	for (unsigned i = 0; i < s->nnamed; i++) {
		const char *p = s->named[i] + 2;

		if (strncmp(p, name, n) != 0 || (p[n] && p[n] != '='))
			continue;
		text = p[n] ? p + n + 1 : p + n;
	}
	return text;
}

static void give_number(struct check *c, struct expr *e, uint64_t v, bool is_unsigned)
{
	e->kind = EX_INT;
	e->u.num.v = v;
	e->u.num.is_unsigned = is_unsigned;
	check_expr(c, e);
}

static void give_text(struct check *c, struct expr *e, const char *text)
{
	e->kind = EX_STR;
	e->u.str.s = text;
	e->u.str.n = (uint32_t)strlen(text);
	check_expr(c, e);
}

static void bad_value(struct check *c, struct expr *e, const char *name, const char *wanted)
{
	c_hint(c,
		c_error(c, e->span, DIAG_WRONG_TYPE, "parameter --%.60s: %s is wanted, this is '%.60s'",
			name, wanted, given(c->s, name)),
		"give it behind '--': skep script.bt -- --%.60s=…", name);
	e->type.kind = LT_UNKNOWN;
}

static void take_bool(struct check *c, struct expr *e, const char *name, bool standard)
{
	const char *text = given(c->s, name);
	bool yes = text && (!*text || !strcasecmp(text, "true") || !strcmp(text, "1"));

	if (text && !yes && strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0) {
		bad_value(c, e, name, "true or false");
		return;
	}
	e->is_bool = true;
	give_number(c, e, text ? yes : standard, false);
}

static void take_number(struct check *c, struct expr *e, const char *name, const struct expr *standard)
{
	const char *text = given(c->s, name);
	uint64_t v = standard->const_value;
	bool negative = text && *text == '-';
	char *end = NULL;

	errno = 0;
	if (text)
		v = negative ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (text && (!*text || *end || errno == ERANGE))
		bad_value(c, e, name, *text && !*end ? "a number of 64 bits" : "a number");
	else
		give_number(c, e, v, text ? !negative && v > INT64_MAX : !standard->type.is_signed);
}

void check_getopt(struct check *c, struct expr *e)
{
	struct exprs *args = &e->u.call.args;
	struct expr *standard = args->list.n > 1 ? args->list.v[1] : NULL;
	const char *name;

	if (!args->list.n || args->list.n > 3 || args->list.v[0]->kind != EX_STR ||
		(args->list.n == 3 && args->list.v[2]->kind != EX_STR)) {
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_ARGS,
				"getopt() takes a name, a default value and a description"),
			"getopt(\"pid\", 0, \"the process to watch\")");
		e->type.kind = LT_UNKNOWN;
		return;
	}
	name = args->list.v[0]->u.str.s;
	if (!smap_get(&c->s->options, name))
		smap_put(&c->s->options, name, (void *)(args->list.n == 3 ? args->list.v[2]->u.str.s : ""));
	if (standard)
		check_expr(c, standard);
	if (!standard || standard->is_bool) {
		take_bool(c, e, name, standard && standard->const_value);
	} else if (standard->kind == EX_STR) {
		give_text(c, e, given(c->s, name) ? given(c->s, name) : standard->u.str.s);
	} else if (standard->is_const && standard->type.kind == LT_INT) {
		take_number(c, e, name, standard);
	} else if (standard->type.kind != LT_UNKNOWN) {
		c_error(c, standard->span, DIAG_WRONG_TYPE,
			"the default of a parameter is a constant number, true, false or a string");
		e->type.kind = LT_UNKNOWN;
	}
}

/* What the script asks for, as it describes it: also the answer to --help. */
static void list_options(struct check *c, struct diag *e)
{
	const struct smap *all = &c->s->options;
	struct buf b;

	buf_init(&b, c->a);
	for (uint32_t i = 0; i < all->entries.n; i++) {
		const char *what = all->entries.v[i].value;

		buf_printf(&b, *what ? " --%.60s (%.200s)" : " --%.60s", all->entries.v[i].key, what);
	}
	if (b.n)
		c_hint(c, e, "the script takes%s", b.p);
	else
		c_hint(c, e, "it asks for its parameters with getopt(\"name\", default)");
}

/* Named parameters that no getopt() asks for. */
void check_named(struct check *c)
{
	struct script *s = c->s;

	for (unsigned i = 0; i < s->nnamed; i++) {
		const char *p = s->named[i] + 2;
		struct suggest near;
		struct diag *e;

		if (smap_getn(&s->options, p, strcspn(p, "=")))
			continue;
		e = c_error(c, NO_SPAN, DIAG_UNKNOWN_NAME, "the script knows no parameter --%.60s", p);
		suggest_init(&near, arena_printf(c->a, "%.*s", (int)strcspn(p, "="), p));
		for (uint32_t k = 0; k < s->options.entries.n; k++)
			suggest_try(&near, s->options.entries.v[k].key);
		if (suggest_best(&near))
			c_hint(c, e, "did you mean '--%s'?", suggest_best(&near));
		else
			list_options(c, e);
	}
}
