/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * See conformance.h. The case's function is put behind a small XDP program that hands it the
 * packet's memory and stores its 64-bit result behind that memory: BPF_PROG_TEST_RUN itself only
 * gives 32 bits back. The same instructions run in the interpreter and in the kernel.
 */
#include "tests/exec/conformance.h"
#include "backend-bpf/backend.h"
#include "backend-bpf/insn.h"
#include "tests/fuzz/kernel.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MEM 64 /* bytes of the case's memory; its result follows */
#define WORDS (MEM / 8)

struct one {
	struct arena *a;
	struct skep_diags d;
	struct conformance *c;
	const char *file; /* without folder and ending */
	char *name;
	char *text; /* asm */
	uint8_t mem[MEM];
	struct asm_code code; /* assembled with its frame; n 0 until needed */
	int isa;
	bool atomics;
	struct kernel_prog k;
	bool loaded, load_tried;
};

static const char frame_text[] = "r6 = *(u32*)(r1+0); r3 = *(u32*)(r1+4)\n"
				 "r2 = r6; r2 += 72; if r2 > r3 goto conf_short\n"
				 "r1 = r6; r2 = 64; call conf_case\n"
				 "*(u64*)(r6+64) = r0; r0 = 2; exit\n"
				 "conf_short: r0 = 0; exit\n"
				 "conf_case:\n";

static void verdict(struct one *o, const char *engine, const char *run, bool ok, const char *why)
{
	if (ok)
		o->c->t.passed++;
	else
		o->c->t.failed++;
	if (!ok)
		fprintf(o->c->out, "not ok %s/%s%s-%s: %s\n", o->file, o->name, run, engine, why);
	else if (o->c->all)
		fprintf(o->c->out, "ok %s/%s%s-%s\n", o->file, o->name, run, engine);
}

static void skip(struct one *o, const char *run, const char *why)
{
	o->c->t.skipped++;
	if (o->c->all)
		fprintf(o->c->out, "skip %s/%s%s-kernel: %s\n", o->file, o->name, run, why);
}

/* Assembles the case once; the level it needs follows from its instructions. */
static bool assemble(struct one *o)
{
	const char *text;

	if (o->code.insns.n)
		return true;
	text = arena_printf(o->a, "%s%s", frame_text, o->text);
	diags_init(&o->d, o->a);
	if (!asm_parse(text, strlen(text), diags_add_source(&o->d, o->name, text, strlen(text)),
		    &o->d, o->a, &o->code)) {
		diags_render(&o->d, o->c->out, false);
		o->code.insns.n = 0;
		return false;
	}
	o->isa = 1;
	for (uint32_t at = 0; at < o->code.insns.n; at++) {
		int op = isa_find(&o->code.insns.v[at]);
		const struct isa_row *r = op < 0 ? NULL : isa_row((enum isa_op)op);

		if (r && r->isa > o->isa)
			o->isa = r->isa;
		if (r && BPF_CLASS(r->code) == BPF_STX && BPF_MODE(r->code) == BPF_ATOMIC)
			o->atomics |= r->isa > 1;
	}
	return true;
}

/* Fetching and exchanging atomics came in 5.12, later than the rest of level 3. */
static bool kernel_takes_atomics(void)
{
	const struct bpf_insn prog[] = {
		isa_insn(ISA_MOV64_RI, 0, 0, 0, 0),
		isa_insn(ISA_STX64, BPF_REG_FRAME, 0, -8, 0),
		isa_insn(ISA_XCHG64, BPF_REG_FRAME, 0, -8, 0),
		isa_insn(ISA_EXIT, 0, 0, 0, 0),
	};
	struct arena a;
	struct kernel_prog k = {.a = &a, .type = BPF_PROG_TYPE_SOCKET_FILTER};
	bool ok;

	arena_init(&a, NULL);
	ok = kernel_load(&k, prog, 4) == 0;
	kernel_close(&k);
	arena_free(&a);
	return ok;
}

