/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Probes: attach points, which are raw text and no tokens; predicate; body.
 *
 * An attach point ends at '{', white space, ',' or the '/' of a predicate. Paths hold '/', too: in
 * kinds that take paths, '/' ends the point only while no ':' was seen.
 */
#include "lang/front.h"
#include "lang/parse.h"
#include <string.h>
#include <strings.h>

#define PROBE_KINDS \
	"kinds are BEGIN END kprobe kretprobe fentry fexit tracepoint uprobe usdt interval profile xdp tc " \
	"sched_ext …"

#define STATEMENTS "statements stand in the braces of a probe: BEGIN { … }"

static bool kind_has_paths(const char *kind)
{
	static const char *const kinds[] = {"uprobe", "u", "uretprobe", "ur", "usdt", "iter", "it",
		"cgroup_skb", "uprobe_multi"};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcasecmp(kind, kinds[i]))
			return true;
	}
	return false;
}

/* inside: behind the first byte of a point */
static struct diag *expected_probe(struct parser *p, bool inside)
{
	int c = lex_at(&p->lex, p->lex.pos);
	struct skep_span at = lex_span(&p->lex, p->lex.pos, p->lex.pos + 1);
	struct diag *e;

	if (c < 0)
		e = p_error(p, at, DIAG_SYNTAX, "expected a probe, found the end of the script");
	else if (inside && c > 32 && c < 127)
		e = p_error(p, at, DIAG_SYNTAX, "'%c' cannot stand in the name of a probe", c);
	else if (c >= 0x80 || c < 32 || c == 127)
		e = p_error(p, at, DIAG_BAD_CHAR, "byte 0x%02x cannot stand in the name of a probe",
			(unsigned)c);
	else
		e = p_error(p, at, DIAG_SYNTAX, "expected a probe, found '%c'", c);
	if (c == '}')
		p_hint(p, e, "there are more '}' than '{' before");
	else if (inside && c == '(')
		p_hint(p, e, STATEMENTS);
	else
		p_hint(p, e,
			"a probe is for instance BEGIN, kprobe:vfs_read or "
			"tracepoint:syscalls:sys_enter_openat");
	return e;
}

/* A quoted piece of a part; at the quote. */
static void quoted(struct parser *p, struct buf *b)
{
	uint32_t start = p->lex.pos++;
	int c;

	for (; (c = lex_at(&p->lex, p->lex.pos)) >= 0 && c != '\n'; p->lex.pos++) {
		if (c == '"') {
			p->lex.pos++;
			return;
		}
		buf_putc(b, (char)c);
	}
	p_hint(p,
		p_error(p, lex_span(&p->lex, start, start + 1), DIAG_UNTERMINATED,
			"quoted part of a probe without its end"),
		"close it with '\"'");
}

static bool ends_point(int c, bool paths, bool colon)
{
	return c < 0 || c == '{' || c == ',' || lex_is_space(c) || (c == '/' && !(paths && colon));
}

static bool may_stand(int c)
{
	return c > 32 && c < 127 && !strchr(";}()&|<>=!'`%^", c);
}

static void push_part(struct parser *p, struct attach_point *ap, struct buf *b, uint32_t start)
{
	const char *text = b->n ? b->p : "";
	struct skep_span at = lex_span(&p->lex, start, p->lex.pos);

	if (!ap->kind_text) {
		ap->kind_text = text;
		ap->kind_span = at;
	} else {
		vec_push(p->a, &ap->parts, text);
		vec_push(p->a, &ap->part_spans, at);
	}
	buf_init(b, p->a);
}

/* Splits the raw text at ':' into kind and parts. False when it is no attach point (reported). */
static bool split_point(struct parser *p, struct attach_point *ap)
{
	struct lexer *l = &p->lex;
	uint32_t start = l->pos, part = l->pos;
	bool colon = false, paths = false;
	struct buf b;
	int c;

	buf_init(&b, p->a);
	while (!ends_point(c = lex_at(l, l->pos), paths, colon)) {
		if (c == '"') {
			quoted(p, &b);
			continue;
		}
		if (c == '\\' && lex_at(l, l->pos + 1) > 32)
			c = lex_at(l, ++l->pos);
		else if (c == '=' && !colon && b.n) { /* name=kprobe:f: nothing reads the name */
			buf_init(&b, p->a);
			part = start = ++l->pos;
			continue;
		} else if (!may_stand(c))
			break;
		if (c == ':') {
			push_part(p, ap, &b, part);
			paths = kind_has_paths(ap->kind_text);
			part = l->pos + 1;
			colon = true;
		} else {
			buf_putc(&b, (char)c);
		}
		l->pos++;
	}
	push_part(p, ap, &b, part);
	ap->span = lex_span(l, start, l->pos);
	if (!ends_point(c, paths, colon) || l->pos == start)
		expected_probe(p, l->pos != start);
	return !p->panic;
}

