/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/fmt.h"
#include <string.h>

struct reader {
	const char *s;
	size_t n, i;
};

static char at(const struct reader *r)
{
	return r->i < r->n ? r->s[r->i] : 0;
}

static void flags(struct reader *r, struct fmt_spec *f)
{
	for (;; r->i++) {
		switch (at(r)) {
		case '-':
			f->left = true;
			break;
		case '0':
			f->zero = true;
			break;
		case '+':
			f->plus = true;
			break;
		case ' ':
			f->space = true;
			break;
		case '#':
			f->alt = true;
			break;
		default:
			return;
		}
	}
}

static int number(struct reader *r, struct fmt_spec *f, int absent)
{
	int n = absent;

	if (at(r) == '*') {
		f->star = true;
		r->i++;
		return -1;
	}
	for (; at(r) >= '0' && at(r) <= '9'; r->i++) {
		n = (n < 0 ? 0 : n) * 10 + (at(r) - '0');
		n = n < FMT_WIDTH_MAX ? n : FMT_WIDTH_MAX;
	}
	return n;
}

bool fmt_is_number(char conv)
{
	return conv && strchr("diuoxXcp", conv);
}

bool fmt_is_known(char conv)
{
	return fmt_is_number(conv) || conv == 's' || conv == 'r';
}

unsigned fmt_percent(const char *s, size_t n)
{
	if (n > 1 && s[1] == '%')
		return 2;
	return n < 2 || (unsigned char)s[1] < ' ';
}

bool fmt_next(const char *text, size_t n, uint32_t *pos, struct fmt_spec *out)
{
	struct reader r = {text, n, *pos};
	unsigned k = 0;

	while (r.i < n && (text[r.i] != '%' || fmt_percent(text + r.i, n - r.i)))
		r.i += text[r.i] == '%' ? fmt_percent(text + r.i, n - r.i) : 1;
	*pos = (uint32_t)n;
	if (r.i >= n)
		return false;
	*out = (struct fmt_spec){.start = (uint32_t)r.i++};
	flags(&r, out);
	out->width = number(&r, out, -1);
	out->precision = -1;
	if (at(&r) == '.') {
		r.i++;
		out->precision = number(&r, out, 0);
	}
	for (; at(&r) && strchr("hlLjzt", at(&r)); r.i++) {
		if (k < 2)
			out->length[k++] = at(&r);
	}
	out->conv = at(&r);
	if (r.i < n)
		r.i++;
	if (out->conv == 'r' && at(&r) && strchr("xh", at(&r)))
		out->variant = text[r.i++];
	out->len = (uint32_t)r.i - out->start;
	*pos = (uint32_t)r.i;
	return true;
}

uint64_t fmt_share(uint64_t a, uint32_t b, uint64_t c)
{
	uint64_t q = 0, rest = 0; /* a * the bits of b so far is q * c + rest */

	for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
		q *= 2;
		for (unsigned twice = 0; twice < 2; twice++) {
			uint64_t more = !twice ? rest : b & bit ? a : 0;

			if (more >= c - rest) {
				rest = more - (c - rest);
				q++;
			} else {
				rest += more;
			}
		}
	}
	return q;
}
