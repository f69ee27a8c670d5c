/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls: every argument is what its row of helpers.def wants, pointers reach as far as the helper
 * will, the map is of a kind the helper takes. Whether stack bytes are set is check_init.c's.
 */
#include "ir/check.h"
#include <linux/bpf.h>
#include <string.h>

/* Which maps a helper takes; source: check_map_func_compatibility in kernel/bpf/verifier.c. */
#define MAPS(...) ((const uint32_t[]){__VA_ARGS__, 0})
static const struct {
	const char *prefix; /* of the helper's name */
	const uint32_t *types;
} map_rules[] = {
	{"map_lookup_elem", MAPS(BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
		BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
		BPF_MAP_TYPE_LPM_TRIE)},
	{"map_update_elem", MAPS(BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
		BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
		BPF_MAP_TYPE_LPM_TRIE)},
	{"map_delete_elem", MAPS(BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
		BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH,
		BPF_MAP_TYPE_LPM_TRIE)},
	{"map_lookup_percpu_elem", MAPS(BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY,
		BPF_MAP_TYPE_LRU_PERCPU_HASH)},
	{"for_each_map_elem", MAPS(BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_HASH,
		BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH)},
	{"map_push_elem", MAPS(BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK)},
	{"map_pop_elem", MAPS(BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK)},
	{"map_peek_elem", MAPS(BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK)},
	{"ringbuf_", MAPS(BPF_MAP_TYPE_RINGBUF)},
	{"perf_event_", MAPS(BPF_MAP_TYPE_PERF_EVENT_ARRAY)},
	{"get_stackid", MAPS(BPF_MAP_TYPE_STACK_TRACE)},
	{"tail_call", MAPS(BPF_MAP_TYPE_PROG_ARRAY)},
	{"task_storage_", MAPS(BPF_MAP_TYPE_TASK_STORAGE)},
	{"redirect_map", MAPS(BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP,
		BPF_MAP_TYPE_XSKMAP)},
	{"current_task_under_cgroup", MAPS(BPF_MAP_TYPE_CGROUP_ARRAY)},
	{"skb_under_cgroup", MAPS(BPF_MAP_TYPE_CGROUP_ARRAY)},
};

struct call {
	ir_blk b;
	ir_val v;
	const struct ir_ins *i;
	const struct kern_helper *h;
	const struct meta_map *map;
};

#define FAIL(c, k, rule, ...) check_fail((c), (k)->b, (k)->v, rule, __VA_ARGS__)

static bool takes_map(const struct kern_helper *h, uint32_t type)
{
	for (size_t r = 0; r < sizeof(map_rules) / sizeof(*map_rules); r++) {
		if (strncmp(h->name, map_rules[r].prefix, strlen(map_rules[r].prefix)))
			continue;
		for (const uint32_t *t = map_rules[r].types; *t; t++) {
			if (*t == type)
				return true;
		}
		return false;
	}
	return true;
}

static void want(struct check *c, const struct call *k, unsigned a, const char *what)
{
	FAIL(c, k, "argument", "%s: argument %u is %s; %s wanted", k->h->name, a + 1,
		check_type_text(c, ir_type_of(c->f, k->i->args[a])), what);
}

static void arg_map(struct check *c, const struct call *k, unsigned a)
{
	if (ir_ins_of(c->f, k->i->args[a])->op != IR_MAP || !k->map)
		want(c, k, a, "a map");
	else if (!takes_map(k->h, k->map->type))
		FAIL(c, k, "map", "%s does not work on @%s", k->h->name, k->map->kname);
}

static const struct ir_access *access_of(const struct ir_access *acc, unsigned n, unsigned a)
{
	for (unsigned i = 0; i < n; i++) {
		if (acc[i].arg == a)
			return &acc[i];
	}
	return NULL;
}

