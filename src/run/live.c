/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/live.h"
#include "run/rules.h"
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LIVE_MS 1000
#define ROWS 24 /* a terminal that does not say */
#define COLUMNS 80

static bool wanted(const struct session *s)
{
	return s->o->live && s->o->format == RUN_TEXT && isatty(fileno(s->o->out));
}

unsigned live_fit(struct buf *out, const char *text, size_t n, unsigned rows, unsigned columns)
{
	unsigned lines = 0, skip;
	const char *end = text + n;

	for (const char *c = text; c < end; c++)
		lines += *c == '\n';
	skip = lines > rows ? lines - rows : 0;
	for (const char *c = text; c < end; skip -= skip > 0) {
		const char *nl = memchr(c, '\n', (size_t)(end - c));
		unsigned width = 0;

		nl = nl ? nl : end;
		for (; !skip && c < nl; c++) {
			/* bytes that go on a character take no room */
			width += ((unsigned char)*c & 0xc0) != 0x80;
			if (width <= columns)
				buf_putc(out, *c == '\t' ? ' ' : *c);
		}
		if (!skip)
			buf_putc(out, '\n');
		c = nl + 1;
	}
	return lines > rows ? rows : lines;
}

void live_erase(struct session *s)
{
	if (!s->live_lines)
		return;
	/* up to the first line of the drawing, and everything from there on goes */
	fprintf(s->o->out, "\033[%uA\r\033[J", s->live_lines);
	s->live_lines = 0;
}

void live_draw(struct session *s, uint64_t now_ms)
{
	struct winsize w = {0};
	struct buf maps, screen;

	if (!wanted(s) || now_ms < s->live_at)
		return;
	session_flush(s);
	s->live_at = now_ms + LIVE_MS;
	if (ioctl(fileno(s->o->out), TIOCGWINSZ, &w) || w.ws_row < 2 || !w.ws_col) {
		w.ws_row = ROWS;
		w.ws_col = COLUMNS;
	}
	rules_live(s, &s->rules_last, s->rules_at ? now_ms - s->rules_at : 0);
	s->rules_at = now_ms;
	session_print_maps(s);
	maps = s->out;
	buf_init(&s->out, &s->scratch);
	buf_init(&screen, &s->scratch);
	live_erase(s);
	s->live_lines = live_fit(&screen, maps.p, maps.n, w.ws_row - 1u, w.ws_col);
	if (screen.n)
		fwrite(screen.p, 1, screen.n, s->o->out);
	fflush(s->o->out);
}
