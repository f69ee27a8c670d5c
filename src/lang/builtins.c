/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Look-ups in builtins.def, aggs.def and unsupported.def. */
#include "lang/front.h"
#include <string.h>
#include <strings.h>

static const struct builtin builtins[] = {
#define B(id, name, args, ret, probes, what) {name, args, ret, probes},
#include "lang/builtins.def"
};

static const struct agg aggs[] = {
#define A(id, name, min_args, max_args, args, what) {MA_##id, name, args, min_args, max_args},
#include "lang/aggs.def"
};

static const struct unsupported unsupporteds[] = {
#define U(kind, name, hint) {UNSUP_##kind, name, hint},
#include "lang/unsupported.def"
};

const struct builtin *builtin_row(enum builtin_id id)
{
	return &builtins[id];
}

static int find(const char *name, bool function)
{
	for (int i = 0; i < BI_COUNT; i++) {
		if (!strcmp(builtins[i].name, name) && !!builtins[i].args == function)
			return i;
	}
	return -1;
}

int builtin_value(const char *name)
{
	return find(name, false);
}

int builtin_function(const char *name)
{
	return find(name, true);
}

bool builtin_in_probe(const struct builtin *b, const char *kind)
{
	const char *s = b->probes;
	bool except = *s == '!', found = false;
	size_t n = strlen(kind);

	if (!*s)
		return true;
	for (s += except; *s;) {
		size_t len = strcspn(s, " ");

		if (len == n && !strncmp(s, kind, n))
			found = true;
		s += len + (s[len] == ' ');
	}
	return found != except;
}

const struct agg *agg_by_name(const char *name)
{
	for (unsigned i = 0; i < sizeof(aggs) / sizeof(*aggs); i++) {
		if (!strcmp(aggs[i].name, name))
			return &aggs[i];
	}
	return NULL;
}

const struct agg *agg_at(unsigned i)
{
	return i < sizeof(aggs) / sizeof(*aggs) ? &aggs[i] : NULL;
}

const struct unsupported *unsupported_find(enum unsupported_kind kind, const char *name)
{
	for (unsigned i = 0; i < sizeof(unsupporteds) / sizeof(*unsupporteds); i++) {
		const struct unsupported *u = &unsupporteds[i];

		/* Probe kinds are matched without regard to case, as the supported ones are. */
		if (u->kind == kind && !(kind == UNSUP_PROBE ? strcasecmp : strcmp)(u->name, name))
			return u;
	}
	return NULL;
}

const char *elsewhere_find(const char *name)
{
	static const char words[][2][16] = {
#define W(theirs, ours) {theirs, ours},
#include "lang/elsewhere.def"
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(words[i][0], name))
			return words[i][1];
	}
	return NULL;
}

const struct unsupported *unsupported_at(unsigned i)
{
	return i < sizeof(unsupporteds) / sizeof(*unsupporteds) ? &unsupporteds[i] : NULL;
}