/* Keys and values may lie in a packet, other memory not (may_access_direct_pkt_data). */
static bool memory_kind(struct check *c, struct ir_type t, enum kern_arg kind)
{
	bool map_data = kind == KA_KEY || kind == KA_VALUE;

	switch (t.kind) {
	case IRT_SLOT:
	case IRT_MAPV:
	case IRT_FRAME:
		return true;
	case IRT_KEY:
		return map_data || kind == KA_MEM_R;
	case IRT_PKT:
		return map_data;
	case IRT_REC: /* as key or value since 6.1 */
		return kind == KA_MEM_R || kind == KA_MEM_W || (map_data && check_kernel(c, 6, 1));
	default:
		return false;
	}
}

static void arg_memory(struct check *c, const struct call *k, unsigned a)
{
	struct ir_type t = ir_type_of(c->f, k->i->args[a]);
	struct ir_access acc[IR_MAX_ARGS];
	const struct ir_access *mine = access_of(acc, ir_accesses(c->f, k->i, acc), a);
	const struct ir_ins *root;

	if (!memory_kind(c, t, k->h->arg[a]) || !mine) {
		want(c, k, a, "a pointer to memory");
		return;
	}
	if (t.flags & IRT_NULLABLE) {
		FAIL(c, k, "nullable", "%s: argument %u may be NULL: 'some' has to prove it is not",
			k->h->name, a + 1);
		return;
	}
	if (mine->size == IR_ANY_RANGE)
		FAIL(c, k, "bounds", "%s: the size of argument %u is not bounded", k->h->name, a + 1);
	else if (mine->size > t.n)
		FAIL(c, k, "bounds", "%s: argument %u: %llu bytes wanted, %s has fewer", k->h->name,
			a + 1, (unsigned long long)mine->size, check_type_text(c, t));
	root = ir_ins_of(c->f, ir_origin(c->f, k->i->args[a]).root);
	if (mine->how & (ACC_WRITE | ACC_PART) && root->op == IR_GADDR &&
		c->m->meta->maps.v[root->aux].role == MM_RODATA)
		FAIL(c, k, "readonly", "@%s is read-only", c->m->meta->maps.v[root->aux].kname);
}

/* A bounded number with a positive constant added: the verifier sees that it is not 0. */
static bool above_zero(const struct check *c, ir_val v)
{
	const struct ir_ins *i = ir_ins_of(c->f, v), *by;

	if (i->op != IR_ADD || i->type.hi > INT32_MAX)
		return false;
	by = ir_ins_of(c->f, i->args[1]);
	return by->op == IR_CONST && by->imm > 0 && by->imm <= (int64_t)i->type.hi;
}

/* S-rules of check_helper_mem_access: a constant, or a number whose range is in its type. */
static void arg_size(struct check *c, const struct call *k, unsigned a)
{
	struct ir_type t = ir_type_of(c->f, k->i->args[a]);
	bool fixed = ir_is_fixed(c->f, k->i->args[a]);
	int64_t n = ir_is_const(c->f, k->i->args[a]) ? ir_ins_of(c->f, k->i->args[a])->imm : 1;

	if (t.kind != IRT_I64)
		want(c, k, a, "a size (i64)");
	else if (k->h->arg[a] == KA_SIZE && !fixed && !above_zero(c, k->i->args[a]))
		want(c, k, a, "a size above 0");
	else if (fixed && (n < 0 || (n == 0 && k->h->arg[a] == KA_SIZE)))
		FAIL(c, k, "bounds", "%s: size %lld", k->h->name, (long long)n);
}

static bool zero_const(struct check *c, ir_val v)
{
	return ir_is_const(c->f, v) && !ir_ins_of(c->f, v)->imm;
}

/* csum_diff and redirect_neigh take 0 for memory whose size is 0. */
static bool absent_memory(struct check *c, const struct call *k, unsigned a)
{
	return (!strcmp(k->h->name, "csum_diff") || !strcmp(k->h->name, "redirect_neigh")) &&
		zero_const(c, k->i->args[a]) && a + 1 < k->i->nargs &&
		zero_const(c, k->i->args[a + 1]);
}

static void arg_btf(struct check *c, const struct call *k, unsigned a)
{
	struct ir_type t = ir_type_of(c->f, k->i->args[a]);

	if (t.kind != IRT_BTF || t.flags & IRT_UNTRUSTED)
		want(c, k, a, "a trusted kernel pointer");
	else if (t.flags & IRT_NULLABLE)
		FAIL(c, k, "nullable", "%s: argument %u may be NULL: 'some' has to prove it is not",
			k->h->name, a + 1);
}

