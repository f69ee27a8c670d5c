/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interpreter's memory: regions and their addresses, the stack, the context, the packet, ring
 * buffer records. Every access of a program or helper comes through here.
 */
#include "backend-bpf/interp_int.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads take bytes as the host has them");

#define ONE_PIECE 47		     /* shift of regions that are one element */
#define SHARED_INFO 320		     /* kept free at the end of an XDP buffer: skb_shared_info */
#define LOOPBACK 1		     /* interface that BPF_PROG_TEST_RUN pretends */
/* Between the addresses of a packet before and after it moved. */
#define PKT_STEP ((uint64_t)1 << 20)

/* Which programs have a packet, and what of theirs may be written. */
static const struct {
	uint32_t type;
	enum kern_ctx ctx;
	bool packet_read_only;
} packet_programs[] = {
	{BPF_PROG_TYPE_XDP, CTX_XDP_MD, false},
	{BPF_PROG_TYPE_SCHED_CLS, CTX_SK_BUFF, false},
	{BPF_PROG_TYPE_SCHED_ACT, CTX_SK_BUFF, false},
	{BPF_PROG_TYPE_CGROUP_SKB, CTX_SK_BUFF, true},
	{BPF_PROG_TYPE_SOCKET_FILTER, CTX_SK_BUFF, true},
};

/* Writable ranges of __sk_buff; tc_cls_act_is_valid_access, net/core/filter.c. */
static const struct {
	uint32_t off, size;
} skb_writable[] = {
	{offsetof(struct __sk_buff, mark), 4},
	{offsetof(struct __sk_buff, queue_mapping), 4},
	{offsetof(struct __sk_buff, priority), 4},
	{offsetof(struct __sk_buff, tc_index), 4},
	{offsetof(struct __sk_buff, cb), 20},
	{offsetof(struct __sk_buff, tc_classid), 4},
	{offsetof(struct __sk_buff, tstamp), 8},
};

static struct region *region(const struct interp *in, uint32_t id)
{
	return &in->state->regions.v[id];
}

static struct region one_piece(uint8_t *p, uint32_t size)
{
	return (struct region){
		.p = p, .base = ADDR_BASE, .elem = size, .count = 1, .shift = ONE_PIECE};
}

void mem_init(struct interp *in)
{
	struct interp_state *s = in->state;
	uint32_t n = REGION_MAP + (in->meta ? in->meta->maps.n : 0);

	for (uint32_t k = 0; k < n; k++)
		vec_push(in->a, &s->regions, (struct region){.base = ADDR_BASE});
	for (uint32_t k = 0; k < FRAMES; k++)
		*region(in, REGION_STACK + k) = one_piece(s->stack[k], FRAME_SIZE);
}

uint64_t mem_addr(const struct interp *in, uint32_t id, uint64_t off)
{
	return (uint64_t)id << ADDR_SHIFT | (region(in, id)->base + off);
}

uint64_t mem_key(struct interp *in, uint8_t *key, uint32_t size)
{
	uint32_t id = REGION_KEY + in->state->depth;

	*region(in, id) = one_piece(key, size);
	region(in, id)->read_only = true;
	return mem_addr(in, id, 0);
}

/* ---- the packet and its context ---- */

static uint32_t put_ctx_skb(struct interp *in)
{
	struct __sk_buff skb = {.len = in->packet_len - in->state->pkt_skip, .ifindex = LOOPBACK};
	uint16_t protocol;

	if (in->packet_len >= ETH_HLEN) {
		memcpy(&protocol, in->packet + 12, sizeof(protocol));
		skb.protocol = protocol; /* in network order, as the kernel has it */
	}
	_Static_assert(sizeof(skb) <= sizeof(in->state->ctx), "context buffer");
	memcpy(in->state->ctx, &skb, sizeof(skb));
	return sizeof(skb);
}

static uint32_t put_ctx_xdp(struct interp *in)
{
	struct xdp_md xdp = {.ingress_ifindex = LOOPBACK};

	memcpy(in->state->ctx, &xdp, sizeof(xdp));
	return sizeof(xdp);
}

static void place_packet(struct interp *in)
{
	struct interp_state *s = in->state;
	struct region *r = region(in, REGION_PKT);

	r->p = s->pkt + s->pkt_at;
	r->base = s->pkt_base;
	r->elem = s->pkt_len;
}

