/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the command line by the table. Options may stand anywhere before "--"; letters without an
 * argument may be joined ("-lv"), an argument may follow its letter at once ("-fjson") or, after a
 * long name, an equals sign.
 */
#include "cli/cli.h"
#include "base/diag.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { R = CMD_R, B = CMD_B, L = CMD_L, C = CMD_C, D = CMD_D, N = CMD_N, P = CMD_P, S = CMD_S };
static const struct option {
	const char *name, *arg, *help;
	uint16_t commands;
	char letter;
} options[] = {
#define O(id, letter, name, arg, commands, help) {name, arg, help, commands, letter},
#include "cli/options.def"
#undef O
};

/* Known by name only, to be refused with a hint. */
static bool refused(const struct option *p)
{
	return p->help && *p->help == '!';
}

static bool unknown(const struct command *c, const char *text)
{
	struct suggest near;
	char hint[128];

	suggest_init(&near, text + strspn(text, "-"));
	for (int i = 0; i < OPT_COUNT; i++) {
		if (options[i].name && (options[i].commands & c->mask) && options[i].help &&
			!refused(&options[i]))
			suggest_try(&near, options[i].name);
	}
	snprintf(hint, sizeof(hint), "`skep %s%s--help` lists the options", c->name,
		*c->name ? " " : "");
	if (suggest_best(&near))
		snprintf(hint, sizeof(hint), "did you mean '--%s'?", suggest_best(&near));
#ifdef SKEP_LOADER
	else if (!strcmp(text, "-e"))
		snprintf(hint, sizeof(hint),
			"this skep has no compiler: it runs objects that `skep build` made elsewhere");
#endif
	fail(hint, "unknown option '%s'%s%s", text, *c->name ? " for skep " : "", c->name);
	return false;
}

static int by_letter(const struct command *c, char letter)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		if (options[i].letter == letter && (options[i].commands & c->mask))
			return i;
	}
	return -1;
}

static int by_name(const struct command *c, const char *name, size_t len)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		if (options[i].name && (options[i].commands & c->mask) &&
			strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
			return i;
	}
	return -1;
}

static bool missing(int id, const char *text)
{
	fail(NULL, "option '%s' needs an argument: %s", text, options[id].arg);
	return false;
}

/* -e is no argument of another option: it was forgotten. */
static bool usable(const char *next)
{
	return next && strcmp(next, "-e");
}

/* One "--name" or "--name=value"; *next is the following word, set to NULL when used. */
static bool take_long(struct settings *o, const struct command *c, const char *word,
	const char **next)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	int id = by_name(c, name, len);

	if (id < 0) {
		char text[64];

		snprintf(text, sizeof(text), "%.*s", (int)(len < 60 ? len + 2 : 62), word);
		return unknown(c, text);
	}
	if (refused(&options[id]))
		return fail(options[id].help + 1, "option '--%s' is not supported in this version of skep",
			       options[id].name),
		       false;
	/* bpftrace's --btf has no argument: it reads the kernel's types anyhow */
	if (id == OPT_BTF && !equals && !strcmp(o->program, "bpftrace"))
		return true;
	if (!options[id].arg && equals) {
		fail(NULL, "option '--%s' takes no argument", options[id].name);
		return false;
	}
	o->value[id] = equals ? equals + 1 : "";
	if (!options[id].arg || equals)
		return true;
	if (!usable(*next))
		return missing(id, word);
	o->value[id] = *next;
	*next = NULL;
	return true;
}

static bool take_letters(struct settings *o, const struct command *c, const char *word,
	const char **next)
{
	for (const char *p = word + 1; *p; p++) {
		char text[3] = {'-', *p, 0};
		int id = by_letter(c, *p);

		if (id < 0)
			return unknown(c, p == word + 1 ? word : text);
		/* a letter given twice asks for more: -kk */
		o->value[id] = o->value[id] && !options[id].arg ? "2" : "";
		if (!options[id].arg)
			continue;
		if (p[1]) {
			o->value[id] = p + 1;
			return true;
		}
		if (!usable(*next))
			return missing(id, text);
		o->value[id] = *next;
		*next = NULL;
		return true;
	}
	return true;
}

bool options_parse(struct settings *o, const struct command *c, int argc, char **argv)
{
	bool only_args = false;

	o->args = calloc((size_t)argc + 1, sizeof(*o->args));
	o->named = calloc((size_t)argc + 1, sizeof(*o->named));
	if (!o->args || !o->named)
		return fail(NULL, "out of memory"), false;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		const char *before = next;
		/* "-" is standard input, "-5" a parameter of the script. */
		bool option = word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]);

		if (only_args && !strncmp(word, "--", 2) && word[2]) {
			o->named[o->nnamed++] = word;
			continue;
		}
		if (only_args || !option) {
			o->args[o->nargs++] = word;
			continue;
		}
		if (!strcmp(word, "--")) {
			only_args = true;
			continue;
		}
		if (word[1] == '-' ? !take_long(o, c, word, &next)
				   : !take_letters(o, c, word, &next))
			return false;
		if (before && !next)
			i++;
	}
	return true;
}

bool output_format(const struct settings *o, bool *json)
{
	const char *format = o->value[OPT_FORMAT];

	*json = format && !strcmp(format, "json");
	if (!format || *json || !strcmp(format, "text"))
		return true;
	fail("-f text or -f json", "Invalid output format \"%s\"", format);
	return false;
}

void options_help(FILE *out, const struct command *c)
{
	fprintf(out, "usage: %s\n%s\n\n", c->usage, c->what);
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct option *p = &options[i];
		char left[64];
		int n = 0;

		if (!p->help || refused(p) || !(p->commands & c->mask))
			continue;
		n = p->letter ? snprintf(left, sizeof(left), "-%c", p->letter)
			      : snprintf(left, sizeof(left), "  ");
		if (p->name)
			n += snprintf(left + n, sizeof(left) - (size_t)n, "%s --%s",
				p->letter ? "," : " ", p->name);
		if (p->arg)
			snprintf(left + n, sizeof(left) - (size_t)n, " %s", p->arg);
		fprintf(out, "  %-24s %s\n", left, p->help);
	}
}
