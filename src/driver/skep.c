/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The library's entry: one struct skep from creation to the end, and the way out of broken invariants. */
#include "driver/driver.h"
#include "driver/target.h"
#include "load/pin.h"
#include "run/run.h"
#include "skep/load.h"
#include "skep/run.h"
#include <stdlib.h>
#include <string.h>

const char *skep_version(void)
{
	return SKEP_VERSION;
}

int guarded(struct skep *s, int (*fn)(struct skep *s, void *arg), void *arg)
{
	if (s->dead)
		return s->trap.code;
	if (setjmp(s->trap.env) == 0)
		return fn(s, arg);
	s->dead = true;
	if (s->trap.code == SKEP_EBUG)
		s->bug = bug_report(s);
	return s->trap.code;
}

static int set_target(struct skep *s, void *options)
{
	return choose_target(s, options);
}

int skep_new(struct skep **out, const struct skep_options *o)
{
	static const struct skep_options none;
	struct skep *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return SKEP_ENOMEM;
	arena_init(&s->a, &s->trap);
	diags_init(&s->diags, &s->a);
	meta_init(&s->meta, &s->a);
	buf_init(&s->object, &s->a);
	buf_init(&s->dump, &s->a);
	return guarded(s, set_target, (void *)(uintptr_t)(o ? o : &none));
}

void skep_free(struct skep *s)
{
	if (!s)
		return;
	if (s->opened)
		load_close(&s->loaded);
	target_close(&s->target);
	arena_free(&s->a);
	free(s->bug);
	free(s->rendered);
	free(s);
}

struct render {
	bool color;
	struct buf text;
};

static int render(struct skep *s, void *arg)
{
	struct render *r = arg;

	buf_init(&r->text, &s->a);
	buf_puts(&r->text, "");
	diags_render_buf(&s->diags, &r->text, r->color);
	return 0;
}

const char *skep_messages(struct skep *s, bool color)
{
	static const char no_memory[] = "skep: error: out of memory\n";
	struct render r = {.color = color};

	if (s->trap.code == SKEP_EBUG && s->bug)
		return s->bug;
	if (s->dead || guarded(s, render, &r) != 0)
		return no_memory;
	free(s->rendered);
	s->rendered = strdup(r.text.p);
	return s->rendered ? s->rendered : no_memory;
}

static int do_open(struct skep *s, void *unused)
{
	int err;

	(void)unused;
	s->opened = true; /* also a half-opened object must be closed */
	err = load_open(&s->loaded, &s->a, &s->target, &s->diags, s->image, s->image_size);
	return err;
}

int skep_open(struct skep *s, const void *object, size_t size)
{
	s->image = object;
	s->image_size = size;
	return guarded(s, do_open, NULL);
}

static int do_load(struct skep *s, void *arg)
{
	const struct skep_load_options *o = arg;
	struct load_options lo = {.stats = o && o->stats, .offload = o && o->offload};
	int err = SKEP_OK;

	if (!permitted(s))
		return SKEP_ESYS;
	if (!s->opened)
		err = do_open(s, NULL);
	return err ? err : load_programs(&s->loaded, &lo);
}

int skep_load(struct skep *s, const struct skep_load_options *o)
{
	return guarded(s, do_load, (void *)(uintptr_t)o);
}

bool skep_has_lists(const struct skep *s)
{
	return s->opened && load_has_lists(&s->loaded.meta);
}

struct run_call {
	const struct skep_run_options *o;
	int *status;
};

static enum run_buffer buffering(const char *mode)
{
	if (!mode)
		return RUN_BY_EVENT;
	return !strcmp(mode, "none") ? RUN_BY_BYTE : !strcmp(mode, "line") ? RUN_BY_LINE : RUN_FULL;
}

static int do_run(struct skep *s, void *arg)
{
	const struct run_call *c = arg;
	struct run_options ro = {
		.format = c->o->json ? RUN_JSON : RUN_TEXT,
		.out = c->o->out,
		.err = c->o->err,
		.quiet = c->o->quiet,
		.verbose = c->o->verbose,
		.dry = c->o->dry,
		.stop = c->o->stop,
		.for_ms = c->o->for_ms,
		.pid = c->o->cpid ? c->o->cpid : c->o->pid,
		.signals = c->o->signals,
		.attached = c->o->attached,
		.attached_arg = c->o->attached_arg,
		.live = c->o->live,
		.flame = c->o->flame,
		.buffer = buffering(c->o->buffer),
		.metrics = c->o->metrics,
		.trial_ms = c->o->trial_ms,
		.stays_pinned = c->o->pin && !c->o->stays,
		.hangups = c->o->hangups,
		.reopen = c->o->reopen,
		.reopen_arg = c->o->reopen_arg,
	};
	int errors = s->diags.errors;

	if (c->o->pin && !pin_name_ok(&s->diags, c->o->pin))
		return SKEP_EUSER;
	s->loaded.attach = (struct attach_options){.replace = c->o->replace, .pin = c->o->pin,
		.xdp_mode = c->o->xdp_mode};
	s->loaded.pid = c->o->pid;
	s->loaded.cpid = c->o->cpid;
	*c->status = run_script(&s->loaded, &ro);
	return s->diags.errors > errors ? SKEP_ESYS : SKEP_OK;
}

int skep_run(struct skep *s, const struct skep_run_options *o, int *status)
{
	struct run_call c = {o, status};
	int err;

	*status = 1;
	err = guarded(s, do_run, &c);
	if (err && s->opened)
		load_detach(&s->loaded);
	return err;
}
