/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sets of rules in the BPF file system: the library's face of load/pin.h. */
#include "load/pin.h"
#include "driver/driver.h"
#include "run/run.h"
#include "skep/pin.h"

struct listing {
	struct skep *s;
	void (*line)(const char *text, void *arg);
	void *arg;
};

static void one_set(const char *name, void *arg)
{
	struct listing *l = arg;
	struct loaded set;
	struct skep_diags nowhere;
	struct buf b;

	diags_init(&nowhere, &l->s->a);
	buf_init(&b, &l->s->a);
	buf_printf(&b, "%-16s", name);
	if (load_open_pinned(&set, &l->s->a, &l->s->target, &nowhere, name)) {
		buf_puts(&b, " (cannot be read; another version of skep pinned it)");
	} else {
		for (uint32_t i = 0; i < set.meta.probes.n; i++) {
			buf_printf(&b, " %s", set.meta.probes.v[i].name);
			for (uint32_t k = 0; k < set.links.n; k++)
				buf_puts(&b, set.links.v[k].probe == i ? load_moved(&set, k) : "");
		}
		load_close(&set);
	}
	l->line(b.p, l->arg);
}

static int do_list(struct skep *s, void *arg)
{
	return load_each_pinned(&s->diags, one_set, arg);
}

int skep_pinned(struct skep *s, void (*line)(const char *text, void *arg), void *arg)
{
	struct listing l = {s, line, arg};

	return guarded(s, do_list, &l);
}

struct stats_call {
	const char *name;
	struct run_options o;
};

static int do_stats(struct skep *s, void *arg)
{
	struct stats_call *c = arg;
	int err = load_open_pinned(&s->loaded, &s->a, &s->target, &s->diags, c->name);

	if (err)
		return err;
	s->opened = true;
	return run_stats(&s->loaded, &c->o);
}

int skep_pinned_stats(struct skep *s, const char *name, bool json, const char *metrics, FILE *out,
	FILE *err)
{
	struct stats_call c = {name, {.format = json ? RUN_JSON : RUN_TEXT, .out = out,
					     .err = err, .metrics = metrics}};

	return guarded(s, do_stats, &c);
}

static int do_unpin(struct skep *s, void *name)
{
	return load_unpin(&s->a, &s->diags, name);
}

int skep_unpin(struct skep *s, const char *name)
{
	return guarded(s, do_unpin, (void *)(uintptr_t)name);
}

static int do_confirm(struct skep *s, void *name)
{
	return load_trial_confirm(&s->a, &s->diags, name);
}

int skep_confirm(struct skep *s, const char *name)
{
	return guarded(s, do_confirm, (void *)(uintptr_t)name);
}
