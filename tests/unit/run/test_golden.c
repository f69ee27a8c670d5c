/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cases of tests/golden/run: a map's contents and how they print. One file per case:
 *
 *   -- map NAME AGG KIND:SIZE words N [scalar] [cpus N] [lhist MIN MAX STEP] [bits N] [keys KIND:SIZE ...]
 *   -- entry KEY, KEY = WORD WORD 5:WORD | ...     5:WORD is word 5; | starts the next CPU
 *   -- print TOP DIV                               (optional)
 *   -- expect text                                 the lines that follow
 *   -- expect json
 *
 * A value that is no number is written after = as it is.
 */
#include "make.h"
#include <dirent.h>

#define DIR_CASES "tests/golden/run"

struct golden {
	struct fixture *f;
	struct meta_map *map;
	uint64_t top, div;
	uint32_t ncpus;
	char *line, *rest; /* the file, cut into lines */
	bool started;
};

static enum meta_kind kind_by_text(const char *text)
{
	for (unsigned k = 0; k < MK_COUNT; k++) {
		if (!strcmp(meta_kind_text((enum meta_kind)k), text))
			return (enum meta_kind)k;
	}
	fail_msg("no kind '%s'", text);
	return MK_NONE;
}

static enum meta_agg agg_by_text(const char *text)
{
	for (unsigned k = 0; k < MA_COUNT_; k++) {
		if (!strcmp(meta_agg_text((enum meta_agg)k), text))
			return (enum meta_agg)k;
	}
	fail_msg("no aggregation '%s'", text);
	return MA_NONE;
}

static struct meta_field field_by_text(char *text)
{
	char *colon = strchr(text, ':');

	assert_non_null(colon);
	*colon = 0;
	return (struct meta_field){.kind = kind_by_text(text), .size = (uint32_t)atoi(colon + 1)};
}

static uint32_t number_after(char **save)
{
	char *word = strtok_r(NULL, " ", save);

	assert_non_null(word);
	return (uint32_t)strtoll(word, NULL, 0);
}

static void map_options(struct golden *g, char **save)
{
	struct fixture *f = g->f;
	char *word;

	while ((word = strtok_r(NULL, " ", save))) {
		if (!strcmp(word, "words")) {
			g->map->value_size = 8 * number_after(save);
		} else if (!strcmp(word, "scalar")) {
			scalar(g->map, META_NONE);
		} else if (!strcmp(word, "present")) {
			g->map->present_off = number_after(save);
		} else if (!strcmp(word, "cpus")) {
			g->ncpus = number_after(save);
			g->map->type = g->map->scalar ? BPF_MAP_TYPE_PERCPU_ARRAY
						      : BPF_MAP_TYPE_PERCPU_HASH;
		} else if (!strcmp(word, "bits")) {
			g->map->hist_bits = number_after(save);
		} else if (!strcmp(word, "lhist")) {
			g->map->lhist_min = (int32_t)number_after(save);
			g->map->lhist_max = (int32_t)number_after(save);
			g->map->lhist_step = (int32_t)number_after(save);
		} else if (strcmp(word, "keys") != 0) {
			struct meta_field k = field_by_text(word);

			add_key(f, g->map, (enum meta_kind)k.kind, k.size);
		}
	}
}

static void do_map(struct golden *g, char *args)
{
	char *save, *name = strtok_r(args, " ", &save), *agg = strtok_r(NULL, " ", &save);
	struct meta_field value = field_by_text(strtok_r(NULL, " ", &save));

	g->map = add_map(g->f, arena_strdup(&g->f->a, name), agg_by_text(agg),
		(enum meta_kind)value.kind, 1);
	g->map->value = value;
	map_options(g, &save);
}

static void put_value(uint8_t *p, const struct meta_field *f, const char *text)
{
	uint64_t v = strtoull(text, NULL, 0);

	if (*text == '-')
		v = (uint64_t)strtoll(text, NULL, 0);
	if (f->kind == MK_STR)
		memcpy(p, text, strnlen(text, f->size));
	else if (f->kind == MK_INT || f->kind == MK_UINT || f->kind == MK_PTR ||
		 f->kind == MK_BOOL || f->kind == MK_PROBE)
		memcpy(p, &v, f->size);
	else
		for (uint32_t i = 0; i < f->size; i++)
			p[i] = (uint8_t)strtoul((char[]){text[2 * i], text[2 * i + 1], 0}, NULL, 16);
}

