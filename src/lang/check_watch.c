/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attach points of signals to skep itself, and of memory that is watched. */
#include "lang/check.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* self:signal:SIGUSR1 */
void check_own_signal(struct check *c, struct attach_point *ap)
{
	if (!strcasecmp(ap->parts.v[0], "signal") && !strcmp(ap->parts.v[1], "SIGUSR1"))
		return;
	c_hint(c,
		c_error(c, ap->part_spans.v[strcasecmp(ap->parts.v[0], "signal") ? 0 : 1],
			DIAG_BAD_PROBE, "skep sees no such event of its own"),
		"self:signal:SIGUSR1 runs at `kill -USR1` of skep");
}

static bool bad(struct check *c, const struct attach_point *ap, uint32_t part, const char *what)
{
	c_hint(c, c_error(c, ap->part_spans.v[part], DIAG_BAD_PROBE, "%s", what), "write %s",
		point_form(c, ap));
	return false;
}

/* Letters r, w, x, each once; x alone. 0: wrong. */
static uint64_t mode_of(const char *s)
{
	uint64_t mode = 0;

	for (; *s; s++) {
		uint64_t bit = *s == 'r' ? 1 : *s == 'w' ? 2 : *s == 'x' ? 4 : 0; /* HW_BREAKPOINT_ */

		if (!bit || mode & bit)
			return 0;
		mode |= bit;
	}
	return mode & 4 && mode != 4 ? 0 : mode;
}

/* watchpoint:ADDRESS:LENGTH:MODE. num[0]: the address; num[1]: length << 8 | mode. */
void check_watchpoint(struct check *c, struct attach_point *ap)
{
	uint64_t len, mode = mode_of(ap->parts.v[2]);
	char *end;

	ap->num[0] = strtoull(ap->parts.v[0], &end, 0);
	if (*end || ap->parts.v[0][0] < '0' || ap->parts.v[0][0] > '9') {
		bad(c, ap, 0, "the address must be a number");
		return;
	}
	len = strtoull(ap->parts.v[1], &end, 0);
	if (*end || (len != 1 && len != 2 && len != 4 && len != 8)) {
		bad(c, ap, 1, "1, 2, 4 or 8 bytes can be watched");
		return;
	}
	if (!mode) {
		bad(c, ap, 2, "the mode is made of r and w, or is x");
		return;
	}
	if (ap->num[0] % len)
		bad(c, ap, 0, "the address must be a multiple of the length");
	else if (ap->num[0] < 1ull << 56 && !c->s->pid && !c->s->cpid)
		c_hint(c,
			c_error(c, ap->part_spans.v[0], DIAG_BAD_PROBE,
				"an address of user space needs a process"),
			"say which: -p PID or -c 'COMMAND'");
	ap->num[1] = len << 8 | mode;
}