void conformance_open(struct conformance *c, FILE *out)
{
	*c = (struct conformance){.out = out};
	c->kernel = kernel_allowed(BPF_PROG_TYPE_XDP, &c->no_kernel);
	for (int level = 1; c->kernel && level <= 4 && kernel_takes_isa(level); level++)
		c->kernel_isa = level;
	c->kernel_atomics = c->kernel && kernel_takes_atomics();
}

static const char *no_kernel(const struct one *o)
{
	if (!o->c->kernel)
		return o->c->no_kernel;
	if (o->isa > o->c->kernel_isa)
		return "this kernel lacks the instruction set level";
	if (o->atomics && !o->c->kernel_atomics)
		return "this kernel lacks fetching atomics";
	return NULL;
}

static const char *interpret(struct one *o, uint8_t *packet, uint64_t *r0)
{
	struct interp in = {.a = o->a,
		.insn = o->code.insns.v,
		.n = o->code.insns.n,
		.packet = packet,
		.packet_len = MEM + 8,
		.packet_cap = MEM + 8,
		.prog_type = BPF_PROG_TYPE_XDP,
		.strict_stack = true};

	interp_init(&in);
	return interp_run(&in, r0) ? NULL : in.error;
}

static void check(struct one *o, const char *engine, const char *run, const char *failed,
	uint64_t verdict_code, const uint8_t *packet, uint64_t want)
{
	uint64_t got;

	memcpy(&got, packet + MEM, 8);
	if (!failed && verdict_code != 2)
		failed = "the program did not end as it should";
	if (!failed && got != want)
		failed = arena_printf(o->a, "0x%" PRIx64 ", not 0x%" PRIx64, got, want);
	verdict(o, engine, run, !failed, failed);
}

static const char *in_kernel(struct one *o, uint8_t *packet, uint64_t *r0)
{
	uint32_t size = MEM + 8, retval = 0;
	int err;

	if (!o->load_tried) {
		o->k = (struct kernel_prog){.a = o->a, .type = BPF_PROG_TYPE_XDP};
		o->loaded = kernel_load(&o->k, o->code.insns.v, o->code.insns.n) == 0;
		o->load_tried = true;
	}
	if (!o->loaded)
		return o->k.log;
	err = kernel_run(&o->k, packet, &size, MEM + 8, &retval);
	*r0 = retval;
	return err ? strerror(-err) : NULL;
}

static void run_both(struct one *o, const char *run, uint64_t want)
{
	uint8_t packet[MEM + 8] = {0};
	const char *why;
	uint64_t r0 = 0;

	memcpy(packet, o->mem, MEM);
	why = interpret(o, packet, &r0);
	check(o, "interp", run, why, r0, packet, want);
	why = no_kernel(o);
	if (why) {
		skip(o, run, why);
		return;
	}
	memset(packet, 0, sizeof(packet));
	memcpy(packet, o->mem, MEM);
	why = in_kernel(o, packet, &r0);
	check(o, "kernel", run, why, r0, packet, want);
}

/* ---- sections ---- */

static char *word(char **p)
{
	char *w;

	*p += strspn(*p, " \t");
	w = *p;
	*p += strcspn(*p, " \t");
	if (**p)
		*(*p)++ = 0;
	return w;
}

/* "A B = R" */
static bool do_run(struct one *o, char *rest)
{
	uint64_t words[WORDS] = {0}, want;
	struct buf run;
	unsigned n = 0;
	char *w, *end;

	buf_init(&run, o->a);
	for (w = word(&rest); *w && strcmp(w, "="); w = word(&rest)) {
		if (n == WORDS)
			return false;
		buf_printf(&run, "%c%s", n ? ',' : '(', w);
		words[n++] = (uint64_t)strtoull(w, &end, 0);
		if (*end)
			return false;
	}
	if (strcmp(w, "="))
		return false;
	w = word(&rest);
	want = strtoull(w, &end, 0);
	if (!*w || *end || !assemble(o))
		return false;
	if (n) {
		buf_putc(&run, ')');
		memcpy(o->mem, words, sizeof(words));
	}
	run_both(o, n ? run.p : "", want);
	return true;
}

