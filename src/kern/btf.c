/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * BTF read where it lies: one scan checks every record and notes where each type starts; the
 * first search by name sorts the ids by kind. Strings are never copied.
 * Ensures: after kbtf_open every type record lies inside the section, so readers of a type's
 * members need no further bounds; ids and string offsets are checked on each use.
 * Format: Documentation/bpf/btf.rst.
 */
#include "kern/btf.h"
#include "base/map.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHAIN_MAX 64 /* typedefs, qualifiers and arrays in a row; real kernels stay below 12 */
#define NEST_MAX 32  /* anonymous members inside each other */
#define MEMBERS_MAX 1000000 /* members looked at in one search: types may contain themselves */
#define KINDS NR_BTF_KINDS

struct kbtf {
	struct arena *a;
	struct kbtf *base; /* split BTF: whose types and strings come first; or NULL */
	uint32_t base_count, base_str_len;
	const char *module; /* whose types they are; or NULL */
	void *map; /* to unmap, or NULL */
	size_t map_len;
	const uint8_t *types;
	uint32_t type_len;
	const char *str;
	uint32_t str_len;
	uint32_t *at; /* offset of type id - base_count in types; [0] unused */
	uint32_t count; /* without the base's */
	uint32_t *by_kind; /* own ids sorted by kind, ascending inside a kind; NULL until needed */
	uint32_t first[KINDS + 1]; /* of each kind, in by_kind */
	uint32_t *by_name[KINDS];  /* own ids of a kind sorted by name, once many were looked for */
	uint8_t searches[KINDS];
	struct smap found;	   /* kind letter and name -> id + 1 */
	struct smap enumerators;   /* name -> struct enumerator */
};

struct enumerator {
	bool exists;
	int64_t value;
	const char *owner; /* name of its enum, "" when that has none */
	uint32_t id;	   /* of the enum */
};

static const struct btf_type no_type;

/* ---- opening ---- */

/* What follows a record's struct btf_type: bytes, and bytes for each of its vlen elements. */
static const struct {
	bool known;
	uint8_t once, each;
} layout[KINDS] = {
	[BTF_KIND_INT] = {true, 4, 0},
	[BTF_KIND_PTR] = {true, 0, 0},
	[BTF_KIND_ARRAY] = {true, sizeof(struct btf_array), 0},
	[BTF_KIND_STRUCT] = {true, 0, sizeof(struct btf_member)},
	[BTF_KIND_UNION] = {true, 0, sizeof(struct btf_member)},
	[BTF_KIND_ENUM] = {true, 0, sizeof(struct btf_enum)},
	[BTF_KIND_FWD] = {true, 0, 0},
	[BTF_KIND_TYPEDEF] = {true, 0, 0},
	[BTF_KIND_VOLATILE] = {true, 0, 0},
	[BTF_KIND_CONST] = {true, 0, 0},
	[BTF_KIND_RESTRICT] = {true, 0, 0},
	[BTF_KIND_FUNC] = {true, 0, 0},
	[BTF_KIND_FUNC_PROTO] = {true, 0, sizeof(struct btf_param)},
	[BTF_KIND_VAR] = {true, sizeof(struct btf_var), 0},
	[BTF_KIND_DATASEC] = {true, 0, sizeof(struct btf_var_secinfo)},
	[BTF_KIND_FLOAT] = {true, 0, 0},
	[BTF_KIND_DECL_TAG] = {true, sizeof(struct btf_decl_tag), 0},
	[BTF_KIND_TYPE_TAG] = {true, 0, 0},
	[BTF_KIND_ENUM64] = {true, 0, sizeof(struct btf_enum64)},
};

static const struct btf_type *type_at(const struct kbtf *b, uint32_t off)
{
	return (const struct btf_type *)(const void *)(b->types + off);
}

