/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Numbers (1, 0x10, 0755, 1e6, 1_000, 10ms, 10ull) and addresses (10.0.0.1, 10.0.0.0/8, fe80::1,
 * 2001:db8::/32, 00:11:22:33:44:55).
 */
#include "lang/lex.h"
#include <arpa/inet.h>
#include <string.h>

static bool number_error(struct lexer *l, uint32_t start, const char *what, const char *hint)
{
	struct diag *e;

	while (lex_is_word(lex_at(l, l->pos)))
		l->pos++;
	e = lex_error(l, lex_span(l, start, l->pos), DIAG_BAD_NUMBER, "%s", what);
	if (e && hint)
		diag_hint(l->d, e, "%s", hint);
	return false;
}

const char *lex_digits(const char *s, const char *end, unsigned base, uint64_t *v, bool *over)
{
	const char *first = s;
	unsigned power = 0;

	for (*v = 0, *over = false; s < end; s++) {
		bool gap = *s == '_' && s > first && s + 1 < end;
		int n = lex_hex(gap ? s[1] : *s);

		if (n < 0 || (unsigned)n >= base)
			break;
		if (!gap)
			*over |= __builtin_mul_overflow(*v, (uint64_t)base, v) |
				 __builtin_add_overflow(*v, (uint64_t)n, v);
	}
	if (base != 10 || s == first || end - s < 2 || *s != 'e' || !lex_is_digit(s[1]))
		return s;
	while (++s < end && lex_is_digit(*s))
		power = power > 19 ? power : power * 10 + (unsigned)(*s - '0');
	while (power--)
		*over |= __builtin_mul_overflow(*v, (uint64_t)10, v);
	return s;
}

/* False (reported) when there are none, or when they do not fit 64 bits. */
static bool digits(struct lexer *l, uint32_t start, unsigned base, uint64_t *v)
{
	uint32_t first = l->pos;
	bool over;

	l->pos = (uint32_t)(lex_digits(l->text + first, l->text + l->len, base, v, &over) - l->text);
	if (base == 8 && lex_is_digit(lex_at(l, l->pos)))
		return number_error(l, start, "digit 8 or 9 in an octal number",
			"numbers that start with 0 are octal; leave the 0 out");
	if (over)
		return number_error(l, start, "number does not fit 64 bits",
			"the greatest is 18446744073709551615");
	if (l->pos == first)
		return number_error(l, start, "'0x' without digits", "write for instance 0x1f");
	return true;
}

static const struct {
	const char *text;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", 60000000000},
	{"h", 3600000000000},
	{"d", 86400000000000},
};

/* C's suffixes (u, l, ll in any order) and units of time. */
static void suffix(struct lexer *l, uint32_t start, struct token *t)
{
	uint32_t from = l->pos, n;
	unsigned us = 0, ls = 0;

	while (lex_is_word(lex_at(l, l->pos)))
		l->pos++;
	n = l->pos - from;
	if (!n)
		return;
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].text) == n && !memcmp(l->text + from, units[i].text, n)) {
			if (__builtin_mul_overflow(t->num.v, units[i].ns, &t->num.v))
				number_error(
					l, start, "time does not fit 64 bits of nanoseconds", NULL);
			return;
		}
	}
	for (uint32_t i = from; i < l->pos; i++) {
		us += (l->text[i] | 32) == 'u';
		ls += (l->text[i] | 32) == 'l';
	}
	if (us + ls != n || us > 1 || ls > 2)
		number_error(l, start, "stray letters behind a number",
			"units of time are ns us ms s m h d; names start with a letter");
	else if (us)
		t->num.is_unsigned = true;
}

void lex_number(struct lexer *l, struct token *t)
{
	uint32_t start = l->pos;
	int next = lex_at(l, l->pos + 1);
	bool ok;

	t->kind = TOK_INT;
	if (lex_at(l, l->pos) == '0' && (next == 'x' || next == 'X')) {
		l->pos += 2;
		ok = digits(l, start, 16, &t->num.v);
	} else if (lex_at(l, l->pos) == '0' && lex_is_digit(next)) {
		ok = digits(l, start, 8, &t->num.v);
	} else {
		ok = digits(l, start, 10, &t->num.v);
	}
	if (!ok)
		return;
	suffix(l, start, t);
	if (t->num.v > INT64_MAX)
		t->num.is_unsigned = true;
	/* 8000..8080 is a range, $t.1.5 is an element of an element, 1.5 is nothing we know. */
	if (start && l->text[start - 1] == '.' && (start < 2 || l->text[start - 2] != '.'))
		return;
	if (lex_at(l, l->pos) == '.' && lex_is_digit(lex_at(l, l->pos + 1))) {
		bool address;

		while (lex_is_digit(lex_at(l, ++l->pos)))
			;
		address = lex_at(l, l->pos) == '.' && lex_is_digit(lex_at(l, l->pos + 1));
		while (address && (lex_at(l, l->pos) == '.' || lex_is_digit(lex_at(l, l->pos))))
			l->pos++;
		if (address)
			number_error(l, start, "an IPv4 address has four numbers", "for instance: 10.0.0.0/8");
		else
			number_error(l, start, "fractions are not supported",
				"scale the value: nanoseconds instead of seconds, per mille instead of "
				"parts");
	}
}

