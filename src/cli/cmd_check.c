/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* skep check and skep build: compile, and keep nothing or the object. */
#include "cli/cli.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void list_stages(void)
{
	const char *name, *what;

	for (unsigned i = 0; (name = skep_stage(i, &what)); i++)
		printf("%-8s %s\n", name, what);
	printf("%-8s %s\n", "all", "every stage");
}

extern char **environ;

/* BPFTRACE_MAX_STRLEN=200 is the setting max_strlen=200, and so is SKEP_MAX_STRLEN. */
static const char *setting_of(const char *variable)
{
	static const char *const prefixes[] = {"BPFTRACE_", "SKEP_"};
	size_t n = 0;
	char *text;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes) && !n; i++) {
		if (!strncmp(variable, prefixes[i], strlen(prefixes[i])))
			n = strlen(prefixes[i]);
	}
	text = n ? strdup(variable + n) : NULL;
	for (char *p = text; p && *p && *p != '='; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

/* All settings of the environment, NULL-terminated; NULL without memory. */
static const char **take_environment(void)
{
	const char **list;
	size_t n = 0;

	while (environ && environ[n])
		n++;
	list = calloc(n + 1, sizeof(*list));
	n = 0;
	for (char **e = environ; list && e && *e; e++) {
		list[n] = setting_of(*e);
		n += list[n] != NULL;
	}
	return list;
}

static void free_environment(const char **list)
{
	for (const char **p = list; list && *p; p++)
		free((void *)(uintptr_t)*p);
	free(list);
}

/* --pcap FILTER HOOK [ACTION [FILE]]; replay needs neither and shows what passes. */
static int compile_filter(struct skep *s, struct settings *o, const struct skep_compile_options *co)
{
	bool replay = o->value[OPT_READ] != NULL;
	const char *hook = o->nargs ? o->args[0] : replay ? "xdp:any" : NULL;
	const char *action = o->nargs > 1 ? o->args[1] : replay ? "only" : "count";
	int err;

	if (!hook || o->nargs > 3) {
		fail("skep --pcap 'tcp dst port 23' xdp:eth0 drop",
			hook ? "too many words after the filter" : "--pcap: at which hook?");
		return SKEP_EUSER;
	}
	err = skep_compile_pcap(s, o->value[OPT_PCAP], hook, action,
		o->nargs > 2 ? o->args[2] : NULL, co);
	fputs(skep_dump(s), stdout);
	return err;
}

int compile_script(struct skep *s, struct settings *o, bool portable)
{
	struct skep_compile_options co = {
		.unsafe = o->value[OPT_UNSAFE] != NULL,
		.check_reads = o->value[OPT_ERRORS] && *o->value[OPT_ERRORS],
		.portable = portable,
		.pid = o->pid,
		.cpid = o->cpid,
		.offline = o->value[OPT_READ] != NULL,
		.live = o->value[OPT_LIVE] != NULL,
		.count_rules = o->value[OPT_READ] || o->value[OPT_COUNTS] || o->value[OPT_LIVE] ||
			o->value[OPT_METRICS] || o->value[OPT_PIN],
		.dump = o->value[OPT_DUMP] ? o->value[OPT_DUMP] : o->value[OPT_AFTER],
	};
	const char **settings;
	struct input in;
	int err;

	if (o->value[OPT_PCAP])
		return compile_filter(s, o, &co);
	if (!input_script(&in, o))
		return SKEP_EUSER;
	settings = take_environment();
	co.settings = settings;
	co.params = o->args;
	co.nparams = o->nargs;
	co.named = o->named;
	co.nnamed = o->nnamed;
	err = skep_compile(s, in.name, in.text, in.len, &co);
	fputs(skep_dump(s), stdout);
	free_environment(settings);
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
	int err;

	if (stages_listed(o))
		return 0;
	s = open_skep(o);
	if (!s)
		return 1;
	err = compile_script(s, o, false);
	return done(s, err ? err : skep_check_lists(s));
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