static bool do_mem(struct one *o, char *rest)
{
	unsigned n = 0, byte;

	memset(o->mem, 0, MEM);
	for (rest += strspn(rest, " "); *rest; rest += 2, rest += strspn(rest, " ")) {
		if (n == MEM || sscanf(rest, "%2x", &byte) != 1 || !rest[1])
			return false;
		o->mem[n++] = (uint8_t)byte;
	}
	return true;
}

static bool do_error(struct one *o, char *rest)
{
	uint8_t packet[MEM + 8] = {0};
	const char *why;
	uint64_t r0;

	rest += strspn(rest, " ");
	if (!*rest || !assemble(o))
		return false;
	why = interpret(o, packet, &r0);
	verdict(o, "interp", "", why && strstr(why, rest),
		why ? why : "ran, should have been refused");
	why = no_kernel(o);
	if (why) {
		skip(o, "", why);
		return true;
	}
	verdict(o, "kernel", "", in_kernel(o, packet, &r0) && !o->loaded,
		"loaded, should have been refused");
	return true;
}

static void close_case(struct one *o)
{
	if (o->load_tried)
		kernel_close(&o->k);
	*o = (struct one){.a = o->a, .c = o->c, .file = o->file};
}

static bool do_case(struct one *o, char *rest)
{
	close_case(o);
	o->name = arena_strdup(o->a, word(&rest));
	o->text = arena_strdup(o->a, "");
	return *o->name != 0;
}

static bool do_asm(struct one *o, char *rest)
{
	(void)o;
	return !*rest; /* lines follow */
}

static bool do_op(struct one *o, char *rest)
{
	o->text = arena_printf(o->a, "r0 = *(u64*)(r1+0); r2 = *(u64*)(r1+8)\n%s\nexit\n", rest);
	return true;
}

static bool do_if(struct one *o, char *rest)
{
	o->text = arena_printf(o->a,
		"r3 = *(u64*)(r1+0); r2 = *(u64*)(r1+8); r0 = 1\n"
		"if %s goto conf_yes\nr0 = 0\nconf_yes: exit\n",
		rest);
	return true;
}

static const struct {
	const char *name;
	bool (*fn)(struct one *o, char *rest);
} sections[] = {
	{"case", do_case},
	{"asm", do_asm},
	{"op", do_op},
	{"if", do_if},
	{"mem", do_mem},
	{"run", do_run},
	{"error", do_error},
};

static bool do_line(struct one *o, char *line)
{
	char *name;

	if (strncmp(line, "-- ", 3)) {
		if (o->text && *line && *line != '#')
			o->text = arena_printf(o->a, "%s%s\n", o->text, line);
		return true;
	}
	line += 3;
	name = word(&line);
	for (size_t k = 0; k < sizeof(sections) / sizeof(sections[0]); k++) {
		if (!strcmp(sections[k].name, name) && (o->name || sections[k].fn == do_case))
			return sections[k].fn(o, line);
	}
	return false;
}

static const char *base_name(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = arena_strdup(a, slash ? slash + 1 : path);
	char *dot = strrchr(name, '.');

	if (dot)
		*dot = 0;
	return name;
}

bool conformance_file(struct conformance *c, const char *path)
{
	FILE *f = fopen(path, "r");
	struct arena a;
	struct one o = {.a = &a, .c = c};
	char line[512];
	unsigned number = 0;

	if (!f) {
		fprintf(c->out, "not ok %s: %s\n", path, strerror(errno));
		return false;
	}
	arena_init(&a, NULL);
	o.file = base_name(&a, path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		number++;
		if (!do_line(&o, line)) {
			fprintf(c->out, "not ok %s:%u: cannot make sense of: %s\n", o.file, number,
				line);
			c->t.failed++;
		}
	}
	close_case(&o);
	arena_free(&a);
	fclose(f);
	return true;
}
