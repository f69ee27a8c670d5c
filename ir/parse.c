/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the text form (docs/ir.md): declarations, types, functions and blocks. Bad text becomes one
 * diagnostic with its place; whether the program keeps the rules is check.c's business.
 */
#include "ir/parse.h"
#include "ir/build.h"
#include <linux/bpf.h>
#include <string.h>

/* ---- types ---- */
static uint32_t type_size(struct parse *p)
{
	uint32_t n;

	want_punct(p, '<');
	n = want_u32(p);
	want_punct(p, '>');
	return n;
}

static struct ir_type type_i64(struct parse *p)
{
	struct ir_type t = IR_I64;

	if (!tok_punct(p, '<') || !p->tok.joined)
		return t;
	ir_lex_next(p);
	if (want_num(p) != 0)
		parse_fail(p, "a range starts at 0");
	if (p->tok.kind != TOK_DOTS)
		parse_fail(p, "'..' expected");
	ir_lex_next(p);
	t.hi = (uint64_t)want_num(p);
	want_punct(p, '>');
	return t;
}

static struct ir_type type_ctx(struct parse *p)
{
	const char *name;
	int ctx;

	want_punct(p, '<');
	name = want_name(p, TOK_WORD, "context");
	ctx = kern_ctx_by_name(name);
	if (ctx < 0)
		parse_fail(p, "no context '%s'", name);
	want_punct(p, '>');
	return ir_ptr(IRT_CTX, ctx < 0 ? 0 : (uint32_t)ctx);
}

static struct ir_type type_btf(struct parse *p, uint8_t flags)
{
	const char *name;

	want_punct(p, '<');
	name = want_name(p, TOK_WORD, "kernel type");
	want_punct(p, '>');
	return p->failed ? IR_VOID : ir_btf_type(p->m, name, 0, flags);
}

struct ir_type parse_type(struct parse *p)
{
	uint8_t flags = take_word(p, "own") ? IRT_OWNED : 0;
	struct ir_type t = IR_VOID;

	if (take_word(p, "void"))
		t = IR_VOID;
	else if (take_word(p, "i32"))
		t = IR_I32;
	else if (take_word(p, "i64"))
		t = type_i64(p);
	else if (take_word(p, "ctx"))
		t = type_ctx(p);
	else if (take_word(p, "slot"))
		t = ir_ptr(IRT_SLOT, type_size(p));
	else if (take_word(p, "map"))
		t = ir_ptr(IRT_MAP, 0);
	else if (take_word(p, "func"))
		t = ir_ptr(IRT_FUNC, 0);
	else if (take_word(p, "frame"))
		t = ir_ptr(IRT_FRAME, type_size(p));
	else if (take_word(p, "key"))
		t = ir_ptr(IRT_KEY, type_size(p));
	else if (take_word(p, "mapv"))
		t = ir_ptr(IRT_MAPV, type_size(p));
	else if (take_word(p, "rec"))
		t = ir_ptr(IRT_REC, type_size(p));
	else if (take_word(p, "pktend"))
		t = ir_ptr(IRT_PKTEND, 0);
	else if (take_word(p, "pkt"))
		t = ir_ptr(IRT_PKT, type_size(p));
	else if (take_word(p, "btf"))
		t = type_btf(p, flags);
	else if (take_word(p, "btfu"))
		t = type_btf(p, (uint8_t)(flags | IRT_UNTRUSTED));
	else
		parse_fail(p, "type expected");
	if (flags && t.kind != IRT_BTF)
		parse_fail(p, "'own' goes with btf<...> only");
	if (tok_punct(p, '?') && t.kind != IRT_MAPV && t.kind != IRT_REC && t.kind != IRT_BTF)
		parse_fail(p, "this type cannot be NULL");
	return take_punct(p, '?') ? ir_nullable(t) : t;
}

/* ---- names ---- */
static ir_val announce(struct parse *p, const char *name, struct ir_ins ins)
{
	ir_val v = ir_new_ins(p->f, ins);

	smap_put(&p->values, name, (void *)(uintptr_t)(v + 1));
	while (p->pending.n <= v)
		vec_push(p->m->a, &p->pending, 0);
	return v;
}

