/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the checked tree to IR, one program per attach point; packet rules of one interface share a
 * program, in source order. Needs a script without errors. Leaves functions that ir_check accepts.
 */
#include "lang/lower.h"
#include <linux/bpf.h>
#include <string.h>

#define RING_BYTES (256u * 1024)
#define COUNTER_BYTES 4096u /* one page: 512 counters */

ir_blk lo_block(struct lower *L)
{
	ir_blk b = ir_block_new(L->f), here = ir_here(L->f);

	while (L->dom.n <= b)
		vec_push(L->a, &L->dom, (struct lo_dom){0});
	L->dom.v[b] = (struct lo_dom){.created_in = here, .parent = here};
	return b;
}

void lo_enter(struct lower *L, ir_blk b)
{
	ir_seal(L->f, b);
	ir_at(L->f, b);
}

/*
 * A block is reached only through code written after it was created, so the block that was current
 * then dominates it; a single predecessor is the better answer.
 */
static void note_edge(struct lower *L, ir_blk to)
{
	struct lo_dom *d = &L->dom.v[to];

	d->parent = d->npreds++ ? d->created_in : ir_here(L->f);
}

void lo_goto(struct lower *L, ir_blk b)
{
	if (!ir_open(L->f))
		return;
	note_edge(L, b);
	ir_jmp(L->f, b);
}

void lo_if(struct lower *L, enum ir_cc cc, ir_val a, ir_val b, ir_blk yes, ir_blk no)
{
	note_edge(L, yes);
	note_edge(L, no);
	ir_if(L->f, cc, a, b, yes, no);
}

ir_val lo_some(struct lower *L, ir_val p, ir_blk yes, ir_blk no)
{
	note_edge(L, yes);
	note_edge(L, no);
	return ir_some(L->f, p, yes, no);
}

ir_val lo_need(struct lower *L, ir_val pkt, uint32_t bytes, ir_blk yes, ir_blk no)
{
	note_edge(L, yes);
	note_edge(L, no);
	return ir_need(L->f, pkt, L->net.end, bytes, yes, no);
}

ir_val lo_bound(struct lower *L, ir_val x, uint64_t below, ir_blk in, ir_blk out)
{
	note_edge(L, in);
	note_edge(L, out);
	return ir_bound(L->f, x, below, in, out);
}

ir_val lo_loop(struct lower *L, ir_val counter, uint64_t below, ir_blk body, ir_blk done)
{
	lo_forget(L, NULL);
	note_edge(L, body);
	note_edge(L, done);
	return ir_loop(L->f, counter, below, body, done);
}

bool lo_dominates(const struct lower *L, ir_blk b)
{
	ir_blk at = ir_here(L->f);

	while (at != b && at != 0)
		at = L->dom.v[at].parent;
	return at == b;
}

ir_val lo_slot(struct lower *L, uint32_t size)
{
	ir_val v;

	size = (size + 7) & ~7u;
	for (uint32_t i = 0; i < L->slots.n; i++) {
		if (!L->slots.v[i].busy && L->slots.v[i].size == size) {
			L->slots.v[i].busy = true;
			L->slots.v[i].level = L->slot_level;
			return L->slots.v[i].v;
		}
	}
	v = ir_slot(L->f, size);
	vec_push(L->a, &L->slots, (struct lo_slot){v, size, true, L->slot_level});
	return v;
}

void lo_free_slots(struct lower *L)
{
	for (uint32_t i = 0; i < L->slots.n; i++) {
		if (L->slots.v[i].level >= L->slot_level)
			L->slots.v[i].busy = false;
	}
}

uint32_t lo_add_map(struct lower *L, struct meta_map map)
{
	vec_push(L->a, &L->m->meta->maps, map);
	return L->m->meta->maps.n - 1;
}

uint32_t lo_rodata(struct lower *L, const void *p, uint32_t n, uint32_t align)
{
	uint32_t off;

	if (L->rodata == META_NONE) {
		L->rodata = lo_add_map(L, (struct meta_map){.name = "rodata", .kname = "skep_rodata",
						  .role = MM_RODATA, .type = BPF_MAP_TYPE_ARRAY,
						  .key_size = 4, .max_entries = 1,
						  .value_size = 1u << 20, .present_off = META_NONE});
	}
	buf_align(&L->rodata_bytes, align);
	off = (uint32_t)L->rodata_bytes.n;
	buf_put(&L->rodata_bytes, p, n);
	return off;
}

