/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/trap.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void trap_raise(struct trap *t, int code, const char *fmt, ...)
{
	va_list ap;

	if (!t)
		abort();
	va_start(ap, fmt);
	vsnprintf(t->message, sizeof(t->message), fmt, ap);
	va_end(ap);
	t->code = code;
	longjmp(t->env, 1);
}