/* /bits behind an address; a '/' without digits is left alone. */
static void prefix(struct lexer *l, struct token *t, uint32_t start, unsigned bits)
{
	unsigned n = 0;

	t->addr.prefix = (uint8_t)bits;
	if (lex_at(l, l->pos) != '/' || !lex_is_digit(lex_at(l, l->pos + 1)))
		return;
	for (l->pos++; lex_is_digit(lex_at(l, l->pos)); l->pos++)
		n = n > 999 ? n : n * 10 + (unsigned)(l->text[l->pos] - '0');
	if (n > bits) {
		lex_error(l, lex_span(l, start, l->pos), DIAG_CONST_RANGE,
			"prefix length %u is beyond the %u bits of the address", n, bits);
		n = bits;
	}
	t->addr.prefix = (uint8_t)n;
}

static bool mac(struct lexer *l, struct token *t)
{
	uint32_t p = l->pos;

	for (unsigned i = 0; i < 6; i++, p += 3) {
		int hi = lex_hex(lex_at(l, p)), lo = lex_hex(lex_at(l, p + 1));

		if (hi < 0 || lo < 0 || (i < 5 && lex_at(l, p + 2) != ':'))
			return false;
		t->addr.bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	if (lex_at(l, p - 1) == ':' || lex_is_word(lex_at(l, p - 1)))
		return false;
	l->pos = p - 1;
	t->addr.family = 0;
	t->addr.prefix = 48;
	return true;
}

static bool inet6(struct lexer *l, struct token *t)
{
	char text[INET6_ADDRSTRLEN + 1] = "";
	uint32_t start = l->pos, p = start, n = 0;
	unsigned colons = 0;

	for (;; p++) {
		int c = lex_at(l, p);

		if (c == '.' && lex_at(l, p + 1) == '.')
			break;
		if (lex_hex(c) < 0 && c != ':' && c != '.')
			break;
		if (n == INET6_ADDRSTRLEN || colons > 8)
			return false;
		colons += c == ':';
		text[n++] = (char)c;
	}
	if (colons < 2 || lex_is_word(lex_at(l, p)) ||
		inet_pton(AF_INET6, text, t->addr.bytes) != 1)
		return false;
	t->addr.family = 6;
	l->pos = p;
	prefix(l, t, start, 128);
	return true;
}

static bool inet4(struct lexer *l, struct token *t)
{
	uint32_t start = l->pos, p = start;
	unsigned byte[4] = {0};

	for (unsigned i = 0; i < 4; i++) {
		uint32_t first = p;

		while (p - first < 4 && lex_is_digit(lex_at(l, p)))
			byte[i] = byte[i] * 10 + (unsigned)(l->text[p++] - '0');
		if (p == first || (i < 3 && lex_at(l, p++) != '.'))
			return false;
	}
	if (lex_is_word(lex_at(l, p)))
		return false;
	l->pos = p;
	t->addr.family = 4;
	for (unsigned i = 0; i < 4; i++) {
		if (byte[i] > 255) {
			lex_error(l, lex_span(l, start, p), DIAG_BAD_NUMBER,
				"%u is too great for a byte of an IPv4 address", byte[i]);
			byte[i] = 255;
		}
		t->addr.bytes[i] = (uint8_t)byte[i];
	}
	prefix(l, t, start, 32);
	return true;
}

/*
 * An identifier character before the address would have been part of the token before, so an
 * address can only start at a token's first byte. ":" alone is the sign of "?:".
 */
bool lex_address(struct lexer *l, struct token *t)
{
	int c = lex_at(l, l->pos);

	if (c == ':' && lex_at(l, l->pos + 1) != ':')
		return false;
	if (lex_hex(c) < 0 && c != ':')
		return false;
	if (l->pos > 1 && l->text[l->pos - 1] == '.' && l->text[l->pos - 2] != '.')
		return false; /* elements of tuples: $t.0.1.0.1 */
	return mac(l, t) || inet6(l, t) || (lex_is_digit(c) && inet4(l, t));
}
