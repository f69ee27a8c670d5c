/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Between lang_make.c and lang_more.c: how random scripts are made. */
#pragma once
#include "tests/fuzz/lang.h"

#define GEN_LIVE 8
struct gen {
	struct lang *p;
	uint64_t s;
	const struct lang_type *tuple[4];
	unsigned ntuples, from, base; /* variables that are no loops' */
	unsigned live[GEN_LIVE], nlive; /* of the loops around here */
	unsigned budget, cost, searches, reads, loops, calls, blocks;
	bool pure; /* inside a macro: only parameters and literals */
	bool in_fn, in_each; /* in_each: only numbers are shared with the code around */
	bool frozen; /* only what no statement changes */
	struct gen_key {
		struct le *e;
		unsigned scope, cost;
	} key[LANG_MAPS]; /* each map's last one */
	unsigned in_key, each; /* each: the pair of the loop over a map around here; 0: none */
};

unsigned gen_below(struct gen *g, unsigned n);
bool gen_chance(struct gen *g, unsigned percent);
bool gen_is_num(const struct lang_type *t);
struct le *gen_node(struct gen *g, enum le_kind kind, const struct lang_type *t);
struct le *gen_literal(struct gen *g, uint64_t n);
/* A variable of this type that may be read here; NULL: none. to: that may be written. */
struct le *gen_variable(struct gen *g, const struct lang_type *t, bool to);
struct le *gen_expr(struct gen *g, const struct lang_type *t, unsigned depth);
/* As t exactly: what is kept must not change a place's sign. */
struct le *gen_keep(struct gen *g, const struct lang_type *t, unsigned depth);
struct le *gen_key(struct gen *g, const struct lang_map *m);
struct ls *gen_statements(struct gen *g, unsigned n, unsigned depth, bool in_loop);
struct ls gen_jump(struct gen *g, bool in_loop);

/* Now and then: blocks, calls, steps, bytes of text as values; else NULL. */
struct le *gen_special(struct gen *g, const struct lang_type *t, unsigned depth);
/* Some part of what the loop over a map is at; NULL: it has none of that type. */
struct le *gen_of_pair(struct gen *g, const struct lang_type *t);
struct le *gen_constant(struct gen *g, const struct lang_type *t);
/* for ($kv : @map), if (find(…)). False: not here. */
bool gen_map_loop(struct gen *g, struct ls *s, unsigned depth, bool in_loop);
void gen_functions(struct gen *g);
/* A map's last key once more, or nearly so; NULL: not here. */
struct le *gen_key_again(struct gen *g, const struct lang_map *m);
void gen_key_keep(struct gen *g, const struct lang_map *m, struct le *key);
