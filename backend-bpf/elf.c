/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes the object file: code, maps and values, BTF, relocations, side table.
 *
 * Requires: code[i] is the code of meta->progs.v[i]. Ensures: the object is accepted by our loader
 * and by libbpf (bpftool prog loadall, ip link … xdp obj), same input gives same bytes.
 *
 * References: an ld_imm64 of a map or value has src_reg 0, as clang's; the symbol's section tells
 * which it is. (LLVM 14's disassembler crashes on BPF_PSEUDO_MAP_VALUE there.) For values imm has
 * the offset, where libbpf expects the addend. A kfunc call carries the id it had on the compiling
 * machine, which loaders may use when it still fits.
 */
#include "backend-bpf/objsec.h"
#include <elf.h>
#include <errno.h>
#include <string.h>

#define R_BPF_64_64 1     /* map or value in ld_imm64 */
#define R_BPF_64_ABS64 2  /* address of a callback in a struct_ops variable */
#define R_BPF_64_32 10    /* kfunc in a call */

struct sec { /* a section of the file; section 0 is the null section */
	const char *name;
	uint32_t type, flags, align, link, info, entsize;
	const void *data; /* NULL: NOBITS */
	size_t size;
};

struct elfw {
	struct arena *a;
	struct ir_module *m;
	const struct code *code;
	struct obj_layout l;
	VEC(struct sec) secs;
	VEC(Elf64_Sym) syms;
	struct buf strs;
	uint32_t *shndx;	/* per obj_layout section */
	VEC(Elf64_Rel) *rels;	/* per obj_layout section */
	uint32_t *map_sym, *prog_sym, *kfunc_sym;
	uint32_t locals; /* symbols that are no other file's business stand first */
};

static uint32_t put_str(struct elfw *w, const char *s)
{
	uint32_t at = (uint32_t)w->strs.n;

	buf_put(&w->strs, s, strlen(s) + 1);
	return at;
}

static uint32_t put_sec(struct elfw *w, struct sec s)
{
	vec_push(w->a, &w->secs, s);
	return w->secs.n; /* section 0 is the null section */
}

static uint32_t put_sym(struct elfw *w, const char *name, unsigned type, uint32_t shndx,
	uint64_t value, uint64_t size)
{
	Elf64_Sym s = {.st_name = put_str(w, name), .st_info = ELF64_ST_INFO(STB_GLOBAL, type),
		.st_shndx = (Elf64_Half)shndx, .st_value = value, .st_size = size};

	vec_push(w->a, &w->syms, s);
	return w->syms.n - 1;
}

static void put_rel(struct elfw *w, uint32_t sec, uint64_t off, uint32_t sym, uint32_t type)
{
	Elf64_Rel r = {.r_offset = off, .r_info = ELF64_R_INFO((uint64_t)sym, type)};

	vec_push(w->a, &w->rels[sec], r);
}

/*
 * The instructions of one program, prepared for relocation. libbpf takes a reference to a function
 * as clang makes it for a static one: to the section, the place there in imm.
 */
static const struct bpf_insn *ready_code(struct elfw *w, uint32_t prog)
{
	const struct code *c = &w->code[prog];
	struct bpf_insn *out = ARENA_ARRAY(w->a, struct bpf_insn, c->n);

	memcpy(out, c->insn, c->n * sizeof(*out));
	for (uint32_t i = 0; i < c->relocs.n; i++) {
		const struct code_reloc *r = &c->relocs.v[i];
		uint32_t wide = r->kind == CR_MAP || r->kind == CR_MAP_VALUE;

		if (r->insn + wide >= c->n)
			trap_raise(w->m->trap, SKEP_EBUG, "elf: reference outside %s",
				w->m->meta->progs.v[prog].name);
		if (wide) {
			out[r->insn].src_reg = 0;
			out[r->insn].imm = r->kind == CR_MAP ? 0 : (int32_t)r->add;
			out[r->insn + 1].imm = 0;
		} else if (r->kind == CR_FUNC) {
			uint32_t off;

			obj_place(&w->l, w->code, prog, c->fns.v[r->index].start, &off);
			out[r->insn].src_reg = 0;
			out[r->insn].imm = (int32_t)off;
		} else if (r->kind == CR_KFUNC) {
			out[r->insn].src_reg = BPF_PSEUDO_KFUNC_CALL;
			out[r->insn].imm = (int32_t)w->m->kfuncs.v[r->index].btf_id;
		}
	}
	return out;
}

static void put_rels(struct elfw *w, uint32_t prog)
{
	const struct code *c = &w->code[prog];

	for (uint32_t i = 0; i < c->relocs.n; i++) {
		const struct code_reloc *r = &c->relocs.v[i];
		uint32_t off, sec = obj_place(&w->l, w->code, prog, r->insn, &off);

		if (r->kind == CR_FUNC)
			put_rel(w, sec, off, 1, R_BPF_64_64); /* the section's symbol */
		else if (r->kind == CR_KFUNC)
			put_rel(w, sec, off, w->kfunc_sym[r->index], R_BPF_64_32);
		else if (r->kind != CR_FIELD)
			put_rel(w, sec, off, w->map_sym[r->index], R_BPF_64_64);
	}
}

static const void *code_bytes(struct elfw *w, uint32_t s)
{
	uint8_t *p = arena_alloc(w->a, w->l.secs.v[s].size);

	for (uint32_t i = 0; i < w->m->meta->progs.n; i++) {
		const struct code *c = &w->code[i];
		const struct bpf_insn *insn = ready_code(w, i);
		uint32_t own = code_main(c);

		if (w->l.prog_sec[i] == s)
			memcpy(p + w->l.prog_off[i], insn, own * sizeof(*insn));
		if (w->l.text == s)
			memcpy(p + w->l.text_off[i], insn + own, (c->n - own) * sizeof(*insn));
	}
	return p;
}

/* Plain members of struct_ops variables, in place; callbacks are relocations. */
static const void *ops_bytes(struct elfw *w, uint32_t s)
{
	uint8_t *p = arena_alloc(w->a, w->l.secs.v[s].size);
	const struct meta *meta = w->m->meta;

	for (uint32_t i = 0; i < meta->ops.n; i++) {
		const struct meta_ops *o = &meta->ops.v[i];
		struct obj_member *v;

		obj_ops_layout(w->m, o, w->a, &v);
		for (uint32_t k = 0; k < o->members.n; k++) {
			const struct meta_ops_member *om = &o->members.v[k];
			uint32_t off = w->l.ops_off[i] + v[k].off;

			if (om->prog != META_NONE)
				put_rel(w, s, off, w->prog_sym[om->prog], R_BPF_64_ABS64);
			else if (om->text)
				memcpy(p + off, om->text, strlen(om->text));
			else
				memcpy(p + off, &om->value, v[k].size);
		}
	}
	return p;
}

static const void *sec_bytes(struct elfw *w, uint32_t s)
{
	const struct obj_sec *sec = &w->l.secs.v[s];
	const uint8_t *init = sec->map == META_NONE ? NULL : w->m->meta->maps.v[sec->map].init;

	switch (sec->kind) {
	case OBJ_CODE:
	case OBJ_TEXT:
		return code_bytes(w, s);
	case OBJ_OPS:
		return ops_bytes(w, s);
	case OBJ_BSS:
		return NULL;
	default:
		return init ? init : arena_alloc(w->a, sec->size);
	}
}

static void put_layout_secs(struct elfw *w)
{
	for (uint32_t s = 0; s < w->l.secs.n; s++) {
		const struct obj_sec *sec = &w->l.secs.v[s];
		struct sec e = {.name = sec->name, .type = SHT_PROGBITS, .align = 8,
			.flags = SHF_ALLOC | SHF_WRITE, .size = sec->size};

		if (sec->kind == OBJ_CODE || sec->kind == OBJ_TEXT)
			e.flags = SHF_ALLOC | SHF_EXECINSTR;
		if (sec->kind == OBJ_RODATA)
			e.flags = SHF_ALLOC;
		if (sec->kind == OBJ_BSS)
			e.type = SHT_NOBITS;
		w->shndx[s] = put_sec(w, e);
	}
}

/* Local ones: the section .text and the functions in it. */
static void put_text_symbols(struct elfw *w)
{
	uint32_t first = w->syms.n, sec = w->l.text == META_NONE ? 0 : w->shndx[w->l.text];

	if (sec)
		put_sym(w, "", STT_SECTION, sec, 0, 0);
	for (uint32_t i = 0; i < w->m->meta->progs.n; i++) {
		const struct code *c = &w->code[i];

		for (uint32_t k = 0; k < c->fns.n; k++) {
			uint32_t end = k + 1 < c->fns.n ? c->fns.v[k + 1].start : c->n, off;

			obj_place(&w->l, w->code, i, c->fns.v[k].start, &off);
			put_sym(w, c->fns.v[k].name, STT_FUNC, sec, off,
				(uint64_t)(end - c->fns.v[k].start) * 8);
		}
	}
	w->locals = w->syms.n;
	for (uint32_t i = first; i < w->locals; i++)
		w->syms.v[i].st_info = ELF64_ST_INFO(STB_LOCAL, ELF64_ST_TYPE(w->syms.v[i].st_info));
}

static void put_symbols(struct elfw *w)
{
	const struct meta *meta = w->m->meta;
	struct obj_member *unused;

	vec_push(w->a, &w->syms, (Elf64_Sym){0});
	put_text_symbols(w);
	for (uint32_t i = 0; i < meta->progs.n; i++)
		w->prog_sym[i] = put_sym(w, meta->progs.v[i].name, STT_FUNC,
			w->shndx[w->l.prog_sec[i]], w->l.prog_off[i], code_main(&w->code[i]) * 8);
	for (uint32_t i = 0; i < meta->maps.n; i++) {
		uint32_t s = w->l.map_sec[i];

		if (s == META_NONE)
			continue;
		w->map_sym[i] = put_sym(w, meta->maps.v[i].kname, STT_OBJECT, w->shndx[s],
			w->l.map_off[i],
			w->l.secs.v[s].kind == OBJ_MAPS ? OBJ_MAP_BYTES : w->l.secs.v[s].size);
	}
	for (uint32_t i = 0; i < meta->ops.n; i++) {
		for (uint32_t s = 0; s < w->l.secs.n; s++) {
			if (w->l.secs.v[s].kind == OBJ_OPS)
				put_sym(w, meta->ops.v[i].name, STT_OBJECT, w->shndx[s],
					w->l.ops_off[i],
					obj_ops_layout(w->m, &meta->ops.v[i], w->a, &unused));
		}
	}
	for (uint32_t i = 0; i < w->m->kfuncs.n; i++)
		w->kfunc_sym[i] = put_sym(w, w->m->kfuncs.v[i].name, STT_NOTYPE, SHN_UNDEF, 0, 0);
}

static void put_extra_secs(struct elfw *w)
{
	static const char license[] = "Dual BSD/GPL";
	struct buf btf, ext, meta;

	put_sec(w, (struct sec){.name = "license", .type = SHT_PROGBITS, .align = 1,
		.flags = SHF_ALLOC | SHF_WRITE, .data = license, .size = sizeof(license)});
	buf_init(&btf, w->a);
	buf_init(&ext, w->a);
	buf_init(&meta, w->a);
	btfw_build(w->m, w->code, &btf, &ext);
	put_sec(w, (struct sec){.name = ".BTF", .type = SHT_PROGBITS, .align = 8, .data = btf.p,
		.size = btf.n});
	put_sec(w, (struct sec){.name = ".BTF.ext", .type = SHT_PROGBITS, .align = 8,
		.data = ext.p, .size = ext.n});
	meta_write(w->m->meta, &meta);
	put_sec(w, (struct sec){.name = META_SECTION, .type = SHT_NOTE, .align = 8,
		.data = meta.p, .size = meta.n});
}

/* Relocations, symbols, names: after everything that refers to them. */
static uint32_t put_tables(struct elfw *w)
{
	uint32_t nrel = 0, symtab, strtab;

	for (uint32_t s = 0; s < w->l.secs.n; s++)
		nrel += w->rels[s].n != 0;
	symtab = w->secs.n + nrel + 1;
	strtab = symtab + 1;
	for (uint32_t s = 0; s < w->l.secs.n; s++) {
		if (!w->rels[s].n)
			continue;
		put_sec(w, (struct sec){.name = arena_printf(w->a, ".rel%s", w->l.secs.v[s].name),
			.type = SHT_REL, .align = 8, .flags = SHF_INFO_LINK, .link = symtab,
			.info = w->shndx[s], .entsize = sizeof(Elf64_Rel), .data = w->rels[s].v,
			.size = w->rels[s].n * sizeof(Elf64_Rel)});
	}
	put_sec(w, (struct sec){.name = ".symtab", .type = SHT_SYMTAB, .align = 8, .link = strtab,
		.info = w->locals, .entsize = sizeof(Elf64_Sym), .data = w->syms.v,
		.size = w->syms.n * sizeof(Elf64_Sym)});
	return put_sec(w, (struct sec){.name = ".strtab", .type = SHT_STRTAB, .align = 1});
}

/* Header, sections in order, section table; out is empty before. */
static void emit(struct elfw *w, uint32_t strtab, struct buf *out)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				EV_CURRENT},
		.e_type = ET_REL, .e_machine = EM_BPF, .e_version = EV_CURRENT,
		.e_ehsize = sizeof(h), .e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (Elf64_Half)(w->secs.n + 1), .e_shstrndx = (Elf64_Half)strtab};
	Elf64_Shdr *sh = ARENA_ARRAY(w->a, Elf64_Shdr, w->secs.n + 1);

	for (uint32_t i = 0; i < w->secs.n; i++)
		sh[i + 1].sh_name = put_str(w, w->secs.v[i].name);
	w->secs.v[strtab - 1].data = w->strs.p;
	w->secs.v[strtab - 1].size = w->strs.n;
	buf_put(out, &h, sizeof(h));
	for (uint32_t i = 0; i < w->secs.n; i++) {
		const struct sec *s = &w->secs.v[i];
		Elf64_Shdr *x = &sh[i + 1];

		buf_align(out, s->align);
		x->sh_type = s->type;
		x->sh_flags = s->flags;
		x->sh_offset = out->n;
		x->sh_size = s->size;
		x->sh_link = s->link;
		x->sh_info = s->info;
		x->sh_addralign = s->align;
		x->sh_entsize = s->entsize;
		if (s->type != SHT_NOBITS && s->size)
			buf_put(out, s->data, s->size);
	}
	buf_align(out, 8);
	h.e_shoff = out->n;
	buf_put(out, sh, (w->secs.n + 1) * sizeof(*sh));
	memcpy(out->p, &h, sizeof(h));
}

