/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Differential fuzzer. Every random program must be accepted by the IR checker after each pass, be
 * allocated as the symbolic check says, load in the kernel, and give the same results, packets and
 * map contents in three ways: the kernel, our interpreter, and an evaluator in plain C that knows
 * nothing of the compiler.
 *
 *   fuzz [-s SEED] [-n COUNT] [-f ir|script|both|lang|object|text] [-t SECONDS] [-K] [-v]
 *     lang: scripts over the whole language (lang.h); object, text: damaged input (damage.h)
 *     -K no kernel (interpreter and evaluator only)   -v print each program
 * Seeds are consecutive from SEED; a failure prints its seed, and -n 1 -v shows everything about it.
 */
#include "damage.h"
#include "driver/driver.h"
#include "kernel.h"
#include "lang/lang.h"
#include "lang_run.h"
#include "prog.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef FUZZ_COUNT
#define FUZZ_COUNT 1000
#endif
#ifndef FUZZ_SECONDS
#define FUZZ_SECONDS 0 /* stop after this long, wherever it is; 0 never */
#endif
#define RUNS 3 /* packets per program */
#define MAX_FAILURES 20

struct fuzz {
	uint64_t seed, count, seconds;
	bool as_ir, as_script, as_lang, as_object, as_text, kernel, verbose;
	uint64_t taken; /* damaged input that was still good */
	uint64_t ran, loaded, failed, insns, spills;
	uint64_t complex; /* beyond the verifier's million instructions: a budget, not a mistake */
	uint64_t costly;  /* its loops with constant ends are more than we let through */
};

struct one { /* a program on its way through everything */
	struct fuzz *fz;
	struct arena a;
	struct trap trap;
	struct skep_diags diags;
	struct target target;
	struct meta meta;
	struct ir_module m;
	struct prog *p;
	struct code code;
	struct buf why;
	uint32_t map[PROG_MAPS];
	const char *pass;
};

#define HANG_SECONDS 60
static volatile uint64_t hang_seed;

static void hangs(int sig)
{
	(void)sig;
	printf("not ok seed %llu: no end after %d seconds\n", (unsigned long long)hang_seed, HANG_SECONDS);
	fflush(stdout);
	_exit(1);
}

static void fail(struct one *o, const char *what)
{
	o->fz->failed++;
	printf("not ok seed %llu as %s: %s\n", (unsigned long long)o->p->seed,
		o->p->form == PROG_AS_IR ? "ir" : "script", what);
	if (o->why.n)
		printf("%s\n", o->why.p);
	fflush(stdout);
}

static bool build(struct one *o)
{
	struct lang_options lo = {0};
	struct buf text;

	if (o->p->form == PROG_AS_IR) {
		prog_ir(o->p, &o->m);
		return true;
	}
	buf_init(&text, &o->a);
	prog_script(o->p, &text);
	if (o->fz->verbose)
		puts(text.p);
	o->pass = "front end";
	if (!lang_compile(&o->m, "fuzz", text.p, text.n, &lo) && !o->diags.errors)
		return true;
	diags_render_buf(&o->diags, &o->why, false);
	fail(o, "the front end refuses it");
	return false;
}

static void show(struct one *o, const char *stage, const struct ir_fn *f)
{
	struct buf text;

	if (!o->fz->verbose)
		return;
	buf_init(&text, &o->a);
	ir_print_fn(f, &text);
	printf("---- %s\n%s\n", stage, text.p);
}

static bool check(struct one *o, const struct ir_fn *f)
{
	if (f->machine || ir_check(f, &o->why))
		return true;
	/* no other complaint, and no pass has made it dearer than it was written */
	if (!strcmp(o->pass, "as built") && strstr(o->why.p, "[loop-cost]\n") &&
		!strchr(strchr(o->why.p, '\n') + 1, '\n')) {
		o->fz->costly++;
		return false;
	}
	fail(o, o->pass);
	return false;
}

static bool compile(struct one *o)
{
	struct ir_fn *f = o->m.fns.v[0];

	o->pass = "as built";
	show(o, o->pass, f);
	if (!check(o, f))
		return false;
	for (unsigned i = 0; i < npasses; i++) {
		o->pass = passes[i].name;
		passes[i].run(f);
		show(o, o->pass, f);
		if (o->diags.errors) {
			diags_render_buf(&o->diags, &o->why, false);
			fail(o, passes[i].name);
			return false;
		}
		if (!check(o, f))
			return false;
		/* the allocation is compared while the operations still are those it was made for */
		if (!strcmp(passes[i].name, "pcopy") && !back_verify_alloc(f, &o->why)) {
			fail(o, "the allocation is wrong");
			return false;
		}
	}
	o->pass = "emit";
	back_emit(f, &o->code);
	o->fz->insns += o->code.n;
	o->fz->spills += o->code.spills;
	return true;
}

