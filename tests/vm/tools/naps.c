/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* naps N: sleeps 10 ms N times; prints how many ms later than asked it woke up, in all. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(int argc, char **argv)
{
	const struct timespec nap = {.tv_nsec = 10000000};
	long long late = 0;

	for (int n = argc > 1 ? atoi(argv[1]) : 0; n > 0; n--) {
		long long begin = now();

		nanosleep(&nap, NULL);
		late += now() - begin - nap.tv_nsec;
	}
	return printf("%lld\n", late / 1000000) < 0;
}
