/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads an object image. The image may be damaged or hostile: every offset is checked before use,
 * and nothing is read that the sections' sizes do not cover. The format's structs are read by hand
 * because only one shape is accepted anyway: ELF64, little-endian, EM_BPF, relocatable.
 *
 * Ensures: per row of meta.progs the instructions (a copy) with their references; meta is valid;
 * every reference names a map of meta or a kernel function, inside the program.
 */
#include "load/internal.h"
#include "base/map.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct elf {
	struct loaded *l;
	const uint8_t *p;
	size_t size;
	Elf64_Ehdr h;
	const Elf64_Shdr *sh; /* aligned copy */
	const char *why;
};

static const char *no_text(struct elf *e, const char *why)
{
	if (!e->why)
		e->why = why;
	return "";
}

/* A string of a string section; "" and e->why when it is not inside. */
static const char *str_at(struct elf *e, uint32_t sec, uint32_t off)
{
	const Elf64_Shdr *s;

	if (sec >= e->h.e_shnum)
		return no_text(e, "a string table is missing");
	s = &e->sh[sec];
	if (s->sh_type != SHT_STRTAB || off >= s->sh_size ||
		!memchr(e->p + s->sh_offset + off, 0, s->sh_size - off))
		return no_text(e, "a name lies outside the string table");
	return (const char *)e->p + s->sh_offset + off;
}

static const char *sec_name(struct elf *e, uint32_t sec)
{
	return str_at(e, e->h.e_shstrndx, e->sh[sec].sh_name);
}

/* Section by name; 0 none. */
static uint32_t find_sec(void *arg, const char *name)
{
	struct elf *e = arg;

	for (uint32_t i = 1; i < e->h.e_shnum; i++) {
		if (e->sh[i].sh_type != SHT_NULL && !strcmp(sec_name(e, i), name))
			return i;
	}
	return 0;
}

static bool read_header(struct elf *e)
{
	Elf64_Shdr *sh;
	size_t bytes;

	e->why = "it is not an ELF file";
	if (e->size < sizeof(e->h) || memcmp(e->p, ELFMAG, SELFMAG))
		return false;
	memcpy(&e->h, e->p, sizeof(e->h));
	e->why = "it is not a 64-bit little-endian BPF object";
	if (e->h.e_ident[EI_CLASS] != ELFCLASS64 || e->h.e_ident[EI_DATA] != ELFDATA2LSB ||
		e->h.e_machine != EM_BPF || e->h.e_type != ET_REL)
		return false;
	e->why = "its section table is damaged";
	bytes = (size_t)e->h.e_shnum * sizeof(Elf64_Shdr);
	if (e->h.e_shentsize != sizeof(Elf64_Shdr) || e->h.e_shoff > e->size ||
		bytes > e->size - e->h.e_shoff || e->h.e_shstrndx >= e->h.e_shnum)
		return false;
	sh = arena_alloc(e->l->a, bytes);
	memcpy(sh, e->p + e->h.e_shoff, bytes);
	e->sh = sh;
	for (uint32_t i = 1; i < e->h.e_shnum; i++) {
		if (sh[i].sh_type == SHT_NULL || sh[i].sh_type == SHT_NOBITS)
			continue;
		if (sh[i].sh_offset > e->size || sh[i].sh_size > e->size - sh[i].sh_offset)
			return false;
	}
	e->why = NULL;
	return true;
}

static bool read_meta(struct elf *e)
{
	uint32_t s = find_sec(e, META_SECTION);

	if (!s) {
		e->why = "it was not made by skep (it has no section " META_SECTION ")";
		return false;
	}
	if (e->sh[s].sh_type == SHT_NOBITS) {
		e->why = "its side table is empty";
		return false;
	}
	return meta_read(&e->l->meta, e->l->a, e->p + e->sh[s].sh_offset, e->sh[s].sh_size,
		&e->why);
}

static uint32_t sym_count(const struct elf *e, uint32_t symtab)
{
	return symtab ? (uint32_t)(e->sh[symtab].sh_size / sizeof(Elf64_Sym)) : 0;
}

