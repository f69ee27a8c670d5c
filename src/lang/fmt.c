/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "lang/fmt.h"
#include <string.h>

static int at(const char *text, uint32_t n, uint32_t i)
{
	return i < n ? (unsigned char)text[i] : 0;
}

static uint32_t flags(const char *text, uint32_t n, uint32_t i, struct fmt_conv *out)
{
	for (;; i++) {
		switch (at(text, n, i)) {
		case '-':
			out->minus = true;
			break;
		case '0':
			out->zero = true;
			break;
		case '+':
			out->plus = true;
			break;
		case ' ':
			out->space = true;
			break;
		case '#':
			out->alt = true;
			break;
		default:
			return i;
		}
	}
}

static uint32_t number(const char *text, uint32_t n, uint32_t i, int *value, bool *star)
{
	if (at(text, n, i) == '*') {
		*star = true;
		return i + 1;
	}
	while (at(text, n, i) >= '0' && at(text, n, i) <= '9') {
		*value = (*value < 0 ? 0 : *value) * 10 + (text[i++] - '0');
		if (*value > 4096)
			*value = 4096;
	}
	return i;
}

bool fmt_next(const char *text, uint32_t n, uint32_t *pos, struct fmt_conv *out)
{
	uint32_t i = *pos, k = 0;

	while (i < n && (text[i] != '%' || at(text, n, i + 1) == '%'))
		i += text[i] == '%' ? 2 : 1;
	if (i >= n) {
		*pos = n;
		return false;
	}
	*out = (struct fmt_conv){.start = i, .width = -1, .precision = -1};
	i = flags(text, n, i + 1, out);
	i = number(text, n, i, &out->width, &out->star);
	if (at(text, n, i) == '.') {
		out->precision = 0;
		i = number(text, n, i + 1, &out->precision, &out->star);
	}
	while (at(text, n, i) && strchr("hlLjzt", text[i])) {
		if (k < 2)
			out->length[k++] = text[i];
		i++;
	}
	out->conv = (char)at(text, n, i);
	if (i < n)
		i++;
	/* bpftrace's %rx, %rh: a buffer in hex */
	if (out->conv == 'r' && at(text, n, i) && strchr("xh", text[i]))
		i++;
	out->len = i - out->start;
	*pos = i;
	return true;
}
