/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The interpreter's maps, from programs and from the caller. */
#include "tests/unit/back/interp_world.h"
#include <errno.h>

#define KEY(n) "*(u32*)(r10-4) = " n "; r2 = r10; r2 += -4; r1 = map[0] ll\n"

static void init(struct world *w)
{
	world_run(w, "r0 = 0; exit");
}

static void arrays(void **state)
{
	uint32_t key = 1;
	uint64_t value;
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0);
	world_run(&w, KEY("1") "call map_lookup_elem; *(u64*)(r0+0) = 77; r0 = 0; exit");
	memcpy(&value, interp_map_lookup(&w.in, 0, &key), 8);
	assert_int_equal(value, 77);
	assert_int_equal(world_run(&w, KEY("4") "call map_lookup_elem; exit"), 0);
	world_wrong(&w, "r1 = map[0]+0 ll; exit", "no array of one entry");
	assert_int_equal(world_run(&w, KEY("1") "call map_delete_elem; exit"), (uint64_t)-EINVAL);
	assert_int_equal(interp_map_update(&w.in, 0, &key, &value, BPF_NOEXIST), -EEXIST);
	key = 4;
	assert_int_equal(interp_map_update(&w.in, 0, &key, &value, BPF_ANY), -E2BIG);
	world_wrong(&w, KEY("1") "call map_lookup_elem; r0 = *(u64*)(r0+8); exit", "out of bounds");
	world_wrong(&w, KEY("1") "call map_lookup_elem; r0 = *(u64*)(r0-8); exit", "out of bounds");
	world_wrong(&w, "r1 = map[7] ll; exit", "map 7 does not exist");
	world_wrong(&w, "r1 = 5; r2 = 0; call map_lookup_elem; exit", "no map");
	arena_free(&w.a);
}

static void read_only_data(void **state)
{
	static const uint8_t bytes[8] = "rodata!";
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0);
	w.meta.maps.v[0].role = MM_RODATA;
	w.meta.maps.v[0].init = bytes;
	assert_int_equal(world_run(&w, "r1 = map[0]+2 ll; r0 = *(u8*)(r1+0); exit"), 'd');
	world_wrong(&w, "r1 = map[0]+2 ll; *(u8*)(r1+0) = 1; exit", "read-only");
	world_wrong(&w, "r1 = map[0]+8 ll; exit", "beyond the value");
	arena_free(&w.a);
}

#define UPDATE(key, value, flags)                                                                  \
	"*(u64*)(r10-16) = " value "; r3 = r10; r3 += -16; r4 = " flags                            \
	"\n" KEY(key) "call map_update_elem\n"

static void hashes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_HASH, 4, 8, 2, 0);
	assert_int_equal(world_run(&w, KEY("5") "call map_lookup_elem; exit"), 0);
	assert_int_equal(world_run(&w, UPDATE("5", "50", "2") "exit"), (uint64_t)-ENOENT);
	assert_int_equal(world_run(&w, UPDATE("5", "50", "1") "exit"), 0);
	assert_int_equal(world_run(&w, UPDATE("5", "51", "1") "exit"), (uint64_t)-EEXIST);
	assert_int_equal(world_run(&w, UPDATE("5", "52", "2") "exit"), 0);
	assert_int_equal(world_run(&w, UPDATE("5", "52", "9") "exit"), (uint64_t)-EINVAL);
	assert_int_equal(world_run(&w, UPDATE("6", "60", "0") "exit"), 0);
	assert_int_equal(world_run(&w, UPDATE("7", "70", "0") "exit"), (uint64_t)-E2BIG);
	assert_int_equal(world_run(&w, UPDATE("6", "61", "0") "exit"), 0);
	assert_int_equal(
		world_run(&w, KEY("5") "call map_lookup_elem; r0 = *(u64*)(r0+0); exit"), 52);
	assert_int_equal(world_run(&w, KEY("5") "call map_delete_elem; exit"), 0);
	assert_int_equal(world_run(&w, KEY("5") "call map_delete_elem; exit"), (uint64_t)-ENOENT);
	assert_int_equal(world_run(&w, UPDATE("7", "70", "0") "exit"), 0);
	/* An older pointer keeps seeing the replaced value, as in the kernel. */
	assert_int_equal(world_run(&w, KEY("6") "call map_lookup_elem; r6 = r0\n" UPDATE(
					       "6", "62", "0") "r0 = *(u64*)(r6+0); exit"),
		61);
	arena_free(&w.a);
}

static void percpu_hash_in_place(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 2, 0);
	world_run(&w, UPDATE("6", "61", "0") "exit");
	assert_int_equal(world_run(&w, KEY("6") "call map_lookup_elem; r6 = r0\n" UPDATE(
					       "6", "62", "0") "r0 = *(u64*)(r6+0); exit"),
		62);
	arena_free(&w.a);
}

static void count_one(void *arg, const void *key, const void *value)
{
	uint64_t k = 0, v = 0;

	memcpy(&k, key, 4);
	memcpy(&v, value, 8);
	((uint64_t *)arg)[0]++;
	((uint64_t *)arg)[1] += k;
	((uint64_t *)arg)[2] += v;
}