static Elf64_Sym sym_at(const struct elf *e, uint32_t symtab, uint32_t i)
{
	Elf64_Sym s = {0};

	if (symtab && i < sym_count(e, symtab))
		memcpy(&s, e->p + e->sh[symtab].sh_offset + i * sizeof(s), sizeof(s));
	return s;
}

static uint32_t find_symtab(const struct elf *e)
{
	for (uint32_t i = 1; i < e->h.e_shnum; i++) {
		if (e->sh[i].sh_type == SHT_SYMTAB)
			return i;
	}
	return 0;
}

/* The instructions of one program: its function symbol in its section. */
static bool read_prog(struct elf *e, struct smap *funcs, uint32_t symtab, uint32_t i)
{
	const struct meta_prog *row = &e->l->meta.progs.v[i];
	struct obj_prog *p = &image_of(e->l)->prog[i];
	uintptr_t at = (uintptr_t)smap_get(funcs, row->name);
	Elf64_Sym sym = at ? sym_at(e, symtab, (uint32_t)at - 1) : (Elf64_Sym){0};
	const Elf64_Shdr *s = &e->sh[sym.st_shndx < e->h.e_shnum ? sym.st_shndx : 0];

	e->why = "a program it lists is missing or damaged";
	if (!at || !sym.st_shndx || sym.st_shndx >= e->h.e_shnum ||
		s->sh_type != SHT_PROGBITS || strcmp(sec_name(e, sym.st_shndx), row->section))
		return false;
	if (!sym.st_size || sym.st_size % 8 || sym.st_value % 8 || sym.st_value > s->sh_size ||
		sym.st_size > s->sh_size - sym.st_value || sym.st_size > UINT32_MAX / 2 ||
		sym.st_value > UINT32_MAX / 2)
		return false;
	vec_push(e->l->a, &p->fns, ((struct obj_fn){.sec = sym.st_shndx,
		.off = (uint32_t)sym.st_value, .n = (uint32_t)(sym.st_size / sizeof(struct bpf_insn))}));
	p->n = (uint32_t)(sym.st_size / sizeof(struct bpf_insn));
	p->insn = arena_alloc(e->l->a, sym.st_size);
	memcpy(p->insn, e->p + s->sh_offset + sym.st_value, sym.st_size);
	e->why = NULL;
	return true;
}

static bool read_progs(struct elf *e, uint32_t symtab)
{
	struct smap funcs;

	smap_init(&funcs, e->l->a);
	for (uint32_t i = 1; i < sym_count(e, symtab); i++) {
		Elf64_Sym s = sym_at(e, symtab, i);

		if (ELF64_ST_TYPE(s.st_info) == STT_FUNC)
			smap_put(&funcs, str_at(e, e->sh[symtab].sh_link, s.st_name),
				(void *)(uintptr_t)(i + 1));
	}
	for (uint32_t i = 0; i < e->l->meta.progs.n; i++) {
		if (e->why || !read_prog(e, &funcs, symtab, i))
			return false;
	}
	return true;
}

static uint32_t map_named(const struct meta *m, const char *name)
{
	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (!strcmp(m->maps.v[i].kname, name))
			return i;
	}
	return META_NONE;
}

uint32_t prog_insn_at(const struct obj_prog *p, uint32_t sec, uint64_t off)
{
	for (uint32_t i = 0; i < p->fns.n; i++) {
		const struct obj_fn *f = &p->fns.v[i];

		if (f->sec == sec && off >= f->off && (off - f->off) / 8 < f->n)
			return f->at + (uint32_t)((off - f->off) / 8);
	}
	return UINT32_MAX;
}

#define FNS_MAX 256	     /* functions of a program: BPF_MAX_SUBPROGS */
#define INSNS_MAX 1000000u /* BPF_COMPLEXITY_LIMIT_INSNS: no kernel takes more */