/* Checks all records, fills at[] and counts the kinds; false and *why when one is damaged. */
static bool scan(struct kbtf *b, const char **why)
{
	uint32_t off = 0, n = 0;

	while (off < b->type_len) {
		uint32_t left = b->type_len - off, extra;
		const struct btf_type *t = type_at(b, off);
		unsigned kind;

		*why = "BTF ends inside a type";
		if (left < sizeof(*t))
			return false;
		kind = btf_kind_of(t);
		if (kind >= KINDS || !layout[kind].known) {
			*why = "BTF has a kind of type that skep does not know";
			return false;
		}
		extra = layout[kind].once + btf_vlen_of(t) * layout[kind].each;
		if (extra > left - sizeof(*t))
			return false;
		b->at[++n] = off;
		b->first[kind + 1]++;
		off += (uint32_t)sizeof(*t) + extra;
	}
	b->count = n;
	for (int k = 1; k <= KINDS; k++)
		b->first[k] += b->first[k - 1];
	return true;
}

/* The .BTF section of a 64-bit little-endian ELF file; false and *why when there is none. */
static bool elf_btf(const uint8_t *p, size_t n, size_t *off, size_t *len, const char **why)
{
	Elf64_Ehdr eh;
	Elf64_Shdr names, sh;

	*why = "ELF file without a .BTF section";
	if (n < sizeof(eh))
		return false;
	memcpy(&eh, p, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
		eh.e_shentsize != sizeof(sh) || eh.e_shstrndx >= eh.e_shnum || eh.e_shoff > n ||
		(n - eh.e_shoff) / sizeof(sh) < eh.e_shnum)
		return false;
	memcpy(&names, p + eh.e_shoff + eh.e_shstrndx * sizeof(sh), sizeof(names));
	if (names.sh_offset > n || names.sh_size > n - names.sh_offset)
		return false;
	for (unsigned i = 0; i < eh.e_shnum; i++) {
		memcpy(&sh, p + eh.e_shoff + i * sizeof(sh), sizeof(sh));
		if (names.sh_size < sizeof(".BTF") || sh.sh_name > names.sh_size - sizeof(".BTF") ||
			memcmp(p + names.sh_offset + sh.sh_name, ".BTF", sizeof(".BTF")))
			continue;
		if (sh.sh_type == SHT_NOBITS || sh.sh_offset > n || sh.sh_size > n - sh.sh_offset)
			return false;
		*off = sh.sh_offset;
		*len = sh.sh_size;
		return true;
	}
	return false;
}

/* Checks the header and finds both sections. */
static bool read_header(struct kbtf *b, const uint8_t *p, size_t n, const char **why)
{
	struct btf_header h;

	*why = "not BTF";
	if (n < sizeof(h))
		return false;
	memcpy(&h, p, sizeof(h));
	if (h.magic == (uint16_t)(BTF_MAGIC << 8 | BTF_MAGIC >> 8))
		*why = "BTF of the other byte order";
	if (h.magic != BTF_MAGIC)
		return false;
	*why = "BTF of an unknown version";
	if (h.version != BTF_VERSION)
		return false;
	*why = "damaged BTF header";
	if (h.hdr_len < sizeof(h) || h.hdr_len > n || h.type_off % 4 || h.type_len % 4)
		return false;
	n -= h.hdr_len;
	if (h.type_off > n || h.type_len > n - h.type_off || h.str_off > n ||
		h.str_len > n - h.str_off)
		return false;
	b->types = p + h.hdr_len + h.type_off;
	b->type_len = h.type_len;
	b->str = (const char *)p + h.hdr_len + h.str_off;
	b->str_len = h.str_len;
	/* One NUL at the end makes every offset inside the section a string that ends. */
	if (!h.str_len || (b->str[0] && !b->base) || b->str[h.str_len - 1])
		return false;
	*why = NULL;
	return true;
}