/* Texts for the verifier's lines and for messages when a saved object is loaded. */
static void add_sources(struct ir_module *m)
{
	if (m->meta->sources.n)
		return;
	for (uint32_t i = 0; i < m->diags->sources.n; i++) {
		const struct source *s = &m->diags->sources.v[i];

		vec_push(m->a, &m->meta->sources, (struct meta_source){s->name, s->text, s->base});
	}
}

void back_fixup(struct ir_module *m, uint32_t prog, const struct code_reloc *r)
{
	const struct ir_field *f = &m->fields.v[r->index];
	const char *event, *field;

	if (f->fact == FACT_OFF && m->target && f->root[0])
		m->meta->needs |= 1ull << KF_BTF;
	if (f->fact != FACT_TP)
		return;
	event = strchr(f->path, '.') + 1; /* category.event.field */
	field = strchr(event, '.') + 1;
	vec_push(m->a, &m->meta->fixups,
		(struct meta_fixup){.prog = prog, .insn = r->insn,
			.category = arena_strndup(m->a, f->path, (size_t)(event - f->path) - 1),
			.event = arena_strndup(m->a, event, (size_t)(field - event) - 1),
			.field = field, .off = (uint32_t)f->value, .size = f->size});
}

int elf_write(struct ir_module *m, const struct code *code, struct buf *out)
{
	struct elfw w = {.a = m->a, .m = m, .code = code};
	int errors = m->diags->errors;

	add_sources(m);
	obj_layout(m, code, &w.l);
	w.shndx = ARENA_ARRAY(m->a, uint32_t, w.l.secs.n + 1);
	w.rels = arena_alloc(m->a, sizeof(*w.rels) * (w.l.secs.n + 1));
	w.map_sym = ARENA_ARRAY(m->a, uint32_t, m->meta->maps.n + 1);
	w.prog_sym = ARENA_ARRAY(m->a, uint32_t, m->meta->progs.n + 1);
	w.kfunc_sym = ARENA_ARRAY(m->a, uint32_t, m->kfuncs.n + 1);
	buf_init(&w.strs, m->a);
	buf_putc(&w.strs, 0);
	put_layout_secs(&w);
	put_symbols(&w);
	for (uint32_t i = 0; i < m->meta->progs.n; i++)
		put_rels(&w, i);
	for (uint32_t s = 0; s < w.l.secs.n; s++)
		w.secs.v[w.shndx[s] - 1].data = sec_bytes(&w, s);
	put_extra_secs(&w);
	if (m->diags->errors > errors)
		return -ENOTSUP;
	if (w.secs.n * 2 + 4 >= SHN_LORESERVE) {
		diag_error(m->diags, NO_SPAN, DIAG_TOO_BIG, "%u sections are more than an object has",
			w.secs.n);
		return -ENOTSUP;
	}
	emit(&w, put_tables(&w), out);
	return 0;
}
