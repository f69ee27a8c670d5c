/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep dump: passes on the text form of the IR, or a script after a stage. */
#include "cli/cli.h"
#include <string.h>

static int run_passes(struct settings *o)
{
	struct input in;
	struct skep *s;
	int err;

	if (!o->nargs)
		return fail("skep dump --from=ir --run=fold,dce FILE", "there is no input");
	s = open_skep(o);
	if (!s)
		return 1;
	if (!input_read(&in, o->args[0]))
		return finish(s, 1);
	err = skep_run_passes(s, in.name, in.text, in.len, o->value[OPT_RUN]);
	fputs(skep_dump(s), stdout);
	input_free(&in);
	return done(s, err);
}

int cmd_dump(struct settings *o)
{
	struct skep *s;

	if (o->value[OPT_FROM] && strcmp(o->value[OPT_FROM], "ir") != 0)
		return fail(NULL, "cannot read '%s': --from takes 'ir'", o->value[OPT_FROM]);
	if (o->value[OPT_FROM])
		return run_passes(o);
	if (!o->value[OPT_AFTER])
		return fail("--after=STAGE shows a script, --from=ir --run=PASS runs passes",
			"dump what?");
	s = open_skep(o);
	return s ? done(s, compile_script(s, o, false)) : 1;
}