static struct kbtf *build(struct arena *a, struct kbtf *base, const void *p, size_t n,
	const char **why)
{
	struct kbtf *b = ARENA_NEW(a, struct kbtf);
	const uint8_t *bytes = p;
	size_t off = 0;

	if (n >= SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG) && !elf_btf(bytes, n, &off, &n, why))
		return NULL;
	b->a = a;
	b->base = base;
	if (base) {
		b->base_count = kbtf_count(base);
		b->base_str_len = base->base_str_len + base->str_len;
	}
	if (!read_header(b, bytes + off, n, why))
		return NULL;
	if ((uintptr_t)b->types % 4) { /* a section of an ELF file may lie anywhere */
		void *copy = arena_alloc(a, b->type_len);

		memcpy(copy, b->types, b->type_len);
		b->types = copy;
	}
	/* Room for the worst case: pages that are not reached are never touched. */
	b->at = ARENA_ARRAY(a, uint32_t, b->type_len / sizeof(struct btf_type) + 1);
	if (!scan(b, why))
		return NULL;
	smap_init(&b->found, a);
	smap_init(&b->enumerators, a);
	return b;
}

struct kbtf *kbtf_from_bytes(struct arena *a, const void *p, size_t n, const char **why)
{
	const char *ignored;

	return build(a, NULL, p, n, why ? why : &ignored);
}

struct kbtf *kbtf_split(struct arena *a, struct kbtf *base, const void *p, size_t n, const char **why)
{
	const char *ignored;

	return build(a, base, p, n, why ? why : &ignored);
}

uint32_t kbtf_own(const struct kbtf *b)
{
	return b->module ? 0 : b->base_count;
}

static const struct kbtf *module_of(const struct kbtf *b)
{
	while (b && !b->module)
		b = b->base;
	return b;
}

const char *kbtf_module_name(const struct kbtf *b)
{
	const struct kbtf *m = module_of(b);

	return m ? m->module : NULL;
}

bool kbtf_in_module(const struct kbtf *b, uint32_t id)
{
	const struct kbtf *m = module_of(b);

	return m && id > m->base_count && id <= m->base_count + m->count;
}

uint32_t kbtf_str_end(const struct kbtf *b)
{
	return b->base_str_len + b->str_len;
}

/* The whole file in anonymous memory: for files that cannot be mapped (sysfs before 6.16). */
static void *read_whole(int fd, size_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t have = 0;

	if (p == MAP_FAILED)
		return p;
	while (have < size) {
		ssize_t n = read(fd, p + have, size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (have == size)
		return p;
	munmap(p, size);
	return MAP_FAILED;
}

static struct kbtf *open_behind(struct arena *a, struct kbtf *base, const char *path, const char **why)
{
	const char *ignored;
	struct kbtf *b = NULL;
	struct stat st;
	void *p = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (!why)
		why = &ignored;
	if (fd < 0) {
		*why = arena_printf(a, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!fstat(fd, &st) && st.st_size > 0) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			p = read_whole(fd, (size_t)st.st_size);
	}
	close(fd);
	if (p == MAP_FAILED) {
		*why = arena_printf(a, "%s: cannot be read", path);
		return NULL;
	}
	b = build(a, base, p, (size_t)st.st_size, why);
	if (!b) {
		munmap(p, (size_t)st.st_size);
		*why = arena_printf(a, "%s: %s", path, *why);
		return NULL;
	}
	b->map = p;
	b->map_len = (size_t)st.st_size;
	return b;
}

struct kbtf *kbtf_open(struct arena *a, const char *path, const char **why)
{
	return open_behind(a, NULL, path, why);
}

struct kbtf *kbtf_module(struct arena *a, struct kbtf *b, const char *module)
{
	if (strpbrk(module, "/.*?[") || !*module)
		return NULL;
	while (b && b->base)
		b = b->base;
	if (b)
		b = open_behind(a, b, arena_printf(a, "/sys/kernel/btf/%s", module), NULL);
	if (b)
		b->module = arena_strdup(a, module);
	return b;
}

void kbtf_close(struct kbtf *b)
{
	if (b && b->base)
		kbtf_close(b->base);
	if (!b || !b->map)
		return;
	munmap(b->map, b->map_len);
	b->map = NULL;
	b->count = 0;
	b->str = "";
	b->str_len = 1;
}

/* ---- types by id ---- */

uint32_t kbtf_count(const struct kbtf *b)
{
	return b->base_count + b->count;
}

const struct btf_type *kbtf_type(const struct kbtf *b, uint32_t id)
{
	if (id <= b->base_count)
		return b->base ? kbtf_type(b->base, id) : &no_type;
	id -= b->base_count;
	return id <= b->count ? type_at(b, b->at[id]) : &no_type;
}

const char *kbtf_str(const struct kbtf *b, uint32_t off)
{
	if (off < b->base_str_len)
		return kbtf_str(b->base, off);
	off -= b->base_str_len;
	return off < b->str_len ? b->str + off : "";
}

const char *kbtf_name(const struct kbtf *b, uint32_t id)
{
	return kbtf_str(b, kbtf_type(b, id)->name_off);
}

static unsigned kind_of_id(const struct kbtf *b, uint32_t id)
{
	return btf_kind_of(kbtf_type(b, id));
}

static bool kind_flag(const struct btf_type *t)
{
	return t->info >> 31;
}

static bool is_modifier(unsigned kind)
{
	return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE ||
	       kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

uint32_t kbtf_strip(const struct kbtf *b, uint32_t id)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *t = kbtf_type(b, id);

		if (!is_modifier(btf_kind_of(t)))
			return t == &no_type ? 0 : id;
		id = t->type;
	}
	return 0; /* a cycle */
}

static const struct btf_array *array_of(const struct btf_type *t)
{
	return (const struct btf_array *)(t + 1);
}

uint32_t kbtf_size(const struct kbtf *b, uint32_t id)
{
	uint64_t times = 1;

	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *t = kbtf_type(b, kbtf_strip(b, id));

		switch (btf_kind_of(t)) {
		case BTF_KIND_ARRAY:
			times *= array_of(t)->nelems;
			id = array_of(t)->type;
			break;
		case BTF_KIND_PTR:
			times *= 8;
			return times <= UINT32_MAX ? (uint32_t)times : 0;
		case BTF_KIND_INT:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_DATASEC:
			times *= t->size;
			return times <= UINT32_MAX ? (uint32_t)times : 0;
		default:
			return 0;
		}
		if (times > UINT32_MAX)
			return 0;
	}
	return 0;
}

