/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep list, stats, detach, confirm: sets of rules that --pin left in force. */
#include "cli/cli.h"
#include "skep/pin.h"
#include <string.h>

static const char *name_of(const struct settings *o, const char *example)
{
	if (o->nargs == 1)
		return o->args[0];
	fail(example, o->nargs ? "one name at a time" : "which rules? There is no name");
	return NULL;
}

struct lines {
	unsigned n;
};

static void print_line(const char *text, void *arg)
{
	struct lines *l = arg;

	l->n++;
	puts(text);
}

int cmd_list(struct settings *o)
{
	struct skep *s = open_skep(o);
	struct lines l = {0};
	int err;

	if (!s)
		return 1;
	if (o->nargs)
		fail("`skep stats NAME` shows what one has counted, `skep -l PATTERN` lists probes",
			"list takes no name");
	err = o->nargs ? SKEP_EUSER : skep_pinned(s, print_line, &l);
	if (!err && !l.n && !o->value[OPT_QUIET])
		fputs("no rules are pinned (`skep -l` lists probes)\n", stderr);
	return done(s, err);
}

int cmd_stats(struct settings *o)
{
	const char *name = name_of(o, "skep stats firewall");
	struct skep *s;
	bool json;

	if (!name || !output_format(o, &json))
		return 1;
	s = open_skep(o);
	return s ? done(s, skep_pinned_stats(s, name, json, o->value[OPT_METRICS], stdout, stderr)) : 1;
}

int cmd_detach(struct settings *o)
{
	const char *name = name_of(o, "skep detach firewall");
	struct skep *s = name ? open_skep(o) : NULL;

	return s ? done(s, skep_unpin(s, name)) : 1;
}

int cmd_confirm(struct settings *o)
{
	const char *name = name_of(o, "skep confirm firewall");
	struct skep *s = name ? open_skep(o) : NULL;

	return s ? done(s, skep_confirm(s, name)) : 1;
}
