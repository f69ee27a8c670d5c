/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Requires: code[i] is the code of meta->progs.v[i].
 * Ensures: every program has a section and an offset in it; every map but struct_ops maps has one.
 *
 * libbpf tells maps from values by the section: a reference into .maps becomes the map, a reference
 * into .bss, .data*, .rodata* becomes an address inside the value of an array of one entry that
 * stands for the whole section. So a map goes where its uses need it: a data section each for
 * arrays of one entry that code addresses directly (CR_MAP_VALUE) and for the maps that are made
 * for it, .maps for all others.
 */
#include "backend-bpf/objsec.h"
#include <string.h>

static uint32_t find_sec(const struct obj_layout *l, const char *name)
{
	for (uint32_t i = 0; i < l->secs.n; i++) {
		if (!strcmp(l->secs.v[i].name, name))
			return i;
	}
	return META_NONE;
}

static uint32_t add_sec(struct arena *a, struct obj_layout *l, const char *name,
	enum obj_sec_kind kind, uint32_t map)
{
	vec_push(a, &l->secs, (struct obj_sec){.name = name, .kind = kind, .map = map});
	return l->secs.n - 1;
}

static bool addressed(const struct ir_module *m, const struct code *code, uint32_t map)
{
	for (uint32_t i = 0; i < m->meta->progs.n; i++) {
		for (uint32_t k = 0; k < code[i].relocs.n; k++) {
			const struct code_reloc *r = &code[i].relocs.v[k];

			if (r->kind == CR_MAP_VALUE && r->index == map)
				return true;
		}
	}
	return false;
}

/* The data section for a map, or OBJ_MAPS. */
static enum obj_sec_kind map_kind(const struct ir_module *m, const struct code *code, uint32_t i)
{
	const struct meta_map *row = &m->meta->maps.v[i];

	if (row->role == MM_RODATA)
		return OBJ_RODATA;
	if (row->role == MM_DATA)
		return OBJ_DATA;
	if (row->role == MM_COUNTERS || addressed(m, code, i))
		return row->init ? OBJ_DATA : OBJ_BSS;
	return OBJ_MAPS;
}

/* The plain name for the first map of a kind; ".bss" has no numbered form in libbpf, ".data" has.
 */
static const char *data_name(const struct obj_layout *l, struct arena *a, enum obj_sec_kind *kind,
	const char *kname)
{
	if (*kind == OBJ_BSS && find_sec(l, ".bss") == META_NONE)
		return ".bss";
	if (*kind == OBJ_BSS)
		*kind = OBJ_DATA;
	if (*kind == OBJ_RODATA)
		return find_sec(l, ".rodata") == META_NONE
			       ? ".rodata"
			       : arena_printf(a, ".rodata.%s", kname);
	return find_sec(l, ".data") == META_NONE ? ".data" : arena_printf(a, ".data.%s", kname);
}

static void place_map(const struct ir_module *m, const struct code *code, struct obj_layout *l,
	uint32_t i)
{
	const struct meta_map *row = &m->meta->maps.v[i];
	enum obj_sec_kind kind = map_kind(m, code, i);
	uint32_t s;

	l->map_sec[i] = META_NONE;
	if (row->role == MM_STRUCT_OPS)
		return;
	if (kind == OBJ_MAPS) {
		s = find_sec(l, ".maps");
		if (s == META_NONE)
			s = add_sec(m->a, l, ".maps", OBJ_MAPS, META_NONE);
		l->map_off[i] = l->secs.v[s].size;
		l->secs.v[s].size += OBJ_MAP_BYTES;
	} else {
		const char *name = data_name(l, m->a, &kind, row->kname);

		if (row->max_entries != 1)
			trap_raise(m->trap, SKEP_EBUG, "elf: address in map %s of %u entries",
				row->kname, row->max_entries);
		s = add_sec(m->a, l, name, kind, i);
		l->secs.v[s].size = row->value_size;
	}
	l->map_sec[i] = s;
}

