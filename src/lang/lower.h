/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lowering's own header: state of one program under construction and what the lower_*.c files
 * offer each other. Names start with lo_.
 */
#pragma once
#include "lang/front.h"

/* What a chain of rules knows about every packet that gets to it: see lower_head.c. */
enum lo_l3 { L3_ANY, L3_IP4, L3_IP6, L3_ARP, L3_OTHER, L3_COUNT };
enum lo_l4 { L4_ANY, L4_TCP, L4_UDP, L4_ICMP, L4_ICMP6, L4_NONE };
#define LO_TAGS 2 /* VLAN tags followed */

struct lo_rule { /* one block of the interface */
	const struct probe *p;
	const struct attach_point *ap;
	const struct expr *cond; /* its predicate, or what is left of it; NULL */
	unsigned pred, body; /* layers that they read, see net_uses.c */
	uint32_t order; /* its place among all rules, or its row of counters */
};

/* Rules in a row that only decide, some this way and some that: see lower_group.c. */
struct lo_group {
	bool on;
	uint32_t end;   /* the rule behind the last, among net.rules */
	unsigned best;	/* the variable that holds what was found so far */
	int64_t code;	/* of the rule being written */
	const struct expr *call[2]; /* drop(), pass() */
};

struct lo_net {
	bool used;	  /* the program reads packet fields */
	bool late;	  /* one rule, whose condition does not: loaded behind it */
	ir_val data, end; /* pkt<0>, pktend */
	uint32_t base;	  /* bytes from a layer's pointer to its header; eth: 0 */
	const struct lo_rule *rules;
	uint32_t nrules;
	bool *done;  /* of each: it is written, out of its turn */
	bool inner;  /* they stand at the leaf of a tree */
	struct lo_group group;
	/* of the chain being written */
	enum lo_l3 l3;
	enum lo_l4 l4;
	bool cut;	       /* the header of l4 is not all there; its ports may be */
	unsigned tags;	       /* VLAN tags seen, when rules look at them */
	bool tags_known;       /* they do */
	ir_val tag[LO_TAGS][2]; /* their TCI and the type behind, in network order */
	ir_val p3;	       /* pointer of L3 */
	ir_val at[NET_COUNT];  /* pointer with the whole header proven; IR_NONE */
};

/* A proven packet pointer that code further down may use again. */
struct lo_proof {
	enum net_layer layer;
	uint32_t bytes;
	ir_blk at;
	ir_val ptr;
	uint32_t off; /* payload: from the pointer to its first byte */
};

struct lo_slot {
	ir_val v;
	uint32_t size;
	bool busy;
	unsigned level;
};

/* Which block dominates this one: its only predecessor so far, else where it was created. */
struct lo_dom {
	ir_blk created_in, parent;
	uint32_t npreds;
};

#define LO_OPS_ARGS 8
struct lo_arg { /* an argument of an operation that was read, and where */
	ir_val v;
	ir_blk at;
};

struct lo_op {
	const char *name;
	uint32_t prog;
};

/* A reference to a kernel object. */
struct lo_own {
	unsigned var; /* of SSA: who holds it now */
	ir_val slot;  /* or an iterator on the stack */
	const char *release;
};

struct lo_rate { /* a rate() and its map */
	const struct expr *e;
	uint32_t map;
};

/* tc: what the rule's changes add to the sum that the L4 checksum is of. */
struct lo_edit {
	bool on, ports, addresses;
	unsigned changed, gain[2]; /* variables of SSA; gain[1]: of addresses */
};

/* tc: where the rules behind one that has changed checksums go on, with headers found anew. */
struct lo_again {
	ir_blk at; /* 0: that rule changes none */
	bool used;
};

struct lower {
	struct ir_fn *f; /* the one being written; first, since it is used most: 1 % of the program */
	const struct script *s;
	struct ir_module *m;
	struct arena *a;
	/* the module's shared maps, created on first use; META_NONE until then */
	uint32_t ring, counters, rodata;
	struct buf rodata_bytes;
	uint32_t zeroes, zeroes_off; /* bytes of zeroes in rodata, where */
	uint32_t log2_off;	     /* hist() buckets of a byte, in rodata; META_NONE until used */
	struct smap funcs;	     /* name of a function -> 1 + the first probe on it */
	VEC(struct lo_op) own_ops;   /* operations made by skep: the script has none of that name */

