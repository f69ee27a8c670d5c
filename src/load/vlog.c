/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the verifier's log to the script's line: the last instruction it looked at tells where, its
 * last complaint what (vlog.def has the words). Kernels from 7.3 on explain themselves after the
 * complaint; their reason is passed on when we have no words of our own.
 */
#include "base/glob.h"
#include "load/internal.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LINES_BACK 12 /* lines before the end in which a complaint is looked for */

struct line {
	const char *p;
	size_t n;
};

static const struct row {
	const char *pattern, *cause, *hint;
} rows[] = {
#define V(pattern, cause, hint) {pattern, cause, hint},
#include "load/vlog.def"
#undef V
};

/* Offset in span space of line and column of the source of this name; 0 when there is none. */
static uint32_t source_off(const struct loaded *l, const char *file, uint32_t line, uint32_t col)
{
	const struct obj_image *im = image_of(l);

	for (uint32_t i = 0; i < l->meta.sources.n; i++) {
		const struct meta_source *s = &l->meta.sources.v[i];
		const char *c = s->text;

		if (strcmp(s->name, file))
			continue;
		for (uint32_t k = 1; k < line && c; k++) {
			c = strchr(c, '\n');
			c = c ? c + 1 : NULL;
		}
		if (c && col && strcspn(c, "\n") >= col - 1)
			return im->src_base[i] + (uint32_t)(c - s->text) + col - 1;
	}
	return 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '@' || c == '$' || c == '.';
}

struct skep_span prog_span(const struct loaded *l, uint32_t prog, uint32_t insn)
{
	const struct obj_image *im = image_of(l);
	const struct obj_prog *p = &im->prog[prog];
	const struct bpf_line_info *found = NULL;
	struct diag_pos pos;
	uint32_t off, len = 1, room;

	for (uint32_t i = 0; i < p->lines.n && p->lines.v[i].insn_off <= insn; i++)
		found = &p->lines.v[i];
	if (!found || !im->local)
		return NO_SPAN;
	off = source_off(l, kbtf_str(im->local, found->file_name_off), found->line_col >> 10,
		found->line_col & 0x3ff);
	if (!off)
		return NO_SPAN;
	pos = diag_locate(l->d, off); /* records have no length: mark the word that starts there */
	room = pos.source ? pos.line_len - (pos.col - 1) : 0;
	while (len < room && is_word(pos.line_text[pos.col - 1]) &&
		is_word(pos.line_text[pos.col - 1 + len]))
		len++;
	return (struct skep_span){off, len};
}

/* '*' in the pattern stands for any text. */
static bool matches(const char *pattern, const char *text, const char *end)
{
	const char *star = strchr(pattern, '*');
	size_t n = star ? (size_t)(star - pattern) : strlen(pattern);
	const char *hit = n ? glob_find(text, (size_t)(end - text), pattern, n) : text;

	if (!hit)
		return false;
	return !star || matches(star + 1, hit + n, end);
}

static bool starts(struct line s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && !memcmp(s.p, word, n);
}

/* "12: (85) call ..." -> 12, else -1; states ("12: R1=ctx()") are no instructions. */
static long insn_of(struct line s)
{
	char *end;
	long k;

	if (!s.n || !isdigit((unsigned char)s.p[0]))
		return -1;
	k = strtol(s.p, &end, 10);
	return end[0] == ':' && end[1] == ' ' && end[2] == '(' ? k : -1;
}

/* Lines that tell of the way, not of what is wrong. */
static bool is_noise(struct line s)
{
	static const char *const words[] = {"processed ", "verification time", "stack depth",
		"cur state:", "old state:", "from ", "; ", "parent ", "last_idx", "mark_precise",
		"regs=", "Global function "};

	if (!s.n || isspace((unsigned char)s.p[0]) || isdigit((unsigned char)s.p[0]))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (starts(s, words[i]))
			return true;
	}
	return false;
}

