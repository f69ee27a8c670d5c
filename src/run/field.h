/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One piece of data of a key, a value or a record, as number, text or JSON. base holds len bytes;
 * a field that does not lie inside them is treated as absent, so a damaged object cannot make the
 * runtime read elsewhere.
 */
#pragma once
#include "base/meta.h"

bool field_inside(const struct meta_field *f, size_t len);
bool field_is_number(const struct meta_field *f); /* INT, UINT, PTR, BOOL, ENUM */
/* Sign- or zero-extended to 64 bits; false when the field is no number or not inside. */
bool field_number(const struct meta_field *f, const uint8_t *base, size_t len, uint64_t *v);
/* -1, 0, 1: numbers by value, everything else by its bytes. */
int field_compare(const struct meta *m, const struct meta_field *f, const uint8_t *a,
	const uint8_t *b, size_t len);

void field_text(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len);
void field_json(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len);
/* Printable bytes as they are, the others as \xNN. */
void text_escaped(struct buf *out, const uint8_t *p, size_t n);

/* JSON: a quoted string; a number, quoted where a double cannot hold it exactly. */
void json_string(struct buf *out, const char *s, size_t n);
void json_int(struct buf *out, int64_t v);
void json_uint(struct buf *out, uint64_t v);