uint32_t lo_zeroes(struct lower *L, uint32_t n)
{
	if (L->zeroes < n) {
		void *zero = arena_alloc(L->a, n);

		L->zeroes_off = lo_rodata(L, zero, n, 8);
		L->zeroes = n;
	}
	return L->zeroes_off;
}

ir_val lo_rodata_addr(struct lower *L, uint32_t off)
{
	return ir_gaddr(L->f, L->rodata, off);
}

/* Takes from every address in rodata, and every one made from such, what it claimed too much. */
static void shrink_rodata(struct lower *L, struct ir_fn *f, uint32_t excess)
{
	bool *inside = ARENA_ARRAY(L->a, bool, f->vals.n);

	for (uint32_t k = 1; k < f->vals.n; k++) {
		struct ir_ins *in = &f->vals.v[k];
		bool derived = in->op == IR_INDEX || in->op == IR_OFF;

		inside[k] = (in->op == IR_GADDR && in->aux == L->rodata) ||
			    (derived && inside[in->args[0]]);
		if (inside[k])
			in->type.n -= excess;
	}
}

/* The size of rodata is known at the end; until then its addresses claim too much. */
static void settle_rodata(struct lower *L)
{
	struct meta_map *map;
	uint32_t claimed;

	if (L->rodata == META_NONE)
		return;
	buf_align(&L->rodata_bytes, 8);
	map = &L->m->meta->maps.v[L->rodata];
	claimed = map->value_size;
	map->value_size = (uint32_t)L->rodata_bytes.n;
	map->init = (const uint8_t *)L->rodata_bytes.p;
	for (uint32_t i = 0; i < L->m->fns.n; i++) {
		struct ir_fn *f = L->m->fns.v[i];

		for (uint32_t k = 0; k < f->subs.n; k++)
			shrink_rodata(L, f->subs.v[k], claimed - map->value_size);
		shrink_rodata(L, f, claimed - map->value_size);
	}
}

bool lo_has_ring(const struct lower *L)
{
	return target_has(L->m->target, KF_RINGBUF);
}

/* A power of two, of pages of any machine. */
static uint32_t ring_bytes(const struct lower *L)
{
	uint32_t n = 64 * 1024;

	if (!L->s->config.perf_rb_pages)
		return RING_BYTES;
	while (n / 4096 < L->s->config.perf_rb_pages)
		n *= 2;
	return n;
}

uint32_t lo_ring(struct lower *L)
{
	if (L->ring == META_NONE && !lo_has_ring(L)) {
		/* one entry per CPU: how many there are is known when it is made */
		L->ring = lo_add_map(L, (struct meta_map){.name = "events", .kname = "skep_events",
						.role = MM_RING, .key_size = 4, .value_size = 4,
						.type = BPF_MAP_TYPE_PERF_EVENT_ARRAY,
						.present_off = META_NONE});
	}
	if (L->ring == META_NONE) {
		L->ring = lo_add_map(L, (struct meta_map){.name = "events", .kname = "skep_events",
						.role = MM_RING, .type = BPF_MAP_TYPE_RINGBUF,
						.max_entries = ring_bytes(L), .present_off = META_NONE});
	}
	return L->ring;
}

void lo_count(struct lower *L, enum meta_counter_kind kind, uint32_t ref)
{
	uint32_t id = meta_add_counter(L->m->meta, kind, ref);

	if (L->counters == META_NONE) {
		L->counters = lo_add_map(L, (struct meta_map){.name = "counters",
						    .kname = "skep_counters", .role = MM_COUNTERS,
						    .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
						    .value_size = COUNTER_BYTES, .max_entries = 1,
						    .flags = BPF_F_MMAPABLE,
						    .present_off = META_NONE});
	}
	if (id >= COUNTER_BYTES / 8)
		id = COUNTER_BYTES / 8 - 1; /* a script of that size shares its last counter */
	ir_atom(L->f, AT_ADD, 8, ir_gaddr(L->f, L->counters, id * 8), 0, ir_const(L->f, 1));
}

