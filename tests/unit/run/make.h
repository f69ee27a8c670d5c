/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Side tables and map entries for the tests of the runtime. Header only: each test is one program. */
#pragma once
#include "run/emit.h"
#include "run/table.h"
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct arena a;
	struct meta meta;
	struct table t;
};

static inline struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	arena_init(&f->a, NULL);
	meta_init(&f->meta, &f->a);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	arena_free(&f->a);
	free(f);
}

#define COMM ((struct meta_field){.kind = MK_STR, .size = 16})
#define KEY_U32 ((struct meta_field){.kind = MK_UINT, .size = 4})

/* A script map with that value kind; keys are added by the caller. */
static inline struct meta_map *add_map(struct fixture *f, const char *name, enum meta_agg agg,
	enum meta_kind kind, uint32_t words)
{
	struct meta_map m = {.name = name, .kname = "m", .agg = agg, .role = MM_USER};

	m.type = BPF_MAP_TYPE_HASH;
	m.value_size = words * 8;
	m.present_off = META_NONE;
	m.value = (struct meta_field){.kind = kind, .size = 8};
	m.max_entries = 4096;
	vec_push(&f->a, &f->meta.maps, m);
	return &f->meta.maps.v[f->meta.maps.n - 1];
}

static inline void scalar(struct meta_map *m, uint32_t present_off)
{
	m->scalar = true;
	m->type = BPF_MAP_TYPE_ARRAY;
	m->key_size = 4;
	m->present_off = present_off;
	m->max_entries = 1;
}

static inline void add_key(struct fixture *f, struct meta_map *m, enum meta_kind kind, uint32_t size)
{
	struct meta_field k = {.kind = kind, .off = m->key_size, .size = size};

	vec_push(&f->a, &m->keys, k);
	m->key_size += size;
}

static inline void start(struct fixture *f, const struct meta_map *m, uint32_t ncpus)
{
	table_init(&f->t, &f->a, &f->meta, m, ncpus);
}

/* An entry keyed by a 16-byte name. */
static inline void add_comm(struct fixture *f, const char *comm, const uint64_t *words)
{
	char key[16] = {0};

	memcpy(key, comm, strnlen(comm, 16));
	table_add(&f->t, key, words);
}

static inline void assert_map(struct fixture *f, const struct emit_form *form, uint64_t top,
	uint64_t div, const char *expect)
{
	struct buf out;

	buf_init(&out, &f->a);
	table_sort(&f->t);
	table_top(&f->t, top);
	form->map(&out, &f->t, div);
	assert_string_equal(out.n ? out.p : "", expect);
}
