/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every file of tests/exec/conformance: interpreter always, this machine's kernel when it allows.
 */
#include "tests/exec/conformance.c"
#include "tests/fuzz/kernel.c"
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void one_file(void **state)
{
	struct conformance c;

	conformance_open(&c, stderr);
	assert_true(conformance_file(&c, *state));
	print_message("%s: %u passed, %u failed, %u skipped%s%s\n", (const char *)*state,
		c.t.passed, c.t.failed, c.t.skipped,
		c.kernel ? "" : "; no kernel: ", c.kernel ? "" : c.no_kernel);
	assert_int_equal(c.t.failed, 0);
	assert_true(c.t.passed > 0);
}

/* The runner itself must notice a wrong result, a wrong section and a missing error. */
static void notices(void **state)
{
	static const char text[] = "-- case a\n-- op r0 += r2\n-- run 1 2 = 4\n"
				   "-- case b\n-- op exit\n-- error out of bounds\n"
				   "-- nonsense\n"
				   "-- case c\n-- op frob\n-- run 1 = 1\n";
	char path[] = "/tmp/skep-conformance-XXXXXX";
	struct conformance c;
	FILE *null = fopen("/dev/null", "w");
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	conformance_open(&c, null);
	c.kernel = false;
	c.no_kernel = "not wanted";
	assert_true(conformance_file(&c, path));
	assert_int_equal(c.t.failed, 4);
	assert_int_equal(c.t.passed, 0);
	unlink(path);
	fclose(null);
}

int main(void)
{
	struct CMUnitTest tests[64] = {cmocka_unit_test(notices)};
	size_t n = 1;
	glob_t g;
	int status;

	if (glob("tests/exec/conformance/*.case", 0, NULL, &g) || g.gl_pathc > 63)
		return 1;
	for (size_t k = 0; k < g.gl_pathc; k++)
		tests[n++] = (struct CMUnitTest){
			strrchr(g.gl_pathv[k], '/') + 1, one_file, NULL, NULL, g.gl_pathv[k]};
	status = _cmocka_run_group_tests("back/conformance", tests, n, NULL, NULL);
	globfree(&g);
	return status;
}
