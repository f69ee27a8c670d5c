/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A random script goes the way of a user's: compiled, loaded, run, its output compared with what
 * plain C says. By the seed it is compiled for this kernel, for 5.10, or without ring buffers. The
 * interpreter runs the same instructions and its records take the same way to text.
 */
#include "tests/fuzz/lang_run.h"
#include "backend-bpf/interp.h"
#include "driver/driver.h"
#include "run/session.h"
#include "skep/load.h"
#include "skep/run.h"
#include "tests/fuzz/lang.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#define STEPS_MOST 10000000
#define TOO_COMPLEX "too long for the verifier"
#define TOO_MANY "more branches in a row than the verifier follows"
#define TOO_DEEP " bytes of stack, " /* the frames of loops that the kernel calls */
#define TOO_LONG "is more than the kernel's verifier follows" /* a long text searched for another in such a loop */

static void *input_page(bool map)
{
	void *at = (void *)(uintptr_t)LANG_INPUT;

	if (!map)
		return at;
	return mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

/* Of 5.10 up to 5.12 is asked what 5.10 has: loops over maps came with 5.13. */
static bool old_kernel(void)
{
	static signed char old = -1;
	struct utsname u;
	unsigned major = 0, minor = 0;

	if (old < 0)
		old = !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
		      (major < 5 || (major == 5 && minor < 13));
	return old;
}

bool lang_start(void)
{
	return input_page(true) == input_page(false);
}

/* ---- the interpreter ---- */

struct dry {
	struct skep *s;
	struct loaded l;
	struct run_options ro;
	struct session session;
	struct interp in;
	const char *error;
};

static void maps_each(void *arg, uint32_t map,
	void (*fn)(void *fn_arg, const void *key, const void *value), void *fn_arg)
{
	interp_map_each(&((struct dry *)arg)->in, map, fn, fn_arg);
}

static void maps_reset(void *arg, uint32_t map, bool remove)
{
	(void)arg, (void)map, (void)remove; /* no script clears any */
}

static const struct session_maps in_interp = {maps_each, maps_reset};

static void on_record(void *arg, const void *data, uint32_t size)
{
	struct dry *d = arg;

	if (!session_event(&d->session, data, size))
		d->error = "a record does not fit the side table";
}

static bool read_mem(void *arg, uint64_t addr, void *dst, uint32_t size)
{
	(void)arg;
	if (addr < LANG_INPUT || addr - LANG_INPUT > 4096 || size > 4096 - (addr - LANG_INPUT))
		return false;
	memcpy(dst, (const void *)(uintptr_t)addr, size);
	return true;
}

static bool run_probes(struct dry *d, const char *kind)
{
	const struct meta *m = &d->s->meta;
	uint64_t result;

	for (uint32_t i = 0; i < m->probes.n; i++) {
		const struct code *c = &d->s->code[m->probes.v[i].prog];

		if (strcmp(m->probes.v[i].kind, kind))
			continue;
		d->in.insn = c->insn;
		d->in.n = c->n;
		d->in.prog_type = m->progs.v[m->probes.v[i].prog].type;
		if (!interp_run(&d->in, &result))
			return false;
	}
	return true;
}

static int interpret(struct skep *s, void *arg)
{
	struct dry *d = arg;
	uint8_t ctx[512] = {0};
	bool ok;

	d->s = s;
	d->l = (struct loaded){.a = &s->a, .d = &s->diags, .target = &s->target, .meta = s->meta};
	session_init(&d->session, &d->l, &d->ro);
	d->session.maps = &in_interp;
	d->session.maps_arg = d;
	d->in = (struct interp){.a = &s->a, .meta = &s->meta, .max_steps = STEPS_MOST, .ctx = ctx,
		.ctx_len = sizeof(ctx), .on_record = on_record, .read_mem = read_mem, .arg = d,
		.random_state = 1, .strict_stack = true};
	interp_init(&d->in);
	for (uint32_t i = 0; i < s->m->fns.n; i++)
		interp_link(&s->code[i]);
	ok = run_probes(d, "BEGIN") && run_probes(d, "END");
	if (!ok)
		d->error = d->in.error;
	if (ok)
		session_print_maps(&d->session);
	session_flush(&d->session);
	session_free(&d->session);
	return ok ? SKEP_OK : SKEP_EUSER;
}

/* ---- comparison ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct lines {
	char *v[8192];
	unsigned n;
};

/* Lines without the empty ones; those behind "--" sorted. Cuts text. */
static void split(char *text, struct lines *l)
{
	unsigned maps = 0;

	l->n = 0;
	for (char *line = strtok(text, "\n"); line && l->n < 8192; line = strtok(NULL, "\n")) {
		l->v[l->n++] = line;
		if (!maps && !strcmp(line, "--"))
			maps = l->n;
	}
	qsort(l->v + maps, l->n - maps, sizeof(*l->v), by_text);
}

static bool compare(const char *want, const char *got, const char *who, struct buf *why)
{
	static struct lines a, b;
	char *one = strdup(want), *two = strdup(got);
	unsigned i = 0;
	bool same;

	split(one, &a);
	split(two, &b);
	while (i < a.n && i < b.n && !strcmp(a.v[i], b.v[i]))
		i++;
	same = i == a.n && i == b.n;
	if (!same)
		buf_printf(why, "%s: line %u is\n  %s\nexpected\n  %s\n", who, i + 1,
			i < b.n ? b.v[i] : "(none)", i < a.n ? a.v[i] : "(none)");
	free(one);
	free(two);
	return same;
}

/* ---- the two ways ---- */

struct way {
	struct skep *s, *loader;
	const char *want;
	uint64_t zero_divs;
	struct buf *why;
	struct lang_result *r;
};

static bool dry_run(struct way *w)
{
	struct dry *d = calloc(1, sizeof(*d));
	char *out = NULL;
	size_t n;
	bool ok;

	d->ro = (struct run_options){.out = open_memstream(&out, &n), .err = stderr, .quiet = true};
	ok = guarded(w->s, interpret, d) == SKEP_OK && !d->error;
	fclose(d->ro.out);
	if (!ok)
		buf_printf(w->why, "interpreter: %s at %u\n%s", d->error ? d->error : "a bug was raised",
			d->in.error_at, skep_messages(w->s, false));
	else
		ok = compare(w->want, out, "interpreter", w->why);
	free(out);
	free(d);
	return ok;
}

/* What is told of a run: divisions by zero, all that there were, and nothing else. */
static bool told_right(struct way *w, char *told)
{
	uint64_t n = 0;

	for (char *line = strtok(told, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "WARNING: ", 9) || !strstr(line, " by zero (")) {
			buf_printf(w->why, "the run says: %s\n", line);
			return false;
		}
		buf_printf(w->why, "%s\n", line);
		n += strtoull(line + 9, NULL, 10);
	}
	if (n != w->zero_divs)
		buf_printf(w->why, "%llu divisions by zero are told, not %llu\n", (unsigned long long)n,
			(unsigned long long)w->zero_divs);
	return n == w->zero_divs;
}