static void start_packet(struct interp *in, bool read_only)
{
	struct interp_state *s = in->state;
	uint32_t need =
		PKT_HEADROOM + (in->packet_len > in->packet_cap ? in->packet_len : in->packet_cap);

	if (need < PKT_ROOM - SHARED_INFO)
		need = PKT_ROOM - SHARED_INFO;
	if (!s->pkt || need > s->pkt_room) {
		s->pkt = arena_alloc(in->a, need);
		s->pkt_room = need;
	}
	s->pkt_at = PKT_HEADROOM + s->pkt_skip;
	s->pkt_len = in->packet_len - s->pkt_skip;
	s->pkt_base = ADDR_BASE;
	if (in->packet_len)
		memcpy(s->pkt + PKT_HEADROOM, in->packet, in->packet_len);
	*region(in, REGION_PKT) = one_piece(s->pkt, 0);
	region(in, REGION_PKT)->read_only = read_only;
	place_packet(in);
}

bool mem_start(struct interp *in)
{
	struct interp_state *s = in->state;

	memset(s->written[0], 0, FRAME_SIZE);
	for (uint32_t k = 0; k < s->records.n; k++)
		s->records.v[k].live = false;
	s->ctx_kind = -1;
	*region(in, REGION_PKT) = (struct region){.base = ADDR_BASE};
	for (size_t k = 0; k < sizeof(packet_programs) / sizeof(packet_programs[0]); k++) {
		uint32_t size;

		if (packet_programs[k].type != in->prog_type)
			continue;
		if (in->packet_len && !in->packet)
			return interp_fail(in, "packet program without a packet");
		s->ctx_kind = (int)packet_programs[k].ctx;
		/* programs of a cgroup see packets from L3 on */
		s->pkt_skip = in->prog_type == BPF_PROG_TYPE_CGROUP_SKB && in->packet_len >= ETH_HLEN
				      ? ETH_HLEN
				      : 0;
		size = packet_programs[k].ctx == CTX_XDP_MD ? put_ctx_xdp(in) : put_ctx_skb(in);
		*region(in, REGION_CTX) = one_piece(s->ctx, size);
		start_packet(in, packet_programs[k].packet_read_only);
		return true;
	}
	*region(in, REGION_CTX) = one_piece(in->ctx, in->ctx ? in->ctx_len : 0);
	region(in, REGION_CTX)->read_only = true;
	return true;
}

bool mem_finish(struct interp *in)
{
	struct interp_state *s = in->state;

	if (s->ctx_kind < 0)
		return true;
	if (s->pkt_len > in->packet_cap && s->pkt_len > in->packet_len)
		return interp_fail(
			in, "the packet grew to %u bytes, more than its buffer has", s->pkt_len);
	if (s->pkt_len)
		memcpy(in->packet + s->pkt_skip, s->pkt + s->pkt_at, s->pkt_len);
	in->packet_len = s->pkt_len + s->pkt_skip;
	return true;
}

/* As bpf_xdp_adjust_head and _tail, net/core/filter.c: an Ethernet header must remain. */
int64_t mem_move_packet(struct interp *in, int64_t head, int64_t tail)
{
	struct interp_state *s = in->state;
	int64_t at = (int64_t)s->pkt_at + head;
	int64_t end = (int64_t)s->pkt_at + s->pkt_len + tail;
	int64_t first = 40; /* sizeof(struct xdp_frame) is kept free before the packet */

	if (at < first || end > s->pkt_room || end - at < ETH_HLEN)
		return -EINVAL;
	if (tail > 0)
		memset(s->pkt + s->pkt_at + s->pkt_len, 0, (size_t)tail);
	s->pkt_at = (uint32_t)at;
	s->pkt_len = (uint32_t)(end - at);
	s->pkt_base += PKT_STEP;
	place_packet(in);
	return 0;
}

/* The context of a packet program is no memory: the kernel rewrites each access to a field. */
static bool ctx_load(struct interp *in, uint64_t off, unsigned size, uint64_t *v)
{
	struct interp_state *s = in->state;
	const struct kern_ctx_field *f;

	f = kern_ctx_field_at((enum kern_ctx)s->ctx_kind, (uint32_t)off & ~3u, 4);
	if (f && f->type != CF_SCALAR) {
		if (f->off != off || size != 4)
			return interp_fail(in, "'%s' is read with 4 bytes", f->name);
		*v = mem_addr(in, REGION_PKT, f->type == CF_PKTEND ? s->pkt_len : 0);
		return true;
	}
	*v = 0;
	memcpy(v, s->ctx + off, size);
	return true;
}

static bool ctx_writable(const struct interp_state *s, uint64_t off, uint64_t size)
{
	for (size_t k = 0; k < sizeof(skb_writable) / sizeof(skb_writable[0]); k++) {
		if (s->ctx_kind == CTX_SK_BUFF && off >= skb_writable[k].off &&
			off + size <= skb_writable[k].off + skb_writable[k].size)
			return true;
	}
	return false;
}

/* ---- access ---- */

static uint64_t offset_in(const struct region *r, uint64_t addr)
{
	return (addr & (((uint64_t)1 << ADDR_SHIFT) - 1)) - r->base;
}