void lo_check_read(struct lower *L, ir_val answer)
{
	ir_blk failed, done;

	if (!L->s->check_reads)
		return;
	failed = lo_block(L);
	done = lo_block(L);
	lo_if(L, CC_SLT, answer, ir_const(L->f, 0), failed, done);
	lo_enter(L, failed);
	lo_count(L, MC_READ_FAULT, L->prog);
	lo_goto(L, done);
	lo_enter(L, done);
}

#define SELECT_PREV_CPU 1 /* select_cpu's argument: kern/scx_args.def */

void lo_end(struct lower *L)
{
	if (L->each)
		lo_each_end(L);
	else if (L->stays)
		ir_ret(L->f, ir_ldctx(L->f, 8, SELECT_PREV_CPU * 8, IR_I64));
	else
		ir_ret(L->f, ir_const(L->f, L->fall_off));
}

/* ---- programs ---- */

static const char *unique_prog_name(struct lower *L, const char *base)
{
	char clean[12];
	size_t n = 0;

	for (; *base && n < sizeof(clean) - 1; base++) {
		char c = *base;
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		clean[n++] = ok ? c : '_';
	}
	clean[n] = 0;
	return arena_printf(L->a, "p%u_%.*s", L->m->meta->progs.n,
		(int)(13 - snprintf(NULL, 0, "p%u_", L->m->meta->progs.n)), clean);
}

/* May sleep where the kernel allows it, unless it uses pointers that would become invalid. */
static bool sleepable(const struct attach_point *ap)
{
	return ap->op->sleepable && !ap->rcu;
}

static const char *section_of(struct lower *L, const struct attach_point *ap)
{
	const struct kern_probe *row = kern_probe(ap->kind);

	switch (row->parts) {
	case PP_FUNC:
	case PP_FENTRY:
	case PP_LSM:
	case PP_ITER:
		return arena_printf(L->a, "%s/%s", row->section, ap->parts.v[ap->parts.n - 1]);
	case PP_RAWTP:
		return arena_printf(L->a, "%s/%s", L->probe->uses_args ? "tp_btf" : row->section,
			ap->parts.v[ap->parts.n - 1]);
	case PP_TRACEPOINT:
		return arena_printf(L->a, "%s/%s/%s", row->section, ap->parts.v[0], ap->parts.v[1]);
	case PP_CGROUP_DIR:
		return arena_printf(L->a, "%s/%s", row->section, ap->parts.v[1]);
	case PP_OPS:
		return arena_printf(
			L->a, "%s%s/%s", row->section, sleepable(ap) ? ".s" : "", ap->op->name);
	default:
		return row->section;
	}
}

/* tc programs have none: they are attached in the old way and in the new. */
static uint32_t attach_type_of(const struct attach_point *ap)
{
	if (ap->kind == PROBE_XDP)
		return BPF_XDP;
	if (ap->kind == PROBE_FENTRY)
		return BPF_TRACE_FENTRY;
	if (ap->kind == PROBE_FEXIT)
		return BPF_TRACE_FEXIT;
	if (ap->kind == PROBE_LSM)
		return BPF_LSM_MAC;
	if (ap->kind == PROBE_ITER)
		return BPF_TRACE_ITER;
	if (ap->kind == PROBE_CGROUP_SKB)
		return !strcmp(ap->parts.v[1], "egress") ? BPF_CGROUP_INET_EGRESS
							 : BPF_CGROUP_INET_INGRESS;
	return 0;
}

static int default_verdict(const struct lower *L, const struct attach_point *ap)
{
	const struct kern_verdicts *v = kern_verdicts(ap->kind);
	const char *want = L->s->config.default_verdict;

	return want && !strcmp(want, "drop") ? v->drop : v->pass;
}

/* Lowers into this one from here on; nothing is known in it yet. */
static void lo_function(struct lower *L, struct ir_fn *f)
{
	L->f = f;
	L->slots.n = L->proofs.n = L->dom.n = L->seen.n = L->owned.n = L->loop_owned = 0;
	L->open_loops.n = 0;
	memset(L->ops_arg, 0, sizeof(L->ops_arg));
	L->net = (struct lo_net){0};
	L->missing = L->loop_break = L->loop_continue = L->fn_done = IR_NONE;
	L->slot_level = L->fn_owned = 0;
	L->frame = IR_NONE;
	L->rounds = 0;
	L->stays = false;
	vec_push(L->a, &L->dom, (struct lo_dom){0});
	ir_seal(f, 0);
	ir_at(f, 0);
}

