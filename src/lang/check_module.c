/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Types of modules: /sys/kernel/btf/MODULE holds them (Linux 5.11), numbered behind the kernel's own.
 * Those of two modules have the same numbers, so a script has one module's.
 */
#include "lang/check.h"
#include <string.h>

static bool names_module(const struct attach_point *ap)
{
	return ap->kind != PROBE_COUNT && ap->parts.n > 1 && strcmp(ap->parts.v[0], "vmlinux") != 0;
}

/* The module that a point's functions and types are in; NULL: none, or it is not said. */
static const char *module_of(const struct attach_point *ap)
{
	if (!names_module(ap) || is_pattern(ap->parts.v[0]))
		return NULL;
	switch (kern_probe(ap->kind)->parts) {
	case PP_FUNC:
	case PP_FENTRY:
	case PP_RAWTP:
	case PP_TRACEPOINT: /* many modules name their category after themselves */
		return ap->parts.v[0];
	default:
		return NULL;
	}
}

void check_module(struct check *c)
{
	if (!c->btf || !c->t->host || c->s->portable || kbtf_module_name(c->btf) || kbtf_own(c->btf))
		return;
	for (uint32_t i = 0; i < c->s->probes.n; i++) {
		const struct probe *p = &c->s->probes.v[i];

		for (uint32_t k = 0; k < p->points.n; k++) {
			const char *name = module_of(&p->points.v[k]);
			struct kbtf *b = name ? kbtf_module(c->t->a, c->btf, name) : NULL;

			if (!b)
				continue;
			c->btf = c->t->btf = b;
			return;
		}
	}
}

bool module_types(struct check *c, struct attach_point *ap)
{
	const char *have = c->btf ? kbtf_module_name(c->btf) : NULL, *what;
	struct diag *e;

	if (!names_module(ap) || (have && !strcmp(have, ap->parts.v[0])))
		return true;
	if (ap->from_pattern) {
		ap->missing = true;
		return false;
	}
	if (!strcmp(ap->parts.v[0], "bpf")) {
		c_unsupported(c, ap->part_spans.v[0], "probing other BPF programs is",
			"kernel functions are named fentry:FUNCTION");
		return false;
	}
	if (have || !c->t->host || c->s->portable) {
		what = have ? "types of a second module in one script are"
			    : "types of modules of another kernel are";
		c_unsupported(c, ap->part_spans.v[0], what,
			"kprobe:MODULE:FUNCTION and kretprobe:MODULE:FUNCTION need none");
		return false;
	}
	e = missing_probe(c, ap, ap->part_spans.v[0],
		arena_printf(c->a, "the kernel has no types of a module '%.60s'", ap->parts.v[0]));
	if (e)
		c_hint(c, e, "/sys/kernel/btf lists the modules that are loaded and have types");
	return false;
}