/* What is wrong with the access, or NULL and the bytes. */
static const char *find(
	const struct interp *in, uint64_t addr, uint64_t size, bool write, uint8_t **p)
{
	uint64_t id = addr >> ADDR_SHIFT, off, index;
	const struct region *r;

	if (id == REGION_NONE || id >= in->state->regions.n || !region(in, (uint32_t)id)->p)
		return "no memory";
	r = region(in, (uint32_t)id);
	off = offset_in(r, addr);
	index = off >> r->shift;
	off -= index << r->shift;
	if (index >= r->count || size > r->elem || off > r->elem - size)
		return "out of bounds";
	if (write && r->read_only)
		return "read-only";
	if (id == REGION_CTX && in->state->ctx_kind >= 0)
		if (write && !ctx_writable(in->state, off, size))
			return "not writable";
	*p = r->p + index * r->stride + off;
	return NULL;
}

static const char *check_stack(struct interp *in, const uint8_t *p, uint64_t size, bool write)
{
	struct interp_state *s = in->state;
	size_t at;

	if (p < s->stack[0] || p >= s->stack[0] + sizeof(s->stack))
		return NULL;
	at = (size_t)(p - s->stack[0]);
	if (write)
		memset(s->written[0] + at, 1, size);
	else if (in->strict_stack && memchr(s->written[0] + at, 0, size))
		return "never written";
	return NULL;
}

static const char *access_at(
	struct interp *in, uint64_t addr, uint64_t size, bool write, uint8_t **p)
{
	const char *why = find(in, addr, size, write, p);

	return why || !size ? why : check_stack(in, *p, size, write);
}

uint8_t *mem_try(struct interp *in, uint64_t addr, uint64_t size, bool write)
{
	uint8_t *p = NULL;

	return access_at(in, addr, size, write, &p) ? NULL : p;
}

uint8_t *mem_at(struct interp *in, uint64_t addr, uint64_t size, bool write)
{
	uint8_t *p = NULL;
	const char *why = access_at(in, addr, size, write, &p);

	if (!why)
		return p;
	interp_fail(in, "%s of %llu bytes at region %llu offset %lld: %s", write ? "write" : "read",
		(unsigned long long)size, (unsigned long long)(addr >> ADDR_SHIFT),
		(long long)((addr & (((uint64_t)1 << ADDR_SHIFT) - 1)) - ADDR_BASE), why);
	return NULL;
}

bool mem_load(struct interp *in, uint64_t addr, unsigned size, uint64_t *v)
{
	const uint8_t *p = mem_at(in, addr, size, false);

	if (!p)
		return false;
	if (addr >> ADDR_SHIFT == REGION_CTX && in->state->ctx_kind >= 0)
		return ctx_load(in, offset_in(region(in, REGION_CTX), addr), size, v);
	*v = 0;
	memcpy(v, p, size);
	return true;
}

bool mem_store(struct interp *in, uint64_t addr, unsigned size, uint64_t v)
{
	uint8_t *p = mem_at(in, addr, size, true);

	if (!p)
		return false;
	memcpy(p, &v, size);
	return true;
}

/* ---- ring buffer records ---- */

static uint32_t first_record(const struct interp *in)
{
	return REGION_MAP + (in->meta ? in->meta->maps.n : 0);
}

uint64_t mem_reserve(struct interp *in, uint32_t size)
{
	struct interp_state *s = in->state;
	uint32_t k = 0;

	while (k < s->records.n && (s->records.v[k].run == s->run || s->records.v[k].cap < size))
		k++;
	if (k == s->records.n) {
		if (s->regions.n >= UINT16_MAX)
			return 0;
		vec_push(in->a, &s->records, (struct record){.cap = size});
		vec_push(in->a, &s->regions, one_piece(arena_alloc(in->a, size), size));
	}
	s->records.v[k].size = size;
	s->records.v[k].live = true;
	s->records.v[k].run = s->run;
	region(in, first_record(in) + k)->elem = size;
	memset(region(in, first_record(in) + k)->p, 0, size);
	return mem_addr(in, first_record(in) + k, 0);
}

const uint8_t *mem_release(struct interp *in, uint64_t addr, uint32_t *size)
{
	uint64_t id = addr >> ADDR_SHIFT;
	struct record *rec;
	struct region *r;

	if (id < first_record(in) || id >= in->state->regions.n)
		return NULL;
	r = region(in, (uint32_t)id);
	rec = &in->state->records.v[id - first_record(in)];
	if (!rec->live || offset_in(r, addr) != 0)
		return NULL;
	rec->live = false;
	r->elem = 0; /* its bytes are no longer the program's */
	*size = rec->size;
	return r->p;
}

bool mem_record_leaked(const struct interp *in)
{
	for (uint32_t k = 0; k < in->state->records.n; k++) {
		if (in->state->records.v[k].live)
			return true;
	}
	return false;
}
