/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/golden/cases.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(struct golden *g, const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf b;
	char block[4096];
	size_t n;

	if (!f)
		fail_msg("%s cannot be opened", path);
	buf_init(&b, &g->a);
	buf_puts(&b, "");
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_put(&b, block, n);
	fclose(f);
	g->len = b.n;
	return b.p;
}

static void add_section(struct golden *g, char *line, char *end)
{
	char *word = line + 3, *rest = word + strcspn(word, " \n");
	struct golden_section s = {0};

	s.word = arena_strndup(&g->a, word, (size_t)(rest - word));
	rest += strspn(rest, " ");
	s.rest = arena_strndup(&g->a, rest, strcspn(rest, "\n"));
	s.from = (size_t)(end - g->file);
	vec_push(&g->a, &g->sections, s);
}

void golden_read(struct golden *g, const char *path)
{
	char *line;

	*g = (struct golden){.path = path};
	arena_init(&g->a, NULL);
	g->name = strstr(path, "golden/") ? strstr(path, "golden/") + 7 : path;
	g->file = read_file(g, path);
	for (line = g->file; *line;) {
		char *end = line + strcspn(line, "\n");

		end += *end == '\n';
		if (!strncmp(line, "-- ", 3)) {
			if (g->sections.n)
				g->sections.v[g->sections.n - 1].to = (size_t)(line - g->file);
			add_section(g, line, end);
		}
		line = end;
	}
	if (g->sections.n)
		g->sections.v[g->sections.n - 1].to = g->len;
	for (uint32_t i = 0; i < g->sections.n; i++) {
		struct golden_section *s = &g->sections.v[i];

		s->text = arena_strndup(&g->a, g->file + s->from, s->to - s->from);
	}
}

void golden_free(struct golden *g)
{
	arena_free(&g->a);
}

const struct golden_section *golden_find(const struct golden *g, const char *word, unsigned n)
{
	for (uint32_t i = 0; i < g->sections.n; i++) {
		if (!strcmp(g->sections.v[i].word, word) && n-- == 0)
			return &g->sections.v[i];
	}
	return NULL;
}

const struct golden_section *golden_need(const struct golden *g, const char *word)
{
	const struct golden_section *s = golden_find(g, word, 0);

	if (!s)
		fail_msg("%s: no section '-- %s'", g->path, word);
	return s;
}

static void bless(const struct golden *g, const struct golden_section *s, const char *got)
{
	FILE *f = fopen(g->path, "wb");

	if (!f)
		fail_msg("%s cannot be written", g->path);
	fwrite(g->file, 1, s->from, f);
	fputs(got, f);
	if (*got && got[strlen(got) - 1] != '\n')
		fputc('\n', f);
	fwrite(g->file + s->to, 1, g->len - s->to, f);
	fclose(f);
	printf("blessed %s\n", g->path);
}

void golden_expect(struct golden *g, const char *word, const char *got)
{
	const struct golden_section *s = golden_need(g, word);

	if (!strcmp(s->text, got))
		return;
	if (getenv("SKEP_BLESS")) {
		bless(g, s, got);
		return;
	}
	fail_msg("%s: section '-- %s'\n--- expected\n%s--- got\n%s---", g->path, word, s->text, got);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

int golden_run(const char *group, const char *const *dirs, unsigned ndirs, void (*run)(void **))
{
	VEC(struct CMUnitTest) tests = {0};
	const char *only = getenv("SKEP_CASE");
	struct arena a;
	int failed;

	arena_init(&a, NULL);
	for (unsigned d = 0; d < ndirs; d++) {
		DIR *dir = opendir(arena_printf(&a, "tests/golden/%s", dirs[d]));
		struct dirent *e;

		while (dir && (e = readdir(dir))) {
			size_t n = strlen(e->d_name);
			struct CMUnitTest t = {.test_func = run};

			if (n < 6 || strcmp(e->d_name + n - 5, ".case"))
				continue;
			t.name = arena_printf(&a, "%s/%.*s", dirs[d], (int)(n - 5), e->d_name);
			t.initial_state =
				arena_printf(&a, "tests/golden/%s/%s", dirs[d], e->d_name);
			if (!only || !strcmp(only, t.name))
				vec_push(&a, &tests, t);
		}
		if (dir)
			closedir(dir);
	}
	if (!tests.n && !only) {
		fprintf(stderr, "%s: no cases found\n", group);
		return 1;
	}
	if (tests.n)
		qsort(tests.v, tests.n, sizeof(*tests.v), by_name);
	failed = tests.n ? _cmocka_run_group_tests(group, tests.v, tests.n, NULL, NULL) : 0;
	arena_free(&a);
	return failed;
}
