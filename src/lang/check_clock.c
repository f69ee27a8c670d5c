/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attach points that time and counters drive: interval, profile, software, hardware. */
#include "lang/check.h"
#include "lang/lex.h"
#include <string.h>

static const struct {
	const char *unit;
	uint64_t ns;
} units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}, {"hz", 0}};

static void bad(struct check *c, const struct attach_point *ap, uint32_t i, const char *what)
{
	c_hint(c, c_error(c, ap->part_spans.v[i], DIAG_BAD_PROBE, "%s", what), "write %s",
		point_form(c, ap));
}

/* The number a part begins with, as the language writes numbers; end: what follows it. */
static uint64_t number_part(const char *s, const char **end)
{
	uint64_t v;
	bool over;

	*end = lex_digits(s, s + strlen(s), 10, &v, &over);
	return over ? INT64_MAX : v;
}

/*
 * interval:s:1, and bpftrace's interval:1s and interval:1000000000 (nanoseconds). num[0] becomes
 * the period in ns, num[1] the frequency when that was given (then num[0] is what comes close).
 */
#define TIMER_LEAST_NS 10000

void check_interval(struct check *c, struct attach_point *ap)
{
	const char *num = ap->parts.v[ap->parts.n - 1],
		   *unit = ap->parts.n == 2 ? ap->parts.v[0] : NULL;
	uint32_t ui = 0, ni = ap->parts.n - 1;
	unsigned u = 0;
	const char *end;
	uint64_t n = number_part(num, &end);

	if (!unit)
		unit = *end ? end : "ns";
	else if (*end)
		end = NULL;
	if (!end || end == num) {
		bad(c, ap, ni, "the length of an interval must be a number");
		return;
	}
	while (u < sizeof(units) / sizeof(*units) && strcmp(units[u].unit, unit))
		u++;
	if (u == sizeof(units) / sizeof(*units)) {
		bad(c, ap, ui, "unknown unit of an interval");
		return;
	}
	if (!n || (units[u].ns && n > 86400000000000ull * 365 / units[u].ns)) {
		bad(c, ap, ni, n ? "interval longer than a year" : "interval of length 0");
		return;
	}
	if (!units[u].ns && n > 1000000) {
		bad(c, ap, ni, "more than a million times a second");
		return;
	}
	ap->num[0] = units[u].ns ? n * units[u].ns : 1000000000 / n;
	ap->num[1] = units[u].ns ? 0 : n;
	/* the next one comes that long after it began: the rest of the machine wants to run, too */
	if (ap->kind == PROBE_SCHED_TIMER && ap->num[0] < TIMER_LEAST_NS)
		bad(c, ap, ni, "a timer of a scheduler more often than every 10 microseconds");
}

static void no_event(struct check *c, const struct attach_point *ap)
{
	const struct kern_perf_event *ev;
	struct suggest s;
	struct diag *e = c_error(c, ap->part_spans.v[0], DIAG_NO_SUCH_TARGET, "no %s event '%.60s'",
		kern_probe(ap->kind)->name, ap->parts.v[0]);

	suggest_init(&s, ap->parts.v[0]);
	for (unsigned i = 0; (ev = kern_perf_event_at(i)); i++) {
		if (ev->kind == ap->kind) {
			suggest_try(&s, ev->name);
			suggest_try(&s, ev->alias);
		}
	}
	if (suggest_best(&s))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, e, "`skep -l '%s:*'` lists them", kern_probe(ap->kind)->name);
}

/* software:page-faults:100. num[0]: perf type << 32 | config; num[1]: the count. */
void check_event(struct check *c, struct attach_point *ap)
{
	const struct kern_perf_event *ev = kern_perf_event(ap->kind, ap->parts.v[0]);
	const char *count = ap->parts.n > 1 ? ap->parts.v[1] : NULL;
	const char *end;

	if (!ev) {
		no_event(c, ap);
		return;
	}
	ap->num[0] = (uint64_t)ev->type << 32 | ev->config;
	ap->num[1] = ev->count;
	if (!count)
		return;
	ap->num[1] = number_part(count, &end);
	if (end == count || *end || !ap->num[1] || ap->num[1] >= INT64_MAX)
		bad(c, ap, 1, "the probe fires each so many events: a number from 1 on");
}
