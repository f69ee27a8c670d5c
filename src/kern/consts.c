/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Constants of kernel headers that BTF does not have: consts.def. */
#include "kern/target.h"
#include <string.h>

/* No header that defines these names is included above: they are used as they stand. */
static const struct {
	const char *name;
	int64_t value, arm64;
} consts[] = {
#define K(name, value) {#name, value, value},
#define KA(name, value, arm64) {#name, value, arm64},
#include "kern/consts.def"
};

bool kern_const(enum kern_arch arch, const char *name, int64_t *value)
{
	for (size_t i = 0; i < sizeof(consts) / sizeof(*consts); i++) {
		if (strcmp(consts[i].name, name) != 0)
			continue;
		*value = arch == KERN_ARM64 ? consts[i].arm64 : consts[i].value;
		return true;
	}
	return false;
}

void kern_each_const(void (*fn)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i < sizeof(consts) / sizeof(*consts); i++)
		fn(consts[i].name, arg);
}
