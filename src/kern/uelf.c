/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions and statically defined probes of an ELF file, mapped and read by hand. */
#include "kern/uelf.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAPSDT_TYPE 3

struct uelf {
	struct arena *a;
	const uint8_t *p;
	size_t size;
	Elf64_Ehdr h;
};

/* n bytes at off, or NULL when they are not all there. */
static const void *at(const struct uelf *u, uint64_t off, uint64_t n)
{
	return off <= u->size && n <= u->size - off ? u->p + off : NULL;
}

static bool section(const struct uelf *u, uint32_t i, Elf64_Shdr *s)
{
	const void *p;

	if (i >= u->h.e_shnum || u->h.e_shentsize != sizeof(*s))
		return false;
	p = at(u, u->h.e_shoff + (uint64_t)i * sizeof(*s), sizeof(*s));
	if (!p)
		return false;
	memcpy(s, p, sizeof(*s));
	return true;
}

static bool segment(const struct uelf *u, uint32_t i, Elf64_Phdr *ph)
{
	const void *p;

	if (i >= u->h.e_phnum || u->h.e_phentsize != sizeof(*ph))
		return false;
	p = at(u, u->h.e_phoff + (uint64_t)i * sizeof(*ph), sizeof(*ph));
	if (!p)
		return false;
	memcpy(ph, p, sizeof(*ph));
	return true;
}

/* A string of a string section; "" when it is not inside. */
static const char *string(const struct uelf *u, const Elf64_Shdr *strs, uint64_t off)
{
	const char *p = at(u, strs->sh_offset, strs->sh_size);

	if (!p || off >= strs->sh_size || !memchr(p + off, 0, strs->sh_size - off))
		return "";
	return p + off;
}

struct uelf *uelf_open(struct arena *a, const char *path, const char **why)
{
	struct uelf *u = ARENA_NEW(a, struct uelf);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	*u = (struct uelf){.a = a};
	*why = strerror(errno);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	*why = "it is no 64-bit program or library of this machine's kind";
	if (p == MAP_FAILED)
		return NULL;
	u->p = p;
	u->size = (size_t)st.st_size;
	if (u->size >= sizeof(u->h))
		memcpy(&u->h, u->p, sizeof(u->h));
	if (memcmp(u->h.e_ident, ELFMAG, SELFMAG) || u->h.e_ident[EI_CLASS] != ELFCLASS64 ||
		u->h.e_ident[EI_DATA] != ELFDATA2LSB ||
		(u->h.e_type != ET_EXEC && u->h.e_type != ET_DYN)) {
		uelf_close(u);
		return NULL;
	}
	return u;
}

void uelf_close(struct uelf *u)
{
	if (u && u->p)
		munmap((void *)(uintptr_t)u->p, u->size);
	if (u)
		u->p = NULL;
}

/* ---- functions ---- */

static bool is_function(unsigned type)
{
	return type == STT_FUNC || type == STT_GNU_IFUNC;
}

static void each_of_table(struct uelf *u, const Elf64_Shdr *t, const Elf64_Shdr *strs, bool objects,
	void (*fn)(const struct uelf_func *f, void *arg), void *arg)
{
	uint64_t n = t->sh_size / sizeof(Elf64_Sym);

	if (!at(u, t->sh_offset, t->sh_size))
		return;
	for (uint64_t i = 0; i < n; i++) {
		struct uelf_func f;
		const char *version;
		Elf64_Sym s;

		memcpy(&s, u->p + t->sh_offset + i * sizeof(s), sizeof(s));
		if (!(objects ? ELF64_ST_TYPE(s.st_info) == STT_OBJECT
			      : is_function(ELF64_ST_TYPE(s.st_info))) ||
			s.st_shndx == SHN_UNDEF || !s.st_value)
			continue;
		f = (struct uelf_func){string(u, strs, s.st_name), s.st_value, s.st_size};
		version = strchr(f.name, '@');
		if (version)
			f.name = arena_strndup(u->a, f.name, (size_t)(version - f.name));
		if (*f.name)
			fn(&f, arg);
	}
}

static void each_symbol(struct uelf *u, bool objects,
	void (*fn)(const struct uelf_func *f, void *arg), void *arg)
{
	Elf64_Shdr t, strs;

	for (uint32_t i = 0; i < u->h.e_shnum; i++) {
		if (section(u, i, &t) && (t.sh_type == SHT_SYMTAB || t.sh_type == SHT_DYNSYM) &&
			section(u, t.sh_link, &strs) && strs.sh_type == SHT_STRTAB)
			each_of_table(u, &t, &strs, objects, fn, arg);
	}
}