/* The string has to be in a frozen map, from its first byte on. */
static void arg_string(struct check *c, const struct call *k, unsigned a)
{
	const struct ir_ins *root = ir_ins_of(c->f, ir_origin(c->f, k->i->args[a]).root);

	if (root->op != IR_GADDR || c->m->meta->maps.v[root->aux].role != MM_RODATA)
		want(c, k, a, "a string in read-only data");
}

/* A timer gives the map's entry that it lies in. */
static void timer_func(struct check *c, const struct call *k, unsigned a, const struct ir_fn *sub)
{
	const struct ir_block *e = &sub->blocks.v[0];
	uint32_t room = ir_type_of(c->f, k->i->args[0]).n;

	if (sub == c->f || e->params.n != EACH_FRAME)
		want(c, k, a, "a function for a timer");
	else if (ir_type_of(sub, e->params.v[EACH_KEY]).n > 4 ||
		 ir_type_of(sub, e->params.v[EACH_VALUE]).n > room)
		FAIL(c, k, "bounds", "@%s expects a greater value than %u bytes", sub->name, room);
}

/* The function has to take what the helper gives it: the map's entries, the caller's frame. */
static void arg_func(struct check *c, const struct call *k, unsigned a)
{
	const struct ir_ins *i = ir_ins_of(c->f, k->i->args[a]);
	struct ir_type frame = a + 1 < k->i->nargs ? ir_type_of(c->f, k->i->args[a + 1]) : IR_VOID;
	const struct ir_block *e;
	const struct ir_fn *sub;

	if (i->op != IR_FUNC || i->aux >= c->f->top->subs.n) {
		want(c, k, a, "a function");
		return;
	}
	sub = c->f->top->subs.v[i->aux];
	if (k->h->arg[0] == KA_TIMER) {
		timer_func(c, k, a, sub);
		return;
	}
	e = &sub->blocks.v[0];
	if (sub == c->f || (!k->map && e->params.n != ROUND_PARAMS) ||
		(k->map && e->params.n != EACH_PARAMS))
		want(c, k, a, k->map ? "a function for the entries of a map" : "a function for rounds");
	else if (k->map && (ir_type_of(sub, e->params.v[EACH_KEY]).n > k->map->key_size ||
		 ir_type_of(sub, e->params.v[EACH_VALUE]).n > k->map->value_size))
		FAIL(c, k, "bounds", "@%s expects greater keys or values than @%s has", sub->name,
			k->map->kname);
	else if (frame.kind != IRT_SLOT || frame.n < ir_type_of(sub, e->params.v[e->params.n - 1]).n)
		FAIL(c, k, "bounds", "@%s expects a greater frame", sub->name);
}

static void check_arg(struct check *c, const struct call *k, unsigned a)
{
	struct ir_type t = ir_type_of(c->f, k->i->args[a]);

	switch (k->h->arg[a]) {
	case KA_ANY:
	case KA_KADDR:
	case KA_UADDR:
		if (!check_num(t) && t.kind != IRT_BTF && t.kind != IRT_CTX)
			want(c, k, a, "a number");
		break;
	case KA_CONST:
		if (!ir_is_const(c->f, k->i->args[a]))
			want(c, k, a, "a constant");
		else if (k->h->ret == KR_RECORD && ir_ins_of(c->f, k->i->args[a])->imm <= 0)
			FAIL(c, k, "bounds", "a record of %lld bytes",
				(long long)ir_ins_of(c->f, k->i->args[a])->imm);
		break;
	case KA_CTX:
		if (t.kind != IRT_CTX)
			want(c, k, a, "the context");
		break;
	case KA_MAP:
		arg_map(c, k, a);
		break;
	case KA_VALUE0:
	case KA_CBCTX:
		if (!zero_const(c, k->i->args[a]))
			arg_memory(c, k, a);
		break;
	case KA_MEM_R:
		if (absent_memory(c, k, a))
			break;
		/* fall through */
	case KA_KEY:
	case KA_VALUE:
	case KA_VALUE_W:
	case KA_MEM_W:
	case KA_LONG:
		arg_memory(c, k, a);
		break;
	case KA_SIZE:
	case KA_SIZE0:
		arg_size(c, k, a);
		break;
	case KA_RECORD:
		if (t.kind != IRT_REC || t.flags & IRT_NULLABLE)
			want(c, k, a, "a record proven not NULL");
		break;
	case KA_BTF:
		arg_btf(c, k, a);
		break;
	case KA_STRPTR:
		arg_string(c, k, a);
		break;
	case KA_TIMER:
		if (t.kind != IRT_MAPV || t.flags & IRT_NULLABLE)
			want(c, k, a, "a timer in a map value");
		break;
	case KA_FUNC:
		arg_func(c, k, a);
		break;
	default:
		want(c, k, a, "something that the IR cannot express");
	}
}

