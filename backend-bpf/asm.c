/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Text to eBPF code: clang's BPF assembler syntax, one statement a line or separated by ';', labels
 * "name:", comments from '#' or "//". The text of every operation is a column of isa.def: a
 * statement is compared with all of them, and when none fits, the place where the best one stopped
 * is reported.
 * The assembler encodes what is written, also what no verifier takes (isa_illegal says so).
 */
#include "backend-bpf/backend.h"
#include "backend-bpf/insn.h"
#include <ctype.h>
#include <string.h>

struct fixup {
	uint32_t insn;
	bool off; /* distance goes to off, else to imm */
	const char *name;
	struct skep_span span;
};

struct assembler {
	struct arena *a;
	struct skep_diags *d;
	const char *text;
	uint32_t base;
	struct smap labels; /* name -> slot + 1 (uintptr_t); 0 while unknown */
	VEC(struct fixup) fixups;
	struct asm_code *out;
};

#define UNSET (-1)
struct reader { /* one attempt to read a statement as one operation */
	struct assembler *as;
	const char *p, *end;
	const struct isa_row *row;
	enum isa_op op;
	int dst, src;
	int64_t off, imm, imm_hi;
	const char *label; /* target given by name */
	struct skep_span label_span;
};

struct want {
	const char *text;
	size_t len;
	bool literal; /* printed in quotes */
};
#define WANTS 3
struct failure { /* where the attempts that came furthest stopped, and what they wanted there */
	const char *at;
	struct want want[WANTS];
	unsigned n; /* may be more than WANTS: then too many to tell */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static void skip_blank(struct reader *r)
{
	while (r->p < r->end && isspace((unsigned char)*r->p))
		r->p++;
}

static size_t word_len(const struct reader *r)
{
	size_t n = 0;

	while (r->p + n < r->end && is_word(r->p[n]))
		n++;
	return n;
}

/* Digits with an optional 0x, no sign; the greatest value is 2^64-1. */
static bool read_u64(struct reader *r, uint64_t *out)
{
	size_t n = word_len(r);
	unsigned radix = n > 2 && r->p[0] == '0' && (r->p[1] | 32) == 'x' ? 16 : 10;
	uint64_t v = 0;

	if (!n)
		return false;
	for (size_t k = radix == 16 ? 2 : 0; k < n; k++) {
		unsigned char c = (unsigned char)r->p[k];
		unsigned digit = (unsigned)(isdigit(c) ? c - '0' : (c | 32) - 'a' + 10);

		if (!isxdigit(c) || digit >= radix || v > (UINT64_MAX - digit) / radix)
			return false;
		v = v * radix + digit;
	}
	r->p += n;
	*out = v;
	return true;
}

/* A number with an optional sign; false when it fits neither s64 nor, without sign, u64. */
static bool read_number(struct reader *r, int64_t *out, bool *huge)
{
	bool minus = r->p < r->end && *r->p == '-';
	uint64_t v;

	if (r->p < r->end && (minus || *r->p == '+'))
		r->p++;
	skip_blank(r);
	if (!read_u64(r, &v) || (minus && v > (uint64_t)INT64_MAX + 1))
		return false;
	*huge = !minus && v > INT64_MAX;
	*out = (int64_t)(minus ? 0 - v : v);
	return true;
}

static bool read_reg(struct reader *r, int *field, const char *kinds)
{
	size_t n = word_len(r);
	int reg;

	if (n < 2 || n > 3 || !strchr(kinds, r->p[0]) || !isdigit((unsigned char)r->p[1]))
		return false;
	reg = r->p[1] - '0';
	if (n == 3) {
		if (reg != 1 || r->p[2] != '0')
			return false;
		reg = BPF_REG_FRAME;
	}
	if (*field != UNSET && *field != reg)
		return false;
	*field = reg;
	r->p += n;
	return true;
}

static bool read_dst(struct reader *r)
{
	return read_reg(r, &r->dst, "r");
}

static bool read_src(struct reader *r)
{
	return read_reg(r, &r->src, "r");
}

static bool read_wdst(struct reader *r)
{
	return read_reg(r, &r->dst, "w");
}

static bool read_wsrc(struct reader *r)
{
	return read_reg(r, &r->src, "w");
}

static bool read_anydst(struct reader *r)
{
	return read_reg(r, &r->dst, "rw");
}

static bool read_anysrc(struct reader *r)
{
	return read_reg(r, &r->src, "rw");
}

/* "rN", "rN+off", "rN-off" */
static bool read_addr(struct reader *r, int *reg)
{
	bool huge = false;

	if (!read_reg(r, reg, "r"))
		return false;
	skip_blank(r);
	if (r->p < r->end && (*r->p == '+' || *r->p == '-')) {
		const char *start = r->p;

		if (!read_number(r, &r->off, &huge) || huge || !isa_off_ok(r->off)) {
			r->p = start;
			return false;
		}
	}
	return true;
}

static bool read_dstaddr(struct reader *r)
{
	return read_addr(r, &r->dst);
}

static bool read_srcaddr(struct reader *r)
{
	return read_addr(r, &r->src);
}

/* Any number that the field holds: whether a verifier likes it is not the assembler's business. */
static bool read_imm(struct reader *r)
{
	int64_t max = r->row->width < 64 ? UINT32_MAX : INT32_MAX;
	const char *start = r->p;
	bool huge;

	if (read_number(r, &r->imm, &huge) && !huge && r->imm >= INT32_MIN && r->imm <= max)
		return true;
	r->p = start;
	return false;
}

static bool read_imm64(struct reader *r)
{
	bool huge;

	if (!read_number(r, &r->imm, &huge))
		return false;
	r->imm_hi = (int64_t)((uint64_t)r->imm >> 32);
	return true;
}

static bool read_u32(struct reader *r, int64_t *out)
{
	const char *start = r->p;
	uint64_t v;

	if (!read_u64(r, &v) || v > UINT32_MAX) {
		r->p = start;
		return false;
	}
	*out = (int64_t)v;
	return true;
}

static bool read_map(struct reader *r)
{
	return read_u32(r, &r->imm);
}

static bool read_mapvalue(struct reader *r)
{
	if (!read_u32(r, &r->imm) || r->end - r->p < 2 || r->p[0] != ']' || r->p[1] != '+')
		return false;
	r->p += 2;
	return read_u32(r, &r->imm_hi);
}

static bool known_label(const struct reader *r, size_t n)
{
	return smap_getn(&r->as->labels, r->p, n) != NULL;
}

static struct skep_span span_at(const struct assembler *as, const char *p, size_t n)
{
	return (struct skep_span){as->base + (uint32_t)(p - as->text), (uint32_t)n};
}

/* A label (resolved at the end, so it may come later), or a distance with its sign. */
static bool read_jump(struct reader *r, int64_t *field, int64_t min, int64_t max)
{
	const char *start = r->p;
	size_t n = word_len(r);
	bool huge;

	if (n == 2 && !memcmp(r->p, "pc", 2) && r->end - r->p > 2)
		r->p += 2;
	else if (n && !isdigit((unsigned char)*r->p)) {
		r->label = arena_strndup(r->as->a, r->p, n);
		r->label_span = span_at(r->as, r->p, n);
		r->p += n;
		return true;
	}
	skip_blank(r);
	if (r->p < r->end && (*r->p == '+' || *r->p == '-') && read_number(r, field, &huge) &&
		!huge && *field >= min && *field <= max)
		return true;
	r->p = start;
	return false;
}

static bool read_target(struct reader *r)
{
	return read_jump(r, &r->off, INT16_MIN, INT16_MAX);
}

static bool read_fartarget(struct reader *r)
{
	return read_jump(r, &r->imm, INT32_MIN, INT32_MAX);
}

/* A name that is no label of this program may be a helper's: not ours then. */
static bool read_function(struct reader *r)
{
	size_t n = word_len(r);

	if (n && !known_label(r, n))
		return false;
	return read_jump(r, &r->imm, INT32_MIN, INT32_MAX);
}

static bool read_helper(struct reader *r)
{
	const struct kern_helper *h;
	size_t n = word_len(r);
	const char *name;

	if (!n || known_label(r, n))
		return false;
	if (isdigit((unsigned char)*r->p))
		return read_u32(r, &r->imm);
	name = arena_strndup(r->as->a, r->p, n);
	h = kern_helper_by_name(strncmp(name, "bpf_", 4) ? name : name + 4);
	if (!h)
		return false;
	r->imm = h->id;
	r->p += n;
	return true;
}

static const struct {
	bool (*read)(struct reader *);
	const char *what;
} holes[128] = {
#define HOLE(ch, id, what) [ch] = {read_##id, what},
#include "backend-bpf/isa.def"
};

static size_t literal_len(const char *pattern)
{
	size_t n = 0;

	while (is_word(pattern[n]))
		n++;
	return n ? n : 1;
}

static void failed(struct failure *f, const char *at, struct want w)
{
	if (at < f->at)
		return;
	if (at > f->at)
		*f = (struct failure){.at = at};
	for (unsigned k = 0; k < f->n && k < WANTS; k++) {
		if (f->want[k].len == w.len && !memcmp(f->want[k].text, w.text, w.len))
			return;
	}
	if (f->n < WANTS)
		f->want[f->n] = w;
	f->n++;
}

static struct want in_words(const char *text)
{
	return (struct want){text, strlen(text), false};
}

/* A word of the pattern must be a whole word of the text; blanks matter nowhere else. */
static bool read_literal(struct reader *r, const char **pattern)
{
	size_t n = literal_len(*pattern);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, *pattern, n))
		return false;
	if (is_word(**pattern) && word_len(r) != n)
		return false;
	r->p += n;
	*pattern += n;
	return true;
}

