/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Scripts of BEGIN and END run in this machine's kernel: tests/exec/scripts/NAME.case.
 *
 *     -- script          run through the public library
 *     -- expect          what it prints, to the byte
 *     -- status N        what the program would return; 0 when there is no such section
 *     -- newer           it needs more than 5.10 has
 *     -- told            what it says beside its output; nothing when there is no such section
 *
 * Each runs three times: compiled for this kernel, for 5.10, whose instructions are fewer, and
 * without ring buffers.
 * What is expected was worked out from the language's definition and C's arithmetic, never copied
 * from what came out. Where the kernel lets nobody load programs, or has no types for a case that
 * wants them, the case counts as skipped.
 */
#include "skep/compile.h"
#include "skep/load.h"
#include "skep/run.h"
#include "tests/golden/cases.h"
#include <stdlib.h>
#include <string.h>

static int status_of(const struct golden *g)
{
	const struct golden_section *s = golden_find(g, "status", 0);

	return s ? atoi(s->rest) : 0;
}

struct result {
	char *out, *told;
	size_t nout, ntold;
	int status;
};

/* Loads and runs; false when the machine does not allow it. */
static bool run_loaded(struct skep *s, struct result *r)
{
	struct skep_run_options o = {.quiet = true};
	int err = skep_load(s, NULL);

	if (err && strstr(skep_messages(s, false), "[permission]"))
		return false;
	if (err)
		fail_msg("%s", skep_messages(s, false));
	o.out = open_memstream(&r->out, &r->nout);
	o.err = open_memstream(&r->told, &r->ntold);
	err = skep_run(s, &o, &r->status);
	fputs(skep_messages(s, false), o.err);
	fclose(o.out);
	fclose(o.err);
	if (err)
		fail_msg("%s", skep_messages(s, false));
	return true;
}

static void compare(struct golden *g, struct result *r)
{
	golden_expect(g, "expect", r->out);
	if (golden_find(g, "told", 0))
		golden_expect(g, "told", r->told);
	else
		assert_string_equal(r->told, "");
	assert_int_equal(r->status, status_of(g));
	free(r->out);
	free(r->told);
}

/* As code for this kernel, or for the oldest one: an object, opened by another. */
static bool try_case(struct golden *g, const char *kernel, const char *without)
{
	struct skep_options o = {.kernel = kernel, .no_features = without};
	const char *text = golden_need(g, "script")->text;
	struct skep *s, *loader;
	struct result r = {0};
	const void *object;
	size_t size;
	bool ran;

	assert_int_equal(skep_new(&s, &o), SKEP_OK);
	assert_int_equal(skep_new(&loader, NULL), SKEP_OK);
	if (skep_compile(s, "case", text, strlen(text), NULL)) {
		if (!strstr(skep_messages(s, false), "[needs-btf]"))
			fail_msg("%s", skep_messages(s, false));
		skep_free(loader);
		skep_free(s);
		return false;
	}
	object = skep_object(s, &size);
	if (kernel)
		assert_int_equal(skep_open(loader, object, size), SKEP_OK);
	ran = run_loaded(kernel ? loader : s, &r);
	if (ran)
		compare(g, &r);
	skep_free(loader);
	skep_free(s);
	return ran;
}

static void run_case(void **state)
{
	struct golden g;
	bool ran;

	golden_read(&g, *state);
	ran = try_case(&g, NULL, NULL) && (golden_find(&g, "newer", 0) || try_case(&g, "5.10", NULL)) &&
	      try_case(&g, NULL, "ringbuf");
	golden_free(&g);
	if (!ran)
		skip();
}

int main(void)
{
	static const char *const dirs[] = {"../exec/scripts"};

	setenv("TZ", "UTC", 1);

	return golden_run("driver/scripts", dirs, 1, run_case);
}