static void check_helper(struct check *c, struct call *k)
{
	unsigned n = 0;

	while (n < 5 && k->h->arg[n] != KA_NONE)
		n++;
	if (k->i->nargs != n) {
		FAIL(c, k, "argument", "%s takes %u arguments, not %u", k->h->name, n, k->i->nargs);
		return;
	}
	if (c->m->target && c->m->target->version && k->h->since > c->m->target->version)
		FAIL(c, k, "kernel", "%s needs kernel %u.%u", k->h->name, k->h->since >> 16,
			k->h->since >> 8 & 0xff);
	for (unsigned a = 0; a < n; a++) {
		const struct ir_ins *m = ir_ins_of(c->f, k->i->args[a]);

		if (k->h->arg[a] == KA_MAP && m->op == IR_MAP && m->aux < c->m->meta->maps.n)
			k->map = &c->m->meta->maps.v[m->aux];
	}
	for (unsigned a = 0; a < n; a++)
		check_arg(c, k, a);
}

/* kfuncs: no prototypes here (lang checks those), only what holds for all of them. */
static void check_kfunc(struct check *c, const struct call *k)
{
	const struct ir_kfunc *fn = k->i->aux < c->m->kfuncs.n ? &c->m->kfuncs.v[k->i->aux] : NULL;
	uint32_t effects = fn ? kfunc_effects(fn->name) : 0;
	struct ir_type r = k->i->type;

	if (!fn) {
		FAIL(c, k, "argument", "no such kfunc");
		return;
	}
	for (unsigned a = 0; a < k->i->nargs; a++) {
		struct ir_type t = ir_type_of(c->f, k->i->args[a]);

		if (t.flags & (IRT_NULLABLE | IRT_UNTRUSTED))
			FAIL(c, k, "argument", "%s: argument %u is %s; a trusted pointer wanted",
				fn->name, a + 1, check_type_text(c, t));
		else if (t.kind == IRT_PKT || t.kind == IRT_PKTEND)
			FAIL(c, k, "argument", "%s: argument %u is %s", fn->name, a + 1,
				check_type_text(c, t));
	}
	if (r.kind != IRT_VOID && !check_num(r) && r.kind != IRT_BTF)
		FAIL(c, k, "type", "%s: the result is %s", fn->name, check_type_text(c, r));
	if (!!(effects & KE_ACQUIRE) != !!(r.flags & IRT_OWNED))
		FAIL(c, k, "owned", effects & KE_ACQUIRE ? "%s: the result is owned" :
							  "%s: the result is not owned",
			fn->name);
	if (r.kind == IRT_BTF && effects & KE_NULLABLE && !(r.flags & IRT_NULLABLE))
		FAIL(c, k, "nullable", "%s: the result may be NULL", fn->name);
}

void ir_check_call(struct check *c, ir_blk b, ir_val v)
{
	struct call k = {.b = b, .v = v, .i = ir_ins_of(c->f, v)};

	if (k.i->op == IR_KCALL) {
		check_kfunc(c, &k);
		return;
	}
	k.h = kern_helper_by_id(k.i->aux);
	if (!k.h)
		check_fail(c, b, v, "argument", "no helper with number %u", k.i->aux);
	else
		check_helper(c, &k);
}