static bool read_piece(struct reader *r, const char **pattern, struct failure *f)
{
	const char *start = r->p, *t = *pattern;

	if (*t == '%' && t[1] != '%') {
		*pattern += 2;
		if (holes[(unsigned char)t[1]].read(r))
			return true;
		failed(f, start, in_words(holes[(unsigned char)t[1]].what));
		return false;
	}
	*pattern += *t == '%';
	if (read_literal(r, pattern))
		return true;
	failed(f, start, (struct want){*pattern, literal_len(*pattern), true});
	return false;
}

static bool read_row(struct reader *r, struct failure *f)
{
	const char *t = r->row->text;

	while (*t) {
		/* Operators of several characters are written together. */
		if (t == r->row->text || !strchr("<>=!&|^", *t) || !strchr("s<>=!+-*/%&|^", t[-1]))
			skip_blank(r);
		if (*t == ' ')
			t++;
		else if (!read_piece(r, &t, f))
			return false;
	}
	skip_blank(r);
	if (r->p < r->end)
		failed(f, r->p, in_words("the end of the statement"));
	return r->p >= r->end;
}

static void emit(struct assembler *as, struct bpf_insn i)
{
	vec_push(as->a, &as->out->insns, i);
}

static void emit_row(struct reader *r)
{
	struct assembler *as = r->as;
	unsigned dst = r->dst == UNSET ? 0 : (unsigned)r->dst;
	unsigned src = r->src == UNSET ? 0 : (unsigned)r->src;

	if (r->label) {
		struct fixup f = {
			as->out->insns.n, r->row->flags & ISAF_OFF, r->label, r->label_span};

		vec_push(as->a, &as->fixups, f);
	}
	emit(as, isa_insn(r->op, dst, src, (int)r->off, r->imm));
	if (r->row->flags & ISAF_IMM64)
		emit(as, isa_second((int32_t)(uint32_t)r->imm_hi));
}

