/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/diag.h"
#include <string.h>

static const char *const id_text[] = {
#define D(id, text, what) text,
#include "base/diag.def"
#undef D
};

void diags_init(struct skep_diags *d, struct arena *a)
{
	*d = (struct skep_diags){.a = a};
}

uint32_t diags_add_source(struct skep_diags *d, const char *name, const char *text, size_t len)
{
	uint32_t base = 1;

	if (d->sources.n) {
		const struct source *last = &d->sources.v[d->sources.n - 1];

		base = last->base + last->len + 1;
	}
	vec_push(d->a, &d->sources,
		(struct source){arena_strdup(d->a, name), arena_strndup(d->a, text, len), base,
			(uint32_t)len});
	return base;
}

static struct diag *report(struct skep_diags *d, enum skep_severity severity, struct skep_span at,
	enum diag_id id, const char *fmt, va_list ap)
{
	struct diag e = {.severity = severity, .id = id, .at = {at}, .nspans = 1};
	int *count = severity == SKEP_ERROR ? &d->errors : &d->warnings;

	e.message = arena_vprintf(d->a, fmt, ap);
	if (severity != SKEP_NOTE)
		++*count;
	if (d->list.n >= DIAG_MAX) {
		/* Counted but not kept: the caller still gets something to add a hint to. */
		struct diag *lost = ARENA_NEW(d->a, struct diag);

		*lost = e;
		return lost;
	}
	vec_push(d->a, &d->list, e);
	return &d->list.v[d->list.n - 1];
}

struct diag *diag_error(struct skep_diags *d, struct skep_span at, enum diag_id id, const char *fmt,
	...)
{
	struct diag *e;
	va_list ap;

	va_start(ap, fmt);
	e = report(d, SKEP_ERROR, at, id, fmt, ap);
	va_end(ap);
	return e;
}

struct diag *diag_warn(struct skep_diags *d, struct skep_span at, enum diag_id id, const char *fmt,
	...)
{
	struct diag *e;
	va_list ap;

	va_start(ap, fmt);
	e = report(d, SKEP_WARNING, at, id, fmt, ap);
	va_end(ap);
	return e;
}

void diag_hint(struct skep_diags *d, struct diag *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	e->hint = arena_vprintf(d->a, fmt, ap);
	va_end(ap);
}

void diag_also(struct skep_diags *d, struct diag *e, struct skep_span at, const char *label)
{
	if (e->nspans == DIAG_SPANS)
		return;
	e->at[e->nspans] = at;
	e->label[e->nspans] = label ? arena_strdup(d->a, label) : NULL;
	e->nspans++;
}

const char *diag_id_text(enum diag_id id)
{
	return id_text[id];
}

struct diag_pos diag_locate(const struct skep_diags *d, uint32_t off)
{
	struct diag_pos p = {0};
	const char *start, *end, *at;

	for (uint32_t i = 0; i < d->sources.n; i++) {
		const struct source *s = &d->sources.v[i];

		if (off >= s->base && off <= s->base + s->len)
			p.source = s;
	}
	if (!p.source || !off)
		return (struct diag_pos){0};
	at = p.source->text + (off - p.source->base);
	start = p.source->text;
	p.line = 1;
	for (const char *c = p.source->text; c < at; c++) {
		if (*c == '\n') {
			p.line++;
			start = c + 1;
		}
	}
	end = at;
	while (*end && *end != '\n')
		end++;
	p.col = (uint32_t)(at - start) + 1;
	p.line_text = start;
	p.line_len = (uint32_t)(end - start);
	return p;
}

#define RED "\033[31;1m"
#define BOLD "\033[1m"
#define RESET "\033[0m"

#define WINDOW 160 /* bytes of a long line that are shown */

static bool goes_on(char c) /* a further byte of a character (UTF-8) */
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* How wide a terminal shows the character that starts at s; 0 for bytes that only go on with one. */
static unsigned columns(const char *s, size_t n)
{
	static const uint32_t wide[][2] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},
		{0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6},
		{0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
	unsigned char c = (unsigned char)s[0];
	uint32_t code = c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0xf : c & 7;

	if (goes_on(s[0]))
		return 0;
	if (c < 0xc0)
		return 1;
	for (size_t i = 1; i < n && i < 4 && goes_on(s[i]); i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	if (code >= 0x300 && code <= 0x36f) /* accents that stand on what is before them */
		return 0;
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
		if (code >= wide[i][0] && code <= wide[i][1])
			return 2;
	}
	return 1;
}

