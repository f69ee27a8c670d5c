/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reading, clearing and zeroing maps of the running kernel; skipped where bpf() is not allowed. */
#include "make.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

static uint32_t cpus(void)
{
	return (uint32_t)libbpf_num_possible_cpus();
}

static int make_map(const struct meta_map *m)
{
	int fd = bpf_map_create((enum bpf_map_type)m->type, "skep_test", m->key_size, m->value_size,
		m->max_entries, NULL);

	if (fd == -EPERM || fd == -EACCES)
		skip();
	assert_true(fd >= 0);
	return fd;
}

static void reload(struct fixture *f, const struct meta_map *m, int fd)
{
	start(f, m, cpus());
	assert_int_equal(table_read(&f->t, fd), 0);
	table_sort(&f->t);
}

/* Enough entries for several batches; every one comes exactly once. */
static void hash(void **state)
{
	struct fixture *f = fixture_new();
	struct meta_map *m = add_map(f, "@", MA_COUNT, MK_UINT, 1);
	int fd;

	(void)state;
	add_key(f, m, MK_UINT, 4);
	m->type = BPF_MAP_TYPE_PERCPU_HASH;
	fd = make_map(m);
	for (uint32_t i = 0; i < 3000; i++) {
		uint64_t value[512] = {0};

		for (uint32_t c = 0; c < cpus(); c++)
			value[c] = c ? 1 : i;
		assert_int_equal(bpf_map_update_elem(fd, &i, value, 0), 0);
	}
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 3000);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t key;

		memcpy(&key, f->t.entries.v[i].key, 4);
		assert_int_equal(key, i);
		assert_int_equal(table_number(m, f->t.entries.v[i].value), i + cpus() - 1);
	}
	assert_int_equal(table_zero(m, &f->a, fd, cpus()), 0);
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 3000);
	assert_int_equal(table_number(m, f->t.entries.v[2999].value), 0);
	assert_int_equal(table_clear(m, &f->a, fd, cpus()), 0);
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 0);
	close(fd);
	fixture_free(f);
}

static void scalars(void **state)
{
	struct fixture *f = fixture_new();
	struct meta_map *m = add_map(f, "@", MA_SUM, MK_INT, 2);
	uint64_t value[1024] = {0};
	uint32_t zero = 0;
	int fd;

	(void)state;
	scalar(m, 8);
	m->type = BPF_MAP_TYPE_PERCPU_ARRAY;
	fd = make_map(m);
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 0);
	assert_int_equal(table_zero(m, &f->a, fd, cpus()), 0); /* sets nothing that was not */
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 0);
	for (uint32_t c = 0; c < cpus(); c++) {
		value[2 * c] = 10;
		value[2 * c + 1] = c == 0;
	}
	assert_int_equal(bpf_map_update_elem(fd, &zero, value, 0), 0);
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 1);
	assert_int_equal(table_number(m, f->t.entries.v[0].value), 10 * cpus());
	assert_int_equal(table_zero(m, &f->a, fd, cpus()), 0);
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 1);
	assert_int_equal(table_number(m, f->t.entries.v[0].value), 0);
	assert_int_equal(table_clear(m, &f->a, fd, cpus()), 0);
	reload(f, m, fd);
	assert_int_equal(f->t.entries.n, 0);
	close(fd);
	fixture_free(f);
}

static void bad_descriptor(void **state)
{
	struct fixture *f = fixture_new();
	struct meta_map *m = add_map(f, "@", MA_COUNT, MK_UINT, 1);

	(void)state;
	add_key(f, m, MK_UINT, 4);
	start(f, m, 1);
	assert_int_equal(table_read(&f->t, -1), -EBADF);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hash), cmocka_unit_test(scalars),
		cmocka_unit_test(bad_descriptor)};

	return cmocka_run_group_tests_name("run/kernel maps", tests, NULL, NULL);
}
