/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What tests of the interpreter share: a program from text, maps, a packet. Include once. */
#pragma once
#include "backend-bpf/backend.h"
#include "backend-bpf/interp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct world {
	struct arena a;
	struct skep_diags d;
	struct meta meta;
	struct asm_code code;
	struct interp in;
	uint8_t packet[512];
	bool ready;
};

static void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	arena_init(&w->a, NULL);
	diags_init(&w->d, &w->a);
	meta_init(&w->meta, &w->a);
	w->in = (struct interp){.a = &w->a,
		.meta = &w->meta,
		.strict_stack = true,
		.prog_type = BPF_PROG_TYPE_XDP,
		.packet = w->packet,
		.packet_len = 64,
		.packet_cap = sizeof(w->packet)};
}

static inline uint32_t world_map(struct world *w, uint32_t type, uint32_t key, uint32_t value,
	uint32_t entries, uint32_t flags)
{
	char *name = arena_printf(&w->a, "m%u", w->meta.maps.n);
	struct meta_map m = {.name = name,
		.kname = name,
		.type = type,
		.key_size = key,
		.value_size = value,
		.max_entries = entries,
		.flags = flags,
		.present_off = META_NONE};

	vec_push(&w->a, &w->meta.maps, m);
	return w->meta.maps.n - 1;
}

static inline void world_code(struct world *w, const char *text)
{
	w->code = (struct asm_code){0};
	if (!asm_parse(text, strlen(text), diags_add_source(&w->d, "t", text, strlen(text)), &w->d,
		    &w->a, &w->code)) {
		diags_render(&w->d, stderr, false);
		fail_msg("does not assemble");
	}
	w->in.insn = w->code.insns.v;
	w->in.n = w->code.insns.n;
}

/* Runs text; the maps are made at the first run. */
static inline uint64_t world_run(struct world *w, const char *text)
{
	uint64_t r0 = 0;

	world_code(w, text);
	if (!w->ready)
		interp_init(&w->in);
	w->ready = true;
	if (!interp_run(&w->in, &r0))
		fail_msg("instruction %u: %s\n%s", w->in.error_at, w->in.error, text);
	return r0;
}

/* Runs text, which must go wrong with this message. */
static inline void world_wrong(struct world *w, const char *text, const char *message)
{
	uint64_t r0;

	world_code(w, text);
	if (!w->ready)
		interp_init(&w->in);
	w->ready = true;
	if (interp_run(&w->in, &r0))
		fail_msg("should go wrong:\n%s", text);
	if (!strstr(w->in.error, message))
		fail_msg("'%s' is not '%s'", w->in.error, message);
}
