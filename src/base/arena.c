/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/arena.h"
#include "base/trap.h"
#include "skep/diag.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(16) char data[];
};

#define BLOCK_MIN ((size_t)64 * 1024)

void arena_init(struct arena *a, struct trap *trap)
{
	*a = (struct arena){.trap = trap, .fail_after = -1};
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	a->used = a->cap = 0;
}

static struct arena_block *new_block(struct arena *a, size_t size)
{
	struct arena_block *b = NULL;

	if (size < SIZE_MAX / 2 && a->fail_after != 0)
		b = calloc(1, sizeof(*b) + size);
	if (!b)
		trap_raise(a->trap, SKEP_ENOMEM, "out of memory (%zu bytes more)", size);
	if (a->fail_after > 0)
		a->fail_after--;
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p;

	a->total += size;
#ifdef SKEP_MALLOC_ARENA
	return new_block(a, size ? size : 1)->data;
#endif
	size = (size + 15) & ~(size_t)15;
	if (!a->blocks || a->cap - a->used < size) {
		size_t want = size > BLOCK_MIN ? size : BLOCK_MIN;

		new_block(a, want);
		a->used = 0;
		a->cap = want;
	}
	p = a->blocks->data + a->used;
	a->used += size;
	return p;
}

void *arena_grow(struct arena *a, const void *old, size_t old_size, size_t new_size)
{
	void *p = arena_alloc(a, new_size);

	if (old_size)
		memcpy(p, old, old_size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void buf_init(struct buf *b, struct arena *a)
{
	*b = (struct buf){.a = a};
}

static void buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;

	if (b->n + more < b->cap)
		return;
	while (cap <= b->n + more)
		cap *= 2;
	b->p = arena_grow(b->a, b->p, b->n, cap);
	b->cap = cap;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n + 1);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	buf_reserve(b, (size_t)n + 1);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_align(struct buf *b, size_t to)
{
	while (b->n % to)
		buf_putc(b, 0);
}

/* Any VEC: they differ in what v points to, so it is only copied. */
struct any_vec {
	void *v;
	uint32_t n, cap;
};

void vec_grow(struct arena *a, void *vec, uint32_t want, size_t size)
{
	struct any_vec any;
	uint32_t cap;

	memcpy(&any, vec, sizeof(any));
	if (want <= any.cap)
		return;
	cap = any.cap ? any.cap * 2 : 8;
	cap = cap < want ? want : cap;
	any.v = arena_grow(a, any.v, size * any.cap, size * cap);
	any.cap = cap;
	memcpy(vec, &any, sizeof(any));
}

void *vec_more(struct arena *a, void *vec, size_t size)
{
	struct any_vec any;

	memcpy(&any, vec, sizeof(any));
	vec_grow(a, vec, any.n + 1, size);
	memcpy(&any, vec, sizeof(any));
	any.n++;
	memcpy(vec, &any, sizeof(any));
	return (char *)any.v + (any.n - 1) * size;
}
