/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Nearest name by edit distance (insert, delete, replace, swap of neighbours). */
#include "base/diag.h"
#include <string.h>
#include <strings.h>

#define WORD_MAX 64

void suggest_init(struct suggest *s, const char *word)
{
	*s = (struct suggest){.word = word, .best_distance = ~0u};
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (size_t j = 0; j <= nb; j++)
		prev[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *t = before;

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		before = prev;
		prev = cur;
		cur = t;
	}
	return prev[nb];
}

/* Distances in steps of FAR: of names that the word begins, the shortest comes behind those with one typo. */
#define FAR 64

static unsigned allowed(size_t n)
{
	return n <= 4 ? 1 : n <= 8 ? 2 : 3;
}

void suggest_try(struct suggest *s, const char *candidate)
{
	size_t na = strlen(s->word), nb = strlen(candidate);
	bool begun = na > 3 && nb > na && !strncmp(s->word, candidate, na);
	unsigned d;

	if (!na || !nb || na > WORD_MAX || nb > WORD_MAX ||
		(!begun && (na > nb ? na - nb : nb - na) > 3))
		return;
	d = strcasecmp(s->word, candidate) ? FAR * distance(s->word, na, candidate, nb) : 0;
	if (begun && d > FAR)
		d = FAR + (unsigned)(nb - na);
	if (d < s->best_distance) {
		s->best_distance = d;
		s->best = candidate;
	}
}

const char *suggest_best(const struct suggest *s)
{
	return s->best && s->best_distance < FAR * (allowed(strlen(s->word)) + 1) ? s->best : NULL;
}