static void no_row(struct assembler *as, const struct failure *f, const char *end)
{
	struct skep_span at = span_at(as, f->at, f->at < end);

	struct buf text;

	if (f->n > WANTS) {
		diag_error(as->d, at, DIAG_IR, "no instruction reads like this from here on");
		return;
	}
	buf_init(&text, as->a);
	for (unsigned k = 0; k < f->n; k++)
		buf_printf(&text, "%s%s%.*s%s", k ? " or " : "", f->want[k].literal ? "'" : "",
			(int)f->want[k].len, f->want[k].text, f->want[k].literal ? "'" : "");
	diag_error(as->d, at, DIAG_IR, "expected %s", text.p);
}

/* ".raw 0x…": eight bytes as they lie in memory, as a little-endian number. */
static bool raw(struct assembler *as, const char *p, const char *end)
{
	struct reader r = {.as = as, .p = p + 4, .end = end};
	struct bpf_insn i;
	uint64_t bytes;

	if (end - p < 4 || memcmp(p, ".raw", 4) || is_word(p[4]))
		return false;
	skip_blank(&r);
	if (!read_u64(&r, &bytes) || r.p != end) {
		diag_error(as->d, span_at(as, r.p, 1), DIAG_IR, "expected a 64-bit number");
		return true;
	}
	memcpy(&i, &bytes, sizeof(i));
	emit(as, i);
	return true;
}