static void begin_program(struct lower *L, const struct attach_point *ap)
{
	const struct kern_probe *row = kern_probe(ap->kind);
	struct meta *meta = L->m->meta;
	/* raw tracepoints whose arguments have names are told to the kernel by their type */
	bool typed = row->parts == PP_RAWTP && L->probe->uses_args;
	enum kern_ctx ctx = typed ? CTX_TRACING : row->ctx;
	struct meta_prog prog = {.type = kern_ctx_prog_type(ctx), .ops = META_NONE,
		.member = META_NONE, .section = section_of(L, ap)};
	const char *last = ap->parts.n ? ap->parts.v[ap->parts.n - 1] : row->name;

	prog.name = unique_prog_name(L, last);
	prog.attach_type = typed ? BPF_TRACE_RAW_TP : attach_type_of(ap);
	if ((row->parts == PP_OPS && sleepable(ap)) || ap->kind == PROBE_SCHED_TIMER)
		prog.flags = BPF_F_SLEEPABLE;
	L->prog = meta->progs.n;
	vec_push(L->a, &meta->progs, prog);
	lo_function(L, ir_fn_new(L->m, prog.name, ctx));
	L->shared = false;
	L->f->no_result = row->parts == PP_OPS && ap->ops_proto && !ap->ops_ret;
	L->f->half_result = ap->ops_ret && kbtf_size(L->m->target->btf, ap->ops_ret) == 4;
	L->stays = ap->op && !strcmp(ap->op->name, "select_cpu");
	L->fall_off = kern_is_packet(ap->kind) ? default_verdict(L, ap) : 0;
}

static void add_probe(struct lower *L, const struct attach_point *ap)
{
	struct meta_probe p = {.name = ap->name, .kind = kern_probe(ap->kind)->name,
		.prog = L->prog, .off = ap->span.off, .len = ap->span.len};

	uintptr_t known = ap->func ? (uintptr_t)smap_get(&L->funcs, ap->func) : 0;

	for (unsigned i = 0; i < 3; i++)
		p.arg[i] = i < ap->parts.n ? ap->parts.v[i] : "";
	if (ap->pattern)
		p.arg[2] = ap->pattern;
	p.num[0] = ap->num[0];
	p.num[1] = ap->num[1];
	p.func = ap->func ? ap->func : "";
	L->probe_id = L->m->meta->probes.n;
	L->func_id = p.func_id = known ? (uint32_t)known - 1 : L->probe_id;
	if (ap->func && !known)
		smap_put(&L->funcs, ap->func, (void *)(uintptr_t)(L->probe_id + 1));
	if (ap->from_pattern)
		p.flags |= META_PROBE_OPTIONAL;
	if (L->s->config.missing_probes != MISSING_ERROR &&
		(L->s->config.missing_probes != MISSING_DEFAULT || L->probe->written > 1))
		p.flags |= META_PROBE_OPTIONAL;
	if (L->s->config.missing_probes == MISSING_IGNORE)
		p.flags |= META_PROBE_QUIET;
	vec_push(L->a, &L->m->meta->probes, p);
}

/* What a variable of the script is in SSA: a number, or a pointer that the verifier knows. */
static struct ir_type var_type(struct lower *L, const struct var_sym *v)
{
	struct kbtf *btf = L->m->target->btf;
	uint32_t id;

	if (v->type.kind != LT_PTR || !v->type.trusted)
		return IR_I64;
	id = kbtf_strip(btf, v->type.btf);
	return ir_btf_type(L->m, kbtf_name(btf, id), id,
		(v->type.nullable ? IRT_NULLABLE : 0) | (v->type.owned ? IRT_OWNED : 0));
}

