/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Scripts of the golden cases, tests/exec/scripts and scripts/, changed word by word, compiled. */
#include "tests/fuzz/damage.h"
#include "skep/compile.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPTS 2048
#define TEXT_MOST 32768

static struct {
	char *text[SCRIPTS];
	unsigned n;
} corpus;

static void add(const char *path)
{
	static char file[TEXT_MOST];
	FILE *f = fopen(path, "re");
	char *start, *end;
	size_t n;

	if (!f || corpus.n == SCRIPTS) {
		if (f)
			fclose(f);
		return;
	}
	n = fread(file, 1, sizeof(file) - 1, f);
	fclose(f);
	file[n] = 0;
	start = file;
	if (strstr(path, ".case")) {
		start = strstr(file, "-- script");
		start = start ? strchr(start, '\n') : NULL;
		end = start ? strstr(start, "\n-- ") : NULL;
		if (end)
			*end = 0;
	}
	if (start)
		corpus.text[corpus.n++] = strdup(start);
}

bool damage_text_start(struct arena *a)
{
	static const char *const dirs[] = {"tests/exec/scripts", "tests/golden/check", "tests/golden/parse",
		"tests/golden/diag", "tests/golden/malformed", "scripts"};

	for (unsigned i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		struct dirent **names;
		int n = scandir(dirs[i], &names, NULL, alphasort);

		for (int k = 0; k < n; k++) {
			const char *dot = strrchr(names[k]->d_name, '.');

			if (dot && (!strcmp(dot, ".case") || !strcmp(dot, ".bt") || !strcmp(dot, ".skep")))
				add(arena_printf(a, "%s/%s", dirs[i], names[k]->d_name));
			free(names[k]);
		}
		if (n >= 0)
			free(names);
	}
	return corpus.n > 200;
}

/* ---- words ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_$@", c));
}

/* The token at p: a word, a string, white space, or an operator's sign. */
static size_t token(const char *p)
{
	size_t n = 1;

	if (is_word(*p)) {
		while (is_word(p[n]))
			n++;
	} else if (*p == '"') {
		while (p[n] && p[n] != '"' && p[n] != '\n')
			n += 1 + (p[n] == '\\' && p[n + 1]);
		n += p[n] == '"';
	} else if (strchr(" \t\n", *p)) {
		while (p[n] && strchr(" \t\n", p[n]))
			n++;
	} else if (p[1] == *p || (p[1] == '=' && strchr("<>!=+-*/%&|^", *p))) {
		n = 2;
	}
	return n;
}

struct tokens {
	const char *at[8192];
	size_t len[8192];
	unsigned n;
};

static void split(const char *text, struct tokens *t)
{
	t->n = 0;
	while (*text && t->n < 8192) {
		t->at[t->n] = text;
		t->len[t->n] = token(text);
		text += t->len[t->n++];
	}
}

static const char *const words[] = {"0", "1", "-1", "63", "64", "255", "4294967296", "18446744073709551615",
	"0x8000000000000000", "\"\"", "\"text\"", "$x", "@x", "@", "(", ")", "{", "}", "[", "]", ",", ";", "/",
	"?", ":", "..", ".", "->", "=", "==", "+=", "<<", "*", "-", "!", "~", "&&", "(int8)", "(uint64)",
	"(uint8)-1", "count()", "hist(1)", "lhist(1, 0, 9, 1)", "sum(1)", "stats(2)", "print(@x)", "clear(@x)",
	"delete(@x)", "if", "else", "while", "for ($i : 0..5)", "unroll(3)", "break;", "continue;", "return;",
	"str(arg0)", "strlen(\"a\")", "strstr(\"ab\", \"b\")", "(1, 2)", "(1, \"a\", (2, 3))", "comm", "pid", "nsecs", "kstack",
	"ustack", "curtask", "args", "args.p", "tcp.dport", "ip.src", "ip6.src", "10.0.0.0/8", "drop()",
	"payload[0:4]", "exit()", "let", "macro m(x) { x }", "config = { max_strlen = 16; }", "struct s { int a; };",
	"sizeof(struct s)", "BEGIN", "END", "kprobe:f", "xdp:lo", "interval:s:1", "sched_ext:enqueue", "in", "{1, 2..3}",
	"has_key(@x, 1)", "every(3)", "rate(ip.src, 5)", "#define A 1\n", "#if 1\n", "#endif\n", "//", "/*", "$1", "true"};

