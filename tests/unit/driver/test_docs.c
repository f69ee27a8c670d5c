/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Listings of docs/schedulers.md, "```skep FILE", are parts of these files, to the byte. */
#include "kern/file.h"
#include "tests/golden/cases.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FENCE "```skep "

static char *whole(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 16);

	if (!f || !text)
		fail_msg("cannot read %s", path);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
	fclose(f);
	return text;
}

static void listings(void **state)
{
	char *doc = whole("docs/schedulers.md"), *at = doc;
	unsigned n = 0;

	(void)state;
	while ((at = strstr(at, FENCE))) {
		char *path = at + strlen(FENCE), *end = strchr(path, '\n'), *text = end + 1, *file;

		*end = 0;
		end = strstr(text, "```\n");
		assert_non_null(end);
		*end = 0;
		file = whole(path);
		if (!strstr(file, text))
			fail_msg("not in %s:\n%s", path, text);
		free(file);
		at = end + 1;
		n++;
	}
	assert_true(n > 5);
	free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(listings)};

	return cmocka_run_group_tests_name("driver/docs", tests, NULL, NULL);
}
