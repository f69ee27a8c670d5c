/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The verifier contract on this machine's kernel, as far as it lets programs be loaded. */
#include "tests/contract/contract.c"
#include "tests/fuzz/kernel.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define CASES "tests/contract/cases.txt"
#define MATRIX "tests/contract/matrix.txt"

static void this_kernel(void **state)
{
	struct contract c;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool sense;

	(void)state;
	contract_open(&c, out);
	sense = contract_run(&c, CASES, MATRIX);
	fclose(out);
	print_message("%u passed, %u failed, %u skipped\n", c.passed, c.failed, c.skipped);
	if (!sense || c.failed)
		print_message("%s", text);
	free(text);
	assert_true(sense);
	assert_int_equal(c.failed, 0);
	assert_true(c.passed + c.skipped > 90);
}

static void expectations(void **state)
{
	static const char matrix[] = "# comment\nkernel 6.1 6.12 7.3\n"
				     "kprobe/A ok ok ok # rule a\n"
				     "kprobe/B no no ok\n"
				     "kprobe/C ok ? ok\n"
				     "kprobe/D no no no x86\n";
	static const struct {
		const char *name;
		unsigned version;
		const char *want;
	} cases[] = {
		{"kprobe/A", KERNEL_VERSION(6, 1, 0), "ok"},
		{"kprobe/A", KERNEL_VERSION(6, 5, 0), "ok"},
		{"kprobe/A", KERNEL_VERSION(5, 10, 0), NULL},
		{"kprobe/A", KERNEL_VERSION(8, 0, 0), "ok"},
		{"kprobe/B", KERNEL_VERSION(6, 12, 0), "no"},
		{"kprobe/B", KERNEL_VERSION(6, 18, 0), NULL},
		{"kprobe/B", KERNEL_VERSION(7, 3, 0), "ok"},
		{"kprobe/C", KERNEL_VERSION(6, 12, 0), NULL},
		{"kprobe/D", KERNEL_VERSION(6, 12, 0), NULL},
		{"kprobe/E", KERNEL_VERSION(6, 12, 0), NULL},
	};
	char path[] = "/tmp/skep-matrix-XXXXXX";
	struct contract c = {.out = stderr};
	struct suite s = {.c = &c};
	int fd = mkstemp(path);

	(void)state;
	arena_init(&s.a, NULL);
	assert_int_equal(write(fd, matrix, sizeof(matrix) - 1), sizeof(matrix) - 1);
	close(fd);
	assert_true(read_matrix(&s, path));
	unlink(path);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct expectation e;

		c.version = cases[k].version;
		e = expect(&s, cases[k].name);
		if (!cases[k].want != !e.here || (e.here && strcmp(e.here, cases[k].want)))
			fail_msg("%s on %x: %s", cases[k].name, c.version, e.here ? e.here : "?");
	}
	assert_string_equal(expect(&s, "kprobe/A").rule, "rule a");
	arena_free(&s.a);
}

/* A wrong row must show: the same cases against a matrix that says the opposite. */
static void notices(void **state)
{
	static const char cases[] = "\n== xdp GOOD loads\nr0 = 2\nexit\n"
				    "== xdp BAD is refused\nexit\n";
	static const char matrix[] = "kernel 5.10\nxdp/GOOD no\nxdp/BAD ok # r0 is set\n";
	char c_path[] = "/tmp/skep-cases-XXXXXX", m_path[] = "/tmp/skep-matrix-XXXXXX";
	int cf = mkstemp(c_path), mf = mkstemp(m_path);
	struct contract c;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(write(cf, cases, sizeof(cases) - 1), sizeof(cases) - 1);
	assert_int_equal(write(mf, matrix, sizeof(matrix) - 1), sizeof(matrix) - 1);
	close(cf);
	close(mf);
	contract_open(&c, out);
	assert_true(contract_run(&c, c_path, m_path));
	fclose(out);
	unlink(c_path);
	unlink(m_path);
	if (c.skipped == 0) {
		assert_int_equal(c.failed, 2);
		assert_non_null(strstr(text, "not ok xdp/GOOD: loads, was refused before"));
		assert_non_null(strstr(text, "(rule: r0 is set)"));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_kernel),
		cmocka_unit_test(expectations),
		cmocka_unit_test(notices),
	};

	return cmocka_run_group_tests_name("back/contract", tests, NULL, NULL);
}