/* Map references as the interpreter and kernel_load want them: indices. */
static void resolve(struct one *o)
{
	interp_link(&o->code);
	o->map[0] = meta_find_map(&o->meta, "@out");
	o->map[1] = meta_find_map(&o->meta, "@m");
	if (!o->fz->verbose)
		return;
	for (uint32_t i = 0; i < o->code.n;) {
		struct buf line;

		buf_init(&line, &o->a);
		i += disasm_one(o->code.insn, i, o->code.n, &line);
		puts(line.p);
	}
}

struct seen {
	struct prog_state st;
	unsigned map;
	bool strange; /* a key outside the range */
};

static void see(void *arg, const void *key, const void *value)
{
	struct seen *s = arg;
	uint64_t k;

	memcpy(&k, key, 8);
	if (k >= PROG_KEYS) {
		s->strange = true;
		return;
	}
	s->st.present[s->map][k] = true;
	memcpy(&s->st.value[s->map][k], value, 8);
}

static bool same_maps(struct one *o, const struct prog_state *want, const struct seen *got,
	const char *who)
{
	bool same = !got->strange;

	for (unsigned m = 0; m < PROG_MAPS; m++) {
		for (unsigned k = 0; k < PROG_KEYS; k++) {
			bool w = want->present[m][k], g = got->st.present[m][k];

			if (w == g && (!w || want->value[m][k] == got->st.value[m][k]))
				continue;
			same = false;
			buf_printf(&o->why, "map %u key %u: %s has %s%llx, expected %s%llx\n", m, k,
				who, g ? "" : "no, ", (unsigned long long)got->st.value[m][k],
				w ? "" : "no, ", (unsigned long long)want->value[m][k]);
		}
	}
	if (!same)
		fail(o, who);
	return same;
}

static bool same_run(struct one *o, const struct prog_state *want, uint64_t result,
	const uint8_t *packet, const char *who)
{
	if ((uint32_t)want->result == (uint32_t)result && !memcmp(want->packet, packet, PROG_PACKET))
		return true;
	buf_printf(&o->why, "%s: result %llx, expected %llx; packet %s\n", who,
		(unsigned long long)(uint32_t)result, (unsigned long long)want->result,
		memcmp(want->packet, packet, PROG_PACKET) ? "differs" : "same");
	fail(o, who);
	return false;
}

static bool run_interp(struct one *o, const struct prog_state *want, const uint8_t start[][PROG_PACKET],
	const struct prog_state *last)
{
	uint8_t packet[PROG_PACKET];
	struct seen got = {0};
	struct interp in = {.a = &o->a, .insn = o->code.insn, .n = o->code.n, .meta = &o->meta,
		.packet = packet, .packet_len = PROG_PACKET, .packet_cap = PROG_PACKET,
		.prog_type = BPF_PROG_TYPE_XDP};
	uint64_t r0 = 0;

	interp_init(&in);
	for (unsigned i = 0; i < RUNS; i++) {
		memcpy(packet, start[i], PROG_PACKET);
		in.packet_len = PROG_PACKET;
		if (!interp_run(&in, &r0)) {
			buf_printf(&o->why, "at %u: %s\n", in.error_at, in.error);
			fail(o, "interpreter stops");
			return false;
		}
		if (!same_run(o, &want[i], r0, packet, "interpreter"))
			return false;
	}
	for (got.map = 0; got.map < PROG_MAPS; got.map++) {
		if (o->map[got.map] != META_NONE)
			interp_map_each(&in, o->map[got.map], see, &got);
	}
	return same_maps(o, last, &got, "interpreter");
}

