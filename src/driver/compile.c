/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From script text to object bytes. This is the only place that knows which passes there are and
 * in what order they run: each row of the table takes one function from one checked form to the
 * next. To add a pass, add a row.
 */
#include "driver/driver.h"
#include "lang/lang.h"
#include "load/sets.h"
#include "skep/compile.h"
#include <string.h>

const struct pass passes[] = {
	{"fold", ir_opt_fold, IR_FORM, ir_check, "constants, algebra, branches on constants"},
	{"gvn", ir_opt_gvn, IR_FORM, ir_check, "equal operations once; proofs reused"},
	{"slot", ir_opt_slot, IR_FORM, ir_check, "stores forwarded to loads, dead stores dropped"},
	{"fold2", ir_opt_fold, IR_FORM, ir_check, "what the two before have made constant"},
	{"gvn2", ir_opt_gvn, IR_FORM, ir_check, "what has become equal"},
	{"dce", ir_opt_dce, IR_FORM, ir_check, "unused values and blocks dropped"},
	{"legal", back_legal, IR_FORM, ir_check, "only what instruction set and kernel have"},
	{"isel", back_isel, IR_FORM, NULL, "machine operations chosen"},
	{"spill", back_spill, MACHINE, NULL, "at most 10 values live, 4 over calls"},
	{"color", back_color, MACHINE, NULL, "a register for every value"},
	{"pcopy", back_pcopy, MACHINE, back_verify_alloc, "parameters and arguments become copies"},
	{"frame", back_frame, MACHINE, NULL, "stack objects and spill slots placed"},
	{"layout", back_layout, MACHINE, NULL, "order of blocks, direction of branches"},
	{"peep", back_peep, MACHINE, NULL, "small improvements on the result"},
};
const unsigned npasses = sizeof(passes) / sizeof(*passes);

/* Stages that are no pass of one function: what the front end and the object writer show. */
static const struct {
	const char *name, *what;
} outer_stages[] = {
	{"ast", "the syntax tree"},
	{"types", "the tree with types"},
	{"ir", "the front end's result"},
	{"asm", "eBPF instructions"},
	{"btf", "the object's types"},
};
#define NOUTER (sizeof(outer_stages) / sizeof(*outer_stages))
#define NBEFORE 3 /* of them come before the passes */

const char *skep_stage(unsigned i, const char **what)
{
	const char *unused;

	what = what ? what : &unused;
	if (i >= NOUTER + npasses)
		return NULL;
	if (i >= NBEFORE && i < NBEFORE + npasses) {
		*what = passes[i - NBEFORE].what;
		return passes[i - NBEFORE].name;
	}
	i -= i < NBEFORE ? 0 : npasses;
	*what = outer_stages[i].what;
	return outer_stages[i].name;
}

struct ir_module *module_new(struct skep *s)
{
	struct ir_module *m = ARENA_NEW(&s->a, struct ir_module);

	m->a = &s->a;
	m->trap = &s->trap;
	m->diags = &s->diags;
	m->target = &s->target;
	m->meta = &s->meta;
	m->machine = &back_machine_names;
	s->meta.target_arch = s->target.arch;
	s->m = m;
	return m;
}

typedef bool check_fn(const struct ir_fn *f, struct buf *why);

/* After a pass its promise is checked: a wrong program in the kernel costs more than the time. */
static void check(struct skep *s, const struct ir_fn *f, check_fn *holds)
{
	struct buf why;

	buf_init(&why, &s->a);
	buf_puts(&why, "");
	if (holds(f, &why) || limit_reported(s, f, why.p))
		return;
	s->broken = why.p;
	trap_raise(&s->trap, SKEP_EBUG, "%s: invalid after %s", f->name, s->pass);
}

