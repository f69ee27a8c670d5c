/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of an ELF file (64 bits, this machine's byte order), from .symtab and .dynsym, and from
 * the file that .symtab was moved to. It may be anything: every offset is checked, and pieces are
 * read rather than mapped, since a mapped file that is cut short would end the program.
 */
#include "run/sym.h"
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MOST 65536
#define TABLE_MOST ((uint64_t)1 << 30) /* bytes of a symbol or string table */

struct func {
	uint64_t addr, size;
	const char *name;
};

struct elf_syms {
	struct arena *a;
	int fd;
	const char *debug_dir;
	bool read;
	VEC(Elf64_Phdr) load; /* PT_LOAD */
	VEC(struct func) funcs;
};

struct elf_syms *elf_syms_new(struct arena *a, int fd, const char *debug_dir)
{
	struct elf_syms *e = ARENA_NEW(a, struct elf_syms);

	*e = (struct elf_syms){.a = a, .fd = fd, .debug_dir = debug_dir};
	return e;
}

void elf_syms_close(struct elf_syms *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

/* size bytes at off, and a NUL behind them; NULL when the file has not so many. */
static void *piece(struct elf_syms *e, uint64_t off, uint64_t size)
{
	char *p;

	if (!size || size > TABLE_MOST || off > INT64_MAX - size)
		return NULL;
	p = arena_alloc(e->a, size + 1);
	for (uint64_t have = 0; have < size;) {
		ssize_t n = pread(e->fd, p + have, size - have, (off_t)(off + have));

		if (n <= 0)
			return NULL;
		have += (uint64_t)n;
	}
	p[size] = 0;
	return p;
}

static void take_table(struct elf_syms *e, const Elf64_Shdr *syms, const Elf64_Shdr *strs)
{
	const Elf64_Sym *v = piece(e, syms->sh_offset, syms->sh_size);
	const char *names = v ? piece(e, strs->sh_offset, strs->sh_size) : NULL;

	for (uint64_t i = 0; names && i < syms->sh_size / sizeof(*v); i++) {
		unsigned type = ELF64_ST_TYPE(v[i].st_info);

		if ((type != STT_FUNC && type != STT_GNU_IFUNC) || !v[i].st_value ||
			v[i].st_shndx == SHN_UNDEF || v[i].st_name >= strs->sh_size)
			continue;
		vec_push(e->a, &e->funcs,
			(struct func){v[i].st_value, v[i].st_size, names + v[i].st_name});
	}
}

static int compare(const void *x, const void *y)
{
	const struct func *a = x, *b = y;
	size_t under_a = strspn(a->name, "_"), under_b = strspn(b->name, "_");

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->size != b->size) /* the one that says where it ends comes last and wins */
		return a->size < b->size ? -1 : 1;
	if (under_a != under_b) /* malloc rather than __libc_malloc */
		return under_a > under_b ? -1 : 1;
	return -strcmp(a->name, b->name);
}

/* "xx/yyyy.debug" of the build id in a segment of notes; NULL: it has none. */
static const char *build_id(struct elf_syms *e, const Elf64_Phdr *p)
{
	const uint8_t *notes = p->p_filesz <= NOTES_MOST ? piece(e, p->p_offset, p->p_filesz) : NULL;
	struct buf b;

	for (uint64_t at = 0; notes && p->p_filesz - at >= sizeof(Elf64_Nhdr);) {
		Elf64_Nhdr n;
		uint64_t name = at + sizeof(n), desc, end;

		memcpy(&n, notes + at, sizeof(n));
		desc = name + (((uint64_t)n.n_namesz + 3) & ~3ull);
		end = desc + (((uint64_t)n.n_descsz + 3) & ~3ull);
		if (end > p->p_filesz)
			return NULL;
		at = end;
		if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != 4 || memcmp(notes + name, "GNU", 4) ||
			n.n_descsz < 2)
			continue;
		buf_init(&b, e->a);
		for (uint32_t i = 0; i < n.n_descsz; i++)
			buf_printf(&b, "%02x%s", notes[desc + i], i ? "" : "/");
		buf_puts(&b, ".debug");
		return b.p;
	}
	return NULL;
}

