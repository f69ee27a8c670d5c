/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the checker's files: one group of rules each, called in order by check.c. */
#pragma once
#include "ir/access.h"
#include "ir/text.h"

struct check {
	const struct ir_fn *f;
	const struct ir_module *m;
	struct arena *a; /* scratch */
	struct ir_cfg *cfg;
	struct ir_numbers num;
	struct buf *why;
	unsigned errors;
	uint32_t *place; /* value -> position in its block, parameters 0, UINT32_MAX nowhere */
};

/* One line: where, what, [rule]. v IR_NONE: the terminator (or the block as a whole). */
void check_fail(struct check *c, ir_blk b, ir_val v, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
const char *check_type_text(struct check *c, struct ir_type t);
static inline bool check_num(struct ir_type t)
{
	return t.kind == IRT_I32 || t.kind == IRT_I64;
}
/* Kernel version of the target at least major.minor; an unknown target is taken as the oldest. */
bool check_kernel(const struct check *c, unsigned major, unsigned minor);

void check_types(struct check *c);   /* check_type.c: operations, terminators, edges */
void ir_check_call(struct check *c, ir_blk b, ir_val v); /* check_call.c */
void check_init(struct check *c);    /* check_init.c: bytes of slots are set before they are read */
void check_owned(struct check *c);   /* check_owned.c: what is acquired is given back */
void check_packets(struct check *c); /* check_ptr.c: no packet pointer over invalidating calls */
void check_pointers(struct check *c); /* check_ptr.c: alignment, distance into the packet */
void check_loops(struct check *c);   /* check_loop.c */

/* Sets of small numbers, one per block or state. */
typedef uint64_t *bits;
static inline uint32_t bits_words(uint32_t n)
{
	return (n + 63) / 64;
}
static inline bool bits_has(const uint64_t *s, uint32_t i)
{
	return s[i / 64] >> (i % 64) & 1;
}
static inline void bits_add(uint64_t *s, uint32_t i)
{
	s[i / 64] |= (uint64_t)1 << (i % 64);
}
static inline void bits_del(uint64_t *s, uint32_t i)
{
	s[i / 64] &= ~((uint64_t)1 << (i % 64));
}
