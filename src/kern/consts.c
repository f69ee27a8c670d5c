/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Constants of kernel headers that BTF does not have: consts.def. There are a thousand, so they are
 * kept small: names one behind the other, values in the same order.
 */
#include "kern/target.h"
#include <string.h>

/* No header that defines these names is included above: they are used as they stand. */
static const char names[] =
#define K(name, value) #name "\0"
#include "kern/consts.def"
	;

#define K(name, value) I_##name,
enum {
#include "kern/consts.def"
	CONSTS
};

/* Those that are wide are in a table of their own. */
static const uint16_t values[] = {
#define K(name, value) value,
#define KW(name, value) 0,
#include "kern/consts.def"
};

struct other {
	uint16_t i;
	int64_t value;
} __attribute__((packed));
static const struct other wide[] = {
#define K(name, value)
#define KW(name, value) {I_##name, value},
#include "kern/consts.def"
};
/* Those that differ there. */
static const struct other arm64[] = {
#define K(name, value)
#define KA(name, value, arm64) {I_##name, arm64},
#define KWA(name, value, arm64) {I_##name, arm64},
#include "kern/consts.def"
};

#define K(name, value) _Static_assert((int64_t)(value) == (uint16_t)(value), #name " is wide: KW");
#define KW(name, value)
#include "kern/consts.def"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void look_up(const struct other *o, size_t n, unsigned i, int64_t *value)
{
	for (; n--; o++) {
		if (o->i == i)
			*value = o->value;
	}
}

bool kern_const(enum kern_arch arch, const char *name, int64_t *value)
{
	const char *p = names;

	for (unsigned i = 0; i < CONSTS; i++, p += strlen(p) + 1) {
		if (strcmp(p, name) != 0)
			continue;
		*value = values[i];
		look_up(wide, COUNT(wide), i, value);
		if (arch == KERN_ARM64)
			look_up(arm64, COUNT(arm64), i, value);
		return true;
	}
	return false;
}

void kern_each_const(void (*fn)(const char *name, void *arg), void *arg)
{
	const char *p = names;

	for (unsigned i = 0; i < CONSTS; i++, p += strlen(p) + 1)
		fn(p, arg);
}
