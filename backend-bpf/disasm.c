/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * eBPF code to text, in clang's BPF assembler syntax. The text of every operation is a column of
 * isa.def; here is only how each kind of operand is printed.
 * Ensures: asm_parse of the text gives the same bytes.
 */
#include "backend-bpf/backend.h"
#include "backend-bpf/insn.h"
#include <inttypes.h>
#include <string.h>

struct printer {
	const struct bpf_insn *i; /* the program */
	uint32_t at, n;
	const bool *label; /* slots that something jumps to; NULL: targets as distances */
	struct buf *out;
};

static const struct bpf_insn *here(const struct printer *p)
{
	return &p->i[p->at];
}

static void print_dst(const struct printer *p)
{
	buf_printf(p->out, "r%u", here(p)->dst_reg);
}

static void print_src(const struct printer *p)
{
	buf_printf(p->out, "r%u", here(p)->src_reg);
}

static void print_wdst(const struct printer *p)
{
	buf_printf(p->out, "w%u", here(p)->dst_reg);
}

static void print_wsrc(const struct printer *p)
{
	buf_printf(p->out, "w%u", here(p)->src_reg);
}

static void print_anydst(const struct printer *p)
{
	print_dst(p);
}

static void print_anysrc(const struct printer *p)
{
	print_src(p);
}

static void print_dstaddr(const struct printer *p)
{
	buf_printf(p->out, "r%u%+d", here(p)->dst_reg, here(p)->off);
}

static void print_srcaddr(const struct printer *p)
{
	buf_printf(p->out, "r%u%+d", here(p)->src_reg, here(p)->off);
}

static void print_imm(const struct printer *p)
{
	buf_printf(p->out, "%" PRId32, here(p)->imm);
}

static void print_distance(const struct printer *p, int64_t off)
{
	int64_t to = (int64_t)p->at + 1 + off;

	if (p->label && to >= 0 && to < p->n && p->label[to])
		buf_printf(p->out, "L%" PRId64, to);
	else
		buf_printf(p->out, "%+" PRId64, off);
}

static void print_target(const struct printer *p)
{
	print_distance(p, here(p)->off);
}

static void print_fartarget(const struct printer *p)
{
	print_distance(p, here(p)->imm);
}

static void print_function(const struct printer *p)
{
	print_distance(p, here(p)->imm);
}

static void print_helper(const struct printer *p)
{
	const struct kern_helper *h = kern_helper_by_id((uint32_t)here(p)->imm);

	if (h)
		buf_puts(p->out, h->name);
	else
		buf_printf(p->out, "%" PRIu32, (uint32_t)here(p)->imm);
}

static void print_imm64(const struct printer *p)
{
	uint64_t hi = (uint32_t)here(p)[1].imm, lo = (uint32_t)here(p)->imm;

	buf_printf(p->out, "0x%" PRIx64, hi << 32 | lo);
}

static void print_map(const struct printer *p)
{
	buf_printf(p->out, "%" PRIu32, (uint32_t)here(p)->imm);
}

static void print_mapvalue(const struct printer *p)
{
	buf_printf(
		p->out, "%" PRIu32 "]+%" PRIu32, (uint32_t)here(p)->imm, (uint32_t)here(p)[1].imm);
}

static void (*const print_hole[128])(const struct printer *) = {
#define HOLE(ch, id, what) [ch] = print_##id,
#include "backend-bpf/isa.def"
};

static void print_raw(const struct printer *p)
{
	uint64_t bytes;

	memcpy(&bytes, here(p), sizeof(bytes));
	buf_printf(p->out, ".raw 0x%016" PRIx64, bytes);
}

/* Two slots that make one constant, and nothing in the second that the text would lose. */
static bool second_ok(const struct printer *p, int op)
{
	const struct bpf_insn *b = here(p) + 1;

	if (p->at + 1 >= p->n || b->code || b->dst_reg || b->src_reg || b->off)
		return false;
	return op == ISA_LD64_CONST || op == ISA_LD64_VALUE || b->imm == 0;
}

static unsigned print_one(const struct printer *p)
{
	int op = isa_find(here(p));
	bool wide = op >= 0 && isa_row((enum isa_op)op)->flags & ISAF_IMM64;

	if (op < 0 || (wide && !second_ok(p, op))) {
		print_raw(p);
		return 1;
	}
	for (const char *t = isa_row((enum isa_op)op)->text; *t; t++) {
		if (*t != '%')
			buf_putc(p->out, *t);
		else if (*++t == '%')
			buf_putc(p->out, '%');
		else
			print_hole[(unsigned char)*t](p);
	}
	return wide ? 2 : 1;
}

unsigned disasm_one(const struct bpf_insn *i, uint32_t at, uint32_t n, struct buf *out)
{
	return print_one(&(struct printer){.i = i, .at = at, .n = n, .out = out});
}

/* Where this instruction may go besides the next one; -1 nowhere that a label can stand. */
static int64_t jump_target(const struct bpf_insn *i, uint32_t at, uint32_t n)
{
	int op = isa_find(&i[at]);
	int64_t to = (int64_t)at + 1;

	if (op < 0)
		return -1;
	if (op == ISA_CALL_LOCAL || op == ISA_JA_IMM || op == ISA_LD64_FUNC)
		to += i[at].imm;
	else if (isa_row((enum isa_op)op)->flags & ISAF_JUMP && op != ISA_EXIT)
		to += i[at].off;
	else
		return -1;
	return to >= 0 && to < n ? to : -1;
}

void disasm_text(const struct bpf_insn *i, uint32_t n, struct arena *scratch, struct buf *out)
{
	bool *label = ARENA_ARRAY(scratch, bool, n + 1);
	struct printer p = {.i = i, .n = n, .label = label, .out = out};

	for (uint32_t at = 0; at < n; at++) {
		int64_t to = jump_target(i, at, n);

		if (to >= 0)
			label[to] = true;
	}
	/* A target inside a two-slot constant has no line of its own. */
	for (uint32_t at = 0; at < n; at++) {
		int op = isa_find(&i[at]);

		p.at = at;
		if (op >= 0 && isa_row((enum isa_op)op)->flags & ISAF_IMM64 && second_ok(&p, op))
			label[++at] = false;
	}
	for (p.at = 0; p.at < n;) {
		if (label[p.at])
			buf_printf(out, "L%u:\n", p.at);
		buf_putc(out, '\t');
		p.at += print_one(&p);
		buf_putc(out, '\n');
	}
}