/* Whether the qualifiers before a pointee hold this tag. */
static bool tagged(const struct kbtf *b, uint32_t id, const char *tag)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		const struct btf_type *t = kbtf_type(b, id);

		if (!is_modifier(btf_kind_of(t)))
			return false;
		if (btf_kind_of(t) == BTF_KIND_TYPE_TAG &&
			!strcmp(kbtf_str(b, t->name_off), tag))
			return true;
		id = t->type;
	}
	return false;
}

static uint32_t int_data(const struct btf_type *t)
{
	uint32_t v;

	memcpy(&v, t + 1, sizeof(v));
	return v;
}

static void describe_int(const struct kbtf *b, const struct btf_type *t, struct kbtf_info *info)
{
	uint32_t encoding = (int_data(t) >> 24) & 0xf;

	info->class = KBTF_INT;
	info->is_signed = encoding & BTF_INT_SIGNED;
	info->is_bool = encoding & BTF_INT_BOOL;
	/* Compilers do not set BTF_INT_CHAR: plain char is known by its name. */
	info->is_char = (encoding & BTF_INT_CHAR) || !strcmp(kbtf_str(b, t->name_off), "char");
}

struct kbtf_info kbtf_describe(const struct kbtf *b, uint32_t id)
{
	struct kbtf_info info = {.class = KBTF_VOID, .id = kbtf_strip(b, id)};
	const struct btf_type *t = kbtf_type(b, info.id);

	info.size = kbtf_size(b, info.id);
	switch (btf_kind_of(t)) {
	case BTF_KIND_INT:
		describe_int(b, t, &info);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		info.class = KBTF_INT;
		info.is_signed = kind_flag(t);
		info.is_enum = true;
		break;
	case BTF_KIND_PTR:
		info.class = KBTF_PTR;
		info.target = t->type;
		info.user = tagged(b, t->type, "user");
		info.percpu = tagged(b, t->type, "percpu");
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FWD:
		info.class = KBTF_STRUCT;
		break;
	case BTF_KIND_ARRAY:
		info.class = KBTF_ARRAY;
		info.target = array_of(t)->type;
		info.nelems = array_of(t)->nelems;
		break;
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
		info.class = KBTF_FUNC;
		break;
	case BTF_KIND_FLOAT:
		info.class = KBTF_FLOAT;
		break;
	default:
		break;
	}
	return info;
}

