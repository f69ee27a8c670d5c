/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Objects of scripts of all kinds, damaged where it tells most, through skep_open and skep_load. */
#include "tests/fuzz/damage.h"
#include "skep/compile.h"
#include "skep/load.h"
#include "tests/fuzz/fake_kernel.h"
#include "tests/fuzz/lang.h"
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 24
#define SCX "tests/targets/x86_64-6.12-scx.target"
#define PLAIN "tests/targets/x86_64-6.12.target"

static struct {
	uint8_t *p[OBJECTS];
	size_t size[OBJECTS];
	unsigned n;
} good;

static const struct {
	const char *file, *text, *target;
	bool portable;
} sources[] = {
	{.file = "scripts/sched-users.skep", .target = SCX},
	{.file = "scripts/sched-vtime.skep", .target = SCX, .portable = true},
	{.file = "scripts/sched-latency.skep", .target = SCX},
	{.file = "scripts/drop-telnet.skep", .target = PLAIN},
	{.text = "kprobe:vfs_read /pid > 3/ { @[comm, kstack] = hist(arg2); @t[tid] = nsecs; }\n"
		 "interval:s:1 { print(@); time(\"%H\"); clear(@); exit(); }",
		.target = PLAIN},
	{.text = "tracepoint:sched:sched_switch { @[args.prev_comm] = count(); }", .target = PLAIN},
	{.text = "struct s { int a; char name[8]; union { u8 x : 3; u64 y; }; };\nlet @l = lruhash(10);\n"
		 "BEGIN { $t = (1, \"x\", (2, -3)); @t[$t] = $t; @l[1] = 2; @s = *(struct s *)0;\n"
		 "@a[1] = lhist(5, 0, 10, 1); @b = stats(4); printf(\"%s %d %c\", $t, 5, 65); }",
		.target = PLAIN},
	{.text = "kprobe:vfs_read { print(curtask->comm); @ = ((struct task_struct *)arg0)->pid; }",
		.target = PLAIN, .portable = true},
	{.text = "let @l = hash(5); xdp:e0 /ip.src in 10.0.0.0/8 && tcp.dport in {22, 80, 90..99}/ { drop(\"a\"); }\n"
		 "xdp:e0 { @l[ip.src]++; capture(\"x.pcap\"); } tc:e1:ingress /rate(ip.src, 5)/ { drop(); }",
		.target = PLAIN},
	{.text = "uprobe:/bin/true:0x100 { @[ustack(3)] = count(); printf(\"%s\", str(arg0)); }",
		.target = PLAIN},
};

static void add_object(const char *text, size_t n, const char *target, bool portable)
{
	struct skep_options o = {.target = target};
	struct skep_compile_options c = {.offline = true, .portable = portable};
	const void *object;
	struct skep *s;
	size_t size;

	if (good.n < OBJECTS && skep_new(&s, &o) == SKEP_OK && skep_compile(s, "fuzz", text, n, &c) == SKEP_OK) {
		object = skep_object(s, &size);
		good.p[good.n] = malloc(size);
		memcpy(good.p[good.n], object, size);
		good.size[good.n++] = size;
	} else {
		printf("# no object: %s", skep_messages(s, false));
	}
	skep_free(s);
}

static char *file_text(const char *path, size_t *n)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(65536);

	*n = f ? fread(text, 1, 65536, f) : 0;
	if (f)
		fclose(f);
	return text;
}

bool damage_object_start(struct arena *a)
{
	for (unsigned i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		size_t n = sources[i].text ? strlen(sources[i].text) : 0;
		char *text = sources[i].text ? strdup(sources[i].text) : file_text(sources[i].file, &n);

		add_object(text, n, sources[i].target, sources[i].portable);
		free(text);
	}
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct buf text;

		buf_init(&text, a);
		lang_text(lang_make(a, seed, false), &text);
		add_object(text.p, text.n, PLAIN, false);
	}
	return good.n >= 10;
}

/* ---- damage ---- */

struct mutant {
	struct damage_rng r;
	uint8_t *p;
	size_t n;
};

static const uint64_t words[] = {0, 1, 2, 7, 8, 0x7f, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
	0xffffffff, 0xfffffff8, 0x7fffffffffffffff, 0xfffffffffffffff8, UINT64_MAX, 1ull << 40};

static uint64_t word(struct mutant *m)
{
	uint64_t v = damage_below(&m->r, UINT32_MAX);

	return damage_below(&m->r, 3) ? words[damage_below(&m->r, sizeof(words) / sizeof(*words))] : v << 32 | v;
}

static void hit(struct mutant *m, size_t from, size_t n)
{
	for (unsigned k = 1 + damage_below(&m->r, 3); k > 0 && n; k--) {
		size_t at = from + damage_below(&m->r, (unsigned)n), w = (size_t)1 << damage_below(&m->r, 4);
		uint64_t v = word(m);

		if (damage_below(&m->r, 3))
			at &= ~(size_t)3;
		if (damage_below(&m->r, 4) == 0 && at < m->n) /* one more, one less, another bit */
			v = m->p[at] ^ (1u << damage_below(&m->r, 8));
		memcpy(m->p + at, &v, at + w > m->n ? m->n - at : w);
	}
}