static void unknown_kind(struct parser *p, const struct attach_point *ap)
{
	static const char *const words[] = {"macro", "struct", "union", "typedef", "config", "enum"};
	const struct unsupported *u = unsupported_find(UNSUP_PROBE, ap->kind_text);
	const struct kern_probe *k;
	struct suggest s;
	struct diag *e;

	if (u) {
		e = p_error(p, ap->kind_span, DIAG_NOT_SUPPORTED,
			"probes of kind '%s' are not supported in this version of skep", u->name);
		p_hint(p, e, "%s", *u->hint ? u->hint : PROBE_KINDS);
		return;
	}
	e = p_error(
		p, ap->kind_span, DIAG_UNKNOWN_PROBE, "unknown probe kind '%.60s'", ap->kind_text);
	suggest_init(&s, ap->kind_text);
	for (unsigned i = 0; i < PROBE_COUNT; i++) {
		k = kern_probe((enum kern_probe_kind)i);
		suggest_try(&s, k->name);
	}
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		suggest_try(&s, words[i]);
	if (suggest_best(&s) && s.best_distance)
		p_hint(p, e, "did you mean '%s'?", suggest_best(&s));
	else if (!strncmp(ap->kind_text, "fun", 3))
		p_hint(p, e, "functions are written fn name($a : int64) : int64 { … }");
	else if (*ap->kind_text == '$' || *ap->kind_text == '@' || !strcmp(ap->kind_text, "if"))
		p_hint(p, e, STATEMENTS);
	else
		p_hint(p, e, PROBE_KINDS);
}

/* sched_ext:timer:ms:10 is a kind of its own. */
static void take_timer(struct attach_point *ap)
{
	ap->kind = PROBE_SCHED_TIMER;
	ap->kind_text = "sched_ext:timer";
	for (uint32_t i = 1; i < ap->parts.n; i++) {
		ap->parts.v[i - 1] = ap->parts.v[i];
		ap->part_spans.v[i - 1] = ap->part_spans.v[i];
	}
	ap->parts.n--;
}

/* One attach point into probe; false when the rest of the list makes no sense. */
static bool attach_point(struct parser *p, struct probe *probe)
{
	struct attach_point ap = {.kind = PROBE_COUNT};
	const char *named;
	size_t len;
	int kind;

	if (!split_point(p, &ap))
		return false;
	len = strlen(ap.kind_text);
	if (len > 1 && ap.kind_text[len - 1] == '?') {
		ap.kind_text = arena_strndup(p->a, ap.kind_text, len - 1);
		ap.optional = true;
	}
	named = strchr(ap.kind_text, '=');
	kind = kern_probe_by_name(ap.kind_text);
	if (named || kind < 0) {
		unknown_kind(p, &ap);
		p->panic = false;
	} else {
		ap.kind = (enum kern_probe_kind)kind;
		if (kind == PROBE_SCHED_EXT && ap.parts.n && !strcmp(ap.parts.v[0], "timer"))
			take_timer(&ap);
	}
	vec_push(p->a, &probe->points, ap);
	return true;
}

static bool attach_points(struct parser *p, struct probe *probe)
{
	struct lexer *l = &p->lex;

	for (;;) {
		int c;

		if (!attach_point(p, probe))
			return false;
		lex_skip(l);
		if (lex_at(l, l->pos) != ',')
			return true;
		l->pos++;
		lex_skip(l);
		c = lex_at(l, l->pos);
		if (c == '{' || c == '/')
			return true; /* a last ',' may stand */
	}
}

/* At the '/': reads the condition up to the '/' before '{'. */
static void predicate(struct parser *p, struct probe *probe)
{
	struct skep_span open = lex_span(&p->lex, p->lex.pos, p->lex.pos + 1);

	p->lex.pos++;
	p->in_pred = true;
	p_next(p);
	probe->pred = parse_expr(p);
	p->in_pred = false;
	if (!p->panic && !p_is(p, TOK_SLASH)) {
		struct diag *e = p_expected(p, "'/' at the end of the predicate");

		if (e && p_is(p, TOK_COMMA))
			p_hint(p, e, "one of several: x in {1, 2}");
		if (e && !e->hint)
			p_hint(p, e,
				"a predicate stands between slashes, before '{': "
				"/pid == 1/ { … }");
		if (e)
			diag_also(p->d, e, open, "it starts here");
	}
	while (p->panic && !p_is(p, TOK_LBRACE) && !p_is(p, TOK_EOF))
		p_next(p);
	if (!p->panic)
		p_next(p);
	p->panic = false;
}

/* After a bad probe: on to the end of its body, so that the next probe can be read. */
static void skip_probe(struct parser *p)
{
	p->panic = true;
	p->lex.mute = true;
	p_next(p);
	p_skip_braces(p);
	p->lex.mute = false;
	p->panic = false;
}

static bool has_unknown(const struct probe *probe)
{
	for (uint32_t i = 0; i < probe->points.n; i++) {
		if (probe->points.v[i].kind == PROBE_COUNT)
			return true;
	}
	return false;
}

void parse_probe(struct parser *p)
{
	struct probe probe = {.ctx = CTX_COUNT};
	uint32_t start = p->lex.base + p->lex.pos;

	if (!attach_points(p, &probe)) {
		skip_probe(p);
		return;
	}
	probe.span = lex_span(&p->lex, start - p->lex.base, p->lex.pos);
	if (lex_at(&p->lex, p->lex.pos) == '/')
		predicate(p, &probe);
	else
		p_next(p);
	if (!p_is(p, TOK_LBRACE) && has_unknown(&probe)) { /* no probe at all, and reported */
		p_skip_braces(p);
		return;
	}
	if (!p_is(p, TOK_LBRACE)) {
		struct diag *e = p_expected(p, "'{' or a predicate after the probe");

		if (p_is(p, TOK_IDENT) && probe.points.n == 1 && !probe.points.v[0].parts.n)
			p_hint(p, e, "parts of a probe are joined by ':': %.60s:%.60s",
				probe.points.v[0].kind_text, p->tok.text);
		else
			p_hint(p, e, "a probe has a body: kprobe:vfs_read { @[comm] = count(); }");
		p_skip_braces(p);
		p->panic = false;
		return;
	}
	probe.body = parse_block(p);
	p->panic = false;
	vec_push(p->a, &p->s->probes, probe);
}
