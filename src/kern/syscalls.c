/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names and numbers of this machine's system calls. */
#include "kern/target.h"
#include <string.h>

#if defined(__x86_64__)
#define NUMBER(x86_64, generic) (x86_64)
#define IS_X86_64 true
#else
#define NUMBER(x86_64, generic) (generic)
#define IS_X86_64 false
#endif

/* Names one behind the other, numbers in the same order: half the bytes that pointers take. */
static const char names[] =
#define S(name, x86_64, generic) name "\0"
#include "kern/syscalls.def"
	;
static const int16_t numbers[] = {
#define S(name, x86_64, generic) NUMBER(x86_64, generic),
#include "kern/syscalls.def"
};

const char *kern_syscall_name(uint64_t number)
{
	const char *name = names;

	for (size_t i = 0; *name; i++, name += strlen(name) + 1) {
		if (numbers[i] >= 0 && (uint64_t)numbers[i] == number)
			return name;
	}
	return NULL;
}

bool kern_syscall(enum kern_arch arch, const char *want, int64_t *number)
{
	const char *name = names;

	for (size_t i = 0; *name; i++, name += strlen(name) + 1) {
		if (strcmp(name, want) != 0)
			continue;
		*number = numbers[i];
		return numbers[i] >= 0 && (arch == KERN_X86_64) == IS_X86_64;
	}
	return false;
}