void run_pass(struct skep *s, const struct pass *p, struct ir_fn *f)
{
	s->fn = f;
	s->pass = p->name;
	p->run(f);
	/* A user's error found late, such as too large a stack, may leave the pass unfinished. */
	if (p->check && !s->diags.errors)
		check(s, f, p->check);
	s->fn = NULL;
	s->pass = NULL;
}

static bool dumped(const struct skep_compile_options *o, const char *stage)
{
	return o->dump && (!strcmp(o->dump, stage) || !strcmp(o->dump, "all"));
}

static void compile_one(struct skep *s, const struct skep_compile_options *o, struct ir_fn *f,
	struct code *code)
{
	s->fn = f;
	s->pass = "lower";
	check(s, f, ir_check);
	if (s->diags.errors)
		return;
	if (dumped(o, "ir"))
		dump_fn(s, "ir", f);
	for (unsigned i = 0; i < npasses; i++) {
		run_pass(s, &passes[i], f);
		if (s->diags.errors)
			return;
		if (dumped(o, passes[i].name))
			dump_fn(s, passes[i].name, f);
	}
	s->fn = f;
	s->pass = "emit";
	back_emit(f, code);
	s->fn = NULL;
	s->pass = NULL;
}

/* Functions that are called back first: their stack counts for who calls them. */
static void compile_fn(struct skep *s, const struct skep_compile_options *o, struct ir_fn *f,
	struct code *code)
{
	struct code *subs = ARENA_ARRAY(&s->a, struct code, f->subs.n + 1);

	for (uint32_t k = 0; k < f->subs.n && !s->diags.errors; k++)
		compile_one(s, o, f->subs.v[k], &subs[k]);
	if (!s->diags.errors)
		compile_one(s, o, f, code);
	if (s->diags.errors)
		return;
	back_join(f, code, subs);
	limit_maps(s, code);
	if (dumped(o, "asm"))
		dump_code(s, f->name, code->insn, code->n);
}

/* "arm64, Linux 6.12.3" */
static const char *target_text(struct skep *s)
{
	const struct target *t = &s->target;

	return arena_printf(&s->a, "%s, Linux %u.%u.%u", t->arch ? kern_arch_name(t->arch) : "any machine",
		t->version >> 16, t->version >> 8 & 0xff, t->version & 0xff);
}

/* What the object says of itself: who made it, for what, what it needs, what is to be filled in. */
static void describe(struct skep *s, const struct code *code)
{
	struct meta *m = &s->meta;

	m->maker = "skep " SKEP_VERSION;
	m->target = target_text(s);
	for (uint32_t i = 0; i < m->maps.n; i++)
		m->needs |= kern_map_needs(m->maps.v[i].type);
	for (uint32_t i = 0; i < m->progs.n; i++) {
		m->needs |= kern_prog_needs(m->progs.v[i].type) |
			    kern_code_needs(code[i].insn, code[i].n, &m->helper);
		for (uint32_t k = 0; k < code[i].relocs.n; k++) {
			const struct code_reloc *r = &code[i].relocs.v[k];

			if (m->portable && r->kind == CR_FIELD)
				back_fixup(s->m, i, r);
		}
	}
}

static int write_object(struct skep *s, const struct skep_compile_options *o,
	const struct code *code)
{
	struct buf btf, ext;
	int err;

	s->pass = "object";
	if (dumped(o, "btf")) {
		buf_init(&btf, &s->a);
		buf_init(&ext, &s->a);
		btfw_build(s->m, code, &btf, &ext);
		dump_btf(s, btf.p, btf.n);
	}
	describe(s, code);
	err = elf_write(s->m, code, &s->object);
	s->pass = NULL;
	if (!err)
		return SKEP_OK;
	if (!s->diags.errors)
		diag_error(&s->diags, NO_SPAN, DIAG_SYSTEM, "cannot write the object: %s",
			strerror(-err));
	return SKEP_ESYS;
}