	uint32_t every; /* map of every(), META_NONE until used */
	VEC(const struct expr *) sites; /* every(): each call has its counter */
	VEC(struct lo_rate) rates;
	uint32_t nsubs;		     /* bodies of loops over maps so far */

	/* the function being written: lower_each.c puts aside f and all from here on */
	struct lo_each *each; /* the loop whose body it is; NULL */
	ir_val frame;	      /* stack object that the loops in it hand to their bodies, one after another */
	unsigned depth;	      /* functions around it */
	uint64_t rounds;      /* of all constant loops around the statement, in this function; 0: 1 */
	uint32_t prog, probe_id;
	uint32_t func_id; /* of the probe: the value of 'func' */
	bool shared;	  /* it serves several points; the attach cookie says which */
	const struct probe *probe;
	const struct attach_point *ap;
	int64_t fall_off;	/* result when the script says nothing */
	bool stays;		/* that result is select_cpu's own argument: the task stays on its CPU */
	ir_blk after_probe;	/* behind the probe's body: other rules of the interface follow */
	ir_blk missing;		/* where a missing packet field leads; IR_NONE: nowhere to go */
	bool missing_used;
	VEC(struct lo_dom) dom;	/* per block, see lo_block */
	VEC(struct lo_slot) slots;
	VEC(struct lo_proof) proofs;
	VEC(struct lo_seen *) seen; /* map entries read: lower_seen.c */
	struct lo_net net;
	struct lo_edit edit;
	const struct lo_rule *rules; /* all of the program, with what follows each */
	uint32_t nrules;
	struct lo_again *again;
	ir_blk loop_break, loop_continue; /* 0 outside loops */
	ir_blk fn_done; /* where 'return' leads in a function of the script; 0 outside */
	uint32_t fn_owned; /* as loop_owned */
	unsigned slot_level; /* expressions around the statement: their slots stay busy */
	VEC(ir_blk) open_loops; /* heads of loops without a constant end: they get a bound at last */
	struct lo_arg ops_arg[LO_OPS_ARGS];
	VEC(struct lo_own) owned;	  /* what is to be given back, innermost last */
	uint32_t loop_owned;		  /* how many of these the loop found */
};

/* ---- lower.c: blocks, slots, shared maps ---- */
ir_blk lo_block(struct lower *L);		/* new block, dominated by the current one */
void lo_enter(struct lower *L, ir_blk b);	/* seals it and goes there */
void lo_goto(struct lower *L, ir_blk b);	/* jump if the current block is still open */
/* Terminators: as the ir_ functions, and keep track of who dominates whom. */
void lo_if(struct lower *L, enum ir_cc cc, ir_val a, ir_val b, ir_blk yes, ir_blk no);
ir_val lo_some(struct lower *L, ir_val p, ir_blk yes, ir_blk no);
ir_val lo_need(struct lower *L, ir_val pkt, uint32_t bytes, ir_blk yes, ir_blk no);
ir_val lo_bound(struct lower *L, ir_val x, uint64_t below, ir_blk in, ir_blk out);
ir_val lo_loop(struct lower *L, ir_val counter, uint64_t below, ir_blk body, ir_blk done);
bool lo_dominates(const struct lower *L, ir_blk b); /* b dominates the current block */
ir_val lo_slot(struct lower *L, uint32_t size); /* stack object until the statement ends */
void lo_free_slots(struct lower *L);
uint32_t lo_rodata(struct lower *L, const void *p, uint32_t n, uint32_t align);
uint32_t lo_zeroes(struct lower *L, uint32_t n); /* offset of n zero bytes in rodata */
ir_val lo_rodata_addr(struct lower *L, uint32_t off);
uint32_t lo_ring(struct lower *L); /* where events go */
bool lo_has_ring(const struct lower *L); /* it is a ring buffer, else a buffer per CPU */
void lo_count(struct lower *L, enum meta_counter_kind kind, uint32_t ref); /* one more was lost */
void lo_check_read(struct lower *L, ir_val answer); /* with -kk: counts a read that failed */
void lo_end(struct lower *L); /* return the default result */
/* One rule's predicate and body into the current program; ends in an open block. */
void lo_rule(struct lower *L, const struct probe *p, const struct attach_point *ap,
	const struct expr *pred);
uint32_t lo_add_map(struct lower *L, struct meta_map map);

