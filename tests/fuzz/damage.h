/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Damaged input: objects (damage_object.c) for the loader up to the calls it makes to the kernel,
 * and script text (damage_text.c) for the whole compiler. Whatever comes, there is an answer: no
 * crash, no endless loop, no broken invariant; a script is refused with the place of its fault.
 */
#pragma once
#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

struct damage_rng {
	uint64_t s;
};
static inline unsigned damage_below(struct damage_rng *r, unsigned n)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (unsigned)((z ^ (z >> 31)) % n);
}

/* False when there is nothing to damage. */
bool damage_object_start(struct arena *a);
bool damage_text_start(struct arena *a);
/* Whether all was well with this seed's; *taken: the input was still good. text: what it was. */
bool damage_object(uint64_t seed, bool *taken, struct buf *why);
bool damage_text(uint64_t seed, bool *taken, struct buf *text, struct buf *why);
