/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once
#include "driver/driver.h"

#define PROGS_MAX 8

struct set { /* programs that an event runs, one after the other */
	int fd[PROGS_MAX];
	unsigned n;
	bool packet;
	unsigned long *consumed, *produced; /* of the ring buffer, or NULL */
};

/* Maps the ring buffer's positions, so that it can be emptied without reading. */
void map_ring(struct set *s, int fd);
/* Gives a trie 1000 prefixes 10.x.y.0/24. */
void fill_trie(int fd, uint32_t key_size, uint32_t value_size);

/* native_hand.c: programs in assembler; false with a line on stdout when they do not load. */
bool load_hand(struct skep *k, const char *path, const char *text, struct set *s);
