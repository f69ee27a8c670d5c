/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tests/golden/parse, check, diag, malformed: one test per file.
 *   -- target NAME       tests/targets/NAME.target; without it a kernel 6.12 that has nothing
 *   -- params A --b=1    $1, and a named parameter
 *   -- live              with what --live adds to schedulers
 *   -- script [escaped]  escaped: \xHH, \n, \t and \\ stand for bytes; the last newline is dropped
 *   -- ast               expected: the parsed tree
 *   -- types             expected: the checked tree; the script is lowered, too
 *   -- diag              expected messages; without it there must be none
 */
#include "tests/golden/cases.h"
#include "lang/live.h"
#include "tests/unit/lang/langtest.h"
#include <stdlib.h>

static int hex(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static size_t unescape(char *s)
{
	char *out = s;
	const char *p = s;

	while (*p) {
		if (*p != '\\') {
			*out++ = *p++;
		} else if (p[1] == 'x') {
			*out++ = (char)(hex(p[2]) << 4 | hex(p[3]));
			p += 4;
		} else {
			*out++ = p[1] == 'n' ? '\n' : p[1] == 't' ? '\t' : p[1];
			p += 2;
		}
	}
	return (size_t)(out - s);
}

static void set_params(struct langtest *t, struct golden *g)
{
	const struct golden_section *s = golden_find(g, "params", 0);
	const char **params = ARENA_ARRAY(&g->a, const char *, 8);
	const char **named = ARENA_ARRAY(&g->a, const char *, 8);
	char *save, *list;

	if (!s)
		return;
	list = arena_strdup(&g->a, s->rest);
	for (char *p = strtok_r(list, " ", &save); p && t->s->nparams < 8 && t->s->nnamed < 8;
		p = strtok_r(NULL, " ", &save)) {
		if (!strncmp(p, "--", 2))
			named[t->s->nnamed++] = p;
		else
			params[t->s->nparams++] = p;
	}
	t->s->params = params;
	t->s->named = named;
}

static void check(struct langtest *t, struct golden *g)
{
	struct buf out;

	if (t->d.errors || golden_find(g, "ast", 0))
		return;
	check_script(t->s);
	if (t->d.errors)
		return;
	buf_init(&out, &t->a);
	dump_types(t->s, &out);
	if (golden_find(g, "types", 0))
		golden_expect(g, "types", out.n ? out.p : "");
	langtest_lower(t, g->path);
}

static void run_case(void **state)
{
	const struct golden_section *script, *target;
	const char *said;
	struct langtest t;
	struct golden g;
	struct buf out;
	char *text;
	size_t len;

	golden_read(&g, *state);
	target = golden_find(&g, "target", 0);
	langtest_init(&t, target ? target->rest : NULL);
	if (setjmp(t.trap.env))
		fail_msg("%s: %s", g.path, t.trap.message);
	script = golden_need(&g, "script");
	text = arena_strdup(&g.a, script->text);
	len = strlen(text);
	if (!strcmp(script->rest, "escaped")) {
		if (len && text[len - 1] == '\n')
			text[len - 1] = 0;
		len = unescape(text);
	}
	langtest_parse(&t, text, len);
	set_params(&t, &g);
	if (golden_find(&g, "ast", 0)) {
		buf_init(&out, &t.a);
		dump_ast(t.s, &out);
		golden_expect(&g, "ast", out.n ? out.p : "");
	}
	if (golden_find(&g, "live", 0))
		live_probes(t.s);
	check(&t, &g);
	said = langtest_diags(&t);
	if (golden_find(&g, "diag", 0))
		golden_expect(&g, "diag", said);
	else if (*said)
		fail_msg("%s: unexpected:\n%s", g.path, said);
	langtest_free(&t);
	golden_free(&g);
}

int main(void)
{
	static const char *const dirs[] = {"parse", "check", "diag", "malformed"};

	return golden_run("lang", dirs, 4, run_case);
}
