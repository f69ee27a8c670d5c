/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The .btf files of tests/targets are what their headers say. SKEP_BLESS=1 writes them anew.
 * Runs in the project's root, as all unit tests do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kern/btf.h"
#include "kern/file.h"
#include "minibtf.h"

#define TARGETS "tests/targets/"

static const struct mini {
	const char *file;
	const char *headers[5];
	bool scx;
} minis[] = {
	{"mini-6.1.btf", {"types.h", "base.h"}, false},
	{"mini-6.12.btf", {"types.h", "base.h", "kfuncs.h"}, false},
	{"mini-6.12-scx.btf", {"types.h", "scx-6.12.h", "base.h", "kfuncs.h"}, true},
	{"mini-7.2.btf", {"types.h", "scx-7.2.h", "base.h", "kfuncs.h"}, true},
	{"mini.btf", {"types.h", "scx-7.3.h", "base.h", "kfuncs.h"}, true}, /* 7.3 */
};

/* Adds the text, with what stands between #ifdef SCX and #endif only when scx. */
static void add_text(struct buf *out, const char *text, bool scx)
{
	bool skip = false;

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (!strncmp(text, "#ifdef SCX", 10))
			skip = !scx;
		else if (!strncmp(text, "#endif", 6))
			skip = false;
		else if (!skip)
			buf_put(out, text, n);
		buf_putc(out, '\n');
		text += n;
		text += *text == '\n';
	}
}

static struct buf build(struct arena *a, const struct mini *m)
{
	struct buf text;

	buf_init(&text, a);
	for (int i = 0; i < 5 && m->headers[i]; i++) {
		const char *path = arena_printf(a, TARGETS "src/%s", m->headers[i]);
		const char *part = file_read(a, path, NULL);

		if (!part)
			fail_msg("%s cannot be read: run in the project's root", path);
		add_text(&text, part, m->scx);
	}
	return minibtf(a, text.p);
}

static void files_are_up_to_date(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < sizeof(minis) / sizeof(minis[0]); i++) {
		const char *path = arena_printf(&a, TARGETS "%s", minis[i].file);
		struct buf want = build(&a, &minis[i]);
		size_t n = 0;
		char *have;

		if (getenv("SKEP_BLESS")) {
			FILE *f = fopen(path, "wb");

			assert_non_null(f);
			assert_int_equal(fwrite(want.p, 1, want.n, f), want.n);
			fclose(f);
		}
		have = file_read(&a, path, &n);
		if (!have || n != want.n || memcmp(have, want.p, n))
			fail_msg("%s is out of date: run this test with SKEP_BLESS=1", path);
	}
	arena_free(&a);
}

static uint32_t offset(const struct kbtf *b, uint32_t id, const char *member)
{
	struct kbtf_member m;

	if (!kbtf_find_member(b, id, member, &m))
		fail_msg("no member %s", member);
	return m.bit_off / 8;
}

/* Layouts measured on the real kernels: size and offsets of sched_ext_ops and its relatives. */
static void layouts_are_real(void **state)
{
	static const struct {
		const char *file;
		uint32_t size, init, exit, flags, timeout_ms, name, entity, dsq_vtime, value;
	} real[] = {
		{"mini-6.12-scx.btf", 424, 248, 256, 272, 280, 296, 200, 160, 512},
		{"mini-7.2.btf", 472, 264, 272, 288, 296, 320, 0, 0, 0},
		{"mini.btf", 512, 288, 296, 312, 320, 360, 272, 216, 576},
	};
	struct arena a;

	(void)state;
	arena_init(&a, NULL);
	for (size_t i = 0; i < sizeof(real) / sizeof(real[0]); i++) {
		const char *why = NULL;
		struct kbtf *b = kbtf_open(&a, arena_printf(&a, TARGETS "%s", real[i].file), &why);
		uint32_t ops, entity, value;

		if (!b)
			fail_msg("%s", why);
		ops = kbtf_find_struct(b, "sched_ext_ops");
		entity = kbtf_find_struct(b, "sched_ext_entity");
		value = kbtf_find_struct(b, "bpf_struct_ops_sched_ext_ops");
		assert_int_equal(kbtf_size(b, ops), real[i].size);
		assert_int_equal(offset(b, ops, "enqueue"), 8);
		assert_int_equal(offset(b, ops, "init"), real[i].init);
		assert_int_equal(offset(b, ops, "exit"), real[i].exit);
		assert_int_equal(offset(b, ops, "flags"), real[i].flags);
		assert_int_equal(offset(b, ops, "timeout_ms"), real[i].timeout_ms);
		assert_int_equal(offset(b, ops, "name"), real[i].name);
		assert_int_equal(offset(b, value, "data"), 64);
		if (real[i].entity) {
			assert_int_equal(kbtf_size(b, entity), real[i].entity);
			assert_int_equal(offset(b, entity, "dsq_vtime"), real[i].dsq_vtime);
			assert_int_equal(kbtf_size(b, value), real[i].value);
		}
		kbtf_close(b);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_up_to_date),
		cmocka_unit_test(layouts_are_real),
	};

	return cmocka_run_group_tests_name("kern/minibtf", tests, NULL, NULL);
}
