/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The output forms: text as bpftrace 0.27 writes it (print.c) and one JSON object a line in
 * bpftrace's schema (json.c). Everything here turns bytes into text and touches no kernel.
 */
#pragma once
#include "run/table.h"

struct emit_form {
	bool announce_to_out; /* attached probes and lost events belong to the output itself */
	void (*attached)(struct buf *out, uint64_t probes);
	void (*lost)(struct buf *out, uint64_t events);
	/* Requires: table sorted. Divides numbers by div (0 counts as 1). */
	void (*map)(struct buf *out, const struct table *t, uint64_t div);
	/* The value of the table's only entry, without its name. */
	void (*entry)(struct buf *out, const struct table *t);
	void (*printf)(struct buf *out, const char *text, size_t n);
	/* Other text; type as bpftrace's JSON names it. */
	void (*chars)(struct buf *out, const char *type, const char *text, size_t n);
	/* errorf() and its like, as a line "file:line:first-last: KIND: text\n"; NULL: it goes to the user. */
	void (*told)(struct buf *out, const char *type, const char *line);
	void (*time)(struct buf *out, const char *text, size_t n);
	void (*value)(struct buf *out, const struct meta *m, const struct meta_field *f,
		const uint8_t *base, size_t len);
	/* What separates the script's own output from its maps at the end. */
	void (*before_maps)(struct buf *out);
};

extern const struct emit_form emit_text;
extern const struct emit_form emit_json;
