/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Looking inside the compiler: any stage as text that can be read again, and single passes run on
 * such text, so that a debugging session is a test case.
 */
#include "driver/driver.h"
#include "skep/compile.h"
#include <linux/btf.h>
#include <string.h>

static void heading(struct skep *s, const char *stage, const char *name)
{
	buf_printf(&s->dump, "%s; %s: after %s\n", s->dump.n ? "\n" : "", name, stage);
}

void dump_fn(struct skep *s, const char *stage, const struct ir_fn *f)
{
#ifndef SKEP_NO_IR_TEXT
	if (!s->dump.n)
		ir_print_decls(f->m, &s->dump);
#endif
	heading(s, stage, f->name);
	ir_print_fn(f, &s->dump);
}

void dump_code(struct skep *s, const char *name, const struct bpf_insn *insn, uint32_t n)
{
	buf_printf(&s->dump, "%s; %s: %u instructions\n", s->dump.n ? "\n" : "", name, n);
	disasm_text(insn, n, &s->a, &s->dump);
}

void dump_btf(struct skep *s, const void *btf, size_t size)
{
	static const char *const kinds[] = {"void", "int", "ptr", "array", "struct", "union", "enum",
		"fwd", "typedef", "volatile", "const", "restrict", "func", "func_proto", "var",
		"datasec", "float", "decl_tag", "type_tag", "enum64"};
	const char *why = NULL;
	struct kbtf *b = kbtf_from_bytes(&s->a, btf, size, &why);

	if (!b) {
		buf_printf(&s->dump, "; BTF of %zu bytes that cannot be read: %s\n", size, why);
		return;
	}
	buf_printf(&s->dump, "%s; BTF: %zu bytes\n", s->dump.n ? "\n" : "", size);
	for (uint32_t id = 1; id <= kbtf_count(b); id++) {
		const struct btf_type *t = kbtf_type(b, id);
		unsigned kind = btf_kind_of(t);
		uint32_t bytes = kbtf_size(b, id);

		buf_printf(&s->dump, "[%u] %s", id,
			kind < sizeof(kinds) / sizeof(*kinds) ? kinds[kind] : "?");
		if (*kbtf_name(b, id))
			buf_printf(&s->dump, " %s", kbtf_name(b, id));
		if (bytes)
			buf_printf(&s->dump, ", %u bytes", bytes);
		buf_putc(&s->dump, '\n');
	}
}

/* ---- passes on text ---- */

struct passes_call {
	const char *name, *text;
	size_t len;
	const char *list;
};

#ifdef SKEP_NO_IR_TEXT
/* The static programs, for boards: whoever writes a pass builds skep. */
static int do_passes(struct skep *s, void *arg)
{
	struct diag *e = diag_error(&s->diags, NO_SPAN, DIAG_BAD_OPTION, "this skep does not read IR");

	(void)arg;
	diag_hint(&s->diags, e, "the one that plain 'make' builds does");
	return SKEP_EUSER;
}
#else
static const struct pass *pass_by_name(struct skep *s, const char *name)
{
	struct suggest near;
	struct diag *e;

	suggest_init(&near, name);
	for (unsigned i = 0; i < npasses; i++) {
		if (!strcmp(passes[i].name, name))
			return &passes[i];
		suggest_try(&near, passes[i].name);
	}
	e = diag_error(&s->diags, NO_SPAN, DIAG_BAD_OPTION, "no pass '%s'", name);
	if (suggest_best(&near))
		diag_hint(&s->diags, e, "did you mean '%s'?", suggest_best(&near));
	return NULL;
}

/* A pass takes the IR's operations or the machine's; asm the machine's after all passes. */
static bool fitting(struct skep *s, const char *name, bool machine)
{
	for (uint32_t i = 0; i < s->m->fns.n; i++) {
		struct diag *e;

		if (s->m->fns.v[i]->machine == machine)
			continue;
		e = diag_error(&s->diags, NO_SPAN, DIAG_BAD_OPTION, "'%s' works on the %s", name,
			machine ? "machine's operations" : "IR's own operations");
		diag_hint(&s->diags, e,
			machine ? "run isel before it" : "isel has already run on this text");
		return false;
	}
	return true;
}

static void emit_all(struct skep *s)
{
	for (uint32_t i = 0; i < s->m->fns.n; i++) {
		const struct ir_fn *f = s->m->fns.v[i];
		struct code code = {0}, *subs = ARENA_ARRAY(&s->a, struct code, f->subs.n + 1);

		s->fn = f;
		s->pass = "emit";
		for (uint32_t k = 0; k < f->subs.n; k++)
			back_emit(f->subs.v[k], &subs[k]);
		back_emit(f, &code);
		back_join(f, &code, subs);
		dump_code(s, s->fn->name, code.insn, code.n);
	}
	s->fn = NULL;
	s->pass = NULL;
}

static int run_named(struct skep *s, char *list)
{
	char *save, *name;

	for (name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		bool assemble = !strcmp(name, "asm");
		const struct pass *p = assemble ? NULL : pass_by_name(s, name);

		if (!assemble && !p)
			return SKEP_EUSER;
		if (!fitting(s, name, assemble || p->takes == MACHINE))
			return SKEP_EUSER;
		if (assemble) {
			emit_all(s);
			return SKEP_OK;
		}
		for (uint32_t i = 0; i < s->m->fns.n; i++) {
			struct ir_fn *f = s->m->fns.v[i];

			for (uint32_t k = 0; k < f->subs.n; k++)
				run_pass(s, p, f->subs.v[k]);
			run_pass(s, p, f);
		}
		if (s->diags.errors)
			return SKEP_EUSER;
	}
	ir_print_module(s->m, &s->dump);
	return SKEP_OK;
}

static void must_keep_rules(struct skep *s, const struct ir_fn *f)
{
	struct buf why;

	buf_init(&why, &s->a);
	buf_puts(&why, "");
	if (!f->machine && !ir_check(f, &why))
		diag_error(&s->diags, NO_SPAN, DIAG_IR, "%s breaks a rule: %.*s", f->name,
			(int)(why.n - 1), why.p);
}

static int do_passes(struct skep *s, void *arg)
{
	const struct passes_call *c = arg;
	uint32_t base = diags_add_source(&s->diags, c->name, c->text, c->len);

	module_new(s);
	if (!ir_parse(s->m, c->text, c->len, base, &back_machine_names) || s->diags.errors)
		return SKEP_EUSER;
	for (uint32_t i = 0; i < s->m->fns.n; i++) {
		const struct ir_fn *f = s->m->fns.v[i];

		for (uint32_t k = 0; k < f->subs.n; k++)
			must_keep_rules(s, f->subs.v[k]);
		must_keep_rules(s, f);
	}
	if (s->diags.errors)
		return SKEP_EUSER;
	return run_named(s, arena_strdup(&s->a, c->list ? c->list : ""));
}
#endif

int skep_run_passes(struct skep *s, const char *name, const char *text, size_t len,
	const char *list)
{
	struct passes_call c = {name, text, len, list};

	return guarded(s, do_passes, &c);
}