static int compile_fns(struct skep *s, const struct skep_compile_options *o)
{
	struct code *code = ARENA_ARRAY(&s->a, struct code, s->m->fns.n + 1);

	s->code = code;
	for (uint32_t i = 0; i < s->m->fns.n; i++) {
		compile_fn(s, o, s->m->fns.v[i], &code[i]);
		if (s->diags.errors)
			return SKEP_EUSER;
	}
	return write_object(s, o, code);
}

struct compile_call {
	const char *name, *text;
	size_t len;
	const struct skep_compile_options *o;
};

static int front(struct skep *s, const struct compile_call *c, const char *dump)
{
	struct lang_options lo = {
		.params = c->o->params,
		.nparams = c->o->nparams,
		.unsafe = c->o->unsafe,
		.check_reads = c->o->check_reads,
		.pid = c->o->pid,
		.cpid = c->o->cpid,
		.offline = c->o->offline,
		.count_rules = c->o->count_rules,
		.live = c->o->live,
		.named = c->o->named,
		.nnamed = c->o->nnamed,
		.settings = c->o->settings,
		.dump = dump,
		.dump_out = &s->dump,
	};

	s->pass = "front end";
	if (lang_compile(s->m, c->name, c->text, c->len, &lo) || s->diags.errors)
		return SKEP_EUSER;
	s->pass = NULL;
	return SKEP_OK;
}

static bool known_stage(const char *name)
{
	const char *stage;

	for (unsigned i = 0; (stage = skep_stage(i, NULL)); i++) {
		if (!strcmp(stage, name))
			return true;
	}
	return !strcmp(name, "all");
}

static int unknown_stage(struct skep *s, const char *name)
{
	struct diag *e = diag_error(&s->diags, NO_SPAN, DIAG_BAD_OPTION, "no stage '%s'", name);
	struct suggest near;
	const char *stage;

	suggest_init(&near, name);
	for (unsigned i = 0; (stage = skep_stage(i, NULL)); i++)
		suggest_try(&near, stage);
	if (suggest_best(&near))
		diag_hint(&s->diags, e, "did you mean '%s'?", suggest_best(&near));
	else
		diag_hint(&s->diags, e, "`skep -d list` names them all");
	return SKEP_EUSER;
}

static int do_compile(struct skep *s, void *arg)
{
	const struct compile_call *c = arg;
	const char *dump = c->o->dump;
	bool tree = dump && (!strcmp(dump, "ast") || !strcmp(dump, "types"));
	int err;

	if (dump && !known_stage(dump))
		return unknown_stage(s, dump);
	module_new(s);
	s->meta.portable = c->o->portable;
	err = front(s, c, tree ? dump : NULL);
	if (err || tree)
		return err;
	err = compile_fns(s, c->o);
	s->image = s->object.p;
	s->image_size = s->object.n;
	return err;
}

int skep_compile(struct skep *s, const char *name, const char *text, size_t len,
	const struct skep_compile_options *o)
{
	static const struct skep_compile_options none;
	struct compile_call c = {name, text, len, o ? o : &none};

	return guarded(s, do_compile, &c);
}

/* An IPv4 and an IPv6 map are one file's: its first mistake is told once. */
static int read_lists(struct skep *s, void *arg)
{
	struct set_data d;

	(void)arg;
	for (uint32_t i = 0; i < s->meta.maps.n; i++) {
		if (s->meta.maps.v[i].role != MM_SET)
			continue;
		if (!set_read(&s->diags, NO_SPAN, &s->meta.maps.v[i], &d))
			return SKEP_EUSER;
		set_free(&d);
	}
	return SKEP_OK;
}

int skep_check_lists(struct skep *s)
{
	return guarded(s, read_lists, NULL);
}

const void *skep_object(const struct skep *s, size_t *size)
{
	*size = s->object.n;
	return s->object.n ? s->object.p : NULL;
}

const char *skep_dump(const struct skep *s)
{
	return s->dump.p ? s->dump.p : "";
}
