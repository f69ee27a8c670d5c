/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a map to a flame graph. Parts of the key that are no stacks (a name, a number) stand below
 * the frames, in the key's order; the kernel's frames stand on the process's.
 */
#include "run/flame.h"
#include "kern/file.h"
#include "run/field.h"
#include "run/sym.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_MOST (2 * META_MAX_FRAMES + META_MAX_KEYS)

static bool is_stack(const struct meta_field *f)
{
	return f->kind == MK_KSTACK || f->kind == MK_USTACK;
}

static bool has_stack(const struct meta_map *m)
{
	for (uint32_t i = 0; i < m->keys.n; i++) {
		if (is_stack(&m->keys.v[i]))
			return m->role == MM_USER;
	}
	return false;
}

struct names {
	const char *v[FRAMES_MOST];
	unsigned n;
};

/* The frames' functions without offsets: one box a function. Outermost first. */
static void add_stack(struct session *s, const struct meta_field *f, const uint8_t *key,
	struct names *to)
{
	struct sym *sym = s->l->meta.sym;
	uint64_t frames[SYM_FRAMES_MAX], number;
	struct sym_name name;
	uint32_t tgid;
	int n;

	memcpy(&number, key + f->off, 8);
	n = sym_frames(sym, f, number, frames, &tgid);
	if (n < 0 && to->n < FRAMES_MOST)
		to->v[to->n++] = "[lost]";
	while (n-- > 0 && to->n < FRAMES_MOST) {
		bool known = f->kind == MK_USTACK ? sym_user(sym, tgid, frames[n], &name)
						  : sym_kernel(sym, frames[n], &name);

		to->v[to->n++] = known ? name.name
				       : arena_printf(&s->scratch, "0x%" PRIx64, frames[n]);
	}
}

static void add_parts(struct session *s, const struct table *t, const uint8_t *key,
	struct names *to)
{
	static const uint32_t order[] = {MK_NONE, MK_USTACK, MK_KSTACK}; /* NONE: all others */
	const struct meta_map *m = t->map;

	for (unsigned o = 0; o < 3; o++) {
		for (uint32_t i = 0; i < m->keys.n; i++) {
			const struct meta_field *f = &m->keys.v[i];
			struct buf text;

			if (f->kind == order[o] && o) {
				add_stack(s, f, key, to);
			} else if (!o && !is_stack(f)) {
				buf_init(&text, &s->scratch);
				buf_puts(&text, "");
				field_text(&text, t->meta, f, key, m->key_size);
				if (to->n < FRAMES_MOST)
					to->v[to->n++] = text.p;
			}
		}
	}
}

static int draw_map(struct session *s, const struct table *t)
{
	struct flame *f = flame_new(&s->scratch);
	struct buf svg;

	for (uint32_t i = 0; i < t->entries.n; i++) {
		uint64_t v = table_number(t->map, t->entries.v[i].value);
		struct names names = {.n = 0};

		if (table_signed(t->map) && (int64_t)v < 0)
			continue; /* a box cannot be narrower than nothing */
		add_parts(s, t, t->entries.v[i].key, &names);
		flame_add(f, names.v, names.n, v);
	}
	buf_init(&svg, &s->scratch);
	flame_svg(f, t->map->name, &svg);
	return file_write(s->o->flame, svg.p, svg.n);
}

/* The first by name; META_NONE. */
static uint32_t stack_map(const struct meta *m, uint32_t *others)
{
	uint32_t best = META_NONE;

	*others = 0;
	for (uint32_t i = 0; i < m->maps.n; i++) {
		if (!has_stack(&m->maps.v[i]))
			continue;
		*others += best != META_NONE;
		if (best == META_NONE || strcmp(m->maps.v[i].name, m->maps.v[best].name) < 0)
			best = i;
	}
	return best;
}

int flame_begin(struct session *s)
{
	uint32_t others;
	int fd;

	if (stack_map(&s->l->meta, &others) == META_NONE) {
		session_say(s, "WARNING: no flame graph: no map is keyed by a stack, as "
			       "@[kstack] = count()\n");
		return 0;
	}
	fd = open(s->o->flame, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		diag_error(s->l->d, NO_SPAN, DIAG_SYSTEM, "cannot write '%s': %s", s->o->flame,
			strerror(errno));
		return SKEP_ESYS;
	}
	close(fd);
	return 0;
}

void flame_write(struct session *s)
{
	uint32_t others, best = stack_map(&s->l->meta, &others);
	struct table t;
	int err;

	session_flush(s);
	if (best == META_NONE)
		return;
	session_read_map(s, best, &t);
	err = draw_map(s, &t);
	if (err)
		session_cannot_write(s, s->o->flame, err);
	else if (others)
		session_say(s, "Flame graph of %s; %u other map%s keyed by stacks, too\n",
			s->l->meta.maps.v[best].name, others, others == 1 ? " is" : "s are");
}