/* ---- lower_expr.c ---- */
ir_val lo_int(struct lower *L, const struct expr *e); /* numbers, addresses, INET4 and MAC (raw) */
ir_val lo_value(struct lower *L, const struct expr *e); /* the same; typed pointers stay pointers */
struct lo_pair {
	ir_val lo, hi; /* first and second 8 bytes as they lie in memory */
};
/* Values of 16 bytes: IPv6 addresses and user symbols. */
static inline bool lo_is_pair(const struct lt *t)
{
	return t->kind == LT_INET6 || t->kind == LT_USYM;
}
struct lo_pair lo_inet6(struct lower *L, const struct expr *e);
ir_val lo_extend(struct lower *L, ir_val v, uint32_t size, bool is_signed);
enum ir_op lo_arith(enum binop op, bool is_signed);
/* Counts a divisor v, the value of by, that is 0. */
void lo_note_zero(struct lower *L, enum binop op, const struct expr *by, ir_val v);
/* What adding 1 to a value of that type adds: the size of what a pointer points to; of void a byte. */
uint32_t lo_step(const struct lower *L, const struct lt *t);
/* Value of a condition as 0 or 1. */
ir_val lo_truth(struct lower *L, const struct expr *e);

/* ---- lower_cond.c ---- */
/* Ends the current block; both targets must still be unsealed. */
void lo_cond(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);

/* ---- lower_value.c: values in memory ---- */
/* Where a value is put: room bytes at p+off; pad: zero all that it does not fill. */
struct lo_place {
	ir_val p;
	uint32_t off, room;
	bool pad;
};
/* Where a value of type t lies: members and elements as C has them when packed, else in lo_room. */
struct lo_mem {
	ir_val p;
	uint32_t off;
	struct lt t;
	bool packed;
};
bool lo_in_memory(const struct lt *t); /* no number: it has an address of its own */
/* The variable, element or member that e names, or a copy of its value. */
struct lo_mem lo_mem(struct lower *L, const struct expr *e);
/* The same, which stays what it is while then is evaluated. */
struct lo_mem lo_mem_kept(struct lower *L, const struct expr *e, const struct expr *then);
ir_val lo_str_kept(struct lower *L, const struct expr *e, const struct expr *then, uint32_t *size);
void lo_move(struct lower *L, const struct lo_mem *from, const struct lt *t, const struct lo_place *to);
ir_val lo_mem_int(struct lower *L, const struct expr *e); /* a number among them */
struct lo_mem lo_bytes(struct lower *L, const struct expr *e);
ir_val lo_mem_bytes(struct lower *L, const struct expr *e); /* the whole, 1 2 4 or 8 bytes */
/* In an object for other kernels: an error. What goes there must not know one kernel's layout. */
void lo_one_kernel(struct lower *L, struct skep_span span, const char *what);
bool lo_number_array(const struct expr *e); /* (type[n])x of a number: no memory is needed for it */
/* base[i] of a kept array or string, where i is known when running; behind the end there is 0. */
ir_val lo_some_element(struct lower *L, const struct expr *e);
/* A bit-field from bit at behind p on, wherever it lies. */
ir_val lo_packed_bits(struct lower *L, ir_val p, uint32_t at, uint32_t bits, bool is_signed);
bool lo_at_address(const struct expr *e);
bool lo_is_part(const struct expr *e); /* element or member of a value that the script keeps */
void lo_var_write(struct lower *L, const struct expr *e, const struct var_sym *v);
/* n bytes from an address that may be bad: zero then. */
void lo_read(struct lower *L, ir_val addr, enum lt_space space, uint32_t n, ir_val p, uint32_t off);

/* ---- lower_func.c, lower_scan.c: functions that give numbers ---- */
ir_val lo_func(struct lower *L, const struct expr *e);
bool lo_func_stmt(struct lower *L, const struct expr *e); /* false: not one of them */
ir_val lo_func_address(struct lower *L);
ir_val lo_special_value(struct lower *L, enum builtin_id id);
ir_val lo_reg(struct lower *L, const char *name);
ir_val lo_strlen(struct lower *L, const struct expr *e);
ir_val lo_strncmp(struct lower *L, const struct expr *e);
ir_val lo_strstr(struct lower *L, const struct expr *e);
ir_val lo_memcmp(struct lower *L, const struct expr *e);