/* ---- types by name ---- */

static void sort_by_kind(struct kbtf *b)
{
	uint32_t next[KINDS];

	memcpy(next, b->first, sizeof(next));
	b->by_kind = ARENA_ARRAY(b->a, uint32_t, b->count + 1);
	for (uint32_t id = 1; id <= b->count; id++)
		b->by_kind[next[btf_kind_of(type_at(b, b->at[id]))]++] = b->base_count + id;
}

/* The ids of a kind: *from .. *to in by_kind. */
static void kind_range(struct kbtf *b, unsigned kind, uint32_t *from, uint32_t *to)
{
	*from = *to = 0;
	if (kind >= KINDS || !b->count)
		return;
	if (!b->by_kind)
		sort_by_kind(b);
	*from = b->first[kind];
	*to = b->first[kind + 1];
}

#define SEARCHES_MOST 20 /* one after the other; who asks more often gets them sorted */

static int by_name(const void *x, const void *y, void *arg)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	int order = strcmp(kbtf_name(arg, a), kbtf_name(arg, b));

	return order ? order : a < b ? -1 : a > b; /* the first of several is the one that is meant */
}

static uint32_t find_sorted(struct kbtf *b, unsigned kind, const char *name)
{
	uint32_t from, to, lo = 0, hi;

	kind_range(b, kind, &from, &to);
	hi = to - from;
	if (!b->by_name[kind]) {
		b->by_name[kind] = ARENA_ARRAY(b->a, uint32_t, hi + 1);
		memcpy(b->by_name[kind], b->by_kind + from, hi * sizeof(uint32_t));
		qsort_r(b->by_name[kind], hi, sizeof(uint32_t), by_name, b);
	}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (strcmp(kbtf_name(b, b->by_name[kind][mid]), name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < to - from && !strcmp(kbtf_name(b, b->by_name[kind][lo]), name))
		return b->by_name[kind][lo];
	return 0;
}

static uint32_t find_own(struct kbtf *b, unsigned kind, const char *name)
{
	uint32_t from, to;

	if (b->searches[kind] == SEARCHES_MOST)
		return find_sorted(b, kind, name);
	b->searches[kind]++;
	kind_range(b, kind, &from, &to);
	for (; from < to; from++) {
		const char *s = kbtf_name(b, b->by_kind[from]);

		if (s[0] == name[0] && !strcmp(s, name))
			return b->by_kind[from];
	}
	return 0;
}

uint32_t kbtf_find(struct kbtf *b, unsigned kind, const char *name)
{
	uint32_t id;
	const char *key;
	void *seen;

	if (!name || !name[0] || kind >= KINDS)
		return 0;
	key = arena_printf(b->a, "%c%s", (int)('A' + kind % 32), name);
	seen = smap_get(&b->found, key);
	if (seen)
		return (uint32_t)((uintptr_t)seen - 1);
	id = find_own(b, kind, name);
	if (!id && b->base)
		id = kbtf_find(b->base, kind, name);
	smap_put(&b->found, key, (void *)(uintptr_t)(id + 1));
	return id;
}

uint32_t kbtf_find_struct(struct kbtf *b, const char *name)
{
	uint32_t id = kbtf_find(b, BTF_KIND_STRUCT, name);

	if (!id)
		id = kbtf_find(b, BTF_KIND_UNION, name);
	if (!id) {
		unsigned kind;

		id = kbtf_strip(b, kbtf_find(b, BTF_KIND_TYPEDEF, name));
		kind = kind_of_id(b, id);
		if (kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION)
			id = 0;
	}
	return id;
}

/* ---- members ---- */

struct member_walk {
	bool (*fn)(const struct kbtf_member *m, void *arg);
	void *arg;
	uint32_t budget;
};

/* Offset and width of a member: with the kind flag both are in the offset word. */
static void member_place(const struct kbtf *b, const struct btf_type *s, const struct btf_member *m,
	struct kbtf_member *out)
{
	const struct btf_type *t;

	if (kind_flag(s)) {
		out->bit_off += m->offset & 0xffffff;
		out->bit_size = m->offset >> 24;
		return;
	}
	out->bit_off += m->offset;
	out->bit_size = 0;
	t = kbtf_type(b, kbtf_strip(b, m->type));
	if (btf_kind_of(t) != BTF_KIND_INT)
		return;
	/* Before the flag existed an integer type narrower than its size made the bit-field. */
	if ((int_data(t) & 0xff) != t->size * 8 || (int_data(t) >> 16 & 0xff)) {
		out->bit_off += int_data(t) >> 16 & 0xff;
		out->bit_size = int_data(t) & 0xff;
	}
}

static bool walk_members(
	const struct kbtf *b, uint32_t id, uint32_t base, int depth, struct member_walk *w)
{
	const struct btf_type *s = kbtf_type(b, kbtf_strip(b, id));
	const struct btf_member *m = (const struct btf_member *)(s + 1);
	unsigned kind = btf_kind_of(s);

	if ((kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION) || depth > NEST_MAX)
		return true;
	for (unsigned i = 0; i < btf_vlen_of(s); i++, m++) {
		struct kbtf_member out = {.type = m->type, .bit_off = base};

		if (!w->budget)
			return false;
		w->budget--;
		out.name = kbtf_str(b, m->name_off);
		member_place(b, s, m, &out);
		if (out.name[0]) {
			if (!w->fn(&out, w->arg))
				return false;
		} else if (!walk_members(b, m->type, out.bit_off, depth + 1, w)) {
			return false;
		}
	}
	return true;
}

void kbtf_each_member(const struct kbtf *b, uint32_t struct_id,
	bool (*fn)(const struct kbtf_member *m, void *arg), void *arg)
{
	struct member_walk w = {fn, arg, MEMBERS_MAX};

	walk_members(b, struct_id, 0, 0, &w);
}

struct wanted {
	const char *name;
	struct kbtf_member *out;
	bool found;
};

static bool is_wanted(const struct kbtf_member *m, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(m->name, w->name))
		return true;
	*w->out = *m;
	w->found = true;
	return false;
}

