/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One arena per compilation: memory is taken piece by piece and given back all at once.
 * Allocation never returns NULL; running out of memory raises the trap with SKEP_ENOMEM.
 * Built with SKEP_MALLOC_ARENA every piece is a malloc of its own, so sanitizers see overruns.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct trap;
struct arena_block;

struct arena {
	struct arena_block *blocks;
	size_t used, cap;  /* bytes in the newest block */
	struct trap *trap; /* may be NULL: then out of memory aborts */
	size_t total;	   /* bytes handed out since arena_init */
	long fail_after;   /* tests: blocks until allocation fails; -1 never */
};

void arena_init(struct arena *a, struct trap *trap);
void arena_free(struct arena *a);

void *arena_alloc(struct arena *a, size_t size); /* 16-byte aligned, zeroed */
void *arena_grow(struct arena *a, const void *old, size_t old_size, size_t new_size);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);

#define ARENA_NEW(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/* Growable arrays: VEC(struct x) xs = {0}; vec_push(arena, &xs, x); xs.v[i], xs.n. */
#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *v;                                                                              \
		uint32_t n, cap;                                                                   \
	}
#define vec_push(a, vec, ...)                                                                      \
	do { /* the value first: it may push, too, or leave by the trap */                         \
		__typeof__(*(vec)->v) item_ = (__VA_ARGS__);                                       \
		*(__typeof__((vec)->v))vec_more((a), (vec), sizeof(item_)) = item_;                \
	} while (0)
#define vec_reserve(a, vec, want) vec_grow((a), (vec), (uint32_t)(want), sizeof(*(vec)->v))
/* Room for that many elements of that size; vec points to a VEC. */
void vec_grow(struct arena *a, void *vec, uint32_t want, size_t size);
void *vec_more(struct arena *a, void *vec, size_t size); /* one more element: where it is */

/* Growable bytes, always followed by a NUL so that text can be used as a string. */
struct buf {
	struct arena *a;
	char *p;
	size_t n, cap;
};
void buf_init(struct buf *b, struct arena *a);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
void buf_align(struct buf *b, size_t to); /* pads with zero bytes */
