/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep check and skep build: compile, and keep nothing or the object. */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

static void list_stages(void)
{
	const char *name, *what;

	for (unsigned i = 0; (name = skep_stage(i, &what)); i++)
		printf("%-8s %s\n", name, what);
	printf("%-8s %s\n", "all", "every stage");
}

/* bpftrace's environment variables that skep heeds; each wins over the script's config block. */
static const struct {
	const char *name;
	size_t at;
	unsigned long least, most;
} environment[] = {
	{"BPFTRACE_MAX_STRLEN", offsetof(struct skep_compile_options, max_strlen), 2, 4096},
	{"BPFTRACE_MAX_MAP_KEYS", offsetof(struct skep_compile_options, max_map_keys), 1, 1ul << 26},
};

static bool take_environment(struct skep_compile_options *co)
{
	for (size_t i = 0; i < sizeof(environment) / sizeof(*environment); i++) {
		const char *text = getenv(environment[i].name);
		unsigned long n;
		char hint[96], *end;

		if (!text || !*text)
			continue;
		n = strtoul(text, &end, 10);
		if (*end || n < environment[i].least || n > environment[i].most) {
			snprintf(hint, sizeof(hint), "%s takes a number from %lu to %lu",
				environment[i].name, environment[i].least, environment[i].most);
			fail(hint, "%s='%s' is out of range", environment[i].name, text);
			return false;
		}
		*(uint32_t *)((char *)co + environment[i].at) = (uint32_t)n;
	}
	return true;
}

int compile_script(struct skep *s, struct settings *o, bool portable)
{
	struct skep_compile_options co = {
		.unsafe = o->value[OPT_UNSAFE] != NULL,
		.portable = portable,
		.dump = o->value[OPT_DUMP] ? o->value[OPT_DUMP] : o->value[OPT_AFTER],
	};
	struct input in;
	int err;

	if (!take_environment(&co) || !input_script(&in, o))
		return SKEP_EUSER;
	co.params = o->args;
	co.nparams = o->nargs;
	err = skep_compile(s, in.name, in.text, in.len, &co);
	fputs(skep_dump(s), stdout);
	input_free(&in);
	return err;
}

bool stages_listed(const struct settings *o)
{
	if (!o->value[OPT_DUMP] || strcmp(o->value[OPT_DUMP], "list") != 0)
		return false;
	list_stages();
	return true;
}

int cmd_check(struct settings *o)
{
	struct skep *s;

	if (stages_listed(o))
		return 0;
	s = open_skep(o);
	return s ? done(s, compile_script(s, o, false)) : 1;
}

int cmd_build(struct settings *o)
{
	const void *object;
	struct skep *s;
	size_t size;
	int err;

	if (stages_listed(o))
		return 0;
	if (!o->value[OPT_OUTPUT] && !o->value[OPT_DUMP])
		return fail("skep build -o probe.bpf.o …", "build needs -o FILE");
	s = open_skep(o);
	if (!s)
		return 1;
	err = compile_script(s, o, true);
	object = skep_object(s, &size);
	if (err || o->value[OPT_DUMP])
		return done(s, err);
	if (!object || !output_write(o->value[OPT_OUTPUT], object, size))
		return finish(s, 1);
	if (o->value[OPT_VERBOSE])
		fprintf(stderr, "%s: %zu bytes\n", o->value[OPT_OUTPUT], size);
	return finish(s, 0);
}