/* Section headers that lie within the object; their number. */
static unsigned sections(const struct mutant *m, Elf64_Shdr **first)
{
	Elf64_Ehdr h;

	if (m->n < sizeof(h))
		return 0;
	memcpy(&h, m->p, sizeof(h));
	if (h.e_shoff % 8 || h.e_shoff > m->n || (m->n - h.e_shoff) / sizeof(Elf64_Shdr) < h.e_shnum)
		return 0;
	*first = (Elf64_Shdr *)(void *)(m->p + h.e_shoff);
	return h.e_shnum;
}

static bool inside(const struct mutant *m, const Elf64_Shdr *s)
{
	return s->sh_type != SHT_NOBITS && s->sh_size && s->sh_offset < m->n && s->sh_size <= m->n - s->sh_offset;
}

/* Bytes taken out of a section, put in, or moved within it. */
static void shift(struct mutant *m, Elf64_Shdr *s)
{
	uint8_t *p = m->p + s->sh_offset;
	size_t n = s->sh_size, at = damage_below(&m->r, (unsigned)n), k = 1 + damage_below(&m->r, 24);
	size_t from = damage_below(&m->r, (unsigned)n);

	if (k > n - at)
		k = n - at;
	switch (damage_below(&m->r, 3)) {
	case 0:
		memmove(p + at, p + at + k, n - at - k);
		s->sh_size -= k;
		break;
	case 1:
		memmove(p + at + k, p + at, n - at - k);
		break;
	default:
		memmove(p + at, p + from, k < n - from ? k : n - from);
		break;
	}
}

static void header(struct mutant *m, Elf64_Shdr *s, Elf64_Shdr *other)
{
	Elf64_Shdr t = *s;
	uint64_t v = word(m);

	switch (damage_below(&m->r, 8)) {
	case 0:
		s->sh_offset = v;
		break;
	case 1:
		s->sh_size = damage_below(&m->r, 2) ? v : s->sh_size + damage_below(&m->r, 17) - 8;
		break;
	case 2:
		s->sh_link = (Elf64_Word)damage_below(&m->r, 20);
		break;
	case 3:
		s->sh_info = (Elf64_Word)damage_below(&m->r, 20);
		break;
	case 4:
		s->sh_type = (Elf64_Word)damage_below(&m->r, 20);
		break;
	case 5:
		s->sh_name = damage_below(&m->r, 2) ? other->sh_name : (Elf64_Word)v;
		break;
	case 6:
		s->sh_entsize = v;
		break;
	default:
		s->sh_offset = other->sh_offset;
		s->sh_size = other->sh_size;
		other->sh_offset = t.sh_offset;
		other->sh_size = t.sh_size;
		break;
	}
}

static void damage(struct mutant *m)
{
	Elf64_Shdr *s = NULL, *other;
	unsigned n = sections(m, &s), kind = damage_below(&m->r, 12);

	if (kind == 0 || !n) {
		hit(m, 0, m->n);
		return;
	}
	if (kind == 1) {
		m->n = damage_below(&m->r, (unsigned)m->n);
		return;
	}
	other = s + damage_below(&m->r, n);
	s += damage_below(&m->r, n);
	if (kind < 4)
		header(m, s, other);
	else if (inside(m, s) && kind < 7)
		shift(m, s);
	else if (inside(m, s))
		hit(m, s->sh_offset, s->sh_size);
}

/* ---- trying ---- */

bool damage_object(uint64_t seed, bool *taken, struct buf *why)
{
	struct mutant m = {.r = {seed * 0x9e3779b97f4a7c15ull}};
	unsigned which = damage_below(&m.r, good.n);
	uint8_t *own;
	struct skep *s;
	int err;
	bool ok;

	m.n = good.size[which];
	m.p = malloc(m.n + 8);
	memcpy(m.p, good.p[which], m.n);
	for (unsigned k = 1 + damage_below(&m.r, 3); k > 0 && m.n; k--)
		damage(&m);
	own = malloc(m.n + 1); /* of exactly this size, but for one byte: malloc(0) is nothing */
	memcpy(own, m.p, m.n);
	fake_kernel(true, seed);
	err = skep_new(&s, &(struct skep_options){.target = which < 3 ? SCX : PLAIN});
	if (!err)
		err = skep_open(s, own, m.n);
	*taken = !err;
	if (!err)
		err = skep_load(s, NULL);
	ok = !err || (err != SKEP_EBUG && strstr(skep_messages(s, false), "error: "));
	if (!ok)
		buf_printf(why, "object %u: result %d, %s", which, err, skep_messages(s, false));
	skep_free(s);
	fake_kernel(false, 0);
	free(own);
	free(m.p);
	return ok;
}