static void one_word(struct damage_rng *r, const struct tokens *t, unsigned i, struct buf *out)
{
	const char *other = corpus.text[damage_below(r, corpus.n)];
	size_t n = strlen(other), from = n ? damage_below(r, (unsigned)n) : 0;

	switch (damage_below(r, 7)) {
	case 0: /* gone */
		break;
	case 1: /* twice */
		buf_put(out, t->at[i], t->len[i]);
		buf_put(out, t->at[i], t->len[i]);
		break;
	case 2: /* another one of this script */
		i = damage_below(r, t->n);
		buf_put(out, t->at[i], t->len[i]);
		break;
	case 3: /* a stretch of another script */
		buf_put(out, other + from, n - from < 60 ? n - from : 60);
		break;
	case 4: /* something in front */
		buf_printf(out, " %s ", words[damage_below(r, sizeof(words) / sizeof(*words))]);
		buf_put(out, t->at[i], t->len[i]);
		break;
	default:
		buf_printf(out, " %s ", words[damage_below(r, sizeof(words) / sizeof(*words))]);
		break;
	}
}

static void change(struct damage_rng *r, struct buf *out)
{
	static struct tokens t;
	unsigned hits = 1 + damage_below(r, 2);

	split(corpus.text[damage_below(r, corpus.n)], &t);
	for (unsigned i = 0; i < t.n; i++) {
		bool white = strchr(" \t\n", t.at[i][0]);

		if (!white && damage_below(r, t.n) < hits)
			one_word(r, &t, i, out);
		else
			buf_put(out, t.at[i], t.len[i]);
	}
	if (damage_below(r, 20) == 0 && out->n) /* ends anywhere */
		out->p[out->n = damage_below(r, (unsigned)out->n)] = 0;
}

/* ---- trying ---- */

/* Every error names its place. */
static bool placed(const char *messages)
{
	for (const char *e = messages; (e = strstr(e, ": error: ")); e++) {
		const char *line = e;

		while (line > messages && line[-1] != '\n')
			line--;
		if (strncmp(line, "fuzz:", 5) && strncmp(line, "prelude:", 8))
			return false;
	}
	return *messages != 0;
}

bool damage_text(uint64_t seed, bool *taken, struct buf *text, struct buf *why)
{
	static const char *const targets[] = {"x86_64", "tests/targets/x86_64-6.12-scx.target",
		"tests/targets/x86_64-7.3.target", "tests/targets/x86_64-5.10-nobtf.target",
		"tests/targets/x86_64-6.12.target", "tests/targets/riscv64-7.2.target"};
	struct damage_rng r = {seed * 0x9e3779b97f4a7c15ull};
	struct skep_options o = {.target = targets[damage_below(&r, 6)]};
	struct skep_compile_options c = {.offline = true, .unsafe = damage_below(&r, 2),
		.portable = damage_below(&r, 4) == 0, .check_reads = damage_below(&r, 4) == 0,
		.count_rules = damage_below(&r, 2)};
	struct skep *s;
	int err;
	bool ok;

	change(&r, text);
	err = skep_new(&s, &o);
	if (!err)
		err = skep_compile(s, "fuzz", text->p, text->n, &c);
	*taken = !err;
	ok = !err || (err == SKEP_EUSER && placed(skep_messages(s, false)));
	if (!ok)
		buf_printf(why, "for %s%s: result %d, %s", o.target, c.portable ? ", portable" : "", err,
			skep_messages(s, false));
	skep_free(s);
	return ok;
}