/* Of a very long line only what stands around the place, with dots where something is left out. */
static struct diag_pos window(struct arena *a, const struct diag_pos *p)
{
	struct diag_pos w = *p;
	uint32_t from = p->col > WINDOW / 2 ? p->col - WINDOW / 2 : 0;
	uint32_t n = p->line_len - from < WINDOW ? p->line_len - from : WINDOW;

	if (p->line_len <= WINDOW)
		return w;
	while (from && goes_on(p->line_text[from])) {
		from--;
		n++;
	}
	while (from + n < p->line_len && goes_on(p->line_text[from + n]))
		n++;
	w.line_text = arena_printf(a, "%s%.*s%s", from ? "..." : "", (int)n, p->line_text + from,
		from + n < p->line_len ? "..." : "");
	w.line_len = (uint32_t)strlen(w.line_text);
	w.col = p->col - from + (from ? 3 : 0);
	return w;
}

static void put_times(struct buf *out, char c, unsigned n)
{
	while (n--)
		buf_putc(out, c);
}

/* The source line and a caret line under the span; tabs are kept so that both lines align. */
static void render_excerpt(struct buf *out, const struct diag_pos *at, uint32_t len,
	const char *label, bool color)
{
	struct diag_pos w = window(out->a, at), *p = &w;
	uint32_t room = p->col - 1 < p->line_len ? p->line_len - (p->col - 1) : 0;

	if (len > room)
		len = room;
	buf_printf(out, "%5u | ", p->line);
	for (uint32_t i = 0; i < p->line_len; i++) {
		unsigned char c = (unsigned char)p->line_text[i];

		/* Control characters in the source must not reach the user's terminal. */
		buf_putc(out, c == '\t' || (c >= 32 && c != 127) ? (char)c : '?');
	}
	buf_puts(out, "\n      | ");
	for (uint32_t i = 0; i + 1 < p->col && i < p->line_len; i++)
		put_times(out, p->line_text[i] == '\t' ? '\t' : ' ',
			columns(p->line_text + i, p->line_len - i));
	if (color)
		buf_puts(out, RED);
	buf_putc(out, '^');
	for (uint32_t i = 0; i < len; i++) {
		unsigned n = columns(p->line_text + p->col - 1 + i, len - i);

		put_times(out, '~', n - (!i && n)); /* the caret is one of them */
	}
	if (label)
		buf_printf(out, " %s", label);
	if (color)
		buf_puts(out, RESET);
	buf_putc(out, '\n');
}

static void render_one(const struct skep_diags *d, const struct diag *e, struct buf *out, bool color)
{
	static const char *const words[] = {"error", "warning", "note"};
	struct diag_pos p = diag_locate(d, e->at[0].off);

	if (color)
		buf_puts(out, BOLD);
	if (p.source)
		buf_printf(out, "%s:%u:%u: ", p.source->name, p.line, p.col);
	else
		buf_puts(out, "skep: ");
	if (color)
		buf_puts(out, e->severity == SKEP_ERROR ? RED : "");
	buf_printf(out, "%s: ", words[e->severity]);
	if (color)
		buf_puts(out, RESET);
	buf_printf(out, "%s [%s]\n", e->message, id_text[e->id]);
	if (p.source)
		render_excerpt(out, &p, e->at[0].len, e->label[0], color);
	for (int i = 1; i < e->nspans; i++) {
		p = diag_locate(d, e->at[i].off);
		if (p.source)
			render_excerpt(out, &p, e->at[i].len, e->label[i], color);
	}
	if (e->hint)
		buf_printf(out, "hint: %s\n", e->hint);
}

void diags_render_buf(const struct skep_diags *d, struct buf *out, bool color)
{
	int all = d->errors + d->warnings;

	for (uint32_t i = 0; i < d->list.n; i++)
		render_one(d, &d->list.v[i], out, color);
	if (all > DIAG_MAX)
		buf_printf(out, "skep: %d more not shown\n", all - DIAG_MAX);
}

void diags_render(const struct skep_diags *d, FILE *out, bool color)
{
	struct buf b;

	buf_init(&b, d->a);
	diags_render_buf(d, &b, color);
	if (b.n)
		fwrite(b.p, 1, b.n, out);
}