/* The line that ends before p, which is a start of line or the end of the log. */
static bool previous(const char *log, const char **p, struct line *s)
{
	const char *end = *p, *start;

	if (end == log)
		return false;
	end--; /* the newline, or the last character of a log without one */
	if (*end != '\n')
		end++;
	start = end;
	while (start > log && start[-1] != '\n')
		start--;
	*s = (struct line){start, (size_t)(end - start)};
	*p = start;
	return true;
}

struct finding {
	long insn;		/* last instruction looked at; -1 none */
	struct line complaint;	/* n 0: none */
	const struct row *row;	/* or NULL */
	struct line insn_text;
	struct line reason;	/* the kernel's own words */
};

/* The paragraph under "Reason:". */
static struct line reason_of(const char *explained)
{
	const char *p = explained ? strstr(explained, "\nReason:\n") : NULL, *end;

	if (!p)
		return (struct line){NULL, 0};
	p += strlen("\nReason:\n");
	while (*p == ' ')
		p++;
	end = strstr(p, "\n\n");
	return (struct line){p, end ? (size_t)(end - p) : strlen(p)};
}

static struct finding find(const char *log)
{
	const char *explained = strstr(log, "\nVerification failed:");
	const char *p = explained ? explained : log + strlen(log);
	struct finding f = {.insn = -1};
	struct line s;
	int seen = 0;

	f.reason = reason_of(explained);
	while (f.insn < 0 && previous(log, &p, &s)) {
		f.insn = insn_of(s);
		f.insn_text = s;
		/* without a line of its own, a complaint may stand behind the instruction */
		if (f.insn >= 0 ? f.complaint.n > 0 : is_noise(s) || seen++ >= LINES_BACK)
			continue;
		if (f.insn < 0 && !f.complaint.n)
			f.complaint = s;
		for (size_t i = 0; !f.row && i < sizeof(rows) / sizeof(*rows); i++) {
			if (matches(rows[i].pattern, s.p, s.p + s.n))
				f.row = &rows[i];
		}
	}
	if (f.insn < 0)
		f.insn_text.n = 0;
	return f;
}

/* What the user calls the program: its first probe. */
static const char *prog_title(const struct loaded *l, uint32_t prog)
{
	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		if (l->meta.probes.v[i].prog == prog)
			return l->meta.probes.v[i].name;
	}
	return l->meta.progs.v[prog].name;
}

/* One line of text with runs of blanks made one, and nothing that upsets a terminal. */
static const char *one_line(struct arena *a, struct line s)
{
	struct buf b;
	bool blank = false;

	buf_init(&b, a);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (isspace(c)) {
			blank = true;
			continue;
		}
		if (blank && b.n)
			buf_putc(&b, ' ');
		blank = false;
		buf_putc(&b, c >= 32 && c < 127 ? (char)c : '?');
	}
	return b.p ? b.p : "";
}

static struct skep_span place(const struct loaded *l, uint32_t prog, long insn)
{
	struct skep_span s = insn < 0 ? NO_SPAN : prog_span(l, prog, (uint32_t)insn);

	for (uint32_t i = 0; !s.off && i < l->meta.probes.n; i++) {
		const struct meta_probe *p = &l->meta.probes.v[i];

		if (p->prog == prog)
			s = load_span(l, p->off, p->len);
	}
	return s;
}

void vlog_report(struct loaded *l, uint32_t prog, const char *log, int err)
{
	struct finding f = find(log);
	const char *said = one_line(l->a, f.complaint.n ? f.complaint : f.insn_text), *cause;
	struct diag *e;

	if (f.row)
		cause = f.row->cause;
	else if (f.reason.n)
		cause = one_line(l->a, f.reason);
	else if (f.complaint.n)
		cause = "see the kernel's words";
	else
		cause = "it does not allow this";
	e = diag_error(l->d, place(l, prog, f.insn), DIAG_VERIFIER,
		"the kernel refused '%s': %s (kernel: \"%s\", errno %d)", prog_title(l, prog),
		cause, said, err);
	if (f.row && *f.row->hint)
		diag_hint(l->d, e, "%s", f.row->hint);
	else
		diag_hint(l->d, e,
			"skep should not produce such a program; please report it with the "
			"script and `uname -r`");
}