ir_val parse_value(struct parse *p)
{
	uint32_t off = p->tok.off;
	const char *name = want_name(p, TOK_VALUE, "%value");
	uintptr_t known = (uintptr_t)smap_get(&p->values, name);
	ir_val v;

	if (known || p->failed)
		return known ? (ir_val)(known - 1) : IR_NONE;
	v = announce(p, name, (struct ir_ins){0});
	p->pending.v[v] = off + 1;
	return v;
}

bool parse_is_defined(const struct parse *p, const char *name)
{
	uintptr_t known = (uintptr_t)smap_get(&p->values, name);

	return known && !p->pending.v[known - 1];
}

ir_val parse_define(struct parse *p, const char *name, struct ir_ins ins)
{
	uintptr_t known = name ? (uintptr_t)smap_get(&p->values, name) : 0;
	ir_val v = (ir_val)(known - 1);

	ins.block = p->here;
	if (!known) {
		v = name ? announce(p, name, ins) : ir_new_ins(p->f, ins);
	} else if (p->pending.v[v]) {
		p->pending.v[v] = 0;
		p->f->vals.v[v] = ins;
		p->f->vals.v[v].reg = IR_NO_REG;
	} else {
		parse_fail(p, "%%%s is defined twice", name);
	}
	return v;
}

ir_blk parse_block_name(struct parse *p)
{
	struct tok tok = p->tok;
	const char *name = want_name(p, TOK_BLOCK, "^block");
	uintptr_t known = (uintptr_t)smap_get(&p->blocks, name);

	if (!known && !p->failed) {
		p->tok = tok;
		parse_fail(p, "no block ^%s", name);
	}
	return known ? (ir_blk)(known - 1) : 0;
}

uint32_t parse_map_name(struct parse *p)
{
	struct tok tok = p->tok;
	const char *name = want_name(p, TOK_AT, "@map");

	for (uint32_t i = 0; i < p->m->meta->maps.n; i++) {
		if (!strcmp(p->m->meta->maps.v[i].kname, name))
			return i;
	}
	if (!p->failed) {
		p->tok = tok;
		parse_fail(p, "no map @%s is declared", name);
	}
	return 0;
}

uint32_t parse_func_name(struct parse *p)
{
	struct tok tok = p->tok;
	const char *name = want_name(p, TOK_AT, "@function");

	for (uint32_t i = 0; i < p->f->top->subs.n; i++) {
		if (!strcmp(p->f->top->subs.v[i]->name, name))
			return i;
	}
	if (!p->failed) {
		p->tok = tok;
		parse_fail(p, "no 'sub @%s' stands before", name);
	}
	return 0;
}

/* root.path[#n]; the declaration of the n-th of that name may be the one being read. */
static void field_name(struct parse *p, const char **root, const char **path, uint32_t *nth)
{
	const char *name = want_name(p, TOK_WORD, "struct.field");
	const char *dot = strchr(name, '.');

	if (!dot && !p->failed)
		parse_fail(p, "'%s' is no struct.field", name);
	*root = dot ? arena_strndup(p->m->a, name, (size_t)(dot - name)) : "";
	*path = dot ? dot + 1 : "";
	*nth = take_punct(p, '#') ? want_u32(p) : 1;
}

uint32_t parse_field_name(struct parse *p)
{
	struct tok tok = p->tok;
	const char *root, *path;
	uint32_t nth, n = 0;

	field_name(p, &root, &path, &nth);
	for (uint32_t i = 0; i < p->m->fields.n; i++) {
		const struct ir_field *d = &p->m->fields.v[i];

		if (!strcmp(d->root, root) && !strcmp(d->path, path) && ++n == nth)
			return i;
	}
	if (!p->failed) {
		p->tok = tok;
		parse_fail(p, "field %s.%s is not declared", root, path);
	}
	return 0;
}

uint8_t parse_reg(struct parse *p)
{
	uint32_t n = 0;

	if (p->tok.kind != TOK_AT || !p->tok.joined)
		return IR_NO_REG;
	if (p->tok.s[0] != 'r' || p->tok.len < 2 || p->tok.len > 3)
		parse_fail(p, "register @r0 to @r10 expected");
	for (uint32_t i = 1; i < p->tok.len; i++)
		n = n * 10 + (uint32_t)(p->tok.s[i] - '0');
	if (n > 10)
		parse_fail(p, "register @r0 to @r10 expected");
	ir_lex_next(p);
	return (uint8_t)n;
}