/* Stack objects of variables are the program's: chains exclude each other and share them. */
static void make_vars(struct lower *L, const struct probe *p)
{
	for (uint32_t i = 0; i < p->vars.n; i++) {
		struct var_sym *v = p->vars.v[i];

		if (lo_in_memory(&v->type)) {
			if (v->slot_of != L->f) {
				v->slot = ir_slot(L->f, lo_room(&v->type));
				v->slot_of = L->f;
			}
			ir_zero(L->f, v->slot, 0, lo_room(&v->type));
			continue;
		}
		v->ir_var = ir_var_new(L->f, var_type(L, v));
		v->slot = lo_is_pair(&v->type) ? ir_var_new(L->f, IR_I64) : 0;
	}
}

/* From the first attach point to the predicate. */
static struct skep_span rule_span(const struct probe *p)
{
	struct skep_span s = p->points.v[0].span, last = p->points.v[p->points.n - 1].span;

	if (p->pred)
		last = p->pred->span;
	s.len = last.off + last.len - s.off;
	return s;
}

/* Kinds whose events happen in some process: -p leaves out the others'. */
static bool has_process(const struct attach_point *ap)
{
	switch (kern_probe(ap->kind)->parts) {
	case PP_FUNC:
	case PP_TRACEPOINT:
	case PP_FENTRY:
	case PP_RAWTP:
	case PP_UFUNC:
	case PP_USDT:
	case PP_EVENT:
	case PP_WATCH:
		return true;
	case PP_INTERVAL:
		return ap->kind == PROBE_PROFILE;
	default:
		return false;
	}
}

/* Goes on for the process of -p, to other for all others. */
static void only_process(struct lower *L, ir_blk other)
{
	ir_blk mine = lo_block(L);

	lo_if(L, CC_EQ, lo_task_id(L, true), ir_const(L->f, L->s->pid), mine, other);
	lo_enter(L, mine);
}

void lo_rule(struct lower *L, const struct probe *p, const struct attach_point *ap,
	const struct expr *pred)
{
	bool edits = (lo_block_layers(p->body) & LO_EDITS_L4) != 0;
	ir_blk after = lo_block(L), done = edits ? lo_block(L) : after;

	L->probe = p;
	L->ap = ap;
	L->after_probe = done;
	make_vars(L, p);
	if (L->s->pid && has_process(ap))
		only_process(L, after);
	if (pred) {
		ir_blk body = lo_block(L);

		ir_span(L->f, pred->span);
		lo_cond(L, pred, body, after);
		lo_enter(L, body);
	}
	if (L->net.late)
		lo_net_ends(L);
	if (L->s->count_rules && kern_is_packet(ap->kind) && !L->net.group.on)
		lo_count_rule(L, "", rule_span(p));
	if (edits)
		lo_edit_begin(L, p->body);
	if (L->net.group.on)
		lo_group_found(L);
	else
		lo_block_body(L, p->body);
	lo_goto(L, done);
	if (edits) {
		lo_enter(L, done);
		lo_edit_end(L);
		L->edit.on = false;
		lo_goto(L, after);
	}
	lo_enter(L, after);
}


static void finish_program(struct lower *L)
{
	if (ir_open(L->f))
		lo_end(L);
	ir_finish(L->f);
	if (L->open_loops.n)
		ir_fit_loops(L->f, L->open_loops.v, L->open_loops.n, LO_ROUNDS_MAX);
}

static bool is_packet(const struct attach_point *ap)
{
	return kern_is_packet(ap->kind);
}

/* All rules of one interface: the first attach point that names it opens the program. */
static void lower_packet(struct lower *L, const struct attach_point *first)
{
	VEC(struct lo_rule) rules = {0};
	unsigned counted = L->s->count_rules ? 1u << NET_PKT : 0;

	begin_program(L, first);
	add_probe(L, first);
	for (uint32_t i = 0; i < L->s->probes.n; i++) {
		const struct probe *p = &L->s->probes.v[i];

		for (uint32_t k = 0; k < p->points.n; k++) {
			const struct attach_point *ap = &p->points.v[k];

			if (ap->kind == first->kind && !strcmp(ap->name, first->name))
				vec_push(L->a, &rules,
					(struct lo_rule){p, ap, p->pred, lo_expr_layers(p->pred) & ~LO_WRITES,
						(lo_block_layers(p->body) & ~LO_WRITES) | counted,
						counted ? lo_rule_row(L, "", rule_span(p)) : rules.n});
		}
	}
	lo_net_begin(L, rules.v, rules.n);
	finish_program(L);
}