void uelf_each_function(struct uelf *u, void (*fn)(const struct uelf_func *f, void *arg), void *arg)
{
	each_symbol(u, false, fn, arg);
}

struct finding {
	const char *name;
	struct uelf_func *out;
	bool found;
};

static void find_name(const struct uelf_func *f, void *arg)
{
	struct finding *x = arg;

	if (x->found || strcmp(f->name, x->name))
		return;
	*x->out = *f;
	x->found = true;
}

bool uelf_find(struct uelf *u, const char *name, struct uelf_func *out)
{
	struct finding x = {name, out, false};

	uelf_each_function(u, find_name, &x);
	return x.found;
}

bool uelf_find_object(struct uelf *u, const char *name, struct uelf_func *out)
{
	struct finding x = {name, out, false};

	each_symbol(u, true, find_name, &x);
	return x.found;
}

bool uelf_moves(const struct uelf *u)
{
	return u->h.e_type != ET_EXEC;
}

bool uelf_file_offset(const struct uelf *u, uint64_t addr, uint64_t *off)
{
	Elf64_Phdr ph;

	for (uint32_t i = 0; i < u->h.e_phnum; i++) {
		if (!segment(u, i, &ph) || ph.p_type != PT_LOAD || addr < ph.p_vaddr ||
			addr - ph.p_vaddr >= ph.p_filesz)
			continue;
		*off = addr - ph.p_vaddr + ph.p_offset;
		return true;
	}
	return false;
}

/* ---- statically defined probes ---- */

/* Address of section .stapsdt.base when the file was linked: notes tell addresses relative to it. */
static bool base_section(const struct uelf *u, uint64_t *addr)
{
	Elf64_Shdr s, names;

	if (!section(u, u->h.e_shstrndx, &names))
		return false;
	for (uint32_t i = 0; i < u->h.e_shnum; i++) {
		if (section(u, i, &s) && !strcmp(string(u, &names, s.sh_name), ".stapsdt.base")) {
			*addr = s.sh_addr;
			return true;
		}
	}
	return false;
}

/* A NUL-terminated string that ends before end; moves *p behind it. NULL when there is none. */
static const char *note_string(const char **p, const char *end)
{
	const char *s = *p, *nul = s < end ? memchr(s, 0, (size_t)(end - s)) : NULL;

	if (!nul)
		return NULL;
	*p = nul + 1;
	return s;
}

/* The description: pc, base, semaphore, then provider, name and arguments. */
static bool read_note(const struct uelf *u, const char *p, const char *end, struct uelf_usdt *out)
{
	uint64_t v[3], base, delta;

	if ((size_t)(end - p) < sizeof(v))
		return false;
	memcpy(v, p, sizeof(v));
	p += sizeof(v);
	out->provider = note_string(&p, end);
	out->name = note_string(&p, end);
	out->args = note_string(&p, end);
	if (!out->provider || !out->name || !out->args)
		return false;
	delta = base_section(u, &base) ? base - v[1] : 0; /* prelink moved the file */
	if (!uelf_file_offset(u, v[0] + delta, &out->off))
		return false;
	out->semaphore = 0;
	return !v[2] || uelf_file_offset(u, v[2] + delta, &out->semaphore);
}

static void each_of_notes(struct uelf *u, const Elf64_Shdr *s,
	void (*fn)(const struct uelf_usdt *p, void *arg), void *arg)
{
	const char *p = at(u, s->sh_offset, s->sh_size), *end = p ? p + s->sh_size : NULL;

	while (p && (size_t)(end - p) >= sizeof(Elf64_Nhdr)) {
		struct uelf_usdt probe;
		uint64_t name, desc;
		Elf64_Nhdr n;

		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		name = ((uint64_t)n.n_namesz + 3) & ~3ull;
		desc = ((uint64_t)n.n_descsz + 3) & ~3ull;
		if (name > (uint64_t)(end - p) || desc > (uint64_t)(end - p) - name)
			return;
		if (n.n_type == STAPSDT_TYPE && n.n_namesz == 8 && !memcmp(p, "stapsdt", 8) &&
			read_note(u, p + name, p + name + n.n_descsz, &probe))
			fn(&probe, arg);
		p += name + desc;
	}
}

void uelf_each_usdt(struct uelf *u, void (*fn)(const struct uelf_usdt *p, void *arg), void *arg)
{
	Elf64_Shdr s;

	for (uint32_t i = 0; i < u->h.e_shnum; i++) {
		if (section(u, i, &s) && s.sh_type == SHT_NOTE)
			each_of_notes(u, &s, fn, arg);
	}
}
