/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/field.h"
#include "base/utf8.h"
#include "run/value.h"
#include "run/fmt.h"
#include "run/sym.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

bool field_inside(const struct meta_field *f, size_t len)
{
	return f->off <= len && f->size <= len - f->off;
}

bool field_is_number(const struct meta_field *f)
{
	return f->kind == MK_INT || f->kind == MK_UINT || f->kind == MK_PTR || f->kind == MK_BOOL ||
	       f->kind == MK_ENUM;
}

/* Unsigned value of 1, 2, 4 or 8 bytes in this machine's order. */
static bool load(const uint8_t *p, uint32_t size, uint64_t *v)
{
	uint16_t h;
	uint32_t w;

	switch (size) {
	case 1:
		*v = *p;
		return true;
	case 2:
		memcpy(&h, p, 2);
		*v = h;
		return true;
	case 4:
		memcpy(&w, p, 4);
		*v = w;
		return true;
	case 8:
		memcpy(v, p, 8);
		return true;
	default:
		return false;
	}
}

bool field_number(const struct meta_field *f, const uint8_t *base, size_t len, uint64_t *v)
{
	if (!field_is_number(f) || !field_inside(f, len) || !load(base + f->off, f->size, v))
		return false;
	if ((f->kind == MK_INT || f->kind == MK_ENUM) && f->size < 8) {
		unsigned shift = 64 - 8 * f->size;

		*v = (uint64_t)((int64_t)(*v << shift) >> shift);
	}
	return true;
}

int field_compare(const struct meta *m, const struct meta_field *f, const uint8_t *a,
	const uint8_t *b, size_t len)
{
	uint64_t x, y;
	int c;

	if (!field_inside(f, len))
		return 0;
	if (field_number(f, a, len, &x) && field_number(f, b, len, &y)) {
		if (f->kind == MK_INT)
			return ((int64_t)x > (int64_t)y) - ((int64_t)x < (int64_t)y);
		return (x > y) - (x < y);
	}
	if (value_is_compound(f))
		return value_compare(m, f, a, b, len);
	if (f->kind == MK_STR)
		c = strncmp((const char *)a + f->off, (const char *)b + f->off, f->size);
	else
		c = memcmp(a + f->off, b + f->off, f->size);
	return (c > 0) - (c < 0);
}

void text_escaped(struct buf *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 32 && p[i] < 127)
			buf_putc(out, (char)p[i]);
		else
			buf_printf(out, "\\x%02x", p[i]);
	}
}

static void probe_text(struct buf *out, const struct meta *m, const uint8_t *p)
{
	uint64_t i = 0;

	load(p, 4, &i);
	buf_puts(out, i < m->probes.n ? m->probes.v[i].name : "?");
}

static void func_text(struct buf *out, const struct meta *m, const uint8_t *p)
{
	uint64_t i = 0;

	load(p, 4, &i);
	buf_puts(out, i < m->probes.n && m->probes.v[i].func ? m->probes.v[i].func : "?");
}

static void number_text(struct buf *out, const struct meta *m, const struct meta_field *f, uint64_t v)
{
	if (f->kind == MK_ENUM && value_name(out, m, f, v))
		return;
	if (f->kind == MK_INT || f->kind == MK_ENUM)
		buf_printf(out, "%" PRId64, (int64_t)v);
	else if (f->kind == MK_PTR)
		buf_printf(out, "0x%" PRIx64, v);
	else if (f->kind == MK_BOOL)
		buf_puts(out, v ? "true" : "false");
	else
		buf_printf(out, "%" PRIu64, v);
}

/* What is no number; the caller has checked that the field is inside. */
static void bytes_text(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *p)
{
	char addr[INET6_ADDRSTRLEN];
	uint64_t v, tgid;
	size_t n;

	switch ((enum meta_kind)f->kind) {
	case MK_STR:
		n = strnlen((const char *)p, f->size);
		buf_put(out, p, n);
		if (f->ref && n + 1 >= f->size)
			buf_puts(out, "..");
		break;
	case MK_PROBE:
		if (f->size == 4)
			probe_text(out, m, p);
		break;
	case MK_FUNC:
		if (f->size == 4)
			func_text(out, m, p);
		break;
	case MK_INET4:
		if (f->size == 4 && inet_ntop(AF_INET, p, addr, sizeof(addr)))
			buf_puts(out, addr);
		break;
	case MK_INET6:
		if (f->size == 16 && inet_ntop(AF_INET6, p, addr, sizeof(addr)))
			buf_puts(out, addr);
		break;
	case MK_MAC:
		for (uint32_t i = 0; i < f->size; i++)
			buf_printf(out, "%s%02X", i ? ":" : "", p[i]);
		break;
	case MK_KSTACK:
	case MK_USTACK:
		if (load(p, f->size, &v))
			sym_stack_text(m->sym, m, out, f, v);
		break;
	case MK_KSYM:
		if (load(p, f->size, &v))
			sym_kernel_text(m->sym, out, v);
		break;
	case MK_USYM:
		if (f->size == 16 && load(p, 8, &v) && load(p + 8, 8, &tgid))
			sym_user_text(m->sym, out, (uint32_t)tgid, v);
		break;
	case MK_BUF:
		text_escaped(out, p, f->size);
		break;
	default:
		value_text(out, m, f, p - f->off, f->off + f->size);
		break;
	}
}

void field_text(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len)
{
	uint64_t v;

	if (field_number(f, base, len, &v))
		number_text(out, m, f, v);
	else if (field_inside(f, len))
		bytes_text(out, m, f, base + f->off);
}

void json_string(struct buf *out, const char *s, size_t n)
{
	static const char from[] = "\"\\\n\r\t", to[] = "\"\\nrt";

	buf_putc(out, '"');
	for (size_t i = 0, took; i < n; i += took) {
		const char *at = s[i] ? strchr(from, s[i]) : NULL;

		took = 1;
		if (at)
			buf_printf(out, "\\%c", to[at - from]);
		else if ((unsigned char)s[i] < 32)
			buf_printf(out, "\\u%04x", (unsigned)s[i]);
		else
			took = buf_utf8(out, s + i, n - i);
	}
	buf_putc(out, '"');
}

/* A double holds 53 significant bits; beyond, a reader would silently change the value. */
static bool double_holds(uint64_t magnitude)
{
	return !magnitude || (magnitude >> __builtin_ctzll(magnitude)) < UINT64_C(1) << 53;
}

void json_int(struct buf *out, int64_t v)
{
	bool exact = double_holds(v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

	buf_printf(out, exact ? "%" PRId64 : "\"%" PRId64 "\"", v);
}

void json_uint(struct buf *out, uint64_t v)
{
	buf_printf(out, double_holds(v) ? "%" PRIu64 : "\"%" PRIu64 "\"", v);
}

void field_json(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len)
{
	uint64_t v;
	struct buf text;

	/* enumerators are numbers in JSON, as bpftrace keeps them for programs that read it */
	if (field_number(f, base, len, &v)) {
		if (f->kind == MK_BOOL)
			buf_puts(out, v ? "true" : "false");
		else if (f->kind == MK_INT || f->kind == MK_ENUM)
			json_int(out, (int64_t)v);
		else
			json_uint(out, v);
		return;
	}
	if (value_is_compound(f)) {
		value_json(out, m, f, base, len);
		return;
	}
	buf_init(&text, out->a);
	field_text(&text, m, f, base, len);
	json_string(out, text.p, text.n);
}
