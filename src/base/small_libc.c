/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The static programs take these functions from here instead of the C library, where they are made for
 * haystacks of megabytes and for name services: four kilobytes.
 */
#ifdef SKEP_SMALL_LIBC
#include "base/glob.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *strstr(const char *in, const char *what)
{
	return *what ? (char *)glob_find(in, strlen(in), what, strlen(what)) : (char *)in;
}

/* Name and number only, and of /etc/passwd only: a static program has no plugins to ask. */
int getpwuid_r(uid_t uid, struct passwd *pw, char *room, size_t size, struct passwd **found)
{
	FILE *f = fopen("/etc/passwd", "re");

	*found = NULL;
	if (!f)
		return errno;
	while (!*found && fgets(room, (int)size, f)) {
		char *end = strchr(room, ':'), *number = end ? strchr(end + 1, ':') : NULL;

		/* name:password:number:… */
		if (!number || number[1] < '0' || number[1] > '9' || strtoul(number + 1, NULL, 10) != uid)
			continue;
		*end = 0;
		pw->pw_name = room;
		pw->pw_uid = uid;
		*found = pw;
	}
	fclose(f);
	return 0;
}
#else
typedef int small_libc_is_not_wanted; /* a file of C is not empty */
#endif