static bool real_run(struct way *w, struct skep *s)
{
	struct skep_run_options o = {.quiet = true};
	char *out = NULL, *told = NULL;
	size_t nout, ntold;
	int status, err = skep_load(s, NULL);
	bool ok;

	if (err && (strstr(skep_messages(s, false), TOO_COMPLEX) || strstr(skep_messages(s, false), TOO_MANY))) {
		w->r->complex = true;
		return true;
	}
	if (err) {
		buf_printf(w->why, "not loaded: %s\n", skep_messages(s, false));
		return false;
	}
	w->r->in_kernel = true;
	o.out = open_memstream(&out, &nout);
	o.err = open_memstream(&told, &ntold);
	err = skep_run(s, &o, &status);
	fclose(o.out);
	fclose(o.err);
	ok = !err && compare(w->want, out, "kernel", w->why) && told_right(w, told);
	if (err)
		buf_printf(w->why, "the run says: %s%s\n", told, skep_messages(s, false));
	free(out);
	free(told);
	return ok;
}

static bool both(struct way *w, const char *text, size_t len, bool opened, bool kernel)
{
	const void *object;
	size_t size;

	if (skep_compile(w->s, "fuzz", text, len, NULL)) {
		w->r->complex = strstr(skep_messages(w->s, false), TOO_DEEP) ||
				strstr(skep_messages(w->s, false), TOO_LONG);
		if (w->r->complex)
			return true;
		buf_printf(w->why, "not compiled: %s\n", skep_messages(w->s, false));
		return false;
	}
	for (uint32_t i = 0; i < w->s->m->fns.n; i++)
		w->r->insns += w->s->code[i].n;
	object = skep_object(w->s, &size);
	if (!dry_run(w))
		return false;
	if (!kernel)
		return true;
	if (!opened)
		return real_run(w, w->s);
	if (skep_open(w->loader, object, size)) {
		buf_printf(w->why, "not opened: %s\n", skep_messages(w->loader, false));
		return false;
	}
	return real_run(w, w->loader);
}

void lang_run(uint64_t seed, bool kernel, struct lang_result *r, struct buf *text, struct buf *why)
{
	bool old = seed % 3 == 1 || old_kernel();
	struct skep_options o = {.kernel = old ? "5.10" : NULL, .no_features = seed % 3 == 2 ? "ringbuf" : NULL};
	struct way w = {.why = why, .r = r};
	struct lang *p = lang_make(text->a, seed, !old);
	struct buf want;

	*r = (struct lang_result){0};
	memcpy(input_page(false), &p->in, sizeof(p->in));
	lang_text(p, text);
	buf_init(&want, text->a);
	lang_eval(p, &want, &w.zero_divs);
	w.want = want.p;
	if (skep_new(&w.s, &o) || skep_new(&w.loader, NULL))
		buf_puts(why, "no compiler");
	else
		r->ok = both(&w, text->p, text->n, o.kernel != NULL, kernel);
	skep_free(w.loader);
	skep_free(w.s);
}