/* ---- lower_bytes.c: functions that give bytes ---- */
void lo_func_store(struct lower *L, const struct expr *e, const struct lo_place *to);
void lo_inet_cmp(struct lower *L, const struct expr *a, const struct expr *b, ir_blk eq, ir_blk ne);
/* A length up to limit; what is greater, or below 0, becomes limit. */
ir_val lo_at_most(struct lower *L, ir_val n, uint32_t limit);
const char *lo_read_helper(const struct lower *L, const struct lt *t);

/* ---- lower_str.c ---- */
/* Zero-padded copy of a string in memory; *size is what it holds. */
ir_val lo_str(struct lower *L, const struct expr *e, uint32_t *size);
void lo_str_cmp(struct lower *L, const struct expr *a, const struct expr *b, ir_blk eq, ir_blk ne);
void lo_zero_place(struct lower *L, const struct lo_place *to, uint32_t from);
void lo_clean_str(struct lower *L, const struct lo_place *to, uint32_t n);
void lo_copy_str(struct lower *L, ir_val src, uint32_t soff, uint32_t have,
	const struct lo_place *to);
void lo_store_str(struct lower *L, const struct expr *e, const struct lo_place *to);
/* Puts e's value, shaped as type t, at p+off. pad: bytes behind a string's end become zero. */
void lo_store(struct lower *L, const struct expr *e, const struct lt *t, ir_val p, uint32_t off,
	bool pad);
void lo_copy(struct lower *L, ir_val dst, uint32_t doff, ir_val src, uint32_t soff, uint32_t n);
/* Bytes that a value of this type takes in keys, values and records: multiple of 8. */
uint32_t lo_room(const struct lt *t);
struct meta_field lo_field(struct lower *L, const struct lt *t, uint32_t off);

/* ---- lower_current.c: the current task ---- */
bool lo_loads_task(const struct lower *L); /* its members can be loaded */
/* So many bytes of it as a number, more bytes behind the member's start. */
ir_val lo_task_member(struct lower *L, const char *name, uint32_t more, uint32_t size);
ir_val lo_task_id(struct lower *L, bool process); /* of the process or the thread */

/* ---- lower_stack.c ---- */
ir_val lo_stack(struct lower *L, const struct expr *e); /* a stack's number */
ir_val lo_stack_len(struct lower *L, const struct lt *t); /* the frames of one now */
uint32_t lo_stack_row(struct lower *L, const struct lt *t); /* index into meta.stacks */
struct lo_pair lo_usym(struct lower *L, const struct expr *e);

/* ---- lower_mem.c: kernel and user memory ---- */
/* Address of what lies in memory: a struct, an array, a member of one. */
ir_val lo_addr(struct lower *L, const struct expr *e);
ir_val lo_member_int(struct lower *L, const struct expr *e);
void lo_member_store(struct lower *L, const struct expr *target, ir_val v);
/* The field of the tracepoint at hand that args.f names. */
const struct tp_field *lo_tp_of(const struct lower *L, const struct expr *e);
ir_val lo_tp_field(struct lower *L, const struct tp_field *f);
ir_val lo_tp_data(struct lower *L, const struct tp_field *f); /* address of a __data_loc field */
void lo_tp_bytes(struct lower *L, const struct tp_field *f, ir_val dst, uint32_t off, uint32_t n);
ir_val lo_ops_arg(struct lower *L, const struct expr *e);
/* A number of this size at an address; 0 when it cannot be read. */
ir_val lo_read_number(struct lower *L, ir_val addr, uint32_t size, enum lt_space space);
ir_val lo_deref(struct lower *L, const struct expr *e); /* *p, p[i] */

/* ---- lower_usdt.c ---- */
ir_val lo_usdt_arg(struct lower *L, unsigned n);

/* ---- lower_traced.c ---- */
ir_val lo_traced_arg(struct lower *L, const struct expr *e);
ir_blk lo_iter_begin(struct lower *L); /* where it goes behind the last object; not entered */
ir_val lo_traced_retval(struct lower *L, const struct expr *e);
ir_val lo_raw_arg(struct lower *L, unsigned n);