static void put_keys(struct golden *g, uint8_t *key, char *text)
{
	for (uint32_t i = 0; i < g->map->keys.n; i++) {
		char *end = strstr(text, ", ");

		if (end)
			*end = 0;
		put_value(key + g->map->keys.v[i].off, &g->map->keys.v[i], text);
		text = end ? end + 2 : text + strlen(text);
	}
}

static void put_words(struct golden *g, uint8_t *raw, char *text)
{
	size_t word = 0, cpu = 0;
	char *save, *t;

	for (t = strtok_r(text, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		char *colon = strchr(t, ':');
		uint64_t v;

		if (!strcmp(t, "|")) {
			cpu++;
			word = 0;
			continue;
		}
		if (colon)
			word = strtoul(t, NULL, 10);
		t = colon ? colon + 1 : t;
		v = *t == '-' ? (uint64_t)strtoll(t, NULL, 0) : strtoull(t, NULL, 0);
		memcpy(raw + cpu * g->map->value_size + 8 * word++, &v, 8);
	}
}

static void do_entry(struct golden *g, char *args)
{
	uint8_t key[256] = {0}, raw[8192] = {0};
	char *equals = strstr(args, "= ");

	assert_non_null(equals);
	if (!g->started)
		start(g->f, g->map, g->ncpus);
	g->started = true;
	if (equals > args)
		equals[-1] = 0;
	put_keys(g, key, args);
	if (g->map->agg == MA_NONE && g->map->value.kind != MK_INT && g->map->value.kind != MK_UINT)
		put_value(raw, &g->map->value, equals + 2);
	else
		put_words(g, raw, equals + 2);
	table_add(&g->f->t, key, raw);
}

static void do_expect(struct golden *g, char *form)
{
	struct buf want;

	buf_init(&want, &g->f->a);
	buf_puts(&want, "");
	while (g->rest && strncmp(g->rest, "-- ", 3) != 0) {
		g->line = strsep(&g->rest, "\n");
		if (g->rest)
			buf_printf(&want, "%s\n", g->line);
	}
	assert_map(g->f, strcmp(form, "json") ? &emit_text : &emit_json, g->top, g->div, want.p);
}

static char *read_case(const char *name, struct arena *a)
{
	char path[512];
	struct buf b;
	FILE *file;
	int c;

	snprintf(path, sizeof(path), DIR_CASES "/%s", name);
	file = fopen(path, "r");
	assert_non_null(file);
	buf_init(&b, a);
	buf_puts(&b, "");
	while ((c = getc(file)) != EOF)
		buf_putc(&b, (char)c);
	fclose(file);
	return b.p;
}

static void golden_case(void **state)
{
	struct golden g = {.f = fixture_new(), .div = 1, .ncpus = 1};
	int expectations = 0;

	g.rest = read_case(*state, &g.f->a);
	while (g.rest) {
		g.line = strsep(&g.rest, "\n");
		if (!strncmp(g.line, "-- map ", 7)) {
			do_map(&g, g.line + 7);
		} else if (!strncmp(g.line, "-- entry ", 9)) {
			do_entry(&g, g.line + 9);
		} else if (!strncmp(g.line, "-- print ", 9)) {
			assert_int_equal(sscanf(g.line, "-- print %lu %lu", &g.top, &g.div), 2);
		} else if (!strncmp(g.line, "-- expect ", 10)) {
			do_expect(&g, g.line + 10);
			expectations++;
		} else if (*g.line && *g.line != '#') {
			fail_msg("%s: bad line '%s'", (char *)*state, g.line);
		}
	}
	assert_true(expectations > 0);
	fixture_free(g.f);
}

int main(void)
{
	struct CMUnitTest tests[256] = {0};
	struct dirent **names;
	int n = scandir(DIR_CASES, &names, NULL, alphasort), count = 0, failed;

	setenv("TZ", "UTC", 1);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && count < 256) {
			tests[count].name = names[i]->d_name;
			tests[count].test_func = golden_case;
			tests[count++].initial_state = names[i]->d_name;
		}
	}
	if (!count)
		return 1;
	failed = _cmocka_run_group_tests("golden/run", tests, (size_t)count, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return failed;
}
