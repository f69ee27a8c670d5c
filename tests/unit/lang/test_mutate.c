/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random edits of the scripts of all golden cases: nothing crashes, every message renders, and what
 * the checker accepts is lowered to IR that keeps the rules. Same seed, same edits: SEED and N in
 * the environment choose others.
 */
#include "tests/unit/lang/langtest.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRIPTS_MAX 1024

struct corpus {
	char *text[SCRIPTS_MAX];
	unsigned n, sound; /* the first ones compile as they are */
};

struct rng {
	uint64_t s;
};

static uint64_t rnd(struct rng *r, uint64_t below) /* splitmix64 */
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % below;
}

/* The "-- script" section of a case file. */
static char *script_of(const char *path)
{
	static char file[65536];
	FILE *f = fopen(path, "rb");
	char *start, *end;
	size_t n;

	if (!f)
		return NULL;
	n = fread(file, 1, sizeof(file) - 1, f);
	fclose(f);
	file[n] = 0;
	start = strstr(file, "\n-- script");
	start = start ? strchr(start + 1, '\n') : NULL;
	if (!start)
		return NULL;
	end = strstr(start, "\n-- ");
	if (end)
		*end = 0;
	return strdup(start + 1);
}

static void read_corpus(struct corpus *c)
{
	static const char *const dirs[] = {"check", "parse", "diag", "malformed"};

	for (unsigned i = 0; i < 4; i++) {
		char path[512];
		struct dirent **names;
		int n;

		snprintf(path, sizeof(path), "tests/golden/%s", dirs[i]);
		n = scandir(path, &names, NULL, alphasort);
		for (int k = 0; k < n; k++) {
			snprintf(path, sizeof(path), "tests/golden/%s/%s", dirs[i],
				names[k]->d_name);
			if (c->n < SCRIPTS_MAX && strstr(path, ".case") &&
				(c->text[c->n] = script_of(path)))
				c->n++;
			free(names[k]);
		}
		if (n >= 0)
			free(names);
		if (!i)
			c->sound = c->n;
	}
}

static void free_corpus(struct corpus *c)
{
	while (c->n)
		free(c->text[--c->n]);
}

/* Bytes that mean something to the parser are more telling than others. */
static char telling(struct rng *r)
{
	static const char bytes[] = "{}()[];,:.\"'/\\@$#%&|<>=!?*+-~^0123456789 \n\tabxin_\0\xff";

	return bytes[rnd(r, sizeof(bytes) - 1)];
}

static bool is_word(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       (ch && strchr("_$@.", ch));
}

/* Another operand in the place of the word at at: most of these still parse. */
static size_t swap_word(struct rng *r, char *text, size_t n, size_t at)
{
	static const char *const words[] = {"0", "1", "-1", "5", "64", "18446744073709551615",
		"pid", "comm", "nsecs", "arg0", "retval", "cpu", "\"text\"", "\"\"", "probe", "$x",
		"$s", "@", "@x", "@[1]", "@[comm]", "(1 + pid)", "(pid ? 1 : 2)", "str(arg0)",
		"(int8)pid", "(uint64)-1", "count()", "hist(pid)", "ip.src", "tcp.dport", "eth.src",
		"ip6.src", "10.0.0.1", "10.0.0.0/8", "args.p", "args.p.scx.slice", "args.pid",
		"curtask", "curtask->comm", "((struct file *)arg0)",
		"((struct task_struct *)arg0)->pid", "SCX_SLICE_DFL", "{1, 2..3}", "!pid", "@x++",
		"arg0++", "exit()", "drop()", "print(@)", "delete(@x)", "nsecs / 7", "-pid % 3",
		"pid >> 3", "return"};
	const char *word = words[rnd(r, sizeof(words) / sizeof(*words))];
	size_t end, len = strlen(word);

	while (at < n && !is_word(text[at]))
		at++;
	while (at && is_word(text[at - 1]))
		at--;
	for (end = at; end < n && is_word(text[end]); end++)
		;
	memmove(text + at + len, text + end, n - end);
	memcpy(text + at, word, len);
	return n - (end - at) + len;
}

/* One edit of text (n bytes, room for 4096 more); returns the new length. */
static size_t edit(struct rng *r, const struct corpus *c, char *text, size_t n)
{
	size_t at = n ? rnd(r, n) : 0, len, from;
	const char *other;

	switch (rnd(r, 12)) {
	case 0: /* replace */
		if (n)
			text[at] = telling(r);
		return n;
	case 1: /* insert */
		memmove(text + at + 1, text + at, n - at);
		text[at] = telling(r);
		return n + 1;
	case 2: /* delete a stretch */
		len = n - at ? rnd(r, n - at < 8 ? n - at : 8) : 0;
		memmove(text + at, text + at + len, n - at - len);
		return n - len;
	case 3: /* repeat a stretch */
		len = n - at ? rnd(r, n - at < 64 ? n - at : 64) : 0;
		memmove(text + at + len, text + at, n - at);
		return n + len;
	case 4: /* a stretch of another script */
		other = c->text[rnd(r, c->n)];
		from = rnd(r, strlen(other) + 1);
		len = strlen(other) - from;
		len = len > 64 ? 64 : len;
		memmove(text + at + len, text + at, n - at);
		memcpy(text + at, other + from, len);
		return n + len;
	case 5: /* cut off */
		return rnd(r, 8) ? n : at;
	default:
		return swap_word(r, text, n, at);
	}
}

static void compile(const char *target, const char *text, size_t n)
{
	struct langtest t;

	langtest_init(&t, target);
	if (setjmp(t.trap.env))
		fail_msg("%s\n--- in\n%.*s", t.trap.message, (int)n, text);
	langtest_parse(&t, text, n);
	if (!t.d.errors)
		check_script(t.s);
	(void)langtest_diags(&t);
	if (!t.d.errors)
		langtest_lower(&t, text);
	langtest_free(&t);
}

static void mutate(void **state)
{
	static const char *const targets[] = {NULL, "x86_64-7.3", "x86_64-6.12-scx"};
	const char *seed = getenv("SEED"), *count = getenv("N");
	struct rng r = {seed ? strtoull(seed, NULL, 0) : 1};
	unsigned long rounds = count ? strtoul(count, NULL, 0) : 6000;
	struct corpus c = {.n = 0};
	char *text;

	(void)state;
	read_corpus(&c);
	assert_true(c.n > 100);
	for (unsigned long i = 0; i < rounds; i++) {
		/* scripts that compile are read first, and tell more */
		const char *base = c.text[rnd(&r, rnd(&r, 2) ? c.sound : c.n)];
		size_t n = strlen(base);

		text = malloc(n + 4096 + 1);
		assert_non_null(text);
		memcpy(text, base, n);
		for (uint64_t k = 1 + rnd(&r, rnd(&r, 2) ? 1 : 5); k-- > 0;)
			n = edit(&r, &c, text, n);
		text[n] = 0;
		compile(targets[rnd(&r, 3)], text, n);
		free(text);
	}
	free_corpus(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(mutate)};

	return cmocka_run_group_tests_name("lang mutations", tests, NULL, NULL);
}