/* !line:col names a place in the first source of the collection, when that is not this text. */
void parse_span(struct parse *p, struct skep_span *s)
{
	const struct source *src = p->m->diags && p->m->diags->sources.n ?
		p->m->diags->sources.v : NULL;
	uint32_t line, col, off = 0;

	if (!take_punct(p, '!'))
		return;
	line = want_u32(p);
	want_punct(p, ':');
	col = want_u32(p);
	if (p->failed || !src || src->base == p->base || !line || !col)
		return;
	for (uint32_t l = 1; l < line && off < src->len; off++)
		l += src->text[off] == '\n';
	if (off + col - 1 <= src->len)
		*s = (struct skep_span){src->base + off + col - 1, 1};
}

/* ---- declarations ---- */
static const uint8_t *hex_bytes(struct parse *p, uint32_t size)
{
	uint8_t *bytes = ARENA_ARRAY(p->m->a, uint8_t, size + 1);
	const char *s = p->text + p->tok.off;
	static const char digits[] = "0123456789abcdef";
	uint32_t n = 0;

	/* Looked at as plain characters: to the lexer it may be a number, a word or both. */
	for (; p->tok.off + n < p->len && s[n] && strchr(digits, s[n]); n++) {
		if (n / 2 < size)
			bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | (strchr(digits, s[n]) - digits));
	}
	if (n != size * 2)
		parse_fail(p, "%u bytes of initial value in hexadecimal expected", size);
	p->pos = p->tok.off + n;
	ir_lex_next(p);
	return bytes;
}

static uint32_t map_role(struct parse *p)
{
	const char *name = want_name(p, TOK_WORD, "role");

	for (unsigned i = 0; i < MM_COUNT; i++) {
		if (!strcmp(meta_role_text(i), name))
			return i;
	}
	parse_fail(p, "no map role '%s'", name);
	return 0;
}

static void parse_map(struct parse *p)
{
	struct meta_map map = {.present_off = META_NONE};
	bool num;
	int type;

	map.kname = want_name(p, TOK_AT, "@map");
	map.name = arena_printf(p->m->a, "@%s", map.kname);
	num = p->tok.kind == TOK_NUM;
	map.type = num ? want_u32(p) : 0;
	if (!num) {
		const char *text = want_name(p, TOK_WORD, "map type");

		type = ir_map_type_by_text(text);
		if (type < 0)
			parse_fail(p, "no map type '%s'", text);
		map.type = (uint32_t)type;
	}
	while (p->tok.kind == TOK_WORD && !p->tok.line_start) {
		if (take_word(p, "key"))
			map.key_size = want_u32(p);
		else if (take_word(p, "value"))
			map.value_size = want_u32(p);
		else if (take_word(p, "entries"))
			map.max_entries = want_u32(p);
		else if (take_word(p, "flags"))
			map.flags = want_u32(p);
		else if (take_word(p, "role"))
			map.role = map_role(p);
		else if (tok_is(p, "init")) {
			/* The bytes begin behind the blank; lexing them could fail (9e1f). */
			while (p->pos < p->len && p->text[p->pos] == ' ')
				p->pos++;
			p->tok.off = p->pos;
			map.init = hex_bytes(p, map.value_size);
		} else
			parse_fail(p, "key, value, entries, flags, role or init expected");
	}
	if (!p->failed)
		vec_push(p->m->meta->a, &p->m->meta->maps, map);
}