/* ---- lower_map.c, lower_agg.c ---- */
void lo_make_map(struct lower *L, struct map_sym *m);
ir_val lo_map_key(struct lower *L, const struct expr *e); /* slot holding the key */
/* Nullable pointer to the value; for scalars of aggregations, too. */
ir_val lo_map_lookup(struct lower *L, const struct expr *e);
ir_val lo_map_read(struct lower *L, const struct expr *e);
struct lo_pair lo_map_read_pair(struct lower *L, const struct expr *e); /* IPv6 address */
void lo_map_assign(struct lower *L, const struct expr *target, const struct expr *value);
void lo_map_update_int(struct lower *L, const struct expr *target, enum ir_op op, ir_val v);
ir_val lo_map_incdec(struct lower *L, const struct expr *e);
/* A number read through a pointer that may be NULL: 0 then. */
struct lo_maybe {
	unsigned var;
	ir_blk done; /* open to other ways there: they give 0 */
};
struct lo_maybe lo_maybe_begin(struct lower *L);
ir_val lo_maybe_at(struct lower *L, const struct lo_maybe *m, ir_val p); /* where it is not NULL */
ir_val lo_maybe_end(struct lower *L, const struct lo_maybe *m, ir_val v);
/* The CPUs' parts of one value, side by side; goes to absent when there is no entry. */
ir_val lo_map_parts(struct lower *L, const struct expr *e, ir_blk absent);
ir_val lo_map_has(struct lower *L, const struct expr *e); /* 1 or 0 */
/* The map with a key that stands beside it: f(@x, key), f(@x, (a, b)). */
const struct expr *lo_with_keys(struct lower *L, const struct expr *map, struct expr *key);
ir_val lo_agg_read(struct lower *L, const struct expr *e); /* the number it stands for */
ir_val lo_agg_at(struct lower *L, const struct map_sym *m, ir_val p); /* the same of the value there */
void lo_map_delete(struct lower *L, const struct expr *map);
void lo_add_word(struct lower *L, ir_val p, uint32_t word, ir_val v); /* atomic */
/* Takes v when nothing was at p or v goes beyond. */
void lo_extreme(struct lower *L, const struct map_sym *m, bool least, ir_val p, ir_val v);
/* lower_series.c: a value of tseries(), p is the map's value. Goes to no where there is no bucket. */
void lo_series(struct lower *L, const struct map_sym *m, ir_val p, ir_val v, ir_blk no);
int64_t lo_series_shift(struct lower *L); /* to the time since boot, to make it the time of day */
void lo_agg(struct lower *L, const struct expr *target, const struct expr *call);
/* Pointer to the value, made with zeroes if absent; goes to absent when the map is full. */
ir_val lo_map_ensure(struct lower *L, const struct expr *target, ir_blk absent);

/* ---- lower_seen.c ---- */
/* A builtin or tracepoint field that is the same whenever it is read while a program runs. */
bool lo_is_lasting(const struct expr *e);
/* The number that this entry was read to hold, where that still holds; else IR_NONE. */
ir_val lo_seen(struct lower *L, const struct expr *e);
/* The entry's address, nullable, or that of its record; made: by who would make it. Else IR_NONE. */
ir_val lo_seen_at(struct lower *L, const struct expr *e, bool made);
/* Just read; where: its address when that stays valid, else IR_NONE. */
void lo_see(struct lower *L, const struct expr *e, ir_val value, ir_val where);
void lo_see_at(struct lower *L, const struct expr *e, ir_val where, bool made); /* stays valid */
void lo_forget(struct lower *L, const struct map_sym *m); /* written to; NULL: a loop begins */

/* ---- lower_task.c: the same for values kept per task ---- */
bool lo_is_task_map(const struct expr *e);
ir_val lo_task_read(struct lower *L, const struct expr *e);
ir_val lo_task_lookup(struct lower *L, const struct expr *e, ir_blk *none); /* nullable */
ir_val lo_task_ensure(struct lower *L, const struct expr *e, ir_blk absent);
void lo_task_assign(struct lower *L, const struct expr *target, const struct expr *value);
void lo_task_delete(struct lower *L, const struct expr *e);

/* ---- lower_payload.c ---- */
ir_val lo_payload(struct lower *L, const struct expr *e);
void lo_payload_equal(struct lower *L, const struct expr *a, const struct expr *b, ir_blk eq, ir_blk ne);
void lo_contains(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);
void lo_dns_name(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);

/* ---- lower_option.c: options of TCP ---- */
struct lo_option {
	ir_val p;      /* has the number's bytes proven */
	uint32_t at;   /* from there to the number */
	ir_val place;  /* of the option, from the start of the header */
};
/* The block that goes on has found it; packets without it go to none. */
struct lo_option lo_find_option(struct lower *L, const struct net_field *f, ir_blk none);
ir_val lo_option_number(struct lower *L, const struct lo_option *o, unsigned width); /* as lo_option_raw */
ir_val lo_option_raw(struct lower *L, const struct net_field *f); /* in network order */