static bool seen_before(const struct lower *L, const struct attach_point *ap)
{
	for (uint32_t i = 0; i < L->m->meta->probes.n; i++) {
		if (!strcmp(L->m->meta->probes.v[i].name, ap->name))
			return true;
	}
	return false;
}

/* What skep adds to operations of a scheduler. */
static void begin_op(struct lower *L, const struct attach_point *ap)
{
	if (ap->op && !strcmp(ap->op->name, "exit"))
		lo_scx_exit_info(L);
	else if (ap->op && !strcmp(ap->op->name, "init_task"))
		lo_scx_init_task(L);
}

/*
 * The attach type that takes many such points in one link; 0 none. kprobe.multi takes functions by
 * name alone. Before 6.10 uprobe.multi looked at one thread of the process it was for.
 */
static uint32_t multi_type(const struct lower *L, const struct attach_point *ap)
{
	const struct target *t = L->m->target;

	switch (kern_probe(ap->kind)->parts) {
	case PP_FUNC:
		return target_has(t, KF_KPROBE_MULTI) && ap->parts.n == 1 && !ap->num[0]
			       ? BPF_TRACE_KPROBE_MULTI
			       : 0;
	case PP_UFUNC:
		return target_has(t, KF_UPROBE_MULTI) && (!L->s->pid || t->version >= KV(6, 10))
			       ? KERN_TRACE_UPROBE_MULTI
			       : 0;
	default:
		return 0;
	}
}

/*
 * Whether one program may serve both points: nothing in it depends on which one it runs for, or the
 * kernel tells it by the attach cookie. Which attachment it is for is part of the program, too.
 */
static bool shares(const struct lower *L, const struct probe *p, const struct attach_point *a,
	const struct attach_point *b)
{
	const struct target *t = L->m->target;

	if (a->kind != b->kind || b->missing ||
		(p->uses_probe && !target_has(t, KF_ATTACH_COOKIE)))
		return false;
	switch (kern_probe(a->kind)->parts) {
	case PP_FUNC:
	case PP_UFUNC:
		return multi_type(L, a) == multi_type(L, b);
	case PP_TRACEPOINT:
		return !p->uses_args;
	case PP_USDT:
		return !p->uses_argn || !strcmp(a->usdt_args, b->usdt_args);
	default:
		return false;
	}
}

/* Further points of the probe that the program just begun serves. */
static void share_program(struct lower *L, const struct probe *p, uint32_t first)
{
	const struct attach_point *ap = &p->points.v[first];

	for (uint32_t k = first + 1; k < p->points.n; k++) {
		if (!shares(L, p, ap, &p->points.v[k]))
			continue;
		add_probe(L, &p->points.v[k]);
		L->shared = true;
	}
	if (L->shared && multi_type(L, ap))
		L->m->meta->progs.v[L->prog].attach_type = multi_type(L, ap);
}

/* Whether an earlier point of the probe has brought it along. */
static bool served(const struct lower *L, const struct probe *p, uint32_t k)
{
	for (uint32_t i = 0; i < k; i++) {
		if (!p->points.v[i].missing && shares(L, p, &p->points.v[i], &p->points.v[k]))
			return true;
	}
	return false;
}

/*
 * The block is a function that a timer of the kernel calls, in a program that only starts the timer.
 * It runs where nothing may sleep; older verifiers, which go by the program, want to be told so.
 */
static void lower_timer(struct lower *L, const struct probe *p, const struct attach_point *ap)
{
	bool rcu = ap->rcu && kbtf_func(L->m->target->btf, "bpf_rcu_read_lock");
	struct ir_fn *starter = L->f, *block;
	struct lo_timer t = lo_timer_new(L, ap);

	block = ir_sub_new(starter, arena_printf(L->a, "%.13s_t", starter->name), t.map, 0);
	lo_function(L, block);
	lo_timer_again(L, &t);
	if (rcu)
		lo_kfunc(L, "bpf_rcu_read_lock", IR_VOID, 0, NULL);
	lo_rule(L, p, ap, p->pred);
	if (rcu)
		lo_kfunc(L, "bpf_rcu_read_unlock", IR_VOID, 0, NULL);
	finish_program(L);
	lo_function(L, starter);
	lo_timer_start(L, &t, block);
	finish_program(L);
}

