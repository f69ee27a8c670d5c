/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bpftrace's printf: without a length modifier an integer has its full 64 bits, with hh or h it is
 * cut; %s takes a value of any kind. Flags, width and precision have C's meaning.
 */
#include "run/fmt.h"
#include "run/field.h"
#include <inttypes.h>
#include <string.h>

/* Writes text with the spec's width; precision cuts it when cut is set. */
static void padded(struct buf *out, const struct fmt_spec *f, const char *text, size_t n, bool cut)
{
	size_t width = f->width > 0 ? (size_t)f->width : 0;

	if (cut && f->precision >= 0 && n > (size_t)f->precision)
		n = (size_t)f->precision;
	for (size_t i = n; !f->left && i < width; i++)
		buf_putc(out, ' ');
	buf_put(out, text, n);
	for (size_t i = n; f->left && i < width; i++)
		buf_putc(out, ' ');
}

static uint64_t cut_to(const struct fmt_spec *f, uint64_t v, bool is_signed)
{
	if (!strcmp(f->length, "hh"))
		return is_signed ? (uint64_t)(int8_t)v : (uint8_t)v;
	if (!strcmp(f->length, "h"))
		return is_signed ? (uint64_t)(int16_t)v : (uint16_t)v;
	return v;
}

/* Digits of v in base 8, 10 or 16, at the end of tmp; returns their start. */
static const char *digits(char tmp[32], uint64_t v, unsigned base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char *p = tmp + 31;

	*p = 0;
	do {
		*--p = set[v % base];
		v /= base;
	} while (v);
	return p;
}

static void integer(struct buf *out, const struct fmt_spec *f, uint64_t v)
{
	bool is_signed = f->conv == 'd' || f->conv == 'i', hex = f->conv == 'x' || f->conv == 'X';
	bool negative;
	unsigned base = f->conv == 'o' ? 8 : hex || f->conv == 'p' ? 16 : 10;
	const char *prefix = "", *text;
	char tmp[32];
	size_t n, zeros = 0, used;
	struct buf b;

	v = cut_to(f, v, is_signed);
	negative = is_signed && (int64_t)v < 0;
	text = digits(tmp, negative ? 0 - v : v, base, f->conv == 'X');
	n = f->precision == 0 && !v && f->conv != 'p' ? 0 : strlen(text);
	if (negative)
		prefix = "-";
	else if (is_signed && (f->plus || f->space))
		prefix = f->plus ? "+" : " ";
	else if (f->conv == 'p' || (f->alt && hex && v))
		prefix = f->conv == 'X' ? "0X" : "0x";
	else if (f->alt && base == 8 && (!n || *text != '0') && f->precision <= (int)n)
		prefix = "0";
	used = strlen(prefix) + n;
	if (f->precision >= 0 && (size_t)f->precision > n)
		zeros = (size_t)f->precision - n;
	else if (f->zero && !f->left && f->precision < 0 && f->width > 0 && (size_t)f->width > used)
		zeros = (size_t)f->width - used;
	buf_init(&b, out->a);
	buf_puts(&b, prefix);
	while (zeros--)
		buf_putc(&b, '0');
	buf_put(&b, text, n);
	padded(out, f, b.p, b.n, false);
}

static void buffer_text(struct buf *text, const struct fmt_spec *f, const struct meta_field *arg,
	const uint8_t *p)
{
	size_t n = arg->size;
	uint32_t used;

	if (arg->kind == MK_LBUF && n >= 4) { /* its length stands before it */
		memcpy(&used, p, 4);
		p += 4;
		n = used < n - 4 ? used : n - 4;
	}
	if (!f->variant) {
		text_escaped(text, p, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (f->variant == 'h')
			buf_printf(text, "%s%02x", i ? " " : "", p[i]);
		else
			buf_printf(text, "\\x%02x", p[i]);
	}
}

static void conversion(struct buf *out, const struct meta *m, const struct fmt_spec *f,
	const struct meta_field *arg, const uint8_t *record, size_t len)
{
	struct buf text;
	uint64_t v;

	buf_init(&text, out->a);
	if (f->conv == 'c' && field_number(arg, record, len, &v)) {
		char c = (char)v;

		padded(out, f, &c, 1, false);
	} else if (f->conv == 'r' && field_inside(arg, len) && !field_is_number(arg)) {
		buffer_text(&text, f, arg, record + arg->off);
		padded(out, f, text.p, text.n, true);
	} else if (f->conv != 's' && f->conv != 'r' && field_number(arg, record, len, &v)) {
		integer(out, f, v);
	} else {
		field_text(&text, m, arg, record, len);
		padded(out, f, text.p, text.n, true);
	}
}

/* Text between conversions; "%%" stands for one percent sign, as one at the end of a line does. */
static void plain(struct buf *out, const char *s, const char *end)
{
	while (s < end) {
		const char *percent = memchr(s, '%', (size_t)(end - s));

		buf_put(out, s, (size_t)((percent ? percent : end) - s));
		if (!percent)
			return;
		buf_putc(out, '%');
		s = percent + fmt_percent(percent, (size_t)(end - percent));
	}
}

void fmt_record(struct buf *out, const struct meta *m, const struct meta_format *f,
	const uint8_t *record, size_t len)
{
	size_t n = strlen(f->text);
	uint32_t arg = 0, pos = 0, from = 0;
	struct fmt_spec spec;

	while (fmt_next(f->text, n, &pos, &spec)) {
		plain(out, f->text + from, f->text + spec.start);
		from = pos;
		if (!fmt_is_known(spec.conv))
			buf_put(out, f->text + spec.start, spec.len);
		else if (arg < f->args.n)
			conversion(out, m, &spec, &f->args.v[arg++], record, len);
	}
	plain(out, f->text + from, f->text + n);
}

/* Replaces %f, which strftime does not know, and hands the rest over piece by piece. */
void fmt_time(struct buf *out, const char *text, struct timespec at)
{
	struct buf plain;
	struct tm tm;
	char small[512];
	size_t n;

	buf_init(&plain, out->a);
	for (; *text; text++) {
		if (text[0] == '%' && text[1] == 'f') {
			buf_printf(&plain, "%06ld", at.tv_nsec / 1000);
			text++;
		} else if (text[0] == '%' && text[1]) {
			buf_put(&plain, text++, 2);
		} else {
			buf_putc(&plain, *text);
		}
	}
	if (!plain.n || !localtime_r(&at.tv_sec, &tm))
		return;
	n = strftime(small, sizeof(small), plain.p, &tm);
	if (n) {
		buf_put(out, small, n);
	} else {
		/* Longer than the small buffer, or empty: strftime does not tell these apart. */
		size_t room = plain.n * 64 + 1;
		char *large = arena_alloc(out->a, room);

		buf_put(out, large, strftime(large, room, plain.p, &tm));
	}
}