static bool run_kernel(struct one *o, const struct prog_state *want, const uint8_t start[][PROG_PACKET],
	const struct prog_state *last)
{
	struct kernel_prog k = {.a = &o->a, .meta = &o->meta, .type = BPF_PROG_TYPE_XDP,
		.expected_attach_type = BPF_XDP};
	struct seen got = {0};
	bool ok = false;

	if (kernel_load(&k, o->code.insn, o->code.n)) {
		size_t n = strlen(k.log);

		if (strstr(k.log, "BPF program is too large. Processed")) {
			o->fz->complex++;
			ok = true;
			goto out;
		}
		buf_puts(&o->why, n > 3000 ? k.log + n - 3000 : k.log);
		fail(o, "the kernel refuses it");
		goto out;
	}
	o->fz->loaded++;
	for (unsigned i = 0; i < RUNS; i++) {
		uint8_t packet[PROG_PACKET];
		uint32_t size = PROG_PACKET, retval = 0;

		memcpy(packet, start[i], PROG_PACKET);
		if (kernel_run(&k, packet, &size, sizeof(packet), &retval)) {
			fail(o, "the kernel does not run it");
			goto out;
		}
		if (!same_run(o, &want[i], retval, packet, "kernel"))
			goto out;
	}
	for (got.map = 0; got.map < PROG_MAPS; got.map++) {
		if (o->map[got.map] != META_NONE)
			kernel_map_each(&k, o->map[got.map], see, &got);
	}
	ok = same_maps(o, last, &got, "kernel");
out:
	kernel_close(&k);
	return ok;
}

static void run_all(struct one *o)
{
	struct prog_state want[RUNS], st = {0};
	uint8_t start[RUNS][PROG_PACKET];

	for (unsigned i = 0; i < RUNS; i++) {
		prog_packet(o->p, i, start[i]);
		memcpy(st.packet, start[i], PROG_PACKET);
		prog_eval(o->p, &st);
		want[i] = st;
	}
	if (run_interp(o, want, (const uint8_t(*)[PROG_PACKET])start, &st) && o->fz->kernel)
		run_kernel(o, want, (const uint8_t(*)[PROG_PACKET])start, &st);
}

static void fuzz_one(struct fuzz *fz, uint64_t seed, enum prog_form form)
{
	struct one *o = calloc(1, sizeof(*o));

	if (!o)
		exit(2);
	o->fz = fz;
	arena_init(&o->a, &o->trap);
	buf_init(&o->why, &o->a);
	o->pass = "start";
	fz->ran++;
	if (setjmp(o->trap.env)) {
		buf_printf(&o->why, "%s in pass %s", o->trap.message, o->pass);
		fail(o, "a bug was raised");
	} else {
		diags_init(&o->diags, &o->a);
		meta_init(&o->meta, &o->a);
		o->target = (struct target){.a = &o->a, .name = "fuzz", .arch = KERN_X86_64,
			.version = 0x060100, .isa = 3, .features = ~0ull};
		o->m = (struct ir_module){.a = &o->a, .trap = &o->trap, .diags = &o->diags,
			.target = &o->target, .meta = &o->meta};
		o->p = prog_random(&o->a, seed, form);
		if (build(o) && compile(o)) {
			resolve(o);
			run_all(o);
		}
	}
	arena_free(&o->a);
	free(o);
}

static void lang_one(struct fuzz *fz, uint64_t seed)
{
	struct lang_result r;
	struct arena a;
	struct buf text, why;

	arena_init(&a, NULL);
	buf_init(&text, &a);
	buf_init(&why, &a);
	lang_run(seed, fz->kernel, &r, &text, &why);
	fz->ran++;
	fz->insns += r.insns;
	fz->loaded += r.in_kernel;
	fz->complex += r.complex;
	if (r.complex)
		printf("seed %llu is too much for the verifier\n", (unsigned long long)seed);
	if (fz->verbose)
		puts(text.p);
	if (!r.ok) {
		fz->failed++;
		printf("not ok seed %llu as lang: %s\n", (unsigned long long)seed, why.p);
		fflush(stdout);
	}
	arena_free(&a);
}

#ifndef FUZZ_IN_GUEST
static void damaged_one(struct fuzz *fz, uint64_t seed)
{
	struct arena a;
	struct buf text, why;
	bool ok, taken = false;

	arena_init(&a, NULL);
	buf_init(&text, &a);
	buf_init(&why, &a);
	alarm(HANG_SECONDS);
	hang_seed = seed;
	ok = fz->as_object ? damage_object(seed, &taken, &why) : damage_text(seed, &taken, &text, &why);
	alarm(0);
	fz->ran++;
	fz->taken += taken;
	if (fz->verbose || !ok)
		puts(text.n ? text.p : "");
	if (!ok) {
		fz->failed++;
		printf("not ok seed %llu as damaged %s: %s\n", (unsigned long long)seed,
			fz->as_object ? "object" : "text", why.p);
		fflush(stdout);
	}
	arena_free(&a);
}
#endif