/* The function at this place goes behind the program, if it is not there already; its index. */
static uint32_t add_fn(struct elf *e, struct obj_prog *p, uint32_t symtab, uint32_t sec, uint64_t off)
{
	const Elf64_Shdr *s = &e->sh[sec];
	struct bpf_insn *insn;
	Elf64_Sym sym = {0};
	uint32_t n;

	for (uint32_t i = 1; i < p->fns.n; i++) {
		if (p->fns.v[i].sec == sec && p->fns.v[i].off == off)
			return i;
	}
	for (uint32_t i = 1; i < sym_count(e, symtab); i++) {
		sym = sym_at(e, symtab, i);
		if (ELF64_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_shndx == sec && sym.st_value == off)
			break;
		sym.st_size = 0;
	}
	if (!sym.st_size || sym.st_size % 8 || s->sh_type != SHT_PROGBITS || off % 8 ||
		off > s->sh_size || sym.st_size > s->sh_size - off || p->fns.n == FNS_MAX ||
		sym.st_size / 8 > INSNS_MAX || p->n > INSNS_MAX || off > UINT32_MAX / 2)
		return 0;
	n = (uint32_t)(sym.st_size / 8);
	insn = ARENA_ARRAY(e->l->a, struct bpf_insn, p->n + n);
	memcpy(insn, p->insn, p->n * sizeof(*insn));
	memcpy(insn + p->n, e->p + s->sh_offset + off, n * sizeof(*insn));
	p->insn = insn;
	vec_push(e->l->a, &p->fns, ((struct obj_fn){.sec = sec, .off = (uint32_t)off, .at = p->n, .n = n}));
	p->n += n;
	return p->fns.n - 1;
}

/* A reference to code: the distance to it is known now. */
static bool read_func_ref(struct elf *e, struct obj_prog *p, uint32_t symtab, uint32_t insn,
	Elf64_Sym sym)
{
	uint32_t fn;

	e->why = "an instruction refers to code that is no function";
	if (p->insn[insn].code != (BPF_LD | BPF_IMM | BPF_DW) || insn + 1 >= p->n)
		return false;
	fn = add_fn(e, p, symtab, sym.st_shndx, sym.st_value + (uint32_t)p->insn[insn].imm);
	if (!fn)
		return false;
	p->insn[insn].src_reg = BPF_PSEUDO_FUNC;
	p->insn[insn].imm = (int32_t)(p->fns.v[fn].at - insn - 1);
	p->insn[insn + 1].imm = 0;
	e->why = NULL;
	return true;
}

/*
 * What a relocation means: a symbol without a section is a kernel function, one in a section of
 * code a function of the program, else it is a map.
 */
static bool read_ref(struct elf *e, struct obj_prog *p, uint32_t symtab, uint32_t insn,
	Elf64_Sym sym, const char *name)
{
	const struct bpf_insn *x = &p->insn[insn];
	struct obj_ref r = {.insn = insn, .map = META_NONE};

	if (sym.st_shndx && sym.st_shndx < e->h.e_shnum &&
		e->sh[sym.st_shndx].sh_flags & SHF_EXECINSTR)
		return read_func_ref(e, p, symtab, insn, sym);
	if (sym.st_shndx == SHN_UNDEF) {
		r.kind = REF_KFUNC;
		r.name = arena_strdup(e->l->a, name);
		e->why = "a kernel function is referred to by something that is no call";
		if (x->code != (BPF_JMP | BPF_CALL))
			return false;
	} else {
		e->why = "an instruction refers to something outside all sections";
		if (sym.st_shndx >= e->h.e_shnum)
			return false;
		/* Symbols in .maps are maps; in .rodata, .data or .bss they are a map's value. */
		r.kind = strcmp(sec_name(e, sym.st_shndx), ".maps") ? REF_VALUE : REF_MAP;
		r.map = map_named(&e->l->meta, name);
		e->why = "an instruction refers to something that is no map";
		if (r.map == META_NONE || x->code != (BPF_LD | BPF_IMM | BPF_DW) ||
			insn + 1 >= p->n)
			return false;
	}
	vec_push(e->l->a, &p->refs, r);
	e->why = NULL;
	return true;
}

/* The relocations of section s that lie in function fn; false: one is damaged. */
static bool read_rel(struct elf *e, struct obj_prog *p, uint32_t fn, uint32_t symtab, Elf64_Rel r,
	bool *mine)
{
	Elf64_Sym sym = sym_at(e, symtab, (uint32_t)ELF64_R_SYM(r.r_info));
	const char *name = str_at(e, e->sh[symtab].sh_link, sym.st_name);
	const struct obj_fn *f = &p->fns.v[fn];
	uint64_t at = r.r_offset - f->off;

	*mine = r.r_offset >= f->off && at / 8 < f->n;
	if (e->why)
		return false;
	return !*mine || (at % 8 == 0 &&
		read_ref(e, p, symtab, f->at + (uint32_t)(at / 8), sym, name));
}

