/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How many CPUs this kernel keeps values for: those that are possible, switched on or not. */
#include "kern/target.h"
#include <errno.h>
#include <stdio.h>

int possible_cpus(uint32_t *span)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	int n = f ? -EINVAL : -errno;
	char line[512];

	if (!f)
		return n;
	if (fgets(line, sizeof(line), f) && kern_cpu_count(line, span))
		n = (int)kern_cpu_count(line, span);
	fclose(f);
	return n;
}
