/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures programs for `make bench`; bench.sh calls it and makes the table.
 *
 *   bench script [-k] TARGET FILE…  compiles scripts for the target file
 *   bench object [-k] FILE…         reads objects that clang made
 *       one line a program: KEY/N instructions spills reloads stack processed
 *       KEY is the file name's part before the first _ or dot, N the program's place in the file
 *   bench kernel                    status 0: this kernel verifies programs for us
 *   bench rss COMMAND…              runs it, prints its greatest resident size in KiB
 *   bench start RUNS COMMAND…       runs it so often: least CPU microseconds, greatest size in KiB
 *
 * With -k the running kernel's verifier says how many instructions it processed; nothing is ever
 * attached. "-" stands for what is not known.
 */
#include "driver/driver.h"
#include "skep/load.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_STATS 4 /* BPF_LOG_STATS, since 5.2 */
#define SCRIPT_MAX (1 << 20)

/* "tests/bench/e_latency.bt" is "e". */
static int key_len(const char *path, const char **key)
{
	const char *base = strrchr(path, '/');

	*key = base ? base + 1 : path;
	return (int)strcspn(*key, "_.");
}

static void print_count(long n)
{
	if (n < 0)
		printf("\t-");
	else
		printf("\t%ld", n);
}

static void print_row(const char *path, unsigned nth, long insns, const struct code *c, long processed)
{
	const char *key;
	int len = key_len(path, &key);

	printf("%.*s/%u", len, key, nth + 1);
	print_count(insns);
	print_count(c ? (long)c->spills : -1);
	print_count(c ? (long)c->reloads : -1);
	print_count(c ? (long)c->stack : -1);
	print_count(processed);
	putchar('\n');
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(SCRIPT_MAX);

	*len = f && text ? fread(text, 1, SCRIPT_MAX, f) : 0;
	if (f)
		fclose(f);
	return text;
}

static int measure_script(const char *target, const char *path, bool kernel)
{
	struct skep_options o = {.target = target};
	struct skep_load_options lo = {.stats = true};
	struct skep *s = NULL;
	size_t len = 0;
	char *text = read_file(path, &len);
	int err = !len;

	if (!err)
		err = skep_new(&s, &o);
	if (!err)
		err = skep_compile(s, path, text, len, NULL);
	if (!err && kernel && skep_load(s, &lo))
		fprintf(stderr, "%s", skep_messages(s, false)); /* a refusal is worth seeing */
	for (uint32_t i = 0; !err && i < s->meta.progs.n; i++) {
		const struct loaded_prog *p = s->loaded.prog ? &s->loaded.prog[i] : NULL;
		bool known = p && p->fd >= 0 && p->verified;

		print_row(path, i, s->code[i].n, &s->code[i], known ? (long)p->verified : -1);
	}
	if (err)
		fprintf(stderr, "bench: %s: %s", path, s ? skep_messages(s, false) : "unreadable\n");
	skep_free(s);
	free(text);
	return err != 0;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static long processed_of(const char *log)
{
	const char *p = strstr(log, "processed ");

	return p ? strtol(p + 10, NULL, 10) : -1;
}

static int measure_object(const char *path, bool kernel)
{
	static char log[16][4096]; /* one a program */
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	struct bpf_program *p;
	bool loaded = false;
	unsigned n = 0;

	if (!o) {
		fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
		return 1;
	}
	bpf_object__for_each_program(p, o) {
		bpf_program__set_log_level(p, LOG_STATS);
		bpf_program__set_log_buf(p, log[n], sizeof(*log));
		log[n++][0] = 0;
		if (n == sizeof(log) / sizeof(*log))
			break;
	}
	if (kernel) {
		loaded = bpf_object__load(o) == 0;
		if (!loaded)
			fprintf(stderr, "bench: %s: not loaded: %s\n", path, strerror(errno));
	}
	n = 0;
	bpf_object__for_each_program(p, o) {
		print_row(path, n, (long)bpf_program__insn_cnt(p), NULL,
			loaded ? processed_of(log[n]) : -1);
		n++;
	}
	bpf_object__close(o);
	return 0;
}

static int resident_size(char *const *command)
{
	struct rusage u;
	pid_t child = fork();
	int status;

	if (child == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &u) != child || status != 0)
		return 1;
	printf("%ld\n", u.ru_maxrss);
	return 0;
}

static long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

/* Least CPU time of some runs in microseconds and the greatest resident size; both with children. */
static int start_cost(int runs, char **argv)
{
	long best = -1, size = 0;

	for (int i = 0; i < runs; i++) {
		struct rusage u = {0};
		pid_t child = fork();
		int status;
		long t;

		if (!child) {
			if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
				_exit(127);
			execvp(argv[0], argv);
			_exit(127);
		}
		if (child < 0 || wait4(child, &status, 0, &u) != child || status != 0)
			return 1;
		t = microseconds(u.ru_utime) + microseconds(u.ru_stime);
		best = best < 0 || t < best ? t : best;
		size = u.ru_maxrss > size ? u.ru_maxrss : size;
	}
	printf("%ld\t%ld\n", best, size);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool kernel = argc > 2 && !strcmp(argv[2], "-k");
	int i = kernel ? 3 : 2, failed = 0;

	libbpf_set_print(quiet);
	if (!strcmp(what, "kernel"))
		return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_KPROBE, NULL) != 1;
	if (!strcmp(what, "rss") && argc > 2)
		return resident_size(argv + 2);
	if (!strcmp(what, "start") && argc > 3)
		return start_cost(atoi(argv[2]), argv + 3);
	if (!strcmp(what, "script") && i < argc) {
		for (int f = i + 1; f < argc; f++)
			failed |= measure_script(argv[i], argv[f], kernel);
		return failed;
	}
	if (!strcmp(what, "object")) {
		for (; i < argc; i++)
			failed |= measure_object(argv[i], kernel);
		return failed;
	}
	fprintf(stderr, "bench: script, object, kernel, rss or start\n");
	return 2;
}