bool kbtf_find_member(
	const struct kbtf *b, uint32_t struct_id, const char *name, struct kbtf_member *out)
{
	struct wanted w = {name, out, false};

	memset(out, 0, sizeof(*out));
	kbtf_each_member(b, struct_id, is_wanted, &w);
	return w.found;
}

/* ---- enumerators ---- */

const char *kbtf_enumerator(
	const struct kbtf *b, const struct btf_type *t, unsigned i, int64_t *value)
{
	if (btf_kind_of(t) == BTF_KIND_ENUM64) {
		const struct btf_enum64 *e = (const struct btf_enum64 *)(t + 1) + i;

		*value = (int64_t)((uint64_t)e->val_hi32 << 32 | e->val_lo32);
		return kbtf_str(b, e->name_off);
	} else {
		const struct btf_enum *e = (const struct btf_enum *)(t + 1) + i;

		*value = kind_flag(t) ? (int64_t)e->val : (int64_t)(uint32_t)e->val;
		return kbtf_str(b, e->name_off);
	}
}

static bool search_enumerator(struct kbtf *b, unsigned kind, const char *name, struct enumerator *e)
{
	uint32_t from, to;

	kind_range(b, kind, &from, &to);
	for (; from < to; from++) {
		const struct btf_type *t = kbtf_type(b, b->by_kind[from]);

		for (unsigned i = 0; i < btf_vlen_of(t); i++) {
			const char *s = kbtf_enumerator(b, t, i, &e->value);

			if (s[0] == name[0] && !strcmp(s, name)) {
				e->owner = kbtf_str(b, t->name_off);
				e->id = b->by_kind[from];
				return true;
			}
		}
	}
	return false;
}