/* Against a plain table, through growth, deletion and reuse. */
static void hash_against_table(void **state)
{
	enum { KEYS = 500 };
	uint64_t table[KEYS] = {0}, sums[3] = {0}, want[3] = {0}, rnd = 9;
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_HASH, 4, 8, KEYS, 0);
	init(&w);
	for (uint64_t step = 1; step < 20000; step++) {
		uint32_t key;

		rnd = rnd * 6364136223846793005u + 1442695040888963407u;
		key = (uint32_t)(rnd >> 33) % KEYS;
		if (rnd >> 62) {
			assert_int_equal(interp_map_update(&w.in, 0, &key, &step, BPF_ANY), 0);
			table[key] = step;
		} else {
			assert_int_equal(
				interp_map_delete(&w.in, 0, &key), table[key] ? 0 : -ENOENT);
			table[key] = 0;
		}
	}
	for (uint32_t key = 0; key < KEYS; key++) {
		const void *p = interp_map_lookup(&w.in, 0, &key);

		assert_int_equal(!p, !table[key]);
		if (p)
			assert_memory_equal(p, &table[key], 8);
		want[0] += table[key] != 0;
		want[1] += table[key] ? key : 0;
		want[2] += table[key];
	}
	interp_map_each(&w.in, 0, count_one, sums);
	assert_memory_equal(sums, want, sizeof(sums));
	arena_free(&w.a);
}

static void lru_evicts_oldest(void **state)
{
	uint64_t v = 1;
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_LRU_HASH, 4, 8, 3, 0);
	init(&w);
	for (uint32_t k = 1; k <= 3; k++)
		assert_int_equal(interp_map_update(&w.in, 0, &k, &v, BPF_ANY), 0);
	assert_non_null(interp_map_lookup(&w.in, 0, &(uint32_t){1})); /* 2 is the oldest now */
	assert_int_equal(interp_map_update(&w.in, 0, &(uint32_t){4}, &v, BPF_ANY), 0);
	assert_null(interp_map_lookup(&w.in, 0, &(uint32_t){2}));
	for (uint32_t k = 1; k <= 4; k++)
		assert_int_equal(!!interp_map_lookup(&w.in, 0, &k), k != 2);
	arena_free(&w.a);
}

struct prefix {
	uint32_t len;
	uint8_t addr[4];
};

static uint64_t lpm_find(struct world *w, struct prefix p)
{
	const void *v = interp_map_lookup(&w->in, 0, &p);
	uint64_t n = 0;

	if (v)
		memcpy(&n, v, 8);
	return n;
}

static int lpm_add(struct world *w, struct prefix p, uint64_t v)
{
	return interp_map_update(&w->in, 0, &p, &v, BPF_ANY);
}

static void longest_prefix(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_map(&w, BPF_MAP_TYPE_LPM_TRIE, 8, 8, 4, BPF_F_NO_PREALLOC);
	init(&w);
	assert_int_equal(lpm_add(&w, (struct prefix){8, {10, 9, 9, 9}}, 8), 0);
	assert_int_equal(lpm_add(&w, (struct prefix){20, {10, 1, 0x20, 0}}, 20), 0);
	assert_int_equal(lpm_add(&w, (struct prefix){32, {10, 1, 0x21, 5}}, 32), 0);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {10, 200, 1, 1}}), 8);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {10, 1, 0x2f, 1}}), 20);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {10, 1, 0x30, 1}}), 8);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {10, 1, 0x21, 5}}), 32);
	assert_int_equal(lpm_find(&w, (struct prefix){24, {10, 1, 0x21, 5}}), 20);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {11, 0, 0, 0}}), 0);
	assert_int_equal(lpm_add(&w, (struct prefix){0, {0}}, 1), 0);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {11, 0, 0, 0}}), 1);
	assert_int_equal(lpm_add(&w, (struct prefix){9, {1}}, 1), -ENOSPC);
	assert_int_equal(lpm_add(&w, (struct prefix){33, {1}}, 1), -EINVAL);
	assert_int_equal(lpm_add(&w, (struct prefix){8, {10, 1, 1, 1}}, 88), 0); /* replaces */
	assert_int_equal(lpm_find(&w, (struct prefix){32, {10, 200, 1, 1}}), 88);
	assert_int_equal(interp_map_delete(&w.in, 0, &(struct prefix){8, {10, 7, 7, 7}}), 0);
	assert_int_equal(lpm_find(&w, (struct prefix){32, {10, 200, 1, 1}}), 1);
	arena_free(&w.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays),
		cmocka_unit_test(read_only_data),
		cmocka_unit_test(hashes),
		cmocka_unit_test(percpu_hash_in_place),
		cmocka_unit_test(hash_against_table),
		cmocka_unit_test(lru_evicts_oldest),
		cmocka_unit_test(longest_prefix),
	};

	return cmocka_run_group_tests_name("back/interp_map", tests, NULL, NULL);
}