static bool options(struct fuzz *fz, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:f:t:Kv")) != -1) {
		switch (c) {
		case 's':
			fz->seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			fz->count = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			fz->as_lang = !strcmp(optarg, "lang");
			fz->as_object = !strcmp(optarg, "object");
			fz->as_text = !strcmp(optarg, "text");
			fz->as_ir = !strcmp(optarg, "ir") || !strcmp(optarg, "both");
			fz->as_script = !strcmp(optarg, "script") || !strcmp(optarg, "both");
			break;
		case 't':
			fz->seconds = strtoull(optarg, NULL, 0);
			break;
		case 'K':
			fz->kernel = false;
			break;
		case 'v':
			fz->verbose = true;
			break;
		default:
			fprintf(stderr, "usage: fuzz [-s SEED] [-n COUNT] [-f ir|script|both|lang|object|text] "
					"[-t SECONDS] [-K] [-v]\n");
			return false;
		}
	}
	return true;
}

static bool start(struct fuzz *fz, struct arena *a)
{
	const char *why = NULL;

	signal(SIGALRM, hangs);
	if (fz->as_lang && !lang_start()) {
		printf("not ok fuzz: no place for the input\n");
		return false;
	}
#ifndef FUZZ_IN_GUEST
	if ((fz->as_object && !damage_object_start(a)) || (fz->as_text && !damage_text_start(a))) {
		printf("not ok fuzz: too little to damage; run it where tests/ and scripts/ are\n");
		return false;
	}
#endif
	(void)a;
	if (fz->kernel && !kernel_allowed(BPF_PROG_TYPE_XDP, &why)) {
		printf("skip kernel: %s\n", why);
		fz->kernel = false;
	}
	return true;
}

static void report(const struct fuzz *fz, uint64_t n)
{
	printf("%s fuzz seeds %llu..%llu, %llu programs, ", fz->failed ? "not ok" : "ok",
		(unsigned long long)fz->seed, (unsigned long long)(fz->seed + n - 1),
		(unsigned long long)fz->ran);
	if (fz->as_object || fz->as_text)
		printf("%llu still good, ", (unsigned long long)fz->taken);
	else
		printf("%llu in the kernel, %llu instructions, %llu spills, "
		       "%llu too complex for the verifier, %llu with too long loops, ",
			(unsigned long long)fz->loaded, (unsigned long long)fz->insns,
			(unsigned long long)fz->spills, (unsigned long long)fz->complex,
			(unsigned long long)fz->costly);
	printf("%llu failed\n", (unsigned long long)fz->failed);
}

/* Honest refusals have to stay rare, and damage has to go both ways. */
static bool counts_right(const struct fuzz *fz)
{
	if (fz->costly > 1 + fz->ran / 1000) {
		printf("not ok fuzz-costly: more than one in a thousand\n");
		return false;
	}
	if (fz->ran >= 500 && fz->complex * 20 > fz->ran) { /* fewer programs say nothing */
		printf("not ok fuzz-complex: more than one in twenty\n");
		return false;
	}
	if ((fz->as_object || fz->as_text) && fz->ran >= 500 &&
		(fz->taken * 50 < fz->ran || fz->taken * 50 > fz->ran * 49)) {
		printf("not ok fuzz-damage: nearly all is refused, or nearly nothing\n");
		return false;
	}
	return !fz->failed;
}

int main(int argc, char **argv)
{
	struct fuzz fz = {.seed = 1, .count = FUZZ_COUNT, .seconds = FUZZ_SECONDS,
		.as_ir = true, .as_script = true, .kernel = true};
	time_t from = time(NULL);
	struct arena a;
	uint64_t i;

	if (!options(&fz, argc, argv))
		return 2;
	arena_init(&a, NULL);
	if (!start(&fz, &a))
		return 1;
	for (i = 0; i < fz.count && fz.failed < MAX_FAILURES; i++) {
		if (fz.seconds && (uint64_t)(time(NULL) - from) >= fz.seconds)
			break;
		if (fz.as_ir)
			fuzz_one(&fz, fz.seed + i, PROG_AS_IR);
		if (fz.as_script)
			fuzz_one(&fz, fz.seed + i, PROG_AS_SCRIPT);
		if (fz.as_lang)
			lang_one(&fz, fz.seed + i);
#ifndef FUZZ_IN_GUEST
		if (fz.as_object || fz.as_text)
			damaged_one(&fz, fz.seed + i);
#endif
	}
	report(&fz, i);
	arena_free(&a);
	return counts_right(&fz) ? 0 : 1;
}