static Elf64_Rel rel_at(const struct elf *e, const Elf64_Shdr *s, uint64_t k)
{
	Elf64_Rel r;

	memcpy(&r, e->p + s->sh_offset + k * sizeof(r), sizeof(r));
	return r;
}

static bool read_rels(struct elf *e, const Elf64_Shdr *s, uint32_t symtab)
{
	struct obj_image *im = image_of(e->l);
	uint64_t n = s->sh_size / sizeof(Elf64_Rel);

	for (uint64_t k = 0; k < n; k++) {
		bool mine = false;

		for (uint32_t i = 0; !mine && i < e->l->meta.progs.n; i++) {
			struct obj_prog *p = &im->prog[i];

			if (p->fns.v[0].sec == s->sh_info &&
				!read_rel(e, p, 0, symtab, rel_at(e, s, k), &mine))
				return false;
		}
	}
	return true;
}

static bool is_rel(const Elf64_Shdr *s, uint32_t symtab)
{
	return s->sh_type == SHT_REL && symtab && s->sh_link == symtab;
}

/* Those of the functions that a program brought along, and of what these bring along. */
static bool read_fn_rels(struct elf *e, struct obj_prog *p, uint32_t symtab)
{
	for (uint32_t fn = 1; fn < p->fns.n; fn++) {
		for (uint32_t i = 1; i < e->h.e_shnum; i++) {
			const Elf64_Shdr *s = &e->sh[i];
			bool mine;

			if (!is_rel(s, symtab) || s->sh_info != p->fns.v[fn].sec)
				continue;
			for (uint64_t k = 0; k < s->sh_size / sizeof(Elf64_Rel); k++) {
				if (!read_rel(e, p, fn, symtab, rel_at(e, s, k), &mine))
					return false;
			}
		}
	}
	return true;
}

static bool read_all_rels(struct elf *e, uint32_t symtab)
{
	for (uint32_t i = 1; i < e->h.e_shnum; i++) {
		if (is_rel(&e->sh[i], symtab) && !read_rels(e, &e->sh[i], symtab)) {
			no_text(e, "a relocation is damaged");
			return false;
		}
	}
	for (uint32_t i = 0; i < e->l->meta.progs.n; i++) {
		if (!read_fn_rels(e, &image_of(e->l)->prog[i], symtab)) {
			no_text(e, "a relocation is damaged");
			return false;
		}
	}
	return true;
}

static void read_license(struct elf *e)
{
	uint32_t s = find_sec(e, "license");
	struct obj_image *im = image_of(e->l);
	size_t n;

	if (!s || e->sh[s].sh_type != SHT_PROGBITS)
		return;
	n = e->sh[s].sh_size < sizeof(im->license) ? e->sh[s].sh_size : sizeof(im->license) - 1;
	memcpy(im->license, e->p + e->sh[s].sh_offset, n);
}

/* The one form our writer gives: types right behind the header, where the reader leaves them. */
static bool plain_btf(const struct obj_image *im)
{
	struct btf_header h;

	if (im->btf_size < sizeof(h))
		return false;
	memcpy(&h, im->btf, sizeof(h));
	return h.magic == BTF_MAGIC && h.hdr_len == sizeof(h) && !h.type_off;
}

static bool read_btf(struct elf *e)
{
	struct obj_image *im = image_of(e->l);
	uint32_t s = find_sec(e, ".BTF"), x = find_sec(e, ".BTF.ext");
	uint8_t *copy;

	if (!s || e->sh[s].sh_type != SHT_PROGBITS || e->sh[s].sh_size > UINT32_MAX / 2)
		return true;
	copy = arena_alloc(e->l->a, e->sh[s].sh_size + 1);
	memcpy(copy, e->p + e->sh[s].sh_offset, e->sh[s].sh_size);
	im->btf = copy;
	im->btf_size = (uint32_t)e->sh[s].sh_size;
	e->why = "its BTF is damaged";
	if (!plain_btf(im))
		return false;
	im->local = kbtf_from_bytes(e->l->a, copy, im->btf_size, &e->why);
	if (!im->local)
		return false;
	e->why = NULL;
	if (!x || e->sh[x].sh_type != SHT_PROGBITS)
		return true;
	return ext_read(e->l, e->p + e->sh[x].sh_offset, e->sh[x].sh_size, find_sec, e, &e->why);
}

