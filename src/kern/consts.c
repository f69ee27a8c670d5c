/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Constants of kernel headers that BTF does not have: consts.def. There are a thousand, so they are
 * kept small: names one behind the other, and where each begins.
 */
#include "kern/target.h"
#include <stddef.h>
#include <string.h>

/* No header that defines these names is included above: they are used as they stand. */
static const struct names {
#define K(name, value) char n_##name[sizeof(#name)];
#include "kern/consts.def"
} names = {
#define K(name, value) #name,
#include "kern/consts.def"
};

static const struct {
	uint16_t name;
	int64_t value;
} __attribute__((packed)) consts[] = {
#define K(name, value) {offsetof(struct names, n_##name), value},
#include "kern/consts.def"
};

/* Those that differ there. */
static const struct {
	uint16_t name;
	int64_t value;
} arm64[] = {
#define K(name, value)
#define KA(name, value, arm64) {offsetof(struct names, n_##name), arm64},
#include "kern/consts.def"
};

_Static_assert(sizeof(struct names) <= UINT16_MAX, "names begin at 16-bit offsets");
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *name_of(uint16_t at)
{
	return (const char *)&names + at;
}

bool kern_const(enum kern_arch arch, const char *name, int64_t *value)
{
	for (size_t i = 0; i < COUNT(consts); i++) {
		if (strcmp(name_of(consts[i].name), name) != 0)
			continue;
		*value = consts[i].value;
		for (size_t k = 0; arch == KERN_ARM64 && k < COUNT(arm64); k++) {
			if (arm64[k].name == consts[i].name)
				*value = arm64[k].value;
		}
		return true;
	}
	return false;
}

void kern_each_const(void (*fn)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i < COUNT(consts); i++)
		fn(name_of(consts[i].name), arg);
}