static void parse_field(struct parse *p)
{
	struct ir_field d = {0};
	uint32_t nth;

	field_name(p, &d.root, &d.path, &nth);
	while (p->tok.kind == TOK_WORD) {
		if (take_word(p, "off"))
			d.off = want_u32(p);
		else if (take_word(p, "size"))
			d.size = want_u32(p);
		else if (take_word(p, "bits")) {
			d.bit_off = want_u32(p);
			d.bit_size = want_u32(p);
		} else if (take_word(p, "signed"))
			d.is_signed = true;
		else if (take_word(p, "fact"))
			d.fact = (uint8_t)(want_u32(p) % FACTS);
		else if (take_word(p, "value"))
			d.value = want_num(p);
		else
			parse_fail(p, "off, size, bits, signed, fact, value or ':' expected");
	}
	want_punct(p, ':');
	d.type = parse_type(p);
	if (!p->failed && d.type.kind != IRT_I64 && d.type.kind != IRT_BTF)
		parse_fail(p, "a field is an i64 or a btf pointer");
	if (!p->failed)
		ir_add_field(p->m, d);
}

static void parse_kfunc(struct parse *p)
{
	const char *name = want_name(p, TOK_WORD, "name of a kernel function");
	uint32_t id = take_word(p, "id") ? want_u32(p) : 0;
	uint32_t proto = take_word(p, "proto") ? want_u32(p) : 0;

	if (!p->failed)
		ir_add_kfunc(p->m, name, id, proto);
}

static void parse_btf(struct parse *p)
{
	const char *name = want_name(p, TOK_WORD, "kernel type");
	uint32_t id = take_word(p, "id") ? want_u32(p) : 0;

	if (!p->failed)
		ir_btf_type(p->m, name, id, 0);
}

/* ---- functions ---- */
static bool at_block(const struct parse *p)
{
	return p->tok.kind == TOK_BLOCK && p->tok.line_start;
}

/* Blocks get their indices in the order of their definitions, so look ahead for those. */
static void find_blocks(struct parse *p)
{
	struct parse ahead = *p;
	uint32_t n = 0;

	for (; ahead.tok.kind != TOK_END && !tok_punct(&ahead, '}'); ir_lex_next(&ahead)) {
		const char *name;

		if (!at_block(&ahead))
			continue;
		name = arena_strndup(p->m->a, ahead.tok.s, ahead.tok.len);
		if (smap_get(&p->blocks, name)) {
			p->tok = ahead.tok;
			parse_fail(p, "^%s is defined twice", name);
			return;
		}
		smap_put(&p->blocks, name, (void *)(uintptr_t)++n);
		if (n > 1)
			ir_block_new(p->f);
	}
	if (ahead.failed) {
		p->failed = true;
		p->tok.kind = TOK_END;
	}
}

static void parse_param(struct parse *p, bool entry)
{
	const char *name = want_name(p, TOK_VALUE, "%parameter");
	struct ir_ins ins = {.op = IR_PARAM};
	uint8_t reg = parse_reg(p);
	ir_val v;

	want_punct(p, ':');
	ins.type = parse_type(p);
	if (entry && !ir_is_sub(p->f)) {
		v = ir_ctx(p->f);
		if (!ir_type_eq(ins.type, ir_type_of(p->f, v)))
			parse_fail(p, "the entry's parameter is the context, ctx<%s>",
				kern_ctx_name(p->f->ctx));
		else
			smap_put(&p->values, name, (void *)(uintptr_t)(v + 1));
		while (p->pending.n <= v)
			vec_push(p->m->a, &p->pending, 0);
	} else {
		v = parse_define(p, name, ins);
		if (!p->failed)
			vec_push(p->f->a, &p->f->blocks.v[p->here].params, v);
	}
	if (!p->failed)
		p->f->vals.v[v].reg = reg;
}

static void parse_block(struct parse *p)
{
	struct ir_block *blk;
	uint32_t n = 0;

	p->here = parse_block_name(p);
	if (take_punct(p, '(')) {
		do {
			parse_param(p, p->here == 0);
			if (p->here == 0 && n++ && !ir_is_sub(p->f))
				parse_fail(p, "the entry has one parameter, the context");
		} while (take_punct(p, ','));
		want_punct(p, ')');
	} else if (p->here == 0) {
		parse_fail(p, "the entry needs a parameter: the context");
	}
	want_punct(p, ':');
	blk = &p->f->blocks.v[p->here];
	blk->sealed = true;
	while (p->tok.kind != TOK_END && !at_block(p) && !tok_punct(p, '}')) {
		if (p->f->blocks.v[p->here].term.op != IRN_NONE)
			parse_fail(p, "the block has ended already");
		if (!p->tok.line_start)
			parse_fail(p, "end of the line expected");
		else
			parse_statement(p);
	}
	if (!p->failed && p->f->blocks.v[p->here].term.op == IRN_NONE)
		parse_fail(p, "the block before has no terminator");
}