static bool is_elf(const Elf64_Ehdr *h)
{
	return h && !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] ==
		       (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
}

/* Symbols of the sections of this kind. */
static bool take_sections(struct elf_syms *e, const Elf64_Ehdr *h, unsigned first, unsigned second)
{
	const Elf64_Shdr *sh =
		h->e_shentsize == sizeof(*sh) ? piece(e, h->e_shoff, h->e_shnum * sizeof(*sh)) : NULL;
	bool first_there = false;

	for (unsigned i = 0; sh && i < h->e_shnum; i++) {
		if ((sh[i].sh_type != first && sh[i].sh_type != second) ||
			sh[i].sh_link >= h->e_shnum || sh[i].sh_entsize != sizeof(Elf64_Sym))
			continue;
		take_table(e, &sh[i], &sh[sh[i].sh_link]);
		first_there |= sh[i].sh_type == first;
	}
	return first_there;
}

/* What was stripped off a program lies in a file named after its build id, as distributions have it. */
static void read_debug_file(struct elf_syms *e, const char *name)
{
	const Elf64_Ehdr *h;
	int fd = e->fd;

	e->fd = open(arena_printf(e->a, "%s/%s", e->debug_dir, name), O_RDONLY | O_CLOEXEC);
	h = e->fd >= 0 ? piece(e, 0, sizeof(*h)) : NULL;
	if (is_elf(h))
		take_sections(e, h, SHT_SYMTAB, SHT_SYMTAB);
	elf_syms_close(e);
	e->fd = fd;
}

static void read_file(struct elf_syms *e)
{
	const Elf64_Ehdr *h = piece(e, 0, sizeof(*h));
	const char *id = NULL;
	const Elf64_Phdr *ph;

	if (!is_elf(h))
		return;
	ph = h->e_phentsize == sizeof(*ph) ? piece(e, h->e_phoff, h->e_phnum * sizeof(*ph)) : NULL;
	for (unsigned i = 0; ph && i < h->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			vec_push(e->a, &e->load, ph[i]);
		if (ph[i].p_type == PT_NOTE && !id)
			id = build_id(e, &ph[i]);
	}
	if (!take_sections(e, h, SHT_SYMTAB, SHT_DYNSYM) && id)
		read_debug_file(e, id);
	if (e->funcs.n)
		qsort(e->funcs.v, e->funcs.n, sizeof(*e->funcs.v), compare);
}

/* File offset to the address that symbols count in; false outside of what is loaded. */
static bool to_address(const struct elf_syms *e, uint64_t file_off, uint64_t *addr)
{
	for (uint32_t i = 0; i < e->load.n; i++) {
		const Elf64_Phdr *p = &e->load.v[i];

		if (file_off < p->p_offset || file_off - p->p_offset >= p->p_filesz)
			continue;
		*addr = file_off - p->p_offset + p->p_vaddr;
		return true;
	}
	return false;
}

const char *elf_syms_at(struct elf_syms *e, uint64_t file_off, uint64_t *off)
{
	uint32_t lo = 0, hi;
	uint64_t addr;

	if (!e->read) {
		e->read = true;
		read_file(e);
		elf_syms_close(e);
	}
	if (!to_address(e, file_off, &addr))
		return NULL;
	for (hi = e->funcs.n; lo < hi;) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (e->funcs.v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	*off = addr - e->funcs.v[lo - 1].addr;
	/* Assembler functions often do not say how long they are. */
	if (e->funcs.v[lo - 1].size && *off >= e->funcs.v[lo - 1].size)
		return NULL;
	return e->funcs.v[lo - 1].name;
}