/* ---- lower_edit.c: changing packets ---- */
void lo_net_store(struct lower *L, const struct stmt *st);
void lo_reflect(struct lower *L);
/* Around the body of a rule, and before a verdict inside: checksums of TCP and UDP on tc. */
void lo_edit_begin(struct lower *L, const struct block *b);
void lo_edit_tell(struct lower *L);
void lo_edit_end(struct lower *L); /* what has changed meets the next rules; the block that goes on is for the rest */

/* ---- lower_act.c: what packet rules do ---- */
/* Rows of counters are in the order of rules; text: of a reason. */
uint32_t lo_rule_row(struct lower *L, const char *text, struct skep_span at);
void lo_count_rule(struct lower *L, const char *text, struct skep_span at);
void lo_count_found(struct lower *L, ir_val row);
void lo_verdict(struct lower *L, const struct expr *e);
void lo_redirect(struct lower *L, const struct expr *e);
void lo_capture(struct lower *L, const struct expr *e);
void lo_every(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);
void lo_rate(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);
void lo_make_list(struct lower *L, struct map_sym *m);
void lo_in_map(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);

/* ---- lower_event.c ---- */
/*
 * A record being written; done is where its two ways (space, no space) meet again. Kernels without
 * ring buffers get a record made elsewhere and copied into the CPU's own buffer.
 */
struct lo_event {
	enum meta_event_type type;
	ir_val rec;
	uint32_t size;
	ir_blk done;
};
struct lo_event lo_event_begin(struct lower *L, enum meta_event_type type, ir_val id, uint32_t size);
void lo_event_end(struct lower *L, struct lo_event ev);
void lo_join(struct lower *L, const struct expr *e); /* lower_join.c */
void lo_call_stmt(struct lower *L, const struct expr *e); /* printf(), exit(), clear() … */
void lo_event_plain(struct lower *L, enum meta_event_type type, ir_val id); /* nothing but id */

/* ---- net_uses.c: a bit for each enum net_layer ---- */
#define LO_SEARCHES (1u << 31) /* besides: it has a loop over the payload or over options */
/* And: what it changes. Checksums of TCP and UDP cover ports and addresses. */
#define LO_EDITS_PORT (1u << 30)
#define LO_EDITS_ADDRESS (1u << 29)
#define LO_EDITS_OTHER (1u << 28)
#define LO_EDITS_L4 (LO_EDITS_PORT | LO_EDITS_ADDRESS)
#define LO_WRITES (LO_EDITS_L4 | LO_EDITS_OTHER)
unsigned lo_expr_layers(const struct expr *e);
unsigned lo_block_layers(const struct block *b);
bool lo_net_reads(const struct expr *e); /* whether it reads packet fields */

/* ---- lower_head.c: finding headers, one chain of rules for each kind of packet ---- */
void lo_net_ends(struct lower *L); /* the packet's start and end */
void lo_net_begin(struct lower *L, const struct lo_rule *rules, uint32_t n);
/* lower_l4.c: ends the block; rules from this one on follow */
void lo_split_l4(struct lower *L, uint32_t from);

/* ---- lower_known.c ---- */
enum lo_tri { TRI_NO, TRI_YES, TRI_OPEN };
enum lo_tri lo_known(const struct lower *L, const struct expr *e); /* in the packets of the chain */

/* ---- lower_rules.c ---- */
unsigned lo_layers_from(const struct lower *L, uint32_t from); /* that rules from this one on read */
/* Does a rule from this one on, one that such packets may meet, read one of the layers? */
bool lo_rules_read(const struct lower *L, uint32_t from, unsigned layers);
void lo_rules(struct lower *L, uint32_t from); /* the rest of the chain, to its end */