static const struct enumerator *find_enumerator(struct kbtf *b, const char *name)
{
	struct enumerator *e;

	e = smap_get(&b->enumerators, name);
	if (!e) {
		e = ARENA_NEW(b->a, struct enumerator);
		/* 64-bit ones first: there are few of them. */
		e->exists = search_enumerator(b, BTF_KIND_ENUM64, name, e) ||
			    search_enumerator(b, BTF_KIND_ENUM, name, e);
		smap_put(&b->enumerators, name, e);
	}
	return e;
}

bool kbtf_enum_value(struct kbtf *b, const char *name, int64_t *value)
{
	const struct enumerator *e = name && name[0] ? find_enumerator(b, name) : NULL;

	if (!e || !e->exists)
		return b->base && kbtf_enum_value(b->base, name, value);
	*value = e->value;
	return true;
}

const char *kbtf_enum_owner(struct kbtf *b, const char *name)
{
	const struct enumerator *e = name && name[0] ? find_enumerator(b, name) : NULL;

	if (!(e && e->exists) && b->base)
		return kbtf_enum_owner(b->base, name);
	return e && e->exists && !b->base ? e->owner : "";
}

uint32_t kbtf_enum_of(struct kbtf *b, const char *name)
{
	const struct enumerator *e = name && name[0] ? find_enumerator(b, name) : NULL;

	if (!(e && e->exists))
		return b->base ? kbtf_enum_of(b->base, name) : 0;
	return e->id;
}

void kbtf_each_enumerator(struct kbtf *b, void (*fn)(const char *name, void *arg), void *arg)
{
	static const unsigned kinds[] = {BTF_KIND_ENUM, BTF_KIND_ENUM64};

	for (int k = 0; k < 2; k++) {
		uint32_t from, to;
		int64_t value;

		kind_range(b, kinds[k], &from, &to);
		for (; from < to; from++) {
			const struct btf_type *t = kbtf_type(b, b->by_kind[from]);

			for (unsigned i = 0; i < btf_vlen_of(t); i++)
				fn(kbtf_enumerator(b, t, i, &value), arg);
		}
	}
	if (b->base)
		kbtf_each_enumerator(b->base, fn, arg);
}

/* ---- functions ---- */

uint32_t kbtf_func(struct kbtf *b, const char *name)
{
	return kbtf_find(b, BTF_KIND_FUNC, name);
}

void kbtf_each_func(struct kbtf *b, void (*fn)(const char *name, void *arg), void *arg)
{
	uint32_t from, to;

	kind_range(b, BTF_KIND_FUNC, &from, &to);
	for (; from < to; from++)
		fn(kbtf_name(b, b->by_kind[from]), arg);
	if (b->base)
		kbtf_each_func(b->base, fn, arg);
}

uint32_t kbtf_func_proto(const struct kbtf *b, uint32_t func_id)
{
	const struct btf_type *t = kbtf_type(b, func_id);
	uint32_t proto = btf_kind_of(t) == BTF_KIND_FUNC ? t->type : 0;

	return kind_of_id(b, proto) == BTF_KIND_FUNC_PROTO ? proto : 0;
}

uint32_t kbtf_params(const struct kbtf *b, uint32_t proto_id, struct kbtf_param *out, uint32_t max)
{
	const struct btf_type *t = kbtf_type(b, proto_id);
	const struct btf_param *p = (const struct btf_param *)(t + 1);
	uint32_t n = btf_vlen_of(t);

	if (btf_kind_of(t) != BTF_KIND_FUNC_PROTO)
		return 0;
	if (n && !p[n - 1].name_off && !p[n - 1].type) /* "..." */
		n--;
	for (uint32_t i = 0; i < n && i < max; i++) {
		out[i].name = kbtf_str(b, p[i].name_off);
		out[i].type = p[i].type;
	}
	return n;
}

uint32_t kbtf_return(const struct kbtf *b, uint32_t proto_id)
{
	const struct btf_type *t = kbtf_type(b, proto_id);

	return btf_kind_of(t) == BTF_KIND_FUNC_PROTO ? t->type : 0;
}
