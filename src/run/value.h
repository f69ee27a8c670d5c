/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Data whose kind says more than a number or bytes: tuples, structs, arrays, names of numbers. */
#pragma once
#include "base/meta.h"

/* The row of meta.types that describes the field; NULL when there is none. */
const struct meta_type *value_type(const struct meta *m, const struct meta_field *f);
bool value_is_compound(const struct meta_field *f); /* TUPLE STRUCT ARRAY */
void value_text(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len);
void value_json(struct buf *out, const struct meta *m, const struct meta_field *f,
	const uint8_t *base, size_t len);
/* Members one by one, as a key's parts are compared. */
int value_compare(const struct meta *m, const struct meta_field *f, const uint8_t *a,
	const uint8_t *b, size_t len);
/* Name of an enumerator, error, system call, signal or user; false: print the number. */
bool value_name(struct buf *out, const struct meta *m, const struct meta_field *f, uint64_t v);