static void place_progs(const struct ir_module *m, const struct code *code, struct obj_layout *l)
{
	uint32_t n = m->meta->progs.n;

	for (uint32_t i = 0; i < n; i++) {
		const char *name = m->meta->progs.v[i].section;

		if (!code[i].n)
			trap_raise(m->trap, SKEP_EBUG, "elf: program %s has no code",
				m->meta->progs.v[i].name);
		if (find_sec(l, name) == META_NONE)
			add_sec(m->a, l, name, OBJ_CODE, META_NONE);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = find_sec(l, m->meta->progs.v[i].section);

		l->prog_sec[i] = s;
		l->prog_off[i] = l->secs.v[s].size;
		l->secs.v[s].size += code_main(&code[i]) * (uint32_t)sizeof(struct bpf_insn);
	}
	l->text = META_NONE;
	for (uint32_t i = 0; i < n; i++) {
		if (!code[i].fns.n)
			continue;
		if (l->text == META_NONE)
			l->text = add_sec(m->a, l, ".text", OBJ_TEXT, META_NONE);
		l->text_off[i] = l->secs.v[l->text].size;
		l->secs.v[l->text].size += (code[i].n - code_main(&code[i])) * (uint32_t)sizeof(struct bpf_insn);
	}
}

/* What the kernel says the member is; libbpf wants the same kind and size. */
static struct obj_member kernel_member(const struct ir_module *m, const struct meta_ops *o,
	const struct meta_ops_member *om)
{
	struct kbtf *b = m->target ? m->target->btf : NULL;
	uint32_t id = b ? kbtf_find_struct(b, o->type) : 0;
	struct obj_member r = {.size = 8, .kind = BTF_KIND_INT};
	struct kbtf_member km;
	struct kbtf_info t;

	if (om->prog != META_NONE) {
		r.kind = BTF_KIND_PTR;
		return r;
	}
	if (om->text) {
		r.kind = BTF_KIND_ARRAY;
		r.size = (uint32_t)strlen(om->text) + 1;
	}
	if (!id || !kbtf_find_member(b, id, om->name, &km))
		return r;
	t = kbtf_describe(b, km.type);
	if (t.size && (om->text ? t.size >= r.size : t.size <= 8))
		r.size = t.size;
	r.is_signed = t.is_signed;
	return r;
}

uint32_t obj_ops_layout(const struct ir_module *m, const struct meta_ops *o, struct arena *a,
	struct obj_member **members)
{
	struct obj_member *v = ARENA_ARRAY(a, struct obj_member, o->members.n);
	uint32_t size = 0;

	for (uint32_t i = 0; i < o->members.n; i++) {
		v[i] = kernel_member(m, o, &o->members.v[i]);
		v[i].off = size;
		size = (size + v[i].size + 7) & ~7u;
	}
	*members = v;
	return size ? size : 8;
}

uint32_t obj_place(const struct obj_layout *l, const struct code *code, uint32_t i, uint32_t insn,
	uint32_t *off)
{
	uint32_t own = code_main(&code[i]);

	*off = insn < own ? l->prog_off[i] + insn * 8 : l->text_off[i] + (insn - own) * 8;
	return insn < own ? l->prog_sec[i] : l->text;
}

void obj_layout(const struct ir_module *m, const struct code *code, struct obj_layout *l)
{
	struct arena *a = m->a;
	struct obj_member *unused;

	*l = (struct obj_layout){0};
	l->prog_sec = ARENA_ARRAY(a, uint32_t, m->meta->progs.n + 1);
	l->prog_off = ARENA_ARRAY(a, uint32_t, m->meta->progs.n + 1);
	l->text_off = ARENA_ARRAY(a, uint32_t, m->meta->progs.n + 1);
	l->map_sec = ARENA_ARRAY(a, uint32_t, m->meta->maps.n + 1);
	l->map_off = ARENA_ARRAY(a, uint32_t, m->meta->maps.n + 1);
	l->ops_off = ARENA_ARRAY(a, uint32_t, m->meta->ops.n + 1);
	place_progs(m, code, l);
	for (uint32_t i = 0; i < m->meta->maps.n; i++)
		place_map(m, code, l, i);
	for (uint32_t i = 0; i < m->meta->ops.n; i++) {
		uint32_t s = find_sec(l, ".struct_ops.link");

		if (s == META_NONE)
			s = add_sec(a, l, ".struct_ops.link", OBJ_OPS, META_NONE);
		l->ops_off[i] = l->secs.v[s].size;
		l->secs.v[s].size += obj_ops_layout(m, &m->meta->ops.v[i], a, &unused);
	}
}
