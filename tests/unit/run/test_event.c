/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ring buffer records in, output out; damaged records change nothing. */
#include "run/session.h"
#include "make.h"
#include <errno.h>

struct env {
	struct arena a;
	struct loaded l;
	struct run_options o;
	struct session s;
	char *text;
	size_t size;
};

static int setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));
	struct meta_format f = {.event = ME_PRINTF, .text = "pid %d\n", .size = 16};
	struct meta_format v = {.event = ME_PRINT_VALUE, .text = "", .size = 16};
	struct meta_field arg = {.kind = MK_INT, .off = 8, .size = 8};

	arena_init(&e->a, NULL);
	e->l.a = &e->a;
	meta_init(&e->l.meta, &e->a);
	vec_push(&e->a, &f.args, arg);
	vec_push(&e->a, &v.args, arg);
	vec_push(&e->a, &e->l.meta.formats, f);
	vec_push(&e->a, &e->l.meta.formats, v);
	e->o.out = open_memstream(&e->text, &e->size);
	e->o.err = stderr;
	session_init(&e->s, &e->l, &e->o);
	*state = e;
	return 0;
}

static int teardown(void **state)
{
	struct env *e = *state;

	session_free(&e->s);
	fclose(e->o.out);
	free(e->text);
	arena_free(&e->a);
	free(e);
	return 0;
}

/* The record of an event with one number after its head. */
static bool send(struct env *e, uint32_t type, uint32_t id, uint64_t v, size_t size)
{
	struct {
		struct meta_event head;
		uint64_t v;
	} *r = calloc(1, size ? size : 1); /* exactly that large, so that reading further is seen */
	struct meta_event head = {type, id};
	bool ok;

	memcpy(r, &head, size < 8 ? size : 8);
	if (size >= 16)
		memcpy(&r->v, &v, 8);
	ok = session_event(&e->s, r, size);
	free(r);
	return ok;
}

static const char *output(struct env *e)
{
	session_flush(&e->s);
	return e->text ? e->text : "";
}

static void prints(void **state)
{
	struct env *e = *state;

	assert_true(send(e, ME_PRINTF, 0, 42, 16));
	assert_true(send(e, ME_PRINT_VALUE, 1, 7, 16));
	assert_string_equal(output(e), "pid 42\n7\n");
}

static void damaged(void **state)
{
	struct env *e = *state;

	assert_false(send(e, ME_PRINTF, 0, 1, 0));
	assert_false(send(e, ME_PRINTF, 0, 1, 7));
	assert_false(send(e, ME_PRINTF, 0, 1, 8));  /* shorter than its format */
	assert_false(send(e, ME_PRINTF, 9, 1, 16)); /* no such format */
	assert_false(send(e, ME_PRINTF, 1, 1, 16)); /* another event's format */
	assert_false(send(e, ME_COUNT, 0, 1, 16));
	assert_false(send(e, 0xffffffff, 0, 1, 16));
	assert_false(send(e, ME_PRINT_MAP, 0, 1, 24)); /* no such map */
	assert_false(send(e, ME_CLEAR_MAP, 0, 1, 8));
	assert_string_equal(output(e), "");
}

static void exit_cuts_off(void **state)
{
	struct env *e = *state;

	assert_true(send(e, ME_PRINTF, 0, 1, 16));
	assert_true(send(e, ME_EXIT, 3, 0, 8));
	assert_true(send(e, ME_PRINTF, 0, 2, 16));
	assert_true(send(e, ME_EXIT, 4, 0, 8)); /* the first exit() counts */
	assert_int_equal(e->s.exit_code, 3);
	e->s.muted = false; /* what END prints comes after all */
	assert_true(send(e, ME_PRINTF, 0, 5, 16));
	assert_string_equal(output(e), "pid 1\npid 5\n");
}

static void json(void **state)
{
	struct env *e = *state;

	e->s.form = &emit_json;
	assert_true(send(e, ME_PRINTF, 0, 1, 16));
	assert_true(send(e, ME_PRINT_VALUE, 1, 5, 16));
	assert_string_equal(output(e),
		"{\"type\": \"printf\", \"data\": \"pid 1\\n\"}\n"
		"{\"type\": \"value\", \"data\": 5}\n");
}

static void many(void **state)
{
	struct env *e = *state;

	for (int i = 0; i < 100000; i++) {
		assert_true(send(e, ME_PRINTF, 0, 1, 16));
		if (i % 1000 == 0)
			session_flush(&e->s);
	}
	session_flush(&e->s);
	assert_int_equal(e->size, 600000);
	/* Memory goes back between batches. */
	assert_true(e->s.scratch.total < 4 << 20);
}

static void write_errors(void **state)
{
	struct env *e = *state;
	FILE *full = fopen("/dev/full", "w"), *saved = e->o.out;

	assert_non_null(full);
	e->o.out = full;
	assert_true(send(e, ME_PRINTF, 0, 1, 16));
	session_flush(&e->s);
	assert_int_equal(e->s.write_error, ENOSPC);
	e->o.out = saved;
	fclose(full);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {TEST(prints), TEST(damaged), TEST(exit_cuts_off),
		TEST(json), TEST(many), TEST(write_errors)};

	return cmocka_run_group_tests_name("run/event", tests, NULL, NULL);
}