/* ---- lower_tree.c: sets of constants ---- */
/* A condition on a single packet field or number, as the numbers that make it true. */
struct lo_span {
	unsigned __int128 lo, hi;
};
struct lo_test {
	const struct expr *what; /* what is compared; equal ones have equal text */
	VEC(struct lo_span) spans;
};
bool lo_test_of(struct arena *a, const struct expr *e, struct lo_test *t);
bool lo_same_operand(const struct expr *a, const struct expr *b);
struct lo_leaf {
	unsigned __int128 from; /* up to the next one's from */
	ir_blk to;
};
/* Ends the block: goes where the leaf that holds the value says. */
/* lower_group.c */
int lo_verdict_of(const struct lo_rule *r); /* BI_F_DROP, BI_F_PASS; 0: it does more than that and counting */
void lo_group_begin(struct lower *L, uint32_t from);
void lo_group_rule(struct lower *L, const struct lo_rule *r); /* the next to be written */
void lo_group_found(struct lower *L); /* its condition is true */
void lo_group_hide(struct lower *L);
void lo_group_end(struct lower *L);
void lo_tree(struct lower *L, const struct expr *what, const struct lo_leaf *leaf, uint32_t n);
/* A condition with many constants; false: it is none. */
bool lo_in_tree(struct lower *L, const struct expr *e, ir_blk yes, ir_blk no);

/* ---- lower_net.c: reading packets ---- */
bool lo_net_absent(const struct lower *L, enum net_layer layer); /* surely not in this chain */
bool lo_net_whole(const struct lower *L, unsigned width, uint32_t off); /* loaded in one piece */
ir_val lo_net_load(struct lower *L, unsigned width, ir_val p, uint32_t off);
ir_val lo_net_ptr(struct lower *L, enum net_layer layer); /* with its header proven */
uint32_t lo_net_at(const struct lower *L, enum net_layer layer); /* from there to the header */
ir_val lo_net_field(struct lower *L, const struct net_field *f); /* host order; INET4, MAC raw */
ir_val lo_net_raw(struct lower *L, const struct net_field *f);	 /* as loaded, network order */
struct lo_pair lo_net_pair(struct lower *L, const struct net_field *f);

/* ---- lower_kfunc.c ---- */
ir_val lo_kfunc_call(struct lower *L, const struct expr *e);
ir_val lo_low_half(struct lower *L, ir_val v, uint32_t size);
ir_val lo_kfunc(struct lower *L, const char *name, struct ir_type t, unsigned n, const ir_val *args);
/* Goes on in a new block with p, proven; to none (entered by the caller) when it is NULL. */
ir_val lo_not_null(struct lower *L, ir_val p, ir_blk none);
/* Gives back references number from and up; they stay listed for other ways. */
void lo_release(struct lower *L, uint32_t from);

/* ---- lower_scx.c ---- */
void lo_scx_ops(struct lower *L); /* the struct_ops table of all sched_ext programs */
void lo_scx_exit_info(struct lower *L);
bool lo_scx_task_maps(const struct lower *L); /* the script keeps values per task */
void lo_scx_init_task(struct lower *L);
struct lo_timer { /* of sched_ext:timer */
	uint32_t map;
	uint64_t ns;
};
struct lo_timer lo_timer_new(struct lower *L, const struct attach_point *ap);
void lo_timer_again(struct lower *L, const struct lo_timer *t); /* in its block: sets it again */
void lo_timer_start(struct lower *L, const struct lo_timer *t, struct ir_fn *block);

/* ---- lower_stmt.c, lower_loop.c ---- */
#define LO_ROUNDS_MAX 4096 /* rounds of a loop without a constant end, at most */
/* A loop that counts from 0. counter: 0 … most, in the head and behind it; i: in the body. */
struct lo_rounds {
	ir_blk head;
	ir_val counter, i;
};
/* Goes on in the body; over: where the bound leads. Values read before may change. */
struct lo_rounds lo_rounds_begin(struct lower *L, uint64_t most, ir_blk over);
void lo_rounds_end(struct lower *L, const struct lo_rounds *r); /* the way back: nothing is open */
void lo_block_body(struct lower *L, const struct block *b);
void lo_give_back(struct lower *L, ir_val v); /* 'return', with a value or IR_NONE */
/* The statements of a block inside an expression; what its value is can be lowered then. */
const struct expr *lo_block_value(struct lower *L, const struct expr *e);
void lo_loop_stmt(struct lower *L, const struct stmt *st);

/* ---- lower_each.c ---- */
void lo_for_map(struct lower *L, const struct stmt *st);
ir_val lo_len(struct lower *L, const struct expr *map); /* entries of it */
bool lo_for_calls(const struct lower *L, const struct stmt *st); /* a range goes by calls, too */
void lo_for_range(struct lower *L, const struct stmt *st);
/* In the body of such a loop: the program ends; the probe does, perhaps with a result. */
void lo_each_end(struct lower *L);
void lo_each_return(struct lower *L, ir_val v);
