/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep replay: packet rules on a capture, without a kernel. */
#include "cli/cli.h"
#include "skep/replay.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int replay(struct skep *s, const struct settings *o, const struct input *capture, bool json)
{
	const char *path = o->value[OPT_WRITE];
	struct skep_replay_options ro = {
		.capture = capture->text, .size = capture->len, .name = capture->name,
		.hook = o->value[OPT_HOOK], .out = stdout, .err = stderr,
		.json = json,
		.quiet = o->value[OPT_QUIET] != NULL,
		.verbose = o->value[OPT_VERBOSE] != NULL,
	};
	int err;

	if (path) {
		ro.passed = fopen(path, "we");
		if (!ro.passed) {
			fail(NULL, "cannot write '%s': %s", path, strerror(errno));
			return finish(s, 1);
		}
	}
	err = skep_replay(s, &ro);
	if (ro.passed) {
		bool bad = ferror(ro.passed);

		errno = 0;
		if (fclose(ro.passed) || bad)
			err = fail(NULL, "cannot write '%s': %s", path, strerror(errno ? errno : EIO));
	}
	return done(s, err);
}

int cmd_replay(struct settings *o)
{
	struct input capture;
	struct skep *s;
	bool json;
	int err;

	if (!o->value[OPT_READ])
		return fail("skep replay -r capture.pcap rules.skep", "replay needs -r FILE");
	if (!output_format(o, &json))
		return 1;
	if (strcmp(o->value[OPT_READ], "-") && access(o->value[OPT_READ], R_OK))
		return fail("skep replay -r capture.pcap rules.skep", "cannot read '%s': %s",
			o->value[OPT_READ], strerror(errno));
	if (!input_read(&capture, o->value[OPT_READ]))
		return 1;
	s = open_skep(o);
	if (!s) {
		input_free(&capture);
		return 1;
	}
	err = compile_script(s, o, false);
	err = err ? done(s, err) : replay(s, o, &capture, json);
	input_free(&capture);
	return err;
}
