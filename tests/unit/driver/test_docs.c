/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Listings of docs/schedulers.md, "```skep FILE", are parts of these files, to the byte; its table of
 * calls and operations says what kern/scx.def does.
 */
#include "kern/file.h"
#include "kern/kern.h"
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

/* The operations that the table names; of the others nobody asks. */
static const char *const ops[] = {"select_cpu", "enqueue", "dispatch", "dequeue", "tick", "running",
	"stopping", "enable", "cpu_release", "init", "exit", "init_task", "cpu_online", "cpu_offline",
	"cgroup_init", "dump_cpu", "dump_task"};

static bool named(const char *text, const char *name)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	return strstr(text, quoted) != NULL;
}

static void one_call(const struct scx_alias *al, const char *where, const char *queues)
{
	for (unsigned i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		bool told = strstr(where, "everywhere") || named(where, ops[i]) ||
			    (strstr(where, "where queues are made") && named(queues, ops[i]));

		if (told != scx_may_call(scx_op_by_name(ops[i]), al->kfunc[0], KV(7, 3)))
			fail_msg("%s() in %s: docs/schedulers.md says %d", al->name, ops[i], told);
	}
}

static void table(void **state)
{
	char *doc = whole("docs/schedulers.md"), *rows[16], *at = strstr(doc, "| call | where |\n");
	const struct scx_alias *al;
	unsigned n = 0;

	(void)state;
	assert_non_null(at);
	at = strstr(at, "| `create_dsq`");
	for (at = strtok(at, "\n"); at && *at == '|' && n < 16; at = strtok(NULL, "\n"))
		rows[n++] = at;
	assert_true(n > 4 && strstr(rows[n - 1], "| the others |"));
	for (unsigned i = 0; (al = scx_alias_at(i)); i++) {
		unsigned r = 0;

		while (r < n - 1 && !named(rows[r], al->name))
			r++;
		one_call(al, strchr(rows[r] + 1, '|'), rows[0]);
	}
	free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(listings), cmocka_unit_test(table)};

	return cmocka_run_group_tests_name("driver/docs", tests, NULL, NULL);
}