static void operation(struct assembler *as, const char *p, const char *end)
{
	struct failure f = {.at = p};

	if (raw(as, p, end))
		return;
	for (unsigned op = 0; op < ISA_COUNT; op++) {
		struct reader r = {.as = as,
			.p = p,
			.end = end,
			.op = (enum isa_op)op,
			.row = isa_row((enum isa_op)op),
			.dst = UNSET,
			.src = UNSET};

		if (read_row(&r, &f)) {
			emit_row(&r);
			return;
		}
	}
	no_row(as, &f, end);
}

/* Length of the label "name:" at p, without the colon; 0 when there is none. */
static size_t label_len(const char *p, const char *end)
{
	struct reader r = {.p = p, .end = end};
	size_t n = word_len(&r);

	r.p += n;
	skip_blank(&r);
	return n && !isdigit((unsigned char)*p) && r.p < end && *r.p == ':' ? n : 0;
}

/* Calls fn for every statement, labels before them included; blanks around it cut off. */
static void each_statement(struct assembler *as, size_t len,
	void (*fn)(struct assembler *as, const char *p, const char *end))
{
	const char *p = as->text, *all = as->text + len;

	while (p < all) {
		const char *end = p, *stop;

		while (end < all && *end != '\n' && *end != ';' && *end != '#' &&
			!(*end == '/' && end + 1 < all && end[1] == '/'))
			end++;
		stop = end;
		if (end < all && *end != ';')
			while (end < all && *end != '\n')
				end++;
		while (p < stop && isspace((unsigned char)*p))
			p++;
		while (stop > p && isspace((unsigned char)stop[-1]))
			stop--;
		if (p < stop)
			fn(as, p, stop);
		p = end + 1;
	}
}

static void declare_labels(struct assembler *as, const char *p, const char *end)
{
	size_t n;

	while ((n = label_len(p, end)) != 0) {
		const char *name = arena_strndup(as->a, p, n);

		if (smap_getn(&as->labels, p, n))
			diag_error(
				as->d, span_at(as, p, n), DIAG_IR, "label '%s' stands twice", name);
		smap_put(&as->labels, name, as);
		p = strchr(p, ':') + 1;
		while (p < end && isspace((unsigned char)*p))
			p++;
	}
}

static void statement(struct assembler *as, const char *p, const char *end)
{
	size_t n;

	while ((n = label_len(p, end)) != 0) {
		uintptr_t slot = as->out->insns.n;

		smap_put(&as->labels, arena_strndup(as->a, p, n), (void *)(slot + 1));
		p = strchr(p, ':') + 1;
		while (p < end && isspace((unsigned char)*p))
			p++;
	}
	if (p < end)
		operation(as, p, end);
}

static void resolve(struct assembler *as, const struct fixup *f)
{
	uintptr_t slot = (uintptr_t)smap_get(&as->labels, f->name);
	struct bpf_insn *i = &as->out->insns.v[f->insn];
	int64_t distance = (int64_t)slot - 1 - ((int64_t)f->insn + 1);

	if (!slot)
		diag_error(as->d, f->span, DIAG_IR, "no label '%s'", f->name);
	else if (f->off && !isa_off_ok(distance))
		diag_error(as->d, f->span, DIAG_IR, "'%s' is too far away: %lld instructions",
			f->name, (long long)distance);
	else if (f->off)
		i->off = (int16_t)distance;
	else
		i->imm = (int32_t)distance;
}

bool asm_parse(const char *text, size_t len, uint32_t base, struct skep_diags *d, struct arena *a,
	struct asm_code *out)
{
	struct assembler as = {.a = a, .d = d, .text = text, .base = base, .out = out};
	int before = d->errors;

	smap_init(&as.labels, a);
	each_statement(&as, len, declare_labels);
	if (d->errors == before)
		each_statement(&as, len, statement);
	for (uint32_t k = 0; k < as.fixups.n && d->errors == before; k++)
		resolve(&as, &as.fixups.v[k]);
	return d->errors == before;
}