static void check_pending(struct parse *p)
{
	for (uint32_t v = 0; v < p->pending.n && !p->failed; v++) {
		if (p->pending.v[v]) {
			p->tok = (struct tok){.off = p->pending.v[v] - 1, .len = 1};
			parse_fail(p, "this value is defined nowhere");
		}
	}
}

static void parse_body(struct parse *p)
{
	p->f->build = NULL;
	p->f->machine = take_word(p, "machine");
	p->f->legal = take_word(p, "legal") || p->f->machine;
	smap_init(&p->values, p->m->a);
	smap_init(&p->blocks, p->m->a);
	p->pending.n = 0;
	if (!tok_punct(p, '{'))
		parse_fail(p, "'{' expected");
	find_blocks(p);
	ir_lex_next(p);
	if (!at_block(p))
		parse_fail(p, "^block expected");
	while (at_block(p))
		parse_block(p);
	want_punct(p, '}');
	check_pending(p);
}

/* A function that is called back stands before its program and has the same context. */
static void parse_sub(struct parse *p, const char *name, enum kern_ctx ctx)
{
	if (!p->top)
		p->top = ir_fn_blank(p->m, "", ctx);
	else if (p->top->ctx != ctx)
		parse_fail(p, "functions of one program have one context");
	p->f = ir_fn_blank(p->m, name, ctx);
	p->f->top = p->top;
	parse_body(p);
	if (!p->failed)
		ir_sub_cost(p->f);
	vec_push(p->m->a, &p->top->subs, p->f);
}

static void adopt_subs(struct parse *p)
{
	struct ir_fn *f = p->f;

	for (uint32_t i = 0; p->top && i < p->top->subs.n; i++) {
		p->top->subs.v[i]->top = f;
		vec_push(p->m->a, &f->subs, p->top->subs.v[i]);
	}
	if (p->top && p->top->ctx != f->ctx)
		parse_fail(p, "functions of one program have one context");
	p->top = NULL;
}

static void parse_fn(struct parse *p, bool prog)
{
	const char *name = want_name(p, TOK_AT, "@name");
	const char *ctx_name = want_name(p, TOK_WORD, "context");
	int ctx = p->failed ? 0 : kern_ctx_by_name(ctx_name);

	if (ctx < 0)
		parse_fail(p, "no context '%s'", ctx_name);
	if (p->failed)
		return;
	if (!prog) {
		parse_sub(p, name, (enum kern_ctx)ctx);
		return;
	}
	p->f = ir_fn_new(p->m, name, (enum kern_ctx)ctx);
	adopt_subs(p);
	vec_push(p->m->meta->a, &p->m->meta->progs,
		(struct meta_prog){.name = p->f->name, .section = ctx_name,
			.type = kern_ctx_prog_type((enum kern_ctx)ctx), .ops = META_NONE,
			.member = META_NONE});
	parse_body(p);
}

bool ir_parse(struct ir_module *m, const char *text, size_t len, uint32_t base,
	const struct ir_machine_names *machine)
{
	struct parse p = {.m = m, .text = text, .len = (uint32_t)len, .base = base,
		.machine = machine};

	if (machine)
		m->machine = machine;
	ir_lex_next(&p);
	while (p.tok.kind != TOK_END) {
		if (take_word(&p, "map"))
			parse_map(&p);
		else if (take_word(&p, "field"))
			parse_field(&p);
		else if (take_word(&p, "kfunc"))
			parse_kfunc(&p);
		else if (take_word(&p, "btf"))
			parse_btf(&p);
		else if (take_word(&p, "prog"))
			parse_fn(&p, true);
		else if (take_word(&p, "sub"))
			parse_fn(&p, false);
		else
			parse_fail(&p, "map, field, kfunc, btf, sub or prog expected");
	}
	if (p.top && !p.failed)
		parse_fail(&p, "'sub' without its 'prog' behind");
	return !p.failed;
}