static void lower_point(struct lower *L, const struct probe *p, uint32_t k)
{
	const struct attach_point *ap = &p->points.v[k];
	ir_blk over;

	L->probe = p;
	if (is_packet(ap)) {
		if (!seen_before(L, ap))
			lower_packet(L, ap);
		return;
	}
	if (ap->missing || served(L, p, k))
		return;
	begin_program(L, ap);
	add_probe(L, ap);
	share_program(L, p, k);
	L->ap = ap;
	if (ap->kind == PROBE_SCHED_TIMER) {
		lower_timer(L, p, ap);
		return;
	}
	begin_op(L, ap);
	over = ap->kind == PROBE_ITER ? lo_iter_begin(L) : IR_NONE;
	lo_rule(L, p, ap, p->pred);
	if (over) {
		lo_goto(L, over);
		lo_enter(L, over);
	}
	finish_program(L);
}

/* One that the script has not, if it has any other. */
static void add_scx_op(struct lower *L, const char *name)
{
	struct attach_point *ap = ARENA_NEW(L->a, struct attach_point);
	bool scheduler = false;

	for (uint32_t i = 0; i < L->m->meta->probes.n; i++) {
		if (strcmp(L->m->meta->probes.v[i].kind, "sched_ext"))
			continue;
		scheduler = true;
		if (!strcmp(L->m->meta->probes.v[i].arg[0], name))
			return;
	}
	if (!scheduler)
		return;
	*ap = (struct attach_point){.kind = PROBE_SCHED_EXT, .kind_text = "sched_ext",
		.name = arena_printf(L->a, "sched_ext:%s", name), .op = scx_op_by_name(name)};
	vec_push(L->a, &ap->parts, name);
	begin_program(L, ap);
	vec_push(L->a, &L->own_ops, ((struct lo_op){name, L->prog}));
	begin_op(L, ap);
	finish_program(L);
}

/*
 * A scheduler always gets an exit operation, so that the reason why the kernel ended it can be
 * shown, and init_task when it keeps values per task. Those of the script are extended. One that has
 * not both of cpu_online and cpu_offline would be ended when a CPU goes or comes (handle_hotplug of
 * kernel/sched/ext.c), as when a laptop sleeps.
 */
static void add_scx_ops(struct lower *L)
{
	add_scx_op(L, "exit");
	add_scx_op(L, "cpu_online");
	add_scx_op(L, "cpu_offline");
	if (lo_scx_task_maps(L))
		add_scx_op(L, "init_task");
}

static bool only_begin_end(const struct script *s)
{
	for (uint32_t i = 0; i < s->probes.n; i++) {
		for (uint32_t k = 0; k < s->probes.v[i].points.n; k++) {
			const struct attach_point *ap = &s->probes.v[i].points.v[k];

			if (!ap->missing && ap->kind != PROBE_ITER &&
				kern_probe(ap->kind)->parts != PP_NONE)
				return false;
		}
	}
	return true;
}

void lower_script(const struct script *s, struct ir_module *m)
{
	struct lower *L = ARENA_NEW(m->a, struct lower);

	*L = (struct lower){.s = s, .m = m, .a = m->a, .ring = META_NONE, .counters = META_NONE,
		.rodata = META_NONE, .every = META_NONE, .log2_off = META_NONE};
	buf_init(&L->rodata_bytes, m->a);
	smap_init(&L->funcs, m->a);
	for (uint32_t i = 0; i < s->maps.entries.n; i++)
		lo_make_map(L, s->maps.entries.v[i].value);
	for (uint32_t i = 0; i < s->probes.n; i++) {
		const struct probe *p = &s->probes.v[i];

		for (uint32_t k = 0; k < p->points.n; k++)
			lower_point(L, p, k);
	}
	add_scx_ops(L);
	lo_scx_ops(L);
	settle_rodata(L);
	m->meta->target_arch = m->target->arch;
	m->meta->exits_itself = only_begin_end(s);
	m->meta->silent_maps = !s->config.print_maps_on_exit;
	m->meta->cat_bytes = s->config.max_cat_bytes;
}
