/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instruction conformance on the guest's kernel and its JIT.
 * timeout: 240
 * files: tests/exec/conformance
 */
#include "tests/exec/conformance.c"
#include "tests/fuzz/kernel.c"
#include <glob.h>

int main(int argc, char **argv)
{
	struct conformance c;
	glob_t g;

	(void)argc;
	if (glob(argv[1] ? argv[1] : "/skep/tests/exec/conformance/*.case", 0, NULL, &g))
		return 1;
	conformance_open(&c, stdout);
	if (!c.kernel) {
		printf("not ok kernel: %s\n", c.no_kernel);
		return 1;
	}
	for (size_t k = 0; k < g.gl_pathc; k++) {
		struct tally before = c.t;
		const char *name = strrchr(g.gl_pathv[k], '/') + 1;

		if (conformance_file(&c, g.gl_pathv[k]) && c.t.failed == before.failed)
			printf("ok %s: %u passed, %u skipped\n", name, c.t.passed - before.passed,
				c.t.skipped - before.skipped);
	}
	globfree(&g);
	printf("%u passed, %u failed, %u skipped\n", c.t.passed, c.t.failed, c.t.skipped);
	return c.t.failed || !c.t.passed;
}