/* Sources go into the diagnostics unless the compiler already put them there. */
static void add_sources(struct loaded *l)
{
	struct obj_image *im = image_of(l);
	const struct meta *m = &l->meta;

	im->src_base = ARENA_ARRAY(l->a, uint32_t, m->sources.n + 1);
	for (uint32_t i = 0; i < m->sources.n; i++) {
		const struct meta_source *s = &m->sources.v[i];

		for (uint32_t k = 0; k < l->d->sources.n && !im->src_base[i]; k++) {
			const struct source *have = &l->d->sources.v[k];

			if (!strcmp(have->name, s->name) && !strcmp(have->text, s->text))
				im->src_base[i] = have->base;
		}
		if (!im->src_base[i])
			im->src_base[i] =
				diags_add_source(l->d, s->name, s->text, strlen(s->text));
	}
}

struct skep_span load_span(const struct loaded *l, uint32_t off, uint32_t len)
{
	for (uint32_t i = 0; off && i < l->meta.sources.n; i++) {
		const struct meta_source *s = &l->meta.sources.v[i];
		size_t size = strlen(s->text);

		if (off >= s->base && off - s->base <= size)
			return (struct skep_span){image_of(l)->src_base[i] + (off - s->base), len};
	}
	return NO_SPAN;
}

static bool read_elf(struct elf *e)
{
	uint32_t symtab;

	if (!read_header(e) || !read_meta(e))
		return false;
	symtab = find_symtab(e);
	image_of(e->l)->prog = ARENA_ARRAY(e->l->a, struct obj_prog, e->l->meta.progs.n + 1);
	if (!read_progs(e, symtab) || !read_all_rels(e, symtab))
		return false;
	read_license(e);
	return read_btf(e) && !e->why;
}

/* All memory first: running out of it must not leave tables that load_close would misread. */
static int init_tables(struct loaded *l)
{
	const struct meta *m = &l->meta;
	int *fd = ARENA_ARRAY(l->a, int, m->maps.n + 1);
	void **mem = ARENA_ARRAY(l->a, void *, m->maps.n + 1);
	struct loaded_prog *prog = ARENA_ARRAY(l->a, struct loaded_prog, m->progs.n + 1);

	for (uint32_t i = 0; i < m->maps.n; i++)
		fd[i] = -1;
	for (uint32_t i = 0; i < m->progs.n; i++) {
		prog[i].fd = -1;
		prog[i].insns = image_of(l)->prog[i].n;
	}
	l->map_fd = fd;
	l->map_mem = mem;
	l->prog = prog;
	return SKEP_OK;
}

int load_open(struct loaded *l, struct arena *a, struct target *t, struct skep_diags *d,
	const void *elf, size_t size)
{
	struct elf e = {.l = l, .p = elf, .size = size};
	struct obj_image *im = ARENA_NEW(a, struct obj_image);

	*l = (struct loaded){.a = a, .d = d, .target = t, .image = im};
	im->btf_fd = -1;
	if (!read_elf(&e)) {
		struct diag *x = diag_error(d, NO_SPAN, DIAG_BAD_OBJECT,
			"this is no object that skep can load: %s", e.why);

		diag_hint(d, x, "make one with `skep build -o FILE SCRIPT`");
		l->meta = (struct meta){.a = a};
		return SKEP_EUSER;
	}
	if (l->meta.target_arch && t->arch && l->meta.target_arch != (uint32_t)t->arch) {
		struct diag *x = diag_error(d, NO_SPAN, DIAG_BAD_OBJECT,
			"this object is for %s, but this machine is %s",
			kern_arch_name(l->meta.target_arch), kern_arch_name(t->arch));

		diag_hint(d, x, "compile it with --target %s", kern_arch_name(t->arch));
		l->meta = (struct meta){.a = a};
		return SKEP_EUSER;
	}
	add_sources(l);
	return init_tables(l);
}
