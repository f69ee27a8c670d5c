/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages of the program itself, in the form of all others. */
#include "cli/cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fail(const char *hint, const char *fmt, ...)
{
	va_list ap;

	fputs("skep: error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (hint)
		fprintf(stderr, "hint: %s\n", hint);
	return 1;
}

bool use_color(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *when = getenv("BPFTRACE_COLOR");

	if (when && !strcmp(when, "always"))
		return true;
	if ((when && !strcmp(when, "never")) || (no && *no))
		return false;
	return isatty(fileno(out));
}

int finish(struct skep *s, int status)
{
	fputs(skep_messages(s, use_color(stderr)), stderr);
	skep_free(s);
	return status;
}

int done(struct skep *s, int result)
{
	return finish(s, result == SKEP_OK ? 0 : 1);
}

struct skep_options target_options(const struct settings *o)
{
	return (struct skep_options){
		.target = o->value[OPT_TARGET],
		.btf = o->value[OPT_BTF] ? o->value[OPT_BTF] : getenv("BPFTRACE_BTF"),
		.kernel = o->value[OPT_KERNEL],
		.no_features = o->value[OPT_NO_FEATURE],
	};
}

struct skep *open_skep(const struct settings *o)
{
	struct skep_options t = target_options(o);
	struct skep *s;
	int err = skep_new(&s, &t);

	if (!s) {
		fail(NULL, "out of memory");
		return NULL;
	}
	if (err) {
		finish(s, 1);
		return NULL;
	}
	return s;
}
